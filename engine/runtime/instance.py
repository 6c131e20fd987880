"""A running case in memory: thawed from text, moved one step, frozen again. Every change of a case is made here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.errors import Incident
from engine.runtime import events, gateways, specs, throwing
from engine.runtime.builder import Model
from engine.runtime.happenings import Host, Waiting
from engine.runtime.scopes import CASE, Names, Scopes
from engine.runtime.tree import Tree
from forms.values import PersonRef, Value, from_json, to_json

MOST_AUTOMATIC_STEPS = 10_000


class Instance(Tree):
    """The tree of live tasks of one case, its variables, and what happened since it was thawed."""

    # From nothing, from text, to text.

    @classmethod
    def started(cls, model: Model, host: Host, values: Mapping[str, Value]) -> Instance:
        """A new case with these variables, begun at its plain start event and run to its first wait."""
        instance = cls.begun(model, host, model.processes[model.main].start_of(model.main).element.id, values)
        instance.run()
        return instance

    @classmethod
    def begun(cls, model: Model, host: Host, start: str, values: Mapping[str, Value] | None = None) -> Instance:
        """A new case whose token stands at this start event and goes nowhere yet."""
        instance = cls(model, host)
        instance.scopes.write(CASE, values or {})
        instance.task_tree = instance.begin(model.root, None, {"scope": CASE}, TaskState.STARTED)
        model.processes[model.main].arm_event_subprocesses(model.main, instance.task_tree)
        instance.begin(model.processes[model.main].nodes[start], instance.task_tree)
        return instance

    @property
    def start(self) -> Task:
        """The token of a case that was just begun."""
        return next(task for task in self.tasks.values() if isinstance(task.task_spec, specs.Start))

    def set_out(
        self,
        kind: str,
        about: Mapping[str, Value],
        values: Mapping[str, Value] | None = None,
        left: Mapping[str, Value] | None = None,
        by: list[str] | None = None,
    ) -> None:
        """What a begun case was waiting for has come: it is told as an event of this kind, and the case runs.

        ``values`` are what a message brought, ``left`` what its form tells of facts, ``by`` the ids of who sent it.
        """
        task = self.start
        if values is not None:
            self._count(f"{self.model.main}/{task.task_spec.element.id}", by or [])
            self.write(task, {**values, task.task_spec.element.id: dict(values)})
        self.passed(kind, task, about, left)
        if task not in self.queue:
            self.queue.append(task)
        self.run()

    @classmethod
    def thawed(cls, model: Model, host: Host, state: str, scopes: str) -> Instance:
        """The case whose ``frozen`` texts these are."""
        instance = cls(model, host)
        kept, variables = from_json(state), from_json(scopes)
        assert isinstance(kept, dict)
        assert isinstance(variables, list)
        instance.scopes = Scopes.thawed(variables)
        rows, acts, last = kept["tasks"], kept["acts"], kept["last"]
        assert isinstance(rows, list)
        assert isinstance(acts, dict)
        assert isinstance(last, int)
        instance.acts, instance.last_id, instance.outcome = acts, last, kept["outcome"]
        for row in rows:
            assert isinstance(row, list)
            number, process, name, stage, parent, data = row
            assert isinstance(number, int)
            assert isinstance(stage, int)
            node = model.root if process is None else model.processes[str(process)].nodes[str(name)]
            task = Task(instance, node, instance.tasks.get(parent), stage, id=number)
            task.internal_data = data
            if stage == TaskState.WAITING and node.element.event and node.element.event.kind == "conditional":
                instance.conditions[number] = task
            if parent is None:
                instance.task_tree = task
        return instance

    def frozen(self) -> tuple[str, str]:
        """State and variables as two texts. Only live tasks are in it: its size is bounded by the diagram.

        The state is ``{last, outcome, acts, tasks}``: the last number given, how the case ended, how often each element
        was completed (``process/element``) and by whom in its last round (``…/by``), and a row ``[number, process,
        name, state, parent, data]`` for each task, the root first. ``data`` holds, where they apply, ``scope`` (its own
        variables) and ``inside`` (those it gives to what is in it), ``joins`` (tokens by join and flow), ``outcome``;
        of events ``due``, ``since`` and ``times`` (a cycle; ``before``: of these, those before ``since``), ``key``
        (correlation), ``held`` (a condition that was met and has not ceased to hold since); ``idle`` (timers beside it
        that had no instant), ``left`` (members still to come), ``done`` (times of a standard loop) and ``flow`` (where
        a token stands still).
        """
        rows: list[Value] = []
        for task in self.tasks.values():
            if task.data:
                raise AssertionError("task data stays empty: variables live in scopes")
            node = task.task_spec
            parent = task._parent
            process = None if node is self.model.root else node.model.id
            rows.append([task.id, process, node.name, int(task.state), parent, task.internal_data])
        kept: Value = {"last": self.last_id, "outcome": self.outcome, "acts": self.acts, "tasks": rows}
        return to_json(kept), to_json(self.scopes.frozen())

    # What the engine asks for.

    @property
    def ended(self) -> bool:
        """Whether the case is over: at an end event, or abandoned."""
        return self.task_tree.has_state(TaskState.FINISHED_MASK)

    def items(self) -> Iterator[Task]:
        """The user tasks that wait for a person."""
        return (task for task in self.tasks.values() if task.task_spec.manual and task.state == TaskState.READY)

    def waiting(self) -> list[Waiting]:
        """Timers and messages the case waits for, oldest first."""
        found = []
        for task in self.tasks.values():
            node = task.task_spec
            if (
                task.state == TaskState.WAITING
                and isinstance(node, events.Catch)
                and node.event.kind in ("timer", "message")
            ):
                due, key = task.internal_data.get("due"), task.internal_data.get("key")
                moment = datetime.fromisoformat(due) if isinstance(due, str) else None
                found.append(Waiting(task.id, node.model.id, node.element, moment, key))
        return found

    def listening(self) -> dict[int, tuple[int, str]]:
        """The events that wait for a signal, by token: the token each began to wait as, and the signal's name."""
        return {
            task.id: (task.internal_data.get("first", task.id), str(task.task_spec.event.name))
            for task in self.tasks.values()
            if task.state == TaskState.WAITING
            and isinstance(task.task_spec, events.Catch)
            and task.task_spec.event.kind == "signal"
        }

    def live(self, token: int) -> Task | None:
        """The task of this number if it is alive and a person or event may still act on it."""
        task = self.tasks.get(token)
        return task if task is not None and task.state in (TaskState.READY, TaskState.WAITING) else None

    def names(self, token: int) -> Names:
        """The variables that an expression at this task can read."""
        return self.scopes.names(self.scope(self.tasks[token]), self.host.given)

    def complete(self, token: int, answers: Mapping[str, Value], by: list[str]) -> None:
        """Complete a user task with checked answers and run on to the next wait; ``by`` are ids of people."""
        task = self.live(token)
        if task is None or not task.task_spec.manual:
            raise AssertionError(f"task {token} is not open")
        element = task.task_spec.element.id
        self.write(task, {**answers, element: dict(answers)})
        self._count(f"{task.task_spec.model.id}/{element}", by)
        self.closed[token] = "completed"
        task.run()
        self.run()

    def fire(
        self,
        token: int,
        values: Mapping[str, Value] | None = None,
        left: Mapping[str, Value] | None = None,
        by: list[str] | None = None,
    ) -> None:
        """Let a waiting event happen: a timer that is due, a message that was sent with these values.

        ``left`` is what the form of the message tells of facts, ``by`` are the ids of those who sent it.
        """
        task = self.live(token)
        if task is None or task.state != TaskState.WAITING:
            raise AssertionError(f"event {token} is not waiting")
        node = task.task_spec
        if node.event.kind == "timer":
            self.passed("timer.fired", task, {"token": token, "due": task.internal_data["due"]})
            self.occur(task)
        else:
            self._count(f"{node.model.id}/{node.element.id}", by or [])
            self.receive(task, values or {}, left)
        self.run()

    def announce(self, signal: str) -> None:
        """A signal from outside comes to whatever waits for it, and the case runs on."""
        self.broadcast(signal)
        self.run()

    def rounds(self, element: str) -> int:
        """How often this element has been completed in this case (called processes by ``process/element``)."""
        count = self.acts.get(self._key(element), 0)
        return count if isinstance(count, int) else 0

    def acted(self, element: str) -> list[Value]:
        """Who completed this element in its last round."""
        people = self.acts.get(f"{self._key(element)}/by", [])
        return [PersonRef(str(person)) for person in people] if isinstance(people, list) else []

    def _key(self, element: str) -> str:
        return element if "/" in element else f"{self.model.main}/{element}"

    def _count(self, key: str, by: list[str]) -> None:
        count, people = self.acts.get(key, 0), self.acts.get(f"{key}/by", [])
        assert isinstance(count, int)
        assert isinstance(people, list)
        self.acts[key] = count + 1
        self.acts[f"{key}/by"] = [*(person for person in people if person not in by), *by]

    # As a whole.

    def held(self) -> list[str]:
        """The flows on which tokens stand still because of an incident."""
        return [task.internal_data["flow"] for task in self.tasks.values() if isinstance(task.task_spec, specs.Held)]

    def release(self) -> None:
        """Let the tokens that stand still go on, and run to the next wait."""
        for task in [each for each in self.tasks.values() if isinstance(each.task_spec, specs.Held)]:
            container, flow = task.parent, task.task_spec.model.diagram.flows[task.internal_data["flow"]]
            self.drop(task)
            self.follow((flow,), container)
        self.run()

    def abandon(self, outcome: str) -> None:
        """End the case where it stands; what was open is cancelled."""
        for child in list(self.task_tree.children):
            self.cancel(child)
        self.outcome = outcome
        self.task_tree._set_state(TaskState.CANCELLED)

    # Events that happen inside the case.

    def occur(self, task: Task) -> None:
        """What waits happens, at once."""
        task._set_state(TaskState.READY)
        task.run()

    def receive(self, task: Task, values: Mapping[str, Value], left: Mapping[str, Value] | None = None) -> None:
        """A message comes to an event that waits for it, with these values."""
        node = task.task_spec
        self.write(task, {**values, node.element.id: dict(values)})
        self.passed("message.received", task, {"message": node.event.name}, left)
        self.occur(task)

    def broadcast(self, signal: str) -> None:
        """A signal comes to everything in the case that waits for it now."""
        for task in list(throwing.awaiting(self.tasks, "signal", signal)):
            if self.tasks.get(task.id) is task and task.state == TaskState.WAITING:
                self.passed("signal.caught", task, {"signal": signal})
                self.occur(task)

    def hear(self, signal: str, first: int, source: str | None) -> None:
        """A signal of another case, or from outside (None), comes to the event that began to wait as this token."""
        for token in [token for token, heard in self.listening().items() if heard == (first, signal)]:
            task = self.tasks[token]
            self.passed("signal.caught", task, {"signal": signal, "source": source})
            self.occur(task)
        self.run()

    def _meet_conditions(self) -> None:
        """Look again at every condition that is waited for; one that does not interrupt must first cease to hold."""
        if self.holding:
            return
        for task in list(self.conditions.values()):
            if self.tasks.get(task.id) is not task or task.state != TaskState.WAITING:
                continue
            node = task.task_spec
            try:
                holds = node.holds(task)
            except Incident as incident:
                incident.about.setdefault("element", node.element.id)
                raise
            if not holds:
                task.internal_data.pop("held", None)
            elif "held" not in task.internal_data:
                about: dict[str, Value] = {"expression": node.event.expression}
                self.passed("condition.met", task, {**about, "values": self.read(task, node.condition)})
                self.occur(task)

    # The loop.

    def run(self) -> None:
        """Run automatic steps until only people, timers and messages can move the case."""
        steps = 0
        while True:
            self._meet_conditions()
            while self.queue:
                task = self.queue.popleft()
                if self.tasks.get(task.id) is task and task.state == TaskState.READY:
                    self._act(task)
                    steps += 1
                    if steps > MOST_AUTOMATIC_STEPS:
                        at = task.task_spec.element.id
                        raise Incident(
                            f"流程连续自动执行了 {MOST_AUTOMATIC_STEPS} 步仍未停下（最后在 {at}）："
                            "图中有一个没有等待的循环",
                            f"the process ran {MOST_AUTOMATIC_STEPS} automatic steps without a wait, the last at {at}: "
                            "the diagram has a loop without one",
                        )
                self._meet_conditions()
            if not (self._finish_scopes() or self.settle_inclusive()):
                break
        self._refuse_stuck()

    def _act(self, task: Task) -> None:
        node = task.task_spec
        if node.skippable and node.element.id in self.skipped:
            self.tell("step.skipped", node, self._lacking(task))
            task.complete()
            return
        try:
            task.run()
        except Incident as incident:
            incident.about.setdefault("element", node.element.id)
            raise

    def _lacking(self, task: Task) -> dict[str, Value]:
        """The facts that a step which two people skip does not leave; one given by an expression it does not know."""
        declared = task.task_spec.facts
        missing: list[Value] = list(declared.hard)
        gaps: list[Value] = [code for code in declared.soft if code not in declared.hard]
        return {name: codes for name, codes in (("missing", missing), ("gaps", gaps)) if codes}

    def settle_inclusive(self) -> bool:
        """Look again at inclusive joins that hold tokens, where any have moved, now that nothing moves by itself."""
        for number in sorted(self.touched):
            task = self.tasks.get(number)
            for join in task.internal_data.get("joins", {}) if task is not None else ():
                node = self.node_in(task, join)
                if isinstance(node, gateways.Inclusive) and node.settle(task):
                    return True
        return False

    def _finish_scopes(self) -> bool:
        """Complete the scopes in which no token is left."""
        finished = False
        for number in sorted(self.touched, reverse=True):
            scope = self.tasks.get(number)
            if scope is None or scope.state != TaskState.STARTED or scope.internal_data.get("joins"):
                continue
            if self._is_empty(scope):
                scope._ready()
                finished = True
        return finished

    def _refuse_stuck(self) -> None:
        """A scope whose only tokens wait at joins would never end: that is an incident naming the joins."""
        for number in self.touched:
            scope = self.tasks.get(number)
            if scope is not None and scope.internal_data.get("joins") and self._is_empty(scope):
                names = ", ".join(scope.internal_data["joins"])
                raise Incident(
                    f"汇聚网关 {names} 永远等不到其余分支：图中有一条分支绕过了它",
                    f"the join {names} would wait for ever: a branch of the diagram goes around it",
                )
        self.touched.clear()

    @staticmethod
    def _is_empty(scope: Task) -> bool:
        return all(isinstance(child.task_spec, events.Armed) for child in scope.children)
