"""How a deadline was computed: from which day, how many days of which kind, and whether it may yet change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from engine import counting
from engine.counting import View
from engine.desk import Desk
from engine.inbox import day_of
from engine.work import BEIJING


@dataclass(frozen=True, slots=True)
class Counting:
    """A deadline as it was counted: ``n`` working or calendar days after ``start``, which is not counted itself.

    ``make_up`` are weekend days in between that are working days (调休), ``rest`` the weekdays in between that are not.
    """

    start: date
    n: int
    unit: str
    make_up: tuple[date, ...]
    rest: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day until which something must be done; or, with ``at``, at whose end the clock does something."""

    name: str
    due: date
    at: datetime | None
    overdue: bool
    provisional: bool
    source: str
    counting: Counting | None


def of_item(desk: Desk, item: Mapping[str, Any], name: str) -> Deadline | None:
    """The deadline of an open work item, if it has one."""
    if item["due"] is None:
        return None
    element = desk.deployed.element(item["process"], item["element"])
    source = element.policy.get("due", "").removeprefix("=")
    counting = counted(desk, item["process"], item["token"], source, item["due"])
    overdue = item["due"] < day_of(desk.work, desk.row)
    return Deadline(name, item["due"], None, overdue, provisional(desk, counting, item["due"]), source, counting)


def of_timers(desk: Desk, name: Any) -> list[Deadline]:
    """What the clock will do in a case, soonest first; ``name`` gives the name of an element of a process."""
    found = []
    for event in desk.instance.waiting():
        if event.due is None:
            continue
        due = (event.due - timedelta(seconds=1)).astimezone(BEIJING).date()
        source = (event.element.event.expression if event.element.event else None) or ""
        counting = counted(desk, event.process, event.token, source, due)
        said = name(event.process, event.element.id)
        found.append(Deadline(said, due, event.due, False, provisional(desk, counting, due), source, counting))
    return sorted(found, key=lambda each: (each.due, each.name))


def provisional(desk: Desk, counting: Counting | None, due: date) -> bool:
    """Whether a calendar that is yet to be published may move it."""
    return desk.calendar.is_provisional(counting.start if counting else desk.work.today, due)


def counted(desk: Desk, process: str, token: int, source: str, due: date) -> Counting | None:
    """The counting that leads to this very day, with the days in between that are not what their weekday says."""
    found = counting.counted(desk.deployed, process, source, View(desk.instance.names(token), desk.functions), due)
    if found is None:
        return None
    return Counting(found.start, found.days, found.unit, *special_days(desk, found.start, due))


def special_days(desk: Desk, start: date, due: date) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """The make-up days and the weekdays of rest after the start, up to the deadline."""
    days = [start + timedelta(days=n) for n in range(1, min((due - start).days, 400) + 1)]
    working: Mapping[date, bool] = {day: desk.calendar.is_working_day(day) for day in days}
    make_up = tuple(day for day in days if working[day] and day.weekday() >= 5)
    return make_up, tuple(day for day in days if not working[day] and day.weekday() < 5)
