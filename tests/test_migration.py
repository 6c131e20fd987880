"""Migration: running cases move to another version if all that is alive in them is there, and lose nothing.

What becomes of each kind of element is for ``test_moving`` and its neighbours; here is what is kept in the database.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest

from engine import cases, inbox, incidents, items, migration
from engine.worker import run_due
from tests.commands import done, refused, rows, run
from tests.office import ANSWERS, Office, attempt_told, package

pytest_plugins = ["tests.furnished"]

RENAMED = (
    ("process.bpmn", 'id="review"', 'id="check"'),
    ("process.bpmn", 'targetRef="review"', 'targetRef="check"'),
    ("process.bpmn", 'sourceRef="review"', 'sourceRef="check"'),
    ("process.bpmn", 'attachedToRef="review"', 'attachedToRef="check" '),
    ("process.bpmn", 'policy:fourEyes="review"', 'policy:fourEyes="check"'),
    ("process.bpmn", 'policy:name-en="Review"', 'policy:name-en="Check" policy:form="review"'),
)


@pytest.fixture
def drafted(office: Office) -> str:
    """A case at its review: claimed, with a draft, and due."""
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    office.act("登记员", items.save_draft, task, {"decision": "return"})
    return case


def test_a_case_moves_and_keeps_claim_draft_due_day_and_timers(office: Office, drafted: str) -> None:
    before = office.look(inbox.task, office.item(drafted, "review"))
    timers = office.look(inbox.timers, drafted)
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    office.act("管理员", migration.migrate, drafted, new.id)
    after = office.look(inbox.task, office.item(drafted, "review"))
    assert {**after} == {**before}
    assert after["due"] == date(2026, 3, 9)
    assert office.look(inbox.timers, drafted) == timers
    assert office.row(drafted)["definition"] == new.id
    assert office.last(drafted)["data"]["to"] == 2
    office.do(drafted, "review", "登记员")
    office.do(drafted, "second", "复核员")
    assert office.look(inbox.task, office.item(drafted, "archive"))["name_zh"] == "存档"
    assert office.sound()


def test_a_live_element_that_is_gone_stands_in_the_way_by_name(office: Office, drafted: str) -> None:
    (new,) = office.deploy(package("permit", *RENAMED))
    state = office.state()
    (obstacle, *_) = office.look(migration.obstacles, drafted, new.id, {})
    assert "review" in obstacle.en
    assert office.state() == state
    refusal = office.refused("管理员", migration.migrate, drafted, new.id)
    assert "'review'" in refusal.text.en
    assert office.row(drafted)["definition"] != new.id
    assert attempt_told(office, drafted)[1:] == ("migrate", ["state"])


def test_a_renamed_element_is_mapped_and_its_four_eyes_still_hold(office: Office, drafted: str) -> None:
    (new,) = office.deploy(package("permit", *RENAMED))
    office.act("管理员", migration.migrate, drafted, new.id, {"review": "check"})
    task = office.item(drafted, "check")
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员"]
    office.act("登记员", items.release, task)
    office.act("双职", cases.complete, task, ANSWERS["review"])
    refusal = office.refused("双职", cases.complete, office.item(drafted, "second"), {"agree": True})
    assert "four_eyes" in refusal.reasons  # type: ignore[attr-defined]


def test_answers_given_under_the_old_name_are_found_under_the_new_one(office: Office) -> None:
    case = office.start()
    office.do(case, "review", "登记员")
    reads = ("process.bpmn", "'amount_fen': amount_fen, 'status'", "'title': check['decision'], 'status'")
    (new,) = office.deploy(package("permit", *RENAMED, reads))
    office.act("管理员", migration.migrate, case, new.id, {"review": "check"})
    office.do(case, "second", "复核员")
    assert "archive" in office.items(case)


def test_a_timer_that_runs_keeps_its_due_time(office: Office) -> None:
    case = office.start()
    sooner = "<timeDate>add_days(today, 3)</timeDate>"
    (without,) = office.deploy(
        package("permit", ("process.bpmn", "<timeDate>add_working_days(today, 5)</timeDate>", sooner))
    )
    office.act("管理员", migration.migrate, case, without.id)
    assert len(office.look(inbox.timers, case)) == 1  # the one that runs keeps its due time
    office.later(days=8)
    assert run_due(office.database) == 1


def test_only_owners_and_administrators_move_cases(office: Office, drafted: str) -> None:
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    refusal = office.refused("登记员", migration.migrate, drafted, new.id)
    assert refusal.reasons == ("role",)  # type: ignore[attr-defined]


def test_a_new_version_alone_moves_no_case(office: Office, drafted: str) -> None:
    old = office.row(drafted)["definition"]
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    assert office.row(drafted)["definition"] == old
    assert office.look(migration.running, "permit", new.id) == [drafted]


def test_a_boundary_event_that_only_the_new_version_has_is_armed(office: Office) -> None:
    case = office.start()
    reminder = """<boundaryEvent id="soon" attachedToRef="review" cancelActivity="false">
      <timerEventDefinition><timeDate>add_days(today, 2)</timeDate></timerEventDefinition></boundaryEvent>
    <sequenceFlow id="f_soon" sourceRef="soon" targetRef="remind"/>
    <sequenceFlow id="f_review" """
    (new,) = office.deploy(package("permit", ("process.bpmn", '<sequenceFlow id="f_review" ', reminder)))
    office.act("管理员", migration.migrate, case, new.id)
    assert [row["element"] for row in office.look(inbox.timers, case)] == ["soon", "late"]
    office.later(days=3)
    assert run_due(office.database) == 1
    assert office.kinds(case)[-4:] == ["timer.fired", "notice.sent", "step.passed", "end.reached"]


# The same version once more.


DOERS = {"apply": "甲", "second": "复核员"}


def drive(office: Office, both: list[str], random: Random, steps: int) -> None:
    """Bring two permits on at random, each as the other."""
    for _ in range(steps):
        there = sorted(office.items(both[0]))
        if random.random() < 0.2:
            office.later(days=8)
            run_due(office.database)
            continue
        element = random.choice([*there, "changed", "fraud_found"])
        again = element == "review" and random.random() < 0.6
        for number, case in enumerate(both):
            if element in there:
                answer: dict[str, Any] = {"decision": "return", "reasons": "缺"} if again else {}
                answer |= {"contract_no": f"HT-{number}", "amount_fen": 600} if element == "apply" else {}
                office.do(case, element, DOERS.get(element, "登记员"), **answer)
            elif "archive" in there:
                by, answer = ("甲", {"what": "地址"}) if element == "changed" else ("市场办", {})
                office.act(by, cases.send, case, element, answer)


@pytest.mark.parametrize("seed", range(8))
def test_a_case_that_moves_to_an_equal_version_goes_on_as_one_that_does_not(office: Office, seed: int) -> None:
    both = [office.start(contract_no=f"HT-{number}", amount_fen=600) for number in range(2)]
    drive(office, both, Random(seed), seed)
    (new,) = office.deploy(package("permit", ("process.bpmn", "<!-- A small", "<!-- One small")))
    if office.row(both[0])["status"] == "open":
        seen = office.look(migration.prospect, both[0], new.id, {})
        assert (seen.armed, seen.disarmed, seen.goes_on, seen.obstacles) == ([], [], [], [])
        office.act("管理员", migration.migrate, both[0], new.id)
        assert office.kinds(both[0])[-1] == "case.migrated"
    drive(office, both, Random(seed + 100), 8)
    told = [[kind for kind in office.kinds(case) if kind != "case.migrated"] for case in both]
    assert told[0] == told[1]
    assert office.row(both[0])["state"] == office.row(both[1])["state"]
    assert office.sound()


def test_a_case_is_not_moved_to_the_version_it_is_on(office: Office) -> None:
    case = office.start()
    refusal = office.refused("管理员", migration.migrate, case, office.row(case)["definition"])
    assert "is on the version 1 already" in refusal.text.en


# What the new version says in other words.


def test_whoever_may_do_it_now_is_asked_and_whoever_claimed_it_keeps_it(office: Office, drafted: str) -> None:
    head = (
        "process.bpmn",
        'name="审查" policy:name-en="Review" policy:role="registrar"',
        'name="审" policy:role="expert"',
    )
    (new,) = office.deploy(package("permit", head))
    office.act("管理员", migration.migrate, drafted, new.id)
    task = office.look(inbox.task, office.item(drafted, "review"))
    assert (task["roles"], task["claimed_by"], task["due"]) == ("|expert|", office.who["登记员"], date(2026, 3, 9))
    assert "role" in office.refused("登记员", cases.complete, task["id"], ANSWERS["review"]).reasons  # type: ignore[attr-defined]
    office.act("登记员", items.release, task["id"])
    assert "review" in office.inbox("专家一")


def test_a_draft_of_an_older_form_can_be_taken_up_again(office: Office, drafted: str) -> None:
    renamed = [
        ("forms/review.yaml", "code: decision", "code: verdict"),
        ("forms/review.yaml", "decision == ", "verdict == "),
        ("forms/review.yaml", "decision != ", "verdict != "),
        ("forms/review.yaml", "field: decision", "field: verdict"),
        ("process.bpmn", "decision == 'return'", "verdict == 'return'"),
    ]
    (new,) = office.deploy(package("permit", *renamed))
    office.act("管理员", migration.migrate, drafted, new.id)
    task = office.item(drafted, "review")
    assert items.draft_of(office.look(inbox.task, task)) == {"decision": "return"}
    office.act("登记员", items.save_draft, task, {"decision": "return", "verdict": "return"})
    assert items.draft_of(office.look(inbox.task, task)) == {"verdict": "return"}
    office.act("登记员", cases.complete, task, {"verdict": "return", "reasons": "缺附件"})
    assert "apply" in office.items(drafted)


def test_what_would_not_wait_any_more_goes_on_and_a_dry_run_says_so(office: Office, drafted: str) -> None:
    left = """<boundaryEvent id="enough" attachedToRef="review"><conditionalEventDefinition>
      <condition>amount_fen &gt; 200</condition></conditionalEventDefinition></boundaryEvent>
    <sequenceFlow id="f_enough" sourceRef="enough" targetRef="second"/>
    <sequenceFlow id="f_review" """
    (new,) = office.deploy(package("permit", ("process.bpmn", '<sequenceFlow id="f_review" ', left)))
    before = office.state()
    seen = office.look(migration.prospect, drafted, new.id, {})
    assert (seen.stands, seen.armed, seen.goes_on) == ([("review", "review")], ["enough"], ["enough"])
    assert office.state() == before
    office.act("管理员", migration.migrate, drafted, new.id)
    assert list(office.items(drafted)) == ["second"]
    assert office.kinds(drafted)[-4:] == ["case.migrated", "condition.met", "task.cancelled", "task.opened"]
    assert office.look(inbox.timers, drafted) == []
    assert office.sound()


def test_what_goes_on_and_cannot_be_done_is_an_incident_of_the_case_in_its_new_version(
    office: Office, drafted: str
) -> None:
    left = """<boundaryEvent id="enough" attachedToRef="review"><conditionalEventDefinition>
      <condition>amount_fen &gt; 200</condition></conditionalEventDefinition></boundaryEvent>
    <sequenceFlow id="f_enough" sourceRef="enough" targetRef="note"/>
    <scriptTask id="note"><script>large = limit_fen &gt; 3</script></scriptTask>
    <scriptTask id="never"><script>limit_fen = 3</script></scriptTask>
    <sequenceFlow id="f_note" sourceRef="note" targetRef="second"/>
    <exclusiveGateway id="which" default="f_which"/><sequenceFlow id="f_which" sourceRef="which" targetRef="second"/>
    <sequenceFlow id="f_never" sourceRef="which" targetRef="never"><conditionExpression>False</conditionExpression>
    </sequenceFlow><sequenceFlow id="f_never2" sourceRef="never" targetRef="second"/>
    <sequenceFlow id="f_review" """
    hearing = ("process.bpmn", 'sourceRef="hearing" targetRef="second"', 'sourceRef="hearing" targetRef="which"')
    (new,) = office.deploy(package("permit", ("process.bpmn", '<sequenceFlow id="f_review" ', left), hearing))
    office.act("管理员", migration.migrate, drafted, new.id)
    assert office.row(drafted)["definition"] == new.id and list(office.items(drafted)) == ["review"]
    (standstill,) = office.look(incidents.standing_still)
    assert standstill["element"] == "note"
    assert not office.act("管理员", incidents.retry, standstill["id"])
    office.act("管理员", incidents.correct, standstill["id"], "limit_fen", "300", "补录")
    assert office.act("管理员", incidents.retry, standstill["id"])
    assert list(office.items(drafted)) == ["second"] and office.look(incidents.standing_still) == []
    assert office.sound()


def test_a_word_that_cannot_be_understood_in_this_case_stands_in_the_way(office: Office, drafted: str) -> None:
    wrong = ("process.bpmn", 'policy:role="registrar" policy:excluded="[applicant]"\n', 'policy:role="=hearing"\n')
    (new,) = office.deploy(package("permit", wrong))
    (obstacle,) = office.look(migration.obstacles, drafted, new.id, {})
    assert "the expression 'hearing' of review cannot be evaluated" in obstacle.en
    assert "'hearing'" in office.refused("管理员", migration.migrate, drafted, new.id).text.en


# Called processes, and cases that stand still.


def test_a_case_inside_a_called_process_comes_into_the_version_that_the_new_one_calls(office: Office) -> None:
    case = office.start("caller")
    assert list(office.items(case)) == ["look_up"]
    office.deploy(package("looked_up", ("process.bpmn", 'id="look_up" name="核查"', 'id="look_up" name="查考"')))
    (new,) = office.deploy(package("caller"))
    office.act("管理员", migration.migrate, case, new.id)
    assert office.look(inbox.task, office.item(case, "look_up"))["name_zh"] == "查考"
    office.do(case, "look_up", "专家一")
    assert list(office.items(case)) == ["read"]
    assert office.sound()


def test_a_case_that_stands_still_moves_to_the_version_that_is_mended_and_goes_on_there(office: Office) -> None:
    broken = ("process.bpmn", "is_large = amount_fen &gt; 100_000", "is_large = 1 // 0 &gt; 1")
    office.deploy(package("permit", broken))
    case = office.start()
    (standstill,) = office.look(incidents.standing_still)
    renamed = [("process.bpmn", f'{word}="prepare"', f'{word}="ready"') for word in ("id", "targetRef", "sourceRef")]
    (mended,) = office.deploy(package("permit", *renamed))
    assert office.look(migration.prospect, case, mended.id, {"prepare": "ready"}).stands == [("f_apply", "f_apply")]
    office.act("管理员", migration.migrate, case, mended.id, {"prepare": "ready"})
    (standstill,) = office.look(incidents.standing_still)
    assert standstill["element"] == "ready"
    assert office.act("管理员", incidents.retry, standstill["id"])
    assert list(office.items(case)) == ["review"]
    assert office.sound()


# On the command line.


def test_the_command_line_says_for_every_case_what_would_become_of_it(office: Office, drafted: str) -> None:
    other = office.start(contract_no="HT-2")
    office.do(other, "review", "登记员")
    office.deploy(package("permit", *RENAMED, ("process.bpmn", 'id="late" attached', 'id="over" attached'),
                          ("process.bpmn", 'sourceRef="late"', 'sourceRef="over"')))  # fmt: skip
    numbers = [office.row(case)["number"] for case in (drafted, other)]
    mapped = ("migrate", "permit", "--map", "review=check", "--dry-run")
    assert rows(office.url, *mapped)[0] == {
        "id": drafted, "number": numbers[0], "from": 1, "to": 2, "moved": False, "possible": True, "obstacles": [],
        "stands": [{"element": "review", "becomes": "check"}], "armed": ["over"], "disarmed": ["late"], "goes_on": [],
    }  # fmt: skip
    assert done(office.url, *mapped).splitlines() == [
        f"{numbers[0]}  1 → 2  review → check; now also awaited: over; no longer awaited: late",
        f"{numbers[1]}  1 → 2  second",
    ]
    asked = run(office.url, "migrate", "permit", "--dry-run")
    assert asked.exit_code == 1 and "'review'" in asked.stdout.splitlines()[0]
    assert office.row(drafted)["definition"] == office.row(other)["definition"]
    assert "--map OLD=NEW" in refused(office.url, 2, "migrate", "permit", "--map", "review", "--dry-run")
    done(office.url, "migrate", "permit", numbers[0], "--map", "review=check", "--by", "管理员")
    assert list(office.items(drafted)) == ["check"] and list(office.items(other)) == ["second"]
