"""People, their roles, substitutes and interests: what access is judged by. Names live here and nowhere else."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Date, String, bindparam, delete, insert, literal, select, union_all, update

from engine.access import Standing
from engine.errors import NotFound, NotYours, Unusable
from engine.library import Library
from engine.model import CaseFile, Delegation, Person, PersonRole, Recusal, table
from engine.requests import recall, remember
from engine.said import LONGEST_NAME, plain
from engine.trail.committing import OF_A_RECUSAL, committed_row
from engine.trail.record import PEOPLE, tell
from engine.work import Work
from forms.words import Text

HASHER = PasswordHasher()


def add(
    work: Work,
    login: str,
    name: str,
    roles: Iterable[str] = (),
    *,
    organisation: str = "",
    password: str | None = None,
    language: str = "zh",
) -> str:
    """Enter a person under a pseudonymous id, which is all the trail will know; gives the id.

    ``login`` is the name one signs in with; without a ``password`` (at least 12 characters) one cannot sign in.
    """
    needed = Text("登录名和姓名都不能为空", "a person needs a login and a name")
    login, name = plain(login, needed, LONGEST_NAME), plain(name, needed, LONGEST_NAME)
    identity = f"p-{uuid.uuid4().hex[:12]}"
    row = {
        "id": identity,
        "login": login,
        "name": name,
        "organisation": organisation,
        "password": hashed(password) if password is not None else None,
        "language": language,
        "active": True,
    }
    if not work.add_once(Person, row):
        raise Unusable(f"登录名“{login}”已有人使用", f"the login {login!r} is already taken")
    tell(work, PEOPLE, "person.added", {"person": identity})
    for role in dict.fromkeys(roles):
        grant(work, identity, role)
    return identity


def grant(work: Work, person: str, role: str) -> None:
    """Give a person a role; one they hold already is not given again."""
    if work.add_once(PersonRole, {"person": person, "role": role}):
        tell(work, PEOPLE, "role.granted", {"person": person, "role": role})


def revoke(work: Work, person: str, role: str) -> None:
    """Take a role from a person. NotFound: they do not hold it."""
    taken = work.db.execute(delete(PersonRole).where(PersonRole.person == person, PersonRole.role == role))
    if not taken.rowcount:
        who = name_of(work, person)
        raise NotFound(f"“{who}”没有角色 {role}", f"{who!r} does not hold the role {role!r}")
    tell(work, PEOPLE, "role.revoked", {"person": person, "role": role})


def deactivate(work: Work, person: str) -> None:
    """Let a person who has left do nothing any more; what they did stays. NotFound: there is no such active person."""
    active = (Person.id == person, Person.active)
    if not work.db.execute(update(Person).where(*active).values(active=False)).rowcount:
        who = name_of(work, person)
        raise NotFound(f"没有在用的人员“{who}”", f"there is no active person {who!r}")
    tell(work, PEOPLE, "person.deactivated", {"person": person})


def hashed(password: str) -> str:
    """The argon2 hash of a password; a short one is refused."""
    if len(password) < 12:
        raise Unusable("密码至少 12 个字符", "a password needs at least 12 characters")
    return HASHER.hash(password)


def set_password(work: Work, person: str, password: str) -> None:
    """Give a person a new password; the sessions opened with the old one end. Unusable: it is too short."""
    work.db.execute(update(Person).where(Person.id == person).values(password=hashed(password)))
    tell(work, PEOPLE, "password.set", {"person": person})


def password_fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; takes the same time where there is none."""
    try:
        HASHER.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@functools.cache
def _nobody() -> str:
    """A hash that no password fits; made when it is first needed, since making one takes its time."""
    return HASHER.hash(uuid.uuid4().hex)


def find(work: Work, who: str) -> str:
    """The id of a person by id, login or name; a name that several people have is refused."""
    query = select(Person.id).where((Person.id == who) | (Person.login == who))
    found = list(work.db.execute(query).scalars()) or list(
        work.db.execute(select(Person.id).where(Person.name == who)).scalars()
    )
    if len(found) == 1:
        return str(found[0])
    if found:
        raise NotFound(f"叫“{who}”的不止一人，请用登录名", f"several people are called {who!r}; use the login")
    raise NotFound(f"没有“{who}”这个人", f"there is nobody called {who!r}")


def names(work: Work, people: Iterable[str]) -> dict[str, str]:
    """Names by id, for showing."""
    wanted = set(people)
    if not wanted:
        return {}
    rows = work.db.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def row_of(work: Work, person: str) -> dict[str, Any] | None:
    """A person's row by id."""
    return work.row(select(*table(Person).c).where(Person.id == person))


def row_by_login(work: Work, login: str) -> dict[str, Any] | None:
    """A person's row by the name one signs in with."""
    return work.row(select(*table(Person).c).where(Person.login == login))


def everybody(work: Work) -> list[dict[str, Any]]:
    """The active people in the order of their logins, each with the codes of their ``roles``."""
    held: dict[str, list[str]] = {}
    for row in work.rows(select(*table(PersonRole).c).order_by(PersonRole.role)):
        held.setdefault(row["person"], []).append(row["role"])
    people = work.rows(select(*table(Person).c).where(Person.active).order_by(Person.login))
    return [{**row, "roles": held.get(row["id"], [])} for row in people]


def name_of(work: Work, person: str) -> str:
    """One person's name; the id where there is none (``clock``, ``system``)."""
    return names(work, [person]).get(person, person)


_nothing = literal("", String)
_person, _today = bindparam("person", type_=String), bindparam("today", type_=Date)
_delegation, _recusal, _holder = table(Delegation).c, table(Recusal).c, table(PersonRole).c
STANDING = union_all(
    select(literal("role"), _holder.role, _nothing)
    .join(table(Person), table(Person).c.id == _holder.person)
    .where(_holder.person == _person, table(Person).c.active),
    select(literal("substitute"), _delegation.person, _delegation.role).where(
        _delegation.substitute == _person, _delegation.starts_on <= _today, _delegation.ends_on >= _today
    ),
    select(literal("case"), _recusal.case, _nothing).where(_recusal.person == _person, _recusal.case.is_not(None)),
    select(literal("party"), _recusal.party, _nothing).where(_recusal.person == _person, _recusal.party.is_not(None)),
)


def standing(work: Work, person: str) -> Standing:
    """All that access needs to know of a person, in one statement."""
    rows = list(work.db.execute(STANDING, {"person": person, "today": work.today}))

    def of(kind: str) -> frozenset[str]:
        return frozenset(row[1] for row in rows if row[0] == kind)

    substitutes = frozenset((row[1], row[2]) for row in rows if row[0] == "substitute")
    return Standing(person, of("role"), substitutes, of("case"), of("party"))


def two_of(work: Work, other: str, roles: Collection[str], what: Text) -> None:
    """Refuse unless who acts and ``other`` are two people who hold one of these roles: NotYours, saying what for."""
    for person in (work.actor, other):
        one_of(work, person, roles, what)
    if work.actor == other:
        raise NotYours("批准人不能是办理人本人", "who approves must be somebody else", ("four_eyes",))


def one_of(work: Work, person: str, roles: Collection[str], what: Text) -> None:
    """Refuse unless a person holds one of the roles of which ``what`` takes two people: NotYours."""
    if standing(work, person).roles.isdisjoint(roles):
        known = Library.standing().vocabulary().roles
        named = [known.get(code, Text(code, code)) for code in sorted(roles)]
        raise NotYours(
            f"{what.zh}须由两人办理，两人均应具有下列角色之一：{'、'.join(role.zh for role in named)}",
            f"{what.en} needs two people who hold one of these roles: {', '.join(role.en for role in named)}",
            ("role",),
        )


def delegate(work: Work, person: str, substitute: str, role: str, starts_on: date, ends_on: date, reason: str) -> str:
    """Make somebody a substitute in one role; both must hold it. Told in the trail, both names by their ids."""
    if person == substitute:
        raise Unusable("不能委托给自己", "nobody can be their own substitute")
    if ends_on < starts_on:
        raise Unusable("委托的结束日期早于开始日期", "the delegation ends before it starts")
    reason = plain(reason, Text("请写明委托理由", "say why somebody stands in"))
    for somebody in (person, substitute):
        if role not in standing(work, somebody).roles:
            who = name_of(work, somebody)
            raise Unusable(f"“{who}”没有角色 {role}，不能委托或受托", f"{who!r} does not hold the role {role!r}")
    identity = uuid.uuid4().hex
    values = {"person": person, "substitute": substitute, "role": role, "starts_on": starts_on, "ends_on": ends_on}
    work.db.execute(insert(Delegation).values(id=identity, reason=reason, **values))
    told = {**values, "starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
    tell(work, PEOPLE, "delegation.made", told)
    return identity


def end_delegation(work: Work, delegation: str) -> None:
    """Take a delegation back at once. NotFound: there is none of this id, or it has been taken back."""
    query = select(Delegation.person, Delegation.substitute, Delegation.role).where(Delegation.id == delegation)
    row = work.db.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"没有编号为 {delegation} 的委托", f"there is no delegation {delegation}")
    work.db.execute(delete(Delegation).where(Delegation.id == delegation))
    tell(work, PEOPLE, "delegation.ended", {"person": row.person, "substitute": row.substitute, "role": row.role})


def recuse(work: Work, person: str, reason: str, *, case: str | None = None, party: str | None = None) -> None:
    """Declare or find an interest: in one case (by id), or towards one party (by name or credit code) in all cases."""
    if (case is None) == (party is None):
        raise Unusable("回避须指明一个案卷或一个当事方", "a recusal names either a case or a party")
    reason = plain(reason, Text("请写明回避理由", "say why this person must stand aside"))
    if party is not None:
        party = plain(party, Text("请写明当事方的名称或代码", "name the party, or give its code"), LONGEST_NAME)
    if (
        case is not None
        and work.db.execute(select(CaseFile.id).where(CaseFile.id == case)).scalar_one_or_none() is None
    ):
        raise NotFound(f"没有编号为 {case} 的案卷", f"there is no case {case}")
    if recall(work) is not None:
        return
    about = {"person": person, "case": case, "party": party, "declared_by": work.actor}
    new = {"id": uuid.uuid4().hex, **about, "reason": reason, "at": work.now}
    row, commit = committed_row(new, OF_A_RECUSAL)
    work.add(Recusal, row)
    told = {"person": person, "case": case, "party_named": party is not None, "recusal": row["id"], "commit": commit}
    tell(work, PEOPLE, "recusal.declared", told)
    remember(work, "")
