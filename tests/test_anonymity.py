"""Whoever objects without a name is named to nobody who handles the objection; the trail and those who oversee know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import cases, evidence, inbox
from engine.errors import NotYours
from engine.trail import jobs
from engine.trail.bundle import export
from engine.trail.material import View
from engine.worker import run_due
from tests.bundles import unzipped
from tests.office import Office
from tests.test_publicity import OBJECTION, PDF, do, opened, publicising
from tests.test_trail import behind_its_back
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished"]
__all__ = ["publicising"]

NAMELESS = {key: value for key, value in OBJECTION.items() if key != "objector_name"} | {
    "is_anonymous": True, "evidence": [{"file": "异议证据.pdf", "data": PDF}],
}  # fmt: skip
UNNAMED = "匿名异议人"


def objected(office: Office, by: str, objection: dict[str, Any] = NAMELESS) -> str:
    """A case in whose publicity somebody objected and was answered."""
    for name, role in (("纪检", "discipline_office"), ("流程", "process_owner")):
        office.hire(name, role)
    case = opened(office)
    office.later(hours=1)
    office.act(by, cases.send, case, "objection", objection)
    office.later(hours=1)
    do(office, case, "objection_acceptance", "评议", accepted=True)
    record = {"file": "记录.pdf", "data": PDF}
    do(office, case, "objection_investigation", "评议", findings="查明", hearing_record=record)
    do(office, case, "objection_conclusion", "评议", result="rejected")
    return case


def replied(office: Office, case: str) -> None:
    do(office, case, "objection_reply", "评议", reply="价格依据评估报告", replied_on="2026-03-02")


def read_by(office: Office, name: str, case: str) -> str:
    """All that the pages of a case say to somebody, who need not be able to do anything in it."""
    reader = reader_of(office, name)
    return "".join(reader.get(f"/cases/{case}{page}").response.text for page in ("", "/trail", "/verification"))


def test_who_objects_without_a_name_is_named_to_nobody_who_handles_it(publicising: Office) -> None:
    case = objected(publicising, "路人")
    reply = publicising.items(case)["objection_reply"]
    seen = reader_of(publicising, "评议").get(f"/tasks/{reply}").response.text
    replied(publicising, case)
    for name in ("评议", "公示员", "披露人"):
        seen += read_by(publicising, name, case)
        assert "路人" not in seen and publicising.who["路人"] not in seen
        assert f"{UNNAMED}提交了“提出异议”" in seen and f"已通知{UNNAMED}" in seen
    assert publicising.sound()


def test_those_who_oversee_know_who_it_was_and_so_does_the_trail(publicising: Office) -> None:
    case = objected(publicising, "路人")
    replied(publicising, case)
    for name in ("合规", "纪检"):
        seen = read_by(publicising, name, case)
        assert "路人提交了“提出异议”" in seen and "已通知路人" in seen and UNNAMED not in seen
    [sent] = [body for body in publicising.bodies(case) if body["type"] == "message.sent"]
    assert sent["actor"]["id"] == publicising.who["路人"]


def test_who_objects_by_name_is_named(publicising: Office) -> None:
    case = objected(publicising, "路人", OBJECTION)
    replied(publicising, case)
    seen = read_by(publicising, "评议", case)
    assert "路人提交了“提出异议”" in seen and UNNAMED not in seen


def test_what_they_do_besides_in_the_case_is_theirs(publicising: Office) -> None:
    publicising.hire("评议二", "objection_panel")
    case = objected(publicising, "披露人")
    replied(publicising, case)
    seen = read_by(publicising, "评议", case)
    assert "披露人提出申请" in seen and f"{UNNAMED}提交了“提出异议”" in seen and "披露人提交了“提出异议”" not in seen
    own = read_by(publicising, "披露人", case)
    assert "披露人提交了“提出异议”" in own and UNNAMED not in own


def test_what_they_add_or_try_again_does_not_give_them_away(publicising: Office) -> None:
    case = objected(publicising, "披露人")
    publicising.later(hours=1)
    [answer] = [row for row in publicising.look(inbox.submissions, case) if row["element"] == "objection"]
    publicising.act("披露人", evidence.correct, case, answer["id"], "statement", "略低", "笔误")
    replied(publicising, case)
    publicising.later(days=20)
    run_due(publicising.database)
    publicising.refused("披露人", cases.send, case, "objection", NAMELESS)
    reader = reader_of(publicising, "评议")
    seen = reader.get(f"/cases/{case}").response.text
    assert f"{UNNAMED}更正了" in seen and f"{UNNAMED}试图提出异议" in seen
    assert "披露人更正了" not in seen and "披露人试图" not in seen
    assert publicising.who["披露人"] not in seen


def reports(office: Office, case: str, actor: str, view: View) -> tuple[str, str]:
    """What people and other programs read of a bundle, and its events."""
    files = unzipped(export(office.database, case, actor, view=view, patience=0).data)
    read = [data.decode() for name, data in files.items() if name.startswith(("report/", "tables/", "derived/"))]
    return "".join(read), files["trail/events.jsonl"].decode()


def test_the_report_names_them_only_to_those_who_may_know(publicising: Office) -> None:
    case = objected(publicising, "路人")
    replied(publicising, case)
    who = publicising.who
    behind_its_back(publicising, f"UPDATE person SET organisation = '某研究所' WHERE id = '{who['路人']}'")
    with pytest.raises(NotYours, match="without giving a name"):
        export(publicising.database, case, who["评议"], view=View(person=who["评议"]), patience=0)
    refusal = publicising.refused("评议", jobs.ask, [case], person=who["评议"])
    assert isinstance(refusal, NotYours)
    views = {who["管理员"]: View(), "system": View(redacted=True)}
    for actor, view in views.items():
        text, events = reports(publicising, case, actor, view)
        assert UNNAMED in text and "路人" not in text and who["路人"] not in text and "某研究所" not in text
        assert any(json.loads(line)["actor"]["id"] == who["路人"] for line in events.splitlines())
    for actor in (who["合规"], who["纪检"], "system"):
        text, _ = reports(publicising, case, actor, View())
        assert "路人" in text and UNNAMED not in text
