"""Where everything is drawn: as the file says, or, where it says nothing, from left to right by a simple rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bpmn.diagram import Diagram, Edge, Element, Shape
from bpmn.layers import Link, arrange

Point = tuple[float, float]

_TASK = (120.0, 80.0)
_GATEWAY = (50.0, 50.0)
_EVENT = (36.0, 36.0)
_GAP_X, _GAP_Y = 64.0, 44.0
_TRACK = 10.0
_PADDING = 36.0
_HEADER = 30.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """The places of a whole picture. ``shapes`` come outermost first; a flow without edge is not drawn."""

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    edges: Mapping[str, Edge] = field(default_factory=dict)


def hidden(diagram: Diagram, shapes: Mapping[str, Shape]) -> dict[str, str]:
    """For each element inside a closed box, the outermost closed subprocess that stands for it."""
    stands: dict[str, str] = {}
    for element in diagram.elements.values():
        box = element.container
        if box in stands:
            stands[element.id] = stands[box]
        elif box in shapes and box in diagram.elements and not shapes[box].expanded:
            stands[element.id] = box
    return stands


def place(diagram: Diagram) -> Drawing:
    """The drawing of the file if it shows every element that is to be seen, otherwise one of our own."""
    covered = hidden(diagram, diagram.shapes)
    seen = [element for element in diagram.elements.values() if element.id not in covered]
    if not seen or any(element.id not in diagram.shapes for element in seen):
        return laid_out(diagram)
    wanted = [lane.id for lane in diagram.lanes] + [element.id for element in seen] + list(diagram.notes)
    shapes = {key: diagram.shapes[key] for key in wanted if key in diagram.shapes}
    edges = {key: edge for key, edge in diagram.edges.items() if key not in diagram.flows}
    for flow in diagram.flows.values():
        if flow.source in shapes and flow.target in shapes:
            drawn = diagram.edges.get(flow.id)
            edges[flow.id] = drawn or Edge(flow.id, _straight(shapes[flow.source], shapes[flow.target]))
    return Drawing(shapes, edges)


def _straight(source: Shape, target: Shape) -> tuple[Point, ...]:
    """A line for a flow whose shapes are placed but which is not drawn itself."""
    start = (source.x + source.width, source.y + source.height / 2)
    end = (target.x, target.y + target.height / 2)
    middle = (start[0] + end[0]) / 2
    return (start, end) if start[1] == end[1] else (start, (middle, start[1]), (middle, end[1]), end)


def laid_out(diagram: Diagram) -> Drawing:
    """A drawing of our own, whatever the file says: containers laid out, inner ones first, then moved into place."""
    inside: dict[str, list[Element]] = {diagram.process.id: []}
    for element in diagram.elements.values():
        inside.setdefault(element.container, []).append(element)
        inside.setdefault(element.id, [])
    boxes: dict[str, _Box] = {}
    order = [diagram.process.id]
    for container in order:  # grows while it is walked: outer before inner
        order.extend(element.id for element in inside[container] if inside[element.id])
    for container in reversed(order):
        sizes = {key: (box.width + 2 * _PADDING, box.height + 2 * _PADDING) for key, box in boxes.items()}
        boxes[container] = _Box(container, inside[container], sizes, diagram)
    shapes: dict[str, Shape] = {}
    edges: dict[str, Edge] = {}
    left = _HEADER * (1 + any(lane.pool for lane in diagram.lanes)) if diagram.lanes else 0.0
    _add_lanes(diagram, boxes[diagram.process.id], left, shapes)
    corner = {diagram.process.id: (left + _PADDING, 0.0)}
    for container in order:
        x, y = corner[container]
        for shape in boxes[container].shapes.values():
            shapes[shape.element] = replace(shape, x=shape.x + x, y=shape.y + y)
            corner[shape.element] = (shape.x + x + _PADDING, shape.y + y + _PADDING)
        for edge in boxes[container].edges:
            edges[edge.element] = Edge(edge.element, tuple((px + x, py + y) for px, py in edge.points))
    return Drawing(shapes, edges)


def _leaf_lanes(diagram: Diagram) -> list[str]:
    """The lanes in which elements of the process itself stand, in the order of the file."""
    used = {element.lane for element in diagram.elements.values() if element.container == diagram.process.id}
    return [lane.id for lane in diagram.lanes if lane.id in used]


def _add_lanes(diagram: Diagram, box: _Box, left: float, shapes: dict[str, Shape]) -> None:
    width = box.width + 2 * _PADDING
    pool = next((lane.id for lane in diagram.lanes if lane.pool), None)
    if pool:
        shapes[pool] = Shape(pool, 0, 0, width + left, box.height)
    for lane, (top, bottom) in zip(_leaf_lanes(diagram), box.bands, strict=False):
        shapes[lane] = Shape(lane, left - _HEADER, top, width + _HEADER, bottom - top)


class _Box:
    """One container laid out, its upper left corner at the origin."""

    def __init__(
        self, container: str, elements: list[Element], sizes: Mapping[str, tuple[float, float]], diagram: Diagram
    ) -> None:
        self.diagram = diagram
        self.nodes = {element.id: element for element in elements if element.attached_to is None}
        self.attached = [element for element in elements if element.attached_to in self.nodes]
        self.sizes = {key: sizes.get(key) or _size(element) for key, element in self.nodes.items()}
        host = {element.id: element.attached_to or "" for element in self.attached}
        self.links = [
            Link(flow.id, host.get(flow.source, flow.source), flow.target, flow.source in host)
            for flow in diagram.flows.values()
            if (flow.source in self.nodes or flow.source in host) and flow.target in self.nodes
        ]
        lanes = _leaf_lanes(diagram) if container == diagram.process.id else []
        band = {key: lanes.index(element.lane) if element.lane in lanes else 0 for key, element in self.nodes.items()}
        self.grid = arrange(list(self.nodes), self.links, band)
        self.channels: dict[int, int] = {}
        self.turns: dict[int, int] = {}
        self._count_channels()
        self._measure()
        self.shapes = {key: self._shape(key) for key in self.nodes}
        self._attach()
        self.edges = [self._edge(link) for link in self.links]

    def _count_channels(self) -> None:
        """Give every flow that leads around the others a line of its own below the rows it passes."""
        grid = self.grid
        self.around: dict[str, tuple[int, int]] = {}
        for link in self.links:
            if link.flow in grid.back:
                low, high = sorted((grid.column[link.source], grid.column[link.target]))
                lowest = (grid.taken[column][-1] for column in range(low, high + 1) if column in grid.taken)
                row = max(lowest, default=0)
                self.around[link.flow] = (row, self.channels.get(row, 0))
                self.channels[row] = self.channels.get(row, 0) + 1

    def _measure(self) -> None:
        """Where columns and rows lie."""
        grid = self.grid
        columns = max(grid.column.values(), default=0) + 1
        rows = max((top + count for top, count in grid.bands), default=1)
        wide, high = [0.0] * columns, [_TASK[1]] * rows
        for key, (width, height) in self.sizes.items():
            wide[grid.column[key]] = max(wide[grid.column[key]], width)
            high[grid.row[key]] = max(high[grid.row[key]], height)
        self.left, self.top = [0.0], [_GAP_Y / 2]
        for width in wide:
            self.left.append(self.left[-1] + width + _GAP_X)
        for row, height in enumerate(high):
            self.top.append(self.top[-1] + height + _GAP_Y + _TRACK * self.channels.get(row, 0))
        self.wide, self.high = wide, high
        self.width = self.left[-1] - _GAP_X
        self.height = self.top[-1] - _GAP_Y / 2
        self.bands = [
            (self.top[first] - _GAP_Y / 2, self.top[first + count] - _GAP_Y / 2) for first, count in grid.bands
        ]

    def _middle(self, row: int) -> float:
        return self.top[row] + self.high[row] / 2

    def _shape(self, key: str) -> Shape:
        width, height = self.sizes[key]
        column, row = self.grid.column[key], self.grid.row[key]
        x = self.left[column] + (self.wide[column] - width) / 2
        return Shape(key, x, self._middle(row) - height / 2, width, height)

    def _attach(self) -> None:
        """Boundary events stand on the lower edge, from the right, with room for their names where there is some."""
        hosts: dict[str, list[str]] = {}
        for element in self.attached:
            hosts.setdefault(element.attached_to or "", []).append(element.id)
        for key, events in hosts.items():
            host = self.shapes[key]
            step = min((host.width - 8 - _EVENT[0]) / max(len(events) - 1, 1), 110 if host.width > 300 else 48)
            for number, event in enumerate(reversed(events)):
                x = host.x + host.width - 8 - _EVENT[0] - step * number
                self.shapes[event] = Shape(event, x, host.y + host.height - _EVENT[1] / 2, *_EVENT)

    def _turn(self, column: int) -> float:
        """A line of its own in the gap behind a column, for the part of a flow that goes up or down."""
        number = self.turns[column] = self.turns.get(column, 0) + 1
        shift = (number // 2) * (1 if number % 2 else -1) * _TRACK * 0.8
        limit = _GAP_X / 2 - 14
        return self.left[column + 1] - _GAP_X / 2 + max(-limit, min(limit, shift))

    def _edge(self, link: Link) -> Edge:
        leaves = self.diagram.flows[link.flow].source
        points = self._around(link, leaves) if link.flow in self.around else self._forward(link, leaves)
        return Edge(link.flow, _simple(points))

    def _leave(self, node: str, from_: str, row: int) -> tuple[list[Point], float]:
        """The first points of a flow on its way to a row, and the height at which it goes on to the right."""
        shape = self.shapes[from_]
        grid, column, own = self.grid, self.grid.column[node], self.grid.row[node]
        below = grid.clear(column, own + 1, row) if row > own else grid.clear(column, row, own - 1)
        x, y = shape.x + shape.width / 2, shape.y + shape.height / 2
        if from_ == node and (row == own or not self.nodes[node].type.endswith("Gateway")):
            return [(shape.x + shape.width, y)], y
        # Boundary events are left downwards, gateways towards the row: all the way if that is free, else into the gap.
        down = from_ != node or row > own
        edge = shape.y + shape.height if down else shape.y
        gap = self.top[own] + self.high[own] + _GAP_Y / 2 if down else self.top[own] - _GAP_Y / 2
        height = self._middle(row) if below and down == (row > own) else gap
        return [(x, edge), (x, height)], height

    def _forward(self, link: Link, from_: str) -> list[Point]:
        column = self.grid.column[link.source]
        rows = [*self.grid.ways.get(link.flow, []), self.grid.row[link.target]]
        points, y = self._leave(link.source, from_, rows[0])
        for number, row in enumerate(rows):
            at = self._middle(row)
            if at != y:
                x = self._turn(column + number)
                points += [(x, y), (x, at)]
                y = at
        goal = self.shapes[link.target]
        return [*points, (goal.x, goal.y + goal.height / 2)]

    def _around(self, link: Link, from_: str) -> list[Point]:
        """A way below everything between the two ends, for flows that lead backwards."""
        node, target = link.source, link.target
        row, number = self.around[link.flow]
        y = self.top[row] + self.high[row] + _GAP_Y / 2 + _TRACK * number
        shape, goal = self.shapes[from_], self.shapes[target]
        column, own = self.grid.column[node], self.grid.row[node]
        if from_ != node or (self.nodes[node].type.endswith("Gateway") and self.grid.clear(column, own + 1, row)):
            x = shape.x + shape.width / 2
            points = [(x, shape.y + shape.height), (x, y)]
        else:
            x = self._turn(column)
            points = [(shape.x + shape.width, shape.y + shape.height / 2), (x, shape.y + shape.height / 2), (x, y)]
        if self.grid.clear(self.grid.column[target], self.grid.row[target] + 1, row) and node != target:
            x = goal.x + goal.width / 2
            return [*points, (x, y), (x, goal.y + goal.height)]
        x = self._turn(self.grid.column[target] - 1) if self.grid.column[target] else goal.x - _GAP_X / 4
        return [*points, (x, y), (x, goal.y + goal.height / 2), (goal.x, goal.y + goal.height / 2)]


def _size(element: Element) -> tuple[float, float]:
    if element.type.endswith("Event"):
        return _EVENT
    return _GATEWAY if element.type.endswith("Gateway") else _TASK


def _simple(points: list[Point]) -> tuple[Point, ...]:
    """The same way without points that lie on a straight line between their neighbours."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and (kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]):
            kept[-1] = point
        else:
            kept.append(point)
    return tuple(kept)
