"""From where a token can come to a join."""

from __future__ import annotations

from bpmn.diagram import Diagram
from bpmn.reader import read_diagram
from bpmn.routes import reaches
from tests.harness.models import model

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def joined(body: str, lines: str) -> Diagram:
    """A diagram whose join is called ``j``."""
    return read_diagram(model(START + body + '<inclusiveGateway id="j"/>' + END, lines), "x")


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
