"""The tables, one class each, and what of them may never change. Statements live with the acts that need them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base, table
from engine.model_oversight import Deed, SavedView
from engine.model_people import Attempt, Delegation, Person, PersonRole, Recusal
from engine.model_personal import SealedValue, SubjectKey
from engine.model_policies import PolicyText
from engine.model_starts import Delivery, Listener, StartEvent
from engine.trail.tables import Anchor, Epoch, EpochHead, Halt, Job, SealRequest

__all__ = [
    "APPEND_ONLY", "Anchor", "Attempt", "Base", "CalendarDay", "CaseFile", "Comment", "Counter", "Deed", "Definition",
    "DefinitionFile", "Delegation", "Delivery", "Document", "DocumentContent", "Epoch", "EpochHead", "Event", "Halt",
    "Job", "Listener", "Outbox", "ParameterSet", "Person", "PersonRole", "PolicyText", "Recusal", "RegisterRecord",
    "Request", "SavedView", "SealRequest", "SealedValue", "Setting", "Standstill", "StartEvent", "Stream",
    "SubjectKey", "Submission", "Task", "Timer", "table",
]  # fmt: skip


class Setting(Base):
    """What this database is: the name its trail is written under. Never changes."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Definition(Base):
    """One deployed version of a process. ``uses`` fixes the version of every process it calls (JSON)."""

    __tablename__ = "definition"
    id: Mapped[str] = mapped_column(primary_key=True)
    process: Mapped[str]
    version: Mapped[int]
    sha256: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    uses: Mapped[str]
    deployed_by: Mapped[str]
    deployed_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("process", "version"),)


class DefinitionFile(Base):
    """One file of a deployed version, as it was."""

    __tablename__ = "definition_file"
    definition: Mapped[str] = mapped_column(ForeignKey("definition.id"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    content: Mapped[bytes]


class ParameterSet(Base):
    """One adopted set of parameter values (JSON), with the case that adopted it (none: as shipped)."""

    __tablename__ = "parameter_set"
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    effective_from: Mapped[date]
    adopted_by: Mapped[str | None]
    values: Mapped[str]
    sha256: Mapped[str]


class CaseFile(Base):
    """One case (卷宗). ``state`` and ``scopes`` are the runtime's; ``seq`` and ``head`` are where its trail stands.

    ``status`` is open, suspended or closed; ``stopped_at`` and ``stopped_for`` say since when and why it is suspended.
    ``amount_fen`` repeats one of its variables (see ``amount``). ``salt`` (also of register records and recusals)
    is that of the trail's commitment to the row, see ``trail.committing``; None: it is older than such commitments.
    """

    __tablename__ = "casefile"
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    process: Mapped[str]
    definition: Mapped[str] = mapped_column(ForeignKey("definition.id"))
    parameters: Mapped[str] = mapped_column(ForeignKey("parameter_set.id"))
    calendar: Mapped[int]
    title: Mapped[str]
    status: Mapped[str]
    outcome: Mapped[str | None]
    applicant: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    parent: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    stopped_for: Mapped[str | None]
    state: Mapped[str]
    scopes: Mapped[str]
    step: Mapped[int]
    seq: Mapped[int]
    head: Mapped[str]
    last_at: Mapped[datetime]
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    salt: Mapped[str | None]
    __table_args__ = (
        Index("casefile_amount", "amount_fen"),
        Index("casefile_opened", "opened_at"),
        Index("casefile_status", "status", "process"),
        Index("casefile_applicant", "applicant"),
        Index("casefile_parent", "parent"),
    )


class Request(Base):
    """A request that was carried out, and the answer it got: the same key is answered the same way again."""

    __tablename__ = "request"
    key: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    verb: Mapped[str]
    body_hash: Mapped[str]
    answer: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class RegisterRecord(Base):
    """One version of one record of a register (台账), with the case and element that wrote it."""

    __tablename__ = "register_record"
    id: Mapped[str] = mapped_column(primary_key=True)
    register: Mapped[str]
    key: Mapped[str]
    version: Mapped[int]
    value: Mapped[str]
    case: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"), index=True)
    element: Mapped[str]
    at: Mapped[datetime]
    salt: Mapped[str | None]
    __table_args__ = (UniqueConstraint("register", "key", "version", name="register_record_once"),)


class Task(Base):
    """The inbox: one row for each work item, written with the state and never a second truth.

    ``id`` is the case's id, a dot and the token. ``roles`` and ``excluded`` are lists between bars (``|registrar|``).
    ``prefill`` are the answers its form opens with in a case that another case started, ``overran_on`` the day on which
    it was told that its due day had passed.
    """

    __tablename__ = "task"
    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("casefile.id"))
    token: Mapped[int]
    process: Mapped[str]
    element: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    form: Mapped[str]
    roles: Mapped[str]
    assignees: Mapped[str]
    excluded: Mapped[str]
    claimed_by: Mapped[str | None]
    due: Mapped[date | None]
    provisional: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    closed_how: Mapped[str | None]
    draft: Mapped[str | None]
    prefill: Mapped[str | None]
    overran_on: Mapped[date | None]
    __table_args__ = (
        Index("task_open", "due", sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
        Index("task_case", "case"),
        Index("task_closed", "closed_by", "closed_at"),
    )


class Submission(Base):
    """An answer as it was given, revision by revision. ``commitment`` is what the trail knows of it."""

    __tablename__ = "submission"
    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("casefile.id"))
    task: Mapped[str | None]
    process: Mapped[str]
    element: Mapped[str]
    round: Mapped[int]
    person: Mapped[str]
    on_behalf_of: Mapped[str | None]
    at: Mapped[datetime]
    answer: Mapped[str]
    salt: Mapped[str]
    commitment: Mapped[str]
    __table_args__ = (Index("submission_case", "case", "element"), Index("submission_person", "person"))


class Timer(Base):
    """When somebody must look at a case again: rewritten with its state, never locked."""

    __tablename__ = "timer"
    case: Mapped[str] = mapped_column(ForeignKey("casefile.id"), primary_key=True)
    token: Mapped[int] = mapped_column(primary_key=True)
    element: Mapped[str]
    due: Mapped[datetime] = mapped_column(index=True)


class Standstill(Base):
    """An incident: where a case stands still because an automatic step could not be done, and since when.

    ``next_try`` is when the clock tries it again by itself; None: only a person does. ``skip_by`` is the first of the
    two people who may let the case go on without the step.
    """

    __tablename__ = "incident"
    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("casefile.id"), index=True)
    element: Mapped[str]
    zh: Mapped[str]
    en: Mapped[str]
    at: Mapped[datetime]
    tries: Mapped[int]
    next_try: Mapped[datetime | None] = mapped_column(index=True)
    skip_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    closed_how: Mapped[str | None]


class Outbox(Base):
    """A notice to a role or a person, kept with the step that sent it."""

    __tablename__ = "outbox"
    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"), index=True)
    role: Mapped[str | None]
    person: Mapped[str | None]
    at: Mapped[datetime]
    zh: Mapped[str]
    en: Mapped[str]


class Document(Base):
    """A file somebody attached or the engine issued; its bytes are kept once, under their hash.

    One of a personal or secret field is kept encrypted: ``sealed`` is the private value that tells its name and what
    its bytes are, ``sha256`` is of what the encryption made of them.
    """

    __tablename__ = "document"
    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"), index=True)
    element: Mapped[str]
    name: Mapped[str]
    media: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("document_content.sha256"))
    uploaded_by: Mapped[str]
    at: Mapped[datetime]
    late: Mapped[bool]
    sealed: Mapped[str | None]


class DocumentContent(Base):
    """Bytes by their SHA-256."""

    __tablename__ = "document_content"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class Comment(Base):
    """A remark on a case; the trail holds only a salted commitment to its text."""

    __tablename__ = "comment"
    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("casefile.id"), index=True)
    person: Mapped[str]
    at: Mapped[datetime]
    words: Mapped[str]
    salt: Mapped[str]


class Stream(Base):
    """Where the trail of a stream that is not a case stands."""

    __tablename__ = "stream"
    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    head: Mapped[str]
    last_at: Mapped[datetime]


class Event(Base):
    """One thing that happened. ``body`` is the canonical text that was hashed; the other columns repeat parts of it."""

    __tablename__ = "event"
    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor: Mapped[str]
    element: Mapped[str | None]
    at: Mapped[datetime]
    body: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    __table_args__ = (Index("event_kind", "kind", "at"),)


class CalendarDay(Base):
    """Whether a day is a working day, and on whose word. A later row for the same day supersedes an earlier one."""

    __tablename__ = "calendar_day"
    version: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    source: Mapped[str]
    note: Mapped[str]


class Counter(Base):
    """Gap-free numbers by series; the row is locked by the step that draws one."""

    __tablename__ = "counter"
    series: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


APPEND_ONLY = (
    "setting",
    "definition",
    "definition_file",
    "parameter_set",
    "register_record",
    "submission",
    "document",
    "document_content",
    "comment",
    "event",
    "deed",
    "calendar_day",
    "epoch",
    "epoch_head",
    "anchor",
    "policy_text",
    "sealed_value",
)
"""Tables whose rows are never changed or removed: the database itself refuses it (see ``schema``)."""
