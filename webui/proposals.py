"""What two people decide together (两人共办): proposing it, and as somebody else carrying it out or letting it drop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from engine import people, proposals
from engine.errors import NotFound, NotYours, Unusable, WrongState
from engine.people import names
from engine.trail.record import newest_seal
from engine.work import Work
from webui.page import act, actor, go, look, new_key, said, show
from webui.refusals import status_of

bp = Blueprint("proposals", __name__)


@bp.get("/proposals")
def index() -> Response:
    """What waits for a second person, and what may be proposed."""
    return page()


def page(status: int = 200, problem: str | None = None) -> Response:
    """The page, with what went wrong and what was entered."""
    with look() as work:
        may = [kind for kind in proposals.STREAMS if proposals.may(work, kind)]
        if not may:
            raise NotYours("本页供合规、纪检和系统管理员使用", "this page is for compliance and discipline", ("role",))
        waiting = proposals.waiting(work)
        return show(
            "proposals.html",
            status=status,
            problem=problem,
            waiting=waiting,
            names=names(work, {one for each in waiting for one in (each.by, each.subject) if one}),
            may=may,
            halt=newest_seal(work).halted,
            own=actor(),
            entered=request.form,
            key=new_key(),
        )


@bp.post("/proposals/erasures")
def erase() -> Response:
    """Propose that what somebody gave be erased."""
    who, reason = request.form.get("who", "").strip(), request.form.get("reason", "")
    return judged(
        "propose",
        [who, reason],
        lambda work: proposals.propose_erasure(work, people.find(work, who), reason),
    )


@bp.post("/proposals/recoveries")
def recover() -> Response:
    """Propose that sealing goes on from the database as it is."""
    reason = request.form.get("reason", "")
    return judged("propose", ["recovery", reason], lambda work: proposals.propose_recovery(work, reason))


@bp.post("/proposals/<document:proposal>/approval")
def approve(proposal: str) -> Response:
    """Carry out what somebody else proposed."""
    return judged("approve", [proposal], lambda work: proposals.carry_out(work, proposal))


@bp.post("/proposals/<document:proposal>/end")
def drop(proposal: str) -> Response:
    """Let a proposal drop."""
    return judged("drop", [proposal], lambda work: proposals.drop(work, proposal))


def judged(verb: str, entered: list[str], do: Callable[[Work], Any]) -> Response:
    """Do it, or show the page again with what stands in the way."""
    try:
        with act(verb, *entered) as work:
            do(work)
    except (Unusable, NotFound, WrongState, NotYours) as refusal:
        if isinstance(refusal, NotYours) and "role" in refusal.reasons:
            raise
        return page(status_of(refusal), said(refusal.text))
    return go("proposals.index")
