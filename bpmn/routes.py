"""Which elements a token can go to from which: successors, boundary events, reachability. Judges nothing.

A token comes to a boundary event from the activity it is attached to, and over a link without a flow. Every walk is a
loop over a list, so that no chain is too long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bpmn.diagram import Diagram

Steps = Mapping[str, tuple[str, ...]]


def successors(diagram: Diagram) -> dict[str, tuple[str, ...]]:
    """For every element, the elements its token can go to next: its boundary events, then the targets of its flows."""
    following: dict[str, list[str]] = {key: [] for key in diagram.elements}
    for element in diagram.elements.values():
        if element.attached_to in following:
            following[element.attached_to].append(element.id)
    for source, target in links(diagram).items():
        following[source].append(target)
    for element in diagram.elements.values():
        targets = (diagram.flows[flow].target for flow in element.outgoing)
        following[element.id].extend(target for target in targets if target in following)
    return {key: tuple(dict.fromkeys(targets)) for key, targets in following.items()}


def links(diagram: Diagram) -> dict[str, str]:
    """For every link event that throws, the one of the same name and container that catches, where there is one."""
    caught: dict[tuple[str, str | None], str] = {}
    for element in diagram.elements.values():
        if element.type == "intermediateCatchEvent" and element.event and element.event.kind == "link":
            caught.setdefault((element.container, element.event.name), element.id)
    return {
        element.id: caught[element.container, element.event.name]
        for element in diagram.elements.values()
        if element.type == "intermediateThrowEvent"
        and element.event
        and element.event.kind == "link"
        and (element.container, element.event.name) in caught
    }


def reversed_steps(steps: Steps) -> dict[str, tuple[str, ...]]:
    """The same steps walked backwards."""
    back: dict[str, list[str]] = {key: [] for key in steps}
    for key, targets in steps.items():
        for target in targets:
            back[target].append(key)
    return {key: tuple(sources) for key, sources in back.items()}


def reached(starts: Iterable[str], steps: Steps, *, not_through: str | None = None) -> set[str]:
    """Everything that can be reached from ``starts`` (which count as reached) without entering ``not_through``."""
    seen: set[str] = set()
    waiting = [start for start in starts if start != not_through]
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting.extend(target for target in steps.get(key, ()) if target not in seen and target != not_through)
    return seen


class Ways:
    """Along which incoming flows of a join a token can still come, from wherever it is; found once for all joins.

    Elements of the join's own container only: a token deeper inside counts by the activity that contains it. A way that
    passes through the join itself is none. (Who waits for whom at an inclusive join follows from this.)
    """

    def __init__(self, diagram: Diagram, joins: Iterable[str]) -> None:
        self._first: dict[str, int] = {}
        self._every: dict[str, int] = {}
        steps = successors(diagram)
        ends: dict[str, int] = dict.fromkeys(steps, 0)
        number = 0
        for join in joins:
            incoming = diagram.elements[join].incoming
            self._first[join], self._every[join] = number, (1 << len(incoming)) - 1
            for flow in incoming:
                source = diagram.flows[flow].source
                ends[source] = ends.get(source, 0) | 1 << number
                number += 1
        self._reached = self._spread(ends, steps)

    def along(self, join: str, place: str) -> int:
        """The incoming flows of the join, the first of them as bit 0, along which a token can come from this place."""
        return (self._reached.get(place, 0) >> self._first[join]) & self._every[join]

    def _spread(self, ends: Mapping[str, int], steps: Steps) -> dict[str, int]:
        """All flows that can be reached, by element, as one number: what a successor reaches, its predecessors do."""
        before = reversed_steps(steps)
        own = {join: self._every[join] << first for join, first in self._first.items()}
        found = {key: bits & ~own.get(key, 0) for key, bits in ends.items()}
        waiting = dict.fromkeys(key for key in reversed(found) if found[key])
        while waiting:
            key = next(iter(waiting))
            del waiting[key]
            reached = found[key]
            for source in before.get(key, ()):
                more = reached & ~own.get(source, 0) | found[source]
                if more != found[source]:
                    found[source] = more
                    waiting[source] = None
        return found
