"""The annex of the negative list and of conflicts of interest: what was checked and declared, who stood aside, what was
refused, and what was done beside the drawn course.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.trail.annexes.account import Account, Answer, instant
from engine.trail.annexes.sheets import Row, Sheet
from engine.trail.record import SKIPPED

NEGATIVE_LIST, INTERESTS = "F-RC-12", "F-RC-09"
COI = "coi_declaration"
DECLARED = ("no_interest_confirmed", "coi", "related_party", "standing_aside")
"""Fields in which somebody says whether they or others have an interest, in the forms that are no review of it."""
OVERRIDES = frozenset({SKIPPED, "skip.proposed", "variable.corrected", "case.migrated", "task.reassigned"})


def negative_list(account: Account) -> Sheet:
    """What the check against the negative list found, item by item."""
    return Sheet.of("negative_list", "at step +element who item +severity hit evidence", _items(account))


def _items(account: Account) -> Iterator[Row]:
    for answer in account.answers:
        step, _, who, at = account.answered(answer)
        if NEGATIVE_LIST not in answer.facts:
            continue
        for each in answer.fields():
            shown = account.teller.value(each, answer.values[each.code])
            for line in answer.values[each.code] if each.kind == "table" else ():
                told = {column.code: account.shown(column, line[column.code]) for column in each.fields
                        if line.get(column.code) is not None}  # fmt: skip
                item = account.joined([told.get("code", ""), told.get("item", "")])
                yield (at, step, answer.row["element"], who, item, told.get("severity", ""), told.get("hit", ""),
                       told.get("evidence", ""))  # fmt: skip
            if each.kind != "table":
                yield at, step, answer.row["element"], who, account.said(each.label), "", account.flat(shown), ""


def hits(account: Account) -> tuple[int, int]:
    """How many items of the negative list were checked, and how many of them hit."""
    checked = [
        line.get("hit")
        for answer in account.answers
        if NEGATIVE_LIST in answer.facts
        for each in answer.fields()
        if each.kind == "table"
        for line in answer.values[each.code]
    ]
    return len(checked), sum(each is True for each in checked)


def interests(account: Account) -> Sheet:
    """What was declared and found of interests: the reviews of it, and what each decider confirmed."""
    return Sheet.of("interests", "at step +element who +role content", _declared(account))


def _declared(account: Account) -> Iterator[Row]:
    for answer in account.answers:
        codes = _codes(answer)
        if codes:
            step, role, who, at = account.answered(answer)
            besides = frozenset(each.code for each in answer.fields()) - codes
            yield at, step, answer.row["element"], who, role, account.contents(answer, besides)


def _codes(answer: Answer) -> set[str]:
    """The fields that tell of interests: all of a review of them, elsewhere those that say so."""
    fields = answer.fields()
    if answer.tag == COI:
        return {each.code for each in fields}
    return {each.code for each in fields if INTERESTS in each.facts or each.code in DECLARED}


def recusals(account: Account) -> Sheet:
    """Who stands aside in this case, on whose word."""
    rows: list[Row] = [
        (each["at"], *(account.who(each[name]) for name in ("person", "declared_by")), each["reason"] * account.full)
        for each in account.material.recusals
    ]
    return Sheet.of("recusals", "at person who reason", rows)


def refused(account: Account) -> Sheet:
    """Refused claims and other attempts, with their reasons."""
    rows: list[Row] = [
        (instant(body), account.who(str(body["actor"]["id"])), account.step(body), body["process"].get("element"),
         account.sentence(body), " ".join(body["data"].get("reasons", ())))
        for body in account.material.bodies if body["type"] == "attempt.refused"
    ]  # fmt: skip
    return Sheet.of("refused", "at who step +element action +code", rows)


def overrides(account: Account) -> Sheet:
    """What was done beside the drawn course: skipped, corrected, reassigned, moved to another version."""
    rows: list[Row] = [
        (instant(body), account.who(str(body["actor"]["id"])), account.step(body), body["process"].get("element"),
         account.sentence(body), account.remark(body))
        for body in account.material.bodies if body["type"] in OVERRIDES
    ]  # fmt: skip
    return Sheet.of("overrides", "at who step +element action reason", rows)
