"""Personal and secret values at rest: each encrypted under the key of the person it came from, and committed to apart.

A stored answer holds ``{"$private": {"ref", "commit"}}`` in the place of such a value. Destroying a person's key makes
every value under it unreadable for ever, in every backup of the database without its keys; the answer, its commitment
and the chain verify as before (《个人信息保护法》第四十七条).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select, update

from engine.errors import NotYours, WrongState
from engine.model import CaseFile, SealedValue, SubjectKey, Submission
from engine.people import standing
from engine.said import plain
from engine.trail.committing import commit_case
from engine.trail.record import Chain, committed, tell
from engine.work import Work
from forms.values import Value, to_json
from forms.values import canonical as canonical_value
from forms.words import Text

ERASERS = frozenset({"compliance_officer", "sysadmin"})
"""Two people of these roles erase together: one proposes, another approves."""
REASON = Text("须写明删除的依据", "an erasure needs its legal basis")


def seal(work: Work, case: str, values: Mapping[str, Value], private: Collection[str]) -> Any:
    """An answer as it is stored (JSON): what is private stands apart, under the key of whoever acts."""
    stored = json.loads(to_json(dict(values)))
    hidden = [code for code in stored if code in private and stored[code] is not None]
    if not hidden:
        return stored
    key, rows = AESGCM(_key(work, work.actor)), []
    for code in hidden:
        ref, salt, nonce = secrets.token_hex(16), secrets.token_hex(32), os.urandom(12)
        text = canonical_value(values[code])
        commit = committed(salt, text)
        kept = json.dumps({"salt": salt, "value": text}).encode()
        rows.append({
            "ref": ref, "case": case, "subject": work.actor, "field": code,
            "content": nonce + key.encrypt(nonce, kept, ref.encode()),
        })  # fmt: skip
        stored[code] = {"$private": {"ref": ref, "commit": commit}}
    work.add(SealedValue, *rows)
    return stored


def _key(work: Work, subject: str) -> bytes:
    """The key of a person; drawn with the first value of theirs."""
    found = work.db.execute(select(SubjectKey.key).where(SubjectKey.subject == subject)).scalar_one_or_none()
    if found is None:
        found = AESGCM.generate_key(bit_length=256)
        work.add(SubjectKey, {"subject": subject, "key": found, "at": work.now})
    return bytes(found)


def open_rows(work: Work, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of answers with their private values put back, ``stored`` keeping them as they are stored.

    What was erased is None.
    """
    wanted = [ref for row in rows if '"$private"' in row["answer"] for ref, _ in _places(json.loads(row["answer"]))]
    opened = {ref: kept["value"] for ref, kept in _opened(work, wanted).items()}
    return [{**row, "stored": row["answer"], "answer": _put_back(row["answer"], opened)} for row in rows]


def _put_back(text: str, opened: Mapping[str, str]) -> str:
    if '"$private"' not in text:
        return text

    def whole(record: dict[str, Any]) -> Any:
        if record.keys() == {"$private"}:
            kept = opened.get(record["$private"]["ref"])
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


def _opened(work: Work, refs: Iterable[str]) -> dict[str, dict[str, str]]:
    """The salt and canonical text of values, by reference; those that were erased are left out."""
    wanted, found = list(refs), {}
    for start in range(0, len(wanted), 500):
        query = (
            select(SealedValue.ref, SealedValue.content, SubjectKey.key)
            .join(SubjectKey, SubjectKey.subject == SealedValue.subject)
            .where(SealedValue.ref.in_(wanted[start : start + 500]))
        )
        for row in work.db.execute(query):
            content = bytes(row.content)
            found[row.ref] = json.loads(AESGCM(bytes(row.key)).decrypt(content[:12], content[12:], row.ref.encode()))
    return found


def released(work: Work, stored: Any) -> dict[str, dict[str, Any]]:
    """The private values of a stored answer as a bundle encloses them: salt and value by reference."""
    found = _opened(work, (ref for ref, _ in _places(stored)))
    return {ref: {"salt": kept["salt"], "value": json.loads(kept["value"])} for ref, kept in found.items()}


def broken(work: Work, case: str | None) -> Iterator[tuple[str, str]]:
    """The answers (case and id) whose private values are not those committed to; erased ones are not broken."""
    query = select(Submission.id, Submission.case, Submission.answer).where(Submission.answer.contains('"$private"'))
    for row in work.rows(query if case is None else query.where(Submission.case == case)):
        places = dict(_places(json.loads(row["answer"])))
        for ref, kept in _opened(work, places).items():
            if committed(kept["salt"], kept["value"]) != places[ref]:
                yield row["case"], row["id"]


# Erasing.


def erase(work: Work, subject: str, approved_by: str, reason: str) -> int:
    """Destroy a person's key, and the private values in the variables of the closed cases they had part in.

    Gives how many values become unreadable. Two people of ``ERASERS`` are needed: who acts and who approved. Raises
    NotYours for others, WrongState while a case of theirs is open (its processing is a legal duty until then).
    """
    reason = plain(reason, REASON)
    for person in (work.actor, approved_by):
        if not standing(work, person).roles & ERASERS:
            raise NotYours(
                "删除个人信息须由两名合规专员或系统管理员办理",
                "two compliance officers or administrators erase personal data together",
                ("role",),
            )
    if work.actor == approved_by:
        raise NotYours("批准人不能是办理人本人", "who approves must be somebody else", ("four_eyes",))
    query = select(SealedValue.ref, SealedValue.case, SealedValue.field).where(SealedValue.subject == subject)
    rows = work.rows(query)
    cases = sorted({row["case"] for row in rows})
    open_ones = select(CaseFile.number).where(CaseFile.id.in_(cases), CaseFile.status != "closed")
    number = work.db.execute(open_ones.limit(1)).scalar_one_or_none()
    if number is not None:
        raise WrongState(
            f"案卷 {number} 尚未办结，个人信息仍须处理，办结后才能删除",
            f"the case {number} is still open and needs these data; they can be erased when it is closed",
        )
    for case in cases:
        _blank(work, case, [row["field"] for row in rows if row["case"] == case], approved_by)
    work.db.execute(delete(SubjectKey).where(SubjectKey.subject == subject))
    told = {"subject": subject, "values": len(rows), "cases": cases, "approved_by": approved_by, "reason": reason}
    tell(work, "sys/privacy", "privacy.erased", told)
    return len(rows)


def _blank(work: Work, case: str, fields: Collection[str], approved_by: str) -> None:
    """Take the private values, and what was computed from them, out of the variables of a closed case.

    Its trail tells so, and is committed to what is left.
    """
    from engine import definitions

    row = work.row(select(*CaseFile.__table__.columns).where(CaseFile.id == case).with_for_update())
    assert row is not None
    names = set(fields) | definitions.deployed(work, row["definition"]).private

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: None if key in names else without(each) for key, each in value.items()}
        return [without(each) for each in value] if isinstance(value, list) else value

    text = json.dumps(without(json.loads(row["scopes"])), ensure_ascii=False, separators=(",", ":"))
    chain = Chain.standing(f"case/{case}", row["seq"], row["head"], row["last_at"])
    told = {"erased": len(fields), "approved_by": approved_by}
    chain.add(work, "privacy.erased", told, process={"key": row["process"]})
    salt = commit_case(chain, row, {**row, "scopes": text})
    stands = {"seq": chain.seq, "head": chain.head, "last_at": chain.last_at}
    work.db.execute(update(CaseFile).where(CaseFile.id == case).values(scopes=text, salt=salt, **stands))
    chain.write(work)
