"""What Alembic runs for every command: the revisions, on the connection and in the transaction it is handed."""

from __future__ import annotations

from alembic import context

from engine.model import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can take back a CREATE TABLE too, because the transaction is opened by us and not by the driver.
    transactional_ddl=True,
)
context.run_migrations()
