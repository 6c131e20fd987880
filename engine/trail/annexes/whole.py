"""The annexes together: which tables belong to which part of a report, and the files that are written of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.trail.annexes import course, decided, dues, found, interests, moneys, publicised
from engine.trail.annexes.account import Account
from engine.trail.annexes.sheets import Sheet, as_json

Annex = Callable[[Account], Sheet]

ANNEXES: Mapping[str, Sequence[Annex]] = {
    "cover": (found.cover,),
    "matrix": (found.duties, found.facts),
    "chronology": (course.chronology,),
    "gateways": (course.gateways,),
    "decisions": (decided.decisions, decided.meetings, decided.staff),
    "publicity": (publicised.publicities, publicised.notices, publicised.objections),
    "money": (moneys.money, moneys.distribution),
    "deadlines": (dues.deadlines, dues.suspensions, dues.escalations),
    "recusals": (
        interests.negative_list, interests.interests, interests.recusals, interests.refused, interests.overrides,
    ),
    "documents": (found.documents,),
    "gaps": (found.gaps, found.late, found.readiness),
    "answers": (found.answers,),
    "proof": (found.proof,),
}  # fmt: skip
"""The annexes by the part of the report they stand in."""


def annexes(account: Account) -> dict[str, list[Sheet]]:
    """Every table of a case, by part; each is computed once."""
    return {part: [annex(account) for annex in several] for part, several in ANNEXES.items()}


def written(account: Account, parts: Mapping[str, Sequence[Sheet]]) -> Iterator[tuple[str, bytes]]:
    """The files of these tables: one CSV for each, and all of them as one JSON."""
    sheets = [sheet for several in parts.values() for sheet in several]
    for sheet in sheets:
        yield f"tables/{sheet.name}.csv", sheet.csv(account.language)
    yield "tables/tables.json", as_json(account.material.row["number"], sheets)
