"""Commands about the record of a case: its duties, what is added to past steps, and its suspension."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine import cases, evidence, inbox, suspending
from engine.cli_base import as_json, opened, show, somebody
from engine.cli_cases import case as group
from engine.config import Config
from engine.errors import NotFound, WrongUsage
from engine.facts import named
from engine.people import name_of
from engine.trail import duties
from engine.work import SYSTEM, Work

BY = click.option("--by", required=True, help="Who does it: login or name.")
REASON = click.option("--reason", required=True, help="In words.")


def _case(work: Work, said: str) -> str:
    """The id of a case by id or number."""
    return str(inbox.case(work, said)["id"])


@group.command("suspend")
@click.argument("case")
@click.option("--for", "cause", required=True, type=click.Choice(list(suspending.CAUSES)))
@REASON
@BY
@click.pass_obj
def case_suspend(config: Config, case: str, cause: str, reason: str, by: str) -> None:
    """Suspend a case: nothing in it can be completed and its clock stands still."""
    database = opened(config)
    who = somebody(database, by)
    cases.carried_out(database, who, lambda work: suspending.suspend(work, _case(work, case), cause, reason))


@group.command("resume")
@click.argument("case")
@REASON
@BY
@click.pass_obj
def case_resume(config: Config, case: str, reason: str, by: str) -> None:
    """Let a suspended case go on; its deadlines have moved by the time it stood still."""
    database = opened(config)
    cases.carried_out(database, somebody(database, by), lambda work: suspending.resume(work, _case(work, case), reason))


@group.command("duties")
@click.argument("case")
@as_json
@click.pass_obj
def case_duties(config: Config, case: str, as_json: bool) -> None:
    """The four duties of a case with their facts: present, late or missing."""
    with opened(config).look(SYSTEM) as work:
        rows = []
        for duty in duties.matrix(duties.record(work, _case(work, case))):
            for fact in duty.facts:
                last = fact.last
                rows.append({
                    "id": fact.fact, "duty": duty.duty, "conclusion": duties.WORDS[duty.status].zh,
                    "fact": named(fact.fact).zh, "status": fact.status, "hard": fact.hard, "element": last.element,
                    "person": name_of(work, last.person), "at": last.at.isoformat(), "documents": list(last.documents),
                })  # fmt: skip
        if as_json:
            click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            show(rows, False, "duty", "conclusion", "id", "fact", "status", "element", "person")


@group.command("evidence")
@click.argument("case")
@click.argument("element")
@click.option("--fact", "facts", multiple=True, help="The code of a fact of that step; may be repeated.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="A document.")
@REASON
@BY
@click.pass_obj
def case_evidence(
    config: Config, case: str, element: str, facts: tuple[str, ...], path: Path | None, reason: str, by: str
) -> None:
    """Add late evidence to the last time ELEMENT was done in a case."""
    database, file = opened(config), None
    if path is not None:
        try:
            file = (path.name, path.read_bytes())
        except OSError as error:
            raise WrongUsage(f"无法读取“{path}”：{error}", f"cannot read {str(path)!r}: {error}") from error

    def added(work: Work) -> None:
        known = _case(work, case)
        past = [each for each in evidence.steps(work, known) if each.element == element]
        if not past:
            raise NotFound(f"案卷没有办过“{element}”", f"{element!r} was not passed in this case")
        evidence.add(work, known, past[-1].seq, facts, reason, file)

    cases.carried_out(database, somebody(database, by), added)


@group.command("correct")
@click.argument("case")
@click.argument("element")
@click.argument("field")
@click.argument("value")
@REASON
@BY
@click.pass_obj
def case_correct(config: Config, case: str, element: str, field: str, value: str, reason: str, by: str) -> None:
    """Put on record that FIELD of the last answer at ELEMENT should be VALUE; the answer itself stays."""
    database = opened(config)

    def corrected(work: Work) -> None:
        known = _case(work, case)
        given = [row for row in inbox.submissions(work, known) if row["element"] == element]
        if not given:
            raise NotFound(f"案卷没有“{element}”的填报", f"there is no answer at {element!r} in this case")
        evidence.correct(work, known, given[-1]["id"], field, value, reason)

    cases.carried_out(database, somebody(database, by), corrected)
