"""Finds what the rules of a decision table leave open and where they contradict each other, with an example value.

Exact for columns whose cells compare with literals and parameters; inputs are taken as independent of each other. What
depends on more is said to be unknown, never taken for complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations, islice, product
from typing import Final

from bpmn.dmn_axes import Axis, Parameters, Unknown, Unlike, known
from bpmn.dmn_cells import Cell
from bpmn.dmn_table import LISTS, Rule, Table, literal
from bpmn.findings import Findings
from forms.operators import equal
from forms.values import Value
from forms.words import Finding, Text

MOST_STEPS: Final = 400_000
MOST_FOUND: Final = 1_000
MOST_TOLD: Final = 20

Box = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A value for each input, by the text of its expression; ``telling`` are those on which it depends."""

    values: Mapping[str, Value]
    telling: frozenset[str]

    @property
    def said(self) -> Text:
        """The values that matter, in words."""
        said = [f"{source} = {literal(value)}" for source, value in self.values.items() if source in self.telling]
        return Text("，".join(said) or "任何输入", ", ".join(said) or "any input")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules that both match an example."""

    first: Rule
    second: Rule
    example: Example


@dataclass(slots=True)
class Coverage:
    """What was found. ``unknown`` are expressions known only when a case runs; ``too_large``: it was not all looked at.

    ``gaps`` are examples for which there is no result, ``unreached`` rules that never count, ``unlike`` cells (by line)
    that cannot be compared with their column.
    """

    gaps: list[Example] = field(default_factory=list)
    overlaps: list[Overlap] = field(default_factory=list)
    unreached: list[Rule] = field(default_factory=list)
    unlike: list[tuple[int, Text]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    too_large: bool = False

    @property
    def sound(self) -> bool:
        """Whether every allowed input has one result, for certain."""
        return not (self.gaps or self.overlaps or self.unlike or self.unknown or self.too_large)


def gaps_and_overlaps(table: Table, parameters: Parameters) -> list[Finding]:
    """What is wrong with a table as a whole, each with an example: the value that falls between, or under two rules."""
    found, findings = coverage(table, parameters), Findings(table.file)
    for gap in found.gaps[:MOST_TOLD]:
        whole = any(isinstance(value, Decimal) and value % 1 for value in gap.values.values())
        hint_zh, hint_en = ("，或把类型写成 integer", ", or make the type integer") if whole else ("", "")
        findings.add("table-gap", table.line, table.id,
                     f"没有规则管到 {gap.said.zh}：请补一条规则、给出默认结果，或写明该列允许的值{hint_zh}",
                     f"no rule covers {gap.said.en}: add one, give a default, or say which values the column allows"
                     f"{hint_en}")
    for overlap in found.overlaps[:MOST_TOLD]:
        one, two = overlap.first.number, overlap.second.number
        findings.add("table-overlap", overlap.second.line, table.id,
                     f"规则 {one} 和 {two} 都管到 {overlap.example.said.zh}：请改正其中一条，或改用 FIRST 等命中策略",
                     f"the rules {one} and {two} both cover {overlap.example.said.en}: correct one of them, or choose "
                     "another hit policy such as FIRST")
    more = len(found.gaps[MOST_TOLD:]) + len(found.overlaps[MOST_TOLD:])
    if more:
        findings.add("table-more", table.line, table.id, f"另有 {more} 处空缺或重叠：请先改正以上各处",
                     f"there are {more} more gaps or overlaps: correct those above first")
    for line, unlike in found.unlike:
        findings.add("cell-value", line, table.id, f"决策表的一格不可用，{unlike.zh}：请改正",
                     f"a cell of the table cannot be used, {unlike.en}: correct it")
    _warn(table, found, findings)
    return findings.in_order()


def _warn(table: Table, found: Coverage, findings: Findings) -> None:
    for rule in found.unreached:
        findings.add("unreached-rule", rule.line, table.id,
                     f"规则 {rule.number} 永远轮不到：请删去，或改正它和它之前的规则",
                     f"rule {rule.number} never counts: remove it, or correct it and the rules before it", "warning")
    if found.unknown:
        said = found.unknown[0][:80]
        findings.add("coverage-unknown", table.line, table.id,
                     f"部署时无法判断规则有无空缺或重叠，因为“{said}”办理时才知道：请自行核对，或只与值和参数比较",
                     f"whether the rules leave gaps or overlap cannot be said before a case runs, because of “{said}”: "
                     "check it yourself, or compare with values and parameters only", "warning")
    if found.too_large:
        findings.add("coverage-too-large", table.line, table.id,
                     "决策表太大，没有查完规则有无空缺、重叠或多余：请拆成几张表",
                     "the table is too large to look at every gap, overlap and idle rule: split it", "warning")


def coverage(table: Table, parameters: Parameters) -> Coverage:
    """The gaps and overlaps of a table, with these parameters."""
    found = Coverage()
    grid = _Grid(table, parameters, found)
    if not table.has_default and table.hit not in LISTS | {"C#"}:
        grid.look(grid.find_gaps)
    if table.hit in ("U", "A"):
        grid.look(grid.find_overlaps)
    grid.look(grid.find_unreached)
    return found


class _TooLargeError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Row:
    """A rule as a box: the regions it covers on each axis. ``doubts`` are cells of which that cannot be said."""

    rule: Rule
    box: Box
    doubts: tuple[str, ...]


class _Grid:
    """A table as boxes in the space of its inputs. Columns that look at the same expression share an axis."""

    def __init__(self, table: Table, parameters: Parameters, found: Coverage) -> None:
        self._table, self._parameters, self._found = table, parameters, found
        self._steps = 0
        self._columns: dict[str, list[int]] = {}
        for place, column in enumerate(table.inputs):
            self._columns.setdefault(column.expression.source, []).append(place)
        self._axes = [self._axis(places) for places in self._columns.values()]
        self._doubts: list[str] = []
        whole = []
        for axis, places in zip(self._axes, self._columns.values(), strict=True):
            cells = [(table.inputs[place].allowed, table.inputs[place].line) for place in places]
            whole.append(self._regions(axis, cells, self._doubts) | (axis.everything & axis.null))
        self._whole = tuple(whole)
        self._rows = [self._row(rule) for rule in table.rules]

    def look(self, find: Callable[[], None]) -> None:
        """Find something, with so many steps and no more."""
        self._steps = MOST_STEPS
        try:
            find()
        except _TooLargeError:
            self._found.too_large = True

    def find_gaps(self) -> None:
        """Whatever is left when every rule has taken its box away."""
        # Where a column allows no value at all nothing is left open, and every rule is told to be unreached.
        left = [self._whole] if all(self._whole) else []
        for row in self._rows:
            left = left if row.doubts else self._without(left, row.box)
        doubts = [*self._doubts, *(doubt for row in self._rows for doubt in row.doubts)]
        if left and doubts:
            self._found.unknown += filter(None, doubts)
            return
        open_boxes: list[Box] = []
        for box in left:
            runs = [
                [regions] if regions == whole else axis.runs(regions)
                for axis, regions, whole in zip(self._axes, box, self._whole, strict=True)
            ]
            open_boxes += islice(product(*runs), MOST_FOUND - len(open_boxes))
        for box in sorted(open_boxes, key=lambda box: [regions & -regions for regions in box]):
            self._found.gaps.append(self._example(box))
            self._stop_at(len(self._found.gaps))

    def find_overlaps(self) -> None:
        """Pairs of rules that share a region; under ANY only those whose results differ."""
        self._spend(len(self._rows) ** 2 // 12)  # a pair is quickly compared
        for one, two in combinations(self._rows, 2):
            shared = _shared(one.box, two.box)
            if shared is None:
                continue
            same = self._same_results(one.rule, two.rule) if self._table.hit == "A" else False
            doubts = [*self._doubts, *one.doubts, *two.doubts]
            if same is None or (doubts and not same):
                said = [expression.source for expression in two.rule.outputs]
                self._found.unknown += filter(None, doubts or said)
            elif not same:
                self._found.overlaps.append(Overlap(one.rule, two.rule, self._example(shared)))
                self._stop_at(len(self._found.overlaps))

    def find_unreached(self) -> None:
        """Rules that no input fits, and under FIRST those that earlier rules leave nothing to."""
        earlier: list[Box] = []
        for row in self._rows:
            left = [row.box] if all(row.box) else []
            for box in earlier if left else ():
                left = self._without(left, box)
            if not left:
                self._found.unreached.append(row.rule)
            elif self._table.hit == "F" and not row.doubts:
                earlier.append(row.box)

    def _axis(self, places: list[int]) -> Axis:
        cells = [rule.cells[place] for rule in self._table.rules for place in places]
        return Axis.across([self._table.inputs[place] for place in places], cells, self._parameters)

    def _row(self, rule: Rule) -> _Row:
        doubts: list[str] = []
        box = [
            self._regions(axis, [(rule.cells[place], rule.line) for place in places], doubts) & whole
            for axis, places, whole in zip(self._axes, self._columns.values(), self._whole, strict=True)
        ]
        return _Row(rule, tuple(box), tuple(doubts))

    def _regions(self, axis: Axis, cells: list[tuple[Cell, int]], doubts: list[str]) -> int:
        """The regions that fit all of these cells, as far as that can be said; the rest are doubts."""
        regions = axis.everything
        for cell, line in cells:
            try:
                regions &= axis.regions(cell, self._parameters)
            except Unknown as unknown:
                doubts.append(unknown.said)
            except Unlike as unlike:
                # It is told as what it is; here it is only no ground for a judgement.
                self._found.unlike.append((line, unlike.text))
                doubts.append("")
        return regions

    def _without(self, boxes: list[Box], taken: Box) -> list[Box]:
        """The boxes less this one, again as boxes that do not overlap."""
        self._spend(len(boxes) + 1)
        left: list[Box] = []
        for box in boxes:
            shared = _shared(box, taken)
            if shared is None:
                left.append(box)
                continue
            for place, (regions, inside) in enumerate(zip(box, shared, strict=True)):
                if regions != inside:
                    left.append((*shared[:place], regions & ~inside, *box[place + 1 :]))
        return left

    def _example(self, box: Box) -> Example:
        values: dict[str, Value] = {}
        telling: set[str] = set()
        for source, axis, regions, whole in zip(self._columns, self._axes, box, self._whole, strict=True):
            values[source] = axis.example(regions)
            if regions != whole:
                telling.add(source)
        return Example(values, frozenset(telling))

    def _same_results(self, one: Rule, two: Rule) -> bool | None:
        """Whether two rules give the same; None where that depends on more than parameters."""
        pairs = [pair for pair in zip(one.outputs, two.outputs, strict=True) if pair[0].source != pair[1].source]
        try:
            results = [[known(output, self._parameters) for output in pair] for pair in pairs]
            return all(equal([left], [right]) for left, right in results)
        except (Unknown, Unlike):
            return None

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise _TooLargeError

    def _stop_at(self, found: int) -> None:
        if found >= MOST_FOUND:
            raise _TooLargeError


def _shared(one: Box, two: Box) -> Box | None:
    """What two boxes have in common, or None."""
    shared = tuple(left & right for left, right in zip(one, two, strict=True))
    return shared if all(shared) else None
