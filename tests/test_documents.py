"""Files are kept once, read back unchanged, and never given out when they are no longer what was kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from engine import schema
from engine.documents import attach, read
from engine.errors import NotFound, Unusable
from engine.model import Document, DocumentContent
from engine.work import Database
from forms.values import FileRef

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url, clock=lambda: NOW)
    yield database
    database.close()


def test_a_file_comes_back_as_it_was_given(database: Database) -> None:
    with database.work("p1") as work:
        kept = attach(work, None, "submit_contract", "a/合同.pdf", PDF, "p1")
    assert kept == FileRef(kept.id, "合同.pdf", hashlib.sha256(PDF).hexdigest(), len(PDF), "application/pdf")
    with database.look("p1") as work:
        row, data = read(work, kept.id)
    assert data == PDF
    assert (row.name, row.element, row.uploaded_by, row.at, row.late) == (
        "合同.pdf",
        "submit_contract",
        "p1",
        NOW,
        False,
    )


def test_the_same_bytes_are_kept_once(database: Database) -> None:
    with database.work("p1") as work:
        first, second = (attach(work, None, "e", name, PDF, "p1") for name in ("甲.pdf", "乙.pdf"))
    assert first.sha256 == second.sha256
    with database.look("p1") as work:
        assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 1
        assert read(work, first.id)[0].name == "甲.pdf"
        assert read(work, second.id)[0].name == "乙.pdf"


def test_many_may_keep_the_same_bytes_at_once(database: Database) -> None:
    def keep(number: int) -> str:
        with database.work("p1") as work:
            return attach(work, None, "e", f"{number}.pdf", PDF, "p1").id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(keep, range(12)))) == 12
    with database.look("p1") as work:
        assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 1


def test_a_refused_file_leaves_nothing(database: Database) -> None:
    with pytest.raises(Unusable), database.work("p1") as work:
        attach(work, None, "e", "合同.pdf", PNG, "p1")
    with database.look("p1") as work:
        assert work.db.execute(select(func.count()).select_from(Document)).scalar_one() == 0
        assert work.db.execute(select(func.count()).select_from(DocumentContent)).scalar_one() == 0


def test_there_is_no_such_document(database: Database) -> None:
    with database.look("p1") as work, pytest.raises(NotFound):
        read(work, "nothing")


def test_bytes_that_were_exchanged_are_not_given_out(database: Database) -> None:
    with database.work("p1") as work:
        kept = attach(work, None, "e", "合同.pdf", PDF, "p1")
    with database.work("owner") as work:  # who owns the database can take its fences down
        down = "DROP TRIGGER document_content_no_update"
        if not database.sqlite:
            down = "ALTER TABLE document_content DISABLE TRIGGER ALL"
        schema.unguard(work.db)
        work.db.execute(text(down))
        work.db.execute(text("UPDATE document_content SET content = :other"), {"other": PDF + b" "})
    with database.look("p1") as work, pytest.raises(Unusable, match="not what was kept"):
        read(work, kept.id)
