"""Makes the tables of a database, brings them up to date under a lock, and checks at every start that they are sound.

It opens connections, as ``work`` does: a database must be made before anybody can work in it. Which statements keep
rows from being changed is for ``fences`` to know.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError

from engine.catching_up import catch_up
from engine.errors import Unusable
from engine.fences import check_fences, lay_fences, unguard
from engine.grants import lay_grants
from engine.model import Base, Setting
from engine.work import SYSTEM, Database

__all__ = [
    "check", "check_fences", "known_revisions", "lay_fences", "lock", "migrate", "missing", "newest_revision",
    "revision", "unguard", "upgrade",
]  # fmt: skip

# Any number that no other program takes on the same PostgreSQL; this one spells "liuhen" in ASCII.
LOCK = int.from_bytes(b"liuhen")

# Alembic keeps what it is doing in its own module, so two threads would mix up two databases.
ONE_AT_A_TIME = threading.Lock()


def upgrade(url: str) -> None:
    """Make or update the schema, put up the fences and, in a new database, draw the name its trail is written under.

    All of it is one transaction, and only one process does it at a time; the others wait and find nothing left to do.
    Unusable: the database was made by a newer Liuhen, cannot be reached, or holds something else.
    """
    database = Database(url)
    try:
        with database.work(SYSTEM) as work:
            lock(work.db)
            _refuse_foreign(work.db)
            migrate(work.db)
            lay_fences(work.db)
            catch_up(work)
            lay_grants(work.db)
            _settle(work.db)
    except DatabaseError as error:
        raise Unusable(
            f"无法打开或更新数据库：{error.orig}", f"the database cannot be opened or updated: {error.orig}"
        ) from error
    finally:
        database.close()


def lock(connection: Connection) -> None:
    """Wait until nobody else changes this schema, until the transaction is over. On SQLite every write does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision. Whoever calls puts up the fences when the tables are as they should be."""
    unguard(connection)
    with ONE_AT_A_TIME:
        command.upgrade(config(connection), revision)


def check(connection: Connection) -> None:
    """Unusable unless the schema is the newest and every fence stands: asked at every start."""
    found = revision(connection)
    if found != newest_revision():
        raise Unusable(
            f"数据库结构是 {found or '空的'}，需要 {newest_revision()}；请先运行 db upgrade",
            f"the schema is {found or 'empty'}, but {newest_revision()} is needed; run db upgrade first",
        )
    if wrong := check_fences(connection):
        raise Unusable(
            f"数据库的防篡改围栏不完整：{'；'.join(wrong)}。请查明原因，再运行 db upgrade 恢复",
            f"the database's fences are not intact: {'; '.join(wrong)}. Find out why; db upgrade puts them up again",
        )


def revision(connection: Connection) -> str | None:
    """The revision of the schema in this database; None in an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def missing(connection: Connection) -> list[str]:
    """The tables that somebody has dropped or given another name."""
    return sorted(Base.metadata.tables.keys() - inspect(connection).get_table_names())


def newest_revision() -> str:
    """The revision this Liuhen works with."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head


def known_revisions() -> frozenset[str]:
    """Every revision this Liuhen can bring up to date."""
    return frozenset(each.revision for each in ScriptDirectory.from_config(config()).walk_revisions())


def config(connection: Connection | None = None) -> Config:
    """What Alembic needs to know; there is no alembic.ini."""
    made = Config()
    folder = str(Path(__file__).parent / "migrations")
    made.set_main_option("script_location", folder.replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _refuse_foreign(connection: Connection) -> None:
    """Unusable when the revision is not one of ours, or when there are tables but no revision at all."""
    found = revision(connection)
    if found is not None and found not in known_revisions():
        raise Unusable(
            f"数据库由更新的版本建立（结构 {found}），请使用该版本的留痕",
            f"the database was made by a newer Liuhen (schema {found}); use that one",
        )
    if found is None and (tables := inspect(connection).get_table_names()):
        raise Unusable(
            f"数据库中已有别的表（{tables[0]} 等），请换一个空的数据库",
            f"the database already holds other tables ({tables[0]}, …); name an empty one",
        )


def _settle(connection: Connection) -> None:
    """Draw the name of the log, once: no two databases may write trails under one name."""
    if connection.execute(select(Setting.value).where(Setting.name == "log")).one_or_none() is None:
        connection.execute(insert(Setting).values(name="log", value=f"liuhen/{secrets.token_hex(8)}"))
