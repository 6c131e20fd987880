"""Checks what people are asked to do: every user task and awaited message has a form, and somebody who may answer."""

from __future__ import annotations

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings
from bpmn.happenings import thrown_messages
from bpmn.scopes import awaits_message, form_of
from bpmn.starts import starts_by_event
from bpmn.surroundings import Surroundings, listed
from bpmn.wording import unknown_role

APPLICANT, ANYONE = "applicant", "anyone"


def check_work_items(diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    """Report user tasks and messages without form, people or name."""
    for lane in diagram.lanes:
        if lane.role:
            _check_role_list(lane.role, "policy:role", lane.line, lane.id, surroundings, findings)
    thrown = thrown_messages(diagram)
    # Who says in words of another engine who may do it is told so elsewhere.
    told = frozenset(other.element for other in diagram.others if other.value)
    for element in diagram.elements.values():
        if form_of(element) is not None:
            _check_form(element, surroundings, findings)
        if element.type == "userTask":
            _check_user_task(element, diagram, surroundings, findings)
            if not (element.policy.get("role") or element.policy.get("assignee")) and element.id not in told:
                _nobody(element, findings)
        elif awaits_message(element):
            # What a case throws reaches events inside it; it begins no other case.
            known = frozenset() if starts_by_event(element, diagram) else thrown
            _check_message(element, known, surroundings, findings)
            if starts_by_event(element, diagram) and element.policy.get("sender") == APPLICANT:
                _no_sender(element, findings)


def _check_form(element: Element, surroundings: Surroundings, findings: Findings) -> None:
    form = form_of(element) or ""
    if form in surroundings.forms:
        return
    zh, en = findings.meant(form, surroundings.forms)
    findings.add("unknown-form", element.line, element.id,
                 f"没有表单 “{form[:80]}”{zh}："
                 "请建立该表单，或在 policy:form 中写已有的表单",
                 f"there is no form “{form[:80]}”{en}: write this form, or "
                 "name an existing one in policy:form")


def _check_user_task(element: Element, diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    policy = element.policy
    if policy.get("role"):
        _check_role_list(policy["role"], "policy:role", element.line, element.id, surroundings, findings)
    assignee = policy.get("assignee")
    if assignee and assignee != APPLICANT and not assignee.startswith("="):
        findings.add("assignee", element.line, element.id,
                     f"policy:assignee “{assignee[:80]}” 既不是 applicant，也不是以 = 开头的表达式：请改正",
                     f"policy:assignee “{assignee[:80]}” is neither applicant nor an expression behind =: correct it")
    for other in listed(policy.get("fourEyes")):
        task = diagram.elements.get(other)
        if task is None or task.type != "userTask":
            findings.add("dangling-reference", element.line, element.id,
                         f"policy:fourEyes 中的 “{other}” 不是本图的用户任务：请写另一用户任务的 id",
                         f"“{other}” in policy:fourEyes is no user task of this diagram: write the id of one")


def _nobody(element: Element, findings: Findings) -> None:
    findings.add("no-role", element.line, element.id,
                 '没有写明由谁办理：请写 policy:role="角色代码" 或 policy:assignee，或放进有角色的泳道',
                 'nobody may do this task: write policy:role="…" or policy:assignee, or put it in a lane that has '
                 "a role")


def _check_message(
    element: Element, thrown: frozenset[str | None], surroundings: Surroundings, findings: Findings
) -> None:
    if not element.event or not element.event.name:
        findings.add("no-message", element.line, element.id, "消息事件没有指明消息：请选择或新建一个有名称的消息",
                     "this message event names no message: choose or create a message that has a name")
    sender = element.policy.get("sender")
    if not sender and element.event and element.event.name in thrown:
        return  # the process itself sends it
    if not sender:
        _no_sender(element, findings)
    elif sender != APPLICANT:
        _check_role_list(sender, "policy:sender", element.line, element.id, surroundings, findings)


def _no_sender(element: Element, findings: Findings) -> None:
    findings.add("no-sender", element.line, element.id,
                 '没有写明谁可以发送此消息：请写 policy:sender="角色代码"、applicant（已立案的）、anyone 或 =表达式',
                 'nobody may send this message: write policy:sender="…" with role codes, applicant (of a case that has '
                 "begun), anyone or =expression")


def _check_role_list(
    text: str, place: str, line: int, element: str, surroundings: Surroundings, findings: Findings
) -> None:
    if text.startswith("="):
        return
    for role in listed(text):
        if role not in surroundings.roles and not (role in (APPLICANT, ANYONE) and place == "policy:sender"):
            unknown_role(role, place, line, element, surroundings, findings)
