"""Orders the nodes of one container for drawing: columns from left to right, and in each column a row. Knows no units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Link = tuple[str, str, str]
# A flow over several columns keeps a free place in each. With very many such flows that would cost more than it helps.
_MOST_PLACES = 5_000


@dataclass
class Grid:
    """Columns and rows: ``column`` and ``row`` of each node; ``ways`` gives a flow's free places between its ends.

    ``back`` are the flows that lead backwards or could be given no places; they are drawn around the others.
    """

    column: dict[str, int] = field(default_factory=dict)
    row: dict[str, int] = field(default_factory=dict)
    ways: dict[str, list[int]] = field(default_factory=dict)
    back: set[str] = field(default_factory=set)
    taken: dict[int, set[int]] = field(default_factory=dict)
    bands: list[tuple[int, int]] = field(default_factory=list)

    def clear(self, column: int, first: int, last: int) -> bool:
        """Whether a column is free from row ``first`` to row ``last``, both included."""
        low, high = min(first, last), max(first, last)
        return not any(low <= row <= high for row in self.taken.get(column, ()))


def arrange(nodes: Sequence[str], links: Sequence[Link], band: Mapping[str, int]) -> Grid:
    """Place nodes by the links (flow, source, target) between them; a node of a lower band (lane) stands above.

    The result depends on the order given and on nothing else.
    """
    grid = Grid()
    following: dict[str, list[Link]] = {node: [] for node in nodes}
    for link in links:
        following[link[1]].append(link)
    grid.back = _backward(nodes, following)
    forward = [link for link in links if link[0] not in grid.back]
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
            for flow, _, target in links:
                if target not in state:
                    state[target] = 1
                    path.append((target, iter(following[target])))
                    break
                if state[target] == 1:
                    back.add(flow)
            else:
                state[node] = 2
                path.pop()
    return back


def _columns(nodes: Sequence[str], forward: Sequence[Link]) -> dict[str, int]:
    """Every node one column behind the last of those before it."""
    column = dict.fromkeys(nodes, 0)
    missing = dict.fromkeys(nodes, 0)
    following: dict[str, list[str]] = {node: [] for node in nodes}
    for _, source, target in forward:
        missing[target] += 1
        following[source].append(target)
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
    places: dict[tuple[int, int], set[int]] = {}
    row: dict[str, int] = {}
    ways: dict[str, list[tuple[int, int]]] = {}
    by_column: dict[int, list[str]] = {}
    before: dict[str, list[Link]] = {}
    for node in nodes:
        by_column.setdefault(grid.column[node], []).append(node)
    for link in forward:
        before.setdefault(link[2], []).append(link)
    budget = _MOST_PLACES
    for column in sorted(by_column):
        for node in by_column[column]:
            links = before.get(node, [])
            wished = [row[source] for _, source, _ in links if band[source] == band[node]]
            row[node] = _free(places.setdefault((column, band[node]), set()), sorted(wished)[len(wished) // 2] if wished
                              else 0)
            for flow, source, _ in links:
                between = range(grid.column[source] + 1, column)
                budget -= len(between)
                if budget < 0:
                    grid.back.add(flow)
                    continue
                start = row[source] if band[source] == band[node] else row[node]
                ways[flow] = [
                    (band[node], _free(places.setdefault((each, band[node]), set()), start)) for each in between
                ]
    _stack(grid, places, row, ways, band)


def _free(taken: set[int], wished: int) -> int:
    """The free row nearest to the one wished for, below before above; it is taken then."""
    distance = 0
    while True:
        for row in (wished + distance, wished - distance):
            if row >= 0 and row not in taken:
                taken.add(row)
                return row
        distance += 1


def _stack(
    grid: Grid, places: Mapping[tuple[int, int], set[int]], row: Mapping[str, int],
    ways: Mapping[str, list[tuple[int, int]]], band: Mapping[str, int],
) -> None:
    """Number the rows through all bands, from the top."""
    rows = dict.fromkeys(range(max(band.values(), default=0) + 1), 1)
    for (_, of), taken in places.items():
        rows[of] = max(rows[of], max(taken, default=0) + 1)
    top: dict[int, int] = {}
    for of, count in rows.items():
        top[of] = sum(number for _, number in grid.bands)
        grid.bands.append((top[of], count))
    grid.row = {node: top[band[node]] + at for node, at in row.items()}
    grid.ways = {flow: [top[of] + at for of, at in way] for flow, way in ways.items()}
    for (column, of), taken in places.items():
        grid.taken.setdefault(column, set()).update(top[of] + at for at in taken)
