"""Random walks of conversions with the decisions, publicities and distributions they call: they lose no token."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from engine import cases, definitions, demo, inbox, parameter_sets, people, registers
from engine.errors import Refusal
from engine.library import Library
from engine.scenario_file import Scenario, read_scenario
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from forms.form import Form
from forms.values import Value
from tests.conftest import NewDatabase
from tests.test_walk import look_through

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
CONVERSION, DISTRIBUTION = "tiered_conversion_approval", "income_distribution"
FEWEST, DEEP, MOST = 30, 400, 500
# What walks answer of themselves: whom a scenario names is nobody here, and not every starter may elect.
LEFT_OUT = frozenset({"team_members", "incentive_mode", "appeal_of", "achievement_ids"})


@pytest.fixture
def stage(new_database: NewDatabase) -> Iterator[tuple[Database, SetClock]]:
    clock = SetClock(BEGIN)
    database = Database(new_database("sqlite"), clock)
    with database.work(SYSTEM) as work:
        demo.add_people(work)
        people.add(work, "deputy", "副校长 第二", ["vice_president"])
        kinds = Library.standing().vocabulary().registers
        for number in range(MOST):
            value = {"id": f"KJCG-{number}", "name": f"成果 {number}", "status": "registered"}
            registers.record(work, kinds["achievement"], value["id"], {**value}, case=None, element="given")
            if number % 10 == 3:  # rewarded otherwise before
                row: dict[str, Value] = {"mode": "empower_first", "status": "executed"}
                key = f"KJCG-{number}/北京某材料有限公司"
                registers.record(work, kinds["incentive"], key, row, case=None, element="given")
    yield database, clock
    database.close()


@dataclass(slots=True)
class Curious(Walker):
    """Sometimes gives an answer that few walks have given, so that rare ends are reached sooner."""

    given: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def _choices(self, form: Form) -> dict[str, Any]:
        drawn = Walker._choices(self, form)
        for each in form.fields:
            answers: list[Any] = [option.code for option in each.options] if each.kind == "choice" else []
            answers += [True, False] if each.kind == "yes_no" else []
            rare = [answer for answer in answers if self.given[form.id, each.code, str(answer)] < 8]
            if rare and self.random.random() < 0.4:
                drawn[each.code] = self.random.choice(rare)
            if each.code in drawn:
                self.given[form.id, each.code, str(drawn[each.code])] += 1
        return drawn


def beginnings() -> dict[str, list[Scenario]]:
    """The worked cases by the kind of conversion, each with an answer that fits anybody who may start one."""
    found: dict[str, list[Scenario]] = {}
    for path, text in Library.standing().package(CONVERSION).scenarios().items():
        worked = read_scenario(text.decode(), path)
        if "invalid" not in worked.course.start and not worked.parameters:
            given = {code: value for code, value in worked.course.start["with"].items() if code not in LEFT_OUT}
            start = {"by": "", "with": given}
            kind = " ".join(str(given.get(code)) for code in ("mode", "pricing_mode", "use_before_pay"))
            found.setdefault(kind, []).append(replace(worked, course=replace(worked.course, start=start)))
    return found


def test_walks_end_or_wait_lose_no_token_and_reach_every_task_and_end(
    stage: tuple[Database, SetClock], deep: bool
) -> None:
    database, clock = stage
    starts = beginnings()
    walker = Curious(database, clock, random.Random(0))
    with database.look(SYSTEM) as work:
        shipped = parameter_sets.values(work, parameter_sets.in_force(work))
        deployed = definitions.current(work, CONVERSION)
    elements = [
        each for name in (CONVERSION, DISTRIBUTION) for each in deployed.contents[name].diagram.elements.values()
    ]
    tasks = {element.id for element in elements if element.type == "userTask"}
    ends = {element.id for element in elements if element.type == "endEvent"}
    ended: set[str] = set()
    for seed in range(MOST):
        if seed % 10 == 0:  # institutions differ in whether they publicise before they decide
            with database.work(SYSTEM) as work:
                parameter_sets.seed(work, {**shipped, "publicity_before_final_decision": seed % 20 == 10})
        walker.random, clock.instant = random.Random(seed), BEGIN
        start = walker.random.choice(starts[sorted(starts)[seed % len(starts)]])  # every kind as often as any
        own = {**start.course.start["with"], "achievement_ids": [f"KJCG-{seed}"]}
        case = walker.start(CONVERSION, [replace(start, course=replace(start.course, start={"by": "", "with": own}))])
        # Some walks keep to the examples for a while and come far, others begin boldly and end early.
        calm, walker.messages = walker.random.randrange(4) * 3, walker.random.choice([0.02, 0.2])
        for stretch in range(20):
            walker.boldness = 0.03 if stretch < calm else 0.3
            stands = walker.walk(case, 5)
            assert stands != "waiting", f"seed {seed}: nobody can move the case"
            if stands == "open" and walker.random.random() < 0.06:
                withdraw(database, case)
        ended |= look_through(database, case)
        if seed >= (DEEP if deep else FEWEST) and tasks <= walker.visited and ends <= ended:
            break
    assert tasks - walker.visited == set(), "no walk came to these tasks"
    assert ends - ended == set(), "no walk came to these ends"
    with database.look(SYSTEM) as work:
        assert verify(work).intact


def withdraw(database: Database, case: str) -> None:
    """The applicant withdraws, where that is still possible."""
    with database.look(SYSTEM) as work:
        applicant = inbox.case(work, case)["applicant"]
    try:
        with cases.acting(database, applicant) as work:
            cases.withdraw(work, case, {"reason": "不再办理"})
    except Refusal:
        pass
