"""The functions an expression may call: what the pure ones give, and that the table tells the truth about all."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.expressions import ExpressionError, compile_expression
from forms.functions import FUNCTIONS, KINDS
from forms.values import FileRef, PersonRef, Value, canonical


def called(source: str, **names: Value) -> Value:
    return compile_expression(source).value(names, {})


def test_the_table_says_of_every_function_what_it_takes_and_gives() -> None:
    kinds = {*KINDS, "value"}
    gives = {"value", "integer", "number", "decimal", "boolean", "text", "date", "instant", "list", "record"}
    for name, function in FUNCTIONS.items():
        assert function.name == name
        assert {parameter.kind for parameter in function.parameters} <= kinds, name
        assert function.returns in gives, name
        assert function.about.zh, name
        assert function.about.en, name


def test_the_engine_supplies_exactly_what_needs_the_world() -> None:
    assert {name for name, function in FUNCTIONS.items() if function.run is None} == {
        "today", "add_working_days", "add_days", "working_days_between", "end_of", "is_working_day", "people",
        "has_role", "find", "records", "records_with", "rounds", "acted", "name_of", "facts", "missing_facts",
        "case_of", "fact_label", "unfit_parameter", "unfit_parameters", "parameter_label",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("ratio_bp(2, 3)", 6666),
        ("ratio_bp(0, 3)", 0),
        ("ratio_bp(3, 3)", 10_000),
        ("ratio_bp(-1, 3)", -3334),
        ("share(100, 7000)", 70),
        ("share(1, 5000)", 1),
        ("share(1, 4999)", 0),
        ("share(3, 5000)", 2),
        ("share(-1, 5000)", -1),
        ("share(1, -5000)", -1),
        ("share(0, 5000)", 0),
        ("round_half_up(2.5)", 3),
        ("round_half_up(2.4)", 2),
        ("round_half_up(-2.5)", -3),
        ("round_half_up(7)", 7),
        ("decimal('30000000.00') * 100 == 3_000_000_000", True),
        ("decimal('-1.5')", Decimal("-1.5")),
        ("decimal(3)", Decimal(3)),
        ("fen('30000000.01')", 3_000_000_001),
        ("fen(12)", 1200),
        ("fen(1.5)", 150),
        ("abs(-3)", 3),
        ("abs(-1.50)", Decimal("1.50")),
        ("text(None)", ""),
        ("text(True)", "true"),
        ("text(3)", "3"),
        ("text(1.50)", "1.50"),
        ("text('a')", "a"),
        ("text(day)", "2026-03-02"),
        ("text(who)", "p1"),
        ("year(day)", 2026),
        ("strip('  a b ')", "a b"),
        ("starts_with('110108', '11')", True),
        ("starts_with('130100', '11')", False),
        ("unique(['b', 'a', 'b'])", ["b", "a"]),
        ("unique([{'x': 1, 'y': 2}, {'y': 2, 'x': 1}])", [{"y": 2, "x": 1}]),
        ("unique(x for x in [1, 1.0, True])", [1, Decimal("1.0"), True]),
        ("keys({'a': 1, 'b': 2})", ["a", "b"]),
        ("values({'a': 1, 'b': 2})", [1, 2]),
        ("get({'a': 1}, 'a', 5)", 1),
        ("get({'a': 1}, 'b', 5)", 5),
        ("get({'a': None}, 'a', 5)", 5),
        ("get({'a': False}, 'a', True)", False),
        ("file_hash(file)", "cd" * 32),
        ("date_of(late)", date(2026, 3, 3)),
        ("len(x for x in [1, 2, 3] if x > 1)", 2),
        ("sum([])", 0),
        ("sum([1, 0.5])", Decimal("1.5")),
        ("max(day, day + 1)", date(2026, 3, 3)),
        ("min('b', 'a')", "a"),
        ("at_least(9, '2/3')", 6),
        ("at_least(10, '2/3')", 7),
        ("at_least(0, '2/3')", 0),
        ("more_than(7, '1/2')", 4),
        ("more_than(8, '1/2')", 5),
        ("more_than(1_000_000_000_000_000_000, ' 1/3 ')", 333_333_333_333_333_334),
        ("joined(['a', 1, day], '、')", "a、1、2026-03-02"),
        ("joined([], '、')", ""),
    ],
)
def test_a_pure_function_gives_what_it_says(source: str, value: Value) -> None:
    names: dict[str, Value] = {
        "day": date(2026, 3, 2),
        "who": PersonRef("p1"),
        "file": FileRef("f", "n", "cd" * 32, 1, "m"),
        "late": datetime(2026, 3, 2, 16, tzinfo=UTC),
    }
    assert called(source, **names) == value
    assert type(called(source, **names)) is type(value)


@pytest.mark.parametrize(
    "source",
    [
        "ratio_bp(1, 0)",
        "ratio_bp(1.5, 2)",
        "decimal('1,000')",
        "decimal('1e5')",
        "decimal('NaN')",
        "decimal(True)",
        "fen('1.234')",
        "fen('')",
        "fen(True)",
        "text([1])",
        "joined([[1]], '、')",
        "at_least(9, '0.67')",
        "at_least(9, '2/0')",
        "more_than(9, '-1/2')",
        "text({'a': 1})",
        "year('2026-03-02')",
        "get({'a': 1}, 1, 2)",
        "share(1_000_000_000_000_000_000, 1_000_000_000_000_000_000)",
        "date_of(edge)",
    ],
)
def test_what_a_function_cannot_take_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        called(source, edge=datetime.max.replace(tzinfo=UTC))


def test_a_refused_argument_is_named_by_its_kind() -> None:
    with pytest.raises(ExpressionError) as refusal:
        called("share('a', 1)")
    assert refusal.value.text.en == "“share('a', 1)”: an integer is expected, but it is a text"


@given(st.integers(0, 10**13), st.integers(0, 10_000))
def test_a_share_is_half_up_and_the_parts_of_a_whole_differ_by_a_fen_at_most(amount: int, bp: int) -> None:
    part, rest = (called("share(amount, bp)", amount=amount, bp=each) for each in (bp, 10_000 - bp))
    assert isinstance(part, int)
    assert isinstance(rest, int)
    assert 0 <= part + rest - amount <= 1
    assert abs(part * 10_000 - amount * bp) <= 5_000


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers() | st.none()))
def test_the_hash_of_a_value_does_not_depend_on_the_order_of_its_keys(record: dict[str, Value]) -> None:
    turned = {key: record[key] for key in reversed(record)}
    assert called("hash_of(x)", x=record) == called("hash_of(x)", x=turned)
    assert called("hash_of(x)", x=record) == hashlib.sha256(canonical(record).encode()).hexdigest()


@pytest.mark.parametrize("code", ["91110108MA00B7C45R", "12110000400000101R", "91350100M000100Y43"])
def test_a_credit_code_is_valid_only_with_its_check_digit(code: str) -> None:
    others = [sign for sign in "0123456789ABCDEFGHJKLMNPQRTUWXY" if called("is_uscc(x)", x=code[:17] + sign)]
    assert len(others) == 1
    valid = code[:17] + others[0]
    for changed in (
        valid[:3] + ("1" if valid[3] != "1" else "2") + valid[4:],
        valid[:17],
        valid + "0",
        valid.lower(),
        "",
        "I" * 18,
    ):
        assert called("is_uscc(x)", x=changed) is False


def test_the_example_of_the_standard_is_a_valid_credit_code() -> None:
    # GB 32100—2015, Appendix B.
    assert called("is_uscc('91350100M000100Y43')") is True
