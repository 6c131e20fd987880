"""What lies on the board of the token game: the plan of a process, the tokens in it, and how they are written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpmn.diagram import Diagram, Element
from forms.values import Value
from tests.drawing import Decisions

WAITING = ("userTask", "intermediateCatchEvent", "eventBasedGateway", "receiveTask")
PASSED = ("exclusiveGateway", "parallelGateway", "inclusiveGateway", "scriptTask", "manualTask")
FROM_OUTSIDE = ("timer", "message")


def throws(element: Element, kind: str) -> bool:
    """Whether an element throws an event of this kind."""
    thrower = element.type in ("endEvent", "intermediateThrowEvent", "sendTask")
    return thrower and element.event is not None and element.event.kind == kind


def is_handler(element: Element) -> bool:
    """Whether an event starts an event subprocess."""
    return element.type == "startEvent"


class Plan:
    """A diagram, and how far a token on a flow can come. Never copied."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram, self.process = diagram, diagram.process.id
        self._ends: dict[tuple[str, str], frozenset[str]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Plan:
        return self

    def __getitem__(self, element: str) -> Element:
        return self.diagram.elements[element]

    def start(self, container: str) -> Element:
        """The start event of the process or of a subprocess."""
        return next(each for each in self.diagram.within(container) if each.type == "startEvent")

    def handlers(self, container: str) -> list[str]:
        """The starts of the event subprocesses that lie in the process or in a subprocess."""
        boxes = [each for each in self.diagram.within(container) if each.type == "eventSubProcess"]
        return [self.start(box.id).id for box in boxes]

    def link(self, element: Element) -> Element:
        """Where a link leads to."""
        assert element.event is not None
        return next(
            each
            for each in self.diagram.within(element.container)
            if each.type == "intermediateCatchEvent" and each.event == element.event
        )

    def ways_out(self, element: str) -> list[str]:
        """The flows on which a token can leave an element: its own, and those of its boundary events."""
        events = self.diagram.boundary_of(element)
        if throws(self[element], "link"):
            return list(self.link(self[element]).outgoing)
        return [*self[element].outgoing, *(flow for event in events for flow in event.outgoing)]

    def ends(self, flow: str, join: str) -> frozenset[str]:
        """The incoming flows of a join to which a token on this flow can come without visiting the join."""
        if (flow, join) not in self._ends:
            seen: set[str] = set()
            waiting = [flow]
            while waiting:
                if (each := waiting.pop()) not in seen:
                    seen.add(each)
                    target = self.diagram.flows[each].target
                    waiting += self.ways_out(target) if target != join else []
            self._ends[flow, join] = frozenset(each for each in seen if self.diagram.flows[each].target == join)
        return self._ends[flow, join]


@dataclass(eq=False)
class Token:
    """A token that stays in an element for a while.

    ``marking`` counts the tokens on flows inside it, if it has an inside; ``own`` are decisions it was born with (a
    member of a multi-instance activity), ``inside`` those that only its inside knows (a called process).
    """

    element: str
    plan: Plan
    around: Token | None
    member: bool = False
    own: Decisions | None = None
    inside: Decisions | None = None
    inner: Plan | None = None
    marking: Counter[str] = field(default_factory=Counter)
    tokens: list[Token] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    total: int | None = None
    begun: int = 0
    completed: int = 0
    done: int = 0
    rung: Counter[str] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)

    @property
    def is_scope(self) -> bool:
        """Whether tokens move along flows inside."""
        return self.inner is not None

    def all(self) -> Iterator[Token]:
        """This token and every one inside it."""
        yield self
        for token in self.tokens:
            yield from token.all()

    def event(self, key: str) -> Element:
        """An event armed here: on the border, behind a gateway, or at the start of an event subprocess inside."""
        plan = self.plan if key in self.plan.diagram.elements else self.inner
        assert plan is not None
        return plan[key]

    def waits(self) -> Iterator[tuple[Element, str | None]]:
        """The events that wait here: the token itself (None), and what is armed at it."""
        if self.total is None and not self.is_scope and not self.tokens:
            itself = self.plan[self.element]
            if itself.type in ("intermediateCatchEvent", "receiveTask"):
                yield itself, None
        for key in self.events:
            yield self.event(key), key

    def knows(self, *, from_inside: bool = False) -> Decisions:
        """The decisions that are read and written here, or by what is inside."""
        if from_inside and self.inside is not None:
            return self.inside
        if self.own is not None:
            return self.own
        assert self.around is not None
        return self.around.knows(from_inside=True)

    def decision(self, name: str, *, from_inside: bool = False) -> Any:
        """What was decided, as far as it can be seen from here."""
        if from_inside and self.inside is not None:
            return self.inside[name]
        if self.own is not None and name in self.own:
            return self.own[name]
        assert self.around is not None
        return self.around.decision(name, from_inside=True)

    def view(self) -> str:
        """All that can be seen of this token and what is inside it, as a text that does not depend on order."""
        known = [f"{key}={value}" for table in (self.own, self.inside) for key, value in sorted((table or {}).items())]
        return shown(
            self.element,
            member=self.member,
            counts=None if self.total is None else [self.total, self.completed, len(self.tokens)],
            events=self.events,
            known=known,
            marking=+self.marking,
            inside=[token.view() for token in self.tokens],
        )


def shown(
    element: str,
    *,
    member: bool,
    counts: Sequence[Value] | None,
    events: list[str],
    known: list[str],
    marking: Counter[str],
    inside: list[str],
) -> str:
    """How a token is written down, by the game and by whoever looks at the engine."""
    flows = [f"{flow}*{number}" for flow, number in sorted(marking.items())]
    parts = [*sorted(inside), *flows, *(f"@{event}" for event in sorted(events))]
    return f"{element}{'#' if member else ''}{counts or ''}{known or ''}{{{', '.join(parts)}}}"
