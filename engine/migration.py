"""Moves running cases to another version of their process, if everything that is alive in them exists there too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from engine import definitions
from engine.desk import Desk, lock
from engine.errors import NotFound, NotYours, WrongState
from engine.model import CaseFile, Definition, Task
from engine.people import name_of, standing
from engine.runtime import moving
from engine.runtime.instance import Instance
from engine.work import SYSTEM, Work
from forms.words import Text

MOVERS = frozenset({"process_owner", "sysadmin"})


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


def obstacles(work: Work, case: str, to: str, renamed: Mapping[str, str]) -> list[Text]:
    """What stands in the way of moving a case; nothing is changed (a dry run)."""
    query = select(*CaseFile.__table__.columns).where(CaseFile.id == case)
    row = work.row(query)
    if row is None:
        raise NotFound(f"没有编号为 {case} 的案卷", f"there is no case {case}")
    return _obstacles(Desk.thawed(work, row), definitions.deployed(work, to), renamed)


def _obstacles(desk: Desk, new: definitions.Deployed, renamed: Mapping[str, str]) -> list[Text]:
    if desk.row["status"] != "open":
        return [Text("案卷已经办结", "the case is closed")]
    if new.process != desk.row["process"]:
        return [Text(f"案卷属于流程“{desk.row['process']}”", f"the case is of the process {desk.row['process']!r}")]
    return list(moving.obstacles(desk.instance, new.model, renamed))


def migrate(work: Work, case: str, to: str, renamed: Mapping[str, str] | None = None) -> None:
    """Move a running case to another version; drafts, assignees and due times stay as they are. Told in the trail.

    ``renamed`` maps the ids of live elements that are called otherwise there. Raises ``WrongState`` naming every
    element that stands in the way, and then nothing is changed.
    """
    renamed = renamed or {}
    old = Desk.thawed(work, lock(work, case))
    _refuse_stranger(old)
    new = definitions.deployed(work, to)
    found = _obstacles(old, new, renamed)
    if found:
        raise WrongState(
            f"案卷 {old.row['number']} 不能迁移：" + "；".join(text.zh for text in found),
            f"the case {old.row['number']} cannot be moved: " + "; ".join(text.en for text in found),
            case=case,
            verb="migrate",
        )
    state, scopes = moving.texts(old.instance, renamed)
    desk = Desk.over(work, old.row, new)
    desk.instance = Instance.thawed(new.model, desk, state, scopes)
    desk.before = old.before
    moving.arm_new_boundaries(desk.instance)
    told = {"from": old.deployed.version, "to": new.version, "sha256": new.sha256, "renamed": dict(renamed)}
    desk.tell("case.migrated", told)
    work.db.execute(update(CaseFile).where(CaseFile.id == case).values(definition=new.id))
    for token in list(desk.instance.items()):
        work.db.execute(update(Task).where(Task.id == desk.item_id(token.id)).values(**_shown(token.task_spec.element)))
    desk.keep()


def _shown(element: Any) -> dict[str, str]:
    """What the inbox shows of an element."""
    return {
        "element": element.id,
        "name_zh": element.name,
        "name_en": element.policy.get("name-en", element.name),
        "form": element.policy.get("form", element.id),
    }


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
