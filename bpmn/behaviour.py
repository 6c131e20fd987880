"""What a diagram lets happen next, as a token game: from where tokens are, every step there is and where it leads.

What follows without a choice follows at once. Conditions are not evaluated: whatever a gateway might choose, it may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.diagram import Diagram, Element
from bpmn.marking import AUTOMATIC, LASTING, SUBPROCESSES, Decided, Place, Plan, Step, StepKind, throws, times

MOST_PASSED = 10_000
"""Tokens that may move on without a step; a diagram that makes more of them has a loop without one."""

Found = tuple[Step | None, Place]
"""A step (None: nothing that a trail tells) and the case after it."""
_Outcome = tuple[Step | None, tuple[Place, ...], tuple[str, ...], str]
# What a step does to one token: the step, tokens in its stead, tokens on flows, and whether it "left" its element by
# its flows or "cleared" its scope.
_Left = tuple[tuple[Place, ...], tuple[str, ...]]
_NOWHERE: _Left = ((), ())
_PASSED: Mapping[str, StepKind] = {"waits": "came", "runs": "done", "starts": "came"}
_TOLD: Mapping[str, tuple[StepKind, str]] = {"opens": ("opened", "waits"), "throws": ("thrown", "thrown")}
_HOLDING = ("holds", "many", "again")


class Behaviour:
    """A process with those it calls. ``decided`` are flows that were taken; with ``only``, no others can be there."""

    def __init__(
        self, main: str, diagrams: Mapping[str, Diagram], decided: Decided | None = None, *, only: bool = False
    ) -> None:
        self.main, self.decided, self.only = main, decided or {}, only
        self.plans = {name: Plan(diagram) for name, diagram in diagrams.items()}
        self._kept: dict[Place, list[Found]] = {}

    def begun(self, start: str | None = None) -> Place:
        """A case before its first step: at this start event if it waits for something, else at the plain one."""
        root = Place(self.main, self.main, "holds")
        plan = self.plans[self.main]
        event = plan.elements.get(start or "")
        if event is not None and event.event is not None and event.event.kind != "none":
            return root._replace(inside=(Place(self.main, event.id, "starts"),))
        plain = plan.start(self.main)
        return self._settled(root._replace(flows=plain.outgoing if plain else ()))

    def steps(self, case: Place) -> list[Found]:
        """Every step from here."""
        if case not in self._kept:
            self._kept[case] = list(dict.fromkeys(self._within(case)))
        return self._kept[case]

    def knows(self, step: Step) -> bool:
        """Whether the diagrams have the element of a step, and its flows."""
        plan = self.plans.get(step.process)
        element = plan.elements.get(step.element) if plan else None
        return element is not None and set(step.flows) <= set(element.outgoing)

    @staticmethod
    def over(case: Place) -> bool:
        """Whether no token is left."""
        return not case.inside and not case.flows

    def moved(self, case: Place, names: Mapping[tuple[str, str], str]) -> Place | None:
        """The same tokens in this behaviour, with what is called otherwise; None where one finds no place.

        ``names`` gives the new id of an element or flow, by process and old id, where it changed.
        """
        plan = self.plans.get(case.process)
        element = names.get((case.process, case.element), case.element)
        if plan is None or not (element in plan.elements or element == self.main):
            return None
        called = case._replace(element=element)
        home, _ = self._home(called)
        flows = tuple(names.get((home.id, flow), flow) for flow in case.flows)
        inside = [self.moved(each, names) for each in case.inside]
        kept = tuple(each for each in inside if each is not None)
        if len(kept) < len(inside) or not set(flows) <= home.flows.keys():
            return None
        armed = {each.id for each in self._armed(called)}
        spent = tuple(each for each in (names.get((home.id, one), one) for one in case.spent) if each in armed)
        return self._settled(called._replace(inside=kept, flows=flows, spent=spent))

    # Where tokens are.

    def _home(self, scope: Place) -> tuple[Plan, str]:
        """The diagram whose tokens are inside a scope, and the container they lie in."""
        plan = self.plans[scope.process]
        element = plan.elements.get(scope.element)
        if element is not None and element.type == "callActivity":
            called = self.plans[element.called or ""]
            return called, called.id
        return plan, scope.element

    def _armed(self, token: Place) -> list[Element]:
        """The events on the border of a token's element, and those that begin an event subprocess inside it."""
        home, container = self._home(token)
        return [*self.plans[token.process].boundaries(token.element), *home.handlers(container)]

    def _lasts(self, token: Place) -> bool:
        """Whether something may still come to a scope in which no token is left."""
        return any(each.event is not None and each.event.kind in LASTING for each in self._armed(token))

    def _settled(self, scope: Place) -> Place:
        """The scope after its tokens have come to where they wait for a step."""
        if scope.stage != "holds":
            return scope._replace(inside=tuple(sorted(scope.inside)))
        plan, _ = self._home(scope)
        inside, waiting, parked, passed = list(scope.inside), list(scope.flows), list[str](), 0
        while waiting:
            flow = waiting.pop()
            target = plan.elements[plan.flows[flow].target]
            passed += 1
            if passed > MOST_PASSED:
                parked += [flow, *waiting]
                break
            if plan.joins(target):
                parked.append(flow)
                if target.type == "inclusiveGateway" or not set(target.incoming) <= set(parked):
                    continue
                for each in target.incoming:
                    parked.remove(each)
                places, flows = self._leaves(plan, target)
            else:
                places, flows = self._taken(plan, target)
            inside += places
            waiting += flows
        return scope._replace(inside=tuple(sorted(inside)), flows=tuple(sorted(parked)))

    def _taken(self, plan: Plan, element: Element) -> _Left:
        """An element takes a token that came on a flow."""
        if element.loop is not None or element.repeat is not None:
            return (Place(plan.id, element.id, "many" if element.loop is not None else "again"),), ()
        return self._entered(plan, element)

    def _entered(self, plan: Plan, element: Element) -> _Left:
        """An element (or one member of it) begins: where the token stays, or the flows by which it passes."""
        match element.type:
            case "userTask":
                stage = "opens"
            case "intermediateCatchEvent" | "receiveTask" | "eventBasedGateway":
                stage = "waits"
            case "endEvent":
                stage = "ends"
            case "callActivity":
                stage = "calls"
            case kind if kind in AUTOMATIC:
                stage = "runs"
            case kind if kind in SUBPROCESSES:
                start = plan.start(element.id)
                scope = Place(plan.id, element.id, "holds", flows=start.outgoing if start else ())
                return (self._settled(scope),), ()
            case "intermediateThrowEvent" | "sendTask" if throws(element):
                stage = "throws"
            case _:
                return self._leaves(plan, element)
        return (Place(plan.id, element.id, stage),), ()

    def _leaves(self, plan: Plan, element: Element) -> _Left:
        """A token leaves an element: by its flows, or after it has chosen among them."""
        if plan.chooses(element):
            return (Place(plan.id, element.id, "chooses"),), ()
        return (), plan.onward(element)

    # What may happen.

    def _within(self, scope: Place) -> Iterator[Found]:
        """Every step inside a scope, with the scope after it."""
        for number, child in enumerate(scope.inside):
            if child in scope.inside[:number]:
                continue
            rest = scope.inside[:number] + scope.inside[number + 1 :]
            for step, places, flows, how in self._of(child, member=scope.stage != "holds"):
                if how == "cleared":
                    yield step, scope._replace(inside=(), flows=())
                elif how == "left":
                    yield step, self._done(scope._replace(inside=rest), child)
                else:
                    after = scope._replace(inside=(*rest, *places), flows=scope.flows + flows)
                    yield step, self._settled(after)
        if scope.stage == "holds":
            yield from self._joined(scope)
            yield from self._handled(scope)

    def _done(self, scope: Place, child: Place) -> Place:
        """A scope that one of its tokens has left, or an activity of which one member is done."""
        if scope.stage == "many":
            return scope._replace(rounds=1)
        if scope.stage == "again":
            repeat = self.plans[scope.process].elements[scope.element].repeat
            most = repeat.most if repeat is not None else None
            return scope._replace(rounds=min(scope.rounds + 1, most or 1))
        plan = self.plans[child.process]
        element = plan.elements[child.element]
        places, flows = _NOWHERE if element.type == "endEvent" else self._leaves(plan, element)
        return self._settled(scope._replace(inside=(*scope.inside, *places), flows=scope.flows + flows))

    def _of(self, token: Place, *, member: bool) -> Iterator[_Outcome]:
        """What may happen to one token; a member of an activity has no events on its border."""
        plan = self.plans[token.process]
        element = plan.elements[token.element]

        kind: StepKind
        if token.stage in _PASSED:
            kind = "done" if element.type == "userTask" else _PASSED[token.stage]
            rivals = element.type == "eventBasedGateway"
            yield from self._rivals(plan, element) if rivals else [(self._step(kind, token), (), (), "left")]
        elif token.stage in ("opens", "throws"):
            kind, stage = _TOLD[token.stage]
            yield self._step(kind, token), (token._replace(stage=stage),), (), ""
        elif token.stage == "calls":
            called = self.plans[element.called or ""]
            start = called.start(called.id)
            inside = token._replace(stage="holds", flows=start.outgoing if start else ())
            yield self._step("called", token), (self._settled(inside),), (), ""
        elif token.stage == "chooses":
            known = self.decided.get((token.process, token.element), frozenset())
            for flows in known if self.only and known else plan.choices(element, known):
                yield self._step("taken", token, flows), (), flows, ""
        elif token.stage == "thrown" and (element.event is None or element.event.kind != "error"):
            yield None, (), (), "left"
        elif token.stage == "ends":
            yield self._ends(token, element)
        elif token.stage in _HOLDING:
            yield from self._of_inside(token, plan, element)
        if not member and token.stage in ("opens", "waits", *_HOLDING):
            yield from self._interrupted(token, plan)

    @staticmethod
    def _step(kind: StepKind, token: Place, flows: tuple[str, ...] = ()) -> Step:
        return Step(kind, token.process, token.element, flows)

    def _ends(self, token: Place, element: Element) -> _Outcome:
        ended = self._step("ended", token)
        if element.event is not None and element.event.kind == "terminate":
            return ended, (), (), "cleared"
        return ended, (token._replace(stage="throws"),) if throws(element) else (), (), ""

    def _rivals(self, plan: Plan, gateway: Element) -> Iterator[_Outcome]:
        """Whichever event behind a gateway comes first."""
        for flow in gateway.outgoing:
            event = plan.elements[plan.flows[flow].target]
            places, flows = self._leaves(plan, event)
            yield Step("came", plan.id, event.id), places, flows, ""

    def _of_inside(self, token: Place, plan: Plan, element: Element) -> Iterator[_Outcome]:
        """What may happen inside a token that holds others; and it is left when nothing is left in it."""
        if token.stage == "holds":
            lasts = self._lasts(token)
            for step, after in self._within(token):
                yield (step, (), (), "left") if self.over(after) and not lasts else (step, (after,), (), "")
            if self.over(token):
                yield None, (), (), "left"
            return
        yield from ((step, (after,), (), "") for step, after in self._within(token))
        begins, leaves = self._may(token, element)
        if begins:
            (fresh, _) = self._entered(plan, element)
            for step, after in self._within(token._replace(inside=fresh)):  # a member begins with its first step
                both = after._replace(inside=tuple(sorted((*token.inside, *after.inside))))
                yield step, (both,), (), ""
        if leaves:
            yield None, (), (), "left"

    @staticmethod
    def _may(token: Place, element: Element) -> tuple[bool, bool]:
        """Whether another member of an activity may begin, and whether it may be left."""
        if element.repeat is not None:
            most, before = element.repeat.most, element.repeat.before
            begins = not token.inside and (most is None or token.rounds < most)
            return begins, not token.inside and (token.rounds > 0 or before)
        assert element.loop is not None
        begins = not (element.loop.sequential and token.inside)
        return begins, not token.inside or (element.loop.until is not None and token.rounds > 0)

    def _interrupted(self, token: Place, plan: Plan) -> Iterator[_Outcome]:
        """The events on the border of an activity."""
        for event in plan.boundaries(token.element):
            if self._may_come(token, event):
                step = Step("came", plan.id, event.id)
                kept = () if event.interrupting else (self._spend(token, event),)
                yield step, kept, event.outgoing, ""

    def _handled(self, scope: Place) -> Iterator[Found]:
        """The event subprocesses of a scope."""
        plan, container = self._home(scope)
        for event in plan.handlers(container):
            if scope.rounds or not self._may_come(scope, event):
                continue
            handler = self._settled(Place(plan.id, event.container, "holds", flows=event.outgoing))
            if event.interrupting:
                after = scope._replace(inside=(handler,), flows=(), rounds=1)
            else:
                after = self._spend(scope, event)
                after = after._replace(inside=tuple(sorted((*after.inside, handler))))
            yield Step("came", plan.id, event.id), after

    @staticmethod
    def _spend(token: Place, event: Element) -> Place:
        """An event has come that does not interrupt: where it may only come so often, that is counted."""
        return token if times(event) is None else token._replace(spent=tuple(sorted((*token.spent, event.id))))

    def _may_come(self, token: Place, event: Element) -> bool:
        """Whether an event armed at a token can come: it has times left, and what it catches was thrown inside."""
        most = times(event)
        if not event.interrupting and most is not None and token.spent.count(event.id) >= most:
            return False
        if event.event is None or event.event.kind not in ("error", "escalation"):
            return True
        return self._thrown_in(token, event.event.kind, event.event.code)

    def _thrown_in(self, token: Place, kind: str, code: str | None) -> bool:
        if token.stage == "thrown":
            event = self.plans[token.process].elements[token.element].event
            return event is not None and event.kind == kind and code in (None, event.code)
        return any(self._thrown_in(each, kind, code) for each in token.inside)

    def _joined(self, scope: Place) -> Iterator[Found]:
        """Inclusive joins: fire unless a token elsewhere reaches an empty flow without also reaching a filled one."""
        plan, _ = self._home(scope)
        joins = dict.fromkeys(plan.flows[flow].target for flow in scope.flows)
        for join in joins:
            element = plan.elements[join]
            filled = {flow for flow in scope.flows if plan.flows[flow].target == join}
            if element.type != "inclusiveGateway":
                continue
            elsewhere = [each.element for each in scope.inside] + [each for each in joins if each != join]
            ways = [plan.reaches(join, place) for place in elsewhere]
            if any(way and not way & filled for way in ways):
                continue
            left = list(scope.flows)
            for flow in filled:
                left.remove(flow)
            places, flows = self._leaves(plan, element)
            yield None, self._settled(scope._replace(inside=(*scope.inside, *places), flows=(*left, *flows)))
