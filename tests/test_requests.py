"""A request that arrives twice is carried out once: its key brings back the first answer, and fits nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import cases, items
from engine.errors import AlreadyDone, Invalid, NotYours, Unusable
from engine.requests import recall, remember
from engine.work import Request
from tests.office import ANSWERS, Office

pytest_plugins = ["tests.furnished"]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
Act = tuple[str, Any, tuple[Any, ...]]


def a_start(office: Office) -> Act:
    return "甲", cases.start, ("permit", ANSWERS["apply"])


def a_completion(office: Office) -> Act:
    return "登记员", cases.complete, (office.item(office.start(), "review"), ANSWERS["review"])


def a_claim(office: Office) -> Act:
    return "登记员", items.claim, (office.item(office.start(), "review"),)


def a_release(office: Office) -> Act:
    task = office.item(office.start(), "review")
    office.act("登记员", items.claim, task)
    return "登记员", items.release, (task,)


def a_reassignment(office: Office) -> Act:
    task = office.item(office.start(), "review")
    office.act("登记员", items.claim, task)
    return "登记员", items.reassign, (task, office.who["登记员二"], "出差")


def a_draft(office: Office) -> Act:
    return "登记员", items.save_draft, (office.item(office.start(), "review"), {"decision": "accept"})


def a_remark(office: Office) -> Act:
    return "登记员", items.comment, (office.start(), "收到")


def an_attachment(office: Office) -> Act:
    return "登记员", items.attach, (office.start(), "图.pdf", PDF)


def a_message(office: Office) -> Act:
    case = office.start()
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    return "甲", cases.send, (case, "changed", {"what": "地址"})


def a_withdrawal(office: Office) -> Act:
    return "甲", cases.withdraw, (office.start(), {"reason": "不办了"})


def a_drawn_withdrawal(office: Office) -> Act:
    return "甲", cases.withdraw, (office.start("watch"), {"reason": "不办了"})


EVERY_VERB = [
    a_start, a_completion, a_claim, a_release, a_reassignment, a_draft, a_remark, an_attachment, a_message,
    a_withdrawal, a_drawn_withdrawal,
]  # fmt: skip


@pytest.mark.parametrize("prepare", EVERY_VERB, ids=lambda prepare: prepare.__name__)
def test_the_same_request_again_gives_the_same_answer_and_changes_nothing(
    office: Office, prepare: Callable[[Office], Act]
) -> None:
    who, verb, arguments = prepare(office)
    request = Request.of("k-1", "verb", "body")
    before = office.state()
    first = office.act(who, verb, *arguments, request=request)
    after = office.state()
    assert after != before
    assert after["counts"]["request"] == before["counts"]["request"] + 1
    office.later(hours=3)
    assert office.act(who, verb, *arguments, request=request) == first
    assert office.state() == after
    assert office.sound()


@pytest.mark.parametrize("prepare", EVERY_VERB, ids=lambda prepare: prepare.__name__)
def test_a_key_fits_no_other_body_verb_or_person(office: Office, prepare: Callable[[Office], Act]) -> None:
    who, verb, arguments = prepare(office)
    office.act(who, verb, *arguments, request=Request.of("k-1", "verb", "body"))
    after = office.state()
    for somebody, request in (
        (who, Request.of("k-1", "verb", "another body")),
        (who, Request.of("k-1", "another verb", "body")),
        ("路人", Request.of("k-1", "verb", "body")),
    ):
        refusal = office.refused(somebody, verb, *arguments, request=request)
        assert isinstance(refusal, Unusable)
        assert "request key" in refusal.text.en
        assert office.state() == after


def test_a_refused_request_does_not_use_its_key_up(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    request = Request.of("k-1", "complete", task)
    assert isinstance(office.refused("登记员", cases.complete, task, {}, request=request), Invalid)
    assert isinstance(office.refused("路人", cases.complete, task, ANSWERS["review"], request=request), NotYours)
    assert office.act("登记员", cases.complete, task, ANSWERS["review"], request=request) == case
    assert office.act("登记员", cases.complete, task, ANSWERS["review"], request=request) == case


def test_another_key_for_what_is_done_is_told_who_did_it(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", cases.complete, task, ANSWERS["review"], request=Request.of("k-1", "complete", task))
    for name in ("登记员", "登记员二"):
        again = Request.of(f"k-{name}", "complete", task)
        refusal = office.refused(name, cases.complete, task, ANSWERS["review"], request=again)
        assert isinstance(refusal, AlreadyDone)
        assert "登记员" in refusal.text.zh


def test_a_body_is_told_apart_part_by_part() -> None:
    assert Request.of("k", "v", "ab", "c").body_hash != Request.of("k", "v", "a", "bc").body_hash
    assert Request.of("k", "v", "a") == Request.of("k", "v", "a")


def test_without_a_key_nothing_is_remembered(office: Office) -> None:
    before = office.state()["counts"]["request"]
    office.start()
    assert office.state()["counts"]["request"] == before
    with office.database.work("p") as work:
        remember(work, "answer")
        assert recall(work) is None
