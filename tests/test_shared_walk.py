"""Random walks through the shared processes, called by small ones: whatever happens, every task and end is reached."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from engine import definitions, demo
from engine.library import Library
from engine.scenario_file import read_scenario
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from tests.conftest import NewDatabase
from tests.office import PACKAGES, package
from tests.test_walk import look_through

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
# No walk withdraws a case; the worked cases do.
WITHDRAWN = {"notice_cancelled", "nothing_posted"}

# Whoever lists no facts is asked for none.
ASKING = {"evidencing": [read_scenario((PACKAGES / "evidencing/scenarios/missing.yaml").read_text(), "missing.yaml")]}


@pytest.mark.parametrize(
    ("caller", "called"),
    [
        ("deciding", "sub_collective_decision"),
        ("publicising", "sub_publicity_objection"),
        ("evidencing", "sub_evidence_checkpoint"),
    ],
)
def test_walks_through_a_shared_process_end_or_wait_and_reach_every_task_and_end(
    caller: str, called: str, new_database: NewDatabase, deep: bool
) -> None:
    clock = SetClock(BEGIN)
    database = Database(new_database("sqlite"), clock)
    with database.work(SYSTEM) as work:
        definitions.deploy(work, package(caller), Library.standing().vocabulary())
        demo.add_people(work)
    tasks: dict[str, set[str]] = {}
    ends: dict[str, set[str]] = {}
    walker = Walker(database, clock, random.Random(0), messages=0.3)
    for seed in range(400 if deep else 40):
        walker.random, clock.instant = random.Random(seed), BEGIN
        case = walker.start(caller, ASKING.get(caller, ()))
        stands = walker.walk(case, 60)
        assert stands != "waiting", f"seed {seed}: nobody can move the case"
        look_through(database, case, tasks, ends)
    with database.look(SYSTEM) as work:
        elements = definitions.current(work, called).diagram.elements.values()
        assert verify(work).intact
    database.close()
    assert {element.id for element in elements if element.type == "userTask"} == tasks[called]
    assert {element.id for element in elements if element.type == "endEvent"} - WITHDRAWN == ends[called]
