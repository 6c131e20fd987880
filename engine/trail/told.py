"""What the events of a trail tell of things that are kept beside it: gathered event by event, judged elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Data = dict[str, Any]


@dataclass(slots=True)
class ToldCase:
    """What the events of a case tell of its row; ``after`` is the last commitment to all of it.

    ``exchanged`` are the numbers of the events whose act found another case than the act before had left.
    """

    after: str | None = None
    version: tuple[object, ...] | None = None
    columns: Data = field(default_factory=dict)
    exchanged: list[Any] = field(default_factory=list)

    def hear(self, body: Data, data: Data) -> None:
        """One more event of the case, in order."""
        if "after" in body:
            if body.get("before") != self.after:
                self.exchanged.append(body.get("seq"))
            self.after = body["after"]
        process = _record(body.get("process"))
        if "sha256" in process:
            self.version = tuple(process.get(name) for name in ("key", "version", "sha256"))
        at = body.get("clock", body.get("ts"))
        match body.get("type"):
            case "case.started":
                names = ("number", "parameters", "calendar", "parent")
                said = {name: data[name] for name in names if name in data}
                by_somebody = not data.get("parent") and data.get("by") in (None, "message")
                applicant = _record(body.get("actor")).get("id") if by_somebody else None
                began = {"status": "open", "outcome": None, "closed_at": None, "parent": None, "opened_at": at}
                self.columns = {**began, "applicant": applicant, **said}
            case "task.completed" if "applicant" in data:
                self.columns["applicant"] = data["applicant"]
            case "case.suspended":
                self.columns["status"] = "suspended"
            case "case.resumed":
                self.columns["status"] = "open"
            case "case.closed":
                self.columns |= {"status": "closed", "outcome": data.get("outcome"), "closed_at": at}


@dataclass(slots=True)
class Told:
    """Where each stream has come to, and what its events tell. Things have ids; those of before there were ids are
    counted (``unnamed``, by stream and register).
    """

    log: str
    ends: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    cases: dict[str, ToldCase] = field(default_factory=dict)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    documents: dict[str, tuple[str, str, Data]] = field(default_factory=dict)
    records: dict[str, tuple[str, str]] = field(default_factory=dict)
    unnamed: Counter[tuple[str, str]] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    definitions: dict[str, Data] = field(default_factory=dict)
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict)
    calendars: dict[str, Data] = field(default_factory=dict)
    policies: dict[tuple[str, str], str] = field(default_factory=dict)
    people: dict[str, bool] = field(default_factory=dict)
    roles: set[tuple[str, str]] = field(default_factory=set)
    delegations: Counter[tuple[str, ...]] = field(default_factory=Counter)
    ended: Counter[tuple[str, ...]] = field(default_factory=Counter)
    recusals: dict[str, str] = field(default_factory=dict)
    old_recusals: Counter[tuple[str, str | None, bool]] = field(default_factory=Counter)

    def hear(self, body: Data, stream: str) -> None:
        """One more event, in the order of its stream."""
        data = body.get("data")
        if not isinstance(data, dict):
            return
        if stream.startswith("case/"):
            self.cases.setdefault(stream, ToldCase()).hear(body, data)
        if "commitment" in data:
            self.answers[str(data.get("submission"))] = (str(data["commitment"]), stream)
        if "document" in data:
            self.documents[str(data["document"])] = (str(data.get("sha256")), stream, _record(data.get("private")))
        kind = str(body.get("type"))
        if kind in ("case.started", "number.drawn") and "number" in data:
            self.numbers[str(data["number"])] += 1
        elif kind == "register.recorded":
            self._hear_record(data, stream)
        elif kind == "parameters.adopted":
            self.parameters[str(data.get("set"))] = (str(data.get("sha256")), str(data.get("from")))
        elif stream.startswith("sys/"):
            self._hear_office(kind, data)

    def _hear_record(self, data: Data, stream: str) -> None:
        if "record" in data:
            self.records[str(data["record"])] = (str(data.get("commit")), stream)
        else:
            self.unnamed[stream, str(data.get("register"))] += 1

    def _hear_office(self, kind: str, data: Data) -> None:
        match kind:
            case "definition.deployed":
                self.definitions[str(data.get("definition"))] = data
            case "calendar.loaded":
                self.calendars[str(data.get("version"))] = data
            case "policy.imported":
                self.policies[str(data.get("code")), str(data.get("number"))] = str(data.get("sha256"))
            case "person.added":
                self.people[str(data.get("person"))] = True
            case "person.deactivated":
                self.people[str(data.get("person"))] = False
            case "role.granted":
                self.roles.add((str(data.get("person")), str(data.get("role"))))
            case "role.revoked":
                self.roles.discard((str(data.get("person")), str(data.get("role"))))
            case "delegation.made":
                self.delegations[tuple(str(data.get(name)) for name in DELEGATION)] += 1
            case "delegation.ended":
                self.ended[tuple(str(data.get(name)) for name in DELEGATION[:3])] += 1
            case "recusal.declared" if "recusal" in data:
                self.recusals[str(data["recusal"])] = str(data.get("commit"))
            case "recusal.declared":
                self.old_recusals[str(data.get("person")), data.get("case"), bool(data.get("party_named"))] += 1


DELEGATION = ("person", "substitute", "role", "starts_on", "ends_on")
"""What is told of a delegation when it is made; when it is ended, the first three."""


def _record(value: object) -> Data:
    return value if isinstance(value, dict) else {}
