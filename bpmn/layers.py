"""Orders the nodes of one container for drawing, in columns from left to right and in rows. Knows no units."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """A flow between two nodes; ``aside`` when it leaves a boundary event of its source, and so should lead down."""

    flow: str
    source: str
    target: str
    aside: bool = False


# A flow over several columns keeps a free place in each. With very many such flows that would cost more than it helps.
_MOST_PLACES = 5_000


@dataclass
class Grid:
    """Columns and rows: ``column`` and ``row`` of each node; ``ways`` gives a flow's free places between its ends.

    ``back`` are the flows that lead backwards or could be given no places; they are drawn around the others. ``taken``
    are the rows of each column in which something lies, in order.
    """

    column: dict[str, int] = field(default_factory=dict)
    row: dict[str, int] = field(default_factory=dict)
    ways: dict[str, list[int]] = field(default_factory=dict)
    back: set[str] = field(default_factory=set)
    taken: dict[int, list[int]] = field(default_factory=dict)
    bands: list[tuple[int, int]] = field(default_factory=list)

    def clear(self, column: int, first: int, last: int) -> bool:
        """Whether a column is free from row ``first`` to row ``last``, both included."""
        low, high = min(first, last), max(first, last)
        rows = self.taken.get(column, [])
        at = bisect_left(rows, low)
        return at == len(rows) or rows[at] > high


def arrange(nodes: Sequence[str], links: Sequence[Link], band: Mapping[str, int]) -> Grid:
    """Place nodes by the links between them; the nodes of a lower band (lane) number stand above the others.

    The result depends on the order given and on nothing else.
    """
    grid = Grid()
    following: dict[str, list[Link]] = {node: [] for node in nodes}
    for link in links:
        following[link.source].append(link)
    grid.back = _backward(nodes, following)
    forward = [link for link in links if link.flow not in grid.back]
    grid.column = _columns(nodes, forward)
    _rows(grid, nodes, forward, band)
    return grid


def _backward(nodes: Sequence[str], following: Mapping[str, list[Link]]) -> set[str]:
    """The flows that close a cycle, found by walking depth first in the order of the file."""
    state: dict[str, int] = {}
    back: set[str] = set()
    for root in nodes:
        if root in state:
            continue
        state[root] = 1
        path = [(root, iter(following[root]))]
        while path:
            node, links = path[-1]
            for link in links:
                if link.target not in state:
                    state[link.target] = 1
                    path.append((link.target, iter(following[link.target])))
                    break
                if state[link.target] == 1:
                    back.add(link.flow)
            else:
                state[node] = 2
                path.pop()
    return back


def _columns(nodes: Sequence[str], forward: Sequence[Link]) -> dict[str, int]:
    """Every node one column behind the last of those before it."""
    column = dict.fromkeys(nodes, 0)
    missing = dict.fromkeys(nodes, 0)
    following: dict[str, list[str]] = {node: [] for node in nodes}
    for link in forward:
        missing[link.target] += 1
        following[link.source].append(link.target)
    ready = [node for node in nodes if not missing[node]]
    for node in ready:  # grows while it is walked
        for target in following[node]:
            column[target] = max(column[target], column[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return column


def _rows(grid: Grid, nodes: Sequence[str], forward: Sequence[Link], band: Mapping[str, int]) -> None:
    """Give each node the row of the one before it where that is free, otherwise the nearest free one below or above."""
    before: dict[str, list[Link]] = {node: [] for node in nodes}
    for link in forward:
        before[link.target].append(link)
    order = {link.flow: number for number, link in enumerate(forward)}
    columns: dict[int, list[str]] = {}
    for node in nodes:
        columns.setdefault(grid.column[node], []).append(node)
    rows = _Rows(grid, band)
    for column in sorted(columns):
        # Straight ways take their rows first, then those that lead away from boundary events.
        for node in sorted(columns[column], key=lambda each: _rank(before[each], order)):
            rows.place(node, before[node])
    rows.number()


def _rank(links: list[Link], order: Mapping[str, int]) -> tuple[bool, int]:
    straight = [order[link.flow] for link in links if not link.aside]
    return not straight, min(straight or [order[link.flow] for link in links], default=0)


class _Rows:
    """The rows given so far, counted from the top of each band."""

    def __init__(self, grid: Grid, band: Mapping[str, int]) -> None:
        self.grid, self.band = grid, band
        self.taken: dict[tuple[int, int], _Taken] = {}
        self.row: dict[str, int] = {}
        self.ways: dict[str, list[int]] = {}
        self.of: dict[str, int] = {}
        self.budget = _MOST_PLACES

    def place(self, node: str, links: list[Link]) -> None:
        """Give a node its row, and every flow that comes to it over several columns a free place in each."""
        band, column = self.band[node], self.grid.column[node]
        wished = sorted(self.row[each.source] + each.aside for each in links if self.band[each.source] == band)
        self.row[node] = self._free(column, band, wished[(len(wished) - 1) // 2] if wished else 0)
        for link in links:
            between = range(self.grid.column[link.source] + 1, column)
            self.budget -= len(between)
            if self.budget < 0:
                self.grid.back.add(link.flow)
            elif between:
                same = self.band[link.source] == band
                start = self.row[link.source] + link.aside if same else self.row[node]
                self.ways[link.flow] = [self._free(each, band, start) for each in between]
                self.of[link.flow] = band

    def _free(self, column: int, band: int, wished: int) -> int:
        """The free row nearest to the one wished for, below before above; it is taken then."""
        return self.taken.setdefault((column, band), _Taken()).nearest(wished)

    def number(self) -> None:
        """Count the rows through all bands, from the top."""
        grid = self.grid
        high = dict.fromkeys(range(max(self.band.values(), default=0) + 1), 1)
        for (_, band), taken in self.taken.items():
            high[band] = max(high[band], max(taken.below, default=0) + 1)
        for count in high.values():
            grid.bands.append((sum(number for _, number in grid.bands), count))
        top = [first for first, _ in grid.bands]
        grid.row = {node: top[self.band[node]] + row for node, row in self.row.items()}
        grid.ways = {flow: [top[self.of[flow]] + row for row in way] for flow, way in self.ways.items()}
        for (column, band), taken in self.taken.items():
            grid.taken.setdefault(column, []).extend(top[band] + row for row in taken.below)
        for rows in grid.taken.values():
            rows.sort()


class _Taken:
    """The rows that are taken in one column of one band; each knows a row below and above it from which to look on."""

    def __init__(self) -> None:
        self.below: dict[int, int] = {}
        self.above: dict[int, int] = {}

    def nearest(self, wished: int) -> int:
        """Take the free row nearest to the one wished for, below before above."""
        down, up = _end(self.below, wished), _end(self.above, wished)
        row = down if up < 0 or down - wished <= wished - up else up
        self.below[row], self.above[row] = row + 1, row - 1
        return row


def _end(steps: dict[int, int], row: int) -> int:
    """Where the steps from a row lead; the way is shortened for those who come after."""
    passed = []
    while row in steps:
        passed.append(row)
        row = steps[row]
    for each in passed:
        steps[each] = row
    return row
