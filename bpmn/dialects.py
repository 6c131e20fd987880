"""Knows the words that other engines and ours add to BPMN, and which of theirs mean the same here.

Some can be ignored; the rest would change the process and are kept by name to be refused. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.diagram import Other
from bpmn.safe_xml import Node

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DD = "http://www.omg.org/spec/DD/20100524/DI"
POLICY = "urn:liuhen:policy"

# Engines whose words decide how their processes run. Words of other namespaces (colours, editors) are decoration.
ENGINES: Mapping[str, str] = {
    "http://camunda.org/schema/1.0/bpmn": "camunda",
    "http://operaton.org/schema/1.0/bpmn": "operaton",
    "http://flowable.org/bpmn": "flowable",
    "http://activiti.org/bpmn": "activiti",
    "http://camunda.org/schema/zeebe/1.0": "zeebe",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "spiffworkflow",
}

# (word, attribute) of another engine -> our attribute. The word is "" for an attribute of the BPMN element itself.
_SAME: Mapping[tuple[str, str], str] = {
    ("", "formKey"): "form",
    ("", "formRef"): "form",
    ("", "candidateGroups"): "role",
    ("", "assignee"): "assignee",
    ("", "dueDate"): "due",
    ("formDefinition", "formKey"): "form",
    ("formDefinition", "formId"): "form",
    ("assignmentDefinition", "assignee"): "assignee",
    ("assignmentDefinition", "candidateGroups"): "role",
    ("taskSchedule", "dueDate"): "due",
    ("", "collection"): "collection",
    ("", "elementVariable"): "item",
    ("loopCharacteristics", "inputCollection"): "collection",
    ("loopCharacteristics", "inputElement"): "item",
    ("loopCharacteristics", "outputCollection"): "output",
    ("loopCharacteristics", "outputElement"): "result",
    ("", "errorCodeVariable"): "into",
    ("", "escalationCodeVariable"): "into",
    ("subscription", "correlationKey"): "key",
}
# The same, where they mean it: on a business rule task. ("gives" is the shape in which it gives its result.)
_DECISION: Mapping[tuple[str, str], str] = {
    ("", "decisionRef"): "decision",
    ("", "resultVariable"): "into",
    ("", "mapDecisionResult"): "gives",
    ("calledDecision", "decisionId"): "decision",
    ("calledDecision", "resultVariable"): "into",
}
# Words about storage, retries and display: the process means the same without them.
_IDLE_ATTRIBUTES = frozenset({
    "async", "asyncBefore", "asyncAfter", "exclusive", "historyTimeToLive", "versionTag", "jobPriority", "taskPriority",
    "priority", "description", "formRefBinding", "formKeyBinding", "isStartableInTasklist", "followUpDate",
    "modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "diagramRelationId",
    "decisionRefBinding", "bindingType",  # a table is found in the package, and nowhere else
})
_IDLE_ELEMENTS = frozenset({
    "properties", "property", "versionTag", "userTask", "failedJobRetryTimeCycle", "priorityDefinition",
    "modelerTemplateIcon", "in", "out",  # the last two are read by `mapped`
})
# Ours that are values as written; the other translated words are expressions.
_EXPRESSIONS = frozenset({"due", "collection", "result", "key"})

_OWN_ELEMENTS = frozenset({"operation", "in", "out"})


def own_attributes(node: Node) -> dict[str, str]:
    """The attributes of the policy namespace by local name; other engines' words speak where ours are silent."""
    own: dict[str, str] = {}
    same = _same(node)
    for word, owner in _words(node):
        for (namespace, name), value in owner.attributes.items():
            meant = same.get((word, name)) if word or namespace in ENGINES else None
            if meant:
                own.setdefault(meant, _value(meant, value.strip()))
    own.update({name: value.strip() for (namespace, name), value in node.attributes.items() if namespace == POLICY})
    return own


def foreign_words(node: Node, element: str | None) -> Iterator[Other]:
    """The words of other engines at this element that have no meaning here, to be refused by name.

    Unknown elements of our own namespace are misspellings and come too.
    """
    same = _same(node)
    for namespace, name in node.attributes:
        if namespace in ENGINES and ("", name) not in same and name not in _IDLE_ATTRIBUTES:
            yield Other(f"{ENGINES[namespace]}:{name}", element, node.line)
    for extension in _extensions(node):
        if extension.namespace == POLICY and extension.name not in _OWN_ELEMENTS:
            yield Other(f"policy:{extension.name}", element, extension.line)
        elif extension.namespace in ENGINES and extension.name not in _IDLE_ELEMENTS:
            yield from _foreign_extension(extension, element, same)


def misspelt(node: Node, element: str, known: frozenset[str]) -> Iterator[Other]:
    """The attributes of our own namespace at a flow, lane or loop that mean nothing there."""
    for namespace, name in node.attributes:
        if namespace == POLICY and name not in known:
            yield Other(f"policy:{name}", element, node.line)


def _same(node: Node) -> Mapping[tuple[str, str], str]:
    return {**_SAME, **_DECISION} if node.name == "businessRuleTask" else _SAME


def _foreign_extension(extension: Node, element: str | None, same: Mapping[tuple[str, str], str]) -> Iterator[Other]:
    shown = f"{ENGINES[extension.namespace]}:{extension.name}"
    if not any(word == extension.name for word, _ in same):
        yield Other(shown, element, extension.line)
        return
    for _, name in extension.attributes:
        if (extension.name, name) not in same and name not in _IDLE_ATTRIBUTES:
            yield Other(f"{shown} {name}", element, extension.line)


def mapped(node: Node, direction: str) -> Iterator[tuple[str, str, Node]]:
    """What a call activity passes ``in`` or takes ``out``: (name given, expression read, the element that says so).

    A name is "" where the element says something else than one name and one expression.
    """
    for extension in _extensions(node):
        if extension.name != direction:
            continue
        if extension.namespace == POLICY:
            name = extension.get("name").strip()
            yield name, extension.get("value", name).strip(), extension
        elif extension.namespace in ENGINES:
            read = extension.get("source") or _unwrapped(extension.get("sourceExpression"))
            plain = {("", "source"), ("", "sourceExpression"), ("", "target")} >= extension.attributes.keys()
            yield (extension.get("target") if plain else ""), read, extension


def operations(node: Node) -> list[Node]:
    """The ``policy:operation`` elements of a service task, in order."""
    return [each for each in _extensions(node) if (each.namespace, each.name) == (POLICY, "operation")]


def _words(node: Node) -> Iterator[tuple[str, Node]]:
    yield "", node
    for extension in _extensions(node):
        if extension.namespace in ENGINES:
            yield extension.name, extension


def _extensions(node: Node) -> list[Node]:
    holder = node.first(BPMN, "extensionElements")
    return holder.children if holder else []


def _value(meant: str, text: str) -> str:
    """Another engine's value in our writing: ``${x}`` and ``=x`` become an expression where one is meant."""
    inner = _unwrapped(text)
    bare = inner.removeprefix("=").strip()
    if meant in _EXPRESSIONS:
        return bare
    if inner != text or inner.startswith("="):
        return "=" + bare
    # A fixed person of another engine is the person of that id here.
    return f"={bare!r}" if meant == "assignee" else bare


def _unwrapped(text: str) -> str:
    return text[2:-1].strip() if text[:2] in ("${", "#{") and text.endswith("}") else text
