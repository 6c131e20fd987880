"""Conformance: replays a case's trail on the diagrams it ran under, or on another version, and says where they differ.

The steps are aligned by ``bpmn.alignment``; here is what a trail tells of steps, and what the conditions of the diagram
say of the values that the trail has recorded at each choice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpmn.alignment import MOST_STATES, NOTHING, Alignment, Move, Stretch, align
from bpmn.behaviour import Behaviour
from bpmn.diagram import Diagram, Element
from bpmn.marking import Decided, Step, StepKind
from engine import definitions, inbox
from engine.definitions import Deployed
from engine.migration import version
from engine.replay import Conformance, Deviation, Ran, Ruled, Told
from engine.runtime import moving
from engine.trail.record import SKIPPED, WITHHELD
from engine.work import Work
from forms.expressions import ExpressionError, compile_expression
from forms.functions import FUNCTIONS
from forms.values import Value, from_json

KINDS: Mapping[str, StepKind] = {
    "task.opened": "opened", "task.completed": "done", "step.passed": "done", "decision.made": "done",
    "timer.fired": "came", "message.received": "came", "signal.caught": "came", "error.caught": "came",
    "escalation.caught": "came", "condition.met": "came", "message.thrown": "thrown", "signal.thrown": "thrown",
    "error.thrown": "thrown", "escalation.thrown": "thrown", "process.called": "called", "end.reached": "ended",
    "gateway.taken": "taken", SKIPPED: "done",
}  # fmt: skip
"""The kinds of events that tell a step. All others tell what was done beside the diagram."""
ON_ANOTHER: frozenset[StepKind] = frozenset({"opened", "taken"})
"""Kinds of steps that cost nothing where the trail lacks them on another version: its gateways choose by themselves."""
BROKEN_OFF = "case.withdrawn"
MOST_COURSES = 64
"""So many choices a gateway may leave open; of more, any is possible."""
PURE: Mapping[str, Callable[..., Value]] = {name: each.run for name, each in FUNCTIONS.items() if each.run is not None}
Tables = Mapping[str, Diagram]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The steps of a case on one version; ``renamed`` is what the migration that began it called otherwise."""

    version: int
    told: tuple[Told, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)


def conforms(
    work: Work, case: str, definition: str | Deployed | None = None, *, most: int = MOST_STATES
) -> Conformance:
    """Replay a case (by id or number) on the versions it ran under, or ask how it would have gone on another one.

    ``definition`` is the id of that version, or one that is only being tried. On its own versions every choice of a
    gateway is a step; on another one the gateways choose by its conditions, as far as the trail has recorded the values
    they read, and a missing or added step shows where the case would have gone otherwise. NotFound: no such case.
    """
    row = inbox.case(work, case)
    events = inbox.events(work, row["id"])
    if definition is None:
        return replayed(work, row, events, most)
    other = definition if isinstance(definition, Deployed) else definitions.deployed(work, definition)
    return tried(row, events, other, most)


def replayed(work: Work, row: Row, events: Sequence[Row], most: int = MOST_STATES) -> Conformance:
    """How the steps of a case (its row and events) agree with the versions it ran under."""
    parts = parts_of(events, row["process"], lambda number: _version(work, row["process"], number))
    stretches: list[Stretch] = []
    ruled: list[list[Ruled]] = []
    before: Deployed | None = None
    for part in parts:
        deployed = _version(work, row["process"], part.version)
        diagrams = diagrams_of(deployed)
        behaviour = Behaviour(deployed.process, diagrams, taken_in(part.told, diagrams))
        names = _names(before, deployed, part.renamed) if before else {}
        stretches.append(Stretch(behaviour, [each.step for each in part.told], names))
        ruled.append(contradicted(part.told, diagrams))
        before = deployed
    found = align(stretches, start=_start(events), ends=_is_over(row, events), most=most)
    return _result(row, parts, found, ruled)


def tried(row: Row, events: Sequence[Row], other: Deployed, most: int = MOST_STATES) -> Conformance:
    """How the steps of a case (its row and events) fare on a version it did not run under."""
    diagrams = diagrams_of(other)
    whole = steps_of(events, row["process"], diagrams)
    ruled = contradicted(whole, diagrams)
    decided = taken_in(whole, diagrams, by_rule=True)
    told = tuple(each for each in whole if each.step.kind not in ("opened", "taken"))
    behaviour = Behaviour(other.process, diagrams, decided, only=True)
    stretch = Stretch(behaviour, [each.step for each in told])
    found = align([stretch], start=_start(events), ends=_is_over(row, events), free=ON_ANOTHER, most=most)
    return _result(row, [Part(other.version, told)], found, [ruled], free=ON_ANOTHER)


def _result(
    row: Row,
    parts: Sequence[Part],
    found: Alignment,
    ruled: Sequence[Sequence[Ruled]],
    *,
    free: frozenset[StepKind] = NOTHING,
) -> Conformance:
    deviations = list(_deviations(found.moves, [each for part in parts for each in part.told], free))
    ran = [
        Ran(
            part.version,
            part.told,
            tuple(move for move in found.moves if move.stretch == number),
            tuple(deviation for stretch, deviation in deviations if stretch == number),
            tuple(ruled[number]),
        )
        for number, part in enumerate(parts)
    ]
    cost = None if found.cost is None else found.cost + sum(each.why == "skipped" for _, each in deviations)
    return Conformance(row["id"], row["number"], row["process"], cost, found.sound, found.states, tuple(ran))


def _deviations(
    moves: Iterable[Move], told: Sequence[Told], free: frozenset[StepKind]
) -> Iterator[tuple[int, Deviation]]:
    """Each with the number of the stretch it belongs to."""
    seq = 1
    for move in moves:
        here = told[move.place] if move.place is not None else None
        seq = here.seq if here is not None else seq
        if move.side == "trail":
            yield move.stretch, Deviation("added", move.step, seq)
        elif here is not None and here.skipped:
            yield move.stretch, Deviation("skipped", move.step, seq)
        elif move.side == "diagram" and move.step.kind not in free:
            yield move.stretch, Deviation("missing", move.step, seq)


# What a trail tells.


def diagrams_of(deployed: Deployed) -> dict[str, Diagram]:
    """The diagrams of a version and of all it calls, by process."""
    return {name: each.diagram for name, each in deployed.contents.items()}


def parts_of(events: Iterable[Row], process: str, at: Callable[[int], Deployed]) -> list[Part]:
    """The steps of a case, apart for each version it ran under; ``at`` gives a version by its number."""
    parts: list[Part] = []
    kept: list[Row] = []
    number, renamed = 0, dict[str, str]()
    for row in events:
        body = json.loads(row["body"])
        said = body.get("process") or {}
        if row["kind"] == "case.migrated":
            parts.append(Part(number, steps_of(kept, process, diagrams_of(at(number))), renamed))
            number, renamed, kept = body["data"]["to"], body["data"]["renamed"], []
        number = number or said.get("version", 0)
        kept.append(row)
    return [*parts, Part(number, steps_of(kept, process, diagrams_of(at(number))), renamed)]


def steps_of(events: Iterable[Row], process: str, diagrams: Tables) -> tuple[Told, ...]:
    """The steps that events tell, in order."""
    found = []
    for row in events:
        if row["kind"] not in KINDS or not row["element"]:
            continue
        body = json.loads(row["body"])
        said, data = body["process"], body["data"]
        flows = tuple(sorted(data["taken"])) if row["kind"] == "gateway.taken" else ()
        step = Step(KINDS[row["kind"]], said.get("called", said.get("key", process)), row["element"], flows)
        element = _element(diagrams, step)
        if row["kind"] == "decision.made" and element is not None and not _is_whole(data, element):
            continue
        found.append(Told(row["seq"], step, data, row["kind"] == SKIPPED))
    return tuple(found)


def _is_whole(data: Mapping[str, Any], element: Element) -> bool:
    """Whether a table is the one a task asks, not one that this requires."""
    return element.policy.get("into") in {each["name"] for each in data.get("written", ())}


def _element(diagrams: Tables, step: Step) -> Element | None:
    diagram = diagrams.get(step.process)
    return diagram.elements.get(step.element) if diagram else None


def _start(events: Sequence[Row]) -> str | None:
    """The event start by which a case began; None for the plain one."""
    for row in events:
        if row["kind"] == "case.started":
            start = json.loads(row["body"])["data"].get("start")
            return str(start) if start else None
    return None


def _is_over(row: Row, events: Iterable[Row]) -> bool:
    """Whether the diagram must have come to its end: a case that was withdrawn by rule stood where it stood."""
    return row["status"] == "closed" and not any(each["kind"] == BROKEN_OFF for each in events)


def _version(work: Work, process: str, number: int) -> Deployed:
    return definitions.deployed(work, version(work, process, number))


def _names(before: Deployed, after: Deployed, renamed: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """What elements and flows are called after a migration, by process and old id, where it is another name."""
    move = moving.Move(before.model, after.model, renamed)
    names: dict[tuple[str, str], str] = {}
    for process, contents in before.contents.items():
        for element in contents.diagram.elements:
            names[process, element] = move.name(process, element)
        for flow in contents.diagram.flows:
            names[process, flow] = move.flow(process, flow) or flow
    return {key: name for key, name in names.items() if name != key[1]}


# What the conditions say.


def taken_in(told: Iterable[Told], diagrams: Tables, *, by_rule: bool = False) -> Decided:
    """The flows that were taken; ``by_rule``: those that the conditions of these diagrams leave."""
    found: dict[tuple[str, str], frozenset[tuple[str, ...]]] = {}
    for each in told:
        element, where = _element(diagrams, each.step), (each.step.process, each.step.element)
        if each.step.kind == "taken" and element is not None:
            flows = possible(element, diagrams[each.step.process], each.data) if by_rule else {each.step.flows}
            found[where] = found.get(where, frozenset()) | flows
    return found


def contradicted(told: Iterable[Told], diagrams: Tables) -> list[Ruled]:
    """The choices for which the conditions of these diagrams, with the recorded values, give other flows."""
    found = []
    for each in told:
        element = _element(diagrams, each.step)
        if each.step.kind != "taken" or element is None:
            continue
        expected = possible(element, diagrams[each.step.process], each.data)
        if expected and each.step.flows not in expected:
            found.append(Ruled(each.seq, each.step.process, element.id, each.step.flows, tuple(sorted(expected))))
    return found


def recorded(data: Mapping[str, Any]) -> dict[str, Value]:
    """The values an event of a choice has recorded, as names to be read; private ones are withheld and not there."""
    names: dict[str, Value] = {}
    for each in data.get("values", ()):
        if WITHHELD in each["value"]:
            continue
        name, _, key = each["name"].partition(".")
        value = from_json(each["value"])
        if not key:
            names[name] = value
            continue
        record = names.setdefault(name, {})
        if isinstance(record, dict):
            record[key] = value
    return names


def possible(element: Element, diagram: Diagram, data: Mapping[str, Any]) -> frozenset[tuple[str, ...]]:
    """Every choice of flows that agrees with the conditions, as far as the values an event has recorded tell.

    What cannot be found out again (a look into a register, a private value) held if the event says so of the very same
    condition; of what it does not tell either, both is possible.
    """
    names, then = recorded(data), {each["expression"]: each["holds"] for each in data.get("tried", ())}
    exclusive = element.type == "exclusiveGateway"
    courses: list[tuple[tuple[str, ...], bool]] = [((), False)]  # flows so far, and whether a condition was met
    found: set[tuple[str, ...]] = set()
    for flow in element.outgoing:
        condition = diagram.flows[flow].condition
        if flow == element.default:
            continue
        holds = True if condition is None else _holds(condition, names, then)
        with_it = [((*taken, flow), met or condition is not None) for taken, met in courses if holds is not False]
        if exclusive:
            found |= {taken for taken, _ in with_it}
            with_it = []
        courses = [*with_it, *(courses if holds is not True else [])]
        if len(courses) > MOST_COURSES:
            return frozenset()
    for taken, met in courses:
        rest = (element.default,) if element.default is not None and not met else ()
        found |= {(*taken, *rest)} if taken or rest else set()
    return frozenset(tuple(sorted(each)) for each in found)


def _holds(condition: str, names: Mapping[str, Value], then: Mapping[str, bool]) -> bool | None:
    """Whether a condition holds with what was recorded, or held then; None where it reads what was not recorded."""
    expression = compile_expression(condition)
    known = then.get(expression.source)
    for name, key in expression.paths:
        record = names.get(name)
        if name not in names or (key is not None and not (isinstance(record, dict) and key in record)):
            return known
    if not expression.functions <= PURE.keys():
        return known
    try:
        value = expression.value(names, PURE)
    except ExpressionError:
        return known
    return value if isinstance(value, bool) else known
