"""The table of imported policy texts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from engine.base import Base


class PolicyText(Base):
    """One version of a policy text as it was imported; its bytes are those of ``content`` in UTF-8."""

    __tablename__ = "policy_text"
    code: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    content: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
