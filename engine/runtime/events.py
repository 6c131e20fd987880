"""Events that wait: in a flow, on the border of an activity, at the start of an event subprocess. When is for the host.

Of what is thrown inside a case, ``throwing`` finds the events that catch it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from bpmn.diagram import Element
from bpmn.durations import parse_cycle
from engine.errors import Incident
from engine.runtime.specs import Node, optional
from forms.expressions import Expression, Unset, compile_expression
from forms.values import PersonRef, Value

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


class Catch(Node):
    """An event that waits: a timer until its instant, a message until somebody sends it, a condition until it holds."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        assert element.event is not None
        self.event = element.event
        self.timer: Expression | None = None
        if self.event.kind == "timer" and self.event.form == "date":
            self.timer = compile_expression(self.event.expression or "")
        cycling = self.event.kind == "timer" and self.event.form == "cycle"
        self.cycle = parse_cycle(self.event.expression or "") if cycling else None
        self.condition = optional(self.event.expression) if self.event.kind == "conditional" else None
        self.key = optional(element.policy.get("key"))

    def _update_hook(self, task: Task) -> bool:
        instance = task.workflow
        if self.event.kind == "timer":
            due = self.due(task)
            if due is None:
                self.stay_idle(task)
                return False
            self.arm(task, due)
        elif self.event.kind == "message" and self.key is not None:
            task.internal_data["key"] = key_of(instance.value(task, self.key))
        elif self.event.kind == "conditional":
            instance.conditions[task.id] = task
        task._set_state(TaskState.WAITING)
        return False

    def stay_idle(self, task: Task) -> None:
        """A timer without an instant is no rival behind an event-based gateway; alone it would wait for ever."""
        if not isinstance(task.parent.task_spec, EventGateway):
            raise Incident(
                f"定时事件“{self.element.name}”（{self.element.id}）没有时刻，流程将永远等待",
                f"the timer event {self.element.id} has no instant, so the case would wait for ever",
            )
        self.drop_idle(task)

    def drop_idle(self, task: Task) -> None:
        """Not to wait at all; what it would have waited beside remembers that, for a case that changes its version."""
        task.parent.internal_data.setdefault("idle", []).append(f"{self.model.id}/{self.element.id}")
        task.workflow.drop(task)

    def due(self, task: Task) -> str | None:
        """The instant (ISO, UTC) at which the timer falls due, computed once when waiting starts."""
        instance = task.workflow
        value = instance.value(task, self.timer) if self.timer else self.event.expression
        moment: datetime | None
        try:
            if self.cycle is not None:
                moment = self._occurrence(task)
            else:
                moment = instance.host.moment(self.event.form or "date", value)
        except Incident as cause:
            raise Incident(
                f"定时事件“{self.element.name}”（{self.element.id}）：{cause.text.zh}",
                f"the timer event {self.element.id}: {cause.text.en}",
            ) from cause
        return moment.isoformat() if moment else None

    def _occurrence(self, task: Task) -> datetime:
        """The next instant of a cycle, counted from when waiting first started, so that nothing drifts."""
        assert self.cycle is not None
        host, data = task.workflow.host, task.internal_data
        data.setdefault("since", host.now.isoformat())
        data.setdefault("times", 1)
        times = data["times"] - data.get("before", 0)
        instant: datetime = host.occurrence(datetime.fromisoformat(data["since"]), self.cycle.period, times)
        return instant

    def arm(self, task: Task, due: str) -> None:
        """Remember the instant with the task, and tell it with what was read."""
        task.internal_data["due"] = due
        values = task.workflow.read(task, self.timer) if self.timer else {}
        about: dict[str, Value] = {"token": task.id, "due": due, "expression": self.event.expression, "values": values}
        task.workflow.tell("timer.armed", self, about)

    def holds(self, task: Task) -> bool:
        """Whether a conditional event's condition holds now; while a name in it is not yet written, it does not."""
        assert self.condition is not None
        try:
            return bool(task.workflow.holds(task, self.condition))
        except Incident as cause:
            if isinstance(cause.__cause__, Unset):
                return False
            raise

    def meets(self, task: Task, key: str | None) -> bool:
        """Whether a message with this key is for this event: equal keys meet, and no key meets any."""
        own = task.internal_data.get("key")
        return key is None or own is None or own == key

    def once_more(self, task: Task) -> dict[str, Value] | None:
        """What an event that does not interrupt waits with for its next time; None when it does not come again."""
        if self.event.kind == "conditional":
            return {"held": True}
        if self.event.kind == "signal":
            return {"first": task.internal_data.get("first", task.id)}
        if self.event.kind != "timer":
            return {}
        data, cycle = task.internal_data, self.cycle
        if cycle is None or (cycle.times is not None and data["times"] >= cycle.times):
            return None
        kept = {name: data[name] for name in ("since", "before") if name in data}
        return {**kept, "times": data["times"] + 1}


def key_of(value: Value) -> str | None:
    """A correlation key as text, so that a key from outside can be compared with it."""
    if isinstance(value, PersonRef):
        return value.id
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)


class Receive(Catch):
    """A receive task: waits for a message like an event, and is an activity with events on its border."""

    def _update_hook(self, task: Task) -> bool:
        self.arm_boundaries(task)
        return super()._update_hook(task)


class Armed(Catch):
    """An event that waits beside the tokens while something is alive, and is no token itself."""

    def stay_idle(self, task: Task) -> None:
        """A timer without an instant is not armed."""
        self.drop_idle(task)

    def again(self, task: Task, around: Task) -> None:
        """Wait for the next time, where there is one."""
        data = self.once_more(task)
        if data is not None:
            task.workflow.begin(self, around, data)


class Boundary(Armed):
    """An event on the border of an activity, waiting as a child of the activity's task."""

    def _on_complete_hook(self, task: Task) -> None:
        instance, host = task.workflow, task.parent
        container = instance.container(host)
        instance.drop(task)
        if self.element.interrupting:
            instance.cancel(host)
        else:
            self.again(task, host)
        instance.follow(self.flows, container)


class EventStart(Armed):
    """The start of an event subprocess, waiting as a child of the scope that the subprocess lies in."""

    def _on_complete_hook(self, task: Task) -> None:
        instance, around = task.workflow, task.parent
        instance.drop(task)
        if self.element.interrupting:
            # What waits on the border of the scope is no part of what happens in it, and stays.
            for other in [each for each in around.children if not isinstance(each.task_spec, Boundary)]:
                instance.cancel(other)
            around.internal_data.pop("joins", None)
        else:
            self.again(task, around)
        instance.begin(self.model.nodes[self.element.container], around)


class EventGateway(Node):
    """Waits for whichever of the events behind it comes first."""

    def _update_hook(self, task: Task) -> bool:
        for flow in self.flows:
            task.workflow.begin(self.model.nodes[flow.target], task)
        self.refuse_endless(task)
        task._set_state(TaskState.STARTED)
        return False

    def refuse_endless(self, task: Task) -> None:
        """Without an event that can come, the case would never go on."""
        if not task.children:
            raise Incident(
                f"事件网关“{self.element.name}”（{self.element.id}）之后没有一个定时器有时刻，流程将永远等待",
                f"no timer behind the event gateway {self.element.id} has an instant, so the case would wait for ever",
            )

    def child_done(self, task: Task, child: Task) -> None:
        """The event that came takes the gateway, with its rivals, along."""
        task.workflow.leave(task, child.task_spec.chosen(child))
