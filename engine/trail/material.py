"""What a bundle is made of: a case's events, answers, documents and versions, and what a view shows of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Select, select

from engine import admission, calendar, definitions, inbox, parameter_sets, personal
from engine.anonymity import Veil, veil
from engine.calendar import Calendar
from engine.definitions import Deployed
from engine.desk import Desk
from engine.documents import with_names
from engine.model import (
    Base,
    CaseFile,
    Comment,
    Definition,
    DefinitionFile,
    Document,
    Event,
    Person,
    Recusal,
    RegisterRecord,
    Submission,
    table,
)
from engine.trail import duties, epochs
from engine.trail.epochs import Proofs
from engine.trail.verify import verify
from engine.uploads import ending_of
from engine.work import Work
from forms.values import Value, files_in, from_json
from forms.words import Text

Kind = Literal["full", "redacted", "person"]
Row = Mapping[str, Any]
READ = (Event.seq, Event.kind, Event.actor, Event.at, Event.body, Event.hash)


@dataclass(frozen=True, slots=True)
class View:
    """What an export shows: ``full`` for the compliance officer and the auditor, ``redacted`` for the public (what
    happened and when: no names, no answers, no files), or what one ``person`` did: their name, their answers and files.
    """

    person: str | None = None
    redacted: bool = False

    @property
    def kind(self) -> Kind:
        """The name of the view."""
        return "redacted" if self.redacted else "person" if self.person else "full"

    def shows(self, person: str) -> bool:
        """Whether what this person wrote is shown."""
        return not self.redacted and self.person in (None, person)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a process that the case ran under, or that was called; with the hashes of its files and drawing."""

    process: str
    name: Text
    version: int
    sha256: str
    diagram: str


@dataclass(frozen=True, slots=True)
class Material:
    """One case, read at one instant.

    ``names`` are those that the view shows. ``remarks`` are the reasons and remarks of the trail by their ids,
    ``publicities`` the versions of the records of its publicities, oldest first, ``recusals`` the interests declared in
    this very case, ``timers`` the tokens of those that run.
    """

    row: Row
    view: View
    events: list[dict[str, Any]]
    bodies: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    remarks: Mapping[str, Row]
    publicities: list[dict[str, Any]]
    recusals: list[dict[str, Any]]
    timers: frozenset[int]
    definitions: list[str]
    versions: list[Version]
    deployed: Deployed
    calendar: Calendar
    parameters: Mapping[str, Value]
    parties: list[str]
    organisations: list[str]
    names: Mapping[str, str]
    duties: list[duties.Duty]
    proofs: Proofs | None
    unsealed: int
    intact: bool
    veil: Veil

    @classmethod
    def of(cls, work: Work, case: str, view: View) -> Material:
        """The material of a case by its id."""
        row = work.row(select(*CaseFile.__table__.columns).where(CaseFile.id == case))
        assert row is not None
        events = work.rows(select(*READ).where(Event.stream == f"case/{case}").order_by(Event.seq))
        hiding = veil(work, case, public=view.redacted or view.person not in (None, work.actor))
        bodies = [json.loads(event["body"]) for event in events]
        cited = {body["epoch"]["n"] for body in bodies if "epoch" in body}
        proofs = epochs.proofs(work, f"case/{case}", cited)
        covered = proofs.proof["epochs"][0]["seq"] if proofs else 0
        answers = personal.open_rows(work, _rows(work, Submission, case, "at", "id"))
        records = _rows(work, RegisterRecord, case, "at", "key", "version")
        ran = _versions(work, row["definition"], bodies)
        names, organisations = _people(work, [json.loads(each["body"]) for each in hiding.events(events)], view)
        return cls(
            row=row,
            view=view,
            events=events,
            bodies=bodies,
            answers=answers,
            documents=_documents(work, case, view, answers),
            remarks={each["id"]: each for each in _rows(work, Comment, case, "at", "id")},
            publicities=[each for each in records if each["register"] == "publicity"],
            recusals=_rows(work, Recusal, case, "at", "id"),
            timers=frozenset(each["token"] for each in inbox.timers(work, case)),
            definitions=ran,
            versions=[_told(work, each) for each in ran],
            deployed=definitions.deployed(work, row["definition"]),
            calendar=calendar.calendar_of(work, row["calendar"]),
            parameters=parameter_sets.values(work, row["parameters"]),
            parties=sorted(admission.named_parties(Desk.thawed(work, row))),
            organisations=organisations,
            names=names,
            duties=duties.matrix(duties.record(work, case, hiding.events(events))),
            proofs=proofs,
            unsealed=len(events) - covered,
            intact=verify(work, case).intact,
            veil=hiding,
        )

    def shown_answers(self) -> list[dict[str, Any]]:
        """The answers this view shows."""
        return [each for each in self.answers if self.view.shows(each["person"])]

    def shown_documents(self) -> set[str]:
        """The hashes of the documents this view shows: all, or those that shown answers refer to."""
        return _shown(self.view, self.answers, self.documents)

    def as_read(self) -> Material:
        """What people read of it: an act without a name (匿名) names nobody. The proofs rest on what is kept."""
        events = self.veil.events(self.events)
        return replace(
            self,
            events=events,
            bodies=[json.loads(event["body"]) for event in events],
            answers=self.veil.rows(self.answers, "person"),
            documents=self.veil.rows(self.documents, "uploaded_by"),
        )


def _rows(work: Work, of: type[Base], case: str, *order: str) -> list[dict[str, Any]]:
    """The rows of a table that belong to a case, in this order."""
    columns = table(of).c
    return work.rows(select(*columns).where(columns.case == case).order_by(*(columns[name] for name in order)))


def _documents(work: Work, case: str, view: View, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The documents of a case, oldest first; the private names are those that the view shows."""
    rows = _rows(work, Document, case, "at", "id")
    shown = _shown(view, answers, rows)
    named = {row["id"]: row for row in with_names(work, [row for row in rows if row["sha256"] in shown])}
    return [_enclosed(named.get(row["id"], {**row, "erased": False}), shown) for row in rows]


def _shown(view: View, answers: list[dict[str, Any]], documents: list[dict[str, Any]]) -> set[str]:
    if view.kind == "full":
        return {each["sha256"] for each in documents}
    shown = [from_json(each["answer"]) for each in answers if view.shows(each["person"])]
    return {file.sha256 for answer in shown for file in files_in(answer)}


def _enclosed(row: dict[str, Any], shown: set[str]) -> dict[str, Any]:
    """A document with the path at which a bundle encloses what was encrypted; empty where it does not."""
    readable = row["sealed"] and row["sha256"] in shown and not row["erased"]
    return {**row, "enclosed": f"private/{row['sealed']}{ending_of(row['name'])}" if readable else ""}


def _people(work: Work, bodies: list[dict[str, Any]], view: View) -> tuple[dict[str, str], list[str]]:
    """The names that a view shows, by id, and the organisations of those who acted, the first to act first."""
    people = {each.id: each for each in work.db.execute(select(Person.id, Person.name, Person.organisation))}
    acted = dict.fromkeys(str(body["actor"]["id"]) for body in bodies)
    organisations = [people[each].organisation for each in acted if each in people and people[each].organisation]
    shown = [] if view.redacted else people if view.person is None else [each for each in people if each == view.person]
    return {each: people[each].name for each in shown}, list(dict.fromkeys(organisations))


def _told(work: Work, identity: str) -> Version:
    """What the cover says of a version."""
    about = (Definition.process, Definition.name_zh, Definition.name_en, Definition.version, Definition.sha256)
    row = work.db.execute(select(*about).where(Definition.id == identity)).one()
    query = select(DefinitionFile.path, DefinitionFile.sha256).where(DefinitionFile.definition == identity)
    drawn = next((each.sha256 for each in work.db.execute(query) if each.path.endswith(".bpmn")), "")
    return Version(row.process, Text(row.name_zh, row.name_en), row.version, row.sha256, drawn)


def _versions(work: Work, now: str, bodies: list[dict[str, Any]]) -> list[str]:
    """The versions the case ran under, oldest first, each with those it calls."""
    ran = {
        (body["process"]["key"], body["process"]["version"]): None
        for body in bodies
        if "version" in body.get("process", {})
    }
    waiting = [work.db.execute(_version(*each)).scalar_one() for each in ran] + [now]
    found: dict[str, None] = {}
    while waiting:
        identity = waiting.pop(0)
        if identity not in found:
            found[identity] = None
            uses = work.db.execute(select(Definition.uses).where(Definition.id == identity)).scalar_one()
            waiting += sorted(json.loads(uses).values())
    return list(found)


def _version(process: str, number: int) -> Select[str]:
    return select(Definition.id).where(Definition.process == process, Definition.version == number)
