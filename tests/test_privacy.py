"""Personal and secret values stay out of the trail, and so does whatever is computed from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engine import cases, demo, inbox
from engine.definitions import current, deployed
from engine.privacy import reads_private
from engine.trail.record import conceal, shown
from engine.work import SYSTEM, Database
from forms.expressions import compile_expression
from forms.fields import Field
from forms.values import FileRef, Value, from_json
from tests.conftest import NewDatabase
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]

PERSONAL = {"phone": "13911112222", "id_number": "110101199003070017", "paper_no": "机密文号-0815"}


def everything_told(office: Office) -> str:
    """All bodies of all streams as one text."""
    streams = [*(row["id"] for row in office.look(inbox.cases)), "sys/people", "sys/attempts", "sys/definitions"]
    return "\n".join(json.dumps(body, ensure_ascii=False) for stream in streams for body in office.bodies(stream))


def test_personal_and_secret_values_are_in_no_event_whatever_happens_to_them(office: Office) -> None:
    people = [{"name": "北京某大学", "id_number": PERSONAL["id_number"]}]
    case = office.start(phone=PERSONAL["phone"], parties=people, amount_fen=200_000)
    office.do(case, "review", "登记员", hearers=[office.who["专家一"]])
    secret = office.start(secret_level="secret", paper_no=PERSONAL["paper_no"], contract_no="HT-2")
    office.do(secret, "review", "登记员", decision="return", reasons="请写明保密期限")
    office.act("甲", cases.withdraw, secret, {"reason": "先去脱密"})
    told = everything_told(office)
    kept = str([row["answer"] for each in (case, secret) for row in office.look(inbox.submissions, each)])
    for value in (*PERSONAL.values(), "请写明保密期限", "先去脱密"):
        assert value in kept
        assert value not in told
    assert office.sound()


def test_what_a_script_makes_of_a_personal_value_is_withheld_and_the_rest_is_told(office: Office) -> None:
    case = office.start()
    [prepared] = [body for body in office.bodies(case) if body["process"].get("element") == "prepare"]
    written = {each["name"]: each["value"] for each in prepared["data"]["written"]}
    assert (written["contact_line"], written["whole"]) == ("withheld", "withheld")
    assert written["is_large"] == "false"


def test_names_of_people_are_in_no_event(office: Office) -> None:
    case = office.start()
    office.refused("路人", cases.complete, office.item(case, "review"), {})
    office.do(case, "review", "登记员")
    told = everything_told(office)
    assert [name for name in office.who if name in told] == []


def test_a_register_key_made_from_a_personal_value_is_withheld(office: Office) -> None:
    office.deploy(package("permit", ("process.bpmn", 'value="contract_no"', 'value="contact_line"')))
    case = office.start()
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    [told] = [body for body in office.bodies(case) if body["type"] == "register.recorded"]
    assert (told["data"]["register"], told["data"]["key"]) == ("contract", "withheld")
    assert "13800138000" not in everything_told(office)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("phone", True),
        ("'tel ' + phone", True),
        ("apply", True),
        ("apply['phone']", True),
        ("apply['subject']", False),
        ("len([p for p in parties])", True),
        ("parties[0]['name']", True),
        ("amount_fen > 3", False),
        ("values(apply)", True),
    ],
)
def test_an_expression_reads_what_is_private(office: Office, expression: str, expected: bool) -> None:
    with office.database.look(SYSTEM) as work:
        private = current(work, "permit").private
    assert {"phone", "paper_no", "parties", "contact_line", "whole"} <= private
    assert "subject" not in private and "is_large" not in private
    assert reads_private(compile_expression(expression), private, {"apply"}) is expected


def test_records_show_their_public_parts_only() -> None:
    private = frozenset({"phone"})
    value: Value = {"phone": "1", "list": [{"phone": "2", "name": "甲"}]}
    assert conceal(value, private) == {"phone": "withheld", "list": [{"phone": "withheld", "name": "甲"}]}
    told = shown({"phone": "1", "apply.phone": "1", "phone.area": "010", "apply.name": "甲"}, private)
    assert [each["value"] for each in told] == ["withheld", "withheld", "withheld", '"甲"']


# The shipped processes.


def private_texts(fields: tuple[Field, ...], answer: Mapping[str, Any]) -> Iterator[str]:
    """Every text of an answer that stands in a personal or secret field."""
    for each in fields:
        value = answer.get(each.code)
        if each.personal or each.secret:
            yield from texts(value)
        for row in value if isinstance(value, list) else [value]:
            if each.fields and isinstance(row, dict):
                yield from private_texts(each.fields, row)


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, and every name of a file."""
    if isinstance(value, str | FileRef):
        yield value if isinstance(value, str) else value.name
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def test_no_private_value_of_a_shipped_process_is_in_its_trail(new_database: NewDatabase, deep: bool) -> None:
    url = new_database("sqlite")
    demo.prepare(url)
    demo.play(url, 80 if deep else 10)
    database, seen = Database(url), 0
    with database.look(SYSTEM) as work:
        for row in inbox.cases(work):
            told = "\n".join(event["body"] for event in inbox.events(work, row["id"]))
            of_case = deployed(work, row["definition"])
            for submission in inbox.submissions(work, row["id"]):
                answer = from_json(submission["answer"])
                assert isinstance(answer, dict)
                if submission["element"] != cases.WITHDRAW:
                    form = of_case.form(submission["process"], submission["element"])
                    found = [value for value in private_texts(form.fields, answer) if len(value) > 3]
                    seen += len(found)
                    assert [value for value in found if value in told] == []
    database.close()
    assert seen
