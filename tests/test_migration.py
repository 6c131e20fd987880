"""Migration: running cases move to another version if all that is alive in them is there, and lose nothing."""

from __future__ import annotations

from datetime import date

import pytest

from engine import inbox, items, migration
from engine.worker import run_due
from tests.office import ANSWERS, Office, attempt_told, package

pytest_plugins = ["tests.furnished"]

RENAMED = (
    ("process.bpmn", 'id="review"', 'id="check"'),
    ("process.bpmn", 'targetRef="review"', 'targetRef="check"'),
    ("process.bpmn", 'sourceRef="review"', 'sourceRef="check"'),
    ("process.bpmn", 'attachedToRef="review"', 'attachedToRef="check" '),
    ("process.bpmn", 'policy:fourEyes="review"', 'policy:fourEyes="check"'),
    ("process.bpmn", 'policy:name-en="Review"', 'policy:name-en="Check" policy:form="review"'),
)


@pytest.fixture
def drafted(office: Office) -> str:
    """A case at its review: claimed, with a draft, and due."""
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    office.act("登记员", items.save_draft, task, {"decision": "return"})
    return case


def test_a_case_moves_and_keeps_claim_draft_due_day_and_timers(office: Office, drafted: str) -> None:
    before = office.look(inbox.task, office.item(drafted, "review"))
    timers = office.look(inbox.timers, drafted)
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    office.act("管理员", migration.migrate, drafted, new.id)
    after = office.look(inbox.task, office.item(drafted, "review"))
    assert {**after} == {**before}
    assert after["due"] == date(2026, 3, 9)
    assert office.look(inbox.timers, drafted) == timers
    assert office.row(drafted)["definition"] == new.id
    assert office.last(drafted)["data"]["to"] == 2
    office.do(drafted, "review", "登记员")
    office.do(drafted, "second", "复核员")
    assert office.look(inbox.task, office.item(drafted, "archive"))["name_zh"] == "存档"
    assert office.sound()


def test_a_live_element_that_is_gone_stands_in_the_way_by_name(office: Office, drafted: str) -> None:
    (new,) = office.deploy(package("permit", *RENAMED))
    state = office.state()
    (obstacle, *_) = office.look(migration.obstacles, drafted, new.id, {})
    assert "review" in obstacle.en
    assert office.state() == state
    refusal = office.refused("管理员", migration.migrate, drafted, new.id)
    assert "'review'" in refusal.text.en
    assert office.row(drafted)["definition"] != new.id
    assert attempt_told(office, drafted)[1:] == ("migrate", ["state"])


def test_a_renamed_element_is_mapped_and_its_four_eyes_still_hold(office: Office, drafted: str) -> None:
    (new,) = office.deploy(package("permit", *RENAMED))
    office.act("管理员", migration.migrate, drafted, new.id, {"review": "check"})
    task = office.item(drafted, "check")
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员"]
    office.act("登记员", items.release, task)
    from engine import cases

    office.act("双职", cases.complete, task, ANSWERS["review"])
    refusal = office.refused("双职", cases.complete, office.item(drafted, "second"), {"agree": True})
    assert "four_eyes" in refusal.reasons  # type: ignore[attr-defined]


def test_answers_given_under_the_old_name_are_found_under_the_new_one(office: Office) -> None:
    case = office.start()
    office.do(case, "review", "登记员")
    reads = ("process.bpmn", "'amount_fen': amount_fen, 'status'", "'title': check['decision'], 'status'")
    (new,) = office.deploy(package("permit", *RENAMED, reads))
    office.act("管理员", migration.migrate, case, new.id, {"review": "check"})
    office.do(case, "second", "复核员")
    assert "archive" in office.items(case)


def test_a_timer_that_runs_keeps_its_due_time(office: Office) -> None:
    case = office.start()
    sooner = "<timeDate>add_days(today, 3)</timeDate>"
    (without,) = office.deploy(
        package("permit", ("process.bpmn", "<timeDate>add_working_days(today, 5)</timeDate>", sooner))
    )
    office.act("管理员", migration.migrate, case, without.id)
    assert len(office.look(inbox.timers, case)) == 1  # the one that runs keeps its due time
    office.later(days=8)
    assert run_due(office.database) == 1


def test_only_owners_and_administrators_move_cases(office: Office, drafted: str) -> None:
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    refusal = office.refused("登记员", migration.migrate, drafted, new.id)
    assert refusal.reasons == ("role",)  # type: ignore[attr-defined]


def test_a_new_version_alone_moves_no_case(office: Office, drafted: str) -> None:
    old = office.row(drafted)["definition"]
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    assert office.row(drafted)["definition"] == old
    assert office.look(migration.running, "permit", new.id) == [drafted]


def test_a_boundary_event_that_only_the_new_version_has_is_armed(office: Office) -> None:
    case = office.start()
    reminder = """<boundaryEvent id="soon" attachedToRef="review" cancelActivity="false">
      <timerEventDefinition><timeDate>add_days(today, 2)</timeDate></timerEventDefinition></boundaryEvent>
    <sequenceFlow id="f_soon" sourceRef="soon" targetRef="remind"/>
    <sequenceFlow id="f_review" """
    (new,) = office.deploy(package("permit", ("process.bpmn", '<sequenceFlow id="f_review" ', reminder)))
    office.act("管理员", migration.migrate, case, new.id)
    assert [row["element"] for row in office.look(inbox.timers, case)] == ["soon", "late"]
    office.later(days=3)
    assert run_due(office.database) == 1
    assert office.kinds(case)[-4:] == ["timer.fired", "notice.sent", "step.passed", "end.reached"]
