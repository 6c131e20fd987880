"""Who may do a work item: candidates, substitutes, recusal (回避), four eyes. Pure: it is given all it looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as far as access goes: roles, whose substitute today and in which role, and declared interests.

    ``cases`` are the ids of cases, ``parties`` the names or credit codes of parties, this person stands aside from.
    """

    person: str
    roles: frozenset[str]
    substitutes: frozenset[tuple[str, str]] = frozenset()
    cases: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Door:
    """A work item as far as access goes. ``checked`` are those who did the steps this one checks (four eyes)."""

    case: str
    applicant: str | None
    roles: frozenset[str]
    assignees: tuple[str, ...]
    excluded: frozenset[str]
    checked: frozenset[str]
    parties: frozenset[str]
    claimed_by: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The reasons against (all that apply, codes of ``REASONS``), and for whom the person would act."""

    reasons: tuple[str, ...]
    on_behalf_of: str | None = None


def judge(person: Standing, door: Door) -> Judgement:
    """May this person act on this work item? Every reason against is given, not only the first."""
    candidate, principal = _candidate(person, door)
    reasons = [] if candidate else ["role"]
    faces = {person.person} | ({principal} if principal else set())
    own = person.person == door.applicant and person.person in door.assignees
    interested = door.case in person.cases or bool(person.parties & door.parties)
    if faces & door.excluded or (interested and not own):
        reasons.append("recusal")
    if faces & door.checked:
        reasons.append("four_eyes")
    return Judgement(tuple(reasons), principal)


def _candidate(person: Standing, door: Door) -> tuple[bool, str | None]:
    """Whether the item is this person's to take, and for whom: by name, by role, or as somebody's substitute."""
    if door.claimed_by and door.claimed_by != person.person:
        return _substitute(person, door, [door.claimed_by])
    if door.assignees:
        if person.person in door.assignees:
            return True, None
        return _substitute(person, door, door.assignees)
    return bool(person.roles & door.roles), None


def _substitute(person: Standing, door: Door, principals: Iterable[str]) -> tuple[bool, str | None]:
    """A substitute must hold the same role: that of the item, or of the delegation for an item by name."""
    for principal, role in sorted(person.substitutes):
        if principal in principals and role in person.roles and (not door.roles or role in door.roles):
            return True, principal
    return False, None


def bars(words: Iterable[str]) -> str:
    """A list as it is stored in one column, ``|a|b|``; empty for none."""
    joined = "|".join(words)
    return f"|{joined}|" if joined else ""


def unbar(text: str) -> tuple[str, ...]:
    """The list that ``bars`` stored."""
    return tuple(word for word in text.split("|") if word)


REASONS = {
    "role": ("不是该事项的办理人", "is not a candidate for this work item"),
    "recusal": ("应当回避", "must stand aside (recusal)"),
    "four_eyes": ("办理过被复核的步骤，不能复核自己（双人复核）", "did the step that this one checks (four eyes)"),
    "done": ("该事项已经办结", "the work item is already done"),
    "not_open": ("该事项当前没有打开", "the work item is not open"),
    "state": ("案件当前状态不允许", "the case is not at a point where this is possible"),
}
"""Why somebody is refused, in words."""
