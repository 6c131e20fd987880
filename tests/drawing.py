"""Process models for the tests of the runtime, written as lines of words, and what a walker may decide in them.

    user   check -> pass
    xor    pass  -> check *e | check=amount_fen > 3
    timer  late  beside check -> remind
    user   vote  [each] -> e | collection=members; item=member
    sub    review -> e {

One element stands on a line, and a line ``}`` closes a subprocess. ``on`` attaches an interrupting boundary event and
``beside`` one that does not interrupt; ``[each]`` makes a parallel and ``[in-turn]`` a sequential multi-instance
activity; ``*`` marks the default flow. A flow is called ``source.target``. Where a line says nothing of it, the walker
decides: which flow a gateway takes (a variable of the gateway's name), how many members an activity has
(``n_activity``) and after how many it stops (``stop_activity``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from random import Random
from typing import Any

from bpmn.diagram import Diagram, Element
from bpmn.reader import read_diagram
from engine.runtime.builder import Model
from tests.harness.models import NAMESPACES

Decisions = dict[str, Any]
MOST_MEMBERS = 3

LINE = re.compile(
    r"(?P<kind>\w+)\s+(?P<id>\w+)(?:\s+(?P<how>on|beside)\s+(?P<host>\w+))?(?:\s+\[(?P<loop>each|in-turn)\])?"
    r"(?:\s*->\s*(?P<targets>[\w *]+?))?\s*(?:\|\s*(?P<more>[^{]+?))?\s*(?P<opens>\{)?"
)
TAGS = {
    "start": "startEvent",
    "end": "endEvent",
    "terminate": "endEvent",
    "user": "userTask",
    "script": "scriptTask",
    "service": "serviceTask",
    "xor": "exclusiveGateway",
    "and": "parallelGateway",
    "or": "inclusiveGateway",
    "events": "eventBasedGateway",
    "timer": "intermediateCatchEvent",
    "message": "intermediateCatchEvent",
    "sub": "subProcess",
    "call": "callActivity",
}
ATTRIBUTES = ("assignee", "due", "excluded", "outcome", "role", "sender")


@dataclass
class Line:
    """One element as written: its words, its flows, and ``more`` by name."""

    kind: str
    id: str
    how: str | None
    host: str | None
    loop: str | None
    flows: list[tuple[str, str]]
    default: str | None
    more: dict[str, str]
    opens: bool

    @classmethod
    def read(cls, text: str) -> Line:
        """The element that a line describes. ValueError if it is not one."""
        found = LINE.fullmatch(text)
        if found is None:
            raise ValueError(f"no element: {text!r}")
        flows: list[tuple[str, str]] = []
        default = None
        for word in (found["targets"] or "").split():
            target = word.lstrip("*")
            flow = f"{found['id']}.{target}"
            while any(flow == other for other, _ in flows):
                flow += "x"
            flows.append((flow, target))
            default = flow if word.startswith("*") else default
        more = dict(part.strip().split("=", 1) for part in (found["more"] or "").split(";") if part.strip())
        words = found["kind"], found["id"], found["how"], found["host"], found["loop"]
        return cls(*words, flows=flows, default=default, more=more, opens=bool(found["opens"]))

    @property
    def tag(self) -> str:
        """The BPMN tag."""
        return "boundaryEvent" if self.host else TAGS[self.kind]

    def opening(self) -> str:
        """The element's tag with its attributes."""
        said = {"id": self.id, "name": self.id}
        if self.host:
            said |= {"attachedToRef": self.host, "cancelActivity": str(self.how == "on").lower()}
        if self.default:
            said["default"] = self.default
        if self.kind == "call":
            said["calledElement"] = self.more["called"]
        said |= {f"policy:{name}": self.more[name] for name in ATTRIBUTES if name in self.more}
        return f"<{self.tag} " + " ".join(f'{name}="{escape(value)}"' for name, value in said.items()) + ">"

    def inside(self) -> Iterator[str]:
        """The parts inside the element, as BPMN orders them."""
        parts = [
            f'<policy:{way} name="{name.removeprefix(way + ".")}" value="{escape(value)}"/>'
            for name, value in self.more.items()
            for way in ("in", "out")
            if name.startswith(way + ".")
        ]
        parts += [
            f'<policy:operation name="{name.removeprefix("do.")}" into="{name.removeprefix("do.")}">'
            f'<policy:with name="value" value="{escape(value)}"/></policy:operation>'
            for name, value in self.more.items()
            if name.startswith("do.")
        ]
        if parts:
            yield f"<extensionElements>{''.join(parts)}</extensionElements>"
        if self.kind == "terminate":
            yield "<terminateEventDefinition/>"
        if self.kind == "message":
            yield f'<messageEventDefinition messageRef="m_{self.id}"/>'
        if self.kind == "timer":
            form = "Date" if "date" in self.more else "Duration"
            said = self.more.get(form.lower(), "P3D")
            yield f"<timerEventDefinition><time{form}>{escape(said)}</time{form}></timerEventDefinition>"
        if self.loop:
            yield self.many()
        if self.kind == "script":
            assignments = [f"{name} = {value}" for name, value in self.more.items()] or [f"{self.id}_done = True"]
            yield f"<script>{escape(chr(10).join(assignments))}</script>"

    def many(self) -> str:
        """The multi-instance marker."""
        said = "".join(
            f' policy:{name}="{escape(self.more[name])}"'
            for name in ("collection", "item", "output", "result")
            if name in self.more
        )
        inner, until = "", self.more.get("until", "")
        if "collection" not in self.more:
            inner = f"<loopCardinality>{self.more.get('n', f'n_{self.id}')}</loopCardinality>"
            until = until or f"nrOfCompletedInstances >= stop_{self.id}"
        if until:
            inner += f"<completionCondition>{escape(until)}</completionCondition>"
        marker = "multiInstanceLoopCharacteristics"
        return f'<{marker} isSequential="{str(self.loop == "in-turn").lower()}"{said}>{inner}</{marker}>'

    def sequence(self) -> Iterator[str]:
        """The flows that leave the element."""
        for flow, target in self.flows:
            condition = self.more.get(target)
            if condition is None and len(self.flows) > 1 and flow != self.default:
                condition = {"xor": f"{self.id} == '{flow}'", "or": f"'{flow}' in {self.id}"}.get(self.kind)
            inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
            yield f'<sequenceFlow id="{flow}" sourceRef="{self.id}" targetRef="{target}">{inner}</sequenceFlow>'


def written(process: str, text: str) -> bytes:
    """The BPMN file of a process written as lines."""
    body: list[str] = []
    around: list[str] = []
    closing: list[list[str]] = []
    for stripped in filter(None, map(str.strip, text.splitlines())):
        if stripped == "}":
            body += closing.pop()
            continue
        line = Line.read(stripped)
        if line.kind == "message":
            around.append(f'<message id="m_{line.id}" name="{line.more.get("name", line.id)}"/>')
        end = [f"</{line.tag}>", *line.sequence()]
        body += [line.opening(), *line.inside(), *([] if line.opens else end)]
        if line.opens:
            closing.append(end)
    head = f'<definitions {NAMESPACES} targetNamespace="urn:test">'
    opening = f'<process id="{process}" name="{process}" isExecutable="true">'
    return "\n".join([head, *around, opening, *body, "</process></definitions>"]).encode()


@dataclass
class Drawn:
    """A process with those it calls: as diagrams, as a model that runs, and what there is to decide in it."""

    main: str
    files: Mapping[str, bytes]
    diagrams: Mapping[str, Diagram] = field(init=False)

    def __post_init__(self) -> None:
        self.diagrams = {name: read_diagram(data, f"{name}.bpmn") for name, data in self.files.items()}

    @cached_property
    def model(self) -> Model:
        """What a case runs on."""
        return Model(self.main, self.diagrams)

    @cached_property
    def open_questions(self) -> list[tuple[Element, Diagram]]:
        """The elements about which a walker decides."""
        return [
            (element, diagram)
            for diagram in self.diagrams.values()
            for element in diagram.elements.values()
            if element.loop or (element.type in ("exclusiveGateway", "inclusiveGateway") and len(element.outgoing) > 1)
        ]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the variables that hold decisions."""
        return frozenset(self.decide(Random(0)))

    def decide(self, random: Random) -> Decisions:
        """A decision about everything there is to decide, as variables."""
        decisions: Decisions = {}
        for element, _ in self.open_questions:
            if element.loop:
                decisions[f"n_{element.id}"] = random.randint(0, MOST_MEMBERS)
                decisions[f"stop_{element.id}"] = random.randint(1, MOST_MEMBERS)
            if element.type == "exclusiveGateway":
                decisions[element.id] = random.choice(element.outgoing)
            elif element.type == "inclusiveGateway":
                chosen = [flow for flow in element.outgoing if random.random() < 0.5]
                decisions[element.id] = chosen if chosen or element.default else [random.choice(element.outgoing)]
        return decisions


def draw(text: str, **called: str) -> Drawn:
    """A process written as lines; those it calls are given by name. Its own name is ``p``."""
    return Drawn("p", {"p": written("p", text), **{name: written(name, lines) for name, lines in called.items()}})
