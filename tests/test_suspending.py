"""Suspension (中止): who may, for what; nothing moves meanwhile; by how much each deadline moves afterwards."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import cases, inbox, incidents, items, migration, suspending
from engine.desk import Desk
from engine.errors import NotYours, Unusable, WrongState
from engine.model import Timer
from engine.people import recuse
from engine.work import BEIJING, Request
from engine.worker import run_due
from tests.office import ANSWERS, MORNING, Office, attempt_told, package
from tests.test_races import at_once, split

pytest_plugins = ["tests.furnished"]

WHY = ("investigation", "纪检部门正在核查")


@pytest.fixture
def stopping(office: Office) -> Office:
    """An office with a process whose clocks run."""
    office.deploy(package("notice"), package("duty"))
    return office


def timers(office: Office, case: str) -> dict[str, datetime]:
    """When each timer of a case is due, as the clock finds it."""
    return {row["element"]: row["due"].astimezone(BEIJING) for row in office.look(inbox.timers, case)}


def due(office: Office, case: str) -> date:
    """The due day of the one open work item."""
    [found] = [row["due"] for row in office.look(inbox.items_of, case) if row["closed_at"] is None]
    assert isinstance(found, date)
    return found


def variable(office: Office, case: str, name: str) -> Any:
    """A variable of the case."""

    def read(work: Any) -> Any:
        desk = Desk.thawed(work, inbox.case(work, case))
        return desk.instance.scopes.innermost(desk.given)[name]

    return office.look(read)


def moved(office: Office, case: str) -> dict[str, tuple[str, str, str]]:
    """What the resumption says it moved: unit, old and new, by element or variable."""
    [told] = [body["data"]["moved"] for body in office.bodies(case) if body["type"] == "case.resumed"]
    return {each.get("name") or f"{each['what']} {each['element']}": (each["unit"], each["old"], each["new"])
            for each in told}  # fmt: skip


def at(text: str) -> datetime:
    """An instant in Beijing."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


# Who may, for what, and when.


@pytest.mark.parametrize(("who", "allowed"), [("合规", True), ("登记员", False), ("甲", False), ("管理员", False)])
def test_compliance_and_process_owners_suspend_and_nobody_else(stopping: Office, who: str, *, allowed: bool) -> None:
    case = stopping.start("duty")
    if allowed:
        stopping.act(who, suspending.suspend, case, *WHY)
        assert stopping.row(case)["status"] == "suspended"
        refusal = stopping.refused("登记员", suspending.resume, case, "核查结束")
    else:
        refusal = stopping.refused(who, suspending.suspend, case, *WHY)
        assert stopping.row(case)["status"] == "open"
    assert isinstance(refusal, NotYours)
    assert attempt_told(stopping, case)[2] == ["role"]
    stopping.hire("流程", "process_owner")
    verb, said = (suspending.resume, ("核查结束",)) if allowed else (suspending.suspend, WHY)
    stopping.act("流程", verb, case, *said)
    assert stopping.sound()


def test_an_officer_with_an_interest_in_the_case_stands_aside(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.act("合规", items.comment, case, "先看看")
    stopping.act("合规", lambda work: recuse(work, work.actor, "亲属", case=case))
    assert isinstance(stopping.refused("合规", suspending.suspend, case, *WHY), NotYours)
    assert attempt_told(stopping, case)[2] == ["recusal"]


@pytest.mark.parametrize(("cause", "words"), [("holiday", "放假"), ("investigation", "  "), ("", "理由")])
def test_a_suspension_has_an_allowed_reason_and_words(stopping: Office, cause: str, words: str) -> None:
    case = stopping.start("duty")
    before = stopping.state()
    assert isinstance(stopping.refused("合规", suspending.suspend, case, cause, words), Unusable)
    assert stopping.state() == before


def test_only_an_open_case_is_suspended_and_only_a_suspended_one_resumed(stopping: Office) -> None:
    case = stopping.start("duty")
    assert isinstance(stopping.refused("合规", suspending.resume, case, "继续"), WrongState)
    stopping.act("合规", suspending.suspend, case, *WHY)
    assert isinstance(stopping.refused("合规", suspending.suspend, case, *WHY), WrongState)
    stopping.act("合规", suspending.resume, case, "继续")
    stopping.act("甲", cases.withdraw, case, {"reason": "不做了"})
    assert isinstance(stopping.refused("合规", suspending.suspend, case, *WHY), WrongState)
    assert stopping.sound()


def test_the_words_are_kept_as_a_remark_and_the_trail_only_commits_to_them(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.act("合规", suspending.suspend, case, *WHY)
    assert [row["words"] for row in stopping.look(inbox.comments, case)] == [WHY[1]]
    told = stopping.last(case)["data"]
    assert told["cause"] == "investigation" and WHY[1] not in str(told)
    assert datetime.fromisoformat(told["clock_stopped_from"]) == MORNING


# Nothing moves meanwhile.


def test_in_a_suspended_case_nothing_is_completed_sent_withdrawn_or_fired(stopping: Office) -> None:
    case = stopping.start("duty")
    task = stopping.item(case, "decide")
    stopping.act("合规", suspending.suspend, case, *WHY)
    held = stopping.row(case)["state"]
    stopping.later(days=60)
    assert run_due(stopping.database) == 0
    for who, verb, arguments in (
        ("登记员", cases.complete, (task, ANSWERS["decide"])),
        ("乙", cases.send, (case, "tip", {"statement": "有异议"})),
        ("甲", cases.withdraw, (case, {"reason": "不做了"})),
    ):
        assert isinstance(stopping.refused(who, verb, *arguments), WrongState)
        assert attempt_told(stopping, case)[0] == stopping.who[who]
    assert stopping.row(case)["state"] == held
    assert "deadline.passed" not in stopping.kinds(case)
    assert stopping.sound()


def test_drafts_claims_remarks_and_files_can_be_kept_meanwhile(stopping: Office) -> None:
    case = stopping.start("duty")
    task = stopping.item(case, "decide")
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(days=60)
    stopping.act("登记员", items.claim, task)
    stopping.act("登记员", items.save_draft, task, {"body": "head"})
    stopping.act("甲", items.comment, case, "请尽快")
    stopping.act("甲", items.attach, case, "a.txt", b"text")
    assert timers(stopping, case) == {}
    assert "timer.fired" not in stopping.kinds(case)
    assert stopping.sound()


def test_an_incident_is_not_tried_again_and_the_case_not_moved_to_another_version(stopping: Office) -> None:
    case = stopping.start("duty", count=0)
    [incident] = stopping.look(incidents.standing_still, case)
    stopping.act("合规", suspending.suspend, case, *WHY)
    assert isinstance(stopping.refused("管理员", incidents.retry, incident["id"]), WrongState)
    stopping.hire("流程", "process_owner")
    [newer] = stopping.deploy(package("duty", ("process.bpmn", 'name="归档"', 'name="存档"')))
    refusal = stopping.refused("流程", migration.migrate, case, newer.id)
    assert isinstance(refusal, WrongState)
    assert "suspended" in refusal.text.en


def test_a_suspended_item_is_shown_as_such_and_is_not_overdue(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(days=60)
    [item] = stopping.look(inbox.tasks_for, stopping.who["登记员"])
    assert item["stopped_at"] is not None and not item["overdue"]


def test_what_was_due_before_happens_before_the_case_stands_still(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.later(days=3)
    stopping.act("合规", suspending.suspend, case, *WHY)
    kinds = stopping.kinds(case)
    assert kinds.index("timer.fired") < kinds.index("case.suspended")
    assert kinds.count("timer.fired") == 1


# By how much deadlines move. The case starts on Monday 2026-03-02, 09:00, and is due on Monday 9 March.


def test_deadlines_move_by_the_days_that_were_lost_each_in_its_own_unit(stopping: Office) -> None:
    case = stopping.start("duty")
    before = timers(stopping, case)
    assert due(stopping, case) == date(2026, 3, 9)
    assert before == {
        "late": at("2026-03-10 00:00"), "nudge": at("2026-03-06 00:00"), "hours": at("2026-03-04 21:00"),
        "weekly": at("2026-03-09 09:00"),
    }  # fmt: skip
    stopping.later(days=1)
    stopping.act("合规", suspending.suspend, case, *WHY)  # Tuesday 3 March: four working days, two calendar days left
    stopping.later(days=8, hours=3)
    stopping.act("合规", suspending.resume, case, "核查结束")  # Wednesday 11 March
    assert due(stopping, case) == date(2026, 3, 17)
    assert timers(stopping, case) == {
        "late": at("2026-03-18 00:00"), "nudge": at("2026-03-14 00:00"), "hours": at("2026-03-13 00:00"),
        "weekly": at("2026-03-17 12:00"),
    }  # fmt: skip
    assert variable(stopping, case, "due_on") == date(2026, 3, 17)
    assert variable(stopping, case, "remind_on") == date(2026, 3, 13)
    assert moved(stopping, case)["item decide"] == ("working", "2026-03-09", "2026-03-17")
    assert moved(stopping, case)["due_on"] == ("working", "2026-03-09", "2026-03-17")
    assert moved(stopping, case)["remind_on"] == ("calendar", "2026-03-05", "2026-03-13")
    assert {each.partition(" ")[2] for each in moved(stopping, case) if each.startswith("timer")} == set(before)
    stopped = next(body["data"] for body in stopping.bodies(case) if body["type"] == "case.resumed")
    lasted = [datetime.fromisoformat(stopped[f"clock_stopped_{end}"]) for end in ("from", "to")]
    assert lasted == [MORNING + timedelta(days=1), MORNING + timedelta(days=9, hours=3)]
    assert stopping.sound()


def test_the_timers_fire_at_their_new_instants_once(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(days=10)
    stopping.act("合规", suspending.resume, case, "继续")
    assert run_due(stopping.database) == 0
    stopping.clock.instant = at("2026-03-14 21:00")
    assert run_due(stopping.database) == 1
    stopping.clock.instant = at("2026-03-20 00:00")
    run_due(stopping.database)
    fired = [body["process"]["element"] for body in stopping.bodies(case) if body["type"] == "timer.fired"]
    assert fired == ["hours", "nudge", "weekly", "late"]
    assert run_due(stopping.database) == 0
    assert stopping.sound()


def test_a_step_that_opens_afterwards_has_the_deadline_that_moved(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(days=14)
    stopping.act("合规", suspending.resume, case, "继续")
    stopping.do(case, "decide", "登记员")
    stopping.do(case, "announce", "登记员")
    stopping.later(days=20)
    run_due(stopping.database)
    assert due(stopping, case) == date(2026, 3, 23)


def test_a_publicity_is_published_for_its_whole_period_when_it_stood_still(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.do(case, "decide", "登记员")
    stopping.do(case, "announce", "登记员")
    assert timers(stopping, case) == {"period": at("2026-03-18 00:00")}
    stopping.later(days=5)
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(days=7)
    stopping.act("合规", suspending.resume, case, "继续")
    assert timers(stopping, case) == {"period": at("2026-03-25 00:00")}
    assert variable(stopping, case, "close_on") == date(2026, 3, 24)


def test_a_deadline_that_was_missed_before_stays_missed(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.later(days=10)
    run_due(stopping.database)
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(days=10)
    stopping.act("合规", suspending.resume, case, "继续")
    assert due(stopping, case) == date(2026, 3, 9)
    assert "item decide" not in moved(stopping, case)
    assert stopping.kinds(case).count("deadline.passed") == 1


def test_a_case_suspended_and_resumed_on_one_day_loses_no_day(stopping: Office) -> None:
    case = stopping.start("duty")
    stopping.act("合规", suspending.suspend, case, *WHY)
    stopping.later(hours=5)
    stopping.act("合规", suspending.resume, case, "继续")
    assert due(stopping, case) == date(2026, 3, 9)
    assert timers(stopping, case)["late"] == at("2026-03-10 00:00")
    assert timers(stopping, case)["hours"] == at("2026-03-05 02:00")


def test_a_case_may_be_suspended_again_and_both_times_count(stopping: Office) -> None:
    case = stopping.start("duty")
    for _ in range(2):
        stopping.act("合规", suspending.suspend, case, *WHY)
        stopping.later(days=7)
        stopping.act("合规", suspending.resume, case, "继续")
    assert due(stopping, case) == date(2026, 3, 23)
    assert stopping.sound()


# Races and repetitions.


def test_the_same_request_suspends_once(stopping: Office) -> None:
    case = stopping.start("duty")
    request = Request.of("0" * 32, "suspend", case)
    for _ in range(2):
        stopping.act("合规", suspending.suspend, case, *WHY, request=request)
    assert stopping.kinds(case).count("case.suspended") == 1


def test_a_suspension_among_workers_and_people_happens_before_or_after_each_of_them(stopping: Office) -> None:
    case = stopping.start("duty")
    task = stopping.item(case, "decide")
    stopping.later(days=8)
    won, refused = split(
        at_once([
            lambda: stopping.act("合规", suspending.suspend, case, *WHY),
            lambda: stopping.act("登记员", cases.complete, task, ANSWERS["decide"]),
            lambda: stopping.act("甲", items.comment, case, "请尽快"),
            *[lambda: run_due(stopping.database)] * 3,
        ])
    )  # fmt: skip
    kinds = stopping.kinds(case)
    after = kinds[kinds.index("case.suspended") + 1 :]
    assert set(after) <= {"comment.added", "attempt.refused"}
    assert stopping.row(case)["status"] == "suspended"
    assert kinds.count("timer.fired") == 4
    completed = "task.completed" in kinds[kinds.index("timer.fired") :]
    assert completed != any(isinstance(each, WrongState) for each in refused)
    assert len(won) + len(refused) == 6
    stopping.act("合规", suspending.resume, case, "继续")
    assert stopping.sound()


def test_a_suspended_case_keeps_no_timer_and_gets_each_back_once(stopping: Office) -> None:
    case = stopping.start("duty")

    def kept(work: Any) -> int:
        count = select(func.count()).select_from(Timer).where(Timer.case == case)
        return int(work.db.execute(count).scalar_one())

    before = stopping.look(kept)
    stopping.act("合规", suspending.suspend, case, *WHY)
    assert (before, stopping.look(kept)) == (4, 0)
    stopping.act("合规", suspending.resume, case, "继续")
    assert stopping.look(kept) == 4
