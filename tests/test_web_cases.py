"""The page of a case: what happened, where it stands, deadlines, documents, messages, withdrawal, the trail."""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from engine import inbox, items
from engine.cases import complete
from engine.trail.words import RESULTS
from engine.worker import run_due
from tests.office import ANSWERS, Office, package
from tests.test_web_tasks import PDF
from tests.web_reader import Reader, Seen, app_of, reader_of, words
from webui.page import spans

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    return new_office("sqlite")


def section(seen: Seen, name: str) -> str:
    """What a part of the page says."""
    return next(words(each) for each in seen.tree.iter() if each.get("id") == name)


def to_archive(office: Office, **answer: Any) -> str:
    """A case that was recorded and waits to be archived."""
    case = office.start(**answer)
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    return case


def test_the_first_line_says_what_just_happened_and_for_whom_the_case_waits(desk: Office) -> None:
    case = desk.start()
    assert section(reader_of(desk, "合规").get(f"/cases/{case}"), "main").count("最近： 甲办理了“申请”") == 1
    desk.do(case, "review", "登记员")
    seen = reader_of(desk, "登记员").get(f"/cases/{case}")
    assert "最近： 登记员办理了“审查” · 2026-03-02 09:00" in seen.text
    assert "现在等待：复核员、登记员（受理、认定）办理“复核”" in seen.text
    reader = reader_of(desk, "登记员")
    reader.post("/language", {"language": "en"})
    assert "Latest: 登记员 completed “Review”" in reader.get(f"/cases/{case}").text


def test_what_happened_is_told_by_days_newest_first_with_what_followed_from_each_act(desk: Office) -> None:
    case = desk.start()
    desk.later(days=1, hours=2)
    desk.do(case, "review", "登记员")
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    story = section(seen, "happened")
    assert story.index("2026-03-03 周二") < story.index("2026-03-02 周一")
    assert "11:00 登记员办理了“审查” 待办“复核”交复核员、登记员（受理、认定）" in story
    assert "判断“如何处理？”：走向“复核”（其他条件均不成立）" in story
    assert "系统完成“预备”，得出 is_large、contact_line、whole" in story
    assert "13800138000" not in story
    assert {"task.opened", "case.closed"} <= RESULTS


def test_where_it_stands_is_marked_on_the_diagram_and_said_in_words(desk: Office) -> None:
    case = desk.start()
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    marked = {each.get("data-element"): each.get("class", "") for each in seen.tree.iter() if each.get("data-element")}
    assert "is-done" in marked["apply"] and "is-open" in marked["review"] and "is-" not in marked["second"]
    assert "is-overdue" not in marked["review"]
    desk.later(days=10)
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    marked = {each.get("data-element"): each.get("class", "") for each in seen.tree.iter() if each.get("data-element")}
    assert "is-overdue" in marked["review"]
    assert "审查" in section(seen, "where")


def test_deadlines_say_how_they_were_counted_and_what_the_calendar_may_yet_change(desk: Office) -> None:
    desk.clock.instant = desk.clock.instant.replace(month=9, day=18)
    case = desk.start()
    said = section(reader_of(desk, "合规").get(f"/cases/{case}"), "deadlines")
    assert "审查 2026-09-24 周四 自 2026-09-18 的次日起第 5 个工作日。 其间调休上班：09-20。" in said
    assert "暂定" not in said
    desk.clock.instant = desk.clock.instant.replace(month=12, day=28)
    case = desk.start(contract_no="HT-2")
    said = section(reader_of(desk, "合规").get(f"/cases/{case}"), "deadlines")
    assert "暂定" in said and "期限涉及尚未公布节假日安排的年份" in said


def test_a_timer_that_fires_is_told_as_the_clocks(desk: Office) -> None:
    case = desk.start()
    desk.later(days=8)
    assert run_due(desk.database) == 1
    seen = reader_of(desk, "合规").get(f"/cases/{case}")
    assert "“late”到期" in section(seen, "happened") and "已通知技术合同登记机构负责人" in section(seen, "happened")
    assert "审查超期" in reader_of(desk, "负责人").get("/inbox/notices").text


def test_days_in_a_row_are_said_as_one_span(desk: Office) -> None:
    with app_of(desk).test_request_context():
        days = [date(2026, 10, day) for day in (1, 2, 3, 5)] + [date(2026, 9, 30)]
        assert spans(days) == "09-30–10-03、10-05"


def test_who_has_no_part_in_a_case_sees_nothing_of_it(desk: Office) -> None:
    case = desk.start()
    stranger = reader_of(desk, "乙")
    for path in ("", "/trail", "/verification", "/withdrawal", "/recusal", "/messages/changed"):
        seen = stranger.get(f"/cases/{case}{path}", status=403)
        assert "屋顶光伏" not in seen.text
    assert "屋顶光伏" not in stranger.get("/cases").text
    for path in ("comments", "documents"):
        data = {"words": "x", "_key": "1" * 32}
        stranger.post(f"/cases/{case}/{path}", {**data, "file": (io.BytesIO(PDF), "a.pdf")}, status=403)
    assert desk.look(inbox.comments, case) == [] and desk.look(inbox.documents, case) == []


def test_what_is_recorded_is_told_with_its_key_unless_that_says_nothing(desk: Office) -> None:
    seen = reader_of(desk, "合规").get(f"/cases/{to_archive(desk, contract_no='HT-7')}")
    assert "登入“技术合同登记台账”：HT-7" in seen.text
    for key in ("hash_of([contract_no])", "contact_line"):
        desk.deploy(package("permit", ("process.bpmn", 'value="contract_no"', f'value="{key}"')))
        case = to_archive(desk)
        [told] = [body for body in desk.bodies(case) if body["type"] == "register.recorded"]
        seen = reader_of(desk, "合规").get(f"/cases/{case}")
        story = next(words(each) for each in seen.tree.iter("li") if "登入“技术合同登记台账”" in words(each))
        assert told["data"]["key"] not in story and not story.endswith("：")


def test_a_remark_and_a_document_are_added_to_the_case(desk: Office) -> None:
    case = desk.start()
    reader = reader_of(desk, "登记员")
    page = reader.submit(reader.get(f"/cases/{case}"), {"words": "请补交原件"}, action="/comments")
    assert "请补交原件" in section(page, "comments") and "登记员 · 2026-03-02 09:00" in section(page, "comments")
    page = reader.submit(page, action="/documents", files={"file": (PDF, "note.pdf")})
    assert "note.pdf" in section(page, "documents")
    assert "登记员写了备注" in page.text and "登记员上传了附件" in page.text
    reader.submit(page, {"words": "  "}, action="/comments", status=422)
    reader.submit(page, action="/documents", status=422)
    assert desk.sound()


def test_a_message_is_offered_to_who_may_send_it_with_its_form(desk: Office) -> None:
    case = to_archive(desk)
    applicant = reader_of(desk, "甲")
    page = applicant.get(f"/cases/{case}")
    link = f"/cases/{case}/messages/changed"
    assert link in page.links().values()
    assert link not in reader_of(desk, "登记员").get(f"/cases/{case}").links().values()
    form = applicant.get(link)
    fields = [name for name in form.fields() if not name.startswith("_")]
    assert fields
    refused = applicant.submit(form, dict.fromkeys(fields, ""), status=422)
    assert refused.problems()
    code = fields[0]
    page = applicant.submit(refused, {code: "2.00" if code.endswith("fen") else "改了"})
    assert page.response.request.path == f"/cases/{case}"
    assert "message.received" in desk.kinds(case)


def test_a_message_that_is_not_awaited_or_not_ones_own_is_refused(desk: Office) -> None:
    case = desk.start()
    seen = reader_of(desk, "甲").get(f"/cases/{case}/messages/changed", status=409)
    assert "现在不接收" in seen.text
    archived = to_archive(desk, contract_no="HT-2", amount_fen=600)
    before = desk.row(archived)["step"]
    reader_of(desk, "登记员").post(f"/cases/{archived}/messages/changed", {"_key": "2" * 32}, status=403)
    reader_of(desk, "甲").post(f"/cases/{archived}/messages/fraud_found", {"_key": "3" * 32}, status=403)
    assert desk.row(archived)["step"] == before


def test_a_message_without_a_form_asks_only_for_confirmation(desk: Office) -> None:
    case = to_archive(desk, amount_fen=600)
    reader = Reader(app_of(desk)).sign_in(desk.hire("市场办二", "market_office", "compliance_officer"))
    form = reader.get(f"/cases/{case}/messages/fraud_found")
    assert "无须填写内容" in form.text
    page = reader.submit(form, action="/messages/fraud_found")
    assert desk.row(case)["outcome"] == "revoked" and "案卷已办结：已撤销" in page.text


def test_the_applicant_withdraws_with_a_reason_until_the_decision(desk: Office) -> None:
    case = desk.start()
    reader = reader_of(desk, "甲")
    page = reader.get(f"/cases/{case}")
    assert f"/cases/{case}/withdrawal" in page.links().values()
    assert f"/cases/{case}/withdrawal" not in reader_of(desk, "登记员").get(f"/cases/{case}").links().values()
    form = reader.get(f"/cases/{case}/withdrawal")
    reader.submit(form, {"reason": " "}, action="/withdrawal", status=422)
    page = reader.submit(form, {"reason": "不再需要"}, action="/withdrawal")
    assert "最近： 甲撤回了申请" in page.text and "案卷已办结：已撤回" in page.text and "不再需要" in page.text
    decided = to_archive(desk, contract_no="HT-2")
    assert f"/cases/{decided}/withdrawal" not in reader.get(f"/cases/{decided}").links().values()
    form = reader.get(f"/cases/{decided}/withdrawal")
    assert "不能撤回" in reader.submit(form, {"reason": "晚了"}, action="/withdrawal", status=409).text


def test_a_withdrawal_that_the_diagram_draws_takes_precedence(desk: Office) -> None:
    case = desk.start("watch")
    reader = reader_of(desk, "甲")
    links = reader.get(f"/cases/{case}").links().values()
    assert f"/cases/{case}/messages/withdraw" in links and f"/cases/{case}/withdrawal" not in links
    form = reader.get(f"/cases/{case}/messages/withdraw")
    page = reader.submit(form, {name: "不办了" for name in form.fields() if not name.startswith("_")})
    assert desk.row(case)["status"] == "closed", page.text


def test_who_declares_an_interest_can_do_nothing_more_in_the_case(desk: Office) -> None:
    case = desk.start()
    reader = reader_of(desk, "登记员")
    form = reader.get(f"/cases/{case}/recusal")
    reader.submit(form, {"reason": ""}, action="/recusal", status=422)
    seen = reader.submit(form, {"reason": "与申请人是亲属"}, action="/recusal")
    assert seen.heading == "我的待办" and "屋顶光伏" not in seen.text
    assert "应当回避" in reader.get(f"/tasks/{desk.item(case, 'review')}", status=403).text
    assert "办理" not in reader.get(f"/cases/{case}").links()


def test_a_refused_attempt_is_told_in_words(desk: Office) -> None:
    case = desk.start()
    desk.do(case, "review", "双职")
    desk.refused("双职", complete, desk.item(case, "second"), ANSWERS["second"])
    told = section(reader_of(desk, "合规").get(f"/cases/{case}"), "happened")
    assert "双职试图办理“复核”，被拒：办理过被复核的步骤，不能复核自己（双人复核）" in told


def test_the_trail_is_a_table_of_hashes_and_can_be_verified(desk: Office) -> None:
    case = desk.start()
    reader = reader_of(desk, "合规")
    seen = reader.get(f"/cases/{case}/trail")
    rows = desk.look(inbox.events, case)
    for row in rows:
        assert row["hash"] in seen.text
    assert '"name": "whole"' in seen.text and "withheld" in seen.text and "校验通过" not in seen.text
    seen = reader.get(f"/cases/{case}/verification")
    assert f"校验通过，轨迹完整。 已重新计算 {len(rows)} 条记录" in seen.text


def test_a_broken_trail_is_shown_as_broken(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case = desk.start()
    monkeypatch.setattr("engine.trail.verify.event_hash", lambda body: "0" * 64)
    seen = reader_of(desk, "合规").get(f"/cases/{case}/verification")
    assert "校验未通过" in seen.text and "#1 正文被改动" in seen.text


def test_cases_are_found_by_words_status_and_process(desk: Office) -> None:
    first, second = desk.start(subject="屋顶光伏"), desk.start(subject="风电叶片", contract_no="HT-2")
    number = desk.row(first)["number"]
    reader = reader_of(desk, "合规")
    assert {desk.row(first)["number"], desk.row(second)["number"]} <= reader.get("/cases").links().keys()
    found = reader.get("/cases?words=风电").links()
    assert desk.row(second)["number"] in found and number not in found
    assert number in reader.get(f"/cases?words={number}&status=open&process=permit").links()
    assert number not in reader.get("/cases?status=closed").links()
    assert number not in reader.get("/cases?process=watch&after=-5").links()


def test_many_cases_come_page_by_page_and_only_those_one_may_see(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.cases.PAGE", 2)
    monkeypatch.setattr("webui.cases.STRETCH", 3)
    numbers = [desk.row(desk.start(by=("甲", "乙")[n % 2], contract_no=f"HT-{n}"))["number"] for n in range(9)]
    seen, found = reader_of(desk, "甲").get("/cases"), []
    while True:
        links = seen.links()
        found += [name for name in links if name in numbers]
        if "下一页" not in links:
            break
        seen = reader_of(desk, "甲").get(links["下一页"])
    assert found == numbers[::2][::-1]
    assert "第一页" in links


def test_a_closed_case_offers_nothing_to_do_but_can_still_be_read(desk: Office) -> None:
    case = to_archive(desk)
    desk.do(case, "archive", "登记员")
    seen = reader_of(desk, "甲").get(f"/cases/{case}")
    assert "案卷已办结：已登记。" in seen.text
    links = set(seen.links().values())
    assert not {link for link in links if link.startswith((f"/cases/{case}/m", f"/cases/{case}/w", f"/cases/{case}/r"))}
    assert "没有正在计算的期限" in section(seen, "deadlines")


def test_the_case_of_another_language_names_elements_in_it(desk: Office) -> None:
    case = desk.start()
    reader = reader_of(desk, "合规")
    reader.post("/language", {"language": "en"})
    seen = reader.get(f"/cases/{case}")
    assert "“Review” waits for Registrar" in seen.text and "审查" not in section(seen, "waits")


def test_a_claim_is_shown_with_its_holder(desk: Office) -> None:
    case = desk.start()
    desk.act("登记员", items.claim, desk.item(case, "review"))
    assert "登记员已认领" in section(reader_of(desk, "合规").get(f"/cases/{case}"), "waits")
