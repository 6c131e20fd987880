"""A form on a page: every field shown now, with what was entered, what is wrong with it and what can be chosen.

What a form asks and whether an answer is any good is for ``forms`` alone; here it is only laid out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from typing import Any

from forms.answer import Checked, Problem, World, notes
from forms.asking import Asking
from forms.fields import Field, Option
from forms.form import Form
from forms.money import NotMoney, Unit, capital, parse_yuan
from forms.run import Scope
from forms.saying import Shown, Teller
from forms.values import FileRef
from forms.words import Text
from webui.labels import label

Raw = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen: its code, what people read, and the group it stands in."""

    code: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Offers:
    """Who and what can be chosen: people with their roles, records; and fields by their names in expressions."""

    people: Sequence[Mapping[str, Any]] = ()
    records: Mapping[str, Sequence[Choice]] = made(default_factory=dict)
    fields: Mapping[tuple[str, str | None], Field] = made(default_factory=dict)


@dataclass(slots=True)
class Box:
    """One field on the page. ``name`` is its name in HTML, ``id`` that of the element to go to when it is wrong."""

    name: str
    field: Field
    label: str
    help: str = ""
    required: bool = False
    problems: list[str] = made(default_factory=list)
    values: list[str] = made(default_factory=list)
    unit: str = "yuan"
    capital: str = ""
    computed: Shown | None = None
    choices: list[Choice] = made(default_factory=list)
    files: list[FileRef] = made(default_factory=list)
    hidden: bool = False
    parts: list[Box] = made(default_factory=list)
    rows: list[list[Box]] = made(default_factory=list)

    @property
    def id(self) -> str:
        """The id of its element."""
        return id_of(self.name)

    @property
    def value(self) -> str:
        """What was entered, for a field with one value."""
        return self.values[-1] if self.values else ""

    @property
    def described_by(self) -> str:
        """The ids of the texts that explain it."""
        ids = [f"{self.id}-help"] if self.help else []
        return " ".join([*ids, f"{self.id}-problem"] if self.problems else ids)


@dataclass(slots=True)
class Sheet:
    """A form as it is shown: the boxes, and all that is wrong with where to find it."""

    form: Form
    title: str
    boxes: list[Box]
    problems: list[tuple[str, str | None]]


def id_of(name: str) -> str:
    """The id of the element of a field."""
    return "f-" + name.replace("[", "-").replace("]", "").replace(".", "-")


def lay_out(
    form: Form,
    raw: Raw,
    checked: Checked,
    problems: Sequence[Problem],
    files: Mapping[str, list[FileRef]],
    *,
    world: World,
    offers: Offers,
    teller: Teller,
) -> Sheet:
    """The form with what was entered (``raw``), these problems, and the files kept so far by name."""
    layout = _Layout(raw, checked, problems, world, offers, teller, files, notes(form, checked.values, world))
    boxes = [layout.box(each, each.code, checked.values) for each in form.fields if layout.is_shown(each)]
    shown = {name for box in boxes for name in names_of(box)}
    listed: list[tuple[str, str | None]] = []
    for problem in problems:
        place = problem.path if problem.path in shown else problem.code if problem.code in shown else None
        listed.append((problem.text.said(teller.language), id_of(place) if place else None))
    return Sheet(form, form.title.said(teller.language), boxes, list(dict.fromkeys(listed)))


def names_of(box: Box) -> Iterator[str]:
    """The names of a box and of all inside it."""
    yield box.name
    for part in (*box.parts, *(one for row in box.rows for one in row)):
        yield from names_of(part)


@dataclass(slots=True)
class _Layout:
    raw: Raw
    checked: Checked
    problems: Sequence[Problem]
    world: World
    offers: Offers
    teller: Teller
    files: Mapping[str, list[FileRef]]
    notes: Mapping[str, Any]

    def is_shown(self, each: Field) -> bool:
        return each.code in (self.checked.shown if each.holds_value else self.notes)

    def asking(self) -> Asking:
        scope = Scope(self.world.names)
        scope.update(self.checked.values)
        return Asking(scope, self.world)

    def box(self, each: Field, name: str, values: Any) -> Box:
        box = Box(name, each, self.said(each.label), self.said(each.help), name in self.checked.required)
        box.problems = [self.said(problem.text) for problem in self.problems if problem.path == name]
        value = values.get(each.code) if isinstance(values, Mapping) else None
        if not each.holds_value:
            box.computed = self.note(each)
        elif each.compute:
            box.computed = self.teller.value(each, value)
        elif each.kind == "group":
            box.parts = [
                self.box(part, f"{name}.{part.code}", value) for part in each.fields if self.part_shown(name, part)
            ]
        elif each.kind == "table":
            box.rows = [self.row(each, name, place, value) for place in range(self.count(name))]
        elif each.kind == "checklist":
            box.parts = [self.item(box, option) for option in self.asking().items(each)]
        else:
            self.fill(box)
        return box

    def note(self, each: Field) -> Shown:
        """What a note shows, said as the field says it that the value was once entered in."""
        value = self.notes[each.code]
        paths = each.show.expressions[0].paths if each.show and each.show.expressions else frozenset()
        source = self.offers.fields.get(next(iter(paths))) if len(paths) == 1 else None
        if source is not None and each.show and each.show.expressions[0].source.strip() in _said_as(source, paths):
            return self.teller.value(source, value)
        return Shown(self.teller.plain(value)) if each.show else Shown()

    def part_shown(self, name: str, part: Field) -> bool:
        path = f"{name}.{part.code}"
        return path in self.checked.shown or (part.show_if is None and name in self.checked.shown)

    def row(self, each: Field, name: str, place: int, values: Any) -> list[Box]:
        """One row. An empty one at the end is not in the answer; what it asks is what its columns ask by themselves."""
        here = f"{name}[{place}]"
        known = isinstance(values, list) and place < len(values)
        boxes = [self.box(column, f"{here}.{column.code}", values[place] if known else {}) for column in each.fields]
        for box in boxes:
            box.required = box.required or (not known and box.field.required)
            box.hidden = known and box.name not in self.checked.shown
        return boxes

    def count(self, name: str) -> int:
        """How many rows of a table were entered."""
        inside = re.compile(re.escape(name) + r"\[([0-9]{1,4})\]\.")
        found = [int(match[1]) for key in (*self.raw, *self.files) if (match := inside.match(key))]
        return max(found, default=-1) + 1

    def item(self, box: Box, option: Option) -> Box:
        name = f"{box.name}.{option.code}"
        part = Box(name, box.field, f"{option.code} {self.said(option.label)}", required=box.required)
        part.values = list(self.raw.get(name, ()))
        part.problems = [self.said(problem.text) for problem in self.problems if problem.path == name]
        return part

    def fill(self, box: Box) -> None:
        each, name = box.field, box.name
        box.values = list(self.raw.get(name, ()))
        match each.kind:
            case "money":
                box.unit = (self.raw.get(f"{name}.unit") or ["yuan"])[-1]
                box.capital = self.capital(box.value, box.unit)
            case "file" | "files":
                box.files = self.files.get(name, [])
            case "choice" | "multi_choice":
                box.choices = [Choice(option.code, self.said(option.label)) for option in each.options]
            case "person" | "persons":
                box.choices = self.people(each)
            case "reference" | "references":
                box.choices = list(self.offers.records.get(each.register or "", ()))

    def capital(self, text: str, unit: str) -> str:
        try:
            known: Unit = "wan" if unit == "wan" else "yuan"
            return capital(parse_yuan(text, known)) if text.strip() and self.teller.language == "zh" else ""
        except NotMoney:
            return ""

    def people(self, each: Field) -> list[Choice]:
        """The people to choose from: first those of the role that the field's own examples ask for."""
        wanted = roles_asked(each)
        ranked = sorted(self.offers.people, key=lambda one: not wanted & set(one["roles"]))
        others = label("choice.others", self.teller.language) if wanted else ""
        return [Choice(one["id"], _called(one), "" if wanted & set(one["roles"]) else others) for one in ranked]

    def said(self, text: Text | None) -> str:
        return text.said(self.teller.language) if text else ""


def _said_as(source: Field, paths: Collection[tuple[str, str | None]]) -> set[str]:
    """How an expression is written that does nothing but read this field."""
    return {name if key is None else f"{name}['{key}']" for name, key in paths if source.code in (name, key)}


def _called(one: Mapping[str, Any]) -> str:
    return f"{one['name']}（{one['organisation']}）" if one["organisation"] else str(one["name"])


def roles_asked(each: Field) -> frozenset[str]:
    """The roles that the field's own expressions name, as in ``people('expert')``."""
    found = set()
    for expression in each.expressions:
        for node in ast.walk(expression.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"people", "has_role"}
            ):
                found |= {
                    one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return frozenset(found)
