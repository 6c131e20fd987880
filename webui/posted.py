"""What a browser sent for a form: the texts as entered, the files, and the answer made of both. Judged elsewhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request

from forms.answer import Problem
from forms.asking import is_empty
from forms.browser import from_browser
from forms.fields import Field
from forms.form import Form
from forms.values import FileRef

_ROW = re.compile(r"\[([0-9]{1,4})\]")
_FILES = frozenset({"file", "files"})
CHOSEN = ".chosen"
"""What the page's script sends in place of a file while the form is only checked: its name."""


@dataclass(slots=True)
class Posted:
    """A form as it came. ``kept`` are the files of the case that stay, by field; ``uploads`` says if new ones came."""

    raw: dict[str, list[str]]
    kept: dict[str, list[FileRef]]
    answer: dict[str, Any]
    problems: tuple[Problem, ...]
    uploads: bool
    body: tuple[str, ...] = field(repr=False, default=())


def read_posted(form: Form, documents: Mapping[str, FileRef]) -> Posted:
    """Read the form of this request; ``documents`` are those of the case, which a field may keep by their ids."""
    gone = dropped_row()
    sent = {name: texts for name, texts in request.form.lists() if not name.startswith(("_", gone))}
    kept: dict[str, list[FileRef]] = {}
    found: dict[str, list[Any]] = {}
    raw: dict[str, list[str]] = {}
    for name, texts in sent.items():
        if name.endswith(CHOSEN) and is_file(form, name.removesuffix(CHOSEN)):
            found.setdefault(name.removesuffix(CHOSEN), []).extend({"file": text, "data": None} for text in texts)
        elif is_file(form, name):
            kept[name] = [documents[text] for text in texts if text in documents]
            found.setdefault(name, [])[:0] = kept[name]
        else:
            raw[name] = texts
    hashes = list(uploads_into(found, gone))
    raw, places = without_gaps(form, raw, found)
    moved = {moved_name(name, places): files for name, files in found.items()}
    kept = {moved_name(name, places): files for name, files in kept.items()}
    pairs = [(name, text) for name, texts in raw.items() for text in texts if not is_idle_unit(form, name, raw)]
    answer, problems = from_browser(form, pairs, moved)
    texts_sent = [f"{name}={text}" for name, texts in sorted(sent.items()) for text in texts]
    return Posted(raw, kept, answer, problems, bool(hashes), (*texts_sent, *hashes))


def dropped_row() -> str:
    """How the names of the row begin that is to be taken out of a table; the page's own names where there is none."""
    match = re.fullmatch(r"drop:([A-Za-z][A-Za-z0-9_]*):([0-9]{1,4})", request.form.get("_row", ""))
    return f"{match[1]}[{match[2]}]." if match else "_"


def added_row(form: Form) -> Field | None:
    """The table that is to get one more row."""
    kind, _, code = request.form.get("_row", "").partition(":")
    return next((each for each in form.fields if kind == "add" and each.code == code and each.kind == "table"), None)


def uploads_into(found: dict[str, list[Any]], gone: str) -> Iterator[str]:
    """Put the uploaded files to their fields; gives what tells one body of a request from another."""
    for name, files in request.files.lists():
        for each in files:
            if each.filename and not name.startswith(gone):
                data = each.read()
                found.setdefault(name, []).append({"file": each.filename, "data": data})
                yield f"{name}:{each.filename}:{hashlib.sha256(data).hexdigest()}"


def field_of(form: Form, name: str) -> Field | None:
    """The field that has this name on the page."""
    first, _, column = _ROW.sub("", name).partition(".")
    for each in form.fields:
        if each.code == first:
            return next((part for part in each.fields if part.code == column), None) if column else each
    return None


def is_file(form: Form, name: str) -> bool:
    """Whether the field of this name takes files."""
    each = field_of(form, name)
    return each is not None and each.kind in _FILES


def is_idle_unit(form: Form, name: str, raw: Mapping[str, list[str]]) -> bool:
    """Whether a name is that of the unit of an amount that was left empty: alone it says nothing."""
    amount = name.removesuffix(".unit")
    each = field_of(form, amount) if amount != name else None
    return each is not None and each.kind == "money" and not any(text.strip() for text in raw.get(amount, ()))


Places = Mapping[tuple[str, int], int]


def without_gaps(
    form: Form, raw: dict[str, list[str]], files: Mapping[str, list[Any]]
) -> tuple[dict[str, list[str]], Places]:
    """What was entered, with the empty rows inside a table closed up; and where each row has gone.

    The answer has no empty rows, so its rows and those on the page have the same numbers. Empty rows at the end stay.
    """
    places: dict[tuple[str, int], int] = {}
    for table in (each for each in form.fields if each.kind == "table"):
        inside = re.compile(re.escape(table.code) + r"\[([0-9]{1,4})\]\.")
        rows: dict[int, bool] = {}
        for name in (*raw, *files):
            if match := inside.match(name):
                filled = any(text.strip() for text in raw.get(name, ())) and not name.endswith(".unit")
                rows[int(match[1])] = rows.get(int(match[1]), False) or filled or not is_empty(files.get(name))
        order = [place for place in sorted(rows) if rows[place]] + [place for place in sorted(rows) if not rows[place]]
        places |= {(table.code, place): number for number, place in enumerate(order)}
    moved = sorted(((moved_name(name, places), texts) for name, texts in raw.items()), key=lambda pair: pair[0] in raw)
    return dict(moved), places


def moved_name(name: str, places: Places) -> str:
    """The name after the rows have moved."""
    match = re.match(r"([A-Za-z][A-Za-z0-9_]*)\[([0-9]{1,4})\]", name)
    if match is None or (match[1], int(match[2])) not in places:
        return name
    return f"{match[1]}[{places[match[1], int(match[2])]}]{name[match.end() :]}"
