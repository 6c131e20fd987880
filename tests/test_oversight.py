"""Oversight: each way to search finds the cases it should and no others, numbers agree with them, views are kept."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine import amount, dashboard, oversight
from engine.dashboard import LOOKED_FOR, Figure
from engine.errors import NotFound, NotYours, Unusable
from engine.oversight import Wanted
from tests.office import Office
from tests.overseen import names_of, play
from webui.cli import main

pytest_plugins = ["tests.furnished"]

JANUARY = {"since": date(2026, 1, 1), "until": date(2026, 1, 31)}
MARCH = {"since": date(2026, 3, 1), "until": date(2026, 3, 31)}
DUTY = {"gap", "late"}

FOUND: list[tuple[dict[str, Any], set[str]]] = [
    ({"words": "缺定价"}, {"gap"}),
    ({"words": "%"}, set()),
    ({"process": "duty"}, DUTY),
    ({"role": "second_reviewer"}, {"finished"}),
    ({"clause": "002 §六"}, {"finished", "four_eyes", "substitute"}),
    ({"clause": "§六"}, {"finished", "four_eyes", "substitute"}),
    ({"clause": "第九十九条"}, set()),
    ({"state": "closed"}, {"finished"}),
    ({"state": "suspended"}, {"suspended"}),
    ({"state": "overdue"}, {"overdue"}),
    ({"state": "still"}, set()),
    ({"least": 5_000_000}, {"reassigned"}),
    ({"least": 90_000, "most": 99_000}, {"finished", "four_eyes"}),
    ({"most": 299}, set()),
    (JANUARY, {"finished", "overdue"}),
    ({"period": "closed", **JANUARY}, {"finished"}),
    ({"period": "closed", **MARCH}, set()),
    ({"period": "acted", "words": "一月", **MARCH}, {"overdue"}),
    ({"finding": ("overran",)}, {"overdue"}),
    ({"finding": ("late",)}, {"late"}),
    ({"finding": ("gap",)}, {"gap", "late"}),
    ({"finding": ("refused",)}, {"refused", "recusal", "four_eyes"}),
    ({"finding": ("recusal",)}, {"recusal"}),
    ({"finding": ("four_eyes",)}, {"four_eyes"}),
    ({"finding": ("reassigned", "suspended")}, {"reassigned", "suspended"}),
    ({"finding": LOOKED_FOR["override"]}, {"reassigned"}),
    ({"finding": ("skipped",)}, set()),
    ({"finding": ("overran",), "period": "acted", **JANUARY}, set()),
    ({"finding": ("overran",), "period": "acted", **MARCH}, {"overdue"}),
    ({"finding": ("overran",), "period": "opened", **JANUARY}, {"overdue"}),
    ({"finding": ("gap",), "process": "permit"}, set()),
]


@pytest.fixture
def played(office: Office) -> dict[str, str]:
    """The cases of the office, by what is to be found in them."""
    return play(office)


def test_every_way_to_search_finds_its_cases_and_no_others(office: Office, played: dict[str, str]) -> None:
    wrong = [(wanted, found) for wanted, expected in FOUND if (found := names_of(office, played, **wanted)) != expected]
    assert wrong == []
    assert names_of(office, played) == set(played)
    assert office.sound()


def test_a_person_is_found_where_they_acted_or_somebody_acted_for_them(office: Office, played: dict[str, str]) -> None:
    assert names_of(office, played, person=office.who["双职"]) == {"four_eyes"}
    assert names_of(office, played, person=office.who["登记员二"]) == {"recusal", "substitute"}
    assert names_of(office, played, person=office.who["登记员"]) == {"finished", "gap", "late", "substitute"}
    # Of one and the same deed: 双职 did what rests on the clause, and was refused what does not.
    both = {"person": office.who["双职"], "clause": "002 §六"}
    assert names_of(office, played, **both) == {"four_eyes"}
    assert names_of(office, played, **both, finding=("refused",)) == set()


def test_the_order_and_the_pages_hold_together(office: Office, played: dict[str, str]) -> None:
    with office.database.look(office.who["合规"]) as work:
        for sort, first in (("newest", "substitute"), ("oldest", "finished"), ("amount", "reassigned")):
            wanted = Wanted(sort=sort)
            whole = [row["id"] for row in oversight.found(work, wanted, limit=100)[0]]
            pages = [oversight.found(work, wanted, limit=4, after=after)[0] for after in (0, 4, 8, 12)]
            assert whole == [row["id"] for page in pages for row in page] == oversight.ids(work, wanted, 100)
            assert whole[0] == played[first]
            assert oversight.ids(work, wanted, 2) == whole[:2]
            assert oversight.found(work, wanted, limit=4, after=99) == ([], len(played))
        numbers = [row["number"] for row in oversight.found(work, Wanted(sort="number"), limit=100)[0]]
    assert numbers == sorted(numbers)


def test_what_was_marked_in_a_case_is_counted(office: Office, played: dict[str, str]) -> None:
    with office.database.look(office.who["合规"]) as work:
        marks = oversight.marks_of(work, played.values())
    assert marks[played["late"]] == {"late": 1, "gap": 2}
    assert marks[played["four_eyes"]] == {"refused": 1, "four_eyes": 1}
    assert played["plain"] not in marks


def test_every_number_of_the_dashboard_is_that_of_its_cases(office: Office, played: dict[str, str]) -> None:
    with office.database.look(office.who["合规"]) as work:
        figures: list[Figure] = [*dashboard.now(work), *dashboard.since(work, date(2026, 3, 1))]
        lately, table = dashboard.since(work, None), dashboard.by_process(work, None)
        figures += [*lately, *(each for row in table.values() for each in row.values())]
        assert [each for each in figures if oversight.count(work, each.wanted) != each.cases] == []
        months = dashboard.by_month(work)
        assert [oversight.count(work, each.wanted) for each in months["gap"]] == [each.cases for each in months["gap"]]
        found = {each.code: (each.cases, each.often) for each in (*dashboard.now(work), *lately)}
        attempts = (dashboard.attempts_since(work, None), dashboard.attempts_since(work, date(2026, 3, 3)))
    assert found["overdue"] == (1, 1) and found["suspended"] == (1, 1) and found["open"] == (len(played) - 2,) * 2
    assert found["gap"] == (2, 4) and found["refused"] == (3, 3) and found["recusal"] == (1, 1)
    assert found["override"] == (1, 1) and found["overran"] == (1, 1) and found["late"] == (1, 1)
    assert table["duty"]["gap"].cases == 2 and "gap" not in table["permit"]
    assert [each.first.isoformat() for each in months["overran"]][::11] == ["2025-04-01", "2026-03-01"]
    assert [each.cases for each in months["overran"]] == [0] * 11 + [1]
    assert attempts == (1, 0)


def test_refused_starts_are_listed_though_no_case_came_of_them(office: Office, played: dict[str, str]) -> None:
    with office.database.look(office.who["合规"]) as work:
        [attempt] = oversight.attempts(work, limit=10)
    assert (attempt["actor"], attempt["data"]["verb"]) == (office.who["市场办"], "start")


# Who may.


@pytest.mark.parametrize(("name", "may"), [("合规", True), ("管理员", True), ("登记员", False), ("路人", False)])
def test_only_those_who_look_into_every_case_oversee(office: Office, name: str, may: bool) -> None:
    with office.database.look(office.who[name]) as work:
        if may:
            oversight.admit(work)
        else:
            with pytest.raises(NotYours):
                oversight.admit(work)
    if not may:
        assert office.refused(name, oversight.save, "我的", {}).code == NotYours.code


# What a form asks.


def test_a_search_reads_back_as_it_was_asked(office: Office) -> None:
    asked = {
        "words": ["x"], "person": ["登记员"], "role": ["registrar"], "least": ["1,234.50"], "most": ["￥90000"],
        "period": ["acted"], "since": ["2026-01-01"], "until": ["2026-12-31"], "finding": ["gap", "late", "none"],
        "sort": ["amount"], "state": ["overdue"], "unknown": ["?"],
    }  # fmt: skip
    with office.database.look(office.who["合规"]) as work:
        wanted, problems = oversight.read(work, asked)
        assert problems == []
        assert oversight.read(work, wanted.asked()) == (wanted, [])
        assert oversight.read(work, {}) == (Wanted(), [])
    assert (wanted.least, wanted.most, wanted.finding) == (123_450, 9_000_000, ("late", "gap"))
    assert wanted.person == office.who["登记员"]
    assert wanted.asked()["finding"] == ["late", "gap"]
    assert Wanted().asked() == {}


@pytest.mark.parametrize(
    "asked",
    [
        {"least": "viel"},
        {"most": "1.234"},
        {"most": "9" * 39},
        {"since": "gestern"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"person": "无此人"},
        {"state": "unknown"},
        {"period": "x"},
        {"sort": "x"},
    ],
)
def test_what_cannot_be_understood_is_said(office: Office, asked: dict[str, str]) -> None:
    with office.database.look(office.who["合规"]) as work:
        wanted, [problem] = oversight.read(work, {name: [text] for name, text in asked.items()})
    assert wanted == Wanted()
    assert problem.zh and problem.en


# Saved views.


def test_a_view_is_kept_for_whoever_saved_it_and_for_nobody_else(office: Office) -> None:
    view = office.act("合规", oversight.save, " 大额超期 ", {"least": ["300000"], "finding": ["overran"]})
    [kept] = office.look(oversight.views, by="合规")
    assert (kept["name"], kept["asked"]) == ("大额超期", {"least": ["300,000.00"], "finding": ["overran"]})
    assert office.look(oversight.views, by="管理员") == []
    assert office.refused("管理员", oversight.forget, view).code == NotFound.code
    office.act("合规", oversight.forget, view)
    assert office.look(oversight.views, by="合规") == []


def test_a_view_of_the_same_name_takes_the_place_of_the_older_one(office: Office) -> None:
    office.act("合规", oversight.save, "看", {"state": ["open"]})
    office.act("合规", oversight.save, "看", {"state": ["closed"]})
    assert [view["asked"] for view in office.look(oversight.views, by="合规")] == [{"state": ["closed"]}]


def test_a_view_needs_a_name_and_a_search_and_there_are_not_too_many(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oversight, "MOST_VIEWS", 2)
    assert office.refused("合规", oversight.save, " ", {}).code == Unusable.code
    assert office.refused("合规", oversight.save, "坏", {"least": ["x"]}).code == Unusable.code
    for name in ("一", "二", "二"):
        office.act("合规", oversight.save, name, {})
    assert "2" in str(office.refused("合规", oversight.save, "三", {}).text.en)


# The amount.


def test_the_amount_is_the_most_binding_one_that_is_not_secret() -> None:
    variables = {"amount_fen": 300, "price_fen": 500, "valuation_fen": True, "publicised_price_fen": None}
    assert amount.amount_of(variables, ()) == 500
    assert amount.amount_of(variables, {"price_fen"}) == 300
    assert amount.amount_of(variables, {"price_fen", "amount_fen"}) is None
    assert amount.amount_of({"price_fen": None}, ()) is None


# The command.


def test_the_command_searches_as_the_page_does(office: Office, played: dict[str, str]) -> None:
    def asked(*options: str) -> Result:
        return CliRunner().invoke(main, ["--database", office.url, "oversight", *options])

    found = json.loads(asked("--finding", "gap", "--finding", "recusal", "--sort", "oldest", "--json").stdout)
    assert [row["id"] for row in found] == [played[name] for name in ("gap", "late", "recusal")]
    assert found[2]["findings"] == {"refused": 1, "recusal": 1}
    lines = asked("--person", "双职", "--least", "900", "--most", "900.00").stdout.splitlines()
    assert [line.split("  ")[1:] for line in lines] == [["open", "90000", "permit", "复核自己", "refused,four_eyes"]]
    wrong = asked("--since", "gestern")
    assert (wrong.exit_code, "gestern" in wrong.stderr) == (1, True)
