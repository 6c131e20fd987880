"""A token game for BPMN models, written from the standard and not from the engine: the tests' second opinion.

Tokens lie on sequence flows until an element takes them; an activity or event that waits is a token of its own, with
the tokens inside it, the events armed at it, and the decisions that can be read only inside it. What moves by itself
moves first; then inclusive joins fire, in every possible order: so a step may lead to more than one world.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bpmn.diagram import Diagram, Element
from forms.values import Value
from tests.drawing import Decisions, Drawn

MOST_MOVES = 3_000
MOST_ORDERS = 100
WAITING = ("userTask", "intermediateCatchEvent", "eventBasedGateway")


class TooManyOrders(Exception):
    """Inclusive joins may fire in so many different orders here that the game is not played on."""


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
        events = self.diagram.boundary_of(element)
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
        """What waits is done, or (``event``) what is armed at it happens; all but a timer brings decisions."""
        self.ends, self.moves = [], 0
        what = token.plan[event or token.element]
        if what.event is None or what.event.kind != "timer":
            token.knows().update(decisions)
        if event is None:
            self.leave(token)
        else:
            if token.plan[token.element].type == "eventBasedGateway" or what.interrupting:
                self.vanish(token)
            elif what.event is not None and what.event.kind == "timer":
                token.events.remove(event)  # a reminder comes once; a message may come again
            self.put(token.around, what.outgoing)
        return list(self.settled())

    # Steps that follow by themselves.

    def settled(self, seen: set[tuple[str, ...]] | None = None) -> Iterator[World]:
        """Move on until everything waits; worlds in which other orders have arrived already (``seen``) are left out."""
        seen = set() if seen is None else seen
        while True:
            self.moves += 1
            assert self.moves < MOST_MOVES, "the model has a loop without a wait"
            if self.move() or self.finish():
                continue
            ready = list(self.ready_inclusive())
            if not ready:
                break
            here = (self.root.view(), *sorted(self.ends)) if len(ready) > 1 or seen else ()
            if here in seen:
                return
            seen.update([here] if here else [])
            if len(seen) > MOST_ORDERS:
                raise TooManyOrders
            for number in range(1, len(ready)):
                twin = deepcopy(self)
                twin.fire_inclusive(*list(twin.ready_inclusive())[number])
                yield from twin.settled(seen)
            self.fire_inclusive(*ready[0])
        for scope in self.root.all():
            if scope.is_scope and not scope.tokens and scope.inner:
                self.stuck |= {scope.inner.diagram.flows[flow].target for flow in +scope.marking}
        yield self

    def move(self) -> bool:
        """Let some element take a token from the flow before it, if one can."""
        for scope in self.root.all():
            for flow in +scope.marking:
                plan = scope.inner
                assert plan is not None
                element = plan[plan.diagram.flows[flow].target]
                gathers = element.type in ("parallelGateway", "inclusiveGateway")
                if element.type == "inclusiveGateway" and len(element.incoming) > 1:
                    continue
                taken = element.incoming if gathers else (flow,)
                if all(scope.marking[each] for each in taken):
                    scope.marking.subtract(taken)
                    self.arrive(scope, element)
                    return True
        return False

    def arrive(self, scope: Token, element: Element) -> None:
        """An element has its token: it passes it on, swallows it, or keeps it for a while."""
        assert scope.inner is not None
        if element.type == "endEvent":
            self.ends.append(element.id)
            if element.event is not None and element.event.kind == "terminate":
                scope.tokens.clear()
                scope.marking.clear()
        elif element.type.endswith("Gateway") and element.type != "eventBasedGateway":
            self.put(scope, self.chosen(scope, element))
        elif element.type == "scriptTask":
            self.put(scope, element.outgoing)
        else:
            token = Token(element.id, scope.inner, scope)
            scope.tokens.append(token)
            if element.type == "eventBasedGateway":
                token.events = [scope.inner.diagram.flows[flow].target for flow in element.outgoing]
            else:
                token.events = [event.id for event in scope.inner.diagram.boundary_of(element.id)]
            if element.loop is None:
                self.enter(token)
            else:
                self.enter_many(token, sequential=element.loop.sequential)

    def chosen(self, scope: Token, gateway: Element) -> list[str]:
        """The flows by which a token leaves a gateway, as it was decided."""
        if gateway.type == "parallelGateway" or len(gateway.outgoing) == 1:
            return list(gateway.outgoing)
        decided = scope.decision(gateway.id, from_inside=True)
        wanted = [decided] if isinstance(decided, str) else decided
        flows = [flow for flow in gateway.outgoing if flow in wanted and flow != gateway.default]
        assert flows or gateway.default, f"{gateway.id} has nowhere to go"
        return flows or [gateway.default or ""]

    def enter(self, token: Token) -> None:
        """An activity begins."""
        element = token.plan[token.element]
        if element.type == "subProcess":
            token.inner = token.plan
            self.begin(token, element.id)
        elif element.type == "callActivity":
            token.inside = {name: token.decision(name) for name in element.inputs}
            token.inner = self.plans[element.called or ""]
            self.begin(token, token.inner.process)
        else:
            assert element.type in WAITING

    def begin(self, scope: Token, container: str) -> None:
        """The first token inside a scope."""
        assert scope.inner is not None
        self.put(scope, scope.inner.start(container).outgoing)

    def enter_many(self, token: Token, *, sequential: bool) -> None:
        """A multi-instance activity begins: with one member, or all of them."""
        token.total = token.decision(f"n_{token.element}")
        assert token.total is not None
        if token.total == 0:
            self.leave(token)
        for _ in range(min(token.total, 1) if sequential else token.total):
            self.enter_member(token)

    def enter_member(self, token: Token) -> None:
        """The next member of a multi-instance activity begins."""
        member = Token(token.element, token.plan, token, member=True, own={"loopCounter": token.begun})
        token.tokens.append(member)
        token.begun += 1
        self.enter(member)

    def leave(self, token: Token) -> None:
        """What waited, or contained others, is done: its token goes on."""
        self.vanish(token)
        around = token.around
        assert around is not None
        if not token.member:
            self.put(around, token.plan[token.element].outgoing)
            return
        around.completed += 1
        enough = around.completed >= around.decision(f"stop_{around.element}")
        assert around.total is not None
        if enough or around.completed == around.total:
            around.tokens.clear()
            self.leave(around)
        elif around.begun < around.total:
            self.enter_member(around)

    def vanish(self, token: Token) -> None:
        """A token is gone, with all that is inside it and armed at it."""
        assert token.around is not None
        token.around.tokens.remove(token)

    def put(self, scope: Token | None, flows: Iterable[str]) -> None:
        """Tokens on flows."""
        assert scope is not None
        scope.marking.update(flows)

    def finish(self) -> bool:
        """Finish a scope in which there is no token left, if there is one."""
        for scope in self.root.all():
            if scope.is_scope and not scope.tokens and not +scope.marking and not self.ended:
                if scope is self.root:
                    self.ended = True
                else:
                    self.leave(scope)
                return True
        return False

    # Inclusive joins.

    def ready_inclusive(self) -> Iterator[tuple[Token, str]]:
        """The inclusive joins that may fire."""
        for scope in self.root.all():
            if scope.inner is not None:
                joins = {scope.inner.diagram.flows[flow].target for flow in +scope.marking}
                for join in sorted(joins):
                    if scope.inner[join].type == "inclusiveGateway" and self.may_fire(scope, join):
                        yield scope, join

    @staticmethod
    def may_fire(scope: Token, join: str) -> bool:
        """BPMN 2.0, table 13.4: no token elsewhere reaches an empty flow of the join without reaching a filled one."""
        plan = scope.inner
        assert plan is not None
        filled = {flow for flow in plan[join].incoming if scope.marking[flow]}
        elsewhere = [[flow] for flow in +scope.marking if flow not in filled]
        elsewhere += [plan.ways_out(token.element) for token in scope.tokens]
        for flows in elsewhere:
            ends = {end for flow in flows for end in plan.ends(flow, join)}
            if ends - filled and not ends & filled:
                return False
        return True

    def fire_inclusive(self, scope: Token, join: str) -> None:
        """Take one token from each filled flow, and go on."""
        assert scope.inner is not None
        element = scope.inner[join]
        scope.marking.subtract(flow for flow in element.incoming if scope.marking[flow])
        self.put(scope, self.chosen(scope, element))
