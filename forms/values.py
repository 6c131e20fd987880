"""The values an answer or a variable may hold, and their one form as JSON. What a value means is for others to say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person, by the id the engine gave them."""

    id: str


@dataclass(frozen=True, slots=True)
class FileRef:
    """A stored file: its id, the name it was given, its content as sha256 (hex) and size in bytes, its media type."""

    id: str
    name: str
    sha256: str
    size: int
    media: str


Value: TypeAlias = Union[  # noqa: UP007 - a recursive alias cannot name itself with `|` at run time
    bool, int, str, date, datetime, Decimal, PersonRef, FileRef, list["Value"], dict[str, "Value"], None
]

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ATOMS = frozenset({NoneType, bool, int, str, date, datetime, Decimal, PersonRef, FileRef})


def to_json(value: Value) -> str:
    """The value as compact JSON, records in their own order. TypeError for a float or any other foreign type."""
    _known(value)
    return _compact(value)


def canonical(value: Value) -> str:
    """The same JSON with the keys of records sorted: equal values give equal texts, so it can be hashed."""
    _known(value)
    return _sorted(value)


def from_json(text: str) -> Value:
    """The value that ``to_json`` wrote. ValueError for anything else: floats, NaN, unknown tags, broken JSON."""
    try:
        value: Value = _decoder.decode(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply to be a value") from None
    return value


def files_in(value: Value) -> Iterator[FileRef]:
    """All files referred to anywhere in a value."""
    if isinstance(value, FileRef):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from files_in(each)


def check_keys(value: Value) -> None:
    """ValueError unless every key of every record matches ``[A-Za-z][A-Za-z0-9_-]*``: then no key looks like a tag."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not _KEY.fullmatch(key):
                raise ValueError(f"the key {key!r} of a record must match {_KEY.pattern}")
            check_keys(member)
    elif isinstance(value, list):
        for member in value:
            check_keys(member)


def instant_text(instant: datetime) -> str:
    """An aware instant in UTC as ISO 8601 ending in ``Z``. TypeError for one that names no zone."""
    if instant.tzinfo is None:
        raise TypeError("an instant must name its time zone")
    return instant.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _known(value: object) -> None:
    # The C encoder writes floats and turns foreign keys into text without asking; so the types are looked at first.
    if type(value) in _ATOMS:
        return
    if isinstance(value, dict):
        for key, member in value.items():
            if type(key) is not str or key.startswith("$"):
                raise TypeError(f"{key!r} cannot be the key of a record")
            if type(member) not in _ATOMS:
                _known(member)
    elif isinstance(value, list):
        for member in value:
            if type(member) not in _ATOMS:
                _known(member)
    else:
        raise TypeError(f"a value of type {type(value).__name__} cannot be kept")


def _tagged(value: object) -> dict[str, object]:
    if isinstance(value, datetime):
        return {"$instant": instant_text(value)}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"the decimal {value} is not a number")
        return {"$decimal": str(value)}
    if isinstance(value, PersonRef):
        return {"$person": value.id}
    if isinstance(value, FileRef):
        fields = {"id": value.id, "name": value.name, "sha256": value.sha256, "size": value.size, "media": value.media}
        return {"$file": fields}
    raise TypeError(f"a value of type {type(value).__name__} cannot be kept")


def _read_instant(text: str) -> datetime:
    if not text.endswith("Z"):
        raise ValueError(f"the instant {text!r} must end in Z")
    return datetime.fromisoformat(text)


_TAGS: dict[str, Callable[[Any], Value]] = {
    "$date": date.fromisoformat,
    "$instant": _read_instant,
    "$decimal": Decimal,
    "$person": PersonRef,
    "$file": lambda fields: FileRef(**fields),
}


def _untagged(record: dict[str, Any]) -> Value:
    if len(record) == 1:
        [(key, member)] = record.items()
        if key.startswith("$"):
            try:
                return _TAGS[key](member)
            except (KeyError, TypeError, ArithmeticError) as error:
                raise ValueError(f"{key!r} does not tag a value rightly") from error
    return record


def _no_float(text: str) -> Value:
    raise ValueError(f"{text} is a floating-point number; write a decimal as a tagged text")


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_tagged).encode
_sorted = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_tagged, sort_keys=True).encode
_decoder = json.JSONDecoder(object_hook=_untagged, parse_float=_no_float, parse_constant=_no_float)
