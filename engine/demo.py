"""People and cases to look at: one person for each role, and cases played through the engine itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from bpmn.reader import read_diagram
from engine import people
from engine.errors import Refusal, Unusable
from engine.library import Library
from engine.model import Person, PersonRole
from engine.scenario_file import Scenario, read_scenario
from engine.scenarios import SetClock
from engine.walk import Walker
from engine.work import SYSTEM, Database, Work

DEMO = "demo."
PERIOD, SETTLED = timedelta(days=200), timedelta(days=40)
ACCOUNTS, CASES, RULES = "register_account", "tech_contract_registration", "policy_adoption"

PEOPLE: Mapping[str, tuple[str, ...]] = {
    "inventor_lead": ("周启明",),
    "co_inventor": ("吴晓岚", "郑文博"),
    "dept_head": ("孙立群",),
    "tto_officer": ("李转化", "何静宜"),
    "tto_director": ("高明远",),
    "tech_manager": ("梁经理",),
    "ip_legal": ("宋知权",),
    "security_ethics": ("韩保密",),
    "asset_finance": ("钱守正",),
    "vice_president": ("许分管",),
    "president_meeting": ("校长办公会秘书 唐文",),
    "party_committee": ("党委常委会秘书 冯慎",),
    "publicity_officer": ("董公示",),
    "objection_panel": ("袁议", "蒋衡", "沈听"),
    "unit_signatory": ("韦签署",),
    "compliance_officer": ("严合规",),
    "discipline_office": ("纪明",),
    "project_company": ("新启科技 陆总",),
    "contract_applicant": ("北京某大学 赵申请", "维泰凯信 王申请"),
    "registrar": ("登记员 陈敏", "登记员 刘洋"),
    "second_reviewer": ("复核员 张慧", "复核员 马骏"),
    "expert": ("专家 林一", "专家 罗二", "专家 谢三", "专家 曾四", "专家 彭五", "专家 曹六", "专家 田七"),
    "registration_head": ("登记机构负责人 朱正",),
    "market_office": ("市场办 石青",),
    "competent_department": ("主管部门 孔立",),
    "finance_department": ("财政部门 白勤",),
    "applicant_security": ("保密部门 秦守",),
    "requester": ("申请人 尤念",),
    "case_handlers": ("经办人 施行",),
    "diligence_panel": ("评议组 夏清", "评议组 方平", "评议组 石正", "评议组 尹默", "评议组 章和", "评议组 毕达"),
    "process_owner": ("流程负责人 郭绘",),
    "sysadmin": ("系统管理员 管理",),
}
"""Demo people by role."""


def add_people(work: Work) -> None:
    """Add the demo people, once. They have no password: only the demo's sign-in page lets one be them."""
    for role, names in PEOPLE.items():
        for number, name in enumerate(names, 1):
            login = f"{DEMO}{role}{number if len(names) > 1 else ''}"
            if work.db.execute(select(Person.id).where(Person.login == login)).scalar_one_or_none() is None:
                people.add(work, login, name, [role], organisation="演示")


def listed(work: Work) -> list[dict[str, str]]:
    """The demo people with their roles, for the sign-in page."""
    query = (
        select(Person.id, Person.login, Person.name, PersonRole.role)
        .join(PersonRole, PersonRole.person == Person.id)
        .where(Person.login.startswith(DEMO, autoescape=True))
        .order_by(Person.login)
    )
    return work.rows(query)


def register_accounts(database: Database) -> None:
    """Every contract applicant of the demo registers an account, through the process that is there for it."""
    with database.look(SYSTEM) as work:
        holders = [row["id"] for row in listed(work) if row["role"] == "contract_applicant"]
    walker = Walker(database, SetClock(database.clock()), random.Random(0))
    for holder in holders:
        walker.start(ACCOUNTS, actor=holder)


def play(url: str, number: int, *, seed: int = 0, told: Callable[[int], None] = lambda _: None) -> list[str]:
    """Play this many cases of the shipped processes, spread over the last months, along different paths.

    ``told`` hears after each case how many are done. The same seed plays the same choices.
    """
    if number < 0:
        raise Unusable("案卷数量不能为负", "the number of cases cannot be negative")
    here = Database(url)
    now = here.clock()
    here.close()
    clock = SetClock(now - PERIOD)
    database = Database(url, clock)
    library = Library.standing()
    scenarios, others = startable(library), [each for each in mains(library) if each not in (ACCOUNTS, CASES)]
    walker = Walker(database, clock, random.Random(seed), latest=now, boldness=0.2, messages=0.01)
    played = []
    try:
        for index in range(number):
            age = PERIOD * (number - index) ** 2 / number**2  # ever closer to one another
            clock.instant = now - age
            turn = index // 2 % max(len(others), 1)
            wanted = [*others[turn:], *others[:turn]] if index % 2 else []
            case = _started(walker, [*wanted, CASES], scenarios)
            # Old cases have come a long way, those of the last weeks stand anywhere, and the newest have just come in:
            # whatever the walks before them led to, there is something to do.
            newest = index >= number - 2
            for _ in range(0 if newest else 36 if age > SETTLED else walker.random.randrange(1, 9)):
                walker.rest()
                if walker.walk(case, 1) != "open":
                    break
            played.append(case)
            told(index + 1)
    finally:
        database.close()
    return played


def _started(walker: Walker, processes: Sequence[str], scenarios: Mapping[str, list[Scenario]]) -> str:
    """A case of the first of these processes that can be started as things stand: some rest on what is registered."""
    *first, last = processes
    for process in first:
        try:
            # What rules a worked case adopts would hold for all cases after it: here they are those of the examples.
            return walker.start(process, () if process == RULES else scenarios.get(process, ()))
        except Refusal:
            continue
    return walker.start(last, scenarios[last])


def mains(library: Library) -> list[str]:
    """The processes that people start, in the order of their names; the register of achievements comes first."""
    diagrams = {name: read_diagram(library.package(name).files["process.bpmn"], name) for name in library.processes()}
    return [name for name, diagram in diagrams.items() if diagram.process.policy.get("kind", "main") == "main"]


def startable(library: Library) -> dict[str, list[Scenario]]:
    """The worked cases of each process whose start a walk may copy: not refused, resting on nothing before it, and
    naming nobody.
    """
    found: dict[str, list[Scenario]] = {}
    for process in library.processes():
        kept = []
        for path, text in library.package(process).scenarios().items():
            scenario = read_scenario(text.decode("utf-8"), path)
            rests_on_others = scenario.before or scenario.registers.keys() - {"account"}
            if "invalid" not in scenario.course.start and not rests_on_others and not _names_people(scenario):
                kept.append(scenario)
        if kept:
            found[process] = kept
    return found


def _names_people(scenario: Scenario) -> bool:
    """Whether the first answer of a worked case refers to people of that case, whom nobody else knows."""
    names = {name for held in scenario.people.values() for name in held}
    waiting: list[Any] = [scenario.course.start.get("with")]
    for value in waiting:  # grows while it is walked
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str) and value in names:
            return True
    return False


def prepare(url: str, number: int = 0, *, told: Callable[[int], None] = lambda _: None) -> None:
    """Make a demo of a database, once: people, their accounts, and this many cases."""
    database = Database(url)
    try:
        with database.work(SYSTEM) as work:
            fresh = not listed(work)
            add_people(work)
        if fresh:
            register_accounts(database)
    finally:
        database.close()
    if fresh and number:
        play(url, number, told=told)
