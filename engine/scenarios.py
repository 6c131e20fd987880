"""Plays worked cases on the real engine, with their own people and clock, and says the first difference in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from engine import cases, inbox, overruns, parameter_sets, people, registers, scenario_starts
from engine.access import unbar
from engine.calendar import calendar_of
from engine.desk import Desk
from engine.errors import Invalid, Refusal
from engine.expectations import Audience, Difference
from engine.filling import filled, filled_message
from engine.library import Library
from engine.model import Task, Timer
from engine.scenario_dossier import beside
from engine.scenario_file import Course, Scenario, Step, instant_of
from engine.work import BEIJING, SYSTEM, Database, Work
from engine.worker import let_arrive, run_due
from forms.values import PersonRef, Value
from forms.words import Text

PERSON_COLUMNS = frozenset({"person", "persons", "inventors"})


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved."""

    instant: datetime

    def __call__(self) -> datetime:
        """The instant it stands at, in UTC."""
        return self.instant.astimezone(UTC)


@dataclass(slots=True)
class Played:
    """How a scenario went: passed, or the first difference with its line."""

    scenario: Scenario
    passed: bool
    difference: Text | None = None
    line: int = 0
    case: str | None = None


def play(scenario: Scenario, url: str) -> Played:
    """Play a scenario in an upgraded database that holds the library and nothing else."""
    stage = Stage(scenario, SetClock(scenario.now))
    stage.database = Database(url, stage.clock)
    played = Played(scenario, True)
    try:
        stage.set()
        for course in scenario.before:
            stage.earlier[course.name] = stage.play(course) or ""
        played.case = stage.play(scenario.course)
        if played.case is not None:
            stage.expect(played.case, scenario.expect, 0)
    except Difference as difference:
        played.passed, played.difference, played.line = False, difference.text, difference.line
    except Refusal as refusal:
        played.passed, played.difference = False, refusal.text
    finally:
        stage.database.close()
    return played


@dataclass(slots=True)
class Stage:
    """The world a scenario is played in."""

    scenario: Scenario
    clock: SetClock
    database: Database = field(init=False)
    persons: dict[str, str] = field(default_factory=dict)
    earlier: dict[str, str] = field(default_factory=dict)

    # The world.

    def set(self) -> None:
        """Bring people, registers and parameters on stage."""
        roles: dict[str, list[str]] = {}
        for role, names in self.scenario.people.items():
            for name in names:
                roles.setdefault(name, []).append(role)
        with self.database.work(SYSTEM) as work:
            scenario_starts.begin_anew(work)
            for name, held in roles.items():
                self.persons[name] = people.add(work, name, name, held)
            if self.scenario.parameters:
                shipped = parameter_sets.values(work, parameter_sets.in_force(work))
                parameter_sets.seed(work, {**shipped, **self.scenario.parameters})
            given = dict(self.scenario.registers)
            if "account" not in given:
                holders = self.scenario.people.get("contract_applicant", ())
                given["account"] = [{"person": name, "name": name, "region_code": "110108"} for name in holders]
            for register, rows in given.items():
                self._given(work, register, rows)

    def _given(self, work: Work, register: str, rows: list[Mapping[str, Any]]) -> None:
        kinds = Library.standing().vocabulary().registers
        if register not in kinds:
            raise Difference(f"没有台账“{register}”", f"there is no register {register!r}")
        for number, row in enumerate(rows):
            value = {column: self._register_value(column, row.get(column)) for column in kinds[register].columns}
            keys = [value.get(column) for column in kinds[register].key if value.get(column) is not None]
            key = (
                keys[0].id if keys and isinstance(keys[0], PersonRef) else "/".join(map(str, keys)) or f"given-{number}"
            )
            registers.record(work, kinds[register], key, value, case=None, element="given")

    def _register_value(self, column: str, value: Any) -> Value:
        if column in PERSON_COLUMNS and isinstance(value, str):
            return PersonRef(self.person(value))
        if column in PERSON_COLUMNS and isinstance(value, list):
            return [PersonRef(self.person(str(each))) for each in value]
        if isinstance(value, str) and column.endswith("_on"):
            return date.fromisoformat(value)
        return value  # type: ignore[no-any-return]

    def person(self, name: str) -> str:
        """The id of somebody by name; whoever the scenario did not introduce is a stranger without a role."""
        if name not in self.persons:
            with self.database.work(SYSTEM) as work:
                self.persons[name] = people.add(work, name, name)
        return self.persons[name]

    # The play.

    def play(self, course: Course) -> str | None:
        """Play one case from its start through its steps; gives its id, or None if its start was to be refused."""
        case = scenario_starts.begin(self, course)
        if case is not None:
            for step in course.steps:
                try:
                    self.step(case, step)
                except Difference as difference:
                    difference.line = difference.line or step.line
                    raise
                except Refusal as refusal:
                    raise Difference(refusal.text.zh, refusal.text.en, step.line) from refusal
        return case

    def step(self, case: str, step: Step) -> None:
        """One line of the scenario; signals that it led to arrive before the next."""
        case = scenario_starts.linked(self, case, str(step.rest["in"])) if "in" in step.rest else case
        self.act(case, step)
        let_arrive(self.database)

    def act(self, case: str, step: Step) -> None:
        """What a line says, in the case it is about."""
        match step.kind:
            case "signal":
                scenario_starts.send_signal(self, str(step.rest["by"]), str(step.what))
            case "do":
                for name in step.rest["by"] if isinstance(step.rest["by"], list) else [step.rest["by"]]:
                    self.do(case, step.what, str(name), step.rest.get("with") or {})
            case "send":
                self.send(case, step.what, str(step.rest["by"]), step.rest.get("with") or {})
            case "wait":
                self.wait(self.until(case, step.what))
            case "expect":
                self.expect(case, step.what, step.line)
            case "refuse":
                self.refuse(case, step)
            case "invalid":
                self.invalid(case, step)
            case _:
                with cases.acting(self.database, self.person(str(step.rest["by"]))) as work:
                    beside(work, case, step)

    def refer(self, value: Any) -> Any:
        """An answer with ``$NAME`` put for the case of that name."""
        if isinstance(value, str) and value.startswith("$") and value[1:] in self.earlier:
            return self.earlier[value[1:]]
        if isinstance(value, dict):
            return {key: self.refer(each) for key, each in value.items()}
        return [self.refer(each) for each in value] if isinstance(value, list) else value

    def item(self, case: str, element: str, person: str) -> str | None:
        """The open work item at an element: the person's own where everybody has one; else the last that was open."""
        with self.database.look(SYSTEM) as work:
            family = [case, *(row["id"] for row in self.children(work, case))]
            query = select(Task.id, Task.assignees, Task.closed_at).where(
                Task.case.in_(family), Task.element == element
            )
            rows = list(work.db.execute(query.order_by(Task.opened_at.desc(), Task.token.desc())))
        open_rows = [row for row in rows if row.closed_at is None]
        own = [row for row in open_rows or rows if person in unbar(row.assignees)]
        found = own or open_rows or rows
        return str(found[0].id) if found else None

    @staticmethod
    def children(work: Work, case: str) -> list[Mapping[str, Any]]:
        """The cases this one started."""
        return [row for row in inbox.cases(work, limit=10_000) if row["parent"] == case]

    def answer(self, actor: str, task: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer for an open work item."""
        with self.database.look(actor) as work:
            item = inbox.task(work, task)
            desk = Desk.thawed(work, inbox.case(work, item["case"]))
            return filled(desk, item, self.refer(given))

    def do(self, case: str, element: str, name: str, given: Mapping[str, Any]) -> None:
        """Complete a work item."""
        actor = self.person(name)
        task = self.item(case, element, actor)
        if task is None:
            is_open = "、".join(self.open(case)) or "无"
            raise Difference(f"“{element}”没有打开；打开的是：{is_open}", f"{element!r} is not open; open: {is_open}")
        answer = self.answer(actor, task, given) if self.is_open(task) else {}
        with cases.acting(self.database, actor) as work:
            cases.complete(work, task, answer)

    def is_open(self, task: str) -> bool:
        """Whether a work item still waits."""
        with self.database.look(SYSTEM) as work:
            return inbox.task(work, task)["closed_at"] is None

    def send(self, case: str, message: str, name: str, given: Mapping[str, Any]) -> None:
        """Send a message, its form filled like a work item's."""
        actor = self.person(name)
        answer = self.message_answer(actor, case, message, self.refer(given))
        with cases.acting(self.database, actor) as work:
            if message == cases.WITHDRAW:
                cases.withdraw(work, case, answer)
            else:
                cases.send(work, case, message, answer)

    def message_answer(self, actor: str, case: str, message: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is sent with a message: its form filled, if the case awaits it and it has one."""
        with self.database.look(actor) as work:
            desk = Desk.thawed(work, inbox.case(work, case))
            for waiting in reversed(desk.instance.waiting()):
                event = waiting.element.event
                if event and event.name == message and waiting.element.policy.get("form"):
                    form = desk.deployed.form(waiting.process, waiting.element.id)
                    return filled_message(desk, form, waiting.token, given)
        return given

    def wait(self, target: datetime) -> None:
        """Move the clock; timers that fall due on the way fire at their own instants, in order."""
        if target < self.clock.instant:
            raise Difference(f"时钟不能拨回到 {target:%Y-%m-%d %H:%M}", f"the clock cannot go back to {target}")
        while (due := self.next_due()) is not None and due <= target:
            self.clock.instant = max(due, self.clock.instant)
            if not run_due(self.database):
                raise Difference("到期的定时未能触发", "a timer that is due could not fire")
        self.clock.instant = target
        overruns.tell_all(self.database)

    def until(self, case: str, what: Any) -> datetime:
        """The instant a ``wait`` leads to."""
        here = self.clock.instant.astimezone(BEIJING)
        if not isinstance(what, dict):
            found = instant_of(what)
            assert found is not None
            return found
        if "next_timer" in what:
            due = self.next_timer()
            if due is None:
                raise Difference("没有定时可等", "there is no timer to wait for")
            return due
        if "working_days" in what:
            with self.database.look(SYSTEM) as work:
                days = calendar_of(work, inbox.case(work, case)["calendar"])
                day = days.add_working_days(here.date(), int(what["working_days"]))
            return datetime.combine(day, here.time(), BEIJING)
        return here + timedelta(days=int(what["days"]))

    def next_timer(self) -> datetime | None:
        """When the next timer of any case falls due."""
        with self.database.look(SYSTEM) as work:
            return work.db.execute(select(Timer.due).order_by(Timer.due).limit(1)).scalar_one_or_none()

    def next_due(self) -> datetime | None:
        """When the clock next does something: to a case, or by starting one."""
        return min(filter(None, (self.next_timer(), scenario_starts.next_start(self))), default=None)

    def open(self, case: str) -> list[str]:
        """The elements with an open work item."""
        with self.database.look(SYSTEM) as work:
            return sorted(inbox.open_elements(work, case))

    # Refusals.

    def refuse(self, case: str, step: Step) -> None:
        """An attempt that must be refused, for the reason given, and recorded."""
        actor, because = self.person(str(step.rest["by"])), str(step.rest["because"])
        given = self.refer(step.rest.get("with") or {})
        try:
            with cases.acting(self.database, actor) as work:
                self.attempt(work, case, str(step.what), actor, given)
        except Invalid:
            raise Difference("没有被拒绝，而是表单不接受", "it was not refused; the form refused the answer") from None
        except Refusal as refusal:
            reasons = getattr(refusal, "reasons", ())
            if because not in reasons:
                found = ", ".join(reasons) or refusal.code
                raise Difference(
                    f"被拒绝的理由是 {found}，应为 {because}：{refusal.text.zh}",
                    f"refused for {found}, not for {because}: {refusal.text.en}",
                ) from None
            self.recorded(case, because)
            return
        raise Difference(
            f"“{step.what}”本应被拒绝（{because}），却成功了",
            f"{step.what!r} should be refused ({because}), but went through",
        )

    def attempt(self, work: Work, case: str, what: str, actor: str, given: Mapping[str, Any]) -> None:
        """Try a work item or a message by its name."""
        task = self.item(case, what, actor)
        if task is not None:
            cases.complete(work, task, given)
        elif what == cases.WITHDRAW:
            cases.withdraw(work, case, given)
        elif cases.is_message(work, case, what):
            cases.send(work, case, what, given)
        else:
            cases.refuse_unopened(work, case, what)

    def recorded(self, case: str, because: str) -> None:
        """The refusal stands in the trail."""
        with self.database.look(SYSTEM) as work:
            last = inbox.events(work, case)[-1]
        reasons = json.loads(last["body"])["data"].get("reasons", []) if last["kind"] == "attempt.refused" else []
        if because not in reasons:
            raise Difference("拒绝没有记入轨迹", "the refusal is not in the trail")

    def invalid(self, case: str, step: Step) -> None:
        """An answer that the form must refuse, naming these fields; nothing changes."""
        actor, element = self.person(str(step.rest["by"])), str(step.what)
        with self.database.look(SYSTEM) as work:
            before = inbox.case(work, case)
        try:
            if self.item(case, element, actor) is None:
                self.send(case, element, str(step.rest["by"]), step.rest.get("with") or {})
            else:
                self.do(case, element, str(step.rest["by"]), step.rest.get("with") or {})
        except Invalid as invalid:
            self.refused_fields(invalid, step.rest.get("fields") or [])
        else:
            raise Difference(f"“{element}”的答复本应被表单拒绝", f"the answer to {element!r} should have been refused")
        with self.database.look(SYSTEM) as work:
            if inbox.case(work, case) != before:
                raise Difference("被拒绝的答复改变了案卷", "the refused answer changed the case")

    @staticmethod
    def refused_fields(invalid: Invalid, fields: list[str]) -> None:
        """All the fields that should be refused are."""
        found = {problem.path.split("[")[0].split(".")[0] for problem in invalid.problems}
        missing = [name for name in fields if name not in found]
        if missing:
            names, got = "、".join(missing), "、".join(sorted(found))
            raise Difference(
                f"表单应拒绝 {names}，实际拒绝的是 {got}：{invalid.text.zh}",
                f"the form should refuse {names}, but refused {got}: {invalid.text.en}",
            )

    # Expectations.

    def expect(self, case: str, what: Mapping[str, Any], line: int) -> None:
        """Compare the case with what is expected of it."""
        with self.database.look(SYSTEM) as work:
            Audience(work, case, line).compare(what)
