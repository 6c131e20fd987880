"""Documents of a case: what somebody attached and what the engine issued, each kept once under its SHA-256."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql

from engine.composing import Functions, Names, Writer
from engine.errors import NotFound, Unusable
from engine.model import Document, DocumentContent, Person
from engine.paper import pdf_is_possible, to_docx, to_html, to_pdf
from engine.templates import DocumentTemplate, read_template
from engine.uploads import MOST_BYTES, clean_name, media_of
from engine.word import write_word
from engine.work import Work
from forms.values import FileRef

__all__ = [
    "MOST_BYTES", "DocumentTemplate", "attach", "issue", "pdf_is_possible", "read", "read_template",
    "to_html", "to_pdf",
]  # fmt: skip


def attach(
    work: Work, case: str | None, element: str, name: str, data: bytes, uploaded_by: str, *, late: bool = False
) -> FileRef:
    """Keep a file with a case. Unusable: too large, empty, of a kind that is not taken, or not what its name says."""
    name = clean_name(name)
    media, sha256 = media_of(name, data), hashlib.sha256(data).hexdigest()
    _keep_content(work, sha256, data)
    identity = uuid.uuid4().hex
    row = {"id": identity, "case": case, "element": element, "name": name, "media": media, "size": len(data)}
    who = {"sha256": sha256, "uploaded_by": uploaded_by, "at": work.now, "late": late}
    work.db.execute(insert(Document).values(**row, **who))
    return FileRef(identity, name, sha256, len(data), media)


def read(work: Work, document: str) -> tuple[Any, bytes]:
    """A document's row and its bytes. NotFound; Unusable when the bytes are no longer those that were kept."""
    query = select(*Document.__table__.columns, DocumentContent.content)
    query = query.join(DocumentContent, DocumentContent.sha256 == Document.sha256).where(Document.id == document)
    row = work.db.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"没有文件 {document}", f"there is no document {document}")
    content: bytes = row.content
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise Unusable(
            f"文件“{row.name}”的内容与登记的杂凑值不符，不予提供；请核查数据库",
            f"the content of {row.name!r} is not what was kept under its hash; it is not given out: check the database",
        )
    return row, content


def issue(work: Work, template: DocumentTemplate, names: Names, functions: Functions) -> tuple[str, bytes]:
    """The document a template makes of a case's values: the name of the file, and DOCX. Incident where it cannot."""

    def name_of(person: str) -> str:
        return work.db.execute(select(Person.name).where(Person.id == person)).scalar_one_or_none() or person

    writer = Writer(template, names, functions, name_of)
    data = write_word(template.word, writer, work.now) if template.word else to_docx(writer.paper(), work.now)
    return clean_name(f"{writer.title}.docx"), data


def _keep_content(work: Work, sha256: str, data: bytes) -> None:
    """Keep the bytes unless they are there; two acts may keep the same ones at one time."""
    if work.db.execute(select(DocumentContent.sha256).where(DocumentContent.sha256 == sha256)).one_or_none() is None:
        careful = (
            insert(DocumentContent)
            if work.database.sqlite
            else postgresql.insert(DocumentContent).on_conflict_do_nothing()
        )
        work.db.execute(careful.values(sha256=sha256, content=data))
