"""What the engine runs today, by name, and what it refuses by name because it would silently do something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.diagram import Diagram, Element, Other
from bpmn.findings import Findings
from bpmn.foreign import INSTEAD_FOREIGN, refuse_value
from bpmn.sound import ATTRIBUTES
from bpmn.starts import starts_by_event
from forms.words import Text

ACTIVITIES = frozenset({
    "userTask", "scriptTask", "serviceTask", "businessRuleTask", "sendTask", "receiveTask", "manualTask",
    "callActivity", "subProcess", "transaction",
})
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
EVENTS: Mapping[str, frozenset[str]] = {
    "startEvent": frozenset({"none", "message", "timer", "signal", "conditional"}),
    "endEvent": frozenset({"none", "terminate", "error", "escalation", "message", "signal"}),
    "intermediateThrowEvent": frozenset({"none", "message", "signal", "escalation", "link"}),
    "intermediateCatchEvent": frozenset({"timer", "message", "signal", "conditional", "link"}),
    "boundaryEvent": frozenset({"timer", "message", "signal", "error", "escalation", "conditional"}),
}
# What starts an embedded subprocess.
PLAIN = frozenset({"none"})
# What may start an event subprocess.
EVENT_SUBPROCESS_STARTS = EVENTS["boundaryEvent"]
SUPPORTED = ACTIVITIES | GATEWAYS | EVENTS.keys() | {"eventSubProcess"}

# Our attributes, by the elements on which they mean something. "*" is every element.
WORDS: Mapping[str, frozenset[str]] = {
    "*": frozenset({"name-en", "title-en", "basis", "facts", "tag"}),
    "process": frozenset({"kind", "inputs", "outputs", "case-title", "parties", "series"}),
    "userTask": frozenset({"form", "role", "assignee", "due", "excluded", "fourEyes", "late"}),
    "businessRuleTask": frozenset({"decision", "into", "gives"}),
    "startEvent": frozenset({"sender", "form"}),
    "eventSubProcessStart": frozenset({"sender", "form", "key", "into"}),
    "intermediateCatchEvent": frozenset({"sender", "form", "key"}),
    "boundaryEvent": frozenset({"sender", "form", "key", "into"}),
    "receiveTask": frozenset({"sender", "form", "key"}),
    "sendTask": frozenset({"key"}),
    "intermediateThrowEvent": frozenset({"key"}),
    "endEvent": frozenset({"outcome", "key"}),
}

# What to draw instead, in both languages.
_COMPUTED = ("请删去，并在脚本任务中计算", "remove it and compute this in a script task")
_INSTEAD: Mapping[str, tuple[str, str]] = {
    "task": ("请改为用户任务、脚本任务或服务任务", "make it a user, script or service task"),
    "complexGateway": ("请改为排他、并行或包容网关", "make it an exclusive, parallel or inclusive gateway"),
    "adHocSubProcess": ("请画出确定的顺序", "draw the order of its tasks"),
    "timeCycle": (
        "周期只用于流程的开始，以及不中断的边界事件和事件子流程的开始，请在此用 timeDuration",
        "a cycle is for starts of processes and for events beside an activity or scope; use timeDuration here",
    ),
    "cancelActivity": (
        "错误总是中断，请去掉不中断（虚线）的设置",
        "an error always interrupts, so remove the setting that it does not (the dashed line)",
    ),
    "isForCompensation": ("请删去，并把补救步骤画成普通任务", "remove it and draw the remedy as ordinary tasks"),
    "transformation": _COMPUTED,
    "assignment": _COMPUTED,
    "potentialOwner": ("请用 policy:role 或 policy:assignee", "use policy:role or policy:assignee"),
    "humanPerformer": ("请用 policy:role 或 policy:assignee", "use policy:role or policy:assignee"),
    "performer": ("请用 policy:role 或 policy:assignee", "use policy:role or policy:assignee"),
}
_INSTEAD_EVENT: Mapping[str, tuple[str, str]] = {
    "signal": ("请改用普通开始事件", "use a plain start event"),
    "error": ("错误只能在子流程的边界上或事件子流程中捕获", "errors are caught on the border of a subprocess only"),
    "escalation": (
        "升级只能在子流程的边界上或事件子流程中捕获", "escalations are caught on the border of a subprocess only"
    ),
    "compensate": ("请把补救步骤画成普通任务", "draw the remedy as ordinary tasks"),
    "cancel": ("请用消息边界事件", "use a message boundary event"),
    "conditional": ("请用网关判断条件", "test the condition with a gateway"),
    "link": ("请用中间的链接事件", "use intermediate link events"),
    "multiple": ("请拆成几个事件，各有一个定义", "draw several events with one definition each"),
    "none": ("请写明它等待的事件", "say which event it waits for"),
    "message": ("请改用普通开始事件", "use a plain start event"),
    "timer": ("请改用普通开始事件", "use a plain start event"),
    "terminate": ("请改用终止结束事件", "use a terminate end event"),
}
# What only explains: it may stay, and changes nothing.
ONLY_EXPLAINS: Mapping[str, tuple[str, str]] = {
    "dataObjectReference": ("值来自表单字段和脚本变量", "values come from form fields and script variables"),
    "dataStoreReference": ("记录用台账操作 register.record", "records are made by the operation register.record"),
    "ioSpecification": ("变量无需映射", "variables need no mapping"),
    "process": ("运行的是另一个流程", "it is another process of the file that runs"),
    "participantMultiplicity": ("运行的只有一个流程", "it is one process that runs"),
}
_DEFAULT = ("请删去，或改用受支持的画法", "remove it or draw it with supported elements")


def check_supported(diagram: Diagram, findings: Findings) -> None:
    """Refuse by name every element, event, attribute and foreign word that is not run here."""
    for element in diagram.elements.values():
        for name, zh, en in unsupported(element, diagram):
            _refuse(findings, name, element.line, element.id, zh, en)
        kind = "eventSubProcessStart" if starts_handler(element, diagram) else element.type
        _check_words(kind, element.policy, element.line, element.id, findings)
    for other in diagram.others:
        if other.type.startswith("@"):
            _tell_strange(other, findings)
            continue
        if other.type.startswith("&"):
            _tell_twice(other, findings)
            continue
        if other.value:
            refuse_value(other, findings)
            continue
        if other.type in ONLY_EXPLAINS:
            zh, en = ONLY_EXPLAINS[other.type]
            findings.add("only-explains", other.line, other.element,
                         f"{other.type} 只作说明，不影响运行：{zh}",
                         f"{other.type} only explains and does not change how the process runs: {en}", "warning")
            continue
        zh, en = _INSTEAD.get(other.type) or INSTEAD_FOREIGN.get(other.type.rpartition(":")[2], _DEFAULT)
        _refuse(findings, other.type, other.line, other.element, zh, en)
    process = diagram.process
    _check_words("process", process.policy, process.line, process.id, findings)
    if not process.executable:
        findings.add("not-executable", process.line, process.id,
                     '流程写明不可执行（isExecutable="false"）：请在建模工具中勾选“可执行”',
                     'the process says that it is not executable: set isExecutable="true" in the modeler')


def unsupported(element: Element, diagram: Diagram) -> Iterator[tuple[str, str, str]]:
    """What an element is or has that is not run: (name, what to do in Chinese, in English)."""
    if element.type not in SUPPORTED:
        yield (element.type, *_INSTEAD.get(element.type, _DEFAULT))
        return
    event, starts = element.event, starts_handler(element, diagram)
    kinds = EVENT_SUBPROCESS_STARTS if starts else EVENTS.get(element.type)
    embedded = element.type == "startEvent" and element.container in diagram.elements and not starts
    if embedded:
        kinds = PLAIN
    if event and kinds is not None and event.kind not in kinds:
        yield (f"{element.type} ({event.kind})", *_INSTEAD_EVENT.get(event.kind, _DEFAULT))
    elif event and event.form == "cycle" and not _may_come_again(element, diagram, starts=starts):
        yield ("timeCycle", *_INSTEAD["timeCycle"])
    elif event and event.kind == "error" and not element.interrupting:
        yield ("cancelActivity", *_INSTEAD["cancelActivity"])
    if element.loop and element.type not in ACTIVITIES:
        yield ("multiInstanceLoopCharacteristics", *_DEFAULT)
    if element.repeat and element.type not in ACTIVITIES:
        yield ("standardLoopCharacteristics", *_DEFAULT)


def _may_come_again(element: Element, diagram: Diagram, *, starts: bool) -> bool:
    """Whether a cycle fits here: each time it begins a case, or happens beside what goes on."""
    return starts_by_event(element, diagram) or (not element.interrupting and (starts or bool(element.attached_to)))


def starts_handler(element: Element, diagram: Diagram) -> bool:
    """Whether an element is the start of an event subprocess."""
    around = diagram.elements.get(element.container)
    return element.type == "startEvent" and around is not None and around.type == "eventSubProcess"


def instead(name: str) -> Text:
    """What to draw instead of something that is not run, or to know of what only explains."""
    return Text(*(ONLY_EXPLAINS.get(name) or _INSTEAD.get(name, _DEFAULT)))


def _tell_strange(other: Other, findings: Findings) -> None:
    name = other.type.removeprefix("@")
    zh, en = findings.meant(name, ATTRIBUTES)
    findings.add("strange-attribute", other.line, other.element,
                 f"{other.value} 没有属性 {name[:80]}，不起作用{zh}：请改正拼写或删去",
                 f"{other.value} has no attribute {name[:80]} and it has no effect{en}: correct its spelling or remove "
                 "it", "warning")


def _tell_twice(other: Other, findings: Findings) -> None:
    name = f"policy:{other.type.removeprefix('&')[:80]}"
    findings.add("said-twice", other.line, other.element,
                 f"{name} 既写成属性又写成建模工具的扩展属性（property），两者不同，以扩展属性为准：请删去一个",
                 f"{name} is there as an attribute and, otherwise, as a property of the modeler; the property counts: "
                 "remove the one that is not wanted", "warning")


def _refuse(findings: Findings, name: str, line: int, element: str | None, zh: str, en: str) -> None:
    findings.add("unsupported", line, element, f"尚不支持 {name}：{zh}", f"{name} is not supported yet: {en}")


def _check_words(kind: str, words: Mapping[str, str], line: int, element: str, findings: Findings) -> None:
    known = WORDS["*"] | WORDS.get(kind, frozenset())
    for word in sorted(words.keys() - known):
        findings.add("unknown-attribute", line, element,
                     f"{kind} 没有属性 policy:{word}（可用：{'、'.join(sorted(known))}）：请改正拼写或删去",
                     f"{kind} has no attribute policy:{word} (there are: {', '.join(sorted(known))}): correct its "
                     "spelling or remove it")
