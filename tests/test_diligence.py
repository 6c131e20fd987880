"""The diligence review on both databases: an altered trail, late evidence, and an owner's own negative list."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from engine import definitions, inbox
from engine.desk import Desk
from engine.expectations import Audience
from engine.library import Library, Package
from engine.model import APPEND_ONLY
from engine.scenario_file import read_scenario
from engine.scenarios import SetClock, Stage, play
from engine.trail.duties import facts_of
from engine.work import SYSTEM, Database
from tests.conftest import KINDS, NewDatabase
from tests.office import package

REVIEW = """
id: P3-07
process: diligence_exemption_review
now: 2026-03-02 09:00
people:
  tto_officer: 转化经办
  vice_president: 分管领导
  requester: 审计处
  compliance_officer: 合规专员
  case_handlers: 补证经办
  discipline_office: 纪检人员
  diligence_panel: [评议甲, 评议乙, 评议丙]
  president_meeting: 办公会秘书
before:
  - as: deal
    process: dealt
    start: {by: 转化经办, with: {mode: licence, notice: 公示材料}}
    steps:
      - {do: confirm_deal, by: 分管领导}
start:
  by: 审计处
  with:
    trigger: value_change
    target_instances: [$deal]
    persons_reviewed: [{person: 分管领导, role: manager}]
"""


def stage_of(text: str, url: str, *packages: Package) -> Stage:
    """The world of a scenario, its earlier cases played."""
    scenario = read_scenario(text, "p3.yaml")
    stage = Stage(scenario, SetClock(scenario.now))
    stage.database = Database(url, stage.clock)
    with stage.database.work(SYSTEM) as work:
        for each in (package("dealt"), *packages):
            definitions.deploy(work, each, Library.standing().vocabulary())
    stage.set()
    for course in scenario.before:
        stage.earlier[course.name] = stage.play(course) or ""
    return stage


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, new_database: NewDatabase) -> str:
    return new_database(request.param)


@pytest.fixture
def stage(url: str) -> Iterator[Stage]:
    """A closed deal, and everybody for a review of it."""
    stage = stage_of(REVIEW, url)
    yield stage
    stage.database.close()


def begun(stage: Stage) -> str:
    """The review, opened."""
    case = stage.play(stage.scenario.course)
    assert case is not None
    return case


def seen(stage: Stage, case: str, **what: object) -> None:
    """The case is as expected."""
    with stage.database.look(SYSTEM) as work:
        Audience(work, case, 0).compare(what)


def alter(url: str, case: str) -> None:
    """One event of a case is changed by somebody who took the fences of the database down."""
    change = f"UPDATE event SET body = replace(body, 'task.completed', 'task.cancelled') WHERE stream = 'case/{case}'"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            assert database.execute(change).rowcount
        return
    with psycopg.connect(url) as server:
        for table in APPEND_ONLY:
            server.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        assert server.execute(change.encode()).rowcount


# P3-07.


def test_a_review_of_a_case_whose_trail_was_altered_ends_as_an_integrity_failure(stage: Stage, url: str) -> None:
    alter(url, stage.earlier["deal"])
    case = begun(stage)
    seen(stage, case, open=["integrity_incident"], variables={"chain_ok": False})
    stage.do(case, "integrity_incident", "合规专员", {})
    seen(stage, case, outcome="integrity_failure", never=["gap_check", "panel_opinion"], trail="intact")


def test_a_review_of_the_same_case_unaltered_goes_on(stage: Stage) -> None:
    case = begun(stage)
    seen(stage, case, open=["gap_check"], variables={"chain_ok": True}, never=["integrity_incident"])


def test_of_two_cases_one_altered_is_enough(stage: Stage, url: str) -> None:
    other = stage.play(stage.scenario.before[0])
    assert other is not None
    alter(url, other)
    start = stage.scenario.course.start
    both = {**start, "with": {**start["with"], "target_instances": ["$deal", other]}}
    case = stage.play(replace(stage.scenario.course, start=both))
    assert case is not None
    seen(stage, case, open=["integrity_incident"])


# What comes late.


def test_what_is_supplied_is_kept_as_a_late_document_and_a_late_entry(stage: Stage) -> None:
    case = begun(stage)
    stage.do(case, "gap_check", "合规专员", {"items": [{"fact": "F-SV-05", "status": "missing"}]})
    row = {"fact": "F-SV-05", "file": {"file": "台账.pdf"}, "origin": "财务处", "reason": "当时未入账"}
    stage.do(case, "supplement_evidence", "补证经办", {"items": [row]})
    with stage.database.look(SYSTEM) as work:
        late = [each["name"] for each in inbox.documents(work, case) if each["late"]]
        told = [json.loads(row["body"])["data"] for row in inbox.events(work, case) if row["kind"] == "task.completed"]
        left = facts_of(work, case)
    assert late == ["台账.pdf"]
    assert told[-1]["late"] is True
    assert "supplement_evidence" in left["F-SV-11"]
    seen(stage, case, open=["gap_check"])
    stage.do(case, "gap_check", "合规专员", {})
    seen(stage, case, open=["negative_list_check"])
    met = {"democratic_decision": "met", "info_publicity": "met", "reasonable_care": "met"}
    seen(stage, case, variables={"computed": {**met, "supervision": "partly"}})


# The negative list is an owner's.


def own_list() -> Package:
    """The shipped process with one more item in its list, asked about only after a complaint."""
    shipped = Library.standing().package("diligence_exemption_review")
    texts = ("NL-15", "打击报复举报人", "全程", "本单位")
    outputs = "".join(f'<outputEntry><text>"{text}"</text></outputEntry>' for text in texts)
    rule = f'<rule><inputEntry><text>"complaint"</text></inputEntry>{outputs}</rule></decisionTable>'
    table = shipped.files["negative_list.dmn"].decode().replace("</decisionTable>", rule)
    return Package(shipped.origin, {**shipped.files, "negative_list.dmn": table.encode()})


@pytest.mark.parametrize(("trigger", "items"), [("complaint", 15), ("periodic", 14)])
def test_an_item_that_an_owner_adds_to_the_list_is_asked_about(
    new_database: NewDatabase, trigger: str, items: int
) -> None:
    text = REVIEW.replace("trigger: value_change", f"trigger: {trigger}")
    stage = stage_of(text, new_database("sqlite"), own_list())
    case = begun(stage)
    stage.do(case, "gap_check", "合规专员", {})
    given = {"items": [{"code": "NL-15", "hit": True, "severity": "serious"}]} if trigger == "complaint" else {}
    stage.do(case, "negative_list_check", "合规专员", given)
    with stage.database.look(SYSTEM) as work:
        sheet = [each["name"] for each in inbox.documents(work, case)]
    assert any(name.startswith("负面清单核查表") for name in sheet)
    with stage.database.look(SYSTEM) as work:
        desk = Desk.thawed(work, inbox.case(work, case))
        rows: Any = desk.instance.scopes.innermost(desk.given)["negative_items"]
    found = [row["code"] for row in rows]
    assert len(found) == items and ("NL-15" in found) is (trigger == "complaint")
    stage.database.close()


def test_the_shipped_review_plays_on_a_case_of_any_process(url: str) -> None:
    steps = """
steps:
  - {do: gap_check, by: 合规专员}
  - {do: negative_list_check, by: 合规专员}
  - {do: illegal_gain_check, by: 纪检人员}
  - {do: appoint_panel, by: 合规专员, with: {panel: [评议甲, 评议乙, 评议丙], chair: 评议乙}}
  - {do: panel_opinion, by: [评议甲, 评议乙, 评议丙]}
  - {do: panel_conclusion, by: 评议乙}
  - {do: tier_approve, by: 办公会秘书}
  - {do: notify_persons, by: 合规专员}
  - {expect: {open: []}}
  - {wait: {working_days: 11}}
expect:
  outcome: exempt
  duties: {democratic_decision: met, info_publicity: met, reasonable_care: met, supervision: met}
  trail: intact
"""
    database = Database(url)
    with database.work(SYSTEM) as work:
        definitions.deploy(work, package("dealt"), Library.standing().vocabulary())
    database.close()
    played = play(read_scenario(REVIEW + steps, "p3.yaml"), url)
    assert played.passed, f"{played.line}: {played.difference}"
