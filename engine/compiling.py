"""What one case can learn of others: who and what they are, and the facts their trails show (勤勉尽责核查).

What is personal or secret never leaves its case. A trail is verified before anything is taken from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import definitions, inbox, registers
from engine.errors import Incident, NotFound
from engine.model import Person
from engine.plugged import Step
from engine.runtime.scopes import CASE, Scopes
from engine.trail.duties import LATE, MISSING, record
from engine.trail.record import conceal
from engine.trail.verify import verify
from engine.work import Work
from forms.values import PersonRef, Value, from_json

if TYPE_CHECKING:
    from engine.desk import Desk

Row = Mapping[str, Any]

SHOWN = ("mode", "pricing_mode", "amount_fen", "valuation_fen")
"""Variables of a case that everybody asks for; None where it has none."""
PUBLICITY, SIGNING = "publicity", "agreement_signing"
"""The register of publicities, and the tag of the step in which an agreement is signed."""
ACTS = frozenset({
    "case.started", "task.completed", "message.sent", "step.skipped", "skip.proposed", "variable.corrected",
    "incident.retried", "case.migrated",
})  # fmt: skip
"""Kinds of events by which somebody has acted in a case."""


def case_of(work: Work, reference: Value) -> Value:
    """The case of this number or id as another case may know it; None where there is none.

    Its own variables are under ``variables``, those that are or hold something personal or secret left out.
    """
    if not isinstance(reference, str):
        return None
    try:
        row = inbox.case(work, reference)
    except NotFound:
        return None
    variables = _public_variables(work, row)
    return {
        "id": row["id"],
        "number": row["number"],
        "process": row["process"],
        "status": row["status"],
        "outcome": row["outcome"],
        "title": _public_title(work, row),
        "applicant": PersonRef(row["applicant"]) if row["applicant"] else None,
        **{name: variables.get(name) for name in SHOWN},
        "variables": variables,
    }


def _public_variables(work: Work, row: Row) -> dict[str, Value]:
    private = definitions.deployed(work, row["definition"]).private
    stored = from_json(row["scopes"]) if row["scopes"] else None
    found = Scopes.thawed(stored).table[CASE].values if isinstance(stored, list) else {}
    return {name: conceal(value, private) for name, value in found.items() if name not in private}


def _public_title(work: Work, row: Row) -> str:
    """The title, unless it is made from something private: then what the process is called."""
    deployed = definitions.deployed(work, row["definition"])
    return deployed.diagram.process.name if deployed.title is None else str(row["title"])


def compile_trail(desk: Desk, _: Step, parameters: Mapping[str, Value]) -> Value:
    """trail.compile: what the trails of these cases show, each verified first.

    Incident: there is no such case, or it is this very one.
    """
    references = parameters["cases"]
    # All of it as it stood at one instant: these cases go on while they are looked at.
    with desk.work.database.look(desk.work.actor) as work:
        rows = [_target(work, desk, each) for each in (references if isinstance(references, list) else [references])]
        return _compiled(work, list({row["id"]: row for row in rows}.values()))


def _target(work: Work, desk: Desk, reference: Value) -> dict[str, Any]:
    try:
        row = inbox.case(work, reference if isinstance(reference, str) else "")
    except NotFound:
        raise Incident(f"没有案卷“{reference}”", f"there is no case {reference!r}") from None
    if row["id"] == desk.row["id"]:
        raise Incident("案卷不能核查自己", "a case cannot look into itself")
    return row


def _compiled(work: Work, rows: list[dict[str, Any]]) -> Value:
    known: list[dict[str, Any]] = [case_of(work, row["id"]) for row in rows]  # type: ignore[misc]
    facts = [fact for row in rows for fact in _facts(work, row)]
    persons = dict.fromkeys(person for row in rows for person in _acted(work, row))
    people = set(work.db.execute(select(Person.id)).scalars())
    agreed = [row for row, each in zip(rows, known, strict=True) if each["pricing_mode"] == "agreement"]
    return {
        "cases": [{"id": row["id"], "number": row["number"]} for row in rows],
        "chain_ok": all(verify(work, row["id"]).intact for row in rows),
        "facts": list(facts),
        "missing": _codes(facts, MISSING),
        "late": _codes(facts, LATE),
        "mode": _first(known, "mode"),
        "pricing_mode": _first(known, "pricing_mode"),
        "agreed_price_publicised": bool(agreed) and all(publicised_before_signing(work, row) for row in agreed),
        "persons": [PersonRef(person) for person in persons if person in people],
    }


def _facts(work: Work, row: Row) -> list[dict[str, Value]]:
    """The facts of a case, each with its duty and status and the element that this rests on."""
    return [
        {"fact": each.fact, "duty": each.duty, "status": each.status, "hard": each.hard, "element": each.last.element,
         "case": row["number"]}
        for each in record(work, row["id"])
    ]  # fmt: skip


def _codes(facts: list[dict[str, Value]], status: str) -> list[Value]:
    return list(dict.fromkeys(str(each["fact"]) for each in facts if each["status"] == status))


def _first(known: list[dict[str, Any]], name: str) -> Value:
    return next((each[name] for each in known if each[name] is not None), None)


def _acted(work: Work, row: Row) -> Iterator[str]:
    """Who has acted in a case, also through a substitute."""
    for event in inbox.events(work, row["id"]):
        if event["kind"] in ACTS:
            actor = json.loads(event["body"])["actor"]
            yield str(actor["id"])
            if "on_behalf_of" in actor:
                yield str(actor["on_behalf_of"])


def publicised_before_signing(work: Work, row: Row) -> bool:
    """Whether a publicity of the price was closed with no objection upheld, and before the day of the signature if the
    agreement is signed (《促进科技成果转化法》第十八条).
    """
    signed_on = _signed_on(work, row)
    return any(
        entry["kind"] == "pricing" and entry.get("status") == "closed" and _before(entry.get("closed_on"), signed_on)
        for entry in registers.written_by(work, PUBLICITY, row["id"])
    )


def _before(day: Value, other: date | None) -> bool:
    return isinstance(day, date) and (other is None or day < other)


def _signed_on(work: Work, row: Row) -> date | None:
    """The day on which the agreement of a case was signed, by the last answer of a step with that tag."""
    variables = _public_variables(work, row)
    elements = definitions.deployed(work, row["definition"]).diagram.elements.values()
    answers = [variables.get(each.id) for each in elements if each.policy.get("tag") == SIGNING]
    days = [answer.get("signed_on") for answer in answers if isinstance(answer, dict)]
    return max((day for day in days if isinstance(day, date)), default=None)
