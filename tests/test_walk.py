"""Random walks of the shipped processes on the real engine: they end or wait, lose no token, and reach everything."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select

from engine import definitions, demo, inbox, people
from engine.desk import Desk
from engine.library import Library
from engine.model import Timer
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from tests.conftest import NewDatabase

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
LIBRARY = Library.standing()
ADOPTING = "policy_adoption"
WALKS = {"register_account": 50, "achievement_registration": 100, ADOPTING: 60}
PROCESSES = sorted(demo.startable(LIBRARY), key=lambda name: (name == ADOPTING, name))


@pytest.fixture
def stage(new_database: NewDatabase) -> Iterator[tuple[Database, SetClock]]:
    clock = SetClock(BEGIN)
    database = Database(new_database("sqlite"), clock)
    with database.work(SYSTEM) as work:
        demo.add_people(work)
        for number in range(40):  # bold experts declare interests; panels must still come together
            people.add(work, f"expert-{number}", f"评审专家{number}", ["expert"])
    demo.register_accounts(database)
    yield database, clock
    database.close()


def test_walks_end_or_wait_lose_no_token_and_reach_every_task_and_end(
    stage: tuple[Database, SetClock], deep: bool
) -> None:
    database, clock = stage
    scenarios = demo.startable(LIBRARY)
    tasks: dict[str, set[str]] = {}
    ends: dict[str, set[str]] = {}
    for process in PROCESSES:
        adopting = process == ADOPTING  # what one case adopts counts for those after it: they come last, one by one
        walker = Walker(database, clock, random.Random(0), messages=0.3 if adopting else 0.03)
        clock.instant = BEGIN
        for seed in range(2000 if deep else WALKS.get(process, 500)):
            walker.random, clock.instant = random.Random(seed), clock.instant if adopting else BEGIN
            case = walker.start(process, () if adopting else scenarios[process])
            stands = walker.walk(case, 80)
            assert stands != "waiting", f"seed {seed}: nobody can move the case of {process}"
            look_through(database, case, tasks, ends)
    for process in PROCESSES:
        with database.look(SYSTEM) as work:
            contents = definitions.current(work, process).contents
        for name, each in contents.items():
            elements = each.diagram.elements.values()
            missing = {element.id for element in elements if element.type == "userTask"} - tasks[name]
            assert missing == set(), f"{process}: no walk came to these tasks of {name}"
            missing = {element.id for element in elements if element.type == "endEvent"} - ends[name]
            assert missing == set(), f"{process}: no walk came to these ends of {name}"
    with database.look(SYSTEM) as work:
        assert verify(work).intact


def look_through(
    database: Database, case: str, tasks: dict[str, set[str]] | None = None, ends: dict[str, set[str]] | None = None
) -> set[str]:
    """The invariants of one case; gives the end events it came to. ``tasks`` and ``ends`` collect, by process, those
    that were opened and reached.
    """
    with database.look(SYSTEM) as work:
        row = inbox.case(work, case)
        shown = {item["token"] for item in inbox.items_of(work, case) if item["closed_at"] is None}
        timers = set(work.db.execute(select(Timer.token).where(Timer.case == case)).scalars())
        desk = Desk.thawed(work, row)
        live = {task.id for task in desk.instance.items()}
        due = {each.token for each in desk.instance.waiting() if each.due is not None}
        events = inbox.events(work, case)
    assert shown == live, "the inbox shows other work items than the case has"
    assert timers == due, "the table of timers differs from those of the case"
    if row["status"] == "closed":
        assert not live
        assert not due
    else:
        assert live or due or desk.instance.waiting()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    times = [json.loads(event["body"])["ts"] for event in events]
    assert times == sorted(times)
    for kind, found in (("task.opened", tasks), ("end.reached", ends)):
        for event in events if found is not None else ():
            process = json.loads(event["body"])["process"]
            if event["kind"] == kind and found is not None:
                found.setdefault(process.get("called", process["key"]), set()).add(str(event["element"]))
    return {str(event["element"]) for event in events if event["kind"] == "end.reached"}
