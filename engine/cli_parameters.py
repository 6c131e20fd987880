"""Commands about the configurable values: which sets there are, what is in force, and what each value rests on."""

from __future__ import annotations

import json
from typing import Any

import click

from engine import inbox, parameter_sets
from engine.adoption import Shown, shown
from engine.cli_base import as_json, main, opened
from engine.config import Config
from engine.parameter_sets import ValueSet
from engine.work import SYSTEM, Work
from forms.words import Text


@main.group()
def parameters() -> None:
    """The configurable values; a case of policy_adoption changes them, and nothing else."""


@parameters.command("show")
@as_json
@click.pass_obj
def parameters_show(config: Config, *, as_json: bool) -> None:
    """The sets of values, and the values of the set in force with unit, bounds and what they rest on."""
    with opened(config).look(SYSTEM) as work:
        current = parameter_sets.in_force(work)
        sets = parameter_sets.all_sets(work)
        rows = [_row(work, each, current) for each in sets]
        values = next(shown(each) for each in sets if each.id == current)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        mark = "*" if row["in_force"] else " "
        click.echo(f"{mark} {row['id']}  {row['effective_from']}  {row['adopted_by'] or '-'}")
    for value in values:
        click.echo(_line(value))


def _row(work: Work, one: ValueSet, current: str) -> dict[str, Any]:
    """A set as JSON, with all its values."""
    by = inbox.case(work, one.adopted_by)["number"] if one.adopted_by else None
    about = {"id": one.id, "number": one.number, "effective_from": one.effective_from.isoformat(), "adopted_by": by}
    return {**about, "in_force": one.id == current, "values": [_value(each) for each in shown(one)]}


def _value(each: Shown) -> dict[str, Any]:
    parameter = each.parameter
    return {
        "key": parameter.key,
        "value": each.value,
        "unit": parameter.unit,
        "said": _both(parameter.said(each.value)),
        "about": _both(parameter.about),
        "fixed": parameter.fixed,
        "floor": parameter.floor,
        "bound": _both(parameter.bound),
        "origin": parameter.origin,
        "source": parameter.source,
        "label": _both(each.label),
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _line(each: Shown) -> str:
    parameter = each.parameter
    parts = [parameter.key, parameter.said(each.value).zh, parameter.bound.zh, each.label.zh, parameter.source]
    return "  ".join(part for part in parts if part)
