"""Which events are deeds, what of their bodies oversight searches by, and whether what is kept of them still agrees."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from engine.access import bars
from engine.model import Deed, Event
from engine.work import Work
from forms.words import Text

ATTEMPTS = "sys/attempts"
"""The stream of refused attempts from which no case came."""

ACTS = frozenset({
    "case.started", "case.withdrawn", "case.suspended", "case.resumed", "case.migrated", "task.claimed",
    "task.released", "task.reassigned", "task.completed", "message.sent", "evidence.added", "answer.corrected",
    "document.attached", "comment.added", "attempt.refused", "incident.raised", "incident.retried", "skip.proposed",
    "step.skipped", "variable.corrected", "deadline.passed",
})  # fmt: skip
"""Kinds of events in which somebody did something, or the clock told on somebody."""
RESTING = frozenset({
    "step.passed", "decision.made", "gateway.taken", "timer.fired", "message.received", "message.thrown",
    "signal.caught", "end.reached",
})  # fmt: skip
"""Kinds of events that happen by themselves, and are searched for where a clause stands behind them."""

MARKED: Mapping[str, str] = {
    "deadline.passed": "overran", "evidence.added": "late", "attempt.refused": "refused", "step.skipped": "skipped",
    "variable.corrected": "corrected", "task.reassigned": "reassigned", "case.migrated": "migrated",
    "answer.corrected": "amended", "case.suspended": "suspended", "incident.raised": "incident",
}  # fmt: skip
"""Kinds of events that carry a mark whatever they tell."""
REASONS = ("recusal", "four_eyes")
"""Reasons of a refusal that are marks of their own."""

MARKS: Mapping[str, Text] = {
    "overran": Text("超期", "Overrun"),
    "late": Text("补录", "Late entry"),
    "gap": Text("缺项", "Gap"),
    "amended": Text("更正填报", "Answer corrected"),
    "refused": Text("操作被拒", "Attempt refused"),
    "recusal": Text("应回避而被拒", "Refused: recusal"),
    "four_eyes": Text("不能复核自己而被拒", "Refused: four eyes"),
    "skipped": Text("跳过步骤", "Step skipped"),
    "corrected": Text("更正变量", "Variable corrected"),
    "reassigned": Text("改派", "Reassigned"),
    "migrated": Text("迁移版本", "Migrated"),
    "suspended": Text("中止", "Suspended"),
    "incident": Text("异常", "Incident"),
}
"""What compliance officers look for, in words."""
OVERRIDES = ("skipped", "corrected", "reassigned", "migrated")
"""Marks of what an administrator or owner did beside the course that is drawn."""


def deed_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What of an event is searched by, as the columns of a deed but ``at``; None where it is no deed."""
    stream, kind = str(body.get("stream")), str(body.get("type"))
    if kind not in ACTS | RESTING or not (stream.startswith("case/") or stream == ATTEMPTS):
        return None
    data, actor, process = (_record(body.get(name)) for name in ("data", "actor", "process"))
    if kind in RESTING and not data.get("basis"):
        return None
    return {
        "stream": stream,
        "seq": body.get("seq"),
        "kind": kind,
        "actor": actor.get("id"),
        "behalf": actor.get("on_behalf_of"),
        "process": process.get("key"),
        "role": actor.get("role") or None,
        "basis": data.get("basis") or None,
        "marks": bars(_marks(kind, data)) or None,
    }


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _marks(kind: str, data: Mapping[str, Any]) -> list[str]:
    """The marks of an event, in the order of ``MARKS``."""
    found = {MARKED.get(kind)}
    if data.get("overdue_days"):
        found.add("overran")
    if data.get("late"):
        found.add("late")
    if data.get("gaps") or data.get("missing"):
        found.add("gap")
    if kind == "attempt.refused":
        reasons = data.get("reasons")
        found.update(each for each in REASONS if isinstance(reasons, list) and each in reasons)
    return [each for each in MARKS if each in found]


# What is kept of them, beside what the events tell.

TOLD = ("kind", "actor", "behalf", "process", "role", "basis", "marks")
AT_ONCE = 1_000


def beside(query: Select[*tuple[Any, ...]], work: Work) -> Select[*tuple[Any, ...]]:
    """A query of events with the columns of their deeds, for ``agrees``."""
    kept = [getattr(Deed, name).label(f"deed_{name}") for name in TOLD]
    return query.add_columns(*kept, work.as_stored(Deed.at).label("deed_at")).outerjoin(Deed, _same())


def _same() -> ColumnElement[bool]:
    return (Deed.stream == Event.stream) & (Deed.seq == Event.seq)


def agrees(row: Any, body: Mapping[str, Any]) -> bool:
    """Whether what is kept of an event (a row of ``beside``) is what its body says."""
    said = deed_of(body)
    if said is None:
        return row.deed_kind is None
    return row.deed_at == row.at and all(getattr(row, f"deed_{name}") == said[name] for name in TOLD)


def strays(work: Work, stream: str | None = None) -> Iterator[tuple[str, int]]:
    """Where a deed is kept of an event that there is not, in one stream or in all."""
    query = select(Deed.stream, Deed.seq).outerjoin(Event, _same()).where(Event.seq.is_(None))
    for row in work.db.execute(query if stream is None else query.where(Deed.stream == stream)):
        yield row.stream, row.seq


def catch_up(work: Work) -> bool:
    """Keep the deeds of a database whose events were written before deeds were; False where there are some or none."""
    kinds = sorted(ACTS | RESTING)
    if work.row(select(Deed.seq).limit(1)) or not work.row(select(Event.seq).where(Event.kind.in_(kinds)).limit(1)):
        return False
    query = select(Event.stream, Event.seq, Event.at, Event.body).where(Event.kind.in_(kinds))
    query = query.order_by(Event.stream, Event.seq)
    events = iter(work.db.execute(query.execution_options(yield_per=AT_ONCE)))
    while some := list(islice(events, AT_ONCE)):
        if found := [deed for row in some if (deed := _of_row(row))]:
            work.add(Deed, *found)
    return True


def _of_row(row: Any) -> dict[str, Any] | None:
    try:
        body = json.loads(row.body)
    except ValueError:  # whoever verifies the trail is told
        return None
    deed = deed_of(body) if isinstance(body, dict) else None
    return deed and {**deed, "stream": row.stream, "seq": row.seq, "at": row.at}
