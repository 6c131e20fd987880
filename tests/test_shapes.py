"""Small shapes that modelers write: what changes nothing passes, silently or with a warning, and the rest is named."""

from __future__ import annotations

import pytest

from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from forms.words import Finding, Unfit
from tests.harness.gate import WORLD
from tests.harness.models import NAMESPACES

SPACES = NAMESPACES.replace('xmlns="', 'xmlns:bpmn="') + (
    ' xmlns:signavio="http://www.signavio.com" xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0"'
    ' xmlns:color="http://www.omg.org/spec/BPMN/non-normative/color/1.0" xmlns:design="http://flowable.org/design"'
    ' xmlns:flowable="http://flowable.org/bpmn" xmlns:modeler="http://camunda.org/schema/modeler/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
TASK = """<bpmn:userTask id="apply" name="x" {words} policy:assignee="applicant">
  <bpmn:extensionElements>{extension}</bpmn:extensionElements><bpmn:incoming>f1</bpmn:incoming>
  <bpmn:outgoing>f2</bpmn:outgoing>{inner}</bpmn:userTask>"""
BODY = """{before}<bpmn:startEvent id="s"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>{task}
  <bpmn:endEvent id="e" policy:outcome="done"><bpmn:incoming>f2</bpmn:incoming></bpmn:endEvent>
  <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="apply"/>
  <bpmn:sequenceFlow id="f2" sourceRef="apply" targetRef="e" {flow}{after}"""


def findings(
    *, words: str = "", extension: str = "", inner: str = "", before: str = "", after: str = "", flow: str = "/>",
    around: str = "", process: str = 'isExecutable="true"',
) -> list[Finding]:  # fmt: skip
    """What the gate says of a small process with one thing about it."""
    task = TASK.format(words=words, extension=extension, inner=inner)
    body = BODY.format(before=before, after=after, task=task, flow=flow)
    text = (
        f'<bpmn:definitions {SPACES} id="D" targetNamespace="x" modeler:executionPlatform="Camunda Platform">\n{around}'
        f'<bpmn:process id="p" {process}>{body}</bpmn:process></bpmn:definitions>'
    )
    try:
        return check_diagram(read_diagram(text.encode(), "x.bpmn"), WORLD)
    except Unfit as unfit:
        return unfit.findings


POOLS = """<bpmn:collaboration id="c"><bpmn:participant id="P1" name="A" processRef="p"/>
  <bpmn:participant id="P2" name="closed pool"/>
  <bpmn:messageFlow id="m1" sourceRef="P2" targetRef="apply"/>
  <bpmn:messageFlow id="m2" sourceRef="apply" targetRef="P2"><bpmn:extensionElements/></bpmn:messageFlow>
  <bpmn:group id="g1"/></bpmn:collaboration>"""
LANES = """<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="Outer"><bpmn:flowNodeRef>apply</bpmn:flowNodeRef>
  <bpmn:flowNodeRef>s</bpmn:flowNodeRef><bpmn:childLaneSet id="cls"><bpmn:lane id="l2" name="clerk">
  <bpmn:flowNodeRef>apply</bpmn:flowNodeRef></bpmn:lane><bpmn:lane id="l3"/></bpmn:childLaneSet></bpmn:lane>
  </bpmn:laneSet>"""
SIGNAVIO = '<signavio:signavioMetaData metaKey="bgcolor" metaValue="#fff"/><signavio:signavioLabel ref="x"/>'
ROOT = """<bpmn:itemDefinition id="i"/><bpmn:dataStore id="ds" name="x"/><bpmn:message id="mm" name="m" itemRef="i"/>
  <bpmn:category id="cat"><bpmn:categoryValue id="cv" value="x"/></bpmn:category>
  <bpmn:interface id="if" name="x"><bpmn:operation id="op" name="x"><bpmn:inMessageRef>mm</bpmn:inMessageRef>
  </bpmn:operation></bpmn:interface><bpmn:resource id="re" name="x"/>"""

SILENT = {
    "nothing": {},
    "properties of camunda": {
        "extension": '<camunda:properties><camunda:property name="a" value="b"/></camunda:properties>'
    },
    "properties at the process": {
        "before": "<bpmn:extensionElements><camunda:properties/></bpmn:extensionElements>",
        "process": 'isExecutable="true" camunda:historyTimeToLive="180" camunda:versionTag="1"',
    },
    "properties at a flow": {
        "flow": "><bpmn:extensionElements><camunda:properties/></bpmn:extensionElements></bpmn:sequenceFlow>"
    },
    "jobs of camunda": {"words": 'camunda:asyncBefore="true" camunda:exclusive="false" camunda:priority="50"'},
    "words that say nothing": {"words": 'camunda:candidateUsers="" camunda:dueDate=""'},
    "retries": {"extension": "<camunda:failedJobRetryTimeCycle>R3/PT1M</camunda:failedJobRetryTimeCycle>"},
    "holders that hold nothing": {
        "extension": "<zeebe:executionListeners/><zeebe:taskListeners/><zeebe:ioMapping/><camunda:inputOutput/>"
    },
    "a user task of camunda 8": {
        "extension": '<zeebe:userTask/><zeebe:taskHeaders><zeebe:header key="a" value="b"/></zeebe:taskHeaders>'
    },
    "colours": {"words": 'bioc:stroke="#000" color:background-color="#fff"'},
    "what signavio adds": {
        "extension": SIGNAVIO,
        "words": 'completionQuantity="1" startQuantity="1" isForCompensation="false" implementation="webService"',
        "process": 'isExecutable="true" isClosed="false" processType="None"',
        "flow": 'isImmediate="true"/>',
    },
    "what flowable adds": {
        "extension": "<design:stencilid><![CDATA[FormTask]]></design:stencilid>",
        "words": 'flowable:formFieldValidation="true"',
    },
    "pools and what passes between them": {"around": POOLS},
    "lanes in lanes": {"before": LANES},
    "what is defined beside the process": {
        "around": ROOT, "after": '<bpmn:group id="g" categoryValueRef="cv"/>',
    },
    "the text of an error": {
        "around": '<bpmn:error id="er" name="x" errorCode="E1" camunda:errorMessage="sad"/>',
    },
    "a note and its line": {
        "after": '<bpmn:textAnnotation id="t"><bpmn:text/></bpmn:textAnnotation>'
        '<bpmn:association id="a" associationDirection="None" sourceRef="apply" targetRef="t"/>'
    },
    "an empty process for a closed pool": {
        "around": '<bpmn:process id="closed" isExecutable="false"/>', "process": 'isExecutable="true"',
    },
    "a property of the process": {"before": '<bpmn:property id="pp" name="x"/><bpmn:auditing/><bpmn:monitoring/>'},
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_what_changes_nothing_passes_without_a_word(name: str) -> None:
    assert findings(**SILENT[name]) == []


INPUTS = """<bpmn:ioSpecification><bpmn:dataInput id="di"/><bpmn:inputSet><bpmn:dataInputRefs>di</bpmn:dataInputRefs>
  </bpmn:inputSet><bpmn:outputSet/></bpmn:ioSpecification>"""
WARNED = {
    "inputs as signavio writes them": ({"inner": INPUTS}, "apply"),
    "a store of data": ({"after": '<bpmn:dataStoreReference id="d" name="archive"/>'}, "d"),
    "many of a partner": ({"around": POOLS.replace("/>\n  <bpmn:message", "><bpmn:participantMultiplicity/>"
                                                   "</bpmn:participant>\n  <bpmn:message", 1)}, "P2"),
    "a partner's own process": (
        {"around": '<bpmn:process id="other" isExecutable="false"><bpmn:task id="x"/></bpmn:process>'}, "other",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNED)
def test_what_only_explains_passes_with_a_warning(name: str) -> None:
    shape, element = WARNED[name]
    (found,) = findings(**shape)
    assert (found.code, found.severity, found.element) == ("only-explains", "warning", element)
    assert found.line and "不影响运行" in found.text.zh


@pytest.mark.parametrize(
    ("words", "meant"),
    [('completionQuantty="1"', "did you mean completionQuantity"), ('colour="red"', "it has no effect: correct")],
)
def test_an_attribute_that_bpmn_does_not_have_is_told_because_it_does_nothing(words: str, meant: str) -> None:
    (found,) = findings(words=words)
    assert (found.code, found.severity, found.element) == ("strange-attribute", "warning", "apply")
    assert meant in found.text.en


ONE_LOOP = "<bpmn:standardLoopCharacteristics loopMaximum='2'/>"
TWICE = {
    "conditions of a flow": {
        "flow": "><bpmn:conditionExpression/><bpmn:conditionExpression>True</bpmn:conditionExpression>"
        "</bpmn:sequenceFlow>"
    },
    "loops of two kinds": {
        "inner": ONE_LOOP + "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    },
    "loops of one kind": {"inner": ONE_LOOP * 2},
    "extensions": {"inner": "<bpmn:extensionElements/>"},
    "completion conditions": {
        "inner": '<bpmn:multiInstanceLoopCharacteristics policy:collection="[1]">'
        + "<bpmn:completionCondition>True</bpmn:completionCondition>" * 2
        + "</bpmn:multiInstanceLoopCharacteristics>"
    },
}


@pytest.mark.parametrize("name", TWICE)
def test_what_stands_twice_and_could_count_once_is_refused_with_its_line(name: str) -> None:
    found = [each for each in findings(**TWICE[name]) if each.code == "given-twice"]
    assert len(found) == 1 and found[0].line and found[0].element in ("apply", "f2")


def test_a_misspelt_child_of_a_flow_or_an_event_is_refused_by_its_name() -> None:
    flow = "><bpmn:conditionExpresion>amount_fen &gt; 3</bpmn:conditionExpresion></bpmn:sequenceFlow>"
    (found,) = findings(flow=flow)
    assert (found.code, found.element) == ("unsupported", "f2") and "conditionExpresion" in found.text.en


NAMED = {
    "who may do it": ({"inner": '<bpmn:resourceRole id="r"/>'}, "resourceRole"),
    "a listener": ({"extension": '<camunda:taskListener class="a.B" event="create"/>'}, "camunda:taskListener"),
    "a mapping": (
        {"extension": '<zeebe:ioMapping><zeebe:input source="=a" target="b"/></zeebe:ioMapping>'}, "zeebe:ioMapping",
    ),
    "who may start": ({"process": 'camunda:candidateStarterGroups="a"'}, "camunda:candidateStarterGroups"),
    "a computation on the way": (
        {"inner": "<bpmn:dataInputAssociation><bpmn:assignment><bpmn:from>a</bpmn:from><bpmn:to>b</bpmn:to>"
                  "</bpmn:assignment></bpmn:dataInputAssociation>"}, "assignment",
    ),
    "several tokens to start": ({"words": 'startQuantity="2"'}, "startQuantity"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_what_would_change_the_process_is_named(name: str) -> None:
    shape, word = NAMED[name]
    (found,) = findings(**shape)
    assert (found.severity, word in found.text.en) == ("error", True)
    assert found.line and found.element


def test_the_business_key_of_a_call_has_no_counterpart_and_every_variable_at_once_is_named() -> None:
    call = (
        '<bpmn:callActivity id="c" calledElement="called" camunda:calledElementBinding="deployment">'
        '<bpmn:extensionElements><camunda:in businessKey="#{{execution.processBusinessKey}}"/>{}'
        '<camunda:in source="amount_fen" target="amount"/></bpmn:extensionElements></bpmn:callActivity>'
        '<bpmn:sequenceFlow id="f0" sourceRef="c" targetRef="e"/>'
    )
    for more, codes in (("", []), ('<camunda:in variables="all"/>', ["call-mapping"])):
        extra = '/><bpmn:sequenceFlow id="f3" sourceRef="apply" targetRef="c"/>'
        assert [each.code for each in findings(after=call.format(more), flow=extra)] == codes
