"""Fixtures for bundles: a signer at work beside the office, and the bundle of a case that was sealed as it grew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import items
from engine.trail.bundle import export
from engine.trail.sealing import Sealing
from tests.bundles import Exported, sealed, unzipped
from tests.office import Office


@pytest.fixture
def sealing(office: Office, tmp_path: Path) -> Iterator[Sealing]:
    """A signer at work beside the office from the beginning."""
    with sealed(office, tmp_path / "signer") as made:
        yield made


@pytest.fixture
def exported(office: Office, sealing: Sealing, tmp_path: Path) -> Exported:
    case = office.start()
    export(office.database, case, "system")
    office.later(hours=1)
    office.act("甲", items.comment, case, "补充说明")
    export(office.database, case, "system")
    office.later(hours=1)
    office.act("甲", items.comment, case, "再补充")
    made = export(office.database, case, "system")
    assert made.unsealed == 0
    return Exported(unzipped(made.data), sealing.signer.key, tmp_path)
