"""Reads one cell of a decision table: DMN's short forms, translated into a condition of the one expression language.

A cell is ``-`` (any value), or tests with commas between them, of which one must hold: a value, ``< 10``, ``[a..b)``;
or ``not(…)`` around them. What a table does with its cells is for ``bpmn.dmn_table``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NoReturn, TypeAlias, Union

from forms.expressions import Expression, ExpressionError, compile_expression
from forms.run import Scope
from forms.source import LONGEST_EXPRESSION
from forms.values import Value
from forms.words import Text

VALUE: Final = "input_value"
"""The name under which a condition reads the value of its column; DMN writes it ``?``."""

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_WORD_OR_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\b(?:true|false|null)\b|\?")
_WORDS: Final = {"true": "True", "false": "False", "null": "None", "?": VALUE}
_SIGNS: Final = {"=": "==", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_SIGN = re.compile(r"<=|>=|!=|==|<|>|=")
_NOT = re.compile(r"not\s*\(")


@dataclass(frozen=True, slots=True)
class Equal:
    """The value is this one."""

    end: Expression


@dataclass(frozen=True, slots=True)
class Ordered:
    """The value stands on one side of this one; ``sign`` is < <= > or >=."""

    sign: str
    end: Expression


@dataclass(frozen=True, slots=True)
class Between:
    """The value lies in an interval; an ``open`` end does not belong to it."""

    low: Expression
    low_open: bool
    high: Expression
    high_open: bool


@dataclass(frozen=True, slots=True)
class Holds:
    """A condition that says itself what it asks of the value (written ``?``)."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """None of the tests holds."""

    tests: tuple[Test, ...]


Test: TypeAlias = Union[Equal, Ordered, Between, Holds, "Not"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as written, its tests, and the one condition they come to; None: every value will do."""

    source: str
    tests: tuple[Test, ...] = ()
    condition: Expression | None = field(default=None, compare=False)

    def matches(
        self, value: Value, names: Mapping[str, Value], functions: Mapping[str, Callable[..., Value]]
    ) -> bool:
        """Whether this value fits. As in DMN an empty value (null) is neither before nor after anything, nor within."""
        if self.condition is None:
            return True
        seen = Scope(names)
        seen[VALUE] = value
        return self.condition.condition(seen, functions)


def read_cell(source: str) -> Cell:
    """Read an input entry, or the allowed values of a column. ExpressionError says what cannot be understood."""
    text = source.strip()
    if text in ("", "-"):
        return Cell(text)
    if len(text) > LONGEST_EXPRESSION:
        _refuse(f"不得超过 {LONGEST_EXPRESSION} 字", f"it may not exceed {LONGEST_EXPRESSION} characters")
    inside = _NOT.match(text)
    tests = (Not(_tests(text[inside.end() : -1])),) if inside and text.endswith(")") else _tests(text)
    return Cell(text, tests, compile_expression(_any(tests)))


def read_expression(source: str) -> Expression:
    """Compile an input expression, an output entry or the end of an interval: DMN's true, false, null are understood.

    ExpressionError for what is not of the language.
    """
    expression = _compiled(source)
    if VALUE in expression.names:
        _refuse("? 只能用在输入列的格中", "? stands only in the cells of an input column")
    return expression


def ends(tests: tuple[Test, ...]) -> Iterator[Expression]:
    """The expressions with which the tests compare a value."""
    for test in tests:
        match test:
            case Equal(end) | Ordered(_, end):
                yield end
            case Between(low, _, high, _):
                yield low
                yield high
            case Not(inner):
                yield from ends(inner)


def orders(tests: tuple[Test, ...]) -> bool:
    """Whether any of the tests asks what is before or after."""
    return any(orders(test.tests) if isinstance(test, Not) else isinstance(test, Ordered | Between) for test in tests)


def _compiled(source: str) -> Expression:
    parts = list(_QUOTED.finditer(source))
    for one, two in pairwise(parts):
        # Python would join them; in a cell it is a comma that was forgotten.
        if not source[one.end() : two.start()].strip():
            _refuse(f"{two[0][:20]} 前缺少逗号", f"a comma is missing before {two[0][:20]}")
    if re.search(rf"\b{VALUE}\b", _mask(source)):
        _refuse(f"名称 {VALUE} 留给本列的值，请写 ?", f"the name {VALUE} stands for the value of the column: write ?")
    return compile_expression(_WORD_OR_QUOTED.sub(lambda word: _WORDS.get(word[0], word[0]), source))


def _mask(text: str) -> str:
    """The text with its quoted parts hidden, in which brackets and commas mean nothing; the length is the same."""
    return _QUOTED.sub(lambda quoted: '"' * len(quoted[0]), text)


def _refuse(zh: str, en: str) -> NoReturn:
    raise ExpressionError(Text(zh, en))


# -- from tests to the one language --------------------------------------------------------------------------------


def _any(tests: tuple[Test, ...]) -> str:
    same = [_said(test.end) for test in tests if isinstance(test, Equal) and test.end.source != "None"]
    said = [f"{VALUE} in [{', '.join(same)}]"] if len(same) > 1 else [f"{VALUE} == {end}" for end in same]
    for test in tests:
        match test:
            case Equal(end) if end.source == "None":
                said.append(f"{VALUE} is None")
            case Ordered(sign, end):
                said.append(f"{VALUE} is not None and {VALUE} {sign} {_said(end)}")
            case Between(low, low_open, high, high_open):
                left, right = "<" if low_open else "<=", "<" if high_open else "<="
                said.append(f"{VALUE} is not None and {_said(low)} {left} {VALUE} {right} {_said(high)}")
            case Holds(condition):
                said.append(f"({condition.source}) == True")
            case Not(inner):
                guard = f"{VALUE} is not None and " if orders(inner) else ""
                said.append(f"{guard}not ({_any(inner)})")
    return " or ".join(said)


def _said(end: Expression) -> str:
    """An end as part of a condition; it compiles alone, so that brackets keep it together."""
    return end.source if re.fullmatch(r"[\w.]+", end.source) or _QUOTED.fullmatch(end.source) else f"({end.source})"


# -- from text to tests --------------------------------------------------------------------------------------------


def _tests(text: str) -> tuple[Test, ...]:
    mask = _mask(text)
    found: list[Test] = []
    at = 0
    while True:
        at += len(mask[at:]) - len(mask[at:].lstrip())
        interval = _interval(mask, at)
        if interval:
            dots, close = interval
            low, high = _end(text[at + 1 : dots]), _end(text[dots + 2 : close])
            found.append(Between(low, mask[at] != "[", high, mask[close] != "]"))
            end = close + 1 + len(mask[close + 1 :]) - len(mask[close + 1 :].lstrip())
        else:
            end = _comma(mask, at)
            found.append(_test(text[at:end].strip(), mask[at:end].strip()))
        if end >= len(mask):
            return tuple(found)
        if mask[end] != ",":
            _refuse(f"“{text[end:][:20]}”前应有逗号", f"a comma is missing before “{text[end:][:20]}”")
        at = end + 1


def _test(text: str, mask: str) -> Test:
    if not text:
        _refuse("逗号之间缺少内容", "something is missing beside a comma")
    if re.match(r"not\b", mask) and "?" not in mask:
        _refuse("not(…) 须包住整格", "not(…) must stand around the whole cell")
    sign = _SIGN.match(mask)
    if sign:
        end = _end(text[sign.end() :])
        meant = _SIGNS[sign[0]]
        if meant == "==":
            return Equal(end)
        return Not((Equal(end),)) if meant == "!=" else Ordered(meant, end)
    if "?" in mask:
        return Holds(_compiled(text))
    if mask.startswith("["):
        _refuse('不用列表，直接写 "a","b"；区间写作 [a..b]', 'write "a","b" without brackets; an interval is [a..b]')
    return Equal(_end(text))


def _end(text: str) -> Expression:
    if not text.strip():
        _refuse("比较或区间缺少一个值", "a comparison or an interval lacks a value")
    return read_expression(text)


def _interval(mask: str, at: int) -> tuple[int, int] | None:
    """Where the dots and the closing bracket of an interval are, if one begins here."""
    if mask[at : at + 1] not in ("[", "(", "]"):
        return None
    depth = 0
    for place in range(at + 1, len(mask)):
        sign = mask[place]
        if depth == 0 and mask.startswith("..", place):
            return place, _closing(mask, place + 2)
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0 or (depth == 0 and sign == ","):
            return None
    return None


def _closing(mask: str, at: int) -> int:
    depth = 0
    for place in range(at, len(mask)):
        sign = mask[place]
        if sign in ")]" and depth == 0:
            return place
        # Also written ]a..b[ : a bracket that opens and is the last of its test closes the interval.
        if sign == "[" and depth == 0 and mask[place + 1 :].lstrip()[:1] in ("", ","):
            return place
        depth += (sign in "([{") - (sign in ")]}")
    _refuse("区间没有写完，应如 [1..5)", "the interval is not closed; it is written like [1..5)")


def _comma(mask: str, at: int) -> int:
    depth = 0
    for place in range(at, len(mask)):
        depth += (mask[place] in "([{") - (mask[place] in ")]}")
        if depth < 0:
            _refuse("括号不成对", "the brackets do not match")
        if mask[place] == "," and depth == 0:
            return place
    return len(mask)
