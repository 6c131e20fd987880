"""The built-in withdrawal, which no diagram draws: it ends everything that is open, called processes included."""

from __future__ import annotations

import pytest

from engine import cases, inbox
from engine.errors import NotYours, Unusable, WrongState
from engine.worker import run_due
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def published(office: Office) -> tuple[Office, str]:
    """A case whose publicity runs in a process it calls."""
    office.deploy(package("notice"), package("duty"))
    case = office.start("duty")
    office.do(case, "decide", "登记员")
    return office, case


def test_a_notice_about_to_be_published_in_a_called_process_is_cancelled(published: tuple[Office, str]) -> None:
    office, case = published
    office.act("甲", cases.withdraw, case, {"reason": "不做了"})
    assert office.row(case)["outcome"] == "withdrawn"
    [cancelled] = [body for body in office.bodies(case) if body["type"] == "task.cancelled"]
    assert (cancelled["process"]["called"], cancelled["process"]["element"]) == ("notice", "announce")
    assert office.items(case) == {}
    assert office.sound()


def test_a_notice_that_runs_in_a_called_process_never_comes_to_its_end(published: tuple[Office, str]) -> None:
    office, case = published
    office.do(case, "announce", "登记员")
    assert office.look(inbox.timers, case)
    office.act("甲", cases.withdraw, case, {"reason": "不做了"})
    assert office.look(inbox.timers, case) == []
    office.later(days=60)
    assert run_due(office.database) == 0
    kinds = office.kinds(case)
    assert kinds[-2:] == ["case.withdrawn", "case.closed"]
    assert "timer.fired" not in kinds
    assert office.sound()


def test_only_the_applicant_withdraws_with_a_reason_and_once(published: tuple[Office, str]) -> None:
    office, case = published
    assert isinstance(office.refused("乙", cases.withdraw, case, {"reason": "不做了"}), NotYours)
    assert isinstance(office.refused("甲", cases.withdraw, case, {"reason": " "}), Unusable)
    office.act("甲", cases.withdraw, case, {"reason": "不做了"})
    assert isinstance(office.refused("甲", cases.withdraw, case, {"reason": "不做了"}), WrongState)
