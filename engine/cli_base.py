"""What all commands share: the group, its exit codes, the database it opens, answers from files, rows as lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from engine import definitions, people, schema
from engine.config import Config
from engine.errors import Contended, Invalid, Refusal, Unusable, WrongUsage
from engine.work import SYSTEM, Database, Work
from forms.form import convert_references
from forms.owned_yaml import load
from forms.values import PersonRef
from forms.words import Unfit


class Sentences(click.Group):
    """Turns refusals into a sentence on stderr and the exit code."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; an ordinary no is exit 1, something unreadable exit 2."""
        try:
            return super().invoke(context)
        except Unfit as unfit:
            for finding in unfit.findings:
                click.echo(str(finding), err=True)
            context.exit(1)
        except Invalid as invalid:
            for problem in invalid.problems:
                click.echo(f"{problem.path}: {problem.text}", err=True)
            context.exit(1)
        except WrongUsage as wrong:
            click.echo(str(wrong.text), err=True)
            context.exit(2)
        except (Refusal, Contended) as refusal:
            click.echo(str(refusal.text), err=True)
            context.exit(1)


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--database", metavar="URL", help="Database URL or SQLite path (LIUHEN_DATABASE_URL).")
@click.pass_context
def main(context: click.Context, database: str | None) -> None:
    """留痕 Liuhen: policy processes, run and recorded."""
    context.obj = Config.read(database)


def connected(config: Config) -> Database:
    """The database of this installation as it is, for as long as the command lasts."""
    database = Database(config.database)
    command = click.get_current_context(silent=True)
    if command is not None:
        command.call_on_close(database.close)
    return database


def opened(config: Config) -> Database:
    """The database of this installation; made and brought up to date first, the library deployed when it is new.

    One that is up to date but lacks a fence is refused: somebody took it down, and that must not go unnoticed.
    """
    database = connected(config)
    try:
        with database.look(SYSTEM) as work:
            current = schema.revision(work.db) == schema.newest_revision()
            if current:
                schema.check(work.db)
    except DBAPIError as error:
        raise Unusable(f"无法打开数据库：{error.orig}", f"the database cannot be opened: {error.orig}") from error
    if not current:
        schema.upgrade(config.database)
    with database.work(SYSTEM) as work:
        if not definitions.in_force(work):
            definitions.deploy_library(work)
    return database


def show(rows: Iterable[Mapping[str, Any]], as_json: bool, *columns: str) -> None:
    """Rows as JSON objects, or the named columns in lines."""
    listed = [dict(row) for row in rows]
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1, default=str))
        return
    for row in listed:
        click.echo("  ".join(str(row[column] if row[column] is not None else "-") for column in columns))


def answer_from(source: str) -> tuple[dict[str, Any], Path]:
    """An answer from a YAML or JSON file (``-`` is stdin), and the folder its files are named from."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"无法读取“{source}”：{error}", f"cannot read {source!r}: {error}") from error
    try:
        loaded = load(text, source)
    except Unfit as unfit:
        raise WrongUsage(str(unfit), str(unfit)) from unfit
    if not isinstance(loaded, dict):
        raise WrongUsage(f"“{source}”应是一张“键: 值”的表", f"{source!r} should be a mapping")
    return loaded, Path() if source == "-" else Path(source).parent


def with_references(work: Work, form: Any, answer: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The answer with people by their logins or names, and files read from beside it."""

    def file(named: Any) -> Any:
        path = folder / str(named["file"])
        try:
            return {"file": path.name, "data": path.read_bytes()}
        except OSError as error:
            raise WrongUsage(f"无法读取“{path}”：{error}", f"cannot read {str(path)!r}: {error}") from error

    return convert_references(form, answer, lambda name: PersonRef(people.find(work, name)), file)


as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")


def somebody(database: Database, who: str) -> str:
    """A person's id by login or name."""
    with database.look(SYSTEM) as work:
        return people.find(work, who)
