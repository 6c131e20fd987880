"""Reads a BPMN 2.0 file into a ``Diagram``: bytes in, one picture of the process out, or ``Unfit`` with every finding.

Reading refuses what cannot be understood. Whether the process may be deployed is for ``bpmn.lint`` to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bpmn import dialects, nodes, safe_xml, sound
from bpmn.diagram import Diagram, Other, Process
from bpmn.dialects import BPMN
from bpmn.event_parts import REFERRED, definitions
from bpmn.findings import Findings
from bpmn.lanes import give_roles, read_lanes
from bpmn.nodes import Book
from bpmn.safe_xml import Node
from bpmn.shapes import read_shapes
from forms.words import Finding, Unfit


class Undecided(Unfit):
    """A file that does not say which of its processes runs. ``diagrams`` are those that could be read all the same."""

    def __init__(self, findings: list[Finding], diagrams: list[Diagram]) -> None:
        super().__init__(findings)
        self.diagrams = diagrams


def read_diagram(data: bytes, file: str) -> Diagram:
    """The one executable process of a BPMN file.

    A file with one process is that process. Of several, the one with ``isExecutable="true"`` counts and the others are
    pictures of partners; without exactly one such process the file is refused. (One without any element is a closed
    pool, and does not count.) Raises ``Unfit`` with all findings.
    """
    findings = Findings(file)
    root = _root(data, findings)
    every = _processes(root, findings)
    processes = [each for each in every if nodes.any_of(each)] or every
    executable = [process for process in processes if process.flag("isExecutable", default=False)]
    if len(processes) > 1 and len(executable) != 1:
        raise _undecided(data, root, processes, executable, findings)
    owner = executable[0] if executable else processes[0]
    book = Book(findings, definitions(root))
    diagram = _read(data, root, [owner], book)
    if findings.found:
        raise Unfit(findings.in_order())
    return replace(diagram, others=(*diagram.others, *_partners(each for each in processes if each is not owner)))


def _partners(processes: Iterable[Node]) -> Iterator[Other]:
    """The processes of a file that are only drawn beside the one that runs."""
    return (Other("process", each.get("id")[: nodes.MAX_ID] or None, each.line) for each in processes)


def _undecided(
    data: bytes, root: Node, processes: list[Node], executable: list[Node], findings: Findings
) -> Undecided:
    """What is wrong with a file of several processes, of which none or more than one says that it runs."""
    diagrams = []
    for process in processes:
        zh = f"文件有 {len(processes)} 个流程，其中 {len(executable)} 个可执行"
        en = f"the file has {len(processes)} processes, {len(executable)} of them executable"
        findings.add("several-processes", process.line, process.get("id")[: nodes.MAX_ID] or None,
                     f'{zh}：请只让一个流程 isExecutable="true"，其余分文件保存',
                     f'{en}: mark exactly one with isExecutable="true" and save the others in files of their own')
        apart = Findings(findings.file)
        try:
            diagrams.append(_read(data, root, [process], Book(apart, definitions(root))))
        except Unfit as unfit:
            apart.found = unfit.findings
        findings.found += apart.found
    return Undecided(findings.in_order(), diagrams)


def read_drawing(data: bytes, file: str) -> Diagram:
    """What a BPMN file shows, only to be looked at: also where ``read_diagram`` would refuse it.

    All its processes are drawn as parts of the first. What has no id, or one that is used already, is given another.
    Raises ``Unfit`` where there is nothing to be seen: no sound XML, no process, far too many elements.
    """
    findings = Findings(file)
    root = _root(data, findings)
    owners = _processes(root, findings)
    diagram = _read(data, root, owners, Book(findings, definitions(root), viewing=True))
    return replace(diagram, others=(*diagram.others, *_partners(owners[1:])))


def _read(data: bytes, root: Node, owners: list[Node], book: Book) -> Diagram:
    owner = owners[0]
    book.starter = dialects.starter(owner)
    key = nodes.identified(owner, book) or ""
    for each in owners:
        nodes.read_container(each, key, book)
    for collaboration in root.all(BPMN, "collaboration"):
        nodes.read_notes(collaboration, book)
    if not book.viewing:
        # Only now every flow has an id.
        _check_unique(root, book)
        for each in owners:
            sound.check_once(each, book.findings)
    nodes.keep_others(owner, key, book)
    book.others.extend(sound.strange_words(owner))
    for node in (each for kind in REFERRED for each in root.all(BPMN, kind)):
        book.others.extend(dialects.foreign_words(node, node.get("id")))
    lanes = read_lanes(root, owners, book)
    nodes.connect(book)
    give_roles(lanes, book)
    process = Process(key, nodes.named(owner, book), owner.line, owner.flag("isExecutable", default=True),
                      dialects.own_attributes(owner))
    shapes, edges = read_shapes(root)
    drawn = {edge: way for edge, way in edges.items() if book.viewing or edge in book.flows or book.explains(edge)}
    return Diagram(
        file=book.findings.file, sha256=hashlib.sha256(data).hexdigest(), process=process, elements=book.elements,
        flows=book.flows, lanes=lanes, shapes=shapes, edges=drawn, notes=book.notes, others=tuple(book.others),
    )


def _root(data: bytes, findings: Findings) -> Node:
    root = safe_xml.parse(data, findings)
    _check_root(root, findings)
    return root


def _check_root(root: Node, findings: Findings) -> None:
    if (root.namespace, root.name) == (BPMN, "definitions"):
        return
    if "/DMN/" in root.namespace:
        zh, en = "这是 DMN 决策表，不是流程图", "this is a DMN decision table, not a process diagram"
    elif root.name == "html":
        zh, en = "这是网页，不是流程图", "this is a web page, not a process diagram"
    else:
        zh = f"根元素是 {root.name[:60]}，不是 BPMN 2.0 的 definitions"
        en = f"the root is {root.name[:60]}, not the definitions of BPMN 2.0"
    raise findings.stop("wrong-root", root.line, f"{zh}：请上传命名空间为 {BPMN} 的文件",
                        f"{en}: upload a file of the namespace {BPMN}")


def _processes(root: Node, findings: Findings) -> list[Node]:
    processes = root.all(BPMN, "process")
    if not processes:
        raise findings.stop("no-process", root.line, "文件中没有流程（process）：请画出流程后再上传",
                            "the file has no process: draw one and upload it again")
    return processes


def _check_unique(root: Node, book: Book) -> None:
    """No id twice in the model; what lies in extension elements belongs to other tools."""
    first: dict[str, int] = {}
    for node in root.walk():
        key = node.get("id")
        if not key or node.namespace != BPMN:
            continue
        if key in first:
            book.findings.add("duplicate-id", node.line, key[: nodes.MAX_ID],
                              f"id 与第 {first[key]} 行重复：请给其中一个换一个 id",
                              f"the id is used in line {first[key]} already: give one of the two another id")
        else:
            first[key] = node.line
