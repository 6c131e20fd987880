"""What owners choose from in Camunda Modeler: element templates that offer the words of this library, for 7 and for 8.

A modeler writes no attributes of a namespace it does not know, so that they are kept as properties (``bpmn.dialects``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.library import Vocabulary
from forms.words import Text

PLACE = ".camunda/element-templates/liuhen.json"
"""Where the modeler looks for them, from the folder of the diagrams or any above it."""

# The modelers for the two engines: what their templates say they follow, and what keeps a property.
_MODELERS = {
    "7": ("https://unpkg.com/@camunda/element-templates-json-schema/resources/schema.json", "camunda:property"),
    "8": ("https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json", "zeebe:property"),
}
_VERSION = 1
_NONE = Text("（不写）", "none")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One word of ours as a template asks for it: chosen ``choices`` times from a list, and written freely."""

    word: str
    said: Text
    hint: Text
    choices: int = 0
    free: bool = True


_ROLE_HINT = Text("多个角色用逗号分开，或 =表达式", "several roles with commas, or =expression")
_WORDS = {each.word: each for each in (
    _Asked("form", Text("表单", "Form"),
           Text("forms/ 中表单的 id；空着即与本元素同名", "the id of a form; empty: that of the element")),
    _Asked("role", Text("角色", "Role"), _ROLE_HINT, 1),
    _Asked("assignee", Text("办理人", "Assignee"), Text("applicant，或 =表达式", "applicant, or =expression")),
    _Asked("due", Text("期限", "Due"),
           Text("给出日期的表达式，如 add_working_days(today, 10)", "an expression giving a day")),
    _Asked("excluded", Text("回避", "Excluded"),
           Text("给出应回避人员的表达式，如 [applicant]", "an expression giving people")),
    _Asked("fourEyes", Text("双人复核", "Four eyes"),
           Text("这些元素的办理人不得办理本项，id 用逗号分开", "ids of elements whose doers may not do this one")),
    _Asked("sender", Text("发送人", "Sender"), _ROLE_HINT, 1),
    _Asked("outcome", Text("结果", "Outcome"), Text("=表达式", "=expression"), 1),
    _Asked("facts", Text("留痕事实", "Facts"),
           Text("更多代码用逗号分开，可缺的后面加 ?；或 =表达式", "more codes, soft ones with a ?; or =expression"), 3),
    _Asked("tag", Text("标签", "Tag"), _NONE, 1, free=False),
    _Asked("basis", Text("依据", "Basis"), Text("所依据的条款", "the article it rests on")),
    _Asked("name-en", Text("英文名称", "English name"), Text("英文界面显示", "shown in English")),
)}  # fmt: skip
_EVENTS = ("StartEvent", "IntermediateCatchEvent", "BoundaryEvent", "ReceiveTask")
_STEPS = ("ServiceTask", "ScriptTask", "BusinessRuleTask", "SendTask", "ManualTask")
_GATEWAYS = ("ExclusiveGateway", "ParallelGateway", "InclusiveGateway", "EventBasedGateway")
_NAME_OF_MESSAGE = {"type": "bpmn:Message#property", "name": "name"}
_MESSAGE = {"label": "消息名称 · Message", "type": "String", "binding": _NAME_OF_MESSAGE}
_Kind = tuple[str, Text, tuple[str, ...], tuple[str, ...]]
_KINDS: tuple[_Kind, ...] = (
    ("task", Text("留痕：人工任务", "user task"), ("UserTask",),
     ("role", "form", "assignee", "due", "excluded", "fourEyes", "facts", "tag", "basis", "name-en")),
    ("step", Text("留痕：系统步骤", "automatic step"), _STEPS, ("facts", "tag", "basis", "name-en")),
    ("call", Text("留痕：调用与子流程", "call and subprocess"), ("CallActivity", "SubProcess"),
     ("tag", "basis", "name-en")),
    ("event", Text("留痕：消息事件", "message event"), _EVENTS, ("sender", "form", "tag", "basis", "name-en")),
    ("end", Text("留痕：结束事件", "end event"), ("EndEvent",), ("outcome", "tag", "basis", "name-en")),
    ("gateway", Text("留痕：网关", "gateway"), _GATEWAYS, ("basis", "name-en")),
)  # fmt: skip


def element_templates(words: Vocabulary) -> str:
    """The templates as the file that a modeler reads, with the roles, tags, facts and outcomes of this library."""
    lists = {
        "role": words.roles, "sender": {"applicant": Text("申请人", "applicant"), **words.roles}, "tag": words.tags,
        "outcome": words.outcomes, "facts": {code: fact.said for code, fact in words.facts.items()},
    }  # fmt: skip
    made = [each for modeler in _MODELERS for kind in _KINDS for each in _templates(kind, modeler, lists)]
    return "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in made) + "\n]\n"


def _templates(kind: _Kind, modeler: str, lists: Mapping[str, Mapping[str, Text]]) -> Iterator[dict[str, Any]]:
    key, said, applies, asked = kind
    schema, binding = _MODELERS[modeler]
    properties = [each for word in asked for each in _properties(_WORDS[word], binding, lists.get(word, {}))]
    template = {
        "$schema": schema,
        "id": f"liuhen.{key}.{modeler}",
        "name": f"{said.zh} · {said.en}",
        "description": "留痕读取的属性（policy:…）。 What Liuhen reads.",
        "version": _VERSION,
        "appliesTo": [f"bpmn:{each}" for each in applies],
        "properties": properties,
    }
    if modeler == "7":
        # Conditions, loops, calls and timers are still to be edited.
        yield template | {"entriesVisible": True}
    elif applies != _EVENTS:
        yield template
    else:
        # The modeler for 8 takes the message away from an event whose template does not name one.
        for each in applies:
            definition = {} if each == "ReceiveTask" else {"eventDefinition": "bpmn:MessageEventDefinition"}
            yield template | {
                "id": f"liuhen.{key}.{each}.{modeler}", "appliesTo": [f"bpmn:{each}"],
                "elementType": {"value": f"bpmn:{each}", **definition}, "properties": [_MESSAGE, *properties],
            }  # fmt: skip


def _properties(asked: _Asked, binding: str, listed: Mapping[str, Text]) -> Iterator[dict[str, Any]]:
    name = f"policy:{asked.word}"
    label = f"{asked.said.zh} · {asked.said.en}"
    choices = [{"name": f"{_NONE.zh} · {_NONE.en}", "value": ""}]
    choices += [{"name": f"{text.zh} · {text.en}（{code}）", "value": code} for code, text in listed.items()]
    for number in range(1, asked.choices + 1):
        part, shown = (f"{name}.{number}", f"{label} {number}") if asked.choices > 1 else (name, label)
        yield {"label": shown, "type": "Dropdown", "choices": choices, "value": "",
               "binding": {"type": binding, "name": part}}  # fmt: skip
    if asked.free:
        more = f"{name}.more" if asked.choices else name
        shown = f"{label}（其他 · other）" if asked.choices else label
        optional = {"optional": True} if binding.startswith("zeebe") else {}
        yield {"label": shown, "description": f"{asked.hint.zh}。 {asked.hint.en}", "type": "String", **optional,
               "binding": {"type": binding, "name": more}}  # fmt: skip
