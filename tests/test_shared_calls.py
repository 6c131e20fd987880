"""The worked cases of the shared processes, each called by a small process of the tests, on both databases."""

from __future__ import annotations

import pytest

from engine import definitions
from engine.library import Library
from engine.scenario_file import read_scenario
from engine.scenarios import play
from engine.work import SYSTEM, Database
from tests.office import package

CALLERS = ("deciding", "publicising", "evidencing")
WORKED = {
    f"{caller}/{path.removeprefix('scenarios/')}": content.decode()
    for caller in CALLERS
    for path, content in package(caller).scenarios().items()
}


@pytest.mark.parametrize("name", WORKED)
def test_a_worked_case_of_a_shared_process_comes_out_as_it_says(name: str, database_url: str) -> None:
    database = Database(database_url)
    with database.work(SYSTEM) as work:
        definitions.deploy(work, package(name.partition("/")[0]), Library.standing().vocabulary())
    database.close()
    played = play(read_scenario(WORKED[name], name), database_url)
    assert played.passed, f"{name}:{played.line}: {played.difference}"


def test_there_are_worked_cases_of_every_rule() -> None:
    assert len(WORKED) >= 30
    assert {name.partition("/")[0] for name in WORKED} == set(CALLERS)
