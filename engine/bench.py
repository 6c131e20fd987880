"""Measures: what one durable step costs, beside the least that the same database can do in the same run."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from engine import cases, definitions, inbox, people, starting
from engine.desk import Desk
from engine.errors import Unusable
from engine.filling import filled
from engine.library import Library
from engine.scenario_file import read_scenario
from engine.schema import unguard, upgrade
from engine.work import SYSTEM, Database, Request, Work, system_clock

PROCESS, ELEMENT, WORKED = "tech_contract_registration", "content_review", "scenarios/p4-02.yaml"
BEFORE = ("acceptance_check",)


@dataclass(slots=True)
class Counted:
    """How many statements and commits were sent; BEGIN and COMMIT are not statements, an executemany is one."""

    statements: int = 0
    commits: int = 0

    def watch(self, database: Database) -> None:
        """Count on all connections of a database."""

        @event.listens_for(database.engine, "before_cursor_execute")
        def statement(_: Connection, __: Any, sql: str, *___: Any) -> None:
            if not sql.startswith("BEGIN"):
                self.statements += 1

        @event.listens_for(database.engine, "commit")
        def commit(_: Connection) -> None:
            self.commits += 1


def step(postgresql: str | None, *, rounds: int = 200, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """One durable ``complete`` (access, form check, step, trail, inbox) on SQLite and PostgreSQL.

    ``postgresql`` is the URL of a server on which databases may be made. Times are milliseconds of wall clock;
    ``floor``
    is a commit of one update and two inserts, taken in turn with the steps.
    """
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        told("sqlite")
        found["sqlite"] = _measure(str(Path(folder) / "bench.db"), rounds)
    if postgresql is None:
        raise Unusable(
            "测 PostgreSQL 需要一个服务器：请用 ./liuhen bench 运行，或设 LIUHEN_TEST_POSTGRES",
            "measuring PostgreSQL needs a server: run this as ./liuhen bench, or set LIUHEN_TEST_POSTGRES",
        )
    told("postgresql")
    with database_on(postgresql) as url:
        found["postgresql"] = _measure(url, rounds)
    return found


@contextlib.contextmanager
def database_on(postgresql: str) -> Iterator[str]:
    """The URL of a new, empty database on a server of PostgreSQL; it is dropped in the end."""
    name = f"liuhen_bench_{uuid.uuid4().hex[:8]}"
    server = Database(postgresql)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.close()


def _measure(url: str, rounds: int) -> dict[str, Any]:
    upgrade(url)
    database = Database(url, system_clock)
    with database.work(SYSTEM) as work:
        definitions.deploy_library(work)
        staff = {role: people.add(work, role, role, [role]) for role in Library.standing().vocabulary().roles}
        unguard(work.db)
        work.db.execute(text("CREATE TABLE floor (id INTEGER PRIMARY KEY, value TEXT)"))
        work.db.execute(text("INSERT INTO floor VALUES (0, '')"))
    with cases.acting(database, staff["contract_applicant"]) as work:
        _account(work)
    ready = [_ready(database, staff) for _ in range(rounds + 20)]
    counted, seen = Counted(), (0, 0)
    counted.watch(database)
    steps, floors = [], []
    for number, (task, answer) in enumerate(ready):
        counted.statements = counted.commits = 0
        request = Request.of(uuid.uuid4().hex, "complete", task)
        began = time.perf_counter()
        with cases.acting(database, staff["registrar"], request) as work:
            cases.complete(work, task, answer)
        steps.append(time.perf_counter() - began)
        seen = (counted.statements, counted.commits)
        began = time.perf_counter()
        _floor(database, number)
        floors.append(time.perf_counter() - began)
    database.close()
    steps, floors = sorted(steps[20:]), sorted(floors[20:])
    return {
        "median_ms": round(statistics.median(steps) * 1000, 3),
        "p95_ms": round(steps[int(len(steps) * 0.95)] * 1000, 3),
        "floor_ms": round(statistics.median(floors) * 1000, 3),
        "ratio": round(statistics.median(steps) / statistics.median(floors), 2),
        "statements": seen[0],
        "commits": seen[1],
        "n": rounds,
    }


def _account(work: Work) -> None:
    desk, item = starting.begin(work, "register_account", rehearse=True)
    cases.start(work, "register_account", filled(desk, item, {}))


def _ready(database: Database, staff: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """A case that waits at the measured element, and the answer that will be given."""
    worked = Library.standing().package(PROCESS).files[WORKED].decode()
    given = read_scenario(worked, WORKED).course.start["with"]
    with database.look(staff["contract_applicant"]) as work:
        desk, item = starting.begin(work, PROCESS, rehearse=True)
        answer = filled(desk, item, {**given, "contract_title": uuid.uuid4().hex})
    with cases.acting(database, staff["contract_applicant"]) as work:
        case = cases.start(work, PROCESS, answer)
    for element in BEFORE:
        task, answer = _answer(database, case, element, staff["registrar"])
        with cases.acting(database, staff["registrar"]) as work:
            cases.complete(work, task, answer)
    return _answer(database, case, ELEMENT, staff["registrar"])


def _answer(database: Database, case: str, element: str, actor: str) -> tuple[str, dict[str, Any]]:
    with database.look(actor) as work:
        item = inbox.task(work, inbox.open_elements(work, case)[element]["id"])
        return str(item["id"]), filled(Desk.thawed(work, inbox.case(work, case)), item, {})


def _floor(database: Database, number: int) -> None:
    """The least a durable step could do here: one update and two inserts, committed."""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE floor SET value = :value WHERE id = 0"), {"value": str(number)})
        for extra in (1, 2):
            row = {"id": number * 2 + extra, "value": str(number)}
            connection.execute(text("INSERT INTO floor VALUES (:id, :value)"), row)
