"""What the signer knows by itself, in its own folder: where each stream stood, and every epoch it ever signed."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import Unusable, WrongState
from engine.trail.tree import leaf_of, move

if os.name == "posix":
    import fcntl

Heads = dict[str, tuple[int, str]]


@dataclass(slots=True)
class State:
    """The state in ``state.json``, ``leaves.bin`` and ``epochs.jsonl`` of a folder.

    ``last`` is the newest epoch: time, statement, note, and the heads that moved with it; ``keys`` are the published
    keys it was signed with, ``told`` how many bytes of ``epochs.jsonl`` count.
    """

    folder: Path
    origin: str = ""
    leaves: list[bytes] = field(default_factory=list)
    heads: Heads = field(default_factory=dict)
    last: dict[str, Any] | None = None
    keys: list[str] = field(default_factory=list)
    told: int = 0

    @classmethod
    def kept(cls, folder: Path) -> State:
        """The state in this folder; an empty one at the first start. Unusable: it is there but cannot be read."""
        state = cls(folder)
        path = folder / "state.json"
        if not path.exists():
            return state
        try:
            said = json.loads(path.read_bytes())
            flat = (folder / "leaves.bin").read_bytes()[: 32 * said["size"]]
            state.leaves = [flat[i : i + 32] for i in range(0, len(flat), 32)]
            state.origin, state.last = said["origin"], said["last"]
            state.heads = {stream: (seq, head) for stream, (seq, head) in said["heads"].items()}
            state.keys, state.told = said.get("keys", []), said.get("told", 0)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unusable(
                f"封存进程的状态“{path}”不可读：{error}", f"the signer's state {str(path)!r} cannot be read: {error}"
            ) from error
        if len(state.leaves) != said["size"]:
            raise Unusable(f"“{folder}”中的 leaves.bin 不完整", f"leaves.bin in {str(folder)!r} is not complete")
        return state

    def keep(self) -> None:
        """Write it down, whole or not at all; on the disk before anything signed leaves the signer."""
        assert self.last is not None
        # What lies beyond what state.json tells of counts for nothing.
        self._append("leaves.bin", 32 * (len(self.leaves) - 1), self.leaves[-1])
        self.told = self._append("epochs.jsonl", self.told, _line(self.last))
        self._replace()

    def adopt(self, epochs: Sequence[Mapping[str, Any]]) -> None:
        """Take epochs over as the database has them: a state that was lost, or one of before every epoch was kept."""
        self.leaves, self.heads, self.last = [leaf_of(each) for each in epochs], {}, None
        for each in epochs:
            move(self.heads, each["changed"])
            self.last = {**_signed(each), "time": json.loads(each["statement"])["time"]}
        self._append("leaves.bin", 0, b"".join(self.leaves))
        self.told = self._append("epochs.jsonl", 0, b"".join(_line(each) for each in epochs))
        self._replace()

    def signed(self) -> Iterator[dict[str, Any]]:
        """Every epoch that was signed, the first one first: statement, note, and the heads that moved."""
        with (self.folder / "epochs.jsonl").open("rb") as file:
            while file.tell() < self.told:
                yield json.loads(file.readline())

    def _append(self, name: str, at: int, data: bytes) -> int:
        """Write at this place of a file, which then ends there; gives where that is."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / name
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(at)
            file.write(data)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def _replace(self) -> None:
        said = {
            "origin": self.origin, "size": len(self.leaves), "last": self.last, "heads": self.heads,
            "keys": self.keys, "told": self.told,
        }  # fmt: skip
        draft = self.folder / "state.json.new"
        with draft.open("w", encoding="utf-8") as text:
            json.dump(said, text, ensure_ascii=False)
            text.flush()
            os.fsync(text.fileno())
        draft.replace(self.folder / "state.json")
        settle(self.folder)


def settle(folder: Path) -> None:
    """See that the names in a folder are on the disk, not only what is in the files."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def alone(folder: Path, patience: float = 10.0) -> Iterator[None]:
    """Be the only signer at work in a folder: two would sign two pasts. WrongState: another one does not leave it."""
    if os.name != "posix":
        yield
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        for again in range(round(patience / 0.1), -1, -1):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if not again:
                    raise WrongState(
                        f"另一个封存进程正在使用“{folder}”，请先停止它",
                        f"another signer is at work in {str(folder)!r}: stop it first",
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)


def _signed(epoch: Mapping[str, Any]) -> dict[str, Any]:
    return {name: epoch[name] for name in ("statement", "note", "changed")}


def _line(epoch: Mapping[str, Any]) -> bytes:
    return json.dumps(_signed(epoch), ensure_ascii=False).encode() + b"\n"
