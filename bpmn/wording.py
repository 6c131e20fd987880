"""Checks every expression of a diagram: it compiles, the names it reads are brought by something, its roles exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bpmn.diagram import Diagram, Element, Event
from bpmn.durations import parse_cycle, parse_duration
from bpmn.findings import Findings
from bpmn.keys import check_keys
from bpmn.scopes import Scopes, form_of
from bpmn.starts import starts_by_event
from bpmn.surroundings import CHILD_NAMES, LOOP_NAMES, ProcessSignature, Surroundings, listed
from forms.expressions import Expression, ExpressionError, compile_expression, compile_script

if TYPE_CHECKING:
    from forms.form import Form

# Attributes that are expressions as they stand, and those that are one only behind "=".
_ALWAYS = ("due", "excluded", "key")
_BEHIND_SIGN = ("assignee", "role", "sender", "outcome", "facts")
_OF_PROCESS = ("case-title", "parties")
# What a call leaves behind besides its declared outputs: how the called process ended.
_OUTCOME = frozenset({"outcome"})
# Functions with a role code among their arguments: its position.
_ROLE_ARGUMENT = {"people": 0, "has_role": 1}
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.+Z-]+)?")


@dataclass(frozen=True, slots=True)
class Use:
    """An expression at its place, and the names that can be read there (None: that is checked elsewhere)."""

    element: str
    line: int
    place: str
    source: str
    names: frozenset[str] | None


def check_expressions(diagram: Diagram, surroundings: Surroundings, scopes: Scopes, findings: Findings) -> None:
    """Report expressions, scripts, timers and forms that cannot be evaluated where they stand."""
    for use in _uses(diagram, surroundings, scopes):
        _check_use(use, surroundings, scopes, findings)
    for element in diagram.elements.values():
        if element.event and element.event.kind == "timer":
            _check_timer(element, element.event, findings)
        if element.script:
            _check_script(element, surroundings, scopes, findings)
        form = surroundings.forms.get(form_of(element) or "")
        if form:
            _check_form(form, element, surroundings, scopes, findings)
        if element.type == "businessRuleTask":
            _check_table(element, surroundings, scopes, findings)
    process = diagram.process
    for name in listed(process.policy.get("outputs")):
        if name not in scopes.of_process():
            unbrought(name, "policy:outputs", "policy:outputs", process.line, process.id, scopes, findings)


def _uses(diagram: Diagram, surroundings: Surroundings, scopes: Scopes) -> Iterator[Use]:
    for flow in diagram.flows.values():
        source = diagram.elements.get(flow.source)
        if flow.condition is not None and source:
            yield Use(flow.id, flow.line, "conditionExpression", flow.condition, scopes.outside(source))
    for element in diagram.elements.values():
        before = starts_by_event(element, diagram)  # which names it can read is checked in ``starts``
        for use in _element_uses(element, surroundings, scopes):
            yield replace(use, names=None) if before else use
    process = diagram.process
    for word in _OF_PROCESS:
        if word in process.policy:
            yield Use(process.id, process.line, f"policy:{word}", process.policy[word], scopes.of_process())


def _element_uses(element: Element, surroundings: Surroundings, scopes: Scopes) -> Iterator[Use]:
    inside = scopes.inside(element)
    for word in _ALWAYS:
        if word in element.policy:
            yield Use(element.id, element.line, f"policy:{word}", element.policy[word], inside)
    for word in _BEHIND_SIGN:
        if element.policy.get(word, "").startswith("="):
            yield Use(element.id, element.line, f"policy:{word}", element.policy[word][1:], inside)
    if element.event and element.event.form == "date" and element.event.expression:
        yield Use(element.id, element.line, "timeDate", element.event.expression, inside)
    if element.event and element.event.kind == "conditional" and element.event.expression:
        yield Use(element.id, element.line, "condition", element.event.expression, inside)
    if element.repeat and element.repeat.condition:
        yield Use(element.id, element.repeat.line, "loopCondition", element.repeat.condition, inside)
    yield from _automatic_uses(element, surroundings, scopes)


def _automatic_uses(element: Element, surroundings: Surroundings, scopes: Scopes) -> Iterator[Use]:
    inside = scopes.inside(element)
    for operation in element.operations:
        for name, source in operation.parameters.items():
            yield Use(element.id, operation.line, f"{operation.name} {name}", source, inside)
    for name, source in element.inputs.items():
        yield Use(element.id, element.line, f"policy:in {name}", source, inside)
    called = surroundings.processes.get(element.called or "", ProcessSignature())
    given = surroundings.given - LOOP_NAMES - CHILD_NAMES
    for name, source in element.outputs.items() if element.called in surroundings.processes else ():
        yield Use(element.id, element.line, f"policy:out {name}", source, called.outputs | _OUTCOME | given)
    if loop := element.loop:
        for place, text, names in (
            ("policy:collection", loop.collection, scopes.outside(element)),
            ("loopCardinality", loop.cardinality, scopes.outside(element)),
            ("policy:result", loop.result, inside),
            ("completionCondition", loop.until, scopes.between(element)),
        ):
            if text is not None:
                yield Use(element.id, loop.line, place, text, names)


def _check_use(use: Use, surroundings: Surroundings, scopes: Scopes, findings: Findings) -> None:
    try:
        expression = compile_expression(use.source)
    except ExpressionError as error:
        hint_zh, hint_en = _hint(use.source)
        findings.add("expression", use.line, use.element,
                     f"{use.place} 的表达式 “{_short(use.source)}” 不可用，{error.text.zh}：请改正{hint_zh}",
                     f"the expression “{_short(use.source)}” of {use.place} cannot be used, {error.text.en}: "
                     f"correct it{hint_en}")
        return
    for name in sorted(expression.names - use.names) if use.names is not None else ():
        place = f"{use.place} “{_short(use.source)}”"
        unbrought(name, place, place, use.line, use.element, scopes, findings)
    _check_words(expression, use, surroundings, findings)


def _check_form(
    form: Form, element: Element, surroundings: Surroundings, scopes: Scopes, findings: Findings
) -> None:
    for name in sorted(form.names_read - scopes.inside(element)):
        unbrought(name, f"表单 {form.id}", f"the form {form.id}", element.line, element.id, scopes, findings)
    for expression in form.expressions:
        use = Use(element.id, element.line, f"form {form.id}", expression.source, frozenset())
        _check_words(expression, use, surroundings, findings)


def _check_table(element: Element, surroundings: Surroundings, scopes: Scopes, findings: Findings) -> None:
    table = surroundings.tables.get(element.policy.get("decision", ""))
    if table is None:
        return
    for name in sorted(table.names - scopes.inside(element)):
        place = (f"决策表 {table.id}（文本须写在引号中）", f"the decision table {table.id} (texts stand in quotes)")
        unbrought(name, *place, element.line, element.id, scopes, findings)
    for expression in table.expressions():
        use = Use(element.id, element.line, f"table {table.id}", expression.source, frozenset())
        _check_words(expression, use, surroundings, findings)


def _check_script(element: Element, surroundings: Surroundings, scopes: Scopes, findings: Findings) -> None:
    try:
        assignments = compile_script(element.script or "")
    except ExpressionError as error:
        findings.add("script", element.line, element.id,
                     f"脚本不可用，{error.text.zh}：每行请写“名称 = 表达式”",
                     f"the script cannot be used, {error.text.en}: write “name = expression” in each line")
        return
    for assignment in assignments:
        source = assignment.expression.source
        use = Use(element.id, element.line, f"script {assignment.name} =", source, scopes.inside(element))
        _check_use(use, surroundings, scopes, findings)


def _check_timer(element: Element, event: Event, findings: Findings) -> None:
    text = (event.expression or "").strip()
    if not text:
        findings.add("timer", element.line, element.id, "定时器没有写明时间：请写 timeDate 或 timeDuration",
                     "the timer says no time: write a timeDate or a timeDuration")
    elif event.form == "duration" and parse_duration(text) is None:
        findings.add("timer", element.line, element.id,
                     f"“{_short(text)}” 不是 ISO 8601 时长：请写成 P15D、P1M 或 PT8H，不加引号",
                     f"“{_short(text)}” is no ISO 8601 duration: write P15D, P1M or PT8H, without quotes")
    elif event.form == "cycle" and parse_cycle(text) is None:
        findings.add("timer", element.line, element.id,
                     f"“{_short(text)}” 不是周期：请写成 R3/PT1H、R/P1M 等，周期不短于一分钟，不加引号",
                     f"“{_short(text)}” is no cycle: write R3/PT1H or R/P1M, at least a minute long, without quotes")
    elif event.form == "date" and _ISO_DATE.fullmatch(text):
        findings.add("timer", element.line, element.id,
                     f"timeDate 须是表达式，而 “{text}” 是固定日期：请写 date('…')、字段或参数（params['deadline']）",
                     f"a timeDate is an expression, but “{text}” is a fixed date: write date('…'), a field or a "
                     "parameter such as params['deadline']")


def _check_words(expression: Expression, use: Use, surroundings: Surroundings, findings: Findings) -> None:
    check_keys(expression, (use.place, use.place), use.line, use.element, surroundings, findings)
    for call in ast.walk(expression.tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _ROLE_ARGUMENT):
            continue
        for role in call.args[_ROLE_ARGUMENT[call.func.id] :][:1]:
            if isinstance(role, ast.Constant) and role.value not in surroundings.roles:
                unknown_role(str(role.value), use.place, use.line, use.element, surroundings, findings)


def unknown_role(
    role: str, place: str, line: int, element: str, surroundings: Surroundings, findings: Findings
) -> None:
    """Report a role code that nobody can hold, with the nearest that somebody can."""
    zh, en = findings.meant(role, surroundings.roles)
    findings.add("unknown-role", line, element,
                 f"{place} 中的角色 “{_short(role)}” 不存在{zh}：请写已定义的角色代码",
                 f"the role “{_short(role)}” in {place} does not exist{en}: write a role code that is defined")


def unbrought(
    name: str, zh: str, en: str, line: int, element: str, scopes: Scopes, findings: Findings
) -> None:
    """Report a name that nothing brings where it is read, by what is said of the place in both languages."""
    if name in scopes.anywhere:
        findings.add("unbrought-name", line, element,
                     f"{zh} 读取的 “{name}” 只在一个多实例活动内可见：请用它的输出（policy:output）",
                     f"{en} reads “{name}”, which is seen only inside a multi-instance activity: read its "
                     "policy:output")
        return
    meant_zh, meant_en = findings.meant(name, scopes.anywhere)
    findings.add("unbrought-name", line, element,
                 f"{zh} 读取的 “{name}” 没有任何表单、脚本、操作、调用或消息给出{meant_zh}："
                 "请改正名称，或在表单中加上该字段",
                 f"{en} reads “{name}”, which no form, script, operation, call or message brings{meant_en}: correct "
                 "the name or add the field to a form")


def _hint(source: str) -> tuple[str, str]:
    if source.lstrip()[:2] in ("${", "#{"):
        return "；${ } 里是别的引擎的表达式", "; within ${ } stands an expression of another engine"
    if source.lstrip().startswith("="):
        return "；= 之后不是本系统的表达式（相等写作 ==）", "; behind the = stands no expression of ours (equal is ==)"
    return "", ""


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
