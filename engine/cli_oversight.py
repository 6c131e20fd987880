"""The command of oversight: searches all cases as its page does."""

from __future__ import annotations

from typing import Any

import click

from engine import oversight
from engine.cli_base import as_json, main, opened, show
from engine.config import Config
from engine.oversight import PERIODS, SORTS, STATES
from engine.trail.deeds import MARKS
from engine.work import SYSTEM


@main.command("oversight")
@click.option("--words", default="", help="In the number or title.")
@click.option("--person", default="", help="Who acted, or for whom: login or name.")
@click.option("--role", default="", help="In which role.")
@click.option("--clause", default="", help="Under a clause that contains this.")
@click.option("--process", default="")
@click.option("--state", type=click.Choice(STATES))
@click.option("--least", default="", help="The least amount, in yuan.")
@click.option("--most", default="", help="The largest amount, in yuan.")
@click.option("--since", default="", metavar="DAY")
@click.option("--until", default="", metavar="DAY")
@click.option("--period", type=click.Choice(PERIODS), help="What happened in it [opened].")
@click.option("--finding", multiple=True, type=click.Choice(tuple(MARKS)), help="Any one of these.")
@click.option("--sort", type=click.Choice(SORTS))
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1_000, show_default=True)
@as_json
@click.pass_obj
def oversee(config: Config, /, limit: int, as_json: bool, **given: Any) -> None:
    """Search all cases by person, role, clause, amount, period and findings."""
    asked = {name: list(said) if isinstance(said, tuple) else [said] for name, said in given.items() if said}
    with opened(config).look(SYSTEM) as work:
        rows, _ = oversight.found(work, oversight.understood(work, asked), limit=limit)
        marks = oversight.marks_of(work, [row["id"] for row in rows])
    listed = [{**row, "findings": marks.get(row["id"], {})} for row in rows]
    for row in listed if not as_json else ():
        row["findings"] = ",".join(row["findings"]) or None
    show(listed, as_json, "number", "status", "amount_fen", "process", "title", "findings")
