"""The signer follows every stream, signs epochs, and refuses a past that is not the one it signed."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine import items
from engine.errors import Unusable
from engine.trail import epochs
from engine.trail.bundle import export
from engine.trail.offline import (
    GENESIS,
    Key,
    canonical,
    event_hash,
    has_signed,
    leaf_hash,
    read_checkpoint,
    tree_root,
    verify,
)
from engine.trail.record import tell
from engine.trail.sealing import AGAIN, EVERY, Sealing, run_forever
from engine.trail.signer import Rewritten, Signer
from engine.trail.signer_state import State
from engine.trail.tables import Epoch, EpochHead
from engine.trail.tree import StreamMap
from tests.office import Office
from tests.test_trail import behind_its_back

pytest_plugins = ["tests.furnished"]


@pytest.fixture
def signer(office: Office, tmp_path: Path) -> Signer:
    with office.database.look("system") as work:
        return Signer.of(work, tmp_path / "signer")


def again(office: Office, signer: Signer) -> Signer:
    """The signer as a new process finds it."""
    with office.database.look("system") as work:
        return Signer.of(work, signer.state.folder)


def rows(office: Office, query: Any) -> list[Any]:
    with office.database.look("system") as work:
        return list(work.db.execute(query))


def rechained(office: Office, case: str, keep: int | None = None) -> list[str]:
    """Statements that rewrite a case consistently: another actor in its second event, or only its first events."""
    head, statements = GENESIS, []
    bodies = office.bodies(case)
    for body in bodies[:keep]:
        if keep is None and body["seq"] == 2:
            body["actor"]["id"] = "somebody-else"
        body["prev"] = head
        text = canonical(body)
        head = event_hash(text.encode())
        quoted = text.replace("'", "''")
        statements.append(
            f"UPDATE event SET body = '{quoted}', hash = '{head}', actor = '{body['actor']['id']}' "
            f"WHERE stream = 'case/{case}' AND seq = {body['seq']}"
        )
    if keep is not None:
        statements.append(f"DELETE FROM event WHERE stream = 'case/{case}' AND seq > {keep}")
    return [*statements, f"UPDATE casefile SET seq = {keep or len(bodies)}, head = '{head}' WHERE id = '{case}'"]


# Signing what happened.


def test_an_epoch_commits_to_where_every_stream_stands_and_is_signed(office: Office, signer: Signer) -> None:
    office.start()
    assert signer.seal(office.database) == 1
    (row,) = rows(office, select(Epoch.note, Epoch.leaf, Epoch.statement))
    heads = {each.stream: (each.seq, each.head) for each in rows(office, select(EpochHead))}
    point = read_checkpoint(row.note)
    assert has_signed(point, Key.read(signer.key.published))
    assert point.root == tree_root([bytes.fromhex(row.leaf)])
    assert row.leaf == leaf_hash(row.statement.encode()).hex()
    said = json.loads(row.statement)
    assert said["map_root"] == StreamMap(heads).root.hex()
    assert said["events"] == sum(seq for seq, _ in heads.values())


def test_nothing_is_signed_when_nothing_happened_and_only_what_moved_is_written(office: Office, signer: Signer) -> None:
    one, other = office.start(), office.start(contract_no="HT-2")
    assert signer.seal(office.database) == 1
    assert signer.seal(office.database) is None
    office.act("登记员", items.comment, one, "x")
    assert signer.seal(office.database) == 2
    moved = {each.stream for each in rows(office, select(EpochHead).where(EpochHead.epoch == 2))}
    assert moved == {f"case/{one}"}
    assert f"case/{other}" in signer.state.heads


def test_the_next_event_cites_the_newest_epoch(office: Office, signer: Signer) -> None:
    case = office.start()
    assert "epoch" not in office.bodies(case)[-1]
    signer.seal(office.database)
    office.later(minutes=1)
    office.act("登记员", items.comment, case, "x")
    (row,) = rows(office, select(Epoch.leaf))
    assert office.bodies(case)[-1]["epoch"] == {"n": 1, "hash": row.leaf}


def test_what_began_before_an_epoch_was_signed_does_not_cite_it_and_no_bundle_takes_it_for_an_old_clock(
    office: Office, signer: Signer, tmp_path: Path
) -> None:
    """The signer's clock is a little ahead, or it signed between the beginning of an act and its end."""
    office.start()
    signer.seal(office.database)
    office.database.caches.clear()  # what a process knows of the seals is half a minute old at most
    office.later(seconds=-3)
    case = office.start(contract_no="HT-2")
    assert "epoch" not in office.last(case)
    office.later(seconds=2)
    office.act("登记员", items.comment, case, "x")
    assert again(office, signer).seal(office.database) == 2
    said = [json.loads(row.statement)["time"] for row in rows(office, select(Epoch.statement).order_by(Epoch.number))]
    assert said[0] == said[1] > office.last(case)["ts"]  # a second more or less is no clock set back
    (tmp_path / "x.zip").write_bytes(export(office.database, case, "system", patience=0).data)
    found = verify(tmp_path / "x.zip", signer.key.key).findings
    assert [each.en for each in found if each.broken] == ["the list is not signed"]  # no signer runs beside


def test_a_signer_goes_on_where_it_stopped(office: Office, signer: Signer) -> None:
    signer.seal(office.database)
    office.start()
    assert again(office, signer).seal(office.database) == 2


# A past that is not the one that was signed.


def test_a_case_rewritten_consistently_is_not_signed(office: Office, signer: Signer) -> None:
    """Attack S1: before and after it moves on."""
    case = office.start()
    signer.seal(office.database)
    behind_its_back(office, *rechained(office, case))
    with pytest.raises(Rewritten, match="its end was changed"):
        again(office, signer).seal(office.database)
    office.act("登记员", items.comment, case, "x")  # nor when it has moved on since
    with pytest.raises(Rewritten, match="does not continue what was sealed"):
        again(office, signer).seal(office.database)
    assert len(rows(office, select(Epoch.number))) == 1


def test_a_shortened_case_is_not_signed(office: Office, signer: Signer) -> None:
    """Attack S2: with its head corrected."""
    case = office.start()
    signer.seal(office.database)
    count = len(office.bodies(case))
    behind_its_back(office, *rechained(office, case, count - 1))
    with pytest.raises(Rewritten, match=rf"went from {count} events to {count - 1}"):
        again(office, signer).seal(office.database)


def test_a_vanished_stream_is_not_passed_over(office: Office, signer: Signer) -> None:
    """Attack S7: among others that stand."""
    office.start()
    signer.seal(office.database)
    behind_its_back(office, "DELETE FROM stream WHERE name = 'sys/policy'")
    with pytest.raises(Rewritten, match="1 streams vanished, such as sys/policy"):
        again(office, signer).seal(office.database)


def test_an_event_whose_text_does_not_fit_its_hash_is_not_signed(office: Office, signer: Signer) -> None:
    case = office.start()
    behind_its_back(
        office, f"UPDATE event SET body = replace(body, 'permit', 'permis') WHERE stream = 'case/{case}' AND seq = 2"
    )
    with pytest.raises(Rewritten, match=f"event 2 of case/{case}"):
        signer.seal(office.database)


def test_a_head_that_is_not_the_end_of_its_chain_is_not_signed(office: Office, signer: Signer) -> None:
    case = office.start()
    behind_its_back(office, f"UPDATE casefile SET head = '{'1' * 64}' WHERE id = '{case}'")
    with pytest.raises(Rewritten, match="does not end where its head says"):
        signer.seal(office.database)


def test_epochs_that_were_changed_added_or_lost_are_noticed(office: Office, signer: Signer) -> None:
    for _ in range(3):
        office.start(contract_no=f"HT-{len(signer.state.leaves)}")
        signer.seal(office.database)
    behind_its_back(office, f"UPDATE epoch SET leaf = '{'1' * 64}' WHERE number = 3")
    with pytest.raises(Rewritten, match="epoch 3 was changed"):
        again(office, signer).seal(office.database)
    behind_its_back(office, "DELETE FROM epoch_head WHERE epoch > 1", "DELETE FROM epoch WHERE number > 1")
    with pytest.raises(Rewritten, match="ends at epoch 1, but 3 were signed"):
        again(office, signer).seal(office.database)


def test_epochs_this_signer_never_signed_are_noticed(office: Office, signer: Signer, tmp_path: Path) -> None:
    signer.seal(office.database)
    with office.database.look("system") as work:
        other = Signer.of(work, tmp_path / "another")
    with pytest.raises(Rewritten, match="never signed here"):
        other.seal(office.database)


def test_a_clock_set_back_is_noticed(office: Office, signer: Signer) -> None:
    """Attack S6: by two months."""
    signer.seal(office.database)
    office.later(days=-60)
    office.start()
    with pytest.raises(Rewritten, match="the clock was set back"):
        signer.seal(office.database)


def test_a_crash_between_the_signature_and_the_database_loses_and_forks_nothing(
    office: Office, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack S8: before the database hears of it."""
    signer.seal(office.database)
    office.start()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Signer, "write", crash)
        with pytest.raises(KeyboardInterrupt):
            signer.seal(office.database)
    assert len(rows(office, select(Epoch.number))) == 1
    after = again(office, signer)
    assert after.seal(office.database) is None  # nothing new: the second epoch is written as it was signed
    notes = [row.note for row in rows(office, select(Epoch.note).order_by(Epoch.number))]
    assert notes[-1] == after.state.last["note"] if after.state.last else False
    office.later(minutes=1)
    office.act("登记员", items.comment, next(iter(after.state.heads)).removeprefix("case/"), "x")
    assert again(office, signer).seal(office.database) == 3


def test_a_crash_while_the_state_is_written_leaves_the_old_state(office: Office, signer: Signer) -> None:
    """Attack S8: half a leaf, half a state."""
    signer.seal(office.database)
    folder = signer.state.folder
    (folder / "leaves.bin").write_bytes((folder / "leaves.bin").read_bytes() + b"half a leaf")
    (folder / "state.json.new").write_text("{")
    office.start()
    assert again(office, signer).seal(office.database) == 2


def test_a_state_that_cannot_be_read_or_belongs_elsewhere_is_refused(office: Office, signer: Signer) -> None:
    signer.seal(office.database)
    path = signer.state.folder / "state.json"
    whole = path.read_text("utf-8")
    path.write_text(whole.replace(signer.state.origin, "liuhen/another"))
    with pytest.raises(Unusable, match="is of the log liuhen/another"):
        again(office, signer)
    for spoiled in ("{", '{"size": 2}', whole.replace('"size": 1', '"size": 9')):
        path.write_text(spoiled)
        with pytest.raises(Unusable, match=r"cannot be read|not complete"):
            State.kept(signer.state.folder)


# At work.


def test_an_epoch_is_made_when_somebody_asks_and_every_few_minutes_if_something_happened(
    office: Office, signer: Signer
) -> None:
    sealing = Sealing(office.database, signer)
    assert sealing.once() == 1
    office.start()
    assert sealing.once() is None
    office.later(seconds=EVERY.total_seconds() + 1)
    assert sealing.once() == 2
    office.start(contract_no="HT-2")
    with office.database.work("system") as work:
        tell(work, "sys/export", "export.made", {"manifest": hashlib.sha256(b"{}").hexdigest()})
        asked, forged = epochs.request(work, "{}"), epochs.request(work, '{"forged":true}')
    assert sealing.once() == 3
    answer, other = (epochs.answered(office.database, each, 0) for each in (asked, forged))
    assert answer and other and answer["epoch"] == other["epoch"] == 3
    assert json.loads(answer["envelope"])["payloadType"].startswith("application/")
    assert other["envelope"] is None  # no export tells of this list, so it is not signed


def test_a_refusal_is_repeated_and_requests_are_not_answered(office: Office, signer: Signer) -> None:
    case = office.start()
    signer.seal(office.database)
    behind_its_back(office, *rechained(office, case))
    sealing = Sealing(office.database, again(office, signer))
    with pytest.raises(Rewritten):
        sealing.once()
    assert sealing.once() is None  # it is not looked through again and again
    office.later(seconds=AGAIN.total_seconds() + 1)
    with pytest.raises(Rewritten):
        sealing.once()
    with office.database.work("system") as work:
        asked = epochs.request(work)
    with pytest.raises(Rewritten):
        sealing.once()
    assert epochs.answered(office.database, asked, 0) is None


@pytest.fixture
def at_work(office: Office, signer: Signer) -> Iterator[Sealing]:
    sealing = Sealing(office.database, signer)
    stop = threading.Event()
    beside = threading.Thread(target=run_forever, args=(sealing, stop, 0.01))
    beside.start()
    yield sealing
    stop.set()
    beside.join()


def test_eight_writers_and_the_signer_leave_no_gap_no_fork_and_no_deadlock(office: Office, at_work: Sealing) -> None:
    """Attack S9: as threads of one server."""
    cases = [office.start(contract_no=f"HT-{number}") for number in range(4)]

    def write(number: int) -> None:
        for _ in range(5):
            office.act("登记员", items.comment, cases[number % 4], "x")
            with office.database.work("system") as work:
                tell(work, "sys/policy", "notice.sent", {"n": number})
                epochs.request(work)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    with office.database.work("system") as work:
        asked = epochs.request(work)
    assert epochs.answered(office.database, asked) is not None
    for case in cases:
        bodies = office.bodies(case)
        assert [body["seq"] for body in bodies] == list(range(1, len(bodies) + 1))
        assert at_work.signer.state.heads[f"case/{case}"][0] == len(bodies)
    assert office.sound()


def test_time_is_read_as_utc_in_statements(office: Office, signer: Signer) -> None:
    signer.seal(office.database)
    (row,) = rows(office, select(Epoch.statement))
    moment = datetime.fromisoformat(json.loads(row.statement)["time"])
    assert moment.astimezone(UTC) == office.clock.instant.astimezone(UTC)
