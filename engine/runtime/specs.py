"""One SpiffWorkflow task spec for each kind of BPMN element: what it does when a token comes, runs, and leaves.

A spec knows its element and nothing of a case; all it needs of the running case it finds in ``task.workflow``, an
``Instance``. A new kind of element is a new class and a line in ``builder``. Here are start, end and tasks; gateways,
events and the activities that contain others have files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task

from bpmn.diagram import Element, Flow
from bpmn.facts import CODE, Declared, declared, of_codes
from engine.errors import Incident
from engine.runtime.happenings import WorkItem
from forms.expressions import Assignment, Empty, Expression, ExpressionError, compile_expression, compile_script
from forms.operators import kind_of
from forms.values import PersonRef, Value

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

    keeps_outcome = False
    """Whether an end event inside says how this ends: true of a process and a called one."""
    passes_outcome = False
    """Whether an end event inside says how what is around this ends: true of an event subprocess."""
    members = False
    """Whether what is inside belongs to one of several members: true of a multi-instance activity."""

    skippable = False  # whether two people may let a case go on without what this element does

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name)
        self.element, self.model = element, model
        self.flows: tuple[Flow, ...] = tuple(model.diagram.flows[flow] for flow in element.outgoing)
        self.conditions = [(flow, optional(flow.condition)) for flow in self.flows if flow.id != element.default]
        self.default = next((flow for flow in self.flows if flow.id == element.default), None)
        self.choosing = self.default is not None or any(flow.condition for flow in self.flows)
        self.boundaries: list[Node] = []
        self.facts = declared(element.policy.get("facts", ""))
        self.facts_given = optional(self.facts.expression)

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
        """The flows the token leaves by: all without a condition and all whose condition holds."""
        return self.decide(task, first=False) if self.choosing else self.flows

    def decide(self, task: Task, *, first: bool) -> tuple[Flow, ...]:
        """The flows whose conditions hold (only the first, or all), else the default; told with what was read.

        The default is taken when no condition holds, also beside flows that have none.
        """
        instance = task.workflow
        taken: list[Flow] = []
        tried: list[Value] = []
        read: dict[str, Value] = {}
        met = False
        for flow, condition in self.conditions:
            holds = condition is None or instance.holds(task, condition)
            if condition is not None:
                tried.append({"flow": flow.id, "expression": condition.source, "holds": holds})
                read.update(instance.read(task, condition))
                met = met or holds
            if holds:
                taken.append(flow)
                if first:
                    break
        if not met and self.default is not None and not (first and taken):
            taken.append(self.default)
        if not taken:
            zh, en = ("网关", "gateway ") if self.element.type.endswith("Gateway") else ("", "")
            raise Incident(
                f"{zh}“{self.element.name}”（{self.element.id}）没有一个条件成立，也没有默认流向",
                f"no condition of {en}{self.element.id} holds and it has no default flow",
            )
        if len(self.flows) > 1:
            ids: list[Value] = [flow.id for flow in taken]
            instance.tell("gateway.taken", self, {"taken": ids, "tried": tried, "values": read})
        return tuple(taken)

    def declares(self, task: Task, names: Mapping[str, Value] | None = None) -> Declared:
        """The facts this element leaves when it is passed now, with these names or those the task can read.

        Incident: ``policy:facts`` is an expression, and gives something else than codes of facts.
        """
        if self.facts_given is None:
            return self.facts
        try:
            given = task.workflow.value(task, self.facts_given, names=names)
        except Incident as incident:
            if isinstance(incident.__cause__, Empty):
                return Declared()  # what it is made from is empty: an empty list of an answer has no facts
            raise
        words = given if isinstance(given, list) else [] if given is None else [given]
        found = of_codes(word for word in words if isinstance(word, str))
        if len(words) != sum(isinstance(word, str) for word in words) or not all(map(CODE.fullmatch, found.codes)):
            raise Incident(
                f"“{self.element.name}”（{self.element.id}）的 policy:facts 应得到事实代码，实际为{kind_of(given).zh}",
                f"the policy:facts of {self.element.id} must give codes of facts, but gives {kind_of(given).en}",
            )
        return found

    def _on_complete_hook(self, task: Task) -> None:
        task.parent.task_spec.child_done(task.parent, task)

    def child_done(self, task: Task, child: Task) -> None:
        """What becomes of a token inside that has run: in a scope it goes on by the flows of its element."""
        task.workflow.leave(child, child.task_spec.chosen(child))

    def arm_boundaries(self, task: Task) -> None:
        """Set the boundary events of an activity waiting, as children of its task."""
        for boundary in self.boundaries:
            task.workflow.begin(boundary, task)


class Start(Node):
    """A plain start event: where the first token of a process or subprocess is born."""


class Pass(Node):
    """A manual task: nothing the engine could do or know about, so the token passes and that is told."""

    def _run_hook(self, task: Task) -> bool:
        task.workflow.passed("step.passed", task, {})
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
        if not any(around.task_spec.members for around in instance.surroundings(task)):
            instance.forget_doers(self, task)
        instance.open_item(task, self.work_item(task))
        return True

    def work_item(self, task: Task) -> WorkItem:
        """Who may do this task and by when, as the variables stand when it opens."""
        instance = task.workflow
        said = self.roles
        roles = [
            str(role) for role in (self._list(instance.value(task, said)) if isinstance(said, Expression) else said)
        ]
        assignees: list[str] = []
        names = self.assignee
        if isinstance(names, Expression):
            for person in self._list(instance.value(task, names)):
                if not isinstance(person, PersonRef):
                    raise Incident(
                        f"“{self.element.name}”（{self.element.id}）的经办人应为人员，实际为{kind_of(person).zh}",
                        f"the assignee of {self.element.id} must be a person, but is {kind_of(person).en}",
                    )
                assignees.append(person.id)
        elif "applicant" in names:
            assignees += instance.applicant()  # while there is none, whoever holds the role may
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


class Held(Node):
    """Where a token stands still on its flow because the automatic step that follows could not be done."""


class Script(Node):
    """A script task: assignments in the one expression language, in order, into its own scope."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.assignments: tuple[Assignment, ...] = compile_script(element.script or "")

    skippable = True

    def _run_hook(self, task: Task) -> bool:
        instance = task.workflow
        written: dict[str, Value] = {}
        for assignment in self.assignments:
            value = instance.value(task, assignment.expression)
            instance.write(task, {assignment.name: value})
            written[assignment.name] = value
        instance.passed("step.passed", task, {"written": written})
        return True


class Decision(Node):
    """A business rule task: a decision table of the package decides, and its result goes into a variable."""

    skippable = True

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.table = model.tables[element.policy["decision"]]
        self.into = element.policy["into"]

    def _run_hook(self, task: Task) -> bool:
        instance, element = task.workflow, self.element
        try:
            decided = self.table.decide(instance.names(task.id), instance.host.functions)
        except ExpressionError as error:
            raise Incident(
                f"“{element.name}”（{element.id}）没有作出判定。{error.text.zh}",
                f"{element.id} could not decide: {error.text.en}",
            ) from error
        instance.write(task, {self.into: decided.value})
        for each in (*decided.before, decided):
            written = {self.into if each is decided else f"{self.into}.{each.table}": each.value}
            rules: list[Value] = list(each.rules)
            values = dict(each.inputs)
            if self.table.secret:
                # What one table made of a private value is an input of the next: all stand under the private name.
                values = {f"{self.into}: {source}": value for source, value in values.items()}
            about: dict[str, Value] = {"table": each.table, "rules": rules, "values": values, "written": written}
            if each is decided:
                instance.passed("decision.made", task, about)
            else:
                instance.tell("decision.made", self, about)
        return True


class Service(Node):
    """A service task: operations of the engine's closed list, in order."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.operations = [
            (each, {key: compile_expression(source) for key, source in each.parameters.items()})
            for each in element.operations
        ]

    skippable = True

    def _run_hook(self, task: Task) -> bool:
        instance = task.workflow
        written: dict[str, Value] = {}
        for operation, parameters in self.operations:
            values = {key: instance.value(task, expression) for key, expression in parameters.items()}
            result = instance.host.operate(self.element, operation, values, self.model.id, instance.names(task.id))
            if operation.into:
                instance.write(task, {operation.into: result})
                written[operation.into] = result
        names = [operation.name for operation, _ in self.operations]
        instance.passed("step.passed", task, {"operations": list(names), "written": written})
        return True
