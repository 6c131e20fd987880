"""Runs the command line in a test, on a database of its own, and takes apart what it says."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from webui.cli import main


def run(url: str, *arguments: str, said: str | None = None) -> Result:
    """The command line on this database."""
    return CliRunner().invoke(main, ["--database", url, *arguments], input=said)


def done(url: str, *arguments: str, said: str | None = None) -> str:
    """What a command that goes through says on stdout."""
    result = run(url, *arguments, said=said)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def rows(url: str, *arguments: str) -> list[dict[str, Any]]:
    """The list of a command with --json: objects with an id."""
    found = json.loads(done(url, *arguments, "--json"))
    assert isinstance(found, list)
    assert all(isinstance(row, dict) and row["id"] for row in found)
    return found


def refused(url: str, code: int, *arguments: str, said: str | None = None) -> str:
    """What a command that is refused says on stderr; on stdout it says nothing."""
    result = run(url, *arguments, said=said)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr and (result.exception is None or isinstance(result.exception, SystemExit))
    return result.stderr.strip()
