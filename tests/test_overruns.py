"""Overruns (超期): told once for each work item, by the clock, with the days; nothing is done in anybody's place."""

from __future__ import annotations

from typing import Any

import pytest

from engine import overruns
from engine.trail import duties
from engine.work import CLOCK
from engine.worker import run_due
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def late(office: Office) -> Office:
    """An office with a process that has due days."""
    office.deploy(package("notice"), package("duty"))
    return office


def told(office: Office, case: str) -> list[dict[str, Any]]:
    """The overruns a case tells of."""
    return [body for body in office.bodies(case) if body["type"] == "deadline.passed"]


def test_an_overrun_is_told_once_by_the_clock_the_day_after_the_due_day(late: Office) -> None:
    case = late.start("duty")  # on Monday 2 March; due on Monday 9 March
    late.later(days=7)
    assert run_due(late.database) == 1
    assert told(late, case) == []
    late.later(hours=15)
    for _ in range(3):
        run_due(late.database)
    [overrun] = told(late, case)
    assert overrun["actor"]["id"] == CLOCK
    assert overrun["process"]["element"] == "decide"
    assert {name: overrun["data"][name] for name in ("due", "days", "facts")} == {
        "due": "2026-03-09", "days": 1, "facts": ["F-SV-07"],
    }  # fmt: skip
    late.later(days=5)
    run_due(late.database)
    assert len(told(late, case)) == 1
    assert list(late.items(case)) == ["decide"]
    assert late.sound()


def test_the_overrun_is_a_fact_of_supervision(late: Office) -> None:
    case = late.start("duty")
    late.later(days=20)
    run_due(late.database)
    [fact] = [each for each in late.look(duties.record, case) if each.fact == "F-SV-07"]
    assert (fact.duty, fact.status, fact.last.person) == ("supervision", "present", CLOCK)


def test_an_overrun_no_worker_saw_is_told_when_the_item_is_completed(late: Office) -> None:
    case = late.start("duty")
    late.later(days=10)
    late.do(case, "decide", "登记员")
    [overrun] = told(late, case)
    completed = [body for body in late.bodies(case) if body["type"] == "task.completed"][-1]
    assert overrun["data"]["days"] == completed["data"]["overdue_days"] == 3
    assert overrun["seq"] < completed["seq"]
    run_due(late.database)
    assert len(told(late, case)) == 1
    assert late.sound()


def test_an_item_done_in_time_or_without_a_due_day_tells_of_none(late: Office) -> None:
    case = late.start("duty")
    late.do(case, "decide", "登记员")
    late.later(days=100)
    run_due(late.database)
    assert told(late, case) == []
    completed = [body for body in late.bodies(case) if body["type"] == "task.completed"][-1]
    assert "overdue_days" not in completed["data"]


def test_many_cases_are_told_of_in_one_round(late: Office) -> None:
    cases = [late.start("duty") for _ in range(3)]
    late.later(days=20)
    run_due(late.database)
    assert [len(told(late, case)) for case in cases] == [1, 1, 1]
    assert overruns.tell_all(late.database) == 0


def test_a_case_in_which_something_fails_holds_up_no_other(late: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = sorted(late.start("duty") for _ in range(2))
    late.later(days=20)
    telling = overruns.tell_overrun

    def fails(desk: Any, item: Any) -> None:
        if desk.row["id"] == first:
            raise RuntimeError("the disk is full")
        telling(desk, item)

    monkeypatch.setattr(overruns, "tell_overrun", fails)
    run_due(late.database)
    monkeypatch.undo()
    assert [len(told(late, case)) for case in (first, second)] == [0, 1]
    assert overruns.tell_all(late.database) == 1
    assert late.sound()


def test_what_is_due_first_comes_first_and_may_end_the_item(late: Office) -> None:
    case = late.start("duty")
    late.later(days=20)
    assert overruns.tell_all(late.database) == 0
    assert told(late, case) == []
    run_due(late.database)
    assert [body["data"]["days"] for body in told(late, case)] == [13]
