"""People, their roles, substitutes and interests: who is entered, found, delegates and stands aside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import people
from engine.errors import NotFound, Unusable
from engine.model import Delegation, Person, PersonRole, Recusal
from engine.work import SYSTEM
from tests.office import MORNING, Office

pytest_plugins = ["tests.furnished"]

TODAY = MORNING.date()


def add(office: Office, login: str, name: str, *roles: str, **more: Any) -> str:
    """Enter a person as the system."""
    with office.database.work(SYSTEM) as work:
        return people.add(work, login, name, roles, **more)


def find(office: Office, who: str) -> str:
    """A person by id, login or name."""
    return str(office.look(people.find, who))


def test_a_person_is_entered_under_a_pseudonym_and_told_by_it(office: Office) -> None:
    identity = add(office, "zhao", "赵一", "registrar", "expert", "registrar", organisation="某处")
    assert identity.startswith("p-") and "zhao" not in identity
    assert office.look(people.standing, identity).roles == {"registrar", "expert"}
    told = office.bodies("sys/people")[-3:]
    assert [body["type"] for body in told] == ["person.added", "role.granted", "role.granted"]
    assert all(body["data"]["person"] == identity for body in told)
    assert "赵一" not in str(told) and "zhao" not in str(told)
    assert office.sound()


@pytest.mark.parametrize(("login", "name"), [("", "甲"), ("  ", "甲"), ("x", ""), ("x", " ")])
def test_a_person_needs_a_login_and_a_name(office: Office, login: str, name: str) -> None:
    before = office.state()
    with pytest.raises(Unusable):
        add(office, login, name)
    assert office.state() == before


def test_a_login_belongs_to_one(office: Office) -> None:
    add(office, "zhao", "赵一")
    before = office.state()
    with pytest.raises(Unusable, match="zhao"):
        add(office, "zhao", "赵二", "registrar")
    assert office.state() == before


def test_a_role_is_given_once(office: Office) -> None:
    identity = add(office, "zhao", "赵一", "registrar")
    before = office.state()
    with office.database.work(SYSTEM) as work:
        people.grant(work, identity, "registrar")
    assert office.state() == before
    with office.database.work(SYSTEM) as work:
        people.grant(work, identity, "expert")
    assert office.last("sys/people")["data"] == {"person": identity, "role": "expert"}


def test_people_are_found_by_id_login_or_name_unless_two_bear_it(office: Office) -> None:
    one, other = add(office, "zhao1", "赵一"), add(office, "zhao2", "赵一")
    assert find(office, one) == find(office, "zhao1") == one
    with pytest.raises(NotFound, match="several"):
        find(office, "赵一")
    assert find(office, "甲") == office.who["甲"]
    with pytest.raises(NotFound, match="nobody"):
        find(office, "无人")
    # A login counts before somebody else's name.
    assert find(office, add(office, "赵三", "x")) != other
    add(office, "y", "zhao2")
    assert find(office, "zhao2") == other


def test_names_are_shown_and_an_unknown_id_stays_as_it_is(office: Office) -> None:
    who = office.who["甲"]
    assert office.look(people.names, [who, "clock"]) == {who: "甲"}
    assert office.look(people.names, []) == {}
    assert office.look(people.name_of, "clock") == "clock"


# Passwords.


def test_a_password_is_kept_as_a_hash_and_fits_only_itself(office: Office) -> None:
    identity = add(office, "zhao", "赵一", password="一个足够长的密码短语 2026")
    with office.database.look(SYSTEM) as work:
        stored = work.db.execute(select(Person.password).where(Person.id == identity)).scalar_one()
    assert stored is not None and stored.startswith("$argon2id$")
    assert people.password_fits(stored, "一个足够长的密码短语 2026")
    assert not people.password_fits(stored, "一个足够长的密码短语 2025")
    with office.database.work(SYSTEM) as work:
        people.set_password(work, identity, "another password")
        renewed = work.db.execute(select(Person.password).where(Person.id == identity)).scalar_one()
    assert people.password_fits(renewed, "another password")
    assert not people.password_fits(renewed, "一个足够长的密码短语 2026")


def test_nobody_signs_in_without_a_password_and_short_ones_are_refused(office: Office) -> None:
    assert not people.password_fits(None, "")
    assert not people.password_fits(None, "anything at all")
    assert not people.password_fits("no hash", "no hash")
    before = office.state()
    for password in ("", "short", "11characters"[:11]):
        with pytest.raises(Unusable, match="12"):
            add(office, "zhao", "赵一", password=password)
    assert office.state() == before


def test_who_has_left_holds_no_role(office: Office) -> None:
    with office.database.work(SYSTEM) as work:
        work.db.execute(update(Person).where(Person.id == office.who["登记员"]).values(active=False))
    assert office.look(people.standing, office.who["登记员"]).roles == frozenset()
    office.start()
    assert office.inbox("登记员") == []
    assert office.inbox("登记员二") == ["review"]


# Substitutes.


def delegate(office: Office, *arguments: Any) -> str:
    """Make a delegation as the administrator."""
    with office.database.work(office.who["管理员"]) as work:
        return people.delegate(work, *arguments)


def test_a_delegation_is_told_with_both_names_and_its_days(office: Office) -> None:
    one, other = office.who["登记员"], office.who["双职"]
    delegate(office, one, other, "registrar", TODAY, TODAY + timedelta(days=7), "住院")
    told = office.last("sys/people")
    assert told["type"] == "delegation.made"
    assert told["data"] == {
        "person": one,
        "substitute": other,
        "role": "registrar",
        "starts_on": "2026-03-02",
        "ends_on": "2026-03-09",
    }
    assert "住院" not in str(told)
    assert office.look(people.standing, other).substitutes == {(one, "registrar")}
    assert office.look(people.standing, one).substitutes == frozenset()


@pytest.mark.parametrize(
    ("principal", "substitute", "role", "days"),
    [
        ("登记员", "登记员", "registrar", 1),
        ("登记员", "登记员二", "registrar", -1),
        ("登记员", "专家一", "registrar", 1),
        ("专家一", "登记员", "registrar", 1),
        ("登记员", "登记员二", "expert", 1),
    ],
    ids=["to oneself", "backwards", "to somebody without the role", "by somebody without it", "in a role of neither"],
)
def test_an_unsound_delegation_is_refused(
    office: Office, principal: str, substitute: str, role: str, days: int
) -> None:
    before = office.state()
    with pytest.raises(Unusable):
        delegate(
            office, office.who[principal], office.who[substitute], role, TODAY, TODAY + timedelta(days=days), "休假"
        )
    assert office.state() == before


def test_a_delegation_is_taken_back_once(office: Office) -> None:
    made = delegate(office, office.who["登记员"], office.who["双职"], "registrar", TODAY, TODAY, "休假")
    with office.database.work(office.who["登记员"]) as work:
        people.end_delegation(work, made)
        assert work.db.execute(select(Delegation)).one_or_none() is None
    before = office.state()
    with pytest.raises(NotFound), office.database.work(SYSTEM) as work:
        people.end_delegation(work, made)
    assert office.state() == before
    assert office.sound()


# Interests.


def recuse(office: Office, reason: str, **what: str) -> None:
    """Declare an interest of the registrar."""
    with office.database.work(office.who["登记员"]) as work:
        people.recuse(work, office.who["登记员"], reason, **what)


def test_an_interest_names_a_case_or_a_party_and_a_reason(office: Office) -> None:
    case = office.start()
    before = office.state()
    refusals: list[tuple[str, dict[str, str]]] = [
        ("亲属", {}), ("亲属", {"case": case, "party": "某公司"}), (" ", {"case": case}), ("", {"party": "某公司"}),
    ]  # fmt: skip
    for reason, what in refusals:
        with pytest.raises(Unusable):
            recuse(office, reason, **what)
    with pytest.raises(NotFound):
        recuse(office, "亲属", case="nothing")
    assert office.state() == before


def test_an_interest_is_kept_with_who_declared_it_and_why(office: Office) -> None:
    case = office.start()
    recuse(office, "  配偶任职  ", party="某公司")
    recuse(office, "亲属", case=case)
    with office.database.look(SYSTEM) as work:
        rows = work.rows(select(Recusal.case, Recusal.party, Recusal.reason, Recusal.declared_by))
    assert {(row["case"], row["party"], row["reason"]) for row in rows} == {
        (None, "某公司", "配偶任职"),
        (case, None, "亲属"),
    }
    assert {row["declared_by"] for row in rows} == {office.who["登记员"]}
    about = office.look(people.standing, office.who["登记员"])
    assert (about.cases, about.parties) == ({case}, {"某公司"})
    assert [body["data"]["party_named"] for body in office.bodies("sys/people")[-2:]] == [True, False]
    assert office.sound()


def test_every_role_of_the_office_is_held_by_whom_it_was_given(office: Office) -> None:
    with office.database.look(SYSTEM) as work:
        rows = {(row.person, row.role) for row in work.db.execute(select(PersonRole.person, PersonRole.role))}
    assert (office.who["双职"], "registrar") in rows and (office.who["双职"], "second_reviewer") in rows
    assert not any(person == office.who["路人"] for person, _ in rows)
