"""Fixtures of the tests of the verbs. A module with ``pytest_plugins = ["tests.furnished"]`` may ask for ``office``:

def test_something(office): …          runs twice, each time in an office of its own
def test_a_kind(new_office): …         new_office("sqlite"), new_office("postgresql")
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine import definitions, people
from engine.library import Library
from engine.scenarios import SetClock
from engine.work import SYSTEM, Database
from tests.conftest import KINDS, Kind, Server
from tests.office import MORNING, STAFF, NewOffice, Office, package


def furnish(url: str) -> None:
    """Deploy the packages and hire the staff."""
    database = Database(url, SetClock(MORNING))
    vocabulary = Library.standing().vocabulary()
    try:
        with database.work(SYSTEM) as work:
            for name in ("permit", "watch", "looked_up", "caller"):
                definitions.deploy(work, package(name), vocabulary)
            for name, roles in STAFF.items():
                people.add(work, name, name, roles)
    finally:
        database.close()


@pytest.fixture(scope="session")
def furnished(
    tmp_path_factory: pytest.TempPathFactory, server: Server, templates: Callable[[Kind], str]
) -> Iterator[Callable[[Kind], str]]:
    """The URL of an office of each kind that tests copy."""
    with ExitStack() as stack:

        @cache
        def office(kind: Kind) -> str:
            if kind == "postgresql":
                url = stack.enter_context(server.database(urlsplit(templates(kind)).path.removeprefix("/")))
                furnish(url)
                return url
            path = tmp_path_factory.mktemp("office") / "office.db"
            shutil.copyfile(templates(kind).removeprefix("sqlite:///"), path)
            furnish(f"sqlite:///{path}")
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return f"sqlite:///{path}"

        yield office


@pytest.fixture
def new_office(tmp_path: Path, furnished: Callable[[Kind], str], server: Server) -> Iterator[NewOffice]:
    """Opens offices, each in a database of its own."""
    with ExitStack() as stack:

        def make(kind: Kind) -> Office:
            if kind == "postgresql":
                template = urlsplit(furnished(kind)).path.removeprefix("/")
                url = stack.enter_context(server.database(template))
            else:
                path = tmp_path / "office.db"
                shutil.copyfile(furnished(kind).removeprefix("sqlite:///"), path)
                url = f"sqlite:///{path}"
            office = Office(url)
            stack.callback(office.close)
            return office

        yield make


@pytest.fixture(params=KINDS)
def office(request: pytest.FixtureRequest, new_office: NewOffice) -> Office:
    """A fresh office; the test runs once on each kind of database."""
    return new_office(request.param)


