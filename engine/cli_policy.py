"""Commands about policy texts: import them, list them, and check that what is quoted stands in them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from engine import policies
from engine.cli_base import as_json, main, opened, show, somebody
from engine.config import Config
from engine.packages import file_at
from engine.work import SYSTEM


@main.group()
def policy() -> None:
    """Policy texts that processes rest on."""


@policy.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--code", help="The code of the text (policies.yaml) [the first three signs of the file's name].")
@click.option("--by", metavar="PERSON", help="Who imports it (login or name) [the system].")
@click.pass_obj
def policy_import(config: Config, files: tuple[Path, ...], code: str | None, by: str | None) -> None:
    """Keep FILES (UTF-8 text) as the newest versions of policy texts; exit 1 if a quote does not stand in its text."""
    if code and len(files) > 1:
        raise click.UsageError("--code goes with one file")
    database = opened(config)
    who = somebody(database, by) if by else SYSTEM
    wrong = 0
    for path in files:
        with database.work(who) as work:
            digest, misquoted = policies.import_text(work, code or path.name[:3], path.name, file_at(path))
        click.echo(f"{path.name}  {digest}")
        for each in misquoted:
            click.echo(f"  引文与原文不符 · the quote does not stand in the text: {each}", err=True)
        wrong += len(misquoted)
    sys.exit(1 if wrong else 0)


@policy.command("list")
@as_json
@click.pass_obj
def policy_list(config: Config, as_json: bool) -> None:
    """The texts that the library cites, and which version of each is imported."""
    with opened(config).look(SYSTEM) as work:
        known = {row["code"]: row for row in policies.imported(work)}
    rows = []
    for source in policies.sources().values():
        row = known.get(source.code, {})
        about = {"id": source.code, "kind": source.kind, "zh": source.name.zh, "en": source.name.en}
        rows.append({**about, "version": row.get("number"), "sha256": row.get("sha256"), "file": row.get("name")})
    show(rows, as_json, "id", "kind", "version", "zh")


@policy.command("check")
@click.pass_obj
def policy_check(config: Config) -> None:
    """Compare every quote of the library with the imported texts, word for word; exit 1 if one does not stand there."""
    with opened(config).look(SYSTEM) as work:
        missing, wrong = [], []
        for code in policies.sources():
            row = policies.newest(work, code)
            if row is None:
                missing.append(code)
            else:
                wrong += policies.misquoted(row["content"], code)
    for code in missing:
        click.echo(f"{code}: 尚未导入，未核对 · not imported, not checked")
    for each in wrong:
        click.echo(f"{each}: 引文与原文不符 · the quote does not stand in the text", err=True)
    sys.exit(1 if wrong else 0)
