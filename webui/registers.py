"""The registers (台账): which there are, their records, and every version of one record."""

from __future__ import annotations

from flask import Blueprint, Response, request

from engine import registers
from engine.errors import NotFound
from engine.people import names
from engine.registers import RegisterKind
from webui.page import language, look, show, vocabulary
from webui.saying import Teller, persons_in

bp = Blueprint("registers", __name__)

PAGE = 50


def kind_of(register: str) -> RegisterKind:
    """A register of the vocabulary."""
    found = vocabulary().registers.get(register)
    if found is None:
        raise NotFound(f"没有台账“{register}”", f"there is no register {register!r}")
    return found


@bp.get("/registers")
def index() -> Response:
    """All registers with how many records each has."""
    with look() as work:
        listed = [(kind, len(registers.records(work, kind.code))) for kind in vocabulary().registers.values()]
        return show("registers.html", registers=sorted(listed, key=lambda pair: -pair[1]))


@bp.get("/registers/<code:register>")
def register(register: str) -> Response:
    """The records of one register, in their latest version."""
    kind = kind_of(register)
    words, after = request.args.get("words", "").strip(), max(request.args.get("after", 0, type=int), 0)
    with look() as work:
        entries = registers.browse(work, register, words=words, offset=after, limit=PAGE + 1)
        people = {one for entry in entries for one in persons_in(entry.value)} | {entry.key for entry in entries}
        teller = Teller(language(), names(work, people))
        return show(
            "register.html", kind=kind, entries=entries[:PAGE], teller=teller, words=words, after=after,
            more=len(entries) > PAGE, page_size=PAGE,
        )  # fmt: skip


@bp.get("/registers/<code:register>/record")
def record(register: str) -> Response:
    """Every version of one record, the first one first."""
    kind, key = kind_of(register), request.args.get("key", "")
    with look() as work:
        entries = registers.history(work, register, key)
        if not entries:
            raise NotFound(f"台账“{kind.zh}”没有“{key}”", f"the register {kind.en!r} has no record {key!r}")
        people = {one for entry in entries for one in persons_in(entry.value)} | {key}
        teller = Teller(language(), names(work, people))
        return show("record.html", kind=kind, entries=entries, teller=teller, record_key=key)
