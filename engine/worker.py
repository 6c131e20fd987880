"""The clock's hands: due timers fire and signals arrive, each once however many workers there are; old keys go."""

from __future__ import annotations

import logging
import threading

from sqlalchemy import func, select

from engine import beginnings, incidents, overruns, requests, signals
from engine.desk import Desk
from engine.errors import Refusal
from engine.model import CaseFile, Delivery, Timer
from engine.trail.record import newest_seal
from engine.work import CLOCK, Database, tried_again

log = logging.getLogger("liuhen.worker")


def run_due(database: Database, limit: int = 100) -> int:
    """Fire the timers that are due now, case by case in the order of their due times; gives how many cases moved.

    Due case ids are read without a lock, ``limit`` at a time; then the *case* is locked, skipping one that somebody
    else holds, and looked at again: whoever acts on a case lets its due timers fire first, so none is fired twice and
    none is lost. A case whose timer cannot fire is logged and passed over; it holds up no other.
    Nothing is done while the trail is read-only.
    """
    with database.look(CLOCK) as work:
        if newest_seal(work).halted:
            return 0
    moved = _try_again(database) + let_arrive(database)
    passed_over = 0
    while due := _due(database, passed_over, limit):
        for case in due:
            fired = _fire_if_possible(database, case)
            moved += fired
            passed_over += not fired
    moved += beginnings.run(database) + let_arrive(database)
    overruns.tell_all(database)
    requests.sweep(database)
    return moved


def let_arrive(database: Database) -> int:
    """Let the signals that are on their way arrive, and those that these lead to; gives how many cases moved."""
    moved = 0
    while True:
        with database.look(CLOCK) as work:
            first = func.min(Delivery.number)
            query = select(Delivery.case).where(Delivery.case.is_not(None)).group_by(Delivery.case).order_by(first)
            cases = [str(case) for case in work.db.execute(query).scalars()]
        arrived: int = sum(_fire_if_possible(database, case) for case in cases) + beginnings.hear(database)
        moved += arrived
        if not arrived:
            return moved


def _try_again(database: Database) -> int:
    """Try the incidents again whose time has come; gives how many cases go on."""
    with database.look(CLOCK) as work:
        waiting = incidents.due(work)
    done = 0
    for incident in waiting:
        try:
            with database.work(CLOCK) as work:
                done += incidents.retry(work, incident)
        except Refusal as refusal:
            log.warning("incident %s: not tried again: %s", incident, refusal)
    return done


def _due(database: Database, passed_over: int, limit: int) -> list[str]:
    with database.look(CLOCK) as work:
        first = func.min(Timer.due)
        query = select(Timer.case).where(Timer.due <= work.now).group_by(Timer.case).order_by(first, Timer.case)
        return list(work.db.execute(query.offset(passed_over).limit(limit)).scalars())


def _fire_if_possible(database: Database, case: str) -> int:
    try:
        return tried_again(lambda: _fire(database, case))
    except Refusal as refusal:
        log.error("case %s: a due timer could not fire: %s", case, refusal)
    except Exception:
        log.exception("case %s: a due timer could not fire", case)
    return 0


def _fire(database: Database, case: str) -> int:
    with database.work(CLOCK) as work:
        query = select(*CaseFile.__table__.columns).where(CaseFile.id == case)
        row = work.row(query.with_for_update(skip_locked=True))
        if row is None or row["status"] == "suspended":
            return 0
        desk = Desk.thawed(work, row)
        arriving = signals.on_their_way(desk)
        due = [each for each in desk.instance.waiting() if each.due is not None and each.due <= work.now]
        moves = row["status"] == "open" and (due or any(desk.hears(each) for each in arriving))
        if moves:
            desk.fire_due()
            desk.keep()
        for each in arriving:
            signals.removed(work, each["id"])  # what nobody in the case waits for any more does not come
        return int(bool(moves))


def run_forever(database: Database, stop: threading.Event, every: float = 1.0) -> None:
    """Look for due timers about once in ``every`` seconds until told to stop; a failed look is logged and repeated."""
    while not stop.wait(every):
        try:
            while run_due(database):
                pass
        except Exception:
            log.exception("the worker could not look for due timers; it will try again")
