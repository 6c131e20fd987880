"""Erases what somebody gave, by law: destroys their key, and blanks what stands in clear in their closed cases."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update

from engine import definitions, personal
from engine.definitions import Deployed
from engine.errors import WrongState
from engine.gate import Contents
from engine.model import CaseFile, Document, Outbox, Request, SealedValue, SubjectKey
from engine.people import two_of
from engine.privacy import reads_private
from engine.said import plain
from engine.trail.committing import commit_case
from engine.trail.record import Chain, tell
from engine.work import Work
from forms.expressions import compile_expression
from forms.values import files_in, from_json
from forms.words import Text

ERASERS = frozenset({"compliance_officer", "sysadmin"})
"""Two people of these roles erase together: one proposes, another approves."""
NOTICES = frozenset({"notify", "notify.persons"})
WHAT = Text("删除个人信息", "the erasure of personal data")
REASON = Text("须写明删除的依据", "an erasure needs its legal basis")


class Erased(NamedTuple):
    """How many values and files became unreadable, and how many files of private fields stay readable, because they
    were attached before such files were encrypted.
    """

    values: int
    files: int
    remaining: int


def erase(work: Work, subject: str, approved_by: str, reason: str, *, proposal: str = "") -> Erased:
    """Destroy a person's key, and blank the private variables of the closed cases they had part in.

    Two people of ``ERASERS`` are needed: who acts, and who approved or made the ``proposal``. Raises NotYours for
    others, WrongState while a case of theirs is open (its processing is a legal duty until then).
    """
    reason = plain(reason, REASON)
    two_of(work, approved_by, ERASERS, WHAT)
    _lock(work, subject)
    query = select(SealedValue.ref, SealedValue.case, SealedValue.field).where(SealedValue.subject == subject)
    rows = work.rows(query)
    cases = sorted({row["case"] for row in rows})
    _refuse_open(work, cases)
    for case in cases:
        _blank(work, case, [row["field"] for row in rows if row["case"] == case], approved_by)
    files = _sealed_files(work, subject)
    made = Erased(len(rows) - files, files, _open_files(work, [row["ref"] for row in rows]))
    work.db.execute(delete(SubjectKey).where(SubjectKey.subject == subject))
    work.db.execute(delete(Request).where(Request.actor == subject))  # they hold hashes of what was sent
    told = {"subject": subject, **made._asdict(), "cases": cases, "approved_by": approved_by, "reason": reason}
    told |= {"refs": sorted(row["ref"] for row in rows)} | ({"proposal": proposal} if proposal else {})
    tell(work, personal.ERASED, "privacy.erased", told)
    return made


def _lock(work: Work, subject: str) -> None:
    """Wait for whoever is giving a value of this person's, cases before the key as they do; later ones find no key."""
    cases = select(SealedValue.case).where(SealedValue.subject == subject)
    work.db.execute(select(CaseFile.id).where(CaseFile.id.in_(cases)).order_by(CaseFile.id).with_for_update())
    work.db.execute(select(SubjectKey.key).where(SubjectKey.subject == subject).with_for_update())


def refuse_open(work: Work, subject: str) -> None:
    """WrongState while a case that somebody gave personal data to is open."""
    query = select(SealedValue.case).where(SealedValue.subject == subject).distinct()
    _refuse_open(work, list(work.db.execute(query).scalars()))


def _refuse_open(work: Work, cases: list[str]) -> None:
    query = select(CaseFile.number).where(CaseFile.id.in_(cases), CaseFile.status != "closed")
    number = work.db.execute(query.limit(1)).scalar_one_or_none()
    if number is not None:
        raise WrongState(
            f"案卷 {number} 尚未办结，个人信息仍须处理，办结后才能删除",
            f"the case {number} is still open and needs these data; they can be erased when it is closed",
        )


def _sealed_files(work: Work, subject: str) -> int:
    """How many files of somebody's are kept encrypted."""
    query = select(func.count()).select_from(Document).join(SealedValue, SealedValue.ref == Document.sealed)
    return int(work.db.execute(query.where(SealedValue.subject == subject)).scalar_one())


def _open_files(work: Work, refs: list[str]) -> int:
    """How many files that these private values refer to are kept in clear."""
    kept = personal.opened(work, refs).values()
    named = {file.id for each in kept for file in files_in(from_json(each["value"]))}
    query = select(func.count()).select_from(Document).where(Document.id.in_(named), Document.sealed.is_(None))
    return int(work.db.execute(query).scalar_one())


def _blank(work: Work, case: str, fields: Collection[str], approved_by: str) -> None:
    """Take the private values, and what was computed from them, out of the variables of a closed case, out of its title
    and its notices; its trail tells so, and is committed to what is left.
    """
    row = work.row(select(*CaseFile.__table__.columns).where(CaseFile.id == case))
    assert row is not None
    deployed = definitions.deployed(work, row["definition"])
    names = set(fields) | deployed.private

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: None if key in names else without(each) for key, each in value.items()}
        return [without(each) for each in value] if isinstance(value, list) else value

    text = json.dumps(without(json.loads(row["scopes"])), ensure_ascii=False, separators=(",", ":"))
    title = row["title"] if deployed.title else deployed.diagram.process.name
    chain = Chain.standing(f"case/{case}", row["seq"], row["head"], row["last_at"])
    told = {"erased": len(fields), "approved_by": approved_by}
    chain.add(work, "privacy.erased", told, process={"key": row["process"]})
    left = {"scopes": text, "title": title}
    left |= {"salt": commit_case(chain, row, {**row, **left})}
    left |= {"seq": chain.seq, "head": chain.head, "last_at": chain.last_at}
    work.db.execute(update(CaseFile).where(CaseFile.id == case).values(**left))
    chain.write(work)
    if any(_names_private(deployed, each) for each in deployed.contents.values()):
        work.db.execute(delete(Outbox).where(Outbox.case == case))


def _names_private(deployed: Deployed, contents: Contents) -> bool:
    """Whether a notice of this process says something personal or secret."""
    operations = [each for element in contents.diagram.elements.values() for each in element.operations]
    texts = [each.parameters[name] for each in operations if each.name in NOTICES for name in ("zh", "en")]
    return any(reads_private(compile_expression(text), deployed.private) for text in texts)
