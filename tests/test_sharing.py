"""Dividing money: net income, parts to the fen by the largest remainder, and the same day some months later."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.expressions import ExpressionError, compile_expression
from forms.sharing import add_months, divided, net_income
from forms.values import Value

AMOUNTS = st.integers(0, 10**15)


@st.composite
def lists_of_shares(draw: st.DrawFn) -> list[int]:
    """Shares of some people, none negative, 10,000 in all."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=30)))
    return [high - low for low, high in zip([0, *cuts], [*cuts, 10_000], strict=True)]


def called(source: str, **names: Value) -> Value:
    return compile_expression(source).value(names, {})


@given(AMOUNTS, lists_of_shares())
def test_no_fen_is_lost_and_none_appears(total: int, shares: list[int]) -> None:
    parts = divided(total, shares)
    assert sum(parts) == total
    assert len(parts) == len(shares)


@given(AMOUNTS, lists_of_shares())
def test_nobody_is_a_whole_fen_away_from_the_exact_share(total: int, shares: list[int]) -> None:
    for part, share in zip(divided(total, shares), shares, strict=True):
        assert abs(part * 10_000 - total * share) < 10_000


@given(AMOUNTS, lists_of_shares())
def test_who_has_more_never_gets_less_and_of_equals_the_earlier_gets_the_odd_fen(total: int, shares: list[int]) -> None:
    parts = divided(total, shares)
    for first, one in enumerate(shares):
        for second, other in enumerate(shares):
            if one > other or (one == other and first < second):
                assert parts[first] >= parts[second]


@given(AMOUNTS, lists_of_shares())
def test_a_share_of_nothing_gets_nothing(total: int, shares: list[int]) -> None:
    assert all(part == 0 for part, share in zip(divided(total, shares), shares, strict=True) if share == 0)


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (100, [3333, 3333, 3334], [33, 33, 34]),
        (1, [5000, 5000], [1, 0]),
        (3, [2500, 2500, 2500, 2500], [1, 1, 1, 0]),
        (63_000_000, [7000, 3000], [44_100_000, 18_900_000]),
        (7, [3334, 3333, 3333], [3, 2, 2]),
        (0, [10_000], [0]),
    ],
)
def test_the_largest_remainder_goes_first_and_of_equals_the_earlier(
    total: int, shares: list[int], parts: list[int]
) -> None:
    assert divided(total, shares) == parts


@pytest.mark.parametrize(
    ("total", "shares"), [(100, [5000, 3000, 1999]), (100, [5000, 5001]), (100, [-1, 10_001]), (-1, [10_000]), (1, [])]
)
def test_shares_that_are_no_whole_are_refused(total: int, shares: list[int]) -> None:
    with pytest.raises(ExpressionError):
        divided(total, shares)


def test_records_keep_what_they_say_and_get_their_amount() -> None:
    rows: list[Value] = [{"person": "甲", "share_bp": 3334}, {"person": "乙", "share_bp": 6666}]
    assert called("distribute(101, rows)", rows=rows) == [
        {"person": "甲", "share_bp": 3334, "amount_fen": 34},
        {"person": "乙", "share_bp": 6666, "amount_fen": 67},
    ]
    assert called("distribute(101, [3334, 6666])") == [34, 67]
    assert called("sum(part['amount_fen'] for part in distribute(101, rows))", rows=rows) == 101


@pytest.mark.parametrize("source", ["distribute(1, [True])", "distribute(1, ['10000'])", "distribute(1, [{'a': 1}])"])
def test_what_is_no_share_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError, match="basis points"):
        called(source)


# 条例第十二条第四款: the net income of the worked example, of which at least 70 % are the reward.


def test_net_income_deducts_taxes_maintenance_and_direct_costs_and_nothing_else() -> None:
    assert net_income(100_000_000, 6_000_000, 1_500_000, 2_500_000) == 90_000_000
    assert called("net_income(100, 30, 40, 50)") == -20
    assert called("(net_income(100000000, 6000000, 1500000, 2500000) * 7000 + 9999) // 10000") == 63_000_000


# 《民法典》第二百零二条.


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", -48, "2024-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-04-27", 0, "2026-04-27"),
    ],
)
def test_some_months_later_is_the_same_day_or_the_last_of_the_month(day: str, months: int, then: str) -> None:
    assert called(f"add_months(date('{day}'), {months})") == date.fromisoformat(then)


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-600, 600))
def test_the_month_is_the_right_one_and_the_day_never_later(day: date, months: int) -> None:
    then = add_months(day, months)
    assert then.year * 12 + then.month == day.year * 12 + day.month + months
    assert then.day == day.day or (then.day < day.day and (then + timedelta(days=1)).day == 1)


def test_months_beyond_the_calendar_are_refused() -> None:
    with pytest.raises(ExpressionError):
        called("add_months(date('9999-12-31'), 1)")
