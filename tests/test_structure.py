"""Drawings that could not run, or would run otherwise than they look, are refused."""

from __future__ import annotations

import pytest

from tests.harness.gate import APPLY, DECIDE, END, LINE, START, gate

STRUCTURE = [
    (APPLY + END, "apply -> e", [("no-start", "p")]),
    (START + '<startEvent id="s2"/>' + APPLY + END, LINE + "\ns2 -> apply", [("several-starts", "s2")]),
    (
        START + APPLY + '<exclusiveGateway id="g" default="g_e"/>' + END,
        "s -> apply\napply -> g\ng -> s if count > 1\ng -> e",
        [("start-incoming", "s")],
    ),
    (START + APPLY + DECIDE + END, LINE + "\ne -> decide\ndecide -> e", [("end-outgoing", "e")]),
    (START + APPLY, "s -> apply", [("no-end", "p"), ("dead-end", "apply")]),
    (START + APPLY + '<endEvent id="e"/>', LINE, [("no-outcome", "e")]),
    (
        START + APPLY + END,
        LINE + "\napply -> gone",
        [("dangling-reference", "apply_gone")],
    ),
    (START + APPLY + END, LINE + "\ngone -> apply", [("dangling-reference", "gone_apply")]),
    (START + APPLY + DECIDE + END, LINE + "\ndecide -> e", [("unreachable", "decide")]),
    (
        START + APPLY + DECIDE + END,
        LINE + "\ndecide -> decide",
        [("unreachable", "decide"), ("no-way-to-end", "decide")],
    ),
    (START + APPLY + END, "s -> apply\napply -> e if count > 1", [("condition-misplaced", "apply_e")]),
    (START + APPLY.replace("/>", ' default="apply_e"/>') + END, LINE, [("default-misplaced", "apply")]),
]


@pytest.mark.parametrize(("body", "lines", "expected"), STRUCTURE)
def test_drawings_that_could_not_run_are_refused(body: str, lines: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(gate(body, lines), key=str) == sorted(expected, key=str)


def test_a_loop_that_only_a_boundary_event_of_its_subprocess_ends_passes() -> None:
    body = (
        START
        + APPLY
        + END
        + (
            '<subProcess id="sub"><startEvent id="is"/><userTask id="decide" policy:role="clerk"/>'
            '<sequenceFlow id="i1" sourceRef="is" targetRef="decide"/>'
            '<sequenceFlow id="i2" sourceRef="decide" targetRef="decide"/></subProcess>'
            '<boundaryEvent id="b" attachedToRef="sub" policy:sender="head"><messageEventDefinition messageRef="m1"/>'
            "</boundaryEvent>"
        )
    )
    assert gate(body, "s -> apply\napply -> sub\nsub -> e\nb -> e") == []
    kept = body.replace('attachedToRef="sub"', 'attachedToRef="sub" cancelActivity="false"')
    found = gate(kept, "s -> apply\napply -> sub\nsub -> e\nb -> e")
    assert ("no-end", "sub") in found
    assert ("no-way-to-end", "decide") in found


GATEWAY_LINES = "s -> apply\napply -> g\ng -> e{}\ng -> f{}"


@pytest.mark.parametrize(
    ("gateway", "first", "second", "expected"),
    [
        ('<exclusiveGateway id="g"/>', " if count > 1", " if count < 2", []),
        ('<exclusiveGateway id="g" default="g_f"/>', " if count > 1", "", []),
        ('<inclusiveGateway id="g" default="g_f"/>', " if count > 1", "", []),
        ('<parallelGateway id="g"/>', "", "", []),
        ('<exclusiveGateway id="g"/>', " if count > 1", "", [("condition-missing", "g_f")]),
        ('<inclusiveGateway id="g"/>', "", "", [("condition-missing", "g_e"), ("condition-missing", "g_f")]),
        ('<exclusiveGateway id="g" default="g_f"/>', " if count > 1", " if count < 2", [("default-condition", "g_f")]),
        ('<exclusiveGateway id="g" default="x"/>', " if count > 1", " if count < 2", [("dangling-reference", "g")]),
        ('<exclusiveGateway id="g" default="s_apply"/>', " if count > 1", " if True", [("dangling-reference", "g")]),
        ('<parallelGateway id="g"/>', " if count > 1", "", [("condition-misplaced", "g_e")]),
        ('<parallelGateway id="g" default="g_e"/>', "", "", [("default-misplaced", "g")]),
        ('<eventBasedGateway id="g"/>', "", "", [("event-gateway-target", "g_e"), ("event-gateway-target", "g_f")]),
    ],
)
def test_gateways_say_how_they_choose(gateway: str, first: str, second: str, expected: list[tuple[str, str]]) -> None:
    body = START + APPLY + gateway + END + '<endEvent id="f" policy:outcome="not"/>'
    assert gate(body, GATEWAY_LINES.format(first, second)) == expected


BOUNDARY = """<boundaryEvent id="b" {}><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>
</boundaryEvent>"""


@pytest.mark.parametrize(
    ("loop", "more", "refused"),
    [
        ("", "", []),
        ("", BOUNDARY.format('attachedToRef="r"'), [("event-gateway-target", "g_r")]),
        ("<standardLoopCharacteristics loopMaximum='2'/>", "", [("event-gateway-target", "g_r")]),
    ],
)
def test_a_plain_receive_task_may_be_a_rival_behind_an_event_gateway(
    loop: str, more: str, refused: list[tuple[str, str]]
) -> None:
    body = (
        f'{START}{APPLY}{END}<eventBasedGateway id="g"/><receiveTask id="r" messageRef="m1" policy:sender="clerk">'
        f'{loop}</receiveTask><intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>P1D</timeDuration>'
        f"</timerEventDefinition></intermediateCatchEvent>{more}"
    )
    lines = "s -> apply\napply -> g\ng -> r\ng -> t\nr -> e\nt -> e" + ("\nb -> e" if more else "")
    assert gate(body, lines) == refused


def test_an_event_behind_an_event_gateway_has_no_other_way_in() -> None:
    body = (
        START
        + APPLY
        + END
        + (
            '<exclusiveGateway id="x"/><eventBasedGateway id="g"/><intermediateCatchEvent id="t"><timerEventDefinition>'
            "<timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>"
        )
    )
    lines = "s -> apply\napply -> x\nx -> g if count > 1\nx -> t if count < 2\ng -> t\nt -> e"
    assert gate(body, lines) == [("event-gateway-target", "g_t")]


@pytest.mark.parametrize(
    ("attached", "expected"),
    [
        ('attachedToRef="apply"', []),
        ('attachedToRef="apply" cancelActivity="false"', []),
        ("", [("dangling-reference", "b")]),
        ('attachedToRef="gone"', [("dangling-reference", "b")]),
        ('attachedToRef="s"', [("boundary-host", "b")]),
        ('attachedToRef="inner"', [("boundary-host", "b")]),
    ],
)
def test_boundary_events_sit_on_an_activity_beside_them(attached: str, expected: list[tuple[str, str]]) -> None:
    sub = (
        '<subProcess id="sub"><startEvent id="is"/><userTask id="inner" policy:form="decide" policy:role="clerk"/>'
        '<endEvent id="ie"/><sequenceFlow id="i1" sourceRef="is" targetRef="inner"/>'
        '<sequenceFlow id="i2" sourceRef="inner" targetRef="ie"/></subProcess>'
    )
    lines = "s -> apply\napply -> sub\nsub -> e\nb -> e"
    assert gate(START + APPLY + sub + END + BOUNDARY.format(attached), lines) == expected


def test_flows_do_not_cross_the_border_of_a_subprocess() -> None:
    sub = (
        '<subProcess id="sub"><startEvent id="is"/><userTask id="decide" policy:role="clerk"/><endEvent id="ie"/>'
        '<sequenceFlow id="i1" sourceRef="is" targetRef="decide"/>'
        '<sequenceFlow id="i2" sourceRef="decide" targetRef="ie"/></subProcess>'
        '<exclusiveGateway id="g" default="g_sub"/>'
    )
    lines = "s -> apply\napply -> g\ng -> sub\ng -> decide if count > 1\nsub -> e"
    assert gate(START + APPLY + sub + END, lines) == [("crossing-flow", "g_decide")]


def test_lanes_list_elements_that_exist() -> None:
    lanes = '<laneSet id="ls"><lane id="l"><flowNodeRef>gone</flowNodeRef></lane></laneSet>'
    assert gate(lanes + START + APPLY + END, LINE) == [("dangling-reference", "l")]
