"""The duty matrix on the page of a case, late evidence, corrections, suspension and substitutes, as pages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from engine import cases, inbox
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
    assert "会议纪要 F-DD-05 已留 决定 · 登记员 · 2026-03-02 09:00 纪要.txt" in section(seen, "duties")


# Late evidence.


def test_a_gap_is_filled_from_the_matrix_and_shown_as_late(desk: Office) -> None:
    case = lacking(desk)
    reader = reader_of(desk, "登记员")
    [gap] = links(reader.get(f"/cases/{case}"), "/evidence/")
    form = reader.get(gap).form(gap)
    assert form.fields["fact"] == ["F-RC-06"]
    form.fields["reason"] = ["当时尚未整理"]
    seen = reader.send(form, files={"file": (io.BytesIO("三件".encode()), "可比交易.txt")})
    said = section(seen, "duties")
    assert "合理注意 部分落实" in said
    assert "定价依据 F-RC-06 · 软性 补录 决定 · 登记员 · 2026-03-02 09:00 补录 可比交易.txt" in said
    assert "登记员为“决定”补录：定价依据" in section(seen, "happened")
    assert "补录" in section(seen, "documents")


def test_only_steps_one_did_are_offered_and_compliance_is_offered_all(desk: Office) -> None:
    case = lacking(desk)
    offered = words(reader_of(desk, "登记员").get(f"/cases/{case}/evidence").tree)
    assert "决定" in offered and "提出" not in offered
    offered = words(reader_of(desk, "合规").get(f"/cases/{case}/evidence").tree)
    assert "决定" in offered and "提出" in offered
    seen = reader_of(desk, "登记员").get(f"/cases/{case}/evidence/1")
    assert seen.status == 404


# Corrections.


def test_a_correction_stands_beside_the_answer_on_the_page(desk: Office) -> None:
    case = desk.start("duty")
    reader = reader_of(desk, "甲")
    [link] = links(reader.get(f"/cases/{case}"), "/corrections/")
    form = reader.get(link).form(link)
    form.fields |= {"field": ["subject"], "should_be": ["另一项成果"], "reason": ["写错了"]}
    said = section(reader.send(form), "answers")
    assert "一项成果" in said
    assert "更正：“事项”应为 另一项成果 理由：写错了 · 甲 · 2026-03-02 09:00" in said
    assert links(reader_of(desk, "登记员").get(f"/cases/{case}"), "/corrections/") == []


# Suspension.


def test_compliance_suspends_and_resumes_a_case_by_its_page(desk: Office) -> None:
    case = desk.start("duty")
    officer, registrar = reader_of(desk, "合规"), reader_of(desk, "登记员")
    assert links(registrar.get(f"/cases/{case}"), "/suspension") == []
    where = f"/cases/{case}/suspension"
    form = officer.get(where).form(where)
    form.fields |= {"cause": ["litigation"], "reason": ["已起诉"]}
    seen = officer.send(form)
    assert "案卷自 2026-03-02 09:00 起中止：正在诉讼或仲裁。" in seen.text
    assert "合规中止了案卷：正在诉讼或仲裁；期限停止计算" in section(seen, "happened")
    assert "已中止" in words(registrar.get("/inbox").tree)
    task = desk.item(case, "decide")
    assert "期限停止计算" in registrar.get(f"/tasks/{task}").text
    refused = registrar.post(f"/tasks/{task}/completion", {"body": "head"}, form_of=f"/tasks/{task}")
    assert "已中止" in refused.text
    assert "已中止" in words(officer.get("/cases?status=suspended").tree)
    desk.later(days=7)
    again = f"/cases/{case}/resumption"
    form = officer.get(where).form(again)
    form.fields |= {"reason": ["已和解"]}
    seen = officer.send(form)
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


def test_a_person_names_a_substitute_who_acts_for_them_and_ends_it(desk: Office) -> None:
    away, stand_in = reader_of(desk, "双职"), reader_of(desk, "复核员")
    form = away.get("/substitutes").form("/substitutes")
    form.fields |= {"who": [f"second_reviewer/{desk.who['复核员']}"], "ends_on": ["2026-03-06"], "reason": ["出差"]}
    assert "复核员代双职" in words(away.send(form).tree)
    assert "复核员代双职" in words(stand_in.get("/substitutes").tree)
    told = desk.last("sys/people")
    assert (told["type"], told["data"]["substitute"]) == ("delegation.made", desk.who["复核员"])
    [end] = [each for each in away.get("/substitutes").forms() if each.action.endswith("/end")]
    assert "没有委托" in words(away.send(end).tree)
    assert desk.last("sys/people")["type"] == "delegation.ended"


@pytest.mark.parametrize(("changed", "problem"), [
    ({"ends_on": ["2026-03-01"]}, "已经过去"), ({"ends_on": [""]}, "开始和结束日期"), ({"reason": [" "]}, "委托理由"),
])  # fmt: skip
def test_what_is_wrong_with_a_delegation_is_said_and_what_was_entered_stays(
    desk: Office, changed: dict[str, Any], problem: str
) -> None:
    reader = reader_of(desk, "登记员")
    form = reader.get("/substitutes").form("/substitutes")
    form.fields |= {"who": [f"registrar/{desk.who['登记员二']}"], "ends_on": ["2026-03-06"], "reason": ["出差"], **changed}
    seen = reader.send(form)
    assert seen.status == 422
    assert problem in seen.text
    assert f"registrar/{desk.who['登记员二']}" in seen.form("/substitutes").fields["who"]


def test_nobody_ends_the_delegation_of_others(desk: Office) -> None:
    reader = reader_of(desk, "登记员")
    form = reader.get("/substitutes").form("/substitutes")
    form.fields |= {"who": [f"registrar/{desk.who['登记员二']}"], "ends_on": ["2026-03-06"], "reason": ["出差"]}
    [end] = [each.action for each in reader.send(form).forms() if each.action.endswith("/end")]
    stranger = reader_of(desk, "甲")
    assert stranger.post(end, {}, form_of="/substitutes").status == 403
    assert cases and inbox
