"""The list of cases and the page of one: what just happened, where it stands, what happened, and its trail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Blueprint, Response, request

from engine import definitions, inbox
from engine.access import judge, unbar
from engine.admission import door
from engine.anonymity import Veil, veil
from engine.desk import Desk
from engine.documents import pdf_is_possible
from engine.incidents import standing_still
from engine.people import names, standing
from engine.trail.record import EVENT_KINDS
from engine.trail.verify import verify
from engine.trail.words import Sentence, Speaker
from engine.work import BEIJING, Work
from webui import deadlines, dossier
from webui.answered import answered
from webui.documents import issued
from webui.drawing import drawn, last_in, marks_of
from webui.messages import from_outside, may_withdraw, sendable, visible
from webui.page import actor, go, language, look, new_key, show, vocabulary

bp = Blueprint("cases", __name__)

PAGE = 50
STRETCH, STRETCHES = 200, 5
SHOWN_DAYS = 6  # older ones are folded away


@bp.get("/cases")
def index() -> Response:
    """The cases one may look into, newest first."""
    words, status, process = (request.args.get(name, "") for name in ("words", "status", "process"))
    after = max(request.args.get("after", 0, type=int), 0)
    with look() as work:
        chosen = {"words": words, "status": status or None, "process": process or None}
        rows, further = page_of_cases(work, chosen, after)
        processes = {row.process: row for row in definitions.in_force(work)}
        people = names(work, [row["applicant"] for row in rows if row["applicant"]])
        return show(
            "cases.html",
            rows=rows,
            people=people,
            processes=processes,
            outcomes=vocabulary().outcomes,
            chosen=chosen,
            after=after,
            further=further,
        )


def page_of_cases(work: Work, chosen: Mapping[str, Any], after: int) -> tuple[list[Mapping[str, Any]], int | None]:
    """The cases to show from this place on, and the place where the next page begins, if there is one.

    Only a stretch of the list is looked through: whoever has a part in few of very many cases finds them by words.
    """
    rows: list[Mapping[str, Any]] = []
    for start in range(after, after + STRETCHES * STRETCH, STRETCH):
        found = inbox.cases(work, **chosen, limit=STRETCH, after=start)
        for place, row in enumerate(found, start):
            if len(rows) == PAGE:
                return rows, place
            if inbox.may_see(work, row):
                rows.append(row)
        if len(found) < STRETCH:
            return rows, None
    return rows, after + STRETCHES * STRETCH


@bp.get("/cases/<case:case>")
def page(case: str) -> Response:
    """One case; whoever may not look into it, but has a message to send to it, comes to that message."""
    with look() as work:
        if message := from_outside(work, case):
            return go("messages.page", case=case, name=message)
        desk = visible(work, case)
        hiding = veil(work, case)
        events = hiding.events(inbox.events(work, case))
        items = inbox.items_of(work, case)
        speaker = speaker_for(desk, events, items)
        told = speaker.sentences(events)
        marks = marks_of(desk, events, items)
        original = due_before(events)
        waits = [open_item(desk, speaker, item, original) for item in items if item["closed_at"] is None]
        comments = [
            {**row, "by": speaker.person(row["person"])} for row in hiding.rows(inbox.comments(work, case), "person")
        ]
        people = names(work, [desk.row["applicant"] or ""])
        return show(
            "case.html",
            case=desk.row,
            deployed=desk.deployed,
            process=desk.deployed.diagram.process,
            latest=next((each for each in reversed(told) if each.own), None),
            days=by_day(told),
            shown_days=SHOWN_DAYS,
            waits=waits,
            deadlines=[wait.deadline for wait in waits if wait.deadline] + clock_of(desk, speaker),
            picture=drawn(desk.deployed.diagram, marks),
            last=last_in(desk, events),
            answers=answered(desk),
            matrix=dossier.matrix(desk, speaker, events),
            may_add=bool(dossier.own_steps(desk, events)),
            may_stop=dossier.may_stop(desk),
            stopped=dossier.stopped(desk),
            documents=document_rows(desk, speaker, events, hiding),
            comments=comments,
            people=people,
            messages=[] if desk.row["status"] != "open" else sendable(desk),
            may_withdraw=desk.row["status"] == "open" and may_withdraw(desk),
            linked=[{**row, "seen": inbox.may_see(work, row)} for row in inbox.linked(work, desk.row)],
            incidents=[
                {**row, "name": speaker.anywhere(row["element"]).said(language())} for row in standing_still(work, case)
            ],
            outcome=speaker.outcome(desk.row["outcome"]) if desk.row["outcome"] else None,
            key=new_key(),
        )


def speaker_for(desk: Desk, events: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]] = ()) -> Speaker:
    """Who says what happened in this case."""
    concerned = {str(row["actor"]) for row in events}
    for row in events:
        body = json.loads(row["body"])
        concerned |= {str(one) for name in ("assignees", "persons") for one in body["data"].get(name) or ()}
        concerned |= {str(found) for found in (body["actor"].get("on_behalf_of"), body["data"].get("to")) if found}
        concerned |= {str(body["data"].get("key"))}
    for item in items:
        concerned |= {*unbar(item["assignees"]), *([item["claimed_by"]] if item["claimed_by"] else [])}
    concerned |= {str(row["uploaded_by"]) for row in inbox.documents(desk.work, desk.row["id"])}
    return Speaker(language(), names(desk.work, concerned), desk.deployed, vocabulary())


@dataclass(frozen=True, slots=True)
class Waits:
    """An open work item as the page of its case shows it; ``original`` is its due day before a suspension moved it."""

    item: Mapping[str, Any]
    name: str
    who: str
    claimed: str
    mine: bool
    deadline: deadlines.Deadline | None
    original: str | None


def due_before(events: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The first due days of the work items that suspensions have moved, by token."""
    found: dict[int, str] = {}
    for row in events:
        for each in json.loads(row["body"])["data"]["moved"] if row["kind"] == "case.resumed" else ():
            if each["what"] == "item":
                found.setdefault(each["token"], each["old"])
    return found


def open_item(desk: Desk, speaker: Speaker, item: Mapping[str, Any], original: Mapping[int, str]) -> Waits:
    """An open work item: who may do it and by when, and whether that is the reader."""
    name = speaker.element(item["process"], item["element"]).said(language())
    people = [speaker.person(one) for one in unbar(item["assignees"])]
    who = "、".join(people) if people else speaker.roles(unbar(item["roles"])).said(language())
    claimed = speaker.person(item["claimed_by"]) if item["claimed_by"] else ""
    mine = not judge(standing(desk.work, actor()), door(desk, item)).reasons
    deadline = deadlines.of_item(desk, item, name)
    return Waits(item, name, who, claimed, mine, deadline, original.get(item["token"]))


def clock_of(desk: Desk, speaker: Speaker) -> list[deadlines.Deadline]:
    """What the clock will do."""
    if desk.row["status"] != "open":
        return []
    return deadlines.of_timers(desk, lambda process, element: speaker.element(process, element).said(language()))


def document_rows(
    desk: Desk, speaker: Speaker, events: list[dict[str, Any]], hiding: Veil
) -> list[dict[str, Any]]:
    """The documents of a case, with who brought them and at which step, and whether there is a PDF to print."""
    printable = issued(events) if pdf_is_possible() else set()
    rows = []
    for row in hiding.rows(inbox.documents(desk.work, desk.row["id"]), "uploaded_by"):
        where = speaker.anywhere(row["element"]).said(language())
        by = speaker.person(row["uploaded_by"])
        rows.append({**row, "where": where, "by": by, "pdf": row["id"] in printable})
    return rows


@dataclass(slots=True)
class Act:
    """Something somebody (or the clock) did, and what followed from it by itself."""

    sentence: Sentence
    after: list[Sentence] = field(default_factory=list)


def by_day(told: Sequence[Sentence]) -> list[tuple[date, list[Act]]]:
    """The acts by the day in Beijing, newest first; what followed from an act stands under it, in its order."""
    days: dict[date, list[Act]] = {}
    last: Act | None = None
    for each in told:
        if last is not None and not each.own:
            last.after.append(each)
            continue
        last = Act(each)
        days.setdefault(each.at.astimezone(BEIJING).date(), []).insert(0, last)
    return sorted(days.items(), reverse=True)


@bp.get("/cases/<case:case>/trail")
def trail(case: str) -> Response:
    """Every event of a case, with its hash and the hash before it."""
    with look() as work:
        return trail_page(visible(work, case), None)


@bp.get("/cases/<case:case>/verification")
def verification(case: str) -> Response:
    """The same, after everything was recomputed."""
    with look() as work:
        desk = visible(work, case)
        return trail_page(desk, verify(work, case))


def trail_page(desk: Desk, verdict: Any) -> Response:
    """The trail as a table."""
    events = veil(desk.work, desk.row["id"]).events(inbox.events(desk.work, desk.row["id"]))
    speaker = speaker_for(desk, events)
    rows = [
        {
            **row,
            "text": speaker.sentence(row).text,
            "label": EVENT_KINDS[row["kind"]][language() == "en"],
            "body": json.dumps(json.loads(row["body"]), ensure_ascii=False, indent=2),
        }
        for row in events
    ]
    return show("trail.html", case=desk.row, rows=rows, verdict=verdict)
