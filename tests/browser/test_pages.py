"""The pages in Chromium: wide and narrow, in both languages, by keyboard, while a form is filled in, without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from engine import demo, inbox
from engine.scenarios import SetClock
from engine.work import BEIJING, SYSTEM, Database
from tests.browser.conftest import WIDTHS, NewPage
from tests.browser.people import Sitter, pdf
from tests.browser.test_contracts import HEAD, REGISTRAR, SELLER, submit_contract
from tests.conftest import NewDatabase
from webui import create_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from flask import Flask

START = "/processes/tech_contract_registration/application"
CASES = 12


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory, templates: Callable[[str], str]) -> str:
    """A database with cases of every kind to look at, made once for the worker."""
    path = tmp_path_factory.mktemp("played") / "played.db"
    path.write_bytes(Path(templates("sqlite").removeprefix("sqlite:///")).read_bytes())
    demo.prepare(f"sqlite:///{path}", CASES)
    return f"sqlite:///{path}"


@pytest.fixture
def shown(played: str) -> Iterator[Database]:
    """The database with its cases; only looked at."""
    with closing(Database(played)) as database:
        yield database


@pytest.fixture
def fresh(new_database: NewDatabase) -> Iterator[Database]:
    """The demonstration without a case."""
    clock = SetClock(datetime(2026, 9, 17, 9, 0, tzinfo=BEIJING))
    with closing(Database(new_database("sqlite"), clock)) as database:
        with database.work(SYSTEM) as work:
            demo.add_people(work)
        demo.register_accounts(database)
        yield database


def app_over(database: Database) -> Flask:
    return create_app(database, secret="only for tests " * 3, demo=True)


@pytest.fixture
def sitter(fresh: Database, serve: Callable[[WSGIApplication], str], browser_page: Page) -> Sitter:
    return Sitter(browser_page, serve(app_over(fresh)))


def places(database: Database) -> list[tuple[str, str, str]]:
    """The main pages: a name for the picture, who looks, and where."""
    with database.look(SYSTEM) as work:
        rows = inbox.cases(work, process="tech_contract_registration")
        items = {row["id"]: inbox.items_of(work, row["id"]) for row in rows}
        open_now = [item for each in items.values() for item in each if item["closed_at"] is None]
        longest = max(rows, key=lambda row: len(items[row["id"]]))
        item = next(each for each in open_now if each["roles"] in ("|registrar|", "|registration_head|"))
        doer = REGISTRAR if item["roles"] == "|registrar|" else HEAD
        waiting = next(row for row in rows if row["id"] == item["case"])
    version = "/processes/tech_contract_registration/versions/1"
    return [
        ("inbox", doer, "/inbox"),
        ("task", doer, f"/tasks/{item['id']}"),
        ("case", doer, f"/cases/{waiting['id']}"),
        ("long-case", "严合规", f"/cases/{longest['id']}"),
        ("trail", "严合规", f"/cases/{longest['id']}/verification"),
        ("cases", "严合规", "/cases"),
        ("processes", SELLER, "/processes"),
        ("start", SELLER, START),
        ("version", "流程负责人 郭绘", version),
        ("form", "流程负责人 郭绘", f"{version}/forms/content_review"),
        ("deployment", "流程负责人 郭绘", "/deployment"),
        ("register", "严合规", "/registers/contract"),
        ("parameters", "严合规", "/parameters"),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_main_page_fits_a_desk_and_a_telephone_in_both_languages(
    shown: Database,
    serve: Callable[[WSGIApplication], str],
    browser_page: Page,
    screenshot: Callable[[Page, str], list[Path]],
    language: str,
) -> None:
    sitter = Sitter(browser_page, serve(app_over(shown)))
    sitter.go("/sign-in")
    if language == "en":
        browser_page.get_by_role("button", name="English").click()
    screenshot(browser_page, f"{language}-sign-in")
    who = ""
    for name, person, path in places(shown):
        if person != who:
            sitter.sign_in(person)
            who = person
        sitter.go(path)
        assert browser_page.locator("h1").count() == 1
        for width in WIDTHS:
            browser_page.set_viewport_size({"width": width, "height": 900})
            assert sitter.fits(), f"{path} is wider than {width}"
        browser_page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        assert len(screenshot(browser_page, f"{language}-{name}")) == len(WIDTHS)


def test_a_diagram_shows_the_step_in_progress_and_can_be_scrolled_by_keyboard(
    shown: Database, serve: Callable[[WSGIApplication], str], new_page: NewPage
) -> None:
    page = new_page(width=390)
    sitter = Sitter(page, serve(app_over(shown)))
    _, person, path = places(shown)[2]
    sitter.sign_in(person)
    sitter.go(path)
    assert page.locator(".diagram .is-open").first.is_visible()
    inside, around = page.locator(".diagram .is-open").first.bounding_box(), page.locator(".diagram").bounding_box()
    assert inside and around and around["x"] <= inside["x"] <= around["x"] + around["width"]
    before = page.locator(".diagram").evaluate("box => box.scrollLeft")
    page.locator(".diagram").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert page.locator(".diagram").evaluate("box => box.scrollLeft") != before
    page.get_by_label("缩放到页面宽度").check()
    drawn = page.locator(".diagram svg").bounding_box()
    assert drawn and drawn["width"] <= 390


def test_a_closed_case_shows_where_its_diagram_was_left_also_on_a_telephone(
    shown: Database, serve: Callable[[WSGIApplication], str], new_page: NewPage
) -> None:
    with shown.look(SYSTEM) as work:
        closed = inbox.cases(work, status="closed", process="tech_contract_registration")
    sitter = Sitter(new_page(width=390), serve(app_over(shown)))
    sitter.sign_in("严合规")
    for case in closed[:2]:
        sitter.go(f"/cases/{case['id']}")
        box = sitter.page.locator(".diagram")
        last = box.locator(f'[data-element="{box.get_attribute("data-last")}"]')
        inside, around = last.bounding_box(), box.bounding_box()
        assert inside and around and around["height"] <= 400
        assert around["x"] <= inside["x"] and inside["x"] + inside["width"] <= around["x"] + around["width"]
        assert around["y"] <= inside["y"] and inside["y"] + inside["height"] <= around["y"] + around["height"]
        assert "is-done" in str(last.get_attribute("class"))
    assert closed


def test_by_keyboard_one_skips_to_the_content_and_sees_where_one_is(sitter: Sitter) -> None:
    sitter.sign_in(SELLER)
    sitter.go("/processes")
    sitter.page.keyboard.press("Tab")
    skip = sitter.page.get_by_role("link", name="跳到正文")
    expect(skip).to_be_focused()
    assert skip.bounding_box()["y"] >= 0  # type: ignore[index]
    sitter.page.keyboard.press("Enter")
    sitter.page.keyboard.press("Tab")
    focused = sitter.page.locator(":focus")
    assert focused.evaluate("element => element.closest('main') !== null")
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_fields_appear_and_are_computed_while_the_form_is_filled_in_and_nothing_typed_is_lost(sitter: Sitter) -> None:
    sitter.sign_in(SELLER)
    sitter.go(START)
    page = sitter.page
    expect(page.locator('[name="contract_file"]')).to_have_count(0)
    page.get_by_label("不涉密").check()
    expect(page.locator('[name="contract_file"]')).to_be_visible()
    page.locator('[name="amount_original"]').fill("30000000.01")
    title = page.locator('[name="contract_title"]')
    title.click()
    title.press_sequentially("一边打字一边核对 while the server answers", delay=15)
    expect(page.locator("#f-amount_fen")).to_contain_text("30,000,000.01 元（叁仟万元零壹分）")
    expect(title).to_have_value("一边打字一边核对 while the server answers")
    expect(title).to_be_focused()
    page.locator('[name="currency"]').fill("USD")
    page.keyboard.press("Tab")
    expect(page.get_by_label("汇率来源")).to_be_visible()


def test_rows_come_and_go_without_leaving_the_page_and_the_focus_follows(sitter: Sitter) -> None:
    sitter.sign_in(SELLER)
    sitter.go(START)
    page = sitter.page
    rows = page.locator("#f-ip_list tbody tr")
    for number in range(2):
        page.locator("#f-ip_list > button").click()
        expect(rows).to_have_count(number + 1)
        expect(rows.nth(number).locator("input").first).to_be_focused()
        page.keyboard.type(f"专利{number}")
    rows.nth(0).get_by_role("button").click()
    expect(rows).to_have_count(1)
    expect(page.locator('[name="ip_list[0].kind"]')).to_have_value("专利1")
    assert page.url.endswith(START)


def test_a_refused_form_moves_the_focus_to_the_summary_and_keeps_the_chosen_file(
    sitter: Sitter, fresh: Database
) -> None:
    sitter.sign_in(SELLER)
    sitter.go(START)
    page = sitter.page
    sitter.fill({"secret_level": "none", "contract_file": pdf("合同.pdf"), "signed_on": "2026-09-10"})
    page.locator("p.actions").get_by_role("button", name="提交申请").click()
    summary = page.locator("#problems")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("“合同名称”必须填写")
    assert page.locator('[name="contract_file"]').evaluate("input => input.files[0].name") == "合同.pdf"
    expect(page.locator('[name="signed_on"]')).to_have_value("2026-09-10")
    summary.get_by_role("link", name="“合同名称”必须填写。").click()
    expect(page.locator('[name="contract_title"]')).to_be_focused()
    with fresh.look(SYSTEM) as work:
        assert inbox.cases(work, process="tech_contract_registration") == []


def test_two_clicks_start_one_case(sitter: Sitter, fresh: Database) -> None:
    submit_contract(sitter, "只登记一次")
    sitter.go("/processes/register_account/application")
    answers = {"subject_kind": "university", "name": "某大学", "uscc": "12110000400000101R", "region_code": "110108"}
    sitter.fill({**answers, "chosen_agency": "样例机构", "contact": "010-00000000", "id_proof": pdf("证明.pdf")})
    sitter.page.locator("p.actions").get_by_role("button", name="提交申请").dblclick()
    sitter.page.wait_for_url("**/cases/*")
    with fresh.look(SYSTEM) as work:
        accounts = [row for row in inbox.cases(work, process="register_account") if "某大学" in row["title"]]
    assert len(accounts) == 1


def test_who_was_signed_out_meanwhile_is_told_so_and_loses_nothing(sitter: Sitter) -> None:
    sitter.sign_in(SELLER)
    sitter.go(START)
    page = sitter.page
    sitter.fill({"contract_title": "没有白填"})
    page.context.clear_cookies()
    page.locator("p.actions").get_by_role("button", name="提交申请").click()
    expect(page.locator(".problems").first).to_contain_text("登录已过期")
    expect(page.locator('[name="contract_title"]')).to_have_value("没有白填")
    assert page.url.endswith(START)


def test_without_script_the_form_is_updated_by_a_button(
    fresh: Database, serve: Callable[[WSGIApplication], str], browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    with closing(context):
        sitter = Sitter(context.new_page(), serve(app_over(fresh)))
        sitter.sign_in(SELLER)
        sitter.go(START)
        page = sitter.page
        page.get_by_label("不涉密").check()
        page.get_by_role("button", name="更新表单").click()
        expect(page.locator('[name="contract_file"]')).to_be_visible()
        page.locator("#f-ip_list > button").click()
        expect(page.locator("#f-ip_list tbody tr")).to_have_count(1)
        page.locator("p.actions").get_by_role("button", name="提交申请").click()
        expect(page.locator("#problems")).to_be_focused()
        assert page.title().startswith("有错误：")
