"""Released verifiers are kept as they were, and what today's code exports is verified by each of them, run alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.trail.notes import Signing
from engine.trail.offline import WITNESS_KEY, canonical
from tests.bundles import Exported, relist, zipped

pytest_plugins = ["tests.furnished", "tests.exporting"]

# A verifier that auditors hold is never edited: a new one gets a file and a line of its own.
KEPT = {"2026-11.py.txt": "0e63067e6c340d5010c2007b7e16f9d4641273b5d44db4a33897bc4d43a47fa0"}
FOLDER = Path(__file__).parent / "verifiers"


def run(program: Path, bundle: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a verifier run as a program that knows nothing of Liuhen, and what it says."""
    command = [sys.executable, "-I", "-S", str(program), str(bundle), "--lang", "en", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=program.parent)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_verifiers_that_auditors_hold_are_kept_as_they_were() -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    assert found == KEPT


@pytest.mark.parametrize("name", KEPT)
def test_a_bundle_of_today_is_verified_by_a_verifier_of_then(exported: Exported, name: str) -> None:
    program = exported.folder / "verify.py"
    program.write_bytes((FOLDER / name).read_bytes())
    note = exported.files["trail/checkpoint.txt"].decode()
    witness = Signing("审计处", Ed25519PrivateKey.generate(), WITNESS_KEY)
    files = {**exported.files}
    files["trail/checkpoint.txt"] = (note + witness.witness(note.split("\n\n")[0] + "\n", 1)).encode()
    relist(files, exported.key)
    kept, bundle = exported.folder / "kept.txt", exported.folder / "case.zip"
    kept.write_text(note, "utf-8")
    asked = ("--vkey", exported.key.published, "--known", str(kept), "--witness", witness.published)
    bundle.write_bytes(zipped(files))
    assert run(program, bundle, *asked)[0] == 0
    assert run(program, bundle)[0] == 0
    another = Signing(exported.key.key.name, Ed25519PrivateKey.generate())
    assert run(program, bundle, "--vkey", another.published)[0] == 1
    line = canonical({**exported.events[1], "actor": {"id": "somebody-else"}}).encode()
    lines = exported.files["trail/events.jsonl"].splitlines()
    files["trail/events.jsonl"] = b"\n".join([lines[0], line, *lines[2:]]) + b"\n"
    relist(files, exported.key)
    bundle.write_bytes(zipped(files))
    code, said = run(program, bundle, *asked)
    assert code == 1 and "does not follow" in said and "BROKEN" in said
    bundle.write_bytes(b"PK")
    assert run(program, bundle, *asked)[0] == 2
