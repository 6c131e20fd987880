"""Files of personal fields are kept encrypted under the key of who gave them, and a lawful erasure reaches them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text

from engine import cases, documents, erasing, inbox, items
from engine.backup import backup, restore
from engine.errors import NotFound
from engine.model import Base, Document, DocumentContent, Request, SubjectKey
from engine.trail.bundle import export
from engine.trail.material import View
from engine.trail.offline import verify as verify_bundle
from engine.trail.sealing import Sealing
from engine.work import Database
from forms.values import FileRef, from_json
from tests.bundles import unzipped, zipped
from tests.office import ANSWERS, NewOffice, Office, package
from tests.test_trail import behind_its_back, found
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished", "tests.exporting"]

PHONE, NAME, PAPER = "13800138000", "张三身份证.pdf", b"%PDF-1.4\n% the identity card of somebody\n%%EOF\n"
OPEN = ("forms/apply.yaml", "label: {zh: 方案, en: Plan}, ", "label: {zh: 方案, en: Plan}, personal: true, ")
DIGEST = hashlib.sha256(PAPER).hexdigest()


def upload() -> dict[str, Any]:
    return {"file": NAME, "data": PAPER}


def closed(office: Office, **answer: Any) -> str:
    case = office.start(plan=upload(), **answer)
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    return case


@pytest.fixture
def case(office: Office) -> str:
    """A closed case with a personal file."""
    office.deploy(package("permit", OPEN))
    return closed(office)


def erased(office: Office) -> erasing.Erased:
    subject, approver = office.who["甲"], office.who["管理员"]
    made: erasing.Erased = office.act("合规", erasing.erase, subject, approver, "本人申请，保存期限已满")
    return made


def the_document(office: Office, case: str) -> dict[str, Any]:
    [row] = office.look(inbox.documents, case)
    return dict(row)


def everything(office: Office, *but: str) -> str:
    """All that stands in the tables in clear, as one text; what a form gives as an example is nobody's."""
    with office.database.look("system") as work:
        rows = {
            table.name: work.rows(select(table))
            for table in Base.metadata.sorted_tables
            if table.name not in {"definition_file", *but}
        }
    return "\n".join(
        f"{name}.{column}: {value.decode('utf-8', 'replace') if isinstance(value, bytes) else value}"
        for name, each in rows.items()
        for row in each
        for column, value in row.items()
    )


def test_a_personal_file_is_kept_encrypted_and_comes_back_when_it_is_read(office: Office, case: str) -> None:
    row = the_document(office, case)
    assert (row["name"], row["size"], row["erased"]) == (NAME, len(PAPER), False)
    shown, content = office.look(documents.read, row["id"])
    assert (shown.name, shown.media, content) == (NAME, "application/pdf", PAPER)
    with office.database.look("system") as work:
        kept = work.row(select(Document.name, Document.sha256, DocumentContent.content).join(DocumentContent))
    assert kept is not None
    assert kept["name"] == f"{documents.NEUTRAL}.pdf"
    assert hashlib.sha256(kept["content"]).hexdigest() == kept["sha256"] == row["sha256"]
    assert b"identity" not in kept["content"]
    [told] = [body["data"] for body in office.bodies(case) if body["type"] == "document.attached"]
    assert told["sha256"] == row["sha256"] and told["private"].keys() == {"ref", "commit"}
    in_clear = everything(office, "casefile")  # its variables stay until it is erased: the case needs them
    assert not any(each in in_clear for each in (NAME, DIGEST, "the identity card"))
    assert office.sound()


def test_the_same_file_in_an_open_field_stays_as_it_was_given(office: Office) -> None:
    case = office.start(plan=upload())
    row = the_document(office, case)
    assert (row["name"], row["sha256"], row["sealed"], row["erased"]) == (NAME, DIGEST, None, False)
    assert office.sound()


def test_erasing_takes_the_file_its_name_and_every_copy_out_of_the_database(office: Office, case: str) -> None:
    before = everything(office)
    assert PHONE in before and NAME in before
    assert erased(office) == erasing.Erased(values=3, files=1, remaining=0)
    after = everything(office)
    assert not any(each in after for each in (PHONE, NAME, DIGEST, "the identity card"))
    row = the_document(office, case)
    assert (row["name"], row["erased"]) == (f"{documents.NEUTRAL}.pdf", True)
    assert "erased by law" in office.refused("甲", documents.read, row["id"]).text.en
    told = office.last("sys/privacy")["data"]
    assert (told["values"], told["files"], told["remaining"]) == (3, 1, 0)
    assert found(office) == []


def test_whoever_was_erased_may_come_again_and_the_old_cases_stay_readable(office: Office, case: str) -> None:
    erased(office)
    office.later(hours=1)
    again = office.start(contract_no="HT-2", plan=upload())
    assert the_document(office, case)["erased"] and not the_document(office, again)["erased"]
    assert PHONE not in str(office.look(inbox.submissions, case))
    assert PHONE in str(office.look(inbox.submissions, again))
    assert office.sound()


def test_bundles_of_before_and_after_the_erasure_are_intact_and_the_file_is_checked(
    office: Office, sealing: Sealing, case: str, tmp_path: Path
) -> None:
    kept = the_document(office, case)["sha256"]
    before = unzipped(export(office.database, case, "system").data)
    public = unzipped(export(office.database, case, "system", view=View(redacted=True)).data)
    erased(office)
    after = unzipped(export(office.database, case, "system").data)

    def said(files: dict[str, bytes], *, broken: bool = True) -> list[str]:
        (tmp_path / "x.zip").write_bytes(zipped(files))
        whole = verify_bundle(tmp_path / "x.zip", sealing.signer.key.key)
        return [each.en for each in whole.findings if each.broken == broken]

    assert said(before) == said(after) == said(public) == []
    [path] = [name for name, data in before.items() if data == PAPER]
    assert path.startswith("private/") and path.endswith(".pdf") and f"attachments/{kept}" in before
    assert NAME in before["report/report.zh.html"].decode() and path in before["report/report.zh.html"].decode()
    changed = said({**before, path: PAPER + b"x"})
    assert any("the encrypted document" in each for each in changed)
    assert any("the encrypted document" in each for each in said({**after, path: PAPER}))
    for files in (after, public):
        whole = b"".join(data for name, data in files.items() if not name.startswith("process/"))
        assert not any(each.encode() in whole for each in (NAME, DIGEST, PHONE, "the identity card"))
    assert f"attachments/{kept}" in after and "已依法删除" in after["report/report.zh.html"].decode()
    assert any("lawfully erased" in each for each in said(after, broken=False))


def test_somebody_else_s_part_of_a_case_does_not_show_the_file_or_its_name(
    office: Office, sealing: Sealing, case: str
) -> None:
    own, other = (
        unzipped(export(office.database, case, "system", view=View(person=office.who[name])).data)
        for name in ("甲", "乙")
    )
    assert PAPER in own.values()
    whole = b"".join(data for name, data in other.items() if not name.startswith("process/"))
    assert not any(each.encode() in whole for each in (NAME, DIGEST, "the identity card"))


def test_a_file_and_its_commitment_exchanged_behind_the_fence_are_found(office: Office, case: str) -> None:
    other = closed(office, contract_no="HT-2")
    first, second = (the_document(office, each) for each in (case, other))
    behind_its_back(
        office,
        f"UPDATE document SET sealed = '{second['sealed']}' WHERE id = '{first['id']}'",
        f"UPDATE sealed_value SET subject = '{office.who['乙']}' WHERE ref = '{second['sealed']}'",
    )
    flaws = found(office)
    assert any(first["id"] in each for each in flaws) and any(second["id"] in each for each in flaws)


def test_a_key_that_vanished_without_an_erasure_is_found(office: Office, case: str) -> None:
    with office.database.work("system") as work:
        work.db.execute(delete(SubjectKey))
    flaws = found(office)
    assert any("of the answer" in each for each in flaws)
    assert any(the_document(office, case)["id"] in each for each in flaws)


def test_files_kept_in_clear_before_are_read_verified_and_counted(office: Office) -> None:
    """What an older version attached: the reference is a private value, the file itself was kept as it was given."""
    office.deploy(package("permit", OPEN))
    kept: list[FileRef] = []

    def start(work: Any) -> str:
        case: str = cases.start(work, "permit", {**ANSWERS["apply"], "plan": upload()})
        return case

    with pytest.MonkeyPatch.context() as patch:

        def in_the_clear(*given: Any, field: str, late: bool) -> tuple[FileRef, dict[str, Any]]:
            kept.append(documents.attach(*given, late=late))
            return kept[-1], {}

        patch.setattr("engine.answers.documents.attach_private", in_the_clear)
        case = office.act("甲", start)
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    assert office.look(documents.read, kept[0].id)[1] == PAPER and office.sound()
    assert erased(office) == erasing.Erased(values=3, files=0, remaining=1)
    assert office.last("sys/privacy")["data"]["remaining"] == 1
    assert office.look(documents.read, kept[0].id)[1] == PAPER and found(office) == []


def test_a_draft_s_file_is_kept_encrypted_too_and_goes_into_the_answer(office: Office) -> None:
    office.deploy(package("permit", OPEN))
    case = office.start()
    office.do(case, "review", "登记员", decision="return", reasons="缺材料")
    task = office.item(case, "apply")
    office.act("甲", items.save_draft, task, {**ANSWERS["apply"], "plan": upload()})
    row = the_document(office, case)
    assert row["sealed"] and row["name"] == NAME
    draft = office.look(inbox.task, task)["draft"]
    answer = from_json(draft)
    assert isinstance(answer, dict)
    office.act("甲", cases.complete, task, answer)
    assert office.look(inbox.task, task)["draft"] is None
    [given] = [row for row in office.look(inbox.submissions, case) if NAME in row["answer"]]
    assert NAME not in given["stored"] and office.sound()


def test_the_file_is_uploaded_and_read_through_the_pages_and_shown_as_erased(office: Office) -> None:
    office.deploy(package("permit", OPEN))
    reader = reader_of(office, "甲")
    seen = reader.get("/processes/permit/application")
    about = {"subject": "题", "contract_no": "HT-1", "amount_fen": "3", "phone": PHONE, "secret_level": "none"}
    page = reader.submit(seen, {**about, "parties[0].name": "甲方"}, files={"plan": (PAPER, NAME)})
    case = page.response.request.path.rpartition("/")[2]
    row = the_document(office, case)
    assert row["sealed"] and NAME in page.text
    where = f"/documents/{row['id']}"
    assert where in page.links().values()
    response = reader.cookies.get(where)
    assert response.data == PAPER and "%E5%BC%A0%E4%B8%89" in response.headers["Content-Disposition"]
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    erased(office)
    page = reader.get(f"/cases/{case}")
    assert NAME not in page.text and "已依法删除" in page.text and where not in page.links().values()
    assert reader.cookies.get(where).status_code == 404
    with office.database.look("system") as work:
        assert not work.rows(select(Request.key).where(Request.actor == office.who["甲"]))


def test_a_backup_without_its_keys_cannot_be_read_and_one_with_them_can(
    office: Office, case: str, tmp_path: Path, empty_database_url: str
) -> None:
    backup(office.database, tmp_path / "before.zip")
    erased(office)
    backup(office.database, tmp_path / "after.zip")
    members = unzipped((tmp_path / "after.zip").read_bytes())
    assert members["subject_key.jsonl"] == b""
    whole = b"".join(data for name, data in members.items() if name != "definition_file.jsonl").decode()
    assert not any(each in whole for each in (PHONE, NAME, DIGEST))
    restored = Database(empty_database_url, office.clock)
    restore(restored, tmp_path / "after.zip")
    with restored.look("system") as work, pytest.raises(NotFound):
        documents.read(work, the_document(office, case)["id"])
    restored.close()
    assert json.loads(unzipped((tmp_path / "before.zip").read_bytes())["subject_key.jsonl"].splitlines()[0])


def test_a_destroyed_key_is_not_left_in_the_file_of_the_database(new_office: NewOffice) -> None:
    office = new_office("sqlite")
    closed(office)
    with office.database.look("system") as work:
        key = bytes(work.db.execute(select(SubjectKey.key)).scalar_one())
        assert work.db.execute(text("PRAGMA secure_delete")).scalar_one() == 1
    erased(office)
    office.close()
    path = Path(office.url.removeprefix("sqlite:///"))
    assert key not in path.read_bytes() and not path.with_name(f"{path.name}-wal").exists()
