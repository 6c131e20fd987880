"""Finds the errors that nothing catches: within a process, and of the processes it calls. Judges main processes only.

A called process may end in an error; whether that is caught is a matter of whoever calls it. (An escalation that nobody
catches has no effect in BPMN, so there is nothing to find.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings

if TYPE_CHECKING:
    from bpmn.surroundings import ProcessSignature, Surroundings

ANY = ""
"""What catches errors without naming one: codes are never empty."""


class Catchers:
    """The events of a diagram that catch errors, by what they are attached to or lie in."""

    def __init__(self, diagram: Diagram) -> None:
        self._elements = diagram.elements
        self._borders: dict[str, set[str]] = {}
        self._inside: dict[str, set[str]] = {}
        self._interrupting: set[str] = set()
        for element in diagram.elements.values():
            handler = diagram.elements.get(element.container)
            starts = element.type == "startEvent" and handler is not None and handler.type == "eventSubProcess"
            if starts and element.interrupting:
                self._interrupting.add(element.container)
            if element.event is None or element.event.kind != "error":
                continue
            code = element.event.code or ANY
            if element.attached_to:
                self._borders.setdefault(element.attached_to, set()).add(code)
            elif starts and handler is not None:
                self._inside.setdefault(handler.container, set()).add(code)

    def around(self, element: Element) -> set[str]:
        """The codes that are caught where this element throws, from its own border outwards."""
        found = set(self._borders.get(element.id, ()))
        here: Element | None = element
        while here is not None:
            # Whatever interrupts a scope has put an end to the other events that waited in it.
            if here.id not in self._interrupting:
                found |= self._inside.get(here.container, set())
            here = self._elements.get(here.container)
            found |= self._borders.get(here.id, set()) if here is not None else set()
        return found


def thrown_out(diagram: Diagram) -> Iterator[tuple[Element, str]]:
    """The elements that throw an error which nothing in the diagram catches, with its code."""
    catchers = Catchers(diagram)
    for element in diagram.elements.values():
        event = element.event
        if element.type != "endEvent" or event is None or event.kind != "error" or not event.code:
            continue
        if not {event.code, ANY} & catchers.around(element):
            yield element, event.code


def sheltered(diagram: Diagram) -> frozenset[str]:
    """Every call as one text: the process called, and behind tabs the codes of errors that are caught around it."""
    catchers = Catchers(diagram)
    calls = (each for each in diagram.elements.values() if each.called)
    return frozenset("\t".join([each.called or "", *sorted(catchers.around(each))]) for each in calls)


def errors_of(process: str, processes: Mapping[str, ProcessSignature]) -> frozenset[str]:
    """The codes of errors with which a called process may end, those of the processes it calls among them."""
    found: set[str] = set()
    # What stays uncaught grows with the way from the process called first; each way is walked with what catches there.
    waiting: list[tuple[str, frozenset[str]]] = [(process, frozenset())]
    seen = set(waiting)
    while waiting:
        here, caught = waiting.pop()
        told = processes.get(here)
        if told is None or ANY in caught:
            continue
        found |= told.errors - caught
        for call in told.sheltered:
            called, *codes = call.split("\t")
            further = (called, caught | frozenset(codes))
            if further not in seen:
                seen.add(further)
                waiting.append(further)
    return frozenset(found)


def check_uncaught(diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    """Report what would end a main process in an error that nobody catches: the case would stand still there."""
    if diagram.process.policy.get("kind", "main") != "main":
        return
    for element, code in thrown_out(diagram):
        findings.add("uncaught-error", element.line, element.id,
                     f"没有事件捕获错误 {code[:80]}，案卷会停在这里："
                     "请在外层子流程的边界上或用事件子流程捕获它，或改为普通的结束事件",
                     f"no event catches the error {code[:80]}, so that the case would stand still here: catch it on "
                     "the border of a subprocess around it or by an event subprocess, or make this a plain end event")
    catchers = Catchers(diagram)
    for element in diagram.elements.values():
        if element.called is None:
            continue
        caught = catchers.around(element)
        for code in sorted(errors_of(element.called, surroundings.processes) - caught) if ANY not in caught else ():
            findings.add("uncaught-error", element.line, element.id,
                         f"被调用的流程 {element.called} 可能以错误 {code[:80]} 结束，而没有事件捕获它："
                         "请在此调用的边界上捕获",
                         f"the called process {element.called} may end in the error {code[:80]}, which no event "
                         "catches: catch it on the border of this call")
