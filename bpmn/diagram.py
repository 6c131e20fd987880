"""What a BPMN file says, as plain values: the one picture of a process that is checked, run and drawn.

``bpmn.reader`` makes a ``Diagram`` from bytes; nothing here reads XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow. ``condition`` is an expression of the one language, or None."""

    id: str
    source: str
    target: str
    name: str
    condition: str | None
    line: int
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What an event waits for or does.

    ``kind``: none, timer, message, signal, error, escalation, conditional, link, terminate (others are kept by name so
    that they can be refused by name). ``name`` is the message's, signal's, error's, escalation's or link's name,
    ``code`` the error's or escalation's code; an event that catches one without code catches any. A timer's
    ``expression`` is the text of its ``form``: ``date`` (expression giving a date, an instant or None), ``duration``
    (ISO 8601, e.g. ``P15D``) or ``cycle`` (``R3/PT1H``); that of a conditional event is its condition.
    """

    kind: str
    name: str | None = None
    form: str | None = None
    expression: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """Multi-instance: one child per member of ``collection`` (or ``cardinality`` children).

    Each child sees its member as ``item``; when a child ends, ``result`` (an expression; without it the answers of the
    form, as a record) is added to the list ``output``, which the activity leaves behind. ``until`` ends it early.
    """

    sequential: bool
    collection: str | None
    cardinality: str | None
    item: str | None
    output: str | None
    result: str | None
    until: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """Standard loop: the activity is done once more while ``condition`` holds, and at most ``most`` times in all.

    ``before`` asks the condition also before the first time, so that the activity may not be done at all.
    """

    condition: str | None
    most: int | None
    line: int
    before: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One act of a service task: ``name`` from the engine's closed list, parameters as expressions.

    ``into`` is the variable that receives its result, or None.
    """

    name: str
    parameters: Mapping[str, str]
    into: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Element:
    """A flow node: event, activity or gateway.

    ``type`` is the BPMN tag without prefix (``userTask``, ``boundaryEvent`` …); a subprocess that an event starts is an
    ``eventSubProcess``. ``container`` is the id of the process or embedded subprocess it lies in. ``policy`` holds the
    attributes of the policy namespace by local name (``form``, ``role``, ``assignee``, ``due``, ``excluded``,
    ``fourEyes``, ``tag``, ``basis``, ``facts``, ``sender``, ``outcome`` …); a user task that names nobody has the
    ``role`` of its lane. ``incoming`` and ``outgoing`` are flow ids in the order of the file. ``name`` is "" where the
    file gives none.
    """

    id: str
    type: str
    name: str
    line: int
    container: str
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    lane: str | None = None
    documentation: str = ""
    policy: Mapping[str, str] = field(default_factory=dict)
    event: Event | None = None
    attached_to: str | None = None
    interrupting: bool = True
    default: str | None = None
    loop: Loop | None = None
    repeat: Repeat | None = None
    called: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    script: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the file; ``policy`` holds its attributes of the policy namespace."""

    id: str
    name: str
    line: int
    executable: bool
    policy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an element (or lane, or participant) is drawn, in the diagram's own units."""

    element: str
    x: float
    y: float
    width: float
    height: float
    horizontal: bool = True
    expanded: bool = True
    label: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """How a flow is drawn."""

    element: str
    points: tuple[tuple[float, float], ...]
    label: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane or a participant (``pool``): a named box, and the elements it lists."""

    id: str
    name: str
    elements: tuple[str, ...]
    role: str | None = None
    line: int = 0
    name_en: str = ""
    pool: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """Something the file says that is neither node nor flow, kept by name so that it can be refused by name.

    ``type`` is a BPMN tag or attribute (``dataObject``, ``isForCompensation``) or another engine's word with its prefix
    (``camunda:taskListener``); ``element`` is the id it has or belongs to. ``value`` is what such a word says where the
    word has a meaning here and only what it says has none.
    """

    type: str
    element: str | None
    line: int
    value: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """One file, read. ``process`` is the executable process; elements and flows of all its levels are in one table.

    ``notes`` are the text annotations by id; ``others`` is what would be lost if nobody refused it.
    """

    file: str
    sha256: str
    process: Process
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    lanes: tuple[Lane, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    edges: Mapping[str, Edge] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Other, ...] = ()

    def within(self, container: str) -> tuple[Element, ...]:
        """The elements that lie directly in a process or subprocess, in the order of the file."""
        return tuple(element for element in self.elements.values() if element.container == container)

    def boundary_of(self, element: str) -> tuple[Element, ...]:
        """The boundary events attached to an activity, in the order of the file."""
        return tuple(each for each in self.elements.values() if each.attached_to == element)
