"""The inside of the process in which packages are judged: it gives itself limits, and then reads what it was handed.

It gets the question on its standard input, a line of JSON and the bytes of all files, and answers in lines of JSON.
Once confined it can open no file and no connection and start nothing, whatever a package makes the libraries do.
"""

from __future__ import annotations

import codecs
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bpmn.diagram import Diagram
from bpmn.picture import Mark, draw
from bpmn.reader import read_drawing
from bpmn.safe_xml import ENCODINGS
from bpmn.scopes import form_of
from bpmn.surroundings import OperationSpec, ProcessSignature, signature
from engine.gate import Contents, check_contents, read_package
from engine.packages import Package
from forms.values import Value, from_json
from forms.words import Finding, Language, Text, Unfit

try:
    import resource
except ImportError:  # not everywhere; then only the clock of the other side ends this process
    resource = None  # type: ignore[assignment]

SECONDS = 20
"""Processor time for one package."""
MEMORY = 1 << 30
"""Bytes beyond those that the program takes before it has judged anything."""
MOST_ANSWER = 64 << 20
MOST_FINDINGS = 2_000

_FORBIDDEN = (
    "open", "exec", "os.", "shutil.", "tempfile.", "glob.", "pathlib.", "mmap.", "fcntl.", "socket.", "ssl.", "urllib.",
    "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "webbrowser.", "subprocess.", "pty.", "ctypes.", "sqlite3.",
    "pickle.", "marshal.", "resource.", "winreg.", "_winapi.", "msvcrt.", "code.__new__",
)  # fmt: skip


def main() -> int:
    """Answer one question; 0 when it was answered."""
    asked = json.loads(sys.stdin.buffer.readline())
    packages = [
        Package(each["origin"], {path: sys.stdin.buffer.read(size) for path, size in each["files"]})
        for each in asked["packages"]
    ]
    judged_once()
    confine(asked["seconds"], asked["memory"])
    try:
        answer(packages, asked)
    except MemoryError:
        failed = "memory"
    except RecursionError:
        failed = "nesting"
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side must hear of it
        at = error.__traceback__
        while at and at.tb_next:
            at = at.tb_next
        failed = f"{type(error).__name__} {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "?"
    else:
        return 0
    _tell({"failed": failed})
    return 1


_SAMPLE = Package("sample", {
    "process.bpmn": b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
xmlns:policy="urn:liuhen:policy"><process id="p"><startEvent id="s"/>
<userTask id="t" policy:role="clrk" policy:form="f" policy:due="today +"/>
<sequenceFlow id="f" sourceRef="s" targetRef="t"/></process></definitions>""",
    "forms/f.yaml": b"id: f\ntitle: {zh: f}\nfields: [{code: a, kind: text, label: {zh: a}, pattern: a+}]",
    "forms/g.yaml": b"{",
})  # fmt: skip


def judged_once() -> None:
    """Judge a small package, so that whatever the libraries load only when it is needed has been loaded."""
    contents, findings = read_package(_SAMPLE)
    assert contents is not None
    findings += check_contents(contents, {"clerk"}, {}, {})
    json.dumps(_row(_SAMPLE, contents, findings, "zh"))
    _row(Package("none", {"process.bpmn": b"<"}), None, findings, "en")


def confine(seconds: int, memory: int) -> None:
    """From now on this process can take so many seconds and so many bytes more, and reach nothing outside itself."""
    warnings.simplefilter("ignore")  # one that is shown would open the source file
    for encoding in (*ENCODINGS, "cp437"):  # the last for the names in a zip, such as a Word file
        codecs.lookup(encoding)
    if resource is not None:
        limits = {
            resource.RLIMIT_CPU: seconds,
            resource.RLIMIT_FSIZE: MOST_ANSWER,
            resource.RLIMIT_NOFILE: 3,  # standard input, output and error are there; nothing else can be opened
            resource.RLIMIT_CORE: 0,
        }
        with suppress(OSError, ValueError):
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + memory
        for limit, value in limits.items():
            with suppress(OSError, ValueError):
                resource.setrlimit(limit, (value, value))
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)


def answer(packages: list[Package], asked: Mapping[str, Any]) -> None:
    """Tell of each package what is wrong with it; before each step, which package it is about."""
    signatures = {
        name: ProcessSignature(**{word: frozenset(names) for word, names in told.items()})
        for name, told in asked["signatures"].items()
    }
    read: list[tuple[Contents | None, list[Finding]]] = []
    first: dict[str, int] = {}
    for number, package in enumerate(packages):
        _tell({"at": number})
        contents, findings = read_package(package)
        if contents:
            process = contents.diagram.process
            signatures[process.id] = signature(contents.diagram)
            if first.setdefault(process.id, number) != number:
                other = packages[first[process.id]].origin
                zh = f"“{other}”也是流程 {process.id}：同一流程只能部署其一"
                en = f"{other!r} is the process {process.id} as well: only one of the two can be deployed"
                findings.append(
                    Finding("duplicate-process", contents.diagram.file, process.line, process.id, Text(zh, en))
                )
        read.append((contents, findings))
    parameters = None if asked["parameters"] is None else _values(asked["parameters"])
    later = {day: _values(text) for day, text in asked["later"].items()}
    operations = {
        name: OperationSpec(frozenset(told["required"]), frozenset(told["optional"]), told["gives"])
        for name, told in asked["operations"].items()
    }
    for number, (package, (contents, unreadable)) in enumerate(zip(packages, read, strict=True)):
        _tell({"at": number})
        wrong = check_contents(
            contents, asked["roles"], signatures, parameters, asked["facts"], later=later, operations=operations,
            drafts=asked["drafts"],
        ) if contents else []
        _tell(_row(package, contents, unreadable + wrong, asked["language"]))


def _values(text: str) -> Mapping[str, Value]:
    values = from_json(text)
    assert isinstance(values, dict)
    return values


def _row(package: Package, contents: Contents | None, findings: list[Finding], language: Language) -> dict[str, Any]:
    diagram = contents.diagram if contents else _to_be_seen(package)
    told = signature(contents.diagram) if contents else None
    shown = findings[:MOST_FINDINGS]
    if len(findings) > MOST_FINDINGS:
        more = len(findings) - MOST_FINDINGS
        zh, en = f"另有 {more} 处：请先改正以上各处", f"and {more} more: correct the ones above first"
        shown.append(Finding("more", package.origin, 0, None, Text(zh, en)))
    return {
        "ok": contents is not None and not any(finding.severity == "error" for finding in findings),
        "findings": [finding_row(finding) for finding in shown],
        "process": diagram.process.id if diagram else None,
        "signature": {name: sorted(getattr(told, name)) for name in told.__slots__} if told else None,
        "types": _types(diagram, shown) if diagram else {},
        "picture": _picture(diagram, concerned(diagram, contents, shown), language) if diagram else "",
    }


def finding_row(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "id": finding.code,
        "file": finding.file,
        "line": finding.line,
        "element": finding.element,
        "severity": finding.severity,
        "zh": finding.text.zh,
        "en": finding.text.en,
    }


def _to_be_seen(package: Package) -> Diagram | None:
    """The drawing of a diagram that cannot be run, as far as one can be made out."""
    try:
        return read_drawing(package.files.get("process.bpmn", b""), "process.bpmn")
    except Unfit:
        return None


def _types(diagram: Diagram, findings: list[Finding]) -> dict[str, str]:
    types = {diagram.process.id: "process"}
    types |= {lane.id: "participant" if lane.pool else "lane" for lane in diagram.lanes}
    types |= dict.fromkeys(diagram.flows, "sequenceFlow")
    types |= {other.element: other.type for other in diagram.others if other.element}
    types |= {element.id: element.type for element in diagram.elements.values()}
    return {finding.element: types[finding.element] for finding in findings if finding.element in types}


def concerned(diagram: Diagram, contents: Contents | None, findings: list[Finding]) -> frozenset[str]:
    """The elements that findings are about; those of a table or form are about the tasks that use it."""
    found = {finding.element for finding in findings if finding.element and finding.file == "process.bpmn"}
    files = {finding.file for finding in findings}
    for element in diagram.elements.values():
        table = contents.tables.get(element.policy.get("decision", "")) if contents else None
        if (table is not None and table.file in files) or f"forms/{form_of(element)}.yaml" in files:
            found.add(element.id)
    return frozenset(found)


def _picture(diagram: Diagram, elements: frozenset[str], language: Language) -> str:
    marks: dict[str, frozenset[Mark]] = defaultdict(frozenset)
    marks |= dict.fromkeys(elements, frozenset({"finding"}))
    process = diagram.process
    english = process.policy.get("name-en") or process.policy.get("title-en", "")
    return draw(diagram, marks, language, title=Text(process.name, english).said(language))


def _tell(row: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
