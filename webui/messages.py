"""What one may tell a case while it waits: drawn messages with their forms, the withdrawal, remarks, files, recusal."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, request, url_for

from bpmn.work_items import ANYONE
from engine import cases, inbox, items
from engine.cases import WITHDRAW, decided, senders
from engine.desk import Desk
from engine.errors import NotFound, NotYours, Refusal, Unusable, WrongState
from engine.people import recuse, standing
from engine.runtime.happenings import Waiting
from engine.work import Work
from forms.answer import unmet
from forms.filling import initial
from webui.checking import filled_so_far, refused_form
from webui.page import act, actor, go, look, new_key, said, show
from webui.paper import Paper, documents_of, paper_of
from webui.posted import Posted, read_posted
from webui.publicities import OBJECTION

bp = Blueprint("messages", __name__)


def sendable(desk: Desk) -> list[Waiting]:
    """The messages the case awaits now and the person signed in may send, each once."""
    about = standing(desk.work, actor())
    found: dict[str, Waiting] = {}
    for event in desk.instance.waiting():
        name = event.element.event.name if event.element.event else None
        if event.due is None and name and {actor(), ANYONE, *about.roles} & senders(desk, event):
            found[name] = event
    return list(found.values())


def awaited(work: Work, case: str, name: str) -> tuple[Desk, Waiting]:
    """A message the person signed in may send to a case now, whether or not they may look into the case."""
    desk = Desk.thawed(work, inbox.case(work, case))
    for event in sendable(desk):
        if event.element.event and event.element.event.name == name:
            return desk, event
    if name != OBJECTION:
        visible(work, case)
    number = desk.row["number"]
    raise WrongState(
        f"案卷 {number} 现在不接收您的“{name}”",
        f"the case {number} does not await the message {name!r} from you now",
        case=case,
    )


def from_outside(work: Work, case: str) -> str | None:
    """The message that somebody may send who may not look into the case; None if there is none, or they may."""
    row = inbox.case(work, case)
    if row["status"] != "open" or inbox.may_see(work, row):
        return None
    awaited_now = [event.element.event for event in sendable(Desk.thawed(work, row))]
    return next((event.name for event in awaited_now if event), None)


def visible(work: Work, case: str) -> Desk:
    """A case on the desk, for somebody who may look into it."""
    row = inbox.case(work, case)
    if not inbox.may_see(work, row):
        raise NotYours(
            f"您与案卷 {row['number']} 无关，不能查看",
            f"you have no part in the case {row['number']} and may not see it",
            ("role",),
        )
    return Desk.thawed(work, row)


def paper_for(desk: Desk, event: Waiting) -> Paper | None:
    """The form of a message, if it has one."""
    if not event.element.policy.get("form"):
        return None
    return paper_of(desk, desk.deployed.form(event.process, event.element.id), event.token)


@bp.get("/cases/<case:case>/messages/<code:name>")
def page(case: str, name: str) -> Response:
    """A message one may send, with its form."""
    with look() as work:
        desk, event = awaited(work, case, name)
        paper = paper_for(desk, event)
        if paper and (demands := unmet(paper.form, paper.world)):
            return show("unmet.html", status=409, title=said(paper.form.title), demands=demands)
        sheet = paper.fresh(initial(paper.form, paper.world)) if paper else None
        return show("message.html", sheet=sheet, key=new_key(), **surroundings(desk, event))


def surroundings(desk: Desk, event: Waiting) -> dict[str, Any]:
    """Everything on the page besides the form."""
    assert event.element.event
    name = event.element.event.name
    where = url_for("messages.check", case=desk.row["id"], name=name)
    back = None if inbox.may_see(desk.work, desk.row) else url_for(outside(name))
    return {"case": desk.row, "element": event.element, "message": name, "again": where, "back": back}


def outside(message: str | None) -> str:
    """Where somebody who may not look into a case goes from a message to it."""
    return "publicities.index" if message == OBJECTION else "inbox.notices"


@bp.post("/cases/<case:case>/messages/<code:name>/check")
def check(case: str, name: str) -> Response:
    """The form as filled in so far. Nothing is changed."""
    with look() as work:
        desk, event = awaited(work, case, name)
        paper = paper_for(desk, event)
        if paper is None:
            raise NotFound("这条消息没有表单", "this message has no form")
        posted = read_posted(paper.form, paper.documents)
        return filled_so_far(paper, posted, "message.html", **surroundings(desk, event))


@bp.post("/cases/<case:case>/messages/<code:name>")
def send(case: str, name: str) -> Response:
    """Send the message and go back to the case, or show its form again with all that is wrong."""
    posted = read(case, name)
    if posted and posted.problems:
        return again(case, name, posted, None)
    try:
        with act(name, case, *(posted.body if posted else ())) as work:
            if name == WITHDRAW:
                cases.withdraw(work, case, posted.answer if posted else {})
            else:
                cases.send(work, case, name, posted.answer if posted else {})
    except (NotYours, NotFound):
        raise
    except Refusal as refusal:
        if posted is None:
            raise
        return again(case, name, posted, refusal)
    with look() as work:
        seen = inbox.may_see(work, inbox.case(work, case))
    return go("cases.page", case=case) if seen else go(outside(name))


def read(case: str, name: str) -> Posted | None:
    """What was sent for the message's form, however the case stands by now."""
    with look() as work:
        desk = Desk.thawed(work, inbox.case(work, case))
        for process, contents in desk.deployed.contents.items():
            for element in contents.diagram.elements.values():
                if element.event and element.event.name == name and element.policy.get("form"):
                    return read_posted(desk.deployed.form(process, element.id), documents_of(desk))
    return None


def again(case: str, name: str, posted: Posted, refusal: Refusal | None) -> Response:
    """The form again, with what was entered."""
    with look() as work:
        desk, event = awaited(work, case, name)
        paper = paper_for(desk, event)
        assert paper is not None
        return refused_form(paper, posted, refusal, "message.html", **surroundings(desk, event))


# The withdrawal that no diagram draws.


def draws_withdrawal(desk: Desk) -> bool:
    """Whether the diagram has a message of that name; then it takes precedence."""
    return any(
        element.event is not None and element.event.name == WITHDRAW
        for contents in desk.deployed.contents.values()
        for element in contents.diagram.elements.values()
    )


def may_withdraw(desk: Desk) -> bool:
    """Whether the built-in withdrawal is open to the person signed in."""
    if draws_withdrawal(desk) or desk.instance.ended or desk.row["applicant"] != actor():
        return False
    return not decided(desk)


@bp.get("/cases/<case:case>/withdrawal")
def ask_why(case: str) -> Response:
    """Withdraw, really? The page asks for the reason."""
    with look() as work:
        desk = visible(work, case)
        return show("withdrawal.html", case=desk.row, key=new_key())


@bp.post("/cases/<case:case>/withdrawal")
def withdraw(case: str) -> Response:
    """Withdraw the case."""
    reason = request.form.get("reason", "")
    with act("withdraw", case, reason) as work:
        cases.withdraw(work, case, {"reason": reason})
    return go("cases.page", case=case)


# Remarks, files, recusal.


@bp.post("/cases/<case:case>/comments")
def comment(case: str) -> Response:
    """Add a remark."""
    words = request.form.get("words", "")
    with act("comment", case, words) as work:
        items.comment(work, case, words)
    return go("cases.page", case=case)


@bp.post("/cases/<case:case>/documents")
def attach(case: str) -> Response:
    """Attach a file."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Unusable("请先选择一个文件", "choose a file first")
    data = file.read()
    with act("attach", case, file.filename, hashlib.sha256(data).hexdigest()) as work:
        items.attach(work, case, file.filename, data)
    return go("cases.page", case=case, _anchor="documents")


@bp.get("/cases/<case:case>/recusal")
def ask_interest(case: str) -> Response:
    """Declare that one must stand aside in this case."""
    with look() as work:
        desk = visible(work, case)
        return show("recusal.html", case=desk.row, key=new_key())


@bp.post("/cases/<case:case>/recusal")
def declare_interest(case: str) -> Response:
    """Keep the declaration; from now on no work item of this case is open to this person."""
    reason = request.form.get("reason", "")
    with look() as work:
        visible(work, case)
    with act("recuse", case, reason) as work:
        recuse(work, actor(), reason, case=case)
    return go("inbox.mine")
