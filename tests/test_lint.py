"""The deployment gate: what it refuses, where and in which words, and that it lets sound diagrams pass."""

from __future__ import annotations

import time

import pytest

from bpmn.diagram import Diagram
from bpmn.lint import (
    OperationSpec,
    ProcessSignature,
    Surroundings,
    check_diagram,
    names_brought,
    signature,
)
from bpmn.reader import read_diagram
from bpmn.work_items import lane_roles
from forms.form import Form, read_form
from tests.harness.models import model


def form(key: str, *fields: str) -> Form:
    """A form with integer fields of these codes; ``code = expression`` is computed."""
    lines = [f"id: {key}", f"title: {{zh: {key}, en: {key}}}", "fields:"]
    for field in fields:
        code, _, compute = field.partition(" = ")
        computed = f', compute: "={compute}"' if compute else ""
        lines.append(f"  - {{code: {code}, kind: integer, label: {{zh: {code}, en: {code}}}{computed}}}")
    return read_form("\n".join(lines), f"{key}.yaml")


FORMS = [
    form("apply", "amount_fen", "count"),
    form("decide", "agreed"),
    form("vote", "points", "doubled = points * 2"),
    form("recall", "reason"),
]
WORLD = Surroundings(
    forms={each.id: each for each in FORMS},
    roles=frozenset({"clerk", "head", "expert"}),
    operations={
        "register.record": OperationSpec(frozenset({"register", "key", "values"}), frozenset({"supersede"})),
        "number.next": OperationSpec(frozenset({"series"}), gives=True),
    },
    processes={"called": ProcessSignature(frozenset({"amount"}), frozenset({"opinion"}))},
)

START, END = '<startEvent id="s"/>', '<endEvent id="e" policy:outcome="done"/>'
APPLY = '<userTask id="apply" policy:assignee="applicant"/>'
DECIDE = '<userTask id="decide" policy:role="clerk, head"/>'
MESSAGES = '<message id="m1" name="recall"/><message id="m2"/>'
LINE = "s -> apply\napply -> e"


def gate(body: str, lines: str, *, attributes: str = 'id="p" isExecutable="true"') -> list[tuple[str, str | None]]:
    """What the gate says about a process: codes and elements."""
    diagram = read_diagram(model(body, lines, around=MESSAGES, attributes=attributes), "test.bpmn")
    findings = check_diagram(diagram, WORLD)
    for finding in findings:
        assert finding.line > 0
        assert finding.file == "test.bpmn"
        assert "：" in finding.text.zh
        assert ": " in finding.text.en
    return [(finding.code, finding.element) for finding in findings]


def sentences(body: str, lines: str) -> str:
    """Everything the gate says about a process, as a person reads it."""
    diagram = read_diagram(model(body, lines, around=MESSAGES), "test.bpmn")
    return "\n".join(map(str, check_diagram(diagram, WORLD)))


WHOLE = """
<laneSet id="set"><lane id="office" name="clerk"><flowNodeRef>sign</flowNodeRef></lane></laneSet>
<startEvent id="s"/>
<userTask id="apply" name="申请" policy:assignee="applicant" policy:basis="002 §六" policy:name-en="Apply"/>
<subProcess id="body"><startEvent id="bs"/>
  <userTask id="decide" policy:role="=['clerk'] if amount_fen &lt; 3 else ['head']" policy:due="add_working_days(today, 10)"
            policy:excluded="[applicant]" policy:fourEyes="apply" policy:tag="registration_decision"/>
  <boundaryEvent id="late" attachedToRef="decide" cancelActivity="false">
    <timerEventDefinition><timeDuration>P5D</timeDuration></timerEventDefinition></boundaryEvent>
  <serviceTask id="remind"><extensionElements><policy:operation name="number.next" into="reminder">
    <policy:with name="series" value="'R'"/></policy:operation></extensionElements></serviceTask>
  <endEvent id="reminded"/>
  <exclusiveGateway id="back" default="back_apply2"/>
  <userTask id="apply2" policy:form="apply" policy:assignee="=applicant"/>
  <userTask id="panel" policy:form="vote" policy:assignee="=member" policy:due="end_of_panel">
    <multiInstanceLoopCharacteristics policy:collection="people('expert')" policy:item="member" policy:output="votes"
                                      policy:result="points + loopCounter">
      <completionCondition>nrOfCompletedInstances &gt; 2 and sum(votes) &gt; 3</completionCondition>
    </multiInstanceLoopCharacteristics></userTask>
  <scriptTask id="sum"><script>
    # the votes
    total = sum(votes)
    large = amount_fen > 3_000_000_000
  </script></scriptTask>
  <endEvent id="be"/>
  FLOWS
</subProcess>
<boundaryEvent id="recalled" attachedToRef="body" policy:sender="applicant" policy:form="recall">
  <messageEventDefinition messageRef="m1"/></boundaryEvent>
<endEvent id="withdrawn" policy:outcome="withdrawn"><terminateEventDefinition/></endEvent>
<parallelGateway id="both"/>
<callActivity id="call" calledElement="called"><extensionElements>
  <policy:in name="amount" value="amount_fen"/><policy:out name="view" value="opinion"/></extensionElements></callActivity>
<serviceTask id="record"><extensionElements><policy:operation name="register.record">
  <policy:with name="register" value="'contract'"/><policy:with name="key" value="case['number']"/>
  <policy:with name="values" value="{'total': total}"/></policy:operation></extensionElements></serviceTask>
<parallelGateway id="join"/>
<inclusiveGateway id="some"/>
<userTask id="sign" policy:form="decide"/>
<inclusiveGateway id="joined"/>
<eventBasedGateway id="wait"/>
<intermediateCatchEvent id="day"><timerEventDefinition><timeDate>end_of_panel</timeDate></timerEventDefinition>
</intermediateCatchEvent>
<intermediateCatchEvent id="asked" policy:sender="=people('head') if large else None">
  <messageEventDefinition messageRef="m1"/></intermediateCatchEvent>
<exclusiveGateway id="merge"/>
<endEvent id="e" policy:outcome="='large' if large else 'small'"/>
"""
INSIDE = """bs -> decide
decide -> back
late -> remind
remind -> reminded
back -> apply2
back -> panel [专家] if agreed == 1 and decide['agreed'] is not None
apply2 -> decide
panel -> sum
sum -> be"""
OUTSIDE = """s -> apply
apply -> body
body -> both
recalled -> withdrawn
both -> call
both -> record
call -> join
record -> join
join -> some
some -> sign if view == 'x'
some -> joined if not large
sign -> joined
joined -> wait
wait -> day
wait -> asked
day -> merge
asked -> merge
merge -> e"""


def whole() -> Diagram:
    """A diagram with everything that is supported."""
    from tests.harness.models import flows

    body = WHOLE.replace("FLOWS", flows(INSIDE))
    attributes = 'id="p" isExecutable="true" policy:kind="called" policy:inputs="end_of_panel" policy:outputs="total, view"'
    return read_diagram(model(body, OUTSIDE, around=MESSAGES, attributes=attributes), "whole.bpmn")


def test_a_diagram_with_everything_that_is_supported_passes() -> None:
    assert [str(finding) for finding in check_diagram(whole(), WORLD)] == []


def test_the_simplest_process_passes() -> None:
    assert gate(START + APPLY + END, LINE) == []


def test_a_loop_that_only_a_boundary_event_of_its_subprocess_ends_passes() -> None:
    body = START + APPLY + END + (
        '<subProcess id="sub"><startEvent id="is"/><userTask id="decide" policy:role="clerk"/>'
        '<sequenceFlow id="i1" sourceRef="is" targetRef="decide"/>'
        '<sequenceFlow id="i2" sourceRef="decide" targetRef="decide"/></subProcess>'
        '<boundaryEvent id="b" attachedToRef="sub" policy:sender="head"><messageEventDefinition messageRef="m1"/>'
        "</boundaryEvent>"
    )
    assert gate(body, "s -> apply\napply -> sub\nsub -> e\nb -> e") == []
    kept = body.replace('attachedToRef="sub"', 'attachedToRef="sub" cancelActivity="false"')
    found = gate(kept, "s -> apply\napply -> sub\nsub -> e\nb -> e")
    assert ("no-end", "sub") in found
    assert ("no-way-to-end", "decide") in found


UNSUPPORTED_NODES = [
    ("<task id='x'/>", "task"),
    ("<manualTask id='x'/>", "manualTask"),
    ("<sendTask id='x'/>", "sendTask"),
    ("<receiveTask id='x'/>", "receiveTask"),
    ("<businessRuleTask id='x'/>", "businessRuleTask"),
    ("<complexGateway id='x'/>", "complexGateway"),
    ("<transaction id='x'/>", "transaction"),
    ("<adHocSubProcess id='x'/>", "adHocSubProcess"),
    ("<callChoreography id='x'/>", "callChoreography"),
    ("<intermediateThrowEvent id='x'/>", "intermediateThrowEvent"),
    ("<intermediateThrowEvent id='x'><linkEventDefinition name='k'/></intermediateThrowEvent>", "intermediateThrowEvent"),
    ("<intermediateCatchEvent id='x'/>", "intermediateCatchEvent (none)"),
    *(
        (f"<intermediateCatchEvent id='x'><{kind}EventDefinition/></intermediateCatchEvent>",
         f"intermediateCatchEvent ({kind})")
        for kind in ("signal", "conditional", "link", "error", "escalation", "compensate", "cancel")
    ),
    ("<intermediateCatchEvent id='x'><timerEventDefinition/><messageEventDefinition messageRef='m1'/>"
     "</intermediateCatchEvent>", "intermediateCatchEvent (multiple)"),
    ("<intermediateCatchEvent id='x'><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>"
     "</intermediateCatchEvent>", "timeCycle"),
]


@pytest.mark.parametrize(("node", "name"), UNSUPPORTED_NODES)
def test_what_is_not_run_is_refused_by_its_name(node: str, name: str) -> None:
    said = sentences(START + node + END, "s -> x\nx -> e")
    assert f"尚不支持 {name}：" in said
    assert f"{name} is not supported yet: " in said


@pytest.mark.parametrize("kind", ["signal", "error", "escalation", "message", "compensate", "cancel"])
def test_end_events_that_throw_are_refused(kind: str) -> None:
    end = f'<endEvent id="e" policy:outcome="x"><{kind}EventDefinition/></endEvent>'
    assert gate(START + APPLY + end, LINE) == [("unsupported", "e")]


@pytest.mark.parametrize("kind", ["timer", "message", "signal", "conditional", "error"])
def test_start_events_that_wait_are_refused(kind: str) -> None:
    start = f'<startEvent id="s"><{kind}EventDefinition/></startEvent>'
    assert ("unsupported", "s") in gate(start + APPLY + END, LINE)


@pytest.mark.parametrize("kind", ["signal", "error", "escalation", "compensate", "conditional", "cancel"])
def test_boundary_events_of_other_kinds_are_refused(kind: str) -> None:
    body = START + APPLY + END + f'<boundaryEvent id="b" attachedToRef="apply"><{kind}EventDefinition/></boundaryEvent>'
    assert gate(body, LINE + "\nb -> e") == [("unsupported", "b")]


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ("<standardLoopCharacteristics/>", "standardLoopCharacteristics"),
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


def test_an_event_subprocess_is_refused_once_and_its_inside_is_not_judged() -> None:
    inside = (
        '<subProcess id="x" triggeredByEvent="true"><startEvent id="xs"><signalEventDefinition/></startEvent></subProcess>'
    )
    found = gate(START + APPLY + END + inside, LINE)
    assert ("unsupported", "x") in found
    assert ("no-end", "x") not in found
    assert ("unreachable", "x") not in found


def test_a_process_that_says_it_is_not_executable_is_refused() -> None:
    assert gate(START + APPLY + END, LINE, attributes='id="p" isExecutable="false"') == [("not-executable", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p"') == []


def test_a_misspelt_attribute_of_ours_is_refused_because_it_would_drop_a_rule() -> None:
    task = APPLY.replace("/>", ' policy:fourEye="x"/>')
    assert gate(START + task + END, LINE) == [("unknown-attribute", "apply")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:input="x"') == [("unknown-attribute", "p")]


STRUCTURE = [
    (APPLY + END, "apply -> e", [("no-start", "p")]),
    (START + '<startEvent id="s2"/>' + APPLY + END, LINE + "\ns2 -> apply", [("several-starts", "s2")]),
    (START + APPLY + '<exclusiveGateway id="g" default="g_e"/>' + END,
     "s -> apply\napply -> g\ng -> s if count > 1\ng -> e", [("start-incoming", "s")]),
    (START + APPLY + DECIDE + END, LINE + "\ne -> decide\ndecide -> e", [("end-outgoing", "e")]),
    (START + APPLY, "s -> apply", [("no-end", "p"), ("dead-end", "apply")]),
    (START + APPLY + '<endEvent id="e"/>', LINE, [("no-outcome", "e")]),
    (START + APPLY + END, LINE + "\napply -> gone", [("implicit-split", "apply"), ("dangling-reference", "apply_gone")]),
    (START + APPLY + END, LINE + "\ngone -> apply", [("dangling-reference", "gone_apply")]),
    (START + APPLY + DECIDE + END, LINE + "\ndecide -> e", [("unreachable", "decide")]),
    (START + APPLY + DECIDE + END, LINE + "\ndecide -> decide",
     [("unreachable", "decide"), ("no-way-to-end", "decide")]),
    (START + APPLY + DECIDE + END, "s -> apply\napply -> e\napply -> decide\ndecide -> e", [("implicit-split", "apply")]),
    (START + APPLY + END, "s -> apply\napply -> e if count > 1", [("condition-misplaced", "apply_e")]),
    (START + APPLY.replace("/>", ' default="apply_e"/>') + END, LINE, [("default-misplaced", "apply")]),
]


@pytest.mark.parametrize(("body", "lines", "expected"), STRUCTURE)
def test_drawings_that_could_not_run_are_refused(body: str, lines: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(gate(body, lines), key=str) == sorted(expected, key=str)


GATEWAY_LINES = "s -> apply\napply -> g\ng -> e{}\ng -> f{}"


@pytest.mark.parametrize(
    ("gateway", "first", "second", "expected"),
    [
        ('<exclusiveGateway id="g"/>', " if count > 1", " if count < 2", []),
        ('<exclusiveGateway id="g" default="g_f"/>', " if count > 1", "", []),
        ('<inclusiveGateway id="g" default="g_f"/>', " if count > 1", "", []),
        ('<parallelGateway id="g"/>', "", "", []),
        ('<exclusiveGateway id="g"/>', " if count > 1", "", [("condition-missing", "g_f")]),
        ('<inclusiveGateway id="g"/>', "", "", [("condition-missing", "g_e"), ("condition-missing", "g_f")]),
        ('<exclusiveGateway id="g" default="g_f"/>', " if count > 1", " if count < 2", [("default-condition", "g_f")]),
        ('<exclusiveGateway id="g" default="x"/>', " if count > 1", " if count < 2", [("dangling-reference", "g")]),
        ('<exclusiveGateway id="g" default="s_apply"/>', " if count > 1", " if True", [("dangling-reference", "g")]),
        ('<parallelGateway id="g"/>', " if count > 1", "", [("condition-misplaced", "g_e")]),
        ('<parallelGateway id="g" default="g_e"/>', "", "", [("default-misplaced", "g")]),
        ('<eventBasedGateway id="g"/>', "", "", [("event-gateway-target", "g_e"), ("event-gateway-target", "g_f")]),
    ],
)
def test_gateways_say_how_they_choose(gateway: str, first: str, second: str, expected: list[tuple[str, str]]) -> None:
    body = START + APPLY + gateway + END + '<endEvent id="f" policy:outcome="not"/>'
    assert gate(body, GATEWAY_LINES.format(first, second)) == expected


def test_an_event_behind_an_event_gateway_has_no_other_way_in() -> None:
    body = START + APPLY + END + (
        '<exclusiveGateway id="x"/><eventBasedGateway id="g"/><intermediateCatchEvent id="t"><timerEventDefinition>'
        "<timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    )
    lines = "s -> apply\napply -> x\nx -> g if count > 1\nx -> t if count < 2\ng -> t\nt -> e"
    assert gate(body, lines) == [("event-gateway-target", "g_t")]


BOUNDARY = '<boundaryEvent id="b" {}><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>'


@pytest.mark.parametrize(
    ("attached", "expected"),
    [
        ('attachedToRef="apply"', []),
        ('attachedToRef="apply" cancelActivity="false"', []),
        ("", [("dangling-reference", "b")]),
        ('attachedToRef="gone"', [("dangling-reference", "b")]),
        ('attachedToRef="s"', [("boundary-host", "b")]),
        ('attachedToRef="inner"', [("boundary-host", "b")]),
    ],
)
def test_boundary_events_sit_on_an_activity_beside_them(attached: str, expected: list[tuple[str, str]]) -> None:
    sub = (
        '<subProcess id="sub"><startEvent id="is"/><userTask id="inner" policy:form="decide" policy:role="clerk"/>'
        '<endEvent id="ie"/><sequenceFlow id="i1" sourceRef="is" targetRef="inner"/>'
        '<sequenceFlow id="i2" sourceRef="inner" targetRef="ie"/></subProcess>'
    )
    lines = "s -> apply\napply -> sub\nsub -> e\nb -> e"
    assert gate(START + APPLY + sub + END + BOUNDARY.format(attached), lines) == expected


def test_flows_do_not_cross_the_border_of_a_subprocess() -> None:
    sub = (
        '<subProcess id="sub"><startEvent id="is"/><userTask id="decide" policy:role="clerk"/><endEvent id="ie"/>'
        '<sequenceFlow id="i1" sourceRef="is" targetRef="decide"/>'
        '<sequenceFlow id="i2" sourceRef="decide" targetRef="ie"/></subProcess><exclusiveGateway id="g" default="g_sub"/>'
    )
    lines = "s -> apply\napply -> g\ng -> sub\ng -> decide if count > 1\nsub -> e"
    assert gate(START + APPLY + sub + END, lines) == [("crossing-flow", "g_decide")]


def test_lanes_list_elements_that_exist() -> None:
    lanes = '<laneSet id="ls"><lane id="l"><flowNodeRef>gone</flowNodeRef></lane></laneSet>'
    assert gate(lanes + START + APPLY + END, LINE) == [("dangling-reference", "l")]


def between(node: str) -> list[tuple[str, str | None]]:
    """What the gate says about one element ``x`` behind the application."""
    return gate(START + APPLY + node + END, "s -> apply\napply -> x\nx -> e")


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
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:due="add_days(submitted, 1)"/>',
         "unbrought-name"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:due="=today"/>', "expression"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:excluded="acted(\'apply\')"/>', None),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:excluded="team"/>', "unbrought-name"),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:fourEyes="apply"/>', None),
        ('<userTask id="x" policy:form="decide" policy:role="clerk" policy:fourEyes="apply, gone"/>',
         "dangling-reference"),
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
        ('policy:sender="=people(\'head\')"', 'messageRef="m1"', None),
        ("", 'messageRef="m1"', "no-sender"),
        ('policy:sender="nobody"', 'messageRef="m1"', "unknown-role"),
        ('policy:sender="applicant" policy:form="gone"', 'messageRef="m1"', "unknown-form"),
        ('policy:sender="applicant"', 'messageRef="m2"', "no-message"),
        ('policy:sender="applicant"', "", "no-message"),
    ],
)
def test_messages_have_a_name_and_a_sender(attributes: str, message: str, expected: str | None) -> None:
    assert between(CATCH.format(attributes, message)) == ([(expected, "x")] if expected else [])


@pytest.mark.parametrize(
    ("timer", "expected"),
    [
        ("<timeDuration>P15D</timeDuration>", None),
        ("<timeDuration>P1Y2M3DT4H5M6S</timeDuration>", None),
        ("<timeDuration>P2W</timeDuration>", None),
        ("<timeDuration>PT1H</timeDuration>", None),
        ("<timeDate>end_of(add_working_days(today, 10))</timeDate>", None),
        ("<timeDate>None</timeDate>", None),
        ("", "timer"),
        ("<timeDuration></timeDuration>", "timer"),
        ("<timeDuration>15 days</timeDuration>", "timer"),
        ('<timeDuration>"PT1H"</timeDuration>', "timer"),
        ("<timeDuration>P</timeDuration>", "timer"),
        ("<timeDuration>P1DT</timeDuration>", "timer"),
        ("<timeDuration>P1.5D</timeDuration>", "timer"),
        ("<timeDuration>R3/P1D</timeDuration>", "timer"),
        ("<timeDate>2026-12-31</timeDate>", "timer"),
        ("<timeDate>PT1H</timeDate>", "unbrought-name"),
        ("<timeDate>tomorrow()</timeDate>", "expression"),
    ],
)
def test_timers_say_a_time(timer: str, expected: str | None) -> None:
    node = f'<intermediateCatchEvent id="x"><timerEventDefinition>{timer}</timerEventDefinition></intermediateCatchEvent>'
    assert between(node) == ([(expected, "x")] if expected else [])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("amount_fen > 3_000_000_000", None),
        ("apply['amount_fen'] is None or count in [1, 2]", None),
        ("params['x'] == case['number']", None),
        ("all(n > 1 for n in [1, 2])", None),
        ("__import__('os').popen('id')", "expression"),
        ("amount.fen > 3", "expression"),
        ("eval('1')", "expression"),
        ("open('/etc/passwd')", "expression"),
        ("().__class__", "expression"),
        ("lambda: 1", "expression"),
        ("amount_fen / 2 > 1", "expression"),
        ("amount_fen >", "expression"),
        ("${amount_fen > 3}", "expression"),
        ("= amount_fen > 3", "expression"),
        ("unknown_function(1)", "expression"),
        ("amount > 3", "unbrought-name"),
        ("loopCounter > 3", "unbrought-name"),
        ("has_role(applicant, 'nobody')", "unknown-role"),
    ],
)
def test_conditions_compile_and_read_what_is_brought(condition: str, expected: str | None) -> None:
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="not"/>'
    found = gate(body, f"s -> apply\napply -> g\ng -> e if {condition}\ng -> f")
    assert found == ([(expected, "g_e")] if expected else [])


def test_an_empty_condition_is_refused() -> None:
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="not"/>' + (
        '<sequenceFlow id="z" sourceRef="g" targetRef="e"><conditionExpression/></sequenceFlow>'
    )
    assert gate(body, "s -> apply\napply -> g\ng -> f") == [("expression", "z")]


def test_a_misspelt_name_is_told_with_the_nearest_that_is_brought() -> None:
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="not"/>'
    said = sentences(body, "s -> apply\napply -> g\ng -> e if amount_fem > 3\ng -> f")
    assert "是否指 amount_fen" in said
    assert "did you mean amount_fen" in said


OPERATION = '<serviceTask id="x"><extensionElements>{}</extensionElements></serviceTask>'
SERIES = '<policy:with name="series" value="\'A\'"/>'


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (OPERATION.format(f'<policy:operation name="number.next" into="n">{SERIES}</policy:operation>'), []),
        ('<serviceTask id="x"/>', ["no-operation"]),
        (OPERATION.format('<policy:operation name="number.nxt"/>'), ["unknown-operation"]),
        (OPERATION.format('<policy:operation name="number.next"/>'), ["operation-parameter"]),
        (OPERATION.format('<policy:operation name="number.next"><policy:with name="series" value="1"/>'
                          '<policy:with name="base" value="1"/></policy:operation>'), ["operation-parameter"]),
        (OPERATION.format('<policy:operation name="number.next"><policy:with name="series" value="gone"/>'
                          "</policy:operation>"), ["unbrought-name"]),
        (OPERATION.format('<policy:operation name="number.next" into="1n"><policy:with name="series" value="1"/>'
                          "</policy:operation>"), ["bad-name"]),
        (OPERATION.format('<policy:operation name="number.next" into="params"><policy:with name="series" value="1"/>'
                          "</policy:operation>"), ["reserved-name"]),
        (OPERATION.format('<policy:operation name="register.record" into="r"><policy:with name="register" value="1"/>'
                          '<policy:with name="key" value="1"/><policy:with name="values" value="{}"/>'
                          "</policy:operation>"), ["operation-result"]),
        ('<scriptTask id="x"><script>a = count + 1\nb = a</script></scriptTask>', []),
        ('<scriptTask id="x"/>', ["no-script"]),
        ('<scriptTask id="x"><script>a = gone</script></scriptTask>', ["unbrought-name"]),
        ('<scriptTask id="x"><script>import os</script></scriptTask>', ["script"]),
        ('<scriptTask id="x"><script>a = ().__class__</script></scriptTask>', ["script"]),
        ('<scriptTask id="x"><script>today = 1</script></scriptTask>', ["reserved-name"]),
        ('<userTask id="x" policy:form="decide" policy:role="head"><extensionElements>'
         f'<policy:operation name="number.next">{SERIES}</policy:operation></extensionElements></userTask>', ["misplaced"]),
    ],
)
def test_operations_and_scripts_can_be_carried_out(node: str, expected: list[str]) -> None:
    assert between(node) == [(code, "x") for code in expected]


CALL = '<callActivity id="x" calledElement="{}"><extensionElements>{}</extensionElements></callActivity>'


@pytest.mark.parametrize(
    ("called", "mapping", "expected"),
    [
        ("called", '<policy:in name="amount" value="count"/><policy:out name="v" value="opinion"/>', []),
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


PANEL = '<userTask id="x" policy:form="vote" policy:role="expert"><multiInstanceLoopCharacteristics {}>{}</multiInstanceLoopCharacteristics></userTask>'


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
        ('policy:collection="[1]" policy:output="votes"',
         "<completionCondition>sum(v['points'] for v in votes) &gt; nrOfActiveInstances</completionCondition>", []),
        ('policy:collection="[1]"', "<completionCondition>points &gt; 1</completionCondition>", ["unbrought-name"]),
        ("", "<loopCardinality>three</loopCardinality>", ["unbrought-name"]),
    ],
)
def test_loops_have_members_and_results(attributes: str, inner: str, expected: list[str]) -> None:
    assert between(PANEL.format(attributes, inner)) == [(code, "x") for code in expected]


def test_what_a_child_of_a_loop_writes_is_not_seen_outside() -> None:
    task = PANEL.format('policy:collection="[1]" policy:item="who" policy:output="votes"', "")
    body = START + APPLY + task + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="n"/>'
    lines = "s -> apply\napply -> x\nx -> g\ng -> e if {}\ng -> f"
    assert gate(body, lines.format("len(votes) > 1")) == []
    for inside in ("points > 1", "who is None", "nrOfInstances > 1", "x['points'] > 1"):
        assert gate(body, lines.format(inside)) == [("unbrought-name", "g_e")]
    assert "多实例" in sentences(body, lines.format("points > 1"))


def test_a_form_reads_only_what_is_brought() -> None:
    reads = Surroundings(
        forms={"apply": form("apply", "amount_fen"), "x": form("x", "rest = amount_fen - spent_fen")}, roles=WORLD.roles
    )
    diagram = read_diagram(model(START + APPLY + '<userTask id="x" policy:role="head"/>' + END,
                                 "s -> apply\napply -> x\nx -> e"), "test.bpmn")
    found = check_diagram(diagram, reads)
    assert [(finding.code, finding.element) for finding in found] == [("unbrought-name", "x")]
    assert "表单 x 读取的 “spent_fen”" in found[0].text.zh


def test_an_answer_and_a_field_of_the_same_name_are_refused() -> None:
    clash = Surroundings(forms={"apply": form("apply", "x"), "x": form("x", "other")}, roles=WORLD.roles)
    diagram = read_diagram(model(START + APPLY + '<userTask id="x" policy:role="head"/>' + END,
                                 "s -> apply\napply -> x\nx -> e"), "test.bpmn")
    assert [(each.code, each.element) for each in check_diagram(diagram, clash)] == [("name-clash", "x")]
    own = Surroundings(forms={"apply": form("apply", "apply")}, roles=WORLD.roles)
    diagram = read_diagram(model(START + APPLY + END, LINE), "test.bpmn")
    assert [(each.code, each.element) for each in check_diagram(diagram, own)] == [("name-clash", "apply")]


def test_lanes_give_their_role_to_the_tasks_in_them() -> None:
    lanes = (
        '<laneSet id="ls"><lane id="outer" policy:role="head"><flowNodeRef>apply</flowNodeRef><flowNodeRef>x</flowNodeRef>'
        '<childLaneSet><lane id="inner" name="clerk"><flowNodeRef>x</flowNodeRef></lane></childLaneSet></lane></laneSet>'
    )
    body = lanes + START + '<userTask id="apply"/><userTask id="x" policy:form="decide"/>' + END
    lines = "s -> apply\napply -> x\nx -> e"
    assert gate(body, lines) == []
    assert lane_roles(read_diagram(model(body, lines), "t"), WORLD.roles) == {"apply": "head", "x": "clerk"}
    assert ("unknown-role", "outer") in gate(body.replace('"head"', '"boss"'), lines)
    assert gate(body.replace("clerk", "一个房间").replace(' policy:role="head"', ""), lines) == [
        ("no-role", "apply"), ("no-role", "x"),
    ]


def test_outcomes_may_be_expressions() -> None:
    good = END.replace('"done"', "\"='a' if count > 1 else 'b'\"")
    assert gate(START + APPLY + good, LINE) == []
    assert gate(START + APPLY + END.replace('"done"', '"=gone"'), LINE) == [("unbrought-name", "e")]


def test_declared_outputs_are_brought_and_inputs_are_names() -> None:
    attributes = 'id="p" policy:kind="called" policy:inputs="limit" policy:outputs="count, limit"'
    assert gate(START + APPLY + END, LINE, attributes=attributes) == []
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:outputs="gone"') == [("unbrought-name", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:inputs="a b"') == [("bad-name", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:kind="side"') == [("kind", "p")]
    diagram = read_diagram(model(START + APPLY + END, LINE, attributes=attributes), "t")
    assert signature(diagram) == ProcessSignature(frozenset({"limit"}), frozenset({"count", "limit"}))


def test_names_brought_tells_what_can_be_read_where() -> None:
    diagram = whole()
    outside = names_brought(diagram, WORLD)
    assert {"amount_fen", "apply", "decide", "agreed", "votes", "total", "large", "reminder", "view", "reason", "recalled",
            "params", "end_of_panel"} <= outside
    assert outside.isdisjoint({"member", "points", "panel", "loopCounter", "opinion"})
    assert {"member", "points", "panel", "loopCounter", "votes"} <= names_brought(diagram, WORLD, "panel")


def chain(length: int) -> bytes:
    """A process of ``length`` tasks in a row."""
    tasks = "".join(f'<userTask id="t{n}" policy:form="decide" policy:role="clerk"/>\n' for n in range(length))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(length - 1))
    return model(START + tasks + END, f"s -> t0\n{rows}\nt{length - 1} -> e")


@pytest.mark.parametrize("length", [2_000, 4_000])
def test_long_chains_are_judged_quickly(length: int) -> None:
    began = time.process_time()
    assert check_diagram(read_diagram(chain(length), "chain.bpmn"), WORLD) == []
    assert time.process_time() - began < 5


def test_findings_come_in_the_order_of_the_file_and_only_once() -> None:
    body = START + APPLY + END + '<task id="t"/>\n<task id="u"/>'
    diagram = read_diagram(model(body, LINE), "test.bpmn")
    found = check_diagram(diagram, WORLD)
    assert [finding.line for finding in found] == sorted(finding.line for finding in found)
    assert len(found) == len(set(found))
