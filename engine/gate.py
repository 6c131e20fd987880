"""The deployment gate of a package: its files read and checked together. Storing what passed is for ``definitions``.

It knows no database and no person, so that it can be asked in a process of its own (``engine.bounded``).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from bpmn.diagram import Diagram
from bpmn.dmn import by_every_name, read_tables
from bpmn.dmn_coverage import gaps_and_overlaps
from bpmn.dmn_table import Table
from bpmn.findings import Findings
from bpmn.keys import check_keys
from bpmn.lint import check_diagram, check_drawing
from bpmn.reader import Undecided, read_diagram
from bpmn.scopes import Scopes
from bpmn.surroundings import OperationSpec, ProcessSignature, Surroundings, signature
from bpmn.wording import unbrought
from engine.packages import Package
from engine.templates import DocumentTemplate, read_template
from engine.word import read_word
from forms.expressions import ExpressionError, compile_expression
from forms.form import Form, read_form
from forms.values import Value
from forms.words import Finding, Text, Unfit

OPERATIONS: Mapping[str, OperationSpec] = {
    "case.start": OperationSpec(frozenset({"process"}), frozenset({"answer"}), gives=True),
    "register.record": OperationSpec(frozenset({"register", "key", "value"}), frozenset({"supersede"}), gives=True),
    "register.find": OperationSpec(frozenset({"register", "key"}), gives=True),
    "number.next": OperationSpec(frozenset({"series"}), gives=True),
    "document.issue": OperationSpec(frozenset({"template"}), gives=True),
    "parameters.adopt": OperationSpec(frozenset({"values", "effective_from"}), gives=True),
    "trail.compile": OperationSpec(frozenset({"cases"}), gives=True),
    "notify": OperationSpec(frozenset({"role", "zh", "en"})),
    "notify.persons": OperationSpec(frozenset({"persons", "zh", "en"})),
}
"""What a service task may do: a closed list. ``desk`` does them."""


OF_PARAMETERS = frozenset({"unknown-parameter", "table-gap", "table-overlap", "cell-value"})
"""The codes of findings that depend on which parameters there are, and on their values."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a package turned out to hold, read and checked."""

    diagram: Diagram
    forms: Mapping[str, Form]
    templates: Mapping[str, DocumentTemplate]
    tables: Mapping[str, Table]


def read_package(package: Package) -> tuple[Contents | None, list[Finding]]:
    """Read a package's files; what cannot be read is in the findings, and then there are no contents."""
    findings: list[Finding] = []
    found: dict[str, Form] = {}
    templates: dict[str, DocumentTemplate] = {}
    texts: dict[str, str] = {}
    for path, content in sorted(package.files.items()):
        if path.startswith("forms/") and not path.endswith(".docx"):
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
                template = _with_word(read_template(text, path), path, package, findings)
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
            if isinstance(unfit, Undecided):
                findings += [finding for each in unfit.diagrams for finding in check_drawing(each)]
                findings = sorted(dict.fromkeys(findings), key=lambda finding: finding.line)
    tables = _tables(package, findings)
    return (Contents(diagram, found, templates, tables) if diagram else None), findings


def _with_word(template: DocumentTemplate, path: str, package: Package, findings: list[Finding]) -> DocumentTemplate:
    """The template with the Word file it names, if it names one."""
    if template.word_file is None:
        return template
    beside = f"{path.rpartition('/')[0]}/{template.word_file}"
    if beside not in package.files:
        named = template.word_file
        zh, en = f"没有 Word 文件 {named}：请放在此文件旁", f"there is no Word file {named}: put it beside this one"
        findings.append(Finding("no-word", path, 1, template.id, Text(zh, en)))
        return template
    word, found = read_word(package.files[beside], beside, template.labels)
    findings += found
    return replace(template, word=word)


def _tables(package: Package, findings: list[Finding]) -> dict[str, Table]:
    """The decision tables of all .dmn files, by their ids and by names that are not shared."""
    tables: dict[str, Table] = {}
    for path, content in sorted(package.files.items()):
        if not path.endswith(".dmn"):
            continue
        try:
            read = read_tables(content, path)
        except Unfit as unfit:
            findings += unfit.findings
            continue
        for table in dict.fromkeys(read.values()):
            other = tables.setdefault(table.id, table)
            if other is not table:
                zh = f"{other.file} 中已有 id 或名称相同的决策：请换一个，或删去其一"
                en = f"{other.file} has a decision of this id or name already: choose another one or remove one of them"
                findings.append(Finding("duplicate-decision", path, table.line, table.id, Text(zh, en)))
    return by_every_name(tables)


def check_package(
    package: Package,
    roles: Collection[str],
    signatures: Mapping[str, ProcessSignature],
    parameters: Mapping[str, Value] | None = None,
    facts: Collection[str] | None = None,
    *,
    later: Mapping[str, Mapping[str, Value]] | None = None,
    operations: Mapping[str, OperationSpec] | None = None,
    drafts: Collection[str] = (),
) -> tuple[Contents | None, list[Finding]]:
    """Everything that is wrong with a package, each with file, line, element and what to do."""
    contents, findings = read_package(package)
    if contents is not None:
        findings += check_contents(
            contents, roles, signatures, parameters, facts, later=later, operations=operations, drafts=drafts
        )
    return contents, findings


def check_contents(
    contents: Contents,
    roles: Collection[str],
    signatures: Mapping[str, ProcessSignature],
    parameters: Mapping[str, Value] | None = None,
    facts: Collection[str] | None = None,
    *,
    later: Mapping[str, Mapping[str, Value]] | None = None,
    operations: Mapping[str, OperationSpec] | None = None,
    drafts: Collection[str] = (),
) -> list[Finding]:
    """What is wrong with a package that could be read; ``signatures`` are the processes it may call.

    With the values of ``parameters``, and those adopted for ``later`` days, the decision tables are looked through for
    gaps and overlaps. ``operations`` are those that installed packages add. Where parameters or facts are None, which
    of them are read or left is not looked at. ``drafts`` are the codes of policy texts that bind nobody.
    """
    surroundings = Surroundings(
        forms=contents.forms,
        roles=frozenset(roles),
        operations={**OPERATIONS, **(operations or {})},
        processes={**signatures, contents.diagram.process.id: signature(contents.diagram)},
        tables=contents.tables,
        facts=None if facts is None else frozenset(facts),
        drafts=frozenset(drafts),
        parameters=None if parameters is None else frozenset(parameters),
    )
    findings = check_diagram(contents.diagram, surroundings) + _check_documents(contents, surroundings)
    for table in dict.fromkeys(contents.tables.values()):
        findings += _left_open(table, parameters or {}, later or {})
    return findings


def _left_open(
    table: Table, parameters: Mapping[str, Value], later: Mapping[str, Mapping[str, Value]]
) -> Iterator[Finding]:
    """The gaps and overlaps of a table today, and those that come with the parameters of a later day."""
    today = gaps_and_overlaps(table, parameters)
    yield from today
    for day, values in later.items():
        for finding in gaps_and_overlaps(table, values):
            if finding not in today:
                zh, en = f"按 {day} 起的参数，{finding.text.zh}", f"with the parameters from {day}, {finding.text.en}"
                yield replace(finding, text=Text(zh, en))


def _check_documents(contents: Contents, surroundings: Surroundings) -> list[Finding]:
    """Documents that a service task issues from a template which is missing, or reads what nothing brings there."""
    diagram, findings = contents.diagram, Findings(contents.diagram.file)
    scopes = Scopes(diagram, surroundings)
    for element in diagram.elements.values():
        for operation in element.operations:
            for named in _named(operation.parameters.get("template", "")) if operation.name == "document.issue" else ():
                template = contents.templates.get(named)
                if template is None:
                    known = ", ".join(sorted(contents.templates)) or "-"
                    findings.add("no-template", operation.line, element.id,
                                 f"没有文书模板“{named}”（现有：{known}）：请在 forms/documents/ 中补上",
                                 f"there is no document template {named!r} (there are: {known}): add it under "
                                 "forms/documents/")
                    continue
                for name in sorted(template.names_read - scopes.inside(element)):
                    unbrought(name, f"文书模板 {named}", f"the document template {named}", operation.line, element.id,
                              scopes, findings)
                for expression in template.expressions:
                    place = (f"文书模板 {named}", f"the document template {named}")
                    check_keys(expression, place, operation.line, element.id, surroundings, findings)
    return findings.in_order()


def _named(source: str) -> list[str]:
    """The templates that an expression names; none where that is known only when a case runs."""
    try:
        body = compile_expression(source).tree.body
    except ExpressionError:
        return []
    chosen = [body.body, body.orelse] if isinstance(body, ast.IfExp) else [body]
    return [each.value for each in chosen if isinstance(each, ast.Constant) and isinstance(each.value, str)]
