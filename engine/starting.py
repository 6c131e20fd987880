"""How a case comes to be: a person fills in its first form or sends a message, the clock or a signal begins it, or
another case does. Which event starts wait for what is for ``start_events`` to know.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from bpmn.starts import plain_start
from engine import calendar, definitions, documents, parameter_sets, start_events
from engine.answers import accept, keep_submission
from engine.desk import Desk
from engine.errors import Incident, NotFound, NotYours, Refusal, Unusable
from engine.model import CaseFile, Task
from engine.people import name_of
from engine.plugged import Step
from engine.registers import draw
from engine.requests import recall, remember
from engine.runtime.instance import Instance
from engine.trail.offline import GENESIS
from engine.work import Work
from forms.expressions import ExpressionError
from forms.values import FileRef, Value, to_json

if TYPE_CHECKING:
    from engine.admission import Item

MOST_LINKED = 20
"""How many cases may start one another before anybody does anything."""
DEPTH = "linked depth"


def begin(work: Work, process: str, *, rehearse: bool = False) -> tuple[Desk, Item]:
    """A new case at its first work item, of somebody who is its applicant.

    ``rehearse`` writes no case: what a start page or a filler looks at.
    """
    return _begin(work, definitions.current(work, process), work.actor, None, rehearse=rehearse)


def _begin(
    work: Work, deployed: definitions.Deployed, applicant: str | None, parent: Desk | None, *, rehearse: bool = False
) -> tuple[Desk, Item]:
    process = deployed.process
    if deployed.diagram.process.policy.get("kind", "main") != "main":
        raise Unusable(f"“{process}”只能由其他流程调用", f"{process!r} can only be called by other processes")
    if plain_start(deployed.diagram) is None:
        raise Unusable(
            f"流程“{process}”没有普通开始事件，只由事件开始", f"the process {process!r} is started by events only"
        )
    desk = _new_case(work, deployed, applicant, parent, rehearse=rehearse)
    _tell_start(desk, {"parent": parent.row["id"], "parent_number": parent.row["number"]} if parent else {})
    desk.instance = Instance.started(deployed.model, desk, {})
    items = list(desk.instance.opened.values())
    if len(items) != 1:
        raise Unusable(
            f"流程“{process}”开始后应只有一项待办，实际有 {len(items)} 项",
            f"the process {process!r} should begin with exactly one work item, but has {len(items)}",
        )
    return desk, desk.item(items[0])


def _new_case(
    work: Work,
    deployed: definitions.Deployed,
    applicant: str | None,
    parent: Desk | None = None,
    *,
    rehearse: bool = False,
) -> Desk:
    row: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "number": "" if rehearse else draw(work, deployed.diagram.process.policy.get("series", "LH"), work.today),
        "process": deployed.process,
        "definition": deployed.id,
        "parameters": parameter_sets.in_force(work),
        "calendar": calendar.newest(work),
        "title": deployed.diagram.process.name,
        "status": "open",
        "outcome": None,
        "applicant": applicant,
        "parent": parent.row["id"] if parent else None,
        "opened_at": work.now,
        "closed_at": None,
        "state": "",
        "scopes": "",
        "step": 0,
        "seq": 0,
        "head": GENESIS,
        "last_at": work.now,
        "stopped_at": None,
        "stopped_for": None,
        "amount_fen": None,
    }
    if not rehearse:
        work.db.execute(insert(CaseFile).values(**row))
    return Desk.over(work, row, deployed)


def _tell_start(desk: Desk, how: Mapping[str, Any]) -> None:
    told = {name: desk.row[name] for name in ("number", "parameters", "calendar")}
    desk.tell("case.started", {**told, **how})


def entitle(desk: Desk) -> None:
    """Name the case after what its process says (``policy:case-title``, an expression)."""
    named = desk.deployed.title
    if named is None:
        return
    with contextlib.suppress(
        ExpressionError
    ):  # what the title names need not be answered: then the case is called as its process
        title = named.value(desk.instance.scopes.innermost(desk.given), desk.functions)
        if isinstance(title, str) and title.strip():
            desk.change(title=title.strip()[:200])


def adopt(desk: Desk) -> dict[str, str]:
    """Whoever completes the first work item of a case that nobody started is its applicant; gives what is told."""
    if desk.row["applicant"] is not None:
        return {}
    desk.change(applicant=desk.work.actor)
    return {"applicant": desk.work.actor}


# By a message.


def by_message(work: Work, message: str, answer: Mapping[str, Any], process: str | None = None) -> str:
    """Start a case by the message that a start event waits for, with the answer of its form; gives its id.

    NotFound: no process is started by it. Unusable: several are, and ``process`` does not say which. NotYours.
    """
    again = recall(work)
    if again is not None:
        return again
    start = start_events.awaited(work, message, process)
    deployed, element = definitions.deployed(work, start["definition"]), start["element"]
    if not _may_send(work, start):
        who = name_of(work, work.actor)
        raise NotYours(
            f"{who}不能以“{message}”开始“{deployed.process}”",
            f"{who} may not start {deployed.process!r} by {message!r}",
            ("role",),
            process=deployed.process,
            verb=message,
        )
    desk = begun_by_message(work, deployed, element)
    told: dict[str, Any] = {"message": message}
    values: dict[str, Value] = {}
    left: dict[str, Value] | None = None
    if deployed.diagram.elements[element].policy.get("form"):
        form = deployed.form(deployed.process, element)
        values, left = accept(desk, form, answer, element, desk.instance.start.id)
        told |= keep_submission(desk, deployed.process, element, None, values, None)
    elif answer:
        raise Unusable(f"“{message}”不带内容", f"the message {message!r} carries no answer")
    desk.tell("message.sent", told, element=element, process=deployed.process)
    about: dict[str, Value] = {"message": message}
    came = partial(Instance.set_out, kind="message.received", about=about, values=values, left=left, by=[work.actor])
    desk.move(came)
    entitle(desk)
    desk.keep()
    remember(work, desk.row["id"])
    return str(desk.row["id"])


def begun_by_message(work: Work, deployed: definitions.Deployed, element: str, *, rehearse: bool = False) -> Desk:
    """A new case whose token stands at a message start event; ``rehearse`` writes none."""
    desk = _new_case(work, deployed, work.actor, rehearse=rehearse)
    _tell_start(desk, {"start": element, "by": "message"})
    desk.instance = Instance.begun(deployed.model, desk, element)
    return desk


def sendable(work: Work) -> list[dict[str, Any]]:
    """The message start events by which the actor may start a case, by process."""
    rows = start_events.of_messages(work)
    return [row for row in rows if _may_send(work, row)]


def _may_send(work: Work, row: Mapping[str, Any]) -> bool:
    return start_events.may_send(work, definitions.deployed(work, row["definition"]), row["element"])


# By itself.


def by_itself(work: Work, definition: str, element: str, kind: str, about: Mapping[str, Value]) -> str:
    """Start a case at an event that has come without anybody; gives its id.

    ``kind`` is that of the trail's event. An automatic step that cannot be done is an incident of the new case.
    """
    deployed = definitions.deployed(work, definition)
    desk = _new_case(work, deployed, None)
    event = deployed.diagram.elements[element].event
    _tell_start(desk, {"start": element, "by": event.kind if event else "none"})
    desk.instance = Instance.begun(deployed.model, desk, element)
    desk.move(partial(Instance.set_out, kind=kind, about=about))
    entitle(desk)
    desk.keep()
    return str(desk.row["id"])


# By another case.


def linked(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """case.start: start a linked case, whose first work item stays open with these answers in its form.

    Incident: there is no such process, it does not begin with one work item that a role may do, its form has no such
    fields.
    """
    work, process, answer = desk.work, str(parameters["process"]), parameters.get("answer")
    depth = work.memory.get(DEPTH, 0)
    if depth >= MOST_LINKED:
        raise Incident(
            f"关联案卷接连启动了 {MOST_LINKED} 层：几个流程互相启动，永不停止",
            f"linked cases have started one another {MOST_LINKED} deep: processes start each other without end",
        )
    if answer is not None and not isinstance(answer, dict):
        raise Incident("case.start 的 answer 应为记录", "the answer of case.start must be a record of fields")
    if not desk.row["number"]:
        return {"id": "", "number": ""}  # only rehearsed: there is no case that another could belong to
    work.memory[DEPTH] = depth + 1
    try:
        child, item = _begin(work, definitions.current(work, process), None, desk)
        _refuse_nobody(item, process)
        prefill = _prefill(desk, child, item, answer or {})
        child.keep()
    except Refusal as cause:
        raise Incident(
            f"不能启动关联案卷（{process}）：{cause.text.zh}",
            f"no linked case of {process!r} could be started: {cause.text.en}",
        ) from cause
    finally:
        work.memory[DEPTH] = depth
    if prefill:
        work.db.execute(update(Task).where(Task.id == item["id"]).values(prefill=to_json(prefill)))
    link: dict[str, Value] = {"id": child.row["id"], "number": child.row["number"]}
    told = {"case": link["id"], "number": link["number"], "started": process}
    desk.tell("case.linked", told, element=step.id, process=step.process)
    return link


def _refuse_nobody(item: Item, process: str) -> None:
    if not (item["roles"] or item["assignees"]):
        raise Unusable(
            f"流程“{process}”的第一项待办“{item['name_zh']}”没有角色，无人可办",
            f"the first work item of {process!r}, {item['name_en']!r}, has no role, and nobody could do it",
        )


def _prefill(desk: Desk, child: Desk, item: Item, answer: Mapping[str, Value]) -> dict[str, Value]:
    """The answers that the first form opens with; files become documents of the new case too."""
    form = child.deployed.form(item["process"], item["element"])
    unknown = sorted(answer.keys() - set(form.codes))
    if unknown:
        raise Unusable(
            f"表单 {form.id} 没有字段 {'、'.join(unknown)}", f"the form {form.id} has no field {', '.join(unknown)}"
        )

    def moved(code: str, value: Value) -> Value:
        if isinstance(value, FileRef):
            return _shared(desk, child, item["element"], code, value)
        if isinstance(value, dict):
            return {key: moved(code, each) for key, each in value.items()}
        return [moved(code, each) for each in value] if isinstance(value, list) else value

    return {code: moved(code, value) for code, value in answer.items() if value is not None}


def _shared(desk: Desk, child: Desk, element: str, field: str, file: FileRef) -> FileRef:
    """A document of one case as one of another; its bytes are kept once, and encrypted where either case has it so."""
    row, content = documents.read(desk.work, file.id)
    if row.case != desk.row["id"]:
        raise NotFound(f"本案没有文件“{file.name}”", f"this case has no document {file.name!r}")
    given = (desk.work, child.row["id"], element, row.name, content, row.uploaded_by)
    told: dict[str, Any] = {}
    if row.sealed or field in child.deployed.private:
        kept, told = documents.attach_private(*given, field=field)
    else:
        kept = documents.attach(*given)
    child.tell("document.attached", {"document": kept.id, "sha256": kept.sha256, **told}, element=element)
    return kept
