"""Filling a form: computed and default, then earlier, then the example if required; what is given stays."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from forms.answer import World, check
from forms.filling import fill, initial
from forms.form import Form
from forms.values import PersonRef, Value
from tests.harness.forms import form

WORLD = World(
    names={"today": date(2026, 3, 2), "amount_fen": 900},
    functions={"people": lambda role: [PersonRef("p1"), PersonRef("p2")] if role == "expert" else []},
    people=lambda identity: identity in {"p1", "p2"},
)


def filled(found: Form, given: dict[str, Any] | None = None, earlier: dict[str, Value] | None = None) -> dict[str, Any]:
    return fill(found, given or {}, WORLD, earlier)


SIMPLE = form(
    "code: computed, kind: integer, compute: '=amount_fen * 2'",
    "code: defaulted, kind: date, default: '=today', example: 2026-01-01, required: true",
    "code: remembered, kind: text, required: true, example: 例",
    "code: exemplary, kind: text, required: true, example: 例",
    "code: optional, kind: text, example: 例",
)


def test_each_field_is_filled_from_the_first_source_that_has_it() -> None:
    earlier: dict[str, Value] = {"computed": 1, "defaulted": date(2025, 1, 1), "remembered": "旧"}
    assert filled(SIMPLE, earlier=earlier) == {
        "computed": 1800,
        "defaulted": date(2026, 3, 2),
        "remembered": "旧",
        "exemplary": "例",
    }
    assert filled(SIMPLE, {"defaulted": "2026-02-02", "optional": "x"}, earlier)["defaulted"] == "2026-02-02"


def test_a_fresh_form_shows_no_examples() -> None:
    assert initial(SIMPLE, WORLD) == {"computed": 1800, "defaulted": date(2026, 3, 2)}
    assert initial(SIMPLE, WORLD, {"remembered": "旧", "strange": 1})["remembered"] == "旧"


def test_what_is_given_is_kept_whatever_it_is() -> None:
    given = {"remembered": 5, "strange": {"a": 1}, "exemplary": None, "computed": 3}
    assert {code: filled(SIMPLE, given).get(code) for code in given} == given


def test_an_explicit_null_leaves_a_required_field_empty() -> None:
    answer = filled(SIMPLE, {"exemplary": None})
    assert [problem.path for problem in check(SIMPLE, answer, WORLD).problems] == ["exemplary"]


def test_a_hidden_field_is_not_filled_but_what_is_given_for_it_stays_to_be_refused() -> None:
    found = form(
        "code: on, kind: yes_no, required: true, example: false",
        "code: a, kind: text, show_if: on, required: true, example: 例, default: 缺省",
    )
    assert filled(found) == {"on": False}
    assert filled(found, {"on": True}) == {"on": True, "a": "缺省"}
    assert filled(found, {"a": "x"}) == {"on": False, "a": "x"}
    assert filled(found, {"on": False}, {"a": "旧"}) == {"on": False}


def test_requirements_see_what_is_already_filled_above_and_below() -> None:
    found = form(
        "code: a, kind: text, required_if: 'c == 3', example: 例",
        "code: b, kind: text, required_if: \"a == '例'\", example: 乙",
        "code: c, kind: integer, default: 3",
    )
    assert filled(found) == {"a": "例", "b": "乙", "c": 3}


def test_an_example_waits_for_the_fields_it_is_made_from() -> None:
    found = form(
        "code: a, kind: integer, required: true, example: '=b + 1'",
        "code: b, kind: integer, required: true, example: 4",
    )
    assert filled(found) == {"a": 5, "b": 4}
    assert filled(found, {"b": 7}) == {"a": 8, "b": 7}


def test_a_default_comes_before_the_example_even_if_it_is_made_from_a_later_field() -> None:
    found = form(
        "code: a, kind: integer, required: true, example: 1, default: '=b'", "code: b, kind: integer, default: 9"
    )
    assert filled(found) == {"a": 9, "b": 9}


def test_a_default_that_has_no_value_yet_leaves_the_field_empty() -> None:
    found = form(
        "code: a, kind: integer, default: '=missing'", "code: b, kind: person, default: \"=people('nobody')[0]\""
    )
    assert filled(found) == {}
    assert initial(found, WORLD) == {}


GROUPED = form(
    "code: recipient, kind: group, required: true, fields: ["
    "{code: name, kind: text, required: true, example: 例}, "
    "{code: country, kind: text, default: CN}, "
    "{code: uscc, kind: text, show_if: \"country == 'CN'\", required: true, example: '1'}, "
    "{code: twice, kind: integer, compute: '=amount_fen * 2'}]"
)


def test_a_group_is_merged_part_by_part() -> None:
    assert filled(GROUPED) == {"recipient": {"name": "例", "country": "CN", "uscc": "1", "twice": 1800}}
    assert filled(GROUPED, {"recipient": {"country": "US"}}, {"recipient": {"name": "旧", "country": "DE"}}) == {
        "recipient": {"name": "旧", "country": "US", "twice": 1800}
    }
    assert filled(GROUPED, {"recipient": {"strange": 1}})["recipient"]["strange"] == 1
    assert filled(GROUPED, {"recipient": "x"}) == {"recipient": "x"}


def test_an_optional_group_nobody_mentions_stays_empty() -> None:
    found = form(
        "code: g, kind: group, "
        "fields: [{code: a, kind: text, default: x}, {code: b, kind: text, required: true, example: y}]"
    )
    assert filled(found) == {}
    assert filled(found, {"g": {}}) == {"g": {}}
    assert filled(found, {"g": {"a": "z"}}) == {"g": {"a": "z", "b": "y"}}
    assert filled(found, earlier={"g": {"a": "旧", "b": None}}) == {"g": {"a": "x", "b": "y"}}


def test_a_group_s_own_example_is_merged_too() -> None:
    found = form(
        "code: g, kind: group, required: true, example: {a: '=today', b: y}, "
        "fields: [{code: a, kind: date}, {code: b, kind: text}]"
    )
    assert filled(found) == {"g": {"a": date(2026, 3, 2), "b": "y"}}
    assert filled(found, {"g": {"b": "z"}}) == {"g": {"a": date(2026, 3, 2), "b": "z"}}
    assert initial(found, WORLD) == {}


COLUMNS = (
    "fields: [{code: who, kind: person, required: true, example: \"=people('expert')[0]\"}, "
    "{code: bp, kind: ratio, required: true, example: 10000}, "
    "{code: country, kind: text, default: CN}, {code: half, kind: ratio, compute: '=bp // 2'}]"
)


def test_a_table_is_taken_whole_and_its_rows_get_defaults_but_no_examples() -> None:
    found = form(f"code: team, kind: table, required: true, {COLUMNS}")
    earlier: dict[str, Value] = {"team": [{"who": PersonRef("p2"), "bp": 1, "country": "US", "half": 0}]}
    assert filled(found, {"team": [{"who": "p1"}, {"bp": 3, "country": "US"}, "x"]}, earlier) == {
        "team": [{"who": "p1", "country": "CN"}, {"bp": 3, "country": "US", "half": 1}, "x"]
    }
    assert filled(found, {"team": []}, earlier) == {"team": []}
    assert filled(found, {}, earlier) == earlier


def test_a_required_table_without_example_gets_one_row_of_its_columns_examples() -> None:
    found = form(f"code: team, kind: table, required: true, {COLUMNS}")
    assert filled(found) == {"team": [{"who": PersonRef("p1"), "bp": 10_000, "country": "CN", "half": 5000}]}
    assert check(found, filled(found), WORLD).problems == ()
    assert initial(found, WORLD) == {}


def test_the_rows_of_a_default_take_the_examples_of_what_they_must_have() -> None:
    columns = (
        "fields: [{code: who, kind: person, required: true}, "
        "{code: why, kind: text, required: true, example: 因故}, "
        "{code: note, kind: text, example: 不填}]"
    )
    given = "default: \"=[{'who': p} for p in people('expert')]\""
    found = form(f"code: team, kind: table, required: true, {columns}, {given}")
    assert [row["who"] for row in initial(found, WORLD)["team"]] == [PersonRef("p1"), PersonRef("p2")]
    assert not any(row.get("why") for row in initial(found, WORLD)["team"])
    assert filled(found) == {"team": [{"who": PersonRef(each), "why": "因故"} for each in ("p1", "p2")]}
    assert filled(found, {"team": [{"who": "p1"}]}) == {"team": [{"who": "p1"}]}


def test_a_table_s_example_may_hold_expressions() -> None:
    found = form(
        f"code: team, kind: table, required: true, {COLUMNS}, example: [{{who: \"=people('expert')[1]\", bp: 5}}]"
    )
    assert filled(found)["team"][0]["who"] == PersonRef("p2")


CHECKED = form(
    "code: kind, kind: choice, required: true, options: [{code: dev, zh: 开发}, {code: svc, zh: 服务}], example: dev",
    "code: criteria, kind: checklist, required: true, example: true, items_by: {field: kind, lists: "
    "{dev: [{code: D-1, zh: 一}, {code: D-2, zh: 二}], svc: [{code: S-1, zh: 三}]}}",
)


def test_one_example_may_answer_all_items_of_a_checklist() -> None:
    assert filled(CHECKED) == {"kind": "dev", "criteria": {"D-1": True, "D-2": True}}
    assert filled(CHECKED, {"kind": "svc"}) == {"kind": "svc", "criteria": {"S-1": True}}


def test_an_earlier_answer_that_no_longer_fits_is_not_taken() -> None:
    earlier: dict[str, Value] = {"kind": "gone", "criteria": {"D-1": False, "D-2": True}}
    assert filled(CHECKED, {"kind": "svc"}, earlier) == {"kind": "svc", "criteria": {"S-1": True}}
    assert filled(CHECKED, {}, earlier) == {"kind": "dev", "criteria": {"D-1": False, "D-2": True}}


def test_a_file_s_example_is_the_name_of_one_to_make_up() -> None:
    found = form(
        "code: f, kind: file, required: true, example: {file: \"='合同' + text(amount_fen) + '.pdf'\"}",
        "code: fs, kind: files, required: true, example: [{file: a.pdf}]",
    )
    assert filled(found) == {"f": {"file": "合同900.pdf"}, "fs": [{"file": "a.pdf"}]}


def test_literals_become_values() -> None:
    found = form("code: d, kind: date, default: 2026-01-02", "code: n, kind: decimal, default: '1.50'")
    assert initial(found, WORLD) == {"d": date(2026, 1, 2), "n": Decimal("1.50")}


def test_filling_changes_neither_what_is_given_nor_what_was_earlier() -> None:
    given, earlier = {"recipient": {"country": "US"}}, {"recipient": {"name": "旧"}}
    filled(GROUPED, given, earlier)  # type: ignore[arg-type]
    assert (given, earlier) == ({"recipient": {"country": "US"}}, {"recipient": {"name": "旧"}})
