"""Publicity, achievements and parameters beside their worked cases: documents, registers, what comes in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import cases, inbox, registers
from engine.answers import one_of_many
from engine.desk import Desk
from engine.errors import WrongState
from engine.parameter_sets import all_sets
from engine.worker import run_due
from forms.functions import FUNCTIONS
from forms.values import PersonRef
from tests.office import Office, package
from tests.test_collective_decision import issued
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]

ASKED = {
    "publicity_kind": "pricing", "achievement_name": "骨科康复技术", "price_fen": 100_000_000, "asked_days": 15,
    "asked_unit": "cd",
}  # fmt: skip
OBJECTION = {"is_anonymous": False, "objector_name": "路某某", "relation": "staff", "ground": "price",
             "statement": "价格明显偏低"}  # fmt: skip
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"


@pytest.fixture
def publicising(office: Office) -> Office:
    """An office with those who publicise, and a small process that asks for publicity."""
    for name, role in (("披露人", "inventor_lead"), ("公示员", "publicity_officer"), ("评议", "objection_panel")):
        office.hire(name, role)
    office.deploy(package("publicising"))
    return office


def do(office: Office, case: str, element: str, by: str, **answer: Any) -> None:
    """Complete an open work item."""
    office.act(by, cases.complete, office.items(case)[element], answer)


def opened(office: Office, **answer: Any) -> str:
    """A case whose publicity has begun."""
    case = str(office.act("披露人", cases.start, "publicising", ASKED))
    prepare(office, case, **answer)
    return case


def prepare(office: Office, case: str, **answer: Any) -> None:
    today = office.clock.instant.date().isoformat()
    given = {"title": "关于协议定价的公示", "channels": ["unit_website", "tech_market"], "start_on": today}
    do(office, case, "prepare_publicity", "公示员", **{**given, "planned_days": 15, "contact": "010-1", **answer})


def close(office: Office, case: str) -> None:
    screens = [{"file": "截图.pdf", "data": PDF}]
    heard = {"staff_opinions_heard": True, "staff_opinions_summary": "职工没有不同意见", "evidence_screens": screens}
    do(office, case, "close_publicity", "公示员", **heard)


def rows(office: Office) -> list[Any]:
    """The records of the register of publicities."""
    found: list[Any] = office.look(registers.records, "publicity")
    return found


def test_notice_certificate_and_register_say_the_same(publicising: Office) -> None:
    case = opened(publicising, redactions=["受让方（被许可方）"])
    [notice] = issued(publicising, case).values()
    for word in ("拟交易价格：1000000.00 元", "受让方（被许可方）：（依法不公开）", "2026年3月17日", "技术交易市场"):
        assert word in notice, word
    publicising.clock.instant += timedelta(days=20)
    run_due(publicising.database)
    close(publicising, case)
    [certificate] = [text for name, text in issued(publicising, case).items() if "结束证明" in name]
    for word in ("2026年3月17日", "职工没有不同意见", "0 件", "不得早于 2026年3月18日"):
        assert word in certificate, word
    [row] = rows(publicising)
    content = {"achievement_name": "骨科康复技术", "price_fen": 100_000_000}
    content |= {"recipient": "某公司", "related_party": False}
    hashed = FUNCTIONS["hash_of"].run
    assert hashed is not None and row["content_hash"] == hashed(content)
    assert row["content_hash"] in notice and row["content_hash"] in certificate
    assert (row["status"], row["result"], str(row["closed_on"]), row["objection_count"]) == (
        "closed", "clean", "2026-03-17", 0,
    )  # fmt: skip
    assert publicising.sound()


def test_a_publicity_that_is_done_again_is_a_second_record_and_the_first_is_superseded(publicising: Office) -> None:
    case = opened(publicising)
    publicising.act("路人", cases.send, case, "objection", OBJECTION)
    do(publicising, case, "objection_acceptance", "评议", accepted=True)
    record = {"file": "记录.pdf", "data": PDF}
    do(publicising, case, "objection_investigation", "评议", findings="属实", hearing_record=record)
    told = {"result": "upheld_minor", "changed_items": ["price"], "corrective_action": "提价"}
    do(publicising, case, "objection_conclusion", "评议", **told)
    do(publicising, case, "objection_reply", "评议", reply="已采纳", replied_on="2026-03-02")
    publicising.clock.instant += timedelta(days=16)
    run_due(publicising.database)
    do(publicising, case, "ask_publicity", "披露人", **{**ASKED, "price_fen": 120_000_000})
    prepare(publicising, case)
    first, second = rows(publicising)
    assert (first["status"], first["result"], first["key"][-2:]) == ("superseded", "revise_and_republish", "-1")
    assert (second["status"], second["key"][-2:]) == ("running", "-2")
    assert first["content_hash"] != second["content_hash"]
    assert (second["start_on"] - first["start_on"]).days == 16
    assert (second["close_on"] - second["start_on"]).days >= 15


def test_a_withdrawn_case_cancels_its_notice_with_another(publicising: Office) -> None:
    case = opened(publicising)
    publicising.act("披露人", cases.withdraw, case, {"reason": "受让方放弃"})
    [withdrawn] = [text for name, text in issued(publicising, case).items() if "撤回" in name]
    assert "关于协议定价的公示" in withdrawn and "自即日起撤回" in withdrawn
    assert [row["status"] for row in rows(publicising)] == ["withdrawn"]
    assert publicising.row(case)["outcome"] == "withdrawn"
    assert publicising.sound()


def test_what_an_objector_wrote_is_not_in_the_trail(publicising: Office) -> None:
    case = opened(publicising)
    publicising.act("路人", cases.send, case, "objection", OBJECTION)
    do(publicising, case, "objection_acceptance", "评议", accepted=False, reasons="不属于公示内容")
    told = str(publicising.bodies(case))
    assert "路某某" not in told and "价格明显偏低" not in told


def test_each_objection_opens_empty_forms_and_is_not_handled_by_who_sent_it(publicising: Office) -> None:
    case = opened(publicising)
    publicising.hire("评议二", "objection_panel")
    record = {"file": "记录.pdf", "data": PDF}
    publicising.act("路人", cases.send, case, "objection", OBJECTION)
    do(publicising, case, "objection_acceptance", "评议", accepted=True)
    do(publicising, case, "objection_investigation", "评议", findings="第一件已查明", hearing_record=record)
    publicising.act("评议", cases.send, case, "objection", OBJECTION)
    second = publicising.items(case)["objection_acceptance"]
    assert publicising.refused("评议", cases.complete, second, {"accepted": True}).reasons == ("recusal",)  # type: ignore[attr-defined]
    do(publicising, case, "objection_acceptance", "评议二", accepted=True)
    page = reader_of(publicising, "评议二").get(f"/tasks/{publicising.items(case)['objection_investigation']}")
    assert page.fields()["findings"] == ""
    with publicising.database.look(publicising.who["评议二"]) as work:
        desk = Desk.thawed(work, inbox.case(work, case))
        assert desk.functions["acted"]("sub_publicity_objection/objection") == [
            PersonRef(publicising.who["路人"]), PersonRef(publicising.who["评议"]),
        ]  # fmt: skip
        assert one_of_many(desk, "sub_publicity_objection", "objection_reply")
        assert not one_of_many(desk, "publicising", "ask_publicity")


def test_an_agreed_price_without_its_price_is_not_publicised(publicising: Office) -> None:
    case = str(publicising.act("披露人", cases.start, "publicising", {**ASKED, "price_fen": None}))
    refusal = publicising.refused("公示员", cases.complete, publicising.items(case)["prepare_publicity"], {})
    assert isinstance(refusal, WrongState) and "拟交易价格" in refusal.text.zh


# The achievement that somebody else registers meanwhile, and the parameters that another case adopts meanwhile.


def disclosed(office: Office) -> str:
    """A disclosure of one achievement."""
    lead = office.who["披露人"]
    answer = {
        "secret_level": "none", "name": "锂电池隔膜", "achievement_type": "tech_secret", "funding": "other",
        "inventors": [{"person": lead, "contribution_bp": 10_000}], "completed_on": "2026-01-01",
        "description": "一种隔膜", "third_party_rights": False, "description_file": {"file": "材料.pdf", "data": PDF},
    }  # fmt: skip
    return str(office.act("披露人", cases.start, "achievement_registration", answer))


def test_an_achievement_disclosed_twice_is_registered_once(office: Office) -> None:
    office.hire("披露人", "inventor_lead")
    office.hire("转化", "tto_officer")
    first, second = disclosed(office), disclosed(office)
    checked = {
        "decision": "register", "inventorship_checked": True, "funding_checked": True, "value_analysis": "有前景",
        "ip_protection": "keep_secret", "registered_on": "2026-03-02",
    }  # fmt: skip
    do(office, first, "accept_disclosure", "转化", **checked)
    refusal = office.refused("转化", cases.complete, office.items(second)["accept_disclosure"], checked)
    assert [problem.path for problem in refusal.problems] == ["decision"]  # type: ignore[attr-defined]
    [row] = office.look(registers.records, "achievement")
    assert (row["name"], row["status"], str(row["registered_on"])) == ("锂电池隔膜", "registered", "2026-03-02")
    [certificate] = issued(office, first).values()
    assert "KJCG-2026-00001" in certificate and "披露人" in certificate and "100.00%" in certificate


def drafted(office: Office, day: str) -> str:
    """Parameters that were approved and wait for their publication."""
    chapters = dict.fromkeys(("registration", "procedure", "income_distribution", "organisation", "objections"), True)
    answer = {
        "rules_title": "转化办法", "rules_file": {"file": "办法.pdf", "data": PDF}, "chapters": chapters,
        "values": [{"key": "consent_days", "value": "12"}], "effective_from": day, "explanation": "调整",
    }  # fmt: skip
    case = str(office.act("流程", cases.start, "policy_adoption", answer))
    do(office, case, "legal_review", "法务", agree=True, opinion="同意")
    file = {"file": "汇总.pdf", "data": PDF}
    heard = {"staff_opinions_heard": True, "staff_opinions_summary": "无", "opinions_file": file}
    do(office, case, "record_staff_opinion", "公示员", **heard, heard_from="2026-03-02", heard_to="2026-03-02")
    meeting = {"meeting_name": "办公会", "meeting_no": "1", "meeting_on": "2026-03-02", "members_required": 1}
    voted = {"members_present": ["一"], "votes_for": 1, "votes_against": 0, "votes_abstain": 0, "minutes_file": file}
    opinion = {"decision": "approve", "opinion": "符合规定，同意发布施行。"}
    do(office, case, "tier_approve", "办公会", **opinion, **meeting, **voted)
    return case


def test_parameters_published_after_a_later_set_take_effect_with_it_and_not_before(office: Office) -> None:
    for name, role in (("流程", "process_owner"), ("法务", "ip_legal"), ("公示员", "publicity_officer"),
                       ("办公会", "president_meeting")):  # fmt: skip
        office.hire(name, role)
    early, late = drafted(office, "2026-03-05"), drafted(office, "2026-03-20")
    file = {"file": "印发.pdf", "data": PDF}
    for case in (late, early):
        published = {"published_in": ["unit_website"], "document_no": "1 号", "signed_rules_file": file}
        do(office, case, "publish_parameters", "流程", **published)
        assert office.row(case)["outcome"] == "adopted"
    assert [str(each.effective_from) for each in office.look(all_sets)][1:] == ["2026-03-20", "2026-03-20"]
    [announcement] = [text for name, text in issued(office, early).items() if "公告" in name]
    for word in ("《转化办法》（1 号）", "自 2026年3月20日 起施行", "consent_days", "12 日"):
        assert word in announcement, word
    assert office.sound()
