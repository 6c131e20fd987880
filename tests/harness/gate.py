"""The deployment gate as tests ask it: a small world of forms, roles and operations, and what the gate says in it."""

from __future__ import annotations

from bpmn.diagram import Diagram
from bpmn.lint import OperationSpec, ProcessSignature, Surroundings, check_diagram
from bpmn.reader import read_diagram
from forms.form import Form, read_form
from tests.harness.models import flows, model


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


def between(node: str) -> list[tuple[str, str | None]]:
    """What the gate says about one element ``x`` behind the application."""
    return gate(START + APPLY + node + END, "s -> apply\napply -> x\nx -> e")


def sentences(body: str, lines: str) -> str:
    """Everything the gate says about a process, as a person reads it."""
    diagram = read_diagram(model(body, lines, around=MESSAGES), "test.bpmn")
    return "\n".join(map(str, check_diagram(diagram, WORLD)))


WHOLE = """
<laneSet id="set"><lane id="office" name="clerk"><flowNodeRef>sign</flowNodeRef></lane></laneSet>
<startEvent id="s"/>
<userTask id="apply" name="申请" policy:assignee="applicant" policy:basis="002 §六" policy:name-en="Apply"/>
<subProcess id="body"><startEvent id="bs"/>
  <userTask id="decide" policy:role="=['clerk'] if amount_fen &lt; 3 else ['head']"
            policy:due="add_working_days(today, 10)" policy:excluded="[applicant]" policy:fourEyes="apply"
            policy:tag="registration_decision"/>
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
  <policy:in name="amount" value="amount_fen"/><policy:out name="view" value="opinion"/>
  </extensionElements></callActivity>
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


def whole_file() -> bytes:
    """A file with everything that is supported."""
    attributes = (
        'id="p" isExecutable="true" policy:kind="called" policy:inputs="end_of_panel" policy:outputs="total, view"'
    )
    return model(WHOLE.replace("FLOWS", flows(INSIDE)), OUTSIDE, around=MESSAGES, attributes=attributes)


def whole() -> Diagram:
    """A diagram with everything that is supported."""
    return read_diagram(whole_file(), "whole.bpmn")
