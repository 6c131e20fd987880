"""A table of an annex: plain values under named columns, and how it is written as CSV and as JSON."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engine import spreadsheets
from engine.spreadsheets import Amount
from engine.trail.annexes.headings import COLUMNS, TITLES
from engine.trail.offline import canonical
from engine.work import BEIJING
from forms.words import Language

Cell = str | int | date | datetime | Amount | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. A page shows the columns of ``under`` in small beneath the one before; a file has each by itself.

    An amount is an ``Amount`` and stands in a column whose name ends in ``_fen``.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    under: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, columns: str, rows: Iterable[Row]) -> Sheet:
        """A table whose columns are named in one text; a plus sign before a name puts it beneath the one before."""
        names = columns.split()
        under = frozenset(each[1:] for each in names if each.startswith("+"))
        return cls(name, tuple(each.lstrip("+") for each in names), list(rows), under)

    def title(self, language: Language) -> str:
        """What the table is called."""
        return TITLES[self.name].said(language)

    def heads(self, language: Language) -> list[str]:
        """What its columns are called."""
        return [COLUMNS[each].said(language) for each in self.columns]

    def csv(self, language: Language) -> bytes:
        """UTF-8 with a mark at the beginning, lines as RFC 4180 has them; no text is a formula to a spreadsheet."""
        target = io.BytesIO()
        rows = ([said(each) if isinstance(each, datetime) else each for each in row] for row in self.rows)
        spreadsheets.write_csv(target, self.heads(language), rows)
        return target.getvalue()

    def plain(self) -> dict[str, Any]:
        """The table for a machine: amounts in fen, instants as ISO 8601 in Beijing time."""
        columns = [{"name": each, "zh": COLUMNS[each].zh, "en": COLUMNS[each].en} for each in self.columns]
        title = TITLES[self.name]
        rows = [[_machine(each) for each in row] for row in self.rows]
        return {"title": {"zh": title.zh, "en": title.en}, "columns": columns, "rows": rows}


def said(instant: datetime) -> str:
    """An instant as people in Beijing read it."""
    return f"{instant.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def as_json(number: str, sheets: Iterable[Sheet]) -> bytes:
    """All tables of a case as one canonical JSON text."""
    tables: Mapping[str, Any] = {each.name: each.plain() for each in sheets}
    return str(canonical({"v": 1, "case": number, "tables": tables})).encode()


def _machine(cell: Cell) -> str | int | None:
    match cell:
        case Amount():
            return cell.units
        case datetime():
            return cell.astimezone(BEIJING).isoformat()
        case date():
            return cell.isoformat()
    return cell
