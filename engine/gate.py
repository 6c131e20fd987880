"""The deployment gate of a package: its files read and checked together. Storing what passed is for ``definitions``.

It knows no database and no person, so that it can be asked in a process of its own (``engine.bounded``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bpmn.diagram import Diagram
from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from bpmn.surroundings import OperationSpec, ProcessSignature, Surroundings
from engine.packages import Package
from engine.templates import DocumentTemplate, read_template
from forms.form import Form, read_form
from forms.words import Finding, Text, Unfit

OPERATIONS: Mapping[str, OperationSpec] = {
    "register.record": OperationSpec(frozenset({"register", "key", "value"}), frozenset({"supersede"}), gives=True),
    "register.find": OperationSpec(frozenset({"register", "key"}), gives=True),
    "number.next": OperationSpec(frozenset({"series"}), gives=True),
    "document.issue": OperationSpec(frozenset({"template"}), gives=True),
    "notify": OperationSpec(frozenset({"role", "zh", "en"})),
}
"""What a service task may do: a closed list. ``desk`` does them."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a package turned out to hold, read and checked."""

    diagram: Diagram
    forms: Mapping[str, Form]
    templates: Mapping[str, DocumentTemplate]


def read_package(package: Package) -> tuple[Contents | None, list[Finding]]:
    """Read a package's files; what cannot be read is in the findings, and then there are no contents."""
    findings: list[Finding] = []
    found: dict[str, Form] = {}
    templates: dict[str, DocumentTemplate] = {}
    texts: dict[str, str] = {}
    for path, content in sorted(package.files.items()):
        if path.startswith("forms/"):
            try:
                texts[path] = content.decode("utf-8")
            except UnicodeDecodeError as error:
                line = content.count(b"\n", 0, error.start) + 1
                zh, en = "不是 UTF-8 文字：请另存为 UTF-8", "this is not UTF-8 text: save the file as UTF-8"
                findings.append(Finding("encoding", path, line, None, Text(zh, en)))
    bases = {
        path.rsplit("/", 1)[-1].removesuffix(".yaml"): text for path, text in texts.items() if "/documents/" not in path
    }
    for path, text in texts.items():
        try:
            if "/documents/" in path:
                template = read_template(text, path)
                templates[template.id] = template
            else:
                form = read_form(text, path, bases)
                if form.id in found:
                    zh, en = f"表单 {form.id} 写了两次：请删去一个", f"the form {form.id} is there twice: remove one"
                    findings.append(Finding("duplicate-form", path, 1, form.id, Text(zh, en)))
                found[form.id] = form
        except Unfit as unfit:
            findings += unfit.findings
    diagram = None
    if "process.bpmn" not in package.files:
        zh, en = "包里没有 process.bpmn：请把流程图存为此名", "there is no process.bpmn: save the diagram by that name"
        findings.append(Finding("no-diagram", package.origin, 0, None, Text(zh, en)))
    else:
        try:
            diagram = read_diagram(package.files["process.bpmn"], "process.bpmn")
        except Unfit as unfit:
            findings += unfit.findings
    return (Contents(diagram, found, templates) if diagram else None), findings


def check_package(
    package: Package, roles: Collection[str], signatures: Mapping[str, ProcessSignature]
) -> tuple[Contents | None, list[Finding]]:
    """Everything that is wrong with a package, each with file, line, element and what to do."""
    contents, findings = read_package(package)
    if contents is not None:
        findings += check_contents(contents, roles, signatures)
    return contents, findings


def check_contents(
    contents: Contents, roles: Collection[str], signatures: Mapping[str, ProcessSignature]
) -> list[Finding]:
    """What is wrong with a package that could be read; ``signatures`` are the processes it may call."""
    surroundings = Surroundings(
        forms=contents.forms, roles=frozenset(roles), operations=OPERATIONS, processes=signatures
    )
    return check_diagram(contents.diagram, surroundings) + _missing_templates(contents)


def _missing_templates(contents: Contents) -> list[Finding]:
    """Documents that a service task issues from a template the package does not have."""
    findings = []
    for element in contents.diagram.elements.values():
        for operation in element.operations:
            named = operation.parameters.get("template", "").strip("'\"")
            if operation.name == "document.issue" and named not in contents.templates:
                known = ", ".join(sorted(contents.templates)) or "-"
                zh = f"没有文书模板“{named}”（现有：{known}）：请在 forms/documents/ 中补上"
                en = f"there is no document template {named!r} (there are: {known}): add it under forms/documents/"
                findings.append(Finding("no-template", contents.diagram.file, operation.line, element.id, Text(zh, en)))
    return findings
