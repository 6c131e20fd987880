"""The page on which people name a substitute for themselves (委托), see who stands in for whom, and end it."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, request

from engine import substitutes
from engine.errors import Unusable
from engine.people import names
from webui.page import act, go, look, new_key, said, show
from webui.refusals import status_of

bp = Blueprint("substitutes", __name__)


@bp.get("/substitutes")
def index() -> Response:
    """Who stands in for whom, and the form to name somebody."""
    return page()


def page(status: int = 200, problem: str | None = None) -> Response:
    """The page, with what went wrong and what was entered."""
    with look() as work:
        rows = substitutes.own(work)
        people = names(work, {row[side] for row in rows for side in ("person", "substitute")})
        # One choice says both: who, and in which role; so nothing can be chosen that does not fit.
        choices = [(role, one) for role, found in substitutes.candidates(work).items() for one in found]
        return show(
            "substitutes.html",
            status=status,
            problem=problem,
            rows=rows,
            people=people,
            choices=choices,
            today=work.today,
            entered=request.form,
            key=new_key(),
        )


@bp.post("/substitutes")
def name() -> Response:
    """Name a substitute, or show the form again with what is wrong."""
    said_ = {field: request.form.get(field, "") for field in ("who", "starts_on", "ends_on", "reason")}
    try:
        role, _, substitute = said_["who"].partition("/")
        starts_on, ends_on = day(said_["starts_on"]), day(said_["ends_on"])
        with act("delegate", *said_.values()) as work:
            substitutes.name_substitute(work, substitute, role, starts_on, ends_on, said_["reason"])
    except Unusable as refusal:
        return page(status_of(refusal), said(refusal.text))
    return go("substitutes.index")


def day(text: str) -> date:
    """A day as the form gives it."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unusable("请填写开始和结束日期", "give the first and the last day") from error


@bp.post("/substitutes/<document:delegation>/ending")
def end(delegation: str) -> Response:
    """End a delegation."""
    with act("end_delegation", delegation) as work:
        substitutes.take_back(work, delegation)
    return go("substitutes.index")
