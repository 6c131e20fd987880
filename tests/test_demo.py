"""The demonstration: its people hold every role, its cases are of every process that can be started by then."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from engine import demo, inbox
from engine.incidents import standing_still
from engine.library import Library
from engine.scenario_file import read_scenario
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.work import BEIJING, SYSTEM, Database
from tests.conftest import NewDatabase

NUMBER = 14
NOW = datetime(2026, 11, 20, 9, tzinfo=BEIJING)


def test_cases_of_many_processes_are_played_and_none_stands_still(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database("sqlite")
    monkeypatch.setattr(demo, "Database", lambda url, clock=None: Database(url, clock or SetClock(NOW)))
    told: list[int] = []
    demo.prepare(url, NUMBER, told=told.append)
    assert told == list(range(1, NUMBER + 1))
    database = Database(url)
    with database.look(SYSTEM) as work:
        rows = inbox.cases(work)
        played = Counter(row["process"] for row in rows if row["parent"] is None)
        assert verify(work).intact
        assert [each["zh"] for row in rows for each in standing_still(work, row["id"])] == []
        assert {row["role"] for row in demo.listed(work)} == set(Library.standing().vocabulary().roles)
    database.close()
    assert sum(played.values()) == NUMBER + played["register_account"]
    assert {"achievement_registration", "policy_adoption", "tech_contract_registration"} <= played.keys()
    assert played["tech_contract_registration"] >= NUMBER // 2
    assert len(played) >= 5


def test_only_what_people_start_is_offered_to_be_played() -> None:
    library = Library.standing()
    mains = demo.mains(library)
    assert "register_account" in mains and not [name for name in mains if name.startswith("sub_")]
    assert set(demo.startable(library)) <= set(mains)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (("", ""), True),
        (("start: {by: 甲", "given: {registers: {contract: []}}\nstart: {by: 甲"), False),
        (("with: {name: 一}", "with: {inventors: [{person: 甲}]}"), False),
        (("with: {name: 一}}", "with: {name: 一}, invalid: [name]}"), False),
    ],
)
def test_a_start_is_copied_where_it_rests_on_nothing_and_names_nobody(
    change: tuple[str, str], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "id: A\nprocess: achievement_registration\nnow: 2026-03-02 09:00\npeople: {inventor_lead: 甲}\n"
    text += "start: {by: 甲, with: {name: 一}}\n"
    text = text.replace(*change) if change[0] else text
    read_scenario(text, "a.yaml")
    monkeypatch.setattr("engine.packages.Package.scenarios", lambda _: {"scenarios/a.yaml": text.encode()})
    assert ("achievement_registration" in demo.startable(Library.standing())) is kept
