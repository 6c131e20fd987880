"""Events of the diagram at the engine's doors: a worker that slept, a message with a key, an error nobody catches."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine import cases
from engine.errors import WrongState
from engine.worker import run_due
from tests.office import MORNING, Office, package

pytest_plugins = ["tests.furnished"]

DURATION, CYCLE = "<timeDuration>P1D</timeDuration>", "<timeCycle>{}</timeCycle>"


def watching(office: Office, cycle: str) -> str:
    """A case whose first reminder comes again and again."""
    office.deploy(package("watch", ("process.bpmn", DURATION, CYCLE.format(cycle))))
    return office.start("watch")


def fired(office: Office, case: str, element: str) -> list[datetime]:
    """When the timer of an element was due, each time it came."""
    told = [body for body in office.bodies(case) if body["type"] == "timer.fired"]
    return [datetime.fromisoformat(body["data"]["due"]) for body in told if body["process"]["element"] == element]


def test_a_worker_that_slept_for_a_week_makes_up_for_every_missed_time_once_and_in_order(office: Office) -> None:
    case = watching(office, "R/P1D")
    office.later(days=7, hours=1)
    assert run_due(office.database) == 1
    assert fired(office, case, "first") == [MORNING + timedelta(days=day) for day in range(1, 8)]
    told = [body["data"]["due"] for body in office.bodies(case) if body["type"] == "timer.fired"]
    assert told == sorted(told) and len(told) == 8  # the other reminder came in its place
    assert run_due(office.database) == 0
    office.later(days=-3)  # a clock set back
    assert run_due(office.database) == 0
    office.later(days=4)
    assert run_due(office.database) == 1
    assert len(fired(office, case, "first")) == 8
    assert office.sound()


def test_a_cycle_that_is_bounded_ends(office: Office) -> None:
    case = watching(office, "R2/PT12H")
    office.later(days=5)
    run_due(office.database)
    assert fired(office, case, "first") == [MORNING + timedelta(hours=hours) for hours in (12, 24)]


def test_a_message_with_a_key_comes_only_to_the_event_that_waits_for_it(office: Office) -> None:
    keyed = ("process.bpmn", 'policy:form="withdraw"', 'policy:form="withdraw" policy:key="case[\'number\']"')
    office.deploy(package("watch", keyed))
    case = office.start("watch")
    refusal = office.refused("甲", cases.send, case, "withdraw", {"reason": "不办了"}, key="other")
    assert isinstance(refusal, WrongState)
    office.act("甲", cases.send, case, "withdraw", {"reason": "不办了"}, key=office.row(case)["number"])
    assert office.row(case)["outcome"] == "withdrawn"
    sent = next(body for body in office.bodies(case) if body["type"] == "message.sent")
    assert sent["data"]["key"] == office.row(case)["number"]


def test_an_event_subprocess_of_the_process_ends_the_case(office: Office) -> None:
    handler = """<subProcess id="halt" name="中止" triggeredByEvent="true">
      <startEvent id="halted" policy:sender="applicant"><messageEventDefinition messageRef="m_halt"/></startEvent>
      <sequenceFlow id="f_halted" sourceRef="halted" targetRef="halt_end"/>
      <endEvent id="halt_end" policy:outcome="halted"/></subProcess></process>"""
    message = '<message id="m_halt" name="halt"/><message id="m_withdraw"'
    changes = [("process.bpmn", "</process>", handler), ("process.bpmn", '<message id="m_withdraw"', message)]
    office.deploy(package("watch", *changes))
    case = office.start("watch")
    office.act("甲", cases.send, case, "halt", {})
    row = office.row(case)
    assert (row["status"], row["outcome"], office.items(case)) == ("closed", "halted", {})
    assert office.sound()
