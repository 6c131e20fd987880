"""What the gate must know about the world around a diagram: forms, roles, operations, other processes, given names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpmn.diagram import Diagram

if TYPE_CHECKING:
    from bpmn.dmn_table import Table
    from forms.form import Form

# Names that only the inside of a multi-instance activity has.
LOOP_NAMES = frozenset({"nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances"})
CHILD_NAMES = frozenset({"loopCounter"})
GIVEN = frozenset({"params", "case", "applicant", "today"}) | LOOP_NAMES | CHILD_NAMES


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """An operation of service tasks: the parameters it needs and may have, and whether it gives a result."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    gives: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSignature:
    """What a called process is given (all of it) and what it may give back; ``calls`` are those it calls itself."""

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a diagram may refer to. ``given`` are the names the system brings of itself."""

    forms: Mapping[str, Form] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    operations: Mapping[str, OperationSpec] = field(default_factory=dict)
    processes: Mapping[str, ProcessSignature] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    given: frozenset[str] = GIVEN


def signature(diagram: Diagram) -> ProcessSignature:
    """What a process asks for and gives when it is called: its ``policy:inputs`` and ``policy:outputs``."""
    policy = diagram.process.policy
    return ProcessSignature(
        frozenset(listed(policy.get("inputs"))),
        frozenset(listed(policy.get("outputs"))),
        frozenset(element.called for element in diagram.elements.values() if element.called),
    )


def circle(process: str, called: str, processes: Mapping[str, ProcessSignature]) -> tuple[str, ...]:
    """The way by which a process that calls ``called`` comes back to itself, as ids; empty where there is none."""
    ways: dict[str, tuple[str, ...]] = {called: (process, called)}
    waiting = [called]
    while waiting:
        here = waiting.pop(0)
        if here == process:
            return ways[here]
        for further in sorted(processes.get(here, ProcessSignature()).calls - ways.keys()):
            ways[further] = (*ways[here], further)
            waiting.append(further)
    return ()


def listed(text: str | None) -> tuple[str, ...]:
    """The members of a comma-separated attribute, in order."""
    return tuple(part for part in (piece.strip() for piece in (text or "").replace("，", ",").split(",")) if part)
