"""Who may do what in PostgreSQL: two group roles, laid by ``db upgrade`` when it may; SQLite knows no roles.

``liuhen_app`` is for servers and workers: it adds to the trail and never changes it. ``liuhen_signer`` is for the
signer: it reads everything and writes epochs only. Neither owns a table, so neither can take a fence down. An
administrator makes the accounts that log in and grants them one of these.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from engine.model import APPEND_ONLY, Base

APP, SIGNER = "liuhen_app", "liuhen_signer"
OF_THE_SIGNER = ("epoch", "epoch_head", "anchor", "halt")


def lay_grants(connection: Connection) -> bool:
    """Make the two roles and their grants; False where this database or this account cannot."""
    if connection.dialect.name != "postgresql":
        return False
    may = connection.execute(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    known = connection.execute(text("SELECT count(*) FROM pg_roles WHERE rolname IN (:app, :signer)"), _names())
    if not powers(connection)["owner"] or (not may.scalar_one() and known.scalar_one() < 2):
        return False
    try:
        with connection.begin_nested():
            for statement in _statements(connection):
                connection.exec_driver_sql(statement)
    except DBAPIError:
        return False
    return True


def _names() -> dict[str, str]:
    return {"app": APP, "signer": SIGNER}


def _statements(connection: Connection) -> Iterator[str]:
    """Everything that is granted; what was granted before is taken back first, so that nothing old stays."""
    schema = str(connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one())
    there = set(connection.execute(text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'liuhen%'")).scalars())
    for role in (APP, SIGNER):
        if role not in there:
            yield f"CREATE ROLE {role} NOLOGIN"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"
        yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
    for name in sorted(Base.metadata.tables):
        if name in OF_THE_SIGNER:
            yield f"GRANT INSERT ON {schema}.{name} TO {SIGNER}"
        elif name in APPEND_ONLY:
            yield f"GRANT INSERT ON {schema}.{name} TO {APP}"
        else:
            yield f"GRANT INSERT, UPDATE, DELETE ON {schema}.{name} TO {APP}"
    yield f"GRANT UPDATE, DELETE ON {schema}.seal_request TO {SIGNER}"
    yield f"GRANT UPDATE ON {schema}.halt TO {SIGNER}"


def powers(connection: Connection) -> dict[str, bool]:
    """What the account that asks could do to the fences: whether it is a superuser, and whether it owns the tables."""
    row = connection.execute(
        text(
            "SELECT r.rolsuper AS super, EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema() AND c.relname = 'event'"
            " AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owner"
            " FROM pg_roles r WHERE r.rolname = current_user"
        )
    ).one()
    return {"superuser": row.super, "owner": row.owner}
