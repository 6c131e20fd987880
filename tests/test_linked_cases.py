"""A case starts another: its first item is open and filled in already, and whoever completes it is the applicant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from engine import cases, definitions, inbox, incidents, items, starting
from engine.errors import Incident, Invalid, NotYours
from engine.library import Library, Package
from engine.model import CaseFile, Document
from engine.work import SYSTEM
from forms.words import Unfit
from tests.begun import END, LOOK, TASK, form, operation, process
from tests.office import Office

pytest_plugins = ["tests.furnished"]

AGREE = form("agree", subject="text, required: true", amount="integer", paper="file")
SUBMIT = form(
    "submit", subject="text, required: true, default: 无题", amount="integer", note="text, required: true", paper="file"
)
FIRST = '<userTask id="submit" name="提交" policy:role="contract_applicant" policy:assignee="applicant"/>'
PREFILL = "{'subject': subject, 'amount': amount, 'paper': paper}"


def claim(first: str = FIRST, lines: str = "s -> submit\nsubmit -> look\nlook -> fix\nfix -> e") -> Package:
    fix = '<userTask id="fix" policy:form="look" policy:role="contract_applicant" policy:assignee="applicant"/>'
    body = f'<startEvent id="s"/>{first}{TASK}{fix}{END}'
    return process("claim", body, lines, SUBMIT, LOOK, attributes='policy:case-title="subject"')


def deal(answer: str = PREFILL, started: str = "'claim'") -> Package:
    """A process that starts a claim when its first task is done, and goes on at once."""
    linked = operation("case.start", "link", process=started, answer=answer)
    body = f'<startEvent id="s"/><userTask id="agree" policy:role="registrar"/><serviceTask id="go">{linked}'
    lines = "s -> agree\nagree -> go\ngo -> look\nlook -> e"
    return process("deal", f"{body}</serviceTask>{TASK}{END}", lines, AGREE, LOOK)


def begin(office: Office, *packages: Package, **answer: Any) -> str:
    office.deploy(*packages)
    return str(office.act("登记员", cases.start, "deal", {"subject": "膜材料", "amount": 7, **answer}))


def children(office: Office, case: str) -> list[dict[str, Any]]:
    with office.database.look(SYSTEM) as work:
        return work.rows(select(*CaseFile.__table__.columns).where(CaseFile.parent == case))


def test_a_linked_case_is_there_with_the_step_and_its_first_item_waits_for_its_role(office: Office) -> None:
    case = begin(office, claim(), deal())
    [child] = children(office, case)
    assert (child["process"], child["applicant"], child["status"], child["title"]) == ("claim", None, "open", "claim")
    assert list(office.items(child["id"])) == ["submit"]
    assert set(office.items(case)) == {"look", "submit"}  # the case itself went on at once
    assert "submit" in office.inbox("甲") and "submit" in office.inbox("乙")
    told = next(body for body in office.bodies(case) if body["type"] == "case.linked")
    assert told["data"] == {"case": child["id"], "number": child["number"], "started": "claim"}
    assert told["process"]["element"] == "go"
    started = office.bodies(child["id"])[0]
    assert (started["type"], started["data"]["parent"]) == ("case.started", case)
    assert started["data"]["parent_number"] == office.row(case)["number"]
    given = next(body for body in office.bodies(case) if body["type"] == "step.passed")
    assert json.loads(given["data"]["written"][0]["value"])["number"] == child["number"]
    assert office.sound()


def test_whoever_completes_the_first_item_becomes_the_applicant(office: Office) -> None:
    case = begin(office, claim(), deal())
    child = children(office, case)[0]["id"]
    refusal = office.refused("登记员", cases.complete, office.item(child, "submit"), {})
    assert isinstance(refusal, NotYours)
    assert isinstance(office.refused("乙", cases.complete, office.item(child, "submit"), {"subject": "x"}), Invalid)
    assert office.row(child)["applicant"] is None
    office.act("乙", cases.complete, office.item(child, "submit"), {"subject": "膜材料二", "note": "好"})
    row = office.row(child)
    assert (row["applicant"], row["title"]) == (office.who["乙"], "膜材料二")
    [submitted] = [each for each in office.look(inbox.items_of, child) if each["element"] == "submit"]
    assert submitted["prefill"] is None  # kept no longer than it is needed, as a draft
    completed = next(body for body in office.bodies(child) if body["type"] == "task.completed")
    assert completed["data"]["applicant"] == office.who["乙"]
    office.act("登记员", cases.complete, office.item(child, "look"), {"seen": True})
    assert "fix" in office.inbox("乙") and "fix" not in office.inbox("甲")
    assert office.sound()


def test_the_applicant_of_a_linked_case_may_withdraw_it_and_before_there_is_one_nobody(office: Office) -> None:
    case = begin(office, claim(), deal())
    child = children(office, case)[0]["id"]
    for name in ("甲", "登记员"):
        assert isinstance(office.refused(name, cases.withdraw, child, {"reason": "不办了"}), NotYours)
    office.act("甲", cases.complete, office.item(child, "submit"), {"subject": "膜", "note": "好"})
    assert isinstance(office.refused("乙", cases.withdraw, child, {"reason": "不办了"}), NotYours)
    office.act("甲", cases.withdraw, child, {"reason": "不办了"})
    assert office.row(child)["outcome"] == "withdrawn"
    assert office.row(case)["status"] == "open"


def test_a_case_without_applicant_can_be_listed_and_looked_into(office: Office) -> None:
    case = begin(office, claim(), deal())
    child = children(office, case)[0]["id"]
    assert {row["id"] for row in office.look(inbox.visible_cases, by="管理员")} == {case, child}
    assert {row["id"] for row in office.look(inbox.visible_cases, by="甲")} == {child}
    assert office.look(inbox.visible_cases, by="路人") == []
    office.act("甲", items.comment, child, "何人提交？")
    office.act("甲", items.claim, office.item(child, "submit"))
    assert office.row(child)["applicant"] is None


def test_files_of_the_starting_case_become_documents_of_the_linked_one(office: Office) -> None:
    paper = {"file": "合同.txt", "data": "协议".encode()}
    case = begin(office, claim(), deal(), paper=paper)
    child = children(office, case)[0]["id"]
    with office.database.look(SYSTEM) as work:
        query = select(Document.case, Document.sha256, Document.uploaded_by).where(Document.name == "合同.txt")
        rows = {row.case: (row.sha256, row.uploaded_by) for row in work.db.execute(query)}
    assert rows.keys() == {case, child}
    assert rows[case] == rows[child]
    prefill = json.loads(office.look(inbox.task, office.item(child, "submit"))["prefill"])
    assert "合同.txt" in json.dumps(prefill, ensure_ascii=False)
    assert office.sound()


@pytest.mark.parametrize(
    ("package", "parent", "words"),
    [
        (claim(lines="s -> submit\ns -> look\nlook -> fix\nsubmit -> e\nfix -> e"), deal(), "exactly one work item"),
        (claim(FIRST.replace('policy:role="contract_applicant" ', "")), deal(), "has no role"),
        (claim(), deal("{'subjekt': subject}"), "has no field subjekt"),
        (claim(), deal("[1]"), "must be a record"),
        (claim(), deal(started="'cla' + 'ims'"), "no process 'claims' is deployed"),
    ],
)
def test_a_process_that_cannot_be_started_so_is_an_incident_and_leaves_no_case(
    office: Office, package: Package, parent: Package, words: str
) -> None:
    case = begin(office, package, parent)
    raised = next(body for body in office.bodies(case) if body["type"] == "incident.raised")
    assert (words in raised["data"]["en"], raised["process"]["element"]) == (True, "go"), raised["data"]["en"]
    assert children(office, case) == []
    assert "case.linked" not in office.kinds(case)
    assert office.sound()


def test_after_an_incident_the_linked_case_is_started_exactly_once(office: Office) -> None:
    case = begin(office, claim(), deal("{'subjekt': subject} if amount &gt; 0 else {'subject': subject}"))
    [standing] = office.look(incidents.standing_still, case)
    office.act("管理员", incidents.correct, standing["id"], "amount", "0", "试")
    office.act("管理员", incidents.retry, standing["id"])
    assert len(children(office, case)) == 1
    assert office.kinds(case).count("case.linked") == 1
    assert office.sound()


def test_processes_that_start_each_other_without_end_are_an_incident(office: Office) -> None:
    again = operation("case.start", process="'again'")
    body = f'<startEvent id="s"/><serviceTask id="go">{again}</serviceTask>{TASK}{END}'
    office.deploy(process("again", body, "s -> go\ngo -> look\nlook -> e", LOOK))
    refusal = office.refused("登记员", cases.start, "again", {"seen": True})
    assert isinstance(refusal, Incident)
    assert "20 deep" in refusal.text.en


def test_a_case_may_be_started_before_the_first_item_and_looking_at_the_start_starts_none(office: Office) -> None:
    go = operation("case.start", "link", process="'claim'")
    body = f'<startEvent id="s"/><serviceTask id="go">{go}</serviceTask>{TASK}{END}'
    office.deploy(claim(), process("early", body, "s -> go\ngo -> look\nlook -> e", LOOK))
    before = office.state()["counts"]
    with office.database.look(office.who["登记员"]) as work:
        starting.begin(work, "early", rehearse=True)
    assert office.state()["counts"] == before
    case = office.act("登记员", cases.start, "early", {"seen": True})
    assert len(children(office, case)) == 1


def test_the_gate_refuses_a_process_that_is_not_there_or_cannot_be_started(office: Office) -> None:
    for started, words in (("'claims'", "did you mean claim"), ("'looked_up'", "only called")):
        with pytest.raises(Unfit) as refused:
            begin(office, claim(), deal(started=started))
        assert [finding.code for finding in refused.value.findings] == ["unknown-process"]
        assert words in str(refused.value)


def test_a_process_may_start_one_that_is_deployed_with_it(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        definitions.deploy_together(work, [deal(started="'claim'"), claim()], Library.standing().vocabulary())
    case = office.act("登记员", cases.start, "deal", {"subject": "膜材料"})
    assert len(children(office, case)) == 1


def test_a_linked_case_goes_with_the_step_that_started_it(office: Office) -> None:
    """An operation behind it fails: then neither stands, and when the step is done the case is there once."""
    office.deploy(claim())
    failing = '<policy:operation name="register.find" into="f"><policy:with name="register" value="\'account\'"/>'
    failing += '<policy:with name="key" value="text(1 // amount)"/></policy:operation></extensionElements>'
    package = deal()
    diagram = package.files["process.bpmn"].decode().replace("</extensionElements>", failing)
    office.deploy(Package("deal", {**package.files, "process.bpmn": diagram.encode()}))
    case = office.act("登记员", cases.start, "deal", {"subject": "膜", "amount": 0})
    assert children(office, case) == []
    [standing] = office.look(incidents.standing_still, case)
    office.act("管理员", incidents.correct, standing["id"], "amount", "1", "试")
    office.act("管理员", incidents.retry, standing["id"])
    [child] = children(office, case)
    assert child["number"].endswith("00001")
    assert office.sound()
