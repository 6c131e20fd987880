"""Incidents: an automatic step that cannot be done loses nobody's answer, and an administrator brings the case on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import cases, inbox, incidents
from engine.errors import Unusable
from engine.model import RegisterRecord, Submission
from engine.worker import run_due
from tests.office import Office, attempt_told, package

pytest_plugins = ["tests.furnished"]

BROKEN = ("process.bpmn", "is_large = amount_fen &gt; 100_000", "is_large = 100_000 // (amount_fen - 300) &gt; 5")
BROKEN_AFTER = ("process.bpmn", "'status': 'registered'}", "'status': text(100 // (amount_fen - 300))}")


@pytest.fixture
def broken(office: Office) -> Office:
    office.deploy(package("permit", BROKEN))
    return office


def only(office: Office, case: str) -> dict[str, Any]:
    (found,) = office.look(incidents.standing_still, case)
    return dict(found)


def test_the_answer_stands_and_the_case_shows_cause_and_element(broken: Office) -> None:
    case = broken.start(amount_fen=300)
    assert broken.items(case) == {}
    incident = only(broken, case)
    assert incident["element"] == "prepare"
    assert "100_000 // (amount_fen - 300)" in incident["en"]
    answers = broken.look(inbox.submissions, case)
    assert json.loads(answers[0]["answer"])["subject"] == "屋顶光伏"
    assert broken.kinds(case)[-2:] == ["task.completed", "incident.raised"]
    assert broken.row(case)["status"] == "open"
    assert broken.sound()


def test_a_corrected_variable_and_a_retry_bring_the_case_on(broken: Office) -> None:
    case = broken.start(amount_fen=300)
    incident = only(broken, case)["id"]
    assert broken.act("管理员", incidents.retry, incident) is False
    assert only(broken, case)["tries"] == 2
    broken.act("管理员", incidents.correct, incident, "amount_fen", "400", "录入有误，依合同更正")
    assert broken.act("管理员", incidents.retry, incident) is True
    assert list(broken.items(case)) == ["review"]
    assert broken.look(incidents.standing_still, case) == []
    told = broken.kinds(case)
    for kind in ("incident.retried", "variable.corrected", "incident.closed"):
        assert kind in told
    assert "依合同更正" not in json.dumps(broken.bodies(case), ensure_ascii=False)
    assert broken.sound()


def test_skipping_takes_two_administrators(broken: Office) -> None:
    broken.hire("管理员二", "sysadmin")
    case = broken.start(amount_fen=300)
    incident = only(broken, case)["id"]
    assert broken.act("管理员", incidents.skip, incident, "该步骤不影响审查") is False
    refusal = broken.refused("管理员", incidents.skip, incident, "该步骤不影响审查")
    assert refusal.reasons == ("four_eyes",)  # type: ignore[attr-defined]
    assert attempt_told(broken, case)[2] == ["four_eyes"]
    assert broken.act("管理员二", incidents.skip, incident, "同意跳过") is True
    assert list(broken.items(case)) == ["review"]
    assert "step.skipped" in broken.kinds(case)


def test_a_gateway_cannot_be_skipped(office: Office) -> None:
    office.deploy(package("permit", ("process.bpmn", "decision == 'return'", "100 // (amount_fen - 300) &gt; 5")))
    case = office.start(amount_fen=300)
    office.do(case, "review", "登记员")
    incident = only(office, case)
    assert incident["element"] == "decide"
    refusal = office.refused("管理员", incidents.skip, incident["id"], "跳过")
    assert isinstance(refusal, Unusable)


def test_only_an_administrator_acts_on_an_incident_and_the_attempt_is_told(broken: Office) -> None:
    case = broken.start(amount_fen=300)
    refusal = broken.refused("登记员", incidents.retry, only(broken, case)["id"])
    assert refusal.reasons == ("role",)  # type: ignore[attr-defined]
    assert attempt_told(broken, case) == (broken.who["登记员"], "retry", ["role"])


def test_what_an_operation_had_written_before_it_failed_is_taken_back(office: Office) -> None:
    office.deploy(package("permit", BROKEN_AFTER))
    case = office.start(amount_fen=300)
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    assert only(office, case)["element"] == "record"
    query = select(RegisterRecord.id).where(RegisterRecord.case == case)
    assert office.look(lambda work: list(work.db.execute(query))) == []
    kept = select(Submission.element).where(Submission.case == case)
    assert "second" in office.look(lambda work: list(work.db.execute(kept).scalars()))
    office.act("管理员", incidents.correct, only(office, case)["id"], "amount_fen", "301", "更正")
    assert office.act("管理员", incidents.retry, only(office, case)["id"]) is True
    written = select(RegisterRecord.value).where(RegisterRecord.case == case)
    numbers = office.look(lambda work: list(work.db.execute(written).scalars()))
    assert len(numbers) == 1
    assert "-00001" in numbers[0]  # the number drawn by the step that failed was given back
    assert office.sound()


def test_a_timer_that_leads_to_a_broken_step_is_kept_as_fired(office: Office) -> None:
    office.deploy(package("permit", ("process.bpmn", "'审查超期'", "text(1 // (amount_fen - 300))")))
    case = office.start(amount_fen=300)
    office.later(days=8)
    assert run_due(office.database) == 1
    assert run_due(office.database) == 0
    assert only(office, case)["element"] == "remind"
    assert office.kinds(case).count("timer.fired") == 1
    office.do(case, "review", "登记员")  # the other branch goes on
    assert "second" in office.items(case)


def test_a_failed_operation_is_tried_again_by_the_clock_ever_more_rarely(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine import registers
    from engine.errors import Incident

    answers = [True, True, False]
    record = registers.record

    def unreliable(*arguments: Any, **named: Any) -> Any:
        if answers.pop(0):
            raise Incident("登记系统没有应答", "the register does not answer")
        return record(*arguments, **named)

    monkeypatch.setattr(registers, "record", unreliable)
    case = office.start(amount_fen=400)
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    first = only(office, case)
    assert first["next_try"] - first["at"] == timedelta(minutes=1)
    office.later(minutes=1)
    run_due(office.database)
    second = only(office, case)
    assert second["tries"] == 2
    assert second["next_try"] - office.clock() == timedelta(minutes=4)
    office.later(minutes=4)
    run_due(office.database)
    assert office.look(incidents.standing_still, case) == []
    assert list(office.items(case)) == ["archive"]


def test_the_same_retry_request_is_carried_out_once(broken: Office) -> None:
    from engine.work import Request

    case = broken.start(amount_fen=300)
    incident = only(broken, case)["id"]
    for _ in range(2):
        broken.act("管理员", incidents.retry, incident, request=Request.of("k", "retry", incident))
    assert only(broken, case)["tries"] == 2


def test_a_case_with_an_incident_can_still_be_withdrawn(broken: Office) -> None:
    case = broken.start(amount_fen=300)
    broken.act("甲", cases.withdraw, case, {"reason": "不办了"})
    assert broken.row(case)["outcome"] == "withdrawn"
    assert broken.look(incidents.standing_still, case) == []
