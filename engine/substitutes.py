"""Substitutes (委托) as people name them themselves: whom they can name, who stands in for whom, and taking it back."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select

from engine.errors import NotFound, NotYours, Unusable
from engine.model import Delegation, Person, PersonRole
from engine.people import delegate, end_delegation, name_of, standing
from engine.requests import recall, remember
from engine.work import Work


def name_substitute(work: Work, substitute: str, role: str, starts_on: date, ends_on: date, reason: str) -> str:
    """Name somebody who acts for the actor in one role, both days included; gives the id of the delegation.

    Unusable: one of the two does not hold the role, the period is over or upside down, or there is no reason.
    """
    again = recall(work)
    if again is not None:
        return again
    if ends_on < work.today:
        raise Unusable("委托的结束日期已经过去", "the last day of the delegation has passed")
    made = delegate(work, work.actor, substitute, role, starts_on, ends_on, reason)
    remember(work, made)
    return made


def take_back(work: Work, delegation: str) -> None:
    """End a delegation at once; whoever made it may, and the substitute may lay it down."""
    if recall(work) is not None:
        return
    query = select(Delegation.person, Delegation.substitute).where(Delegation.id == delegation)
    row = work.db.execute(query).one_or_none()
    if row is None:
        raise NotFound("没有这项委托，或已经结束", "there is no such delegation, or it has ended")
    if work.actor not in (row.person, row.substitute):
        who = name_of(work, work.actor)
        raise NotYours(
            f"{who}不是委托人或受托人，不能结束这项委托",
            f"{who} neither made this delegation nor stands in by it",
            ("role",),
        )
    end_delegation(work, delegation)
    remember(work, delegation)


def own(work: Work) -> list[dict[str, Any]]:
    """The delegations the actor made or stands in by, those over left out, the earliest first."""
    query = select(*Delegation.__table__.columns).where(
        or_(Delegation.person == work.actor, Delegation.substitute == work.actor), Delegation.ends_on >= work.today
    )
    return work.rows(query.order_by(Delegation.starts_on, Delegation.id))


def candidates(work: Work) -> dict[str, list[dict[str, Any]]]:
    """By each role of the actor, the other people who hold it (id, name), in the order of their logins."""
    found: dict[str, list[dict[str, Any]]] = {}
    for role in sorted(standing(work, work.actor).roles):
        query = (
            select(Person.id, Person.name)
            .join(PersonRole, PersonRole.person == Person.id)
            .where(PersonRole.role == role, Person.active, Person.id != work.actor)
        )
        found[role] = work.rows(query.order_by(Person.login))
    return found
