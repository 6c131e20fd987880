"""The one expression language: a small, safe subset of Python, compiled once. Its parts lie in their own files."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from forms.compiler import NAME, Compiler
from forms.operators import Empty, ExpressionError, Unset, mismatch
from forms.run import MOST_STEPS, Run
from forms.source import parse_expression, parse_script, refuse, said, without_remarks
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forms.compiler import Code
    from forms.values import Value

__all__ = [
    "Assignment", "Empty", "Expression", "ExpressionError", "Unset", "compile_expression", "compile_script",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: the names it reads and functions it calls, and its value whenever these are given.

    ``paths`` are the free names with the constant key they are read by, ``(name, None)`` where read as a whole.
    """

    source: str
    names: frozenset[str] = field(compare=False)
    functions: frozenset[str] = field(compare=False)
    paths: frozenset[tuple[str, str | None]] = field(compare=False)
    tree: ast.Expression = field(compare=False, repr=False)
    _code: Code = field(compare=False, repr=False)

    def value(self, names: Mapping[str, Value], functions: Mapping[str, Callable[..., Value]]) -> Value:
        """The value with these names and engine functions. ExpressionError where it has none (``Unset``, ``Empty``)."""
        try:
            return self._code(Run(names, functions, [MOST_STEPS]))
        except RecursionError:
            raise ExpressionError(Text("值嵌套过深", "a value is nested too deeply")) from None

    def condition(self, names: Mapping[str, Value], functions: Mapping[str, Callable[..., Value]]) -> bool:
        """The value as a decision: it must be true or false, anything else is an ExpressionError."""
        value = self.value(names, functions)
        if isinstance(value, bool):
            return value
        raise mismatch(Text("是或否", "true or false"), value).at(self.source)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One line of a script: the variable, and the expression whose value it receives."""

    name: str
    expression: Expression


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """Compile an expression. ExpressionError, naming the column, for whatever is not part of the language."""
    source = source.strip(" \t\r\n")
    tree = parse_expression(source)
    compiler = Compiler(source)
    code = compiler.code(tree.body)
    return Expression(
        source, frozenset(compiler.names), frozenset(compiler.functions), frozenset(compiler.paths), tree, code
    )


@lru_cache(maxsize=512)
def compile_script(source: str) -> tuple[Assignment, ...]:
    """Compile the body of a script task: lines ``name = expression``, and remarks on lines of their own."""
    assignments: list[Assignment] = []
    script = without_remarks(source)
    lines = script.encode().split(b"\n")
    for statement in parse_script(script).body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(target, ast.Name)):
            line = statement.lineno
            raise ExpressionError(
                Text(f"第 {line} 行：只能写“变量 = 表达式”", f"line {line}: write `name = expression`")
            )
        if not NAME.fullmatch(target.id):
            refuse(target.col_offset + 1, f"变量名 {target.id} 不合规则", f"{target.id} is no name for a variable")
        try:
            expression = compile_expression(said(lines, statement.value))
        except ExpressionError as error:
            line = statement.lineno
            raise ExpressionError(Text(f"第 {line} 行：{error.text.zh}", f"line {line}: {error.text.en}")) from None
        assignments.append(Assignment(target.id, expression))
    return tuple(assignments)
