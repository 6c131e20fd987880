"""A form somebody fills in: opened for a work item, a start or a message, filled, checked, and laid out again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import inbox
from engine.desk import Desk
from engine.people import everybody, names
from engine.registers import browse
from engine.work import Work
from forms.answer import Checked, Problem, World, check, drop_hidden
from forms.browser import for_browser
from forms.expressions import Empty, ExpressionError
from forms.fields import Field
from forms.form import Form, convert_references
from forms.saying import Teller, persons_in
from forms.values import FileRef, PersonRef
from webui.page import language
from webui.posted import Posted
from webui.sheet import Choice, Offers, Raw, Sheet, lay_out

_PERSONS = frozenset({"person", "persons"})
_NAMES_SHOWN = ("name", "title", "contract_title", "subject")
MOST_RECORDS = 500


@dataclass(slots=True)
class Paper:
    """One form in its world, with the documents of its case and all that can be chosen in it."""

    form: Form
    world: World
    documents: Mapping[str, FileRef]
    offers: Offers
    teller: Teller

    def fresh(self, answer: Mapping[str, Any]) -> Sheet:
        """The form as it opens, with these values and no complaints."""
        checked = check(self.form, answer, self.world)
        raw = {name: [text] if isinstance(text, str) else text for name, text in for_browser(self.form, answer).items()}
        for each in self.form.fields:
            if each.kind == "table" and each.code in checked.required:
                self._begin_rows(each, raw)
        files = dict(kept_files(self.form.fields, answer))
        raw = {name: texts for name, texts in raw.items() if name not in files}
        return self._laid_out(raw, checked, (), files)

    def again(self, posted: Posted, problems: Sequence[Problem]) -> Sheet:
        """The form as it was sent, with these problems."""
        checked = self.check(posted.answer)
        return self._laid_out(posted.raw, checked, problems, posted.kept)

    def _laid_out(
        self, raw: Raw, checked: Checked, problems: Sequence[Problem], files: Mapping[str, list[FileRef]]
    ) -> Sheet:
        return lay_out(
            self.form, raw, checked, problems, files, world=self.world, offers=self.offers, teller=self.teller
        )

    def all_problems(self, posted: Posted) -> tuple[Problem, ...]:
        """What could not be read, and what is wrong with the rest."""
        unread = {problem.path for problem in posted.problems}
        wrong = self.check(posted.answer).problems
        return (*posted.problems, *(problem for problem in wrong if problem.path not in unread))

    def check(self, answer: Mapping[str, Any]) -> Checked:
        """What the form makes of an answer; a file that was only chosen stands for what it will be."""
        return check(self.form, convert_references(self.form, answer, PersonRef, stand_in), self.world)

    def without_hidden(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The answer without fields that are not asked for now, so that no file is kept which must not be there."""
        return drop_hidden(self.form, answer, self.world)

    def new_row(self, table: Field) -> dict[str, str]:
        """The texts of a fresh row: the defaults of its columns."""
        row: dict[str, Any] = {}
        for column in table.fields:
            try:
                row[column.code] = (
                    column.default.value(self.world.names, self.world.functions) if column.default else None
                )
            except (Empty, ExpressionError):
                row[column.code] = None
        shown = for_browser(self.form, {table.code: [row]})
        prefix = f"{table.code}[0]."
        return {name.removeprefix(prefix): str(text) for name, text in shown.items() if name.startswith(prefix)}

    def add_row(self, raw: dict[str, list[str]], table: Field) -> None:
        """Put one more row into what was entered."""
        places = [int(m[1]) for name in raw if (m := re.match(re.escape(table.code) + r"\[([0-9]{1,4})\]\.", name))]
        for name, text in self.new_row(table).items():
            raw[f"{table.code}[{max(places, default=-1) + 1}].{name}"] = [text]

    def _begin_rows(self, table: Field, raw: dict[str, list[str]]) -> None:
        """A table that must be filled in opens with the rows it needs at least."""
        if not any(name.startswith(f"{table.code}[") for name in raw):
            for _ in range(max(table.min_items, 1)):
                self.add_row(raw, table)


def stand_in(upload: Any) -> FileRef:
    """A file that is not kept yet, as the check sees it."""
    if isinstance(upload, FileRef):
        return upload
    data = upload.get("data")
    size = len(data) if isinstance(data, bytes) else 0
    return FileRef("", str(upload["file"]), "0" * 64, size, "application/octet-stream")


def kept_files(fields: Sequence[Field], answer: Mapping[str, Any], prefix: str = "") -> dict[str, list[FileRef]]:
    """The files in an answer by the names of their fields on the page."""
    found: dict[str, list[FileRef]] = {}
    for each in fields:
        name, value = prefix + each.code, answer.get(each.code)
        if isinstance(value, FileRef):
            found[name] = [value]
        elif each.kind == "files" and isinstance(value, list):
            found[name] = [one for one in value if isinstance(one, FileRef)]
        elif each.kind == "group" and isinstance(value, dict):
            found |= kept_files(each.fields, value, f"{name}.")
        elif each.kind == "table" and isinstance(value, list):
            for place, row in enumerate(value):
                found |= kept_files(each.fields, row if isinstance(row, dict) else {}, f"{name}[{place}].")
    return found


def paper_of(desk: Desk, form: Form, token: int | None, *, has_case: bool = True) -> Paper:
    """The form at this place of a case, with what its reader may choose from."""
    work, fields = desk.work, [one for each in form.fields for one in (each, *each.fields)]
    people = everybody(work) if any(one.kind in _PERSONS for one in fields) else []
    registers = {one.register for one in fields if one.register}
    offers = Offers(people, {name: records_of(work, name) for name in registers}, fields_by_name(desk))
    refs = documents_of(desk) if has_case else {}
    world = desk.world(token)
    concerned = set(persons_in(dict(world.names))) | {str(one["id"]) for one in people}
    return Paper(form, world, refs, offers, Teller(language(), names(work, concerned)))


def documents_of(desk: Desk) -> dict[str, FileRef]:
    """The documents of a case by id, as values."""
    rows = inbox.documents(desk.work, desk.row["id"])
    return {row["id"]: FileRef(row["id"], row["name"], row["sha256"], row["size"], row["media"]) for row in rows}


def records_of(work: Work, register: str) -> list[Choice]:
    """The records of a register to choose from: key, and a name where the record has one."""
    found = []
    for entry in browse(work, register, limit=MOST_RECORDS):
        name = next((str(entry.value[column]) for column in _NAMES_SHOWN if entry.value.get(column)), "")
        found.append(Choice(entry.key, f"{entry.key} {name}".strip()))
    return found


def fields_by_name(desk: Desk) -> dict[tuple[str, str | None], Field]:
    """The fields of the process's forms as expressions name them: ``code``, or the element and ``code``."""
    contents = desk.deployed.contents[desk.deployed.process]
    found: dict[tuple[str, str | None], Field] = {}
    for element in contents.diagram.elements.values():
        form = contents.forms.get(element.policy.get("form", element.id))
        for each in form.fields if form else ():
            found.setdefault((each.code, None), each)
            found.setdefault((element.id, each.code), each)
    return found
