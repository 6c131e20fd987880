"""Exporting a case from its page: asked for, watched, fetched, and the bundle is intact."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from engine.errors import NotYours, Unusable
from engine.paper import pdf_is_possible
from engine.trail import jobs
from engine.trail.offline import verify
from engine.trail.sealing import Sealing
from tests.office import Office
from tests.web_reader import reader_of

pytest_plugins = ["tests.furnished", "tests.exporting"]


def test_a_compliance_officer_exports_a_case_and_watches_it_grow(
    office: Office, sealing: Sealing, tmp_path: Path
) -> None:
    case = office.start()
    reader = reader_of(office, "合规")
    asked = reader.get(f"/cases/{case}/export")
    assert "全部（合规、审计）" in asked.text
    waiting = reader.submit(asked, {"purpose": "年度审计", "view": "full"}, action="/export")
    assert "等待处理" in waiting.text
    assert waiting.response.headers["Refresh"] == "1"
    assert jobs.run_one(office.database)
    address = waiting.response.request.path
    done = reader.get(address)
    assert "已完成" in done.text and "Refresh" not in done.response.headers
    data = reader.cookies.get(f"{address}/file").data
    (tmp_path / "x.zip").write_bytes(data)
    found = verify(tmp_path / "x.zip", sealing.signer.key.key)
    assert not any(each.broken for each in found.findings)
    assert found.manifest["purpose"] == "年度审计"
    assert found.manifest["exporter"] == office.who["合规"]


def test_others_export_their_own_part_and_see_nobody_elses_exports(office: Office, sealing: Sealing) -> None:
    case = office.start()
    reader = reader_of(office, "甲")
    asked = reader.get(f"/cases/{case}/export")
    assert "全部（合规、审计）" not in asked.text
    address = reader.submit(asked, {"view": "own"}, action="/export").response.request.path
    assert jobs.run_one(office.database)
    assert reader.get(address).status == 200
    assert address in reader.get("/exports").links().values()
    reader_of(office, "合规").get(address, status=404)
    assert office.refused("甲", jobs.ask, [case]).code == NotYours.code


def test_a_report_comes_as_pdf_where_that_is_asked_for_and_possible(
    office: Office, sealing: Sealing, tmp_path: Path
) -> None:
    reader = reader_of(office, "甲")
    asked = reader.get(f"/cases/{office.start()}/export")
    assert ("报告另附 PDF" in asked.text) == pdf_is_possible()
    address = reader.submit(asked, {"view": "own", "paper": "on"}, action="/export").response.request.path
    assert jobs.run_one(office.database)
    (tmp_path / "x.zip").write_bytes(reader.cookies.get(f"{address}/file").data)
    found = verify(tmp_path / "x.zip", sealing.signer.key.key)
    assert not any(each.broken for each in found.findings)
    papers = {name for name in found.files if name.endswith(".pdf") and found.files[name].startswith(b"%PDF")}
    assert papers == ({"report/report.zh.pdf", "report/report.en.pdf"} if pdf_is_possible() else set())


def test_several_cases_come_in_one_file_and_what_cannot_be_exported_is_said(office: Office, sealing: Sealing) -> None:
    cases = [office.start(contract_no=f"HT-{number}") for number in range(3)]
    asked = office.act("合规", jobs.ask, cases)
    assert jobs.run_one(office.database)
    with office.database.look(office.who["合规"]) as work:
        found = jobs.job(work, asked, content=True)
    with zipfile.ZipFile(io.BytesIO(found["content"])) as archive:
        assert len(archive.namelist()) == 3
    lost = office.act("合规", jobs.ask, ["0" * 32])
    assert jobs.run_one(office.database)
    with office.database.look(office.who["合规"]) as work:
        assert "没有" in str(jobs.job(work, lost)["zh"])
    assert not jobs.run_one(office.database)
    assert office.refused("合规", jobs.ask, []).code == Unusable.code


def test_a_job_whose_worker_died_is_taken_up_again_and_finished_ones_are_cleared_away(
    office: Office, sealing: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = office.act("合规", jobs.ask, [office.start()])

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "export", die)
        with pytest.raises(KeyboardInterrupt):
            jobs.run_one(office.database)
    assert not jobs.run_one(office.database)  # its lease still runs
    office.later(seconds=jobs.LEASE.total_seconds() + 1)
    assert jobs.run_one(office.database)
    with office.database.look(office.who["合规"]) as work:
        assert jobs.job(work, asked)["name"]
    office.later(seconds=jobs.KEPT.total_seconds() + 1)
    jobs.run_one(office.database)
    with office.database.look(office.who["合规"]) as work:
        assert jobs.jobs(work) == []
