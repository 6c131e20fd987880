"""Commands about what people may do: their roles, and who stands in for whom (委托)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime

import click

from engine import cases, people, substitutes
from engine.cli_base import as_json, opened, show, somebody
from engine.cli_cases import person
from engine.config import Config
from engine.errors import WrongUsage
from engine.library import Library
from engine.people import names
from engine.work import BEIJING, SYSTEM, Work

DAY = click.DateTime(["%Y-%m-%d"])


@person.command("grant")
@click.argument("person")
@click.argument("role")
@click.pass_obj
def person_grant(config: Config, person: str, role: str) -> None:
    """Give PERSON (login or name) a ROLE."""
    if role not in Library.standing().vocabulary().roles:
        raise WrongUsage(f"没有角色 {role}", f"there is no role {role}")
    _change(config, person, lambda work, holder: people.grant(work, holder, role))


@person.command("revoke")
@click.argument("person")
@click.argument("role")
@click.pass_obj
def person_revoke(config: Config, person: str, role: str) -> None:
    """Take a ROLE from PERSON (login or name)."""
    _change(config, person, lambda work, holder: people.revoke(work, holder, role))


@person.command("password")
@click.argument("person")
@click.pass_obj
def person_password(config: Config, person: str) -> None:
    """Give PERSON (login or name) the password on the first line of stdin."""
    _change(config, person, lambda work, holder: people.set_password(work, holder, sys.stdin.readline().rstrip("\n")))


@person.command("deactivate")
@click.argument("person")
@click.pass_obj
def person_deactivate(config: Config, person: str) -> None:
    """Let PERSON (login or name), who has left, do nothing any more."""
    _change(config, person, people.deactivate)


def _change(config: Config, person: str, verb: Callable[[Work, str], None]) -> None:
    """What whoever runs the machine does to somebody."""
    database = opened(config)
    subject = somebody(database, person)
    with database.work(SYSTEM) as work:
        verb(work, subject)


@person.command("substitute")
@click.argument("person")
@click.argument("substitute")
@click.option("--role", required=True, help="The role in which they stand in; both hold it.")
@click.option("--from", "starts_on", type=DAY, help="The first day (default: today).")
@click.option("--to", "ends_on", type=DAY, required=True, help="The last day.")
@click.option("--reason", required=True)
@click.pass_obj
def person_substitute(
    config: Config, person: str, substitute: str, role: str, starts_on: datetime | None, ends_on: datetime, reason: str
) -> None:
    """Let SUBSTITUTE act for PERSON in a role, both days included; both are logins or names."""
    database = opened(config)
    other = somebody(database, substitute)

    def named(work: Work) -> str:
        first = _day(starts_on) if starts_on else work.today
        return substitutes.name_substitute(work, other, role, first, _day(ends_on), reason)

    click.echo(cases.carried_out(database, somebody(database, person), named))


@person.command("substitutes")
@click.argument("person")
@as_json
@click.pass_obj
def person_substitutes(config: Config, person: str, as_json: bool) -> None:
    """Who stands in for PERSON, and for whom PERSON does, from today on."""
    database = opened(config)
    with database.look(somebody(database, person)) as work:
        rows = substitutes.own(work)
        known = names(work, {row[side] for row in rows for side in ("person", "substitute")})
    said = [{**row, "person": known[row["person"]], "substitute": known[row["substitute"]]} for row in rows]
    show(said, as_json, "id", "person", "substitute", "role", "starts_on", "ends_on", "reason")


@person.command("resume")
@click.argument("delegation")
@click.option("--by", required=True, help="Whoever is stood in for, or the substitute: login or name.")
@click.pass_obj
def person_resume(config: Config, delegation: str, by: str) -> None:
    """End a delegation at once, by its id."""
    database = opened(config)
    cases.carried_out(database, somebody(database, by), lambda work: substitutes.take_back(work, delegation))


def _day(said: datetime) -> date:
    return said.replace(tzinfo=BEIJING).date()
