"""One SpiffWorkflow task spec for each kind of BPMN element: what it does when a token comes, runs, and leaves.

A spec knows its element and nothing of a case; all it needs of the running case it finds in ``task.workflow``, an
``Instance``. A new kind of element is a new class and a line in ``builder``. Here are start, end and tasks; gateways,
events and the activities that contain others have files of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task

from bpmn.diagram import Element, Flow
from engine.errors import Incident
from engine.runtime.happenings import WorkItem
from forms.expressions import Assignment, Expression, compile_expression, compile_script
from forms.values import PersonRef, Value

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


def optional(source: str | None) -> Expression | None:
    """The compiled expression, or None where the diagram gives none."""
    return compile_expression(source) if source else None


def attribute(element: Element, name: str) -> Expression | tuple[str, ...]:
    """A policy attribute that is either ``=expression`` or a comma-separated list of words."""
    text = element.policy.get(name, "").strip()
    if text.startswith("="):
        return compile_expression(text[1:])
    return tuple(word.strip() for word in text.split(",") if word.strip())


class Node(BpmnSpecMixin):
    """An element that a token passes: it becomes ready at once, runs, and leaves by its flows."""

    keeps_outcome = False
    """Whether an end event inside says how this ends: true of a process and a called one."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name)
        self.element, self.model = element, model
        self.flows: tuple[Flow, ...] = tuple(model.diagram.flows[flow] for flow in element.outgoing)
        self.boundaries: list[Node] = []

    def test(self) -> None:
        """Nothing: what the library checks here at every step, the gate has proved before deployment."""

    def receive(self, flow: Flow, container: Task) -> None:
        """Take the token that arrives on a flow; a join counts instead."""
        container.workflow.begin(self, container)

    def _update_hook(self, task: Task) -> bool:
        return True

    def _on_ready_hook(self, task: Task) -> None:
        if not self.manual:
            task.workflow.queue.append(task)

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        """The flows the token leaves by."""
        return self.flows

    def _on_complete_hook(self, task: Task) -> None:
        task.parent.task_spec.child_done(task.parent, task)

    def child_done(self, task: Task, child: Task) -> None:
        """What becomes of a token inside that has run: in a scope it goes on by the flows of its element."""
        task.workflow.leave(child, child.task_spec.chosen(child))

    def arm_boundaries(self, task: Task) -> None:
        """Set the boundary events of an activity waiting, as children of its task."""
        for boundary in self.boundaries:
            task.workflow.begin(boundary, task)


class Start(Node):
    """A start event: where the first token of a process or subprocess is born."""


class End(Node):
    """An end event: the token is gone, and the process or called process remembers the outcome."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.outcome = attribute(element, "outcome")
        self.terminates = element.event is not None and element.event.kind == "terminate"

    def _run_hook(self, task: Task) -> bool:
        instance, container = task.workflow, task.parent
        about: dict[str, Value] = {}
        if container.task_spec.keeps_outcome:
            said = self.outcome
            outcome = instance.value(task, said) if isinstance(said, Expression) else ",".join(said)
            container.internal_data["outcome"] = outcome
            about["outcome"] = outcome
        instance.tell("end.reached", self, about)
        if self.terminates:
            for other in [child for child in container.children if child is not task]:
                instance.cancel(other)
            container.internal_data.pop("joins", None)
        return True


class UserTask(Node):
    """A work item of a person. It stays ready until the engine completes it with a checked answer."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.manual = True
        self.roles = attribute(element, "role")
        self.assignee = attribute(element, "assignee")
        self.due = optional(element.policy.get("due"))
        self.excluded = optional(element.policy.get("excluded"))

    def _update_hook(self, task: Task) -> bool:
        self.arm_boundaries(task)
        instance = task.workflow
        if self.element.loop is None:
            instance.acts.pop(f"{self.model.id}/{self.element.id}/by", None)
        instance.open_item(task, self.work_item(task))
        return True

    def work_item(self, task: Task) -> WorkItem:
        """Who may do this task and by when, as the variables stand when it opens."""
        instance = task.workflow
        said = self.roles
        roles = [
            str(role) for role in (self._list(instance.value(task, said)) if isinstance(said, Expression) else said)
        ]
        assignees: list[str] = []
        names = self.assignee
        if isinstance(names, Expression):
            for person in self._list(instance.value(task, names)):
                if not isinstance(person, PersonRef):
                    raise Incident(
                        f"“{self.element.name}”（{self.element.id}）的经办人应为人员，实际为 {person!r}",
                        f"the assignee of {self.element.id} must be a person, but is {person!r}",
                    )
                assignees.append(person.id)
        elif "applicant" in names:
            assignees.append(instance.person("applicant"))
        excluded = self._list(instance.value(task, self.excluded)) if self.excluded else []
        return WorkItem(
            token=task.id,
            process=self.model.id,
            element=self.element,
            roles=tuple(roles),
            assignees=tuple(assignees),
            excluded=tuple(dict.fromkeys(person.id for person in excluded if isinstance(person, PersonRef))),
            due=instance.value(task, self.due) if self.due else None,
        )

    @staticmethod
    def _list(value: Value) -> list[Value]:
        return value if isinstance(value, list) else [] if value is None else [value]


class Script(Node):
    """A script task: assignments in the one expression language, in order, into its own scope."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.assignments: tuple[Assignment, ...] = compile_script(element.script or "")

    def _run_hook(self, task: Task) -> bool:
        instance = task.workflow
        written: dict[str, Value] = {}
        for assignment in self.assignments:
            value = instance.value(task, assignment.expression)
            instance.write(task, {assignment.name: value})
            written[assignment.name] = value
        instance.tell("step.passed", self, {"written": written})
        return True


class Service(Node):
    """A service task: operations of the engine's closed list, in order."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.operations = [
            (each, {key: compile_expression(source) for key, source in each.parameters.items()})
            for each in element.operations
        ]

    def _run_hook(self, task: Task) -> bool:
        instance = task.workflow
        written: dict[str, Value] = {}
        for operation, parameters in self.operations:
            values = {key: instance.value(task, expression) for key, expression in parameters.items()}
            result = instance.host.operate(self.element, operation, values)
            if operation.into:
                instance.write(task, {operation.into: result})
                written[operation.into] = result
        names = [operation.name for operation, _ in self.operations]
        instance.tell("step.passed", self, {"operations": list(names), "written": written})
        return True
