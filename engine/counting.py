"""How a deadline is counted: the countings of days that an expression rests on, itself or through variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from bpmn.diagram import Diagram
from engine.definitions import Deployed
from forms.expressions import Expression, ExpressionError, compile_expression, compile_script
from forms.form import Form

COUNTED = {"add_working_days": "working", "add_days": "calendar"}
"""The functions that count days, and which days."""
DEEPEST = 4  # expressions that hand a date on to one another


def countings(deployed: Deployed, process: str, source: str) -> Iterator[tuple[str, str, str]]:
    """Function, start and number of every counting of days that the expression rests on, the nearest first."""
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
            waiting += [(each, depth + 1) for name in sorted(expression.names) for each in written.get(name, ())]


def unit_of(deployed: Deployed, process: str, source: str) -> str:
    """Whether a deadline is counted in ``working`` or ``calendar`` days: by the nearest counting it rests on."""
    return next((COUNTED[name] for name, _, _ in countings(deployed, process, source)), "calendar")


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
