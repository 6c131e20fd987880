"""Checks what events throw and catch: definitions, links, event subprocesses, and that what is thrown can be met."""

from __future__ import annotations

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings
from bpmn.routes import links

# Activities inside which errors and escalations can be thrown.
_THROWING = frozenset({"subProcess", "transaction", "callActivity"})
_THROWS = frozenset({"endEvent", "intermediateThrowEvent", "sendTask"})
# Words of ours that mean something at events of some kinds only.
_FITTING = {"into": ("error", "escalation"), "key": ("message",)}


def check_happenings(diagram: Diagram, findings: Findings) -> None:
    """Report events that say too little to happen, or that could never be met."""
    caught: dict[tuple[str, str | None], str] = {}
    linked, filled = links(diagram), _filled_by_people(diagram)
    hosts = {each.attached_to for each in diagram.elements.values()}
    for element in diagram.elements.values():
        if element.type == "eventSubProcess":
            _check_event_subprocess(element, hosts, findings)
        _check_words(element, findings)
        if element.repeat and element.repeat.condition is None and element.repeat.most is None:
            findings.add("loop", element.repeat.line, element.id,
                         "标准循环既没有 loopCondition 也没有 loopMaximum，将永不停止：请写其中之一",
                         "this loop has neither a loopCondition nor a loopMaximum and would never stop: write one")
        kind = element.event.kind if element.event else "none"
        if kind == "link":
            _check_link(element, linked, caught, findings)
        elif kind in ("error", "escalation"):
            _check_outwards(element, kind, diagram, findings)
        elif kind == "signal" and not (element.event and element.event.name):
            findings.add("no-signal", element.line, element.id, "信号事件没有指明信号：请选择或新建一个有名称的信号",
                         "this signal event names no signal: choose or create a signal that has a name")
        elif kind == "conditional" and not (element.event and element.event.expression):
            findings.add("no-condition", element.line, element.id, "条件事件没有条件：请在 condition 中写表达式",
                         "this conditional event has no condition: write an expression as its condition")
        elif kind == "message" and element.type in _THROWS:
            _check_thrown_message(element, filled, findings)


def thrown_messages(diagram: Diagram) -> frozenset[str | None]:
    """The names of the messages that elements of the diagram throw."""
    events = (each.event for each in diagram.elements.values() if each.type in _THROWS)
    return frozenset(event.name for event in events if event is not None and event.kind == "message")


def _filled_by_people(diagram: Diagram) -> dict[str | None, str]:
    """The messages that are awaited with a form, and by which element."""
    return {
        each.event.name: each.id
        for each in diagram.elements.values()
        if each.event is not None
        and each.event.kind == "message"
        and each.type not in _THROWS
        and each.policy.get("form")
    }


def _check_words(element: Element, findings: Findings) -> None:
    """What is written at an event whose kind it does not fit would be lost."""
    kind = element.event.kind if element.event else ""
    for word, kinds in _FITTING.items():
        if kind and word in element.policy and kind not in kinds:
            findings.add("misplaced", element.line, element.id,
                         f"policy:{word} 只用于 {'、'.join(kinds)} 事件，而此处是 {kind}：请删去",
                         f"policy:{word} is for events of the kind {' or '.join(kinds)}, but this is a {kind}: "
                         "remove it")


def _check_event_subprocess(element: Element, hosts: set[str | None], findings: Findings) -> None:
    if element.incoming or element.outgoing:
        findings.add("event-subprocess-flow", element.line, element.id,
                     "事件子流程由事件启动，不能有连线：请删去进入和离开它的连线",
                     "an event subprocess is started by its event and has no flows: remove those to and from it")
    if element.id in hosts:
        findings.add("boundary-host", element.line, element.id, "事件子流程上不能有边界事件：请附着到外层子流程上",
                     "an event subprocess has no boundary events: attach them to the subprocess around it")


def _check_link(
    element: Element, linked: dict[str, str], caught: dict[tuple[str, str | None], str], findings: Findings
) -> None:
    name = element.event.name if element.event else None
    if element.type == "intermediateCatchEvent":
        other = caught.setdefault((element.container, name), element.id)
        if other != element.id:
            findings.add("link", element.line, element.id,
                         f"同一层已有同名的链接捕获事件 {other}：请给其中一个改名",
                         f"the link {other} of this level has the same name: rename one of the two")
        if element.incoming:
            findings.add("link", element.line, element.id, "链接捕获事件不能有进入的连线：请删去连线",
                         "a link event that catches has no incoming flow: remove it")
    elif element.type == "intermediateThrowEvent":
        if element.id not in linked:
            findings.add("link", element.line, element.id,
                         f"同一层没有名为“{name or ''}”的链接捕获事件：请画一个，或改正名称",
                         f"no link event named “{name or ''}” catches in this level: draw one or correct the name")
        if element.outgoing:
            findings.add("link", element.line, element.id, "链接抛出事件不能有离开的连线：请删去连线",
                         "a link event that throws has no outgoing flow: remove it")


def _check_outwards(element: Element, kind: str, diagram: Diagram, findings: Findings) -> None:
    event = element.event
    if element.type in _THROWS and event is not None and event.code is None:
        findings.add("no-code", element.line, element.id,
                     f"没有写明抛出的代码：请引用一个有 {kind}Code 的 {kind}",
                     f"this event does not say which {kind} it throws: refer to one that has a {kind}Code")
    host = diagram.elements.get(element.attached_to or "")
    if host is not None and host.type not in _THROWING:
        findings.add("boundary-host", element.line, element.id,
                     f"{host.id} 是 {host.type}，其中不会抛出 {kind}，此事件永远不会发生：请附着到子流程或调用活动上",
                     f"{host.id} is a {host.type} in which no {kind} is thrown, so that this event could never happen: "
                     "attach it to a subprocess or call activity")


def _check_thrown_message(element: Element, filled: dict[str | None, str], findings: Findings) -> None:
    name = element.event.name if element.event else None
    if not name:
        findings.add("no-message", element.line, element.id, "没有指明发出的消息：请选择或新建一个有名称的消息",
                     "this names no message to throw: choose or create a message that has a name")
    elif name in filled:
        findings.add("message-form", element.line, element.id,
                     f"{filled[name]} 等待的“{name}”须由人填写表单，流程自己发出时没有答案：请去掉表单，或换一个消息",
                     f"{filled[name]} waits for “{name}” with a form that a person fills in, and what the process "
                     "throws has no answers: remove the form or use another message")
