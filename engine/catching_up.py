"""Fills in what a newer Liuhen keeps beside events and cases, in a database or a dump that an older one made."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from engine import definitions
from engine.amount import amount_of
from engine.model import CaseFile
from engine.runtime.scopes import CASE, Scopes
from engine.trail import deeds
from engine.work import Work
from forms.values import Value, from_json
from forms.words import Unfit


def catch_up(work: Work) -> None:
    """Keep the deeds of all events and the amounts of all cases, unless that was done before."""
    if deeds.catch_up(work):
        _amounts(work)


def _amounts(work: Work) -> None:
    query = select(CaseFile.id, CaseFile.definition, CaseFile.scopes).where(CaseFile.scopes != "")
    for row in work.rows(query):
        try:
            amount = amount_in(work, row["definition"], row["scopes"])
        except Unfit:
            continue
        if amount is not None:
            work.db.execute(update(CaseFile).where(CaseFile.id == row["id"]).values(amount_fen=amount))


def amount_in(work: Work, definition: str, scopes: str) -> int | None:
    """The amount of a case by its variables as they are kept.

    Unfit: it is on a version that this Liuhen no longer reads: which of its variables are secret cannot be told.
    """
    return amount_of(_variables(scopes), definitions.deployed(work, definition).private)


def _variables(scopes: str) -> Mapping[str, Value]:
    stored = from_json(scopes)
    return Scopes.thawed(stored).table[CASE].values if isinstance(stored, list) else {}
