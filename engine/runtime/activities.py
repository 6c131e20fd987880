"""Activities that contain others: the process, subprocesses, calls, and one child for each member of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from bpmn.diagram import Element
from engine.errors import Incident
from engine.runtime.events import Armed
from engine.runtime.specs import Node, optional
from forms.expressions import compile_expression
from forms.operators import kind_of
from forms.values import Value

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


class Scope(Node):
    """Something tokens live in. It is finished when no token and no waiting join is left in it."""

    def _on_complete_hook(self, task: Task) -> None:
        self.hand_out(task)
        super()._on_complete_hook(task)

    def hand_out(self, task: Task) -> None:
        """Write around the scope what leaves it, before it is gone."""


class Root(Scope):
    """The process itself."""

    keeps_outcome = True

    def _on_complete_hook(self, task: Task) -> None:
        task.workflow.outcome = task.internal_data.get("outcome")
        for armed in list(task.children):
            task.workflow.drop(armed)


class Subprocess(Scope):
    """An embedded subprocess: drawing, not a scope of variables."""

    def _update_hook(self, task: Task) -> bool:
        self.arm_boundaries(task)
        task._set_state(TaskState.STARTED)
        self.model.arm_event_subprocesses(self.element.id, task)
        task.workflow.begin(self.model.start_of(self.element.id), task)
        return False


class EventSubprocess(Scope):
    """An event subprocess that has started: it lives beside the tokens of its scope, and leaves by no flow."""

    passes_outcome = True

    def _update_hook(self, task: Task) -> bool:
        task._set_state(TaskState.STARTED)
        self.model.arm_event_subprocesses(self.element.id, task)
        task.workflow.follow(self.model.start_of(self.element.id).flows, task)
        return False


class Call(Subprocess):
    """A call activity: a closed scope with its declared inputs, giving back its declared outputs."""

    keeps_outcome = True

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        # Not called inputs and outputs: these are the library's names for a spec's neighbours.
        self.taken_in = {key: compile_expression(source) for key, source in element.inputs.items()}
        self.given_out = {key: compile_expression(source) for key, source in element.outputs.items()}

    def _update_hook(self, task: Task) -> bool:
        instance = task.workflow
        self.arm_boundaries(task)
        values = {key: instance.value(task, expression) for key, expression in self.taken_in.items()}
        task.internal_data["inside"] = instance.scopes.open(instance.scope(task), values, closed=True)
        task._set_state(TaskState.STARTED)
        called = instance.model.processes[self.element.called or ""]
        instance.tell("process.called", self, {"called": called.id})
        called.arm_event_subprocesses(called.id, task)
        instance.begin(called.start_of(called.id), task)
        return False

    def hand_out(self, task: Task) -> None:
        """The declared outputs, which can also read the ``outcome`` of the end event that was reached."""
        instance, inside = task.workflow, task.internal_data["inside"]
        instance.scopes.write(inside, {"outcome": task.internal_data.get("outcome")})
        instance.write(task, {key: instance.value(task, each, inside) for key, each in self.given_out.items()})


class MultiInstance(Node):
    """One child per member of a list: all at once, or one after the other."""

    members = True

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
        first = items[:1] if self.loop.sequential else items
        counts: dict[str, Value] = {
            "nrOfInstances": len(items),
            "nrOfCompletedInstances": 0,
            "nrOfActiveInstances": len(first),
        }
        if self.loop.output:
            counts[self.loop.output] = []
        task.internal_data["inside"] = instance.scopes.open(instance.scope(task), counts)
        if not any(around.task_spec.members for around in instance.surroundings(task)):
            for node in self.model.inside(self.element.id, instance.model):
                instance.forget_doers(node, task)
        if not items:
            return True
        self.arm_boundaries(task)
        task._set_state(TaskState.STARTED)
        task.internal_data["left"] = items[len(first) :]
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
            f"多实例“{self.element.name}”（{self.element.id}）需要列表或次数，实际为{kind_of(value).zh}",
            f"the multi-instance activity {self.element.id} needs a list or a number, but got {kind_of(value).en}",
        )

    def begin_child(self, task: Task, number: int, item: Value) -> None:
        """Open one child with a scope of its own."""
        instance = task.workflow
        values: dict[str, Value] = {"loopCounter": number}
        if self.loop.item:
            values[self.loop.item] = item
        inner = instance.scopes.open(task.internal_data["inside"], values)
        instance.begin(self.each, task, {"scope": inner})

    def child_done(self, task: Task, child: Task) -> None:
        """Collect a child's result, then go on, stop early, or finish."""
        instance, inside = task.workflow, task.internal_data["inside"]
        answers = instance.scopes.table[child.internal_data["scope"]].values.get(self.element.id)
        result = instance.value(child, self.result) if self.result else answers
        outer = instance.scopes.table[inside].values
        if self.loop.output:
            outer[self.loop.output] = [*outer[self.loop.output], result]
        outer["nrOfCompletedInstances"] += 1
        outer["nrOfActiveInstances"] -= 1
        instance.drop(child)
        left: list[Value] = task.internal_data["left"]
        if self.stops(task) or not (left or outer["nrOfActiveInstances"]):
            self.finish(task)
        elif left:
            outer["nrOfActiveInstances"] += 1
            task.internal_data["left"] = left[1:]
            self.begin_child(task, outer["nrOfCompletedInstances"], left[0])

    def stops(self, task: Task) -> bool:
        """Whether the completion condition holds."""
        return self.until is not None and task.workflow.holds(task, self.until, task.internal_data["inside"])

    def finish(self, task: Task) -> None:
        """Go on without those that are still at it."""
        for other in [each for each in task.children if not isinstance(each.task_spec, Armed)]:
            task.workflow.cancel(other)
        task._ready()

    def _on_complete_hook(self, task: Task) -> None:
        instance, output = task.workflow, self.loop.output
        if output:
            results = instance.scopes.table[task.internal_data["inside"]].values[output]
            instance.write(task, {output: results})
        instance.leave(task, self.chosen(task))


class Repeated(Node):
    """A standard loop: the activity is done again and again while its condition holds."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        assert element.repeat is not None
        self.repeat = element.repeat
        self.condition = optional(self.repeat.condition)

    def _update_hook(self, task: Task) -> bool:
        task.internal_data["done"] = 0
        if self.repeat.before and not self.once_more(task):
            return True
        self.arm_boundaries(task)
        task._set_state(TaskState.STARTED)
        self.begin_child(task)
        return False

    def once_more(self, task: Task) -> bool:
        """Whether the activity is to be done (again)."""
        if self.repeat.most is not None and task.internal_data["done"] >= self.repeat.most:
            return False
        return self.condition is None or bool(task.workflow.holds(task, self.condition))

    def begin_child(self, task: Task) -> None:
        """Do it once."""
        task.workflow.begin(self.model.nodes[f"{self.element.id}#each"], task)

    def child_done(self, task: Task, child: Task) -> None:
        """After each time, ask whether there is another."""
        task.workflow.drop(child)
        task.internal_data["done"] += 1
        if self.once_more(task):
            self.begin_child(task)
        else:
            task._ready()

    def _on_complete_hook(self, task: Task) -> None:
        task.workflow.leave(task, self.chosen(task))
