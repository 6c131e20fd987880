"""A work item: its form with what was answered before, and what one may do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request

from engine import cases, inbox, items
from engine.access import judge, unbar
from engine.admission import Item, admit, door, refuse_done
from engine.answers import earlier
from engine.desk import Desk
from engine.errors import AlreadyDone, Invalid, NotFound, NotYours, Refusal
from engine.people import find, standing
from engine.work import Work
from forms.answer import Problem, unmet
from forms.filling import initial
from webui.checking import filled_so_far, refused_form
from webui.earlier import earlier_answers
from webui.page import act, actor, go, language, look, new_key, said, show, site, visitor
from webui.paper import Paper, paper_of
from webui.posted import Posted, read_posted
from webui.stored import everybody

bp = Blueprint("tasks", __name__)


def opened(work: Work, task: str) -> tuple[Desk, Item]:
    """An open work item on the desk, for somebody who may do it."""
    item = inbox.task(work, task)
    desk = Desk.thawed(work, inbox.case(work, item["case"]))
    refuse_done(desk, item, "look")
    admit(desk, item, "look")
    return desk, item


def paper_for(desk: Desk, item: Item) -> Paper:
    """The form of a work item."""
    return paper_of(desk, desk.deployed.form(item["process"], item["element"]), item["token"])


def opening(desk: Desk, item: Item, paper: Paper) -> dict[str, Any]:
    """What the form opens with: the draft, else what it computes, its defaults and earlier answers."""
    draft = items.draft_of(item)
    if draft is not None:
        return draft
    element = desk.deployed.element(item["process"], item["element"])
    own = element.loop is not None or unbar(item["assignees"]) not in ((), (desk.row["applicant"],))
    before = earlier(desk, item["process"], item["element"], paper.form, actor() if own else None)
    return initial(paper.form, paper.world, before)


@bp.get("/tasks/<task:task>")
def page(task: str) -> Response:
    """The work item: what is asked, what was answered before."""
    with look() as work:
        try:
            desk, item = opened(work, task)
        except AlreadyDone as refusal:
            return show("task_done.html", item=inbox.task(work, task), said=said(refusal.text))
        paper = paper_for(desk, item)
        demands = unmet(paper.form, paper.world)
        if demands:
            return show("unmet.html", status=409, title=said(paper.form.title), demands=demands, about=surroundings(desk, item))
        sheet = paper.fresh(opening(desk, item, paper))
        return show("task.html", sheet=sheet, key=new_key(), draft=item["draft"] is not None, **surroundings(desk, item))


def surroundings(desk: Desk, item: Item) -> dict[str, Any]:
    """Everything on the page besides the form."""
    element = desk.deployed.element(item["process"], item["element"])
    return {
        "item": {**item, "overdue": inbox.overdue(desk.work, item)},
        "case": desk.row,
        "element": element,
        "mine": item["claimed_by"] == actor(),
        "shared": item["claimed_by"] is None and not unbar(item["assignees"]),
        "roles": unbar(item["roles"]),
        "answers": earlier_answers(desk),
        "may_reassign": item["claimed_by"] == actor() or "sysadmin" in (v.roles if (v := visitor()) else ()),
    }


@bp.post("/tasks/<task:task>/check")
def check(task: str) -> Response:
    """The form as filled in so far: what is shown, computed and wrong now. Nothing is changed."""
    with look() as work:
        desk, item = opened(work, task)
        paper = paper_for(desk, item)
        posted = read_posted(paper.form, paper.documents)
        fragment = request.headers.get("X-Fragment")
        return filled_so_far(paper, posted, "task.html", **({} if fragment else surroundings(desk, item)))


def read(task: str) -> tuple[Item, Posted]:
    """The work item, open or not, and what was sent for its form."""
    with look() as work:
        item = inbox.task(work, task)
        desk = Desk.thawed(work, inbox.case(work, item["case"]))
        documents = paper_documents(desk)
        return item, read_posted(desk.deployed.form(item["process"], item["element"]), documents)


def paper_documents(desk: Desk) -> dict[str, Any]:
    """The documents of a case by id, as values."""
    from webui.paper import references

    return references(inbox.documents(desk.work, desk.row["id"]))


@bp.post("/tasks/<task:task>/completion")
def complete(task: str) -> Response:
    """Complete the work item and go to its case, or show the form again with all that is wrong."""
    item, posted = read(task)
    if posted.problems and item["closed_at"] is None:
        return again(task, posted)
    try:
        with act("complete", task, *posted.body) as work:
            case = cases.complete(work, task, posted.answer)
    except Invalid as invalid:
        return again(task, posted, invalid, invalid.problems)
    except (AlreadyDone, NotYours, NotFound):
        raise
    except Refusal as refusal:
        return again(task, posted, refusal)
    return go("cases.page", case=case)


@bp.post("/tasks/<task:task>/draft")
def save_draft(task: str) -> Response:
    """Keep what is entered so far."""
    item, posted = read(task)
    if posted.problems and item["closed_at"] is None:
        return again(task, posted)
    keep_draft(task, posted, keyed=True)
    return go("tasks.page", task=task, _anchor="saved")
