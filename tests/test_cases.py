"""The verbs that move a case: each works and leaves its event, refuses strangers, second times and bad answers."""

from __future__ import annotations

from typing import Any

import pytest

from engine import cases, inbox, items
from engine.errors import AlreadyDone, Invalid, NotFound, NotYours, Taken, Unusable, WrongState
from tests.office import ANSWERS, MORNING, Office, attempt_told

pytest_plugins = ["tests.furnished"]


def to_second(office: Office, **answer: Any) -> str:
    """A case that waits for its second review."""
    case = office.start(**answer)
    office.do(case, "review", "登记员")
    return case


def to_archive(office: Office, **answer: Any) -> str:
    """A case that is decided and registered, and waits to be archived."""
    case = to_second(office, **answer)
    office.do(case, "second", "复核员")
    return case


# Starting.


def test_a_start_completes_the_first_item_and_tells_each_thing_that_happened(office: Office) -> None:
    case = office.start()
    row = office.row(case)
    assert (row["status"], row["title"], row["number"]) == ("open", "屋顶光伏", "XK-2026-00001")
    assert list(office.items(case)) == ["review"]
    first = ["case.started", "task.opened", "task.completed", "step.passed"]
    assert office.kinds(case)[:4] == first
    assert sorted(office.kinds(case)[4:]) == ["task.opened", "timer.armed"]
    completed = office.bodies(case)[2]
    assert completed["actor"] == {"id": office.who["甲"], "role": "contract_applicant"}
    assert completed["process"]["element"] == "apply"
    [submission] = office.look(inbox.submissions, case)
    assert completed["data"]["submission"] == submission["id"]
    assert completed["data"]["commitment"] == submission["commitment"]
    assert office.sound()


def test_whoever_does_not_hold_the_role_of_the_first_item_starts_no_case(office: Office) -> None:
    before = office.state()
    refusal = office.refused("登记员", cases.start, "permit", ANSWERS["apply"])
    assert isinstance(refusal, NotYours)
    assert refusal.reasons == ("role",)
    told = office.last("sys/attempts")
    assert told["type"] == "attempt.refused"
    assert told["actor"]["id"] == office.who["登记员"]
    assert told["data"] == {"verb": "start", "process": "permit", "reasons": ["role"]}
    after, counts = office.state(), before["counts"]
    assert after["cases"] == before["cases"]
    assert after["counts"] == counts | {"event": counts["event"] + 1, "stream": counts["stream"] + 1}
    assert office.sound()


def test_a_start_with_a_bad_answer_names_the_fields_and_leaves_nothing_not_even_a_number(office: Office) -> None:
    before = office.state()
    with pytest.raises(Invalid) as invalid:
        office.start(amount_fen=0, phone="no")
    assert [problem.path for problem in invalid.value.problems] == ["amount_fen", "phone"]
    assert office.state() == before
    assert office.row(office.start())["number"] == "XK-2026-00001"


def test_only_deployed_main_processes_are_started(office: Office) -> None:
    before = office.state()
    assert isinstance(office.refused("甲", cases.start, "nothing_such", {}), NotFound)
    refusal = office.refused("甲", cases.start, "looked_up", {})
    assert isinstance(refusal, Unusable)
    assert "looked_up" in refusal.text.en
    assert office.state() == before


# Completing.


def test_a_completion_moves_the_case_closes_the_item_and_says_who(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    assert office.act("登记员", cases.complete, task, ANSWERS["review"]) == case
    closed = office.look(inbox.task, task)
    assert (closed["closed_by"], closed["closed_how"]) == (office.who["登记员"], "completed")
    assert closed["closed_at"] == MORNING
    assert list(office.items(case)) == ["second"]
    completed = [body for body in office.bodies(case) if body["type"] == "task.completed"][-1]
    assert completed["actor"] == {"id": office.who["登记员"], "role": "registrar"}
    assert completed["data"]["basis"] == "002 §六"
    assert completed["data"]["tag"] == "content_review"
    assert completed["data"]["facts"] == ["F-RC-01"]
    assert completed["process"]["sha256"]
    assert office.sound()


def test_a_stranger_completes_nothing_and_the_attempt_is_told(office: Office) -> None:
    case = office.start()
    before = office.state()
    refusal = office.refused("路人", cases.complete, office.item(case, "review"), ANSWERS["review"])
    assert isinstance(refusal, NotYours)
    assert "路人" in refusal.text.zh
    assert attempt_told(office, case) == (office.who["路人"], "complete", ["role"])
    assert office.last(case)["process"]["element"] == "review"
    after = office.state()
    assert after["counts"] == before["counts"] | {"event": before["counts"]["event"] + 1}
    assert list(office.items(case)) == ["review"]
    assert office.sound()


def test_whoever_comes_too_late_is_told_by_whom_and_when_it_was_done(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.later(hours=2, minutes=5)
    office.act("登记员", cases.complete, task, ANSWERS["review"])
    office.later(hours=1)
    refusal = office.refused("登记员二", cases.complete, task, ANSWERS["review"])
    assert isinstance(refusal, AlreadyDone)
    assert refusal.text.zh == "“审查”已由登记员于 2026-03-02 11:05 办结"
    assert refusal.text.en == "“Review” was already completed by 登记员 at 2026-03-02 11:05"
    assert refusal.about["by"] == office.who["登记员"]
    assert attempt_told(office, case) == (office.who["登记员二"], "complete", ["done", "not_open"])
    # The one who did it gets the same answer without a request key.
    assert isinstance(office.refused("登记员", cases.complete, task, ANSWERS["review"]), AlreadyDone)
    assert len(office.look(inbox.submissions, case)) == 2
    assert office.sound()


@pytest.mark.parametrize(
    ("answer", "paths"),
    [
        ({}, ["decision"]),
        ({"decision": "maybe"}, ["decision"]),
        ({"decision": 7}, ["decision"]),
        ({"decision": "accept", "reasons": "为什么"}, ["reasons"]),
        ({"decision": "accept", "nothing": 1}, ["nothing"]),
        ({"decision": "return"}, ["reasons"]),
    ],
    ids=["missing", "out of range", "wrong type", "hidden", "unknown", "required by another"],
)
def test_a_bad_answer_names_its_fields_and_changes_nothing(
    office: Office, answer: dict[str, Any], paths: list[str]
) -> None:
    case = office.start()
    before = office.state()
    refusal = office.refused("登记员", cases.complete, office.item(case, "review"), answer)
    assert isinstance(refusal, Invalid)
    assert [problem.path for problem in refusal.problems] == paths
    assert office.state() == before
    office.do(case, "review", "登记员")


def test_there_is_no_such_work_item(office: Office) -> None:
    case = office.start()
    before = office.state()
    for task in (f"{case}.99", f"{'0' * 32}.1", "nonsense", ""):
        refusal = office.refused("登记员", cases.complete, task, {})
        assert isinstance(refusal, NotFound)
        assert task in refusal.text.en
    assert office.state() == before


def test_a_return_brings_the_item_back_and_the_form_refuses_one_more_than_allowed(office: Office) -> None:
    case = office.start()
    for number in (1, 2):
        office.do(case, "review", "登记员", decision="return", reasons=f"第 {number} 次")
        office.later(days=1)
        office.do(case, "apply", "甲", subject=f"第 {number} 次补正")
    office.do(case, "review", "登记员", decision="return", reasons="第 3 次")
    office.do(case, "apply", "甲")
    refusal = office.refused(
        "登记员", cases.complete, office.item(case, "review"), {"decision": "return", "reasons": "第 4 次"}
    )
    assert isinstance(refusal, Invalid)
    assert [problem.path for problem in refusal.problems] == ["decision"]
    office.do(case, "review", "登记员")
    kept = [row for row in office.look(inbox.submissions, case) if row["element"] == "apply"]
    assert sorted(row["round"] for row in kept) == [1, 2, 3, 4]
    assert [number for number in (1, 2) if f"第 {number} 次补正" in kept[number]["answer"]] == [1, 2]
    assert office.sound()


def test_a_case_that_is_played_to_its_end_is_closed_with_its_outcome(office: Office) -> None:
    case = to_archive(office)
    office.do(case, "archive", "登记员二")
    row = office.row(case)
    assert (row["status"], row["outcome"], row["closed_at"]) == ("closed", "registered", MORNING)
    assert office.items(case) == {}
    assert office.look(inbox.timers, case) == []
    assert office.kinds(case)[-2:] == ["end.reached", "case.closed"]
    assert office.last(case)["data"] == {"outcome": "registered"}
    assert office.sound()


def test_a_gateway_tells_its_expressions_what_they_read_and_the_branch(office: Office) -> None:
    case = to_second(office)
    [taken] = [body for body in office.bodies(case) if body["type"] == "gateway.taken"]
    assert taken["process"]["element"] == "decide"
    assert taken["data"]["taken"] == ["f_second"]
    first, second = taken["data"]["tried"]
    assert first == {"flow": "f_return", "expression": "decision == 'return'", "holds": False}
    assert second["flow"] == "f_hear" and second["holds"] is False
    assert {"name": "decision", "value": '"accept"'} in taken["data"]["values"]
    assert {"name": "is_large", "value": "false"} in taken["data"]["values"]
    assert {"name": "phone", "value": "withheld"} in taken["data"]["values"]


def test_a_key_that_another_case_registered_is_refused_to_the_person_and_changes_nothing(office: Office) -> None:
    first = to_archive(office, contract_no="HT-7")
    second = to_second(office, contract_no="HT-7")
    before = office.state()
    refusal = office.refused("复核员", cases.complete, office.item(second, "second"), ANSWERS["second"])
    assert isinstance(refusal, Taken)
    assert office.row(first)["number"] in refusal.text.zh
    assert office.row(first)["number"] in refusal.text.en
    assert office.state() == before
    assert office.sound()


# Messages.


def test_a_message_is_taken_where_it_is_awaited_as_often_as_it_comes(office: Office) -> None:
    case = to_archive(office)
    for number in (1, 2):
        office.act("甲", cases.send, case, "changed", {"what": f"第 {number} 次"})
        assert office.kinds(case)[-3:] == ["message.sent", "message.received", "end.reached"]
    assert list(office.items(case)) == ["archive"]
    sent = [row for row in office.look(inbox.submissions, case) if row["element"] == "changed"]
    assert len(sent) == 2
    assert office.sound()


def test_a_message_nobody_awaits_is_refused_and_told(office: Office) -> None:
    case = office.start()
    before = office.state()
    refusal = office.refused("甲", cases.send, case, "changed", {"what": "地址"})
    assert isinstance(refusal, WrongState)
    assert attempt_told(office, case) == (office.who["甲"], "changed", ["state", "not_open"])
    assert office.state()["counts"] == before["counts"] | {"event": before["counts"]["event"] + 1}


def test_a_message_of_a_stranger_is_refused_and_told(office: Office) -> None:
    case = to_archive(office)
    refusal = office.refused("乙", cases.send, case, "changed", {"what": "地址"})
    assert isinstance(refusal, NotYours)
    assert attempt_told(office, case) == (office.who["乙"], "changed", ["role"])
    assert list(office.items(case)) == ["archive"]


def test_a_message_with_a_bad_answer_changes_nothing(office: Office) -> None:
    case = to_archive(office)
    before = office.state()
    assert isinstance(office.refused("甲", cases.send, case, "changed", {}), Invalid)
    assert isinstance(office.refused("甲", cases.send, case, "changed", {"why": "x"}), Invalid)
    assert office.state() == before


def test_a_message_without_a_form_carries_no_answer_and_ends_the_case_where_it_is_drawn(office: Office) -> None:
    case = to_archive(office, amount_fen=600)
    before = office.state()
    assert isinstance(office.refused("市场办", cases.send, case, "fraud_found", {"why": "x"}), Unusable)
    assert office.state() == before
    office.act("市场办", cases.send, case, "fraud_found", {})
    assert office.row(case)["outcome"] == "revoked"
    assert "task.cancelled" in office.kinds(case)
    refusal = office.refused("市场办", cases.send, case, "fraud_found", {})
    assert isinstance(refusal, WrongState)
    assert office.sound()


def test_a_sender_by_expression_may_be_nobody(office: Office) -> None:
    case = to_archive(office, amount_fen=400)
    refusal = office.refused("市场办", cases.send, case, "fraud_found", {})
    assert isinstance(refusal, WrongState)
    assert refusal.reasons == ("state",)
    assert attempt_told(office, case) == (office.who["市场办"], "fraud_found", ["state"])


# Withdrawing.


def test_the_applicant_withdraws_by_the_built_in_rule_and_what_was_open_is_cancelled(office: Office) -> None:
    case = office.start()
    task = office.item(case, "review")
    office.act("登记员", items.claim, task)
    office.act("甲", cases.withdraw, case, {"reason": "资金未到位"})
    row = office.row(case)
    assert (row["status"], row["outcome"]) == ("closed", "withdrawn")
    assert office.items(case) == {}
    assert office.look(inbox.timers, case) == []
    assert office.look(inbox.task, task)["closed_how"] == "cancelled"
    assert [kind for kind in office.kinds(case) if kind in ("case.withdrawn", "task.cancelled", "case.closed")] == [
        "case.withdrawn",
        "task.cancelled",
        "case.closed",
    ]
    told = next(body for body in office.bodies(case) if body["type"] == "case.withdrawn")
    assert "资金未到位" not in str(told)
    [_, kept] = office.look(inbox.submissions, case)
    assert "资金未到位" in kept["answer"] and kept["commitment"] == told["data"]["commitment"]
    refusal = office.refused("登记员", cases.complete, task, ANSWERS["review"])
    assert isinstance(refusal, AlreadyDone)
    assert refusal.reasons == ("not_open",)
    assert office.sound()


def test_a_case_is_withdrawn_only_once(office: Office) -> None:
    case = office.start()
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    before = office.state()
    refusal = office.refused("甲", cases.withdraw, case, {"reason": "不办了"})
    assert isinstance(refusal, WrongState)
    assert office.kinds(case).count("case.withdrawn") == 1
    assert attempt_told(office, case) == (office.who["甲"], "withdraw", ["state"])
    assert office.state()["counts"] == before["counts"] | {"event": before["counts"]["event"] + 1}
    assert office.row(case)["outcome"] == "withdrawn"


def test_nobody_but_the_applicant_withdraws(office: Office) -> None:
    case = office.start()
    for name in ("乙", "登记员", "管理员"):
        refusal = office.refused(name, cases.withdraw, case, {"reason": "不办了"})
        assert isinstance(refusal, NotYours)
        assert attempt_told(office, case) == (office.who[name], "withdraw", ["role"])
    assert list(office.items(case)) == ["review"]


@pytest.mark.parametrize("answer", [{}, {"reason": ""}, {"reason": "  "}, {"reason": None}])
def test_a_withdrawal_needs_its_reason(office: Office, answer: dict[str, Any]) -> None:
    case = office.start()
    before = office.state()
    office.refused("甲", cases.withdraw, case, answer)
    assert office.state() == before


def test_after_the_decision_it_is_too_late_to_withdraw(office: Office) -> None:
    case = to_archive(office)
    refusal = office.refused("甲", cases.withdraw, case, {"reason": "不办了"})
    assert isinstance(refusal, WrongState)
    assert attempt_told(office, case) == (office.who["甲"], "withdraw", ["state"])
    assert list(office.items(case)) == ["archive"]


def test_a_point_of_no_return_in_a_called_process_counts_too(office: Office) -> None:
    case = office.start("caller")
    office.do(case, "look_up", "专家一")
    refusal = office.refused("甲", cases.withdraw, case, {"reason": "不办了"})
    assert isinstance(refusal, WrongState)
    assert list(office.items(case)) == ["read"]


def test_a_drawn_withdrawal_takes_the_place_of_the_built_in_one(office: Office) -> None:
    case = office.start("watch")
    refusal = office.refused("乙", cases.withdraw, case, {"reason": "不办了"})
    assert isinstance(refusal, NotYours)
    assert isinstance(office.refused("甲", cases.withdraw, case, {}), Invalid)
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    row = office.row(case)
    assert (row["status"], row["outcome"]) == ("closed", "withdrawn")
    assert "message.received" in office.kinds(case) and "case.withdrawn" not in office.kinds(case)
    refusal = office.refused("甲", cases.withdraw, case, {"reason": "不办了"})
    assert isinstance(refusal, WrongState)
    assert office.sound()


def test_where_the_drawn_withdrawal_is_over_it_is_refused_by_state(office: Office) -> None:
    case = office.start("watch")
    office.do(case, "handle", "登记员")
    refusal = office.refused("甲", cases.withdraw, case, {"reason": "不办了"})
    assert isinstance(refusal, WrongState)
    assert "state" in refusal.reasons
    assert office.row(case)["status"] == "open"


# What is closed stays closed.


def test_nothing_moves_a_case_that_is_closed(office: Office) -> None:
    case = office.start()
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    office.later(days=60)
    state = office.row(case)["state"]
    assert isinstance(office.refused("甲", cases.send, case, "changed", {"what": "x"}), WrongState)
    assert isinstance(office.refused("甲", cases.withdraw, case, {"reason": "x"}), WrongState)
    assert office.row(case)["state"] == state
    assert office.row(case)["status"] == "closed"
