"""Expressions compile and read only what something brings."""

from __future__ import annotations

import pytest

from bpmn.lint import Surroundings, check_diagram
from bpmn.reader import read_diagram
from tests.harness.gate import APPLY, END, LINE, START, WORLD, between, form, gate, sentences
from tests.harness.models import model


@pytest.mark.parametrize(
    ("timer", "expected"),
    [
        ("<timeDuration>P15D</timeDuration>", None),
        ("<timeDuration>P1Y2M3DT4H5M6S</timeDuration>", None),
        ("<timeDuration>P2W</timeDuration>", None),
        ("<timeDuration>PT1H</timeDuration>", None),
        ("<timeDate>end_of(add_working_days(today, 10))</timeDate>", None),
        ("<timeDate>None</timeDate>", None),
        ("", "timer"),
        ("<timeDuration></timeDuration>", "timer"),
        ("<timeDuration>15 days</timeDuration>", "timer"),
        ('<timeDuration>"PT1H"</timeDuration>', "timer"),
        ("<timeDuration>P</timeDuration>", "timer"),
        ("<timeDuration>P1DT</timeDuration>", "timer"),
        ("<timeDuration>P1.5D</timeDuration>", "timer"),
        ("<timeDuration>R3/P1D</timeDuration>", "timer"),
        ("<timeDate>2026-12-31</timeDate>", "timer"),
        ("<timeDate>PT1H</timeDate>", "unbrought-name"),
        ("<timeDate>tomorrow()</timeDate>", "expression"),
    ],
)
def test_timers_say_a_time(timer: str, expected: str | None) -> None:
    node = (
        f'<intermediateCatchEvent id="x"><timerEventDefinition>{timer}</timerEventDefinition></intermediateCatchEvent>'
    )
    assert between(node) == ([(expected, "x")] if expected else [])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("amount_fen > 3_000_000_000", None),
        ("apply['amount_fen'] is None or count in [1, 2]", None),
        ("params['x'] == case['number']", None),
        ("all(n > 1 for n in [1, 2])", None),
        ("__import__('os').popen('id')", "expression"),
        ("amount.fen > 3", "expression"),
        ("eval('1')", "expression"),
        ("open('/etc/passwd')", "expression"),
        ("().__class__", "expression"),
        ("lambda: 1", "expression"),
        ("amount_fen / 2 > 1", "expression"),
        ("amount_fen >", "expression"),
        ("${amount_fen > 3}", None),
        ("= amount_fen > 3", None),
        ("${amount.fen > 3}", "expression"),
        ("${amount_fen > 3 && count == 1}", "expression"),
        ("= amount_fen = 3", "expression"),
        ("= [1, 2][1] > 1", "expression"),
        ("unknown_function(1)", "expression"),
        ("amount > 3", "unbrought-name"),
        ("loopCounter > 3", "unbrought-name"),
        ("has_role(applicant, 'nobody')", "unknown-role"),
    ],
)
def test_conditions_compile_and_read_what_is_brought(condition: str, expected: str | None) -> None:
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="not"/>'
    found = gate(body, f"s -> apply\napply -> g\ng -> e if {condition}\ng -> f")
    assert found == ([(expected, "g_e")] if expected else [])


def test_an_empty_condition_is_refused() -> None:
    body = (
        START
        + APPLY
        + '<exclusiveGateway id="g" default="g_f"/>'
        + END
        + '<endEvent id="f" policy:outcome="not"/>'
        + ('<sequenceFlow id="z" sourceRef="g" targetRef="e"><conditionExpression/></sequenceFlow>')
    )
    assert gate(body, "s -> apply\napply -> g\ng -> f") == [("expression", "z")]


def test_a_misspelt_name_is_told_with_the_nearest_that_is_brought() -> None:
    body = START + APPLY + '<exclusiveGateway id="g" default="g_f"/>' + END + '<endEvent id="f" policy:outcome="not"/>'
    said = sentences(body, "s -> apply\napply -> g\ng -> e if amount_fem > 3\ng -> f")
    assert "是否指 amount_fen" in said
    assert "did you mean amount_fen" in said


def test_a_form_reads_only_what_is_brought() -> None:
    reads = Surroundings(
        forms={"apply": form("apply", "amount_fen"), "x": form("x", "rest = amount_fen - spent_fen")}, roles=WORLD.roles
    )
    diagram = read_diagram(
        model(START + APPLY + '<userTask id="x" policy:role="head"/>' + END, "s -> apply\napply -> x\nx -> e"),
        "test.bpmn",
    )
    found = check_diagram(diagram, reads)
    assert [(finding.code, finding.element) for finding in found] == [("unbrought-name", "x")]
    assert "表单 x 读取的 “spent_fen”" in found[0].text.zh


def test_the_title_and_the_parties_of_a_case_are_expressions() -> None:
    attributes = 'id="p" policy:case-title="text(amount_fen)" policy:parties="apply" policy:series="A"'
    assert gate(START + APPLY + END, LINE, attributes=attributes) == []
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:case-title="gone"') == [("unbrought-name", "p")]
    assert gate(START + APPLY + END, LINE, attributes='id="p" policy:parties="a."') == [("expression", "p")]


def test_outcomes_may_be_expressions() -> None:
    good = END.replace('"done"', "\"='a' if count > 1 else 'b'\"")
    assert gate(START + APPLY + good, LINE) == []
    assert gate(START + APPLY + END.replace('"done"', '"=gone"'), LINE) == [("unbrought-name", "e")]
