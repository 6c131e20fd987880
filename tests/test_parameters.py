"""Configurable values: what each may be, by its kind and its bounds, and what an owner's copy may say of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.library import Library
from engine.parameter_file import read_parameters
from engine.parameters import ORIGINS, NotFit, Parameter, fit, judge_together
from forms.words import Unfit

KNOWN = Library.standing().vocabulary().parameters

ROW = """
- key: {key}
  kind: {kind}
  value: {value}
  unit: "{unit}"
  origin: {origin}
  zh: 一项参数
  en: A parameter
"""


def row(key: str = "days", value: str = "5", *more: str, kind: str = "integer", unit: str = "cd") -> str:
    """The row of a parameter as an owner writes it."""
    origin = "" if any(each.startswith("origin:") for each in more) else "origin: default"
    text = ROW.format(key=key, kind=kind, value=value, unit=unit, origin="default")
    if not origin:
        text = text.replace("  origin: default\n", "")
    return text + "".join(f"  {each}\n" for each in more)


def refused(*rows: str) -> list[str]:
    """The codes of what is wrong with a file of these rows."""
    with pytest.raises(Unfit) as unfit:
        read_parameters("".join(rows), "parameters.yaml", KNOWN)
    assert all(each.line and each.text.zh and each.text.en for each in unfit.value.findings)
    return [each.code for each in unfit.value.findings]


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("consent_days", "12", 12),
        ("consent_days", 12, 12),
        ("reward_min_bp", " 5000 ", 5000),
        ("publicise_market_result", "否", False),
        ("publicise_market_result", "TRUE", True),
        ("publicise_market_result", False, False),
        ("quorum_ratio", "3/4", "3/4"),
        ("tier_thresholds_fen", "100, 200，300", [100, 200, 300]),
        ("tier_thresholds_fen", "[100 200]", [100, 200]),
        ("tier_thresholds_fen", [100, 200], [100, 200]),
        ("expert_panel_size", "7", 7),
        ("correction_rounds", "0", 0),
    ],
)
def test_a_value_may_come_as_text_or_as_itself(key: str, given: Any, meant: Any) -> None:
    found = fit(KNOWN, key, given)
    assert found == meant and type(found) is type(meant)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("gone", 1),
        (None, 1),
        ("consent_days", ""),
        ("consent_days", None),
        ("consent_days", "1.5"),
        ("consent_days", True),
        ("consent_days", "0"),
        ("consent_days", -1),
        ("consent_days", 10**9),
        ("reward_min_bp", "4999"),
        ("reward_min_bp", "10001"),
        ("profit_reward_years", 4),
        ("use_right_min_years", 9),
        ("publicity_days_pricing", 14),
        ("publicity_days_reward", 14),
        ("use_before_pay_min_months", 11),
        ("expert_panel_min", 1),
        ("expert_panel_min", 4),
        ("expert_panel_size", 6),
        ("publicise_market_result", "maybe"),
        ("publicise_market_result", 1),
        ("quorum_ratio", "3/2"),
        ("quorum_ratio", "1/0"),
        ("quorum_ratio", "0.5"),
        ("tier_thresholds_fen", ""),
        ("tier_thresholds_fen", "300, 200"),
        ("tier_thresholds_fen", "200, 200"),
        ("tier_thresholds_fen", "0, 200"),
        ("tier_thresholds_fen", [100, "many"]),
    ],
)
def test_what_a_parameter_may_not_be_is_said_in_both_languages(key: Any, given: Any) -> None:
    with pytest.raises(NotFit) as not_fit:
        fit(KNOWN, key, given)
    assert not_fit.value.text.zh and not_fit.value.text.en and str(key) in not_fit.value.text.zh


def test_nobody_changes_what_law_or_policy_fixes_not_even_to_what_it_is() -> None:
    fixed = [each for each in KNOWN.values() if each.fixed]
    assert {each.key for each in fixed} == {
        "contract_review_days", "large_contract_threshold_fen", "contract_outer_limit_days", "idle_years",
        "tto_fund_cap_fen", "poc_fund_cap_fen", "tto_annual_filing_due", "annual_report_due", "disqualification_years",
        "fine_multiplier", "fine_no_gain",
    }  # fmt: skip
    for each in fixed:
        assert each.origin in {"law", "policy"} and each.source
        with pytest.raises(NotFit, match="fixed by"):
            fit(KNOWN, each.key, each.value)


def test_every_value_says_what_it_rests_on_and_a_default_is_never_called_law() -> None:
    assert all(each.origin in ORIGINS and each.about.zh and each.about.en for each in KNOWN.values())
    assert all(each.source for each in KNOWN.values() if each.origin in {"law", "policy"})
    assert "示例" in ORIGINS["default"].zh and "illustrative" in ORIGINS["default"].en
    assert not {each.key for each in KNOWN.values() if each.floor is not None} & {"tier_thresholds_fen"}


def test_values_are_said_with_their_units() -> None:
    def said(key: str) -> tuple[str, str]:
        text = KNOWN[key].said(KNOWN[key].value)
        return text.zh, text.en

    assert said("large_contract_threshold_fen") == ("30,000,000.00 元", "30,000,000.00 yuan")
    assert said("tier_thresholds_fen")[0] == "1,000,000.00 元、5,000,000.00 元、10,000,000.00 元"
    assert said("contract_review_days") == ("10 个工作日", "10 working days")
    assert said("reward_min_bp") == ("70%", "70%")
    assert said("publicise_market_result") == ("是", "yes")
    assert said("annual_report_due")[0] == "unit 03-30、department 04-30"
    assert KNOWN["reward_min_bp"].bound.zh == "不得低于 50%"
    assert KNOWN["large_contract_threshold_fen"].bound.en == "fixed; turnover strictly above it"


def test_a_value_may_have_to_reach_another() -> None:
    values = {key: each.value for key, each in KNOWN.items()}
    judge_together(KNOWN, values)
    with pytest.raises(NotFit, match="expert_panel_size is at least expert_panel_min"):
        judge_together(KNOWN, {**values, "expert_panel_min": 7})
    judge_together(KNOWN, {**values, "expert_panel_min": 7, "expert_panel_size": 7})


def test_a_month_and_day_is_one_of_the_calendar() -> None:
    due = Parameter("due", "03-31", "month_day", "month-day", "default", "", KNOWN["consent_days"].about)
    assert fit({"due": due}, "due", "12-31") == "12-31"
    for wrong in ("02-30", "13-01", "3-1", date(2026, 3, 1)):
        with pytest.raises(NotFit):
            fit({"due": due}, "due", wrong)


def test_a_file_is_refused_with_every_line_that_is_wrong() -> None:
    found = read_parameters(row(), "parameters.yaml", KNOWN)
    assert found["days"].value == 5 and found["days"].bound.zh == ""
    assert refused(row(kind="length")) == ["parameter"]
    assert refused(row(unit="parsecs"), row("other", "0")) == ["parameter"]
    assert refused(row(value="0"), row("other", '"5"')) == ["parameter-value", "parameter-value"]
    assert refused(row("a", "5", "floor: 6")) == ["parameter-value"]
    assert refused(row("a", "5", "not_below: nothing")) == ["parameter"]
    assert refused(row("a", "5", "flor: 6")) == ["unknown-attribute"]


def test_an_owners_copy_may_bind_a_value_more_but_never_less() -> None:
    source = 'source: "003 第十二条"'

    def reward(*more: str, value: str = "7000") -> str:
        return row("reward_min_bp", value, "origin: law", source, *more, unit="bp")

    assert read_parameters(reward("floor: 6000"), "parameters.yaml", KNOWN)["reward_min_bp"].floor == 6000
    assert read_parameters(reward("fixed: true"), "parameters.yaml", KNOWN)["reward_min_bp"].fixed
    assert refused(reward()) == refused(reward("floor: 4000")) == ["parameter-bound"]
    assert refused(row("reward_min_bp", "7000", "floor: 5000", unit="bp")) == ["parameter-bound"]
    review = row("contract_review_days", "12", "origin: policy", 'source: "002 §六"', "fixed: true", unit="wd")
    assert refused(review) == ["parameter-bound"]
    assert read_parameters(row("consent_days", "3"), "parameters.yaml", KNOWN)["consent_days"].value == 3
