"""Work items through the pages: shown, claimed, filled in without script, refused with everything kept, completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine import inbox, items
from engine.cases import complete
from forms.values import from_json
from tests.office import ANSWERS, Office, package
from tests.web_reader import Reader, Seen, app_of, reader_of, words

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
APPLICATION = {
    "subject": "屋顶光伏",
    "contract_no": "HT-1",
    "amount_fen": "3.00",
    "phone": "13800138000",
    "secret_level": "none",
    "parties[0].name": "北京某大学",
}


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    return new_office("sqlite")


def started(office: Office, name: str = "甲") -> Seen:
    return reader_of(office, name).get("/processes/permit/application")


def said(office: Office, case: str) -> dict[str, Any]:
    """The last application of a case."""
    rows = [row for row in office.look(inbox.submissions, case) if row["element"] == "apply"]
    row = max(rows, key=lambda each: each["round"])
    answer = from_json(row["answer"])
    assert isinstance(answer, dict)
    return answer


def case_of(seen: Seen) -> str:
    """The case whose page this is."""
    return seen.response.request.path.rpartition("/")[2]


def test_a_case_is_started_and_done_to_its_end_by_different_people(office: Office) -> None:
    app = app_of(office)
    seen = Reader(app).sign_in(office.who["甲"]).get("/processes/permit/application")
    assert seen.heading == "申请"
    reader = reader_of(office, "甲")
    page = reader.submit(reader.get("/processes/permit/application"), APPLICATION)
    case = case_of(page)
    assert page.heading == "屋顶光伏"
    assert "最近： 甲办理了“申请”" in page.text and "现在等待：登记员（受理、认定）办理“审查”" in page.text

    for name, element, answer in (
        ("登记员", "review", {"decision": "accept"}),
        ("复核员", "second", {"agree": "true"}),
        ("登记员", "archive", {"shelf": "A-1"}),
    ):
        reader = Reader(app).sign_in(office.who[name])
        task = office.item(case, element)
        assert f"/tasks/{task}" in reader.get("/inbox").links().values()
        page = reader.submit(reader.get(f"/tasks/{task}"), answer)
        assert case_of(page) == case
    assert "案卷已办结：已登记。" in page.text
    assert office.row(case)["outcome"] == "registered"
    assert "task.completed" in office.kinds(case) and office.sound()


def test_a_refused_form_sums_up_what_is_wrong_shows_it_at_the_fields_and_keeps_what_was_entered(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    before = desk.state()
    changes = {**APPLICATION, "amount_fen": "三百", "phone": "12", "subject": "", "parties[0].name": "某大学"}
    seen = reader.submit(reader.get("/processes/permit/application"), changes, status=422)
    summary = seen.problems()[0]
    assert "有 3 处需要改正" in summary and "“金额”应填金额" in summary and "“题目”必须填写" in summary
    fields = seen.fields()
    assert fields["amount_fen"] == "三百" and fields["phone"] == "12" and fields["parties[0].name"] == "某大学"
    anchors = [each.get("href") for each in seen.tree.iter("a") if each.get("href", "").startswith("#f-")]
    assert anchors == ["#f-amount_fen", "#f-subject", "#f-phone"]
    wrong = [each.get("id") for each in seen.tree.iter("input") if each.get("aria-invalid")]
    assert wrong == ["f-subject", "f-amount_fen", "f-phone"]
    assert desk.state() == before
    page = reader.submit(seen, {"amount_fen": "3", "phone": "13800138000", "subject": "题"})
    assert page.heading == "题"


def test_a_field_appears_and_goes_as_others_are_answered_without_script(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    seen = reader.get("/processes/permit/application")
    assert "方案" in words_of(seen) and "纸质文号" not in words_of(seen)
    seen = reader.submit(seen, {"secret_level": "secret"}, to=seen.form().get("data-check", ""))
    assert "方案" not in words_of(seen) and "纸质文号" in words_of(seen)
    assert seen.problems() == []


def words_of(seen: Seen) -> list[str]:
    """The labels of the form."""
    return [words(each).removesuffix(" *") for each in seen.form().iter() if each.tag in {"label", "legend"}]


def test_rows_are_added_and_taken_away_without_script_and_the_others_stay(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    seen = reader.get("/processes/permit/application")
    again = seen.form().get("data-check", "")
    seen = reader.submit(seen, {"parties[0].name": "甲方", "_row": "add:parties", "subject": "题"}, to=again)
    seen = reader.submit(seen, {"parties[1].name": "乙方", "_row": "add:parties"}, to=again)
    seen = reader.submit(seen, {"parties[2].name": "丙方", "_row": "drop:parties:1"}, to=again)
    assert {name: text for name, text in seen.fields().items() if name.endswith("].name")} == {
        "parties[0].name": "甲方",
        "parties[1].name": "丙方",
    }
    assert seen.fields()["subject"] == "题"
    page = reader.submit(seen, {**APPLICATION, "parties[0].name": "甲方"})
    assert [row["name"] for row in said(desk, case_of(page))["parties"]] == ["甲方", "丙方"]


def test_an_empty_row_inside_a_table_is_closed_up_so_that_problems_stand_at_their_rows(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    changes = {**APPLICATION, "parties[1].name": "", "parties[2].name": "", "parties[2].uscc": "X"}
    seen = reader.submit(reader.get("/processes/permit/application"), changes, status=422)
    wrong = [each.get("name") for each in seen.tree.iter("input") if each.get("aria-invalid")]
    assert wrong == ["parties[1].name"]
    assert seen.fields()["parties[1].uscc"] == "X"


def test_a_value_of_a_field_that_no_longer_applies_is_refused_and_then_gone(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    seen = reader.submit(
        reader.get("/processes/permit/application"),
        {**APPLICATION, "secret_level": "secret", "paper_no": "密-1"},
        files={"plan": (PDF, "plan.pdf")},
        status=422,
    )
    assert "“方案”此时不适用，不得填写" in seen.problems()[0]
    assert "方案" not in words_of(seen)
    page = reader.submit(seen)
    assert said(desk, case_of(page))["plan"] is None
    assert desk.look(inbox.documents, case_of(page)) == []


@pytest.mark.parametrize("foreign", ["unknown", "parties[0].unknown", "amount_fen.x"])
def test_a_field_that_the_form_does_not_have_is_refused(desk: Office, foreign: str) -> None:
    before = desk.state()
    reader = reader_of(desk, "甲")
    seen = reader.submit(reader.get("/processes/permit/application"), {**APPLICATION, foreign: "x"}, status=422)
    assert "没有字段" in seen.problems()[0]
    assert desk.state() == before


def test_a_file_is_attached_and_can_be_fetched_only_by_those_who_may_see_the_case(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    page = reader.submit(reader.get("/processes/permit/application"), APPLICATION, files={"plan": (PDF, "方案 一.pdf")})
    links = page.links()
    document = links["方案 一.pdf"]
    answer = reader.cookies.get(document)
    assert answer.data == PDF and answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E6%96%B9%E6%A1%88%20%E4%B8%80.pdf"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert reader_of(desk, "登记员").cookies.get(document).status_code == 200
    assert "没有 PDF" in reader.get(f"{document}/pdf", status=404).text  # the engine did not issue it
    stranger = reader_of(desk, "乙").get(document, status=403)
    assert "与案卷" in stranger.text


def test_an_upload_that_is_not_what_it_says_is_refused_and_nothing_changes(desk: Office) -> None:
    before = desk.state()
    reader = reader_of(desk, "甲")
    page = reader.get("/processes/permit/application")
    for content, name in ((b"MZ\x90\x00 a program", "plan.pdf"), (b"", "plan.pdf"), (PDF, "plan.exe")):
        seen = reader.submit(page, APPLICATION, files={"plan": (content, name)}, status=422)
        assert len(seen.problems()) == 1
        assert "请重新选择" in seen.text
    assert desk.state() == before


def to_review(office: Office) -> tuple[str, str]:
    """A case that waits for its review, and the work item."""
    case = office.start()
    return case, office.item(case, "review")


def test_files_of_a_refused_work_item_are_kept_with_the_draft(desk: Office) -> None:
    case = desk.start()
    desk.do(case, "review", "登记员", decision="return", reasons="不齐")
    task = desk.item(case, "apply")
    reader = reader_of(desk, "甲")
    seen = reader.submit(reader.get(f"/tasks/{task}"), {"phone": "12"}, files={"plan": (PDF, "plan.pdf")}, status=422)
    assert "plan.pdf" in seen.links() and "请重新选择" not in seen.text
    page = reader.submit(seen, {"phone": "13800138000"})
    assert case_of(page) == case
    plan = said(desk, case)["plan"]
    assert getattr(plan, "name", None) == "plan.pdf"


def test_a_kept_file_stays_unless_it_is_unticked_and_a_foreign_one_cannot_be_slipped_in(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    page = reader.submit(reader.get("/processes/permit/application"), APPLICATION, files={"plan": (PDF, "plan.pdf")})
    case, document = case_of(page), page.links()["plan.pdf"].rpartition("/")[2]
    other = desk.start(by="乙", contract_no="HT-2")
    desk.do(other, "review", "登记员", decision="return", reasons="不齐")
    thief = reader_of(desk, "乙")
    task = desk.item(other, "apply")
    page = thief.submit(thief.get(f"/tasks/{task}"), {"plan": document})
    assert said(desk, other)["plan"] is None

    desk.do(case, "review", "登记员", decision="return", reasons="不齐")
    seen = reader.get(f"/tasks/{desk.item(case, 'apply')}")
    assert seen.fields()["plan"] == document
    reader.submit(seen)
    assert getattr(said(desk, case)["plan"], "id", None) == document
    desk.do(case, "review", "登记员", decision="return", reasons="不齐")
    reader.submit(reader.get(f"/tasks/{desk.item(case, 'apply')}"), {"plan": None})
    assert said(desk, case)["plan"] is None


def test_a_double_click_is_carried_out_once_and_answered_the_same_way(office: Office) -> None:
    reader = reader_of(office, "甲")
    form = reader.get("/processes/permit/application")
    first = reader.submit(form, APPLICATION)
    state = office.state()
    assert case_of(reader.submit(form, APPLICATION)) == case_of(first)
    assert office.state() == state

    case = case_of(first)
    registrar = reader_of(office, "登记员")
    review = registrar.get(f"/tasks/{office.item(case, 'review')}")
    registrar.submit(review, {"decision": "accept"})
    state = office.state()
    assert case_of(registrar.submit(review, {"decision": "accept"})) == case
    assert office.state() == state


def test_a_request_key_that_was_used_for_something_else_is_refused(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    form = reader.get("/processes/permit/application")
    reader.submit(form, APPLICATION)
    state = desk.state()
    seen = reader.submit(form, {**APPLICATION, "subject": "另一件"}, status=422)
    assert "已用于另一项内容不同的操作" in seen.problems()[0]
    assert desk.state() == state
    assert reader.submit(seen, {"contract_no": "HT-2"}).heading == "另一件"


@pytest.mark.parametrize("key", [None, "", "x", "0" * 31, "../" * 11])
def test_a_form_without_a_sound_request_key_is_refused(desk: Office, key: str | None) -> None:
    reader = reader_of(desk, "甲")
    seen = reader.submit(reader.get("/processes/permit/application"), {**APPLICATION, "_key": key}, status=422)
    assert "请求标识" in seen.problems()[0]


def test_a_stranger_is_refused_and_the_attempt_is_recorded(desk: Office) -> None:
    case, task = to_review(desk)
    own = reader_of(desk, "登记员").get(f"/tasks/{task}")
    stranger = reader_of(desk, "复核员")
    assert "不是该事项的办理人" in stranger.get(f"/tasks/{task}", status=403).text
    assert "attempt.refused" not in desk.kinds(case)  # to look is no attempt
    seen = stranger.submit(own, {"decision": "accept"}, status=403)
    assert seen.heading == "您不能这样做" and "不是该事项的办理人" in seen.text
    assert desk.kinds(case)[-1] == "attempt.refused"
    assert desk.items(case).keys() == {"review"}


def test_who_comes_too_late_is_told_by_whom_and_when_it_was_done(desk: Office) -> None:
    case, task = to_review(desk)
    slow = reader_of(desk, "登记员二")
    form = slow.get(f"/tasks/{task}")
    desk.act("登记员", complete, task, ANSWERS["review"])
    seen = slow.submit(form, {"decision": "accept"}, status=409)
    assert "“审查”已由登记员于 2026-03-02 09:00 办结" in seen.text
    assert f"/cases/{case}" in seen.links().values()
    assert "已由登记员于" in slow.get(f"/tasks/{task}").text


def test_a_work_item_is_claimed_given_back_and_reassigned(desk: Office) -> None:
    case, task = to_review(desk)
    reader = reader_of(desk, "登记员")
    seen = reader.submit(reader.get("/inbox"), action=f"/tasks/{task}/claim")
    assert "我（已认领）" in seen.text
    assert "不能办理" in reader_of(desk, "登记员二").get(f"/tasks/{task}", status=403).text
    reader.submit(seen, action=f"/tasks/{task}/release")
    assert reader_of(desk, "登记员二").get(f"/tasks/{task}").heading == "审查"
    seen = reader.submit(reader.get(f"/tasks/{task}"), action=f"/tasks/{task}/claim")
    form = reader.get(seen.links()["改派"])
    offered = [each.get("value") for each in form.tree.iter("option")]
    assert desk.who["登记员二"] in offered and desk.who["登记员"] not in offered and desk.who["复核员"] not in offered
    reader.submit(form, {"to": desk.who["登记员二"], "reason": ""}, action="/reassignment", status=422)
    page = reader.submit(form, {"to": desk.who["登记员二"], "reason": "出差"}, action="/reassignment")
    assert "登记员把“审查”改派给登记员二" in page.text
    assert {"task.claimed", "task.released", "task.reassigned"} <= set(desk.kinds(case))


def test_a_draft_is_kept_and_shown_again_and_what_cannot_be_read_is_not_lost(desk: Office) -> None:
    case = desk.start()
    desk.do(case, "review", "登记员", decision="return", reasons="不齐")
    task = desk.item(case, "apply")
    reader = reader_of(desk, "甲")
    form = reader.get(f"/tasks/{task}")
    assert form.fields()["subject"] == "屋顶光伏"  # the earlier answer
    seen = reader.submit(form, {"subject": "改过的", "phone": "1"}, to=f"/tasks/{task}/draft")
    assert "已载入上次保存的草稿" in seen.text
    assert seen.fields()["subject"] == "改过的" and seen.fields()["phone"] == "1"
    seen = reader.submit(seen, {"amount_fen": "很多"}, to=f"/tasks/{task}/draft", status=422)
    assert seen.fields()["amount_fen"] == "很多"
    assert desk.items(case).keys() == {"apply"}


def test_a_draft_keeps_no_file_of_a_field_that_is_not_asked_for(desk: Office) -> None:
    case = desk.start()
    desk.do(case, "review", "登记员", decision="return", reasons="不齐")
    task = desk.item(case, "apply")
    reader = reader_of(desk, "甲")
    form = reader.get(f"/tasks/{task}")
    secret = {"secret_level": "secret", "paper_no": "密-1"}
    reader.submit(form, secret, to=f"/tasks/{task}/draft", files={"plan": (PDF, "plan.pdf")})
    assert desk.look(inbox.documents, case) == []
    assert "plan" not in (items.draft_of(desk.look(inbox.task, task)) or {})


def test_the_page_of_a_work_item_shows_what_was_answered_before_its_due_day_and_its_basis(desk: Office) -> None:
    _, task = to_review(desk)
    seen = reader_of(desk, "登记员").get(f"/tasks/{task}")
    for said_before in ("屋顶光伏", "HT-1", "3.00 元（叁元整）", "13800138000", "北京某大学", "2026-03-09", "002 §六"):
        assert said_before in seen.text
    desk.later(days=10)
    assert "已超期" in reader_of(desk, "登记员").get(f"/tasks/{task}").text
    assert "其中 1 项已超期" in reader_of(desk, "登记员").get("/inbox").text


def test_the_fragment_for_the_script_says_what_is_wrong_with_what_was_entered_and_at_the_end_everything(
    desk: Office,
) -> None:
    reader = reader_of(desk, "甲")
    data = {**APPLICATION, "phone": "12", "subject": ""}

    def fragment(**more: str) -> str:
        path = "/processes/permit/application-check"
        answer = reader.cookies.post(path, data={**data, **more}, headers={"X-Fragment": "1"})
        return str(answer.text)

    live, final = fragment(), fragment(_final="1")
    assert "<html" not in live and "电话" in live and "“题目”必须填写" not in live
    assert "“题目”必须填写" in final and "autofocus" in final
    assert "叁元整" in live
    assert "“方案”" not in fragment(**{"plan.chosen": "plan.pdf"})


def test_markup_in_an_answer_is_only_text_wherever_it_is_shown(desk: Office) -> None:
    evil = "<img src=x onerror=alert(1)>'\""
    reader = reader_of(desk, "甲")
    page = reader.submit(reader.get("/processes/permit/application"), {**APPLICATION, "subject": evil})
    case = case_of(page)
    assert page.heading == evil
    registrar = reader_of(desk, "登记员")
    for path in ("/inbox", f"/cases/{case}", f"/tasks/{desk.item(case, 'review')}", "/cases", f"/cases/{case}/trail"):
        assert "<img" not in registrar.cookies.get(path).text


def test_a_process_with_requirements_shows_the_way_to_what_is_missing(desk: Office) -> None:
    seen = reader_of(desk, "甲").get("/processes/tech_contract_registration/application", status=409)
    assert "首次办理须先完成用户注册" in seen.text
    assert "/processes/register_account/application" in seen.links().values()


def test_a_process_that_is_not_there_cannot_be_started(desk: Office) -> None:
    assert reader_of(desk, "甲").get("/processes/nothing/application", status=404).heading == "没有找到"
    refused = reader_of(desk, "甲").post("/cases", {"_key": "0" * 32}, status=422)
    assert "没有写明办理哪项业务" in refused.text


def test_a_step_that_cannot_be_done_loses_no_answer_and_is_told_on_the_page_of_the_case(desk: Office) -> None:
    desk.deploy(package("permit", ("process.bpmn", "'tel ' + phone", "'tel ' + amount_fen")))
    reader = reader_of(desk, "甲")
    page = reader.submit(reader.get("/processes/permit/application"), APPLICATION)
    assert "案卷停在“预备”" in page.problems()[0] and "amount_fen" in page.problems()[0]
    assert "“预备”无法自动完成" in page.text
    assert said(desk, case_of(page))["subject"] == "屋顶光伏"
