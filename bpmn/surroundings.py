"""What the gate must know about the world around a diagram: forms, roles, operations, other processes, given names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpmn.diagram import Diagram
from bpmn.uncaught import sheltered, thrown_out

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
    """What a called process is given (all of it) and what it may give back; ``calls`` are those it calls itself.

    ``errors`` are the codes of those that it throws and does not catch, ``sheltered`` its calls with what they catch.
    ``starts`` are the kinds of its start events, and ``called`` where it can only be called.
    """

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    sheltered: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset({"none"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a diagram may refer to. ``given`` are the names the system brings of itself.

    ``drafts`` are the codes of policy texts that are drafts. ``facts`` are codes, ``parameters`` keys; None: which
    there are is not known, and so not looked at.
    """

    forms: Mapping[str, Form] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    operations: Mapping[str, OperationSpec] = field(default_factory=dict)
    processes: Mapping[str, ProcessSignature] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    facts: frozenset[str] | None = frozenset()
    drafts: frozenset[str] = frozenset()
    given: frozenset[str] = GIVEN
    parameters: frozenset[str] | None = None


def signature(diagram: Diagram) -> ProcessSignature:
    """What a process asks for and gives when it is called: its ``policy:inputs`` and ``policy:outputs``."""
    policy = diagram.process.policy
    return ProcessSignature(
        frozenset(listed(policy.get("inputs"))),
        frozenset(listed(policy.get("outputs"))),
        frozenset(element.called for element in diagram.elements.values() if element.called),
        frozenset(code for _, code in thrown_out(diagram)),
        sheltered(diagram),
        frozenset(_starts(diagram)),
    )


def _starts(diagram: Diagram) -> Iterator[str]:
    if diagram.process.policy.get("kind", "main") != "main":
        yield "called"
    for element in diagram.within(diagram.process.id):
        if element.type == "startEvent":
            yield element.event.kind if element.event else "none"


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
