"""Diagrams as other tools save them: they open, mean the same where that can be said, and are told what cannot run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn.diagram import Diagram
from bpmn.lint import check_diagram
from bpmn.reader import read_diagram, read_drawing
from forms.words import Finding, Unfit
from tests.harness.drawn import groups, svg, words
from tests.harness.gate import APPLY, END, LINE, START, WORLD, sentences

EXPORTS = Path(__file__).parent / "exports"
FILES = {path.name.partition(".")[0]: path for path in sorted(EXPORTS.iterdir())}


def opened(name: str) -> Diagram:
    return read_diagram(FILES[name].read_bytes(), FILES[name].name)


def told(name: str) -> list[tuple[str, str | None]]:
    """What the gate says of an export: codes and elements."""
    return [(finding.code, finding.element) for finding in findings(name)]


def findings(name: str) -> list[Finding]:
    try:
        return check_diagram(opened(name), WORLD)
    except Unfit as unfit:
        return unfit.findings


@pytest.mark.parametrize("name", FILES)
def test_every_export_can_be_looked_at_whether_or_not_it_runs(name: str) -> None:
    diagram = read_drawing(FILES[name].read_bytes(), FILES[name].name)
    picture = svg(diagram, {key: frozenset({"finding"}) for _, key in told(name) if key})
    drawn = groups(picture)
    assert drawn.keys() >= diagram.elements.keys() | diagram.flows.keys() | {lane.id for lane in diagram.lanes}
    for element in diagram.elements.values():
        assert "".join(element.name.split()) in "".join(words(drawn[element.id]).split())
    places = {key: (shape.x, shape.y) for key, shape in diagram.shapes.items()}
    assert len(set(places.values())) > 5  # as the tool drew it, not as we would


def test_a_collaboration_is_drawn_with_both_pools_its_message_its_note_and_its_data() -> None:
    diagram = read_drawing(FILES["bpmn-io"].read_bytes(), "x.bpmn")
    picture = svg(diagram)
    assert [lane.name for lane in diagram.lanes] == ["Customer", "Restaurant", "Hungry one"]
    assert {"Activity_cook", "DataObjectReference_1", "TextAnnotation_1"} <= groups(picture).keys()
    assert len(picture.findall(".//{*}g[@class='bpmn-association']")) == 3


def test_camunda_7_forms_people_and_days_mean_the_same() -> None:
    read = opened("camunda-7").elements
    assert dict(read["Activity_apply"].policy) == {"form": "apply", "assignee": "applicant"}
    assert dict(read["Activity_approve"].policy) == {
        "form": "decide",
        "role": "clerk, head",
        "due": "add_working_days(today, 3)",
    }
    assert opened("camunda-7").flows["Flow_1v2k7mh"].condition == "agreed == 1"
    assert told("camunda-7") == [
        ("no-outcome", "Event_granted"),
        ("unsupported", "Activity_notify"),
        ("no-operation", "Activity_notify"),
        ("unsupported", "Activity_file"),
        ("foreign-value", "Activity_file"),
        ("foreign-value", "Activity_file"),
        ("unknown-form", "Activity_file"),
        ("no-outcome", "Event_refused"),
    ]
    said = " ".join(finding.text.en for finding in findings("camunda-7"))
    for word in ("camunda:delegateExpression", "camunda:candidateUsers", "camunda:assignee", "camunda:dueDate"):
        assert word in said


def test_camunda_8_forms_people_days_loops_and_calls_mean_the_same() -> None:
    read = opened("camunda-8").elements
    assert dict(read["Activity_check"].policy) == {"form": "decide", "role": "clerk", "due": "today + 7"}
    assert dict(read["Activity_votes"].policy) == {"form": "vote", "assignee": "=member"}
    loop = read["Activity_votes"].loop
    assert loop is not None
    assert (loop.collection, loop.item, loop.output) == ('people("expert")', "member", "votes")
    assert (loop.result, loop.until) == ("points", "nrOfCompletedInstances >= 2")
    call = read["Activity_call"]
    assert (call.called, dict(call.inputs), dict(call.outputs)) == (
        "called",
        {"amount": "agreed"},
        {"opinion_of_them": "opinion"},
    )
    assert told("camunda-8") == [
        ("expression", "Flow_4"),
        ("no-operation", "Activity_charge"),
        ("unsupported", "Activity_charge"),
        ("unsupported", "Activity_charge"),
        ("no-outcome", "Event_1"),
        ("unknown-form", "Activity_remind"),
        ("foreign-value", "Activity_remind"),
        ("foreign-value", "Activity_remind"),
        ("no-outcome", "Event_2"),
    ]
    said = " ".join(finding.text.en for finding in findings("camunda-8"))
    for word in ("zeebe:taskDefinition", "zeebe:assignmentDefinition candidateGroups", "zeebe:taskSchedule dueDate"):
        assert word in said


def test_flowable_forms_people_and_loops_mean_the_same() -> None:
    read = opened("flowable").elements
    assert dict(read["submit"].policy) == {"form": "apply", "assignee": "applicant"}
    assert dict(read["review"].policy) == {"form": "decide", "role": "clerk"}
    assert dict(read["votes"].policy) == {"form": "vote", "assignee": "=member", "due": "end_of_month"}
    loop = read["votes"].loop
    assert loop is not None and (loop.collection, loop.item) == ("members", "member")
    assert opened("flowable").flows["sid-6"].condition == "agreed == 1 and amount_fen < 3000"
    assert told("flowable") == [
        ("unbrought-name", "votes"),
        ("unbrought-name", "votes"),
        ("expression", "votes"),
        ("unsupported", "pay"),
        ("no-operation", "pay"),
        ("no-outcome", "end"),
    ]


def test_signavio_lanes_give_roles_and_what_cannot_run_is_told_element_by_element() -> None:
    assert opened("signavio").elements["sid-TASK-0001"].policy["role"] == "clerk"
    assert told("signavio") == [
        ("not-executable", "sid-PROC-0001"),
        ("unknown-form", "sid-TASK-0001"),
        ("unsupported", "sid-TASK-0002"),
        ("no-message", "sid-TASK-0003"),
        ("no-outcome", "sid-END-0001"),
        ("condition-missing", "sid-FLOW-0003"),
        ("condition-missing", "sid-FLOW-0004"),
    ]


def test_a_drawing_of_two_processes_is_told_to_say_which_one_runs() -> None:
    assert told("bpmn-io") == [("several-processes", None)]


ENGINES = """xmlns:flowable="http://flowable.org/bpmn" xmlns:operaton="http://operaton.org/schema/1.0/bpmn" """


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ('camunda:assignee="${bean.name()}"', "camunda:assignee"),
        ('camunda:assignee="${a ? b : c}"', "camunda:assignee"),
        ('flowable:candidateGroups="${groupService.of(x)}"', "flowable:candidateGroups"),
        ('operaton:dueDate="P3D"', "operaton:dueDate"),
        ('camunda:dueDate="2026-12-12"', "camunda:dueDate"),
        ('camunda:formKey="${form}"', "camunda:formKey"),
        ('camunda:formKey="=form"', "camunda:formKey"),
    ],
)
def test_a_word_that_means_something_here_but_says_what_does_not_is_named(words: str, word: str) -> None:
    task = APPLY.replace('policy:assignee="applicant"', f"{ENGINES}{words}")
    said = sentences(START + task + END, LINE)
    assert f"what {word} says" in said and f"{word} 写的" in said
    assert "no-role" not in said or "formKey" in word or "dueDate" in word


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("${apply['amount_fen'] > 3}", True),
        ("#{amount_fen > 3}", True),
        ("=amount_fen > 3", True),
        ('=apply["amount_fen"] > 3', True),
        ("=[1, 2][1] == amount_fen", False),  # FEEL counts from 1
        ("=if amount_fen > 3 then true else false", False),
        ("${amount_fen gt 3}", False),
        ("${amount_fen > 3} and ${count > 3}", False),
    ],
)
def test_an_expression_of_another_engine_is_read_where_it_is_one_of_ours(source: str, read: bool) -> None:
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="no"/>'
    said = sentences(body, f"s -> apply\napply -> g\ng -> e if {source}\ng -> f")
    assert (said == "") is read
    assert read or "conditionExpression" in said


def test_a_call_of_camunda_8_that_takes_every_variable_back_is_refused() -> None:
    for said, refused in (
        ("", True),
        ('propagateAllChildVariables="false"', False),
        ('bindingType="versionTag"', True),
    ):
        call = (
            '<callActivity id="c"><extensionElements><zeebe:calledElement processId="called" '
            f'{said or "x"}{"" if said else "=" + chr(34) + chr(34)}/><policy:in name="amount" value="amount_fen"/>'
            "</extensionElements></callActivity>"
        )
        told = sentences(START + APPLY + call + END, "s -> apply\napply -> c\nc -> e")
        assert ("zeebe:calledElement" in told) is refused, told
