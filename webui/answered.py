"""What was answered in a case so far, form by form, as it is read beside a work item and on the page of the case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine import inbox
from engine.desk import Desk
from engine.people import names
from forms.saying import Shown, Teller, persons_in
from forms.values import from_json
from webui.page import language, t


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: to what, by whom, when, and what was said."""

    id: str
    title: str
    element: str
    round: int
    person: str
    on_behalf_of: str | None
    at: datetime
    fields: Sequence[tuple[str, Shown]]


def answered(desk: Desk) -> list[Answer]:
    """All answers of a case, newest first."""
    rows = inbox.submissions(desk.work, desk.row["id"])
    values = [from_json(row["answer"]) for row in rows]
    people = {row["person"] for row in rows} | {row["on_behalf_of"] for row in rows} - {None}
    teller = Teller(language(), names(desk.work, people | set(persons_in(values))))
    found = []
    for row, answer in zip(rows, values, strict=True):
        title, fields = told(desk, row["process"], row["element"], answer, teller)
        principal = teller.names.get(row["on_behalf_of"]) if row["on_behalf_of"] else None
        person = teller.names.get(row["person"], row["person"])
        found.append(Answer(row["id"], title, row["element"], row["round"], person, principal, row["at"], fields))
    return found[::-1]


def told(desk: Desk, process: str, element: str, answer: object, teller: Teller) -> tuple[str, list[tuple[str, Shown]]]:
    """The name of what was answered, and the answer by the labels of its form."""
    contents = desk.deployed.contents.get(process)
    at = contents.diagram.elements.get(element) if contents else None
    form = contents.forms.get(at.policy.get("form", at.id)) if contents and at else None
    values = answer if isinstance(answer, dict) else {}
    if at is None or form is None:  # the built-in withdrawal, which no diagram draws
        return t("withdrawal.title"), [(t("withdrawal.reason"), Shown(teller.plain(one))) for one in values.values()]
    name = at.policy.get("name-en") or at.name if teller.language == "en" else at.name
    return name or form.title.said(teller.language), teller.form(form, values)
