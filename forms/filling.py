"""Fills a form without judging it: what a fresh form shows, and an answer of which only what matters was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forms.asking import Asking, World, is_empty
from forms.expressions import ExpressionError
from forms.kinds import Refused
from forms.run import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.fields import Field, Given
    from forms.form import Form
    from forms.values import Value


def initial(
    form: Form,
    world: World,
    earlier: Mapping[str, Value] | None = None,
    prefill: Mapping[str, Value] | None = None,
) -> dict[str, Any]:
    """What a fresh form shows: what it computes, what it is ``prefill``ed with, its defaults, else the earlier answers.

    Empty fields are absent.
    """
    sources = Sources({}, prefill or {}, earlier or {})
    return _filled(form, sources, Asking(Scope(world.names), world), examples=False)


def fill(
    form: Form,
    given: Mapping[str, Any],
    world: World,
    earlier: Mapping[str, Value] | None = None,
    prefill: Mapping[str, Value] | None = None,
) -> dict[str, Any]:
    """The answer of which ``given`` is what matters: what is given, else computed, prefilled or default, else earlier,
    else, where it is required, the example. A group is merged part by part, a table taken whole; what is given is never
    changed.
    """
    sources = Sources(given, prefill or {}, earlier or {})
    return _filled(form, sources, Asking(Scope(world.names), world), examples=True)


def _filled(owner: Form | Field, sources: Sources, asking: Asking, *, examples: bool) -> dict[str, Any]:
    # A field may be filled from one further down, so all are gone through more than once, each time with what the time
    # before has filled; examples are drawn on only when defaults and earlier answers have had their turn.
    filled = dict(sources.filled)
    for drawn_on in (False, False, *((True,) * 3 if examples else ())):
        filled = _Pass(examples=drawn_on).level(owner, Sources(sources.given, filled, sources.earlier), asking)
    return filled


@dataclass(frozen=True, slots=True)
class Sources:
    """Where answers come from: given, filled already, earlier answers; by code, for the form or a group."""

    given: Mapping[str, Any]
    filled: Mapping[str, Any]
    earlier: Mapping[str, Any]

    def part(self, code: str) -> Sources:
        """The sources of a group."""
        parts = [source.get(code) for source in (self.given, self.filled, self.earlier)]
        given, filled, earlier = [part if isinstance(part, dict) else {} for part in parts]
        return Sources(given, filled, earlier)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One time through a form, a group or a row; ``examples``: whether required fields take their example."""

    examples: bool = False

    def level(self, owner: Form | Field, sources: Sources, asking: Asking) -> dict[str, Any]:
        """The answers, given and filled, in the order of the fields."""
        answers = {**sources.filled, **sources.given}
        fields = [each for each in owner.fields if each.holds_value]
        for each in fields:
            asking.scope[each.code] = _understood(each, answers.get(each.code), asking)
        found = dict(sources.given)
        for each in owner.order:
            answer = self._answer(each, sources, asking)
            found[each.code] = answer
            asking.scope[each.code] = _understood(each, answer, asking)
        codes = {each.code for each in fields}
        strange = [code for code in found if code not in codes]
        kept = [each.code for each in fields if found[each.code] is not None or each.code in sources.given]
        return {code: found[code] for code in (*kept, *strange)}

    def _answer(self, each: Field, sources: Sources, asking: Asking) -> Any:
        code = each.code
        merged = each.kind in {"group", "checklist"} and isinstance(sources.given.get(code), dict)
        if code in sources.given and not merged:
            return _rows(each, sources.given[code], asking)
        try:
            if not asking.shows(each):
                return sources.given.get(code)
            if each.compute:
                return asking.value_of(each.compute)
            required = asking.requires(each)
        except ExpressionError:
            return None
        if each.kind == "group":
            return self._group(each, sources, asking, required=required)
        first = self._first(each, sources, asking, required=required)
        # Of a checklist, as of a group, only what matters need be given.
        return {**(first or {}), **sources.given[code]} if merged else first

    def _group(self, each: Field, sources: Sources, asking: Asking, *, required: bool) -> Any:
        parts = sources.part(each.code)
        own = self._first(each, Sources({}, {}, {}), asking, required=required)
        if isinstance(own, dict):
            parts = Sources(parts.given, {**own, **parts.filled}, parts.earlier)
        if required or any(not is_empty(dict(part)) for part in (parts.given, parts.filled, parts.earlier)):
            return self.level(each, parts, asking.inside()) or None
        return sources.given.get(each.code)

    def _first(self, each: Field, sources: Sources, asking: Asking, *, required: bool) -> Any:
        """The first that there is: filled before, default, earlier if it still fits, example if required."""
        if not is_empty(sources.filled.get(each.code)):
            return self._completed(each, sources.filled[each.code], asking)
        found = _made(each, each.default, asking)
        if is_empty(found):
            found = _understood(each, sources.earlier.get(each.code), asking)
        if is_empty(found) and self.examples and required:
            found = _made(each, each.example, asking)
            if each.example is None and each.kind == "table":
                found = [_row(each, {}, asking, examples=True)]
        return None if is_empty(found) else found

    def _completed(self, each: Field, found: Any, asking: Asking) -> Any:
        """What was filled before; the rows that a table gives itself take the examples of what they must have."""
        if not (self.examples and each.kind == "table" and all(isinstance(row, dict) for row in found)):
            return found
        rows = [{code: value for code, value in row.items() if not is_empty(value)} for row in found]
        return [_row(each, row, asking, examples=True) for row in rows]


def _rows(each: Field, given: Any, asking: Asking) -> Any:
    """A table as given; what a row leaves out is computed or default, never earlier and never an example."""
    if each.kind != "table" or not isinstance(given, list):
        return given
    return [_row(each, row, asking, examples=False) if isinstance(row, dict) else row for row in given]


def _row(each: Field, row: Mapping[str, Any], asking: Asking, *, examples: bool) -> dict[str, Any]:
    return _filled(each, Sources(row, {}, {}), asking.inside(), examples=examples)


def _made(each: Field, given: Given | None, asking: Asking) -> Any:
    """A value the form gives itself; None where it cannot be made in this world. For a checklist, one for all items."""
    try:
        made = asking.value_of(given) if given else None
    except ExpressionError:
        return None
    if each.kind == "checklist" and isinstance(made, bool):
        made = {item.code: made for item in asking.items(each)}
    understood = _understood(each, made, asking)
    return made if understood is None else understood


def _understood(each: Field, answer: Any, asking: Asking) -> Value:
    """The value of an answer as expressions read it, every column of a row or group there; None if it is no value."""
    if each.kind == "group":
        return _columns(each, answer, asking) if isinstance(answer, dict) and not is_empty(answer) else None
    if each.kind == "table":
        rows = answer if isinstance(answer, list) else []
        return [_columns(each, row, asking) for row in rows if isinstance(row, dict)] or None
    try:
        return asking.read(each, answer)
    except Refused:
        return None


def _columns(each: Field, row: dict[str, Any], asking: Asking) -> Value:
    return {column.code: _understood(column, row.get(column.code), asking) for column in each.fields}
