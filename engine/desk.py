"""A case on the desk: locked, thawed, moved by one act, and put back with its inbox, timers and trail in one commit.

``Desk`` is what the runtime calls its host: it gives the calendar, the registers and the operations of service tasks.
The verbs that use it are in ``cases``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bpmn.diagram import Element, Operation
from bpmn.durations import Duration
from engine import calendar, definitions, registers
from engine.access import bars
from engine.errors import Incident, NotFound
from engine.model import CaseFile, Person, PersonRole, Standstill, Task, Timer, table
from engine.operations import OPERATIONS
from engine.runtime.happenings import Happening, WorkItem
from engine.runtime.instance import Instance
from engine.trail.record import PASSED, Chain, shown
from engine.work import BEIJING, CLOCK, Work
from forms.answer import World
from forms.functions import FUNCTIONS
from forms.values import PersonRef, Value

Row = Mapping[str, Any]

MOST_TIMERS = 1_000
"""How many timers of one case may fire in one act: years of daily reminders, but not a loop without end."""


@dataclass(slots=True)
class Desk:
    """One case, open for one act. ``row`` is the case as stored; ``keep`` writes everything back."""

    work: Work
    row: dict[str, Any]
    deployed: definitions.Deployed
    chain: Chain
    calendar: calendar.Calendar
    functions: Mapping[str, Callable[..., Value]] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    instance: Instance = field(init=False)
    before: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    texts: tuple[str, str] | None = None
    incident: Incident | None = None
    stood: bool = False
    brought_on: str = "overtaken"

    @classmethod
    def over(cls, work: Work, row: Mapping[str, Any], deployed: definitions.Deployed) -> Desk:
        """A desk for this row of ``casefile``; its instance is yet to be started or thawed."""
        chain = Chain.standing(f"case/{row['id']}", row["seq"], row["head"], row["last_at"])
        desk = cls(work, dict(row), deployed, chain, calendar.calendar_of(work, row["calendar"]))
        desk.functions = {**PURE, **desk.supplied()}
        desk.given = {
            "params": dict(definitions.parameters(work, row["parameters"])),
            "case": {
                "id": row["id"],
                "number": row["number"],
                "started_on": row["opened_at"].astimezone(BEIJING).date(),
            },
            "applicant": PersonRef(row["applicant"]),
            "today": work.today,
        }
        return desk

    @classmethod
    def thawed(cls, work: Work, row: Mapping[str, Any]) -> Desk:
        """The case as it was last put back."""
        desk = cls.over(work, row, definitions.deployed(work, row["definition"]))
        desk.instance = Instance.thawed(desk.deployed.model, desk, row["state"], row["scopes"])
        desk.before = desk.timers()
        desk.texts = (row["state"], row["scopes"])
        desk.stood = bool(desk.instance.held())
        return desk

    # What the runtime asks of its host.

    @property
    def now(self) -> datetime:
        """The instant of this act."""
        return self.work.now

    def moment(self, form: str, value: Value) -> datetime | None:
        """When a timer is due."""
        return calendar.moment(self.work.now, form, value, self.calendar)

    def occurrence(self, since: datetime, period: Duration, times: int) -> datetime:
        """When a cycle comes."""
        return calendar.occurrence(since, period, times)

    def operate(self, element: Element, operation: Operation, parameters: Mapping[str, Value]) -> Value:
        """Do an operation of the closed list; what it writes can be taken back until the step is over."""
        self.work.mark()
        try:
            return OPERATIONS[operation.name].run(self, element, parameters)
        except Incident as incident:
            incident.about["operation"] = operation.name
            raise

    # The functions that need the calendar, the registers or the people.

    def supplied(self) -> dict[str, Callable[..., Value]]:
        """The engine's own functions of the expression language, bound to this case."""
        days = self.calendar
        return {
            "today": lambda: self.work.today,
            "add_working_days": days.add_working_days,
            "add_days": days.add_days,
            "working_days_between": days.working_days_between,
            "end_of": days.end_of,
            "is_working_day": days.is_working_day,
            "people": self.people,
            "has_role": lambda person, role: person in self.people(role),
            "find": lambda register, key: registers.find(
                self.work, register, key.id if isinstance(key, PersonRef) else str(key)
            ),
            "records": lambda register: list(registers.records(self.work, register)),
            "rounds": self._rounds,
            "acted": self._acted,
        }

    def _rounds(self, element: str) -> int:
        return self.instance.rounds(element)

    def _acted(self, element: str) -> list[Value]:
        return self.instance.acted(element)

    def people(self, role: str) -> list[Value]:
        """The active holders of a role, in the order in which they were added."""
        kept: dict[str, list[Value]] = self.work.memory.setdefault("people", {})
        if role not in kept:
            query = (
                select(Person.id)
                .join(PersonRole, PersonRole.person == Person.id)
                .where(PersonRole.role == role, Person.active)
                .order_by(Person.login)
            )
            kept[role] = [PersonRef(identity) for identity in self.work.db.execute(query).scalars()]
        return kept[role]

    def world(self, token: int | None = None) -> World:
        """What a form at this task can read."""
        names = self.instance.names(token) if token is not None else self.given
        return World(names=names, functions=self.functions, people=self._knows)

    def _knows(self, person: str) -> bool:
        return self.work.db.execute(select(Person.id).where(Person.id == person)).scalar_one_or_none() is not None

    # Telling.

    def about(self, process: str | None = None) -> dict[str, Any]:
        """Which version of which process an event belongs to."""
        said = {"key": self.deployed.process, "version": self.deployed.version, "sha256": self.deployed.sha256}
        if process and process != self.deployed.process:
            said["called"] = process
        return said

    def tell(
        self,
        kind: str,
        data: Mapping[str, Any],
        *,
        element: str | None = None,
        process: str | None = None,
        actor: Mapping[str, Any] | None = None,
    ) -> None:
        """One event in this case's trail; what the runtime has told so far comes before it."""
        if hasattr(self, "instance"):
            self._tell_happenings()
        self._add(kind, data, element, process, actor)

    def _add(
        self, kind: str, data: Mapping[str, Any], element: str | None, process: str | None, actor: Row | None
    ) -> None:
        self.chain.add(self.work, kind, data, process=self.about(process), element=element, actor=actor)

    def _tell_happenings(self) -> None:
        waiting, self.instance.happenings = self.instance.happenings, []
        for happening in waiting:
            self._add(happening.kind, self._particulars(happening), happening.element, happening.process, None)

    def _particulars(self, happening: Happening) -> dict[str, Any]:
        """A happening's particulars as an event may hold them: values as canonical text, private ones withheld."""
        said: dict[str, Any] = {}
        for key, value in happening.about.items():
            if key in ("values", "written") and isinstance(value, dict):
                said[key] = shown(value, self.deployed.private)
            elif isinstance(value, date):
                said[key] = value.isoformat()
            else:
                said[key] = value
        element = self.deployed.element(happening.process, happening.element)
        told = ("basis", "tag", "facts") if happening.kind in PASSED else ("basis",)
        return said | {name: element.policy[name] for name in told if element.policy.get(name)}

    # Time.

    def fire_due(self) -> None:
        """Let the timers of this case that are due at ``now`` fire first, in due order, as the actor ``clock``."""
        for _ in range(MOST_TIMERS):
            waiting = [] if self.instance.ended else self.instance.waiting()
            due = [each for each in waiting if each.due is not None and each.due <= self.work.now]
            if not due:
                return
            token = min(due, key=lambda each: (each.due, each.token)).token
            actor, self.work.actor = self.work.actor, CLOCK
            try:
                self.move(partial(Instance.fire, token=token))
            finally:
                self.work.actor = actor
        raise Incident(
            f"定时已连续触发 {MOST_TIMERS} 次仍有到期的，图中有一个到期后又立即到期的循环",
            f"{MOST_TIMERS} timers fired and one is still due: the diagram has a loop in which a timer is due at once",
        )

    # Moving.

    def move(self, act: Callable[[Instance], None]) -> None:
        """Do something to the case and let it run on. Nobody's act is lost to an automatic step that cannot be done:
        then the act stands, what would follow it stands still, and the case has an incident.
        """
        texts = self.texts or self.instance.frozen()
        chain = replace(self.chain, rows=list(self.chain.rows))
        kept = (list(self.instance.happenings), dict(self.instance.opened), dict(self.instance.closed))
        self.texts = None
        try:
            act(self.instance)
            self._tell_happenings()
        except Incident as incident:
            self.work.undo()
            self.chain, skipped = chain, self.instance.skipped
            self.instance = Instance.thawed(self.deployed.model, self, *texts)
            self.instance.happenings, self.instance.opened, self.instance.closed = kept
            self.instance.holding, self.instance.skipped = True, skipped
            act(self.instance)
            self.instance.holding = False
            self.incident = incident
            told = {"zh": incident.text.zh, "en": incident.text.en}
            self.tell("incident.raised", told, element=incident.about.get("element"))

    def timers(self) -> dict[int, tuple[str, datetime]]:
        """The element and due instant of every timer that runs, by token."""
        return {each.token: (each.element.id, each.due) for each in self.instance.waiting() if each.due is not None}

    # Putting it back.

    def keep(self, completed: int | None = None) -> None:
        """Write state, variables, work items, timers and trail: all or, with the transaction around it, none.

        ``completed`` is the token of the work item that this act completed.
        """
        self._tell_happenings()
        self._insert_items(completed)
        self._close_items(completed)
        self._keep_timers()
        if self.stood and not self.instance.held():
            self._close_incidents()
        state, scopes = self.instance.frozen()
        changed: dict[str, Any] = {"state": state, "scopes": scopes, "step": self.row["step"] + 1}
        if self.instance.ended and self.row["status"] == "open":
            outcome = str(self.instance.outcome)
            changed |= {"status": "closed", "outcome": outcome, "closed_at": self.work.now}
            self.tell("case.closed", {"outcome": outcome})
        self._update(changed)
        if self.incident is not None:
            self._keep_incident(self.incident)

    def _close_incidents(self) -> None:
        """The case no longer stands still: somebody brought it on, or what stood still was overtaken by events."""
        here = (Standstill.case == self.row["id"], Standstill.closed_at.is_(None))
        values = {"closed_at": self.work.now, "closed_by": self.work.actor, "next_try": None}
        self.work.db.execute(update(Standstill).where(*here).values(closed_how=self.brought_on, **values))
        self.tell("incident.closed", {"how": self.brought_on})

    def _keep_incident(self, incident: Incident) -> None:
        """Keep where and why the case stands still. An operation is tried again by the clock, ever more rarely."""
        said = {"element": incident.about.get("element", ""), "zh": incident.text.zh, "en": incident.text.en}
        standing = select(Standstill.id, Standstill.tries).where(
            Standstill.case == self.row["id"], Standstill.closed_at.is_(None)
        )
        known = self.work.row(standing)
        tries = known["tries"] + 1 if known else 1
        again = tries <= MOST_RETRIES and incident.about.get("operation")
        said |= {"tries": tries, "next_try": self.work.now + FIRST_RETRY * 4 ** (tries - 1) if again else None}
        if known:
            self.work.db.execute(update(Standstill).where(Standstill.id == known["id"]).values(**said))
        else:
            case = {"id": uuid.uuid4().hex, "case": self.row["id"], "at": self.work.now}
            self.work.add(Standstill, {**case, **said})

    def _update(self, changed: dict[str, Any]) -> None:
        """Write the case and the waiting events; the step counter asserts that nobody else moved the case."""
        changed |= {"seq": self.chain.seq, "head": self.chain.head, "last_at": self.chain.last_at}
        here = {"here": self.row["id"], "at_step": self.row["step"]}
        if self.work.db.execute(MOVED, {**changed, **here}).rowcount != 1:
            raise AssertionError(f"case {self.row['id']} was moved by somebody else although it was locked")
        self.chain.write(self.work)
        self.row |= changed

    def _close_items(self, completed: int | None) -> None:
        closed, self.instance.closed = self.instance.closed, {}
        cancelled = [self.item_id(token) for token in closed if token != completed]
        if completed is not None:
            self._close([self.item_id(completed)], "completed")
        if cancelled:
            self._close(cancelled, "cancelled")

    def _close(self, items: list[str], how: str) -> None:
        values = {"closed_at": self.work.now, "closed_by": self.work.actor, "closed_how": how, "draft": None}
        self.work.db.execute(CLOSED, {**values, "items": items})

    def item_id(self, token: int) -> str:
        """The id of a work item of this case."""
        return f"{self.row['id']}.{token}"

    def _insert_items(self, completed: int | None) -> None:
        """Keep the items that came up and are still open, and the first of a case, completed as it starts."""
        opened, self.instance.opened = self.instance.opened, {}
        kept = [item for token, item in opened.items() if token == completed or self.instance.live(token)]
        rows = [self.item(item) for item in kept]
        if rows:
            self.work.add(Task, *rows)

    def item(self, item: WorkItem) -> dict[str, Any]:
        """The inbox row of a work item."""
        element = item.element
        due = item.due if isinstance(item.due, date) and not isinstance(item.due, datetime) else None
        return {
            "id": self.item_id(item.token),
            "case": self.row["id"],
            "token": item.token,
            "process": item.process,
            "element": element.id,
            "name_zh": element.name,
            "name_en": element.policy.get("name-en", element.name),
            "form": element.policy.get("form", element.id),
            "roles": bars(item.roles),
            "assignees": bars(item.assignees),
            "excluded": bars(item.excluded),
            "due": due,
            "provisional": due is not None and self.calendar.is_provisional(self.work.today, due),
            "opened_at": self.work.now,
            "claimed_by": None,
        }

    def _keep_timers(self) -> None:
        after = {} if self.instance.ended else self.timers()
        gone = [token for token in self.before if after.get(token) != self.before[token]]
        new = [token for token in after if self.before.get(token) != after[token]]
        if gone:
            self.work.db.execute(delete(Timer).where(Timer.case == self.row["id"], Timer.token.in_(gone)))
        if new:
            rows = [
                {"case": self.row["id"], "token": token, "element": after[token][0], "due": after[token][1]}
                for token in new
            ]
            self.work.add(Timer, *rows)
        self.before = after


_case, _task = table(CaseFile), table(Task)
LOCKED = select(_case).where(_case.c.id == bindparam("case")).with_for_update()
MOVED = update(_case).where(_case.c.id == bindparam("here"), _case.c.step == bindparam("at_step"))
CLOSED = update(_task).where(_task.c.id.in_(bindparam("items", expanding=True)))


def lock(work: Work, case: str) -> dict[str, Any]:
    """The row of a case, locked for this act: the only lock a step takes."""
    row = work.row(LOCKED, case=case)
    if row is None:
        raise NotFound(f"没有编号为 {case} 的案卷", f"there is no case {case}")
    return row


def open_desk(work: Work, case: str) -> Desk:
    """Lock and thaw a case, and let its due timers fire."""
    desk = Desk.thawed(work, lock(work, case))
    if desk.row["status"] == "open":
        desk.fire_due()
    return desk


FIRST_RETRY, MOST_RETRIES = timedelta(minutes=1), 6

PURE: Mapping[str, Callable[..., Value]] = {
    name: function.run for name, function in FUNCTIONS.items() if function.run is not None
}
"""The functions of the expression language that need nothing but their arguments."""
