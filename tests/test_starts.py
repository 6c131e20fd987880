"""Cases that begin when a message, an instant or a condition comes: once for each coming, on the newest version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import beginnings, cases, definitions, registers, start_events, starting
from engine.desk import open_desk
from engine.errors import Invalid, NotFound, NotYours, Unusable
from engine.library import Library, Package
from engine.model import CaseFile
from engine.work import CLOCK, SYSTEM, Request
from engine.worker import run_due
from forms.words import Unfit
from tests.begun import ASK, END, LOOK, TASK, condition, form, operation, process, started_by, timer
from tests.office import MORNING, Office

pytest_plugins = ["tests.furnished"]


def found(office: Office, key: str = "begun") -> list[dict[str, Any]]:
    """The cases of a process, by number."""
    with office.database.look(SYSTEM) as work:
        query = select(*CaseFile.__table__.columns).where(CaseFile.process == key)
        return work.rows(query.order_by(CaseFile.number))


def told(office: Office, kind: str, key: str = "begun") -> list[Any]:
    """What events of this kind say, case by case."""
    return [body["data"] for row in found(office, key) for body in office.bodies(row["id"]) if body["type"] == kind]


def dues(office: Office) -> list[timedelta]:
    """When the timers were due that started cases, counted from the morning."""
    return [datetime.fromisoformat(data["due"]) - MORNING for data in told(office, "timer.fired")]


# Messages.


def test_a_message_starts_a_case_of_whoever_sent_it(office: Office) -> None:
    question = form("question", matter="text, required: true")
    package = started_by(ASK, sender="contract_applicant", form="question")
    office.deploy(Package("begun", {**package.files, **dict([question])}))
    assert isinstance(office.refused("登记员", starting.by_message, "ask", {"matter": "何时"}), NotYours)
    assert isinstance(office.refused("甲", starting.by_message, "ask", {}), Invalid)
    assert found(office) == []
    assert office.last("sys/attempts")["data"]["verb"] == "ask"
    case = office.act("甲", starting.by_message, "ask", {"matter": "何时"})
    [row] = found(office)
    assert (row["id"], row["applicant"], row["parent"]) == (case, office.who["甲"], None)
    assert office.kinds(case)[:4] == ["case.started", "message.sent", "message.received", "task.opened"]
    assert office.bodies(case)[0]["data"]["start"] == "s"
    assert list(office.items(case)) == ["look"]
    with office.database.look(SYSTEM) as work:
        desk = open_desk(work, case)
        assert desk.instance.scopes.table[1].values == {"matter": "何时", "s": {"matter": "何时"}}
    office.act("甲", cases.withdraw, case, {"reason": "不问了"})
    assert office.sound()


def test_the_same_message_sent_twice_starts_one_case(office: Office) -> None:
    office.deploy(started_by(ASK, sender="contract_applicant"))
    request = Request.of("k", "ask")
    answers = {office.act("甲", starting.by_message, "ask", {}, request=request) for _ in range(2)}
    assert [row["id"] for row in found(office)] == list(answers)


@pytest.mark.parametrize(
    ("sender", "may"),
    [
        ("anyone", {"甲", "登记员", "路人"}),
        ("registrar, contract_applicant", {"甲", "登记员"}),
        ("=people('registrar')", {"登记员"}),
        ("=['registrar'] if today > date('2026-01-01') else None", {"登记员"}),
    ],
)
def test_who_may_start_by_a_message_is_said_by_its_sender(office: Office, sender: str, may: set[str]) -> None:
    office.deploy(started_by(ASK, sender=sender.replace(">", "&gt;")))
    for name in ("甲", "登记员", "路人"):
        offered = office.look(starting.sendable, by=name)
        assert [each["name"] for each in offered] == (["ask"] if name in may else [])
        if name in may:
            office.act(name, starting.by_message, "ask", {})
        else:
            assert isinstance(office.refused(name, starting.by_message, "ask", {}), NotYours)
    assert len(found(office)) == len(may)


def test_a_message_that_starts_nothing_or_several_processes_is_refused(office: Office) -> None:
    office.deploy(started_by(ASK, sender="anyone"), started_by(ASK, "second", sender="anyone"))
    assert isinstance(office.refused("甲", starting.by_message, "other", {}), NotFound)
    refusal = office.refused("甲", starting.by_message, "ask", {})
    assert isinstance(refusal, Unusable) and "begun, second" in refusal.text.en
    assert isinstance(office.refused("甲", starting.by_message, "ask", {"x": 1}, "begun"), Unusable)
    office.act("甲", starting.by_message, "ask", {}, "second")
    assert (len(found(office)), len(found(office, "second"))) == (0, 1)


def test_a_process_that_only_events_start_is_not_started_by_hand(office: Office) -> None:
    office.deploy(started_by(ASK, sender="anyone"))
    refusal = office.refused("甲", cases.start, "begun", {"seen": True})
    assert isinstance(refusal, Unusable) and "by events only" in refusal.text.en


def test_each_start_event_of_a_process_starts_cases_of_its_own(office: Office) -> None:
    body = (
        f'<startEvent id="s"/><startEvent id="m" policy:sender="anyone">{ASK}</startEvent>'
        f'<startEvent id="t">{timer("P1D")}</startEvent>{TASK}{END}'
    )
    office.deploy(process("begun", body, "s -> look\nm -> look\nt -> look\nlook -> e", LOOK))
    office.act("登记员", cases.start, "begun", {"seen": True})
    office.act("甲", starting.by_message, "ask", {})
    office.later(days=1)
    assert run_due(office.database) == 1
    assert [(row["applicant"], row["status"]) for row in found(office)] == [
        (office.who["登记员"], "closed"), (office.who["甲"], "open"), (None, "open"),
    ]  # fmt: skip


def test_an_automatic_step_that_fails_at_the_start_loses_neither_message_nor_case(office: Office) -> None:
    script = '<scriptTask id="t"><script>half = 1 // 0</script></scriptTask>'
    body = f'<startEvent id="s" policy:sender="anyone">{ASK}</startEvent>{script}{TASK}{END}'
    office.deploy(process("begun", body, "s -> t\nt -> look\nlook -> e", LOOK))
    case = office.act("甲", starting.by_message, "ask", {})
    assert office.kinds(case) == ["case.started", "message.sent", "message.received", "incident.raised"]
    assert office.sound()


# Instants.


def test_a_duration_starts_one_case_when_it_is_over_and_nobody_is_its_applicant_yet(office: Office) -> None:
    office.deploy(started_by(timer("P2D")))
    office.later(days=2, microseconds=-1)
    assert run_due(office.database) == 0
    office.later(microseconds=1)
    assert run_due(office.database) == 1
    office.later(days=30)
    assert run_due(office.database) == 0
    [row] = found(office)
    assert (row["applicant"], dues(office)) == (None, [timedelta(days=2)])
    assert office.bodies(row["id"])[0]["actor"] == {"id": CLOCK}
    office.act("登记员", cases.complete, office.item(row["id"], "look"), {"seen": True})
    assert office.row(row["id"])["applicant"] == office.who["登记员"]
    assert office.sound()


def test_a_cycle_does_not_drift_and_a_worker_that_slept_makes_up_for_each_time_once(office: Office) -> None:
    office.deploy(started_by(timer("R/P1D")))
    office.later(days=1, hours=7)
    assert run_due(office.database) == 1
    office.later(days=6)
    assert run_due(office.database) == 6
    assert run_due(office.database) == 0
    assert dues(office) == [timedelta(days=day) for day in range(1, 8)]
    office.later(days=-3)  # a clock set back
    assert run_due(office.database) == 0
    office.later(days=3, hours=17)
    assert run_due(office.database) == 1
    assert dues(office)[-1] == timedelta(days=8)


def test_a_bounded_cycle_ends_and_months_end_where_they_end(office: Office) -> None:
    office.clock.instant = datetime(2026, 1, 31, 9, tzinfo=MORNING.tzinfo)
    office.deploy(started_by(timer("R3/P1M")))
    office.later(days=365)
    assert run_due(office.database) == 3
    due = [datetime.fromisoformat(data["due"]).astimezone(MORNING.tzinfo) for data in told(office, "timer.fired")]
    assert [day.date().isoformat() for day in due] == ["2026-02-28", "2026-03-31", "2026-04-30"]


def test_of_more_missed_times_than_are_made_up_for_the_oldest_are_told_as_missed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginnings, "MOST_MISSED", 3)
    office.deploy(started_by(timer("R/PT1H")))
    office.later(days=2)
    assert run_due(office.database) == 3
    assert dues(office) == [timedelta(hours=hours) for hours in (46, 47, 48)]
    missed = office.last("sys/starts")
    assert (missed["type"], missed["data"]["missed"], missed["data"]["element"]) == ("start.missed", 45, "s")
    office.later(hours=1)
    assert run_due(office.database) == 1
    assert office.sound()


def test_a_date_is_computed_from_parameters_and_registers_when_the_version_is_deployed(office: Office) -> None:
    office.deploy(started_by(timer("add_working_days(today, 3)")))
    office.later(days=3)
    assert run_due(office.database) == 0
    office.later(days=1)
    assert run_due(office.database) == 1
    office.deploy(started_by(timer("None"), "never"))
    office.later(days=1000)
    assert run_due(office.database) == 0
    with pytest.raises(Unfit) as refused:
        office.deploy(started_by(timer("params['no_such_day']"), "wrong"))
    assert refused.value.findings[0].line > 0


def test_only_the_newest_version_starts_and_one_whose_timer_stayed_the_same_goes_on_counting(office: Office) -> None:
    office.deploy(started_by(timer("R/P4D")))
    office.later(days=3)
    note = '<textAnnotation id="note"><text>第二版</text></textAnnotation>'
    [second] = office.deploy(started_by(timer("R/P4D"), more=note))
    office.later(days=1)
    assert run_due(office.database) == 1
    assert [row["definition"] for row in found(office)] == [second.id]
    office.deploy(started_by(timer("R/P5D"), more=note))  # counts from here
    office.later(days=4)
    assert run_due(office.database) == 0
    office.later(days=1)
    assert run_due(office.database) == 1
    office.deploy(started_by(ASK, more=note, sender="anyone"))
    office.later(days=100)
    assert run_due(office.database) == 0


def test_a_timer_that_has_fired_does_not_fire_again_with_the_next_version(office: Office) -> None:
    office.deploy(started_by(timer("date('2026-03-03')")))
    office.later(days=2)
    assert run_due(office.database) == 1
    note = '<textAnnotation id="n"><text>二</text></textAnnotation>'
    office.deploy(started_by(timer("date('2026-03-03')"), more=note))
    assert run_due(office.database) == 0


def test_many_workers_start_one_case_for_each_time(office: Office) -> None:
    office.deploy(started_by(timer("R/PT1H")))
    office.later(hours=6)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: run_due(office.database), range(4)))
    while run_due(office.database):  # those that somebody else held meanwhile
        pass
    assert sum(done) <= 6
    assert dues(office) == [timedelta(hours=hours) for hours in range(1, 7)]


def test_a_start_that_fails_holds_up_no_other_and_is_tried_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.deploy(started_by(timer("P1D"), "first"), started_by(timer("P1D"), "second"))
    office.later(days=1)
    right = starting.by_itself

    def failing(work: Any, definition: str, element: str, kind: str, about: Any) -> str:
        if definitions.deployed(work, definition).process == "first":
            raise Unusable("坏了", "broken")
        return right(work, definition, element, kind, about)

    monkeypatch.setattr(beginnings, "by_itself", failing)
    run_due(office.database)
    run_due(office.database)
    assert (len(found(office, "first")), len(found(office, "second"))) == (0, 1)
    failed = [body for body in office.bodies("sys/starts") if body["type"] == "start.failed"]
    assert [(body["data"]["process"], body["data"]["en"]) for body in failed] == [("first", "broken")]
    assert office.look(start_events.standing, "first")[0]["en"] == "broken"
    monkeypatch.undo()
    run_due(office.database)
    assert len(found(office, "first")) == 1
    assert office.look(start_events.standing, "first")[0]["en"] is None


def test_a_register_key_that_another_case_holds_makes_a_case_of_the_clock_stand_still(office: Office) -> None:
    """Nobody is there to be refused, and the occurrence must not be tried for ever."""
    said = {"register": "'account'", "key": "'k'", "value": "{'region_code': 'x'}"}
    keep = f'<serviceTask id="keep">{operation("register.record", **said)}</serviceTask>'
    body = f'<startEvent id="s">{timer("R2/P1D")}</startEvent>{keep}{TASK}{END}'
    office.deploy(process("begun", body, "s -> keep\nkeep -> look\nlook -> e", LOOK))
    office.later(days=2)
    assert run_due(office.database) == 2
    first, second = (row["id"] for row in found(office))
    assert (list(office.items(first)), list(office.items(second))) == (["look"], [])
    assert "incident.raised" in office.kinds(second)
    assert run_due(office.database) == 0
    assert office.sound()


# Conditions.

STATE = "find('account', 'k') is not None and find('account', 'k')['region_code'] == 'x'"


def write(office: Office, region: str) -> None:
    """Write a register record that a condition reads."""
    kind = Library.standing().vocabulary().registers["account"]
    with office.database.work(SYSTEM) as work:
        registers.record(work, kind, "k", {"region_code": region}, case=None, element="test", supersede="any")


def test_a_condition_starts_a_case_each_time_it_begins_to_hold(office: Office) -> None:
    office.deploy(started_by(condition(STATE)))
    assert run_due(office.database) == 0
    for region, count in (("y", 0), ("x", 1), ("x", 0), ("y", 0), ("x", 1)):
        write(office, region)
        assert run_due(office.database) == count, region
    assert [row["applicant"] for row in found(office)] == [None, None]
    assert len(told(office, "condition.met")) == 2
    assert office.sound()


def test_a_condition_looks_at_the_day_and_the_parameters(office: Office) -> None:
    office.deploy(started_by(condition("today &gt;= date('2026-03-04')")))
    assert run_due(office.database) == 0
    office.later(days=2)
    assert run_due(office.database) == 1
    assert run_due(office.database) == 0


def test_a_new_version_does_not_start_again_while_the_same_condition_still_holds(office: Office) -> None:
    write(office, "x")
    office.deploy(started_by(condition(STATE)))
    assert run_due(office.database) == 1
    office.deploy(started_by(condition(STATE), more='<textAnnotation id="n"><text>二</text></textAnnotation>'))
    assert run_due(office.database) == 0


def test_a_condition_that_cannot_be_evaluated_is_told_once_and_starts_nothing(office: Office) -> None:
    office.deploy(started_by(condition("find('account', 'k')['region_code'] == 'x'")))
    for _ in range(3):
        assert run_due(office.database) == 0
    failed = [body for body in office.bodies("sys/starts") if body["type"] == "start.failed"]
    assert len(failed) == 1
    write(office, "x")
    assert run_due(office.database) == 1
    assert office.look(start_events.standing, "begun")[0]["en"] is None
