"""User tasks and messages have forms and people."""

from __future__ import annotations

import pytest

from bpmn.reader import read_diagram
from tests.harness.gate import END, START, between, gate
from tests.harness.models import model


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ('<userTask id="x" policy:form="decide" policy:role="clerk"/>', None),
        ('<userTask id="x" policy:form="decide" camunda:candidateGroups="clerk"/>', None),
        ('<userTask id="x" camunda:formKey="decide" policy:role="clerk"/>', None),
        ('<userTask id="x" policy:role="clerk"/>', "unknown-form"),
        ('<userTask id="x" policy:form="../../etc/passwd" policy:role="clerk"/>', "unknown-form"),
        ('<userTask id="x" policy:form="decide"/>', "no-role"),
        ('<userTask id="x" policy:form="decide" policy:role="clerc"/>', "unknown-role"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk, nobody"/>', "unknown-role"),
        ('<userTask id="x" policy:form="decide" policy:role="=people("/>', "expression"),
        ('<userTask id="x" policy:form="decide" policy:role="=people(\'nobody\')"/>', "unknown-role"),
        ('<userTask id="x" policy:form="decide" policy:assignee="zhang"/>', "assignee"),
        ('<userTask id="x" policy:form="decide" policy:assignee="=boss"/>', "unbrought-name"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:due="add_working_days(today, 1)"/>', None),
        (
            '<userTask id="x" policy:form="decide" policy:role="clerk" policy:due="add_days(submitted, 1)"/>',
            "unbrought-name",
        ),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:due="=today"/>', "expression"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:excluded="acted(\'apply\')"/>', None),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:excluded="team"/>', "unbrought-name"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:fourEyes="apply"/>', None),
        (
            '<userTask id="x" policy:form="decide" policy:role="clerk" policy:fourEyes="apply, gone"/>',
            "dangling-reference",
        ),
    ],
)
def test_user_tasks_have_a_form_and_somebody_to_do_them(node: str, expected: str | None) -> None:
    assert between(node) == ([(expected, "x")] if expected else [])


CATCH = '<intermediateCatchEvent id="x" {}><messageEventDefinition {}/></intermediateCatchEvent>'


@pytest.mark.parametrize(
    ("attributes", "message", "expected"),
    [
        ('policy:sender="applicant"', 'messageRef="m1"', None),
        ('policy:sender="clerk,head" policy:form="recall"', 'messageRef="m1"', None),
        ('policy:sender="anyone"', 'messageRef="m1"', None),
        ("policy:sender=\"=people('head')\"", 'messageRef="m1"', None),
        ("", 'messageRef="m1"', "no-sender"),
        ('policy:sender="nobody"', 'messageRef="m1"', "unknown-role"),
        ('policy:sender="applicant" policy:form="gone"', 'messageRef="m1"', "unknown-form"),
        ('policy:sender="applicant"', 'messageRef="m2"', "no-message"),
        ('policy:sender="applicant"', "", "no-message"),
    ],
)
def test_messages_have_a_name_and_a_sender(attributes: str, message: str, expected: str | None) -> None:
    assert between(CATCH.format(attributes, message)) == ([(expected, "x")] if expected else [])


def test_lanes_give_their_role_to_the_tasks_in_them() -> None:
    lanes = (
        '<laneSet id="ls"><lane id="outer" policy:role="head"><flowNodeRef>apply</flowNodeRef>'
        '<flowNodeRef>x</flowNodeRef><childLaneSet><lane id="inner" name="clerk"><flowNodeRef>x</flowNodeRef></lane>'
        "</childLaneSet></lane></laneSet>"
    )
    body = lanes + START + '<userTask id="apply"/><userTask id="x" policy:form="decide"/>' + END
    lines = "s -> apply\napply -> x\nx -> e"
    assert gate(body, lines) == []
    read = read_diagram(model(body, lines), "t").elements
    assert [read[key].policy["role"] for key in ("apply", "x")] == ["head", "clerk"]
    assert ("unknown-role", "outer") in gate(body.replace('"head"', '"boss"'), lines)
    assert gate(body.replace("clerk", "一个房间").replace(' policy:role="head"', ""), lines) == [
        ("no-role", "apply"),
        ("no-role", "x"),
    ]
