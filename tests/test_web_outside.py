"""Messages from people who may not look into the case: they are told, come to the form, and see nothing else."""

from __future__ import annotations

import pytest

from engine import inbox
from engine.scenario_file import read_scenario
from engine.scenarios import Stage
from tests.office import NewOffice, Office, package
from tests.test_diligence import REVIEW
from tests.web_reader import reader_of, words

pytest_plugins = ["tests.furnished"]

STEPS = """
steps:
  - {do: gap_check, by: 合规专员}
  - {do: negative_list_check, by: 合规专员}
  - {do: illegal_gain_check, by: 纪检人员}
  - {do: appoint_panel, by: 合规专员}
  - {do: panel_opinion, by: [评议甲, 评议乙, 评议丙]}
  - {do: panel_conclusion, by: 评议丙, with: {conclusion: not_exempt, reason: 理由如下}}
  - {do: tier_approve, by: 办公会秘书}
  - {do: notify_persons, by: 合规专员}
"""


@pytest.fixture
def told(new_office: NewOffice) -> tuple[Office, str]:
    """A review whose conclusion was told to the person reviewed, who has no role in it; and the case."""
    office = new_office("sqlite")
    office.deploy(package("dealt"))
    scenario = read_scenario(REVIEW + STEPS, "p3.yaml")
    stage = Stage(scenario, office.clock)
    stage.database = office.database
    stage.set()
    stage.earlier["deal"] = stage.play(scenario.before[0]) or ""
    case = stage.play(scenario.course)
    assert case is not None
    office.who |= stage.persons
    return office, case


def test_who_is_reviewed_is_told_and_asks_for_reconsideration_without_seeing_the_case(told: tuple[Office, str]) -> None:
    office, case = told
    reader = reader_of(office, "分管领导")
    notices = reader.get("/inbox/notices")
    assert "尽职免责评议的结论已告知您；有异议的，十个工作日内可以申请复议一次" in notices.text
    form = reader.get(f"/cases/{case}")
    assert form.response.request.path == f"/cases/{case}/messages/reconsideration_request"
    assert "被评议的人员可以申请复议一次" in form.text
    assert "评议甲" not in form.text
    done = reader.submit(form, {"reason": "定价有据，请重新评议"})
    assert done.response.request.path == "/inbox/notices"
    assert set(office.items(case)) == {"appoint_panel"}
    reader.get(f"/cases/{case}", status=403)


def test_a_stranger_comes_neither_to_the_case_nor_to_the_message(told: tuple[Office, str]) -> None:
    office, case = told
    reader = reader_of(office, "路人")
    reader.get(f"/cases/{case}", status=403)
    reader.get(f"/cases/{case}/messages/reconsideration_request", status=403)
    assert office.look(inbox.case, case)["status"] == "open"


def test_who_may_look_into_the_case_sees_whom_the_notice_went_to(told: tuple[Office, str]) -> None:
    office, case = told
    seen = reader_of(office, "合规专员").get(f"/cases/{case}")
    assert "已通知分管领导" in words(next(each for each in seen.tree.iter() if each.get("id") == "happened"))
