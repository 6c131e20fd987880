"""Cells of decision tables for property tests: a text, and what the standard says it means, worked out the slow way.

Truth has three values here, as in DMN: what asks whether nothing (null) is before something is neither true nor false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Truth = bool | None


@dataclass(frozen=True)
class Written:
    """A cell as text and as a test of a value; ``ends`` are the values it names."""

    text: str
    holds: Callable[[Any], Truth]
    ends: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"«{self.text}»"


ANYTHING = Written("-", lambda _: True)


def listed(parts: list[Written]) -> Written:
    """One of these has to hold."""

    def holds(value: Any) -> Truth:
        truths = [part.holds(value) for part in parts]
        return True if True in truths else None if None in truths else False

    return Written(", ".join(part.text for part in parts), holds, tuple(end for part in parts for end in part.ends))


def negated(part: Written) -> Written:
    """None of them may hold."""

    def holds(value: Any) -> Truth:
        truth = part.holds(value)
        return None if truth is None else not truth

    return Written(f"not({part.text})", holds, part.ends)


def cells(tests: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    """Cells made of such tests: one, several, none of them, or anything."""
    several = st.lists(tests, min_size=1, max_size=3).map(listed)
    return st.one_of(st.just(ANYTHING), several, several, several.map(negated))


NULL = Written("null", lambda value: value is None, (None,))


def same(text: str, end: Any) -> Written:
    """The value itself."""
    return Written(text, lambda value: value is not None and value == end, (end,))


def number_cells(kind: type) -> st.SearchStrategy[Written]:
    """Cells of a column of numbers: whole ones, or (Decimal) halves as well."""
    halves = st.integers(-6, 14).map(lambda n: Decimal(n) / 2)
    numbers: st.SearchStrategy[Any] = st.integers(-3, 7) if kind is int else st.one_of(st.integers(-3, 7), halves)
    return cells(st.one_of(numbers.map(_equal), st.builds(_side, _SIGNS, numbers), st.builds(_within, numbers, numbers,
                                                                                            _BRACKETS), st.just(NULL)))


_SIGNS = st.sampled_from(["<", "<=", ">", ">="])
_BRACKETS = st.sampled_from(["[]", "[)", "(]", "()", "][", "]]", "[["])


def _said(number: Any) -> str:
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def _equal(number: Any) -> Written:
    return same(_said(number), number)


def _side(sign: str, number: Any) -> Written:
    def holds(value: Any) -> Truth:
        if value is None:
            return None
        return bool({"<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number}[sign])

    return Written(f"{sign} {_said(number)}", holds, (number,))


def _within(low: Any, high: Any, brackets: str) -> Written:
    def holds(value: Any) -> Truth:
        if value is None:
            return None
        above = value >= low if brackets[0] == "[" else value > low
        below = value <= high if brackets[1] == "]" else value < high
        return bool(above and below)

    return Written(f"{brackets[0]}{_said(low)}..{_said(high)}{brackets[1]}", holds, (low, high))


def text_cells() -> st.SearchStrategy[Written]:
    """Cells of a column of texts."""
    return cells(st.one_of(st.sampled_from("abc").map(lambda text: same(f'"{text}"', text)), st.just(NULL)))


def boolean_cells() -> st.SearchStrategy[Written]:
    """Cells of a column of truths."""
    return st.one_of(st.just(ANYTHING), st.just(same("true", True)), st.just(same("false", False)))
