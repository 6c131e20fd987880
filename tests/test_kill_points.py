"""A process killed before, between and after the statements of a step loses nothing, doubles nothing, holds no lock.

Every point at which a step speaks to the database is tried: a child process, made by fork, kills itself there.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, select

from engine import cases, inbox, items
from engine.errors import AlreadyDone, Refusal
from engine.model import Base, CaseFile, Document, Submission, Task, Timer
from engine.trail.verify import verify
from engine.work import SYSTEM, Request
from engine.worker import run_due
from tests.office import ANSWERS, MORNING, Office, ended, in_a_child

pytest_plugins = ["tests.furnished"]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
AT_ONCE = 15.0  # seconds; a lock left behind would hold the next act for ever
NUMBERS = count(1)


def at_each_point(office: Office, act: Callable[[], object], reached: Callable[[str], None]) -> None:
    """Do something, and call ``reached`` before and after every statement, before the commit and after it."""
    engine = office.database.engine

    hooks: dict[str, Any] = {
        "before_cursor_execute": lambda _, __, statement, *___: reached(f"before {statement[:40]}"),
        "after_cursor_execute": lambda _, __, statement, *___: reached(f"after {statement[:40]}"),
        "commit": lambda _: reached("before COMMIT"),
    }
    for name, hook in hooks.items():
        event.listen(engine, name, hook)
    try:
        act()
        reached("after COMMIT")
    finally:
        for name, hook in hooks.items():
            event.remove(engine, name, hook)


def points_of(office: Office, act: Callable[[], object]) -> list[str]:
    """The points of an act that goes through."""
    points: list[str] = []
    at_each_point(office, act, points.append)
    return points


def kill(office: Office, act: Callable[[], object], point: int) -> None:
    """Do something in a process that is killed at this point."""

    def until_the_point() -> None:
        seen = count()

        def reached(_: str) -> None:
            if next(seen) == point:
                os.kill(os.getpid(), signal.SIGKILL)

        at_each_point(office, act, reached)

    office.close()
    assert ended(in_a_child(until_the_point)) == -signal.SIGKILL


def story(office: Office, case: str) -> dict[str, Any]:
    """What a case has come to, without what differs from one case to the next."""
    with office.database.look(SYSTEM) as work:

        def rows(table: type[Base], *columns: Any) -> Counter[Any]:
            query = select(*columns).select_from(table).where(table.__table__.c["case"] == case)
            return Counter(tuple(row) for row in work.db.execute(query))

        row = work.row(select(CaseFile.status, CaseFile.outcome, CaseFile.step).where(CaseFile.id == case))
        found = {
            "case": row,
            "items": rows(Task, Task.element, Task.claimed_by, Task.closed_by, Task.closed_how),
            "answers": rows(Submission, Submission.element, Submission.round, Submission.person),
            "timers": rows(Timer, Timer.element, Timer.due),
            "documents": rows(Document, Document.name),
            "flaws": [str(flaw.text) for flaw in verify(work, case).flaws or []],
        }
    return found | {"events": [(body["type"], body["actor"]["id"]) for body in office.bodies(case)]}


@dataclass(frozen=True)
class Step:
    """A step that is tried: who does what to a case that ``prepare`` has brought there.

    ``late`` is who tries to complete the same item afterwards, ``then`` the item that a registrar completes next.
    """

    by: str
    verb: Any
    prepare: Callable[[Office], tuple[str, tuple[Any, ...]]]
    late: str | None
    then: str | None


def reviewed(office: Office) -> tuple[str, tuple[Any, ...]]:
    """Waits for the second review, which draws a number and writes a register."""
    case = office.start(contract_no=f"HT-{next(NUMBERS)}")
    office.do(case, "review", "登记员")
    return case, (office.item(case, "second"), ANSWERS["second"])


def returned(office: Office) -> tuple[str, tuple[Any, ...]]:
    """Waits for the applicant, who sends a file along; a script runs, a work item opens, a timer begins."""
    case = office.start()
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    answer = {**ANSWERS["apply"], "plan": {"file": "方案.pdf", "data": PDF + case.encode()}}
    return case, (office.item(case, "apply"), answer)


def started(office: Office) -> tuple[str, tuple[Any, ...]]:
    """Waits for the review, beside which a timer runs."""
    case = office.start()
    return case, (case, {"reason": "不办了"})


def claimable(office: Office) -> tuple[str, tuple[Any, ...]]:
    """Waits for the review."""
    case = office.start()
    return case, (office.item(case, "review"),)


def in_archive(office: Office) -> tuple[str, tuple[Any, ...]]:
    """Decided, and still open for messages."""
    case, (task, answer) = reviewed(office)
    office.act("复核员", cases.complete, task, answer)
    return case, (case, "changed", {"what": "地址"})


def overdue(office: Office) -> tuple[str, tuple[Any, ...]]:
    """Two timers are due, which fire before the act."""
    case = office.start("watch")
    office.later(days=3)
    return case, (office.item(case, "handle"), ANSWERS["handle"])


STEPS = {
    "a decision": Step("复核员", cases.complete, reviewed, late="双职", then="archive"),
    "a correction with a file": Step("甲", cases.complete, returned, late="甲", then="review"),
    "an act after due timers": Step("登记员", cases.complete, overdue, late="登记员二", then=None),
    "a claim": Step("登记员", items.claim, claimable, late=None, then="review"),
    "a withdrawal": Step("甲", cases.withdraw, started, late=None, then=None),
    "a message": Step("甲", cases.send, in_archive, late=None, then="archive"),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_is_killed_anywhere_is_done_once_or_not_at_all(office: Office, name: str) -> None:
    step = STEPS[name]

    def act(arguments: tuple[Any, ...], request: Request, by: str = step.by) -> Any:
        return office.act(by, step.verb, *arguments, request=request)

    def rehearsed(name: str) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
        office.clock.instant = MORNING
        case, arguments = step.prepare(office)
        before = story(office, case)
        return before, points_of(office, lambda: act(arguments, Request.of(name, "verb", case))), story(office, case)

    rehearsed("first")  # in which things are read that are then remembered
    undisturbed_before, points, undisturbed_after = rehearsed("next")
    assert undisturbed_before != undisturbed_after
    assert len(points) > 12 and points[-2:] == ["before COMMIT", "after COMMIT"]
    for number, point in enumerate(points):
        office.clock.instant = MORNING
        case, arguments = step.prepare(office)
        before = office.row(case)
        key = Request.of(f"key-{number}", "verb", case)
        kill(office, lambda arguments=arguments, key=key: act(arguments, key), number)  # type: ignore[misc]
        after = time.monotonic()
        whole = point == "after COMMIT"
        assert story(office, case) == (undisturbed_after if whole else undisturbed_before), point
        assert (office.row(case) == before) is not whole, point
        # The same request again gives its answer, and it is done exactly once.
        act(arguments, key)
        assert story(office, case) == undisturbed_after, point
        assert act(arguments, key) == act(arguments, key)
        if step.late:
            with pytest.raises(AlreadyDone) as late:
                act(arguments, Request.of(f"late-{number}", "verb", case), step.late)
            assert late.value.about["by"] == office.who[step.by], point
        if step.then:
            office.do(case, step.then, "登记员")
        assert time.monotonic() - after < AT_ONCE, point
    assert office.sound()


def test_a_start_that_is_killed_anywhere_makes_one_case_and_leaves_no_gap(office: Office) -> None:
    def act(key: str) -> str:
        request = Request.of(key, "start", "permit")
        return str(office.act("甲", cases.start, "permit", ANSWERS["apply"], request=request))

    act("first")  # in which things are read that are then remembered
    points = points_of(office, lambda: act("rehearsal"))
    assert len(points) > 12
    for number, point in enumerate(points):
        before = office.state()
        kill(office, lambda key=f"key-{number}": act(key), number)  # type: ignore[misc]
        after = time.monotonic()
        assert (office.state() == before) is (point != "after COMMIT"), point
        case = act(f"key-{number}")
        assert act(f"key-{number}") == case
        assert len(office.look(inbox.cases)) == len(before["cases"]) + 1
        office.do(case, "review", "登记员")
        assert time.monotonic() - after < AT_ONCE, point
    numbers = sorted(row["number"] for row in office.look(inbox.cases))
    assert numbers == [f"XK-2026-{number:05d}" for number in range(1, len(points) + 3)]
    assert office.sound()


def test_a_worker_that_is_killed_anywhere_leaves_its_timers_to_the_next(office: Office) -> None:
    def due() -> str:
        office.clock.instant = MORNING
        case = office.start("watch")
        office.later(days=3)
        return case

    due()
    run_due(office.database)
    case = due()
    points = points_of(office, lambda: run_due(office.database))
    fired = story(office, case)
    assert Counter(kind for kind, _ in fired["events"])["timer.fired"] == 2
    for number, point in enumerate(points):
        case = due()
        kill(office, lambda: run_due(office.database), number)
        assert run_due(office.database) == (number <= points.index("before COMMIT")), point
        assert story(office, case) == fired, point
    assert office.sound()


def test_a_refusal_that_is_killed_anywhere_is_told_once_or_not_at_all(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")

    def act() -> None:
        with pytest.raises(Refusal):
            office.act("路人", cases.complete, task, ANSWERS["review"])

    before = story(office, case)
    points = points_of(office, act)
    told = 1
    for number, point in enumerate(points):
        kill(office, act, number)
        told += point == "after COMMIT"
        now = story(office, case)
        assert now["events"] == [*before["events"], *[("attempt.refused", office.who["路人"])] * told], point
        assert now | {"events": None} == before | {"events": None}
    office.do(case, "review", "登记员")
    assert office.sound()


def test_a_process_killed_at_any_instant_leaves_whole_steps(office: Office, deep: bool) -> None:
    """Not at a statement, but at any moment: inside the commit too."""
    rounds = 200 if deep else 15
    for number in range(rounds):
        case = office.start(contract_no=f"HT-{next(NUMBERS)}")
        task = office.item(case, "review")
        key = Request.of(f"key-{number}", "complete", task)

        def act(task: str = task, key: Request = key) -> Any:
            return office.act("登记员", cases.complete, task, ANSWERS["review"], request=key)

        office.close()
        child = in_a_child(act)
        time.sleep(0.02 * number / rounds)
        os.kill(child, signal.SIGKILL)
        assert ended(child) in (0, -signal.SIGKILL)
        assert story(office, case)["flaws"] == []
        assert act() == case
        assert Counter(office.kinds(case))["task.completed"] == 2
    assert office.sound()
