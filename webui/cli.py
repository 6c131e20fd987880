"""The command line with its one command that needs the pages: ``serve``. All others are the engine's."""

from __future__ import annotations

import sys

import click

from engine import demo as demos
from engine import plugged
from engine.cli import main
from engine.cli_base import opened
from engine.config import Config
from engine.errors import WrongUsage
from engine.people import everybody
from engine.work import SYSTEM, Database
from webui.serve import run

__all__ = ["main", "serve"]

DEMO_CASES = 12


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0 takes any free one.")
@click.option(
    "--demo", "number", type=click.IntRange(0, 100_000), metavar="N", help="Play N cases into a new demo [12]."
)
@click.option("--no-demo", is_flag=True, help="Real work: everybody signs in with a password.")
@click.option("--no-worker", is_flag=True, help="Leave the clock to other processes (worker).")
@click.option("--no-signer", is_flag=True, help="Leave sealing to another process (signer).")
@click.pass_obj
def serve(
    config: Config, *, host: str, port: int, number: int | None, no_demo: bool, no_worker: bool, no_signer: bool
) -> None:
    """Serve the pages, with the clock and the signer beside them, until told to stop.

    A database in which nobody has been entered becomes a demonstration: made-up people whom anybody can be.
    """
    if no_demo and number is not None:
        raise click.UsageError("--demo and --no-demo exclude each other")
    plugged.operations()  # one that cannot be used is said now, not when a case comes to it
    database = opened(config)
    demo = not no_demo and is_free(database)
    if number is not None and not demo:
        raise WrongUsage(
            "数据库中已登记真实人员，不能作演示之用；请去掉 --demo，或另用一个数据库",
            "real people are entered in this database, so it cannot be a demonstration; name another one",
        )
    if demo:
        prepare(config, DEMO_CASES if number is None else number)
    run(database, host, port, demo=demo, worker=not no_worker, signer=None if no_signer else config.signer)


def is_free(database: Database) -> bool:
    """Whether nobody but the people of a demonstration is entered in a database."""
    with database.look(SYSTEM) as work:
        return all(str(one["login"]).startswith(demos.DEMO) for one in everybody(work))


def prepare(config: Config, number: int) -> None:
    """Make the database a demonstration, once, showing how far it is."""
    with click.progressbar(length=number, label="demo", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        demos.prepare(config.database, number, told=lambda _: bar.update(1))
