"""Which parameters expressions read: ``params['key']`` must name one that there is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bpmn.findings import Findings
from bpmn.surroundings import Surroundings
from forms.expressions import Expression


def keys_read(expression: Expression) -> frozenset[str]:
    """The keys of parameters that an expression reads by name: ``params['key']`` and ``get(params, 'key', …)``."""
    return frozenset(key for name, key in expression.paths if name == "params" and key) | set(_got(expression))


def _got(expression: Expression) -> Iterator[str]:
    for call in ast.walk(expression.tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "get" and call.args:
            of, key = call.args[0], call.args[1]
            if isinstance(of, ast.Name) and of.id == "params" and isinstance(key, ast.Constant):
                yield str(key.value)


def check_keys(
    expression: Expression, place: tuple[str, str], line: int, element: str, surroundings: Surroundings,
    findings: Findings,
) -> None:  # fmt: skip
    """Report keys of parameters that nobody knows; nothing where it is not known which parameters there are."""
    known = surroundings.parameters
    for key in sorted(keys_read(expression) - known) if known is not None else ():
        zh, en = findings.meant(key, known or ())
        findings.add("unknown-parameter", line, element,
                     f"{place[0]} 读取的参数 “{key[:80]}” 不存在{zh}：请改正，或在 parameters.yaml 中加上",
                     f"{place[1]} reads the parameter “{key[:80]}”, which does not exist{en}: correct it or add it to "
                     "parameters.yaml")
