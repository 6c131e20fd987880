"""Reads where a diagram's parts are drawn (BPMN DI). Parts without a sound place are left to ``bpmn.layout``."""

from __future__ import annotations

import math

from bpmn.diagram import Edge, Shape
from bpmn.dialects import DC, DD, DI
from bpmn.safe_xml import Node

Box = tuple[float, float, float, float]
_FARTHEST = 1_000_000.0


def read_shapes(root: Node) -> tuple[dict[str, Shape], dict[str, Edge]]:
    """The shapes and edges of the file by the id of what they draw; the first drawing of a thing counts."""
    drawn = [node for node in root.walk() if node.namespace == DI]
    # A box with a plane of its own is shown closed.
    planes = {_meant(node) for node in drawn if node.name == "BPMNPlane"}
    shapes: dict[str, Shape] = {}
    edges: dict[str, Edge] = {}
    for node in drawn:
        key = _meant(node)
        if node.name == "BPMNShape" and key not in shapes and (box := _box(node.first(DC, "Bounds"))):
            shapes[key] = Shape(key, *box, horizontal=node.flag("isHorizontal", default=True),
                                expanded=node.flag("isExpanded", default=key not in planes), label=_label(node))
        elif node.name == "BPMNEdge" and key not in edges:
            points = [_point(point) for point in node.all(DD, "waypoint")]
            sound = tuple(point for point in points if point is not None)
            if len(sound) == len(points) >= 2:
                edges[key] = Edge(key, sound, _label(node))
    return shapes, edges


def _meant(node: Node) -> str:
    return node.get("bpmnElement").rpartition(":")[2]


def _label(node: Node) -> Box | None:
    label = node.first(DI, "BPMNLabel")
    return _box(label.first(DC, "Bounds")) if label else None


def _box(bounds: Node | None) -> Box | None:
    if bounds is None:
        return None
    x, y, width, height = (_number(bounds.get(name)) for name in ("x", "y", "width", "height"))
    if x is None or y is None or width is None or height is None or width <= 0 or height <= 0:
        return None
    return x, y, width, height


def _point(node: Node) -> tuple[float, float] | None:
    x, y = _number(node.get("x")), _number(node.get("y"))
    return None if x is None or y is None else (x, y)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _FARTHEST else None


