"""Documents of a case: what somebody attached and what the engine issued, each kept once under its SHA-256.

A file given in a personal or secret field is kept encrypted, and what is hashed is what the encryption made of it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql

from engine import personal
from engine.composing import Functions, Names, Writer
from engine.errors import NotFound, Unusable
from engine.model import Document, DocumentContent, Person
from engine.paper import pdf_is_possible, to_docx, to_html, to_pdf
from engine.templates import DocumentTemplate, read_template
from engine.uploads import MOST_BYTES, clean_name, ending_of, media_of
from engine.word import write_word
from engine.work import Work
from forms.values import FileRef, canonical

__all__ = [
    "MOST_BYTES", "DocumentTemplate", "as_kept", "attach", "attach_private", "issue", "opened", "pdf_is_possible",
    "read", "read_template", "sound", "to_html", "to_pdf", "with_names",
]  # fmt: skip
NEUTRAL = "个人或保密文件"
"""What a private file is called where its name is not to be seen."""


def attach(
    work: Work, case: str | None, element: str, name: str, data: bytes, uploaded_by: str, *, late: bool = False
) -> FileRef:
    """Keep a file with a case. Unusable: too large, empty, of a kind that is not taken, or not what its name says."""
    name = clean_name(name)
    file = FileRef(uuid.uuid4().hex, name, _hash(data), len(data), media_of(name, data))
    _keep(work, file, name, data, {"case": case, "element": element, "uploaded_by": uploaded_by, "late": late})
    return file


def attach_private(
    work: Work, case: str, element: str, name: str, data: bytes, uploaded_by: str, *, field: str, late: bool = False
) -> tuple[FileRef, dict[str, Any]]:
    """Keep a file of a personal or secret field encrypted, under the key of who uploaded it.

    Its name and the hash of what it is become a private value of their own; gives the reference that the answer holds
    (its hash is of what is kept, as in the trail) and what the event says besides. Refuses what ``attach`` refuses.
    """
    name = clean_name(name)
    media = media_of(name, data)
    place = personal.keep(work, case, uploaded_by, field, canonical({"name": name, "sha256": _hash(data)}))
    kept = personal.encrypted(work, uploaded_by, place["ref"], data)
    file = FileRef(uuid.uuid4().hex, name, _hash(kept), len(data), media)
    about = {"case": case, "element": element, "uploaded_by": uploaded_by, "late": late, "sealed": place["ref"]}
    _keep(work, file, f"{NEUTRAL}{ending_of(name)}", kept, about)
    return file, {"private": place}


def _keep(work: Work, file: FileRef, name: str, data: bytes, about: Mapping[str, Any]) -> None:
    """Keep a document under this name, and its bytes unless they are there; two acts may keep the same at one time."""
    if work.db.execute(select(DocumentContent.sha256).where(DocumentContent.sha256 == file.sha256)).first() is None:
        careful = (
            insert(DocumentContent)
            if work.database.sqlite
            else postgresql.insert(DocumentContent).on_conflict_do_nothing()
        )
        work.db.execute(careful.values(sha256=file.sha256, content=data))
    kept = {"id": file.id, "name": name, "media": file.media, "size": file.size, "sha256": file.sha256}
    work.db.execute(insert(Document).values(**kept, at=work.now, **about))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(work: Work, document: str) -> tuple[Any, bytes]:
    """A document's row and its bytes. NotFound: there is none, or it was erased; Unusable when the bytes are no longer
    those that were kept.
    """
    query = select(*Document.__table__.columns, DocumentContent.content)
    query = query.join(DocumentContent, DocumentContent.sha256 == Document.sha256).where(Document.id == document)
    found = work.row(query)
    if found is None:
        raise NotFound(f"没有文件 {document}", f"there is no document {document}")
    content: bytes = found.pop("content")
    [row] = with_names(work, [found])
    plain = opened(work, row, content) if _hash(content) == row["sha256"] else None
    if row["erased"]:
        raise NotFound(f"文件“{row['name']}”已依法删除，不能再读取", f"the document {document} was erased by law")
    if plain is None:
        raise Unusable(
            f"文件“{row['name']}”的内容与登记的杂凑值不符，不予提供；请核查数据库",
            f"the content of {row['name']!r} is not what was kept under its hash; it is not given out: check the "
            "database",
        )
    return SimpleNamespace(**row), plain


def with_names(work: Work, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of documents, private ones with the name they were given; ``erased`` says which can no longer be read."""
    told = personal.opened(work, [row["sealed"] for row in rows if row["sealed"]])
    names = {ref: json.loads(kept["value"])["name"] for ref, kept in told.items()}
    return [
        {**row, "name": names.get(row["sealed"], row["name"]), "erased": row["sealed"] is not None
         and row["sealed"] not in told} for row in rows
    ]  # fmt: skip


def opened(work: Work, row: Mapping[str, Any], content: bytes) -> bytes | None:
    """What was attached, from what is kept of it; None when that was erased, or is not what it should be."""
    if not row["sealed"]:
        return content
    told = personal.opened(work, [row["sealed"]]).get(row["sealed"])
    plain = personal.decrypted(work, row["uploaded_by"], row["sealed"], bytes(content))
    return plain if told and plain is not None and _hash(plain) == json.loads(told["value"])["sha256"] else None


def sound(work: Work, row: Mapping[str, Any], commit: str, erasures: personal.Erasures) -> bool:
    """Whether a document (its columns and ``content``) is what was kept, and an encrypted one what was committed to.

    What was erased by law (``personal.erased``) is.
    """
    content, ref = row["content"], row["sealed"]
    if content is None or _hash(content) != row["sha256"]:
        return False
    if not ref:
        return True
    if not personal.holds(work, [(ref, commit)], row["at"], erasures, row["uploaded_by"]):
        return False
    return not personal.opened(work, [ref]) or opened(work, row, content) is not None


def as_kept(work: Work, file: FileRef) -> FileRef:
    """A reference by the name that is kept in clear: what may stand in a field that is not private."""
    query = select(Document.name).where(Document.id == file.id)
    return replace(file, name=work.db.execute(query).scalar_one_or_none() or file.name)


def issue(work: Work, template: DocumentTemplate, names: Names, functions: Functions) -> tuple[str, bytes]:
    """The document a template makes of a case's values: the name of the file, and DOCX. Incident where it cannot."""

    def name_of(person: str) -> str:
        return work.db.execute(select(Person.name).where(Person.id == person)).scalar_one_or_none() or person

    writer = Writer(template, names, functions, name_of)
    data = write_word(template.word, writer, work.now) if template.word else to_docx(writer.paper(), work.now)
    return clean_name(f"{writer.title}.docx"), data
