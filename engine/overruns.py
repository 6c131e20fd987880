"""Overruns (超期): that the due day of a work item has passed is told in its case, once, whether or not it is drawn.

The item stays open; nothing is ever done in anybody's place because a deadline has passed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from engine.desk import Desk
from engine.inbox import day_of
from engine.model import CaseFile, Task
from engine.trail.record import OVERRUN
from engine.work import CLOCK, Database, Work

log = logging.getLogger("liuhen.worker")

FACT = "F-SV-07"
"""The fact that a deadline was overrun."""


def days_over(work: Work, item: Mapping[str, Any]) -> int:
    """For how many calendar days the due day of an open work item has passed; 0 if it has not."""
    due = item["due"]
    return max((work.today - due).days, 0) if due is not None else 0


def tell_overrun(desk: Desk, item: Mapping[str, Any]) -> None:
    """Tell that the due day of this open item has passed, as the clock, unless it has not or was told before."""
    days = days_over(desk.work, item)
    if days and item.get("overran_on") is None:
        told = {"token": item["token"], "due": item["due"].isoformat(), "days": days, "facts": [FACT], "soft": [FACT]}
        desk.tell(OVERRUN, told, element=item["element"], process=item["process"], actor={"id": CLOCK})
        desk.work.db.execute(update(Task).where(Task.id == item["id"]).values(overran_on=day_of(desk.work, desk.row)))


def tell_all(database: Database) -> int:
    """Tell every overrun that is not told yet, case by case; gives in how many cases there were any.

    A case that somebody holds, or in which something fails, is passed over until the next time. The clock of a
    suspended case stands still: it has no overruns.
    """
    told = 0
    for case in _late(database):
        try:
            with database.work(CLOCK) as work:
                told += _tell(work, case)
        except Exception:
            log.exception("case %s: an overrun could not be told", case)
    return told


def _late(database: Database) -> list[str]:
    with database.look(CLOCK) as work:
        query = select(Task.case).join(CaseFile, CaseFile.id == Task.case).where(*_overrun(work))
        return list(work.db.execute(query.group_by(Task.case).order_by(Task.case)).scalars())


def _overrun(work: Work) -> tuple[Any, ...]:
    return (Task.closed_at.is_(None), Task.due < work.today, Task.overran_on.is_(None), CaseFile.status == "open")


def _tell(work: Work, case: str) -> int:
    query = select(*CaseFile.__table__.columns).where(CaseFile.id == case, CaseFile.status == "open")
    row = work.row(query.with_for_update(skip_locked=True))
    if row is None:
        return 0
    desk = Desk.thawed(work, row)
    if any(each.due is not None and each.due <= work.now for each in desk.instance.waiting()):
        return 0  # what is due comes first: it may end the item
    items = select(*Task.__table__.columns).join(CaseFile, CaseFile.id == Task.case).where(*_overrun(work))
    late = work.rows(items.where(Task.case == case).order_by(Task.token))
    for item in late:
        tell_overrun(desk, item)
    if late:
        desk.keep()
    return int(bool(late))
