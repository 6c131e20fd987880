"""The fences: what makes the database itself refuse to change, remove or replace a row that must stay.

They stop mistakes, stray tools and injected statements. Somebody who owns the server or the file can take them down:
that is noticed by ``check_fences`` at every start, and proved by the chain of the trail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Table, UniqueConstraint, inspect, text

from engine.model import APPEND_ONLY, Base
from engine.trail.offline import EVENT as DOMAIN
from engine.trail.offline import GENESIS

REFUSED: Final = "append-only: rows are never changed, removed or replaced"
OUT_OF_ORDER: Final = "an event must follow the last one of its stream"

BUILDING: Final = "building"
"""The mark of a connection to SQLite that may change the schema."""
READING: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})
DENIED: Final = sqlite3.SQLITE_DENY

# Bits of pg_trigger.tgtype: what a trigger of PostgreSQL fires on.
ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE = 1, 2, 4, 8, 16, 32
ALWAYS: Final = "A"  # also while session_replication_role is replica

SQLITE_FOLLOWS: Final = f"""CREATE TRIGGER event_follows BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM event WHERE stream = NEW.stream)
    OR json_extract(NEW.body, '$.prev') IS NOT
        COALESCE((SELECT hash FROM event WHERE stream = NEW.stream AND seq = NEW.seq - 1), '{GENESIS}')
BEGIN SELECT RAISE(ABORT, '{OUT_OF_ORDER}'); END"""  # noqa: S608 - what is put in are constants

REFUSE_BODY: Final = f"""
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ': {REFUSED}', ERRCODE = 'integrity_constraint_violation';
END
"""


def lay_fences(connection: Connection) -> None:
    """Put up every fence that is missing or not as it should be. When all stand, nothing is done and nothing locked.

    A table that an older schema lacks gets its fences with the upgrade that brings it; ``check_fences`` misses them.
    """
    if not check_fences(connection):
        return
    if connection.dialect.name == "sqlite":
        _lay_on_sqlite(connection)
    else:
        _lay_on_postgresql(connection)


def check_fences(connection: Connection) -> list[str]:
    """What is wrong with the fences, one sentence each (Chinese / English); empty when all stand as they should."""
    if connection.dialect.name == "sqlite":
        expected: Mapping[str, Any] = sqlite_triggers()
        found: Mapping[str, Any] = _found_on_sqlite(connection)
    else:
        schema = _schema(connection)
        expected, found = _expected_on_postgresql(schema), _found_on_postgresql(connection, schema)
    different = [name for name in {*expected, *found} if expected.get(name) != found.get(name)]
    return [_sentence(name, expected, found) for name in sorted(different)]


def _sentence(name: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if name not in found:
        return f"{name}：缺失 / is missing"
    if name not in expected:
        return f"{name}：不应存在 / should not be there"
    return f"{name}：被改动或停用 / was changed or switched off"


def fenced_tables() -> Iterator[Table]:
    """The tables whose rows are never changed or removed."""
    return (Base.metadata.tables[name] for name in APPEND_ONLY)


def unique_keys(table: Table) -> list[list[str]]:
    """Every list of columns that names a row of the table: the primary key first."""
    unique = [each.columns for each in table.constraints if isinstance(each, UniqueConstraint)]
    unique += [each.columns for each in table.indexes if each.unique]
    return [table.primary_key.columns.keys(), *sorted([column.name for column in columns] for columns in unique)]


# SQLite


@lru_cache
def sqlite_triggers() -> Mapping[str, str]:
    """Every trigger by ``table.trigger``, with the statement that makes it."""
    statements: dict[str, str] = {}
    for table in fenced_tables():
        for name, statement in _sqlite_triggers_of(table):
            statements[f"{table.name}.{name}"] = statement
    return statements


def _sqlite_triggers_of(table: Table) -> Iterator[tuple[str, str]]:
    name = table.name
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name}: {REFUSED}'); END"
    yield f"{name}_no_update", f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} {refuse}"
    yield f"{name}_no_delete", f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {refuse}"
    # INSERT OR REPLACE removes the old row without firing a delete trigger, unless the connection asked for that. So
    # a row that is already there under any of its keys, or under its hidden rowid, is refused before it comes to that.
    same = [" AND ".join(f'"{column}" = NEW."{column}"' for column in key) for key in unique_keys(table)]
    same.append("rowid = NEW.rowid")
    there = " OR ".join(f"EXISTS (SELECT 1 FROM {name} WHERE {each})" for each in same)  # noqa: S608 - names of ours
    yield f"{name}_no_replace", f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {there} {refuse}"
    if name == "event":
        yield "event_follows", SQLITE_FOLLOWS


USED: Final = frozenset({
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE,
    sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT,
})  # fmt: skip


def only_rows(action: int, name: str | None, value: str | None, *_: str | None) -> int:
    """What SQLite asks of every statement: one that works may read and write rows, and change no table or setting.

    So a statement that somebody smuggled in cannot take a fence down; whoever opens the file by other means still can.
    """
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if value is None or str(name).endswith(("_info", "_list", "_xinfo")) else DENIED
    if action not in USED or (action not in READING and str(name).startswith("sqlite_")):
        return DENIED
    return sqlite3.SQLITE_OK


def unguard(connection: Connection) -> None:
    """From here on a connection to SQLite may change the schema, until it is given back."""
    if connection.dialect.name == "sqlite":
        connection.info[BUILDING] = True
        driver: Any = connection.connection.dbapi_connection
        driver.set_authorizer(None)


def _found_on_sqlite(connection: Connection) -> dict[str, str]:
    query = text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {f"{row.tbl_name}.{row.name}": row.sql for row in connection.execute(query) if row.tbl_name in APPEND_ONLY}


def _lay_on_sqlite(connection: Connection) -> None:
    unguard(connection)
    found, tables = _found_on_sqlite(connection), inspect(connection).get_table_names()
    for name, statement in sqlite_triggers().items():
        if name.split(".")[0] not in tables:
            continue
        if name in found:
            connection.exec_driver_sql(f'DROP TRIGGER "{name.split(".")[1]}"')
        connection.exec_driver_sql(statement)


# PostgreSQL


def _follows_body(schema: str) -> str:
    """The check of one new event. The table is named with its schema: a temporary table cannot stand in for it."""
    return f"""
DECLARE
    last record;
BEGIN
    SELECT seq, hash INTO last FROM {schema}.event WHERE stream = NEW.stream ORDER BY seq DESC LIMIT 1;
    IF NEW.seq IS DISTINCT FROM COALESCE(last.seq, 0) + 1
        OR NEW.body::json ->> 'prev' IS DISTINCT FROM COALESCE(last.hash, '{GENESIS}')
        OR NEW.hash IS DISTINCT FROM encode(sha256('\\x{DOMAIN.hex()}'::bytea || convert_to(NEW.body, 'UTF8')), 'hex')
    THEN
        RAISE EXCEPTION '{OUT_OF_ORDER}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
"""  # noqa: S608 - what is put in are a quoted name and constants


def _functions(schema: str) -> dict[str, str]:
    return {"liuhen_refuse": REFUSE_BODY, "liuhen_follows": _follows_body(schema)}


def _postgresql_triggers() -> Iterator[tuple[str, str, str, int]]:
    """Table, trigger, function, type of each. Replication fires only row triggers, TRUNCATE only statement triggers."""
    for table in APPEND_ONLY:
        yield table, f"{table}_no_change", "liuhen_refuse", BEFORE | UPDATE | DELETE | TRUNCATE
        yield table, f"{table}_no_row_change", "liuhen_refuse", BEFORE | ROW | UPDATE | DELETE
    yield "event", "event_follows", "liuhen_follows", BEFORE | ROW | INSERT


def _expected_on_postgresql(schema: str) -> dict[str, Any]:
    triggers: dict[str, Any] = {
        f"{table}.{trigger}": (schema, function, kind, ALWAYS, None, "")
        for table, trigger, function, kind in _postgresql_triggers()
    }
    settings = ["search_path=pg_catalog, pg_temp"]
    return triggers | {f"{name}()": (body, settings) for name, body in _functions(schema).items()}


def _found_on_postgresql(connection: Connection, schema: str) -> dict[str, Any]:
    triggers = text("""
        SELECT c.relname, t.tgname, n.nspname, p.proname, t.tgtype, t.tgenabled, t.tgqual, t.tgattr::text AS attributes
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace s ON s.oid = c.relnamespace
        JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE NOT t.tgisinternal AND s.nspname = :schema AND c.relname = ANY(:tables)""")
    # A rule rewrites a statement before any trigger hears of it, a child table stands outside the fences of its parent,
    # and row security hides rows from those who look.
    around = text("""
        WITH fenced AS (SELECT c.oid, c.relname, c.relrowsecurity FROM pg_class c
            JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = :schema AND c.relname = ANY(:tables))
        SELECT f.relname, r.rulename AS name FROM pg_rewrite r JOIN fenced f ON f.oid = r.ev_class
        UNION ALL SELECT f.relname, i.inhrelid::regclass::text FROM pg_inherits i JOIN fenced f ON f.oid = i.inhparent
        UNION ALL SELECT relname, 'row security' FROM fenced WHERE relrowsecurity""")
    functions = text("""
        SELECT p.proname, p.prosrc, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = :schema AND p.proname = ANY(:names)""")
    tables = {"schema": schema, "tables": list(APPEND_ONLY)}
    found: dict[str, Any] = {
        f"{row.relname}.{row.tgname}": (row.nspname, row.proname, row.tgtype, row.tgenabled, row.tgqual, row.attributes)
        for row in connection.execute(triggers, tables)
    }
    found |= {f"{row.relname}.{row.name}": "there" for row in connection.execute(around, tables)}
    names = {"schema": schema, "names": list(_functions(schema))}
    return found | {f"{row.proname}()": (row.prosrc, row.proconfig) for row in connection.execute(functions, names)}


def _lay_on_postgresql(connection: Connection) -> None:
    schema = _schema(connection)
    for name, body in _functions(schema).items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql"
            f" SET search_path = pg_catalog, pg_temp AS $body${body}$body$"
        )
    events = {INSERT: "INSERT", UPDATE: "UPDATE", DELETE: "DELETE", TRUNCATE: "TRUNCATE"}
    tables = inspect(connection).get_table_names()
    for table, trigger, function, kind in _postgresql_triggers():
        if table not in tables:
            continue
        what = " OR ".join(word for bit, word in events.items() if kind & bit)
        each = "ROW" if kind & ROW else "STATEMENT"
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger} ON {schema}.{table}")
        connection.exec_driver_sql(
            f"CREATE TRIGGER {trigger} BEFORE {what} ON {schema}.{table} FOR EACH {each}"
            f" EXECUTE FUNCTION {schema}.{function}()"
        )
        connection.exec_driver_sql(f"ALTER TABLE {schema}.{table} ENABLE ALWAYS TRIGGER {trigger}")


def _schema(connection: Connection) -> str:
    """The schema the tables lie in, as a name of SQL that needs no quotes."""
    return str(connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one())
