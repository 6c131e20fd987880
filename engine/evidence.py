"""What is put beside a step when it is past: late evidence (补录), and the correction (更正) of what was answered.

Neither changes what is there: each is a record of its own with its reason, and refers to the step it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bpmn.facts import declared
from engine import definitions, documents, inbox, personal
from engine.answers import keep_submission
from engine.definitions import Deployed
from engine.desk import Desk, open_desk
from engine.errors import NotFound, NotYours, Unusable, WrongState
from engine.facts import named
from engine.items import remark
from engine.model import Submission, Task
from engine.people import name_of, standing
from engine.requests import recall, remember
from engine.said import plain
from engine.trail.duties import LATE_ENTRY
from engine.trail.record import EVIDENCE, PASSED, SKIPPED, process_of
from engine.work import Work
from forms.values import from_json
from forms.words import Text

COMPLIANCE = "compliance_officer"
CORRECTION = "correction_of_answer"
LATE_REASON = Text("补录须写明理由", "say why this is entered only now")
CORRECTION_REASON = Text("更正须写明理由", "say why the answer is corrected")
CORRECTED = Text("请写明更正后的内容", "say what the answer should be")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a case that is past: the event (``seq``) that tells of it, who did it, and the facts it is asked for.

    ``lacking`` are those it did not leave.
    """

    seq: int
    element: str
    process: str
    doers: frozenset[str]
    facts: tuple[str, ...]
    lacking: tuple[str, ...]
    token: int | None


def steps(work: Work, case: str) -> list[Step]:
    """The steps of a case (by id) that are past, in their order; a step done again is there each time."""
    deployed = definitions.deployed(work, inbox.case(work, case)["definition"])
    return steps_in(deployed, inbox.events(work, case))


def steps_in(deployed: Deployed, events: Iterable[Row]) -> list[Step]:
    """The steps that these events of one case tell to be past."""
    return [_step(deployed, row) for row in events if row["kind"] in PASSED | {SKIPPED}]


def _step(deployed: Deployed, row: Row) -> Step:
    body = json.loads(row["body"])
    data, process = body["data"], process_of(body)
    lacking = (*data.get("missing", ()), *data.get("gaps", ()))
    contents = deployed.contents.get(process)
    element = contents.diagram.elements.get(row["element"]) if contents else None
    asked = declared(element.policy.get("facts", "")).codes if element else ()
    return Step(
        row["seq"],
        row["element"],
        process,
        frozenset(body["actor"][name] for name in ("id", "on_behalf_of") if body["actor"].get(name)),
        tuple(dict.fromkeys((*lacking, *data.get("facts", ()), *asked))),
        lacking,
        data.get("token"),
    )


def may_add(work: Work, step: Step) -> bool:
    """Whether the actor may add late evidence to a step: who did it, and the compliance officer."""
    return work.actor in step.doers or COMPLIANCE in standing(work, work.actor).roles


def add(
    work: Work,
    case: str,
    seq: int,
    facts: Iterable[str],
    reason: str,
    file: tuple[str, bytes] | None = None,
) -> None:
    """Add a document, facts or both to a past step of an open case, flagged as late; its original due day is told.

    ``seq`` is the event of the step in the case's trail, ``file`` a name and bytes. NotYours: somebody else did it.
    Unusable: there is neither fact nor document, no reason, or the step is not asked for such a fact.
    """
    reason, codes = plain(reason, LATE_REASON), tuple(dict.fromkeys(facts))
    if recall(work) is not None:
        return
    desk = open_desk(work, case)
    step = _past(desk, seq)
    if not may_add(work, step):
        raise _not_yours(desk, step, "evidence", Text("补录", "add evidence to"))
    if desk.row["status"] == "closed":
        raise WrongState(
            f"案卷 {desk.row['number']} 已办结，不能补录",
            f"the case {desk.row['number']} is closed: nothing can be added to its steps",
            case=desk.row["id"],
            element=step.element,
            verb="evidence",
        )
    _refuse_unasked(step, codes)
    if not codes and file is None:
        raise Unusable("请选择补录的事实，或附上材料", "choose the facts that are entered late, or attach a document")
    told: dict[str, Any] = {"step": seq, "due": _due(desk, step), **remark(desk, reason)}
    if file is not None:
        name, data = file
        kept = documents.attach(work, case, step.element, name, data, work.actor, late=True)
        told |= {"document": kept.id, "sha256": kept.sha256}
    told |= {"facts": [*codes, LATE_ENTRY], "soft": [*codes, LATE_ENTRY]}
    desk.tell(EVIDENCE, told, element=step.element, process=step.process)
    desk.keep()
    remember(work, case)


def _past(desk: Desk, seq: int) -> Step:
    for row in inbox.events(desk.work, desk.row["id"]):
        if row["seq"] == seq and row["kind"] in PASSED | {SKIPPED}:
            return _step(desk.deployed, row)
    number = desk.row["number"]
    raise NotFound(f"案卷 {number} 没有第 {seq} 号环节记录", f"event {seq} of the case {number} is no past step")


def _refuse_unasked(step: Step, codes: Iterable[str]) -> None:
    for code in codes:
        if code not in step.facts:
            asked = [named(each) for each in step.facts]
            zh = "、".join(f"{code} {each.zh}" for code, each in zip(step.facts, asked, strict=True)) or "无"
            en = ", ".join(f"{code} ({each.en})" for code, each in zip(step.facts, asked, strict=True)) or "none"
            raise Unusable(
                f"该环节不留事实 {code}；它的事实：{zh}", f"this step is not asked for {code}; it is asked for: {en}"
            )


def _due(desk: Desk, step: Step) -> str | None:
    """By when the step had to be done; late evidence moves no deadline."""
    if step.token is None:
        return None
    due = desk.work.db.execute(select(Task.due).where(Task.id == desk.item_id(step.token))).scalar_one_or_none()
    return due.isoformat() if due else None


def _not_yours(desk: Desk, step: Step, verb: str, what: Text) -> NotYours:
    who = name_of(desk.work, desk.work.actor)
    return NotYours(
        f"{who}不能{what.zh}该环节：只有办理人和合规专员可以",
        f"{who} may not {what.en} this step: only whoever did it and the compliance officer may",
        ("role",),
        case=desk.row["id"],
        element=step.element,
        verb=verb,
    )


# Corrections.


def correct(work: Work, case: str, submission: str, field: str, should_be: str, reason: str) -> None:
    """Put on record that an answer of a completed step was wrong in one field, what it should be, and why.

    The answer stays as it was given, and so do the variables and everything that was decided on it. NotYours: only who
    gave the answer and the compliance officer may. NotFound: there is no such answer, or it has no such field.
    """
    should_be, reason = plain(should_be, CORRECTED), plain(reason, CORRECTION_REASON)
    if recall(work) is not None:
        return
    desk = open_desk(work, case)
    query = select(*Submission.__table__.columns).where(Submission.id == submission, Submission.case == case)
    answer = next(iter(personal.open_rows(work, work.rows(query))), None)
    given = from_json(answer["answer"]) if answer else None
    if answer is None or not isinstance(given, dict) or not _is_form(desk, answer):
        raise NotFound(f"本案没有填报 {submission}", f"this case has no answer {submission}")
    if field not in given:
        raise NotFound(f"该次填报没有“{field}”一项", f"this answer has no field {field!r}")
    doers = frozenset(each for each in (answer["person"], answer["on_behalf_of"]) if each)
    step = Step(0, answer["element"], answer["process"], doers, (), (), None)
    if not may_add(work, step):
        raise _not_yours(desk, step, "correct", Text("更正", "correct"))
    said = {"corrects": submission, "field": field, "should_be": should_be, "reason": reason}
    hidden = ("should_be", "reason") if field in desk.deployed.private else ()
    whose = {"private": hidden, "subject": answer["person"]}
    told = keep_submission(desk, desk.row["process"], CORRECTION, None, said, None, **whose)
    about = {"corrects": submission, "field": field, **told}
    desk.tell("answer.corrected", about, element=answer["element"], process=answer["process"])
    desk.keep()
    remember(work, case)


def _is_form(desk: Desk, answer: Row) -> bool:
    """Whether an answer is one to a form; withdrawals, skips and corrections themselves are none."""
    contents = desk.deployed.contents.get(answer["process"])
    return contents is not None and answer["element"] in contents.diagram.elements


def corrections(work: Work, case: str) -> dict[str, list[dict[str, Any]]]:
    """The corrections of a case by the id of the answer they correct: ``person``, ``at``, and what they say."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in inbox.submissions(work, case):
        said = from_json(row["answer"]) if row["element"] == CORRECTION else None
        if isinstance(said, dict):
            found.setdefault(str(said["corrects"]), []).append({"person": row["person"], "at": row["at"], **said})
    return found
