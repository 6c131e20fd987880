"""Tokens that wait deep inside when a case changes its version: in called processes, at joins, and standing still."""

from __future__ import annotations

import pytest

from tests.drawing import Drawn, draw
from tests.playing import Play, incident

# Called processes.

CALLER = "start s -> call\ncall call -> e | called={}; in.matter=1{}\nend e"
CHILD = "start cs -> ca\nuser ca -> ce\nend ce"


def test_a_case_stays_in_the_process_it_called_which_may_be_another_version_too() -> None:
    play = Play(draw(CALLER.format("child", ""), child=CHILD))
    longer = CHILD.replace("user ca -> ce", "user ca -> cb\nuser cb -> ce")
    play.move(draw(CALLER.format("child", "; in.more=2"), child=longer))
    assert (play.names("ca")["matter"], play.names("ca")["more"]) == (1, 2)
    play.do("ca")
    assert play.open() == ["cb"]
    play.do("cb")
    assert play.ended


def test_a_call_of_another_process_is_refused_by_name() -> None:
    play = Play(draw(CALLER.format("child", ""), child=CHILD))
    said = play.obstacles(draw(CALLER.format("other", ""), other=CHILD, child=CHILD))
    assert said == ["'call' calls 'other' in the new version, and 'child' now"]
    said = play.obstacles(draw(CALLER.format("other", ""), other=CHILD))
    assert "the new version no longer calls 'child'" in said


def test_an_element_of_a_called_process_is_mapped_and_one_of_the_same_id_elsewhere_is_not() -> None:
    lines = "start s -> both\nand both -> call ca\ncall call -> e | called=child\nuser ca -> e\nend e"
    play = Play(draw(lines, child=CHILD))
    other = draw(lines, child=CHILD.replace("ca", "cx"))
    assert len(play.obstacles(other)) == 1
    play.move(other, {"ca": "cx"})
    assert play.open() == ["ca", "cx"]


# Tokens that wait on flows.

JOIN = "start s -> split\nand split -> a b\nuser a -> join\nuser b -> {b}\n{kind} join -> c\nuser c -> e\nend e"


def test_a_join_that_nothing_can_come_to_any_more_fires() -> None:
    play = Play(draw(JOIN.format(b="join", kind="or")))
    play.do("a")
    assert play.open() == ["b"]
    play.move(draw(JOIN.format(b="e", kind="or")))
    assert play.open() == ["b", "c"]


@pytest.mark.parametrize("kind", ["and", "xor", "or"])
def test_a_join_of_another_kind_or_with_fewer_ways_is_looked_at_again(kind: str) -> None:
    play = Play(draw(JOIN.format(b="join", kind="and")))
    play.do("a")
    play.move(draw(JOIN.format(b="e" if kind == "and" else "join", kind=kind)))
    assert play.open() == (["b"] if kind == "or" else ["b", "c"])


def test_a_token_that_waits_at_a_join_goes_where_its_flow_leads_now() -> None:
    play = Play(draw(JOIN.format(b="join", kind="and")))
    play.do("a")
    more = JOIN.format(b="join", kind="and").replace("user a -> join", "user a -> join2")
    play.move(draw(more + "\nand join2 -> d\nuser d -> join"), {"a.join": "a.join2"})
    assert play.open() == ["b", "d"]


def test_a_flow_without_which_a_branch_would_be_lost_is_refused_by_name() -> None:
    play = Play(draw(JOIN.format(b="join", kind="and")))
    play.do("a")
    gone = draw(JOIN.format(b="join", kind="and").replace("user a -> join", "user a -> c"))
    (said,) = play.obstacles(gone)
    assert "no flow 'a.join', on which a branch waits" in said


def test_a_flow_with_another_id_between_the_same_elements_is_the_same_flow() -> None:
    play = Play(draw(JOIN.format(b="join", kind="and")))
    play.do("a")
    data = {"p": play.drawn.files["p"].replace(b'id="a.join"', b'id="another"')}
    play.move(Drawn("p", data))
    play.do("b")
    assert play.open() == ["c"]


def held() -> Play:
    """A case that stands still before a script that cannot be done."""
    play = Play(draw("start s -> a\nuser a -> t\nscript t -> c | x=nothing\nuser c -> e\nend e"))
    assert "nothing" in incident(lambda: play.do("a"))
    instance = play.thawed()
    instance.holding = True
    instance.complete(play.tokens("a")[0], {}, ["somebody"])
    play._keep(instance)
    return play


def release(play: Play) -> None:
    instance = play.thawed()
    instance.release()
    play._keep(instance)


def test_a_token_that_stands_still_goes_on_by_the_new_version() -> None:
    play = held()
    play.move(draw("start s -> a\nuser a -> t\nscript t -> c | x=1\nuser c -> e\nend e"))
    assert (play.open(), play.thawed().held()) == ([], ["a.t"])
    release(play)
    assert play.open() == ["c"]


def test_a_token_that_stands_still_on_a_flow_that_is_gone_needs_another() -> None:
    play = held()
    other = draw("start s -> a\nuser a -> c\nuser c -> e\nend e")
    (said,) = play.obstacles(other)
    assert "no flow 'a.t'" in said
    play.move(other, {"a.t": "a.c"})
    release(play)
    assert play.open() == ["c"]
