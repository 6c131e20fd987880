"""Recomputes the trail of this database: every hash, every link, every projection, every commitment and document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from engine.model import INSTANT_FORMAT, CaseFile, Comment, Document, DocumentContent, Event, Stream, Submission
from engine.trail.record import GENESIS, canonical_body, commitment, event_hash
from engine.work import Work
from forms.values import from_json
from forms.words import Text


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing in a stream that is not as it was written."""

    stream: str
    seq: int | None
    text: Text


@dataclass(slots=True)
class Verdict:
    """What a verification found; ``intact`` when there is no flaw."""

    streams: int = 0
    events: int = 0
    documents: int = 0
    flaws: list[Flaw] | None = None

    @property
    def intact(self) -> bool:
        """Whether everything recomputed to what is stored."""
        return not self.flaws


def strict_json(text: str) -> Any:
    """Parse a body; a repeated key or a float is refused, because two readers could read it differently."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in found}) != len(found):
            raise ValueError("a key is repeated")
        return dict(found)

    def no_float(text: str) -> Any:
        raise ValueError(f"{text} is not an integer")

    return json.loads(text, object_pairs_hook=pairs, parse_float=no_float, parse_constant=no_float)


def verify(work: Work, case: str | None = None) -> Verdict:
    """Verify one case (by id) or, without one, every stream there is."""
    verdict = Verdict(flaws=[])
    heads = dict(_heads(work, case))
    query: Select[Any] = select(Event).order_by(Event.stream, Event.seq)
    if case is not None:
        query = query.where(Event.stream == f"case/{case}")
    streamed = query.with_only_columns(*Event.__table__.columns).execution_options(yield_per=2000)
    seen: dict[str, tuple[int, str]] = {}
    commitments: dict[str, tuple[str, str]] = {}
    for row in work.db.execute(streamed):
        _check_event(row, seen, commitments, verdict)
    for stream, (seq, head) in heads.items():
        if seen.get(stream, (0, GENESIS)) != (seq, head):
            _flaw(
                verdict,
                stream,
                None,
                "台账记载的末尾与轨迹不符：有记录被删除或添加",
                "the trail does not end where the case says it does: events were removed or added",
            )
    for stream in seen.keys() - heads.keys():
        _flaw(verdict, stream, None, "轨迹没有对应的案卷", "there is a trail but no case or stream it belongs to")
    verdict.streams = len(seen)
    _check_answers(work, case, commitments, verdict)
    _check_documents(work, case, verdict)
    return verdict


def _flaw(verdict: Verdict, stream: str, seq: int | None, zh: str, en: str) -> None:
    assert verdict.flaws is not None
    verdict.flaws.append(Flaw(stream, seq, Text(zh, en)))


def _heads(work: Work, case: str | None) -> Iterator[tuple[str, tuple[int, str]]]:
    cases = select(CaseFile.id, CaseFile.seq, CaseFile.head)
    for row in work.db.execute(cases if case is None else cases.where(CaseFile.id == case)):
        yield f"case/{row.id}", (row.seq, row.head)
    if case is None:
        for other in work.db.execute(select(Stream.name, Stream.seq, Stream.head)):
            yield other.name, (other.seq, other.head)


def _check_event(
    row: Any, seen: dict[str, tuple[int, str]], commitments: dict[str, tuple[str, str]], verdict: Verdict
) -> None:
    verdict.events += 1
    seq, head = seen.get(row.stream, (0, GENESIS))
    seen[row.stream] = (row.seq, row.hash)
    try:
        body = strict_json(row.body)
    except ValueError:
        _flaw(verdict, row.stream, row.seq, "正文不是规范的 JSON", "the body is not canonical JSON")
        return
    if canonical_body(body) != row.body:
        _flaw(verdict, row.stream, row.seq, "正文不是规范的 JSON", "the body is not canonical JSON")
    if event_hash(row.body) != row.hash:
        _flaw(verdict, row.stream, row.seq, "正文被改动：哈希不符", "the body was changed: its hash differs")
    if row.seq != seq + 1 or body.get("prev") != head:
        _flaw(
            verdict,
            row.stream,
            row.seq,
            "与上一条不相接：有记录被删除、插入或调换",
            "it does not follow the event before it: events were removed, inserted or reordered",
        )
    repeated = {
        "stream": row.stream,
        "seq": row.seq,
        "type": row.kind,
        "ts": row.at.strftime(INSTANT_FORMAT),
    }
    if any(body.get(key) != value for key, value in repeated.items()) or body["actor"]["id"] != row.actor:
        _flaw(verdict, row.stream, row.seq, "索引列与正文不符", "a column differs from the body it repeats")
    data = body.get("data", {})
    if "commitment" in data:
        commitments[data["submission"]] = (data["commitment"], row.stream)


def _check_answers(work: Work, case: str | None, commitments: dict[str, tuple[str, str]], verdict: Verdict) -> None:
    """Every answer told in the trail is still there, and is the answer that was given."""
    for table in (Submission, Comment):
        text = Submission.answer if table is Submission else Comment.words
        query = select(table.id, table.case, table.salt, text.label("text"))
        for row in work.db.execute(query if case is None else query.where(table.case == case)):
            told, stream = commitments.pop(row.id, ("", f"case/{row.case}"))
            value = from_json(row.text) if table is Submission else row.text
            if commitment(row.salt, value) != told:
                _flaw(
                    verdict,
                    stream,
                    None,
                    f"答复 {row.id} 与轨迹中的承诺值不符",
                    f"the answer {row.id} is not the one the trail is committed to",
                )
    for identity, (_, stream) in commitments.items():
        _flaw(
            verdict,
            stream,
            None,
            f"轨迹提到的答复 {identity} 不见了",
            f"the answer {identity} that the trail tells of is gone",
        )


def _check_documents(work: Work, case: str | None, verdict: Verdict) -> None:
    query = select(Document.id, Document.case, Document.sha256, DocumentContent.content).join(
        DocumentContent, DocumentContent.sha256 == Document.sha256, isouter=True
    )
    for row in work.db.execute(query if case is None else query.where(Document.case == case)):
        verdict.documents += 1
        if row.content is None or hashlib.sha256(row.content).hexdigest() != row.sha256:
            _flaw(
                verdict,
                f"case/{row.case}",
                None,
                f"文件 {row.id} 的内容不是原来的内容",
                f"the content of document {row.id} is not what was attached",
            )
