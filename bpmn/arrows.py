"""Draws flows: the line with its rounded corners, the head, the slash of a default flow, and what stands beside it."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

from bpmn.canvas import LINE, SMALL, Canvas
from bpmn.diagram import Edge, Flow
from bpmn.lettering import width, wrap
from bpmn.symbols import number

Point = tuple[float, float]
_CORNER = 7.0
_HEAD = 9.0
_WIDEST = 11.0


def flow(canvas: Canvas, part: Flow, edge: Edge, *, default: bool) -> str:
    """A sequence flow with its name, or with its condition where it has no name."""
    canvas.reached += edge.points
    marked = canvas.marked(part.id)
    stroke, thick = (canvas.colours(part.id)[0], "2.2") if marked else (LINE, "1.4")
    name = canvas.name(part)
    said = name or " ".join((part.condition or "").split())
    slash = f'<path d="{_slash(edge.points)}" stroke="{stroke}" stroke-width="1.6"/>' if default else ""
    body = (
        f'<path d="{_rounded(_shortened(edge.points))}" fill="none" stroke="{stroke}" stroke-width="{thick}"/>'
        f'<polygon points="{_head(edge.points)}" fill="{stroke}"/>{slash}{_label(canvas, said, edge)}'
    )
    return canvas.group(part.id, "sequenceFlow", " ".join(filter(None, (name, part.condition))) or part.id, body)


def association(canvas: Canvas, edge: Edge) -> str:
    """The dotted line between a note and what it explains."""
    canvas.reached += edge.points
    line = f'<path d="{_rounded(edge.points)}" fill="none" stroke="{LINE}" stroke-dasharray="2 4"/>'
    return f'<g class="bpmn-association">{line}</g>'


def _label(canvas: Canvas, said: str, edge: Edge) -> str:
    if not said:
        return ""
    if edge.label:
        x, y, wide, _ = edge.label
        lines = wrap(said, max(wide / SMALL, _WIDEST), 3)
        return canvas.lines(lines, x + wide / 2, y + SMALL, size=SMALL, halo=True)
    (x1, y1), (x2, y2) = _longest(edge.points)
    lines = wrap(said, _WIDEST, 2)
    if abs(y1 - y2) < 1:  # above a level line, near its beginning
        half = max(width(line) for line in lines) * SMALL / 2 + 4
        along = min(half + 4, abs(x2 - x1) / 2) * (1 if x2 > x1 else -1)
        return canvas.lines(lines, x1 + along, y1 - 5 - (len(lines) - 1) * SMALL * 1.25, size=SMALL, halo=True)
    return canvas.lines(lines, (x1 + x2) / 2, (y1 + y2) / 2, size=SMALL, halo=True)


def _longest(points: tuple[Point, ...]) -> tuple[Point, Point]:
    """The piece of the line that a name fits best: the first level one long enough, else the longest."""
    pieces = list(pairwise(points))
    level = [(start, end) for start, end in pieces if abs(start[1] - end[1]) < 1 and abs(start[0] - end[0]) >= 40]
    return level[0] if level else max(pieces, key=lambda piece: _length(*piece))


def _length(start: Point, end: Point) -> float:
    return hypot(end[0] - start[0], end[1] - start[1])


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at a distance from ``start`` on the way to ``end``."""
    whole = _length(start, end) or 1.0
    part = distance / whole
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _shortened(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The line as far as the middle of its head, so that it does not show at the tip."""
    before, last = points[-2], points[-1]
    return (*points[:-1], _towards(last, before, min(_HEAD / 2, _length(before, last) / 2)))


def _written(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _rounded(points: tuple[Point, ...]) -> str:
    path = "M" + _written(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_CORNER, _length(before, corner) / 2, _length(corner, after) / 2)
        begin, end = _towards(corner, before, radius), _towards(corner, after, radius)
        path += f"L{_written(begin)}Q{_written(corner)} {_written(end)}"
    return path + "L" + _written(points[-1])


def _head(points: tuple[Point, ...]) -> str:
    """An arrow head whose tip is the end of the line."""
    tip = points[-1]
    # A last piece shorter than the head gives no direction to see.
    before = next((point for point in reversed(points[:-1]) if _length(point, tip) > 1), points[0])
    base = _towards(tip, before, _HEAD)
    whole = _length(tip, before) or 1.0
    aside = ((before[1] - tip[1]) / whole * _HEAD * 0.42, (tip[0] - before[0]) / whole * _HEAD * 0.42)
    corners = [tip, (base[0] + aside[0], base[1] + aside[1]), (base[0] - aside[0], base[1] - aside[1])]
    return " ".join(f"{number(x)},{number(y)}" for x, y in corners)


def _slash(points: tuple[Point, ...]) -> str:
    """The short stroke across the beginning of a default flow."""
    x, y = _towards(points[0], points[1], min(12.0, _length(points[0], points[1]) / 2))
    level = abs(points[0][1] - points[1][1]) <= abs(points[0][0] - points[1][0])
    across, along = (3.0, 6.0) if level else (6.0, 3.0)
    return f"M{_written((x - across, y + along))}L{_written((x + across, y - along))}"
