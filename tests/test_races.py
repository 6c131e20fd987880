"""Many at once, as real threads and real processes: one wins, the others are told, and the trail has no gap."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine import cases, definitions, inbox, items, people
from engine.errors import AlreadyDone, NotYours, Refusal, Taken, Unusable, WrongState
from engine.library import Library
from engine.work import SYSTEM, Database, Request
from engine.worker import run_due
from tests.office import ANSWERS, Office, ended, in_a_child, package

pytest_plugins = ["tests.furnished"]

RACERS = 8


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run these in as many threads, all at one time; gives the result of each, or its refusal."""
    line = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        line.wait(30)
        try:
            return task()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def staff(office: Office, role: str, number: int = RACERS) -> list[str]:
    """So many people of a role."""
    return [office.hire(f"{role}{index}", role) and f"{role}{index}" for index in range(number)]


def bindings(office: Office, verb: Any, names: list[str], *arguments: Any) -> list[Callable[[], Any]]:
    """The same act, once for each of these people."""
    return [lambda name=name: office.act(name, verb, *arguments) for name in names]  # type: ignore[misc]


def split(results: list[Any]) -> tuple[list[Any], list[Refusal]]:
    """Who went through, and who was refused."""
    refused = [each for each in results if isinstance(each, Refusal)]
    return [each for each in results if not isinstance(each, Refusal)], refused


# One work item.


def test_of_eight_who_complete_one_item_one_wins_and_seven_are_told_by_whom(office: Office) -> None:
    names = staff(office, "registrar")
    case = office.start()
    task = office.item(case, "review")
    won, refused = split(at_once(bindings(office, cases.complete, names, task, ANSWERS["review"])))
    assert won == [case]
    winner = office.look(inbox.task, task)["closed_by"]
    winners_name = next(name for name, identity in office.who.items() if identity == winner)
    assert len(refused) == RACERS - 1
    for refusal in refused:
        assert isinstance(refusal, AlreadyDone)
        assert refusal.about["by"] == winner
        assert winners_name in refusal.text.zh and winners_name in refusal.text.en
    assert len(office.look(inbox.submissions, case)) == 2
    assert Counter(office.kinds(case))["attempt.refused"] == RACERS - 1
    assert list(office.items(case)) == ["second"]
    assert office.sound()


def test_of_eight_processes_that_complete_one_item_one_wins(office: Office, tmp_path: Path) -> None:
    names = staff(office, "registrar")
    case = office.start()
    task = office.item(case, "review")
    office.close()
    starting = os.pipe()

    def race(name: str) -> None:
        os.close(starting[1])
        os.read(starting[0], 1)  # until the parent opens the gate
        try:
            office.act(name, cases.complete, task, ANSWERS["review"])
        except AlreadyDone as refusal:
            (tmp_path / name).write_text(str(refusal.about["by"]))
        else:
            (tmp_path / name).write_text("won")

    children = [in_a_child(lambda name=name: race(name)) for name in names]  # type: ignore[misc]
    os.close(starting[0])
    os.close(starting[1])
    assert [ended(child) for child in children] == [0] * RACERS
    told = Counter((tmp_path / name).read_text() for name in names)
    winner = office.look(inbox.task, task)["closed_by"]
    assert told == {"won": 1, winner: RACERS - 1}
    assert len(office.look(inbox.submissions, case)) == 2
    assert office.sound()


def test_of_eight_who_claim_one_item_one_holds_it(office: Office) -> None:
    names = staff(office, "registrar")
    case = office.start()
    task = office.item(case, "review")
    won, refused = split(at_once(bindings(office, items.claim, names, task)))
    assert len(won) == 1
    assert all(isinstance(refusal, NotYours) for refusal in refused)
    assert Counter(office.kinds(case))["task.claimed"] == 1
    assert office.look(inbox.task, task)["claimed_by"] is not None


def test_a_withdrawal_and_eight_completions_leave_one_of_two_states(office: Office) -> None:
    names = staff(office, "registrar")
    for number in range(3):
        case = office.start("watch", matter=str(number))
        task = office.item(case, "handle")
        tasks = bindings(office, cases.complete, names, task, ANSWERS["handle"])
        tasks.insert(number, lambda case=case: office.act("甲", cases.withdraw, case, {"reason": "x"}))  # type: ignore[misc]
        won, refused = split(at_once(tasks))
        # After the completion the drawn withdrawal is no longer awaited; after the withdrawal nothing can be completed.
        assert won == [case]
        assert all(isinstance(refusal, AlreadyDone | WrongState) for refusal in refused)
    assert office.sound()


# One request.


def test_eight_times_the_same_completion_is_done_once_and_answered_eight_times(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    request = Request.of("k-1", "complete", task)

    def again() -> Any:
        return office.act("登记员", cases.complete, task, ANSWERS["review"], request=request)

    assert at_once([again] * RACERS) == [case] * RACERS
    assert Counter(office.kinds(case))["task.completed"] == 2
    assert office.sound()


def test_eight_times_the_same_start_makes_one_case(office: Office) -> None:
    before = len(office.look(inbox.cases))
    request = Request.of("k-1", "start", "permit")

    def again() -> Any:
        return office.act("甲", cases.start, "permit", ANSWERS["apply"], request=request)

    answers = at_once([again] * RACERS)
    assert len(set(answers)) == 1 and isinstance(answers[0], str)
    assert len(office.look(inbox.cases)) == before + 1
    assert office.sound()


def test_eight_times_the_same_remark_is_made_once(office: Office) -> None:
    case = office.start()
    request = Request.of("k-1", "comment", case)
    at_once([lambda: office.act("登记员", items.comment, case, "收到", request=request)] * RACERS)
    assert len(office.look(inbox.comments, case)) == 1


def test_one_key_for_acts_on_eight_cases_is_taken_by_one_and_refused_to_the_others(office: Office) -> None:
    tasks = [office.item(office.start(contract_no=f"HT-{number}"), "review") for number in range(RACERS)]

    def complete(task: str) -> Any:
        request = Request.of("k-1", "complete", task)
        return office.act("登记员", cases.complete, task, ANSWERS["review"], request=request)

    won, refused = split(at_once([lambda task=task: complete(task) for task in tasks]))  # type: ignore[misc]
    assert len(won) == 1
    assert all(isinstance(refusal, Unusable) for refusal in refused)
    assert sum(office.look(inbox.task, task)["closed_at"] is not None for task in tasks) == 1
    assert office.sound()


# One register, one series, one stream.


def test_of_two_cases_that_race_for_one_key_the_second_is_told_of_the_first(office: Office) -> None:
    for number in range(4):
        racing = [office.start(contract_no=f"HT-{number}") for _ in range(2)]
        for case in racing:
            office.do(case, "review", "登记员")
        tasks = [office.item(case, "second") for case in racing]
        results = at_once([
            lambda task=task: office.act("复核员", cases.complete, task, ANSWERS["second"])  # type: ignore[misc]
            for task in tasks
        ])
        won, refused = split(results)
        assert len(won) == 1
        [refusal] = refused
        assert isinstance(refusal, Taken)
        assert office.row(won[0])["number"] in refusal.text.zh
        assert office.row(won[0])["number"] in refusal.text.en
        [loser] = set(racing) - set(won)
        assert list(office.items(loser)) == ["second"]
    assert office.sound()


def test_numbers_of_cases_have_no_gap_whoever_starts_them(office: Office) -> None:
    refused = [lambda: office.act("甲", cases.start, "permit", {**ANSWERS["apply"], "amount_fen": 0})] * 4
    started = [lambda: office.act("甲", cases.start, "permit", ANSWERS["apply"])] * RACERS
    won, _ = split(at_once(started + refused))
    numbers = sorted(str(office.row(case)["number"]) for case in won)
    assert numbers == [f"XK-2026-{number:05d}" for number in range(1, RACERS + 1)]


def test_the_first_events_of_a_stream_may_come_from_eight_at_once(office: Office) -> None:
    assert office.bodies("sys/attempts") == []
    refused = at_once(bindings(office, cases.start, ["登记员"] * RACERS, "permit", ANSWERS["apply"]))
    assert all(isinstance(refusal, NotYours) for refusal in refused)
    assert [body["seq"] for body in office.bodies("sys/attempts")] == list(range(1, RACERS + 1))
    assert office.sound()


def test_eight_writers_on_one_case_and_on_many_leave_no_gap_and_no_fork(office: Office, deep: bool) -> None:
    rounds = 30 if deep else 6
    one, many = office.start(), [office.start(contract_no=f"HT-{number}") for number in range(4)]

    def write(writer: int) -> None:
        for number in range(rounds):
            office.act("登记员", items.comment, one, f"{writer}-{number}")
            office.act("登记员二", items.comment, many[(writer + number) % len(many)], f"{writer}-{number}")
            office.look(inbox.tasks_for, office.who["登记员"])

    split(at_once([lambda writer=writer: write(writer) for writer in range(RACERS)]))  # type: ignore[misc]
    assert len(office.look(inbox.comments, one)) == RACERS * rounds
    for case in (one, *many):
        bodies = office.bodies(case)
        assert [body["seq"] for body in bodies] == list(range(1, len(bodies) + 1))
    assert sum(len(office.look(inbox.comments, case)) for case in many) == RACERS * rounds
    assert office.sound()


def test_eight_processes_write_on_one_case_without_a_gap(office: Office) -> None:
    case = office.start()
    office.close()

    def write() -> None:
        for number in range(5):
            office.act("登记员", items.comment, case, str(number))

    children = [in_a_child(write) for _ in range(RACERS)]
    assert [ended(child) for child in children] == [0] * RACERS
    assert len(office.look(inbox.comments, case)) == RACERS * 5
    assert office.sound()


# Timers.


def test_four_workers_fire_a_thousand_due_timers_exactly_once(office: Office) -> None:
    """Workers are processes; meanwhile people act on some of the cases, and so let their timers fire first."""
    number, acting = 500, 40
    with office.database.work(office.who["甲"]) as work:
        due = [cases.start(work, "watch", {"matter": str(index)}) for index in range(number)]
    tasks = {case: office.item(case, "handle") for case in due[:acting]}
    office.later(days=3)  # two of the three timers of each case are due
    office.close()

    def work_off() -> None:
        while run_due(office.database):
            pass

    children = [in_a_child(work_off) for _ in range(4)]
    for case, task in tasks.items():
        office.act("登记员", cases.complete, task, ANSWERS["handle"])
        assert office.kinds(case).count("timer.fired") == 2
    assert [ended(child) for child in children] == [0] * 4
    while run_due(office.database):
        pass  # what a worker left because somebody held the case
    told = [(case, body) for case in due for body in office.bodies(case) if body["type"] == "timer.fired"]
    fired = Counter((case, body["process"]["element"]) for case, body in told)
    assert fired == {(case, timer): 1 for case in due for timer in ("first", "next")}
    assert len(fired) == 1000
    assert office.sound()


# Definitions and people.


def test_a_package_deployed_by_eight_at_once_is_one_version(office: Office) -> None:
    changed = package("watch", ("process.bpmn", "静候", "等候"))
    vocabulary = Library.standing().vocabulary()

    def deploy() -> tuple[int, str]:
        with office.database.work(SYSTEM) as work:
            deployed = definitions.deploy(work, changed, vocabulary)
            return deployed.version, deployed.id

    versions = at_once([deploy] * RACERS)
    assert {version for version, _ in versions} == {2}
    assert len({identity for _, identity in versions}) == 1
    assert [body["data"]["process"] for body in office.bodies("sys/definitions")].count("watch") == 2
    assert office.sound()


def test_a_login_taken_by_eight_at_once_belongs_to_one(office: Office) -> None:
    def add() -> str:
        with office.database.work(SYSTEM) as work:
            return people.add(work, "new", "新人", ["registrar"])

    won, refused = split(at_once([add] * RACERS))
    assert len(won) == 1
    assert all(isinstance(refusal, Unusable) for refusal in refused)
    assert office.sound()


# Readers.


def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_an_act(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    written, seen = threading.Event(), threading.Event()

    def write() -> None:
        with cases.acting(office.database, office.who["登记员"]) as work:
            cases.complete(work, task, ANSWERS["review"])
            written.set()
            assert seen.wait(30)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert written.wait(30)
        assert list(office.items(case)) == ["review"]
        assert office.sound()
        seen.set()
        writing.result(30)
    assert list(office.items(case)) == ["second"]


def test_verifying_while_others_write_finds_no_flaw(office: Office, deep: bool) -> None:
    case, done = office.start(), threading.Event()

    def write() -> None:
        while not done.is_set():
            office.act("登记员", items.comment, case, "又一句")

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write) for _ in range(2)]
        try:
            for _ in range(200 if deep else 40):
                assert office.sound()
        finally:
            done.set()
        for each in writing:
            each.result(30)


@pytest.mark.deep
def test_many_rounds_of_everything_at_once(office: Office) -> None:
    """Starts, completions, remarks and refusals on shared cases from threads with database objects of their own."""
    names = staff(office, "registrar")
    for number in range(20):
        case = office.start(contract_no=f"HT-{number}")
        task = office.item(case, "review")

        def act(name: str, task: str = task, case: str = case) -> Any:
            own = Database(office.url, office.clock)
            try:
                with cases.acting(own, office.who[name]) as work:
                    return cases.complete(work, task, ANSWERS["review"])
            finally:
                with cases.acting(own, office.who[name]) as work:
                    items.comment(work, case, name)
                own.close()

        won, refused = split(at_once([lambda name=name: act(name) for name in names]))  # type: ignore[misc]
        assert len(won) == 1 and len(refused) == RACERS - 1
        assert len(office.look(inbox.comments, case)) == RACERS
    assert json.dumps(office.state()["counts"])
    assert office.sound()
