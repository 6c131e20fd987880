"""Moves running cases to another version of their process, if everything that is alive in them exists there too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select, update

from bpmn.diagram import Element
from engine import definitions, gate, parameter_sets
from engine.access import bars
from engine.desk import Desk, lock
from engine.errors import Incident, NotFound, NotYours, WrongState
from engine.model import CaseFile, Definition, Standstill, Task
from engine.people import name_of, standing
from engine.runtime import arriving, moving
from engine.runtime.happenings import WorkItem
from engine.runtime.instance import Instance
from engine.work import SYSTEM, Work
from forms.words import Text

WAITING = {
    "userTask": "userTask",
    "manualTask": "manualTask",
    "receiveTask": "receiveTask",
    "intermediateCatchEvent": "intermediateCatchEvent",
    "eventBasedGateway": "eventBasedGateway",
    "callActivity": "callActivity",
    "subProcess": "subProcess",
    "transaction": "subProcess",
}
"""Elements at which, or within which, a case waits; those of the same word may stand for each other."""

MOVERS = frozenset({"process_owner", "sysadmin"})


@dataclass(slots=True)
class Prospect:
    """What would become of one case: where it stands, called as in the new version, and what waits beside or no longer.

    ``goes_on`` are the elements at which it would not wait any more. With ``obstacles`` it cannot be moved.
    """

    case: str
    number: str
    version: int
    to: int
    stands: list[tuple[str, str]] = field(default_factory=list)
    armed: list[str] = field(default_factory=list)
    disarmed: list[str] = field(default_factory=list)
    goes_on: list[str] = field(default_factory=list)
    obstacles: list[Text] = field(default_factory=list)


def version(work: Work, process: str, number: int | None = None) -> str:
    """The id of a version of a process; the newest without a number."""
    query = select(Definition.id).where(Definition.process == process).order_by(Definition.version.desc())
    if number is not None:
        query = query.where(Definition.version == number)
    found = work.db.execute(query.limit(1)).scalar_one_or_none()
    if found is None:
        said = f" {number}" if number is not None else ""
        raise NotFound(f"没有“{process}”的版本{said}", f"there is no version{said} of {process!r}")
    return str(found)


def case_id(work: Work, case: str) -> str:
    """The id of a case by its id or number."""
    query = select(CaseFile.id).where((CaseFile.id == case) | (CaseFile.number == case))
    found = work.db.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"没有编号为 {case} 的案卷", f"there is no case {case}")
    return str(found)


def running(work: Work, process: str, to: str) -> list[str]:
    """The open cases of a process that are on another version than ``to``."""
    query = select(CaseFile.id).where(CaseFile.process == process, CaseFile.status == "open", CaseFile.definition != to)
    return list(work.db.execute(query.order_by(CaseFile.number)).scalars())


def open_cases(work: Work, process: str) -> dict[str, int]:
    """How many open cases each version of a process has, by its id."""
    query = select(CaseFile.definition, func.count()).where(CaseFile.process == process, CaseFile.status == "open")
    return {row[0]: row[1] for row in work.db.execute(query.group_by(CaseFile.definition))}


def vanished(old: definitions.Deployed, new: definitions.Deployed) -> dict[str, tuple[Element, list[Element]]]:
    """Where a case may wait that the new version lacks: each element by its id, with those it may have become there.

    These are of the same type; the ones that are new come first.
    """
    found: dict[str, tuple[Element, list[Element]]] = {}
    for process, contents in old.contents.items():
        home = new.contents.get(process)
        if home is None:
            continue
        before, after = contents.diagram.elements, home.diagram.elements
        for element in before.values():
            if element.type in WAITING and element.id not in after:
                alike = [each for each in after.values() if WAITING.get(each.type) == WAITING[element.type]]
                found[element.id] = element, sorted(alike, key=lambda each: each.id in before)
    return found


def obstacles(work: Work, case: str, to: str, renamed: Mapping[str, str]) -> list[Text]:
    """What stands in the way of moving a case; nothing is changed."""
    return prospect(work, case, to, renamed).obstacles


def prospect(work: Work, case: str, to: str, renamed: Mapping[str, str]) -> Prospect:
    """What moving a case would do to it (a dry run); nothing is changed, and no automatic step is taken."""
    row = work.row(select(*CaseFile.__table__.columns).where(CaseFile.id == case))
    if row is None:
        raise NotFound(f"没有编号为 {case} 的案卷", f"there is no case {case}")
    old, new = Desk.thawed(work, row), definitions.deployed(work, to)
    seen = Prospect(case, row["number"], old.deployed.version, new.version)
    seen.obstacles = _obstacles(old, new, renamed)
    if seen.obstacles:
        return seen
    move = moving.Move(old.instance.model, new.model, renamed)
    seen.stands = moving.stands(old.instance, move)
    try:
        desk, arrival = _arrived(old, new, move)
        arriving.look_again(old.instance, desk.instance)
        seen.goes_on = arriving.would_go_on(desk.instance)
    except Incident as incident:
        seen.obstacles = [incident.text]
    else:
        seen.armed, seen.disarmed = arrival.armed, arrival.disarmed
    return seen


def _obstacles(desk: Desk, new: definitions.Deployed, renamed: Mapping[str, str]) -> list[Text]:
    if desk.row["status"] == "suspended":
        return [Text("案卷已中止，恢复后再迁移", "the case is suspended: resume it before it is moved")]
    if desk.row["status"] != "open":
        return [Text("案卷已经办结", "the case is closed")]
    if new.process != desk.row["process"]:
        return [Text(f"案卷属于流程“{desk.row['process']}”", f"the case is of the process {desk.row['process']!r}")]
    if new.id == desk.row["definition"]:
        return [Text(f"案卷已在版本 {new.version} 上", f"the case is on the version {new.version} already")]
    return [*moving.obstacles(desk.instance, new.model, renamed), *_unfit_parameters(desk, new)]


def _unfit_parameters(desk: Desk, new: definitions.Deployed) -> list[Text]:
    """Where the version reads a parameter that the case, which keeps its own, has not, or has with a value that leaves
    a decision table with a gap or an overlap.
    """
    own = desk.row["parameters"]
    kept: dict[tuple[str, str], list[Text]] = desk.work.memory.setdefault("unfit parameters", {})
    if (own, new.id) not in kept:
        values = parameter_sets.values(desk.work, own)
        kept[own, new.id] = [
            Text(f"按本案的参数（{own}），{each.text.zh}", f"with the parameters of this case ({own}), {each.text.en}")
            for contents in new.contents.values()
            for each in gate.check_contents(contents, (), {}, values)
            if each.code in gate.OF_PARAMETERS and each.severity == "error"
        ]
    return kept[own, new.id]


def _arrived(old: Desk, new: definitions.Deployed, move: moving.Move) -> tuple[Desk, arriving.Arrival]:
    """The case on a desk of the new version, before anything moves in it. Raises ``Incident`` where it cannot wait."""
    desk = Desk.over(old.work, old.row, new)
    desk.instance = Instance.thawed(new.model, desk, *moving.texts(old.instance, move))
    desk.before, desk.listening, desk.stood = old.before, old.listening, old.stood
    return desk, arriving.arrive(old.instance, desk.instance, move)


def migrate(work: Work, case: str, to: str, renamed: Mapping[str, str] | None = None) -> None:
    """Move a running case to another version; drafts, claims and due times stay as they are. Told in the trail.

    ``renamed`` maps the ids of live elements and flows that are called otherwise there. What the new version says in
    other words (who may do a task, a name, a form) holds at once, and what waits where it would wait no longer goes on.
    Raises ``WrongState`` naming every element that stands in the way, and then nothing is changed.
    """
    renamed = renamed or {}
    old = Desk.thawed(work, lock(work, case))
    _refuse_stranger(old)
    new = definitions.deployed(work, to)
    _refuse(old, _obstacles(old, new, renamed))
    move = moving.Move(old.instance.model, new.model, renamed)
    try:
        desk, arrival = _arrived(old, new, move)
    except Incident as incident:
        _refuse(old, [incident.text])
        raise
    waiting, desk.instance.happenings = desk.instance.happenings, []
    told = {"from": old.deployed.version, "to": new.version, "sha256": new.sha256, "renamed": dict(renamed)}
    desk.tell("case.migrated", {**told, "armed": arrival.armed, "disarmed": arrival.disarmed})
    desk.instance.happenings = waiting
    desk.change(definition=new.id)
    for token in list(desk.instance.items()):
        shown = _shown(token.task_spec.element) | _people(*arrival.items.get(token.id, (None, ())))
        work.db.execute(update(Task).where(Task.id == desk.item_id(token.id)).values(**shown))
    for name_before, name in renamed.items():
        here = (Standstill.case == case, Standstill.closed_at.is_(None), Standstill.element == name_before)
        work.db.execute(update(Standstill).where(*here).values(element=name))

    def go_on(instance: Instance) -> None:
        arriving.look_again(old.instance, instance)
        instance.run()

    desk.move(go_on)
    desk.keep()


def _shown(element: Element) -> dict[str, str]:
    """What the inbox shows of an element."""
    return {
        "element": element.id,
        "name_zh": element.name,
        "name_en": element.policy.get("name-en", element.name),
        "form": element.policy.get("form", element.id),
    }


def _people(item: WorkItem | None, changed: tuple[str, ...]) -> dict[str, str]:
    """Who may do a work item, where the new version says otherwise; whoever has claimed it keeps it."""
    if item is None:
        return {}
    said = {"role": ("roles", item.roles), "assignee": ("assignees", item.assignees)}
    said["excluded"] = ("excluded", item.excluded)
    return {column: bars(people) for word, (column, people) in said.items() if word in changed}


def _refuse(desk: Desk, found: list[Text]) -> None:
    if found:
        raise WrongState(
            f"案卷 {desk.row['number']} 不能迁移：" + "；".join(text.zh for text in found),
            f"the case {desk.row['number']} cannot be moved: " + "; ".join(text.en for text in found),
            case=desk.row["id"],
            verb="migrate",
        )


def _refuse_stranger(desk: Desk) -> None:
    actor = desk.work.actor
    if actor != SYSTEM and not standing(desk.work, actor).roles & MOVERS:
        who = name_of(desk.work, actor)
        raise NotYours(
            f"{who}不是流程负责人或系统管理员，不能迁移案卷",
            f"{who} is neither a process owner nor a system administrator and may not move cases",
            ("role",),
            case=desk.row["id"],
            verb="migrate",
        )
