"""Who acted in a case without giving their name (匿名异议): what others read of it names nobody.

The choice is a field of the form. The trail keeps the pseudonym all the same, and who it was is known to compliance
officers, to discipline, and to whoever acted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine import inbox
from engine.model import Submission
from engine.people import standing
from engine.trail.record import process_of
from engine.work import SYSTEM, Work

CHOICE = "is_anonymous"
NOBODY = "anonymous"
"""Stands in the place of a person's id."""
KNOW = frozenset({"compliance_officer", "discipline_office"})
"""Roles that may know who it was."""

Row = Mapping[str, Any]
Trace = tuple[str, datetime | str | int]
"""A person, and by what an event tells of their nameless act: its instant, message, process, or the event's number."""


@dataclass(frozen=True, slots=True)
class Veil:
    """What a reader may not know of one case."""

    traces: frozenset[Trace] = frozenset()

    def row(self, row: Row, column: str) -> dict[str, Any]:
        """A row with whom it names in this column, unless they acted at its instant ``at`` without giving a name."""
        return {**row, column: NOBODY} if (row[column], row["at"]) in self.traces else dict(row)

    def rows(self, rows: Iterable[Row], column: str) -> list[dict[str, Any]]:
        """All of them, in their order."""
        return [self.row(each, column) for each in rows]

    def event(self, row: Row) -> dict[str, Any]:
        """An event with its ``body`` as the reader may read it; its number and hash stay those of what is kept."""
        body = json.loads(row["body"]) if self.traces else {}
        hidden = self._hidden(row, body)
        text = str(row["body"])
        for person in hidden:
            text = text.replace(f'"{person}"', f'"{NOBODY}"')
        return {**row, "body": text, **({"actor": NOBODY} if row.get("actor") in hidden else {})}

    def _hidden(self, row: Row, body: Mapping[str, Any]) -> set[str]:
        if not body:
            return set()
        person, data = body["actor"]["id"], body["data"]
        by = {(person, row["at"]), (person, data.get("verb")), (person, data.get("step"))}
        told = {one for one in data.get("persons") or () if (one, process_of(body)) in self.traces}
        return told | ({person} if by & self.traces else set())

    def events(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """All of them, in their order."""
        return [self.event(each) for each in rows]


def veil(work: Work, case: str, *, public: bool = False) -> Veil:
    """What the actor may not know of a case (by id), or what nobody may in a view that is ``public``."""
    columns = (Submission.id, Submission.person, Submission.at, Submission.answer)
    rows = work.rows(select(*columns).where(Submission.case == case, Submission.answer.contains(f'"{CHOICE}":true')))
    nameless = {row["id"]: row for row in rows if json.loads(row["answer"]).get(CHOICE) is True}
    if not public:
        knows = work.actor == SYSTEM or bool(nameless and standing(work, work.actor).roles & KNOW)
        nameless = {key: row for key, row in nameless.items() if not knows and row["person"] != work.actor}
    traces: set[Trace] = {(row["person"], row["at"]) for row in nameless.values()}
    for event in inbox.events(work, case) if nameless else ():
        body = json.loads(event["body"])
        person, data = event["actor"], body["data"]
        given = nameless.get(data.get("submission")) or nameless.get(data.get("corrects"))
        if given and given["person"] == person:
            traces |= {(person, event["at"]), (person, process_of(body)), (person, str(data.get("message")))}
        if (person, event["at"]) in traces:
            traces.add((person, event["seq"]))
    return Veil(frozenset(traces))
