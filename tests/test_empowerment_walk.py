"""Random walks of 先赋权后行权 on the real engine: they end or wait, lose no token, and reach every task and every end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from engine import cases, definitions, demo, people, registers
from engine.filling import filled
from engine.library import Library
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from tests.conftest import NewDatabase
from tests.test_walk import look_through

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
PROCESS = "empower_then_exercise"
WALKS = 160
# What is applied for, how boldly it is answered and how often somebody sends a message or time goes by, in turn.
SCOPES: tuple[Mapping[str, Any], ...] = (
    {"empower_scope": "use_right", "exercise_model": True},
    {"empower_scope": "ownership_part"},
    {"empower_scope": "use_right", "exercise_model": False},
    {"empower_scope": "use_right", "exercise_model": True},
    {"empower_scope": "ownership_full", "achievement_type": "tech_secret"},
)
BOLDNESS = (0.02, 0.12, 0.02, 0.3)
MESSAGES = (0.02, 0.02, 0.3)
ACTS = 140


@pytest.fixture
def stage(new_database: NewDatabase) -> Iterator[tuple[Database, SetClock]]:
    clock = SetClock(BEGIN)
    database = Database(new_database("sqlite"), clock)
    with database.work(SYSTEM) as work:
        demo.add_people(work)
        for number in range(6):  # whoever once declared an interest is replaced
            people.add(work, f"panel-{number}", f"异议处理{number}", ["objection_panel"])
    yield database, clock
    database.close()


def begun(walker: Walker, seed: int) -> str:
    """A case on an achievement of its own, applied for by its lead and one co-inventor."""
    database, achievement = walker.database, f"CG-{seed:04d}"
    with database.work(SYSTEM) as work:
        kind = Library.standing().vocabulary().registers["achievement"]
        known = {"id": achievement, "name": f"成果{seed}", "registered_on": work.today, "status": "registered"}
        registers.record(work, kind, achievement, known, case=None, element="given")
        holders = {role: [row["id"] for row in demo.listed(work) if row["role"] == role] for role in demo.PEOPLE}
    lead, other = holders["inventor_lead"][0], holders["co_inventor"][0]
    team = [{"person_id": lead, "role": "lead", "share_bp": 6000}, {"person_id": other, "share_bp": 4000}]
    given = {**SCOPES[seed % len(SCOPES)], "achievement_ids": [achievement], "team_members": team}
    with database.look(lead) as work:
        desk, item = cases.begin(work, PROCESS, rehearse=True)
        answer = filled(desk, item, given)
    with cases.acting(database, lead) as work:
        return cases.start(work, PROCESS, answer)


def test_walks_of_an_empowerment_reach_every_task_and_end(stage: tuple[Database, SetClock], deep: bool) -> None:
    database, clock = stage
    walker = Walker(database, clock, random.Random(0))
    tasks: dict[str, set[str]] = {}
    ends: dict[str, set[str]] = {}
    for seed in range(WALKS * 5 if deep else WALKS):
        walker.random, clock.instant = random.Random(seed), BEGIN
        walker.boldness, walker.messages = BOLDNESS[seed % len(BOLDNESS)], MESSAGES[seed % len(MESSAGES)]
        case = begun(walker, seed)
        assert walker.walk(case, ACTS) != "waiting", f"seed {seed}: nobody can move the case"
        look_through(database, case, tasks, ends)
    with database.look(SYSTEM) as work:
        elements = definitions.current(work, PROCESS).diagram.elements.values()
        assert verify(work).intact
    assert {each.id for each in elements if each.type == "userTask"} - tasks[PROCESS] == set()
    assert {each.id for each in elements if each.type == "endEvent"} - ends[PROCESS] == set()
