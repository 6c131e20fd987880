"""The publicities that run (公示): what is publicised, until when, and the way for anybody signed in to object."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from engine import registers
from engine.registers import Entry
from engine.work import Work
from forms.values import Value
from webui.page import look, show

bp = Blueprint("publicities", __name__)

REGISTER, OBJECTION = "publicity", "objection"


@dataclass(frozen=True, slots=True)
class Publicity:
    """A publicity as everybody may read it; ``takes`` says whether objections are taken today."""

    case: str
    number: str
    value: dict[str, Value]
    takes: bool
    begins: bool


def running(work: Work) -> list[Publicity]:
    """The publicities that are neither closed nor superseded nor withdrawn, those that end first first."""
    entries = [each for each in registers.browse(work, REGISTER) if each.value.get("status") == "running" and each.case]
    found = [_publicity(work, each) for each in entries]
    return sorted(found, key=lambda each: str(each.value.get("close_on")))


def _publicity(work: Work, entry: Entry) -> Publicity:
    start, close, today = str(entry.value.get("start_on")), str(entry.value.get("close_on")), work.today.isoformat()
    return Publicity(str(entry.case), entry.key, dict(entry.value), start <= today <= close, today < start)


@bp.get("/publicities")
def index() -> Response:
    """Everything that is being publicised, for whoever is signed in."""
    with look() as work:
        return show("publicities.html", publicities=running(work), objection=OBJECTION)
