"""The tables of oversight: what events tell that people search by, and the searches that a person keeps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base


def _some(column: str, *rest: str) -> Index:
    """An index of the rows that have this column; it holds all that a search by it asks for."""
    there = text(f"{column} IS NOT NULL")
    return Index(f"deed_{column}", column, *rest, sqlite_where=there, postgresql_where=there)


class Deed(Base):
    """What an event tells that is searched by: who did it, for whom, in which role, under which clause, and its marks.

    One row beside each event of which ``deeds`` says so, written with it and compared with its body when the trail is
    verified. ``process`` is that of the case, ``role`` a list with commas, ``marks`` a list between bars.
    """

    __tablename__ = "deed"
    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    actor: Mapped[str]
    behalf: Mapped[str | None]
    process: Mapped[str | None]
    role: Mapped[str | None]
    basis: Mapped[str | None]
    marks: Mapped[str | None]
    __table_args__ = (
        Index("deed_at", "at", "stream"),
        Index("deed_actor", "actor", "at", "stream"),
        _some("behalf", "at", "stream"),
        _some("role", "at", "stream"),
        _some("basis", "at", "stream"),
        _some("marks", "at", "stream", "process"),
    )


class SavedView(Base):
    """A search that somebody keeps under a name; ``asked`` is what its form held (JSON)."""

    __tablename__ = "saved_view"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    asked: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("person", "name"),)
