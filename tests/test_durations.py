"""ISO 8601 durations."""

from __future__ import annotations

import pytest

from bpmn.durations import Cycle, Duration, parse_cycle, parse_duration


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("R3/PT1H", Cycle(3, Duration(0, 0, 3600))),
        ("R/P1M", Cycle(None, Duration(1, 0, 0))),
        (" R10/PT1M ", Cycle(10, Duration(0, 0, 60))),
        ("R0/PT1H", None),
        ("R03/PT1H", None),
        ("R/PT59S", None),
        ("R/PT0S", None),
        ("R/2026-01-01T00:00:00Z/P1D", None),
        ("R-1/P1D", None),
        ("R³/P1D", None),
        ("3/P1D", None),
        ("P1D", None),
        ("0 0 * * *", None),
        ("R/", None),
        ("", None),
    ],
)
def test_cycles_say_how_often_and_after_which_period(text: str, expected: Cycle | None) -> None:
    assert parse_cycle(text) == expected
