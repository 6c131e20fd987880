"""Facts that the steps of a case leave, and how far they show the four duties of 条例第十九条.

Everything here is read from the case's own trail: what a passed step left, what it lacked, what was added late. Called
processes are part of their case; linked cases are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine import definitions, inbox
from engine.errors import NotFound
from engine.library import Library
from engine.trail.record import EVIDENCE, OVERRUN, PASSED, SKIPPED, process_of
from engine.work import Work
from forms.values import Value, files_in, from_json
from forms.words import Text

DUTIES: Mapping[str, str] = {
    "democratic_decision": "F-DD",
    "info_publicity": "F-PB",
    "reasonable_care": "F-RC",
    "supervision": "F-SV",
}
"""The four duties, and how the codes of their facts begin."""

PRESENT, LATE, MISSING = "present", "late", "missing"
MET, PARTLY, NOT_MET, NONE = "met", "partly", "not_met", "none"

WORDS: Mapping[str, Text] = {
    MET: Text("已落实", "Fulfilled"),
    PARTLY: Text("部分落实", "Partly fulfilled"),
    NOT_MET: Text("缺失", "Missing"),
    NONE: Text("不适用", "Not applicable"),
}
"""How an auditor reads the status of a duty."""

LATE_ENTRY = "F-SV-11"
"""The fact that something was entered late, with its reason; it is itself in time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the trail (event ``seq`` of the case) where a fact was left, or (``left`` is false) was lacking.

    ``documents`` are the ids of those that show it; ``process`` is the called process the element lies in, or the
    case's own.
    """

    fact: str
    left: bool
    hard: bool
    late: bool
    seq: int
    element: str
    process: str
    person: str
    at: datetime
    submission: str | None = None
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that passed steps of a case had to leave, or left all the same, with all its entries, oldest first.

    ``status`` is ``present``, ``late`` (only entered afterwards) or ``missing``; ``hard`` unless all steps are content
    without it.
    """

    fact: str
    duty: str
    hard: bool
    status: str
    entries: tuple[Entry, ...]

    @property
    def last(self) -> Entry:
        """The entry that its status rests on: the last that left it, or of a missing one that lacked it."""
        resting = [each for each in self.entries if each.left == (self.status != MISSING)]
        return resting[-1]


@dataclass(frozen=True, slots=True)
class Duty:
    """How far the facts of a case show one duty: ``status`` is met, partly, not_met, or none where it has no facts."""

    duty: str
    status: str
    facts: tuple[Fact, ...]


def duty_of(code: str) -> str:
    """The duty a fact shows; ``general`` for one that shows none."""
    known = Library.standing().vocabulary().facts.get(code)
    if known is not None:
        return known.duty
    return next((duty for duty, prefix in DUTIES.items() if code.startswith(f"{prefix}-")), "general")


# Reading the trail.


def entries_in(events: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """What these events of one case (rows with ``kind`` and ``body``) tell of facts, in their order."""
    found: list[Entry] = []
    issued: dict[tuple[str, str], list[str]] = {}
    for row in events:
        if row["kind"] == "document.issued":
            body = json.loads(row["body"])
            issued.setdefault(_place(body), []).append(str(body["data"]["document"]))
        elif row["kind"] in PASSED | {SKIPPED, EVIDENCE, OVERRUN}:
            found += _entries_of(json.loads(row["body"]), issued)
    return found


def _place(body: Mapping[str, Any]) -> tuple[str, str]:
    """The element an event is about: its process (the called one, where it lies in one) and its id."""
    return process_of(body), str((body.get("process") or {}).get("element"))


def _entries_of(body: Mapping[str, Any], issued: dict[tuple[str, str], list[str]]) -> Iterable[Entry]:
    data, kind = body["data"], body["type"]
    process, element = _place(body)
    documents = [*issued.pop((process, element), ()), *([str(data["document"])] if "document" in data else ())]
    whole = Entry(
        "", True, False, False, body["seq"], element, process, str(body["actor"]["id"]),
        datetime.fromisoformat(body["ts"]), data.get("submission") if kind != EVIDENCE else None, tuple(documents),
    )  # fmt: skip
    late, asked = bool(data.get("late")) or kind == EVIDENCE, kind in PASSED
    soft = set(data.get("soft", ()))
    for code in data.get("facts", ()):
        yield replace(whole, fact=code, hard=asked and code not in soft, late=late and code != LATE_ENTRY)
    lacking = replace(whole, left=False, documents=())
    for name in ("missing", "gaps"):
        for code in data.get(name, ()):
            yield replace(lacking, fact=code, hard=name == "missing")


def facts_in(events: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The facts that these events of a case tell to be there, each with the elements that left it."""
    found: dict[str, set[str]] = {}
    for entry in entries_in(events):
        if entry.left:
            found.setdefault(entry.fact, set()).add(entry.element)
    return found


def facts_of(work: Work, case: str) -> dict[str, set[str]]:
    """The facts that a case's trail holds, each with the elements that left it."""
    return facts_in(inbox.events(work, case))


# Judging what was read.


def judged(entries: Iterable[Entry]) -> list[Fact]:
    """The facts of these entries, each with its status, in the order of their codes."""
    by_code: dict[str, list[Entry]] = {}
    for entry in entries:
        by_code.setdefault(entry.fact, []).append(entry)
    return [
        Fact(code, duty_of(code), any(each.hard for each in found), _status(found), tuple(found))
        for code, found in sorted(by_code.items())
    ]


def _status(entries: Sequence[Entry]) -> str:
    """A fact is there once a step left it in its course. One that a step had to leave and did not is missing until
    it is left again; what is entered late only fills a gap, and never makes what is there worse.
    """
    status = MISSING
    for each in entries:
        if each.left and each.late:
            status = PRESENT if status == PRESENT else LATE
        elif each.left:
            status = PRESENT
        elif each.hard:
            status = MISSING
    return status


def record(work: Work, case: str, events: Iterable[Mapping[str, Any]] | None = None) -> list[Fact]:
    """The facts of a case (by id) by their codes: those its passed steps had to leave, and those they left.

    ``events`` are all those of its trail, where they are known already.
    """
    told = inbox.events(work, case) if events is None else events
    return judged(_with_documents(work, case, entries_in(told)))


def matrix(facts: Iterable[Fact]) -> list[Duty]:
    """The four duties with their facts (四项义务对照表)."""
    facts = list(facts)
    found = []
    for duty in DUTIES:
        own = tuple(each for each in facts if each.duty == duty)
        found.append(Duty(duty, _met(own) if own else NONE, own))
    return found


def _met(facts: Iterable[Fact]) -> str:
    """``not_met`` if a hard fact is missing, else ``partly`` if one is late, else ``met``."""
    facts = list(facts)
    if any(each.hard and each.status == MISSING for each in facts):
        return NOT_MET
    return PARTLY if any(each.status == LATE for each in facts) else MET


def duties_of(work: Work, case: str) -> dict[str, str]:
    """Each duty as the case's own facts show it: met, partly or not_met; nothing speaks against one without facts."""
    facts = judged(entries_in(inbox.events(work, case)))
    return {duty: _met(each for each in facts if each.duty == duty) for duty in DUTIES}


# The documents that show a fact.


def _with_documents(work: Work, case: str, entries: list[Entry]) -> list[Entry]:
    """The entries with the files of the answers that left them: of the fields that show the fact, else of all."""
    answers = {row["id"]: from_json(row["answer"]) for row in inbox.submissions(work, case)}
    deployed = definitions.deployed(work, inbox.case(work, case)["definition"])
    found = []
    for entry in entries:
        answer = answers.get(entry.submission or "")
        if entry.left and isinstance(answer, dict):
            files = tuple(dict.fromkeys(file.id for file in files_in(_showing(deployed, entry, answer))))
            found.append(replace(entry, documents=(*entry.documents, *files)))
        else:
            found.append(entry)
    return found


def _showing(deployed: definitions.Deployed, entry: Entry, answer: dict[str, Value]) -> Value:
    """The part of an answer that shows a fact."""
    try:
        form = deployed.form(entry.process, entry.element)
    except (KeyError, NotFound):  # the case has moved to a version without this element
        return answer
    fields = [each.code for each in form.fields if entry.fact in each.facts]
    return [answer.get(code) for code in fields] if fields else answer
