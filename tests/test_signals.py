"""A signal comes to every case and start event that waits for it when it is thrown: once each, in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import cases, items, migration, signals, suspending
from engine.desk import Desk
from engine.errors import NotFound, NotYours
from engine.library import Package
from engine.model import CaseFile, Delivery, Listener
from engine.work import SYSTEM, Request
from engine.worker import run_due
from tests.begun import BELL, ECHO, END, LOOK, TASK, process, started_by, throws, timer, waits_for
from tests.office import Office

pytest_plugins = ["tests.furnished"]

SEEN = {"seen": True}


def count(office: Office, of: Any) -> int:
    with office.database.look(SYSTEM) as work:
        return int(work.db.execute(select(func.count()).select_from(of)).scalar_one())


def throw(office: Office) -> str:
    """Somebody ends a case of the process that throws."""
    return str(office.act("登记员", cases.start, "throwing", SEEN))


def wait(office: Office, number: int = 1, key: str = "waiting") -> list[str]:
    """Cases that wait."""
    return [office.act("登记员", cases.start, key, SEEN) for _ in range(number)]


def closed(office: Office, *cases: str) -> list[bool]:
    return [office.row(case)["status"] == "closed" for case in cases]


def test_a_signal_comes_to_every_case_that_waits_for_it_and_to_no_other(office: Office) -> None:
    office.deploy(waits_for(BELL), waits_for(ECHO, "deaf"), throws(BELL))
    first, second = wait(office, 2)
    [deaf] = wait(office, key="deaf")
    source = throw(office)
    assert closed(office, first, second, source) == [False, False, True]  # only the clock lets it arrive
    late, = wait(office)
    assert run_due(office.database) == 2
    assert closed(office, first, second, late, deaf) == [True, True, False, False]
    caught = next(body for body in office.bodies(first) if body["type"] == "signal.caught")
    assert (caught["actor"], caught["data"]["source"]) == ({"id": "clock"}, source)
    assert run_due(office.database) == 0
    assert (count(office, Delivery), count(office, Listener)) == (0, 2)
    assert office.sound()


def test_a_signal_starts_a_case_of_every_start_event_that_waits_for_it(office: Office) -> None:
    office.deploy(started_by(BELL), started_by(BELL, "second"), started_by(ECHO, "third"), throws(BELL))
    source = throw(office)
    throw(office)
    assert run_due(office.database) == 4
    with office.database.look(SYSTEM) as work:
        query = select(CaseFile.process, CaseFile.applicant, CaseFile.id, CaseFile.number).order_by(CaseFile.number)
        rows = [row for row in work.db.execute(query) if row.process in ("begun", "second", "third")]
    assert [(row.process, row.applicant) for row in rows] == [("begun", None)] * 2 + [("second", None)] * 2
    told = office.bodies(rows[0].id)
    assert (told[0]["data"]["by"], told[1]["type"], told[1]["data"]["source"]) == ("signal", "signal.caught", source)
    assert office.sound()


def test_what_a_new_version_waits_for_is_what_counts(office: Office) -> None:
    office.deploy(started_by(BELL), throws(BELL))
    throw(office)
    office.deploy(started_by(ECHO))
    throw(office)
    assert run_due(office.database) == 1  # the first was thrown when the older version stood


def test_inside_its_own_case_a_signal_is_heard_at_once_and_not_again(office: Office) -> None:
    body = (
        f'<startEvent id="s"/>{TASK}<parallelGateway id="g"/><intermediateCatchEvent id="c">{BELL}'
        f'</intermediateCatchEvent><intermediateThrowEvent id="x">{BELL}</intermediateThrowEvent>'
        f'<endEvent id="d" policy:outcome="heard"/>{END}'
    )
    office.deploy(process("both", body, "s -> look\nlook -> g\ng -> c\ng -> x\nc -> d\nx -> e", LOOK))
    [case] = wait(office, key="both")
    assert closed(office, case) == [True]
    assert office.kinds(case).count("signal.caught") == 1
    assert (run_due(office.database), count(office, Delivery)) == (0, 0)


def beside(key: str = "counting") -> Package:
    """A case in which a signal comes beside a work item, again and again."""
    bell = f'<boundaryEvent id="b" attachedToRef="wait" cancelActivity="false">{BELL}</boundaryEvent>'
    script = '<scriptTask id="t"><script>rings = rings + 1</script></scriptTask>'
    script += '<scriptTask id="z"><script>rings = 0</script></scriptTask>'
    again = '<userTask id="wait" policy:form="look" policy:role="registrar"/><endEvent id="n" policy:outcome="rung"/>'
    lines = "s -> look\nlook -> z\nz -> wait\nwait -> e\nb -> t\nt -> n"
    return process(key, f'<startEvent id="s"/>{TASK}{script}{again}{bell}{END}', lines, LOOK)


def rings(office: Office, case: str) -> Any:
    with office.database.look(SYSTEM) as work:
        return Desk.thawed(work, dict(office.row(case))).instance.scopes.table[1].values["rings"]


def test_an_event_that_goes_on_waiting_hears_each_of_several_signals_once(office: Office) -> None:
    office.deploy(beside(), throws(BELL))
    [case] = wait(office, key="counting")
    for _ in range(3):
        throw(office)
    run_due(office.database)
    assert rings(office, case) == 3
    throw(office)
    assert run_due(office.database) == 1
    assert rings(office, case) == 4
    assert office.sound()


def test_whoever_acts_on_a_case_lets_what_is_on_its_way_arrive_first(office: Office) -> None:
    office.deploy(beside(), throws(BELL))
    [case] = wait(office, key="counting")
    throw(office)
    office.act("登记员", items.claim, office.item(case, "wait"))
    assert rings(office, case) == 1
    throw(office)
    office.act("登记员", cases.complete, office.item(case, "wait"), SEEN)
    assert office.kinds(case).count("signal.caught") == 2
    assert (run_due(office.database), count(office, Delivery)) == (0, 0)
    assert office.sound()


def test_a_case_that_is_closed_meanwhile_hears_nothing_and_holds_up_no_other(office: Office) -> None:
    office.deploy(waits_for(BELL), throws(BELL))
    first, second = wait(office, 2)
    throw(office)
    with office.database.work(SYSTEM) as work:  # as an administrator may close one by hand
        desk = Desk.thawed(work, dict(office.row(first)))
        desk.instance.abandon("withdrawn")
        desk.keep()
    assert run_due(office.database) == 1
    assert (closed(office, second), count(office, Delivery)) == ([True], 0)
    assert "signal.caught" not in office.kinds(first)


def test_timers_and_signals_come_in_the_order_of_their_instants(office: Office) -> None:
    event = (
        f'<startEvent id="s"/>{TASK}<eventBasedGateway id="g"/><intermediateCatchEvent id="c">{BELL}'
        f'</intermediateCatchEvent><intermediateCatchEvent id="t">{timer("P1D")}</intermediateCatchEvent>'
        '<endEvent id="heard" policy:outcome="heard"/><endEvent id="late" policy:outcome="late"/>'
    )
    office.deploy(process("either", event, "s -> look\nlook -> g\ng -> c\ng -> t\nc -> heard\nt -> late", LOOK))
    office.deploy(throws(BELL))
    [before] = wait(office, key="either")
    office.later(hours=1)
    throw(office)
    office.later(days=2)
    [after] = wait(office, key="either")
    office.later(days=2)
    throw(office)
    run_due(office.database)
    assert [office.row(case)["outcome"] for case in (before, after)] == ["heard", "late"]


def test_many_workers_let_each_signal_arrive_once(office: Office) -> None:
    office.deploy(beside(), started_by(BELL), throws(BELL))
    waiting = wait(office, 3, key="counting")
    for _ in range(4):
        throw(office)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run_due(office.database), range(4)))
    while run_due(office.database):  # those that somebody else held meanwhile
        pass
    assert [rings(office, case) for case in waiting] == [4, 4, 4]
    with office.database.look(SYSTEM) as work:
        numbers = [row["number"][-5:] for row in work.rows(select(CaseFile.number).where(CaseFile.process == "begun"))]
    assert sorted(numbers) == [f"{number:05d}" for number in range(1, 5)]
    assert office.sound()


def test_an_automatic_step_behind_a_signal_that_fails_is_an_incident_of_that_case_only(office: Office) -> None:
    script = '<scriptTask id="t"><script>half = 1 // 0</script></scriptTask>'
    body = f'<startEvent id="s"/>{TASK}<intermediateCatchEvent id="c">{BELL}</intermediateCatchEvent>{script}{END}'
    office.deploy(process("broken", body, "s -> look\nlook -> c\nc -> t\nt -> e", LOOK), waits_for(BELL), throws(BELL))
    [broken], [well] = wait(office, key="broken"), wait(office)
    source = throw(office)
    run_due(office.database)
    assert "incident.raised" in office.kinds(broken)
    assert closed(office, source, well) == [True, True]
    assert count(office, Delivery) == 0


def test_processes_that_answer_each_other_by_signals_without_end_are_stopped(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST_GENERATIONS", 5)
    for key, hears, says in (("ping", BELL, ECHO), ("pong", ECHO, BELL)):
        body = f'<startEvent id="s">{hears}</startEvent><endEvent id="e" policy:outcome="done">{says}</endEvent>'
        office.deploy(process(key, body, "s -> e"))
    office.hire("流程主", "process_owner")
    office.act("流程主", signals.send, "bell")
    run_due(office.database)
    with office.database.look(SYSTEM) as work:
        rows = work.rows(select(CaseFile.id, CaseFile.status).where(CaseFile.process.in_(["ping", "pong"])))
    assert len(rows) == 5
    [stuck] = [row["id"] for row in rows if row["status"] == "open"]
    raised = next(body for body in office.bodies(stuck) if body["type"] == "incident.raised")
    assert "answer each other" in raised["data"]["en"]
    assert office.sound()


def test_a_signal_from_outside_is_sent_by_owners_and_administrators_only(office: Office) -> None:
    office.deploy(waits_for(BELL), started_by(BELL))
    [case] = wait(office)
    assert isinstance(office.refused("登记员", signals.send, "bell"), NotYours)
    assert isinstance(office.refused("管理员", signals.send, "bel"), NotFound)
    request = Request.of("k", "signal")
    assert [office.act("管理员", signals.send, "bell", request=request) for _ in range(2)] == [2, 2]
    assert run_due(office.database) == 2
    assert closed(office, case) == [True]
    sent = office.last("sys/signals")
    assert (sent["type"], sent["data"], sent["actor"]["id"]) == (
        "signal.sent", {"signal": "bell", "reached": 2}, office.who["管理员"],
    )  # fmt: skip
    assert office.act("管理员", signals.send, "bell") == 1  # the start event waits on; the case does not
    assert office.sound()


def test_a_case_begun_by_a_signal_may_throw_what_another_waits_for(office: Office) -> None:
    echo = f'<intermediateThrowEvent id="x">{ECHO}</intermediateThrowEvent>'
    body = f'<startEvent id="s">{BELL}</startEvent>{echo}{TASK}{END}'
    office.deploy(process("relay", body, "s -> x\nx -> look\nlook -> e", LOOK), waits_for(ECHO), throws(BELL))
    [case] = wait(office)
    throw(office)
    assert run_due(office.database) == 2
    assert closed(office, case) == [True]


def test_a_suspended_case_hears_what_was_thrown_meanwhile_when_it_goes_on(office: Office) -> None:
    office.deploy(waits_for(BELL), throws(BELL))
    [case] = wait(office)
    office.act("合规", suspending.suspend, case, "investigation", "有人举报")
    throw(office)
    assert run_due(office.database) == 0
    assert closed(office, case) == [False]
    office.act("合规", suspending.resume, case, "查无实据")
    run_due(office.database)
    assert closed(office, case) == [True]
    assert office.kinds(case).count("signal.caught") == 1


def test_a_case_that_changed_its_version_still_hears(office: Office) -> None:
    package = waits_for(BELL)
    office.deploy(package, throws(BELL))
    [case] = wait(office)
    other = package.files["process.bpmn"].decode().replace("看一看", "再看一看").encode()
    [second] = office.deploy(Package("waiting", {**package.files, "process.bpmn": other}))
    office.hire("流程主", "process_owner")
    office.act("流程主", migration.migrate, case, second.id)
    throw(office)
    assert run_due(office.database) == 1
    assert closed(office, case) == [True]
