"""The commands about the record of a case: duties, late evidence, corrections, suspension and resumption."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import evidence
from tests.commands import done, refused, rows
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def desk(office: Office) -> Office:
    """An office whose steps leave facts."""
    office.deploy(package("notice"), package("duty"))
    return office


def test_the_duties_of_a_case_are_listed_with_their_facts(desk: Office) -> None:
    case = desk.start("duty")
    number = desk.row(case)["number"]
    found = {row["id"]: row for row in rows(desk.url, "case", "duties", number)}
    assert (found["F-RC-01"]["status"], found["F-RC-01"]["person"]) == ("present", "甲")
    assert (found["F-RC-04"]["status"], found["F-RC-04"]["hard"]) == ("missing", False)
    assert found["F-DD-01"]["conclusion"] == "已落实"
    assert "F-RC-01" in done(desk.url, "case", "duties", case)


def test_evidence_and_corrections_are_put_beside_a_step(desk: Office, tmp_path: Path) -> None:
    case = desk.start("duty")
    paper = tmp_path / "尽调.txt"
    paper.write_text("尽调", encoding="utf-8")
    given = ("case", "evidence", case, "propose", "--fact", "F-RC-04", "--file", str(paper))
    done(desk.url, *given, "--reason", "当时未附", "--by", "甲")
    [row] = [row for row in rows(desk.url, "case", "duties", case) if row["id"] == "F-RC-04"]
    assert (row["status"], len(row["documents"])) == ("late", 1)
    done(desk.url, "case", "correct", case, "propose", "subject", "另一项", "--reason", "写错", "--by", "甲")
    [[correction]] = desk.look(evidence.corrections, case).values()
    assert correction["should_be"] == "另一项"
    wrong = (*given[:3], "archive", *given[4:])
    assert "archive" in refused(desk.url, 1, *wrong, "--reason", "当时未附", "--by", "甲")
    missing = ("case", "evidence", case, "propose", "--file", str(tmp_path / "none.txt"))
    assert "none.txt" in refused(desk.url, 2, *missing, "--reason", "当时未附", "--by", "甲")
    nothing = ("case", "correct", case, "decide", "body", "meeting", "--reason", "写错", "--by", "合规")
    assert "decide" in refused(desk.url, 1, *nothing)


def test_a_case_is_suspended_and_goes_on(desk: Office) -> None:
    case = desk.start("duty")
    said = ("--reason", "等待批复", "--by", "合规")
    done(desk.url, "case", "suspend", case, "--for", "missing_decision", *said)
    [listed] = rows(desk.url, "case", "list")
    assert listed["status"] == "suspended"
    assert "suspended" in refused(desk.url, 1, "case", "suspend", case, "--for", "litigation", *said)
    refused(desk.url, 2, "case", "suspend", case, "--for", "holiday", *said)
    assert "甲" in refused(desk.url, 1, "case", "resume", case, "--reason", "继续", "--by", "甲")
    done(desk.url, "case", "resume", case, *said)
    assert desk.row(case)["status"] == "open"
