"""Activities of very many members go through to the end, and what they cost is reported, not judged."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from engine import cases, inbox
from engine import multi as benches
from engine.library import Package
from engine.multi import DIAGRAM, FORMS, LOOP, REMINDED, Shape, multi, shapes
from engine.worker import run_due
from tests.office import Office
from webui.cli import main

pytest_plugins = ["tests.furnished"]


def test_the_shapes_that_are_measured_are_a_thousand_members_and_two_hundred_with_timers() -> None:
    assert [(shape.members, shape.reminded, shape.sequential, shape.enough) for shape in shapes()] == [
        (1_000, False, False, 1_000),
        (1_000, False, True, 1_000),
        (200, True, False, 160),
        (200, True, True, 160),
    ]


def test_every_shape_goes_through_and_its_figures_are_reported(deep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = shapes() if deep else shapes(members=30, signers=10)
    monkeypatch.setattr(benches, "shapes", lambda: measured)
    result = CliRunner().invoke(main, ["bench", "multi", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    for shape, row in zip(measured, rows, strict=True):
        assert (row["members"], row["shape"], row["outcome"]) == (shape.members, shape.name, "done")
        assert (row["completed"], row["skipped"]) == (shape.enough, shape.members - shape.enough)
        assert row["timers_left"] == 0
        assert row["open_ms"] > 0 < row["step_ms"] <= row["slowest_ms"]
    at_once, in_turn = rows[2]["state_bytes"], rows[3]["state_bytes"]
    assert in_turn < at_once  # one after the other, only one member is in the state at a time
    assert multi(shapes(3, 3)[:1])["rows"][0]["completed"] == 3


@pytest.mark.parametrize("sequential", [False, True])
def test_countersigners_with_a_timer_each_sign_until_enough_have(office: Office, sequential: bool, deep: bool) -> None:
    count = 200 if deep else 12
    shape = Shape(count, sequential, reminded=True, enough=count * 4 // 5)
    loop = LOOP.format(turn=str(sequential).lower(), enough=shape.enough)
    diagram = DIAGRAM.format(activity=REMINDED.format(loop=loop), id="part").replace("reviewer", "registrar")
    forms = {f"forms/{name}.yaml": text.encode() for name, text in FORMS.items()}
    office.deploy(Package("countersigned", {"process.bpmn": diagram.encode(), **forms}))
    case = office.act("登记员", cases.start, "countersigned", {"members": count})
    assert len(office.look(inbox.timers, case)) == (1 if sequential else count)
    for number in range(shape.enough):
        if number in (0, 3):
            office.later(days=6)
            run_due(office.database)
        by = "登记员" if number % 2 else "登记员二"
        office.act(by, cases.complete, office.item(case, "sign"), {"agreed": True})
    row, kinds = office.row(case), office.kinds(case)
    assert (row["status"], row["outcome"]) == ("closed", "done")
    assert kinds.count("timer.fired") == (2 if sequential else count)
    assert kinds.count("task.completed") == 1 + shape.enough
    assert kinds.count("task.cancelled") == (0 if sequential else count - shape.enough)
    assert office.look(inbox.timers, case) == []
    assert office.sound()
