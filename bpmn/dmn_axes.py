"""Cuts the values of a column into regions that none of its cells tells apart; a cell is then a set of regions.

Such a set is an integer, one bit for each region. What the rules of a table leave open is for ``bpmn.dmn_coverage``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import localcontext
from itertools import chain, count
from math import ceil, floor
from typing import Any, Final

from bpmn.dmn_cells import Between, Cell, Equal, Holds, Not, Ordered, Test, ends, orders
from bpmn.dmn_table import KINDS, Input, literal
from forms.expressions import Expression, ExpressionError
from forms.functions import FUNCTIONS
from forms.values import Value
from forms.words import Text

Parameters = Mapping[str, Value]

_UNORDERED: Final = frozenset({"text", "boolean", "any"})
_NO_VALUE: Final = object()


class Unknown(Exception):
    """What a cell compares with is known only when a case runs; ``said`` is the expression."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Unlike(Exception):
    """A cell compares its column with a value of another kind, or with one that does not exist."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.text = Text(zh, en)


class Axis:
    """The regions of one column. An ordered kind has, for n cuts, 2n + 1 of them: before, at and after each cut.

    Booleans have two; texts one for each cut and one for every other text. The last region, ``null``, is that of the
    empty value; it counts only where some cell speaks of it.
    """

    def __init__(self, kind: str, cuts: Sequence[Any], *, nullable: bool) -> None:
        self.kind = kind
        self._places = {cut: place for place, cut in enumerate(cuts)}
        values = list(_values(kind, cuts))
        self.null = 1 << len(values)
        self._values = [*values, None if nullable else _NO_VALUE]
        self.everything = sum(1 << place for place, value in enumerate(self._values) if value is not _NO_VALUE)

    @classmethod
    def across(cls, inputs: Iterable[Input], cells: Iterable[Cell], parameters: Parameters) -> Axis:
        """The axis of inputs that look at the same expression, cut by everything their cells compare with."""
        inputs = list(inputs)
        values: list[Value] = []
        for end in chain.from_iterable(ends(cell.tests) for cell in (*cells, *(each.allowed for each in inputs))):
            try:
                values.append(known(end, parameters))
            except (Unknown, Unlike):
                continue
        kinds = [*(each.kind for each in inputs), *(_kind_of(value) for value in values)]
        kind = next((each for each in kinds if each), "any")
        cuts: list[Any] = [] if kind == "boolean" else [value for value in values if _fits(kind, value)]
        return cls(kind, list(dict.fromkeys(cuts if kind == "text" else sorted(cuts))), nullable=None in values)

    def example(self, regions: int) -> Value:
        """A value in the first of these regions."""
        value: Value = self._values[next(_each(regions))]
        return value

    def runs(self, regions: int) -> list[int]:
        """A set of regions in parts, each of neighbours on an ordered axis and of a single value elsewhere."""
        found: list[int] = []
        joined = False
        for place in _each(self.everything):
            region = 1 << place
            if not region & regions:
                joined = False
            elif joined and self.kind not in _UNORDERED and region != self.null:
                found[-1] |= region
            else:
                found.append(region)
                joined = True
        return found

    def regions(self, cell: Cell, parameters: Parameters) -> int:
        """The regions that fit a cell. ``Unknown`` or ``Unlike`` where that cannot be said."""
        return self._any(cell.tests, parameters) if cell.condition is not None else self.everything

    def _any(self, tests: Sequence[Test], parameters: Parameters) -> int:
        regions = 0
        for test in tests:
            regions |= self._one(test, parameters)
        return regions & self.everything

    def _one(self, test: Test, parameters: Parameters) -> int:
        match test:
            case Equal(end):
                return self._at(self._end(end, parameters))
            case Ordered(sign, end):
                return self._side(sign, self._end(end, parameters))
            case Between(low, low_open, high, high_open):
                above = self._side(">" if low_open else ">=", self._end(low, parameters))
                return above & self._side("<" if high_open else "<=", self._end(high, parameters))
            case Not(inner):
                rest = self.everything & ~self._any(inner, parameters)
                return rest & ~self.null if orders(inner) else rest
            case Holds(condition):
                raise Unknown(condition.source)

    def _end(self, end: Expression, parameters: Parameters) -> Value:
        value = known(end, parameters)
        if value is not None and not _fits(self.kind, value):
            kind = KINDS[self.kind][1] if self.kind in KINDS else Text("单个的值", "a single value")
            raise Unlike(f"该列为{kind.zh}，不能与 {literal(value)} 比较",
                         f"the column is {kind.en} and cannot be compared with {literal(value)}")
        return value

    def _at(self, value: Value) -> int:
        if value is None:
            return self.null
        if self.kind == "boolean":
            return 2 if value is True else 1
        place = self._places[value]
        return 1 << (place if self.kind == "text" else 2 * place + 1)

    def _side(self, sign: str, value: Value) -> int:
        if value is None:
            raise Unlike("不能与空值比较大小", "nothing is before or after null")
        if self.kind in _UNORDERED:
            raise Unknown(f"{sign} {literal(value)}")
        at = 2 * self._places[value] + 1
        if sign.startswith("<"):
            return (1 << at + (sign == "<=")) - 1
        return (self.null - 1) & -(1 << at + (sign == ">"))


def known(expression: Expression, parameters: Parameters) -> Value:
    """The value of an expression that reads nothing but parameters. ``Unknown`` where it reads more."""
    # A loop could take long, and the gate has many cells to look at.
    loops = any(isinstance(node, ast.GeneratorExp | ast.ListComp) for node in ast.walk(expression.tree))
    supplied = any(FUNCTIONS[name].run is None for name in expression.functions)
    if expression.names - {"params"} or supplied or loops:
        raise Unknown(expression.source)
    try:
        return expression.value({"params": dict(parameters)}, {})
    except ExpressionError as error:
        raise Unlike(error.text.zh, error.text.en) from None


def _kind_of(value: Value) -> str | None:
    return next((kind for kind, (types, _) in KINDS.items() if type(value) in types), None)


def _fits(kind: str, value: Value) -> bool:
    return kind != "any" and _kind_of(value) == ("number" if kind == "integer" else kind)


def _each(regions: int) -> Iterator[int]:
    return (place for place in range(regions.bit_length()) if regions >> place & 1)


def _values(kind: str, cuts: Sequence[Any]) -> Iterator[Any]:
    """A value for each region; ``_NO_VALUE`` where there is none, as between 1 and 2 on an axis of whole numbers."""
    if kind == "any":
        yield 0
    elif kind == "boolean":
        yield from (False, True)
    elif kind == "text":
        yield from cuts
        names = chain(["other"], (f"other{number}" for number in count(2)))
        yield next(name for name in names if name not in cuts)
    else:
        for low, high in zip([None, *cuts], [*cuts, None], strict=True):
            yield _day(low, high) if kind == "date" else _number(low, high, dense=kind == "number")
            if high is not None:
                yield high if kind != "integer" else int(high) if high == int(high) else _NO_VALUE


def _number(low: Any, high: Any, *, dense: bool) -> Any:
    """A number between two others (None: no bound), a whole one where there is one."""
    if low is None:
        return 0 if high is None else ceil(high) - 1
    whole = floor(low) + 1
    if high is None or whole < high:
        return whole
    if not dense:
        return _NO_VALUE
    with localcontext(prec=200) as exact:
        return exact.divide(exact.add(low, high), 2)


def _day(low: date | None, high: date | None) -> Any:
    one = timedelta(days=1)
    if low is None:
        return date(2000, 1, 1) if high is None else high - one if high > date.min else _NO_VALUE
    day = low + one if low < date.max else None
    return day if day and (high is None or day < high) else _NO_VALUE
