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
<rule id="r1"><inputEntry id="e1"><text>&gt; 3</text></inputEntry>
<outputEntry id="o1"><text>"a"</text></outputEntry></rule>
<rule id="r2"><inputEntry id="e2"><text>-</text></inputEntry>
<outputEntry id="o2"><text>"b"</text></outputEntry></rule>
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
OPERATION = """<extensionElements><policy:operation name="number.next" into="number_">
<policy:with name="series" value="'A'"/></policy:operation></extensionElements>"""
INSIDE = {
    "userTask": ('policy:role="registrar" policy:form="decide"', ""),
    "scriptTask": ("", "<script>twice = amount * 2</script>"),
    "serviceTask": ("", OPERATION),
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
    attributes = 'id="called" isExecutable="true"'
    return {"process.bpmn": model(body, "s -> apply\napply -> e", attributes=attributes), **FORMS}


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
    plain = "s -> apply\napply -> e"
    match tag:
        case "startEvent":
            # While a case has no applicant, its first task needs a role; nor are there variables yet.
            first = APPLY if kind == "none" else APPLY.replace("/>", ' policy:role="registrar"/>')
            event = f'<startEvent id="x"{sender}>{definition.replace("amount &gt; 3", "today == today")}</startEvent>'
            return event + first + END, "x -> apply\napply -> e"
        case "eventSubProcess" | "boundaryEvent":
            return _caught(tag, kind, f'{str(not beside).lower()}"{sender}')
        case "intermediateCatchEvent" | "intermediateThrowEvent":
            return _between(tag, kind, sender if tag == "intermediateCatchEvent" else "")
        case "endEvent":
            return _ending(kind, definition)
        case "activity":
            return START + APPLY + _activity("userTask", LOOPS[kind]) + END, BETWEEN
        case "isForCompensation":
            return START + APPLY.replace("/>", ' isForCompensation="true"/>') + END, plain
        case "dataObjectReference" | "dataStoreReference":
            return START + APPLY + END + f'<{tag} id="x"/>', plain
        case "ioSpecification" | "potentialOwner":
            return START + APPLY.replace("/>", f"><{tag}/></userTask>") + END, plain
    return _gateway(tag) if tag.endswith("Gateway") else (START + APPLY + _activity(tag, "") + END, BETWEEN)


def _caught(tag: str, kind: str, words: str) -> tuple[str, str]:
    """An event around a box, or one that starts a subprocess within it; ``words`` begin with what is interrupted."""
    definition = DEFINITIONS[kind]
    if tag == "eventSubProcess":
        inner = f'<startEvent id="x" isInterrupting="{words}>{definition}</startEvent><endEvent id="he"/>'
        handler = f'<subProcess id="h" triggeredByEvent="true">{inner}{flows("x -> he")}</subProcess>'
        return START + APPLY + _box(handler + _thrower(kind)) + END, "s -> apply\napply -> box\nbox -> e"
    event = (
        f'<boundaryEvent id="x" attachedToRef="box" cancelActivity="{words}>{definition}</boundaryEvent>'
        f'<endEvent id="late" policy:outcome="late"/>'
    )
    box = _box(_thrower(kind), "transaction" if kind == "cancel" else "subProcess")
    return START + APPLY + box + event + END, "s -> apply\napply -> box\nbox -> e\nx -> late"


def _between(tag: str, kind: str, words: str) -> tuple[str, str]:
    definition = DEFINITIONS[kind]
    if kind != "link":
        return START + APPLY + f'<{tag} id="x"{words}>{definition}</{tag}>' + END, BETWEEN
    throw, catch = ("x", "y") if tag == "intermediateThrowEvent" else ("y", "x")
    links = (
        f'<intermediateThrowEvent id="{throw}">{definition}</intermediateThrowEvent>'
        f'<intermediateCatchEvent id="{catch}">{definition}</intermediateCatchEvent>'
    )
    return START + APPLY + links + END, f"s -> apply\napply -> {throw}\n{catch} -> e"


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
    if kind not in ("error", "escalation", "cancel"):
        end = f'<endEvent id="x" policy:outcome="done">{definition}</endEvent>'
        return START + APPLY + end, "s -> apply\napply -> x"
    tag = "transaction" if kind == "cancel" else "subProcess"
    inner = f'<startEvent id="bs"/><endEvent id="x">{definition}</endEvent>{flows("bs -> x")}'
    event = f'<boundaryEvent id="b" attachedToRef="box">{definition}</boundaryEvent>'
    box = f'<{tag} id="box">{inner}</{tag}>'
    return START + APPLY + box + event + END, "s -> apply\napply -> box\nbox -> e\nb -> e"


def _gateway(tag: str) -> tuple[str, str]:
    if tag == "eventBasedGateway":
        events = (
            f'<intermediateCatchEvent id="c1">{DEFINITIONS["timer"]}</intermediateCatchEvent>'
            '<intermediateCatchEvent id="c2" policy:sender="registrar">'
            f"{DEFINITIONS['message']}</intermediateCatchEvent>"
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
