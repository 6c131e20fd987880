"""In a browser: a case begun by a message that one may send, and a linked case whose form is filled in already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from engine import cases, definitions, demo
from engine.library import Library, Package
from engine.scenarios import SetClock
from engine.work import BEIJING, SYSTEM, Database
from tests.begun import ASK, form, started_by
from tests.browser.conftest import WIDTHS
from tests.browser.people import Sitter
from tests.browser.test_pages import app_over
from tests.conftest import NewDatabase
from tests.test_linked_cases import claim, deal

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

APPLICANT, OFFICER = "北京某大学 赵申请", "严合规"


@pytest.fixture
def office(new_database: NewDatabase) -> Iterator[Database]:
    """A demonstration with a process that a message starts, and a case that has started another."""
    asked = started_by(ASK, sender="contract_applicant", form="question")
    question = form("question", matter="text, required: true")
    packages = [Package("begun", {**asked.files, **dict([question])}), claim(), deal()]
    clock = SetClock(datetime(2026, 3, 9, 9, 0, tzinfo=BEIJING))
    with closing(Database(new_database("sqlite"), clock)) as made:
        with made.work(SYSTEM) as work:
            definitions.deploy_together(work, packages, Library.standing().vocabulary())
            demo.add_people(work)
            who = {row["role"]: row["id"] for row in demo.listed(work)}
        with cases.acting(made, who["registrar"]) as work:
            cases.start(work, "deal", {"subject": "膜材料", "amount": 7})
        yield made


def test_cases_begin_by_a_message_and_by_another_case(
    office: Database,
    serve: Callable[[WSGIApplication], str],
    browser_page: Page,
    screenshot: Callable[[Page, str], list[Path]],
) -> None:
    sitter = Sitter(browser_page, serve(app_over(office)))
    sitter.sign_in(APPLICANT)
    sitter.go("/processes/begun")
    browser_page.locator("p.actions").get_by_role("link").click()
    sitter.fill({"matter": "何时受理"})
    for width in WIDTHS:
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert sitter.fits(), f"the page of the message is wider than {width}"
    screenshot(browser_page, "start-message")
    browser_page.locator("p.actions").get_by_role("button").first.click()
    expect(browser_page.get_by_text("赵申请提出申请，案卷立案").first).to_be_visible()
    sitter.take_up("claim", "提交")
    expect(browser_page.locator('[name="subject"]')).to_have_value("膜材料")
    sitter.fill({"note": "请予登记"})
    browser_page.locator("p.actions").get_by_role("button").first.click()
    expect(browser_page.get_by_text("由此案卷启动")).to_be_visible()
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("膜材料")
    sitter.sign_in(OFFICER)
    sitter.go("/cases")
    browser_page.get_by_role("link", name="deal").first.click()
    expect(browser_page.get_by_text("启动的案卷")).to_be_visible()
