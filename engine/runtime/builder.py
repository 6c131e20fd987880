"""Turns checked diagrams into SpiffWorkflow specs, once per deployed version; cases share and never change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task

from bpmn.diagram import Diagram, Element
from bpmn.dmn_table import Table
from bpmn.routes import Ways, links
from bpmn.starts import starts_by_event
from engine.runtime import activities, events, gateways, specs, throwing

KINDS: Mapping[str, type[specs.Node]] = {
    "startEvent": specs.Start,
    "endEvent": throwing.End,
    "intermediateThrowEvent": throwing.Throw,
    "sendTask": throwing.Throw,
    "receiveTask": events.Receive,
    "manualTask": specs.Pass,
    "userTask": specs.UserTask,
    "scriptTask": specs.Script,
    "serviceTask": specs.Service,
    "businessRuleTask": specs.Decision,
    "exclusiveGateway": gateways.Exclusive,
    "parallelGateway": gateways.Parallel,
    "inclusiveGateway": gateways.Inclusive,
    "eventBasedGateway": events.EventGateway,
    "intermediateCatchEvent": events.Catch,
    "boundaryEvent": events.Boundary,
    "subProcess": activities.Subprocess,
    "transaction": activities.Subprocess,
    "eventSubProcess": activities.EventSubprocess,
    "callActivity": activities.Call,
}


HELD = "#held"


class ProcessModel:
    """One process: its diagram and a spec for each element (``id#each`` for what an activity does several times)."""

    def __init__(self, diagram: Diagram, tables: Mapping[str, Table] | None = None) -> None:
        self.id = diagram.process.id
        self.diagram, self.tables = diagram, tables or {}
        self.spec = WorkflowSpec(self.id)
        self.nodes: dict[str, specs.Node] = {}
        for element in diagram.elements.values():
            self._add(element)
        for element in diagram.elements.values():
            if element.attached_to is not None:
                event = self.nodes[element.id]
                assert isinstance(event, events.Boundary)
                self.nodes[element.attached_to].boundaries.append(event)
        nowhere = Element(id=HELD, type="held", name="", line=0, container=self.id)
        self.nodes[HELD] = specs.Held(self.spec, HELD, nowhere, self)
        self._starts = {
            element.container: self.nodes[element.id]
            for element in diagram.elements.values()
            if element.type == "startEvent" and not starts_by_event(element, diagram)
        }
        self._event_starts: dict[str, list[specs.Node]] = {}
        for element in diagram.elements.values():
            if element.type == "eventSubProcess":
                self._event_starts.setdefault(element.container, []).append(self._starts[element.id])
        self._join_links()
        self._inside: dict[str, tuple[specs.Node, ...]] = {}

    def _add(self, element: Element) -> None:
        kind = KINDS[element.type]
        around = self.diagram.elements.get(element.container)
        if element.type == "startEvent" and around is not None and around.type == "eventSubProcess":
            kind = events.EventStart
        if element.loop is None and element.repeat is None:
            self.nodes[element.id] = kind(self.spec, element.id, element, self)
        else:
            whole = activities.MultiInstance if element.loop else activities.Repeated
            self.nodes[element.id] = whole(self.spec, element.id, element, self)
            self.nodes[f"{element.id}#each"] = kind(self.spec, f"{element.id}#each", element, self)

    def _join_links(self) -> None:
        """A token that is thrown over a link goes on by the flows of the event that catches it."""
        for source, target in links(self.diagram).items():
            self.nodes[source].flows = self.nodes[target].flows

    def arm_event_subprocesses(self, container: str, task: Task) -> None:
        """Set the starts of the event subprocesses of a process or subprocess waiting, as children of its task."""
        for start in self.event_starts(container):
            task.workflow.begin(start, task)

    def event_starts(self, container: str) -> list[specs.Node]:
        """The starts of the event subprocesses of a process or subprocess."""
        return self._event_starts.get(container, [])

    def start_of(self, container: str) -> specs.Node:
        """The start event of one of its subprocesses, or of this process: the plain one, which waits for nothing."""
        return self._starts[container]

    def inside(self, key: str, whole: Model) -> tuple[specs.Node, ...]:
        """An activity, if it is a user task, and every user task in it, also in the processes it calls."""
        if key not in self._inside:
            self._inside[key] = tuple(self._find_inside(key, whole))
        return self._inside[key]

    def _find_inside(self, key: str, whole: Model) -> Iterator[specs.Node]:
        seen: set[tuple[str, str]] = set()
        waiting: list[tuple[ProcessModel, str]] = [(self, key)]
        while waiting:
            model, each = waiting.pop()
            if (model.id, each) in seen:
                continue
            seen.add((model.id, each))
            element = model.diagram.elements.get(each)
            if element is not None and element.type == "userTask":
                yield model.nodes[each]
            waiting += [(model, inner.id) for inner in model.diagram.within(each)]
            if element is not None and element.called in whole.processes:
                waiting.append((whole.processes[element.called], element.called))

    @cached_property
    def ways(self) -> Ways:
        """From where tokens can still come to the inclusive joins."""
        elements = self.diagram.elements.values()
        return Ways(self.diagram, [each.id for each in elements if isinstance(self.nodes[each.id], gateways.Inclusive)])


class Model:
    """What a case runs on: its own process and every process that one calls, by id, each with its decision tables."""

    def __init__(
        self, main: str, diagrams: Mapping[str, Diagram], tables: Mapping[str, Mapping[str, Table]] | None = None
    ) -> None:
        self.main = main
        self.processes = {name: ProcessModel(each, (tables or {}).get(name)) for name, each in diagrams.items()}
        main_model = self.processes[main]
        whole = Element(id=main, type="process", name=main_model.diagram.process.name, line=0, container="")
        self.root = activities.Root(WorkflowSpec(main), main, whole, main_model)
        self.spec = self.root._wf_spec
