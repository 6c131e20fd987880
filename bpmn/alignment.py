"""The cheapest way to bring the steps of a case together with a diagram: what both have, and what only one has.

A step of the trail that the diagram does not allow costs one, and so does a step of the diagram that the trail lacks.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from bpmn.behaviour import Behaviour
from bpmn.marking import Place, Step, StepKind, twins

MOST_STATES = 20_000
"""So many states are looked at; what is not decided then is said to be undecided."""

NOTHING: frozenset[StepKind] = frozenset()

Side = Literal["both", "trail", "diagram"]


@dataclass(frozen=True, slots=True)
class Move:
    """One row of an alignment; ``place`` is the number of the step in the trail, None where it is not there.

    ``stretch`` is the number of the stretch it belongs to.
    """

    side: Side
    step: Step
    place: int | None
    stretch: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """The steps of a case while it was on one version, and what that version calls the tokens that come into it."""

    behaviour: Behaviour
    steps: Sequence[Step]
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alignment:
    """An optimal alignment; with ``cost`` None it was not found within the bound.

    ``sound`` is the number of steps at the beginning that certainly agree with the diagram.
    """

    cost: int | None
    moves: tuple[Move, ...]
    states: int
    sound: int


_State = tuple[int, int, Place]  # the stretch, the steps passed in all, the tokens


def align(
    stretches: Sequence[Stretch],
    *,
    start: str | None = None,
    ends: bool = True,
    free: frozenset[StepKind] = NOTHING,
    most: int = MOST_STATES,
) -> Alignment:
    """The optimal alignment of these steps; ``ends``: the case is over, so that the diagram must be too.

    ``start`` is the event the case began with. Kinds of steps in ``free`` cost nothing where the trail lacks them.
    """
    return _Search(stretches, ends=ends, free=free, most=most).found(start)


class _Search:
    """Dijkstra's search, with the steps that no diagram has as a bound for what is still to come."""

    def __init__(self, stretches: Sequence[Stretch], *, ends: bool, free: frozenset[StepKind], most: int) -> None:
        self.stretches, self.ends, self.free, self.most = stretches, ends, free, most
        self.steps = [step for each in stretches for step in each.steps]
        self.until: list[int] = []
        foreign: list[bool] = []
        for each in stretches:
            foreign += [not each.behaviour.knows(step) for step in each.steps]
            self.until.append(len(foreign))
        self.least = [0] * (len(foreign) + 1)
        for place in range(len(foreign) - 1, -1, -1):
            self.least[place] = self.least[place + 1] + foreign[place]

    def found(self, start: str | None) -> Alignment:
        first: _State = (0, 0, self.stretches[0].behaviour.begun(start))
        best: dict[_State, int] = {first: 0}
        before: dict[_State, tuple[_State, Move | None]] = {}
        numbers = count()
        queue = [(self.least[0], 0, 0, first)]
        closed: set[_State] = set()
        sound = 0
        while queue and len(closed) < self.most:
            _, _, _, state = heapq.heappop(queue)
            if state in closed:
                continue
            closed.add(state)
            spent = best[state]
            if not spent:
                sound = max(sound, state[1])
            if self._is_last(state):
                return Alignment(spent, tuple(_moves(state, before)), len(closed), sound)
            for cost, move, after in self._next(state):
                total = spent + cost
                if total < best.get(after, total + 1):
                    best[after], before[after] = total, (state, move)
                    heapq.heappush(queue, (total + self.least[after[1]], -after[1], -next(numbers), after))
        return Alignment(None, (), len(closed), sound)

    def _is_last(self, state: _State) -> bool:
        stretch, place, case = state
        done = place == len(self.steps) and stretch == len(self.stretches) - 1
        return done and (not self.ends or Behaviour.over(case))

    def _next(self, state: _State) -> Iterator[tuple[int, Move | None, _State]]:
        number, place, case = state
        here = self.stretches[number]
        step = self.steps[place] if place < self.until[number] else None
        if step is None and number + 1 < len(self.stretches):
            to = self.stretches[number + 1]
            moved = to.behaviour.moved(case, to.names)
            if moved is not None:
                yield 0, None, (number + 1, place, moved)
        if step is not None:
            yield 1, Move("trail", step, place, number), (number, place + 1, case)
        alike = twins(case)
        for allowed, after in here.behaviour.steps(case):
            if allowed is not None and allowed == step:
                yield 0, Move("both", allowed, place, number), (number, place + 1, after)
            costs = allowed is not None and allowed.kind not in self.free
            # A member that could follow another for nothing can do so later just as well: or there were no end of them.
            if costs or twins(after) <= alike:
                move = Move("diagram", allowed, None, number) if allowed is not None else None
                yield int(costs), move, (number, place, after)


def _moves(state: _State, before: Mapping[_State, tuple[_State, Move | None]]) -> list[Move]:
    found: list[Move] = []
    while state in before:
        state, move = before[state]
        if move is not None:
            found.append(move)
    return found[::-1]
