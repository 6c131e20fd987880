"""The annex of deadlines: each due day and timer, how it was counted and paused, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.suspending import CAUSES
from engine.trail.annexes.account import Account, Body, instant
from engine.trail.annexes.sheets import Row, Sheet, said
from engine.trail.record import OVERRUN, process_of
from engine.work import BEIJING
from forms.words import Text

DATED = frozenset({"task.opened", "timer.armed"})
ENDS = {"task.completed": "done", "task.cancelled": "cancelled", "timer.fired": "fell_due"}
UNITS = {"working": "working", "calendar": "calendar_unit"}
ESCALATION = "escalation"


@dataclass(slots=True)
class Deadline:
    """One deadline: the event that set it, by when it is now, what moved it, and the events that came of it."""

    body: Body
    due: str
    moved: list[Body] = field(default_factory=list)
    ended: Body | None = None
    overrun: Body | None = None


def deadlines(account: Account) -> Sheet:
    """Each work item with a due day and each timer, in the order in which they began."""
    columns = (
        "seq step +element what start unit +days_asked due_first +due counted +calendar paused actual +how "
        "overdue_days +escalation"
    )
    return Sheet.of("deadlines", columns, (_deadline(account, each) for each in _followed(account)))


def _followed(account: Account) -> list[Deadline]:
    """What became of every deadline, event by event."""
    found: list[Deadline] = []
    running: dict[object, Deadline] = {}
    for body in account.material.bodies:
        data, kind = body["data"], body["type"]
        if kind in DATED and data.get("due"):
            found.append(Deadline(body, data["due"]))
            running[_key(body)] = found[-1]
        elif kind == "case.resumed":
            _move(body, running)
        elif kind in ENDS or kind == OVERRUN:
            deadline = running.get(_key(body))
            if deadline and kind == OVERRUN:
                deadline.overrun = body
            elif deadline and deadline.ended is None:
                deadline.ended = body
    return found


def _key(body: Body) -> object:
    """By what the events of one deadline know each other: the token, in older trails of a timer its place."""
    return body["data"].get("token") or (process_of(body), body["process"].get("element"))


def _move(body: Body, running: dict[object, Deadline]) -> None:
    for each in body["data"]["moved"]:
        if each["what"] in ("item", "timer"):
            place = (each["process"], each["element"])
            deadline = running.get(each["token"]) or running.get(place)
            if deadline and deadline.ended is None:
                deadline.due = each["new"]
                deadline.moved.append(body)


def _deadline(account: Account, deadline: Deadline) -> Row:
    body, data = deadline.body, deadline.body["data"]
    told = data.get("counted") or {}
    begun = date.fromisoformat(told["from"]) if told.get("from") else instant(body).astimezone(BEIJING).date()
    ended, over = deadline.ended, deadline.overrun
    late = (ended["data"].get("overdue_days") if ended else None) or (over["data"]["days"] if over else None)
    return (
        body["seq"], account.step(body), body["process"].get("element"), account.word(body["type"]), begun,
        account.word(UNITS[told["unit"]]) if told else "", told.get("days"), _due(data["due"]), _due(deadline.due),
        days_between(account, begun, day_of(data["due"])), calendar_of(account), _paused(account, deadline),
        instant(ended) if ended else None, account.word(_how(account, deadline)), late,
        account.word("overran", at=said(instant(over))) if over else "",
    )  # fmt: skip


def calendar_of(account: Account) -> str:
    """The version of the calendar by which the days of a case are counted."""
    return account.word("version", n=account.material.row["calendar"])


def _how(account: Account, deadline: Deadline) -> str:
    """What came of it. A timer that neither came nor runs any more was over with the step that it was set for."""
    if deadline.ended:
        return ENDS[deadline.ended["type"]]
    if deadline.body["type"] != "timer.armed" or account.material.row["status"] == "suspended":
        return "pending"
    return "pending" if deadline.body["data"].get("token") in account.material.timers else "over"


def day_of(due: str) -> date:
    """The day on which something is due: of a timer that comes at 24:00, the day which is then over."""
    if "T" not in due:
        return date.fromisoformat(due)
    return (datetime.fromisoformat(due).astimezone(BEIJING) - timedelta(microseconds=1)).date()


def _due(due: str) -> date | datetime:
    """A due day; of a timer that comes at 24:00 the day which is then over, of any other the instant."""
    at = datetime.fromisoformat(due).astimezone(BEIJING) if "T" in due else None
    return at if at and at.time() != time() else day_of(due)


def days_between(account: Account, first: date, last: date) -> str:
    """How many days there are after one day up to another, and which of them are skipped where working days count."""
    calendar = account.material.calendar
    length = max((last - first).days, 0)
    days = [first + timedelta(days=n) for n in range(1, length + 1)]
    rest = [each for each in days if not calendar.is_working_day(each)]
    weekend = sum(each.weekday() >= 5 for each in rest)
    made_up = sum(each.weekday() >= 5 for each in days) - weekend
    blanks = {"days": length, "working": length - len(rest), "weekend": weekend, "holiday": len(rest) - weekend}
    text = account.word("counted_days", **blanks)
    if made_up:
        text += account.word("made_up", n=made_up)
    if length and calendar.is_provisional(first, last):
        text += account.word("provisional")
    return text


def due_text(due: object) -> str:
    """A due day, or the instant of a timer, as people read it."""
    found = _due(due) if isinstance(due, str) else None
    return said(found) if isinstance(found, datetime) else str(found or "")


def _paused(account: Account, deadline: Deadline) -> str:
    """While the case was suspended: from when until when, and to which day the deadline moved."""
    lines = []
    for body in deadline.moved:
        data = body["data"]
        since, until = (said(datetime.fromisoformat(data[f"clock_stopped_{end}"])) for end in ("from", "to"))
        lines.append(account.word("stood_still", since=since, until=until))
    return account.joined(lines)


# Suspensions and escalations.


def suspensions(account: Account) -> Sheet:
    """Each time for which the case stood still: why, on whose word, and which deadlines moved by it."""
    return Sheet.of("suspensions", "start end cause who reason moved", _stops(account))


def _stops(account: Account) -> Iterator[Row]:
    stopped: Body | None = None
    for body in account.material.bodies:
        if body["type"] == "case.suspended":
            stopped = body
        elif body["type"] == "case.resumed" and stopped is not None:
            yield _stop(account, stopped, body)
            stopped = None
    if stopped is not None:
        yield _stop(account, stopped, None)


def _stop(account: Account, stopped: Body, resumed: Body | None) -> Row:
    cause = str(stopped["data"]["cause"])
    bodies = [stopped, resumed] if resumed else [stopped]
    moved = [_moved(account, each) for each in resumed["data"]["moved"]] if resumed else []
    return (
        instant(stopped), instant(resumed) if resumed else None, account.said(CAUSES.get(cause, Text(cause, cause))),
        account.joined([account.who(str(each["actor"]["id"])) for each in bodies]),
        account.joined([account.remark(each) for each in bodies]), account.joined(moved),
    )  # fmt: skip


def _moved(account: Account, told: dict[str, Any]) -> str:
    what = account.place(told["process"], told["element"]) if "element" in told else told["name"]
    unit = account.word(UNITS[told["unit"]])
    return account.word("moved", what=what, unit=unit, old=due_text(told["old"]), new=due_text(told["new"]))


def escalations(account: Account) -> Sheet:
    """Overruns, reminders and escalations (F-SV-07), as they happened."""
    rows: list[Row] = [
        (instant(body), account.step(body), body["process"].get("element"), account.sentence(body))
        for body in account.material.bodies
        if body["type"] == OVERRUN or body["data"].get("tag") == ESCALATION
    ]
    return Sheet.of("escalations", "at step +element action", rows)
