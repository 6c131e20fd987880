"""How wide words are and where lines break, for Chinese and Latin text in boxes. Measures in em, draws nothing."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

# Punctuation that does not begin a line, and that does not end one.
_CLOSING = "，。、；：！？）】》〉”’％,.;:!?)]}%"
_OPENING = "（【《〈“‘([{"
_TOKEN = re.compile(r"\s+|[^\s⺀-￯]+|.", re.DOTALL)
_NARROW = frozenset("iljtfrI.,;:'|!()[] ")
ELLIPSIS = "…"
MOST_LETTERS = 1_000


def width(text: str) -> float:
    """About how wide a text is, in em: a Chinese character is one, a Latin letter a little more than half."""
    return sum(_letter(letter) for letter in text)


def _letter(letter: str) -> float:
    if east_asian_width(letter) in "WF" or letter in "“”‘’…—":
        return 1.0
    if letter in _NARROW:
        return 0.32
    return 0.7 if letter.isupper() or letter in "mw@%" else 0.56


def wrap(text: str, widest: float, most: int) -> list[str]:
    """The text in at most ``most`` lines of at most ``widest`` em, evenly; what is too long ends in ``…``."""
    text = shortened(" ".join(text.split()))
    tokens = [(token, width(token)) for token in _tokens(text)]
    lines = _fill(tokens, widest, most)
    if len(lines) > most:
        kept = lines[:most]
        last = kept[-1]
        while last and width(last + ELLIPSIS) > widest:
            last = last[:-1]
        return [*kept[:-1], last.rstrip() + ELLIPSIS]
    # The narrowest measure with the same number of lines leaves no single character on the last one.
    narrow = max(width(text) / max(len(lines), 1), 1.0, *(size for _, size in tokens if size <= widest))
    step = max((widest - narrow) / 40, 0.5)
    while narrow < widest:
        tried = _fill(tokens, narrow, len(lines))
        if len(tried) == len(lines):
            return tried
        narrow += step
    return lines


def shortened(text: str) -> str:
    """As much of a text as anybody reads in a picture."""
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS] + ELLIPSIS


def _tokens(text: str) -> list[str]:
    """Pieces between which a line may break."""
    pieces: list[str] = []
    for found in _TOKEN.findall(text):
        glued = pieces and (found in _CLOSING or pieces[-1][-1] in _OPENING)
        if glued and not found.isspace():
            pieces[-1] += found
        else:
            pieces.append(found)
    return pieces


def _fill(tokens: list[tuple[str, float]], widest: float, most: int) -> list[str]:
    """Lines filled one after the other until there are more than ``most``; a word too long for a line is cut."""
    lines: list[str] = []
    line, used = "", 0.0
    for token, wide in tokens:
        word = not token.isspace()
        if line and word and _too_wide(line + token, used + wide, widest):
            lines.append(line.rstrip())
            line = ""
        line, used = (line + token, used + wide) if line else (token.lstrip(), width(token.lstrip()))
        while word and len(line) > 1 and len(lines) <= most and _too_wide(line, used, widest):
            cut = _cut(line, widest)
            lines.append(line[:cut])
            line, used = line[cut:], used - width(line[:cut])
        if len(lines) > most:
            return lines
    return [*lines, line.rstrip()] if line.strip() else lines


def _too_wide(line: str, used: float, widest: float) -> bool:
    """Whether a line whose parts sum up to ``used`` is too wide; measured anew where the sum may be rounded wrongly."""
    return (width(line) if abs(used - widest) < 1e-6 else used) > widest


def _cut(line: str, widest: float) -> int:
    """How many characters of a word too long for a line fit on one."""
    used = 0.0
    for at, letter in enumerate(line):
        used += _letter(letter)
        if used > widest:
            return max(at, 1)
    return len(line)
