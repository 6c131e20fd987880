"""Goes on sealing after a backup was put back or the signer's state was lost: as two people approved, and said aloud.

The signer goes back to the newest epoch that it and the database have in common, and follows every stream from there:
so even with every approval a past that was sealed and then changed stays refused. The log itself only grows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select

from engine.inbox import OVERSEERS
from engine.model import Event
from engine.people import two_of
from engine.said import plain
from engine.trail import epochs
from engine.trail.offline import GENESIS, has_signed, read_checkpoint, strict, tree_root
from engine.trail.record import tell
from engine.trail.signer import SIGNER, Signer, follow, rewritten, standing, written
from engine.trail.signer_state import Heads, State
from engine.trail.tree import StreamMap, leaf_of, move
from engine.work import Database, Work
from forms.words import Text

STREAM = "sys/log"
APPROVERS = OVERSEERS
"""Two people of these roles approve together; who runs the signer carries it out."""
WHAT = Text("恢复封存", "the recovery of the seals")
REASON = Text("须写明发生了什么、恢复到了哪一份备份", "say what happened and which backup was put back")


def approve(work: Work, approved_by: str, reason: str, *, proposal: str = "") -> int:
    """Approve that sealing goes on from the database as it now is; gives the number of its newest epoch.

    Raises NotYours unless who acts and ``approved_by``, who may have made the ``proposal``, are two of ``APPROVERS``.
    """
    reason = plain(reason, REASON)
    two_of(work, approved_by, APPROVERS, WHAT)
    last = epochs.newest(work)
    number = int(last["number"]) if last else 0
    told = {"epoch": number, "approved_by": approved_by, "reason": reason}
    tell(work, STREAM, "log.recovered", told | ({"proposal": proposal} if proposal else {}))
    return number


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of it: the new epoch, the epoch gone back to, and the streams that lost events (from, to)."""

    epoch: int
    back_to: int
    lost: dict[str, tuple[int, int]]


def recover(signer: Signer, database: Database, *, new_key: bool = False) -> Recovered:
    """Sign an epoch that goes on from the database as it is. Rewritten: not approved, or no continuation of it."""
    with database.look(SIGNER) as work:
        theirs = list(written(work))
        _admit_adopted(signer, theirs, new_key=new_key)
        approved = _approved(work, signer.state, len(theirs))
        common, heads = _common(signer.state, theirs)
        now = standing(work)
        follow(work, heads, now)
        moment = work.now
    known = len(signer.state.leaves)
    if len(theirs) > known:
        signer.state.adopt(theirs)
    before = signer.state.heads
    lost = {
        stream: (seq, now.get(stream, (0, ""))[0])
        for stream, (seq, _) in before.items()
        if now.get(stream, (0, ""))[0] < seq
    }
    moved = {stream: now.get(stream, (0, "")) for stream in before | now if before.get(stream) != now.get(stream)}
    told = {"epoch": common, "approved": approved, "streams": len(lost), "events": sum(a - b for a, b in lost.values())}
    number = signer.sign(now, moved, moment, recovered=told)
    signer.write(database, dict(islice(enumerate(signer.state.signed(), 1), len(theirs), number)))
    with database.work(SIGNER) as work:
        epochs.lift(work)
    return Recovered(number, common, lost)


def _admit_adopted(signer: Signer, theirs: list[dict[str, Any]], *, new_key: bool) -> None:
    """Epochs that this signer does not know must bear its own signature, unless its key was lost with its state."""
    if len(theirs) <= len(signer.state.leaves) or new_key:
        return
    try:
        point = read_checkpoint(theirs[-1]["note"])
        size, root = len(theirs), tree_root([leaf_of(each) for each in theirs])
        good = (point.size, point.root) == (size, root) and any(has_signed(point, key.key) for key in signer.keys)
    except (ValueError, TypeError):
        good = False
    if not good:
        raise rewritten(
            "数据库中的期不是由本封存进程的密钥签署；密钥也丢失了才用 --new-key",
            "the epochs of the database are not signed with this signer's key; only if the key was lost: --new-key",
        )


def _approved(work: Work, state: State, count: int) -> str:
    """The hash of the newest approval, which must be of this very state of the database and not used before."""
    query = select(Event.hash, Event.body).where(Event.stream == STREAM, Event.kind == "log.recovered")
    row = work.row(query.order_by(Event.seq.desc()).limit(1))
    if row is None or row["hash"] in _used(state, count):
        raise rewritten(
            "没有新的批准：先由两人用 trail recover 批准恢复",
            "nobody has approved it: two people do so first, with trail recover",
        )
    epoch = json.loads(row["body"])["data"].get("epoch")
    if epoch != count:
        raise rewritten(
            f"批准的是恢复到第 {epoch} 期的数据库，而它现在到第 {count} 期",
            f"what was approved is a database that ends at epoch {epoch}, but it ends at {count}",
        )
    return str(row["hash"])


def _used(state: State, count: int) -> set[str]:
    """The approvals that were carried out, and not lost again on the way into the database."""
    said = (json.loads(each["statement"]) for each in (islice(state.signed(), count) if state.told else ()))
    return {each["recovered"]["approved"] for each in said if "recovered" in each}


def _common(state: State, theirs: list[dict[str, Any]]) -> tuple[int, Heads]:
    """The newest epoch that the database and the signer have in common, and where every stream stood at it.

    Epochs that only the database has count as well, for a signer whose state was lost; they must be whole.
    """
    before, root = GENESIS, StreamMap({}).root.hex()
    heads: Heads = {}
    for number, each in enumerate(theirs, 1):
        said, leaf = strict(each["statement"].encode()), leaf_of(each)
        move(heads, each["changed"])
        known = state.leaves[number - 1] if number <= len(state.leaves) else leaf
        whole = (said["epoch"], said["prev"], each["leaf"]) == (number, before, leaf.hex())
        if not whole or leaf != known:
            raise rewritten(f"第 {number} 期被改动", f"epoch {number} was changed")
        before, root = leaf.hex(), said["map_root"]
    if StreamMap(heads).root.hex() != root:
        raise rewritten("各轨迹的末尾与最后一期不符", "the heads of the streams are not those of the last epoch")
    return len(theirs), heads

