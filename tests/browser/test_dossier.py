"""The duty matrix, late evidence, a correction and a suspension in Chromium, on a desk and on a telephone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import Sitter, pdf
from tests.office import Office, package
from tests.web_reader import app_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def office(new_office: NewOffice) -> Office:
    """An office with a case whose decision lacks a fact and whose publicity runs."""
    office = new_office("sqlite")
    office.deploy(package("notice"), package("duty"))
    return office


def test_a_gap_in_the_duty_matrix_is_filled_late_and_everything_fits_a_telephone(
    office: Office,
    serve: Callable[[WSGIApplication], str],
    browser_page: Page,
    screenshot: Callable[[Page, str], list[Path]],
) -> None:
    case = office.start("duty")
    office.do(case, "decide", "双职", comparables=None)
    sitter = Sitter(browser_page, serve(app_of(office)))
    sitter.sign_in("双职")
    browser_page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    sitter.go(f"/cases/{case}")
    matrix = browser_page.locator("#duties")
    care = matrix.locator("details.duty").nth(2)
    care.locator("summary").first.click()
    expect(care).to_contain_text("合理注意")
    expect(care).to_contain_text("缺口")
    care.get_by_role("link", name="补录 定价依据").click()
    browser_page.set_input_files("#file", pdf("可比交易.pdf"))  # type: ignore[arg-type]
    browser_page.fill("#reason", "当时尚未整理")
    assert sitter.fits()
    browser_page.get_by_role("button", name="补录").click()
    expect(care).to_have_attribute("open", "")
    expect(care).to_contain_text("部分落实")
    expect(care.get_by_role("link", name="可比交易.pdf").first).to_be_visible()
    for language in ("zh", "en"):
        if language == "en":
            browser_page.get_by_role("button", name="English").click()
            expect(matrix).to_contain_text("Partly fulfilled")
        for width in WIDTHS:
            browser_page.set_viewport_size({"width": width, "height": 900})
            assert sitter.fits(), f"the matrix is wider than {width} in {language}"
        screenshot(browser_page, f"{language}-duties")
    care.get_by_role("link", name="2026-03-02 09:00").last.click()
    expect(browser_page.locator(":target")).to_contain_text("F-RC-06")


def test_a_case_is_suspended_and_resumed_and_an_answer_corrected_by_hand(
    office: Office,
    serve: Callable[[WSGIApplication], str],
    browser_page: Page,
    screenshot: Callable[[Page, str], list[Path]],
) -> None:
    case = office.start("duty")
    sitter = Sitter(browser_page, serve(app_of(office)))
    sitter.sign_in("合规")
    sitter.go(f"/cases/{case}")
    browser_page.get_by_role("link", name="中止").click()
    browser_page.select_option("#cause", "investigation")
    browser_page.fill("#reason", "纪检部门正在核查")
    browser_page.get_by_role("button", name="中止").click()
    expect(browser_page.locator(".problems.soft")).to_contain_text("正在接受调查")
    screenshot(browser_page, "zh-suspended")
    sitter.sign_in("双职")
    sitter.take_up("一项成果", "决定")
    browser_page.get_by_role("radio", name="负责人").check()
    browser_page.get_by_role("button", name="提交办理结果").last.click()
    expect(browser_page.locator(".problems")).to_contain_text("已中止")
    office.later(days=7)
    sitter.sign_in("合规")
    sitter.go(f"/cases/{case}")
    browser_page.get_by_role("link", name="恢复办理").click()
    browser_page.fill("#reason", "核查结束")
    browser_page.get_by_role("button", name="恢复办理").click()
    expect(browser_page.locator("#waits")).to_contain_text("因中止顺延，原为 2026-03-09")
    browser_page.locator("details.answer summary").first.click()
    browser_page.get_by_role("link", name="更正 提出").click()
    browser_page.fill("#should_be", "另一项成果")
    browser_page.fill("#reason", "当时写错")
    browser_page.get_by_role("button", name="记入更正").click()
    browser_page.locator("details.answer summary").first.click()
    expect(browser_page.locator(".correction")).to_contain_text("另一项成果")
    browser_page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
    assert sitter.fits()
    for path in ("/substitutes", f"/cases/{case}/evidence", f"/cases/{case}/suspension"):
        sitter.go(path)
        assert sitter.fits(), f"{path} is wider than {WIDTHS[-1]}"
