"""Checks how a diagram is drawn: starts, ends, flows, gateways, boundary events, and that every way leads somewhere."""

from __future__ import annotations

from bpmn.diagram import Diagram, Element, Flow
from bpmn.findings import Findings
from bpmn.routes import Steps, reached, reversed_steps, successors
from bpmn.starts import starts_by_event
from bpmn.supported import starts_handler

# Gateways that choose among their flows by condition.
_CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway"})
_BOXES = frozenset({"subProcess", "transaction", "eventSubProcess"})


def check_structure(diagram: Diagram, findings: Findings) -> None:
    """Report everything in the drawing that could not run, or would run otherwise than it looks."""
    for flow in diagram.flows.values():
        _check_flow(flow, diagram, findings)
    containers = _containers(diagram)
    for element in (element for elements in containers.values() for element in elements):
        _check_element(element, diagram, findings)
    following = successors(diagram)
    left = {each.attached_to for each in diagram.elements.values() if each.attached_to and each.interrupting}
    interrupting = _interrupting(diagram)
    left |= {diagram.elements[box].container for box in interrupting}
    for container, elements in containers.items():
        _check_container(container, elements, diagram, left, interrupting, findings)
        _check_reachable(elements, following, findings)
    _check_ways_to_end(containers, following, diagram, left, findings)
    for lane in diagram.lanes:
        for key in lane.elements:
            if key not in diagram.elements:
                _dangling(findings, lane.line, lane.id, "flowNodeRef", key)


def _containers(diagram: Diagram) -> dict[str, list[Element]]:
    """The elements of the process and of each embedded subprocess. Unsupported boxes are refused with their inside."""
    children: dict[str, list[Element]] = {}
    for element in diagram.elements.values():
        children.setdefault(element.container, []).append(element)
    found: dict[str, list[Element]] = {}
    waiting = [diagram.process.id]
    while waiting:
        container = waiting.pop()
        found[container] = children.get(container, [])
        waiting.extend(element.id for element in found[container] if element.type in _BOXES)
    return found


def _check_flow(flow: Flow, diagram: Diagram, findings: Findings) -> None:
    source, target = diagram.elements.get(flow.source), diagram.elements.get(flow.target)
    if source is None:
        _dangling(findings, flow.line, flow.id, "sourceRef", flow.source)
    if target is None:
        _dangling(findings, flow.line, flow.id, "targetRef", flow.target)
    if source and target and source.container != target.container:
        findings.add("crossing-flow", flow.line, flow.id,
                     f"连线从 {source.id} 穿过子流程的边界到 {target.id}：请连到子流程本身，或用边界事件离开",
                     f"this flow crosses the border of a subprocess, from {source.id} to {target.id}: draw it to the "
                     "subprocess itself, or leave by a boundary event")


def _check_element(element: Element, diagram: Diagram, findings: Findings) -> None:
    line, key = element.line, element.id
    if element.type == "startEvent" and element.incoming:
        findings.add("start-incoming", line, key, "开始事件不能有进入的连线：请把回退的连线画到其后的第一个任务",
                     "a start event has no incoming flow: draw the flow back to the first task behind it")
    if element.type == "endEvent" and element.outgoing:
        findings.add("end-outgoing", line, key, "结束事件不能有离开的连线：请删去连线，或改为中间步骤",
                     "an end event has no outgoing flow: remove the flow or make the event a step in between")
    elif not (element.type in ("endEvent", "eventSubProcess") or _throws_link(element) or element.outgoing):
        findings.add("dead-end", line, key, "此元素没有离开的连线，流程到此中断：请连到下一步或结束事件",
                     "no flow leaves this element and the process stops: draw one to the next step or an end event")
    if element.type == "boundaryEvent":
        _check_boundary(element, diagram, findings)
    _check_default(element, diagram, findings)
    _check_conditions(element, [diagram.flows[flow] for flow in element.outgoing], findings)
    if element.type == "eventBasedGateway":
        _check_event_gateway(element, diagram, findings)


def _check_boundary(element: Element, diagram: Diagram, findings: Findings) -> None:
    host = diagram.elements.get(element.attached_to or "")
    if host is None:
        _dangling(findings, element.line, element.id, "attachedToRef", element.attached_to or "")
    elif host.container != element.container or host.type.endswith(("Event", "Gateway")):
        findings.add("boundary-host", element.line, element.id,
                     f"边界事件附着在 {host.id} 上，但它不是同一层的活动：请附着到同一层的任务或子流程",
                     f"this boundary event is attached to {host.id}, which is no activity of the same level: attach it "
                     "to a task or subprocess beside it")
    if element.incoming:
        findings.add("boundary-incoming", element.line, element.id, "边界事件不能有进入的连线：请删去",
                     "a boundary event has no incoming flow: remove it")


def _throws_link(element: Element) -> bool:
    return element.type == "intermediateThrowEvent" and element.event is not None and element.event.kind == "link"


def _interrupting(diagram: Diagram) -> frozenset[str]:
    """The event subprocesses that interrupt what they lie in."""
    starts = (each for each in diagram.elements.values() if each.interrupting and starts_handler(each, diagram))
    return frozenset(each.container for each in starts)


def _may_choose(element: Element) -> bool:
    """Whether its flows may have conditions: of the gateways those that choose, and every activity."""
    return element.type in _CHOOSING or not element.type.endswith(("Event", "Gateway"))


def _check_default(element: Element, diagram: Diagram, findings: Findings) -> None:
    if element.default is None:
        return
    if element.default not in element.outgoing:
        _dangling(findings, element.line, element.id, "default", element.default)
    elif not _may_choose(element):
        findings.add("default-misplaced", element.line, element.id,
                     "事件、并行网关和事件网关没有默认连线：请删去 default",
                     "events, parallel and event-based gateways have no default flow: remove the default")
    elif element.type not in _CHOOSING and not any(diagram.flows[flow].condition for flow in element.outgoing):
        findings.add("default-misplaced", element.line, element.id,
                     "离开此元素的连线都没有条件，默认连线没有意义：请删去 default，或给其他连线写条件",
                     "no flow that leaves this element has a condition, so that a default means nothing: remove it or "
                     "write conditions on the other flows")


def _check_conditions(element: Element, leaving: list[Flow], findings: Findings) -> None:
    for flow in leaving:
        if element.type in _CHOOSING:
            if flow.id == element.default and flow.condition is not None:
                findings.add("default-condition", flow.line, flow.id, "默认连线不能再有条件：请删去条件，或取消默认",
                             "a default flow has no condition: remove the condition or the default")
            elif flow.id != element.default and flow.condition is None and len(leaving) > 1:
                findings.add("condition-missing", flow.line, flow.id,
                             f"网关 {element.id} 的这条连线没有条件：请写条件，或设为默认连线",
                             f"this flow of the gateway {element.id} has no condition: write one, or make it the "
                             "default")
        elif flow.condition is not None and flow.id == element.default:
            findings.add("default-condition", flow.line, flow.id, "默认连线不能再有条件：请删去条件，或取消默认",
                         "a default flow has no condition: remove the condition or the default")
        elif flow.condition is not None and (len(leaving) == 1 or not _may_choose(element)):
            findings.add("condition-misplaced", flow.line, flow.id,
                         f"{element.id} 是 {element.type}，这条连线的条件没有别的连线可选：请删去条件，或在其后画网关",
                         f"{element.id} is a {element.type} that has nothing to choose from by this condition: remove "
                         "the condition or draw a gateway behind it")


def _check_event_gateway(element: Element, diagram: Diagram, findings: Findings) -> None:
    for key in element.outgoing:
        flow = diagram.flows[key]
        target = diagram.elements.get(flow.target)
        if target and not _may_be_rival(target, diagram):
            findings.add("event-gateway-target", flow.line, key,
                         f"事件网关之后必须是中间捕获事件，或没有边界事件的接收任务，而 {target.id} 是 {target.type}："
                         "请在其间画定时器或消息事件",
                         "an event gateway leads to intermediate catch events, or to receive tasks without loop and "
                         f"boundary events, but {target.id} is a {target.type}: draw a timer or message event in "
                         "between")
        elif target and len(target.incoming) > 1:
            findings.add("event-gateway-target", flow.line, key,
                         f"事件网关之后的 {target.id} 还有别的进入连线：请给那条连线另画一个事件",
                         f"{target.id} behind the event gateway has other incoming flows: draw another event for them")


def _may_be_rival(target: Element, diagram: Diagram) -> bool:
    """Whether an element may wait behind an event gateway: when a rival comes, nothing else is interrupted with it."""
    if target.type != "receiveTask":
        return target.type == "intermediateCatchEvent"
    return not (target.loop or target.repeat or diagram.boundary_of(target.id))


def _check_container(
    container: str, elements: list[Element], diagram: Diagram, left: set[str], interrupting: frozenset[str],
    findings: Findings,
) -> None:
    owner = diagram.elements.get(container)
    line = owner.line if owner else diagram.process.line
    starts = [element for element in elements if element.type == "startEvent"]
    # Each of several event starts begins a case of its own; two plain ones would not say which of them does.
    plain = [element for element in starts if not starts_by_event(element, diagram)]
    called = owner is None and diagram.process.policy.get("kind") == "called"
    if not starts or (called and not plain):
        findings.add("no-start", line, container, "没有开始事件：请画一个普通开始事件",
                     "there is no start event: draw a plain one")
    for start in plain[1:]:
        findings.add("several-starts", start.line, start.id,
                     f"已有开始事件 {plain[0].id}：请只留一个，用网关区分不同的开头",
                     f"there is a start event already, {plain[0].id}: keep one and tell beginnings apart by a gateway")
    ending = any(element.type == "endEvent" for element in elements)
    if not ending and container not in left and not _can_be_left(owner, diagram, left):
        findings.add("no-end", line, container, "没有结束事件：请在最后一步之后画结束事件",
                     "there is no end event: draw one behind the last step")
    if _ends_process(owner, interrupting, diagram):
        for element in elements:
            silent = element.type == "endEvent" and not element.policy.get("outcome")
            if silent and not (element.event and element.event.kind == "error"):
                findings.add("no-outcome", element.line, element.id,
                             '结束事件没有写明结果：请写 policy:outcome="…"，例如 policy:outcome="registered"',
                             'this end event does not say how the case ends: write policy:outcome="…", for example '
                             'policy:outcome="registered"')


def _ends_process(owner: Element | None, interrupting: frozenset[str], diagram: Diagram) -> bool:
    """Whether an end event in this container may be the one by which the whole process ends."""
    while owner is not None and owner.id in interrupting:
        owner = diagram.elements.get(owner.container)
    return owner is None


def _check_reachable(elements: list[Element], following: Steps, findings: Findings) -> None:
    starts = [element.id for element in elements if element.type == "startEvent"]
    if not starts:
        return
    live = reached(starts, following)
    for element in elements:
        # A boundary event is reached when its host is, an event subprocess when its event comes.
        if element.id not in live and element.type not in ("boundaryEvent", "eventSubProcess"):
            findings.add("unreachable", element.line, element.id,
                         "从开始事件走不到此元素：请画进入的连线，或删去它",
                         "no way leads here from the start event: draw an incoming flow or remove this element")


def _check_ways_to_end(
    containers: dict[str, list[Element]], following: Steps, diagram: Diagram, left: set[str], findings: Findings
) -> None:
    # A non-interrupting boundary event is no way out: its host goes on all the same.
    out = {
        key: tuple(target for target in targets if _leads_out(diagram.elements[target]))
        for key, targets in following.items()
    }
    back = reversed_steps(out)
    for container, inside in containers.items():
        elements = [element for element in inside if element.type != "eventSubProcess"]
        # What is a dead end is reported there, not again at everything before it.
        last = [
            element.id for element in elements
            if element.type == "endEvent" or not (element.outgoing or (_throws_link(element) and following[element.id]))
        ]
        if not last and (container in left or _can_be_left(diagram.elements.get(container), diagram, left)):
            continue
        ending = reached(last, back)
        for element in elements:
            if element.id not in ending:
                findings.add("no-way-to-end", element.line, element.id,
                             "从此元素走不到任何结束事件：请画一条离开循环的连线",
                             "no way leads from here to an end event: draw a flow that leaves the loop")


def _leads_out(element: Element) -> bool:
    return element.attached_to is None or element.interrupting


def _can_be_left(owner: Element | None, diagram: Diagram, left: set[str]) -> bool:
    """Whether an interrupting boundary event ends this subprocess, so that its inside may go round for ever."""
    while owner:
        if owner.id in left:
            return True
        owner = diagram.elements.get(owner.container)
    return False


def _dangling(findings: Findings, line: int, element: str, word: str, reference: str) -> None:
    zh = f"{word} 指向的 “{reference}” 不存在" if reference else f"{word} 为空"
    en = f"{word} points to “{reference}”, which does not exist" if reference else f"{word} is empty"
    findings.add("dangling-reference", line, element, f"{zh}：请改正或删去", f"{en}: correct or remove it")


