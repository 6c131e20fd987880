"""The diagram on a page: drawn by ``bpmn.picture``, the only markup that is not written in a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from bpmn.diagram import Diagram
from bpmn.picture import Mark, Marks, draw
from engine.desk import Desk
from forms.words import Text
from webui.page import language

Row = Mapping[str, Any]

DONE = frozenset(
    {
        "task.completed",
        "step.passed",
        "decision.made",
        "gateway.taken",
        "end.reached",
        "timer.fired",
        "message.received",
        "process.called",
    }
)


def drawn(diagram: Diagram, marks: Marks) -> Markup:
    """The diagram as SVG; every text in it is escaped where it is drawn."""
    english = diagram.process.policy.get("name-en") or diagram.process.policy.get("title-en", "")
    title = Text(diagram.process.name, english).said(language())
    return Markup(draw(diagram, marks, language(), title=title))  # noqa: S704 - see the docstring


def marks_of(desk: Desk, events: Iterable[Row], items: Iterable[Row]) -> Marks:
    """How the elements of the case's own diagram are marked: done, open, overdue."""
    elements = desk.deployed.diagram.elements
    marks: dict[str, set[Mark]] = {}
    for each in elements.values():
        if each.type == "startEvent" and each.container == desk.deployed.process:
            marks[each.id] = {"done"}
    for row in events:
        if row["kind"] in DONE and row["element"] in elements:
            marks.setdefault(row["element"], set()).add("done")
    for item in items:
        if item["closed_at"] is None and item["process"] == desk.deployed.process:
            late = item["due"] is not None and item["due"] < desk.work.today
            marks.setdefault(item["element"], set()).update({"open", "overdue"} if late else {"open"})
    return {element: frozenset(found) for element, found in marks.items()}


def last_in(desk: Desk, events: Iterable[Row]) -> str | None:
    """The element of the case's own diagram that was passed last."""
    passed = [row["element"] for row in events if row["kind"] in DONE]
    return next((each for each in reversed(passed) if each in desk.deployed.diagram.elements), None)
