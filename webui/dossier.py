"""What is put beside the steps of a case: the duty matrix with its gaps, late evidence, corrections; and suspension."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from engine import evidence, inbox, suspending
from engine.desk import Desk
from engine.errors import NotFound
from engine.facts import named
from engine.people import names, standing
from engine.suspending import CAUSES, OFFICERS, SUSPENDED
from engine.trail import duties
from engine.trail.words import Speaker
from forms.saying import Shown, Teller, persons_in
from forms.values import from_json
from webui.answered import form_of, name_of
from webui.messages import visible
from webui.page import act, actor, go, language, look, new_key, said, show, t, vocabulary

bp = Blueprint("dossier", __name__)


# The duty matrix (四项义务对照表).


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the trail a fact was left or was lacking, as people read it."""

    seq: int
    left: bool
    late: bool
    element: str
    person: str
    at: Any
    documents: tuple[Mapping[str, Any], ...]
    may_add: bool


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact of the matrix: the place its status rests on, and the others."""

    code: str
    name: str
    hard: bool
    status: str
    place: Place
    others: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class DutyRow:
    """One duty of the matrix: its conclusion and its facts."""

    duty: str
    status: str
    word: str
    facts: tuple[FactRow, ...]

    def count(self, status: str) -> int:
        """How many of its facts have this status."""
        return sum(each.status == status for each in self.facts)


Events = Sequence[Mapping[str, Any]]


def matrix(desk: Desk, speaker: Speaker, events: Events) -> list[DutyRow]:
    """The four duties of a case, as its facts show them so far; none while no step has left or lacked a fact."""
    facts = duties.record(desk.work, desk.row["id"], events)
    papers = {row["id"]: row for row in inbox.documents(desk.work, desk.row["id"])}
    officer = evidence.COMPLIANCE in standing(desk.work, actor()).roles

    def place(entry: duties.Entry) -> Place:
        shown = tuple(papers[each] for each in entry.documents if each in papers)
        may = desk.row["status"] != "closed" and not entry.left and (officer or entry.person == actor())
        element = speaker.element(entry.process, entry.element).said(language())
        person = speaker.person(entry.person)
        return Place(entry.seq, entry.left, entry.late, element, person, entry.at, shown, may)

    def row(fact: duties.Fact) -> FactRow:
        others = tuple(place(each) for each in fact.entries if each is not fact.last)
        return FactRow(fact.fact, said(named(fact.fact)), fact.hard, fact.status, place(fact.last), others[::-1])

    rows = duties.matrix(facts) if any(each.duty in duties.DUTIES for each in facts) else []
    return [
        DutyRow(each.duty, each.status, said(duties.WORDS[each.status]), tuple(row(fact) for fact in each.facts))
        for each in rows
    ]


# Late evidence (补录).


@dataclass(frozen=True, slots=True)
class PastStep:
    """A past step one may add to: what it is called, who did it when, and its facts as (code, name, lacking)."""

    seq: int
    name: str
    who: str
    at: Any
    facts: tuple[tuple[str, str, bool], ...]


def own_steps(desk: Desk, events: Events) -> list[evidence.Step]:
    """The past steps of a case to which the reader may add."""
    if desk.row["status"] == "closed":
        return []
    officer = evidence.COMPLIANCE in standing(desk.work, actor()).roles
    return [each for each in evidence.steps_in(desk.deployed, events) if officer or actor() in each.doers]


def past_steps(desk: Desk) -> list[PastStep]:
    """The steps of a case to which the reader may add, the last first."""
    events = inbox.events(desk.work, desk.row["id"])
    at = {row["seq"]: row["at"] for row in events}
    steps = own_steps(desk, events)
    people = names(desk.work, {one for each in steps for one in each.doers})
    speaker = Speaker(language(), people, desk.deployed, vocabulary())
    return [
        PastStep(
            each.seq,
            speaker.element(each.process, each.element).said(language()),
            t("list.comma").join(speaker.person(one) for one in sorted(each.doers)),
            at[each.seq],
            tuple((code, said(named(code)), code in each.lacking) for code in each.facts),
        )
        for each in reversed(steps)
    ]


@bp.get("/cases/<case:case>/evidence")
def steps(case: str) -> Response:
    """The past steps one may add late evidence to."""
    with look() as work:
        desk = visible(work, case)
        return show("evidence_steps.html", case=desk.row, steps=past_steps(desk))


@bp.get("/cases/<case:case>/evidence/<int:step>")
def ask_evidence(case: str, step: int) -> Response:
    """Add late evidence to this step: which facts, which document, why only now."""
    with look() as work:
        desk = visible(work, case)
        found = next((each for each in past_steps(desk) if each.seq == step), None)
        if found is None:
            raise NotFound("没有这个环节，或您不能为它补录", "there is no such step, or you may not add to it")
        return show("evidence.html", case=desk.row, step=found, key=new_key())


@bp.post("/cases/<case:case>/evidence/<int:step>")
def add_evidence(case: str, step: int) -> Response:
    """Keep it, flagged as late."""
    file, facts, reason = request.files.get("file"), request.form.getlist("fact"), request.form.get("reason", "")
    kept = (file.filename, file.read()) if file is not None and file.filename else None
    digest = hashlib.sha256(kept[1]).hexdigest() if kept else ""
    with act("evidence", case, str(step), *facts, reason, digest) as work:
        evidence.add(work, case, step, facts, reason, kept)
    return go("cases.page", case=case, _anchor="duties")


# Corrections (更正).


def fields_of(desk: Desk, submission: str) -> tuple[str, list[tuple[str, str, Shown]]]:
    """What an answer was given to, and its fields: code, label, answer. NotFound: there is no such answer."""
    for row in inbox.submissions(desk.work, desk.row["id"]):
        drawn = form_of(desk, row) if row["id"] == submission else None
        if drawn is not None:
            answer = from_json(row["answer"])
            values = answer if isinstance(answer, dict) else {}
            teller = Teller(language(), names(desk.work, persons_in([values])))
            fields = [each for each in drawn[1].fields if each.holds_value]
            return name_of(drawn, teller), [
                (each.code, said(each.label), teller.value(each, values.get(each.code))) for each in fields
            ]
    raise NotFound("没有这次填报", "there is no such answer")


@bp.get("/cases/<case:case>/corrections/<document:submission>")
def ask_correction(case: str, submission: str) -> Response:
    """Which field of an answer was wrong, what it should be, and why."""
    with look() as work:
        desk = visible(work, case)
        title, fields = fields_of(desk, submission)
        return show("correction.html", case=desk.row, title=title, fields=fields, submission=submission, key=new_key())


@bp.post("/cases/<case:case>/corrections/<document:submission>")
def correct(case: str, submission: str) -> Response:
    """Keep the correction beside the answer, which stays as it was."""
    field, should_be, reason = (request.form.get(name, "") for name in ("field", "should_be", "reason"))
    with act("correct", case, submission, field, should_be, reason) as work:
        evidence.correct(work, case, submission, field, should_be, reason)
    return go("cases.page", case=case, _anchor="answers")


# Suspension (中止).


def may_stop(desk: Desk) -> bool:
    """Whether the reader may suspend the case, or let it go on."""
    about = standing(desk.work, actor())
    return desk.row["status"] != "closed" and bool(about.roles & OFFICERS) and desk.row["id"] not in about.cases


def stopped(desk: Desk) -> dict[str, Any] | None:
    """Why and since when a case is suspended."""
    if desk.row["status"] != SUSPENDED:
        return None
    return {"cause": CAUSES[desk.row["stopped_for"]], "since": desk.row["stopped_at"]}


@bp.get("/cases/<case:case>/suspension")
def ask_to_stop(case: str) -> Response:
    """Suspend the case, or let it go on? The page asks why."""
    with look() as work:
        desk = visible(work, case)
        return show("suspension.html", case=desk.row, stopped=stopped(desk), causes=CAUSES, key=new_key())


@bp.post("/cases/<case:case>/suspension")
def suspend(case: str) -> Response:
    """Suspend it."""
    cause, reason = request.form.get("cause", ""), request.form.get("reason", "")
    with act("suspend", case, cause, reason) as work:
        suspending.suspend(work, case, cause, reason)
    return go("cases.page", case=case)


@bp.post("/cases/<case:case>/resumption")
def resume(case: str) -> Response:
    """Let it go on."""
    reason = request.form.get("reason", "")
    with act("resume", case, reason) as work:
        suspending.resume(work, case, reason)
    return go("cases.page", case=case)
