"""The clock's other hand: starts a case whenever a start event has come that waits for an instant, condition or signal.

Each coming starts one case in a transaction of its own, exactly once however many workers look; what a worker that was
away has missed is made up for in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select, update

from bpmn.diagram import Event
from bpmn.durations import Cycle
from engine import calendar, definitions, signals
from engine.errors import Incident, Refusal
from engine.model import Delivery, StartEvent, table
from engine.start_events import cycle_of, value_without_case
from engine.starting import by_itself
from engine.trail.record import tell
from engine.work import CLOCK, Database, Work
from forms.expressions import ExpressionError, compile_expression
from forms.words import Text

log = logging.getLogger("liuhen.worker")

MOST_MISSED = 1_000
"""How many missed times of one start event are made up for; what is older is told as missed and starts nothing."""
STREAM = "sys/starts"
Row = dict[str, Any]
_starts = table(StartEvent).c


def run(database: Database) -> int:
    """Start the cases whose time has come or whose condition has begun to hold; gives how many."""
    with database.look(CLOCK) as work:
        due = work.rows(select(*_starts).where(_starts.due <= work.now).order_by(_starts.due, _starts.process))
        conditions = work.rows(select(*_starts).where(_starts.kind == "conditional").order_by(_starts.process))
        changed = [row for row in conditions if _differs(row, _found(work, row))]
    started = 0
    for row in due:
        while _with(database, row, _fire):
            started += 1
    return started + sum(_with(database, row, _look) for row in changed)


def _with(database: Database, row: Row, act: Callable[[Work, Row], bool]) -> bool:
    """Do this with a start event, locked and read again, unless somebody else has it; a failure holds up no other."""
    here = (_starts.process == row["process"], _starts.element == row["element"])
    locked = select(*_starts).where(*here).with_for_update(skip_locked=True)
    try:
        with database.work(CLOCK) as work:
            found = work.row(locked)
            return found is not None and act(work, found)
    except Refusal as refusal:
        log.warning("the start event %s of %s started no case: %s", row["element"], row["process"], refusal)
        with database.work(CLOCK) as work:
            found = work.row(locked)
            if found is not None:
                _fail(work, found, refusal.text)
    except Exception:
        log.exception("the start event %s of %s started no case", row["element"], row["process"])
    return False


def _fail(work: Work, row: Row, why: Text) -> None:
    """Keep why a start event cannot start a case, and tell it once."""
    if row["zh"] != why.zh:
        _update(work, row, zh=why.zh, en=why.en)
        told = {"process": row["process"], "element": row["element"], "zh": why.zh, "en": why.en}
        tell(work, STREAM, "start.failed", told)


def _update(work: Work, row: Mapping[str, Any], **values: Any) -> None:
    here = (_starts.process == row["process"], _starts.element == row["element"])
    work.db.execute(update(StartEvent).where(*here).values(**values))


def _event(work: Work, row: Row) -> Event:
    event = definitions.deployed(work, row["definition"]).diagram.elements[row["element"]].event
    assert event is not None
    return event


# Instants.


def _fire(work: Work, row: Row) -> bool:
    """Start the case of one time that has come, and count on to the next."""
    if row["due"] is None or row["due"] > work.now:
        return False
    cycle = cycle_of(_event(work, row))
    if cycle is not None:
        _pass_over(work, row, cycle)
    next_due, times = None, row["times"] + 1
    if cycle is not None and (cycle.times is None or times <= cycle.times):
        next_due = calendar.occurrence(row["since"], cycle.period, times)
    _update(work, row, due=next_due, times=times, zh=None, en=None)
    by_itself(work, row["definition"], row["element"], "timer.fired", {"due": row["due"].isoformat()})
    return True


def _pass_over(work: Work, row: Row, cycle: Cycle) -> None:
    """Of more missed times than are made up for, pass over the oldest, and tell it."""
    first = _times_until(work, row, cycle) - MOST_MISSED + 1
    if first > row["times"]:
        told = {"process": row["process"], "element": row["element"], "missed": first - row["times"]}
        row |= {"times": first, "due": calendar.occurrence(row["since"], cycle.period, first)}
        tell(work, STREAM, "start.missed", told | {"next": row["due"].isoformat()})


def _times_until(work: Work, row: Row, cycle: Cycle) -> int:
    """How often a cycle has come until now."""

    def has_come(times: int) -> bool:
        return calendar.occurrence(row["since"], cycle.period, times) <= work.now

    come, beyond = int(row["times"]), int(row["times"]) + 1
    while has_come(beyond):
        come, beyond = beyond, beyond * 2
    while beyond - come > 1:
        between = (come + beyond) // 2
        come, beyond = (between, beyond) if has_come(between) else (come, between)
    return come if cycle.times is None else min(come, cycle.times)


# Conditions.


def _found(work: Work, row: Row) -> tuple[bool, Text | None]:
    """Whether a condition holds now; where that cannot be said, as it was, and why."""
    try:
        value = value_without_case(work, compile_expression(_event(work, row).expression or ""))
    except (ExpressionError, Incident) as error:
        return row["held"], error.text
    if isinstance(value, bool):
        return value, None
    zh, en = f"条件应得到真或假，实际为 {value!r}", f"a condition must be true or false, but is {value!r}"
    return row["held"], Text(zh, en)


def _differs(row: Row, found: tuple[bool, Text | None]) -> bool:
    """Whether this look at a condition finds something else than the look before it."""
    holds, why = found
    return (holds, why.zh if why else None) != (row["held"], row["zh"])


def _look(work: Work, row: Row) -> bool:
    """Start a case when a condition has begun to hold, and keep what was found."""
    holds, why = _found(work, row)
    if why is not None:
        _fail(work, row, why)
        return False
    _update(work, row, held=holds, zh=None, en=None)
    if holds and not row["held"]:
        expression = _event(work, row).expression
        by_itself(work, row["definition"], row["element"], "condition.met", {"expression": expression})
        return True
    return False


# Signals.


def hear(database: Database) -> int:
    """Start the cases that signals on their way to start events are to start, in order; gives how many."""
    started = 0
    while True:
        with database.look(CLOCK) as work:
            first = func.min(Delivery.number)
            query = select(Delivery.definition, Delivery.element, first).where(Delivery.definition.is_not(None))
            waiting = work.rows(query.group_by(Delivery.definition, Delivery.element).order_by(first))
        done = sum(_hear(database, row["definition"], row["element"]) for row in waiting)
        started += done
        if not done:
            return started


def _hear(database: Database, definition: str, element: str) -> int:
    """Let the first of the signals on their way to a start event start its case, unless somebody else has it."""
    query = select(*table(Delivery).c).where(Delivery.definition == definition, Delivery.element == element)
    try:
        with database.work(CLOCK) as work:
            row = work.row(query.order_by(Delivery.number).limit(1).with_for_update())
            if row is None:
                return 0
            signals.removed(work, row["id"])
            work.memory[signals.GENERATION] = row["generation"]
            about = {"signal": row["signal"], "source": row["source"]}
            by_itself(work, definition, element, "signal.caught", about)
            return 1
    except Exception:
        log.exception("the signal start %s started no case", element)
    return 0
