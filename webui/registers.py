"""The registers (台账): which there are, the records one may see, every version of one record, and spreadsheets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from flask import Blueprint, Response, request

from engine import ledgers, registers, spreadsheets
from engine.errors import NotFound, Unusable
from engine.people import names
from engine.registers import RegisterKind
from webui.documents import download
from webui.page import language, look, show, vocabulary

bp = Blueprint("registers", __name__)

PAGE = 50
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
IN_MEMORY = 1_000_000  # bytes of a spreadsheet; a larger one is kept on the disk until it is sent
PIECE = 65_536


def kind_of(register: str) -> RegisterKind:
    """A register of the vocabulary."""
    found = vocabulary().registers.get(register)
    if found is None:
        raise NotFound(f"没有台账“{register}”", f"there is no register {register!r}")
    return found


@bp.get("/registers")
def index() -> Response:
    """All registers; whoever oversees them also sees how many records each has."""
    kinds = vocabulary().registers.values()
    with look() as work:
        overseer = ledgers.sees_all(work)
        counts = {kind.code: registers.count(work, kind.code) for kind in kinds} if overseer else {}
        listed = sorted(kinds, key=lambda kind: -counts.get(kind.code, 0))
        return show("registers.html", registers=listed, counts=counts)


@bp.get("/registers/<code:register>")
def register(register: str) -> Response:
    """The records of one register, in their latest version."""
    kind = kind_of(register)
    words, after = request.args.get("words", "").strip(), max(request.args.get("after", 0, type=int), 0)
    with look() as work:
        found = registers.browse(work, register, words=words, offset=after, limit=PAGE + 1)
        entries = ledgers.visible(work, found[:PAGE])
        teller, versions = ledgers.teller_of(work, entries, language()), ledgers.versions_of(work, entries)
        lines = [
            {
                "entry": entry,
                "name": teller.names.get(entry.key, entry.key),
                "fields": ledgers.told(work, kind, entry, teller),
                "step": ledgers.step(entry, versions.get(entry.case or ""), language()),
            }
            for entry in entries
        ]
        further = after + PAGE if len(found) > PAGE else None
        return show("register.html", kind=kind, lines=lines, words=words, after=after, further=further)


@bp.get("/registers/<code:register>/export")
def export(register: str) -> Response:
    """What the search finds, as a spreadsheet: the latest version of each record, or every one."""
    kind, words = kind_of(register), request.args.get("words", "").strip()
    sort = request.args.get("as", "xlsx")
    if sort not in MEDIA:
        raise Unusable("只能导出 XLSX 或 CSV", "a register is exported as XLSX or CSV")
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    every = request.args.get("versions") == "all"
    try:
        with look() as work:
            form: spreadsheets.Sort = "csv" if sort == "csv" else "xlsx"
            spreadsheets.write(work, kind, file, form, language(), words=words, every=every)
            day = work.today.isoformat()
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    name = kind.en if language() == "en" else kind.zh
    response = download(pieces(file), f"{name} {day}.{sort}", MEDIA[sort])
    response.headers["Content-Length"] = str(size)
    response.call_on_close(file.close)
    return response


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file, a piece at a time; at its end it is closed."""
    with file:
        while piece := file.read(PIECE):
            yield piece


@bp.get("/registers/<code:register>/record")
def record(register: str) -> Response:
    """Every version of one record, the first one first."""
    kind, key = kind_of(register), request.args.get("key", "")
    with look() as work:
        entries = ledgers.visible(work, registers.history(work, register, key))
        if not entries:
            raise NotFound(f"台账“{kind.zh}”没有“{key}”", f"the register {kind.en!r} has no record {key!r}")
        teller, versions = ledgers.teller_of(work, entries, language()), ledgers.versions_of(work, entries)
        lines = [
            {
                "entry": entry,
                "fields": ledgers.told(work, kind, entry, teller),
                "step": ledgers.step(entry, versions.get(entry.case or ""), language()),
                "event": ledgers.event_of(work, entry),
            }
            for entry in entries
        ]
        return show("record.html", kind=kind, lines=lines, name=names(work, {key}).get(key, key))
