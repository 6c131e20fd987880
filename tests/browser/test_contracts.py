"""Three technology contracts walk through the pages to their end, as different people: ordinary, large, secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from engine import demo, inbox
from engine.documents import pdf_is_possible
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.work import BEIJING, SYSTEM, Database
from tests.browser.people import Sitter, pdf
from tests.conftest import NewDatabase
from webui import create_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

SELLER, REGISTRAR, SECOND, HEAD, SECURITY = (
    "维泰凯信 王申请",
    "登记员 陈敏",
    "复核员 张慧",
    "登记机构负责人 朱正",
    "保密部门 秦守",
)
EXPERTS = ("专家 林一", "专家 罗二", "专家 谢三", "专家 曾四", "专家 彭五")
SUBMIT, SEND = "提交申请", "提交办理结果"

CONTRACT: dict[str, Any] = {
    "secret_level": "none",
    "claimed_type": "tech_licence",
    "is_import": "false",
    "applicant_role": "seller",
    "signed_on": "2026-09-10",
    "effective_on": "2026-09-10",
    "amount_original": "200000.00",
    "amount_estimated": "false",
    "tech_amount_fen": "200,000.00",
    "payment_mode": "先使用后付费",
    "knows_solution_at_signing": "true",
    "chinese_text_included": "true",
    "truth_declaration": "true",
}
SELLER_ROW = {
    "role": "seller",
    "name": "首都师范大学",
    "uscc": "12110000400000101R",
    "country": "CN",
    "region_code": "110108",
}
BUYER_ROW = {
    "role": "buyer",
    "name": "北京维泰凯信新技术有限公司",
    "uscc": "91110108MA00B7C45R",
    "country": "CN",
    "region_code": "110108",
}


@pytest.fixture
def clock() -> SetClock:
    """Thursday, before the holidays of autumn."""
    return SetClock(datetime(2026, 9, 17, 9, 0, tzinfo=BEIJING))


@pytest.fixture
def database(new_database: NewDatabase, clock: SetClock) -> Iterator[Database]:
    """The shipped processes and the people of the demonstration, the applicants with their accounts."""
    with closing(Database(new_database("sqlite"), clock)) as made:
        with made.work(SYSTEM) as work:
            demo.add_people(work)
        demo.register_accounts(made)
        yield made


@pytest.fixture
def sitter(database: Database, serve: Callable[[WSGIApplication], str], browser_page: Page) -> Sitter:
    """A window, nobody before it yet."""
    return Sitter(browser_page, serve(create_app(database, secret="only for tests " * 3, demo=True)))


def submit_contract(sitter: Sitter, title: str, **changes: Any) -> str:
    """The seller applies; gives the id of the case."""
    sitter.sign_in(SELLER)
    sitter.go("/processes")
    sitter.page.get_by_role("link", name="开始办理 技术合同认定登记").click()
    sitter.fill({"contract_title": title, **CONTRACT, **changes})
    sitter.row("parties", 0, SELLER_ROW)
    sitter.row("parties", 1, BUYER_ROW)
    sitter.row("ip_list", 0, {"kind": "发明专利", "no": "ZL201410000001.1", "owner": "首都师范大学"})
    if "contract_file" not in changes and changes.get("secret_level", "none") == "none":
        sitter.fill({"contract_file": pdf("合同.pdf")})
    sitter.send(SUBMIT)
    return sitter.page.url.rpartition("/")[2]


def accept_contract(sitter: Sitter, title: str, accepted_on: str) -> None:
    """The registrar accepts it."""
    sitter.sign_in(REGISTRAR)
    sitter.take_up(title, "受理审查")
    sitter.fill({"materials_complete": "true", "decision": "accept", "accepted_on": accepted_on})
    sitter.send(SEND)


def review_contract(sitter: Sitter, title: str, amount: str, unit: str = "yuan") -> None:
    """The registrar finds it a licence that meets all criteria."""
    sitter.take_up(title, "内容审查（认定）")
    sitter.fill({"is_technical_contract": "true", "determined_type": "tech_licence"})
    sitter.fill({f"criteria.TL-{number}": "true" for number in (1, 2, 3)})
    sitter.fill(
        {
            "tech_amount_determined_fen.unit": unit,
            "tech_amount_determined_fen": amount,
            "proposal": "register",
            "opinion": "符合认定条件",
        }
    )
    sitter.send(SEND)


def decide_contract(sitter: Sitter, title: str) -> None:
    """The second reviewer agrees and the head registers it; so there is a certificate."""
    sitter.sign_in(SECOND)
    sitter.take_up(title, "复核")
    sitter.fill({"agree": "true"})
    sitter.send(SEND)
    sitter.sign_in(HEAD)
    sitter.take_up(title, "登记决定")
    sitter.fill({"decision": "register"})
    sitter.send(SEND)


def verify_last_income(sitter: Sitter, clock: SetClock, title: str, amount: str) -> None:
    """A year later the seller reports the income, and the registrar finds it to be all."""
    clock.instant = datetime(2027, 10, 11, 9, 0, tzinfo=BEIJING)
    sitter.sign_in(SELLER)
    sitter.take_up(title, "提交技术性收入核定表")
    sitter.fill(
        {
            "period": "2026-09 至 2027-10",
            "received_fen": amount,
            "non_technical_fen": "0",
            "technical_income_fen": amount,
        }
    )
    sitter.fill({"invoice_nos": "00000001", "vouchers": [pdf("到账凭证一.pdf"), pdf("到账凭证二.pdf")]})
    sitter.send(SEND)
    sitter.sign_in(REGISTRAR)
    sitter.take_up(title, "核定技术性收入")
    sitter.fill({"verified_technical_fen": amount, "is_final": "true"})
    sitter.send(SEND)


def ended_well(database: Database, case: str) -> bool:
    """Whether the contract is registered and closed and its trail is intact."""
    with database.look(SYSTEM) as work:
        row = inbox.case(work, case)
        return bool(row["outcome"] == "registered_closed" and verify(work, case).intact)


def test_an_ordinary_licence_goes_from_submission_to_certificate_and_to_its_end(
    sitter: Sitter, database: Database, clock: SetClock
) -> None:
    """P4-01: ten working days after 18 September, with a make-up Sunday and two holidays, is 9 October."""
    title = "阶梯加热红外热波技术测量厚度的方法专利实施许可"
    case = submit_contract(sitter, title)
    expect(sitter.page.get_by_role("heading", level=1)).to_have_text(title)
    expect(sitter.latest).to_contain_text(f"{SELLER}办理了“提交合同登记申请”")
    expect(sitter.latest).to_contain_text("现在等待：登记员（受理、认定）办理“受理审查”")

    clock.instant = datetime(2026, 9, 18, 10, 0, tzinfo=BEIJING)
    accept_contract(sitter, title, "2026-09-18")
    deadlines = sitter.page.locator("#deadlines")
    expect(deadlines).to_contain_text("2026-10-09 周五")
    expect(deadlines).to_contain_text("自 2026-09-18 的次日起第 10 个工作日。")
    expect(deadlines).to_contain_text("其间调休上班：09-20。")
    expect(sitter.page.locator("#documents")).to_contain_text("受理通知书")
    expect(sitter.page.locator('g[data-element="content_review"]')).to_have_class("bpmn-userTask is-open")

    review_contract(sitter, title, "20", unit="wan")
    expect(sitter.page.locator("#answers")).to_contain_text("200,000.00 元（贰拾万元整）")
    decide_contract(sitter, title)
    if pdf_is_possible():
        with sitter.page.expect_download() as downloading:
            sitter.page.get_by_role("link", name="PDF").last.click()
        assert downloading.value.path().read_bytes().startswith(b"%PDF")
    with sitter.page.expect_download() as downloading:
        sitter.page.get_by_role("link", name="技术合同认定登记证明").first.click()
    assert downloading.value.suggested_filename.endswith(".docx")

    verify_last_income(sitter, clock, title, "200000")
    expect(sitter.latest).to_contain_text("案卷已办结")
    assert ended_well(database, case)
    sitter.page.get_by_role("link", name="留痕轨迹").click()
    sitter.page.get_by_role("link", name="校验本案轨迹").click()
    expect(sitter.page.locator(".flash")).to_contain_text("校验通过，轨迹完整。")


def test_a_contract_above_thirty_million_passes_five_experts(
    sitter: Sitter, database: Database, clock: SetClock
) -> None:
    """P4-03: one fen above the threshold; four of five experts vote for it."""
    title, amount = "大额专利实施许可", "30000000.01"
    case = submit_contract(sitter, title, amount_original=amount, tech_amount_fen=amount)
    clock.instant = datetime(2026, 9, 18, 10, 0, tzinfo=BEIJING)
    accept_contract(sitter, title, "2026-09-18")
    expect(sitter.page.locator("#deadlines")).to_contain_text("第 30 日（自然日")
    review_contract(sitter, title, amount)
    sitter.sign_in(HEAD)
    sitter.take_up(title, "组织专家评审")
    for name in EXPERTS:
        sitter.page.get_by_label(name).check()
    sitter.fill(
        {"fields_covered": ["technical", "legal", "finance"], "coi_checked": "true", "meeting_on": "2026-09-21"}
    )
    sitter.send(SEND)
    expect(sitter.page.locator("#waits tbody tr")).to_have_count(5)
    for name in EXPERTS:
        sitter.sign_in(name)
        sitter.take_up(title, "专家评审意见")
        vote = "against" if name == EXPERTS[-1] else "for"
        sitter.fill({"coi": "false", "is_technical_contract": "true", "amount_reasonable": "true"})
        sitter.fill({"opinion": "技术成熟，约定清楚", "vote": vote})
        sitter.send(SEND)
    sitter.sign_in(HEAD)
    sitter.take_up(title, "专家评审结论")
    expect(sitter.page.locator("#f-votes_for")).to_have_text("4")
    sitter.fill({"minutes_file": pdf("评审纪要.pdf")})
    sitter.send(SEND)
    decide_contract(sitter, title)
    verify_last_income(sitter, clock, title, amount)
    assert ended_well(database, case)


def test_a_secret_contract_is_desensitised_before_anything_is_uploaded(
    sitter: Sitter, database: Database, clock: SetClock
) -> None:
    title = "某装备部件专利实施许可"
    sitter.sign_in(SELLER)
    sitter.go("/processes/tech_contract_registration/application")
    sitter.fill({"secret_level": "none"})
    expect(sitter.page.locator('[name="contract_file"]')).to_be_visible()
    sitter.fill({"contract_file": pdf("涉密合同.pdf"), "secret_level": "secret"})
    expect(sitter.page.locator('[name="contract_file"]')).to_have_count(0)

    case = submit_contract(sitter, title, secret_level="secret")
    expect(sitter.page.locator("#documents")).to_contain_text("没有文件")
    sitter.sign_in(SECURITY)
    sitter.take_up(title, "脱密处理")
    sitter.fill({"desensitised_file": pdf("脱密合同.pdf"), "method": "删除涉密参数", "approval_no": "脱密〔2026〕1号"})
    sitter.send(SEND)
    sitter.sign_in(REGISTRAR)
    sitter.take_up(title, "核验脱密文本")
    sitter.fill({"result": "pass", "security_trained": "true"})
    sitter.send(SEND)
    clock.instant = datetime(2026, 9, 18, 10, 0, tzinfo=BEIJING)
    accept_contract(sitter, title, "2026-09-18")
    review_contract(sitter, title, "200000")
    decide_contract(sitter, title)
    verify_last_income(sitter, clock, title, "200000")
    assert ended_well(database, case)
    with database.look(SYSTEM) as work:
        assert "涉密合同.pdf" not in [row["name"] for row in inbox.documents(work, case)]
