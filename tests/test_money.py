"""Amounts are read, written and said exactly, to the fen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.money import NotMoney, capital, parse_percent, parse_yuan, percent, yuan


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        # The examples of 《正确填写票据和结算凭证的基本规定》(支付结算办法, 附件一).
        (1_409_50, "壹仟肆佰零玖元伍角"),
        (6_007_14, "陆仟零柒元壹角肆分"),
        (1_680_32, "壹仟陆佰捌拾元叁角贰分"),
        (107_000_53, "壹拾万柒仟元伍角叁分"),
        (16_409_02, "壹万陆仟肆佰零玖元零贰分"),
        (325_04, "叁佰贰拾伍元零肆分"),
        # Zeros, one by one.
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角"),
        (11, "壹角壹分"),
        (1_00, "壹元整"),
        (10_00, "壹拾元整"),
        (11_00, "壹拾壹元整"),
        (100_00, "壹佰元整"),
        (101_00, "壹佰零壹元整"),
        (110_00, "壹佰壹拾元整"),
        (1_001_00, "壹仟零壹元整"),
        (1_010_00, "壹仟零壹拾元整"),
        (1_100_00, "壹仟壹佰元整"),
        (10_000_00, "壹万元整"),
        (10_001_00, "壹万零壹元整"),
        (10_100_00, "壹万零壹佰元整"),
        (11_000_00, "壹万壹仟元整"),
        (100_000_00, "壹拾万元整"),
        (1_000_500_00, "壹佰万零伍佰元整"),
        (30_000_000_00, "叁仟万元整"),
        (30_000_000_01, "叁仟万元零壹分"),
        (100_000_000_00, "壹亿元整"),
        (100_001_000_00, "壹亿零壹仟元整"),
        (100_010_000_00, "壹亿零壹万元整"),
        (110_000_000_00, "壹亿壹仟万元整"),
        (1_000_000_001_00, "壹拾亿零壹元整"),
        (1_000_010_000_00, "壹拾亿零壹万元整"),
        (1_000_100_000_000_00, "壹万零壹亿元整"),
        (123_456_789_12, "壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元壹角贰分"),
        (-2_05, "负贰元零伍分"),
    ],
)
def test_amounts_are_said_as_on_vouchers(fen: int, said: str) -> None:
    assert capital(fen) == said


DIGITS = {sign: number for number, sign in enumerate("零壹贰叁肆伍陆柒捌玖")}


def understood(said: str) -> int:
    """The fen of a 大写金额, read by a reader of its own, from left to right."""
    whole, _, rest = said.partition("元") if "元" in said else ("", "", said)
    total = section = digit = 0
    for sign in whole:
        if sign in DIGITS:
            digit = DIGITS[sign]
        elif sign in "拾佰仟":
            section += digit * {"拾": 10, "佰": 100, "仟": 1000}[sign]
            digit = 0
        elif sign == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        else:
            total, section, digit = (total + section + digit) * 100_000_000, 0, 0
    parts = {unit: DIGITS[match[1]] for unit in "角分" if (match := re.search(f"([^零])({unit})", rest))}
    return (total + section + digit) * 100 + parts.get("角", 0) * 10 + parts.get("分", 0)


@given(st.integers(0, 10**17) | st.integers(0, 10**7))
def test_what_is_said_means_the_amount(fen: int) -> None:
    assert understood(capital(fen)) == fen


@given(st.integers(1, 10**17))
def test_no_zero_is_said_twice_or_before_a_unit(fen: int) -> None:
    assert not re.search(r"零零|零[万亿拾佰仟角分]|零元.", capital(fen))


@given(st.integers(-(10**18), 10**18))
def test_an_amount_written_in_yuan_is_read_as_the_same_fen(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen
    assert parse_yuan(yuan(fen).replace(",", "")) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1,234.50", 123450),
        ("1234.5", 123450),
        (" ￥1,234 ", 123400),
        ("１，２３４．５０", 123450),
        ("0", 0),
        ("-3.07", -307),
        ("1.500", 150),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


def test_ten_thousands_go_down_to_the_fen() -> None:
    assert parse_yuan("3000", "wan") == 3_000_000_000
    assert parse_yuan("3000.000001", "wan") == 3_000_000_001
    with pytest.raises(NotMoney, match="分"):
        parse_yuan("3000.0000001", "wan")


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "1.234", "1,23.00", "12,34", "1.2.3", "1e5", "--1", "+1", "1 000", "٣", "9" * 41, "NaN", ".5"],
)
def test_what_is_no_amount_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(NotMoney) as refusal:
        parse_yuan(text)
    assert refusal.value.text.zh
    assert refusal.value.text.en


@given(st.integers(-20_000, 20_000))
def test_a_ratio_written_in_per_cent_is_read_as_the_same_basis_points(bp: int) -> None:
    assert parse_percent(percent(bp)) == bp


def test_ratios_are_written_short() -> None:
    assert [percent(bp) for bp in (7000, 7050, 7055, 5, 0, 10_000)] == ["70%", "70.5%", "70.55%", "0.05%", "0%", "100%"]
    with pytest.raises(NotMoney, match="百分比"):
        parse_percent("70.555")
