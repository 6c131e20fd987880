"""A database is made, brought up to date and checked: on both kinds, once, whoever else tries at the same time."""

from __future__ import annotations

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from engine import migrations, schema
from engine.errors import Unusable
from engine.model import APPEND_ONLY, Base, CaseFile, DocumentContent, Setting
from engine.work import Database, Work

VERSIONS = sorted((Path(migrations.__file__).parent / "versions").glob("revision_*.py"))


def test_the_upgraded_schema_is_what_the_models_say(empty_database_url: str) -> None:
    """When this fails before the first release: ``python -P -m tests.revise first``; afterwards a new revision."""
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url)
    with database.look("test") as work:
        context = MigrationContext.configure(work.db, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert schema.revision(work.db) == schema.newest_revision()
        schema.check(work.db)
    database.close()


def test_the_comparison_would_notice_a_missing_column(empty_database_url: str) -> None:
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url)
    with database.work("test") as work:
        schema.unguard(work.db)
        work.db.execute(text("ALTER TABLE timer DROP COLUMN element"))
        assert "element" in str(compare_metadata(MigrationContext.configure(work.db), Base.metadata))
    database.close()


def test_a_second_upgrade_changes_nothing_and_keeps_the_name_of_the_log(empty_database_url: str) -> None:
    schema.upgrade(empty_database_url)
    before = settings(empty_database_url)
    schema.upgrade(empty_database_url)
    assert settings(empty_database_url) == before
    assert before["log"].startswith("liuhen/")
    assert len(before["log"]) == len("liuhen/") + 16


def test_two_databases_have_two_names(tmp_path: Path) -> None:
    urls = [str(tmp_path / name) for name in ("one.db", "two.db")]
    for url in urls:
        schema.upgrade(url)
    assert settings(urls[0]) != settings(urls[1])


def test_many_may_upgrade_at_once_and_all_succeed(empty_database_url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(schema.upgrade, [empty_database_url] * 6))
    assert len(settings(empty_database_url)) == 1


def test_threads_may_make_different_databases_at_once(tmp_path: Path) -> None:
    urls = [str(tmp_path / f"{number}.db") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(schema.upgrade, urls))
    assert len({settings(url)["log"] for url in urls}) == 8


def test_processes_may_upgrade_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    code = "import sys; from engine import schema; schema.upgrade(sys.argv[1])"
    running = [subprocess.Popen([sys.executable, "-P", "-c", code, str(path)]) for _ in range(3)]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    assert len(settings(str(path))) == 1


def test_an_upgrade_that_fails_leaves_an_empty_database(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise Unusable("试", "tried")

    monkeypatch.setattr(schema, "lay_fences", fail)
    with pytest.raises(Unusable):
        schema.upgrade(empty_database_url)
    monkeypatch.undo()
    schema.upgrade(empty_database_url)
    assert settings(empty_database_url)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty_database_url: str) -> None:
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url)
    with database.work("test") as work:
        work.db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unusable, match="9999"):
        schema.upgrade(empty_database_url)
    with database.look("test") as work, pytest.raises(Unusable, match="9999"):
        schema.check(work.db)
    database.close()


def test_a_database_with_other_tables_is_refused(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with database.work("test") as work:
        schema.unguard(work.db)
        work.db.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(Unusable, match="invoices"):
        schema.upgrade(empty_database_url)
    database.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("这不是数据库。" * 100, encoding="utf-8")
    with pytest.raises(Unusable):
        schema.upgrade(str(path))
    assert path.read_text(encoding="utf-8") == "这不是数据库。" * 100


def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(Unusable, match="cannot be opened"):
        schema.upgrade("postgresql://nobody@127.0.0.1:1/liuhen")


def test_an_empty_database_is_told_to_upgrade_first(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with database.look("test") as work, pytest.raises(Unusable, match="db upgrade"):
        schema.check(work.db)
    database.close()


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_no_revision_drops_renames_copies_or_alters_an_append_only_table(path: Path) -> None:
    """On SQLite each of these copies the table, and its fences are gone for as long as that takes."""
    harmless = {"create_table", "create_index", "add_column", "drop_index", "f"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("op."):
            named = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            call = ast.unparse(node.func).removeprefix("op.")
            assert call in harmless or not any(name in str(named) for name in APPEND_ONLY), ast.unparse(node)


@pytest.mark.parametrize("before", [path.stem.removeprefix("revision_") for path in VERSIONS])
def test_a_filled_database_of_an_earlier_revision_is_upgraded(empty_database_url: str, before: str) -> None:
    from alembic import command

    database = Database(empty_database_url)
    with database.work("test") as work:
        schema.unguard(work.db)
        command.upgrade(schema.config(work.db), before)
        schema.lay_fences(work.db)
        work.db.execute(insert(DocumentContent).values(sha256="0" * 64, content=b"kept"))
    schema.upgrade(empty_database_url)
    with database.look("test") as work:
        schema.check(work.db)
        assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 1
    database.close()


def test_a_case_kept_at_0001_may_afterwards_be_without_an_applicant(empty_database_url: str) -> None:
    """What refers to the case, what it refers to and every other column that must be given stay as they were."""
    database = Database(empty_database_url)
    filed = {"number": "LH-1", "process": "p", "definition": "d", "parameters": "s", "calendar": "1", "title": "t"}
    filed |= {"status": "open", "opened_at": "2025-07-01 01:00:00+00:00", "state": "", "scopes": "", "step": "0"}
    filed |= {"seq": "0", "head": "h", "last_at": "2025-07-01 01:00:00+00:00"}

    def file(work: Work, **given: str | None) -> None:
        row = {**filed, **given}
        put = ", ".join("NULL" if value is None else f"'{value}'" for value in row.values())
        work.db.execute(text(f"INSERT INTO casefile ({', '.join(row)}) VALUES ({put})"))

    with database.work("test") as work:
        schema.migrate(work.db, "0001")
        schema.lay_fences(work.db)
        work.db.execute(text("INSERT INTO person VALUES ('p', 'p', 'p', '', NULL, 'zh', TRUE)"))
        work.db.execute(text("INSERT INTO definition VALUES ('d', 'p', 1, '', '', '', '', '', 'p', '2025-07-01')"))
        work.db.execute(text("INSERT INTO parameter_set VALUES ('s', 1, '2025-07-01', NULL, '{}', '')"))
        file(work, id="a", applicant="p")
        work.db.execute(text("INSERT INTO timer VALUES ('a', 1, 'e', '2025-07-01')"))
    with pytest.raises(IntegrityError), database.work("test") as work:
        file(work, id="b", number="LH-2", applicant=None)
    schema.upgrade(empty_database_url)
    with database.work("test") as work:
        schema.check(work.db)
        file(work, id="b", number="LH-2", applicant=None, parent="a")
        found = select(CaseFile.id, CaseFile.applicant, CaseFile.parent).order_by(CaseFile.id)
        assert [tuple(row) for row in work.db.execute(found)] == [("a", "p", None), ("b", None, "a")]
    for wrong in ({"applicant": "nobody"}, {"number": None}, {"number": "LH-2"}):
        with pytest.raises(IntegrityError), database.work("test") as work:
            file(work, **{"id": "c", "number": "LH-3", **wrong})
    with pytest.raises(IntegrityError), database.work("test") as work:
        work.db.execute(text("DELETE FROM casefile WHERE id = 'a'"))
    database.close()


def settings(url: str) -> dict[str, str]:
    database = Database(url)
    with database.look("test") as work:
        found = {row.name: row.value for row in work.db.execute(select(Setting.name, Setting.value))}
    database.close()
    return found
