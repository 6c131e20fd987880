"""The decision tables of the approval tiers (domain 2.3.3): alone, in a process, and exchanged for another's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bpmn.dmn import read_tables
from bpmn.dmn_coverage import gaps_and_overlaps
from bpmn.dmn_table import Undecided
from engine.library import Library
from forms.values import Value

HERE = Path(__file__).parent
TIERS = (HERE / "packages" / "tiered" / "approval_tier.dmn").read_bytes()
YANGTZE = (HERE / "tables" / "yangtze.dmn").read_bytes()
PARAMETERS = Library.standing().vocabulary().values
ORDINARY: Mapping[str, Any] = {
    "params": PARAMETERS, "approval_amount_fen": 0, "aggregate_fen": 0, "mode": "transfer", "licence_kind": None,
    "below_valuation": False, "overseas": False, "related_party": False, "appeal_of": None,
}  # fmt: skip
LEVELS = ["dept_head", "tto_director", "vice_president", "president_meeting", "party_committee"]


def tier(file: bytes, **names: Value) -> tuple[int, list[str]]:
    value = read_tables(file, "tiers.dmn")["dmn_approval_tier"].decide({**ORDINARY, **names}, {}).value
    assert isinstance(value, dict)
    return value["tier"], value["chain"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"approval_amount_fen": 99_999_999, "mode": "licence", "licence_kind": "plain"}, 1),  # P2-01
        ({"approval_amount_fen": 100_000_000}, 2),  # P2-02
        ({"approval_amount_fen": 499_999_999}, 2),  # P2-03
        ({"approval_amount_fen": 500_000_000}, 3),  # P2-03
        ({"approval_amount_fen": 999_999_999}, 3),
        ({"approval_amount_fen": 1_000_000_000}, 4),  # P2-04
        ({"approval_amount_fen": 60_000_000, "mode": "equity_investment"}, 3),  # P2-06
        ({"approval_amount_fen": 20_000_000, "mode": "licence"}, 1),  # P2-13
        ({"approval_amount_fen": 0}, 1),
        ({"approval_amount_fen": 1, "aggregate_fen": 500_000_000}, 3),
        ({"mode": "empowerment"}, 2),
        ({"below_valuation": True}, 3),
        ({"overseas": True}, 3),
        ({"mode": "licence", "licence_kind": "exclusive"}, 2),
        ({"mode": "licence", "licence_kind": "exclusive", "approval_amount_fen": 1}, 1),
        ({"related_party": True}, 2),
        ({"related_party": True, "overseas": True}, 3),
        ({"approval_amount_fen": 100_000_000, "related_party": True, "appeal_of": "C-1"}, 4),
        ({"approval_amount_fen": 1_000_000_000, "related_party": True, "appeal_of": "C-1"}, 4),
    ],
)  # fmt: skip
def test_the_tier_of_the_domain(names: dict[str, Value], expected: int) -> None:
    assert tier(TIERS, **names) == (expected, LEVELS[: expected + 1])


@pytest.mark.parametrize(
    ("amount_fen", "expected"),
    [
        (0, "tto_director"),
        (200_000_000, "tto_director"),
        (200_000_001, "vice_president"),
        (499_999_999, "vice_president"),
        (500_000_000, "president_meeting"),
    ],
)
def test_the_second_table_can_take_its_place(amount_fen: int, expected: str) -> None:
    assert tier(YANGTZE, approval_amount_fen=amount_fen)[1] == [expected]


@pytest.mark.parametrize("file", [TIERS, YANGTZE])
def test_both_are_total_and_do_not_overlap(file: bytes) -> None:
    for each in set(read_tables(file, "tiers.dmn").values()):
        assert gaps_and_overlaps(each, PARAMETERS) == []


def test_a_negative_amount_is_no_amount() -> None:
    with pytest.raises(Undecided, match="-1 is not allowed, only >= 0"):
        tier(TIERS, approval_amount_fen=-1, aggregate_fen=-1)
