"""What only two people may do: one proposes, another carries it out, both as themselves, and all of it is told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine import cases, proposals
from engine.errors import NotFound, NotYours, Unusable, WrongState
from engine.trail import epochs, recovery
from engine.trail.record import FRESH, Halted
from engine.trail.sealing import Sealing
from engine.trail.signer import Rewritten, Signer
from forms.words import Text
from tests.office import Office
from tests.test_sealing import rechained
from tests.test_trail import behind_its_back
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]

BASIS = "本人书面申请，《个人信息保护法》第四十七条"


@pytest.fixture
def case(office: Office) -> str:
    office.hire("纪检", "discipline_office")
    made = office.start()
    office.act("甲", cases.withdraw, made, {"reason": "不办了"})
    return made


def test_an_erasure_is_proposed_by_one_and_carried_out_by_another(office: Office, case: str) -> None:
    made = office.act("合规", proposals.propose_erasure, office.who["甲"], BASIS)
    told = office.last("sys/privacy")
    assert (told["type"], told["actor"]["id"]) == ("erasure.proposed", office.who["合规"])
    assert told["data"] == {"proposal": made, "subject": office.who["甲"], "reason": BASIS}
    (waiting,) = office.look(proposals.waiting, by="管理员")
    assert (waiting.id, waiting.by, waiting.subject) == (made, office.who["合规"], office.who["甲"])
    refusal = office.refused("合规", proposals.carry_out, made)
    assert isinstance(refusal, NotYours) and refusal.reasons == ("four_eyes",)
    office.act("管理员", proposals.carry_out, made)
    done = office.last("sys/privacy")
    assert (done["type"], done["actor"]["id"]) == ("privacy.erased", office.who["管理员"])
    assert (done["data"]["proposal"], done["data"]["approved_by"]) == (made, office.who["合规"])
    assert done["data"]["values"] > 0
    assert office.look(proposals.waiting, by="管理员") == []
    assert isinstance(office.refused("管理员", proposals.carry_out, made), NotFound)
    assert office.sound()


def test_a_proposal_may_be_dropped_and_then_nobody_carries_it_out(office: Office, case: str) -> None:
    made = office.act("合规", proposals.propose_erasure, office.who["甲"], BASIS)
    office.act("合规", proposals.drop, made)
    assert office.last("sys/privacy")["data"] == {"proposal": made}
    assert office.look(proposals.waiting, by="管理员") == []
    assert isinstance(office.refused("管理员", proposals.carry_out, made), NotFound)
    assert [body["type"] for body in office.bodies("sys/privacy")] == ["erasure.proposed", "proposal.dropped"]


def test_only_the_right_people_propose_with_a_reason_and_when_every_case_is_closed(office: Office, case: str) -> None:
    for name in ("甲", "纪检"):
        refusal = office.refused(name, proposals.propose_erasure, office.who["甲"], BASIS)
        assert isinstance(refusal, NotYours) and refusal.reasons == ("role",)
        assert refusal.text.zh.endswith("下列角色之一：合规专员、系统管理员")
    assert isinstance(office.refused("合规", proposals.propose_erasure, office.who["甲"], " "), Unusable)
    office.start(contract_no="HT-2")
    refusal = office.refused("合规", proposals.propose_erasure, office.who["甲"], BASIS)
    assert isinstance(refusal, WrongState) and "still open" in refusal.text.en
    assert office.bodies("sys/privacy") == []


def test_a_recovery_is_proposed_and_approved_while_everything_else_is_read_only(
    office: Office, case: str, tmp_path: Path
) -> None:
    assert isinstance(office.refused("合规", proposals.propose_recovery, "恢复了备份"), WrongState)
    with office.database.look("system") as work:
        signer = Signer.of(work, tmp_path / "signer")
    sealing = Sealing(office.database, signer)
    sealing.once()
    behind_its_back(office, *rechained(office, case))
    office.later(days=1)
    sealing.looked = None
    with pytest.raises(Rewritten):
        sealing.once()
    office.later(seconds=2 * FRESH.total_seconds())
    assert isinstance(office.refused("甲", cases.start, "permit", {}), Halted)
    made = office.act("纪检", proposals.propose_recovery, "恢复了备份")
    assert isinstance(office.refused("纪检", proposals.carry_out, made), NotYours)
    office.act("合规", proposals.carry_out, made)
    told = office.last("sys/log")
    assert (told["type"], told["data"]["proposal"]) == ("log.recovered", made)
    assert told["data"]["approved_by"] == office.who["纪检"]
    with pytest.raises(Rewritten, match="its end was changed"):  # it is no backup that was put back, but a rewriting
        recovery.recover(signer, office.database)


def test_on_the_page_one_proposes_and_another_carries_it_out(office: Office, case: str) -> None:
    first, second = reader_of(office, "合规"), reader_of(office, "管理员")
    page = first.get("/proposals")
    assert page.heading == "两人共办" and "没有等待办理的提议" in page.text
    asked = {"who": "没有此人", "reason": BASIS}
    wrong = first.submit(page, asked, action="/proposals/erasures", status=404)
    assert "没有“没有此人”这个人" in wrong.text
    seen = first.submit(page, {**asked, "who": "甲"}, action="/proposals/erasures")
    assert "删除甲的个人信息" in seen.text and "须由他人办理" in seen.text
    (waiting,) = office.look(proposals.waiting, by="管理员")
    where = f"/proposals/{waiting.id}"
    seen = second.get("/proposals")
    second.submit(seen, action=f"{where}/approval")
    assert office.last("sys/privacy")["type"] == "privacy.erased"
    assert "没有等待办理的提议" in second.get("/proposals").text
    gone = first.submit(seen, action=f"{where}/end", status=404)
    assert "已有人办理" in gone.text


def test_others_do_not_see_the_page(office: Office, case: str) -> None:
    assert "本页供合规、纪检和系统管理员使用" in reader_of(office, "登记员").get("/proposals", status=403).text
    page = reader_of(office, "纪检").get("/proposals")
    assert "恢复封存" in page.text and "依法删除个人信息" not in page.text


def test_while_everything_is_read_only_every_page_says_why(office: Office, case: str) -> None:
    with office.database.work("signer") as work:
        epochs.halt(work, Text("拒绝封存：第 3 期被改动", "refused to sign: epoch 3 was changed"))
    office.later(seconds=2 * FRESH.total_seconds())
    seen = reader_of(office, "合规").get("/inbox")
    assert "拒绝封存：第 3 期被改动" in seen.text
    assert "/proposals" in seen.links().values()
    assert "/proposals" not in reader_of(office, "登记员").get("/inbox").links().values()


def test_two_people_who_decide_at_one_time_decide_once(office: Office, case: str) -> None:
    made = office.act("合规", proposals.propose_erasure, office.who["甲"], BASIS)
    office.hire("管理员二", "sysadmin")
    ready, ends = threading.Barrier(2), []

    def decide(name: str, verb: Any) -> None:
        ready.wait()
        try:
            office.act(name, verb, made)
            ends.append("done")
        except NotFound:
            ends.append("too late")

    deciders = [
        threading.Thread(target=decide, args=each)
        for each in (("管理员", proposals.carry_out), ("管理员二", proposals.drop))
    ]
    for each in deciders:
        each.start()
    for each in deciders:
        each.join()
    assert sorted(ends) == ["done", "too late"]
    assert len(office.bodies("sys/privacy")) == 2
