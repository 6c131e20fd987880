"""A compliance officer oversees in Chromium: from a number to its cases by keyboard, a search, a view, an export."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from engine.trail import jobs
from tests.browser.people import Sitter
from tests.office import NewOffice, Office
from tests.overseen import play
from tests.web_reader import app_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def office(new_office: NewOffice) -> Office:
    made = new_office("sqlite")
    play(made)
    return made


def test_a_compliance_officer_goes_from_a_number_to_its_cases_keeps_the_search_and_exports_them(
    office: Office,
    serve: Callable[[WSGIApplication], str],
    browser_page: Page,
    screenshot: Callable[[Page, str], list[object]],
) -> None:
    sitter = Sitter(browser_page, serve(app_of(office)))
    browser_page.goto(f"{sitter.base}/sign-in")
    browser_page.request.post(f"{sitter.base}/session", form={"person": office.who["合规"]})
    sitter.go("/inbox")
    browser_page.get_by_role("link", name="监督", exact=True).click()
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("监督概览")
    screenshot(browser_page, "oversight")
    assert narrow(sitter)

    browser_page.get_by_role("link", name="2 缺项").first.focus()
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("heading", name="共 2 个案卷")).to_be_visible()
    expect(browser_page.get_by_role("row").filter(has_text="缺定价依据")).to_be_visible()
    browser_page.go_back()
    browser_page.get_by_role("link", name="2026-03 操作被拒：3 个案卷").focus()
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("heading", name="共 3 个案卷")).to_be_visible()

    browser_page.get_by_text("查询条件").focus()
    browser_page.keyboard.press("Enter")
    browser_page.get_by_label("办理人（登录名或姓名）").fill("双职")
    browser_page.get_by_label("应回避而被拒").check()
    screenshot(browser_page, "oversight-form")
    assert narrow(sitter)
    browser_page.get_by_role("button", name="查询", exact=True).click()
    expect(browser_page.get_by_role("heading", name="共 1 个案卷")).to_be_visible()
    expect(browser_page.get_by_role("row").filter(has_text="复核自己")).to_be_visible()
    browser_page.get_by_role("link", name="去掉条件“办理人（登录名或姓名）”").click()
    expect(browser_page.get_by_role("heading", name="共 3 个案卷")).to_be_visible()
    screenshot(browser_page, "oversight-cases")
    assert narrow(sitter)

    browser_page.get_by_label("视图名称").fill("三月被拒")
    browser_page.get_by_role("button", name="保存为视图").click()
    browser_page.get_by_role("link", name="三月被拒").click()
    browser_page.get_by_label("用途").fill("三月检查")
    browser_page.get_by_role("button", name="导出这 3 个案卷").click()
    expect(browser_page.get_by_text("0 / 3")).to_be_visible()
    assert jobs.run_one(office.database, patience=0)
    expect(browser_page.get_by_role("link", name="evidence.zip")).to_be_visible()

    sitter.go("/oversight/attempts")
    screenshot(browser_page, "oversight-attempts")
    assert narrow(sitter)


def narrow(sitter: Sitter) -> bool:
    """Whether the page fits a telephone."""
    before = sitter.page.viewport_size
    sitter.page.set_viewport_size({"width": 390, "height": 900})
    fits = sitter.fits()
    if before is not None:
        sitter.page.set_viewport_size(before)
    return fits
