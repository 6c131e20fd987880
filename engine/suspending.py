"""Suspension (中止): a case stands still and its clock with it; when it is resumed, its deadlines have moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from engine import counting
from engine.desk import Desk, lock, open_desk
from engine.errors import NotYours, Unusable, WrongState
from engine.items import remark
from engine.model import Task, Timer
from engine.people import name_of, standing
from engine.requests import recall, remember
from engine.runtime.clocks import Clock, put_off, running
from engine.said import plain
from engine.work import BEIJING, Work
from forms.values import Value
from forms.words import Text

SUSPENDED = "suspended"
OFFICERS = frozenset({"compliance_officer", "process_owner"})
"""Roles that may suspend a case and let it go on."""
CAUSES: Mapping[str, Text] = {
    "investigation": Text("正在接受调查", "an investigation"),
    "litigation": Text("正在诉讼或仲裁", "litigation or arbitration"),
    "missing_decision": Text("等待外部机关的决定", "the missing decision of an outside authority"),
}
"""The reasons for which a case may be suspended."""
NEEDED = Text("请写明中止或恢复的具体理由", "say in words why the case is suspended or goes on")


def suspend(work: Work, case: str, cause: str, words: str) -> None:
    """Let a case stand still: nothing in it can be completed, nothing arrives and no timer fires until it is resumed.

    ``cause`` is one of ``CAUSES``, ``words`` say more. What was due before happens first. NotYours, WrongState.
    """
    if cause not in CAUSES:
        known = "、".join(each.zh for each in CAUSES.values()), ", ".join(each.en for each in CAUSES.values())
        raise Unusable(f"中止的理由只能是：{known[0]}", f"a case is suspended for one of: {known[1]}")
    words = plain(words, NEEDED)
    if recall(work) is not None:
        return
    desk = open_desk(work, case)
    _refuse_others(desk, "suspend")
    if desk.row["status"] != "open":
        _refuse_state(desk, "suspend", "不在办理中，不能中止", "is not open and cannot be suspended")
    if desk.instance.ended:  # by what was due before
        _refuse_state(desk, "suspend", "已经办结，不能中止", "has come to its end and cannot be suspended")
    since = work.now.isoformat()
    desk.tell("case.suspended", {"cause": cause, "clock_stopped_from": since, **remark(desk, words)})
    desk.change(status=SUSPENDED, stopped_at=work.now, stopped_for=cause)
    desk.keep()
    work.db.execute(delete(Timer).where(Timer.case == desk.row["id"]))
    remember(work, desk.row["id"])


def resume(work: Work, case: str, words: str) -> None:
    """Let a suspended case go on. Its timers, the due days of its open items and the deadlines its variables hold move.

    They move by the time it stood still: those counted in working days by working days, the others by calendar days.
    The trail tells each with its old and new date. NotYours, WrongState.
    """
    words = plain(words, NEEDED)
    if recall(work) is not None:
        return
    desk = Desk.thawed(work, lock(work, case))
    _refuse_others(desk, "resume")
    if desk.row["status"] != SUSPENDED:
        _refuse_state(desk, "resume", "没有中止，不需要恢复", "is not suspended")
    stop = Stop(desk, desk.row["stopped_at"], work.now)
    told = {"clock_stopped_from": stop.since.isoformat(), "clock_stopped_to": stop.until.isoformat()}
    moved = [*_move_items(desk, stop), *_move_timers(desk, stop), *_move_variables(desk, stop)]
    desk.change(status="open", stopped_at=None, stopped_for=None)
    desk.tell("case.resumed", {**told, "moved": moved, **remark(desk, words)})
    desk.before = {}  # the table holds no timer of a suspended case
    desk.keep()
    remember(work, desk.row["id"])


def _refuse_others(desk: Desk, verb: str) -> None:
    about = standing(desk.work, desk.work.actor)
    reasons = [] if about.roles & OFFICERS else ["role"]
    if desk.row["id"] in about.cases:
        reasons.append("recusal")
    if reasons:
        who = name_of(desk.work, desk.work.actor)
        raise NotYours(
            f"{who}不能中止或恢复案卷：须由合规专员或流程负责人办理，且不在应当回避之列",
            f"{who} may not suspend or resume a case: a compliance officer or process owner without an interest may",
            reasons,
            case=desk.row["id"],
            verb=verb,
        )


def _refuse_state(desk: Desk, verb: str, zh: str, en: str) -> None:
    number = desk.row["number"]
    raise WrongState(f"案卷 {number} {zh}", f"the case {number} {en}", case=desk.row["id"], verb=verb)


# How far a date moves.


@dataclass(frozen=True, slots=True)
class Stop:
    """The time for which the clock of a case stood still."""

    desk: Desk
    since: datetime
    until: datetime

    @property
    def first(self) -> date:
        """The day on which it stopped."""
        return self.since.astimezone(BEIJING).date()

    @property
    def last(self) -> date:
        """The day on which it goes on."""
        return self.until.astimezone(BEIJING).date()

    def later(self, day: date, unit: str) -> date:
        """A deadline as many days after the resumption as it was after the suspension; one missed before stays."""
        if day < self.first:
            return day
        if unit == "working":
            left = self.desk.calendar.working_days_between(self.first, day)
            return self.desk.calendar.add_working_days(self.last, left)
        return day if self.first == self.last else self.desk.calendar.add_days(self.last, (day - self.first).days)

    def unit(self, process: str, source: str, names: Mapping[str, Value], due: date) -> str:
        """In which days a deadline is counted."""
        view = counting.View(names, self.desk.functions)
        return counting.unit_of(self.desk.deployed, process, source, view, due)

    def instant(self, clock: Clock, unit: str) -> datetime:
        """When a timer is due now: the end of a day moves by days, any other instant by the very time."""
        at = clock.due.astimezone(BEIJING)
        if clock.form == "date" and at.time() == time():
            return self.desk.calendar.end_of(self.later(at.date() - timedelta(days=1), unit))
        return clock.due + (self.until - self.since)


def _told(what: str, unit: str, old: object, new: object, **about: object) -> dict[str, Any]:
    return {"what": what, **about, "unit": unit, "old": old, "new": new}


def _move_items(desk: Desk, stop: Stop) -> Iterator[dict[str, Any]]:
    query = select(Task.id, Task.token, Task.process, Task.element, Task.due)
    open_now = (Task.case == desk.row["id"], Task.closed_at.is_(None), Task.due.is_not(None))
    for item in desk.work.rows(query.where(*open_now).order_by(Task.token)):
        source = desk.deployed.element(item["process"], item["element"]).policy.get("due", "").removeprefix("=")
        unit = stop.unit(item["process"], source, desk.instance.names(item["token"]), item["due"])
        new = stop.later(item["due"], unit)
        if new != item["due"]:
            provisional = desk.calendar.is_provisional(stop.last, new)
            values = {"due": new, "provisional": provisional}
            desk.work.db.execute(update(Task).where(Task.id == item["id"]).values(**values))
            where = {"token": item["token"], "process": item["process"], "element": item["element"]}
            yield _told("item", unit, item["due"].isoformat(), new.isoformat(), **where)


def _move_timers(desk: Desk, stop: Stop) -> Iterator[dict[str, Any]]:
    for clock in list(running(desk.instance)):
        source = clock.element.event.expression if clock.element.event else None
        day = (clock.due.astimezone(BEIJING) - timedelta(microseconds=1)).date()
        unit = stop.unit(clock.process, source or "", desk.instance.names(clock.token), day)
        new = stop.instant(clock, unit)
        if new != clock.due:
            put_off(desk.instance, clock, new, stop.until - stop.since)
            where = {"token": clock.token, "process": clock.process, "element": clock.element.id}
            yield _told("timer", unit, clock.due.isoformat(), new.isoformat(), **where)


def _move_variables(desk: Desk, stop: Stop) -> Iterator[dict[str, Any]]:
    """The deadlines that a script or form computed for timers and work items which may yet come."""
    scopes, read = desk.instance.scopes, dict(_deadlines(desk))
    table = scopes.table.items()
    held = [(number, name) for number, each in table for name in sorted(read.keys() & each.values.keys())]
    # All are judged before one is moved: a deadline may be counted from another.
    found = [(number, name, *_moved(stop, read[name], name, scopes.names(number, desk.given))) for number, name in held]
    for number, name, unit, old, new in found:
        if isinstance(old, date) and isinstance(new, date) and new != old:
            scopes.table[number].values[name] = new
            yield _told("variable", unit, old.isoformat(), new.isoformat(), name=name)


def _moved(stop: Stop, process: str, name: str, names: Mapping[str, Value]) -> tuple[str, Value, Value]:
    """The unit of a deadline, what it was, and what it is now."""
    old = names[name]
    if isinstance(old, datetime):
        return "calendar", old, old + (stop.until - stop.since) if old >= stop.since else old
    if isinstance(old, date):
        unit = stop.unit(process, name, names, old)
        return unit, old, stop.later(old, unit)
    return "calendar", old, old


def _deadlines(desk: Desk) -> Iterator[tuple[str, str]]:
    """The variables that due days and timers read and something computes, each with its process."""
    for process, contents in desk.deployed.contents.items():
        computed = counting.assignments(desk.deployed, process)
        for element in contents.diagram.elements.values():
            timed = element.event.expression if element.event and element.event.form == "date" else None
            for source in (element.policy.get("due", "").removeprefix("="), timed):
                yield from ((name, process) for name in counting.names_of(source or "") & computed.keys())
