"""The clock's hands: fires due timers, each exactly once however many workers there are."""

from __future__ import annotations

import logging
import threading

from sqlalchemy import func, select

from engine.desk import Desk
from engine.errors import Refusal
from engine.model import CaseFile, Timer
from engine.work import CLOCK, Database

log = logging.getLogger("liuhen.worker")


def run_due(database: Database, limit: int = 100) -> int:
    """Fire the timers that are due now, case by case in the order of their due times; gives how many cases moved.

    Due case ids are read without a lock; then the *case* is locked, skipping one that somebody else holds, and looked
    at again: whoever acts on a case lets its due timers fire first, so none is fired twice and none is lost.
    """
    with database.look(CLOCK) as work:
        first = func.min(Timer.due)
        query = select(Timer.case).where(Timer.due <= work.now).group_by(Timer.case).order_by(first).limit(limit)
        due = list(work.db.execute(query).scalars())
    moved = 0
    for case in due:
        try:
            moved += _fire(database, case)
        except Refusal as refusal:
            log.error("case %s: a due timer could not fire: %s", case, refusal)
    return moved


def _fire(database: Database, case: str) -> int:
    with database.work(CLOCK) as work:
        query = select(*CaseFile.__table__.columns).where(CaseFile.id == case, CaseFile.status == "open")
        row = work.row(query.with_for_update(skip_locked=True))
        if row is None:
            return 0
        desk = Desk.thawed(work, row)
        due = [each for each in desk.instance.waiting() if each.due is not None and each.due <= work.now]
        if not due:
            return 0
        desk.fire_due()
        desk.keep()
        return 1


def run_forever(database: Database, stop: threading.Event, every: float = 1.0) -> None:
    """Look for due timers about once in ``every`` seconds until told to stop; a failed look is logged and repeated."""
    while not stop.wait(every):
        try:
            while run_due(database):
                pass
        except Exception:
            log.exception("the worker could not look for due timers; it will try again")
