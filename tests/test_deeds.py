"""Deeds say what events say, are written with them, and verification finds every one that says something else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from engine import catching_up, schema
from engine.model import APPEND_ONLY, CaseFile, Deed
from engine.trail.deeds import MARKS, deed_of
from engine.trail.verify import verify
from engine.work import SYSTEM
from tests.office import Office
from tests.overseen import play

pytest_plugins = ["tests.furnished"]


def kept(office: Office, case: str) -> list[dict[str, Any]]:
    """The deeds of a case, in their order."""
    with office.database.look(SYSTEM) as work:
        query = select(*Deed.__table__.columns).where(Deed.stream == f"case/{case}").order_by(Deed.seq)
        return work.rows(query)


def body(kind: str, *, stream: str = "case/x", actor: Any = None, **data: Any) -> dict[str, Any]:
    return {"stream": stream, "seq": 1, "type": kind, "actor": actor or {"id": "p"}, "data": data}


@pytest.mark.parametrize(
    ("event", "marks"),
    [
        (body("task.completed"), None),
        (body("task.completed", overdue_days=3, gaps=["F-RC-01"]), "|overran|gap|"),
        (body("task.completed", late=True), "|late|"),
        (body("step.passed", basis="002 §六", missing=["F-RC-01"]), "|gap|"),
        (body("deadline.passed", days=1), "|overran|"),
        (body("evidence.added"), "|late|"),
        (body("document.attached", late=True), "|late|"),
        (body("attempt.refused", reasons=["role"]), "|refused|"),
        (body("attempt.refused", reasons=["four_eyes", "recusal"]), "|refused|recusal|four_eyes|"),
        (body("step.skipped"), "|skipped|"),
        (body("variable.corrected"), "|corrected|"),
        (body("answer.corrected"), "|amended|"),
        (body("task.reassigned"), "|reassigned|"),
        (body("case.migrated"), "|migrated|"),
        (body("case.suspended"), "|suspended|"),
        (body("incident.raised"), "|incident|"),
    ],
)
def test_an_event_is_marked_by_what_it_tells(event: dict[str, Any], marks: str | None) -> None:
    deed = deed_of(event)
    assert deed is not None and deed["marks"] == marks
    assert set((marks or "").split("|")) - {""} <= MARKS.keys()


@pytest.mark.parametrize(
    "event",
    [
        body("task.opened", basis="002 §六"),
        body("gateway.taken"),
        body("timer.armed", basis="002 §六"),
        body("task.completed", stream="sys/people"),
        body("recusal.declared", stream="sys/people"),
    ],
)
def test_what_nobody_did_and_no_clause_stands_behind_is_no_deed(event: dict[str, Any]) -> None:
    assert deed_of(event) is None


def test_a_deed_says_who_acted_for_whom_in_which_role_under_which_clause(office: Office) -> None:
    played = play(office)
    done = [deed for deed in kept(office, played["substitute"]) if deed["kind"] == "task.completed"][-1]
    assert (done["actor"], done["behalf"]) == (office.who["登记员二"], office.who["登记员"])
    assert (done["process"], done["role"], done["basis"], done["marks"]) == ("permit", "registrar", "002 §六", None)
    assert [deed["seq"] for deed in kept(office, played["plain"])] == sorted(
        each["seq"] for each in office.bodies(played["plain"]) if deed_of(each)
    )


# Verification.


def behind_its_back(office: Office, statement: str) -> None:
    """Run this as somebody who owns the database and has taken the fences down."""
    office.close()
    if office.database.sqlite:
        with closing(sqlite3.connect(office.url.removeprefix("sqlite:///"))) as database, database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            assert database.execute(statement).rowcount
        return
    with psycopg.connect(office.url) as server:
        for table in APPEND_ONLY:
            server.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        assert server.execute(statement.encode()).rowcount


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deed SET actor = 'p-other' WHERE stream = 'case/{case}' AND seq = 1",
        "UPDATE deed SET behalf = 'p-other' WHERE stream = 'case/{case}' AND seq = 1",
        "UPDATE deed SET role = NULL WHERE stream = 'case/{case}' AND role IS NOT NULL",
        "UPDATE deed SET basis = '002 §七' WHERE stream = 'case/{case}' AND basis IS NOT NULL",
        "UPDATE deed SET marks = NULL WHERE stream = 'case/{case}' AND marks IS NOT NULL",
        "UPDATE deed SET kind = 'task.claimed' WHERE stream = 'case/{case}' AND kind = 'task.completed'",
        "UPDATE deed SET process = 'duty' WHERE stream = 'case/{case}'",
        "UPDATE deed SET at = (SELECT MIN(at) FROM event) WHERE stream = 'case/{case}' AND basis IS NOT NULL",
        "DELETE FROM deed WHERE stream = 'case/{case}' AND marks IS NOT NULL",
        "INSERT INTO deed ({a}) SELECT stream, 99, at, kind, actor FROM deed WHERE stream = 'case/{case}' AND seq = 1",
        "INSERT INTO deed ({a}) SELECT {a} FROM event WHERE stream = 'case/{case}' AND kind = 'task.opened'",
    ],
)
def test_a_deed_that_differs_from_its_event_is_found(office: Office, statement: str) -> None:
    case = office.start()
    office.later(days=20)
    office.do(case, "review", "登记员")
    assert office.sound()
    behind_its_back(office, statement.format(case=case, a="stream, seq, at, kind, actor"))
    for whole in (None, case):
        flaws = office.look(verify, whole).flaws
        assert flaws and all("searched by" in flaw.text.en for flaw in flaws)
        assert {flaw.stream for flaw in flaws} == {f"case/{case}"}


# Databases of before.


def test_a_database_whose_events_are_older_than_deeds_catches_up_when_it_is_upgraded(office: Office) -> None:
    played = play(office)
    before = {case: kept(office, case) for case in played.values()}
    amounts = {case: office.row(case)["amount_fen"] for case in played.values()}
    assert amounts[played["reassigned"]] == 5_000_000
    behind_its_back(office, "DELETE FROM deed")
    with office.database.work(SYSTEM) as work:
        work.db.execute(CaseFile.__table__.update().values(amount_fen=None))  # type: ignore[attr-defined]
    assert not office.look(verify).intact
    schema.upgrade(office.url)
    assert {case: kept(office, case) for case in played.values()} == before
    assert {case: office.row(case)["amount_fen"] for case in played.values()} == amounts
    assert office.sound()
    with office.database.work(SYSTEM) as work:
        catching_up.catch_up(work)  # there is nothing left to do
    assert office.sound()
