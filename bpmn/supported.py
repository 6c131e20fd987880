"""What the engine runs today, by name, and what it refuses by name because it would silently do something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings

ACTIVITIES = frozenset({"userTask", "scriptTask", "serviceTask", "callActivity", "subProcess"})
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
EVENTS: Mapping[str, frozenset[str]] = {
    "startEvent": frozenset({"none"}),
    "endEvent": frozenset({"none", "terminate"}),
    "intermediateCatchEvent": frozenset({"timer", "message"}),
    "boundaryEvent": frozenset({"timer", "message"}),
}
SUPPORTED = ACTIVITIES | GATEWAYS | EVENTS.keys()

# Our attributes, by the elements on which they mean something. "*" is every element.
WORDS: Mapping[str, frozenset[str]] = {
    "*": frozenset({"name-en", "title-en", "basis", "facts", "tag"}),
    "process": frozenset({"kind", "inputs", "outputs", "case-title", "parties", "series"}),
    "userTask": frozenset({"form", "role", "assignee", "due", "excluded", "fourEyes"}),
    "intermediateCatchEvent": frozenset({"sender", "form"}),
    "boundaryEvent": frozenset({"sender", "form"}),
    "endEvent": frozenset({"outcome"}),
}

# What to draw instead, in both languages.
_INSTEAD: Mapping[str, tuple[str, str]] = {
    "task": ("请改为用户任务、脚本任务或服务任务", "make it a user, script or service task"),
    "manualTask": ("请改为用户任务，让人确认已做", "make it a user task in which somebody confirms it"),
    "sendTask": ("请改为服务任务并用操作 notify", "make it a service task with the operation notify"),
    "receiveTask": ("请改为消息中间捕获事件", "make it an intermediate message catch event"),
    "businessRuleTask": ("请改为脚本任务", "make it a script task"),
    "intermediateThrowEvent": ("请改为服务任务", "make it a service task"),
    "complexGateway": ("请改为排他、并行或包容网关", "make it an exclusive, parallel or inclusive gateway"),
    "transaction": ("请改为嵌入子流程", "make it an embedded subprocess"),
    "adHocSubProcess": ("请画出确定的顺序", "draw the order of its tasks"),
    "eventSubProcess": ("请改为嵌入子流程上的边界事件", "make it a boundary event on an embedded subprocess"),
    "timeCycle": ("请改用 timeDuration，并用连线画出循环", "use timeDuration and draw the loop"),
    "standardLoopCharacteristics": ("请用网关和回退连线画出循环", "draw the loop with a gateway and a flow back"),
    "isForCompensation": ("请删去，并把补救步骤画成普通任务", "remove it and draw the remedy as ordinary tasks"),
    "dataObject": ("请用表单字段或脚本变量", "use form fields or script variables"),
    "dataObjectReference": ("请用表单字段或脚本变量", "use form fields or script variables"),
    "dataStoreReference": ("请用台账操作 register.record", "use the operation register.record"),
    "ioSpecification": ("请删去；变量无需映射", "remove it; variables need no mapping"),
    "potentialOwner": ("请用 policy:role 或 policy:assignee", "use policy:role or policy:assignee"),
    "humanPerformer": ("请用 policy:role 或 policy:assignee", "use policy:role or policy:assignee"),
    "performer": ("请用 policy:role 或 policy:assignee", "use policy:role or policy:assignee"),
}
_INSTEAD_EVENT: Mapping[str, tuple[str, str]] = {
    "signal": ("请改用消息事件", "use a message event"),
    "error": ("请用网关判断结果", "decide about the result with a gateway"),
    "escalation": ("请用非中断的定时边界事件", "use a non-interrupting timer boundary event"),
    "compensate": ("请把补救步骤画成普通任务", "draw the remedy as ordinary tasks"),
    "cancel": ("请用消息边界事件", "use a message boundary event"),
    "conditional": ("请用网关判断条件", "test the condition with a gateway"),
    "link": ("请直接用连线连接", "draw the flow itself"),
    "multiple": ("请拆成几个事件，各有一个定义", "draw several events with one definition each"),
    "none": ("请给它定时器或消息定义", "give it a timer or a message"),
    "message": ("请改用普通事件，消息由服务任务发出", "use a plain event; a service task sends messages"),
    "timer": ("请改用普通开始事件", "use a plain start event"),
    "terminate": ("请改用终止结束事件", "use a terminate end event"),
}
_DEFAULT = ("请删去，或改用受支持的画法", "remove it or draw it with supported elements")


def check_supported(diagram: Diagram, findings: Findings) -> None:
    """Refuse by name every element, event, attribute and foreign word that is not run here."""
    for element in diagram.elements.values():
        for name, zh, en in _unsupported(element):
            _refuse(findings, name, element.line, element.id, zh, en)
        _check_words(element.type, element.policy, element.line, element.id, findings)
    for other in diagram.others:
        zh, en = _INSTEAD.get(other.type, _DEFAULT)
        _refuse(findings, other.type, other.line, other.element, zh, en)
    process = diagram.process
    _check_words("process", process.policy, process.line, process.id, findings)
    if not process.executable:
        findings.add("not-executable", process.line, process.id,
                     '流程写明不可执行（isExecutable="false"）：请在建模工具中勾选“可执行”',
                     'the process says that it is not executable: set isExecutable="true" in the modeler')


def _unsupported(element: Element) -> Iterator[tuple[str, str, str]]:
    """What an element is or has that is not run: (name, what to do in Chinese, in English)."""
    if element.type not in SUPPORTED:
        yield (element.type, *_INSTEAD.get(element.type, _DEFAULT))
        return
    event = element.event
    if event and event.kind not in EVENTS[element.type]:
        yield (f"{element.type} ({event.kind})", *_INSTEAD_EVENT.get(event.kind, _DEFAULT))
    elif event and event.form == "cycle":
        yield ("timeCycle", *_INSTEAD["timeCycle"])
    if element.loop and element.type not in ACTIVITIES:
        yield ("multiInstanceLoopCharacteristics", *_DEFAULT)


def _refuse(findings: Findings, name: str, line: int, element: str | None, zh: str, en: str) -> None:
    findings.add("unsupported", line, element, f"尚不支持 {name}：{zh}", f"{name} is not supported yet: {en}")


def _check_words(kind: str, words: Mapping[str, str], line: int, element: str, findings: Findings) -> None:
    known = WORDS["*"] | WORDS.get(kind, frozenset())
    for word in sorted(words.keys() - known):
        findings.add("unknown-attribute", line, element,
                     f"{kind} 没有属性 policy:{word}（可用：{'、'.join(sorted(known))}）：请改正拼写或删去",
                     f"{kind} has no attribute policy:{word} (there are: {', '.join(sorted(known))}): correct its "
                     "spelling or remove it")
