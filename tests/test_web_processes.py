"""The catalogue, a version and its forms, handing in a package and its findings, the registers."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from engine import definitions
from engine.definitions import versions
from engine.library import Library
from engine.work import SYSTEM
from tests.office import PACKAGES, Office
from tests.web_reader import Reader, Seen, app_of, reader_of

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished"]

BPMN = (PACKAGES / "permit" / "process.bpmn").read_bytes()


@pytest.fixture
def desk(new_office: NewOffice) -> Office:
    office = new_office("sqlite")
    office.hire("流程员", "process_owner")
    return office


@pytest.fixture
def owner(desk: Office) -> Reader:
    return Reader(app_of(desk)).sign_in(desk.who["流程员"])


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def permit(**changes: bytes) -> dict[str, bytes]:
    folder = PACKAGES / "permit"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return files | {name.replace("__", "/"): content for name, content in changes.items()}


def hand_in(reader: Reader, content: bytes, name: str, *, status: int) -> Seen:
    page = reader.get("/deployment")
    return reader.submit(page, action="/deployment", files={"package": (content, name)}, status=status)


def deployed(office: Office) -> int:
    with office.database.look(SYSTEM) as work:
        return int(versions(work, "permit")[0]["version"])


def test_the_catalogue_lists_all_processes_and_offers_a_start_to_who_may(desk: Office) -> None:
    seen = reader_of(desk, "甲").get("/processes")
    assert "许可" in seen.text and "技术合同认定登记" in seen.text
    assert "/processes/permit/application" in seen.links().values()
    assert "/deployment" not in seen.links().values()
    other = reader_of(desk, "复核员").get("/processes").links().values()
    assert "/processes/permit/application" not in other


def test_a_version_shows_its_diagram_work_items_automatic_steps_and_bases(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    assert "v1 现行" in reader.get("/processes/permit").text
    seen = reader.get("/processes/permit/versions/1")
    for said in (
        "审查",
        "登记员（受理、认定）",
        "add_working_days(today, 5)",
        "002 §六",
        "register.record",
        "is_large",
    ):
        assert said in seen.text
    assert any(each.get("data-element") == "review" for each in seen.tree.iter())
    form = reader.get("/processes/permit/versions/1/forms/apply")
    assert form.heading == "申请" and "secret_level == 'secret'" in form.text and "个人信息" in form.text
    for path in ("/processes/permit/versions/2", "/processes/nothing", "/processes/permit/versions/1/forms/nothing"):
        reader.get(path, status=404)


def test_the_files_of_a_version_come_back_as_the_package_they_were(desk: Office, owner: Reader) -> None:
    answer = owner.cookies.get("/processes/permit/versions/1/package")
    assert answer.headers["Content-Disposition"] == "attachment; filename=permit-v1.zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert names == permit().keys()
    seen = hand_in(owner, answer.data, "permit-v1.zip", status=200)
    assert "检查通过" in seen.text
    assert owner.cookies.get("/processes/permit/versions/1/package").data == answer.data


def test_a_clean_package_is_deployed_once_it_is_confirmed(desk: Office, owner: Reader) -> None:
    changed = permit()
    changed["process.bpmn"] = BPMN.replace("审查".encode(), "复审".encode())
    seen = hand_in(owner, zipped(changed), "permit.zip", status=200)
    assert "检查通过" in seen.text and deployed(desk) == 1
    page = owner.submit(seen, action="/confirmation")
    assert page.heading == "许可（第 2 版）" and "现行" in page.text and "复审" in page.text and deployed(desk) == 2
    assert "流程员" in page.text
    assert "已被新版取代" in owner.get("/processes/permit/versions/1").text
    owner.submit(seen, action="/confirmation")
    assert deployed(desk) == 2


def test_a_diagram_alone_goes_with_the_forms_in_force(desk: Office, owner: Reader) -> None:
    seen = hand_in(owner, BPMN.replace("归档".encode(), "存档".encode()), "permit.bpmn", status=200)
    owner.submit(seen, action="/confirmation")
    assert deployed(desk) == 2


def test_findings_are_listed_with_file_line_and_element_and_painted_on_the_diagram(desk: Office, owner: Reader) -> None:
    broken = BPMN.replace(b'id="archive" name=', b'id="archive" policy:form="nothing" name=').replace(
        b"decision == 'return'", b"decison == 'return'"
    )
    seen = hand_in(owner, broken, "permit.bpmn", status=422)
    assert "不能部署" in seen.problems()[0]
    assert "decison" in seen.text and "archive" in seen.text and "process.bpmn" in seen.text
    marked = {each.get("data-element") for each in seen.tree.iter() if "is-finding" in each.get("class", "")}
    assert "archive" in marked
    assert not [each for each in seen.tree.iter("form") if each.get("action", "").endswith("/confirmation")]
    assert deployed(desk) == 1


def test_what_is_wrong_in_a_table_or_form_is_painted_on_the_task_that_uses_it(desk: Office, owner: Reader) -> None:
    def painted(files: dict[str, bytes]) -> set[str | None]:
        seen = hand_in(owner, zipped(files), "a.zip", status=422)
        return {each.get("data-element") for each in seen.tree.iter() if "is-finding" in each.get("class", "")}

    deciding = dict(Library.standing().package("sub_collective_decision").files)
    overlapping = deciding["approval_tier.dmn"].replace(b"&lt; params", b"&lt;= params")
    assert painted(deciding | {"approval_tier.dmn": overlapping}) == {"resolve_tier"}
    form = (PACKAGES / "permit" / "forms" / "review.yaml").read_bytes()
    assert "review" in painted(permit(**{"forms__review.yaml": form.replace(b"kind: choice", b"kind: chioce", 1)}))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.bpmn"),
        (b"\x89PNG\r\n\x1a\n0000", "a.bpmn"),
        (BPMN[: len(BPMN) // 2], "a.bpmn"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "a.bpmn"),
        (b"<a>" * 100_000, "a.bpmn"),
        (b"PK not a zip", "a.zip"),
        (zipped({"../../evil.yaml": b"x"}), "a.zip"),
        (zipped({"notes.yaml": b"x: 1"}), "a.zip"),
        (zipped(permit(**{"forms__apply.yaml": b"id: [broken"})), "a.zip"),
        (zipped({"process.bpmn": BPMN, "forms/x.yaml": b"\xff\xfe"}), "a.zip"),
        (b"x" * 5_000_001, "a.zip"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_a_sentence(
    desk: Office, owner: Reader, content: bytes, name: str
) -> None:
    before = desk.state()
    seen = hand_in(owner, content, name, status=422)
    assert seen.problems() and deployed(desk) == 1
    assert "root:" not in seen.text
    assert desk.state() == before


def test_only_owners_and_administrators_deploy(desk: Office, owner: Reader) -> None:
    form = owner.get("/deployment")
    clean = hand_in(owner, BPMN.replace("归档".encode(), "存档".encode()), "permit.bpmn", status=200)
    other = reader_of(desk, "登记员")
    other.get("/deployment", status=403)
    other.submit(form, action="/deployment", files={"package": (BPMN, "permit.bpmn")}, status=403)
    assert "不是流程负责人" in other.submit(clean, action="/confirmation", status=403).text
    assert deployed(desk) == 1
    assert reader_of(desk, "管理员").get("/deployment").heading == "部署流程"


def test_what_is_confirmed_is_checked_again(desk: Office, owner: Reader) -> None:
    seen = hand_in(owner, BPMN.replace("归档".encode(), "存档".encode()), "permit.bpmn", status=200)
    for data in ("", "%%%", "PGE+"):
        owner.submit(seen, {"_data": data}, action="/confirmation", status=422)
    assert deployed(desk) == 1


def test_markup_in_names_of_a_diagram_is_only_text(desk: Office, owner: Reader) -> None:
    evil = BPMN.replace('name="归档"'.encode(), b'name="&lt;script&gt;alert(1)&lt;/script&gt;"')
    page = owner.get("/deployment")
    assert page.status == 200
    answer = owner.cookies.post(
        "/deployment",
        data={"_key": "0" * 32, "package": (io.BytesIO(evil), "<b>x.bpmn")},
        content_type="multipart/form-data",
    )
    assert "<script>alert" not in answer.text and "<b>" not in answer.text and "&lt;script&gt;" in answer.text


def test_registers_show_their_records_with_the_case_that_wrote_each(desk: Office) -> None:
    case = desk.start()
    desk.do(case, "review", "登记员")
    desk.do(case, "second", "复核员")
    reader = reader_of(desk, "登记员")
    assert "技术合同" in reader.get("/registers").text
    seen = reader.get("/registers/contract?words=HT")
    assert desk.row(case)["number"] in seen.links() and "HT-1" in seen.links()
    assert "3.00 元（叁元整）" in seen.text
    other = reader_of(desk, "乙")
    assert "HT-1" not in other.get("/registers/contract").text
    other.get(seen.links()["HT-1"], status=404)
    assert "1" in reader_of(desk, "合规").get("/registers").text
    record = reader.get(seen.links()["HT-1"])
    assert "第 1 版" in record.text and "已登记" in record.text
    assert "没有记录" in reader.get("/registers/contract?words=nothing").text
    reader.get("/registers/nothing", status=404)
    reader.get("/registers/contract/record?key=nothing", status=404)


def test_every_shipped_process_can_be_looked_at_in_both_languages(desk: Office) -> None:
    reader = reader_of(desk, "甲")
    with desk.database.look(SYSTEM) as work:
        rows = definitions.in_force(work)
        forms = {row.process: list(definitions.deployed(work, row.id).contents[row.process].forms) for row in rows}
    for language in ("zh", "en"):
        reader.post("/language", {"language": language})
        for process, ids in forms.items():
            assert reader.get(f"/processes/{process}/versions/1").heading
            for form in ids:
                reader.get(f"/processes/{process}/versions/1/forms/{form}")
