"""The duty matrix on the page of a case, late evidence, corrections, suspension and substitutes, as pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.worker import run_due
from tests.office import Office, package
from tests.web_reader import Seen, reader_of, words

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    office = new_office("sqlite")
    office.deploy(package("notice"), package("duty"))
    return office


def section(seen: Seen, name: str) -> str:
    """What a part of the page says."""
    return next(words(each) for each in seen.tree.iter() if each.get("id") == name)


def lacking(office: Office) -> str:
    """A case whose decision lacks a soft fact."""
    case = office.start("duty")
    office.do(case, "decide", "登记员", comparables=None)
    return case


def links(seen: Seen, part: str) -> list[str]:
    """The addresses of a page that contain this."""
    return [str(each.get("href")) for each in seen.tree.iter("a") if part in str(each.get("href"))]


# The matrix.


def test_the_page_of_a_case_shows_the_duties_with_facts_people_days_and_the_trail(desk: Office) -> None:
    case = lacking(desk)
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    said = section(seen, "duties")
    assert "民主决策 已落实 3 项事实" in said
    assert "信息公示 不适用" in said
    assert "各项意见与表决（含异议） F-DD-04 已留 决定 · 登记员 · 2026-03-02 09:00" in said
    assert "定价依据 F-RC-06 · 软性 缺口" in said
    assert any(link.startswith(f"/cases/{case}/trail#event-") for link in links(seen, "trail#"))


def test_the_matrix_is_said_in_english_too(desk: Office) -> None:
    case = lacking(desk)
    reader = reader_of(desk, "合规")
    reader.post("/language", {"language": "en"})
    said = section(reader.get(f"/cases/{case}"), "duties")
    assert "Democratic decision Fulfilled 3 facts" in said
    assert "Pricing basis F-RC-06 · soft gap" in said


def test_a_case_without_facts_has_no_matrix(desk: Office) -> None:
    case = desk.start()
    assert all(each.get("id") != "duties" for each in reader_of(desk, "合规").get(f"/cases/{case}").tree.iter())


def test_documents_that_show_a_fact_are_linked_beside_it(desk: Office) -> None:
    case = desk.start("duty")
    desk.do(case, "decide", "登记员", body="meeting", minutes={"file": "纪要.txt", "data": b"minutes"})
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    assert "会议纪要 F-DD-05 已留 决定 · 登记员 · 2026-03-02 09:00纪要.txt" in section(seen, "duties")


# Late evidence.


def test_a_gap_is_filled_from_the_matrix_and_shown_as_late(desk: Office) -> None:
    case = lacking(desk)
    reader = reader_of(desk, "登记员")
    [gap] = links(reader.get(f"/cases/{case}"), "/evidence/")
    page = reader.get(gap)
    assert page.fields(gap).getlist("fact") == ["F-RC-06"]
    paper = ("三件".encode(), "可比交易.txt")
    seen = reader.submit(page, {"reason": "当时尚未整理"}, action=gap, files={"file": paper})
    said = section(seen, "duties")
    assert "合理注意 部分落实" in said
    assert "定价依据 F-RC-06 · 软性 补录 决定 · 登记员 · 2026-03-02 09:00 补录可比交易.txt" in said
    assert "登记员为“决定”补录：定价依据" in section(seen, "happened")
    assert "补录" in section(seen, "documents")


def test_only_steps_one_did_are_offered_and_compliance_is_offered_all(desk: Office) -> None:
    case = lacking(desk)
    offered = words(reader_of(desk, "登记员").get(f"/cases/{case}/evidence").tree)
    assert "决定" in offered and "提出" not in offered
    offered = words(reader_of(desk, "合规").get(f"/cases/{case}/evidence").tree)
    assert "决定" in offered and "提出" in offered
    reader_of(desk, "登记员").get(f"/cases/{case}/evidence/1", status=404)


# Corrections.


def test_a_correction_stands_beside_the_answer_on_the_page(desk: Office) -> None:
    case = desk.start("duty")
    reader = reader_of(desk, "甲")
    [link] = links(reader.get(f"/cases/{case}"), "/corrections/")
    said_so = {"field": "subject", "should_be": "另一项成果", "reason": "写错了"}
    said = section(reader.submit(reader.get(link), said_so, action=link), "answers")
    assert "一项成果" in said
    assert "更正：“事项”应为 另一项成果理由：写错了 · 甲 · 2026-03-02 09:00" in said
    assert links(reader_of(desk, "登记员").get(f"/cases/{case}"), "/corrections/") == []


# Suspension.


def test_compliance_suspends_and_resumes_a_case_by_its_page(desk: Office) -> None:
    case = desk.start("duty")
    officer, registrar = reader_of(desk, "合规"), reader_of(desk, "登记员")
    assert links(registrar.get(f"/cases/{case}"), "/suspension") == []
    where = f"/cases/{case}/suspension"
    seen = officer.submit(officer.get(where), {"cause": "litigation", "reason": "已起诉"}, action=where)
    assert "案卷自 2026-03-02 09:00 起中止：正在诉讼或仲裁。" in seen.text
    assert "合规中止了案卷：正在诉讼或仲裁；期限停止计算" in section(seen, "happened")
    assert "已中止" in words(registrar.get("/inbox").tree)
    task = desk.item(case, "decide")
    page = registrar.get(f"/tasks/{task}")
    assert "期限停止计算" in page.text
    refused = registrar.submit(page, {"body": "head"}, status=409)
    assert "已中止" in refused.text
    assert "已中止" in words(officer.get("/cases?status=suspended").tree)
    desk.later(days=7)
    again = f"/cases/{case}/resumption"
    seen = officer.submit(officer.get(where), {"reason": "已和解"}, action=again)
    assert "因中止顺延，原为 2026-03-09" in section(seen, "waits")
    assert "2026-03-16" in section(seen, "waits")
    assert "已中止" not in section(seen, "waits")


def test_an_overrun_is_told_on_the_page_in_words(desk: Office) -> None:
    case = desk.start("duty")
    desk.later(days=10)
    run_due(desk.database)
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    assert "“决定”已超期 3 天（期限 2026-03-09）" in section(seen, "happened")
    assert "超期、催办与升级 F-SV-07" in section(seen, "duties")


# Substitutes.


def named(office: Office, **changed: str) -> dict[str, str]:
    """What 登记员 enters to name 登记员二."""
    return {"who": f"registrar/{office.who['登记员二']}", "ends_on": "2026-03-06", "reason": "出差", **changed}


def test_a_person_names_a_substitute_who_acts_for_them_and_ends_it(desk: Office) -> None:
    away, stand_in = reader_of(desk, "登记员"), reader_of(desk, "登记员二")
    page = away.get("/substitutes")
    assert "登记员二代登记员" in away.submit(page, named(desk), action="/substitutes").text
    assert "登记员二代登记员" in stand_in.get("/substitutes").text
    told = desk.last("sys/people")
    assert (told["type"], told["data"]["substitute"]) == ("delegation.made", desk.who["登记员二"])
    away.submit(page, named(desk), action="/substitutes")  # the same form again makes no second one
    assert len([body for body in desk.bodies("sys/people") if body["type"] == "delegation.made"]) == 1
    assert "没有委托" in away.submit(away.get("/substitutes"), action="/ending").text
    assert desk.last("sys/people")["type"] == "delegation.ended"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [({"ends_on": "2026-03-01"}, "已经过去"), ({"ends_on": ""}, "开始和结束日期"), ({"reason": " "}, "委托理由")],
)
def test_what_is_wrong_with_a_delegation_is_said_and_what_was_entered_stays(
    desk: Office, changed: dict[str, Any], problem: str
) -> None:
    reader = reader_of(desk, "登记员")
    entered = named(desk, **changed)
    seen = reader.submit(reader.get("/substitutes"), entered, action="/substitutes", status=422)
    assert problem in seen.problems()[0]
    assert seen.fields("/substitutes")["who"] == entered["who"]


def test_whoever_has_no_part_in_a_delegation_does_not_end_it(desk: Office) -> None:
    reader, stranger = reader_of(desk, "登记员"), reader_of(desk, "双职")
    seen = reader.submit(reader.get("/substitutes"), named(desk), action="/substitutes")
    own = stranger.get("/substitutes")
    key = own.fields("/substitutes")["_key"]
    stranger.post(seen.form("/ending").get("action", ""), {"_key": key}, status=403)
    assert desk.last("sys/people")["type"] == "delegation.made"


def test_who_is_alone_in_a_role_is_told_that_nobody_can_stand_in(desk: Office) -> None:
    assert "不能委托" in reader_of(desk, "负责人").get("/substitutes").text


def test_a_field_that_shows_a_fact_the_step_must_leave_is_required_and_its_sentence_names_the_fact(
    desk: Office,
) -> None:
    case = desk.start("duty")
    reader = reader_of(desk, "登记员")
    page = reader.get(f"/tasks/{desk.item(case, 'decide')}")
    seen = reader.submit(page, {"body": "meeting"}, status=422)
    assert any("F-DD-05 会议纪要" in problem for problem in seen.problems())
    [box] = [each for each in seen.tree.iter("input") if each.get("name") == "minutes"]
    assert box.get("aria-required") == "true"
