"""Exporting cases as bundles: asking for one, watching it grow, and fetching it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from engine import inbox
from engine.errors import NotFound
from engine.paper import pdf_is_possible
from engine.people import standing
from engine.trail import jobs
from webui.documents import download
from webui.messages import visible
from webui.page import act, actor, go, look, new_key, show

bp = Blueprint("exports", __name__)


@bp.get("/cases/<case:case>/export")
def ask(case: str) -> Response:
    """What to export of a case, and what for."""
    with look() as work:
        visible(work, case)
        row = inbox.case(work, case)
        whole = bool(standing(work, actor()).roles & inbox.OVERSEERS)
        return show("export.html", case=row, whole=whole, key=new_key(), paper=pdf_is_possible())


@bp.post("/cases/<case:case>/export")
def start(case: str) -> Response:
    """Ask for the bundle of one case."""
    view = request.form.get("view", "own")
    with act("export") as work:
        visible(work, case)
        purpose = request.form.get("purpose", "").strip()[:500]
        person = actor() if view == "own" else None
        paper = "paper" in request.form
        made = jobs.ask(work, [case], purpose=purpose, redacted=view == "redacted", person=person, paper=paper)
    return go("exports.page", job=made)


@bp.get("/exports")
def index() -> Response:
    """The exports of whoever is signed in."""
    with look() as work:
        return show("exports.html", jobs=jobs.jobs(work))


@bp.get("/exports/<document:job>")
def page(job: str) -> Response:
    """How far an export is; the page looks again by itself until it is finished."""
    with look() as work:
        found = jobs.job(work, job)
    response = show("exporting.html", job=found)
    if found["finished_at"] is None:
        response.headers["Refresh"] = "1"
    return response


@bp.get("/exports/<document:job>/file")
def file(job: str) -> Response:
    """The finished bundle."""
    with look() as work:
        found = jobs.job(work, job, content=True)
    if found["content"] is None:
        raise NotFound("导出还没有完成", "the export is not finished")
    return download(found["content"], found["name"], "application/zip")
