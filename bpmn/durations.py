"""Reads ISO 8601 durations (``P15D``, ``P1M``) and cycles of them (``R3/PT1H``). When they end is for the engine."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DURATION = re.compile(
    r"P(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)

_CYCLE = re.compile(r"R([1-9][0-9]{0,5})?/(P[0-9A-Z]+)")
SHORTEST = 60
"""The shortest period of a cycle, in seconds."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: whole months and days by the calendar, then seconds."""

    months: int
    days: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """A time that comes again and again: after each ``period``, so many ``times`` or (None) without end."""

    times: int | None
    period: Duration


def parse_cycle(text: str) -> Cycle | None:
    """The cycle that a text such as ``R3/PT1H`` or ``R/P1M`` means; None when it is none.

    A period below ``SHORTEST`` is none: a worker that slept for a week could not make up for it.
    """
    found = _CYCLE.fullmatch(text.strip())
    duration = parse_duration(found[2]) if found else None
    if found is None or duration is None or (not duration.months and _seconds(duration) < SHORTEST):
        return None
    return Cycle(int(found[1]) if found[1] else None, duration)


def _seconds(duration: Duration) -> int:
    return duration.days * 86_400 + duration.seconds


def parse_duration(text: str) -> Duration | None:
    """The duration that an ISO 8601 text means, in whole numbers; None when it is none (also ``P`` and ``P1DT``)."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or text.strip()[-1] in "PT":
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Duration(12 * years + months, 7 * weeks + days, 3600 * hours + 60 * minutes + seconds)
