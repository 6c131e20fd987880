"""Measures how fast oversight searches a database of years: 10,000 cases and 1,000,000 events, loaded in bulk."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from engine import dashboard, oversight, schema
from engine.bench import database_on
from engine.model import CaseFile, Deed, Definition, Event, ParameterSet, Person, Setting, Task
from engine.oversight import Wanted
from engine.trail.deeds import deed_of
from engine.trail.offline import GENESIS
from engine.trail.record import canonical_body, event_hash
from engine.work import SYSTEM, Database, Work, system_clock

LOG = "liuhen/0123456789abcdef"
PROCESSES = [f"process_{number}" for number in range(10)]
PEOPLE = [f"p-{number:012x}" for number in range(200)]
ROLES = [f"role_{number}" for number in range(12)] + ["role_0,role_1", "role_2,role_3"]
CLAUSES = [f"003 第{number}条" for number in range(1, 40)] + [f"002 §二.{number}；003 第十九条" for number in range(20)]
DAYS, OPEN = 1_000, 0.15
STATE = "0" * 6_000
AT_ONCE = 5_000

SEARCHES = {
    "everything": Wanted(),
    "words": Wanted(words="0042"),
    "person": Wanted(person=PEOPLE[3]),
    "role": Wanted(role="role_3"),
    "clause": Wanted(clause="第十九条"),
    "process": Wanted(process=PROCESSES[4]),
    "amount": Wanted(least=3_000_000_000, sort="amount"),
    "period": Wanted(since=date(2026, 1, 1), until=date(2026, 3, 31)),
    "period_acted": Wanted(period="acted", since=date(2026, 1, 1), until=date(2026, 3, 31)),
    "overdue": Wanted(state="overdue"),
    "overran": Wanted(finding=("overran",)),
    "override": Wanted(finding=dashboard.LOOKED_FOR["override"]),
    "refused": Wanted(finding=("refused",)),
    "all_together": Wanted(
        person=PEOPLE[3], role="role_3", process=PROCESSES[4], finding=("overran", "gap"), period="acted",
        since=date(2026, 1, 1), least=100,
    ),
}  # fmt: skip
"""One search of each kind, as the page of oversight does it: the number, the first page, and their marks."""


def search(
    postgresql: str | None,
    *,
    cases: int = 10_000,
    events: int = 1_000_000,
    rounds: int = 5,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Load a database of each kind and time every kind of search, and the dashboard, in milliseconds (median).

    ``ratio`` is how many times as long as reading one case by its id it takes. ``postgresql`` is the URL of a server;
    without one only SQLite is measured.
    """
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        told("sqlite")
        found["sqlite"] = _measured(str(Path(folder) / "bench.db"), cases, events, rounds)
    if postgresql is not None:
        told("postgresql")
        with database_on(postgresql) as url:
            found["postgresql"] = _measured(url, cases, events, rounds)
    return found


def _measured(url: str, cases: int, events: int, rounds: int) -> dict[str, Any]:
    began = time.perf_counter()
    database = Database(url, system_clock)
    with database.work(SYSTEM) as work:
        deeds = load(work, cases, events)
    loading = time.perf_counter() - began

    def trivial(work: Work) -> None:
        work.row(select(CaseFile.id).where(CaseFile.id == case_id(cases // 2)))

    least = _timed(database, trivial, rounds * 20)
    timed = {name: _timed(database, _searching(wanted), rounds) for name, wanted in SEARCHES.items()}
    timed["dashboard"] = _timed(database, _dashboard, rounds)
    with database.look(SYSTEM) as work:
        numbers = {name: oversight.count(work, wanted) for name, wanted in SEARCHES.items()}
    database.close()
    rows = [
        {"id": name, "ms": round(each * 1000, 2), "ratio": round(each / least, 1), "cases": numbers.get(name)}
        for name, each in timed.items()
    ]
    return {"load_s": round(loading, 1), "trivial_ms": round(least * 1000, 3), "deeds": deeds, "rows": rows}


def _searching(wanted: Wanted) -> Callable[[Work], None]:
    def searching(work: Work) -> None:
        rows, _ = oversight.found(work, wanted, limit=50)
        oversight.marks_of(work, [row["id"] for row in rows])

    return searching


def _dashboard(work: Work) -> None:
    day = work.today - timedelta(days=90)
    dashboard.now(work)
    dashboard.since(work, day)
    dashboard.by_month(work)
    dashboard.by_process(work, day)


def _timed(database: Database, question: Callable[[Work], None], rounds: int) -> float:
    """The median of so many times, in seconds."""
    found = []
    for _ in range(rounds + 1):
        with database.look(SYSTEM) as work:
            began = time.perf_counter()
            question(work)
            found.append(time.perf_counter() - began)
    return statistics.median(found[1:])


# A database of years.


def load(work: Work, cases: int, events: int) -> int:
    """Fill an empty database before its fences are laid; gives how many deeds there are."""
    schema.migrate(work.db)
    chance, now = random.Random(7), work.now  # noqa: S311 - data to look at
    work.add(Setting, {"name": "log", "value": LOG})
    work.add(ParameterSet, {
        "id": "bench", "number": 1, "effective_from": date(2020, 1, 1), "adopted_by": None, "values": "{}",
        "sha256": "",
    })  # fmt: skip
    work.add(Person, *(_person(identity) for identity in PEOPLE))
    work.add(Definition, *(_definition(process, now) for process in PROCESSES))
    deeds = 0
    made = (_case(chance, number, cases, events // cases, now) for number in range(cases))
    while some := list(islice(made, max(1, AT_ONCE * cases // events))):
        work.add(CaseFile, *(row for row, _, _ in some))
        work.add(Event, *(event for _, told, _ in some for event, _ in told))
        kept = [{**deed, "at": event["at"]} for _, told, _ in some for event, deed in told if deed]
        deeds += len(kept)
        work.add(Deed, *kept)
        if items := [item for _, _, items in some for item in items]:
            work.add(Task, *items)
    schema.lay_fences(work.db)
    if not work.database.sqlite:
        work.db.execute(text("ANALYZE"))  # as the server does by itself before long
    return deeds


def case_id(number: int) -> str:
    """The id of a case by its place; the first was opened longest ago."""
    return f"{number:032x}"


def _person(identity: str) -> dict[str, Any]:
    return {
        "id": identity, "login": identity, "name": identity, "organisation": "", "password": None, "language": "zh",
        "active": True,
    }  # fmt: skip


def _definition(process: str, now: datetime) -> dict[str, Any]:
    return {
        "id": process, "process": process, "version": 1, "sha256": GENESIS, "name_zh": process, "name_en": process,
        "kind": "main", "uses": "{}", "deployed_by": SYSTEM, "deployed_at": now,
    }  # fmt: skip


Told = list[tuple[dict[str, Any], dict[str, Any] | None]]


def _case(
    chance: random.Random, number: int, cases: int, length: int, now: datetime
) -> tuple[dict[str, Any], Told, list[dict[str, Any]]]:
    """A case with its events and deeds and its open work item; the first was opened longest ago."""
    opened = now - timedelta(days=DAYS * (cases - number) / cases)
    process, still = PROCESSES[chance.randrange(10)], chance.random() < OPEN
    told = list(_told(chance, number, process, opened, length))
    last = told[-1][0]
    row = {
        "id": case_id(number), "number": f"LH-{number:06d}", "process": process, "definition": process,
        "parameters": "bench", "calendar": 1, "title": f"第 {number} 号成果转化", "applicant": PEOPLE[number % 200],
        "status": "open" if still else "closed", "outcome": None if still else "converted", "parent": None,
        "opened_at": opened, "closed_at": None if still else last["at"], "stopped_at": None, "stopped_for": None,
        "state": STATE, "scopes": "", "step": 1, "seq": length, "head": last["hash"], "last_at": last["at"],
        "amount_fen": chance.randrange(10_000_000_000) if chance.random() < 0.8 else None,
    }  # fmt: skip
    item = {
        "id": f"{case_id(number)}.1", "case": case_id(number), "token": 1, "process": process, "element": "review",
        "name_zh": "审查", "name_en": "Review", "form": "review", "roles": "|role_1|", "assignees": "", "excluded": "",
        "claimed_by": None, "due": now.date() + timedelta(days=chance.randrange(-10, 30)), "provisional": False,
        "opened_at": last["at"], "closed_at": None, "closed_by": None, "closed_how": None, "draft": None,
        "prefill": None, "overran_on": None,
    }  # fmt: skip
    return row, told, [item] if still else []


def _told(
    chance: random.Random, number: int, process: str, opened: datetime, length: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    stream, head, at = f"case/{case_id(number)}", GENESIS, opened
    for seq in range(1, length + 1):
        at += timedelta(hours=chance.randrange(1, 12))
        kind, actor, data = _happening(chance, seq)
        body = {
            "v": 1, "log": LOG, "id": str(uuid.UUID(int=number << 32 | seq)), "stream": stream, "seq": seq,
            "prev": head, "ts": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "type": kind, "actor": actor,
            "process": {"key": process, "version": 1, "sha256": GENESIS, "element": "review"}, "data": data,
        }  # fmt: skip
        told = canonical_body(body)
        head = event_hash(told)
        event = {
            "stream": stream, "seq": seq, "kind": kind, "actor": actor["id"], "element": "review", "at": at,
            "body": told, "hash": head,
        }  # fmt: skip
        yield event, deed_of(body)


def _happening(chance: random.Random, seq: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """What happens: two of three events are mechanics, one is a deed, one of thirty something to be looked for."""
    person = {"id": PEOPLE[min(chance.randrange(200), chance.randrange(200))]}
    if seq % 3:
        kind = ("task.opened", "gateway.taken", "step.passed", "notice.sent")[seq % 4]
        return kind, person, {"token": seq, "values": [{"name": "amount_fen", "value": "300"}] * 3}
    draw = chance.random()
    if draw < 0.02:
        return (
            "attempt.refused",
            person,
            {"verb": "complete", "reasons": [chance.choice(["role", "recusal", "four_eyes"])]},
        )
    if draw < 0.04:
        return "deadline.passed", {"id": "clock"}, {"token": seq, "days": 3, "facts": ["F-SV-07"]}
    if draw < 0.05:
        return chance.choice(["step.skipped", "variable.corrected", "task.reassigned", "evidence.added"]), person, {}
    data = {"token": seq, "basis": chance.choice(CLAUSES), "tag": case_id(seq), "facts": ["F-RC-01"]}
    data |= {"overdue_days": 2} if draw < 0.07 else {"gaps": ["F-RC-03"]} if draw < 0.09 else {}
    return "task.completed", {**person, "role": chance.choice(ROLES)}, data
