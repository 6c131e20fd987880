"""In a browser, somebody with no part in a case reads what is publicised and objects; the panel finds the objection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from engine import cases, definitions, demo, inbox
from engine.library import Library
from engine.scenarios import SetClock
from engine.work import BEIJING, SYSTEM, Database
from tests.browser.conftest import WIDTHS
from tests.browser.people import Sitter
from tests.browser.test_pages import app_over
from tests.conftest import NewDatabase
from tests.office import package

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

STRANGER, PANEL = "登记员 陈敏", "袁议"


@pytest.fixture
def publicised(new_database: NewDatabase) -> Iterator[Database]:
    """A demonstration in which the price of an achievement is being publicised."""
    clock = SetClock(datetime(2026, 3, 9, 9, 0, tzinfo=BEIJING))
    with closing(Database(new_database("sqlite"), clock)) as made:
        with made.work(SYSTEM) as work:
            definitions.deploy(work, package("publicising"), Library.standing().vocabulary())
            demo.add_people(work)
            who = {row["role"]: row["id"] for row in demo.listed(work)}
        with cases.acting(made, who["inventor_lead"]) as work:
            asked = {"publicity_kind": "pricing", "achievement_name": "骨科康复技术", "price_fen": 100_000_000}
            case = cases.start(work, "publicising", {**asked, "asked_days": 15, "asked_unit": "cd"})
        with cases.acting(made, who["publicity_officer"]) as work:
            item = inbox.open_elements(work, case)["prepare_publicity"]["id"]
            given = {"title": "关于协议定价的公示", "channels": ["unit_website"], "start_on": "2026-03-09"}
            cases.complete(work, str(item), {**given, "planned_days": 15, "contact": "电话 010-00000000"})
        yield made


def test_anybody_signed_in_may_object_to_what_is_publicised(
    publicised: Database,
    serve: Callable[[WSGIApplication], str],
    browser_page: Page,
    screenshot: Callable[[Page, str], list[Path]],
) -> None:
    sitter = Sitter(browser_page, serve(app_over(publicised)))
    sitter.sign_in(STRANGER)
    browser_page.get_by_role("link", name="公示", exact=True).click()
    expect(browser_page.get_by_role("heading", name="关于协议定价的公示")).to_be_visible()
    expect(browser_page.get_by_text("拟交易价格：1000000.00 元")).to_be_visible()
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert sitter.fits(), f"the page of publicities is wider than {width}"
    browser_page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    screenshot(browser_page, "publicities")
    browser_page.get_by_role("link", name="提出异议").click()
    expect(browser_page.locator("h1")).to_have_text("提出异议")
    sitter.fill({"objector_name": "陈敏", "relation": "third_party", "ground": "price", "statement": "价格偏低"})
    screenshot(browser_page, "objection")
    browser_page.locator("p.actions").get_by_role("button", name="提交", exact=True).click()
    expect(browser_page.locator("h1")).to_have_text("公示")
    sitter.sign_in(PANEL)
    sitter.go("/inbox")
    browser_page.get_by_role("link", name="异议受理").first.click()
    expect(browser_page.get_by_text("价格偏低").first).to_be_visible()
    expect(browser_page.get_by_text("陈敏（第三方）").first).to_be_visible()
