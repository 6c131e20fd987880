"""Whether what is alive in a case exists in another version of its process, and the case's texts with the new names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.task import Task

from engine.runtime.activities import MultiInstance, Repeated
from engine.runtime.builder import HELD, Model
from engine.runtime.events import Boundary, EventGateway, EventStart
from engine.runtime.instance import Instance
from engine.runtime.specs import Held, Node
from forms.values import from_json, to_json
from forms.words import Text


def obstacles(instance: Instance, model: Model, renamed: Mapping[str, str]) -> Iterator[Text]:
    """Every reason why this case cannot go on in ``model``; ``renamed`` maps element ids, old to new."""
    for task in instance.tasks.values():
        node = task.task_spec
        if node is instance.model.root:
            yield from _joins(task, model.processes[model.main], renamed)
            continue
        home = model.processes.get(node.model.id)
        if home is None:
            yield Text(f"新版本不再调用“{node.model.id}”", f"the new version no longer calls {node.model.id!r}")
            continue
        if isinstance(node, Held):
            flow = task.internal_data["flow"]
            if flow not in home.diagram.flows:
                yield Text(f"新版本没有连线“{flow}”", f"the new version has no flow {flow!r}")
            continue
        yield from _same(task, node, home.nodes.get(_name(node, renamed)), renamed)
        yield from _joins(task, home, renamed)


def _name(node: Node, renamed: Mapping[str, str]) -> str:
    each = "#each" if node.name.endswith("#each") else ""
    return HELD if isinstance(node, Held) else renamed.get(node.element.id, node.element.id) + each


def _same(task: Task, old: Node, new: Node | None, renamed: Mapping[str, str]) -> Iterator[Text]:
    """Whether the element that is alive is there, of the same kind, in the same place."""
    at = old.element.id
    if new is None:
        yield Text(f"新版本没有正在进行的“{at}”", f"the new version has no {at!r}, which is alive in this case")
        return
    if type(new) is not type(old) or new.element.type != old.element.type:
        yield Text(
            f"“{at}”在新版本里是 {new.element.type}，现在是 {old.element.type}",
            f"{at!r} is {new.element.type} in the new version, and {old.element.type} now",
        )
        return
    around = task.parent.task_spec
    if isinstance(around, (MultiInstance, Repeated)) and new.name.endswith("#each"):
        return
    if isinstance(around, EventGateway):
        yield from _behind(new, renamed.get(around.element.id, around.element.id))
        return
    inside = renamed.get(around.element.called or around.element.id, around.element.called or around.element.id)
    place = new.element.attached_to if isinstance(new, Boundary) else new.element.container
    if isinstance(new, EventStart):
        place = new.model.diagram.elements[new.element.container].container
    if isinstance(old, Boundary):
        inside = renamed.get(around.element.id, around.element.id)
    if task.parent is not task.workflow.task_tree and place != inside:
        yield Text(
            f"“{at}”在新版本里位于“{place}”之内，现在位于“{inside}”",
            f"{at!r} lies in {place!r} in the new version, and in {inside!r} now",
        )


def _behind(new: Node, gateway: str) -> Iterator[Text]:
    if all(new.model.diagram.flows[flow].source != gateway for flow in new.element.incoming):
        at = new.element.id
        yield Text(
            f"新版本里“{at}”不在事件网关“{gateway}”之后", f"the new version does not have {at!r} behind {gateway!r}"
        )


def _joins(task: Task, home: object, renamed: Mapping[str, str]) -> Iterator[Text]:
    nodes = getattr(home, "nodes", {})
    for join, tokens in task.internal_data.get("joins", {}).items():
        new = nodes.get(renamed.get(join, join))
        for flow in tokens:
            if new is None or flow not in new.element.incoming:
                yield Text(
                    f"新版本的“{join}”没有连线“{flow}”，而其上有等待的分支",
                    f"a branch waits at {join!r} on the flow {flow!r}, which the new version does not have",
                )


def texts(instance: Instance, renamed: Mapping[str, str]) -> tuple[str, str]:
    """The frozen texts of a case with its elements called by their new names; answers are found by both."""
    frozen: Any = [from_json(text) for text in instance.frozen()]
    state, scopes = frozen
    for row in state["tasks"]:
        number, _, _, _, _, data = row
        node = instance.tasks[number].task_spec
        if node is not instance.model.root:
            row[2] = _name(node, renamed)
        if "joins" in data:
            data["joins"] = {renamed.get(join, join): tokens for join, tokens in data["joins"].items()}
    state["acts"] = {_renamed_key(key, renamed): value for key, value in state["acts"].items()}
    for _, _, _, values in scopes[1:]:
        values.update({new: values[old] for old, new in renamed.items() if old in values})
    return to_json(state), to_json(scopes)


def _renamed_key(key: str, renamed: Mapping[str, str]) -> str:
    process, element, *rest = key.split("/")
    return "/".join([process, renamed.get(element, element), *rest])


def arm_new_boundaries(instance: Instance) -> None:
    """Set the boundary events waiting that a live activity has only in the version it has just come to."""
    for task in list(instance.tasks.values()):
        armed = {child.task_spec for child in task.children}
        for boundary in task.task_spec.boundaries:
            if boundary not in armed:
                instance.begin(boundary, task)
