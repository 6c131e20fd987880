"""Handing out a document, to those who may look into its case, and never as something a browser would run."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, make_response

from engine import documents
from engine.errors import NotFound
from webui.messages import visible
from webui.page import look

bp = Blueprint("documents", __name__)


@bp.get("/documents/<document:document>")
def document(document: str) -> Response:
    """The bytes of a document, to be saved."""
    with look() as work:
        row, content = documents.read(work, document)
        if row.case is None:
            raise NotFound("没有这份文件", "there is no such document")
        visible(work, row.case)
    response = make_response(content)
    response.headers["Content-Type"] = row.media
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
