"""Finds what BPMN's own schema forbids and reading would lose without a word: what is said twice, and words unknown.

The file is not held against the schema as a whole: much of what modelers write beside it means nothing and may stay.
"""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.diagram import Other
from bpmn.dialects import BPMN
from bpmn.findings import Findings
from bpmn.safe_xml import Node

# What an element has once at most; of two only the first would count. (A loop is of one kind or the other.)
_ONCE = frozenset({
    "extensionElements", "conditionExpression", "script", "condition", "loop", "completionCondition", "loopCardinality",
    "loopCondition", "loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem",
})
_LOOPS = frozenset({"multiInstanceLoopCharacteristics", "standardLoopCharacteristics"})
# The attributes of BPMN on what is read here: activities, events, gateways, flows, loops, definitions of events.
_SAID = """
id name default startQuantity completionQuantity isForCompensation implementation operationRef messageRef instantiate
scriptFormat calledElement triggeredByEvent ordering cancelRemainingInstances method gatewayDirection eventGatewayType
parallelMultiple attachedToRef cancelActivity isInterrupting sourceRef targetRef isImmediate isExecutable isClosed
processType definitionalCollaborationRef isSequential behavior oneBehaviorEventRef noneBehaviorEventRef testBefore
loopMaximum waitForCompletion activityRef errorRef signalRef escalationRef dataObjectRef dataStoreRef itemSubjectRef
isCollection language evaluatesToTypeRef initiatingParticipantRef loopType
"""
ATTRIBUTES = frozenset(_SAID.split())
_CHILDREN = {
    "sequenceFlow": frozenset({"documentation", "extensionElements", "conditionExpression", "auditing", "monitoring"}),
    "timerEventDefinition": frozenset({"documentation", "extensionElements", "timeDate", "timeDuration", "timeCycle"}),
    "conditionalEventDefinition": frozenset({"documentation", "extensionElements", "condition"}),
}


def check_once(owner: Node, findings: Findings) -> None:
    """Report what stands twice in a process and may stand once."""
    for node, key in _parts(owner):
        seen: set[str] = set()
        for child in node.children:
            name = "loop" if child.name in _LOOPS else child.name
            if child.namespace == BPMN and name in _ONCE and name in seen:
                findings.add("given-twice", child.line, key,
                             f"{child.name} 写了两次（或与另一种循环并存），只有一个会起作用：请只留一个",
                             f"this {child.name} is there twice, or beside a loop of another kind, and only one could "
                             "count: keep one")
            seen.add(name)


def strange_words(owner: Node) -> Iterator[Other]:
    """The attributes of a process and its parts that BPMN does not have (``@name``), and such children of its flows."""
    for node, key in _parts(owner):
        for child in node.children if node.name in _CHILDREN else ():
            if child.namespace == BPMN and child.name not in _CHILDREN[node.name]:
                yield Other(child.name, key, child.line)
        for namespace, name in node.attributes:
            if not namespace and name not in ATTRIBUTES:
                yield Other(f"@{name}", key, node.line, node.name)


def _parts(owner: Node) -> Iterator[tuple[Node, str]]:
    """Every element of BPMN in a process that is read, with the id it has or belongs to."""
    waiting = [(owner, owner.get("id"))]
    while waiting:
        node, key = waiting.pop()
        yield node, key
        waiting += [
            (child, key if child.name in _WITHIN else child.get("id"))
            for child in reversed(node.children)
            if child.namespace == BPMN and child.name not in _BESIDE
        ]


# What belongs to another tool or only explains; and what is part of an element although it may have an id itself.
_BESIDE = frozenset({
    "extensionElements", "laneSet", "textAnnotation", "association", "group", "documentation", "ioSpecification",
    "dataObject", "dataObjectReference", "dataStoreReference", "property", "dataInputAssociation",
    "dataOutputAssociation", "potentialOwner", "humanPerformer", "performer", "resourceRole", "rendering",
    "correlationSubscription", "auditing", "monitoring",
})
_WITHIN = frozenset({
    "multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "conditionExpression", "condition", "timeDate",
    "timeDuration", "timeCycle", "completionCondition", "loopCardinality", "loopCondition", "script", "incoming",
    "outgoing", "loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem", "timerEventDefinition",
    "conditionalEventDefinition", "messageEventDefinition", "signalEventDefinition", "errorEventDefinition",
    "escalationEventDefinition", "linkEventDefinition", "terminateEventDefinition", "compensateEventDefinition",
    "cancelEventDefinition",
})
