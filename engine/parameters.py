"""What a configurable value is: its kind, its unit, what it rests on, and which values an institution may give it.

Which values are in force is for ``parameter_sets``; how they come to be, for ``adoption``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

from forms.money import percent, yuan
from forms.values import Value
from forms.words import Text

ORIGINS: Final[Mapping[str, Text]] = {
    "law": Text("法律法规", "law"),
    "policy": Text("政策文件", "policy document"),
    "unconfirmed": Text("通行规则，原文待核", "common rule, text to be confirmed"),
    "default": Text("示例默认值，各单位须自行设定", "illustrative default, to be set by every institution"),
}
"""What a value rests on as shipped, in words; only the first two are rules that somebody has to follow."""

ADOPTED: Final = Text("本单位规定", "rule of the institution")
"""What a value rests on that an institution has adopted."""

UNITS: Final[Mapping[str, Text]] = {
    "wd": Text("个工作日", "working days"),
    "cd": Text("日", "days"),
    "months": Text("个月", "months"),
    "years": Text("年", "years"),
    "fen": Text("元", "yuan"),
    "fen/year": Text("元/年", "yuan a year"),
    "bp": Text("", ""),
    "%": Text("%", "%"),
    "persons": Text("人", "persons"),
    "rounds": Text("次", "rounds"),
    "times": Text("倍", "times"),
    "ratio": Text("", ""),
    "bool": Text("", ""),
    "month-day": Text("", ""),
}
"""Units as people read them."""

_PERIODS: Final[Mapping[str, int]] = {"wd": 3_650, "cd": 36_500, "months": 1_200, "years": 100}
_LARGEST: Final[Mapping[str, int]] = {**_PERIODS, "bp": 10_000, "%": 1_000}
_MOST: Final = 10**15
_INTEGER = re.compile(r"-?[0-9]{1,16}")
_WORDS: Final[Mapping[str, bool]] = {"true": True, "false": False, "是": True, "否": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A configurable value as shipped, and what it may be.

    ``kind`` is one of ``KINDS``, ``unit`` one of ``UNITS``, ``origin`` one of ``ORIGINS``; ``source`` is the article.
    ``fixed``: nobody may change it. ``floor`` is the least that any institution may set, ``not_below`` another key
    whose value it must reach, ``odd`` and ``ascending`` what a number or a list must be. ``note`` says how it counts.
    """

    key: str
    value: Value
    kind: str
    unit: str
    origin: str
    source: str
    about: Text
    fixed: bool = False
    floor: Value = None
    not_below: str | None = None
    odd: bool = False
    ascending: bool = False
    note: Text | None = None

    @property
    def bound(self) -> Text:
        """What a value of this parameter may be, in words; empty where every value of its kind may."""
        said = []
        if self.fixed:
            said.append(Text("固定，不得改动", "fixed"))
        if self.floor is not None:
            floor = self.said(self.floor)
            said.append(Text(f"不得低于 {floor.zh}", f"not below {floor.en}"))
        if self.not_below:
            said.append(Text(f"不得低于 {self.not_below}", f"not below {self.not_below}"))
        if self.odd:
            said.append(Text("须为奇数", "odd"))
        if self.ascending:
            said.append(Text("须由低到高", "ascending"))
        said += [self.note] if self.note else []
        return Text("；".join(each.zh for each in said), "; ".join(each.en for each in said))

    def said(self, value: Value) -> Text:
        """A value with its unit, as people read it."""
        if isinstance(value, bool):
            return Text("是", "yes") if value else Text("否", "no")
        if isinstance(value, list):
            parts = [self.said(each) for each in value]
            return Text("、".join(each.zh for each in parts), ", ".join(each.en for each in parts))
        if isinstance(value, dict):
            return Text(*["、".join(f"{key} {each}" for key, each in value.items())] * 2)
        if isinstance(value, int):
            number = yuan(value) if self.unit.startswith("fen") else percent(value) if self.unit == "bp" else str(value)
            unit = UNITS[self.unit]
            return Text(f"{number} {unit.zh}".strip(), f"{number} {unit.en}".strip())
        return Text(str(value), str(value))


class NotFit(ValueError):
    """A value that a parameter may not have; ``text`` says what it may be."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.text = Text(zh, en)


def fit(known: Mapping[str, Parameter], key: Value, given: Value) -> Value:
    """The value that a text or number from a form means for a parameter. NotFit where the parameter may not have it."""
    parameter = known.get(key) if isinstance(key, str) else None
    if parameter is None:
        raise NotFit(f"没有参数“{key}”", f"there is no parameter {key!r}")
    if parameter.fixed:
        because = parameter.source or ORIGINS[parameter.origin].zh
        raise NotFit(f"{key} 依{because}固定，不得改动", f"{key} is fixed by {because} and cannot be changed")
    value = parsed(parameter, given)
    judge_bounds(parameter, value)
    return value


def judge_bounds(parameter: Parameter, value: Value) -> None:
    """NotFit unless a value of the right kind is within what the parameter may be."""
    key, bound = parameter.key, parameter.floor
    said = parameter.said(value)
    members = value if isinstance(value, list) else [value]
    least = 1 if parameter.kind == "integers" or parameter.unit in _PERIODS else 0
    most = _LARGEST.get(parameter.unit, _MOST)
    for each in members:
        if isinstance(each, int) and not least <= each <= most:
            raise NotFit(f"{key} 应为 {least} 至 {most}，不能是 {each}", f"{key} is from {least} to {most}, not {each}")
    if bound is not None and _amount(value) < _amount(bound):
        floor, why = parameter.said(bound), f"（{parameter.source}）" if parameter.source else ""
        raise NotFit(
            f"{key} 不得低于 {floor.zh}{why}，不能是 {said.zh}", f"{key} is at least {floor.en}, not {said.en}"
        )
    if parameter.odd and isinstance(value, int) and value % 2 == 0:
        raise NotFit(f"{key} 须为奇数，不能是 {value}", f"{key} must be odd, not {value}")
    if parameter.ascending and isinstance(value, list) and any(low >= high for low, high in pairwise(value)):  # type: ignore[operator]
        raise NotFit(f"{key} 须由低到高，不能是 {said.zh}", f"{key} must be ascending, not {said.en}")


def judge_together(known: Mapping[str, Parameter], values: Mapping[str, Value]) -> None:
    """NotFit where a whole set of values has one that is below another it must reach."""
    for key, parameter in known.items():
        other = parameter.not_below
        if other is None or key not in values or other not in values:
            continue
        here, there = values[key], values[other]
        if _amount(here) < _amount(there):
            raise NotFit(f"{key} 不得低于 {other}（{there}），不能是 {here}",
                         f"{key} is at least {other} ({there}), not {here}")  # fmt: skip


def parsed(parameter: Parameter, given: Value) -> Value:
    """What a text or a value means for a parameter of this kind. NotFit if it means nothing."""
    said = given.strip() if isinstance(given, str) else given
    value = KINDS[parameter.kind].read(said)
    if value is None:
        zh, en = KINDS[parameter.kind].about.zh, KINDS[parameter.kind].about.en
        raise NotFit(f"{parameter.key} 应为{zh}，不能是“{said}”", f"{parameter.key} is {en}, not {said!r}")
    return value


def as_written(parameter: Parameter, value: Value) -> None:
    """NotFit unless a value is already what it means for this parameter."""
    if parsed(parameter, value) != value:
        key, about = parameter.key, KINDS[parameter.kind].about
        raise NotFit(f"{key} 应写成{about.zh}，不加引号", f"write {key} as {about.en}, without quotes")


def _amount(value: Value) -> Fraction:
    """A number, or a ratio such as 2/3, to be compared."""
    return Fraction(str(value))


def _integer(said: Value) -> int | None:
    if isinstance(said, str) and _INTEGER.fullmatch(said):
        return int(said)
    return said if type(said) is int else None


def _integers(said: Value) -> list[Value] | None:
    members = re.split(r"[,，、;；\s]+", said.strip("[]［］ ")) if isinstance(said, str) else said
    if not isinstance(members, list) or not members:
        return None
    numbers: list[Value] = [_integer(each) for each in members]
    return None if None in numbers else numbers


def _boolean(said: Value) -> bool | None:
    return _WORDS.get(said.lower()) if isinstance(said, str) else said if isinstance(said, bool) else None


def _ratio(said: Value) -> str | None:
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", said) if isinstance(said, str) else None
    if match is None:
        return None
    part, whole = int(match[1]), int(match[2])
    return f"{part}/{whole}" if 0 < part <= whole else None


def _month_day(said: Value) -> str | None:
    if isinstance(said, str) and re.fullmatch(r"[0-9]{2}-[0-9]{2}", said):
        try:
            date.fromisoformat(f"2025-{said}")
        except ValueError:
            return None
        return said
    return None


def _month_days(said: Value) -> dict[str, Value] | None:
    sound = isinstance(said, dict) and said and all(_month_day(each) for each in said.values())
    return said if sound and isinstance(said, dict) else None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: in words, and what a text or value of it means (None: nothing)."""

    about: Text
    read: Callable[[Value], Value]


KINDS: Final[Mapping[str, Kind]] = {
    "integer": Kind(Text("整数", "a whole number"), _integer),
    "integers": Kind(Text("用逗号隔开的整数", "whole numbers with commas between them"), _integers),
    "boolean": Kind(Text("是或否（true、false）", "true or false"), _boolean),
    "ratio": Kind(Text("不大于一的分数，例如 2/3", "a fraction of at most one, such as 2/3"), _ratio),
    "month_day": Kind(Text("月-日，例如 03-31", "a month and day such as 03-31"), _month_day),
    "month_days": Kind(Text("若干月-日", "several months and days"), _month_days),
}
"""The kinds of values that parameters have."""
