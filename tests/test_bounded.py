"""Packages are judged in a process that can take little and reach nothing; whatever becomes of it, it is answered."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bpmn.surroundings import ProcessSignature
from engine import bounded, definitions, gate
from engine.bounded import Judged, check_bounded, judge
from engine.library import Library, Package
from engine.work import SYSTEM
from forms.words import Unfit
from tests.harness import heavy
from tests.harness.models import model
from tests.office import NewOffice, package
from webui.cli import main

pytest_plugins = ["tests.furnished"]

HOME = Path(__file__).resolve().parents[1]
VOCABULARY = Library.standing().vocabulary()
ROLES, VALUES = VOCABULARY.roles, VOCABULARY.values
PERMIT = package("permit")


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """No test is answered from the memory of another."""
    bounded._remembered.clear()
    yield
    bounded._remembered.clear()


def named(name: str, *calls: str) -> Package:
    """A process that calls others, one after the other."""
    nodes = ["s", *(f"c{n}" for n in range(len(calls))), "e"]
    called = "".join(f'<callActivity id="c{n}" calledElement="{other}"/>' for n, other in enumerate(calls))
    body = f'<startEvent id="s"/>{called}<endEvent id="e" policy:outcome="done"/>'
    lines = "\n".join(f"{one} -> {two}" for one, two in pairwise(nodes))
    return Package(name, {"process.bpmn": model(body, lines, attributes=f'id="{name}" isExecutable="true"')})


def heavy_package() -> Package:
    """A package that takes minutes: a form of a thousand fields, asked at thousands of tasks, each in a loop."""
    fields = "".join(
        f"  - {{code: f{n}, kind: integer, label: {{zh: 数}}, show_if: 'a{n} == {n}'}}\n" for n in range(999)
    )
    form = f"id: vote\ntitle: {{zh: 表}}\nfields:\n{fields}"
    return Package("heavy", {"process.bpmn": heavy.loops(4_000), "forms/vote.yaml": form.encode()})


def codes(judged: Judged) -> set[str]:
    return {finding.code for finding in judged.findings}


# The answer is the gate's.


def test_the_library_passes_and_says_what_its_processes_take_and_give() -> None:
    library = Library.standing()
    packages = [library.package(name) for name in library.processes()]
    for name, judged in zip(library.processes(), judge(packages, ROLES, {}, parameters=VALUES), strict=True):
        assert judged.ok and judged.findings == ()
        assert judged.process == name
        assert judged.signature is not None
        assert judged.picture.startswith("<svg")


def test_the_findings_are_those_of_the_gate_with_the_types_of_their_elements() -> None:
    broken = package("permit", ("process.bpmn", 'policy:form="changed"', 'policy:form="chnged"'))
    ok, findings = check_bounded(broken, VOCABULARY, {})
    assert not ok
    assert findings == gate.check_package(broken, ROLES, {}, VOCABULARY.values)[1] != []
    [judged] = judge([broken], ROLES, {})
    [finding] = judged.findings
    assert judged.types[finding.element or ""] == "boundaryEvent"
    assert "is-finding" in judged.picture


def test_pictures_are_drawn_in_the_language_of_the_reader_also_of_what_cannot_run() -> None:
    drawing = model(
        '<task id="t" name="做" policy:name-en="Do"/><task id="t"/>', attributes='id="p" isExecutable="false"'
    )
    [chinese], [english] = (
        judge([Package("p", {"process.bpmn": drawing})], ROLES, {}, language) for language in ("zh", "en")
    )
    assert not chinese.ok and codes(chinese) == {"duplicate-id"}
    assert chinese.process == "p" and chinese.signature is None
    assert ">做<" in chinese.picture and ">Do<" in english.picture


@pytest.mark.parametrize(
    ("packages", "circles"),
    [
        ([named("a", "a")], {"a": "a → a"}),
        ([named("a", "b"), named("b", "a")], {"a": "a → b → a", "b": "b → a → b"}),
        ([named("a", "b"), named("b", "c", "d"), named("c", "d"), named("d", "b")], {"b": "b → d → b"}),
        ([named("a", "b", "c"), named("b", "c"), named("c")], {}),
    ],
)
def test_processes_that_call_each_other_in_a_circle_are_refused_by_name(
    packages: list[Package], circles: dict[str, str]
) -> None:
    answers = dict(zip((each.origin for each in packages), judge(packages, ROLES, {}), strict=True))
    for name, circle in circles.items():
        assert not answers[name].ok
        assert any(finding.code == "call-circle" and circle in finding.text.zh for finding in answers[name].findings)
    assert any(answers) and all(answers[name].ok for name in answers if name == "a" and "a" not in circles)


def test_a_circle_through_a_process_in_force_is_refused_too() -> None:
    [judged] = judge(
        [named("a", "b")],
        ROLES,
        {"b": ProcessSignature(calls=frozenset({"c"})), "c": ProcessSignature(calls=frozenset({"a"}))},
    )
    assert codes(judged) == {"call-circle"}


def test_two_packages_of_one_process_are_refused() -> None:
    one, two = judge([named("a"), Package("other", named("a").files)], ROLES, {})
    assert one.ok and codes(two) == {"duplicate-process"}


def test_a_thousand_findings_are_told_and_the_rest_is_counted() -> None:
    [judged] = judge([Package("p", {"process.bpmn": heavy.loose(3_000)})], ROLES, {})
    assert len(judged.findings) == 2_001
    assert "more" in judged.findings[-1].text.en and judged.findings[-1].code == "more"


# The limits.


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("SECONDS", 1, "1 s"), ("MEMORY", 20 << 20, "20 MiB"), ("PATIENCE", 0.01, "seconds")],
)
def test_a_package_that_takes_too_much_is_refused_and_the_others_are_judged(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: Any, said: str
) -> None:
    monkeypatch.setattr(bounded, limit, value)
    before, too_heavy, after = judge([named("a"), heavy_package(), named("b")], ROLES, {})
    assert not too_heavy.ok and codes(too_heavy) == {"too-heavy"}
    [finding] = too_heavy.findings
    assert finding.file == "heavy" and "拆开" in finding.text.zh and "split" in finding.text.en
    if limit != "PATIENCE":
        assert before.ok and after.ok


ENDINGS = {
    "killed": (
        "import os, sys; sys.stdin.read(); print('{\"at\": 0}', flush=True); os.kill(os.getpid(), 9)",
        "too-heavy",
    ),
    "a crash": ("print('{\"at\": 0}', flush=True); import ctypes; ctypes.string_at(0)", "too-heavy"),
    "no memory": ('print(\'{"at": 0}\\n{"failed": "memory"}\'); raise SystemExit(1)', "too-heavy"),
    "a defect": ('print(\'{"at": 0}\\n{"failed": "KeyError reader.py:7"}\'); raise SystemExit(1)', "not-judged"),
    "half a line": ("print('{\"at\": 0}'); print('{\"findi', end=''); raise SystemExit(1)", "too-heavy"),
    "no start": ("raise SystemExit(2)", "not-judged"),
    "silence": ("print('{\"at\": 0}')", "not-judged"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_however_a_worker_ends_there_is_a_sentence_and_it_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    program, code = ENDINGS[ending]
    monkeypatch.setattr(bounded, "PROGRAM", ("-c", program))
    [judged] = judge([named("a")], ROLES, {})
    assert not judged.ok and codes(judged) == {code}
    monkeypatch.undo()
    assert judge([named("a")], ROLES, {})[0].ok


def test_a_worker_is_told_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHEN_SECRET", "open sesame")
    program = (
        "import json, os; print(json.dumps({'at': 0, 'failed': ' '.join(sorted(os.environ))})); raise SystemExit(1)"
    )
    monkeypatch.setattr(bounded, "PROGRAM", ("-c", program))
    [finding] = judge([named("a")], ROLES, {})[0].findings
    assert "PYTHONPATH" in finding.text.en
    assert "LIUHEN" not in finding.text.en and "HOME" not in finding.text.en


def test_many_threads_may_ask_at_once() -> None:
    asked = [named(f"p{n}", *(["nobody"] if n % 2 else [])) for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda each: judge([each], ROLES, {})[0], asked))
    assert [each.ok for each in answers] == [True, False] * 4
    assert [each.process for each in answers] == [each.origin for each in asked]


# What a confined process can do: nothing.

ATTEMPTS = {
    "open a file": "open(CANARY).read()",
    "open a file below Python": "os.open(CANARY, os.O_RDONLY)",
    "open a file in C": "etree.parse(CANARY)",
    "read a file through an entity": (
        "etree.tostring(etree.fromstring('<!DOCTYPE x [<!ENTITY a SYSTEM \"file://' + CANARY + '\">]><x>&a;</x>',"
        " etree.XMLParser(resolve_entities=True, load_dtd=True)))"
    ),
    "write a file": "open(CANARY + '2', 'w').write('x')",
    "list a folder": "os.listdir('/')",
    "make a connection": "socket.socket().connect(('127.0.0.1', 9))",
    "make a connection in C": "_socket.socket(2, 1)",
    "ask for a name": "socket.getaddrinfo('localhost', 80)",
    "start a program": "subprocess.run(['true'])",
    "start a shell": "os.system('true')",
    "become another program": "os.execv('/bin/true', ['true'])",
    "evaluate text": "eval('1 + 1')",
    "execute text": "exec('1 + 1')",
    "call C": "ctypes.CDLL(None)",
    "load an object": "pickle.loads(pickle.dumps(Path('/')))",
    "lift the limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "remove a file": "os.remove(CANARY)",
}
TRIAL = """
import _socket, ctypes, json, os, pickle, resource, socket, subprocess, sys
from pathlib import Path
from lxml import etree
from engine import confined
CANARY, attempts = sys.argv[1], json.loads(sys.argv[2])
if sys.argv[3] == "confined":
    confined.confine(5, 1 << 30)
found = {}
for name, attempt in attempts.items():
    try:
        found[name] = attempt()
    except BaseException as error:
        found[name] = error
sys.stdout.write(json.dumps({name: [isinstance(made, BaseException), repr(made)] for name, made in found.items()}))
"""


@cache
def attempted(how: str, *names: str) -> dict[str, tuple[bool, str]]:
    """What became of each attempt in one process: whether it failed, and what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.xml"
        canary.write_text("<canary>sings</canary>")
        tried = ", ".join(f"{name!r}: lambda: {ATTEMPTS[name]}" for name in names)
        trial = TRIAL.replace("json.loads(sys.argv[2])", f"{{{tried}}}")
        program = [sys.executable, "-P", "-c", trial, str(canary), "", how]
        environment = {"PYTHONPATH": str(HOME), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(program, capture_output=True, text=True, env=environment, check=True)
        assert [path.name for path in Path(folder).iterdir()] == ["canary.xml"]
    found: dict[str, tuple[bool, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_confined_process_can_not(attempt: str) -> None:
    failed, made = attempted("confined", *ATTEMPTS)[attempt]
    assert failed or made.endswith("<x>&a;</x>'")  # an entity that stays what it is was not followed
    assert "sings" not in made


FREELY = (
    "open a file",
    "open a file in C",
    "read a file through an entity",
    "list a folder",
    "evaluate text",
    "call C",
)


@pytest.mark.parametrize("attempt", FREELY)
def test_an_unconfined_process_can(attempt: str) -> None:
    failed, made = attempted("free", *FREELY)[attempt]
    assert not failed, made


def test_where_a_system_knows_no_limits_the_clock_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; sys.modules['resource'] = None; from engine import confined; raise SystemExit(confined.main())"
    )
    monkeypatch.setattr(bounded, "PROGRAM", ("-P", "-c", program))
    assert judge([named("a")], ROLES, {})[0].ok


# Who asks.


def test_what_is_deployed_is_judged_first_and_once(new_office: NewOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office = new_office("sqlite")
    [made] = office.deploy(package("permit", ("process.bpmn", 'name="许可"', 'name="新许可"')))
    monkeypatch.setattr(bounded, "PROGRAM", ("-c", "raise SystemExit(2)"))
    again = package("permit", ("process.bpmn", 'name="许可"', 'name="新许可"'))
    assert office.deploy(again)[0].id == made.id  # known by its hash, and nobody asked
    assert office.deploy(PERMIT)[0].version == made.version + 1
    with pytest.raises(Unfit) as unfit:
        office.deploy(package("permit", ("process.bpmn", 'name="许可"', 'name="又一许可"')))
    assert [finding.code for finding in unfit.value.findings] == ["not-judged"]


def test_an_answer_is_remembered_for_the_transaction_that_deploys(
    new_office: NewOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = new_office("sqlite")
    new = package("permit", ("process.bpmn", 'name="许可"', 'name="新许可"'))
    with office.database.look(SYSTEM) as work:
        assert definitions.judged(work, [new], VOCABULARY)[0].ok
    monkeypatch.setattr(bounded, "PROGRAM", ("-c", "raise SystemExit(2)"))
    assert office.deploy(new)[0].version > 1


def test_a_call_that_would_run_two_versions_of_one_process_is_refused(new_office: NewOffice) -> None:
    office = new_office("sqlite")
    office.deploy(named("base"), named("middle", "base"), named("top", "base", "middle"))
    changed = Package("base", {**named("base").files, "forms/more.yaml": PERMIT.files["forms/review.yaml"]})
    office.deploy(changed)
    with pytest.raises(Unfit) as unfit:
        office.deploy(Package("top", {**named("top", "middle", "base").files}))
    [finding] = unfit.value.findings
    assert finding.code == "stale-call" and "middle" in finding.text.zh and "base" in finding.text.en
    office.deploy(Package("middle", named("middle", "base").files), named("top", "middle", "base"))


def test_the_command_line_tells_every_finding_with_its_code_place_element_and_type(tmp_path: Path) -> None:
    for name, count in (("one", 2), ("two", 0)):
        (tmp_path / name).mkdir()
        body = '<startEvent id="s"/>\n' + '<task id="t{}"/>\n'.replace("{}", "1") * min(count, 1) + '<endEvent id="e"/>'
        (tmp_path / name / "process.bpmn").write_bytes(model(body, "s -> e", attributes=f'id="{name}"'))
    paths = [str(tmp_path / name) for name in ("one", "two")]
    result = CliRunner().invoke(main, ["check", "--json", *paths])
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert {"id", "file", "line", "element", "type", "severity", "zh", "en", "package"} == set(rows[0])
    assert {(row["id"], row["line"], row["element"], row["type"]) for row in rows if row["package"] == paths[0]} == {
        ("unsupported", 6, "t1", "task"),
        ("dead-end", 6, "t1", "task"),
        ("unreachable", 6, "t1", "task"),
        ("no-outcome", 7, "e", "endEvent"),
    }
    assert [row["id"] for row in rows if row["package"] == paths[1]] == ["no-outcome"]
    lines = CliRunner().invoke(main, ["check", *paths]).stdout.splitlines()
    assert len(lines) == len(rows)
    assert f"{paths[0]}: process.bpmn:6: task t1: " in "\n".join(lines)
