"""What a field asks of an answer in a given world: whether it is shown and required, and which values it accepts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forms.expressions import Empty, Expression
from forms.kinds import Refused, accept, wrong
from forms.operators import mismatch
from forms.run import Scope
from forms.values import PersonRef, Value
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forms.fields import Field, Given, Option


@dataclass(frozen=True, slots=True)
class World:
    """What lies around a form: the case's variables, the engine's functions, and whether a person of an id is known.

    ``facts`` are those the step must leave, by their codes: a field that shows one has to be answered.
    """

    names: Mapping[str, Value]
    functions: Mapping[str, Callable[..., Value]]
    people: Callable[[str], bool]
    facts: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions, asked with the answers in ``scope`` so far."""

    scope: Scope
    world: World

    def inside(self) -> Asking:
        """The same within a row or a group, whose own answers come before those around it."""
        return Asking(Scope(self.scope), self.world)

    def holds(self, test: Expression) -> bool:
        """Whether a condition holds. One about an answer that is still empty does not hold yet."""
        try:
            value = test.value(self.scope, self.world.functions)
        except Empty:
            return False
        if value is None or isinstance(value, bool):
            return value is True
        raise mismatch(Text("是或否", "true or false"), value).at(test.source)

    def value_of(self, given: Given) -> Value:
        """A value the form gives itself; None as long as an answer it is made from is empty."""
        try:
            return given.value(self.scope, self.world.functions)
        except Empty:
            return None

    def shows(self, field: Field) -> bool:
        """Whether the field is shown."""
        return field.show_if is None or self.holds(field.show_if)

    def requires(self, field: Field) -> bool:
        """Whether the field, if it is shown, has to be answered."""
        return (
            field.required
            or any(code in self.world.facts for code in field.facts)
            or (field.required_if is not None and self.holds(field.required_if))
        )

    def items(self, field: Field) -> tuple[Option, ...]:
        """The questions of a checklist as things stand."""
        if field.items_by is None:
            return field.items
        return field.items_by.lists.get(str(self.scope[field.items_by.field]), ())

    def read(self, field: Field, given: object) -> Value:
        """The value of an answer to a field that is no table and no group; None where it is empty. Raises Refused."""
        if field.kind == "checklist":
            return self._checklist(field, given)
        value = accept(field, given)
        for place, each in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(each, PersonRef) and not self.world.people(each.id):
                path = f"[{place}]" if isinstance(value, list) else ""
                raise Refused(f"没有编号为 {each.id} 的人员", f"names a person nobody knows ({each.id})", path)
        return value

    def _checklist(self, field: Field, given: object) -> Value:
        if given is None:
            return None
        if not isinstance(given, dict):
            raise wrong(Text("各项及其是/否", "yes or no for each item"), given)
        codes = [item.code for item in self.items(field)]
        for code, answer in given.items():
            if code not in codes:
                there = ", ".join(codes) or "—"
                raise Refused(
                    f"没有 {short(code)} 一项；现有：{there}", f"has no item {short(code)}; there are: {there}"
                )
            if answer is not None and type(answer) is not bool:
                refusal = wrong(Text("是或否", "yes or no (true or false)"), answer)
                raise Refused(refusal.text.zh, refusal.text.en, f".{code}")
        answers: dict[str, Value] = {code: given.get(code) for code in codes}
        return answers if any(answer is not None for answer in answers.values()) else None


def is_empty(given: Any) -> bool:
    """Whether an answer says nothing: null, blank, no entries, or a record of nothing but such."""
    if isinstance(given, dict):
        return all(member is None or member in ([], {}) or _is_blank(member) for member in given.values())
    return given is None or given == [] or _is_blank(given)


def _is_blank(given: Any) -> bool:
    return isinstance(given, str) and not given.strip()


def short(code: object) -> str:
    """A code somebody sent, fit to stand in a sentence: not endless, and without half characters."""
    said = str(code).encode("utf-8", "replace").decode()
    return said if len(said) <= 60 else said[:59] + "…"
