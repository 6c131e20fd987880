"""One act of one person at one instant: the only file that opens transactions and the only one that reads a clock."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Insert,
    NestedTransaction,
    String,
    create_engine,
    event,
    insert,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError

from engine.errors import Contended, Unusable, WrongUsage
from engine.fences import BUILDING, only_rows
from engine.model import Base, table

if os.name == "posix":
    import fcntl

BEIJING = ZoneInfo("Asia/Shanghai")
# Statements that every step sends are built once: building one costs more than SQLite needs to carry it out.
INSERTS: dict[type[Base], Insert] = {}

CLOCK = "clock"
SYSTEM = "system"

GIVE_WAY = frozenset({"40P01", "40001"})
"""What PostgreSQL calls a deadlock, and an act that cannot come after one that was quicker."""
TRIES = 5

T = TypeVar("T")


def system_clock() -> datetime:
    """The one reading of the computer's clock, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may arrive twice: its key, the verb, and a hash of what it asked."""

    key: str
    verb: str
    body_hash: str

    @classmethod
    def of(cls, key: str, verb: str, *body: str) -> Request:
        """A request with the hash of its body's parts."""
        return cls(key, verb, hashlib.sha256("\x1f".join(body).encode()).hexdigest())


@dataclass(slots=True)
class Work:
    """What every verb takes: the connection, who acts, the one instant of the decision, and the request's key.

    ``now`` is aware and UTC. ``actor`` is a person's id, ``clock`` or ``system``.
    """

    db: Connection
    actor: str
    now: datetime
    database: Database
    request: Request | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    savepoint: NestedTransaction | None = None

    def mark(self) -> None:
        """From here on, ``undo`` can take back what is written; the last mark counts."""
        if self.savepoint is None:
            self.savepoint = self.db.begin_nested()

    def undo(self) -> None:
        """Take back what was written since ``mark``; nothing where nothing was marked."""
        if self.savepoint is not None:
            self.savepoint.rollback()
            self.savepoint = None

    def settle(self) -> None:
        """What was written since ``mark`` stands."""
        if self.savepoint is not None:
            self.savepoint.commit()
            self.savepoint = None

    def add(self, into: type[Base], *rows: Mapping[str, Any]) -> None:
        """Insert rows into a table, in one statement."""
        if into not in INSERTS:
            INSERTS[into] = insert(table(into))
        self.db.execute(INSERTS[into], rows[0] if len(rows) == 1 else rows)

    def add_once(self, into: type[Base], row: Mapping[str, Any]) -> bool:
        """Insert a row; False if there is one of the same key, also if another act has just made it."""
        inserting = sqlite.insert(into) if self.database.sqlite else postgresql.insert(into)
        key = table(into).primary_key.columns.values()
        done = self.db.execute(inserting.values(**row).on_conflict_do_nothing().returning(*key))
        return done.one_or_none() is not None

    def as_stored(self, column: Any) -> ColumnElement[Any]:
        """A column of instants or days as it is stored, for verifying: text on SQLite, where anything may have been
        written into it.
        """
        return type_coerce(column, String) if self.database.sqlite else column

    def rows(self, query: Executable, **values: Any) -> list[dict[str, Any]]:
        """All rows of a query, as records by column; ``values`` are those of its parameters."""
        result = self.db.execute(query, values)
        names = tuple(result.keys())
        return [dict(zip(names, row, strict=True)) for row in result]

    def row(self, query: Executable, **values: Any) -> dict[str, Any] | None:
        """The one row of a query as a record by column, or None."""
        found = self.rows(query, **values)
        return found[0] if found else None

    @property
    def today(self) -> date:
        """The day it is in Beijing."""
        return self.now.astimezone(BEIJING).date()


class Database:
    """A database by its URL. ``clock`` gives ``now``; scenarios, replay and tests hand in their own."""

    def __init__(self, url: str, clock: Callable[[], datetime] = system_clock) -> None:
        self.url = address(url)
        self.clock = clock
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = connect_lazily(self.url)
        self.caches: dict[str, Any] = {}

    @contextlib.contextmanager
    def work(self, actor: str, request: Request | None = None) -> Iterator[Work]:
        """A transaction that writes: committed on a good end, rolled back on any exception.

        Contended where the database ended it in favour of another one.
        """
        with giving_way(), storable(), self._turn(), self.engine.connect() as connection, connection.begin():
            work = Work(connection, actor, self.clock(), self, request)
            yield work
            work.settle()

    @contextlib.contextmanager
    def look(self, actor: str) -> Iterator[Work]:
        """A transaction that only reads, and never takes a write lock. All it sees is of one instant."""
        with storable(), self.engine.connect() as connection:
            reading = connection.execution_options(liuhen_reads=True)
            if not self.sqlite:
                # Each statement would otherwise see what others have committed since the one before it.
                reading = reading.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield Work(reading, actor, self.clock(), self)
            finally:
                reading.rollback()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for one's turn to write on SQLite: its own busy wait is unfair and starves a waiting process."""
        if not self.sqlite or os.name != "posix" or not self.url.database or self.url.database == ":memory:":
            yield
            return
        handle = os.open(f"{self.url.database}.turn", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextlib.contextmanager
def giving_way() -> Iterator[None]:
    """Contended when the database has let another act go first: two had waited for each other."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in GIVE_WAY:
            raise
        raise Contended from error


def tried_again(act: Callable[[], T]) -> T:
    """Do what opens a transaction, and if it had to give way all of it once more; Contended after a few times."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(Contended):
            return act()
    return act()


@contextlib.contextmanager
def storable() -> Iterator[None]:
    """Say it in a sentence when a text can neither be kept nor looked for: it holds a zero byte or half a letter."""
    try:
        yield
    except (DataError, UnicodeEncodeError) as error:
        if isinstance(error, DataError) and "NUL" not in str(error.orig):
            raise
        raise Unusable(
            "文字含有无法保存的字符（空字符或半个字符）",
            "a text holds a character that cannot be kept: a zero byte or half a letter",
        ) from error


def address(url: str) -> URL:
    """A database URL with the driver Liuhen uses; a plain path means an SQLite file."""
    if "://" not in url:
        return URL.create("sqlite", database=str(Path(url).absolute()))
    try:
        parsed = make_url(url)
    except Exception as error:
        raise WrongUsage(f"数据库地址“{url}”无法识别", f"the database address {url!r} is not a URL") from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return parsed
    raise WrongUsage(
        f"留痕支持 sqlite 和 postgresql，不支持“{parsed.get_backend_name()}”",
        f"Liuhen runs on sqlite and postgresql, not on {parsed.get_backend_name()!r}",
    )


# What is deleted is overwritten in the file (``secure_delete``): a key that an erasure destroyed must be gone from it.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")


def connect_lazily(url: URL) -> Engine:
    """The SQLAlchemy engine, with what makes SQLite durable and its transactions honest.

    An error of the database goes into the log without the values of its statement: they may be personal.
    """
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=10, max_overflow=20, pool_recycle=1800, hide_parameters=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": 60, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, pool_size=10, max_overflow=20, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below opens transactions, not the driver
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.set_authorizer(only_rows)

    @event.listens_for(engine, "checkin")
    def guard_again(connection: Any, record: Any) -> None:
        if record.info.pop(BUILDING, None) and connection is not None:
            connection.set_authorizer(only_rows)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when another has written in between.
        reads = connection.get_execution_options().get("liuhen_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
