"""Cases that stand still (异常), for system administrators: what is wrong, and the ways to bring each of them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from engine import inbox, incidents
from engine.desk import Desk
from engine.errors import NotYours, Unusable
from engine.people import name_of, names
from engine.trail.words import Speaker
from engine.work import Work
from forms.saying import Teller, persons_in
from webui.page import act, actor, go, language, look, said, show, visitor, vocabulary
from webui.refusals import status_of

bp = Blueprint("incidents", __name__)

KINDS = ("text", "integer", "money", "date", "yes_no", "json", "expression")
"""How the value of a variable may be written, in the order in which the page offers it."""


def is_administrator() -> bool:
    """Whether the person signed in may bring cases on that stand still."""
    person = visitor()
    return person is not None and incidents.ADMINISTRATOR in person.roles


def refuse_others(work: Work) -> None:
    """Only administrators look after incidents."""
    if not is_administrator():
        who = name_of(work, actor())
        raise NotYours(f"{who}不是系统管理员", f"{who} is not a system administrator", ("role",))


@bp.get("/incidents")
def index() -> Response:
    """All cases that stand still, the longest first."""
    with look() as work:
        refuse_others(work)
        rows = [
            {**row, "name": step_name(Desk.thawed(work, inbox.case(work, row["case"])), row["element"])}
            for row in incidents.standing_still(work)
        ]
        return show("incidents.html", rows=rows)


def step_name(desk: Desk, element: str) -> str:
    """A step in the language of the page."""
    return Speaker(language(), {}, desk.deployed, vocabulary()).anywhere(element).said(language())


@bp.get("/incidents/<document:incident>")
def page(incident: str) -> Response:
    """One incident, with what can be done about it."""
    return shown(incident)


def shown(incident: str, status: int = 200, problem: str | None = None) -> Response:
    """The page of an incident, with what went wrong and what was entered."""
    with look() as work:
        refuse_others(work)
        row = incidents.one(work, incident)
        desk = Desk.thawed(work, inbox.case(work, row["case"]))
        values = incidents.variables(desk)
        teller = Teller(language(), names(work, {one for value in values.values() for one in persons_in(value)}))
        return show(
            "incident.html",
            status=status,
            problem=problem,
            row=row,
            name=step_name(desk, row["element"]),
            values=[(name, teller.plain(value)) for name, value in values.items()],
            kinds=KINDS,
            skippable=incidents.skippable(desk, row["element"]),
            proposed_by=name_of(work, row["skip_by"]) if row["skip_by"] else None,
            own=row["skip_by"] == actor(),
            entered=request.form,
        )


@bp.post("/incidents/<document:incident>/retry")
def retry(incident: str) -> Response:
    """Try the step again."""
    with act("retry", incident) as work:
        incidents.retry(work, incident)
    return onwards(incident)


@bp.post("/incidents/<document:incident>/correction")
def correct(incident: str) -> Response:
    """Give a variable another value."""
    entered = [request.form.get(field, "") for field in ("name", "value", "reason", "kind")]
    return judged(incident, "correct", entered, lambda work: incidents.correct(work, incident, *entered))


@bp.post("/incidents/<document:incident>/skip")
def skip(incident: str) -> Response:
    """Propose to go on without the step, or as a second administrator do it."""
    reason = request.form.get("reason", "")
    return judged(incident, "skip", [reason], lambda work: incidents.skip(work, incident, reason))


def judged(incident: str, verb: str, entered: list[str], do: Callable[[Work], Any]) -> Response:
    """Do it, or show the page again with what is wrong with what was entered."""
    try:
        with act(verb, incident, *entered) as work:
            do(work)
    except Unusable as refusal:
        return shown(incident, status_of(refusal), said(refusal.text))
    return onwards(incident)


def onwards(incident: str) -> Response:
    """To the case once it goes on, else back to what still stands still."""
    with look() as work:
        row = incidents.one(work, incident)
    if row["closed_at"] is None:
        return go("incidents.page", incident=incident)
    return go("cases.page", case=row["case"])
