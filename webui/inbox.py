"""What waits for the person signed in, what they have done, and the notices they were sent."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as Redirection

from engine import inbox
from webui.page import actor, look, new_key, show

bp = Blueprint("inbox", __name__)


@bp.get("/")
def home() -> Redirection:
    """The first page is the inbox."""
    return redirect(url_for("inbox.mine"))


@bp.get("/inbox")
def mine() -> Response:
    """What is mine by name or claim, and what anybody of my roles may take up: overdue first."""
    with look() as work:
        rows = inbox.tasks_for(work, actor())
        own, shared = [row for row in rows if row["mine"]], [row for row in rows if not row["mine"]]
        late = sum(row["overdue"] for row in rows)
        return show("inbox.html", own=own, shared=shared, late=late, today=work.today, key=new_key())


@bp.get("/inbox/done")
def done() -> Response:
    """What I have done, newest first."""
    with look() as work:
        return show("done.html", rows=inbox.done_by(work, actor()))


@bp.get("/inbox/notices")
def notices() -> Response:
    """Notices to me or to my roles, newest first."""
    with look() as work:
        return show("notices.html", rows=inbox.notices(work, actor()))
