"""Plays a drawn process on the real runtime, without a database: the case is frozen and thawed after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from bpmn.diagram import Element, Operation
from bpmn.durations import Duration, parse_duration
from engine.calendar import occurrence
from engine.errors import Incident
from engine.runtime import arriving, moving
from engine.runtime.arriving import Arrival
from engine.runtime.happenings import Happening, Waiting, WorkItem
from engine.runtime.instance import Instance
from forms.functions import FUNCTIONS
from forms.values import PersonRef, Value
from tests.drawing import Drawn

PURE: Mapping[str, Callable[..., Value]] = {
    name: function.run for name, function in FUNCTIONS.items() if function.run is not None
}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class House:
    """The runtime's host in tests: one instant, pure functions, and a service task that gives back its parameter."""

    def __init__(self) -> None:
        self.now = NOON
        self.given: dict[str, Value] = {"applicant": PersonRef("applicant"), "params": {"limit": 3}}
        self.functions: Mapping[str, Callable[..., Value]] = PURE
        self.operated: list[tuple[str, str]] = []

    def operate(
        self,
        element: Element,
        operation: Operation,
        parameters: Mapping[str, Value],
        process: str,
        names: Mapping[str, Value],
    ) -> Value:
        """Remember what was asked, and give back the parameter ``value``."""
        self.operated.append((element.id, operation.name))
        return parameters["value"]

    def occurrence(self, since: datetime, period: Duration, times: int) -> datetime:
        """As the engine's calendar counts it."""
        return occurrence(since, period, times)

    def moment(self, form: str, value: Value) -> datetime | None:
        """A date is due at its last instant (UTC will do here), a duration counts from now."""
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime.combine(value, datetime.min.time(), UTC) + timedelta(days=1)
        duration = parse_duration(value) if form == "duration" and isinstance(value, str) else None
        if duration:
            return self.now + timedelta(days=duration.days, seconds=duration.seconds)
        if value is None:
            return None
        raise Incident("不是时刻", "this is no instant")


class Play:
    """A case of a drawn process. Only its two texts live from one step to the next."""

    def __init__(self, drawn: Drawn, values: Mapping[str, Value] | None = None, /, **more: Value) -> None:
        self.drawn, self.host = drawn, House()
        self.told: list[Happening] = []
        self.opened: dict[int, WorkItem] = {}
        self.closed: dict[int, str] = {}
        self._keep(Instance.started(drawn.model, self._with_acts(None), {**(values or {}), **more}))

    def _with_acts(self, instance: Instance | None) -> House:
        """The host; ``rounds`` and ``acted`` ask the case itself."""
        if instance is not None:
            self.host.functions = {**PURE, "rounds": instance.rounds, "acted": instance.acted}
        return self.host

    def _keep(self, instance: Instance) -> None:
        self.state, self.scopes = instance.frozen()
        self.told, self.opened, self.closed = instance.happenings, instance.opened, instance.closed

    def thawed(self) -> Instance:
        """The case as it was last frozen."""
        instance = Instance.thawed(self.drawn.model, self.host, self.state, self.scopes)
        self._with_acts(instance)
        return instance

    # What is to be seen.

    def open(self) -> list[str]:
        """The elements of the open work items, sorted; one that is open twice is there twice."""
        return sorted(task.task_spec.element.id for task in self.thawed().items())

    def waits(self) -> list[str]:
        """The elements of the timers and messages that are awaited, sorted."""
        return sorted(event.element.id for event in self.thawed().waiting())

    def awaited(self, element: str) -> Waiting:
        """The oldest awaited event of this element."""
        return next(event for event in self.thawed().waiting() if event.element.id == element)

    def tokens(self, element: str) -> list[int]:
        """The numbers of the open work items of this element, oldest first."""
        return [task.id for task in self.thawed().items() if task.task_spec.element.id == element]

    def item(self, element: str) -> WorkItem:
        """The work item of this element that the last step opened."""
        return next(item for item in self.opened.values() if item.element.id == element)

    def variables(self) -> dict[str, Value]:
        """The variables of the case itself."""
        return dict(self.thawed().scopes.table[1].values)

    def names(self, element: str, number: int = 0) -> Mapping[str, Value]:
        """What an open work item of this element can read."""
        return self.thawed().names(self.tokens(element)[number])

    @property
    def ended(self) -> bool:
        """Whether the case is over."""
        return self.thawed().ended

    @property
    def outcome(self) -> Value:
        """How the case ended."""
        return self.thawed().outcome

    def happened(self, kind: str) -> list[str]:
        """The elements at which something of this kind happened in the last step."""
        return [happening.element for happening in self.told if happening.kind == kind]

    # What is to be done.

    def do(self, element: str, values: Mapping[str, Value] | None = None, /, *, nth: int = 0, **more: Value) -> None:
        """Complete a work item of this element (the oldest, unless ``nth`` says otherwise) with these answers."""
        self.do_as("somebody", element, {**(values or {}), **more}, nth=nth)

    def do_as(self, person: str, element: str, values: Mapping[str, Value], *, nth: int = 0) -> None:
        """The same, by this person."""
        instance = self.thawed()
        instance.complete(self.tokens(element)[nth], values, [person])
        self._keep(instance)

    def fire(self, element: str, **values: Value) -> None:
        """Let the awaited event of this element happen."""
        instance = self.thawed()
        instance.fire(self.awaited(element).token, values)
        self._keep(instance)

    def move(self, drawn: Drawn, renamed: Mapping[str, str] | None = None) -> Arrival:
        """Let the case go on in another drawing, as migration does. AssertionError with what stands in the way."""
        old = self.thawed()
        move = moving.Move(old.model, drawn.model, renamed or {})
        assert [text.en for text in moving.obstacles(old, drawn.model, move.renamed)] == []
        new = Instance.thawed(drawn.model, self.host, *moving.texts(old, move))
        self._with_acts(new)
        arrival = arriving.arrive(old, new, move)
        arriving.look_again(old, new)
        new.run()
        self.drawn = drawn
        self._keep(new)
        return arrival

    def obstacles(self, drawn: Drawn, renamed: Mapping[str, str] | None = None) -> list[str]:
        """What stands in the way of that, in English; each is said in Chinese too."""
        found = list(moving.obstacles(self.thawed(), drawn.model, renamed or {}))
        assert all(text.zh for text in found)
        return [text.en for text in found]


def incident(act: Callable[[], object]) -> str:
    """The English sentence of the incident that an act ends in; the Chinese one must name the same element."""
    with pytest.raises(Incident) as raised:
        act()
    assert raised.value.text.zh
    return raised.value.text.en
