"""The page that replays a case on a diagram: what both have, what only one has, in a table and on the drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request
from markupsafe import Markup

from bpmn.alignment import Move
from bpmn.canvas import Mark
from bpmn.marking import Step
from engine import definitions
from engine.conformance import ON_ANOTHER, conforms
from engine.definitions import Deployed
from engine.desk import Desk
from engine.migration import version
from engine.replay import Conformance, Deviation, Ran, Ruled
from engine.trying import KINDS, WHYS, named, verdict
from forms.words import Text
from webui.drawing import drawn
from webui.messages import visible
from webui.page import element_name, look, process_name, said, show, t

bp = Blueprint("conformance", __name__)

MOST_STATES = 10_000  # a page is waited for; the command line looks further


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the alignment: what, where, and on which side it is; ``seq`` is its event in the trail."""

    kind: str
    name: str
    process: str
    side: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice that contradicts the conditions, with the names of the flows."""

    seq: int
    name: str
    taken: str
    expected: str

    @classmethod
    def of(cls, ruled: Ruled, on: Deployed, desk: Desk) -> Choice:
        """The choice in the language of the page."""
        name = name_on(Step("taken", ruled.process, ruled.element), on, desk)
        taken, *expected = (flows_of(on, ruled.process, flows, desk) for flows in (ruled.taken, *ruled.expected))
        return cls(ruled.seq, name, taken, " / ".join(expected))


@dataclass(frozen=True, slots=True)
class Deviant:
    """A step that deviates, in words, and where in the trail."""

    seq: int
    name: str
    kind: str
    why: str

    @classmethod
    def of(cls, deviation: Deviation, on: Deployed, desk: Desk) -> Deviant:
        """The deviation in the language of the page."""
        step = deviation.step
        return cls(deviation.seq, name_on(step, on, desk), said(KINDS[step.kind]), said(WHYS[deviation.why]))


@dataclass(frozen=True, slots=True)
class Picture:
    """One diagram, what was done in it and what deviates marked."""

    id: str
    name: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of the part of a case that ran on one version, from event ``first`` to event ``last``."""

    version: int
    first: int | None
    last: int | None
    deviations: Sequence[Deviant]
    choices: Sequence[Choice]
    pictures: Sequence[Picture]
    lines: Sequence[Line]

    @classmethod
    def of(cls, part: Ran, found: Conformance, on: Deployed, desk: Desk, to: int | None) -> Shown:
        """The part in the language of the page."""
        seqs: Sequence[int | None] = [each.seq for each in part.told] or [None]
        return cls(
            part.version,
            seqs[0],
            seqs[-1],
            [Deviant.of(each, on, desk) for each in part.deviations],
            [Choice.of(each, on, desk) for each in part.ruled],
            pictures(part, on),
            [line(move, found, on, desk) for move in part.moves if not by_itself(move, to)],
        )


@bp.get("/cases/<case:case>/conformance")
def page(case: str) -> Response:
    """A case beside the diagrams it ran under, or (``to``) beside another version of its process."""
    to = request.args.get("to", type=int)
    with look() as work:
        desk = visible(work, case)
        versions = definitions.versions(work, desk.row["process"])

        def at(number: int) -> Deployed:
            return definitions.deployed(work, version(work, desk.row["process"], number))

        found = conforms(work, case, at(to) if to is not None else None, most=MOST_STATES)
        return show(
            "conformance.html",
            case=desk.row,
            found=found,
            verdict=verdict(found),
            to=to,
            versions=[row["version"] for row in versions],
            parts=[Shown.of(part, found, at(part.version), desk, to) for part in found.parts],
        )


def by_itself(move: Move, to: int | None) -> bool:
    """Whether it is no step of its own on another version: its gateways choose, its work items open."""
    return to is not None and move.side == "diagram" and move.step.kind in ON_ANOTHER


def line(move: Move, found: Conformance, on: Deployed, desk: Desk) -> Line:
    """One row of the alignment."""
    seq = found.told[move.place].seq if move.place is not None else None
    return Line(said(KINDS[move.step.kind]), name_on(move.step, on, desk), move.step.process, move.side, seq)


def name_on(step: Step, on: Deployed, desk: Desk) -> str:
    """What the version tried calls the element of a step; else what the case's own version calls it."""
    contents = on.contents.get(step.process)
    there = contents is not None and step.element in contents.diagram.elements
    return said(named(on if there else desk.deployed, step))


def flows_of(on: Deployed, process: str, flows: Sequence[str], desk: Desk) -> str:
    """Flows by their names, else by where they lead."""
    names = []
    for key in flows:
        for deployed in (on, desk.deployed):
            contents = deployed.contents.get(process)
            flow = contents.diagram.flows.get(key) if contents else None
            if contents is not None and flow is not None:
                target = contents.diagram.elements[flow.target]
                names.append(said(Text(flow.name, flow.name_en)) or element_name(target))
                break
        else:
            names.append(key)
    return t("list.comma").join(names)


def pictures(found: Ran, on: Deployed) -> list[Picture]:
    """The diagram of the process, and of those called in which something deviates."""
    marks: dict[str, dict[str, set[Mark]]] = {on.process: {}}
    for move in found.moves:
        if move.side == "both" and move.step.kind != "opened":
            marks.setdefault(move.step.process, {}).setdefault(move.step.element, set()).add("done")
    wrong = [(each.step.process, each.step.element) for each in found.deviations]
    wrong += [(each.process, each.element) for each in found.ruled]
    for process, element in wrong:
        marks.setdefault(process, {}).setdefault(element, set()).add("finding")
    concerned = [on.process, *sorted({process for process, _ in wrong} - {on.process})]
    return [
        Picture(process, process_name(contents.diagram.process), drawn(contents.diagram, frozen(marks[process])))
        for process in concerned
        if (contents := on.contents.get(process)) is not None
    ]


def frozen(marks: Mapping[str, set[Mark]]) -> dict[str, frozenset[Mark]]:
    """Marks that change no more."""
    return {element: frozenset(each) for element, each in marks.items()}
