"""The signer follows every stream, signs epochs, and refuses a past that is not the one it signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.trail.offline import Key, has_signed, read_checkpoint, tree_root
from engine.trail.record import tell
from engine.trail.signer import Signer
from engine.trail.tables import Epoch, EpochHead
from engine.trail.tree import StreamMap
from engine.work import Database
from tests.office import Office

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def signer(office: Office, tmp_path: Path) -> Iterator[Signer]:
    with office.database.look("system") as work:
        yield Signer.of(work, tmp_path / "signer")


def happen(database: Database, stream: str = "sys/policy") -> None:
    """One more event."""
    with database.work("system") as work:
        tell(work, stream, "calendar.loaded", {"n": 1})


def test_an_epoch_commits_to_where_every_stream_stands_and_is_signed(office: Office, signer: Signer) -> None:
    assert signer.seal(office.database) == 1
    with office.database.look("system") as work:
        row = work.row(select(Epoch.__table__))
        heads = {each.stream: (each.seq, each.head) for each in work.db.execute(select(EpochHead))}
    assert row is not None
    point = read_checkpoint(row["note"])
    assert has_signed(point, Key.read(signer.key.published))
    assert point.root == tree_root([bytes.fromhex(row["leaf"])])
    assert StreamMap(heads).root.hex() in row["statement"]


def test_nothing_is_signed_when_nothing_happened(office: Office, signer: Signer) -> None:
    assert signer.seal(office.database) == 1
    assert signer.seal(office.database) is None
    happen(office.database)
    assert signer.seal(office.database) == 2
