"""The facts that an answer leaves: what a step demands of its form, and what the answer shows or lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bpmn.diagram import Element
from bpmn.facts import Declared
from engine.library import Library
from engine.runtime.tree import facts_told
from engine.trail.duties import LATE_ENTRY
from forms.answer import Checked, World, check
from forms.run import Scope
from forms.values import Value
from forms.words import Text

if TYPE_CHECKING:
    from engine.desk import Desk
    from forms.form import Form


def named(code: str) -> Text:
    """What a fact is called; its code where the vocabulary has none of this code."""
    known = Library.standing().vocabulary().facts.get(code)
    return known.said if known else Text(code, code)


def demanded(declared: Declared) -> dict[str, Text]:
    """The facts a step must leave, as a form's world has them."""
    return {code: named(code) for code in declared.hard}


def judged(desk: Desk, form: Form, answer: Mapping[str, Any], token: int) -> tuple[Checked, dict[str, Value]]:
    """The answer as the form understands it, and what its event tells of the facts it leaves.

    A field that shows a fact which the step must leave is refused where it is shown and empty. Incident: the step's
    ``policy:facts`` gives no codes.
    """
    world = desk.world(token)
    checked = check(form, answer, world)
    if checked.problems:
        return checked, {}
    task = desk.instance.tasks[token]
    declared = task.task_spec.declares(task, _with(world, checked, task.task_spec.element.id))
    if task.task_spec.facts.expression is not None:
        # Which facts the step leaves may depend on the answer, so only now can its fields be asked for them.
        checked = check(form, answer, replace(world, facts=demanded(declared)))
    told = left(form, checked, declared)
    return checked, afterwards(told) if is_late(task.task_spec.element) else told


def is_late(element: Element) -> bool:
    """Whether what an element leaves counts as entered afterwards (补录): it completes the evidence of other steps."""
    return element.policy.get("late") == "true"


def afterwards(told: Mapping[str, Value]) -> dict[str, Value]:
    """The same, entered afterwards; which is itself a fact of the trail."""
    left = told.get("facts")
    if not isinstance(left, list):
        return dict(told)
    return {**told, "facts": [*left, *(code for code in (LATE_ENTRY,) if code not in left)], "late": True}


def _with(world: World, checked: Checked, element: str) -> Mapping[str, Value]:
    names = Scope(world.names)
    names.update(checked.values)
    names[element] = checked.values
    return names


def left(form: Form, checked: Checked, declared: Declared) -> dict[str, Value]:
    """What is told of the facts that an answer leaves.

    A fact that fields show is left when they are answered, a gap when one of them is shown and empty, and does not
    apply when none is shown. A fact that no field shows is left by the answer as such.
    """
    gaps, apart = set(), set()
    for code in declared.codes:
        fields = [each.code for each in form.fields if code in each.facts]
        shown = [each for each in fields if each in checked.shown]
        if fields and not shown:
            apart.add(code)
        elif any(checked.values[each] is None for each in shown):
            gaps.add(code)
    return facts_told(declared, gaps, apart)
