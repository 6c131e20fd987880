"""The doctor says what protects the trail and what does not; on PostgreSQL roles keep every account in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from engine import cases, items
from engine.cli import main
from engine.doctor import STALE, examine
from engine.grants import APP, SIGNER, lay_grants
from engine.trail.sealing import Sealing
from engine.trail.signer import Signer
from engine.work import Database
from tests.office import ANSWERS, NewOffice, Office
from tests.test_trail import behind_its_back

pytest_plugins = ["tests.furnished"]


def states(office: Office, folder: Path) -> dict[str, str]:
    with office.database.look("system") as work:
        return {each.id: each.state for each in examine(work, folder)}


def test_a_new_installation_is_told_what_it_lacks(office: Office, tmp_path: Path) -> None:
    found = states(office, tmp_path)
    assert found["schema"] == found["fences"] == "ok"
    assert found["roles"] == found["seal"] == "missing"


def test_a_fence_that_is_down_is_wrong(office: Office, tmp_path: Path) -> None:
    behind_its_back(office, "UPDATE person SET name = name")
    assert states(office, tmp_path)["fences"] == "wrong"


def test_a_signer_that_stands_still_is_wrong(office: Office, tmp_path: Path) -> None:
    with office.database.look("system") as work:
        sealing = Sealing(office.database, Signer.of(work, tmp_path / "signer"))
    sealing.once()
    assert states(office, tmp_path / "signer")["seal"] == "ok"
    case = office.start()
    assert states(office, tmp_path / "signer")["seal"] == "ok"
    office.later(seconds=STALE.total_seconds() + 1)
    assert states(office, tmp_path / "signer")["seal"] == "wrong"
    sealing.once()
    assert states(office, tmp_path / "signer")["seal"] == "ok"
    assert states(office, tmp_path / "signer")["key"] == "missing"
    (tmp_path / "signer" / "key.pem").chmod(0o644)
    assert states(office, tmp_path / "signer")["key"] == "wrong"
    office.act("登记员", items.comment, case, "x")


def test_the_command_says_it_in_both_languages_and_fails_when_something_is_wrong(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIUHEN_SIGNER", str(tmp_path))
    good = CliRunner().invoke(main, ["--database", office.url, "doctor", "--json"])
    assert good.exit_code == 0 and "围栏" in good.stdout and "fences" in good.stdout
    behind_its_back(office, "UPDATE person SET name = name")
    bad = CliRunner().invoke(main, ["--database", office.url, "doctor"])
    assert bad.exit_code == 1 and "fences are down" in bad.stdout


# Roles of PostgreSQL.


@contextmanager
def account(url: str, role: str) -> Iterator[str]:
    """A new account that is granted this role; gives the address to connect with."""
    name = f"test_{role}_{urlsplit(url).path.strip('/')}"[:60].lower().replace("-", "_")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"DROP ROLE IF EXISTS {name}")
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' IN ROLE {role}")
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    try:
        yield urlunsplit(parts._replace(netloc=f"{name}:x@{where}"))
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(f"DROP ROLE IF EXISTS {name}")


@pytest.fixture
def office_on_postgres(new_office: NewOffice) -> Office:
    office = new_office("postgresql")
    with office.database.work("system") as work:
        assert lay_grants(work.db)
    return office


def test_an_account_of_the_application_works_and_cannot_touch_the_trail(
    office_on_postgres: Office, tmp_path: Path
) -> None:
    office = office_on_postgres
    with account(office.url, APP) as url, closing(Database(url, office.clock)) as database:
        with cases.acting(database, office.who["甲"]) as work:
            case = cases.start(work, "permit", ANSWERS["apply"])
        with database.look("system") as work:
            assert {each.id: each.state for each in examine(work, tmp_path)}["roles"] == "ok"
        for statement in (
            f"UPDATE event SET actor = 'x' WHERE stream = 'case/{case}'",
            "DELETE FROM event",
            "TRUNCATE event",
            "TRUNCATE submission CASCADE",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "DROP TRIGGER event_follows ON event",
            "DROP TABLE event CASCADE",
            "SET session_replication_role = replica",
            "INSERT INTO epoch VALUES (1, 'x', 'x', 'x', now())",
            "DELETE FROM epoch",
        ):
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), database.work("system") as work:
                work.db.exec_driver_sql(statement)


def test_an_account_of_the_signer_seals_and_writes_nothing_else(office_on_postgres: Office, tmp_path: Path) -> None:
    office = office_on_postgres
    case = office.start()
    with account(office.url, SIGNER) as url, closing(Database(url, office.clock)) as database:
        with database.look("system") as work:
            signer = Signer.of(work, tmp_path / "signer")
        assert signer.seal(database) == 1
        for statement in (
            "INSERT INTO comment SELECT * FROM comment",
            f"UPDATE casefile SET head = '' WHERE id = '{case}'",
            "DELETE FROM epoch",
            "UPDATE epoch SET note = ''",
        ):
            with pytest.raises(DBAPIError, match="permission denied"), database.work("system") as work:
                work.db.exec_driver_sql(statement)


def test_an_account_that_may_not_make_roles_lays_none(office_on_postgres: Office) -> None:
    with (
        account(office_on_postgres.url, APP) as url,
        closing(Database(url)) as database,
        database.work("system") as work,
    ):
        assert not lay_grants(work.db)


def test_without_a_schema_doctor_and_signer_say_what_to_do(empty_database_url: str, tmp_path: Path) -> None:
    for command in (["doctor"], ["signer", "--once", "--folder", str(tmp_path)]):
        done = CliRunner().invoke(main, ["--database", empty_database_url, *command])
        assert done.exit_code in (1, 2) and "db upgrade" in done.output
