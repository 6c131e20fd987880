"""Runs the pages: the web server, and the worker beside it, until the process is told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from waitress.server import create_server

from engine.errors import Unusable, WrongUsage
from engine.trail import jobs
from engine.work import Database
from engine.worker import run_forever
from webui import MOST_BODY, create_app

THREADS = 8
SHORTEST_SECRET = 32


def run(
    database: Database, host: str, port: int, *, demo: bool, worker: bool = True, signer: Path | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; the address is printed once it accepts connections.

    ``LIUHEN_SECRET`` signs the sessions (several servers of one database need the same), ``LIUHEN_HTTPS=1`` says that
    browsers come by https, ``LIUHEN_PROXIES`` how many proxies of ours stand before it. ``signer`` is the folder of a
    signer that is to run beside it, in a process of its own; None leaves sealing to others.
    """
    app = create_app(
        database,
        secret=secret_of(database),
        demo=demo,
        https=os.environ.get("LIUHEN_HTTPS", "") == "1",
        proxies=proxies_before(),
    )
    try:
        # What is larger than the pages take must still reach them, so that they can say so in a sentence.
        server = create_server(
            app, host=host, port=port, threads=THREADS, max_request_body_size=2 * MOST_BODY, ident=""
        )
    except OSError as error:
        raise Unusable(
            f"无法在 {host}:{port} 上提供服务：{error.strerror}", f"cannot serve on {host}:{port}: {error.strerror}"
        ) from error
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait for a thread is nothing to warn of
    stop = threading.Event()
    beside = [
        threading.Thread(target=run_forever, args=(database, stop), name="worker", daemon=True),
        threading.Thread(target=jobs.run_forever, args=(database, stop), name="jobs", daemon=True),
    ]
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    for each in beside if worker else ():
        each.start()
    sys.stdout.write(f"留痕 Liuhen  {address(host, port, server)}\n")
    sys.stdout.flush()
    try:
        with sealed_beside(database, signer):
            server.run()
    finally:
        stop.set()
        server.close()
        for each in beside if worker else ():
            each.join(10)
        database.close()


@contextlib.contextmanager
def sealed_beside(database: Database, folder: Path | None) -> Iterator[None]:
    """A signer as a process of its own, which ends with this one, however this one ends."""
    if folder is None:
        yield
        return
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-P", "-m", "webui", "signer", "--folder", str(folder), "--with-parent"]
    # The address may hold a password, and arguments of a process can be read by everybody.
    environment = {**os.environ, "LIUHEN_DATABASE_URL": url}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as beside:  # noqa: S603 - our own program
        try:
            yield
        finally:
            beside.terminate()


def leave(*_: object) -> None:
    """Told to stop: the server finishes what it is doing and returns."""
    raise SystemExit(0)


def address(host: str, port: int, server: object) -> str:
    """Where to point a browser. A host that means every address is reached by this machine's own name for itself."""
    named = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{named}:{port or getattr(server, 'effective_port', port)}/"


def proxies_before() -> int:
    """How many proxies are trusted to say who asked."""
    text = os.environ.get("LIUHEN_PROXIES", "0")
    if not text.isdecimal():
        raise WrongUsage(
            f"LIUHEN_PROXIES 应为数字，现为“{text}”", f"LIUHEN_PROXIES should be a number, but is {text!r}"
        )
    return int(text)


def secret_of(database: Database) -> str:
    """The secret that signs the sessions: as set, else the one kept beside the embedded database, made once."""
    named = os.environ.get("LIUHEN_SECRET")
    if named is not None:
        if len(named) < SHORTEST_SECRET:
            raise WrongUsage(
                f"LIUHEN_SECRET 至少 {SHORTEST_SECRET} 个字符",
                f"LIUHEN_SECRET needs at least {SHORTEST_SECRET} characters",
            )
        return named
    kept = database.url.database if database.sqlite and database.url.database not in (None, ":memory:") else None
    folder = Path(kept).parent if kept else Path(os.environ.get("LIUHEN_HOME", Path.cwd())) / "var"
    return kept_secret(folder / "secret")


def kept_secret(path: Path) -> str:
    """The secret in a file that only its owner can read. Of several processes that make it at once, one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text(encoding="ascii").strip()
