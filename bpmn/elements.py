"""The table of BPMN elements: what runs and what is refused, asked of the gate itself, so that it cannot say otherwise.

``python -P -m tests.elements`` writes it into the README.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bpmn.canvas import TYPES
from bpmn.diagram import Diagram, Element, Event, Loop, Process, Repeat
from bpmn.supported import ONLY_EXPLAINS, instead, unsupported
from forms.words import Language, Text

_TRIGGERS = ("message", "timer", "timer cycle", "conditional", "signal")
_CAUGHT = (*_TRIGGERS, "error", "escalation", "compensate")
_BESIDE = tuple(f"{kind} (non-interrupting)" for kind in (*_TRIGGERS, "escalation"))
_KINDS = {
    "startEvent": ("none", *_TRIGGERS, "multiple"),
    "eventSubProcess": (*_CAUGHT, *_BESIDE, "multiple"),
    "intermediateCatchEvent": (*_TRIGGERS, "link", "multiple"),
    "intermediateThrowEvent": ("none", "message", "signal", "escalation", "link", "compensate"),
    "boundaryEvent": (*_CAUGHT, "cancel", *_BESIDE, "multiple"),
    "endEvent": ("none", "terminate", "error", "escalation", "message", "signal", "compensate", "cancel"),
}
_PLAIN = (
    "task", "userTask", "manualTask", "scriptTask", "serviceTask", "businessRuleTask", "sendTask", "receiveTask",
    "callActivity", "subProcess", "adHocSubProcess", "transaction", "callChoreography",
    "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway",
)  # fmt: skip
_LOOPS = ("parallel multi-instance", "sequential multi-instance", "standard loop")
# What is no flow node. It is refused where it would change what the picture seems to say.
_NAMES = Text("元素|运行|拒绝", "element|runs|refused")
_EXPLAINS = Text("只作说明（有提示）：", "only explains (a warning says so): ")
_OTHERS = ("isForCompensation", "dataObjectReference", "dataStoreReference", "ioSpecification", "potentialOwner")
_MORE = {
    "eventSubProcess": Text("事件子流程，由……开始", "event subprocess, started by"),
    "intermediateThrowEvent": Text("中间抛出事件", "intermediate throw event"),
    "intermediateCatchEvent": Text("中间捕获事件", "intermediate catch event"),
    "startEvent": Text("流程的开始事件", "start event of a process"),
    "endEvent": Text("结束事件", "end event"),
    "task": Text("未分类的任务", "task of no kind"),
    "manualTask": Text("人工任务", "manual task"),
    "businessRuleTask": Text("业务规则任务", "business rule task"),
    "sendTask": Text("发送任务", "send task"),
    "receiveTask": Text("接收任务", "receive task"),
    "adHocSubProcess": Text("临时子流程", "ad-hoc subprocess"),
    "transaction": Text("事务", "transaction"),
    "callChoreography": Text("编排", "choreography"),
    "complexGateway": Text("复杂网关", "complex gateway"),
    "activity": Text("活动的标记", "marker of an activity"),
    "isForCompensation": Text("补偿活动", "compensation activity"),
    "dataObjectReference": Text("数据对象", "data object"),
    "dataStoreReference": Text("数据存储", "data store"),
    "ioSpecification": Text("输入与输出", "inputs and outputs"),
    "potentialOwner": Text("潜在办理人", "potential owner"),
}
_KINDS_SAID = {
    "none": "无", "message": "消息", "timer": "定时", "timer cycle": "定时（周期）",
    "conditional": "条件", "signal": "信号",
    "error": "错误", "escalation": "升级", "compensate": "补偿", "cancel": "取消", "terminate": "终止", "link": "链接",
    "multiple": "多重", "parallel multi-instance": "并行多实例", "sequential multi-instance": "串行多实例",
    "standard loop": "标准循环",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One way of using an element: whether it runs, and what to draw instead where it does not.

    ``tag`` is the element, ``variant`` the kind of event or marker ("" where there is only one way).
    """

    tag: str
    variant: str
    runs: bool
    instead: Text


def rows() -> list[Row]:
    """Everything BPMN has that changes how a process runs."""
    found = [_row(tag, kind, _event(tag, kind)) for tag, kinds in _KINDS.items() for kind in kinds]
    found += [_row(tag, "", Element("x", tag, "", 1, "p")) for tag in _PLAIN]
    found += [_row("activity", loop, _looped(loop)) for loop in _LOOPS]
    return found + [Row(name, "", name in ONLY_EXPLAINS, instead(name)) for name in _OTHERS]


def _row(tag: str, variant: str, element: Element) -> Row:
    around = Element("h", "eventSubProcess", "", 1, "p")
    diagram = Diagram("", "", Process("p", "", 1, True), {"h": around, "x": element}, {})
    wrong = list(unsupported(element, diagram))
    return Row(tag, variant, not wrong, Text(*wrong[0][1:]) if wrong else Text("", ""))


def _event(tag: str, kind: str) -> Element:
    name = kind.partition(" ")[0]
    form = ("cycle" if "cycle" in kind else "duration") if name == "timer" else None
    starts = tag == "eventSubProcess"
    return Element(
        "x", "startEvent" if starts else tag, "", 1, "h" if starts else "p", event=Event(name, form=form),
        attached_to="h" if tag == "boundaryEvent" else None, interrupting="non-interrupting" not in kind,
    )


def _looped(kind: str) -> Element:
    if kind == "standard loop":
        return Element("x", "userTask", "", 1, "p", repeat=Repeat("again", None, 1))
    return Element("x", "userTask", "", 1, "p", loop=Loop(kind[0] == "s", "xs", None, "x", None, None, None, 1))


def table(language: Language) -> str:
    """The elements as a table in Markdown: a line for each, with the kinds that run and those that are refused."""
    lines = [f"| {_NAMES.said(language).replace('|', ' | ')} |", "|---|---|---|"]
    everything = rows()
    for tag in dict.fromkeys(row.tag for row in everything):
        ways = [row for row in everything if row.tag == tag]
        said = (_MORE.get(tag) or TYPES[tag]).said(language)
        runs = _listed((row.variant for row in ways if row.runs), language)
        refused = _listed((row.variant for row in ways if not row.runs), language)
        if not runs and len(ways) == 1:
            said_instead = ways[0].instead.said(language)
            refused = "" if ways[0].runs else said_instead
            runs = f"{_EXPLAINS.said(language)}{said_instead}" if tag in ONLY_EXPLAINS else ""
        shown = said if tag == "activity" else f"`{tag}` {said}"
        lines.append(f"| {shown} | {runs or ('✓' if ways[0].runs else '')} | {refused} |")
    return "\n".join(lines) + "\n"


def _listed(variants: Iterator[str], language: Language) -> str:
    if language == "en":
        return "; ".join(filter(None, variants))
    return "；".join(_in_chinese(variant) for variant in variants if variant)


def _in_chinese(variant: str) -> str:
    kind, beside, _ = variant.partition(" (non-interrupting)")
    return _KINDS_SAID[kind] + ("（不中断）" if beside else "")
