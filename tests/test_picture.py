"""The picture of a diagram: a sound, static, escaped SVG that shows every element and its state."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from lxml import etree

from bpmn.layout import place
from bpmn.lettering import width
from bpmn.picture import draw
from bpmn.reader import read_diagram
from tests.harness.drawn import DRAWN, SMALL, everything, groups, svg, words
from tests.harness.models import model


def test_every_element_and_flow_is_drawn_and_named() -> None:
    diagram = everything()
    root = svg(diagram)
    drawn = groups(root)
    assert drawn.keys() >= {*diagram.elements, *diagram.flows, "pool", "l1", "l2"}
    for key, element in diagram.elements.items():
        assert drawn[key].get("class") == f"bpmn-{element.type}"
        assert drawn[key].findtext("{*}title")
    assert words(drawn["a"]) == "填写申请"
    assert words(drawn["g_sub"]) == "大额合同"
    assert words(drawn["g_a"]) == "returned"
    assert drawn["g_sub"].findtext("{*}title") == "大额合同 amount_fen > 3_000_000_000"


def test_the_picture_is_static_and_needs_nothing_from_elsewhere() -> None:
    root = svg(everything(), {"a": frozenset({"open"})})
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    for node in root.iter():
        assert etree.QName(node).localname in {"svg", "title", "desc", "g", "rect", "path", "circle", "polygon", "text"}
        for name in node.attrib:
            assert not str(name).startswith("on")
            assert name not in {"style", "href", "{http://www.w3.org/1999/xlink}href", "id"}
    assert "url(" not in etree.tostring(root).decode()


def test_everything_that_was_given_is_escaped() -> None:
    nasty = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&lt;b&gt; &amp;amp; '"
    body = (
        f'<startEvent id="s" name="{nasty}"/><userTask id="a" name="{nasty}"/><exclusiveGateway id="g" name="{nasty}"/>'
        f'<endEvent id="e"/><laneSet id="ls"><lane id="l" name="{nasty}"><flowNodeRef>a</flowNodeRef></lane></laneSet>'
        f'<sequenceFlow id="f" sourceRef="g" targetRef="e" name="{nasty}"/>'
    )
    diagram = read_diagram(model(body, "s -> a\na -> g\ng -> a if x < 3 and y == '</svg>'"), "x.bpmn")
    text = draw(diagram, {}, "zh", title='<script>"\x00\x1b\ud800')
    root = etree.fromstring(text.encode())
    assert not list(root.iter("{*}script", "{*}b"))
    assert root.findtext("{*}title") == '<script>"'
    assert "<script" not in text


def test_states_are_shown_by_class_by_sign_and_in_words() -> None:
    root = svg(
        everything(),
        {
            "a": frozenset({"done"}),
            "x": frozenset({"open", "overdue"}),
            "g": frozenset({"finding"}),
            "s_a": frozenset({"done"}),
        },
    )
    drawn = groups(root)
    assert drawn["a"].get("class") == "bpmn-userTask is-done"
    assert drawn["x"].get("class") == "bpmn-userTask is-overdue is-open"
    assert drawn["g"].get("class") == "bpmn-exclusiveGateway is-finding"
    assert drawn["s_a"].get("class") == "bpmn-sequenceFlow is-done"
    assert drawn["x"].findtext("{*}title") == "专家意见 (用户任务, 已逾期, 正在办理)"
    description = root.findtext("{*}desc") or ""
    assert "正在办理: 专家意见" in description
    assert "已完成: 填写申请" in description
    plain = groups(svg(everything()))
    assert len(list(drawn["a"].iter())) > len(list(plain["a"].iter()))


def test_names_are_english_where_the_file_gives_english_ones() -> None:
    drawn = groups(svg(everything(), {"a": frozenset({"open"})}, english=True))
    assert words(drawn["a"]) == "Apply"
    assert drawn["a"].findtext("{*}title") == "Apply (user task, in progress)"
    assert words(drawn["l1"]) == "Applicant"
    assert words(drawn["x"]) == "专家意见"


def rect(group: etree._Element) -> etree._Element:
    """The frame of an activity."""
    found = group.find("{*}rect")
    assert found is not None
    return found


def circles(group: etree._Element) -> list[etree._Element]:
    """The rings of an event, without those of its sign."""
    return [child for child in group if etree.QName(child).localname == "circle"]


def test_events_and_activities_look_as_bpmn_says() -> None:
    drawn = groups(svg(everything()))
    assert [len(circles(drawn[key])) for key in ("s", "e", "m", "late")] == [1, 1, 2, 2]
    thick = [float(circles(drawn[key])[0].get("stroke-width", "0")) for key in ("s", "e")]
    assert thick[1] > 2 * thick[0]
    assert all(ring.get("stroke-dasharray") for ring in circles(drawn["late"]))
    assert not any(ring.get("stroke-dasharray") for ring in circles(drawn["stop"]))
    thick = [float(rect(drawn[key]).get("stroke-width", "0")) for key in ("a", "c")]
    assert thick[1] > 2 * thick[0]
    # A default flow has one stroke more than a plain one.
    assert len(drawn["g_p"].findall("{*}path")) == len(drawn["p_t"].findall("{*}path")) + 1


def test_event_subprocesses_transactions_and_loops_look_as_bpmn_says() -> None:
    body = """<subProcess id="x" triggeredByEvent="true"><startEvent id="xs" isInterrupting="false">
      <signalEventDefinition/></startEvent></subProcess><transaction id="t"/><subProcess id="box"/>
      <userTask id="u"><standardLoopCharacteristics loopMaximum="3"/></userTask><userTask id="v"/>"""
    drawn = groups(svg(read_diagram(model(body), "x")))
    dashed = {key for key in drawn if any(node.get("stroke-dasharray") for node in drawn[key])}
    assert dashed == {"x", "xs"}
    assert [len(drawn[key].findall("{*}rect")) for key in ("x", "t", "box")] == [1, 2, 1]
    assert len(drawn["u"].findall(".//{*}path")) == len(drawn["v"].findall(".//{*}path")) + 1


def test_the_drawing_of_the_file_is_kept() -> None:
    diagram = read_diagram(model(SMALL, "s -> sub", around=DRAWN.format("true")), "x")
    root = svg(diagram)
    drawn = groups(root)
    assert [rect(drawn["a"]).get(name) for name in ("x", "y", "width", "height")] == ["1150", "450", "100", "80"]
    left, top, wide, high = (float(part) for part in root.get("viewBox", "").split())
    assert left < 1000
    assert left + wide > 1400
    assert top < 300
    assert top + high > 600
    assert words(drawn["n"]) == "说明"
    assert len([group for group in root.iter("{*}g") if group.get("class") == "bpmn-association"]) == 1


def test_what_happens_in_a_closed_box_is_shown_on_the_box() -> None:
    diagram = read_diagram(model(SMALL, "s -> sub", around=DRAWN.format("false")), "x")
    drawn = groups(svg(diagram, {"a": frozenset({"open"})}))
    assert "a" not in drawn
    assert drawn["sub"].get("class") == "bpmn-subProcess is-open"


@pytest.mark.parametrize("length", [300, 4_000])
def test_long_processes_are_drawn_without_trouble(length: int) -> None:
    tasks = "".join(f'<userTask id="t{n}" name="第{n}步"/>' for n in range(length))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(length - 1)) + f"\nt{length - 1} -> t0\nt0 -> t{length - 2}"
    began = time.process_time()
    assert len(groups(svg(read_diagram(model(tasks, rows), "x")))) == 2 * length + 1
    assert time.process_time() - began < 60


def test_an_empty_process_is_an_empty_picture() -> None:
    assert groups(svg(read_diagram(model(""), "x"))) == {}


def test_an_unnamed_task_shows_its_id_and_a_long_name_is_cut_in_the_box_only() -> None:
    long = "核对材料" * 40
    diagram = read_diagram(model(f'<userTask id="plain"/><userTask id="long" name="{long}"/>'), "x")
    drawn = groups(svg(diagram))
    assert words(drawn["plain"]) == "plain"
    assert words(drawn["long"]).endswith("…")
    assert (drawn["long"].findtext("{*}title") or "").startswith(long)
    box = place(diagram).shapes["long"]
    for text in drawn["long"].iter("{*}text"):
        size = float(text.get("font-size", "0"))
        assert width(str(text.text)) * size <= box.width
        assert box.y + size - 2 <= float(text.get("y", "0")) <= box.y + box.height


def test_kinds_that_are_refused_can_still_be_drawn_with_their_finding() -> None:
    body = '<complexGateway id="a"/><task id="b"/><sendTask id="c"/><transaction id="d"/>'
    body += '<intermediateThrowEvent id="e"><signalEventDefinition/></intermediateThrowEvent><dataObject id="f"/>'
    drawn = groups(svg(read_diagram(model(body), "x"), {"a": frozenset({"finding"})}))
    assert drawn.keys() == {"a", "b", "c", "d", "e"}
    assert drawn["a"].get("class") == "bpmn-complexGateway is-finding"


def test_the_same_diagram_is_always_the_same_picture() -> None:
    diagram = everything()
    assert draw(diagram, {}, "zh", title="图") == draw(replace(diagram), {}, "zh", title="图")
