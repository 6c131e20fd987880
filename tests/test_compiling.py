"""Looking into other cases: who they are, what their trails show, and that nothing private leaves them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from engine import cases, incidents
from engine.desk import open_desk
from engine.fences import unguard
from engine.library import Library
from engine.packages import Package
from engine.registers import record as record_in
from engine.starting import begin
from engine.work import SYSTEM
from forms.values import PersonRef, Value
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]

DRAWN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy">
<process id="looking" name="核查" isExecutable="true" policy:series="HC">
<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="open"/>
<userTask id="open" name="提请" policy:role="registrar" policy:assignee="applicant"/>
<sequenceFlow id="f2" sourceRef="open" targetRef="act"/>
<serviceTask id="act" name="汇集"><extensionElements><policy:operation name="trail.compile" into="compiled">
<policy:with name="cases" value="targets"/></policy:operation></extensionElements></serviceTask>
<sequenceFlow id="f3" sourceRef="act" targetRef="look"/>
<userTask id="look" name="查看" policy:role="registrar"/><sequenceFlow id="f4" sourceRef="look" targetRef="e"/>
<endEvent id="e" policy:outcome="looked"/></process></definitions>"""
OPEN = """id: open
title: {zh: 提请}
fields: [{code: targets, kind: texts, label: {zh: 案卷}, required: true, example: [ZH-2026-00001]}]
"""
LOOK = """id: look
title: {zh: 查看}
fields: [{code: seen, kind: text, label: {zh: 已阅}, required: true, example: 是}]
"""
LOOKING = Package("looking", {
    "process.bpmn": DRAWN.encode(), "forms/open.yaml": OPEN.encode(), "forms/look.yaml": LOOK.encode(),
})  # fmt: skip
SIGNED = (
    "process.bpmn",
    'policy:role="vice_president"',
    'policy:role="vice_president" policy:tag="agreement_signing"',
)
SIGNS = (
    "forms/confirm_deal.yaml",
    "fields:\n",
    "fields:\n  - {code: signed_on, kind: date, label: {zh: 签订日期}, example: '2026-04-01'}\n",
)


@pytest.fixture
def reviewing(office: Office) -> Office:
    """An office that looks into other cases."""
    office.deploy(package("dealt", SIGNED, SIGNS), LOOKING)
    office.hire("经办", "tto_officer")
    office.hire("校领导", "vice_president")
    return office


def deal(office: Office, *, closed: bool = True, **answer: Any) -> str:
    """A conversion, by its id."""
    first = {"subject": "一项成果", "notice": "公示", "comparables": "三件", "mode": "licence", **answer}
    case = str(office.act("经办", cases.start, "dealt", first))
    if closed:
        answer = {"agreed": True, "signed_on": "2026-04-01"}
        office.act("校领导", cases.complete, office.item(case, "confirm_deal"), answer)
    return case


def compiled(office: Office, *targets: str) -> dict[str, Any]:
    """What a review of these cases has compiled."""
    case = office.act("登记员", cases.start, "looking", {"targets": list(targets)})
    with cases.acting(office.database, office.who["登记员"]) as work:
        found = open_desk(work, case).instance.scopes.innermost({})["compiled"]
    assert isinstance(found, dict)
    return found


def case_of(office: Office, reference: Value) -> Any:
    """What an expression of another case sees."""
    other = office.act("甲", begin, "permit", rehearse=True)[0]
    with office.database.look(office.who["甲"]) as work:
        other.work = work
        return other.functions["case_of"](reference)


def test_a_case_is_known_by_its_number_or_id_and_an_unknown_one_is_none(reviewing: Office) -> None:
    case = deal(reviewing, pricing_mode="listing")
    number = reviewing.row(case)["number"]
    found = case_of(reviewing, number)
    assert found == case_of(reviewing, case)
    assert (found["id"], found["number"], found["process"], found["title"]) == (case, number, "dealt", "一项成果")
    assert (found["status"], found["outcome"]) == ("closed", "converted_closed")
    assert found["applicant"] == PersonRef(reviewing.who["经办"])
    assert (found["mode"], found["pricing_mode"], found["amount_fen"]) == ("licence", "listing", None)
    assert found["variables"]["confirm_deal"]["agreed"] is True
    strange: tuple[Value, ...] = ("ZH-2026-09999", "", None, 7, {"id": case})
    for unknown in strange:
        assert case_of(reviewing, unknown) is None


def test_nothing_personal_or_secret_leaves_its_case(reviewing: Office) -> None:
    case = reviewing.start(secret_level="secret", paper_no="密-77", parties=[{"name": "某大学", "id_number": "1101"}])
    found = case_of(reviewing, case)
    assert found["variables"]["subject"] == found["variables"]["apply"]["subject"] == "屋顶光伏"
    # contact_line is made from the telephone number, parties have a personal column, apply and whole hold everything.
    assert not {"phone", "paper_no", "contact_line", "parties"} & found["variables"].keys()
    for hidden in ("13800138000", "密-77", "1101"):
        assert hidden not in repr(found)


def test_a_title_made_from_something_private_does_not_leave_its_case_either(reviewing: Office) -> None:
    telling = package("permit", ("process.bpmn", 'policy:case-title="subject"', 'policy:case-title="phone"'))
    reviewing.deploy(telling)
    assert case_of(reviewing, reviewing.start())["title"] == "许可"


def test_a_trail_is_compiled_with_its_facts_and_who_acted(reviewing: Office) -> None:
    one, two = deal(reviewing, pricing_mode="listing"), deal(reviewing, closed=False)
    numbers = [reviewing.row(each)["number"] for each in (one, two)]
    found = compiled(reviewing, numbers[0], two, one)
    assert found["cases"] == [{"id": one, "number": numbers[0]}, {"id": two, "number": numbers[1]}]
    assert found["chain_ok"] is True
    assert {(each["fact"], each["status"], each["hard"], each["element"]) for each in found["facts"]
            if each["case"] == numbers[0]} == {
        ("F-DD-04", "present", True, "confirm_deal"), ("F-PB-01", "present", True, "agree_deal"),
        ("F-RC-05", "present", True, "agree_deal"), ("F-RC-06", "present", False, "agree_deal"),
        ("F-SV-05", "present", True, "confirm_deal"),
    }  # fmt: skip
    assert {each["fact"] for each in found["facts"] if each["case"] == numbers[1]} == {"F-PB-01", "F-RC-05", "F-RC-06"}
    assert {each["duty"] for each in found["facts"]} == {
        "democratic_decision", "info_publicity", "reasonable_care", "supervision",
    }  # fmt: skip
    assert found["missing"] == found["late"] == []
    assert (found["mode"], found["pricing_mode"]) == ("licence", "listing")
    assert set(found["persons"]) == {PersonRef(reviewing.who[name]) for name in ("经办", "校领导")}


def test_a_soft_fact_that_is_not_there_is_missing_in_the_compiled_trail(reviewing: Office) -> None:
    found = compiled(reviewing, deal(reviewing, comparables=None))
    assert found["missing"] == ["F-RC-06"]
    [gap] = [each for each in found["facts"] if each["status"] == "missing"]
    assert gap["hard"] is False and gap["element"] == "agree_deal"


def test_a_trail_that_was_altered_in_storage_is_not_in_order(reviewing: Office) -> None:
    case, sound = deal(reviewing), deal(reviewing)
    with reviewing.database.engine.connect() as connection:
        unguard(connection)
        for statement in altered(reviewing):
            connection.execute(text(statement), {"stream": f"case/{case}"})
        connection.commit()
    assert compiled(reviewing, case)["chain_ok"] is False
    assert compiled(reviewing, sound, case)["chain_ok"] is False
    assert compiled(reviewing, sound)["chain_ok"] is True


def altered(office: Office) -> list[str]:
    """What somebody who owns the database does to an event behind the system's back."""
    change = "UPDATE event SET body = replace(body, 'converted', 'approved!') WHERE stream = :stream"
    if office.database.sqlite:
        with office.database.look(SYSTEM) as work:
            fences = work.db.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        return [*(f'DROP TRIGGER "{name}"' for name in fences if name.startswith("event")), change]
    return ["ALTER TABLE event DISABLE TRIGGER ALL", change]


@pytest.mark.parametrize("targets", [["ZH-2026-09999"], ["self"]])
def test_what_is_no_other_case_is_an_incident(reviewing: Office, targets: list[str]) -> None:
    if targets == ["self"]:
        targets = ["HC-2026-00001"]
    case = reviewing.act("登记员", cases.start, "looking", {"targets": targets})
    [incident] = reviewing.look(incidents.standing_still, case)
    assert incident["element"] == "act"


@pytest.mark.parametrize(
    ("mode", "status", "closed_on", "kind", "publicised"),
    [
        ("agreement", "closed", "2026-03-31", "pricing", True),
        ("agreement", "closed", "2026-04-01", "pricing", False),
        ("agreement", "superseded", "2026-03-31", "pricing", False),
        ("agreement", "closed", "2026-03-31", "reward", False),
        ("agreement", "running", None, "pricing", False),
        ("listing", "closed", "2026-03-31", "pricing", False),
    ],
)
def test_an_agreed_price_counts_as_publicised_when_a_publicity_of_it_closed_before_the_signature(
    reviewing: Office, mode: str, status: str, closed_on: str | None, kind: str, publicised: bool
) -> None:
    case = deal(reviewing, pricing_mode=mode)
    register = Library.standing().vocabulary().registers["publicity"]
    row: dict[str, Value] = {"kind": kind, "status": status, "closed_on": closed_on and date.fromisoformat(closed_on)}
    with reviewing.database.work(SYSTEM) as work:
        record_in(work, register, "GS-1", {"kind": kind, "status": "running"}, case=case, element="post_notice")
        record_in(work, register, "GS-1", row, case=case, element="issue_closing_certificate")
    assert compiled(reviewing, case)["agreed_price_publicised"] is publicised
    assert compiled(reviewing, deal(reviewing, pricing_mode="agreement"))["agreed_price_publicised"] is False
