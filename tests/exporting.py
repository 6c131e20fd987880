"""Fixtures for bundles: a signer at work beside the office, and the bundle of a case that was sealed as it grew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import items
from engine.trail.bundle import export
from engine.trail.sealing import Sealing, run_forever
from tests.bundles import Exported, unzipped
from tests.office import Office


@pytest.fixture
def sealing(office: Office, tmp_path: Path) -> Iterator[Sealing]:
    """A signer at work beside the office."""
    made = Sealing.of(office.database, tmp_path / "signer")
    stop = threading.Event()
    beside = threading.Thread(target=run_forever, args=(made, stop, 0.02))
    beside.start()
    yield made
    stop.set()
    beside.join()


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
