"""The annex of publicity: what was publicised, where, for how long and how that was counted; and every objection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from engine.trail.annexes.account import Account, instant
from engine.trail.annexes.dues import UNITS, calendar_of, day_of, days_between
from engine.trail.annexes.headings import WORD
from engine.trail.annexes.sheets import Row, Sheet
from engine.trail.record import process_of
from forms.values import FileRef, from_json

PUBLICITY, OBJECTIONS = frozenset({"publicity", "reward_publicity"}), frozenset({"objection_handling"})
ACTS = frozenset({"task.completed", "message.sent"})
SUPERSEDED = "superseded"


def publicities(account: Account) -> Sheet:
    """Each publicity as it stands now, by the records of its register; the content by its frozen hash."""
    columns = (
        "number title +content content_hash +notice_hash channels start end +closed unit counted +calendar objections "
        "result +again"
    )
    return Sheet.of("publicities", columns, _publicised(account))


def _publicised(account: Account) -> Iterator[Row]:
    last: dict[str, dict[str, Any]] = {}
    for row in account.material.publicities:
        said = from_json(row["value"])
        if isinstance(said, dict):
            last[row["key"]] = {**last.get(row["key"], {}), **said}
    keys = list(last)
    for place, (key, said) in enumerate(last.items()):
        start, end = said.get("start_on"), said.get("close_on")
        items, notice, count = (said.get(name) for name in ("items", "notice", "objection_count"))
        lines = [str(each) for each in items] if account.full and isinstance(items, list) else []
        again = keys[place + 1] if said.get("status") == SUPERSEDED and place + 1 < len(keys) else ""
        yield (
            key, str(said.get("title", "")) if account.full else "",
            account.joined(lines),
            str(said.get("content_hash") or ""), notice.sha256 if isinstance(notice, FileRef) else "",
            _channels(account, said.get("channels")), _day(start), _day(end), _day(said.get("closed_on")),
            _unit(account, key, end),
            days_between(account, start, end) if isinstance(start, date) and isinstance(end, date) else "",
            calendar_of(account), count if isinstance(count, int) else None,
            account.joined([_coded(account, said.get("status")), _coded(account, said.get("result"))]),
            account.word("again", key=again) if again else "",
        )  # fmt: skip


def _unit(account: Account, key: str, end: object) -> str:
    """In which days a publicity was counted: as the timer tells it that was set for its end once it was recorded."""
    recorded: object = None
    for body in account.material.bodies:
        data, process = body["data"], body.get("process", {}).get("called")
        if body["type"] == "register.recorded" and (data["register"], data["key"]) == ("publicity", key):
            recorded = process
        timed = recorded is not None and recorded == process and body["type"] == "timer.armed"
        if timed and "counted" in data and end == day_of(data["due"]):
            return account.word(UNITS[data["counted"]["unit"]])
    return ""


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _channels(account: Account, codes: object) -> str:
    """Channels by the names that the form which asked for them gives; their codes where none does."""
    names: dict[str, str] = {}
    for contents in account.material.deployed.contents.values():
        for form in contents.forms.values():
            fields = [each for each in form.fields if each.code == "channels"]
            names |= {each.code: account.said(each.label) for field in fields for each in field.options}
    return account.joined([names.get(str(each), str(each)) for each in codes]) if isinstance(codes, list) else ""


def _coded(account: Account, code: object) -> str:
    """A status or result in words; as it stands where we have none for it."""
    name = f"publicity_{code}"
    return account.word(name) if name in WORD else str(code or "")


# Objections.


def objections(account: Account) -> Sheet:
    """Every objection and what was done about it, in order: received, accepted, investigated, concluded, replied to.

    Where answers are not shown, it is still told that there was one and that it was dealt with.
    """
    return Sheet.of("objections", "at step +element who +role content", _steps(account, OBJECTIONS))


def notices(account: Account) -> Sheet:
    """What the steps of publicity left: how each was prepared, and how it was closed."""
    return Sheet.of("notices", "at step +element who +role content", _steps(account, PUBLICITY))


def _steps(account: Account, tags: frozenset[str]) -> Iterator[Row]:
    shown = {answer.row["id"]: answer for answer in account.answers}
    for body in account.material.bodies:
        element, data = body.get("process", {}).get("element"), body["data"]
        if body["type"] in ACTS and account.tag(process_of(body), element, data) in tags:
            answer = shown.get(str(data.get("submission")))
            yield (
                instant(body), account.step(body), element, account.who(str(body["actor"]["id"])),
                account.role(body), account.contents(answer) if answer else "",
            )  # fmt: skip
