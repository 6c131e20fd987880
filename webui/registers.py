"""The registers (台账): which there are, the records one may see, and every version of one record."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, request

from engine import definitions, inbox, registers
from engine.errors import NotFound
from engine.inbox import OVERSEERS
from engine.people import names
from engine.registers import Entry, RegisterKind
from engine.work import Work
from forms.fields import Field
from forms.money import percent
from forms.saying import Shown, Teller, persons_in
from forms.values import FileRef, Value
from webui.page import language, look, said, show, visitor, vocabulary

bp = Blueprint("registers", __name__)

PAGE = 50


def kind_of(register: str) -> RegisterKind:
    """A register of the vocabulary."""
    found = vocabulary().registers.get(register)
    if found is None:
        raise NotFound(f"没有台账“{register}”", f"there is no register {register!r}")
    return found


def sees_all() -> bool:
    """Whether the person signed in oversees everything."""
    person = visitor()
    return person is not None and bool(person.roles & OVERSEERS)


def visible(work: Work, entries: Iterable[Entry]) -> list[Entry]:
    """The records that the person signed in may see: those written by cases they may look into."""
    if sees_all():
        return list(entries)
    kept: dict[str | None, bool] = {None: False}
    found = []
    for entry in entries:
        if entry.case not in kept:
            kept[entry.case] = inbox.may_see(work, inbox.case(work, str(entry.case)))
        if kept[entry.case]:
            found.append(entry)
    return found


@bp.get("/registers")
def index() -> Response:
    """All registers; whoever oversees them also sees how many records each has."""
    kinds = vocabulary().registers.values()
    with look() as work:
        counts = {kind.code: len(registers.records(work, kind.code)) for kind in kinds} if sees_all() else {}
        listed = sorted(kinds, key=lambda kind: -counts.get(kind.code, 0))
        return show("registers.html", registers=listed, counts=counts)


@bp.get("/registers/<code:register>")
def register(register: str) -> Response:
    """The records of one register, in their latest version."""
    kind = kind_of(register)
    words, after = request.args.get("words", "").strip(), max(request.args.get("after", 0, type=int), 0)
    with look() as work:
        found = registers.browse(work, register, words=words, offset=after, limit=PAGE + 1)
        entries = visible(work, found[:PAGE])
        keys = names(work, {entry.key for entry in entries})
        lines = [(entry, keys.get(entry.key, entry.key), told(work, entry)) for entry in entries]
        further = after + PAGE if len(found) > PAGE else None
        return show("register.html", kind=kind, lines=lines, words=words, after=after, further=further)


@bp.get("/registers/<code:register>/record")
def record(register: str) -> Response:
    """Every version of one record, the first one first."""
    kind, key = kind_of(register), request.args.get("key", "")
    with look() as work:
        entries = visible(work, registers.history(work, register, key))
        if not entries:
            raise NotFound(f"台账“{kind.zh}”没有“{key}”", f"the register {kind.en!r} has no record {key!r}")
        lines = [(entry, told(work, entry)) for entry in entries]
        return show("record.html", kind=kind, lines=lines, name=names(work, {key}).get(key, key))


def told(work: Work, entry: Entry) -> list[tuple[str, Shown]]:
    """The columns of a record that hold something, called as the register calls them."""
    teller, fields = Teller(language(), names(work, set(persons_in(entry.value)))), fields_in_force(work)
    labels = kind_of(entry.register).labels
    found = []
    for code, value in entry.value.items():
        each = fields.get(code)
        if value is not None:
            label = labels.get(code) or (each.label if each else None)
            found.append((said(label) if label else code, column(teller, code, value, each)))
    return found


def column(teller: Teller, code: str, value: Value, each: Field | None) -> Shown:
    """A value of a record: as the field of its name says it where it is such a value, else by what its code tells."""
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
