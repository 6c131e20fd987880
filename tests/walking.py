"""Walks at random through a model, on the runtime and in the token game at once, and compares them after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from engine.errors import Incident
from engine.runtime.events import Armed, Catch
from engine.runtime.instance import Instance
from tests.drawing import Decisions, Drawn
from tests.playing import House
from tests.token_game import TooManyOrders, World
from tests.tokens import FROM_OUTSIDE, Token, shown

CAUGHT = ("signal.caught", "error.caught", "escalation.caught", "condition.met", "message.received")
MOST_TOKENS = 25  # a model may make tokens faster than a walk can use them up; such a walk stops


def engine_view(instance: Instance, number: int, drawn: Drawn) -> str:
    """A task of the runtime and all inside it, written down as the game does it."""
    task = instance.tasks[number]
    spec, data = task.task_spec, task.internal_data
    tables = [instance.scopes.table[data[key]].values for key in ("scope", "inside") if key in data]
    names = {"loopCounter", *drawn.names}
    known = [f"{name}={table[name]}" for table in tables for name in sorted(names & table.keys())]
    inside = [child for child in task.children if not is_armed(child.task_spec, spec)]
    counts = None
    if "left" in data:
        table = instance.scopes.table[data["inside"]].values
        counts = [table[name] for name in ("nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances")]
    return shown(
        spec.element.id,
        member=spec.name.endswith("#each"),
        counts=counts,
        events=[child.task_spec.element.id for child in task.children if is_armed(child.task_spec, spec)],
        known=known,
        marking=Counter({flow: n for join in data.get("joins", {}).values() for flow, n in join.items()}),
        inside=[engine_view(instance, child.id, drawn) for child in inside],
    )


def is_armed(spec: object, around: object) -> bool:
    """Whether an event waits at something, not by itself."""
    return isinstance(spec, Armed) or (isinstance(spec, Catch) and type(around).__name__ == "EventGateway")


@dataclass(frozen=True)
class Move:
    """Something that can be done: by its place (the views from the case inwards) and, where one is armed, an event."""

    place: tuple[str, ...]
    event: str | None


def engine_moves(instance: Instance, drawn: Drawn) -> list[tuple[int, Move]]:
    """What can be done on the runtime: open work items and awaited events, with their numbers."""
    found = []
    for number in [*(task.id for task in instance.items()), *(event.token for event in instance.waiting())]:
        task, event = instance.tasks[number], None
        if is_armed(task.task_spec, task.parent.task_spec):
            task, event = task.parent, task.task_spec.element.id
        place = []
        while task is not None:
            place.append(engine_view(instance, task.id, drawn))
            task = task.parent
        found.append((number, Move(tuple(place), event)))
    return found


def game_moves(world: World) -> Iterator[tuple[Token, Move]]:
    """What can be done in the game."""
    for token in world.root.all():
        inner = token.around is not None and token.total is None and not token.tokens
        if inner and token.plan[token.element].type == "userTask":
            yield token, Move(place_of(token), None)
        for what, event in token.waits():
            if what.event is not None and what.event.kind in FROM_OUTSIDE:
                yield token, Move(place_of(token), event)


def place_of(token: Token) -> tuple[str, ...]:
    """The views of a token and of everything around it."""
    place = []
    around: Token | None = token
    while around is not None:
        place.append(around.view())
        around = around.around
    return tuple(place)


class Walk:
    """One walk. ``report`` says how it went, so that a difference can be followed step by step."""

    def __init__(self, drawn: Drawn, seed: int | str) -> None:
        self.drawn, self.random = drawn, Random(seed)
        self.host = House()
        self.report: list[str] = [f"seed {seed}"]
        self.done: Counter[str] = Counter()
        self.steps = 0
        decisions = self.decide()
        self.worlds = World.started(drawn, decisions)
        self.kept: Instance | None = None
        self.texts = ("", "")
        try:
            self.kept = Instance.started(drawn.model, self.host, decisions)
        except Incident as refusal:
            self.compare_refusal(refusal)
        else:
            self.texts = self.kept.frozen()
            self.compare()

    def decide(self) -> Decisions:
        """Fresh decisions about everything."""
        return self.drawn.decide(self.random)

    def fail(self, what: str) -> None:
        """A difference: with all that led to it."""
        raise AssertionError("\n".join([what, *self.report]))

    def thawed(self) -> Instance:
        """The case as it was last frozen."""
        return Instance.thawed(self.drawn.model, self.host, *self.texts)

    def compare(self) -> None:
        """The runtime must be in one of the worlds of the game; the others are forgotten."""
        assert self.kept is not None
        view = engine_view(self.kept, self.kept.task_tree.id, self.drawn)
        self.report.append(f"  runtime: {view}")
        ends = Counter(each.element for each in self.kept.happenings if each.kind == "end.reached")
        self.done.update(each.element for each in self.kept.happenings if each.kind in CAUGHT)
        here: tuple[object, ...] = (view, self.kept.ended, frozenset(), ends)
        same = [
            world
            for world in self.worlds
            if (world.root.view(), world.ended, world.stuck, Counter(world.ends)) == here
        ]
        if not same:
            games = [f"  game:    {world.root.view()} ended={world.ended} {world.stuck or ''}" for world in self.worlds]
            self.fail("\n".join(["the runtime is where the game cannot be", *games]))
        self.worlds = same[:1]  # all of them look the same, and what a world is can be seen whole
        self.done.update(ends)

    def compare_refusal(self, refusal: Incident) -> None:
        """An incident is right where the game is stuck, and names a join at which it is."""
        self.report.append(f"  runtime: {refusal}")
        if not any(any(join in refusal.text.en for join in world.stuck) for world in self.worlds):
            self.fail("the runtime is stuck and the game is not")
        self.done.update(["(stuck)", *self.worlds[0].stuck])
        self.kept = None

    def step(self) -> bool:
        """One step on the case kept in memory, on the one thawed from its texts, and in the game. False at the end."""
        if self.kept is None or self.kept.ended or len(self.kept.tasks) > MOST_TOKENS:
            return False
        moves = engine_moves(self.kept, self.drawn)
        if not moves:  # what is awaited can only come from inside, and nothing moves there
            self.done["(waiting)"] += 1
            return False
        number, move = self.random.choice(moves)
        decisions = self.decide()
        self.report.append(f"{move.event or move.place[0]} with {decisions}")
        self.steps += 1
        (world,) = self.worlds
        found = list(game_moves(world))
        if Counter(each for _, each in moves) != Counter(each for _, each in found):
            self.fail("the runtime lets something happen that the game does not, or the other way round")
        try:
            self.worlds = world.happen(next(token for token, each in found if each == move), move.event, decisions)
        except TooManyOrders:
            self.done["(too many orders)"] += 1
            return False
        self.move_engine(number, move, decisions)
        return True

    def move_engine(self, number: int, move: Move, decisions: Decisions) -> None:
        """The same step on both instances; their texts must be the same ever after."""
        kept = self.kept
        assert kept is not None
        thawed = self.thawed()
        task = kept.tasks[number].task_spec
        self.done[task.element.id] += 1
        try:
            for instance in (thawed, kept):
                instance.happenings = []
                if task.manual:
                    instance.complete(number, decisions, ["somebody"])
                else:
                    instance.fire(number, decisions)
        except Incident as refusal:
            self.compare_refusal(refusal)
            return
        self.texts = thawed.frozen()
        if kept.frozen() != self.texts or kept.happenings != thawed.happenings:
            self.fail(f"frozen and thawed it is {self.texts}, kept in memory {kept.frozen()}")
        self.compare()


def walk(drawn: Drawn, seed: int | str, most: int) -> Walk:
    """A walk of at most so many steps. AssertionError, with the seed and every step, if runtime and game differ."""
    walked = Walk(drawn, seed)
    while walked.steps < most and walked.step():
        pass
    return walked
