"""Reads the columns of a decision table and what stands in them; whatever cannot be read is a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from bpmn.dmn_cells import Cell, Equal, read_cell, read_expression
from bpmn.dmn_table import Input, Output, literal
from bpmn.findings import Findings
from bpmn.parts import text_of
from bpmn.safe_xml import Node
from forms.compiler import NAME
from forms.expressions import Expression, ExpressionError, compile_expression
from forms.values import Value

Where = tuple[str, str]
"""The place of a cell, in Chinese and in English."""

_KINDS: Final[Mapping[str, str | None]] = {
    "": None, "any": None, "string": "text", "boolean": "boolean", "number": "number", "double": "number",
    "decimal": "number", "float": "number", "integer": "integer", "int": "integer", "long": "integer",
    "short": "integer", "date": "date",
}
# FEEL in its short forms, and ours, which reads like Python; other languages are refused by name.
_LANGUAGES: Final = re.compile(r"|feel|https?://www\.omg\.org/spec/\S*FEEL\S*|policy|liuhen|python", re.IGNORECASE)
_NOTHING: Final = compile_expression("None")


class Columns:
    """The inputs and outputs of one table, and the reading of the cells below them."""

    def __init__(self, drawn: Node, key: str, language: str, findings: Findings) -> None:
        self._key, self._findings = key, findings
        self._language = drawn.get("expressionLanguage") or language
        inputs, outputs = (drawn.all(drawn.namespace, word) for word in ("input", "output"))
        self.inputs = tuple(self._input(node, place) for place, node in enumerate(inputs, 1))
        self.outputs = tuple(self._output(node, place) for place, node in enumerate(outputs, 1))
        self._check_names(drawn)

    def cell(self, node: Node, place: int, where: Where) -> Cell:
        """The condition in an input column; ``place`` counts from 0."""
        label = self.inputs[place].label
        return self._cell(node, (f"{where[0]}“{label}”", f"{where[1]} “{label}”"))

    def result(self, node: Node, place: int, where: Where) -> Expression:
        """The result in an output column; a constant one must be among the allowed values."""
        output = self.outputs[place]
        name = output.name or str(place + 1)
        said = (f"{where[0]}输出“{name}”", f"{where[1]} output “{name}”")
        text = self._text(node, said)
        if not text or text == "-":
            self._add("no-result", node.line, f"{said[0]} 没有结果：请写出值，没有值时写 null",
                      f"{said[1]} has no result: write a value, or null for none")
            return _NOTHING
        result = self._expression(text, node.line, said)
        for value in _constant(result):
            with suppress(ExpressionError):
                if output.allowed.matches(value, {}, {}):
                    return result
            if not _free(output.allowed):
                among = output.allowed.source
                self._add("not-allowed", node.line, f"{said[0]} 的 {literal(value)} 不在允许值 {among} 中：请改正",
                          f"{literal(value)} in {said[1]} is not among the allowed values {among}: correct it")
        return result

    def _add(self, code: str, line: int, zh: str, en: str) -> None:
        self._findings.add(code, line, self._key, zh, en)

    def _input(self, node: Node, place: int) -> Input:
        where = (f"第 {place} 个输入", f"input {place}")
        said = node.first(node.namespace, "inputExpression")
        text = self._text(said, where) if said else ""
        if not text:
            self._add("no-input-expression", node.line, f"{where[0]} 没有表达式：请写变量名或表达式",
                      f"{where[1]} has no expression: write the name of a variable or an expression")
        expression = self._expression(text, node.line, where) if text else _NOTHING
        label = " ".join(node.get("label").split())[:80] or expression.source
        return Input(label, expression, self._kind(said, where) if said else None,
                     self._allowed(node, "inputValues", where), node.line)

    def _output(self, node: Node, place: int) -> Output:
        name = node.get("name").strip()
        where = (f"第 {place} 个输出", f"output {place}")
        allowed = self._allowed(node, "outputValues", where)
        said = node.first(node.namespace, "defaultOutputEntry")
        text = self._text(said, where) if said else ""
        default = self._expression(text, node.line, where) if text else None
        return Output(name, allowed, _ranked(allowed), default, node.line)

    def _check_names(self, drawn: Node) -> None:
        names = [output.name for output in self.outputs]
        if not names:
            self._add("no-output", drawn.line, "决策表没有输出：请加一个输出列",
                      "the table has no output: add a column for it")
        for output in self.outputs if len(names) > 1 else ():
            if not NAME.fullmatch(output.name) or names.count(output.name) > 1:
                self._add("bad-name", output.line,
                          f"输出名称“{output.name[:80]}”不可用：有多个输出时各需一个名称，字母开头，只含字母、数字、_",
                          f"“{output.name[:80]}” cannot name an output: each of several has a name of its own, of "
                          "letters, digits and _")

    def _kind(self, said: Node, where: Where) -> str | None:
        written = said.get("typeRef").strip()
        name = written.rpartition(":")[2].lower()
        if name not in _KINDS:
            self._add("type", said.line,
                      f"{where[0]} 的类型 {written[:60]} 不可用：可用 string、boolean、number、integer、date，或不写",
                      f"the type {written[:60]} of {where[1]} cannot be used: there are string, boolean, number, "
                      "integer and date, or none")
        return _KINDS.get(name)

    def _allowed(self, node: Node, word: str, where: Where) -> Cell:
        said = node.first(node.namespace, word)
        return self._cell(said, where) if said else read_cell("")

    def _cell(self, node: Node, where: Where) -> Cell:
        text = self._text(node, where)
        try:
            return read_cell(text)
        except ExpressionError as error:
            self._unreadable(text, node.line, where, error)
            return Cell(text)

    def _expression(self, text: str, line: int, where: Where) -> Expression:
        try:
            return read_expression(text)
        except ExpressionError as error:
            self._unreadable(text, line, where, error)
            return _NOTHING

    def _unreadable(self, text: str, line: int, where: Where, error: ExpressionError) -> None:
        shown = text if len(text) <= 60 else text[:60] + "…"
        self._add("cell", line,
                  f'{where[0]} 的“{shown}”不可用，{error.text.zh}：请改正（文本写在引号中，如 "a","b"；区间如 [1..5)）',
                  f'“{shown}” of {where[1]} cannot be used, {error.text.en}: correct it (a text stands in quotes, as '
                  'in "a","b"; an interval is [1..5))')

    def _text(self, node: Node, where: Where) -> str:
        """What is written at a place, which must be text in FEEL's short forms or our language and nothing else."""
        language = node.get("expressionLanguage") or self._language
        if not _LANGUAGES.fullmatch(language):
            self._add("expression-language", node.line,
                      f"{where[0]} 的表达式语言 {language[:60]} 不可用：请改用 FEEL 的简写或本系统的表达式",
                      f"the language {language[:60]} of {where[1]} does not run here: use the short forms of FEEL or "
                      "our expressions")
        for child in node.children:
            if child.name not in ("text", "description", "extensionElements"):
                self._add("unsupported", child.line, f"{where[0]} 中不支持 {child.name[:60]}：请直接写出值或表达式",
                          f"{child.name[:60]} is not supported in {where[1]}: write the value or the expression itself")
        return text_of(node.first(node.namespace, "text"))


def _constant(expression: Expression) -> Iterator[Value]:
    """The value of an expression that reads and calls nothing."""
    if not expression.names and not expression.functions:
        with suppress(ExpressionError):
            yield expression.value({}, {})


def _free(cell: Cell) -> bool:
    """Whether it depends on something that is known only when a case runs."""
    return cell.condition is not None and len(cell.condition.names) > 1


def _ranked(allowed: Cell) -> tuple[Value, ...]:
    """The allowed values in their order, where they are listed one by one."""
    values = [value for test in allowed.tests if isinstance(test, Equal) for value in _constant(test.end)]
    return tuple(values) if len(values) == len(allowed.tests) else ()
