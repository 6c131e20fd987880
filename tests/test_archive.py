"""Closed cases are archived once each, with their hashes and retention; a changed archive is noticed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine import cases, definitions
from engine.archive import archive, keep_until
from engine.cli import main
from engine.errors import Unusable
from engine.trail.offline import verify
from engine.trail.sealing import Sealing
from tests.office import Office

pytest_plugins = ["tests.furnished", "tests.exporting"]


def closed(office: Office, number: str) -> str:
    case = office.start(contract_no=number)
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    return str(office.row(case)["number"])


def test_each_closed_case_is_archived_once_and_verifies(office: Office, sealing: Sealing, tmp_path: Path) -> None:
    first = closed(office, "HT-1")
    office.start(contract_no="HT-2")
    assert archive(office.database, tmp_path / "a", "system") == [first]
    assert archive(office.database, tmp_path / "a", "system") == []
    second = closed(office, "HT-3")
    assert archive(office.database, tmp_path / "a", "system") == [second]
    index = json.loads((tmp_path / "a" / "index.json").read_text("utf-8"))
    assert index.keys() == {first, second}
    assert index[first]["keep_until"] == "2036-03-02"
    found = verify(tmp_path / "a" / index[first]["file"], sealing.signer.key.key)
    assert not any(each.broken for each in found.findings)


def test_an_archive_that_was_changed_or_lost_something_is_refused(
    office: Office, sealing: Sealing, tmp_path: Path
) -> None:
    closed(office, "HT-1")
    archive(office.database, tmp_path, "system")
    [path] = tmp_path.rglob("*.zip")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Unusable, match="changed or lost"):
        archive(office.database, tmp_path, "system")
    path.unlink()
    with pytest.raises(Unusable, match="changed or lost"):
        archive(office.database, tmp_path, "system")


def test_cases_about_ownership_and_equity_are_kept_longer(office: Office) -> None:
    row = office.row(office.start())
    leap = {**row, "closed_at": office.clock.instant.replace(year=2028, month=2, day=29)}
    with office.database.look("system") as work:
        empowerment = definitions.current(work, "empower_then_exercise").id
        assert keep_until(work, leap) == date(2038, 3, 1)
        assert keep_until(work, {**leap, "definition": empowerment}) == date(2058, 3, 1)


def test_the_commands_archive_and_erase(office: Office, tmp_path: Path) -> None:
    number = closed(office, "HT-1")
    run = CliRunner().invoke
    done = run(main, ["--database", office.url, "archive", str(tmp_path / "a")])
    assert done.exit_code == 0 and done.stdout.split() == [number]
    asked = ["privacy", "erase", "甲", "--by", "合规", "--approved-by", "管理员", "--reason", "本人申请"]
    assert run(main, ["--database", office.url, *asked]).stdout.strip() != "0"
    refused = run(main, ["--database", office.url, *asked[:4], "合规", *asked[5:6], "合规", *asked[7:]])
    assert refused.exit_code == 1
