"""Joins fire when BPMN says, never early, never twice, never lost: in walks against a token game, and by hand."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from bpmn.findings import Findings
from bpmn.happenings import check_happenings
from bpmn.structure import check_structure
from bpmn.supported import check_supported
from tests.drawing import Drawn, draw
from tests.event_models import EVENT_MODELS
from tests.message_models import MESSAGE_MODELS
from tests.models import MODELS
from tests.playing import Play, incident
from tests.random_models import random_event_model, random_model
from tests.walking import walk

EVERY_MODEL = {**MODELS, **EVENT_MODELS, **MESSAGE_MODELS}
WAITS = {"userTask", "intermediateCatchEvent", "boundaryEvent", "endEvent", "receiveTask"}


def refusals(drawn: Drawn) -> set[str]:
    """What the gate says of a drawing."""
    findings = [Findings(diagram.file) for diagram in drawn.diagrams.values()]
    for diagram, found in zip(drawn.diagrams.values(), findings, strict=True):
        check_structure(diagram, found)
        check_supported(diagram, found)
        check_happenings(diagram, found)
    return {finding.code for found in findings for finding in found.found} - {"no-outcome"}


def test_there_are_as_many_models_as_was_promised() -> None:
    # 20 models for joins and 12 for a case cut and restored after each step: a walk compares both, on every model.
    assert len(MODELS) >= 20
    assert len(EVERY_MODEL) >= 32


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_every_walk_through_a_model_is_a_game_of_tokens(name: str, deep: bool) -> None:
    drawn, met = EVERY_MODEL[name], Counter[str]()
    assert not refusals(drawn)  # what is proved here is what may be deployed
    for seed in range(200 if deep else 40):
        met += walk(drawn, f"{name} {seed}", 60 if deep else 30).done
    elements = [element for diagram in drawn.diagrams.values() for element in diagram.elements.values()]
    waits = [each.id for each in elements if each.type in WAITS and (each.event is None or each.event.kind != "link")]
    assert [element for element in waits if not met[element]] == []


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_every_walk_through_a_random_model_is_a_game_of_tokens(first: int, deep: bool) -> None:
    met = Counter[str]()
    for model in range(first, first + 10):
        for seed in range(100 if deep else 5):
            drawn = random_model(1_000 * seed + model if deep else model)
            met += walk(drawn, f"random {model} {seed}", 30).done
    assert met["(stuck)"] and met["e"]
    assert met["(too many orders)"] <= (20 if deep else 1)


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_every_walk_through_a_random_model_of_events_is_a_game_of_tokens(first: int, deep: bool) -> None:
    met = Counter[str]()
    for model in range(first, first + 10):
        for seed in range(100 if deep else 5):
            drawn = random_event_model(1_000 * seed + model if deep else model)
            met += walk(drawn, f"random events {model} {seed}", 30).done
    for kind in ("error", "escalation", "message"):
        assert met[f"o{kind}"] + met[f"h{kind}s"] + met[f"r{kind}s"]
    assert met["(stuck)"]
    assert met["(too many orders)"] <= (20 if deep else 1)


def test_an_and_join_in_a_loop_waits_for_both_in_every_round() -> None:
    play = Play(MODELS["and-in-a-loop"], more="more.again")
    for number in range(50):
        first, second = ("a", "b") if number % 3 else ("b", "a")
        play.do(first)
        assert play.open() == [second]
        play.do(second)
        assert play.open() == ["a", "b"]


def test_an_or_join_waits_for_exactly_the_branches_that_were_taken() -> None:
    play = Play(MODELS["or-in-a-loop"], split=["split.a", "split.b"], more="more.again")
    play.do("a")
    assert play.open() == ["b"]
    play.do("b", split=["split.b"])
    assert play.open() == ["b"]
    play.do("b", split=[])
    assert play.open() == ["c"]  # nothing holds: the default flow
    play.do("c", more="more.e")
    assert play.ended


def test_an_or_join_is_looked_at_again_when_a_token_elsewhere_ends() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> a b
        user  a     -> gate
        xor   gate  -> join gone
        user  b     -> join
        or    join  -> c
        user  c     -> e
        end   gone
        end   e
    """)
    play = Play(drawn)
    play.do("b")
    assert play.open() == ["a"]
    play.do("a", gate="gate.gone")
    assert play.open() == ["c"]


def test_an_or_join_is_looked_at_again_when_a_token_elsewhere_is_cancelled() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> box b
        sub   box   -> join {
            start bs -> a
            user  a  -> be
            end   be
        }
        message stop on box -> e
        user  b     -> join
        or    join  -> c
        user  c     -> e
        end   e
    """)
    play = Play(drawn)
    play.do("b")
    assert play.open() == ["a"]
    play.fire("stop")
    assert play.open() == ["c"]


def test_an_or_join_fires_before_a_token_that_can_reach_what_is_already_there() -> None:
    # BPMN 2.0, table 13.4: b can reach the empty flow, but the filled one as well, so it is not waited for.
    drawn = draw("""
        start s     -> split
        and   split -> a b
        user  a     -> merge
        user  b     -> gate
        xor   gate  -> merge join
        xor   merge -> join
        or    join  -> c
        user  c     -> e
        end   e
    """)
    play = Play(drawn)
    play.do("a")
    assert play.open() == ["b", "c"]
    play.do("b", gate="gate.join")
    assert play.open() == ["c", "c"]


def test_two_tokens_on_one_flow_do_not_stand_for_one_on_each() -> None:
    play = Play(MODELS["two-tokens-through-one-way"])
    play.do("a")
    play.do("b")
    play.do("c")
    play.do("c")
    assert play.open() == ["d", "d", "f", "f"]
    play.do("d")
    play.do("d", more="more.e")
    assert play.open() == ["f", "f"]
    play.do("f", more="more.merge")
    assert play.open() == ["c", "f"]
    play.do("f", more="more.e")
    assert play.open() == ["c"]


def test_joins_in_two_members_of_an_activity_do_not_mix() -> None:
    drawn = draw("""
        start s    -> part
        sub   part [each] -> c | n=2; until=False {
            start ps    -> split
            and   split -> a b
            user  a     -> join
            user  b     -> join
            and   join  -> pe
            end   pe
        }
        user  c    -> e
        end   e
    """)
    play = Play(drawn)
    play.do("a", nth=0)
    play.do("b", nth=1)
    assert play.open() == ["a", "b"]
    play.do("b")
    assert play.open() == ["a"]
    play.do("a")
    assert play.open() == ["c"]


def test_a_token_that_waits_at_a_join_for_ever_is_an_incident_that_names_the_join() -> None:
    play = Play(MODELS["an-and-join-that-may-starve"])
    play.do("a", gate="gate.gone")
    before = play.state, play.scopes
    said = incident(partial(play.do, "b"))
    assert "the join join would wait for ever" in said
    assert (play.state, play.scopes) == before
    assert play.open() == ["b"]


def test_a_token_stuck_inside_a_subprocess_is_an_incident_although_others_are_alive() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> box c
        sub   box   -> e {
            start bs    -> gate
            xor   gate  -> a b
            user  a     -> both
            user  b     -> both
            and   both  -> be
            end   be
        }
        message note beside box -> e
        user  c     -> e
        end   e
    """)
    play = Play(drawn, gate="gate.a")
    assert "the join both would wait for ever" in incident(partial(play.do, "a"))
