"""The one reader of YAML that owners write: plain values with their lines. What they mean is for the caller.

It reads less than YAML allows, so that nothing is guessed: ``yes``, ``no`` and dates stay text, a key is always text,
and anchors, aliases, tags and a key given twice are refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml

from forms.words import Finding, Text, Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forms.values import Value

LONGEST: Final = 1_000_000
DEEPEST: Final = 40
MOST_NODES: Final = 100_000

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17}|[1-9][0-9]{0,2}(?:_[0-9]{3}){1,5})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,12}")
_WORDS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mapping_(dict[str, Any]):  # noqa: N801 - a mapping of a file, beside the Mapping of the language
    """A mapping that knows the line it begins on, and the line of each key (from 1)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class List_(list[Any]):  # noqa: N801 - as above
    """A list that knows the line it begins on, and the line of each member (from 1)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def load(text: str, file: str) -> Any:
    """The value of a YAML text: ``Mapping_``, ``List_``, text, integer, Decimal, true, false or None. Raises Unfit."""
    if len(text) > LONGEST:
        _refuse(file, 0, f"文件不得超过 {LONGEST} 字", f"the file may not exceed {LONGEST} characters")
    try:
        return _Reader(yaml.parse(text, Loader=_LOADER), file).document()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        _refuse(file, line, "不是合法的 YAML", f"this is not YAML: {error.problem}")
    except (yaml.YAMLError, UnicodeError):
        _refuse(file, 0, "含有 YAML 不允许的字符", "the file holds characters that YAML does not allow")


def plain(value: Any) -> Value:
    """The same value without lines, as ordinary records and lists."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    known: Value = value
    return known


def _refuse(file: str, line: int, zh: str, en: str) -> NoReturn:
    raise Unfit([Finding("yaml", file, line, None, Text(zh, en))])


class _Reader:
    """Builds values from the parser's events, one after the other."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self._events = events
        self._file = file
        self._nodes = 0
        self._depth = 0

    def document(self) -> Any:
        event = self._next()
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._value(event)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._refuse(event, "只能有一个文档", "the file may hold one document only")
        return value

    def _next(self) -> Any:
        return next(self._events)

    def _refuse(self, event: Any, zh: str, en: str) -> NoReturn:
        _refuse(self._file, event.start_mark.line + 1, zh, en)

    def _value(self, event: Any) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._refuse(event, f"不得超过 {MOST_NODES} 个值", f"the file may not hold more than {MOST_NODES} values")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(
                event, "不得使用锚点和别名", "anchors (&) and aliases (*) are not allowed; write the value out"
            )
        if event.tag is not None:
            self._refuse(event, "不得使用标签", "tags (!) are not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] else event.value
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(event, "嵌套过深", "the values are nested too deeply")
        value = self._mapping(event) if isinstance(event, yaml.MappingStartEvent) else self._list(event)
        self._depth -= 1
        return value

    def _mapping(self, start: Any) -> Mapping_:
        found = Mapping_(start.start_mark.line + 1)
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, found)
            found[key] = self._value(self._next())
            found.lines[key] = event.start_mark.line + 1
        return found

    def _key(self, event: Any, found: Mapping_) -> str:
        self._value(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "键须为文本", "a key must be a text")
        key: str = event.value
        if key in found:
            self._refuse(event, f"键 {key} 重复", f"the key {key} is given twice")
        return key

    def _list(self, start: Any) -> List_:
        found = List_(start.start_mark.line + 1)
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event))
            found.lines.append(event.start_mark.line + 1)
        return found


def _scalar(text: str) -> Value:
    """What a text without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text
