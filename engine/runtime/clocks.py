"""The clocks that run in a case: which timers wait until when, and how one is put off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from SpiffWorkflow.util.task import TaskState

from bpmn.diagram import Element
from engine.runtime.events import Catch
from engine.runtime.instance import Instance


@dataclass(frozen=True, slots=True)
class Clock:
    """A timer that waits: until when, and by which ``form`` (date, duration, cycle) that was counted."""

    token: int
    process: str
    element: Element
    form: str
    due: datetime


def running(instance: Instance) -> Iterator[Clock]:
    """The timers of a case that run, the oldest first."""
    for number, task in sorted(instance.tasks.items()):
        node = task.task_spec
        if task.state == TaskState.WAITING and isinstance(node, Catch) and node.event.kind == "timer":
            due = datetime.fromisoformat(task.internal_data["due"])
            yield Clock(number, node.model.id, node.element, node.event.form or "date", due)


def put_off(instance: Instance, clock: Clock, until: datetime, stood: timedelta) -> None:
    """Let a timer wait until another instant; a cycle is counted on from its beginning, later by what stood still."""
    data = instance.tasks[clock.token].internal_data
    data["due"] = until.isoformat()
    if "since" in data:
        data["since"] = (datetime.fromisoformat(data["since"]) + stood).isoformat()
