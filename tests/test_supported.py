"""What the engine does not run is refused by its name, and what changes nothing passes."""

from __future__ import annotations

import pytest

from tests.harness.gate import APPLY, END, LINE, START, gate, sentences

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


@pytest.mark.parametrize("kind", ["timer", "message", "signal", "conditional", "error"])
def test_start_events_that_wait_are_refused(kind: str) -> None:
    start = f'<startEvent id="s"><{kind}EventDefinition/></startEvent>'
    assert ("unsupported", "s") in gate(start + APPLY + END, LINE)


@pytest.mark.parametrize("kind", ["compensate", "cancel", "terminate"])
def test_boundary_events_of_other_kinds_are_refused(kind: str) -> None:
    body = START + APPLY + END + f'<boundaryEvent id="b" attachedToRef="apply"><{kind}EventDefinition/></boundaryEvent>'
    assert gate(body, LINE + "\nb -> e") == [("unsupported", "b")]


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ("<ioSpecification/>", "ioSpecification"),
        ("<dataInputAssociation/>", "dataInputAssociation"),
        ("<potentialOwner/>", "potentialOwner"),
        ("<property id='pp'/>", "property"),
        ('<extensionElements><camunda:taskListener event="create"/></extensionElements>', "camunda:taskListener"),
        ("<extensionElements><zeebe:ioMapping/></extensionElements>", "zeebe:ioMapping"),
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


@pytest.mark.parametrize("word", ["dataObject", "dataObjectReference", "dataStoreReference", "correlationSubscription"])
def test_data_drawn_in_the_process_is_refused(word: str) -> None:
    assert gate(START + APPLY + END + f'<{word} id="d"/>', LINE) == [("unsupported", "d")]


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
