"""Measures activities of many members: a thousand at once, and countersigners each with a reminder of their own."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from engine import cases, inbox
from engine.growth import begin
from engine.model import Task, Timer, table
from engine.schema import upgrade
from engine.work import SYSTEM, Database


@dataclass(frozen=True, slots=True)
class Shape:
    """How the members do their part: all at once or one after the other, and after how many the rest is skipped."""

    members: int
    sequential: bool
    reminded: bool
    enough: int

    @property
    def name(self) -> str:
        """The shape in words."""
        how = "sequential" if self.sequential else "parallel"
        return f"{how}, a timer each" if self.reminded else how


def shapes(members: int = 1_000, signers: int = 200) -> tuple[Shape, ...]:
    """So many members without, and so many with a timer each, of whom four in five are enough; in both orders."""
    return tuple(
        Shape(count, turn, reminded, enough)
        for count, reminded, enough in ((members, False, members), (signers, True, signers * 4 // 5))
        for turn in (False, True)
    )


FORMS = {
    "apply": """
id: apply
title: {zh: 申请, en: Apply}
fields: [{code: members, kind: integer, label: {zh: 人数, en: Members}, required: true, example: 3}]
""",
    "sign": """
id: sign
title: {zh: 会签, en: Sign}
fields: [{code: agreed, kind: yes_no, label: {zh: 同意, en: Agreed}, required: true, example: true}]
""",
}
TASK = '<userTask id="sign" name="会签" policy:role="reviewer">{loop}</userTask>'
REMINDED = """<subProcess id="part" name="会签">{loop}
      <startEvent id="begun"/><userTask id="sign" name="会签" policy:role="reviewer"/>
      <boundaryEvent id="late" attachedToRef="sign" cancelActivity="false">
        <timerEventDefinition><timeDuration>P5D</timeDuration></timerEventDefinition></boundaryEvent>
      <endEvent id="signed"/><endEvent id="reminded"/>
      <sequenceFlow id="p1" sourceRef="begun" targetRef="sign"/>
      <sequenceFlow id="p2" sourceRef="sign" targetRef="signed"/>
      <sequenceFlow id="p3" sourceRef="late" targetRef="reminded"/></subProcess>"""
LOOP = """<multiInstanceLoopCharacteristics isSequential="{turn}" policy:output="votes" policy:result="agreed">
      <loopCardinality>members</loopCardinality>
      <completionCondition>nrOfCompletedInstances &gt;= {enough} and all(votes)</completionCondition>
      </multiInstanceLoopCharacteristics>"""
DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy"
    targetNamespace="bench">
  <process id="countersigned" name="会签" isExecutable="true">
    <startEvent id="start"/>
    <userTask id="apply" name="申请" policy:role="reviewer" policy:assignee="applicant"/>
    {activity}
    <endEvent id="end" policy:outcome="done"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="apply"/>
    <sequenceFlow id="f2" sourceRef="apply" targetRef="{id}"/>
    <sequenceFlow id="f3" sourceRef="{id}" targetRef="end"/>
  </process>
</definitions>
"""


def multi(measured: Sequence[Shape] = (), *, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """For each shape (all of ``shapes`` if none is given) a row of figures.

    ``open_ms`` is what opening the activity takes, ``step_ms`` and ``slowest_ms`` are the median and the longest of the
    members' steps, ``state_bytes`` the largest state; ``skipped`` are the members whom the completion condition spared.
    """
    rows = []
    for shape in measured or shapes():
        told(f"{shape.members} {shape.name}")
        with tempfile.TemporaryDirectory() as folder:
            url = str(Path(folder) / "multi.db")
            upgrade(url)
            database = Database(url)
            try:
                rows.append(_measured(database, shape))
            finally:
                database.close()
    return {"rows": rows}


def _measured(database: Database, shape: Shape) -> dict[str, Any]:
    loop = LOOP.format(turn=str(shape.sequential).lower(), enough=shape.enough)
    activity = (REMINDED if shape.reminded else TASK).format(loop=loop)
    diagram = DIAGRAM.format(activity=activity, id="part" if shape.reminded else "sign")
    _, actor = begin(database, "countersigned", diagram, FORMS, {"members": 1})
    began = time.perf_counter()
    with cases.acting(database, actor) as work:
        case = cases.start(work, "countersigned", {"members": shape.members})
    opened = time.perf_counter() - began
    times: list[float] = []
    largest = _state(database, case)
    while waiting := _open(database, case):
        for task in waiting[: shape.enough - len(times)]:
            began = time.perf_counter()
            with cases.acting(database, actor) as work:
                cases.complete(work, task, {"agreed": True})
            times.append(time.perf_counter() - began)
            largest = max(largest, _state(database, case)) if shape.sequential else largest
    with database.look(SYSTEM) as work:
        outcome = inbox.case(work, case)["outcome"]
        timers = work.db.execute(select(func.count()).select_from(table(Timer)).where(Timer.case == case)).scalar_one()
    return {
        "members": shape.members,
        "shape": shape.name,
        "open_ms": round(opened * 1000, 3),
        "step_ms": round(statistics.median(times) * 1000, 3),
        "slowest_ms": round(max(times) * 1000, 3),
        "total_s": round(opened + sum(times), 3),
        "state_bytes": largest,
        "completed": len(times),
        "skipped": shape.members - len(times),
        "timers_left": timers,
        "outcome": outcome,
    }


def _open(database: Database, case: str) -> list[str]:
    with database.look(SYSTEM) as work:
        query = select(Task.id).where(Task.case == case, Task.closed_at.is_(None)).order_by(Task.token)
        return list(work.db.execute(query).scalars())


def _state(database: Database, case: str) -> int:
    with database.look(SYSTEM) as work:
        row = inbox.case(work, case)
    return len(row["state"].encode()) + len(row["scopes"].encode())
