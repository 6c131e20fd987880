"""Starting a case by a message that one may send: the page of its form, and the act itself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, url_for

from bpmn.diagram import Element
from engine import definitions, starting
from engine.desk import Desk
from engine.errors import NotFound, NotYours, Refusal
from engine.work import Work
from forms.answer import unmet
from forms.filling import initial
from webui.checking import filled_so_far, refused_form
from webui.page import act, go, look, new_key, said, show
from webui.paper import Paper, paper_of
from webui.posted import Posted, read_posted

bp = Blueprint("start_messages", __name__)


def offered(work: Work) -> dict[str, list[Element]]:
    """The message start events by which the person signed in may start a case, by process."""
    found: dict[str, list[Element]] = {}
    for row in starting.sendable(work):
        deployed = definitions.deployed(work, row["definition"])
        found.setdefault(deployed.process, []).append(deployed.diagram.elements[row["element"]])
    return found


def rehearsed(work: Work, process: str, name: str) -> tuple[Desk, Element, Paper | None]:
    """The case as it would begin, for somebody who may send the message; the form is None where it has none."""
    for element in offered(work).get(process, ()):
        if element.event and element.event.name == name:
            deployed = definitions.current(work, process)
            desk = starting.begun_by_message(work, deployed, element.id, rehearse=True)
            if not element.policy.get("form"):
                return desk, element, None
            form = deployed.form(process, element.id)
            return desk, element, paper_of(desk, form, desk.instance.start.id, has_case=False)
    raise NotYours(
        f"您不能以“{name}”开始“{process}”", f"you may not start {process!r} by {name!r}", ("role",)
    )


def surroundings(desk: Desk, element: Element) -> dict[str, Any]:
    """Everything on the page besides the form."""
    assert element.event
    process, name = desk.deployed.process, element.event.name
    return {
        "deployed": desk.deployed,
        "process": desk.deployed.diagram.process,
        "element": element,
        "action": url_for("start_messages.send", process=process, name=name),
        "again": url_for("start_messages.check", process=process, name=name),
    }


@bp.get("/processes/<code:process>/messages/<code:name>")
def page(process: str, name: str) -> Response:
    """A message by which one may start a case, with its form."""
    with look() as work:
        desk, element, paper = rehearsed(work, process, name)
        if paper and (demands := unmet(paper.form, paper.world)):
            return show("unmet.html", status=409, title=said(paper.form.title), demands=demands)
        sheet = paper.fresh(initial(paper.form, paper.world)) if paper else None
        return show("start_message.html", sheet=sheet, key=new_key(), **surroundings(desk, element))


@bp.post("/processes/<code:process>/messages/<code:name>/check")
def check(process: str, name: str) -> Response:
    """The form as filled in so far. Nothing is changed."""
    with look() as work:
        desk, element, paper = rehearsed(work, process, name)
        if paper is None:
            raise NotFound("这条消息没有表单", "this message has no form")
        posted = read_posted(paper.form, {})
        return filled_so_far(paper, posted, "start_message.html", **surroundings(desk, element))


@bp.post("/processes/<code:process>/messages/<code:name>")
def send(process: str, name: str) -> Response:
    """Send the message and go to the case it started, or show its form again with all that is wrong."""
    with look() as work:
        paper = rehearsed(work, process, name)[2]
        posted = read_posted(paper.form, {}) if paper else None
    if posted and posted.problems:
        return again(process, name, posted, None)
    try:
        with act(name, process, *(posted.body if posted else ())) as work:
            case = starting.by_message(work, name, posted.answer if posted else {}, process)
    except NotYours:
        raise
    except Refusal as refusal:
        if posted is None:
            raise
        return again(process, name, posted, refusal)
    return go("cases.page", case=case)


def again(process: str, name: str, posted: Posted, refusal: Refusal | None) -> Response:
    """The form again, with what was entered; its files, which no case could keep yet, have to be attached anew."""
    with look() as work:
        desk, element, paper = rehearsed(work, process, name)
        assert paper is not None
        return refused_form(paper, posted, refusal, "start_message.html", **surroundings(desk, element))
