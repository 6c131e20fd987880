"""Messages and signals from the command line: they start cases, come to cases that wait, and are refused in words."""

from __future__ import annotations

from pathlib import Path

from engine import cases
from engine.library import Package
from tests.begun import ASK, BELL, form, started_by, timer, waits_for
from tests.commands import done, refused, rows
from tests.office import Office

pytest_plugins = ["tests.furnished"]

QUESTION = form("question", matter="text, required: true", who="person", paper="file")


def asked(key: str = "begun") -> Package:
    package = started_by(ASK, key, sender="contract_applicant", form="question")
    return Package(key, {**package.files, **dict([QUESTION])})


def test_a_message_starts_a_case_with_people_and_files_of_its_answer(office: Office, tmp_path: Path) -> None:
    office.deploy(asked(), started_by(timer("P1D"), "later"))
    office.database.close()
    (tmp_path / "note.txt").write_text("说明", "utf-8")
    (tmp_path / "answer.yaml").write_text("matter: 何时\nwho: 登记员\npaper: {file: note.txt}\n", "utf-8")
    case = done(office.url, "message", "send", "ask", "--by", "甲", "--with", str(tmp_path / "answer.yaml"))
    assert office.row(case)["applicant"] == office.who["甲"]
    listed = {row["id"]: row for row in rows(office.url, "start", "list")}
    assert (listed["begun/s"]["kind"], listed["begun/s"]["name"]) == ("message", "ask")
    assert listed["later/s"]["due"]
    assert "不能以" in refused(office.url, 1, "message", "send", "ask", "--by", "登记员")
    assert "matter" in refused(office.url, 1, "message", "send", "ask", "--by", "甲")
    assert "is started by" in refused(office.url, 1, "message", "send", "nothing", "--by", "甲")


def test_of_several_processes_one_is_named(office: Office) -> None:
    office.deploy(started_by(ASK, sender="anyone"), started_by(ASK, "second", sender="anyone"))
    office.database.close()
    assert "begun, second" in refused(office.url, 1, "message", "send", "ask", "--by", "路人")
    case = done(office.url, "message", "send", "ask", "--by", "路人", "--process", "second")
    assert office.row(case)["process"] == "second"


def test_a_message_comes_to_a_case_that_awaits_it(office: Office) -> None:
    case = office.start("watch")
    number = office.row(case)["number"]
    office.database.close()
    assert "reason" in refused(office.url, 1, "message", "send", "withdraw", "--by", "甲", "--case", number)
    source = ("--with", "-")
    done(office.url, "message", "send", "withdraw", "--by", "甲", "--case", number, *source, said="reason: 不办了")
    assert office.row(case)["outcome"] == "withdrawn"


def test_a_signal_from_outside_says_how_many_are_to_hear_it(office: Office) -> None:
    office.deploy(waits_for(BELL), started_by(BELL))
    case = office.act("登记员", cases.start, "waiting", {"seen": True})
    office.database.close()
    assert "administrator" in refused(office.url, 1, "signal", "send", "bell", "--by", "登记员")
    assert "bel" in refused(office.url, 1, "signal", "send", "bel", "--by", "管理员")
    assert done(office.url, "signal", "send", "bell", "--by", "管理员") == "2"
    assert done(office.url, "worker", "--once") == "2"
    assert office.row(case)["status"] == "closed"
