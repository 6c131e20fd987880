"""The deployment gate as a whole: sound diagrams pass, findings are in order, and size is no trouble."""

from __future__ import annotations

import time

import pytest

from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from tests.harness.gate import APPLY, END, LINE, START, WORLD, gate, whole
from tests.harness.models import model


def test_a_diagram_with_everything_that_is_supported_passes() -> None:
    assert [str(finding) for finding in check_diagram(whole(), WORLD)] == []


def test_the_simplest_process_passes() -> None:
    assert gate(START + APPLY + END, LINE) == []


def test_findings_come_in_the_order_of_the_file_and_only_once() -> None:
    body = START + APPLY + END + '<task id="t"/>\n<task id="u"/>'
    diagram = read_diagram(model(body, LINE), "test.bpmn")
    found = check_diagram(diagram, WORLD)
    assert [finding.line for finding in found] == sorted(finding.line for finding in found)
    assert len(found) == len(set(found))


def chain(length: int) -> bytes:
    """A process of ``length`` tasks in a row."""
    tasks = "".join(f'<userTask id="t{n}" policy:form="decide" policy:role="clerk"/>\n' for n in range(length))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(length - 1))
    return model(START + tasks + END, f"s -> t0\n{rows}\nt{length - 1} -> e")


@pytest.mark.parametrize("length", [2_000, 4_000])
def test_long_chains_are_judged_quickly(length: int) -> None:
    began = time.process_time()
    assert check_diagram(read_diagram(chain(length), "chain.bpmn"), WORLD) == []
    assert time.process_time() - began < 5
