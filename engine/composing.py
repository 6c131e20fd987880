"""Fills in a template of a document: its expressions become words on a page. How the page looks is for ``paper``."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.errors import Incident
from engine.paper import Block, Grid, Line, Paper
from engine.templates import DocumentTemplate, Phrase, Section, Slot
from engine.work import BEIJING
from forms.expressions import Expression, ExpressionError
from forms.money import capital, yuan
from forms.operators import kind_of
from forms.values import FileRef, PersonRef, Value
from forms.words import Text

Names = Mapping[str, Value]
Functions = Mapping[str, Callable[..., Value]]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes one document: its template, what its expressions may read, and what a person is called."""

    template: DocumentTemplate
    names: Names
    functions: Functions
    name_of: Callable[[str], str]

    def paper(self) -> Paper:
        """The document. Incident, naming the template and the line, where an expression has no value to be written."""
        blocks = [block for section in self.template.sections for block in self._blocks(section)]
        return Paper(self.template.title.zh, self.title, tuple(blocks))

    def _blocks(self, section: Section) -> Iterator[Block]:
        with_names = self.names
        if section.when is not None and not self._value(section.when.condition, with_names, section.line):
            return
        if section.kind == "table":
            yield Grid(tuple(tuple(self._words(cell, with_names) for cell in row) for row in section.lines))
        elif section.kind == "rows":
            yield Grid((section.headings, *self._rows(section)), headed=True)
        else:
            for (phrase,) in section.lines:
                yield Line(section.kind, self._words(phrase, with_names))

    def _rows(self, section: Section) -> Iterator[tuple[str, ...]]:
        assert section.each is not None
        members = self._value(section.each.value, self.names, section.line)
        if members is not None and not isinstance(members, list):
            raise self._incident(section.line, Text("each 应得到列表", "each must give a list"))
        [cells] = section.lines
        for member in members or []:
            names = ChainMap({section.name: member}, dict(self.names))
            yield tuple(self._words(cell, names) for cell in cells)

    def _words(self, phrase: Phrase, names: Names) -> str:
        said = [part if isinstance(part, str) else self.said(part, names, phrase.line) for part in phrase.parts]
        return "".join(said)

    @property
    def title(self) -> str:
        """The name of the file, without its ending."""
        return self._words(self.template.name, self.names)

    def members(self, source: Expression) -> list[Any]:
        """The members of a list for which a row stands; none of None. Incident where it is no list."""
        found = self._value(source.value, self.names, 0)
        if found is not None and not isinstance(found, list):
            raise self._incident(0, Text("each 应得到列表", "each must give a list"))
        return found or []

    def holds(self, condition: Expression, names: Names) -> bool:
        """Whether a condition holds."""
        return bool(self._value(condition.condition, names, 0))

    def said(self, slot: Slot, names: Names, line: int = 0) -> str:
        """The value of a slot as its format writes it. Incident where it has none."""
        value = self._value(slot.expression.value, names, line)
        members = value if isinstance(value, list) else [value]
        try:
            return "、".join(self._written(each, slot) for each in members if each is not None)
        except TypeError as error:
            said = f"{slot.expression.source}|{slot.form}".rstrip("|")
            zh = f"“{said}”的值（{kind_of(value).zh}）不能这样写出"
            en = f"the value of {said!r} ({kind_of(value).en}) cannot be written so"
            raise self._incident(line, Text(zh, en)) from error

    def _written(self, value: Value, slot: Slot) -> str:
        """One value as text. TypeError where the format is not one for it."""
        if slot.form in {"yuan", "capital"}:
            if type(value) is not int:
                raise TypeError
            return f"{yuan(value)} 元" if slot.form == "yuan" else capital(value)
        if slot.form == "label":
            return self.template.labels[slot.labels].get(str(value), str(value))
        if slot.form == "date" and not isinstance(value, date):
            raise TypeError
        return self._plain(value, only_day=slot.form == "date")

    def _plain(self, value: Value, *, only_day: bool) -> str:
        match value:
            case bool():
                return "是" if value else "否"
            case datetime():
                local = value.astimezone(BEIJING)
                return day(local.date()) + ("" if only_day else f" {local:%H:%M}")
            case date():
                return day(value)
            case str() | int() | Decimal():
                return str(value)
            case PersonRef():
                return self.name_of(value.id)
            case FileRef():
                return value.name
        raise TypeError

    def _value(self, evaluate: Callable[[Names, Functions], Any], names: Names, line: int) -> Any:
        try:
            return evaluate(names, self.functions)
        except ExpressionError as error:
            raise self._incident(line, error.text) from error

    def _incident(self, line: int, text: Text) -> Incident:
        title = self.template.title
        return Incident(
            f"文书“{title.zh}”（{self.template.id}.yaml 第 {line} 行）无法出具：{text.zh}",
            f"the document {title.en!r} ({self.template.id}.yaml, line {line}) cannot be issued: {text.en}",
        )


def day(value: date) -> str:
    """A date as documents write it: 2026年3月2日."""
    return f"{value.year}年{value.month}月{value.day}日"
