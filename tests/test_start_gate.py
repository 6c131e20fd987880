"""The gate on event starts of a process: what may begin a case, and what is refused because it could not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bpmn.lint import ProcessSignature, check_diagram
from bpmn.reader import read_diagram
from bpmn.starts import FUNCTIONS_THEN
from bpmn.surroundings import signature
from engine import worldly
from engine.calendar import Calendar
from engine.gate import OPERATIONS
from forms.functions import FUNCTIONS
from tests.begun import AROUND, ASK, BELL, condition, operation, timer
from tests.harness.gate import END, START, WORLD
from tests.harness.gate import form as drawn_form
from tests.harness.models import model

DECIDE = '<userTask id="decide" policy:role="clerk"/>'
LINES = "s -> decide\ndecide -> e"
SENDER = 'policy:sender="clerk"'


def start(definition: str, more: str = "") -> str:
    return f'<startEvent id="s" {more}>{definition}</startEvent>'


def gate(
    body: str, lines: str = LINES, attributes: str = "", around: str = AROUND, **world: Any
) -> list[tuple[str, str | None]]:
    """What the gate says: codes and elements."""
    said = f'id="p" isExecutable="true" {attributes}'
    diagram = read_diagram(model(body, lines, around=around, attributes=said), "test.bpmn")
    findings = check_diagram(diagram, replace(WORLD, **world))
    assert all(finding.line > 0 and "：" in finding.text.zh and ": " in finding.text.en for finding in findings)
    return [(finding.code, finding.element) for finding in findings]


SOUND = [
    start(ASK, SENDER),
    start(ASK, 'policy:sender="anyone" policy:form="apply"'),
    start(ASK, "policy:sender=\"=people('clerk') if today &gt; date('2026-01-01') else None\""),
    start(BELL),
    start(timer("P30D")),
    start(timer("R/P1M")),
    start(timer("R12/PT1H")),
    start(timer("add_working_days(today, params['days'])")),
    start(condition("len(records('account')) &gt; 3 and is_working_day(today)")),
]


@pytest.mark.parametrize("event", SOUND)
def test_a_process_may_begin_with_any_event_that_comes_from_outside(event: str) -> None:
    assert gate(event + DECIDE + END) == []


def test_a_process_may_have_several_event_starts_beside_a_plain_one() -> None:
    several = "".join(each.replace('"s"', f'"s{number}"') for number, each in enumerate([*SOUND[3:], SOUND[0]]))
    lines = "\n".join(f"s{number} -> decide" for number in range(len(SOUND) - 2))
    assert gate(START + several + DECIDE + END, f"{LINES}\n{lines}") == []
    assert gate(START + '<startEvent id="t"/>' + DECIDE + END, f"{LINES}\nt -> decide") == [("several-starts", "t")]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (start("<timerEventDefinition/>"), [("timer", "s")]),
        (start(timer("R/PT1S")), [("timer", "s")]),
        (start(timer("2026-12-31")), [("timer", "s")]),
        (start(timer("add_working_days(agreed, 3)")), [("start-name", "s")]),
        (start(timer("case['started_on']")), [("start-name", "s")]),
        (start(condition("agreed == 1")), [("start-name", "s")]),
        (start(condition("rounds('decide') &gt; 1")), [("start-name", "s")]),
        (start(condition("nothing == 1")), [("start-name", "s")]),
        (start("<conditionalEventDefinition/>"), [("no-condition", "s")]),
        (start(condition("today +")), [("expression", "s")]),
        (start("<signalEventDefinition/>"), [("no-signal", "s")]),
        (start("<messageEventDefinition/>", SENDER), [("no-message", "s")]),
        (start(ASK), [("no-sender", "s")]),
        (start(ASK, 'policy:sender="nobody"'), [("unknown-role", "s")]),
        (start(ASK, 'policy:sender="applicant"'), [("no-sender", "s")]),
        (start(ASK, 'policy:sender="=applicant"'), [("start-name", "s")]),
        (start(ASK, SENDER + ' policy:form="nowhere"'), [("unknown-form", "s")]),
        (start(ASK, SENDER + ' policy:key="today"'), [("unknown-attribute", "s")]),
        (start(ASK, SENDER + ' policy:into="x"'), [("unknown-attribute", "s"), ("misplaced", "s")]),
        (start(BELL, SENDER), [("misplaced", "s")]),
        (start("", 'policy:form="apply"'), [("misplaced", "s")]),
    ],
)
def test_a_start_that_could_not_begin_a_case_is_refused(event: str, expected: list[tuple[str, str]]) -> None:
    assert gate(event + DECIDE + END) == expected


def test_a_message_that_the_process_throws_itself_does_not_start_it() -> None:
    throw = f'<intermediateThrowEvent id="x">{ASK}</intermediateThrowEvent>'
    assert gate(start(ASK) + DECIDE + throw + END, "s -> decide\ndecide -> x\nx -> e") == [("no-sender", "s")]


def test_the_key_of_a_message_is_for_those_who_wait_for_it_in_a_case() -> None:
    keyed = '<message id="m_ask" name="ask" policy:key="agreed"/>'
    wait = f'<intermediateCatchEvent id="c" {SENDER}>{ASK}</intermediateCatchEvent>'
    assert gate(start(ASK, SENDER) + DECIDE + wait + END, "s -> decide\ndecide -> c\nc -> e", around=keyed) == []


def test_one_message_has_one_start_event() -> None:
    two = start(ASK, SENDER) + start(ASK, SENDER).replace('"s"', '"t"')
    assert gate(two + DECIDE + END, f"{LINES}\nt -> decide") == [("several-starts", "t")]


def test_a_form_at_the_start_cannot_read_what_is_not_there_yet() -> None:
    asks = start(ASK, SENDER + ' policy:form="asked"') + DECIDE + END
    for reads, expected in (("agreed", [("start-name", "s")]), ("params['a']", []), ("len(case['number'])", [])):
        forms = {**WORLD.forms, "asked": drawn_form("asked", f"seen = {reads}")}
        assert gate(asks, forms=forms) == expected


@pytest.mark.parametrize("event", [start(BELL), start(timer("P1D")), start(condition("today == today"))])
@pytest.mark.parametrize("assignee", ["applicant", "=applicant"])
def test_the_first_task_of_a_case_that_begins_by_itself_needs_a_role(event: str, assignee: str) -> None:
    alone = f'<userTask id="decide" policy:assignee="{assignee}"/>'
    assert gate(event + alone + END) == [("no-role", "decide")]
    assert gate(event + alone.replace("/>", ' policy:role="clerk"/>') + END) == []
    assert gate(start(ASK, SENDER) + alone + END) == []
    behind = DECIDE + '<userTask id="apply" policy:assignee="applicant"/>'
    assert gate(event + behind + END, "s -> decide\ndecide -> apply\napply -> e") == []


def test_a_process_that_is_only_called_begins_plainly() -> None:
    called = 'policy:kind="called"'
    assert sorted(gate(start(BELL) + DECIDE + END, attributes=called)) == [("called-start", "s"), ("no-start", "p")]
    both = START + start(BELL).replace('"s"', '"t"') + DECIDE + END
    assert gate(both, f"{LINES}\nt -> decide", attributes=called) == [("called-start", "t")]


@pytest.mark.parametrize(
    ("starts", "refused"),
    [
        ({"none"}, []),
        ({"none", "timer"}, []),
        ({"timer"}, ["go", "c"]),
        ({"none", "called"}, ["go"]),
        (None, ["go", "c"]),
    ],
)
def test_what_is_called_or_started_needs_a_plain_start(starts: set[str] | None, refused: list[str]) -> None:
    processes = {} if starts is None else {"other": ProcessSignature(starts=frozenset(starts))}
    go = operation("case.start", process="'other'")
    body = f'{START}<serviceTask id="go">{go}</serviceTask><callActivity id="c" calledElement="other"/>{END}'
    found = gate(body, "s -> go\ngo -> c\nc -> e", operations=OPERATIONS, processes=processes)
    assert found == [("unknown-process", element) for element in refused]


def test_the_signature_of_a_process_says_how_it_begins() -> None:
    body = START + start(BELL).replace('"s"', '"t"') + DECIDE + END
    diagram = read_diagram(model(body, f"{LINES}\nt -> decide", around=AROUND), "test.bpmn")
    assert signature(diagram).starts == {"none", "signal"}


def test_the_functions_that_need_no_case_are_those_the_gate_knows() -> None:
    supplied = {name for name, function in FUNCTIONS.items() if function.run is None}
    given: Any = None  # no act: the functions are only named
    assert set(worldly.functions(given, Calendar(0, {}, frozenset()))) & supplied == FUNCTIONS_THEN
