"""Worked cases of processes that a message, the clock or a signal begins, and of cases that started others."""

from __future__ import annotations

import pytest

from engine import definitions
from engine.library import Library, Package
from engine.scenario_file import read_scenario
from engine.scenarios import Played, play
from engine.work import SYSTEM, Database
from tests.begun import ASK, BELL, form, started_by, throws, timer, waits_for
from tests.test_linked_cases import claim, deal

WORLD = """
id: S-1
process: {process}
now: 2026-03-02 09:00
people:
  contract_applicant: 甲
  registrar: [登记员, 登记员二]
  process_owner: 流程主
"""
QUESTION = form("question", matter="text, required: true, example: 何时")


def asked() -> Package:
    package = started_by(ASK, "asked", sender="contract_applicant", form="question")
    return Package("asked", {**package.files, **dict([QUESTION])})


@pytest.fixture
def deployed(database_url: str) -> str:
    packages = [
        claim(), deal(), asked(), started_by(timer("R/P1M"), "monthly"), started_by(BELL, "belled"), throws(BELL),
        waits_for(BELL),
    ]  # fmt: skip
    database = Database(database_url)
    with database.work(SYSTEM) as work:
        definitions.deploy_together(work, packages, Library.standing().vocabulary())
    database.close()
    return database_url


def played(url: str, process: str, course: str) -> Played:
    return play(read_scenario(WORLD.format(process=process) + course, "s.yaml"), url)


def passes(url: str, process: str, course: str) -> None:
    found = played(url, process, course)
    assert found.passed, f"{found.line}: {found.difference}"


def test_a_case_begins_by_a_message_whose_form_is_filled_from_its_examples(deployed: str) -> None:
    passes(deployed, "asked", """
start: {by: 甲, message: ask}
steps:
  - expect: {open: [look], variables: {matter: 何时}}
  - do: look
    by: 登记员
expect: {outcome: done, path: [s, look], trail: intact}
""")


def test_a_message_may_be_refused_by_its_form(deployed: str) -> None:
    refused = played(deployed, "asked", "start: {by: 甲, message: ask, with: {matter: 3}, invalid: [matter]}\n")
    assert refused.passed and refused.case is None


def test_a_message_that_may_not_be_sent_is_a_difference(deployed: str) -> None:
    assert not played(deployed, "asked", "start: {by: 登记员, message: ask}\n").passed


def test_a_case_begins_when_the_clock_begins_it(deployed: str) -> None:
    passes(deployed, "monthly", """
start: {clock: true}
steps:
  - do: look
    by: 登记员
expect: {outcome: done, path: [s, look]}
""")


def test_where_no_instant_comes_the_clock_begins_nothing(deployed: str) -> None:
    never = played(deployed, "asked", "start: {clock: true}\n")
    assert never.difference and "no instant comes" in never.difference.en


def test_a_signal_begins_a_case(deployed: str) -> None:
    passes(deployed, "belled", """
start: {by: 流程主, signal: bell}
expect: {open: [look]}
""")


def test_a_signal_comes_to_a_case_that_waits(deployed: str) -> None:
    passes(deployed, "waiting", """
start: {by: 登记员}
steps:
  - expect: {outcome: open}
  - signal: bell
    by: 流程主
expect: {outcome: done}
""")


def test_a_signal_that_another_case_throws_arrives_before_the_next_step(deployed: str) -> None:
    passes(deployed, "waiting", """
before:
  - {as: earlier, process: waiting, start: {by: 登记员}}
start: {by: 登记员}
steps:
  - signal: bell
    by: 流程主
  - refuse: look
    by: 登记员
    because: done
expect: {outcome: done}
""")


LINKED = """
start: {by: 登记员, with: {subject: 膜材料, amount: 7}}
steps:
  - expect: {open: [look, submit], linked: [claim]}
  - expect: {open: [submit], outcome: open}
    in: claim
  - refuse: withdraw
    by: 甲
    because: role
    in: claim
  - invalid: submit
    by: 甲
    with: {note: ""}
    fields: [note]
  - do: submit
    by: 甲
    with: {note: 好}
  - expect: {variables: {subject: 膜材料, amount: 7, note: 好}}
    in: claim
"""


def test_a_linked_case_is_filled_in_done_and_looked_at_where_it_is(deployed: str) -> None:
    passes(deployed, "deal", LINKED + """
  - do: look
    by: 登记员
    in: claim
  - expect: {open: [fix], outcome: open}
    in: claim
  - send: withdraw
    by: 甲
    with: {reason: 不办了}
    in: claim
  - expect: {outcome: withdrawn, trail: intact}
    in: claim
  - do: look
    by: 登记员
expect: {outcome: done, open: []}
""")


def test_a_case_that_started_none_has_none_to_be_in(deployed: str) -> None:
    text = "start: {by: 登记员}\nsteps:\n  - do: look\n    by: 登记员\n    in: claim\n"
    found = played(deployed, "waiting", text)
    assert found.difference and "no linked case" in found.difference.en
    assert found.line
