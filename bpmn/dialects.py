"""Knows the words that other engines and ours add to BPMN, and which of theirs mean the same here.

Some can be ignored; the rest would change the process and are kept by name to be refused. Judges nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from bpmn.diagram import Other
from bpmn.safe_xml import Node
from forms.compiler import NAME
from forms.expressions import ExpressionError, compile_expression

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
    ("formDefinition", "externalReference"): "form",
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
    "calledElementBinding", "formFieldValidation", "errorMessage",
    "initiator",  # read by `starter`
})
_IDLE_ELEMENTS = frozenset({
    "properties", "property", "versionTag", "userTask", "failedJobRetryTimeCycle", "priorityDefinition",
    "modelerTemplateIcon", "taskHeaders", "userTaskForm", "in", "out",  # the last two are read by `mapped`
})
# What only holds others says nothing where it holds none.
_HOLDERS = frozenset({
    "executionListeners", "taskListeners", "ioMapping", "inputOutput", "formData", "connector", "properties",
})
# Ours that are expressions as they stand, and those that are one behind "="; the others are values as written.
_EXPRESSIONS = frozenset({"due", "collection", "result", "key"})
_BEHIND_SIGN = frozenset({"role", "assignee"})
# Of these a name may stand without the signs of an expression.
_NAMES = frozenset({"collection", "result", "key"})
# What a call of another engine says besides the process, with the values under which it is a call of ours.
_CALL: Mapping[str, frozenset[str]] = {
    "processId": frozenset(), "bindingType": frozenset({"latest", "deployment"}),
    "propagateAllChildVariables": frozenset({"false"}), "propagateAllParentVariables": frozenset({"true", "false"}),
}

_OWN_ELEMENTS = frozenset({"operation", "in", "out"})


def own_attributes(node: Node, starter: str = "") -> dict[str, str]:
    """The attributes of the policy namespace by local name; other engines' words speak where ours are silent.

    What a modeler keeps as a property counts before the attribute of that name, which the modeler does not show.
    ``starter`` is the variable in which another engine keeps who started the case: the applicant.
    """
    own: dict[str, str] = {}
    for _, _, meant, said in _translated(node):
        translation = _value(meant, said)
        if translation is not None:
            own.setdefault(meant, "applicant" if starter and translation == f"={starter}" else translation)
    own.update({name: value.strip() for (namespace, name), value in node.attributes.items() if namespace == POLICY})
    kept: dict[str, list[str]] = {}
    for name, value, _ in _properties(node):
        kept.setdefault(name, []).append(value)
    own.update({name: ", ".join(values) for name, values in kept.items()})
    return own


def _properties(node: Node) -> Iterator[tuple[str, str, int]]:
    """Our attributes that a modeler keeps as properties, ``policy:role`` or a further part of it, ``policy:role.2``.

    (An element template of a modeler can write these, but no attribute of a namespace that the modeler does not know.)
    """
    for holder in _extensions(node):
        for each in holder.children if holder.namespace in ENGINES and holder.name == "properties" else ():
            prefix, _, name = each.get("name").strip().partition(":")
            value = each.get("value").strip()
            if each.name == "property" and prefix == "policy" and value:
                yield name.partition(".")[0], value, each.line


def said_twice(node: Node, element: str) -> Iterator[Other]:
    """The properties beside which an attribute of the same name says something else."""
    own = own_attributes(node)
    for name, line in {name: line for name, _, line in _properties(node)}.items():
        if node.attributes.get((POLICY, name), own[name]).strip() != own[name]:
            yield Other(f"&{name}", element, line)


def starter(process: Node) -> str:
    """The variable in which another engine keeps who started the case; "" where there is none."""
    for start in process.all(BPMN, "startEvent"):
        for (namespace, name), value in start.attributes.items():
            if namespace in ENGINES and name == "initiator":
                return value.strip()
    return ""


def foreign_words(node: Node, element: str | None) -> Iterator[Other]:
    """The words of other engines at this element that have no meaning here, to be refused by name.

    Also those that have one, but say what cannot be said in our language. Unknown elements of our own namespace are
    misspellings and come too.
    """
    same = _same(node)
    for (namespace, name), said in node.attributes.items():
        if namespace in ENGINES and ("", name) not in same and name not in _IDLE_ATTRIBUTES and said.strip():
            yield Other(f"{ENGINES[namespace]}:{name}", element, node.line)
    for shown, line, meant, said in _translated(node):
        if _value(meant, said) is None:
            yield Other(shown, element, line, said)
    for extension in _extensions(node):
        if extension.namespace == POLICY and extension.name not in _OWN_ELEMENTS:
            yield Other(f"policy:{extension.name}", element, extension.line)
        elif extension.namespace in ENGINES and extension.name not in _IDLE_ELEMENTS:
            if extension.name in _HOLDERS and not extension.children:
                continue
            yield from _foreign_extension(extension, element, node, same)


def _translated(node: Node) -> Iterator[tuple[str, int, str, str]]:
    """The words of other engines that mean the same here: the word as shown, its line, our word, and what it says."""
    same = _same(node)
    for word, owner in _words(node):
        for (namespace, name), value in owner.attributes.items():
            meant = same.get((word, name)) if word or namespace in ENGINES else None
            if meant and value.strip():
                engine = ENGINES[owner.namespace if word else namespace]
                yield f"{engine}:{word} {name}" if word else f"{engine}:{name}", owner.line, meant, value.strip()


def misspelt(node: Node, element: str, known: frozenset[str]) -> Iterator[Other]:
    """The attributes of our own namespace at a flow, lane or loop that mean nothing there."""
    for namespace, name in node.attributes:
        if namespace == POLICY and name not in known:
            yield Other(f"policy:{name}", element, node.line)
    for name, _, line in _properties(node):
        if name not in known:
            yield Other(f"policy:{name}", element, line)


def _same(node: Node) -> Mapping[tuple[str, str], str]:
    return {**_SAME, **_DECISION} if node.name == "businessRuleTask" else _SAME


def _foreign_extension(
    extension: Node, element: str | None, node: Node, same: Mapping[tuple[str, str], str]
) -> Iterator[Other]:
    shown = f"{ENGINES[extension.namespace]}:{extension.name}"
    if node.name == "callActivity" and extension.name in ("calledElement", "ioMapping"):
        for word in _CALL if extension.name == "calledElement" else ():
            said = extension.get(word, "true" if word.startswith("propagate") else "latest").strip()
            if _CALL[word] and said not in _CALL[word]:
                yield Other(f"{shown} {word}", element, extension.line, said)
        return
    if not any(word == extension.name for word, _ in same):
        yield Other(shown, element, extension.line)
        return
    for _, name in extension.attributes:
        if (extension.name, name) not in same and name not in _IDLE_ATTRIBUTES:
            yield Other(f"{shown} {name}", element, extension.line)


def called(node: Node) -> str | None:
    """The process that a call activity calls."""
    said = [node.get("calledElement")]
    said += [each.get("processId") for each in _extensions(node) if each.name == "calledElement"]
    return next((text.strip() for text in said if text.strip()), None)


def mapped(node: Node, direction: str) -> Iterator[tuple[str, str, Node]]:
    """What a call activity passes ``in`` or takes ``out``: (name given, expression read, the element that says so).

    A name is "" where the element says something else than one name and one expression. (The business key of another
    engine's call has no counterpart: what is called here is part of the same case.)
    """
    for extension in _extensions(node):
        if extension.attributes.keys() == {("", "businessKey")}:
            continue
        if extension.namespace in ENGINES and extension.name == "ioMapping" and node.name == "callActivity":
            for each in extension.children:
                if each.name == direction + "put":
                    yield each.get("target").strip(), unwrapped(each.get("source").strip()), each
        elif extension.namespace == POLICY and extension.name == direction:
            name = extension.get("name").strip()
            yield name, extension.get("value", name).strip(), extension
        elif extension.namespace in ENGINES and extension.name == direction:
            read = extension.get("source") or unwrapped(extension.get("sourceExpression").strip())
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


def _value(meant: str, said: str) -> str | None:
    """Another engine's value in our writing, None where there is none."""
    inner = unwrapped(said)
    wrapped = inner != said
    if meant in _EXPRESSIONS:
        return inner if wrapped or (meant in _NAMES and NAME.fullmatch(said)) else None
    if said.startswith(("${", "#{", "=")):
        return "=" + inner if wrapped and meant in _BEHIND_SIGN else None
    if meant != "assignee":
        return said
    # A fixed person of another engine is the person of that id here.
    return f"={said!r}" if _is_ours(repr(said), feel=False) else None


def unwrapped(said: str) -> str:
    """An expression that another engine marks, ``${x}`` or ``=x``, without the marks, where it means the same here."""
    inner, feel = said, said.startswith("=")
    if feel:
        inner = said[1:].strip()
    elif said[:2] in ("${", "#{") and said.endswith("}"):
        inner = said[2:-1].strip()
    return inner if inner != said and _is_ours(inner, feel=feel) else said


def _is_ours(source: str, *, feel: bool) -> bool:
    """Whether an expression of another engine is one of ours too. (FEEL counts the members of a list from 1.)"""
    try:
        tree = compile_expression(source).tree
    except ExpressionError:
        return False
    parts = [part.slice for part in ast.walk(tree) if isinstance(part, ast.Subscript)]
    return not feel or all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)
