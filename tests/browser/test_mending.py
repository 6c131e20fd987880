"""An incident mended, cases moved and a register fetched in Chromium, on a desk and a telephone, also by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WIDTHS
from tests.browser.people import Sitter
from tests.office import Office, package
from tests.test_migration import RENAMED
from tests.test_web_incidents import BROKEN
from tests.web_reader import app_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def sitter(new_office: NewOffice, serve: Callable[[WSGIApplication], str], browser_page: Page) -> tuple[Office, Sitter]:
    """An administrator before an office with a registered contract and a case that is at its review."""
    office = new_office("sqlite")
    case = office.start(contract_no="HT-1", amount_fen=29)
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    office.start(contract_no="HT-2")
    sitter = Sitter(browser_page, serve(app_of(office)))
    sitter.sign_in("管理员")
    return office, sitter


def everywhere(sitter: Sitter, name: str, screenshot: Callable[[Page, str], list[Path]]) -> None:
    """The page fits both widths in both languages; pictures are kept of each."""
    for language, button in (("zh", "English"), ("en", "中文")):
        for width in WIDTHS:
            sitter.page.set_viewport_size({"width": width, "height": 900})
            assert sitter.fits(), f"{name} is wider than {width} in {language}"
        screenshot(sitter.page, f"{language}-{name}")
        sitter.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        sitter.page.get_by_role("button", name=button).click()


def test_an_administrator_corrects_a_variable_and_brings_a_case_on_by_keyboard(
    sitter: tuple[Office, Sitter], screenshot: Callable[[Page, str], list[Path]]
) -> None:
    office, before = sitter
    page = before.page
    office.deploy(package("permit", BROKEN))
    case = office.start(contract_no="HT-3", amount_fen=300)
    page.get_by_role("link", name="异常", exact=True).click()
    everywhere(before, "incidents", screenshot)
    page.get_by_role("link", name="处理").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("停在“预备”")
    everywhere(before, "incident", screenshot)
    page.get_by_label("变量", exact=True).fill("amount_fen")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("类型")).to_have_value("money")
    page.keyboard.press("Tab")
    page.keyboard.type("4.00")
    page.keyboard.press("Tab")
    page.keyboard.type("录入有误")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dl.fields")).to_contain_text("400")
    page.get_by_role("button", name="立即重试").click()
    page.wait_for_url(f"**/cases/{case}")
    expect(page.locator("#waits")).to_contain_text("审查")


def test_running_cases_are_moved_to_another_version_with_what_vanished_mapped(
    sitter: tuple[Office, Sitter], screenshot: Callable[[Page, str], list[Path]]
) -> None:
    office, before = sitter
    page = before.page
    office.deploy(package("permit", *RENAMED))
    before.go("/processes/permit")
    page.get_by_role("link", name="迁移案卷").click()
    expect(page.get_by_text("不能迁移").first).to_be_visible()
    everywhere(before, "migration", screenshot)
    page.get_by_label("审查").select_option("check")
    page.get_by_role("button", name="看看会怎样").click()
    expect(page.get_by_role("checkbox")).to_have_count(2)
    everywhere(before, "migration-mapped", screenshot)
    page.get_by_role("button", name="迁移所选案卷").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("已迁移 2 件。")
    everywhere(before, "migration-done", screenshot)


def test_a_register_is_fetched_as_a_workbook_and_as_csv(
    sitter: tuple[Office, Sitter], screenshot: Callable[[Page, str], list[Path]]
) -> None:
    _, before = sitter
    before.go("/registers/contract?words=HT")
    everywhere(before, "register", screenshot)
    page = before.page
    for name, ending in (("XLSX 导出", ".xlsx"), ("CSV 导出", ".csv")):
        with page.expect_download() as fetched:
            page.get_by_role("button", name=name).click()
        assert fetched.value.suggested_filename == f"技术合同登记台账 2026-03-02{ending}"
        content = fetched.value.path().read_bytes()
        assert (b"0.29" in content) == (ending == ".csv")  # the workbook is compressed
    page.get_by_role("link", name="HT-1").click()
    everywhere(before, "record", screenshot)
    page.get_by_role("link", name="登记", exact=True).click()
    expect(page.locator(":target")).to_contain_text("登入“技术合同登记台账”")
