"""Facts that the steps of a case leave, and how far they show the four duties of 条例第十九条."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from engine import definitions, inbox
from engine.model import Document
from engine.trail.record import PASSED
from engine.work import Work

DUTIES: Mapping[str, str] = {
    "democratic_decision": "F-DD",
    "info_publicity": "F-PB",
    "reasonable_care": "F-RC",
    "supervision": "F-SV",
}
"""The four duties, and how the codes of their facts begin."""

def listed(text: str) -> Iterable[str]:
    """The codes of a ``policy:facts`` attribute."""
    return text.replace(",", " ").split()


def facts_of(work: Work, case: str) -> dict[str, set[str]]:
    """The facts that a case's trail holds, each with the elements that left it."""
    found: dict[str, set[str]] = {}
    for row in inbox.events(work, case):
        if row["kind"] in PASSED:
            for fact in listed(str(json.loads(row["body"])["data"].get("facts", ""))):
                found.setdefault(fact, set()).add(str(row["element"]))
    return found


def duties_of(work: Work, case: str) -> dict[str, str]:
    """Each duty as the case's own facts show it: ``not_met`` if a fact that a passed step has to leave is missing,
    else ``partly`` if one rests on a late document, else ``met``.
    """
    row = inbox.case(work, case)
    deployed = definitions.deployed(work, row["definition"])
    elements = {
        element.id: element for each in deployed.contents.values() for element in each.diagram.elements.values()
    }
    passed = {str(event["element"]) for event in inbox.events(work, case) if event["kind"] in PASSED}
    required = {fact for name in passed if name in elements for fact in listed(elements[name].policy.get("facts", ""))}
    recorded = facts_of(work, case)
    query = select(Document.element).where(Document.case == case, Document.late)
    late = set(work.db.execute(query).scalars())
    found = {}
    for duty, prefix in DUTIES.items():
        wanted = {fact for fact in required if fact.startswith(prefix)}
        missing = wanted - recorded.keys()
        rests_on_late = any(recorded[fact] & late for fact in wanted & recorded.keys())
        found[duty] = "not_met" if missing else "partly" if rests_on_late else "met"
    return found
