"""Oversight: looks for cases over all trails by who did what under which clause, and keeps searches under names.

It searches the deeds beside the trail (see ``trail.deeds``), never the bodies of events. What the dashboard counts is
for ``dashboard``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from engine import people
from engine.access import unbar
from engine.errors import NotFound, NotYours, Unusable
from engine.inbox import OVERSEERS
from engine.model import CaseFile, Deed, Event, SavedView, Standstill, Task
from engine.said import LONGEST_NAME, plain
from engine.trail.deeds import ATTEMPTS, MARKS
from engine.work import BEIJING, SYSTEM, Work
from forms.money import NotMoney, parse_yuan, yuan
from forms.words import Text

Row = dict[str, Any]
Asked = Mapping[str, Sequence[str]]
"""A search as a form or an address holds it: every field with its texts."""

STATES = ("open", "overdue", "still", "suspended", "closed")
"""How a case stands: overdue has an open work item past its due day, still stands still because of an incident."""
PERIODS = ("opened", "closed", "acted")
"""What the period is about: cases opened or closed in it, or in which what is searched for happened in it."""
SORTS = ("newest", "oldest", "amount", "number")
MOST_VIEWS = 50
OF_CASE = "case/"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for. Person, role, clause, findings and (``acted``) period are those of one and the same deed.

    ``person`` is an id, ``least`` and ``most`` are fen, ``since`` and ``until`` days in Beijing, both included.
    """

    words: str = ""
    person: str = ""
    role: str = ""
    clause: str = ""
    process: str = ""
    state: str = ""
    least: int | None = None
    most: int | None = None
    period: str = "opened"
    since: date | None = None
    until: date | None = None
    finding: tuple[str, ...] = ()
    sort: str = "newest"

    def asked(self) -> dict[str, list[str]]:
        """The search as a form or an address holds it; what says nothing is left out."""
        found: dict[str, list[str]] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                values = value if isinstance(value, tuple) else (value,)
                found[each.name] = [yuan(one) if isinstance(one, int) else str(one) for one in values]
        return found


def admit(work: Work) -> None:
    """NotYours unless the actor may look into every case."""
    if work.actor != SYSTEM and not people.standing(work, work.actor).roles & OVERSEERS:
        raise NotYours(
            "只有合规、纪检人员和系统管理员可以监督全部案卷",
            "only compliance officers, discipline and administrators oversee all cases",
            ("role",),
        )


# What was asked for.


def read(work: Work, asked: Asked) -> tuple[Wanted, list[Text]]:
    """The search that a form asks for, and what in it cannot be understood."""
    problems: list[Text] = []

    def given(name: str, understood: Callable[[str], Any] = str) -> Any:
        text = next((one.strip() for one in asked.get(name, ()) if one.strip()), "")
        if not text:
            return _DEFAULTS[name]
        try:
            return understood(text)
        except NotMoney as problem:
            problems.append(Text(f"“{text}”：{problem.text.zh}", f"{text!r}: {problem.text.en}"))
        except NotFound as problem:
            problems.append(problem.text)
        except ValueError:
            problems.append(Text(f"“{text}”不能用来查询", f"{text!r} is nothing to search by"))
        return _DEFAULTS[name]

    marks = asked.get("finding", ())
    wanted = Wanted(
        words=given("words"),
        person=given("person", lambda who: people.find(work, who)),
        role=given("role"),
        clause=given("clause"),
        process=given("process"),
        state=given("state", lambda text: STATES[STATES.index(text)]),
        least=given("least", _fen),
        most=given("most", _fen),
        period=given("period", lambda text: PERIODS[PERIODS.index(text)]),
        since=given("since", _day),
        until=given("until", _day),
        finding=tuple(mark for mark in MARKS if mark in marks),
        sort=given("sort", lambda text: SORTS[SORTS.index(text)]),
    )
    return wanted, problems


def understood(work: Work, asked: Asked) -> Wanted:
    """The search that is asked for. Unusable: something in it cannot be understood."""
    wanted, problems = read(work, asked)
    if problems:
        raise Unusable(problems[0].zh, problems[0].en)
    return wanted


_DEFAULTS = {each.name: each.default for each in fields(Wanted)}


def _day(text: str) -> date:
    """A day such as people have to do with: instants before and after it can be told."""
    day = date.fromisoformat(text)
    if not 1900 <= day.year <= 2999:
        raise ValueError(text)
    return day


def _fen(text: str) -> int:
    fen = parse_yuan(text)
    if abs(fen) > 10**18:
        raise ValueError(text)
    return fen


def begins(day: date) -> datetime:
    """The instant at which a day begins in Beijing."""
    return datetime.combine(day, time(), BEIJING)


# Searching.


def found(work: Work, wanted: Wanted, *, limit: int, after: int = 0) -> tuple[list[Row], int]:
    """The cases that were searched for, from a place in their order on, and how many there are in all.

    They come without their state and scopes.
    """
    query = _only(work, select(CaseFile.id, func.count().over().label("total")), wanted)
    page = work.rows(query.order_by(*_ORDERS[wanted.sort]).limit(limit).offset(after))
    columns = [each for each in CaseFile.__table__.columns if each.name not in ("state", "scopes")]
    here = select(*columns).where(CaseFile.id.in_([row["id"] for row in page]))
    total = int(page[0]["total"]) if page else count(work, wanted) if after else 0
    return work.rows(here.order_by(*_ORDERS[wanted.sort])), total


def count(work: Work, wanted: Wanted) -> int:
    """How many cases there are."""
    return int(work.db.execute(_only(work, select(func.count()).select_from(CaseFile), wanted)).scalar_one())


def ids(work: Work, wanted: Wanted, most: int) -> list[str]:
    """The ids of the first so many, in their order."""
    query = _only(work, select(CaseFile.id), wanted).order_by(*_ORDERS[wanted.sort])
    return list(work.db.execute(query.limit(most)).scalars())


_ORDERS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (CaseFile.opened_at.desc(), CaseFile.number.desc()),
    "oldest": (CaseFile.opened_at.asc(), CaseFile.number.asc()),
    "amount": (CaseFile.amount_fen.desc().nulls_last(), CaseFile.number.desc()),
    "number": (CaseFile.number.asc(),),
}


def _only(work: Work, query: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """A query of cases, of those that are wanted."""
    for condition in _of_case(work, wanted):
        query = query.where(condition)
    deeds = list(_of_deed(work, wanted))
    if deeds:
        # A stream is called after its case.
        query = query.where(CaseFile.id.in_(select(func.substr(Deed.stream, len(OF_CASE) + 1)).where(*deeds)))
    return query


def _of_case(work: Work, wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    if wanted.words:
        columns = (CaseFile.number, CaseFile.title)
        yield or_(*(column.contains(wanted.words, autoescape=True) for column in columns))
    if wanted.process:
        yield CaseFile.process == wanted.process
    if wanted.least is not None:
        yield CaseFile.amount_fen >= wanted.least
    if wanted.most is not None:
        yield CaseFile.amount_fen <= wanted.most
    if wanted.state:
        yield stands(work, wanted.state)
    if wanted.period != "acted":
        yield from _within(CaseFile.opened_at if wanted.period == "opened" else CaseFile.closed_at, wanted)


def stands(work: Work, state: str) -> ColumnElement[bool]:
    """Whether a case stands like this. In a suspended case no deadline runs, so nothing of it is overdue."""
    if state == "overdue":
        late = select(Task.case).where(Task.closed_at.is_(None), Task.due < work.today)
        return (CaseFile.status == "open") & CaseFile.id.in_(late)
    if state == "still":
        return CaseFile.id.in_(select(Standstill.case).where(Standstill.closed_at.is_(None)))
    return CaseFile.status == state


def _within(column: InstrumentedAttribute[Any], wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    if wanted.since is not None:
        yield column >= begins(wanted.since)
    if wanted.until is not None:
        yield column < begins(wanted.until + timedelta(days=1))


def _of_deed(work: Work, wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    if wanted.person:
        yield or_(Deed.actor == wanted.person, Deed.behalf == wanted.person)
    if wanted.role:
        yield Deed.role.in_(holding(work, Deed.role, lambda said: wanted.role in said.split(",")))
    if wanted.clause:
        yield Deed.basis.in_(holding(work, Deed.basis, lambda said: wanted.clause in said))
    if wanted.finding:
        yield marked(work, wanted.finding)
    if wanted.period == "acted":
        yield from _within(Deed.at, wanted)


def marked(work: Work, marks: Iterable[str]) -> ColumnElement[bool]:
    """Whether a deed has one of these marks."""
    of = set(marks)
    return Deed.marks.in_(holding(work, Deed.marks, lambda said: not of.isdisjoint(unbar(said))))


def clauses(work: Work) -> list[str]:
    """Every clause that a deed names, each once."""
    return holding(work, Deed.basis, lambda _: True)


def holding(work: Work, column: InstrumentedAttribute[str | None], fits: Callable[[str], bool]) -> list[str]:
    """Which of the different texts in a column of deeds fit: there are few, however many deeds have one of them.

    They are found by going from each to the next in the index, not by reading every row.
    """
    known: dict[str, list[str]] = work.memory.setdefault("texts of deeds", {})
    if column.key not in known:
        said = select(func.min(column).label("text")).where(column.is_not(None)).cte("said", recursive=True)
        after = select(func.min(column)).where(column > said.c.text).scalar_subquery()
        said = said.union_all(select(after).where(said.c.text.is_not(None)))
        known[column.key] = list(work.db.execute(select(said.c.text).where(said.c.text.is_not(None))).scalars())
    return [text for text in known[column.key] if fits(text)]


def marks_of(work: Work, cases: Iterable[str]) -> dict[str, dict[str, int]]:
    """How often each mark was made in these cases (by id), in the order of the marks."""
    found: dict[str, dict[str, int]] = {}
    streams = [OF_CASE + case for case in cases]
    query = select(Deed.stream, Deed.marks, func.count().label("times")).where(
        Deed.stream.in_(streams), Deed.marks.is_not(None)
    )
    for row in work.db.execute(query.group_by(Deed.stream, Deed.marks)):
        made = found.setdefault(row.stream.removeprefix(OF_CASE), dict.fromkeys(MARKS, 0))
        for mark in unbar(row.marks or ""):
            made[mark] += row.times
    return {case: {mark: times for mark, times in made.items() if times} for case, made in found.items()}


def attempts(work: Work, *, limit: int, after: int = 0) -> list[Row]:
    """The refused attempts to start a case, newest first, with their bodies: no case came of them."""
    query = select(Event.seq, Event.at, Event.actor, Event.body).where(Event.stream == ATTEMPTS)
    query = query.order_by(Event.seq.desc())
    return [{**row, "data": json.loads(row["body"])["data"]} for row in work.rows(query.limit(limit).offset(after))]


# Saved views.


def views(work: Work) -> list[Row]:
    """The searches that the actor keeps, by name; ``asked`` as ``read`` takes it."""
    query = select(*SavedView.__table__.columns).where(SavedView.person == work.actor).order_by(SavedView.name)
    return [{**row, "asked": json.loads(row["asked"])} for row in work.rows(query)]


def save(work: Work, name: str, asked: Asked) -> str:
    """Keep a search under a name, in place of the one that had it; gives its id.

    NotYours: the actor oversees nothing. Unusable: it has no name, cannot be understood, or there are too many.
    """
    admit(work)
    name = plain(name, Text("请给这个视图起个名字", "give this view a name"), LONGEST_NAME)
    wanted = understood(work, asked)
    known = {row["name"]: row["id"] for row in views(work)}
    if name in known:
        forget(work, known[name])
    elif len(known) >= MOST_VIEWS:
        raise Unusable(f"最多保存 {MOST_VIEWS} 个视图", f"one keeps {MOST_VIEWS} views at most")
    identity = uuid.uuid4().hex
    row = {"id": identity, "person": work.actor, "name": name, "at": work.now}
    work.add(SavedView, {**row, "asked": json.dumps(wanted.asked(), ensure_ascii=False)})
    return identity


def forget(work: Work, view: str) -> None:
    """Keep a search no longer. NotFound: it is not one of the actor's."""
    here = (SavedView.id == view, SavedView.person == work.actor)
    if work.db.execute(delete(SavedView).where(*here)).rowcount != 1:
        raise NotFound("没有这个视图", "there is no such view")
