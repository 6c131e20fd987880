"""What service tasks may do: a closed list, and how each is done.

An operation is a name, what it needs (checked by the gate before deployment), and a function of the case on the desk,
the element, and the evaluated parameters. It runs inside the step's transaction: what it writes is taken back if the
step fails. Whatever it cannot do it raises as an ``Incident``; the clock then tries it again. ``Taken`` (a register key
that another case holds) goes through as a refusal to the person who acted.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpmn.diagram import Element
from engine import documents, plugged, registers
from engine.adoption import adopt
from engine.compiling import compile_trail
from engine.errors import Incident, Refusal
from engine.gate import OPERATIONS as BUILT_IN
from engine.library import Library
from engine.model import Outbox
from engine.plugged import Operation, Step
from engine.privacy import reads_private
from engine.trail.record import WITHHELD
from forms.expressions import compile_expression
from forms.values import PersonRef, Value, to_json

if TYPE_CHECKING:
    from engine.desk import Desk

log = logging.getLogger("liuhen.operations")


def done(name: str, desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """Do the operation of this name. Incident: the package that brings it is not installed, or could not do it."""
    if name in OPERATIONS:
        return OPERATIONS[name].run(desk, step, parameters)
    operation = plugged.operations().get(name)
    if operation is None:
        raise Incident(
            f"没有操作“{name}”：请安装提供它的软件包，然后重试", f"there is no operation {name!r}: install its package"
        )
    try:
        result = operation.run(desk, step, parameters)
        to_json(result)
    except Refusal:
        raise
    except Exception as error:
        # Only its kind is said: an incident is told in the trail, and the words of an error may hold what must not be.
        log.exception("the operation %s failed", name)
        kind = type(error).__name__
        raise Incident(f"操作 {name} 出错（{kind}）", f"the operation {name} failed ({kind})") from error
    return result


def record(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """register.record: write a version of a register record."""
    name, value = str(parameters["register"]), parameters["value"]
    kinds = Library.standing().vocabulary().registers
    if name not in kinds or not isinstance(value, dict):
        raise Incident(f"没有台账“{name}”，或登记内容不是一条记录", f"{name!r} is no register, or the value no record")
    key = parameters["key"]
    text = key.id if isinstance(key, PersonRef) else str(key)
    supersede = str(parameters.get("supersede") or "own")
    shown = WITHHELD if _has_private_key(desk, step.element) else text

    def tell(told: dict[str, Any]) -> None:
        desk.tell("register.recorded", {**told, "key": shown}, element=step.id, process=step.process)

    case = {"case": desk.row["id"], "element": step.id, "supersede": supersede}
    return registers.record(desk.work, kinds[name], text, value, **case, tell=tell, said=shown)


def _has_private_key(desk: Desk, element: Element) -> bool:
    """Whether a key that this element records is made from something personal or secret."""
    keys = [each.parameters["key"] for each in element.operations if each.name == "register.record"]
    return any(reads_private(compile_expression(key), desk.deployed.private) for key in keys)


def find(desk: Desk, _: Step, parameters: Mapping[str, Value]) -> Value:
    """register.find: the latest version of a record, or None."""
    key = parameters["key"]
    return registers.find(desk.work, str(parameters["register"]), key.id if isinstance(key, PersonRef) else str(key))


def number(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """number.next: the next gap-free number of a series and year."""
    drawn = registers.draw(desk.work, str(parameters["series"]), desk.work.today)
    desk.tell("number.drawn", {"number": drawn}, element=step.id, process=step.process)
    return drawn


def issue(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """document.issue: fill a template of the package and keep the document with the case."""
    template = str(parameters["template"])
    found = desk.deployed.contents[step.process].templates.get(template)
    if found is None:
        raise Incident(f"没有文书模板“{template}”", f"there is no document template {template!r}")
    name, data = documents.issue(desk.work, found, dict(step.names), desk.functions)
    kept = documents.attach(desk.work, desk.row["id"], step.id, name, data, desk.work.actor)
    told = {"document": kept.id, "sha256": kept.sha256, "template": template}
    desk.tell("document.issued", told, element=step.id, process=step.process)
    return kept


def notify(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """notify: a notice to everybody who holds a role."""
    said = {name: str(parameters[name]) for name in ("role", "zh", "en")}
    desk.work.add(Outbox, {"id": uuid.uuid4().hex, "case": desk.row["id"], "at": desk.work.now, **said})
    desk.tell("notice.sent", {"role": said["role"]}, element=step.id, process=step.process)
    return None


def notify_persons(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """notify.persons: a notice to each of these persons, whatever roles they hold."""
    said = {name: str(parameters[name]) for name in ("zh", "en")}
    given = parameters["persons"]
    persons = [each.id for each in (given if isinstance(given, list) else [given]) if isinstance(each, PersonRef)]
    for person in persons:
        row = {"id": uuid.uuid4().hex, "case": desk.row["id"], "at": desk.work.now, "person": person}
        desk.work.add(Outbox, {**row, **said})
    desk.tell("notice.sent", {"persons": persons}, element=step.id, process=step.process)
    return None


def start_case(desk: Desk, step: Step, parameters: Mapping[str, Value]) -> Value:
    """case.start: start a linked case with these answers in its first form; gives its ``id`` and ``number``."""
    from engine.starting import linked  # a new case is put on a desk, and a desk needs the operations

    return linked(desk, step, parameters)


OPERATIONS: Mapping[str, Operation] = {
    "case.start": Operation(BUILT_IN["case.start"], start_case),
    "register.record": Operation(BUILT_IN["register.record"], record),
    "register.find": Operation(BUILT_IN["register.find"], find),
    "number.next": Operation(BUILT_IN["number.next"], number),
    "document.issue": Operation(BUILT_IN["document.issue"], issue),
    "parameters.adopt": Operation(BUILT_IN["parameters.adopt"], adopt),
    "trail.compile": Operation(BUILT_IN["trail.compile"], compile_trail),
    "notify": Operation(BUILT_IN["notify"], notify),
    "notify.persons": Operation(BUILT_IN["notify.persons"], notify_persons),
}
"""The operations that Liuhen brings."""
