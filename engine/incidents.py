"""Incidents: a case stands still because an automatic step could not be done, and what an administrator does about it.

Retry it, correct a variable (recorded), or let the case go on without the step, which takes two people. Nothing that a
person had submitted is lost meanwhile; other branches of the case go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from engine.answers import keep_submission
from engine.desk import Desk, lock
from engine.errors import NotFound, NotYours, Unusable, WrongState
from engine.model import CaseFile, Standstill
from engine.people import name_of, standing
from engine.requests import recall, remember
from engine.runtime.instance import Instance
from engine.work import CLOCK, Work
from forms.expressions import ExpressionError, compile_expression
from forms.money import NotMoney, parse_yuan
from forms.values import Value, check_keys, to_json

ADMINISTRATOR = "sysadmin"


def standing_still(work: Work, case: str | None = None) -> list[dict[str, Any]]:
    """The open incidents, of one case or of all, oldest first."""
    columns = (*Standstill.__table__.columns, CaseFile.number, CaseFile.title)
    query = select(*columns).join(CaseFile, CaseFile.id == Standstill.case).where(Standstill.closed_at.is_(None))
    if case is not None:
        query = query.where(Standstill.case == case)
    return work.rows(query.order_by(Standstill.at))


def due(work: Work) -> list[str]:
    """The incidents that the clock should try again now."""
    query = select(Standstill.id).join(CaseFile, CaseFile.id == Standstill.case)
    query = query.where(CaseFile.status == "open", Standstill.closed_at.is_(None), Standstill.next_try <= work.now)
    return list(work.db.execute(query.order_by(Standstill.next_try)).scalars())


def retry(work: Work, incident: str) -> bool:
    """Try the step again, as an administrator or the clock; whether the case goes on."""
    if recall(work) is not None:
        return True
    desk, row = _open(work, incident, "retry")
    desk.tell("incident.retried", {"incident": incident, "tries": row["tries"] + 1}, element=row["element"])
    return _go_on(desk, row, "retried")


def correct(work: Work, incident: str, name: str, value: str, reason: str, kind: str = "expression") -> None:
    """Give a variable of the case another value, with the reason; recorded.

    ``kind`` says how the value is written: as an expression of the one language, or as one of ``KINDS``.
    """
    if recall(work) is not None:
        return
    if not reason.strip():
        raise Unusable("更正变量须写明理由", "say why the variable is corrected")
    desk, row = _open(work, incident, "correct")
    made = _value(desk, kind, value)
    if name in desk.given or not name.isidentifier():
        raise Unusable(f"“{name}”不是可以更正的变量", f"{name!r} is not a variable that can be corrected")
    said = {"name": name, "value": made, "reason": reason.strip()}
    hidden = ("value", "reason") if name in desk.deployed.private else ()
    told = keep_submission(desk, desk.row["process"], "correction", None, said, None, private=hidden)
    desk.tell("variable.corrected", {"name": name, **told}, element=row["element"])
    scope = max(number for number in desk.instance.scopes.table if _sees(desk, number))
    desk.instance.scopes.write(scope, {name: made})
    desk.keep()
    remember(work, incident)


def _value(desk: Desk, kind: str, text: str) -> Value:
    """What was written, as a value."""
    try:
        if kind == "expression":
            return compile_expression(text).value(desk.instance.scopes.innermost(desk.given), desk.functions)
        return KINDS[kind](text)
    except (ExpressionError, NotMoney) as error:
        raise Unusable(
            f"“{text}”不能作为变量的值：{error.text.zh}", f"{text!r} gives no value: {error.text.en}"
        ) from error
    except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise Unusable(
            f"“{text[:200]}”不是所选类型的值", f"{text[:200]!r} is no value of the kind that was chosen"
        ) from error


def _json(text: str) -> Value:
    """Lists and records as JSON; fractions are decimals, and keys are names as everywhere."""

    def refuse(constant: str) -> Value:
        raise ValueError(constant)

    value: Value = json.loads(text, parse_float=Decimal, parse_constant=refuse)
    check_keys(value)
    to_json(value)
    return value


KINDS: Mapping[str, Callable[[str], Value]] = {
    "text": str,
    "integer": lambda text: int(text.strip().replace(",", "")),
    "money": parse_yuan,
    "date": lambda text: date.fromisoformat(text.strip()),
    "yes_no": lambda text: {"true": True, "false": False}[text.strip().lower()],
    "json": _json,
}
"""How a value may be written down besides as an expression: an amount in 元, yes or no as ``true`` or ``false``."""


def variables(desk: Desk) -> dict[str, Value]:
    """What a case holds where it stands still, by name; what is personal or secret is left out, also inside records."""
    private, names = desk.deployed.private, desk.instance.scopes.innermost(desk.given)

    def open_part(value: Value) -> Value:
        if isinstance(value, dict):
            return {key: open_part(each) for key, each in value.items() if key not in private}
        return [open_part(each) for each in value] if isinstance(value, list) else value

    return {name: open_part(names[name]) for name in sorted(names) if name not in desk.given and name not in private}


def one(work: Work, incident: str) -> dict[str, Any]:
    """An incident with the number and title of its case, also one that is closed."""
    columns = (*Standstill.__table__.columns, CaseFile.number, CaseFile.title)
    query = select(*columns).join(CaseFile, CaseFile.id == Standstill.case).where(Standstill.id == incident)
    found = work.row(query)
    if found is None:
        raise NotFound(f"没有编号为 {incident} 的异常", f"there is no incident {incident}")
    return found


def skippable(desk: Desk, element: str) -> bool:
    """Whether a case may go on without this step: only scripts, services and decisions can be skipped."""
    nodes = [process.nodes.get(element) for process in desk.deployed.model.processes.values()]
    return any(node is not None and node.skippable for node in nodes)


def skip(work: Work, incident: str, reason: str) -> bool:
    """Let the case go on without the step: the first administrator proposes it, a second one does it.

    Gives whether it was done. Only a script, a service or a decision can be skipped: a gateway has to choose.
    """
    if recall(work) is not None:
        return True
    if not reason.strip():
        raise Unusable("跳过步骤须写明理由", "say why the step is skipped")
    desk, row = _open(work, incident, "skip")
    if not skippable(desk, row["element"]):
        raise Unusable(
            f"“{row['element']}”不能跳过：只有脚本、服务和决策步骤可以",
            f"{row['element']!r} cannot be skipped: only scripts, services and decisions can",
        )
    told = keep_submission(desk, desk.row["process"], "skip", None, {"reason": reason.strip()}, None)
    if row["skip_by"] is None:
        work.db.execute(update(Standstill).where(Standstill.id == incident).values(skip_by=work.actor))
        desk.tell("skip.proposed", {"incident": incident, **told}, element=row["element"])
        desk.keep()
        remember(work, incident)
        return False
    if row["skip_by"] == work.actor:
        who = name_of(work, work.actor)
        raise NotYours(
            f"{who}已提议跳过，须由另一人确认",
            f"{who} proposed the skip; another person has to confirm it",
            ("four_eyes",),
            case=desk.row["id"],
            element=row["element"],
            verb="skip",
        )
    desk.instance.skipped = frozenset({row["element"]})
    return _go_on(desk, row, "skipped")


def _open(work: Work, incident: str, verb: str) -> tuple[Desk, dict[str, Any]]:
    """Lock and thaw the case of an open incident, for an administrator or the clock."""
    query = select(*Standstill.__table__.columns).where(Standstill.id == incident)
    found = work.row(query)
    if found is None:
        raise NotFound(f"没有编号为 {incident} 的异常", f"there is no incident {incident}")
    desk = Desk.thawed(work, lock(work, found["case"]))
    row = work.row(query)
    assert row is not None
    about = {"case": row["case"], "element": row["element"], "verb": verb}
    if work.actor != CLOCK and ADMINISTRATOR not in standing(work, work.actor).roles:
        who = name_of(work, work.actor)
        raise NotYours(f"{who}不是系统管理员", f"{who} is not a system administrator", ("role",), **about)
    if row["closed_at"] is not None:
        raise WrongState("该异常已经解除", "the incident is already closed", ("done",), **about)
    return desk, row


def _go_on(desk: Desk, row: dict[str, Any], how: str) -> bool:
    # A condition that is met may fail where nothing had to stand still for it.
    desk.brought_on, desk.stood = how, True
    desk.move(Instance.release)
    desk.keep()
    remember(desk.work, row["id"])
    return desk.incident is None


def _sees(desk: Desk, number: int) -> bool:
    """Whether a token that stands still reads and writes this scope."""
    tasks = desk.instance.tasks.values()
    return number == 1 or any("flow" in task.internal_data and desk.instance.scope(task) == number for task in tasks)
