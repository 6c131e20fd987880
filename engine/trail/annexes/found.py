"""What a case comes to: the cover, the duties with their facts, documents, gaps and late entries, and the proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.facts import named
from engine.parameter_sets import SHIPPED
from engine.spreadsheets import Amount
from engine.trail.annexes.account import Account, Body, amount, instant
from engine.trail.annexes.headings import DUTY, STATUS
from engine.trail.annexes.interests import hits
from engine.trail.annexes.sheets import Cell, Row, Sheet, said
from engine.trail.duties import LATE, MISSING, PRESENT, WORDS, Duty, Entry, Fact
from engine.trail.record import EVIDENCE, SKIPPED
from forms.money import capital
from forms.values import files_in, from_json

CLOSED_PUBLICITY, SIGNING = "F-PB-06", "agreement_signing"


def cover(account: Account) -> Sheet:
    """What the case is, as two columns. When it was exported, by whom and what for is said in one place of the page."""
    return Sheet.of("cover", "item content", [(account.word(name), cell) for name, cell in _cover(account) if cell])


def _cover(account: Account) -> Iterator[tuple[str, Cell]]:
    material, row = account.material, account.material.row
    yield "number", row["number"]
    yield "institution", account.joined(material.organisations)
    yield "title", "" if material.view.redacted else row["title"]
    if account.full:
        yield "parties", account.joined(material.parties)
        yield "amount", _amount(account, row["amount_fen"])
    first = material.deployed.process
    own = [each for each in material.versions if each.process == first]
    yield "process", account.joined([_version(account, each) for each in own])
    yield "called", account.joined([_version(account, each) for each in material.versions if each.process != first])
    yield "parameters", account.word("shipped", id=SHIPPED) if row["parameters"] == SHIPPED else row["parameters"]
    yield "calendar", account.word("version", n=row["calendar"])
    closed = said(row["closed_at"]) if row["closed_at"] else account.word("until_now")
    yield "period", f"{said(row['opened_at'])} – {closed}"
    yield "standing", _standing(account, row)
    yield "events", str(len(material.events))
    yield "view", account.word(f"view_{material.view.kind}")


def _amount(account: Account, fen: int | None) -> str:
    return "" if fen is None else account.word("amount_said", yuan=account.money(fen), fen=fen, words=capital(fen))


def _version(account: Account, version: Any) -> str:
    hashes = account.word("hashes", package=version.sha256, diagram=version.diagram)
    return f"{account.said(version.name)} {version.process} v{version.version} {hashes}"


def _standing(account: Account, row: Any) -> str:
    if row["outcome"]:
        return account.said(account.speaker.outcome(row["outcome"]))
    return account.word("suspended" if row["status"] == "suspended" else "open")


# The four duties.


def duties(account: Account) -> Sheet:
    """One line for each duty: what its facts had to be, which are there, missing or late, and what follows (对照表)."""
    rows: list[Row] = []
    for each in account.material.duties:
        by_status = {status: [fact for fact in each.facts if fact.status == status] for status in STATUS}
        there = account.joined([_there(account, fact) for fact in by_status[PRESENT]]) or account.word("none")
        wanting = [_codes(account, by_status[status]) for status in (MISSING, LATE)]
        cells = (account.said(DUTY[each.duty]), _codes(account, each.facts), there, *wanting)
        rows.append((*cells, account.said(WORDS[each.status])))
    return Sheet.of("duties", "duty required present missing late conclusion", rows)


def _codes(account: Account, facts: Iterable[Fact]) -> str:
    lines = [f"{_fact_said(account, each.fact)}{'' if each.hard else account.word('soft')}" for each in facts]
    return account.joined(lines) or account.word("none")


def _fact_said(account: Account, code: str) -> str:
    return f"{code} {account.said(named(code))}"


def _there(account: Account, fact: Fact) -> str:
    """A fact that is there: by whom it was left, on which day, and by how many documents it is shown."""
    last = fact.last
    documents = account.word("documents", n=len(last.documents)) if last.documents else ""
    return f"{fact.fact} {account.who(last.person)} {said(last.at)[:10]}{documents}"


def facts(account: Account) -> Sheet:
    """Each fact of the duties with the entry that its status rests on: step, person, date, document."""
    rows = [_fact(account, duty, fact) for duty in account.material.duties for fact in duty.facts]
    return Sheet.of("facts", "duty fact status step +element who at document +sha256", rows)


def _fact(account: Account, duty: Duty, fact: Fact) -> Row:
    return (
        account.said(DUTY[duty.duty]),
        _fact_said(account, fact.fact),
        account.said(STATUS[fact.status]),
        *_entry(account, fact.last),
    )


def _entry(account: Account, entry: Entry) -> tuple[Cell, ...]:
    files = {each["id"]: each for each in account.material.documents}
    shown = [files[each] for each in entry.documents if each in files]
    return (
        account.place(entry.process, entry.element), entry.element, account.who(entry.person), entry.at,
        account.joined([_name(account, each) for each in shown]), account.joined([each["sha256"] for each in shown]),
    )  # fmt: skip


# Documents.


def documents(account: Account) -> Sheet:
    """Every document with its hash; the names and people of those alone that the view shows."""
    return Sheet.of("documents", "document sha256 size step +element who at late +replaced", _documents(account))


def _documents(account: Account) -> Iterator[Row]:
    replaced = _replaced(account)
    elements = {each["data"].get("document"): each for each in account.material.bodies if "document" in each["data"]}
    for each in account.material.documents:
        body = elements.get(each["id"])
        late = account.said(STATUS[LATE]) if each["late"] else ""
        yield (
            _name(account, each), each["sha256"], each["size"], account.step(body) if body else "", each["element"],
            account.who(each["uploaded_by"]), each["at"], late, replaced.get(each["id"], ""),
        )  # fmt: skip


def _name(account: Account, document: Any) -> str:
    """A document by its name, as far as this view gives it; of an encrypted one also where in the bundle it is."""
    if not account.full and document["sha256"] not in account.files:
        return ""
    beside = account.word("erased") if document["erased"] else document["enclosed"]
    return str(document["name"]) + (f" ({beside})" if beside else "")


def _replaced(account: Account) -> dict[str, str]:
    """By which file a file gave way where its step was done again, by the id of the earlier one."""
    found: dict[str, str] = {}
    before: dict[tuple[str, str, str], Any] = {}
    for answer in account.answers:
        called = answer.row["process"] != account.material.row["process"]
        for each in answer.fields():
            file = next(files_in(answer.values[each.code]), None) if each.kind == "file" else None
            place = (answer.row["person"], answer.row["element"], each.code)
            if file and not called:
                if place in before and before[place].id != file.id:
                    found[before[place].id] = account.word("replaced", file=file.name, sha256=file.sha256)
                before[place] = file
    return found


# What is lacking, and what it comes to.


def gaps(account: Account) -> Sheet:
    """What passed steps had to leave and is not there, and what was only entered afterwards."""
    found = [each for duty in account.material.duties for each in duty.facts if each.status != PRESENT]
    rows: list[Row] = [
        (_fact_said(account, each.fact), account.said(STATUS[each.status]),
         account.word("hard" if each.hard else "optional"), *_entry(account, each.last)[:4])
        for each in found
    ]  # fmt: skip
    return Sheet.of("gaps", "fact status demanded step +element who at", rows)


def late(account: Account) -> Sheet:
    """What was entered late and which steps were skipped, with the reasons."""
    rows: list[Row] = []
    given = {each.row["id"]: from_json(each.row["answer"]) for each in account.answers}
    for body in account.material.bodies:
        data = body["data"]
        if body["type"] in (EVIDENCE, SKIPPED) or data.get("late"):
            codes = account.joined([_fact_said(account, code) for code in data.get("facts", ())])
            who = account.who(str(body["actor"]["id"]))
            about = (instant(body), account.step(body), body["process"].get("element"), who, account.sentence(body))
            rows.append((*about, codes, data.get("due"), _reason(account, body, given)))
    return Sheet.of("late", "at step +element who action facts due reason", rows)


def _reason(account: Account, body: Body, given: Mapping[str, Any]) -> str:
    """Why something was entered late or skipped: the remark beside it, or the answer by which it was done."""
    found = given.get(str(body["data"].get("submission")))
    return account.remark(body) or (str(found.get("reason") or "") if isinstance(found, dict) else "")


def readiness(account: Account) -> Sheet:
    """The facts on which an exemption is asked for, as computed; whether there is one is for people to say."""
    return Sheet.of("readiness", "item content", [(account.word(name), text) for name, text in _ready(account)])


def _ready(account: Account) -> Iterator[tuple[str, str]]:
    material = account.material
    for duty in material.duties:
        yield duty.duty, account.said(WORDS[duty.status])
    lacking = [each for duty in material.duties for each in duty.facts if each.hard and each.status == MISSING]
    entered = [each for duty in material.duties for each in duty.facts if each.status == LATE]
    yield "facts_missing", account.word("count", n=len(lacking))
    yield "facts_late", account.word("count", n=len(entered))
    yield "publicised_first", account.word(_publicised_first(account))
    yield "negative_items", _checked(account)
    yield "refusals", account.word("count", n=sum(each["type"] == "attempt.refused" for each in material.bodies))
    yield "integrity", account.word("intact" if material.intact else "altered")


def _checked(account: Account) -> str:
    checked, hit = hits(account)
    if checked:
        return account.word("hits", checked=checked, hit=hit)
    return account.word("unchecked" if account.full else "hidden")


def _publicised_first(account: Account) -> str:
    """Whether the publicity was closed before the agreement was signed, by the order of their events."""
    closed = [entry.seq for duty in account.material.duties for fact in duty.facts if fact.fact == CLOSED_PUBLICITY
              for entry in fact.entries if entry.left]  # fmt: skip
    signed = [each["seq"] for each in account.material.bodies
              if each["type"] == "task.completed" and each["data"].get("tag") == SIGNING]  # fmt: skip
    if not signed:
        return "not_signed"
    return "yes" if closed and min(closed) < min(signed) else "no"


def answers(account: Account) -> Sheet:
    """Everything that was answered, field by field."""
    return Sheet.of("answers", "at step +element who +role field +code content amount_fen", _answered(account))


def _answered(account: Account) -> Iterator[Row]:
    for answer in account.answers:
        step, role, who, at = account.answered(answer)
        about: tuple[str | datetime, ...] = (at, step, answer.row["element"], who, role)
        if answer.form is None:
            yield *about, "", "", account.contents(answer), None
        for field, label, text in account.pairs(answer):
            value = answer.values[field.code]
            fen: Amount | None = amount(value) if field.kind == "money" and isinstance(value, int) else None
            yield *about, label, field.code, text, fen


def proof(account: Account) -> Sheet:
    """First and last hash, how many events there are, and whether all of them recompute to what is stored."""
    events, material = account.material.events, account.material
    pairs = [
        ("log", str(material.bodies[0]["log"]) if events else ""),
        ("stream", f"case/{material.row['id']}"),
        ("events", str(len(events))),
        ("first_hash", events[0]["hash"] if events else ""),
        ("last_hash", events[-1]["hash"] if events else ""),
        ("verified", account.word("intact" if material.intact else "altered")),
    ]
    return Sheet.of("proof", "item content", [(account.word(name), text) for name, text in pairs])
