"""A case on the desk: locked, thawed, moved by one act, and put back with its inbox, timers and trail in one commit.

``Desk`` is what the runtime calls its host: it gives the calendar, the registers and the operations of service tasks.
The verbs that use it are in ``cases``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select

from bpmn.diagram import Element, Operation
from bpmn.durations import Duration
from engine import calendar, consulting, counting, definitions, facts, keeping, parameter_sets, policies, signals
from engine.access import bars
from engine.errors import Incident, NotFound, Taken, WrongState
from engine.model import CaseFile, Person, table
from engine.operations import done
from engine.plugged import Step
from engine.privacy import reads_private
from engine.runtime.happenings import Happening, WorkItem
from engine.runtime.instance import Instance
from engine.trail.duties import facts_in, facts_of
from engine.trail.record import PASSED, WITHHELD, Chain, shown
from engine.work import BEIJING, CLOCK, Work
from engine.worldly import functions
from forms.answer import World
from forms.expressions import compile_expression
from forms.values import PersonRef, Value

Row = Mapping[str, Any]

MOST_TIMERS = 1_000
"""How many timers of one case may fire in one act: years of daily reminders, but not a loop without end."""


@dataclass(slots=True)
class Desk:
    """One case, open for one act. ``found`` is the case as stored; ``keep`` writes back what it is now (``row``)."""

    work: Work
    row: dict[str, Any]
    deployed: definitions.Deployed
    chain: Chain
    calendar: calendar.Calendar
    functions: Mapping[str, Callable[..., Value]] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    instance: Instance = field(init=False)
    before: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    listening: dict[int, tuple[int, str]] = field(default_factory=dict)
    thrown: list[tuple[str, int]] = field(default_factory=list)
    texts: tuple[str, str] | None = None
    incident: Incident | None = None
    stood: bool = False
    brought_on: str = "overtaken"
    found: Row = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def over(cls, work: Work, row: Mapping[str, Any], deployed: definitions.Deployed) -> Desk:
        """A desk for this row of ``casefile``; its instance is yet to be started or thawed."""
        chain = Chain.standing(f"case/{row['id']}", row["seq"], row["head"], row["last_at"])
        desk = cls(work, dict(row), deployed, chain, calendar.calendar_of(work, row["calendar"]), found=row)
        desk.functions = {**functions(work, desk.calendar), **desk.supplied()}
        desk.given = {
            "params": dict(parameter_sets.values(work, row["parameters"])),
            "case": {
                "id": row["id"],
                "number": row["number"],
                "started_on": row["opened_at"].astimezone(BEIJING).date(),
            },
            "applicant": PersonRef(row["applicant"]) if row["applicant"] else None,
            "today": work.today,
        }
        return desk

    @classmethod
    def thawed(cls, work: Work, row: Mapping[str, Any]) -> Desk:
        """The case as it was last put back."""
        desk = cls.over(work, row, definitions.deployed(work, row["definition"]))
        desk.instance = Instance.thawed(desk.deployed.model, desk, row["state"], row["scopes"])
        desk.before, desk.listening = desk.timers(), desk.instance.listening()
        desk.texts = (row["state"], row["scopes"])
        desk.stood = bool(desk.instance.held())
        return desk

    def presume(self) -> None:
        """Whoever may do the first work item of a case without an applicant would be that, and reads it so."""
        if self.row["applicant"] is None:
            self.given["applicant"] = PersonRef(self.work.actor)

    def change(self, **values: Any) -> None:
        """Give columns of the case other values; they are written when it is put back."""
        self.row |= values
        self.changed |= values

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

    def operate(
        self, element: Element, operation: Operation, parameters: Row, process: str, names: Row
    ) -> Value:
        """Do an operation of the closed list; what it writes can be taken back until the step is over."""
        self.work.mark()
        try:
            return done(operation.name, self, Step(element, process, names), parameters)
        except Incident as incident:
            incident.about["operation"] = operation.name
            raise
        except Taken as taken:
            if self.work.actor != CLOCK:
                raise
            # Nobody is there to be refused: the case stands still, as with whatever else cannot be done.
            raise Incident(taken.text.zh, taken.text.en, operation=operation.name) from taken

    # The functions that need this case; those that need none are in ``worldly``.

    def supplied(self) -> dict[str, Callable[..., Value]]:
        """The functions of the expression language that this case brings."""
        told: dict[str, Callable[..., Value]] = {"facts": self._facts, "missing_facts": self._lacks}
        return {"rounds": self._rounds, "acted": self._acted, **told, **consulting.functions(self)}

    def _rounds(self, element: str) -> int:
        return self.instance.rounds(element)

    def _acted(self, element: str) -> list[Value]:
        return self.instance.acted(element)

    def _facts(self) -> list[Value]:
        """The facts left so far, those of this act included."""
        self.tell_happenings()
        return list(dict.fromkeys([*facts_of(self.work, self.row["id"]), *facts_in(self.chain.rows)]))

    def _lacks(self, codes: Iterable[Value]) -> list[Value]:
        left = self._facts()
        return [code for code in codes if isinstance(code, str) and code.rstrip("?") not in left]

    def world(self, token: int | None = None) -> World:
        """What a form at this task can read."""
        names = self.instance.names(token) if token is not None else self.given
        must = facts.demanded(self.instance.tasks[token].task_spec.facts) if token is not None else {}
        return World(names=names, functions=self.functions, people=self._knows, facts=must)

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
            self.tell_happenings()
        self._add(kind, data, element, process, actor)

    def _add(
        self, kind: str, data: Mapping[str, Any], element: str | None, process: str | None, actor: Row | None
    ) -> None:
        self.chain.add(self.work, kind, data, process=self.about(process), element=element, actor=actor)

    def tell_happenings(self) -> None:
        """What the runtime has told so far, as events of this case."""
        waiting, self.instance.happenings = self.instance.happenings, []
        for happening in waiting:
            self._add(happening.kind, self._particulars(happening), happening.element, happening.process, None)
            if happening.kind == "signal.thrown":
                signals.note(self, happening)

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
        if said.get("key") is not None and self.hides_key(element):
            said["key"] = WITHHELD
        told = ("basis", "tag") if happening.kind in PASSED else ("basis",)
        found = {name: element.policy[name] for name in told if element.policy.get(name)}
        if happening.kind in ("task.opened", "timer.armed") and said.get("due"):
            found |= self._counted(happening, element)
        return said | found | policies.told(self.work, element.policy.get("basis") if "tag" in told else None)

    def hides_key(self, element: Element) -> bool:
        """Whether the correlation key of a message event is made from something personal or secret."""
        source = element.policy.get("key")
        return source is not None and reads_private(compile_expression(source), self.deployed.private)

    def _counted(self, happening: Happening, element: Element) -> dict[str, Any]:
        """How the due day of a new work item or timer is counted; a duration is its own counting."""
        token, due = happening.about["token"], happening.about["due"]
        source = element.policy.get("due", "").removeprefix("=")
        if happening.kind == "timer.armed":
            if not element.event or element.event.form != "date" or not isinstance(due, str):
                return {}
            source = element.event.expression or ""
            due = (datetime.fromisoformat(due).astimezone(BEIJING) - timedelta(microseconds=1)).date()
        if not isinstance(token, int) or not isinstance(due, date) or self.instance.live(token) is None:
            return {}
        view = counting.View(self.instance.names(token), self.functions)
        return {"counted": counting.told(self.deployed, happening.process, source, view, due)}

    # Time.

    def fire_due(self) -> None:
        """Let what was due before this act happen first, in order, as the actor ``clock``: the timers of this case, and
        the signals of others that are on their way to it. In a suspended case nothing happens.
        """
        if self.row["status"] == "suspended":
            return
        arriving = signals.on_their_way(self) if self.listening else []
        for _ in range(MOST_TIMERS):
            waiting = [] if self.instance.ended else self.instance.waiting()
            due = [(each.due, each.token) for each in waiting if each.due is not None and each.due <= self.work.now]
            if not due and not arriving:
                return
            actor, self.work.actor = self.work.actor, CLOCK
            try:
                if not due or (arriving and arriving[0]["at"] < min(due)[0]):
                    signals.arrive(self, arriving.pop(0))
                else:
                    self.move(partial(Instance.fire, token=min(due)[1]))
            finally:
                self.work.actor = actor
        raise Incident(
            f"定时已连续触发 {MOST_TIMERS} 次仍有到期的，图中有一个到期后又立即到期的循环",
            f"{MOST_TIMERS} timers fired and one is still due: the diagram has a loop in which a timer is due at once",
        )

    def hears(self, delivery: Row) -> bool:
        """Whether the event for which a signal is on its way still waits."""
        return (delivery["first"], delivery["signal"]) in self.instance.listening().values()

    # Moving.

    def move(self, act: Callable[[Instance], None]) -> None:
        """Do something to the case and let it run on. Nobody's act is lost to an automatic step that cannot be done:
        then the act stands, what would follow it stands still, and the case has an incident.
        """
        if self.row["status"] == "suspended":
            number = self.row["number"]
            raise WrongState(f"案卷 {number} 已中止，恢复之前不能办理", f"the case {number} is suspended")
        self.work.settle()  # what was done before this stands, whatever becomes of it
        texts = self.texts or self.instance.frozen()
        chain = replace(self.chain, rows=list(self.chain.rows))
        kept = (list(self.instance.happenings), dict(self.instance.opened), dict(self.instance.closed))
        thrown = list(self.thrown)
        self.texts = None
        try:
            act(self.instance)
            self.tell_happenings()
        except Incident as incident:
            self.work.undo()
            self.chain, self.thrown, skipped = chain, thrown, self.instance.skipped
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
        """Write the case as it is now; ``completed`` is the token of the work item that this act completed."""
        keeping.keep(self, completed)

    def item_id(self, token: int) -> str:
        """The id of a work item of this case."""
        return f"{self.row['id']}.{token}"

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


_case = table(CaseFile)
LOCKED = select(_case).where(_case.c.id == bindparam("case")).with_for_update()


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
