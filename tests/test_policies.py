"""Policy texts are imported version by version, numbered by article, and every quote stands in them word for word."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine import bounded, policies
from engine.cli import main
from engine.errors import Unusable
from engine.library import Library
from engine.trail.bundle import export
from tests.bundles import unzipped
from tests.office import Office, package
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "policy"
MADE_UP = """某某市测试条例

第一条 为了测试，制定本条例。

第二条 本办法所称留痕，是指**工作 留痕**。
（一）记录；
（二）保存。
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the library that quotes a regulation made up for this test."""
    folder = tmp_path / "library"
    Library.standing().copy_to(folder)
    source = '- {code: "900", kind: law, zh: 某某市测试条例, en: Test regulation}\n'
    draft = '- {code: "901", kind: draft, zh: 征求意见稿, en: Draft}\n'
    (folder / "bpmn" / "policies.yaml").write_text(source + draft, "utf-8")
    quotes = '- {of: "900 第二条", quote: 是指工作留痕。}\n- {of: "900 第二条 保存", quote: "（二）保存。"}\n'
    (folder / "bpmn" / "quotes.yaml").write_text(quotes, "utf-8")
    monkeypatch.setenv("LIUHEN_LIBRARY", str(folder))
    return folder


def imported(office: Office, text: str = MADE_UP, code: str = "900") -> tuple[str, list[str]]:
    found: tuple[str, list[str]] = office.act("管理员", policies.import_text, code, f"{code}.txt", text.encode())
    return found


def test_a_text_is_kept_with_its_hash_and_a_changed_one_is_a_new_version(office: Office, library: Path) -> None:
    digest, wrong = imported(office)
    assert digest == hashlib.sha256(MADE_UP.encode()).hexdigest()
    assert wrong == []
    imported(office)
    later, wrong = imported(office, MADE_UP.replace("保存", "归档"))
    assert wrong == ["900 第二条 保存"]
    with office.database.look("system") as work:
        [row] = policies.imported(work)
        assert (row["number"], row["sha256"]) == (2, later)
        assert policies.text_of(work, digest) == MADE_UP
    assert [body["data"]["number"] for body in office.bodies("sys/policy") if body["type"] == "policy.imported"] == [
        1,
        2,
    ]


def test_a_text_is_numbered_by_its_articles() -> None:
    assert [number for number, _ in policies.articles(MADE_UP)] == ["", "第一条", "第二条", "（一）", "（二）"]


def test_a_quote_is_compared_word_for_word_but_not_blank_for_blank(library: Path) -> None:
    assert policies.misquoted(MADE_UP, "900") == []
    assert policies.misquoted(MADE_UP.replace("是指", "系指"), "900") == ["900 第二条"]


def test_the_longest_fitting_quote_stands_beside_a_citation(library: Path) -> None:
    one, two, other = policies.cited("900 第二条 保存（十年）；900 第二条；《另一部法》第一条")
    assert (one.quote, two.quote, other.quote) == ("（二）保存。", "是指工作留痕。", "")
    assert (one.article, two.article, other.source) == ("第二条", "第二条", None)
    assert policies.cited(None) == []


def test_a_draft_alone_is_guidance(library: Path) -> None:
    assert policies.is_guidance("901 三")
    assert not policies.is_guidance("901 三；900 第二条")
    assert not policies.is_guidance("")


@pytest.mark.parametrize(
    ("code", "content", "said"),
    [("999", b"x", "no policy text has the code"), ("900", b"\xff\xfe", "not UTF-8"), ("900", b"", "empty")],
)
def test_what_cannot_be_imported_is_refused(
    office: Office, library: Path, code: str, content: bytes, said: str
) -> None:
    refusal = office.refused("管理员", policies.import_text, code, "x.txt", content)
    assert isinstance(refusal, Unusable) and said in refusal.text.en


def test_every_quote_of_the_library_cites_a_text_it_lists_and_is_cited_by_something() -> None:
    known = policies.sources()
    assert {of.split(" ")[0] for of in policies.quotes()} <= known.keys()
    said = "\n".join(
        path.read_text("utf-8")
        for room in (Library.standing().bpmn, Library.standing().forms)
        for path in room.rglob("*")
        if path.suffix in (".bpmn", ".yaml") and path.name != "quotes.yaml"
    )
    bases = re.findall(r'basis(?:=|: )"([^"]*)"', said)
    used = {each.quote for basis in bases for each in policies.cited(basis)}
    assert [of for of, quote in policies.quotes().items() if quote not in used] == []


def test_the_quotes_of_the_library_stand_in_the_real_texts_where_these_are_at_hand(
    record_property: object, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(SHARED.glob("*.txt")) if SHARED.is_dir() else []
    with capsys.disabled():
        if not files:
            print("\nthe policy texts are not beside this checkout: the shipped quotes were not compared with them")  # noqa: T201
    for path in files:
        assert policies.misquoted(path.read_text("utf-8-sig"), path.name[:3]) == []


def test_a_step_tells_which_texts_it_rests_on_and_the_bundle_encloses_them(office: Office, library: Path) -> None:
    digest, _ = imported(office)
    row = {"code": "900", "article": "第二条", "sha256": digest}
    with office.database.look("system") as work:
        assert policies.told(work, "900 第二条 保存；《另一部法》第一条") == {"policy": [row]}
        assert policies.told(work, None) == policies.told(work, "《另一部法》第一条") == {}
    case = office.start()
    bodies = [body["data"] for body in office.bodies(case) if body["type"] == "task.completed"]
    files = unzipped(export(office.database, case, "system", patience=0).data)
    told = {each["sha256"] for data in bodies for each in data.get("policy", [])}
    assert {name for name in files if name.startswith("policy/")} == {f"policy/{each}.txt" for each in told}


def test_the_commands_import_list_and_check(tmp_path: Path, library: Path) -> None:
    database = ["--database", str(tmp_path / "x.db")]
    (tmp_path / "900_x.txt").write_text(MADE_UP, "utf-8")
    run = CliRunner().invoke
    assert "not imported" in run(main, [*database, "policy", "check"]).stdout
    assert run(main, [*database, "policy", "import", str(tmp_path / "900_x.txt")]).exit_code == 0
    assert "某某市测试条例" in run(main, [*database, "policy", "list"]).stdout
    assert run(main, [*database, "policy", "check"]).exit_code == 0
    (tmp_path / "900_y.txt").write_text(MADE_UP.replace("留痕", "记录"), "utf-8")
    bad = run(main, [*database, "policy", "import", str(tmp_path / "900_y.txt")])
    assert bad.exit_code == 1 and "900 第二条" in bad.stderr
    assert run(main, [*database, "policy", "check"]).exit_code == 1


def test_people_read_the_texts_by_article_and_the_quotes_beside_the_fields(office: Office, library: Path) -> None:
    imported(office)
    reader = reader_of(office, "甲")
    assert "某某市测试条例" in reader.get("/policies/").text
    assert "第二条" in reader.get("/policies/900").text
    reader.get("/policies/901", status=404)


def test_nothing_that_binds_may_rest_on_a_draft_alone() -> None:
    def found(basis: str) -> list[str]:
        changed = package("permit", ("forms/apply.yaml", "min: 1,", f'min: 1, basis: "{basis}",'))
        judged = bounded.judge([changed], Library.standing().vocabulary().roles, {}, drafts={"001"})
        return [each.code for each in judged[0].findings if each.code == "draft-guard"]

    assert set(found("001 三")) == {"draft-guard"}
    assert found("001 三；003 第十条") == found("003 第十条") == []
