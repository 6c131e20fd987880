"""Two acts that wait for each other: PostgreSQL ends one, which is tried again as a whole, or told in a sentence."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from engine import cases, inbox, registers
from engine.errors import Contended, Taken
from engine.work import TRIES, Work
from tests.commands import refused
from tests.office import NewOffice, Office, package
from tests.test_publicity import PDF, opened
from tests.test_races import at_once, split
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]

DRAWN = """<policy:operation name="number.next" into="permit_no">\
<policy:with name="series" value="'XKZ'"/></policy:operation>
        <policy:operation name="register.record">"""
TWO_KEYS = """<policy:operation name="register.record">
          <policy:with name="register" value="'contract'"/>
          <policy:with name="key" value="subject"/>
          <policy:with name="value" value="{'status': 'registered'}"/>SUPERSEDE
        </policy:operation>
        <policy:operation name="register.record">SUPERSEDE"""
OTHERS_TOO = '<policy:with name="supersede" value="\'any\'"/>'


@pytest.fixture
def crossed(new_office: NewOffice, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office on PostgreSQL in which two acts that record have each written the first key before the second."""
    office, line, own = new_office("postgresql"), threading.Barrier(2), threading.local()
    insert = registers._insert

    def in_step(work: Work, row: Mapping[str, Any]) -> bool:
        done = insert(work, row)
        if not getattr(own, "waited", False):
            own.waited = True
            line.wait(30)
        return done

    monkeypatch.setattr(registers, "_insert", in_step)
    return office


def two(office: Office, supersede: str = OTHERS_TOO) -> list[str]:
    """Two cases that are about to record the same two keys, the one in the opposite order of the other."""
    keys = TWO_KEYS.replace("SUPERSEDE", supersede)
    number = ("process.bpmn", "'registration_no': permit_no", "'registration_no': contract_no")
    office.deploy(package("permit", ("process.bpmn", DRAWN, keys), number))
    found = [office.start(subject="甲键", contract_no="乙键"), office.start(subject="乙键", contract_no="甲键")]
    for case in found:
        office.do(case, "review", "登记员")
    return found


def both(office: Office, found: list[str]) -> list[Any]:
    """Both are completed at once."""
    return at_once([lambda case=case: office.do(case, "second", "复核员") for case in found])  # type: ignore[misc]


def test_two_cases_that_record_two_keys_crosswise_both_go_through(crossed: Office) -> None:
    found = two(crossed)
    assert both(crossed, found) == [None, None]
    for key in ("甲键", "乙键"):
        assert [each.case in found for each in crossed.look(registers.history, "contract", key)] == [True, True]
    for case in found:
        assert list(crossed.items(case)) == ["archive"]
        kinds = Counter(crossed.kinds(case))
        assert (kinds["register.recorded"], kinds["task.completed"], kinds["attempt.refused"]) == (2, 3, 0)
    assert crossed.sound()


def test_the_second_is_told_who_was_first_where_only_one_may_record(crossed: Office) -> None:
    found = two(crossed, supersede="")
    won, [told] = split(both(crossed, found))
    assert len(won) == 1 and isinstance(told, Taken)
    loser = next(case for case in found if list(crossed.items(case)) == ["second"])
    winner = next(case for case in found if case != loser)
    assert told.about["number"] == crossed.row(winner)["number"] and told.about["number"] in told.text.zh
    assert crossed.sound()


def test_a_page_is_answered_as_if_nobody_had_been_in_its_way(crossed: Office) -> None:
    found = two(crossed)
    forms = []
    for case in found:
        reader = reader_of(crossed, "复核员")
        forms.append((reader, reader.get(f"/tasks/{crossed.item(case, 'second')}")))
    seen = at_once([lambda pair=pair: pair[0].submit(pair[1], ANSWERS_SECOND) for pair in forms])  # type: ignore[misc]
    assert [each.status for each in seen] == [200, 200]
    for case, each in zip(found, seen, strict=True):
        assert crossed.row(case)["number"] in each.text and list(crossed.items(case)) == ["archive"]
    assert crossed.sound()


ANSWERS_SECOND = {"agree": "true"}


def fallen_out(work: Work, tried: list[None], state: str) -> None:
    """An act that the database always ends, as it ends one of two that wait for each other."""
    tried.append(None)
    work.db.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")


@pytest.mark.parametrize("state", ["40P01", "40001"])
def test_what_has_to_give_way_every_time_ends_in_a_sentence(new_office: NewOffice, state: str) -> None:
    office, tried = new_office("postgresql"), list[None]()
    before = office.state()
    with pytest.raises(Contended):
        office.act("登记员", fallen_out, tried, state)
    assert len(tried) == TRIES
    assert office.state() == before


def test_another_fault_of_the_database_is_not_tried_again(new_office: NewOffice) -> None:
    office, tried = new_office("postgresql"), list[None]()
    with pytest.raises(Exception, match="P0001"):
        office.act("登记员", fallen_out, tried, "P0001")
    assert len(tried) == 1


def test_pages_and_commands_say_it_in_a_sentence(new_office: NewOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office = new_office("postgresql")
    case = office.start()
    monkeypatch.setattr(cases, "complete", lambda work, *_: fallen_out(work, [], "40P01"))
    reader = reader_of(office, "登记员")
    page = reader.get(f"/tasks/{office.item(case, 'review')}")
    seen = reader.submit(page, {"decision": "accept"}, status=409)
    assert "请再试一次" in seen.text
    assert list(office.items(case)) == ["review"]
    arguments = ("task", "complete", f"{case}/review", "--by", "登记员", "--with", "-")
    assert refused(office.url, 1, *arguments, said="{decision: accept}") == str(Contended.text)


def test_a_file_comes_whole_with_a_request_that_is_answered_twice(
    new_office: NewOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, tried, send = new_office("postgresql"), list[None](), cases.send
    for name, role in (("披露人", "inventor_lead"), ("公示员", "publicity_officer")):
        office.hire(name, role)
    office.deploy(package("publicising"))
    case = opened(office)

    def at_last(work: Work, *arguments: Any) -> str:
        if not tried:
            fallen_out(work, tried, "40P01")
        return send(work, *arguments)

    monkeypatch.setattr(cases, "send", at_last)
    reader = reader_of(office, "路人")
    said = {"is_anonymous": "true", "relation": "staff", "ground": "price", "statement": "价格偏低"}
    form = reader.get(f"/cases/{case}/messages/objection")
    told = reader.submit(form, said, files={"evidence": (PDF, "证据.pdf")})
    assert told.heading == "公示" and len(tried) == 1
    assert [row["size"] for row in office.look(inbox.documents, case) if row["name"] == "证据.pdf"] == [len(PDF)]
