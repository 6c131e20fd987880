"""Money and ratios as people write them, and back: 元, 大写金额, per cent. Renminbi only; nothing is ever rounded."""

from __future__ import annotations

import re
from typing import Literal

from forms.words import Text

Unit = Literal["yuan", "wan"]

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_AMOUNT = re.compile(r"(-?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?")
_DECIMALS = {"yuan": 2, "wan": 6}
_WIDE = str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")


class NotMoney(ValueError):
    """A text that is no amount or no ratio; ``text`` says what was expected."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def yuan(fen: int) -> str:
    """An amount in 元 with two decimals and thousands separators: 123450 fen are ``1,234.50``."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


def parse_yuan(text: str, unit: Unit = "yuan") -> int:
    """The fen of an amount written in 元 (or 万元), with or without thousands separators. NotMoney if it is none.

    A third decimal of a 元 is refused, not rounded.
    """
    plain = text.strip().translate(_WIDE).lstrip("¥￥").strip()
    match = _AMOUNT.fullmatch(plain) if len(plain) <= 40 else None
    if match is None:
        raise NotMoney(Text("应填金额，例如 1,234.50", "an amount such as 1,234.50 is expected"))
    sign, whole, decimals = match.group(1), match.group(2).replace(",", ""), (match.group(3) or "").rstrip("0")
    places = _DECIMALS[unit]
    if len(decimals) > places:
        raise NotMoney(Text("金额最小到分", "an amount goes down to the fen (0.01 yuan) and no further"))
    fen = int(whole + decimals.ljust(places, "0"))
    return -fen if sign else fen


def percent(bp: int) -> str:
    """A ratio given in basis points, in per cent: 7050 is ``70.5%``."""
    whole, rest = divmod(abs(bp), 100)
    decimals = f".{rest:02d}".rstrip("0").rstrip(".")
    return f"{'-' if bp < 0 else ''}{whole}{decimals}%"


def parse_percent(text: str) -> int:
    """The basis points of a ratio written in per cent (``70.5`` or ``70.5%``). NotMoney if it is none."""
    try:
        return parse_yuan(text.strip().removesuffix("%").removesuffix("％"))
    except NotMoney:
        said = Text("应填百分比，例如 70 或 70.5，至多两位小数", "a percentage such as 70 or 70.5 is expected")
        raise NotMoney(said) from None


def capital(fen: int) -> str:
    """The amount in the characters used on certificates and vouchers (大写金额): 10000100000 fen are 壹亿零壹仟元整.

    Written as 《支付结算办法》附件一 prescribes. What it leaves to the writer is left out: 零 where 万位 or 元位 is 0
    but 千位 or 角位 is not, and 整 after 角.
    """
    whole, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    said = _number(whole) + "元" if whole else ""
    if jiao:
        said += _DIGITS[jiao] + "角"
    elif cents and whole:
        said += "零"
    if cents:
        said += _DIGITS[cents] + "分"
    if not rest:
        said = (said or "零元") + "整"
    return ("负" if fen < 0 else "") + said


def _number(number: int) -> str:
    """A whole number above 0: what stands before 亿, before 万, and the rest, each said the same way."""
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(number, unit)
        if high:
            gap = "零" if 0 < low < unit // 10 else ""
            return _number(high) + name + (gap + _number(low) if low else "")
    return _below_ten_thousand(number)


def _below_ten_thousand(number: int) -> str:
    """A number from 1 to 9999; one 零 stands for the zeros between two digits, none for those at the ends."""
    said = ""
    gap = False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            said += ("零" if gap and said else "") + _DIGITS[digit] + _PLACES[place]
        gap = digit == 0
    return said
