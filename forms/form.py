"""A form as its owner wrote it: read from YAML, checked as far as it can be without a case. Answers are for others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from forms.field_reading import read_fields
from forms.fields import MOST_FIELDS, Field, evaluation_order, names_read
from forms.owned_yaml import Mapping_, load
from forms.reading import Reader
from forms.values import FileRef
from forms.words import Text, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from forms.expressions import Expression
    from forms.values import PersonRef

_ATTRIBUTES: Final = frozenset({"id", "title", "basis", "extends", "earlier", "fresh", "requires", "fields", "rules"})


MOST_BASES: Final = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold between fields. Where it does not, ``field`` is refused with ``text``."""

    check: Expression
    field: str
    text: Text
    line: int


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold before the form opens at all; ``see`` names the process that puts it right, where there is one."""

    check: Expression
    text: Text
    see: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one task or message, the rules between them, and what must hold before it opens.

    ``earlier`` are the elements whose last answers it opens with, besides its own; a ``fresh`` form opens with none,
    not even its own. ``order`` are the fields that hold values, each after those it depends on.
    """

    id: str
    title: Text
    basis: str | None
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    requires: tuple[Requirement, ...] = ()
    earlier: tuple[str, ...] = ()
    fresh: bool = False
    order: tuple[Field, ...] = field(default=(), repr=False, compare=False)

    def field(self, code: str) -> Field:
        """The field of this code. KeyError where there is none."""
        for each in self.fields:
            if each.code == code:
                return each
        raise KeyError(code)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the fields that hold values, in their order on the page."""
        return tuple(each.code for each in self.fields if each.holds_value)

    @property
    def private_codes(self) -> frozenset[str]:
        """The codes of the fields that are, or hold something, personal or secret: never in the trail in clear."""
        return frozenset(each.code for each in self.fields if each.private)

    @property
    def names_read(self) -> frozenset[str]:
        """The names its expressions read that the form does not bring itself."""
        checks = {name for check in self._checks() for name in check.names}
        return (names_read(self.fields) | checks) - frozenset(self.codes)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression of the form, those of columns included."""
        return tuple(self._expressions())

    def _expressions(self) -> Iterator[Expression]:
        for each in self.fields:
            yield from each.expressions
            for column in each.fields:
                yield from column.expressions
        yield from self._checks()

    def _checks(self) -> tuple[Expression, ...]:
        return (*[rule.check for rule in self.rules], *[needed.check for needed in self.requires])


def read_form(text: str, file: str, bases: Mapping[str, str] | None = None, *, most_bases: int = MOST_BASES) -> Form:
    """The form of a YAML text. Raises Unfit with all that is wrong in it, each with its line and what to do.

    ``bases`` are the texts of the forms it may extend, by id. A form that extends another says only what differs: a
    field of the same code takes the other's place, further fields and all its rules are added, and whatever else it
    says itself counts. The other may extend a third, and so on, ``most_bases`` in all.
    """
    source = load(text, file)
    reader = Reader(file)
    if not isinstance(source, Mapping_):
        reader.complain("form", 1, None, "表单应为一组属性（id、title、fields …）", "a form is a mapping: id, title, …")
        raise Unfit(reader.findings)
    reader.unknown(source, _ATTRIBUTES, None)
    form = _built(reader, source, _base(reader, source, bases or {}, most_bases))
    if not form.id or not form.title.zh or not form.fields:
        zh, en = "表单须有 id、title 和 fields", "a form needs an id, a title and fields"
        reader.complain("form", source.line, None, zh, en)
    if len(form.fields) > MOST_FIELDS:
        zh = f"字段超过 {MOST_FIELDS} 个：请拆成几张表单"
        en = f"a form has at most {MOST_FIELDS} fields: make several forms"
        reader.complain("too-many-fields", source.lines.get("fields", 1), None, zh, en)
    for each in evaluation_order(form.fields)[1]:
        zh, en = "显示条件或计算相互循环", "its show_if or compute depends on itself, directly or through others"
        reader.complain("circle", each.line, each.code, zh, en)
    _judge_items(reader, form)
    if reader.findings:
        raise Unfit(sorted(reader.findings, key=lambda finding: finding.line))
    return form


def _built(reader: Reader, source: Mapping_, base: Form) -> Form:
    own = read_fields(reader, reader.mappings(source, "fields", None))
    fields = tuple({each.code: each for each in (*base.fields, *own)}.values())
    return Form(
        id=reader.string(source, "id", None) or "",
        title=reader.text(source, "title", None) or base.title,
        basis=reader.string(source, "basis", None) or base.basis,
        fields=fields,
        rules=(*base.rules, *_rules(reader, source, fields)),
        requires=tuple(_requirements(reader, source)) if "requires" in source else base.requires,
        earlier=_earlier(reader, source) if "earlier" in source else base.earlier,
        fresh=reader.flag(source, "fresh", None) if "fresh" in source else base.fresh,
        order=tuple(each for each in evaluation_order(fields)[0] if each.holds_value),
    )


_NOTHING: Final = Form("", Text("", ""), None, ())


def _base(reader: Reader, source: Mapping_, bases: Mapping[str, str], most: int) -> Form:
    """The form that is extended; an empty one where there is none."""
    name = reader.string(source, "extends", None)
    if name is None:
        return _NOTHING
    if name not in bases:
        zh, en = f"没有可供扩展的表单 {name}", f"there is no form {name} to extend, or the two extend each other"
        reader.complain("extends", source.lines["extends"], None, zh, en)
        return _NOTHING
    if not most:
        zh, en = f"扩展不得超过 {MOST_BASES} 层", f"forms may extend each other {MOST_BASES} times, not more"
        reader.complain("extends", source.lines["extends"], None, zh, en)
        return _NOTHING
    others = {key: text for key, text in bases.items() if key != name}
    try:
        return read_form(bases[name], f"{name}.yaml", others, most_bases=most - 1)
    except Unfit as unfit:
        reader.findings.extend(unfit.findings)
        return _NOTHING


def _rules(reader: Reader, source: Mapping_, fields: tuple[Field, ...]) -> Iterator[Rule]:
    codes = {each.code for each in fields if each.holds_value}
    for each in reader.mappings(source, "rules", None):
        reader.unknown(each, frozenset({"check", "field", "zh", "en"}), None)
        check, place = reader.expression(each, "check", None), each.get("field")
        if not isinstance(place, str) or place not in codes:
            zh, en = "规则须以 field 指明不成立时被拒的字段", "a rule names in `field` the field that is refused"
            reader.complain("rule", each.line, None, zh, en)
        words = reader.words(each, None)
        if check:
            yield Rule(check, str(place), words, each.line)
        elif "check" not in each:
            reader.complain("rule", each.line, None, "缺少 check（条件）", "the condition `check` is missing")


def _requirements(reader: Reader, source: Mapping_) -> Iterator[Requirement]:
    for each in reader.mappings(source, "requires", None):
        reader.unknown(each, frozenset({"check", "zh", "en", "see"}), None)
        check, words = reader.expression(each, "check", None), reader.words(each, None)
        if check:
            yield Requirement(check, words, reader.string(each, "see", None), each.line)
        elif "check" not in each:
            reader.complain("requires", each.line, None, "缺少 check（条件）", "the condition `check` is missing")


def _earlier(reader: Reader, source: Mapping_) -> tuple[str, ...]:
    value = source.get("earlier", [])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    zh, en = "earlier 应为环节编号的列表", "earlier must be a list of element ids"
    reader.complain("type", source.lines["earlier"], None, zh, en)
    return ()


def _judge_items(reader: Reader, form: Form) -> None:
    """A checklist keyed by another field needs that field, a choice, and a list for codes it really has."""
    choices = {each.code: {option.code for option in each.options} for each in form.fields if each.kind == "choice"}
    for each in form.fields:
        if each.items_by is None:
            continue
        options = choices.get(each.items_by.field)
        strange = each.items_by.lists.keys() - (options or set())
        if options is None or strange:
            named = each.items_by.field if options is None else ", ".join(sorted(strange))
            zh, en = (
                f"items_by 中 {named} 不是本表单的单选字段或其选项",
                f"{named} in items_by is no choice of this form, or no option of it",
            )
            reader.complain("items", each.line, each.code, zh, en)


def convert_references(
    form: Form,
    answer: Mapping[str, Any],
    person: Callable[[str], PersonRef],
    file: Callable[[Any], Any],
) -> dict[str, Any]:
    """The answer with the names of persons given to ``person``, and uploads and references of files to ``file``.

    ``person`` gets a text, ``file`` a mapping with the key ``file`` or a FileRef, wherever they stand in a field of
    that kind. Everything else, and what is not in the form at all, is left as it is.
    """
    return _converted(form.fields, answer, person, file)


def _converted(
    fields: tuple[Field, ...],
    answer: Mapping[str, Any],
    person: Callable[[str], PersonRef],
    file: Callable[[Any], Any],
) -> dict[str, Any]:
    by_code = {each.code: each for each in fields}

    def convert(each: Field, given: Any) -> Any:
        if isinstance(given, list):
            return [convert(each, member) for member in given]
        if each.kind in {"person", "persons"} and isinstance(given, str) and given:
            return person(given)
        if each.kind in {"file", "files"} and (
            isinstance(given, FileRef) or (isinstance(given, dict) and "file" in given)
        ):
            return file(given)
        if each.fields and isinstance(given, dict):
            return _converted(each.fields, given, person, file)
        return given

    return {code: convert(by_code[code], given) if code in by_code else given for code, given in answer.items()}
