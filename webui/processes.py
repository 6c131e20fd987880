"""The catalogue: which processes there are, every version of each, and what a version is made of."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from flask import Blueprint, Response, make_response

from bpmn.diagram import Element
from bpmn.starts import BY_ITSELF, plain_start
from engine import definitions, start_events
from engine.definitions import Deployed
from engine.errors import NotFound
from engine.people import names
from engine.work import Work
from webui.drawing import drawn
from webui.page import look, show, visitor
from webui.start_messages import offered

bp = Blueprint("processes", __name__)

OWNERS = frozenset({"process_owner", "sysadmin"})
"""Roles that may deploy a process."""
AWAITED = frozenset({"timer", "message", "signal", "conditional"})
THROWING = frozenset({"intermediateThrowEvent", "endEvent", "sendTask"})


def may_deploy() -> bool:
    """Whether the person signed in may deploy a process."""
    person = visitor()
    return person is not None and bool(person.roles & OWNERS)


@bp.get("/processes")
def index() -> Response:
    """All processes, those first that the reader may start."""
    with look() as work:
        messages = offered(work)
        listed = [
            entry(work, row.id, row.kind) | {"row": row, "messages": messages.get(row.process, ())}
            for row in definitions.in_force(work)
        ]
        listed.sort(key=lambda each: not (each["mine"] or each["messages"]))
        return show("processes.html", processes=listed, may_deploy=may_deploy())


def entry(work: Work, definition: str, kind: str) -> dict[str, Any]:
    """A process as the catalogue lists it."""
    deployed = definitions.deployed(work, definition)
    first, by_hand = first_task(deployed), plain_start(deployed.diagram) is not None
    roles = [word.strip() for word in (first.policy.get("role", "") if first else "").split(",") if word.strip()]
    person = visitor()
    held = person.roles if person else frozenset()
    return {
        "main": kind == "main",
        "by_hand": by_hand,
        "roles": roles,
        "mine": kind == "main" and by_hand and (bool(held & set(roles)) or not roles),
        "starts": [
            each | {"element": deployed.diagram.elements[each["element"]]}
            for each in start_events.standing(work, deployed.process)
            if each["kind"] in BY_ITSELF
        ],
        "about": deployed.diagram.process,
    }


def first_task(deployed: Deployed) -> Element | None:
    """The first work item of a process that a person starts, as far as the drawing says; None where nobody does."""
    diagram = deployed.diagram
    plain = plain_start(diagram)
    waiting = [plain] if plain else []
    seen: set[str] = set()
    while waiting:
        element = waiting.pop(0)
        if element.type == "userTask":
            return element
        if element.id not in seen:
            seen.add(element.id)
            waiting += [diagram.elements[diagram.flows[flow].target] for flow in element.outgoing]
            waiting += [each for each in diagram.within(element.id) if each.type == "startEvent"]
    return None


@bp.get("/processes/<code:process>")
def process(process: str) -> Response:
    """A process: its versions, newest first."""
    with look() as work:
        rows = definitions.versions(work, process)
        people = names(work, {row["deployed_by"] for row in rows})
        about = entry(work, rows[0]["id"], rows[0]["kind"]) | {"messages": offered(work).get(process, ())}
        return show("process.html", entry=about, versions=rows, people=people, may_deploy=may_deploy())


@bp.get("/processes/<code:process>/versions/<int:number>")
def version(process: str, number: int) -> Response:
    """One version: its diagram, work items, forms, operations, roles, and the articles they rest on."""
    with look() as work:
        row = version_row(work, process, number)
        deployed = definitions.deployed(work, row["id"])
        contents = deployed.contents[process]
        tasks = [each for each in contents.diagram.elements.values() if each.type == "userTask"]
        automatic = [each for each in contents.diagram.elements.values() if each.operations or each.script]
        events = [
            each
            for each in contents.diagram.elements.values()
            if each.event and each.event.kind in AWAITED and each.type not in THROWING
        ]
        ends = [each for each in contents.diagram.elements.values() if each.type == "endEvent"]
        newest = definitions.versions(work, process)[0]["version"] == number
        package = definitions.package_of(work, row["id"])
        scenarios = package.scenarios()
        return show(
            "version.html",
            row=row,
            process=contents.diagram.process,
            picture=drawn(contents.diagram, {}),
            tasks=tasks,
            automatic=automatic,
            events=events,
            ends=ends,
            forms=contents.forms,
            files=sorted(item for item in package.files.items() if item[0] not in scenarios),
            scenarios=scenarios.items(),
            people=names(work, [row["deployed_by"]]),
            newest=newest,
        )


def version_row(work: Work, process: str, number: int) -> dict[str, Any]:
    """The row of one version."""
    for row in definitions.versions(work, process):
        if row["version"] == number:
            return row
    raise NotFound(f"“{process}”没有第 {number} 版", f"there is no version {number} of {process!r}")


@bp.get("/processes/<code:process>/versions/<int:number>/forms/<code:form>")
def form(process: str, number: int, form: str) -> Response:
    """One form of a version: what it asks, under which conditions, and on which basis."""
    with look() as work:
        row = version_row(work, process, number)
        found = definitions.deployed(work, row["id"]).contents[process].forms.get(form)
        if found is None:
            raise NotFound(f"这一版没有表单“{form}”", f"this version has no form {form!r}")
        return show("form.html", row=row, form=found)


@bp.get("/processes/<code:process>/versions/<int:number>/package")
def package(process: str, number: int) -> Response:
    """The files of a version as a zip, to be edited and uploaded again. The same version gives the same bytes."""
    with look() as work:
        row = version_row(work, process, number)
        files = definitions.package_of(work, row["id"]).files
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{process}/{path}"), content, zipfile.ZIP_DEFLATED)
    response = make_response(packed.getvalue())
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Disposition"] = f"attachment; filename={process}-v{number}.zip"
    return response
