"""Signing in and out: passwords and how they are guessed, the people of a demonstration, the language."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.attempts import MOST, PAUSE
from engine.people import set_password
from engine.work import SYSTEM
from tests.office import Office
from tests.web_reader import Reader, Seen, app_of, parsed

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password costs a tenth of a second to check; here it is checked two hundred times."""
    monkeypatch.setattr("webui.people.password_fits", lambda stored, password: bool(stored) and password == PASSWORD)


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    office = new_office("sqlite")
    with office.database.work(SYSTEM) as work:
        set_password(work, office.who["登记员"], PASSWORD)
    return office


def try_to(reader: Reader, password: str, *, status: int, login: str = "登记员") -> Seen:
    return reader.post("/session", {"login": login, "password": password}, status=status)


def test_a_person_signs_in_with_login_and_password_and_out_again(desk: Office) -> None:
    reader = Reader(app_of(desk, demo=False))
    seen = try_to(reader, PASSWORD, status=200)
    assert seen.heading == "我的待办" and "登记员" in seen.text
    assert reader.post("/session/end").heading == "登录"
    assert reader.get("/inbox").heading == "登录"


@pytest.mark.parametrize("login", ["登记员", "nobody", "复核员"])
def test_a_wrong_password_an_unknown_login_and_one_without_password_are_told_the_same(desk: Office, login: str) -> None:
    seen = try_to(Reader(app_of(desk, demo=False)), "wrong", status=403, login=login)
    assert seen.problems() == ["登录名或密码不正确，或该账号已停用。"]


def test_an_empty_form_is_not_an_attempt(desk: Office) -> None:
    reader = Reader(app_of(desk))
    for _ in range(MOST["login"] + 1):
        assert try_to(reader, "", status=422).problems() == ["请填写登录名和密码。"]
    try_to(reader, PASSWORD, status=200)


def test_after_five_failures_a_login_has_to_wait_even_with_the_right_password(desk: Office) -> None:
    reader = Reader(app_of(desk))
    for _ in range(MOST["login"]):
        try_to(reader, "wrong", status=403)
    seen = try_to(reader, PASSWORD, status=429)
    assert "15 分钟后再试" in seen.problems()[0]
    try_to(reader, "wrong", status=403, login="复核员")
    desk.clock.instant += PAUSE + timedelta(seconds=1)
    try_to(reader, PASSWORD, status=200)


def test_a_success_forgives_the_failures_of_the_login_before_it(desk: Office) -> None:
    reader = Reader(app_of(desk))
    for _ in range(3):
        for _ in range(MOST["login"] - 1):
            try_to(reader, "wrong", status=403)
        try_to(reader, PASSWORD, status=200)
        reader.post("/session/end")


def test_an_address_that_tries_many_logins_has_to_wait(desk: Office) -> None:
    reader = Reader(app_of(desk))
    for number in range(MOST["address"]):
        try_to(reader, "wrong", status=403, login=f"somebody{number}")
    try_to(reader, PASSWORD, status=429)
    elsewhere = reader.post(
        "/session", {"login": "登记员", "password": PASSWORD}, environ_base={"REMOTE_ADDR": "192.0.2.9"}
    )
    assert elsewhere.heading == "我的待办"


def test_in_a_demonstration_one_click_makes_one_anybody_who_has_no_password(desk: Office) -> None:
    reader = Reader(app_of(desk))
    seen = reader.get("/sign-in")
    offered = {each.get("value") for each in seen.tree.iter("button") if each.get("name") == "person"}
    assert desk.who["复核员"] in offered
    assert desk.who["登记员"] not in offered  # has a password
    assert desk.who["路人"] not in offered  # has no role
    assert "演示环境" in reader.sign_in(desk.who["复核员"]).get("/inbox").text
    refused = Reader(app_of(desk)).post("/session", {"person": desk.who["登记员"]}, status=403)
    assert refused.heading == "登录"


def test_without_a_demonstration_nobody_is_offered_or_let_in_by_a_click(desk: Office) -> None:
    reader = Reader(app_of(desk, demo=False))
    seen = reader.get("/sign-in")
    assert "复核员" not in seen.text and "演示" not in seen.text
    reader.post("/session", {"person": desk.who["复核员"]}, status=422)


def test_pages_are_chinese_first_and_english_by_switch_and_it_survives_signing_in_and_out(desk: Office) -> None:
    reader = Reader(app_of(desk))
    assert reader.get("/sign-in").heading == "登录"
    seen = reader.post("/language", {"language": "en", "next": "/sign-in"})
    assert seen.heading == "Sign in" and seen.tree.get("lang") == "en"
    reader.sign_in(desk.who["复核员"])
    assert reader.get("/inbox").heading == "My inbox"
    assert reader.post("/session/end").heading == "Sign in"
    assert reader.post("/language", {"language": "zh", "next": "/sign-in"}).heading == "登录"


def test_a_name_full_of_markup_is_only_a_name(desk: Office) -> None:
    evil = "<script>alert(1)</script>\"'&"
    desk.hire(evil, "registrar")
    reader = Reader(app_of(desk)).sign_in(desk.who[evil])
    response = reader.cookies.get("/inbox")
    assert "<script>alert" not in response.text
    assert evil in "".join(parsed(response.text)[0].itertext())
