"""The worked cases of the shipped processes, played on both databases, and the runner's own manners."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.library import Library
from engine.scenario_file import read_scenario
from engine.scenarios import play
from forms.words import Unfit

WORKED = {
    f"{process}/{path.removeprefix('scenarios/')}": content.decode()
    for process in Library.standing().processes()
    for path, content in Library.standing().package(process).scenarios().items()
}

ACCOUNT = """
id: A-1
process: register_account
now: 2026-03-02 09:00
people: {contract_applicant: 卖方甲}
given: {registers: {account: []}}
start: {by: 卖方甲, with: {region_code: "110108"}}
"""


@pytest.mark.parametrize("name", WORKED)
def test_a_worked_case_comes_out_as_it_says(name: str, database_url: str) -> None:
    played = play(read_scenario(WORKED[name], name), database_url)
    assert played.passed, f"{name}:{played.line}: {played.difference}"


def test_every_policy_case_of_technology_contracts_is_there() -> None:
    ids = {read_scenario(text, name).id for name, text in WORKED.items() if name.startswith("tech_contract")}
    wanted = {"P4-01", "P4-02", "P4-03", "P4-05", "P4-07", "P4-09", "P4-11", "P4-14"}
    assert wanted <= ids
    assert {one[:5] for one in ids} >= {"P4-04", "P4-06"}


@pytest.mark.parametrize(
    ("expectation", "word"),
    [
        ("outcome: withdrawn", "outcome"),
        ("open: [submit_contract]", "open"),
        ("path: [nowhere]", "path"),
        ("never: [submit_account]", "never"),
        ("variables: {region_code: '120000'}", "region_code"),
        ("facts: [F-XX-99]", "facts"),
        ("trail: broken", "trail"),
    ],
)
def test_the_first_difference_is_told_in_words(expectation: str, word: str, database_url: str) -> None:
    played = play(read_scenario(ACCOUNT + f"expect: {{{expectation}}}\n", "a.yaml"), database_url)
    assert not played.passed
    assert played.difference is not None
    assert played.difference.en.startswith(word)


def test_a_start_that_should_be_refused_and_is_not_is_a_difference(database_url: str) -> None:
    text = ACCOUNT.replace('"110108"}}', '"110108"}, invalid: [name]}')
    played = play(read_scenario(text, "a.yaml"), database_url)
    assert not played.passed


def test_a_start_refused_at_the_named_field_passes(database_url: str) -> None:
    text = ACCOUNT.replace('region_code: "110108"}', 'region_code: "11"}, invalid: [region_code]')
    played = play(read_scenario(text, "a.yaml"), database_url)
    assert played.passed, played.difference
    assert played.case is None


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("id: A-1", "id: A-1\nwhat: is this"), 3),
        (("now: 2026-03-02 09:00", "now: soon"), 4),
        (("start: {by: 卖方甲,", "start: {"), 7),
        (("people:", "steps: [{go: on}]\npeople:"), 5),
    ],
)
def test_a_file_that_says_what_no_scenario_says_is_refused_with_its_line(change: tuple[str, str], line: int) -> None:
    with pytest.raises(Unfit) as unfit:
        read_scenario(ACCOUNT.replace(*change), "a.yaml")
    assert line in {finding.line for finding in unfit.value.findings}


def test_shipped_scenarios_lie_beside_their_diagrams() -> None:
    """Those of called processes are beside the small processes of the tests that call them."""
    folder = Path(__file__).parents[1] / "bpmn" / "library"
    mains = [
        process
        for process in Library.standing().processes()
        if 'policy:kind="called"' not in (folder / process / "process.bpmn").read_text("utf-8")
    ]
    assert len(mains) == 7
    assert all(list((folder / process / "scenarios").glob("*.yaml")) for process in mains)


def test_duties_are_what_the_facts_of_the_case_give(database_url: str) -> None:
    text = WORKED["tech_contract_registration/p4-03.yaml"]
    shown = "  duties: {democratic_decision: met, info_publicity: met, reasonable_care: met, supervision: met}\n"
    played = play(read_scenario(text.replace("\nexpect:\n", "\nexpect:\n" + shown), "p4-03.yaml"), database_url)
    assert played.passed, played.difference


def test_another_state_of_a_duty_is_a_difference(database_url: str) -> None:
    played = play(read_scenario(ACCOUNT + "expect: {duties: {reasonable_care: not_met}}\n", "a.yaml"), database_url)
    assert played.difference is not None
    assert played.difference.en.startswith("duties reasonable_care")
