"""Bundles for tests: a real case that was sealed as it grew, exported, taken apart and put together again."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.trail import offline
from engine.trail.notes import Signing, envelope
from engine.trail.offline import canonical, event_hash, verify
from engine.trail.sealing import Sealing, run_forever
from tests.office import Office

Files = dict[str, bytes]


@dataclass(slots=True)
class Exported:
    """A bundle of a real case that was sealed again and again as it grew."""

    files: Files
    key: Signing
    folder: Path

    def verified(self, files: Files | None = None, *, relisted: bool = True, **trusted: Any) -> list[str]:
        """What the verifier finds broken in these files, with the list of files made to fit them."""
        files = dict(self.files if files is None else files)
        if files != self.files and relisted:
            relist(files, self.key)
        path = self.folder / "bundle.zip"
        path.write_bytes(zipped(files))
        return [each.en for each in verify(path, self.key.key, **trusted).findings if each.broken]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies of the events."""
        return [json.loads(line) for line in self.files["trail/events.jsonl"].splitlines()]

    def rechained(self, bodies: list[dict[str, Any]]) -> Files:
        """The files with these events, renumbered and chained anew, and what is derived from them made to fit."""
        head, lines = offline.GENESIS, []
        for number, body in enumerate(bodies, 1):
            line = canonical({**body, "seq": number, "prev": head}).encode()
            head = event_hash(line)
            lines.append(line)
        kept = {name: data for name, data in self.files.items() if not name.startswith("derived/")}
        return {**kept, "trail/events.jsonl": b"\n".join(lines) + b"\n"}


def relist(files: Files, key: Signing | None) -> None:
    """Make the list of files fit, signed if there is a key to sign it with."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(files.items())
        if not name.startswith("manifest.")
    ]
    files["manifest.json"] = canonical(manifest).encode()
    if key:
        files["manifest.dsse.json"] = envelope(files["manifest.json"], [key]).encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)  # without the time: the same files, the same bytes
    return target.getvalue()


def unzipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@contextmanager
def sealed(office: Office, folder: Path) -> Iterator[Sealing]:
    """A signer at work beside the office."""
    made = Sealing.of(office.database, folder)
    stop = threading.Event()
    beside = threading.Thread(target=run_forever, args=(made, stop, 0.02))
    beside.start()
    try:
        yield made
    finally:
        stop.set()
        beside.join()
