"""The pages: what people see of a case and what they do to it, by HTTP. Everything else is the engine's."""

from __future__ import annotations

import functools
import hashlib
from datetime import timedelta
from itertools import count
from pathlib import Path

from flask import Flask, make_response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from engine.inbox import OVERSEERS, counts
from engine.policies import cited
from engine.work import SYSTEM, Database, tried_again
from webui import (
    cases,
    conformance,
    deployment,
    documents,
    dossier,
    exports,
    inbox,
    incidents,
    messages,
    migration,
    oversight,
    page,
    parameters,
    people,
    policies,
    processes,
    proposals,
    publicities,
    registers,
    start,
    start_messages,
    substitutes,
    tasks,
)
from webui.guard import open_to_all, stand_before
from webui.page import Site
from webui.refusals import answer_refusals

MOST_BODY = 40_000_000  # bytes of one request, its files included
MOST_TEXT = 2_000_000  # bytes of its texts
MOST_PARTS = 6_000  # a table may have hundreds of rows

CONVERTERS = {
    "case": r"[0-9a-f]{32}",
    "task": r"[0-9a-f]{32}\.[0-9]{1,10}",
    "document": r"[0-9a-f]{32}",
    "code": r"[A-Za-z][A-Za-z0-9_-]{0,99}",
    "policy": r"[0-9A-Za-z_-]{1,40}",
}
"""What the variable parts of an address look like; anything else is no address of ours."""

ROOMS = (
    people, inbox, tasks, start, start_messages, messages, cases, conformance, documents, processes, deployment,
    registers, publicities, parameters, dossier, substitutes, exports, policies, incidents, migration, oversight,
    proposals,
)  # fmt: skip


class Pages(Flask):
    """Answers a request anew, from its beginning, if its act had to give way to another: nothing of it was kept."""

    def dispatch_request(self) -> ResponseReturnValue:
        """What the page's own function gives."""
        times = count()

        def answered() -> ResponseReturnValue:
            for file in request.files.values() if next(times) else ():
                file.stream.seek(0)  # it was read the first time
            return super(Pages, self).dispatch_request()

        return tried_again(answered)


def create_app(database: Database, *, secret: str, demo: bool = False, https: bool = False, proxies: int = 0) -> Flask:
    """The application over a database that is made and filled.

    ``secret`` signs the session cookies. ``demo`` lets anybody be anybody who has no password. ``https`` says that
    browsers reach it by https, ``proxies`` how many proxies of ours stand before it.
    """
    app = Pages(__name__)
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="__Host-liuhen" if https else "liuhen",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=MOST_BODY,
        MAX_FORM_MEMORY_SIZE=MOST_TEXT,
        MAX_FORM_PARTS=MOST_PARTS,
    )
    app.extensions["liuhen"] = Site(database, demo, https)
    for name, pattern in CONVERTERS.items():
        app.url_map.converters[name] = type(name, (BaseConverter,), {"regex": pattern, "part_isolating": True})
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    stand_before(app)
    answer_refusals(app)
    set_the_table(app)
    for room in ROOMS:
        app.register_blueprint(room.bp)
    app.add_url_rule("/health", "health", health)
    return app


@open_to_all
def health() -> ResponseReturnValue:
    """Whether the server and its database answer."""
    with page.site().database.look(SYSTEM) as work:
        counts(work)
    return make_response("ok\n", {"Content-Type": "text/plain; charset=utf-8"})


def set_the_table(app: Flask) -> None:
    """What every template may use."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        moment=page.moment,
        clock=page.clock,
        day=page.day,
        spans=page.spans,
        size=page.size,
        said=page.said,
        role_name=page.role_name,
        process_name=page.process_name,
        element_name=page.element_name,
        combined=page.combined,
        own_half=page.own_half,
        citations=cited,
    )
    app.jinja_env.globals.update(
        t=page.t,
        visitor=page.visitor,
        site=page.site,
        halted=page.halted,
        language=page.language,
        asset=asset,
        fresh_key=page.new_key,
        OVERSEERS=OVERSEERS,
    )


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it."""
    return url_for("static", filename=name, v=digest(name))


@functools.cache
def digest(name: str) -> str:
    """What tells one content of a static file from another."""
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]
