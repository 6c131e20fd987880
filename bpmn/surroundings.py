"""What the gate must know about the world around a diagram: forms, roles, operations, other processes, given names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpmn.diagram import Diagram

if TYPE_CHECKING:
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
    """What a called process is given (all of it) and what it may give back."""

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a diagram may refer to. ``given`` are the names the system brings of itself."""

    forms: Mapping[str, Form] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    operations: Mapping[str, OperationSpec] = field(default_factory=dict)
    processes: Mapping[str, ProcessSignature] = field(default_factory=dict)
    given: frozenset[str] = GIVEN


def signature(diagram: Diagram) -> ProcessSignature:
    """What a process asks for and gives when it is called: its ``policy:inputs`` and ``policy:outputs``."""
    policy = diagram.process.policy
    return ProcessSignature(frozenset(listed(policy.get("inputs"))), frozenset(listed(policy.get("outputs"))))


def listed(text: str | None) -> tuple[str, ...]:
    """The members of a comma-separated attribute, in order."""
    return tuple(part for part in (piece.strip() for piece in (text or "").replace("，", ",").split(",")) if part)
