"""Divides money among people: what is left of an income, and each one's part to the fen. Knows no expressions."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Final

from forms.operators import ExpressionError, mismatch
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forms.values import Value

WHOLE_BP: Final = 10_000


def net_income(gross_fen: int, tax_fen: int, maintenance_fen: int, direct_cost_fen: int) -> int:
    """净收入, in fen: the income less the taxes of this deal, the maintenance of the achievement and the direct costs.

    Nothing else is deducted (条例第十二条第四款). Below nothing where the deal cost more than it brought.
    """
    return gross_fen - tax_fen - maintenance_fen - direct_cost_fen


def distribute(total_fen: int, shares: Iterable[Value]) -> list[Value]:
    """The parts of an amount, in fen, that these shares (basis points) come to: their sum is the amount.

    By the largest remainder: each first gets the whole fen of its share; the fen left over go one each to those whose
    share was cut most, of equals to the one that stands earlier. Who has a larger share never gets less. A share may be
    a record with ``share_bp``: then the records are given back, each with its ``amount_fen``. Refused: shares that are
    negative or do not sum to 10,000, and a negative amount.
    """
    members = list(shares)
    parts: Sequence[Value] = divided(total_fen, [_share_of(member) for member in members])
    return [
        {**member, "amount_fen": part} if isinstance(member, dict) else part
        for member, part in zip(members, parts, strict=True)
    ]


def divided(total_fen: int, shares_bp: Sequence[int]) -> list[int]:
    """What ``distribute`` gives each share."""
    if total_fen < 0 or any(share < 0 for share in shares_bp) or sum(shares_bp) != WHOLE_BP:
        raise ExpressionError(
            Text(
                "分配的金额和份额不得为负，份额合计须为 100%（10000）",
                "neither the amount nor a share is negative, and the shares sum to 10,000 basis points",
            )
        )
    parts = [total_fen * share // WHOLE_BP for share in shares_bp]
    left = total_fen - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda place: -(total_fen * shares_bp[place] % WHOLE_BP))
    for place in by_remainder[:left]:
        parts[place] += 1
    return parts


def _share_of(member: Value) -> int:
    share = member.get("share_bp") if isinstance(member, dict) else member
    if type(share) is not int:
        raise mismatch(Text("份额（万分之一），或有 share_bp 的记录", "basis points, or a record with share_bp"), share)
    return share


def add_months(day: date, months: int) -> date:
    """The same day so many months later or earlier, or the month's last day where it has no such day.

    《民法典》第二百零二条: 到期月的对应日为期间的最后一日；没有对应日的，月末日为期间的最后一日。
    """
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= years <= date.max.year:
        raise ExpressionError(Text("日期超出范围", "the date is out of range"))
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))
