"""Events of the diagram at the engine's doors: a worker that slept, a message with a key, an error nobody catches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine import cases, inbox
from engine.errors import NotYours, WrongState
from engine.library import Package
from engine.worker import run_due
from forms.words import Unfit
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


ERROR = '<error id="er" name="Overdue" errorCode="E1"/>'
THROWN = '><errorEventDefinition errorRef="er"/></endEvent>'


def test_an_error_that_nobody_catches_is_refused_before_any_case_runs_into_it(office: Office) -> None:
    end, message = '<endEvent id="next_end"/>', '<message id="m_withdraw"'
    changes = [("process.bpmn", end, end.replace("/>", THROWN)), ("process.bpmn", message, ERROR + message)]
    with pytest.raises(Unfit) as refusal:
        office.deploy(package("watch", *changes))
    assert [(finding.code, finding.element) for finding in refusal.value.findings] == [("uncaught-error", "next_end")]


def test_the_error_of_a_called_process_is_caught_by_its_caller_or_the_caller_is_refused(office: Office) -> None:
    called, end = '<process id="looked_up"', '<endEvent id="end" policy:outcome="looked_up"/>'
    fails = [("process.bpmn", called, ERROR + called), ("process.bpmn", end, f'<endEvent id="end"{THROWN}')]
    office.deploy(package("looked_up", *fails))
    with pytest.raises(Unfit) as refusal:
        office.deploy(package("caller"))
    assert [(finding.code, finding.element) for finding in refusal.value.findings] == [("uncaught-error", "call")]
    caught = (
        '<boundaryEvent id="failed" attachedToRef="call"><errorEventDefinition/></boundaryEvent>'
        '<endEvent id="fails" policy:outcome="failed"/>'
        '<sequenceFlow id="f_failed" sourceRef="failed" targetRef="fails"/><sequenceFlow id="f_call"'
    )
    office.deploy(package("caller", ("process.bpmn", '<sequenceFlow id="f_call"', caught)))
    case = office.start("caller")
    office.do(case, "look_up", "专家一")
    assert office.row(case)["outcome"] == "failed"


PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy" targetNamespace="t">
  <process id="panel" name="会审" isExecutable="true" policy:series="HS">
    <startEvent id="s"/><userTask id="open" policy:role="contract_applicant" policy:assignee="applicant"/>
    <subProcess id="part"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>
      </multiInstanceLoopCharacteristics>
      <startEvent id="ps"/><userTask id="draft" policy:role="registrar"/>
      <exclusiveGateway id="gate" default="on"/><userTask id="check" policy:role="registrar" policy:fourEyes="draft"/>
      <endEvent id="pe"/>
      <sequenceFlow id="p1" sourceRef="ps" targetRef="draft"/><sequenceFlow id="p2" sourceRef="draft" targetRef="gate"/>
      <sequenceFlow id="p3" sourceRef="gate" targetRef="draft"><conditionExpression>again</conditionExpression>
      </sequenceFlow>
      <sequenceFlow id="on" sourceRef="gate" targetRef="check"/><sequenceFlow id="p4" sourceRef="check" targetRef="pe"/>
    </subProcess><endEvent id="e" policy:outcome="done"/>
    <sequenceFlow id="f1" sourceRef="s" targetRef="open"/><sequenceFlow id="f2" sourceRef="open" targetRef="part"/>
    <sequenceFlow id="f3" sourceRef="part" targetRef="e"/>
  </process>
</definitions>"""
FORM = """id: {id}
title: {{zh: 表, en: Form}}
fields: [{{code: {code}, kind: yes_no, label: {{zh: 是否, en: Whether}}, required: true}}]
"""


def test_four_eyes_see_what_was_done_in_one_member_also_while_another_begins_again(office: Office) -> None:
    codes = {"open": "opened", "draft": "again", "check": "checked"}
    files = {f"forms/{name}.yaml": FORM.format(id=name, code=code).encode() for name, code in codes.items()}
    office.deploy(Package("panel", {"process.bpmn": PANEL.encode(), **files}))
    case = office.act("甲", cases.start, "panel", {"opened": True})
    first, second = (row["id"] for row in open_items(office, case))
    office.act("登记员", cases.complete, first, {"again": False})
    office.act("登记员二", cases.complete, second, {"again": True})  # this member's draft opens once more
    check = next(row["id"] for row in open_items(office, case) if row["element"] == "check")
    refusal = office.refused("登记员", cases.complete, check, {"checked": True})
    assert isinstance(refusal, NotYours)


def open_items(office: Office, case: str) -> list[dict[str, Any]]:
    """The open work items of a case, oldest first."""
    rows = office.look(inbox.items_of, case)
    return sorted((dict(row) for row in rows if row["closed_at"] is None), key=lambda row: int(row["token"]))


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
