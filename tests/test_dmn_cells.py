"""A cell of a decision table means what DMN says it means, and what is no cell is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.dmn_cells import read_cell, read_expression
from forms.expressions import ExpressionError
from forms.values import Value
from tests.harness.cells import Written, number_cells, text_cells

PARAMS: dict[str, Value] = {"params": {"limits": [100, 500]}, "limit": 7}


def matches(cell: str, value: Value) -> bool:
    return read_cell(cell).matches(value, PARAMS, {})


@pytest.mark.parametrize(
    ("cell", "fitting", "others"),
    [
        ("-", [1, None, "a", [1]], []),
        ("  ", [1, None, "a"], []),
        ("5", [5, Decimal(5)], [4, None]),
        ("-5", [-5], [5]),
        ("1.5", [Decimal("1.5")], [1, 2]),
        ("1_000_000", [1_000_000], [1_000]),
        ('"a"', ["a"], ["b", "", None]),
        ("'a'", ["a"], ["b"]),
        ('"a","b"', ["a", "b"], ["c", None]),
        ('"a, b", "c"', ["a, b", "c"], ["a"]),
        ('"未予登记"', ["未予登记"], ["登记"]),
        ('not("a","b")', ["c", None], ["a", "b"]),
        ("not( < 5 )", [5, 6], [4, None]),
        ("not(null)", [0], [None]),
        ("null", [None], [0, False]),
        ("null, < 3", [None, 2], [3]),
        ("true", [True], [False, None]),
        ("false", [False], [True]),
        ("< 10", [9, Decimal("9.99")], [10, 11, None]),
        ("<= 10", [10], [11]),
        ("> 10", [11], [10]),
        (">=10", [10], [9]),
        ("= 10", [10], [9]),
        ("!= 10", [9, None], [10]),
        ("[1..5]", [1, 5], [0, 6, None]),
        ("[1..5)", [1, 4], [0, 5]),
        ("(1..5]", [2, 5], [1, 6]),
        ("(1..5)", [2, 4], [1, 5]),
        ("]1..5[", [2, 4], [1, 5]),
        ("]1..5]", [5], [1]),
        ("[1..5[", [1], [5]),
        ("[-5..-1]", [-5, -1], [0]),
        ("[1.5..2.5)", [2, Decimal("1.5")], [Decimal("2.5")]),
        ("[1..3], [5..7), 9", [1, 3, 5, 9], [4, 7]),
        ("not([1..3), ]5..7[)", [3, 5, 7], [1, 2, 6, None]),
        ('["b".."d")', ["b", "c"], ["a", "d"]),
        ('date("2026-03-02")', [date(2026, 3, 2)], [date(2026, 3, 3)]),
        ('[date("2026-03-02")..date("2026-04-01"))', [date(2026, 3, 31)], [date(2026, 4, 1)]),
        ("limit", [7], [8]),
        ("< limit + 1", [7], [8]),
        ("params['limits'][0]", [100], [500]),
        ("[params['limits'][0]..params['limits'][1])", [100, 499], [99, 500]),
        ("]params['limits'][0]..params['limits'][1][", [101], [100, 500]),
        ("max(1, 2), (limit if true else 3)", [2, 7], [1, 3]),
        ("? > 3 and ? < 5", [4], [3, 5]),
        ('starts_with(?, "京"), "沪A"', ["京A", "沪A"], ["沪B"]),
        ('"is this ?"', ["is this ?"], ["x"]),
        ('"true"', ["true"], ["false"]),
    ],
)  # fmt: skip
def test_a_cell_fits_the_values_it_names_and_no_others(cell: str, fitting: list[Value], others: list[Value]) -> None:
    assert [value for value in fitting if not matches(cell, value)] == []
    assert [value for value in others if matches(cell, value)] == []


@pytest.mark.parametrize(
    "cell",
    [
        '"a" "b"', "[1,2]", '["a","b"]', "[1..", "[1..5", "1..5", "[1..]", "[..5]", "[1..5) 3", 'not("a"), "b"',
        '"a", not("b")', "not()", "not(", "not 5", "<", "a,", ",a", "a,,b", "(1", "1)", "1) or (True", "< 1) or (True",
        "lambda: 1", "x.y", "__import__('os')", "input_value > 3", '"a\\"b"', ".5", "1e5", '"a', "#", "“a”", "a b",
        "x := 1", "[x for x in [1] for y in [2]]", "1 if", "5 +", "`a`", "9" * 5_000, "(" * 300 + ")" * 300,
        "[" * 4_000, "not(" * 900 + ")" * 900, "1," * 1_500 + "1", 'date and time("2026-03-02")',
    ],
)  # fmt: skip
def test_what_is_no_cell_is_refused_with_a_reason(cell: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        read_cell(cell)
    assert refusal.value.text.zh and refusal.value.text.en


@pytest.mark.parametrize(
    ("cell", "value"),
    [("5", "a"), ("< 5", "a"), ('"a"', 5), ("true", 1), ("5", True), ("? + 1", 5), ('date("2026-03-02")', "2026-03-02"),
     ('date("2026-03-02")', datetime.fromisoformat("2026-03-02T00:00:00+08:00")), ('date("2026-13-02")', None),
     ("unset", 1), ('date("2026-3-2")', None)],
)  # fmt: skip
def test_a_cell_that_cannot_be_compared_with_a_value_is_an_error_and_no_mismatch(cell: str, value: Value) -> None:
    with pytest.raises(ExpressionError):
        matches(cell, value)


def test_results_and_inputs_are_expressions_of_the_one_language() -> None:
    assert read_expression('["dept_head", "tto_director"]').value({}, {}) == ["dept_head", "tto_director"]
    assert read_expression('[true, null, "true"]').value({}, {}) == [True, None, "true"]
    assert read_expression("max(a, b) + 1").value({"a": 1, "b": 2}, {}) == 3
    for refused in ("? + 1", "input_value", '"a" "b"', "a; b", ""):
        with pytest.raises(ExpressionError):
            read_expression(refused)


NUMBERS = [None, *range(-4, 9), *(Decimal(n) / 2 for n in range(-7, 16, 2))]


@given(number_cells(Decimal), st.sampled_from(NUMBERS))
def test_cells_of_numbers_are_as_a_slow_reading_of_the_standard_has_it(cell: Written, value: Value) -> None:
    assert matches(cell.text, value) is (cell.holds(value) is True)


@given(text_cells(), st.sampled_from([None, "a", "b", "c", "d", ""]))
def test_cells_of_texts_are_as_a_slow_reading_of_the_standard_has_it(cell: Written, value: Value) -> None:
    assert matches(cell.text, value) is (cell.holds(value) is True)


@given(st.text(alphabet='0123ab<>=.,[]()-"\' ?!#not\n\\{}:', max_size=40))
def test_whatever_is_written_in_a_cell_is_read_or_refused(text: str) -> None:
    try:
        cell = read_cell(text)
    except ExpressionError:
        return
    assert (cell.condition is None) is (text.strip() in ("", "-"))
    with suppress(ExpressionError):
        assert cell.matches(1, {}, {}) in (True, False)
