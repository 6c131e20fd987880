"""The ways by which a personal value could come out of its answer: sentences, titles, notices, keys, corrections."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from engine import cases, documents, evidence, inbox, incidents
from engine.errors import Taken
from engine.library import Package
from engine.model import Outbox, Standstill, Submission
from forms.values import from_json
from tests.begun import form
from tests.office import ANSWERS, Office, package
from tests.test_linked_cases import begin, children, claim, deal
from tests.test_personal_files import NAME, PAPER, PHONE, erased, everything, upload
from tests.test_trail import found

pytest_plugins = ["tests.furnished"]

DIAGRAM, RIGHT = "process.bpmn", "13700137000"


def told(office: Office, case: str) -> str:
    """The events of a case and its incidents, as one text."""
    with office.database.look("system") as work:
        standing = [str(row) for row in work.rows(select(Standstill))]
    return "\n".join([*(json.dumps(body, ensure_ascii=False) for body in office.bodies(case)), *standing])


def answers(office: Office) -> str:
    """The answers as they are stored."""
    with office.database.look("system") as work:
        return "\n".join(work.db.execute(select(Submission.answer)).scalars())


def withdrawn(office: Office, case: str) -> None:
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})


def test_an_incident_names_the_kind_of_a_value_and_never_the_value(office: Office) -> None:
    office.deploy(package("permit", (DIAGRAM, "is_large and phone is not None and len(parties) &gt; 0", "phone")))
    case = office.start()
    office.do(case, "review", "登记员")
    [standing] = office.look(incidents.standing_still, case)
    assert "must be true or false, but is a text" in standing["en"] and "实际为文本" in standing["zh"]
    assert PHONE not in told(office, case)


def test_a_variable_that_is_corrected_is_kept_as_the_field_it_belongs_to(office: Office) -> None:
    office.deploy(package("permit", (DIAGRAM, "is_large and phone is not None and len(parties) &gt; 0", "phone")))
    case = office.start()
    office.do(case, "review", "登记员")
    [standing] = office.look(incidents.standing_still, case)
    office.act("管理员", incidents.correct, standing["id"], "phone", f"'{RIGHT}'", "应为真")
    assert RIGHT not in answers(office) and RIGHT not in told(office, case)
    assert RIGHT in str(office.look(inbox.submissions, case)) and office.sound()


def test_a_title_made_from_a_personal_field_is_not_used(office: Office) -> None:
    office.deploy(package("permit", (DIAGRAM, 'case-title="subject"', "case-title=\"subject + ' ' + phone\"")))
    assert office.row(office.start())["title"] == "许可"


def test_a_field_that_opens_with_a_personal_one_is_as_personal(office: Office) -> None:
    copy = "fields:\n  - {code: copied, kind: text, label: {zh: 抄录, en: Copy}, default: =phone}\n"
    office.deploy(package("permit", ("forms/review.yaml", "fields:\n", copy)))
    case = office.start()
    office.do(case, "review", "登记员", copied=PHONE)
    assert PHONE not in answers(office) and PHONE not in told(office, case)
    assert str(office.look(inbox.submissions, case)).count(PHONE) == 2


def test_a_notice_that_says_something_personal_goes_with_the_erasure(office: Office) -> None:
    office.deploy(package("permit", (DIAGRAM, "'审查超期'", "'审查超期 ' + phone")))
    case = office.start()
    office.later(days=10)
    office.do(case, "review", "登记员")
    with office.database.look("system") as work:
        assert PHONE in str(work.rows(select(Outbox)))
    withdrawn(office, case)
    erased(office)
    assert PHONE not in everything(office) and found(office) == []


@pytest.mark.parametrize("by", ["甲", "合规"])
def test_a_correction_of_a_personal_field_is_kept_and_erased_as_the_answer_is(office: Office, by: str) -> None:
    case = office.start()
    [answer] = office.look(inbox.submissions, case)
    office.act(by, evidence.correct, case, answer["id"], "phone", RIGHT, f"写错了，应为 {RIGHT}")
    assert RIGHT not in answers(office) and RIGHT not in told(office, case)
    assert office.look(evidence.corrections, case)[answer["id"]][0]["should_be"] == RIGHT
    withdrawn(office, case)
    erased(office)
    assert RIGHT not in everything(office) and found(office) == []
    assert office.look(evidence.corrections, case)[answer["id"]][0]["should_be"] is None


def test_the_correlation_key_of_a_message_is_withheld_where_it_is_personal(office: Office) -> None:
    keyed = 'policy:sender="applicant" policy:key="phone" policy:form="changed"'
    thrown = '<endEvent id="reminded" policy:outcome="reminded" policy:key="phone">'
    thrown += '<messageEventDefinition messageRef="m_fraud"/></endEvent>'
    awaited = (DIAGRAM, 'policy:sender="applicant" policy:form="changed"', keyed)
    office.deploy(package("permit", awaited, (DIAGRAM, '<endEvent id="reminded" policy:outcome="reminded"/>', thrown)))
    case = office.start()
    office.later(days=10)
    for element, person in (("review", "登记员"), ("second", "复核员")):
        office.do(case, element, person)
    office.act("甲", cases.send, case, "changed", {"what": "地址"}, PHONE)
    keys = [body["data"]["key"] for body in office.bodies(case) if body["type"] in {"message.thrown", "message.sent"}]
    assert keys == ["withheld", "withheld"] and PHONE not in told(office, case)
    office.do(case, "archive", "登记员")
    erased(office)
    assert PHONE not in everything(office)


def test_a_personal_key_that_is_taken_is_in_no_sentence(office: Office) -> None:
    office.deploy(package("permit", (DIAGRAM, 'name="key" value="contract_no"', 'name="key" value="phone"')))
    first, second = office.start(), office.start(contract_no="HT-2")
    for case in (first, second):
        office.do(case, "review", "登记员")
    office.do(first, "second", "复核员")
    refusal = office.refused("复核员", cases.complete, office.item(second, "second"), ANSWERS["second"])
    assert isinstance(refusal, Taken) and PHONE not in f"{refusal.text} {refusal.about}"
    assert office.row(first)["number"] in refusal.text.en


def test_an_error_of_the_database_does_not_show_the_values_of_its_statement(office: Office) -> None:
    with office.database.look("system") as work, pytest.raises(DBAPIError) as error:
        work.db.execute(text("SELECT :value FROM no_such_table"), {"value": PHONE})
    assert PHONE not in str(error.value)


@pytest.mark.parametrize(("first", "second"), [("file, personal: true", "file"), ("file", "file, secret: true")])
def test_a_file_that_is_private_in_one_of_two_linked_cases_is_encrypted_in_the_other(
    office: Office, first: str, second: str
) -> None:
    agree = form("agree", subject="text, required: true", amount="integer", paper=first)
    submit = form("submit", subject="text, required: true", amount="integer", paper=second)
    parent, child = deal(), claim()
    parent = Package(parent.origin, {**parent.files, **dict([agree])})
    child = Package(child.origin, {**child.files, **dict([submit])})
    case = begin(office, child, parent, paper=upload())
    [linked] = children(office, case)
    [copy] = office.look(inbox.documents, linked["id"])
    assert copy["sealed"] and copy["name"] == NAME and office.look(documents.read, copy["id"])[1] == PAPER
    item = office.item(case, "submit")
    opens = from_json(office.look(inbox.task, item)["prefill"])
    assert isinstance(opens, dict)
    office.act("甲", cases.complete, item, opens)
    assert office.look(inbox.task, item)["prefill"] is None
    stored = [row["stored"] for row in office.look(inbox.submissions, linked["id"])]
    assert NAME not in str(stored) and copy["id"] in str(office.look(inbox.submissions, linked["id"]))
    assert office.sound()


def test_a_file_in_a_table_with_a_personal_column_is_encrypted(office: Office) -> None:
    column = "      - {code: id_number"
    card = "      - {code: card, kind: file, label: {zh: 证件, en: Card}}\n" + column
    office.deploy(package("permit", ("forms/apply.yaml", column, card)))
    case = office.start(parties=[{"name": "甲方", "card": upload()}])
    [kept] = office.look(inbox.documents, case)
    assert kept["sealed"] and kept["name"] == NAME
    assert NAME not in answers(office) and NAME not in everything(office, "casefile") and office.sound()
