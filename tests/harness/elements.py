"""For every line of the table of BPMN elements, the smallest model that has such an element, called ``x``."""

from __future__ import annotations

from bpmn.elements import Row
from tests.harness.models import flows, model

FORMS = {
    f"forms/{key}.yaml": f"id: {key}\ntitle: {{zh: 表, en: Form}}\nfields:\n"
    f"  - {{code: {field}, kind: integer, label: {{zh: 数, en: Number}}}}\n".encode()
    for key, field in {"apply": "amount", "decide": "agreed"}.items()
}
TABLE = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:test">
<decision id="grade" name="grade"><decisionTable hitPolicy="FIRST">
<input id="i"><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
<output id="o" name="level" typeRef="string"/>
<rule id="r1"><inputEntry id="e1"><text>&gt; 3</text></inputEntry><outputEntry id="o1"><text>"a"</text></outputEntry></rule>
<rule id="r2"><inputEntry id="e2"><text>-</text></inputEntry><outputEntry id="o2"><text>"b"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""

AROUND = (
    '<message id="m" name="word"/><signal id="sg" name="bell"/><error id="er" name="Late" errorCode="E1"/>'
    '<escalation id="es" name="Above" escalationCode="U1"/>'
)
START = '<startEvent id="s"/>'
APPLY = '<userTask id="apply" policy:assignee="applicant"/>'
END = '<endEvent id="e" policy:outcome="done"/>'
DEFINITIONS = {
    "none": "",
    "message": '<messageEventDefinition messageRef="m"/>',
    "timer": "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>",
    "timer cycle": "<timerEventDefinition><timeCycle>R3/P1D</timeCycle></timerEventDefinition>",
    "conditional": "<conditionalEventDefinition><condition>amount &gt; 3</condition></conditionalEventDefinition>",
    "signal": '<signalEventDefinition signalRef="sg"/>',
    "error": '<errorEventDefinition errorRef="er"/>',
    "escalation": '<escalationEventDefinition escalationRef="es"/>',
    "compensate": "<compensateEventDefinition/>",
    "cancel": "<cancelEventDefinition/>",
    "terminate": "<terminateEventDefinition/>",
    "link": '<linkEventDefinition name="there"/>',
    "multiple": '<messageEventDefinition messageRef="m"/><signalEventDefinition signalRef="sg"/>',
}
INSIDE = {
    "userTask": ('policy:role="registrar" policy:form="decide"', ""),
    "scriptTask": ("", "<script>twice = amount * 2</script>"),
    "serviceTask": (
        "",
        '<extensionElements><policy:operation name="number.next" into="number_">'
        "<policy:with name=\"series\" value=\"'A'\"/></policy:operation></extensionElements>",
    ),
    "businessRuleTask": ('policy:decision="grade" policy:into="graded"', ""),
    "sendTask": ('messageRef="m"', ""),
    "receiveTask": ('messageRef="m" policy:sender="registrar"', ""),
    "callActivity": ('calledElement="called"', ""),
}
BODY = '<startEvent id="xs"/><endEvent id="xe"/>' + flows("xs -> xe")
LOOPS = {
    "parallel multi-instance": '<multiInstanceLoopCharacteristics policy:collection="[1, 2]" policy:item="each"/>',
    "sequential multi-instance": '<multiInstanceLoopCharacteristics isSequential="true" policy:collection="[1, 2]"/>',
    "standard loop": '<standardLoopCharacteristics loopMaximum="2"><loopCondition>amount &gt; 3</loopCondition>'
    "</standardLoopCharacteristics>",
}
BETWEEN = "s -> apply\napply -> x\nx -> e"


def files(row: Row) -> dict[str, bytes]:
    """The package of a line; its process is called after the element and the variant."""
    return {"process.bpmn": _diagram(row), "forms.dmn": TABLE, **FORMS}


def called() -> dict[str, bytes]:
    """The process that a call activity calls."""
    body = f'{START}<userTask id="apply" policy:role="registrar"/>{END}'
    return {"process.bpmn": model(body, "s -> apply\napply -> e", attributes='id="called" isExecutable="true"'), **FORMS}


def process_id(row: Row) -> str:
    """The id of the process of a line."""
    return "".join(letter if letter.isalnum() else "_" for letter in f"{row.tag}_{row.variant}").rstrip("_")


def _diagram(row: Row) -> bytes:
    kind, _, beside = row.variant.partition(" (")
    body, lines = _body(row.tag, kind, beside=bool(beside))
    attributes = f'id="{process_id(row)}" name="{row.tag}" isExecutable="true"'
    return model(body, lines, around=AROUND, attributes=attributes)


def _body(tag: str, kind: str, *, beside: bool) -> tuple[str, str]:
    definition = DEFINITIONS.get(kind, "")
    sender = ' policy:sender="registrar"' if kind in ("message", "multiple") else ""
    match tag:
        case "startEvent":
            return f'<startEvent id="x"{sender}>{definition}</startEvent>{APPLY}{END}', "x -> apply\napply -> e"
        case "eventSubProcess":
            inner = f'<startEvent id="x" isInterrupting="{str(not beside).lower()}"{sender}>{definition}</startEvent>'
            handler = f'<subProcess id="h" triggeredByEvent="true">{inner}<endEvent id="he"/>{flows("x -> he")}</subProcess>'
            return START + APPLY + _box(handler + _thrower(kind)) + END, "s -> apply\napply -> box\nbox -> e"
        case "boundaryEvent":
            inner = "transaction" if kind == "cancel" else "subProcess"
            event = (
                f'<boundaryEvent id="x" attachedToRef="box" cancelActivity="{str(not beside).lower()}"{sender}>'
                f'{definition}</boundaryEvent><endEvent id="late" policy:outcome="late"/>'
            )
            lines = "s -> apply\napply -> box\nbox -> e\nx -> late"
            return START + APPLY + _box(_thrower(kind), inner) + event + END, lines
        case "intermediateCatchEvent" if kind == "link":
            throw = f'<intermediateThrowEvent id="t">{definition}</intermediateThrowEvent>'
            catch = f'<intermediateCatchEvent id="x">{definition}</intermediateCatchEvent>'
            return START + APPLY + throw + catch + END, "s -> apply\napply -> t\nx -> e"
        case "intermediateThrowEvent" if kind == "link":
            throw = f'<intermediateThrowEvent id="x">{definition}</intermediateThrowEvent>'
            catch = f'<intermediateCatchEvent id="t">{definition}</intermediateCatchEvent>'
            return START + APPLY + throw + catch + END, "s -> apply\napply -> x\nt -> e"
        case "intermediateCatchEvent" | "intermediateThrowEvent":
            return START + APPLY + f'<{tag} id="x"{sender}>{definition}</{tag}>' + END, BETWEEN
        case "endEvent":
            return _ending(kind, definition)
        case "activity":
            return START + APPLY + _activity("userTask", LOOPS[kind]) + END, BETWEEN
        case "isForCompensation":
            return START + APPLY.replace("/>", ' isForCompensation="true"/>').replace('"apply"', '"apply"') + END, (
                "s -> apply\napply -> e"
            )
        case "dataObjectReference" | "dataStoreReference":
            return START + APPLY + END + f'<{tag} id="x"/>', "s -> apply\napply -> e"
        case "ioSpecification" | "potentialOwner":
            return START + APPLY.replace("/>", f"><{tag}/></userTask>") + END, "s -> apply\napply -> e"
        case _ if tag.endswith("Gateway"):
            return _gateway(tag)
    return START + APPLY + _activity(tag, "") + END, BETWEEN


def _activity(tag: str, more: str) -> str:
    words, inner = INSIDE.get(tag, ("", BODY if tag.lower().endswith("subprocess") or tag == "transaction" else ""))
    return f'<{tag} id="x" {words}>{inner}{more}</{tag}>'


def _box(inner: str, tag: str = "subProcess") -> str:
    return (
        f'<{tag} id="box"><startEvent id="bs"/><userTask id="look" policy:role="registrar" policy:form="decide"/>'
        f'<endEvent id="be"/>{flows("bs -> look")}{inner or flows("look -> be")}</{tag}>'
    )


def _thrower(kind: str) -> str:
    """What throws an error or an escalation behind the task of the box; for others the plain way to its end."""
    throws = kind in ("error", "escalation")
    if not throws:
        return flows("look -> be")
    end = f'<endEvent id="thrown">{DEFINITIONS[kind]}</endEvent>'
    gateway = '<exclusiveGateway id="bg" default="bg_be"/>'
    return gateway + end + flows("look -> bg\nbg -> be\nbg -> thrown if agreed > 3")


def _ending(kind: str, definition: str) -> tuple[str, str]:
    end = f'<endEvent id="x" policy:outcome="done">{definition}</endEvent>'
    if kind not in ("error", "escalation", "cancel"):
        return START + APPLY + end, "s -> apply\napply -> x"
    inner = f'<startEvent id="bs"/>{end.replace(" policy:outcome=" + chr(34) + "done" + chr(34), "")}{flows("bs -> x")}'
    tag = "transaction" if kind == "cancel" else "subProcess"
    box = f'<{tag} id="box">{inner}</{tag}>'
    event = f'<boundaryEvent id="b" attachedToRef="box">{definition}</boundaryEvent>'
    if kind == "escalation":
        return START + APPLY + box + event + END, "s -> apply\napply -> box\nbox -> e\nb -> e"
    return START + APPLY + box + event + END, "s -> apply\napply -> box\nbox -> e\nb -> e"


def _gateway(tag: str) -> tuple[str, str]:
    if tag == "eventBasedGateway":
        events = (
            f'<intermediateCatchEvent id="c1">{DEFINITIONS["timer"]}</intermediateCatchEvent>'
            f'<intermediateCatchEvent id="c2" policy:sender="registrar">{DEFINITIONS["message"]}</intermediateCatchEvent>'
        )
        return START + APPLY + f'<{tag} id="x"/>' + events + END, (
            "s -> apply\napply -> x\nx -> c1\nx -> c2\nc1 -> e\nc2 -> e"
        )
    default = ' default="x_t1"' if tag in ("exclusiveGateway", "inclusiveGateway") else ""
    condition = " if amount > 3" if default else ""
    tasks = "".join(f'<scriptTask id="t{n}"><script>a{n} = {n}</script></scriptTask>' for n in (1, 2))
    return START + APPLY + f'<{tag} id="x"{default}/>' + tasks + f'<{tag} id="j"/>' + END, (
        f"s -> apply\napply -> x\nx -> t1\nx -> t2{condition}\nt1 -> j\nt2 -> j\nj -> e"
    )
