"""Walks cases at random on the real engine: whoever may act answers an open item, sends a message, or time passes.

Demo data is made so, and the shipped processes are proved so: a walk ends or waits, and loses no token.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from bpmn.work_items import ANYONE
from engine import cases, inbox, starting
from engine.access import judge, unbar
from engine.admission import Item, door
from engine.desk import Desk
from engine.errors import Invalid, NotYours, WrongState
from engine.filling import filled, filled_message
from engine.model import Person, PersonRole, Timer
from engine.people import standing
from engine.scenario_file import Scenario
from engine.scenarios import SetClock
from engine.work import BEIJING, SYSTEM, Database, Work
from engine.worker import run_due
from forms.expressions import compile_expression
from forms.form import Form
from forms.money import yuan

TRIES = 8
AMOUNTS = (20_000_000, 90_000_000, 3_000_000_000, 3_000_000_001, 5_800_000_000)  # fen, on both sides of large
SUBJECTS = ("红外热波检测", "骨科康复动作监测", "锂电池隔膜", "高温合金粉末", "城市内涝预报", "肿瘤早筛试剂")


def moved(value: Any, later: timedelta) -> Any:
    """A day of a worked case, as far from the day of the walk as it was from that of the case; other values as is."""
    try:
        return (date.fromisoformat(value) + later).isoformat()
    except (TypeError, ValueError):
        return value


@dataclass(slots=True)
class Walker:
    """Walks the cases of one database; ``clock`` is the database's own and is moved as time passes.

    ``latest`` is an instant the walk must not pass. ``boldness`` is the chance that a free choice is drawn at random
    instead of being taken from the form's examples.
    """

    database: Database
    clock: SetClock
    random: random.Random
    latest: datetime | None = None
    boldness: float = 0.5
    messages: float = 0.08
    visited: set[str] = field(default_factory=set)

    def start(self, process: str, scenarios: Sequence[Scenario] = (), actor: str | None = None) -> str:
        """Start a case as ``actor`` or anybody who may, answering as one of these worked cases does, or by example."""
        given: Mapping[str, Any] = {}
        if scenarios:
            worked = self.random.choice(scenarios)
            later = self.clock.instant.astimezone(BEIJING).date() - worked.now.date()
            given = {code: moved(value, later) for code, value in (worked.course.start.get("with") or {}).items()}
        with self.database.look(SYSTEM) as work:
            _, item = starting.begin(work, process, rehearse=True)
            actor = actor or self.random.choice(self._holders(work, unbar(item["roles"])))
        with self.database.look(actor) as work:
            desk, item = starting.begin(work, process, rehearse=True)
            answer = filled(desk, item, {**given, **(self._own_title(desk) if scenarios else {})})
        with cases.acting(self.database, actor) as work:
            return cases.start(work, process, answer)

    def _own_title(self, desk: Desk) -> dict[str, str]:
        """A title of its own for the case, where a field gives the title: the same thing twice may be refused."""
        source = desk.deployed.diagram.process.policy.get("case-title", "None")
        form = desk.deployed.form(desk.deployed.process, next(iter(desk.instance.opened.values())).element.id)
        named = compile_expression(source).names
        return {
            field.code: f"{self.random.choice(SUBJECTS)} {self.random.randrange(10**6):06d}"
            for field in form.fields
            if field.code in named and field.kind == "text" and field.pattern is None
        }

    def walk(self, case: str, steps: int) -> str:
        """Up to so many acts on a case; gives its status. What cannot be done today is tried once more tomorrow."""
        tomorrow = False
        for _ in range(steps):
            with self.database.look(SYSTEM) as work:
                if inbox.case(work, case)["status"] != "open":
                    return "closed"
                items = [row for row in inbox.items_of(work, case) if row["closed_at"] is None]
            moves: list[Callable[[], bool]] = [lambda item=item: self._answer(item) for item in items]  # type: ignore[misc]
            self.random.shuffle(moves)
            others = [lambda: self._send(case), lambda: self._pass_time(case)]
            self.random.shuffle(others)
            moves = others + moves if self.random.random() < self.messages else moves + others
            if any(move() for move in moves):
                tomorrow = False
            elif tomorrow or not self._wait(timedelta(days=1)):
                return "waiting"
            else:
                tomorrow = True
        return "open"

    @staticmethod
    def _holders(work: Work, roles: Sequence[str]) -> list[str]:
        query = select(Person.id).join(PersonRole, PersonRole.person == Person.id).where(PersonRole.role.in_(roles))
        return sorted(work.db.execute(query).scalars())

    def _able(self, desk: Desk, item: Item) -> list[str]:
        """Everybody who may do this item now."""
        people = unbar(item["assignees"]) or self._holders(desk.work, unbar(item["roles"]))
        at = door(desk, item)
        return [person for person in dict.fromkeys(people) if not judge(standing(desk.work, person), at).reasons]

    def _answer(self, item: Item) -> bool:
        """Answer a work item: boldly, and if the form refuses that, more and more as the examples say."""
        self.visited.add(item["element"])
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            with self.database.look(SYSTEM) as work:
                row = inbox.task(work, item["id"])
                desk = Desk.thawed(work, inbox.case(work, item["case"]))
                able = self._able(desk, row)
            if row["closed_at"] is not None or not able:
                return False
            actor = self.random.choice(able)
            with self.database.look(actor) as work:
                desk = Desk.thawed(work, inbox.case(work, item["case"]))
                form = desk.deployed.form(row["process"], row["element"])
                answer = filled(desk, row, {} if last else self._choices(form), fresh=last)
            try:
                with cases.acting(self.database, actor) as work:
                    cases.complete(work, item["id"], answer)
            except Invalid:
                continue
            return True
        return False

    def _choices(self, form: Form) -> dict[str, Any]:
        """Some of the form's free choices drawn at random."""
        drawn: dict[str, Any] = {}
        for each in form.fields:
            if each.compute is not None or self.random.random() > self.boldness:
                continue
            if each.kind == "choice" and each.options:
                drawn[each.code] = self.random.choice(each.options).code
            elif each.kind == "yes_no":
                drawn[each.code] = self.random.random() < 0.6
            elif each.kind == "money":
                drawn[each.code] = self.random.choice(AMOUNTS)
            elif each.kind == "decimal":
                drawn[each.code] = yuan(self.random.choice(AMOUNTS)).replace(",", "")
        return drawn

    def _send(self, case: str) -> bool:
        """Send one of the messages the case awaits, as somebody who may."""
        with self.database.look(SYSTEM) as work:
            desk = Desk.thawed(work, inbox.case(work, case))
            awaited = [each for each in desk.instance.waiting() if each.due is None]
            self.random.shuffle(awaited)
            for event in awaited:
                allowed = cases.senders(desk, event)
                people = self._senders(work, allowed)
                if people and event.element.event and event.element.event.name:
                    return self._send_as(self.random.choice(people), case, event.element.event.name, event.token)
        return False

    def _senders(self, work: Work, allowed: frozenset[str]) -> list[str]:
        """Everybody who may send a message that these may send."""
        if ANYONE in allowed:
            return sorted(work.db.execute(select(Person.id).where(Person.active)).scalars())
        people = [each for each in allowed if each.startswith("p-")] or self._holders(work, sorted(allowed))
        return [each for each in people if each in allowed or allowed & standing(work, each).roles]

    def _send_as(self, actor: str, case: str, message: str, token: int) -> bool:
        with self.database.look(actor) as work:
            desk = Desk.thawed(work, inbox.case(work, case))
            waiting = next(each for each in desk.instance.waiting() if each.token == token)
            answer: Mapping[str, Any] = {}
            if waiting.element.policy.get("form"):
                form = desk.deployed.form(waiting.process, waiting.element.id)
                answer = filled_message(desk, form, token, {})
        try:
            with cases.acting(self.database, actor) as work:
                cases.send(work, case, message, answer)
        except (Invalid, NotYours, WrongState):
            return False
        return True

    def _pass_time(self, case: str) -> bool:
        """Let the clock go on to the next timer of this case, if that is not too late, and fire what is due."""
        with self.database.look(SYSTEM) as work:
            query = select(Timer.due).where(Timer.case == case).order_by(Timer.due).limit(1)
            due = work.db.execute(query).scalar_one_or_none()
        if due is None or (self.latest is not None and due > self.latest):
            return False
        self.clock.instant = max(self.clock.instant, due)
        return run_due(self.database) > 0

    def rest(self) -> None:
        """Some hours go by between two acts."""
        self._wait(timedelta(minutes=self.random.randrange(5, 600)))

    def _wait(self, period: timedelta) -> bool:
        """Let this much time go by, unless that would be too late."""
        later = self.clock.instant + period
        if self.latest is not None and later >= self.latest:
            return False
        self.clock.instant = later
        return True
