"""A case on the runtime: guarded steps, incidents that name an element and change nothing, a cost that stays flat."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest

from engine.runtime.instance import Instance
from forms.values import PersonRef, Value
from tests.drawing import draw
from tests.models import MODELS
from tests.playing import House, Play, incident

STEP = draw("start s -> a\nuser a -> b\nuser b -> e\nend e")
REWORK = draw("""
    start s     -> again
    xor   again -> split
    and   split -> a b
    user  a     -> join
    user  b     -> join
    and   join  -> more
    xor   more  -> again *e | again=rework
    end   e
""")


def shape(play: Play) -> str:
    """The two texts of a case without their numbers: what is left of growth when ids go on."""
    return re.sub(r"\d+", "0", play.state + play.scopes)


# Guards.


def test_a_work_item_is_completed_once() -> None:
    play = Play(STEP)
    (token,) = play.tokens("a")
    play.do("a")
    with pytest.raises(AssertionError, match="is not open"):
        play.thawed().complete(token, {}, ["somebody"])


@pytest.mark.parametrize("token", [0, 1, 99])
def test_what_is_no_work_item_is_not_completed(token: int) -> None:
    with pytest.raises(AssertionError, match="is not open"):
        Play(STEP).thawed().complete(token, {}, ["somebody"])


def test_a_waiting_event_is_not_completed_and_a_work_item_is_not_fired() -> None:
    play = Play(draw("start s -> a\nuser a -> e\nmessage ask beside a -> e\nend e"))
    (item,), event = play.tokens("a"), play.awaited("ask").token
    with pytest.raises(AssertionError, match="is not open"):
        play.thawed().complete(event, {}, ["somebody"])
    with pytest.raises(AssertionError, match="is not waiting"):
        play.thawed().fire(item)
    assert play.thawed().live(item) and play.thawed().live(event)
    play.fire("ask")
    with pytest.raises(AssertionError, match="is not waiting"):
        play.thawed().fire(event)


def test_a_case_that_is_over_stays_over_when_it_is_thawed() -> None:
    play = Play(STEP)
    play.do("a")
    before = play.ended
    play.do("b")
    assert (before, play.ended, play.open()) == (False, True, [])


def test_task_data_stays_empty() -> None:
    instance = Play(STEP).thawed()
    next(instance.items()).data["amount"] = 1
    with pytest.raises(AssertionError, match="variables live in scopes"):
        instance.frozen()


# Work items.


def test_a_work_item_says_who_may_do_it_and_by_when() -> None:
    said = "role=registrar, head; assignee==chief; due=until_day; excluded=[chief, other]"
    play = Play(
        draw(f"start s -> a\nuser a -> e | {said}\nend e"),
        chief=PersonRef("p1"), other=PersonRef("p2"), until_day="2026",
    )  # fmt: skip
    item = play.item("a")
    assert (item.roles, item.assignees, item.excluded) == (("registrar", "head"), ("p1",), ("p1", "p2"))
    assert (item.due, item.token, item.process) == ("2026", play.tokens("a")[0], "p")


def test_roles_and_assignees_may_be_computed_lists_or_nobody() -> None:
    drawn = draw("start s -> a\nuser a -> e | role==roles; assignee==team; excluded=nobody\nend e")
    play = Play(drawn, roles=["r1", "r2"], team=[PersonRef("p1"), PersonRef("p2")], nobody=None)
    item = play.item("a")
    assert (item.roles, item.assignees, item.excluded) == (("r1", "r2"), ("p1", "p2"), ())


def test_the_applicant_may_be_the_assignee() -> None:
    assert Play(draw("start s -> a\nuser a -> e | assignee=applicant\nend e")).item("a").assignees == ("applicant",)


def test_an_assignee_that_is_no_person_is_an_incident() -> None:
    drawn = draw("start s -> a\nuser a -> e | assignee==team\nend e")
    assert "the assignee of a must be a person" in incident(partial(Play, drawn, team="p1"))


def test_rounds_are_counted_and_the_doers_of_the_last_round_are_known() -> None:
    play = Play(REWORK, rework=True)
    play.do_as("p1", "a", {})
    assert (play.thawed().rounds("a"), play.thawed().acted("a")) == (1, [PersonRef("p1")])
    play.do_as("p2", "b", {})
    assert (play.thawed().rounds("a"), play.thawed().acted("a")) == (1, [])
    play.do_as("p3", "a", {})
    assert (play.thawed().rounds("a"), play.thawed().acted("a")) == (2, [PersonRef("p3")])


def test_all_who_voted_in_the_last_round_have_acted() -> None:
    play = Play(draw("start s -> v\nuser v [each] -> a | n=2; until=False\nuser a -> v2\nxor v2 -> v\nend e"))
    play.do_as("p1", "v", {})
    play.do_as("p2", "v", {})
    assert play.thawed().acted("v") == [PersonRef("p1"), PersonRef("p2")]
    play.do("a")
    assert play.thawed().acted("v") == []


# Decisions are told.


def test_a_gateway_tells_which_way_it_took_and_what_it_read() -> None:
    drawn = draw("""
        start s    -> a
        user  a    -> gate
        xor   gate -> b c *e | b=amount_fen > 100; c=a['grade'] == 'c'
        user  b    -> e
        user  c    -> e
        end   e
    """)
    play = Play(drawn)
    play.do("a", amount_fen=100, grade="c", private=1)
    (told,) = [each for each in play.told if each.kind == "gateway.taken"]
    assert told.element == "gate"
    assert told.about == {
        "taken": ["gate.c"],
        "tried": [
            {"flow": "gate.b", "expression": "amount_fen > 100", "holds": False},
            {"flow": "gate.c", "expression": "a['grade'] == 'c'", "holds": True},
        ],
        "values": {"amount_fen": 100, "a.grade": "c"},
    }


# Incidents.


def test_a_gateway_without_a_true_condition_is_an_incident_that_names_it() -> None:
    play = Play(draw("start s -> a\nuser a -> gate\nxor gate -> e f | e=ok; f=ok\nend e\nend f"))
    before = play.state, play.scopes
    assert "no condition of gateway gate holds" in incident(partial(play.do, "a", ok=False))
    assert (play.state, play.scopes) == before
    play.do("a", ok=True)
    assert play.ended


def test_an_inclusive_gateway_without_a_true_condition_is_an_incident_that_names_it() -> None:
    drawn = draw("start s -> gate\nor gate -> e f | e=ok; f=ok\nend e\nend f")
    assert "no condition of gateway gate holds" in incident(partial(Play, drawn, ok=False))


@pytest.mark.parametrize("value", [1, "yes", None, []])
def test_a_condition_that_is_neither_true_nor_false_is_an_incident(value: Value) -> None:
    drawn = draw("start s -> gate\nxor gate -> e *f | e=ok\nend e\nend f")
    assert "the condition 'ok' of gate must be true or false" in incident(partial(Play, drawn, ok=value))


@pytest.mark.parametrize(
    ("element", "lines"),
    [
        ("gate", "xor gate -> e *f | e=missing > 1\nend f"),
        ("work", "script work -> e | x=1 // 0"),
        ("work", "script work -> e | x=missing"),
        ("work", "service work -> e | do.x=missing"),
        ("work", "user work -> e | assignee==missing"),
        ("work", "user work -> e | role==missing"),
        ("work", "user work -> e | due=missing"),
        ("work", "user work -> e | excluded=missing"),
        ("work", "user work [each] -> e | collection=missing"),
        ("work", "user work [each] -> e | n=missing"),
        ("work", "call work -> e | called=child; in.x=missing"),
        ("work", "call work -> e | called=child; out.x=missing"),
        ("pause", "timer pause -> e | date=missing"),
        ("e", "xor gate -> e"),
    ],
)
def test_an_expression_that_fails_is_an_incident_that_names_its_element(element: str, lines: str) -> None:
    first = lines.split()[1]
    drawn = draw(f"start s -> {first}\n{lines}\nend e | outcome==missing", child="start cs -> ce\nend ce")
    assert f"of {element} cannot be evaluated" in incident(partial(Play, drawn))


def test_a_result_that_fails_is_an_incident_that_names_the_activity() -> None:
    play = Play(draw("start s -> work\nuser work [each] -> e | n=1; until=False; output=all_of; result=missing\nend e"))
    assert "of work cannot be evaluated" in incident(partial(play.do, "work"))


def test_a_loop_without_a_wait_is_an_incident() -> None:
    drawn = draw("""
        start s     -> a
        user  a     -> again
        xor   again -> c
        script c    -> more
        xor   more  -> again *e | again=rework
        end   e
    """)
    play = Play(drawn)
    assert "the diagram has a loop without one" in incident(partial(play.do, "a", rework=True))
    play.do("a", rework=False)
    assert play.ended


def test_a_process_that_calls_itself_for_ever_is_an_incident() -> None:
    child = "start cs -> ck\ncall ck -> ce | called=child\nend ce"
    drawn = draw("start s -> k\ncall k -> e | called=child\nend e", child=child)
    assert "automatic steps without a wait" in incident(partial(Play, drawn))


# Flat cost. Whether a case that is frozen and thawed after every step is the case kept in memory, the walks of
# test_runtime_joins say for every model; here it goes on for long.


def played_long(play: Play, rounds: int, again: dict[str, Value], *elements: str) -> tuple[set[str], int]:
    """The shapes a case takes in rounds of these work items, and by how many characters it has grown from round 3."""
    kept = Instance.thawed(play.drawn.model, House(), play.state, play.scopes)
    shapes: set[str] = set()
    first = 0
    for number in range(rounds):
        for element in elements if number % 2 else reversed(elements):
            kept.complete(play.tokens(element)[0], again, ["somebody"])
            play.do(element, again)
            if number >= 3:
                shapes.add(shape(play))
        assert kept.frozen() == (play.state, play.scopes)
        if number == 3:
            first = len(play.state + play.scopes)
    return shapes, len(play.state + play.scopes) - first


def test_2000_rounds_of_rework_leave_nothing_behind_but_larger_numbers(deep: bool) -> None:
    play = Play(REWORK, rework=True)
    shapes, growth = played_long(play, 10_000 if deep else 2_000, {"rework": True}, "a", "b")
    assert len(shapes) <= 4  # one of two is done, or none; in either order
    assert growth < 60
    assert len(play.state) < 300
    play.do("a", rework=False)
    play.do("b", rework=False)
    assert play.ended


def test_a_loop_inside_one_branch_leaves_nothing_behind(deep: bool) -> None:
    model = MODELS["a-loop-inside-one-branch"]
    play = Play(model, back="back.a", more="more.again")
    play.do("b")
    shapes, growth = played_long(play, 10_000 if deep else 1_000, {"back": "back.a"}, "a")
    assert len(shapes) == 1
    assert growth < 30
    play.do("a", back="back.a2")
    play.do("a2")
    assert play.open() == ["c"]
    play.do("c")
    assert play.open() == ["last"]


def test_a_reminder_that_came_once_pins_nothing(deep: bool) -> None:
    drawn = draw("""
        start s     -> again
        xor   again -> a
        user  a     -> more
        timer late beside a -> remind
        script remind -> gone
        xor   more  -> again *e | again=rework
        end   gone
        end   e
    """)
    play = Play(drawn)
    for _ in range(3):
        play.do("a", rework=True)
    play.fire("late")
    assert play.waits() == []
    play.do("a", rework=True)
    shapes, growth = played_long(play, 10_000 if deep else 1_000, {"rework": True}, "a")
    assert len(shapes) == 1
    assert growth < 40


def test_the_tree_is_as_deep_as_the_drawing_after_1000_steps_and_more() -> None:
    drawn = draw("""
        start s     -> again
        xor   again -> a
        user  a     -> b
        user  b     -> c
        user  c     -> more
        xor   more  -> again *e | again=rework
        end   e
    """)
    play = Play(drawn)
    for _ in range(400):
        for element in ("a", "b", "c"):
            assert play.open() == [element]
            play.do(element, rework=True)
    assert not play.ended
    assert max(task.depth for task in play.thawed().tasks.values()) == 1


def test_what_is_frozen_does_not_depend_on_the_order_of_keys() -> None:
    play = Play(MODELS["each-a-subprocess"], n_part=3, stop_part=3, split=["split.a", "split.b"], vote=1)
    play.do("a0", n_part=3, stop_part=3, split=["split.a", "split.b"])
    play.do("a", more2="more2.pe", more="more.e")
    open_before = play.open()
    play.state, play.scopes = (json.dumps(json.loads(text), sort_keys=True) for text in (play.state, play.scopes))
    assert play.open() == open_before != []
    play.do(open_before[0], split=["split.a"])


def test_an_activity_with_many_members_works(deep: bool) -> None:
    members: list[Value] = list(range(1_000 if deep else 100))
    loop = "collection=members; output=votes; result=loopCounter"
    drawn = draw(f"start s -> v\nuser v [each] -> a | {loop}\nuser a -> e\nend e")
    play = Play(drawn, members=members)
    for _ in members:
        play.do("v")
    assert (play.open(), play.variables()["votes"]) == (["a"], members)


def test_many_countersigners_each_with_a_reminder_of_their_own(deep: bool) -> None:
    count = 200 if deep else 20
    drawn = draw("""
        start s    -> each
        sub   each [each] -> a | n=number; until=False {
            start ps   -> sign
            user  sign -> pe
            timer late beside sign -> hurry
            script hurry -> pe2
            end   pe
            end   pe2
        }
        user  a    -> e
        end   e
    """)
    play = Play(drawn, number=count)
    assert len(play.waits()) == count
    for number in range(count):
        if number % 2:
            play.fire("late")
        play.do("sign")
    assert play.open() == ["a"]
    assert len(play.thawed().tasks) == 2
