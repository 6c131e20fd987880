"""What a form asks, as plain values: fields, options, the values a form gives itself. Nothing is judged here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from forms.expressions import Expression

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from forms.values import Value
    from forms.words import Text

TEXTS: Final = frozenset({"text", "long_text", "texts"})
NUMBERS: Final = frozenset({"integer", "money", "ratio", "decimal"})
LISTS: Final = frozenset({"multi_choice", "files", "persons", "texts", "references"})
CHOICES: Final = frozenset({"choice", "multi_choice"})
COMPOSITE: Final = frozenset({"table", "group"})
KINDS: Final = (
    frozenset({"date", "yes_no", "file", "person", "reference", "checklist", "note"})
    | TEXTS | NUMBERS | LISTS | CHOICES | COMPOSITE
)  # fmt: skip

LONGEST_TEXT: Final = 500
LONGEST_LONG_TEXT: Final = 20_000
MOST_ROWS: Final = 500
MOST_FIELDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Option:
    """One answer a choice offers, or one question of a checklist: its stable code and what people read."""

    code: str
    label: Text


@dataclass(frozen=True, slots=True)
class Given:
    """A value the form gives itself: a literal, an expression, or records and lists of both."""

    content: Any

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression in it."""
        return tuple(_expressions(self.content))

    def value(self, names: Mapping[str, Value], functions: Mapping[str, Callable[..., Value]]) -> Value:
        """The value with these names and functions. ExpressionError where an expression has none."""
        return _evaluated(self.content, names, functions)


def _expressions(content: Any) -> Iterator[Expression]:
    if isinstance(content, Expression):
        yield content
    elif isinstance(content, dict | list):
        for member in content.values() if isinstance(content, dict) else content:
            yield from _expressions(member)


def _evaluated(content: Any, names: Mapping[str, Value], functions: Mapping[str, Callable[..., Value]]) -> Value:
    if isinstance(content, Expression):
        return content.value(names, functions)
    if isinstance(content, dict):
        return {key: _evaluated(member, names, functions) for key, member in content.items()}
    if isinstance(content, list):
        return [_evaluated(member, names, functions) for member in content]
    literal: Value = content
    return literal


@dataclass(frozen=True, slots=True)
class ItemsBy:
    """A checklist whose questions depend on the answer to another field: that field, and the questions per answer."""

    field: str
    lists: Mapping[str, tuple[Option, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form. ``minimum`` and ``maximum`` are in the field's own unit (fen, basis points, days).

    ``facts`` are the codes of the facts that its answer shows.
    """

    code: str
    kind: str
    label: Text
    line: int
    help: Text | None = None
    basis: str | None = None
    required: bool = False
    must: bool = False
    required_if: Expression | None = None
    show_if: Expression | None = None
    default: Given | None = None
    compute: Given | None = None
    example: Given | None = None
    show: Given | None = None
    options: tuple[Option, ...] = ()
    fields: tuple[Field, ...] = ()
    items: tuple[Option, ...] = ()
    items_by: ItemsBy | None = None
    minimum: Given | None = None
    maximum: Given | None = None
    min_items: int = 0
    max_items: int = MOST_ROWS
    min_length: int = 0
    max_length: int = LONGEST_TEXT
    pattern: re.Pattern[str] | None = None
    decimals: int = 12
    register: str | None = None
    facts: tuple[str, ...] = ()
    personal: bool = False
    secret: bool = False
    order: tuple[Field, ...] = field(default=(), repr=False, compare=False)

    @property
    def multiple(self) -> bool:
        """Whether the answer is a list of single values."""
        return self.kind in LISTS

    @property
    def holds_value(self) -> bool:
        """Whether the field is answered at all; a note only shows something."""
        return self.kind != "note"

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression of this field, without those of its columns."""
        givens = (self.default, self.compute, self.example, self.show, self.minimum, self.maximum)
        tests = (self.show_if, self.required_if)
        return (*[e for given in givens if given for e in given.expressions], *[test for test in tests if test])

    @property
    def private(self) -> bool:
        """Whether it, or a part of it, is marked personal or secret."""
        return self.personal or self.secret or any(column.private for column in self.fields)

    def depends_on(self) -> frozenset[str]:
        """The names that decide whether it is shown, what it computes and what it asks; its columns' included."""
        expressions = [*(self.compute.expressions if self.compute else ()), *([self.show_if] if self.show_if else [])]
        names = {name for expression in expressions for name in expression.names}
        if self.items_by:
            names.add(self.items_by.field)
        columns = {column.code for column in self.fields}
        for column in self.fields:
            names |= column.depends_on() - columns
        return frozenset(names)


def names_read(fields: Iterable[Field]) -> frozenset[str]:
    """The names these fields read that they do not bring themselves."""
    fields = tuple(fields)
    names: set[str] = set()
    for each in fields:
        names |= {name for expression in each.expressions for name in expression.names}
        names |= names_read(each.fields)
    return frozenset(names - {each.code for each in fields})


def evaluation_order(fields: Iterable[Field]) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """The fields so that each comes after those it depends on, otherwise in their own order; and those in a circle."""
    by_code = {each.code: each for each in fields}
    done: dict[str, Field] = {}
    circles: dict[str, Field] = {}
    # The way walked so far: each field on it, and those it depends on that are still to be looked at.
    way: dict[str, Iterator[str]] = {}
    for start in by_code:
        if start not in done:
            way[start] = _needed(by_code, start)
        while way:
            here = next(reversed(way))
            further = next((name for name in way[here] if name not in done), None)
            if further is None:
                done[here] = by_code[here]
                del way[here]
            elif further in way:
                trail = list(way)
                circles.update({code: by_code[code] for code in trail[trail.index(further) :]})
            else:
                way[further] = _needed(by_code, further)
    return tuple(done.values()), tuple(circles.values())


def _needed(by_code: Mapping[str, Field], code: str) -> Iterator[str]:
    return iter(sorted(by_code[code].depends_on() & by_code.keys()))
