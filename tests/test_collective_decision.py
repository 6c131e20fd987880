"""The collective decision beside its worked cases: what it issues, and the table that an owner exchanges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import cases, inbox
from engine.documents import read
from engine.library import Library, package_at
from engine.paper import to_html
from forms.words import Unfit
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]

LEVELS = ("dept_head", "tto_director", "vice_president", "president_meeting", "party_committee")
SHARED = "sub_collective_decision"
ASKED = {
    "subject_kind": "conversion", "aggregate_fen": 0, "mode": "transfer", "related_party": False,
    "below_valuation": False, "overseas": False, "leaders_reviewed": False,
}  # fmt: skip
OPINION = "材料齐全，程序合规，同意按方案办理。"


@pytest.fixture
def deciding(office: Office) -> Office:
    """An office with somebody for each level, and a small process that asks for decisions."""
    office.hire("披露人", "inventor_lead")
    for level in LEVELS:
        office.hire(level, level)
    office.deploy(package("deciding"))
    return office


def asked(office: Office, amount_fen: int, **answer: Any) -> str:
    """A case that asks for a decision on this amount."""
    return str(office.act("披露人", cases.start, "deciding", {**ASKED, "approval_amount_fen": amount_fen, **answer}))


def decide(office: Office, case: str, **more: Any) -> list[str]:
    """Let every level that is asked approve; gives the levels in order."""
    levels = []
    while row := office.look(inbox.open_elements, case).get("tier_approve"):
        level = str(row["roles"]).strip("|")
        answer: dict[str, Any] = {"decision": "approve", "opinion": OPINION}
        if level in ("president_meeting", "party_committee"):
            minutes = {"file": "纪要.pdf", "data": b"%PDF-1.4\n" + level.encode()}
            answer |= {"meeting_name": "校长办公会", "meeting_no": "第 3 次", "meeting_on": "2026-03-02"}
            answer |= {"members_required": 3, "members_present": ["一", "二", "三"], "minutes_file": minutes}
            answer |= {"votes_for": 2, "votes_against": 1, "votes_abstain": 0, **more}
        else:
            answer |= {"no_interest_confirmed": True}
        office.act(level, cases.complete, str(row["id"]), answer)
        levels.append(level)
    return levels


def issued(office: Office, case: str) -> dict[str, str]:
    """The documents of a case that were issued, by name, as text."""
    found = {}
    for row in office.look(inbox.documents, case):
        if row["name"].endswith(".docx"):
            with office.database.look(office.who["管理员"]) as work:
                found[row["name"]] = to_html(read(work, row["id"])[1])
    return found


def test_the_decision_sheet_tells_levels_people_opinions_and_result(deciding: Office) -> None:
    case = asked(deciding, 500_000_000)
    assert decide(deciding, case, dissent_opinions="价格偏低") == list(LEVELS[:4])
    [sheet] = [text for name, text in issued(deciding, case).items() if name.startswith("决策审批单")]
    for word in ("第 3 档", "5,000,000.00 元", "校长（院长）办公会", "president_meeting", OPINION, "移动智能动作监测"):
        assert word in sheet, word
    [minutes] = [text for name, text in issued(deciding, case).items() if name.startswith("会议表决记录")]
    for word in ("校长办公会第 3 次", "一、二、三", "2 票", "价格偏低", "SHA-256"):
        assert word in minutes, word
    assert deciding.sound()


def test_an_example_is_no_part_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Library.standing()
    assert not any("examples" in path for path in shipped.package(SHARED).files)
    shipped.copy_to(tmp_path / "copy")
    table = tmp_path / "copy" / "bpmn" / SHARED / "examples" / "yangtze" / "approval_tier.dmn"
    assert table.is_file()
    monkeypatch.setenv("LIUHEN_LIBRARY", str(tmp_path / "copy"))
    before = Library.standing().package(SHARED).sha256
    table.write_bytes(table.read_bytes().replace(b"200_000_000", b"300_000_000"))
    assert Library.standing().package(SHARED).sha256 == before == shipped.package(SHARED).sha256


@pytest.mark.parametrize(
    ("amount_fen", "expected"),
    [
        (0, ["tto_director"]),
        (200_000_000, ["tto_director"]),
        (200_000_001, ["vice_president"]),
        (500_000_000, ["president_meeting"]),
    ],
)
def test_an_owner_exchanges_the_table_by_copying_a_file(
    deciding: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amount_fen: int, expected: list[str]
) -> None:
    before = asked(deciding, amount_fen)
    Library.standing().copy_to(tmp_path / "copy")
    folder = tmp_path / "copy" / "bpmn" / SHARED
    (folder / "approval_tier.dmn").write_bytes((folder / "examples" / "yangtze" / "approval_tier.dmn").read_bytes())
    monkeypatch.setenv("LIUHEN_LIBRARY", str(tmp_path / "copy"))
    [shared, caller] = deciding.deploy(package_at(folder), package("deciding"))
    assert (shared.version, caller.version) == (2, 2)
    assert decide(deciding, asked(deciding, amount_fen)) == expected
    assert decide(deciding, before)[0] == "dept_head"  # what was started before keeps its table
    assert deciding.sound()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"[params['tier_thresholds_fen'][0]..", b"(params['tier_thresholds_fen'][0]..", "100000000"),
        (b"&lt; params['tier_thresholds_fen'][0]", b"&lt;= params['tier_thresholds_fen'][0]", "100000000"),
        (b'<inputEntry><text>"parameters"</text></inputEntry>', b'<inputEntry><text>"long_stop"</text></inputEntry>',
         "parameters"),
    ],
)  # fmt: skip
def test_a_table_with_a_gap_or_an_overlap_is_refused_with_the_value_that_shows_it(
    office: Office, old: bytes, new: bytes, word: str, tmp_path: Path
) -> None:
    folder = tmp_path / "package"
    for path, content in Library.standing().package(SHARED).files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.replace(old, new, 1) if path == "approval_tier.dmn" else content)
    with pytest.raises(Unfit) as unfit:
        office.deploy(package_at(folder))
    assert {finding.file for finding in unfit.value.findings} == {"approval_tier.dmn"}
    assert any(word in finding.text.en for finding in unfit.value.findings)
