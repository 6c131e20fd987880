"""Draws a diagram as one self-contained SVG: static, without script and inline style, readable aloud. Decides nothing.

Colours and widths are presentation attributes, which a site's stylesheet may override by class: every element is a group
``<g data-element="…" class="bpmn-userTask is-open">`` with a title of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Literal

from bpmn import symbols
from bpmn.diagram import Diagram, Edge, Element, Flow, Lane, Shape
from bpmn.layout import Drawing, hidden, place
from bpmn.lettering import width, wrap
from bpmn.symbols import INK, PAPER, number
from forms.words import Language, Text

Mark = Literal["open", "done", "overdue", "finding"]
Marks = Mapping[str, frozenset[Mark]]

LINE = "#5a677d"
_BAND = "#f4f6fa"
_FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, WenQuanYi Micro Hei, sans-serif"
_SIZE = 12
_MARGIN = 20.0
# Of several marks the first here gives the colour: (frame, inside).
_COLOURS: Mapping[Mark, tuple[str, str]] = {
    "finding": ("#b3261e", "#fdeceb"),
    "overdue": ("#b3261e", "#fdeceb"),
    "open": ("#b45f06", "#fff4dc"),
    "done": ("#2f7d4f", "#eaf5ee"),
}
_STATES: Mapping[Mark, Text] = {
    "finding": Text("有问题", "has findings"),
    "overdue": Text("已逾期", "overdue"),
    "open": Text("正在办理", "in progress"),
    "done": Text("已完成", "done"),
}
_TYPES: Mapping[str, Text] = {
    "startEvent": Text("开始", "start"),
    "endEvent": Text("结束", "end"),
    "intermediateCatchEvent": Text("等待", "waiting event"),
    "boundaryEvent": Text("边界事件", "boundary event"),
    "userTask": Text("用户任务", "user task"),
    "scriptTask": Text("脚本任务", "script task"),
    "serviceTask": Text("服务任务", "service task"),
    "callActivity": Text("调用流程", "called process"),
    "subProcess": Text("子流程", "subprocess"),
    "exclusiveGateway": Text("排他网关", "exclusive gateway"),
    "parallelGateway": Text("并行网关", "parallel gateway"),
    "inclusiveGateway": Text("包容网关", "inclusive gateway"),
    "eventBasedGateway": Text("事件网关", "event gateway"),
}
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw(diagram: Diagram, marks: Marks, language: Language, *, title: str) -> str:
    """The diagram as SVG text. ``marks`` says of elements and flows where the case stands and what was found."""
    return _Picture(diagram, marks, language).draw(title)


def _safe(text: str) -> str:
    return escape(_UNPRINTABLE.sub("", text), quote=True)


class _Picture:
    def __init__(self, diagram: Diagram, marks: Marks, language: Language) -> None:
        self.diagram = diagram
        self.language: Language = language
        self.drawing: Drawing = place(diagram)
        self.bounds: list[tuple[float, float]] = []
        self.marks: dict[str, frozenset[Mark]] = dict(marks)
        # What happens inside a closed box is shown on the box.
        for inner, box in hidden(diagram, self.drawing.shapes).items():
            self.marks[box] = self.marks.get(box, frozenset()) | marks.get(inner, frozenset())

    def draw(self, title: str) -> str:
        parts = [*self._lanes(), *self._boxes(), *self._edges(), *self._nodes(), *self._notes()]
        left, top = (min(values, default=0) - _MARGIN for values in self._axes())
        right, bottom = (max(values, default=0) + _MARGIN for values in self._axes())
        wide, high = number(right - left), number(bottom - top)
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bpmn" role="img" width="{wide}" height="{high}" '
            f'viewBox="{number(left)} {number(top)} {wide} {high}" font-family="{_FONT}" font-size="{_SIZE}">',
            f"<title>{_safe(title)}</title>",
            f"<desc>{_safe(self._description())}</desc>",
            *parts,
            "</svg>",
        ])

    def _axes(self) -> Iterable[list[float]]:
        return [x for x, _ in self.bounds], [y for _, y in self.bounds]

    def _description(self) -> str:
        """Where the case stands, in words, for whoever does not see the picture."""
        said = []
        for mark in ("open", "overdue", "finding", "done"):
            names = [self._name(each) or each.id for each in self.diagram.elements.values()
                     if mark in self.marks.get(each.id, ())]
            if names:
                joint = "、" if self.language == "zh" else ", "
                said.append(f"{_STATES[mark].said(self.language)}: {joint.join(names)}")
        steps = len(self.diagram.elements)
        return ". ".join([Text(f"流程图，{steps} 个环节", f"process diagram of {steps} elements").said(self.language), *said])

    def _name(self, element: Element | Lane | Flow) -> str:
        english = element.policy.get("name-en", "") if isinstance(element, Element) else element.name_en
        return Text(element.name, english).said(self.language)

    # -- marks -------------------------------------------------------------------------------------------------------

    def _classes(self, kind: str, key: str) -> str:
        states = "".join(f" is-{mark}" for mark in _COLOURS if mark in self.marks.get(key, ()))
        return f'class="bpmn-{_safe(kind)}{states}"'

    def _colours(self, key: str) -> tuple[str, str] | None:
        return next((colours for mark, colours in _COLOURS.items() if mark in self.marks.get(key, ())), None)

    def _group(self, element: Element, inner: str) -> str:
        kind = _TYPES.get(element.type, Text(element.type, element.type)).said(self.language)
        states = [state.said(self.language) for mark, state in _STATES.items() if mark in self.marks.get(element.id, ())]
        joint = "，" if self.language == "zh" else ", "
        said = joint.join([kind, *states])
        label = f"{self._name(element) or element.id} ({said})"
        return (
            f'<g data-element="{_safe(element.id)}" {self._classes(element.type, element.id)}>'
            f"<title>{_safe(label)}</title>{inner}</g>"
        )

    def _badge(self, shape: Shape) -> str:
        for mark, (colour, _) in _COLOURS.items():
            if mark in self.marks.get(shape.element, ()):
                return symbols.badge(mark, shape.x + shape.width, shape.y, colour)
        return ""

    # -- text --------------------------------------------------------------------------------------------------------

    def _lines(self, lines: list[str], x: float, y: float, *, size: float = _SIZE, more: str = "") -> str:
        """Centred lines, the first one's baseline at ``y``."""
        step = size * 1.25
        for at, line in enumerate(lines):
            half = width(line) * size / 2
            self.bounds += [(x - half, y - size + at * step), (x + half, y + at * step + 4)]
        return "".join(
            f'<text x="{number(x)}" y="{number(y + at * step)}" text-anchor="middle" fill="{INK}"'
            f'{"" if size == _SIZE else f" font-size={chr(34)}{number(size)}{chr(34)}"}{more}>{_safe(line)}</text>'
            for at, line in enumerate(lines)
        )

    def _label(self, text: str, shape: Shape) -> str:
        """The name of an event or gateway: where the file puts it, otherwise below."""
        if not text:
            return ""
        if shape.label:
            x, y, wide, _ = shape.label
            return self._halo(wrap(text, max(wide, 90) / _SIZE, 4), x + wide / 2, y + _SIZE - 1)
        below = shape.y + shape.height + _SIZE + 3
        return self._halo(wrap(text, 8, 3), shape.x + shape.width / 2, below)

    def _halo(self, lines: list[str], x: float, y: float, size: float = 11) -> str:
        more = f' stroke="{PAPER}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
        return self._lines(lines, x, y, size=size, more=more)

    # -- lanes, boxes, notes -----------------------------------------------------------------------------------------

    def _lanes(self) -> Iterable[str]:
        for lane in self.diagram.lanes:
            shape = self.drawing.shapes.get(lane.id)
            if shape is None:
                continue
            self._span(shape)
            name = self._name(lane)
            kind = "participant" if lane.pool else "lane"
            x, y = shape.x + 19, shape.y + shape.height / 2
            if shape.horizontal:
                lines = wrap(name, max(shape.height - 16, 24) / 13, 1)
                text = f' transform="rotate(-90 {number(x)} {number(y)})"'
                strip = f'<path d="M{number(shape.x + 30)} {number(shape.y)}v{number(shape.height)}" stroke="{LINE}"/>'
            else:
                x, y = shape.x + shape.width / 2, shape.y + 19
                lines, text = wrap(name, max(shape.width - 16, 24) / 13, 1), ""
                strip = f'<path d="M{number(shape.x)} {number(shape.y + 30)}h{number(shape.width)}" stroke="{LINE}"/>'
            written = "".join(
                f'<text x="{number(x)}" y="{number(y)}" text-anchor="middle" font-size="13" fill="{INK}"{text}>{_safe(line)}'
                "</text>" for line in lines
            )
            yield (
                f'<g data-element="{_safe(lane.id)}" class="bpmn-{kind}"><title>{_safe(name or lane.id)}</title>'
                f'<rect {_frame(shape)} fill="{PAPER if lane.pool else _BAND}" stroke="{LINE}"/>{strip}{written}</g>'
            )

    def _boxes(self) -> Iterable[str]:
        """Subprocesses whose inside is shown, outer ones first."""
        for element in self.diagram.elements.values():
            shape = self.drawing.shapes.get(element.id)
            if shape is None or not self._opened(element, shape):
                continue
            self._span(shape)
            frame, inside = self._colours(element.id) or (INK, PAPER)
            dashed = ' stroke-dasharray="6 4"' if element.type == "eventSubProcess" else ""
            lines = wrap(self._name(element), (shape.width - 30) / _SIZE, 1)
            loop = self._loop(element, shape)
            yield self._group(element, (
                f'<rect {_frame(shape)} rx="10" fill="{inside}" fill-opacity="0.55" stroke="{frame}" stroke-width="1.6"'
                f"{dashed}/>{self._lines(lines, shape.x + shape.width / 2, shape.y + 20)}{loop}{self._badge(shape)}"
            ))

    def _opened(self, element: Element, shape: Shape) -> bool:
        is_box = element.type in ("subProcess", "eventSubProcess", "transaction", "adHocSubProcess")
        return is_box and shape.expanded and any(each in self.drawing.shapes for each in self._inside.get(element.id, ()))

    @property
    def _inside(self) -> Mapping[str, list[str]]:
        inside: dict[str, list[str]] = {}
        for element in self.diagram.elements.values():
            inside.setdefault(element.container, []).append(element.id)
        return inside

    def _notes(self) -> Iterable[str]:
        for key, text in self.diagram.notes.items():
            shape = self.drawing.shapes.get(key)
            if shape:
                self._span(shape)
                lines = wrap(text, (shape.width - 12) / 11, max(int(shape.height // 14), 1))
                left = "".join(
                    f'<text x="{number(shape.x + 8)}" y="{number(shape.y + 15 + at * 14)}" font-size="11" fill="{INK}">'
                    f"{_safe(line)}</text>" for at, line in enumerate(lines)
                )
                bracket = f"M{number(shape.x + 10)} {number(shape.y)}h-10v{number(shape.height)}h10"
                yield (
                    f'<g data-element="{_safe(key)}" class="bpmn-textAnnotation">'
                    f'<path d="{bracket}" fill="none" stroke="{LINE}"/>{left}</g>'
                )
