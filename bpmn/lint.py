"""The deployment gate: everything for which a diagram is refused, with its place and what to do about it.

What a diagram may refer to (forms, roles, operations, processes) is given by the caller; nothing is looked up here.
"""

from __future__ import annotations

from bpmn.automatic import check_automatic
from bpmn.diagram import Diagram
from bpmn.drafts import check_drafts
from bpmn.facts import check_facts
from bpmn.findings import Findings
from bpmn.happenings import check_happenings
from bpmn.scopes import Scopes
from bpmn.starts import check_starts
from bpmn.structure import check_structure
from bpmn.supported import check_supported
from bpmn.surroundings import GIVEN, OperationSpec, ProcessSignature, Surroundings, signature
from bpmn.uncaught import check_uncaught
from bpmn.wording import check_expressions
from bpmn.work_items import check_work_items
from forms.words import Finding

__all__ = [
    "GIVEN", "OperationSpec", "ProcessSignature", "Surroundings", "check_diagram", "check_drawing",
    "names_brought", "signature",
]


def check_diagram(diagram: Diagram, surroundings: Surroundings) -> list[Finding]:
    """Every finding about a diagram, in the order of the file; it may be deployed when none of them is an error."""
    findings = Findings(diagram.file)
    scopes = Scopes(diagram, surroundings)
    check_supported(diagram, findings)
    check_structure(diagram, findings)
    check_happenings(diagram, findings)
    check_uncaught(diagram, surroundings, findings)
    check_starts(diagram, surroundings, findings)
    check_work_items(diagram, surroundings, findings)
    check_automatic(diagram, surroundings, scopes, findings)
    check_expressions(diagram, surroundings, scopes, findings)
    check_facts(diagram, surroundings, findings)
    check_drafts(diagram, surroundings, findings)
    return findings.in_order()


def check_drawing(diagram: Diagram) -> list[Finding]:
    """What keeps a drawing from running whatever is around it, where the file does not say which of several runs."""
    findings = Findings(diagram.file)
    check_supported(diagram, findings)
    check_structure(diagram, findings)
    check_happenings(diagram, findings)
    check_uncaught(diagram, Surroundings(), findings)
    check_starts(diagram, Surroundings(), findings)
    return [finding for finding in findings.in_order() if finding.code != "not-executable"]


def names_brought(diagram: Diagram, surroundings: Surroundings, element: str | None = None) -> frozenset[str]:
    """The names that expressions can read: in an element, or (None) outside every multi-instance activity."""
    scopes = Scopes(diagram, surroundings)
    return scopes.of_process() if element is None else scopes.inside(diagram.elements[element])
