"""A work item: its form with what was answered before it, and what one may do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from engine import cases, inbox, items
from engine.access import judge, unbar
from engine.admission import Item, admit, door, refuse_done
from engine.answers import earlier, one_of_many, prefilled
from engine.cases import acting
from engine.desk import Desk
from engine.errors import AlreadyDone, NotFound, NotYours, Refusal
from engine.people import everybody, standing
from engine.work import Work
from forms.answer import unmet
from forms.filling import initial
from webui.answered import answered
from webui.checking import filled_so_far, refused_form
from webui.page import act, actor, go, look, new_key, said, show, site, visitor
from webui.paper import Paper, documents_of, kept_files, paper_of
from webui.posted import Posted, read_posted

bp = Blueprint("tasks", __name__)


@bp.get("/tasks/<task:task>")
def page(task: str) -> Response:
    """The work item: what is asked, and what was answered before."""
    with look() as work:
        try:
            desk, item = opened(work, task)
        except AlreadyDone as refusal:
            return show("task_done.html", item=inbox.task(work, task), said=said(refusal.text))
        paper = paper_for(desk, item)
        if demands := unmet(paper.form, paper.world):
            return show("unmet.html", status=409, title=said(paper.form.title), demands=demands)
        sheet = paper.fresh(opening(desk, item, paper))
        return show("task.html", sheet=sheet, key=new_key(), **surroundings(desk, item))


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
    several = one_of_many(desk, item["process"], item["element"])
    own = several or unbar(item["assignees"]) not in ((), (desk.row["applicant"],))
    before = earlier(desk, item["process"], item["element"], paper.form, actor() if own else None)
    return initial(paper.form, paper.world, before, prefilled(item) if before is None else None)


def surroundings(desk: Desk, item: Item) -> dict[str, Any]:
    """Everything on the page besides the form."""
    held = item["claimed_by"] == actor()
    person = visitor()
    return {
        "item": {**item, "overdue": inbox.overdue(desk.work, item)},
        "again": url_for("tasks.check", task=item["id"]),
        "case": desk.row,
        "element": desk.deployed.element(item["process"], item["element"]),
        "process": desk.deployed.diagram.process,
        "held": held,
        "shared": item["claimed_by"] is None and not item["assignees"],
        "roles": unbar(item["roles"]),
        "answers": answered(desk),
        "may_reassign": held or (person is not None and "sysadmin" in person.roles),
    }


@bp.post("/tasks/<task:task>/check")
def check(task: str) -> Response:
    """The form as filled in so far: what is shown, computed and wrong now. Nothing is changed."""
    with look() as work:
        desk, item = opened(work, task)
        paper = paper_for(desk, item)
        posted = read_posted(paper.form, paper.documents)
        around = {} if request.headers.get("X-Fragment") else surroundings(desk, item)
        return filled_so_far(paper, posted, "task.html", **around)


@bp.post("/tasks/<task:task>/completion")
def complete(task: str) -> Response:
    """Complete the work item and go to its case, or show the form again with all that is wrong."""
    item, posted = read(task)
    if posted.problems and item["closed_at"] is None:
        return again(task, posted, None)
    try:
        with act("complete", task, *posted.body) as work:
            case = cases.complete(work, task, posted.answer)
    except (AlreadyDone, NotYours, NotFound):
        raise
    except Refusal as refusal:
        return again(task, posted, refusal)
    return go("cases.page", case=case)


@bp.post("/tasks/<task:task>/draft")
def save_draft(task: str) -> Response:
    """Keep what is entered so far; what cannot be read is shown again instead of being lost."""
    item, posted = read(task)
    if posted.problems and item["closed_at"] is None:
        return again(task, posted, None)
    with look() as work:
        desk, item = opened(work, task)
        answer = paper_for(desk, item).without_hidden(posted.answer)
    with act("save_draft", task, *posted.body) as work:
        items.save_draft(work, task, answer)
    return go("tasks.page", task=task)


def read(task: str) -> tuple[Item, Posted]:
    """The work item, open or not, and what was sent for its form."""
    with look() as work:
        item = inbox.task(work, task)
        desk = Desk.thawed(work, inbox.case(work, item["case"]))
        return item, read_posted(desk.deployed.form(item["process"], item["element"]), documents_of(desk))


def again(task: str, posted: Posted, refusal: Refusal | None) -> Response:
    """The form again, with what was entered. New files are kept with the draft: a browser would not send them twice."""
    with look() as work:
        desk, item = opened(work, task)
        answer = paper_for(desk, item).without_hidden(posted.answer)
    if posted.uploads:
        keep_files(task, posted, answer)
    with look() as work:
        desk, item = opened(work, task)
        return refused_form(paper_for(desk, item), posted, refusal, "task.html", **surroundings(desk, item))


def keep_files(task: str, posted: Posted, answer: dict[str, Any]) -> None:
    """Save a draft for the sake of its files. If the engine takes none of them, they have to be attached again."""
    try:
        with acting(site().database, actor()) as work:
            items.save_draft(work, task, answer)
    except Refusal:
        return
    with look() as work:
        desk, item = opened(work, task)
        kept = items.draft_of(item) or {}
        posted.kept = kept_files(paper_for(desk, item).form.fields, kept)
        posted.uploads = False


@bp.post("/tasks/<task:task>/claim")
def claim(task: str) -> Response:
    """Take the work item, so that no other candidate does it."""
    with act("claim", task) as work:
        items.claim(work, task)
    return go("tasks.page", task=task)


@bp.post("/tasks/<task:task>/release")
def release(task: str) -> Response:
    """Give the work item back to all its candidates."""
    with act("release", task) as work:
        items.release(work, task)
    return go("inbox.mine")


@bp.get("/tasks/<task:task>/reassignment")
def ask_whom(task: str) -> Response:
    """To whom may the work item go? Only those are offered who may do it."""
    with look() as work:
        item = inbox.task(work, task)
        desk = Desk.thawed(work, inbox.case(work, item["case"]))
        refuse_done(desk, item, "look")
        free = {**item, "claimed_by": None}
        fit = [one for one in everybody(work) if not judge(standing(work, one["id"]), door(desk, free)).reasons]
        people = [one for one in fit if one["id"] != item["claimed_by"]]
        return show("reassign.html", item=item, case=desk.row, people=people, key=new_key())


@bp.post("/tasks/<task:task>/reassignment")
def reassign(task: str) -> Response:
    """Put the work item into somebody else's hands."""
    to, reason = request.form.get("to", ""), request.form.get("reason", "")
    with act("reassign", task, to, reason) as work:
        items.reassign(work, task, to, reason)
    with look() as work:
        return go("cases.page", case=inbox.task(work, task)["case"])
