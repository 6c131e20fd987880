"""The expression language: what it means, what it refuses and in which words, what can be read off an expression."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from forms.expressions import Empty, ExpressionError, Unset, compile_expression, compile_script
from forms.values import PersonRef, Value
from tests.harness.forms import NAMES


def evaluated(source: str, **functions: Callable[..., Value]) -> Value:
    return compile_expression(source).value(NAMES, functions)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("decimal(-7) // 2", Decimal(-4)),
        ("decimal(-7) % 3", Decimal(2)),
        ("7 % decimal(-3)", Decimal(-2)),
        ("1.5", Decimal("1.5")),
        ("1.50 * 2", Decimal("3.00")),
        ("0.1 + 0.2 == 0.3", True),
        ("amount_fen * rate", Decimal("21300000000.0")),
        ("amount_fen > 3_000_000_000", False),
        ("amount_fen >= 3_000_000_000.00", True),
        ("amount_fen == 3_000_000_000.00", True),
        ("1 < 2 < 3", True),
        ("1 < 2 > 5", False),
        ("title + '（样例）'", "技术开发合同（样例）"),
        ("'合同' in title", True),
        ("rows + [1]", [*NAMES["rows"], 1]),  # type: ignore[misc]
        ("day + 30", date(2026, 4, 1)),
        ("day - 2", date(2026, 2, 28)),
        ("today - day", 1),
        ("day < today", True),
        ("instant == instant", True),
        ("empty is None", True),
        ("title is not None", True),
        ("empty == None", True),
        ("title != None", True),
        ("None in ('a', None)", True),
        ("empty in ('CNY', 'USD')", False),
        ("'DEV-1' in criteria", True),
        ("'DEV-9' not in criteria", True),
        ("criteria['DEV-2']", False),
        ("rows[0]['role']", "seller"),
        ("rows[-1]['bp']", 3000),
        ("rows[1 if yes else 0]['role']", "buyer"),
        ("who['id']", "p1"),
        ("file['sha256']", "ab" * 32),
        ("file['name']", "合同.pdf"),
        ("empty or amount_fen or 0", 3_000_000_000),
        ("empty or 0", 0),
        ("empty or []", []),
        ("yes and title", "技术开发合同"),
        ("no and missing", False),
        ("yes or missing", True),
        ("not no", True),
        ("all(criteria)", False),
        ("any(criteria)", True),
        ("len(criteria)", 2),
        ("all([])", True),
        ("any([None, True])", True),
        ("all([True, None])", False),
        ("sum(r['bp'] for r in rows)", 10_000),
        ("sum(r['bp'] for r in rows if r['role'] == 'buyer')", 3000),
        ("[r['role'] for r in rows]", ["seller", "buyer"]),
        ("[k for k in criteria]", ["DEV-1", "DEV-2"]),
        ("max(r['bp'] for r in rows)", 7000),
        ("max(1, 2, 3)", 3),
        ("min([3, 1.5])", Decimal("1.5")),
        ("any(r['bp'] > 5000 for r in rows)", True),
        ("any(any(s['bp'] < r['bp'] for s in rows) for r in rows)", True),
        ("{'role': 'seller', 'bp': 7000} == rows[0]", True),
        ("{'a': [1, {'b': None}]}", {"a": [1, {"b": None}]}),
        ("(1, 2) == [1, 2.0]", True),
        ("[1, 2] == [1]", False),
        ("[True] == [1]", False),
        ("who == who", True),
        ("today", date(2026, 3, 3)),
    ],
)
def test_an_expression_means_what_it_says(source: str, value: Value) -> None:
    assert evaluated(source) == value
    assert type(evaluated(source)) is type(value)


@pytest.mark.parametrize(
    "source",
    [
        "1 == 'a'",
        "1 < 'a'",
        "yes == 1",
        "yes < no",
        "yes + 1",
        "day == '2026-03-02'",
        "day < instant",
        "who == 'p1'",
        "1 in ['a']",
        "1 in 'a1'",
        "title + 1",
        "1 + title",
        "title * 3",
        "[1] * 3",
        "title - 'a'",
        "day + day",
        "day + 1.5",
        "day + yes",
        "1 - day",
        "-title",
        "not title",
        "not 0",
        "1 if title else 2",
        "1 if 0 else 2",
        "1 // 0",
        "1 % 0",
        "1 // 0.0",
        "rows['a']",
        "rows[2]",
        "rows[yes]",
        "criteria['DEV-9']",
        "criteria[1]",
        "title[0]",
        "who['name']",
        "file['path']",
        "file[0]",
        "len(title)",
        "len(5)",
        "sum(['a'])",
        "min([])",
        "max([1, 'a'])",
        "all([1])",
        "any(['x'])",
        "[x for x in 5]",
        "[x for x in title]",
        "[x for x in rows if x]",
        "abs('a')",
        "share(1.5, 3)",
        "starts_with('a', None)",
        "today()",
        "10 ** 2",
        "1_000_000_000_000 * 1_000_000_000_000",
        "day + 1_000_000_000",
        "1.000000000001 * 1.000000000001 * 1.000000000001 * 1.000000000001",
        "find('account', 'x')",
    ],
)
def test_what_has_no_value_is_refused_in_both_languages(source: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        evaluated(source)
    assert refusal.value.text.zh
    assert refusal.value.text.en
    assert not isinstance(refusal.value, Unset)


@pytest.mark.parametrize(
    "source",
    ["empty < 1", "empty + 1", "1 - empty", "not empty", "day + empty", "empty[0]", "all(empty)", "len(empty)",
     "1 if empty else 2", "[x for x in empty]", "'a' in empty", "share(empty, 1)", "-empty", "sum([1, empty])"],
)  # fmt: skip
def test_an_empty_value_where_one_is_needed_is_told_apart(source: str) -> None:
    with pytest.raises(Empty):
        evaluated(source)


def test_a_refusal_names_the_part_that_failed_once() -> None:
    with pytest.raises(ExpressionError) as refusal:
        evaluated("yes and any(r['role'] + 1 == 'x' for r in rows)")
    assert refusal.value.text.en == "“r['role'] + 1”: a text is expected, but it is an integer"
    assert refusal.value.text.zh == "“r['role'] + 1”：应为文本，现为整数"


def test_an_unset_name_is_told_apart_from_an_empty_one() -> None:
    with pytest.raises(Unset) as refusal:
        evaluated("missing is None")
    assert refusal.value.name == "missing"


def test_a_condition_is_true_or_false_and_nothing_else() -> None:
    assert compile_expression("amount_fen > 1").condition(NAMES, {}) is True
    for source in ("title", "0", "empty", "rows"):
        with pytest.raises(ExpressionError, match="true or false"):
            compile_expression(source).condition(NAMES, {})


def test_the_engine_supplies_what_needs_the_world() -> None:
    assert evaluated("today()", today=lambda: date(2026, 5, 1)) == date(2026, 5, 1)
    assert evaluated("find('account', who)['x']", find=lambda register, key: {"x": [register, key]}) == [
        "account",
        PersonRef("p1"),
    ]
    with pytest.raises(ExpressionError, match="a date is expected"):
        evaluated("add_days(title, 3)", add_days=lambda day, days: day)


def test_a_pure_function_cannot_be_replaced() -> None:
    assert evaluated("abs(-3)", abs=lambda number: 99) == 3


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os')",
        "__builtins__",
        "_private",
        "title.upper()",
        "().__class__",
        "rows[0].keys()",
        "getattr(title, 'x')",
        "eval('1')",
        "open('x')",
        "lambda: 1",
        "(lambda: 1)()",
        "f'{title}'",
        "b'bytes'",
        "1 / 2",
        "2 ** 8",
        "1 << 3",
        "1 | 2",
        "~1",
        "+1",
        "1j",
        "1e5",
        "1.",
        ".5",
        "...",
        "x := 1",
        "(x := 1)",
        "{1, 2}",
        "{x: 1 for x in rows}",
        "{x for x in rows}",
        "(x for x in rows)",
        "[x for x in rows for y in rows]",
        "[x for x in rows if yes if no]",
        "[x for x, y in rows]",
        "[*rows]",
        "{**criteria}",
        "{1: 2}",
        "{'$date': '2026-03-02'}",
        "{title: 1}",
        "{'a': 1, 'a': 2}",
        "rows[0:1]",
        "rows[:]",
        "yes is no",
        "1 is 1",
        "await x",
        "yield x",
        "len(rows, rows)",
        "len()",
        "len(x=rows)",
        "len(*rows)",
        "rows(1)",
        "rows[0](1)",
        "share((x for x in rows), 1)",
        "max((x for x in rows), 1)",
        "a = 1",
        "a; b",
        "import os",
        "",
        "   ",
        "1 +",
        "'open",
        "(1",
        "名称 == 1",
        "amount_fen ＞ 1",
        "amount_fen > 1 # note",
        "'a\\nb'",
        "'\\u0041'",
        "a \\\n and b",
        "\x00",
        "1\x0c",
        "ﬁnd('a', 'b')",
        "1_000_000_000_000_000_000_000",
        "0.0000000000000001",
    ],
)
def test_what_is_not_of_the_language_does_not_compile(source: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        compile_expression(source)
    assert refusal.value.text.zh.startswith("第 ")
    assert refusal.value.text.en.startswith("column ")


def test_a_compile_error_names_the_column_in_characters() -> None:
    with pytest.raises(ExpressionError, match="column 17: Attribute"):
        compile_expression("title == '北京' + x.y")


# -- what others read off an expression ------------------------------------------------------------


def test_names_functions_and_paths_are_the_free_ones() -> None:
    expression = compile_expression(
        "all(r['bp'] > limit for r in rows) and decision['a'] == other and decision is not None and f(x) if yes else 1"
        .replace("f(x)", "text(x['k']['z'])")
    )  # fmt: skip
    assert expression.names == {"limit", "rows", "decision", "other", "x", "yes"}
    assert expression.functions == {"all", "text"}
    assert expression.paths == {
        ("limit", None), ("rows", None), ("decision", "a"), ("decision", None), ("other", None), ("x", "k"),
        ("yes", None),
    }  # fmt: skip


def test_a_loop_variable_is_free_only_outside_its_loop() -> None:
    assert compile_expression("[x for x in x]").names == {"x"}
    assert compile_expression("[x for x in rows]").names == {"rows"}
    assert compile_expression("[x for x in rows] == x").names == {"rows", "x"}


def test_a_loop_variable_hides_the_name_outside_and_leaves_it_alone() -> None:
    assert compile_expression("[[x for x in [1]], x]").value({"x": 5}, {}) == [[1], 5]


def test_line_breaks_count_as_spaces() -> None:
    assert evaluated("\n  amount_fen\n  > 1\r\n and yes\n") is True


def test_a_literal_list_is_not_shared_between_evaluations() -> None:
    expression = compile_expression("['a', 'b']")
    first = expression.value({}, {})
    assert isinstance(first, list)
    first.append("c")
    assert expression.value({}, {}) == ["a", "b"]


def test_equal_sources_are_compiled_once() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1")
    assert compile_expression("a + 1") != compile_expression("a + 2")


# -- scripts ---------------------------------------------------------------------------------------


def test_a_script_is_lines_of_assignments() -> None:
    script = compile_script(
        "# 是否大额\nis_large = amount_fen > 3_000_000_000\r\n\n"
        "due_on = (None if is_large\n  # a remark\n  else day + 10)\n"
    )
    scope = dict(NAMES)
    for line in script:
        scope[line.name] = line.expression.value(scope, {})
    assert [line.name for line in script] == ["is_large", "due_on"]
    assert scope["is_large"] is False
    assert scope["due_on"] == date(2026, 3, 12)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("a = 1\nimport os", "line 2"),
        ("a = 1\nb = x.y", "line 2: column 1: Attribute"),
        ("a, b = 1, 2", "line 1"),
        ("a = b = 1", "line 1"),
        ("a += 1", "line 1"),
        ("a: int = 1", "line 1"),
        ("a['x'] = 1", "line 1"),
        ("1 + 1", "line 1"),
        ("def f(): pass", "line 1"),
        ("for x in y: a = 1", "line 1"),
        ("_a = 1", "_a is no name"),
        ("  a = 1", "column"),
        ("a = 1 # remark", "column"),
        ("", "empty"),
        ("a = " + "1 + " * 9_000 + "1", "characters"),
    ],
)
def test_a_script_holds_nothing_else(script: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        compile_script(script)
