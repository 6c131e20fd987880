"""Handing out a document, to those who may look into its case, and never as something a browser would run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response

from engine import documents, inbox
from engine.errors import NotFound
from engine.work import Work
from webui.messages import visible
from webui.page import look

bp = Blueprint("documents", __name__)


@bp.get("/documents/<document:document>")
def document(document: str) -> Response:
    """The bytes of a document, to be saved."""
    with look() as work:
        row, content = seen(work, document)
    return download(content, row.name, row.media)


@bp.get("/documents/<document:document>/pdf")
def pdf(document: str) -> Response:
    """A document the engine has issued, as PDF to be printed, where this installation can make one."""
    with look() as work:
        row, content = seen(work, document)
        made = documents.to_pdf(content) if document in issued(inbox.events(work, row.case)) else None
    if made is None:
        raise NotFound(
            "这份文件没有 PDF：不是系统出具的文书，或系统没有安装 PDF 组件",
            "there is no PDF of this document: it was not issued here, or the PDF extra is not installed",
        )
    return download(made, f"{row.name.rpartition('.')[0]}.pdf", "application/pdf")


def seen(work: Work, document: str) -> tuple[Any, bytes]:
    """A document of a case that the person signed in may look into."""
    row, content = documents.read(work, document)
    if row.case is None:
        raise NotFound("没有这份文件", "there is no such document")
    visible(work, row.case)
    return row, content


def issued(events: list[dict[str, Any]]) -> set[str]:
    """The ids of the documents that the engine has issued in a case."""
    return {json.loads(row["body"])["data"]["document"] for row in events if row["kind"] == "document.issued"}


def download(content: bytes | Iterator[bytes], name: str, media: str) -> Response:
    """Bytes to be saved under a name, at once or in pieces."""
    response = make_response(content)
    response.headers["Content-Type"] = media
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
