"""The page of publicities: whoever is signed in reads what is publicised, and may object while the period runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import cases, inbox
from engine.worker import run_due
from tests.office import Office, package
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def publicised(office: Office) -> Office:
    """An office in which an agreed price is being publicised."""
    for name, role in (("披露人", "inventor_lead"), ("公示员", "publicity_officer"), ("评议", "objection_panel")):
        office.hire(name, role)
    office.deploy(package("publicising"))
    return office


def opened(office: Office, **answer: object) -> str:
    """A case whose publicity has begun."""
    first = {"publicity_kind": "pricing", "achievement_name": "骨科康复技术", "price_fen": 100_000_000}
    case = str(office.act("披露人", cases.start, "publicising", {**first, "asked_days": 15, "asked_unit": "cd"}))
    item = office.items(case)["prepare_publicity"]
    given = {"title": "关于协议定价的公示", "channels": ["unit_website"], "start_on": "2026-03-02", "planned_days": 15}
    office.act("公示员", cases.complete, item, {**given, "contact": "010-1", **answer})
    return case


def test_somebody_without_any_role_reads_what_is_publicised_and_objects(publicised: Office) -> None:
    case = opened(publicised)
    reader = reader_of(publicised, "路人")
    seen = reader.get("/publicities")
    assert "关于协议定价的公示" in seen.text and "拟交易价格：1000000.00 元" in seen.text
    assert "2026-03-02 周一 – 2026-03-17 周二" in seen.text
    form = reader.get(seen.links()["提出异议"])
    assert form.heading == "提出异议" and "成果名称：骨科康复技术" in form.text
    assert reader.get(f"/cases/{case}").heading == "提出异议"  # of the case itself nothing is shown
    assert form.links()["取消"] == "/publicities" and publicised.row(case)["number"] not in str(form.links())
    said = {"objector_name": "路某", "relation": "staff", "ground": "price", "statement": "价格偏低"}
    told = reader.submit(form, {"is_anonymous": "false", **said})
    assert told.heading == "公示"
    assert list(publicised.items(case)) == ["objection_acceptance"]
    assert "路某" not in str(publicised.bodies(case)) and "价格偏低" not in str(publicised.bodies(case))
    assert publicised.sound()


def test_after_the_period_nobody_objects_any_more(publicised: Office) -> None:
    case = opened(publicised)
    publicised.clock.instant += timedelta(days=16)
    assert run_due(publicised.database) == 1
    reader = reader_of(publicised, "路人")
    seen = reader.get("/publicities")
    assert "不再接收异议" in seen.text and "提出异议" not in seen.links()
    refused = reader.get(f"/cases/{case}/messages/objection", status=409)
    assert "现在不接收" in refused.text


def test_before_its_first_day_it_is_listed_and_takes_no_objections(publicised: Office) -> None:
    opened(publicised, start_on="2026-03-05")
    seen = reader_of(publicised, "路人").get("/publicities")
    assert "公示尚未开始" in seen.text and "提出异议" not in seen.links()


def test_what_is_withdrawn_is_listed_no_longer(publicised: Office) -> None:
    case = opened(publicised)
    publicised.act("披露人", cases.withdraw, case, {"reason": "受让方放弃"})
    assert "关于协议定价的公示" not in reader_of(publicised, "路人").get("/publicities").text


def test_whoever_objected_is_told_the_reply(publicised: Office) -> None:
    case = opened(publicised)
    publicised.act(
        "路人", cases.send, case, "objection",
        {"is_anonymous": False, "objector_name": "路某", "relation": "staff", "ground": "price", "statement": "偏低"},
    )  # fmt: skip
    publicised.act("评议", cases.complete, publicised.items(case)["objection_acceptance"],
                   {"accepted": False, "reasons": "不属于公示内容"})  # fmt: skip
    publicised.act("评议", cases.complete, publicised.items(case)["objection_reply"],
                   {"reply": "价格依据评估报告", "replied_on": "2026-03-02"})  # fmt: skip
    notices = publicised.look(inbox.notices, publicised.who["路人"], by="路人")
    assert [row["zh"] for row in notices] == ["您对“关于协议定价的公示”提出的异议已答复：价格依据评估报告"]
