"""The annex of money: every amount that was answered or computed, and the tables by which money was shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.trail.annexes.account import ENDING, Account, Answer, Body, amount, instant
from engine.trail.annexes.sheets import Row, Sheet
from engine.trail.record import WITHHELD
from forms.fields import Field
from forms.money import percent
from forms.values import PersonRef, from_json

SHARE = "_bp"
"""How the name of a ratio ends where no form says what it is."""


def money(account: Account) -> Sheet:
    """Every amount: what somebody answered, and what the system computed from it."""
    rows = sorted([*_answered(account), *_computed(account)], key=lambda each: each[0])
    return Sheet.of("money", "at step +element label +place amount_fen who", (row for _, row in rows))


def _answered(account: Account) -> Iterator[tuple[int, Row]]:
    for answer in account.answers:
        step, _, who, at = account.answered(answer)
        for label, place, fen in _amounts(account, answer):
            yield answer.seq, (at, step, answer.row["element"], label, place, amount(fen), who)


def _amounts(account: Account, answer: Answer) -> Iterator[tuple[str, str, int]]:
    """The amounts of an answer: label, the line of the table they stand in, and fen."""
    for each in answer.fields():
        value, label = answer.values[each.code], account.said(each.label)
        if each.kind == "money" and isinstance(value, int):
            yield label, each.code, value
        lines = value if each.kind == "table" else [value] if each.kind == "group" else []
        for number, line in enumerate(lines, 1):
            for column in each.fields:
                inner = line.get(column.code)
                if column.kind == "money" and isinstance(inner, int):
                    yield f"{label} · {account.said(column.label)}", f"{each.code}[{number}].{column.code}", inner


def _computed(account: Account) -> Iterator[tuple[int, Row]]:
    """What scripts and tables wrote, each time that it changed from nothing or from what it was."""
    last: dict[str, int] = {}
    for body, name, value in _written(account):
        if name.endswith(ENDING) and isinstance(value, int) and value != last.get(name, 0):
            last[name] = value
            known = account.amounts.get(name)
            label = (account.said(known), name) if known else (name, "")
            step = (instant(body), account.step(body), body["process"]["element"])
            yield body["seq"], (*step, *label, amount(value), account.word("computed"))


def _written(account: Account) -> Iterator[tuple[Body, str, Any]]:
    """What the system wrote that holds amounts; where only some answers are shown, nothing that they led to is."""
    if not account.full:
        return
    for body in account.material.bodies:
        for each in body["data"].get("written", ()):
            if (ENDING in each["name"] or ENDING in each["value"]) and each["value"] != WITHHELD:
                yield body, each["name"], from_json(each["value"])


# Who gets what.


def distribution(account: Account) -> Sheet:
    """The tables by which an amount or a share is divided among people: as answered, and as computed to the fen."""
    rows = sorted([*_proposed(account), *_divided(account)], key=lambda each: each[0])
    columns = "at step +element label +line person share amount_fen other"
    return Sheet.of("distribution", columns, (row for _, row in rows))


def _proposed(account: Account) -> Iterator[tuple[int, Row]]:
    for answer in account.answers:
        step, _, _, at = account.answered(answer)
        about = (at, step, answer.row["element"])
        for each in answer.fields():
            if each.kind == "table" and _divides({column.kind for column in each.fields}):
                for number, line in enumerate(answer.values[each.code], 1):
                    yield answer.seq, (*about, account.said(each.label), number, *_line(account, each, line))


def _divides(kinds: set[str]) -> bool:
    """Whether a table says of people what their part is."""
    return "person" in kinds and not kinds.isdisjoint({"money", "ratio"})


def _line(account: Account, table: Field, line: Mapping[str, Any]) -> Row:
    by_kind = {kind: [each for each in table.fields if each.kind == kind and line.get(each.code) is not None]
               for kind in ("person", "ratio", "money")}  # fmt: skip
    told = {each.code for found in by_kind.values() for each in found[:1]}
    other = [f"{account.said(each.label)}{account.colon}{account.shown(each, line[each.code])}"
             for each in table.fields if each.code not in told and line.get(each.code) is not None]  # fmt: skip
    person, ratio, fen = ([line[each.code] for each in by_kind[kind][:1]] for kind in ("person", "ratio", "money"))
    return (
        account.teller.plain(person[0]) if person else "", percent(ratio[0]) if ratio else "",
        amount(fen[0]) if fen else None, account.joined(other),
    )  # fmt: skip


def _divided(account: Account) -> Iterator[tuple[int, Row]]:
    for body, name, value in _written(account):
        about = (instant(body), account.step(body), body["process"]["element"])
        for number, line in enumerate(value if isinstance(value, list) else (), 1):
            parts = line if isinstance(line, dict) else {}
            people = [each for each in parts.values() if isinstance(each, PersonRef)]
            fen = [each for code, each in parts.items() if code.endswith(ENDING) and isinstance(each, int)]
            shares = [each for code, each in parts.items() if code.endswith(SHARE) and isinstance(each, int)]
            if people and fen:
                share = percent(shares[0]) if shares else ""
                person = account.teller.plain(people[0])
                yield body["seq"], (*about, name, number, person, share, amount(fen[0]), account.word("computed"))
