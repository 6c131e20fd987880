"""Registers (台账): records by key, version by version, never changed; and the gap-free numbers of series.

Any process may record and look up. Which registers there are, and their columns, comes in as ``RegisterKind``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from engine.errors import Incident, Taken
from engine.model import CaseFile, Counter, RegisterRecord
from engine.trail import record as trail
from engine.trail.committing import OF_A_RECORD, committed_row
from engine.work import Work
from forms.values import PersonRef, Value, from_json, to_json
from forms.words import Text

LONGEST_KEY = 500  # characters; PostgreSQL cannot index a text of more than some 2,700 bytes
MOST_TRIES = 10
LONGEST_TEXT = 200  # characters of a value that the database looks for; SQLite takes no pattern of any length

STREAM = "sys/registers"
"""The stream that tells of records which no case writes."""

Record = dict[str, Value]
Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class RegisterKind:
    """A register of the vocabulary: its names, the fields its key is made of, and the columns it may hold by name.

    ``labels`` and ``values`` say what columns and the codes in them are called, where that is written.
    """

    code: str
    zh: str
    en: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    labels: Mapping[str, Text] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of a record as pages and exports show it; ``number`` is that of the case which wrote it."""

    register: str
    key: str
    version: int
    value: Mapping[str, Value]
    case: str | None
    number: str | None
    element: str
    at: datetime


def record(
    work: Work,
    register: RegisterKind,
    key: str,
    value: Mapping[str, Value],
    *,
    case: str | None,
    element: str,
    supersede: str = "own",
    tell: Tell | None = None,
    said: str = "",
) -> Record:
    """Write a new version of a record: the old one with these columns put in. Gives the whole of it with its ``key``.

    ``tell`` is given what the trail of the case tells of it; without it, that is told in a stream of its own.
    Taken: the key was last written by another case, and ``supersede`` is not ``any``; the sentence names that case.
    Incident: there is no such column, or the key is no key. ``said`` is how sentences name a key that is not shown.
    """
    said = said or key
    _refuse_unsound(register, key, value, supersede, said)
    for _ in range(MOST_TRIES):
        last = _last(work, register.code, key)
        if last is not None and last.case != case and supersede != "any":
            raise _taken(register, said, last)
        merged: Record = {**(last.value if last else {}), **value}
        about = {"register": register.code, "key": key, "version": last.version + 1 if last else 1}
        new = {**about, "value": to_json(merged), "case": case, "element": element, "at": work.now}
        row, commit = committed_row({"id": uuid.uuid4().hex, **new}, OF_A_RECORD)
        if _insert(work, row):
            told = {**about, "record": row["id"], "commit": commit}
            (tell or partial(trail.tell, work, STREAM, "register.recorded"))(told)
            return {**merged, "key": key}
        # Another act wrote this version first and has committed; now its record can be read.
    raise _taken(register, said, None)


def find(work: Work, register: str, key: str) -> Record | None:
    """The latest version of a record, with its ``key``; None if there is none."""
    last = _last(work, register, key)
    return None if last is None else {**last.value, "key": key}


def records(work: Work, register: str) -> list[Record]:
    """The latest version of every record of a register, each with its ``key``, in the order of the keys."""
    return [{**entry.value, "key": entry.key} for entry in browse(work, register)]


def records_with(work: Work, register: str, column: str, value: int | str | PersonRef) -> list[Record]:
    """Those of ``records`` that have this value in a column; the database looks for its text, so that few are read."""
    text = to_json({column: value})[1:-1][:LONGEST_TEXT]
    query = _newest(register).where(RegisterRecord.value.contains(text, autoescape=True))
    found = [_entry(row) for row in work.db.execute(query.order_by(RegisterRecord.key))]
    return [{**each.value, "key": each.key} for each in found if each.value.get(column) == value]


def browse(work: Work, register: str, *, words: str = "", offset: int = 0, limit: int | None = None) -> list[Entry]:
    """The latest version of every record whose key or value holds these words, in the order of the keys."""
    query = _newest(register)
    if words:
        query = query.where(_holds(words))
    query = query.order_by(RegisterRecord.key).offset(offset).limit(limit)
    return [_entry(row) for row in work.db.execute(query)]


def in_batches(
    work: Work, register: str, *, words: str = "", every: bool = False, size: int = 500
) -> Iterator[list[Entry]]:
    """The records that ``browse`` finds, a few at a time; with ``every`` all their versions, the first one first."""
    later = aliased(RegisterRecord)
    newest = select(later.key, func.max(later.version).label("version")).where(later.register == register)
    top = newest.group_by(later.key).subquery()
    found = select(RegisterRecord.key).join(
        top, (top.c.key == RegisterRecord.key) & (top.c.version == RegisterRecord.version)
    )
    found = found.where(RegisterRecord.register == register)
    if words:
        found = found.where(_holds(words))
    query = _entries().where(RegisterRecord.register == register, RegisterRecord.key.in_(found))
    if not every:
        query = query.join(top, (top.c.key == RegisterRecord.key) & (top.c.version == RegisterRecord.version))
    query = query.order_by(RegisterRecord.key, RegisterRecord.version).limit(size)
    entries = [_entry(row) for row in work.db.execute(query)]
    while entries:
        yield entries
        key, version = entries[-1].key, entries[-1].version
        after = (RegisterRecord.key > key) | ((RegisterRecord.key == key) & (RegisterRecord.version > version))
        entries = [_entry(row) for row in work.db.execute(query.where(after))] if len(entries) == size else []


def _holds(words: str) -> ColumnElement[bool]:
    held = RegisterRecord.key.contains(words, autoescape=True)
    return held | RegisterRecord.value.contains(words, autoescape=True)


def count(work: Work, register: str) -> int:
    """How many records a register has."""
    query = select(func.count(RegisterRecord.key.distinct())).where(RegisterRecord.register == register)
    return int(work.db.execute(query).scalar_one())


def history(work: Work, register: str, key: str) -> list[Entry]:
    """Every version of one record, the first one first."""
    query = _entries().where(RegisterRecord.register == register, RegisterRecord.key == key)
    return [_entry(row) for row in work.db.execute(query.order_by(RegisterRecord.version))]


def written_by(work: Work, register: str, case: str) -> list[Record]:
    """The latest version of every record that a case wrote into a register, each with its ``key``."""
    query = _entries().where(RegisterRecord.register == register, RegisterRecord.case == case)
    found = {row.key: _entry(row) for row in work.db.execute(query.order_by(RegisterRecord.version))}
    return [{**entry.value, "key": entry.key} for _, entry in sorted(found.items())]


def draw(work: Work, series: str, today: date) -> str:
    """The next number of a series in this year, such as ``BJ-JS-2026-00001``.

    The numbers have no gaps: who draws one holds the series until the act is over, and an act taken back gives it back.
    """
    if not series.strip():
        raise Incident("编号没有写明系列", "a number needs the name of its series")
    insert_ = sqlite.insert(Counter) if work.database.sqlite else postgresql.insert(Counter)
    drawn = (
        insert_.values(series=f"{series}-{today.year}", value=1)
        .on_conflict_do_update(index_elements=["series"], set_={"value": Counter.value + 1})
        .returning(Counter.value)
    )
    return f"{series}-{today.year}-{work.db.execute(drawn).scalar_one():05d}"


def _refuse_unsound(
    register: RegisterKind, key: str, value: Mapping[str, Value], supersede: str, said: str
) -> None:
    unknown = [column for column in value if column not in register.columns]
    if unknown:
        raise Incident(
            f"{register.zh}没有“{'、'.join(unknown)}”这一栏，只有“{'、'.join(register.columns)}”",
            f"the register {register.en!r} has no column {', '.join(unknown)}, only {', '.join(register.columns)}",
        )
    if not key.strip() or len(key) > LONGEST_KEY or "\0" in key:
        raise Incident(
            f"{register.zh}的键应为 1 至 {LONGEST_KEY} 字，得到“{said[:50]}”",
            f"a key of the register {register.en!r} has 1 to {LONGEST_KEY} characters, but this is {said[:50]!r}",
        )
    if supersede not in {"own", "any"}:
        raise Incident(f"supersede 应为 own 或 any，得到“{supersede}”", f"supersede is own or any, not {supersede!r}")


def _taken(register: RegisterKind, key: str, last: Entry | None) -> Taken:
    number = last.number if last else None
    by = Text(f"由案卷 {number} ", f"by the case {number}") if number else Text("", "elsewhere")
    return Taken(
        f"{register.zh}中已有“{key}”，{by.zh}登记在先，不能重复登记",
        f"the register {register.en!r} already holds {key!r}, recorded {by.en}; it cannot be recorded twice",
        register=register.code,
        key=key,
        case=last.case if last else None,
        number=number,
    )


def _insert(work: Work, row: Mapping[str, Any]) -> bool:
    """Write the row; False if another act has written this version meanwhile, which only happens on PostgreSQL.

    There the statement waits until the other act is over. It must not fail: then nothing more could be read.
    """
    if work.database.sqlite:
        work.db.execute(insert(RegisterRecord).values(**row))
        return True
    careful = postgresql.insert(RegisterRecord).values(**row).on_conflict_do_nothing(constraint="register_record_once")
    return work.db.execute(careful.returning(RegisterRecord.id)).one_or_none() is not None


def _last(work: Work, register: str, key: str) -> Entry | None:
    query = _entries().where(RegisterRecord.register == register, RegisterRecord.key == key)
    row = work.db.execute(query.order_by(RegisterRecord.version.desc()).limit(1)).one_or_none()
    return None if row is None else _entry(row)


def _newest(register: str) -> Select[Any]:
    later = aliased(RegisterRecord)
    newest = (
        select(func.max(later.version))
        .where(later.register == RegisterRecord.register, later.key == RegisterRecord.key)
        .scalar_subquery()
    )
    return _entries().where(RegisterRecord.register == register, RegisterRecord.version == newest)


def _entries() -> Select[Any]:
    columns = [column for column in RegisterRecord.__table__.columns if column.name != "id"]
    return select(*columns, CaseFile.number).join(CaseFile, CaseFile.id == RegisterRecord.case, isouter=True)


def _entry(row: Any) -> Entry:
    value = from_json(row.value)
    assert isinstance(value, dict)
    return Entry(row.register, row.key, row.version, value, row.case, row.number, row.element, row.at)
