"""The tables of personal and secret values: encrypted, each under the key of a person, and the keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base


class SubjectKey(Base):
    """The key of the values that came from one person; destroyed by a lawful erasure."""

    __tablename__ = "subject_key"
    subject: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes]
    at: Mapped[datetime]


class SealedValue(Base):
    """One personal or secret value: a nonce and what AES-256-GCM made of it."""

    __tablename__ = "sealed_value"
    ref: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str]
    subject: Mapped[str]
    field: Mapped[str]
    content: Mapped[bytes]
    __table_args__ = (Index("sealed_value_subject", "subject"),)
