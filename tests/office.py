"""A small office for the tests of the verbs: people, a clock that is set, and the processes of ``tests/packages``.

Where it comes from in a test is for ``furnished`` to know.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import func, select

from engine import cases, definitions, inbox, people
from engine.errors import Refusal
from engine.library import Library, Package, package_at
from engine.model import Base, CaseFile, Event, Stream
from engine.scenarios import SetClock
from engine.trail.verify import verify
from engine.work import BEIJING, SYSTEM, Database, Request
from tests.conftest import Kind

PACKAGES = Path(__file__).parent / "packages"
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=BEIJING)  # a Monday

STAFF: Mapping[str, tuple[str, ...]] = {
    "甲": ("contract_applicant",),
    "乙": ("contract_applicant",),
    "登记员": ("registrar",),
    "登记员二": ("registrar",),
    "复核员": ("second_reviewer",),
    "双职": ("registrar", "second_reviewer"),
    "负责人": ("registration_head",),
    "专家一": ("expert",),
    "专家二": ("expert",),
    "市场办": ("market_office",),
    "合规": ("compliance_officer",),
    "管理员": ("sysadmin",),
    "路人": (),
}
"""Everybody in the office and what they are; 路人 is nobody."""

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "apply": {
        "subject": "屋顶光伏",
        "contract_no": "HT-1",
        "amount_fen": 300,
        "phone": "13800138000",
        "secret_level": "none",
        "parties": [{"name": "北京某大学"}],
    },
    "review": {"decision": "accept"},
    "hearing": {"opinion": "同意"},
    "second": {"agree": True},
    "archive": {"shelf": "A-1"},
    "ask": {"matter": "一件事"},
    "handle": {"result": "办妥"},
    "escalated": {"result": "督办"},
    "pose": {"matter": "何时"},
    "look_up": {"reply": "明日"},
    "read": {"seen": True},
    "propose": {"subject": "一项成果", "count": 1},
    "decide": {"body": "head", "comparables": "同类许可三件"},
    "announce": {"heading": "公示", "channels": ["内网"]},
    "file": {"shelf": "A-1"},
}
"""A sound answer for every work item of the packages."""

Verb = Any  # a verb of the engine: a function of the work and more


def package(name: str, *changes: tuple[str, str, str]) -> Package:
    """A package of ``tests/packages``; each change is a file, a text in it and what it becomes."""
    whole = package_at(PACKAGES / name)
    files = dict(whole.files)
    for path, old, new in changes:
        text = files[path].decode()
        assert old in text, f"{path} does not say {old!r}"
        files[path] = text.replace(old, new).encode()
    return Package(name, files)


@dataclass(slots=True)
class Office:
    """One database with its clock; ``who`` gives the ids of people by their names."""

    url: str
    clock: SetClock = field(default_factory=lambda: SetClock(MORNING))
    database: Database = field(init=False)
    who: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database = Database(self.url, self.clock)
        with self.database.look(SYSTEM) as work:
            self.who = {name: people.find(work, name) for name in STAFF}

    # People and time.

    def hire(self, name: str, *roles: str) -> str:
        """One more person."""
        with self.database.work(SYSTEM) as work:
            self.who[name] = people.add(work, name, name, roles)
        return self.who[name]

    def later(self, **period: float) -> None:
        """Time goes by (or back)."""
        self.clock.instant += timedelta(**period)

    def deploy(self, *packages: Package) -> list[definitions.Deployed]:
        """Deploy packages one after the other."""
        vocabulary = Library.standing().vocabulary()
        with self.database.work(SYSTEM) as work:
            return [definitions.deploy(work, each, vocabulary) for each in packages]

    # Acts.

    def act(self, name: str, verb: Verb, *arguments: Any, request: Request | None = None, **named: Any) -> Any:
        """Somebody does something, as every door lets them."""
        who = self.who.get(name, name)
        return cases.carried_out(self.database, who, lambda work: verb(work, *arguments, **named), request)

    def start(self, process: str = "permit", by: str = "甲", **answer: Any) -> str:
        """Start a case with a sound answer, changed as told; gives its id."""
        first = {"permit": "apply", "watch": "ask", "caller": "pose", "duty": "propose"}[process]
        return str(self.act(by, cases.start, process, {**ANSWERS[first], **answer}))

    def do(self, case: str, element: str, by: str, **answer: Any) -> None:
        """Complete the open work item at an element with a sound answer, changed as told."""
        self.act(by, cases.complete, self.item(case, element), {**ANSWERS[element], **answer})

    def refused(self, name: str, verb: Verb, *arguments: Any, **named: Any) -> Refusal:
        """An act that is refused; anything else that happens is an error of the test."""
        with pytest.raises(Refusal) as refusal:
            self.act(name, verb, *arguments, **named)
        assert refusal.value.text.zh and refusal.value.text.en
        return refusal.value

    # Looking.

    def look(self, question: Callable[..., Any], *arguments: Any, by: str = "管理员") -> Any:
        """What somebody sees."""
        with self.database.look(self.who[by]) as work:
            return question(work, *arguments)

    def items(self, case: str) -> dict[str, str]:
        """The open work items of a case: id by element."""
        return {element: str(row["id"]) for element, row in self.look(inbox.open_elements, case).items()}

    def item(self, case: str, element: str) -> str:
        """The open work item at this element."""
        return self.items(case)[element]

    def row(self, case: str) -> dict[str, Any]:
        """A case as it is stored."""
        found: dict[str, Any] = self.look(inbox.case, case)
        return found

    def bodies(self, stream: str) -> list[dict[str, Any]]:
        """The events of a stream (or of the case of this id), parsed."""
        with self.database.look(SYSTEM) as work:
            query = select(Event.body).where(Event.stream.in_([stream, f"case/{stream}"])).order_by(Event.seq)
            return [json.loads(text) for text in work.db.execute(query).scalars()]

    def kinds(self, case: str) -> list[str]:
        """What happened in a case, by kind."""
        return [body["type"] for body in self.bodies(case)]

    def last(self, stream: str) -> dict[str, Any]:
        """The last event of a stream."""
        return self.bodies(stream)[-1]

    def inbox(self, name: str) -> list[str]:
        """The elements of the work items somebody may take up."""
        return [str(row["element"]) for row in self.look(inbox.tasks_for, self.who[name])]

    def state(self) -> dict[str, Any]:
        """How many rows each table has, where each stream stands, and every case: what a refusal must not change."""
        with self.database.look(SYSTEM) as work:
            counts = {
                table.name: work.db.execute(select(func.count()).select_from(table)).scalar_one()
                for table in Base.metadata.sorted_tables
                if table.name != "deed"  # they come with their events: ``sound`` compares them
            }
            rows = {row["id"]: row for row in work.rows(select(*CaseFile.__table__.columns))}
            heads = {row.name: row.head for row in work.db.execute(select(Stream.name, Stream.head))}
        return {"counts": counts, "cases": rows, "heads": heads}

    def sound(self) -> bool:
        """Whether the whole trail verifies; if not, the flaws are shown."""
        verdict = self.look(verify)
        assert [f"{flaw.stream} {flaw.seq} {flaw.text}" for flaw in verdict.flaws or []] == []
        return bool(verdict.intact)

    def close(self) -> None:
        """Nothing of this process holds the database any more."""
        self.database.close()


def attempt_told(office: Office, case: str) -> tuple[str, str, list[str]]:
    """The refused attempt that a case tells of last: who, what, why."""
    body = office.last(case)
    assert body["type"] == "attempt.refused"
    return body["actor"]["id"], body["data"]["verb"], body["data"]["reasons"]


def in_a_child(task: Callable[[], None]) -> int:
    """Run this in a process of its own, made by fork, and give its process id.

    This process must hold no connection to the database then: an SQLite file that is open on both sides of a fork loses
    its locks. The child ends without running anything of pytest's: with 0, or 1 and the error on stderr.
    """
    with warnings.catch_warnings():
        # From 3.12 on a fork beside other threads is warned of: those of pytest-xdist only wait for its orders.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    try:
        task()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent has to see it and the child has to end
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def ended(child: int) -> int:
    """Wait for a child; gives its exit code, or the negative number of the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class NewOffice(Protocol):
    """Makes a fresh office on a kind of database."""

    def __call__(self, kind: Kind) -> Office: ...
