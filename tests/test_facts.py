"""Facts: what a step declares to leave, what the gate says of that, and what an answer leaves, lacks or must show."""

from __future__ import annotations

from typing import Any

import pytest

from bpmn.facts import Declared, declared
from bpmn.surroundings import Surroundings
from engine import cases, inbox
from engine.errors import Incident, Invalid
from engine.gate import check_package
from engine.library import Library
from engine.worker import run_due
from forms.form import read_form
from forms.words import Unfit
from tests.harness.gate import APPLY, END, START, gate
from tests.office import ANSWERS, Office, package

pytest_plugins = ["tests.furnished"]

PAPER = {"file": "minutes.txt", "data": "会议纪要".encode()}


@pytest.fixture
def diligent(office: Office) -> Office:
    """An office whose steps leave facts."""
    office.deploy(package("notice"), package("duty"))
    return office


def told(office: Office, case: str, kind: str = "task.completed") -> dict[str, Any]:
    """What the last event of this kind tells of facts."""
    data = [body["data"] for body in office.bodies(case) if body["type"] == kind][-1]
    return {name: data[name] for name in ("facts", "soft", "gaps", "missing", "late") if name in data}


# How they are declared.


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("F-RC-01", Declared(("F-RC-01",))),
        ("F-RC-01 F-RC-04?", Declared(("F-RC-01",), ("F-RC-04",))),
        ("F-RC-01,F-RC-02， F-RC-04？", Declared(("F-RC-01", "F-RC-02"), ("F-RC-04",))),
        ("=codes", Declared(expression="codes")),
        ("", Declared()),
    ],
)
def test_facts_are_codes_soft_ones_with_a_question_mark_or_an_expression(text: str, meant: Declared) -> None:
    assert declared(text) == meant


def findings(*changes: tuple[str, str, str]) -> list[tuple[str, str | None]]:
    """What the gate says of the package, changed so."""
    words = Library.standing().vocabulary()
    _, wrong = check_package(package("duty", *changes), words.roles, {}, words.values, words.facts)
    return [(each.code, each.element) for each in wrong if each.code != "unknown-process"]


def test_the_gate_takes_declared_facts() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("process.bpmn", "F-RC-01 F-RC-04?", "F-RC-99 F-RC-04?", ("unknown-fact", "propose")),
        ("process.bpmn", "F-RC-01 F-RC-04?", "F-RC-04 F-RC-04?", ("fact-twice", "propose")),
        ("process.bpmn", "F-RC-01 F-RC-04?", "F-RC-01", ("undeclared-fact", "propose")),
        ("process.bpmn", "=[row['fact'] for row in items]", "=[row['fact'] for row in itms]",
         ("unbrought-name", "complete_evidence")),
        ("process.bpmn", 'calledElement="notice"', 'calledElement="notice" policy:facts="F-PB-01"',
         ("misplaced-facts", "publish")),
        ("process.bpmn", 'policy:late="true"', 'policy:late="yes"', ("late", "complete_evidence")),
        ("forms/file.yaml", "required: true", "required: true, fact: F-SV-05", ("undeclared-fact", "file")),
    ],
)  # fmt: skip
def test_the_gate_refuses_what_no_step_could_keep(
    file: str, old: str, new: str, expected: tuple[str, str | None]
) -> None:
    assert findings((file, old, new)) == [expected]


def test_a_fact_belongs_where_something_is_passed() -> None:
    task = '<userTask id="apply" policy:assignee="applicant" policy:facts="F-RC-01"/>'
    end = '<endEvent id="e" policy:outcome="done" policy:facts="F-RC-01"/>'
    assert ("unknown-fact", "apply") in gate(START + task + END, "s -> apply\napply -> e")
    assert ("misplaced-facts", "e") in gate(START + APPLY + end, "s -> apply\napply -> e")
    assert Surroundings().facts == frozenset()


@pytest.mark.parametrize("fact", ["{a: b}", "[1]", "3"])
def test_the_fact_of_a_field_is_a_code_or_a_list_of_codes(fact: str) -> None:
    text = f"id: a\ntitle: {{zh: 甲}}\nfields:\n  - {{code: b, kind: text, label: {{zh: 乙}}, fact: {fact}}}\n"
    with pytest.raises(Unfit) as unfit:
        read_form(text, "a.yaml")
    assert [(each.code, each.line) for each in unfit.value.findings] == [("type", 4)]


def test_a_column_shows_no_fact() -> None:
    column = "{code: c, kind: text, label: {zh: 丙}, fact: F-RC-01}"
    table = f"  - {{code: b, kind: table, label: {{zh: 乙}}, fields: [{column}]}}\n"
    with pytest.raises(Unfit, match="fact"):
        read_form(f"id: a\ntitle: {{zh: 甲}}\nfields:\n{table}", "a.yaml")


# What an answer leaves.


def test_an_answer_leaves_what_its_fields_show_and_lacks_softly_what_they_leave_empty(diligent: Office) -> None:
    case = diligent.start("duty")
    assert told(diligent, case) == {"facts": ["F-RC-01"], "gaps": ["F-RC-04"]}
    shown = diligent.start("duty", check_file=PAPER)
    assert told(diligent, shown) == {"facts": ["F-RC-01", "F-RC-04"], "soft": ["F-RC-04"]}
    assert diligent.sound()


def test_a_field_that_is_not_shown_does_not_apply(diligent: Office) -> None:
    case = diligent.start("duty")
    diligent.do(case, "decide", "登记员", comparables=None)
    assert told(diligent, case) == {"facts": ["F-DD-04"], "gaps": ["F-RC-06"]}


def test_a_hard_fact_refuses_its_empty_field_by_name_and_nothing_changes(diligent: Office) -> None:
    case = diligent.start("duty")
    before = diligent.state()
    task = diligent.item(case, "decide")
    refusal = diligent.refused("登记员", cases.complete, task, {**ANSWERS["decide"], "body": "meeting"})
    assert isinstance(refusal, Invalid)
    [problem] = refusal.problems
    assert problem.path == "minutes"
    assert "F-DD-05 会议纪要" in problem.text.zh
    assert "F-DD-05 (Minutes)" in problem.text.en
    assert diligent.state() == before
    diligent.do(case, "decide", "登记员", body="meeting", minutes=PAPER)
    assert told(diligent, case) == {"facts": ["F-DD-04", "F-DD-05", "F-RC-06"], "soft": ["F-RC-06"]}


def test_an_automatic_step_leaves_its_facts_by_being_passed(diligent: Office) -> None:
    case = diligent.start("duty")
    assert told(diligent, case, "step.passed") == {"facts": ["F-DD-01", "F-DD-02"], "soft": ["F-DD-02"]}


def test_a_message_leaves_the_facts_of_its_form_when_it_arrives(diligent: Office) -> None:
    case = diligent.start("duty")
    diligent.act("乙", cases.send, case, "tip", {"statement": "有异议"})
    assert told(diligent, case, "message.received") == {"facts": ["F-PB-04"], "gaps": ["F-PB-05"]}
    assert told(diligent, case, "message.sent") == {}


def published(office: Office, **decided: Any) -> str:
    """A case whose publicity has ended."""
    case = office.start("duty")
    office.do(case, "decide", "登记员", **decided)
    office.do(case, "announce", "登记员")
    office.later(days=40)
    run_due(office.database)
    return case


def test_which_facts_are_missing_decides_whether_evidence_must_be_completed(diligent: Office) -> None:
    whole, lacking = published(diligent), published(diligent, comparables=None)
    assert list(diligent.items(whole)) == ["file"]
    assert list(diligent.items(lacking)) == ["complete_evidence"]


def test_evidence_completed_afterwards_is_late_and_says_so(diligent: Office) -> None:
    case = published(diligent, comparables=None)
    task = diligent.item(case, "complete_evidence")
    items = [{"fact": "F-RC-06", "file": PAPER, "reason": "当时未附"}]
    diligent.act("登记员", cases.complete, task, {"items": items})
    assert told(diligent, case) == {"facts": ["F-RC-06", "F-SV-11"], "late": True}
    [paper] = diligent.look(inbox.documents, case)
    assert paper["late"]
    assert diligent.sound()


def test_an_empty_list_of_an_answer_has_no_facts(diligent: Office) -> None:
    case = published(diligent, comparables=None)
    diligent.act("登记员", cases.complete, diligent.item(case, "complete_evidence"), {})
    assert told(diligent, case) == {}


def test_an_expression_that_gives_no_codes_is_told_as_an_incident(diligent: Office) -> None:
    case = published(diligent, comparables=None)
    task = diligent.item(case, "complete_evidence")
    refusal = diligent.refused("登记员", cases.complete, task, {"items": [{"fact": "会议纪要", "reason": "无"}]})
    assert isinstance(refusal, Incident)
    assert "policy:facts" in refusal.text.en
