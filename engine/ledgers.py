"""Registers (台账) as people read them: which records somebody may see, who wrote each, and what its columns say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from engine import definitions, inbox
from engine.model import CaseFile, Event
from engine.people import names, standing
from engine.registers import Entry, RegisterKind
from engine.work import SYSTEM, Work
from forms.fields import Field
from forms.money import percent
from forms.saying import Shown, Teller, persons_in
from forms.values import FileRef, Value
from forms.words import Language, Text

WITHHELD = Text("（个人或保密信息，不导出）", "(personal or secret, not exported)")


def sees_all(work: Work) -> bool:
    """Whether the actor oversees everything; the operator of the machine does."""
    return work.actor == SYSTEM or bool(standing(work, work.actor).roles & inbox.OVERSEERS)


def visible(work: Work, entries: Iterable[Entry]) -> list[Entry]:
    """The records that the actor may see: those written by cases they may look into."""
    if sees_all(work):
        return list(entries)
    kept: dict[str | None, bool] = work.memory.setdefault("cases seen", {None: False})
    found = []
    for entry in entries:
        if entry.case not in kept:
            kept[entry.case] = inbox.may_see(work, inbox.case(work, str(entry.case)))
        if kept[entry.case]:
            found.append(entry)
    return found


def versions_of(work: Work, entries: Iterable[Entry]) -> dict[str, definitions.Deployed]:
    """The version of its process on which each case that wrote one of these records is, by the case."""
    cases = sorted({entry.case for entry in entries if entry.case})
    rows = work.db.execute(select(CaseFile.id, CaseFile.definition).where(CaseFile.id.in_(cases)))
    return {row.id: definitions.deployed(work, row.definition) for row in rows}


def step(entry: Entry, version: definitions.Deployed | None, language: Language) -> str:
    """The step that wrote a record by its name; its id where the case's version has none of it."""
    for contents in version.contents.values() if version else ():
        element = contents.diagram.elements.get(entry.element)
        if element is not None:
            return Text(element.name, element.policy.get("name-en", "")).said(language) or element.id
    return entry.element


def event_of(work: Work, entry: Entry) -> int | None:
    """The number of the event in the trail of its case that tells of this version; None without a case."""
    here = (Event.stream == f"case/{entry.case}") & (Event.kind == "register.recorded")
    query = select(Event.seq).where(here, Event.element == entry.element, Event.at <= entry.at)
    found = work.db.execute(query.order_by(Event.seq.desc()).limit(1)).scalar_one_or_none()
    return None if found is None else int(found)


def teller_of(work: Work, entries: Sequence[Entry], language: Language) -> Teller:
    """Who says these records: the people named in them are known, those that are keys included."""
    concerned = {entry.key for entry in entries}
    for entry in entries:
        concerned.update(persons_in(entry.value))
    return Teller(language, names(work, concerned))


def label(work: Work, kind: RegisterKind, code: str, language: Language) -> str:
    """What a column is called: by the register, else by the field of its name, else its code."""
    each = fields_in_force(work).get(code)
    found = kind.labels.get(code) or (each.label if each else None)
    return found.said(language) if found else code


def told(work: Work, kind: RegisterKind, entry: Entry, teller: Teller) -> list[tuple[str, Shown]]:
    """The columns of a record that hold something, by what they are called."""
    fields = fields_in_force(work)
    return [
        (label(work, kind, code, teller.language), column(kind, teller, code, value, fields.get(code)))
        for code, value in entry.value.items()
        if value is not None
    ]


def column(kind: RegisterKind, teller: Teller, code: str, value: Value, each: Field | None) -> Shown:
    """A value of a record: as its register says it, else as the field of its name where it is one of that, else by what
    its code tells.
    """
    named = kind.values.get(code, {}).get(value) if isinstance(value, str) else None
    if named is not None:
        return Shown(named.said(teller.language))
    if isinstance(value, int) and not isinstance(value, bool) and code.endswith(("_fen", "_bp")):
        return Shown(teller.money(value) if code.endswith("_fen") else percent(value))
    if isinstance(value, FileRef):
        return Shown(files=(value,))
    return teller.value(each, value) if each and fits(each, value) else Shown(teller.plain(value))


def fits(each: Field, value: Value) -> bool:
    """Whether a value may be one of this field: another form may use its code for something else."""
    members = value if isinstance(value, list) else [value]
    if each.kind in {"table", "group"}:
        parts = {part.code for part in each.fields}
        return isinstance(value, list) == (each.kind == "table") and all(
            isinstance(member, dict) and member.keys() <= parts for member in members
        )
    if each.options:
        return {member for member in members if isinstance(member, str)} <= {option.code for option in each.options}
    return each.kind != "checklist"


def fields_in_force(work: Work) -> dict[str, Field]:
    """The fields of all forms in force by their codes; where several forms have one, any of them."""
    found: dict[str, Field] = work.memory.setdefault("fields in force", {})
    if not found:
        for row in definitions.in_force(work):
            for contents in definitions.deployed(work, row.id).contents.values():
                for form in contents.forms.values():
                    found.update({each.code: each for each in form.fields if each.holds_value})
    return found
