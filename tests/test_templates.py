"""Templates of documents become pages with a case's values, and what is wrong in one is said with its line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from sqlalchemy import insert

from engine import documents, schema
from engine.documents import issue, read_template
from engine.errors import Incident
from engine.model import Person
from engine.work import Database
from forms.functions import FUNCTIONS
from forms.values import FileRef, PersonRef, Value
from forms.words import Unfit

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LIBRARY = Path(documents.__file__).parents[1] / "forms/library/tech_contract_registration/documents"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all: a document is only read out of the case, so nothing here depends on the kind of database."""
    path = str(tmp_path_factory.mktemp("templates") / "templates.db")
    schema.upgrade(path)
    database = Database(path, clock=lambda: NOW)
    yield database
    database.close()


def names_of_a_case(**changed: Value) -> dict[str, Value]:
    """The variables a registered contract has."""
    parties: list[Value] = [
        {"role": "seller", "name": "首都师范大学", "uscc": "12110000400687411R"},
        {"role": "buyer", "name": "维泰凯信<b>&", "uscc": None},
    ]
    known: dict[str, Value] = {
        "case": {"number": "LH-2026-00001"}, "applicant": PersonRef("p1"), "today": date(2026, 10, 9),
        "registration_no": "BJ-JS-2026-00001", "contract_title": "专利实施许可合同", "determined_type": "tech_licence",
        "sub_type": None, "signed_on": date(2026, 9, 1), "amount_fen": 20_000_000, "amount_estimated": False,
        "tech_amount_determined_fen": 18_000_050, "currency": "CNY", "parties": parties,
        "registration_decision": {"reasons": ["DEV-X2", "另有说明"]}, "content_review": {"opinion": "仅改尺寸"},
        "params": {"reconsideration_request_days": 30, "contract_review_days": 10, "contract_outer_limit_days": 30},
    }  # fmt: skip
    return known | changed


SUPPLIED: dict[str, Any] = {name: each.run for name, each in FUNCTIONS.items() if each.run is not None} | {
    "find": lambda register, key: {"name": "首都师范大学", "chosen_agency": "北京技术合同登记机构"},
    "add_days": lambda day, n: date(2026, 11, 9),
    "parameter_label": lambda key: "示例默认值，各单位须自行设定",
}


def words(data: bytes) -> str:
    document = docx.Document(io.BytesIO(data))
    return "\n".join(
        "\n".join("|".join(cell.text for cell in row.cells) for row in block.rows)
        if isinstance(block, docx.table.Table)
        else block.text
        for block in document.iter_inner_content()
    )


def shipped(name: str) -> documents.DocumentTemplate:
    return read_template((LIBRARY / f"{name}.yaml").read_text(encoding="utf-8"), f"forms/documents/{name}.yaml")


def fill(database: Database, template: documents.DocumentTemplate, **changed: Value) -> tuple[str, bytes]:
    with database.look("p1") as work:
        return issue(work, template, names_of_a_case(**changed), SUPPLIED)


def test_the_certificate_says_what_was_registered(database: Database) -> None:
    name, data = fill(database, shipped("certificate"))
    assert name == "技术合同认定登记证明（BJ-JS-2026-00001）.docx"
    said = words(data)
    for line in (
        "登记编号|BJ-JS-2026-00001",
        "合同名称|专利实施许可合同",
        "合同类别|技术许可合同",
        "签订日期|2026年9月1日",
        "合同成交额|200,000.00 元",
        "成交额（大写）|人民币贰拾万元整",
        "核定技术交易额|180,000.50 元",
        "技术交易额（大写）|人民币壹拾捌万元伍角",
        "卖方|首都师范大学|12110000400687411R",
        "买方|维泰凯信<b>&|",
        "北京技术合同登记机构",
        "2026年10月9日",
        "自行打印",
    ):
        assert line in said
    assert "汇率" not in said


def test_a_contract_in_foreign_currency_says_at_which_rate(database: Database) -> None:
    foreign: dict[str, Value] = {
        "currency": "USD", "amount_original": Decimal("28000.50"), "fx_rate": Decimal("7.1"),
        "fx_on": date(2026, 9, 1), "fx_source": "中国外汇交易中心", "amount_estimated": True, "sub_type": "专利",
    }  # fmt: skip
    said = words(fill(database, shipped("certificate"), **foreign)[1])
    assert "合同以 USD 计价，成交总额 28000.50，按 2026年9月1日 汇率 7.1（中国外汇交易中心）折合人民币" in said
    assert "（估计额）" in said
    assert "技术许可合同（专利）" in said


def test_the_notice_gives_reasons_and_the_way_to_reconsideration(database: Database) -> None:
    name, data = fill(database, shipped("not_registered_notice"))
    said = words(data)
    assert name == "未予登记通知书（LH-2026-00001）.docx"
    assert "配方调整（DEV-X2）、另有说明。" in said
    assert "审查意见：仅改尺寸" in said
    assert "30 日内（至 2026年11月9日止）向北京技术市场管理办公室申请复核" in said


def test_the_receipt_says_until_when_the_contract_is_decided(database: Database) -> None:
    accepted: dict[str, Value] = {"claimed_type": "tech_licence", "accepted_on": date(2026, 9, 18)}
    limits: dict[str, Value] = {"due_on": date(2026, 10, 9), "outer_due_on": date(2026, 10, 19)}
    said = words(fill(database, shipped("acceptance_receipt"), is_large=False, **accepted, **limits)[1])
    assert "审查期限|2026年10月9日" in said
    assert "自受理之次日起 10 个工作日内完成" in said
    assert "专家" not in said
    limits["due_on"] = None
    said = words(fill(database, shipped("acceptance_receipt"), is_large=True, **accepted, **limits)[1])
    assert "审查期限|2026年10月19日" in said
    assert "不适用十个工作日的期限；登记机构自受理之日起 30 日内" in said


def test_the_same_case_gives_the_same_bytes(database: Database) -> None:
    assert fill(database, shipped("certificate")) == fill(database, shipped("certificate"))


def test_chinese_text_has_a_chinese_font(database: Database) -> None:
    document = docx.Document(io.BytesIO(fill(database, shipped("certificate"))[1]))
    fonts = {
        style.name: style.element.rPr.rFonts.get(qn("w:eastAsia"))
        for style in document.styles
        if style.name in {"Normal", "Heading 1", "Table Text"}
    }
    assert fonts == {"Normal": "仿宋", "Heading 1": "宋体", "Table Text": "仿宋"}
    assert document.core_properties.created.replace(tzinfo=UTC) == NOW


def test_the_names_a_template_reads_are_known() -> None:
    assert shipped("certificate").names_read == {
        "registration_no", "contract_title", "determined_type", "sub_type", "signed_on", "amount_fen",
        "amount_estimated", "tech_amount_determined_fen", "currency", "amount_original", "fx_on", "fx_rate",
        "fx_source", "parties", "applicant", "today", "case",
    }  # fmt: skip


def test_a_missing_variable_is_an_incident_that_names_file_and_line(database: Database) -> None:
    names = names_of_a_case()
    del names["signed_on"]
    with database.look("p1") as work, pytest.raises(Incident, match=r"certificate.yaml, line \d+.*signed_on"):
        issue(work, shipped("certificate"), names, SUPPLIED)


def test_a_person_is_called_by_name(database: Database) -> None:
    with database.work("p1") as work:
        row = {"id": "p1", "login": "p1", "name": "张三", "organisation": "", "language": "zh", "active": True}
        work.db.execute(insert(Person).values(**row))
    assert said_by(database, "{applicant}") == "张三"
    assert said_by(database, "{other}", other=PersonRef("p2")) == "p2"


@pytest.mark.parametrize(
    ("phrase", "value", "said"),
    [
        ("{x}", None, ""),
        ("{x}", True, "是"),
        ("{x}", datetime(2026, 3, 1, 17, 5, tzinfo=UTC), "2026年3月2日 01:05"),
        ("{x|date}", datetime(2026, 3, 1, 17, 5, tzinfo=UTC), "2026年3月2日"),
        ("{x}", ["甲", None, 3], "甲、3"),
        ("{x|yuan}", [100, 250], "1.00 元、2.50 元"),
        ("{x}", Decimal("7.10"), "7.10"),
        ("{x}", FileRef("i", "合同.pdf", "0", 1, "m"), "合同.pdf"),
        ("{{{x}}}", 5, "{5}"),
        ("{ {'b': x}['b'] }", 5, "5"),
        ("{'a|b' + x}", "c", "a|bc"),
        ("{x|label:colour}", "red", "红"),
        ("{x|label:colour}", "blue", "blue"),
        ("{x}", "a\x00\x08b\ud800\uffff", "ab"),
        ("{x}", "{7 * 7}", "{7 * 7}"),
    ],
)
def test_how_values_are_written(database: Database, phrase: str, value: Value, said: str) -> None:
    assert said_by(database, phrase, x=value) == said


@pytest.mark.parametrize(
    ("phrase", "value"),
    [("{x|yuan}", "5"), ("{x|yuan}", True), ("{x|capital}", Decimal(5)), ("{x|date}", "2026"), ("{x}", {"a": 1})],
)
def test_a_value_that_cannot_be_written_so_is_an_incident(database: Database, phrase: str, value: Value) -> None:
    with pytest.raises(Incident, match="cannot be written so"):
        said_by(database, phrase, x=value)


def test_a_line_break_in_a_value_stays_one(database: Database) -> None:
    assert said_by(database, "{x}", x="一\n二") == "一\n二"


def test_rows_of_nothing_are_a_heading_alone(database: Database) -> None:
    rows = "{each: '=x', as: r, columns: [{heading: 甲, text: '{r}'}]}"
    template = read_template(f"id: t\ntitle: {{zh: 试}}\nname: n\nblocks:\n- rows: {rows}", "t.yaml")
    assert words(fill(database, template, x=None)[1]).strip() == "甲"
    with pytest.raises(Incident, match="must give a list"):
        fill(database, template, x=5)


@pytest.mark.parametrize(
    ("yaml", "line", "said"),
    [
        ("[]", 0, "mapping"),
        ("id: other\ntitle: {zh: 试}\nname: n\nblocks: [{note: x}]", 1, "id must be t"),
        ("id: t\nname: n\nblocks: [{note: x}]", 1, "title"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks: []", 4, "blocks"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- {note: x, heading: y}", 5, "exactly one"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- {picture: x}", 5, "picture"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: '{a'", 5, "not closed"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: '{__import__(1)}'", 5, "__import__"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: '{a.b}'", 5, "Attribute"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: '{a|dollar}'", 5, "dollar"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: '{a|label:x}'", 5, "labels do not hold"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: '{a|label}'", 5, "labels do not hold"),
        ("id: t\ntitle: {zh: 试}\nname: n\nlabels: [1]\nblocks: [{note: x}]", 4, "labels are written"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- {note: x, when: '1 +'}", 5, "when"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- note: [a]", 5, "text is needed"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- table: [[a, b], [c]]", 5, "same number"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- table: x", 5, "same number"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- table:\n  - [a, '{b']", 6, "not closed"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- rows: {each: '=x'}", 5, "each, as and columns"),
        ("id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- rows: x", 5, "each, as and columns"),
    ],
)
def test_what_is_wrong_in_a_template_is_said_with_its_line(yaml: str, line: int, said: str) -> None:
    with pytest.raises(Unfit) as unfit:
        read_template(yaml, "forms/documents/t.yaml")
    assert any(said in finding.text.en and finding.line == line for finding in unfit.value.findings), str(unfit.value)


def said_by(database: Database, phrase: str, **values: Value) -> str:
    """What this phrase becomes."""
    quoted = json.dumps(phrase)  # a text of JSON is one of YAML too
    head = "id: t\ntitle: {zh: 试}\nname: n\nlabels: {colour: {red: 红}}\nblocks:\n"
    return words(fill(database, read_template(f"{head}- note: {quoted}", "t.yaml"), **values)[1])


def test_the_printed_page_holds_the_same_words_escaped(database: Database) -> None:
    _, data = fill(database, shipped("certificate"))
    page = documents.to_html(data)
    assert "<h1>技术合同认定登记证明</h1>" in page
    assert "<th>登记编号</th><td>BJ-JS-2026-00001</td>" in page
    assert "<td>维泰凯信&lt;b&gt;&amp;</td>" in page
    made = documents.to_pdf(data)
    assert (made is not None) == documents.pdf_is_possible()
    assert made is None or made.startswith(b"%PDF-")
