"""Tries a changed diagram on cases that are closed: which of them would have gone otherwise, and where.

Nothing is deployed. The gate judges the package first, as it judges every one.
"""

from __future__ import annotations

from collections.abc import Mapping

from bpmn.marking import Step
from engine import definitions
from engine.definitions import Deployed
from engine.errors import Unusable
from engine.gate import Contents, read_package
from engine.library import Package, Vocabulary
from engine.privacy import discreet, private_names
from engine.replay import Conformance
from engine.runtime.builder import Model
from engine.work import Work
from forms.words import Text, Unfit

DRAFT = 0
"""The number of a version that is only being tried."""

KINDS: Mapping[str, Text] = {
    "opened": Text("待办产生", "work item opened"),
    "done": Text("办理", "step done"),
    "came": Text("事件发生", "event came"),
    "thrown": Text("抛出事件", "event thrown"),
    "called": Text("调用流程", "process called"),
    "ended": Text("到达终点", "end reached"),
    "taken": Text("选择流向", "flow chosen"),
}
"""The kinds of steps, in words."""
WHYS: Mapping[str, Text] = {
    "added": Text("轨迹中有而流程图不容许", "in the trail, but the diagram does not allow it"),
    "missing": Text("流程图要求而轨迹中没有", "the diagram demands it, but it is not in the trail"),
    "skipped": Text("没有办理，由两名管理员跳过", "not done: two administrators skipped it"),
}
"""How a step deviates, in words."""


def draft(work: Work, package: Package, vocabulary: Vocabulary) -> Deployed:
    """A package as it would be if it were deployed now, with the processes in force that it calls.

    Raises ``Unfit`` with what the gate has against it. Unusable: it calls a process that is not deployed.
    """
    [judged] = definitions.judged(work, [package], vocabulary)
    contents, findings = read_package(package)
    if not judged.ok or contents is None:
        raise Unfit([*judged.findings] or findings)
    known = {row.process: row.id for row in definitions.in_force(work)}
    process = contents.diagram.process.id
    everything: dict[str, Contents] = {}
    for called in sorted({each.called for each in contents.diagram.elements.values() if each.called}):
        if called not in known:
            raise Unusable(f"所调用的“{called}”没有部署", f"the called process {called!r} is not deployed")
        everything |= definitions.deployed(work, known[called]).contents
    everything[process] = contents
    private = private_names(everything)
    tables = {name: discreet(each.tables, private) for name, each in everything.items()}
    model = Model(process, {name: each.diagram for name, each in everything.items()}, tables)
    return Deployed(f"draft/{package.sha256}", process, DRAFT, package.sha256, everything, model, private)


def named(deployed: Deployed, step: Step) -> Text:
    """The name of the element of a step; its id where the version has no such element or no name."""
    contents = deployed.contents.get(step.process)
    element = contents.diagram.elements.get(step.element) if contents else None
    zh = (element.name if element else "") or step.element
    return Text(zh, (element.policy.get("name-en", "") if element else "") or zh)


def verdict(found: Conformance) -> Text:
    """What came of a replay, in one sentence."""
    if found.cost is None:
        return Text(
            f"未判定：看过 {found.states} 种状态仍无结论；前 {found.sound} 步相符",
            f"not decided: {found.states} states were looked at; the first {found.sound} steps agree",
        )
    if found.conforms:
        return Text(f"相符：{len(found.told)} 步，无偏离", f"conforms: {len(found.told)} steps, no deviation")
    zh = f"偏离 {len(found.deviations)} 步，{len(found.ruled)} 次选择与条件不符"
    return Text(zh, f"{len(found.deviations)} steps deviate, {len(found.ruled)} choices contradict the conditions")
