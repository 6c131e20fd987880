"""A witness (见证): an audit office's own small service that cosigns a log's checkpoints, consistent ones only.

It keeps nothing but the size and root it saw last, by log, and speaks C2SP's ``add-checkpoint``: a POST of
``old N``, the lines of a consistency proof, an empty line and the note. It knows no database.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from engine.errors import Unusable
from engine.trail.notes import Signing
from engine.trail.offline import Checkpoint, Key, has_signed, read_checkpoint
from engine.trail.tree import is_consistent

MOST_BODY = 64 << 10


class Declined(Exception):
    """The witness does not cosign; ``status`` is that of HTTP, ``said`` its body."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


@dataclass(slots=True)
class Witness:
    """A witness's key, the keys of the logs it watches, and what it saw of each last."""

    key: Signing
    logs: dict[str, Key]
    path: Path
    seconds: Callable[[], int]
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Read what was seen last. Unusable: the file is there but cannot be read."""
        if self.path.exists():
            try:
                said = json.loads(self.path.read_text("utf-8"))
                self.seen = {origin: (size, bytes.fromhex(root)) for origin, (size, root) in said.items()}
            except (OSError, ValueError, TypeError) as error:
                raise Unusable(
                    f"见证的状态“{self.path}”不可读：{error}",
                    f"the witness's state {str(self.path)!r} cannot be read: {error}",
                ) from error

    def cosign(self, body: str) -> str:
        """The cosignature line for what was posted. Declined, with the status C2SP gives it."""
        old, proof, note = _parsed(body)
        point = _checkpoint(note)
        log = self.logs.get(point.origin)
        if log is None:
            raise Declined(404, "unknown log")
        if not has_signed(point, log):
            raise Declined(403, "not signed by that log")
        with self.turn:
            size, root = self.seen.get(point.origin, (0, b""))
            if old != size:
                raise Declined(409, f"{size}\n")
            if point.size < size:
                raise Declined(400, "the log has shrunk")
            if point.size == size and point.root != root:
                raise Declined(409, "not a continuation of what was cosigned")
            if not is_consistent(size, root, point.size, point.root, proof):
                raise Declined(422, "not a continuation of what was cosigned")
            self.seen[point.origin] = (point.size, point.root)
            self._keep()
        return self.key.witness(point.text, self.seconds())

    def _keep(self) -> None:
        """What was seen is on the disk before anything is cosigned."""
        draft = self.path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({origin: (size, root.hex()) for origin, (size, root) in self.seen.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


def _parsed(body: str) -> tuple[int, list[bytes], str]:
    head, _, note = body.partition("\n\n")
    first, *lines = head.split("\n")
    try:
        if not first.startswith("old ") or not first[4:].isdigit():
            raise Declined(400, "the first line says: old N")
        return int(first[4:]), [base64.b64decode(line, validate=True) for line in lines], note
    except ValueError as error:
        raise Declined(400, "a proof line is no base64") from error


def _checkpoint(note: str) -> Checkpoint:
    try:
        return read_checkpoint(note)
    except ValueError as error:
        raise Declined(400, f"no checkpoint: {error}") from error


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """An HTTP server for a witness; ``serve_forever`` runs it. Unusable: the address cannot be taken."""

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_POST(self) -> None:
            """Cosign, or say why not."""
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint":
                self._say(404, "POST /add-checkpoint")
                return
            if not length.isdigit() or int(length) > MOST_BODY:
                self._say(413, "too large")
                return
            try:
                self._say(200, witness.cosign(self.rfile.read(int(length)).decode("utf-8", "replace")))
            except Declined as declined:
                self._say(declined.status, declined.said)

        def _say(self, status: int, said: str) -> None:
            data = said.encode()
            self.send_response(status)
            media = "text/x.tlog.size" if status == 409 and said.strip().isdigit() else "text/plain; charset=utf-8"
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Requests are not logged: what was cosigned is in the state."""

    try:
        return ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise Unusable(
            f"无法在 {host}:{port} 上提供服务：{error.strerror}", f"cannot serve on {host}:{port}: {error.strerror}"
        ) from error
