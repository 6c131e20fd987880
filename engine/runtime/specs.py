"""One SpiffWorkflow task spec for each kind of BPMN element: what it does when a token comes, runs, and leaves.

A spec knows its element and nothing of a case; all it needs of the running case it finds in ``task.workflow``, an
``Instance``. A new kind of element is a new class here and a line in ``builder``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn.diagram import Element, Flow
from engine.errors import Incident
from engine.runtime.happenings import WorkItem
from forms.expressions import Assignment, Expression, compile_expression, compile_script
from forms.values import PersonRef, Value
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


def optional(source: str | None) -> Expression | None:
    """The compiled expression, or None where the diagram gives none."""
    return compile_expression(source) if source else None


def attribute(element: Element, name: str) -> Expression | tuple[str, ...]:
    """A policy attribute that is either ``=expression`` or a comma-separated list of words."""
    text = element.policy.get(name, "").strip()
    if text.startswith("="):
        return compile_expression(text[1:])
    return tuple(word.strip() for word in text.split(",") if word.strip())


class Node(BpmnSpecMixin):
    """An element that a token passes: it becomes ready at once, runs, and leaves by its flows."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name)
        self.element, self.model = element, model
        self.flows: tuple[Flow, ...] = tuple(model.diagram.flows[flow] for flow in element.outgoing)
        self.boundaries: list[Boundary] = []

    def test(self) -> None:
        """Nothing: what the library checks here at every step, the gate has proved before deployment."""

    def receive(self, flow: Flow, container: Task) -> None:
        """Take the token that arrives on a flow; a join counts instead."""
        container.workflow.begin(self, container)

    def _update_hook(self, task: Task) -> bool:
        return True

    def _on_ready_hook(self, task: Task) -> None:
        if not self.manual:
            task.workflow.queue.append(task)

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        """The flows the token leaves by."""
        return self.flows

    def _on_complete_hook(self, task: Task) -> None:
        parent = task.parent
        if isinstance(parent.task_spec, MultiInstance):
            parent.task_spec.child_done(parent, task)
        else:
            task.workflow.leave(task, self.chosen(task))

    def arm_boundaries(self, task: Task) -> None:
        """Set the boundary events of an activity waiting, as children of its task."""
        for boundary in self.boundaries:
            task.workflow.begin(boundary, task)


class Start(Node):
    """A start event: where the first token of a process or subprocess is born."""


class End(Node):
    """An end event: the token is gone, and the process or called process remembers the outcome."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.outcome = attribute(element, "outcome")
        self.terminates = element.event is not None and element.event.kind == "terminate"

    def _run_hook(self, task: Task) -> bool:
        instance, container = task.workflow, task.parent
        about: dict[str, Value] = {}
        if not isinstance(container.task_spec, Subprocess) or isinstance(container.task_spec, Call):
            said = self.outcome
            outcome = instance.value(task, said) if isinstance(said, Expression) else ",".join(said)
            container.internal_data["outcome"] = outcome
            about["outcome"] = outcome
        instance.tell("end.reached", self, about)
        if self.terminates:
            for other in [child for child in container.children if child is not task]:
                instance.cancel(other)
            container.internal_data.pop("joins", None)
        return True


class UserTask(Node):
    """A work item of a person. It stays ready until the engine completes it with a checked answer."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.manual = True
        self.roles = attribute(element, "role")
        self.assignee = attribute(element, "assignee")
        self.due = optional(element.policy.get("due"))
        self.excluded = optional(element.policy.get("excluded"))

    def _update_hook(self, task: Task) -> bool:
        self.arm_boundaries(task)
        instance = task.workflow
        if not isinstance(task.parent.task_spec, MultiInstance):
            instance.acts.pop(f"{self.model.id}/{self.element.id}/by", None)
        instance.open_item(task, self.work_item(task))
        return True

    def work_item(self, task: Task) -> WorkItem:
        """Who may do this task and by when, as the variables stand when it opens."""
        instance = task.workflow
        roles: list[str] = []
        said = self.roles
        for role in self._list(instance.value(task, said)) if isinstance(said, Expression) else said:
            roles.append(str(role))
        assignees: list[str] = []
        names = self.assignee
        if isinstance(names, Expression):
            for person in self._list(instance.value(task, names)):
                if not isinstance(person, PersonRef):
                    raise Incident(
                        f"“{self.element.name}”（{self.element.id}）的经办人应为人员，实际为 {person!r}",
                        f"the assignee of {self.element.id} must be a person, but is {person!r}",
                    )
                assignees.append(person.id)
        elif "applicant" in names:
            assignees.append(instance.person("applicant"))
        excluded = self._list(instance.value(task, self.excluded)) if self.excluded else []
        return WorkItem(
            token=task.id,
            process=self.model.id,
            element=self.element,
            roles=tuple(roles),
            assignees=tuple(assignees),
            excluded=tuple(dict.fromkeys(person.id for person in excluded if isinstance(person, PersonRef))),
            due=instance.value(task, self.due) if self.due else None,
        )

    @staticmethod
    def _list(value: Value) -> list[Value]:
        return value if isinstance(value, list) else [] if value is None else [value]


class Script(Node):
    """A script task: assignments in the one expression language, in order, into its own scope."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.assignments: tuple[Assignment, ...] = compile_script(element.script or "")

    def _run_hook(self, task: Task) -> bool:
        instance = task.workflow
        written: dict[str, Value] = {}
        for assignment in self.assignments:
            value = instance.value(task, assignment.expression)
            instance.write(task, {assignment.name: value})
            written[assignment.name] = value
        instance.tell("step.passed", self, {"written": written})
        return True


class Service(Node):
    """A service task: operations of the engine's closed list, in order."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.operations = [
            (each, {key: compile_expression(source) for key, source in each.parameters.items()})
            for each in element.operations
        ]

    def _run_hook(self, task: Task) -> bool:
        instance = task.workflow
        written: dict[str, Value] = {}
        for operation, parameters in self.operations:
            values = {key: instance.value(task, expression) for key, expression in parameters.items()}
            result = instance.host.operate(self.element, operation, values)
            if operation.into:
                instance.write(task, {operation.into: result})
                written[operation.into] = result
        names = [operation.name for operation, _ in self.operations]
        instance.tell("step.passed", self, {"operations": list(names), "written": written})
        return True


class Exclusive(Node):
    """Takes the first flow, in the order of the file, whose condition holds; else the default."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.conditions = [(flow, optional(flow.condition)) for flow in self.flows if flow.id != element.default]
        self.default = next((flow for flow in self.flows if flow.id == element.default), None)

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        return (self.decide(task, first=True)[0],)

    def decide(self, task: Task, *, first: bool) -> tuple[Flow, ...]:
        """The flows whose conditions hold (only the first, or all), else the default; told with what was read."""
        instance = task.workflow
        taken: list[Flow] = []
        tried: list[Value] = []
        read: dict[str, Value] = {}
        for flow, condition in self.conditions:
            holds = True if condition is None else instance.value(task, condition)
            if not isinstance(holds, bool):
                raise Incident(
                    f"流向 {flow.id} 的条件应得到真或假，实际为 {holds!r}",
                    f"the condition of flow {flow.id} must be true or false, but is {holds!r}",
                )
            if condition is not None:
                tried.append({"flow": flow.id, "expression": condition.source, "holds": holds})
                read.update(instance.read(task, condition))
            if holds:
                taken.append(flow)
                if first:
                    break
        if not taken and self.default is not None:
            taken.append(self.default)
        if not taken:
            raise Incident(
                f"网关“{self.element.name}”（{self.element.id}）没有一个条件成立，也没有默认流向",
                f"no condition of gateway {self.element.id} holds and it has no default flow",
            )
        if len(self.flows) > 1:
            ids: list[Value] = [flow.id for flow in taken]
            instance.tell("gateway.taken", self, {"taken": ids, "tried": tried, "values": read})
        return tuple(taken)


class Join(Node):
    """A gateway that may have several incoming flows: arrivals are counted in the scope, one token per flow."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.incoming = element.incoming

    def receive(self, flow: Flow, container: Task) -> None:
        tokens = container.internal_data.setdefault("joins", {}).setdefault(self.name, {})
        tokens[flow.id] = tokens.get(flow.id, 0) + 1
        self.look(container)

    def look(self, container: Task) -> bool:
        """Fire if every incoming flow has a token; consumes exactly one of each."""
        tokens = container.internal_data.get("joins", {}).get(self.name, {})
        if all(tokens.get(flow, 0) > 0 for flow in self.incoming):
            self.fire(container, self.incoming)
            return True
        return False

    def fire(self, container: Task, flows: tuple[str, ...]) -> None:
        """Consume one token of each of these flows and let one go on."""
        joins = container.internal_data["joins"]
        tokens = joins[self.name]
        for flow in flows:
            tokens[flow] -= 1
            if not tokens[flow]:
                del tokens[flow]
        if not tokens:
            del joins[self.name]
        container.workflow.begin(self, container)


class Parallel(Join):
    """An AND gateway: waits for one token on each incoming flow, leaves by all outgoing ones."""


class Inclusive(Join, Exclusive):
    """An OR gateway: leaves by every flow whose condition holds; waits while a token elsewhere may still come."""

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        return self.decide(task, first=False)

    def look(self, container: Task) -> bool:
        if len(self.incoming) == 1:
            self.fire(container, self.incoming)
            return True
        return False  # decided when nothing else moves by itself: see Instance.run

    def settle(self, container: Task) -> bool:
        """Fire unless a token elsewhere can reach an empty input without also reaching a filled one."""
        tokens = container.internal_data.get("joins", {}).get(self.name, {})
        if not tokens:
            return False
        reach = self.model.reaches(self.name)
        filled = [flow for flow in self.incoming if tokens.get(flow)]
        empty = [flow for flow in self.incoming if not tokens.get(flow)]
        for place in container.workflow.places(container, besides=self.name):
            if any(place in reach[flow] for flow in empty) and not any(place in reach[flow] for flow in filled):
                return False
        self.fire(container, tuple(filled))
        return True


class Catch(Node):
    """An event that waits: a timer until its instant, a message until somebody sends it."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        assert element.event is not None
        self.event = element.event
        self.timer: Expression | None = None
        if self.event.kind == "timer" and self.event.form == "date":
            self.timer = compile_expression(self.event.expression or "")

    def _update_hook(self, task: Task) -> bool:
        if self.event.kind == "timer":
            due = self.due(task)
            if due is None:
                raise Incident(
                    f"定时事件“{self.element.name}”（{self.element.id}）没有时刻，流程将永远等待",
                    f"the timer event {self.element.id} has no instant, so the case would wait for ever",
                )
            self.arm(task, due)
        task._set_state(TaskState.WAITING)
        return False

    def due(self, task: Task) -> str | None:
        """The instant (ISO, UTC) at which the timer falls due, computed once when waiting starts."""
        instance = task.workflow
        value = instance.value(task, self.timer) if self.timer else self.event.expression
        moment = instance.host.moment(self.event.form or "date", value)
        return moment.isoformat() if moment else None

    def arm(self, task: Task, due: str) -> None:
        """Remember the instant with the task, and tell it with what was read."""
        task.internal_data["due"] = due
        values = task.workflow.read(task, self.timer) if self.timer else {}
        about: dict[str, Value] = {"due": due, "expression": self.event.expression, "values": values}
        task.workflow.tell("timer.armed", self, about)

    def _on_complete_hook(self, task: Task) -> None:
        # A catch event behind an event-based gateway takes the whole gateway, with its rivals, along.
        token = task.parent if isinstance(task.parent.task_spec, EventGateway) else task
        task.workflow.leave(token, self.flows)


class Boundary(Catch):
    """An event on the border of an activity, waiting as a child of the activity's task."""

    def _update_hook(self, task: Task) -> bool:
        if self.event.kind == "timer":
            due = self.due(task)
            if due is None:
                task.workflow.drop(task)
                return False
            self.arm(task, due)
        task._set_state(TaskState.WAITING)
        return False

    def _on_complete_hook(self, task: Task) -> None:
        instance, host = task.workflow, task.parent
        container = instance.container(host)
        instance.drop(task)
        if self.element.interrupting:
            instance.cancel(host)
        elif self.event.kind == "message":
            instance.begin(self, host)
        instance.follow(self.flows, container)


class EventGateway(Node):
    """Waits for whichever of the events behind it comes first."""

    def _update_hook(self, task: Task) -> bool:
        for flow in self.flows:
            event = self.model.nodes[flow.target]
            assert isinstance(event, Catch)
            if event.event.kind == "timer" and event.due(task) is None:
                continue
            task.workflow.begin(event, task)
        task._set_state(TaskState.STARTED)
        return False


class Scope(Node):
    """Something tokens live in. It is finished when no token and no waiting join is left in it."""

    def _on_complete_hook(self, task: Task) -> None:
        self.outputs(task)
        super()._on_complete_hook(task)

    def outputs(self, task: Task) -> None:
        """Hand out what leaves the scope, before it is gone."""


class Root(Scope):
    """The process itself."""

    def _on_complete_hook(self, task: Task) -> None:
        task.workflow.end(task.internal_data.get("outcome"))


class Subprocess(Scope):
    """An embedded subprocess: drawing, not a scope of variables."""

    def _update_hook(self, task: Task) -> bool:
        self.arm_boundaries(task)
        task._set_state(TaskState.STARTED)
        task.workflow.begin(self.model.start_of(self.element.id), task)
        return False


class Call(Subprocess):
    """A call activity: a closed scope with its declared inputs, giving back its declared outputs."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.inputs = {key: compile_expression(source) for key, source in element.inputs.items()}
        self.results = {key: compile_expression(source) for key, source in element.outputs.items()}

    def _update_hook(self, task: Task) -> bool:
        instance = task.workflow
        self.arm_boundaries(task)
        values = {key: instance.value(task, expression) for key, expression in self.inputs.items()}
        task.internal_data["scope"] = instance.scopes.open(instance.scope(task), values, closed=True)
        task._set_state(TaskState.STARTED)
        called = instance.model.processes[self.element.called or ""]
        instance.tell("process.called", self, {"called": called.id})
        instance.begin(called.start_of(called.id), task)
        return False

    def outputs(self, task: Task) -> None:
        instance = task.workflow
        instance.write(task, {"outcome": task.internal_data.get("outcome")})
        values = {key: instance.value(task, expression) for key, expression in self.results.items()}
        instance.scopes.close(task.internal_data.pop("scope"))
        instance.write(task, values)


class MultiInstance(Node):
    """One child per member of a list: all at once, or one after the other."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        assert element.loop is not None
        self.loop = element.loop
        self.collection, self.cardinality = optional(self.loop.collection), optional(self.loop.cardinality)
        self.result, self.until = optional(self.loop.result), optional(self.loop.until)

    @property
    def each(self) -> Node:
        """The spec of one child."""
        return self.model.nodes[f"{self.element.id}#each"]

    def _update_hook(self, task: Task) -> bool:
        instance = task.workflow
        items = self.items(task)
        counts: dict[str, Value] = {"nrOfInstances": len(items), "nrOfCompletedInstances": 0, "nrOfActiveInstances": 0}
        if self.loop.output:
            counts[self.loop.output] = []
        task.internal_data["scope"] = instance.scopes.open(instance.scope(task), counts)
        instance.acts.pop(f"{self.model.id}/{self.element.id}/by", None)
        self.arm_boundaries(task)
        if not items:
            return True
        task._set_state(TaskState.STARTED)
        first = items[:1] if self.loop.sequential else items
        task.internal_data["left"] = items[1:] if self.loop.sequential else []
        instance.scopes.write(task.internal_data["scope"], {"nrOfActiveInstances": len(first)})
        for number, item in enumerate(first):
            self.begin_child(task, number, item)
        return False

    def items(self, task: Task) -> list[Value]:
        """The members to work through; a cardinality of n gives 0 … n-1."""
        value = task.workflow.value(task, self.collection or self.cardinality)
        if self.collection is None and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return list(range(value))
        if self.collection is not None and isinstance(value, list):
            return list(value)
        raise Incident(
            f"多实例“{self.element.name}”（{self.element.id}）需要列表或次数，实际为 {value!r}",
            f"the multi-instance activity {self.element.id} needs a list or a number, but got {value!r}",
        )

    def begin_child(self, task: Task, number: int, item: Value) -> None:
        """Open one child with a scope of its own."""
        instance = task.workflow
        values: dict[str, Value] = {"loopCounter": number}
        if self.loop.item:
            values[self.loop.item] = item
        inner = instance.scopes.open(task.internal_data["scope"], values)
        instance.begin(self.each, task, {"scope": inner})

    def child_done(self, task: Task, child: Task) -> None:
        """Collect a child's result, then go on, stop early, or finish."""
        instance, scope = task.workflow, task.internal_data["scope"]
        inner = instance.scopes.names(child.internal_data["scope"], instance.host.given)
        result = instance.value(child, self.result) if self.result else inner.get(self.element.id)
        outer = instance.scopes.table[scope].values
        if self.loop.output:
            outer[self.loop.output] = [*outer[self.loop.output], result]
        outer["nrOfCompletedInstances"] += 1
        outer["nrOfActiveInstances"] -= 1
        instance.drop(child)
        left: list[Value] = task.internal_data["left"]
        stop = self.until is not None and instance.value(task, self.until) is True
        if stop or not (left or outer["nrOfActiveInstances"]):
            for other in [each for each in task.children if not isinstance(each.task_spec, Boundary)]:
                instance.cancel(other)
            task._ready()
        elif left:
            outer["nrOfActiveInstances"] += 1
            task.internal_data["left"] = left[1:]
            self.begin_child(task, outer["nrOfCompletedInstances"], left[0])

    def _on_complete_hook(self, task: Task) -> None:
        instance, scope = task.workflow, task.internal_data["scope"]
        values = {self.loop.output: instance.scopes.table[scope].values[self.loop.output]} if self.loop.output else {}
        instance.scopes.close(task.internal_data.pop("scope"))
        instance.write(task, values)
        instance.leave(task, self.chosen(task))
