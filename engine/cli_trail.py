"""Commands of the trail: verify and show it, export a case, run the signer and a witness, recover, replace the key."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

import click

from engine import cases, inbox, schema
from engine.cli_base import as_json, connected, main, opened, show, somebody
from engine.config import Config
from engine.doctor import examine
from engine.paper import pdf_is_possible
from engine.trail import recovery
from engine.trail.bundle import export
from engine.trail.material import View
from engine.trail.notes import signing_key
from engine.trail.offline import WITNESS_KEY, Key
from engine.trail.sealing import Sealing, run_forever
from engine.trail.signer import retire, rotate
from engine.trail.signer_state import alone
from engine.trail.verify import verify
from engine.trail.witness import Witness, server
from engine.work import SYSTEM, system_clock


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
    flaws = [
        {"id": flaw.stream, "seq": flaw.seq, "zh": flaw.text.zh, "en": flaw.text.en} for flaw in verdict.flaws
    ]
    said = {
        "intact": verdict.intact,
        "streams": verdict.streams,
        "events": verdict.events,
        "documents": verdict.documents,
    }
    if as_json:
        notes = [{"zh": note.zh, "en": note.en} for note in verdict.notes]
        click.echo(json.dumps({**said, "flaws": flaws, "notes": notes}, ensure_ascii=False, indent=1))
    else:
        click.echo("  ".join(f"{key}={value}" for key, value in said.items()))
        for note in verdict.notes:
            click.echo(f"{note.zh} / {note.en}")
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


@trail.command("export")
@click.argument("case")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write [NUMBER.evidence.zip].")
@click.option("--by", metavar="PERSON", help="Who exports it (login or name) [the system].")
@click.option("--purpose", default="", help="What for; it stands in the bundle and in the trail.")
@click.option("--redacted", is_flag=True, help="For the public: no names, answers or attachments.")
@click.option("--person", metavar="PERSON", help="Only what this person did.")
@click.option("--pdf", is_flag=True, help="The report as PDF too; takes long, needs the extra pdf.")
@click.pass_obj
def trail_export(
    config: Config, case: str, output: Path | None, by: str | None, purpose: str, redacted: bool, person: str | None,
    pdf: bool,
) -> None:
    """Export a case as a bundle that verifies offline; the export is told in the trail."""
    database = opened(config)
    view = View(somebody(database, person) if person else None, redacted)
    who = somebody(database, by) if by else SYSTEM
    made = export(
        database, case, who, purpose=purpose, view=view, paper=pdf, told=lambda step: click.echo(step, err=True)
    )
    if pdf and not pdf_is_possible():
        click.echo("未安装 WeasyPrint，证据包中没有 PDF / WeasyPrint is not installed: there is no PDF", err=True)
    target = output or Path(made.name)
    target.write_bytes(made.data)
    if made.unsealed:
        click.echo(
            f"最后 {made.unsealed} 条尚未封存（没有封存进程） / {made.unsealed} events are not sealed: no signer runs",
            err=True,
        )
    click.echo(str(target))


@trail.command("recover")
@click.option("--by", metavar="PERSON", required=True, help="Who approves (compliance, discipline or administrator).")
@click.option("--approved-by", metavar="PERSON", required=True, help="Who approves with them: somebody else.")
@click.option("--reason", required=True, help="What happened and which backup was put back.")
@click.pass_obj
def trail_recover(config: Config, by: str, approved_by: str, reason: str) -> None:
    """Approve that sealing goes on from the database as it is; then whoever runs the signer does `signer --recover`."""
    database = opened(config)
    who, other = somebody(database, by), somebody(database, approved_by)
    click.echo(str(cases.carried_out(database, who, lambda work: recovery.approve(work, other, reason))))


@main.command("doctor")
@as_json
@click.pass_obj
def doctor(config: Config, as_json: bool) -> None:
    """What protects this trail, what is missing, and what that means; exit 1 if something is wrong."""
    with connected(config).look(SYSTEM) as work:
        found = examine(work, config.signer)
    rows = [{"id": each.id, "state": each.state, "zh": each.text.zh, "en": each.text.en} for each in found]
    show(rows, as_json, "state", "id", "zh", "en")
    sys.exit(1 if any(each.state == "wrong" for each in found) else 0)


@main.command("signer")
@click.option("--once", is_flag=True, help="Seal what there is and stop.")
@click.option("--folder", type=click.Path(path_type=Path), help="Key and state (LIUHEN_SIGNER) [var/signer].")
@click.option("--key", "only_key", is_flag=True, help="Print the log's public key, to be published, and stop.")
@click.option("--recover", "recovering", is_flag=True, help="Go on from a backup that was put back; then stop.")
@click.option("--new-key", is_flag=True, help="With --recover, when the old key was lost as well.")
@click.option("--rotate", "rotating", is_flag=True, help="Draw a new key, which signs beside the old one; then stop.")
@click.option("--retire", "retiring", is_flag=True, help="Destroy the old key after a rotation; then stop.")
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.pass_obj
def signer(
    config: Config, once: bool, folder: Path | None, only_key: bool, recovering: bool, new_key: bool, rotating: bool,
    retiring: bool, with_parent: bool,
) -> None:  # fmt: skip
    """Seal the trail: follow every stream, refuse rewritten history, sign checkpoints. A process of its own."""
    if only_key + once + recovering + rotating + retiring > 1:  # a key that was just drawn must not be the only one yet
        raise click.UsageError("one thing at a time")
    folder = folder or config.signer
    database = connected(config)
    with database.look(SYSTEM) as work:
        schema.check(work.db)
    if only_key:
        click.echo(Sealing.of(database, folder).signer.key.published)
        return
    with alone(folder):
        if rotating:
            rotate(folder)
        if retiring:
            retire(folder)
        sealing = Sealing.of(database, folder)
        if rotating or retiring:
            click.echo(sealing.signer.key.published)
        elif recovering:
            _tell_recovered(recovery.recover(sealing.signer, database, new_key=new_key))
        elif once:
            click.echo(str(sealing.seal() or len(sealing.signer.state.leaves)))
        else:
            _run(sealing, with_parent=with_parent)


def _tell_recovered(done: recovery.Recovered) -> None:
    click.echo(f"{done.epoch} ({done.back_to})")
    for stream, (before, now) in sorted(done.lost.items()):
        click.echo(f"{stream}: {before} → {now}")


def _run(sealing: Sealing, *, with_parent: bool) -> None:
    halt = told_to_stop()
    if with_parent:
        threading.Thread(target=_halt_with_parent, args=(halt,), daemon=True).start()
    run_forever(sealing, halt)


@main.command("witness")
@click.option("--log", "logs", multiple=True, metavar="KEY", required=True, help="The public key of a log to watch.")
@click.option("--name", required=True, help="The name the witness signs under.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("witness"), show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True)
@click.option("--key", "only_key", is_flag=True, help="Print the witness's public key and stop.")
def witness(logs: tuple[str, ...], name: str, folder: Path, host: str, port: int, only_key: bool) -> None:
    """Watch a log for an audit office: cosign its checkpoints, consistent ones only. It knows no database."""
    try:
        keys = {key.name: key for key in map(Key.read, logs)}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    key = signing_key(folder / "key.pem", name, WITNESS_KEY)
    if only_key:
        click.echo(key.published)
        return
    watching = Witness(key, keys, folder / "seen.json", lambda: int(system_clock().timestamp()))
    serving = server(watching, host, port)
    click.echo(f"http://{host}:{serving.server_address[1]}")
    halt = told_to_stop()
    beside = threading.Thread(target=serving.serve_forever, daemon=True)
    beside.start()
    halt.wait()
    serving.shutdown()


def _halt_with_parent(halt: threading.Event) -> None:
    sys.stdin.read()
    halt.set()


def told_to_stop() -> threading.Event:
    """Set when the process is told to stop."""
    halt = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: halt.set())
    return halt
