"""Commands of compliance: erase personal data by law, and archive closed cases into a folder."""

from __future__ import annotations

from pathlib import Path

import click

from engine import cases
from engine.archive import archive
from engine.cli_base import main, opened, somebody
from engine.config import Config
from engine.erasing import erase
from engine.work import SYSTEM


@main.group()
def privacy() -> None:
    """Personal data."""


@privacy.command("erase")
@click.argument("person")
@click.option("--by", metavar="PERSON", required=True, help="Who erases it (compliance officer or administrator).")
@click.option("--approved-by", metavar="PERSON", required=True, help="Who approved it: somebody else of these roles.")
@click.option("--reason", required=True, help="The legal basis of the erasure.")
@click.pass_obj
def privacy_erase(config: Config, person: str, by: str, approved_by: str, reason: str) -> None:
    """Destroy the key of PERSON's personal and secret answers and files, when all their cases are closed.

    Prints how many values and files can no longer be read, and how many older files stay readable.
    """
    database = opened(config)
    who, subject, approver = (somebody(database, each) for each in (by, person, approved_by))
    made = cases.carried_out(database, who, lambda work: erase(work, subject, approver, reason))
    click.echo(" ".join(f"{name}={count}" for name, count in made._asdict().items()))


@main.command("archive")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--by", metavar="PERSON", help="Who archives (login or name) [the system].")
@click.pass_obj
def archive_command(config: Config, folder: Path, by: str | None) -> None:
    """Write the bundles of all closed cases into FOLDER, each once, with an index of hashes and retention days."""
    database = opened(config)
    who = somebody(database, by) if by else SYSTEM
    for number in archive(database, folder, who, told=lambda number: click.echo(number, err=True)):
        click.echo(number)
