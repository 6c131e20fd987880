"""The facts a step leaves (工作留痕): how ``policy:facts`` names them, and what the gate finds wrong with that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bpmn.diagram import Diagram, Element
from bpmn.findings import Findings
from bpmn.scopes import form_of
from bpmn.surroundings import Surroundings

CODE = re.compile(r"F-[A-Z]{2}-[0-9]{2}")
_PASSED = frozenset({
    "userTask", "scriptTask", "serviceTask", "businessRuleTask", "sendTask", "receiveTask", "manualTask",
    "intermediateCatchEvent", "boundaryEvent",
})  # fmt: skip
"""What is passed at one moment, and so can leave facts."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What ``policy:facts`` of an element says: codes that are hard or soft (``?``), or an expression giving both."""

    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    expression: str | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """All of them, the hard ones first."""
        return (*self.hard, *(code for code in self.soft if code not in self.hard))


def declared(text: str) -> Declared:
    """What a ``policy:facts`` attribute says: ``F-RC-01 F-RC-04?`` or ``=expression``."""
    if text.strip().startswith("="):
        return Declared(expression=text.strip()[1:])
    return of_codes(re.split(r"[\s,，、]+", text.strip()))


def of_codes(words: Iterable[str]) -> Declared:
    """Codes as words, a soft one with a question mark behind it; empty words are none."""
    words = [word.strip().replace("？", "?") for word in words]
    soft = [word.rstrip("?") for word in words if word.endswith("?")]
    return Declared(
        tuple(dict.fromkeys(word for word in words if word and not word.endswith("?"))), tuple(dict.fromkeys(soft))
    )


def check_facts(diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    """Report facts nobody knows, facts where none can be left, and fields whose fact their step does not declare."""
    for element in diagram.elements.values():
        said = declared(element.policy.get("facts", ""))
        if "facts" in element.policy:
            _check_declared(said, element, surroundings, findings)
        if element.policy.get("late", "true") != "true":
            findings.add("late", element.line, element.id,
                         'policy:late 只能写 "true"（所留事实算补录）：请改正或删去',
                         'policy:late can only be "true" (what it leaves counts as entered late): correct or remove it')
        if said.expression is None:
            _check_fields(said, element, surroundings, findings)


def _check_declared(said: Declared, element: Element, surroundings: Surroundings, findings: Findings) -> None:
    if not _leaves(element):
        findings.add("misplaced-facts", element.line, element.id,
                     f"{element.type} 不留下事实：请把 policy:facts 写在留下该事实的任务或等待的事件上",
                     f"a {element.type} leaves no facts: write policy:facts on the task or the event that leaves them")
    for code in said.codes:
        if surroundings.facts is not None and code not in surroundings.facts:
            zh, en = findings.meant(code, surroundings.facts)
            findings.add("unknown-fact", element.line, element.id,
                         f"没有事实 “{code[:80]}”{zh}：请写 facts.yaml 中的代码，软性事实在其后加 ?",
                         f"there is no fact “{code[:80]}”{en}: write codes of facts.yaml, soft ones with a ? behind")
    for code in sorted({*said.hard} & {*said.soft}):
        findings.add("fact-twice", element.line, element.id,
                     f"事实 {code} 既写成必备又写成软性（?）：请只写一种",
                     f"the fact {code} is declared both hard and soft (?): declare it once")


def _leaves(element: Element) -> bool:
    eventful = element.type in ("startEvent", "intermediateThrowEvent")
    return element.type in _PASSED or (eventful and element.event is not None and element.event.kind != "none")


def _check_fields(said: Declared, element: Element, surroundings: Surroundings, findings: Findings) -> None:
    form = surroundings.forms.get(form_of(element) or "")
    if form is None:
        return
    for field in form.fields:
        for code in field.facts:
            if code not in said.codes:
                findings.add("undeclared-fact", element.line, element.id,
                             f"表单 {form.id} 的字段 {field.code} 证明事实 {code[:80]}，而此环节未写："
                             f"请在 policy:facts 中加上 {code[:80]}，或从字段删去",
                             f"the field {field.code} of the form {form.id} shows the fact {code[:80]}, which this "
                             "step does not declare: add it to policy:facts or remove it from the field")
