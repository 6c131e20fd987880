"""Reading BPMN files: what a diagram says, and what in it cannot be understood."""

from __future__ import annotations

import hashlib

import pytest

from bpmn.diagram import Edge, Element, Event, Flow, Loop, Operation, Other, Process, Shape
from bpmn.reader import Undecided, read_diagram
from tests.harness.models import NAMESPACES, model
from tests.harness.refused import only, refused

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def test_a_process_is_read_with_its_place_in_the_file() -> None:
    task = '<userTask id="a" name="受理\n 审查" policy:form="f" policy:name-en="Check"/>'
    body = f"{START}\n{task}\n{END}"
    data = model(body, "s -> a\na -> e", attributes='id="p" name="登记" isExecutable="true" policy:kind="main"')
    diagram = read_diagram(data, "p4.bpmn")
    assert diagram.file == "p4.bpmn"
    assert diagram.sha256 == hashlib.sha256(data).hexdigest()
    assert diagram.process == Process("p", "登记", 4, executable=True, policy={"kind": "main"})
    assert diagram.elements["a"] == Element(
        "a",
        "userTask",
        "受理 审查",
        6,
        "p",
        incoming=("s_a",),
        outgoing=("a_e",),
        policy={"form": "f", "name-en": "Check"},
    )
    assert list(diagram.elements) == ["s", "a", "e"]
    assert diagram.flows == {"s_a": Flow("s_a", "s", "a", "", None, 9), "a_e": Flow("a_e", "a", "e", "", None, 10)}


def test_flows_keep_the_order_of_the_file_whatever_the_drawing_says() -> None:
    body = (
        START
        + '<exclusiveGateway id="g" default="g_b"><outgoing>g_c</outgoing><outgoing>g_b</outgoing></exclusiveGateway>'
    )
    diagram = read_diagram(model(body + '<endEvent id="b"/><endEvent id="c"/>', "s -> g\ng -> c if x > 1\ng -> b"), "x")
    assert diagram.elements["g"].outgoing == ("g_c", "g_b")
    assert diagram.elements["g"].default == "g_b"
    assert diagram.flows["g_c"].condition == "x > 1"


@pytest.mark.parametrize(
    ("inner", "condition"),
    [
        ("amount > 3 <!-- a remark --> and agreed", "amount > 3  and agreed"),
        ("<!-- first -->agreed", "agreed"),
        ("<![CDATA[amount > 3 and b < 2]]>", "amount > 3 and b < 2"),
        ("amount &gt; 3 <![CDATA[and]]> agreed<?pi x?>!= 2", "amount > 3 and agreed!= 2"),
        ("", ""),
    ],
)
def test_a_condition_is_read_whole(inner: str, condition: str) -> None:
    inside = f"<conditionExpression>{inner}</conditionExpression>"
    flow = f'<sequenceFlow id="f" sourceRef="s" targetRef="e">{inside}</sequenceFlow>'
    assert read_diagram(model(START + END + flow), "x").flows["f"].condition == condition


def test_a_condition_with_elements_or_in_another_language_is_refused() -> None:
    flow = '<sequenceFlow id="f" sourceRef="s" targetRef="e">{}</sequenceFlow>'
    markup = flow.format("<conditionExpression>a <b>or</b> c</conditionExpression>")
    assert only(model(START + END + markup))[0] == "expression-markup"
    juel = flow.format('<conditionExpression language="juel">a</conditionExpression>')
    assert only(model(START + END + juel))[0] == "expression-language"


@pytest.mark.parametrize("word", ["loopCardinality", "completionCondition"])
def test_no_expression_may_be_in_another_language(word: str) -> None:
    loop = f'<multiInstanceLoopCharacteristics><{word} language="juel">3</{word}></multiInstanceLoopCharacteristics>'
    assert only(model(f'<userTask id="t">{loop}</userTask>'))[0] == "expression-language"
    timer = '<timerEventDefinition><timeDate language="feel">x</timeDate></timerEventDefinition>'
    assert only(model(f'<boundaryEvent id="t">{timer}</boundaryEvent>'))[0] == "expression-language"


@pytest.mark.parametrize(("no", "yes"), [("false", "true"), ("0", "1"), (" False ", "TRUE")])
def test_truth_is_understood_in_words_and_in_digits(no: str, yes: str) -> None:
    body = (
        f'<boundaryEvent id="b" attachedToRef="t" cancelActivity="{no}"/><subProcess id="e" triggeredByEvent="{yes}"/>'
        f'<userTask id="t" isForCompensation="{no.strip().lower()}">'
        f'<multiInstanceLoopCharacteristics isSequential="{yes}"/></userTask>'
    )
    diagram = read_diagram(model(body, attributes=f'id="p" isExecutable="{no}"'), "x")
    assert not diagram.process.executable
    assert not diagram.elements["b"].interrupting
    assert diagram.elements["e"].type == "eventSubProcess"
    assert diagram.elements["t"].loop == Loop(True, None, None, None, None, None, None, 5)
    assert diagram.others == ()


def test_flows_without_id_are_named_after_their_ends() -> None:
    flows = '<sequenceFlow sourceRef="s" targetRef="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
    flows += '<sequenceFlow sourceRef="s" targetRef="e"/>'
    diagram = read_diagram(model(START + END + flows), "x")
    assert list(diagram.flows) == ["s--e", "f", "s--e-3"]
    assert diagram.elements["s"].outgoing == ("s--e", "f", "s--e-3")


def test_events_are_read() -> None:
    body = (
        START
        + """
      <userTask id="t"/>
      <boundaryEvent id="b1" attachedToRef="t" cancelActivity="false"><timerEventDefinition>
        <timeDuration>P15D</timeDuration></timerEventDefinition></boundaryEvent>
      <boundaryEvent id="b2" attachedToRef="t"><messageEventDefinition messageRef="m"/></boundaryEvent>
      <intermediateCatchEvent id="c"><timerEventDefinition><timeDate>deadline</timeDate></timerEventDefinition>
      </intermediateCatchEvent>
      <intermediateCatchEvent id="d"><timerEventDefinition/></intermediateCatchEvent>
      <intermediateCatchEvent id="n"/><endEvent id="z"><signalEventDefinition signalRef="sg"/></endEvent>
      <endEvent id="y"><terminateEventDefinition/></endEvent>
      <intermediateCatchEvent id="m2"><timerEventDefinition/><signalEventDefinition/></intermediateCatchEvent>"""
    )
    around = '<message id="m" name="withdraw"/><signal id="sg" name="halt"/>'
    read = read_diagram(model(body, around=around), "x").elements
    assert read["b1"].event == Event("timer", form="duration", expression="P15D")
    assert (read["b1"].attached_to, read["b1"].interrupting) == ("t", False)
    assert read["b2"].event == Event("message", name="withdraw")
    assert read["b2"].interrupting
    assert read["c"].event == Event("timer", form="date", expression="deadline")
    assert read["d"].event == Event("timer")
    assert read["n"].event == Event("none")
    assert read["z"].event == Event("signal", name="halt")
    assert read["y"].event == Event("terminate")
    assert read["m2"].event == Event("multiple")
    assert read["t"].event is None


def test_a_timer_with_two_times_is_refused() -> None:
    two = "<timerEventDefinition><timeDate>a</timeDate><timeDuration>P1D</timeDuration></timerEventDefinition>"
    assert only(model(f'<intermediateCatchEvent id="c">{two}</intermediateCatchEvent>'))[0] == "timer"


def test_loops_are_read_from_our_words_and_those_of_others() -> None:
    task = '<userTask id="t"><multiInstanceLoopCharacteristics {}>{}</multiInstanceLoopCharacteristics></userTask>'

    def loop(attributes: str, inner: str = "") -> Loop | None:
        return read_diagram(model(task.format(attributes, inner)), "x").elements["t"].loop

    ours = (
        'isSequential="true" policy:collection="experts" policy:item="who" policy:output="votes" policy:result="vote"'
    )
    until = "<completionCondition>len(votes) &gt; 2</completionCondition>"
    assert loop(ours, until) == Loop(True, "experts", None, "who", "votes", "vote", "len(votes) > 2", 5)
    assert loop("", "<loopCardinality>3</loopCardinality>") == Loop(False, None, "3", None, None, None, None, 5)
    theirs = 'camunda:collection="${experts}" camunda:elementVariable="who"'
    assert loop(theirs) == Loop(False, "experts", None, "who", None, None, None, 5)
    zeebe = (
        '<extensionElements><zeebe:loopCharacteristics inputCollection="=experts" inputElement="who" '
        'outputCollection="votes" outputElement="=vote"/></extensionElements>'
    )
    assert loop("", zeebe) == Loop(False, "experts", None, "who", "votes", "vote", None, 5)
    standard = '<loopDataInputRef>experts</loopDataInputRef><inputDataItem name="who"/>'
    assert loop("", standard) == Loop(False, "experts", None, "who", None, None, None, 5)


def test_words_of_other_engines_count_where_they_mean_the_same() -> None:
    body = """<userTask id="a" camunda:formKey="f" camunda:candidateGroups="x,y" camunda:assignee="${boss}"
                camunda:dueDate="${due}"/>
      <userTask id="b" camunda:formKey="other" policy:form="f" camunda:assignee="demo"/>
      <userTask id="c"><extensionElements><zeebe:formDefinition formId="f"/><zeebe:userTask/>
        <zeebe:assignmentDefinition assignee="=boss" candidateGroups="x"/><zeebe:taskSchedule dueDate="=due"/>
      </extensionElements></userTask>"""
    diagram = read_diagram(model(body), "x")
    assert diagram.elements["a"].policy == {"form": "f", "role": "x,y", "assignee": "=boss", "due": "due"}
    assert diagram.elements["b"].policy == {"form": "f", "assignee": "='demo'"}
    assert diagram.elements["c"].policy == {"form": "f", "assignee": "=boss", "role": "x", "due": "due"}
    assert diagram.others == ()


def test_calls_operations_and_scripts_are_read() -> None:
    body = """<callActivity id="c" calledElement="other"><extensionElements>
        <policy:in name="a" value="b + 1"/><policy:in name="same"/><camunda:in source="d" target="e"/>
        <policy:out name="f" value="g"/></extensionElements></callActivity>
      <serviceTask id="o"><extensionElements>
        <policy:operation name="number.next" into="n"><policy:with name="series" value="'C'"/></policy:operation>
        <policy:operation name="notify"/></extensionElements></serviceTask>
      <scriptTask id="t" scriptFormat="python"><script><![CDATA[
        a = 1
        b = a < 2
      ]]></script></scriptTask>"""
    read = read_diagram(model(body), "x").elements
    assert read["c"].called == "other"
    assert read["c"].inputs == {"a": "b + 1", "same": "same", "e": "d"}
    assert read["c"].outputs == {"f": "g"}
    assert read["o"].operations == (
        Operation("number.next", {"series": "'C'"}, "n", 9),
        Operation("notify", {}, None, 10),
    )
    assert read["t"].script == "a = 1\nb = a < 2"


CALL = '<callActivity id="c"><extensionElements>{}</extensionElements></callActivity>'

WORK = '<serviceTask id="c"><extensionElements>{}</extensionElements></serviceTask>'


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (CALL.format('<policy:in name="a" value="1"/><policy:in name="a" value="2"/>'), "call-mapping"),
        (CALL.format('<camunda:in variables="all"/>'), "call-mapping"),
        (WORK.format('<policy:operation name="n"><policy:with value="1"/></policy:operation>'), "operation"),
        (WORK.format('<policy:operation name="n"><policy:wiht name="a" value="1"/></policy:operation>'), "operation"),
        ('<scriptTask id="c" scriptFormat="groovy"><script>x</script></scriptTask>', "script-language"),
    ],
)
def test_what_is_said_twice_or_in_another_language_is_refused(node: str, code: str) -> None:
    assert only(model(node)) == (code, 5)


def test_subprocesses_lanes_and_notes_are_read() -> None:
    body = """<laneSet id="ls"><lane id="l1" name="办公室" policy:role="clerk"><flowNodeRef>sub</flowNodeRef>
        <childLaneSet id="cs"><lane id="l2"><flowNodeRef>t</flowNodeRef></lane></childLaneSet></lane></laneSet>
      <subProcess id="sub"><startEvent id="is"/><subProcess id="deep"><endEvent id="de"/></subProcess></subProcess>
      <userTask id="t"/><textAnnotation id="n"><text>说明</text></textAnnotation>"""
    around = '<collaboration id="co"><participant id="pool" name="大学" processRef="p"/></collaboration>'
    diagram = read_diagram(model(body, around=around), "x")
    assert [(lane.id, lane.pool, lane.role, lane.elements) for lane in diagram.lanes] == [
        ("pool", True, None, ()),
        ("l1", False, "clerk", ("sub",)),
        ("l2", False, None, ("t",)),
    ]
    assert {key: (each.container, each.lane) for key, each in diagram.elements.items()} == {
        "sub": ("p", "l1"),
        "is": ("sub", "l1"),
        "deep": ("sub", "l1"),
        "de": ("deep", "l1"),
        "t": ("p", "l2"),
    }
    assert [each.id for each in diagram.within("sub")] == ["is", "deep"]
    assert diagram.notes == {"n": "说明"}


def test_what_is_not_run_is_kept_by_name() -> None:
    body = '<subProcess id="ev" triggeredByEvent="true"/><adHocSubProcess id="ad"/><complexGateway id="c"/>'
    body += '<correlationSubscription id="d"/><dataObject id="o"/>'
    body += '<userTask id="t"><ioSpecification/></userTask>'
    diagram = read_diagram(model(body), "x")
    assert [each.type for each in diagram.elements.values()] == [
        "eventSubProcess",
        "adHocSubProcess",
        "complexGateway",
        "userTask",
    ]
    assert diagram.others == (Other("ioSpecification", "t", 5), Other("correlationSubscription", "d", 5))


DRAWING = """<bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="p">
  <bpmndi:BPMNShape bpmnElement="s"><dc:Bounds x="100" y="50.5" width="36" height="36"/>
    <bpmndi:BPMNLabel><dc:Bounds x="90" y="90" width="50" height="14"/></bpmndi:BPMNLabel></bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="e"><dc:Bounds x="nan" y="0" width="36" height="36"/></bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="sub" isExpanded="false"><dc:Bounds x="-5" y="0" width="100" height="80"/>
  </bpmndi:BPMNShape>
  <bpmndi:BPMNEdge bpmnElement="s_e"><di:waypoint x="136" y="68"/><di:waypoint x="200" y="68"/></bpmndi:BPMNEdge>
  <bpmndi:BPMNEdge bpmnElement="bad"><di:waypoint x="1e999" y="68"/><di:waypoint x="200" y="68"/></bpmndi:BPMNEdge>
</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"""


def test_the_drawing_is_read_and_senseless_places_are_left_out() -> None:
    diagram = read_diagram(model(START + END + '<subProcess id="sub"/>', "s -> e", around=DRAWING), "x")
    assert diagram.shapes == {
        "s": Shape("s", 100.0, 50.5, 36.0, 36.0, label=(90.0, 90.0, 50.0, 14.0)),
        "sub": Shape("sub", -5.0, 0.0, 100.0, 80.0, expanded=False),
    }
    assert diagram.edges == {"s_e": Edge("s_e", ((136.0, 68.0), (200.0, 68.0)))}


PROCESS = '<process id="{}"{}><startEvent id="s{}"/></process>'


def two(first: str, second: str) -> bytes:
    """A file with two processes."""
    processes = PROCESS.format("p1", first, 1) + PROCESS.format("p2", second, 2)
    return f"<definitions {NAMESPACES}>{processes}</definitions>".encode()


def test_of_several_processes_the_executable_one_counts() -> None:
    assert read_diagram(two("", ' isExecutable="true"'), "x").process.id == "p2"
    assert list(read_diagram(two(' isExecutable="true"', ' isExecutable="false"'), "x").elements) == ["s1"]
    for words in ("", ' isExecutable="true"'):
        with pytest.raises(Undecided) as refused:
            read_diagram(two(words, words), "x")
        assert [each.element for each in refused.value.findings if each.code == "several-processes"] == ["p1", "p2"]
        assert [diagram.process.id for diagram in refused.value.diagrams] == ["p1", "p2"]


def test_a_single_process_counts_and_its_word_is_kept() -> None:
    assert read_diagram(model(START, attributes='id="p"'), "x").process.executable
    assert not read_diagram(model(START, attributes='id="p" isExecutable="false"'), "x").process.executable


@pytest.mark.parametrize("key", ["", "a b", "1a", "../etc", "a/b", "<b>", "a" * 201, "a'b", "a\tb"])
def test_ids_that_could_mislead_are_refused(key: str) -> None:
    written = key.replace("<", "&lt;").replace("\t", "&#9;")
    assert refused(model(f'<task id="{written}"/>'))[0].code == "bad-id"


@pytest.mark.parametrize("key", ["a", "_a", "Task_1", "content.review", "content-review", "受理"])
def test_ordinary_ids_are_read(key: str) -> None:
    assert key in read_diagram(model(f'<task id="{key}"/>'), "x").elements


def test_too_long_a_name_is_refused() -> None:
    assert only(model(f'<task id="a" name="{"长" * 1_001}"/>'))[0] == "name-too-long"
    assert len(read_diagram(model(f'<task id="a" name="{"长" * 1_000}"/>'), "x").elements) == 1


def test_markup_in_a_name_is_only_text() -> None:
    name = read_diagram(model('<task id="a" name="&lt;script&gt;alert(1)&lt;/script&gt;"/>'), "x").elements["a"].name
    assert name == "<script>alert(1)</script>"


def test_all_findings_are_told_at_once_each_with_its_line() -> None:
    body = '<task id="a"/>\n<task id="a"/>\n<task/>\n<task id="b"><incoming>gone</incoming></task>\n'
    body += '<intermediateCatchEvent id="c"><messageEventDefinition messageRef="gone"/></intermediateCatchEvent>'
    assert [(each.code, each.line, each.element) for each in refused(model(body))] == [
        ("duplicate-id", 6, "a"),
        ("bad-id", 7, None),
        ("dangling-reference", 8, "b"),
        ("dangling-reference", 9, "c"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        '<task id="a"/><sequenceFlow id="a" sourceRef="a" targetRef="a"/>',
        '<task id="p"/>',
        '<task id="m"/>',
        '<subProcess id="a"><task id="a"/></subProcess>',
        '<laneSet><lane id="a"/></laneSet><task id="a"/>',
        '<task id="a"/><sequenceFlow sourceRef="a" targetRef="a"/><sequenceFlow id="a--a"/>',
    ],
)
def test_an_id_is_used_once_in_the_whole_model(body: str) -> None:
    assert ("duplicate-id", 5) in {
        (each.code, each.line) for each in refused(model(body, around='<message id="m" name="x"/>'))
    }


def test_listed_flows_must_touch_the_element_that_lists_them() -> None:
    body = START + '<task id="a"><incoming>s_a</incoming><outgoing>s_a</outgoing></task>' + END
    assert only(model(body, "s -> a\na -> e"))[0] == "dangling-reference"
