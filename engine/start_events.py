"""Start events that wait for something: which stand in the newest version of each process, and what they wait for.

A new version takes over from the one before it: a start event whose trigger stayed the same goes on counting where it
was, any other begins to wait with the deployment. What comes of it when the time is there is for ``beginnings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from bpmn.diagram import Element, Event
from bpmn.durations import Cycle, parse_cycle
from bpmn.starts import event_starts
from bpmn.work_items import ANYONE
from engine import calendar, parameter_sets
from engine.errors import Incident, NotFound, Unusable
from engine.model import StartEvent, table
from engine.people import standing as standing_of
from engine.runtime.specs import attribute
from engine.work import Work
from engine.worldly import functions
from forms.expressions import Expression, ExpressionError, compile_expression
from forms.values import PersonRef, Value
from forms.words import Finding, Text, Unfit

if TYPE_CHECKING:
    from engine.definitions import Deployed

_starts = table(StartEvent).c


# What stands in a version.


def settle(work: Work, deployed: Deployed) -> None:
    """Let the start events of a version that was just deployed wait, instead of those of the version before it.

    Unfit: the instant of a timer cannot be computed.
    """
    here = _starts.process == deployed.process
    before = {row["element"]: row for row in work.rows(select(*_starts).where(here).with_for_update())}
    work.db.execute(delete(StartEvent).where(here))
    rows = [_standing(work, deployed, each, before.get(each.id)) for each in event_starts(deployed.diagram)]
    if rows:
        work.add(StartEvent, *rows)


def _standing(work: Work, deployed: Deployed, element: Element, before: Mapping[str, Any] | None) -> dict[str, Any]:
    event = element.event
    assert event is not None
    trigger = f"{event.form or ''} {event.expression or event.name or ''}".strip()
    row: dict[str, Any] = {
        "process": deployed.process,
        "element": element.id,
        "definition": deployed.id,
        "kind": event.kind,
        "name": event.name,
        "trigger": trigger,
        "zh": None,
        "en": None,
    }
    if before is not None and (before["kind"], before["trigger"]) == (event.kind, trigger):
        return row | {name: before[name] for name in ("since", "due", "times", "held")}
    row |= {"since": work.now, "due": None, "times": 1, "held": False}
    if event.kind == "timer":
        try:
            row["due"] = _first(work, event)
        except (Incident, ExpressionError) as error:
            zh = f"开始时刻无法计算（{error.text.zh}）：请改正 timeDate"
            en = f"the instant at which it starts cannot be computed ({error.text.en}): correct its timeDate"
            raise Unfit([Finding("timer", deployed.diagram.file, element.line, element.id, Text(zh, en))]) from error
    return row


def _first(work: Work, event: Event) -> datetime | None:
    cycle = cycle_of(event)
    if cycle is not None:
        return calendar.occurrence(work.now, cycle.period, 1)
    value: Value = event.expression
    if event.form == "date":
        value = value_without_case(work, compile_expression(event.expression or ""))
    return calendar.moment(work.now, event.form or "date", value, calendar.calendar_of(work, calendar.newest(work)))


def cycle_of(event: Event) -> Cycle | None:
    """The cycle of a timer; None of one that comes once."""
    return parse_cycle(event.expression or "") if event.form == "cycle" else None


def value_without_case(work: Work, expression: Expression) -> Value:
    """The value of an expression while there is no case."""
    days = calendar.calendar_of(work, calendar.newest(work))
    params = dict(parameter_sets.values(work, parameter_sets.in_force(work)))
    return expression.value({"params": params, "today": work.today}, functions(work, days))


# Messages.


def awaited(work: Work, message: str, process: str | None) -> dict[str, Any]:
    """The start event that waits for this message. NotFound; Unusable where several processes have one."""
    query = select(*_starts).where(_starts.kind == "message", _starts.name == message).order_by(_starts.process)
    found = [row for row in work.rows(query) if process in (None, row["process"])]
    if not found:
        raise NotFound(f"没有流程由消息“{message}”开始", f"no process is started by a message {message!r}")
    if len(found) > 1:
        names = [row["process"] for row in found]
        raise Unusable(
            f"有几个流程由“{message}”开始：{'、'.join(names)}；请写明是哪一个",
            f"several processes are started by {message!r}: {', '.join(names)}; say which one",
        )
    return found[0]


def may_send(work: Work, deployed: Deployed, element: str) -> bool:
    """Whether the actor may start a case by the message of this start event (its ``policy:sender``)."""
    said = attribute(deployed.diagram.elements[element], "sender")
    if isinstance(said, Expression):
        value = value_without_case(work, said)
        found = value if isinstance(value, list) else [] if value is None else [value]
        allowed = {each.id if isinstance(each, PersonRef) else str(each) for each in found}
    else:
        allowed = set(said)
    return bool({work.actor, ANYONE, *standing_of(work, work.actor).roles} & allowed)


def of_messages(work: Work) -> list[dict[str, Any]]:
    """The start events that wait for a message, by process."""
    query = select(*_starts).where(_starts.kind == "message")
    return work.rows(query.order_by(_starts.process, _starts.element))


def standing(work: Work, process: str | None = None) -> list[dict[str, Any]]:
    """The start events that wait, of one process or all, with when they come next and what stands in their way."""
    query = select(*_starts).order_by(_starts.process, _starts.element)
    return work.rows(query if process is None else query.where(_starts.process == process))
