"""Diagrams that nobody draws and that must cost nobody more than a moment: long, wide, dense, deep, full of words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from tests.harness.gate import END, START
from tests.harness.models import flows, model

TASK = '<userTask id="{}" policy:form="decide" policy:role="clerk"/>'


def _ways(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{source} -> {target}" for source, target in pairs]


def chain(count: int) -> bytes:
    """Tasks in a row."""
    names = ["s", *(f"t{n}" for n in range(count)), "e"]
    return model(
        START + "".join(TASK.format(name) for name in names[1:-1]) + END,
        "\n".join(_ways(pairwise(names))),
    )


def gateways(tag: str, count: int) -> bytes:
    """Gateways in a row, each of which may also lead a few steps back."""
    names = [f"g{n}" for n in range(count)]
    nodes = "".join(
        f'<{tag} id="{one}" default="{one}_{two}"/>' for one, two in zip(names, [*names[1:], "e"], strict=True)
    )
    lines = _ways(zip(["s", *names], [*names, "e"], strict=True))
    lines += [f"g{n} -> g{n - 7} if {n} == 1" for n in range(7, count)]
    return model(START + nodes + END, "\n".join(lines))


def star(count: int) -> bytes:
    """One split and one join around many tasks."""
    names = [f"t{n}" for n in range(count)]
    nodes = '<parallelGateway id="g"/><parallelGateway id="j"/>' + "".join(TASK.format(name) for name in names)
    lines = ["s -> g", "j -> e", *_ways(("g", name) for name in names), *_ways((name, "j") for name in names)]
    return model(START + nodes + END, "\n".join(lines))


def dense(tag: str, count: int) -> bytes:
    """Gateways of which each leads to every other."""
    names = [f"g{n}" for n in range(count)]
    nodes = "".join(f'<{tag} id="{name}" default="{name}_e"/>' for name in names)
    lines = ["s -> g0", *_ways((name, "e") for name in names)]
    lines += [f"{one} -> {two} if 1 == 2" for one in names for two in names if one != two]
    return model(START + nodes + END, "\n".join(lines))


def loose(count: int) -> bytes:
    """Tasks that nothing connects."""
    return model(START + END + "".join(TASK.format(f"t{n}") for n in range(count)), "s -> e")


def nested(levels: int) -> bytes:
    """Subprocesses in subprocesses."""
    body = '<startEvent id="bs"/>' + TASK.format("x") + '<endEvent id="be"/>' + flows("bs -> x\nx -> be")
    for level in range(levels):
        ends = f'<startEvent id="s{level}"/><endEvent id="e{level}" policy:outcome="x"/>'
        inside = f"s{level} -> b{level}\nb{level} -> e{level}"
        body = f'{ends}<subProcess id="b{level}">{body}</subProcess>{flows(inside)}'
    return model(body)


def loops(count: int) -> bytes:
    """Multi-instance tasks in a row, each with an output."""
    inner = '<multiInstanceLoopCharacteristics policy:collection="[1]" policy:item="i" policy:output="o{}"/>'
    tasks = [
        f'<userTask id="t{n}" policy:form="vote" policy:role="clerk">{inner.format(n)}</userTask>' for n in range(count)
    ]
    names = ["s", *(f"t{n}" for n in range(count)), "e"]
    return model(START + "".join(tasks) + END, "\n".join(_ways(pairwise(names))))


def scripts(count: int, lines: int) -> bytes:
    """Script tasks in a row, each with many lines."""
    tasks = []
    for n in range(count):
        body = "\n".join(f"v{n}_{line} = {line}" for line in range(lines))
        tasks.append(f'<scriptTask id="t{n}"><script>{body}</script></scriptTask>')
    names = ["s", *(f"t{n}" for n in range(count)), "e"]
    return model(START + "".join(tasks) + END, "\n".join(_ways(pairwise(names))))


def condition(letters: str) -> bytes:
    """A gateway with one condition, drawn beside its flow, as wide as it likes."""
    nodes = '<exclusiveGateway id="g" default="g_e"/>' + TASK.format("t")
    edge = (
        '<bpmndi:BPMNEdge bpmnElement="g_t"><di:waypoint x="0" y="0"/><di:waypoint x="9" y="0"/><bpmndi:BPMNLabel>'
        '<dc:Bounds x="0" y="0" width="999999" height="9"/></bpmndi:BPMNLabel></bpmndi:BPMNEdge>'
    )
    drawn = f"<bpmndi:BPMNDiagram><bpmndi:BPMNPlane>{edge}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    return model(START + nodes + END, f"s -> g\ng -> e\ng -> t if {letters}\nt -> e", around=drawn)


def words(attribute: str, letters: int, count: int) -> bytes:
    """Tasks of which everything is said at length."""
    said = "".join(f'<userTask {attribute}="{"字" * letters}" id="t{n}"/>' for n in range(count))
    return model(START + said + END, "s -> e")


def ids(letters: int, count: int) -> bytes:
    """Tasks with long ids."""
    return model(START + "".join(f'<userTask id="{"t" * letters}{n}"/>' for n in range(count)) + END, "s -> e")


def notes(count: int) -> bytes:
    """Notes and lines to them."""
    said = "".join(
        f'<textAnnotation id="n{n}"><text>x</text></textAnnotation>'
        f'<association id="a{n}" sourceRef="s" targetRef="n{n}"/>' for n in range(count)
    )  # fmt: skip
    places = "".join(
        f'<bpmndi:BPMNShape bpmnElement="{key}"><dc:Bounds x="{n}" y="9" width="9" height="9"/></bpmndi:BPMNShape>'
        for n, key in enumerate(["s", "e", *(f"n{n}" for n in range(count))])
    )
    lines = "".join(
        f'<bpmndi:BPMNEdge bpmnElement="a{n}"><di:waypoint x="1" y="1"/><di:waypoint x="9" y="9"/></bpmndi:BPMNEdge>'
        for n in range(count)
    )
    drawn = f"<bpmndi:BPMNDiagram><bpmndi:BPMNPlane>{places}{lines}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    return model(START + END + said, "s -> e", around=drawn)


def lanes(count: int) -> bytes:
    """Lanes with one task each."""
    listed = "".join(f'<lane id="l{n}" name="clerk"><flowNodeRef>t{n}</flowNodeRef></lane>' for n in range(count))
    return chain(count).replace(START.encode(), f'<laneSet id="set">{listed}</laneSet>{START}'.encode())


def boundaries(count: int) -> bytes:
    """Boundary events around one task."""
    timer = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
    events = "".join(f'<boundaryEvent id="b{n}" attachedToRef="t">{timer}</boundaryEvent>' for n in range(count))
    return model(
        START + TASK.format("t") + events + END, "\n".join(["s -> t", "t -> e", *(f"b{n} -> e" for n in range(count))])
    )


SOUND: dict[str, Callable[[], bytes]] = {
    "4,000 elements": lambda: chain(3_998),
    "a chain of 2,000": lambda: chain(2_000),
    "2,000 exclusive gateways": lambda: gateways("exclusiveGateway", 2_000),
    "2,000 inclusive gateways": lambda: gateways("inclusiveGateway", 2_000),
    "3,000 ways side by side": lambda: star(3_000),
    "everything to everything": lambda: dense("exclusiveGateway", 97),
    "4,000 boundary events": lambda: boundaries(4_000),
    "190 levels": lambda: nested(190),
    "2,000 multi-instance tasks": lambda: loops(2_000),
    "100 scripts of 1,000 lines": lambda: scripts(100, 1_000),
    "900 lanes": lambda: lanes(900),
    "a data object used three levels down": lambda: nested(3).replace(
        b'<startEvent id="bs"/>',
        b'<dataObject id="d"/><dataObjectReference id="r" dataObjectRef="d"/><startEvent id="bs"/>',
    ),
}
"""They are strange, but there is nothing wrong with them: to refuse them would be a defect."""

REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "11,000 elements": ("too-many-elements", lambda: chain(11_000)),
    "9,000 loose tasks": ("dead-end", lambda: loose(9_000)),
    "a condition of 4 MB": ("expression", lambda: condition("a" * 4_000_000)),
    "a condition of 1 MB in words": ("expression", lambda: condition("a + " * 250_000 + "a")),
    "names of 1,100 letters": ("name-too-long", lambda: words("name", 1_100, 1_000)),
    "ids of 4,000 letters": ("bad-id", lambda: ids(4_000, 1_000)),
    "forms of 1,000 letters": ("unknown-form", lambda: words("policy:form", 1_000, 1_000)),
    "1,100 lanes": ("too-many-elements", lambda: lanes(1_100)),
    "6,000 notes": ("too-many-elements", lambda: notes(6_000)),
    "250 levels": ("too-deep", lambda: nested(250)),
    "a text of 6 MB": ("too-large", lambda: words("name", 1_000, 2_000)),
}
