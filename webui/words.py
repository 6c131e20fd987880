"""The one place that turns an event of a trail into a sentence, in Chinese or in English."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.access import REASONS
from engine.definitions import Deployed
from engine.library import Vocabulary
from engine.trail.record import EVENT_KINDS
from engine.work import BEIJING
from forms.words import Language, Text

Row = Mapping[str, Any]
Data = Mapping[str, Any]

RESULTS = frozenset({"task.opened", "document.issued", "register.recorded", "case.closed"})
"""What follows from an act by itself, and matters to everybody: who is next, what was issued, how it ended."""

MECHANICS = frozenset(
    {
        "task.cancelled", "message.received", "gateway.taken", "step.passed", "process.called", "end.reached",
        "timer.armed", "notice.sent",
    }
)  # fmt: skip
"""What follows from an act by itself, and may be skipped by a reader in a hurry."""

NOT_PEOPLE = {"clock": Text("系统时钟", "The clock"), "system": Text("系统", "The system")}


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
        said = SAY.get(row["kind"], other)(self, _About(row, body, who))
        return Sentence(row["seq"], row["at"], row["kind"], who, said.said(self.language), row["element"])

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
    """An event while it is put into words."""

    row: Row
    body: Mapping[str, Any]
    who: str

    @property
    def data(self) -> Data:
        found = self.body.get("data", {})
        assert isinstance(found, Mapping)
        return found

    @property
    def process(self) -> str:
        about = self.body.get("process", {})
        return str(about.get("called") or about.get("key") or "")

    def element(self, speaker: Speaker) -> Text:
        return speaker.element(self.process, self.row["element"])


Says = Callable[[Speaker, _About], Text]
SAY: dict[str, Says] = {}


def says(kind: str) -> Callable[[Says], Says]:
    """Mark the function that puts events of a kind into words."""

    def keep(function: Says) -> Says:
        SAY[kind] = function
        return function

    return keep


def other(_: Speaker, about: _About) -> Text:
    """An event of a kind that needs no particulars."""
    zh, en = EVENT_KINDS.get(about.row["kind"], (about.row["kind"], about.row["kind"]))
    return Text(f"{about.who}：{zh}", f"{about.who}: {en}")


@says("case.started")
def case_started(_: Speaker, about: _About) -> Text:
    """Somebody started the case."""
    return Text(f"{about.who}提出申请，案卷立案", f"{about.who} started the case")


@says("case.closed")
def case_closed(speaker: Speaker, about: _About) -> Text:
    """The case ended."""
    outcome = speaker.outcome(str(about.data.get("outcome")))
    return Text(f"案卷办结，结果：{outcome.zh}", f"The case was closed: {outcome.en}")


@says("case.withdrawn")
def case_withdrawn(_: Speaker, about: _About) -> Text:
    """The applicant withdrew it."""
    return Text(f"{about.who}撤回了申请", f"{about.who} withdrew the case")


@says("task.opened")
def task_opened(speaker: Speaker, about: _About) -> Text:
    """A work item came up for somebody."""
    name = about.element(speaker)
    assignees = [speaker.person(str(one)) for one in about.data.get("assignees") or ()]
    roles = speaker.roles(str(one) for one in about.data.get("roles") or ())
    zh, en = ("、".join(assignees), ", ".join(assignees)) if assignees else (roles.zh, roles.en)
    due = about.data.get("due")
    until_zh, until_en = (f"，限 {due} 前办结", f", due {due}") if due else ("", "")
    return Text(f"待办“{name.zh}”交{zh}{until_zh}", f"“{name.en}” waits for {en}{until_en}")


@says("task.claimed")
def task_claimed(speaker: Speaker, about: _About) -> Text:
    """Somebody took it."""
    name = about.element(speaker)
    return Text(f"{about.who}认领了“{name.zh}”", f"{about.who} claimed “{name.en}”")


@says("task.released")
def task_released(speaker: Speaker, about: _About) -> Text:
    """Somebody gave it back."""
    name = about.element(speaker)
    return Text(f"{about.who}把“{name.zh}”退回待办", f"{about.who} gave “{name.en}” back")


@says("task.reassigned")
def task_reassigned(speaker: Speaker, about: _About) -> Text:
    """Somebody put it into other hands."""
    name, to = about.element(speaker), speaker.person(str(about.data.get("to")))
    return Text(f"{about.who}把“{name.zh}”改派给{to}", f"{about.who} reassigned “{name.en}” to {to}")


@says("task.completed")
def task_completed(speaker: Speaker, about: _About) -> Text:
    """Somebody did it."""
    name = about.element(speaker)
    return Text(f"{about.who}办理了“{name.zh}”", f"{about.who} completed “{name.en}”")


@says("task.cancelled")
def task_cancelled(speaker: Speaker, about: _About) -> Text:
    """It is no longer to be done."""
    name = about.element(speaker)
    return Text(f"“{name.zh}”不再需要办理", f"“{name.en}” no longer has to be done")


@says("attempt.refused")
def attempt_refused(speaker: Speaker, about: _About) -> Text:
    """Somebody tried what they may not."""
    reasons = [REASONS.get(str(code), (str(code), str(code))) for code in about.data.get("reasons") or ()]
    verb = VERBS.get(str(about.data.get("verb"))) or speaker.message(str(about.data.get("verb")))
    name = about.element(speaker)
    zh = f"{about.who}试图{verb.zh}" + (f"“{name.zh}”" if name.zh else "") + "，被拒："
    en = f"{about.who} tried to {verb.en}" + (f" “{name.en}”" if name.en else "") + " and was refused: "
    return Text(zh + "；".join(zh_ for zh_, _ in reasons), en + "; ".join(f"{about.who} {en_}" for _, en_ in reasons))


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
}


@says("message.sent")
def message_sent(speaker: Speaker, about: _About) -> Text:
    """Somebody told the case something."""
    name = speaker.message(str(about.data.get("message")))
    return Text(f"{about.who}提交了“{name.zh}”", f"{about.who} sent “{name.en}”")


@says("message.received")
def message_received(speaker: Speaker, about: _About) -> Text:
    """The case took note of it."""
    name = about.element(speaker)
    return Text(f"案卷收到“{name.zh}”", f"The case received “{name.en}”")


@says("gateway.taken")
def gateway_taken(speaker: Speaker, about: _About) -> Text:
    """Which way it went, and on what condition."""
    name = about.element(speaker)
    ways = [speaker.flow(about.process, str(flow)) for flow in about.data.get("taken") or ()]
    held = [str(one["expression"]) for one in about.data.get("tried") or () if one.get("holds")]
    zh = f"判断“{name.zh}”：走向“{'、'.join(way.zh for way in ways)}”"
    en = f"Decision “{name.en}”: on to “{', '.join(way.en for way in ways)}”"
    if held:
        return Text(f"{zh}，因为 {'；'.join(held)}", f"{en}, because {'; '.join(held)}")
    return Text(f"{zh}（其他条件均不成立）", f"{en} (no other condition holds)")


@says("step.passed")
def step_passed(speaker: Speaker, about: _About) -> Text:
    """The system did a step."""
    name = about.element(speaker)
    written = [str(one["name"]) for one in about.data.get("written") or ()]
    zh, en = (f"，得出 {'、'.join(written)}", f", which gave {', '.join(written)}") if written else ("", "")
    return Text(f"系统完成“{name.zh}”{zh}", f"The system did “{name.en}”{en}")


@says("process.called")
def process_called(speaker: Speaker, about: _About) -> Text:
    """Another process is gone through."""
    name = about.element(speaker)
    return Text(f"进入子流程“{name.zh}”", f"The subprocess “{name.en}” began")


@says("end.reached")
def end_reached(speaker: Speaker, about: _About) -> Text:
    """A branch ended."""
    name = about.element(speaker)
    return Text(f"到达终点“{name.zh}”", f"The end “{name.en}” was reached")


@says("timer.armed")
def timer_armed(speaker: Speaker, about: _About) -> Text:
    """The clock will do something."""
    name, due = about.element(speaker), instant(about.data.get("due"))
    return Text(f"开始计时“{name.zh}”，到期时间 {due}", f"The timer “{name.en}” runs until {due}")


@says("timer.fired")
def timer_fired(speaker: Speaker, about: _About) -> Text:
    """The time was up."""
    name, due = about.element(speaker), instant(about.data.get("due"))
    return Text(f"“{name.zh}”到期（{due}）", f"“{name.en}” fell due ({due})")


@says("register.recorded")
def register_recorded(speaker: Speaker, about: _About) -> Text:
    """A register got a record."""
    register, key = speaker.register(str(about.data.get("register"))), about.data.get("key")
    key = speaker.names.get(str(key), key)
    return Text(f"登入“{register.zh}”：{key}", f"Recorded in “{register.en}”: {key}")


@says("document.attached")
def document_attached(speaker: Speaker, about: _About) -> Text:
    """Somebody attached a file."""
    name = about.element(speaker)
    zh, en = (f"（{name.zh}）", f" ({name.en})") if name.zh else ("", "")
    return Text(f"{about.who}上传了附件{zh}", f"{about.who} attached a document{en}")


@says("document.issued")
def document_issued(speaker: Speaker, about: _About) -> Text:
    """The system issued a document."""
    name = about.element(speaker)
    return Text(f"系统出具文书（{name.zh}）", f"A document was issued ({name.en})")


@says("notice.sent")
def notice_sent(speaker: Speaker, about: _About) -> Text:
    """Somebody was told."""
    roles = speaker.roles([str(about.data.get("role"))])
    return Text(f"已通知{roles.zh}", f"{roles.en} was notified")


@says("comment.added")
def comment_added(_: Speaker, about: _About) -> Text:
    """Somebody remarked something."""
    return Text(f"{about.who}写了备注", f"{about.who} added a remark")


def instant(text: object) -> str:
    """An instant of an event, as people in Beijing read it."""
    if not isinstance(text, str):
        return "—"
    return datetime.fromisoformat(text).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
