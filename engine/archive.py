"""Archives closed cases into a folder of bundles, and says which of them may leave it when their retention is over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine import definitions, parameter_sets
from engine.errors import Unusable
from engine.library import Library
from engine.model import CaseFile
from engine.trail import epochs
from engine.trail.bundle import export
from engine.work import BEIJING, Database, Work

INDEX = "index.json"
LASTING = frozenset({"agreement_signing", "ip_change", "equity_registration"})
"""Tags of steps about ownership and equity: cases with one are kept for ``retention_years_equity``, others for less."""


def archive(
    database: Database,
    folder: Path,
    actor: str,
    *,
    told: Callable[[str], None] = lambda _: None,
    patience: float = epochs.PATIENCE,
) -> list[str]:
    """Write the bundle of every closed case that is not in the folder yet; gives their numbers.

    ``index.json`` lists each with the hash of its file and the day until which it is to be kept. A bundle in the
    folder that was changed or lost is refused, not written over: Unusable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = _index(folder)
    with database.look(actor) as work:
        rows = work.rows(_closed())
        kept = {row["id"]: keep_until(work, row) for row in rows}
    made = []
    for row in rows:
        if row["number"] in index:
            continue
        told(row["number"])
        bundle = export(database, row["id"], actor, purpose="归档", patience=patience)
        year = str(row["closed_at"].astimezone(BEIJING).year)
        path = folder / year / bundle.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bundle.data)
        index[row["number"]] = {
            "file": f"{year}/{bundle.name}",
            "sha256": hashlib.sha256(bundle.data).hexdigest(),
            "process": row["process"],
            "outcome": row["outcome"],
            "closed_on": row["closed_at"].astimezone(BEIJING).date().isoformat(),
            "keep_until": kept[row["id"]].isoformat(),
        }
        draft = folder / f"{INDEX}.new"
        draft.write_text(json.dumps(index, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
        draft.replace(folder / INDEX)
        made.append(str(row["number"]))
    return made


def _closed() -> Any:
    columns = (
        CaseFile.id,
        CaseFile.number,
        CaseFile.process,
        CaseFile.outcome,
        CaseFile.closed_at,
        CaseFile.parameters,
        CaseFile.definition,
    )
    return select(*columns).where(CaseFile.status == "closed").order_by(CaseFile.number)


def keep_until(work: Work, row: dict[str, Any]) -> date:
    """The last day of a closed case's retention, by the parameters it started with (illustrative defaults)."""
    values = {**Library.standing().vocabulary().values, **parameter_sets.values(work, row["parameters"])}
    years = values["retention_years_equity" if _lasts(work, row["definition"]) else "retention_years_other"]
    assert isinstance(years, int)
    closed: date = row["closed_at"].astimezone(BEIJING).date()
    try:
        return closed.replace(year=closed.year + years)
    except ValueError:  # 29 February: a day more is kept rather than one less
        return date(closed.year + years, 3, 1)


def _lasts(work: Work, definition: str) -> bool:
    every = definitions.deployed(work, definition).contents.values()
    return any(
        element.policy.get("tag") in LASTING for each in every for element in each.diagram.elements.values()
    )


def _index(folder: Path) -> dict[str, Any]:
    """What the folder holds. Unusable: a bundle in it is not the one that was archived."""
    path = folder / INDEX
    index: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for number, said in index.items():
        file = folder / said["file"]
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != said["sha256"]:
            raise Unusable(
                f"归档中的 {number}（{said['file']}）被改动或丢失：请查明原因",
                f"the archived case {number} ({said['file']}) was changed or lost: find out why",
            )
    return index
