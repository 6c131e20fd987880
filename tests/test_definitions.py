"""Versions: what is deployed never changes, cases stay on theirs, and what a version calls is fixed with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine import cases, definitions, inbox, parameter_sets
from engine.errors import Invalid, NotFound
from engine.library import Library
from engine.packages import Package
from engine.work import BEIJING, SYSTEM
from forms.words import Unfit
from tests.office import ANSWERS, Office, package

pytest_plugins = ["tests.furnished"]

STRICTER = package("permit", ("forms/second.yaml", "fields:", """fields:
  - {code: remark, kind: text, label: {zh: 说明, en: Remark}, required: true, example: 无}"""))  # fmt: skip
OTHER_REPLY = package("looked_up", ("forms/look_up.yaml", "required: true", "required: true, min_length: 5"))


def versions(office: Office) -> dict[str, int]:
    """The version in force of every process."""
    with office.database.look(SYSTEM) as work:
        return {row.process: row.version for row in definitions.in_force(work)}


def test_a_deployment_is_told_with_the_hash_of_every_file(office: Office) -> None:
    before = office.state()
    with office.database.work(office.who["管理员"]) as work:
        made = definitions.deploy(work, STRICTER, Library.standing().vocabulary())
    assert (made.process, made.version, made.sha256) == ("permit", 2, STRICTER.sha256)
    told = office.last("sys/definitions")
    assert (told["type"], told["actor"]["id"]) == ("definition.deployed", office.who["管理员"])
    assert told["data"]["definition"] == made.id
    assert [each["path"] for each in told["data"]["files"]] == sorted(STRICTER.files)
    assert office.state()["counts"]["definition"] == before["counts"]["definition"] + 1
    assert office.sound()


def test_the_same_package_deployed_twice_is_one_version(office: Office) -> None:
    before = office.state()
    [again] = office.deploy(package("permit"))
    assert again.version == 1
    assert office.state() == before
    first, second = office.deploy(STRICTER, STRICTER)
    assert (first.id, first.version) == (second.id, 2)
    # Back to what was before is a version of its own: which one was in force when is never rewritten.
    [back] = office.deploy(package("permit"))
    assert back.version == 3


def test_another_worked_case_makes_no_new_version(office: Office) -> None:
    whole = package("permit")
    [made] = office.deploy(Package("permit", {**whole.files, "scenarios/a.yaml": b"id: a"}))
    assert made.version == 1


def test_a_running_case_stays_on_its_version(office: Office) -> None:
    old = office.start()
    office.deploy(STRICTER)
    new = office.start(contract_no="HT-2")
    for case in (old, new):
        office.do(case, "review", "登记员")
    office.do(old, "second", "复核员")
    with pytest.raises(Invalid) as invalid:
        office.do(new, "second", "复核员")
    assert [problem.path for problem in invalid.value.problems] == ["remark"]
    office.do(new, "second", "复核员", remark="已核")
    told = {case: office.last(case)["process"] for case in (old, new)}
    assert (told[old]["version"], told[new]["version"]) == (1, 2)
    assert told[new]["sha256"] == STRICTER.sha256
    assert office.row(old)["definition"] != office.row(new)["definition"]
    office.do(old, "archive", "登记员")
    assert office.sound()


def test_another_process_reads_the_version_from_the_database(office: Office) -> None:
    case = office.start()
    office.deploy(STRICTER)
    again = Office(office.url)
    again.do(case, "review", "登记员")
    again.do(case, "second", "复核员")
    assert versions(again)["permit"] == 2
    again.close()


def test_the_version_of_a_called_process_is_fixed_when_the_caller_is_deployed(office: Office) -> None:
    before = office.start("caller")
    office.deploy(OTHER_REPLY)
    still = office.start("caller")
    for case in (before, still):
        office.do(case, "look_up", "专家一", reply="短")
    [again] = office.deploy(package("caller"))
    assert again.version == 2
    now = office.start("caller")
    with pytest.raises(Invalid):
        office.do(now, "look_up", "专家一", reply="短")
    office.do(now, "look_up", "专家一", reply="足够长的答复")
    told = office.last("sys/definitions")["data"]
    assert list(told["uses"]) == ["looked_up"]
    assert office.deploy(package("caller"))[0].version == 2
    assert office.sound()


def test_what_a_caller_gets_back_is_what_it_declares(office: Office) -> None:
    case = office.start("caller", matter="何时生效")
    office.do(case, "look_up", "专家二", reply="明年")
    assert list(office.items(case)) == ["read"]
    office.do(case, "read", "甲")
    assert office.row(case)["outcome"] == "read"
    called = next(body for body in office.bodies(case) if body["type"] == "process.called")
    assert called["data"]["called"] == "looked_up"


def test_a_package_that_is_refused_changes_nothing_and_every_finding_is_told(office: Office) -> None:
    broken = package(
        "permit",
        ("process.bpmn", 'policy:role="registrar" policy:excluded', 'policy:role="nobody" policy:excluded'),
        ("process.bpmn", "decision == 'return'", "__import__('os')"),
        ("process.bpmn", 'default="f_second"', 'default="f_nowhere"'),
    )
    before = office.state()
    with pytest.raises(Unfit) as unfit:
        office.deploy(broken)
    assert len(unfit.value.findings) >= 3
    for finding in unfit.value.findings:
        assert finding.line > 0
        assert finding.text.zh and finding.text.en
    assert {"review", "f_return"} <= {finding.element for finding in unfit.value.findings}
    assert office.state() == before
    assert versions(office)["permit"] == 1


def test_a_caller_of_what_is_not_deployed_is_refused(office: Office) -> None:
    before = office.state()
    with pytest.raises(Unfit) as unfit:
        office.deploy(package("caller", ("process.bpmn", 'calledElement="looked_up"', 'calledElement="unknown"')))
    assert "unknown" in str(unfit.value)
    assert office.state() == before


def test_a_deployment_that_is_taken_back_leaves_the_old_version_in_force(office: Office) -> None:
    before = office.state()

    def deploy_in_vain() -> None:
        with office.database.work(SYSTEM) as work:
            assert definitions.deploy(work, STRICTER, Library.standing().vocabulary()).version == 2
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        deploy_in_vain()
    assert office.state() == before
    case = office.start()
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    assert office.last(case)["process"]["version"] == 1


def test_the_library_deployed_again_changes_nothing(office: Office) -> None:
    before = office.state()
    with office.database.work(SYSTEM) as work:
        definitions.deploy_library(work)
    assert office.state() == before


def test_there_is_no_such_process_or_version(office: Office) -> None:
    with office.database.look(SYSTEM) as work:
        for question in (definitions.current, definitions.deployed):
            with pytest.raises(NotFound, match="nothing_such"):
                question(work, "nothing_such")


# Parameters.


def test_a_case_keeps_the_parameters_it_started_with(office: Office) -> None:
    old = office.start()
    with office.database.work(SYSTEM) as work:
        shipped = parameter_sets.values(work, parameter_sets.in_force(work))
        made = parameter_sets.seed(work, {**shipped, "correction_rounds": 0})
        assert parameter_sets.seed(work, {**shipped, "correction_rounds": 0}) == made
    new = office.start(contract_no="HT-2")
    assert office.row(new)["parameters"] == made != office.row(old)["parameters"]
    answer = {"decision": "return", "reasons": "补正"}
    refusal = office.refused("登记员", cases.complete, office.item(new, "review"), answer)
    assert isinstance(refusal, Invalid)
    office.do(old, "review", "登记员", **answer)
    assert office.last("sys/policy")["data"]["set"] == made
    assert office.sound()


def test_parameters_are_in_force_from_their_day(office: Office) -> None:
    today = office.clock().date()
    with office.database.work(SYSTEM) as work:
        before = parameter_sets.in_force(work)
        shipped = parameter_sets.values(work, before)
        values = {**shipped, "correction_rounds": 9}
        made = parameter_sets.seed(work, values, effective_from=today + timedelta(days=3))
        assert parameter_sets.in_force(work) == before
    office.later(days=3)
    with office.database.look(SYSTEM) as work:
        assert parameter_sets.in_force(work) == made
        assert parameter_sets.values(work, made)["correction_rounds"] == 9
    office.clock.instant = datetime(2015, 1, 1, tzinfo=BEIJING)
    with office.database.look(SYSTEM) as work:
        assert parameter_sets.in_force(work) == before


def test_the_start_answers_are_kept_with_the_version_they_were_given_on(office: Office) -> None:
    case = office.start()
    [submission] = office.look(inbox.submissions, case)
    assert submission["process"] == "permit" and ANSWERS["apply"]["subject"] in submission["answer"]
