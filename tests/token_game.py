"""A token game for BPMN models, written from the standard and not from the engine: the tests' second opinion.

Tokens lie on sequence flows until an element takes them; an activity or event that waits is a token of its own, with
the tokens inside it, the events armed at it, and the decisions that can be read only inside it. What moves by itself
moves first; then inclusive joins fire, in every possible order: so a step may lead to more than one world.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from bpmn.diagram import Element
from bpmn.durations import parse_cycle
from tests.drawing import Decisions, Drawn
from tests.tokens import PASSED, WAITING, Plan, Token, is_handler, throws

MOST_MOVES = 3_000
MOST_ORDERS = 100


class TooManyOrders(Exception):
    """Inclusive joins may fire in so many different orders here that the game is not played on."""


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
        root.events = main.handlers(drawn.main)
        world.begin(root, drawn.main)
        return list(world.settled())

    # Steps from outside.

    def happen(self, token: Token, event: str | None, decisions: Decisions) -> list[World]:
        """What waits is done, or (``event``) what is armed at it happens; all but a timer brings decisions."""
        self.ends, self.moves = [], 0
        what = token.event(event) if event else token.plan[token.element]
        if what.event is None or what.event.kind != "timer":
            token.knows(from_inside=bool(event) and is_handler(what)).update(decisions)
        self.occur(token, event)
        return list(self.settled())

    # Steps that follow by themselves.

    def settled(self, seen: set[tuple[str, ...]] | None = None) -> Iterator[World]:
        """Move on until everything waits; worlds in which other orders have arrived already (``seen``) are left out."""
        seen = set() if seen is None else seen
        while True:
            self.moves += 1
            assert self.moves < MOST_MOVES, "the model has a loop without a wait"
            if self.stuck:
                break
            if self.meet() or self.move() or self.finish():
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
                    continue  # decided when nothing else moves
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
            self.throw(scope, element)
        elif throws(element, "link"):
            self.put(scope, scope.inner.link(element).outgoing)
        elif element.type in ("intermediateThrowEvent", "sendTask"):
            if self.throw(scope, element):
                self.put(scope, self.chosen(scope, element))
        elif element.type in PASSED:
            self.put(scope, self.chosen(scope, element))
        else:
            self.stay(scope, element)

    def stay(self, scope: Token, element: Element) -> None:
        """What takes time: its token stays in it, with what is armed there."""
        assert scope.inner is not None
        token = Token(element.id, scope.inner, scope)
        scope.tokens.append(token)
        if element.type == "eventBasedGateway":
            token.events = [scope.inner.diagram.flows[flow].target for flow in element.outgoing]
        else:
            token.events = [event.id for event in scope.inner.diagram.boundary_of(element.id)]
        if element.repeat is not None:
            self.enter_again(token)
        elif element.loop is None:
            self.enter(token)
        else:
            self.enter_many(token, sequential=element.loop.sequential)

    def chosen(self, scope: Token, element: Element) -> list[str]:
        """The flows by which a token leaves a gateway or an activity, as it was decided."""
        assert scope.inner is not None
        flows = [scope.inner.diagram.flows[flow] for flow in element.outgoing]
        if not element.type.endswith("Gateway"):
            asked = [flow.id for flow in flows if flow.condition]
            decided = scope.decision(f"go_{element.id}", from_inside=True) if asked else []
            met = [flow for flow in asked if flow in decided]
            always = [flow.id for flow in flows if not flow.condition and flow.id != element.default]
            return [*always, *met, *([element.default] if element.default and not met else [])]
        if element.type == "parallelGateway" or len(flows) == 1:
            return [flow.id for flow in flows]
        decided = scope.decision(element.id, from_inside=True)
        wanted = [decided] if isinstance(decided, str) else decided
        taken = [flow.id for flow in flows if flow.id in wanted and flow.id != element.default]
        assert taken or element.default, f"{element.id} has nowhere to go"
        return taken or [element.default or ""]

    def enter(self, token: Token) -> None:
        """An activity begins."""
        element = token.plan[token.element]
        if element.type in ("subProcess", "transaction"):
            token.inner = token.plan
            token.events += token.inner.handlers(element.id)
            self.begin(token, element.id)
        elif element.type == "callActivity":
            token.inside = {name: token.decision(name) for name in element.inputs}
            token.inner = self.plans[element.called or ""]
            token.events += token.inner.handlers(token.inner.process)
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

    def enter_again(self, token: Token) -> None:
        """A standard loop: once more, or no more."""
        repeat = token.plan[token.element].repeat
        assert repeat is not None
        enough = repeat.most is not None and token.done >= repeat.most
        asked = repeat.before or token.done > 0
        if enough or (asked and not token.decision(f"again_{token.element}")):
            self.leave(token)
        else:
            child = Token(token.element, token.plan, token, member=True)
            token.tokens.append(child)
            self.enter(child)

    def leave(self, token: Token) -> None:
        """What waited, or contained others, is done: its token goes on."""
        self.vanish(token)
        around = token.around
        assert around is not None
        if not token.member:
            self.put(around, self.chosen(around, token.plan[token.element]))
            return
        if around.total is None:
            around.done += 1
            self.enter_again(around)
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
                    self.root.events.clear()
                else:
                    self.leave(scope)
                return True
        return False

    # What happens inside.

    def occur(self, token: Token, event: str | None) -> None:
        """What waits happens: the token itself, or what is armed at it."""
        if event is None:
            self.leave(token)
            return
        what = token.event(event)
        if token.plan[token.element].type == "eventBasedGateway" if token.around else False:
            assert token.around is not None
            self.vanish(token)
            self.put(token.around, self.chosen(token.around, what))
        elif is_handler(what):
            self.start_handler(token, what)
        else:
            if what.interrupting:
                self.vanish(token)
            else:
                self.count(token, what)
            self.put(token.around, what.outgoing)

    def start_handler(self, scope: Token, start: Element) -> None:
        """An event subprocess begins; if it interrupts, it is all that is left in its scope."""
        assert scope.inner is not None
        if start.interrupting:
            scope.tokens.clear()
            scope.marking.clear()
            scope.events = [key for key in scope.events if not is_handler(scope.event(key))]
        else:
            self.count(scope, start)
        token = Token(start.container, scope.inner, scope, inner=scope.inner)
        token.events = scope.inner.handlers(start.container)
        scope.tokens.append(token)
        self.put(token, start.outgoing)

    @staticmethod
    def count(token: Token, what: Element) -> None:
        """What does not interrupt comes again: a date or duration does not, a cycle so many times."""
        assert what.event is not None
        if what.event.kind == "timer":
            token.rung[what.id] += 1
            cycle = parse_cycle(what.event.expression or "") if what.event.form == "cycle" else None
            if cycle is None or cycle.times == token.rung[what.id]:
                token.events.remove(what.id)

    def lives(self, token: Token) -> bool:
        """Whether a token is still on the board."""
        return any(each is token for each in self.root.all())

    def throw(self, scope: Token, element: Element) -> bool:
        """An element throws; whether its token is still there afterwards."""
        assert scope.inner is not None
        event = element.event
        thrower = Token(element.id, scope.inner, scope)
        scope.tokens.append(thrower)
        if event is not None and event.kind in ("error", "escalation"):
            self.throw_outwards(thrower, event.kind, event.code)
        elif event is not None and event.kind in ("signal", "message"):
            waiting = [
                (token, key)
                for token in self.root.all()
                for what, key in token.waits()
                if what.event is not None and (what.event.kind, what.event.name) == (event.kind, event.name)
            ]
            for token, key in waiting[: 1 if event.kind == "message" else None]:
                if self.lives(token) and (key is None or key in token.events):
                    self.occur(token, key)
        if not self.lives(thrower):
            return False
        scope.tokens.remove(thrower)
        return True

    def throw_outwards(self, thrower: Token, kind: str, code: str | None) -> None:
        """An error or escalation goes from scope to scope until an event catches it."""
        token = thrower.around
        while token is not None:
            for inside in (True, False):
                events = [token.event(key) for key in token.events if is_handler(token.event(key)) == inside]
                fitting = [each for each in events if each.event is not None and each.event.kind == kind]
                for wanted in (code, None):
                    for each in fitting:
                        if each.event is not None and each.event.code == wanted:
                            self.occur(token, each.id)
                            return
            token = token.around
        if kind == "error":
            self.stuck |= {thrower.element}

    def meet(self) -> bool:
        """Let a condition that has come true happen, if there is one."""
        for token in self.root.all():
            for what, key in list(token.waits()):
                if what.event is None or what.event.kind != "conditional":
                    continue
                behind = token.around is not None and token.plan[token.element].type == "eventBasedGateway"
                at = token if key is None or behind or is_handler(what) else token.around
                assert at is not None
                holds = at.decision(f"holds_{what.id}", from_inside=at is not token or is_handler(what))
                name = what.id
                if not holds:
                    token.met.discard(name)
                elif name not in token.met:
                    token.met.add(name)
                    self.occur(token, key)
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
