"""The database fixtures themselves: every test has its own, on both kinds, and the prepared one is prepared."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.conftest import Kind, NewDatabase, Server


def ask(url: str, *statements: str) -> list[Any]:
    """The rows of the last statement."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
            return [database.execute(statement).fetchall() for statement in statements][-1]
    with psycopg.connect(url) as server:
        cursors = [server.execute(statement) for statement in statements]
        return cursors[-1].fetchall() if cursors[-1].description else []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_one_test_writes_no_other_sees(kind: Kind, new_database: NewDatabase) -> None:
    one, other = new_database(kind, empty=True), new_database(kind, empty=True)
    ask(one, "CREATE TABLE mine (a TEXT)", "INSERT INTO mine VALUES ('技术合同')")
    ask(other, "CREATE TABLE mine (a TEXT)")
    assert ask(one, "SELECT a FROM mine") == [("技术合同",)]
    assert ask(other, "SELECT a FROM mine") == []


def test_the_prepared_database_holds_the_shipped_library(database_url: str) -> None:
    assert ask(database_url, "SELECT count(*) FROM definition")[0][0] > 0


def test_an_empty_database_has_no_table(empty_database_url: str) -> None:
    catalogue = "pg_tables WHERE schemaname = 'public'" if "postgresql" in empty_database_url else "sqlite_master"
    assert ask(empty_database_url, f"SELECT count(*) FROM {catalogue}") == [(0,)]


def test_the_server_hears_nobody_outside_this_machine(server: Server) -> None:
    host = urlsplit(server.url).hostname
    assert host in {"localhost", "127.0.0.1", "::1"} or ask(server.url, "SHOW listen_addresses") == [("",)]
