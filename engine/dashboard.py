"""What compliance officers look at first: how many cases are overdue, entered late, lacking, refused or overridden.

Every number is of cases that ``oversight`` finds by the search that stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select

from engine.model import CaseFile, Deed
from engine.oversight import STATES, Wanted, begins, count, marked, stands
from engine.trail.deeds import ATTEMPTS, OVERRIDES
from engine.work import Work

LOOKED_FOR: Mapping[str, tuple[str, ...]] = {
    "overran": ("overran",),
    "late": ("late",),
    "gap": ("gap",),
    "amended": ("amended",),
    "refused": ("refused",),
    "recusal": ("recusal",),
    "four_eyes": ("four_eyes",),
    "override": OVERRIDES,
}
"""What is counted in a period, and by which marks of deeds."""
DRAWN = ("overran", "late", "gap", "refused", "override")
"""What of it is counted month by month, and process by process."""
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of cases (and how ``often`` it happened in them), and the search that finds just these."""

    code: str
    cases: int
    often: int
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Month:
    """In how many cases something happened in one month of Beijing."""

    first: date
    cases: int
    wanted: Wanted


def now(work: Work) -> list[Figure]:
    """How the cases stand now; those that are closed are left out."""
    found = []
    for state in STATES:
        if state != "closed":
            wanted = Wanted(state=state)
            number = count(work, wanted)
            found.append(Figure(state, number, number, wanted))
    return found


def since(work: Work, day: date | None) -> list[Figure]:
    """What happened since a day, or ever."""
    found = []
    for code, marks in LOOKED_FOR.items():
        wanted = Wanted(finding=marks, period="acted", since=day)
        columns = (func.count(Deed.stream.distinct()), func.count())
        cases, often = work.db.execute(select(*columns).where(*_in_cases(work, wanted))).one()
        found.append(Figure(code, cases, often, wanted))
    return found


def attempts_since(work: Work, day: date | None) -> int:
    """How often somebody was refused to start a case, so that none came of it."""
    query = select(func.count()).where(Deed.stream == ATTEMPTS, Deed.marks.is_not(None))
    return int(work.db.execute(query if day is None else query.where(Deed.at >= begins(day))).scalar_one())


def _in_cases(work: Work, wanted: Wanted) -> list[ColumnElement[bool]]:
    """The deeds of cases that bear the marks that are wanted."""
    conditions = [marked(work, wanted.finding), Deed.stream != ATTEMPTS]
    return conditions if wanted.since is None else [*conditions, Deed.at >= begins(wanted.since)]


def by_month(work: Work) -> dict[str, list[Month]]:
    """The same month by month, the last twelve, the present one last."""
    firsts = [work.today.replace(day=1)]
    while len(firsts) < MONTHS:
        firsts.insert(0, (firsts[0] - timedelta(days=1)).replace(day=1))
    ends = [*(first - timedelta(days=1) for first in firsts[1:]), work.today]
    return {code: _months(work, LOOKED_FOR[code], firsts, ends) for code in DRAWN}


def _months(work: Work, marks: tuple[str, ...], firsts: Sequence[date], ends: Sequence[date]) -> list[Month]:
    whole = Wanted(finding=marks, period="acted", since=firsts[0])
    bounds: list[datetime] = [begins(first) for first in firsts[1:]]
    month = case(*((Deed.at < bound, number) for number, bound in enumerate(bounds)), else_=len(bounds))
    query = select(month.label("month"), func.count(Deed.stream.distinct()).label("cases"))
    rows = work.db.execute(query.where(*_in_cases(work, whole)).group_by("month"))
    cases: dict[int, int] = {row.month: row.cases for row in rows}
    return [
        Month(first, cases.get(number, 0), replace(whole, since=first, until=end))
        for number, (first, end) in enumerate(zip(firsts, ends, strict=True))
    ]


def by_process(work: Work, day: date | None) -> dict[str, dict[str, Figure]]:
    """By process: how many cases are open and overdue now, and in how many something happened since a day, or ever."""
    found: dict[str, dict[str, Figure]] = {}
    for state in ("open", "overdue"):
        query = select(CaseFile.process, func.count()).where(stands(work, state)).group_by(CaseFile.process)
        for process, number in work.db.execute(query):
            wanted = Wanted(process=process, state=state)
            found.setdefault(process, {})[state] = Figure(state, number, number, wanted)
    for code in DRAWN:
        wanted = Wanted(finding=LOOKED_FOR[code], period="acted", since=day)
        columns = (Deed.process, func.count(Deed.stream.distinct()), func.count())
        rows = work.db.execute(select(*columns).where(*_in_cases(work, wanted)).group_by(Deed.process))
        for of, cases, often in rows:
            only = replace(wanted, process=str(of))
            found.setdefault(only.process, {})[code] = Figure(code, cases, often, only)
    return found
