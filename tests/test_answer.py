"""The judge of answers: what each kind accepts, what is hidden or required when, and where every refusal points."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answer import Checked, World, check, drop_hidden, notes, unmet
from forms.expressions import ExpressionError
from forms.form import Form, read_form
from forms.values import FileRef, PersonRef, Value, check_keys, to_json

FILE = FileRef("f1", "合同.pdf", "ab" * 32, 12, "application/pdf")
WORLD = World(
    names={"today": date(2026, 3, 2), "limit": 5, "claimed_type": "tech_development", "nothing": None},
    functions={"today": lambda: date(2026, 3, 2)},
    people=lambda identity: identity in {"p1", "p2", "p3"},
)


def form(*fields: str, rest: str = "") -> Form:
    written = "".join(f"  - {{label: {{zh: 某栏, en: Some field}}, {field}}}\n" for field in fields)
    return read_form(f"id: test\ntitle: {{zh: 测试, en: Test}}\nfields:\n{written}{rest}", "test.yaml")


def checked(found: Form, world: World = WORLD, /, **answer: Any) -> Checked:
    return check(found, answer, world)


def paths(result: Checked) -> list[str]:
    for problem in result.problems:
        assert problem.text.zh
        assert problem.text.en
        assert problem.path.startswith(problem.code)
    return [problem.path for problem in result.problems]


OPTIONS = "options: [{code: a, zh: 甲}, {code: b, zh: 乙}]"
KINDS = {
    "text": "code: x, kind: text",
    "long_text": "code: x, kind: long_text",
    "integer": "code: x, kind: integer",
    "money": "code: x, kind: money",
    "ratio": "code: x, kind: ratio",
    "decimal": "code: x, kind: decimal",
    "date": "code: x, kind: date",
    "choice": f"code: x, kind: choice, {OPTIONS}",
    "multi_choice": f"code: x, kind: multi_choice, {OPTIONS}",
    "yes_no": "code: x, kind: yes_no",
    "must": "code: x, kind: yes_no, must: true",
    "file": "code: x, kind: file",
    "files": "code: x, kind: files",
    "person": "code: x, kind: person",
    "persons": "code: x, kind: persons",
    "texts": "code: x, kind: texts",
    "reference": "code: x, kind: reference, register: account",
    "references": "code: x, kind: references",
    "checklist": "code: x, kind: checklist, items: [{code: DEV-1, zh: 一}, {code: DEV-2, zh: 二}]",
    "group": "code: x, kind: group, fields: [{code: n, kind: integer, label: {zh: 数}}]",
    "table": "code: x, kind: table, fields: [{code: n, kind: integer, label: {zh: 数}}]",
    "pattern": "code: x, kind: text, pattern: '[0-9]{6}', min_length: 2",
    "short": "code: x, kind: texts, max_items: 2, min_items: 2, max_length: 3",
    "two": "code: x, kind: decimal, decimals: 2, min: -1.5, max: 10",
    "bounded": "code: x, kind: integer, min: 2, max: '=limit'",
    "dated": "code: x, kind: date, min: 2026-01-01, max: '=today'",
    "negative": "code: x, kind: money, min: -100",
}


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("text", "北京 <b>&amp;</b> <script>alert(1)</script>\n\t'\"", "北京 <b>&amp;</b> <script>alert(1)</script>\n\t'\""),
        ("text", "  a ", "  a "),
        ("text", "x" * 500, "x" * 500),
        ("text", " \n\t ", None),
        ("text", "", None),
        ("text", "👩‍👩‍👧 e\u0301 \u202e", "👩‍👩‍👧 e\u0301 \u202e"),
        ("long_text", "x" * 20_000, "x" * 20_000),
        ("integer", -3, -3),
        ("integer", 0, 0),
        ("integer", 10**18, 10**18),
        ("money", 0, 0),
        ("money", 3_000_000_001, 3_000_000_001),
        ("negative", -100, -100),
        ("ratio", 10_000, 10_000),
        ("decimal", "30000000.00", Decimal("30000000.00")),
        ("decimal", Decimal("7.1"), Decimal("7.1")),
        ("decimal", 3, Decimal(3)),
        ("decimal", "", None),
        ("two", "-1.50", Decimal("-1.50")),
        ("two", "1.500", Decimal("1.500")),
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("date", date(2026, 2, 28), date(2026, 2, 28)),
        ("date", "", None),
        ("dated", "2026-03-02", date(2026, 3, 2)),
        ("choice", "a", "a"),
        ("choice", "", None),
        ("multi_choice", ["b", "a"], ["b", "a"]),
        ("multi_choice", [], None),
        ("yes_no", False, False),
        ("must", True, True),
        ("file", FILE, FILE),
        ("files", [FILE], [FILE]),
        ("person", "p1", PersonRef("p1")),
        ("person", PersonRef("p2"), PersonRef("p2")),
        ("person", "", None),
        ("persons", ["p1", PersonRef("p2")], [PersonRef("p1"), PersonRef("p2")]),
        ("texts", ["a", "a"], ["a", "a"]),
        ("reference", "HT-2026-0001", "HT-2026-0001"),
        ("references", ["a", "b"], ["a", "b"]),
        ("checklist", {"DEV-1": True, "DEV-2": False}, {"DEV-1": True, "DEV-2": False}),
        ("checklist", {"DEV-2": True}, {"DEV-1": None, "DEV-2": True}),
        ("checklist", {"DEV-2": None}, None),
        ("checklist", {}, None),
        ("group", {"n": 1}, {"n": 1}),
        ("group", {"n": None}, None),
        ("group", {}, None),
        ("table", [{"n": 1}, {}], [{"n": 1}, {"n": None}]),
        ("table", [{"n": 1}] * 500, [{"n": 1}] * 500),
        ("table", [], None),
        ("pattern", "110108", "110108"),
        ("short", ["a", "b"], ["a", "b"]),
        ("bounded", 2, 2),
        ("bounded", 5, 5),
    ],
)
def test_a_kind_accepts_what_it_is_for(kind: str, given: object, value: Value) -> None:
    result = checked(form(KINDS[kind]), x=given)
    assert paths(result) == ([] if value is not None or kind != "must" else ["x"])
    assert result.values == {"x": value}
    assert type(result.values["x"]) is type(value)


ANYTHING_ELSE: list[object] = [
    1.5, float("nan"), float("inf"), (1,), {1, 2}, b"a", object(), {"$date": "2026-03-02"}, {"$person": "p1"},
    {"$file": {"id": "f1"}}, [["a"]], [None], [1.5], datetime(2026, 3, 2, tzinfo=UTC),
]  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("given", ANYTHING_ELSE, ids=repr)
def test_no_kind_accepts_a_tag_or_a_value_of_no_kind(kind: str, given: object) -> None:
    result = checked(form(KINDS[kind]), x=given)
    assert result.problems
    assert {problem.code for problem in result.problems} == {"x"}


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("text", 5, "must be a text, but it is an integer"),
        ("text", True, "must be a text, but it is yes/no"),
        ("text", "x" * 501, "may have 500 characters, but it has 501"),
        ("long_text", "x" * 20_001, "may have 20000 characters"),
        ("text", "a\x00b", "control character U+0000"),
        ("text", "a\x1bb", "control character U+001B"),
        ("text", "a\rb", "control character U+000D"),
        ("text", "a\x85b", "control character U+0085"),
        ("text", "a\ud800b", "control character U+D800"),
        ("text", "a\uffffb", "control character U+FFFF"),
        ("pattern", "11010", "must have the form [0-9]{6}"),
        ("pattern", "110108\n", "must have the form"),
        ("pattern", "1", "must have 2 characters, but it has 1"),
        ("integer", True, "must be a whole number, but it is yes/no"),
        ("integer", "5", "must be a whole number, but it is a text"),
        ("integer", Decimal(5), "must be a whole number, but it is a decimal"),
        ("integer", 10**18 + 1, "too large"),
        ("bounded", 1, "must not be below 2"),
        ("bounded", 6, "must not be above 5"),
        ("money", -1, "must not be below 0.00 yuan"),
        ("money", "1", "must be an amount"),
        ("negative", -101, "must not be below -1.00 yuan"),
        ("ratio", 10_001, "must not be above 100%"),
        ("decimal", "1,000", "must be a decimal such as 12.50"),
        ("decimal", "1e5", "must be a decimal"),
        ("decimal", "NaN", "must be a decimal"),
        ("decimal", Decimal("NaN"), "must be a decimal"),
        ("decimal", Decimal("Infinity"), "must be a decimal"),
        ("decimal", "٣", "must be a decimal"),
        ("decimal", True, "must be a decimal"),
        ("decimal", "9" * 19, "must be a decimal"),
        ("two", "1.234", "2 decimals at most"),
        ("two", "-1.51", "must not be below -1.5"),
        ("two", "10.01", "must not be above 10"),
        ("date", "2026-02-29", "must be a date such as"),
        ("date", "20260302", "must be a date such as"),
        ("date", "2026-W10-1", "must be a date such as"),
        ("date", "2026-03-02T00:00:00", "must be a date such as"),
        ("date", "２０２６-03-02", "must be a date such as"),
        ("date", 20260302, "must be a date, but it is an integer"),
        ("dated", "2025-12-31", "must not be below 2026-01-01"),
        ("dated", "2026-03-03", "must not be above 2026-03-02"),
        ("choice", "c", "must be one of a, b"),
        ("choice", ["a"], "must be the code of an option"),
        ("multi_choice", "a", "must be a list, but it is a text"),
        ("multi_choice", ["a", "c"], "must be one of a, b"),
        ("multi_choice", ["a", "a"], "has an entry twice (number 2)"),
        ("multi_choice", ["a", ""], "has an empty entry (number 2)"),
        ("yes_no", "true", "must be yes or no"),
        ("yes_no", 1, "must be yes or no"),
        ("must", False, "must be answered with yes"),
        ("must", None, "must be answered"),
        ("file", "f1", "must be a file, but it is a text"),
        ("file", {"file": "a.pdf"}, "must be a file, but it is a record"),
        ("files", FILE, "must be a list"),
        ("person", "p9", "names a person nobody knows (p9)"),
        ("person", "p1 ", "must be the id of a person"),
        ("persons", ["p1", "p1"], "has an entry twice"),
        ("persons", ["p1", "p9"], "nobody knows"),
        ("short", ["a", "b", "c"], "may not have more than 2 entries"),
        ("short", ["a"], "needs 2 entries at least"),
        ("short", ["a", "abcd"], "may have 3 characters"),
        ("reference", "x" * 201, "must be the id of a record"),
        ("reference", "a\x00", "must be the id of a record"),
        ("checklist", {"DEV-3": True}, "has no item DEV-3; there are: DEV-1, DEV-2"),
        ("checklist", {"DEV-1": "true"}, "must be yes or no"),
        ("checklist", {"DEV-1": 1}, "must be yes or no"),
        ("checklist", ["DEV-1"], "must be yes or no for each item"),
        ("group", [1], "must be a record of values"),
        ("group", "x", "must be a record of values"),
        ("table", {"n": 1}, "must be a table"),
        ("table", [1], "must be a row"),
        ("table", [{"n": 1}] * 501, "may have 500 rows"),
    ],
)
def test_a_refusal_names_the_label_what_was_expected_and_what_is(kind: str, given: object, said: str) -> None:
    result = checked(form(KINDS[kind]), x=given)
    (problem,) = result.problems
    assert said in problem.text.en
    assert problem.text.en.startswith("“Some field” ")
    assert problem.text.zh.startswith("“某栏”")
    assert problem.code == "x"


def test_problems_point_into_lists_groups_and_rows() -> None:
    found = form(
        "code: names, kind: texts",
        "code: check_list, kind: checklist, required: true, items: [{code: DEV-1, zh: 一}, {code: DEV-2, zh: 二}]",
        "code: contact, kind: group, fields: [{code: age, kind: integer, label: {zh: 年龄}}]",
        "code: parties, kind: table, fields: [{code: name, kind: text, label: {zh: 名称}, required: true}, "
        "{code: tags, kind: texts, label: {zh: 标签}}]",
    )
    result = checked(
        found,
        names=["a", 5],
        check_list={"DEV-2": True},
        contact={"age": "x", "strange": 1},
        parties=[{"name": "甲"}, {"tags": ["a", "\x00"]}, {"name": "乙", "more": 1}],
    )
    assert sorted(paths(result)) == [
        "check_list.DEV-1", "contact.age", "contact.strange", "names[1]", "parties[1].name", "parties[1].tags[1]",
        "parties[2].more",
    ]  # fmt: skip


# -- shown, required, computed ------------------------------------------------------------------------------------------

SECRET = form(
    "code: level, kind: choice, required: true, options: [{code: none, zh: 不涉密}, {code: secret, zh: 机密}]",
    "code: contract_file, kind: file, required: true, show_if: \"level == 'none'\"",
    "code: reason, kind: text, required_if: \"level == 'secret'\"",
)


def test_a_hidden_field_is_null_and_refused_when_answered() -> None:
    assert checked(SECRET, level="secret", reason="x").values["contract_file"] is None
    assert paths(checked(SECRET, level="secret", reason="x", contract_file=None)) == []
    result = checked(SECRET, level="secret", reason="x", contract_file=FILE)
    assert paths(result) == ["contract_file"]
    assert "does not apply here" in result.problems[0].text.en
    assert result.values["contract_file"] is None


def test_a_field_is_required_while_its_condition_holds() -> None:
    assert paths(checked(SECRET, level="secret")) == ["reason"]
    assert paths(checked(SECRET, level="none")) == ["contract_file"]
    assert paths(checked(SECRET, level="none", contract_file=FILE)) == []
    assert paths(checked(SECRET)) == ["level"]


def test_the_paths_that_are_shown_and_required_are_told() -> None:
    result = checked(SECRET, level="secret", reason="x")
    assert result.shown == {"level", "reason"}
    assert result.required == {"level", "reason"}


def test_an_unknown_field_is_refused_even_when_it_is_empty() -> None:
    assert paths(checked(SECRET, level="secret", reason="x", other=None)) == ["other"]
    assert paths(check(SECRET, {"level": "secret", "reason": "x", "../../etc/passwd": "1"}, WORLD)) == ["../../etc/passwd"]
    long = check(SECRET, {"level": "secret", "reason": "x", "y" * 10_000 + "\ud800": "1"}, WORLD)
    assert len(long.problems[0].path) <= 60


def test_a_note_cannot_be_answered() -> None:
    found = form("code: a, kind: text", "code: n, kind: note, show: '=a'")
    assert paths(checked(found, a="x", n="x")) == ["n"]
    assert checked(found, a="x").values == {"a": "x"}


def test_notes_show_what_their_expressions_give() -> None:
    found = form(
        "code: a, kind: integer",
        "code: twice, kind: note, show: '=a * 2'",
        "code: hidden, kind: note, show: '=a', show_if: 'a > 5'",
        "code: broken, kind: note, show: '=missing'",
        "code: plain, kind: note",
    )
    assert notes(found, {"a": 3}, WORLD) == {"twice": 6, "plain": None}
    assert notes(found, {}, WORLD) == {"twice": None, "plain": None}


def test_a_computed_field_is_computed_and_cannot_be_given_another_value() -> None:
    found = form("code: total, kind: money", "code: part, kind: money", "code: rest, kind: money, compute: '=total - part'")
    assert checked(found, total=5, part=2).values["rest"] == 3
    assert paths(checked(found, total=5, part=2, rest=3)) == []
    assert paths(checked(found, total=5, part=2, rest=4)) == ["rest"]
    assert paths(checked(found, total=5, part=2, rest="x")) == ["rest"]
    assert checked(found, total=5, part=9).values["rest"] == -4
    assert checked(found, total=5).values["rest"] is None
    assert paths(checked(found, total=5)) == []
    assert paths(checked(found, total=5, part="x", rest=3)) == ["part"]


def test_fields_may_depend_on_later_ones() -> None:
    found = form(
        "code: sum, kind: integer, compute: '=a + b'",
        "code: extra, kind: text, show_if: 'sum > 10', required: true",
        "code: a, kind: integer",
        "code: b, kind: integer, max: '=a'",
    )
    result = checked(found, a=8, b=7)
    assert result.values == {"sum": 15, "extra": None, "a": 8, "b": 7}
    assert paths(result) == ["extra"]
    assert paths(checked(found, a=1, b=2)) == ["b"]


def test_what_a_hidden_field_held_is_seen_by_nobody() -> None:
    found = form("code: on, kind: yes_no", "code: amount, kind: integer, show_if: 'on'", "code: big, kind: yes_no, compute: '=amount is not None'")
    result = checked(found, on=False, amount=5)
    assert result.values["big"] is False
    assert paths(result) == ["amount"]


def test_the_form_s_own_codes_come_before_the_names_of_the_case() -> None:
    found = form("code: limit, kind: integer", "code: a, kind: integer, max: '=limit'", "code: b, kind: text, required_if: 'limit is None'")
    assert paths(checked(found, limit=1, a=2)) == ["a"]
    assert paths(checked(found, a=9)) == ["b"]


def test_a_condition_that_breaks_refuses_the_field_instead_of_hiding_the_fault() -> None:
    for broken in ("show_if: missing", "required_if: 'missing > 1'", "show_if: \"limit == 'a'\"", "show_if: limit"):
        assert paths(checked(form(f"code: a, kind: text, {broken}"))) == ["a"]
    for broken in ("compute: '=missing'", "compute: '=claimed_type'", "max: '=missing'", "max: '=claimed_type'"):
        given = {} if "compute" in broken else {"a": 1}
        assert paths(checked(form(f"code: a, kind: integer, {broken}"), **given)) == ["a"]


def test_a_condition_about_an_answer_still_empty_does_not_hold_yet() -> None:
    found = form("code: n, kind: integer", "code: a, kind: text, show_if: 'n > 3', required: true", "code: b, kind: text, required_if: 'not n'")
    result = checked(found)
    assert paths(result) == []
    assert result.shown == {"n", "b"}


# -- rules --------------------------------------------------------------------------------------------------------------

RULED = form(
    "code: decision, kind: choice, required: true, options: [{code: accept, zh: 受理}, {code: return, zh: 退回}]",
    "code: complete, kind: yes_no",
    "code: count, kind: integer, min: 0",
    rest="rules:\n"
    "  - {check: \"decision != 'accept' or complete\", field: decision, zh: 材料不齐不得受理, en: Materials are missing}\n"
    "  - {check: count < limit, field: count, zh: 过多, en: Too many}\n",
)


def test_a_rule_refuses_the_field_that_has_to_change_in_its_own_words() -> None:
    result = checked(RULED, decision="accept", complete=False, count=1)
    assert [(problem.path, problem.text.zh) for problem in result.problems] == [("decision", "材料不齐不得受理")]
    assert paths(checked(RULED, decision="return", complete=False, count=1)) == []
    assert paths(checked(RULED, decision="accept", complete=True, count=5)) == ["count"]


def test_a_rule_that_gives_nothing_does_not_hold() -> None:
    assert paths(checked(RULED, decision="accept", count=1)) == ["decision"]


def test_a_rule_waits_until_its_fields_are_sound() -> None:
    assert paths(checked(RULED, decision="accept", complete="x", count=-1)) == ["complete", "count"]
    assert paths(checked(RULED, complete=False, count=1)) == ["decision"]


def test_a_rule_that_cannot_be_judged_refuses() -> None:
    result = checked(RULED, decision="return")
    assert paths(result) == ["count"]
    assert "count < limit" in result.problems[0].text.en


def test_problems_come_in_the_order_of_the_fields() -> None:
    assert paths(checked(RULED, strange=1, complete=5, count=7)) == ["strange", "decision", "complete", "count"]


# -- checklists keyed by another field ----------------------------------------------------------------------------------

REVIEW = form(
    "code: determined_type, kind: choice, options: [{code: tech_development, zh: 开发}, {code: tech_service, zh: 服务}, {code: other, zh: 其他}]",
    "code: criteria, kind: checklist, required_if: \"proposal == 'register'\", items_by: {field: determined_type, lists: "
    "{tech_development: [{code: DEV-1, zh: 一}, {code: DEV-2, zh: 二}], tech_service: [{code: SVC-1, zh: 三}]}}",
    f"code: proposal, kind: choice, required: true, {OPTIONS.replace('code: a', 'code: register')}",
    rest="rules:\n  - {check: \"proposal != 'register' or all(criteria)\", field: proposal, zh: 条件不符, en: Not met}\n",
)


def test_a_checklist_asks_exactly_the_items_of_the_other_answer() -> None:
    good = {"DEV-1": True, "DEV-2": True}
    assert paths(checked(REVIEW, determined_type="tech_development", criteria=good, proposal="register")) == []
    assert paths(checked(REVIEW, determined_type="tech_service", criteria=good, proposal="register")) == ["criteria"]
    assert paths(checked(REVIEW, determined_type="tech_development", criteria={"DEV-1": True}, proposal="register")) == [
        "criteria.DEV-2"
    ]
    assert paths(checked(REVIEW, determined_type="tech_development", criteria={**good, "DEV-2": False}, proposal="register")) == ["proposal"]
    assert paths(checked(REVIEW, determined_type="tech_development", proposal="register")) == ["criteria"]
    assert paths(checked(REVIEW, determined_type="other", criteria=good, proposal="b")) == ["criteria"]
    assert paths(checked(REVIEW, criteria={"DEV-1": True}, proposal="b")) == ["criteria"]
    assert paths(checked(REVIEW, determined_type="other", proposal="b")) == []


# -- groups and tables --------------------------------------------------------------------------------------------------

PARTIES = form(
    "code: is_import, kind: yes_no",
    "code: parties, kind: table, required: true, min_items: 2, fields: ["
    "{code: country, kind: text, label: {zh: 国家}, required: true}, "
    "{code: uscc, kind: text, label: {zh: 代码}, required_if: \"country == 'CN'\"}, "
    "{code: customs_no, kind: text, label: {zh: 海关}, show_if: 'is_import', required: true}, "
    "{code: bp, kind: ratio, label: {zh: 份额}, max: '=top_bp'}, "
    "{code: half, kind: integer, label: {zh: 一半}, compute: '=bp // 2'}]",
    "code: top_bp, kind: ratio",
    rest="rules:\n  - {check: \"sum(p['bp'] or 0 for p in parties) <= 10000\", field: parties, zh: 合计超过, en: Too much}\n",
)


def test_columns_see_their_own_row_first_and_then_the_form() -> None:
    result = checked(
        PARTIES,
        is_import=False,
        parties=[{"country": "CN", "bp": 4001}, {"country": "US", "bp": 10, "customs_no": "x"}],
        top_bp=4000,
    )
    assert sorted(paths(result)) == ["parties[0].bp", "parties[0].uscc", "parties[1].customs_no"]


def test_a_row_has_every_column_and_computes_its_own() -> None:
    result = checked(PARTIES, parties=[{"country": "US", "bp": 5}, {"country": "US"}])
    assert paths(result) == []
    assert result.values["parties"] == [
        {"country": "US", "uscc": None, "customs_no": None, "bp": 5, "half": 2},
        {"country": "US", "uscc": None, "customs_no": None, "bp": None, "half": None},
    ]
    assert "parties[0].uscc" in result.shown
    assert "parties[0].customs_no" not in result.shown


def test_a_table_needs_its_rows_and_a_rule_sees_them_all() -> None:
    assert paths(checked(PARTIES)) == ["parties"]
    assert paths(checked(PARTIES, parties=[])) == ["parties"]
    assert paths(checked(PARTIES, parties=[{"country": "US"}])) == ["parties"]
    both = [{"country": "US", "bp": 6000}, {"country": "US", "bp": 6000}]
    assert paths(checked(PARTIES, parties=both)) == ["parties"]


GROUPED = form(
    "code: kind, kind: choice, options: [{code: company, zh: 公司}, {code: person, zh: 个人}]",
    "code: recipient, kind: group, required_if: \"kind == 'company'\", fields: ["
    "{code: name, kind: text, label: {zh: 名称}, required: true}, "
    "{code: country, kind: text, label: {zh: 国家}}, "
    "{code: uscc, kind: text, label: {zh: 代码}, show_if: \"country == 'CN' and kind == 'company'\"}]",
)


def test_a_group_of_blanks_is_empty() -> None:
    found = form("code: g, kind: group, fields: [{code: a, kind: text, label: {zh: 甲}}, {code: b, kind: texts, label: {zh: 乙}}]")
    assert checked(found, g={"a": " ", "b": []}).values["g"] is None
    assert checked(found, g={"a": " ", "b": ["x"]}).values["g"] == {"a": None, "b": ["x"]}


def test_an_empty_group_asks_nothing_of_its_parts_unless_it_is_required() -> None:
    assert checked(GROUPED).values["recipient"] is None
    assert paths(checked(GROUPED)) == []
    assert paths(checked(GROUPED, kind="company")) == ["recipient.name"]
    assert paths(checked(GROUPED, recipient={"country": "CN"})) == ["recipient.name"]
    assert checked(GROUPED).shown == {"kind", "recipient", "recipient.name", "recipient.country"}


def test_a_required_group_without_required_parts_must_hold_something() -> None:
    found = form("code: g, kind: group, required: true, fields: [{code: a, kind: text, label: {zh: 甲}}]")
    assert paths(checked(found)) == ["g"]
    assert paths(checked(found, g={"a": "x"})) == []


def test_the_parts_of_a_group_are_shown_by_its_own_answers_and_the_form_s() -> None:
    given = {"name": "甲", "country": "CN", "uscc": "1"}
    assert paths(checked(GROUPED, kind="company", recipient=given)) == []
    assert paths(checked(GROUPED, kind="person", recipient=given)) == ["recipient.uscc"]


# -- the whole ----------------------------------------------------------------------------------------------------------


def test_what_must_hold_before_a_form_opens_is_told() -> None:
    found = form(
        "code: a, kind: text",
        rest="requires:\n  - {check: claimed_type is None, zh: 先注册, en: Register first, see: register_account}\n  - {check: limit > 1, zh: 甲}\n",
    )
    (demand,) = unmet(found, WORLD)
    assert (demand.text.en, demand.see) == ("Register first", "register_account")
    with pytest.raises(ExpressionError):
        unmet(form("code: a, kind: text", rest="requires: [{check: nothing > 1, zh: 甲}]\n"), WORLD)


def test_a_draft_drops_what_became_hidden_and_what_is_computed() -> None:
    draft = {"level": "secret", "contract_file": FILE, "reason": "x", "unknown": 1}
    assert drop_hidden(SECRET, draft, WORLD) == {"level": "secret", "reason": "x"}
    rows = [{"country": "US", "customs_no": "x", "half": 3}, "strange"]
    assert drop_hidden(PARTIES, {"parties": rows[:1], "is_import": False}, WORLD) == {
        "is_import": False,
        "parties": [{"country": "US"}],
    }
    assert drop_hidden(PARTIES, {"parties": rows}, WORLD) == {"parties": rows}
    group = {"name": "甲", "country": "CN", "uscc": "1"}
    assert drop_hidden(GROUPED, {"kind": "person", "recipient": group}, WORLD) == {
        "kind": "person",
        "recipient": {"name": "甲", "country": "CN"},
    }


def test_what_is_kept_of_a_draft_is_not_refused_for_being_hidden() -> None:
    draft = {"kind": "person", "recipient": {"name": "甲", "uscc": "1"}}
    assert checked(GROUPED, **draft).problems
    assert checked(GROUPED, **drop_hidden(GROUPED, draft, WORLD)).problems == ()


EVERY_KIND = form(*[text.replace("code: x", f"code: f_{name}") for name, text in KINDS.items()])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.decimals() | st.binary()
    | st.sampled_from([FILE, PersonRef("p1"), "a", "p1", "2026-03-02", "DEV-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(["n", "DEV-1", "$date"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([f"f_{name}" for name in KINDS]) | st.text(max_size=5), junk, max_size=8))
def test_whatever_is_sent_becomes_sound_values_or_problems(answer: dict[str, Any]) -> None:
    result = check(EVERY_KIND, answer, WORLD)
    assert tuple(result.values) == EVERY_KIND.codes
    check_keys(result.values)
    to_json(result.values)
    for problem in result.problems:
        str(problem.text).encode()
        problem.path.encode()


@given(st.dictionaries(st.sampled_from([f"f_{name}" for name in KINDS]), junk, max_size=8))
def test_a_sound_answer_checked_again_is_the_same(answer: dict[str, Any]) -> None:
    refused = {problem.code for problem in check(EVERY_KIND, answer, WORLD).problems}
    once = check(EVERY_KIND, {code: given for code, given in answer.items() if code not in refused}, WORLD)
    again = check(EVERY_KIND, once.values, WORLD)
    assert (again.values, again.problems) == (once.values, once.problems)
    assert {problem.code for problem in once.problems} <= {"f_must"}


def test_a_deep_or_large_answer_is_refused_quickly() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = {"n": deep}
    wide = [{"n": number, "m": number} for number in range(100_000)]
    start = time.perf_counter()
    for kind in KINDS:
        for given in (deep, [deep], wide, "x" * 5_000_000, ["x"] * 100_000, {"n": wide}):
            assert checked(form(KINDS[kind]), x=given).problems
    assert time.perf_counter() - start < 10


def test_an_answer_is_checked_in_far_less_than_a_millisecond() -> None:
    answer = {"level": "secret", "reason": "x"}
    start = time.perf_counter()
    for _ in range(200):
        check(SECRET, answer, WORLD)
    assert (time.perf_counter() - start) / 200 < 0.001
