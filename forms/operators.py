"""What the operators of the expression language do: which kinds of value go together, and how large a value may grow.

It works on values only; how an expression is read and compiled is for ``forms.compiler``.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Underflow
from types import NoneType
from typing import TYPE_CHECKING, Final, TypeVar

from forms.values import FileRef, PersonRef, Value
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_INTEGER: Final = 10**18
LONGEST_TEXT: Final = 100_000
HEAVIEST: Final = 200_000
DEEPEST: Final = 32
ORDERED: Final = frozenset({int, Decimal, str, date, datetime})

T = TypeVar("T")

# Exact or refused: 40 digits hold any product of an amount, a rate and 100; nothing is rounded on the way.
_EXACT = Context(
    prec=40, Emax=60, Emin=-60, traps=[Clamped, DivisionByZero, Inexact, InvalidOperation, Overflow, Underflow]
)

_KINDS: Final[dict[type, Text]] = {
    NoneType: Text("空值", "empty"),
    bool: Text("是/否", "yes/no"),
    int: Text("整数", "an integer"),
    Decimal: Text("小数", "a decimal"),
    str: Text("文本", "a text"),
    date: Text("日期", "a date"),
    datetime: Text("时刻", "an instant"),
    PersonRef: Text("人员", "a person"),
    FileRef: Text("文件", "a file"),
    list: Text("列表", "a list"),
    dict: Text("记录", "a record"),
}


class ExpressionError(Exception):
    """An expression that is not of the language, or has no value with what it was given; ``text`` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text
        self._placed = False

    def at(self, said: str) -> ExpressionError:
        """This error, naming the part of the expression that failed; the innermost part is named, once."""
        if not self._placed:
            part = said if len(said) <= 80 else said[:79] + "…"
            self.text = Text(f"“{part}”：{self.text.zh}", f"“{part}”: {self.text.en}")
            self.args = (str(self.text),)
            self._placed = True
        return self


class Unset(ExpressionError):
    """A name that was never written was read."""

    def __init__(self, name: str) -> None:
        super().__init__(Text(f"变量 {name} 尚未赋值", f"the variable {name} has not been given a value"))
        self.name = name


class Empty(ExpressionError):
    """An empty value (None) stood where the operator needs a value."""


def kind_of(value: object) -> Text:
    """The kind of a value in words, as refusals name it."""
    for kind in type(value).__mro__:
        if kind in _KINDS:
            return _KINDS[kind]
    return Text("未知类型的值", "a value of an unknown type")


def mismatch(expected: Text, value: object) -> ExpressionError:
    """The refusal of a value of the wrong kind; ``Empty`` where there is no value at all."""
    actual = kind_of(value)
    sentence = Text(f"应为{expected.zh}，现为{actual.zh}", f"{expected.en} is expected, but it is {actual.en}")
    return Empty(sentence) if value is None else ExpressionError(sentence)


def is_number(value: object) -> bool:
    """Whether the value is an integer or a decimal; true and false are neither."""
    kind = type(value)
    return kind is int or kind is Decimal


def bounded(value: Value) -> Value:
    """The value itself, or the refusal of one that has grown too large."""
    if isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise ExpressionError(Text("整数绝对值不得超过 10^18", "an integer may not exceed 10^18 in magnitude"))
    elif isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise ExpressionError(
            Text(f"文本不得超过 {LONGEST_TEXT} 字", f"a text may not exceed {LONGEST_TEXT} characters")
        )
    return value


def weight(value: Value) -> int:
    """How many values a value is made of; refused where there are too many, or they lie too deep in one another."""
    total = 0
    depth = 0
    level: list[Value] = [value]
    while level:
        total += len(level)
        depth += 1
        below: list[Value] = []
        for member in level:
            if isinstance(member, list):
                below.extend(member)
            elif isinstance(member, dict):
                below.extend(member.values())
            elif isinstance(member, str):
                total += len(member) // 1000
            if total + len(below) > HEAVIEST or depth > DEEPEST:
                raise ExpressionError(Text("列表或记录过大", "a list or record is too large"))
        level = below
    return total


def add(left: Value, right: Value) -> Value:
    """``left + right``: numbers, text with text, list with list, or a date and a number of calendar days."""
    if isinstance(left, str):
        return bounded(left + need(right, str))
    if isinstance(left, list):
        return left + need(right, list)
    if type(left) is date:
        return _moved(left, need(right, int))
    return _arithmetic(left, right, int.__add__, _EXACT.add)


def subtract(left: Value, right: Value) -> Value:
    """``left - right``: numbers, a date less calendar days, or the days between two dates."""
    if type(left) is date:
        return (left - right).days if type(right) is date else _moved(left, -need(right, int))
    return _arithmetic(left, right, int.__sub__, _EXACT.subtract)


def multiply(left: Value, right: Value) -> Value:
    """``left * right``, numbers only."""
    return _arithmetic(left, right, int.__mul__, _EXACT.multiply)


def floor_divide(left: Value, right: Value) -> Value:
    """``left // right``, numbers only, rounded down for negative ones too."""
    return _arithmetic(left, _divisor(right), int.__floordiv__, lambda one, two: _floor(one, two)[0])


def remainder(left: Value, right: Value) -> Value:
    """``left % right``, numbers only; it has the sign of ``right``."""
    return _arithmetic(left, _divisor(right), int.__mod__, lambda one, two: _floor(one, two)[1])


def negative(value: Value) -> Value:
    """``-value``, numbers only."""
    return subtract(0, value)


def equal(left: Value, right: Value) -> bool:
    """``left == right``. None equals only None; values of unlike kinds are not compared but refused."""
    if left is None or right is None:
        return left is right
    if not _alike(left, right):
        raise _unlike(left, right)
    return _same(left, right)


def ordered(left: Value, right: Value) -> int:
    """Less than 0, 0 or more than 0 as ``left`` is before, at or after ``right``: numbers, texts, dates, instants."""
    if left is None or right is None:
        raise mismatch(Text("可比较大小的值", "a value that can be ordered"), None)
    if not _alike(left, right) or type(left) not in ORDERED:
        raise _unlike(left, right)
    return (left > right) - (left < right)  # type: ignore[operator]


def contains(container: Value, member: Value) -> bool:
    """``member in container``: a member of a list, a key of a record, a part of a text."""
    if isinstance(container, str):
        return need(member, str) in container
    if isinstance(container, dict):
        return need(member, str) in container
    if not isinstance(container, list):
        raise mismatch(Text("列表、记录或文本", "a list, a record or a text"), container)
    return any(equal(member, other) for other in container)


def members(value: Value) -> list[Value]:
    """What a ``for`` goes through: the members of a list, the keys of a record."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value)
    raise mismatch(Text("列表或记录", "a list or a record"), value)


def subscript(value: Value, key: Value) -> Value:
    """``value[key]``: the member of a record by its key, of a list by its place, or a fact about a file or a person."""
    if isinstance(value, dict):
        name = need(key, str)
        if name in value:
            return value[name]
        raise ExpressionError(Text(f"记录中没有 {name!r}", f"the record has no {name!r}"))
    if isinstance(value, list):
        place = need(key, int)
        if -len(value) <= place < len(value):
            return value[place]
        raise ExpressionError(Text(f"列表没有第 {place} 项", f"the list has no member {place}"))
    if isinstance(value, FileRef | PersonRef):
        if key in value.__slots__:
            fact: Value = getattr(value, str(key))
            return fact
        raise ExpressionError(Text(f"{kind_of(value).zh}没有 {key!r}", f"{kind_of(value).en} has no {key!r}"))
    raise mismatch(Text("记录或列表", "a record or a list"), value)


def truth(value: Value) -> bool:
    """The value, which must be true or false."""
    return need(value, bool)


def need(value: object, kind: type[T]) -> T:
    """The value, which must be of this kind; true and false are no integers, an instant is no date."""
    if type(value) is kind or (kind in (list, dict) and isinstance(value, kind)):
        return value
    raise mismatch(_KINDS[kind], value)


def _alike(left: Value, right: Value) -> bool:
    return type(left) is type(right) or (is_number(left) and is_number(right))


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(member, right[key]) for key, member in left.items())
    return _alike(left, right) and left == right


def _unlike(left: Value, right: Value) -> ExpressionError:
    one, two = kind_of(left), kind_of(right)
    return ExpressionError(Text(f"{one.zh}与{two.zh}不能比较", f"{one.en} cannot be compared with {two.en}"))


def _moved(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise ExpressionError(Text("日期超出范围", "the date is out of range")) from None


def _arithmetic(
    left: Value,
    right: Value,
    whole: Callable[[int, int], int],
    exact: Callable[[Decimal, Decimal], Decimal],
) -> Value:
    for value in (left, right):
        if not is_number(value):
            raise mismatch(Text("数值", "a number"), value)
    if type(left) is int and type(right) is int:
        return bounded(whole(left, right))
    try:
        return exact(Decimal(left), Decimal(right))  # type: ignore[arg-type]
    except ArithmeticError:
        raise ExpressionError(Text("小数位数过多", "the decimal has too many digits to be exact")) from None


def _divisor(value: Value) -> Value:
    if value == 0 and is_number(value):
        raise ExpressionError(Text("除数为零", "the divisor is zero"))
    return value


def _floor(left: Decimal, right: Decimal) -> tuple[Decimal, Decimal]:
    # Decimal rounds towards zero, integers round down; the language rounds down for both.
    quotient, rest = _EXACT.divmod(left, right)
    if rest and (rest < 0) != (right < 0):
        return _EXACT.subtract(quotient, Decimal(1)), _EXACT.add(rest, right)
    return quotient, rest
