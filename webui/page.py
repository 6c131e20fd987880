"""What every page needs: the site it belongs to, who looks at it, in which language, and the way to read and to act."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request, session, url_for
from flask_login import UserMixin, current_user
from werkzeug.datastructures import MultiDict

from bpmn.diagram import Element, Process
from engine.cases import acting
from engine.errors import Unusable
from engine.library import Library, Vocabulary
from engine.trail import record
from engine.work import BEIJING, Database, Request, Work
from forms.words import Language, Text
from webui.labels import label

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Site:
    """What one running server is: its database, whether it is a demonstration, whether browsers reach it by https."""

    database: Database
    demo: bool
    https: bool


@dataclass(frozen=True)
class Visitor(UserMixin):  # type: ignore[misc]  # Flask-Login is untyped
    """The person who is signed in. ``seal`` is what their session remembers of the password it was opened with."""

    id: str
    login: str
    name: str
    roles: frozenset[str]
    seal: str

    def get_id(self) -> str:
        """What the session cookie holds: a new password makes it another one, and the old sessions end."""
        return f"{self.id}/{self.seal}"


def site() -> Site:
    """The site of this request."""
    found = current_app.extensions["liuhen"]
    assert isinstance(found, Site)
    return found


def visitor() -> Visitor | None:
    """Whoever is signed in, asked anew at every request."""
    found: Visitor | None = current_user if current_user.is_authenticated else None
    return found


def actor() -> str:
    """The id of who is signed in; the guard lets nobody else through to where it is asked."""
    found = visitor()
    assert found is not None
    return found.id


def language() -> Language:
    """The language of the page: Chinese unless English was chosen."""
    return "en" if session.get("language") == "en" else "zh"


def halted() -> Text | None:
    """Why everything is read-only, if the signer refuses to sign."""
    return record.halted(site().database)


def t(key: str, **values: object) -> str:
    """A label in the language of the page."""
    return label(key, language(), **values)


def said(text: Text) -> str:
    """A text in the language of the page."""
    return text.said(language())


def vocabulary() -> Vocabulary:
    """The words all processes share."""
    return Library.standing().vocabulary()


def role_name(code: str) -> str:
    """A role in words; its code where the vocabulary has none."""
    found = vocabulary().roles.get(code)
    return said(found) if found else code


@contextlib.contextmanager
def look() -> Iterator[Work]:
    """A reading as the person signed in."""
    with site().database.look(actor()) as work:
        yield work


@contextlib.contextmanager
def act(verb: str, *body: str) -> Iterator[Work]:
    """One act of the person signed in, carried out once however often this very form is sent."""
    with acting(site().database, actor(), Request.of(request_key(), verb, *body)) as work:
        yield work


def new_key() -> str:
    """A fresh request key for a form."""
    return uuid.uuid4().hex


def request_key() -> str:
    """The request key the form was shown with. Unusable without one."""
    key = request.form.get("_key", "")
    if not _KEY.fullmatch(key):
        raise Unusable(
            "表单缺少请求标识，请重新打开页面再提交",
            "the form lacks its request key; open the page again and submit anew",
        )
    return key


def show(template: str, *, status: int = 200, **names: Any) -> Response:
    """A page from its template."""
    return make_response(render_template(template, **names), status)


def go(endpoint: str, **values: Any) -> Response:
    """The answer to a change: look at another page now (POST, redirect, GET)."""
    return make_response(redirect(url_for(endpoint, **values), code=303))


def moment(at: datetime) -> str:
    """An instant as people in Beijing read it, to the minute."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def clock(at: datetime) -> str:
    """The time of day of an instant."""
    return at.astimezone(BEIJING).strftime("%H:%M")


def day(on: date | datetime) -> str:
    """A day with its weekday."""
    at = on.astimezone(BEIJING).date() if isinstance(on, datetime) else on
    return f"{at.isoformat()} {t(f'weekday.{at.isoweekday()}')}"


def size(count: int) -> str:
    """A number of bytes as people read it."""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count // 1024} KB"
    return f"{count // (1024 * 102) / 10} MB"


def spans(days: Sequence[date]) -> str:
    """Days as month and day, those in a row as one span."""
    found: list[list[date]] = []
    for each in sorted(days):
        if found and (each - found[-1][-1]).days == 1:
            found[-1].append(each)
        else:
            found.append([each])
    ends = [(run[0].strftime("%m-%d"), run[-1].strftime("%m-%d")) for run in found]
    return t("list.comma").join(first if first == last else f"{first}–{last}" for first, last in ends)


def process_name(process: Process) -> str:
    """The name of a process in the language of the page."""
    return said(Text(process.name, process.policy.get("name-en") or process.policy.get("title-en", ""))) or process.id


def element_name(element: Element) -> str:
    """The name of an element in the language of the page; its id where it has none."""
    return said(Text(element.name, element.policy.get("name-en", ""))) or element.id


def combined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings as one, as the parts of an address; what an address says several times stays so."""
    return {**first, **(second.to_dict(flat=False) if isinstance(second, MultiDict) else second)}


_HALVES = re.compile(r"(.*[\u3002\uff1f\uff01\uff09])\s+([A-Z][\x00-\x7f\u2010-\u2026]*)", re.DOTALL)


def own_half(text: str) -> str:
    """What a file says in Chinese and then in English, in one text (BPMN has no place for two): the reader's half."""
    halves = _HALVES.fullmatch(text.strip())
    return text if halves is None else halves[2 if language() == "en" else 1]
