"""Slows down whoever guesses passwords: a few failures for one login or one address, and then a pause."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import delete, func, select

from engine.errors import Refusal
from engine.model import Attempt
from engine.work import SYSTEM, Database

PAUSE = timedelta(minutes=15)
MOST = {"login": 5, "address": 20}


class TooMany(Refusal):
    """Too many failures; the sentence says how long to wait."""

    code = "too_many"


def begin(database: Database, login: str, address: str) -> str:
    """Count an attempt before the password is looked at, so that many at once are counted too; gives its number.

    TooMany when this login or this address has failed too often in the last minutes.
    """
    subjects = {"login": f"login/{login.casefold()[:100]}", "address": f"address/{address}"}
    number = uuid.uuid4().hex
    with database.work(SYSTEM) as work:
        work.db.execute(delete(Attempt).where(Attempt.at < work.now - PAUSE))
        for kind, subject in subjects.items():
            query = select(func.count()).select_from(Attempt).where(Attempt.subject == subject)
            failed = work.db.execute(query).scalar_one()
            if failed >= MOST[kind]:
                minutes = int(PAUSE.total_seconds() // 60)
                raise TooMany(
                    f"登录失败次数过多，请在 {minutes} 分钟后再试",
                    f"too many failed attempts to sign in; try again in {minutes} minutes",
                )
        rows = [{"id": f"{number}.{kind}", "subject": subject, "at": work.now} for kind, subject in subjects.items()]
        work.add(Attempt, *rows)
    return number


def forgive(database: Database, number: str, login: str) -> None:
    """The attempt was right: it and the failures of this login count no more. Those of the address still do."""
    with database.work(SYSTEM) as work:
        work.db.execute(delete(Attempt).where(Attempt.subject == f"login/{login.casefold()[:100]}"))
        work.db.execute(delete(Attempt).where(Attempt.id == f"{number}.address"))
