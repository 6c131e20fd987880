"""How the case of a worked case begins: by its first form, by a message, by a signal, or when the clock begins it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from engine import cases, definitions, signals, start_events, starting
from engine.errors import Invalid
from engine.expectations import Difference
from engine.filling import filled, filled_message
from engine.model import CaseFile, StartEvent
from engine.work import SYSTEM, Work
from engine.worker import run_due

if TYPE_CHECKING:
    from engine.scenario_file import Course
    from engine.scenarios import Stage


def begin_anew(work: Work) -> None:
    """Let every start event begin to wait now: the world of a worked case has a clock of its own."""
    standing = sorted({str(row["definition"]) for row in start_events.standing(work)})
    work.db.execute(delete(StartEvent))
    for definition in standing:
        start_events.settle(work, definitions.deployed(work, definition))


def begin(stage: Stage, course: Course) -> str | None:
    """Begin a case as its course says; gives its id, or None if its start was to be refused."""
    start = course.start
    if "clock" in start:
        return _by_clock(stage, course.process)
    if "signal" in start:
        before = _known(stage, course.process)
        send_signal(stage, str(start["by"]), str(start["signal"]))
        run_due(stage.database)
        return _begun(stage, course.process, before)
    actor, given, fields = stage.person(str(start["by"])), stage.refer(start.get("with") or {}), start.get("invalid")
    message = start.get("message")
    with stage.database.look(actor) as work:
        answer = _message_answer(work, course.process, str(message), given) if message else None
        if answer is None and not message:
            desk, item = starting.begin(work, course.process, rehearse=True)
            answer = filled(desk, item, given)
    try:
        with cases.acting(stage.database, actor) as work:
            if message:
                case = starting.by_message(work, str(message), answer or {}, course.process)
            else:
                case = cases.start(work, course.process, answer or {})
    except Invalid as invalid:
        if fields is None:
            raise
        stage.refused_fields(invalid, fields)
        return None
    if fields is not None:
        raise Difference("开始本应被表单拒绝，却被接受了", "the start should have been refused, but was accepted")
    return case


def _message_answer(work: Work, process: str, message: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sent with a message that starts a case: its form filled, if it has one."""
    start = start_events.awaited(work, message, process)
    deployed = definitions.deployed(work, start["definition"])
    if not deployed.diagram.elements[start["element"]].policy.get("form"):
        return given
    desk = starting.begun_by_message(work, deployed, start["element"], rehearse=True)
    form = deployed.form(process, start["element"])
    return filled_message(desk, form, desk.instance.start.id, given)


def send_signal(stage: Stage, by: str, name: str) -> None:
    """Somebody sends a signal from outside."""
    with cases.acting(stage.database, stage.person(by)) as work:
        signals.send(work, name)


def _by_clock(stage: Stage, process: str) -> str:
    """Let the clock go on until it begins a case of this process; gives the first that it began."""
    before = _known(stage, process)
    run_due(stage.database)
    if _known(stage, process) == before:
        due = next_start(stage, process)
        if due is None:
            raise Difference(
                f"流程“{process}”没有会到来的开始时刻", f"no instant comes at which {process!r} would start a case"
            )
        stage.wait(due)
    return _begun(stage, process, before)


def next_start(stage: Stage, process: str | None = None) -> Any:
    """When the clock next starts a case (of this process)."""
    query = select(func.min(StartEvent.due))
    with stage.database.look(SYSTEM) as work:
        return work.db.execute(query if process is None else query.where(StartEvent.process == process)).scalar_one()


def _known(stage: Stage, process: str) -> list[str]:
    """The cases of a process by their ids, oldest first."""
    query = select(CaseFile.id).where(CaseFile.process == process).order_by(CaseFile.opened_at, CaseFile.number)
    with stage.database.look(SYSTEM) as work:
        return [str(case) for case in work.db.execute(query).scalars()]


def _begun(stage: Stage, process: str, before: list[str]) -> str:
    for case in _known(stage, process):
        if case not in before:
            return case
    raise Difference(f"没有开始“{process}”的案卷", f"no case of {process!r} was started")


def linked(stage: Stage, case: str, process: str) -> str:
    """The newest case of a process that was started by this one, directly or by a case it started."""
    found, around = None, [case]
    with stage.database.look(SYSTEM) as work:
        while around:
            query = select(CaseFile.id, CaseFile.process).where(CaseFile.parent.in_(around))
            rows = work.rows(query.order_by(CaseFile.opened_at, CaseFile.number))
            found = next((str(row["id"]) for row in reversed(rows) if row["process"] == process), found)
            around = [row["id"] for row in rows]
    if found is None:
        raise Difference(f"没有启动过“{process}”的关联案卷", f"no linked case of {process!r} was started")
    return found
