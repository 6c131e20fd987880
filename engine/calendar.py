"""Working days of the PRC, with make-up days (调休), and deadlines counted in them, in versions that never change.

A day is a working day or a day of rest on the word of, in this order, the institution (an override), the State Council
(its yearly notice), or, where no notice has been published, of its weekday: such a day is provisional.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from chinese_calendar.constants import holidays, workdays
from sqlalchemy import func, insert, select, text

from bpmn.durations import Duration, parse_duration
from engine.errors import Incident, Unusable
from engine.model import CalendarDay
from engine.trail.committing import days_hash
from engine.trail.record import POLICY, tell
from engine.work import BEIJING, Work
from forms.operators import kind_of
from forms.values import Value

NOTICE = "notice"
OVERRIDE = "override"

LONGEST = 36_600  # days; a deadline beyond a hundred years is a mistake


@dataclass(frozen=True, slots=True)
class Calendar:
    """One version: ``published`` are the years whose notice it holds, ``days`` those on which somebody decided."""

    version: int
    days: Mapping[date, bool] = field(repr=False)
    published: frozenset[int] = field(repr=False)

    def is_working_day(self, day: date) -> bool:
        """Whether people work on this day (工作日)."""
        told = self.days.get(day)
        return day.weekday() < 5 if told is None else told

    def add_working_days(self, day: date, n: int) -> date:
        """The ``n``-th working day after ``day``, which is not counted itself (民法典 Art. 201). 0 gives ``day``."""
        _refuse_length(n)
        while n:
            day = _later(day, 1)
            n -= self.is_working_day(day)
        return day

    def add_days(self, day: date, n: int) -> date:
        """``n`` calendar days after ``day``; a last day of rest moves to the day after the rest (民法典 Art. 203)."""
        _refuse_length(n)
        day = _later(day, n)
        while not self.is_working_day(day):
            day = _later(day, 1)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days there are after ``start`` up to and including ``end``; none when it is not later."""
        length = (end - start).days
        _refuse_length(max(length, 0))
        return sum(self.is_working_day(start + timedelta(days=n)) for n in range(1, length + 1))

    def end_of(self, day: date) -> datetime:
        """24:00 of this day in Beijing, when a deadline on it is over."""
        return datetime.combine(_later(day, 1), time(), BEIJING)

    def provisional(self, upto: date) -> bool:
        """Whether this day is in a year whose notice was not published: it may yet become another day."""
        return upto.year not in self.published

    def is_provisional(self, first: date, last: date) -> bool:
        """Whether a period from one day to another, in either order, touches a year without a published notice."""
        years = range(min(first, last).year, max(first, last).year + 1)
        return not self.published.issuperset(years)


def _refuse_length(n: int) -> None:
    if not 0 <= n <= LONGEST:
        raise Incident(
            f"期限应为 0 至 {LONGEST} 天，得到 {n} 天", f"a period has from 0 to {LONGEST} days, but this one has {n}"
        )


def _later(day: date, n: int) -> date:
    try:
        return day + timedelta(days=n)
    except OverflowError:
        raise Incident("期限超出公元 9999 年", "the period ends after the year 9999") from None


def seed(work: Work) -> None:
    """Load the published years that the kept library knows and the database does not: version 1 in a new database."""
    _lock(work)
    standing = calendar_of(work, newest(work))
    known = dict.fromkeys(holidays, False) | dict.fromkeys(workdays, True)
    fresh = {day: working for day, working in known.items() if day.year not in standing.published}
    if fresh:
        _add_version(work, fresh, NOTICE, "国务院办公厅关于节假日安排的通知")


def publish(work: Work, days: Mapping[date, bool], note: str) -> int:
    """Load a State Council notice by hand: all rest days and make-up days of its year. Gives the new version."""
    return _add_version(work, days, NOTICE, note)


def override(work: Work, days: Mapping[date, bool], note: str) -> int:
    """Days on which the institution works or rests in spite of the notice, and why. Gives the new version."""
    return _add_version(work, days, OVERRIDE, note)


def newest(work: Work) -> int:
    """The number of the newest version; 0 while nothing has been loaded, and then every day is provisional."""
    return work.db.execute(select(func.coalesce(func.max(CalendarDay.version), 0))).scalar_one()


def calendar_of(work: Work, version: int) -> Calendar:
    """The calendar as it stood at this version; it is read once for each database."""
    cache: dict[int, Calendar] = work.database.caches.setdefault("calendar", {})
    if version in cache:
        return cache[version]
    columns = (CalendarDay.day, CalendarDay.working, CalendarDay.source)
    query = select(*columns).where(CalendarDay.version <= version).order_by(CalendarDay.version)
    said: dict[str, dict[date, bool]] = {NOTICE: {}, OVERRIDE: {}}
    for row in work.db.execute(query):
        said[row.source][row.day] = row.working
    found = Calendar(version, said[NOTICE] | said[OVERRIDE], frozenset(day.year for day in said[NOTICE]))
    # A version that this very act has made may yet be taken back, and then another one will bear its number.
    if 0 < version < work.memory.get("calendar", version + 1):
        cache[version] = found
    return found


def _lock(work: Work) -> None:
    """Two acts must not make one version together. On SQLite only one act writes at a time anyway."""
    if not work.database.sqlite:
        work.db.execute(text("LOCK TABLE calendar_day IN SHARE ROW EXCLUSIVE MODE"))


def _add_version(work: Work, days: Mapping[date, bool], source: str, note: str) -> int:
    if not days:
        raise Unusable("没有写明任何日期", "no day was given")
    _lock(work)
    version = newest(work) + 1
    work.memory.setdefault("calendar", version)
    row = {"version": version, "source": source, "note": note}
    work.db.execute(insert(CalendarDay), [row | {"day": day, "working": days[day]} for day in sorted(days)])
    hashed = days_hash((day.isoformat(), days[day], source, note) for day in sorted(days))
    about = {"version": version, "source": source, "days": len(days), "note": note, "sha256": hashed}
    period = {"first": min(days).isoformat(), "last": max(days).isoformat()}
    tell(work, POLICY, "calendar.loaded", about | period)
    return version


def moment(now: datetime, form: str, value: Value, calendar: Calendar) -> datetime | None:
    """When a timer is due. None is never; a date, its 24:00; a duration (ISO 8601 text) is counted from ``now``.

    Incident, with the value, for anything else.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        if form == "date" and value.tzinfo is not None:
            return value
    elif isinstance(value, date):
        if form == "date":
            return calendar.end_of(value)
    elif form == "duration" and isinstance(value, str) and (duration := parse_duration(value)):
        return _after(now.astimezone(BEIJING), duration, value)
    expected = {
        "date": ("日期或时刻", "a date or an instant"),
        "duration": ("时长（如 P15D）", "a duration such as P15D"),
    }
    zh, en = expected[form]
    raise Incident(f"计时器应得到{zh}，得到{kind_of(value).zh}", f"a timer needs {en}, but got {kind_of(value).en}")


def occurrence(since: datetime, period: Duration, times: int) -> datetime:
    """When a cycle that began at an instant comes for the ``times``-th time.

    It is counted from the beginning, so that it does not drift: from 31 January, the last of February, then 31 March.
    """
    whole = Duration(period.months * times, period.days * times, period.seconds * times)
    return _after(since.astimezone(BEIJING), whole, f"{times} × {period}")


def _after(start: datetime, duration: Duration, said: str) -> datetime:
    """Months first, on the same day of the month or its last; then days by the calendar; then hours by the clock."""
    months = start.year * 12 + start.month - 1 + duration.months
    year, month = months // 12, months % 12 + 1
    try:
        last = gregorian.monthrange(year, month)[1]
        moved = start.replace(year=year, month=month, day=min(start.day, last))
        return moved + timedelta(days=duration.days, seconds=duration.seconds)
    except (ValueError, OverflowError) as error:
        raise Incident(f"时长“{said}”超出公元 9999 年", f"the duration {said!r} ends after the year 9999") from error
