"""The README's table of processes says what the library holds: each one, its names, and who starts it."""

from __future__ import annotations

from pathlib import Path

from bpmn.diagram import Diagram, Element
from bpmn.reader import read_diagram
from bpmn.surroundings import listed
from engine.library import Library

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def first_task(diagram: Diagram, container: str) -> Element | None:
    """The first user task that a scope comes to."""
    waiting = [each.id for each in diagram.within(container) if each.type == "startEvent"]
    for key in waiting:  # grows while it is walked
        element = diagram.elements[key]
        inner = first_task(diagram, key) if element.type == "subProcess" else None
        if element.type == "userTask" or inner is not None:
            return inner or element
        waiting += [target for each in element.outgoing if (target := diagram.flows[each].target) not in waiting]
    return None


def table() -> str:
    library = Library.standing()
    roles = library.vocabulary().roles
    rows = ["| process | 中文 | English | 谁启动 · who starts it |", "|---|---|---|---|"]
    diagrams = [read_diagram(library.package(name).files["process.bpmn"], name) for name in library.processes()]
    for diagram in sorted(diagrams, key=lambda each: each.process.policy.get("kind", "main") != "main"):
        process = diagram.process
        callers = [each.process.id for each in diagrams
                   if any(element.called == process.id for element in each.elements.values())]
        if process.policy.get("kind", "main") == "main":
            task = first_task(diagram, process.id)
            held = [roles[each] for each in listed(task.policy.get("role") if task else None)]
            who = "；".join(f"{role.zh} · {role.en}" for role in held)
        else:
            who = "被调用 · called" + (" by " + ", ".join(f"`{each}`" for each in callers) if callers else "")
        assert who
        rows.append(f"| `{process.id}` | {process.name} | {process.policy['title-en']} | {who} |")
    return "\n".join(rows)


def test_the_readme_names_every_process_of_the_library_and_who_starts_it() -> None:
    told = README.partition("<!-- processes -->")[2].partition("<!-- /processes -->")[0].strip()
    assert told == table()
