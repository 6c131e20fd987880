"""Commands that mend: incidents of running cases, and cases that move to another version."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import click

from engine import cases, incidents, migration
from engine.cli_base import as_json, main, opened, show, somebody
from engine.config import Config
from engine.errors import Refusal
from engine.work import SYSTEM


@main.group()
def incident() -> None:
    """Cases that stand still because an automatic step could not be done."""


@incident.command("list")
@as_json
@click.pass_obj
def incident_list(config: Config, as_json: bool) -> None:
    """The open incidents, oldest first."""
    with opened(config).look(SYSTEM) as work:
        show(incidents.standing_still(work), as_json, "id", "number", "element", "tries", "zh", "en")


@incident.command("retry")
@click.argument("incident")
@click.option("--by", required=True, help="An administrator: login or name.")
@click.pass_obj
def incident_retry(config: Config, incident: str, by: str) -> None:
    """Try the step again."""
    database = opened(config)
    done = cases.carried_out(database, somebody(database, by), lambda work: incidents.retry(work, incident))
    click.echo("ok" if done else "still standing", err=not done)
    sys.exit(0 if done else 1)


@incident.command("correct")
@click.argument("incident")
@click.argument("name")
@click.argument("value")
@click.option("--by", required=True, help="An administrator: login or name.")
@click.option("--reason", required=True)
@click.pass_obj
def incident_correct(config: Config, incident: str, name: str, value: str, by: str, reason: str) -> None:
    """Give the variable NAME the VALUE (an expression); then retry."""
    database = opened(config)
    who = somebody(database, by)
    cases.carried_out(database, who, lambda work: incidents.correct(work, incident, name, value, reason))


@incident.command("skip")
@click.argument("incident")
@click.option("--by", required=True, help="An administrator: login or name.")
@click.option("--reason", required=True)
@click.pass_obj
def incident_skip(config: Config, incident: str, by: str, reason: str) -> None:
    """Let the case go on without the step: proposed by one administrator, done by a second."""
    database = opened(config)
    done = cases.carried_out(database, somebody(database, by), lambda work: incidents.skip(work, incident, reason))
    click.echo("skipped" if done else "proposed; another administrator has to confirm it")


@main.command()
@click.argument("process")
@click.argument("chosen", nargs=-1, metavar="[CASE]...")
@click.option("--to", "number", type=int, help="The version to move to (default: the newest).")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="A live element that is called otherwise there.")
@click.option("--by", help="A process owner or administrator: login or name.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen to each running case.")
@as_json
@click.pass_obj
def migrate(
    config: Config,
    process: str,
    chosen: Sequence[str],
    number: int | None,
    pairs: Sequence[str],
    by: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move running cases of PROCESS to another version of it."""
    if not dry_run and by is None:
        raise click.UsageError("say by whom (--by), or only look (--dry-run)")
    if any("=" not in pair for pair in pairs):
        raise click.UsageError("write --map OLD=NEW")
    renamed = dict(pair.split("=", 1) for pair in pairs)
    database = opened(config)
    with database.look(SYSTEM) as work:
        to = migration.version(work, process, number)
        found = [migration.case_id(work, case) for case in chosen] or migration.running(work, process, to)
    rows: list[dict[str, Any]] = []
    for case in found:
        with database.look(SYSTEM) as work:
            seen = migration.prospect(work, case, to, renamed)
        stands = [str(text) for text in seen.obstacles]
        if not stands and not dry_run:
            try:
                move = partial(migration.migrate, case=case, to=to, renamed=renamed)
                cases.carried_out(database, somebody(database, by or ""), move)
            except Refusal as refusal:
                stands = [str(refusal.text)]
        rows.append(_row(seen, stands, moved=not stands and not dry_run))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            click.echo(_line(row))
    sys.exit(0 if all(row["possible"] for row in rows) else 1)


def _row(seen: migration.Prospect, obstacles: list[str], *, moved: bool) -> dict[str, Any]:
    return {
        "id": seen.case,
        "number": seen.number,
        "from": seen.version,
        "to": seen.to,
        "moved": moved,
        "possible": not obstacles,
        "obstacles": obstacles,
        "stands": [{"element": old, "becomes": new} for old, new in seen.stands],
        "armed": seen.armed,
        "disarmed": seen.disarmed,
        "goes_on": seen.goes_on,
    }


def _line(row: Mapping[str, Any]) -> str:
    """One case in one line: where it stands, as that is called in the new version, and what else becomes of it."""
    if row["obstacles"]:
        return f"{row['number']}  {'; '.join(row['obstacles'])}"
    stands = [
        each["element"] if each["element"] == each["becomes"] else f"{each['element']} → {each['becomes']}"
        for each in row["stands"]
    ]
    more = [f"{word} {', '.join(row[key])}" for key, word in _WORDS.items() if row[key]]
    return "; ".join([f"{row['number']}  {row['from']} → {row['to']}  {', '.join(stands)}", *more])


_WORDS = {"armed": "now also awaited:", "disarmed": "no longer awaited:", "goes_on": "goes on at:"}
