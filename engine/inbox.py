"""The questions: whose inbox holds what, which cases there are, what a case looks like. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, false, func, or_, select

from engine import personal
from engine.access import Door, judge, unbar
from engine.documents import with_names
from engine.errors import NotFound
from engine.model import CaseFile, Comment, Document, Event, Outbox, Submission, Task, Timer
from engine.people import standing
from engine.work import BEIJING, Work

OVERSEERS = frozenset({"compliance_officer", "discipline_office", "sysadmin"})
"""Roles that may look into every case."""

Row = dict[str, Any]


def _items() -> Select[Any]:
    columns = (
        *Task.__table__.columns,
        CaseFile.number,
        CaseFile.title,
        CaseFile.process.label("main"),
        CaseFile.applicant,
        CaseFile.stopped_at,
    )
    return select(*columns).join(CaseFile, CaseFile.id == Task.case)


def tasks_for(work: Work, person: str) -> list[Row]:
    """The open work items this person may take up, the overdue and most urgent first.

    Each says in ``mine`` whether it is theirs by name or claim, and in ``overdue`` whether its due day has passed.
    Items from which they must stand aside are left out.
    """
    about = standing(work, person)
    principals = {principal for principal, _ in about.substitutes}
    wanted = [Task.roles.contains(f"|{role}|", autoescape=True) for role in sorted(about.roles)]
    names = [Task.assignees.contains(f"|{one}|", autoescape=True) for one in sorted({person, *principals})]
    claimed = Task.claimed_by.in_([person, *principals])
    query = _items().where(
        Task.closed_at.is_(None),
        or_(claimed, (Task.claimed_by.is_(None)) & or_(*names, (Task.assignees == "") & or_(false(), *wanted))),
    )
    rows = work.rows(query.order_by(Task.due.is_(None), Task.due, Task.opened_at))
    found = []
    for row in rows:
        if judge(about, _door(row)).reasons:
            continue
        mine = row["claimed_by"] == person or person in unbar(row["assignees"])
        found.append({**row, "mine": mine, "overdue": overdue(work, row)})
    return found


def _door(row: Row) -> Door:
    """A work item as far as its row says who may do it; parties and four eyes are looked at when somebody acts."""
    return Door(
        case=row["case"],
        applicant=row["applicant"],
        roles=frozenset(unbar(row["roles"])),
        assignees=unbar(row["assignees"]),
        excluded=frozenset(unbar(row["excluded"])),
        checked=frozenset(),
        parties=frozenset(),
        claimed_by=row["claimed_by"],
    )


def overdue(work: Work, item: Mapping[str, Any]) -> bool:
    """Whether the due day of an open work item has passed; the clock of a suspended case (``stopped_at``) waits."""
    return item["due"] is not None and item["closed_at"] is None and item["due"] < day_of(work, item)


def day_of(work: Work, row: Mapping[str, Any]) -> date:
    """The day it is for a case: today, or the day on which it was suspended."""
    stopped: datetime | None = row.get("stopped_at")
    return stopped.astimezone(BEIJING).date() if stopped else work.today


def done_by(work: Work, person: str, limit: int = 100) -> list[Row]:
    """The work items this person completed, newest first (已办)."""
    query = _items().where(Task.closed_by == person, Task.closed_how == "completed")
    return work.rows(query.order_by(Task.closed_at.desc()).limit(limit))


def task(work: Work, identity: str) -> Row:
    """One work item with the number and title of its case."""
    row = work.row(_items().where(Task.id == identity))
    if row is None:
        raise NotFound(f"没有编号为 {identity} 的待办", f"there is no work item {identity}")
    return row


def case(work: Work, identity: str) -> Row:
    """One case by id or number."""
    query = select(*CaseFile.__table__.columns).where((CaseFile.id == identity) | (CaseFile.number == identity))
    row = work.row(query)
    if row is None:
        raise NotFound(f"没有编号为 {identity} 的案卷", f"there is no case {identity}")
    return row


def may_see(work: Work, row: Mapping[str, Any]) -> bool:
    """Whether the actor may look into a case: who started it, who has or had a part in it, and those who oversee."""
    about = standing(work, work.actor)
    if row["applicant"] == work.actor or about.roles & OVERSEERS:
        return True
    query = select(Task.roles, Task.assignees, Task.closed_by).where(Task.case == row["id"])
    for item in work.db.execute(query):
        if work.actor in unbar(item.assignees) or work.actor == item.closed_by:
            return True
        if not item.assignees and about.roles & set(unbar(item.roles)):
            return True
    return False


def cases(
    work: Work,
    *,
    status: str | None = None,
    process: str | None = None,
    applicant: str | None = None,
    words: str = "",
    limit: int = 200,
    after: int = 0,
) -> list[Row]:
    """Cases, newest first; ``words`` are looked for in number and title."""
    columns = [each for each in CaseFile.__table__.columns if each.name not in ("state", "scopes")]
    query = select(*columns).order_by(CaseFile.opened_at.desc(), CaseFile.number.desc())
    for column, value in ((CaseFile.status, status), (CaseFile.process, process), (CaseFile.applicant, applicant)):
        if value:
            query = query.where(column == value)
    if words.strip():
        text = words.strip()
        query = query.where(
            or_(CaseFile.number.contains(text, autoescape=True), CaseFile.title.contains(text, autoescape=True))
        )
    return work.rows(query.limit(limit).offset(after))


def visible_cases(work: Work, **filters: Any) -> list[Row]:
    """The cases the actor may look into."""
    if standing(work, work.actor).roles & OVERSEERS:
        return cases(work, **filters)
    return [row for row in cases(work, **filters) if may_see(work, row)]


def linked(work: Work, row: Mapping[str, Any]) -> list[Row]:
    """The case that started this one, and those it started, in the order in which they began."""
    here = (CaseFile.id == row["parent"]) | (CaseFile.parent == row["id"])
    columns = [each for each in CaseFile.__table__.columns if each.name not in ("state", "scopes")]
    return work.rows(select(*columns).where(here).order_by(CaseFile.opened_at, CaseFile.number))


def items_of(work: Work, case: str) -> list[Row]:
    """All work items of a case in the order they came up."""
    query = select(*Task.__table__.columns).where(Task.case == case).order_by(Task.opened_at, Task.token)
    return work.rows(query)


def open_elements(work: Work, case: str) -> dict[str, Row]:
    """The open work items of a case and of the cases it started, by element (the last where several are open)."""
    children = select(CaseFile.id).where(CaseFile.parent == case)
    query = (
        select(*Task.__table__.columns)
        .where(Task.closed_at.is_(None), or_(Task.case == case, Task.case.in_(children)))
        .order_by(Task.opened_at, Task.token)
    )
    return {row["element"]: row for row in work.rows(query)}


def events(work: Work, case: str) -> list[Row]:
    """The trail of a case, in order."""
    columns = (Event.seq, Event.kind, Event.actor, Event.element, Event.at, Event.body, Event.hash)
    query = select(*columns).where(Event.stream == f"case/{case}").order_by(Event.seq)
    return work.rows(query)


def submissions(work: Work, case: str) -> list[Row]:
    """All answers of a case, oldest first; ``stored`` is the text as it is kept, private values apart."""
    query = select(*Submission.__table__.columns).where(Submission.case == case).order_by(Submission.at)
    return personal.open_rows(work, work.rows(query))


def timers(work: Work, case: str) -> list[Row]:
    """What the clock will do in a case, soonest first."""
    query = select(*Timer.__table__.columns).where(Timer.case == case).order_by(Timer.due)
    return work.rows(query)


def documents(work: Work, case: str) -> list[Row]:
    """The documents of a case, oldest first; ``erased`` says which can no longer be read."""
    query = select(*Document.__table__.columns).where(Document.case == case).order_by(Document.at, Document.name)
    return with_names(work, work.rows(query))


def comments(work: Work, case: str) -> list[Row]:
    """The remarks on a case, oldest first."""
    query = select(*Comment.__table__.columns).where(Comment.case == case).order_by(Comment.at)
    return work.rows(query)


def notices(work: Work, person: str, limit: int = 50) -> list[Row]:
    """Notices to this person or to the roles they hold, newest first."""
    roles: Sequence[str] = sorted(standing(work, person).roles)
    query = (
        select(*Outbox.__table__.columns, CaseFile.number, CaseFile.title)
        .join(CaseFile, CaseFile.id == Outbox.case)
        .where(or_(Outbox.person == person, Outbox.role.in_(roles)))
    )
    return work.rows(query.order_by(Outbox.at.desc()).limit(limit))


def counts(work: Work) -> Mapping[str, int]:
    """How many cases there are by status."""
    query = select(CaseFile.status, func.count()).group_by(CaseFile.status)
    return {row[0]: row[1] for row in work.db.execute(query)}
