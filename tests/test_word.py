"""Templates edited in Word: slots are filled in any run, cell or header, rows repeat, and what is wrong is said."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner

from engine import schema
from engine.cli import main
from engine.composing import Writer
from engine.errors import Incident
from engine.gate import read_package
from engine.library import Library
from engine.packages import Package
from engine.templates import DocumentTemplate, read_template
from engine.word import Word, as_word, read_word, write_word
from engine.work import Database
from forms.values import Value
from tests.office import package
from tests.test_templates import LIBRARY, SUPPLIED, fill, names_of_a_case, shipped, words

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
META = "id: t\ntitle: {zh: 文书, en: Paper}\nname: 文书\nlabels: {kind: {a: 甲类}}\nword: t.docx\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = str(tmp_path_factory.mktemp("word") / "word.db")
    schema.upgrade(path)
    database = Database(path, clock=lambda: NOW)
    yield database
    database.close()


def drawn(*paragraphs: list[str] | str, rows: list[list[str]] | None = None, header: str = "") -> bytes:
    """A Word file: each paragraph a text, or the texts of its runs."""
    document = docx.Document()
    for each in paragraphs:
        made = document.add_paragraph()
        for number, text in enumerate([each] if isinstance(each, str) else each):
            made.add_run(text).bold = number % 2 == 1
    if rows:
        table = document.add_table(rows=0, cols=len(rows[0]))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    if header:
        document.sections[0].header.paragraphs[0].text = header
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def template(data: bytes) -> DocumentTemplate:
    read = read_template(META, "documents/t.yaml")
    word, findings = read_word(data, "documents/t.docx", read.labels)
    assert findings == []
    return replace(read, word=word)


def filled(data: bytes, **names: Value) -> bytes:
    return write_word(word_of(data), Writer(template(data), names, SUPPLIED, str), NOW)


def word_of(data: bytes) -> Word:
    found = template(data).word
    assert found is not None
    return found


def test_a_slot_is_filled_however_word_has_cut_it_into_runs() -> None:
    said = filled(drawn(["金额{amo", "unt_fen", "|yu", "an}整，{{不是空格}}，", "共{n}份"]), amount_fen=123_450, n=2)
    document = docx.Document(io.BytesIO(said))
    [paragraph] = document.paragraphs
    assert paragraph.text == "金额1,234.50 元整，{不是空格}，共2份"
    assert [run.bold for run in paragraph.runs] == [False, True, False, True, False]


def test_cells_headers_and_line_breaks_are_filled_too() -> None:
    said = filled(drawn("{a}", rows=[["名称", "{b|label:kind}"]], header="编号 {c}"), a="一\n二", b="a", c=7)
    document = docx.Document(io.BytesIO(said))
    assert document.paragraphs[0].text == "一\n二"
    assert document.tables[0].rows[0].cells[1].text == "甲类"
    assert document.sections[0].header.paragraphs[0].text == "编号 7"


def test_a_row_stands_for_every_member_and_a_paragraph_only_where_it_should() -> None:
    data = drawn(
        "{when n > 1}多份", "{when n > 5}很多", rows=[["名称", "额"], ["{each p in ps}{p['name']}", "{p['fen']|yuan}"]]
    )
    rows: list[Value] = [{"name": "甲", "fen": 100}, {"name": "乙", "fen": 250}]
    said = words(filled(data, n=2, ps=rows))
    assert "多份" in said and "很多" not in said
    assert "名称|额\n甲|1.00 元\n乙|2.50 元" in said
    assert words(filled(data, n=2, ps=[])).count("|") == 1


def test_a_value_cannot_bring_slots_or_xml_of_its_own() -> None:
    said = words(filled(drawn("{a}"), a="{b}<w:p/>&\x00"))
    assert said == "{b}<w:p/>&"


def test_the_same_values_give_the_same_bytes() -> None:
    data = drawn("{a}")
    assert filled(data, a=1) == filled(data, a=1)


def test_a_slot_without_a_value_says_which() -> None:
    with pytest.raises(Incident, match="cannot be issued"):
        filled(drawn("{a}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{a", "not closed"),
        ("{a +}", "paragraph 1"),
        ("{a|loud}", "no way of writing"),
        ("{a|label:none}", "labels do not hold"),
    ],
)
def test_what_is_wrong_in_a_word_file_is_said_with_its_paragraph(text: str, said: str) -> None:
    _, [finding] = read_word(drawn(text), "documents/t.docx", {})
    assert finding.file == "documents/t.docx" and finding.line == 1
    assert said in finding.text.en


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 30_000_000)
    return target.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", b"text", bomb()])
def test_what_is_no_word_file_is_refused(data: bytes) -> None:
    word, [finding] = read_word(data, "documents/t.docx", {})
    assert word is None
    assert "not a readable Word file" in finding.text.en


# In packages.


def test_a_package_brings_the_word_file_its_template_names() -> None:
    permit = package("permit")
    files = {**permit.files, "forms/documents/t.yaml": META.encode(), "forms/documents/t.docx": drawn("{a}")}
    contents, findings = read_package(Package("permit", files))
    assert findings == [] and contents is not None
    assert contents.templates["t"].names_read == {"a"}
    assert len(contents.templates["t"].expressions) == 1
    del files["forms/documents/t.docx"]
    _, [finding] = read_package(Package("permit", files))
    assert "put it beside this one" in finding.text.en


def test_blocks_turned_into_word_say_the_same(database: Database) -> None:
    blocks = shipped("certificate")
    word, findings = read_word(as_word(blocks, NOW), "x.docx", blocks.labels)
    assert findings == []
    other = replace(blocks, sections=(), word=word)
    assert words(fill(database, blocks)[1]) == words(fill(database, other)[1])
    assert other.names_read == blocks.names_read


def test_an_owner_turns_a_template_into_word_by_a_command(tmp_path: Path) -> None:
    path = tmp_path / "certificate.yaml"
    path.write_bytes((LIBRARY / "certificate.yaml").read_bytes())
    done = CliRunner().invoke(main, ["--database", str(tmp_path / "x.db"), "library", "word", str(path)])
    assert done.exit_code == 0, done.output
    read = read_template(path.read_text("utf-8"), str(path))
    assert read.word_file == "certificate.docx"
    assert docx.Document(str(tmp_path / "certificate.docx")).tables
    assert names_of_a_case()


def test_a_word_file_passes_the_gate_that_can_open_nothing(tmp_path: Path) -> None:
    assert any(path.endswith(".docx") for path in Library.standing().package("policy_adoption").files)
    done = CliRunner().invoke(main, ["--database", str(tmp_path / "x.db"), "check", "policy_adoption"])
    assert (done.exit_code, done.output) == (0, "")


def test_the_library_is_copied_with_its_word_files(tmp_path: Path) -> None:
    Library.standing().copy_to(tmp_path / "copy")
    shipped_files = {path.name for path in Library.standing().forms.rglob("*.docx")}
    assert {path.name for path in (tmp_path / "copy").rglob("*.docx")} == shipped_files
