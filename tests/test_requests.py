"""The keys of requests are remembered for a month, and then forgotten by the worker, which tells nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine import cases, requests
from engine.model import Event
from engine.model import Request as Kept
from engine.work import CLOCK, Request
from engine.worker import run_due
from tests.office import ANSWERS, Office

pytest_plugins = ["tests.furnished"]


def keys(office: Office) -> set[str]:
    """The keys that are remembered."""
    with office.database.look(CLOCK) as work:
        return set(work.db.execute(select(Kept.key)).scalars())


def events(office: Office) -> int:
    """How many events there are in all streams."""
    with office.database.look(CLOCK) as work:
        return work.db.execute(select(func.count()).select_from(Event)).scalar_one()


def started(office: Office, key: str) -> str:
    """A case started by a request of this key, or the one that this request has started before."""
    return str(office.act("甲", cases.start, "permit", ANSWERS["apply"], request=Request.of(key, "start", "permit")))


def test_a_request_is_remembered_for_thirty_days_to_the_second(office: Office) -> None:
    case = started(office, "old")
    office.later(days=30)
    run_due(office.database)
    assert started(office, "old") == case
    office.later(seconds=1)
    started(office, "new")
    before = events(office)
    run_due(office.database)
    assert keys(office) == {"new"}
    assert events(office) == before and office.sound()


def test_many_are_forgotten_in_small_batches(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BATCH", 2)
    about = {"actor": "p", "verb": "start", "body_hash": "", "answer": ""}
    with office.database.work(CLOCK) as work:
        work.add(Kept, *({"key": f"k{day}", "at": work.now - timedelta(days=day), **about} for day in range(27, 36)))
    assert requests.sweep(office.database) == 5
    assert keys(office) == {"k27", "k28", "k29", "k30"}
    assert requests.sweep(office.database) == 0
