"""Stands before every page: signed in unless a page is open to all, same site, within limits, and strict headers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, make_response, redirect, request, url_for
from flask_login import LoginManager, current_user

from engine.people import row_of, standing
from engine.work import SYSTEM
from webui.page import Visitor, show, site, t

View = TypeVar("View", bound=Callable[..., Any])

# connect-src: a form is checked again, on this server, while it is filled in.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = "open_to_all"


def open_to_all(view: View) -> View:
    """Mark a page that may be seen without signing in."""
    setattr(view, OPEN, True)
    return view


def is_open(app: Flask, endpoint: str) -> bool:
    """Whether the pages of an endpoint are open to all; static files are."""
    return endpoint == "static" or getattr(app.view_functions[endpoint], OPEN, False)


def stand_before(app: Flask) -> None:
    """Put the guard before every page of the application."""
    manager = LoginManager(app)
    manager.user_loader(recognise)
    manager.session_protection = None  # an address may change on the way; the seal is what ends a session
    app.before_request(refuse_other_sites)
    app.before_request(ask_who_it_is)
    app.after_request(add_headers)


def refuse_other_sites() -> Response | None:
    """A change that another site's page asked for is refused (``Sec-Fetch-Site``, else ``Origin``).

    A client that sends neither is no browser, so it has no cookie that another site could make use of.
    """
    if request.method in SAFE:
        return None
    fetched = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if fetched is not None:
        same = fetched in {"same-origin", "none"}
    else:
        same = origin is None or urlsplit(origin).netloc == request.host
    return (
        None if same else show("refused.html", status=403, title=t("error.other_site"), what=t("error.other_site_do"))
    )


def ask_who_it_is() -> Response | None:
    """Who is signed in is asked anew at every request, so whoever is shut out is out at once."""
    if request.endpoint is None or is_open(current_app, request.endpoint) or current_user.is_authenticated:
        return None
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return make_response(redirect(url_for("people.sign_in", next=back), code=303))


def recognise(remembered: str) -> Visitor | None:
    """The person a session remembers, if they may still sign in the way they did."""
    identity, _, seal = remembered.partition("/")
    with site().database.look(SYSTEM) as work:
        row = row_of(work, identity)
        if row is None or not row["active"] or not hmac.compare_digest(seal, seal_of(row["password"])):
            return None
        return visitor_of(row, standing(work, identity).roles)


def visitor_of(row: Mapping[str, Any], roles: frozenset[str]) -> Visitor:
    """The visitor a person's row makes."""
    return Visitor(row["id"], row["login"], row["name"], roles, seal_of(row["password"]))


def seal_of(password: str | None) -> str:
    """What a session remembers of a stored password hash: with a new password, the sessions of the old one end."""
    return hashlib.sha256((password or "").encode()).hexdigest()[:16]


def add_headers(response: Response) -> Response:
    """The same strict headers on everything; a page is never kept, a static file is known by its hash."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
    else:
        response.headers["Cache-Control"] = "no-store"
    if site().https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
