"""A register as a spreadsheet: XLSX or CSV, made a few records at a time and never held whole in memory.

Amounts are numbers in 元 with two decimals, written from whole fen without any float; dates are dates; a text is a
text, whatever it begins with.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal

import xlsxwriter

from engine import ledgers, registers
from engine.registers import RegisterKind
from engine.work import BEIJING, SYSTEM, Work
from forms.fields import Field
from forms.saying import WORDS, Shown, Teller
from forms.values import Value
from forms.words import Language, Text

Sort = Literal["xlsx", "csv"]

MOST_ROWS = 1_048_576
"""Rows of one sheet, its header included; what is more goes on the next sheet."""
MOST_TEXT = 32_767  # characters of one cell
MOST_DIGITS = 15  # of a number; a longer one is written as text, since spreadsheets would round it
HEADS = {
    "key": Text("键", "Key"),
    "version": Text("版", "Version"),
    "case": Text("案卷编号", "Case"),
    "step": Text("登入环节", "Step"),
    "at": Text("登入时间", "Recorded at"),
}
CUT = Text("…（过长，余下见系统）", "… (too long; the rest is in the system)")
_BEGINS_A_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－＠]|[\t\r\n]")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that is shown in a way of its own: fen as 元 with two decimals, basis points as per cent."""

    units: int
    kind: Literal["money", "ratio"]

    @property
    def number(self) -> Decimal:
        """In 元, or as a part of one; exact."""
        return Decimal(self.units).scaleb(-2 if self.kind == "money" else -4)

    @property
    def text(self) -> str:
        """The same as people write it, without thousands separators."""
        return f"{self.number:f}" if self.kind == "money" else f"{self.number.scaleb(2):f}%"


Cell = str | int | Decimal | date | datetime | Amount | None


def write(
    work: Work,
    kind: RegisterKind,
    target: IO[bytes],
    sort: Sort,
    language: Language,
    *,
    words: str = "",
    every: bool = False,
) -> int:
    """Write the records that the actor may see and that a search finds; gives how many rows there are.

    ``every`` gives all versions of them, each with the case and the step that wrote it. A value that is personal or
    secret in its process is written only for somebody who may look into its case, not for the operator of the machine.
    """
    heads, rows = _heads(work, kind, language), _rows(work, kind, language, words, every=every)
    if sort == "csv":
        return write_csv(target, heads, rows)
    return _xlsx(target, kind, heads, rows, work.now, language)


def _heads(work: Work, kind: RegisterKind, language: Language) -> list[str]:
    said = {name: text.said(language) for name, text in HEADS.items()}
    columns = [ledgers.label(work, kind, code, language) for code in kind.columns]
    return [said["key"], *columns, said["version"], said["case"], said["step"], said["at"]]


def _rows(work: Work, kind: RegisterKind, language: Language, words: str, *, every: bool) -> Iterator[list[Cell]]:
    fields = ledgers.fields_in_force(work)
    for batch in registers.in_batches(work, kind.code, words=words, every=every):
        entries = ledgers.visible(work, batch)
        teller, versions = ledgers.teller_of(work, entries, language), ledgers.versions_of(work, entries)
        for entry in entries:
            version = versions.get(entry.case or "")
            private = version.private if version and work.actor == SYSTEM else frozenset()
            yield [
                ledgers.WITHHELD.said(language) if private & set(kind.key) else teller.names.get(entry.key, entry.key),
                *(
                    ledgers.WITHHELD.said(language)
                    if code in private and entry.value.get(code) is not None
                    else cell(kind, teller, code, entry.value.get(code), fields.get(code))
                    for code in kind.columns
                ),
                entry.version,
                entry.number,
                ledgers.step(entry, version, language),
                entry.at,
            ]


def cell(kind: RegisterKind, teller: Teller, code: str, value: Value, each: Field | None) -> Cell:
    """A value of a record as a cell: what is a number or a date stays one, everything else is what the page says."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        sort = each.kind if each and ledgers.fits(each, value) else ""
        if code.endswith("_fen") or sort == "money":
            return Amount(value, "money")
        if code.endswith("_bp") or sort == "ratio":
            return Amount(value, "ratio")
        return value
    if isinstance(value, (Decimal, date)):
        return value
    return flat(ledgers.column(kind, teller, code, value, each), teller.language)


def flat(shown: Shown, language: Language) -> str:
    """What a page shows, as one text: the rows of a table in lines."""
    if shown.files:
        return WORDS["comma"].said(language).join(each.name for each in shown.files)
    colon, semicolon = ("：", "；") if language == "zh" else (": ", "; ")
    if shown.heads:
        lines = [zip(shown.heads, row, strict=True) for row in shown.rows]
        return "\n".join(semicolon.join(f"{head}{colon}{flat(one, language)}" for head, one in line) for line in lines)
    if shown.pairs:
        return semicolon.join(f"{name}{colon}{flat(one, language)}" for name, one in shown.pairs)
    return shown.text


# CSV.


def write_csv(target: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table that opens as it is in a spreadsheet; gives how many rows there are."""
    text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", errors="replace")
    out, count = csv.writer(text), 0
    out.writerow([harmless(head) for head in heads])
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is what is given
        out.writerow([_csv_cell(each) for each in row])
    text.flush()
    text.detach()
    return count


def _csv_cell(each: Cell) -> str:
    match each:
        case None:
            return ""
        case str():
            return harmless(each)
        case Amount():
            return each.text
        case datetime():
            return each.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        case date():
            return each.isoformat()
        case Decimal():
            return f"{each:f}"
    return str(each)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula when it opens a CSV file: then an apostrophe stands before it."""
    return f"'{text}" if _BEGINS_A_FORMULA.match(text) else text


# XLSX.


def _xlsx(
    target: IO[bytes],
    kind: RegisterKind,
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    now: datetime,
    language: Language,
) -> int:
    """Rows go to a temporary file as they come (``constant_memory``)."""
    settings = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "remove_timezone": True,
    }
    name = Text(kind.zh, kind.en).said(language)
    count = 0
    with xlsxwriter.Workbook(target, settings) as book:
        book.set_properties({"title": name, "created": now.astimezone(BEIJING).replace(tzinfo=None)})
        writer = _Sheets(book, name, heads, language)
        for row in rows:
            writer.add(row)
            count += 1
    return count


class _Sheets:
    """The sheets of a workbook, of which the last one is written."""

    def __init__(self, book: Any, name: str, heads: Sequence[str], language: Language) -> None:
        self.book, self.heads, self.language = book, heads, language
        self.name = re.sub(r"[\[\]:*?/\\']", " ", name)[:25]
        named = {"money": "#,##0.00", "ratio": "0.00%", "date": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm"}
        top = {"valign": "top"}
        self.formats = {key: book.add_format({"num_format": said, **top}) for key, said in named.items()}
        self.formats["text"] = book.add_format({"text_wrap": True, **top})
        self.formats["number"] = book.add_format(top)
        self.bold = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#F7F9FC", "bottom": 1, **top})
        self.count = 0
        self.turn()

    def turn(self) -> None:
        """Begin the next sheet, with its header."""
        self.count += 1
        self.sheet = self.book.add_worksheet(self.name if self.count == 1 else f"{self.name} {self.count}")
        self.sheet.freeze_panes(1, 1)
        self.sheet.set_column(0, len(self.heads) - 1, 20)
        for place, head in enumerate(self.heads):
            self.sheet.write_string(0, place, head, self.bold)
        self.row = 1

    def add(self, row: Sequence[Cell]) -> None:
        """One more row."""
        if self.row == MOST_ROWS:
            self.turn()
        for place, each in enumerate(row):
            self.put(place, each)
        self.row += 1

    def put(self, place: int, each: Cell) -> None:
        """One cell; a Decimal reaches the file digit by digit."""
        match each:
            case None:
                pass
            case str():
                self.sheet.write_string(self.row, place, self.short(each), self.formats["text"])
            case Amount() if _digits(each.number) <= MOST_DIGITS:
                self.sheet.write_number(self.row, place, each.number, self.formats[each.kind])
            case int() | Decimal() if _digits(each) <= MOST_DIGITS:
                self.sheet.write_number(self.row, place, Decimal(each), self.formats["number"])
            case datetime():
                self.sheet.write_datetime(self.row, place, each.astimezone(BEIJING), self.formats["moment"])
            case date():
                self.sheet.write_datetime(self.row, place, each, self.formats["date"])
            case _:
                self.sheet.write_string(self.row, place, _csv_cell(each), self.formats["text"])

    def short(self, text: str) -> str:
        """A text that fits into a cell; what is cut off is said to be."""
        cut = CUT.said(self.language)
        return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - len(cut)] + cut


def _digits(number: int | Decimal) -> int:
    return len(Decimal(number).as_tuple().digits)
