"""What one answer to one field must be, kind by kind, whatever else the form says. Rows and groups are for others."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from forms.operators import kind_of
from forms.values import FileRef, PersonRef, Value
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forms.fields import Field

LARGEST: Final = 10**18

# Controls other than line break and tab, half characters (surrogates), and two signs that no XML may hold.
FORBIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?")
_ID = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}")


class Refused(Exception):
    """An answer a field does not accept. ``text`` goes on after the field's label; ``path`` leads to the part."""

    def __init__(self, zh: str, en: str, path: str = "") -> None:
        super().__init__(en)
        self.text = Text(zh, en)
        self.path = path


def wrong(expected: Text, given: object) -> Refused:
    """The refusal of a value of another kind than the expected one."""
    actual = kind_of(given)
    return Refused(f"应为{expected.zh}，现为{actual.zh}", f"must be {expected.en}, but it is {actual.en}")


def accept(field: Field, given: object) -> Value:
    """The value of an answer, single or listed; None where it is empty. Raises Refused. Not for rows and groups."""
    if given is None:
        return None
    if not field.multiple:
        return _READERS[field.kind](field, given)
    if field.kind == "texts" and isinstance(given, str):
        given = [given]  # one text is as good as a list of one
    if not isinstance(given, list):
        raise wrong(Text("列表", "a list"), given)
    if len(given) > field.max_items:
        raise Refused(f"不得超过 {field.max_items} 项", f"may not have more than {field.max_items} entries")
    return _members(field, given) or None


def _members(field: Field, given: list[object]) -> list[Value]:
    reader = _READERS[field.kind]
    members: list[Value] = []
    for place, each in enumerate(given):
        try:
            member = reader(field, each)
        except Refused as refusal:
            raise Refused(refusal.text.zh, refusal.text.en, f"[{place}]") from None
        if member is None:
            raise Refused(f"第 {place + 1} 项为空", f"has an empty entry (number {place + 1})", f"[{place}]")
        if member in members and field.kind != "texts":
            raise Refused(f"第 {place + 1} 项重复", f"has an entry twice (number {place + 1})", f"[{place}]")
        members.append(member)
    return members


def _text(field: Field, given: object) -> Value:
    if not isinstance(given, str):
        raise wrong(Text("文本", "a text"), given)
    if found := FORBIDDEN.search(given):
        code = f"U+{ord(found[0]):04X}"
        raise Refused(f"含有不允许的控制字符 {code}", f"holds the control character {code}, which is not allowed")
    if not given.strip():
        return None
    if len(given) > field.max_length:
        zh = f"不得超过 {field.max_length} 字，现为 {len(given)} 字"
        raise Refused(zh, f"may have {field.max_length} characters, but it has {len(given)}")
    if len(given) < field.min_length:
        zh = f"不得少于 {field.min_length} 字，现为 {len(given)} 字"
        raise Refused(zh, f"must have {field.min_length} characters, but it has {len(given)}")
    if field.pattern and not field.pattern.fullmatch(given):
        raise Refused("格式不符合要求", f"must have the form {field.pattern.pattern}")
    return given


def _integer(field: Field, given: object) -> Value:
    if type(given) is not int:
        expected = _WHOLE[field.kind]
        raise wrong(expected, given)
    if not -LARGEST <= given <= LARGEST:
        raise Refused("数值过大", "is too large a number")
    return given


def _decimal(field: Field, given: object) -> Value:
    if type(given) is int or isinstance(given, Decimal):
        given = f"{given:f}"
    if not isinstance(given, str):
        raise wrong(Text("小数", "a decimal"), given)
    if not given.strip():
        return None
    if not _DECIMAL.fullmatch(given):
        raise Refused("应为小数，例如 12.50", "must be a decimal such as 12.50")
    if len(given.partition(".")[2].rstrip("0")) > field.decimals:
        raise Refused(f"小数不得超过 {field.decimals} 位", f"may have {field.decimals} decimals at most")
    return Decimal(given)


def _date(_: Field, given: object) -> Value:
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    if not isinstance(given, str):
        raise wrong(Text("日期", "a date"), given)
    if not given.strip():
        return None
    try:
        return date.fromisoformat(given) if _DATE.fullmatch(given) else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> date:
    raise Refused("应为日期，例如 2026-03-02", "must be a date such as 2026-03-02")


def _choice(field: Field, given: object) -> Value:
    if not isinstance(given, str):
        raise wrong(Text("选项代码", "the code of an option"), given)
    if not given:
        return None
    codes = [option.code for option in field.options]
    if given not in codes:
        raise Refused(f"应为下列之一：{'、'.join(codes)}", f"must be one of {', '.join(codes)}")
    return given


def _yes_no(field: Field, given: object) -> Value:
    if type(given) is not bool:
        raise wrong(Text("是或否", "yes or no (true or false)"), given)
    if field.must and not given:
        raise Refused("须为“是”", "must be answered with yes")
    return given


def _file(_: Field, given: object) -> Value:
    if not isinstance(given, FileRef):
        raise wrong(Text("文件", "a file"), given)
    return given


def _person(_: Field, given: object) -> Value:
    if isinstance(given, PersonRef):
        return given
    if not isinstance(given, str):
        raise wrong(Text("人员", "a person"), given)
    if not given:
        return None
    if not _ID.fullmatch(given):
        raise Refused("不是人员编号", "must be the id of a person")
    return PersonRef(given)


def _reference(_: Field, given: object) -> Value:
    if not isinstance(given, str):
        raise wrong(Text("记录编号", "the id of a record"), given)
    if not given:
        return None
    if len(given) > 200 or FORBIDDEN.search(given):
        raise Refused("不是记录编号", "must be the id of a record")
    return given


_WHOLE: Final = {
    "integer": Text("整数", "a whole number"),
    "money": Text("金额（以分计的整数）", "an amount (a whole number of fen)"),
    "ratio": Text("比例（以万分之一计的整数）", "a ratio (a whole number of basis points)"),
}
_READERS: Final[Mapping[str, Callable[[Field, Any], Value]]] = {
    "text": _text,
    "long_text": _text,
    "texts": _text,
    "integer": _integer,
    "money": _integer,
    "ratio": _integer,
    "decimal": _decimal,
    "date": _date,
    "choice": _choice,
    "multi_choice": _choice,
    "yes_no": _yes_no,
    "file": _file,
    "files": _file,
    "person": _person,
    "persons": _person,
    "reference": _reference,
    "references": _reference,
}
