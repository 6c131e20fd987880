"""From where a token can come to a join: by hand, and on drawings at random against a search for each flow alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bpmn.diagram import Diagram
from bpmn.reader import read_diagram
from bpmn.routes import Ways, reached, reversed_steps, successors
from tests.drawing import Drawn
from tests.harness.models import model
from tests.random_models import random_event_model, random_model

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def joined(body: str, lines: str) -> Diagram:
    """A diagram whose join is called ``j``."""
    return read_diagram(model(START + body + '<inclusiveGateway id="j"/>' + END, lines), "x")


def reaches(diagram: Diagram, join: str) -> dict[str, set[str]]:
    """For each incoming flow of a join, the elements from which a token can come along it."""
    ways = Ways(diagram, [join])
    return {
        flow: {place for place in diagram.elements if ways.along(join, place) >> number & 1}
        for number, flow in enumerate(diagram.elements[join].incoming)
    }


def searched(diagram: Diagram, join: str) -> dict[str, set[str]]:
    """The same, by walking backwards from each flow."""
    before = reversed_steps(successors(diagram))
    return {
        flow: reached([diagram.flows[flow].source], before, not_through=join)
        for flow in diagram.elements[join].incoming
    }


@pytest.mark.parametrize("make", [random_model, random_event_model])
def test_all_joins_together_know_what_each_finds_alone(make: Callable[[int], Drawn], deep: bool) -> None:
    for seed in range(400 if deep else 60):
        for diagram in make(seed).diagrams.values():
            ways = Ways(diagram, diagram.elements)
            for join in diagram.elements:
                alone = searched(diagram, join)
                for place in diagram.elements:
                    found = [place in places for places in alone.values()]
                    assert ways.along(join, place) == sum(there << number for number, there in enumerate(found))


def test_a_join_knows_from_where_each_of_its_flows_can_be_reached() -> None:
    body = '<inclusiveGateway id="g"/><task id="a"/><task id="b"/><task id="c"/>'
    diagram = joined(body, "s -> g\ng -> a\ng -> b\na -> j\nb -> c\nc -> j\nj -> e")
    assert reaches(diagram, "j") == {"a_j": {"s", "g", "a"}, "c_j": {"s", "g", "b", "c"}}


def test_a_way_through_the_join_itself_does_not_count() -> None:
    body = '<inclusiveGateway id="g"/><task id="a"/><task id="b"/><exclusiveGateway id="x"/>'
    diagram = joined(body, "s -> g\ng -> a\ng -> b\na -> j\nb -> j\nj -> x\nx -> g\nx -> e")
    assert reaches(diagram, "j") == {"a_j": {"s", "g", "a", "x"}, "b_j": {"s", "g", "b", "x"}}


def test_a_boundary_event_is_reached_from_its_host_and_inner_elements_do_not_appear() -> None:
    body = """<subProcess id="sub"><startEvent id="is"/><task id="inner"/></subProcess>
      <boundaryEvent id="b" attachedToRef="sub"><timerEventDefinition/></boundaryEvent>"""
    diagram = joined(body, "s -> sub\nsub -> j\nb -> j\nj -> e")
    assert reaches(diagram, "j") == {"sub_j": {"s", "sub"}, "b_j": {"s", "sub", "b"}}


def test_a_join_behind_a_very_long_chain_is_no_trouble() -> None:
    tasks = "".join(f'<task id="t{n}"/>' for n in range(3_000))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(2_999))
    assert len(reaches(joined(tasks, f"s -> t0\n{rows}\nt2999 -> j\nj -> e"), "j")["t2999_j"]) == 3_001
