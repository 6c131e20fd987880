"""The laws of the house hold for every file there is, and each of them is able to fail."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.laws import (
    LONGEST,
    OF_THE_ROOMS,
    ROOMS,
    Law,
    Source,
    fits_one_sitting,
    imports_run_down,
    instants_have_a_zone,
    libraries_stay_in_their_room,
    names_no_place,
    nothing_is_evaluated,
    only_the_clock_reads_the_clock,
    opens_with_a_docstring,
    transactions_open_in_one_file,
    vendor_findings,
)

HOME = Path(__file__).resolve().parents[1]
LEFT_BEHIND = {".git", ".venv", ".venv.lock", ".hypothesis", "var", "build", "dist"}
WRITTEN_BY_HAND = {".py", ".html", ".css", ".js", ".sh", ""}


def committed() -> Iterator[Path]:
    """Every file a clone brings, and none that .gitignore keeps out."""
    waiting = [path for path in HOME.iterdir() if path.name not in LEFT_BEHIND]
    while waiting:
        path = waiting.pop()
        if not path.is_dir():
            yield path
        elif not path.name.endswith(("_cache", "__pycache__")):
            waiting += path.iterdir()


def sources() -> list[Source]:
    """The committed files that are text."""
    found = []
    for path in committed():
        try:
            found.append(Source(path.relative_to(HOME).as_posix(), path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


SOURCES = sources()
PYTHON = [source for source in SOURCES if source.path.endswith(".py")]
PRODUCT = [source for source in PYTHON if source.room in ROOMS]


def nobody_breaks(law: Law, files: list[Source]) -> None:
    found = [f"{source.path}:{line}: {sentence}" for source in files for line, sentence in law(source)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("law", OF_THE_ROOMS, ids=lambda law: law.__name__)
def test_every_file_of_the_rooms_keeps_the_law(law: Law) -> None:
    assert {source.room for source in PRODUCT} >= {"forms", "bpmn", "engine"}
    nobody_breaks(law, PRODUCT)


def test_every_python_file_opens_with_a_docstring() -> None:
    nobody_breaks(opens_with_a_docstring, PYTHON)


def test_every_file_written_by_hand_fits_one_sitting() -> None:
    by_hand = [
        source
        for source in SOURCES
        if Path(source.path).suffix in WRITTEN_BY_HAND and "/vendor/" not in source.path and source.path != "LICENSE"
    ]
    nobody_breaks(fits_one_sitting, by_hand)


def test_no_committed_file_names_a_machine_or_an_index() -> None:
    assert len(SOURCES) > len(PYTHON)
    nobody_breaks(names_no_place, SOURCES)


@pytest.mark.parametrize(
    ("law", "path", "text"),
    [
        (imports_run_down, "forms/form.py", "import bpmn.reader"),
        (imports_run_down, "bpmn/lint.py", "from engine import work"),
        (imports_run_down, "engine/cases.py", "def f():\n    from webui import create_app"),
        (imports_run_down, "engine/cli.py", "def serve():\n    from webui import create_app"),
        (imports_run_down, "engine/trail/chain.py", "from ...webui import words"),
        (imports_run_down, "engine/cases.py", "import importlib\nimportlib.import_module('webui')"),
        (imports_run_down, "webui/cases.py", "from tests import harness"),
        (libraries_stay_in_their_room, "engine/cases.py", "from SpiffWorkflow.bpmn import BpmnWorkflow"),
        (libraries_stay_in_their_room, "engine/access.py", "import flask"),
        (libraries_stay_in_their_room, "webui/cases.py", "from sqlalchemy import select"),
        (libraries_stay_in_their_room, "bpmn/reader.py", "import sqlite3"),
        (libraries_stay_in_their_room, "engine/runtime/step.py", "from sqlalchemy import select"),
        (libraries_stay_in_their_room, "webui/api.py", "import click"),
        (libraries_stay_in_their_room, "forms/form.py", "from pathlib import Path"),
        (only_the_clock_reads_the_clock, "engine/cases.py", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
        (only_the_clock_reads_the_clock, "webui/cases.py", "from datetime import date\nclock = date.today"),
        (only_the_clock_reads_the_clock, "engine/worker.py", "import time\nstart = time.monotonic()"),
        (only_the_clock_reads_the_clock, "engine/worker.py", "from time import perf_counter"),
        (only_the_clock_reads_the_clock, "engine/inbox.py", "from sqlalchemy import func\nfunc.now()"),
        (only_the_clock_reads_the_clock, "engine/inbox.py", "DUE = 'due < CURRENT_TIMESTAMP'"),
        (nothing_is_evaluated, "engine/cases.py", "eval('1')"),
        (nothing_is_evaluated, "forms/form.py", "compile('1', '', 'eval')"),
        (nothing_is_evaluated, "engine/cases.py", "import pickle"),
        (nothing_is_evaluated, "forms/form.py", "open('a')"),
        (transactions_open_in_one_file, "engine/cases.py", "def f(engine):\n    with engine.begin() as db: pass"),
        (transactions_open_in_one_file, "engine/cases.py", "def f(work):\n    work.db.commit()"),
        (transactions_open_in_one_file, "webui/cases.py", "def f(database):\n    database.engine.connect()"),
        (transactions_open_in_one_file, "engine/inbox.py", "import sqlite3\nsqlite3.connect('a')"),
        (instants_have_a_zone, "engine/cases.py", "from datetime import datetime\ndatetime.utcfromtimestamp(0)"),
        (instants_have_a_zone, "engine/cases.py", "x = 1  # noqa: DTZ001"),
        (opens_with_a_docstring, "engine/cases.py", "x = 1"),
        (fits_one_sitting, "engine/cases.py", "x = 1\n" * (LONGEST + 1)),
        (names_no_place, "README.md", "cd /" + "root/liuhen"),
        (names_no_place, "requirements.lock", "--index" + "-url https://example.org/simple"),
    ],
)
def test_a_breach_is_found(law: Law, path: str, text: str) -> None:
    assert list(law(Source(path, text)))


@pytest.mark.parametrize(
    ("law", "path", "text"),
    [
        (imports_run_down, "webui/cases.py", "from engine import cases"),
        (imports_run_down, "engine/trail/chain.py", "from . import record"),
        (libraries_stay_in_their_room, "engine/runtime/step.py", "from SpiffWorkflow.bpmn import BpmnWorkflow"),
        (only_the_clock_reads_the_clock, "engine/work.py", "from datetime import UTC, datetime\ndatetime.now(UTC)"),
        (only_the_clock_reads_the_clock, "engine/worker.py", "import time\ntime.sleep(1)"),
        (only_the_clock_reads_the_clock, "engine/cases.py", "def f(work):\n    return work.today, work.now"),
        (nothing_is_evaluated, "forms/fields.py", "import re\nre.compile('a')"),
        (transactions_open_in_one_file, "bpmn/reader.py", "def f(flow, target):\n    flow.connect(target)"),
        (transactions_open_in_one_file, "engine/runtime/step.py", "def f(scope):\n    scope.begin()"),
        (transactions_open_in_one_file, "engine/scenarios.py", "def f(work, cases):\n    cases.begin(work)"),
        (names_no_place, "webui/cases.py", "href = '/work/tasks/home'"),
    ],
)
def test_what_is_allowed_is_not_called_a_breach(law: Law, path: str, text: str) -> None:
    assert list(law(Source(path, text))) == []


def test_no_installed_distribution_takes_a_name_of_ours() -> None:
    taken = {
        room: owners
        for room, owners in importlib.metadata.packages_distributions().items()
        if room in ROOMS and set(owners) != {"liuhen"}
    }
    assert taken == {}


def test_the_licence_is_there_and_the_notice_names_what_is_vendored() -> None:
    assert "Apache License" in (HOME / "LICENSE").read_text("utf-8")
    notice = (HOME / "NOTICE").read_text("utf-8")
    packages = [name for folder in vendored() for name in json.loads((folder / "vendor.json").read_text("utf-8"))]
    assert [name for name in packages if name not in notice] == []


def vendored() -> list[Path]:
    return [path for path in HOME.glob("*/static/vendor") if path.is_dir()]


def test_every_vendored_file_is_the_one_its_manifest_lists() -> None:
    assert [finding for folder in vendored() for finding in vendor_findings(folder)] == []


def test_a_changed_an_unlisted_and_a_missing_vendored_file_are_found(tmp_path: Path) -> None:
    for name, content in {"a.css": "a", "LICENSE": "free", "new.js": "?", "changed.css": "after"}.items():
        (tmp_path / name).write_text(content)
    files = {name: hashlib.sha256(text).hexdigest() for name, text in {"a.css": b"a", "LICENSE": b"free"}.items()}
    files |= {"changed.css": hashlib.sha256(b"before").hexdigest(), "gone.css": "0"}
    assert vendor_findings(tmp_path) == [f"{tmp_path.name} has no vendor.json"]
    manifest = {"a": {"version": "1", "licence": "MIT", "files": files}, "b": {"files": {}}}
    (tmp_path / "vendor.json").write_text(json.dumps(manifest))
    assert vendor_findings(tmp_path) == [
        "b lacks version, licence or files",
        "new.js is not listed",
        "gone.css is listed but missing",
        "changed.css is not what was listed",
    ]


def locked(name: str) -> dict[str, str]:
    """Distribution → version of a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (HOME / name).read_text("utf-8"), re.MULTILINE))


def test_the_larger_locks_contain_the_smaller_one() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-pdf.lock").items()
    assert locked("requirements-pdf.lock").items() <= locked("requirements-dev.lock").items()


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {
        re.sub(r"[-_.]+", "-", distribution.name).lower(): distribution.version
        for distribution in importlib.metadata.distributions()
    }
    expected = locked("requirements-dev.lock")
    assert {name: installed[name] for name in installed.keys() & expected.keys()} == {
        name: expected[name] for name in installed.keys() & expected.keys()
    }
    assert expected.keys() - installed.keys() <= {"brotlicffi", "colorama"}  # other platforms'


def test_nothing_locked_for_running_is_under_a_licence_that_would_bind_the_product() -> None:
    """LGPL libraries are used as they are and can be exchanged; GPL and AGPL would reach over to us."""
    bound = {}
    for name in locked("requirements-pdf.lock"):
        if name in {"brotlicffi", "colorama"}:
            continue
        about = importlib.metadata.metadata(name)
        said = [text for field in ("License-Expression", "License", "Classifier") for text in about.get_all(field, [])]
        licences = [text for text in said if "License" in text or "::" not in text]
        assert licences, f"{name} does not say its licence"
        if binds(" / ".join(licences)):
            bound[name] = licences
    assert bound == {}


def binds(licences: str) -> bool:
    """Whether a GPL is named and nothing milder is offered beside it."""
    gpl = re.search(r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public License)", licences, re.IGNORECASE)
    milder = re.search(r"LGPL|Lesser General Public|MPL|Mozilla|MIT|BSD|Apache", licences)
    return bool(gpl) and not milder


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)", True),
        ("LGPL-3.0-only", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("GPL-2.0+ OR LGPL-2.1+ OR MPL-1.1", False),
        ("MIT", False),
    ],
)
def test_a_binding_licence_is_recognised(licences: str, expected: bool) -> None:
    assert binds(licences) is expected
