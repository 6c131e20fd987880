"""Attacks on the tables by whoever holds an account: the application, the signer, the owner, a superuser, the file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engine import items, schema
from engine.doctor import examine
from engine.grants import APP, SIGNER, lay_grants
from engine.model import Base, Event
from engine.trail.record import event_hash
from engine.trail.signer import Rewritten, Signer
from engine.work import Database
from tests.office import NewOffice, Office
from tests.test_doctor import account
from tests.test_fences import REPLACED_FUNCTION, ROUTES, event
from tests.test_sealing import rechained
from tests.test_trail import behind_its_back, found

pytest_plugins = ["tests.furnished"]

ON_ROWS = [
    "UPDATE event SET actor = 'x' WHERE seq = 1",
    "UPDATE event SET actor = actor WHERE false",
    "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    "DELETE FROM event WHERE seq = 2",
    "DELETE FROM event",
    "TRUNCATE event",
    "TRUNCATE event, submission CASCADE",
    "INSERT INTO setting VALUES ('log', 'mine') ON CONFLICT (name) DO UPDATE SET value = 'mine'",
    "MERGE INTO setting USING person ON true WHEN MATCHED THEN UPDATE SET value = 'mine'",
    "WITH gone AS (DELETE FROM event RETURNING *) SELECT * FROM gone",
]
ON_FENCES = [
    "ALTER TABLE event DISABLE TRIGGER USER",
    "ALTER TABLE event DISABLE TRIGGER event_no_change",
    "ALTER TABLE event ENABLE TRIGGER event_no_row_change",
    "DROP TRIGGER event_follows ON event",
    "DROP FUNCTION liuhen_refuse() CASCADE",
    REPLACED_FUNCTION,
    "ALTER TABLE event RENAME TO event_before",
    "DROP TABLE event CASCADE",
    "CREATE TABLE event_2026 () INHERITS (event)",
    "CREATE RULE silent AS ON INSERT TO event DO INSTEAD NOTHING",
    "ALTER TABLE event ENABLE ROW LEVEL SECURITY",
]
ON_THE_FILE = [
    "DROP TRIGGER event_no_delete",
    "DROP TABLE event",
    "ALTER TABLE event RENAME TO event_before",
    "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'DELETE', 'UPDATE')",
]


@contextmanager
def owner(url: str) -> Iterator[str]:
    """An account that owns the tables and functions, and is no superuser; gives the address to connect with."""
    name = f"test_owner_{urlsplit(url).path.strip('/')}"[:60].lower().replace("-", "_")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        server.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {name}")
        for table in [*Base.metadata.tables, "alembic_version"]:
            server.execute(f'ALTER TABLE "{table}" OWNER TO {name}')
        for function in ("liuhen_refuse", "liuhen_follows"):
            server.execute(f"ALTER FUNCTION {function}() OWNER TO {name}")
    parts = urlsplit(url)
    try:
        yield urlunsplit(parts._replace(netloc=f"{name}:x@{parts.netloc.rpartition('@')[2]}"))
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
            server.execute(f"DROP OWNED BY {name}")
            server.execute(f"DROP ROLE {name}")


@pytest.fixture
def on_postgres(new_office: NewOffice) -> Office:
    """An office on PostgreSQL with a case, and the roles laid."""
    office = new_office("postgresql")
    with office.database.work("system") as work:
        assert lay_grants(work.db)
    office.start()
    return office


@pytest.fixture
def accounts(on_postgres: Office) -> Iterator[dict[str, Database]]:
    """Everybody who can connect to the server, by who they are."""
    with ExitStack() as stack:
        urls = {role: stack.enter_context(account(on_postgres.url, role)) for role in (APP, SIGNER)}
        urls |= {"owner": stack.enter_context(owner(on_postgres.url)), "superuser": on_postgres.url}
        yield {who: stack.enter_context(closing(Database(url, on_postgres.clock))) for who, url in urls.items()}


def tried(database: Database, attack: str | Callable[[Connection], object]) -> str:
    """How the database refuses this."""
    with pytest.raises(DBAPIError) as refusal, database.work("test") as work:
        (attack if callable(attack) else lambda db: db.exec_driver_sql(attack))(work.db)
    return str(refusal.value)


def wrong(office: Office, folder: Path) -> set[str]:
    """What doctor says is wrong."""
    with office.database.look("system") as work:
        return {each.id for each in examine(work, folder) if each.state == "wrong"}


@pytest.fixture
def sealed(office: Office, tmp_path: Path) -> Signer:
    """A signer that has sealed a case of the office."""
    office.start()
    with office.database.look("system") as work:
        signer = Signer.of(work, tmp_path / "signer")
    signer.seal(office.database)
    return signer


def put_up_again(office: Office) -> None:
    """The fences stand as if nobody had touched them."""
    schema.upgrade(office.url)


# On rows.


def test_no_account_of_a_server_changes_a_row_of_the_trail(accounts: dict[str, Database]) -> None:
    """Attacks T1, T2, T3, T4, T5: the application and the signer lack the right, the owner and a superuser run into
    the fences.
    """
    for who, database in accounts.items():
        word = "permission denied" if who in (APP, SIGNER) else "append-only"
        for attack in ON_ROWS:
            assert word in tried(database, attack), (who, attack)


def test_no_account_of_a_server_writes_an_event_out_of_order(accounts: dict[str, Database]) -> None:
    """Attack T6: a gap, a fork and a wrong hash, by those who may add events."""
    with accounts["superuser"].look("test") as work:
        rows = work.rows(select(Event.seq, Event.hash).where(Event.stream == "sys/people").order_by(Event.seq))
    last = rows[-1]
    attacks = [
        event(last["seq"] + 2, last["hash"], stream="sys/people"),
        event(last["seq"] + 1, rows[-2]["hash"], stream="sys/people"),
        event(last["seq"] + 1, last["hash"], stream="sys/people", hash="f" * 64),
    ]
    for who in (APP, "owner", "superuser"):
        for attack in attacks:
            assert "must follow" in tried(accounts[who], lambda db, row=attack: db.execute(insert(Event).values(**row)))  # type: ignore[misc]


def test_no_route_of_the_orm_changes_an_event_for_the_application(accounts: dict[str, Database]) -> None:
    """Attack T8: the nine routes; with a right that somebody granted by mistake they run into the fences."""
    for who, word in ((APP, "permission denied"), ("owner", "append-only")):
        for name, route in ROUTES.items():

            def attack(db: Connection, route: Callable[[Session, Event], object] = route) -> None:
                with Session(bind=db) as session:
                    route(session, session.execute(select(Event).order_by(Event.seq)).scalars().all()[0])
                    session.flush()

            assert word in tried(accounts[who], attack), (who, name)


@pytest.mark.parametrize("again", [False, True])
def test_events_deleted_under_the_seal_are_noticed_by_doctor_and_signer(
    office: Office, sealed: Signer, tmp_path: Path, again: bool
) -> None:
    """Attacks T2, T4: with the fences down, and also when they stand again as if nothing had been."""
    behind_its_back(office, "DELETE FROM event WHERE stream = 'sys/people'" if again else "DELETE FROM event")
    put_up_again(office)
    assert wrong(office, tmp_path) == {"sealed"}
    assert any("does not end where" in each for each in found(office))
    with pytest.raises(Rewritten, match=r"the last event of .* is gone"):
        sealed.seal(office.database)


def test_a_head_that_the_application_sets_back_is_found_and_not_signed(
    office: Office, sealed: Signer
) -> None:
    """Attack T7: where a case stands is its working state, which the application may write; the trail is not."""
    (case,) = (stream.removeprefix("case/") for stream in sealed.state.heads if stream.startswith("case/"))
    first = event_hash(office.look(lambda work: work.db.execute(select(Event.body).where(
        Event.stream == f"case/{case}", Event.seq == 1)).scalar_one()))  # fmt: skip
    with ExitStack() as stack:
        url = office.url
        if not office.database.sqlite:
            with office.database.work("system") as work:
                assert lay_grants(work.db)
            url = stack.enter_context(account(office.url, APP))
        app = stack.enter_context(closing(Database(url, office.clock)))
        with app.work("test") as work:
            work.db.exec_driver_sql(f"UPDATE casefile SET seq = 1, head = '{first}' WHERE id = '{case}'")
    assert any("does not end where" in each for each in found(office, case))
    with pytest.raises(Rewritten, match="events to 1"):
        sealed.seal(office.database)
    with pytest.raises(DBAPIError, match=r"must follow|append-only"):
        office.act("登记员", items.comment, case, "写在中间")


def test_an_event_deleted_in_the_middle_under_the_seal_is_noticed_by_doctor(
    office: Office, sealed: Signer, tmp_path: Path
) -> None:
    """Attack T3: the signer goes on from the end, which is there; doctor counts, and verification names the place."""
    behind_its_back(office, "DELETE FROM event WHERE stream = 'sys/people' AND seq = 2")
    put_up_again(office)
    assert wrong(office, tmp_path) == {"sealed"}
    assert any(each.startswith("sys/people 3 it does not follow") for each in found(office))
    assert sealed.seal(office.database) is None


@pytest.mark.parametrize("how", ["spaced", "escaped", "unordered"])
@pytest.mark.parametrize("hashed", [False, True])
def test_a_body_in_another_writing_is_found(office: Office, how: str, hashed: bool) -> None:
    """Attack T11: the same JSON as a database or a tool would write it, also with its hash computed anew."""
    case = office.start()
    body = office.bodies(case)[1]
    text = {
        "spaced": json.dumps(body, ensure_ascii=False, sort_keys=True),
        "escaped": json.dumps({**body, "process": {**body["process"], "name": "许可"}}, separators=(",", ":")),
        "unordered": json.dumps(dict(sorted(body.items(), reverse=True)), ensure_ascii=False, separators=(",", ":")),
    }[how]
    quoted, digest = text.replace("'", "''"), f", hash = '{event_hash(text)}'" if hashed else ""
    behind_its_back(office, f"UPDATE event SET body = '{quoted}'{digest} WHERE stream = 'case/{case}' AND seq = 2")
    said = found(office, case)
    assert any("2 the body is not canonical JSON" in each for each in said)
    assert any("its hash differs" in each for each in said) is not hashed
    assert any("3 it does not follow" in each for each in said) is hashed


def test_the_body_is_kept_as_text(office: Office) -> None:
    """Attack T11: in a column for JSON the database would write it anew."""
    columns = office.look(lambda work: inspect(work.db).get_columns("event"))
    kind = next(str(each["type"]) for each in columns if each["name"] == "body")
    assert kind.lower() in ("text", "varchar", "character varying")


# On what makes the database refuse.


def test_the_fences_fall_for_the_owner_and_a_superuser_alone_and_doctor_names_it(
    on_postgres: Office, accounts: dict[str, Database], tmp_path: Path
) -> None:
    """Attack T9: triggers switched off, dropped, exchanged; the table renamed or dropped; ways around the triggers."""
    for attack in ON_FENCES:
        for who in (APP, SIGNER):
            assert any(word in tried(accounts[who], attack) for word in ("must be owner", "permission denied"))
        for who in ("owner", "superuser"):
            with accounts[who].engine.connect() as connection, accounts[who].look("test") as work:
                connection.exec_driver_sql(attack)
                work.db = connection
                assert {each.id for each in examine(work, tmp_path) if each.state == "wrong"}, (who, attack)
                connection.rollback()
    assert wrong(on_postgres, tmp_path) == set()


def test_nobody_but_a_superuser_stands_in_for_replication_or_for_the_owner(accounts: dict[str, Database]) -> None:
    """Attack T9: ``session_replication_role`` silences ordinary triggers; ours fire also then."""
    for who in (APP, SIGNER, "owner"):
        assert "permission denied" in tried(accounts[who], "SET session_replication_role = replica")
    for who in (APP, SIGNER):
        user = accounts["owner"].url.username
        assert "permission denied" in tried(accounts[who], f"SET ROLE {user}")
    for attack in ("DELETE FROM event", "TRUNCATE event"):
        assert "append-only" in tried(accounts["superuser"], f"SET session_replication_role = replica; {attack}")


def test_a_partition_that_can_be_emptied_behind_its_parent_is_named(on_postgres: Office, tmp_path: Path) -> None:
    """Attack T9: PostgreSQL gives partitions the triggers for rows of their parent, and not those for TRUNCATE."""
    with on_postgres.database.work("test") as work:
        for statement in (
            "ALTER TABLE event RENAME TO event_before",
            "CREATE TABLE event (LIKE event_before) PARTITION BY LIST (stream)",
            "CREATE TABLE event_rest PARTITION OF event DEFAULT",
            "INSERT INTO event SELECT * FROM event_before",
        ):
            work.db.exec_driver_sql(statement)
        schema.lay_fences(work.db)
        work.db.exec_driver_sql("TRUNCATE event_rest")  # nothing refuses it
        assert work.db.exec_driver_sql("SELECT count(*) FROM event").scalar_one() == 0
        assert any("event.event_rest" in each for each in schema.check_fences(work.db))
    assert wrong(on_postgres, tmp_path) == {"fences"}
    assert found(on_postgres)


@pytest.mark.parametrize("attack", ON_THE_FILE)
def test_whoever_opens_the_file_takes_the_fences_down_and_doctor_names_it(
    new_office: NewOffice, tmp_path: Path, attack: str
) -> None:
    """Attack T9: SQLite has no accounts; also ``writable_schema`` leaves its trace."""
    office = new_office("sqlite")
    office.close()
    copy = tmp_path / "copy.db"
    shutil.copyfile(office.url.removeprefix("sqlite:///"), copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as foreign:
        foreign.executescript(attack)
    with closing(Database(str(copy), office.clock)) as database, database.look("test") as work:
        assert {each.id for each in examine(work, tmp_path) if each.state == "wrong"} <= {"fences", "schema"}
        assert any(each.state == "wrong" for each in examine(work, tmp_path))


def test_what_was_done_while_the_fences_were_down_is_not_signed(
    office: Office, sealed: Signer, tmp_path: Path
) -> None:
    """Attacks T1, T2, T9: by the owner, consistently, and with the fences put up again: doctor sees them stand."""
    (case,) = (stream.removeprefix("case/") for stream in sealed.state.heads if stream.startswith("case/"))
    behind_its_back(office, *rechained(office, case))
    put_up_again(office)
    assert wrong(office, tmp_path) == set()
    with pytest.raises(Rewritten, match="its end was changed"):
        sealed.seal(office.database)
    behind_its_back(office, *rechained(office, case, 2))
    put_up_again(office)
    assert wrong(office, tmp_path) == {"sealed"}
    with pytest.raises(Rewritten, match="events to 2"):
        sealed.seal(office.database)
