"""The command line: every verb and question without a browser. Says the engine's sentences; exits 0, 1 or 2."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from engine import backup as backups
from engine import bench as benches
from engine import cases, definitions, inbox, people
from engine import demo as demos
from engine.config import Config
from engine.errors import Invalid, Refusal, Unusable
from engine.library import Library, Package, package_at
from engine.scenario_file import read_scenario
from engine.scenarios import play
from engine.schema import upgrade
from engine.trail.verify import verify
from engine.work import SYSTEM, Database, Work
from engine.worker import run_due, run_forever
from forms.form import convert_references
from forms.owned_yaml import load
from forms.values import PersonRef
from forms.words import Finding, Unfit



class Sentences(click.Group):
    """Turns refusals into a sentence on stderr and the exit code."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; an ordinary no is exit 1, something unreadable exit 2."""
        try:
            return super().invoke(context)
        except Unfit as unfit:
            for finding in unfit.findings:
                click.echo(str(finding), err=True)
            context.exit(1)
        except Invalid as invalid:
            for problem in invalid.problems:
                click.echo(f"{problem.path}: {problem.text}", err=True)
            context.exit(1)
        except Unusable as unusable:
            click.echo(str(unusable.text), err=True)
            context.exit(2)
        except Refusal as refusal:
            click.echo(str(refusal.text), err=True)
            context.exit(1)


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--database", metavar="URL", help="Database URL or SQLite path (LIUHEN_DATABASE_URL).")
@click.pass_context
def main(context: click.Context, database: str | None) -> None:
    """留痕 Liuhen: policy processes, run and recorded."""
    context.obj = Config.read(database)


def opened(config: Config) -> Database:
    """The database of this installation; made and brought up to date first, the library deployed when it is new."""
    database = Database(config.database)
    upgrade(config.database)
    with database.work(SYSTEM) as work:
        if not definitions.in_force(work):
            definitions.deploy_library(work)
    return database


def show(rows: Iterable[Mapping[str, Any]], as_json: bool, *columns: str) -> None:
    """Rows as JSON objects, or the named columns in lines."""
    listed = [dict(row) for row in rows]
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1, default=str))
        return
    for row in listed:
        click.echo("  ".join(str(row[column] if row[column] is not None else "-") for column in columns))


def answer_from(source: str) -> tuple[dict[str, Any], Path]:
    """An answer from a YAML or JSON file (``-`` is stdin), and the folder its files are named from."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"无法读取“{source}”：{error}", f"cannot read {source!r}: {error}") from error
    try:
        loaded = load(text, source)
    except Unfit as unfit:
        raise Unusable(str(unfit), str(unfit)) from unfit
    if not isinstance(loaded, dict):
        raise Unusable(f"“{source}”应是一张“键: 值”的表", f"{source!r} should be a mapping")
    return loaded, Path() if source == "-" else Path(source).parent


def with_references(work: Work, form: Any, answer: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The answer with people by their logins or names, and files read from beside it."""

    def file(named: Any) -> Any:
        path = folder / str(named["file"])
        try:
            return {"file": path.name, "data": path.read_bytes()}
        except OSError as error:
            raise Unusable(f"无法读取“{path}”：{error}", f"cannot read {str(path)!r}: {error}") from error

    return convert_references(form, answer, lambda name: PersonRef(people.find(work, name)), file)


as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")


# Processes.


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check packages (folders, zips, .bpmn files) as the deployment gate does."""
    findings: list[Finding] = []
    packages = packages_at(paths)
    library = Library.standing()
    known = [library.package(name) for name in library.processes()]
    signatures = definitions.signatures_of([*known, *packages])
    for package in packages:
        findings += definitions.check_package(package, library.vocabulary(), signatures)[1]
    if as_json:
        click.echo(json.dumps([finding_row(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            click.echo(str(finding))
    if any(finding.severity == "error" for finding in findings):
        sys.exit(1)


def finding_row(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "id": finding.code,
        "file": finding.file,
        "line": finding.line,
        "element": finding.element,
        "severity": finding.severity,
        "zh": finding.text.zh,
        "en": finding.text.en,
    }


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
    by_name: dict[str, Package] = {}
    for package in packages:
        contents, findings = definitions.read_package(package)
        if contents is None:
            raise Unfit(findings)
        by_name[contents.diagram.process.id] = package
    database = opened(config)
    with database.work(SYSTEM) as work:
        for name in definitions.called_first(by_name):
            deployed = definitions.deploy(work, by_name[name], Library.standing().vocabulary())
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


# Cases.


@main.group()
def case() -> None:
    """Cases."""


@case.command("start")
@click.argument("process")
@click.option("--by", required=True, help="Who starts it: login or name.")
@click.option("--with", "source", required=True, help="The answer: a YAML or JSON file, - for stdin.")
@click.pass_obj
def case_start(config: Config, process: str, by: str, source: str) -> None:
    """Start a case and complete its first work item."""
    answer, folder = answer_from(source)
    database = opened(config)
    actor = somebody(database, by)
    with database.look(actor) as work:
        desk, item = cases.begin(work, process, rehearse=True)
        answer = with_references(work, desk.deployed.form(item["process"], item["element"]), answer, folder)
    with cases.acting(database, actor) as work:
        click.echo(cases.start(work, process, answer))


@case.command("list")
@as_json
@click.pass_obj
def case_list(config: Config, as_json: bool) -> None:
    """All cases, newest first."""
    with opened(config).look(SYSTEM) as work:
        show(inbox.cases(work, limit=100_000), as_json, "number", "status", "outcome", "process", "title")


@case.command("show")
@click.argument("case")
@as_json
@click.pass_obj
def case_show(config: Config, case: str, as_json: bool) -> None:
    """One case: where it stands and what happened."""
    with opened(config).look(SYSTEM) as work:
        row = dict(inbox.case(work, case))
        items = inbox.items_of(work, row["id"])
        for name in ("state", "scopes"):
            row.pop(name)
        if as_json:
            whole = {**row, "items": [dict(item) for item in items]}
            click.echo(json.dumps(whole, ensure_ascii=False, indent=1, default=str))
            return
        show([row], False, "number", "status", "outcome", "process", "title")
        show(items, False, "opened_at", "element", "name_zh", "due", "closed_how")


@main.command("inbox")
@click.argument("person")
@as_json
@click.pass_obj
def inbox_of(config: Config, person: str, as_json: bool) -> None:
    """What a person may take up now."""
    database = opened(config)
    actor = somebody(database, person)
    with database.look(actor) as work:
        show(inbox.tasks_for(work, actor), as_json, "id", "number", "element", "name_zh", "due")


@main.group()
def task() -> None:
    """Work items."""


@task.command("complete")
@click.argument("task")
@click.option("--by", required=True, help="Who completes it: login or name.")
@click.option("--with", "source", required=True, help="The answer: a YAML or JSON file, - for stdin.")
@click.pass_obj
def task_complete(config: Config, task: str, by: str, source: str) -> None:
    """Complete a work item."""
    answer, folder = answer_from(source)
    database = opened(config)
    actor = somebody(database, by)
    with database.look(actor) as work:
        item = inbox.task(work, task)
        deployed = definitions.deployed(work, inbox.case(work, item["case"])["definition"])
        answer = with_references(work, deployed.form(item["process"], item["element"]), answer, folder)
    with cases.acting(database, actor) as work:
        click.echo(cases.complete(work, task, answer))


def somebody(database: Database, who: str) -> str:
    """A person's id by login or name."""
    with database.look(SYSTEM) as work:
        return people.find(work, who)


# The trail.


@main.group()
def trail() -> None:
    """The trail."""


@trail.command("verify")
@click.argument("case", required=False)
@click.option("--all", "everything", is_flag=True, help="Every stream there is.")
@as_json
@click.pass_obj
def trail_verify(config: Config, case: str | None, everything: bool, as_json: bool) -> None:
    """Recompute the trail of one case, or of all; exit 1 if it is broken."""
    if (case is None) != everything:
        raise click.UsageError("name a case, or --all")
    with opened(config).look(SYSTEM) as work:
        verdict = verify(work, inbox.case(work, case)["id"] if case else None)
    flaws = [{"id": flaw.stream, "seq": flaw.seq, "zh": flaw.text.zh, "en": flaw.text.en} for flaw in verdict.flaws or []]
    said = {"intact": verdict.intact, "streams": verdict.streams, "events": verdict.events, "documents": verdict.documents}
    if as_json:
        click.echo(json.dumps({**said, "flaws": flaws}, ensure_ascii=False, indent=1))
    else:
        click.echo("  ".join(f"{key}={value}" for key, value in said.items()))
        show(flaws, False, "id", "seq", "zh", "en")
    sys.exit(0 if verdict.intact else 1)


@trail.command("show")
@click.argument("case")
@as_json
@click.pass_obj
def trail_show(config: Config, case: str, as_json: bool) -> None:
    """The events of a case, in order."""
    with opened(config).look(SYSTEM) as work:
        rows = inbox.events(work, inbox.case(work, case)["id"])
    show([{"id": row["hash"], **row} for row in rows], as_json, "seq", "at", "kind", "actor", "element")


# People, the database, the clock.


@main.group()
def person() -> None:
    """People."""


@person.command("add")
@click.argument("login")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role code; may be repeated.")
@click.option("--organisation", default="")
@click.option("--password-stdin", is_flag=True, help="Read a password from the first line of stdin.")
@click.pass_obj
def person_add(
    config: Config, login: str, name: str, roles: tuple[str, ...], organisation: str, password_stdin: bool
) -> None:
    """Add a person who may sign in as LOGIN and is shown as NAME."""
    unknown = [role for role in roles if role not in Library.standing().vocabulary().roles]
    if unknown:
        raise Unusable(f"没有角色 {'、'.join(unknown)}", f"there is no role {', '.join(unknown)}")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with opened(config).work(SYSTEM) as work:
        click.echo(people.add(work, login, name, roles, organisation=organisation, password=password))


@main.command()
@click.option("--cases", "number", type=click.IntRange(0, 100_000), default=30, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.pass_obj
def demo(config: Config, number: int, seed: int) -> None:
    """Add demo people and play cases along different paths, as data to look at."""
    opened(config).close()
    demos.prepare(config.database)
    with click.progressbar(length=number, label="demo", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        demos.play(config.database, number, seed=seed, told=lambda done: bar.update(1))
    click.echo(str(number))


@main.command()
@click.option("--once", is_flag=True, help="Fire what is due now and stop.")
@click.pass_obj
def worker(config: Config, once: bool) -> None:
    """Fire due timers, beside any number of other workers."""
    database = opened(config)
    if once:
        click.echo(str(run_due(database)))
        return
    halt = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: halt.set())
    run_forever(database, halt)


@main.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@click.pass_obj
def db_upgrade(config: Config) -> None:
    """Make or update the schema and its fences, and deploy the library into a new database."""
    opened(config).close()
    click.echo("ok")


@db.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def db_backup(config: Config, file: Path) -> None:
    """Write one logical dump of everything."""
    backups.backup(Database(config.database), file)
    click.echo(str(file))


@db.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def db_restore(config: Config, file: Path) -> None:
    """Fill an empty database, of either kind, from a dump."""
    backups.restore(Database(config.database), file)
    click.echo("ok")




@main.group()
def bench() -> None:
    """Measurements."""


@bench.command("step")
@click.option("--rounds", type=click.IntRange(20, 10_000), default=200, show_default=True)
@as_json
def bench_step(rounds: int, as_json: bool) -> None:
    """What one durable step costs on SQLite and PostgreSQL, beside the least the same database can do."""
    found = benches.step(os.environ.get("LIUHEN_TEST_POSTGRES"), rounds=rounds, told=lambda name: click.echo(name, err=True))
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, figures in found.items():
        click.echo(f"{name}: " + "  ".join(f"{key}={value}" for key, value in figures.items()))
