"""Between the names and texts of an HTML form and an answer. Whether the answer is any good is for ``forms.answer``.

Names: ``code`` (lists repeat it), ``group.part``, ``table[0].column``, ``checklist.ITEM``. An amount is in 元, or in
万元 where a field of its name and ``.unit`` says ``wan``. A ratio is in per cent; yes and no are ``true``, ``false``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from forms.answer import Problem
from forms.asking import is_empty
from forms.kinds import Refused
from forms.money import NotMoney, Unit, parse_percent, parse_yuan, percent, yuan
from forms.values import FileRef, PersonRef
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.fields import Field
    from forms.form import Form

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_YES_NO = {"true": True, "on": True, "false": False, "": None}


def from_browser(
    form: Form, pairs: Iterable[tuple[str, str]], files: Mapping[str, FileRef | list[FileRef]]
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The answer in a submitted HTML form, and what could not be read in it.

    ``files`` are the uploads by the same names. Names that begin with ``_`` are the page's own and left out; any other
    foreign name is kept, so that ``check`` refuses it. Rows that say nothing are dropped.
    """
    sent = _Sent(dict(files))
    for name, text in pairs:
        if not name.startswith("_"):
            sent.texts.setdefault(name, []).append(text.replace("\r\n", "\n"))
    answer: dict[str, Any] = {}
    for each in form.fields:
        if each.holds_value:
            found = sent.answer(each, each.code)
            if found is not _ABSENT:
                answer[each.code] = found
    return {**answer, **sent.left_over()}, tuple(sent.problems)


class _Absent:
    """Nothing of this field was sent at all."""


_ABSENT = _Absent()


@dataclass(slots=True)
class _Sent:
    files: dict[str, FileRef | list[FileRef]]
    texts: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)

    def left_over(self) -> dict[str, Any]:
        """The texts and files no field has asked for."""
        texts = {name: text for name, text in self.texts.items() if name not in self._used}
        return {**texts, **{name: file for name, file in self.files.items() if name not in self._taken}}

    def answer(self, each: Field, name: str) -> Any:
        """The answer to a field under a name; ``_ABSENT`` where there is none."""
        match each.kind:
            case "group":
                return self._parts(each.fields, name)
            case "table":
                return self._rows(each, name)
            case "checklist":
                return self._items(each, name)
            case "file" | "files":
                return self._files(each, name)
        texts = self.texts.get(name)
        if texts is None:
            return _ABSENT
        self._used.add(name)
        try:
            if each.multiple:
                return [text for text in texts if text.strip()]
            return self._single(each, name, texts[-1])
        except (NotMoney, Refused) as error:
            label = each.label
            said = Text(f"“{label.zh}”{error.text.zh}。", f"“{label.said('en')}”: {error.text.en}.")
            self.problems.append(Problem(name, said))
            return None

    def _single(self, each: Field, name: str, text: str) -> Any:
        plain = text.strip()
        if each.kind == "yes_no":
            if plain not in _YES_NO:
                raise Refused("应为是或否", "must be yes or no")
            return _YES_NO[plain]
        if not plain:
            return None
        match each.kind:
            case "money":
                return parse_yuan(plain, self._unit(name))
            case "ratio":
                return parse_percent(plain)
            case "integer":
                whole = plain.replace(",", "")
                if not _WHOLE.fullmatch(whole):
                    raise Refused("应为整数", "must be a whole number")
                return int(whole)
            case "text" | "long_text":
                return text
        return plain

    def _unit(self, name: str) -> Unit:
        unit = self.texts.get(f"{name}.unit", ["yuan"])[-1]
        self._used.add(f"{name}.unit")
        return "wan" if unit == "wan" else "yuan"

    def _parts(self, fields: tuple[Field, ...], name: str) -> Any:
        found = {each.code: self.answer(each, f"{name}.{each.code}") for each in fields}
        return {code: part for code, part in found.items() if part is not _ABSENT} or _ABSENT

    def _rows(self, each: Field, name: str) -> Any:
        inside = re.compile(re.escape(name) + r"\[([0-9]{1,4})\]\.")
        places = {int(match[1]) for each_name in (*self.texts, *self.files) if (match := inside.match(each_name))}
        if not places:
            return _ABSENT
        rows = [self._parts(each.fields, f"{name}[{place}]") for place in sorted(places)]
        return [row for row in rows if row is not _ABSENT and not is_empty(row)]

    def _items(self, each: Field, name: str) -> Any:
        by = each.items_by.lists.values() if each.items_by else (each.items,)
        found: dict[str, Any] = {}
        for code in {item.code: None for items in by for item in items}:
            texts = self.texts.get(f"{name}.{code}")
            if texts is not None:
                self._used.add(f"{name}.{code}")
                found[code] = _YES_NO.get(texts[-1], texts[-1])
        return found or _ABSENT

    def _files(self, each: Field, name: str) -> Any:
        self._taken.add(name)
        if name not in self.files:
            return _ABSENT
        found = self.files[name]
        listed = found if isinstance(found, list) else [found]
        return listed if each.multiple else (listed[-1] if listed else None)


def for_browser(form: Form, values: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The names and texts an HTML form shows these values with; a file appears by its name.

    What no field of its kind could hold (a default that an owner computes wrongly) is left out: nothing can show it.
    """
    shown: dict[str, str | list[str]] = {}
    for each in form.fields:
        if each.holds_value:
            shown.update(_shown(each, each.code, values.get(each.code)))
    return shown


def _shown(each: Field, name: str, value: Any) -> dict[str, str | list[str]]:
    if each.kind == "group":
        parts = value if isinstance(value, dict) else {}
        return _merged(_shown(part, f"{name}.{part.code}", parts.get(part.code)) for part in each.fields)
    if each.kind == "table":
        return _merged(
            _shown(column, f"{name}[{place}].{column.code}", row.get(column.code))
            for place, row in enumerate(value if isinstance(value, list) else [])
            if isinstance(row, dict)
            for column in each.fields
        )
    if each.kind == "checklist":
        answers = value if isinstance(value, dict) else {}
        return {f"{name}.{code}": _said(each, answer) for code, answer in answers.items()}
    if each.multiple:
        return {name: [_said(each, member) for member in (value if isinstance(value, list) else [])]}
    return {name: _said(each, value)}


def _merged(parts: Iterable[dict[str, str | list[str]]]) -> dict[str, str | list[str]]:
    return {name: text for part in parts for name, text in part.items()}


def _said(each: Field, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if each.kind == "money":
            return yuan(value)
        case int() if each.kind == "ratio":
            return percent(value).removesuffix("%")
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case PersonRef():
            return value.id
        case FileRef():
            return value.name
    return str(value)
