"""Draws a diagram as one self-contained SVG: static, without script and inline style, readable aloud. Decides nothing.

Colours and widths are presentation attributes, which a site's stylesheet may override by class: every part is a group
``<g data-element="…" class="bpmn-userTask is-open">`` with a title of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from bpmn import arrows, figures
from bpmn.canvas import STATES, Canvas, Mark, Marks, safe
from bpmn.diagram import Diagram
from bpmn.layout import Drawing, hidden, place
from bpmn.symbols import number
from forms.words import Language, Text

__all__ = ["Mark", "Marks", "draw"]

_FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, WenQuanYi Micro Hei, sans-serif"
_MARGIN = 20.0


def draw(diagram: Diagram, marks: Marks, language: Language, *, title: str) -> str:
    """The diagram as SVG text.

    ``marks`` says of elements and flows, by id, where the case stands (``open``, ``done``, ``overdue``) and what has a
    ``finding``. Names are English where the language is and the file gives one.
    """
    drawing = place(diagram)
    canvas = Canvas(_shown(diagram, drawing, marks), language)
    background = list(_background(canvas, diagram, drawing))
    parts = [*background, *_lines(canvas, diagram, drawing), *_nodes(canvas, diagram, drawing)]
    across, down = [x for x, _ in canvas.reached] or [0.0], [y for _, y in canvas.reached] or [0.0]
    left, top = min(across) - _MARGIN, min(down) - _MARGIN
    wide, high = number(max(across) + _MARGIN - left), number(max(down) + _MARGIN - top)
    size = f'width="{wide}" height="{high}" viewBox="{number(left)} {number(top)} {wide} {high}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bpmn" role="img" {size} font-family="{_FONT}">',
        f"<title>{safe(title)}</title>",
        f"<desc>{safe(_description(canvas, diagram))}</desc>",
        *parts,
        "</svg>",
    ])


def _shown(diagram: Diagram, drawing: Drawing, marks: Marks) -> Marks:
    """The marks, those inside a closed box on the box."""
    shown = dict(marks)
    for inner, box in hidden(diagram, drawing.shapes).items():
        shown[box] = shown.get(box, frozenset()) | marks.get(inner, frozenset())
    return shown


def _description(canvas: Canvas, diagram: Diagram) -> str:
    """Where the case stands, in words, for whoever does not see the picture."""
    count = len(diagram.elements)
    said = [Text(f"流程图，共 {count} 个元素", f"process diagram of {count} elements").said(canvas.language)]
    for mark, state in STATES.items():
        names = [canvas.name(each) or each.id for each in diagram.elements.values() if mark in canvas.marked(each.id)]
        if names:
            said.append(f"{state.said(canvas.language)}: {', '.join(names)}")
    return "; ".join(said)


def _background(canvas: Canvas, diagram: Diagram, drawing: Drawing) -> Iterable[str]:
    for lane in diagram.lanes:
        if lane.id in drawing.shapes:
            yield figures.lane(canvas, lane, drawing.shapes[lane.id])
    for box in _opened(diagram, drawing):
        yield figures.box(canvas, diagram.elements[box], drawing.shapes[box])


def _opened(diagram: Diagram, drawing: Drawing) -> list[str]:
    """The subprocesses whose inside is drawn, outer ones first (as in the file)."""
    shown = {element.container for element in diagram.elements.values() if element.id in drawing.shapes}
    return [key for key in diagram.elements if key in shown and key in drawing.shapes]


def _lines(canvas: Canvas, diagram: Diagram, drawing: Drawing) -> Iterable[str]:
    defaults = {element.default for element in diagram.elements.values() if element.default}
    for key, edge in drawing.edges.items():
        if key in diagram.flows:
            yield arrows.flow(canvas, diagram.flows[key], edge, default=key in defaults)
        else:
            yield arrows.association(canvas, edge)


def _nodes(canvas: Canvas, diagram: Diagram, drawing: Drawing) -> Iterable[str]:
    opened = frozenset(_opened(diagram, drawing))
    shown = [each for each in diagram.elements.values() if each.id in drawing.shapes and each.id not in opened]
    # Boundary events lie above the activities they are attached to.
    for element in sorted(shown, key=lambda each: each.attached_to is not None):
        yield figures.node(canvas, element, drawing.shapes[element.id])
    for key, text in diagram.notes.items():
        if key in drawing.shapes:
            yield figures.note(canvas, key, text, drawing.shapes[key])
