"""A token game for BPMN models, written from the standard and not from the engine: the tests' second opinion.

Tokens lie on sequence flows until an element takes them; an activity or event that waits is a token of its own, with
the tokens inside it, the events armed at it, and the decisions that can be read only inside it. What moves by itself
moves first; then inclusive joins fire, in every possible order: so a step may lead to more than one world.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bpmn.diagram import Diagram, Element
from tests.drawing import Decisions, Drawn

MOST_MOVES = 3_000
WAITING = ("userTask", "intermediateCatchEvent", "eventBasedGateway")


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

    def ways_out(self, element: str) -> list[str]:
        """The flows on which a token can leave an element: its own, and those of its boundary events."""
        return [*self[element].outgoing, *(flow for event in self.diagram.boundary_of(element) for flow in event.outgoing)]

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

    @property
    def is_scope(self) -> bool:
        """Whether tokens move along flows inside."""
        return self.inner is not None

    def all(self) -> Iterator[Token]:
        """This token and every one inside it."""
        yield self
        for token in self.tokens:
            yield from token.all()

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
            counts=None if self.total is None else (self.total, self.completed, len(self.tokens)),
            events=self.events,
            known=known,
            marking=+self.marking,
            inside=[token.view() for token in self.tokens],
        )


def shown(
    element: str,
    *,
    member: bool,
    counts: tuple[int, int, int] | None,
    events: list[str],
    known: list[str],
    marking: Counter[str],
    inside: list[str],
) -> str:
    """How a token is written down, by the game and by whoever looks at the engine."""
    flows = [f"{flow}*{number}" for flow, number in sorted(marking.items())]
    parts = [*sorted(inside), *flows, *(f"@{event}" for event in sorted(events))]
    return f"{element}{'#' if member else ''}{counts or ''}{known or ''}{{{', '.join(parts)}}}"


@dataclass
class World:
    """One marking of a case, and what became of it: ``ended``, or stuck at ``stuck`` joins."""

    plans: dict[str, Plan]
    root: Token
    ends: list[str] = field(default_factory=list)
    ended: bool = False
    stuck: frozenset[str] = frozenset()
    moves: int = 0

    @classmethod
    def started(cls, drawn: Drawn, decisions: Decisions) -> list[World]:
        """The worlds in which a case may be after its start."""
        plans = {name: Plan(diagram) for name, diagram in drawn.diagrams.items()}
        main = plans[drawn.main]
        root = Token(drawn.main, main, None, inside=dict(decisions), inner=main)
        world = cls(plans, root)
        world.begin(root, drawn.main)
        return list(world.settled())

    # Steps from outside.

    def happen(self, token: Token, event: str | None, decisions: Decisions) -> list[World]:
        """A user task or event is done, or (``event``) one that is armed at it happens; decisions are made with it."""
        self.ends, self.moves = [], 0
        message = event is not None and self.is_message(token, event)
        if message or (event is None and self.is_message(token, token.element)) or token.plan[token.element].type == "userTask":
            if event is None or message:
                token.knows().update(decisions) if event is None else self.beside(token, event).update(decisions)
        if event is None:
            self.leave(token)
        elif token.plan[token.element].type == "eventBasedGateway":
            self.vanish(token)
            self.put(token, token.plan[event].outgoing)
        else:
            self.put(token, token.plan[event].outgoing)
            if token.plan[event].interrupting:
                self.vanish(token)
            elif not message:
                token.events.remove(event)
        return list(self.settled())
