"""The table of BPMN elements is true: every line of it is deployed and run, or refused by its name."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import pytest

from bpmn.elements import Row, rows, table
from bpmn.nodes import _NODES
from engine import bounded, cases, definitions, inbox, signals, starting
from engine.bounded import Judged
from engine.errors import Refusal
from engine.library import Library
from engine.packages import Package
from engine.work import SYSTEM
from engine.worker import run_due
from tests.elements import README, written
from tests.harness import elements
from tests.office import NewOffice, Office

pytest_plugins = ["tests.furnished"]

ROWS = rows()
BY_ID = {elements.process_id(row): row for row in ROWS}
# A signal comes from another case; these wait for one.
WAITING = {"intermediateCatchEvent_signal"}


@cache
def answers() -> dict[str, Judged]:
    packages = [Package(name, elements.files(row)) for name, row in BY_ID.items()]
    vocabulary = Library.standing().vocabulary()
    judged = bounded.judge([*packages, Package("called", elements.called())], vocabulary.roles, {})
    return dict(zip([*BY_ID, "called"], judged, strict=True))


@pytest.mark.parametrize("row", ROWS, ids=elements.process_id)
def test_every_line_of_the_table_passes_the_gate_or_is_refused_by_its_name(row: Row) -> None:
    judged = answers()[elements.process_id(row)]
    assert judged.ok is row.runs, [str(finding) for finding in judged.findings]
    if not row.runs:
        name = row.variant.split(" ")[0] if row.variant else row.tag
        name = (
            "timeCycle" if "timer cycle" in row.variant and "startEvent (timer)" not in str(judged.findings) else name
        )
        refused = [finding for finding in judged.findings if finding.code == "unsupported" and finding.line]
        assert [finding for finding in refused if name in finding.text.en and name in finding.text.zh], judged.findings
        assert row.instead.zh and row.instead.en


@pytest.fixture(scope="module")
def deployed() -> list[Package]:
    return [Package("called", elements.called())] + [
        Package(name, elements.files(row)) for name, row in BY_ID.items() if row.runs
    ]


def test_every_line_that_runs_can_be_deployed_and_a_case_goes_through_it(
    new_office: NewOffice, deployed: list[Package]
) -> None:
    office = new_office("sqlite")
    with office.database.work(SYSTEM) as work:
        definitions.deploy_together(work, deployed, Library.standing().vocabulary())
    for name, row in BY_ID.items():
        if row.runs:
            case = begin(office, row, name)
            go_through(office, case)
            assert "incident.raised" not in office.kinds(case), name
            assert (office.row(case)["closed_at"] is None) is (name in WAITING), name
    assert office.sound()


def begin(office: Office, row: Row, name: str) -> str:
    """Start a case of this process as its start event wants it."""
    if row.tag != "startEvent" or row.variant == "none":
        return str(office.act("甲", cases.start, name, {"amount": 5}))
    if row.variant == "message":
        return str(office.act("登记员", starting.by_message, "word", {}, name))
    if row.variant == "signal":
        office.act("管理员", signals.send, "bell")
    office.later(days=2)
    run_due(office.database)
    with office.database.look(SYSTEM) as work:
        return str(inbox.cases(work, process=name)[-1]["id"])


def go_through(office: Office, case: str) -> None:
    for _ in range(8):
        if office.row(case)["closed_at"] is not None:
            return
        items = office.items(case)
        if items:
            element, item = next(iter(items.items()))
            answer = {"amount": 5} if element == "apply" else {"agreed": 5}
            office.act("登记员", cases.complete, item, answer)
            continue
        with suppress(Refusal):
            office.act("登记员", cases.send, case, "word", {})
            continue
        office.later(days=2)
        run_due(office.database)


def test_every_element_that_is_read_stands_in_the_table() -> None:
    listed = {row.tag for row in ROWS} | {"implicitThrowEvent", "event", "choreographyTask", "subChoreography"}
    assert listed >= _NODES


def test_the_table_of_the_readme_is_the_table_of_the_code() -> None:
    text = README.read_text("utf-8")
    assert written(text) == text, "the table has changed: write it anew with  python -P -m tests.elements"
    assert table("zh").count("\n") == table("en").count("\n") > 20
