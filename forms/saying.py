"""Says the values of answers as people read them: amounts in 元, options by label, persons by name, files as links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from forms.fields import Field
from forms.form import Form
from forms.money import capital, percent, yuan
from forms.values import FileRef, PersonRef
from forms.words import Language, Text

WORDS: Mapping[str, Text] = {
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "comma": Text("、", ", "),
    "semicolon": Text("；", "; "),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A value on a page: ``text``, ``files``, ``pairs`` of label and value, or a table of ``heads`` and ``rows``."""

    text: str = ""
    files: tuple[FileRef, ...] = ()
    pairs: tuple[tuple[str, Shown], ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Shown, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Teller:
    """Who says it: in which language, and how the people concerned are called."""

    language: Language
    names: Mapping[str, str] = field(default_factory=dict)

    def form(self, form: Form, values: Mapping[str, Any]) -> list[tuple[str, Shown]]:
        """The answered fields of a form, by their labels."""
        found = []
        for each in form.fields:
            value = values.get(each.code)
            if each.holds_value and value is not None:
                found.append((each.label.said(self.language), self.value(each, value)))
        return found

    def value(self, each: Field, value: Any) -> Shown:
        """The value of one field."""
        if value is None:
            return Shown("—")
        if isinstance(value, FileRef):
            return Shown(files=(value,))
        if isinstance(value, list) and value and all(isinstance(one, FileRef) for one in value):
            return Shown(files=tuple(value))
        if each.kind == "table" and isinstance(value, list):
            heads = tuple(column.label.said(self.language) for column in each.fields)
            rows = tuple(tuple(self.value(column, row.get(column.code)) for column in each.fields) for row in value)
            return Shown(heads=heads, rows=rows)
        if each.kind == "group" and isinstance(value, dict):
            columns = [column for column in each.fields if value.get(column.code) is not None]
            return Shown(pairs=tuple((c.label.said(self.language), self.value(c, value[c.code])) for c in columns))
        if each.kind == "checklist" and isinstance(value, dict):
            return Shown(pairs=tuple((self.item(each, code), Shown(self.plain(said))) for code, said in value.items()))
        if isinstance(value, list):
            return Shown(WORDS["comma"].said(self.language).join(self.single(each, one) for one in value))
        return Shown(self.single(each, value))

    def item(self, each: Field, code: str) -> str:
        """A question of a checklist, with its code."""
        lists = [each.items, *(each.items_by.lists.values() if each.items_by else ())]
        found = next((item for items in lists for item in items if item.code == code), None)
        return f"{code} {found.label.said(self.language)}" if found else code

    def single(self, each: Field, value: Any) -> str:
        """One plain value of a field."""
        if each.kind == "money" and isinstance(value, int):
            return self.money(value)
        if each.kind == "ratio" and isinstance(value, int):
            return percent(value)
        if each.options and isinstance(value, str):
            found = next((option for option in each.options if option.code == value), None)
            return found.label.said(self.language) if found else value
        return self.plain(value)

    def money(self, fen: int) -> str:
        """An amount in 元; in Chinese also in the characters of certificates (大写)."""
        if self.language == "en":
            return f"{yuan(fen)} yuan"
        return f"{yuan(fen)} 元（{capital(fen)}）"

    def plain(self, value: Any) -> str:
        """A value whose field is not known, or which says itself."""
        match value:
            case None:
                return "—"
            case bool():
                return WORDS["yes" if value else "no"].said(self.language)
            case PersonRef():
                return self.names.get(value.id, value.id)
            case FileRef():
                return value.name
            case Decimal():
                return f"{value:f}"
            case datetime():
                return value.isoformat(timespec="minutes")
            case date():
                return value.isoformat()
            case list():
                return WORDS["comma"].said(self.language).join(self.plain(one) for one in value)
            case dict():
                return WORDS["semicolon"].said(self.language).join(
                    f"{key}: {self.plain(one)}" for key, one in value.items()
                )
        return str(value)


def persons_in(value: Any) -> Iterator[str]:
    """The ids of the people named anywhere in a value."""
    if isinstance(value, PersonRef):
        yield value.id
    elif isinstance(value, list):
        for one in value:
            yield from persons_in(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from persons_in(one)
