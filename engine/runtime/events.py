"""Events that wait: in a flow, on the border of an activity, behind an event-based gateway. When is for the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from bpmn.diagram import Element
from engine.errors import Incident
from engine.runtime.specs import Node
from forms.expressions import Expression, compile_expression
from forms.values import Value

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


class Catch(Node):
    """An event that waits: a timer until its instant, a message until somebody sends it."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        assert element.event is not None
        self.event = element.event
        self.timer: Expression | None = None
        if self.event.kind == "timer" and self.event.form == "date":
            self.timer = compile_expression(self.event.expression or "")

    def _update_hook(self, task: Task) -> bool:
        if self.event.kind == "timer":
            due = self.due(task)
            if due is None:
                self.stay_idle(task)
                return False
            self.arm(task, due)
        task._set_state(TaskState.WAITING)
        return False

    def stay_idle(self, task: Task) -> None:
        """A timer without an instant is no rival behind an event-based gateway; alone it would wait for ever."""
        if not isinstance(task.parent.task_spec, EventGateway):
            raise Incident(
                f"定时事件“{self.element.name}”（{self.element.id}）没有时刻，流程将永远等待",
                f"the timer event {self.element.id} has no instant, so the case would wait for ever",
            )
        task.workflow.drop(task)

    def due(self, task: Task) -> str | None:
        """The instant (ISO, UTC) at which the timer falls due, computed once when waiting starts."""
        instance = task.workflow
        value = instance.value(task, self.timer) if self.timer else self.event.expression
        try:
            moment = instance.host.moment(self.event.form or "date", value)
        except Incident as cause:
            raise Incident(
                f"定时事件“{self.element.name}”（{self.element.id}）：{cause.text.zh}",
                f"the timer event {self.element.id}: {cause.text.en}",
            ) from cause
        return moment.isoformat() if moment else None

    def arm(self, task: Task, due: str) -> None:
        """Remember the instant with the task, and tell it with what was read."""
        task.internal_data["due"] = due
        values = task.workflow.read(task, self.timer) if self.timer else {}
        about: dict[str, Value] = {"due": due, "expression": self.event.expression, "values": values}
        task.workflow.tell("timer.armed", self, about)


class Boundary(Catch):
    """An event on the border of an activity, waiting as a child of the activity's task."""

    def stay_idle(self, task: Task) -> None:
        """A timer without an instant is not armed."""
        task.workflow.drop(task)

    def _on_complete_hook(self, task: Task) -> None:
        instance, host = task.workflow, task.parent
        container = instance.container(host)
        instance.drop(task)
        if self.element.interrupting:
            instance.cancel(host)
        elif self.event.kind == "message":
            instance.begin(self, host)
        instance.follow(self.flows, container)


class EventGateway(Node):
    """Waits for whichever of the events behind it comes first."""

    def _update_hook(self, task: Task) -> bool:
        for flow in self.flows:
            task.workflow.begin(self.model.nodes[flow.target], task)
        if not task.children:
            raise Incident(
                f"事件网关“{self.element.name}”（{self.element.id}）之后没有一个定时器有时刻，流程将永远等待",
                f"no timer behind the event gateway {self.element.id} has an instant, so the case would wait for ever",
            )
        task._set_state(TaskState.STARTED)
        return False

    def child_done(self, task: Task, child: Task) -> None:
        """The event that came takes the gateway, with its rivals, along."""
        task.workflow.leave(task, child.task_spec.flows)
