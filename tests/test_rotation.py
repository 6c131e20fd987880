"""A signer's key is replaced while it goes on: both sign for a while, and the log names the new one."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.errors import WrongState
from engine.trail.bundle import export
from engine.trail.offline import Key, has_signed, read_checkpoint, verify
from engine.trail.sealing import Sealing, run_forever
from engine.trail.signer import Signer, retire, rotate
from engine.trail.tables import Epoch
from tests.office import Office
from tests.test_sealing import again, rows

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def signer(office: Office, tmp_path: Path) -> Signer:
    with office.database.look("system") as work:
        return Signer.of(work, tmp_path / "signer")


def test_while_a_key_is_replaced_both_sign_and_the_log_names_the_new_one(office: Office, signer: Signer) -> None:
    folder = signer.state.folder
    office.start()
    signer.seal(office.database)
    old = signer.key.key
    rotate(folder)
    both = again(office, signer)
    assert both.key.key != old
    with pytest.raises(WrongState, match="being replaced already"):
        rotate(folder)
    office.start(contract_no="HT-2")
    both.seal(office.database)
    retire(folder)
    with pytest.raises(WrongState, match="no key is being replaced"):
        retire(folder)
    alone = again(office, both)
    office.start(contract_no="HT-3")
    alone.seal(office.database)
    notes = [read_checkpoint(row.note) for row in rows(office, select(Epoch.note).order_by(Epoch.number))]
    new = Key.read(alone.key.published)
    assert [has_signed(note, old) for note in notes] == [True, True, False]
    assert [has_signed(note, new) for note in notes] == [False, True, True]
    told = [
        json.loads(row.statement).get("keys") for row in rows(office, select(Epoch.statement).order_by(Epoch.number))
    ]
    assert told == [[signer.key.published], [new_name(new), signer.key.published], [new_name(new)]]


def new_name(key: Key) -> str:
    return f"{key.name}+{key.number.hex()}+{base64.b64encode(bytes([key.kind]) + key.public).decode()}"


def test_a_bundle_made_while_a_key_is_replaced_verifies_with_either(
    office: Office, signer: Signer, tmp_path: Path
) -> None:
    case = office.start()
    old = signer.key.key
    rotate(signer.state.folder)
    sealing = Sealing(office.database, again(office, signer))
    stop = threading.Event()
    beside = threading.Thread(target=run_forever, args=(sealing, stop, 0.02))
    beside.start()
    made = export(office.database, case, "system")
    stop.set()
    beside.join()
    (tmp_path / "x.zip").write_bytes(made.data)
    for key in (old, sealing.signer.key.key):
        assert [each.en for each in verify(tmp_path / "x.zip", key).findings if each.broken] == []
