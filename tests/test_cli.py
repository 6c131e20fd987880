"""The command line: every command does what it says, says no in a sentence on stderr, and exits 0, 1 or 2."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from click.testing import CliRunner

from engine import inbox, people
from tests.commands import done, refused, rows, run
from tests.conftest import NewDatabase
from tests.office import ANSWERS, NewOffice, Office
from webui.cli import main

pytest_plugins = ["tests.furnished"]

HOME = Path(__file__).resolve().parents[1]
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ISSUED = """
serve worker test demo check deploy scenario/run case/start case/list case/show inbox task/complete trail/verify
trail/show bench/step db/upgrade db/backup db/restore library/copy person/add
"""


@pytest.fixture
def answer(tmp_path: Path) -> Callable[..., str]:
    """Writes an answer to a file; gives its path."""

    def write(element: str, **changed: Any) -> str:
        path = tmp_path / f"{element}.yaml"
        path.write_text(json.dumps({**ANSWERS[element], **changed}, ensure_ascii=False), encoding="utf-8")
        return str(path)

    return write


def names(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from names(command, f"{path}{name}/")
        else:
            yield f"{path}{name}"


def test_every_command_that_was_ordered_is_there_and_explains_itself() -> None:
    assert set(ISSUED.split()) <= set(names(main))
    for command in sorted(set(names(main)) - {"test"}):  # which hands everything on to ./liuhen test
        result = CliRunner().invoke(main, [*command.split("/"), "--help"])
        assert result.exit_code == 0
        assert re.search(r"^  \S.*[.]", result.stdout, re.MULTILINE), command


# Cases.


def test_a_case_is_played_by_commands_from_its_start_to_its_end(office: Office, answer: Callable[..., str]) -> None:
    url = office.url
    (Path(answer("apply")).parent / "方案.pdf").write_bytes(PDF)
    start = answer("apply", amount_fen=200_000, plan={"file": "方案.pdf"})
    case = done(url, "case", "start", "permit", "--by", "甲", "--with", start)
    [listed] = rows(url, "case", "list")
    assert (listed["id"], listed["status"], listed["applicant"]) == (case, "open", office.who["甲"])
    assert listed["number"] in done(url, "case", "list")
    review = answer("review", hearers=["专家一"])
    for element, name, source in (
        ("review", "登记员", review),
        ("hearing", "专家一", answer("hearing")),
        ("second", "负责人", answer("second")),
        ("archive", "登记员", answer("archive")),
    ):
        [item] = rows(url, "inbox", name)
        assert (item["element"], item["case"]) == (element, case)
        assert done(url, "task", "complete", item["id"], "--by", name, "--with", source) == case
        assert rows(url, "inbox", name) == [] or element == "second"
    shown = json.loads(done(url, "case", "show", listed["number"], "--json"))
    assert (shown["id"], shown["status"], shown["outcome"]) == (case, "closed", "registered")
    assert [item["element"] for item in shown["items"]] == ["apply", "review", "hearing", "second", "archive"]
    events = rows(url, "trail", "show", case)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["kind"] == "case.closed"
    assert len(done(url, "trail", "show", listed["number"]).splitlines()) == len(events)
    verdict = json.loads(done(url, "trail", "verify", "--all", "--json"))
    assert (verdict["intact"], verdict["flaws"]) == (True, [])
    assert verdict["events"] > len(events)
    assert json.loads(done(url, "trail", "verify", case, "--json"))["events"] == len(events)
    [document] = office.look(inbox.documents, case)
    assert document["name"] == "方案.pdf"


def test_an_answer_may_come_from_stdin(office: Office) -> None:
    case = done(office.url, "case", "start", "permit", "--by", "甲", "--with", "-", said=json.dumps(ANSWERS["apply"]))
    assert office.row(case)["status"] == "open"


def test_a_work_item_may_be_named_by_its_case_and_element(office: Office, answer: Callable[..., str]) -> None:
    url, case = office.url, office.start(amount_fen=200_000)
    number = office.row(case)["number"]
    said = refused(url, 1, "task", "complete", f"{number}/archive", "--by", "登记员", "--with", answer("archive"))
    assert number in said and "archive" in said
    review = answer("review", hearers=["专家一"])
    assert done(url, "task", "complete", f"{number}/review", "--by", "登记员", "--with", review) == case
    assert done(url, "task", "complete", f"{case}/hearing", "--by", "专家一", "--with", answer("hearing")) == case


def test_refusals_are_sentences_with_exit_1_and_change_nothing(office: Office, answer: Callable[..., str]) -> None:
    url, case = office.url, office.start()
    task = office.item(case, "review")
    before = office.state()["cases"]
    said = refused(url, 1, "task", "complete", task, "--by", "复核员", "--with", answer("review"))
    assert "复核员" in said and "candidate" in said
    said = refused(url, 1, "task", "complete", task, "--by", "登记员", "--with", answer("review", decision="x", y=1))
    assert re.search(r"^decision: ", said, re.MULTILINE) and re.search(r"^y: ", said, re.MULTILINE)
    assert "nobody" in refused(url, 1, "inbox", "无人")
    assert "nothing" in refused(url, 1, "case", "show", "nothing")
    assert "nothing" in refused(url, 1, "trail", "show", "nothing")
    assert "nothing" in refused(url, 1, "task", "complete", "nothing", "--by", "登记员", "--with", answer("review"))
    assert "nothing" in refused(url, 1, "case", "start", "nothing", "--by", "甲", "--with", answer("apply"))
    assert "candidate" in refused(url, 1, "case", "start", "permit", "--by", "登记员", "--with", answer("apply"))
    stranger = answer("review", hearers=["无人"])
    assert "nobody" in refused(url, 1, "task", "complete", task, "--by", "登记员", "--with", stranger)
    after = office.state()["cases"]
    assert [row["step"] for row in after.values()] == [row["step"] for row in before.values()]
    assert office.bodies(case)[-1]["type"] == "attempt.refused"
    done(url, "task", "complete", task, "--by", "登记员", "--with", answer("review"))
    said = refused(url, 1, "task", "complete", task, "--by", "登记员二", "--with", answer("review"))
    assert "登记员" in said and "already" in said


@pytest.mark.parametrize(
    "content",
    [
        b"", b"- a\n- b\n", b"a: [", b"\xff\xfe", b"a: 1\na: 2\n", b"a: &x 1\nb: *x\n", b"just words",
        b"a: !!python/object 1",
    ],
    ids=["empty", "a list", "cut short", "not text", "a key twice", "an anchor", "words", "a tag"],
)
def test_an_unreadable_answer_is_refused_with_exit_2(office: Office, tmp_path: Path, content: bytes) -> None:
    before = office.state()
    (tmp_path / "a.yaml").write_bytes(content)
    assert refused(office.url, 2, "case", "start", "permit", "--by", "甲", "--with", str(tmp_path / "a.yaml"))
    assert office.state() == before


def test_a_file_that_is_not_there_is_refused_with_exit_2(office: Office, answer: Callable[..., str]) -> None:
    before = office.state()
    assert "cannot read" in refused(office.url, 2, "case", "start", "permit", "--by", "甲", "--with", "nothing.yaml")
    source = answer("apply", plan={"file": "nothing.pdf"})
    assert "nothing.pdf" in refused(office.url, 2, "case", "start", "permit", "--by", "甲", "--with", source)
    assert office.state() == before


def test_an_upload_that_is_not_what_it_says_is_refused_with_exit_1(office: Office, answer: Callable[..., str]) -> None:
    before = office.state()
    source = answer("apply", plan={"file": "方案.pdf"})
    (Path(source).parent / "方案.pdf").write_bytes(b"MZ\x90\x00" + b"\0" * 100)
    said = refused(office.url, 1, "case", "start", "permit", "--by", "甲", "--with", source)
    assert "方案.pdf" in said and "Windows" in said
    assert office.state() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["case", "start", "permit"],
        ["case", "start", "permit", "--by", "甲"],
        ["case", "nonsense"],
        ["trail", "verify"],
        ["trail", "verify", "x", "--all"],
        ["check"],
        ["demo", "--cases", "-1"],
        ["demo", "--cases", "many"],
        ["case", "list", "--xml"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2(office: Office, arguments: list[str]) -> None:
    before = office.state()
    assert refused(office.url, 2, *arguments)
    assert office.state() == before


# The database.


def test_an_upgrade_makes_a_database_with_the_library_and_then_finds_nothing_to_do(empty_database_url: str) -> None:
    for _ in range(2):
        assert done(empty_database_url, "db", "upgrade") == "ok"
    assert rows(empty_database_url, "case", "list") == []
    verdict = json.loads(done(empty_database_url, "trail", "verify", "--all", "--json"))
    assert verdict["intact"] and verdict["events"] > 0


def test_a_backup_comes_back_in_an_empty_database_of_either_kind(
    office: Office, new_database: NewDatabase, tmp_path: Path
) -> None:
    case, dump = office.start(), str(tmp_path / "all.zip")
    (tmp_path / "words.zip").write_text("these are words")
    assert done(office.url, "db", "backup", dump) == dump
    other = new_database("postgresql" if office.database.sqlite else "sqlite", empty=True)
    assert done(other, "db", "restore", dump) == "ok"
    assert [row["id"] for row in rows(other, "case", "list")] == [case]
    assert json.loads(done(other, "trail", "verify", "--all", "--json"))["intact"]
    before = office.state()
    assert "not empty" in refused(office.url, 1, "db", "restore", dump)
    for name in ("nothing.zip", "words.zip"):
        assert refused(new_database("sqlite", empty=True), 2, "db", "restore", str(tmp_path / name))
    assert office.state() == before


def test_an_address_that_is_none_is_exit_2_and_a_database_that_cannot_be_used_exit_1(tmp_path: Path) -> None:
    (tmp_path / "words.db").write_text("these are words and no database" * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other, other:
        other.execute("CREATE TABLE mine (a TEXT)")
    for url in ("mysql://localhost/x", "nonsense://"):
        assert refused(url, 2, "case", "list"), url
    for url in (
        "postgresql://nobody@localhost:1/x?connect_timeout=1",
        str(tmp_path),
        str(tmp_path / "words.db"),
        str(tmp_path / "other.db"),
    ):
        assert refused(url, 1, "case", "list"), url


def test_a_broken_trail_is_told_with_its_place_and_exit_1(office: Office) -> None:
    case = office.start()
    office.close()
    edit = f"UPDATE event SET hash = 'x' WHERE stream = 'case/{case}' AND seq = 2"
    if office.database.sqlite:
        with closing(sqlite3.connect(office.url.removeprefix("sqlite:///"))) as database, database:
            kept = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in kept:
                database.execute(f"DROP TRIGGER {name}")
            database.execute(edit)
            for _, statement in kept:
                database.execute(statement)
    else:
        with psycopg.connect(office.url) as server:
            server.execute("ALTER TABLE event DISABLE TRIGGER ALL")
            server.execute(edit)
            server.execute("ALTER TABLE event ENABLE TRIGGER ALL")
            for name in ("event_no_change", "event_no_row_change", "event_follows"):
                server.execute(f"ALTER TABLE event ENABLE ALWAYS TRIGGER {name}")
    for arguments in (("--all",), (case,)):
        result = run(office.url, "trail", "verify", *arguments, "--json")
        assert result.exit_code == 1
        verdict = json.loads(result.stdout)
        assert not verdict["intact"]
        assert {(flaw["id"], flaw["seq"]) for flaw in verdict["flaws"]} >= {(f"case/{case}", 2)}
    assert run(office.url, "trail", "verify", "--all").exit_code == 1


# People, timers, demo data.


def test_people_are_added_with_roles_and_may_get_a_password(office: Office) -> None:
    made = done(office.url, "person", "add", "zhao", "赵一", "--role", "registrar", "--role", "expert")
    assert made.startswith("p-")
    office.start()
    assert [row["element"] for row in rows(office.url, "inbox", "zhao")] == ["review"]
    before = office.state()
    assert "nothing_such" in refused(office.url, 2, "person", "add", "a", "b", "--role", "nothing_such")
    assert "zhao" in refused(office.url, 1, "person", "add", "zhao", "赵二")
    assert "12" in refused(office.url, 1, "person", "add", "qian", "钱", "--password-stdin", said="short\n")
    assert office.state() == before
    done(office.url, "person", "add", "qian", "钱", "--password-stdin", said="a long enough password\n")
    assert "12" in refused(office.url, 1, "person", "password", "qian", said="short\n")
    done(office.url, "person", "password", "qian", said="quite another password\n")
    with office.database.look("system") as work:
        found = people.row_by_login(work, "qian")
    assert found is not None and people.password_fits(found["password"], "quite another password")
    assert office.last("sys/people")["type"] == "password.set"


def test_roles_are_given_and_taken_and_whoever_has_left_is_let_out(office: Office) -> None:
    done(office.url, "person", "grant", "路人", "registrar")
    done(office.url, "person", "revoke", "登记员", "registrar")
    done(office.url, "person", "deactivate", "登记员二")
    office.start()
    assert [rows(office.url, "inbox", who) == [] for who in ("路人", "登记员", "登记员二")] == [False, True, True]
    assert "nothing_such" in refused(office.url, 2, "person", "grant", "路人", "nothing_such")
    assert "登记员" in refused(office.url, 1, "person", "revoke", "登记员", "registrar")
    assert "登记员二" in refused(office.url, 1, "person", "deactivate", "登记员二")
    told = [body["type"] for body in office.bodies("sys/people")[-3:]]
    assert told == ["role.granted", "role.revoked", "person.deactivated"] and office.sound()


def test_a_worker_fires_what_is_due_once(office: Office) -> None:
    case = office.start("watch")  # on 2 March 2026; the command line's clock is the computer's, which is later
    assert int(done(office.url, "worker", "--once")) >= 1
    assert list(office.items(case)) == ["escalated"]
    assert done(office.url, "worker", "--once") == "0"


def test_demo_cases_are_played_through_the_engine(new_database: NewDatabase) -> None:
    url = new_database("sqlite")
    done(url, "demo", "--cases", "3", "--seed", "7")
    listed = rows(url, "case", "list")
    assert len([row for row in listed if row["process"] != "register_account"]) >= 1
    assert len(listed) >= 3
    assert json.loads(done(url, "trail", "verify", "--all", "--json"))["intact"]
    assert rows(url, "inbox", "demo.registrar1") is not None


# As a program.


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own, in an environment that knows nothing of Chinese."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "LIUHEN_"))}
    return subprocess.run(
        [sys.executable, "-P", "-m", "webui", *arguments],
        env={**plain, "LC_ALL": "C", "PYTHONPATH": str(HOME), **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_the_program_speaks_chinese_in_any_environment_and_tells_its_streams_apart(new_office: NewOffice) -> None:
    office = new_office("postgresql")
    case = office.start()
    office.close()
    listed = program("case", "list", "--json", LIUHEN_DATABASE_URL=office.url)
    assert listed.returncode == 0 and listed.stderr == b""
    assert json.loads(listed.stdout.decode())[0]["title"] == "屋顶光伏"
    refusal = program("--database", office.url, "task", "complete", f"{case}.99", "--by", "甲", "--with", "/dev/null")
    assert refusal.returncode == 2
    assert refusal.stdout == b"" and refusal.stderr.decode().strip()


def test_a_worker_process_ends_quietly_when_it_is_told_to(new_office: NewOffice) -> None:
    office = new_office("sqlite")
    case = office.start("watch")
    office.close()
    command = [sys.executable, "-P", "-m", "webui", "--database", office.url, "worker"]
    worker = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(HOME)}, stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            if "escalated" in office.items(case):
                break
            with pytest.raises(subprocess.TimeoutExpired):
                worker.wait(0.1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        _, cry = worker.communicate()
    assert list(office.items(case)) == ["escalated"]
    assert b"Traceback" not in cry
    assert office.sound()


