"""The browser fixtures themselves: they show a page, take its picture, and notice whom it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Serve = Callable[[WSGIApplication], str]


def page_with(body: str, policy: str = "default-src * 'unsafe-inline'") -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/favicon.ico":
            start_response("204 No Content", [])
            return []
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)])
        return [f"<!doctype html><html lang=zh><title>页</title><h1>留痕</h1>{body}</html>".encode()]

    return app


def test_a_served_page_is_shown_and_photographed(
    serve: Serve, browser_page: Page, screenshot: Callable[[Page, str], list[Path]]
) -> None:
    browser_page.goto(serve(page_with("<p>技术合同认定登记")))
    assert browser_page.locator("h1").inner_text() == "留痕"
    wide, narrow = screenshot(browser_page, "harness")
    assert wide.read_bytes().startswith(b"\x89PNG")
    assert narrow.read_bytes() != wide.read_bytes()
    assert browser_page.viewport_size == {"width": 1440, "height": 900}


@pytest.mark.parametrize(
    ("body", "policy", "complaint"),
    [
        ("<img src='http://example.org/x.png'>", "default-src *", "asked http://example.org/x.png"),
        ("<img src='http://127.0.0.1.example.org/x.png'>", "default-src *", "asked http://127.0.0.1.example.org/x.png"),
        (
            "<script>new WebSocket('ws://example.org')</script>",
            "default-src * 'unsafe-inline'",
            "asked ws://example.org",
        ),
        ("<script>throw new Error('broken')</script>", "default-src * 'unsafe-inline'", "threw broken"),
        ("<p style='color: red'>red", "default-src 'self'", "said Applying inline style violates"),
    ],
)
def test_a_page_that_misbehaves_is_noticed(
    serve: Serve, browser_page: Page, complaints: list[str], body: str, policy: str, complaint: str
) -> None:
    browser_page.goto(serve(page_with(body, policy)))
    browser_page.wait_for_timeout(200)
    assert [told for told in complaints if told.startswith(complaint)]
    complaints.clear()
