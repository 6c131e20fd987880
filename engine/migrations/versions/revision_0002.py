"""A case that nobody started (the clock, a signal or another case did) has no applicant yet."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Connection, text

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """A case that nobody started (the clock, a signal or another case did) has no applicant yet."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _edit_on_sqlite(connection)
    else:
        op.alter_column("casefile", "applicant", nullable=True)


def _edit_on_sqlite(connection: Connection) -> None:
    """Take NOT NULL out of the stored statement that made the table.

    ALTER TABLE of SQLite cannot, and a copy of the table would drop the rows that others refer to. This is the way its
    manual gives for removing a constraint: what the rows look like on disk does not change.
    """
    statement = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'casefile'").scalar_one()
    before, after = "applicant TEXT NOT NULL", "applicant TEXT"
    assert statement.count(before) == 1, statement
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    try:
        edited = {"statement": statement.replace(before, after)}
        connection.execute(text("UPDATE sqlite_master SET sql = :statement WHERE name = 'casefile'"), edited)
        connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema=OFF")
    assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
