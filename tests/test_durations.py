"""ISO 8601 durations."""

from __future__ import annotations

import pytest

from bpmn.durations import Duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P15D", Duration(0, 15, 0)),
        ("P1M", Duration(1, 0, 0)),
        ("P1Y2M3W4DT5H6M7S", Duration(14, 25, 18_367)),
        ("PT0S", Duration(0, 0, 0)),
        (" P1D ", Duration(0, 1, 0)),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("1D", None),
        ("P1.5D", None),
        ("-P1D", None),
        ("P1D2H", None),
        ("", None),
        ("R/P1D", None),
        ("P1d", None),
        ("P١D", None),
    ],
)
def test_durations_are_whole_numbers_of_calendar_units(text: str, expected: Duration | None) -> None:
    assert parse_duration(text) == expected
