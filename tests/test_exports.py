"""Diagrams as other tools save them: they open, mean the same where that can be said, and are told what cannot run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bpmn.diagram import Diagram
from bpmn.lint import check_diagram, check_drawing
from bpmn.reader import Undecided, read_diagram, read_drawing
from forms.words import Finding
from tests.harness.drawn import groups, svg, words
from tests.harness.gate import APPLY, END, LINE, START, WORLD, sentences
from webui.cli import main

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
    except Undecided as undecided:
        each = [finding for diagram in undecided.diagrams for finding in check_drawing(diagram)]
        return sorted([*undecided.findings, *each], key=lambda finding: finding.line)


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


def test_a_drawing_of_two_processes_is_told_element_by_element_what_keeps_it_from_running() -> None:
    assert told("bpmn-io") == [
        ("several-processes", "sid-C3803939-0872-457F-8336-EAE484DC4A04"),
        ("unsupported", "Activity_order"),
        ("no-outcome", "Event_full"),
        ("only-explains", "DataObjectReference_1"),
        ("several-processes", "Process_0k1bzqn"),
        ("unsupported", "Activity_cook"),
        ("no-outcome", "Event_done"),
    ]
    assert all(finding.line and finding.element for finding in findings("bpmn-io"))


def test_the_gate_and_the_command_line_say_the_same_with_line_id_and_type() -> None:
    result = CliRunner().invoke(main, ["check", str(FILES["bpmn-io"]), "--json"])
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [(row["id"], row["element"]) for row in rows] == told("bpmn-io")
    assert [row["type"] for row in rows] == [
        "process", "task", "endEvent", "dataObjectReference", "process", "task", "endEvent",
    ]  # fmt: skip
    assert all(row["line"] and row["zh"] and row["en"] for row in rows)


@pytest.mark.parametrize(("first", "second"), [("true", "true"), ("false", "false")])
def test_of_two_processes_each_is_named_when_none_or_both_would_run(first: str, second: str) -> None:
    data = FILES["bpmn-io"].read_text("utf-8")
    data = data.replace('isExecutable="false"', f'isExecutable="{first}"', 1).replace('"false">', f'"{second}">')
    with pytest.raises(Undecided) as refused:
        read_diagram(data.encode(), "x.bpmn")
    assert [finding.line for finding in refused.value.findings] == [12, 38]
    assert "several-processes" in {finding.code for finding in refused.value.findings}


def test_of_a_partner_that_is_drawn_beside_the_process_that_runs_a_warning_says_so() -> None:
    data = (
        FILES["bpmn-io"]
        .read_text("utf-8")
        .replace('Process_0k1bzqn" isExecutable="false', 'Process_0k1bzqn" isExecutable="true')
    )
    found = [each for each in check_diagram(read_diagram(data.encode(), "x.bpmn"), WORLD) if each.severity == "warning"]
    assert [(each.code, each.element, each.line) for each in found] == [
        ("only-explains", "sid-C3803939-0872-457F-8336-EAE484DC4A04", 12)
    ]


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
