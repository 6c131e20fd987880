"""Reads what an event, a send task or a receive task waits for or does, and the definitions they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bpmn import dialects
from bpmn.diagram import Event, Other
from bpmn.dialects import BPMN
from bpmn.findings import Findings
from bpmn.parts import check_expression, expression_of
from bpmn.safe_xml import Node

_TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}
REFERRED = ("message", "signal", "error", "escalation")
_NAMES = {"message": "消息", "signal": "信号", "error": "错误", "escalation": "升级"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A message, signal, error or escalation that events refer to; ``key`` is what correlates a message."""

    name: str | None
    code: str | None
    key: str | None


Definitions = Mapping[str, Mapping[str, Definition]]


def definitions(root: Node) -> Definitions:
    """Everything events of a file may refer to, by kind and id."""
    return {kind: {node.get("id"): _definition(node, kind) for node in root.all(BPMN, kind)} for kind in REFERRED}


def _definition(node: Node, kind: str) -> Definition:
    code = node.get(f"{kind}Code").strip() or None
    return Definition(node.get("name").strip() or code, code, dialects.own_attributes(node).get("key"))


def event(node: Node, key: str, known: Definitions, findings: Findings) -> Event | None:
    """What an event waits for or does, and the message of a task that sends or receives one; None for other nodes."""
    if node.name in ("sendTask", "receiveTask"):
        return _referring(node, "message", key, known, findings)
    if not node.name.endswith("Event"):
        return None
    found = _definitions_of(node)
    if not found:
        return Event("none")
    if len(found) > 1:
        return Event("multiple")
    definition = found[0]
    kind = definition.name.removesuffix("EventDefinition")
    if kind == "timer":
        return _timer(definition, key, findings)
    if kind == "conditional":
        condition = definition.first(BPMN, "condition")
        if condition:
            check_expression(condition, key, findings)
        return Event(kind, expression=expression_of(condition) or None)
    if kind in REFERRED:
        return _referring(definition, kind, key, known, findings)
    return Event(kind, name=definition.get("name").strip() or definition.get(f"{kind}Ref") or None)


def words(node: Node, known: Definitions) -> dict[str, str]:
    """What the definition of an event adds to our attributes of the event: ``into``; to one that awaits it, a message's
    correlation ``key``.
    """
    said: dict[str, str] = {}
    for definition in [node] if node.name in ("sendTask", "receiveTask") else _definitions_of(node):
        reference = definition.get("messageRef").strip().rpartition(":")[2]
        message = known["message"].get(reference)
        if message and message.key and node.name not in ("sendTask", "endEvent", "intermediateThrowEvent"):
            said["key"] = message.key
        if definition is not node:
            said |= dialects.own_attributes(definition)
    return said


def others(node: Node, key: str) -> Iterator[Other]:
    """What the definition of an event says that is not read here."""
    for definition in _definitions_of(node):
        yield from dialects.foreign_words(definition, key)
        for child in definition.all(BPMN, "operationRef"):
            yield Other(child.name, key, child.line)


def _definitions_of(node: Node) -> list[Node]:
    return [child for child in node.children if child.name.endswith("EventDefinition")]


def _referring(node: Node, kind: str, key: str, known: Definitions, findings: Findings) -> Event:
    reference = node.get(f"{kind}Ref").strip()
    found = known[kind].get(reference.rpartition(":")[2])
    if reference and found is None:
        findings.add("dangling-reference", node.line, key,
                     f"{kind}Ref “{reference}” 指向的{_NAMES[kind]}不存在：请在 definitions 下定义该 {kind}",
                     f"{kind}Ref “{reference}” points to no {kind}: define this {kind} under definitions")
    return Event(kind, name=found.name if found else None, code=found.code if found else None)


def _timer(definition: Node, key: str, findings: Findings) -> Event:
    said = [child for child in definition.children if child.name in _TIMERS]
    if len(said) > 1:
        findings.add("timer", definition.line, key,
                     "一个定时器只能有 timeDate、timeDuration、timeCycle 之一：请只留一个",
                     "a timer has one of timeDate, timeDuration and timeCycle: keep one of them")
    if not said:
        return Event("timer")
    check_expression(said[0], key, findings)
    return Event("timer", form=_TIMERS[said[0].name], expression=expression_of(said[0]))
