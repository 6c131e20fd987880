"""Draws what has a place: lanes, opened subprocesses, tasks, events, gateways and notes."""

from __future__ import annotations

from dataclasses import replace

from bpmn import symbols
from bpmn.canvas import LINE, SIZE, SMALL, Canvas, frame, safe
from bpmn.diagram import Element, Lane, Shape
from bpmn.lettering import wrap
from bpmn.symbols import INK, PAPER, number

_BAND = "#f6f8fb"
_HEADER = 30.0
_BOXES = frozenset({"subProcess", "eventSubProcess", "transaction", "adHocSubProcess"})


def lane(canvas: Canvas, part: Lane, shape: Shape) -> str:
    """A lane or participant: a box with its name in a strip at the left, or at the top of an upright one."""
    canvas.cover(shape)
    name = canvas.name(part)
    if shape.horizontal:
        x, y, length = shape.x + 19, shape.y + shape.height / 2, shape.height
        strip, turned = f"M{number(shape.x + _HEADER)} {number(shape.y)}v{number(shape.height)}", True
    else:
        x, y, length = shape.x + shape.width / 2, shape.y + 19, shape.width
        strip, turned = f"M{number(shape.x)} {number(shape.y + _HEADER)}h{number(shape.width)}", False
    turn = f' transform="rotate(-90 {number(x)} {number(y)})"' if turned else ""
    written = "".join(
        f'<text x="{number(x)}" y="{number(y)}" text-anchor="middle" font-size="13" fill="{INK}"{turn}>'
        f"{safe(line)}</text>" for line in wrap(name, max(length - 12, 26) / 13, 1)
    )
    fill, kind = (PAPER, "participant") if part.pool else (_BAND, "lane")
    return canvas.group(part.id, kind, name or part.id, (
        f'<rect {frame(shape)} fill="{fill}" stroke="{LINE}"/><path d="{strip}" fill="none" stroke="{LINE}"/>{written}'
    ))


def box(canvas: Canvas, element: Element, shape: Shape) -> str:
    """A subprocess whose inside is shown."""
    canvas.cover(shape)
    stroke, fill = canvas.colours(element.id)
    dashed = _border(element)
    title = wrap(canvas.name(element), (shape.width - 40) / SIZE, 1)
    name = canvas.lines(title, shape.x + shape.width / 2, shape.y + 20)
    return canvas.element(element, (
        f'<rect {frame(shape)} rx="10" fill="{fill}" fill-opacity="0.6" stroke="{stroke}" stroke-width="1.6"{dashed}/>'
        f"{_second_border(element, shape, stroke)}{name}{_loop(element, shape, 0)}{canvas.badge(shape)}"
    ))


def node(canvas: Canvas, element: Element, shape: Shape) -> str:
    """A task, closed subprocess, event or gateway."""
    canvas.cover(shape)
    if element.type.endswith("Event"):
        return _event(canvas, element, shape)
    if element.type.endswith("Gateway"):
        return _gateway(canvas, element, shape)
    if element.type.startswith("data"):
        return _data(canvas, element, shape)
    return _activity(canvas, element, shape)


def note(canvas: Canvas, key: str, text: str, shape: Shape) -> str:
    """A text annotation behind its bracket."""
    canvas.cover(shape)
    lines = wrap(text, (shape.width - 12) / SMALL, max(int(shape.height // 14), 1))
    written = "".join(
        f'<text x="{number(shape.x + 8)}" y="{number(shape.y + 15 + at * 14)}" font-size="{number(SMALL)}" '
        f'fill="{INK}">{safe(line)}</text>' for at, line in enumerate(lines)
    )
    bracket = f"M{number(shape.x + 10)} {number(shape.y)}h-10v{number(shape.height)}h10"
    return canvas.group(key, "textAnnotation", text, f'<path d="{bracket}" fill="none" stroke="{LINE}"/>{written}')


def _activity(canvas: Canvas, element: Element, shape: Shape) -> str:
    stroke, fill = canvas.colours(element.id)
    plain = "2.2" if canvas.marked(element.id) else "1.4"
    thick = "3.6" if element.type == "callActivity" else plain
    body = f'<rect {frame(shape)} rx="9" fill="{fill}" stroke="{stroke}" stroke-width="{thick}"{_border(element)}/>'
    body += _second_border(element, shape, stroke)
    sign = symbols.task_sign(element.type, shape.x + 6, shape.y + 6)
    closed = element.type in _BOXES or element.type == "callActivity"
    below = 16.0 if closed or element.loop or element.repeat else 0.0
    text = _name(canvas, canvas.name(element) or element.id, shape, below, beside_sign=bool(sign))
    plus = symbols.closed_sign(shape.x + shape.width / 2, shape.y + shape.height - 9) if closed else ""
    return canvas.element(element, f"{body}{sign}{text}{plus}{_loop(element, shape, 18 if closed else 0)}"
                                   f"{canvas.badge(shape)}")


def _border(element: Element) -> str:
    return ' stroke-dasharray="2 4" stroke-linecap="round"' if element.type == "eventSubProcess" else ""


def _second_border(element: Element, shape: Shape, stroke: str) -> str:
    """A transaction has two borders."""
    if element.type != "transaction":
        return ""
    inner = replace(shape, x=shape.x + 3, y=shape.y + 3, width=shape.width - 6, height=shape.height - 6)
    return f'<rect {frame(inner)} rx="7" fill="none" stroke="{stroke}" stroke-width="1"/>'


def _name(canvas: Canvas, name: str, shape: Shape, below: float, *, beside_sign: bool) -> str:
    """The name in the middle of an activity, clear of the sign in its corner and of what stands at its lower edge."""
    size, above = SIZE, 0.0
    lines = wrap(name, (shape.width - 14) / size, 9)
    if beside_sign and len(lines) * size * 1.25 > shape.height - below - 36:
        above = 18.0
    room = shape.height - 6 - below - above
    if len(lines) * size * 1.25 > room:
        size = SMALL
        lines = wrap(name, (shape.width - 10) / size, max(int(room // (size * 1.25)), 1))
    top = shape.y + 2 + above + (room - len(lines) * size * 1.25) / 2 + size
    return canvas.lines(lines, shape.x + shape.width / 2, top, size=size)


def _loop(element: Element, shape: Shape, aside: float) -> str:
    x, y = shape.x + shape.width / 2 - aside, shape.y + shape.height - 9
    if element.repeat is not None:
        return symbols.again_sign(x, y)
    if element.loop is None:
        return ""
    return symbols.loop_sign(x, y, sequential=element.loop.sequential)


def _event(canvas: Canvas, element: Element, shape: Shape) -> str:
    stroke, fill = canvas.colours(element.id)
    x, y, radius = shape.x + shape.width / 2, shape.y + shape.height / 2, shape.width / 2
    kind = element.event.kind if element.event else "none"
    if element.type == "startEvent":
        rings = [(radius, "1.4")]
    elif element.type == "endEvent":
        rings = [(radius - 1, "3.4")]
    else:
        rings = [(radius, "1.3"), (radius - 3, "1.3")]
    dashed = "" if element.interrupting else ' stroke-dasharray="4 3"'
    circles = "".join(
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(each)}" fill="{fill if not at else "none"}" '
        f'stroke="{stroke}" stroke-width="{thick}"{dashed}/>' for at, (each, thick) in enumerate(rings)
    )
    throws = element.type in ("endEvent", "intermediateThrowEvent")
    sign = symbols.event_sign(kind, x, y, throws=throws, scale=shape.width / 36)
    return canvas.element(element, f"{circles}{sign}{canvas.label(canvas.name(element), shape)}{canvas.badge(shape)}")


def _data(canvas: Canvas, element: Element, shape: Shape) -> str:
    """A sheet with a folded corner, or a store."""
    stroke, fill = canvas.colours(element.id)
    wide, high, part = shape.width, shape.height, min(shape.width, shape.height) / 4
    if element.type == "dataStoreReference":
        arc = f"{number(wide / 2)} {number(part / 2)} 0 0 "
        path = (
            f"M{number(shape.x)} {number(shape.y + part / 2)}a{arc}0 {number(wide)} 0a{arc}0 {number(-wide)} 0"
            f"v{number(high - part)}a{arc}0 {number(wide)} 0v{number(part - high)}"
        )
    else:
        path = (
            f"M{number(shape.x)} {number(shape.y)}h{number(wide - part)}l{number(part)} {number(part)}"
            f"v{number(high - part)}h{number(-wide)}z"
        )
    body = f'<path d="{path}" fill="{fill}" stroke="{stroke}" stroke-width="1.4"/>'
    return canvas.element(element, f"{body}{canvas.label(canvas.name(element), shape)}{canvas.badge(shape)}")


def _gateway(canvas: Canvas, element: Element, shape: Shape) -> str:
    stroke, fill = canvas.colours(element.id)
    x, y = shape.x + shape.width / 2, shape.y + shape.height / 2
    corners = [(x, shape.y), (shape.x + shape.width, y), (x, shape.y + shape.height), (shape.x, y)]
    points = " ".join(f"{number(px)},{number(py)}" for px, py in corners)
    body = f'<polygon points="{points}" fill="{fill}" stroke="{stroke}" stroke-width="1.5" stroke-linejoin="round"/>'
    sign = symbols.gateway_sign(element.type, x, y)
    return canvas.element(element, f"{body}{sign}{canvas.label(canvas.name(element), shape)}{canvas.badge(shape)}")
