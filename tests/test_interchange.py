"""Diagram interchange is written into files that lack it: the same diagram comes back, and no other byte changes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bpmn.diagram import Diagram
from bpmn.interchange import is_whole, with_drawing
from bpmn.layout import place
from bpmn.reader import read_diagram
from engine.library import Library
from forms.words import Unfit
from tests.commands import done, refused
from tests.harness.drawn import EVERYTHING, LINES, POOL
from tests.harness.models import model
from tests.test_layout import check_layout

SHIPPED = Library.standing()
DRAWING = re.compile(rb"\s*<(bpmndi:)?BPMNDiagram\b.*</(bpmndi:)?BPMNDiagram>", re.DOTALL)
PLAIN = b"""<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="x">
  <!-- no </definitions> here -->
  <process id="p" isExecutable="true">
    <startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="e" name="a &lt; b"/><endEvent id="e"/>
    <textAnnotation id="n"><text>nota bene</text></textAnnotation><association id="a" sourceRef="n" targetRef="e"/>
  </process>
</definitions>
<!-- the end -->
"""


def bare(data: bytes) -> bytes:
    """The file without its drawing."""
    return DRAWING.sub(b"", data)


def drawn_apart(diagram: Diagram) -> Diagram:
    """What a diagram says besides where it is drawn."""
    return replace(diagram, sha256="", shapes={}, edges={})


@pytest.mark.parametrize("process", SHIPPED.processes())
def test_every_diagram_of_the_library_says_where_everything_is_drawn(process: str) -> None:
    data = SHIPPED.package(process).files["process.bpmn"]
    diagram = read_diagram(data, "process.bpmn")
    assert is_whole(diagram), f"./liuhen library draw bpmn/library/{process}/process.bpmn"
    assert with_drawing(data, "process.bpmn") == data


@pytest.mark.parametrize("process", SHIPPED.processes())
def test_a_diagram_without_its_drawing_is_drawn_in_order_and_otherwise_unchanged(process: str) -> None:
    whole = bare(SHIPPED.package(process).files["process.bpmn"])
    assert not is_whole(read_diagram(whole, "x"))
    written = with_drawing(whole, "x")
    assert re.sub(rb"\s+", b"", bare(written)) == re.sub(rb"\s+", b"", whole)
    assert written.startswith(whole[: whole.rindex(b"</")].rstrip())
    again = read_diagram(written, "x")
    assert is_whole(again)
    assert drawn_apart(again) == drawn_apart(read_diagram(whole, "x"))
    assert again.shapes.keys() >= again.elements.keys() and again.edges.keys() >= again.flows.keys()
    check_layout(again)
    assert with_drawing(written, "x") == written


def test_what_is_drawn_is_what_our_own_pictures_show() -> None:
    whole = bare(SHIPPED.package("sub_publicity_objection").files["process.bpmn"])
    ours, written = place(read_diagram(whole, "x")), place(read_diagram(with_drawing(whole, "x"), "x"))
    assert written.shapes.keys() == ours.shapes.keys() and written.edges.keys() == ours.edges.keys()
    for key, shape in ours.shapes.items():
        there = written.shapes[key]
        assert (there.x, there.y, there.width, there.height) == pytest.approx(
            (shape.x, shape.y, shape.width, shape.height), abs=0.01
        )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_prefixes_comments_notes_and_line_ends_stay_as_they_are(mark: bytes, newline: bytes) -> None:
    data = mark + PLAIN.replace(b"\n", newline)
    written = with_drawing(data, "x")
    assert is_whole(read_diagram(written, "x"))
    at = written.index(b"  <bpmndi:BPMNDiagram")
    assert written[:at] + written[written.index(b"</bpmndi:BPMNDiagram>") + 21 + len(newline) :] == data
    assert written.count(newline) == written.count(b"\n")
    assert b'bpmnElement="n"' in written and b'bpmnElement="a"' in written


def test_an_incomplete_drawing_is_replaced_where_it_stands() -> None:
    whole = SHIPPED.package("tech_contract_registration").files["process.bpmn"]
    lacking = re.sub(rb'<bpmndi:BPMNShape id="shape_pre_check".*?</bpmndi:BPMNShape>', b"", whole, flags=re.DOTALL)
    assert lacking != whole and not is_whole(read_diagram(lacking, "x"))
    written = with_drawing(lacking, "x")
    assert is_whole(read_diagram(written, "x"))
    assert bare(written) == bare(whole) and written.count(b"<bpmndi:BPMNDiagram ") == 1


def test_a_line_that_is_missing_moves_nothing_else() -> None:
    whole = SHIPPED.package("tech_contract_registration").files["process.bpmn"]
    pattern = rb'<bpmndi:BPMNEdge id="edge_f_g_region__g_effective".*?</bpmndi:BPMNEdge>'
    lacking = re.sub(pattern, b"", whole, flags=re.DOTALL)
    assert lacking != whole
    before, after = read_diagram(whole, "x"), read_diagram(with_drawing(lacking, "x"), "x")
    assert {key: (s.x, s.y, s.label) for key, s in after.shapes.items()} == {
        key: (s.x, s.y, s.label) for key, s in before.shapes.items()
    }
    assert after.edges.keys() == before.edges.keys()


def test_lanes_pools_boxes_and_every_kind_of_element_are_drawn() -> None:
    data = model(EVERYTHING, LINES, around=POOL, attributes='id="p0"')
    written = with_drawing(data, "x")
    diagram = read_diagram(written, "x")
    assert is_whole(diagram) and {"pool", "l1", "l2", "sub", "n"} <= diagram.shapes.keys()
    assert b'bpmnElement="co"' in written and drawn_apart(diagram) == drawn_apart(read_diagram(data, "x"))
    check_layout(diagram)


def test_a_file_that_is_not_written_in_utf_8_is_refused() -> None:
    data = PLAIN.replace(b'<?xml version="1.0"?>', b'<?xml version="1.0" encoding="gbk"?>')
    with pytest.raises(Unfit, match="UTF-8"):
        with_drawing(data.decode().replace("nota bene", "依据第二十二条").encode("gbk"), "x")


def test_the_command_draws_what_is_not_drawn(tmp_path: Path) -> None:
    file, other, url = tmp_path / "a.bpmn", tmp_path / "b.bpmn", str(tmp_path / "none.db")
    file.write_bytes(PLAIN)
    other.write_bytes(SHIPPED.package("register_account").files["process.bpmn"])
    before = other.read_bytes()
    said = done(url, "library", "draw", str(file), str(other)).splitlines()
    assert said[0].endswith("已写入图形 · drawn") and said[1].endswith("图形已完整 · drawn already")
    assert is_whole(read_diagram(file.read_bytes(), "a")) and other.read_bytes() == before
    file.write_bytes(b"<a")
    assert "a.bpmn" in refused(url, 1, "library", "draw", str(file))
