"""A diagram with every supported element, and the parts of its picture, for tests that draw."""

from __future__ import annotations

from lxml import etree

from bpmn.diagram import Diagram
from bpmn.picture import Marks, draw
from bpmn.reader import read_diagram
from tests.harness.models import flows, model

INNER = "is -> x\nx -> ie"

EVERYTHING = f"""
<laneSet id="ls"><lane id="l1" name="申请人" policy:name-en="Applicant"><flowNodeRef>s</flowNodeRef>
  <flowNodeRef>a</flowNodeRef></lane><lane id="l2" name="登记机构"><flowNodeRef>g</flowNodeRef></lane></laneSet>
<startEvent id="s" name="开始"/>
<userTask id="a" name="填写申请" policy:name-en="Apply"/>
<exclusiveGateway id="g" name="同意？" default="g_p"/>
<subProcess id="sub" name="评审"><startEvent id="is"/>
  <userTask id="x" name="专家意见"><multiInstanceLoopCharacteristics policy:collection="xs"/></userTask>
  <endEvent id="ie"/>{flows(INNER)}</subProcess>
<boundaryEvent id="late" name="15日" attachedToRef="sub" cancelActivity="false"><timerEventDefinition/></boundaryEvent>
<boundaryEvent id="stop" attachedToRef="sub"><messageEventDefinition/></boundaryEvent>
<serviceTask id="w"/><endEvent id="we"/>
<parallelGateway id="p"/><inclusiveGateway id="i"/><eventBasedGateway id="ev"/>
<scriptTask id="t"/><callActivity id="c"><multiInstanceLoopCharacteristics isSequential="true"/></callActivity>
<intermediateCatchEvent id="m"><messageEventDefinition/></intermediateCatchEvent>
<intermediateCatchEvent id="d"><timerEventDefinition/></intermediateCatchEvent>
<endEvent id="e" name="完成"/><endEvent id="k"><terminateEventDefinition/></endEvent>
<textAnnotation id="n"><text>依据第二十二条</text></textAnnotation>
"""

LINES = """s -> a
a -> g
g -> sub [大额合同] if amount_fen > 3_000_000_000
g -> p
g -> a if returned
late -> w
w -> we
stop -> k
p -> t
p -> c
t -> i
c -> i
i -> ev
ev -> m
ev -> d
m -> e
d -> e
sub -> e"""

POOL = '<collaboration id="co"><participant id="pool" name="北京某大学" processRef="p0"/></collaboration>'


def everything() -> Diagram:
    """A diagram with every supported element and no drawing of its own."""
    return read_diagram(model(EVERYTHING, LINES, around=POOL, attributes='id="p0"'), "x.bpmn")


def svg(diagram: Diagram, marks: Marks | None = None, title: str = "图", *, english: bool = False) -> etree._Element:
    """The picture, parsed: it must be sound XML by itself."""
    text = draw(diagram, marks or {}, "en" if english else "zh", title=title)
    assert text == draw(diagram, marks or {}, "en" if english else "zh", title=title)
    return etree.fromstring(text.encode())


def groups(root: etree._Element) -> dict[str, etree._Element]:
    """The groups of the picture by the element they draw."""
    return {group.get("data-element", ""): group for group in root.iter("{*}g") if group.get("data-element")}


def words(node: etree._Element) -> str:
    """All text written in a part of the picture, without titles."""
    return "".join(str(text.text) for text in node.iter("{*}text"))


DRAWN = """<bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="p">
  <bpmndi:BPMNShape bpmnElement="s"><dc:Bounds x="1000" y="500" width="36" height="36"/></bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="sub" isExpanded="{}"><dc:Bounds x="1100" y="400" width="300" height="200"/>
  </bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="a"><dc:Bounds x="1150" y="450" width="100" height="80"/></bpmndi:BPMNShape>
  <bpmndi:BPMNShape bpmnElement="n"><dc:Bounds x="1000" y="300" width="100" height="40"/></bpmndi:BPMNShape>
  <bpmndi:BPMNEdge bpmnElement="s_sub"><di:waypoint x="1036" y="518"/><di:waypoint x="1100" y="518"/></bpmndi:BPMNEdge>
  <bpmndi:BPMNEdge bpmnElement="as"><di:waypoint x="1018" y="500"/><di:waypoint x="1018" y="341"/></bpmndi:BPMNEdge>
</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"""

SMALL = """<startEvent id="s"/><subProcess id="sub" name="子流程"><userTask id="a" name="内"/></subProcess>
<textAnnotation id="n"><text>说明</text></textAnnotation><association id="as" sourceRef="s" targetRef="n"/>"""
