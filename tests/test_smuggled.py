"""What a statement may do that was smuggled into the application, on SQLite: read and write rows, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from engine import schema
from engine.work import Database


@pytest.mark.parametrize("statement", [
    "DROP TRIGGER event_no_delete",
    "DROP TABLE anchor",
    "ALTER TABLE event RENAME TO old",
    "ALTER TABLE event ADD COLUMN more TEXT",
    "CREATE TABLE more (one TEXT)",
    "CREATE TEMP TABLE event (stream TEXT, seq INTEGER)",
    "CREATE TEMP TRIGGER mine BEFORE INSERT ON main.event BEGIN SELECT 1; END",
    "CREATE VIEW mine AS SELECT 1",
    "ATTACH DATABASE ':memory:' AS other",
    "PRAGMA writable_schema=ON",
    "PRAGMA recursive_triggers=OFF",
    "PRAGMA foreign_keys=OFF",
    "UPDATE sqlite_master SET sql = ''",
    "DELETE FROM sqlite_master",
])  # fmt: skip
def test_it_is_denied(new_database: Any, statement: str) -> None:
    database = Database(new_database("sqlite"))
    for transaction in (database.work, database.look):
        with (
            pytest.raises(DBAPIError, match=r"not authorized|may not be modified"),
            transaction("x") as work,
        ):
            work.db.exec_driver_sql(statement)
    with database.look("x") as work:
        assert schema.check_fences(work.db) == []
    database.close()


def test_what_may_change_the_schema_is_guarded_again_when_it_is_given_back(new_database: Any) -> None:
    database = Database(new_database("sqlite"))
    with database.work("x") as work:
        schema.unguard(work.db)
        work.db.exec_driver_sql("CREATE TABLE more (one TEXT)")
    with pytest.raises(DBAPIError, match="not authorized"), database.work("x") as work:
        work.db.exec_driver_sql("DROP TABLE more")
    database.close()
