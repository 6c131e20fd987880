"""What the trail is committed to of the rows beside it that are no answers: cases, register records, recusals.

A commitment is SHA-256 over a salt, which is kept in the row, and the columns as canonical JSON. It tells nobody what
the row holds, and whoever changes the row behind the fences cannot have it fit again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from engine.instant import INSTANT_FORMAT
from engine.trail.record import Chain, canonical_body, committed, new_salt

OF_A_CASE = (
    "number", "process", "definition", "parameters", "calendar", "title", "status", "outcome", "applicant", "parent",
    "opened_at", "closed_at", "stopped_at", "stopped_for", "amount_fen", "state", "scopes",
)  # fmt: skip
"""All of a case but where its trail stands, and the number of its step: that moves also where nothing is told."""
OF_A_RECORD = ("register", "key", "version", "value", "case", "element", "at")
OF_A_RECUSAL = ("person", "case", "party", "reason", "declared_by", "at")
_LONG = frozenset({"state", "scopes"})


def commitment(salt: str, row: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    """The commitment to these columns of a row; long texts count by their own hash."""
    return committed(salt, canonical_body({name: _short(name, row[name]) for name in columns}))


def _short(name: str, value: Any) -> Any:
    return hashlib.sha256(str(value).encode()).hexdigest() if name in _LONG else plain(value)


def plain(value: Any) -> Any:
    """A stored value as events write it: instants and days as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(INSTANT_FORMAT)
    return value.isoformat() if isinstance(value, date) else value


def commit_case(chain: Chain, found: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Let the last event that waits in the chain of a case tell what the case was when this act found it (``before``,
    which must be what was told ``after`` the act before) and what it is now; gives the salt to keep in the case.
    """
    salt = new_salt()
    told = {"after": commitment(salt, row, OF_A_CASE)}
    with contextlib.suppress(KeyError, TypeError, ValueError):  # no salt, or none any more: then there is no before
        told["before"] = commitment(found["salt"], found, OF_A_CASE)
    chain.close(told)
    return salt


def days_hash(days: Iterable[tuple[str, bool, str, str]]) -> str:
    """SHA-256 of the days of one version of the calendar, in their order: day, whether one works, source and note."""
    return hashlib.sha256(canonical_body([list(each) for each in days]).encode()).hexdigest()


def fits(said: str, row: Mapping[str, Any], columns: tuple[str, ...]) -> bool:
    """Whether a row, with its salt, is what was committed to."""
    try:
        return commitment(row["salt"], row, columns) == said
    except (ValueError, TypeError):  # there is no salt, or not any more a value
        return False


def committed_row(row: Mapping[str, Any], columns: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """A new row with its salt, and the commitment to it."""
    salt = new_salt()
    return {**row, "salt": salt}, commitment(salt, row, columns)
