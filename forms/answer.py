"""The one judge of answers: what a form makes of one, and every reason to refuse it. Used live and on submit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forms.asking import Asking, World, is_empty, short
from forms.expressions import ExpressionError
from forms.filling import fill, initial
from forms.kinds import Refused, accept, wrong
from forms.money import percent, yuan
from forms.operators import ordered
from forms.run import Scope
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.fields import Field
    from forms.form import Form, Requirement
    from forms.values import Value

__all__ = ["Checked", "Problem", "World", "check", "drop_hidden", "fill", "initial", "notes", "unmet"]


_END_OF_PART = re.compile(r"[.\[]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer is refused: at which field (``parties[0].name``), and the sentence to show there."""

    path: str
    text: Text

    @property
    def code(self) -> str:
        """The code of the refused field of the form."""
        return self.path.partition(".")[0].partition("[")[0]


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer as the form understands it.

    ``values`` has every field; hidden and empty ones are None. The answer stands only without ``problems``. ``shown``
    and ``required`` are the paths of the fields that are so with this answer.
    """

    values: dict[str, Value]
    problems: tuple[Problem, ...]
    shown: frozenset[str]
    required: frozenset[str]


def check(form: Form, answer: Mapping[str, Any], world: World) -> Checked:
    """What the form makes of an answer in this world. What is wrong is a problem with its path; nothing is raised."""
    judge = _Judge(form)
    asking = Asking(Scope(world.names), world)
    values = judge.level(form, answer, asking, "")
    judge.settle()
    judge.rules(asking)
    places = {code: place for place, code in enumerate(values)}
    problems = sorted(judge.problems, key=lambda problem: places.get(problem.code, -1))
    return Checked(values, tuple(problems), frozenset(judge.shown), frozenset(judge.required))


def unmet(form: Form, world: World) -> tuple[Requirement, ...]:
    """What must hold before the form opens, and does not. ExpressionError where that cannot be said."""
    return tuple(each for each in form.requires if not each.check.condition(world.names, world.functions))


def notes(form: Form, values: Mapping[str, Value], world: World) -> dict[str, Value]:
    """What the notes show beside these values, by their codes, without those that are hidden or cannot be made."""
    asking = Asking(Scope(world.names), world)
    asking.scope.update({code: values.get(code) for code in form.codes})
    shown: dict[str, Value] = {}
    for note in form.fields:
        try:
            if note.kind == "note" and asking.shows(note):
                shown[note.code] = asking.value_of(note.show) if note.show else None
        except ExpressionError:
            continue
    return shown


def drop_hidden(form: Form, answer: Mapping[str, Any], world: World) -> dict[str, Any]:
    """The answer without what the form does not ask now (hidden or unknown) and without what it computes: a draft."""
    return _asked(form.fields, answer, check(form, answer, world).shown, "")


def _asked(fields: tuple[Field, ...], answer: Mapping[str, Any], shown: frozenset[str], prefix: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for each in fields:
        path = prefix + each.code
        if each.code in answer and path in shown and not each.compute:
            kept[each.code] = _asked_inside(each, answer[each.code], shown, path)
    return kept


def _asked_inside(each: Field, given: Any, shown: frozenset[str], path: str) -> Any:
    """The parts of a group or row that are shown; one so unsound that its parts were not looked at stays as it is."""
    if each.kind == "table" and isinstance(given, list):
        return [_asked_inside(each, row, shown, f"{path}[{place}]") for place, row in enumerate(given)]
    if isinstance(given, dict) and any(f"{path}.{part.code}" in shown for part in each.fields):
        return _asked(each.fields, given, shown, f"{path}.")
    return given


@dataclass(slots=True)
class _Demand:
    """A field whose value is known, but not yet whether it must be there and keeps its limits."""

    field: Field
    asking: Asking
    values: dict[str, Value]
    path: str


@dataclass(slots=True)
class _Judge:
    form: Form
    problems: list[Problem] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    _demands: list[_Demand] = field(default_factory=list)
    _places: set[str] = field(default_factory=set)  # the paths of the problems, and of all they lie in

    def level(self, owner: Form | Field, answer: Mapping[str, Any], asking: Asking, prefix: str) -> dict[str, Value]:
        """The values of the form, a group or a row. What they demand is settled when all values are known."""
        values: dict[str, Value] = {each.code: None for each in owner.fields if each.holds_value}
        asking.scope.update(values)
        for code in [short(code) for code in answer if code not in values]:
            self._refuse(f"{prefix}{code}", Text(f"表单没有字段 {code}。", f"The form has no field {code}."))
        for each in owner.order:
            path = prefix + each.code
            if self._is_shown(each, asking, path, answer.get(each.code)):
                values[each.code] = asking.scope[each.code] = self._value(each, asking, path, answer.get(each.code))
                self._demands.append(_Demand(each, asking, values, path))
        return values

    def settle(self) -> None:
        """Whether what must be there is there, and what is there keeps its limits."""
        for demand in self._demands:  # an empty group that is required adds those of its parts
            self._settle(demand)

    def rules(self, asking: Asking) -> None:
        """The rules between fields, each where all its own fields are sound."""
        unsound = {problem.code for problem in self.problems}
        for rule in self.form.rules:
            if rule.check.names & unsound:
                continue
            try:
                if rule.check.value(asking.scope, asking.world.functions) is not True:
                    self._refuse(rule.field, rule.text)
            except ExpressionError as error:
                self._refuse(rule.field, error.text)

    def _refuse(self, path: str, text: Text) -> None:
        self.problems.append(Problem(path, text))
        self._places |= {path, *[path[: end.start()] for end in _END_OF_PART.finditer(path)]}

    def _refuse_field(self, each: Field, path: str, zh: str, en: str) -> None:
        label = each.label
        self._refuse(path, Text(f"“{label.zh}”{zh}。", f"“{label.said('en')}” {en}."))

    def _is_shown(self, each: Field, asking: Asking, path: str, given: Any) -> bool:
        try:
            shown = asking.shows(each)
        except ExpressionError as error:
            self._refuse(path, error.text)
            return False
        if shown:
            self.shown.add(path)
        elif not is_empty(given):
            self._refuse_field(each, path, "此时不适用，不得填写", "does not apply here and must not be answered")
        return shown

    def _value(self, each: Field, asking: Asking, path: str, given: Any) -> Value:
        try:
            return self._computed(each, asking, path, given) if each.compute else self._read(each, asking, path, given)
        except Refused as refusal:
            self._refuse_field(each, path + refusal.path, refusal.text.zh, refusal.text.en)
        except ExpressionError as error:
            self._refuse(path, error.text)
        return None

    def _computed(self, each: Field, asking: Asking, path: str, given: Any) -> Value:
        value = self._read(each, asking, path, asking.value_of(each.compute)) if each.compute else None
        # What an answer with other problems computes to is not worth arguing about.
        if not is_empty(given) and not self.problems and self._read(each, asking, path, given) != value:
            self._refuse_field(each, path, "由系统计算，不得另填", "is computed and must not be given another value")
        return value

    def _read(self, each: Field, asking: Asking, path: str, given: Any) -> Value:
        if each.kind == "group":
            if is_empty(given):
                return None
            if not isinstance(given, dict):
                raise wrong(Text("一组值", "a record of values"), given)
            return self.level(each, given, asking.inside(), f"{path}.")
        if each.kind == "table":
            return self._rows(each, asking, path, given)
        return asking.read(each, given)

    def _rows(self, each: Field, asking: Asking, path: str, given: Any) -> Value:
        if given is None:
            return None
        if not isinstance(given, list):
            raise wrong(Text("表格（行的列表）", "a table (a list of rows)"), given)
        if len(given) > each.max_items:
            raise Refused(
                f"不得超过 {each.max_items} 行，现为 {len(given)} 行", f"may have {each.max_items} rows at most"
            )
        for place, row in enumerate(given):
            if not isinstance(row, dict):
                refusal = wrong(Text("一行", "a row (a record)"), row)
                raise Refused(refusal.text.zh, refusal.text.en, f"[{place}]")
        return [self.level(each, row, asking.inside(), f"{path}[{place}].") for place, row in enumerate(given)] or None

    def _settle(self, demand: _Demand) -> None:
        each, path = demand.field, demand.path
        value = demand.values[each.code]
        try:
            required = demand.asking.requires(each)
            if required:
                self.required.add(path)
            if value is not None:
                self._limit(demand, value, required=required)
            elif path in self._places:
                return
            elif each.kind == "group":
                self._empty_group(demand, required=required)
            elif required:
                self._refuse_field(each, path, *_needed(each, demand.asking.world))
        except Refused as refusal:
            self._refuse_field(each, path + refusal.path, refusal.text.zh, refusal.text.en)
        except ExpressionError as error:
            self._refuse(path, error.text)

    def _empty_group(self, demand: _Demand, *, required: bool) -> None:
        """An empty group asks nothing of its parts, unless it is required itself."""
        group, path = demand.field, demand.path
        judge = self if required else _Judge(self.form)
        values = judge.level(group, {}, demand.asking.inside(), f"{path}.")
        self.shown |= judge.shown
        if required:
            demand.values[group.code] = demand.asking.scope[group.code] = values
            if not any(part.required or part.required_if for part in group.fields):
                self._refuse_field(group, path, "必须填写", "must be answered")

    def _limit(self, demand: _Demand, value: Value, *, required: bool) -> None:
        each = demand.field
        if isinstance(value, list) and len(value) < each.min_items:
            raise Refused(f"至少 {each.min_items} 项，现为 {len(value)} 项", f"needs {each.min_items} entries at least")
        if each.kind == "checklist" and isinstance(value, dict) and required:
            for code, answer in value.items():
                if answer is None:
                    self._refuse_field(
                        each, f"{demand.path}.{code}", f"{code} 一项必须填写", f"needs an answer for {code}"
                    )
        for given, sign in ((each.minimum, -1), (each.maximum, 1)):
            limit = accept(each, demand.asking.value_of(given)) if given else None
            if limit is not None and ordered(value, limit) == sign:
                said = _said(each, limit)
                zh, en = ("不得小于", "must not be below") if sign < 0 else ("不得大于", "must not be above")
                raise Refused(f"{zh} {said.zh}", f"{en} {said.en}")


def _needed(each: Field, world: World) -> tuple[str, str]:
    """Why an empty field has to be answered, in both languages."""
    shown = [(code, world.facts[code]) for code in each.facts if code in world.facts]
    if not shown:
        return "必须填写", "must be answered"
    zh = "、".join(f"{code} {fact.zh}" for code, fact in shown)
    en = ", ".join(f"{code} ({fact.said('en')})" for code, fact in shown)
    return f"必须填写：本环节须留下事实 {zh}", f"must be answered: this step has to leave {en}"


def _said(each: Field, limit: Value) -> Text:
    """A limit as people read it: fen in 元, basis points in %."""
    if each.kind == "money" and isinstance(limit, int):
        return Text(f"{yuan(limit)} 元", f"{yuan(limit)} yuan")
    if each.kind == "ratio" and isinstance(limit, int):
        return Text(percent(limit), percent(limit))
    return Text(str(limit), str(limit))
