"""Whether what is alive in a case exists in another version of its process, and the case's texts with the new names.

Tokens must find their element again, of the same kind and in the same place. Events that wait beside them need not:
those that the new version does not have are left behind here, and ``arriving`` sets those waiting that it alone has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from SpiffWorkflow.task import Task

from engine.runtime.activities import Call, EventSubprocess, MultiInstance
from engine.runtime.builder import HELD, Model, ProcessModel
from engine.runtime.events import Armed, Boundary, Catch, EventGateway, EventStart
from engine.runtime.instance import Instance
from engine.runtime.specs import Held, Node, UserTask
from forms.values import from_json, to_json
from forms.words import Text

# What behaves alike under two names.
ALIKE = {"transaction": "subProcess"}


@dataclass(frozen=True, slots=True)
class Move:
    """From one version to another; ``renamed`` maps the ids of elements and flows, old to new."""

    old: Model
    new: Model
    renamed: Mapping[str, str]

    def name(self, process: str, element: str) -> str:
        """What an element (or the process itself) is called in the new version."""
        home, said = self.new.processes.get(process), self.renamed.get(element, element)
        # The same id in another process may have kept its name.
        return element if home and said not in home.nodes and element in home.nodes else said

    def node(self, node: Node) -> Node | None:
        """The spec in the new version of an element, or of one of its members."""
        home = self.new.processes.get(node.model.id)
        if home is None:
            return None
        if isinstance(node, Held):
            return home.nodes[HELD]
        each = "#each" if node.name.endswith("#each") else ""
        return home.nodes.get(self.name(node.model.id, node.element.id) + each)

    def flow(self, process: str, flow: str) -> str | None:
        """What a flow is called in the new version: where its id is gone, the one flow between the same elements."""
        home = self.new.processes.get(process)
        if home is None:
            return None
        said, flows = self.renamed.get(flow, flow), home.diagram.flows
        if said in flows:
            return said
        old = self.old.processes[process].diagram.flows[flow]
        ends = (self.name(process, old.source), self.name(process, old.target))
        found = [each.id for each in flows.values() if (each.source, each.target) == ends]
        return found[0] if len(found) == 1 else None

    def stays(self, task: Task) -> bool:
        """Whether an event that waits beside the tokens is there in the new version too, at the same place."""
        old, new, around = task.task_spec, self.node(task.task_spec), task.parent
        if not isinstance(new, Catch) or not same_event(old, new):
            return False
        return place(new) == (inside_of if isinstance(new, EventStart) else home_of)(around, self)


def beside(task: Task) -> bool:
    """Whether a task is no token but an event that waits beside one, or a rival behind an event gateway."""
    return isinstance(task.task_spec, Armed) or (
        task.parent is not None and isinstance(task.parent.task_spec, EventGateway)
    )


def same_event(old: Node, new: Node) -> bool:
    """Whether two events wait for the same kind of thing, so that what the one has waited counts for the other."""
    assert isinstance(old, Catch)
    if type(old) is not type(new) or not isinstance(new, Catch):
        return False
    return old.event.kind == new.event.kind and (old.cycle is None) == (new.cycle is None)


def place(node: Node) -> str | None:
    """Where an event waits: at its host, in the scope of its event subprocess, behind its gateway."""
    element, diagram = node.element, node.model.diagram
    if isinstance(node, Boundary):
        return element.attached_to
    if isinstance(node, EventStart):
        return diagram.elements[element.container].container
    return diagram.flows[element.incoming[0]].source if element.incoming else None


def home_of(around: Task, move: Move) -> str:
    """What the new version calls what a task is: the process for the case itself."""
    node = around.task_spec
    return move.old.main if node is around.workflow.model.root else move.name(node.model.id, node.element.id)


def inside_of(around: Task, move: Move) -> str:
    """The container that the elements inside a task have in the new version: for a call, the process called."""
    node = around.task_spec
    return (node.element.called or "") if isinstance(node, Call) else home_of(around, move)


def within(task: Task, model: Model) -> ProcessModel | None:
    """The process whose tokens move inside a task."""
    node = task.task_spec
    return model.processes.get((node.element.called or "") if isinstance(node, Call) else node.model.id)


def obstacles(instance: Instance, model: Model, renamed: Mapping[str, str]) -> Iterator[Text]:
    """Every reason why this case cannot go on in ``model``; ``renamed`` maps ids of elements and flows, old to new."""
    move = Move(instance.model, model, renamed)
    yield from _misnamed(move)
    gone = {task.task_spec.model.id for task in instance.tasks.values()} - model.processes.keys()
    for process in sorted(gone):
        yield Text(f"新版本不再调用“{process}”", f"the new version no longer calls {process!r}")
    for task in instance.tasks.values():
        if task.task_spec.model.id in gone or beside(task):
            continue
        yield from _waiting_tokens(task, move)
        if isinstance(task.task_spec, Held):
            yield from _flow(task.internal_data["flow"], task.parent, move)
        elif task.task_spec is not instance.model.root:
            yield from _token(task, move)


def _misnamed(move: Move) -> Iterator[Text]:
    """A mapping of what is not there is a slip of the pen, and would leave its owner in a false belief."""

    def known(model: Model, name: str) -> bool:
        return any(name in each.diagram.elements or name in each.diagram.flows for each in model.processes.values())

    for old, new in move.renamed.items():
        if not known(move.old, old):
            yield Text(
                f"映射中的“{old}”不在案卷现在的版本里", f"{old!r} of the mapping is not in the version of the case"
            )
        if not known(move.new, new):
            yield Text(f"映射中的“{new}”不在新版本里", f"{new!r} of the mapping is not in the new version")


def _token(task: Task, move: Move) -> Iterator[Text]:
    """Whether an element that is alive is there, of the same kind, in the same place."""
    old, new = task.task_spec, move.node(task.task_spec)
    at = old.element.id
    member = old.name.endswith("#each")  # of what a member shares with the whole, the whole speaks
    if new is None:
        if not member:
            yield Text(f"新版本没有正在进行的“{at}”", f"the new version has no {at!r}, which is alive in this case")
        return
    if _kind(old) != _kind(new):
        (zh, en), (zh_now, en_now) = _kind(new), _kind(old)
        if not member:
            yield Text(
                f"“{at}”在新版本里是{zh}，现在是{zh_now}",
                f"{at!r} is {en} in the new version, and {en_now} now",
            )
        return
    if isinstance(old, Catch) and isinstance(new, Catch) and not same_event(old, new):
        yield Text(
            f"“{at}”在新版本里等待 {new.event.kind}，现在等待 {old.event.kind}",
            f"{at!r} waits for a {new.event.kind} in the new version, and for a {old.event.kind} now",
        )
    if member:
        return
    if old.element.called != new.element.called:
        yield Text(
            f"“{at}”在新版本里调用“{new.element.called}”，现在调用“{old.element.called}”",
            f"{at!r} calls {new.element.called!r} in the new version, and {old.element.called!r} now",
        )
    if isinstance(old, MultiInstance):
        yield from _members(task, old, new)
    if isinstance(old, EventSubprocess) and _interrupts(old) != _interrupts(new):
        yield Text(
            f"“{at}”在新旧版本里一个中断、一个不中断，而它正在进行",
            f"{at!r} interrupts in one of the two versions only, and it is going on",
        )
    expected = inside_of(task.parent, move)
    if new.element.container != expected:
        yield Text(
            f"“{at}”在新版本里位于“{new.element.container}”之内，而案卷在“{expected}”之内",
            f"{at!r} lies in {new.element.container!r} in the new version, and this case has it in {expected!r}",
        )


def _kind(node: Node) -> tuple[str, str]:
    """What an element is, with its marker, in Chinese and English."""
    kind = ALIKE.get(node.element.type, node.element.type)
    zh, en = "", ""
    if node.element.loop:
        turn = node.element.loop.sequential
        zh, en = ("串行多实例 ", "sequential multi-instance ") if turn else ("并行多实例 ", "parallel multi-instance ")
    elif node.element.repeat:
        zh, en = "循环 ", "looped "
    return f" {zh}{kind}", f"a {en}{kind}"


def _interrupts(node: Node) -> bool:
    return node.model.start_of(node.element.id).element.interrupting


def _members(task: Task, old: MultiInstance, new: Node) -> Iterator[Text]:
    """What the members of an activity lack in the new version and nobody can give them afterwards."""
    assert isinstance(new, MultiInstance)
    at, inside = old.element.id, task.workflow.scopes.table[task.internal_data["inside"]].values
    if new.loop.item and not old.loop.item:
        yield Text(
            f"“{at}”在新版本里每个成员有“{new.loop.item}”，已经开始的成员没有",
            f"each member of {at!r} has {new.loop.item!r} in the new version, and those that have begun do not",
        )
    if new.loop.output and not old.loop.output and inside["nrOfCompletedInstances"]:
        yield Text(
            f"“{at}”在新版本里收集结果“{new.loop.output}”，已经办完的成员没有留下结果",
            f"{at!r} collects {new.loop.output!r} in the new version, and members that are done have left no result",
        )


def _waiting_tokens(task: Task, move: Move) -> Iterator[Text]:
    """Tokens that wait at joins stand on flows, and these must be there."""
    for tokens in task.internal_data.get("joins", {}).values():
        for flow in tokens:
            yield from _flow(flow, task, move)


def _flow(flow: str, around: Task, move: Move) -> Iterator[Text]:
    home = within(around, move.new)
    if home is None:
        return  # said already of the process
    found = move.flow(home.id, flow)
    if found is None:
        target = move.old.processes[home.id].diagram.flows[flow].target
        yield Text(
            f"新版本没有连线“{flow}”，而有一个分支在其上等待（通往“{target}”）",
            f"the new version has no flow {flow!r}, on which a branch waits (it leads to {target!r})",
        )
        return
    container = home.diagram.elements[home.diagram.flows[found].source].container
    if container != inside_of(around, move):
        yield Text(
            f"连线“{flow}”在新版本里位于“{container}”之内，有一个分支在其上等待",
            f"the flow {flow!r}, on which a branch waits, lies in {container!r} in the new version",
        )


def stands(instance: Instance, move: Move) -> list[tuple[str, str]]:
    """Where a case waits: elements, and flows on which it stands still, as called now and in the new version."""
    found = set()
    for task in instance.tasks.values():
        node = task.task_spec
        if isinstance(node, Held):
            flow = task.internal_data["flow"]
            found.add((flow, move.flow(node.model.id, flow) or flow))
        elif isinstance(node, (UserTask, Catch, EventGateway)) and not beside(task):
            found.add((node.element.id, move.name(node.model.id, node.element.id)))
    return sorted(found)


def texts(instance: Instance, move: Move) -> tuple[str, str]:
    """The frozen texts of a case for the new version: under its names, without the events that it does not have.

    What was answered under an old name can be read under both.
    """
    frozen: Any = [from_json(text) for text in instance.frozen()]
    state, scopes = frozen
    rows = []
    for row in state["tasks"]:
        task, data = instance.tasks[row[0]], row[5]
        if beside(task) and not move.stays(task):
            continue
        new = move.node(task.task_spec)
        if row[1] is not None and new is not None:
            row[2] = new.name
        home = within(task, instance.model)
        assert home is not None
        if "flow" in data:
            data["flow"] = move.flow(home.id, data["flow"])
        if "joins" in data:
            data["joins"] = _joins(data["joins"], home.id, move)
        if "idle" in data:
            data["idle"] = [_renamed_key(each, move) for each in data["idle"]]
        rows.append(row)
    state["tasks"] = rows
    state["acts"] = _acts(state["acts"], move)
    for _, _, _, values in scopes[1:]:
        values.update({new: values[old] for old, new in move.renamed.items() if old in values})
    return to_json(state), to_json(scopes)


def _joins(joins: Mapping[str, Mapping[str, int]], process: str, move: Move) -> dict[str, dict[str, int]]:
    """Tokens by the element that their flow leads to, which need not be the one it led to before."""
    found: dict[str, dict[str, int]] = {}
    for tokens in joins.values():
        for flow, count in tokens.items():
            name = move.flow(process, flow) or ""
            target = found.setdefault(move.new.processes[process].diagram.flows[name].target, {})
            target[name] = target.get(name, 0) + count
    return found


def _acts(acts: Mapping[str, Any], move: Move) -> dict[str, Any]:
    """How often and by whom: of two elements that have become one, both together."""
    found: dict[str, Any] = {}
    for key, value in acts.items():
        name = _renamed_key(key, move)
        before = found.get(name)
        if isinstance(value, list):
            found[name] = list(dict.fromkeys([*(before or []), *value]))
        else:
            found[name] = (before or 0) + value
    return found


def _renamed_key(key: str, move: Move) -> str:
    process, element, *rest = key.split("/")
    return "/".join([process, move.name(process, element), *rest])
