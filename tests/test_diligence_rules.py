"""What the diligence review computes and refuses, against a second, plain statement of the same rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from itertools import product
from statistics import median
from typing import Any

import pytest

from bpmn.reader import read_diagram
from engine.gate import read_package
from engine.library import Library
from engine.scenario_file import read_scenario
from engine.worldly import PURE, fact_label
from forms.answer import World, check
from forms.expressions import compile_script
from forms.values import PersonRef

PACKAGE = Library.standing().package("diligence_exemption_review")
DIAGRAM = read_diagram(PACKAGE.files["process.bpmn"], "process.bpmn")
CONTENTS = read_package(PACKAGE)[0]
DUTIES = ("democratic_decision", "info_publicity", "reasonable_care", "supervision")
STATES = ("not_met", "partly", "met")
STATUSES = ("present", "late", "missing", "disputed", "not_applicable")
CONCLUSIONS = ("not_exempt", "rectify_then_exempt", "exempt", "no_case")


def run(element: str, names: Mapping[str, Any], **functions: Callable[..., Any]) -> dict[str, Any]:
    """The variables after a script task of the diagram, from these before it."""
    table = dict(names)
    for line in compile_script(DIAGRAM.elements[element].script or ""):
        table[line.name] = line.expression.value(table, {**PURE, **functions})
    return table


def refused(form: str, answer: Mapping[str, Any], names: Mapping[str, Any]) -> set[str]:
    """The fields at which a form refuses an answer, of those that were given."""
    assert CONTENTS is not None
    people = {"people": lambda role: [PersonRef("p-1")], "has_role": lambda person, role: True}
    functions: dict[str, Any] = {**PURE, **people, "rounds": lambda element: 0, "fact_label": lambda code: code}
    world = World(names=names, functions=functions, people=lambda person: True)
    found = check(CONTENTS.forms[form], answer, world)
    return {problem.code for problem in found.problems} & answer.keys()


# The duties: by the facts, by the panel, the lower of both.


@pytest.mark.parametrize("seed", range(60))
def test_a_duty_is_the_lower_of_what_its_facts_show_and_the_median_of_the_panel(seed: int) -> None:
    draw = random.Random(seed)
    computed = {duty: draw.choice(STATES) for duty in DUTIES}
    panel = [{duty: draw.choice(STATES) for duty in DUTIES} for _ in range(draw.choice((3, 5, 7)))]
    names: dict[str, Any] = {
        "computed": computed,
        "panel_opinions": [
            {"duties": [{"duty": duty, "met": met} for duty, met in draw.sample([*each.items()], 4)]} for each in panel
        ],
        "nl_hits": [{"severity": draw.choice(("minor", "serious"))} for _ in range(draw.choice((0, 0, 1)))],
        "finding": "none",
        "pricing_mode": draw.choice((None, "listing", "auction", "agreement")),
        "agreed_price_publicised": draw.random() < 0.5,
    }
    after = run("weigh_opinions", names)
    lower = {
        duty: STATES[min(STATES.index(computed[duty]), int(median(STATES.index(each[duty]) for each in panel)))]
        for duty in DUTIES
    }
    assert after["duties"] == lower
    serious = any(hit["severity"] == "serious" for hit in names["nl_hits"])
    priced = names["pricing_mode"] != "agreement" or names["agreed_price_publicised"]
    allowed = set(lower.values()) == {"met"} and not serious and priced
    assert after["exempt_allowed"] is allowed
    below = "rectify_then_exempt" if not serious and "not_met" not in lower.values() else "not_exempt"
    assert after["proposal"] == ("exempt" if allowed else below)


@pytest.mark.parametrize("pricing", [None, "listing", "auction", "agreement"])
@pytest.mark.parametrize("publicised", [True, False])
def test_with_all_duties_met_only_an_agreed_price_must_have_been_publicised(
    pricing: str | None, publicised: bool
) -> None:
    opinion = {"duties": [{"duty": duty, "met": "met"} for duty in DUTIES]}
    names = {
        "computed": dict.fromkeys(DUTIES, "met"), "panel_opinions": [opinion] * 3, "nl_hits": [], "finding": "none",
        "pricing_mode": pricing, "agreed_price_publicised": publicised,
    }  # fmt: skip
    after = run("weigh_opinions", names)
    assert after["exempt_allowed"] is (pricing != "agreement" or publicised)


def row_of(fact: str, duty: str, status: str, *, hard: bool = True, best: str = "present") -> dict[str, Any]:
    """A row of the gap check."""
    return {"fact": fact, "duty": duty, "hard": hard, "best": best, "status": status, "note": None}


def weighed(rows: list[dict[str, Any]], items: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What a gap check gives, of facts of one duty."""
    return run("weigh_gaps", {"gap_rows": rows, "gap_check": {"items": items}})


@pytest.mark.parametrize(("status", "hard"), list(product(STATUSES, (True, False))))
def test_only_hard_facts_lower_a_duty(status: str, hard: bool) -> None:
    after = weighed([row_of("F-DD-05", "democratic_decision", status, hard=hard)])
    worse = {"missing": "not_met", "disputed": "not_met", "late": "partly"}.get(status, "met") if hard else "met"
    assert after["computed"] == {**dict.fromkeys(DUTIES, "met"), "democratic_decision": worse}


def test_a_soft_fact_that_was_never_left_asks_for_no_supplement_and_one_the_officer_misses_does() -> None:
    row = row_of("F-RC-04", "reasonable_care", "missing", hard=False, best="missing")
    assert weighed([row])["open_gaps"] == []
    assert weighed([row], [{"fact": "F-RC-04", "status": "disputed", "note": None}])["open_gaps"] == ["F-RC-04"]
    assert weighed([{**row, "best": "present"}])["open_gaps"] == ["F-RC-04"]
    assert weighed([{**row, "hard": True}])["open_gaps"] == ["F-RC-04"]


def test_what_is_supplied_is_late_and_stays_late_at_best() -> None:
    row = {**row_of("F-PB-06", "info_publicity", "disputed"), "note": "?"}
    file = {"fact": "F-PB-06", "file": None, "origin": None, "reason": "当时未归档"}
    names = {"gap_rows": [row], "supplements": [], "supplement_round": 0, "supplement_evidence": {"items": [file]}}
    after = run("note_supplements", {**names, "today": None})
    [kept] = after["gap_rows"]
    assert (kept["status"], kept["best"], kept["note"]) == ("late", "late", "?")
    assert (after["supplement_round"], after["supplements"][0]["late"]) == (1, True)
    empty = run("note_supplements", {**names, "today": None, "supplement_evidence": {"items": None}})
    assert (empty["gap_rows"], empty["supplement_round"]) == ([row], 1)


def test_facts_of_several_steps_and_cases_are_one_row_the_worst_of_the_hard_ones() -> None:
    def fact(status: str, *, hard: bool = True, code: str = "F-RC-04") -> dict[str, Any]:
        return {"fact": code, "duty": "reasonable_care", "status": status, "hard": hard, "element": "x", "case": "y"}

    compiled = {
        "chain_ok": True, "missing": [], "late": [], "agreed_price_publicised": False, "mode": None,
        "pricing_mode": None, "persons": [],
        "facts": [
            fact("present"), fact("late"), fact("missing", hard=False),
            fact("missing", code="F-RC-05"), fact("present", code="F-RC-05"),
        ],
    }  # fmt: skip
    target = {"number": "ZH-1", "title": "一项成果", "variables": {}}
    names = {"compiled": compiled, "target_instances": ["ZH-1"], "persons_reviewed": [], "applicant": PersonRef("p-1")}
    table = run("read_trail", names, case_of=lambda case: target)
    assert [(row["fact"], row["status"], row["hard"]) for row in table["gap_rows"]] == [
        ("F-RC-04", "late", True),
        ("F-RC-05", "missing", True),
    ]


# What the forms refuse.


@pytest.mark.parametrize(
    ("best", "status", "hard"), list(product(("present", "late", "missing"), STATUSES, (True, False)))
)
def test_a_fact_may_be_put_worse_than_the_trail_and_never_better(best: str, status: str, hard: bool) -> None:
    rank = {"present": 2, "late": 1, "missing": 0, "disputed": 0}
    accepted = not hard if status == "not_applicable" else rank[status] <= rank[best]
    rows = [{"fact": "F-DD-05", "hard": hard, "best": best, "status": best, "note": None}]
    names = {"gap_rows": rows, "target_titles": [], "question_raised": "", "supplement_round": 0, "supplements": [],
             "params": {"supplement_rounds": 2}}  # fmt: skip
    answer = {"items": [{"fact": "F-DD-05", "status": status}]}
    assert refused("gap_check", answer, names) == (set() if accepted else {"items"})


def test_a_gap_check_names_each_fact_of_the_trail_once_and_no_other() -> None:
    rows = [{"fact": "F-DD-05", "hard": True, "best": "present", "status": "present", "note": None}]
    row = {"fact": "F-DD-05", "status": "missing"}
    assert refused("gap_check", {"items": [row, row]}, {"gap_rows": rows}) == {"items"}
    assert refused("gap_check", {"items": [{"fact": "F-DD-06", "status": "missing"}]}, {"gap_rows": rows}) == {"items"}
    assert refused("gap_check", {"items": []}, {"gap_rows": rows}) == set()


@pytest.mark.parametrize(("conclusion", "proposal"), list(product(CONCLUSIONS, CONCLUSIONS[:3])))
def test_no_conclusion_is_above_the_proposal(conclusion: str, proposal: str) -> None:
    at_most = {"exempt": 2, "no_case": 2, "rectify_then_exempt": 1, "not_exempt": 0}
    names = {"proposal": proposal, "trigger": "value_change", "decision_reasons": [], "factless": []}
    answer = {"conclusion": conclusion, "reason": "经评议作出本结论"}
    accepted = at_most[conclusion] <= at_most[proposal]
    assert refused("panel_conclusion", answer, names) == (set() if accepted else {"conclusion"})


@pytest.mark.parametrize("trigger", ["value_change", "investment_loss", "audit_query", "complaint", "periodic"])
@pytest.mark.parametrize("basis", ["art19_pricing", "art19_investment_loss", "unit_rules"])
def test_article_19_is_the_basis_only_for_what_it_speaks_of(trigger: str, basis: str) -> None:
    wanted = {"art19_pricing": "value_change", "art19_investment_loss": "investment_loss"}
    names = {"proposal": "exempt", "trigger": trigger, "decision_reasons": [], "factless": []}
    rules = {"basis_reference": "本单位细则"} if basis == "unit_rules" else {}
    answer = {"conclusion": "exempt", "exemption_basis": basis, **rules}
    accepted = wanted.get(basis, trigger) == trigger
    assert refused("panel_conclusion", answer, names) == (set() if accepted else {"exemption_basis"})


def test_a_lower_conclusion_needs_its_reason() -> None:
    names = {"proposal": "exempt", "trigger": "value_change", "decision_reasons": [], "factless": []}
    assert refused("panel_conclusion", {"conclusion": "not_exempt", "reason": None}, names) == {"reason"}
    computed = {"conclusion": "exempt", "exemption_basis": "art19_pricing", "reason": None}
    assert refused("panel_conclusion", computed, names) == set()


@pytest.mark.parametrize(
    ("panel", "chair", "fields"),
    [
        ("abc", "a", set()),
        ("abcde", "e", set()),
        ("ab", "a", {"panel"}),
        ("abcd", "a", {"panel"}),
        ("a", "a", {"panel"}),
        ("abx", "a", {"panel"}),
        ("abc", "d", {"chair"}),
    ],
)
def test_a_panel_is_odd_three_or_more_and_none_of_those_who_stand_aside(
    panel: str, chair: str, fields: set[str]
) -> None:
    names = {"barred": [PersonRef("x")], "reconsidered": False, "target_titles": []}
    assert refused("appoint_panel", {"panel": list(panel), "chair": chair}, names) == fields


@pytest.mark.parametrize(
    ("row", "accepted"),
    [
        ({"code": "NL-01", "hit": True, "severity": "serious"}, True),
        ({"code": "NL-01", "hit": True, "severity": "none"}, False),
        ({"code": "NL-01", "hit": False, "severity": "minor"}, False),
        ({"code": "NL-01", "hit": False, "severity": "none"}, True),
        ({"code": "NL-99", "hit": True, "severity": "minor"}, False),
    ],
)
def test_an_item_of_the_negative_list_that_is_hit_has_a_severity(row: dict[str, Any], accepted: bool) -> None:
    item = {"code": "NL-01", "item": "未公示", "area": "公示", "origin": "002"}
    names = {"negative_list": [item], "gap_rows": [], "pricing_mode": None, "target_titles": []}
    assert refused("negative_list_check", {"items": [row]}, names) == (set() if accepted else {"items"})


def test_a_fact_is_called_by_its_name_and_an_unknown_one_by_its_code() -> None:
    assert (fact_label("F-DD-05"), fact_label("F-XX-99")) == ("会议纪要", "F-XX-99")


def test_every_policy_case_of_the_review_is_there_as_a_worked_case() -> None:
    ids = {read_scenario(text.decode(), path).id for path, text in PACKAGE.scenarios().items()}
    assert {"P3-01", "P3-02", "P3-03", "P3-04", "P3-05", "P3-08"} <= ids
    assert len(ids) == len(PACKAGE.scenarios())
