"""A case as one report tells it: in one language, and only what its view shows. Which part of it is for the annexes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.errors import NotFound
from engine.library import Library
from engine.spreadsheets import Amount, flat
from engine.trail.annexes.headings import WORD
from engine.trail.material import Material
from engine.trail.record import process_of
from engine.trail.words import Speaker
from forms.fields import Field
from forms.form import Form
from forms.money import yuan
from forms.saying import Shown, Teller
from forms.values import from_json
from forms.words import Language, Text

Body = Mapping[str, Any]
ENDING = "_fen"
"""How the name of an amount ends where no form says what it is."""
INNER: Mapping[str, tuple[str, ...]] = {"register.recorded": ("key",), "incident.raised": ("zh", "en")}
"""What of some events may repeat an answer, and is told only where all answers are."""
_LAST_NAME = re.compile(r"(\w+)\W*$")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the view shows, with its form and the event that tells of it, as far as there are any.

    ``tag`` and ``facts`` are those of its step.
    """

    row: Mapping[str, Any]
    form: Form | None
    values: Mapping[str, Any]
    body: Body | None
    tag: str
    facts: frozenset[str]

    @property
    def seq(self) -> int:
        """The number of the event that tells of it; 0 where there is none."""
        return int(self.body["seq"]) if self.body else 0

    def fields(self) -> list[Field]:
        """The fields that were answered."""
        known = self.form.fields if self.form else ()
        return [each for each in known if each.holds_value and self.values.get(each.code) is not None]


@dataclass(frozen=True, slots=True)
class Account:
    """The material of a case, and how it is said."""

    material: Material
    language: Language
    speaker: Speaker
    teller: Teller
    answers: tuple[Answer, ...]
    opened: Mapping[int, Body]
    """The events that opened work items, by their tokens."""
    batches: Mapping[int, int]
    """How many work items had been completed when this one was opened: the same for all that came up together."""
    amounts: Mapping[str, Text]
    """The fields that are amounts: their labels, by their codes."""
    files: frozenset[str]
    """The hashes of the documents whose names are shown."""

    @classmethod
    def of(cls, material: Material, language: Language) -> Account:
        """The account of a case in one language."""
        material = material.as_read()
        speaker = Speaker(language, material.names, material.deployed, Library.standing().vocabulary())
        opened, batches = _openings(material.bodies)
        forms = [form for each in material.deployed.contents.values() for form in each.forms.values()]
        amounts = {field.code: field.label for form in forms for field in form.fields if field.kind == "money"}
        files = frozenset(material.shown_documents())
        bare = cls(material, language, speaker, Teller(language, material.names), (), opened, batches, amounts, files)
        told = {each["data"]["submission"]: each for each in material.bodies if "submission" in each["data"]}
        answers = [bare._answer(row, told) for row in material.shown_answers()]
        answers.sort(key=lambda each: (each.seq, each.row["at"], each.row["id"]))
        return replace(bare, answers=tuple(answers))

    def _answer(self, row: Mapping[str, Any], told: Mapping[str, Body]) -> Answer:
        form, values, body = self._form(row), from_json(row["answer"]), told.get(row["id"])
        data = body["data"] if body else {}
        tag = self.tag(row["process"], row["element"], data)
        facts = {*data.get("facts", ()), *data.get("gaps", ()), *data.get("missing", ())}
        given = values if isinstance(values, dict) else {}
        return Answer(row, form, given, body, tag, frozenset(facts))

    def _form(self, row: Mapping[str, Any]) -> Form | None:
        """The form of an answer; None for what no diagram draws, and what a later version no longer has."""
        try:
            return self.material.deployed.form(row["process"], row["element"])
        except (KeyError, NotFound):
            return None

    # Saying.

    @property
    def full(self) -> bool:
        """Whether everything is shown."""
        return self.material.view.kind == "full"

    def said(self, text: Text) -> str:
        """A text of ours."""
        return text.said(self.language)

    def word(self, name: str, **blanks: object) -> str:
        """A word of the report."""
        return self.said(WORD[name]).format(**blanks)

    def joined(self, texts: list[str]) -> str:
        """Several things in one cell, a line for each."""
        return "\n".join(each for each in texts if each)

    def place(self, process: str, element: str | None) -> str:
        """An element of the diagram by its name."""
        return self.said(self.speaker.element(process, element)) if element else ""

    def step(self, body: Body) -> str:
        """The element of an event by its name."""
        return self.place(process_of(body), body.get("process", {}).get("element"))

    def tag(self, process: str, element: str, data: Mapping[str, Any]) -> str:
        """The tag of a step: as its event tells it (``data``), else as the diagram does; a message is told without."""
        contents = self.material.deployed.contents.get(process)
        drawn = contents.diagram.elements.get(element) if contents else None
        return str(data.get("tag") or (drawn.policy.get("tag", "") if drawn else ""))

    def who(self, person: str) -> str:
        """Somebody by name, where the view shows it."""
        return self.speaker.person(person)

    def behalf(self, body: Body) -> str:
        """On whose behalf somebody acted."""
        principal = body["actor"].get("on_behalf_of")
        return self.who(str(principal)) if principal else ""

    def role(self, body: Body) -> str:
        """In which role somebody acted: those that the work item asks for, where they are known."""
        held = [each for each in str(body["actor"].get("role") or "").split(",") if each]
        return self.said(self.speaker.roles(held)) if held else ""

    def sentence(self, body: Body) -> str:
        """An event as a sentence."""
        element = body.get("process", {}).get("element")
        if not self.full and body["type"] in INNER:
            body = {**body, "data": {**body["data"], **dict.fromkeys(INNER[body["type"]], "…")}}
        columns = {"seq": body["seq"], "at": instant(body), "kind": body["type"], "element": element}
        return self.speaker.sentence({"body": json.dumps(body), **columns}).text

    def shown(self, field: Field, value: Any) -> str:
        """A value of an answer as one text; an amount in figures alone, since a table aligns and sums them."""
        if field.kind == "money" and isinstance(value, int):
            return self.money(value)
        return self.flat(self.teller.value(field, value))

    def flat(self, shown: Shown) -> str:
        """What a page shows, as one text; a file with the hash that it is known by."""
        if shown.files:
            return self.joined([f"{each.name} {each.sha256}" for each in shown.files])
        return flat(shown, self.language)

    def money(self, fen: int) -> str:
        """An amount in 元."""
        return f"{yuan(fen)} 元" if self.language == "zh" else f"{yuan(fen)} yuan"

    def is_amount(self, name: str) -> bool:
        """Whether a value of this name, or of an expression that ends in it, is an amount in fen."""
        last = _LAST_NAME.search(name)
        return last is not None and (last[1].endswith(ENDING) or last[1] in self.amounts)

    def pairs(self, answer: Answer) -> list[tuple[Field, str, str]]:
        """The fields of an answer with their labels and what was answered."""
        return [(each, self.said(each.label), self.shown(each, answer.values[each.code])) for each in answer.fields()]

    def contents(self, answer: Answer, besides: frozenset[str] = frozenset()) -> str:
        """What was answered, a line for each field but some."""
        if answer.form is None:
            return self.teller.plain(from_json(answer.row["answer"]))
        lines = [f"{label}{self.colon}{text}" for each, label, text in self.pairs(answer) if each.code not in besides]
        return self.joined(lines)

    @property
    def colon(self) -> str:
        """What stands between a label and its value."""
        return "：" if self.language == "zh" else ": "

    def answered(self, answer: Answer) -> tuple[str, str, str, datetime]:
        """Step, role, person and instant of an answer."""
        row, role = answer.row, self.role(answer.body) if answer.body else ""
        who = self.who(row["person"])
        if row["on_behalf_of"]:
            who += self.word("for", who=self.who(row["on_behalf_of"]))
        return self.place(row["process"], row["element"]), role, who, row["at"]

    def remark(self, body: Body) -> str:
        """The reason that somebody gave beside an act, where the view shows it."""
        found = self.material.remarks.get(str(body["data"].get("submission")))
        return found["words"] if found and self.material.view.shows(found["person"]) else ""


def _openings(bodies: Iterable[Body]) -> tuple[dict[int, Body], dict[int, int]]:
    """The events that opened work items, and after how many completed ones, by token."""
    opened: dict[int, Body] = {}
    batches: dict[int, int] = {}
    completed = 0
    for body in bodies:
        if body["type"] == "task.opened":
            token = body["data"]["token"]
            opened[token], batches[token] = body, completed
        completed += body["type"] == "task.completed"
    return opened, batches


def instant(body: Body) -> datetime:
    """When an event happened."""
    return datetime.fromisoformat(str(body["ts"]))


def amount(fen: int | None) -> Amount | None:
    """An amount for a cell."""
    return None if fen is None else Amount(fen, "money")
