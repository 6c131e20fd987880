"""Recomputes the trail of this database: every hash, every link, every projection.

What events tell of other tables is for ``agreeing`` (what belongs to cases) and ``institution`` (the rest) to compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from engine.instant import INSTANT_FORMAT
from engine.model import CaseFile, Event, Setting, Stream
from engine.trail.agreeing import check_answers, check_cases, check_documents, check_records
from engine.trail.deeds import agrees, beside, strays
from engine.trail.institution import check_institution
from engine.trail.offline import GENESIS
from engine.trail.record import canonical_body, event_hash
from engine.trail.told import Told
from engine.trail.verdict import Verdict
from engine.work import Work


def strict_json(text: str) -> Any:
    """Parse a body; a repeated key or a float is refused, because two readers could read it differently."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in found}) != len(found):
            raise ValueError("a key is repeated")
        return dict(found)

    def no_float(text: str) -> Any:
        raise ValueError(f"{text} is not an integer")

    return json.loads(text, object_pairs_hook=pairs, parse_float=no_float, parse_constant=no_float)


def verify(work: Work, case: str | None = None) -> Verdict:
    """Verify one case (by id) or, without one, every stream there is and all that its events tell of."""
    log = work.db.execute(select(Setting.value).where(Setting.name == "log")).scalar_one()
    verdict, told = Verdict(), Told(log)
    heads = dict(_heads(work, case))
    at = work.as_stored(Event.at).label("at")
    columns = (Event.stream, Event.seq, Event.kind, Event.actor, Event.element, at, Event.body, Event.hash)
    query = beside(select(*columns), work).order_by(Event.stream, Event.seq).execution_options(yield_per=2000)
    for row in work.db.execute(query if case is None else query.where(Event.stream == f"case/{case}")):
        _check_event(row, told, verdict)
    for stream, (seq, head) in heads.items():
        if told.ends.get(stream, (0, GENESIS))[:2] != (seq, head):
            verdict.flaw(
                stream,
                "台账记载的末尾与轨迹不符：有记录被删除或添加",
                "the trail does not end where the case says it does: events were removed or added",
            )
    for stream in told.ends.keys() - heads.keys():
        verdict.flaw(stream, "轨迹没有对应的案卷", "there is a trail but no case or stream it belongs to")
    for stream, seq in strays(work, case and f"case/{case}"):
        verdict.flaw(stream, "检索用的记录没有对应的事件", "what is searched by tells of no event", seq)
    verdict.streams = len(told.ends)
    check_cases(work, case, told, verdict)
    check_answers(work, case, told, verdict)
    check_documents(work, case, told, verdict)
    check_records(work, case, told, verdict)
    if case is None:
        check_institution(work, told, verdict)
    return verdict


def _heads(work: Work, case: str | None) -> Iterator[tuple[str, tuple[int, str]]]:
    cases = select(CaseFile.id, CaseFile.seq, CaseFile.head)
    for row in work.db.execute(cases if case is None else cases.where(CaseFile.id == case)):
        yield f"case/{row.id}", (row.seq, row.head)
    if case is None:
        for other in work.db.execute(select(Stream.name, Stream.seq, Stream.head)):
            yield other.name, (other.seq, other.head)


def _check_event(row: Any, told: Told, verdict: Verdict) -> None:
    verdict.events += 1
    seq, head, before = told.ends.get(row.stream, (0, GENESIS, ""))
    told.ends[row.stream] = (row.seq, row.hash, before)

    def flaw(zh: str, en: str) -> None:
        verdict.flaw(row.stream, zh, en, row.seq)

    try:
        body = strict_json(row.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or canonical_body(body) != row.body:
        flaw("正文不是规范的 JSON", "the body is not canonical JSON")
    if event_hash(row.body) != row.hash:
        flaw("正文被改动：哈希不符", "the body was changed: its hash differs")
    if not isinstance(body, dict):
        return
    if row.seq != seq + 1 or body.get("prev") != head:
        flaw(
            "与上一条不相接：有记录被删除、插入或调换",
            "it does not follow the event before it: events were removed, inserted or reordered",
        )
    if _repeated(body) != _columns(row, told.log):
        flaw("索引列与正文不符", "a column differs from the body it repeats")
    if not agrees(row, body):
        flaw("检索用的记录与正文不符", "what is searched by differs from the body")
    moment = str(body.get("ts"))
    if moment < before:
        flaw("时间早于上一条", "it is earlier than the event before it")
    told.ends[row.stream] = (row.seq, row.hash, moment)
    told.hear(body, row.stream)


def _repeated(body: dict[str, Any]) -> dict[str, Any]:
    """What the body says of itself that its columns repeat."""
    actor, process = body.get("actor"), body.get("process")
    return {
        **{key: body.get(key) for key in ("log", "stream", "seq", "type", "ts")},
        "actor": actor.get("id") if isinstance(actor, dict) else None,
        "element": process.get("element") if isinstance(process, dict) else None,
    }


def _columns(row: Any, log: str) -> dict[str, Any]:
    """The same by the columns; every event of a database is of its one log."""
    at = row.at if isinstance(row.at, str) else row.at.strftime(INSTANT_FORMAT)
    event = {"log": log, "stream": row.stream, "seq": row.seq, "type": row.kind, "ts": at}
    return event | {"actor": row.actor, "element": row.element}
