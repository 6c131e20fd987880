"""The tables of what begins cases by itself and of signals: who waits for what, and what is on its way to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base


class StartEvent(Base):
    """A start event of the newest version of a process that waits for its trigger.

    ``name`` is that of its message or signal, ``trigger`` what it waits for as the diagram writes it. A timer counts
    from ``since`` and is ``due`` for the ``times``-th time (None: not any more). ``held`` is whether its condition held
    when the clock last looked, ``zh`` and ``en`` why it could not start a case then.
    """

    __tablename__ = "start_event"
    process: Mapped[str] = mapped_column(primary_key=True)
    element: Mapped[str] = mapped_column(primary_key=True)
    definition: Mapped[str] = mapped_column(ForeignKey("definition.id"))
    kind: Mapped[str]
    name: Mapped[str | None]
    trigger: Mapped[str]
    since: Mapped[datetime]
    due: Mapped[datetime | None] = mapped_column(index=True)
    times: Mapped[int]
    held: Mapped[bool]
    zh: Mapped[str | None]
    en: Mapped[str | None]
    __table_args__ = (Index("start_event_name", "kind", "name"),)


class Listener(Base):
    """An event of a case that waits for a signal: rewritten with its state. ``first`` is the token it began to wait as,
    before it came and went on waiting.
    """

    __tablename__ = "listener"
    case: Mapped[str] = mapped_column(ForeignKey("casefile.id"), primary_key=True)
    token: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[int]
    signal: Mapped[str] = mapped_column(index=True)


class Delivery(Base):
    """A signal on its way to one that waited for it when it was thrown: an event of a case, or a start event.

    ``number`` is the order of the signals, ``source`` the case that threw it (none: it was sent from outside) and
    ``generation`` how many signals led to it without anybody doing anything. The row is removed when the signal comes.
    """

    __tablename__ = "delivery"
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(index=True)
    signal: Mapped[str]
    source: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"))
    generation: Mapped[int]
    at: Mapped[datetime]
    case: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"), index=True)
    first: Mapped[int | None]
    definition: Mapped[str | None] = mapped_column(ForeignKey("definition.id"))
    element: Mapped[str | None]
