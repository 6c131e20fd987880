"""Cuts the values of a column into regions that no cell of the column tells apart: an axis, on which a cell is a mask.

A mask is an integer whose bits are regions. Which regions the rules of a table leave open is for ``bpmn.dmn_coverage``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import ceil, floor
from typing import Any

from bpmn.dmn_cells import Between, Cell, Equal, Holds, Not, Ordered, Test, ends, orders
from bpmn.dmn_table import KINDS, Input, literal
from forms.expressions import Expression, ExpressionError
from forms.functions import FUNCTIONS
from forms.values import Value
from forms.words import Text

Parameters = Mapping[str, Value]


class Unknown(Exception):
    """What a cell compares with is known only when a case runs; ``said`` is the expression."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Unlike(Exception):
    """A cell compares its column with a value of another kind, or with one that does not exist."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Axis:
    """One column: the values at which it is cut, in order, and whether empty values (null) are looked at too.

    Ordered kinds have, for n cuts, 2n + 1 regions: before, at and after each cut. Texts and booleans have one for each
    value, and texts one more for every other text. The last is that of null.
    """

    kind: str
    cuts: tuple[Any, ...]
    nullable: bool

    @property
    def size(self) -> int:
        """How many regions there are, null not counted."""
        if self.kind in ("text", "any"):
            return len(self.cuts) + 1
        return 2 if self.kind == "boolean" else 2 * len(self.cuts) + 1

    @property
    def everything(self) -> int:
        """The mask of all regions in which there is a value."""
        regions = range(self.size + self.nullable)
        return sum(1 << region for region in regions if region == self.size or self._inside(region) is not _NO_VALUE)

    def value(self, region: int) -> Value:
        """A value that lies in this region."""
        return None if region == self.size else self._inside(region)

    def runs(self, mask: int) -> list[int]:
        """A mask as masks of neighbours: what lies apart on an ordered axis, each text and boolean for itself."""
        found: list[int] = []
        joined = self.kind not in ("text", "boolean")
        for region in _regions(mask):
            beside = joined and found and found[-1] >> (region - 1) & 1 and region != self.size
            if beside or (joined and found and region != self.size and not self._between(found[-1], region)):
                found[-1] |= 1 << region
            else:
                found.append(1 << region)
        return found

    def mask(self, cell: Cell, parameters: Parameters) -> int:
        """The regions that fit a cell. ``Unknown`` or ``Unlike`` where that cannot be said."""
        return self._tests(cell.tests, parameters) if cell.condition is not None else self.everything

    def _between(self, mask: int, region: int) -> int:
        """The regions between a mask and a later region in which there is a value."""
        return self.everything & ((1 << region) - 1) & -(1 << mask.bit_length())

    def _tests(self, tests: Sequence[Test], parameters: Parameters) -> int:
        mask = 0
        for test in tests:
            mask |= self._test(test, parameters)
        return mask & self.everything

    def _test(self, test: Test, parameters: Parameters) -> int:
        match test:
            case Equal(end):
                value = known(end, parameters)
                return self._at(value)
            case Ordered(sign, end):
                return self._side(sign, known(end, parameters))
            case Between(low, low_open, high, high_open):
                above = self._side(">" if low_open else ">=", known(low, parameters))
                return above & self._side("<" if high_open else "<=", known(high, parameters))
            case Not(inner):
                rest = self.everything & ~self._tests(inner, parameters)
                return rest & ~(1 << self.size) if orders(inner) else rest
            case Holds(condition):
                raise Unknown(condition.source)

    def _at(self, value: Value) -> int:
        if value is None:
            return 1 << self.size
        if self.kind == "boolean":
            return 1 << int(bool(value))
        place = self.cuts.index(value)
        return 1 << (place if self.kind == "text" else 2 * place + 1)

    def _side(self, sign: str, value: Value) -> int:
        if self.kind in ("text", "boolean"):
            raise Unknown(f"{sign} {literal(value)}")
        at = 2 * self.cuts.index(value) + 1
        if sign[0] == "<":
            return (1 << at + (sign == "<=")) - 1
        return ((1 << self.size) - 1) & -(1 << at + (sign == ">"))

    def _inside(self, region: int) -> Any:
        if self.kind == "any":
            return 0
        if self.kind == "boolean":
            return bool(region)
        if self.kind == "text":
            return self.cuts[region] if region < len(self.cuts) else _other(self.cuts)
        place, at = divmod(region, 2)
        if at:
            return _whole(self.cuts[place]) if self.kind == "integer" else self.cuts[place]
        low = self.cuts[place - 1] if place else None
        high = self.cuts[place] if place < len(self.cuts) else None
        return _day_between(low, high) if self.kind == "date" else _number_between(low, high, dense=self.kind == "number")


_NO_VALUE = object()


def axis(columns: Iterable[tuple[Input, Sequence[Cell]]], parameters: Parameters) -> Axis:
    """The axis of columns that look at the same expression, each with its cells (its allowed values among them)."""
    kind, values, nullable = "", [], False
    for column, cells in columns:
        kind = kind or column.kind or ""
        for cell in (*cells, column.allowed):
            for end in ends(cell.tests):
                try:
                    value = known(end, parameters)
                except (Unknown, Unlike):
                    continue
                nullable = nullable or value is None
                if value is not None:
                    values.append(value)
    kind = kind or next((each for value in values if (each := _kind_of(value))), "any")
    fitting = [value for value in values if fits(kind, value)]
    if kind in ("text", "boolean", "any"):
        return Axis(kind, tuple(dict.fromkeys(fitting)) if kind == "text" else (), nullable)
    return Axis(kind, tuple(dict.fromkeys(sorted(fitting))), nullable)


def fits(kind: str, value: Value) -> bool:
    """Whether a value can be compared with those of a column of this kind."""
    return value is None or (kind != "any" and _kind_of(value) == ("number" if kind == "integer" else kind))


def known(expression: Expression, parameters: Parameters) -> Value:
    """The value of an expression that reads nothing but parameters."""
    loops = any(isinstance(node, ast.GeneratorExp | ast.ListComp) for node in ast.walk(expression.tree))
    supplied = any(FUNCTIONS[name].run is None for name in expression.functions)
    if expression.names - {"params"} or supplied or loops:
        raise Unknown(expression.source)
    try:
        return expression.value({"params": dict(parameters)}, {})
    except ExpressionError as error:
        raise Unlike(error.text) from None


def _kind_of(value: Value) -> str | None:
    return next((kind for kind, (types, _) in KINDS.items() if type(value) in types), None)


def _regions(mask: int) -> Iterable[int]:
    return (region for region in range(mask.bit_length()) if mask >> region & 1)


def _other(texts: Sequence[str]) -> str:
    names = (f"other{number}" for number in count(2))
    return "other" if "other" not in texts else next(name for name in names if name not in texts)


def _whole(value: Any) -> Any:
    return int(value) if value == int(value) else _NO_VALUE


def _number_between(low: Any, high: Any, *, dense: bool) -> Any:
    """A number between two others (None: no bound), a whole one where there is one."""
    if low is None:
        return 0 if high is None else ceil(high) - 1
    whole = floor(low) + 1
    if high is None or whole < high:
        return whole
    if not dense:
        return _NO_VALUE
    middle = (Fraction(low) + Fraction(high)) / 2
    digits = len(str(middle.denominator)) * 4
    return Decimal(middle.numerator * 10**digits // middle.denominator).scaleb(-digits)


def _day_between(low: date | None, high: date | None) -> Any:
    one = timedelta(days=1)
    if low is None:
        return (high - one if high != date.min else _NO_VALUE) if high else date(2000, 1, 1)
    day = low + one if low != date.max else None
    return day if day and (high is None or day < high) else _NO_VALUE
