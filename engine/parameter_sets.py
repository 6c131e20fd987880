"""Sets of parameter values, kept for good: the shipped one, those that cases adopted, and which counts on which day.

A set is in force from its day until a later one is; a case keeps the set it started with. What a value may be is for
``parameters``, adopting for ``adoption``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, func, insert, select

from engine.errors import NotFound
from engine.model import Event, ParameterSet, Stream
from engine.trail.record import POLICY, tell
from engine.work import Work
from forms.values import Value, from_json, to_json

AS_SHIPPED = date(2000, 1, 1)
"""From when the shipped values are in force: always, so that a worked case of an earlier year finds them."""
SHIPPED = "shipped-default"


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A set of values: its id and number, from when it is in force, and the case that adopted it (None: nobody did).

    ``adopted`` says of each key that an institution adopted, with which set; what is not in it is as shipped.
    """

    id: str
    number: int
    effective_from: date
    adopted_by: str | None
    values: Mapping[str, Value]
    adopted: Mapping[str, str]


def in_force(work: Work) -> str:
    """The id of the set that is in force today."""
    query = select(ParameterSet.id).where(ParameterSet.effective_from <= work.today)
    found = work.db.execute(
        query.order_by(ParameterSet.effective_from.desc(), ParameterSet.number.desc()).limit(1)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("还没有生效的参数", "no parameter set is in force yet; deploy the library first")
    return str(found)


def values(work: Work, identity: str) -> Mapping[str, Value]:
    """The values of a set; read from the database once, since they never change."""
    key = f"parameters/{identity}"
    if key not in work.database.caches:
        text = work.db.execute(select(ParameterSet.values).where(ParameterSet.id == identity)).scalar_one()
        work.database.caches[key] = from_json(text)
    found: Mapping[str, Value] = work.database.caches[key]
    return found


def all_sets(work: Work) -> list[ValueSet]:
    """Every set there is, in the order in which they came."""
    query = select(*ParameterSet.__table__.columns).order_by(ParameterSet.number)
    told = _told(work)
    return [_set(row, told) for row in work.db.execute(query)]


def standing(work: Work) -> list[ValueSet]:
    """The set in force today, and after it those that are adopted for a later day, in the order of their days."""
    latest: dict[date, ValueSet] = {each.effective_from: each for each in all_sets(work)}
    days = sorted(latest)
    past = [day for day in days if day <= work.today]
    return [latest[day] for day in [*past[-1:], *(day for day in days if day > work.today)]]


def seed(work: Work, given: Mapping[str, Value], *, effective_from: date = AS_SHIPPED) -> str:
    """Keep a set of values that nobody adopted, unless it is the newest already; gives its id."""
    newest = work.db.execute(select(ParameterSet.id, ParameterSet.sha256).order_by(ParameterSet.number.desc()).limit(1))
    latest = newest.one_or_none()
    if latest and latest.sha256 == hashed(given):
        return str(latest.id)
    return keep(work, given, effective_from).id


def seed_shipped(work: Work, shipped: Mapping[str, Value]) -> None:
    """Begin with the shipped values. Where there are sets already, only what they lack is added: what is in force is
    changed by nobody but a case that adopts (条例第十五条).
    """
    hold(work)
    sets = standing(work)
    if not sets:
        keep(work, shipped, AS_SHIPPED)
    for each in sets:
        missing = shipped.keys() - each.values.keys()
        if missing:
            added = {key: shipped[key] for key in missing}
            keep(work, {**each.values, **added}, each.effective_from, adopted=each.adopted)


def hold(work: Work) -> None:
    """Let nobody else add a set until this act is over."""
    work.db.execute(select(Stream.seq).where(Stream.name == POLICY).with_for_update())


def keep(
    work: Work,
    given: Mapping[str, Value],
    effective_from: date,
    *,
    adopted: Mapping[str, str] | None = None,
    keys: tuple[str, ...] = (),
    case: str | None = None,
    number: str | None = None,
) -> ValueSet:
    """Write a set and tell of it.

    ``adopted`` are the keys that earlier sets adopted, ``keys`` those that this one does, by ``case``, whose number
    is ``number``.
    """
    text, digest = to_json(dict(sorted(given.items()))), hashed(given)
    count = work.db.execute(select(func.count()).select_from(ParameterSet)).scalar_one() + 1
    # With a part of its hash: an id that was given back when an act was undone never comes to mean other values.
    identity = SHIPPED if count == 1 else f"set-{count}-{digest[:6]}"
    row = {"id": identity, "number": count, "effective_from": effective_from, "adopted_by": case}
    work.db.execute(insert(ParameterSet).values(**row, values=text, sha256=digest))
    by = {**(adopted or {}), **dict.fromkeys(keys, identity)}
    told = {"set": identity, "sha256": digest, "from": effective_from.isoformat(), "adopted": dict(sorted(by.items()))}
    tell(work, POLICY, "parameters.adopted", told | ({"by": number} if number else {}))
    return ValueSet(identity, count, effective_from, case, given, by)


def hashed(given: Mapping[str, Value]) -> str:
    """What the trail is committed to: the SHA-256 of the values."""
    return hashlib.sha256(to_json(dict(sorted(given.items()))).encode()).hexdigest()


def _told(work: Work) -> dict[str, Mapping[str, str]]:
    """What the trail tells of each set: which keys an institution had adopted by then, and with which set."""
    query = select(Event.body).where(Event.stream == POLICY, Event.kind == "parameters.adopted").order_by(Event.seq)
    told = [json.loads(body)["data"] for body in work.db.execute(query).scalars()]
    return {str(each["set"]): each.get("adopted", {}) for each in told}


def _set(row: Row[tuple[object, ...]], told: Mapping[str, Mapping[str, str]]) -> ValueSet:
    found = from_json(row.values)
    assert isinstance(found, dict)
    return ValueSet(row.id, row.number, row.effective_from, row.adopted_by, found, told.get(row.id, {}))
