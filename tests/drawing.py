"""Process models for the tests of the runtime, written as lines of words, and what a walker may decide in them.

    user   check -> pass
    xor    pass  -> check *e | check=amount_fen > 3
    timer  late  beside check -> remind
    user   vote  [each] -> e | collection=members; item=member
    sub    review -> e {

One element stands on a line, and a line ``}`` closes a subprocess. ``on`` attaches an interrupting boundary event and
``beside`` one that does not interrupt; at ``scope`` it is the start of the event subprocess (``handler``) it stands in,
``on process`` an event by which cases of the process begin.
``[each]`` makes a parallel and ``[in-turn]`` a sequential multi-instance activity, ``[again]`` a standard loop. ``*``
marks the default flow and ``?`` one that an activity takes on a condition. ``throw`` and ``end`` throw what they say
after ``|`` (``error=E1``, ``escalation=X``, ``signal=s``, ``message=m``, ``link=l``), ``linked`` catches a link.

A flow is called ``source.target``. Where a line says nothing of it, the walker decides: which flow a gateway takes (a
variable of the gateway's name) or an activity (``go_activity``), how many members an activity has (``n_activity``) and
after how many it stops (``stop_activity``), whether it is done again (``again_activity``), and whether a condition
holds (``holds_event``).
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
    r"(?P<kind>\w+)\s+(?P<id>\w+)(?:\s+(?P<how>on|beside)\s+(?P<host>\w+))?(?:\s+\[(?P<loop>each|in-turn|again)\])?"
    r"(?:\s*->\s*(?P<targets>[\w *?]+?))?\s*(?:\|\s*(?P<more>[^{]+?))?\s*(?P<opens>\{)?"
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
    "signal": "intermediateCatchEvent",
    "cond": "intermediateCatchEvent",
    "linked": "intermediateCatchEvent",
    "throw": "intermediateThrowEvent",
    "send": "sendTask",
    "receive": "receiveTask",
    "manual": "manualTask",
    "sub": "subProcess",
    "transaction": "transaction",
    "handler": "subProcess",
    "call": "callActivity",
}
ATTRIBUTES = ("assignee", "due", "excluded", "fourEyes", "into", "key", "outcome", "role", "sender")
LOOPS = {"before": "testBefore", "most": "loopMaximum"}
THROWN = ("error", "escalation", "signal", "message", "link")


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
    maybe: list[str]
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
        maybe: list[str] = []
        for word in (found["targets"] or "").split():
            target = word.lstrip("*?")
            flow = f"{found['id']}.{target}"
            while any(flow == other for other, _ in flows):
                flow += "x"
            flows.append((flow, target))
            default = flow if word.startswith("*") else default
            maybe += [flow] if word.startswith("?") else []
        more = dict(part.strip().split("=", 1) for part in (found["more"] or "").split(";") if part.strip())
        words = found["kind"], found["id"], found["how"], found["host"], found["loop"]
        return cls(*words, flows=flows, default=default, maybe=maybe, more=more, opens=bool(found["opens"]))

    @property
    def tag(self) -> str:
        """The BPMN tag."""
        if self.host in ("scope", "process"):
            return "startEvent"
        return TAGS.get(self.kind, "") if self.host is None else "boundaryEvent"

    def opening(self) -> str:
        """The element's tag with its attributes."""
        said = {"id": self.id, "name": self.id}
        if self.host == "scope":
            said["isInterrupting"] = str(self.how == "on").lower()
        elif self.host and self.host != "process":
            said |= {"attachedToRef": self.host, "cancelActivity": str(self.how == "on").lower()}
        if self.default:
            said["default"] = self.default
        if self.kind == "handler":
            said["triggeredByEvent"] = "true"
        if self.kind in ("send", "receive"):
            said["messageRef"] = f"message_{self.name('message')}"
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
        for kind in THROWN if self.kind in ("throw", "end", "linked") else ():
            if kind in self.more:
                yield self.refers(kind)
        if self.kind in ("message", "signal", "error", "escalation"):
            yield self.refers(self.kind)
        if self.kind == "cond":
            when = escape(self.more.get("when", f"holds_{self.id}"))
            yield f"<conditionalEventDefinition><condition>{when}</condition></conditionalEventDefinition>"
        if self.kind == "timer":
            form = "Date" if "date" in self.more else "Cycle" if "cycle" in self.more else "Duration"
            said = self.more.get(form.lower(), "P3D")
            yield f"<timerEventDefinition><time{form}>{escape(said)}</time{form}></timerEventDefinition>"
        if self.loop:
            yield self.many()
        if self.kind == "script":
            assignments = [f"{name} = {value}" for name, value in self.more.items()] or [f"{self.id}_done = True"]
            yield f"<script>{escape(chr(10).join(assignments))}</script>"

    def name(self, kind: str) -> str | None:
        """What an event throws or catches: a name of its own unless one is written; an error may be any."""
        outward = kind in ("error", "escalation")
        return self.more.get(kind) or self.more.get("code" if outward else "name") or (None if outward else self.id)

    def refers(self, kind: str) -> str:
        """The definition of an event."""
        name = self.name(kind)
        if kind == "link":
            return f'<linkEventDefinition name="{name}"/>'
        reference = f' {kind}Ref="{kind}_{name}"' if name else ""
        return f"<{kind}EventDefinition{reference}/>"

    def around(self) -> Iterator[str]:
        """What is referred to: messages, signals, errors, escalations."""
        task = ["message"] if self.kind in ("send", "receive") else []
        thrown = [kind for kind in THROWN if self.kind in ("throw", "end") and kind in self.more]
        for kind in [*task, *thrown, *({self.kind} & set(THROWN))]:
            if (name := self.name(kind)) and kind != "link":
                code = f' {kind}Code="{name}"' if kind in ("error", "escalation") else ""
                yield f'<{kind} id="{kind}_{name}" name="{name}"{code}/>'

    def many(self) -> str:
        """The marker of a loop."""
        if self.loop == "again":
            said = "".join(f' {name}="{self.more[key]}"' for key, name in LOOPS.items() if key in self.more)
            condition = escape(self.more.get("while", f"again_{self.id}"))
            marker = "standardLoopCharacteristics"
            return f"<{marker}{said}><loopCondition>{condition}</loopCondition></{marker}>"
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
            if condition is None and flow in self.maybe:
                condition = f"'{flow}' in go_{self.id}"
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
        around += [each for each in line.around() if each not in around]
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
            if element.loop
            or element.repeat
            or (element.event and element.event.kind == "conditional")
            or any(diagram.flows[flow].condition for flow in element.outgoing)
            or (element.type in ("exclusiveGateway", "inclusiveGateway") and len(element.outgoing) > 1)
        ]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the variables that hold decisions."""
        return frozenset(self.decide(Random(0)))

    def decide(self, random: Random) -> Decisions:
        """A decision about everything there is to decide, as variables."""
        decisions: Decisions = {}
        for element, diagram in self.open_questions:
            if element.repeat:
                decisions[f"again_{element.id}"] = random.random() < 0.5
            if element.event:
                decisions[f"holds_{element.id}"] = random.random() < 0.3
            if element.loop:
                decisions[f"n_{element.id}"] = random.randint(0, MOST_MEMBERS)
                decisions[f"stop_{element.id}"] = random.randint(1, MOST_MEMBERS)
            if element.type == "exclusiveGateway":
                decisions[element.id] = random.choice(element.outgoing)
            elif element.type == "inclusiveGateway":
                chosen = [flow for flow in element.outgoing if random.random() < 0.5]
                decisions[element.id] = chosen if chosen or element.default else [random.choice(element.outgoing)]
            else:
                decisions |= self._ways_out(element, diagram, random)
        return decisions

    @staticmethod
    def _ways_out(element: Element, diagram: Diagram, random: Random) -> Decisions:
        maybe = [flow for flow in element.outgoing if diagram.flows[flow].condition]
        if not maybe:
            return {}
        chosen = [flow for flow in maybe if random.random() < 0.5]
        some = bool(chosen) or len(maybe) < len(element.outgoing)
        return {f"go_{element.id}": chosen if some else [random.choice(maybe)]}


def draw(text: str, **called: str) -> Drawn:
    """A process written as lines; those it calls are given by name. Its own name is ``p``."""
    return Drawn("p", {"p": written("p", text), **{name: written(name, lines) for name, lines in called.items()}})
