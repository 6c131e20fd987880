"""A case on the desk: locked, thawed, moved by one act, and put back with its inbox, timers and trail in one commit.

``Desk`` is what the runtime calls its host: it gives the calendar, the registers and the operations of service tasks.
The verbs that use it are in ``cases``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from bpmn.diagram import Element, Operation
from engine import calendar, definitions, documents, registers
from engine.access import bars
from engine.errors import Incident, NotFound
from engine.library import Library
from engine.model import CaseFile, Outbox, Person, PersonRole, Task, Timer, table
from engine.runtime.happenings import Happening, WorkItem
from engine.runtime.instance import Instance
from engine.trail.record import Chain, shown
from engine.work import BEIJING, CLOCK, Work
from forms.answer import World
from forms.functions import FUNCTIONS
from forms.values import PersonRef, Value

Row = Mapping[str, Any]


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
        return desk

    # What the runtime asks of its host.

    @property
    def now(self) -> datetime:
        """The instant of this act."""
        return self.work.now

    def moment(self, form: str, value: Value) -> datetime | None:
        """When a timer is due."""
        return calendar.moment(self.work.now, form, value, self.calendar)

    def operate(self, element: Element, operation: Operation, parameters: Mapping[str, Value]) -> Value:
        """Do an operation of ``definitions.OPERATIONS``; refusals of registers go through to the person who acted."""
        match operation.name:
            case "register.record":
                return self._record(element, parameters)
            case "register.find":
                return registers.find(self.work, str(parameters["register"]), str(parameters["key"]))
            case "number.next":
                return registers.draw(self.work, str(parameters["series"]), self.work.today)
            case "document.issue":
                return self._issue(element, str(parameters["template"]))
            case "notify":
                return self._notify(element, parameters)
        raise Incident(f"没有“{operation.name}”这种操作", f"there is no operation {operation.name!r}")

    def _record(self, element: Element, parameters: Mapping[str, Value]) -> Value:
        name, value = str(parameters["register"]), parameters["value"]
        kinds = Library.standing().vocabulary().registers
        if name not in kinds or not isinstance(value, dict):
            raise Incident(
                f"没有台账“{name}”，或登记内容不是一条记录", f"{name!r} is no register, or the value no record"
            )
        key = parameters["key"]
        text = key.id if isinstance(key, PersonRef) else str(key)
        supersede = str(parameters.get("supersede") or "own")
        kept = registers.record(
            self.work, kinds[name], text, value, case=self.row["id"], element=element.id, supersede=supersede
        )
        self.tell("register.recorded", {"register": name, "key": text}, element=element.id)
        return kept

    def _issue(self, element: Element, template: str) -> Value:
        found = self.deployed.contents[self.deployed.process].templates.get(template)
        if found is None:
            raise Incident(f"没有文书模板“{template}”", f"there is no document template {template!r}")
        names = {**dict(self.instance.scopes.innermost(self.given))}
        name, data = documents.issue(self.work, found, names, self.functions)
        reference = documents.attach(self.work, self.row["id"], element.id, name, data, self.work.actor)
        self.tell(
            "document.issued",
            {"document": reference.id, "sha256": reference.sha256, "template": template},
            element=element.id,
        )
        return reference

    def _notify(self, element: Element, parameters: Mapping[str, Value]) -> Value:
        role = str(parameters["role"])
        self.work.db.execute(
            insert(Outbox).values(
                id=str(uuid.uuid4()),
                case=self.row["id"],
                role=role,
                at=self.work.now,
                zh=str(parameters["zh"]),
                en=str(parameters["en"]),
            )
        )
        self.tell("notice.sent", {"role": role}, element=element.id)
        return None

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
        if element.policy.get("basis"):
            said["basis"] = element.policy["basis"]
        return said

    # Time.

    def fire_due(self) -> None:
        """Let the timers of this case that are due at ``now`` fire first, in due order, as the actor ``clock``."""
        while not self.instance.ended:
            due = [each for each in self.instance.waiting() if each.due is not None and each.due <= self.work.now]
            if not due:
                return
            first = min(due, key=lambda each: (each.due, each.token))
            actor, self.work.actor = self.work.actor, CLOCK
            try:
                self.instance.fire(first.token)
                self._tell_happenings()
            finally:
                self.work.actor = actor

    def timers(self) -> dict[int, tuple[str, datetime]]:
        """The element and due instant of every timer that runs, by token."""
        return {each.token: (each.element.id, each.due) for each in self.instance.waiting() if each.due is not None}

    # Putting it back.

    def keep(self, completed: int | None = None) -> None:
        """Write state, variables, work items, timers and trail: all or, with the transaction around it, none.

        ``completed`` is the token of the work item that this act completed.
        """
        self._tell_happenings()
        self._close_items(completed)
        self._insert_items()
        self._keep_timers()
        state, scopes = self.instance.frozen()
        changed: dict[str, Any] = {"state": state, "scopes": scopes, "step": self.row["step"] + 1}
        if self.instance.ended and self.row["status"] == "open":
            outcome = str(self.instance.outcome)
            changed |= {"status": "closed", "outcome": outcome, "closed_at": self.work.now}
            self.tell("case.closed", {"outcome": outcome})
        self._update(changed)

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

    def _insert_items(self) -> None:
        opened, self.instance.opened = self.instance.opened, {}
        rows = [self.item(item) for token, item in opened.items() if self.instance.live(token)]
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


PURE: Mapping[str, Callable[..., Value]] = {
    name: function.run for name, function in FUNCTIONS.items() if function.run is not None
}
"""The functions of the expression language that need nothing but their arguments."""
