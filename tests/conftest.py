"""What every test may ask for: a database of its own, on SQLite and on PostgreSQL; deep runs; a clean environment.

    def test_something(database_url): …            runs twice, each time on a fresh copy of the prepared database
    def test_an_upgrade(empty_database_url): …     runs twice, each time on an empty one
    def test_a_move(new_database): …               new_database("sqlite"), new_database("postgresql", empty=True), …
    def test_many(deep): …                         deep is True under --deep, for larger numbers of seeds

The server is the one of ``LIUHEN_TEST_POSTGRES``, else one that the run starts when a test first needs it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from psycopg import sql

from tests.harness import postgres

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")

# Settings of the machine's owner must not reach a test; only the run's own do.
OF_THE_RUN = {f"LIUHEN_TEST_{name}" for name in ("POSTGRES", "KEEPER", "CHROMIUM", "FAILED")} | {"LIUHEN_SCREENSHOTS"}
for setting in [name for name in os.environ if name.startswith("LIUHEN_") and name not in OF_THE_RUN]:
    del os.environ[setting]

# Nothing may depend on the machine's time zone, so it is neither Shanghai nor UTC.
os.environ["TZ"] = "America/St_Johns"
time.tzset()

hypothesis.settings.register_profile("usual", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.register_profile("deep", deadline=None, max_examples=2000, print_blob=True)


def prepare_template(url: str) -> None:
    """Fill an empty database with what every test starts from: schema, shipped library, one demo person per role.

    Tests copy the result, so it is made once per worker and kind. It must leave no connection open behind it.
    """
    from engine.definitions import deploy_library
    from engine.schema import upgrade
    from engine.work import SYSTEM, Database

    upgrade(url)
    database = Database(url)
    try:
        with database.work(SYSTEM) as work:
            deploy_library(work)
    finally:
        database.close()


class NewDatabase(Protocol):
    """Makes a fresh database that is thrown away after the test, and gives its URL."""

    def __call__(self, kind: Kind, *, empty: bool = False) -> str: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="also run the tests that take minutes, with more seeds")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("deep" if config.getoption("--deep") else "usual")
    is_worker = hasattr(config, "workerinput")
    if not is_worker and not os.environ.get("LIUHEN_TEST_POSTGRES"):
        keeper = postgres.Keeper()
        config.add_cleanup(keeper.close)
        os.environ["LIUHEN_TEST_KEEPER"] = str(keeper.folder)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--deep"):
        left = [item for item in items if item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if failed := os.environ.get("LIUHEN_TEST_FAILED"):
        terminalreporter.write_line(f"Before the tests, these failed (their findings are above): {failed}", red=True)


@pytest.fixture(scope="session")
def deep(pytestconfig: pytest.Config) -> bool:
    """Whether this run may take its time."""
    return bool(pytestconfig.getoption("--deep"))


class Server:
    """The PostgreSQL server of the run, met when it is first needed; makes and drops databases for this worker."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.worker = f"liuhen_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"

    @cached_property
    def url(self) -> str:
        """The server's own database: for administration only."""
        named = os.environ.get("LIUHEN_TEST_POSTGRES")
        url = named or postgres.address(Path(os.environ["LIUHEN_TEST_KEEPER"]))
        return url.replace("postgresql+psycopg:", "postgresql:", 1)

    @cached_property
    def connection(self) -> psycopg.Connection:
        """One connection for all that is administered."""
        return psycopg.connect(self.url, autocommit=True)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new copy of ``template``, dropped in the end with whoever is still connected to it."""
        name = f"{self.worker}_{next(self.numbers)}"
        new, of = sql.Identifier(name), sql.Identifier(template)
        self.connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, of))
        yield urlsplit(self.url)._replace(path=f"/{name}").geturl()
        self.connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))

    def close(self) -> None:
        """Leave the server."""
        if "connection" in self.__dict__:
            self.connection.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The PostgreSQL server; tests ask for a database instead."""
    with closing(Server()) as met:
        yield met


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Callable[[Kind], str]]:
    """The URL of the prepared database of a kind, made when the worker first needs it."""
    with ExitStack() as stack:

        @cache
        def template(kind: Kind) -> str:
            if kind == "postgresql":
                url = stack.enter_context(server.database())
                prepare_template(url)
                return url
            path = tmp_path_factory.mktemp("template") / "template.db"
            prepare_template(f"sqlite:///{path}")
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the one file is all there is to copy
            return f"sqlite:///{path}"

        yield template


@pytest.fixture
def new_database(tmp_path: Path, templates: Callable[[Kind], str], server: Server) -> Iterator[NewDatabase]:
    """Makes as many databases as the test likes."""
    numbers = count(1)
    with ExitStack() as stack:

        def make(kind: Kind, *, empty: bool = False) -> str:
            if kind == "postgresql":
                template = "template0" if empty else urlsplit(templates(kind)).path.removeprefix("/")
                return stack.enter_context(server.database(template))
            path = tmp_path / f"{next(numbers)}.db"
            if not empty:
                shutil.copyfile(templates(kind).removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"

        yield make


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> str:
    """A fresh copy of the prepared database; the test runs once on each kind."""
    return new_database(request.param)


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> str:
    """A database without a table; the test runs once on each kind. The SQLite file does not exist yet."""
    return new_database(request.param, empty=True)

