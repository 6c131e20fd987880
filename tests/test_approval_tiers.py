"""The decision tables of the approval tiers (domain 2.3.3): alone, in a process, and exchanged for another's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bpmn.dmn import read_tables
from bpmn.dmn_coverage import gaps_and_overlaps
from bpmn.dmn_table import Undecided
from engine import cases, inbox, incidents
from engine.definitions import current
from engine.library import Library, Package
from engine.trail.words import Speaker
from forms.values import Value
from forms.words import Unfit
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]

HERE = Path(__file__).parent
TIERS = Library.standing().package("sub_collective_decision").files["approval_tier.dmn"]
YANGTZE = (HERE / "tables" / "yangtze.dmn").read_bytes()
PARAMETERS = Library.standing().vocabulary().values
ORDINARY: Mapping[str, Any] = {
    "params": PARAMETERS, "approval_amount_fen": 0, "aggregate_fen": 0, "mode": "transfer", "licence_kind": None,
    "below_valuation": False, "overseas": False, "related_party": False, "appeal_of": None,
    "subject_kind": "conversion", "leaders_reviewed": False,
}  # fmt: skip
LEVELS = ["dept_head", "tto_director", "vice_president", "president_meeting", "party_committee"]


def tier(file: bytes, **names: Value) -> tuple[int | None, list[str]]:
    value = read_tables(file, "tiers.dmn")["dmn_approval_tier"].decide({**ORDINARY, **names}, {}).value
    assert isinstance(value, dict)
    return value["tier"], value["chain"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"approval_amount_fen": 99_999_999, "mode": "licence", "licence_kind": "plain"}, 1),  # P2-01
        ({"approval_amount_fen": 100_000_000}, 2),  # P2-02
        ({"approval_amount_fen": 499_999_999}, 2),  # P2-03
        ({"approval_amount_fen": 500_000_000}, 3),  # P2-03
        ({"approval_amount_fen": 999_999_999}, 3),
        ({"approval_amount_fen": 1_000_000_000}, 4),  # P2-04
        ({"approval_amount_fen": 60_000_000, "mode": "equity_investment"}, 3),  # P2-06
        ({"approval_amount_fen": 20_000_000, "mode": "licence"}, 1),  # P2-13
        ({"approval_amount_fen": 0}, 1),
        ({"approval_amount_fen": 1, "aggregate_fen": 500_000_000}, 3),
        ({"mode": "empowerment"}, 2),
        ({"below_valuation": True}, 3),
        ({"overseas": True}, 3),
        ({"mode": "licence", "licence_kind": "exclusive"}, 2),
        ({"mode": "licence", "licence_kind": "exclusive", "approval_amount_fen": 1}, 1),
        ({"related_party": True}, 2),
        ({"related_party": True, "overseas": True}, 3),
        ({"approval_amount_fen": 100_000_000, "related_party": True, "appeal_of": "C-1"}, 4),
        ({"approval_amount_fen": 1_000_000_000, "related_party": True, "appeal_of": "C-1"}, 4),
    ],
)  # fmt: skip
def test_the_tier_of_the_domain(names: dict[str, Value], expected: int) -> None:
    assert tier(TIERS, **names) == (expected, LEVELS[: expected + 1])


@pytest.mark.parametrize(
    ("amount_fen", "expected"),
    [
        (0, "tto_director"),
        (200_000_000, "tto_director"),
        (200_000_001, "vice_president"),
        (499_999_999, "vice_president"),
        (500_000_000, "president_meeting"),
    ],
)
def test_the_second_table_can_take_its_place(amount_fen: int, expected: str) -> None:
    assert tier(YANGTZE, approval_amount_fen=amount_fen)[1] == [expected]


@pytest.mark.parametrize("file", [TIERS, YANGTZE])
def test_both_are_total_and_do_not_overlap(file: bytes) -> None:
    for each in set(read_tables(file, "tiers.dmn").values()):
        assert gaps_and_overlaps(each, PARAMETERS) == []


@pytest.mark.parametrize(
    ("subject_kind", "leaders_reviewed", "expected"),
    [
        ("parameters", False, ["president_meeting"]),
        ("parameters", True, ["president_meeting"]),
        ("diligence", False, ["president_meeting"]),
        ("diligence", True, ["competent_department"]),
    ],
)
def test_what_has_no_amount_has_no_tier(subject_kind: str, leaders_reviewed: bool, expected: list[str]) -> None:
    about: dict[str, Value] = {"subject_kind": subject_kind, "leaders_reviewed": leaders_reviewed}
    assert tier(TIERS, **about, approval_amount_fen=10**10) == (None, expected)


@pytest.mark.parametrize("subject_kind", ["exercise", "long_stop", "breach", "extension", "empowerment"])
def test_empowerments_are_never_decided_below_the_second_tier(subject_kind: str) -> None:
    assert tier(TIERS, subject_kind=subject_kind, mode="empowerment") == (2, LEVELS[:3])


def test_a_negative_amount_is_no_amount() -> None:
    with pytest.raises(Undecided, match="-1 is not allowed, only >= 0"):
        tier(TIERS, approval_amount_fen=-1, aggregate_fen=-1)


# In a process.

ANSWER: Mapping[str, Any] = {
    name: ORDINARY[name] for name in ("aggregate_fen", "mode", "below_valuation", "overseas", "related_party")
}


def started(office: Office, amount_fen: int, **answer: Any) -> str:
    """A case of the process whose approvers the table chooses."""
    given = {**ANSWER, "approval_amount_fen": amount_fen, **answer}
    return str(office.act("甲", cases.start, "tiered", given))


def approvers(office: Office, case: str) -> list[str]:
    """Let everybody agree, and say as which role they were asked, in order."""
    asked: list[str] = []
    while row := office.look(inbox.open_elements, case).get("approve"):
        role = str(row["roles"]).strip("|")
        office.act(role, cases.complete, str(row["id"]), {"agree": True})
        asked.append(role)
    return asked


@pytest.fixture
def tiered(office: Office) -> Office:
    """An office with somebody for each level, in which the process is deployed."""
    for level in LEVELS:
        office.hire(level, level)
    office.deploy(package("tiered"))
    return office


@pytest.mark.parametrize(
    ("amount_fen", "answer", "expected"),
    [
        (99_999_999, {"mode": "licence", "licence_kind": "plain"}, 1),
        (100_000_000, {}, 2),
        (500_000_000, {}, 3),
        (1_000_000_000, {}, 4),
        (60_000_000, {"mode": "equity_investment"}, 3),
    ],
)
def test_the_levels_that_the_table_names_decide_one_after_the_other(
    tiered: Office, amount_fen: int, answer: dict[str, Any], expected: int
) -> None:
    case = started(tiered, amount_fen, **answer)
    assert approvers(tiered, case) == LEVELS[: expected + 1]
    assert tiered.row(case)["outcome"] == "approved"
    assert tiered.sound()


def test_the_trail_tells_table_rules_inputs_and_result(tiered: Office) -> None:
    case = started(tiered, 500_000_000)
    made = [body for body in tiered.bodies(case) if body["type"] == "decision.made"]
    assert [body["data"]["table"] for body in made] == ["tier_by_amount", "tier_floor", "dmn_approval_tier"]
    assert [body["data"]["rules"] for body in made] == [[3], [], [3]]
    assert made[0]["data"]["values"] == [{"name": "max(approval_amount_fen, aggregate_fen)", "value": "500000000"}]
    assert made[1]["data"]["written"] == [{"name": "approval.tier_floor", "value": "1"}]
    [written] = made[2]["data"]["written"]
    assert written["name"] == "approval"
    assert '"tier":3' in written["value"] and '"party_committee"' not in written["value"]
    assert {body["process"]["element"] for body in made} == {"resolve"}
    assert {body["data"]["basis"] for body in made} == {"002 §二.2"}


def test_people_read_which_table_decided_by_which_rule(tiered: Office) -> None:
    case = started(tiered, 500_000_000)
    rows = [row for row in tiered.look(inbox.events, case) if row["kind"] == "decision.made"]
    deployed, vocabulary = tiered.look(current, "tiered"), Library.standing().vocabulary()
    said = Speaker("zh", {}, deployed, vocabulary).sentences(rows)
    assert [each.text for each in said] == [
        "“定档”按决策表“按金额定档”判定（规则 3），得出 approval.tier_by_amount",
        "“定档”按决策表“按情形定下限”判定（没有规则符合），得出 approval.tier_floor",
        "“定档”按决策表“审批档次与各级”判定（规则 3），得出 approval",
    ]
    assert not any(each.own or each.result for each in said)
    assert Speaker("en", {}, deployed, vocabulary).sentences(rows)[2].text == (
        "“Resolve”: the table “审批档次与各级” decided (rule 3), which gave approval"
    )


def test_a_changed_table_is_a_new_version_and_running_cases_keep_theirs(tiered: Office) -> None:
    before = started(tiered, 150_000_000)
    whole = package("tiered")
    [new] = tiered.deploy(Package("tiered", {**whole.files, "approval_tier.dmn": YANGTZE}))
    assert new.version == 2
    assert approvers(tiered, started(tiered, 150_000_000)) == ["tto_director"]
    assert approvers(tiered, before) == LEVELS[:3]
    assert tiered.sound()


def test_a_table_with_a_gap_at_a_million_yuan_is_not_deployed(office: Office) -> None:
    changes = ("approval_tier.dmn", "[params['tier_thresholds_fen'][0]..", "(params['tier_thresholds_fen'][0]..")
    before = office.state()
    with pytest.raises(Unfit) as unfit:
        office.deploy(package("tiered", changes))
    [finding] = unfit.value.findings
    assert (finding.file, finding.element) == ("approval_tier.dmn", "tier_by_amount")
    assert "max(approval_amount_fen, aggregate_fen) = 100000000" in finding.text.en
    assert office.state() == before


def test_a_table_without_a_result_is_an_incident_and_the_request_stands(tiered: Office) -> None:
    tiered.deploy(package("tiered", ("approval_tier.dmn", "&gt;= 0", "&gt;= 100")))
    case = started(tiered, 99)
    assert tiered.items(case) == {}
    (incident,) = tiered.look(incidents.standing_still, case)
    assert incident["element"] == "resolve"
    assert "max(approval_amount_fen, aggregate_fen) = 99" in incident["en"]
    assert "99 is not allowed, only >= 100" in incident["en"]
    tiered.act("管理员", incidents.correct, incident["id"], "approval_amount_fen", "100", "录入有误")
    assert tiered.act("管理员", incidents.retry, incident["id"]) is True
    assert approvers(tiered, case) == LEVELS[:2]
    assert tiered.sound()


def test_personal_inputs_and_what_they_lead_to_are_withheld(tiered: Office) -> None:
    code = "{code: approval_amount_fen, "
    personal = ("forms/request.yaml", code, f"{code}personal: true, ")
    tiered.deploy(package("tiered", personal, ("approval_tier.dmn", "&gt;= 0", "&gt;= 1_000_000_000")))
    case = started(tiered, 1_234_567_891)
    made = [body["data"] for body in tiered.bodies(case) if body["type"] == "decision.made"]
    assert {row["value"] for data in made for row in (*data["values"], *data["written"])} == {"withheld"}
    broken = started(tiered, 987_654_321)
    told = str([body["data"] for each in (case, broken) for body in tiered.bodies(each)])
    assert "incident.raised" in tiered.kinds(broken)
    assert "1234567891" not in told and "987654321" not in told
