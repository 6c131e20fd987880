"""Real attacks on rows that must stay, as an ordinary connection, as the owner and as a superuser of the server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Executable, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from engine import schema
from engine.fences import fenced_tables, unique_keys
from engine.model import APPEND_ONLY, Base, Event, Setting
from engine.trail.offline import GENESIS
from engine.trail.record import Chain, canonical_body, event_hash
from engine.work import Database

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """A database with one row in every append-only table and a stream of three events."""
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url, clock=lambda: AT)
    with database.work("test") as work:
        fill(work.db)
        chain = Chain.standing("sys/test")
        for number in range(3):
            chain.add(work, "notice.sent", {"number": number})
        chain.write(work)
    yield database
    database.close()


def fill(connection: Connection) -> None:
    """One row in every append-only table, and in the tables they point to."""
    words: dict[Any, Any] = {str: "x", int: 1, bool: True, bytes: b"x", datetime: AT, date: AT.date()}
    for table in Base.metadata.sorted_tables:
        if table.name in {"event", "setting"}:
            continue
        row = {
            column.name: words[column.type.python_type] for column in table.columns if column.type.python_type in words
        }
        row |= {column.name: AT for column in table.columns if column.type.__class__.__name__ == "Instant"}
        if "parent" in row:
            row["parent"] = None
        connection.execute(insert(table).values(**row))


def refused(database: Database, attack: str | Executable | Callable[[Connection], object]) -> None:
    """The attack raises in a transaction of its own, and afterwards every fenced table holds what it held."""
    before = contents(database)
    with pytest.raises(DBAPIError) as caught, database.work("test") as work:
        carry_out(attack, work.db)
    assert "append-only" in str(caught.value) or "must follow" in str(caught.value)
    assert contents(database) == before


def carry_out(attack: str | Executable | Callable[[Connection], object], connection: Connection) -> None:
    if callable(attack):
        attack(connection)
    else:
        connection.execute(text(attack) if isinstance(attack, str) else attack)


def contents(database: Database) -> dict[str, list[Any]]:
    with database.look("test") as work:
        return {table.name: sorted(map(tuple, work.db.execute(select(table))), key=str) for table in fenced_tables()}


def test_a_row_cannot_be_changed(database: Database) -> None:
    """Attack T1: on both databases, in every table that is fenced."""
    for name in APPEND_ONLY:
        column = Base.metadata.tables[name].columns.keys()[-1]
        refused(database, f'UPDATE {name} SET "{column}" = "{column}"')


def test_rows_cannot_be_deleted(database: Database) -> None:
    """Attacks T2, T3, T4: with a condition."""
    for name in APPEND_ONLY:
        refused(database, f"DELETE FROM {name} WHERE 1 = 1")


def test_a_table_cannot_be_emptied_at_once(database: Database) -> None:
    """Attack T4: TRUNCATE, and the way SQLite has instead."""
    for name in APPEND_ONLY:  # SQLite has no TRUNCATE; a DELETE without WHERE is its truncate optimisation
        refused(database, f"DELETE FROM {name}" if database.sqlite else f"TRUNCATE {name} CASCADE")


def test_a_row_cannot_be_replaced_under_any_of_its_keys(database: Database) -> None:
    """Attack T5: also an event that takes the place or the hash of another."""
    for table in fenced_tables():
        with database.look("test") as work:
            there = dict(work.db.execute(select(table)).mappings().first() or {})
        for key in unique_keys(table):
            row = {column: other(value, column in key) for column, value in there.items()}
            refused(database, replace(database, table, row, key))


def other(value: Any, same: bool) -> Any:
    """The value of the same key, or another one of its kind."""
    if same or not isinstance(value, str | int) or isinstance(value, bool):
        return value
    return f"{value}2" if isinstance(value, str) else value + 1


def replace(database: Database, table: Any, row: dict[str, Any], key: list[str]) -> Any:
    if database.sqlite:
        return sqlite.insert(table).values(**row).prefix_with("OR REPLACE")
    rest = {column: row[column] for column in row if column not in key} or {key[0]: row[key[0]]}
    return postgresql.insert(table).values(**row).on_conflict_do_update(index_elements=key, set_=rest)


def test_an_upsert_is_refused(database: Database) -> None:
    """Attack T5: INSERT … ON CONFLICT."""
    make = sqlite.insert if database.sqlite else postgresql.insert
    upsert = (
        make(Setting)
        .values(name="log", value="mine")
        .on_conflict_do_update(index_elements=["name"], set_={"value": "mine"})
    )
    refused(database, upsert)


ROUTES: dict[str, Callable[[Session, Event], object]] = {
    "an attribute": lambda session, row: setattr(row, "actor", "somebody"),
    "Session.delete": lambda session, row: session.delete(row),
    "update()": lambda session, row: session.execute(update(Event).values(actor="somebody")),
    "delete()": lambda session, row: session.execute(delete(Event)),
    "Query.delete": lambda session, row: session.query(Event).delete(),
    "Query.update": lambda session, row: session.query(Event).update({"actor": "somebody"}),
    "bulk_update_mappings": lambda session, row: session.bulk_update_mappings(
        Event.__mapper__, [{"stream": row.stream, "seq": row.seq, "actor": "somebody"}]
    ),
    "merge": lambda session, row: session.merge(
        Event(stream=row.stream, seq=row.seq, kind="x", actor="x", element=None, at=AT, body="{}", hash=row.hash)
    ),
    "text": lambda session, row: session.execute(text("UPDATE event SET actor = 'somebody' WHERE seq = 1")),
}


def test_no_route_of_sqlalchemy_changes_an_event(database: Database) -> None:
    """Attack T8: on both databases, as the owner."""
    for route in ROUTES.values():

        def attack(db: Connection, route: Callable[[Session, Event], object] = route) -> None:
            with Session(bind=db) as session:
                route(session, session.execute(select(Event).order_by(Event.seq)).scalars().all()[0])
                session.flush()

        refused(database, attack)


def event(seq: int, prev: str, **changed: Any) -> dict[str, Any]:
    body = canonical_body({"stream": "sys/test", "seq": seq, "prev": prev, "data": {}})
    row = {
        "stream": "sys/test", "seq": seq, "kind": "notice.sent", "actor": "x", "element": None,
        "at": AT, "body": body, "hash": event_hash(body),
    }  # fmt: skip
    return row | changed


def heads(database: Database) -> list[str]:
    with database.look("test") as work:
        return list(work.db.execute(select(Event.hash).order_by(Event.seq)).scalars())


def test_the_next_event_is_accepted(database: Database) -> None:
    with database.work("test") as work:
        work.db.execute(insert(Event).values(**event(4, heads(database)[-1])))
        work.db.execute(insert(Event).values(**event(1, GENESIS, stream="sys/other")))
    assert len(heads(database)) == 5


# what it is, its place, the place of the event it says it follows (None: it says it is the first), its stream
OUT_OF_ORDER = [
    ("a gap", 5, 3, "sys/test"),
    ("a fork at the last place", 3, 2, "sys/test"),
    ("a fork: the same predecessor twice", 4, 2, "sys/test"),
    ("before the first", 0, 3, "sys/test"),
    ("a negative place", -1, 3, "sys/test"),
    ("the head runs back", 2, 3, "sys/test"),
    ("a second beginning", 4, None, "sys/test"),
    ("a stream that begins at two", 2, None, "sys/other"),
    ("a stream that begins with another's head", 1, 3, "sys/other"),
]


def test_an_event_out_of_order_is_refused(database: Database) -> None:
    """Attacks T6, T7: on both databases, as the owner."""
    for _, seq, after, stream in OUT_OF_ORDER:
        prev = GENESIS if after is None else heads(database)[after - 1]
        refused(database, insert(Event).values(**event(seq, prev, stream=stream)))


def test_several_events_in_one_statement_must_follow_each_other(database: Database) -> None:
    good = event(4, heads(database)[-1])
    refused(database, lambda db: db.execute(insert(Event), [good, event(6, good["hash"])]))
    refused(database, insert(Event).values([good, event(5, GENESIS)]))
    with database.work("test") as work:
        work.db.execute(insert(Event).values([good, event(5, good["hash"])]))


def test_chinese_and_escapes_hash_the_same_in_the_database(database: Database) -> None:
    body = canonical_body({"prev": heads(database)[-1], "data": {"name": "技术合同\\\u2028\"'\n𠮷 \u007f"}})
    with database.work("test") as work:
        work.db.execute(insert(Event).values(**event(4, "") | {"body": body, "hash": event_hash(body)}))


def test_an_event_whose_body_is_no_json_is_refused(database: Database) -> None:
    with pytest.raises(DBAPIError), database.work("test") as work:
        work.db.execute(insert(Event).values(**event(4, "") | {"body": "not json", "hash": event_hash("not json")}))
    assert len(heads(database)) == 3


def test_the_same_event_cannot_stand_in_two_streams(database: Database) -> None:
    with database.look("test") as work:
        first = dict(work.db.execute(select(*Event.__table__.columns).where(Event.seq == 1)).mappings().one())
    assert json.loads(first["body"])["prev"] == GENESIS
    with pytest.raises(IntegrityError), database.work("test") as work:
        work.db.execute(insert(Event).values(**first | {"stream": "sys/other"}))
    assert len(heads(database)) == 3


class TestOnSqlite:
    """What somebody may try who opens the file with another program, without our settings."""

    @pytest.fixture
    def foreign(self, new_database: Any) -> Iterator[sqlite3.Connection]:
        url = new_database("sqlite", empty=True)
        schema.upgrade(url)
        database = Database(url, clock=lambda: AT)
        with database.work("test") as work:
            fill(work.db)
        database.close()
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        yield connection
        connection.close()

    # The number of an epoch is its rowid: nothing is hidden there, and another number is another epoch.
    @pytest.mark.parametrize("name", [name for name in APPEND_ONLY if name != "epoch"])
    def test_replacing_by_the_hidden_rowid_is_refused(self, foreign: sqlite3.Connection, name: str) -> None:
        """Attack T5: REPLACE from another program."""
        if name == "event":
            body = canonical_body({"prev": GENESIS})
            row = ("sys/x", 1, "k", "a", None, "2026", body, event_hash(body))
            foreign.execute(f"INSERT INTO event VALUES ({','.join('?' * 8)})", row)
        rows = foreign.execute(f"SELECT rowid, * FROM {name}").fetchall()
        columns = [f'"{each[1]}"' for each in foreign.execute(f"PRAGMA table_info({name})")]
        fresh: list[Any] = [f"{value}-other" if isinstance(value, str) else value for value in rows[0][1:]]
        for key in unique_keys(Base.metadata.tables[name]):
            for column in key:
                place = columns.index(f'"{column}"')
                fresh[place] = "2031-01-01" if column == "day" else fresh[place]
                fresh[place] = fresh[place] + 7 if isinstance(fresh[place], int) else fresh[place]
        with pytest.raises(sqlite3.IntegrityError, match=r"append-only|must follow"):
            foreign.execute(
                f"REPLACE INTO {name} (rowid, {','.join(columns)}) VALUES (?{',?' * len(columns)})",
                [rows[0][0], *fresh],
            )
        assert foreign.execute(f"SELECT rowid, * FROM {name}").fetchall() == rows

    @pytest.mark.parametrize("how", ["UPDATE OR REPLACE", "UPDATE OR IGNORE", "UPDATE"])
    def test_every_kind_of_update_is_refused(self, foreign: sqlite3.Connection, how: str) -> None:
        """Attack T1: from another program."""
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            foreign.execute(f"{how} setting SET value = 'mine'")

    @pytest.mark.parametrize("how", ["INSERT OR IGNORE", "INSERT OR ROLLBACK", "INSERT"])
    def test_every_kind_of_insert_of_a_known_key_is_refused(self, foreign: sqlite3.Connection, how: str) -> None:
        """Attack T5: from another program."""
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            foreign.execute(f"{how} INTO setting VALUES ('log', 'mine')")

    def test_a_fence_taken_down_is_noticed_and_put_up_again(self, foreign: sqlite3.Connection, tmp_path: Any) -> None:
        foreign.execute("DROP TRIGGER event_no_delete")
        foreign.execute("DROP TRIGGER setting_no_update")
        foreign.execute("CREATE TRIGGER setting_no_update BEFORE UPDATE ON setting BEGIN SELECT 1; END")
        foreign.execute("CREATE TRIGGER mine AFTER INSERT ON event BEGIN SELECT 1; END")
        foreign.commit()
        path = foreign.execute("PRAGMA database_list").fetchone()[2]
        database = Database(path)
        with database.look("test") as work:
            wrong = schema.check_fences(work.db)
        assert [each.split("：")[0] for each in wrong] == [
            "event.event_no_delete",
            "event.mine",
            "setting.setting_no_update",
        ]
        with database.work("test") as work:
            schema.unguard(work.db)
            work.db.execute(text("DROP TRIGGER mine"))
            schema.lay_fences(work.db)
            assert schema.check_fences(work.db) == []
        database.close()


REPLACED_TRIGGER = """CREATE OR REPLACE TRIGGER event_follows BEFORE INSERT ON event FOR EACH ROW
    WHEN (NEW.seq > 9) EXECUTE FUNCTION liuhen_follows()"""
REPLACED_FUNCTION = """CREATE OR REPLACE FUNCTION liuhen_refuse() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NULL; END'"""


class TestOnPostgresql:
    """What the owner of the tables may try, who in these tests is a superuser of the server besides."""

    @pytest.fixture
    def url(self, new_database: Any) -> str:
        url: str = new_database("postgresql", empty=True)
        schema.upgrade(url)
        database = Database(url, clock=lambda: AT)
        with database.work("test") as work:
            chain = Chain.standing("sys/test")
            chain.add(work, "notice.sent", {})
            chain.write(work)
        database.close()
        return url

    def test_a_wrong_hash_is_refused(self, url: str) -> None:
        """Attack T6: SQLite cannot compute one; there the verification of the trail finds it."""
        database = Database(url)
        refused(database, insert(Event).values(**event(2, heads(database)[-1], hash="f" * 64)))
        database.close()

    @pytest.mark.parametrize(
        "attack",
        [
            "DELETE FROM event",
            "UPDATE event SET actor = 'x'",
            "TRUNCATE event",
            "MERGE INTO setting USING person ON true WHEN MATCHED THEN DELETE",
            "MERGE INTO setting USING person ON true WHEN MATCHED THEN UPDATE SET value = 1",
            "WITH gone AS (DELETE FROM event RETURNING *) SELECT * FROM gone",
            "UPDATE event SET actor = 'x' WHERE false",
        ],
    )
    def test_switching_triggers_off_for_replication_does_not_help(self, url: str, attack: str) -> None:
        """Attack T9: as a superuser."""
        with psycopg.connect(url) as connection:
            connection.execute("SET session_replication_role = replica")
            with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
                connection.execute(attack)

    def test_a_temporary_table_cannot_stand_in_for_the_real_one(self, url: str) -> None:
        body = canonical_body({"prev": GENESIS})
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TEMP TABLE event (stream text, seq int, hash text)")
            connection.execute("SET search_path = pg_temp, public, pg_catalog")
            row = ("sys/test", 1, "k", "a", None, AT, body, event_hash(body))
            with pytest.raises(psycopg.errors.IntegrityError, match="must follow"):
                connection.execute("INSERT INTO public.event VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)

    @pytest.mark.parametrize(
        ("tampering", "named"),
        [
            ("ALTER TABLE event DISABLE TRIGGER event_no_change", "event.event_no_change"),
            ("ALTER TABLE event ENABLE TRIGGER event_no_row_change", "event.event_no_row_change"),
            ("ALTER TABLE event ENABLE REPLICA TRIGGER event_follows", "event.event_follows"),
            ("DROP TRIGGER event_no_change ON event", "event.event_no_change"),
            (REPLACED_TRIGGER, "event.event_follows"),
            (REPLACED_FUNCTION, "liuhen_refuse()"),
            ("ALTER FUNCTION liuhen_follows() RESET ALL", "liuhen_follows()"),
        ],
    )
    def test_a_fence_taken_down_is_noticed_and_put_up_again(self, url: str, tampering: str, named: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(tampering)
        database = Database(url)
        with database.look("test") as work:
            assert [each.split("：")[0] for each in schema.check_fences(work.db)] == [named]
        schema.upgrade(url)
        with database.look("test") as work:
            assert schema.check_fences(work.db) == []
        database.close()
