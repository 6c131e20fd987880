"""What only two people may do (两人共办), each as themselves: one proposes, another carries it out; or it is dropped.

A proposal is an event of the stream it belongs to, and so is its end: the trail is all that is kept of it.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine import erasing, personal
from engine.errors import NotFound, WrongState
from engine.model import Event
from engine.people import one_of, standing
from engine.said import plain
from engine.trail import recovery
from engine.trail.record import locked, newest_seal, tell
from engine.work import Work

ERASURE, RECOVERY, DROPPED = "erasure.proposed", "recovery.proposed", "proposal.dropped"
STREAMS = {ERASURE: personal.ERASED, RECOVERY: recovery.STREAM}
ROLES = {ERASURE: erasing.ERASERS, RECOVERY: recovery.APPROVERS}
CLOSING = frozenset({DROPPED, "privacy.erased", "log.recovered"})
"""Kinds of events with which a proposal ends."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposed and nobody has yet carried out or dropped. ``subject`` is whose data are to be erased."""

    id: str
    kind: str
    by: str
    at: datetime
    reason: str
    subject: str | None


def may(work: Work, kind: str) -> bool:
    """Whether whoever acts may propose this and carry it out."""
    return bool(standing(work, work.actor).roles & ROLES[kind])


def waiting(work: Work) -> list[Proposal]:
    """The proposals that wait for a second person, the oldest first, as far as whoever acts may decide them."""
    kinds = [kind for kind in STREAMS if may(work, kind)]
    query = select(Event.kind, Event.actor, Event.at, Event.body)
    query = query.where(Event.stream.in_(STREAMS.values()), Event.kind.in_([*kinds, *CLOSING]))
    proposed: dict[str, Proposal] = {}
    for row in work.rows(query.order_by(Event.at, Event.stream, Event.seq)):
        data: dict[str, Any] = json.loads(row["body"])["data"]
        if row["kind"] in CLOSING:
            proposed.pop(str(data.get("proposal")), None)
            continue
        said = (data["proposal"], row["kind"], row["actor"], row["at"], data["reason"], data.get("subject"))
        proposed[data["proposal"]] = Proposal(*said)
    return list(proposed.values())


def propose_erasure(work: Work, subject: str, reason: str) -> str:
    """Propose that what somebody gave be erased; gives the id. WrongState while a case of theirs is open."""
    one_of(work, work.actor, erasing.ERASERS, erasing.WHAT)
    reason = plain(reason, erasing.REASON)
    erasing.refuse_open(work, subject)
    return _propose(work, ERASURE, reason, subject=subject)


def propose_recovery(work: Work, reason: str) -> str:
    """Propose that sealing goes on from the database as it is; gives the id. WrongState while nothing is wrong."""
    one_of(work, work.actor, recovery.APPROVERS, recovery.WHAT)
    reason = plain(reason, recovery.REASON)
    if newest_seal(work).halted is None:
        raise WrongState("封存进程没有拒绝签署，无须恢复", "the signer does not refuse: there is nothing to recover")
    return _propose(work, RECOVERY, reason)


def carry_out(work: Work, identity: str) -> Proposal:
    """Do what somebody else proposed. NotFound: it does not wait any more; NotYours: for who proposed it."""
    proposal = _waiting(work, identity)
    if proposal.kind == ERASURE:
        assert proposal.subject is not None
        erasing.erase(work, proposal.subject, proposal.by, proposal.reason, proposal=proposal.id)
    else:
        recovery.approve(work, proposal.by, proposal.reason, proposal=proposal.id)
    return proposal


def drop(work: Work, identity: str) -> None:
    """Let a proposal drop, one's own or somebody else's."""
    proposal = _waiting(work, identity)
    tell(work, STREAMS[proposal.kind], DROPPED, {"proposal": proposal.id})


def _propose(work: Work, kind: str, reason: str, **about: str) -> str:
    identity = uuid.uuid4().hex
    tell(work, STREAMS[kind], kind, {"proposal": identity, "reason": reason, **about})
    return identity


def _waiting(work: Work, identity: str) -> Proposal:
    found = next((each for each in waiting(work) if each.id == identity), None)
    if found is not None:
        locked(work, STREAMS[found.kind])  # whoever else decides it has to wait, and finds it decided
        found = next((each for each in waiting(work) if each.id == identity), None)
    if found is None:
        raise NotFound("没有这项提议，或已有人办理", "there is no such proposal, or somebody has dealt with it")
    return found
