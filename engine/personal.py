"""Personal and secret values at rest: each encrypted under the key of the person it came from, and committed to apart.

A stored answer holds ``{"$private": {"ref", "commit"}}`` in the place of such a value; files are for ``documents``.
Destroying a person's key (``erasing``) makes every value under it unreadable for ever, in every backup of the database
without its keys; the answer, its commitment and the chain verify as before (《个人信息保护法》第四十七条).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from engine.model import Event, SealedValue, SubjectKey, Submission
from engine.trail.record import committed
from engine.work import Work
from forms.values import Value, to_json
from forms.values import canonical as canonical_value

ERASED = "sys/privacy"
"""The stream that tells of erasures."""


def seal(work: Work, case: str, subject: str, values: Mapping[str, Value], private: Collection[str]) -> Any:
    """An answer as it is stored (JSON): what is private stands apart, under the key of whom it came from."""
    stored = json.loads(to_json(dict(values)))
    for code in [code for code in stored if code in private and stored[code] is not None]:
        stored[code] = {"$private": keep(work, case, subject, code, canonical_value(values[code]))}
    return stored


def keep(work: Work, case: str, subject: str, field: str, text: str) -> dict[str, str]:
    """Keep somebody's canonical text encrypted; gives its reference (``ref``) and the commitment to it (``commit``)."""
    ref, salt = secrets.token_hex(16), secrets.token_hex(32)
    content = encrypted(work, subject, ref, json.dumps({"salt": salt, "value": text}).encode())
    work.add(SealedValue, {"ref": ref, "case": case, "subject": subject, "field": field, "content": content})
    return {"ref": ref, "commit": committed(salt, text)}


def encrypted(work: Work, subject: str, ref: str, data: bytes) -> bytes:
    """Bytes under the key of a person, which is drawn with the first of theirs: a nonce, then AES-256-GCM."""
    # Shared until this act is over: an erasure waits for it, and sees what it wrote.
    query = select(SubjectKey.key).where(SubjectKey.subject == subject).with_for_update(read=True)
    key = work.db.execute(query).scalar_one_or_none()
    if key is None:
        new = {"subject": subject, "key": AESGCM.generate_key(bit_length=256), "at": work.now}
        work.add_once(SubjectKey, new)
        key = work.db.execute(query).scalar_one()
    nonce = os.urandom(12)
    return nonce + AESGCM(bytes(key)).encrypt(nonce, data, ref.encode())


def decrypted(work: Work, subject: str, ref: str, data: bytes) -> bytes | None:
    """The bytes again; None when the key under which they were is no more."""
    key = work.db.execute(select(SubjectKey.key).where(SubjectKey.subject == subject)).scalar_one_or_none()
    return None if key is None else _plain(bytes(key), ref, data)


def _plain(key: bytes, ref: str, data: bytes) -> bytes | None:
    """The bytes under this key; None where they are under another, which somebody's next value got after an erasure."""
    try:
        return AESGCM(key).decrypt(data[:12], data[12:], ref.encode())
    except (InvalidTag, ValueError):
        return None


def open_rows(work: Work, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of answers with their private values put back, ``stored`` keeping them as they are stored.

    What was erased is None.
    """
    wanted = [ref for row in rows if '"$private"' in row["answer"] for ref, _ in _places(json.loads(row["answer"]))]
    texts = {ref: kept["value"] for ref, kept in opened(work, wanted).items()}
    return [{**row, "stored": row["answer"], "answer": _put_back(row["answer"], texts)} for row in rows]


def _put_back(text: str, texts: Mapping[str, str]) -> str:
    if '"$private"' not in text:
        return text

    def whole(record: dict[str, Any]) -> Any:
        if record.keys() == {"$private"}:
            kept = texts.get(record["$private"]["ref"])
            return None if kept is None else json.loads(kept)
        return record

    return json.dumps(json.loads(text, object_hook=whole), ensure_ascii=False, separators=(",", ":"))


def _places(stored: Any) -> Iterator[tuple[str, str]]:
    if isinstance(stored, dict):
        if stored.keys() == {"$private"}:
            yield stored["$private"]["ref"], stored["$private"]["commit"]
            return
        stored = list(stored.values())
    if isinstance(stored, list):
        for each in stored:
            yield from _places(each)


def opened(work: Work, refs: Iterable[str]) -> dict[str, dict[str, str]]:
    """The ``salt`` and canonical text (``value``) of values, by reference; those that were erased are left out."""
    wanted, found = list(refs), {}
    for start in range(0, len(wanted), 500):
        query = (
            select(SealedValue.ref, SealedValue.content, SubjectKey.key)
            .join(SubjectKey, SubjectKey.subject == SealedValue.subject)
            .where(SealedValue.ref.in_(wanted[start : start + 500]))
        )
        for row in work.db.execute(query):
            kept = _plain(bytes(row.key), row.ref, bytes(row.content))
            if kept is not None:
                found[row.ref] = json.loads(kept)
    return found


def released(work: Work, refs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Private values as a bundle encloses them: salt and value by reference."""
    return {ref: {"salt": kept["salt"], "value": json.loads(kept["value"])} for ref, kept in opened(work, refs).items()}


def references(stored: Any) -> Iterator[str]:
    """The references of the private values of a stored answer."""
    yield from (ref for ref, _ in _places(stored))


# Verifying.


def broken(work: Work, case: str | None) -> Iterator[tuple[str, str]]:
    """The answers (case and id) whose private values are not those committed to, or cannot be read though nobody erased
    them.
    """
    erasures = erased(work)
    columns = (Submission.id, Submission.case, Submission.answer, Submission.person, Submission.task)
    query = select(*columns, work.as_stored(Submission.at).label("at")).where(Submission.answer.contains('"$private"'))
    for row in work.rows(query if case is None else query.where(Submission.case == case)):
        try:
            # A correction is kept under the key of whoever gave what it corrects.
            giver = row["person"] if row["task"] else None
            good = holds(work, _places(json.loads(row["answer"])), row["at"], erasures, giver)
        except (ValueError, KeyError, TypeError, RecursionError):
            good = False
        if not good:
            yield row["case"], row["id"]


class Erasures(NamedTuple):
    """What the trail tells of erasures: whose each erased value was, by reference; and of those that told no
    references yet, when the key of each person was last destroyed (``Work.as_stored``).
    """

    refs: dict[str, str]
    older: dict[str, Any]

    def covers(self, ref: str, subject: str, at: Any) -> bool:
        """Whether a value of somebody's, kept at this instant, was erased by law."""
        return self.refs.get(ref) == subject or (subject in self.older and at <= self.older[subject])


def holds(
    work: Work, places: Iterable[tuple[str, str]], at: Any, erasures: Erasures, giver: str | None = None
) -> bool:
    """Whether values kept then, by reference and commitment, are what they were, or were erased by law since.

    ``giver`` is whose they must be, where that is known.
    """
    wanted = dict(places)
    found = opened(work, wanted)
    query = select(SealedValue.ref, SealedValue.subject).where(SealedValue.ref.in_(wanted.keys() - found.keys()))
    gone = {row.ref: row.subject for row in work.db.execute(query) if giver in (None, row.subject)}
    lawful = {ref for ref, subject in gone.items() if erasures.covers(ref, subject, at)}
    return lawful | found.keys() == wanted.keys() and all(
        committed(kept["salt"], kept["value"]) == wanted[ref] for ref, kept in found.items()
    )


def erased(work: Work) -> Erasures:
    """All that the trail tells of erasures."""
    query = select(work.as_stored(Event.at).label("at"), Event.body)
    query = query.where(Event.stream == ERASED, Event.kind == "privacy.erased").order_by(Event.seq)
    found = Erasures({}, {})
    for row in work.db.execute(query):
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):  # changed: the chain tells of it
            data = json.loads(row.body)["data"]
            if "refs" in data:
                found.refs.update(dict.fromkeys(data["refs"], data["subject"]))
            else:
                found.older[data["subject"]] = row.at
    return found
