"""Conformance: what cases really did agrees with their diagrams, what is made up is found, changes can be tried."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bpmn.alignment import Stretch, align
from bpmn.behaviour import Behaviour
from engine import cases, conformance, definitions, demo, inbox, incidents, migration
from engine.conformance import conforms
from engine.library import Library, Package
from engine.replay import Conformance
from engine.scenario_file import read_scenario
from engine.scenarios import SetClock, play
from engine.trying import draft, verdict
from engine.walk import Walker
from engine.work import SYSTEM, Database, Work
from engine.worker import run_due
from tests.commands import refused, rows, run
from tests.conftest import KINDS, Kind, NewDatabase
from tests.office import ANSWERS, MORNING, NewOffice, Office, package
from tests.test_incidents import BROKEN
from tests.test_migration import RENAMED
from tests.test_scenarios import WORKED
from tests.web_reader import reader_of, words

pytest_plugins = ["tests.furnished"]

LONGEST = {name.partition("/")[0]: name for name in sorted(WORKED, key=lambda name: len(WORKED[name]))}
"""The longest worked case of each process."""
Events = list[dict[str, Any]]


def deviating(work: Work) -> list[str]:
    """Every case of a database that deviates from its own versions, or if it is tried on its last one; with where."""
    rows = inbox.cases(work, limit=1_000)
    found = [conforms(work, row["id"], on) for row in rows for on in (None, row["definition"])]
    return [f"{each.number} {verdict(each).en} {each.deviations} {each.ruled}" for each in found if not each.conforms]


def played(name: str, url: str) -> None:
    course = play(read_scenario(WORKED[name], name), url)
    assert course.passed
    database = Database(url)
    try:
        with database.look(SYSTEM) as work:
            assert course.case is None or inbox.case(work, course.case)  # a start that is refused leaves no case
            assert deviating(work) == []
    finally:
        database.close()


@pytest.mark.parametrize("name", sorted(LONGEST.values()))
def test_the_longest_worked_case_of_every_process_conforms(name: str, new_database: NewDatabase) -> None:
    played(name, new_database("sqlite"))


@pytest.mark.deep
@pytest.mark.parametrize("name", sorted(WORKED.keys() - set(LONGEST.values())))
def test_every_other_worked_case_conforms(name: str, database_url: str) -> None:
    played(name, database_url)


def test_cases_walked_at_random_conform(new_database: NewDatabase, deep: bool) -> None:
    clock = SetClock(MORNING)
    database = Database(new_database("sqlite"), clock)
    scenarios = demo.startable(Library.standing())
    try:
        with database.work(SYSTEM) as work:
            demo.add_people(work)
        demo.register_accounts(database)
        walker = Walker(database, clock, random.Random(0), messages=0.1)
        for process in sorted(scenarios.keys() - {"policy_adoption"}):
            for seed in range(100 if deep else 6):
                walker.random, clock.instant = random.Random(seed), MORNING
                walker.walk(walker.start(process, scenarios[process]), 60)
        with database.look(SYSTEM) as work:
            assert len(inbox.cases(work)) >= 6
            assert deviating(work) == []
    finally:
        database.close()


# What is made up. The trail itself stays as it is: the list that was read of it is edited.


@pytest.fixture
def office(new_office: NewOffice) -> Office:
    return new_office("sqlite")


@pytest.fixture
def done(office: Office) -> str:
    return archived(office)


def archived(office: Office) -> str:
    """A permit that was returned once, changed once and archived."""
    case = office.start(contract_no="HT-1", amount_fen=600)
    office.do(case, "review", "登记员", decision="return", reasons="缺")
    office.do(case, "apply", "甲", contract_no="HT-1", amount_fen=600)
    office.later(days=9)
    assert run_due(office.database) == 1
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    office.act("甲", cases.send, case, "changed", {"what": "地址"})
    office.do(case, "archive", "登记员")
    return case


def edited(office: Office, case: str, edit: Callable[[Events], object]) -> Conformance:
    """What a replay would find if the trail were another one."""
    with office.database.look(SYSTEM) as work:
        row, events = inbox.case(work, case), inbox.events(work, case)
        edit(events)
        return conformance.replayed(work, row, events)


def place(events: Events, kind: str, element: str) -> int:
    return next(number for number, row in enumerate(events) if (row["kind"], row["element"]) == (kind, element))


def told(found: Conformance) -> list[tuple[str, str, str]]:
    return [(each.why, each.step.kind, each.step.element) for each in found.deviations]


@pytest.mark.parametrize("kind", KINDS)
def test_what_happened_conforms_step_by_step(kind: Kind, new_office: NewOffice) -> None:
    office = new_office(kind)
    found = office.look(conforms, archived(office))
    assert found.conforms and found.cost == 0 and found.versions == (1,)
    assert len(found.moves) == len(found.told) > 15
    assert {move.side for move in found.moves} == {"both"}


def test_an_open_case_conforms_as_far_as_it_came(office: Office) -> None:
    case = office.start()
    assert office.look(conforms, case).conforms


def test_a_review_that_never_was_is_missing_where_it_should_be(office: Office, done: str) -> None:
    found = edited(office, done, lambda events: events.pop(place(events, "task.completed", "second")))
    assert told(found) == [("missing", "done", "second")]
    before = {row["seq"]: row["element"] for row in office.look(inbox.events, done)}
    assert before[found.deviations[0].seq] == "second"  # it was opened, and never done


def test_a_step_nobody_asked_for_is_added(office: Office, done: str) -> None:
    def twice(events: Events) -> None:
        at = place(events, "task.completed", "archive")
        events.insert(at, {**events[place(events, "task.completed", "second")], "seq": events[at]["seq"]})

    found = edited(office, done, twice)
    assert told(found) == [("added", "done", "second")]


def test_a_swapped_pair_costs_two(office: Office, done: str) -> None:
    def swapped(events: Events) -> None:
        one, other = place(events, "step.passed", "record"), place(events, "task.completed", "second")
        events[one], events[other] = events[other], events[one]

    found = edited(office, done, swapped)
    assert found.cost == 2
    assert {element for _, _, element in told(found)} <= {"record", "second"}


def test_a_choice_that_contradicts_the_recorded_values_is_found(office: Office, done: str) -> None:
    def bent(events: Events) -> None:
        row = next(row for row in events if row["kind"] == "gateway.taken")
        body = json.loads(row["body"])
        body["data"]["values"] = [{**each, "value": '"accept"'} for each in body["data"]["values"]]
        row["body"] = json.dumps(body)

    found = edited(office, done, bent)
    assert found.cost == 0 and not found.conforms
    [ruled] = found.ruled
    assert (ruled.element, ruled.taken) == ("decide", ("f_return",))
    assert ruled.expected == (("f_hear",), ("f_second",))  # what is private is not recorded, and leaves both


def test_what_cannot_be_decided_is_said_to_be_undecided(office: Office, done: str) -> None:
    with office.database.look(SYSTEM) as work:
        found = conforms(work, done, most=10)
    assert (found.cost, found.conforms) == (None, False)
    assert 0 < found.sound < len(found.told)
    assert "not decided" in verdict(found).en


def test_a_step_that_two_people_skip_is_told_as_such(office: Office) -> None:
    office.deploy(package("permit", BROKEN))
    office.hire("管理员二", "sysadmin")
    case = office.start(amount_fen=300)
    [incident] = office.look(incidents.standing_still, case)
    for name in ("管理员", "管理员二"):
        office.act(name, incidents.skip, incident["id"], "该步骤不影响审查")
    found = office.look(conforms, case)
    assert told(found) == [("skipped", "done", "prepare")] and found.cost == 1


# After a migration, each part on its version.


def moved(office: Office) -> str:
    """A permit that was archived under another version than it began under, with its review under another name."""
    case = office.start()
    (new,) = office.deploy(package("permit", *RENAMED))
    office.act("管理员", migration.migrate, case, new.id, {"review": "check"})
    office.act("登记员", cases.complete, office.item(case, "check"), ANSWERS["review"])
    office.do(case, "second", "复核员")
    office.do(case, "archive", "登记员")
    return case


def test_each_part_of_a_case_is_replayed_on_the_version_it_ran_under(office: Office) -> None:
    found = office.look(conforms, moved(office))
    assert found.conforms and found.versions == (1, 2)
    assert [step.element for step in (each.step for each in found.told) if step.kind == "done"][2] == "check"
    before, after = found.parts
    assert before.told + after.told == found.told and before.moves + after.moves == found.moves
    assert [move.step for move in before.moves if move.step.kind == "opened"][-1].element == "review"
    assert next(move.step.element for move in after.moves if move.step.kind == "done") == "check"


def test_what_deviates_is_told_of_the_version_it_happened_under(office: Office) -> None:
    case = moved(office)
    found = edited(office, case, lambda events: events.pop(place(events, "task.completed", "apply")))
    assert [[(each.why, each.step.element) for each in part.deviations] for part in found.parts] == [
        [("missing", "apply")], [],
    ]  # fmt: skip
    found = edited(office, case, lambda events: events.pop(place(events, "task.completed", "second")))
    assert [[each.step.element for each in part.deviations] for part in found.parts] == [[], ["second"]]


def test_the_page_shows_every_version_the_case_ran_under_with_its_part_oldest_first(office: Office) -> None:
    case = moved(office)
    seen = reader_of(office, "合规").get(f"/cases/{case}/conformance")
    named = {str(each.get("id")): words(each) for each in seen.tree.iter() if each.get("id")}
    parts = [each for each in named if each.startswith(("part-", "alignment"))]
    assert parts == ["part-1", "alignment-1", "part-2", "alignment-2"]
    assert named["part-1"].startswith("版本 1") and named["part-2"].startswith("版本 2")
    assert "归档 办理" in named["alignment-2"] and "归档 办理" not in named["alignment-1"]
    first, second = (
        {each.get("data-element") for each in box.iter() if "is-done" in (each.get("class") or "")}
        for box in (each for each in seen.tree.iter() if each.get("class") == "diagram")
    )
    assert "apply" in first and not first & {"review", "check", "second", "archive"}
    assert {"check", "second", "archive"} <= second and "apply" not in second


# Trying a changed diagram on cases that are closed.

LARGER = ("process.bpmn", "is_large and phone is not None and len(parties) &gt; 0", "decision == 'accept'")


def changed() -> Package:
    """The permit with a hearing for everything that passes."""
    return package("permit", LARGER)


def test_a_changed_condition_shows_which_case_would_have_gone_elsewhere_and_where(office: Office, done: str) -> None:
    (new,) = office.deploy(changed())
    found = office.look(conforms, done, new.id)
    assert told(found) == [("missing", "done", "hearing")]
    assert [(each.taken, each.expected) for each in found.ruled] == [(("f_second",), (("f_hear",),))]
    assert office.look(conforms, done).conforms


def test_an_unchanged_version_would_have_led_every_case_the_same_way(office: Office, done: str) -> None:
    assert office.look(conforms, done, office.row(done)["definition"]).conforms


def test_a_package_is_tried_without_being_deployed(office: Office, done: str) -> None:
    state = office.state()
    with office.database.look(SYSTEM) as work:
        tried = draft(work, changed(), Library.standing().vocabulary())
        found = conforms(work, done, tried)
        assert [row["version"] for row in definitions.versions(work, "permit")] == [1]
    assert told(found) == [("missing", "done", "hearing")] and found.versions == (0,)
    assert office.state() == state


def test_the_command_says_which_cases_deviate_and_exits_so(office: Office, done: str, tmp_path: Any) -> None:
    [row] = rows(office.url, "conform", office.row(done)["number"])
    assert row["conforms"] is True and row["deviations"] == []
    assert "相符" in run(office.url, "conform", done).output
    for path, content in changed().files.items():
        (tmp_path / "permit" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "permit" / path).write_bytes(content)
    said = run(office.url, "conform", "--process", "permit", "--to", str(tmp_path / "permit"))
    assert said.exit_code == 1
    assert "hearing" in said.output and "the diagram demands it" in said.output
    assert refused(office.url, 1, "conform", "nobody")


# The page.


@pytest.fixture
def page(office: Office, done: str) -> tuple[Office, str]:
    office.deploy(changed())
    return office, f"/cases/{done}/conformance"


def test_the_page_shows_the_diagram_and_every_step_on_both_sides(page: tuple[Office, str]) -> None:
    office, address = page
    reader = reader_of(office, "合规")
    trail = reader.get(address.replace("conformance", "trail"))
    assert address in [each.get("href") for each in trail.tree.iter("a")]
    seen = reader.get(address)
    table = next(each for each in seen.tree.iter() if each.get("id") == "alignment")
    assert "复核 办理" in words(table)
    assert "无偏离" in words(seen.tree)
    assert not any(each.get("id") == "deviations" for each in seen.tree.iter())


def test_the_page_shows_deviations_on_the_diagram_and_in_english(page: tuple[Office, str]) -> None:
    office, address = page
    reader = reader_of(office, "合规")
    reader.post("/language", {"language": "en"})
    seen = reader.get(f"{address}?to=2")
    said = words(next(each for each in seen.tree.iter() if each.get("id") == "deviations"))
    assert "Hearing step donethe diagram demands it, but it is not in the trail" in said
    marked = {each.get("data-element") for each in seen.tree.iter() if "is-finding" in (each.get("class") or "")}
    assert marked == {"hearing", "decide"}


def test_only_those_who_may_see_the_case_see_its_conformance(page: tuple[Office, str]) -> None:
    office, address = page
    assert reader_of(office, "路人").get(address, status=403).status == 403


def test_the_alignment_of_a_part_is_the_one_of_its_steps_alone(office: Office, done: str) -> None:
    """The list of steps is all that is replayed: whoever has it can repeat the replay without a database."""
    with office.database.look(SYSTEM) as work:
        deployed = definitions.deployed(work, office.row(done)["definition"])
        diagrams = conformance.diagrams_of(deployed)
        steps = conformance.steps_of(inbox.events(work, done), "permit", diagrams)
    behaviour = Behaviour("permit", diagrams)
    stretch = Stretch(behaviour, [each.step for each in steps])
    assert align([stretch]).cost == 0
    assert align([replace(stretch, steps=stretch.steps[:-1])]).cost == 1
