"""The README cannot lie: its commands run, and it names every command, setting and kind of event there is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from engine.trail.record import EVENT_KINDS
from webui.cli import main

HOME = Path(__file__).parents[1]
README = (HOME / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
# They run until they are told to stop, or are this very run; the browser tests and the launcher's start them.
RUN_ELSEWHERE = ("./liuhen serve", "./liuhen test", "./liuhen worker")


def commands(group: click.Group, path: str = "./liuhen") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.mark.parametrize("command", sorted(commands(main)))
def test_the_readme_names_every_command(command: str) -> None:
    assert command in README


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_the_readme_names_every_kind_of_event(kind: str) -> None:
    assert f"`{kind}`" in README


def test_the_readme_names_every_setting() -> None:
    named: set[str] = set()
    for room in ("engine", "webui", "tests"):
        for path in (HOME / room).rglob("*.py"):
            named |= set(re.findall(r"\"(LIUHEN_[A-Z_]+)\"", path.read_text(encoding="utf-8")))
    named |= set(re.findall(r"LIUHEN_[A-Z]+(?:_[A-Z]+)*", (HOME / "liuhen").read_text(encoding="utf-8")))
    told = {name for name in named if name not in {"LIUHEN_TEST_KEEPER", "LIUHEN_TEST_FAILED"}}
    missing = {name for name in told if f"`{name}`" not in README}
    assert not missing, f"the README does not say what these settings do: {missing}"


@pytest.mark.parametrize("block", [block for block in BLOCKS if "./liuhen" in block])
def test_the_commands_of_the_readme_run(
    block: str, empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIUHEN_DATABASE_URL", empty_database_url)
    lines = iter(block.strip().splitlines())
    for line in lines:
        kept = re.fullmatch(r"([A-Z]+)=\$\((.*)\)", line)
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            if name != "LIUHEN_DATABASE_URL":
                monkeypatch.setenv(name, value)
        elif line.startswith("cat > "):
            name, _, end = line.removeprefix("cat > ").partition(" <<")
            Path(name).write_text("\n".join(map(told_the_day, iter(lambda: next(lines), end))) + "\n", encoding="utf-8")
        elif line.startswith("cp "):
            shutil.copy(*shlex.split(line)[1:])
        elif not line.startswith(RUN_ELSEWHERE):
            asked = shlex.split(os.path.expandvars(kept[2] if kept else line), comments=True)
            found = CliRunner().invoke(main, asked[1:], env=dict(os.environ))
            assert found.exit_code == 0, f"{line}\n{found.output}"
            if kept:
                monkeypatch.setenv(kept[1], found.stdout.strip())


def told_the_day(line: str) -> str:
    """A line of a file as the shell writes it, which asks for the day in the office's time."""
    return line.replace("$(TZ=Asia/Shanghai date +%F)", datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat())
