"""Lines break where a reader expects it."""

from __future__ import annotations

import random
import re

import pytest

from bpmn.lettering import width, wrap


@pytest.mark.parametrize(
    ("text", "widest", "most", "expected"),
    [
        ("技术合同认定登记", 6, 3, ["技术合同", "认定登记"]),
        ("受理审查。", 4, 3, ["受理审", "查。"]),
        ("（一）申请", 3, 3, ["（一）", "申请"]),
        ("Submit the contract", 7, 3, ["Submit the", "contract"]),
        ("认定ABC登记", 4.2, 3, ["认定ABC", "登记"]),
        ("Verwaltungsvorschrift", 6, 4, ["Verwaltung", "svorschrift"]),
        ("一二三四五六七八九", 3, 2, ["一二三", "四五…"]),
        ("  two\n words ", 20, 2, ["two words"]),
        ("", 5, 2, []),
    ],
)
def test_words_break_where_a_reader_expects_it(text: str, widest: float, most: int, expected: list[str]) -> None:
    assert wrap(text, widest, most) == expected


@pytest.mark.parametrize("seed", range(20))
def test_no_line_is_wider_than_its_measure_and_nothing_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice("登记合同认定，。（）ab cdefgh1 2") for _ in range(60))
    lines = wrap(text, 9, 99)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert all(width(line) <= 9 for line in lines)
