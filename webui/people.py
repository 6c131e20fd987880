"""Signing in and out, and the language one reads in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request, session, url_for
from flask_login import login_user, logout_user

from engine import attempts, definitions
from engine.people import everybody, password_fits, row_by_login, row_of
from engine.work import SYSTEM
from webui.guard import open_to_all, visitor_of
from webui.page import role_name, said, show, site, t, visitor
from webui.refusals import status_of

bp = Blueprint("people", __name__)

UPKEEP = ("process_owner", "compliance_officer", "sysadmin")
"""Roles that no process needs and every installation does."""

NAME = re.compile(r"[A-Za-z_]\w*")
OURS = re.compile(r"/(?![/\\])[!-~]*")
"""An address on this site: browsers read ``//`` and ``/\\`` as the beginning of another host, and skip blanks."""


@bp.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    """The page to sign in on; whoever is signed in already is sent on."""
    if visitor() is not None:
        return onward(request.args.get("next"))
    return sign_in_page()


def sign_in_page(*, status: int = 200, problem: str | None = None, login: str = "") -> Response:
    """The page, with what went wrong; in a demonstration, with the people one may be."""
    needed, others = personae() if site().demo else ([], [])
    back = request.values.get("next", "")
    return show("sign_in.html", status=status, problem=problem, login=login, needed=needed, others=others, back=back)


def personae() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The people of a demonstration: those whom a deployed process needs, in the order in which it does; the others."""
    with site().database.look(SYSTEM) as work:
        people = [one for one in everybody(work) if one["password"] is None and one["roles"]]
        order = [role for row in definitions.in_force(work) for role in roles_of(definitions.deployed(work, row.id))]
    order += [role for role in UPKEEP if role not in order]
    for one in people:
        one["role_names"] = [role_name(code) for code in one["roles"]]
        one["rank"] = min((order.index(role) for role in one["roles"] if role in order), default=len(order))
    people.sort(key=lambda one: (one["rank"], one["login"]))
    needed = [one for one in people if one["rank"] < len(order)]
    return needed, people[len(needed) :]


def roles_of(deployed: definitions.Deployed) -> Iterator[str]:
    """The roles a process names, in its order: outright, in expressions and in what its tables decide.

    Other names of expressions are among them; they are nobody's role.
    """
    for contents in deployed.contents.values():
        steps, tables = contents.diagram.elements.values(), contents.tables.values()
        said = [step.policy.get(word, "") for step in steps for word in ("role", "sender")]
        said += [output.source for table in tables for rule in table.rules for output in rule.outputs]
        yield from (name for words in said for name in NAME.findall(words) if name != "applicant")


@bp.post("/session")
@open_to_all
def start_session() -> Response:
    """Sign in: with login and password, or in a demonstration by choosing somebody who has no password."""
    if site().demo and request.form.get("person"):
        return start_demo_session(request.form["person"])
    login, password = request.form.get("login", "").strip(), request.form.get("password", "")
    if not login or not password:
        return sign_in_page(status=422, problem=t("sign_in.incomplete"), login=login)
    try:
        number = attempts.begin(site().database, login, request.remote_addr or "")
    except attempts.TooMany as refusal:
        return sign_in_page(status=status_of(refusal), problem=said(refusal.text), login=login)
    with site().database.look(SYSTEM) as work:
        row = row_by_login(work, login)
    fits = password_fits(row["password"] if row else None, password)
    if row is None or not fits or not row["active"]:
        return sign_in_page(status=403, problem=t("sign_in.wrong"), login=login)
    attempts.forgive(site().database, number, login)
    return welcome(row)


def start_demo_session(identity: str) -> Response:
    """Become one of the people of the demonstration; whoever has a password has to give it even there."""
    with site().database.look(SYSTEM) as work:
        row = row_of(work, identity)
    if row is None or not row["active"] or row["password"] is not None:
        return sign_in_page(status=403, problem=t("sign_in.wrong"))
    return welcome(row)


def welcome(row: Any) -> Response:
    """A new session for this person, in the language that was chosen, else in their own."""
    chosen = session.get("language")
    session.clear()
    session.permanent = True
    login_user(visitor_of(row, frozenset()))
    session["language"] = chosen or row["language"]
    return onward(request.form.get("next"))


@bp.post("/session/end")
@open_to_all
def end_session() -> Response:
    """Sign out."""
    chosen = session.get("language")
    logout_user()
    session.clear()
    if chosen:
        session["language"] = chosen
    return make_response(redirect(url_for("people.sign_in"), 303))


@bp.post("/language")
@open_to_all
def choose_language() -> Response:
    """Read on in Chinese or in English."""
    session["language"] = "en" if request.form.get("language") == "en" else "zh"
    return onward(request.form.get("next"))


def onward(where: str | None) -> Response:
    """Go on to a page of ours; an address that leads elsewhere is not followed."""
    ours = where is not None and OURS.fullmatch(where)
    return make_response(redirect(where if where and ours else url_for("inbox.mine"), 303))
