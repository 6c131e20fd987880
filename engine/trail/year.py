"""Measures how fast a year's trail verifies: events as they are stored, stream after stream, in bounded memory."""

from __future__ import annotations

import itertools
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from engine.trail.offline import GENESIS, canonical, chain, event_hash

PER_STREAM = 200
"""Events of a case that is worked on for a year."""


def year(events: int = 1_000_000, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Generate a year of events and verify it; gives how many there were, a second, and the most memory in MiB.

    The chains are verified by what the auditor's program uses, one part of the streams on each processor.
    """
    with tempfile.TemporaryDirectory() as folder:
        parts = max(1, len(os.sched_getaffinity(0)))
        told("generate")
        streams = -(-events // PER_STREAM)
        bounds = [streams * part // parts for part in range(parts + 1)]
        context = get_context("spawn")
        with ProcessPoolExecutor(parts, mp_context=context) as pool:
            asked = [
                (str(Path(folder) / f"{part}.jsonl"), *pair) for part, pair in enumerate(itertools.pairwise(bounds))
            ]
            written = sum(pool.map(_generate, asked))
            told("verify")
            began = time.perf_counter()
            found = list(pool.map(_verify, [path for path, _, _ in asked]))
            seconds = time.perf_counter() - began
        size = sum(Path(path).stat().st_size for path, _, _ in asked)
    good = sum(count for count, _, _ in found)
    assert good == written, "every generated event verifies"
    return {
        "events": written,
        "streams": streams,
        "bytes": size,
        "flaws": sum(flaws for _, flaws, _ in found),
        "seconds": round(seconds, 2),
        "events_per_second": round(written / seconds),
        "memory_mib": max(memory for _, _, memory in found),
        "processes": parts,
    }


def _generate(asked: tuple[str, int, int]) -> int:
    """Write the streams from one number to before another into a file; gives how many events they have."""
    path, first, last = asked
    count = 0
    with Path(path).open("wb") as file:
        for stream in range(first, last):
            head = GENESIS
            for seq in range(1, PER_STREAM + 1):
                line = canonical(_event(stream, seq, head)).encode()
                file.write(line + b"\n")
                head = event_hash(line)
                count += 1
    return count


def _event(stream: int, seq: int, head: str) -> dict[str, Any]:
    """An event of the size and kind that a step of a case tells."""
    identity = f"{stream:016x}{seq:016x}"
    return {
        "v": 1, "log": "liuhen/0123456789abcdef", "id": identity, "stream": f"case/{stream:032x}", "seq": seq,
        "prev": head, "ts": f"2026-03-{seq // 24 + 1:02d}T{seq % 24:02d}:00:00.{stream % 10**6:06d}Z",
        "type": "task.completed", "actor": {"id": identity, "role": "registrar"},
        "process": {"key": "tech_contract_registration", "version": 1, "sha256": head, "element": "content_review"},
        "epoch": {"n": 1, "hash": head},
        "data": {"token": seq, "submission": identity, "commitment": head, "basis": "002 §六", "facts": ["F-RC-01"]},
    }  # fmt: skip


def _verify(path: str) -> tuple[int, int, int]:
    """How many events of a file verify, how many flaws they have, and the most memory it took (MiB)."""
    count, flaws = 0, []
    with Path(path).open("rb") as file:
        for _, lines in itertools.groupby(_lines(file), key=_stream):
            count += len(chain(lines, lambda seq, zh, en: flaws.append((seq, zh, en))))
    return count, len(flaws), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _lines(file: Any) -> Iterator[bytes]:
    for line in file:
        yield line[:-1]


def _stream(line: bytes) -> bytes:
    start = line.index(b'"stream":"') + 10
    return line[start : line.index(b'"', start)]
