"""What is thrown inside a case, and who catches it: errors and escalations outwards, signals and messages across."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from bpmn.diagram import Element
from engine.errors import Incident
from engine.runtime.events import Boundary, Catch, EventStart, key_of
from engine.runtime.specs import Node, attribute, optional
from forms.expressions import Expression
from forms.values import Value

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


class Throw(Node):
    """An event or send task that throws, and goes on. A link event's flows are those of the link it leads to."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.key = optional(element.policy.get("key"))

    def _run_hook(self, task: Task) -> bool:
        self.throw(task)
        return True

    def throw(self, task: Task) -> None:
        """Throw whatever this element throws; what catches it happens at once."""
        event = self.element.event
        match event.kind if event else "none":
            case "error":
                throw_error(task)
            case "escalation":
                throw_escalation(task)
            case "signal":
                throw_signal(task)
            case "message":
                throw_message(task, key_of(task.workflow.value(task, self.key)) if self.key else None)

    def _on_complete_hook(self, task: Task) -> None:
        # What caught it may have interrupted the very scope this token was in.
        if task.workflow.tasks.get(task.id) is task:
            super()._on_complete_hook(task)


class End(Throw):
    """An end event: the token is gone, and the process or called process remembers the outcome."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.outcome = attribute(element, "outcome")
        self.terminates = element.event is not None and element.event.kind == "terminate"

    def _run_hook(self, task: Task) -> bool:
        instance, container = task.workflow, task.parent
        instance.tell("end.reached", self, self.remember_outcome(task))
        if self.terminates:
            for other in [child for child in container.children if child is not task]:
                instance.cancel(other)
            container.internal_data.pop("joins", None)
        self.throw(task)
        return True

    def remember_outcome(self, task: Task) -> dict[str, Value]:
        """How the process around ends, if this end says so: an event subprocess may end the process it lies in."""
        keeper = task.parent
        while keeper.task_spec.passes_outcome:
            keeper = keeper.parent
        said = self.outcome
        if not keeper.task_spec.keeps_outcome or (keeper is not task.parent and not said):
            return {}
        outcome = task.workflow.value(task, said) if isinstance(said, Expression) else ",".join(said)
        keeper.internal_data["outcome"] = outcome
        return {"outcome": outcome}


def throw_error(task: Task) -> None:
    """An error goes outwards to the nearest event that catches it; one that nobody catches is an incident."""
    node, instance = task.task_spec, task.workflow
    code = node.element.event.code
    instance.passed("error.thrown", task, {"code": code})
    catching = catcher(task, "error", code)
    if catching is None:
        raise Incident(
            f"“{node.element.name}”（{node.element.id}）抛出的错误 {code} 没有事件捕获",
            f"the error {code} thrown by {node.element.id} is caught by no event",
        )
    caught(catching, "error.caught", code)


def throw_escalation(task: Task) -> None:
    """An escalation goes outwards to the nearest event that catches it; if nobody does, the case simply goes on."""
    node = task.task_spec
    code = node.element.event.code
    catching = catcher(task, "escalation", code)
    task.workflow.passed("escalation.thrown", task, {"code": code, "caught": catching is not None})
    if catching is not None:
        caught(catching, "escalation.caught", code)


def throw_signal(task: Task) -> None:
    """A signal comes to everything in the case that waits for it at this moment, the oldest first."""
    node, instance = task.task_spec, task.workflow
    instance.passed("signal.thrown", task, {"signal": node.element.event.name})
    instance.broadcast(node.element.event.name)


def throw_message(task: Task, key: str | None) -> None:
    """A message comes to one event that waits for it, the oldest, before all one with its very key; else it is told.

    An event whose message has a form waits for a person's answer, which nobody inside the case can give.
    """
    node, instance = task.task_spec, task.workflow
    name = node.element.event.name
    fitting = [
        each
        for each in awaiting(instance.tasks, "message", name)
        if each.task_spec.meets(each, key) and "form" not in each.task_spec.element.policy
    ]
    same = [each for each in fitting if key is not None and each.internal_data.get("key") == key]
    found = next(iter(same or fitting), None)
    to = found.task_spec.element.id if found is not None else None
    instance.passed("message.thrown", task, {"message": name, "key": key, "to": to})
    if found is not None:
        instance.receive(found, {})


def catcher(task: Task, kind: str, code: str | None) -> Task | None:
    """The nearest event around a task that catches this code, at each level one that names it before one for any.

    What is inside an activity (an event subprocess) is nearer than what is on its border.
    """
    place: Task | None = task
    while place is not None:
        for where in (EventStart, Boundary):
            armed = [
                each
                for each in place.children
                if isinstance(each.task_spec, where)
                and each.task_spec.event.kind == kind
                and each.state == TaskState.WAITING
            ]
            for wanted in (code, None):
                for each in armed:
                    if each.task_spec.event.code == wanted:
                        return each
        place = place.parent
    return None


def caught(catching: Task, kind: str, code: str | None) -> None:
    """An event catches an error or escalation; ``policy:into`` is the variable that receives its code."""
    node, instance = catching.task_spec, catching.workflow
    into = node.element.policy.get("into")
    if into:
        instance.write(catching, {into: code})
    instance.passed(kind, catching, {"code": code, "written": {into: code} if into else {}})
    instance.occur(catching)


def awaiting(tasks: Mapping[int, Task], kind: str, name: str | None) -> Iterator[Task]:
    """The events that wait for a message or signal of this name, the oldest first."""
    for _, task in sorted(tasks.items()):
        node = task.task_spec
        if (
            task.state == TaskState.WAITING
            and isinstance(node, Catch)
            and node.event.kind == kind
            and node.event.name == name
        ):
            yield task
