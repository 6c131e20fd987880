"""The few reads of stored rows that only pages need: people with their roles, and versions of a process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import NotFound
from engine.model import Definition, Person, PersonRole
from engine.work import Work

Row = Mapping[str, Any]

_PERSON: Any = Person.__table__
_ROLE: Any = PersonRole.__table__
_DEFINITION: Any = Definition.__table__


def person(work: Work, identity: str) -> Row | None:
    """A person's row by id."""
    return work.row(_PERSON.select().where(_PERSON.c.id == identity))


def person_by_login(work: Work, login: str) -> Row | None:
    """A person's row by the name one signs in with."""
    return work.row(_PERSON.select().where(_PERSON.c.login == login))


def everybody(work: Work) -> list[dict[str, Any]]:
    """The active people in the order of their logins, each with the codes of their roles."""
    held: dict[str, list[str]] = {}
    for row in work.db.execute(_ROLE.select().order_by(_ROLE.c.role)):
        held.setdefault(row.person, []).append(row.role)
    people = work.rows(_PERSON.select().where(_PERSON.c.active).order_by(_PERSON.c.login))
    return [{**row, "roles": held.get(row["id"], [])} for row in people]


def versions(work: Work, process: str) -> list[dict[str, Any]]:
    """The deployed versions of a process, newest first."""
    query = _DEFINITION.select().where(_DEFINITION.c.process == process).order_by(_DEFINITION.c.version.desc())
    found = work.rows(query)
    if not found:
        raise NotFound(f"没有部署过流程“{process}”", f"no process {process!r} is deployed")
    return found
