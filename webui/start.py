"""Starting a case: the page of its first form, and the act itself. Nothing is kept until the form is accepted."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from engine import cases, starting
from engine.admission import Item, admit
from engine.desk import Desk
from engine.errors import NotYours, Refusal, Unusable
from engine.work import Work
from forms.answer import unmet
from forms.filling import initial
from webui.checking import filled_so_far, refused_form
from webui.page import act, go, look, new_key, said, show
from webui.paper import Paper, paper_of
from webui.posted import Posted, read_posted

bp = Blueprint("start", __name__)


def rehearsed(work: Work, process: str) -> tuple[Desk, Item, Paper]:
    """The case as it would begin, for somebody who may begin it."""
    desk, item = starting.begin(work, process, rehearse=True)
    admit(desk, item, "look")
    form = desk.deployed.form(item["process"], item["element"])
    return desk, item, paper_of(desk, form, item["token"], has_case=False)


def surroundings(desk: Desk, item: Item) -> dict[str, Any]:
    """Everything on the page besides the form."""
    element = desk.deployed.element(item["process"], item["element"])
    where = url_for("start.check", process=desk.deployed.process)
    return {"deployed": desk.deployed, "process": desk.deployed.diagram.process, "element": element, "again": where}


@bp.get("/processes/<code:process>/application")
def page(process: str) -> Response:
    """The first form of a new case."""
    with look() as work:
        desk, item, paper = rehearsed(work, process)
        if demands := unmet(paper.form, paper.world):
            return show("unmet.html", status=409, title=said(paper.form.title), demands=demands)
        sheet = paper.fresh(initial(paper.form, paper.world))
        return show("start.html", sheet=sheet, key=new_key(), **surroundings(desk, item))


@bp.post("/processes/<code:process>/application-check")
def check(process: str) -> Response:
    """The form as filled in so far. Nothing is changed."""
    with look() as work:
        desk, item, paper = rehearsed(work, process)
        return filled_so_far(paper, read_posted(paper.form, {}), "start.html", **surroundings(desk, item))


@bp.post("/cases")
def start() -> Response:
    """Start a case and go to its page, or show the form again with all that is wrong."""
    process = request.form.get("_process", "")
    with look() as work:
        if not process:
            raise Unusable("没有写明办理哪项业务", "it is not said which process to start")
        paper = rehearsed(work, process)[2]
        posted = read_posted(paper.form, {})
    if posted.problems:
        return again(process, posted, None)
    try:
        with act("start", process, *posted.body) as work:
            case = cases.start(work, process, posted.answer)
    except NotYours:
        raise
    except Refusal as refusal:
        return again(process, posted, refusal)
    return go("cases.page", case=case)


def again(process: str, posted: Posted, refusal: Refusal | None) -> Response:
    """The form again, with what was entered; its files, which no case could keep yet, have to be attached anew."""
    with look() as work:
        desk, item, paper = rehearsed(work, process)
        return refused_form(paper, posted, refusal, "start.html", **surroundings(desk, item))
