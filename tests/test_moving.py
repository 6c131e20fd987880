"""A case that changes its version in the middle: it stands where it would stand had it always been in the new one."""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import Any

import pytest
from lxml import etree

from engine.errors import Incident
from engine.runtime.instance import Instance
from tests.drawing import Drawn, written
from tests.event_models import EVENT_MODELS
from tests.message_models import MESSAGE_MODELS
from tests.models import MODELS
from tests.playing import Play
from tests.random_models import random_event_model, random_model
from tests.walking import Walk, engine_view

EVERY_MODEL = {**MODELS, **EVENT_MODELS, **MESSAGE_MODELS}


def shown(play: Play) -> str:
    """Where a case stands, without numbers: as the token game writes it down."""
    instance = play.thawed()
    return engine_view(instance, instance.task_tree.id, play.drawn)


# The same version again: nothing may change at all.


class Migrant(Walk):
    """A walk whose thawed case changes to an equal version before every step; the one kept in memory does not."""

    @cached_property
    def twin(self) -> Drawn:
        """The same drawing, deployed again."""
        return Drawn(self.drawn.main, self.drawn.files)

    def thawed(self) -> Instance:
        play = Play.__new__(Play)
        play.drawn, play.host, (play.state, play.scopes) = self.drawn, self.host, self.texts
        arrival = play.move(self.twin)
        assert (play.state, play.scopes) == self.texts
        assert (arrival.armed, arrival.disarmed, arrival.items, play.told) == ([], [], {}, [])
        return play.thawed()


def migrate_at_every_step(drawn: Drawn, seed: str, most: int) -> int:
    walked = Migrant(drawn, seed)
    while walked.steps < most and walked.step():
        pass
    return walked.steps


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_a_walk_that_changes_to_an_equal_version_at_every_step_goes_as_if_it_had_not(name: str, deep: bool) -> None:
    for seed in range(40 if deep else 4):
        migrate_at_every_step(EVERY_MODEL[name], f"{name} {seed}", 60 if deep else 20)


@pytest.mark.parametrize("make", [random_model, random_event_model])
def test_a_random_walk_that_changes_to_an_equal_version_goes_as_if_it_had_not(make: type, deep: bool) -> None:
    assert sum(migrate_at_every_step(make(seed), f"{seed}", 20) for seed in range(400 if deep else 40)) > 100


# Another version: the case must look as if it had walked there from the beginning.


def renamed(drawn: Drawn, ending: str) -> tuple[Drawn, dict[str, str]]:
    """The same with other ids of all elements and flows, and how they are called now."""
    names: dict[str, str] = {}
    files = {}
    for process, diagram in drawn.diagrams.items():
        root = etree.fromstring(drawn.files[process])
        mine = {each: each + ending for each in (*diagram.elements, *diagram.flows)}
        for node in root.iter("{*}*"):
            for word in ("id", "sourceRef", "targetRef", "attachedToRef", "default"):
                if said := mine.get(node.get(word, "")):
                    node.set(word, said)
        files[process] = etree.tostring(root)
        names |= mine
    return Drawn(drawn.main, files), names


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_a_case_whose_every_element_is_renamed_stands_where_it_stood(name: str, deep: bool) -> None:
    other, names = renamed(EVERY_MODEL[name], "_2")
    for seed in range(40 if deep else 4):
        walked = Walk(EVERY_MODEL[name], f"{name} {seed}")
        while walked.steps < seed * 3 and walked.step():
            pass
        if walked.kept is None or walked.kept.ended:
            continue
        play = Play.__new__(Play)
        play.drawn, play.host, (play.state, play.scopes) = walked.drawn, walked.host, walked.texts
        before = play.state
        assert play.obstacles(other)
        play.move(other, names)
        assert play.thawed().tasks.keys() == walked.kept.tasks.keys()
        play.move(walked.drawn, {new: old for old, new in names.items()})
        assert play.state == before


LATER = """
    message late{n} {how} {host} -> latee{n}
    end latee{n}
"""
HOSTS = ("userTask", "subProcess", "callActivity")
HANDLER = """
    handler newh {
    message newhs beside scope -> newht
    user newht -> newhe
    end newhe
    }
"""


def with_more_events(drawn: Drawn, random: Random) -> Drawn:
    """The same with messages on the borders of some of its activities, and perhaps one for the whole process."""
    files = dict(drawn.files)
    for name, data in drawn.files.items():
        lines = [
            LATER.format(n=host.id, how=random.choice(["on", "beside"]), host=host.id)
            for host in drawn.diagrams[name].elements.values()
            if host.type in HOSTS and host.container == name and random.random() < 0.5
        ]
        lines += [HANDLER] if name == drawn.main and random.random() < 0.5 else []
        whole: Any = etree.fromstring(data)
        more: Any = etree.fromstring(written("more", "\n".join(lines)))
        process = whole.find("{*}process")
        process.extend(more.find("{*}process"))
        for message in more.findall("{*}message"):
            process.addprevious(message)
        files[name] = etree.tostring(whole)
    return Drawn(drawn.main, files)


def play_both(old: Drawn, new: Drawn, seed: str, steps: int) -> tuple[Play, Play] | None:
    """The same acts in both versions, none of them by an event that only one has; None when they get stuck."""
    random, decide = Random(seed), Random(seed)
    first = new.decide(decide) | old.decide(decide)
    plays = Play(old, first), Play(new, first)
    for _ in range(steps):
        there = [(False, element) for element in plays[0].open()] + [(True, element) for element in plays[0].waits()]
        there = [each for each in there if not each[1].startswith(("late", "newh"))]
        if not there:
            break
        event, element = random.choice(there)
        values = new.decide(decide) | old.decide(decide)
        try:
            for play in plays:
                play.fire(element, **values) if event else play.do(element, values)
        except Incident:
            return None
    return plays


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("backwards", [False, True])
def test_events_that_one_version_has_alone_are_armed_and_disarmed(name: str, backwards: bool, deep: bool) -> None:
    for seed in range(40 if deep else 4):
        more = with_more_events(MODELS[name], Random(f"{name} {seed}"))
        for steps in range(8):
            plays = play_both(MODELS[name], more, f"{seed}", steps)
            if plays is None or plays[0].ended:
                break
            old, new = reversed(plays) if backwards else plays
            arrival = old.move(new.drawn)
            assert shown(old) == shown(new)
            assert not (arrival.armed if backwards else arrival.disarmed)
