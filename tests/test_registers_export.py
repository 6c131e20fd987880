"""Registers as spreadsheets: every value exact, every text a text, and nothing that the reader may not see."""

from __future__ import annotations

import ast
import csv
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bpmn.reader import read_diagram
from engine import registers, spreadsheets
from engine.library import Library
from engine.registers import Entry
from engine.work import SYSTEM
from forms.values import PersonRef, Value
from tests.commands import done, refused, rows
from tests.office import Office, package
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CONTRACT = Library.standing().vocabulary().registers["contract"]


def sheets(data: bytes) -> list[list[dict[str, tuple[str, str]]]]:
    """The sheets of a workbook: their rows, each cell by its column as its type and its text as the file has it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
        trees = [ET.fromstring(archive.read(name)) for name in names]
    return [
        [
            {
                each.get("r", "").rstrip("0123456789"): (each.get("t", "n"), "".join(each.itertext()))
                for each in row.iter(f"{MAIN}c")
            }
            for row in tree.iter(f"{MAIN}row")
        ]
        for tree in trees
    ]


def written(office: Office, by: str, sort: spreadsheets.Sort = "xlsx", **more: Any) -> bytes:
    """The register of contracts as somebody gets it."""
    target = io.BytesIO()
    with office.database.look(office.who.get(by, by)) as work:
        spreadsheets.write(work, CONTRACT, target, sort, more.pop("language", "zh"), **more)
    return target.getvalue()


def registered(office: Office, **answer: Any) -> str:
    """A case that has written its record."""
    case = office.start(**answer)
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    return case


def by_head(data: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file by their heads."""
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_workbook_holds_amounts_exactly_and_names_the_case_and_the_step(office: Office) -> None:
    case = registered(office, amount_fen=7)
    [[head, row]] = sheets(written(office, "合规"))
    titles = {column: text for column, (_, text) in head.items()}
    cells = {titles[column]: cell for column, cell in row.items()}
    assert cells["键"] == ("inlineStr", "HT-1")
    assert cells["成交额"] == ("n", "0.07")
    assert cells["案卷编号"] == ("inlineStr", office.row(case)["number"])
    assert cells["登入环节"] == ("inlineStr", "登记")
    assert cells["版"] == ("n", "1")


def test_every_amount_reaches_the_file_digit_by_digit(office: Office) -> None:
    amounts = [1, 7, 29, 841, 100_101, 3_000_000_001, 999_999_999_999_999, -5]
    with office.database.work(SYSTEM) as work:
        for number, fen in enumerate(amounts):
            registers.record(work, CONTRACT, f"k{number}", {"amount_fen": fen}, case=None, element="import")
    [[_, *lines]] = sheets(written(office, "合规"))
    place = chr(ord("A") + 1 + CONTRACT.columns.index("amount_fen"))
    assert [line[place] for line in lines] == [("n", f"{Decimal(fen).scaleb(-2)}") for fen in amounts]
    column = next(head for head, text in by_head(written(office, "合规", "csv"))[0].items() if text == "0.01")
    said = [line[column] for line in by_head(written(office, "合规", "csv"))]
    assert said == [f"{Decimal(fen).scaleb(-2)}" for fen in amounts]


def test_an_amount_that_a_spreadsheet_would_round_is_written_as_text(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        registers.record(work, CONTRACT, "k", {"amount_fen": 10**17 + 1}, case=None, element="import")
    [[_, line]] = sheets(written(office, "合规"))
    assert ("inlineStr", "1000000000000000.01") in line.values()


@pytest.mark.parametrize("text", ["=1+1", "+86", "-x", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert spreadsheets.harmless(text) == f"'{text}"
    assert spreadsheets.harmless(f"a{text}") == f"a{text}"


def test_a_key_that_looks_like_a_formula_is_a_text_in_both_kinds_of_file(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        registers.record(work, CONTRACT, "=HYPERLINK(1)", {"status": "https://x.example"}, case=None, element="import")
    data = written(office, "合规")
    assert ("inlineStr", "=HYPERLINK(1)") in sheets(data)[0][1].values()
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    assert by_head(written(office, "合规", "csv"))[0]["键"] == "'=HYPERLINK(1)"


def test_all_versions_or_the_newest_and_only_what_the_search_finds(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        for status in ("registered", "revoked"):
            for key in ("k1", "k2"):
                registers.record(work, CONTRACT, key, {"status": f"{status} {key}"}, case=None, element="import")
    newest, every = (by_head(written(office, "合规", "csv", every=each)) for each in (False, True))
    assert [(line["键"], line["版"]) for line in newest] == [("k1", "2"), ("k2", "2")]
    assert [(line["键"], line["版"]) for line in every] == [("k1", "1"), ("k1", "2"), ("k2", "1"), ("k2", "2")]
    found = by_head(written(office, "合规", "csv", words="revoked k2", every=True))
    assert [line["键"] for line in found] == ["k2"] * 2
    assert by_head(written(office, "合规", "csv", words="registered k2", every=True)) == []  # as on the page


def test_batches_give_each_version_once_whatever_their_size(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        for number in range(7):
            for status in "ab":
                registers.record(work, CONTRACT, f"k{number}", {"status": status}, case=None, element="x")
        for size in (1, 2, 3, 14, 50):
            found = [
                (entry.key, entry.version)
                for batch in registers.in_batches(work, "contract", every=True, size=size)
                for entry in batch
            ]
            assert found == [(f"k{number}", version) for number in range(7) for version in (1, 2)]


def test_rows_beyond_a_sheet_go_on_the_next_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 3)
    with office.database.work(SYSTEM) as work:
        for number in range(5):
            registers.record(work, CONTRACT, f"k{number}", {}, case=None, element="x")
    first, second, third = sheets(written(office, "合规"))
    assert [len(first), len(second), len(third)] == [3, 3, 2]
    assert first[0] == second[0]
    assert third[1]["A"] == ("inlineStr", "k4")


def test_a_text_too_long_for_a_cell_is_cut_and_says_so(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        registers.record(work, CONTRACT, "k", {"status": "长" * 40_000}, case=None, element="x")
    [[_, line]] = sheets(written(office, "合规"))
    [long] = [text for _, text in line.values() if text.startswith("长长")]
    assert len(long) == spreadsheets.MOST_TEXT and long.endswith("（过长，余下见系统）")


def test_dates_people_and_answers_are_what_they_are(office: Office) -> None:
    kinds = Library.standing().vocabulary().registers
    inventors: list[Value] = [PersonRef(office.who["甲"])]
    values: dict[str, Value] = {"id": "C-1", "registered_on": date(2026, 3, 2), "inventors": inventors}
    target = io.BytesIO()
    with office.database.work(SYSTEM) as work:
        registers.record(work, kinds["achievement"], "C-1", values, case=None, element="x")
        spreadsheets.write(work, kinds["achievement"], target, "csv", "en")
    [line] = by_head(target.getvalue())
    assert (line["Registered on"], line["Inventors"], line["Recorded at"]) == ("2026-03-02", "甲", "2026-03-02 09:00")
    target = io.BytesIO()
    with office.database.look(SYSTEM) as work:
        spreadsheets.write(work, kinds["achievement"], target, "xlsx", "en")
    assert ("n", "46083") in sheets(target.getvalue())[0][1].values()  # days since 1899-12-30


def test_somebody_gets_only_records_of_cases_they_may_look_into(office: Office) -> None:
    registered(office)
    registered(office, by="乙", contract_no="HT-2")
    assert [line["键"] for line in by_head(written(office, "乙", "csv"))] == ["HT-2"]
    assert by_head(written(office, "路人", "csv")) == []
    assert len(by_head(written(office, "合规", "csv"))) == 2


def test_the_operator_of_the_machine_gets_nothing_personal(office: Office) -> None:
    kept = ("process.bpmn", "'amount_fen': amount_fen, 'status'", "'title': title, 'status'")
    called = ("process.bpmn", "whole = apply", "title = phone")
    office.deploy(package("permit", kept, called))
    registered(office)
    assert by_head(written(office, "合规", "csv"))[0]["合同名称"] == "13800138000"
    assert by_head(written(office, SYSTEM, "csv"))[0]["合同名称"] == "（个人或保密信息，不导出）"


def test_a_code_is_told_by_its_label_on_the_page_and_in_exports(office: Office) -> None:
    registered(office)
    with office.database.work(SYSTEM) as work:
        registers.record(work, CONTRACT, "k", {"status": "elsewhere"}, case=None, element="import")
    assert [row["状态"] for row in by_head(written(office, "合规", "csv"))] == ["已登记", "elsewhere"]
    assert by_head(written(office, "合规", "csv", language="en"))[0]["Status"] == "Registered"
    reader = reader_of(office, "合规")
    for page in ("/registers/contract", "/registers/contract/record?key=HT-1"):
        seen = reader.get(page).text
        assert "状态已登记" in seen and "registered" not in seen


def test_every_code_that_the_library_writes_into_a_labelled_column_has_a_label() -> None:
    library = Library.standing()
    kinds = library.vocabulary().registers
    found = []
    for name in library.processes():
        diagram = read_diagram(library.package(name).files["process.bpmn"], name)
        for element in diagram.elements.values():
            for operation in element.operations:
                if operation.name == "register.record":
                    kind = kinds[ast.literal_eval(operation.parameters["register"])]
                    found += _unlabelled(kind, operation.parameters["value"])
    assert found == [] and any(kind.values for kind in kinds.values())


def _unlabelled(kind: registers.RegisterKind, source: str) -> list[tuple[str, str]]:
    """The codes written out in a record's value that its register does not name."""
    tree = ast.parse(source.strip(), mode="eval").body
    assert isinstance(tree, ast.Dict)
    codes = [
        (ast.literal_eval(column), node.value)
        for column, value in zip(tree.keys, tree.values, strict=True)
        if column is not None
        for node in ([value.body, value.orelse] if isinstance(value, ast.IfExp) else [value])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [(column, code) for column, code in codes if code not in kind.values.get(column, {})]


def test_the_page_offers_what_it_shows_as_a_spreadsheet(office: Office) -> None:
    registered(office)
    reader = reader_of(office, "登记员")
    seen = reader.get("/registers/contract?words=HT")
    fields = seen.fields("/export")
    assert fields["words"] == "HT"
    answer = reader.cookies.get("/registers/contract/export", query_string={**fields, "as": "xlsx"})
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].endswith(".xlsx")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert sheets(answer.data)[0][1]["A"] == ("inlineStr", "HT-1")
    answer = reader.cookies.get("/registers/contract/export?as=csv&words=nothing")
    assert by_head(answer.data) == []
    reader.get("/registers/contract/export?as=exe", status=422)
    reader.get("/registers/nothing/export", status=404)
    record = reader.get(seen.links()["HT-1"])
    assert "登记" in record.links()
    assert record.links()["登记"].rpartition("#")[2].startswith("event-")
    assert reader.get(record.links()["登记"].partition("#")[0]).status == 200


def test_registers_are_listed_and_exported_by_command(office: Office, tmp_path: Path) -> None:
    registered(office)
    listed = {row["id"]: row["records"] for row in rows(office.url, "register", "list")}
    assert listed["contract"] == 1
    target = tmp_path / "contracts.csv"
    assert done(office.url, "register", "export", "contract", "-o", str(target)).endswith("1")
    assert by_head(target.read_bytes())[0]["键"] == "HT-1"
    done(office.url, "register", "export", "contract", "-o", str(target), "--by", "路人", "--all-versions")
    assert by_head(target.read_bytes()) == []
    workbook = tmp_path / "contracts.xlsx"
    done(office.url, "register", "export", "contract", "-o", str(workbook), "--language", "en")
    assert sheets(workbook.read_bytes())[0][0]["A"] == ("inlineStr", "Key")
    assert "ods" not in refused(office.url, 2, "register", "export", "contract", "-o", str(tmp_path / "a.ods"))
    assert "nothing" in refused(office.url, 1, "register", "export", "nothing", "-o", str(target))


def test_a_long_register_is_never_held_whole(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def many(*_: object, **__: object) -> Iterator[list[Entry]]:
        for batch in range(20):
            keys = [f"k{batch}-{number}" for number in range(100)]
            yield [
                Entry("contract", key, 1, {"title": f"{key} " + "长" * 5_000}, None, None, "x", office.clock())
                for key in keys
            ]

    written(office, SYSTEM)  # what is read once and kept does not count
    monkeypatch.setattr(registers, "in_batches", many)  # 2,000 records with 20 MB of text
    sorts: tuple[spreadsheets.Sort, ...] = ("xlsx", "csv")
    for sort in sorts:
        with office.database.look(SYSTEM) as work, (tmp_path / sort).open("wb") as file:
            tracemalloc.start()
            try:
                assert spreadsheets.write(work, CONTRACT, file, sort, "zh") == 2_000
                most = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert most < 6_000_000
