"""Commands that keep an installation: the database, the clock, demo data, measurements."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import click

from engine import backup as backups
from engine import bench as benches
from engine import demo as demos
from engine import plugged
from engine.cli_base import as_json, connected, main, opened, show
from engine.config import Config
from engine.growth import growth
from engine.multi import multi
from engine.searching import search
from engine.trail import jobs
from engine.trail.year import year
from engine.worker import run_due, run_forever


@main.command()
@click.option("--cases", "number", type=click.IntRange(0, 100_000), default=30, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.pass_obj
def demo(config: Config, number: int, seed: int) -> None:
    """Add demo people and play cases along different paths, as data to look at."""
    opened(config).close()
    demos.prepare(config.database)
    with click.progressbar(length=number, label="demo", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        demos.play(config.database, number, seed=seed, told=lambda _: bar.update(1))
    click.echo(str(number))


@main.command()
@click.option("--once", is_flag=True, help="Fire what is due now and stop.")
@click.pass_obj
def worker(config: Config, once: bool) -> None:
    """Fire due timers and do long work (exports), beside any number of other workers."""
    plugged.operations()  # one that cannot be used is said now, not when a case comes to it
    database = opened(config)
    if once:
        click.echo(str(run_due(database)))
        return
    halt = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: halt.set())
    beside = threading.Thread(target=jobs.run_forever, args=(database, halt), name="jobs")
    beside.start()
    run_forever(database, halt)
    beside.join()


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
    backups.backup(connected(config), file)
    click.echo(str(file))


@db.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def db_restore(config: Config, file: Path) -> None:
    """Fill an empty database, of either kind, from a dump."""
    backups.restore(connected(config), file)
    click.echo("ok")


@main.command("test", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def tests(arguments: tuple[str, ...]) -> None:
    """Every test; they lie in the checkout, where ./liuhen test runs them."""
    del arguments
    click.echo("测试随源代码提供，请在其中运行 ./liuhen test / tests come with the source: ./liuhen test", err=True)
    sys.exit(1)


@main.group()
def bench() -> None:
    """Measurements."""


@bench.command("step")
@click.option("--rounds", type=click.IntRange(20, 10_000), default=200, show_default=True)
@as_json
def bench_step(rounds: int, as_json: bool) -> None:
    """What one durable step costs on SQLite and PostgreSQL, beside the least the same database can do."""
    found = benches.step(
        os.environ.get("LIUHEN_TEST_POSTGRES"), rounds=rounds, told=lambda name: click.echo(name, err=True)
    )
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, figures in found.items():
        click.echo(f"{name}: " + "  ".join(f"{key}={value}" for key, value in figures.items()))


@bench.command("growth")
@as_json
def bench_growth(as_json: bool) -> None:
    """Whether a step of a long case costs more than that of a young one."""
    found = growth(told=lambda mark: click.echo(str(mark), err=True))
    if as_json:
        click.echo(json.dumps(found))
        return
    show(found["rows"], False, "completed", "step_ms", "state_bytes")


@bench.command("multi")
@as_json
def bench_multi(as_json: bool) -> None:
    """What the steps of a thousand members cost, and of 200 countersigners with a timer each."""
    found = multi(told=lambda shape: click.echo(shape, err=True))
    if as_json:
        click.echo(json.dumps(found))
        return
    show(found["rows"], False, "members", "shape", "open_ms", "step_ms", "slowest_ms", "total_s", "state_bytes")


@bench.command("search")
@click.option("--cases", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True)
@click.option("--events", type=click.IntRange(1, 100_000_000), default=1_000_000, show_default=True)
@as_json
def bench_search(cases: int, events: int, as_json: bool) -> None:
    """How long oversight takes to search years of cases, on SQLite and on PostgreSQL where a server is named."""
    found = search(
        os.environ.get("LIUHEN_TEST_POSTGRES") or None,
        cases=cases,
        events=max(cases, events),
        told=lambda name: click.echo(name, err=True),
    )
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, figures in found.items():
        click.echo(f"{name}: " + "  ".join(f"{key}={value}" for key, value in figures.items() if key != "rows"))
        show(figures["rows"], False, "id", "ms", "ratio", "cases")


@bench.command("trail")
@click.option("--events", type=click.IntRange(1_000, 100_000_000), default=1_000_000, show_default=True)
@as_json
def bench_trail(events: int, as_json: bool) -> None:
    """How fast the trail of a whole year verifies, with what an auditor's program uses."""
    found = year(events, told=lambda step: click.echo(step, err=True))
    click.echo(json.dumps(found) if as_json else "  ".join(f"{key}={value}" for key, value in found.items()))
