"""The functions of the expression language that need no case: those of the calendar, the registers and the people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import select

from engine import registers
from engine.calendar import Calendar
from engine.library import Library
from engine.model import Person, PersonRole
from engine.people import name_of
from engine.work import Work
from forms.functions import FUNCTIONS
from forms.values import PersonRef, Value

PURE: Mapping[str, Callable[..., Value]] = {
    name: function.run for name, function in FUNCTIONS.items() if function.run is not None
}
"""The functions of the expression language that need nothing but their arguments."""


def functions(work: Work, days: Calendar) -> dict[str, Callable[..., Value]]:
    """Every function that can be called where there is no case, as the world stands in this act."""

    def held(role: str) -> list[Value]:
        return people(work, role)

    return {
        **PURE,
        "today": lambda: work.today,
        "add_working_days": days.add_working_days,
        "add_days": days.add_days,
        "working_days_between": days.working_days_between,
        "end_of": days.end_of,
        "is_working_day": days.is_working_day,
        "people": held,
        "has_role": lambda person, role: person in held(role),
        "find": lambda register, key: registers.find(
            work, register, key.id if isinstance(key, PersonRef) else str(key)
        ),
        "records_with": lambda register, column, value: list(registers.records_with(work, register, column, value)),
        "records": lambda register: list(registers.records(work, register)),
        "name_of": lambda person: name_of(work, person.id),
        "fact_label": fact_label,
    }


def people(work: Work, role: str) -> list[Value]:
    """The active holders of a role, in the order of their logins."""
    kept: dict[str, list[Value]] = work.memory.setdefault("people", {})
    if role not in kept:
        query = (
            select(Person.id)
            .join(PersonRole, PersonRole.person == Person.id)
            .where(PersonRole.role == role, Person.active)
            .order_by(Person.login)
        )
        kept[role] = [PersonRef(identity) for identity in work.db.execute(query).scalars()]
    return kept[role]


def fact_label(code: str) -> Value:
    """What a fact is called, in Chinese; its code where the vocabulary has none of this code."""
    known = Library.standing().vocabulary().facts.get(code)
    return known.said.zh if known else code
