"""What stands before every page: who is signed in, where a request comes from, how large it is, its headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask, request
from werkzeug.routing import Rule

from engine.people import set_password
from engine.work import SYSTEM
from tests.office import Office
from tests.web_reader import Reader, app_of, parsed, reader_of
from webui.guard import POLICY, is_open

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

OPEN = {"static", "health", "people.sign_in", "people.start_session", "people.end_session", "people.choose_language"}
"""What may be seen or done without signing in; think twice before adding to it."""

EXAMPLES = {
    "policy": "003",
    "case": "0" * 32,
    "task": "0" * 32 + ".1",
    "document": "0" * 32,
    "code": "permit",
    "int": "1",
    "path": "base.css",
}


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    return new_office("sqlite")


@pytest.fixture
def app(desk: Office) -> Flask:
    return app_of(desk)


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route, with an address that fits it."""
    for rule in app.url_map.iter_rules():
        yield rule, re.sub(r"<(\w+):\w+>", lambda match: EXAMPLES[match[1]], rule.rule)


def methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def test_every_page_is_guarded_unless_it_is_listed_as_open(app: Flask) -> None:
    assert {rule.endpoint for rule, _ in rules(app) if is_open(app, rule.endpoint)} == OPEN
    stranger = app.test_client()
    for rule, address in rules(app):
        if rule.endpoint in OPEN:
            continue
        for method in methods(rule):
            response = stranger.open(address, method=method)
            assert response.status_code == 303, f"{method} {address} is answered to anybody"
            assert response.headers["Location"].startswith("/sign-in")


def test_every_address_is_kebab_case_and_its_variable_parts_are_typed(app: Flask) -> None:
    for rule, _ in rules(app):
        for part in filter(None, rule.rule.split("/")):
            typed = re.fullmatch(r"<(case|task|document|code|policy|int|path):[a-z_]+>", part)
            assert typed or re.fullmatch(r"[a-z]+(-[a-z]+)*", part), f"{rule.rule}: {part}"


def test_every_change_is_a_post_and_nothing_else_is(app: Flask) -> None:
    for rule, address in rules(app):
        assert methods(rule) in ({"GET"}, {"POST"}), f"{rule.rule} takes {methods(rule)}"
        wrong = "GET" if methods(rule) == {"POST"} else "POST"
        siblings = [other for other, _ in rules(app) if other.rule == rule.rule and wrong in methods(other)]
        if not siblings:
            signed_in = app.test_client()
            assert signed_in.open(address, method=wrong).status_code == 405


def test_whoever_signs_in_comes_to_the_page_asked_for(desk: Office, app: Flask) -> None:
    reader = Reader(app)
    seen = reader.get("/cases?words=x")
    assert seen.heading == "登录"
    assert seen.response.request.full_path == "/sign-in?next=/cases?words%3Dx"
    seen = reader.post("/session", {"person": desk.who["合规"], "next": "/cases?words=x"})
    assert seen.response.request.full_path == "/cases?words=x"


@pytest.mark.parametrize(
    "elsewhere", ["//example.org", "/\\example.org", "https://example.org", "/\t/example.org", "x"]
)
def test_an_address_that_leads_elsewhere_is_not_followed(desk: Office, app: Flask, elsewhere: str) -> None:
    response = app.test_client().post("/session", data={"person": desk.who["合规"], "next": elsewhere})
    assert response.headers["Location"] == "/inbox"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 303),
    ],
)
def test_a_change_that_another_site_asks_for_is_refused(app: Flask, headers: dict[str, str], status: int) -> None:
    response = app.test_client().post("/language", data={"language": "en"}, headers=headers)
    assert response.status_code == status
    assert ("其他网站" in response.text) == (status == 403)


def test_another_site_may_link_to_a_page(app: Flask) -> None:
    assert app.test_client().get("/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_every_answer_has_strict_headers_and_pages_are_not_kept(app: Flask) -> None:
    client = app.test_client()
    for path in ("/sign-in", "/nowhere", "/health", "/static/base.css", "/inbox"):
        with client.get(path) as response:
            response.get_data()
        assert response.headers["Content-Security-Policy"] == POLICY, path
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in response.headers
        if path != "/static/base.css":
            assert response.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in POLICY and POLICY.startswith("default-src 'none'")


def test_a_static_file_is_kept_by_its_hash(app: Flask) -> None:
    client = app.test_client()
    tree, _ = parsed(client.get("/sign-in").text)
    sheets = [each.get("href", "") for each in tree.iter("link") if each.get("rel") == "stylesheet"]
    assert len(sheets) == 4
    for sheet in sheets:
        assert re.search(r"\?v=[0-9a-f]{12}$", sheet)
        with client.get(sheet) as response:
            assert "immutable" in response.headers["Cache-Control"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_by_https_of_http(desk: Office) -> None:
    data = {"person": desk.who["合规"]}
    plain = app_of(desk).test_client().post("/session", data=data).headers["Set-Cookie"]
    assert "HttpOnly" in plain and "SameSite=Lax" in plain and "Secure" not in plain
    safe = app_of(desk, https=True).test_client().post("/session", data=data, base_url="https://localhost")
    assert safe.headers["Set-Cookie"].startswith("__Host-liuhen=") and "Secure" in safe.headers["Set-Cookie"]
    assert "max-age" in safe.headers["Strict-Transport-Security"]


def test_who_is_shut_out_is_out_at_once_and_a_new_password_ends_old_sessions(desk: Office, app: Flask) -> None:
    reader = Reader(app).sign_in(desk.who["合规"])
    assert reader.get("/inbox").heading == "我的待办"
    with desk.database.work(SYSTEM) as work:
        set_password(work, desk.who["合规"], "a new long password")
    assert reader.get("/inbox").heading == "登录"


def test_a_forged_session_is_no_session(desk: Office, app: Flask) -> None:
    other = app_of(desk, secret="another-secret-" * 3).test_client()
    other.post("/session", data={"person": desk.who["管理员"]})
    cookie = other.get_cookie("liuhen")
    assert cookie is not None
    client = app.test_client()
    client.set_cookie("liuhen", cookie.value)
    assert client.get("/inbox").status_code == 303


def test_a_body_that_is_too_large_is_refused_with_a_sentence(desk: Office) -> None:
    app = app_of(desk)
    app.config["MAX_CONTENT_LENGTH"] = 1000
    reader = Reader(app)
    reader.cookies.post("/session", data={"person": desk.who["甲"]})
    seen = reader.post("/cases", {"_process": "permit", "x": "y" * 2000}, status=413)
    assert seen.heading == "提交的内容过大"


def test_who_asks_is_taken_from_a_proxy_only_if_there_is_one(desk: Office) -> None:
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    for proxies, address in ((0, "127.0.0.1"), (1, "192.0.2.7")):
        with app_of(desk, proxies=proxies).test_client() as client:
            assert client.get("/health", headers=headers).text == "ok\n"
            assert request.remote_addr == address


def test_an_unknown_page_a_wrong_method_and_a_fault_are_pages_too(
    desk: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader = reader_of(desk, "合规")
    assert reader.get("/cases/../../etc/passwd", status=404).heading == "没有找到"
    assert reader.get("/tasks/1", status=404).heading == "没有找到"
    wrong = reader.post("/health", status=405)
    assert wrong.heading == "此地址不能这样访问" and "GET" in wrong.response.headers["Allow"]

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("webui.registers.vocabulary", broken)
    seen = reader.get("/registers", status=500)
    assert seen.heading == "系统出错" and "secret detail" not in seen.text
    assert "secret detail" in caplog.text
