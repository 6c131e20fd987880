"""``./liuhen`` itself: what it installs, when, how it mends what was interrupted, and what it says when it cannot."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[1]
NEEDED = ("sh", "cat", "cmp", "cp", "dirname", "id", "mkdir", "readlink", "rm")


class Checkout:
    """A small checkout with the real launcher, whose lock holds one package that the command line imports."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "a check out"
        self.wheels = folder / "wheels"
        (self.home / "webui").mkdir(parents=True)
        self.wheels.mkdir()
        shutil.copy2(HOME / "liuhen", self.home)
        (self.home / "webui" / "__init__.py").touch()
        (self.home / "webui" / "__main__.py").write_text(
            "import json, os, sys, tiny\nprint(json.dumps([sys.argv[1:], os.getcwd(), tiny.VERSION]))\n"
        )
        self.lock("1.0")

    def lock(self, version: str, digest: str | None = None) -> None:
        """Offer a version of the package and lock it, with another hash than its own where one is given."""
        wheel = self.wheels / f"tiny-{version}-py3-none-any.whl"
        about = f"tiny-{version}.dist-info"
        files = {
            "tiny.py": f"VERSION = {version!r}\n",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},sha256={sealed(text)},{len(text)}\n" for name, text in files.items())
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n"}.items():
                archive.writestr(zipfile.ZipInfo(name), text)
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.home / "requirements.lock").write_text(f"tiny=={version} --hash=sha256:{digest}\n")

    def start(self, *arguments: str, program: Path | None = None, **options: str | Path) -> subprocess.Popen[str]:
        """Start the launcher, with pip looking only into this folder; ``path`` replaces the search path."""
        settings = {
            "LIUHEN_PYTHON": str(options.get("python", sys.executable)),
            "PATH": str(options.get("path", os.environ["PATH"])),
            "PIP_FIND_LINKS": self.wheels.as_uri(),
            "PIP_NO_INDEX": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        return subprocess.Popen(
            [program or self.home / "liuhen", *arguments],
            cwd=options.get("cwd", self.home),
            env=inherited | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def sealed(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def ended(started: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = started.communicate(timeout=120)
    return started.returncode, out, err


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    shutil.rmtree(made.home)


def test_the_first_start_installs_and_the_next_from_anywhere_does_not(checkout: Checkout, tmp_path: Path) -> None:
    code, out, err = ended(checkout.start("check", "a b", ""))
    assert (code, json.loads(out)) == (0, [["check", "a b", ""], str(checkout.home), "1.0"])
    assert "Installing" in err
    link = tmp_path / "link"
    link.symlink_to(Path("a check out") / "liuhen")
    (tmp_path / "tiny.py").write_text("VERSION = 'the wrong one'")
    code, out, err = ended(checkout.start("check", program=link, cwd=tmp_path))
    assert (code, json.loads(out), err) == (0, [["check"], str(tmp_path), "1.0"], "")


def test_a_new_lock_is_installed_and_a_wrong_hash_is_refused(checkout: Checkout) -> None:
    checkout.lock("1.0", digest="0" * 64)
    code, out, err = ended(checkout.start("check"))
    assert (code, out) == (1, "")
    assert "could not be installed" in err
    checkout.lock("1.0")
    assert ended(checkout.start("check"))[0] == 0
    checkout.lock("1.1")
    code, out, err = ended(checkout.start("check"))
    assert (code, json.loads(out)[2]) == (0, "1.1")


def test_an_installation_killed_at_any_time_is_mended(checkout: Checkout) -> None:
    for seconds in (0.3, 1.5, 3.0):
        started = checkout.start("check")
        time.sleep(seconds)
        os.killpg(started.pid, signal.SIGKILL)
        started.communicate()
    code, out, _ = ended(checkout.start("check"))
    assert (code, json.loads(out)[2]) == (0, "1.0")


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Checkout) -> None:
    assert ended(checkout.start("check"))[0] == 0
    (checkout.home / ".venv" / "bin" / "python").unlink()
    (checkout.home / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    code, out, _ = ended(checkout.start("check"))
    assert (code, json.loads(out)[2]) == (0, "1.0")


def test_two_started_at_once_install_once_and_both_run(checkout: Checkout) -> None:
    results = [ended(started) for started in [checkout.start("a"), checkout.start("b")]]
    assert [(code, json.loads(out)[0]) for code, out, _ in results] == [(0, ["a"]), (0, ["b"])]
    assert sorted(("Installing" in err, "waiting" in err) for _, _, err in results) == [(False, True), (True, False)]


def test_without_a_python_it_says_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in NEEDED:
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").write_text("#!/bin/sh\nexit 0\n")  # one that is too old says nothing
    (tools / "python3").chmod(0o755)
    code, out, err = ended(checkout.start("check", path=tools, python="python-of-nobody"))
    assert (code, out) == (1, "")
    assert "Python 3.11" in err
    assert not (checkout.home / ".venv").exists()
