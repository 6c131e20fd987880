"""Reads participants and lanes, and gives the user tasks in a lane its role. Which roles there are, the gate knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bpmn import dialects, nodes, parts
from bpmn.diagram import Lane, Other
from bpmn.dialects import BPMN
from bpmn.nodes import Book
from bpmn.safe_xml import Node

MAX_LANES = 1_000
_WORDS = frozenset({"role", "name-en"})
# A lane whose name is a role code, such as `registrar`, means that role; other names are for people to read.
_CODE = re.compile(r"[a-z][a-z0-9_]*")


def read_lanes(root: Node, owners: Sequence[Node], book: Book) -> tuple[Lane, ...]:
    """Participants first, then lanes, outer before inner; every element learns its innermost lane."""
    read: list[Lane] = []
    for node in (*_participants(root), *(lane for owner in owners for lane in _lane_nodes(owner))):
        if len(read) >= MAX_LANES:
            raise book.findings.stop("too-many-elements", node.line,
                                     f"泳道超过 {MAX_LANES} 条：请合并泳道，或把流程拆开",
                                     f"there are more than {MAX_LANES} lanes: join some or split the process")
        if node.first(BPMN, "participantMultiplicity"):
            book.others.append(Other("participantMultiplicity", node.get("id"), node.line))
        lane = _lane(node, book)
        read.append(lane)
        for key in lane.elements:
            if key in book.elements:
                book.elements[key] = replace(book.elements[key], lane=lane.id)
    return tuple(read)


def _participants(root: Node) -> Iterator[Node]:
    for collaboration in root.all(BPMN, "collaboration"):
        yield from collaboration.all(BPMN, "participant")


def give_roles(lanes: tuple[Lane, ...], book: Book) -> None:
    """Let user tasks that name nobody themselves be done by the role of their lane.

    That is the lane's ``policy:role``, else its name if it is written as a code; an inner lane counts before an outer
    one, and what lies in a subprocess takes the role of the lane in which the subprocess stands.
    """
    given: dict[str, str] = {}
    for lane in lanes:
        role = lane.role or (lane.name if _CODE.fullmatch(lane.name) else None)
        if role:
            given.update(dict.fromkeys(lane.elements, role))
    for key, element in book.elements.items():
        if key not in given and element.container in given:
            given[key] = given[element.container]
        if key in given and element.type == "userTask" and not {"role", "assignee"} & element.policy.keys():
            book.elements[key] = replace(element, policy={**element.policy, "role": given[key]})


def _lane_nodes(owner: Node) -> Iterator[Node]:
    for lanes in owner.children:
        if lanes.namespace == BPMN and lanes.name in ("laneSet", "childLaneSet"):
            for lane in lanes.all(BPMN, "lane"):
                yield lane
                yield from _lane_nodes(lane)


def _lane(node: Node, book: Book) -> Lane:
    own = dialects.own_attributes(node)
    book.others.extend(dialects.misspelt(node, node.get("id"), _WORDS))
    listed = tuple(parts.text_of(each).rpartition(":")[2] for each in node.all(BPMN, "flowNodeRef"))
    return Lane(nodes.identified(node, book) or "", nodes.named(node, book), listed, own.get("role"), node.line,
                own.get("name-en", ""), pool=node.name == "participant")
