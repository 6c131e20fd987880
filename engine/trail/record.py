"""Writes events: one canonical text for each thing that happened, chained to the one before it in its stream.

An event never holds an answer or a personal value: it holds the submission's id and a salted commitment to it. So the
chain still verifies after a lawful erasure, and an export changes no event.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from engine.errors import Refusal
from engine.instant import INSTANT_FORMAT
from engine.model import Deed, Event, Setting, Stream
from engine.trail import offline
from engine.trail.deeds import deed_of
from engine.trail.offline import GENESIS
from engine.trail.tables import Epoch, Halt
from engine.work import SYSTEM, Database, Work
from forms.values import Value, canonical
from forms.words import Text

FRESH = timedelta(seconds=30)
SKEW = timedelta(minutes=1)
"""By how much clocks may differ. An epoch that seems to be younger than an event by less is not cited by it: the act
began before it was signed, or on another machine. More than that is a clock set back, which the citation shows.
"""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

DEFINITIONS, POLICY, PEOPLE = "sys/definitions", "sys/policy", "sys/people"
"""Streams that tell of what belongs to no case: versions; parameters, calendar and policy texts; people."""

WITHHELD = "withheld"
"""What an event says in the place of a personal or secret value."""

EVENT_KINDS: Mapping[str, tuple[str, str]] = {
    "case.started": ("立案", "case started"),
    "case.linked": ("启动关联案卷", "linked case started"),
    "case.closed": ("结案", "case closed"),
    "case.withdrawn": ("撤回", "case withdrawn"),
    "case.suspended": ("中止", "case suspended"),
    "case.resumed": ("恢复", "case resumed"),
    "deadline.passed": ("超期", "deadline passed"),
    "evidence.added": ("补录", "late evidence added"),
    "answer.corrected": ("更正", "answer corrected"),
    "task.opened": ("待办产生", "work item opened"),
    "task.claimed": ("认领", "work item claimed"),
    "task.released": ("退回待办", "work item released"),
    "task.reassigned": ("改派", "work item reassigned"),
    "task.completed": ("办理", "work item completed"),
    "task.cancelled": ("待办取消", "work item cancelled"),
    "attempt.refused": ("操作被拒", "attempt refused"),
    "incident.raised": ("异常", "incident raised"),
    "incident.retried": ("重试异常步骤", "incident retried"),
    "incident.closed": ("异常解除", "incident closed"),
    "skip.proposed": ("提议跳过步骤", "skip proposed"),
    "step.skipped": ("步骤已跳过", "step skipped"),
    "variable.corrected": ("更正变量", "variable corrected"),
    "case.migrated": ("案卷迁移版本", "case migrated"),
    "message.sent": ("发出消息", "message sent"),
    "message.received": ("收到消息", "message received"),
    "message.thrown": ("抛出消息", "message thrown"),
    "signal.thrown": ("发出信号", "signal thrown"),
    "signal.caught": ("收到信号", "signal caught"),
    "signal.sent": ("从外部发出信号", "signal sent from outside"),
    "start.missed": ("错过自动立案", "start missed"),
    "start.failed": ("未能自动立案", "start failed"),
    "error.thrown": ("抛出错误", "error thrown"),
    "error.caught": ("捕获错误", "error caught"),
    "escalation.thrown": ("抛出升级", "escalation thrown"),
    "escalation.caught": ("捕获升级", "escalation caught"),
    "condition.met": ("条件成立", "condition met"),
    "gateway.taken": ("判断", "gateway taken"),
    "decision.made": ("按表判定", "decision made by a table"),
    "step.passed": ("系统步骤", "automatic step passed"),
    "process.called": ("调用子流程", "process called"),
    "end.reached": ("到达终点", "end event reached"),
    "timer.armed": ("开始计时", "timer armed"),
    "timer.fired": ("到期", "timer fired"),
    "register.recorded": ("登入台账", "register record written"),
    "number.drawn": ("取号", "number drawn"),
    "document.attached": ("附件", "document attached"),
    "document.issued": ("出具文书", "document issued"),
    "notice.sent": ("通知", "notice sent"),
    "comment.added": ("备注", "comment added"),
    "definition.deployed": ("部署流程", "definition deployed"),
    "parameters.adopted": ("参数生效", "parameter set adopted"),
    "privacy.erased": ("依法删除个人信息", "personal data erased by law"),
    "policy.imported": ("导入政策文件", "policy text imported"),
    "calendar.loaded": ("日历载入", "calendar loaded"),
    "password.set": ("设置密码", "password set"),
    "person.added": ("登记人员", "person added"),
    "person.deactivated": ("停用人员", "person deactivated"),
    "role.granted": ("授予角色", "role granted"),
    "role.revoked": ("收回角色", "role revoked"),
    "recusal.declared": ("回避", "recusal declared"),
    "delegation.made": ("委托", "delegation made"),
    "delegation.ended": ("委托结束", "delegation ended"),
    "backup.restored": ("恢复备份", "backup restored"),
    "export.made": ("导出案卷", "case exported"),
    "erasure.proposed": ("提议删除个人信息", "erasure of personal data proposed"),
    "recovery.proposed": ("提议恢复封存", "recovery of the seals proposed"),
    "proposal.dropped": ("撤销提议", "proposal dropped"),
    "log.recovered": ("批准恢复封存", "recovery of the seals approved"),
}
"""Every kind of event there is, in Chinese and English."""


PASSED = frozenset({
    "task.completed", "step.passed", "decision.made", "timer.fired", "message.received", "message.thrown",
    "signal.thrown", "signal.caught", "error.thrown", "error.caught", "escalation.thrown", "escalation.caught",
    "condition.met",
})  # fmt: skip
"""Kinds of events with which an element is passed, and leaves its facts."""
SKIPPED, EVIDENCE, OVERRUN = "step.skipped", "evidence.added", "deadline.passed"
"""Kinds of events that tell of facts though no element is passed: what was lacking, added late, or overrun."""


WHILE_HALTED = frozenset({"recovery.proposed", "proposal.dropped", "log.recovered", "backup.restored"})
"""Kinds of events that may be told while the signer refuses to sign."""


class Halted(Refusal):
    """The signer found the past rewritten or rolled back: everything is read-only until people have put that right."""

    code = "halted"

    def __init__(self) -> None:
        super().__init__(
            "系统处于只读状态，本操作没有进行：封存进程发现记录与已封存的不一致，合规人员正在查明",
            "Liuhen is read-only and nothing was done: the signer found records that are not as they were sealed",
        )


def canonical_body(body: Any) -> str:
    """The one text of a body: sorted keys, no spaces, no floats (RFC 8785 for the values events may hold)."""
    return str(offline.canonical(body))


def event_hash(body: str) -> str:
    """SHA-256 of an event, hex."""
    return offline.event_hash(body.encode())


def commitment(salt: str, value: Value) -> str:
    """What the trail says of a value it must not show: SHA-256 over a 32-byte salt (hex) and the canonical value."""
    return committed(salt, canonical(value))


def committed(salt: str, text: str) -> str:
    """The same for a value that is canonical text already."""
    return offline.sha(bytes.fromhex(salt), text.encode()).hex()


def new_salt() -> str:
    """32 random bytes, hex."""
    return secrets.token_hex(32)


def log_name(work: Work) -> str:
    """The name this database's trail is written under; it was drawn when the database was made."""
    if "log" not in work.database.caches:
        work.database.caches["log"] = work.db.execute(select(Setting.value).where(Setting.name == "log")).scalar_one()
    return str(work.database.caches["log"])


@dataclass(slots=True)
class Chain:
    """Where a stream stands, and the events of this act that have yet to be written behind it."""

    stream: str
    seq: int
    head: str
    last_at: datetime | None
    rows: list[dict[str, Any]]

    @classmethod
    def standing(cls, stream: str, seq: int = 0, head: str = GENESIS, last_at: datetime | None = None) -> Chain:
        """A stream at this position; without one, a new stream."""
        return cls(stream, seq, head, last_at, [])

    def add(
        self,
        work: Work,
        kind: str,
        data: Mapping[str, Any],
        *,
        actor: Mapping[str, Any] | None = None,
        process: Mapping[str, Any] | None = None,
        element: str | None = None,
    ) -> None:
        """One more event. Time never runs backwards in a stream: a clock set back is noted beside the later time."""
        if kind not in EVENT_KINDS:
            raise AssertionError(f"{kind} is not in the list of event kinds")
        seal = newest_seal(work)
        if seal.halted and kind not in WHILE_HALTED:
            raise Halted
        at = work.now if self.last_at is None or work.now >= self.last_at else self.last_at
        body: dict[str, Any] = {
            "v": 1,
            "log": log_name(work),
            "id": str(uuid.uuid4()),
            "stream": self.stream,
            "seq": self.seq + 1,
            "prev": self.head,
            "ts": at.astimezone(UTC).strftime(INSTANT_FORMAT),
            "type": kind,
            "actor": dict(actor or {"id": work.actor}),
            "data": dict(data),
        }
        if at != work.now:
            body["clock"] = work.now.astimezone(UTC).strftime(INSTANT_FORMAT)
        if seal.cited and not at < seal.time <= at + SKEW:
            body["epoch"] = seal.cited
        if process:
            body["process"] = {**process, "element": element} if element else dict(process)
        text = canonical_body(body)
        self.seq, self.head, self.last_at = self.seq + 1, event_hash(text), at
        self.rows.append(
            {
                "stream": self.stream,
                "seq": self.seq,
                "kind": kind,
                "actor": body["actor"]["id"],
                "element": element,
                "at": at,
                "body": text,
                "hash": self.head,
                "deed": deed_of(body),
            }
        )

    def close(self, told: Mapping[str, str]) -> None:
        """Let the last waiting event tell this, too."""
        row = self.rows[-1]
        row["body"] = canonical_body({**json.loads(row["body"]), **told})
        self.head = row["hash"] = event_hash(row["body"])

    def write(self, work: Work) -> None:
        """Write the waiting events in one statement, and in another what of them is searched by."""
        if self.rows:
            deeds = [{**deed, "at": row["at"]} for row in self.rows if (deed := row.pop("deed"))]
            work.add(Event, *self.rows)
            if deeds:
                work.add(Deed, *deeds)
            self.rows = []


def process_of(body: Mapping[str, Any]) -> str:
    """The process an event is about: the one that was called, else that of the case; empty where it is about none."""
    about = body.get("process") or {}
    return str(about.get("called") or about.get("key") or "")


class Seal(NamedTuple):
    """What this process knows of the seals: when it looked, the newest epoch, and why nothing is sealed any more."""

    looked: datetime
    cited: dict[str, Any] | None
    time: datetime
    halted: Text | None


def newest_seal(work: Work) -> Seal:
    """The newest epoch, for an event to cite (it cannot have been written before that was signed), and any halt.

    It is looked up at most every ``FRESH``.
    """
    known: Seal | None = work.database.caches.get("seal")
    if known is None or abs(work.now - known.looked) > FRESH:
        newest = work.row(select(Epoch.number, Epoch.leaf, Epoch.statement).order_by(Epoch.number.desc()).limit(1))
        halt = work.row(select(Halt.zh, Halt.en).where(Halt.lifted_at.is_(None)).order_by(Halt.at).limit(1))
        cited, time = None, work.now
        with contextlib.suppress(ValueError, KeyError, TypeError):  # one that was spoiled is for the signer to find
            if newest is not None:
                time = datetime.fromisoformat(json.loads(newest["statement"])["time"])
                cited = {"n": newest["number"], "hash": newest["leaf"]}
        known = Seal(work.now, cited, time, Text(halt["zh"], halt["en"]) if halt else None)
        work.database.caches["seal"] = known
    return known


def halted(database: Database) -> Text | None:
    """Why everything is read-only, if it is; asked by pages that must appear even when the database does not answer."""
    with contextlib.suppress(DBAPIError), database.look(SYSTEM) as work:
        return newest_seal(work).halted
    return None


def shown(values: Mapping[str, Value], private: frozenset[str]) -> list[dict[str, str]]:
    """Evaluated values for an event, as canonical text, by their name, ``record.part`` or expression.

    Those of private names are withheld, and those of expressions that mention one.
    """
    found = []
    for name, value in values.items():
        hidden = not private.isdisjoint(_WORD.findall(name))
        found.append({"name": name, "value": WITHHELD if hidden else canonical(conceal(value, private))})
    return found


def conceal(value: Value, private: frozenset[str]) -> Value:
    """A value without the private fields inside it."""
    if isinstance(value, dict):
        return {key: WITHHELD if key in private else conceal(each, private) for key, each in value.items()}
    if isinstance(value, list):
        return [conceal(each, private) for each in value]
    return value


def tell(work: Work, stream: str, kind: str, data: Mapping[str, Any]) -> None:
    """One event in a stream that is not a case (``sys/policy``, ``sys/people`` …), with its lock and its new head."""
    chain = locked(work, stream)
    chain.add(work, kind, data)
    new = {"seq": chain.seq, "head": chain.head, "last_at": chain.last_at}
    work.db.execute(update(Stream).where(Stream.name == stream).values(**new))
    chain.write(work)


def locked(work: Work, stream: str) -> Chain:
    """A stream where it stands, locked for this act; a new one begins here, also if several acts begin it at once."""
    query = select(Stream.seq, Stream.head, Stream.last_at).where(Stream.name == stream).with_for_update()
    row = work.db.execute(query).one_or_none()
    if row is None:
        new = {"name": stream, "seq": 0, "head": GENESIS, "last_at": work.now}
        work.add_once(Stream, new)
        row = work.db.execute(query).one()
    return Chain.standing(stream, *row)
