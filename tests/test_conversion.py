"""What a conversion leaves behind: documents, registers, the linked registration, and people who must stand aside."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine import people
from engine.errors import Taken
from engine.library import Library
from engine.model import Document, DocumentContent, RegisterRecord, Task
from engine.scenario_file import Scenario, Step, read_scenario
from engine.scenarios import SetClock, Stage
from engine.work import SYSTEM, Database
from forms.values import from_json, to_json

CONVERSION = "tiered_conversion_approval"
WORKED = {
    path.removeprefix("scenarios/"): text.decode()
    for path, text in Library.standing().package(CONVERSION).scenarios().items()
}


@pytest.fixture
def stages(database_url: str) -> Iterator[Any]:
    """Sets the stage of a worked case; its case can then be played as far as one likes."""
    opened: list[Stage] = []

    def made(name: str) -> tuple[Stage, Scenario]:
        scenario = read_scenario(WORKED[name], name)
        stage = Stage(scenario, SetClock(scenario.now))
        stage.database = Database(database_url, stage.clock)
        opened.append(stage)
        stage.set()
        return stage, scenario

    yield made
    for stage in opened:
        stage.database.close()


def played_until(stage: Stage, scenario: Scenario, element: str) -> tuple[str, Step]:
    """Plays a worked case up to its first line about this element; gives the case and that line."""
    steps = scenario.course.steps
    place = next(place for place, step in enumerate(steps) if step.what == element)
    case = stage.play(replace(scenario.course, steps=steps[:place]))
    assert case is not None
    return case, steps[place]


def issued(stage: Stage) -> dict[str, str]:
    """The text of every document that was issued, by its name."""
    query = select(Document.name, DocumentContent.content)
    query = query.join(DocumentContent, DocumentContent.sha256 == Document.sha256)
    found = {}
    with stage.database.look(SYSTEM) as work:
        for row in work.db.execute(query.where(Document.name.endswith(".docx"))):
            paper = zipfile.ZipFile(io.BytesIO(row.content)).read("word/document.xml").decode()
            found[row.name] = re.sub("<[^>]+>", " ", paper)
    return found


def written(stage: Stage, register: str) -> list[Any]:
    """The values written into a register by cases, version by version."""
    query = select(RegisterRecord.value).where(RegisterRecord.register == register, RegisterRecord.case.is_not(None))
    with stage.database.look(SYSTEM) as work:
        return [from_json(row.value) for row in work.db.execute(query.order_by(RegisterRecord.version))]


def test_its_documents_are_issued_on_the_way(stages: Any) -> None:
    stage, scenario = stages("p2-01.yaml")
    stage.play(scenario.course)
    papers = issued(stage)
    kinds = {name.partition("（")[0] for name in papers}
    assert kinds >= {
        "科技成果转化申请表", "定价备忘录", "决策审批单", "公示公告", "公示结束证明", "合同签订登记表",
        "净收入计算表", "收益分配表",
    }  # fmt: skip
    calculation = next(text for name, text in papers.items() if name.startswith("净收入计算表"))
    assert "900,000.00 元" in calculation and "630,000.00 元" in calculation
    sheet = next(text for name, text in papers.items() if name.startswith("收益分配表"))
    assert "团队负责人甲" in sheet and "陆拾叁万元整" in sheet and "270,000.00 元" in sheet


def test_its_deal_and_incentive_go_from_approved_to_done(stages: Any) -> None:
    stage, scenario = stages("p2-01.yaml")
    stage.play(scenario.course)
    assert [each["status"] for each in written(stage, "deal")] == ["approved", "signed"]
    assert [(each["mode"], each["status"]) for each in written(stage, "incentive")] == [
        ("reward_after", "active"), ("reward_after", "executed"),
    ]  # fmt: skip
    assert [each["received_fen"] for each in written(stage, "receipt")] == [99_999_999]


@pytest.mark.parametrize("name", ["p2-withdraw.yaml", "p2-lapsed.yaml", "p2-objection-major.yaml"])
def test_a_deal_that_comes_to_nothing_counts_no_longer(stages: Any, name: str) -> None:
    stage, scenario = stages(name)
    stage.play(scenario.course)
    assert [each["status"] for each in written(stage, "deal")] == ["approved", "lapsed"]
    assert written(stage, "incentive") == []


def test_a_superseded_publicity_is_marked_so(stages: Any) -> None:
    stage, scenario = stages("p2-price-down.yaml")
    stage.play(scenario.course)
    with stage.database.look(SYSTEM) as work:
        rows: Any = work.rows(select(RegisterRecord).where(RegisterRecord.register == "publicity"))
    said: Any = [(row["key"], from_json(row["value"])) for row in sorted(rows, key=lambda row: row["version"])]
    last = {key: value["status"] for key, value in said}
    assert [last[key] for key in sorted(last)] == ["superseded", "closed"]


def test_a_rejection_says_why_and_until_when_it_can_be_appealed_against(stages: Any) -> None:
    stage, scenario = stages("p2-10.yaml")
    stage.play(scenario.course)
    notice = next(text for name, text in issued(stage).items() if name.startswith("结果通知书"))
    assert "决策未通过" in notice and "2026年3月16日" in notice and "高一层级" in notice


def test_the_registration_opens_with_what_is_known(stages: Any) -> None:
    stage, scenario = stages("p2-registration.yaml")
    played_until(stage, scenario, "submit_contract")
    with stage.database.look(SYSTEM) as work:
        item: Any = work.row(select(Task.prefill, Task.case).where(Task.element == "submit_contract"))
        kept: Any = work.row(select(Document.name).where(Document.case == item["case"]))
    prefill: Any = from_json(item["prefill"])
    assert [(party["role"], party["name"]) for party in prefill["parties"]] == [
        ("seller", "北京某大学"), ("buyer", "北京某材料有限公司"),
    ]  # fmt: skip
    assert (prefill["claimed_type"], prefill["tech_amount_fen"]) == ("tech_transfer", 100_000_000)
    assert kept["name"] == prefill["contract_file"].name == "技术合同.pdf"


def test_whoever_declared_an_interest_in_the_recipient_decides_on_no_level(stages: Any) -> None:
    stage, scenario = stages("p2-02.yaml")
    case, level = played_until(stage, scenario, "tier_approve")
    with stage.database.work(SYSTEM) as work:
        people.recuse(work, stage.person("系主任辛"), "持有股权", party="北京某材料有限公司")
    stage.step(case, Step("refuse", "tier_approve", {"by": "系主任辛", "because": "recusal"}, level.line))


def test_an_incentive_entered_meanwhile_stops_the_signature(stages: Any) -> None:
    stage, scenario = stages("p2-02.yaml")
    case, signature = played_until(stage, scenario, "sign_contract")
    value = {
        "achievement_id": "KJCG-1",
        "conversion_id": "北京某材料有限公司",
        "mode": "empower_first",
        "status": "active",
    }
    row = {"id": "meanwhile", "register": "incentive", "key": "KJCG-1/北京某材料有限公司", "version": 1}
    with stage.database.work(SYSTEM) as work:
        work.add(
            RegisterRecord, {**row, "value": to_json(dict(value)), "case": None, "element": "given", "at": work.now}
        )
    with pytest.raises(Taken, match="already holds"):
        stage.step(case, signature)
    assert stage.open(case) == ["sign_contract"]
    assert [each["status"] for each in written(stage, "deal")] == ["approved"]
