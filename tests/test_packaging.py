"""The wheel carries everything and stands alone: built here, installed in a fresh environment, it checks itself."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[1]
ROOMS = ("bpmn", "engine", "forms", "webui")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that must not find the checkout: neither in its folder nor by an environment variable."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LIUHEN_"))}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


@dataclass(frozen=True)
class Installed:
    """A wheel, and a fresh environment it was installed in."""

    wheel: Path
    python: Path
    liuhen: Path
    home: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Nothing is downloaded: the environment borrows the locked packages of this one, but not pip."""
    folder = tmp_path_factory.mktemp("package")
    built = run(sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=HOME)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    environment = folder / "an environment"
    made = run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=folder)
    assert made.returncode == 0, made.stderr
    python = environment / "bin" / "python"
    pip = (sys.executable, "-P", "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--quiet")
    put = run(*pip, wheel, cwd=folder)
    assert put.returncode == 0, put.stderr
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout.strip()
    borrowed = "".join(f"{sysconfig.get_path(kind)}\n" for kind in ("purelib", "platlib"))
    Path(own, "locked.pth").write_text(borrowed, "utf-8")
    return Installed(wheel, python, environment / "bin" / "liuhen", folder)


def test_the_wheel_holds_every_file_of_the_four_rooms_and_nothing_else(installed: Installed) -> None:
    expected = {
        path.relative_to(HOME).as_posix()
        for room in ROOMS
        for path in (HOME / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(installed.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        about = {name.partition(".dist-info/")[2] for name in wheel.namelist()} - {""}
    assert held == expected
    assert {"licenses/LICENSE", "licenses/NOTICE", "entry_points.txt"} <= about


def test_the_installed_library_passes_its_own_check(installed: Installed) -> None:
    found = run(installed.python, "-c", "import bpmn; print(*bpmn.__path__)", cwd=installed.home).stdout.strip()
    assert not Path(found).is_relative_to(HOME)
    packages = sorted(path.parent for path in Path(found, "library").glob("*/process.bpmn"))
    shipped = {path.parent.name for path in (HOME / "bpmn" / "library").glob("*/process.bpmn")}
    assert shipped
    assert {path.name for path in packages} == shipped
    checked = run(installed.liuhen, "check", *packages, cwd=installed.home)
    assert checked.returncode == 0, checked.stderr + checked.stdout


def test_an_installed_liuhen_says_where_its_tests_are(installed: Installed) -> None:
    refused = run(installed.liuhen, "test", cwd=installed.home)
    assert refused.returncode == 1
    assert "./liuhen test" in refused.stderr
