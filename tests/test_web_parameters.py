"""The page of parameters: every value with its bounds and what it rests on, and who adopted which set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine import cases, registers
from engine.library import Library
from engine.work import SYSTEM
from forms.values import PersonRef, Value
from tests.office import Office, package
from tests.web_reader import reader_of

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def council(new_office: NewOffice) -> Office:
    office = new_office("sqlite")
    office.deploy(package("adopting"))
    office.hire("制度员", "process_owner")
    return office


def adopted(office: Office) -> str:
    """A case that adopts the shipped thresholds as the institution's own."""
    values = [{"key": "tier_thresholds_fen", "value": "100000000, 500000000, 1000000000"}]
    answer = {"values": values, "effective_from": office.clock().date().isoformat()}
    case = office.act("制度员", cases.start, "adopting", answer)
    office.act("负责人", cases.complete, office.item(case, "consent"), {"agreed": True})
    return str(office.row(case)["number"])


def test_every_value_stands_beside_its_bounds_and_what_it_rests_on(council: Office) -> None:
    reader = reader_of(council, "合规")
    seen = reader.get("/parameters").text
    assert "30,000,000.00 元" in seen and "固定，不得改动；成交额严格高于此数" in seen and "002 §六 大额合同" in seen
    assert "示例默认值，各单位须自行设定" in seen and "本单位规定" not in seen
    number = adopted(council)
    seen = reader.get("/parameters").text
    assert "本单位规定（set-2-" in seen and number in seen
    before = reader.get("/parameters/shipped-default").text
    assert "本单位规定" not in before
    reader.get("/parameters/set-9", status=404)


def test_the_registers_lead_there_and_call_their_columns_by_name(council: Office) -> None:
    number = adopted(council)
    reader = reader_of(council, "合规")
    assert "参数：可以配置的期限、比例和金额" in reader.get("/registers").text
    seen = reader.get("/registers/parameter_set").text
    assert "生效日期" in seen and "通过的案卷" in seen and number in seen and "effective_from" not in seen


def test_a_column_is_said_by_what_it_holds_even_where_a_form_uses_its_name_otherwise(council: Office) -> None:
    kinds = Library.standing().vocabulary().registers
    case = council.start()
    with council.database.work(SYSTEM) as work:
        empowerment: dict[str, Value] = {"achievement_id": "A-1", "team_ownership_bp": 7050, "scope": {"parties": 3}}
        registers.record(work, kinds["empowerment"], "A-1", empowerment, case=case, element="x")
        deal: dict[str, Value] = {"amount_fen": 123_456_00, "status": [PersonRef(council.who["甲"])]}
        registers.record(work, kinds["deal"], "A-1", deal, case=case, element="x")
        contract: dict[str, Value] = {"parties": ["甲方", "乙方"], "title": "合同"}
        registers.record(work, kinds["contract"], "A-1", contract, case=case, element="x")
    reader = reader_of(council, "合规")
    seen = reader.get("/registers/empowerment").text
    assert "团队所有权份额" in seen and "70.5%" in seen and "parties: 3" in seen
    assert "123,456.00 元" in reader.get("/registers/deal").text
    # The form of a permit has a table of this name, but this is none of it.
    assert "甲方、乙方" in reader.get("/registers/contract").text
