"""The signer (封存): a process of its own that follows every stream, refuses rewritten history, and signs what it saw.

It keeps its own state beside its keys, so whoever rules the database cannot have a changed past signed. It reads the
database and writes epochs into it, nothing else. What to do after it refused is for ``recovery``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import CompoundSelect, func, select

from engine.errors import Refusal, Unusable, WrongState
from engine.instant import INSTANT_FORMAT
from engine.model import CaseFile, Event, Stream
from engine.trail.notes import Signing, checkpoint_text, envelope, signing_key
from engine.trail.offline import GENESIS, canonical, event_hash, leaf_hash, strict, tree_root
from engine.trail.record import SKEW, log_name
from engine.trail.signer_state import Heads, State
from engine.trail.tables import Epoch, EpochHead
from engine.trail.tree import StreamMap, leaf_of
from engine.work import Database, Work

SIGNER = "signer"
"""Who acts when the signer writes an epoch."""
KEY, RETIRING = "key.pem", "retiring.pem"


class Rewritten(Refusal):
    """The past is not as it was signed: the signer signs nothing until people have found out why."""

    code = "rewritten"


@dataclass(slots=True)
class Signer:
    """Its keys, the newest first, and its state; ``seal`` makes the next epoch of a database.

    While a key is being replaced both sign, so that whoever knows only one of them can verify.
    """

    keys: list[Signing]
    state: State

    @classmethod
    def of(cls, work: Work, folder: Path) -> Signer:
        """The signer that keeps its keys and state in this folder. Unusable: they belong to another database."""
        state, origin = State.kept(folder), log_name(work)
        if state.origin not in ("", origin):
            raise Unusable(
                f"封存进程的状态属于日志 {state.origin}，而数据库的日志是 {origin}",
                f"the signer's state is of the log {state.origin}, but the database's log is {origin}",
            )
        state.origin = origin
        keys = [signing_key(folder / KEY, origin)]
        if (folder / RETIRING).exists():
            keys.append(signing_key(folder / RETIRING, origin))
        return cls(keys, state)

    @property
    def key(self) -> Signing:
        """The key that is published."""
        return self.keys[0]

    def envelope(self, manifest: str) -> str:
        """The list of files of an export, signed."""
        return envelope(manifest.encode(), self.keys)

    def seal(self, database: Database) -> int | None:
        """Follow what happened since the last epoch and sign it; gives the number of the new epoch, or None.

        None: nothing has happened. Rewritten: what the database shows is not a continuation of what was signed.
        """
        try:
            self.catch_up(database)
            with database.look(SIGNER) as work:
                heads = standing(work)
                changed = follow(work, self.state.heads, heads)
                moment = work.now
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise rewritten(
                f"数据库的内容无法读取（{error}）", f"what is in the database cannot be read ({error})"
            ) from error
        if not changed:
            return None
        number = self.sign(heads, changed, moment)
        self.write(database, {number: self.state.last or {}})
        return number

    def catch_up(self, database: Database) -> None:
        """See that the database knows the epochs signed so far; the last one is written again if a crash lost it."""
        with database.look(SIGNER) as work:
            query = select(func.count(), func.max(Epoch.number)).select_from(Epoch)
            count, newest = work.db.execute(query).one()
            last = work.row(select(Epoch.leaf).where(Epoch.number == newest))
        state, known = self.state, len(self.state.leaves)
        if count != (newest or 0) or count > known:
            raise rewritten(
                f"数据库里有封存进程没有签过的期（{newest}，已签 {known}）",
                f"the database has epochs that were never signed here (it shows {newest}, signed: {known})",
            )
        if last and last["leaf"] != state.leaves[count - 1].hex():
            raise rewritten(f"第 {count} 期被改动", f"epoch {count} was changed")
        if count < known - 1:
            raise rewritten(
                f"数据库只到第 {count} 期，而已签到第 {known} 期：恢复了旧备份？",
                f"the database ends at epoch {count}, but {known} were signed: was an old backup restored?",
            )
        if count == known - 1:
            assert state.last is not None
            with database.look(SIGNER) as work:  # a crash lost the epoch alone, an older backup also what it sealed
                follow(work, state.heads, standing(work))
            self.write(database, {known: state.last})
        if known and not state.told:
            with database.look(SIGNER) as work:
                epochs = list(written(work))
            if [leaf_of(each) for each in epochs] != state.leaves:
                raise rewritten("有的期被改动", "some epochs were changed")
            state.adopt(epochs)

    def sign(self, heads: Heads, changed: Heads, moment: datetime, **told: Any) -> int:
        """The next epoch, signed and kept but not yet in the database; gives its number.

        ``changed`` are the streams that stand elsewhere than at the epoch before, ``told`` is what else it says.
        """
        state, number = self.state, len(self.state.leaves) + 1
        time = moment.astimezone(UTC).strftime(INSTANT_FORMAT)
        if state.last and (moment + SKEW).astimezone(UTC).strftime(INSTANT_FORMAT) >= state.last["time"]:
            time = max(time, state.last["time"])  # a clock that was put right, not one that was set back
        if state.last and time < state.last["time"]:
            raise rewritten(
                f"时钟被回拨：上一期在 {state.last['time']}，现在是 {time}",
                f"the clock was set back: the last epoch was at {state.last['time']}, now it is {time}",
            )
        keys = [key.published for key in self.keys]
        if keys != state.keys:
            told["keys"] = keys
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
            **told,
        }))  # fmt: skip
        leaves = [*state.leaves, leaf_hash(statement.encode())]
        text = checkpoint_text(state.origin, number, tree_root(leaves))
        state.leaves, state.heads, state.keys = leaves, dict(heads), keys
        note = text + "\n" + "".join(key.line(text) for key in self.keys)
        state.last = {"time": time, "statement": statement, "note": note, "changed": dict(changed)}
        state.keep()
        return number

    def write(self, database: Database, epochs: Mapping[int, Mapping[str, Any]]) -> None:
        """Write signed epochs, by number, into the database."""
        with database.work(SIGNER) as work:
            for number, each in epochs.items():
                leaf = self.state.leaves[number - 1].hex()
                said = {"statement": each["statement"], "leaf": leaf, "note": each["note"], "at": work.now}
                work.add(Epoch, {"number": number, **said})
                changed = each["changed"].items()
                rows = [{"epoch": number, "stream": name, "seq": seq, "head": head} for name, (seq, head) in changed]
                if rows:
                    work.add(EpochHead, *rows)


def rotate(folder: Path) -> None:
    """Draw a new key; the old one signs beside it until ``retire``. WrongState while one is being replaced."""
    if (folder / RETIRING).exists():
        raise WrongState(
            "上一次更换密钥还没有结束：先公布新公钥，再用 --retire 停用旧密钥",
            "a key is being replaced already: publish the new one, then end it with --retire",
        )
    (folder / KEY).replace(folder / RETIRING)


def retire(folder: Path) -> None:
    """Destroy the key that was replaced. WrongState where none is being replaced."""
    if not (folder / RETIRING).exists():
        raise WrongState("没有正在更换的密钥", "no key is being replaced")
    (folder / RETIRING).unlink()


def follow(work: Work, before: Heads, heads: Heads) -> Heads:
    """The streams that moved since they stood as ``before``, each followed event by event, or Rewritten."""
    gone = before.keys() - heads.keys()
    if gone:
        raise rewritten(
            f"{len(gone)} 条轨迹不见了，如 {min(gone)}", f"{len(gone)} streams vanished, such as {min(gone)}"
        )
    changed = {stream: head for stream, head in heads.items() if before.get(stream) != head}
    for stream, (seq, head) in changed.items():
        old, chained = before.get(stream, (0, GENESIS))
        if seq <= old:
            raise rewritten(
                f"{stream} 从第 {old} 条变为第 {seq} 条，或末尾被改",
                f"{stream} went from {old} events to {seq}, or its end was changed",
            )
        with contextlib.closing(_events(work, stream, old, seq)) as events:
            if _end(stream, old, chained, events) != (seq, head):
                raise rewritten(f"{stream} 的末尾与记录不符", f"{stream} does not end where its head says")
    if lost := _endless(work):
        raise rewritten(f"{lost} 的末条记录不见了", f"the last event of {lost} is gone")
    return changed


def written(work: Work) -> Iterator[dict[str, Any]]:
    """Every epoch the database has, the first one first: statement, leaf, note, and the heads that moved."""
    moved = select(EpochHead.epoch, EpochHead.stream, EpochHead.seq, EpochHead.head).order_by(EpochHead.epoch)
    query = select(Epoch.number, Epoch.statement, Epoch.leaf, Epoch.note).order_by(Epoch.number)
    with work.db.execute(moved.execution_options(yield_per=1000)) as heads:
        row = next(heads, None)
        for epoch in work.rows(query):
            changed = {}
            while row is not None and row.epoch <= epoch["number"]:
                changed[row.stream] = (row.seq, row.head)
                row = next(heads, None)
            yield {**epoch, "changed": changed}


def standing(work: Work) -> Heads:
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
            raise rewritten(
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


def rewritten(zh: str, en: str) -> Rewritten:
    """The refusal to sign, for this reason."""
    return Rewritten(f"拒绝封存：{zh}。请查明原因", f"refused to sign: {en}. Find out why")
