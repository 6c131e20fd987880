"""The measure of searching loads databases that are what they seem, and times every search on them."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from engine import oversight, schema
from engine.oversight import Wanted
from engine.searching import SEARCHES, case_id, load, search
from engine.trail.verify import verify
from engine.work import SYSTEM, Database
from webui.cli import main


def test_what_is_loaded_in_bulk_has_its_fences_and_verifies(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with database.work(SYSTEM) as work:
        deeds = load(work, 40, 4_000)
        assert oversight.count(work, Wanted()) == 40
        assert schema.check_fences(work.db) == []
        verdicts = [verify(work, case_id(number)) for number in (0, 39)]
    database.close()
    assert [(each.intact, each.events) for each in verdicts] == [(True, 100), (True, 100)]
    assert 1_000 < deeds < 2_000


def test_every_kind_of_search_and_the_dashboard_are_timed() -> None:
    told: list[str] = []
    found = search(None, cases=40, events=4_000, rounds=1, told=told.append)
    assert told == ["sqlite"] == list(found)
    rows = {row["id"]: row for row in found["sqlite"]["rows"]}
    assert rows.keys() == {*SEARCHES, "dashboard"}
    assert rows["everything"]["cases"] == 40
    assert all(
        0 < row["cases"] < 40 for name, row in rows.items() if name in {"process", "amount", "overran", "person"}
    )
    assert all(row["ms"] > 0 and row["ratio"] > 0 for row in rows.values())


def test_the_command_gives_its_measures_as_json(tmp_path: Path) -> None:
    settings = {"LIUHEN_TEST_POSTGRES": "", "LIUHEN_DATABASE_URL": str(tmp_path / "unused.db")}
    asked = ["bench", "search", "--cases", "10", "--events", "500", "--json"]
    found = CliRunner().invoke(main, asked, env=settings)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["sqlite"]["deeds"] > 100
