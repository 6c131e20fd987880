"""Reading BPMN files: what a diagram says, and every kind of file that is refused with a sentence of its own."""

from __future__ import annotations

import hashlib
import struct
import time
import zlib

import pytest

from bpmn.diagram import Diagram, Edge, Element, Event, Flow, Loop, Operation, Other, Process, Shape
from bpmn.durations import Duration, parse_duration
from bpmn.reader import read_diagram
from bpmn.routes import reaches
from forms.words import Finding, Unfit
from tests.harness.models import NAMESPACES, model

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def refused(data: bytes) -> list[Finding]:
    """The findings for which a file is refused; each is a sentence in both languages."""
    with pytest.raises(Unfit) as refusal:
        read_diagram(data, "x.bpmn")
    for finding in refusal.value.findings:
        assert finding.file == "x.bpmn"
        assert finding.severity == "error"
        assert "：" in finding.text.zh or "不" in finding.text.zh
        assert ":" in finding.text.en
    return refusal.value.findings


def only(data: bytes) -> tuple[str, int]:
    """The code and line of the one finding for which a file is refused."""
    (finding,) = refused(data)
    return finding.code, finding.line


def png() -> bytes:
    """A real picture of one pixel."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


SOUND = model(START + END, "s -> e")


def test_a_process_is_read_with_its_place_in_the_file() -> None:
    body = '<startEvent id="s"/>\n<userTask id="a" name="受理\n 审查" policy:form="f" policy:name-en="Check"/>\n<endEvent id="e"/>'
    data = model(body, "s -> a\na -> e", attributes='id="p" name="登记" isExecutable="true" policy:kind="main"')
    diagram = read_diagram(data, "p4.bpmn")
    assert diagram.file == "p4.bpmn"
    assert diagram.sha256 == hashlib.sha256(data).hexdigest()
    assert diagram.process == Process("p", "登记", 4, executable=True, policy={"kind": "main"})
    assert diagram.elements["a"] == Element(
        "a", "userTask", "受理 审查", 6, "p", incoming=("s_a",), outgoing=("a_e",),
        policy={"form": "f", "name-en": "Check"},
    )
    assert list(diagram.elements) == ["s", "a", "e"]
    assert diagram.flows == {"s_a": Flow("s_a", "s", "a", "", None, 9), "a_e": Flow("a_e", "a", "e", "", None, 10)}


@pytest.mark.parametrize("prefix", ["bpmn", "bpmn2", "semantic", "x"])
def test_any_prefix_is_understood(prefix: str) -> None:
    data = SOUND.replace(b"xmlns=", b"xmlns:" + prefix.encode() + b"=")
    for tag in (b"definitions", b"process", b"startEvent", b"endEvent", b"sequenceFlow", b"conditionExpression"):
        data = data.replace(b"<" + tag, b"<" + prefix.encode() + b":" + tag)
        data = data.replace(b"</" + tag, b"</" + prefix.encode() + b":" + tag)
    assert list(read_diagram(data, "x").elements) == ["s", "e"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_the_encodings_that_files_are_saved_in_are_read(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = model('<startEvent id="s" name="开始"/>').decode().replace('encoding="UTF-8"', f'encoding="{declared}"')
    assert read_diagram(text.encode(encoding), "x").elements["s"].name == "开始"


def test_flows_keep_the_order_of_the_file_whatever_the_drawing_says() -> None:
    body = START + '<exclusiveGateway id="g" default="g_b"><outgoing>g_c</outgoing><outgoing>g_b</outgoing></exclusiveGateway>'
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
    flow = f'<sequenceFlow id="f" sourceRef="s" targetRef="e"><conditionExpression>{inner}</conditionExpression></sequenceFlow>'
    assert read_diagram(model(START + END + flow), "x").flows["f"].condition == condition


def test_a_condition_with_elements_or_in_another_language_is_refused() -> None:
    flow = '<sequenceFlow id="f" sourceRef="s" targetRef="e">{}</sequenceFlow>'
    markup = flow.format("<conditionExpression>a <b>or</b> c</conditionExpression>")
    assert only(model(START + END + markup))[0] == "condition-markup"
    juel = flow.format('<conditionExpression language="juel">a</conditionExpression>')
    assert only(model(START + END + juel))[0] == "condition-language"


def test_flows_without_id_are_named_after_their_ends() -> None:
    flows = '<sequenceFlow sourceRef="s" targetRef="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
    flows += '<sequenceFlow sourceRef="s" targetRef="e"/>'
    diagram = read_diagram(model(START + END + flows), "x")
    assert list(diagram.flows) == ["s--e", "f", "s--e-3"]
    assert diagram.elements["s"].outgoing == ("s--e", "f", "s--e-3")


def test_events_are_read() -> None:
    body = START + """
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
    read = read_diagram(model(body, around='<message id="m" name="withdraw"/>'), "x").elements
    assert read["b1"].event == Event("timer", form="duration", expression="P15D")
    assert (read["b1"].attached_to, read["b1"].interrupting) == ("t", False)
    assert read["b2"].event == Event("message", name="withdraw")
    assert read["b2"].interrupting
    assert read["c"].event == Event("timer", form="date", expression="deadline")
    assert read["d"].event == Event("timer")
    assert read["n"].event == Event("none")
    assert read["z"].event == Event("signal", name="sg")
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

    ours = 'isSequential="true" policy:collection="experts" policy:item="who" policy:output="votes" policy:result="vote"'
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
    assert read["o"].operations == (Operation("number.next", {"series": "'C'"}, "n", 9), Operation("notify", {}, None, 10))
    assert read["t"].script == "a = 1\nb = a < 2"


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ('<callActivity id="c"><extensionElements><policy:in name="a" value="1"/><policy:in name="a" value="2"/>'
         "</extensionElements></callActivity>", "call-mapping"),
        ('<callActivity id="c"><extensionElements><camunda:in variables="all"/></extensionElements></callActivity>',
         "call-mapping"),
        ('<callActivity id="c"><extensionElements><camunda:in businessKey="k"/></extensionElements></callActivity>',
         "call-mapping"),
        ('<serviceTask id="c"><extensionElements><policy:operation name="n"><policy:with value="1"/></policy:operation>'
         "</extensionElements></serviceTask>", "operation"),
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
        ("pool", True, None, ()), ("l1", False, "clerk", ("sub",)), ("l2", False, None, ("t",)),
    ]
    assert {key: (each.container, each.lane) for key, each in diagram.elements.items()} == {
        "sub": ("p", "l1"), "is": ("sub", "l1"), "deep": ("sub", "l1"), "de": ("deep", "l1"), "t": ("p", "l2"),
    }
    assert [each.id for each in diagram.within("sub")] == ["is", "deep"]
    assert diagram.notes == {"n": "说明"}


def test_what_is_not_run_is_kept_by_name() -> None:
    body = '<subProcess id="ev" triggeredByEvent="true"/><adHocSubProcess id="ad"/><complexGateway id="c"/><dataObject id="d"/>'
    body += '<userTask id="t"><standardLoopCharacteristics/></userTask>'
    diagram = read_diagram(model(body), "x")
    assert [each.type for each in diagram.elements.values()] == ["eventSubProcess", "adHocSubProcess", "complexGateway",
                                                                 "userTask"]
    assert diagram.others == (Other("standardLoopCharacteristics", "t", 5), Other("dataObject", "d", 5))


DRAWING = """<bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="p">
  <bpmndi:BPMNShape bpmnElement="s"><dc:Bounds x="100" y="50.5" width="36" height="36"/>
    <bpmndi:BPMNLabel><dc:Bounds x="90" y="90" width="50" height="14"/></bpmndi:BPMNLabel></bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="e"><dc:Bounds x="nan" y="0" width="36" height="36"/></bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="sub" isExpanded="false"><dc:Bounds x="-5" y="0" width="100" height="80"/></bpmndi:BPMNShape>
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
    return f"<definitions {NAMESPACES}>{PROCESS.format('p1', first, 1)}{PROCESS.format('p2', second, 2)}</definitions>".encode()


def test_of_several_processes_the_executable_one_counts() -> None:
    assert read_diagram(two("", ' isExecutable="true"'), "x").process.id == "p2"
    assert list(read_diagram(two(' isExecutable="true"', ' isExecutable="false"'), "x").elements) == ["s1"]
    assert only(two("", ""))[0] == "several-processes"
    assert only(two(' isExecutable="true"', ' isExecutable="true"'))[0] == "several-processes"


def test_a_single_process_counts_and_its_word_is_kept() -> None:
    assert read_diagram(model(START, attributes='id="p"'), "x").process.executable
    assert not read_diagram(model(START, attributes='id="p" isExecutable="false"'), "x").process.executable


XXE = b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><definitions>&a;</definitions>'
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty-file", 0),
        (b" \r\n\t", "empty-file", 0),
        (b"x" * 5_000_001, "too-large", 0),
        (png(), "not-xml", 0),
        (b"PK\x03\x04" + b"\0" * 60, "not-xml", 0),
        (b"%PDF-1.7", "not-xml", 0),
        (b"process: p\n", "not-xml", 1),
        ("流程".encode(), "not-xml", 1),
        (b"<a>\0</a>", "not-xml", 1),
        (XXE, "doctype", 2),
        (XXE.decode().encode("utf-16"), "doctype", 2),
        (BOMB, "doctype", 1),
        (b"<!-- x --><?y z?>\n<!DOCTYPE x><x/>", "doctype", 2),
        (b"<!doctype html><html></html>", "doctype", 1),
        (b"<a>\n&file;</a>", "entity", 2),
        (SOUND[:-60], "truncated", 6),
        (SOUND[:-40], "truncated", 6),
        (b"<a><b>", "truncated", 1),
        (b"<a>\n<b></a>", "not-well-formed", 2),
        (b"<a/><b/>", "not-well-formed", 1),
        (b'<a x="1" x="2"/>', "not-well-formed", 1),
        (b"<a>" * 100_000, "too-deep", 1),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "too-deep", 1),
        (b"<a " + b" ".join(b"a%d='1'" % n for n in range(300_000)) + b"/>", "too-many-attributes", 1),
        (b"<a>" + b"<!--" * 1_000_000, "truncated", 1),
        (b"<a>" + b"<b/>" * 300_000 + b"</a>", "too-many-elements", 1),
        ('<?xml version="1.0" encoding="UTF-8"?>\n<a>中</a>'.encode("gbk"), "encoding", 2),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "encoding", 1),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "encoding", 1),
        (b"\xff\xfe<\x00a", "encoding", 1),
        (b"<html><body/></html>", "wrong-root", 1),
        (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "wrong-root", 1),
        (b"<definitions/>", "wrong-root", 1),
        (f"<definitions {NAMESPACES}/>".encode(), "no-process", 1),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_files_that_are_no_diagram_are_refused_at_once(data: bytes, code: str, line: int) -> None:
    began = time.process_time()
    assert only(data) == (code, line)
    assert time.process_time() - began < 3


def test_every_kind_of_broken_file_has_its_own_sentence() -> None:
    files = [b"", png(), b"text", b"<a><b>", b"<a></b>", b"<html/>", XXE, b"<a>" * 300, b"<a>&b;</a>"]
    assert len({refused(data)[0].text.zh for data in files}) == len(files)


def test_deep_but_honest_nesting_is_read() -> None:
    body = START
    for depth in range(90):
        body = f'<subProcess id="sub{depth}">{body}</subProcess>'
    assert len(read_diagram(model(body), "x").elements) == 91


def test_too_many_elements_are_refused() -> None:
    tasks = "".join(f'<task id="t{n}"/>' for n in range(10_001))
    assert only(model(tasks))[0] == "too-many-elements"
    assert len(read_diagram(model(tasks.replace('<task id="t10000"/>', "")), "x").elements) == 10_000


def test_four_thousand_elements_with_their_drawing_are_read_quickly() -> None:
    tasks = "".join(f'<task id="t{n}"/>\n' for n in range(4_000))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(3_999))
    drawn = "".join(f'<bpmndi:BPMNShape bpmnElement="t{n}"><dc:Bounds x="{n}" y="0" width="100" height="80"/></bpmndi:BPMNShape>'
                    for n in range(4_000))
    data = model(tasks, rows, around=f'<bpmndi:BPMNDiagram><bpmndi:BPMNPlane>{drawn}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>')
    began = time.process_time()
    diagram = read_diagram(data, "x")
    assert time.process_time() - began < 5
    assert (len(diagram.elements), len(diagram.flows), len(diagram.shapes)) == (4_000, 3_999, 4_000)


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
        ("duplicate-id", 6, "a"), ("bad-id", 7, None), ("dangling-reference", 8, "b"), ("dangling-reference", 9, "c"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        '<task id="a"/><sequenceFlow id="a" sourceRef="a" targetRef="a"/>',
        '<task id="p"/>',
        '<task id="m"/>',
        '<subProcess id="a"><task id="a"/></subProcess>',
        '<laneSet><lane id="a"/></laneSet><task id="a"/>',
        '<task id="a"/><sequenceFlow sourceRef="a" targetRef="a"/><sequenceFlow id="a--a" sourceRef="a" targetRef="a"/>',
    ],
)
def test_an_id_is_used_once_in_the_whole_model(body: str) -> None:
    assert ("duplicate-id", 5) in {(each.code, each.line) for each in refused(
        model(body, around='<message id="m" name="x"/>'))}


def test_listed_flows_must_touch_the_element_that_lists_them() -> None:
    body = START + '<task id="a"><incoming>s_a</incoming><outgoing>s_a</outgoing></task>' + END
    assert only(model(body, "s -> a\na -> e"))[0] == "dangling-reference"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P15D", Duration(0, 15, 0)), ("P1M", Duration(1, 0, 0)), ("P1Y2M3W4DT5H6M7S", Duration(14, 25, 18_367)),
        ("PT0S", Duration(0, 0, 0)), (" P1D ", Duration(0, 1, 0)),
        ("P", None), ("PT", None), ("P1DT", None), ("1D", None), ("P1.5D", None), ("-P1D", None), ("P1D2H", None),
        ("", None), ("R/P1D", None), ("P1d", None), ("P١D", None),
    ],
)
def test_durations_are_whole_numbers_of_calendar_units(text: str, expected: Duration | None) -> None:
    assert parse_duration(text) == expected


def joined(body: str, lines: str) -> Diagram:
    """A diagram whose join is called ``j``."""
    return read_diagram(model(START + body + '<inclusiveGateway id="j"/>' + END, lines), "x")


def test_a_join_knows_from_where_each_of_its_flows_can_be_reached() -> None:
    body = '<inclusiveGateway id="g"/><task id="a"/><task id="b"/><task id="c"/>'
    diagram = joined(body, "s -> g\ng -> a\ng -> b\na -> j\nb -> c\nc -> j\nj -> e")
    assert reaches(diagram, "j") == {"a_j": {"s", "g", "a"}, "c_j": {"s", "g", "b", "c"}}


def test_a_way_through_the_join_itself_does_not_count() -> None:
    body = '<inclusiveGateway id="g"/><task id="a"/><task id="b"/><exclusiveGateway id="x"/>'
    diagram = joined(body, "s -> g\ng -> a\ng -> b\na -> j\nb -> j\nj -> x\nx -> g\nx -> e")
    assert reaches(diagram, "j") == {"a_j": {"s", "g", "a", "x"}, "b_j": {"s", "g", "b", "x"}}


def test_a_boundary_event_is_reached_from_its_host_and_inner_elements_do_not_appear() -> None:
    body = """<subProcess id="sub"><startEvent id="is"/><task id="inner"/></subProcess>
      <boundaryEvent id="b" attachedToRef="sub"><timerEventDefinition/></boundaryEvent>"""
    diagram = joined(body, "s -> sub\nsub -> j\nb -> j\nj -> e")
    assert reaches(diagram, "j") == {"sub_j": {"s", "sub"}, "b_j": {"s", "sub", "b"}}


def test_a_join_behind_a_very_long_chain_is_no_trouble() -> None:
    tasks = "".join(f'<task id="t{n}"/>' for n in range(3_000))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(2_999))
    assert len(reaches(joined(tasks, f"s -> t0\n{rows}\nt2999 -> j\nj -> e"), "j")["t2999_j"]) == 3_001
