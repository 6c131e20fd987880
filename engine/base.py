"""What every table is made of: the declarative base with the types of its columns."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, LargeBinary, Table, Text
from sqlalchemy.orm import DeclarativeBase

from engine.instant import Instant


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {str: Text(), datetime: Instant(), bytes: LargeBinary(), date: Date()}


def table(of: type[Base]) -> Table:
    """The table of a class, for statements in Core."""
    found = of.__table__
    assert isinstance(found, Table)
    return found
