"""Handing in a process: the gate's findings in a table and on the diagram, and its deployment once it is clean."""

from __future__ import annotations

import base64
import binascii

from flask import Blueprint, Response, request
from markupsafe import Markup

from engine import definitions
from engine.bounded import Judged
from engine.errors import NotFound, NotYours, Unusable
from engine.packages import Package, package_of_zip
from engine.people import name_of
from engine.work import Work
from forms.words import Unfit
from webui.page import act, actor, go, language, look, new_key, show, vocabulary
from webui.processes import may_deploy

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
        package, judged = understood(work, name, data)
        return findings_page(name, data, package, judged)


def understood(work: Work, name: str, data: bytes) -> tuple[Package, Judged]:
    """The package in a file, and what the gate says of it. A diagram that comes alone goes with the forms in force."""
    if len(data) > MOST_BYTES:
        raise Unusable(
            f"文件超过 {MOST_BYTES // 1_000_000} MB", f"the file is larger than {MOST_BYTES // 1_000_000} MB"
        )
    if name.lower().endswith(".zip"):
        package = package_of_zip(data, name)
        return package, judge(work, package)
    alone = Package(name, {"process.bpmn": data})
    judged = judge(work, alone)
    if judged.process is None:
        return alone, judged
    package = Package(name, {**files_in_force(work, judged.process), "process.bpmn": data})
    return package, judge(work, package)


def judge(work: Work, package: Package) -> Judged:
    """What the gate says of a package, with the picture in the reader's language."""
    return definitions.judged(work, [package], vocabulary(), language())[0]


def files_in_force(work: Work, process: str) -> dict[str, bytes]:
    """The files of the newest version of a process; none if it is new."""
    try:
        newest = definitions.versions(work, process)[0]["id"]
    except NotFound:
        return {}
    return dict(definitions.package_of(work, newest).files)


def findings_page(name: str, data: bytes, package: Package, judged: Judged) -> Response:
    """All that was found, and the diagram with the elements concerned; a clean package can be deployed from here."""
    return show(
        "findings.html",
        status=200 if judged.ok else 422,
        name=name,
        package=package,
        judged=judged,
        picture=Markup(judged.picture),  # noqa: S704 - drawn by bpmn.picture, which escapes every text
        data=base64.b64encode(data).decode() if judged.ok else "",
        key=new_key(),
    )


@bp.post("/deployment/confirmation")
def deploy() -> Response:
    """Deploy the package that was just checked; the gate is asked again, before anybody has to wait for its answer."""
    request.max_form_memory_size = FORM_BYTES
    name, text = request.form.get("_name", ""), request.form.get("_data", "")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unusable("上传的内容不完整，请重新上传", "the upload is incomplete; hand it in again") from error
    with look() as work:
        refuse_others(work)
        package, judged = understood(work, name, data)
        if not judged.ok:
            return findings_page(name, data, package, judged)
        definitions.judged(work, [package], vocabulary())
    try:
        with act("deploy", package.sha256) as work:
            deployed = definitions.deploy(work, package, vocabulary())
    except Unfit as unfit:
        return findings_page(name, data, package, Judged(False, tuple(unfit.findings)))
    return go("processes.version", process=deployed.process, number=deployed.version)
