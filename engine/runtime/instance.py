"""A running case in memory: thawed from text, moved one step, frozen again. Every change of a case is made here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from bpmn.diagram import Flow
from engine.errors import Incident
from engine.runtime import activities, events, gateways, specs, throwing
from engine.runtime.builder import HELD, Model
from engine.runtime.happenings import Happening, Host, Waiting, WorkItem
from engine.runtime.scopes import CASE, Names, Scopes
from forms.expressions import Expression, ExpressionError
from forms.values import PersonRef, Value, from_json, to_json

MOST_AUTOMATIC_STEPS = 10_000


class Instance(Workflow):
    """The tree of live tasks of one case, its variables, and what happened since it was thawed."""

    def __init__(self, model: Model, host: Host) -> None:
        super().__init__(model.spec, deserializing=True)
        self.model, self.host = model, host
        self.scopes = Scopes()
        self.acts: dict[str, Value] = {}
        self.outcome: Value = None
        self.last_id = 0
        self.queue: deque[Task] = deque()
        self.touched: set[int] = set()
        self.happenings: list[Happening] = []
        self.opened: dict[int, WorkItem] = {}
        self.closed: dict[int, str] = {}
        self.conditions: dict[int, Task] = {}
        self.holding = False
        self.skipped: frozenset[str] = frozenset()

    # From nothing, from text, to text.

    @classmethod
    def started(cls, model: Model, host: Host, values: Mapping[str, Value]) -> Instance:
        """A new case with these variables, run to its first wait."""
        instance = cls(model, host)
        instance.scopes.write(CASE, values)
        instance.task_tree = instance.begin(model.root, None, {"scope": CASE}, TaskState.STARTED)
        model.processes[model.main].arm_event_subprocesses(model.main, instance.task_tree)
        instance.begin(model.processes[model.main].start_of(model.main), instance.task_tree)
        instance.run()
        return instance

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
        """State and variables as two texts. Only live tasks are in it: its size is bounded by the diagram."""
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

    def fire(self, token: int, values: Mapping[str, Value] | None = None) -> None:
        """Let a waiting event happen: a timer that is due, a message that was sent with these values."""
        task = self.live(token)
        if task is None or task.state != TaskState.WAITING:
            raise AssertionError(f"event {token} is not waiting")
        node = task.task_spec
        if node.event.kind == "timer":
            self.tell("timer.fired", node, {"due": task.internal_data["due"]})
            self.occur(task)
        else:
            self.receive(task, values or {})
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

    # What the specs ask for.

    def value(self, task: Task, expression: Expression, scope: int | None = None) -> Value:
        """Evaluate an expression where this task stands (or in this scope): a failure is an incident at its element."""
        names = self.scopes.names(scope or self.scope(task), self.host.given)
        try:
            return expression.value(names, self.host.functions)  # type: ignore[arg-type]
        except ExpressionError as error:
            element = task.task_spec.element
            raise Incident(
                f"“{element.name}”（{element.id}）的表达式“{expression.source}”无法计算：{error.text.zh}",
                f"the expression {expression.source!r} of {element.id} cannot be evaluated: {error.text.en}",
            ) from error

    def holds(self, task: Task, expression: Expression, scope: int | None = None) -> bool:
        """Evaluate a condition; what is neither true nor false is an incident naming the element."""
        value = self.value(task, expression, scope)
        if isinstance(value, bool):
            return value
        element = task.task_spec.element
        raise Incident(
            f"“{element.name}”（{element.id}）的条件“{expression.source}”应得到真或假，实际为 {value!r}",
            f"the condition {expression.source!r} of {element.id} must be true or false, but is {value!r}",
        )

    def read(self, task: Task, expression: Expression) -> dict[str, Value]:
        """What an expression reads, by name (``form.field`` for a subscript), as it stands: for the trail."""
        names = self.scopes.names(self.scope(task), self.host.given)
        found: dict[str, Value] = {}
        for name, key in sorted(expression.paths, key=str):
            whole = names.get(name)
            if key is None and name in names and name not in self.host.given:
                found[name] = whole
            elif key is not None and isinstance(whole, dict) and key in whole:
                found[f"{name}.{key}"] = whole[key]
        return found

    def surroundings(self, task: Task) -> Iterator[Task]:
        """What a task lies in, from the inside outwards."""
        place = task.parent
        while place is not None:
            yield place
            place = place.parent

    def forget_doers(self, node: specs.Node, besides: Task) -> None:
        """A new round of a user task begins: who did it before no longer counts, unless somebody is still at it."""
        alive = (each for each in self.tasks.values() if each is not besides)
        if not any(each.task_spec.element is node.element for each in alive):
            self.acts.pop(f"{node.model.id}/{node.element.id}/by", None)

    def person(self, name: str) -> str:
        """The id of the person a given name stands for."""
        person = self.host.given[name]
        assert isinstance(person, PersonRef)
        return person.id

    def write(self, task: Task, values: Mapping[str, Value]) -> None:
        """Write variables into the task's own scope."""
        self.scopes.write(self.scope(task), values)

    def scope(self, task: Task) -> int:
        """The number of the scope a task reads and writes: its own, or the one its nearest surroundings give.

        ``scope`` is a task's own (the case, a child of a multi-instance activity), ``inside`` what it gives to those
        in it (a called process, a multi-instance activity). A boundary event stands outside its host.
        """
        place = task.parent if isinstance(task.task_spec, events.Boundary) else task
        while "scope" not in place.internal_data:
            place = place.parent
            if "inside" in place.internal_data:
                return int(place.internal_data["inside"])
        return int(place.internal_data["scope"])

    def container(self, task: Task) -> Task:
        """The scope task whose flows this task's token moves along."""
        place = task.parent
        while not isinstance(place.task_spec, activities.Scope):
            place = place.parent
        return place

    def places(self, container: Task, besides: str) -> Iterator[str]:
        """The elements of a scope where tokens are: live tasks, and joins where some wait (but not at ``besides``)."""
        for child in container.children:
            if isinstance(child.task_spec, specs.Held):
                yield child.task_spec.model.diagram.flows[child.internal_data["flow"]].source
            elif not isinstance(child.task_spec, events.Armed):
                yield child.task_spec.element.id
        for join in container.internal_data.get("joins", {}):
            if join != besides:
                yield join

    def tell(self, kind: str, node: specs.Node, about: Mapping[str, Value]) -> None:
        """Keep one thing that happened, for the trail."""
        self.happenings.append(Happening(kind, node.element.id, node.model.id, dict(about)))

    def open_item(self, task: Task, item: WorkItem) -> None:
        """A work item has come into being."""
        self.opened[task.id] = item
        roles: list[Value] = list(item.roles)
        assignees: list[Value] = list(item.assignees)
        about: dict[str, Value] = {"token": item.token, "roles": roles, "assignees": assignees, "due": item.due}
        self.tell("task.opened", task.task_spec, about)

    def begin(
        self, node: specs.Node, parent: Task | None, data: dict[str, Value] | None = None, state: int = TaskState.FUTURE
    ) -> Task:
        """A new task of this spec inside ``parent``; it is asked at once what it wants to do."""
        self.last_id += 1
        task = Task(self, node, parent, state, id=self.last_id)
        task.internal_data = data or {}
        if state == TaskState.FUTURE:
            try:
                node._update(task)
            except Incident as incident:
                incident.about.setdefault("element", node.element.id)
                raise
        return task

    def leave(self, task: Task, flows: tuple[Flow, ...]) -> None:
        """A token goes: its task is removed and its scope receives the tokens that follow."""
        container = self.container(task)
        self.drop(task)
        self.follow(flows, container)

    def follow(self, flows: tuple[Flow, ...], container: Task) -> None:
        """Tokens on these flows arrive at their targets."""
        self.touched.add(container.id)
        for flow in flows:
            if self.holding:
                held = self.node_in(container, HELD)
                self.begin(held, container, {"flow": flow.id}, TaskState.STARTED)
            else:
                self.node_in(container, flow.target).receive(flow, container)

    def node_in(self, container: Task, name: str) -> specs.Node:
        """The spec of an element inside this scope: for a call activity, of the process called."""
        node = container.task_spec
        home = self.model.processes[node.element.called or ""] if isinstance(node, activities.Call) else node.model
        return home.nodes[name]

    def drop(self, task: Task) -> None:
        """Take a task and all inside it out of the tree."""
        for child in list(task.children):
            self.drop(child)
        for table in ("inside", "scope"):
            if table in task.internal_data:
                self.scopes.close(int(task.internal_data[table]))
        if task.parent is not None:
            task.parent._children.remove(task.id)
        self.tasks.pop(task.id)
        self.conditions.pop(task.id, None)

    def cancel(self, task: Task) -> None:
        """An activity is interrupted: its open work items close unfinished, and it goes with all inside it."""
        self.touched.add(self.container(task).id)
        for inner in self._inside(task):
            if inner.task_spec.manual and inner.state == TaskState.READY:
                self.opened.pop(inner.id, None)
                self.closed[inner.id] = "cancelled"
                self.tell("task.cancelled", inner.task_spec, {"token": inner.id})
            inner._set_state(TaskState.CANCELLED)
        self.drop(task)

    def _inside(self, task: Task) -> Iterator[Task]:
        yield task
        for child in task.children:
            yield from self._inside(child)

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

    def _task_completed_notify(self, task: Task) -> None:
        """Nothing: the library would look through the whole tree here after every task."""

    # Events that happen inside the case.

    def occur(self, task: Task) -> None:
        """What waits happens, at once."""
        task._set_state(TaskState.READY)
        task.run()

    def receive(self, task: Task, values: Mapping[str, Value]) -> None:
        """A message comes to an event that waits for it, with these values."""
        node = task.task_spec
        self.write(task, {**values, node.element.id: dict(values)})
        self.tell("message.received", node, {"message": node.event.name})
        self.occur(task)

    def broadcast(self, signal: str) -> None:
        """A signal comes to everything in the case that waits for it now."""
        for task in list(throwing.awaiting(self.tasks, "signal", signal)):
            if self.tasks.get(task.id) is task and task.state == TaskState.WAITING:
                self.tell("signal.caught", task.task_spec, {"signal": signal})
                self.occur(task)

    def _meet_conditions(self) -> None:
        """Look again at every condition that is waited for; one that does not interrupt must first cease to hold."""
        if self.holding:
            return
        for task in list(self.conditions.values()):
            if self.tasks.get(task.id) is not task or task.state != TaskState.WAITING:
                continue
            node = task.task_spec
            if not node.holds(task):
                task.internal_data.pop("held", None)
            elif "held" not in task.internal_data:
                about: dict[str, Value] = {"expression": node.event.expression}
                self.tell("condition.met", node, {**about, "values": self.read(task, node.condition)})
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
            if not (self._finish_scopes() or self._settle_inclusive()):
                break
        self._refuse_stuck()

    def _act(self, task: Task) -> None:
        node = task.task_spec
        if node.skippable and node.element.id in self.skipped:
            self.tell("step.skipped", node, {})
            task.complete()
            return
        try:
            task.run()
        except Incident as incident:
            incident.about.setdefault("element", node.element.id)
            raise

    def _settle_inclusive(self) -> bool:
        """Look again at inclusive joins that hold tokens, now that nothing moves by itself."""
        for task in self.tasks.values():
            for join in task.internal_data.get("joins", {}):
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
