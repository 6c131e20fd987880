"""What a browser test may ask for: pages of people who know nothing of each other, a server for an app, pictures.

    def test_a_page(serve, browser_page):
        browser_page.goto(serve(app))

A test fails when one of its pages asked any host but this machine, threw an error, or reported one on its console
(a refused style or script, for instance); a refusal of the server's (403, 409, 422) is none.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, WebSocketRoute, sync_playwright
from waitress.server import BaseWSGIServer, create_server

from tests.harness import chromium

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

ELSEWHERE = re.compile(r"^(?!(https?|wss?)://(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?(/|$))")
WIDTHS = (1440, 390)  # a desk and a telephone


class NewPage(Protocol):
    """Opens a page as a person of its own: no cookie is shared with another one."""

    def __call__(self, *, width: int = 1440, height: int = 900, language: str = "zh-CN") -> Page: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the worker, with a new, empty profile."""
    program = chromium.find()
    if program is None:
        pytest.fail("没有 Chromium;./liuhen test 会安装它。There is no Chromium; ./liuhen test installs it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What went wrong on the pages of this test, as it happens; anything left in it fails the test."""
    return []


@pytest.fixture
def new_page(browser: Browser, complaints: list[str]) -> Iterator[NewPage]:
    """Opens as many pages as the test needs people."""

    def refuse(route: Route) -> None:
        complaints.append(f"asked {route.request.url}")
        route.abort()

    def refuse_socket(socket: WebSocketRoute) -> None:
        complaints.append(f"asked {socket.url}")

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(f"said {message.text}")

    with ExitStack() as stack:

        def open_page(*, width: int = 1440, height: int = 900, language: str = "zh-CN") -> Page:
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale=language, timezone_id="Asia/Shanghai"
            )
            stack.callback(context.close)
            context.set_default_timeout(10_000)
            context.route(ELSEWHERE, refuse)
            context.route_web_socket(ELSEWHERE, refuse_socket)
            page = context.new_page()
            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(f"threw {error}"))
            return page

        yield open_page
    if complaints:
        pytest.fail("\n".join(["The browser complained:", *complaints]))


@pytest.fixture
def browser_page(new_page: NewPage) -> Page:
    """One page, 1440 by 900, that prefers Chinese."""
    return new_page()


@pytest.fixture
def screenshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Page, str], list[Path]]:
    """Keep whole-page pictures at both widths as ``<name>-<width>.png``, in ``LIUHEN_SCREENSHOTS`` if that is set."""
    named = os.environ.get("LIUHEN_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> list[Path]:
        before, taken = page.viewport_size, []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            taken.append(folder / f"{name}-{width}.png")
            page.screenshot(path=taken[-1], full_page=True)
        if before is not None:
            page.set_viewport_size(before)
        return taken

    return take


@pytest.fixture
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """Serve an application on this machine as in production (waitress), until the test ends; gives its address."""
    with ExitStack() as stack:

        def start(app: WSGIApplication) -> str:
            server = create_server(app, host="127.0.0.1", port=0, threads=4)
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(server.close)
            assert isinstance(server, BaseWSGIServer) and server.socket is not None  # one address, one socket
            return f"http://127.0.0.1:{server.socket.getsockname()[1]}"

        yield start
