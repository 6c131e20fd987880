"""Oversight, for whoever may look into every case: what to look at first, and a search over all trails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for

from engine import dashboard, definitions, oversight, people
from engine.access import REASONS
from engine.dashboard import Month
from engine.model import Definition
from engine.oversight import PERIODS, SORTS, STATES, Wanted
from engine.trail import jobs
from engine.trail.deeds import MARKS
from engine.trail.words import NOT_PEOPLE, VERBS
from engine.work import Work
from forms.money import yuan
from forms.words import Text
from webui.page import act, go, language, look, new_key, role_name, said, show, t, vocabulary

bp = Blueprint("oversight", __name__)

PAGE = 50
SPANS = (30, 90, 365, 0)
"""The days to look back on the dashboard; 0 is ever."""
FURTHEST = 10**9
GROUPS = (
    ("deadlines", ("overran", "late", "gap", "amended")),
    ("refusals", ("refused", "recusal", "four_eyes")),
    ("overrides", ("skipped", "corrected", "reassigned", "migrated")),
    ("halts", ("suspended", "incident")),
)
"""How the marks stand together in the form."""


@contextlib.contextmanager
def overseeing() -> Iterator[Work]:
    """A reading for somebody who may look into every case."""
    with look() as work:
        oversight.admit(work)
        yield work


def place() -> int:
    """The place in a list from which on it is shown."""
    return min(max(request.args.get("after", 0, type=int), 0), FURTHEST)


def address(asked: Mapping[str, Any]) -> str:
    """The address of a search."""
    return url_for("oversight.cases", **asked)


# The dashboard.


@bp.get("/oversight")
def index() -> Response:
    """What to look at first: how the cases stand now, and what happened lately."""
    days = request.args.get("days", SPANS[1], type=int)
    days = days if days in SPANS else SPANS[1]
    with overseeing() as work:
        day = work.today - timedelta(days=days) if days else None
        return show(
            "oversight.html",
            days=days,
            spans=SPANS,
            since=day,
            now=dashboard.now(work),
            lately=dashboard.since(work, day),
            attempts=dashboard.attempts_since(work, day),
            charts={code: drawn(code, months) for code, months in dashboard.by_month(work).items()},
            table=dashboard.by_process(work, day),
            columns=("open", "overdue", *dashboard.DRAWN),
            processes=process_names(work),
            views=oversight.views(work),
            key=new_key(),
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """One month in a picture: where its bar stands, how high it is, and what it leads to."""

    x: int
    y: int
    height: int
    cases: int
    month: int
    title: str
    href: str


WIDTH, BASE, TALLEST = 20, 80, 62
"""Of a picture of months: the width of a month, the line the bars stand on, and the tallest bar."""


def drawn(code: str, months: Sequence[Month]) -> list[Bar]:
    """The bars of a picture; the tallest is the month with the most cases."""
    most = max(1, *(each.cases for each in months))
    found = []
    for number, each in enumerate(months):
        height = max(-(-each.cases * TALLEST // most), 2 if each.cases else 0)
        title = t("oversight.month", month=f"{each.first:%Y-%m}", what=t(f"oversight.{code}"), n=each.cases)
        href = address(each.wanted.asked())
        found.append(Bar(number * WIDTH + 2, BASE - height, height, each.cases, each.first.month, title, href))
    return found


def process_names(work: Work) -> dict[str, str]:
    """Every deployed process by name; those that can only be called belong to the case that called them."""
    rows: list[Definition] = definitions.in_force(work)
    return {row.process: said(Text(row.name_zh, row.name_en)) for row in rows if row.kind == "main"}


# The search.


@bp.get("/oversight/cases")
def cases() -> Response:
    """The cases that were searched for, and the form to search by."""
    asked, after = request.args.to_dict(flat=False), place()
    with overseeing() as work:
        wanted, problems = oversight.read(work, asked)
        rows, total = ([], 0) if problems else oversight.found(work, wanted, limit=PAGE, after=after)
        processes, everybody = process_names(work), people.everybody(work)
        chosen = asked if problems else wanted.asked()
        return show(
            "oversight_cases.html",
            status=422 if problems else 200,
            problems=problems,
            wanted=wanted,
            chosen={**chosen, "person": [login(work, each) for each in chosen.get("person", ())]},
            asked=wanted.asked(),
            terms=[] if problems else terms(work, wanted, processes),
            rows=rows,
            total=total,
            after=after,
            further=after + PAGE if after + len(rows) < total and rows else None,
            marks=oversight.marks_of(work, [row["id"] for row in rows]),
            names=people.names(work, [row["applicant"] for row in rows if row["applicant"]]),
            processes=processes,
            everybody=everybody,
            roles=sorted(vocabulary().roles, key=role_name),
            clauses=oversight.clauses(work),
            outcomes=vocabulary().outcomes,
            MARKS=MARKS,
            groups=GROUPS,
            states=STATES,
            periods=PERIODS,
            sorts=SORTS,
            views=oversight.views(work),
            most=jobs.MOST_CASES,
            yuan=yuan,
            key=new_key(),
        )


def login(work: Work, person: str) -> str:
    """Somebody as one names them in a form."""
    row = people.row_of(work, person)
    return str(row["login"]) if row else person


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is searched for, in words, and the address of the search without it."""

    label: str
    value: str
    without: str


def terms(work: Work, wanted: Wanted, processes: Mapping[str, str]) -> list[Term]:
    """What is searched for, in words."""
    asked = wanted.asked()
    values: dict[str, Any] = {
        "words": wanted.words,
        "person": people.name_of(work, wanted.person) if wanted.person else "",
        "role": role_name(wanted.role) if wanted.role else "",
        "clause": wanted.clause,
        "process": processes.get(wanted.process, wanted.process),
        "state": t(f"oversight.state_{wanted.state}") if wanted.state else "",
        "finding": t("list.comma").join(said(MARKS[mark]) for mark in wanted.finding),
    }
    labels = {name: (t(f"oversight.ask_{name}"), value, [name]) for name, value in values.items() if value}
    if wanted.least is not None or wanted.most is not None:
        labels["amount"] = (t("oversight.amount"), amounts(wanted.least, wanted.most), ["least", "most"])
    if wanted.since or wanted.until:
        days = span(wanted.since, wanted.until)
        labels["period"] = (t(f"oversight.period_{wanted.period}"), days, ["since", "until", "period"])
    return [
        Term(label, value, address({each: asked[each] for each in asked if each not in names}))
        for label, value, names in labels.values()
    ]


def amounts(least: int | None, most: int | None) -> str:
    """From one amount to another, in words."""
    return " – ".join(t("oversight.yuan", amount=yuan(fen)) if fen is not None else "…" for fen in (least, most))


def span(since: date | None, until: date | None) -> str:
    """From one day to another, in words."""
    return " – ".join(day.isoformat() if day else "…" for day in (since, until))


def asked_in_form() -> dict[str, list[str]]:
    """The search that a form on the page of a search carries along."""
    return {name: request.form.getlist(name) for name in Wanted.__slots__ if name in request.form}


@bp.post("/oversight/export")
def export() -> Response:
    """Ask for the bundles of all cases that are searched for."""
    asked = asked_in_form()
    with act("export", repr(sorted(asked.items()))) as work:
        oversight.admit(work)
        found = oversight.ids(work, oversight.understood(work, asked), jobs.MOST_CASES + 1)
        purpose = request.form.get("purpose", "").strip()[:500]
        made = jobs.ask(work, found, purpose=purpose, redacted=request.form.get("view") == "redacted")
    return go("exports.page", job=made)


# Saved views.


@bp.post("/oversight/views")
def save() -> Response:
    """Keep a search under a name."""
    asked = asked_in_form()
    with act("view", repr(sorted(asked.items()))) as work:
        oversight.save(work, request.form.get("name", ""), asked)
    return go("oversight.index", _anchor="views")


@bp.post("/oversight/views/<document:view>/removal")
def forget(view: str) -> Response:
    """Keep a search no longer."""
    with act("forget", view) as work:
        oversight.forget(work, view)
    return go("oversight.index", _anchor="views")


# Attempts without a case.


@bp.get("/oversight/attempts")
def attempts() -> Response:
    """Refused attempts to start a case."""
    after = place()
    with overseeing() as work:
        found = oversight.attempts(work, limit=PAGE + 1, after=after)
        rows, processes = found[:PAGE], process_names(work)
        names = people.names(work, {row["actor"] for row in rows})
        names |= {code: said(text) for code, text in NOT_PEOPLE.items()}
        return show(
            "oversight_attempts.html",
            rows=[{**row, "what": what(row["data"], processes), "reasons": reasons(row["data"])} for row in rows],
            names=names,
            after=after,
            further=after + PAGE if len(found) > PAGE else None,
        )


def what(data: Mapping[str, Any], processes: Mapping[str, str]) -> str:
    """What somebody tried, in words."""
    verb, process = str(data.get("verb")), str(data.get("process"))
    return t("oversight.tried", verb=said(VERBS[verb]) if verb in VERBS else verb, what=processes.get(process, process))


def reasons(data: Mapping[str, Any]) -> str:
    """Why it was refused, in words."""
    english = language() == "en"
    return t("list.semicolon").join(REASONS.get(code, (code, code))[english] for code in data.get("reasons", ()))
