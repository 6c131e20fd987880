"""Parameters by adoption: what a case decided becomes the next set, judged before, and in force from its day on."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from engine import adoption, cases, incidents, migration, parameter_sets, registers
from engine.desk import open_desk
from engine.errors import Invalid, WrongState
from engine.library import Library
from engine.parameter_sets import SHIPPED, ValueSet
from engine.work import SYSTEM
from forms.words import Unfit
from tests.commands import done
from tests.office import Office, package
from tests.test_races import at_once

pytest_plugins = ["tests.furnished"]

THRESHOLDS = [{"key": "tier_thresholds_fen", "value": "200000000, 500000000, 1000000000"}]
FIRST_TIER = ("approval_tier.dmn", "&lt; params['tier_thresholds_fen'][0]", "&lt; 100_000_000")


@pytest.fixture
def council(office: Office) -> Office:
    """An office that adopts parameters, and decides by a table that reads them."""
    office.deploy(package("adopting"), package("tiered"))
    office.hire("制度员", "process_owner")
    return office


def draft(office: Office, rows: list[dict[str, Any]], day: date | None = None) -> str:
    """A case in which these values were drafted."""
    answer = {"values": rows, "effective_from": (day or office.clock().date()).isoformat()}
    return str(office.act("制度员", cases.start, "adopting", answer))


def adopted(office: Office, rows: list[dict[str, Any]], day: date | None = None) -> str:
    """A case in which these values were adopted."""
    case = draft(office, rows, day)
    office.act("负责人", cases.complete, office.item(case, "consent"), {"agreed": True})
    return case


def in_force(office: Office) -> ValueSet:
    with office.database.look(SYSTEM) as work:
        current = parameter_sets.in_force(work)
        return next(each for each in parameter_sets.all_sets(work) if each.id == current)


def test_what_a_case_adopts_is_in_force_from_its_day_and_cases_keep_what_they_began_with(council: Office) -> None:
    before, old = in_force(council), council.start()
    day = council.clock().date() + timedelta(days=10)
    case = adopted(council, [{"key": "consent_days", "value": "12"}, *THRESHOLDS], day)
    assert council.row(case)["outcome"] == "adopted"
    assert in_force(council) == before
    council.later(days=10)
    now = in_force(council)
    assert (now.number, now.effective_from, now.adopted_by) == (before.number + 1, day, case)
    assert now.values == {**before.values, "consent_days": 12, "tier_thresholds_fen": [200_000_000, 500_000_000, 10**9]}
    new = council.start(contract_no="HT-2")
    assert council.row(old)["parameters"] == before.id == SHIPPED
    assert council.row(new)["parameters"] == now.id
    assert council.sound()


def test_the_set_is_told_in_its_case_in_the_stream_of_policy_and_in_its_register(council: Office) -> None:
    case = adopted(council, THRESHOLDS)
    number, now = council.row(case)["number"], in_force(council)
    told = council.last("sys/policy")["data"]
    assert (told["set"], told["by"], told["adopted"]) == (now.id, number, {"tier_thresholds_fen": now.id})
    assert {"parameters.adopted", "register.recorded"} <= set(council.kinds(case))
    [row] = [each for each in council.look(registers.records, "parameter_set") if each["key"] == now.id]
    expected = {"id": now.id, "version": 2, "effective_from": council.clock().date(), "adopted_by": number}
    assert {name: row[name] for name in expected} == expected


def test_a_value_is_labelled_by_what_it_rests_on_until_the_institution_adopts_it(council: Office) -> None:
    def labels() -> dict[str, str]:
        return {each.parameter.key: each.label.zh for each in adoption.shown(in_force(council))}

    before = labels()
    assert before["tier_thresholds_fen"] == "示例默认值，各单位须自行设定"
    assert before["contract_review_days"] == "政策文件"
    adopted(council, THRESHOLDS)
    first = in_force(council).id
    adopted(council, [{"key": "consent_days", "value": "10"}])
    after = labels()
    assert after["tier_thresholds_fen"] == f"本单位规定（{first}）"
    assert after["consent_days"] == f"本单位规定（{in_force(council).id}）"
    different = {"tier_thresholds_fen", "consent_days"}
    assert {key: said for key, said in after.items() if key not in different} == {
        key: said for key, said in before.items() if key not in different
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no_such_key", "1"),
        ("reward_min_bp", "4999"),
        ("publicity_days_pricing", 14),
        ("contract_review_days", "10"),
        ("expert_panel_min", "4"),
        ("tier_thresholds_fen", "3, 2, 1"),
        ("consent_days", "ten"),
    ],
)
def test_a_form_refuses_a_value_that_a_parameter_may_not_have(council: Office, key: str, value: Any) -> None:
    refusal = council.refused("制度员", draft_of, council, [{"key": key, "value": str(value)}])
    assert isinstance(refusal, Invalid) and refusal.problems[0].path == "values"


def draft_of(work: Any, office: Office, rows: list[dict[str, Any]]) -> str:
    return cases.start(work, "adopting", {"values": rows, "effective_from": office.clock().date().isoformat()})


def test_values_that_only_do_not_fit_together_stand_still_with_a_sentence_and_can_be_corrected(council: Office) -> None:
    case = adopted(council, [{"key": "expert_panel_min", "value": "7"}])
    [incident] = council.look(incidents.standing_still)
    assert "expert_panel_size" in incident["zh"] and "expert_panel_size" in incident["en"]
    assert in_force(council).id == SHIPPED
    fitting = "[{'key': 'expert_panel_min', 'value': '7'}, {'key': 'expert_panel_size', 'value': '9'}]"
    council.act("管理员", incidents.correct, incident["id"], "values", fitting, "一并提高")
    council.act("管理员", incidents.retry, incident["id"])
    assert council.row(case)["outcome"] == "adopted"
    assert in_force(council).values["expert_panel_min"] == 7


def test_a_value_that_leaves_a_table_with_a_gap_is_refused_with_the_table_and_the_value(council: Office) -> None:
    council.deploy(package("tiered", FIRST_TIER))
    adopted(council, THRESHOLDS)
    [incident] = council.look(incidents.standing_still)
    for said in (incident["zh"], incident["en"]):
        assert "按金额定档" in said and "tier_thresholds_fen = [200000000, 500000000, 1000000000]" in said
        assert "max(approval_amount_fen, aggregate_fen) = 100000000" in said
    assert in_force(council).id == SHIPPED


def test_a_list_too_short_for_a_table_is_refused(council: Office) -> None:
    adopted(council, [{"key": "tier_thresholds_fen", "value": "200000000, 500000000"}])
    [incident] = council.look(incidents.standing_still)
    assert "按金额定档" in incident["zh"]


def test_a_table_is_judged_with_the_values_in_force_and_with_those_adopted_for_later(council: Office) -> None:
    table = package("tiered", FIRST_TIER)
    day = council.clock().date() + timedelta(days=5)
    council.deploy(table, package("tiered"))
    adopted(council, THRESHOLDS, day)
    with pytest.raises(Unfit) as unfit:
        council.deploy(table)
    [finding] = [each for each in unfit.value.findings if each.severity == "error"]
    assert finding.code == "table-gap" and str(day) in finding.text.zh and str(day) in finding.text.en
    council.later(days=5)
    with pytest.raises(Unfit) as unfit:
        council.deploy(table)
    assert [each.code for each in unfit.value.findings if each.severity == "error"] == ["table-gap"]


def test_a_set_cannot_take_effect_before_one_that_is_adopted_already_nor_in_the_past(council: Office) -> None:
    today = council.clock().date()
    adopted(council, THRESHOLDS, today + timedelta(days=30))
    adopted(council, [{"key": "consent_days", "value": "12"}], today)
    [incident] = council.look(incidents.standing_still)
    assert str(today + timedelta(days=30)) in incident["zh"]
    day = f"date('{today + timedelta(days=30)}')"
    council.act("管理员", incidents.correct, incident["id"], "effective_from", day, "同日生效")
    council.act("管理员", incidents.retry, incident["id"])
    council.later(days=40)
    both = in_force(council)
    assert both.values["consent_days"] == 12 and both.adopted.keys() == {"consent_days", "tier_thresholds_fen"}
    adopted(council, [{"key": "consent_days", "value": "13"}], today)
    assert in_force(council).effective_from == council.clock().date()


def test_a_case_is_not_moved_to_a_version_that_its_own_parameters_do_not_fit(council: Office) -> None:
    other = {"below_valuation": False, "overseas": False, "related_party": False, "mode": "transfer"}
    case = council.act("甲", cases.start, "tiered", {"approval_amount_fen": 500, "aggregate_fen": 0, **other})
    adopted(council, THRESHOLDS)
    [new] = council.deploy(package("tiered", ("approval_tier.dmn", FIRST_TIER[1], "&lt; 200_000_000")))
    [obstacle] = council.look(migration.obstacles, case, new.id, {})
    assert SHIPPED in obstacle.zh and "200000000" not in obstacle.zh and "100000000" in obstacle.zh
    refusal = council.refused("制度员", migration.migrate, case, new.id)
    assert isinstance(refusal, WrongState)


def test_of_sets_adopted_at_once_each_builds_on_the_one_before(council: Office) -> None:
    keys = ("consent_days", "correction_days", "acceptance_days", "objection_reply_days")
    drafts = [draft(council, [{"key": key, "value": "7"}]) for key in keys]
    items = [council.item(case, "consent") for case in drafts]
    agreed = {"agreed": True}
    found = at_once([lambda item=item: council.act("负责人", cases.complete, item, agreed) for item in items])  # type: ignore[misc]
    assert sorted(found) == sorted(drafts)
    now = in_force(council)
    assert {key: now.values[key] for key in keys} == dict.fromkeys(keys, 7)
    assert now.number == 1 + len(keys) and now.adopted.keys() == set(keys)
    assert council.sound()


def test_deploying_the_library_again_changes_no_value_and_adds_only_what_is_missing(council: Office) -> None:
    adopted(council, THRESHOLDS)
    later = council.clock().date() + timedelta(days=5)
    adopted(council, [{"key": "consent_days", "value": "12"}], later)
    before = in_force(council)
    with council.database.work(SYSTEM) as work:
        shipped = Library.standing().vocabulary().values
        parameter_sets.seed_shipped(work, shipped)
        assert len(parameter_sets.all_sets(work)) == before.number + 1
        parameter_sets.seed_shipped(work, {**shipped, "brand_new_days": 4})
    now = in_force(council)
    assert now.values == {**before.values, "brand_new_days": 4} and now.adopted == before.adopted
    council.later(days=5)
    last = in_force(council)
    assert last.values == {**now.values, "consent_days": 12} and last.adopted.keys() == {*now.adopted, "consent_days"}
    assert council.sound()


def test_the_command_line_shows_every_set_with_what_its_values_rest_on(council: Office) -> None:
    case = adopted(council, THRESHOLDS)
    shipped, own = json.loads(done(council.url, "parameters", "show", "--json"))
    assert (shipped["id"], shipped["adopted_by"], own["adopted_by"]) == (SHIPPED, None, council.row(case)["number"])
    values = {each["key"]: each for each in own["values"]}
    tiers = values["tier_thresholds_fen"]
    assert tiers["value"] == [200_000_000, 500_000_000, 1_000_000_000] and tiers["unit"] == "fen"
    assert tiers["label"]["en"] == f"rule of the institution ({own['id']})"
    assert values["reward_min_bp"]["floor"] == 5000 and values["reward_min_bp"]["origin"] == "law"
    assert values["consent_days"]["label"]["zh"] == "示例默认值，各单位须自行设定"
    said = done(council.url, "parameters", "show")
    assert "tier_thresholds_fen  2,000,000.00 元、5,000,000.00 元、10,000,000.00 元" in said
    assert "consent_days  10 日  示例默认值，各单位须自行设定" in said


def test_an_expression_tells_what_a_value_of_its_case_rests_on(council: Office) -> None:
    old = council.start()
    adopted(council, THRESHOLDS)
    new = council.start(contract_no="HT-2")

    def label(case: str) -> Any:
        with cases.acting(council.database, council.who["管理员"]) as work:
            return open_desk(work, case).functions["parameter_label"]("tier_thresholds_fen")

    assert label(old) == "示例默认值，各单位须自行设定"
    assert label(new) == f"本单位规定（{in_force(council).id}）"
