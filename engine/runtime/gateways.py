"""Gateways: which flows a token leaves by, and how tokens wait for one another at a join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task

from bpmn.diagram import Element, Flow
from engine.runtime.specs import Node

if TYPE_CHECKING:
    from engine.runtime.builder import ProcessModel


class Exclusive(Node):
    """Takes the first flow, in the order of the file, whose condition holds; else the default."""

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        """The one flow that is taken."""
        return (self.decide(task, first=True)[0],)


class Join(Node):
    """A gateway that may have several incoming flows: arrivals are counted in the scope, one token per flow."""

    def __init__(self, home: WorkflowSpec, name: str, element: Element, model: ProcessModel) -> None:
        super().__init__(home, name, element, model)
        self.incoming = element.incoming

    def receive(self, flow: Flow, container: Task) -> None:
        """Count the token that arrives, and look whether it was the last one missing."""
        tokens = container.internal_data.setdefault("joins", {}).setdefault(self.name, {})
        tokens[flow.id] = tokens.get(flow.id, 0) + 1
        self.look(container)

    def look(self, container: Task) -> None:
        """Fire if every incoming flow has a token; consumes exactly one of each."""
        tokens = container.internal_data["joins"][self.name]
        if all(tokens.get(flow) for flow in self.incoming):
            self.fire(container, self.incoming)

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

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        """All flows."""
        return self.flows


class Inclusive(Join, Exclusive):
    """An OR gateway: leaves by every flow whose condition holds; waits while a token elsewhere may still come."""

    def chosen(self, task: Task) -> tuple[Flow, ...]:
        """Every flow that is taken."""
        return self.decide(task, first=False)

    def look(self, container: Task) -> None:
        """A split fires at once; a join is decided when nothing else moves by itself: see ``Instance.run``."""
        if len(self.incoming) == 1:
            self.fire(container, self.incoming)

    def settle(self, container: Task) -> bool:
        """Fire unless a token elsewhere can reach an empty input without also reaching a filled one."""
        tokens = container.internal_data.get("joins", {}).get(self.name, {})
        if not tokens:
            return False
        filled = sum(1 << number for number, flow in enumerate(self.incoming) if tokens.get(flow))
        for place in container.workflow.places(container, besides=self.name):
            ways = self.model.ways.along(self.name, place)
            if ways and not ways & filled:
                return False
        self.fire(container, tuple(flow for flow in self.incoming if tokens.get(flow)))
        return True
