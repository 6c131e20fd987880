"""Recomputes the trail of this database: every hash, every link, every projection, and all that events commit to.

These are answers, documents, versions of processes and parameters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, select, type_coerce

from engine import documents, personal
from engine.instant import INSTANT_FORMAT
from engine.model import (
    CaseFile,
    Comment,
    Definition,
    DefinitionFile,
    Document,
    DocumentContent,
    Event,
    ParameterSet,
    Setting,
    Stream,
    Submission,
)
from engine.trail.deeds import agrees, beside, strays
from engine.trail.offline import GENESIS
from engine.trail.record import canonical_body, committed, event_hash
from engine.work import Work
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


@dataclass(slots=True)
class _Told:
    """Where each stream has come to, and what events tell of things kept beside the trail: by id, with the stream."""

    log: str
    ends: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    documents: dict[str, tuple[str, str, dict[str, str]]] = field(default_factory=dict)
    definitions: dict[str, dict[str, str]] = field(default_factory=dict)
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict)


def verify(work: Work, case: str | None = None) -> Verdict:
    """Verify one case (by id) or, without one, every stream there is."""
    log = work.db.execute(select(Setting.value).where(Setting.name == "log")).scalar_one()
    verdict, told = Verdict(flaws=[]), _Told(log)
    heads = dict(_heads(work, case))
    # As text on SQLite, where anything may have been written into the column.
    at = type_coerce(Event.at, String) if work.database.sqlite else Event.at
    columns = (Event.stream, Event.seq, Event.kind, Event.actor, Event.element, at.label("at"), Event.body, Event.hash)
    query = beside(select(*columns), work).order_by(Event.stream, Event.seq).execution_options(yield_per=2000)
    for row in work.db.execute(query if case is None else query.where(Event.stream == f"case/{case}")):
        _check_event(row, told, verdict)
    for stream, (seq, head) in heads.items():
        if told.ends.get(stream, (0, GENESIS))[:2] != (seq, head):
            _flaw(
                verdict,
                stream,
                None,
                "台账记载的末尾与轨迹不符：有记录被删除或添加",
                "the trail does not end where the case says it does: events were removed or added",
            )
    for stream in told.ends.keys() - heads.keys():
        _flaw(verdict, stream, None, "轨迹没有对应的案卷", "there is a trail but no case or stream it belongs to")
    for stream, seq in strays(work, case and f"case/{case}"):
        _flaw(verdict, stream, seq, "检索用的记录没有对应的事件", "what is searched by tells of no event")
    verdict.streams = len(told.ends)
    _check_answers(work, case, told, verdict)
    _check_documents(work, case, told, verdict)
    if case is None:
        _check_definitions(work, told, verdict)
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


def _check_event(row: Any, told: _Told, verdict: Verdict) -> None:
    verdict.events += 1
    seq, head, before = told.ends.get(row.stream, (0, GENESIS, ""))
    told.ends[row.stream] = (row.seq, row.hash, before)
    try:
        body = strict_json(row.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or canonical_body(body) != row.body:
        _flaw(verdict, row.stream, row.seq, "正文不是规范的 JSON", "the body is not canonical JSON")
    if event_hash(row.body) != row.hash:
        _flaw(verdict, row.stream, row.seq, "正文被改动：哈希不符", "the body was changed: its hash differs")
    if not isinstance(body, dict):
        return
    if row.seq != seq + 1 or body.get("prev") != head:
        _flaw(
            verdict,
            row.stream,
            row.seq,
            "与上一条不相接：有记录被删除、插入或调换",
            "it does not follow the event before it: events were removed, inserted or reordered",
        )
    if _repeated(body) != _columns(row, told.log):
        _flaw(verdict, row.stream, row.seq, "索引列与正文不符", "a column differs from the body it repeats")
    if not agrees(row, body):
        _flaw(verdict, row.stream, row.seq, "检索用的记录与正文不符", "what is searched by differs from the body")
    moment = str(body.get("ts"))
    if moment < before:
        _flaw(verdict, row.stream, row.seq, "时间早于上一条", "it is earlier than the event before it")
    told.ends[row.stream] = (row.seq, row.hash, moment)
    _keep_told(body, row.stream, told)


def _repeated(body: dict[str, Any]) -> dict[str, Any]:
    """What the body says of itself that its columns repeat."""
    actor, process = body.get("actor"), body.get("process")
    return {
        **{key: body.get(key) for key in ("log", "stream", "seq", "type", "ts")},
        "actor": actor.get("id") if isinstance(actor, dict) else None,
        "element": process.get("element") if isinstance(process, dict) else None,
    }


def _columns(row: Any, log: str) -> dict[str, Any]:
    """The same by the columns; every event of a database is of its one log."""
    at = row.at if isinstance(row.at, str) else row.at.strftime(INSTANT_FORMAT)
    event = {"log": log, "stream": row.stream, "seq": row.seq, "type": row.kind, "ts": at}
    return event | {"actor": row.actor, "element": row.element}


def _keep_told(body: dict[str, Any], stream: str, told: _Told) -> None:
    data = body.get("data")
    if not isinstance(data, dict):
        return
    if "commitment" in data:
        told.answers[str(data.get("submission"))] = (str(data["commitment"]), stream)
    if "document" in data:
        told.documents[str(data["document"])] = (str(data.get("sha256")), stream, data.get("private") or {})
    if body.get("type") == "definition.deployed":
        told.definitions[str(data.get("definition"))] = {each["path"]: each["sha256"] for each in data.get("files", [])}
    if body.get("type") == "parameters.adopted":
        told.parameters[str(data.get("set"))] = (str(data.get("sha256")), str(data.get("from")))


def _check_answers(work: Work, case: str | None, told: _Told, verdict: Verdict) -> None:
    """Every answer told in the trail is still there, and is the answer that was given."""
    for table in (Submission, Comment):
        text = Submission.answer if table is Submission else Comment.words
        query = select(table.id, table.case, table.salt, text.label("text"))
        for row in work.db.execute(query if case is None else query.where(table.case == case)):
            said, stream = told.answers.pop(row.id, ("", f"case/{row.case}"))
            if stream != f"case/{row.case}" or _committed(row.salt, row.text, as_json=table is Submission) != said:
                _flaw(
                    verdict,
                    stream,
                    None,
                    f"答复 {row.id} 与轨迹中的承诺值不符",
                    f"the answer {row.id} is not the one the trail is committed to",
                )
    for owner, identity in personal.broken(work, case):
        _flaw(
            verdict,
            f"case/{owner}",
            None,
            f"答复 {identity} 的个人信息与承诺值不符",
            f"personal values of the answer {identity} are not those it is committed to",
        )
    for identity, (_, stream) in told.answers.items():
        _flaw(
            verdict,
            stream,
            None,
            f"轨迹提到的答复 {identity} 不见了",
            f"the answer {identity} that the trail tells of is gone",
        )


def _committed(salt: str, text: str, *, as_json: bool) -> str | None:
    """The commitment to a stored answer; None where it is no longer one."""
    try:
        return committed(salt, canonical_body(json.loads(text) if as_json else text))
    except (ValueError, TypeError):
        return None


def _check_documents(work: Work, case: str | None, told: _Told, verdict: Verdict) -> None:
    """Every document is told of in its case and has the content it had then, and none that was told of is gone."""
    at = personal.as_stored(work, Document.at).label("at")
    columns = (Document.id, Document.case, Document.sha256, Document.sealed, Document.uploaded_by, at)
    query = select(*columns, DocumentContent.content).join(
        DocumentContent, DocumentContent.sha256 == Document.sha256, isouter=True
    )
    erasures = personal.erased(work)
    for found in work.db.execute(query if case is None else query.where(Document.case == case)).mappings():
        verdict.documents += 1
        row = dict(found)
        home = f"case/{row['case']}"
        said, stream, private = told.documents.pop(row["id"], ("", home, {}))
        same = row["case"] is None or (said, stream, private.get("ref")) == (row["sha256"], home, row["sealed"])
        if not same or not documents.sound(work, row, private.get("commit", ""), erasures):
            _flaw(
                verdict,
                stream,
                None,
                f"文件 {row['id']} 的内容不是原来的内容",
                f"the content of document {row['id']} is not what was attached",
            )
    for identity, (_, stream, _) in told.documents.items():
        _flaw(
            verdict,
            stream,
            None,
            f"轨迹提到的文件 {identity} 不见了",
            f"the document {identity} that the trail tells of is gone",
        )


def _check_definitions(work: Work, told: _Told, verdict: Verdict) -> None:
    """Every version and every set of parameters is still the one that was put in force."""
    stored: dict[str, dict[str, str]] = {row.id: {} for row in work.db.execute(select(Definition.id))}
    for row in work.db.execute(select(DefinitionFile.definition, DefinitionFile.path, DefinitionFile.content)):
        stored.setdefault(row.definition, {})[row.path] = hashlib.sha256(row.content).hexdigest()
    for identity in sorted(stored.keys() | told.definitions.keys()):
        if stored.get(identity) != told.definitions.get(identity):
            _flaw(
                verdict,
                "sys/definitions",
                None,
                f"流程版本 {identity} 的文件不是部署时的文件",
                f"the files of the definition {identity} are not those that were deployed",
            )
    # As text on SQLite, as above.
    day = type_coerce(ParameterSet.effective_from, String) if work.database.sqlite else ParameterSet.effective_from
    sets = work.db.execute(select(ParameterSet.id, ParameterSet.values, day.label("day")))
    adopted = {row.id: (hashlib.sha256(row.values.encode()).hexdigest(), str(row.day)) for row in sets}
    for identity in sorted(adopted.keys() | told.parameters.keys()):
        if adopted.get(identity) != told.parameters.get(identity):
            _flaw(
                verdict,
                "sys/policy",
                None,
                f"参数 {identity} 不是采用时的参数",
                f"the parameter set {identity} is not the one that was adopted",
            )
