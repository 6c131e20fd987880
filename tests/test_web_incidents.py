"""The pages of cases that stand still: only administrators see them, and bring each on by retry, correction or skip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine import incidents
from tests.commands import done, refused, rows
from tests.office import Office, package
from tests.web_reader import Reader, Seen, reader_of, words

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

BROKEN = ("process.bpmn", "is_large = amount_fen &gt; 100_000", "is_large = 100_000 // (amount_fen - 300) &gt; 5")


@pytest.fixture
def broken(new_office: NewOffice) -> Office:
    office = new_office("sqlite")
    office.deploy(package("permit", BROKEN))
    return office


@pytest.fixture
def admin(broken: Office) -> Reader:
    return reader_of(broken, "管理员")


def only(office: Office, case: str) -> dict[str, Any]:
    (found,) = office.look(incidents.standing_still, case)
    return dict(found)


def values(seen: Seen) -> dict[str, str]:
    """The variables that a page shows."""
    pairs = next(each for each in seen.tree.iter("dl") if each.get("class") == "fields")
    return {words(next(each.iter("dt"))): words(next(each.iter("dd"))) for each in pairs}


def test_the_list_names_case_step_cause_and_tries_and_the_case_leads_there(broken: Office, admin: Reader) -> None:
    assert "没有停下的案卷" in admin.get("/incidents").text
    case = broken.start(amount_fen=300)
    seen = admin.get("/incidents")
    assert seen.heading == "异常案卷"
    number = broken.row(case)["number"]
    for text in (number, "预备", "100_000 // (amount_fen - 300)", "须人工处理"):
        assert text in seen.text
    where = f"/incidents/{only(broken, case)['id']}"
    assert where in seen.links().values()
    assert where in admin.get(f"/cases/{case}").links().values()
    assert admin.get(where).heading == "停在“预备”"


def test_others_see_neither_the_pages_nor_the_way_to_them(broken: Office) -> None:
    case = broken.start(amount_fen=300)
    reader = reader_of(broken, "登记员")
    where = f"/incidents/{only(broken, case)['id']}"
    seen = reader_of(broken, "合规").get(f"/cases/{case}")
    assert "停在“预备”" in seen.text and where not in seen.links().values()
    assert "异常" not in seen.links()
    for path in ("/incidents", where):
        assert "不是系统管理员" in reader.get(path, status=403).text
    page = reader_of(broken, "管理员").get(where)
    assert "不是系统管理员" in reader.submit(page, action="/retry", status=403).text
    assert only(broken, case)["tries"] == 1


def test_a_variable_is_corrected_and_the_step_tried_again(broken: Office, admin: Reader) -> None:
    case = broken.start(amount_fen=300)
    where = f"/incidents/{only(broken, case)['id']}"
    page = admin.get(where)
    assert "amount_fen" in page.text and "13800138000" not in page.text  # also not inside the record of the answer
    again = admin.submit(page, action="/retry")
    assert again.heading == "停在“预备”" and only(broken, case)["tries"] == 2
    sent = {"name": "amount_fen", "kind": "money", "value": "三元", "reason": "录入有误"}
    wrong = admin.submit(again, sent, action="/correction", status=422)
    assert "三元" in wrong.problems()[0]
    assert wrong.fields("/correction")["value"] == "三元"
    assert wrong.fields("/correction")["kind"] == "money"
    fixed = admin.submit(wrong, {"value": "4.00"}, action="/correction")
    assert values(fixed)["amount_fen"] == "400"
    seen = admin.submit(fixed, action="/retry")
    assert broken.row(case)["number"] in seen.text and "审查" in seen.text
    assert list(broken.items(case)) == ["review"]
    assert "已于 2026-03-02 09:00 解除" in admin.get(where).text


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "it's “1”\\", "it's “1”\\"),
        ("integer", "1,200", 1200),
        ("money", "1.25", 125),
        ("date", "2026-03-02", "2026-03-02"),
        ("yes_no", "true", "是"),
        ("json", '[{"name": "甲", "share": 0.5}]', "name: 甲；share: 0.5"),
        ("expression", "amount_fen + 1", 301),
    ],
)
def test_a_value_is_written_as_its_kind_says(
    broken: Office, admin: Reader, kind: str, text: str, expected: Any
) -> None:
    case = broken.start(amount_fen=300)
    page = admin.get(f"/incidents/{only(broken, case)['id']}")
    seen = admin.submit(page, {"name": "extra", "kind": kind, "value": text, "reason": "r"}, action="/correction")
    assert values(seen)["extra"] == str(expected)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "1.5"), ("money", "1.234"), ("date", "1 March"), ("yes_no", "maybe"), ("json", "{1: 2}"),
        ("json", "NaN"), ("json", '{"$file": 1}'), ("json", "[" * 5000), ("expression", "import os"), ("other", "1"),
    ],
)  # fmt: skip
def test_what_is_no_such_value_is_refused_and_changes_nothing(
    broken: Office, admin: Reader, kind: str, text: str
) -> None:
    case = broken.start(amount_fen=300)
    page = admin.get(f"/incidents/{only(broken, case)['id']}")
    before = broken.row(case)["scopes"]
    sent = {"name": "extra", "kind": kind, "value": text, "reason": "r"}
    assert admin.submit(page, sent, action="/correction", status=422).problems()
    assert broken.row(case)["scopes"] == before


def test_a_step_is_skipped_by_two_administrators(broken: Office, admin: Reader) -> None:
    broken.hire("管理员二", "sysadmin")
    case = broken.start(amount_fen=300)
    where = f"/incidents/{only(broken, case)['id']}"
    seen = admin.submit(admin.get(where), {"reason": "不影响审查"}, action="/skip")
    assert "须由另一名系统管理员确认" in seen.text
    assert "已提议跳过" in admin.get("/incidents").text
    other = reader_of(broken, "管理员二")
    page = other.get(where)
    assert "管理员已提议跳过" in page.text
    assert broken.row(case)["number"] in other.submit(page, {"reason": "同意"}, action="/skip").text
    assert list(broken.items(case)) == ["review"]


def test_a_gateway_offers_no_skip(broken: Office, admin: Reader) -> None:
    broken.deploy(package("permit", ("process.bpmn", "decision == 'return'", "100 // (amount_fen - 300) &gt; 5")))
    case = broken.start(amount_fen=300)
    broken.do(case, "review", "登记员")
    assert "不能跳过" in admin.get(f"/incidents/{only(broken, case)['id']}").text


def test_the_pages_are_said_in_english_too(broken: Office, admin: Reader) -> None:
    case = broken.start(amount_fen=300)
    admin.post("/language", {"language": "en"})
    assert "Cases that stand still" in admin.get("/incidents").text
    assert admin.get(f"/incidents/{only(broken, case)['id']}").heading == "Standing still at “Prepare”"


def test_a_substitute_is_named_listed_and_ended_by_command(broken: Office) -> None:
    period = ("--from", "2099-01-02", "--to", "2099-01-09", "--reason", "出差")
    made = done(broken.url, "person", "substitute", "登记员", "登记员二", "--role", "registrar", *period)
    [row] = rows(broken.url, "person", "substitutes", "登记员")
    assert row["id"] == made
    told = {key: row[key] for key in ("person", "substitute", "starts_on", "ends_on")}
    assert told == {"person": "登记员", "substitute": "登记员二", "starts_on": "2099-01-02", "ends_on": "2099-01-09"}
    assert "neither made" in refused(broken.url, 1, "person", "resume", made, "--by", "甲")
    done(broken.url, "person", "resume", made, "--by", "登记员二")
    assert rows(broken.url, "person", "substitutes", "登记员") == []
    said = refused(broken.url, 1, "person", "substitute", "登记员", "甲", "--role", "registrar", *period)
    assert "registrar" in said
