"""The commands that need the locked tools: ``test`` runs every check, ``bench`` gives the bench a PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.harness import chromium, postgres

HOME = Path(__file__).resolve().parents[1]
WORKERS = 2


def test(arguments: list[str]) -> int:
    """Ruff, mypy, then pytest with whatever ``arguments`` it is given: 0 when all three are content.

    pytest runs last, so its closing line is the last one; above it stands which of the other two failed.
    """
    try:
        os.environ["LIUHEN_TEST_CHROMIUM"] = str(chromium.ensure())
    except chromium.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    checks = {
        "ruff check": ["ruff", "check", "--quiet"],
        "mypy --strict": ["mypy", "--no-error-summary"],
    }
    failed = [name for name, check in checks.items() if _run(name, check) != 0]
    if failed:
        os.environ["LIUHEN_TEST_FAILED"] = ", ".join(failed)
    tests = _run("pytest", ["pytest", "-n", str(WORKERS), "--dist", "worksteal", *arguments])
    return tests or (1 if failed else 0)


def bench(arguments: list[str]) -> int:
    """The command line's ``bench``, with a server that flushes like one in production unless one is named."""
    if os.environ.get("LIUHEN_TEST_POSTGRES"):
        return _engine(arguments)
    with postgres.Keeper(durable=True) as keeper:
        os.environ["LIUHEN_TEST_POSTGRES"] = postgres.address(keeper.folder)
        return _engine(arguments)


def _run(name: str, module: list[str]) -> int:
    print(f"== {name}", flush=True)
    return subprocess.run([sys.executable, "-P", "-m", *module], cwd=HOME, check=False).returncode


def _engine(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-P", "-m", "webui", "bench", *arguments], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit({"test": test, "bench": bench}[sys.argv[1]](sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
