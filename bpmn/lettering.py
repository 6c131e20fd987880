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
    tokens = _tokens(text)
    lines = _fill(tokens, widest)
    if len(lines) > most:
        kept = lines[:most]
        last = kept[-1]
        while last and width(last + ELLIPSIS) > widest:
            last = last[:-1]
        return [*kept[:-1], last.rstrip() + ELLIPSIS]
    # The narrowest measure with the same number of lines leaves no single character on the last one.
    narrow = max(width(text) / max(len(lines), 1), 1.0, *(size for size in map(width, tokens) if size <= widest))
    while narrow < widest:
        tried = _fill(tokens, narrow)
        if len(tried) == len(lines):
            return tried
        narrow += 0.5
    return lines


def _tokens(text: str) -> list[str]:
    """Pieces between which a line may break."""
    pieces: list[str] = []
    for found in _TOKEN.findall(" ".join(text.split())):
        glued = pieces and (found in _CLOSING or pieces[-1][-1] in _OPENING)
        if glued and not found.isspace():
            pieces[-1] += found
        else:
            pieces.append(found)
    return pieces


def _fill(tokens: list[str], widest: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for token in tokens:
        if line and width((line + token).rstrip()) > widest:
            lines.append(line.rstrip())
            line = ""
        line += token if line else token.lstrip()
        while len(line) > 1 and width(line.rstrip()) > widest:
            cut = _cut(line, widest)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()] if line.strip() else lines


def _cut(line: str, widest: float) -> int:
    """How many characters of a word too long for a line fit on one."""
    used = 0.0
    for at, letter in enumerate(line):
        used += _letter(letter)
        if used > widest:
            return max(at, 1)
    return len(line)
