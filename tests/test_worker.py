"""Timers fire once, in order, by the clock; before anybody's act; and nothing is ever approved by one."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

import pytest

from engine import cases, inbox, items, registers
from engine.errors import AlreadyDone, Incident, NotYours, WrongState
from engine.work import BEIJING, CLOCK, Database
from engine.worker import run_due, run_forever
from tests.begun import operation
from tests.office import ANSWERS, MORNING, Office, package

pytest_plugins = ["tests.furnished"]

FAILING = package("watch", ("process.bpmn", "reminded = 1<", "reminded = 1 // (0 if matter == '卡住' else 1)<"))
AGAIN_AND_AGAIN = package(
    "watch",
    ("process.bpmn", 'sourceRef="rest" targetRef="end"', 'sourceRef="rest" targetRef="again"'),
    ("process.bpmn", "add_days(today, 30)", "case['started_on']"),
    (
        "process.bpmn",
        '<endEvent id="end" policy:outcome="handled"/>',
        """<exclusiveGateway id="again" default="f_again"/>
    <sequenceFlow id="f_again" sourceRef="again" targetRef="rest"/>
    <sequenceFlow id="f_done" sourceRef="again" targetRef="end">
      <conditionExpression>matter == 'done'</conditionExpression></sequenceFlow>
    <endEvent id="end" policy:outcome="handled"/>""",
    ),
)


def fired(office: Office, case: str) -> list[str]:
    """The timers of a case that have fired, in the order in which they did."""
    return [body["process"]["element"] for body in office.bodies(case) if body["type"] == "timer.fired"]


def test_timers_are_kept_with_the_instant_at_which_they_fall_due(office: Office) -> None:
    case = office.start("watch")
    assert [(row["element"], row["due"] - MORNING) for row in office.look(inbox.timers, case)] == [
        ("first", timedelta(days=1)),
        ("next", timedelta(days=2)),
        ("last", timedelta(days=10)),
    ]
    permit = office.start()
    [late] = office.look(inbox.timers, permit)
    # Five working days after 2 March are over when 9 March is over.
    assert late["due"] == datetime(2026, 3, 10, 0, 0, tzinfo=BEIJING)
    assert str(office.look(inbox.task, office.item(permit, "review"))["due"]) == "2026-03-09"


def test_nothing_fires_before_it_is_due_and_everything_at_that_instant(office: Office) -> None:
    case = office.start("watch")
    office.later(days=1, microseconds=-1)
    assert run_due(office.database) == 0
    assert fired(office, case) == []
    office.later(microseconds=1)
    assert run_due(office.database) == 1
    assert fired(office, case) == ["first"]
    assert run_due(office.database) == 0
    assert fired(office, case) == ["first"]
    told = next(body for body in office.bodies(case) if body["type"] == "timer.fired")
    assert told["actor"] == {"id": CLOCK}
    assert office.sound()


def test_a_worker_that_was_away_fires_what_it_missed_in_the_order_of_the_due_times(office: Office) -> None:
    later = office.start("watch")
    office.later(hours=-1)
    earlier = office.start("watch")
    office.later(days=30)
    assert run_due(office.database) == 2
    for case in (later, earlier):
        assert fired(office, case) == ["first", "next", "last"]
        assert list(office.items(case)) == ["escalated"]
        assert office.look(inbox.timers, case) == []
    assert office.sound()


def test_an_interrupting_timer_cancels_the_item_and_approves_nothing(office: Office) -> None:
    case = office.start("watch")
    task = office.item(case, "handle")
    office.act("登记员", items.claim, task)
    office.later(days=10)
    run_due(office.database)
    closed = office.look(inbox.task, task)
    assert (closed["closed_how"], closed["closed_by"]) == ("cancelled", CLOCK)
    refusal = office.refused("登记员", cases.complete, task, ANSWERS["handle"])
    assert isinstance(refusal, AlreadyDone)
    assert refusal.reasons == ("not_open",)
    assert office.row(case)["status"] == "open"
    office.do(case, "escalated", "负责人")
    # Whatever time passes: no work item is completed and nothing decided except by a person.
    people = set(office.who.values())
    done = [body for body in office.bodies(case) if body["type"] in ("task.completed", "case.closed")]
    assert done and {body["actor"]["id"] for body in done} <= people


def test_no_time_that_passes_completes_a_work_item(office: Office) -> None:
    waiting = [office.start(), office.start("watch"), office.start("caller")]
    for _ in range(20):
        office.later(days=45)
        run_due(office.database)
    for case in waiting:
        assert office.row(case)["status"] == "open"
        assert office.items(case)
        completed = [body["actor"]["id"] for body in office.bodies(case) if body["type"] == "task.completed"]
        assert completed == [office.who["甲"]]
    assert office.sound()


def test_an_overdue_notice_goes_to_the_role_and_the_item_stays(office: Office) -> None:
    case = office.start()
    office.later(days=8)
    assert run_due(office.database) == 1
    [notice] = office.look(inbox.notices, office.who["负责人"])
    assert (notice["zh"], notice["case"]) == ("审查超期", case)
    assert "notice.sent" in office.kinds(case)
    assert list(office.items(case)) == ["review"]
    [item] = office.look(inbox.tasks_for, office.who["登记员"])
    assert item["overdue"]
    office.do(case, "review", "登记员")


def test_whoever_acts_first_lets_the_due_timers_fire_before(office: Office) -> None:
    case = office.start("watch")
    office.later(days=3)
    office.do(case, "handle", "登记员")
    kinds = office.kinds(case)
    assert fired(office, case) == ["first", "next"]
    assert kinds.index("timer.fired") < len(kinds) - 1 - kinds[::-1].index("task.completed")
    by = {body["type"]: body["actor"]["id"] for body in office.bodies(case)}
    assert (by["timer.fired"], by["task.completed"]) == (CLOCK, office.who["登记员"])
    assert run_due(office.database) == 0
    assert office.sound()


@pytest.mark.parametrize("by", ["登记员", "路人"])
def test_an_act_that_comes_after_an_interrupting_timer_is_too_late(office: Office, by: str) -> None:
    case = office.start("watch")
    task = office.item(case, "handle")
    office.later(days=10)
    refusal = office.refused(by, cases.complete, task, ANSWERS["handle"])
    assert isinstance(refusal, AlreadyDone)
    # The refused act has changed nothing, not even let the timer fire; the worker still does.
    assert fired(office, case) == []
    assert run_due(office.database) == 1
    assert list(office.items(case)) == ["escalated"]
    assert office.sound()


@pytest.mark.parametrize("act", ["claim", "comment", "draft", "withdraw"])
def test_every_act_on_a_case_lets_its_due_timers_fire(office: Office, act: str) -> None:
    case = office.start("watch")
    task = office.item(case, "handle")
    office.later(days=1)
    match act:
        case "claim":
            office.act("登记员", items.claim, task)
        case "comment":
            office.act("登记员", items.comment, next(iter([task])).rpartition(".")[0], "收到")
        case "draft":
            office.act("登记员", items.save_draft, task, {"result": "未完"})
        case "withdraw":
            office.act("甲", cases.withdraw, task.rpartition(".")[0], {"reason": "不办了"})
    assert fired(office, task.rpartition(".")[0]) == ["first"]
    assert office.sound()


def test_a_stranger_moves_no_clock(office: Office) -> None:
    case = office.start("watch")
    task = office.item(case, "handle")
    office.later(days=1)
    assert isinstance(office.refused("路人", items.claim, task), NotYours)
    assert fired(office, case) == []


def test_timers_of_what_is_done_do_not_fire(office: Office) -> None:
    case = office.start("watch")
    office.do(case, "handle", "登记员")
    assert [row["element"] for row in office.look(inbox.timers, case)] == ["rest"]
    withdrawn = office.start("watch")
    office.act("甲", cases.withdraw, withdrawn, {"reason": "不办了"})
    office.later(days=20)
    assert run_due(office.database) == 0
    office.later(days=20)
    assert run_due(office.database) == 1
    assert office.row(case)["outcome"] == "handled"
    assert fired(office, withdrawn) == []
    assert isinstance(office.refused("甲", cases.withdraw, case, {"reason": "x"}), WrongState)
    assert office.sound()


def test_a_clock_that_is_set_back_fires_nothing_early_and_leaves_the_trail_in_order(office: Office) -> None:
    case = office.start("watch")
    office.later(days=1)
    run_due(office.database)
    office.later(days=-60)
    assert run_due(office.database) == 0
    office.do(case, "handle", "登记员")
    stamps = [body["ts"] for body in office.bodies(case)]
    assert stamps == sorted(stamps)
    noted = [body["clock"] for body in office.bodies(case) if "clock" in body]
    assert noted and all(clock < stamps[0] for clock in noted)
    assert office.sound()


# What goes wrong in one case.


def test_a_step_after_a_timer_that_cannot_be_done_stands_still_and_holds_up_no_other(office: Office) -> None:
    office.deploy(FAILING)
    stuck, well = (office.start("watch", matter=matter) for matter in ("卡住", "不卡"))
    office.later(days=1)
    run_due(office.database)
    assert fired(office, well) == fired(office, stuck) == ["first"]
    assert "incident.raised" in office.kinds(stuck) and "incident.raised" not in office.kinds(well)
    assert "count_first" in str(office.last(stuck))
    office.do(stuck, "handle", "登记员")  # other branches go on
    assert office.sound()


def test_what_one_timer_did_stands_though_the_step_behind_the_next_cannot_be_done(office: Office) -> None:
    """Both fire in one act: what is taken back is what belongs to the second alone."""
    said = {"register": "'account'", "key": "'k'", "value": "{'region_code': 'x'}"}
    kept = f'<serviceTask id="count_first">{operation("register.record", **said)}</serviceTask>'
    script = '<scriptTask id="count_first"><script>reminded = 1</script></scriptTask>'
    failing = '<scriptTask id="half"><script>half = 1 // 0</script></scriptTask>'
    flow = '<sequenceFlow id="f_half" sourceRef="half" targetRef="next_end"/>'
    office.deploy(
        package(
            "watch",
            ("process.bpmn", script, kept + failing + flow),
            ("process.bpmn", 'sourceRef="next" targetRef="next_end"', 'sourceRef="next" targetRef="half"'),
        )
    )
    case = office.start("watch")
    office.later(days=3)
    assert run_due(office.database) == 1
    assert fired(office, case) == ["first", "next"]
    assert "half" in str(office.last(case))
    assert "register.recorded" in office.kinds(case)
    assert office.look(registers.find, "account", "k") == {"region_code": "x", "key": "k"}
    assert office.sound()


def test_timers_that_are_due_again_at_once_for_ever_are_an_incident_and_hold_up_no_other_case(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.deploy(AGAIN_AND_AGAIN)
    stuck = [office.start("watch") for _ in range(3)]
    for case in stuck:
        office.do(case, "handle", "登记员")
    before = [office.row(case) for case in stuck]
    well = office.start("watch")
    office.later(days=2)
    with caplog.at_level(logging.ERROR, "liuhen.worker"):
        assert run_due(office.database, limit=2) == 1
    assert all(case in caplog.text for case in stuck)
    assert fired(office, well) == ["first", "next"]
    assert isinstance(office.refused("甲", items.comment, stuck[0], "在吗"), Incident)
    assert [office.row(case) for case in stuck] == before
    assert office.sound()


def test_a_worker_runs_until_it_is_told_to_stop_and_survives_a_failure(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    case = office.start("watch")
    office.later(days=1)
    failures = iter([RuntimeError("the clock is broken")])

    def clock() -> datetime:
        for failure in failures:
            raise failure
        return office.clock()

    own, stop = Database(office.url, clock), threading.Event()
    worker = threading.Thread(target=run_forever, args=(own, stop, 0.01), daemon=True)
    with caplog.at_level(logging.ERROR, "liuhen.worker"):
        worker.start()
        try:
            for _ in range(500):
                if fired(office, case):
                    break
                stop.wait(0.02)
        finally:
            stop.set()
            worker.join(10)
            own.close()
    assert not worker.is_alive()
    assert fired(office, case) == ["first"]
    assert "the clock is broken" in caplog.text
