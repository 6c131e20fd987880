"""Random walks of 先赋权后行权 on the real engine: they end or wait, lose no token, reach every task and every end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete

from engine import cases, definitions, demo, people, registers, starting
from engine.filling import filled
from engine.library import Library
from engine.model import Timer
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from forms.form import Form
from forms.values import Value
from tests.conftest import NewDatabase
from tests.test_walk import look_through

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
PROCESS = "empower_then_exercise"
Bend = Mapping[str, Mapping[str, Any]]
EXERCISE: Mapping[str, Any] = {"empower_scope": "use_right", "exercise_model": True}
USE: Mapping[str, Any] = {"empower_scope": "use_right", "exercise_model": False}
PART: Mapping[str, Any] = {"empower_scope": "ownership_part"}
MANY: Mapping[str, Any] = {**PART, "ip_numbers": [f"ZL20231000000{number}.0" for number in range(9)]}
SECRET: Mapping[str, Any] = {"empower_scope": "ownership_full", "achievement_type": "tech_secret"}
UNMET: Bend = {"report_exercise_conditions": {"results": [{"code": "C1", "achieved": False}]}}
NEITHER: Bend = {"breach_review": {"breached": False}, "extension_review": {"good_income": False}}
PAID: Bend = {"record_receipt": {"is_final": True}, "propose_allocation": {"reward_pool_fen": 0}}
OTHER_MODE: Bend = {"long_stop_disposition": {"disposition": "convert_other_mode"}}
REWARDED = "已奖励企业"


@dataclass(frozen=True, slots=True)
class Temper:
    """How some walks go: what is applied for, how often, and what everybody is bent on, by form.

    All else is by example or, more or less boldly, by chance; ``messages`` is the chance that somebody sends one, or
    that time goes by, although there is work to do.
    """

    given: Mapping[str, Any]
    walks: int = 1
    boldness: float = 0.02
    messages: float = 0.02
    acts: int = 150
    bent: Bend = field(default_factory=dict)


TEMPERS = (
    Temper(EXERCISE, walks=2, boldness=0.06),
    Temper(EXERCISE, walks=2, boldness=0),
    Temper(PART, walks=2, bent=PAID),
    Temper(SECRET, walks=2, boldness=0.06, bent=PAID),
    Temper(USE, walks=2, bent={"cure_check": {"cured": False}}),
    Temper(USE, walks=2, bent=NEITHER),
    Temper(EXERCISE, walks=3, bent={**UNMET, **NEITHER, **PAID, **OTHER_MODE}),
    Temper(EXERCISE, bent={**UNMET, "long_stop_disposition": {"disposition": "terminate_use_right"}}),
    Temper(
        EXERCISE, walks=3, messages=0.15, acts=80,
        bent={"verify_company_evidence": {"verified": False}, "company_delay_decision": {"decision": "lapse"}},
    ),
    Temper(MANY, walks=3, messages=0.3, acts=110, bent={"objection_conclusion": {"result": "rejected"}}),
    Temper(PART, walks=3, messages=0.3, acts=40, bent={"objection_conclusion": {"result": "upheld_major"}}),
    Temper(USE, walks=2, acts=40, bent={"security_ethics_screen": {"secret_level_confirmed": "secret"}}),
    Temper(USE, walks=2, acts=40, bent={"tier_approve": {"decision": "reject"}}),
    Temper({**USE, "receiver_name": REWARDED}, walks=2, acts=40),
    Temper(USE, acts=40, bent={"security_ethics_screen": {"harms_public_interest": True}}),
    Temper(USE, acts=40, bent={"dept_opinion": {"is_job_achievement": False}}),
    Temper(USE, acts=40, bent={"tto_formal_review": {"decision": "reject"}}),
    Temper(PART, walks=9, boldness=0.25, messages=0.1, acts=60),
)  # fmt: skip


@dataclass(slots=True)
class Bent(Walker):
    """A walker that is bent on some answers."""

    bent: Bend = field(default_factory=dict)

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


def begun(database: Database, given: Mapping[str, Any], number: int) -> str:
    """A case on an achievement of its own, applied for by its lead and one co-inventor."""
    achievement = f"CG-{number:04d}"
    with database.work(SYSTEM) as work:
        kinds = Library.standing().vocabulary().registers
        known: dict[str, Value] = {
            "id": achievement,
            "name": f"成果{number}",
            "registered_on": work.today,
            "status": "registered",
        }
        registers.record(work, kinds["achievement"], achievement, known, case=None, element="given")
        row = {"achievement_id": achievement, "conversion_id": REWARDED, "mode": "reward_after", "status": "executed"}
        registers.record(work, kinds["incentive"], f"{achievement}/{REWARDED}", row, case=None, element="given")
        holders = {role: [row["id"] for row in demo.listed(work) if row["role"] == role] for role in demo.PEOPLE}
    lead, other = holders["inventor_lead"][0], holders["co_inventor"][0]
    team = [{"person_id": lead, "role": "lead", "share_bp": 6000}, {"person_id": other, "share_bp": 4000}]
    with database.look(lead) as work:
        desk, item = starting.begin(work, PROCESS, rehearse=True)
        answer = filled(desk, item, {**given, "achievement_ids": [achievement], "team_members": team})
    with cases.acting(database, lead) as work:
        return cases.start(work, PROCESS, answer)


def test_walks_of_an_empowerment_reach_every_task_and_end(stage: tuple[Database, SetClock], deep: bool) -> None:
    database, clock = stage
    tasks: dict[str, set[str]] = {PROCESS: set()}
    ends: dict[str, set[str]] = {PROCESS: set()}
    for number, temper in enumerate([each for each in TEMPERS for _ in range(each.walks * (5 if deep else 1))]):
        clock.instant = BEGIN
        walker = Bent(database, clock, random.Random(number), None, temper.boldness, temper.messages)
        walker.bent = temper.bent
        case = begun(database, temper.given, number)
        assert walker.walk(case, temper.acts) != "waiting", f"walk {number}: nobody can move the case"
        look_through(database, case, tasks, ends)
        with database.work(SYSTEM) as work:  # time goes by for the next walk only
            work.db.execute(delete(Timer).where(Timer.case == case))
    with database.look(SYSTEM) as work:
        elements = definitions.current(work, PROCESS).diagram.elements.values()
        assert verify(work).intact
    missing = {each.id for each in elements if each.type == "userTask"} - tasks[PROCESS]
    assert missing == set(), "no walk came to these tasks"
    missing = {each.id for each in elements if each.type == "endEvent"} - ends[PROCESS]
    assert missing == set(), "no walk came to these ends"
