"""Answers to forms: their files are attached, the form checks them, and each is kept as given with a commitment."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import select

from engine import documents, personal
from engine.desk import Desk
from engine.errors import Invalid, NotFound, Unusable, WrongState
from engine.facts import is_late, judged
from engine.model import Document, Submission
from engine.trail.record import canonical_body, committed, new_salt
from forms.answer import unmet
from forms.form import Form, convert_references
from forms.values import FileRef, PersonRef, Value, files_in, from_json


def accept(
    desk: Desk, form: Form, answer: Mapping[str, Any], element: str, token: int
) -> tuple[dict[str, Value], dict[str, Value]]:
    """The checked answer, every field of it, and what its event tells of the facts it leaves.

    Raises ``Invalid`` naming the fields, those included that show a fact the step must leave; ``WrongState`` for a
    requirement.
    """
    for demand in unmet(form, desk.world(token)):
        raise WrongState(demand.text.zh, demand.text.en, see=demand.see)
    checked, left = judged(desk, form, with_files(desk, form, answer, element, token), token)
    if checked.problems:
        raise Invalid(checked.problems)
    refuse_strange_files(desk, checked.values)
    return checked.values, left


def refuse_strange_files(desk: Desk, values: Value) -> None:
    """A file that an answer refers to must be a document of this case: nobody can name another's."""
    for reference in files_in(values):
        query = select(Document.case).where(Document.id == reference.id, Document.sha256 == reference.sha256)
        if desk.work.db.execute(query).scalar_one_or_none() != desk.row["id"]:
            raise NotFound(f"本案没有文件“{reference.name}”", f"this case has no document {reference.name!r}")


def with_files(desk: Desk, form: Form, answer: Mapping[str, Any], element: str, token: int) -> dict[str, Any]:
    """The answer with its uploads (``{"file": name, "data": bytes}``) attached to the case and put as references.

    What a step brings that completes evidence afterwards (补录) is marked late. What stands in a private field is kept
    encrypted; a reference to such a file elsewhere does not bring its name there.
    """
    node = desk.instance.tasks[token].task_spec
    late = is_late(node.element)

    def attach(code: str, upload: Any) -> FileRef:
        private = code in desk.deployed.private
        if isinstance(upload, FileRef):
            return upload if private else documents.as_kept(desk.work, upload)
        if not isinstance(upload.get("data"), bytes):
            raise Unusable(f"文件“{upload.get('file')}”没有内容", f"the file {upload.get('file')!r} has no content")
        given = (desk.work, desk.row["id"], element, str(upload["file"]), upload["data"], desk.work.actor)
        about: dict[str, Any] = {"late": True} if late else {}
        if private:
            reference, told = documents.attach_private(*given, field=code, late=late)
            about |= told
        else:
            reference = documents.attach(*given, late=late)
        told = {"document": reference.id, "sha256": reference.sha256, **about}
        desk.tell("document.attached", told, element=element, process=node.model.id)
        return reference

    whole: dict[str, Any] = {}
    for code, given in answer.items():
        whole |= convert_references(form, {code: given}, PersonRef, partial(attach, code))
    return whole


def keep_submission(
    desk: Desk,
    process: str,
    element: str,
    task: str | None,
    values: Mapping[str, Value],
    on_behalf_of: str | None,
    *,
    private: Iterable[str] = (),
    subject: str | None = None,
) -> dict[str, str]:
    """Keep an answer as it was given; gives what the trail may say of it: its id and a salted commitment.

    ``private`` are names of its values that hold something personal or secret besides those of the process, ``subject``
    is from whom this came if not from whoever acts.
    """
    identity, salt = uuid.uuid4().hex, new_salt()
    hidden = desk.deployed.private.union(private)
    stored = personal.seal(desk.work, desk.row["id"], subject or desk.work.actor, values, hidden)
    told = {"submission": identity, "commitment": committed(salt, canonical_body(stored))}
    key = element if process == desk.deployed.process else f"{process}/{element}"
    desk.work.add(
        Submission,
        {
            "id": identity,
            "case": desk.row["id"],
            "task": task,
            "process": process,
            "element": element,
            "round": desk.instance.rounds(key) + 1,
            "person": desk.work.actor,
            "on_behalf_of": on_behalf_of,
            "at": desk.work.now,
            "answer": json.dumps(stored, ensure_ascii=False, separators=(",", ":")),
            "salt": salt,
            "commitment": told["commitment"],
        },
    )
    return told


def prefilled(item: Mapping[str, Any]) -> dict[str, Value] | None:
    """The answers a work item opens with because another case that started this one gave them; None: it gave none."""
    kept = from_json(item["prefill"]) if item.get("prefill") else None
    return kept if isinstance(kept, dict) else None


def earlier(desk: Desk, process: str, element: str, form: Form, person: str | None) -> dict[str, Value] | None:
    """What was last answered at this element of this case, or at those the form opens with; None if nothing was.

    ``person`` narrows it to one person's answers, where every person has an item of their own.
    """
    if form.fresh:
        return None
    query = (
        select(Submission.answer)
        .where(Submission.case == desk.row["id"], Submission.process == process)
        .where(Submission.element.in_([element, *form.earlier]))
        .order_by(Submission.at.desc(), (Submission.element == element).desc(), Submission.round.desc())
    )
    if person is not None:
        query = query.where(Submission.person == person)
    rows = personal.open_rows(desk.work, desk.work.rows(query.limit(1)))
    if not rows:
        return None
    kept = from_json(rows[0]["answer"])
    return {code: value for code, value in kept.items() if code in form.codes} if isinstance(kept, dict) else None


def one_of_many(desk: Desk, process: str, element: str) -> bool:
    """Whether an element is done once for each member of a list: by several people, or on several levels."""
    elements = desk.deployed.contents[process].diagram.elements
    place = elements.get(element)
    while place is not None:
        if place.loop is not None:
            return True
        place = elements.get(place.container)
    return False
