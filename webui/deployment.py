"""Handing in a process: the gate's findings in a table and on the diagram, and its deployment once it is clean."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from typing import Any

from flask import Blueprint, Response, request

from bpmn.picture import Mark
from bpmn.reader import read_diagram
from bpmn.surroundings import ProcessSignature, signature
from engine import definitions
from engine.errors import NotFound, NotYours, Unusable
from engine.library import Package, package_of_zip
from engine.people import name_of
from engine.work import Work
from forms.words import Finding, Unfit
from webui.drawing import drawn
from webui.page import act, actor, go, look, new_key, show, vocabulary
from webui.processes import may_deploy
from webui.stored import versions

bp = Blueprint("deployment", __name__)

MOST_BYTES = 5_000_000
FORM_BYTES = 7_500_000  # the same once more, as text: how a checked package comes back to be deployed


def refuse_others(work: Work) -> None:
    """Only those who own processes, and system administrators, deploy them."""
    if not may_deploy():
        who = name_of(work, actor())
        raise NotYours(
            f"{who}不是流程负责人或系统管理员，不能部署流程",
            f"{who} is neither a process owner nor a system administrator and may not deploy a process",
            ("role",),
        )


@bp.get("/deployment")
def page() -> Response:
    """Where to hand in a process."""
    with look() as work:
        refuse_others(work)
        return show("deployment.html", most=MOST_BYTES, key=new_key())


@bp.post("/deployment")
def check() -> Response:
    """What the gate says of a package. Nothing is deployed yet."""
    file = request.files.get("package")
    if file is None or not file.filename:
        raise Unusable("请选择 .bpmn 或 .zip 文件", "choose a .bpmn or a .zip file")
    name, data = file.filename, file.read(MOST_BYTES + 1)
    with look() as work:
        refuse_others(work)
        package, findings = understood(work, name, data)
        return findings_page(work, name, data, package, findings)


def understood(work: Work, name: str, data: bytes) -> tuple[Package | None, list[Finding]]:
    """The package in a file; without one, why not."""
    if len(data) > MOST_BYTES:
        raise Unusable(
            f"文件超过 {MOST_BYTES // 1_000_000} MB", f"the file is larger than {MOST_BYTES // 1_000_000} MB"
        )
    if name.lower().endswith(".zip"):
        return package_of_zip(data, name), []
    try:
        process = read_diagram(data, name).process.id
    except Unfit as unfit:
        return None, unfit.findings
    return Package(name, {**forms_in_force(work, process), "process.bpmn": data}), []


def forms_in_force(work: Work, process: str) -> dict[str, bytes]:
    """A diagram that comes alone goes with the forms of the version in force."""
    try:
        newest = versions(work, process)[0]["id"]
    except NotFound:
        return {}
    return dict(definitions.package_of(work, newest).files)


def findings_page(work: Work, name: str, data: bytes, package: Package | None, found: list[Finding]) -> Response:
    """All that was found, and the diagram with the elements concerned; a clean package can be deployed from here."""
    contents, findings = (
        definitions.check_package(package, vocabulary(), signatures(work)) if package else (None, found)
    )
    marks: dict[str, frozenset[Mark]] = defaultdict(frozenset)
    for finding in findings:
        if finding.element:
            marks[finding.element] = frozenset({"finding"})
    clean = contents is not None and not any(finding.severity == "error" for finding in findings)
    names: dict[str, Any] = {
        "name": name,
        "package": package,
        "findings": findings,
        "clean": clean,
        "process": contents.diagram.process if contents else None,
        "picture": drawn(contents.diagram, marks) if contents else None,
        "data": base64.b64encode(data).decode() if clean else "",
        "key": new_key(),
    }
    return show("findings.html", status=200 if clean else 422, **names)


def signatures(work: Work) -> dict[str, ProcessSignature]:
    """What the processes in force take and give when they are called."""
    rows = definitions.in_force(work)
    return {row.process: signature(definitions.deployed(work, row.id).diagram) for row in rows}


@bp.post("/deployment/confirmation")
def deploy() -> Response:
    """Deploy the package that was just checked; the gate looks at it again."""
    request.max_form_memory_size = FORM_BYTES
    name, text = request.form.get("_name", ""), request.form.get("_data", "")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unusable("上传的内容不完整，请重新上传", "the upload is incomplete; hand it in again") from error
    with look() as work:
        refuse_others(work)
        package, findings = understood(work, name, data)
        if package is None:
            return findings_page(work, name, data, None, findings)
    try:
        with act("deploy", package.sha256) as work:
            deployed = definitions.deploy(work, package, vocabulary())
    except Unfit as unfit:
        with look() as work:
            return findings_page(work, name, data, package, unfit.findings)
    return go("processes.version", process=deployed.process, number=deployed.version)
