"""The duty matrix: which facts of a case are there, late or missing, and how far they show the four duties."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import cases, incidents, items
from engine.trail import duties
from engine.trail.duties import duties_of, entries_in, facts_of, judged, matrix
from engine.trail.record import PASSED
from engine.worker import run_due
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]

PAPER = {"file": "minutes.txt", "data": "会议纪要".encode()}


@pytest.fixture
def diligent(office: Office) -> Office:
    """An office whose steps leave facts."""
    office.deploy(package("notice"), package("duty"))
    return office


def event(seq: int, kind: str, element: str = "a", **data: Any) -> dict[str, Any]:
    """A row of a trail, as it is stored."""
    body = {
        "seq": seq, "type": kind, "ts": "2026-03-02T01:00:00.000000Z", "actor": {"id": "p"}, "data": data,
        "process": {"key": "duty", "element": element},
    }  # fmt: skip
    return {"kind": kind, "element": element, "seq": seq, "body": json.dumps(body)}


def statuses(*events: dict[str, Any]) -> dict[str, str]:
    """The status of each fact that these events tell of."""
    return {each.fact: each.status for each in judged(entries_in(events))}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ([("step.passed", {"facts": ["F-DD-01"]})], "present"),
        ([("step.passed", {"gaps": ["F-DD-01"]})], "missing"),
        ([("step.skipped", {"missing": ["F-DD-01"]})], "missing"),
        ([("step.passed", {"facts": ["F-DD-01"]}), ("step.passed", {"gaps": ["F-DD-01"]})], "present"),
        ([("step.passed", {"facts": ["F-DD-01"]}), ("step.skipped", {"missing": ["F-DD-01"]})], "missing"),
        ([("step.passed", {"gaps": ["F-DD-01"]}), ("step.passed", {"facts": ["F-DD-01"]})], "present"),
        ([("step.skipped", {"missing": ["F-DD-01"]}), ("evidence.added", {"facts": ["F-DD-01"]})], "late"),
        ([("step.passed", {"gaps": ["F-DD-01"]}), ("task.completed", {"facts": ["F-DD-01"], "late": True})], "late"),
        ([("step.passed", {"facts": ["F-DD-01"]}), ("evidence.added", {"facts": ["F-DD-01"]})], "present"),
        ([("evidence.added", {"facts": ["F-DD-01"]}), ("step.passed", {"facts": ["F-DD-01"]})], "present"),
    ],
)
def test_the_status_of_a_fact_follows_from_the_order_of_what_is_told(
    told: list[tuple[str, dict[str, Any]]], status: str
) -> None:
    assert statuses(*[event(n, kind, **data) for n, (kind, data) in enumerate(told, 1)]) == {"F-DD-01": status}


@pytest.mark.parametrize(
    ("told", "met", "word"),
    [
        ({"facts": ["F-DD-01"]}, "met", "已落实"),
        ({"facts": ["F-DD-01"], "gaps": ["F-DD-02"]}, "met", "已落实"),
        ({"facts": ["F-DD-01"], "missing": ["F-DD-02"]}, "not_met", "缺失"),
        ({"facts": ["F-DD-01"], "late": True}, "partly", "部分落实"),
        ({"facts": ["F-GN-01"]}, "none", "不适用"),
    ],
)
def test_a_duty_is_met_unless_a_hard_fact_is_missing_or_a_fact_is_late(
    told: dict[str, Any], met: str, word: str
) -> None:
    democratic, *others = matrix(judged(entries_in([event(1, "task.completed", **told)])))
    assert (democratic.duty, democratic.status) == ("democratic_decision", met)
    assert duties.WORDS[met].zh == word
    assert {each.status for each in others} == {"none"}


def test_that_something_was_entered_late_is_itself_in_time() -> None:
    told = event(1, "task.completed", facts=["F-DD-01", "F-SV-11"], late=True)
    assert statuses(told) == {"F-DD-01": "late", "F-SV-11": "present"}


def test_every_kind_of_event_that_leaves_facts_is_read() -> None:
    for kind in PASSED | {"evidence.added", "deadline.passed"}:
        assert facts_in_one(kind) == {"F-DD-01": {"a"}}
    assert facts_in_one("comment.added") == {}


def facts_in_one(kind: str) -> dict[str, set[str]]:
    """The facts that one event of this kind leaves."""
    return duties.facts_in([event(1, kind, facts=["F-DD-01"])])


def test_the_facts_of_a_case_are_those_of_its_steps_and_of_the_processes_it_calls(diligent: Office) -> None:
    case = diligent.start("duty", check_file=PAPER)
    diligent.do(case, "decide", "登记员", body="meeting", minutes=PAPER)
    diligent.do(case, "announce", "登记员")
    found = {each.fact: each for each in diligent.look(duties.record, case)}
    assert {code: (each.status, each.hard) for code, each in found.items()} == {
        "F-DD-01": ("present", True), "F-DD-02": ("present", False), "F-DD-04": ("present", True),
        "F-DD-05": ("present", True), "F-PB-01": ("present", True), "F-PB-02": ("present", True),
        "F-PB-03": ("present", True), "F-RC-01": ("present", True), "F-RC-04": ("present", False),
        "F-RC-06": ("present", False),
    }  # fmt: skip
    announced = found["F-PB-01"].last
    assert (announced.element, announced.process, announced.person) == ("announce", "notice", diligent.who["登记员"])
    assert facts_of_(diligent, case)["F-PB-01"] == {"announce"}
    documents = {row["name"]: row["id"] for row in diligent.look(documents_of, case)}
    assert len(documents) == 1
    assert len(found["F-DD-05"].last.documents) == len(found["F-RC-04"].last.documents) == 1
    assert found["F-DD-05"].last.documents != found["F-RC-04"].last.documents
    assert found["F-DD-04"].last.documents == found["F-DD-05"].last.documents  # no field shows it: the whole answer
    assert found["F-DD-01"].last.documents == ()


def facts_of_(office: Office, case: str) -> dict[str, set[str]]:
    """What the case's trail holds."""
    found: dict[str, set[str]] = office.look(facts_of, case)
    return found


def documents_of(work: Any, case: str) -> Any:
    """The documents of a case."""
    from engine import inbox

    return inbox.documents(work, case)


def test_the_matrix_fills_as_the_case_goes_on(diligent: Office) -> None:
    case = diligent.start("duty")
    assert diligent.look(duties_of, case) == dict.fromkeys(duties.DUTIES, "met")
    before = {each.duty: each.status for each in matrix(diligent.look(duties.record, case))}
    assert before["info_publicity"] == "none"
    diligent.do(case, "decide", "登记员", comparables=None)
    diligent.do(case, "announce", "登记员")
    after = {each.duty: each for each in matrix(diligent.look(duties.record, case))}
    assert after["info_publicity"].status == "met"
    assert {each.fact: each.status for each in after["reasonable_care"].facts} == {
        "F-RC-01": "present", "F-RC-04": "missing", "F-RC-06": "missing",
    }  # fmt: skip
    diligent.later(days=40)
    run_due(diligent.database)
    rows = [{"fact": "F-RC-06", "reason": "当时未附"}]
    diligent.act("登记员", cases.complete, diligent.item(case, "complete_evidence"), {"items": rows})
    late = {each.duty: each.status for each in matrix(diligent.look(duties.record, case))}
    assert (late["reasonable_care"], late["supervision"]) == ("partly", "met")


def test_a_hard_fact_of_a_step_that_two_people_skip_is_missing(diligent: Office) -> None:
    case = diligent.start("duty", count=0)
    [incident] = diligent.look(incidents.standing_still, case)
    diligent.hire("管理员二", "sysadmin")
    for somebody in ("管理员", "管理员二"):
        diligent.act(somebody, incidents.skip, incident["id"], "无法计算")
    found = {each.fact: each.status for each in diligent.look(duties.record, case)}
    assert (found["F-DD-01"], found["F-DD-02"]) == ("missing", "missing")
    assert diligent.look(duties_of, case)["democratic_decision"] == "not_met"


def test_a_draft_leaves_no_facts(diligent: Office) -> None:
    case = diligent.start("duty")
    before = facts_of_(diligent, case)
    task = diligent.item(case, "decide")
    diligent.act("登记员", items.save_draft, task, {"body": "meeting", "minutes": PAPER})
    assert facts_of_(diligent, case) == before
