"""Commands about what comes from outside: messages to a case or to begin one, signals, and what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from engine import cases, definitions, inbox, signals, start_events, starting
from engine.cli_base import answer_from, as_json, main, opened, show, somebody, with_references
from engine.config import Config
from engine.desk import Desk
from engine.work import SYSTEM, Work
from forms.form import Form


@main.group()
def message() -> None:
    """Messages from outside."""


@message.command("send")
@click.argument("name")
@click.option("--by", required=True, help="Who sends it: login or name.")
@click.option("--with", "source", help="The answer of its form: a YAML or JSON file, - for stdin.")
@click.option("--case", help="The case that awaits it; without one it starts a case.")
@click.option("--process", help="The process whose case it starts, where several are started by it.")
@click.option("--key", help="The correlation key.")
@click.pass_obj
def message_send(
    config: Config, name: str, by: str, source: str | None, case: str | None, process: str | None, key: str | None
) -> None:
    """Send the message NAME, which starts a case or comes to one that awaits it."""
    given, folder = answer_from(source) if source else ({}, Path())
    database = opened(config)
    actor = somebody(database, by)
    with database.look(actor) as work:
        row = inbox.case(work, case) if case else None
        form = _awaited(work, row, name) if row else _asked(work, name, process)
        answer = with_references(work, form, given, folder) if form else given

    def sent(work: Work) -> str:
        if row is None:
            return starting.by_message(work, name, answer, process)
        if name == cases.WITHDRAW:
            return cases.withdraw(work, row["id"], answer)
        return cases.send(work, row["id"], name, answer, key)

    click.echo(cases.carried_out(database, actor, sent))


def _asked(work: Work, name: str, process: str | None) -> Form | None:
    """The form of the message that starts a case, if it has one."""
    start = start_events.awaited(work, name, process)
    deployed = definitions.deployed(work, start["definition"])
    asked = deployed.diagram.elements[start["element"]].policy.get("form")
    return deployed.form(deployed.process, start["element"]) if asked else None


def _awaited(work: Work, row: Mapping[str, Any], name: str) -> Form | None:
    """The form of the message that a case awaits, if it does and has one."""
    desk = Desk.thawed(work, row)
    for waiting in reversed(desk.instance.waiting()):
        event = waiting.element.event
        if event and event.name == name and waiting.element.policy.get("form"):
            return desk.deployed.form(waiting.process, waiting.element.id)
    return None


@main.group()
def signal() -> None:
    """Signals from outside."""


@signal.command("send")
@click.argument("name")
@click.option("--by", required=True, help="Who sends it, a process owner or administrator: login or name.")
@click.pass_obj
def signal_send(config: Config, name: str, by: str) -> None:
    """Send the signal NAME to every case and start event that waits for it; says how many."""
    database = opened(config)
    click.echo(str(cases.carried_out(database, somebody(database, by), lambda work: signals.send(work, name))))


@main.group()
def start() -> None:
    """What starts cases by itself or by a message."""


@start.command("list")
@as_json
@click.pass_obj
def start_list(config: Config, as_json: bool) -> None:
    """Every start event that waits: for what, when it comes next, and why it could not start a case."""
    with opened(config).look(SYSTEM) as work:
        rows = [{"id": f"{row['process']}/{row['element']}", **row} for row in start_events.standing(work)]
    show(rows, as_json, "id", "kind", "name", "trigger", "due", "en")
