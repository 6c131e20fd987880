"""What each kind of field accepts and refuses, in which words, and that nothing else ever gets through."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answer import check
from forms.values import PersonRef, Value, check_keys, to_json
from tests.harness.forms import FILE, OPTIONS, WORLD, checked, form, paths

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
    "group": "code: x, kind: group, fields: [{code: n, kind: integer}]",
    "table": "code: x, kind: table, fields: [{code: n, kind: integer}]",
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
        (
            "text",
            "北京 <b>&amp;</b> <script>alert(1)</script>\n\t'\"",
            "北京 <b>&amp;</b> <script>alert(1)</script>\n\t'\"",
        ),
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
@pytest.mark.parametrize("given", ANYTHING_ELSE, ids=lambda given: type(given).__name__)
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
        "code: contact, kind: group, fields: [{code: age, kind: integer}]",
        "code: parties, kind: table, fields: [{code: name, kind: text, required: true}, {code: tags, kind: texts}]",
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


EVERY_KIND = form(*[text.replace("code: x", f"code: f_{name}") for name, text in KINDS.items()])
atoms = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.decimals() | st.binary()
    | st.sampled_from([FILE, PersonRef("p1"), "a", "p1", "2026-03-02", "DEV-1"])
)  # fmt: skip
names = st.text(max_size=5) | st.sampled_from(["n", "DEV-1", "$date"])
junk = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)


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
    for field in KINDS.values():
        for hostile in (deep, [deep], wide, "x" * 5_000_000, ["x"] * 100_000, {"n": wide}):
            assert checked(form(field), x=hostile).problems
    assert time.perf_counter() - start < 60
