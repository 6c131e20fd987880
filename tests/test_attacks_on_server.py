"""Attacks by whoever runs the server: old backups, wiped signers, moved clocks, stolen keys, crashes, many at once."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from engine import items
from engine.trail.anchors import Outside
from engine.trail.bundle import export
from engine.trail.notes import Signing, checkpoint_text
from engine.trail.offline import WITNESS_KEY, leaf_hash, read_checkpoint, tree_root
from engine.trail.record import tell
from engine.trail.sealing import EVERY, Sealing, run_forever
from engine.trail.signer import Rewritten, Signer, written
from engine.trail.tables import Anchor, Epoch
from engine.trail.witness import Witness, server
from engine.work import SYSTEM
from tests.bundles import Exported, unzipped
from tests.commands import done
from tests.conftest import NewDatabase
from tests.office import Office, ended, in_a_child
from tests.test_kill_points import at_each_point
from tests.test_sealing import again, rechained, rows
from tests.test_trail import behind_its_back, found

pytest_plugins = ["tests.furnished"]

WRITERS = 8


@pytest.fixture
def signer(office: Office, tmp_path: Path) -> Signer:
    return signer_in(office, tmp_path / "signer")


def signer_in(office: Office, folder: Path) -> Signer:
    with office.database.look("system") as work:
        return Signer.of(work, folder)


def epochs_made(office: Office, signer: Signer, number: int) -> None:
    """So many epochs, a minute after one another, in which something else happens."""
    for _ in range(number):
        office.later(minutes=1)
        with office.database.work(SYSTEM) as work:
            tell(work, "sys/policy", "notice.sent", {})
        assert signer.seal(office.database)


def bundle_of(office: Office, case: str, key: Signing, folder: Path) -> Exported:
    """The bundle of a case, with the list signed by this key."""
    sealing = Sealing(office.database, signer_in(office, folder))
    stop = threading.Event()
    beside = threading.Thread(target=run_forever, args=(sealing, stop, 0.01))
    beside.start()
    try:
        return Exported(unzipped(export(office.database, case, SYSTEM).data), key, folder)
    finally:
        stop.set()
        beside.join()


@contextmanager
def witnessing(log: Signing, folder: Path) -> Iterator[Outside]:
    """A witness at work that watches this log."""
    key = Signing("审计处", Ed25519PrivateKey.generate(), WITNESS_KEY)
    serving = server(Witness(key, {log.key.name: log.key}, folder / "seen.json", lambda: 1), "127.0.0.1", 0)
    beside = threading.Thread(target=serving.serve_forever)
    beside.start()
    try:
        yield Outside(f"http://127.0.0.1:{serving.server_address[1]}", key.key)
    finally:
        serving.shutdown()
        serving.server_close()
        beside.join()


def wipe(signer: Signer) -> None:
    """The signer forgets what it signed, and has only its key."""
    for name in ("state.json", "leaves.bin"):
        (signer.state.folder / name).unlink()


def stolen(office: Office, signer: Signer, keep: int) -> Signer:
    """A signer in the hands of somebody with the key, who believes whatever stands in the database.

    The epochs after the first ``keep`` are gone from the database, and the signer's memory of them too.
    """
    forgotten = [f"DELETE FROM {table} WHERE {column} > {keep}" for table, column in (
        ("epoch_head", "epoch"), ("epoch", "number"))]  # fmt: skip
    behind_its_back(office, *forgotten)
    wipe(signer)
    forged = again(office, signer)
    with office.database.look("system") as work:
        forged.state.adopt(list(written(work)))
    forged.state.heads = {}
    return forged


# An old backup.


@pytest.mark.parametrize(("later", "why"), [(1, "events to"), (3, "an old backup")])
def test_a_restored_backup_is_not_signed(
    office: Office, signer: Signer, new_database: NewDatabase, tmp_path: Path, later: int, why: str
) -> None:
    """Attack S4: by the product's own commands; the signer remembers one epoch more, or several."""
    case = office.start()
    signer.seal(office.database)
    done(office.url, "db", "backup", str(tmp_path / "old.zip"))
    office.act("登记员", items.comment, case, "后来")
    signer.seal(office.database)
    epochs_made(office, signer, later - 1)
    url = restored_from(office, new_database, tmp_path / "old.zip")
    with closing(Office(url, office.clock)) as restored:
        assert found(restored) == []  # by itself it is in order
        with pytest.raises(Rewritten, match=why):
            again(restored, signer).seal(restored.database)


def restored_from(office: Office, new_database: NewDatabase, backup: Path) -> str:
    """The address of a new database of the same kind, filled from a backup by the command."""
    url = new_database("sqlite" if office.database.sqlite else "postgresql", empty=True)
    done(url, "db", "restore", str(backup))
    return url


def test_an_old_backup_with_a_wiped_signer_is_missed_unless_somebody_outside_kept_more(
    office: Office, signer: Signer, new_database: NewDatabase, tmp_path: Path
) -> None:
    """Attack S4: the key is there, its memory is not, and the backup is older than the first epoch."""
    case = office.start()
    done(office.url, "db", "backup", str(tmp_path / "old.zip"))
    with ExitStack() as stack:
        outside = stack.enter_context(witnessing(signer.key, tmp_path))
        office.act("登记员", items.comment, case, "后来")
        epochs_made(office, signer, 2)
        Sealing(office.database, signer, [outside]).once()
        kept = rows(office, select(Epoch.note).where(Epoch.number == 2))[0].note
        url = restored_from(office, new_database, tmp_path / "old.zip")
        restored = stack.enter_context(closing(Office(url, office.clock)))
        wipe(signer)
        assert Sealing(restored.database, again(restored, signer), [outside]).once() == 1
        assert found(restored) == []
        assert rows(restored, select(Anchor)) == []  # the witness has seen a longer log
        whole = bundle_of(restored, case, signer.key, signer.state.folder)
    assert whole.verified() == []  # missed
    assert any("history was rewritten" in each for each in whole.verified(known=[kept]))
    assert whole.verified(witnesses=[outside.key], quorum=1) == ["too few witnesses: 0 of 1"]


# A stolen key.


@pytest.mark.parametrize("false", [1, 30])
def test_a_case_rewritten_with_the_stolen_key_contradicts_the_epochs_before(
    office: Office, signer: Signer, tmp_path: Path, false: int
) -> None:
    """Attack S3: in the database itself, with one and with thirty false epochs; the auditor has kept nothing."""
    case = office.start()
    epochs_made(office, signer, 9 + false)
    behind_its_back(office, *rechained(office, case))
    forged = stolen(office, signer, 9)
    epochs_made(office, forged, false)
    whole = bundle_of(office, case, signer.key, signer.state.folder)
    assert len(whole.files["trail/epoch_leaves.bin"]) == 32 * (9 + false)
    assert whole.events[1]["actor"]["id"] == "somebody-else"
    said = whole.verified()
    told = {int(each.split()[5]) for each in said if "it is not what epoch" in each}
    assert told and max(told) <= 9  # the false epochs fit; the true ones before them do not


def test_everything_rewritten_with_the_stolen_key_is_missed_with_nothing_outside(
    office: Office, signer: Signer, tmp_path: Path
) -> None:
    """Attack S11: every epoch anew. This is the limit of what a log proves by itself; one kept checkpoint ends it."""
    case = office.start()
    with witnessing(signer.key, tmp_path) as outside:
        epochs_made(office, signer, 5)
        Sealing(office.database, signer, [outside]).once()
        kept = rows(office, select(Epoch.note).where(Epoch.number == 5))[0].note
        behind_its_back(office, "DELETE FROM anchor", *rechained(office, case))
        forged = stolen(office, signer, 0)
        Sealing(office.database, forged, [outside]).once()
        epochs_made(office, forged, 5)
        assert rows(office, select(Anchor)) == []
        whole = bundle_of(office, case, signer.key, signer.state.folder)
    assert whole.events[1]["actor"]["id"] == "somebody-else"
    assert whole.verified() == []  # missed
    assert any("history was rewritten" in each for each in whole.verified(known=[kept]))
    assert whole.verified(witnesses=[outside.key], quorum=1) == ["too few witnesses: 0 of 1"]


def test_a_fork_at_one_size_gets_no_second_cosignature(tmp_path: Path) -> None:
    """Attack S5: two checkpoints of one size, both signed with the key; the answers are those of the protocol."""
    log = Signing("log", Ed25519PrivateKey.generate())
    one, other = ([*[leaf_hash(b"a"), leaf_hash(b"b")], leaf_hash(last)] for last in (b"c", b"d"))

    def post(url: str, leaves: list[bytes], old: int) -> int:
        text = checkpoint_text("log", len(leaves), tree_root(leaves))
        body = f"old {old}\n\n{text}\n{log.line(text)}".encode()
        try:
            with urlopen(Request(f"{url}/add-checkpoint", body)) as answer:
                return int(answer.status)
        except HTTPError as refusal:
            with refusal:
                return refusal.code

    with witnessing(log, tmp_path) as outside:
        assert post(outside.url, one, 0) == 200
        assert post(outside.url, one, 3) == 200  # the same again
        assert post(outside.url, other, 3) == 409
        assert post(outside.url, other, 0) == 409  # and it says what it has seen
        assert post(outside.url, [*other, leaf_hash(b"e")], 3) == 422
    assert json.loads((tmp_path / "seen.json").read_text()) == {"log": [3, tree_root(one).hex()]}


# A moved clock.


def test_a_clock_set_forward_is_missed_until_it_is_set_right(office: Office, signer: Signer) -> None:
    """Attack S6: nothing inside tells it from time that went by; a time stamp from outside would."""
    office.start()
    assert signer.seal(office.database) == 1
    office.later(days=60)
    case = office.start(contract_no="HT-2")
    assert signer.seal(office.database) == 2  # missed
    office.later(days=-60)
    office.act("登记员", items.comment, case, "x")
    assert office.last(case)["clock"] < office.last(case)["ts"]  # the trail shows both times
    with pytest.raises(Rewritten, match="the clock was set back"):
        signer.seal(office.database)
    assert found(office) == []


def test_a_clock_set_back_shows_in_the_bundle_of_a_case_begun_then(
    office: Office, signer: Signer, tmp_path: Path
) -> None:
    """Attack S6: the case cites an epoch that is younger than itself, whatever the signer says of it later."""
    epochs_made(office, signer, 1)
    office.later(days=-60)
    office.database.caches.clear()
    case = office.start()
    office.later(days=60, seconds=EVERY.total_seconds())
    whole = bundle_of(office, case, signer.key, signer.state.folder)
    assert any("a clock was set back" in each for each in whole.verified())


# A crash.


def at_every_moment(office: Office, act: Callable[[], object], reached: Callable[[str], None]) -> None:
    """Call ``reached`` also before and after each time that something must be on the disk."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "replace")):
            before = getattr(owner, name)

            def told(*given: Any, before: Any = before, name: str = name) -> Any:
                reached(f"before {name}")
                result = before(*given)
                reached(f"after {name}")
                return result

            patch.setattr(owner, name, told)
        at_each_point(office, act, reached)


def test_a_signer_killed_anywhere_loses_and_forks_nothing(office: Office, signer: Signer) -> None:
    """Attack S8: killed at every write to the disk and at every statement; the next signer goes on at once."""
    case = office.start()
    signer.seal(office.database)

    def happen() -> None:
        office.later(minutes=1)
        office.act("登记员", items.comment, case, "x")

    happen()
    points: list[str] = []
    at_every_moment(office, lambda: again(office, signer).seal(office.database), points.append)
    assert {"before fsync", "after fsync", "before replace", "after replace", "before COMMIT"} <= set(points)
    seen: list[str] = []
    for number, point in enumerate(points):
        happen()

        def until_the_point(number: int = number) -> None:
            steps = count()

            def reached(_: str) -> None:
                if next(steps) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

            at_every_moment(office, lambda: again(office, signer).seal(office.database), reached)

        office.close()
        assert ended(in_a_child(until_the_point)) == -signal.SIGKILL, point
        kept = again(office, signer).state
        seen += [str(kept.last["note"])] if kept.last else []
        after = again(office, signer)
        after.seal(office.database)
        assert after.seal(office.database) is None
        assert len(rows(office, select(Epoch.number))) == len(after.state.leaves), point
    leaves = [bytes.fromhex(row.leaf) for row in rows(office, select(Epoch.leaf).order_by(Epoch.number))]
    notes = [row.note for row in rows(office, select(Epoch.note).order_by(Epoch.number))]
    assert len(leaves) == len(points) + 2
    for signed in (read_checkpoint(note) for note in [*notes, *seen]):  # whatever was signed is in the one log
        assert signed.root == tree_root(leaves[: signed.size])
    assert office.sound()


# Many at once.


@pytest.mark.parametrize("many", [False, True], ids=["one stream", "many streams"])
def test_eight_processes_that_write_leave_no_gap_no_fork_and_no_deadlock(
    office: Office, signer: Signer, many: bool
) -> None:
    """Attack S9: real processes, and the signer in the midst of them."""
    cases = [office.start(contract_no=f"HT-{number}") for number in range(WRITERS if many else 1)]
    before = {case: len(office.bodies(case)) for case in cases}
    office.close()
    gate = os.pipe()

    def write(number: int) -> None:
        os.close(gate[1])
        os.read(gate[0], 1)  # until the parent opens the gate
        for turn in range(6):
            office.act("登记员", items.comment, cases[(number + turn) % len(cases)], f"{number}.{turn}")
            with office.database.work(SYSTEM) as work:
                tell(work, "sys/policy", "notice.sent", {"n": number})

    children = [in_a_child(lambda number=number: write(number)) for number in range(WRITERS)]  # type: ignore[misc]
    os.close(gate[0])
    os.close(gate[1])
    for _ in range(5):
        signer.seal(office.database)
    assert [ended(child) for child in children] == [0] * WRITERS
    signer.seal(office.database)
    written = 0
    for stream in [*(f"case/{case}" for case in cases), "sys/policy"]:
        bodies = office.bodies(stream)
        assert [body["seq"] for body in bodies] == list(range(1, len(bodies) + 1))
        assert len({body["prev"] for body in bodies}) == len(bodies)
        assert signer.state.heads[stream][0] == len(bodies)
        written += len(bodies) - before.get(stream.removeprefix("case/"), 0)
    assert written >= WRITERS * 6 * 2
    assert sum(len(office.bodies(case)) for case in cases) == sum(before.values()) + WRITERS * 6
    assert again(office, signer).state.heads == signer.state.heads
    assert office.sound()
