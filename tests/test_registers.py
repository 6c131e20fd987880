"""Registers keep every version, hold a key for one case, and give one winner to any number of racers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from engine import registers, schema
from engine.errors import Incident, Taken
from engine.model import CaseFile, Definition, ParameterSet, Person, RegisterRecord
from engine.registers import RegisterKind
from engine.work import Database
from forms.values import PersonRef, Value

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CONTRACT = RegisterKind(
    "contract",
    "技术合同登记台账",
    "Registered contracts",
    ("key",),
    ("title", "amount_fen", "signed_on", "applicant", "status"),
)
CASES = [f"case{number}" for number in range(8)]


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """A database with eight cases, LH-0 to LH-7."""
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url, clock=lambda: NOW)
    with database.work("system") as work:
        person = {"id": "p", "login": "p", "name": "甲", "organisation": "", "language": "zh", "active": True}
        work.db.execute(insert(Person).values(**person))
        kept = {"id": "d", "process": "p", "version": 1, "sha256": "", "name_zh": "", "name_en": "", "kind": "main"}
        work.db.execute(insert(Definition).values(**kept, uses="{}", deployed_by="p", deployed_at=NOW))
        work.db.execute(
            insert(ParameterSet).values(id="s", number=1, effective_from=NOW.date(), values="{}", sha256="")
        )
        file = {"process": "p", "definition": "d", "parameters": "s", "calendar": 0, "title": "", "status": "open"}
        state = {
            "applicant": "p",
            "opened_at": NOW,
            "state": "",
            "scopes": "",
            "step": 0,
            "seq": 0,
            "head": "",
            "last_at": NOW,
        }
        for number, case in enumerate(CASES):
            work.db.execute(insert(CaseFile).values(id=case, number=f"LH-{number}", **file, **state))
    yield database
    database.close()


def test_a_record_is_found_with_its_values_and_its_key(database: Database) -> None:
    value: dict[str, Value] = {
        "title": "专利实施许可合同",
        "amount_fen": 3_000_000_000,
        "signed_on": date(2026, 3, 2),
        "applicant": PersonRef("p"),
    }
    with database.work("p") as work:
        kept = registers.record(work, CONTRACT, "k1", value, case="case0", element="issue_certificate")
        assert kept == {**value, "key": "k1"}
    with database.look("p") as work:
        assert registers.find(work, "contract", "k1") == {**value, "key": "k1"}
        assert registers.find(work, "contract", "k2") is None
        assert registers.find(work, "account", "k1") is None


def test_a_case_may_supersede_its_own_record_and_old_columns_stay(database: Database) -> None:
    with database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"title": "甲", "status": "registered"}, case="case0", element="a")
    with database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"status": "revoked"}, case="case0", element="b")
    with database.look("p") as work:
        assert registers.find(work, "contract", "k1") == {"title": "甲", "status": "revoked", "key": "k1"}
        first, second = registers.history(work, "contract", "k1")
    assert (first.version, first.value["status"], first.element) == (1, "registered", "a")
    assert (second.version, second.value["status"], second.number) == (2, "revoked", "LH-0")


def test_another_case_is_told_who_holds_the_key(database: Database) -> None:
    with database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"status": "registered"}, case="case3", element="a")
    with pytest.raises(Taken) as refusal, database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"status": "registered"}, case="case4", element="a")
    for part in (refusal.value.text.zh, refusal.value.text.en):
        assert "LH-3" in part
        assert "k1" in part
    assert "技术合同登记台账" in refusal.value.text.zh
    assert "Registered contracts" in refusal.value.text.en
    assert refusal.value.about["number"] == "LH-3"
    with database.look("p") as work:
        assert len(registers.history(work, "contract", "k1")) == 1


def test_supersede_any_lets_another_case_write_the_next_version(database: Database) -> None:
    with database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"title": "甲", "status": "registered"}, case="case3", element="a")
        registers.record(work, CONTRACT, "k1", {"status": "revoked"}, case="case4", element="a", supersede="any")
    with database.look("p") as work:
        assert registers.find(work, "contract", "k1") == {"title": "甲", "status": "revoked", "key": "k1"}
    with pytest.raises(Taken, match="LH-4"), database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"status": "registered"}, case="case3", element="a")


def test_a_record_without_a_case_is_also_held(database: Database) -> None:
    with database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"title": "历史数据"}, case=None, element="import")
    with pytest.raises(Taken, match="recorded elsewhere"), database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"title": "乙"}, case="case0", element="a")


@pytest.mark.parametrize("key", ["", "  ", "x" * 501, "a\0b"])
def test_what_is_no_key_is_refused(database: Database, key: str) -> None:
    with pytest.raises(Incident), database.work("p") as work:
        registers.record(work, CONTRACT, key, {}, case="case0", element="a")


def test_the_longest_key_can_be_kept(database: Database) -> None:
    with database.work("p") as work:
        registers.record(work, CONTRACT, "𠮷" * 500, {}, case="case0", element="a")
        assert registers.find(work, "contract", "𠮷" * 500) == {"key": "𠮷" * 500}


def test_an_unknown_column_is_refused_by_name(database: Database) -> None:
    with pytest.raises(Incident, match="colour"), database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {"colour": "red"}, case="case0", element="a")


def test_an_unknown_way_to_supersede_is_refused(database: Database) -> None:
    with pytest.raises(Incident, match="none"), database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {}, case="case0", element="a", supersede="none")


def test_the_latest_of_each_key_can_be_listed_and_searched(database: Database) -> None:
    with database.work("p") as work:
        for number in (2, 1, 3):
            registers.record(work, CONTRACT, f"k{number}", {"title": f"合同{number}%"}, case="case0", element="a")
        registers.record(work, CONTRACT, "k2", {"title": "合同二"}, case="case0", element="b")
    with database.look("p") as work:
        assert [each["title"] for each in registers.records(work, "contract")] == ["合同1%", "合同二", "合同3%"]
        assert [each.key for each in registers.browse(work, "contract", offset=1, limit=1)] == ["k2"]
        assert [each.key for each in registers.browse(work, "contract", words="3%")] == ["k3"]
        assert registers.browse(work, "contract", words="合同2") == []  # only the latest version is looked at
        entry = registers.browse(work, "contract", words="二")[0]
    assert (entry.version, entry.case, entry.number, entry.element, entry.at) == (2, "case0", "LH-0", "b", NOW)


def test_the_records_with_a_value_in_a_column_are_found_and_no_others_are_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: dict[str, dict[str, Value]] = {
        "k1": {"title": 'A_%"一"', "amount_fen": 100, "applicant": PersonRef("p1")},
        "k2": {"title": 'A_%"一"二', "amount_fen": 1000, "applicant": PersonRef("p2")},
        "k3": {"title": {"amount_fen": 100}, "amount_fen": 7, "status": "100"},
        "k4": {"title": "长" * 400, "amount_fen": 100},
        "k5": {"title": "长" * 401, "amount_fen": 5},
    }
    with database.work("p") as work:
        for key, value in rows.items():
            registers.record(work, CONTRACT, key, value, case="case0", element="a")
        registers.record(work, CONTRACT, "k6", {"amount_fen": 100}, case="case0", element="a")
        registers.record(work, CONTRACT, "k6", {"amount_fen": 8}, case="case0", element="b")
    read: list[str] = []
    entry = registers._entry

    def noted(row: Any) -> registers.Entry:
        read.append(row.key)
        return entry(row)

    monkeypatch.setattr(registers, "_entry", noted)
    with database.look("p") as work:

        def keys(column: str, value: int | str | PersonRef) -> list[Value]:
            return [each["key"] for each in registers.records_with(work, "contract", column, value)]

        assert keys("amount_fen", 100) == ["k1", "k4"]
        assert "k5" not in read and "k6" not in read
        assert keys("title", 'A_%"一"') == ["k1"] and keys("title", 'a_%"一"') == []
        assert keys("title", "长" * 400) == ["k4"]
        assert keys("applicant", PersonRef("p2")) == ["k2"]
        assert keys("status", 100) == keys("colour", "red") == keys("key", "k1") == []


def test_of_eight_cases_racing_for_a_key_one_wins_and_seven_are_told_who(database: Database) -> None:
    start = threading.Barrier(len(CASES))

    def race(case: str) -> str:
        start.wait()
        try:
            with database.work("p") as work:
                registers.record(work, CONTRACT, "k1", {"title": case}, case=case, element="a")
        except Taken as refusal:
            return str(refusal.about["case"])
        return "won"

    with ThreadPoolExecutor(len(CASES)) as pool:
        ends = list(pool.map(race, CASES))
    winner = CASES[ends.index("won")]
    assert sorted(ends) == sorted(["won", *[winner] * 7])
    with database.look("p") as work:
        assert work.db.execute(select(func.count()).select_from(RegisterRecord)).scalar_one() == 1


def test_a_loser_waits_for_the_winner_and_takes_over_if_it_gives_up(database: Database) -> None:
    """Nobody is told of a case that in the end wrote nothing."""
    if database.sqlite:
        return  # only one act writes at a time, so nobody ever waits for a record
    written = threading.Event()

    def give_up() -> None:
        with contextlib.suppress(ZeroDivisionError), database.work("p") as work:
            registers.record(work, CONTRACT, "k1", {}, case="case0", element="a")
            written.set()
            threading.Event().wait(0.3)
            raise ZeroDivisionError

    first = threading.Thread(target=give_up)
    first.start()
    written.wait(10)
    with database.work("p") as work:
        registers.record(work, CONTRACT, "k1", {}, case="case1", element="a")
    first.join()
    with database.look("p") as work:
        assert [each.case for each in registers.history(work, "contract", "k1")] == ["case1"]


def test_those_who_may_supersede_any_all_succeed_one_after_another(database: Database) -> None:
    start = threading.Barrier(6)

    def race(case: str) -> None:
        start.wait()
        with database.work("p") as work:
            registers.record(work, CONTRACT, "k1", {"title": case}, case=case, element="a", supersede="any")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(race, CASES[:6]))
    with database.look("p") as work:
        history = registers.history(work, "contract", "k1")
    assert [each.version for each in history] == [1, 2, 3, 4, 5, 6]
    assert {each.case for each in history} == set(CASES[:6])


def test_numbers_count_up_by_series_and_year(database: Database) -> None:
    with database.work("p") as work:
        drawn = [registers.draw(work, "BJ-JS", date(2026, 3, day)) for day in (2, 3)]
        drawn += [registers.draw(work, "BJ-JS", date(2027, 1, 4)), registers.draw(work, "LH", date(2026, 3, 2))]
    assert drawn == ["BJ-JS-2026-00001", "BJ-JS-2026-00002", "BJ-JS-2027-00001", "LH-2026-00001"]


def test_a_number_drawn_in_vain_is_drawn_again(database: Database) -> None:
    with contextlib.suppress(ZeroDivisionError), database.work("p") as work:
        assert registers.draw(work, "BJ-JS", date(2026, 3, 2)) == "BJ-JS-2026-00001"
        raise ZeroDivisionError
    with database.work("p") as work:
        assert registers.draw(work, "BJ-JS", date(2026, 3, 2)) == "BJ-JS-2026-00001"


def test_many_may_draw_at_once_and_there_is_no_gap(database: Database) -> None:
    def draw(_: int) -> str:
        with database.work("p") as work:
            return registers.draw(work, "BJ-JS", date(2026, 3, 2))

    with ThreadPoolExecutor(6) as pool:
        drawn = sorted(pool.map(draw, range(30)))
    assert drawn == [f"BJ-JS-2026-{number:05d}" for number in range(1, 31)]


def test_a_series_needs_a_name(database: Database) -> None:
    with pytest.raises(Incident), database.work("p") as work:
        registers.draw(work, " ", date(2026, 3, 2))
