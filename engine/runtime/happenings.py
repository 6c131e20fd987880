"""What a step leaves behind for the engine to record: happenings, work items, timers. Plain values, no tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bpmn.diagram import Element, Operation
from bpmn.durations import Duration
from forms.values import Value


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened at one element; ``kind`` is the trail's event kind, ``about`` its particulars."""

    kind: str
    element: str
    process: str
    about: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A user task that has opened: who may do it and by when. ``token`` is its task number within the case."""

    token: int
    process: str
    element: Element
    roles: tuple[str, ...]
    assignees: tuple[str, ...]
    excluded: tuple[str, ...]
    due: Value


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something the case waits for besides people: a timer's instant, or a message by name and, if it has one, key."""

    token: int
    process: str
    element: Element
    due: datetime | None
    key: str | None = None


class Host(Protocol):
    """What the runtime asks of the engine around it while a case runs."""

    @property
    def now(self) -> datetime:
        """The one instant of this decision, aware, UTC."""

    @property
    def given(self) -> Mapping[str, Value]:
        """Names the system gives: params, case, applicant, today."""

    @property
    def functions(self) -> Mapping[str, object]:
        """The functions expressions may call, those of the calendar and the registers included."""

    def operate(
        self,
        element: Element,
        operation: Operation,
        parameters: Mapping[str, Value],
        process: str,
        names: Mapping[str, Value],
    ) -> Value:
        """Do one operation of a service task of a process, where these names can be read, and give its result."""

    def moment(self, form: str, value: Value) -> datetime | None:
        """When a timer is due: ``form`` date (a date ends at 24:00 of that day) or duration; None is not armed."""

    def occurrence(self, since: datetime, period: Duration, times: int) -> datetime:
        """When a cycle that began at an instant comes for the ``times``-th time: months by the day it began on."""
