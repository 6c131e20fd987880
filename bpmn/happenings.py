"""Checks what events throw and catch: definitions, links, event subprocesses, and that what is thrown can be met."""

from __future__ import annotations

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings
from bpmn.routes import links

# Activities inside which errors and escalations can be thrown.
_THROWING = frozenset({"subProcess", "transaction", "callActivity"})
_THROWS = frozenset({"endEvent", "intermediateThrowEvent", "sendTask"})


def check_happenings(diagram: Diagram, findings: Findings) -> None:
    """Report events that say too little to happen, or that could never be met."""
    caught: dict[tuple[str, str | None], str] = {}
    linked = links(diagram)
    for element in diagram.elements.values():
        if element.type == "eventSubProcess":
            _check_event_subprocess(element, diagram, findings)
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
            _check_thrown_message(element, diagram, findings)


def throws_message(diagram: Diagram, name: str | None) -> bool:
    """Whether an element of the diagram throws a message of this name."""
    return any(
        each.type in _THROWS and each.event is not None and (each.event.kind, each.event.name) == ("message", name)
        for each in diagram.elements.values()
    )


def _check_event_subprocess(element: Element, diagram: Diagram, findings: Findings) -> None:
    if element.incoming or element.outgoing:
        findings.add("event-subprocess-flow", element.line, element.id,
                     "事件子流程由事件启动，不能有连线：请删去进入和离开它的连线",
                     "an event subprocess is started by its event and has no flows: remove those to and from it")
    if diagram.boundary_of(element.id):
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


def _check_thrown_message(element: Element, diagram: Diagram, findings: Findings) -> None:
    name = element.event.name if element.event else None
    if not name:
        findings.add("no-message", element.line, element.id, "没有指明发出的消息：请选择或新建一个有名称的消息",
                     "this names no message to throw: choose or create a message that has a name")
        return
    for each in diagram.elements.values():
        meant = each.event is not None and (each.event.kind, each.event.name) == ("message", name)
        if meant and each.type not in _THROWS and each.policy.get("form"):
            findings.add("message-form", element.line, element.id,
                         f"{each.id} 等待的“{name}”须由人填写表单，流程自己发出时没有答案：请去掉表单，或换一个消息",
                         f"{each.id} waits for “{name}” with a form that a person fills in, and what the process "
                         "throws has no answers: remove the form or use another message")
