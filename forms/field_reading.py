"""Reads one field of a form file: which attributes a kind has, and whether what the form gives itself would do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from forms.expressions import Expression
from forms.fields import (
    CHOICES,
    COMPOSITE,
    KINDS,
    LISTS,
    LONGEST_LONG_TEXT,
    LONGEST_TEXT,
    MOST_ROWS,
    NUMBERS,
    TEXTS,
    Field,
    Given,
    ItemsBy,
    Option,
    evaluation_order,
)
from forms.kinds import Refused, accept
from forms.owned_yaml import Mapping_
from forms.patterns import LONGEST, may_be_slow, read_pattern
from forms.words import Text

if TYPE_CHECKING:
    from forms.reading import Reader

_ALWAYS: Final = frozenset({"code", "kind", "label", "help", "basis", "show_if"})
_OF_FORM: Final = frozenset({"fact"})  # not of a column: a fact is shown by a whole answer
_ANSWERED: Final = frozenset({"required", "required_if", "default", "compute", "example", "personal", "secret"})
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
# What the engine itself gives every case; an answer of such a name would pass for it.
_GIVEN: Final = frozenset({"applicant", "case", "loopCounter", "params", "today"})
_OPTION_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
# An option may also be a comparison, as conditions are written; a question of a checklist is the key of a record.
_COMPARISONS: Final = frozenset({"<", "<=", "==", ">=", ">"})


def _attributes(kind: str) -> frozenset[str]:
    """The attributes a field of this kind may have."""
    if kind == "note":
        return _ALWAYS | {"show"}
    extras: list[tuple[bool, set[str]]] = [
        (kind in TEXTS, {"min_length", "max_length"}),
        (kind in {"text", "texts"}, {"pattern"}),
        (kind in NUMBERS or kind == "date", {"min", "max"}),
        (kind == "decimal", {"decimals"}),
        (kind in CHOICES, {"options"}),
        (kind in LISTS or kind == "table", {"min_items", "max_items"}),
        (kind in COMPOSITE, {"fields"}),
        (kind == "yes_no", {"must"}),
        (kind == "checklist", {"items", "items_by"}),
        (kind in {"reference", "references"}, {"register"}),
    ]
    return (_ALWAYS | _ANSWERED).union(*[names for applies, names in extras if applies])


def read_fields(reader: Reader, sources: list[Mapping_], *, inside: str | None = None) -> tuple[Field, ...]:
    """The fields of a form, or (``inside``) of a table or group. What is wrong is added to the reader's findings."""
    fields: dict[str, Field] = {}
    for source in sources:
        field = _read_field(reader, source, inside)
        if field is None:
            continue
        if field.code in fields:
            code = field.code
            reader.complain(
                "duplicate-code", source.line, code, f"字段代码 {code} 重复", f"the code {code} is used twice"
            )
        fields[field.code] = field
    return tuple(fields.values())


def _read_field(reader: Reader, source: Mapping_, inside: str | None) -> Field | None:
    code, kind = source.get("code"), source.get("kind")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        zh, en = "代码须以字母开头，只含字母、数字和 _", "a code begins with a letter and holds letters, digits and _"
        reader.complain("code", source.lines.get("code", source.line), None, zh, en)
        return None
    if not inside and (code in _GIVEN or code.startswith("nrOf")):
        zh, en = f"{code} 是系统给出的名称，字段不得使用", f"{code} is a name the system gives; no field may have it"
        reader.complain("code", source.lines["code"], code, zh, en)
    if not isinstance(kind, str) or kind not in KINDS:
        kinds = ", ".join(sorted(KINDS))
        line = source.lines.get("kind", source.line)
        reader.complain(
            "unknown-kind", line, code, f"没有字段类型 {kind}；有：{kinds}", f"no kind {kind}; there are {kinds}"
        )
        return None
    if inside and kind in COMPOSITE | {"note", "checklist"}:
        zh, en = f"{kind} 不能放在表格或组内", f"a {kind} cannot be part of a table or a group"
        reader.complain("nested-kind", source.line, code, zh, en)
        return None
    reader.unknown(source, _attributes(kind) | (_OF_FORM if not inside and kind != "note" else set()), code)
    field = _built(reader, source, code, kind)
    _judge(reader, source, field)
    return field


def _built(reader: Reader, source: Mapping_, code: str, kind: str) -> Field:
    label = reader.text(source, "label", code)
    if label is None:
        reader.complain("label", source.line, code, "缺少 label（名称）", "label is missing")
    fields = read_fields(reader, reader.mappings(source, "fields", code), inside=code)
    order, circle = evaluation_order(fields)
    if circle:
        zh, en = "各列的显示条件或计算相互循环", "the show_if or compute of its columns go in a circle"
        reader.complain("circle", source.line, code, zh, en)
    must = reader.flag(source, "must", code)
    longest = LONGEST_LONG_TEXT if kind == "long_text" else LONGEST_TEXT
    at_most = reader.count(source, "max_length", code, longest, LONGEST_LONG_TEXT)
    return Field(
        code=code,
        kind=kind,
        label=label or Text(code, code),
        line=source.line,
        help=reader.text(source, "help", code),
        basis=reader.string(source, "basis", code),
        required=reader.flag(source, "required", code) or must,
        must=must,
        required_if=reader.expression(source, "required_if", code),
        show_if=reader.expression(source, "show_if", code),
        default=reader.given(source, "default", code),
        compute=reader.given(source, "compute", code),
        example=reader.given(source, "example", code),
        show=reader.given(source, "show", code),
        options=_options(reader, source, "options", code),
        fields=fields,
        items=_options(reader, source, "items", code),
        items_by=_items_by(reader, source, code),
        minimum=reader.given(source, "min", code) or _usual(source, kind, {"money": 0, "ratio": 0}),
        maximum=reader.given(source, "max", code) or _usual(source, kind, {"ratio": 10_000}),
        min_items=reader.count(source, "min_items", code, 0, MOST_ROWS),
        max_items=reader.count(source, "max_items", code, MOST_ROWS, MOST_ROWS),
        min_length=reader.count(source, "min_length", code, 0, LONGEST_LONG_TEXT),
        max_length=at_most,
        pattern=_pattern(reader, source, code, at_most),
        decimals=reader.count(source, "decimals", code, 12, 12),
        register=reader.string(source, "register", code),
        facts=_facts(reader, source, code),
        personal=reader.flag(source, "personal", code),
        secret=reader.flag(source, "secret", code),
        order=order,
    )


def _usual(source: Mapping_, kind: str, limits: dict[str, int]) -> Given | None:
    # An amount below nothing, or a share above the whole, is a slip of the pen unless the form says otherwise. What the
    # form computes itself is no slip.
    return Given(limits[kind]) if kind in limits and "compute" not in source else None


def _facts(reader: Reader, source: Mapping_, element: str) -> tuple[str, ...]:
    said = source.get("fact", [])
    codes = said if isinstance(said, list) else [said]
    if all(isinstance(code, str) for code in codes):
        return tuple(dict.fromkeys(str(code) for code in codes))
    zh, en = "fact 应为事实代码或其列表", "fact must be the code of a fact, or a list of such codes"
    reader.complain("type", source.lines["fact"], element, zh, en)
    return ()


def _options(reader: Reader, source: Mapping_, key: str, element: str) -> tuple[Option, ...]:
    found: dict[str, Option] = {}
    for member in reader.mappings(source, key, element):
        reader.unknown(member, frozenset({"code", "zh", "en"}), element)
        code = member.get("code")
        sound = isinstance(code, str) and (_OPTION_CODE.fullmatch(code) or (key == "options" and code in _COMPARISONS))
        if not isinstance(code, str) or not sound:
            zh, en = (
                f"{key} 的 code 须以字母开头",
                f"each of {key} needs a code: a letter, then letters, digits, _ or -",
            )
            reader.complain("code", member.line, element, zh, en)
            continue
        if code in found:
            reader.complain(
                "duplicate-code", member.line, element, f"{key} 中 {code} 重复", f"{code} is twice in {key}"
            )
        found[code] = Option(code, reader.words(member, element))
    return tuple(found.values())


def _items_by(reader: Reader, source: Mapping_, element: str) -> ItemsBy | None:
    value = source.get("items_by")
    if value is None:
        return None
    lists = value.get("lists") if isinstance(value, Mapping_) else None
    if not isinstance(lists, Mapping_) or not isinstance(value.get("field"), str):
        zh, en = "items_by 应写作 {field: …, lists: {…}}", "write items_by as {field: …, lists: {…}}"
        reader.complain("type", source.lines["items_by"], element, zh, en)
        return None
    return ItemsBy(value["field"], {answer: _options(reader, lists, answer, element) for answer in lists})


def _pattern(reader: Reader, source: Mapping_, element: str, longest: int) -> re.Pattern[str] | None:
    text = reader.string(source, "pattern", element)
    if text is None:
        return None
    pattern = read_pattern(text)
    if pattern is None:
        zh, en = f"不是正则表达式，或超过 {LONGEST} 字", f"this is no regular expression, or longer than {LONGEST}"
        reader.complain("pattern", source.lines["pattern"], element, zh, en)
    elif may_be_slow(text, longest):
        zh, en = "匹配可能很慢：不得重复分组，少用 *、+ 和 ?", "this may be slow: no repeated group, fewer of * + ?"
        reader.complain("pattern", source.lines["pattern"], element, zh, en)
        return None  # the form's own literals are not tried on it
    return pattern


def _judge(reader: Reader, source: Mapping_, field: Field) -> None:
    """What can be wrong with a field as a whole, though each of its attributes can be read."""

    def complain(zh: str, en: str, key: str = "code", code: str = "field") -> None:
        reader.complain(code, source.lines.get(key, source.line), field.code, zh, en)

    if field.kind in CHOICES and not field.options:
        complain("缺少 options（选项）", "options are missing: say what can be chosen", code="options")
    if field.kind in COMPOSITE and not field.fields:
        complain("缺少 fields（各列）", "fields are missing: say what its columns are", code="fields")
    if field.kind == "checklist" and bool(field.items) == bool(field.items_by):
        complain("须有 items 或 items_by 之一", "it needs either items or items_by", code="items")
    if field.compute and (field.required or field.required_if or field.default):
        complain(
            "计算字段不得另设 required 或 default", "a computed field is not required and has no default", "compute"
        )
    if field.pattern and field.max_length > 2_000:
        complain("有 pattern 的文本至多 2000 字", "a text with a pattern may have 2,000 characters at most", "pattern")
    if field.min_items > field.max_items or field.min_length > field.max_length:
        complain("下限大于上限", "the lower limit is above the upper one", code="limits")
    for key, given in _literals(field):
        try:
            _try_out(field, given.content)
        except Refused as refusal:
            text = refusal.text
            complain(f"{key} 不合本字段：{text.zh}", f"it would refuse its own {key}: it {text.en}", key, "literal")


def _literals(field: Field) -> list[tuple[str, Given]]:
    if not field.holds_value:
        return []
    keys = {"default": field.default, "example": field.example, "min": field.minimum, "max": field.maximum}
    return [(key, given) for key, given in keys.items() if given]


def _try_out(field: Field, content: Any) -> None:
    """Refuse a literal the field would not accept; expressions in it are not known before the form is used."""
    if isinstance(content, Expression) or content is None or _names_file(field, content):
        return
    if field.kind == "table":
        for row in content if isinstance(content, list) else [None]:
            _try_out_columns(field, row)
    elif field.kind == "group":
        _try_out_columns(field, content)
    elif field.kind == "checklist":
        lists = field.items_by.lists.values() if field.items_by else (field.items,)
        codes = {item.code for items in lists for item in items}
        answers = content if isinstance(content, dict) else dict.fromkeys(codes, content)
        if not answers.keys() <= codes or not all(type(each) is bool for each in answers.values()):
            raise Refused("应为各项代码及 true 或 false", "must give true or false for codes of its own items")
    elif field.multiple and isinstance(content, list):
        known = [member for member in content if not (isinstance(member, Expression) or _names_file(field, member))]
        accept(field, known)
    else:
        accept(field, content)


def _names_file(field: Field, content: Any) -> bool:
    # `{file: NAME}`: a file to be made up for a worked case.
    return field.kind in {"file", "files"} and isinstance(content, dict) and content.keys() == {"file"}


def _try_out_columns(field: Field, row: Any) -> None:
    columns = {column.code: column for column in field.fields}
    if not isinstance(row, dict) or not row.keys() <= columns.keys():
        raise Refused("应为各列代码及其值", "must give values for codes of its own columns")
    for code, content in row.items():
        _try_out(columns[code], content)
