"""Moving running cases to another version: what would become of each, and then doing it for those that are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from engine import definitions, inbox, migration
from engine.cases import acting
from engine.definitions import Deployed
from engine.errors import NotYours, Refusal, Unusable
from engine.people import name_of
from engine.trail.words import Speaker
from engine.work import Work
from webui.page import actor, go, language, look, request_key, show, site, vocabulary
from webui.processes import may_deploy, version_row

bp = Blueprint("migration", __name__)

PAGE = 200
"""How many cases are looked at, and may be moved, in one request; the rest follow page by page."""


def refuse_others(work: Work) -> None:
    """Only those who own processes, and system administrators, move cases."""
    if not may_deploy():
        who = name_of(work, actor())
        raise NotYours(
            f"{who}不是流程负责人或系统管理员，不能迁移案卷",
            f"{who} is neither a process owner nor a system administrator and may not move cases",
            ("role",),
        )


@dataclass(frozen=True, slots=True)
class Renamed:
    """What is called otherwise in the new version: as chosen for elements that are gone there, and as written."""

    chosen: Mapping[str, str]
    written: Mapping[str, str]

    @classmethod
    def of(cls, sent: Mapping[str, str], gone: Sequence[Mapping[str, Any]]) -> Renamed:
        """What a form says; a choice that does not fit the versions (any more) is none."""
        chosen = {}
        for each in gone:
            old, new = each["element"].id, sent.get(f"map.{each['element'].id}", "")
            if new in {other.id for other in each["alike"]}:
                chosen[old] = new
        written = {}
        for line in sent.get("more", "").splitlines():
            old, sign, new = (part.strip() for part in line.partition("="))
            if line.strip() and not (old and sign and new):
                raise Unusable(f"“{line.strip()}”应写成 旧=新", f"write {line.strip()!r} as OLD=NEW")
            if old:
                written[old] = new
        return cls(chosen, written)

    def for_case(self, version: Deployed) -> dict[str, str]:
        """The same for a case on this version: a choice for another version's element does not concern it."""
        elements = {name for contents in version.contents.values() for name in contents.diagram.elements}
        return {old: new for old, new in self.chosen.items() if old in elements} | dict(self.written)


@bp.get("/processes/<code:process>/migration")
def page(process: str) -> Response:
    """The versions, what is called otherwise, and what would become of each running case. Nothing is changed."""
    with look() as work:
        refuse_others(work)
        versions = definitions.versions(work, process)
        number = request.args.get("to", versions[0]["version"], type=int)
        new = definitions.deployed(work, version_row(work, process, number)["id"])
        after = max(request.args.get("after", 0, type=int), 0)
        counts = migration.open_cases(work, process)
        lacking = gone(work, counts, new)
        renamed = Renamed.of(request.args, lacking)
        waiting = migration.running(work, process, new.id)
        return show(
            "migration.html",
            process=new.diagram.process,
            versions=[{**row, "cases": counts.get(row["id"], 0)} for row in versions],
            to=number,
            gone=lacking,
            renamed=renamed.chosen,
            more=request.args.get("more", ""),
            lines=[line(work, case, new, renamed) for case in waiting[after : after + PAGE]],
            waiting=len(waiting),
            there=counts.get(new.id, 0),
            after=after,
            further=after + PAGE if len(waiting) > after + PAGE else None,
            moved=request.args.get("moved", type=int),
        )


def gone(work: Work, counts: Mapping[str, int], new: Deployed) -> list[dict[str, Any]]:
    """The elements of versions with open cases that the new version lacks, with what each may have become."""
    found = {}
    for definition in counts:
        if definition != new.id:
            found.update(migration.vanished(definitions.deployed(work, definition), new))
    return [{"element": element, "alike": alike} for _, (element, alike) in sorted(found.items())]


def line(work: Work, case: str, new: Deployed, renamed: Renamed) -> dict[str, Any]:
    """What would become of one case, in the words of the page."""
    row = inbox.case(work, case)
    old_version = definitions.deployed(work, row["definition"])
    seen = migration.prospect(work, case, new.id, renamed.for_case(old_version))
    there = Speaker(language(), {}, new, vocabulary())
    here = Speaker(language(), {}, old_version, vocabulary())

    def named(elements: list[str]) -> list[str]:
        return [there.anywhere(each).said(language()) for each in elements]

    return {
        "seen": seen,
        "row": row if inbox.may_see(work, row) else None,
        "stands": [
            (here.anywhere(old).said(language()), there.anywhere(becomes).said(language()), old, becomes)
            for old, becomes in seen.stands
        ],
        "armed": named(seen.armed),
        "disarmed": [here.anywhere(each).said(language()) for each in seen.disarmed],
        "goes_on": named(seen.goes_on),
    }


@bp.post("/processes/<code:process>/migration/cases")
def move(process: str) -> Response:
    """Move the chosen cases, each in an act of its own; what stands in the way of the others the page says again."""
    request_key()
    chosen = request.form.getlist("case")
    if not 0 < len(chosen) <= PAGE:
        raise Unusable(f"请选择 1 至 {PAGE} 个案卷", f"choose 1 to {PAGE} cases")
    with look() as work:
        refuse_others(work)
        row = version_row(work, process, request.form.get("to", 0, type=int))
        new = definitions.deployed(work, row["id"])
        renamed = Renamed.of(request.form, gone(work, migration.open_cases(work, process), new))
        # A form that is sent twice finds its cases moved already.
        waiting = set(migration.running(work, process, row["id"]))
    moved = sum(moved_one(case, row["id"], renamed) for case in chosen if case in waiting)
    kept = {name: text for name, text in request.form.items() if text and (name == "more" or name.startswith("map."))}
    after = max(request.form.get("after", 0, type=int), 0)
    return go("migration.page", process=process, to=row["version"], moved=moved, after=after or None, **kept)


def moved_one(case: str, to: str, renamed: Renamed) -> bool:
    """Move one case; False where something stands in the way."""
    try:
        with acting(site().database, actor()) as work:
            version = definitions.deployed(work, inbox.case(work, case)["definition"])
            migration.migrate(work, case, to, renamed.for_case(version))
    except Refusal:
        return False
    return True
