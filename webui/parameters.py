"""The configurable values: those in force or of another set, each with its bounds and what it rests on."""

from __future__ import annotations

from flask import Blueprint, Response

from engine import adoption, inbox, parameter_sets
from engine.errors import NotFound
from engine.parameter_sets import ValueSet
from engine.work import Work
from webui.page import look, show

bp = Blueprint("parameters", __name__)


@bp.get("/parameters")
def index() -> Response:
    """The values in force today, and every set there is."""
    with look() as work:
        return page(work, parameter_sets.in_force(work))


@bp.get("/parameters/<code:values>")
def of_set(values: str) -> Response:
    """The values of one set."""
    with look() as work:
        return page(work, values)


def page(work: Work, identity: str) -> Response:
    """A set beside all others."""
    sets = parameter_sets.all_sets(work)
    found = next((each for each in sets if each.id == identity), None)
    if found is None:
        raise NotFound(f"没有参数“{identity}”", f"there is no set of parameters {identity!r}")
    numbers = {each.adopted_by: adopting_case(work, each) for each in sets}
    current = parameter_sets.in_force(work)
    return show("parameters.html", found=found, rows=adoption.shown(found), sets=sets, numbers=numbers, current=current)


def adopting_case(work: Work, one: ValueSet) -> str | None:
    """The number of the case that adopted a set; None where nobody did."""
    return str(inbox.case(work, one.adopted_by)["number"]) if one.adopted_by else None
