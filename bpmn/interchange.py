"""Writes where the parts of a diagram are drawn (BPMN DI) into its file, and leaves every other byte as it was.

Where they are drawn is for ``bpmn.layout``; a file that already says so for every part is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from bpmn import safe_xml
from bpmn.diagram import Diagram, Edge, Shape
from bpmn.dialects import BPMN, DC, DD, DI
from bpmn.findings import Findings
from bpmn.layout import Drawing, hidden, laid_out, place
from bpmn.reader import read_diagram
from bpmn.safe_xml import Node

_USUAL: Mapping[str, str] = {DI: "bpmndi", DC: "dc", DD: "di"}
_NOTE = (200.0, 50.0)
_GAP = 40.0
# A sound file is made of these: what is no tag, and tags with their quoted attributes.
_PART = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?P<end>/?)(?P<name>[^\s/>]+)(?:[^>"']|"[^"]*"|'[^']*')*>""",
    re.DOTALL,
)
_NAMESPACE = re.compile(r"""xmlns:([\w.-]+)\s*=\s*["']([^"']*)["']""")


def with_drawing(data: bytes, file: str) -> bytes:
    """The file with a place for each of its parts; itself where nothing is missing. Unfit: it cannot be read."""
    diagram = read_diagram(data, file)
    if is_whole(diagram):
        return data
    findings = Findings(file)
    root = safe_xml.parse(data, findings)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise findings.stop("encoding", 1, "只能写入 UTF-8 编码的文件：请另存为 UTF-8",
                            "only a file in UTF-8 is written to: save it as UTF-8") from None
    drawing = laid_out(diagram) if hidden(diagram, diagram.shapes) else place(diagram)
    newline = "\r\n" if "\r\n" in text else "\n"
    before, after = _around(text, newline)
    written = newline.join(_Pen(diagram, root, drawing, _declared(text)).lines())
    return f"{before}{written}{after}".encode()


def is_whole(diagram: Diagram) -> bool:
    """Whether the file says of every element, flow, note and lane in use where it is drawn."""
    lanes = {each.lane for each in diagram.elements.values() if each.lane}
    drawn = {flow.id for flow in diagram.flows.values() if {flow.source, flow.target} <= diagram.elements.keys()}
    nodes = diagram.elements.keys() | diagram.notes.keys() | lanes
    return nodes <= diagram.shapes.keys() and drawn <= diagram.edges.keys()


def _around(text: str, newline: str) -> tuple[str, str]:
    """What of the file stands before and behind its drawings, or before and behind the place for one."""
    depth, start, end, close = 0, None, 0, 0
    for part in _PART.finditer(text):
        of_diagram = (part["name"] or "").rpartition(":")[2] == "BPMNDiagram"
        if not part["name"]:
            continue
        if part["end"]:
            depth -= 1
            end = part.end() if depth == 1 and of_diagram else end
            close = part.start()
        elif not part[0].endswith("/>"):
            start = part.start() if depth == 1 and of_diagram and start is None else start
            depth += 1
    if start is not None:
        return text[:start], text[end:]
    kept = text[:close].rstrip(" \t")
    return (kept if kept.endswith("\n") else kept + newline) + "  ", newline + text[close:]


def _declared(text: str) -> dict[str, str]:
    """The namespaces that the root of the file has a prefix for."""
    root = next(part for part in _PART.finditer(text) if part["name"])
    return {uri: prefix for prefix, uri in _NAMESPACE.findall(root[0])}


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes one drawing of one file."""

    diagram: Diagram
    root: Node
    drawing: Drawing
    declared: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        """The diagram as lines of XML, all but the first indented."""
        process, di = self.diagram.process.id, self._prefix(DI)
        missing = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in _USUAL.items() if uri not in self.declared)
        drawn = self.root.first(BPMN, "collaboration")
        plane = drawn.get("id") if drawn is not None and any(lane.pool for lane in self.diagram.lanes) else process
        yield f'<{di}:BPMNDiagram id="{self._id("diagram", process)}"{missing}>'
        yield f'    <{di}:BPMNPlane id="{self._id("plane", process)}" bpmnElement="{escape(plane or process)}">'
        shapes = {**self.drawing.shapes, **self._notes()}
        for shape in shapes.values():
            yield from self._shape(shape)
        for edge in (*self.drawing.edges.values(), *self._associations(shapes)):
            yield from self._edge(edge)
        yield f"    </{di}:BPMNPlane>"
        yield f"  </{di}:BPMNDiagram>"

    def _prefix(self, uri: str) -> str:
        return self.declared.get(uri, _USUAL[uri])

    def _id(self, kind: str, of: str) -> str:
        """An id that nothing else in the file has."""
        found, taken = f"{kind}_{of}", {*self.diagram.elements, *self.diagram.flows, self.diagram.process.id}
        while found in taken:
            found += "_"
        return escape(found)

    def _shape(self, shape: Shape) -> Iterator[str]:
        element = self.diagram.elements.get(shape.element)
        said = ""
        if element is None and shape.element not in self.diagram.notes:
            said = ' isHorizontal="true"'
        elif element is not None and any(each.container == element.id for each in self.diagram.elements.values()):
            said = ' isExpanded="true"'
        elif element is not None and element.type == "exclusiveGateway":
            said = ' isMarkerVisible="true"'
        di, key = self._prefix(DI), escape(shape.element)
        yield f'      <{di}:BPMNShape id="{self._id("shape", shape.element)}" bpmnElement="{key}"{said}>'
        yield f"        {self._bounds(shape.x, shape.y, shape.width, shape.height)}"
        if shape.label:
            yield f"        <{di}:BPMNLabel>{self._bounds(*shape.label)}</{di}:BPMNLabel>"
        yield f"      </{di}:BPMNShape>"

    def _bounds(self, *places: float) -> str:
        said = " ".join(
            f'{name}="{_written(each)}"' for name, each in zip(("x", "y", "width", "height"), places, strict=True)
        )
        return f"<{self._prefix(DC)}:Bounds {said}/>"

    def _edge(self, edge: Edge) -> Iterator[str]:
        di, key = self._prefix(DI), escape(edge.element)
        yield f'      <{di}:BPMNEdge id="{self._id("edge", edge.element)}" bpmnElement="{key}">'
        for x, y in edge.points:
            yield f'        <{self._prefix(DD)}:waypoint x="{_written(x)}" y="{_written(y)}"/>'
        if edge.label:
            yield f"        <{di}:BPMNLabel>{self._bounds(*edge.label)}</{di}:BPMNLabel>"
        yield f"      </{di}:BPMNEdge>"

    def _notes(self) -> dict[str, Shape]:
        """The notes that have no place, in a row below everything else."""
        free = [note for note in self.diagram.notes if note not in self.drawing.shapes]
        below = max((shape.y + shape.height for shape in self.drawing.shapes.values()), default=0.0) + _GAP
        return {note: Shape(note, _GAP + (_NOTE[0] + _GAP) * at, below, *_NOTE) for at, note in enumerate(free)}

    def _associations(self, shapes: Mapping[str, Shape]) -> Iterator[Edge]:
        """The lines between notes and what they explain, where the file has none."""
        for node in self.root.walk():
            if node.namespace == BPMN and node.name == "association" and node.get("id") not in self.drawing.edges:
                ends = [shapes.get(node.get(end).rpartition(":")[2]) for end in ("sourceRef", "targetRef")]
                middles = [(each.x + each.width / 2, each.y + each.height / 2) for each in ends if each is not None]
                if len(middles) == 2 and node.get("id"):
                    yield Edge(node.get("id"), (middles[0], middles[1]))


def _written(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
