"""The signer (封存): a process of its own that follows every stream, refuses rewritten history, and signs what it saw.

It keeps its own state beside its key: where each stream stood and every epoch it ever signed. So whoever rules the
database cannot have a changed past signed. It reads the database and writes epochs into it, nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import CompoundSelect, func, select

from engine.errors import Refusal, Unusable
from engine.instant import INSTANT_FORMAT
from engine.model import CaseFile, Event, Stream
from engine.trail.notes import Signing, checkpoint_text, signing_key
from engine.trail.offline import GENESIS, canonical, event_hash, leaf_hash, strict, tree_root
from engine.trail.record import log_name
from engine.trail.tables import Epoch, EpochHead
from engine.trail.tree import StreamMap
from engine.work import Database, Work

SIGNER = "signer"
"""Who acts when the signer writes an epoch."""


class Rewritten(Refusal):
    """The past is not as it was signed: the signer signs nothing until people have found out why."""

    code = "rewritten"


@dataclass(slots=True)
class State:
    """What the signer knows by itself, in ``state.json`` and ``leaves.bin`` of its folder."""

    folder: Path
    origin: str = ""
    leaves: list[bytes] = field(default_factory=list)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    last: dict[str, Any] | None = None

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
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unusable(
                f"封存进程的状态“{path}”不可读：{error}", f"the signer's state {str(path)!r} cannot be read: {error}"
            ) from error
        if len(state.leaves) != said["size"]:
            raise Unusable(f"“{folder}”中的 leaves.bin 不完整", f"leaves.bin in {str(folder)!r} is not complete")
        return state

    def keep(self) -> None:
        """Write it down, whole or not at all; on the disk before anything signed leaves the signer."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # What lies beyond the size that state.json tells counts for nothing.
        with (self.folder / "leaves.bin").open("r+b" if (self.folder / "leaves.bin").exists() else "w+b") as file:
            file.seek(32 * (len(self.leaves) - 1))
            file.write(self.leaves[-1])
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        said = {"origin": self.origin, "size": len(self.leaves), "last": self.last, "heads": self.heads}
        draft = self.folder / "state.json.new"
        with draft.open("w", encoding="utf-8") as text:
            json.dump(said, text, ensure_ascii=False)
            text.flush()
            os.fsync(text.fileno())
        draft.replace(self.folder / "state.json")


@dataclass(slots=True)
class Signer:
    """A key and a state; ``seal`` makes the next epoch of a database."""

    key: Signing
    state: State

    @classmethod
    def of(cls, work: Work, folder: Path) -> Signer:
        """The signer that keeps its key and state in this folder. Unusable: they belong to another database."""
        state, origin = State.kept(folder), log_name(work)
        if state.origin not in ("", origin):
            raise Unusable(
                f"封存进程的状态属于日志 {state.origin}，而数据库的日志是 {origin}",
                f"the signer's state is of the log {state.origin}, but the database's log is {origin}",
            )
        state.origin = origin
        return cls(signing_key(folder / "key.pem", origin), state)

    def seal(self, database: Database) -> int | None:
        """Follow what happened since the last epoch and sign it; gives the number of the new epoch, or None.

        None: nothing has happened. Rewritten: what the database shows is not a continuation of what was signed.
        """
        self.catch_up(database)
        with database.look(SIGNER) as work:
            heads = standing(work)
            changed = self._followed(work, heads)
            moment = work.now
        if not changed:
            return None
        return self._sign(database, heads, changed, moment)

    def catch_up(self, database: Database) -> None:
        """See that the database knows the epochs signed so far; the last one is written again if a crash lost it."""
        with database.look(SIGNER) as work:
            query = select(func.count(), func.max(Epoch.number)).select_from(Epoch)
            count, newest = work.db.execute(query).one()
            last = work.row(select(Epoch.leaf).where(Epoch.number == newest))
        known = len(self.state.leaves)
        if count != (newest or 0) or count > known:
            raise _rewritten(
                f"数据库里有封存进程没有签过的期（{newest}，已签 {known}）",
                f"the database has epochs that were never signed here (it shows {newest}, signed: {known})",
            )
        if last and bytes.fromhex(last["leaf"]) != self.state.leaves[count - 1]:
            raise _rewritten(f"第 {count} 期被改动", f"epoch {count} was changed")
        if count < known - 1:
            raise _rewritten(
                f"数据库只到第 {count} 期，而已签到第 {known} 期：恢复了旧备份？",
                f"the database ends at epoch {count}, but {known} were signed: was an old backup restored?",
            )
        if count == known - 1:
            self._write(database)

    def _followed(self, work: Work, heads: Mapping[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
        """The streams that moved, each followed event by event from where it stood."""
        gone = self.state.heads.keys() - heads.keys()
        if gone:
            raise _rewritten(
                f"{len(gone)} 条轨迹不见了，如 {min(gone)}", f"{len(gone)} streams vanished, such as {min(gone)}"
            )
        changed = {stream: head for stream, head in heads.items() if self.state.heads.get(stream) != head}
        for stream, (seq, head) in changed.items():
            old, chained = self.state.heads.get(stream, (0, GENESIS))
            if seq <= old:
                raise _rewritten(
                    f"{stream} 从第 {old} 条变为第 {seq} 条，或末尾被改",
                    f"{stream} went from {old} events to {seq}, or its end was changed",
                )
            with contextlib.closing(_events(work, stream, old, seq)) as events:
                if _end(stream, old, chained, events) != (seq, head):
                    raise _rewritten(f"{stream} 的末尾与记录不符", f"{stream} does not end where its head says")
        if lost := _endless(work):
            raise _rewritten(f"{lost} 的末条记录不见了", f"the last event of {lost} is gone")
        return changed

    def _sign(
        self,
        database: Database,
        heads: Mapping[str, tuple[int, str]],
        changed: Mapping[str, tuple[int, str]],
        moment: datetime,
    ) -> int:
        state, number = self.state, len(self.state.leaves) + 1
        time = moment.astimezone(UTC).strftime(INSTANT_FORMAT)
        if state.last and time < state.last["time"]:
            raise _rewritten(
                f"时钟被回拨：上一期在 {state.last['time']}，现在是 {time}",
                f"the clock was set back: the last epoch was at {state.last['time']}, now it is {time}",
            )
        statement = str(canonical({
            "v": 1,
            "log": state.origin,
            "epoch": number,
            "time": time,
            "prev": state.leaves[-1].hex() if state.leaves else GENESIS,
            "streams": len(heads),
            "events": sum(seq for seq, _ in heads.values()),
            "changed": len(changed),
            "map_root": StreamMap(heads).root.hex(),
        }))  # fmt: skip
        leaves = [*state.leaves, leaf_hash(statement.encode())]
        text = checkpoint_text(state.origin, number, tree_root(leaves))
        state.leaves = leaves
        state.heads = dict(heads)
        note = text + "\n" + self.key.line(text)
        state.last = {"time": time, "statement": statement, "note": note, "changed": dict(changed)}
        state.keep()
        self._write(database)
        return number

    def _write(self, database: Database) -> None:
        """Write the last signed epoch into the database."""
        state = self.state
        assert state.last is not None
        number = len(state.leaves)
        with database.work(SIGNER) as work:
            work.add(Epoch, {
                "number": number,
                "statement": state.last["statement"],
                "leaf": state.leaves[-1].hex(),
                "note": state.last["note"],
                "at": work.now,
            })  # fmt: skip
            changed = state.last["changed"].items()
            rows = [{"epoch": number, "stream": each, "seq": seq, "head": head} for each, (seq, head) in changed]
            work.add(EpochHead, *rows)


def standing(work: Work) -> dict[str, tuple[int, str]]:
    """Where every stream stands, all at one instant."""
    return {row.name: (row.seq, row.head) for row in work.db.execute(_heads()) if row.seq}


def _heads() -> CompoundSelect[str, int, str]:
    cases = select(("case/" + CaseFile.id).label("name"), CaseFile.seq, CaseFile.head)
    return cases.union_all(select(Stream.name, Stream.seq, Stream.head))


def _endless(work: Work) -> str | None:
    """A stream whose last event is not there, also of those that have not moved; None where there is none."""
    heads = _heads().subquery()
    last = (Event.stream == heads.c.name) & (Event.seq == heads.c.seq) & (Event.hash == heads.c.head)
    query = select(heads.c.name).outerjoin(Event, last).where(heads.c.seq > 0, Event.stream.is_(None)).limit(1)
    return work.db.execute(query).scalar_one_or_none()


def _events(work: Work, stream: str, old: int, new: int) -> Generator[Any, None, None]:
    query = select(Event.seq, Event.body, Event.hash).where(Event.stream == stream, Event.seq > old, Event.seq <= new)
    with work.db.execute(query.order_by(Event.seq).execution_options(yield_per=1000)) as found:
        yield from found


def _end(stream: str, seq: int, head: str, events: Iterable[Any]) -> tuple[int, str]:
    """Where a stream comes to that stood at ``seq`` and ``head``, event by event."""
    for event in events:
        seq += 1
        if event.seq != seq or not _follows(event, stream, seq, head):
            raise _rewritten(
                f"{stream} 第 {seq} 条接不上已封存的部分", f"event {seq} of {stream} does not continue what was sealed"
            )
        head = str(event.hash)
    return seq, head


def _follows(event: Any, stream: str, seq: int, head: str) -> bool:
    with contextlib.suppress(ValueError):
        body = strict(event.body.encode())
        said = (body.get("stream"), body.get("seq"), body.get("prev"))
        return said == (stream, seq, head) and event.hash == event_hash(event.body.encode())
    return False


def _rewritten(zh: str, en: str) -> Rewritten:
    return Rewritten(f"拒绝封存：{zh}。请查明原因", f"refused to sign: {en}. Find out why")
