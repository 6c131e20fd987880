"""Fills in what a newer Liuhen keeps beside events and cases, in a database or a dump that an older one made."""

from __future__ import annotations

from sqlalchemy import select, update

from engine.amount import amount_in
from engine.model import CaseFile
from engine.trail import deeds
from engine.work import Work
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
