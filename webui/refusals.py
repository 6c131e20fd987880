"""The one place where a refusal becomes a page: its sentence, what to do now, and the status that fits."""

from __future__ import annotations

import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from engine import errors
from engine.attempts import TooMany
from engine.trail.record import Halted
from forms.words import Unfit
from webui.page import language, said, show, t

log = logging.getLogger("liuhen.webui")

STATUS: dict[type[errors.Refusal], int] = {
    errors.NotFound: 404,
    errors.NotYours: 403,
    errors.AlreadyDone: 409,
    errors.WrongState: 409,
    errors.Taken: 409,
    errors.Invalid: 422,
    errors.Unusable: 422,
    errors.WrongUsage: 422,
    TooMany: 429,
    Halted: 503,
    # The person did nothing wrong and cannot help it: whoever watches over the server has to see it.
    errors.Incident: 500,
}


def status_of(refusal: errors.Refusal) -> int:
    """The HTTP status of a refusal."""
    return STATUS.get(type(refusal), 409)


def answer_refusals(app: Flask) -> None:
    """Answer every refusal, and whatever else goes wrong, with a page."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(errors.Contended, contended)
    app.register_error_handler(Unfit, unfit)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, broken)


def refused(refusal: errors.Refusal) -> Response:
    """A refusal in the language of the reader, with the case it concerns and what to do."""
    status = status_of(refusal)
    if status == 500:
        log.error("%s %s: %s", request.method, request.path, refusal)
    about = refusal.about
    return show(
        "refused.html",
        status=status,
        title=t(f"error.{refusal.code}"),
        said=said(refusal.text),
        what=t(f"error.{refusal.code}_do"),
        case=about.get("case"),
        number=about.get("number"),
        element=about.get("element") if status == 500 else None,
    )


def contended(error: errors.Contended) -> Response:
    """An act that had to give way every time it was tried."""
    log.warning("%s %s: gave way to other acts again and again", request.method, request.path)
    names = {"title": t("error.contended"), "said": said(error.text), "what": t("error.contended_do")}
    return show("refused.html", status=409, **names)


def unfit(refusal: Unfit) -> Response:
    """A deployed file that can no longer be read: all that is wrong with it."""
    found = "; ".join(finding.text.said(language()) for finding in refusal.findings[:5])
    log.error("%s %s: %s", request.method, request.path, refusal)
    return show("refused.html", status=500, title=t("error.incident"), said=found, what=t("error.incident_do"))


def http_error(error: HTTPException) -> Response:
    """Unknown addresses, wrong methods, bodies that are too large."""
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        key = "too_large"
    else:
        key = {404: "not_found", 405: "method", 400: "unusable"}.get(status, "http")
    page = show("refused.html", status=status, title=t(f"error.{key}"), what=t(f"error.{key}_do"))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            page.headers[name] = value
    return page


def broken(error: Exception) -> Response:
    """A fault of ours: logged with its trace, told without it."""
    log.error("%s %s", request.method, request.path, exc_info=error)
    return show("refused.html", status=500, title=t("error.broken"), what=t("error.broken_do"))
