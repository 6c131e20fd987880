"""Commands about registers (台账): which there are, and one of them as a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import click

from engine import registers, spreadsheets
from engine.cli_base import as_json, main, opened, show, somebody
from engine.config import Config
from engine.errors import NotFound, WrongUsage
from engine.library import Library
from engine.work import SYSTEM
from forms.words import Language


@main.group()
def register() -> None:
    """The registers that all processes share."""


@register.command("list")
@as_json
@click.pass_obj
def register_list(config: Config, as_json: bool) -> None:
    """The registers, with how many records each has."""
    with opened(config).look(SYSTEM) as work:
        rows = [
            {"id": kind.code, "zh": kind.zh, "en": kind.en, "records": registers.count(work, kind.code)}
            for kind in Library.standing().vocabulary().registers.values()
        ]
    show(rows, as_json, "id", "records", "zh", "en")


@register.command("export")
@click.argument("name")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="FILE.xlsx|.csv")
@click.option("--words", default="", help="Only records that hold these words.")
@click.option("--all-versions", "every", is_flag=True, help="Every version of them, not only the newest.")
@click.option("--by", help="What this person may see; without it, all but what is personal or secret.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.pass_obj
def register_export(
    config: Config, name: str, output: Path, words: str, every: bool, by: str | None, language: Language
) -> None:
    """Write the register NAME as a spreadsheet."""
    kind = Library.standing().vocabulary().registers.get(name)
    if kind is None:
        raise NotFound(f"没有台账“{name}”", f"there is no register {name!r}")
    if output.suffix not in {".xlsx", ".csv"}:
        raise WrongUsage("文件名应以 .xlsx 或 .csv 结尾", "the file should end in .xlsx or .csv")
    database = opened(config)
    sort: spreadsheets.Sort = "csv" if output.suffix == ".csv" else "xlsx"
    try:
        with database.look(somebody(database, by) if by else SYSTEM) as work, output.open("wb") as file:
            count = spreadsheets.write(work, kind, file, sort, language, words=words, every=every)
    except OSError as error:
        raise WrongUsage(f"无法写入“{output}”：{error}", f"cannot write {str(output)!r}: {error}") from error
    click.echo(f"{output}  {count}")
