"""The tables of people: who there is, in which roles, who stands in or must stand aside, who failed to sign in."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base


class Person(Base):
    """Somebody, by a pseudonymous id; the name lives only here."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organisation: Mapped[str]
    password: Mapped[str | None]
    language: Mapped[str]
    active: Mapped[bool]


class PersonRole(Base):
    """Who holds which role."""

    __tablename__ = "person_role"
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True, index=True)


class Delegation(Base):
    """A substitute (委托): acts for ``person`` in ``role`` from one day to another, both included."""

    __tablename__ = "delegation"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    substitute: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    reason: Mapped[str]


class Recusal(Base):
    """An interest that was declared or found (回避): in one case, or towards one party in all of them.

    ``salt`` is as in ``RegisterRecord``.
    """

    __tablename__ = "recusal"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    case: Mapped[str | None] = mapped_column(ForeignKey("casefile.id"))
    party: Mapped[str | None]
    reason: Mapped[str]
    declared_by: Mapped[str]
    at: Mapped[datetime]
    salt: Mapped[str | None]


class Attempt(Base):
    """A failed sign-in, kept to slow the next one down."""

    __tablename__ = "attempt"
    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
