"""Checks what the engine does by itself: operations of service tasks, calls, loops, and the names of variables."""

from __future__ import annotations

import ast

from bpmn.diagram import Diagram, Element, Loop, Operation
from bpmn.findings import Findings
from bpmn.scopes import Scopes, answers, brought_by
from bpmn.surroundings import Surroundings, circle, listed
from forms.compiler import NAME
from forms.expressions import ExpressionError, compile_expression

_KINDS = ("main", "called")
STARTS_CASE = "case.start"


def check_automatic(diagram: Diagram, surroundings: Surroundings, scopes: Scopes, findings: Findings) -> None:
    """Report automatic steps that could not be carried out, and names that mean two things."""
    for element in diagram.elements.values():
        if element.type == "serviceTask" and not element.operations:
            findings.add("no-operation", element.line, element.id,
                         '服务任务没有操作：请写 <policy:operation name="…"/>',
                         'this service task does nothing: write <policy:operation name="…"/>')
        if element.type == "scriptTask" and not element.script:
            findings.add("no-script", element.line, element.id, "脚本任务没有脚本：请写若干行“名称 = 表达式”",
                         "this script task has no script: write lines of “name = expression”")
        _check_misplaced(element, findings)
        for operation in element.operations:
            _check_operation(operation, element, surroundings, findings)
        if element.type == "businessRuleTask":
            _check_decision(element, surroundings, findings)
        if element.type == "callActivity":
            _check_call(element, diagram.process.id, surroundings, findings)
        if element.loop:
            _check_loop(element.loop, element, findings)
        _check_names(element, surroundings, findings)
    _check_process(diagram, surroundings, findings)
    _check_clashes(diagram, surroundings, scopes, findings)


def _check_misplaced(element: Element, findings: Findings) -> None:
    for word, found, owner in (
        ("policy:operation", element.operations, "serviceTask"),
        ("script", element.script, "scriptTask"),
        ("policy:in / policy:out", element.inputs or element.outputs, "callActivity"),
    ):
        if found and element.type != owner:
            findings.add("misplaced", element.line, element.id,
                         f"{word} 只能写在 {owner} 上，而此处是 {element.type}：请移到相应的任务",
                         f"{word} belongs to a {owner}, but this is a {element.type}: move it to such a task")


def _check_operation(operation: Operation, element: Element, surroundings: Surroundings, findings: Findings) -> None:
    name, line, key = operation.name, operation.line, element.id
    spec = surroundings.operations.get(name)
    if spec is None:
        zh, en = findings.meant(name, surroundings.operations)
        known = "、".join(sorted(surroundings.operations))
        findings.add("unknown-operation", line, key,
                     f"没有操作 “{name}”{zh}：可用的操作有 {known}",
                     f"there is no operation “{name}”{en}: there are {known}")
        return
    for missing in sorted(spec.required - operation.parameters.keys()):
        findings.add("operation-parameter", line, key,
                     f'操作 {name} 缺少参数 {missing}：请写 <policy:with name="{missing}" value="…"/>',
                     f'the operation {name} needs {missing}: write <policy:with name="{missing}" value="…"/>')
    for extra in sorted(operation.parameters.keys() - spec.required - spec.optional):
        findings.add("operation-parameter", line, key,
                     f"操作 {name} 没有参数 {extra}：请改正名称或删去",
                     f"the operation {name} has no parameter {extra}: correct its name or remove it")
    if name == STARTS_CASE:
        _check_started(operation, element, surroundings, findings)
    if operation.into and not spec.gives:
        findings.add("operation-result", line, key, f"操作 {name} 不给出结果：请删去 into",
                     f"the operation {name} gives no result: remove into")


def _check_started(operation: Operation, element: Element, surroundings: Surroundings, findings: Findings) -> None:
    """A process whose name stands there is one that a case can be started of; one that is computed is seen to then."""
    name = _text(operation.parameters.get("process", ""))
    if name is None:
        return
    known = surroundings.processes.get(name)
    if known is None:
        zh, en = findings.meant(name, surroundings.processes)
        findings.add("unknown-process", operation.line, element.id,
                     f"没有流程 “{name[:80]}”{zh}：case.start 的 process 须是已部署或一同部署的流程的 id",
                     f"there is no process “{name[:80]}”{en}: the process of case.start is the id of one that is "
                     "deployed, or deployed with this")
    elif "called" in known.starts or "none" not in known.starts:
        findings.add("unknown-process", operation.line, element.id,
                     f"流程 “{name[:80]}” 不能由 case.start 启动：须有普通开始事件，且不是只供调用的流程",
                     f"no case of “{name[:80]}” can be started by case.start: it needs a plain start event, and must "
                     "not be a process that is only called")


def _text(source: str) -> str | None:
    """The text that an expression is; None if it is none or has to be computed."""
    try:
        body = compile_expression(source).tree.body
    except ExpressionError:
        return None
    return body.value if isinstance(body, ast.Constant) and isinstance(body.value, str) else None


def _check_decision(element: Element, surroundings: Surroundings, findings: Findings) -> None:
    name = element.policy.get("decision", "")
    table = surroundings.tables.get(name)
    if table is None:
        zh, en = findings.meant(name, surroundings.tables)
        known = "、".join(sorted(surroundings.tables)) or "—"
        findings.add("unknown-decision", element.line, element.id,
                     f"没有决策表 “{name[:80]}”{zh}：请在 policy:decision 写包内 .dmn 文件中决策的 id，现有 {known}",
                     f"there is no decision “{name[:80]}”{en}: write as policy:decision the id of a decision in a .dmn "
                     f"file of the package; there are {known}")
    if not element.policy.get("into"):
        findings.add("no-into", element.line, element.id, '没有写明结果写入哪个变量：请写 policy:into="…"',
                     'nothing says which variable receives the result: write policy:into="…"')
    gives = element.policy.get("gives")
    if table and gives and gives != table.shape:
        findings.add("decision-shape", element.line, element.id,
                     f"mapDecisionResult 为 {gives[:40]}，而决策表给出 {table.shape}：请改写，或更改表的命中策略",
                     f"mapDecisionResult is {gives[:40]}, but the table gives {table.shape}: write that, or change its "
                     "hit policy")


def _check_call(element: Element, process: str, surroundings: Surroundings, findings: Findings) -> None:
    name = element.called or ""
    if way := circle(process, name, surroundings.processes):
        way_ = " → ".join(each[:80] for each in way)
        findings.add("call-circle", element.line, element.id,
                     f"流程互相调用成环（{way_}），永不结束：请改为调用别的流程，或画成回退的连线",
                     f"these processes call each other in a circle ({way_}) that never ends: call another process, or "
                     "draw the repetition as a flow back")
        return
    called = surroundings.processes.get(name)
    if called is None:
        zh, en = findings.meant(name, surroundings.processes)
        findings.add("unknown-process", element.line, element.id,
                     f"没有流程 “{name}”{zh}：请在 calledElement 写已有流程的 id",
                     f"there is no process “{name}”{en}: write the id of an "
                     "existing one as calledElement")
        return
    if "none" not in called.starts:
        findings.add("unknown-process", element.line, element.id,
                     f"流程 {name} 没有普通开始事件，不能被调用：请在该流程中画一个",
                     f"the process {name} has no plain start event and cannot be called: draw one there")
    for missing in sorted(called.inputs - element.inputs.keys()):
        findings.add("call-inputs", element.line, element.id,
                     f'流程 {name} 需要 {missing}：请写 <policy:in name="{missing}" value="…"/>',
                     f'the process {name} needs {missing}: write <policy:in name="{missing}" value="…"/>')
    for extra in sorted(element.inputs.keys() - called.inputs):
        findings.add("call-inputs", element.line, element.id,
                     f"流程 {name} 不接受 {extra}：请删去，或写进该流程的 policy:inputs",
                     f"the process {name} does not take {extra}: remove it, or add it to the policy:inputs there")


def _check_loop(loop: Loop, element: Element, findings: Findings) -> None:
    if (loop.collection is None) == (loop.cardinality is None):
        findings.add("loop", loop.line, element.id,
                     "多实例须有 policy:collection 与 loopCardinality 之一：请恰好写一个",
                     "a multi-instance activity has either a policy:collection or a loopCardinality: write exactly one")
    if loop.item and loop.collection is None:
        findings.add("loop", loop.line, element.id, "policy:item 需要 policy:collection：请写集合，或删去 policy:item",
                     "policy:item needs a policy:collection: write one or remove policy:item")
    if loop.result and not loop.output:
        findings.add("loop", loop.line, element.id, "policy:result 需要 policy:output：请写接收结果的名称",
                     "policy:result needs a policy:output: name the list that takes the results")
    if loop.output and not loop.result and element.type != "userTask":
        findings.add("loop", loop.line, element.id, "policy:output 需要 policy:result：只有用户任务以其答案为结果",
                     "policy:output needs a policy:result: only a user task has its answers as result")


def _check_names(element: Element, surroundings: Surroundings, findings: Findings) -> None:
    """Names an owner gives to variables can be read in expressions and are not names of the system."""
    given = [operation.into for operation in element.operations if operation.into]
    given += element.outputs
    given += filter(None, (element.policy.get("into"),))
    if element.loop:
        given += filter(None, (element.loop.item, element.loop.output))
    for name in given:
        if not NAME.fullmatch(name):
            findings.add("bad-name", element.line, element.id,
                         f"变量名 “{name[:80]}” 不可用：请用字母开头，只含字母、数字和 _",
                         f"“{name[:80]}” cannot name a variable: begin with a letter, use letters, digits and _")
    for name in sorted({*given, *brought_by(element, surroundings)} & surroundings.given):
        findings.add("reserved-name", element.line, element.id, f"“{name}” 是系统给出的名称：请换一个名称",
                     f"“{name}” is a name that the system gives: choose another one")


def _check_process(diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    process = diagram.process
    if process.policy.get("kind", "main") not in _KINDS:
        findings.add("kind", process.line, process.id, f"policy:kind 须是 {' 或 '.join(_KINDS)}：请改正",
                     f"policy:kind is {' or '.join(_KINDS)}: correct it")
    for name in listed(process.policy.get("inputs")):
        if not NAME.fullmatch(name) or name in surroundings.given:
            findings.add("bad-name", process.line, process.id,
                         f"policy:inputs 中的 “{name[:80]}” 不能作变量名：请换一个名称",
                         f"“{name[:80]}” in policy:inputs cannot name a variable: choose another name")


def _check_clashes(diagram: Diagram, surroundings: Surroundings, scopes: Scopes, findings: Findings) -> None:
    """Answers are kept under the id of the element and the codes of its fields: neither may overwrite the other."""
    codes: dict[str | None, dict[str, str]] = {}
    for element in diagram.elements.values():
        names = list(brought_by(element, surroundings))
        if answers(element):
            names.remove(element.id)
        codes.setdefault(scopes.scope(element), {}).update(dict.fromkeys(names, element.id))
        if element.loop and element.loop.output:
            codes.setdefault(scopes.around(element), {})[element.loop.output] = element.id
    for element in diagram.elements.values():
        other = codes.get(scopes.scope(element), {}).get(element.id)
        if other and answers(element):
            findings.add("name-clash", element.line, element.id,
                         f"“{element.id}” 既是此元素的 id，又是 {other} 写入的变量，会互相覆盖：请改其中一个",
                         f"“{element.id}” is the id of this element and a variable that {other} writes, so that one "
                         "overwrites the other: rename one of them")
