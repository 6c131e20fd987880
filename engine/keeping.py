"""Puts a case back from the desk: its state, inbox, timers, signals, incidents and trail, each as it has changed."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, update

from engine import signals
from engine.amount import amount_of
from engine.errors import Incident
from engine.model import CaseFile, Standstill, Task, Timer, table
from engine.runtime.scopes import CASE
from engine.trail import epochs
from engine.trail.committing import commit_case

if TYPE_CHECKING:
    from engine.desk import Desk

SEALED_AT_ONCE = frozenset({"agreement_signing", "registration_decision", "collective_decision", "publicity"})
"""The tags of steps that do not wait for the next epoch."""
FIRST_RETRY, MOST_RETRIES = timedelta(minutes=1), 6

_case, _task = table(CaseFile), table(Task)
MOVED = update(_case).where(_case.c.id == bindparam("here"), _case.c.step == bindparam("at_step"))
CLOSED = update(_task).where(_task.c.id.in_(bindparam("items", expanding=True)))


def keep(desk: Desk, completed: int | None = None) -> None:
    """Write everything about a case: all or, with the transaction around it, none.

    Where nothing is told nothing of the case has changed, and the texts it is kept in stay what the trail is committed
    to. ``completed`` is the token of the work item that this act completed.
    """
    desk.tell_happenings()
    _insert_items(desk, completed)
    _close_items(desk, completed)
    _keep_timers(desk)
    signals.keep_listeners(desk)
    if desk.stood and not desk.instance.held() and desk.incident is None:
        _close_incidents(desk)
    if desk.instance.ended and desk.row["status"] == "open":
        outcome = str(desk.instance.outcome)
        desk.change(status="closed", outcome=outcome, closed_at=desk.work.now)
        desk.tell("case.closed", {"outcome": outcome})
    if _decisive(desk):
        epochs.request(desk.work)
    if desk.chain.rows:
        state, scopes = desk.instance.frozen()
        amount = amount_of(desk.instance.scopes.table[CASE].values, desk.deployed.private)
        desk.change(state=state, scopes=scopes, amount_fen=amount)
        desk.change(salt=commit_case(desk.chain, desk.found, desk.row))
    _update(desk)
    signals.send_on(desk)
    if desk.incident is not None:
        _keep_incident(desk, desk.incident)


def _decisive(desk: Desk) -> bool:
    """Whether this act signed, registered, published or closed something: then the signer seals it at once."""
    told = (json.loads(row["body"]) for row in desk.chain.rows if row["kind"] in ("task.completed", "case.closed"))
    return any(body["type"] == "case.closed" or body["data"].get("tag") in SEALED_AT_ONCE for body in told)


def _update(desk: Desk) -> None:
    """Write the case and the waiting events; the step counter asserts that nobody else moved the case."""
    here = {"here": desk.row["id"], "at_step": desk.row["step"]}
    stands = {"seq": desk.chain.seq, "head": desk.chain.head, "last_at": desk.chain.last_at}
    desk.change(step=desk.row["step"] + 1, **stands)
    if desk.work.db.execute(MOVED, {**desk.changed, **here}).rowcount != 1:
        raise AssertionError(f"case {desk.row['id']} was moved by somebody else although it was locked")
    desk.chain.write(desk.work)
    desk.found, desk.changed = dict(desk.row), {}


def _insert_items(desk: Desk, completed: int | None) -> None:
    """Keep the items that came up and are still open, and the first of a case, completed as it starts."""
    opened, desk.instance.opened = desk.instance.opened, {}
    kept = [item for token, item in opened.items() if token == completed or desk.instance.live(token)]
    rows = [desk.item(item) for item in kept]
    if rows:
        desk.work.add(Task, *rows)


def _close_items(desk: Desk, completed: int | None) -> None:
    closed, desk.instance.closed = desk.instance.closed, {}
    cancelled = [desk.item_id(token) for token in closed if token != completed]
    if completed is not None:
        _close(desk, [desk.item_id(completed)], "completed")
    if cancelled:
        _close(desk, cancelled, "cancelled")


def _close(desk: Desk, items: list[str], how: str) -> None:
    values = {"closed_at": desk.work.now, "closed_by": desk.work.actor, "closed_how": how}
    desk.work.db.execute(CLOSED, {**values, "draft": None, "prefill": None, "items": items})


def _keep_timers(desk: Desk) -> None:
    case, before = desk.row["id"], desk.before
    after = {} if desk.instance.ended else desk.timers()
    gone = [token for token in before if after.get(token) != before[token]]
    new = [token for token in after if before.get(token) != after[token]]
    if gone:
        desk.work.db.execute(delete(Timer).where(Timer.case == case, Timer.token.in_(gone)))
    if new:
        rows = [{"case": case, "token": token, "element": after[token][0], "due": after[token][1]} for token in new]
        desk.work.add(Timer, *rows)
    desk.before = after


# Incidents.


def _close_incidents(desk: Desk) -> None:
    """The case no longer stands still: somebody brought it on, or what stood still was overtaken by events."""
    here = (Standstill.case == desk.row["id"], Standstill.closed_at.is_(None))
    values = {"closed_at": desk.work.now, "closed_by": desk.work.actor, "next_try": None}
    desk.work.db.execute(update(Standstill).where(*here).values(closed_how=desk.brought_on, **values))
    desk.tell("incident.closed", {"how": desk.brought_on})


def _keep_incident(desk: Desk, incident: Incident) -> None:
    """Keep where and why the case stands still. An operation is tried again by the clock, ever more rarely."""
    said = {"element": incident.about.get("element", ""), "zh": incident.text.zh, "en": incident.text.en}
    standing = select(Standstill.id, Standstill.tries).where(
        Standstill.case == desk.row["id"], Standstill.closed_at.is_(None)
    )
    known = desk.work.row(standing)
    tries = known["tries"] + 1 if known else 1
    again = tries <= MOST_RETRIES and incident.about.get("operation")
    said |= {"tries": tries, "next_try": desk.work.now + FIRST_RETRY * 4 ** (tries - 1) if again else None}
    if known:
        desk.work.db.execute(update(Standstill).where(Standstill.id == known["id"]).values(**said))
    else:
        case = {"id": uuid.uuid4().hex, "case": desk.row["id"], "at": desk.work.now}
        desk.work.add(Standstill, {**case, **said})
