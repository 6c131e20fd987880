"""Operations that installed packages add: real entry points, known to the gate, run in the step, missed when gone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import bounded, cases, incidents, plugged
from engine.desk import open_desk
from engine.errors import WrongUsage
from engine.gate import OPERATIONS
from engine.library import Library
from engine.packages import Package
from forms.words import Unfit
from tests.office import Office

pytest_plugins = ["tests.furnished"]

ROOT = Path(__file__).resolve().parents[1]
CODE = """
from bpmn.surroundings import OperationSpec
from engine.errors import Incident
from engine.plugged import Operation


def stamped(desk, step, parameters):
    if parameters["text"] == "fail":
        raise Incident("印章机没有墨", "the stamp is out of ink")
    if parameters["text"] == "break":
        raise ValueError("13800138000")
    if parameters["text"] == "float":
        return 1.5
    return f"{step.process}/{step.id}: {parameters['text']} {step.names['subject']} {desk.row['number']}"


stamp = Operation(OperationSpec(frozenset({"text"}), frozenset({"colour"}), gives=True), stamped)
nothing = object()
"""
DRAWN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy">
<process id="stamping" name="盖章" isExecutable="true" policy:series="GZ">
<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="ask"/>
<userTask id="ask" name="申请" policy:role="contract_applicant" policy:assignee="applicant"/>
<sequenceFlow id="f2" sourceRef="ask" targetRef="act"/>
<serviceTask id="act" name="盖章"><extensionElements><policy:operation name="acme.stamp" into="mark">
<policy:with name="text" value="subject"/></policy:operation></extensionElements></serviceTask>
<sequenceFlow id="f3" sourceRef="act" targetRef="look"/>
<userTask id="look" name="核对" policy:role="registrar"/><sequenceFlow id="f4" sourceRef="look" targetRef="e"/>
<endEvent id="e" policy:outcome="stamped"/></process></definitions>"""
FORM = """id: {id}
title: {{zh: 表单}}
fields: [{{code: {code}, kind: text, label: {{zh: 字段}}, required: true, example: 样}}]
"""
STAMPING = Package("stamping", {
    "process.bpmn": DRAWN.encode(),
    "forms/ask.yaml": FORM.format(id="ask", code="subject").encode(),
    "forms/look.yaml": FORM.format(id="look", code="seen").encode(),
})  # fmt: skip

Install = Callable[..., Path]


def installed(folder: Path, *entries: str, name: str = "acme-liuhen", code: str = CODE) -> Path:
    """A package as an installer leaves it: a module, and a dist-info that says its entry points."""
    module = name.partition("-")[0] + "_liuhen"
    (folder / f"{module}.py").write_text(code)
    about = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    said = "".join(f"{entry.format(module=module)}\n" for entry in entries)
    (about / "entry_points.txt").write_text(f"[{plugged.GROUP}]\n{said}")
    return folder


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package for the time of a test."""

    def make(*entries: str, **more: str) -> Path:
        monkeypatch.syspath_prepend(str(installed(tmp_path, *entries, **more)))
        plugged.operations.cache_clear()
        return tmp_path

    yield make
    monkeypatch.undo()
    sys.modules.pop("acme_liuhen", None)
    plugged.operations.cache_clear()


def wrong(*entries: str, install: Install) -> str:
    """What is said of a package with these entry points."""
    install(*entries)
    with pytest.raises(WrongUsage) as refusal:
        plugged.operations()
    return str(refusal.value.text)


def test_an_installed_operation_is_run_in_its_step_and_gives_a_variable(install: Install, office: Office) -> None:
    install("acme.stamp = {module}:stamp")
    office.deploy(STAMPING)
    case = office.act("甲", cases.start, "stamping", {"subject": "样品"})
    with cases.acting(office.database, office.who["管理员"]) as work:
        desk = open_desk(work, case)
        number = office.row(case)["number"]
        assert desk.instance.scopes.innermost({})["mark"] == f"stamping/act: 样品 样品 {number}"
    assert office.sound()


def test_an_operation_that_cannot_or_breaks_is_an_incident_and_its_words_stay_out_of_the_trail(
    install: Install, office: Office
) -> None:
    install("acme.stamp = {module}:stamp")
    office.deploy(STAMPING)
    said = {}
    for text in ("fail", "break", "float"):
        case = office.act("甲", cases.start, "stamping", {"subject": text})
        [incident] = office.look(incidents.standing_still, case)
        assert incident["next_try"] is not None
        said[text] = incident["zh"] + incident["en"]
        assert "13800138000" not in json.dumps(office.bodies(case))
    assert "out of ink" in said["fail"]
    assert "acme.stamp" in said["break"] and "ValueError" in said["break"]
    assert "acme.stamp" in said["float"] and "TypeError" in said["float"]


def test_a_version_whose_operation_is_gone_stands_still_and_goes_on_when_it_is_there_again(
    install: Install, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install("acme.stamp = {module}:stamp")
    office.deploy(STAMPING)
    with monkeypatch.context() as gone:
        gone.setattr(sys, "path", [each for each in sys.path if each != str(folder)])
        plugged.operations.cache_clear()
        case = office.act("甲", cases.start, "stamping", {"subject": "样品"})
        [incident] = office.look(incidents.standing_still, case)
        assert "acme.stamp" in incident["zh"] and "acme.stamp" in incident["en"]
        with pytest.raises(Unfit, match="unknown-operation"):
            office.deploy(Package("stamping", {**STAMPING.files, "forms/look.yaml": STAMPING.files["forms/ask.yaml"]}))
    plugged.operations.cache_clear()
    office.act("管理员", incidents.retry, incident["id"])
    assert office.items(case).keys() == {"look"}


def test_the_confined_worker_knows_what_an_operation_needs_and_runs_none_of_its_code(install: Install) -> None:
    refusing = "import sys\nassert 'confined' not in sys.argv[0]\n"
    install("acme.stamp = {module}:stamp", code=CODE + refusing)
    roles = Library.standing().vocabulary().roles
    [answer] = bounded.judge([STAMPING], roles, {})
    assert answer.ok and not answer.findings
    without = Package("p", {**STAMPING.files, "process.bpmn": DRAWN.replace('name="text"', 'name="txt"').encode()})
    [answer] = bounded.judge([without], roles, {})
    assert [each.code for each in answer.findings] == ["operation-parameter", "operation-parameter"]
    unknown = Package("p", {**STAMPING.files, "process.bpmn": DRAWN.replace("acme.stamp", "acme.stmp").encode()})
    [answer] = bounded.judge([unknown], roles, {})
    [finding] = answer.findings
    assert "acme.stamp" in finding.text.zh and "register.record" in finding.text.zh


@pytest.mark.parametrize("name", [*OPERATIONS, "register.steal", "document.other", "stamp", "Acme.stamp", "acme."])
def test_no_package_takes_the_place_of_a_built_in_operation_or_goes_without_a_prefix(
    name: str, install: Install
) -> None:
    assert name in wrong(f"{name} = {{module}}:stamp", install=install)


def test_what_is_no_operation_or_cannot_be_loaded_is_named_with_its_package(install: Install) -> None:
    said = wrong("acme.stamp = {module}:nothing", install=install)
    assert "acme-liuhen 1.0" in said and "Operation" in said


def test_a_package_that_breaks_while_it_is_loaded_is_named(install: Install) -> None:
    said = wrong("acme.stamp = {module}:gone", install=install)
    assert "acme.stamp" in said and "AttributeError" in said


def test_two_packages_may_not_bring_one_operation(install: Install, tmp_path: Path) -> None:
    installed(tmp_path, "acme.stamp = {module}:stamp", name="other-liuhen")
    assert "acme.stamp" in wrong("acme.stamp = {module}:stamp", install=install)


def test_the_package_that_the_readme_shows_can_be_installed_and_does_what_it_says(
    install: Install, office: Office
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    [entry] = re.findall(r'^"acme.*', readme, re.MULTILINE)
    install(entry.replace('"', "").replace("acme_liuhen:", "{module}:"), code=code)
    office.deploy(STAMPING)
    case = office.act("甲", cases.start, "stamping", {"subject": "样品"})
    with cases.acting(office.database, office.who["管理员"]) as work:
        mark = open_desk(work, case).instance.scopes.innermost({})["mark"]
    assert mark == f"{office.row(case)['number']} 样品"


def test_the_readme_lists_every_built_in_operation_with_what_it_takes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = {match[1]: match[2] for match in re.finditer(r"^\| `([a-z.]+)` \| ([^|]*) \|", text, re.MULTILINE)}
    for name, spec in OPERATIONS.items():
        told = set(re.sub(r"\([^)]*\)", "", lines[name]).replace(",", " ").split())
        assert told == spec.required | spec.optional, name


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, where the packages in this folder are installed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    environment["LIUHEN_HOME"] = str(folder)
    program = [sys.executable, "-P", "-m", "webui", *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_line_knows_installed_operations_and_refuses_a_wrong_one_at_the_start(tmp_path: Path) -> None:
    installed(tmp_path, "acme.stamp = {module}:stamp")
    package = tmp_path / "stamping"
    (package / "forms").mkdir(parents=True)
    for path, content in STAMPING.files.items():
        (package / path).write_bytes(content)
    found = command(tmp_path, "check", str(package))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    bad = tmp_path / "bad"
    bad.mkdir()
    installed(bad, "notify = {module}:stamp")
    for arguments in (("check", str(package)), ("worker", "--once"), ("serve", "--port", "0")):
        found = command(bad, *arguments)
        assert found.returncode == 2 and "notify" in found.stderr and "Traceback" not in found.stderr, arguments
    assert not (bad / "var").exists()
