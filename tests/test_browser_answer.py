"""What a browser sends becomes an answer, and an answer becomes what a browser shows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answer import World, check
from forms.browser import for_browser, from_browser
from forms.values import FileRef, PersonRef, Value
from tests.harness.forms import OPTIONS, form

FILE = FileRef("f1", "合同.pdf", "ab" * 32, 12, "application/pdf")
WORLD = World(names={}, functions={}, people=lambda identity: identity in {"p1", "p2"})
COLUMNS = (
    "fields: [{code: name, kind: text}, {code: fen, kind: money, min: -100000000000000000}, "
    "{code: sole, kind: yes_no}, {code: docs, kind: files}, {code: marks, kind: multi_choice, " + OPTIONS + "}]"
)


EVERY = form(
    "code: text, kind: text",
    "code: story, kind: long_text",
    "code: count, kind: integer",
    "code: price, kind: money, min: -100000000000000000",
    "code: portion, kind: ratio, min: -20000, max: 20000",
    "code: rate, kind: decimal",
    "code: day, kind: date",
    f"code: one, kind: choice, {OPTIONS}",
    f"code: many, kind: multi_choice, {OPTIONS}",
    "code: agree, kind: yes_no",
    "code: doc, kind: file",
    "code: docs, kind: files",
    "code: who, kind: person",
    "code: experts, kind: persons",
    "code: codes, kind: texts",
    "code: see, kind: reference",
    "code: sees, kind: references",
    "code: list, kind: checklist, items: [{code: DEV-1, zh: 一}, {code: DEV-2, zh: 二}]",
    f"code: group, kind: group, {COLUMNS}",
    f"code: rows, kind: table, {COLUMNS}",
    "code: remark, kind: note",
)


def read(
    *pairs: tuple[str, str], files: dict[str, FileRef | list[FileRef]] | None = None
) -> tuple[dict[str, Any], list[str]]:
    answer, problems = from_browser(EVERY, pairs, files or {})
    for problem in problems:
        assert problem.text.zh
        assert problem.text.en
    return answer, [problem.path for problem in problems]


@pytest.mark.parametrize(
    ("name", "texts", "value"),
    [
        ("text", ["北京 <b>"], "北京 <b>"),
        ("text", [""], None),
        ("story", ["a\r\nb"], "a\nb"),
        ("story", ["  a "], "  a "),
        ("count", [" 1,234 "], 1234),
        ("count", ["-5"], -5),
        ("count", [""], None),
        ("price", ["1,234.50"], 123450),
        ("price", ["￥１２"], 1200),
        ("portion", ["70"], 7000),
        ("portion", ["70.5%"], 7050),
        ("rate", [" 7.10 "], "7.10"),
        ("day", ["2026-03-02"], "2026-03-02"),
        ("one", ["a"], "a"),
        ("one", [""], None),
        ("many", ["a", "b"], ["a", "b"]),
        ("many", [""], []),
        ("agree", ["true"], True),
        ("agree", ["false"], False),
        ("agree", [""], None),
        ("agree", ["false", "on"], True),
        ("who", ["p1"], "p1"),
        ("experts", ["p1", "", "p2"], ["p1", "p2"]),
        ("codes", ["x", " ", "x"], ["x", "x"]),
        ("see", ["HT-1"], "HT-1"),
        ("sees", ["HT-1", "HT-2"], ["HT-1", "HT-2"]),
    ],
)
def test_a_field_is_read_from_its_texts(name: str, texts: list[str], value: object) -> None:
    answer, problems = read(*[(name, text) for text in texts])
    assert answer == {name: value}
    assert problems == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "1.5"),
        ("count", "x"),
        ("count", "9" * 19),
        ("price", "1.234"),
        ("price", "x"),
        ("portion", "70.555"),
        ("agree", "yes"),
    ],
)
def test_what_cannot_be_read_is_a_problem_at_its_name(name: str, text: str) -> None:
    answer, problems = read((name, text))
    assert answer == {name: None}
    assert problems == [name]


def test_an_amount_may_be_in_ten_thousands() -> None:
    assert read(("price", "3000.000001"), ("price.unit", "wan")) == ({"price": 3_000_000_001}, [])
    assert read(("price", "3000"), ("price.unit", "yuan")) == ({"price": 300_000}, [])
    assert read(("rows[0].fen", "1"), ("rows[0].fen.unit", "wan")) == ({"rows": [{"fen": 1_000_000}]}, [])


def test_checklists_groups_and_tables_are_read_from_their_parts() -> None:
    answer, problems = read(
        ("list.DEV-1", "true"),
        ("list.DEV-2", ""),
        ("group.name", "甲"),
        ("group.marks", "a"),
        ("group.marks", "b"),
        ("rows[7].name", "丙"),
        ("rows[2].name", "乙"),
        ("rows[2].fen", "1.5"),
        ("rows[2].sole", "false"),
        ("rows[4].name", " "),
        ("rows[4].fen", ""),
        files={"rows[2].docs": [FILE], "doc": FILE, "docs": FILE},
    )
    assert problems == []
    assert answer == {
        "doc": FILE,
        "docs": [FILE],
        "list": {"DEV-1": True, "DEV-2": None},
        "group": {"name": "甲", "marks": ["a", "b"]},
        "rows": [{"name": "乙", "fen": 150, "sole": False, "docs": [FILE]}, {"name": "丙"}],
    }


def test_a_problem_in_a_row_names_the_row() -> None:
    assert read(("rows[0].fen", "x"), ("rows[0].name", "甲"))[1] == ["rows[0].fen"]


def test_nothing_sent_is_nothing_answered() -> None:
    assert read() == ({}, [])


@pytest.mark.parametrize(
    "name",
    [
        "stranger", "../../etc/passwd", "text.part", "text[0]", "rows", "rows[0]", "rows[99999].name",
        "rows[0].strange", "rows[-1].name", "rows[0][1].name", "rows[0].name.x", "group", "group.strange", "list",
        "list.DEV-9", "remark", "__proto__", "price.unit.x", "",
    ],
)  # fmt: skip
def test_a_foreign_name_is_kept_so_that_it_is_refused(name: str) -> None:
    answer, _ = from_browser(EVERY, [(name, "x")], {})
    if name.startswith("_"):
        assert answer == {}
    else:
        assert check(EVERY, answer, WORLD).problems


def test_a_file_under_a_foreign_name_is_refused_too() -> None:
    answer, _ = from_browser(EVERY, [("text", "x")], {"text": FILE, "stranger": FILE})
    assert {problem.path for problem in check(EVERY, answer, WORLD).problems} == {"text", "stranger"}


def test_a_text_under_the_name_of_a_file_is_refused() -> None:
    answer, _ = from_browser(EVERY, [("doc", "f1")], {"doc": FILE})
    assert {problem.path for problem in check(EVERY, answer, WORLD).problems} == {"doc"}


def test_the_page_s_own_names_are_left_out() -> None:
    assert read(("_csrf", "x"), ("_request", "y"), ("text", "a")) == ({"text": "a"}, [])


def test_an_answer_is_shown_as_people_write_it() -> None:
    shown = for_browser(
        EVERY,
        {
            "text": "甲",
            "count": -5,
            "price": 123_450,
            "portion": 7050,
            "rate": Decimal("7.10"),
            "day": date(2026, 3, 2),
            "many": ["a", "b"],
            "agree": False,
            "doc": FILE,
            "docs": [FILE],
            "who": PersonRef("p1"),
            "experts": [PersonRef("p1")],
            "list": {"DEV-1": True, "DEV-2": None},
            "group": {"fen": 1},
            "rows": [{"name": "甲", "sole": True}],
        },
    )
    assert {name: text for name, text in shown.items() if text not in ("", [])} == {
        "text": "甲", "count": "-5", "price": "1,234.50", "portion": "70.5", "rate": "7.10", "day": "2026-03-02",
        "many": ["a", "b"], "agree": "false", "doc": "合同.pdf", "docs": ["合同.pdf"], "who": "p1", "experts": ["p1"],
        "list.DEV-1": "true", "group.fen": "0.01", "rows[0].name": "甲", "rows[0].sole": "true",
    }  # fmt: skip
    assert "remark" not in shown
    assert shown["story"] == ""


printable = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip)
amounts = st.integers(-(10**15), 10**15)
columns = {
    "name": st.none() | printable,
    "fen": st.none() | amounts,
    "sole": st.none() | st.booleans(),
    "docs": st.none(),
    "marks": st.none() | st.lists(st.sampled_from("ab"), min_size=1, unique=True),
}
row = st.fixed_dictionaries(columns).filter(lambda parts: any(part is not None for part in parts.values()))
answers = st.fixed_dictionaries(
    {
        "text": st.none() | printable,
        "story": st.none() | printable,
        "count": st.none() | st.integers(-(10**17), 10**17),
        "price": st.none() | amounts,
        "portion": st.none() | st.integers(-20_000, 20_000),
        "rate": st.none() | st.decimals(-(10**9), 10**9, places=4),
        "day": st.none() | st.dates(),
        "one": st.none() | st.sampled_from("ab"),
        "many": st.none() | st.lists(st.sampled_from("ab"), min_size=1, unique=True),
        "agree": st.none() | st.booleans(),
        "who": st.none() | st.just(PersonRef("p1")),
        "experts": st.none() | st.just([PersonRef("p2"), PersonRef("p1")]),
        "codes": st.none() | st.lists(printable, min_size=1, max_size=3),
        "list": st.none() | st.fixed_dictionaries({"DEV-1": st.booleans(), "DEV-2": st.none() | st.booleans()}),
        "group": st.none() | row,
        "rows": st.none() | st.lists(row, min_size=1, max_size=3),
    }
)  # fmt: skip


@given(answers)
def test_what_is_shown_and_sent_back_is_the_same_answer(values: dict[str, Value]) -> None:
    pairs = [
        (name, text)
        for name, shown in for_browser(EVERY, values).items()
        for text in (shown if isinstance(shown, list) else [shown])
        if name not in ("doc", "docs")
    ]
    answer, problems = from_browser(EVERY, pairs, {})
    result = check(EVERY, answer, WORLD)
    assert (problems, result.problems) == ((), ())
    assert {code: result.values[code] for code in values} == values


names = st.sampled_from(
    ["text", "count", "price", "price.unit", "portion", "agree", "list.DEV-1", "group.fen", "rows[0].fen", "rows["]
)  # fmt: skip


@given(st.lists(st.tuples(names | st.text(max_size=12), st.text(max_size=12)), max_size=10))
def test_whatever_is_sent_can_be_judged(pairs: list[tuple[str, str]]) -> None:
    answer, problems = from_browser(EVERY, pairs, {})
    result = check(EVERY, answer, WORLD)
    assert tuple(result.values) == EVERY.codes
    assert all(problem.text.zh for problem in (*problems, *result.problems))
