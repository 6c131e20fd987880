"""Commands about cases, work items and people."""

from __future__ import annotations

import json
import sys

import click

from engine import cases, definitions, inbox, people, starting
from engine.cli_base import answer_from, as_json, main, opened, show, somebody, with_references
from engine.config import Config
from engine.errors import NotFound, WrongUsage
from engine.library import Library
from engine.work import SYSTEM, Work


@main.group()
def case() -> None:
    """Cases."""


@case.command("start")
@click.argument("process")
@click.option("--by", required=True, help="Who starts it: login or name.")
@click.option("--with", "source", required=True, help="The answer: a YAML or JSON file, - for stdin.")
@click.pass_obj
def case_start(config: Config, process: str, by: str, source: str) -> None:
    """Start a case and complete its first work item."""
    answer, folder = answer_from(source)
    database = opened(config)
    actor = somebody(database, by)
    with database.look(actor) as work:
        desk, item = starting.begin(work, process, rehearse=True)
        answer = with_references(work, desk.deployed.form(item["process"], item["element"]), answer, folder)
    click.echo(cases.carried_out(database, actor, lambda work: cases.start(work, process, answer)))


@case.command("list")
@as_json
@click.pass_obj
def case_list(config: Config, as_json: bool) -> None:
    """All cases, newest first."""
    with opened(config).look(SYSTEM) as work:
        show(inbox.cases(work, limit=100_000), as_json, "number", "status", "outcome", "process", "title")


@case.command("show")
@click.argument("case")
@as_json
@click.pass_obj
def case_show(config: Config, case: str, as_json: bool) -> None:
    """One case: where it stands and what happened."""
    with opened(config).look(SYSTEM) as work:
        row = dict(inbox.case(work, case))
        items = inbox.items_of(work, row["id"])
        for name in ("state", "scopes"):
            row.pop(name)
        if as_json:
            whole = {**row, "items": [dict(item) for item in items]}
            click.echo(json.dumps(whole, ensure_ascii=False, indent=1, default=str))
            return
        show([row], False, "number", "status", "outcome", "process", "title", "parameters")
        show(items, False, "opened_at", "element", "name_zh", "due", "closed_how")


@main.command("inbox")
@click.argument("person")
@as_json
@click.pass_obj
def inbox_of(config: Config, person: str, as_json: bool) -> None:
    """What a person may take up now."""
    database = opened(config)
    actor = somebody(database, person)
    with database.look(actor) as work:
        show(inbox.tasks_for(work, actor), as_json, "id", "number", "element", "name_zh", "due")


@main.group()
def task() -> None:
    """Work items."""


@task.command("complete")
@click.argument("task")
@click.option("--by", required=True, help="Who completes it: login or name.")
@click.option("--with", "source", required=True, help="The answer: a YAML or JSON file, - for stdin.")
@click.pass_obj
def task_complete(config: Config, task: str, by: str, source: str) -> None:
    """Complete the work item TASK: its id, or CASE/ELEMENT where one of that element is open."""
    answer, folder = answer_from(source)
    database = opened(config)
    actor = somebody(database, by)
    with database.look(actor) as work:
        item = _item(work, task)
        task = item["id"]
        deployed = definitions.deployed(work, inbox.case(work, item["case"])["definition"])
        answer = with_references(work, deployed.form(item["process"], item["element"]), answer, folder)
    click.echo(cases.carried_out(database, actor, lambda work: cases.complete(work, task, answer)))


def _item(work: Work, named: str) -> inbox.Row:
    """A work item by its id, or as ``CASE/ELEMENT`` by where it stands open. NotFound; WrongUsage where several do."""
    case, slash, element = named.partition("/")
    if not slash:
        return inbox.task(work, named)
    items = inbox.items_of(work, inbox.case(work, case)["id"])
    found = [each for each in items if each["element"] == element and each["closed_at"] is None]
    if not found:
        raise NotFound(f"案卷 {case} 没有打开的待办 {element}", f"no work item {element} is open in case {case}")
    if len(found) > 1:
        raise WrongUsage(f"案卷 {case} 有 {len(found)} 个打开的待办 {element}：请写其编号",
                         f"{len(found)} work items {element} are open in case {case}: name one by its id")
    return inbox.task(work, found[0]["id"])


@main.group()
def person() -> None:
    """People."""


@person.command("add")
@click.argument("login")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role code; may be repeated.")
@click.option("--organisation", default="")
@click.option("--password-stdin", is_flag=True, help="Read a password from the first line of stdin.")
@click.pass_obj
def person_add(
    config: Config, login: str, name: str, roles: tuple[str, ...], organisation: str, password_stdin: bool
) -> None:
    """Add a person who may sign in as LOGIN and is shown as NAME."""
    unknown = [role for role in roles if role not in Library.standing().vocabulary().roles]
    if unknown:
        raise WrongUsage(f"没有角色 {'、'.join(unknown)}", f"there is no role {', '.join(unknown)}")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with opened(config).work(SYSTEM) as work:
        click.echo(people.add(work, login, name, roles, organisation=organisation, password=password))
