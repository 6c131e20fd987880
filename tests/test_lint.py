"""The deployment gate as a whole: sound diagrams pass, findings are in order, and size is no trouble."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import pytest
from lxml import etree

from bpmn.lint import check_diagram
from bpmn.picture import draw
from bpmn.reader import read_diagram
from bpmn.routes import Ways
from forms.words import Unfit
from tests.harness.gate import APPLY, END, LINE, START, WORLD, gate, whole, whole_file
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
    assert time.process_time() - began < 60


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The file with a few elements, attributes and texts removed or mixed up."""
    root = etree.fromstring(data)
    for _ in range(chance.randint(1, 4)):
        nodes = [node for node in root.iter() if node.getparent() is not None]
        node, other = chance.choice(nodes), chance.choice(nodes)
        match chance.randrange(5):
            case 0:
                parent = node.getparent()
                assert parent is not None
                parent.remove(node)
            case 1:
                node.tag = other.tag
            case 2:
                node.text = chance.choice(["", "x", "${a}", "PT1H", "1.5", "a b"])
            case 3 if node.attrib:
                del node.attrib[chance.choice(list(node.attrib))]
            case 4 if node.attrib and other.attrib:
                node.attrib[chance.choice(list(node.attrib))] = str(chance.choice(list(other.attrib.values())))
            case _:
                pass
    return etree.tostring(root)


@pytest.mark.parametrize("seed", range(0, 200, 20))
def test_a_damaged_file_is_refused_or_judged_and_drawn_but_never_breaks_anything(seed: int) -> None:
    for each in range(seed, seed + 20):
        with suppress(Unfit):
            diagram = read_diagram(damaged(whole_file(), random.Random(each)), "damaged.bpmn")
            check_diagram(diagram, WORLD)
            assert etree.fromstring(draw(diagram, {}, "zh", title="图").encode()) is not None
            ways = Ways(diagram, diagram.elements)
            for key, element in diagram.elements.items():
                assert 0 <= ways.along(key, key) < 1 << len(element.incoming)
