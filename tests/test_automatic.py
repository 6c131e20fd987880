"""Operations, calls, loops and variable names are as the engine can carry them out."""

from __future__ import annotations

import pytest

from bpmn.lint import ProcessSignature, Surroundings, check_diagram, names_brought, signature
from bpmn.reader import read_diagram
from tests.harness.gate import APPLY, END, LINE, START, WORLD, between, form, gate, sentences, whole
from tests.harness.models import model

OPERATION = '<serviceTask id="x"><extensionElements>{}</extensionElements></serviceTask>'

MISPLACED = """<userTask id="x" policy:form="decide" policy:role="head"><extensionElements>
<policy:operation name="number.next"><policy:with name="series" value="1"/></policy:operation></extensionElements>
</userTask>"""

SERIES = '<policy:with name="series" value="\'A\'"/>'


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (OPERATION.format(f'<policy:operation name="number.next" into="n">{SERIES}</policy:operation>'), []),
        ('<serviceTask id="x"/>', ["no-operation"]),
        (OPERATION.format('<policy:operation name="number.nxt"/>'), ["unknown-operation"]),
        (OPERATION.format('<policy:operation name="number.next"/>'), ["operation-parameter"]),
        (
            OPERATION.format(
                '<policy:operation name="number.next"><policy:with name="series" value="1"/>'
                '<policy:with name="base" value="1"/></policy:operation>'
            ),
            ["operation-parameter"],
        ),
        (
            OPERATION.format(
                '<policy:operation name="number.next"><policy:with name="series" value="gone"/></policy:operation>'
            ),
            ["unbrought-name"],
        ),
        (
            OPERATION.format(
                '<policy:operation name="number.next" into="1n"><policy:with name="series" value="1"/>'
                "</policy:operation>"
            ),
            ["bad-name"],
        ),
        (
            OPERATION.format(
                '<policy:operation name="number.next" into="params"><policy:with name="series" value="1"/>'
                "</policy:operation>"
            ),
            ["reserved-name"],
        ),
        (
            OPERATION.format(
                '<policy:operation name="register.record" into="r"><policy:with name="register" value="1"/>'
                '<policy:with name="key" value="1"/><policy:with name="values" value="{}"/>'
                "</policy:operation>"
            ),
            ["operation-result"],
        ),
        ('<scriptTask id="x"><script>a = count + 1\nb = a</script></scriptTask>', []),
        ('<scriptTask id="x"/>', ["no-script"]),
        ('<scriptTask id="x"><script>a = gone</script></scriptTask>', ["unbrought-name"]),
        ('<scriptTask id="x"><script>import os</script></scriptTask>', ["script"]),
        ('<scriptTask id="x"><script>a = ().__class__</script></scriptTask>', ["script"]),
        ('<scriptTask id="x"><script>today = 1</script></scriptTask>', ["reserved-name"]),
        (MISPLACED, ["misplaced"]),
    ],
)
def test_operations_and_scripts_can_be_carried_out(node: str, expected: list[str]) -> None:
    assert between(node) == [(code, "x") for code in expected]


CALL = '<callActivity id="x" calledElement="{}"><extensionElements>{}</extensionElements></callActivity>'


@pytest.mark.parametrize(
    ("called", "mapping", "expected"),
    [
        ("called", '<policy:in name="amount" value="count"/><policy:out name="v" value="opinion"/>', []),
        ("called", '<policy:in name="amount" value="1"/><policy:out name="how" value="outcome"/>', []),
        ("called", '<camunda:in source="count" target="amount"/><camunda:out source="opinion" target="v"/>', []),
        ("called", '<camunda:in sourceExpression="${count + 1}" target="amount"/>', []),
        ("calld", '<policy:in name="amount" value="count"/>', ["unknown-process"]),
        ("", "", ["unknown-process"]),
        ("called", "", ["call-inputs"]),
        ("called", '<policy:in name="amount" value="1"/><policy:in name="more" value="1"/>', ["call-inputs"]),
        ("called", '<policy:in name="amount" value="gone"/>', ["unbrought-name"]),
        ("called", '<policy:in name="amount" value="1"/><policy:out name="v" value="secret"/>', ["unbrought-name"]),
        ("called", '<policy:in name="amount" value="1"/><policy:out name="case" value="opinion"/>', ["reserved-name"]),
    ],
)
def test_calls_fit_the_called_process(called: str, mapping: str, expected: list[str]) -> None:
    assert between(CALL.format(called, mapping)) == [(code, "x") for code in expected]


PANEL = """<userTask id="x" policy:form="vote" policy:role="expert">
<multiInstanceLoopCharacteristics {}>{}</multiInstanceLoopCharacteristics></userTask>"""


@pytest.mark.parametrize(
    ("attributes", "inner", "expected"),
    [
        ('policy:collection="people(\'expert\')" policy:item="who" policy:output="votes"', "", []),
        ("", "<loopCardinality>count + 1</loopCardinality>", []),
        ('camunda:collection="${people(\'expert\')}" camunda:elementVariable="who"', "", []),
        ("", "", ["loop"]),
        ('policy:collection="[1]"', "<loopCardinality>3</loopCardinality>", ["loop"]),
        ('policy:item="who"', "<loopCardinality>3</loopCardinality>", ["loop"]),
        ('policy:collection="[1]" policy:result="points"', "", ["loop"]),
        ('policy:collection="experts"', "", ["unbrought-name"]),
        ('policy:collection="who" policy:item="who"', "", ["unbrought-name"]),
        ('policy:collection="[1]" policy:item="applicant"', "", ["reserved-name"]),
        ('policy:collection="[1]" policy:output="a b"', "", ["bad-name"]),
        ('policy:collection="[1]" policy:output="votes" policy:result="points * nrOfInstances"', "", []),
        (
            'policy:collection="[1]" policy:output="votes"',
            "<completionCondition>sum(v['points'] for v in votes) &gt; nrOfActiveInstances</completionCondition>",
            [],
        ),
        ('policy:collection="[1]"', "<completionCondition>points &gt; 1</completionCondition>", ["unbrought-name"]),
        ("", "<loopCardinality>three</loopCardinality>", ["unbrought-name"]),
    ],
)
def test_loops_have_members_and_results(attributes: str, inner: str, expected: list[str]) -> None:
    assert between(PANEL.format(attributes, inner)) == [(code, "x") for code in expected]


def test_what_a_child_of_a_loop_writes_is_not_seen_outside() -> None:
    task = PANEL.format('policy:collection="[1]" policy:item="who" policy:output="votes"', "")
    body = (
        START
        + APPLY
        + task
        + '<exclusiveGateway id="g" default="g_f"/>'
        + END
        + '<endEvent id="f" policy:outcome="n"/>'
    )
    lines = "s -> apply\napply -> x\nx -> g\ng -> e if {}\ng -> f"
    assert gate(body, lines.format("len(votes) > 1")) == []
    for inside in ("points > 1", "who is None", "nrOfInstances > 1", "x['points'] > 1"):
        assert gate(body, lines.format(inside)) == [("unbrought-name", "g_e")]
    assert "多实例" in sentences(body, lines.format("points > 1"))


def test_names_brought_tells_what_can_be_read_where() -> None:
    diagram = whole()
    outside = names_brought(diagram, WORLD)
    assert {
        "amount_fen",
        "apply",
        "decide",
        "agreed",
        "votes",
        "total",
        "large",
        "reminder",
        "view",
        "reason",
        "recalled",
        "params",
        "end_of_panel",
    } <= outside
    assert outside.isdisjoint({"member", "points", "panel", "loopCounter", "opinion"})
    assert {"member", "points", "panel", "loopCounter", "votes"} <= names_brought(diagram, WORLD, "panel")


def test_an_answer_and_a_field_of_the_same_name_are_refused() -> None:
    clash = Surroundings(forms={"apply": form("apply", "x"), "x": form("x", "other")}, roles=WORLD.roles)
    diagram = read_diagram(
        model(START + APPLY + '<userTask id="x" policy:role="head"/>' + END, "s -> apply\napply -> x\nx -> e"),
        "test.bpmn",
    )
    assert [(each.code, each.element) for each in check_diagram(diagram, clash)] == [("name-clash", "x")]
    own = Surroundings(forms={"apply": form("apply", "apply")}, roles=WORLD.roles)
    diagram = read_diagram(model(START + APPLY + END, LINE), "test.bpmn")
    assert [(each.code, each.element) for each in check_diagram(diagram, own)] == [("name-clash", "apply")]


def test_declared_outputs_are_brought_and_inputs_are_names() -> None:
    attributes = 'id="p" policy:kind="called" policy:inputs="limit" policy:outputs="count, limit"'
    assert gate(START + APPLY + END, LINE, attributes=attributes) == []
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:outputs="gone"') == [("unbrought-name", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:inputs="a b"') == [("bad-name", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:kind="side"') == [("kind", "p")]
    diagram = read_diagram(model(START + APPLY + END, LINE, attributes=attributes), "t")
    assert signature(diagram) == ProcessSignature(
        frozenset({"limit"}), frozenset({"count", "limit"}), starts=frozenset({"none", "called"})
    )
