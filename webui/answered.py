"""What was answered in a case so far, form by form, as it is read beside a work item and on the page of the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bpmn.diagram import Element
from engine import evidence, inbox
from engine.anonymity import veil
from engine.cases import WITHDRAW
from engine.desk import Desk
from engine.people import names, standing
from engine.trail.words import NOT_PEOPLE
from forms.form import Form
from forms.saying import Shown, Teller, persons_in
from forms.values import from_json
from webui.page import actor, language, t

UNDRAWN = {WITHDRAW: "withdrawal.title", "skip": "answers.skip", "correction": "answers.variable"}
"""What people say besides forms, by its name among the answers, and the label of it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction of one field of an answer (更正): who says when what it should be, and why."""

    field: str
    should_be: str
    reason: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: to what, by whom, when, and what was said; with its corrections, and whether one may correct it."""

    id: str
    title: str
    element: str
    round: int
    person: str
    on_behalf_of: str | None
    at: datetime
    fields: Sequence[tuple[str, Shown]]
    corrections: Sequence[Correction] = ()
    may_correct: bool = False


def answered(desk: Desk) -> list[Answer]:
    """All answers of a case, newest first, each with its corrections."""
    hiding = veil(desk.work, desk.row["id"])
    rows = hiding.rows(inbox.submissions(desk.work, desk.row["id"]), "person")
    values = [from_json(row["answer"]) for row in rows]
    people = {row["person"] for row in rows} | {row["on_behalf_of"] for row in rows} - {None}
    called = {code: text.said(language()) for code, text in NOT_PEOPLE.items()}
    teller = Teller(language(), called | names(desk.work, people | set(persons_in(values))))
    corrected = evidence.corrections(desk.work, desk.row["id"])
    officer = evidence.COMPLIANCE in standing(desk.work, actor()).roles
    found = []
    for row, answer in zip(rows, values, strict=True):
        if row["element"] == evidence.CORRECTION:
            continue
        drawn = form_of(desk, row)
        title, fields = told(drawn, row["element"], answer, teller)
        principal = teller.names.get(row["on_behalf_of"]) if row["on_behalf_of"] else None
        person = teller.names.get(row["person"], row["person"])
        about = tuple(_correction(drawn, each, teller) for each in hiding.rows(corrected.get(row["id"], ()), "person"))
        may = drawn is not None and (officer or actor() in (row["person"], row["on_behalf_of"]))
        said = (row["id"], title, row["element"], row["round"], person, principal, row["at"], fields, about, may)
        found.append(Answer(*said))
    return found[::-1]


def form_of(desk: Desk, row: Mapping[str, Any]) -> tuple[Element, Form] | None:
    """The element and form an answer was given to; None for what no diagram draws."""
    contents = desk.deployed.contents.get(row["process"])
    element = contents.diagram.elements.get(row["element"]) if contents else None
    form = contents.forms.get(element.policy.get("form", element.id)) if contents and element else None
    return None if element is None or form is None else (element, form)


def told(
    drawn: tuple[Element, Form] | None, element: str, answer: object, teller: Teller
) -> tuple[str, list[tuple[str, Shown]]]:
    """The name of what was answered, and the answer by the labels of its form."""
    values = answer if isinstance(answer, dict) else {}
    if drawn is None:
        title = t(UNDRAWN[element]) if element in UNDRAWN else element
        reason = values.get("reason")
        return title, [(t("answers.reason"), Shown(teller.plain(reason)))] if reason is not None else []
    return name_of(drawn, teller), teller.form(drawn[1], values)


def name_of(drawn: tuple[Element, Form], teller: Teller) -> str:
    """What was answered, by the name of its element, else of its form."""
    element, form = drawn
    name = element.policy.get("name-en") or element.name if teller.language == "en" else element.name
    return name or form.title.said(teller.language)


def _correction(drawn: tuple[Element, Form] | None, said: Mapping[str, Any], teller: Teller) -> Correction:
    labels = {each.code: each.label.said(teller.language) for each in drawn[1].fields} if drawn else {}
    field = labels.get(said["field"], said["field"])
    person = teller.names.get(said["person"], said["person"])
    should_be, reason = (said[name] or t("case.erased") for name in ("should_be", "reason"))
    return Correction(field, should_be, reason, person, said["at"])
