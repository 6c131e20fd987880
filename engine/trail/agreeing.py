"""Compares what the trail of cases tells with what is kept beside it: the cases, answers, documents, register records.

What a database of before cannot be held to is counted and said, never taken for broken.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from engine import documents, personal
from engine.amount import amount_in
from engine.base import Base
from engine.instant import Instant
from engine.model import CaseFile, Comment, Definition, Document, DocumentContent, RegisterRecord, Submission
from engine.trail.committing import OF_A_CASE, OF_A_RECORD, fits, plain
from engine.trail.record import canonical_body, committed
from engine.trail.told import Told, ToldCase
from engine.trail.verdict import Verdict
from engine.work import Work
from forms.words import Unfit

COLUMNS: Mapping[str, tuple[str, str]] = {
    "number": ("编号", "number"),
    "status": ("状态", "status"),
    "outcome": ("结果", "outcome"),
    "opened_at": ("立案时间", "day of opening"),
    "closed_at": ("结案时间", "day of closing"),
    "applicant": ("申请人", "applicant"),
    "parent": ("所属案卷", "parent case"),
    "parameters": ("参数", "set of parameters"),
    "calendar": ("日历", "calendar"),
    "version": ("流程版本", "version of the process"),
    "amount_fen": ("金额", "amount"),
}
"""The columns of a case that its events tell of, in words."""


def stored(work: Work, of: type[Base], names: Iterable[str], case: str | None = None) -> Iterator[dict[str, Any]]:
    """These columns of every row, or of those of a case, as records; the table has a column ``case`` or is of cases.

    Instants are as stored.
    """
    columns = [getattr(of, name) for name in names]
    read = [work.as_stored(each).label(each.key) if isinstance(each.type, Instant) else each for each in columns]
    query = select(*read).execution_options(yield_per=100)
    its = CaseFile.id if of is CaseFile else getattr(of, "case", None)
    for row in work.db.execute(query if case is None or its is None else query.where(its == case)):
        yield row._asdict()


# Cases.


def check_cases(work: Work, case: str | None, told: Told, verdict: Verdict) -> None:
    """Every case is what its events tell, and all of it what they are committed to: its variables and state, too."""
    known = select(Definition.id, Definition.process, Definition.version, Definition.sha256)
    versions = {row[0]: tuple(row[1:]) for row in work.db.execute(known)}
    older = 0
    for found in stored(work, CaseFile, (*OF_A_CASE, "id", "salt"), case):
        stream = f"case/{found['id']}"
        said = told.cases.get(stream, ToldCase())
        for seq in said.exchanged:
            verdict.flaw(
                stream,
                "这一步办理前，案卷（状态、变量、标题等）已被改动",
                "before this act somebody had changed the case (its state, variables, title …)",
                seq,
            )
        wrong = [name for name, value in said.columns.items() if plain(found[name]) != value]
        if said.version is not None and versions.get(found["definition"]) != said.version:
            wrong.append("version")
        elif said.after is None and _has_another_amount(work, found):
            wrong.append("amount_fen")
        if wrong:
            zh, en = ("、".join(COLUMNS[name][0] for name in wrong), ", ".join(COLUMNS[name][1] for name in wrong))
            verdict.flaw(stream, f"案卷的{zh}与轨迹不符", f"the {en} of the case is not what its trail tells")
        elif said.after is not None and not fits(said.after, found, OF_A_CASE):
            verdict.flaw(
                stream,
                "案卷（状态、变量、标题等）不是轨迹最后承诺的内容",
                "the case (its state, variables, title …) is not the one its trail is committed to",
            )
        older += said.after is None
    verdict.note(
        older,
        "个案卷自升级以来没有办理，轨迹尚未承诺其变量",
        "cases were not worked on since the upgrade: the trail is not committed to their variables yet",
    )


def _has_another_amount(work: Work, found: Mapping[str, Any]) -> bool:
    """Whether the amount a case is searched by is not the one its variables hold."""
    try:
        return bool(found["scopes"]) and amount_in(work, found["definition"], found["scopes"]) != found["amount_fen"]
    except Unfit:
        return False
    except (ValueError, TypeError, AssertionError):  # these are no variables
        return True


# Answers and documents.


def check_answers(work: Work, case: str | None, told: Told, verdict: Verdict) -> None:
    """Every answer told in the trail is still there, and is the answer that was given."""
    for table in (Submission, Comment):
        text = Submission.answer if table is Submission else Comment.words
        query = select(table.id, table.case, table.salt, text.label("text")).execution_options(yield_per=500)
        for row in work.db.execute(query if case is None else query.where(table.case == case)):
            said, stream = told.answers.pop(row.id, ("", f"case/{row.case}"))
            if stream != f"case/{row.case}" or _committed(row.salt, row.text, as_json=table is Submission) != said:
                verdict.flaw(
                    stream,
                    f"答复 {row.id} 与轨迹中的承诺值不符",
                    f"the answer {row.id} is not the one the trail is committed to",
                )
    for owner, identity in personal.broken(work, case):
        verdict.flaw(
            f"case/{owner}",
            f"答复 {identity} 的个人信息与承诺值不符",
            f"personal values of the answer {identity} are not those it is committed to",
        )
    for identity, (_, stream) in told.answers.items():
        verdict.flaw(
            stream, f"轨迹提到的答复 {identity} 不见了", f"the answer {identity} that the trail tells of is gone"
        )


def _committed(salt: str, text: str, *, as_json: bool) -> str | None:
    """The commitment to a stored answer; None where it is no longer one."""
    try:
        return committed(salt, canonical_body(json.loads(text) if as_json else text))
    except (ValueError, TypeError):
        return None


def check_documents(work: Work, case: str | None, told: Told, verdict: Verdict) -> None:
    """Every document is told of in its case and has the content it had then, and none that was told of is gone."""
    at = work.as_stored(Document.at).label("at")
    columns = (Document.id, Document.case, Document.sha256, Document.sealed, Document.uploaded_by, at)
    query = select(*columns, DocumentContent.content).join(
        DocumentContent, DocumentContent.sha256 == Document.sha256, isouter=True
    )
    query = query.execution_options(yield_per=10)
    erasures = personal.erased(work)
    for found in work.db.execute(query if case is None else query.where(Document.case == case)).mappings():
        verdict.documents += 1
        row = dict(found)
        home = f"case/{row['case']}"
        said, stream, private = told.documents.pop(row["id"], ("", home, {}))
        same = row["case"] is None or (said, stream, private.get("ref")) == (row["sha256"], home, row["sealed"])
        if not same or not documents.sound(work, row, private.get("commit", ""), erasures):
            verdict.flaw(
                stream,
                f"文件 {row['id']} 的内容不是原来的内容",
                f"the content of document {row['id']} is not what was attached",
            )
    for identity, (_, stream, _) in told.documents.items():
        verdict.flaw(
            stream, f"轨迹提到的文件 {identity} 不见了", f"the document {identity} that the trail tells of is gone"
        )


# Register records.


def check_records(work: Work, case: str | None, told: Told, verdict: Verdict) -> None:
    """Every register record is the one its trail is committed to. Of those of before, at least none came or went."""
    older: Counter[tuple[str, str]] = Counter()
    for row in stored(work, RegisterRecord, (*OF_A_RECORD, "id", "salt"), case):
        said, stream = told.records.pop(row["id"], (None, f"case/{row['case']}"))
        if said is None and row["salt"] is None:
            older[stream, row["register"]] += 1
        elif said is None or not fits(said, row, OF_A_RECORD):
            where = f"{row['register']}/{row['key']}#{row['version']}"
            verdict.flaw(
                stream,
                f"台账记录 {where} 不是轨迹承诺的内容",
                f"the register record {where} is not the one the trail is committed to",
            )
    for identity, (_, stream) in told.records.items():
        verdict.flaw(
            stream,
            f"轨迹提到的台账记录 {identity} 不见了",
            f"the register record {identity} that the trail tells of is gone",
        )
    for stream, register in sorted(older.keys() | told.unnamed.keys()):
        if older[stream, register] != told.unnamed[stream, register]:
            verdict.flaw(
                stream,
                f"台账 {register} 的记录多于或少于轨迹所载",
                f"the register {register} has more or fewer records than the trail tells of",
            )
    verdict.note(
        older.total(),
        "条台账记录早于承诺值，其内容不能核对",
        "register records are older than commitments: their values cannot be compared",
    )
