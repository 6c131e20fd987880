"""The same request twice is carried out once: its key brings back the answer it was given the first time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql

from engine.errors import Unusable
from engine.model import Request as Kept
from engine.work import CLOCK, Database, Work

KEPT, BATCH = timedelta(days=30), 500
"""How long a key is remembered: no page stays open that long. How many are forgotten in one transaction."""


def recall(work: Work) -> str | None:
    """The answer this very request got before, or None. The same key with another body is refused."""
    if work.request is None:
        return None
    if not work.database.sqlite:
        # The same request at the same time has to wait for its twin. On SQLite only one act writes at a time anyway.
        work.db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(work.request.key, 0))))
    query = select(Kept.actor, Kept.verb, Kept.body_hash, Kept.answer).where(Kept.key == work.request.key)
    return answered(work, *(work.db.execute(query).one_or_none() or (None, "", "", "")))


def answered(work: Work, actor: str | None, verb: str, body_hash: str, answer: str) -> str | None:
    """What ``recall`` says of a row that was read along with something else."""
    if work.request is None or actor is None:
        return None
    if (actor, verb, body_hash) != (work.actor, work.request.verb, work.request.body_hash):
        raise _used()
    return answer


def _used() -> Unusable:
    return Unusable(
        "这个请求标识已用于另一项内容不同的操作，请重新打开页面再提交",
        "this request key was already used for something else; open the page again and submit anew",
    )


def remember(work: Work, answer: str) -> None:
    """Keep the answer of a request with what it did, in the same commit.

    Unusable: an act on another case has taken the key meanwhile, which only happens on PostgreSQL.
    """
    if work.request is None:
        return
    request = work.request
    said = {"verb": request.verb, "body_hash": request.body_hash, "answer": answer}
    row = {"key": request.key, "actor": work.actor, "at": work.now, **said}
    if work.database.sqlite:
        work.add(Kept, row)
    elif work.db.execute(CAREFULLY, row).one_or_none() is None:
        raise _used()


CAREFULLY = postgresql.insert(Kept).on_conflict_do_nothing().returning(Kept.key)
"""Waits for an act that is just using the key, and then inserts nothing; a failure would end the transaction."""


def sweep(database: Database) -> int:
    """Forget the requests that are older than ``KEPT``, a small batch at a time; gives how many there were."""
    swept = 0
    while _old(database):
        with database.work(CLOCK) as work:
            oldest = select(Kept.key).where(Kept.at < work.now - KEPT).order_by(Kept.at).limit(BATCH)
            gone = delete(Kept).where(Kept.key.in_(oldest.with_for_update(skip_locked=True))).returning(Kept.key)
            batch = len(work.db.execute(gone).all())
        if not batch:  # somebody else is forgetting them
            break
        swept += batch
    return swept


def _old(database: Database) -> bool:
    """Whether there is any, without taking a turn to write."""
    with database.look(CLOCK) as work:
        query = select(Kept.key).where(Kept.at < work.now - KEPT).limit(1)
        return work.db.execute(query).one_or_none() is not None
