"""A dump holds everything as it was at one instant, comes back whole into either kind of database, or not at all."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, inspect, select, text, update

from engine import calendar, documents, registers, schema
from engine.backup import MANIFEST, backup, restore
from engine.errors import Unusable
from engine.model import Base, CaseFile, Definition, Event, Outbox, ParameterSet, Person, Stream
from engine.registers import RegisterKind
from engine.trail.record import Chain, tell
from engine.trail.verify import verify
from engine.work import SYSTEM, Database

NOW = datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC)
KIND = RegisterKind("contract", "台账", "Contracts", ("key",), ("title",))
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40

Make = Callable[..., str]


def filled(url: str) -> Database:
    """A database with something of every kind in it: texts, instants, dates, bytes, a case and one inside it."""
    schema.upgrade(url)
    database = Database(url, clock=lambda: NOW)
    with database.work(SYSTEM) as work:
        calendar.seed(work)
        names = {"login": "甲", "name": "张三\n\u2028\"'\\\x01𠮷", "organisation": "", "language": "zh", "active": True}
        work.db.execute(insert(Person).values(id="p", **names))
        tell(work, "sys/people", "person.added", {"person": "p"})
        kept = {"id": "d", "process": "p", "version": 1, "sha256": "", "name_zh": "", "name_en": "", "kind": "main"}
        work.db.execute(insert(Definition).values(**kept, uses="{}", deployed_by="p", deployed_at=NOW))
        work.db.execute(
            insert(ParameterSet).values(id="s", number=1, effective_from=NOW.date(), values="{}", sha256="")
        )
        for case, parent in (("z", None), ("a", "z"), ("m", "a")):  # a child's id may come before its parent's
            chain = Chain.standing(f"case/{case}")
            chain.add(work, "case.started", {"parent": parent} if parent else {}, actor={"id": "p"})
            chain.add(work, "case.closed", {"outcome": "已登记"})
            file = {"process": "p", "definition": "d", "parameters": "s", "calendar": 1, "title": ""}
            ended = {"status": "closed", "outcome": "已登记", "closed_at": NOW, "last_at": NOW}
            state = {"opened_at": NOW, "state": "", "scopes": "", "step": 0}
            place = {"id": case, "number": f"LH-{case}", "parent": parent, "applicant": None if parent else "p"}
            end = {"seq": chain.seq, "head": chain.head}
            work.db.execute(insert(CaseFile).values(**file, **state, **ended, **place, **end))
            chain.write(work)
        registers.record(work, KIND, "k", {"title": "合同"}, case="a", element="e")
        kept_file = documents.attach(work, "a", "e", "合同.pdf", PDF, "p")
        told = {"document": kept_file.id, "sha256": kept_file.sha256}
        stands = work.db.execute(select(CaseFile.seq, CaseFile.head).where(CaseFile.id == "a")).one()
        chain = Chain.standing("case/a", stands.seq, stands.head, NOW)
        chain.add(work, "document.attached", told)
        work.db.execute(update(CaseFile).where(CaseFile.id == "a").values(seq=chain.seq, head=chain.head))
        chain.write(work)
        about = {"definition": "d", "process": "p", "version": 1, "sha256": "", "uses": {}}
        tell(work, "sys/definitions", "definition.deployed", {**about, "files": []})
        told = {"set": "s", "sha256": hashlib.sha256(b"{}").hexdigest(), "from": NOW.date().isoformat()}
        tell(work, "sys/policy", "parameters.adopted", told)
    return database


@pytest.fixture
def source(new_database: Make) -> Iterator[Database]:
    database = filled(new_database("sqlite", empty=True))
    yield database
    database.close()


def contents(database: Database) -> dict[str, list[Any]]:
    with database.look(SYSTEM) as work:
        return {
            table.name: sorted(map(tuple, work.db.execute(select(table))), key=str)
            for table in Base.metadata.sorted_tables
        }


def heads(database: Database) -> dict[str, tuple[int, str]]:
    """Where every stream ends, but for the one that tells of restorations."""
    with database.look(SYSTEM) as work:
        cases = [
            (f"case/{row.id}", (row.seq, row.head))
            for row in work.db.execute(select(CaseFile.id, CaseFile.seq, CaseFile.head))
        ]
        others = work.db.execute(select(Stream.name, Stream.seq, Stream.head)).all()
    return dict(cases) | {row.name: (row.seq, row.head) for row in others if row.name != "sys/database"}


def is_empty(database: Database) -> bool:
    with database.look(SYSTEM) as work:
        return not inspect(work.db).get_table_names()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_comes_back_is_what_was_there(source: Database, new_database: Make, tmp_path: Path, kind: str) -> None:
    backup(source, tmp_path / "all.zip")
    target = Database(new_database(kind, empty=True), clock=lambda: NOW)
    restore(target, tmp_path / "all.zip")
    before, after = contents(source), contents(target)
    told = [row for row in after["event"] if row[0] == "sys/database"]
    after["event"] = [row for row in after["event"] if row[0] != "sys/database"]
    after["stream"] = [row for row in after["stream"] if row[0] != "sys/database"]
    assert after == before
    assert [row[2] for row in told] == ["backup.restored"]
    with target.look(SYSTEM) as work:
        schema.check(work.db)
        assert verify(work).intact
    target.close()


def test_from_sqlite_to_postgresql_and_back_every_stream_ends_as_it_did(
    source: Database, new_database: Make, tmp_path: Path
) -> None:
    there, back = (Database(new_database(kind, empty=True)) for kind in ("postgresql", "sqlite"))
    backup(source, tmp_path / "one.zip")
    restore(there, tmp_path / "one.zip")
    backup(there, tmp_path / "two.zip")
    restore(back, tmp_path / "two.zip")
    assert heads(source) == heads(there) == heads(back)
    assert len(heads(source)) == 7
    with back.look(SYSTEM) as work:
        assert verify(work).intact
        assert work.db.execute(select(Stream.seq).where(Stream.name == "sys/database")).scalar_one() == 2
        assert registers.find(work, "contract", "k") == {"title": "合同", "key": "k"}
    there.close()
    back.close()


def test_a_restored_database_goes_on(source: Database, new_database: Make, tmp_path: Path) -> None:
    backup(source, tmp_path / "all.zip")
    target = Database(new_database("postgresql", empty=True), clock=lambda: NOW)
    restore(target, tmp_path / "all.zip")
    with target.work(SYSTEM) as work:
        tell(work, "sys/policy", "notice.sent", {})
        assert calendar.newest(work) == 1
    with target.look(SYSTEM) as work:
        assert verify(work).intact
    schema.upgrade(target.url.render_as_string(hide_password=False))
    target.close()


def test_only_an_empty_database_is_filled(source: Database, new_database: Make, tmp_path: Path) -> None:
    backup(source, tmp_path / "all.zip")
    for kind in ("sqlite", "postgresql"):
        url = new_database(kind, empty=True)
        schema.upgrade(url)
        target = Database(url)
        before = contents(target)
        with pytest.raises(Unusable, match="not empty"):
            restore(target, tmp_path / "all.zip")
        assert contents(target) == before
        target.close()


def test_the_file_is_only_for_its_owner_and_replaces_an_older_one(source: Database, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_text("older")
    backup(source, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert zipfile.is_zipfile(path)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_place_that_cannot_be_written_is_a_sentence(source: Database, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be written"):
        backup(source, tmp_path / "missing" / "all.zip")


def test_a_backup_that_fails_leaves_the_older_one(new_database: Make, tmp_path: Path) -> None:
    database = Database(new_database("sqlite", empty=True))
    path = tmp_path / "all.zip"
    path.write_text("older")
    with pytest.raises(Unusable, match="db upgrade"):
        backup(database, path)
    assert path.read_text() == "older"
    assert len([each for each in tmp_path.iterdir() if "zip" in each.name]) == 1
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_dump_is_of_one_instant_while_others_write(new_database: Make, tmp_path: Path, kind: str) -> None:
    """Each act writes a notice and an event together; a dump that has one without the other was not of one instant."""
    database = filled(new_database(kind, empty=True))
    halt = threading.Event()

    def write() -> None:
        while not halt.is_set():
            with database.work(SYSTEM) as work:
                number = work.db.execute(select(func.count()).select_from(Outbox)).scalar_one()
                work.db.execute(insert(Outbox).values(id=f"n{number}", at=NOW, zh="", en=""))
                tell(work, "sys/notices", "notice.sent", {"number": number})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            path = tmp_path / f"{number}.zip"
            backup(database, path)
            with zipfile.ZipFile(path) as dump:
                events = dump.read("event.jsonl").decode().count('"sys/notices",')
                assert events == len(dump.read("outbox.jsonl").splitlines())
    finally:
        halt.set()
        writer.join()
    target = Database(new_database("sqlite", empty=True))
    restore(target, tmp_path / "3.zip")
    target.close()
    database.close()


def changed(path: Path, member: str, change: Callable[[bytes], bytes]) -> Path:
    """The dump with one member changed, as somebody would who packs it again."""
    made = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == member else old.read(name))
    return made


def manifest(**said: Any) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps(json.loads(data) | said).encode()


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a word": ("person.jsonl", lambda data: data.replace("张三".encode(), "李四".encode())),
    "a row gone": ("calendar_day.jsonl", lambda data: b"".join(data.splitlines(keepends=True)[1:])),
    "a row twice": ("person.jsonl", lambda data: data * 2),
    "two rows exchanged": ("calendar_day.jsonl", lambda data: b"".join(sorted(data.splitlines(keepends=True))[::-1])),
    "an event rewritten": ("event.jsonl", lambda data: data.replace("已登记".encode(), "未登记".encode())),
    "half a line": ("event.jsonl", lambda data: data[:-20]),
    "no line break": ("event.jsonl", lambda data: data[:-1]),
    "nothing": ("event.jsonl", lambda _: b""),
    "no JSON": ("person.jsonl", lambda _: b"not json\n"),
    "no list": ("person.jsonl", lambda _: b"{}\n"),
    "a float": ("person.jsonl", lambda data: data.replace(b'"p"', b"1.5", 1)),
    "an unknown tag": ("person.jsonl", lambda data: data.replace(b'"p"', b'{"$code":"x"}', 1)),
    "two tags": ("person.jsonl", lambda data: data.replace(b'"p"', b'{"$date":"x","$bytes":""}', 1)),
    "nested deeply": ("person.jsonl", lambda _: b"[" * 100_000 + b"\n"),
    "no UTF-8": ("person.jsonl", lambda data: data.replace(b'"p"', b'"\xff"', 1)),
    "a huge number": ("definition.jsonl", lambda data: data.replace(b",1,", b",99999999999999999999999,", 1)),
    "a text for an instant": (
        "definition.jsonl",
        lambda data: data.replace(b'{"$instant":"2026', b'{"$instant":"x026'),
    ),
    "a manifest without tables": (MANIFEST, lambda _: b'{"format": 1, "schema": "0001"}'),
    "a manifest that is a list": (MANIFEST, lambda _: b"[]"),
    "an unknown column": (MANIFEST, lambda data: data.replace(b'"login"', b'"logon"')),
    "a column less": (MANIFEST, lambda data: data.replace(b'"login",', b"")),
}


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dump")
    database = filled(str(folder / "source.db"))
    backup(database, folder / "all.zip")
    database.close()
    return folder / "all.zip"


def refused(new_database: Make, path: Path, kind: str = "sqlite") -> str:
    """The refusal's sentence; afterwards the database is still empty and can be filled with a sound dump."""
    target = Database(new_database(kind, empty=True))
    with pytest.raises(Unusable) as refusal:
        restore(target, path)
    assert is_empty(target)
    assert target.caches == {}
    target.close()
    return refusal.value.text.en


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_dump_is_refused_and_nothing_is_written(dump: Path, new_database: Make, damage: str) -> None:
    assert "damaged or incomplete" in refused(new_database, changed(dump, *DAMAGE[damage]))


@pytest.mark.parametrize("damage", ["a word", "a row twice", "a huge number", "a float", "nothing"])
def test_nothing_is_written_on_postgresql_either(dump: Path, new_database: Make, damage: str) -> None:
    assert "damaged or incomplete" in refused(new_database, changed(dump, *DAMAGE[damage]), "postgresql")


def test_a_dump_made_to_look_whole_is_caught_by_the_trail(dump: Path, new_database: Make) -> None:
    """Somebody who edits an event and the manifest's hash cannot make the chain fit."""
    edited = changed(dump, *DAMAGE["an event rewritten"])
    with zipfile.ZipFile(edited) as made:
        fresh = hashlib.sha256(made.read("event.jsonl")).hexdigest()
        old = json.loads(made.read(MANIFEST))["tables"]["event"]["sha256"]
    again = edited.rename(edited.with_name("edited.zip"))
    assert "trail" in refused(
        new_database, changed(again, MANIFEST, lambda data: data.replace(old.encode(), fresh.encode()))
    )


@pytest.mark.parametrize("said", [{"format": 2}, {"schema": "9999"}])
def test_a_dump_of_another_version_is_refused_by_name(dump: Path, new_database: Make, said: dict[str, Any]) -> None:
    assert "another version" in refused(new_database, changed(dump, MANIFEST, manifest(**said)))


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(dump: Path, new_database: Make, tmp_path: Path, part: float) -> None:
    data = dump.read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(data[: int(len(data) * part)])
    refused(new_database, path)


def test_what_is_no_dump_is_refused(new_database: Make, tmp_path: Path) -> None:
    assert "cannot be read" in refused(new_database, tmp_path / "missing.zip")
    assert "cannot be read" in refused(new_database, tmp_path)
    (tmp_path / "text.zip").write_text("not a zip")
    refused(new_database, tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("hello.txt", "hello")
    refused(new_database, tmp_path / "other.zip")


def test_flipped_bits_are_refused_or_change_nothing(dump: Path, new_database: Make, tmp_path: Path, deep: bool) -> None:
    """Bytes that hold nothing (a time stamp of a member) may change; whatever is restored is what was dumped."""
    data, chance = dump.read_bytes(), random.Random(7)
    for number in range(400 if deep else 40):
        broken = bytearray(data)
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        path, target = tmp_path / "flipped.zip", Database(str(tmp_path / f"{number}.db"), clock=lambda: NOW)
        path.write_bytes(broken)
        try:
            restore(target, path)
        except Unusable:
            assert is_empty(target)
        else:
            with target.look(SYSTEM) as work:
                assert verify(work).intact
                assert work.db.execute(select(func.count()).select_from(Event)).scalar_one() == 13
        target.close()


def test_a_process_killed_while_it_restores_leaves_an_empty_database(dump: Path, new_database: Make) -> None:
    """What has not been committed is not there: the next restore finds an empty database."""
    url = new_database("sqlite", empty=True)
    target = Database(url)
    with target.engine.connect() as connection:
        schema.migrate(connection)
        copy = Path(f"{url.removeprefix('sqlite:///')}.killed")
        for ending in ("", "-wal"):
            if Path(f"{url.removeprefix('sqlite:///')}{ending}").exists():
                shutil.copyfile(f"{url.removeprefix('sqlite:///')}{ending}", f"{copy}{ending}")
    target.close()
    left = Database(str(copy))
    assert is_empty(left)
    restore(left, dump)
    with left.look(SYSTEM) as work:
        assert work.db.execute(text("SELECT count(*) FROM casefile WHERE parent IS NOT NULL")).scalar_one() == 2
    left.close()
