"""Personal values are kept apart, encrypted under a person's key; a lawful erasure destroys that key alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import cases, erasing, inbox
from engine.errors import NotYours, Unusable, WrongState
from engine.model import CaseFile, SealedValue, SubjectKey, Submission
from engine.trail.bundle import export
from engine.trail.offline import verify as verify_bundle
from engine.trail.sealing import Sealing
from tests.bundles import unzipped, zipped
from tests.office import Office
from tests.test_personal_files import erased
from tests.test_trail import behind_its_back, found

pytest_plugins = ["tests.furnished", "tests.exporting"]

PHONE = "13800138000"  # what the permit's applicant gives as a personal field


@pytest.fixture
def case(office: Office) -> str:
    """A closed case with a personal value."""
    case = office.start()
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    return case


def stored(office: Office) -> str:
    """Everything a reader of the tables could see of answers and variables."""
    with office.database.look("system") as work:
        answers = work.db.execute(select(Submission.answer)).scalars().all()
        scopes = work.db.execute(select(CaseFile.scopes)).scalars().all()
    return json.dumps([*answers, *scopes])


def test_a_personal_value_is_not_in_the_answer_but_comes_back_when_it_is_read(office: Office, case: str) -> None:
    with office.database.look("system") as work:
        texts = work.db.execute(select(Submission.answer)).scalars().all()
        content = work.db.execute(select(SealedValue.content)).scalars().all()
        rows = inbox.submissions(work, case)
    assert not any(PHONE in text for text in texts)
    assert not any(PHONE.encode() in bytes(each) for each in content)
    assert any(PHONE in row["answer"] for row in rows)
    assert any('"$private"' in row["stored"] for row in rows)
    assert office.sound()


def test_erasing_destroys_the_key_blanks_the_variables_and_leaves_the_trail_intact(office: Office, case: str) -> None:
    assert PHONE in stored(office)
    assert erased(office).values == 2  # the telephone, and the table of parties with their identity numbers
    assert PHONE not in stored(office)
    with office.database.look("system") as work:
        assert work.db.execute(select(SubjectKey)).all() == []
        assert not any(PHONE in row["answer"] for row in inbox.submissions(work, case))
    assert found(office) == []
    told = office.last("sys/privacy")
    assert told["type"] == "privacy.erased"
    assert told["data"]["approved_by"] == office.who["管理员"]
    assert told["data"]["reason"] == "本人申请，保存期限已满"


def test_bundles_of_before_and_after_an_erasure_are_both_intact(
    office: Office, sealing: Sealing, case: str, tmp_path: Path
) -> None:
    """Attack S10: exported before and after."""
    before = unzipped(export(office.database, case, "system").data)
    erased(office)
    after = unzipped(export(office.database, case, "system").data)
    assert any(name.startswith("private/") for name in before)
    assert not any(name.startswith("private/") for name in after)

    def said(files: dict[str, bytes], *, broken: bool) -> list[str]:
        (tmp_path / "x.zip").write_bytes(zipped(files))
        whole = verify_bundle(tmp_path / "x.zip", sealing.signer.key.key)
        return [each.en for each in whole.findings if each.broken == broken]

    assert said(before, broken=True) == said(after, broken=True) == []
    assert any("lawfully erased" in each for each in said(after, broken=False))
    own = {name: data for name, data in after.items() if not name.startswith("process/")}  # a form gives an example
    assert not any(PHONE.encode() in data for data in own.values())
    changed = next(name for name in before if name.startswith("private/") and PHONE.encode() in before[name])
    assert said({**before, changed: before[changed].replace(PHONE.encode(), b"13900139000")}, broken=True)


def test_two_people_of_the_right_roles_erase_and_only_when_every_case_is_closed(office: Office, case: str) -> None:
    asked = {"subject": office.who["甲"], "reason": "依据"}
    same = office.refused("合规", erasing.erase, approved_by=office.who["合规"], **asked)
    assert isinstance(same, NotYours) and same.reasons == ("four_eyes",)
    assert isinstance(office.refused("合规", erasing.erase, approved_by=office.who["甲"], **asked), NotYours)
    assert isinstance(office.refused("甲", erasing.erase, approved_by=office.who["合规"], **asked), NotYours)
    unfounded = {**asked, "reason": " "}
    none = office.refused("合规", erasing.erase, approved_by=office.who["管理员"], **unfounded)
    assert isinstance(none, Unusable)
    office.start(contract_no="HT-2")
    still = office.refused("合规", erasing.erase, approved_by=office.who["管理员"], **asked)
    assert isinstance(still, WrongState) and "still open" in still.text.en
    assert PHONE in stored(office)


def test_a_value_exchanged_behind_the_fence_is_found(office: Office, case: str) -> None:
    other = office.start(contract_no="HT-9")
    with office.database.look("system") as work:
        rows = work.rows(select(SealedValue.ref, SealedValue.case))
    assert {row["case"] for row in rows} == {case, other}
    behind_its_back(office, f"UPDATE submission SET answer = replace(answer, '{rows[0]['ref']}', '{rows[1]['ref']}')")
    assert any("is not the one the trail is committed to" in each for each in found(office))


@pytest.mark.parametrize("before", [True, False], ids=["before the erasure", "after it"])
def test_somebody_elses_value_is_not_passed_off_as_erased_by_law(office: Office, case: str, before: bool) -> None:
    other = office.start(by="乙", contract_no="HT-2")
    office.act("乙", cases.withdraw, other, {"reason": "不办了"})
    exchange = f"UPDATE sealed_value SET subject = '{office.who['甲']}' WHERE subject = '{office.who['乙']}'"
    if before:
        behind_its_back(office, exchange)
    erased(office)
    if not before:
        assert office.sound()
        behind_its_back(office, exchange)
    assert found(office, other) != []


def test_an_erasure_stands_even_if_the_clock_was_put_back_a_little_since_the_value_was_given(
    office: Office, case: str
) -> None:
    office.later(seconds=-2)
    erased(office)
    assert office.last("sys/privacy")["data"]["refs"]
    assert office.sound()
