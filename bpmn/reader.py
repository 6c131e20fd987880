"""Reads a BPMN 2.0 file into a ``Diagram``: bytes in, one picture of the process out, or ``Unfit`` with every finding.

Reading refuses what cannot be understood. Whether the process may be deployed is for ``bpmn.lint`` to say.
"""

from __future__ import annotations

import hashlib

from bpmn import dialects, nodes, safe_xml
from bpmn.diagram import Diagram, Process
from bpmn.dialects import BPMN
from bpmn.findings import Findings
from bpmn.lanes import give_roles, read_lanes
from bpmn.nodes import Book
from bpmn.safe_xml import Node
from bpmn.shapes import read_shapes
from forms.words import Unfit


def read_diagram(data: bytes, file: str) -> Diagram:
    """The one executable process of a BPMN file.

    A file with one process is that process. Of several, the one with ``isExecutable="true"`` counts and the others are
    pictures of partners; without exactly one such process the file is refused. Raises ``Unfit`` with all findings.
    """
    findings = Findings(file)
    root = safe_xml.parse(data, findings)
    _check_root(root, findings)
    owner = _executable(root, findings)
    book = Book(findings, {node.get("id"): node.get("name").strip() for node in root.all(BPMN, "message")})
    key = nodes.identified(owner, book) or ""
    nodes.read_container(owner, key, book)
    # Only now every flow has an id.
    _check_unique(root, book)
    nodes.keep_others(owner, key, book)
    lanes = read_lanes(root, owner, book)
    nodes.connect(book)
    give_roles(lanes, book)
    process = Process(key, nodes.named(owner, book), owner.line, owner.flag("isExecutable", default=True),
                      dialects.own_attributes(owner))
    if findings.found:
        raise Unfit(findings.in_order())
    shapes, edges = read_shapes(root)
    return Diagram(
        file=file, sha256=hashlib.sha256(data).hexdigest(), process=process, elements=book.elements, flows=book.flows,
        lanes=lanes, shapes=shapes, edges=edges, notes=book.notes, others=tuple(book.others),
    )


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


def _executable(root: Node, findings: Findings) -> Node:
    processes = root.all(BPMN, "process")
    if not processes:
        raise findings.stop("no-process", root.line, "文件中没有流程（process）：请画出流程后再上传",
                            "the file has no process: draw one and upload it again")
    executable = [process for process in processes if process.flag("isExecutable", default=False)]
    if len(processes) == 1:
        return processes[0]
    if len(executable) == 1:
        return executable[0]
    raise findings.stop("several-processes", processes[1].line,
                        f"文件有 {len(processes)} 个流程，其中 {len(executable)} 个可执行："
                        '请只让一个流程 isExecutable="true"，其余分文件保存',
                        f"the file has {len(processes)} processes, {len(executable)} of them executable: mark exactly "
                        'one with isExecutable="true" and save the others in files of their own')


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
