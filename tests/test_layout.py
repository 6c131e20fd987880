"""Where things are drawn: as the file says, or by our own layout, which overlaps nothing."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest

from bpmn.diagram import Diagram, Shape
from bpmn.layout import place
from bpmn.reader import read_diagram
from tests.harness.drawn import DRAWN, SMALL, everything, svg
from tests.harness.models import flows, model


def test_a_file_that_places_only_some_elements_is_laid_out_anew() -> None:
    partly = DRAWN.format("true").replace('bpmnElement="a"', 'bpmnElement="other"')
    drawing = place(read_diagram(model(SMALL, "s -> sub", around=partly), "x"))
    assert drawing.shapes.keys() >= {"s", "sub", "a"}
    assert drawing.shapes["s"].x < 1000


def test_a_flow_without_a_line_is_drawn_between_its_placed_ends() -> None:
    undrawn = DRAWN.format("true").replace('bpmnElement="s_sub"', 'bpmnElement="other"')
    edge = place(read_diagram(model(SMALL, "s -> sub", around=undrawn), "x")).edges["s_sub"]
    assert [edge.points[0], edge.points[-1]] == [(1036, 518), (1100, 500)]


def overlap(one: Shape, other: Shape) -> bool:
    """Whether two boxes share any area."""
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def touches(point: tuple[float, float], shape: Shape) -> bool:
    """Whether a point lies on the border of a shape (or in it)."""
    x, y = point
    return (shape.x - 0.1 <= x <= shape.x + shape.width + 0.1) and (shape.y - 0.1 <= y <= shape.y + shape.height + 0.1)


def check_layout(diagram: Diagram) -> None:
    """No two nodes of one container overlap, all lie in their box, and flows join the shapes they connect."""
    drawing = place(diagram)
    inside: dict[str, list[Shape]] = {}
    for element in diagram.elements.values():
        shape = drawing.shapes[element.id]
        if element.attached_to:
            host = drawing.shapes[element.attached_to]
            assert shape.y + shape.height / 2 == pytest.approx(host.y + host.height)
            assert host.x <= shape.x + shape.width / 2 <= host.x + host.width
            continue
        inside.setdefault(element.container, []).append(shape)
        if element.container in drawing.shapes:
            box = drawing.shapes[element.container]
            assert box.x <= shape.x
            assert shape.x + shape.width <= box.x + box.width
            assert box.y <= shape.y
            assert shape.y + shape.height <= box.y + box.height
    for shapes in inside.values():
        for one, other in combinations(shapes, 2):
            assert not overlap(one, other), (one.element, other.element)
    for flow in diagram.flows.values():
        points = drawing.edges[flow.id].points
        assert touches(points[0], drawing.shapes[flow.source]), flow.id
        assert touches(points[-1], drawing.shapes[flow.target]), flow.id
        for before, after in pairwise(points):
            assert before[0] == after[0] or before[1] == after[1], flow.id


def test_our_own_layout_is_orderly() -> None:
    diagram = everything()
    check_layout(diagram)
    shapes = place(diagram).shapes
    assert shapes["s"].x < shapes["a"].x < shapes["g"].x < shapes["sub"].x < shapes["e"].x
    assert shapes["a"].y < shapes["l2"].y <= shapes["g"].y
    assert shapes["pool"].x < shapes["l1"].x


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_drawn_is_laid_out_without_overlap(seed: int) -> None:
    chance = random.Random(seed)
    kinds = ["userTask", "exclusiveGateway", "scriptTask", "parallelGateway", "intermediateCatchEvent"]
    count = chance.randint(2, 30)
    body = "".join(f'<{chance.choice(kinds)} id="n{n}"/>' for n in range(count))
    body += "".join(f'<boundaryEvent id="b{n}" attachedToRef="n{chance.randrange(count)}"/>' for n in range(3))
    ends = [f"n{n}" for n in range(count)]
    pairs = {(chance.choice([*ends, "b0", "b1", "b2"]), chance.choice(ends)) for _ in range(count * 2)}
    lines = "\n".join(f"{source} -> {target}" for source, target in sorted(pairs))
    check_layout(read_diagram(model(body, lines), "x"))


def test_nested_boxes_are_laid_out_inside_each_other() -> None:
    body = '<startEvent id="s0"/><userTask id="t0"/>' + flows("s0 -> t0")
    for depth in range(1, 6):
        body = f'<startEvent id="s{depth}"/><subProcess id="t{depth}">{body}</subProcess>' + flows(
            f"s{depth} -> t{depth}"
        )
    diagram = read_diagram(model(body), "x")
    check_layout(diagram)
    assert svg(diagram) is not None
