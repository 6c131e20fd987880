"""The policy texts as people read them: which there are, and one by its articles."""

from __future__ import annotations

from flask import Blueprint, Response

from engine import policies
from engine.errors import NotFound
from webui.page import look, show

bp = Blueprint("policies", __name__)


@bp.get("/policies/")
def index() -> Response:
    """The texts that processes rest on, and which version of each is imported."""
    with look() as work:
        known = {row["code"]: row for row in policies.imported(work)}
    return show("policies.html", sources=policies.sources().values(), known=known)


@bp.get("/policies/<policy:code>")
def text(code: str) -> Response:
    """The newest imported version of a text, article by article."""
    source = policies.sources().get(code)
    with look() as work:
        row = policies.newest(work, code) if source else None
    if source is None or row is None:
        raise NotFound(
            f"还没有导入编号为 {code} 的政策文件：请管理员用 policy import 导入",
            f"the policy text {code} is not imported yet: an administrator imports it with policy import",
        )
    return show("policy.html", source=source, row=row, articles=policies.articles(row["content"]))
