"""What the engine does not run is refused by its name, and what changes nothing passes."""

from __future__ import annotations

import pytest

from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from tests.harness.gate import APPLY, END, LINE, START, WORLD, gate, sentences
from tests.harness.models import flows, model

CYCLE = """<intermediateCatchEvent id='x'><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>
</intermediateCatchEvent>"""

UNSUPPORTED_NODES = [
    ("<task id='x'/>", "task"),
    ("<complexGateway id='x'/>", "complexGateway"),
    ("<adHocSubProcess id='x'/>", "adHocSubProcess"),
    ("<callChoreography id='x'/>", "callChoreography"),
    *(
        (
            f"<intermediateThrowEvent id='x'><{kind}EventDefinition/></intermediateThrowEvent>",
            f"intermediateThrowEvent ({kind})",
        )
        for kind in ("compensate", "error", "terminate", "timer")
    ),
    ("<intermediateCatchEvent id='x'/>", "intermediateCatchEvent (none)"),
    *(
        (
            f"<intermediateCatchEvent id='x'><{kind}EventDefinition/></intermediateCatchEvent>",
            f"intermediateCatchEvent ({kind})",
        )
        for kind in ("error", "escalation", "compensate", "cancel", "terminate")
    ),
    (
        "<intermediateCatchEvent id='x'><timerEventDefinition/><messageEventDefinition/></intermediateCatchEvent>",
        "intermediateCatchEvent (multiple)",
    ),
    (CYCLE, "timeCycle"),
]


@pytest.mark.parametrize(("node", "name"), UNSUPPORTED_NODES)
def test_what_is_not_run_is_refused_by_its_name(node: str, name: str) -> None:
    said = sentences(START + node + END, "s -> x\nx -> e")
    assert f"尚不支持 {name}：" in said
    assert f"{name} is not supported yet: " in said


@pytest.mark.parametrize("kind", ["compensate", "cancel", "timer", "conditional", "link"])
def test_end_events_of_other_kinds_are_refused(kind: str) -> None:
    end = f'<endEvent id="e" policy:outcome="x"><{kind}EventDefinition/></endEvent>'
    assert ("unsupported", "e") in gate(START + APPLY + end, LINE)


@pytest.mark.parametrize("kind", ["error", "escalation", "compensate", "cancel", "link", "terminate"])
def test_starts_of_a_process_by_what_only_happens_inside_a_case_are_refused(kind: str) -> None:
    start = f'<startEvent id="s"><{kind}EventDefinition/></startEvent>'
    assert ("unsupported", "s") in gate(start + APPLY + END, LINE)


@pytest.mark.parametrize("kind", ["timer", "message", "signal", "conditional", "error"])
def test_starts_of_an_embedded_subprocess_wait_for_nothing(kind: str) -> None:
    inner = f'<startEvent id="is"><{kind}EventDefinition/></startEvent><endEvent id="ie"/>{flows("is -> ie")}'
    box = f'<subProcess id="box">{inner}</subProcess>'
    assert ("unsupported", "is") in gate(START + APPLY + box + END, "s -> apply\napply -> box\nbox -> e")


@pytest.mark.parametrize("kind", ["compensate", "cancel", "terminate"])
def test_boundary_events_of_other_kinds_are_refused(kind: str) -> None:
    body = START + APPLY + END + f'<boundaryEvent id="b" attachedToRef="apply"><{kind}EventDefinition/></boundaryEvent>'
    assert gate(body, LINE + "\nb -> e") == [("unsupported", "b")]


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ("<dataInputAssociation><transformation>a</transformation></dataInputAssociation>", "transformation"),
        ("<ioSpecification/><dataOutputAssociation><assignment/></dataOutputAssociation>", "assignment"),
        ("<potentialOwner/>", "potentialOwner"),
        ('<extensionElements><camunda:taskListener event="create"/></extensionElements>', "camunda:taskListener"),
        ("<extensionElements><zeebe:ioMapping><zeebe:input/></zeebe:ioMapping></extensionElements>", "zeebe:ioMapping"),
        ("<extensionElements><policy:operatoin/></extensionElements>", "policy:operatoin"),
        ('<multiInstanceLoopCharacteristics behavior="One" policy:collection="[1]"/>', "behavior"),
        ('<multiInstanceLoopCharacteristics policy:colection="[1]" policy:collection="[1]"/>', "policy:colection"),
    ],
)
def test_parts_that_would_change_the_process_are_refused_by_name(inner: str, name: str) -> None:
    task = APPLY.replace("/>", f">{inner}</userTask>")
    assert f"{name} is not supported yet" in sentences(START + task + END, LINE)


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ('isForCompensation="true"', "isForCompensation"),
        ('startQuantity="2"', "startQuantity"),
        ('completionQuantity="2"', "completionQuantity"),
        ('camunda:candidateUsers="demo"', "camunda:candidateUsers"),
    ],
)
def test_attributes_that_would_change_the_process_are_refused_by_name(attribute: str, name: str) -> None:
    task = APPLY.replace("/>", f" {attribute}/>")
    assert f"{name} is not supported yet" in sentences(START + task + END, LINE)


def test_idle_attributes_of_other_engines_pass() -> None:
    task = APPLY.replace("/>", ' camunda:asyncBefore="true" isForCompensation="false" startQuantity="1"/>')
    assert gate(START + task + END, LINE, attributes='id="p" camunda:historyTimeToLive="P1Y"') == []


def test_correlation_of_bpmn_itself_is_refused() -> None:
    assert gate(START + APPLY + END + '<correlationSubscription id="d"/>', LINE) == [("unsupported", "d")]


@pytest.mark.parametrize("word", ["dataObjectReference", "dataStoreReference", "ioSpecification"])
def test_data_drawn_in_the_process_only_explains_and_a_warning_says_so(word: str) -> None:
    # As bpmn.io writes it: the association needs a property of the task to lead to.
    task = APPLY.replace(
        "/>",
        '><property id="p_1" name="__targetRef_placeholder"/><dataInputAssociation id="di"><sourceRef>d</sourceRef>'
        "<targetRef>p_1</targetRef></dataInputAssociation></userTask>",
    )
    data = '<dataObject id="o" isCollection="true"><dataState name="draft"/></dataObject>'
    body = START + task + END + data + f'<{word} id="d" name="Bill" dataObjectRef="o"/>'
    (found,) = check_diagram(read_diagram(model(body, LINE), "x"), WORLD)
    assert (found.code, found.element, found.severity) == ("only-explains", "d", "warning")
    assert found.line == 5 and word in found.text.en and word in found.text.zh


def test_data_deep_in_subprocesses_is_no_trouble() -> None:
    inner = '<startEvent id="bs"/><userTask id="decide" policy:role="clerk"/><endEvent id="be"/><dataObject id="o"/>'
    body = inner + flows("bs -> decide\ndecide -> be") + '<dataObjectReference id="d" dataObjectRef="o"/>'
    for level in range(3):
        ends = f'<startEvent id="s{level}"/><endEvent id="e{level}" policy:outcome="x"/>'
        inside = f"s{level} -> b{level}\nb{level} -> e{level}"
        body = f'{ends}<subProcess id="b{level}">{body}</subProcess>{flows(inside)}'
    assert [each.code for each in check_diagram(read_diagram(model(body), "x"), WORLD)] == ["only-explains"]


def test_annotations_and_groups_pass() -> None:
    notes = (
        '<textAnnotation id="t"><text>说明</text></textAnnotation><association id="a" sourceRef="apply" targetRef="t"/>'
        '<group id="g"/>'
    )
    assert gate(START + APPLY + END + notes, LINE) == []


@pytest.mark.parametrize("kind", ["none", "link", "compensate", "cancel", "terminate"])
def test_event_subprocesses_of_other_kinds_are_refused(kind: str) -> None:
    definition = "" if kind == "none" else f"<{kind}EventDefinition/>"
    inside = f'<startEvent id="xs">{definition}</startEvent><endEvent id="xe" policy:outcome="x"/>'
    flow = '<sequenceFlow id="xf" sourceRef="xs" targetRef="xe"/>'
    body = f'{START}{APPLY}{END}<subProcess id="x" triggeredByEvent="true">{inside}{flow}</subProcess>'
    assert ("unsupported", "xs") in gate(body, LINE)


@pytest.mark.parametrize(("how", "refused"), [("true", [("unsupported", "b")]), ("false", [])])
def test_a_cycle_is_for_events_that_do_not_interrupt(how: str, refused: list[tuple[str, str]]) -> None:
    timer = "<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition>"
    body = f'{START}{APPLY}{END}<boundaryEvent id="b" attachedToRef="apply" cancelActivity="{how}">{timer}'
    assert gate(body + "</boundaryEvent>", LINE + "\nb -> e") == refused


def test_a_process_that_says_it_is_not_executable_is_refused() -> None:
    assert gate(START + APPLY + END, LINE, attributes='id="p" isExecutable="false"') == [("not-executable", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p"') == []


def test_a_misspelt_attribute_of_ours_is_refused_because_it_would_drop_a_rule() -> None:
    task = APPLY.replace("/>", ' policy:fourEye="x"/>')
    assert gate(START + task + END, LINE) == [("unknown-attribute", "apply")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:input="x"') == [("unknown-attribute", "p")]
