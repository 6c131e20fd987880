"""The gate on what events throw and catch: what passes, and what is refused because it could never happen."""

from __future__ import annotations

import pytest

from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from forms.words import Unfit
from tests.harness.gate import APPLY, END, LINE, START, WORLD
from tests.harness.models import flows, model

AROUND = (
    '<message id="m1" name="recall"/><message id="m3" name="inner"/><signal id="sg" name="halt"/><signal id="s0"/>'
    '<error id="er" name="Wrong" errorCode="E1"/><error id="e0"/><escalation id="es" escalationCode="X1"/>'
)
TO_THE_END = "bs -> decide\ndecide -> be"
INSIDE = '<startEvent id="bs"/><userTask id="decide" policy:role="clerk"/>{}{}'


def gate(body: str, lines: str = LINE) -> list[tuple[str, str | None]]:
    """What the gate says: codes and elements."""
    findings = check_diagram(read_diagram(model(body, lines, around=AROUND), "test.bpmn"), WORLD)
    return [(finding.code, finding.element) for finding in findings]


def box(end: str, *, tag: str = "subProcess", more: str = "") -> str:
    """A subprocess whose end event is given."""
    return f'<{tag} id="box">{INSIDE.format(end, flows(TO_THE_END))}{more}</{tag}>'


def throwing(definition: str) -> str:
    """An end event that throws."""
    return f'<endEvent id="be">{definition}</endEvent>'


def boundary(definition: str, more: str = "", host: str = "box") -> str:
    """A boundary event."""
    return f'<boundaryEvent id="b" attachedToRef="{host}" {more}>{definition}</boundaryEvent>'


ERROR = '<errorEventDefinition errorRef="er"/>'
ESCALATION = '<escalationEventDefinition escalationRef="es"/>'
SIGNAL = '<signalEventDefinition signalRef="sg"/>'
CONDITION = "<conditionalEventDefinition><condition>amount_fen &gt; 3</condition></conditionalEventDefinition>"
BOXED = "s -> apply\napply -> box\nbox -> e\nb -> e"


@pytest.mark.parametrize("tag", ["subProcess", "transaction"])
@pytest.mark.parametrize("definition", [ERROR, ESCALATION, "<errorEventDefinition/>", "<escalationEventDefinition/>"])
def test_errors_and_escalations_of_a_subprocess_may_be_caught(tag: str, definition: str) -> None:
    thrown = ESCALATION if "escalation" in definition else ERROR
    body = START + APPLY + box(throwing(thrown), tag=tag) + boundary(definition, 'policy:into="code"') + END
    assert gate(body, BOXED) == []


@pytest.mark.parametrize("definition", [SIGNAL, CONDITION])
@pytest.mark.parametrize("how", ["true", "false"])
def test_signals_and_conditions_may_come_to_any_activity(definition: str, how: str) -> None:
    body = START + APPLY + boundary(definition, f'cancelActivity="{how}"', "apply") + END
    assert gate(body, LINE + "\nb -> e") == []


@pytest.mark.parametrize("definition", [ERROR, ESCALATION])
def test_what_a_task_cannot_throw_is_not_caught_on_its_border(definition: str) -> None:
    body = START + APPLY + boundary(definition, host="apply") + END
    assert gate(body, LINE + "\nb -> e") == [("boundary-host", "b")]


def test_an_error_always_interrupts() -> None:
    body = START + APPLY + box(throwing(ERROR)) + boundary(ERROR, 'cancelActivity="false"') + END
    assert gate(body, BOXED) == [("unsupported", "b")]


@pytest.mark.parametrize("definition", ['<errorEventDefinition errorRef="e0"/>', "<escalationEventDefinition/>"])
def test_what_is_thrown_has_a_code(definition: str) -> None:
    assert gate(START + APPLY + box(throwing(definition)) + END, BOXED.replace("\nb -> e", "")) == [("no-code", "be")]


@pytest.mark.parametrize(
    ("kind", "word"), [("error", "errorRef"), ("escalation", "escalationRef"), ("signal", "signalRef")]
)
def test_a_reference_to_nothing_is_refused(kind: str, word: str) -> None:
    with pytest.raises(Unfit, match=f"points to no {kind}"):
        gate(START + APPLY + throwing(f'<{kind}EventDefinition {word}="gone"/>'), "s -> apply\napply -> be")


def test_a_signal_needs_a_name_and_a_condition_an_expression() -> None:
    signal = START + APPLY + boundary('<signalEventDefinition signalRef="s0"/>', host="apply") + END
    assert gate(signal, LINE + "\nb -> e") == [("no-signal", "b")]
    condition = START + APPLY + boundary("<conditionalEventDefinition/>", host="apply") + END
    assert gate(condition, LINE + "\nb -> e") == [("no-condition", "b")]
    unknown = START + APPLY + boundary(CONDITION.replace("amount_fen", "amount"), host="apply") + END
    assert gate(unknown, LINE + "\nb -> e") == [("unbrought-name", "b")]


def test_the_code_of_an_error_can_be_read_under_its_name() -> None:
    camunda = '<errorEventDefinition errorRef="er" camunda:errorCodeVariable="code"/>'
    sum_up = '<scriptTask id="t"><script>seen = code</script></scriptTask>'
    body = START + APPLY + box(throwing(ERROR)) + boundary(camunda) + sum_up + END
    assert gate(body, "s -> apply\napply -> box\nbox -> e\nb -> t\nt -> e") == []
    reserved = boundary(ERROR, 'policy:into="today"')
    assert gate(START + APPLY + box(throwing(ERROR)) + reserved + END, BOXED) == [("reserved-name", "b")]
    foreign = boundary('<errorEventDefinition camunda:errorMessageVariable="text"/>')
    assert gate(START + APPLY + box(throwing(ERROR)) + foreign + END, BOXED) == [("unsupported", "b")]


# Links.

THROW = '<intermediateThrowEvent id="there"><linkEventDefinition name="k"/></intermediateThrowEvent>'
CATCH = '<intermediateCatchEvent id="here"><linkEventDefinition name="k"/></intermediateCatchEvent>'


def test_a_link_joins_two_parts_of_a_drawing() -> None:
    assert gate(START + APPLY + THROW + CATCH + END, "s -> apply\napply -> there\nhere -> e") == []


@pytest.mark.parametrize(
    ("body", "lines", "expected"),
    [
        (THROW, "apply -> there\napply -> e", [("link", "there")]),
        (CATCH, "apply -> e\nhere -> e", [("unreachable", "here")]),
        (THROW + CATCH, "apply -> there\nthere -> e\nhere -> e", [("link", "there")]),
        (THROW + CATCH, "apply -> there\napply -> here\nhere -> e", [("link", "here")]),
        (
            THROW + CATCH + CATCH.replace("here", "other"), "apply -> there\nhere -> e\nother -> e",
            [("link", "other"), ("unreachable", "other")],
        ),
        (
            THROW + CATCH + '<userTask id="decide" policy:role="clerk"/>',
            "apply -> there\nhere -> decide\ndecide -> there\napply -> e",
            [("no-way-to-end", "there"), ("no-way-to-end", "here"), ("no-way-to-end", "decide")],
        ),
    ],
)  # fmt: skip
def test_links_that_lead_nowhere_are_refused(body: str, lines: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(gate(START + APPLY + body + END, f"s -> apply\n{lines}")) == sorted(expected)


# Event subprocesses.


def handler(definition: str, *, start: str = "", box: str = "", outcome: str = 'policy:outcome="x"') -> str:
    """An event subprocess of one task."""
    inside = f'<startEvent id="xs" {start}>{definition}</startEvent><endEvent id="xe" {outcome}/>'
    return f'<subProcess id="x" triggeredByEvent="true" {box}>{inside}{flows("xs -> xe")}</subProcess>'


MESSAGE = '<messageEventDefinition messageRef="m1"/>'
TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"


@pytest.mark.parametrize("definition", [ERROR, ESCALATION, SIGNAL, CONDITION, MESSAGE, TIMER])
def test_an_event_subprocess_may_start_by_any_event_that_comes_from_elsewhere(definition: str) -> None:
    sender = 'policy:sender="applicant" policy:form="recall"' if "message" in definition else ""
    assert gate(START + APPLY + END + handler(definition, start=sender)) == []


def test_an_event_subprocess_has_no_flows_and_no_border() -> None:
    flow = START + APPLY + END + handler(SIGNAL)
    assert gate(flow, LINE + "\nx -> e") == [("event-subprocess-flow", "x")]
    assert gate(flow + boundary(SIGNAL, host="x"), LINE + "\nb -> e") == [("boundary-host", "x")]


def test_an_event_subprocess_that_interrupts_says_how_the_process_ends() -> None:
    body = START + APPLY + END
    assert gate(body + handler(SIGNAL, outcome="")) == [("no-outcome", "xe")]
    assert gate(body + handler(SIGNAL, outcome="", start='isInterrupting="false"')) == []


def test_a_process_that_only_an_event_subprocess_ends_passes() -> None:
    assert gate(START + APPLY + handler(SIGNAL), "s -> apply\napply -> apply") == []


def test_the_names_of_an_event_subprocess_are_those_around_it() -> None:
    sender = 'policy:sender="applicant" policy:form="recall"'
    reads = '<scriptTask id="t"><script>seen = reason</script></scriptTask>'
    assert gate(START + APPLY + reads + END + handler(MESSAGE, start=sender), "s -> apply\napply -> t\nt -> e") == []


# Messages.


def test_a_message_the_process_throws_needs_no_sender_and_no_form() -> None:
    send = '<sendTask id="send" messageRef="m3"/><receiveTask id="wait" messageRef="m3" policy:key="amount_fen"/>'
    assert gate(START + APPLY + send + END, "s -> apply\napply -> send\nsend -> wait\nwait -> e") == []
    alone = '<receiveTask id="wait" messageRef="m3"/>'
    assert gate(START + APPLY + alone + END, "s -> apply\napply -> wait\nwait -> e") == [("no-sender", "wait")]
    nameless = '<sendTask id="send"/>'
    assert gate(START + APPLY + nameless + END, "s -> apply\napply -> send\nsend -> e") == [("no-message", "send")]
    filled = (
        '<sendTask id="send" messageRef="m1"/>'
        '<receiveTask id="wait" messageRef="m1" policy:form="recall" policy:sender="head"/>'
    )
    lines = "s -> apply\napply -> send\nsend -> wait\nwait -> e"
    assert gate(START + APPLY + filled + END, lines) == [("message-form", "send")]


def test_words_at_an_event_of_another_kind_are_refused_because_they_would_be_lost() -> None:
    into = boundary(SIGNAL, 'policy:into="code"', "apply")
    assert gate(START + APPLY + into + END, LINE + "\nb -> e") == [("misplaced", "b")]
    key = boundary(SIGNAL, 'policy:key="amount_fen"', "apply")
    assert gate(START + APPLY + key + END, LINE + "\nb -> e") == [("misplaced", "b")]
    assert gate(START.replace("/>", ' policy:sender="head"/>') + APPLY + END) == [("misplaced", "s")]


def test_the_correlation_of_zeebe_is_read_where_a_message_is_awaited() -> None:
    subscription = '<zeebe:subscription correlationKey="=amount_fen"/>'
    message = f'<message id="mz" name="z"><extensionElements>{subscription}</extensionElements></message>'
    tasks = '<receiveTask id="wait" messageRef="mz" policy:sender="head"/><sendTask id="send" messageRef="mz"/>'
    elements = read_diagram(model(tasks, around=message), "x").elements
    assert (elements["wait"].policy["key"], "key" in elements["send"].policy) == ("amount_fen", False)


# Loops and splits.

LOOP = "<standardLoopCharacteristics><loopCondition>count &lt; 3</loopCondition></standardLoopCharacteristics>"


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        (LOOP, []),
        ('<standardLoopCharacteristics loopMaximum="3"/>', []),
        ("<standardLoopCharacteristics/>", [("loop", "apply")]),
        (LOOP.replace("count", "loopCounter"), [("unbrought-name", "apply")]),
    ],
)
def test_a_standard_loop_says_when_it_stops(loop: str, expected: list[tuple[str, str]]) -> None:
    assert gate(START + APPLY.replace("/>", f">{loop}</userTask>") + END) == expected


@pytest.mark.parametrize(
    ("default", "lines", "expected"),
    [
        ("", "apply -> t\napply -> e", []),
        ("", "apply -> t\napply -> e if count > 1", []),
        ("apply_e", "apply -> t if count > 1\napply -> e", []),
        ("apply_e", "apply -> t\napply -> e", [("default-misplaced", "apply")]),
        ("apply_e", "apply -> t if count > 1\napply -> e if count > 1", [("default-condition", "apply_e")]),
    ],
)
def test_a_task_may_leave_by_several_flows(default: str, lines: str, expected: list[tuple[str, str]]) -> None:
    task = APPLY.replace("/>", f' default="{default}"/>') if default else APPLY
    body = START + task + '<manualTask id="t"/>' + END
    assert gate(body, f"s -> apply\n{lines}\nt -> e") == expected


def test_flows_of_events_have_no_conditions() -> None:
    body = START + APPLY + '<manualTask id="t"/>' + END
    lines = "s -> apply\ns -> t if 1 > 0\napply -> e\nt -> e"
    assert gate(body, lines) == [("condition-misplaced", "s_t")]
