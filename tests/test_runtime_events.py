"""Timers and messages: on the border of activities, in a flow, behind an event-based gateway; ends that terminate."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from forms.values import Value
from tests.drawing import Drawn, draw
from tests.playing import NOON, Play, incident

INSIDE = "start ws -> split\nand split -> a b\nuser a -> join\nuser b -> join\nand join -> we\nend we"
HOSTS = {
    "user": "user  work -> e",
    "sub": f"sub   work -> e {{\n{INSIDE}\n}}",
    "call": "call  work -> e | called=child; in.x=1",
    "each": "user  work [each] -> e | n=2; until=False",
    "in-turn": "user  work [in-turn] -> e | n=2; until=False",
}
OPEN = {"user": ["work"], "sub": ["a", "b"], "call": ["b"], "each": ["work", "work"], "in-turn": ["work"]}
CHILD = "start cs -> b\nuser b -> ce\nend ce"


def hosting(host: str, events: str) -> Drawn:
    """An activity of this kind with events on its border; ``after`` comes behind them."""
    return draw(f"start s -> work\n{HOSTS[host]}\n{events}\nuser after -> e2\nend e\nend e2", child=CHILD)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("kind", ["timer", "message"])
def test_an_interrupting_event_cancels_the_work_inside(host: str, kind: str) -> None:
    play = Play(hosting(host, f"{kind} out on work -> after"))
    assert (play.open(), play.waits()) == (OPEN[host], ["out"])
    tokens = {token for element in OPEN[host] for token in play.tokens(element)}
    play.fire("out")
    assert (play.open(), play.waits()) == (["after"], [])
    assert play.closed == dict.fromkeys(tokens, "cancelled")
    assert sorted(play.happened("task.cancelled")) == OPEN[host]
    assert len(play.thawed().scopes.table) == 1
    play.do("after")
    assert play.ended


@pytest.mark.parametrize("host", HOSTS)
def test_an_event_that_does_not_interrupt_leaves_the_work_open(host: str) -> None:
    play = Play(hosting(host, "timer out beside work -> after"))
    play.fire("out")
    assert play.open() == sorted([*OPEN[host], "after"])
    assert (play.closed, play.waits()) == ({}, [])  # a duration is over once
    play.do("after")
    for element in [*OPEN[host], *(["work"] if host == "in-turn" else [])]:
        assert not play.ended
        play.do(element)
    assert play.ended


@pytest.mark.parametrize("host", HOSTS)
def test_a_message_that_does_not_interrupt_may_come_again_and_again(host: str) -> None:
    play = Play(hosting(host, "message ask beside work -> after"))
    for number in range(3):
        play.fire("ask")
        assert play.open().count("after") == number + 1
        assert play.waits() == ["ask"]
    for element in [*OPEN[host], *(["work"] if host == "in-turn" else [])]:
        play.do(element)
    assert (play.open(), play.waits()) == (["after"] * 3, [])


@pytest.mark.parametrize("host", HOSTS)
def test_the_events_of_an_activity_vanish_when_it_is_done(host: str) -> None:
    play = Play(hosting(host, "timer late on work -> after\nmessage ask beside work -> after"))
    assert play.waits() == ["ask", "late"]
    for element in [*OPEN[host], *(["work"] if host == "in-turn" else [])]:
        assert play.waits() == ["ask", "late"]
        play.do(element)
    assert play.ended
    assert play.waits() == []


@pytest.mark.parametrize("host", HOSTS)
def test_what_a_message_brings_is_written_around_the_activity_and_outlives_it(host: str) -> None:
    play = Play(hosting(host, "message out on work -> after | name=withdraw"))
    play.fire("out", reason="no longer needed")
    assert play.variables() == {"reason": "no longer needed", "out": {"reason": "no longer needed"}}
    assert play.names("after")["reason"] == "no longer needed"
    (happening,) = [each for each in play.told if each.kind == "message.received"]
    assert (happening.element, happening.about) == ("out", {"message": "withdraw"})


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("how", ["on", "beside"])
def test_a_timer_that_gives_none_is_not_armed(host: str, how: str) -> None:
    play = Play(hosting(host, f"timer late {how} work -> after | date=deadline"), deadline=None)
    assert (play.open(), play.waits()) == (OPEN[host], [])
    assert play.happened("timer.armed") == []


@pytest.mark.parametrize("host", HOSTS)
def test_a_timer_reads_the_variables_around_its_activity_when_waiting_starts(host: str) -> None:
    play = Play(hosting(host, "timer late on work -> after | date=deadline"), deadline=date(2026, 3, 16))
    assert play.awaited("late").due == datetime(2026, 3, 17, tzinfo=UTC)
    (armed,) = [each for each in play.told if each.kind == "timer.armed"]
    assert armed.about["values"] == {"deadline": date(2026, 3, 16)}
    play.fire("late")
    (fired,) = [each for each in play.told if each.kind == "timer.fired"]
    assert fired.about == {"token": armed.about["token"], "due": "2026-03-17T00:00:00+00:00"}


def test_a_duration_is_counted_once_when_waiting_starts() -> None:
    play = Play(draw("start s -> a\nuser a -> pause\ntimer pause -> b | duration=P1DT2H\nuser b -> e\nend e"))
    host = play.host
    host.now = NOON + timedelta(days=3)
    play.do("a")
    host.now = NOON + timedelta(days=4)
    assert play.awaited("pause").due == NOON + timedelta(days=4, hours=2)
    play.fire("pause")
    assert play.open() == ["b"]


def test_a_timer_in_a_flow_without_an_instant_is_an_incident() -> None:
    drawn = draw("start s -> pause\ntimer pause -> e | date=deadline\nend e")
    assert "the timer event pause has no instant" in incident(partial(Play, drawn, deadline=None))


@pytest.mark.parametrize(
    "lines",
    [
        "start s -> pause\ntimer pause -> e | date=deadline",
        "start s -> a\nuser a -> e\ntimer pause on a -> e | date=deadline",
    ],
)
def test_a_timer_whose_expression_gives_no_instant_is_an_incident(lines: str) -> None:
    drawn = draw(f"{lines}\nend e")
    assert "the timer event pause: this is no instant" in incident(partial(Play, drawn, deadline="soon"))
    assert "of pause cannot be evaluated" in incident(partial(Play, drawn))


def test_a_message_in_a_flow_brings_its_values() -> None:
    play = Play(draw("start s -> come\nmessage come -> a\nuser a -> e\nend e"))
    assert play.waits() == ["come"]
    play.fire("come", said="yes")
    assert play.variables() == {"said": "yes", "come": {"said": "yes"}}


# Behind an event-based gateway.

RIVALS = draw("""
    start  s      -> first
    events first  -> soon later came
    timer  soon   -> a | date=soon_on
    timer  later  -> b | date=later_on
    message came  -> c
    user   a      -> e
    user   b      -> e
    user   c      -> e
    end    e
""")
DAYS: dict[str, Value] = {"soon_on": date(2026, 3, 5), "later_on": date(2026, 3, 9)}


@pytest.mark.parametrize(("event", "then"), [("soon", "a"), ("later", "b"), ("came", "c")])
def test_the_event_that_comes_first_takes_its_rivals_away(event: str, then: str) -> None:
    play = Play(RIVALS, DAYS)
    assert play.waits() == ["came", "later", "soon"]
    play.fire(event)
    assert (play.open(), play.waits()) == ([then], [])


def test_each_timer_behind_a_gateway_has_an_instant_of_its_own() -> None:
    play = Play(RIVALS, DAYS)
    due = {event.element.id: event.due for event in play.thawed().waiting()}
    assert due == {
        "soon": datetime(2026, 3, 6, tzinfo=UTC), "later": datetime(2026, 3, 10, tzinfo=UTC), "came": None,
    }  # fmt: skip


def test_a_timer_behind_a_gateway_that_gives_none_is_no_rival() -> None:
    assert Play(RIVALS, soon_on=None, later_on=date(2026, 3, 9)).waits() == ["came", "later"]
    assert Play(RIVALS, soon_on=None, later_on=None).waits() == ["came"]


def test_a_gateway_behind_which_nothing_can_come_is_an_incident() -> None:
    timers = "timer soon -> e | date=day\ntimer later -> e | date=day"
    drawn = draw(f"start s -> first\nevents first -> soon later\n{timers}\nend e")
    assert "behind the event gateway first" in incident(partial(Play, drawn, day=None))


def test_a_gateway_in_a_loop_waits_afresh_in_every_round() -> None:
    drawn = draw("""
        start  s     -> again
        xor    again -> first
        events first -> soon came
        timer  soon  -> again
        message came -> a
        user   a     -> more
        xor    more  -> again *e | again=once_more
        end    e
    """)
    play = Play(drawn)
    for _ in range(20):
        play.fire("soon")
        assert play.waits() == ["came", "soon"]
        play.fire("came")
        play.do("a", once_more=True)
    assert play.waits() == ["came", "soon"]


# Ends.


def test_a_terminate_end_ends_the_case_and_everything_in_it() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> a box vote
        user  a     -> stop
        sub   box   -> e {
            start bs -> split2
            and split2 -> b join
            user  b  -> join
            and join -> be
            end   be
        }
        timer late  on box -> e
        user  vote  [each] -> e | n=2; until=False
        terminate stop | outcome=stopped
        end   e
    """)
    play = Play(drawn)
    tokens = {*play.tokens("b"), *play.tokens("vote")}
    play.do("a")
    assert play.ended
    assert play.outcome == "stopped"
    assert {token for token, how in play.closed.items() if how == "cancelled"} == tokens
    assert (play.open(), play.waits()) == ([], [])
    assert len(play.thawed().scopes.table) == 1


def test_a_terminate_end_in_a_subprocess_ends_only_the_subprocess() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> box c
        sub   box   -> d {
            start bs -> split2
            and split2 -> a b join
            user  a  -> stop
            user  b  -> join
            and   join -> be
            terminate stop
            end   be
        }
        message ask beside box -> e
        user  c     -> e
        user  d     -> e
        end   e
    """)
    play = Play(drawn)
    play.do("a")
    assert (play.open(), play.waits()) == (["c", "d"], [])
    assert sorted(play.closed.values()) == ["cancelled", "completed"]


def test_a_terminate_end_in_one_member_leaves_the_others() -> None:
    drawn = draw("""
        start s     -> part
        sub   part  [each] -> e | n=2; until=False {
            start ps -> split
            and split -> a b
            user  a  -> stop
            user  b  -> pe
            terminate stop
            end   pe
        }
        end   e
    """)
    play = Play(drawn)
    play.do("a", nth=0)
    assert play.open() == ["a", "b"]
    play.do("b")
    play.do("a")
    assert play.ended


def test_a_terminate_end_in_a_called_process_ends_only_that() -> None:
    drawn = draw(
        "start s -> k\ncall k -> a | called=child; out.how=outcome\nuser a -> e\nend e",
        child="""
        start cs    -> split
        and   split -> b c
        user  b     -> stop
        user  c     -> ce
        terminate stop | outcome=stopped
        end   ce
        """,
    )
    play = Play(drawn)
    play.do("b")
    assert play.open() == ["a"]
    assert play.variables() == {"how": "stopped"}


def test_a_scope_is_done_only_when_all_its_tokens_are_gone() -> None:
    drawn = draw("""
        start s     -> box
        sub   box   -> d {
            start bs -> split
            and split -> a b
            user  a  -> be
            timer late beside a -> c
            user  b  -> be2
            user  c  -> be
            end   be
            end   be2
        }
        user  d     -> e
        end   e
    """)
    play = Play(drawn)
    play.fire("late")
    for element in ("a", "b"):
        play.do(element)
        assert "d" not in play.open()
    play.do("c")
    assert play.open() == ["d"]


def test_the_outcome_is_what_the_end_event_says() -> None:
    ends = "end e | outcome=done\nend f | outcome==['no', reason][1]"
    drawn = draw(f"start s -> a\nuser a -> gate\nxor gate -> e *f | e=ok\n{ends}")
    play = Play(drawn)
    play.do("a", ok=False, reason="late")
    assert (play.ended, play.outcome) == (True, "late")
    assert play.happened("end.reached") == ["f"]


def test_an_abandoned_case_is_over_and_stays_so() -> None:
    play = Play(hosting("sub", "timer late on work -> after"))
    instance = play.thawed()
    instance.abandon("withdrawn")
    assert set(instance.closed.values()) == {"cancelled"}
    play._keep(instance)
    assert (play.ended, play.outcome, play.open(), play.waits()) == (True, "withdrawn", [], [])
