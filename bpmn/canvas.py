"""What every part of a picture needs: colours by mark, groups with titles, lettering, and the reach of the drawing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Literal

from bpmn import symbols
from bpmn.diagram import Element, Flow, Lane, Shape
from bpmn.lettering import shortened, width, wrap
from bpmn.symbols import INK, PAPER, number
from forms.words import Language, Text

Mark = Literal["open", "done", "overdue", "finding"]
Marks = Mapping[str, frozenset[Mark]]

LINE = "#5a677d"
SIZE = 12.0
SMALL = 11.0

# Of several marks the first here gives the colour: (frame, inside).
COLOURS: Mapping[Mark, tuple[str, str]] = {
    "finding": ("#b3261e", "#fdeceb"),
    "overdue": ("#b3261e", "#fdeceb"),
    "open": ("#b45f06", "#fff4dc"),
    "done": ("#2f7d4f", "#eaf5ee"),
}
STATES: Mapping[Mark, Text] = {
    "finding": Text("有问题", "has findings"),
    "overdue": Text("已逾期", "overdue"),
    "open": Text("正在办理", "in progress"),
    "done": Text("已完成", "done"),
}
TYPES: Mapping[str, Text] = {
    "startEvent": Text("开始", "start"),
    "endEvent": Text("结束", "end"),
    "intermediateCatchEvent": Text("等待", "waiting event"),
    "boundaryEvent": Text("边界事件", "boundary event"),
    "userTask": Text("用户任务", "user task"),
    "scriptTask": Text("脚本任务", "script task"),
    "serviceTask": Text("服务任务", "service task"),
    "callActivity": Text("调用流程", "called process"),
    "subProcess": Text("子流程", "subprocess"),
    "dataObjectReference": Text("数据对象", "data object"),
    "dataStoreReference": Text("数据存储", "data store"),
    "exclusiveGateway": Text("排他网关", "exclusive gateway"),
    "parallelGateway": Text("并行网关", "parallel gateway"),
    "inclusiveGateway": Text("包容网关", "inclusive gateway"),
    "eventBasedGateway": Text("事件网关", "event gateway"),
}
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(text: str) -> str:
    """Text as XML may hold it, in elements and in attributes."""
    return escape(_UNPRINTABLE.sub("", text), quote=True)


def frame(shape: Shape) -> str:
    """The place of a shape as attributes of a rectangle."""
    return (
        f'x="{number(shape.x)}" y="{number(shape.y)}" width="{number(shape.width)}" height="{number(shape.height)}"'
    )


class Canvas:
    """One picture being drawn: what is marked in it, in which language, and the points it reaches."""

    def __init__(self, marks: Marks, language: Language) -> None:
        self.marks = marks
        self.language: Language = language
        self.reached: list[tuple[float, float]] = []

    def cover(self, shape: Shape) -> None:
        """The picture reaches as far as this shape."""
        self.reached += [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]

    def name(self, part: Element | Lane | Flow) -> str:
        """The name of a part in the language of the picture; Chinese where there is no English one."""
        english = part.policy.get("name-en", "") if isinstance(part, Element) else part.name_en
        return Text(part.name, english).said(self.language)

    def marked(self, key: str) -> list[Mark]:
        """The marks of a part, the one that gives the colour first."""
        return [mark for mark in COLOURS if mark in self.marks.get(key, ())]

    def colours(self, key: str) -> tuple[str, str]:
        """Frame and inside of a part."""
        marked = self.marked(key)
        return COLOURS[marked[0]] if marked else (INK, PAPER)

    def group(self, key: str, kind: str, title: str, inner: str) -> str:
        """A part of the picture: found by ``data-element``, coloured by class, named by its title."""
        states = "".join(f" is-{mark}" for mark in self.marked(key))
        return (
            f'<g data-element="{safe(key)}" class="bpmn-{safe(kind)}{states}">'
            f"<title>{safe(shortened(title))}</title>{inner}</g>"
        )

    def element(self, element: Element, inner: str) -> str:
        """The group of an element; its title says name, kind and state."""
        kind = TYPES.get(element.type, Text(element.type, "")).said(self.language)
        said = [kind, *(STATES[mark].said(self.language) for mark in self.marked(element.id))]
        title = f"{self.name(element) or element.id} ({', '.join(said)})"
        return self.group(element.id, element.type, title, inner)

    def badge(self, shape: Shape) -> str:
        """The sign of an element's state, at its upper right corner."""
        marked = self.marked(shape.element)
        if not marked:
            return ""
        return symbols.badge(marked[0], shape.x + shape.width, shape.y, COLOURS[marked[0]][0])

    def lines(self, lines: list[str], x: float, y: float, *, size: float = SIZE, halo: bool = False) -> str:
        """Lines centred at ``x``, the baseline of the first at ``y``; a halo keeps them readable above flows."""
        more = f' stroke="{PAPER}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"' if halo else ""
        written = []
        for at, line in enumerate(lines):
            base, half = y + at * size * 1.25, width(line) * size / 2
            self.reached += [(x - half, base - size), (x + half, base + 4)]
            written.append(f'<text x="{number(x)}" y="{number(base)}" text-anchor="middle" font-size="{number(size)}" '
                           f'fill="{INK}"{more}>{safe(line)}</text>')
        return "".join(written)

    def label(self, text: str, shape: Shape) -> str:
        """The name of an event or gateway: where the file puts it, otherwise below."""
        if not text:
            return ""
        if shape.label:
            x, y, wide, _ = shape.label
            return self.lines(wrap(text, max(wide, 90.0) / SMALL, 4), x + wide / 2, y + SMALL, size=SMALL, halo=True)
        below = shape.y + shape.height + SMALL + 4
        return self.lines(wrap(text, 9, 3), shape.x + shape.width / 2, below, size=SMALL, halo=True)
