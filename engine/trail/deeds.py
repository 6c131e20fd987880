"""Which events are deeds that oversight searches by, and what of their bodies it asks for. From the body alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.access import bars
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
