"""Sees to it that a draft (征求意见稿) guides and never decides: nothing that binds may rest on drafts alone."""

from __future__ import annotations

import re
from collections.abc import Collection

from bpmn.diagram import Diagram
from bpmn.findings import Findings
from bpmn.surroundings import Surroundings

GUARDS = frozenset({"exclusiveGateway", "inclusiveGateway", "boundaryEvent", "businessRuleTask"})


def check_drafts(diagram: Diagram, surroundings: Surroundings, findings: Findings) -> None:
    """Report gateways, deadlines and decisions, and fields that must be answered, whose basis is drafts alone."""
    for element in diagram.elements.values():
        basis = element.policy.get("basis", "")
        binds = element.type in GUARDS or any(element.policy.get(word) for word in ("due", "excluded", "fourEyes"))
        if binds and rests_on_drafts(basis, surroundings.drafts):
            findings.add("draft-guard", element.line, element.id,
                         f"依据“{basis}”只是征求意见稿，只能作指引，不能作判断、期限或限制：请另写依据，或改为说明",
                         f"its basis “{basis}” is only a draft, which guides and does not decide: name another basis, "
                         "or make it guidance")
    for form in surroundings.forms.values():
        for field in form.fields:
            binds = bool(field.required or field.must or field.required_if or field.minimum is not None)
            if binds and rests_on_drafts(field.basis or "", surroundings.drafts):
                name, basis = f"{form.id}.{field.code}", field.basis or ""
                findings.add("draft-guard", diagram.process.line, diagram.process.id,
                             f"字段 {name} 必须填写或有界限，而依据“{basis}”只是征求意见稿：请另写依据，或改为可不填",
                             f"the field {name} binds, but its basis “{basis}” is only a draft: name another basis, or "
                             "leave it open")


def rests_on_drafts(basis: str, drafts: Collection[str]) -> bool:
    """Whether a basis cites drafts and nothing else; its citations stand between ；."""
    cited = [part.strip().split(" ")[0] for part in re.split(r"[；;]", basis) if part.strip()]
    return bool(cited) and all(code in drafts for code in cited)
