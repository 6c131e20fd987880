"""How cases of a process begin: by a plain start event, or when a message, instant, signal or condition comes.

What an event start says is evaluated while there is no case: it can read neither variables nor the case itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings
from bpmn.routes import reached, successors
from bpmn.surroundings import Surroundings
from forms.expressions import Expression, ExpressionError, compile_expression
from forms.functions import FUNCTIONS

BY_ITSELF = frozenset({"timer", "signal", "conditional"})
"""What starts a case without anybody: it has no applicant until somebody completes its first work item."""
NAMES = frozenset({"params", "today"})
"""The names that can be read while there is no case."""
CASE_NAMES = NAMES | {"case", "applicant"}
"""The names that the form of a message that starts a case can read."""
FUNCTIONS_THEN = frozenset({
    "today", "add_working_days", "add_days", "working_days_between", "end_of", "is_working_day", "people", "has_role",
    "find", "records", "records_with", "name_of", "fact_label",
})  # fmt: skip
"""The engine's functions that can be called while there is no case."""
_SENT = ("sender", "form")


def starts_by_event(element: Element, diagram: Diagram) -> bool:
    """Whether an element is a start event of the process itself that waits for something."""
    begins = element.type == "startEvent" and element.container not in diagram.elements
    return begins and element.event is not None and element.event.kind != "none"


def event_starts(diagram: Diagram) -> tuple[Element, ...]:
    """The start events of the process that wait for something, in the order of the file."""
    return tuple(each for each in diagram.elements.values() if starts_by_event(each, diagram))


def plain_start(diagram: Diagram) -> Element | None:
    """The start event of the process that waits for nothing: where a person, a call or another case begins it."""
    for each in diagram.within(diagram.process.id):
        if each.type == "startEvent" and not starts_by_event(each, diagram):
            return each
    return None


def check_starts(diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    """Report event starts that could never begin a case, or would begin one that nobody can work at."""
    sent: dict[str | None, str] = {}
    called = diagram.process.policy.get("kind") == "called"
    steps = successors(diagram)
    for element in diagram.elements.values():
        if element.type == "startEvent" and (element.event is None or element.event.kind != "message"):
            _check_sent(element, findings)
    for element in event_starts(diagram):
        kind, name = (element.event.kind, element.event.name) if element.event else ("none", None)
        if called:
            findings.add("called-start", element.line, element.id,
                         f"只供调用的流程（policy:kind）从普通开始事件开始，{kind} 开始事件永远不会发生：请删去",
                         f"a process that is only called begins at its plain start event, so that this {kind} start "
                         "could never happen: remove it")
        if kind == "message" and name and sent.setdefault(name, element.id) != element.id:
            findings.add("several-starts", element.line, element.id,
                         f"消息“{name}”已由开始事件 {sent[name]} 接收：请只留一个，或换一个消息",
                         f"the start event {sent[name]} waits for the message “{name}” already: keep one or use "
                         "another message")
        _check_readable(element, surroundings, findings)
        if kind in BY_ITSELF:
            _check_somebody(element, diagram, steps, findings)


def _check_sent(element: Element, findings: Findings) -> None:
    """What is said of a message at a start event that waits for none would be lost."""
    for word in _SENT:
        if word in element.policy:
            findings.add("misplaced", element.line, element.id,
                         f"policy:{word} 只用于消息开始事件：请删去，开始时的表单由其后第一个用户任务给出",
                         f"policy:{word} is for message start events: remove it; what is asked at the start is the "
                         "form of the first user task")


def _check_readable(element: Element, surroundings: Surroundings, findings: Findings) -> None:
    for place, source in _sources(element):
        try:
            expression = compile_expression(source)
        except ExpressionError:
            continue  # said where every expression is checked
        _check_known(expression, place, element, findings)
    form = surroundings.forms.get(element.policy.get("form", ""))
    for name in sorted(form.names_read - CASE_NAMES) if form else ():
        findings.add("start-name", element.line, element.id,
                     f"表单 {form.id if form else ''} 读取的 “{name[:80]}” 在案卷开始时还不存在：请改用 params、case、"
                     "applicant、today",
                     f"the form {form.id if form else ''} reads “{name[:80]}”, which does not exist when the case "
                     "begins: read params, case, applicant or today")


def _sources(element: Element) -> Iterator[tuple[str, str]]:
    """The expressions of a start event that are evaluated while there is no case."""
    event, sender = element.event, element.policy.get("sender", "")
    if event and event.kind == "timer" and event.form == "date" and event.expression:
        yield "timeDate", event.expression
    if event and event.kind == "conditional" and event.expression:
        yield "condition", event.expression
    if sender.startswith("="):
        yield "policy:sender", sender[1:]


def _check_known(expression: Expression, place: str, element: Element, findings: Findings) -> None:
    bound = {name for name in expression.functions if FUNCTIONS[name].run is None}
    for name in sorted((expression.names - NAMES) | (bound - FUNCTIONS_THEN)):
        findings.add("start-name", element.line, element.id,
                     f"{place} 在案卷存在之前计算，不能用 “{name[:80]}”：请改用 params、today、台账与日历函数",
                     f"{place} is evaluated while there is no case and cannot use “{name[:80]}”: use params, today, "
                     "the registers (find, records) and the calendar")


def _check_somebody(
    element: Element, diagram: Diagram, steps: dict[str, tuple[str, ...]], findings: Findings
) -> None:
    """While there is no applicant, the first work item needs a role."""
    behind = {key: () if diagram.elements[key].type == "userTask" else found for key, found in steps.items()}
    for key in sorted(reached([element.id], behind)):
        task = diagram.elements[key]
        alone = task.policy.get("assignee", "").lstrip("=").strip() == "applicant" and not task.policy.get("role")
        if task.type == "userTask" and alone:
            findings.add("no-role", task.line, task.id,
                         f"由 {element.id} 自动开始的案卷还没有申请人，此任务无人可办：请写 policy:role",
                         f"a case that {element.id} starts by itself has no applicant yet, and nobody could do this "
                         "task: write a policy:role")
