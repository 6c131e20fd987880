"""Random walks of 先赋权后行权 on the real engine: they end or wait, lose no token, and reach every task and every end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete

from engine import cases, definitions, demo, people, registers
from engine.filling import filled
from engine.library import Library
from engine.model import Timer
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from forms.form import Form
from tests.conftest import NewDatabase
from tests.test_walk import look_through

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
PROCESS = "empower_then_exercise"
FEWEST, MOST, ACTS = 24, 240, 170
SCOPES: tuple[Mapping[str, Any], ...] = (
    {"empower_scope": "use_right", "exercise_model": True},
    {"empower_scope": "ownership_part"},
    {"empower_scope": "use_right", "exercise_model": False},
    {"empower_scope": "ownership_full", "achievement_type": "tech_secret"},
)
# What everybody in a walk is bent on, by form; all else is by example or, more or less boldly, by chance.
BENTS: tuple[Mapping[str, Mapping[str, Any]], ...] = (
    {},
    {"long_stop_disposition": {"disposition": "convert_other_mode"}},
    {"objection_conclusion": {"result": "upheld_major"}},
    {"security_ethics_screen": {"secret_level_confirmed": "secret"}},
    {},
    {"tier_approve": {"decision": "reject"}},
    {"company_delay_decision": {"decision": "lapse"}, "objection_conclusion": {"result": "upheld_minor"}},
)
BOLDNESS = (0.02, 0.1, 0.25)
MESSAGES = (0.02, 0.3)


@dataclass(slots=True)
class Bent(Walker):
    """A walker that is bent on some answers."""

    bent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def _choices(self, form: Form) -> dict[str, Any]:
        return {**Walker._choices(self, form), **self.bent.get(form.id, {})}


@pytest.fixture
def stage(new_database: NewDatabase) -> Iterator[tuple[Database, SetClock]]:
    clock = SetClock(BEGIN)
    database = Database(new_database("sqlite"), clock)
    with database.work(SYSTEM) as work:
        demo.add_people(work)
        for number in range(6):  # whoever objects does not handle objections
            people.add(work, f"panel-{number}", f"异议处理{number}", ["objection_panel"])
    yield database, clock
    database.close()


def begun(database: Database, seed: int) -> str:
    """A case on an achievement of its own, applied for by its lead and one co-inventor; some were rewarded already."""
    achievement = f"CG-{seed:04d}"
    with database.work(SYSTEM) as work:
        kinds = Library.standing().vocabulary().registers
        known = {"id": achievement, "name": f"成果{seed}", "registered_on": work.today, "status": "registered"}
        registers.record(work, kinds["achievement"], achievement, known, case=None, element="given")
        if seed % 20 == 19:
            row = {"achievement_id": achievement, "conversion_id": "已奖励企业", "mode": "reward_after", "status": "executed"}
            registers.record(work, kinds["incentive"], f"{achievement}/已奖励企业", row, case=None, element="given")
        holders = {role: [row["id"] for row in demo.listed(work) if row["role"] == role] for role in demo.PEOPLE}
    lead, other = holders["inventor_lead"][0], holders["co_inventor"][0]
    team = [{"person_id": lead, "role": "lead", "share_bp": 6000}, {"person_id": other, "share_bp": 4000}]
    given = {**SCOPES[seed % len(SCOPES)], "achievement_ids": [achievement], "team_members": team}
    given |= {"receiver_name": "已奖励企业"} if seed % 20 == 19 else {}
    with database.look(lead) as work:
        desk, item = cases.begin(work, PROCESS, rehearse=True)
        answer = filled(desk, item, given)
    with cases.acting(database, lead) as work:
        return cases.start(work, PROCESS, answer)


def test_walks_of_an_empowerment_reach_every_task_and_end(stage: tuple[Database, SetClock], deep: bool) -> None:
    database, clock = stage
    with database.look(SYSTEM) as work:
        elements = definitions.current(work, PROCESS).diagram.elements.values()
    tasks: dict[str, set[str]] = {PROCESS: set()}
    ends: dict[str, set[str]] = {PROCESS: set()}
    wanted = {each.id for each in elements if each.type == "userTask"}, {e.id for e in elements if e.type == "endEvent"}
    for seed in range(MOST):
        clock.instant = BEGIN
        walker = Bent(database, clock, random.Random(seed), bent=BENTS[seed % len(BENTS)])
        walker.boldness, walker.messages = BOLDNESS[seed % len(BOLDNESS)], MESSAGES[seed % len(MESSAGES)]
        case = begun(database, seed)
        assert walker.walk(case, ACTS) != "waiting", f"seed {seed}: nobody can move the case"
        look_through(database, case, tasks, ends)
        with database.work(SYSTEM) as work:  # time goes by for the next walk only
            work.db.execute(delete(Timer).where(Timer.case == case))
        if not deep and seed >= FEWEST and (tasks[PROCESS], ends[PROCESS]) == wanted:
            break
    assert wanted[0] - tasks[PROCESS] == set(), "no walk came to these tasks"
    assert wanted[1] - ends[PROCESS] == set(), "no walk came to these ends"
    with database.look(SYSTEM) as work:
        assert verify(work).intact
