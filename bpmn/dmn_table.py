"""A decision table: columns, rules, hit policy, and what it decides; every cell of it in the one expression language.

``bpmn.dmn`` reads tables from files; whether a table leaves gaps is for ``bpmn.dmn_coverage``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from bpmn.dmn_cells import VALUE, Cell
from forms.expressions import Expression, ExpressionError, compile_expression
from forms.operators import equal, kind_of
from forms.run import Scope
from forms.values import Value
from forms.words import Text

Names = Mapping[str, Value]
Functions = Mapping[str, Callable[..., Value]]

SINGLE: Final = frozenset({"U", "A", "F", "P"})
LISTS: Final = frozenset({"C", "R", "O"})
_AGGREGATES: Final[Mapping[str, Expression]] = {
    "C+": compile_expression("sum(results)"),
    "C<": compile_expression("min(results)"),
    "C>": compile_expression("max(results)"),
    "C#": compile_expression("len(results)"),
}
HIT_POLICIES: Final = SINGLE | LISTS | _AGGREGATES.keys()
"""Unique, Any, First, Priority; Collect, Rule order, Output order; Collect as sum, least, greatest, count."""

KINDS: Final[Mapping[str, tuple[frozenset[type], Text]]] = {
    "text": (frozenset({str}), Text("文本", "a text")),
    "boolean": (frozenset({bool}), Text("是/否", "true or false")),
    "number": (frozenset({int, Decimal}), Text("数值", "a number")),
    "integer": (frozenset({int}), Text("整数", "a whole number")),
    "date": (frozenset({date}), Text("日期", "a date")),
}
"""The kinds of value that a column of inputs may declare."""


class Undecided(ExpressionError):
    """A table gave no result for these inputs; ``text`` names the table, the rules concerned and the values."""


@dataclass(frozen=True, slots=True)
class Input:
    """A column of conditions: what is looked at, of which kind (of ``KINDS``; None: any) and among which values."""

    label: str
    expression: Expression
    kind: str | None
    allowed: Cell
    line: int


@dataclass(frozen=True, slots=True)
class Output:
    """A column of results. ``ranked`` are its allowed values where they are listed, the most important first."""

    name: str
    allowed: Cell
    ranked: tuple[Value, ...]
    default: Expression | None
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: its number as editors show it (from 1), a cell for each input, an expression for each output."""

    number: int
    line: int
    cells: tuple[Cell, ...]
    outputs: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a table decided: its result, the numbers of the rules that matched, and each input as it was.

    ``inputs`` are by the text of the input expression. ``before`` are the decisions it required, in their order.
    """

    table: str
    inputs: Mapping[str, Value]
    rules: tuple[int, ...]
    value: Value
    before: tuple[Decided, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One decision. ``id`` is what it is found by (its name where it has no id), ``hit`` one of ``HIT_POLICIES``.

    ``aliases`` are the names under which a decision that requires this one reads its result. A ``secret`` table names
    no values when it cannot decide.
    """

    id: str
    name: str
    file: str
    line: int
    hit: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    aliases: tuple[str, ...] = ()
    requires: tuple[Table, ...] = field(default=(), repr=False)
    secret: bool = False

    def decide(self, names: Names, functions: Functions) -> Decided:
        """The result: of one output its value, of several a record; a list of these for C, R and O.

        Where no rule matches and there is no default, C, R and O give [] and C# gives 0. Everything else that has no
        result raises ``Undecided``: no match, several matches under U, differing ones under A, a value that its column
        does not allow, an expression that has no value.
        """
        done: dict[str, Decided] = {}
        for table in self.with_required():
            seen = Scope(names)
            for required in table.requires:
                seen.update(required.gives(done[required.id].value))
            done[table.id] = _Deciding(table, seen, functions, self.secret).decided()
        last = done.pop(self.id)
        return Decided(last.table, last.inputs, last.rules, last.value, tuple(done.values()))

    @property
    def shape(self) -> str:
        """What the result is, as another engine calls it: singleEntry, singleResult, collectEntries, resultList."""
        several = len(self.outputs) > 1
        if self.hit in LISTS:
            return "resultList" if several else "collectEntries"
        return "singleResult" if several else "singleEntry"

    @property
    def has_default(self) -> bool:
        """Whether there is a result for what no rule matches."""
        return all(output.default is not None for output in self.outputs)

    @property
    def given(self) -> frozenset[str]:
        """The names that ``gives`` gives: the table's own, and those of its outputs."""
        own = self.outputs if self.hit in SINGLE or len(self.outputs) == 1 else ()
        return frozenset(self.aliases) | {output.name for output in own if output.name}

    def gives(self, value: Value) -> dict[str, Value]:
        """What a decision that requires this one reads of its result, by name."""
        if isinstance(value, dict) and len(self.outputs) > 1:
            return {**value, **dict.fromkeys(self.aliases, value)}
        return dict.fromkeys(self.given, value)

    @property
    def names(self) -> frozenset[str]:
        """The variables that must be brought for this decision, and for those it requires."""
        own = frozenset().union(*(each.names for each in self.expressions())) - {VALUE}
        return own.difference(*(each.given for each in self.requires)).union(*(each.names for each in self.requires))

    def expressions(self) -> Iterator[Expression]:
        """Every expression of this table, without those of the decisions it requires."""
        for column in self.inputs:
            yield column.expression
        for output in self.outputs:
            if output.default is not None:
                yield output.default
        for rule in self.rules:
            yield from rule.outputs
        columns: tuple[Input | Output, ...] = (*self.inputs, *self.outputs)
        for cell in (*(each.allowed for each in columns), *(cell for rule in self.rules for cell in rule.cells)):
            if cell.condition is not None:
                yield cell.condition

    def with_required(self) -> list[Table]:
        """This table and all it requires, each once and after what it requires itself."""
        order: dict[str, Table] = {}
        waiting = [self]
        while waiting:
            missing = [each for each in waiting[-1].requires if each.id not in order]
            waiting.extend(reversed(missing))
            if not missing:
                table = waiting.pop()
                order.setdefault(table.id, table)
        return list(order.values())


@dataclass(slots=True)
class _Deciding:
    """One table at work on what it can see."""

    table: Table
    seen: Names
    functions: Functions
    secret: bool
    inputs: dict[str, Value] = field(default_factory=dict)

    def decided(self) -> Decided:
        table = self.table
        values = [self._input(column) for column in table.inputs]
        matching = self._matching(values)
        if table.hit == "U" and len(matching) > 1:
            zh, en = _numbers(matching)
            raise self._refusal(f"规则 {zh} 都符合，只能有一条符合", f"the rules {en} all match, but only one may")
        results = [self._result(f"规则 {rule.number}", f"rule {rule.number}", rule.outputs) for rule in matching]
        if not results and table.has_default:
            defaults = tuple(output.default for output in table.outputs if output.default is not None)
            results = [self._result("默认结果", "the default", defaults)]
        return Decided(table.id, self.inputs, tuple(rule.number for rule in matching), self._value(results, matching))

    def _refusal(self, zh: str, en: str) -> Undecided:
        said = [f"{source} = {self._said(value)}" for source, value in self.inputs.items()]
        given_zh, given_en = (f"（{'，'.join(said)}）", f" ({', '.join(said)})") if said else ("", "")
        called = self.table.name or self.table.id
        return Undecided(Text(f"决策表“{called}”{given_zh}：{zh}", f"the decision table “{called}”{given_en}: {en}"))

    def _said(self, value: Value) -> str:
        return "…" if self.secret else literal(value)

    def _input(self, column: Input) -> Value:
        source = column.expression.source
        try:
            value = column.expression.value(self.seen, self.functions)
            self.inputs[source] = value
            if value is not None:
                self._check(column, value)
        except ExpressionError as error:
            label = column.label if column.label == source else f"{column.label} ({source})"
            raise self._refusal(f"输入 {label}：{error.text.zh}", f"input {label}: {error.text.en}") from error
        return value

    def _check(self, column: Input, value: Value) -> None:
        if column.kind and type(value) not in KINDS[column.kind][0]:
            kind, found = KINDS[column.kind][1], kind_of(value)
            raise ExpressionError(Text(f"应为{kind.zh}，现为{found.zh}", f"it should be {kind.en}, but is {found.en}"))
        self._allow(column.allowed, value)

    def _allow(self, allowed: Cell, value: Value) -> None:
        if not allowed.matches(value, self.seen, self.functions):
            said, among = self._said(value), allowed.source
            raise ExpressionError(Text(f"{said} 不是允许的值：{among}", f"{said} is not allowed, only {among}"))

    def _matching(self, values: list[Value]) -> list[Rule]:
        found: list[Rule] = []
        for rule in self.table.rules:
            try:
                pairs = zip(rule.cells, values, strict=True)
                matches = all(cell.matches(value, self.seen, self.functions) for cell, value in pairs)
            except ExpressionError as error:
                at = rule.number
                raise self._refusal(f"规则 {at}：{error.text.zh}", f"rule {at}: {error.text.en}") from error
            if matches:
                found.append(rule)
                if self.table.hit == "F":
                    break
        return found

    def _result(self, zh: str, en: str, expressions: tuple[Expression, ...]) -> list[Value]:
        """The value of each output."""
        values: list[Value] = []
        for output, expression in zip(self.table.outputs, expressions, strict=True):
            try:
                value = expression.value(self.seen, self.functions)
                self._allow(output.allowed, value)
            except ExpressionError as error:
                raise self._refusal(f"{zh}：{error.text.zh}", f"{en}: {error.text.en}") from error
            values.append(value)
        return values

    def _value(self, results: list[list[Value]], matching: list[Rule]) -> Value:
        table = self.table
        if table.hit == "A" and any(not equal(results[0], other) for other in results[1:]):
            zh, en = _numbers(matching)
            raise self._refusal(f"规则 {zh} 都符合，但结果不同", f"the rules {en} all match, but their results differ")
        if table.hit in ("P", "O"):
            results = sorted(results, key=self._rank)
        shown = [self._shown(result) for result in results]
        if table.hit in LISTS:
            return shown
        if not shown and table.hit != "C#":
            raise self._refusal("没有一条规则符合，也没有默认结果", "no rule matches and there is no default")
        if table.hit in SINGLE:
            return shown[0]
        try:
            return _AGGREGATES[table.hit].value({"results": shown}, {})
        except ExpressionError as error:
            raise self._refusal(error.text.zh, error.text.en) from error

    def _rank(self, result: list[Value]) -> list[int]:
        """How early the outputs stand among their allowed values: the first output counts first."""
        pairs = zip(self.table.outputs, result, strict=True)
        return [_place(output.ranked, value) for output, value in pairs if output.ranked]

    def _shown(self, result: list[Value]) -> Value:
        names = [output.name for output in self.table.outputs]
        return dict(zip(names, result, strict=True)) if len(names) > 1 else result[0]


def _place(ranked: tuple[Value, ...], value: Value) -> int:
    return next(place for place, each in enumerate(ranked) if equal([each], [value]))


def _numbers(rules: list[Rule]) -> tuple[str, str]:
    said = [str(rule.number) for rule in rules]
    return "、".join(said), ", ".join(said)


def literal(value: Value) -> str:
    """A value as a cell of a table would write it; what no cell can write is only hinted at."""
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:60]}…"'
        case Decimal():
            return f"{value:f}"
        case int():
            return str(value)
        case date() if type(value) is date:
            return f'date("{value.isoformat()}")'
        case list():
            return "[…]"
    return "{…}"
