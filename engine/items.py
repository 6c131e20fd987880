"""The verbs that leave a case where it is: claim, release, reassign, draft, comment, attach."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, update

from engine import documents
from engine.access import judge
from engine.admission import Item, admit, door, not_yours, take_up
from engine.answers import refuse_strange_files, with_files
from engine.desk import Desk, open_desk
from engine.errors import NotYours
from engine.inbox import may_see
from engine.model import Comment, Task
from engine.people import name_of, standing
from engine.requests import recall, remember
from engine.said import plain
from engine.trail.record import commitment, new_salt
from engine.work import Work
from forms.answer import drop_hidden
from forms.values import from_json, to_json
from forms.words import Text


def claim(work: Work, task: str) -> None:
    """Take a work item for oneself, so that no other candidate does it."""
    desk, item, again = take_up(work, task, "claim")
    if again is None and item["claimed_by"] != work.actor:
        admit(desk, item, "claim")
        _hold(desk, item, work.actor)
        _tell(desk, item, "task.claimed", {})


def release(work: Work, task: str) -> None:
    """Give a claimed work item back to all its candidates; the draft stays."""
    desk, item, again = take_up(work, task, "release")
    if again is None:
        if item["claimed_by"] != work.actor:
            raise not_yours(desk, item, "release", ("role",), work.actor)
        _hold(desk, item, None)
        _tell(desk, item, "task.released", {})


def reassign(work: Work, task: str, to: str, reason: str) -> None:
    """Put a work item into the hands of one person who may do it; by whoever claimed it or a system administrator."""
    reason = plain(reason, Text("请写明改派理由", "say why the work item is reassigned"))
    desk, item, again = take_up(work, task, "reassign")
    if again is not None:
        return
    if item["claimed_by"] != work.actor and "sysadmin" not in standing(work, work.actor).roles:
        raise not_yours(desk, item, "reassign", ("role",), work.actor)
    verdict = judge(standing(work, to), door(desk, {**item, "claimed_by": None}))
    if verdict.reasons:
        raise not_yours(desk, item, "reassign", verdict.reasons, to)
    _hold(desk, item, to)
    _tell(desk, item, "task.reassigned", {"to": to, **remark(desk, reason)})


def save_draft(work: Work, task: str, answer: Mapping[str, Any]) -> None:
    """Keep an unfinished answer with the work item, unchecked; it is shown again when the item is opened.

    What the form does not ask now (a field that became hidden) is dropped.
    """
    desk, item, again = take_up(work, task, "save_draft")
    if again is not None:
        return
    admit(desk, item, "save_draft")
    form = desk.deployed.form(item["process"], item["element"])
    asked = drop_hidden(form, answer, desk.world(item["token"]))
    draft = with_files(desk, form, asked, item["element"], item["token"])
    refuse_strange_files(desk, draft)
    work.db.execute(update(Task).where(Task.id == task).values(draft=to_json(draft)))
    desk.keep()
    remember(work, desk.row["id"])


def draft_of(item: Item) -> dict[str, Any] | None:
    """The draft kept with a work item."""
    kept = from_json(item["draft"]) if item["draft"] else None
    return kept if isinstance(kept, dict) else None


def comment(work: Work, case: str, words: str) -> None:
    """Add a remark to a case; the trail holds a commitment to it."""
    words = plain(words, Text("备注不能为空", "a comment needs words"))
    if recall(work) is None:
        desk = open_desk(work, case)
        refuse_stranger(desk, "comment")
        desk.tell("comment.added", remark(desk, words))
        desk.keep()
        remember(work, case)


def attach(work: Work, case: str, name: str, data: bytes) -> str:
    """Attach a document to a case; gives its id."""
    again = recall(work)
    if again is not None:
        return again
    desk = open_desk(work, case)
    refuse_stranger(desk, "attach")
    kept = documents.attach(work, case, "", name, data, work.actor)
    desk.tell("document.attached", {"document": kept.id, "sha256": kept.sha256})
    desk.keep()
    remember(work, kept.id)
    return kept.id


def refuse_stranger(desk: Desk, verb: str) -> None:
    """A case is open to its applicant, to whoever holds a role of one of its work items, and to compliance."""
    if not may_see(desk.work, desk.row):
        who = name_of(desk.work, desk.work.actor)
        raise NotYours(
            f"{who}与案卷 {desk.row['number']} 无关",
            f"{who} has no part in the case {desk.row['number']}",
            ("role",),
            case=desk.row["id"],
            verb=verb,
        )


def _hold(desk: Desk, item: Item, person: str | None) -> None:
    desk.work.db.execute(update(Task).where(Task.id == item["id"]).values(claimed_by=person))


def _tell(desk: Desk, item: Item, kind: str, told: Mapping[str, Any]) -> None:
    desk.tell(kind, {"token": item["token"], **told}, element=item["element"], process=item["process"])
    desk.keep()
    remember(desk.work, desk.row["id"])


def remark(desk: Desk, words: str) -> dict[str, str]:
    """Keep as a remark on the case what somebody wrote, and give what the trail may say of it."""
    identity, salt = uuid.uuid4().hex, new_salt()
    values = {"case": desk.row["id"], "person": desk.work.actor, "at": desk.work.now}
    desk.work.db.execute(insert(Comment).values(id=identity, words=words, salt=salt, **values))
    return {"submission": identity, "commitment": commitment(salt, words)}
