"""Compares what the trail tells with what belongs to no case: versions, parameters, calendar, policy texts, people,
numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from engine.model import (
    CalendarDay,
    CaseFile,
    Definition,
    DefinitionFile,
    Delegation,
    ParameterSet,
    Person,
    PersonRole,
    PolicyText,
    Recusal,
)
from engine.model import Counter as Series
from engine.trail.agreeing import stored
from engine.trail.committing import OF_A_RECUSAL, days_hash, fits
from engine.trail.record import DEFINITIONS, PEOPLE, POLICY
from engine.trail.told import DELEGATION, Told
from engine.trail.verdict import Verdict
from engine.work import Work

NUMBERS = "sys/numbers"
"""Where a flaw of a series of numbers is said to be: no stream tells of them all."""


def check_institution(work: Work, told: Told, verdict: Verdict) -> None:
    """Compare all of it."""
    _check_definitions(work, told, verdict)
    _check_parameters(work, told, verdict)
    _check_calendar(work, told, verdict)
    _check_policies(work, told, verdict)
    _check_people(work, told, verdict)
    _check_delegations(work, told, verdict)
    _check_recusals(work, told, verdict)
    _check_numbers(work, told, verdict)


def _check_definitions(work: Work, told: Told, verdict: Verdict) -> None:
    """Every version is still the one that was deployed: what it is called, what it uses, each of its files."""
    columns = (Definition.id, Definition.process, Definition.version, Definition.sha256, Definition.uses)
    kept: dict[str, tuple[Any, ...]] = {row[0]: (*row[1:], {}) for row in work.db.execute(select(*columns))}
    files = select(DefinitionFile.definition, DefinitionFile.path, DefinitionFile.content)
    for row in work.db.execute(files.execution_options(yield_per=100)):
        if row.definition in kept:
            kept[row.definition][-1][row.path] = hashlib.sha256(row.content).hexdigest()
    for identity in sorted(kept.keys() | told.definitions.keys()):
        if identity not in kept or kept[identity] != _deployed(told.definitions.get(identity, {})):
            verdict.flaw(
                DEFINITIONS,
                f"流程版本 {identity} 不是部署时的版本（文件、编号或所调用的版本）",
                f"the definition {identity} is not the one that was deployed: its files, number or what it calls",
            )


def _deployed(data: dict[str, Any]) -> tuple[Any, ...]:
    files = {each.get("path"): each.get("sha256") for each in data.get("files", [])}
    return (data.get("process"), data.get("version"), data.get("sha256"), json.dumps(data.get("uses")), files)


def _check_parameters(work: Work, told: Told, verdict: Verdict) -> None:
    """Every set of parameters is still the one that was adopted."""
    day = work.as_stored(ParameterSet.effective_from)
    sets = work.db.execute(select(ParameterSet.id, ParameterSet.values, day.label("day")))
    adopted = {row.id: (hashlib.sha256(row.values.encode()).hexdigest(), str(row.day)) for row in sets}
    for identity in sorted(adopted.keys() | told.parameters.keys()):
        if adopted.get(identity) != told.parameters.get(identity):
            verdict.flaw(
                POLICY,
                f"参数 {identity} 不是采用时的参数",
                f"the parameter set {identity} is not the one that was adopted",
            )


def _check_calendar(work: Work, told: Told, verdict: Verdict) -> None:
    """Every version of the calendar has the days that were loaded; of before, as many from the first to the last."""
    day = work.as_stored(CalendarDay.day)
    columns = (CalendarDay.version, day.label("day"), CalendarDay.working, CalendarDay.source, CalendarDay.note)
    loaded: dict[str, list[tuple[str, bool, str, str]]] = {}
    for row in work.db.execute(select(*columns).order_by(CalendarDay.version, CalendarDay.day)):
        loaded.setdefault(str(row.version), []).append((str(row.day), row.working, row.source, row.note))
    older = 0
    for version in sorted(loaded.keys() | told.calendars.keys()):
        days, said = loaded.get(version, []), told.calendars.get(version, {})
        found = {"days": len(days), "first": days[0][0] if days else None, "last": days[-1][0] if days else None}
        if "sha256" in said:
            found["sha256"] = days_hash(days)
        elif said:
            older += 1
        if any(said.get(name) != value for name, value in found.items()):
            verdict.flaw(
                POLICY,
                f"日历第 {version} 版不是载入时的日期",
                f"the days of version {version} of the calendar are not those that were loaded",
            )
    verdict.note(
        older,
        "版日历早于承诺值，只核对了天数和起止",
        "versions of the calendar are older than their hashes: only their number of days and period were compared",
    )


def _check_policies(work: Work, told: Told, verdict: Verdict) -> None:
    """Every imported policy text is the one that was imported."""
    columns = (PolicyText.code, PolicyText.number, PolicyText.sha256, PolicyText.content)
    found = {
        (row.code, str(row.number)): (row.sha256, hashlib.sha256(row.content.encode()).hexdigest())
        for row in work.db.execute(select(*columns).execution_options(yield_per=10))
    }
    for key in sorted(found.keys() | told.policies.keys()):
        if found.get(key) != (told.policies.get(key),) * 2:
            where = " #".join(key)
            verdict.flaw(
                POLICY,
                f"政策文件 {where} 不是导入时的文字",
                f"the policy text {where} is not the one that was imported",
            )


# People.


def _check_people(work: Work, told: Told, verdict: Verdict) -> None:
    """Everybody was entered, and holds exactly the roles that were granted."""
    people = {row.id: row.active for row in work.db.execute(select(Person.id, Person.active))}
    for person in sorted(person for person, active in people.items() if active and not told.people.get(person, True)):
        verdict.flaw(
            PEOPLE, f"人员 {person} 已停用，又能登录", f"the person {person} was deactivated and yet may sign in again"
        )
    for person in sorted(people.keys() ^ told.people.keys()):
        verdict.flaw(
            PEOPLE,
            f"人员 {person} 没有登记过，或已登记而不见了",
            f"the person {person} was never entered, or was entered and is gone",
        )
    held = {(row.person, row.role) for row in work.db.execute(select(PersonRole.person, PersonRole.role))}
    for person, role in sorted(held - told.roles):
        verdict.flaw(
            PEOPLE,
            f"人员 {person} 有角色 {role}，但轨迹中没有授予记录",
            f"the person {person} holds the role {role}, which no event tells to have been granted",
        )
    for person, role in sorted(told.roles - held):
        verdict.flaw(
            PEOPLE,
            f"人员 {person} 被授予的角色 {role} 不见了",
            f"the role {role} that was granted to the person {person} is gone",
        )


def _check_delegations(work: Work, told: Told, verdict: Verdict) -> None:
    """Every delegation was made as it stands, and as many stand as were made and not ended."""
    columns = [getattr(Delegation, name) for name in DELEGATION]
    days = [work.as_stored(each) for each in columns[3:]]
    stand = Counter(tuple(str(part) for part in row) for row in work.db.execute(select(*columns[:3], *days)))
    left = Counter[tuple[str, ...]]()
    for made, times in told.delegations.items():
        left[made[:3]] += times
    left.subtract(told.ended)
    left.subtract(Counter(each[:3] for each in stand.elements()))
    wrong = {made[:3] for made, times in stand.items() if times > told.delegations[made]}
    for person, substitute, role in sorted(wrong | {each for each, number in left.items() if number}):
        verdict.flaw(
            PEOPLE,
            f"{person} 以角色 {role} 给 {substitute} 的委托与轨迹不符",
            f"the delegations of {person} to {substitute} in the role {role} are not those the trail tells of",
        )


def _check_recusals(work: Work, told: Told, verdict: Verdict) -> None:
    """Every recusal is the one the trail is committed to; of before, nobody has more or fewer."""
    older = Counter[tuple[str, str | None, bool]]()
    wrong = set[str]()
    for row in stored(work, Recusal, (*OF_A_RECUSAL, "id", "salt")):
        said = told.recusals.pop(row["id"], None)
        if said is None and row["salt"] is None:
            older[row["person"], row["case"], row["party"] is not None] += 1
        elif said is None or not fits(said, row, OF_A_RECUSAL):
            wrong.add(row["person"])
    different = {key for key in older | told.old_recusals if older[key] != told.old_recusals[key]}
    for person in sorted(wrong | {person for person, _, _ in different}):
        verdict.flaw(
            PEOPLE,
            f"人员 {person} 的回避与轨迹不符",
            f"the recusals of the person {person} are not those the trail tells of",
        )
    for identity in told.recusals:
        verdict.flaw(
            PEOPLE, f"轨迹提到的回避 {identity} 不见了", f"the recusal {identity} that the trail tells of is gone"
        )
    verdict.note(
        older.total(),
        "项回避早于承诺值，其当事方和理由不能核对",
        "recusals are older than commitments: their parties and reasons cannot be compared",
    )


# Numbers.


def _check_numbers(work: Work, told: Told, verdict: Verdict) -> None:
    """Every number was drawn once and, from the first that was told, none is missing up to where its series stands."""
    kept = work.db.execute(select(CaseFile.number)).scalars()
    drawn, known = _by_series(told.numbers), _by_series(set(kept) | told.numbers.keys())
    ends = {row.series: row.value for row in work.db.execute(select(Series.series, Series.value))}
    for series in sorted(known):
        end, told_of = ends.get(series, 0), drawn.get(series, set())
        missing = [n for n in range(min(told_of, default=end + 1), end + 1) if n not in known[series]]
        if missing:
            said = "、".join(f"{n:05d}" for n in missing[:5])
            verdict.flaw(
                NUMBERS, f"{series} 缺少编号 {said}：有案卷或记录消失", f"{series} lacks {said}: something vanished"
            )
        if max(known[series]) > end:
            verdict.flaw(
                NUMBERS, f"{series} 的编号超出计数器（{end}）", f"{series} has numbers beyond its counter ({end})"
            )
    for number in sorted(number for number, times in told.numbers.items() if times > 1):
        verdict.flaw(NUMBERS, f"编号 {number} 出现两次", f"the number {number} was drawn twice")


def _by_series(numbers: Iterable[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for number in numbers:
        series, _, count = number.rpartition("-")
        if count.isdecimal():
            found.setdefault(series, set()).add(int(count))
    return found
