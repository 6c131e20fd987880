"""Who has done a task in its last round: what four eyes rest on, when rounds overlap and members work side by side."""

from __future__ import annotations

import pytest

from forms.values import PersonRef
from tests.drawing import draw
from tests.playing import Play


def test_a_second_token_at_a_task_does_not_make_the_first_doer_forgotten() -> None:
    drawn = draw("start s -> split\nand split -> x y\nuser x -> a\nuser y -> a\nuser a -> b\nuser b -> e\nend e")
    play = Play(drawn)
    play.do("x")
    play.do("y")
    play.do_as("p1", "a", {})
    assert play.thawed().acted("a") == [PersonRef("p1")]
    play = Play(drawn)
    play.do("x")
    play.do_as("p1", "a", {})
    play.do("y")  # nobody is at it any more: a round of its own begins
    assert play.thawed().acted("a") == []
    play = Play(draw("start s -> split\nand split -> x y a\nuser x -> a\nuser y -> a\nuser a -> e\nend e"))
    play.do("x")
    play.do_as("p1", "a", {})
    play.do("y")  # the token of x is still there
    assert play.thawed().acted("a") == [PersonRef("p1")]


PANEL = """
    start s    -> again
    xor   again -> part
    sub   part [{}] -> decide | n=2; until=False {{
        start ps -> a
        user  a  -> gate
        xor   gate -> a *b | a=rework
        user  b  -> pe | fourEyes=a
        end   pe
    }}
    user  decide -> more
    xor   more -> again *e | again=once_more
    end   e
"""


@pytest.mark.parametrize("how", ["each", "in-turn"])
def test_what_is_done_in_one_member_is_not_forgotten_in_another(how: str) -> None:
    play = Play(draw(PANEL.format(how)))
    play.do_as("p1", "a", {"rework": False})
    if how == "in-turn":
        play.do_as("p2", "b", {})
    play.do_as("p3", "a", {"rework": True})
    play.do_as("p4", "a", {"rework": False})
    assert play.thawed().acted("a") == [PersonRef("p1"), PersonRef("p3"), PersonRef("p4")]
    while "b" in play.open():
        play.do_as("p5", "b", {})
    play.do("decide", once_more=True)
    assert play.thawed().acted("a") == []  # the whole activity starts anew
    assert play.thawed().acted("b") == []


def test_a_called_process_in_a_member_is_remembered_until_the_activity_starts_anew() -> None:
    drawn = draw(
        "start s -> k\ncall k [each] -> a | called=child; n=2; until=False\nuser a -> k\nend e",
        child="start cs -> ca\nuser ca -> ce\nend ce",
    )
    play = Play(drawn)
    play.do_as("p1", "ca", {})
    play.do_as("p2", "ca", {})
    assert play.thawed().acted("child/ca") == [PersonRef("p1"), PersonRef("p2")]
    play.do("a")
    assert play.thawed().acted("child/ca") == []
