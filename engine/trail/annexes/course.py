"""The annexes that follow a case event by event: the chronology, and the log of what gateways and tables decided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine import policies
from engine.trail.annexes.account import Account, Body, instant
from engine.trail.annexes.decided import choice
from engine.trail.annexes.dues import due_text
from engine.trail.annexes.sheets import Row, Sheet
from engine.trail.record import process_of
from forms.values import FileRef, PersonRef, from_json


def chronology(account: Account) -> Sheet:
    """Every event of the case, in order."""
    columns = (
        "seq at +kind step +element who +role +behalf action +decision +reason basis due +overdue_days hash +prev_hash"
    )
    decided = {each.row["id"]: choice(account, each) for each in account.answers}
    return Sheet.of("chronology", columns, _events(account, decided))


def _events(account: Account, decided: Mapping[str, str]) -> Iterator[Row]:
    known: dict[object, str] = {}
    for event, body in zip(account.material.events, account.material.bodies, strict=True):
        data = body["data"]
        rests = data.get("basis")
        if rests not in known:
            known[rests] = basis(account, rests)
        yield (
            body["seq"], instant(body), body["type"], account.step(body), body.get("process", {}).get("element"),
            account.who(str(body["actor"]["id"])), account.role(body), account.behalf(body), account.sentence(body),
            decided.get(str(data.get("submission")), ""), account.remark(body), known[rests], _due(account, body),
            data.get("overdue_days") or data.get("days"), event["hash"], body["prev"],
        )  # fmt: skip


def basis(account: Account, said_so: str | None) -> str:
    """What a step rests on: the names of the texts with their articles, as far as the library knows them."""
    lines = []
    for each in policies.cited(said_so):
        rest = each.said.partition(" ")[2]
        lines.append(f"{account.said(each.source.name)} {rest}".strip() if each.source else each.said)
    return account.joined(lines)


def _due(account: Account, body: Body) -> str:
    """By when a step had to be done, or a timer comes."""
    data = body["data"]
    if body["type"] == "task.completed":
        data = account.opened.get(data.get("token"), body)["data"]
    return due_text(data.get("due"))


def gateways(account: Account) -> Sheet:
    """Every choice: the conditions that were tried and how each came out, on which values, and the way taken.

    So a reader sees that 30,000,000.00 元 is not more than 30,000,000.00 元.
    """
    return Sheet.of("gateways", "seq at step +element expression values way", _choices(account))


def _choices(account: Account) -> Iterator[Row]:
    for body in account.material.bodies:
        data = body["data"]
        if body["type"] == "gateway.taken":
            process = process_of(body)
            tried = [f"{each['expression']} → {account.word('holds' if each['holds'] else 'fails')}"
                     for each in data["tried"]]  # fmt: skip
            ways = [account.said(account.speaker.flow(process, flow)) for flow in data["taken"]]
        elif body["type"] == "decision.made":
            tried = [f"{data['table']} #{'、'.join(map(str, data['rules']))}"]
            ways = [value(account, each) for each in data["written"]]
        else:
            continue
        values = [value(account, each) for each in data.get("values", ())]
        yield (
            body["seq"], instant(body), account.step(body), body["process"].get("element"),
            *(account.joined(each) for each in (tried, values, ways)),
        )  # fmt: skip


def value(account: Account, told: dict[str, str]) -> str:
    """An evaluated value by its name, as the trail has it; an amount also in 元, and a person by name.

    Where only some answers are shown, the values that they led to are not.
    """
    if not account.full:
        return f"{told['name']} = {account.word('hidden')}"
    text = f"{told['name']} = {told['value']}"
    meant = readable(account, told["name"], told["value"])
    return f"{text}{account.word('in_words', words=meant)}" if meant else text


def readable(account: Account, name: str, text: str) -> str:
    """What canonical text of the trail means to people, where that is more than the text itself."""
    found = _read(text)
    if isinstance(found, int) and not isinstance(found, bool) and account.is_amount(name):
        return account.money(found)
    if isinstance(found, PersonRef | FileRef):
        return account.teller.plain(found)
    return ""


def _read(text: str) -> Any:
    """A value of the trail; its text where it was withheld."""
    try:
        return from_json(text)
    except (ValueError, json.JSONDecodeError):
        return text
