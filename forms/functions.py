"""The one table of functions an expression may call: names, kinds of parameters, and what the pure ones do.

Those without ``run`` need the calendar, the people or the registers; the engine supplies them when it evaluates.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from forms.money import NotMoney, parse_yuan
from forms.operators import ExpressionError, add, mismatch, ordered
from forms.sharing import add_months, distribute, net_income
from forms.values import FileRef, PersonRef, Value, canonical, instant_text
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

# What a parameter takes. `members` is a list, a record (its values) or a generator.
KINDS: Final[Mapping[str, tuple[frozenset[type], Text]]] = {
    "integer": (frozenset({int}), Text("整数", "an integer")),
    "number": (frozenset({int, Decimal}), Text("数值", "a number")),
    "text": (frozenset({str}), Text("文本", "a text")),
    "date": (frozenset({date}), Text("日期", "a date")),
    "instant": (frozenset({datetime}), Text("时刻", "an instant")),
    "record": (frozenset({dict}), Text("记录", "a record")),
    "person": (frozenset({PersonRef}), Text("人员", "a person")),
    "file": (frozenset({FileRef}), Text("文件", "a file")),
    "key": (frozenset({str, int, PersonRef}), Text("文本、整数或人员", "a text, an integer or a person")),
    "members": (frozenset({list}), Text("列表或记录", "a list or a record")),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function: its name, and one of ``KINDS`` or ``value`` (anything, also None)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language. ``run`` None: the engine supplies it. ``many``: also takes its members one by one."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    about: Text
    run: Callable[..., Value] | None = None
    many: bool = False

    @property
    def takes_members(self) -> bool:
        """Whether its one argument may be a generator."""
        return any(parameter.kind == "members" for parameter in self.parameters)


def _function(
    signature: str, zh: str, en: str, run: Callable[..., Any] | None = None, *, many: bool = False
) -> Function:
    head, returns = signature.split(" -> ")
    name, inner = head.rstrip(")").split("(")
    parameters = tuple(Parameter(*part.split(": ")) for part in inner.split(", ") if part)
    return Function(name, parameters, returns, Text(zh, en), run, many)


def _total(members: Iterable[Value]) -> Value:
    total: Value = 0
    for member in members:
        total = add(total, member)
    return total


def _extreme(members: Iterable[Value], sign: int) -> Value:
    found: list[Value] = []
    for member in members:
        if not found or ordered(member, found[0]) * sign > 0:
            found = [member]
    if not found:
        raise ExpressionError(Text("列表为空，没有最大或最小值", "an empty list has no smallest or largest member"))
    return found[0]


def _truths(members: Iterable[Value]) -> Iterable[bool]:
    # A question of a checklist that is not answered yet is not a yes.
    for member in members:
        if member is not None and type(member) is not bool:
            raise mismatch(Text("是/否", "yes/no"), member)
        yield bool(member)


def _length(members: Iterable[Value]) -> int:
    return sum(1 for _ in members)


def _unique(members: Iterable[Value]) -> list[Value]:
    return list({canonical(member): member for member in members}.values())


def _ratio_bp(part: int, whole: int) -> int:
    if whole == 0:
        raise ExpressionError(Text("除数为零", "the whole is zero"))
    return part * 10_000 // whole


def _share(amount_fen: int, bp: int) -> int:
    part = (abs(amount_fen * bp) * 2 + 10_000) // 20_000
    return part if (amount_fen < 0) == (bp < 0) else -part


def _fraction(ratio: str) -> tuple[int, int]:
    # A parameter such as "2/3": what cannot be said exactly as a decimal.
    parts = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", ratio.strip())
    if parts is None or int(parts[2]) == 0:
        raise ExpressionError(Text("文本不是 2/3 这样的比例", "the text is no fraction such as 2/3"))
    return int(parts[1]), int(parts[2])


def _at_least(whole: int, ratio: str) -> int:
    above, below = _fraction(ratio)
    return -(-whole * above // below)


def _more_than(whole: int, ratio: str) -> int:
    above, below = _fraction(ratio)
    return whole * above // below + 1


def _magnitude(number: Decimal | int) -> Value:
    # abs() of a decimal would round it to 28 digits.
    return abs(number) if isinstance(number, int) else number.copy_abs()


def _round_half_up(number: Decimal | int) -> int:
    return int(Decimal(number).to_integral_value(ROUND_HALF_UP))


def _decimal(value: Value) -> Decimal:
    if type(value) is int or type(value) is Decimal:
        return Decimal(value)
    if type(value) is not str:
        raise mismatch(Text("数值或其文本", "a number or its text"), value)
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", value):
        raise ExpressionError(Text("文本不是数值", "the text is not a number"))
    return Decimal(value)


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case PersonRef():
            return value.id
        case int():
            return str(value)
    raise mismatch(Text("单个的值", "a single value"), value)


def _joined(members: Iterable[Value], between: str) -> str:
    return between.join(_text(member) for member in members)


def _get(record: dict[str, Value], key: str, default: Value) -> Value:
    value = record.get(key)
    return default if value is None else value


def _fen(value: Value) -> int:
    try:
        return parse_yuan(_text(_decimal(value)))
    except NotMoney as error:
        raise ExpressionError(error.text) from error


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ExpressionError(Text("文本不是 2026-03-02 这样的日期", "the text is no date such as 2026-03-02"))


def _date_of(instant: datetime) -> date:
    try:
        return instant.astimezone(BEIJING).date()
    except OverflowError:
        raise ExpressionError(Text("时刻超出范围", "the instant is out of range")) from None


def _hash_of(value: Value) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _is_uscc(text: str) -> bool:
    # GB 32100—2015: place i (from 0) weighs 3^i mod 31; the last place makes the sum divisible by 31.
    if len(text) != 18 or any(sign not in _USCC for sign in text):
        return False
    total = sum(_USCC.index(sign) * pow(3, place, 31) for place, sign in enumerate(text[:17]))
    return _USCC.index(text[17]) == -total % 31


_ALL = (
    _function("len(members: members) -> integer", "成员个数", "how many members", _length),
    _function("sum(members: members) -> number", "数值之和，空列表为 0", "the sum, 0 for none", _total),
    _function("min(members: members) -> value", "最小者", "the smallest", lambda m: _extreme(m, -1), many=True),
    _function("max(members: members) -> value", "最大者", "the largest", lambda m: _extreme(m, 1), many=True),
    _function("all(members: members) -> boolean", "是否全部为是", "whether all are true", lambda m: all(_truths(m))),
    _function("any(members: members) -> boolean", "是否有一项为是", "whether any is true", lambda m: any(_truths(m))),
    _function("unique(members: members) -> list", "去除重复，保留次序", "each once, in their order", _unique),
    _function("abs(number: number) -> number", "绝对值", "the magnitude", _magnitude),
    _function(
        "ratio_bp(part: integer, whole: integer) -> integer",
        "占比，以万分之一计，向下取整",
        "part of whole in basis points, rounded down",
        _ratio_bp,
    ),
    _function(
        "share(amount_fen: integer, bp: integer) -> integer",
        "金额的万分之 bp，以分计，四舍五入",
        "so many basis points of an amount, in fen, half up",
        _share,
    ),
    _function(
        "net_income(gross: integer, tax: integer, maintenance: integer, direct: integer) -> integer",
        "净收入：收入减去本次交易的税金、维护费用和直接成本，以分计",
        "the income less the taxes, maintenance and direct costs of the deal, in fen",
        net_income,
    ),
    _function(
        "distribute(total_fen: integer, shares: members) -> list",
        "按份额（合计 10000）把金额分到分：最大余数法，余数相同的先列者先得；份额为记录时各记录附上 amount_fen",
        "the amount divided to the fen by shares that sum to 10000, by the largest remainder, of equals the earlier",
        distribute,
    ),
    _function(
        "at_least(whole: integer, ratio: text) -> integer",
        "不少于整体若干分之几（如 2/3）的最小整数",
        "the least whole number that is at least this fraction (such as 2/3) of the whole",
        _at_least,
    ),
    _function(
        "more_than(whole: integer, ratio: text) -> integer",
        "多于整体若干分之几（如 1/2）的最小整数",
        "the least whole number that is more than this fraction (such as 1/2) of the whole",
        _more_than,
    ),
    _function(
        "round_half_up(number: number) -> integer", "四舍五入取整", "the nearest integer, half up", _round_half_up
    ),
    _function(
        "decimal(value: value) -> decimal", "数值或其文本的小数", "the decimal of a number or its text", _decimal
    ),
    _function("text(value: value) -> text", "值的文本，空值为空文本", "the value as text, empty for None", _text),
    _function(
        "joined(members: members, between: text) -> text",
        "各值连成一段文本",
        "the values as one text with this between them",
        _joined,
    ),
    _function(
        "add_months(day: date, months: integer) -> date",
        "其后（前）若干个月的对应日，没有对应日的为月末日",
        "the same day so many months later or earlier, or the month's last",
        add_months,
    ),
    _function("year(day: date) -> integer", "年份", "the year of a date", lambda day: day.year),
    _function("strip(text: text) -> text", "去除首尾空白", "without white space at its ends", str.strip),
    _function(
        "starts_with(text: text, prefix: text) -> boolean", "是否以此开头", "whether it begins so", str.startswith
    ),
    _function(
        "values(record: record) -> list", "记录的各值", "the values of a record", lambda record: [*record.values()]
    ),
    _function("keys(record: record) -> list", "记录的各键", "the keys of a record", lambda record: [*record]),
    _function(
        "get(record: record, key: text, default: value) -> value",
        "键的值，没有或为空则取后者",
        "the value, or else",
        _get,
    ),
    _function(
        "file_hash(file: file) -> text", "文件内容的 sha256", "the sha256 of the content", lambda file: file.sha256
    ),
    _function("date(text: text) -> date", "文本（2026-03-02）所写的日期", "the date that a text says", _date),
    _function(
        "date_of(instant: instant) -> date",
        "时刻在北京时间的日期",
        "the date of an instant in Beijing",
        _date_of,
    ),
    _function("hash_of(value: value) -> text", "值的 sha256", "the sha256 of a value", _hash_of),
    _function("is_uscc(text: text) -> boolean", "是否为有效的统一社会信用代码", "whether it is a valid USCC", _is_uscc),
    _function("fen(yuan: value) -> integer", "以元写的金额折合的分", "the fen of an amount in yuan", _fen),
    _function("today() -> date", "今天（北京时间）", "today in Beijing"),
    _function("add_working_days(day: date, days: integer) -> date", "其后第几个工作日", "so many working days later"),
    _function(
        "add_days(day: date, days: integer) -> date",
        "其后若干日，届满日为法定休息日的顺延",
        "so many calendar days later, rolled over a statutory rest day",
    ),
    _function(
        "working_days_between(start: date, end: date) -> integer",
        "起日之后至止日（含）的工作日数",
        "the working days after start up to and including end",
    ),
    _function("end_of(day: date) -> instant", "当日 24:00", "24:00 of that day in Beijing"),
    _function("is_working_day(day: date) -> boolean", "是否工作日", "whether it is a working day"),
    _function("people(role: text) -> list", "担任该角色的人员", "the people who hold a role"),
    _function("name_of(person: person) -> text", "人员的姓名", "what a person is called"),
    _function("has_role(person: person, role: text) -> boolean", "是否担任该角色", "whether the person holds the role"),
    _function(
        "find(register: text, key: key) -> record", "台账记录最新一版，没有则为空", "the latest version, or None"
    ),
    _function("records(register: text) -> list", "台账的全部记录", "all records of a register"),
    _function(
        "records_with(register: text, column: text, value: key) -> list",
        "台账中某栏为此值的记录；记录很多时用它，比全部取出快",
        "the records of a register with this value in a column; where there are many, faster than all of them",
    ),
    _function(
        "unfit_parameter(key: value, value: value) -> text",
        "参数为何不得取此值，可以取则为空",
        "why a parameter may not have this value, None where it may",
    ),
    _function(
        "unfit_parameters(rows: members) -> list",
        "这些参数（key、value）为何不得一并通过，连同决策表的空缺与重叠",
        "why these parameters (key, value) cannot be adopted together, gaps and overlaps of tables included",
    ),
    _function(
        "parameter_label(key: text) -> text",
        "本案所用参数值的依据：法律法规、政策文件、示例默认值或本单位规定",
        "what the value rests on that the case has for a parameter, in Chinese",
    ),
    _function(
        "case_of(case: value) -> record",
        "该编号的案卷（不含个人信息和涉密内容），没有则为空",
        "the case of this number, without what is personal or secret; None where there is none",
    ),
    _function("rounds(element: text) -> integer", "本案中该环节完成的次数", "how often it was completed in this case"),
    _function("acted(element: text) -> list", "依次完成该环节的人员", "who completed it, in order"),
    _function(
        "missing_facts(codes: members) -> list",
        "其中本案至今没有留下的事实代码",
        "those of these codes of facts that this case has not left so far",
    ),
    _function("fact_label(code: text) -> text", "事实的名称", "what a fact is called, in Chinese"),
    _function("facts() -> list", "本案至今留下的事实代码", "the codes of the facts this case has left so far"),
)

FUNCTIONS: Final[Mapping[str, Function]] = {function.name: function for function in _ALL}
