"""What an empowerment leaves in registers and documents, and what its signatures are guarded by, on the real engine."""

from __future__ import annotations

import io
import re
import zipfile
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine import inbox
from engine.desk import Desk
from engine.errors import Invalid
from engine.filling import filled
from engine.library import Library
from engine.model import Document, DocumentContent, RegisterRecord
from engine.registers import records
from engine.scenario_file import Scenario, Step, read_scenario
from engine.scenarios import SetClock, Stage
from engine.work import SYSTEM, Database
from forms.answer import World, check
from forms.values import PersonRef, from_json
from tests.web_reader import SECRET, Reader
from webui import create_app

WORKED = {
    path.removeprefix("scenarios/"): text.decode()
    for path, text in Library.standing().package("empower_then_exercise").scenarios().items()
}
SIGN = "sign_empowerment_agreement"
SetStage = Callable[[str], tuple[Stage, Scenario]]


@pytest.fixture
def stages(database_url: str) -> Iterator[SetStage]:
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


def played(stage: Stage, scenario: Scenario) -> str:
    """The worked case, played to its end."""
    case = stage.play(scenario.course)
    assert case is not None
    return case


def upto(stage: Stage, scenario: Scenario, element: str, *, times: int = 1) -> list[str]:
    """So many cases of this scenario side by side, each played until this element is to be done."""
    begun = [stage.play(replace(scenario.course, steps=())) for _ in range(times)]
    found = [case for case in begun if case is not None]
    for step in scenario.course.steps:
        if step.what == element:
            return found
        if step.kind in ("do", "send"):
            for case in found:
                stage.step(case, step)
        elif step.kind == "wait":
            stage.step(found[0], step)
    raise AssertionError(f"{element} is no step of {scenario.id}")


def latest(stage: Stage, register: str) -> dict[str, Any]:
    """The newest version of every record of a register, by key."""
    with stage.database.look(SYSTEM) as work:
        return {str(row["key"]): row for row in records(work, register)}


def papers(stage: Stage) -> dict[str, str]:
    """The text of every document that was issued, by its kind."""
    query = select(Document.name, DocumentContent.content)
    query = query.join(DocumentContent, DocumentContent.sha256 == Document.sha256)
    found = {}
    with stage.database.look(SYSTEM) as work:
        for row in work.db.execute(query.where(Document.name.endswith(".docx"))):
            paper = zipfile.ZipFile(io.BytesIO(row.content)).read("word/document.xml").decode()
            found[row.name.partition("（")[0]] = re.sub("<[^>]+>", "", paper)
    return found


# What is left behind.


def test_the_case_of_jishuitan_leaves_one_incentive_and_an_ownership_that_stays(stages: SetStage) -> None:
    stage, scenario = stages("p1-01.yaml")
    played(stage, scenario)
    team = [PersonRef(stage.person(name)) for name in ("组长甲", "成员乙")]
    [incentive] = latest(stage, "incentive").values()
    assert (incentive["mode"], incentive["status"], incentive["persons"]) == ("empower_first", "executed", team)
    [empowerment] = latest(stage, "empowerment").values()
    assert (empowerment["scope"], empowerment["team_ownership_bp"]) == ("ownership_part", 7000)
    assert empowerment["status"] == "active", "unit and inventors stay co-owners on the books"
    [entry] = [row for row in latest(stage, "asset_ledger").values() if row["kind"] == "empowerment"]
    assert (entry["achievement_id"], entry["value_fen"]) == ("JST-001", 1_500_000)
    result = papers(stage)["共同转化结果"]
    assert "700,000.00 元（70.00%）" in result and "300,000.00 元（30.00%）" in result


def test_an_exercise_leaves_state_equity_ends_the_right_and_starts_a_registration(stages: SetStage) -> None:
    stage, scenario = stages("p1-02.yaml")
    case = played(stage, scenario)
    [equity] = [row for row in latest(stage, "asset_ledger").values() if row["kind"] == "state_equity"]
    assert equity["value_fen"] == 240_000_000, "3/10 of 8,000,000 yuan"
    [empowerment], [incentive] = latest(stage, "empowerment").values(), latest(stage, "incentive").values()
    assert (empowerment["status"], incentive["status"]) == ("ended", "executed")
    with stage.database.look(SYSTEM) as work:
        [child] = stage.children(work, case)
        assert (child["process"], child["applicant"]) == ("tech_contract_registration", None)
        [item] = inbox.items_of(work, child["id"])
    actor = stage.person("合同寅")
    with stage.database.look(actor) as work:
        row = inbox.task(work, item["id"])
        answer = filled(Desk.thawed(work, inbox.case(work, child["id"])), row, {})
    assert (answer["amount_fen"], answer["claimed_type"]) == (800_000_000, "tech_transfer")
    assert answer["contract_title"] == "高精度惯性测量技术作价入股合同"


def test_its_documents_say_what_was_decided(stages: SetStage) -> None:
    stage, scenario = stages("p1-02.yaml")
    played(stage, scenario)
    found = papers(stage)
    assert found.keys() >= {"赋权申请表", "赋权协议文本", "资产单列登记表", "作价入股条款", "国有股权登记表"}
    agreement = found["赋权协议文本"]
    assert "使用权 10 年" in agreement and "转化收入的 70.00% 归团队，30.00% 归单位" in agreement
    assert "项目企业累计融资额" in agreement and "不低于 5000000" in agreement and "全部满足" in agreement
    terms = found["作价入股条款"]
    assert "8000000.00/20000000.00" in terms and "占企业 28.00%" in terms and "占企业 12.00%" in terms


def test_a_withdrawn_application_leaves_nothing_in_the_registers_of_rights(stages: SetStage) -> None:
    stage, scenario = stages("p1-11.yaml")
    played(stage, scenario)
    assert not latest(stage, "empowerment") and not latest(stage, "incentive")
    [publicity] = latest(stage, "publicity").values()
    assert publicity["status"] == "withdrawn"


def test_an_extension_writes_the_new_end_of_the_right(stages: SetStage) -> None:
    stage, scenario = stages("p1-10.yaml")
    played(stage, scenario)
    [empowerment] = latest(stage, "empowerment").values()
    assert (str(empowerment["starts_on"]), str(empowerment["expires_on"])) == ("2026-03-18", "2041-03-18")
    query = select(RegisterRecord.value).where(RegisterRecord.register == "empowerment")
    with stage.database.look(SYSTEM) as work:
        kept = [from_json(row.value) for row in work.db.execute(query.order_by(RegisterRecord.version))]
    assert [str(each["expires_on"]) for each in kept if isinstance(each, dict)][1:] == ["2036-03-18", "2041-03-18"]


# What a signature is guarded by.


def broken(stage: Stage, case: str, element: str, changed: dict[str, Any]) -> set[str]:
    """The rules of the open form that do not hold when these variables of the case are other than they were."""
    with stage.database.look(stage.person("签署子")) as work:
        [item] = [row for row in inbox.items_of(work, case) if row["element"] == element and row["closed_at"] is None]
        row = inbox.task(work, item["id"])
        desk = Desk.thawed(work, inbox.case(work, case))
        form, world = desk.deployed.form(row["process"], element), desk.world(row["token"])
        other = World(ChainMap(changed, dict(world.names)), world.functions, world.people)
        said = {problem.text.zh for problem in check(form, filled(desk, row, {}), other).problems}
        return {rule.text.zh for rule in form.rules} & said


@pytest.mark.parametrize(
    "changed",
    [{"team_income_bp": 7100}, {"receiver_name": "另一家公司"}, {"value_fen": 1}, {"team_ownership_bp": 6000}],
)
def test_what_is_signed_is_what_was_publicised(stages: SetStage, changed: dict[str, Any]) -> None:
    stage, scenario = stages("p1-objection-rejected.yaml")
    [case] = upto(stage, scenario, SIGN)
    assert broken(stage, case, SIGN, {}) == set()
    assert broken(stage, case, SIGN, changed) == {"协议内容与公示的不一致，须重新公示"}


def test_what_is_invested_is_what_was_publicised_and_decided(stages: SetStage) -> None:
    stage, scenario = stages("p1-02.yaml")
    element = "sign_investment_agreement"
    [case] = upto(stage, scenario, element)
    assert broken(stage, case, element, {}) == set()
    assert broken(stage, case, element, {"price_fen": 1}) == {"协议内容与公示的不一致，须重新公示"}
    assert broken(stage, case, element, {"collective_result": "rejected"}) == {"未经集体决策通过，不得签署"}


def test_of_two_applications_for_one_achievement_only_one_is_signed(stages: SetStage) -> None:
    stage, scenario = stages("p1-withdraw-too-late.yaml")
    first, second = upto(stage, scenario, SIGN, times=2)
    stage.do(first, SIGN, "签署子", {})
    with pytest.raises(Invalid) as refusal:
        stage.do(second, SIGN, "签署子", {})
    assert [problem.code for problem in refusal.value.problems] == ["agreement_file"]
    assert len(latest(stage, "empowerment")) == len(latest(stage, "incentive")) == 1


def test_an_overrun_of_the_deadline_decides_nothing(stages: SetStage) -> None:
    stage, scenario = stages("p1-03.yaml")
    [case] = upto(stage, scenario, "company_delay_decision")
    stage.step(case, Step("wait", {"days": 400}, {}, 0))
    assert stage.open(case) == ["company_delay_decision"]
    with stage.database.look(SYSTEM) as work:
        assert inbox.case(work, case)["status"] == "open"


# What people read.


@pytest.mark.parametrize(
    "name", ["p1-02.yaml", "p1-ip-change.yaml", "p1-breach-not-cured.yaml", "p1-extension-ways.yaml", "p1-insider.yaml"]
)
def test_every_form_can_be_read_on_its_page(stages: SetStage, name: str) -> None:
    stage, scenario = stages(name)
    app = create_app(stage.database, secret=SECRET, demo=True)
    readers = {who: Reader(app).sign_in(stage.person(who)) for held in scenario.people.values() for who in held}
    case = stage.play(replace(scenario.course, steps=()))
    assert case is not None
    for step in scenario.course.steps:
        if step.kind == "do":
            for who in step.rest["by"] if isinstance(step.rest["by"], list) else [step.rest["by"]]:
                task = stage.item(case, str(step.what), stage.person(who))
                assert readers[who].get(f"/tasks/{task}").form() is not None
                stage.do(case, str(step.what), who, step.rest.get("with") or {})
        elif step.kind in ("send", "wait"):
            stage.step(case, step)
    shown = readers["组长甲"].get(f"/cases/{case}")
    assert "高精度惯性测量技术：赋权" in shown.heading
