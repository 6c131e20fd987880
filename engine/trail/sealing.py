"""Runs the signer: seals every few minutes and whenever somebody asks, and has each checkpoint anchored outside."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.errors import Refusal, WrongUsage
from engine.model import Event
from engine.trail import epochs
from engine.trail.anchors import Outside, Unanchored, cosigned, stamped, witnesses_of
from engine.trail.offline import read_checkpoint
from engine.trail.signer import SIGNER, Rewritten, Signer
from engine.trail.tables import Anchor
from engine.work import Database, Work

log = logging.getLogger("liuhen.signer")

EXPORTS = "sys/export"
"""The stream that tells of exports."""
EVERY = timedelta(minutes=5)
STAMP_EVERY = timedelta(days=1)
KEPT = timedelta(days=1)
AGAIN = timedelta(minutes=1)
"""How long a witness that failed is left alone, and how often a refused database is looked at again."""


@dataclass(slots=True)
class Sealing:
    """A signer at work on a database. ``once`` does what is to be done now."""

    database: Database
    signer: Signer
    witnesses: list[Outside] = field(default_factory=list)
    authority: tuple[str, Path] | None = None
    looked: datetime | None = None
    refused: datetime | None = None
    failed: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, database: Database, folder: Path) -> Sealing:
        """The signer of this folder, with the witnesses and the authority of the settings."""
        with database.look(SIGNER) as work:
            signer = Signer.of(work, folder)
        url, ca = os.environ.get("LIUHEN_TSA", ""), os.environ.get("LIUHEN_TSA_CA", "")
        if bool(url) != bool(ca):
            raise WrongUsage(
                "LIUHEN_TSA（地址）与 LIUHEN_TSA_CA（证书文件）须一起设置",
                "LIUHEN_TSA (an address) and LIUHEN_TSA_CA (a file of certificates) go together",
            )
        witnesses = witnesses_of(os.environ.get("LIUHEN_WITNESSES", ""))
        return cls(database, signer, witnesses, (url, Path(ca)) if url else None)

    def once(self) -> int | None:
        """Seal if somebody asks or the time has come; gives the number of a new epoch. Rewritten goes through."""
        with self.database.look(SIGNER) as work:
            asked, now = epochs.waiting(work), work.now
        if self.refused and now - self.refused < AGAIN and not asked:
            return None
        made = None
        if asked or self.looked is None or now - self.looked >= EVERY:
            try:
                made, self.looked = self.seal(), now
            except Rewritten:
                self.refused = now
                raise
            self.refused = None
        if asked:
            self._answer(asked)
        self._anchor(now)
        return made

    def seal(self) -> int | None:
        """Make the next epoch; gives its number. Rewritten: it refused, and everything is read-only from here on."""
        try:
            made = self.signer.seal(self.database)
        except Rewritten as refusal:
            with self.database.work(SIGNER) as work:
                epochs.halt(work, refusal.text)
            raise
        with self.database.work(SIGNER) as work:
            epochs.lift(work)
        return made

    def _answer(self, asked: list[dict[str, str]]) -> None:
        with self.database.work(SIGNER) as work:
            for each in asked:
                envelope = self.signer.envelope(each["manifest"]) if self._is_told(work, each["manifest"]) else None
                epochs.answer(work, each["id"], len(self.signer.state.leaves), envelope)
            epochs.forget(work, work.now - KEPT)

    def _is_told(self, work: Work, manifest: str | None) -> bool:
        """Whether this list of files is that of an export which a sealed event tells of: no other one is signed."""
        if manifest is None:
            return False
        digest = hashlib.sha256(manifest.encode()).hexdigest()
        query = select(func.min(Event.seq)).where(
            Event.stream == EXPORTS, Event.kind == "export.made", Event.body.contains(f'"manifest":"{digest}"')
        )
        seq = work.db.execute(query).scalar_one()
        return bool(seq) and int(seq) <= self.signer.state.heads.get(EXPORTS, (0, ""))[0]

    def _anchor(self, now: datetime) -> None:
        """Have the newest checkpoint cosigned by every witness, and stamped once a day."""
        last, number = self.signer.state.last, len(self.signer.state.leaves)
        if last is None:
            return
        with self.database.look(SIGNER) as work:
            here = set(work.db.execute(select(Anchor.source).where(Anchor.epoch == number)).scalars())
            stamp = select(Anchor.at).where(Anchor.kind == "tsa").order_by(Anchor.at.desc()).limit(1)
            before = work.db.execute(stamp).scalar_one_or_none()
        wanted = [("witness", each.key.name) for each in self.witnesses if each.key.name not in here]
        if self.authority and (before is None or now - before >= STAMP_EVERY):
            wanted.append(("tsa", "tsa"))
        for kind, source in wanted:
            if source in self.failed and now - self.failed[source] < AGAIN:
                continue
            try:
                content = self._anchored(kind, source, last["note"])
            except Unanchored as failure:
                self.failed[source] = now
                log.warning("%s", failure.text)
                continue
            self.failed.pop(source, None)
            with self.database.work(SIGNER) as work:
                said = {"epoch": number, "kind": kind, "source": source, "content": content, "at": work.now}
                work.add(Anchor, said)

    def _anchored(self, kind: str, source: str, note: str) -> str:
        if kind == "tsa":
            assert self.authority is not None
            return base64.b64encode(stamped(*self.authority, read_checkpoint(note).text)).decode()
        witness = next(each for each in self.witnesses if each.key.name == source)
        return cosigned(witness, note, self.signer.state.leaves)


def run_forever(sealing: Sealing, stop: threading.Event, every: float = 0.2) -> None:
    """Seal until told to stop. A refusal is said aloud, again and again, and nothing is signed meanwhile."""
    while not stop.wait(every):
        try:
            sealing.once()
        except Refusal as refusal:
            log.error("%s", refusal.text)
            stop.wait(every * 5)
        except Exception:
            log.exception("the signer could not look at the database; it will try again")
            stop.wait(every * 25)
