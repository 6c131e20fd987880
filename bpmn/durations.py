"""Reads ISO 8601 durations (``P15D``, ``P1M``, ``PT8H``). When they end is for the engine, which has the calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DURATION = re.compile(
    r"P(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: whole months and days by the calendar, then seconds."""

    months: int
    days: int
    seconds: int


def parse_duration(text: str) -> Duration | None:
    """The duration that an ISO 8601 text means, in whole numbers; None when it is none (also ``P`` and ``P1DT``)."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or text.strip()[-1] in "PT":
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Duration(12 * years + months, 7 * weeks + days, 3600 * hours + 60 * minutes + seconds)
