"""Exports as background work: asked for on a page, done by a worker step by step, fetched when they are finished.

A job is leased for some minutes; one whose worker died is taken up again by another.
"""

from __future__ import annotations

import io
import json
import logging
import threading
import uuid
import zipfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from engine import inbox
from engine.errors import NotFound, Refusal, Unusable
from engine.people import standing
from engine.requests import recall, remember
from engine.trail.bundle import STAMP, admit, export
from engine.trail.material import View
from engine.trail.tables import Job
from engine.work import SYSTEM, Database, Work

log = logging.getLogger("liuhen.jobs")

LEASE = timedelta(minutes=5)
KEPT = timedelta(days=1)
MOST_CASES = 1_000
"""How many cases one export may hold."""


def ask(
    work: Work,
    cases: Sequence[str],
    *,
    purpose: str = "",
    redacted: bool = False,
    person: str | None = None,
    paper: bool = False,
) -> str:
    """Ask for the bundles of these cases (by id), one zip of them all where there are several; gives the job's id.

    With ``paper`` their reports are enclosed as PDF too.

    Raises NotYours unless the person may look into every case or asks for their own part; Unusable for none or too
    many.
    """
    again = recall(work)
    if again is not None:
        return again
    if not 0 < len(cases) <= MOST_CASES:
        raise Unusable(
            f"一次可导出 1 至 {MOST_CASES} 个案卷，所选有 {len(cases)} 个",
            f"an export holds 1 to {MOST_CASES} cases, but {len(cases)} are chosen",
        )
    if not standing(work, work.actor).roles & inbox.OVERSEERS:
        for case in cases:
            admit(work, inbox.case(work, case), View(person, redacted))
    identity = uuid.uuid4().hex
    asked = {"cases": list(cases), "purpose": purpose, "redacted": redacted, "person": person, "paper": paper}
    work.add(Job, {
        "id": identity, "person": work.actor, "at": work.now, "asked": json.dumps(asked, ensure_ascii=False),
        "total": len(cases), "done": 0, "step": "",
    })  # fmt: skip
    remember(work, identity)
    return identity


def job(work: Work, identity: str, *, content: bool = False) -> dict[str, Any]:
    """How far a job is, for whoever asked for it; with its file if ``content``. NotFound for everybody else."""
    columns = [each for each in Job.__table__.columns if content or each.name != "content"]
    found = work.row(select(*columns).where(Job.id == identity, Job.person == work.actor))
    if found is None:
        raise NotFound("没有这项导出，或已过期", "there is no such export, or it has expired")
    return found


def jobs(work: Work) -> list[dict[str, Any]]:
    """The jobs of whoever asks, newest first, without their files."""
    columns = [each for each in Job.__table__.columns if each.name != "content"]
    return work.rows(select(*columns).where(Job.person == work.actor).order_by(Job.at.desc()))


def run_one(database: Database, patience: float = 10.0) -> bool:
    """Do the next job there is; False if there is none. What cannot be exported is said in the job."""
    taken = _take(database)
    if taken is None:
        return False
    try:
        name, data = _bundles(database, taken, patience)
        said: dict[str, Any] = {"name": name, "content": data}
    except Refusal as refusal:
        said = {"zh": refusal.text.zh, "en": refusal.text.en}
    except Exception:
        log.exception("job %s failed", taken["id"])
        said = {"zh": "导出失败，原因已记入日志", "en": "the export failed; the reason is in the log"}
    with database.work(SYSTEM) as work:
        _note(work, taken["id"], finished_at=work.now, leased_until=None, **said)
    return True


def _take(database: Database) -> dict[str, Any] | None:
    """Lease the oldest job that nobody works on; what is old is cleared away."""
    with database.work(SYSTEM) as work:
        work.db.execute(delete(Job).where(Job.finished_at < work.now - KEPT))
        free = or_(Job.leased_until.is_(None), Job.leased_until < work.now)
        query = select(Job.id, Job.person, Job.asked).where(Job.finished_at.is_(None), free).order_by(Job.at).limit(1)
        found = work.row(query.with_for_update(skip_locked=True))
        if found is not None:
            _note(work, found["id"], leased_until=work.now + LEASE, done=0)
        return found


def _bundles(database: Database, taken: dict[str, Any], patience: float) -> tuple[str, bytes]:
    asked = json.loads(taken["asked"])
    view = View(asked["person"], asked["redacted"])
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number, case in enumerate(asked["cases"]):
            told = _teller(database, taken["id"], number)
            made = export(
                database,
                case,
                taken["person"],
                purpose=asked["purpose"],
                view=view,
                paper=asked.get("paper", False),
                told=told,
                patience=patience,
            )
            if len(asked["cases"]) == 1:
                return made.name, made.data
            archive.writestr(zipfile.ZipInfo(made.name, STAMP), made.data)
            # Where no signer is at work, hundreds of cases do not each wait for one.
            patience = patience if made.signed else 0
    return "evidence.zip", target.getvalue()


def _teller(database: Database, identity: str, done: int) -> Callable[[str], None]:
    def told(step: str) -> None:
        with database.work(SYSTEM) as work:
            _note(work, identity, done=done, step=step, leased_until=work.now + LEASE)

    return told


def _note(work: Work, identity: str, **said: Any) -> None:
    work.db.execute(update(Job).where(Job.id == identity).values(**said))


def run_forever(database: Database, stop: threading.Event, every: float = 0.5) -> None:
    """Do jobs as they come until told to stop."""
    while not stop.wait(every):
        try:
            while not stop.is_set() and run_one(database):
                pass
        except Exception:
            log.exception("jobs could not be looked for; it will be tried again")
