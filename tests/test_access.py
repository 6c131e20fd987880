"""Who may: candidates by role, name and expression, substitutes, recusal, four eyes; every reason against is found."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from engine import access, cases, inbox, items, people
from engine.access import Door, Standing, bars, judge, unbar
from engine.errors import NotYours
from tests.office import ANSWERS, MORNING, Office, attempt_told

pytest_plugins = ["tests.furnished"]

TODAY = MORNING.date()


# The judgement itself.


def door(**changed: object) -> Door:
    """A work item for registrars in a case that somebody else started."""
    plain: dict[str, object] = {
        "case": "c",
        "applicant": "applicant",
        "roles": frozenset({"registrar"}),
        "assignees": (),
        "excluded": frozenset(),
        "checked": frozenset(),
        "parties": frozenset(),
        "claimed_by": None,
    }
    return Door(**(plain | changed))  # type: ignore[arg-type]


REGISTRAR = Standing("p", frozenset({"registrar"}))


def test_a_role_opens_an_item_and_another_does_not() -> None:
    assert judge(REGISTRAR, door()).reasons == ()
    assert judge(Standing("p", frozenset({"expert"})), door()).reasons == ("role",)
    assert judge(Standing("p", frozenset()), door()).reasons == ("role",)
    assert judge(REGISTRAR, door(roles=frozenset())).reasons == ("role",)


def test_an_item_by_name_is_for_nobody_else_whatever_their_role() -> None:
    assert judge(REGISTRAR, door(assignees=("q",))).reasons == ("role",)
    assert judge(Standing("q", frozenset()), door(assignees=("q",), roles=frozenset())).reasons == ()


def test_every_reason_is_found_whichever_comes_first() -> None:
    """All combinations: each cause brings its own reason and no other."""
    for stranger, excluded, interested, checked in product((False, True), repeat=4):
        person = Standing(
            "p",
            frozenset({"expert" if stranger else "registrar"}),
            cases=frozenset({"c"} if interested else ()),
        )
        at = door(excluded=frozenset({"p"} if excluded else ()), checked=frozenset({"p"} if checked else ()))
        expected = (["role"] if stranger else []) + (["recusal"] if excluded or interested else [])
        expected += ["four_eyes"] if checked else []
        assert judge(person, at).reasons == tuple(expected)


def test_an_interest_in_a_party_counts_in_every_case_of_that_party() -> None:
    person = Standing("p", frozenset({"registrar"}), parties=frozenset({"北京某大学"}))
    assert judge(person, door(parties=frozenset({"北京某大学"}))).reasons == ("recusal",)
    assert judge(person, door(parties=frozenset({"另一大学"}))).reasons == ()


def test_applicants_may_do_their_own_items_though_they_have_an_interest_of_course() -> None:
    applicant = Standing("applicant", frozenset(), cases=frozenset({"c"}))
    assert judge(applicant, door(assignees=("applicant",))).reasons == ()
    # An item that checks the application is not their own.
    both = Standing("applicant", frozenset({"registrar"}), cases=frozenset({"c"}))
    assert judge(both, door()).reasons == ("recusal",)
    assert judge(both, door(assignees=("applicant",), excluded=frozenset({"applicant"}))).reasons == ("recusal",)


@pytest.mark.parametrize(
    ("delegated", "held", "asked", "expected"),
    [
        ("registrar", {"registrar"}, {"registrar"}, "principal"),
        ("registrar", {"expert"}, {"registrar"}, None),
        ("expert", {"expert", "registrar"}, {"registrar"}, None),
        ("expert", {"expert"}, set(), "principal"),
    ],
    ids=["the same role", "does not hold it", "another role", "an item without a role"],
)
def test_a_substitute_holds_the_role_that_is_delegated_and_asked_for(
    delegated: str, held: set[str], asked: set[str], expected: str | None
) -> None:
    person = Standing("p", frozenset(held), frozenset({("principal", delegated)}))
    judgement = judge(person, door(roles=frozenset(asked), claimed_by="principal"))
    assert judgement.on_behalf_of == expected
    assert judgement.reasons == (() if expected else ("role",))


def test_what_bars_a_principal_bars_the_substitute() -> None:
    person = Standing("p", frozenset({"registrar"}), frozenset({("principal", "registrar")}))
    named = {"assignees": ("principal",)}
    assert judge(person, door(**named, excluded=frozenset({"principal"}))).reasons == ("recusal",)
    assert judge(person, door(**named, checked=frozenset({"principal"}))).reasons == ("four_eyes",)
    assert judge(person, door(**named, checked=frozenset({"p"}))).reasons == ("four_eyes",)


def test_every_reason_has_its_words() -> None:
    for zh, en in access.REASONS.values():
        assert zh and en


def test_a_list_in_a_column_comes_back() -> None:
    for words in ((), ("a",), ("a", "b")):
        assert unbar(bars(words)) == words


# In cases.


def test_candidates_by_expression_are_those_the_case_asks_for(office: Office) -> None:
    small, large = office.start(amount_fen=300), office.start(amount_fen=200_000, contract_no="HT-2")
    office.do(small, "review", "登记员")
    office.do(large, "review", "登记员", hearers=[office.who["专家一"], office.who["专家二"]])
    for name in ("专家一", "专家二"):
        assert office.inbox(name) == ["hearing"]
    refusal = office.refused("登记员", cases.complete, office.item(large, "hearing"), ANSWERS["hearing"])
    assert isinstance(refusal, NotYours)
    office.do(large, "hearing", "专家二")
    rows = {case: office.look(inbox.task, office.item(case, "second")) for case in (small, large)}
    assert unbar(rows[small]["roles"]) == ("second_reviewer", "registrar")
    assert unbar(rows[large]["roles"]) == ("registration_head",)
    assert office.inbox("复核员") == ["second"] and office.inbox("负责人") == ["second"]
    assert isinstance(office.refused("复核员", cases.complete, office.item(large, "second"), {"agree": True}), NotYours)
    office.do(large, "second", "负责人")


def test_who_reviewed_does_not_review_again_and_is_told_so(office: Office) -> None:
    case = office.start()
    office.do(case, "review", "双职")
    task = office.item(case, "second")
    for verb, arguments in ((cases.complete, (ANSWERS["second"],)), (items.claim, ()), (items.save_draft, ({},))):
        refusal = office.refused("双职", verb, task, *arguments)
        assert isinstance(refusal, NotYours)
        assert refusal.reasons == ("four_eyes",)
        assert "双人复核" in refusal.text.zh
        assert attempt_told(office, case)[2] == ["four_eyes"]
    office.do(case, "second", "登记员")
    assert office.sound()


def test_four_eyes_look_at_the_last_round(office: Office) -> None:
    case = office.start()
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    office.do(case, "apply", "甲")
    office.do(case, "review", "登记员二")
    refusal = office.refused("登记员二", cases.complete, office.item(case, "second"), ANSWERS["second"])
    assert isinstance(refusal, NotYours)
    office.do(case, "second", "登记员")


def test_an_applicant_who_is_also_a_registrar_reviews_no_own_case(office: Office) -> None:
    office.hire("兼任", "contract_applicant", "registrar")
    case = office.start(by="兼任")
    assert office.inbox("兼任") == []
    refusal = office.refused("兼任", items.claim, office.item(case, "review"))
    assert isinstance(refusal, NotYours)
    assert refusal.reasons == ("recusal",)
    assert attempt_told(office, case) == (office.who["兼任"], "claim", ["recusal"])


def test_an_interest_in_one_case_closes_that_case_only(office: Office) -> None:
    case, other = office.start(), office.start(contract_no="HT-2")
    with office.database.work(office.who["登记员"]) as work:
        people.recuse(work, office.who["登记员"], "亲属", case=case)
    assert len(office.inbox("登记员")) == 1
    refusal = office.refused("登记员", cases.complete, office.item(case, "review"), ANSWERS["review"])
    assert isinstance(refusal, NotYours)
    assert refusal.reasons == ("recusal",)
    office.do(other, "review", "登记员")
    told = office.last("sys/people")
    said = {name: told["data"][name] for name in ("person", "case", "party_named")}
    assert said == {"person": office.who["登记员"], "case": case, "party_named": False}
    assert office.sound()


@pytest.mark.parametrize("party", [{"name": "北京某大学"}, {"name": "另一公司", "uscc": "91110108MA00B7C45R"}])
def test_an_interest_in_a_party_is_found_by_name_and_by_credit_code(office: Office, party: dict[str, str]) -> None:
    with office.database.work(office.who["管理员"]) as work:
        people.recuse(work, office.who["登记员"], "曾任职", party=party.get("uscc", party["name"]))
    case = office.start(parties=[party])
    other = office.start(parties=[{"name": "无关公司"}], contract_no="HT-2")
    refusal = office.refused("登记员", cases.complete, office.item(case, "review"), ANSWERS["review"])
    assert isinstance(refusal, NotYours)
    assert attempt_told(office, case) == (office.who["登记员"], "complete", ["recusal"])
    office.do(other, "review", "登记员")
    assert party["name"] not in str(office.bodies("sys/people"))


def test_all_reasons_against_one_act_are_told_together(office: Office) -> None:
    case = office.start(amount_fen=200_000)
    office.do(case, "review", "登记员", hearers=[office.who["专家一"]])
    office.do(case, "hearing", "专家一")
    with office.database.work(office.who["登记员"]) as work:
        people.recuse(work, office.who["登记员"], "亲属", case=case)
    refusal = office.refused("登记员", cases.complete, office.item(case, "second"), ANSWERS["second"])
    assert isinstance(refusal, NotYours)
    assert refusal.reasons == ("role", "recusal", "four_eyes")
    assert attempt_told(office, case) == (office.who["登记员"], "complete", ["role", "recusal", "four_eyes"])
    assert all(words in refusal.text.zh for words in ("办理人", "回避", "双人复核"))


# Substitutes.


def delegate(office: Office, principal: str, substitute: str, role: str, first: date, last: date) -> str:
    """Make somebody a substitute."""
    with office.database.work(office.who["管理员"]) as work:
        return people.delegate(work, office.who[principal], office.who[substitute], role, first, last, "休假")


def test_a_substitute_acts_with_both_names_recorded(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    assert isinstance(office.refused("登记员二", cases.complete, task, ANSWERS["review"]), NotYours)
    delegate(office, "登记员", "登记员二", "registrar", TODAY, TODAY)
    assert office.inbox("登记员二") == ["review"]
    office.act("登记员二", cases.complete, task, ANSWERS["review"])
    completed = [body for body in office.bodies(case) if body["type"] == "task.completed"][-1]
    assert completed["actor"]["id"] == office.who["登记员二"]
    assert completed["actor"]["on_behalf_of"] == office.who["登记员"]
    submission = office.look(inbox.submissions, case)[-1]
    assert {row["on_behalf_of"] for row in office.look(inbox.submissions, case)} == {None, office.who["登记员"]}
    assert office.who["登记员二"] in {submission["person"], completed["actor"]["id"]}
    assert office.sound()


def test_neither_the_substitute_nor_the_principal_checks_what_was_done_for_the_principal(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    delegate(office, "登记员", "登记员二", "registrar", TODAY, TODAY)
    office.act("登记员二", cases.complete, task, ANSWERS["review"])
    second = office.item(case, "second")
    for name in ("登记员", "登记员二"):
        refusal = office.refused(name, cases.complete, second, ANSWERS["second"])
        assert isinstance(refusal, NotYours)
        assert refusal.reasons == ("four_eyes",)
    office.do(case, "second", "复核员")


def test_nobody_checks_their_own_step_as_somebody_elses_substitute(office: Office) -> None:
    case = office.start()
    office.do(case, "review", "登记员")
    second = office.item(case, "second")
    office.act("双职", items.claim, second)
    delegate(office, "双职", "登记员", "registrar", TODAY, TODAY)
    refusal = office.refused("登记员", cases.complete, second, ANSWERS["second"])
    assert isinstance(refusal, NotYours)
    assert refusal.reasons == ("four_eyes",)


def test_a_substitute_of_somebody_who_must_stand_aside_stands_aside(office: Office) -> None:
    office.hire("兼任", "contract_applicant", "registrar")
    case = office.start(by="兼任")
    task = office.item(case, "review")
    delegate(office, "兼任", "登记员", "registrar", TODAY, TODAY)
    office.act("登记员", items.claim, task)  # in their own name, they may
    office.act("登记员", items.release, task)
    large = office.start(amount_fen=200_000, contract_no="HT-2")
    office.do(large, "review", "登记员二", hearers=[office.who["专家一"]])
    hearing = office.item(large, "hearing")
    with office.database.work(office.who["专家二"]) as work:
        people.recuse(work, office.who["专家二"], "亲属", case=large)
    delegate(office, "专家一", "专家二", "expert", TODAY, TODAY)
    refusal = office.refused("专家二", cases.complete, hearing, ANSWERS["hearing"])
    assert isinstance(refusal, NotYours)
    assert refusal.reasons == ("recusal",)


@pytest.mark.parametrize(("first", "last", "may"), [(0, 0, True), (-3, 3, True), (1, 9, False), (-9, -1, False)])
def test_a_delegation_holds_from_its_first_day_to_its_last(office: Office, first: int, last: int, may: bool) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    days = (TODAY + timedelta(days=first), TODAY + timedelta(days=last))
    delegate(office, "登记员", "登记员二", "registrar", *days)
    assert office.inbox("登记员二") == (["review"] if may else [])
    if may:
        office.act("登记员二", cases.complete, task, ANSWERS["review"])
    else:
        assert isinstance(office.refused("登记员二", cases.complete, task, ANSWERS["review"]), NotYours)


def test_a_delegation_in_another_role_opens_nothing(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("双职", items.claim, task)
    office.hire("替补", "registrar", "second_reviewer")
    delegate(office, "双职", "替补", "second_reviewer", TODAY, TODAY)
    assert isinstance(office.refused("替补", cases.complete, task, ANSWERS["review"]), NotYours)
    assert office.inbox("替补") == []


def test_a_delegation_ends_when_it_is_taken_back(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    made = delegate(office, "登记员", "登记员二", "registrar", TODAY, TODAY)
    with office.database.work(office.who["管理员"]) as work:
        people.end_delegation(work, made)
    assert isinstance(office.refused("登记员二", cases.complete, task, ANSWERS["review"]), NotYours)
    assert [body["type"] for body in office.bodies("sys/people")][-2:] == ["delegation.made", "delegation.ended"]
