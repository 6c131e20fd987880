"""The amount a case is about, which oversight searches by: one of its own variables, the most binding there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine import definitions
from engine.runtime.scopes import CASE, Scopes
from engine.work import Work
from forms.values import Value, from_json

AMOUNTS = (
    "final_price_fen", "price_fen", "publicised_price_fen", "amount_fen", "valuation_fen", "net_fen", "loss_fen",
)  # fmt: skip
"""The variables that hold it, the most binding first: the price of the contract, the price decided on, the price that
was publicised, the turnover or amount applied for, the value found, the income distributed, the loss under review.
"""


def amount_of(variables: Mapping[str, Value], private: Collection[str]) -> int | None:
    """The amount of a case in fen by its own variables; None where it has none, or only one that is secret."""
    for name in AMOUNTS:
        value = variables.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and name not in private:
            return value
    return None


def amount_in(work: Work, definition: str, scopes: str) -> int | None:
    """The amount of a case by its variables as they are kept.

    Unfit: it is on a version that this Liuhen no longer reads: which of its variables are secret cannot be told.
    """
    stored = from_json(scopes)
    variables = Scopes.thawed(stored).table[CASE].values if isinstance(stored, list) else {}
    return amount_of(variables, definitions.deployed(work, definition).private)
