"""What a replayed case looks like: the steps its trail can tell, and where tokens are between two of them.

What a diagram allows from here is for ``behaviour`` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal, NamedTuple

from bpmn.diagram import Diagram, Element
from bpmn.durations import parse_cycle
from bpmn.routes import Ways, links
from bpmn.starts import plain_start

StepKind = Literal["opened", "done", "came", "thrown", "called", "ended", "taken"]
"""A work item opened, a task done, an event came, was thrown, a process called, an end reached, flows taken."""


class Step(NamedTuple):
    """One observable step: what happened, at which element of which process; ``flows`` where a choice was made."""

    kind: StepKind
    process: str
    element: str
    flows: tuple[str, ...] = ()


class Place(NamedTuple):
    """A token that stays in an element, with what is inside it: other tokens, and those on ``flows``.

    ``stage`` says what it waits for there: an item to be told (``opens``), a step (``waits``, ``runs``, ``calls``,
    ``chooses``, ``throws``, ``thrown``, ``ends``, ``starts``), what is inside (``holds``, ``many`` members, done
    ``again``). ``spent`` are the events armed here that came and do not interrupt, ``rounds`` the times it was done; of
    a scope, whether an event subprocess has interrupted it.
    """

    process: str
    element: str
    stage: str
    inside: tuple[Place, ...] = ()
    flows: tuple[str, ...] = ()
    spent: tuple[str, ...] = ()
    rounds: int = 0


def twins(place: Place) -> int:
    """How many members of activities are just where another one is."""
    here = len(place.inside) - len(set(place.inside)) if place.stage == "many" else 0
    return here + sum(twins(each) for each in place.inside)


THROWN = frozenset({"error", "escalation", "signal", "message"})
AUTOMATIC = frozenset({"manualTask", "scriptTask", "serviceTask", "businessRuleTask"})
SUBPROCESSES = frozenset({"subProcess", "transaction"})
GATHERING = frozenset({"parallelGateway", "inclusiveGateway"})
LASTING = frozenset({"message", "signal", "conditional"})
"""What may come to a scope after its last step and before it is left."""
MOST_CHOICES = 6
"""Of so many flows every combination is tried; of more, each alone and all together, and what a case has taken."""

Decided = Mapping[tuple[str, str], frozenset[tuple[str, ...]]]
"""The flows that were taken at gateways and activities that choose, by process and element."""


class Plan:
    """One diagram, with what the rules of a step need to know of it."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram, self.id = diagram, diagram.process.id
        self.elements, self.flows = diagram.elements, diagram.flows
        self._links = links(diagram)
        self._handlers: dict[str, list[Element]] = {}
        self._boundaries: dict[str, list[Element]] = {}
        for each in self.elements.values():
            around = self.elements.get(each.container)
            if each.type == "startEvent" and around is not None and around.type == "eventSubProcess":
                self._handlers.setdefault(around.container, []).append(each)
            if each.attached_to is not None:
                self._boundaries.setdefault(each.attached_to, []).append(each)
        self._ways: Ways | None = None

    def boundaries(self, element: str) -> list[Element]:
        """The events on the border of an activity."""
        return self._boundaries.get(element, [])

    def handlers(self, container: str) -> list[Element]:
        """The starts of the event subprocesses of a process or subprocess."""
        return self._handlers.get(container, [])

    def start(self, container: str) -> Element | None:
        """The plain start event of the process or of a subprocess."""
        if container == self.id:
            return plain_start(self.diagram)
        return next((each for each in self.diagram.within(container) if each.type == "startEvent"), None)

    def onward(self, element: Element) -> tuple[str, ...]:
        """The flows behind an element: those of the link it throws, if it throws one."""
        return self.elements[self._links[element.id]].outgoing if element.id in self._links else element.outgoing

    def chooses(self, element: Element) -> bool:
        """Whether it is told which flows a token leaves by."""
        if len(element.outgoing) < 2 or element.type in ("parallelGateway", "eventBasedGateway"):
            return False
        gateway = element.type in ("exclusiveGateway", "inclusiveGateway")
        return gateway or element.default is not None or any(self.flows[each].condition for each in element.outgoing)

    def choices(self, element: Element, known: frozenset[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
        """The combinations of flows a token may leave by; ``known`` are tried whatever their number."""
        if element.type == "exclusiveGateway":
            yield from ((flow,) for flow in element.outgoing)
            return
        gateway = element.type == "inclusiveGateway"
        asked = [flow for flow in element.outgoing if flow != element.default and (gateway or self._asks(flow))]
        always = [flow for flow in element.outgoing if flow != element.default and flow not in asked]
        sizes = range(1, len(asked) + 1) if len(asked) <= MOST_CHOICES else (1, len(asked))
        found = {tuple(sorted([*always, *some])) for size in sizes for some in combinations(asked, size)}
        if element.default:
            found.add(tuple(sorted([*always, element.default])))
        elif always:
            found.add(tuple(sorted(always)))
        found |= {each for each in known if set(each) <= set(element.outgoing)}
        yield from sorted(found)

    def _asks(self, flow: str) -> bool:
        return self.flows[flow].condition is not None

    def joins(self, element: Element) -> bool:
        """Whether a gateway waits for tokens on several flows."""
        return element.type in GATHERING and len(element.incoming) > 1

    def reaches(self, join: str, place: str) -> frozenset[str]:
        """The incoming flows of an inclusive join along which a token can still come from an element."""
        if self._ways is None:
            self._ways = Ways(self.diagram, [each.id for each in self.elements.values() if "inclusive" in each.type])
        bits = self._ways.along(join, place)
        incoming = self.elements[join].incoming
        return frozenset(flow for number, flow in enumerate(incoming) if bits >> number & 1)


def throws(element: Element) -> bool:
    """Whether a token does not pass an element before something is thrown."""
    return element.event is not None and element.event.kind in THROWN


def times(event: Element) -> int | None:
    """How often an event that does not interrupt comes at most; None for as often as it likes."""
    if event.event is None or event.event.kind != "timer":
        return None
    cycle = parse_cycle(event.event.expression or "") if event.event.form == "cycle" else None
    return 1 if cycle is None else cycle.times
