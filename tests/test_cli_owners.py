"""The command line for process owners: check, deploy, worked cases, the library; and the bench."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.commands import done, refused, run
from tests.conftest import NewDatabase, Server
from tests.office import PACKAGES, Office
from webui.cli import main

pytest_plugins = ["tests.furnished"]

SCENARIO = """
id: A-1
process: register_account
now: 2026-03-02 09:00
people: {contract_applicant: 卖方甲}
given: {registers: {account: []}}
start: {by: 卖方甲, with: {region_code: "110108"}}
expect: {outcome: registered}
"""


def test_a_sound_package_passes_and_one_that_is_not_is_told_its_findings(office: Office, tmp_path: Path) -> None:
    url, broken = office.url, tmp_path / "permit"
    assert done(url, "check", str(PACKAGES / "permit"), "tech_contract_registration") == ""
    assert json.loads(done(url, "check", str(PACKAGES / "permit"), "--json")) == []
    (broken / "forms").mkdir(parents=True)
    for path in (PACKAGES / "permit").rglob("*.*"):
        text = path.read_text().replace('policy:form="changed"', 'policy:form="../../etc/passwd"')
        (broken / path.relative_to(PACKAGES / "permit")).write_text(text)
    result = run(url, "check", str(broken), "--json")
    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)
    assert (finding["file"], finding["element"]) == ("process.bpmn", "changed")
    assert finding["id"] and finding["line"] > 1 and finding["zh"] and finding["en"]
    result = run(url, "check", str(broken))
    assert result.exit_code == 1 and "changed" in result.output
    assert "nothing" in refused(url, 2, "check", str(tmp_path / "nothing"))


def test_packages_are_deployed_called_ones_first_and_unchanged_ones_keep_their_version(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    url = new_database("sqlite")
    deployed = done(url, "deploy", str(PACKAGES / "caller"), str(PACKAGES / "looked_up")).splitlines()
    assert [line.split()[:2] for line in deployed] == [["looked_up", "v1"], ["caller", "v1"]]
    again = done(url, "deploy", str(PACKAGES / "caller"), str(PACKAGES / "looked_up")).splitlines()
    assert again == deployed
    assert "looked_up" in done(url, "deploy", str(PACKAGES)).replace("caller", "")
    broken = tmp_path / "p.bpmn"
    broken.write_text("<definitions/>")
    assert "process.bpmn" in refused(url, 1, "deploy", str(broken))


def test_worked_cases_pass_differ_or_cannot_be_read(tmp_path: Path) -> None:
    for name, text in {
        "good": SCENARIO,
        "bad": SCENARIO.replace("outcome: registered", "outcome: withdrawn"),
        "none": "id: [",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    good, bad, none = (str(tmp_path / f"{name}.yaml") for name in ("good", "bad", "none"))
    passed = CliRunner().invoke(main, ["scenario", "run", good, "--json"])
    assert passed.exit_code == 0, passed.output
    [row] = json.loads(passed.stdout)
    assert (row["id"], row["passed"], row["file"]) == ("A-1", True, good)
    differs = CliRunner().invoke(main, ["scenario", "run", good, bad])
    assert differs.exit_code == 1
    assert "withdrawn" in differs.output
    unreadable = CliRunner().invoke(main, ["scenario", "run", str(tmp_path), none])
    assert unreadable.exit_code == 2
    assert none in unreadable.stderr
    assert CliRunner().invoke(main, ["scenario", "run", str(tmp_path / "nothing.yaml")]).exit_code == 2


def test_the_library_is_copied_to_be_edited(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "own"
    assert done(office.url, "library", "copy", str(copy)) == str(copy)
    monkeypatch.setenv("LIUHEN_LIBRARY", str(copy))
    assert done(office.url, "check", "register_account") == ""
    assert "not empty" in refused(office.url, 1, "library", "copy", str(copy))


def test_the_bench_prints_what_a_step_costs_on_both(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHEN_TEST_POSTGRES", server.url)
    result = CliRunner().invoke(main, ["bench", "step", "--rounds", "20", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(figures) == {"sqlite", "postgresql"}
    for each in figures.values():
        assert {"median_ms", "p95_ms", "floor_ms", "statements", "commits", "n"} <= set(each)
        assert each["commits"] == 1 and each["statements"] <= 10
