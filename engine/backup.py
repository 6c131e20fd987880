"""One logical dump of a whole database, and its way back into an empty one of either kind, all of it or nothing.

A dump is a zip: for each table a member ``<table>.jsonl`` with one JSON array for each row, and last ``manifest.json``
with the revision of the schema and, for each table, its columns, the number of its rows and the SHA-256 of its member.
It holds names, answers and password hashes, so only its owner may read the file.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, LargeBinary, Table, bindparam, insert, inspect, select, update
from sqlalchemy.exc import StatementError

from engine import schema
from engine.catching_up import catch_up
from engine.errors import Unusable, WrongUsage
from engine.grants import lay_grants
from engine.model import Base
from engine.trail.record import tell
from engine.trail.verify import verify
from engine.work import SYSTEM, Database, Work
from forms.values import instant_text

FORMAT = 1
MANIFEST = "manifest.json"
LONGEST_LINE = 100_000_000  # bytes
ROWS_AT_ONCE, FILES_AT_ONCE = 1_000, 4

Row = dict[str, Any]


def backup(database: Database, path: Path) -> None:
    """Write everything in the database, as it was at one instant, to a file; an older file of that name is replaced.

    Unusable: the database is not of this version, or the file cannot be written.
    """
    try:
        with _finished(path) as target, database.look(SYSTEM) as work:
            if not database.sqlite:
                # Each statement would otherwise see what others have committed since the one before it.
                work.db.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            _write(work, target)
    except OSError as error:
        said = error.strerror or str(error)
        raise Unusable(
            f"无法写入备份“{path}”：{said}", f"the backup {str(path)!r} cannot be written: {said}"
        ) from error


def restore(database: Database, path: Path) -> None:
    """Fill an empty database with a dump: tables, rows, fences; then verify the trail and tell it of the restoration.

    Unusable, and nothing is written: the database is not empty; the file is damaged, incomplete or of a newer version.
    """
    try:
        with zipfile.ZipFile(path) as source, database.work(SYSTEM) as work:
            schema.lock(work.db)
            if tables := inspect(work.db).get_table_names():
                raise Unusable(
                    f"数据库不是空的（已有 {tables[0]} 等表），只能恢复到空的数据库",
                    f"the database is not empty (it has {tables[0]}, …); a backup is restored into an empty one",
                )
            _read(work, source, path)
    except OSError as error:
        said = error.strerror or str(error)
        raise WrongUsage(f"无法读取备份“{path}”：{said}", f"the backup {str(path)!r} cannot be read: {said}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(path, str(error)) from error
    except RuntimeError as error:  # an encrypted member, an unknown compression, JSON nested too deeply
        raise _damaged(path, str(error)) from error
    except StatementError as error:
        if error.statement is None:
            raise Unusable(f"无法打开数据库：{error.orig}", f"the database cannot be opened: {error.orig}") from error
        raise _damaged(path, str(error.orig)) from error
    finally:
        database.caches.clear()  # of what was read before it was taken back


def _damaged(path: Path, why: str) -> Unusable:
    return WrongUsage(
        f"备份“{path}”已损坏或不完整（{why}），没有恢复任何内容",
        f"the backup {str(path)!r} is damaged or incomplete ({why}); nothing was restored",
    )


# Out


@contextlib.contextmanager
def _finished(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip that appears under its name only when it is whole and on the disk."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
                yield target
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _write(work: Work, target: zipfile.ZipFile) -> None:
    found = schema.revision(work.db)
    if found != schema.newest_revision():
        raise Unusable(
            f"数据库结构是 {found or '空的'}，请先运行 db upgrade",
            f"the schema of the database is {found or 'empty'}; run db upgrade first",
        )
    tables = {table.name: _write_table(work.db, table, target) for table in Base.metadata.sorted_tables}
    manifest = {"format": FORMAT, "schema": found, "made": instant_text(work.now), "tables": tables}
    target.writestr(MANIFEST, json.dumps(manifest, indent=1))


def _write_table(connection: Connection, table: Table, target: zipfile.ZipFile) -> Row:
    """Write one table, a few rows in memory at a time; gives what the manifest says of it."""
    columns = table.columns.keys()
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_at_once(table))
    whole, rows = hashlib.sha256(), 0
    with target.open(f"{table.name}.jsonl", "w", force_zip64=True) as member:
        for row in connection.execute(query):
            line = json.dumps([_told(value) for value in row], ensure_ascii=False, separators=(",", ":")) + "\n"
            data = line.encode()
            member.write(data)
            whole.update(data)
            rows += 1
    return {"columns": columns, "rows": rows, "sha256": whole.hexdigest()}


def _told(value: Any) -> Any:
    """A stored value as JSON, tagged where JSON has no such kind."""
    match value:
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"$instant": instant_text(value)}
        case date():
            return {"$date": value.isoformat()}
    return value


# In


def _read(work: Work, source: zipfile.ZipFile, path: Path) -> None:
    manifest = json.loads(source.read(MANIFEST))
    if manifest["format"] != FORMAT or manifest["schema"] not in schema.known_revisions():
        raise Unusable(
            f"备份“{path}”由其他版本写成（格式 {manifest['format']}，结构 {manifest['schema']}），请用该版本恢复",
            f"the backup {str(path)!r} was written by another version (format {manifest['format']},"
            f" schema {manifest['schema']}); restore it with that one",
        )
    schema.migrate(work.db, manifest["schema"])
    for table in Base.metadata.sorted_tables:
        if table.name in manifest["tables"]:
            _read_table(work.db, table, source, manifest["tables"][table.name])
    schema.migrate(work.db)
    schema.lay_fences(work.db)
    lay_grants(work.db)
    catch_up(work)
    # A stream of its own: every other stream ends exactly where it ended when the dump was made.
    about = {"made": manifest["made"], "schema": manifest["schema"], "events": manifest["tables"]["event"]["rows"]}
    tell(work, "sys/database", "backup.restored", about)
    verdict = verify(work)
    if verdict.flaws:
        flaw = verdict.flaws[0]
        raise Unusable(
            f"备份“{path}”的轨迹不完整，没有恢复任何内容：{flaw.stream}：{flaw.text.zh}",
            f"the trail in the backup {str(path)!r} is broken, nothing was restored: {flaw.stream}: {flaw.text.en}",
        )


def _read_table(connection: Connection, table: Table, source: zipfile.ZipFile, said: Mapping[str, Any]) -> None:
    columns: list[str] = said["columns"]
    if unknown := set(columns) - set(table.columns.keys()):
        raise ValueError(f"{table.name}: {', '.join(sorted(unknown))}?")
    # A row may point to a later row of its own table, so these references are put in when all rows are there.
    inner = [key.parent.name for key in table.foreign_keys if key.column.table is table and key.parent.name in columns]
    held: list[Row] = []
    whole, rows = hashlib.sha256(), 0
    with source.open(f"{table.name}.jsonl") as member:
        lines = _lines(member, whole)
        while some := [_row(line, columns) for line in islice(lines, _at_once(table))]:
            rows += len(some)
            held += [_held_back(row, inner) for row in some if any(row[name] is not None for name in inner)]
            connection.execute(insert(table), some)
    if (rows, whole.hexdigest()) != (said["rows"], said["sha256"]):
        raise ValueError(f"{table.name}: SHA-256")
    if held:
        references: Row = {name: bindparam(f"held_{name}") for name in inner}
        connection.execute(update(table).where(table.c.id == bindparam("held_id")).values(**references), held)


def _held_back(row: Row, inner: list[str]) -> Row:
    """The references of a row into its own table, taken out of it."""
    held = {f"held_{name}": row[name] for name in ("id", *inner)}
    row.update(dict.fromkeys(inner))
    return held


def _at_once(table: Table) -> int:
    """How many rows to hold in memory: few of those that hold files."""
    return FILES_AT_ONCE if any(isinstance(each.type, LargeBinary) for each in table.columns) else ROWS_AT_ONCE


def _lines(member: IO[bytes], whole: Any) -> Iterator[bytes]:
    while line := member.readline(LONGEST_LINE):
        whole.update(line)
        yield line


def _row(line: bytes, columns: list[str]) -> Row:
    values = json.loads(line)
    if not line.endswith(b"\n") or not isinstance(values, list) or len(values) != len(columns):
        raise ValueError("a line is not whole")
    return {column: _meant(value) for column, value in zip(columns, values, strict=True)}


def _meant(value: Any) -> Any:
    """The stored value again; ValueError, KeyError or TypeError for what ``_told`` never wrote."""
    if isinstance(value, float | list):
        raise TypeError(f"{type(value).__name__}?")
    if not isinstance(value, dict):
        return value
    [(tag, said)] = value.items()
    match tag:
        case "$bytes":
            return base64.b64decode(said, validate=True)
        case "$instant":
            return datetime.fromisoformat(said)
        case "$date":
            return date.fromisoformat(said)
    raise ValueError(tag)
