"""Where variables live: own scope, closed calls, a scope for each member of a multi-instance activity, and no leaks."""

from __future__ import annotations

from functools import partial

import pytest

from forms.values import PersonRef, Value
from tests.drawing import Drawn, draw
from tests.playing import Play, incident

STEP = draw("start s -> a\nuser a -> b\nuser b -> e\nend e")


def test_an_answer_is_read_flat_and_under_the_id_of_its_element() -> None:
    play = Play(STEP, amount_fen=1)
    play.do("a", amount_fen=5, note=None)
    assert play.variables() == {"amount_fen": 5, "note": None, "a": {"amount_fen": 5, "note": None}}
    play.do("b", amount_fen=7)
    assert play.variables() == {
        "amount_fen": 7, "note": None, "a": {"amount_fen": 5, "note": None}, "b": {"amount_fen": 7},
    }  # fmt: skip


def test_parallel_branches_do_not_overwrite_each_other() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> a b c
        user  a     -> join
        user  b     -> join
        user  c     -> join
        and   join  -> d
        user  d     -> e
        end   e
    """)
    play = Play(drawn, legal_ok=False, finance_ok=False)
    play.do("a", legal_ok=True)
    play.do("b", finance_ok=True)
    play.do("c", remark="…")
    assert play.names("d")["legal_ok"] is True
    assert play.names("d")["finance_ok"] is True
    assert play.names("d")["a"] == {"legal_ok": True}


def test_what_the_system_gives_is_read_everywhere_and_is_no_variable() -> None:
    play = Play(STEP)
    assert play.names("a")["applicant"] == PersonRef("applicant")
    assert play.names("a")["params"] == {"limit": 3}
    assert play.variables() == {}


def test_a_script_writes_its_assignments_in_order() -> None:
    drawn = draw("start s -> c\nscript c -> a | total=price_fen * 3; large=total > 10; price_fen=0\nuser a -> e\nend e")
    play = Play(drawn, price_fen=4)
    assert play.variables() == {"price_fen": 0, "total": 12, "large": True}
    (step,) = [each for each in play.told if each.kind == "step.passed"]
    assert step.about["written"] == {"total": 12, "large": True, "price_fen": 0}


def test_a_service_task_writes_what_its_operations_give() -> None:
    drawn = draw("start s -> c\nservice c -> a | do.double=number * 2; do.again=double + 1\nuser a -> e\nend e")
    play = Play(drawn, number=4)
    assert play.variables() == {"number": 4, "double": 8, "again": 9}
    assert play.host.operated == [("c", "double"), ("c", "again")]


# A called process.

CALLING = draw(
    """
    start s  -> k
    call  k  -> a | called=child; in.amount=amount_fen * 2; out.said=outcome; out.given=answer + amount
    user  a  -> e
    end   e
    """,
    child="""
    start cs -> c
    user  c  -> f
    script f -> g | total=amount + 1
    xor   g  -> yes *no | yes=total > 10
    end   yes | outcome=yes
    end   no | outcome==if_not
    """,
)


def test_a_called_process_sees_its_inputs_and_nothing_else() -> None:
    play = Play(CALLING, amount_fen=4, private=1)
    names = play.names("c")
    assert names["amount"] == 8
    assert "amount_fen" not in names and "private" not in names
    assert names["params"] == {"limit": 3}


def test_whoever_looks_at_the_whole_case_sees_out_of_a_called_process() -> None:
    play = Play(CALLING, amount_fen=4, private=1)
    names = play.thawed().scopes.innermost(play.host.given)
    assert (names["amount"], names["amount_fen"], names["private"]) == (8, 4, 1)


def test_a_called_process_gives_back_its_outputs_and_nothing_else() -> None:
    play = Play(CALLING, amount_fen=4)
    play.do("c", answer=3, if_not="rejected")
    assert play.variables() == {"amount_fen": 4, "said": "rejected", "given": 11}
    assert play.open() == ["a"]


def test_how_a_called_process_ended_is_not_how_the_case_ends() -> None:
    play = Play(CALLING, amount_fen=40)
    play.do("c", answer=3, if_not="rejected")
    assert play.variables()["said"] == "yes"
    play.do("a")
    assert play.outcome == ""


def test_a_called_process_that_reads_an_outer_name_is_an_incident() -> None:
    drawn = draw(
        "start s -> k\ncall k -> e | called=child\nend e",
        child="start cs -> f\nscript f -> c | x=amount_fen + 1\nuser c -> ce\nend ce",
    )
    assert "of f cannot be evaluated" in incident(partial(Play, drawn, amount_fen=4))


def test_a_called_process_may_be_called_again_and_begins_afresh() -> None:
    drawn = draw(
        """
        start s     -> again
        xor   again -> k
        call  k     -> a | called=child; in.x=x; out.x=x + extra
        user  a     -> more
        xor   more  -> again *e | again=x < 50
        end   e
        """,
        child="start cs -> c\nuser c -> ce\nend ce",
    )
    play = Play(drawn, x=0)
    for number in range(5):
        assert dict(play.names("c")).keys() == {"x", "applicant", "params"}
        play.do("c", extra=10)
        assert play.variables()["x"] == 10 * number + 10
        play.do("a")
    assert play.ended


BY_ITSELF = "call k [each] -> a | called=child; in.name=x; out.word=name + said; {loop}"
WITHIN = """
    sub   k [each] -> a | {loop} {{
        start bs -> inner
        call  inner -> be | called=child; in.name=x; out.word=name + said
        end   be
    }}
"""


@pytest.mark.parametrize("calling", [BY_ITSELF, WITHIN])
def test_each_member_may_call_a_process_with_its_own_item(calling: str) -> None:
    lines = calling.format(loop="collection=names; item=x; output=words; result=word")
    drawn = draw(f"start s -> k\n{lines}\nuser a -> e\nend e", child="start cs -> c\nuser c -> ce\nend ce")
    play = Play(drawn, names=["x", "y"])
    play.do("c", nth=1, said="2")
    play.do("c", nth=0, said="1")
    assert play.variables() == {"names": ["x", "y"], "words": ["y2", "x1"]}


# Multi-instance activities.


def voting(loop: str, more: str = "") -> Drawn:
    """A vote of each member, round after round."""
    return draw(f"""
        start s     -> again
        xor   again -> vote
        user  vote  [{loop}] -> a | collection=members; item=member; output=votes{more}
        user  a     -> more
        xor   more  -> again *e | again=once_more
        end   e
    """)


def test_members_vote_side_by_side_each_with_an_item_of_its_own() -> None:
    play = Play(voting("each"), members=["m1", "m2", "m3"])
    assert [play.names("vote", each)["member"] for each in range(3)] == ["m1", "m2", "m3"]
    assert [play.names("vote", each)["loopCounter"] for each in range(3)] == [0, 1, 2]
    play.do_as("m2", "vote", {"yes": True}, nth=1)
    names = play.names("vote")
    counts = [names[name] for name in ("nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances")]
    assert counts == [3, 1, 2]
    assert names["votes"] == [{"yes": True}]
    assert "yes" not in names
    play.do_as("m3", "vote", {"yes": False}, nth=1)
    play.do_as("m1", "vote", {"yes": True}, nth=0)
    assert play.variables() == {"members": ["m1", "m2", "m3"], "votes": [{"yes": True}, {"yes": False}, {"yes": True}]}


def test_members_vote_one_after_the_other() -> None:
    play = Play(voting("in-turn"), members=["m1", "m2"])
    assert play.open() == ["vote"]
    assert play.names("vote")["member"] == "m1"
    assert play.names("vote")["nrOfActiveInstances"] == 1
    play.do("vote", yes=True)
    assert play.names("vote")["member"] == "m2"
    assert play.names("vote")["loopCounter"] == 1
    play.do("vote", yes=False)
    assert play.open() == ["a"]
    assert play.variables()["votes"] == [{"yes": True}, {"yes": False}]


@pytest.mark.parametrize("loop", ["each", "in-turn"])
def test_a_result_is_an_expression_over_what_the_member_wrote(loop: str) -> None:
    play = Play(voting(loop, "; result=[member, vote['yes']]"), members=["m1", "m2"])
    play.do("vote", yes=True)
    play.do("vote", yes=False)
    assert play.variables()["votes"] == [["m1", True], ["m2", False]]


@pytest.mark.parametrize("loop", ["each", "in-turn"])
def test_the_completion_condition_sees_the_results_and_skips_the_rest(loop: str) -> None:
    until = "sum(1 for vote in votes if vote['yes']) * 2 > nrOfInstances"
    play = Play(voting(loop, f"; until={until}"), members=[1, 2, 3, 4, 5])
    play.do("vote", yes=True)
    play.do("vote", yes=False)
    play.do("vote", yes=True)
    assert play.open().count("vote") == (2 if loop == "each" else 1)
    play.do("vote", yes=True)
    assert play.open() == ["a"]
    assert len(play.closed) == (2 if loop == "each" else 1)
    assert play.happened("task.cancelled") == (["vote"] if loop == "each" else [])


@pytest.mark.parametrize("loop", ["each", "in-turn"])
def test_an_empty_collection_is_passed_at_once_and_leaves_an_empty_list(loop: str) -> None:
    play = Play(voting(loop), members=[])
    assert play.open() == ["a"]
    assert play.variables() == {"members": [], "votes": []}
    assert play.happened("task.opened") == ["a"]


@pytest.mark.parametrize("loop", ["each", "in-turn"])
def test_a_second_round_begins_with_an_empty_list(loop: str) -> None:
    play = Play(voting(loop), members=[1, 2])
    for number in range(3):
        play.do("vote", yes=number)
        play.do("vote", yes=number)
        assert play.variables()["votes"] == [{"yes": number}, {"yes": number}]
        play.do("a", once_more=True)
    assert play.open() == (["vote", "vote"] if loop == "each" else ["vote"])


def test_a_cardinality_counts_from_zero() -> None:
    drawn = draw("start s -> vote\nuser vote [each] -> e | n=number + 1; until=False\nend e")
    play = Play(drawn, number=2)
    assert [play.names("vote", each)["loopCounter"] for each in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("value", ["abc", -1, True, None, ["m"]])
def test_a_cardinality_that_is_no_number_is_an_incident(value: Value) -> None:
    drawn = draw("start s -> vote\nuser vote [each] -> e | n=number; until=False\nend e")
    assert "vote needs a list or a number" in incident(partial(Play, drawn, number=value))


@pytest.mark.parametrize("value", ["abc", 3, {"a": 1}, None])
def test_a_collection_that_is_no_list_is_an_incident(value: Value) -> None:
    assert "vote needs a list or a number" in incident(partial(Play, voting("each"), members=value))


def test_a_completion_condition_that_is_neither_true_nor_false_is_an_incident() -> None:
    play = Play(voting("each", "; until=nrOfCompletedInstances"), members=[1, 2])
    assert "of vote must be true or false" in incident(partial(play.do, "vote"))


def test_a_subprocess_of_each_member_writes_into_the_scope_of_its_member() -> None:
    drawn = draw("""
        start s    -> part
        sub   part [each] -> a | collection=names; item=name; output=found; result=[name, mark, word] {
            start ps   -> write
            user  write -> f
            script f   -> pe | mark=word + name
            end   pe
        }
        user  a    -> e
        end   e
    """)
    play = Play(drawn, names=["x", "y"], word="outer")
    play.do("write", nth=1, word="b")
    play.do("write", nth=0, word="a")
    assert play.variables() == {"names": ["x", "y"], "word": "outer", "found": [["y", "by", "b"], ["x", "ax", "a"]]}


def test_activities_within_activities_have_scopes_within_scopes() -> None:
    drawn = draw("""
        start s    -> part
        sub   part [each] -> a | collection=groups; item=members; output=all_votes; result=votes {
            start ps   -> vote
            user  vote [in-turn] -> pe | collection=members; item=m; output=votes; result=[loopCounter, m, word]
            end   pe
        }
        user  a    -> e
        end   e
    """)
    play = Play(drawn, groups=[["x"], ["y", "z"], []])
    assert play.open() == ["vote", "vote"]
    play.do("vote", nth=1, word="1")
    play.do("vote", nth=1, word="2")
    assert play.open() == ["vote"]
    play.do("vote", nth=0, word="3")
    assert play.variables()["all_votes"] == [[], [[0, "y", "1"], [1, "z", "2"]], [[0, "x", "3"]]]
    assert set(play.variables()) == {"groups", "all_votes"}


def test_scopes_are_swept_and_do_not_leak_in_200_rounds() -> None:
    drawn = draw(
        """
        start s     -> again
        xor   again -> vote
        user  vote  [each] -> k | collection=members; item=member; output=votes
        call  k     [in-turn] -> part | called=child; in.x=x; out.y=x; collection=members; output=xs; result=y
        sub   part  [each] -> again | collection=members {
            start ps -> c
            user  c  -> pe
            end   pe
        }
        message stop on part -> again
        """,
        child="start cs -> b\nuser b -> ce\nend ce",
    )
    play = Play(drawn, members=[1, 2], x=1)
    sizes = set()
    for number in range(200):
        play.do("vote")
        play.do("vote")
        play.do("b")
        play.do("b")
        play.do("c")
        if number % 2:
            play.do("c")
        else:
            play.fire("stop")
        sizes.add(len(play.thawed().scopes.table))
    assert sizes == {1 + 1 + 2}  # the case, the vote and its two members
