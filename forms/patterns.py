"""Regular expressions that owners write: read, and refused where matching an answer could take for ever.

Python's matcher tries every way of dividing a text among the parts of a pattern. Without repeated groups there are at
most as many ways as the product of what each part may take; that product is bounded here.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

LONGEST: Final = 300
MOST_WAYS: Final = 20_000_000

_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")
# Groups that repeat, refer back or look around.
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]|\\[1-9]|\(\?")
_PART: Final = re.compile(r"[*+?][*+?]?|\{([0-9]*)(,?)([0-9]*)\}[+?]?|[()|]")


def read_pattern(text: str) -> re.Pattern[str] | None:
    """The pattern that a text writes; None where it is no regular expression, or too long to be one."""
    if len(text) > LONGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(text)
        except (re.error, OverflowError, RecursionError, Warning):
            return None


def may_be_slow(pattern: str, longest: int) -> bool:
    """Whether matching a text of up to ``longest`` characters could take more than a moment."""
    plain = _CLASS.sub("x", _ESCAPED.sub("x", pattern))
    return bool(_REPEATED_GROUP.search(_CLASS.sub("x", pattern))) or _ways(plain, longest) > MOST_WAYS


def _ways(plain: str, longest: int) -> int:
    """In how many ways a text may be divided among the parts of a pattern, at most."""
    ways = 1
    choices = [1]
    for part in _PART.finditer(plain):
        sign = part[0]
        if sign == "(":
            choices.append(1)
        elif sign == ")" and len(choices) > 1:
            ways *= choices.pop()
        elif sign == "|":
            choices[-1] += 1
        elif sign[0] in "*+":
            ways *= longest + 1
        elif sign[0] == "?":
            ways *= 2
        elif sign[0] == "{" and part[2]:
            upper = min(int(part[3] or longest), longest)
            ways *= max(upper - int(part[1] or 0), 0) + 1
        if ways > MOST_WAYS:
            break
    for choice in choices:
        ways *= choice
    return ways
