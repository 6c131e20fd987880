"""Late evidence (补录) and corrections (更正): beside the step, never in its place, with reason, person and flag."""

from __future__ import annotations

from typing import Any

import pytest

from engine import cases, evidence, inbox, incidents
from engine.errors import NotFound, NotYours, Unusable, WrongState
from engine.scenario_dossier import beside
from engine.scenario_file import Step
from engine.trail import duties
from engine.work import Request
from tests.office import Office, attempt_told, package

pytest_plugins = ["tests.furnished"]

FILE = ("可比交易.txt", "三件同类许可".encode())


@pytest.fixture
def past(office: Office) -> Office:
    """An office with a process whose steps leave facts."""
    office.deploy(package("notice"), package("duty"))
    return office


def decided(office: Office) -> tuple[str, int]:
    """A case in which the decision lacks the soft F-RC-06, and the event of that step."""
    case = office.start("duty")
    office.do(case, "decide", "登记员", comparables=None)
    return case, step(office, case, "decide").seq


def step(office: Office, case: str, element: str) -> evidence.Step:
    """The last time a step was done."""
    found: list[evidence.Step] = office.look(evidence.steps, case)
    return next(each for each in reversed(found) if each.element == element)


def statuses(office: Office, case: str) -> dict[str, str]:
    """The status of each fact of a case."""
    return {each.fact: each.status for each in office.look(duties.record, case)}


def test_who_did_a_step_adds_a_document_late_with_the_reason(past: Office) -> None:
    case, seq = decided(past)
    assert statuses(past, case)["F-RC-06"] == "missing"
    past.later(days=3)
    past.act("登记员", evidence.add, case, seq, ["F-RC-06"], "当时尚未整理", FILE)
    assert statuses(past, case)["F-RC-06"] == "late"
    assert statuses(past, case)["F-SV-11"] == "present"
    told = past.last(case)
    assert told["type"] == "evidence.added"
    assert told["process"]["element"] == "decide"
    assert told["data"]["step"] == seq
    assert told["data"]["due"] == "2026-03-09"
    assert "当时尚未整理" not in str(told)
    [paper] = past.look(inbox.documents, case)
    assert (paper["late"], paper["name"], paper["element"]) == (True, FILE[0], "decide")
    assert [row["words"] for row in past.look(inbox.comments, case)] == ["当时尚未整理"]
    [row] = [row for row in past.look(inbox.items_of, case) if row["element"] == "decide"]
    assert str(row["due"]) == "2026-03-09"
    assert past.sound()


def test_the_compliance_officer_may_and_others_may_not(past: Office) -> None:
    case, seq = decided(past)
    past.act("合规", evidence.add, case, seq, ["F-RC-06"], "档案室找到")
    refusal = past.refused("登记员二", evidence.add, case, seq, ["F-RC-06"], "我也有一份", FILE)
    assert isinstance(refusal, NotYours)
    assert attempt_told(past, case) == (past.who["登记员二"], "evidence", ["role"])


def test_evidence_needs_a_reason_and_a_fact_or_a_document_and_only_facts_of_the_step(past: Office) -> None:
    case, seq = decided(past)
    before = past.state()
    assert isinstance(past.refused("登记员", evidence.add, case, seq, ["F-RC-06"], " "), Unusable)
    assert isinstance(past.refused("登记员", evidence.add, case, seq, [], "补"), Unusable)
    refusal = past.refused("登记员", evidence.add, case, seq, ["F-PB-01"], "补", FILE)
    assert "F-DD-05 会议纪要" in refusal.text.zh
    assert isinstance(past.refused("登记员", evidence.add, case, 1, ["F-RC-06"], "补"), NotFound)
    assert past.state() == before


def test_a_document_alone_is_late_and_fills_no_gap(past: Office) -> None:
    case, seq = decided(past)
    past.act("登记员", evidence.add, case, seq, [], "补一份", FILE)
    assert statuses(past, case)["F-RC-06"] == "missing"
    assert [row["late"] for row in past.look(inbox.documents, case)] == [True]


def test_what_is_there_is_not_made_worse_by_more(past: Office) -> None:
    case = past.start("duty")
    past.do(case, "decide", "登记员")
    past.act("登记员", evidence.add, case, step(past, case, "decide").seq, ["F-RC-06"], "再补一份", FILE)
    assert statuses(past, case)["F-RC-06"] == "present"


def test_a_skipped_step_is_made_good_by_the_compliance_officer(past: Office) -> None:
    case = past.start("duty", count=0)
    [incident] = past.look(incidents.standing_still, case)
    past.hire("管理员二", "sysadmin")
    for somebody in ("管理员", "管理员二"):
        past.act(somebody, incidents.skip, incident["id"], "无法计算")
    skipped = step(past, case, "tier")
    assert skipped.lacking == ("F-DD-01", "F-DD-02")
    past.act("合规", evidence.add, case, skipped.seq, ["F-DD-01"], "由办公室出具说明", FILE)
    assert statuses(past, case) == {
        "F-DD-01": "late", "F-DD-02": "missing", "F-RC-01": "present", "F-RC-04": "missing", "F-SV-11": "present",
    }  # fmt: skip
    assert past.look(duties.duties_of, case)["democratic_decision"] == "partly"


def test_nothing_is_added_to_a_closed_case(past: Office) -> None:
    case, seq = decided(past)
    past.act("甲", cases.withdraw, case, {"reason": "不做了"})
    assert isinstance(past.refused("登记员", evidence.add, case, seq, ["F-RC-06"], "补", FILE), WrongState)


def test_the_same_request_adds_once(past: Office) -> None:
    case, seq = decided(past)
    request = Request.of("1" * 32, "evidence", case)
    for _ in range(2):
        past.act("登记员", evidence.add, case, seq, ["F-RC-06"], "补", FILE, request=request)
    assert past.kinds(case).count("evidence.added") == 1
    assert len(past.look(inbox.documents, case)) == 1


def test_a_worked_case_adds_evidence_by_the_element(past: Office) -> None:
    case, _ = decided(past)
    step = Step("evidence", "decide", {"facts": ["F-RC-06"], "reason": "当时尚未整理"}, 1)
    past.act("登记员", beside, case, step)
    assert statuses(past, case)["F-RC-06"] == "late"
    assert isinstance(past.refused("登记员", beside, case, Step("evidence", "file", {}, 1)), NotFound)


# Corrections.


def answer(office: Office, case: str, element: str) -> dict[str, Any]:
    """The last answer at an element."""
    rows: list[dict[str, Any]] = office.look(inbox.submissions, case)
    return [row for row in rows if row["element"] == element][-1]


def test_a_correction_is_a_record_of_its_own_and_the_answer_stays(past: Office) -> None:
    case = past.start("duty")
    given = answer(past, case, "propose")
    past.later(days=1)
    past.act("甲", evidence.correct, case, given["id"], "subject", "另一项成果", "当时写错")
    assert answer(past, case, "propose") == given
    [correction] = past.look(evidence.corrections, case)[given["id"]]
    assert (correction["field"], correction["should_be"], correction["reason"]) == ("subject", "另一项成果", "当时写错")
    assert correction["person"] == past.who["甲"]
    told = past.last(case)
    assert (told["type"], told["process"]["element"]) == ("answer.corrected", "propose")
    assert told["data"]["corrects"] == given["id"]
    assert "另一项成果" not in str(told) and "当时写错" not in str(told)
    assert past.sound()


def test_a_correction_changes_no_variable_and_is_no_earlier_answer(past: Office) -> None:
    case = past.start("duty")
    before = past.row(case)["scopes"]
    past.act("甲", evidence.correct, case, answer(past, case, "propose")["id"], "count", "2", "数错了")
    assert past.row(case)["scopes"] == before


def test_only_who_answered_and_compliance_correct(past: Office) -> None:
    case = past.start("duty")
    given = answer(past, case, "propose")["id"]
    assert isinstance(past.refused("登记员", evidence.correct, case, given, "subject", "乙", "错"), NotYours)
    assert attempt_told(past, case)[1] == "correct"
    past.act("合规", evidence.correct, case, given, "subject", "乙", "经核对")


@pytest.mark.parametrize(("field", "should_be", "reason", "refusal"), [
    ("nothing", "乙", "错", NotFound), ("subject", " ", "错", Unusable), ("subject", "乙", "", Unusable),
])  # fmt: skip
def test_a_correction_names_a_field_what_it_should_be_and_why(
    past: Office, field: str, should_be: str, reason: str, refusal: type[Exception]
) -> None:
    case = past.start("duty")
    given = answer(past, case, "propose")["id"]
    assert isinstance(past.refused("甲", evidence.correct, case, given, field, should_be, reason), refusal)


def test_an_answer_of_another_case_or_a_correction_itself_is_not_corrected(past: Office) -> None:
    case, other = past.start("duty"), past.start("duty")
    given = answer(past, other, "propose")["id"]
    assert isinstance(past.refused("甲", evidence.correct, case, given, "subject", "乙", "错"), NotFound)
    past.act("甲", evidence.correct, other, given, "subject", "乙", "错")
    correction = answer(past, other, evidence.CORRECTION)["id"]
    assert isinstance(past.refused("甲", evidence.correct, other, correction, "reason", "乙", "错"), NotFound)


def test_a_closed_case_can_still_be_corrected(past: Office) -> None:
    case = past.start("duty")
    past.act("甲", cases.withdraw, case, {"reason": "不做了"})
    past.act("甲", evidence.correct, case, answer(past, case, "propose")["id"], "subject", "乙", "写错")
    assert past.row(case)["status"] == "closed"
    assert past.sound()
