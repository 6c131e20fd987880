"""Turns checked diagrams into SpiffWorkflow specs, once per deployed version; cases share and never change them."""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec

from bpmn.diagram import Diagram, Element
from bpmn.routes import reaches
from engine.runtime import activities, events, gateways, specs

KINDS: Mapping[str, type[specs.Node]] = {
    "startEvent": specs.Start,
    "endEvent": specs.End,
    "userTask": specs.UserTask,
    "scriptTask": specs.Script,
    "serviceTask": specs.Service,
    "exclusiveGateway": gateways.Exclusive,
    "parallelGateway": gateways.Parallel,
    "inclusiveGateway": gateways.Inclusive,
    "eventBasedGateway": events.EventGateway,
    "intermediateCatchEvent": events.Catch,
    "boundaryEvent": events.Boundary,
    "subProcess": activities.Subprocess,
    "callActivity": activities.Call,
}


class ProcessModel:
    """One process: its diagram and a spec for each element (``id#each`` for a child of a multi-instance activity)."""

    def __init__(self, diagram: Diagram) -> None:
        self.id = diagram.process.id
        self.diagram = diagram
        self.spec = WorkflowSpec(self.id)
        self.nodes: dict[str, specs.Node] = {}
        for element in diagram.elements.values():
            self._add(element)
        for element in diagram.elements.values():
            if element.attached_to is not None:
                event = self.nodes[element.id]
                assert isinstance(event, events.Boundary)
                self.nodes[element.attached_to].boundaries.append(event)
        self._starts = {
            element.container: self.nodes[element.id]
            for element in diagram.elements.values()
            if element.type == "startEvent"
        }
        self._reaches: dict[str, Mapping[str, frozenset[str]]] = {}

    def _add(self, element: Element) -> None:
        kind = KINDS[element.type]
        if element.loop is None:
            self.nodes[element.id] = kind(self.spec, element.id, element, self)
        else:
            self.nodes[element.id] = activities.MultiInstance(self.spec, element.id, element, self)
            self.nodes[f"{element.id}#each"] = kind(self.spec, f"{element.id}#each", element, self)

    def start_of(self, container: str) -> specs.Node:
        """The start event of this process or of one of its embedded subprocesses."""
        return self._starts[container]

    def reaches(self, join: str) -> Mapping[str, frozenset[str]]:
        """For each incoming flow of a join, the elements from which a token can still come along it."""
        if join not in self._reaches:
            self._reaches[join] = reaches(self.diagram, join)
        return self._reaches[join]


class Model:
    """What a case runs on: its own process and every process that one calls, by id."""

    def __init__(self, main: str, diagrams: Mapping[str, Diagram]) -> None:
        self.main = main
        self.processes = {name: ProcessModel(diagram) for name, diagram in diagrams.items()}
        main_model = self.processes[main]
        whole = Element(id=main, type="process", name=main_model.diagram.process.name, line=0, container="")
        self.root = activities.Root(WorkflowSpec(main), main, whole, main_model)
        self.spec = self.root._wf_spec
