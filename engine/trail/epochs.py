"""Epochs as the rest of the engine sees them: asking for one, waiting for it, and the proofs a bundle needs of them."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from engine.trail.tables import Anchor, Epoch, EpochHead, Halt, SealRequest
from engine.trail.tree import StreamMap, move
from engine.work import SYSTEM, Database, Work
from forms.words import Text

PATIENCE = 10.0
"""Seconds that an export waits for the signer."""
LOOK = 0.05
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a bundle shows of the log: the checkpoint, the leaves of all epochs, the proofs, and what is anchored."""

    checkpoint: str
    leaves: bytes
    proof: dict[str, Any]
    stamps: dict[str, bytes]


def request(work: Work, manifest: str | None = None) -> str:
    """Ask the signer for an epoch now, or for its signature under the list of files of an export."""
    identity = uuid.uuid4().hex
    work.add(SealRequest, {"id": identity, "at": work.now, "manifest": manifest})
    return identity


def answered(database: Database, identity: str, patience: float = PATIENCE) -> dict[str, Any] | None:
    """The signer's answer to a request, waited for some seconds; None if no signer answers."""
    query = select(SealRequest.epoch, SealRequest.envelope).where(
        SealRequest.id == identity, SealRequest.answered_at.is_not(None)
    )
    for again in range(round(patience / LOOK) + 1):
        if again:
            time.sleep(LOOK)
        with database.look(SYSTEM) as work:
            found = work.row(query)
        if found is not None:
            return found
    return None


def waiting(work: Work) -> list[dict[str, Any]]:
    """The requests nobody has answered yet, oldest first."""
    columns = (SealRequest.id, SealRequest.manifest)
    return work.rows(select(*columns).where(SealRequest.answered_at.is_(None)).order_by(SealRequest.at))


def forget(work: Work, before: datetime) -> None:
    """Clear away the requests that were answered long ago."""
    work.db.execute(delete(SealRequest).where(SealRequest.answered_at < before))


def answer(work: Work, identity: str, epoch: int, envelope: str | None) -> None:
    """Say that a request is answered."""
    said = {"epoch": epoch, "envelope": envelope, "answered_at": work.now}
    work.db.execute(update(SealRequest).where(SealRequest.id == identity).values(**said))


def halt(work: Work, why: Text) -> None:
    """Say that the signer refuses to sign; nothing is added to the trail until ``lift``."""
    if work.row(select(Halt.id).where(Halt.lifted_at.is_(None), Halt.en == why.en)) is None:
        work.add(Halt, {"id": uuid.uuid4().hex, "at": work.now, "zh": why.zh, "en": why.en, "lifted_at": None})


def lift(work: Work) -> None:
    """Say that the signer signs again."""
    if work.row(select(Halt.id).where(Halt.lifted_at.is_(None)).limit(1)):
        work.db.execute(update(Halt).where(Halt.lifted_at.is_(None)).values(lifted_at=work.now))


def newest(work: Work) -> dict[str, Any] | None:
    """The newest epoch, or None before the first."""
    columns = (Epoch.number, Epoch.statement, Epoch.leaf, Epoch.note, Epoch.at)
    return work.row(select(*columns).order_by(Epoch.number.desc()).limit(1))


def proofs(work: Work, stream: str, cited: Iterable[int]) -> Proofs | None:
    """What proves where a stream stood, now and at the epochs n-1, n-2, n-4 … before; None while nothing is sealed.

    Whoever wants to pass off a changed past has to have kept faking all these, for as long as the truth was published.
    """
    last = newest(work)
    if last is None:
        return None
    all_leaves = work.db.execute(select(Epoch.leaf).order_by(Epoch.number)).scalars()
    leaves = b"".join(bytes.fromhex(leaf) for leaf in all_leaves)
    number = last["number"]
    shown = sorted({number} | {number - 2**i for i in range(number.bit_length()) if number - 2**i > 0})
    anchors = work.rows(select(Anchor.kind, Anchor.source, Anchor.content).where(Anchor.epoch == number))
    lines = "".join(each["content"] for each in anchors if each["kind"] == "witness")
    stamps = {each["source"]: base64.b64decode(each["content"]) for each in anchors if each["kind"] == "tsa"}
    said = {
        "stream": stream,
        "epochs": _shown(work, stream, shown)[::-1],
        "cited": [text for _, text in _statements(work, sorted({*cited, *_recovered(work)}))],
    }
    return Proofs(last["note"] + lines, leaves, said, stamps)


def _shown(work: Work, stream: str, numbers: list[int]) -> list[dict[str, Any]]:
    """Statement and map proof of each of these epochs; the maps are built in one pass over what moved."""
    found: list[dict[str, Any]] = []
    heads: dict[str, tuple[int, str]] = {}
    moved = select(EpochHead.epoch, EpochHead.stream, EpochHead.seq, EpochHead.head).order_by(EpochHead.epoch)
    with work.db.execute(moved.execution_options(yield_per=5000)) as rows:
        row = next(rows, None)
        for number, statement in _statements(work, numbers):
            while row is not None and row.epoch <= number:
                move(heads, {row.stream: (row.seq, row.head)})
                row = next(rows, None)
            seq, head = heads.get(stream, (0, ""))
            proof = StreamMap(heads).proof(stream) if seq else []
            found.append({"epoch": number, "statement": statement, "seq": seq, "head": head, "proof": proof})
    return found


def _recovered(work: Work) -> list[int]:
    """The epochs with which sealing went on after a backup was put back: every bundle tells of them."""
    query = select(Epoch.number).where(Epoch.statement.contains('"recovered":'))
    return list(work.db.execute(query).scalars())


def _statements(work: Work, numbers: list[int]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for start in range(0, len(numbers), 500):
        query = select(Epoch.number, Epoch.statement).where(Epoch.number.in_(numbers[start : start + 500]))
        found += [(row.number, row.statement) for row in work.db.execute(query.order_by(Epoch.number))]
    return found
