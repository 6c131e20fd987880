"""What is kept beside the trail, under attack: cases, register records, calendar, policy texts, people and numbers."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from engine import calendar, cases, erasing, items, people, policies, registers, schema, suspending
from engine.library import Library
from engine.model import Event
from engine.trail.verdict import Verdict
from engine.trail.verify import verify
from engine.work import SYSTEM
from tests.commands import done
from tests.office import Office
from tests.test_trail import behind_its_back, found, rechained, said

pytest_plugins = ["tests.furnished"]

SPRING = {date(2027, 2, 11): False, date(2027, 2, 14): True}


@pytest.fixture
def case(office: Office) -> str:
    """A case with a register record and a number, another beside it, and an institution around them."""
    case = office.start()
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    office.start(contract_no="HT-2", amount_fen=70)
    with office.database.work(SYSTEM) as work:
        who = office.who
        people.delegate(work, who["登记员"], who["登记员二"], "registrar", date(2026, 3, 1), date(2026, 3, 9), "休假")
        people.recuse(work, who["登记员"], "亲属", party="某公司")
        policies.import_text(work, "002", "办法.md", "第一条 为了规范。".encode())
        calendar.override(work, SPRING, "单位安排")
        kinds = Library.standing().vocabulary().registers
        registers.record(work, kinds["contract"], "旧-1", {"status": "registered"}, case=None, element="import")
    assert found(office) == []
    return case


HERE = "\"case\" = '{case}'"
RECORD = (
    "INSERT INTO register_record (id, register, key, version, value, \"case\", element, at, salt) SELECT 'x', register"
)
IN_A_CASE = {
    "a variable edited": "UPDATE casefile SET scopes = replace(scopes, '300', '200') WHERE id = '{case}'",
    "a state edited": "UPDATE casefile SET state = replace(state, 'archive', 'second') WHERE id = '{case}'",
    "an amount edited": "UPDATE casefile SET amount_fen = 1 WHERE id = '{case}'",
    "a title edited": "UPDATE casefile SET title = 'x' WHERE id = '{case}'",
    "a number edited": "UPDATE casefile SET number = 'XK-2026-00009' WHERE id = '{case}'",
    "a case closed": "UPDATE casefile SET status = 'closed', outcome = 'registered' WHERE id = '{case}'",
    "a day of closing": "UPDATE casefile SET closed_at = opened_at WHERE id = '{case}'",
    "a day of opening": ("UPDATE casefile SET opened_at = '2025-01-01T00:00:00.000000Z' WHERE id = '{case}'"),
    "an applicant exchanged": "UPDATE casefile SET applicant = '{clerk}' WHERE id = '{case}'",
    "a parent given": "UPDATE casefile SET parent = '{other}' WHERE id = '{case}'",
    "another calendar": "UPDATE casefile SET calendar = 2 WHERE id = '{case}'",
    "another version": (
        "UPDATE casefile SET definition = (SELECT id FROM definition WHERE process = 'watch') WHERE id = '{case}'"
    ),
    "another reason to stand still": "UPDATE casefile SET stopped_for = 'litigation' WHERE id = '{case}'",
    "a salt exchanged": "UPDATE casefile SET salt = '00' WHERE id = '{case}'",
    "a salt that is none": "UPDATE casefile SET salt = 'x' WHERE id = '{case}'",
    "a salt removed": "UPDATE casefile SET salt = NULL WHERE id = '{case}'",
    "a record edited": "UPDATE register_record SET value = replace(value, '300', '200') WHERE " + HERE,
    "a record's salt exchanged": "UPDATE register_record SET salt = '00' WHERE " + HERE,
    "a record's salt removed": "UPDATE register_record SET salt = NULL WHERE " + HERE,
    "a record under another key": "UPDATE register_record SET key = 'HT-3' WHERE " + HERE,
    "a record in another register": "UPDATE register_record SET register = 'deal' WHERE " + HERE,
    "a record of another version": "UPDATE register_record SET version = 2 WHERE " + HERE,
    "a record removed": "DELETE FROM register_record WHERE " + HERE,
    "a record given to another case": "UPDATE register_record SET \"case\" = '{other}' WHERE " + HERE,
    "a record added": RECORD + ', key, 2, value, "case", element, at, salt FROM register_record WHERE ' + HERE,
    "a record added as if of before": (
        RECORD + ', key, 2, value, "case", element, at, NULL FROM register_record WHERE ' + HERE
    ),
}
ROLE = "INSERT INTO person_role (person, role) VALUES ('{stranger}', 'registrar')"
BESIDE = {
    "a record that no case wrote edited": "UPDATE register_record SET value = '{{}}' WHERE key = '旧-1'",
    "a record that no case wrote removed": "DELETE FROM register_record WHERE key = '旧-1'",
    "a record that no case wrote added": (
        RECORD + ", 'k', 1, value, \"case\", element, at, NULL FROM register_record WHERE key = '旧-1'"
    ),
    "a day of rest made a working day": "UPDATE calendar_day SET working = true WHERE day = '2027-02-11'",
    "another day": "UPDATE calendar_day SET day = '2027-02-12' WHERE day = '2027-02-11'",
    "a day removed": "DELETE FROM calendar_day WHERE day = '2027-02-14'",
    "a notice made an override": "UPDATE calendar_day SET source = 'notice' WHERE day = '2027-02-11'",
    "a version of the calendar added": (
        "INSERT INTO calendar_day (version, day, working, source, note)"
        " SELECT 99, day, true, source, note FROM calendar_day WHERE day = '2027-02-11'"
    ),
    "a version of the calendar removed": "DELETE FROM calendar_day WHERE day IN ('2027-02-11', '2027-02-14')",
    "a policy text edited": "UPDATE policy_text SET content = content || '第二条'",
    "a policy text edited with its hash": (
        "UPDATE policy_text SET content = 'x',"
        " sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'"
    ),
    "a policy text under another code": "UPDATE policy_text SET code = '003'",
    "a policy text removed": "DELETE FROM policy_text",
    "a role given": ROLE,
    "a role taken": "DELETE FROM person_role WHERE person = '{clerk}'",
    "a role moved to somebody else": "UPDATE person_role SET person = '{stranger}' WHERE person = '{clerk}'",
    "a person added": (
        "INSERT INTO person (id, login, name, organisation, language, active) VALUES ('p-x', 'x', 'x', '', 'zh', true)"
    ),
    "a delegation prolonged": "UPDATE delegation SET ends_on = '2030-01-01'",
    "a delegation of another role": "UPDATE delegation SET role = 'sysadmin'",
    "a delegation to somebody else": "UPDATE delegation SET substitute = '{stranger}'",
    "a delegation removed": "DELETE FROM delegation",
    "a delegation added": (
        "INSERT INTO delegation (id, person, substitute, role, starts_on, ends_on, reason)"
        " SELECT 'x', person, substitute, role, starts_on, ends_on, reason FROM delegation"
    ),
    "a recusal from another party": "UPDATE recusal SET party = '别的公司'",
    "a recusal of somebody else": "UPDATE recusal SET person = '{stranger}'",
    "a recusal removed": "DELETE FROM recusal",
    "a recusal added": (
        "INSERT INTO recusal (id, person, party, reason, declared_by, at)"
        " SELECT 'x', '{stranger}', party, reason, declared_by, at FROM recusal"
    ),
    "a counter set back": "UPDATE counter SET value = 1 WHERE series = 'XK-2026'",
    "a counter set forward": "UPDATE counter SET value = 7 WHERE series = 'XK-2026'",
    "a counter of an operation set forward": "UPDATE counter SET value = 7 WHERE series = 'XKZ-2026'",
    "a counter removed": "DELETE FROM counter WHERE series = 'XKZ-2026'",
    "what a version calls exchanged": "UPDATE definition SET uses = '{{}}' WHERE process = 'caller'",
}


@pytest.mark.parametrize("name", IN_A_CASE)
def test_what_is_changed_of_a_case_and_its_records_is_found(office: Office, case: str, name: str) -> None:
    behind_its_back(office, said(office, case, IN_A_CASE[name]))
    assert any(case in flaw for flaw in found(office))
    assert found(office, case)


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_changed_of_the_institution_is_found(office: Office, case: str, name: str) -> None:
    behind_its_back(office, said(office, case, BESIDE[name]))
    assert found(office)


def test_who_holds_a_role_that_was_never_granted_is_named(office: Office, case: str) -> None:
    behind_its_back(office, said(office, case, ROLE))
    [flaw] = found(office)
    assert office.who["路人"] in flaw and "registrar" in flaw


def test_a_role_taken_and_a_person_deactivated_are_told_and_cannot_come_back(office: Office, case: str) -> None:
    with office.database.work(SYSTEM) as work:
        people.revoke(work, office.who["双职"], "registrar")
        people.deactivate(work, office.who["双职"])
        assert people.standing(work, office.who["双职"]).roles == frozenset()
    assert [each["type"] for each in office.bodies("sys/people")[-2:]] == ["role.revoked", "person.deactivated"]
    assert office.sound()
    behind_its_back(office, f"UPDATE person SET active = true WHERE id = '{office.who['双职']}'")
    [flaw] = found(office)
    assert office.who["双职"] in flaw and "deactivated" in flaw


def test_a_case_that_vanished_with_its_trail_leaves_its_number(office: Office) -> None:
    office.start()
    office.start(contract_no="HT-2")
    gone = office.start(contract_no="HT-3")
    office.start(contract_no="HT-4")
    tables = ("task", "timer", "submission", "sealed_value")
    behind_its_back(
        office,
        *(f"DELETE FROM {table} WHERE \"case\" = '{gone}'" for table in tables),
        f"DELETE FROM deed WHERE stream = 'case/{gone}'",
        f"DELETE FROM event WHERE stream = 'case/{gone}'",
        f"DELETE FROM casefile WHERE id = '{gone}'",
    )
    assert [flaw for flaw in found(office) if "XK-2026 lacks 00003" in flaw] == found(office)


def test_what_was_changed_between_two_acts_is_found_for_ever(office: Office) -> None:
    """Such as an amount that is set low before a gateway is asked: the next act takes it for what it is."""
    case = office.start()
    behind_its_back(office, f"UPDATE casefile SET scopes = replace(scopes, '300', '200') WHERE id = '{case}'")
    assert "is not the one its trail is committed to" in found(office, case)[0]
    office.do(case, "review", "登记员")
    [flaw] = found(office, case)
    assert f"case/{case} {office.row(case)['seq']} before this act somebody had changed the case" in flaw
    office.act("登记员", items.comment, case, "后话")
    assert found(office, case) == found(office) == [flaw]


# What is lawful leaves the trail whole.


def test_every_way_to_put_a_case_back_is_committed_to(office: Office) -> None:
    """Drafts, remarks, returns, suspension, resumption, withdrawal: and each act has a salt of its own."""
    case, salts = office.start(), list[str]()

    def sound() -> None:
        assert office.sound()
        salts.append(office.row(case)["salt"])

    sound()
    office.act("登记员", items.save_draft, office.item(case, "review"), {"decision": "accept"})
    assert office.sound() and office.row(case)["salt"] == salts[-1]  # nothing was told: nothing has changed
    office.act("登记员", items.comment, case, "收到")
    sound()
    office.do(case, "review", "登记员", decision="return", reasons="不全")
    sound()
    office.do(case, "apply", "甲", subject="改名")
    assert office.row(case)["title"] == "屋顶光伏"
    sound()
    office.act("合规", suspending.suspend, case, "litigation", "诉讼")
    assert office.row(case)["status"] == "suspended"
    sound()
    office.later(days=30)
    office.act("合规", suspending.resume, case, "结案")
    sound()
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    assert office.row(case)["status"] == "closed"
    sound()
    assert len(set(salts)) == len(salts)


def test_after_an_erasure_the_trail_is_committed_to_what_is_left(office: Office) -> None:
    case = office.start()
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    before = office.row(case)
    office.act("合规", erasing.erase, office.who["甲"], office.who["管理员"], "本人申请")
    after = office.row(case)
    assert after["scopes"] != before["scopes"] and after["salt"] != before["salt"]
    assert office.last(case)["type"] == "privacy.erased" and office.sound()
    scopes = before["scopes"].replace("'", "''")
    behind_its_back(office, f"UPDATE casefile SET scopes = '{scopes}', salt = '{before['salt']}' WHERE id = '{case}'")
    assert found(office, case)


def test_what_a_salt_and_a_commitment_say_is_not_what_is_committed_to(office: Office, case: str) -> None:
    texts = json.dumps(office.bodies(case), ensure_ascii=False)
    told = [body["after"] for body in office.bodies(case) if "after" in body]
    assert len(told) == len(set(told)) == 3
    assert office.row(case)["salt"] not in texts
    [record] = [body["data"] for body in office.bodies(case) if body["type"] == "register.recorded"]
    assert set(record) == {"register", "key", "record", "version", "commit"}


# Databases of before.


def older(body: dict[str, Any]) -> None:
    """An event as it was told before there were commitments to more than answers."""
    data = body["data"]
    body.pop("after", None), body.pop("before", None)
    gone = {"case.started": ("number",), "calendar.loaded": ("sha256",), "recusal.declared": ("recusal", "commit")}
    gone["register.recorded"] = ("record", "version", "commit")
    for name in gone.get(body["type"], ()):
        data.pop(name, None)


def as_of_0003(office: Office) -> None:
    """Make the database what it would be if the Liuhen of the revision 0003 had filled it."""
    with office.database.look(SYSTEM) as work:
        streams = work.db.execute(select(Event.stream).distinct()).scalars().all()
    statements: list[str] = []
    for stream in streams:
        rewritten = rechained(office, stream.removeprefix("case/"), older)
        if not stream.startswith("case/"):
            rewritten = [each.replace(f"'case/{stream}'", f"'{stream}'") for each in rewritten]
            rewritten[-1] = rewritten[-1].replace("casefile", "stream").replace("WHERE id", "WHERE name")
        statements += rewritten
    # What no case wrote was told by nobody then, and nothing wrote it but worked cases on their own stage.
    statements += ["DELETE FROM event WHERE stream = 'sys/registers'"]
    statements += ["DELETE FROM stream WHERE name = 'sys/registers'"]
    statements += ['DELETE FROM register_record WHERE "case" IS NULL']
    behind_its_back(office, *statements)
    with office.database.work(SYSTEM) as work:
        schema.unguard(work.db)
        for column in ("casefile DROP COLUMN salt", "register_record DROP COLUMN salt", "recusal DROP COLUMN salt",
                       "document DROP COLUMN sealed"):  # fmt: skip
            work.db.exec_driver_sql(f"ALTER TABLE {column}")
        work.db.exec_driver_sql("DROP TABLE halt")
        work.db.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    office.close()


@pytest.fixture
def upgraded(office: Office, case: str) -> str:
    """The case in a database that was upgraded."""
    as_of_0003(office)
    schema.upgrade(office.url)
    return case


def test_an_upgraded_database_is_intact_and_says_what_it_cannot_compare(office: Office, upgraded: str) -> None:
    with office.database.look(SYSTEM) as work:
        schema.check(work.db)
    verdict: Verdict = office.look(verify)
    assert office.sound()
    notes = [each.en for each in verdict.notes]
    assert [each.split()[0] for each in notes] == ["2", "1", "2", "1"]
    assert [each for each in notes if "register records are older" in each]
    assert office.look(verify, upgraded).intact
    assert notes[0] in done(office.url, "trail", "verify", "--all")
    assert notes == [each["en"] for each in json.loads(done(office.url, "trail", "verify", "--all", "--json"))["notes"]]


def test_a_case_of_before_is_committed_to_with_its_next_act(office: Office, upgraded: str) -> None:
    office.do(upgraded, "archive", "登记员")
    assert office.row(upgraded)["salt"] and office.sound()
    assert office.look(verify, upgraded).notes[0].en.startswith("1 register record")
    behind_its_back(office, f"UPDATE casefile SET scopes = replace(scopes, '300', '200') WHERE id = '{upgraded}'")
    assert found(office, upgraded)


AMONG_THE_OLD = [
    *("an amount edited", "a case closed", "a day of opening", "an applicant exchanged", "another calendar"),
    *("another version", "a parent given", "a record in another register", "a record removed"),
    *("a record given to another case", "a record added as if of before", "a record's salt exchanged"),
]
BESIDE_THE_OLD = [
    *("a day removed", "a version of the calendar added", "a role given", "a recusal added", "a recusal removed"),
    *("a recusal of somebody else", "a counter set back"),
]


@pytest.mark.parametrize("name", AMONG_THE_OLD)
def test_what_events_of_before_tell_is_compared_all_the_same(office: Office, upgraded: str, name: str) -> None:
    behind_its_back(office, said(office, upgraded, IN_A_CASE[name]))
    assert any(upgraded in flaw for flaw in found(office))


@pytest.mark.parametrize("name", BESIDE_THE_OLD)
def test_so_is_what_they_tell_of_the_institution(office: Office, upgraded: str, name: str) -> None:
    behind_its_back(office, said(office, upgraded, BESIDE[name]))
    assert found(office)


def test_what_was_drawn_before_is_no_gap(office: Office, upgraded: str) -> None:
    """Which numbers operations drew then nobody told; from the first that is told none may be missing."""
    case = office.start(contract_no="HT-5")
    office.do(case, "review", "登记员")
    office.do(case, "second", "复核员")
    assert office.sound()
    behind_its_back(office, "UPDATE counter SET value = value + 1 WHERE series = 'XKZ-2026'")
    assert any("XKZ-2026 lacks 00003" in flaw for flaw in found(office))
