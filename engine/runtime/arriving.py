"""Brings a case that has changed its version to where it would be had it waited in the new one from the beginning.

Events that only the new version has are set waiting, what an unchanged text once gave is kept, what a changed text says
is asked again, and joins and completion conditions are looked at once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.runtime.activities import Call, EventSubprocess, MultiInstance, Scope
from engine.runtime.events import Catch, EventGateway, key_of
from engine.runtime.gateways import Join
from engine.runtime.happenings import WorkItem
from engine.runtime.instance import Instance
from engine.runtime.moving import Move, beside, same_event
from engine.runtime.specs import Node, UserTask

ASKED = ("role", "assignee", "excluded")
"""What a diagram says of who may do a task; where it says so in other words, it is asked again."""


@dataclass(slots=True)
class Arrival:
    """What became of a case: events set waiting and left behind, and the work items whose people are others now."""

    armed: list[str] = field(default_factory=list)
    disarmed: list[str] = field(default_factory=list)
    items: dict[int, tuple[WorkItem, tuple[str, ...]]] = field(default_factory=dict)


def arrive(before: Instance, case: Instance, move: Move) -> Arrival:
    """Settle a case, thawed from ``moving.texts``, in its new version; ``before`` is the same case in the old one.

    Raises ``Incident`` naming the element where an expression of the new version cannot be evaluated.
    """
    arrival = Arrival()
    arrival.disarmed = [
        task.task_spec.element.id for number, task in before.tasks.items() if number not in case.tasks and beside(task)
    ]
    for number, task in list(case.tasks.items()):
        old = before.tasks[number]
        if isinstance(task.task_spec, MultiInstance):
            _rename_members(old.task_spec, task)
        elif isinstance(task.task_spec, Call):
            _hand_in(old.task_spec, task)
        elif isinstance(task.task_spec, Catch):
            _wait_on(old.task_spec, task)
        elif isinstance(task.task_spec, UserTask):
            said = (task.task_spec.element.policy, old.task_spec.element.policy)
            changed = tuple(word for word in ASKED if said[0].get(word) != said[1].get(word))
            if changed and task.state == TaskState.READY:
                arrival.items[number] = (task.task_spec.work_item(task), changed)
        arrival.armed += _arm(old, task, move)
    return arrival


def _arm(old: Task, task: Task, move: Move) -> Iterator[str]:
    """Set the events waiting beside a task that it had not in the old version, or that say something else there."""
    before = {move.node(each): each for each in events_at(old)}
    idle: list[str] = task.internal_data.pop("idle", [])
    there = {child.task_spec for child in task.children}
    for node in events_at(task):
        known, key = before.get(node), f"{node.model.id}/{node.element.id}"
        if node in there:
            continue
        if known is not None and same_event(known, node):
            if key not in idle:
                continue  # it came already
            if known.element.event == node.element.event:
                task.internal_data.setdefault("idle", []).append(key)
                continue
        if task.workflow.begin(node, task).id in task.workflow.tasks:
            yield node.element.id
    if isinstance(task.task_spec, EventGateway):
        task.task_spec.refuse_endless(task)


def events_at(task: Task) -> list[Node]:
    """The events that wait beside a task while it is alive, unless they have come already."""
    node, instance = task.task_spec, task.workflow
    found = list(node.boundaries)
    if isinstance(node, EventGateway):
        found += [node.model.nodes[flow.target] for flow in node.flows]
    if isinstance(node, Scope) and not _interrupted(task):
        called = isinstance(node, Call) and node.element.called
        home = instance.model.processes[called] if called else node.model
        found += home.event_starts(called or node.element.id)
    return found


def _interrupted(task: Task) -> bool:
    """Whether an event subprocess has put an end to everything else in a scope."""
    handlers = (child.task_spec for child in task.children if isinstance(child.task_spec, EventSubprocess))
    return any(each.model.start_of(each.element.id).element.interrupting for each in handlers)


def _rename_members(old: MultiInstance, task: Task) -> None:
    """What the members and their results are called may have changed."""
    new, table = task.task_spec.loop, task.workflow.scopes.table
    inside = table[task.internal_data["inside"]].values
    if old.loop.output != new.output:
        results = inside.pop(old.loop.output, []) if old.loop.output else []
        inside |= {new.output: results} if new.output else {}
    if old.loop.item and new.item and old.loop.item != new.item:
        for child in task.children:
            if "scope" in child.internal_data:
                values = table[child.internal_data["scope"]].values
                values[new.item] = values.pop(old.loop.item)


def _hand_in(old: Call, task: Task) -> None:
    """A called process may be given more than before."""
    instance, new = task.workflow, task.task_spec.taken_in
    more = {name: instance.value(task, new[name]) for name in new.keys() - old.taken_in.keys()}
    instance.scopes.write(task.internal_data["inside"], more)


def _wait_on(old: Catch, task: Task) -> None:
    """An event goes on waiting: a timer for the instant it waits for, everything else as the new version says it."""
    new, data = task.task_spec, task.internal_data
    if new.cycle is not None and old.cycle is not None and new.cycle.period != old.cycle.period:
        data |= {"since": data["due"], "before": data["times"]}
    if new.element.policy.get("key") != old.element.policy.get("key"):
        data.pop("key", None)
        if new.key is not None:
            data["key"] = key_of(task.workflow.value(task, new.key))
    if new.event.expression != old.event.expression:
        data.pop("held", None)


def look_again(before: Instance, case: Instance) -> None:
    """What would long have gone on in the new version goes on: the tokens at joins, and activities that had enough."""
    for number, task in list(case.tasks.items()):
        if case.tasks.get(number) is not task:
            continue
        for name in list(task.internal_data.get("joins", {})):
            case.touched.add(number)
            _arrive_at(case.node_in(task, name), task)
        old = before.tasks[number].task_spec if number in before.tasks else None
        if isinstance(old, MultiInstance) and old.loop.until != task.task_spec.loop.until:
            values = case.scopes.table[task.internal_data["inside"]].values
            if values["nrOfCompletedInstances"] and task.task_spec.stops(task):
                task.task_spec.finish(task)


def _arrive_at(node: Node, container: Task) -> None:
    """The tokens that wait where a flow ends: a join looks at them again, anything else takes them."""
    joins = container.internal_data["joins"]
    if not isinstance(node, Join):
        for flow, count in joins.pop(node.name).items():
            for _ in range(count):
                container.workflow.follow((node.model.diagram.flows[flow],), container)
    waiting = -1
    while isinstance(node, Join) and node.name in joins and waiting != sum(joins[node.name].values()):
        waiting = sum(joins[node.name].values())
        node.look(container)


def would_go_on(case: Instance) -> list[str]:
    """The elements at which a case that ``look_again`` has seen does not wait any more; it is of no use afterwards."""
    met = [
        task.task_spec.element.id
        for task in case.conditions.values()
        if "held" not in task.internal_data and task.task_spec.holds(task)
    ]
    if not case.queue:
        case.settle_inclusive()
    return [*(task.task_spec.element.id for task in case.queue), *met]
