"""Commands about what owners write: check, deploy, copy, and play worked cases."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bpmn.interchange import with_drawing
from engine import bounded, confined, definitions
from engine.bounded import Judged
from engine.cli_base import as_json, connected, main, opened
from engine.config import Config
from engine.element_templates import element_templates
from engine.library import Library, Package, package_at
from engine.packages import file_at
from engine.scenario_file import read_scenario
from engine.scenarios import play
from engine.templates import read_template
from engine.word import as_word
from engine.work import SYSTEM
from forms.words import Finding, Unfit


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check packages (folders, zips, .bpmn files) as the deployment gate does."""
    packages = packages_at(paths)
    library = Library.standing()
    words = library.vocabulary()
    roles, values, facts, drafts = words.roles, words.values, words.facts, words.drafts
    every = [library.package(name) for name in library.processes()]
    shipped = bounded.judge(every, roles, {}, parameters=values, facts=facts, drafts=drafts)
    known = {each.process: each.signature for each in shipped if each.process and each.signature}
    answers = bounded.judge(packages, roles, known, parameters=values, facts=facts, drafts=drafts)
    rows = [finding_row(each, package, answer) for package, answer in zip(packages, answers, strict=True)
            for each in answer.findings]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    for package, answer in () if as_json else zip(packages, answers, strict=True):
        for finding in answer.findings:
            said = finding_line(finding, answer)
            click.echo(f"{package.origin}: {said}" if len(packages) > 1 else said)
    if not all(answer.ok for answer in answers):
        sys.exit(1)


def finding_line(finding: Finding, answer: Judged) -> str:
    """A finding as a line: its place, the type and id of the element, what is wrong and what to do, its code."""
    kind = answer.types.get(finding.element or "")
    return str(replace(finding, element=f"{kind} {finding.element}") if kind else finding)


def finding_row(finding: Finding, package: Package, answer: Judged) -> dict[str, Any]:
    """A finding as JSON, with its package and, where known, the BPMN type of the element."""
    kind = answer.types.get(finding.element or "")
    return {**confined.finding_row(finding), "type": kind, "package": package.origin}


def packages_at(paths: Iterable[Path]) -> list[Package]:
    """Packages by path, or by the id of a process of the library."""
    library = Library.standing()
    found: list[Package] = []
    for path in paths:
        if not path.exists() and str(path) in library.processes():
            found.append(library.package(str(path)))
        elif path.is_dir() and not (path / "process.bpmn").exists() and list(path.glob("*/process.bpmn")):
            found += [package_at(each.parent) for each in sorted(path.glob("*/process.bpmn"))]
        else:
            found.append(package_at(path))
    return found


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_obj
def deploy(config: Config, paths: tuple[Path, ...]) -> None:
    """Deploy packages as the next version of their processes, called ones first."""
    packages = packages_at(paths)
    vocabulary = Library.standing().vocabulary()
    database = opened(config)
    with database.look(SYSTEM) as work:
        definitions.judged(work, packages, vocabulary)
    with database.work(SYSTEM) as work:
        for deployed in definitions.deploy_together(work, packages, vocabulary):
            click.echo(f"{deployed.process}  v{deployed.version}  {deployed.sha256}")


@main.group()
def library() -> None:
    """The processes an owner may edit."""


@library.command("copy")
@click.argument("folder", type=click.Path(path_type=Path))
def library_copy(folder: Path) -> None:
    """Copy the library into FOLDER, to edit it there (set LIUHEN_LIBRARY=FOLDER)."""
    Library.standing().copy_to(folder)
    click.echo(str(folder))


@library.command("draw")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def library_draw(files: tuple[Path, ...]) -> None:
    """Write into diagrams where everything is drawn, so that a modeler shows them; nothing else of a file changes."""
    for path in files:
        data = file_at(path)
        drawn = with_drawing(data, path.name)
        if drawn != data:
            path.write_bytes(drawn)
        click.echo(f"{path}  " + ("已写入图形 · drawn" if drawn != data else "图形已完整 · drawn already"))


@library.command("word")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def library_word(config: Config, files: tuple[Path, ...]) -> None:
    """Turn templates of documents (documents/*.yaml) into Word files beside them, to be edited in Word from then on."""
    with connected(config).look(SYSTEM) as work:
        now = work.now
    for path in files:
        text = file_at(path).decode("utf-8")
        template = read_template(text, path.name)
        if template.word_file is None:
            path.with_suffix(".docx").write_bytes(as_word(template, now))
            path.write_text(f"{text[: text.index('blocks:')]}word: {path.stem}.docx\n", encoding="utf-8")
        click.echo(str(path.with_suffix(".docx")))


@library.command("template")
@click.option("-o", "output", type=click.Path(path_type=Path, dir_okay=False), help="Write them into this file.")
def library_template(output: Path | None) -> None:
    """Print the element templates for Camunda Modeler, with the roles, tags, facts and outcomes of the library."""
    made = element_templates(Library.standing().vocabulary())
    if output is None:
        click.echo(made, nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(made, encoding="utf-8")


@main.group()
def scenario() -> None:
    """Worked cases."""


@scenario.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
def scenario_run(paths: tuple[Path, ...], as_json: bool) -> None:
    """Play worked cases (files or folders) and say the first difference of each."""
    files = [file for path in paths for file in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])]
    rows: list[dict[str, Any]] = []
    unreadable = False
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        opened(Config(str(template))).close()
        for number, file in enumerate(files):
            try:
                found = read_scenario(file.read_text(encoding="utf-8"), str(file))
            except (OSError, UnicodeDecodeError, Unfit) as error:
                click.echo(str(error), err=True)
                unreadable = True
                continue
            stage = Path(folder) / f"{number}.db"
            stage.write_bytes(template.read_bytes())
            played = play(found, str(stage))
            stage.unlink()
            text = played.difference
            row = {"id": found.id, "file": str(file), "passed": played.passed, "line": played.line}
            rows.append({**row, "zh": text.zh if text else "", "en": text.en if text else ""})
            if not as_json:
                said = "✓" if played.passed else f"✗ {file}:{played.line}: {text}"
                click.echo(f"{found.id}  {found.title}  {said}")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    sys.exit(2 if unreadable else 0 if all(row["passed"] for row in rows) else 1)
