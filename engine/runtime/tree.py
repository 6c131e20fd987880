"""The tasks of a running case: what each can read and write, where they lie, and how tokens move among them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping

from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from bpmn.diagram import Flow
from bpmn.facts import Declared
from engine.errors import Incident
from engine.runtime import activities, events, specs
from engine.runtime.builder import HELD, Model
from engine.runtime.happenings import Happening, Host, WorkItem
from engine.runtime.scopes import Scopes
from forms.expressions import Expression, ExpressionError
from forms.operators import kind_of
from forms.values import PersonRef, Value


def facts_told(declared: Declared, gaps: Collection[str] = (), apart: Collection[str] = ()) -> dict[str, Value]:
    """What an event says of the facts an element leaves: ``facts``, which of them are ``soft``, and the soft ``gaps``.

    ``apart`` are those that do not apply this time.
    """
    facts: list[Value] = [code for code in declared.codes if code not in {*gaps, *apart}]
    soft: list[Value] = [code for code in facts if code not in declared.hard]
    lacking: list[Value] = [code for code in declared.soft if code in gaps]
    return {name: codes for name, codes in (("facts", facts), ("soft", soft), ("gaps", lacking)) if codes}


class Tree(Workflow):
    """The live tasks of one case with its variables, as the specs see them."""

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

    # What can be read and written.

    def value(
        self,
        task: Task,
        expression: Expression,
        scope: int | None = None,
        names: Mapping[str, Value] | None = None,
    ) -> Value:
        """Evaluate an expression where this task stands (or in this scope, or with these names): a failure is an
        incident at its element.
        """
        names = names or self.scopes.names(scope or self.scope(task), self.host.given)
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
            f"“{element.name}”（{element.id}）的条件“{expression.source}”应得到真或假，实际为{kind_of(value).zh}",
            f"the condition {expression.source!r} of {element.id} must be true or false, but is {kind_of(value).en}",
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

    def applicant(self) -> list[str]:
        """The id of the applicant; of a case that nobody has begun to work at, there is none."""
        person = self.host.given["applicant"]
        return [person.id] if isinstance(person, PersonRef) else []

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

    def passed(
        self, kind: str, task: Task, about: Mapping[str, Value], left: Mapping[str, Value] | None = None
    ) -> None:
        """An element was passed, which leaves its facts: those a form showed (``left``), else all it declares."""
        told = facts_told(task.task_spec.declares(task)) if left is None else left
        self.tell(kind, task.task_spec, {**about, **told})

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

    def _task_completed_notify(self, task: Task) -> None:
        """Nothing: the library would look through the whole tree here after every task."""
