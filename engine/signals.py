"""Signals between cases: who waits for one, who is to hear one that was thrown, and how it comes to them.

Inside the case that throws it a signal is heard at once. Every other case that waits for it at that moment, and every
start event that does, has a row written with the throw; the clock delivers each exactly once, in the order of the
throws, and whoever acts on such a case lets what is on its way arrive first.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from engine import definitions
from engine.errors import Incident, NotFound, NotYours
from engine.model import Counter, Delivery, Listener, StartEvent
from engine.people import name_of, standing
from engine.requests import recall, remember
from engine.runtime.happenings import Happening
from engine.runtime.instance import Instance
from engine.trail.record import tell
from engine.work import Work

if TYPE_CHECKING:
    from engine.desk import Desk

SENDERS = frozenset({"process_owner", "sysadmin"})
"""Roles that may send a signal from outside: it moves every case that waits for it."""
MOST_GENERATIONS = 100
"""How many signals may lead to one another while nobody does anything."""
GENERATION = "signal generation"
SERIES = "signal"


def note(desk: Desk, happening: Happening) -> None:
    """A signal was thrown in this act: it goes out when the case is put back.

    Incident: it is one of a chain of signals in which cases answer each other without end.
    """
    generation = desk.work.memory.get(GENERATION, 0)
    if generation >= MOST_GENERATIONS:
        name = happening.about["signal"]
        raise Incident(
            f"信号“{name}”已是接连引发的第 {MOST_GENERATIONS} 个：几个流程用信号互相应答，永不停止",
            f"the signal {name!r} is the {MOST_GENERATIONS}th that led to another: processes answer each other by "
            "signals without end",
            element=happening.element,
        )
    desk.thrown.append((str(happening.about["signal"]), generation + 1))


def send_on(desk: Desk) -> None:
    """Put what the case has thrown on its way to every other case and start event that waits for it now."""
    thrown, desk.thrown = desk.thrown, []
    for name, generation in thrown:
        _scatter(desk.work, name, desk.row["id"], generation)


def send(work: Work, name: str) -> int:
    """Send a signal from outside; gives how many cases and start events are to hear it.

    NotYours: only process owners and system administrators may. NotFound: nothing deployed ever waits for it.
    """
    again = recall(work)
    if again is not None:
        return int(again)
    if not standing(work, work.actor).roles & SENDERS:
        who = name_of(work, work.actor)
        raise NotYours(
            f"{who}不是流程负责人或系统管理员，不能发出信号",
            f"{who} is neither a process owner nor a system administrator and may not send signals",
            ("role",),
            process=name,
            verb="signal",
        )
    reached = _scatter(work, name, None, 1)
    if not reached and not _known(work, name):
        raise NotFound(f"没有流程等待信号“{name}”", f"no process waits for a signal {name!r}")
    tell(work, "sys/signals", "signal.sent", {"signal": name, "reached": reached})
    remember(work, str(reached))
    return reached


def _known(work: Work, name: str) -> bool:
    """Whether a version in force has an event that waits for this signal."""
    return any(
        element.event is not None and (element.event.kind, element.event.name) == ("signal", name)
        for row in definitions.in_force(work)
        for element in definitions.deployed(work, row.id).diagram.elements.values()
    )


def _scatter(work: Work, name: str, source: str | None, generation: int) -> int:
    query = select(Listener.case, Listener.first).where(Listener.signal == name).distinct()
    cases = work.rows(query if source is None else query.where(Listener.case != source))
    waiting = select(StartEvent.definition, StartEvent.element).where(
        StartEvent.kind == "signal", StartEvent.name == name
    )
    reached = [*cases, *work.rows(waiting)]
    if reached:
        said = {"number": _next(work), "signal": name, "source": source, "at": work.now, "generation": generation}
        nobody = {"case": None, "first": None, "definition": None, "element": None}
        work.add(Delivery, *[{"id": uuid.uuid4().hex, **said, **nobody, **each} for each in reached])
    return len(reached)


def _next(work: Work) -> int:
    """The next number: who draws one holds the row until the act is over, so signals are heard as they were thrown."""
    insert = sqlite.insert(Counter) if work.database.sqlite else postgresql.insert(Counter)
    drawn = insert.values(series=SERIES, value=1).on_conflict_do_update(
        index_elements=["series"], set_={"value": Counter.value + 1}
    )
    return int(work.db.execute(drawn.returning(Counter.value)).scalar_one())


# In the case that hears.


def keep_listeners(desk: Desk) -> None:
    """Keep for which signals the case waits now."""
    case, before = desk.row["id"], desk.listening
    after = {} if desk.instance.ended else desk.instance.listening()
    if gone := [token for token in before if after.get(token) != before[token]]:
        desk.work.db.execute(delete(Listener).where(Listener.case == case, Listener.token.in_(gone)))
    new = [(token, *heard) for token, heard in after.items() if before.get(token) != heard]
    if new:
        rows = [{"case": case, "token": token, "first": first, "signal": name} for token, first, name in new]
        desk.work.add(Listener, *rows)
    desk.listening = after


def on_their_way(desk: Desk) -> list[dict[str, Any]]:
    """The signals that are to come to this case, in the order in which they were thrown."""
    query = select(*Delivery.__table__.columns).where(Delivery.case == desk.row["id"])
    return desk.work.rows(query.order_by(Delivery.number, Delivery.first))


def arrive(desk: Desk, delivery: dict[str, Any]) -> None:
    """Let a signal come to the event that waited for it when it was thrown, if that still waits."""
    removed(desk.work, delivery["id"])
    memory = desk.work.memory
    before, memory[GENERATION] = memory.get(GENERATION, 0), delivery["generation"]
    try:
        signal, first = delivery["signal"], delivery["first"]
        desk.move(partial(Instance.hear, signal=signal, first=first, source=delivery["source"]))
    finally:
        memory[GENERATION] = before


def removed(work: Work, delivery: str) -> None:
    """This signal has come, or nobody waits for it any more."""
    work.db.execute(delete(Delivery).where(Delivery.id == delivery))
