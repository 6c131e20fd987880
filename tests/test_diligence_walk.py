"""Random walks of the diligence review on cases of a small package: they end or wait, and reach every task and end."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine import cases, definitions, demo, inbox, people
from engine.filling import filled
from engine.library import Library
from engine.scenarios import SetClock
from engine.starting import begin
from engine.walk import Walker
from engine.work import BEIJING, SYSTEM, Database
from forms.form import Form
from tests.conftest import NewDatabase
from tests.office import package
from tests.test_walk import look_through

BEGIN = datetime(2026, 1, 5, 9, tzinfo=BEIJING)
PROCESS = "diligence_exemption_review"
TRIGGERS = ("value_change", "investment_loss", "investment_loss", "audit_query", "complaint", "periodic")
LEVELS = ("municipal", "municipal", "central_in_beijing", "other")


class Officer(Walker):
    """A walker whose compliance officers now and then find a document missing, or an item of the list hit."""

    def _choices(self, form: Form) -> dict[str, Any]:
        drawn = super()._choices(form)
        if form.id == "gap_check" and self.random.random() < 0.3:
            drawn["items"] = [{"fact": "F-SV-05", "status": self.random.choice(("missing", "disputed")), "note": None}]
        if form.id == "negative_list_check" and self.random.random() < 0.2:
            severity = self.random.choice(("minor", "serious"))
            drawn["items"] = [{"code": "NL-04", "hit": True, "severity": severity, "evidence": None}]
        if form.id == "competent_department_review":
            drawn["agree"] = self.random.random() < 0.5
        return drawn


@pytest.fixture
def stage(new_database: NewDatabase) -> Iterator[tuple[Database, SetClock]]:
    """Demo people with enough panel members, and the small package deployed."""
    clock = SetClock(BEGIN)
    url = new_database("sqlite")
    database = Database(url, clock)
    with database.work(SYSTEM) as work:
        definitions.deploy(work, package("dealt"), Library.standing().vocabulary())
        demo.add_people(work)
        for number in range(12):
            people.add(work, f"panel-{number}", f"评议{number}", ["diligence_panel"])
        people.add(work, "president-2", "校长办公会秘书二", ["president_meeting"])
    yield database, clock
    database.close()


def begun(database: Database, process: str, role: str, **given: Any) -> str:
    """A case of this process, begun by the first who holds the role."""
    with database.look(SYSTEM) as work:
        actor = Walker._holders(work, [role])[0]
    with database.look(actor) as work:
        desk, item = begin(work, process, rehearse=True)
        answer = filled(desk, item, given)
    with cases.acting(database, actor) as work:
        return cases.start(work, process, answer)


def dealt(database: Database, clock: SetClock) -> list[str]:
    """Closed cases to be reviewed: without a price, listed, agreed and not publicised, equity."""
    walker = Walker(database, clock, random.Random(0), boldness=0.0, messages=0.0)
    found = []
    kinds = (("licence", None), ("licence", "listing"), ("licence", "agreement"), ("equity_investment", None))
    for mode, pricing in kinds:
        case = begun(database, "dealt", "tto_officer", mode=mode, pricing_mode=pricing, minutes=None)
        assert walker.walk(case, 5) == "closed"
        found.append(case)
    return found


def altered(database: Database, case: str) -> None:
    """One event of a case is changed by somebody who took the fences of the database down."""
    with closing(sqlite3.connect(str(database.url.database))) as raw, raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        changed = raw.execute("UPDATE event SET body = body || ' ' WHERE stream = ? AND seq = 2", (f"case/{case}",))
        assert changed.rowcount == 1


def test_walks_of_reviews_end_or_wait_and_reach_every_task_and_end(
    stage: tuple[Database, SetClock], deep: bool
) -> None:
    database, clock = stage
    targets = dealt(database, clock)
    broken = dealt(database, clock)[0]
    altered(database, broken)
    walker = Officer(database, clock, random.Random(0), messages=0.04)
    with database.look(SYSTEM) as work:
        reviewed = [*Walker._holders(work, ["vice_president"]), *Walker._holders(work, ["discipline_office"])]
        diagram = definitions.current(work, PROCESS).diagram
    ended: set[str] = set()
    tasks = {element.id for element in diagram.elements.values() if element.type == "userTask"}
    tasks.remove("open_diligence_review")  # every walk begins behind it
    ends = {element.id for element in diagram.elements.values() if element.type == "endEvent"}
    for seed in range(600 if deep else 240):
        if not deep and seed >= 40 and tasks <= walker.visited and ends <= ended:
            break  # each walk costs a second: those after it would prove little more
        walker.random, clock.instant = random.Random(seed), BEGIN + timedelta(days=30)
        draw = walker.random.choice
        trigger, level = draw(TRIGGERS), draw(LEVELS)
        target = broken if seed % 20 == 0 else targets[3] if trigger == "investment_loss" else draw(targets)
        case = begun(
            database,
            PROCESS,
            "requester",
            trigger=trigger,
            institution_level=level,
            target_instances=[target],
            persons_reviewed=[{"person": draw(reviewed), "role": draw(("leader", "manager"))}],
        )
        walker.boldness = draw((0.1, 0.1, 0.5))
        stands = walker.walk(case, 60)
        assert stands != "waiting", f"seed {seed}: nobody can move the case"
        ended |= look_through(database, case)
    assert tasks - walker.visited == set(), "no walk came to these tasks"
    assert ends - ended == set(), "no walk came to these ends"
    with database.look(SYSTEM) as work:
        outcomes = {row["outcome"] for row in inbox.cases(work, process=PROCESS, limit=10_000)} - {None}
    assert outcomes == {
        "exempt", "rectify_then_exempt", "not_exempt", "referred_to_discipline", "integrity_failure",
        "exempt_internal_only", "closed_no_case", "withdrawn",
    }  # fmt: skip
