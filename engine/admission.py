"""Between the desk and access: finds a work item, asks whether this person may act on it, and says no in a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from engine.access import REASONS, Door, judge, unbar
from engine.desk import Desk, lock
from engine.errors import AlreadyDone, NotFound, NotYours, WrongState
from engine.model import Request as Kept
from engine.model import Task, table
from engine.people import name_of, standing
from engine.requests import answered
from engine.runtime.scopes import CASE
from engine.work import BEIJING, Work
from forms.expressions import ExpressionError, compile_expression
from forms.values import PersonRef, Value

Item = Mapping[str, Any]


_task, _kept = table(Task), table(Kept)
_columns = (*_task.c, _kept.c.actor.label("kept_actor"), _kept.c.verb, _kept.c.body_hash, _kept.c.answer)
LOOKED = (
    select(*_columns)
    .select_from(_task.outerjoin(_kept, _kept.c.key == bindparam("key")))
    .where(_task.c.id == bindparam("task"))
)


def case_of(task: str) -> str:
    """The id of the case a work item belongs to."""
    return task.rpartition(".")[0]


def look(work: Work, task: str) -> tuple[Item, str | None]:
    """A work item as it is now, and the answer of this very request if it was carried out before: one statement.

    The case must be locked before: a work item changes only under that lock.
    """
    row = work.row(LOOKED, task=task, key=work.request.key if work.request else None)
    if row is None:
        raise no_item(task)
    return row, answered(work, row["kept_actor"], row["verb"], row["body_hash"], row["answer"])


def no_item(task: str) -> NotFound:
    """There is no such work item."""
    return NotFound(f"没有编号为“{task}”的待办", f"there is no work item “{task}”")


def take_up(work: Work, task: str, verb: str) -> tuple[Desk, Item, str | None]:
    """Lock and thaw the case of an open work item, due timers first; the third is the answer of a repeated request.

    Raises ``NotFound``, or ``AlreadyDone`` naming who did it and when.
    """
    try:
        row = lock(work, case_of(task))
    except NotFound:
        raise no_item(task) from None
    item, again = look(work, task)
    desk = Desk.thawed(work, row)
    if again is None:
        if item["closed_at"] is None:
            desk.fire_due()
        refuse_done(desk, item, verb)
        if verb == "complete":
            refuse_suspended(desk, verb, item["element"])
    return desk, item, again


def refuse_suspended(desk: Desk, verb: str, element: str | None = None) -> None:
    """In a suspended case (中止) nothing can be completed, sent or withdrawn; drafts and claims can be kept."""
    if desk.row["status"] == "suspended":
        number = desk.row["number"]
        raise WrongState(
            f"案卷 {number} 已中止，恢复之前不能办理；期限停止计算",
            f"the case {number} is suspended: nothing can be done in it until it is resumed, and its deadlines wait",
            case=desk.row["id"],
            element=element,
            verb=verb,
        )


def refuse_done(desk: Desk, item: Item, verb: str) -> None:
    """An item that is no longer open takes no act; whoever comes too late is told by whom and when it was done."""
    if item["closed_at"] is None and desk.instance.live(item["token"]):
        return
    about = {"case": desk.row["id"], "element": item["element"], "verb": verb}
    if item["closed_how"] == "completed":
        who = name_of(desk.work, item["closed_by"])
        when = item["closed_at"].astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        raise AlreadyDone(
            f"“{item['name_zh']}”已由{who}于 {when} 办结",
            f"“{item['name_en']}” was already completed by {who} at {when}",
            ("done", "not_open"),
            by=item["closed_by"],
            at=item["closed_at"],
            **about,
        )
    raise AlreadyDone(
        f"“{item['name_zh']}”已不需要办理（流程已转到别处）",
        f"“{item['name_en']}” is no longer open: the case has moved on",
        ("not_open",),
        **about,
    )


def admit(desk: Desk, item: Item, verb: str) -> str | None:
    """Let this person act on the item, or raise ``NotYours`` with every reason; gives whose substitute they are."""
    verdict = judge(standing(desk.work, desk.work.actor), door(desk, item))
    if verdict.reasons:
        raise not_yours(desk, item, verb, verdict.reasons, desk.work.actor)
    desk.presume()
    return verdict.on_behalf_of


def not_yours(desk: Desk, item: Item, verb: str, reasons: Sequence[str], person: str) -> NotYours:
    """The refusal, in words."""
    who = name_of(desk.work, person)
    why_zh = "；".join(REASONS[reason][0] for reason in reasons)
    why_en = "; ".join(REASONS[reason][1] for reason in reasons)
    return NotYours(
        f"{who}不能办理“{item['name_zh']}”：{why_zh}",
        f"{who} may not do “{item['name_en']}”: {who} {why_en}",
        reasons,
        case=desk.row["id"] if desk.row["step"] else None,  # of a start that was refused, no case remains
        process=desk.deployed.process,
        element=item["element"],
        verb=verb,
    )


def door(desk: Desk, item: Item) -> Door:
    """What access must know of a work item, as the case stands."""
    element = desk.deployed.element(item["process"], item["element"])
    checked: set[str] = set()
    for other in element.policy.get("fourEyes", "").replace(",", " ").split():
        key = other if item["process"] == desk.deployed.process else f"{item['process']}/{other}"
        checked |= {person.id for person in desk.instance.acted(key) if isinstance(person, PersonRef)}
    return Door(
        case=desk.row["id"],
        applicant=desk.row["applicant"],
        roles=frozenset(unbar(item["roles"])),
        assignees=unbar(item["assignees"]),
        excluded=frozenset(unbar(item["excluded"])),
        checked=frozenset(checked),
        parties=parties(desk),
        claimed_by=item.get("claimed_by"),
    )


def parties(desk: Desk) -> frozenset[str]:
    """Names and credit codes of the parties of a case (``policy:parties`` of its process), for declared interests."""
    named = (said for party in _parties(desk) for said in _saying(party))
    return frozenset(said for said in named if isinstance(said, str) and said)


def named_parties(desk: Desk) -> list[str]:
    """The parties of a case, each by its name, with its credit code where it has one."""
    said = ([each for each in _saying(party) if isinstance(each, str) and each] for party in _parties(desk))
    return [" ".join(each) for each in said if each]


def _saying(party: Value) -> list[Value]:
    return [party.get("name"), party.get("uscc")] if isinstance(party, dict) else [party]


def _parties(desk: Desk) -> list[Value]:
    source = desk.deployed.diagram.process.policy.get("parties")
    if not source:
        return []
    with contextlib.suppress(ExpressionError):  # before the first answer there are no parties yet
        # Of the case itself, also while a process that it called is at work and sees only what it was given.
        value = compile_expression(source).value(desk.instance.scopes.names(CASE, desk.given), desk.functions)
        return value if isinstance(value, list) else [value]
    return []
