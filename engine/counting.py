"""How a deadline is counted: the countings of days that an expression rests on, itself or through variables."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bpmn.diagram import Diagram
from engine.calendar import LONGEST
from engine.definitions import Deployed
from forms.expressions import Expression, ExpressionError, compile_expression, compile_script
from forms.form import Form
from forms.values import Value

COUNTED = {"add_working_days": "working", "add_days": "calendar"}
"""The functions that count days, and which days."""
DEEPEST = 4  # expressions that hand a date on to one another


def told(deployed: Deployed, process: str, source: str, view: View, due: date) -> dict[str, Value]:
    """How a deadline is counted, as its event tells it: in which days, and where it is known, from when and how many.

    Nothing but the unit is told where the counting reads what is personal or secret.
    """
    found = counted(deployed, process, source, view, due)
    if found is None:
        return {"unit": _nearest_unit(deployed, process, source, view, due)}
    if not deployed.private.isdisjoint(found.names):
        return {"unit": found.unit}
    return {"unit": found.unit, "from": found.start.isoformat(), "days": found.days}


def countings(
    deployed: Deployed, process: str, source: str, through: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, str, str]]:
    """Function, start and number of every counting of days that the expression rests on, the nearest first.

    It is followed ``through`` the variables for which this holds.
    """
    try:
        waiting: list[tuple[Expression, int]] = [(compile_expression(source), 0)]
    except ExpressionError:  # a duration such as P15D is no expression
        return
    written = assignments(deployed, process)
    while waiting:
        expression, depth = waiting.pop(0)
        for node in ast.walk(expression.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COUNTED:
                first, second = node.args
                yield node.func.id, ast.unparse(first), ast.unparse(second)
        if depth < DEEPEST:
            names = [name for name in sorted(expression.names) if through(name)]
            waiting += [(each, depth + 1) for name in names for each in written.get(name, ())]


@dataclass(frozen=True, slots=True)
class View:
    """What can be read where a deadline stands, and the functions that can be called."""

    names: Mapping[str, Value]
    functions: Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Counting:
    """A counting of days: in which ones, after which day, how many, and the names that it reads."""

    unit: str
    start: date
    days: int
    names: frozenset[str]


def counted(deployed: Deployed, process: str, source: str, view: View, due: date) -> Counting | None:
    """The counting that leads to this very day, found in the expression or in what gave the variables that hold it.

    A variable that holds another day is not followed: that its counting leads here would be a coincidence.
    """

    def holds(name: str) -> bool:
        return name in view.names and view.names[name] == due

    for name, first, second in countings(deployed, process, source, holds):
        parts = [compile_expression(each) for each in (first, second)]
        try:
            start, n = (each.value(view.names, view.functions) for each in parts)
        except ExpressionError:
            continue
        fits = isinstance(start, date) and isinstance(n, int) and 0 <= n <= LONGEST
        if fits and view.functions[name](start, n) == due:
            assert isinstance(start, date)
            assert isinstance(n, int)
            return Counting(COUNTED[name], start, n, parts[0].names | parts[1].names)
    return None


def unit_of(deployed: Deployed, process: str, source: str, view: View, due: date) -> str:
    """Whether a deadline is counted in ``working`` or ``calendar`` days.

    By the counting that leads to it; where none does any more (it was moved before), by that of the variable which
    holds it, else by the nearest one.
    """
    found = counted(deployed, process, source, view, due)
    return found.unit if found is not None else _nearest_unit(deployed, process, source, view, due)


def _nearest_unit(deployed: Deployed, process: str, source: str, view: View, due: date) -> str:
    holding = [name for name in sorted(names_of(source)) if name in view.names and view.names[name] == due]
    nearest = countings(deployed, process, holding[0] if holding else source)
    return next((COUNTED[name] for name, _, _ in nearest), "calendar")


def names_of(source: str) -> frozenset[str]:
    """The variables an expression reads; none where it is no expression (a duration)."""
    try:
        return compile_expression(source).names
    except ExpressionError:
        return frozenset()


def assignments(deployed: Deployed, process: str) -> dict[str, list[Expression]]:
    """What the scripts and forms of a process, and the calls of it, give variables, by variable."""
    found: dict[str, list[Expression]] = {}
    contents = deployed.contents[process]
    for name, expression in (*_scripted(contents.diagram), *_computed(contents.forms)):
        found.setdefault(name, []).append(expression)
    for each in deployed.contents.values():
        for element in each.diagram.elements.values():
            if element.called == process:
                for name, source in element.inputs.items():
                    found.setdefault(name, []).append(compile_expression(source))
    return found


def _scripted(diagram: Diagram) -> Iterator[tuple[str, Expression]]:
    for element in diagram.elements.values():
        for assignment in compile_script(element.script) if element.script else ():
            yield assignment.name, assignment.expression


def _computed(forms: Mapping[str, Form]) -> Iterator[tuple[str, Expression]]:
    for form in forms.values():
        for field in form.fields:
            for expression in field.compute.expressions if field.compute else ():
                yield field.code, expression
