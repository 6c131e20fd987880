"""What a person may start stands on the pages: by hand or by a message; and what starts by itself, or was linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.library import Package
from engine.worker import run_due
from tests.begun import ASK, condition, form, started_by, timer
from tests.office import Office
from tests.test_linked_cases import begin, children, claim, deal
from tests.web_reader import reader_of

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

QUESTION = form("question", matter="text, required: true")


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    return new_office("sqlite")


def asked(**words: str) -> Package:
    package = started_by(ASK, sender="contract_applicant", **words)
    return Package("begun", {**package.files, **dict([QUESTION])})


def test_the_start_page_offers_the_messages_one_may_send_and_no_others(desk: Office) -> None:
    desk.deploy(asked(form="question"))
    link = "/processes/begun/messages/ask"
    assert link in reader_of(desk, "甲").get("/processes").links().values()
    assert link in reader_of(desk, "甲").get("/processes/begun").links().values()
    stranger = reader_of(desk, "路人")
    assert link not in stranger.get("/processes").links().values()
    stranger.get(link, status=403)
    assert "/processes/begun/application" not in reader_of(desk, "登记员").get("/processes").links().values()


def test_a_case_is_started_by_a_message_with_its_form(desk: Office) -> None:
    desk.deploy(asked(form="question"))
    reader = reader_of(desk, "甲")
    page = reader.get("/processes/begun/messages/ask")
    refused = reader.submit(page, {"matter": ""}, status=422)
    assert "matter" in refused.problems()[0]
    case = reader.submit(refused, {"matter": "何时"}).response.request.path
    identity = case.removeprefix("/cases/")
    assert desk.row(identity)["applicant"] == desk.who["甲"]
    assert "甲提出申请，案卷立案" in reader.get(f"/cases/{identity}/trail").text


def test_a_message_without_form_is_one_button(desk: Office) -> None:
    desk.deploy(asked())
    reader = reader_of(desk, "甲")
    page = reader.get("/processes/begun/messages/ask")
    case = reader.submit(page, {}, action="/messages/ask")
    assert case.response.request.path.startswith("/cases/")


def test_what_starts_by_itself_stands_on_the_page_of_the_process_with_what_is_in_its_way(desk: Office) -> None:
    broken = started_by(condition("find('account', 'k')['x'] == 1"), "broken")
    desk.deploy(started_by(timer("R/P1M"), "monthly"), broken)
    run_due(desk.database)
    reader = reader_of(desk, "甲")
    assert "R/P1M" in reader.get("/processes/monthly").text and "2026-04-02" in reader.get("/processes/monthly").text
    assert "未能自动开始" in reader.get("/processes/broken").text
    assert "由事件开始" in reader.get("/processes").text


def test_a_case_that_began_by_itself_says_so_and_names_nobody(desk: Office) -> None:
    desk.deploy(started_by(timer("P1D")))
    desk.later(days=1)
    run_due(desk.database)
    reader = reader_of(desk, "管理员")
    listed = reader.get("/cases")
    assert "尚无" in listed.text and "None" not in listed.text
    [link] = [each for each in listed.links().values() if each.startswith("/cases/")]
    page = reader.get(link)
    assert "使案卷自动立案" in page.text and "尚无" in page.text and "None" not in page.text


def test_a_linked_case_opens_filled_in_and_the_pages_lead_from_one_to_the_other(desk: Office) -> None:
    case = begin(desk, claim(), deal())
    [child] = children(desk, case)
    number = desk.row(case)["number"]
    whole = reader_of(desk, "合规")
    assert f"/cases/{child['id']}" in whole.get(f"/cases/{case}").links().values()
    assert f"/cases/{case}" in whole.get(f"/cases/{child['id']}").links().values()
    assert f"“go”启动了关联案卷 {child['number']}" in whole.get(f"/cases/{case}/trail").text
    assert f"由案卷 {number} 启动立案" in whole.get(f"/cases/{child['id']}/trail").text
    reader = reader_of(desk, "甲")
    own = reader.get(f"/cases/{child['id']}")
    assert number in own.text and f"/cases/{case}" not in own.links().values()  # 甲 has no part in it
    item = reader.get(f"/tasks/{desk.item(child['id'], 'submit')}")
    assert (item.fields()["subject"], item.fields()["amount"]) == ("膜材料", "7")  # not the default of the form
    reader.submit(item, {"note": "好"})
    assert desk.row(child["id"])["title"] == "膜材料"
    assert desk.row(child["id"])["applicant"] == desk.who["甲"]
