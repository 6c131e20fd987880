"""What is thrown inside a case and who catches it; event subprocesses, conditions, cycles, loops and splits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from forms.values import Value
from tests.drawing import Drawn, draw
from tests.playing import NOON, Play, incident

# Errors and escalations.

BOX = """
    start s    -> work
    sub   work -> e {{
        start ws -> a
        user  a  -> gate
        xor   gate -> bad *we | bad=wrong
        end   bad | error=E1
        end   we
    }}
    {}
    user  after -> e
    end   e
"""


def test_an_error_interrupts_and_its_code_is_kept() -> None:
    play = Play(draw(BOX.format("error off on work -> after | code=E1; into=why\ntimer late beside work -> after")))
    play.do("a", wrong=True)
    assert (play.open(), play.waits(), play.variables()["why"]) == (["after"], [], "E1")
    told = [(each.kind, each.element) for each in play.told if each.kind.startswith(("error", "end"))]
    assert told == [("end.reached", "bad"), ("error.thrown", "bad"), ("error.caught", "off")]


def test_an_error_that_nobody_catches_is_an_incident_that_names_element_and_code() -> None:
    play = Play(draw(BOX.format("error off on work -> after | code=E2")))
    said = incident(partial(play.do, "a", wrong=True))
    assert said == "the error E1 thrown by bad is caught by no event"
    assert play.open() == ["a"]  # nothing has changed


@pytest.mark.parametrize(
    ("lines", "caught"),
    [
        ("error any on work -> after\nerror own on work -> after | code=E1", "own"),
        ("error own on work -> after | code=E1\nerror any on work -> after", "own"),
        ("error other on work -> after | code=E2\nerror any on work -> after", "any"),
    ],
)
def test_an_error_is_caught_by_its_code_before_any(lines: str, caught: str) -> None:
    play = Play(draw(BOX.format(lines)))
    play.do("a", wrong=True)
    assert play.happened("error.caught") == [caught]


def test_an_event_subprocess_inside_is_nearer_than_the_border() -> None:
    drawn = draw("""
        start s    -> work
        sub   work -> e {
            start ws -> a
            user  a  -> bad
            end   bad | error=E1
            handler h {
                error hs on scope -> b | into=why
                user  b  -> he
                end   he
            }
        }
        error off on work -> e | code=E1
        end   e
    """)
    play = Play(drawn)
    play.do("a")
    assert (play.open(), play.happened("error.caught")) == (["b"], ["hs"])
    play.do("b")
    assert play.ended


def test_an_error_in_one_member_ends_all_and_their_scopes() -> None:
    drawn = draw("""
        start s    -> part
        sub   part [each] -> e | n=3; until=False {
            start ps -> a
            user  a  -> bad
            end   bad | error=E1
        }
        error off on part -> after
        user  after -> e
        end   e
    """)
    play = Play(drawn)
    play.do("a", nth=1)
    assert (play.open(), len(play.thawed().scopes.table)) == (["after"], 1)
    assert sorted(play.closed.values()) == ["cancelled", "cancelled", "completed"]


def test_an_error_comes_out_of_a_called_process() -> None:
    drawn = draw(
        "start s -> k\ncall k -> e | called=child\nerror off on k -> after | into=why\nuser after -> e\nend e",
        child="start cs -> ca\nuser ca -> bad\nend bad | error=E7",
    )
    play = Play(drawn)
    play.do("ca")
    assert (play.open(), play.variables()) == (["after"], {"why": "E7"})


def test_an_escalation_that_nobody_catches_goes_on() -> None:
    play = Play(draw("start s -> up\nthrow up -> a | escalation=X1\nuser a -> e\nend e | escalation=X2"))
    (told,) = [each for each in play.told if each.kind == "escalation.thrown"]
    assert (play.open(), told.about) == (["a"], {"code": "X1", "caught": False})
    play.do("a")
    assert play.ended


# Event subprocesses.

HANDLED = """
    start s -> a
    user  a -> b
    user  b -> e | fourEyes=a
    handler h {{
        message hs {} scope -> c | name=stop
        user  c -> he
        end   he | outcome=stopped
    }}
    end   e | outcome=done
"""


def test_an_event_subprocess_that_interrupts_is_all_that_is_left() -> None:
    play = Play(draw(HANDLED.format("on")))
    assert play.waits() == ["hs"]
    play.fire("hs", reason="late")
    assert (play.open(), play.waits(), play.variables()["reason"]) == (["c"], [], "late")
    play.do("c")
    assert (play.ended, play.outcome, play.waits()) == (True, "stopped", [])


def test_an_event_subprocess_that_does_not_interrupt_comes_again_while_the_case_lives() -> None:
    play = Play(draw(HANDLED.format("beside")))
    play.fire("hs")
    play.fire("hs")
    assert (play.open(), play.waits()) == (["a", "c", "c"], ["hs"])
    play.do("a")
    play.do("b")
    assert not play.ended
    play.do("c")
    play.do("c")
    assert (play.ended, play.waits()) == (True, [])


# Messages inside the case, and correlation.

MAIL = """
    start s     -> split
    and   split -> a first second
    user  a     -> tell
    throw tell  -> e | message=parcel; key=to
    receive first  -> e | name=parcel; key='one'
    message second -> e | name=parcel; key=2
    end   e
"""


@pytest.mark.parametrize(
    ("to", "left"),
    [("one", ["second"]), (2, ["first"]), ("2", ["first"]), (None, ["second"]), (3, ["first", "second"])],
)
def test_only_equal_keys_meet_and_no_key_meets_any(to: Value, left: list[str]) -> None:
    play = Play(draw(MAIL))
    assert [event.key for event in play.thawed().waiting()] == ["one", "2"]
    play.do("a", to=to)
    assert play.waits() == left
    (told,) = [each for each in play.told if each.kind == "message.thrown"]
    assert told.about["to"] == next(iter({"first", "second"} - set(left)), None)


def test_the_event_that_waits_for_the_very_key_goes_before_one_that_waits_for_any() -> None:
    keyed = MAIL.replace("name=parcel; key='one'", "name=parcel")
    for to, left in ((2, ["first"]), (3, ["second"])):
        play = Play(draw(keyed))
        play.do("a", to=to)
        assert play.waits() == left


def test_a_message_thrown_comes_to_one_event_and_without_one_is_told() -> None:
    lines = "start s -> split\nand split -> a x y\nuser a -> tell\nsend tell -> a | message=m"
    play = Play(draw(f"{lines}\nmessage x -> e | name=m\nmessage y -> e | name=m\nend e"))
    for left in (["y"], [], []):
        play.do("a")
        assert play.waits() == left


def test_what_a_person_must_answer_is_not_met_by_the_process_itself() -> None:
    drawn = draw("start s -> split\nand split -> tell x\nsend tell -> e | message=m\nmessage x -> e | name=m\nend e")
    element = drawn.diagrams["p"].elements["x"]
    object.__setattr__(element, "policy", {"form": "recall"})
    assert Play(drawn).waits() == ["x"]


# Signals.


def test_a_signal_comes_to_everything_that_waits_in_every_scope() -> None:
    drawn = draw(
        """
        start s     -> split
        and   split -> a x k part
        user  a     -> shout
        throw shout -> e | signal=go
        signal x    -> b | name=go
        user  b     -> e
        call  k     -> e | called=child
        sub   part [each] -> e | n=2; until=False {
            start ps -> y
            signal y -> c | name=go
            user  c  -> pe
            end   pe
        }
        end   e
        """,
        child="start cs -> z\nsignal z -> d | name=go\nuser d -> ce\nend ce",
    )
    play = Play(drawn)
    assert (play.open(), play.waits()) == (["a"], [])  # nobody outside can send a signal
    play.do("a")
    assert play.open() == ["b", "c", "c", "d"]
    assert sorted(play.happened("signal.caught")) == ["x", "y", "y", "z"]


# Conditions.


def test_a_condition_is_looked_at_after_every_step_and_may_hold_at_once() -> None:
    waits = "cond until -> b | when=n > 2"
    drawn = draw(f"start s -> split\nand split -> a until\nuser a -> a\n{waits}\nuser b -> e\nend e")
    play = Play(drawn)
    assert play.open() == ["a"]  # n is not written yet
    play.do("a", n=1)
    assert play.open() == ["a"]
    play.do("a", n=3)
    assert (play.open(), play.happened("condition.met")) == (["a", "b"], ["until"])
    assert Play(drawn, n=3).open() == ["a", "b"]


def test_a_condition_that_a_script_makes_true_for_a_moment_is_met() -> None:
    drawn = draw("""
        start s -> a
        user  a -> up
        script up -> down | n=3
        script down -> b | n=1
        user  b -> e
        handler h {
            cond  hs beside scope -> c | when=n > 2
            user  c -> he
            end   he
        }
        end   e
    """)
    play = Play(drawn, n=0)
    play.do("a")
    assert play.open() == ["b", "c"]


def test_a_condition_that_does_not_interrupt_must_cease_to_hold_before_it_comes_again() -> None:
    drawn = draw("""
        start s    -> box
        sub   box  -> e {
            start bs -> a
            user  a  -> a2
            xor   a2 -> a
        }
        cond  often beside box -> b | when=n > 2
        user  b    -> e
        end   e
    """)
    play = Play(drawn, n=0)
    for n, count in ((3, 1), (4, 1), (1, 1), (5, 2), (5, 2)):
        play.do("a", n=n)
        assert play.open().count("b") == count


def test_a_condition_that_cannot_be_evaluated_is_an_incident() -> None:
    drawn = draw("start s -> until\ncond until -> e | when=n > 2\nend e")
    assert "of until cannot be evaluated" in incident(partial(Play, drawn, n="x"))
    bare = draw("start s -> until\ncond until -> e | when=n\nend e")
    assert "of until must be true or false" in incident(partial(Play, bare, n=1))


def test_signals_and_conditions_may_be_rivals_behind_an_event_gateway() -> None:
    drawn = draw("""
        start s -> split
        and   split -> a first
        user  a -> shout
        throw shout -> a | signal=go
        events first -> heard met
        signal heard -> b | name=go
        cond   met -> c | when=n > 2
        user  b -> first2
        xor   first2 -> first
        user  c -> e
        end   e
    """)
    play = Play(drawn, n=1)
    play.do("a")
    assert play.open() == ["a", "b"]
    play.do("a")  # nobody listens
    play.do("b", n=3)  # the condition holds at once
    assert play.open() == ["a", "c"]


# Cycles.


def reminding(cycle: str) -> Drawn:
    """A task with a reminder that comes again."""
    return draw(f"start s -> a\nuser a -> e\ntimer late beside a -> b | cycle={cycle}\nuser b -> e\nend e")


def dues(play: Play, most: int) -> list[datetime]:
    """When the reminder comes, each time; the worker is always late."""
    found: list[datetime] = []
    while play.waits() and len(found) < most:
        due = play.awaited("late").due
        assert due is not None
        found.append(due)
        play.host.now = due + timedelta(minutes=7)
        play.fire("late")
    return found


def test_a_cycle_comes_so_many_times_and_does_not_drift() -> None:
    play = Play(reminding("R3/PT1H"))
    assert dues(play, 9) == [NOON + timedelta(hours=hour) for hour in (1, 2, 3)]
    assert play.open() == ["a", "b", "b", "b"]


def test_a_cycle_of_months_keeps_to_the_day_it_began_on() -> None:
    play = Play(draw("start s -> x\nuser x -> a\nuser a -> e\ntimer late beside a -> e | cycle=R/P1M\nend e"))
    play.host.now = datetime(2028, 1, 31, 4, tzinfo=UTC)
    play.do("x")
    days = [(each.month, each.day, each.hour) for each in dues(play, 13)]
    assert days[:4] == [(2, 29, 12), (3, 31, 12), (4, 30, 12), (5, 31, 12)]  # by the clock of Beijing
    assert days[12] == (2, 28, 12)


def test_a_cycle_ends_with_what_it_waits_at() -> None:
    play = Play(reminding("R/P1D"))
    dues(play, 3)
    play.do("a")
    assert play.waits() == []


# Flows that leave activities, and loops.


def test_an_activity_takes_every_flow_without_condition_and_those_that_hold() -> None:
    play = Play(draw("start s -> a\nuser a -> b ?c ?d\nuser b -> e\nuser c -> e\nuser d -> e\nend e"), go_a=[])
    play.do("a", go_a=["a.c"])
    assert play.open() == ["b", "c"]
    assert [each.about["taken"] for each in play.told if each.kind == "gateway.taken"] == [["a.b", "a.c"]]


def test_an_activity_that_has_nowhere_to_go_is_an_incident() -> None:
    play = Play(draw("start s -> a\nuser a -> ?b ?c\nuser b -> e\nuser c -> e\nend e"))
    assert "no condition of a holds" in incident(partial(play.do, "a", go_a=[]))


@pytest.mark.parametrize(("more", "times"), [("while=n < 3", 3), ("while=True; most=2", 2), ("while=False", 1)])
def test_a_standard_loop_asks_after_each_time(more: str, times: int) -> None:
    play = Play(draw(f"start s -> a\nuser a [again] -> b | {more}\nuser b -> e\nend e"))
    for n in range(1, times + 1):
        assert play.open() == ["a"]
        play.do("a", n=n)
    assert (play.open(), play.thawed().rounds("a")) == (["b"], times)


def test_a_standard_loop_may_ask_before_the_first_time() -> None:
    lines = "start s -> a\nuser a [again] -> b | while=n < 3; before=true\ntimer late on a -> e\nuser b -> e\nend e"
    play = Play(draw(lines), n=3)
    assert (play.open(), play.waits()) == (["b"], [])
    assert (Play(draw(lines), n=2).open(), Play(draw(lines), n=2).waits()) == (["a"], ["late"])
