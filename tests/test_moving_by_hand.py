"""What becomes, one by one, of what is alive in a case that changes its version: kept, set right, refused by name."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from forms.values import PersonRef
from tests.drawing import Drawn, draw
from tests.playing import NOON, Play, incident

TASK = "start s -> a\nuser a -> e{}\nend e"


def later(days: int) -> datetime:
    return NOON + timedelta(days=days)


def due(play: Play, element: str) -> datetime | None:
    return play.awaited(element).due


def at(play: Play, day: int) -> None:
    """So many days have gone by since the case began."""
    play.host.now = later(day)


# Events that wait beside.


def with_timer(said: str, how: str = "beside") -> Drawn:
    return draw(f"start s -> a\nuser a -> e\ntimer late {how} a -> e2 | {said}\nend e\nend e2")


@pytest.mark.parametrize("said", ["duration=P9D", "duration=P3D", "date=until"])
def test_a_timer_keeps_its_instant_whatever_the_new_version_says_of_it(said: str) -> None:
    play = Play(with_timer("duration=P3D"), until=NOON)
    at(play, 1)
    assert play.move(with_timer(said, "on")).armed == []
    assert due(play, "late") == later(3)
    play.fire("late")
    assert play.ended  # it interrupts, as the new version says


def test_a_new_timer_counts_from_the_change_and_one_that_is_gone_is_disarmed() -> None:
    without = draw("start s -> a\nuser a -> e\nend e")
    play = Play(without)
    at(play, 1)
    assert play.move(with_timer("duration=P3D")).armed == ["late"]
    assert (due(play, "late"), play.happened("timer.armed")) == (later(4), ["late"])
    assert play.move(without).disarmed == ["late"]
    assert (play.waits(), play.open()) == ([], ["a"])


def test_what_has_come_already_does_not_come_again() -> None:
    play = Play(with_timer("duration=P3D"))
    play.fire("late")
    assert play.move(with_timer("duration=P9D")).armed == []
    assert play.waits() == []


def test_a_timer_without_an_instant_stays_so_until_another_text_gives_one() -> None:
    play = Play(with_timer("date=until"), until=None)
    assert play.waits() == []
    play.move(with_timer("date=until"))
    assert play.waits() == []
    assert play.move(with_timer("duration=P3D")).armed == ["late"]
    assert due(play, "late") == later(3)


def test_an_event_of_another_kind_begins_to_wait_afresh() -> None:
    message = draw("start s -> a\nuser a -> e\nmessage late beside a -> e2\nend e\nend e2")
    play = Play(with_timer("duration=P3D"))
    arrival = play.move(message)
    assert (arrival.armed, arrival.disarmed, due(play, "late")) == (["late"], ["late"], None)


def test_a_cycle_goes_on_from_the_instant_it_waits_for() -> None:
    play = Play(with_timer("cycle=R3/P2D"))
    play.fire("late")
    assert due(play, "late") == later(4)
    play.move(with_timer("cycle=R3/P7D"))
    assert due(play, "late") == later(4)
    play.fire("late")
    assert due(play, "late") == later(11)
    play.fire("late")
    assert play.waits() == []  # three times in all


def test_an_event_that_another_activity_has_now_waits_there() -> None:
    lines = "start s -> both\nand both -> a b\nuser a -> e\nuser b -> e\nmessage ask {} {} -> e3\nend e\nend e3"
    play = Play(draw(lines.format("on", "a")))
    arrival = play.move(draw(lines.format("on", "b")))
    assert (arrival.armed, arrival.disarmed) == (["ask"], ["ask"])
    play.fire("ask")
    assert play.open() == ["a"]


def test_a_condition_is_asked_in_its_new_words() -> None:
    lines = "start s -> a\nuser a -> e\ncond met beside a -> b | when={}\nuser b -> e\nend e"
    play = Play(draw(lines.format("amount > 3")), amount=5)
    assert play.open() == ["a", "b"]
    play.move(draw(lines.format("amount > 3")))
    assert play.open() == ["a", "b"]
    play.move(draw(lines.format("amount > 4")))
    assert play.open() == ["a", "b", "b"]


def test_a_key_is_asked_in_its_new_words() -> None:
    lines = "start s -> a\nmessage a -> e | key={}\nend e"
    play = Play(draw(lines.format("'one'")), other="two")
    play.move(draw(lines.format("other")))
    assert play.awaited("a").key == "two"


# Event subprocesses.

HANDLED = """
    start s -> a
    user a -> e
    end e
    handler h {{
    message hs {how} scope -> ha
    user ha -> he
    end he
    }}
"""


def test_an_event_subprocess_is_armed_and_disarmed_in_every_scope() -> None:
    lines = "start s -> box\nsub box [each] -> e | n=2 {{\nstart bs -> a\nuser a -> be\nend be\n{}\n}}\nend e"
    handler = "handler h {\nmessage hs beside scope -> ha\nuser ha -> he\nend he\n}"
    play = Play(draw(lines.format("")), stop_box=2)
    assert play.move(draw(lines.format(handler))).armed == ["hs", "hs"]
    play.fire("hs")
    assert play.open() == ["a", "a", "ha"]
    assert "which is alive" in play.obstacles(draw(lines.format("")))[-1]
    play.do("ha")
    assert play.move(draw(lines.format(""))).disarmed == ["hs", "hs"]
    assert play.waits() == []


def test_what_an_event_subprocess_has_put_an_end_to_is_not_armed_again() -> None:
    play = Play(draw(HANDLED.format(how="on")))
    play.fire("hs")
    more = HANDLED.format(how="on") + "handler g {\nmessage gs on scope -> ga\nuser ga -> ge\nend ge\n}"
    assert play.move(draw(more)).armed == []
    assert (play.open(), play.waits()) == (["ha"], [])


def test_an_event_subprocess_that_goes_on_cannot_begin_to_interrupt() -> None:
    play = Play(draw(HANDLED.format(how="beside")))
    assert play.obstacles(draw(HANDLED.format(how="on"))) == []
    play.fire("hs")
    (said,) = play.obstacles(draw(HANDLED.format(how="on")))
    assert "'h' interrupts in one of the two versions only" in said


# Rivals behind an event gateway.

RIVALS = "start s -> g\nevents g -> {}\n{}\nend e"


def rivals(**kinds: str) -> Drawn:
    return draw(RIVALS.format(" ".join(kinds), "\n".join(f"{kind} {name} -> e" for name, kind in kinds.items())))


def test_rivals_behind_an_event_gateway_come_and_go() -> None:
    play = Play(rivals(x="timer", y="message"))
    arrival = play.move(rivals(y="message", z="timer"))
    assert (arrival.armed, arrival.disarmed, play.waits()) == (["z"], ["x"], ["y", "z"])
    play.fire("z")
    assert play.ended


def test_a_gateway_behind_which_nothing_can_come_is_refused_by_name() -> None:
    play = Play(rivals(x="timer", y="message"), until=None)
    said = incident(lambda: play.move(draw("start s -> g\nevents g -> z\ntimer z -> e | date=until\nend e")))
    assert "behind the event gateway g" in said


# Tokens.


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (TASK, "start s -> b\nuser b -> e\nend e", "the new version has no 'a', which is alive"),
        (TASK, "start s -> a\nreceive a -> e\nend e", "'a' is a receiveTask in the new version, and a userTask now"),
        (TASK, "start s -> a\nuser a [each] -> e\nend e", "'a' is a parallel multi-instance userTask in the new"),
        (TASK, "start s -> a\nuser a [again] -> e\nend e", "'a' is a looped userTask in the new"),
        ("start s -> a\nuser a [each] -> e\nend e", TASK, "'a' is a userTask in the new version, and a parallel"),
        (
            "start s -> a\nuser a [each] -> e\nend e",
            "start s -> a\nuser a [in-turn] -> e\nend e",
            "'a' is a sequential multi-instance userTask in the new version, and a parallel",
        ),
        (
            "start s -> a\ntimer a -> e\nend e",
            "start s -> a\nmessage a -> e\nend e",
            "'a' waits for a message in the new version, and for a timer now",
        ),
        (TASK, "start s -> x\nsub x -> e {\nstart bs -> a\nuser a -> be\nend be\n}\nend e", "'a' lies in 'x'"),
    ],
)
def test_what_is_something_else_in_the_new_version_is_refused_by_name(old: str, new: str, said: str) -> None:
    old, new = (lines.replace("{}", "") for lines in (old, new))
    found = Play(draw(old), n_a=2, stop_a=2, again_a=True).obstacles(draw(new))
    assert len(found) == 1 and said in found[0], found


def test_a_transaction_and_a_subprocess_are_the_same_thing() -> None:
    lines = "start s -> box\n{} box -> e {{\nstart bs -> a\nuser a -> be\nend be\n}}\nend e"
    play = Play(draw(lines.format("sub")))
    play.move(draw(lines.format("transaction")))
    play.do("a")
    assert play.ended


def test_a_mapping_of_what_is_not_there_is_refused() -> None:
    play = Play(draw(TASK.format("")))
    said = play.obstacles(draw(TASK.format("")), {"aa": "a", "a": "bb"})
    assert any("'aa' of the mapping is not in the version of the case" in each for each in said)
    assert any("'bb' of the mapping is not in the new version" in each for each in said)


def test_two_elements_may_become_one_and_their_doers_are_known_together() -> None:
    old = draw("start s -> both\nand both -> a b\nuser a -> c\nuser b -> c\nuser c -> e\nend e")
    new = draw("start s -> both\nand both -> x y\nscript x -> c\nscript y -> c\nuser c -> e\nend e")
    play = Play(old)
    play.do_as("p1", "a", {"grade": 1})
    play.do_as("p2", "b", {})
    play.move(new, {"a": "x", "b": "x"})
    assert (play.thawed().rounds("x"), play.thawed().acted("x")) == (2, [PersonRef("p1"), PersonRef("p2")])
    assert play.variables()["x"] == {"grade": 1} or play.variables()["x"] == {}


def test_whoever_may_do_a_task_is_asked_again_only_where_the_words_are_others() -> None:
    play = Play(draw(TASK.format(" | role=r1; assignee==who")), who=PersonRef("p1"))
    assert play.move(draw(TASK.format(" | role=r1; assignee==who; due=None"))).items == {}
    ((item, changed),) = play.move(draw(TASK.format(" | role==['r2']; assignee==who"))).items.values()
    assert (item.roles, changed) == (("r2",), ("role",))


# Members of an activity.

VOTE = "start s -> v\nuser v [{}] -> c | collection=members; {}\nuser c -> e\nend e"


@pytest.mark.parametrize("loop", ["each", "in-turn"])
def test_members_keep_their_items_counters_and_results_under_new_names(loop: str) -> None:
    play = Play(draw(VOTE.format(loop, "item=who; output=votes; result=vote")), members=["x", "y", "z"])
    play.do("v", vote=1)
    play.move(draw(VOTE.format(loop, "item=member; output=points; result=vote * 10")))
    assert play.names("v")["member"] == "y" and "who" not in play.names("v")
    assert (play.names("v")["nrOfCompletedInstances"], play.names("v")["points"]) == (1, [1])
    play.do("v", vote=2)
    assert play.names("v")["member"] == "z"
    play.do("v", vote=3)
    assert play.variables()["points"] == [1, 20, 30]


def test_a_completion_condition_that_already_holds_ends_the_activity() -> None:
    play = Play(draw(VOTE.format("each", "until=nrOfCompletedInstances >= 3")), members=["x", "y", "z"])
    play.do("v")
    play.move(draw(VOTE.format("each", "until=nrOfCompletedInstances >= 2")))
    assert play.open() == ["v", "v"]
    play.move(draw(VOTE.format("each", "until=nrOfCompletedInstances >= 1")))
    assert (play.open(), len(play.closed)) == (["c"], 2)


def test_what_members_cannot_be_given_afterwards_is_refused_by_name() -> None:
    play = Play(draw(VOTE.format("each", "until=False")), members=["x", "y"])
    (said,) = play.obstacles(draw(VOTE.format("each", "item=member; until=False")))
    assert "each member of 'v' has 'member'" in said
    collecting = draw(VOTE.format("each", "output=votes; until=False"))
    assert play.obstacles(collecting) == []
    play.do("v")
    (said,) = play.obstacles(collecting)
    assert "'v' collects 'votes' in the new version" in said


def test_a_collection_that_begins_before_anybody_is_done_is_whole() -> None:
    play = Play(draw(VOTE.format("each", "until=False")), members=["x", "y"])
    play.move(draw(VOTE.format("each", "output=votes; result=1; until=False")))
    play.do("v")
    play.do("v")
    assert play.variables()["votes"] == [1, 1]


def test_a_loop_remembers_how_often_it_was_done() -> None:
    lines = "start s -> a\nuser a [again] -> e | most={}\nend e"
    play = Play(draw(lines.format(9)))
    play.do("a", again_a=True)
    play.move(draw(lines.format(2)))
    play.do("a", again_a=True)
    assert play.ended
