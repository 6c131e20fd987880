"""The one place that turns an event of a trail into a sentence, in Chinese or in English."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.access import REASONS
from engine.anonymity import NOBODY
from engine.definitions import Deployed
from engine.library import Vocabulary
from engine.suspending import CAUSES
from engine.trail.duties import LATE_ENTRY
from engine.trail.record import EVENT_KINDS, WITHHELD, process_of
from engine.work import BEIJING
from forms.words import Language, Text

Row = Mapping[str, Any]

RESULTS = frozenset(
    {
        "task.opened", "document.issued", "register.recorded", "parameters.adopted", "case.linked", "case.closed",
        "incident.raised", "incident.closed",
    }
)  # fmt: skip
"""What follows from an act by itself, and matters to everybody: who is next, what was issued, how it ended."""

MECHANICS = frozenset(
    {
        "task.cancelled", "message.received", "gateway.taken", "step.passed", "process.called", "end.reached",
        "timer.armed", "notice.sent", "message.thrown", "signal.thrown", "signal.caught", "error.thrown",
        "error.caught", "escalation.thrown", "escalation.caught", "condition.met", "decision.made", "number.drawn",
    }
)  # fmt: skip
"""What follows from an act by itself, and may be skipped by a reader in a hurry."""

SAYINGS: Mapping[str, Text] = {
    "case.started": Text("{beginning}", "{beginning}"),
    "case.linked": Text("“{element}”启动了关联案卷 {number}", "“{element}” started the linked case {number}"),
    "case.closed": Text("案卷办结，结果：{outcome}", "The case was closed: {outcome}"),
    "case.withdrawn": Text("{who}撤回了申请", "{who} withdrew the case"),
    "case.suspended": Text("{who}中止了案卷：{cause}；期限停止计算", "{who} suspended the case for {cause}"),
    "case.resumed": Text("{who}恢复了案卷{put_off}", "{who} let the case go on{put_off}"),
    "deadline.passed": Text(
        "“{element}”已超期 {days} 天（期限 {until_day}）", "“{element}” is overdue by {days} days (due {until_day})"
    ),
    "evidence.added": Text("{who}为“{element}”补录{facts}", "{who} added late evidence to “{element}”{facts}"),
    "answer.corrected": Text("{who}更正了“{element}”的填报", "{who} corrected the answer to “{element}”"),
    "task.opened": Text("待办“{element}”交{candidates}{until}", "“{element}” waits for {candidates}{until}"),
    "task.claimed": Text("{who}认领了“{element}”", "{who} claimed “{element}”"),
    "task.released": Text("{who}把“{element}”退回待办", "{who} gave “{element}” back"),
    "task.reassigned": Text("{who}把“{element}”改派给{to}", "{who} reassigned “{element}” to {to}"),
    "task.completed": Text("{who}办理了“{element}”{overdue}", "{who} completed “{element}”{overdue}"),
    "task.cancelled": Text("“{element}”不再需要办理", "“{element}” no longer has to be done"),
    "attempt.refused": Text(
        "{who}试图{verb}{target}，被拒：{reasons}", "{who} tried to {verb}{target} and was refused: {reasons}"
    ),
    "message.sent": Text("{who}提交了“{message}”", "{who} sent “{message}”"),
    "message.received": Text("案卷收到“{element}”", "The case received “{element}”"),
    "message.thrown": Text("“{element}”发出消息“{message}”", "“{element}” threw the message “{message}”"),
    "signal.thrown": Text("“{element}”发出信号", "“{element}” sent its signal to all who wait for it"),
    "signal.caught": Text("“{element}”收到信号", "“{element}” caught its signal"),
    "error.thrown": Text("“{element}”报告错误", "“{element}” reported an error"),
    "error.caught": Text("错误由“{element}”处理", "The error is dealt with by “{element}”"),
    "escalation.thrown": Text("“{element}”上报", "“{element}” escalated"),
    "escalation.caught": Text("上报由“{element}”处理", "The escalation is dealt with by “{element}”"),
    "condition.met": Text("“{element}”的条件成立", "The condition of “{element}” is met"),
    "gateway.taken": Text("判断“{element}”：走向“{ways}”{because}", "Decision “{element}”: on to “{ways}”{because}"),
    "decision.made": Text(
        "“{element}”按决策表“{table}”判定{ruled}{written}", "“{element}”: the table “{table}” decided{ruled}{written}"
    ),
    "step.passed": Text("系统完成“{element}”{written}", "The system did “{element}”{written}"),
    "process.called": Text("进入子流程“{element}”", "The subprocess “{element}” began"),
    "end.reached": Text("到达终点“{element}”", "The end “{element}” was reached"),
    "timer.armed": Text("开始计时“{element}”，到期时间 {due}", "The timer “{element}” runs until {due}"),
    "timer.fired": Text("“{element}”到期（{due}）", "“{element}” fell due ({due})"),
    "number.drawn": Text("取得编号 {number}", "The number {number} was drawn"),
    "parameters.adopted": Text("参数 {adopted} 通过，自 {since} 起生效", "The parameters {adopted} count from {since}"),
    "register.recorded": Text("登入“{register}”{key}", "Recorded in “{register}”{key}"),
    "document.attached": Text("{who}上传了附件{place}", "{who} attached a document{place}"),
    "document.issued": Text("系统出具文书{place}", "A document was issued{place}"),
    "notice.sent": Text("已通知{role}", "{role} was notified"),
    "comment.added": Text("{who}写了备注", "{who} added a remark"),
    "incident.raised": Text("“{element}”无法自动完成，案卷停在此处：{fault}", "“{element}” could not be done: {fault}"),
    "incident.retried": Text("{who}重试“{element}”", "{who} tried “{element}” again"),
    "incident.closed": Text("异常解除，案卷继续办理", "The incident is over; the case goes on"),
    "skip.proposed": Text("{who}提议跳过“{element}”", "{who} proposed to skip “{element}”"),
    "step.skipped": Text("{who}确认跳过“{element}”", "{who} confirmed that “{element}” is skipped"),
    "variable.corrected": Text("{who}更正了变量 {variable}", "{who} corrected the variable {variable}"),
    "case.migrated": Text("{who}把案卷转到流程的另一版本", "{who} moved the case to another version of its process"),
}
"""What is said of an event of each kind; a blank is in ``BARE`` or a method of ``_About``. Others go by their names."""

VERBS = {
    "start": Text("提出申请", "start"),
    "complete": Text("办理", "complete"),
    "claim": Text("认领", "claim"),
    "release": Text("退回", "release"),
    "reassign": Text("改派", "reassign"),
    "save_draft": Text("填写", "fill in"),
    "withdraw": Text("撤回", "withdraw"),
    "comment": Text("备注", "comment"),
    "attach": Text("上传附件", "attach a document"),
    "suspend": Text("中止案卷", "suspend the case"),
    "resume": Text("恢复案卷", "resume the case"),
    "evidence": Text("补录", "add late evidence to"),
    "correct": Text("更正", "correct"),
}
"""What somebody tried, by the verb's name; any other name is a message's."""

NOT_PEOPLE = {
    "clock": Text("系统时钟", "The clock"), "system": Text("系统", "The system"),
    NOBODY: Text("匿名异议人", "An anonymous objector"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """One event in words. An ``own`` one is an act; what is not followed from the act before it."""

    seq: int
    at: datetime
    kind: str
    who: str
    text: str
    element: str | None

    @property
    def own(self) -> bool:
        """Whether somebody (or the clock) did something here."""
        return self.kind not in RESULTS and self.kind not in MECHANICS

    @property
    def result(self) -> bool:
        """Whether it is what an act led to, and matters to everybody."""
        return self.kind in RESULTS


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says events: in which language, how people are called, and what the elements of the process are called."""

    language: Language
    names: Mapping[str, str]
    deployed: Deployed
    vocabulary: Vocabulary

    def sentence(self, row: Row) -> Sentence:
        """One event in words."""
        body = json.loads(row["body"])
        who = self.who(body["actor"])
        about = _About(self, row, body, who)
        said = SAYINGS.get(row["kind"]) or Text(*(f"{{who}}：{each}" for each in EVENT_KINDS[row["kind"]]))
        blanks = {name: about.blank(name) for name in blanks_of(said)}
        zh = said.zh.format(**{blank: value.zh for blank, value in blanks.items()})
        en = said.en.format(**{blank: value.en for blank, value in blanks.items()})
        return Sentence(row["seq"], row["at"], row["kind"], who, Text(zh, en).said(self.language), row["element"])

    def sentences(self, rows: Iterable[Row]) -> list[Sentence]:
        """All of them, in their order."""
        return [self.sentence(row) for row in rows]

    def who(self, actor: Mapping[str, Any]) -> str:
        """An actor by name; with the name of whom they acted for."""
        name = self.person(str(actor["id"]))
        if not actor.get("on_behalf_of"):
            return name
        principal = self.person(str(actor["on_behalf_of"]))
        return f"{name} (for {principal})" if self.language == "en" else f"{name}（代{principal}）"

    def person(self, identity: str) -> str:
        """A person by name."""
        if identity in NOT_PEOPLE:
            return NOT_PEOPLE[identity].said(self.language)
        return self.names.get(identity, identity)

    def roles(self, codes: Iterable[str]) -> Text:
        """Roles by name."""
        found = [self.vocabulary.roles.get(code, Text(code, code)) for code in codes]
        return Text("、".join(role.zh for role in found), ", ".join(role.en for role in found))

    def outcome(self, code: str) -> Text:
        """An outcome in words."""
        return self.vocabulary.outcomes.get(code, Text(code, code))

    def register(self, code: str) -> Text:
        """A register by name."""
        found = self.vocabulary.registers.get(code)
        return Text(found.zh, found.en) if found else Text(code, code)

    def element(self, process: str, element: str | None) -> Text:
        """An element of the diagram by name."""
        contents = self.deployed.contents.get(process)
        found = contents.diagram.elements.get(element) if contents and element else None
        if found is None:
            return Text(element or "", element or "")
        name = found.name or found.id
        return Text(name, found.policy.get("name-en", "") or name)

    def anywhere(self, element: str | None) -> Text:
        """An element by name, in whichever process it is: in that of the case, else in one it calls."""
        contents = self.deployed.contents
        found = [each for each in (self.deployed.process, *contents) if element in contents[each].diagram.elements]
        return self.element(found[0] if found else "", element)

    def flow(self, process: str, flow: str) -> Text:
        """A flow by its name, else by where it leads."""
        contents = self.deployed.contents.get(process)
        found = contents.diagram.flows.get(flow) if contents else None
        if found is None:
            return Text(flow, flow)
        return Text(found.name, found.name_en or found.name) if found.name else self.element(process, found.target)

    def message(self, name: str) -> Text:
        """A message by the name of the event that catches it."""
        for process, contents in self.deployed.contents.items():
            for element in contents.diagram.elements.values():
                if element.event and element.event.name == name and element.event.kind == "message":
                    return self.element(process, element.id)
        return Text(name, name)


@dataclass(frozen=True, slots=True)
class _About:
    """The blanks of a sentence about one event; each is a text in both languages."""

    speaker: Speaker
    row: Row
    body: Mapping[str, Any]
    actor: str

    @property
    def data(self) -> Mapping[str, Any]:
        found = self.body.get("data", {})
        assert isinstance(found, Mapping)
        return found

    @property
    def process(self) -> str:
        return process_of(self.body)

    def listed(self, name: str) -> list[str]:
        return [str(one) for one in self.data.get(name) or ()]

    def blank(self, name: str) -> Text:
        if name not in BARE:
            found: Text = getattr(self, name)()
            return found
        said = str(self.data.get(BARE[name]))
        return Text(said, said)

    def who(self) -> Text:
        return Text(self.actor, self.actor)

    def beginning(self) -> Text:
        if self.data.get("parent_number"):
            number = self.data["parent_number"]
            return Text(f"由案卷 {number} 启动立案", f"The case was started by the case {number}")
        by, start = self.data.get("by"), self.speaker.element(self.process, self.data.get("start"))
        if by in (None, "message"):
            return Text(f"{self.actor}提出申请，案卷立案", f"{self.actor} started the case")
        return Text(f"“{start.zh}”使案卷自动立案", f"The case was started by itself, by “{start.en}”")

    def element(self) -> Text:
        return self.speaker.element(self.process, self.row["element"])

    def cause(self) -> Text:
        code = str(self.data.get("cause"))
        return CAUSES.get(code, Text(code, code))

    def put_off(self) -> Text:
        moved = len(self.data.get("moved") or ())
        return Text(f"，{moved} 项期限顺延", f"; {moved} deadlines moved") if moved else NOTHING

    def overdue(self) -> Text:
        days = self.data.get("overdue_days")
        return Text(f"（超期 {days} 天）", f" ({days} days overdue)") if days else NOTHING

    def facts(self) -> Text:
        known = self.speaker.vocabulary.facts
        said = [known[code].said for code in self.listed("facts") if code in known and code != LATE_ENTRY]
        if not said:
            return Text("材料", ": a document")
        return Text(f"：{'、'.join(each.zh for each in said)}", f": {', '.join(each.en for each in said)}")

    def outcome(self) -> Text:
        return self.speaker.outcome(str(self.data.get("outcome")))

    def candidates(self) -> Text:
        people = [self.speaker.person(one) for one in self.listed("assignees")]
        return Text("、".join(people), ", ".join(people)) if people else self.speaker.roles(self.listed("roles"))

    def until(self) -> Text:
        due = self.data.get("due")
        return Text(f"，限 {due} 前办结", f", due {due}") if due else NOTHING

    def to(self) -> Text:
        name = self.speaker.person(str(self.data.get("to")))
        return Text(name, name)

    def verb(self) -> Text:
        verb = str(self.data.get("verb"))
        return VERBS.get(verb) or self.speaker.message(verb)

    def target(self) -> Text:
        name = self.element()
        return Text(f"“{name.zh}”", f" “{name.en}”") if name.zh else NOTHING

    def reasons(self) -> Text:
        found = [REASONS.get(code, (code, code)) for code in self.listed("reasons")]
        return Text("；".join(zh for zh, _ in found), "; ".join(f"{self.actor} {en}" for _, en in found))

    def message(self) -> Text:
        return self.speaker.message(str(self.data.get("message")))

    def ways(self) -> Text:
        ways = [self.speaker.flow(self.process, flow) for flow in self.listed("taken")]
        return Text("、".join(way.zh for way in ways), ", ".join(way.en for way in ways))

    def because(self) -> Text:
        held = [str(one["expression"]) for one in self.data.get("tried") or () if one.get("holds")]
        if held:
            return Text(f"，因为 {'；'.join(held)}", f", because {'; '.join(held)}")
        return Text("（其他条件均不成立）", " (no other condition holds)")

    def written(self) -> Text:
        names = [str(one["name"]) for one in self.data.get("written") or ()]
        return Text(f"，得出 {'、'.join(names)}", f", which gave {', '.join(names)}") if names else NOTHING

    def table(self) -> Text:
        contents, name = self.speaker.deployed.contents.get(self.process), str(self.data.get("table"))
        found = contents.tables.get(name) if contents else None
        name = found.name or name if found else name
        return Text(name, name)

    def ruled(self) -> Text:
        rules = self.listed("rules")
        if not rules:
            return Text("（没有规则符合）", " (no rule matched)")
        return Text(f"（规则 {'、'.join(rules)}）", f" (rule {', '.join(rules)})")

    def fault(self) -> Text:
        return Text(str(self.data.get("zh", "")), str(self.data.get("en", "")))

    def due(self) -> Text:
        said = instant(self.data.get("due"))
        return Text(said, said)

    def register(self) -> Text:
        return self.speaker.register(str(self.data.get("register")))

    def key(self) -> Text:
        key = str(self.data.get("key"))
        name = self.speaker.names.get(key, key)  # a person's id may be the key
        return NOTHING if NO_NAME.fullmatch(name) else Text(f"：{name}", f": {name}")

    def place(self) -> Text:
        called = self.body.get("process", {}).get("called")
        name = self.element() if called else self.speaker.anywhere(self.row["element"])
        return Text(f"（{name.zh}）", f" ({name.en})") if name.zh else NOTHING

    def role(self) -> Text:
        people = [self.speaker.person(one) for one in self.listed("persons")]
        roles = self.speaker.roles([str(self.data.get("role"))])
        return Text("、".join(people), ", ".join(people)) if people else roles


NOTHING = Text("", "")
BARE = {"number": "number", "adopted": "set", "since": "from", "days": "days", "until_day": "due", "variable": "name"}
"""Blanks that are filled with a datum of the event as it is."""
NO_NAME = re.compile(WITHHELD + "|[0-9a-f]{64}")  # keys that say nothing to a reader: kept back, or a hash


def blanks_of(saying: Text) -> set[str]:
    """The names of the blanks in a saying."""
    return {name for text in (saying.zh, saying.en) for _, name, _, _ in string.Formatter().parse(text) if name}


def instant(text: object) -> str:
    """An instant of an event, as people in Beijing read it."""
    if not isinstance(text, str):
        return "—"
    return datetime.fromisoformat(text).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
