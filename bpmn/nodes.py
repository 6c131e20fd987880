"""Reads the flow nodes and flows of one process. Whether they may run is left to the gate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bpmn import dialects, event_parts, parts
from bpmn.diagram import Element, Flow, Other
from bpmn.dialects import BPMN
from bpmn.findings import Findings
from bpmn.safe_xml import Node

MAX_PARTS = 10_000
MAX_ID = 200
MAX_NAME = 1_000

_ID = re.compile(r"[^\W\d][\w.\-]*")
_CONTAINERS = frozenset({"subProcess", "transaction", "adHocSubProcess"})
_NODES = _CONTAINERS | {
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "implicitThrowEvent", "boundaryEvent",
    "task", "userTask", "manualTask", "serviceTask", "scriptTask", "sendTask", "receiveTask", "businessRuleTask",
    "callActivity", "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway",
    "callChoreography", "choreographyTask", "subChoreography", "event",
}
# What is drawn beside the flow and not run: read only to be looked at.
_DATA = frozenset({"dataObjectReference", "dataStoreReference"})
# What says where information comes from and goes to. Variables pass through no such channels, so that it only explains;
# of what a task or process says of it, this is told, unless it would compute something on the way.
_INFORMATION = _DATA | {"dataObject", "property", "ioSpecification", "dataInputAssociation", "dataOutputAssociation"}
_TOLD = _DATA | {"ioSpecification"}
_COMPUTES = frozenset({"transformation", "assignment"})
# Children that are read elsewhere or only explain.
_QUIET = frozenset({
    "documentation", "extensionElements", "incoming", "outgoing", "laneSet", "sequenceFlow", "textAnnotation",
    "association", "group", "auditing", "monitoring", "script", "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics", "rendering", "supports",
})
# Attributes that change how a process runs, with the values under which they change nothing.
_NO = frozenset({"", "false", "0"})
_IDLE: Mapping[str, frozenset[str]] = {
    "isForCompensation": _NO, "instantiate": _NO, "parallelMultiple": _NO,
    "startQuantity": frozenset({"", "1"}), "completionQuantity": frozenset({"", "1"}),
    "eventGatewayType": frozenset({"", "Exclusive"}),
}


@dataclass
class Book:
    """What has been read of one file so far; ``viewing`` when it is only to be looked at."""

    findings: Findings
    definitions: event_parts.Definitions
    viewing: bool = False
    starter: str = ""
    elements: dict[str, Element] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    others: list[Other] = field(default_factory=list)
    associations: dict[str, tuple[str, str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def explains(self, association: str) -> bool:
        """Whether this is the line between a note and what it explains."""
        return not self.notes.keys().isdisjoint(self.associations.get(association, ()))

    def free(self, key: str) -> str:
        """The id itself, or where it is missing or taken one like it that is not."""
        number, found = len(self.taken), key or f"~{len(self.taken)}"
        while found in self.taken:
            number, found = number + 1, f"{key}~{number}"
        self.taken.add(found)
        return found


def read_container(owner: Node, container: str, book: Book) -> None:
    """Read the flow nodes and flows of a process or subprocess and of all subprocesses in it."""
    listed: dict[str, Node] = {}
    for node in owner.children:
        _count(node, book)
        if node.namespace != BPMN:
            continue
        if node.name in _NODES or (book.viewing and node.name in _DATA):
            element = _element(node, container, book)
            if element:
                listed[element.id] = node
                book.elements[element.id] = element
                if node.name in _CONTAINERS:
                    read_container(node, element.id, book)
        elif node.name == "sequenceFlow":
            _flow(node, book)
    read_notes(owner, book)
    _compare_listed(listed, book)


def any_of(owner: Node) -> bool:
    """Whether a process has any flow node."""
    return any(node.namespace == BPMN and node.name in _NODES for node in owner.children)


def read_notes(owner: Node, book: Book) -> None:
    """Read the notes of a process, subprocess or collaboration, and what they are attached to."""
    for node in owner.all(BPMN, "textAnnotation"):
        _count(node, book)
        book.notes[node.get("id")] = parts.text_of(node.first(BPMN, "text"))[:MAX_NAME]
    for node in owner.all(BPMN, "association"):
        _count(node, book)
        ends = (node.get(end).rpartition(":")[2] for end in ("sourceRef", "targetRef"))
        book.associations[node.get("id")] = (next(ends), next(ends))


def _count(node: Node, book: Book) -> None:
    """Refuse to read on when there is more than anybody drew."""
    if len(book.elements) + len(book.flows) + len(book.notes) + len(book.associations) >= MAX_PARTS:
        raise book.findings.stop("too-many-elements", node.line,
                                 f"流程的元素与连线超过 {MAX_PARTS} 个：请把流程拆成几个被调用的流程",
                                 f"the process has more than {MAX_PARTS} elements and flows: split it into "
                                 "several processes that call each other")


def connect(book: Book) -> None:
    """Give every element its flows in the order of the file, and the elements of a subprocess its lane."""
    incoming: dict[str, list[str]] = {}
    outgoing: dict[str, list[str]] = {}
    for flow in book.flows.values():
        outgoing.setdefault(flow.source, []).append(flow.id)
        incoming.setdefault(flow.target, []).append(flow.id)
    for key, element in book.elements.items():
        outer = book.elements.get(element.container)
        book.elements[key] = replace(
            element, incoming=tuple(incoming.get(key, ())), outgoing=tuple(outgoing.get(key, ())),
            lane=element.lane or (outer.lane if outer else None),
        )


def named(node: Node, book: Book) -> str:
    """The name of an element, in one line; too long a name is a finding."""
    name = " ".join(node.get("name").split())
    if len(name) > MAX_NAME:
        book.findings.add("name-too-long", node.line, node.get("id"),
                          f"名称有 {len(name)} 字，最多 {MAX_NAME} 字：请缩短",
                          f"the name has {len(name)} characters, at most {MAX_NAME} are allowed: shorten it")
    return name[:MAX_NAME]


def identified(node: Node, book: Book) -> str | None:
    """The id of an element if it is a sound XML id; otherwise a finding and None."""
    key = node.get("id")
    if book.viewing:
        return book.free(key)
    if len(key) <= MAX_ID and _ID.fullmatch(key):
        return key
    shown = key if len(key) <= 40 else key[:40] + "…"
    zh = f"id “{shown}” 不可用" if key else f"{node.name} 没有 id"
    en = f"the id “{shown}” cannot be used" if key else f"{node.name} has no id"
    book.findings.add("bad-id", node.line, shown or None,
                      f"{zh}：请用字母开头，只含字母、数字、_ - .，不超过 {MAX_ID} 字",
                      f"{en}: begin with a letter and use letters, digits, _ - . only, at most {MAX_ID} characters")
    return None


def keep_others(node: Node, key: str, book: Book) -> None:
    """Keep by name every child and attribute of a node or process that would change how it runs and is not read."""
    book.others.extend(dialects.foreign_words(node, key))
    book.others.extend(dialects.said_twice(node, key))
    for name, idle in _IDLE.items():
        if node.get(name) not in idle:
            book.others.append(Other(name, key, node.line))
    for child in node.children:
        if child.namespace == BPMN and child.name in _INFORMATION:
            computing = next((each for each in child.walk() if each.name in _COMPUTES), child)
            if computing is not child or child.name in _TOLD:
                book.others.append(Other(computing.name, child.get("id") or key, computing.line))
            continue
        read = child.name in _QUIET or child.name in _NODES or child.name.endswith("EventDefinition")
        if (child.namespace == BPMN and not read) or child.namespace == dialects.POLICY:
            book.others.append(Other(child.name, child.get("id") or key, child.line))


def _element(node: Node, container: str, book: Book) -> Element | None:
    key = identified(node, book)
    if key is None:
        return None
    keep_others(node, key, book)
    loop = node.first(BPMN, "multiInstanceLoopCharacteristics")
    if loop:
        book.others.extend(parts.loop_others(loop, key))
    repeat = node.first(BPMN, "standardLoopCharacteristics")
    if repeat:
        book.others.extend(parts.repeat_others(repeat, key))
    book.others.extend(event_parts.others(node, key))
    by_event = node.flag("triggeredByEvent", default=False)
    return Element(
        id=key,
        type="eventSubProcess" if node.name == "subProcess" and by_event else node.name,
        name=named(node, book),
        line=node.line,
        container=container,
        documentation="\n".join(parts.text_of(each) for each in node.all(BPMN, "documentation")),
        policy=_words(node, container, book) | dialects.own_attributes(node, book.starter),
        event=event_parts.event(node, key, book.definitions, book.findings),
        attached_to=node.get("attachedToRef") if node.name == "boundaryEvent" else None,
        interrupting=node.flag("cancelActivity", default=node.flag("isInterrupting", default=True)),
        default=node.get("default") or None,
        loop=parts.loop(loop, key, book.findings) if loop else None,
        repeat=parts.repeat(repeat, key, book.findings) if repeat else None,
        called=dialects.called(node) if node.name == "callActivity" else None,
        inputs=parts.mapping(node, "in", key, book.findings),
        outputs=parts.mapping(node, "out", key, book.findings),
        operations=parts.operations(node, key, book.findings),
        script=parts.script(node, key, book.findings),
    )


def _words(node: Node, container: str, book: Book) -> dict[str, str]:
    """What the definition of its event adds to our attributes of a node: no key to what starts a process."""
    said = event_parts.words(node, book.definitions)
    around = book.elements.get(container)
    if node.name == "startEvent" and (around is None or around.type != "eventSubProcess"):
        said.pop("key", None)
    return said


def _flow(node: Node, book: Book) -> None:
    source, target = node.get("sourceRef"), node.get("targetRef")
    if not node.get("id"):
        # The standard allows a flow without id. Its ends name it, so that the same file always gives the same flow.
        key = f"{source}--{target}"
        node.attributes["", "id"] = key if key not in book.flows else f"{key}-{len(book.flows) + 1}"
    found = identified(node, book)
    if found is None:
        return
    book.others.extend(dialects.foreign_words(node, found))
    book.others.extend(dialects.misspelt(node, found, frozenset({"name-en"})))
    condition = node.first(BPMN, "conditionExpression")
    if condition:
        book.others.extend(dialects.foreign_words(condition, found))
        parts.check_expression(condition, found, book.findings)
    said = parts.expression_of(condition) if condition else None
    english = dialects.own_attributes(node).get("name-en", "")
    book.flows[found] = Flow(found, source, target, named(node, book), said, node.line, english)


def _compare_listed(listed: Mapping[str, Node], book: Book) -> None:
    """The flows an element lists as incoming or outgoing must be flows that really end or begin there."""
    for key, node in listed.items():
        for child in node.all(BPMN, "incoming") + node.all(BPMN, "outgoing"):
            reference = parts.text_of(child).rpartition(":")[2]
            flow = book.flows.get(reference)
            if flow is None or (flow.target if child.name == "incoming" else flow.source) != key:
                book.findings.add("dangling-reference", child.line, key,
                                  f"{child.name} 写的连线 “{reference}” 不存在或不连接此元素：请删去这一行或改正连线",
                                  f"{child.name} names the flow “{reference}”, which does not exist or does not touch "
                                  "this element: remove this line or correct the flow")
