"""Which names an expression at a place of the diagram can read: who brings them, and how far they can be seen.

A multi-instance activity opens a scope; what its children write stays inside, except its declared output. An embedded
subprocess opens none. The order of the steps is not looked at: a name is brought when something somewhere brings it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property

from bpmn.diagram import Diagram, Element
from bpmn.surroundings import CHILD_NAMES, LOOP_NAMES, Surroundings, listed
from forms.expressions import ExpressionError, compile_script


def awaits_message(element: Element) -> bool:
    """Whether an element waits for a message that somebody sends."""
    catches = element.type in ("intermediateCatchEvent", "boundaryEvent", "receiveTask", "startEvent")
    return catches and element.event is not None and element.event.kind == "message"


def form_of(element: Element) -> str | None:
    """The id of the form of a user task (its own id where it names none) or of a message, or None."""
    if element.type == "userTask":
        return element.policy.get("form") or element.id
    return element.policy.get("form") if awaits_message(element) else None


def answers(element: Element) -> bool:
    """Whether an element leaves an answer under its own id."""
    return element.type == "userTask" or awaits_message(element)


class Scopes:
    """The names that can be read in each scope. A scope is named by its activity, the outermost by None."""

    def __init__(self, diagram: Diagram, surroundings: Surroundings) -> None:
        self._diagram = diagram
        self._given = surroundings.given
        self._brought: dict[str | None, set[str]] = {None: set(listed(diagram.process.policy.get("inputs")))}
        self._visible: dict[str | None, frozenset[str]] = {}
        self._scopes: dict[str, str | None] = {}
        for element in diagram.elements.values():
            here, around = self.scope(element), self.around(element)
            self._brought.setdefault(here, set()).update(brought_by(element, surroundings))
            if element.loop:
                self._brought[here].update(LOOP_NAMES | CHILD_NAMES)
                self._brought[here].update(filter(None, (element.loop.item,)))
                self._brought.setdefault(around, set()).update(filter(None, (element.loop.output,)))

    def scope(self, element: Element) -> str | None:
        """The scope in which an element itself reads and writes."""
        return element.id if element.loop else self.around(element)

    def around(self, element: Element) -> str | None:
        """The scope around an element: of the innermost multi-instance activity that contains it."""
        if element.container not in self._scopes:
            outer = self._diagram.elements.get(element.container)
            self._scopes[element.container] = self.scope(outer) if outer else None
        return self._scopes[element.container]

    def inside(self, element: Element) -> frozenset[str]:
        """What can be read in an element; in a multi-instance activity, by each of its children."""
        return self._names(self.scope(element))

    def outside(self, element: Element) -> frozenset[str]:
        """What can be read around an element, such as by the collection of a multi-instance activity."""
        return self._names(self.around(element))

    def between(self, element: Element) -> frozenset[str]:
        """What the completion condition of a multi-instance activity can read: the counts and the results so far."""
        return self.outside(element) | LOOP_NAMES

    def of_process(self) -> frozenset[str]:
        """What can be read outside every multi-instance activity."""
        return self._names(None)

    @cached_property
    def anywhere(self) -> frozenset[str]:
        """Every name that is brought somewhere."""
        return frozenset().union(self._given, *self._brought.values())

    def _names(self, scope: str | None) -> frozenset[str]:
        known = self._visible.get(scope)
        if known is None:
            own = frozenset(self._brought.get(scope, ()))
            known = own | (self._given - LOOP_NAMES - CHILD_NAMES if scope is None else
                           self._names(self.around(self._diagram.elements[scope])))
            self._visible[scope] = known
        return known


def brought_by(element: Element, surroundings: Surroundings) -> Iterator[str]:
    """The names an element writes when it is done: answers and their record, assignments, results."""
    if answers(element):
        yield element.id
    form = form_of(element)
    if form in surroundings.forms:
        yield from surroundings.forms[form or ""].codes
    if element.script:
        # What is wrong with a script is said where it is checked; a name less is no second finding.
        with suppress(ExpressionError):
            yield from (assignment.name for assignment in compile_script(element.script))
    yield from (operation.into for operation in element.operations if operation.into)
    if element.policy.get("into"):
        yield element.policy["into"]
    yield from element.outputs
