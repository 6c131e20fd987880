"""Measures whether a step of a long case costs more than that of a young one: two reviewers in a rework loop."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine import calendar, cases, definitions, inbox, parameter_sets, people
from engine.library import Package, Vocabulary
from engine.schema import upgrade
from engine.work import SYSTEM, Database
from forms.words import Text

MARKS = (10, 100, 1_000, 10_000)
SAMPLE = 50
Begun = tuple[str, str]
"""A case and who does everything in it."""
ROLE = "reviewer"

FORM = """
id: {id}
title: {{zh: 审查, en: Review}}
fields:
  - {{code: again_{id}, kind: yes_no, label: {{zh: 退回重办, en: Again}}, required: true, example: true}}
"""
DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy"
    targetNamespace="bench">
  <process id="rework" name="退回重办" isExecutable="true">
    <startEvent id="start"/>
    <userTask id="apply" name="申请" policy:role="reviewer" policy:assignee="applicant"/>
    <exclusiveGateway id="round"/>
    <parallelGateway id="split"/>
    <userTask id="one" name="审查一" policy:role="reviewer"/>
    <userTask id="two" name="审查二" policy:role="reviewer"/>
    <parallelGateway id="join"/>
    <exclusiveGateway id="again" default="done"/>
    <endEvent id="end" policy:outcome="done"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="apply"/>
    <sequenceFlow id="f2" sourceRef="apply" targetRef="round"/>
    <sequenceFlow id="f3" sourceRef="round" targetRef="split"/>
    <sequenceFlow id="f4" sourceRef="split" targetRef="one"/>
    <sequenceFlow id="f5" sourceRef="split" targetRef="two"/>
    <sequenceFlow id="f6" sourceRef="one" targetRef="join"/>
    <sequenceFlow id="f7" sourceRef="two" targetRef="join"/>
    <sequenceFlow id="f8" sourceRef="join" targetRef="again"/>
    <sequenceFlow id="f9" sourceRef="again" targetRef="round">
      <conditionExpression>again_one or again_two</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="done" sourceRef="again" targetRef="end"/>
  </process>
</definitions>
"""


def growth(marks: tuple[int, ...] = MARKS, *, told: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Step time (median of the last steps, ms) and size of the stored state (bytes) after so many completed tasks."""
    with tempfile.TemporaryDirectory() as folder:
        url = str(Path(folder) / "growth.db")
        upgrade(url)
        database = Database(url)
        try:
            forms = {name: FORM.format(id=name) for name in ("apply", "one", "two")}
            case, actor = begin(database, "rework", DIAGRAM, forms, {"again_apply": True})
            rows, times, completed = [], [], 1
            for mark in marks:
                while completed < mark:
                    for task in _open(database, case):
                        began = time.perf_counter()
                        element = task["element"]
                        with cases.acting(database, actor) as work:
                            cases.complete(work, task["id"], {f"again_{element}": True})
                        times.append(time.perf_counter() - began)
                        completed += 1
                rows.append(_row(database, case, mark, times[-SAMPLE:]))
                told(mark)
        finally:
            database.close()
    return {"rows": rows}


def begin(database: Database, process: str, diagram: str, forms: Mapping[str, str], answer: Mapping[str, Any]) -> Begun:
    """Deploy a process of one reviewer into a new database and start a case with the answer to its first task."""
    files = {"process.bpmn": diagram.encode()}
    files |= {f"forms/{name}.yaml": text.encode() for name, text in forms.items()}
    vocabulary = Vocabulary({ROLE: Text("审查人", "Reviewer")}, {}, {}, {})
    with database.work(SYSTEM) as work:
        calendar.seed(work)
        parameter_sets.seed(work, {})
        definitions.deploy(work, Package(process, files), vocabulary)
        actor = people.add(work, "reviewer", "审查人", [ROLE])
    with cases.acting(database, actor) as work:
        return cases.start(work, process, answer), actor


def _open(database: Database, case: str) -> list[dict[str, Any]]:
    with database.look(SYSTEM) as work:
        return list(inbox.open_elements(work, case).values())


def _row(database: Database, case: str, mark: int, times: list[float]) -> dict[str, Any]:
    with database.look(SYSTEM) as work:
        row = inbox.case(work, case)
    size = len(row["state"].encode()) + len(row["scopes"].encode())
    return {"completed": mark, "step_ms": round(statistics.median(times) * 1000, 3), "state_bytes": size}
