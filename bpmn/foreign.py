"""What to write here instead of the words of other engines, in both languages; ``dialects`` knows which there are."""

from __future__ import annotations

from collections.abc import Mapping

from bpmn.diagram import Other
from bpmn.findings import Findings

_OPERATION = ('请写 <policy:operation name="…"/>', 'write <policy:operation name="…"/>')
_LISTENER = ("请画成服务任务", "draw it as a service task")
_FORM = ("请写成表单文件 forms/<id>.yaml", "write it as a form file, forms/<id>.yaml")
_MAPPING = ("请删去；变量无需映射", "remove it; variables need no mapping")

INSTEAD_FOREIGN: Mapping[str, tuple[str, str]] = {
    "class": _OPERATION,
    "delegateExpression": _OPERATION,
    "expression": _OPERATION,
    "type": _OPERATION,
    "topic": _OPERATION,
    "connector": _OPERATION,
    "taskDefinition": _OPERATION,
    "executionListener": _LISTENER,
    "executionListeners": _LISTENER,
    "taskListener": _LISTENER,
    "taskListeners": _LISTENER,
    "formData": _FORM,
    "formProperty": _FORM,
    "inputOutput": _MAPPING,
    "ioMapping": _MAPPING,
    "script": ("请改为脚本任务，每行“名称 = 表达式”", "make it a script task with lines of “name = expression”"),
    "resource": ("请改为脚本任务，每行“名称 = 表达式”", "make it a script task with lines of “name = expression”"),
    "resultVariable": ("请在脚本中写“名称 = 表达式”", "write “name = expression” in the script"),
    "candidateUsers": ('请写 policy:assignee="=…" 或 policy:role', 'write policy:assignee="=…" or policy:role'),
    "candidateStarterGroups": ("谁可以开始，由第一个任务的角色决定", "the role of the first task says who may start"),
    "candidateStarterUsers": ("谁可以开始，由第一个任务的角色决定", "the role of the first task says who may start"),
    "skipExpression": ("请在前面画网关", "draw a gateway before it"),
    "calledElementVersion": ("调用的总是部署时生效的版本", "the version in force at deployment is called"),
}


def refuse_value(other: Other, findings: Findings) -> None:
    """Report what another engine's word says where only the word means something here."""
    said = other.value if len(other.value) <= 80 else other.value[:80] + "…"
    findings.add("foreign-value", other.line, other.element,
                 f"{other.type} 写的 “{said}” 在本系统没有相同的意思：请改用 policy: 属性，用本系统的表达式书写",
                 f"what {other.type} says, “{said}”, does not mean the same here: use an attribute of policy: and an "
                 "expression of this system")
