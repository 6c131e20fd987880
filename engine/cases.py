"""The verbs that move a case: start, complete, send, withdraw. Each is one act of one person in one transaction.

Every door (pages, command line, scenarios) calls a verb inside ``acting``, which also records refused attempts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import update

from bpmn.diagram import Element
from bpmn.work_items import ANYONE
from engine import definitions, policies
from engine.admission import Item, admit, refuse_suspended, take_up
from engine.answers import accept, keep_submission
from engine.desk import Desk, lock, open_desk
from engine.errors import NotYours, Refusal, Unusable, WrongState
from engine.model import CaseFile
from engine.overruns import days_over, tell_overrun
from engine.people import name_of, standing
from engine.requests import recall, remember
from engine.runtime.happenings import Waiting
from engine.runtime.instance import Instance
from engine.runtime.specs import attribute
from engine.said import plain
from engine.starting import adopt, begin, entitle
from engine.trail.deeds import ATTEMPTS
from engine.trail.record import WITHHELD, Chain, tell
from engine.work import Database, Request, Work, tried_again
from forms.expressions import Expression
from forms.values import PersonRef, Value
from forms.words import Text

T = TypeVar("T")
WITHDRAW, WITHDRAWAL = "withdraw", "withdrawal"
POINTS_OF_NO_RETURN = frozenset({"agreement_signing", "registration_decision"})


@contextlib.contextmanager
def acting(database: Database, actor: str, request: Request | None = None) -> Iterator[Work]:
    """A transaction for one act of ``actor``; a refusal that concerns a case is itself recorded, in one of its own."""
    try:
        with database.work(actor, request) as work:
            yield work
    except Refusal as refusal:
        if "verb" in refusal.about:
            with database.work(actor) as work:
                _record(work, refusal)
        raise


def carried_out(database: Database, actor: str, verb: Callable[[Work], T], request: Request | None = None) -> T:
    """What a verb gives in an act of its own, which is tried again if it had to give way to another."""

    def once() -> T:
        with acting(database, actor, request) as work:
            return verb(work)

    return tried_again(once)


def _record(work: Work, refusal: Refusal) -> None:
    """Tell a refused attempt: in the case's own stream, or where no case came to be, in one for attempts."""
    about = refusal.about
    told = {"verb": about["verb"], "reasons": list(getattr(refusal, "reasons", (refusal.code,)))}
    if about.get("case") is None:
        tell(work, ATTEMPTS, "attempt.refused", {**told, "process": about.get("process", "")})
        return
    row = lock(work, about["case"])
    chain = Chain.standing(f"case/{row['id']}", row["seq"], row["head"], row["last_at"])
    chain.add(work, "attempt.refused", told, element=about.get("element"), process={"key": row["process"]})
    values = {"seq": chain.seq, "head": chain.head, "last_at": chain.last_at}
    work.db.execute(update(CaseFile).where(CaseFile.id == row["id"]).values(**values))
    chain.write(work)


# Starting.


def start(work: Work, process: str, answer: Mapping[str, Any]) -> str:
    """Start a case and complete its first work item with this answer; gives the id of the case.

    Raises ``NotYours`` if the starter does not hold the role of the first item, ``Invalid`` naming the fields; then
    there is no case.
    """
    again = recall(work)
    if again is not None:
        return again
    desk, item = begin(work, process)
    # Whoever starts is the applicant and so often the assignee; the role of the first item is asked for all the same.
    admit(desk, {**item, "assignees": ""} if item["roles"] else item, "start")
    _complete(desk, item, answer, None)
    remember(work, desk.row["id"])
    return str(desk.row["id"])


# Completing.


def complete(work: Work, task: str, answer: Mapping[str, Any]) -> str:
    """Complete a work item with an answer and move the case on; gives the id of the case.

    Raises ``AlreadyDone`` (by whom, when), ``NotYours`` (every reason), ``Invalid`` (every field), ``Incident``.
    """
    desk, item, again = take_up(work, task, "complete")
    if again is not None:
        return again
    _complete(desk, item, answer, admit(desk, item, "complete"))
    remember(work, desk.row["id"])
    return str(desk.row["id"])


def _complete(desk: Desk, item: Item, answer: Mapping[str, Any], on_behalf_of: str | None) -> None:
    process, element, token = item["process"], item["element"], item["token"]
    values, left = accept(desk, desk.deployed.form(process, element), answer, element, token)
    tell_overrun(desk, item)
    days = days_over(desk.work, item)
    told: dict[str, Any] = {"token": token} | ({"overdue_days": days} if days else {})
    told |= keep_submission(desk, process, element, item["id"], values, on_behalf_of)
    about = desk.deployed.element(process, element).policy
    told |= {name: about[name] for name in ("basis", "tag") if about.get(name)} | left
    told |= policies.told(desk.work, about.get("basis"))
    adopted = adopt(desk)
    actor = {"id": desk.work.actor, "role": item["roles"].strip("|").replace("|", ",")}
    if on_behalf_of:
        actor["on_behalf_of"] = on_behalf_of
    desk.tell("task.completed", told | adopted, element=element, process=process, actor=actor)
    by = [desk.work.actor, *([on_behalf_of] if on_behalf_of else [])]
    desk.move(partial(Instance.complete, token=token, answers=values, by=by))
    if adopted or not desk.row["step"]:  # whoever begins a case names it
        entitle(desk)
    desk.keep(token)


def refuse_unopened(work: Work, case: str, what: str) -> None:
    """Somebody tries an element or message of this case that is not open at all: the refusal is recorded."""
    row = lock(work, case)
    raise WrongState(
        f"案卷 {row['number']} 现在没有打开的“{what}”",
        f"{what!r} is not open in the case {row['number']} now",
        ("state", "not_open"),
        case=case,
        verb=what,
    )


# Messages.


def send(work: Work, case: str, message: str, answer: Mapping[str, Any], key: str | None = None) -> str:
    """Send a message that a case awaits (撤回, 异议, 合同变更 …) with the answer of its form, if it has one.

    With a correlation ``key`` it comes only to an event that waits for this key (``policy:key``) or for any.
    Raises ``WrongState`` if the case does not await it now, ``NotYours`` if this person may not send it.
    """
    again = recall(work)
    if again is not None:
        return again
    desk = open_desk(work, case)
    refuse_suspended(desk, message)
    awaited = [
        each
        for each in desk.instance.waiting()
        if each.due is None and _named(each) == message and (key is None or each.key in (None, key))
    ]
    if not awaited:
        raise WrongState(
            f"案卷 {desk.row['number']} 现在不接收“{message}”",
            f"the case {desk.row['number']} does not await the message {message!r} now",
            ("state", "not_open"),
            case=case,
            verb=message,
        )
    # The innermost one that waits, before all one that waits for this very key.
    event = ([each for each in awaited if key is not None and each.key == key] or awaited)[-1]
    _admit_sender(desk, event, message)
    values: dict[str, Value] = {}
    left: dict[str, Value] | None = None
    told: dict[str, Any] = {"message": message}
    if key is not None:
        told["key"] = WITHHELD if desk.hides_key(event.element) else key
    if event.element.policy.get("form"):
        form = desk.deployed.form(event.process, event.element.id)
        values, left = accept(desk, form, answer, event.element.id, event.token)
        told |= keep_submission(desk, event.process, event.element.id, None, values, None)
    elif answer:
        raise Unusable(f"“{message}”不带内容", f"the message {message!r} carries no answer")
    desk.tell("message.sent", told, element=event.element.id, process=event.process)
    desk.move(partial(Instance.fire, token=event.token, values=values, left=left, by=[work.actor]))
    desk.keep()
    remember(work, case)
    return case


def is_message(work: Work, case: str, name: str) -> bool:
    """Whether the diagram of a case knows a message of this name."""
    row = lock(work, case)
    return any(_is_message(element, name) for element in _elements(work, row))


def _is_message(element: Element, name: str) -> bool:
    return element.event is not None and (element.event.kind, element.event.name) == ("message", name)


def _elements(work: Work, row: Mapping[str, Any]) -> list[Element]:
    deployed = definitions.deployed(work, row["definition"])
    return [element for each in deployed.contents.values() for element in each.diagram.elements.values()]


def _named(event: Waiting) -> str | None:
    return event.element.event.name if event.element.event else None


def _admit_sender(desk: Desk, event: Waiting, message: str) -> None:
    allowed = senders(desk, event)
    if not allowed:
        raise WrongState(
            f"案卷 {desk.row['number']} 现在不能“{message}”",
            f"nobody may send {message!r} to the case {desk.row['number']} at this point",
            case=desk.row["id"],
            element=event.element.id,
            verb=message,
        )
    actor = desk.work.actor
    if not {ANYONE, actor} & allowed and not allowed & standing(desk.work, actor).roles:
        who = name_of(desk.work, actor)
        raise NotYours(
            f"{who}不能对本案发出“{message}”",
            f"{who} may not send {message!r} to this case",
            ("role",),
            case=desk.row["id"],
            element=event.element.id,
            verb=message,
        )


def senders(desk: Desk, event: Waiting) -> frozenset[str]:
    """Who may send an awaited message: role codes, ids of people or ``anyone`` who is signed in.

    Nobody, while its ``policy:sender`` gives None.
    """
    said = attribute(event.element, "sender")
    if isinstance(said, Expression):
        value = said.value(desk.instance.names(event.token), desk.functions)
        found = value if isinstance(value, list) else [] if value is None else [value]
        return frozenset(each.id if isinstance(each, PersonRef) else str(each) for each in found)
    return frozenset(desk.row["applicant"] or "" if word == "applicant" else word for word in said)


def withdraw(work: Work, case: str, answer: Mapping[str, Any]) -> str:
    """Withdraw a case (撤回): as its diagram draws it, else by the built-in rule.

    Built in: the applicant may, with a ``reason``, until an agreement is signed or a registration decided. What the
    diagram draws behind the signal ``withdrawal`` (a notice to be cancelled) is done first.
    """
    again = recall(work)
    if again is not None:
        return again
    row = lock(work, case)
    if any(_is_message(element, WITHDRAW) for element in _elements(work, row)):
        return send(work, case, WITHDRAW, answer)
    desk = Desk.thawed(work, row)
    refuse_suspended(desk, WITHDRAW)
    desk.fire_due()
    if work.actor != desk.row["applicant"]:
        who = name_of(work, work.actor)
        raise NotYours(
            f"{who}不是申请人，不能撤回",
            f"{who} did not start this case and may not withdraw it",
            ("role",),
            case=case,
            verb=WITHDRAW,
        )
    if desk.instance.ended or decided(desk):
        raise WrongState(
            f"案卷 {desk.row['number']} 已签署协议、作出决定或办结，不能撤回",
            f"the case {desk.row['number']} is signed, decided or closed and can no longer be withdrawn",
            case=case,
            verb=WITHDRAW,
        )
    needed = Text("撤回须写明理由（reason）", "a withdrawal needs its reason (field reason)")
    reason = plain(answer.get("reason"), needed)
    told = keep_submission(desk, desk.row["process"], WITHDRAW, None, {"reason": reason}, None)
    desk.tell("case.withdrawn", told)
    desk.move(partial(Instance.announce, signal=WITHDRAWAL))
    if not desk.instance.ended:
        desk.instance.abandon("withdrawn")
    desk.keep()
    remember(work, case)
    return case


def decided(desk: Desk) -> bool:
    """Whether this case, or a process it called, has passed a point after which it can no longer be withdrawn."""
    return any(
        element.policy.get("tag") in POINTS_OF_NO_RETURN and desk.instance.rounds(f"{process}/{element.id}") > 0
        for process, contents in desk.deployed.contents.items()
        for element in contents.diagram.elements.values()
    )
