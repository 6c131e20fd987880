"""Two cases of the policy papers, played by people on the pages from the first form to the certificate of registration.

积水潭: three patents, empowered in part 70/30, transferred together for 1,000,000 元. 首都师范大学: use before pay.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from playwright.sync_api import Page, expect

from engine import registers
from engine.library import Library
from engine.scenario_file import read_scenario
from engine.scenario_starts import linked
from engine.scenarios import SetClock, Stage
from engine.trail.verify import verify
from engine.work import BEIJING, SYSTEM, Database
from tests.browser.conftest import WIDTHS
from tests.browser.people import Sitter
from tests.browser.worked_case import WorkedCase
from tests.conftest import NewDatabase
from webui import create_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

EMPOWERMENT, CONVERSION, REGISTRATION = (
    "empower_then_exercise",
    "tiered_conversion_approval",
    "tech_contract_registration",
)
REGISTRAR, SECOND, HEAD, OFFICER = "登记员 陈敏", "复核员 张慧", "登记机构负责人 朱正", "流程负责人 郭绘"
INSTITUTION = {
    "registrar": (REGISTRAR,),
    "second_reviewer": (SECOND,),
    "registration_head": (HEAD,),
    "process_owner": (OFFICER,),
}
CERTIFICATE = "技术合同认定登记证明"
COMPANY, LICENSEE = "骨科康复科技（北京）有限公司", "北京维泰凯信新技术有限公司"


class Opening(Protocol):
    """Opens a worked case of the library before the pages."""

    def __call__(self, process: str, file: str) -> WorkedCase: ...


@pytest.fixture
def opened(new_database: NewDatabase, serve: Callable[[WSGIApplication], str], browser_page: Page) -> Iterator[Opening]:
    """The people, registers and clock of a worked case, and the institution that registers contracts, on the pages."""
    with ExitStack() as stack:

        def open_one(process: str, file: str) -> WorkedCase:
            [(path, text)] = [
                each for each in Library.standing().package(process).scenarios().items() if Path(each[0]).name == file
            ]
            worked = read_scenario(text.decode("utf-8"), path)
            stage = Stage(replace(worked, people={**worked.people, **INSTITUTION}), SetClock(worked.now))
            stage.database = Database(new_database("sqlite"), stage.clock)
            stack.callback(stage.database.close)
            stage.set()
            address = serve(create_app(stage.database, secret="only for tests " * 3, demo=True))
            return WorkedCase(Sitter(browser_page, address), stage)

        yield open_one


def register_contract(played: WorkedCase, seller: str, given: Mapping[str, Any]) -> str:
    """The linked case of registration, from its first form, filled in already, to the certificate; gives its id."""
    stage = played.stage
    case = linked(stage, played.case, REGISTRATION)
    today = stage.clock.instant.astimezone(BEIJING).date().isoformat()
    played.do("submit_contract", seller, given, case)
    played.do(
        "acceptance_check", REGISTRAR, {"materials_complete": True, "decision": "accept", "accepted_on": today}, case
    )
    stage.wait(stage.clock.instant + timedelta(days=1))
    found = {"is_technical_contract": True, "determined_type": given["claimed_type"], "proposal": "register"}
    played.do("content_review", REGISTRAR, found, case)
    played.do("second_review", SECOND, {"agree": True}, case)
    played.do("registration_decision", HEAD, {"decision": "register"}, case)
    return case


def download(page: Page, name: str) -> str:
    """The words of the newest Word file of this name that the page of a case offers."""
    with page.expect_download() as downloading:
        page.locator("#documents").get_by_role("link", name=name).first.click()
    assert downloading.value.suggested_filename.endswith(".docx")
    content = downloading.value.path().read_bytes()
    return zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode("utf-8")


def rows(database: Database, register: str) -> list[Mapping[str, Any]]:
    """The records of a register in their latest version."""
    with database.look(SYSTEM) as work:
        return [entry.value for entry in registers.browse(work, register)]


def intact(database: Database, *cases: str) -> bool:
    """Whether the trails of these cases are."""
    with database.look(SYSTEM) as work:
        return all(verify(work, case).intact for case in cases)


def fits_everywhere(sitter: Sitter) -> bool:
    """Whether the page is no wider than the window, at a desk and on a telephone."""
    fitting = []
    for width in reversed(WIDTHS):
        sitter.page.set_viewport_size({"width": width, "height": 900})
        fitting.append(sitter.fits())
    return all(fitting)


def test_three_patents_empowered_in_part_are_transferred_together_and_the_price_is_split(
    opened: Opening, screenshot: Callable[[Page, str], list[Path]]
) -> None:
    """积水潭: 300,000 元 to the hospital, 700,000 元 to the inventors; no second incentive."""
    played = opened(EMPOWERMENT, "p1-01.yaml")
    stage, sitter, worked = played.stage, played.sitter, played.stage.scenario
    played.start()
    played.play(worked.course.steps)
    stage.expect(played.case, worked.expect, 0)

    expect(sitter.latest).to_contain_text("案卷已办结")
    expect(sitter.page.locator(".facts .tag.closed")).to_contain_text("赋权")
    expect(sitter.page.locator("#happened")).to_contain_text("签署子上传了附件（签订转化合同）")
    expect(sitter.page.locator("#documents")).to_contain_text("签署子 · 2026-04-14 09:00 · 签订转化合同")
    result = download(sitter.page, "共同转化结果")
    assert all(amount in result for amount in ("1,000,000.00", "300,000.00", "700,000.00"))
    screenshot(sitter.page, "conversion-empowered")
    assert fits_everywhere(sitter)

    title = "移动智能动作监测骨科康复技术转让合同"
    contract = register_contract(played, "合同寅", {"contract_title": title, "claimed_type": "tech_transfer"})
    assert title in download(sitter.page, CERTIFICATE)
    screenshot(sitter.page, "conversion-empowered-registered")

    [incentive] = rows(stage.database, "incentive")
    assert (incentive["mode"], incentive["status"], incentive["conversion_id"]) == (
        "empower_first",
        "executed",
        COMPANY,
    )
    [deal], [registered] = rows(stage.database, "deal"), rows(stage.database, "contract")
    assert (deal["status"], deal["amount_fen"]) == ("signed", 100_000_000)
    assert (registered["title"], registered["status"]) == (title, "registered")
    [receipt] = rows(stage.database, "receipt")
    assert receipt["received_fen"] == 30_000_000
    assert intact(stage.database, played.case, contract)


def test_a_licence_to_use_before_pay_is_registered_and_paid_a_year_later(
    opened: Opening, screenshot: Callable[[Page, str], list[Path]]
) -> None:
    """首都师范大学: no entry fee, the first payment a year after the contract came into force."""
    played = opened(CONVERSION, "p2-13.yaml")
    stage, sitter, worked = played.stage, played.sitter, played.stage.scenario
    steps = worked.course.steps
    signed = next(number for number, step in enumerate(steps) if step.what == "submit_contract")
    played.start()
    played.play(steps[:signed])

    title = "阶梯加热红外热波技术测量厚度的方法专利许可合同"
    contract = register_contract(played, "申请人丑", {"contract_title": title, "claimed_type": "tech_licence"})
    assert title in download(sitter.page, CERTIFICATE)
    screenshot(sitter.page, "conversion-licence-registered")

    played.play([step for step in steps[signed + 1 :] if step.kind != "expect"])
    stage.expect(played.case, worked.expect, 0)
    expect(sitter.latest).to_contain_text("案卷已办结")
    screenshot(sitter.page, "conversion-licence")
    assert fits_everywhere(sitter)

    [incentive] = rows(stage.database, "incentive")
    assert incentive["mode"] == "reward_after"
    [deal], [registered] = rows(stage.database, "deal"), rows(stage.database, "contract")
    assert (deal["recipient_name"], deal["amount_fen"]) == (LICENSEE, 20_000_000)
    assert (registered["title"], registered["status"]) == (title, "registered")
    assert intact(stage.database, played.case, contract)
