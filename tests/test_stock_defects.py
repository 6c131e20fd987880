"""What is wrong in the stock classes of SpiffWorkflow 3.2.0 and right here, on the same file: why there is a runtime.

Each test first shows the defect on the library's own parser, specs and workflow. When such an assertion fails with a
later version, the library has been repaired and the reason for a piece of ``engine/runtime`` is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from engine.calendar import Calendar, moment
from forms.expressions import ExpressionError
from forms.values import Value
from tests.drawing import Drawn, draw, written
from tests.models import MODELS
from tests.playing import Play, incident

LOOP = draw("""
    start s     -> again
    xor   again -> a
    user  a     -> more
    xor   more  -> again *e | again=rework
    end   e
""")
SEQUENCE = draw("start s -> a\nuser a -> b\nuser b -> e\nend e")


class Stock:
    """The same drawing on the library's own classes."""

    def __init__(self, drawn: Drawn, **data: Any) -> None:
        parser = BpmnParser()
        for file in drawn.files.values():
            parser.add_bpmn_io(BytesIO(file))
        self.workflow = BpmnWorkflow(parser.get_spec(drawn.main), parser.get_subprocess_specs(drawn.main))
        self.workflow.task_tree.data.update(data)
        self.workflow.do_engine_steps()

    def ready(self) -> list[Any]:
        """The user tasks that are ready."""
        return list(self.workflow.get_tasks(state=TaskState.READY, manual=True))

    def open(self) -> list[str]:
        """Their names, sorted."""
        return sorted(task.task_spec.name.removesuffix(" [child]") for task in self.ready())

    def data(self, element: str) -> dict[str, Any]:
        """The data of the newest task of this element."""
        found: dict[str, Any] = self.workflow.get_tasks(spec_name=element)[-1].data
        return found

    def went(self, element: str) -> bool:
        """Whether a token has passed this element."""
        return bool(self.workflow.get_tasks(spec_name=element, state=TaskState.COMPLETED))

    def do(self, element: str, **data: Any) -> None:
        """Complete the first ready task of this element."""
        task = next(task for task in self.ready() if task.task_spec.name.removesuffix(" [child]") == element)
        task.data.update(data)
        task.run()
        self.workflow.do_engine_steps()


def changed(text: str, change: Callable[[str], str]) -> Drawn:
    """A drawing whose file is changed before it is read."""
    return Drawn("p", {"p": change(written("p", text).decode()).encode()})


@pytest.mark.parametrize("name", ["and-in-a-loop", "or-in-a-loop"])
def test_a_join_in_a_loop_fires_after_one_of_two(name: str) -> None:
    again: dict[str, Value] = {"split": ["split.a", "split.b"], "more": "more.again"}
    stock, play = Stock(MODELS[name], **again), Play(MODELS[name], again)
    for element in ("a", "b"):
        stock.do(element, **again)
        play.do(element, again)
    assert stock.open() == play.open() == ["a", "b"]
    stock.do("b", **again)
    play.do("b", again)
    assert stock.open() == ["a", "a", "b"]  # the second round is over although a was never done
    assert play.open() == ["a"]


def test_a_join_lets_a_stale_copy_overwrite_what_a_branch_has_changed() -> None:
    drawn = draw("""
        start s     -> split
        and   split -> a b
        user  a     -> join
        user  b     -> join
        and   join  -> c
        user  c     -> e
        end   e
    """)
    stock, play = Stock(drawn, legal_ok=False), Play(drawn, legal_ok=False)
    stock.do("a", legal_ok=True)
    stock.do("b")
    play.do("a", legal_ok=True)
    play.do("b")
    assert stock.data("c")["legal_ok"] is False
    assert play.variables()["legal_ok"] is True


def test_a_case_grows_with_every_round() -> None:
    serializer = BpmnWorkflowSerializer()
    stock, play = Stock(LOOP, rework=True), Play(LOOP, rework=True)
    sizes, own = [], []
    for _ in range(60):
        stock.do("a", rework=True)
        play.do("a", rework=True)
        sizes.append(len(serializer.serialize_json(stock.workflow)))
        own.append(len(play.state + play.scopes))
    assert sizes[-1] > 4 * sizes[5]
    assert own[-1] < own[5] + 10


def test_a_long_case_says_that_it_is_over() -> None:
    stock, play = Stock(LOOP, rework=True), Play(LOOP, rework=True)
    rounds = 0
    while stock.open():
        stock.do("a", rework=True)
        play.do("a", rework=True)
        rounds += 1
    assert rounds < 400
    assert stock.workflow.is_completed() and not stock.went("e")  # nobody ever said that it is enough
    assert play.open() == ["a"] and not play.ended


def test_a_condition_is_evaluated_as_python() -> None:
    drawn = draw("start s -> gate\nxor gate -> e *f | e=__import__('os').getpid() > 0\nend e\nend f")
    assert Stock(drawn).went("e")
    with pytest.raises(ExpressionError):
        _ = drawn.model


def test_a_comment_inside_a_condition_truncates_it() -> None:
    drawn = changed(
        "start s -> gate\nxor gate -> e *f | e=CONDITION\nend e\nend f",
        lambda text: text.replace("CONDITION", "approved <!-- see article 3 --> and paid"),
    )
    assert Stock(drawn, approved=True, paid=False).went("e")
    assert Play(drawn, approved=True, paid=False).happened("end.reached") == ["f"]


def test_moving_a_box_changes_the_branch_that_is_taken() -> None:
    taken = []
    for heights in ({"e": 100, "f": 300}, {"e": 300, "f": 100}):
        shapes = "".join(
            f'<bpmndi:BPMNShape id="{element}_shape" bpmnElement="{element}">'
            f'<dc:Bounds x="0" y="{y}" width="30" height="30"/></bpmndi:BPMNShape>'
            for element, y in {"s": 10, "gate": 50, **heights}.items()
        )
        plane = f'<bpmndi:BPMNPlane bpmnElement="p">{shapes}</bpmndi:BPMNPlane>'
        drawing = f"<bpmndi:BPMNDiagram>{plane}</bpmndi:BPMNDiagram></definitions>"
        drawn = changed(
            "start s -> gate\nxor gate -> e f | e=amount > 1; f=amount > 0\nend e\nend f",
            partial(re.sub, "</definitions>", drawing),
        )
        taken.append((Stock(drawn, amount=5).went("e"), Play(drawn, amount=5).happened("end.reached")))
    assert taken == [(True, ["e"]), (False, ["e"])]


def test_a_flow_without_an_id_is_dropped() -> None:
    text = "start s -> a\nuser a -> b\nuser b -> e\nend e"
    drawn = changed(text, lambda text: text.replace('id="a.b" ', ""))
    stock, play = Stock(drawn), Play(drawn)
    stock.do("a")
    play.do("a")
    assert stock.open() == []
    assert play.open() == ["b"]


def test_a_message_that_does_not_interrupt_comes_only_once() -> None:
    drawn = draw("start s -> a\nuser a -> e\nmessage ask beside a -> b\nuser b -> e2\nend e\nend e2")
    stock, play = Stock(drawn), Play(drawn)
    for _ in range(3):
        stock.workflow.catch(BpmnEvent(MessageEventDefinition("ask"), {}, []))
        stock.workflow.do_engine_steps()
        play.fire("ask")
    assert stock.open() == ["a", "b"]
    assert play.open() == ["a", "b", "b", "b"]


def test_two_timers_behind_a_gateway_share_one_instant() -> None:
    text = """
        start  s     -> first
        events first -> soon later
        timer  soon  -> a | duration={}
        timer  later -> b | duration={}
        user   a     -> e
        user   b     -> e
        end    e
    """
    stock = Stock(draw(text.format("'P9D'", "'PT1H'")))
    (waiting,) = stock.workflow.get_tasks(state=TaskState.WAITING)
    due = datetime.fromisoformat(waiting.internal_data["event_value"])
    assert (due - datetime.now(UTC)).days >= 8  # the hour is forgotten
    play = Play(draw(text.format("P9D", "PT1H")))
    assert play.awaited("soon").due == play.host.now + timedelta(days=9)
    assert play.awaited("later").due == play.host.now + timedelta(hours=1)


def test_a_month_after_the_end_of_january_is_in_march_and_an_empty_duration_is_over_at_once() -> None:
    start = datetime(2026, 1, 31, tzinfo=UTC)
    month = TimerEventDefinition.parse_iso_duration("P1M")
    assert start + TimerEventDefinition.get_timedelta_from_start(month, start) == datetime(2026, 3, 3, tzinfo=UTC)
    assert TimerEventDefinition.parse_iso_duration("") == {}
    days = Calendar(1, {}, frozenset())
    assert moment(start, "duration", "P1M", days) == datetime(2026, 2, 28, tzinfo=UTC)
    assert "a timer needs a duration" in incident(lambda: moment(start, "duration", "", days))


def test_a_finished_task_runs_again_and_a_future_one_before_its_time() -> None:
    drawn = draw("start s -> a\nuser a -> c\nscript c -> b | number=number + 1\nuser b -> e\nend e")
    stock, play = Stock(drawn, number=0), Play(drawn, number=0)
    (future,) = stock.workflow.get_tasks(spec_name="c")
    assert future.state == TaskState.FUTURE
    (token,) = play.tokens("a")
    stock.do("a")
    play.do("a")
    (done,) = stock.workflow.get_tasks(spec_name="c")
    done.run()
    assert stock.data("c")["number"] == 2
    with pytest.raises(AssertionError):
        play.thawed().complete(token, {}, ["somebody"])
    assert play.variables()["number"] == 1


def many(until: str) -> Drawn:
    """A vote in a loop, in the words of the standard, which both read."""
    marker = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>members</loopDataInputRef>"
        "<loopDataOutputRef>votes</loopDataOutputRef><inputDataItem id='m' name='m'/>"
        f"<outputDataItem id='vote' name='vote'/>{until}</multiInstanceLoopCharacteristics>"
    )
    return changed(
        """
        start s     -> again
        xor   again -> v
        user  v [each] -> a
        user  a     -> more
        xor   more  -> again *e | again=rework
        end   e
        """,
        lambda text: re.sub("<multiInstance.*</multiInstanceLoopCharacteristics>", marker, text),
    )


def test_a_multi_instance_activity_with_results_breaks_in_the_second_round() -> None:
    drawn = many("")
    stock, play = Stock(drawn, members=[1, 2]), Play(drawn, members=[1, 2])
    for _ in range(2):
        stock.do("v", vote="yes")
        play.do("v", vote="yes")
    with pytest.raises(Exception, match="the output must be empty"):
        stock.do("a", rework=True)
    play.do("a", rework=True)
    assert play.open() == ["v", "v"]


def test_a_completion_condition_does_not_see_the_results() -> None:
    drawn = many("<completionCondition>len(votes) == 1</completionCondition>")
    stock, play = Stock(drawn, members=[1, 2, 3]), Play(drawn, members=[1, 2, 3])
    stock.do("v", vote="yes")
    play.do("v", vote="yes")
    assert stock.open() == ["v", "v"]
    assert play.open() == ["a"]


def test_a_stored_case_depends_on_the_order_of_keys() -> None:
    serializer = BpmnWorkflowSerializer()
    found = []
    for _ in range(20):  # tasks have random ids, and whether sorting them loses anything depends on these
        stock = Stock(SEQUENCE)
        stock.do("a", amount=2)
        text = json.dumps(json.loads(serializer.serialize_json(stock.workflow)), sort_keys=True)
        (task,) = serializer.deserialize_json(text).get_tasks(state=TaskState.READY, manual=True)
        found.append(task.data)
    assert {} in found  # silently lost
    play = Play(SEQUENCE)
    play.do("a", amount=2)
    play.state, play.scopes = (json.dumps(json.loads(text), sort_keys=True) for text in (play.state, play.scopes))
    assert play.names("b")["amount"] == 2


def test_a_stored_case_is_broken_by_a_key_of_the_user() -> None:
    serializer = BpmnWorkflowSerializer()
    stock, play = Stock(SEQUENCE), Play(SEQUENCE)
    stock.do("a", house={"typename": "flat"})
    play.do("a", house={"typename": "flat"})
    with pytest.raises(TypeError):
        serializer.deserialize_json(serializer.serialize_json(stock.workflow))
    assert play.names("b")["house"] == {"typename": "flat"}


def test_a_long_drawing_cannot_be_read() -> None:
    lines = [f"user n{number} -> n{number + 1}" for number in range(600)]
    drawn = draw("\n".join(["start s -> n0", *lines, "end n600"]))
    with pytest.raises(ValidationException, match="RecursionError"):
        Stock(drawn)
    play = Play(drawn)
    play.do("n0")
    assert play.open() == ["n1"]
