"""The command ``conform``: replays cases on their own versions, or tries another version or a package on them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from engine import definitions, inbox
from engine.cli_base import as_json, main, opened
from engine.config import Config
from engine.conformance import conforms
from engine.definitions import Deployed
from engine.library import Library, package_at
from engine.migration import version
from engine.replay import Conformance
from engine.trying import KINDS, WHYS, draft, named, verdict
from engine.work import SYSTEM, Work

MOST_CASES = 100_000


@main.command("conform")
@click.argument("cases", nargs=-1)
@click.option("--process", help="Every closed case of this process.")
@click.option("--to", "to", metavar="VERSION|PACKAGE", help="Try another version, by its number, or a package on them.")
@as_json
@click.pass_obj
def conform(config: Config, cases: tuple[str, ...], process: str | None, to: str | None, as_json: bool) -> None:
    """Replay cases on the diagrams they ran under and show every deviation; exit 1 if there is any.

    With --to it is asked whether they would have gone the same way on another version, or on a package that is not
    deployed: which steps it would not have allowed, and which it would have demanded.
    """
    if not cases and process is None:
        raise click.UsageError("name cases, or --process")
    database = opened(config)
    with database.look(SYSTEM) as work:
        chosen = [inbox.case(work, case) for case in cases]
        if process is not None:
            chosen += inbox.cases(work, process=process, status="closed", limit=MOST_CASES)
        others: dict[str, Deployed] = {}
        found = []
        for row in chosen:
            if to is not None and row["process"] not in others:
                others[row["process"]] = _other(work, row["process"], to)
            other = others.get(row["process"])
            came = conforms(work, row["id"], other)
            found.append((came, [other or _version(work, row["process"], each) for each in came.versions]))
    rows = [_row(each, on) for each, on in found]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            _say(row)
    sys.exit(0 if all(each.conforms for each, _ in found) else 1)


def _other(work: Work, process: str, to: str) -> Deployed:
    """The version to try: of this number, or what lies in a folder, zip or file."""
    if to.isdigit():
        return _version(work, process, int(to))
    return draft(work, package_at(Path(to)), Library.standing().vocabulary())


def _version(work: Work, process: str, number: int) -> Deployed:
    return definitions.deployed(work, version(work, process, number))


def _row(found: Conformance, versions: Sequence[Deployed]) -> dict[str, Any]:
    said = verdict(found)
    deviations = [
        {
            "seq": each.seq,
            "version": part.version,
            "why": each.why,
            "kind": each.step.kind,
            "process": each.step.process,
            "element": each.step.element,
            "zh": f"{KINDS[each.step.kind].zh}“{named(on, each.step).zh}”：{WHYS[each.why].zh}",
            "en": f"{KINDS[each.step.kind].en}: {named(on, each.step).en}: {WHYS[each.why].en}",
        }
        for part, on in zip(found.parts, versions, strict=True)
        for each in part.deviations
    ]
    choices = [
        {
            "seq": each.seq,
            "version": part.version,
            "process": each.process,
            "element": each.element,
            "taken": list(each.taken),
            "expected": [list(flows) for flows in each.expected],
        }
        for part in found.parts
        for each in part.ruled
    ]
    about = {"id": found.case, "number": found.number, "process": found.process, "versions": list(found.versions)}
    return {
        **about,
        "conforms": found.conforms if found.cost is not None else None,
        "cost": found.cost,
        "steps": len(found.told),
        "agree": found.sound,
        "zh": said.zh,
        "en": said.en,
        "deviations": deviations,
        "choices": choices,
    }


def _say(row: dict[str, Any]) -> None:
    click.echo(f"{row['number']}  {row['zh']} / {row['en']}")
    for each in row["deviations"]:
        click.echo(f"  #{each['seq']}  {each['element']}  {each['zh']} / {each['en']}")
    for each in row["choices"]:
        taken, expected = ", ".join(each["taken"]), " | ".join(", ".join(flows) for flows in each["expected"])
        click.echo(
            f"  #{each['seq']}  {each['element']}  {taken}，按条件应为 {expected} / by the conditions {expected}"
        )
