"""Alignments: what the runtime did agrees with the diagram at no cost, and what was made up costs what it must."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from random import Random

import pytest

from bpmn.alignment import NOTHING, Alignment, Stretch, align
from bpmn.behaviour import Behaviour
from bpmn.marking import Step, StepKind
from engine.conformance import KINDS
from engine.runtime.happenings import Happening
from tests.drawing import Drawn, draw
from tests.event_models import EVENT_MODELS
from tests.models import MODELS
from tests.walking import Walk

WALKED = {**MODELS, **EVENT_MODELS}


class Recorded(Walk):
    """A walk that keeps what a trail would tell of it."""

    def __init__(self, drawn: Drawn, seed: int | str) -> None:
        super().__init__(drawn, seed)
        self.told: list[Step] = []
        self.keep()

    def keep(self) -> None:
        """What the last step led to."""
        for happening in self.kept.happenings if self.kept is not None else ():
            self.told += [step_of(happening)] if happening.kind in KINDS else []

    def move_engine(self, number: int, move: object, decisions: object) -> None:
        assert self.kept is not None
        task = self.kept.tasks[number].task_spec
        done = [Step("done", task.model.id, task.element.id)] if task.manual else []
        super().move_engine(number, move, decisions)  # type: ignore[arg-type]
        if self.kept is not None:
            self.told += done
            self.keep()


def step_of(happening: Happening) -> Step:
    """What the runtime tells, as a step."""
    taken = happening.about.get("taken")
    flows = tuple(sorted(str(flow) for flow in taken)) if isinstance(taken, list) else ()
    return Step(KINDS[happening.kind], happening.process, happening.element, flows)


def recorded(drawn: Drawn, seed: int, most: int = 25) -> Recorded:
    walk = Recorded(drawn, seed)
    while walk.steps < most and walk.step():
        pass
    return walk


def aligned(drawn: Drawn, steps: Sequence[Step], *, ends: bool, free: frozenset[StepKind] = NOTHING) -> Alignment:
    taken: dict[tuple[str, str], frozenset[tuple[str, ...]]] = {}
    for step in steps:
        if step.kind == "taken":
            where = (step.process, step.element)
            taken[where] = taken.get(where, frozenset()) | {step.flows}
    return align([Stretch(Behaviour(drawn.main, drawn.diagrams, taken), steps)], ends=ends, free=free)


def readable(found: Alignment) -> list[str]:
    return [f"{move.side} {move.step.kind} {move.step.element}" for move in found.moves if move.side != "both"]


# What the runtime does.


@pytest.mark.parametrize("name", WALKED)
def test_what_the_runtime_does_agrees_with_the_diagram(name: str, deep: bool) -> None:
    for seed in range(200 if deep else 6):
        walk = recorded(WALKED[name], seed)
        over = walk.kept is not None and walk.kept.ended
        found = aligned(WALKED[name], walk.told, ends=over)
        assert found.cost == 0, "\n".join([f"seed {seed}: {found.cost}, sound {found.sound}", *map(str, walk.told)])


@pytest.mark.parametrize("name", ["and-in-a-loop", "or-in-a-loop", "an-error-out-of-a-subprocess"])
def test_a_step_that_is_taken_away_put_in_or_swapped_is_found_where_it_is(name: str) -> None:
    random, drawn = Random(1), WALKED[name]
    tried = 0
    for seed in range(20):
        walk = recorded(drawn, seed, 8)
        done = [place for place, step in enumerate(walk.told) if step.kind == "done"]
        if walk.kept is None or not walk.kept.ended or not done:
            continue
        place = random.choice(done)
        step = walk.told[place]
        lacking = aligned(drawn, [*walk.told[:place], *walk.told[place + 1 :]], ends=True)
        assert lacking.cost == 1 and readable(lacking) == [f"diagram done {step.element}"]
        foreign = Step("done", "p", "nobody_knows")
        strange = aligned(drawn, [*walk.told[:place], foreign, *walk.told[place:]], ends=True)
        assert strange.cost == 1 and readable(strange) == ["trail done nobody_knows"]
        assert [move.place for move in strange.moves if move.side == "trail"] == [place]
        doubled = aligned(drawn, [*walk.told[: place + 1], step, *walk.told[place + 1 :]], ends=True)
        assert doubled.cost == 1 and readable(doubled) == [f"trail done {step.element}"]
        tried += 1
    assert tried > 5


# Small models, whose every course is written down.

MANY = 4
SMALL: dict[str, tuple[Drawn, set[str]]] = {
    "a sequence": (draw("start s -> a\nuser a -> b\nuser b -> c\nuser c -> e\nend e"), {"abc"}),
    "a choice": (
        draw("start s -> a\nuser a -> x\nxor x -> b c\nuser b -> d\nuser c -> d\nuser d -> e\nend e"),
        {"abd", "acd"},
    ),
    "at the same time": (
        draw("""start s -> x\nand x -> a b c\nuser a -> j\nuser b -> j\nuser c -> j\nand j -> d\nuser d -> e\nend e"""),
        {"".join(order) + "d" for order in permutations("abc")},
    ),
    "some of them": (
        draw("""start s -> x\nor x -> a b c\nuser a -> j\nuser b -> j\nuser c -> j\nor j -> d\nuser d -> e\nend e"""),
        {"".join(order) + "d" for n in (1, 2, 3) for some in combinations("abc", n) for order in permutations(some)},
    ),
    "again and again": (
        draw("start s -> m\nxor m -> a\nuser a -> x\nxor x -> b e\nuser b -> m\nend e"),
        {"a" + "ba" * n for n in range(MANY)},
    ),
    "for each member": (
        draw("start s -> a\nuser a -> v\nuser v [each] -> b | n=5\nuser b -> e\nend e"),
        {"a" + "v" * n + "b" for n in range(MANY * 2)},
    ),
    "interrupted": (
        draw("""
            start s -> q
            sub q -> d {
                start qs -> a
                user a -> b
                user b -> qe
                end qe
            }
            message m on q -> c
            user c -> e
            user d -> e
            end e
        """),
        {"abd", "mc", "amc", "abmc"},
    ),
    "reminded": (
        draw("start s -> a\nuser a -> e\nmessage m beside a -> n\nuser n -> e\nend e"),
        {"a", "mna", "man", "mmnna", "mnmna", "mmnan", "mnman", "mmann"},
    ),
    "cut short": (
        draw("start s -> x\nand x -> a b\nuser a -> c\nuser b -> e\nuser c -> t\nend e\nterminate t"),
        {"ac", "abc", "bac", "acb"},
    ),
}


def cheapest(word: str, language: set[str]) -> int:
    """The fewest letters to strike out of a word, or to put in, so that it is one of these: by their common part."""

    def common(one: str, other: str) -> int:
        row = [0] * (len(other) + 1)
        for letter in one:
            last = 0
            for place, each in enumerate(other):
                last, row[place + 1] = row[place + 1], last + 1 if letter == each else max(row[place], row[place + 1])
        return row[-1]

    return min(len(word) + len(each) - 2 * common(word, each) for each in language)


@pytest.mark.parametrize("name", SMALL)
def test_the_alignment_costs_as_little_as_the_best_of_all_courses(name: str, deep: bool) -> None:
    drawn, language = SMALL[name]
    random, letters = Random(name), sorted({letter for word in language for letter in word} | {"z"})
    for _ in range(400 if deep else 40):
        word = "".join(random.choice(letters) for _ in range(random.randint(0, 5)))
        steps = [Step("came" if letter == "m" else "done", "p", letter) for letter in word]
        found = aligned(drawn, steps, ends=True, free=frozenset({"opened", "taken", "ended"}))
        assert found.cost == cheapest(word, language), f"{word}: {readable(found)}"


def test_a_swapped_pair_costs_two_and_both_are_named() -> None:
    drawn, _ = SMALL["a sequence"]
    steps = [Step("done", "p", letter) for letter in "acb"] + [Step("ended", "p", "e")]
    found = aligned(drawn, steps, ends=True, free=frozenset({"opened"}))
    assert found.cost == 2
    apart = [move.step.element for move in found.moves if move.side != "both" and move.step.kind == "done"]
    assert apart in (["b", "b"], ["c", "c"])


def test_an_open_case_need_not_have_come_to_the_end() -> None:
    drawn, _ = SMALL["a sequence"]
    begun = [Step("opened", "p", "a"), Step("done", "p", "a")]
    assert aligned(drawn, begun, ends=False).cost == 0
    assert aligned(drawn, begun, ends=True).cost == 5


def test_what_is_not_found_within_the_bound_is_undecided_and_says_how_far_all_agrees() -> None:
    drawn, _ = SMALL["a sequence"]
    steps = [Step(kind, "p", letter) for letter in "ab" for kind in ("opened", "done")]
    steps.append(Step("done", "p", "a"))
    found = align([Stretch(Behaviour("p", drawn.diagrams), steps)], most=7)
    assert (found.cost, found.moves) == (None, ())
    assert found.sound == 4
