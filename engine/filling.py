"""Fills a form as a worked case does: what is given, then computed and defaults, earlier answers, examples.

Scenarios, demo data and the random walk fill forms here, so they all rest on the same examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.access import bars
from engine.admission import Item
from engine.answers import earlier, one_of_many, prefilled
from engine.desk import Desk
from engine.people import find
from forms.filling import fill
from forms.form import Form, convert_references
from forms.values import FileRef, PersonRef


def filled(desk: Desk, item: Item, given: Mapping[str, Any], *, fresh: bool = False) -> dict[str, Any]:
    """The whole answer for a work item, from the little that is given; ``fresh`` forgets earlier answers."""
    desk.presume()
    form = desk.deployed.form(item["process"], item["element"])
    own = one_of_many(desk, item["process"], item["element"])
    for_everybody = item["assignees"] in ("", bars([desk.row["applicant"] or ""]))
    person = None if for_everybody and not own else desk.work.actor
    before = None if fresh else earlier(desk, item["process"], item["element"], form, person)
    return _completed(desk, form, given, item["token"], before, prefilled(item) if before is None else None)


def filled_message(desk: Desk, form: Form, token: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """The whole answer for a message's form."""
    return _completed(desk, form, given, token, None, None)


def _completed(
    desk: Desk,
    form: Form,
    given: Mapping[str, Any],
    token: int,
    before: Mapping[str, Any] | None,
    prefill: Mapping[str, Any] | None,
) -> dict[str, Any]:
    def person(name: str) -> PersonRef:
        return PersonRef(find(desk.work, name))

    def file(upload: Any) -> Any:
        if isinstance(upload, FileRef):
            return upload
        return {"file": upload["file"], "data": made_up(str(upload["file"]), desk)}

    named = convert_references(form, given, person, file)
    whole = fill(form, named, desk.world(token), before, prefill)
    return convert_references(form, whole, PersonRef, file)


def made_up(name: str, desk: Desk) -> bytes:
    """A small document for a worked case: of the kind its name says, and like no other case's."""
    words = f"{name} {desk.row['number']} {desk.row['id']} {desk.row['step']}"
    if name.lower().endswith(".pdf"):
        return b"%PDF-1.4\n% " + words.encode() + b"\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    return words.encode()
