"""The page that moves running cases to another version: what would become of each is shown before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine import inbox, migration
from tests.office import Office, package
from tests.test_migration import RENAMED
from tests.web_reader import Reader, reader_of
from webui import migration as pages

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

WHERE = "/processes/permit/migration"
MOVE = f"{WHERE}/cases"


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    office = new_office("sqlite")
    office.hire("流程主", "process_owner")
    return office


@pytest.fixture
def owner(desk: Office) -> Reader:
    return reader_of(desk, "流程主")


def test_the_dry_run_says_what_would_become_of_each_case_and_changes_nothing(desk: Office, owner: Reader) -> None:
    assert "迁移案卷" not in owner.get("/processes/permit").links()
    case = desk.start()
    reminder = """<boundaryEvent id="soon" name="提醒" attachedToRef="review" cancelActivity="false">
      <timerEventDefinition><timeDate>add_days(today, 2)</timeDate></timerEventDefinition></boundaryEvent>
    <sequenceFlow id="f_soon" sourceRef="soon" targetRef="remind"/>
    <sequenceFlow id="f_review\""""
    desk.deploy(package("permit", ("process.bpmn", '<sequenceFlow id="f_review"', reminder)))
    before = desk.state()
    seen = owner.get(owner.get("/processes/permit").links()["迁移案卷"])
    number = desk.row(case)["number"]
    assert f"{number} v1 → v2 审查 另外开始等待：提醒" in seen.text
    assert number not in seen.links()  # an owner of the process need not see into its cases
    assert number in reader_of(desk, "管理员").get(WHERE).links()
    assert desk.state() == before
    done = owner.submit(seen, action="/migration/cases")
    assert "已迁移 1 件" in done.text and "没有在其他版本上办理中的案卷" in done.text
    assert "办理中的 1 件中，已有 1 件在第 2 版" in done.text
    assert "case.migrated" in desk.kinds(case)


def test_a_vanished_element_stands_in_the_way_until_it_is_mapped(desk: Office, owner: Reader) -> None:
    case = desk.start()
    (new,) = desk.deploy(package("permit", *RENAMED))
    seen = owner.get(WHERE)
    assert "不能迁移" in seen.text and "review" in seen.text
    seen = owner.get(f"{WHERE}?to=2&map.review=check")
    assert "审查" in seen.text and "不能迁移" not in seen.text
    owner.submit(seen, action="/migration/cases")
    assert desk.row(case)["definition"] == new.id
    assert list(desk.items(case)) == ["check"]
    assert desk.sound()


def test_a_choice_for_one_version_does_not_stand_in_the_way_of_cases_on_another(desk: Office, owner: Reader) -> None:
    first = desk.start()
    desk.deploy(package("permit", *RENAMED))
    second = desk.start(contract_no="HT-2")
    desk.deploy(package("permit", *RENAMED, ("process.bpmn", 'name="归档"', 'name="存档"')))
    seen = owner.get(f"{WHERE}?map.review=check")
    assert "不能迁移" not in seen.text
    owner.post(MOVE, {"_key": "0" * 32, "to": "3", "case": [first, second], "map.review": "check"})
    assert {desk.look(inbox.case, case)["definition"] for case in (first, second)} == {
        desk.look(migration.version, "permit", 3)
    }


def test_lines_map_whatever_else_is_called_otherwise(desk: Office, owner: Reader) -> None:
    desk.start()
    desk.deploy(package("permit", *RENAMED))
    assert "不能迁移" not in owner.get(f"{WHERE}?more=review%3Dcheck").text
    assert "不在新版本里" in owner.get(f"{WHERE}?more=review%3Dnowhere").text
    assert "旧=新" in owner.get(f"{WHERE}?more=review", status=422).text


def test_many_cases_are_moved_page_by_page(desk: Office, owner: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    for number in range(5):
        desk.start(contract_no=f"HT-{number}")
    desk.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    for moved in (2, 4, 5):
        seen = owner.get(WHERE)
        chosen = [each.get("value") for each in seen.tree.iter("input") if each.get("name") == "case"]
        seen = owner.post(MOVE, {"_key": "0" * 32, "to": "2", "case": chosen})
        assert f"办理中的 5 件中，已有 {moved} 件在第 2 版" in seen.text
    owner.post(MOVE, {"_key": "0" * 32, "to": "2", "case": ["0" * 32] * 3}, status=422)
    assert desk.sound()


def test_a_form_that_is_sent_twice_moves_once_and_tells_of_no_refusal(desk: Office, owner: Reader) -> None:
    case = desk.start()
    desk.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    sent = {"_key": "0" * 32, "to": "2", "case": case}
    assert "已迁移 1 件" in owner.post(MOVE, sent).text
    assert "已迁移 0 件" in owner.post(MOVE, sent).text
    assert desk.kinds(case).count("case.migrated") == 1
    assert "attempt.refused" not in desk.kinds(case)


def test_only_owners_and_administrators_move_cases_by_page(desk: Office) -> None:
    case = desk.start()
    desk.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    other = reader_of(desk, "登记员")
    assert "迁移案卷" not in other.get("/processes/permit").links()
    other.get(WHERE, status=403)
    other.post(MOVE, {"_key": "0" * 32, "to": "2", "case": case}, status=403)
    assert desk.row(case)["definition"] == desk.look(migration.version, "permit", 1)


def test_the_page_is_said_in_english_too(desk: Office, owner: Reader) -> None:
    desk.start()
    desk.deploy(package("permit", *RENAMED))
    owner.post("/language", {"language": "en"})
    seen = owner.get(f"{WHERE}?map.review=check")
    assert "Of 1 running cases 0 are on version 2." in seen.text
    assert "goes on as it is" in seen.text or "awaited" in seen.text


def test_a_version_does_not_list_what_it_throws_among_what_it_awaits(desk: Office, owner: Reader) -> None:
    told = ("process.bpmn", '<message id="m_fraud"', '<message id="m_told" name="told"/><message id="m_fraud"')
    thrown = """<intermediateThrowEvent id="shout" name="喊话"><messageEventDefinition messageRef="m_told"/>
    </intermediateThrowEvent><sequenceFlow id="f_shout" sourceRef="shout" targetRef="archive"/>
    <sequenceFlow id="f_record" sourceRef="record" targetRef="shout"/>"""
    plain = '<sequenceFlow id="f_record" sourceRef="record" targetRef="archive"/>'
    desk.deploy(package("permit", told, ("process.bpmn", plain, thrown)))
    text = owner.get("/processes/permit/versions/2").text
    awaited = text[text.index("计时和消息") : text.index("终点")]
    assert "changed" in awaited and "喊话" not in awaited
