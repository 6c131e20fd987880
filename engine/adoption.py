"""Adopting parameter values: what an institution decided in a case becomes the next set, after it has been judged.

Nothing else changes a parameter. A set takes effect on its day; cases keep the one they started with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from bpmn.dmn_coverage import gaps_and_overlaps
from bpmn.dmn_table import Table
from engine import definitions, parameter_sets, registers
from engine.errors import Incident
from engine.library import Library
from engine.parameter_sets import ValueSet
from engine.parameters import ADOPTED, ORIGINS, NotFit, Parameter, fit, judge_together
from engine.plugged import Step
from engine.work import Work
from forms.values import Value
from forms.words import Text

if TYPE_CHECKING:
    from engine.desk import Desk

REGISTER = "parameter_set"


@dataclass(frozen=True, slots=True)
class Shown:
    """A value of a set as people must see it: never without what it rests on."""

    parameter: Parameter
    value: Value
    label: Text


def label(parameter: Parameter, value_set: ValueSet) -> Text:
    """What a value of this set rests on: the institution's own rule, law, policy, or only an illustrative default."""
    if parameter.key not in value_set.adopted:
        return ORIGINS[parameter.origin]
    by = value_set.adopted[parameter.key]
    return Text(f"{ADOPTED.zh}（{by}）", f"{ADOPTED.en} ({by})")


def shown(value_set: ValueSet) -> list[Shown]:
    """The values of a set in the order of the vocabulary, each with its label."""
    known = Library.standing().vocabulary().parameters
    return [
        Shown(parameter, value_set.values[key], label(parameter, value_set))
        for key, parameter in known.items()
        if key in value_set.values
    ]


def unfit_one(key: Value, value: Value) -> Text | None:
    """Why a parameter may not have this value, by its own bounds; None where it may."""
    try:
        fit(Library.standing().vocabulary().parameters, key, value)
    except NotFit as wrong:
        return wrong.text
    return None


def unfit(work: Work, rows: Value) -> list[Text]:
    """Everything because of which these rows ``{key, value}`` cannot be adopted together: bounds, and tables in force
    that would be left with gaps or overlaps.
    """
    return _judged(work, rows)[1]


def _judged(work: Work, rows: Value) -> tuple[dict[str, Value], list[Text]]:
    """What these rows mean, by key, and everything that is wrong with adopting it."""
    known = Library.standing().vocabulary().parameters
    changed: dict[str, Value] = {}
    wrong: list[Text] = []
    for row in rows if isinstance(rows, list) else []:
        key, value = (row.get("key"), row.get("value")) if isinstance(row, dict) else (None, row)
        if key in changed:
            wrong.append(Text(f"{key} 写了两次", f"{key} is there twice"))
        try:
            changed[str(key)] = fit(known, key, value)
        except NotFit as not_fit:
            wrong.append(not_fit.text)
    if not wrong and not changed:
        wrong.append(Text("没有写明任何参数", "no parameter is named"))
    if not wrong:
        values = {**_base(work).values, **changed}
        try:
            judge_together(known, values)
        except NotFit as not_fit:
            wrong.append(not_fit.text)
        wrong += _broken_tables(work, values, changed)
    return changed, wrong


def _base(work: Work) -> ValueSet:
    """The set on which the next one builds: the last one that is in force or will be."""
    return parameter_sets.standing(work)[-1]


def _broken_tables(work: Work, values: Mapping[str, Value], changed: Mapping[str, Value]) -> Iterator[Text]:
    """What is wrong, with these values, with tables in force that read something that changes."""
    for table in _tables_in_force(work):
        read = {key for each in table.expressions() for name, key in each.paths if name == "params"}
        concerned = [key for key in changed if key in read or None in read]
        if not concerned:
            continue
        said = "，".join(f"{key} = {changed[key]}" for key in concerned)
        for finding in gaps_and_overlaps(table, values):
            if finding.severity == "error":
                yield Text(f"{said}：决策表“{table.name or table.id}”：{finding.text.zh}",
                           f"{said}: the decision table “{table.name or table.id}”: {finding.text.en}")  # fmt: skip


def _tables_in_force(work: Work) -> dict[Table, None]:
    """The decision tables of every version on which a case can start today, those of called processes included."""
    found: dict[Table, None] = {}
    for row in definitions.in_force(work):
        for contents in definitions.deployed(work, row.id).contents.values():
            found.update(dict.fromkeys(contents.tables.values()))
    return found


def adopt(desk: Desk, step: Step, given: Mapping[str, Value]) -> Value:
    """parameters.adopt: the next set, with these values, from this day (today at the earliest)."""
    effective_from, work, case = given["effective_from"], desk.work, desk.row
    if not isinstance(effective_from, date) or isinstance(effective_from, datetime):
        raise Incident("生效日期不是日期", "the day from which the parameters count is no date")
    parameter_sets.hold(work)
    changed, wrong = _judged(work, given["values"])
    if wrong:
        raise Incident("；".join(each.zh for each in wrong), "; ".join(each.en for each in wrong))
    base, start = _base(work), max(effective_from, work.today)
    if start < base.effective_from:
        raise Incident(
            f"已有自 {base.effective_from} 起生效的参数（{base.id}），生效日期不得早于该日",
            f"a set from {base.effective_from} is adopted already ({base.id}): this one cannot take effect before it",
        )
    known = Library.standing().vocabulary()
    values, number = {**base.values, **changed}, str(case["number"])
    made = parameter_sets.keep(
        work, values, start, adopted=base.adopted, keys=tuple(changed), case=case["id"], number=number
    )
    row: dict[str, Value] = {"id": made.id, "version": made.number, "effective_from": start, "adopted_by": number}
    told = {"set": made.id, "sha256": parameter_sets.hashed(values), "from": start.isoformat()}
    desk.tell("parameters.adopted", told, element=step.id, process=step.process)
    tell = partial(desk.tell, "register.recorded", element=step.id, process=step.process)
    registers.record(work, known.registers[REGISTER], made.id, row, case=case["id"], element=step.id, tell=tell)
    parts = known.parameters
    changes: list[Value] = [
        {"key": key, "about": parts[key].about.zh, "old": parts[key].said(base.values.get(key, "")).zh,
         "new": parts[key].said(value).zh} for key, value in changed.items()
    ]  # fmt: skip
    return {**row, "changed": changes}
