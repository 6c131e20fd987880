"""Files are what they say or are refused, are kept once and read back unchanged; templates become pages of a case."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from sqlalchemy import func, insert, select, text

from engine import documents, schema
from engine.documents import attach, issue, read, read_template
from engine.errors import Incident, NotFound, Unusable
from engine.model import Document, DocumentContent, Person
from engine.uploads import MOST_BYTES, clean_name, media_of
from engine.work import Database
from forms.functions import FUNCTIONS
from forms.values import FileRef, PersonRef, Value
from forms.words import Unfit

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LIBRARY = Path(documents.__file__).parents[1] / "forms/library/tech_contract_registration/documents"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def archive(*parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for part in parts:
            target.writestr(part, "x")
    return made.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")
PPTX = archive("[Content_Types].xml", "ppt/presentation.xml")


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url, clock=lambda: NOW)
    yield database
    database.close()


class TestUploads:
    """What is taken and what is refused, by content."""

    @pytest.mark.parametrize(
        ("name", "data", "media"),
        [
            ("合同.pdf", PDF, "application/pdf"),
            ("合同.PDF", PDF, "application/pdf"),
            ("章.png", PNG, "image/png"),
            ("章.jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 20, "image/jpeg"),
            ("合同.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("表.xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("讲.pptx", PPTX, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
            ("票.ofd", archive("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
            ("注.txt", "技术合同\r\n".encode(), "text/plain"),
            ("注.csv", b"\xef\xbb\xbfa,b\r\n1,2", "text/csv"),
            ("注.md", "# 题目\n<b>".encode(), "text/markdown"),
        ],
    )
    def test_what_is_accepted(self, name: str, data: bytes, media: str) -> None:
        assert media_of(name, data) == media

    @pytest.mark.parametrize(
        ("name", "data", "said"),
        [
            ("合同.pdf", PNG, "PNG"),
            ("合同.png", PDF, "PDF"),
            ("合同.pdf", "just words".encode(), "text"),
            ("合同.docx", XLSX, "Excel"),
            ("合同.docx", PDF, "PDF"),
            ("合同", PDF, ".pdf"),
            (".pdf", PDF, ".pdf"),
            ("合同.exe", PDF, "PDF"),
            ("合同.pdf", b"MZ\x90\0", "Windows program"),
            ("合同.txt", b"MZ\x90\0", "Windows program"),
            ("合同.txt", b"#!/bin/sh\nrm -rf /", "script"),
            ("run", b"\x7fELF\x02", "Linux program"),
            ("合同.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old kind"),
            ("合同.html", b"<!doctype html><script>alert(1)</script>", "HTML"),
            ("合同.txt", b"  \n<html><script>alert(1)</script>", "HTML"),
            ("图.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "SVG"),
            ("图.md", b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG"),
            ("图.gif", b"GIF89a", "GIF"),
            ("包.zip", archive("合同.pdf"), "archive"),
            ("合同.docx", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
            ("合同.docx", archive("word/document.xml"), "archive"),
            ("合同.docx", archive("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"), "archive"),
            ("合同.docx", DOCX[:-30], "damaged"),
            ("合同.docx", b"PK\x03\x04" + b"\0" * 50, "damaged"),
            ("合同.txt", "技术合同".encode("gbk"), "UTF-8"),
            ("合同.txt", b"a\0b", "unknown kind"),
            ("合同.bin", b"\x93\x94\x95", "unknown kind"),
            ("合同.pdf", b"", "empty"),
            ("合同.pdf", PDF + b"\0" * MOST_BYTES, "20 MB"),
        ],
    )
    def test_what_is_refused_and_why(self, name: str, data: bytes, said: str) -> None:
        with pytest.raises(Unusable) as refusal:
            media_of(name, data)
        assert said in refusal.value.text.en
        assert name in refusal.value.text.zh

    @pytest.mark.parametrize(
        ("name", "cleaned"),
        [
            ("合同.pdf", "合同.pdf"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("C:\\fakepath\\合同.pdf", "合同.pdf"),
            ("a\0b\r\n.pdf", "ab.pdf"),
            ("合同\u202efdp.exe", "合同fdp.exe"),
            (" 合同.pdf. ", "合同.pdf"),
            ("\U000323af𠮷.pdf", "\U000323af𠮷.pdf"),  # rare characters of names, newer than this Python's tables
            ("é.pdf", "é.pdf"),
            ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
            ("a." + "长" * 300, "a." + "长" * 118),
        ],
    )
    def test_names_are_cleaned(self, name: str, cleaned: str) -> None:
        assert clean_name(name) == cleaned

    @pytest.mark.parametrize("name", ["", "  ", "../", "..", "\0", "a/"])
    def test_a_name_of_which_nothing_is_left_is_refused(self, name: str) -> None:
        with pytest.raises(Unusable):
            clean_name(name)


class TestKeeping:
    """Attaching and reading."""

    def test_a_file_comes_back_as_it_was_given(self, database: Database) -> None:
        with database.work("p1") as work:
            kept = attach(work, None, "submit_contract", "a/合同.pdf", PDF, "p1")
        assert kept == FileRef(kept.id, "合同.pdf", hashlib.sha256(PDF).hexdigest(), len(PDF), "application/pdf")
        with database.look("p1") as work:
            row, data = read(work, kept.id)
        assert data == PDF
        assert (row.name, row.element, row.uploaded_by, row.at, row.late) == (
            "合同.pdf",
            "submit_contract",
            "p1",
            NOW,
            False,
        )

    def test_the_same_bytes_are_kept_once(self, database: Database) -> None:
        with database.work("p1") as work:
            first, second = (attach(work, None, "e", name, PDF, "p1") for name in ("甲.pdf", "乙.pdf"))
        assert first.sha256 == second.sha256
        with database.look("p1") as work:
            assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 1
            assert read(work, first.id)[0].name == "甲.pdf"
            assert read(work, second.id)[0].name == "乙.pdf"

    def test_many_may_keep_the_same_bytes_at_once(self, database: Database) -> None:
        def keep(number: int) -> str:
            with database.work("p1") as work:
                return attach(work, None, "e", f"{number}.pdf", PDF, "p1").id

        with ThreadPoolExecutor(6) as pool:
            assert len(set(pool.map(keep, range(12)))) == 12
        with database.look("p1") as work:
            assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 1

    def test_a_refused_file_leaves_nothing(self, database: Database) -> None:
        with pytest.raises(Unusable), database.work("p1") as work:
            attach(work, None, "e", "合同.pdf", PNG, "p1")
        with database.look("p1") as work:
            assert work.db.execute(select(func.count()).select_from(Document)).scalar_one() == 0
            assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 0

    def test_there_is_no_such_document(self, database: Database) -> None:
        with database.look("p1") as work, pytest.raises(NotFound):
            read(work, "nothing")

    def test_bytes_that_were_exchanged_are_not_given_out(self, database: Database) -> None:
        with database.work("p1") as work:
            kept = attach(work, None, "e", "合同.pdf", PDF, "p1")
        with database.work("owner") as work:  # who owns the database can take its fences down
            down = "DROP TRIGGER document_content_no_update"
            if not database.sqlite:
                down = "ALTER TABLE document_content DISABLE TRIGGER ALL"
            work.db.execute(text(down))
            work.db.execute(text("UPDATE document_content SET content = :other"), {"other": PDF + b" "})
        with database.look("p1") as work, pytest.raises(Unusable, match="not what was kept"):
            read(work, kept.id)


def names_of_a_case(**changed: Value) -> dict[str, Value]:
    """The variables a registered contract has."""
    parties: list[Value] = [
        {"role": "seller", "name": "首都师范大学", "uscc": "12110000400687411R"},
        {"role": "buyer", "name": "维泰凯信<b>&", "uscc": None},
    ]
    return {
        "case": {"number": "LH-2026-00001"}, "applicant": PersonRef("p1"), "today": date(2026, 10, 9),
        "registration_no": "BJ-JS-2026-00001", "contract_title": "专利实施许可合同", "determined_type": "tech_licence",
        "sub_type": None, "signed_on": date(2026, 9, 1), "amount_fen": 20_000_000, "amount_estimated": False,
        "tech_amount_determined_fen": 18_000_050, "currency": "CNY", "parties": parties,
        "registration_decision": {"reasons": ["DEV-X2", "另有说明"]}, "content_review": {"opinion": "仅改尺寸"},
        "params": {"reconsideration_request_days": 30},
    } | changed  # fmt: skip


SUPPLIED: dict[str, Any] = {name: each.run for name, each in FUNCTIONS.items() if each.run is not None} | {
    "find": lambda register, key: {"name": "首都师范大学", "chosen_agency": "北京技术合同登记机构"},
    "add_days": lambda day, n: date(2026, 11, 9),
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


class TestTemplates:
    """The shipped documents, and what an owner may write."""

    def test_the_certificate_says_what_was_registered(self, database: Database) -> None:
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
            "技术交易额（大写）|人民币壹拾捌万元伍角整",
            "卖方|首都师范大学|12110000400687411R",
            "买方|维泰凯信<b>&|",
            "北京技术合同登记机构",
            "2026年10月9日",
            "自行打印",
        ):
            assert line in said
        assert "汇率" not in said

    def test_a_contract_in_foreign_currency_says_at_which_rate(self, database: Database) -> None:
        foreign: dict[str, Value] = {
            "currency": "USD", "amount_original": Decimal("28000.50"), "fx_rate": Decimal("7.1"),
            "fx_on": date(2026, 9, 1), "fx_source": "中国外汇交易中心", "amount_estimated": True, "sub_type": "专利",
        }  # fmt: skip
        said = words(fill(database, shipped("certificate"), **foreign)[1])
        assert "合同以 USD 计价，成交总额 28000.50，按 2026年9月1日 汇率 7.1（中国外汇交易中心）折合人民币" in said
        assert "（估计额）" in said
        assert "技术许可合同（专利）" in said

    def test_the_notice_gives_reasons_and_the_way_to_reconsideration(self, database: Database) -> None:
        name, data = fill(database, shipped("not_registered_notice"))
        said = words(data)
        assert name == "未予登记通知书（LH-2026-00001）.docx"
        assert "配方调整（DEV-X2）、另有说明。" in said
        assert "审查意见：仅改尺寸" in said
        assert "30 日内（至 2026年11月9日止）向北京技术市场管理办公室申请复核" in said

    def test_the_same_case_gives_the_same_bytes(self, database: Database) -> None:
        assert fill(database, shipped("certificate")) == fill(database, shipped("certificate"))

    def test_chinese_text_has_a_chinese_font(self, database: Database) -> None:
        document = docx.Document(io.BytesIO(fill(database, shipped("certificate"))[1]))
        fonts = {
            style.name: style.element.rPr.rFonts.get(qn("w:eastAsia"))
            for style in document.styles
            if style.name in {"Normal", "Heading 1", "Table Text"}
        }
        assert fonts == {"Normal": "仿宋", "Heading 1": "宋体", "Table Text": "仿宋"}
        assert document.core_properties.created.replace(tzinfo=UTC) == NOW

    def test_the_names_a_template_reads_are_known(self) -> None:
        assert shipped("certificate").names_read == {
            "registration_no", "contract_title", "determined_type", "sub_type", "signed_on", "amount_fen",
            "amount_estimated", "tech_amount_determined_fen", "currency", "amount_original", "fx_on", "fx_rate",
            "fx_source", "parties", "applicant", "today", "case",
        }  # fmt: skip

    def test_a_missing_variable_is_an_incident_that_names_file_and_line(self, database: Database) -> None:
        names = names_of_a_case()
        del names["signed_on"]
        with database.look("p1") as work, pytest.raises(Incident, match=r"certificate.yaml, line \d+.*signed_on"):
            issue(work, shipped("certificate"), names, SUPPLIED)

    def test_a_person_is_called_by_name(self, database: Database) -> None:
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
            ("{ {'}': x}['}'] }", 5, "5"),
            ("{'a|b' + x}", "c", "a|bc"),
            ("{x|label:colour}", "red", "红"),
            ("{x|label:colour}", "blue", "blue"),
            ("{x}", "a\x00\x08b\ud800\uffff", "ab"),
            ("{x}", "{7 * 7}", "{7 * 7}"),
        ],
    )
    def test_how_values_are_written(self, database: Database, phrase: str, value: Value, said: str) -> None:
        assert said_by(database, phrase, x=value) == said

    @pytest.mark.parametrize(
        ("phrase", "value"),
        [("{x|yuan}", "5"), ("{x|yuan}", True), ("{x|capital}", Decimal(5)), ("{x|date}", "2026"), ("{x}", {"a": 1})],
    )
    def test_a_value_that_cannot_be_written_so_is_an_incident(
        self, database: Database, phrase: str, value: Value
    ) -> None:
        with pytest.raises(Incident, match="cannot be written so"):
            said_by(database, phrase, x=value)

    def test_a_line_break_in_a_value_stays_one(self, database: Database) -> None:
        assert said_by(database, "{x}", x="一\n二") == "一\n二"

    def test_rows_of_nothing_are_a_heading_alone(self, database: Database) -> None:
        template = read_template(
            "id: t\ntitle: {zh: 试}\nname: n\nblocks:\n- rows: {each: '=x', as: r, columns: [{heading: 甲, text: '{r}'}]}",
            "t.yaml",
        )
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
    def test_what_is_wrong_in_a_template_is_said_with_its_line(self, yaml: str, line: int, said: str) -> None:
        with pytest.raises(Unfit) as unfit:
            read_template(yaml, "forms/documents/t.yaml")
        assert any(said in finding.text.en and finding.line == line for finding in unfit.value.findings), str(
            unfit.value
        )


def said_by(database: Database, phrase: str, **values: Value) -> str:
    """What this phrase becomes."""
    template = read_template(
        f"id: t\ntitle: {{zh: 试}}\nname: n\nlabels: {{colour: {{red: 红}}}}\nblocks:\n- note: {phrase!r}".replace(
            "\\'", "''"
        )
        if "'" not in phrase
        else f'id: t\ntitle: {{zh: 试}}\nname: n\nlabels: {{colour: {{red: 红}}}}\nblocks:\n- note: "{phrase}"',
        "t.yaml",
    )
    return words(fill(database, template, **values)[1])


def test_the_printed_page_holds_the_same_words_escaped(new_database: Any) -> None:
    url = new_database("sqlite", empty=True)
    schema.upgrade(url)
    database = Database(url, clock=lambda: NOW)
    _, data = fill(database, shipped("certificate"))
    database.close()
    page = documents.to_html(data)
    assert "<h1>技术合同认定登记证明</h1>" in page
    assert "<th>登记编号</th><td>BJ-JS-2026-00001</td>" in page
    assert "<td>维泰凯信&lt;b&gt;&amp;</td>" in page
    made = documents.to_pdf(data)
    assert (made is not None and made.startswith(b"%PDF-")) if find_spec("weasyprint") else made is None
