"""After a backup was put back or a signer lost its state: read-only until two people approve, and nothing is hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from engine import cases, items
from engine.backup import backup, restore
from engine.cli import main
from engine.errors import NotYours, WrongState
from engine.model import Halt
from engine.trail import recovery
from engine.trail.bundle import export
from engine.trail.offline import has_signed, leaf_hash, read_checkpoint, strict, tree_root, verify
from engine.trail.record import FRESH, Halted
from engine.trail.sealing import AGAIN, Sealing
from engine.trail.signer import Rewritten, Signer
from engine.trail.signer_state import State, alone
from engine.trail.tables import Epoch
from engine.work import Database
from engine.worker import run_due
from tests.office import Office
from tests.test_sealing import again, rechained, rows
from tests.test_trail import behind_its_back

pytest_plugins = ["tests.furnished"]

Make = Callable[..., str]
Dump = Callable[[Office], Callable[[], Office]]


@pytest.fixture
def signer(office: Office, tmp_path: Path) -> Signer:
    office.hire("纪检", "discipline_office")
    with office.database.look("system") as work:
        return Signer.of(work, tmp_path / "signer")


@pytest.fixture
def put_back(new_database: Make, tmp_path: Path) -> Iterator[Dump]:
    """Dumps an office; what it gives puts the dump into a new database, and gives the office on that."""
    made: list[Office] = []

    def dump(office: Office) -> Callable[[], Office]:
        path = tmp_path / "backup.zip"
        backup(office.database, path)

        def put() -> Office:
            url = new_database("sqlite" if office.database.sqlite else "postgresql", empty=True)
            fresh = Database(url, office.clock)
            restore(fresh, path)
            fresh.close()
            made.append(Office(url, office.clock))
            return made[-1]

        return put

    yield dump
    for each in made:
        each.close()


def lost_two_days(office: Office, signer: Signer, put_back: Dump) -> tuple[Office, str, str, str]:
    """An office put back to before a case went on and another began; gives it, with a case that lost nothing."""
    quiet, moved = office.start(contract_no="HT-静"), office.start(contract_no="HT-动")
    signer.seal(office.database)
    put = put_back(office)
    office.later(days=1)
    office.act("登记员", items.comment, moved, "备份之后")
    signer.seal(office.database)
    begun = office.start(contract_no="HT-新")
    signer.seal(office.database)
    office.later(days=1)
    return put(), quiet, moved, begun


def approve(office: Office) -> int:
    return int(office.act("管理员", recovery.approve, office.who["合规"], "机房故障，恢复了昨夜的备份"))


def test_while_the_signer_refuses_everything_is_read_only_and_says_why(office: Office, signer: Signer) -> None:
    case = office.start()
    task = office.item(case, "review")
    signer.seal(office.database)
    behind_its_back(office, *rechained(office, case))
    office.later(seconds=2 * FRESH.total_seconds())
    office.look(lambda work: work.database.caches.clear())
    sealing = Sealing(office.database, again(office, signer))
    with pytest.raises(Rewritten):
        sealing.once()
    office.later(seconds=AGAIN.total_seconds() + 1)
    with pytest.raises(Rewritten):  # the same refusal is told once
        sealing.once()
    assert [row.lifted_at for row in rows(office, select(Halt.lifted_at))] == [None]
    before = office.state()
    refusal = office.refused("登记员", cases.complete, task, {"decision": "accept"})
    assert isinstance(refusal, Halted) and "read-only" in refusal.text.en and "只读" in refusal.text.zh
    assert case not in str(refusal)  # what exactly is wrong is for those who look into every case
    assert isinstance(office.refused("甲", cases.start, "permit", {}), Halted)
    assert run_due(office.database) == 0
    assert office.state() == before


def test_a_refusal_that_passes_is_lifted_by_the_next_seal(office: Office, signer: Signer) -> None:
    sealing = Sealing(office.database, signer)
    assert sealing.once() == 1
    office.later(days=-60)
    office.start()
    sealing.looked = None
    with pytest.raises(Rewritten, match="the clock was set back"):
        sealing.once()
    office.later(seconds=2 * FRESH.total_seconds())
    assert isinstance(office.refused("甲", cases.start, "permit", {}), Halted)
    office.later(days=61)
    assert sealing.once() == 2
    office.later(seconds=2 * FRESH.total_seconds())
    assert office.start(contract_no="HT-2")


def test_after_a_backup_was_put_back_two_people_approve_and_sealing_goes_on_in_the_same_log(
    office: Office, signer: Signer, put_back: Dump, tmp_path: Path
) -> None:
    older, quiet, moved, begun = lost_two_days(office, signer, put_back)
    kept = read_checkpoint(str(signer.state.last and signer.state.last["note"]))
    after = again(older, signer)
    with pytest.raises(Rewritten, match="ends at epoch 1, but 3 were signed"):
        after.seal(older.database)
    with pytest.raises(Rewritten, match="nobody has approved it"):
        recovery.recover(after, older.database)
    assert approve(older) == 1
    told = older.last("sys/log")
    assert (told["type"], told["data"]["epoch"], told["data"]["approved_by"]) == ("log.recovered", 1, older.who["合规"])
    done = recovery.recover(after, older.database)
    assert (done.epoch, done.back_to) == (4, 1)
    assert set(done.lost) == {f"case/{moved}", f"case/{begun}"}
    assert done.lost[f"case/{begun}"][1] == 0
    said = [strict(row.statement.encode()) for row in rows(older, select(Epoch.statement).order_by(Epoch.number))]
    assert said[-1]["recovered"]["streams"] == 2 and said[-1]["recovered"]["events"] > 1
    leaves = [bytes.fromhex(row.leaf) for row in rows(older, select(Epoch.leaf).order_by(Epoch.number))]
    assert (kept.size, tree_root(leaves[:3])) == (3, kept.root)  # what somebody kept is a beginning of it
    # The office goes on, and the signer with it.
    older.later(minutes=1)
    older.act("登记员", items.comment, moved, "重新办理")
    older.act("登记员", items.comment, quiet, "照常办理")
    assert again(older, after).seal(older.database) == 5
    found = {}
    for case in (quiet, moved):
        (tmp_path / "x.zip").write_bytes(export(older.database, case, "system", patience=0).data)
        found[case] = verify(tmp_path / "x.zip", signer.key.key, known=[str(kept.text) + "\n"]).findings
    assert [each.en for each in found[quiet] if each.broken] == ["the list is not signed"]  # no signer runs beside
    assert any("a backup of epoch 1 be put back" in each.en for each in found[quiet])
    assert any("it is not what epoch 3 sealed" in each.en for each in found[moved] if each.broken)


def test_an_approval_is_for_one_state_of_the_database_and_counts_once(
    office: Office, signer: Signer, put_back: Dump
) -> None:
    older, *_ = lost_two_days(office, signer, put_back)
    after = again(older, signer)
    approve(older)
    recovery.recover(after, older.database)
    with pytest.raises(Rewritten, match="nobody has approved it"):
        recovery.recover(again(older, after), older.database)
    approve(older)
    older.start(contract_no="HT-9")
    after.seal(older.database)
    with pytest.raises(Rewritten, match="what was approved is a database that ends at epoch 4, but it ends at 5"):
        recovery.recover(after, older.database)


def test_with_every_approval_a_changed_past_stays_refused(office: Office, signer: Signer, put_back: Dump) -> None:
    older, quiet, *_ = lost_two_days(office, signer, put_back)
    behind_its_back(older, *rechained(older, quiet))
    approve(older)
    with pytest.raises(Rewritten, match="its end was changed"):
        recovery.recover(again(older, signer), older.database)
    assert [row[0] for row in rows(older, select(func.count()).select_from(Epoch))] == [1]


def test_epochs_exchanged_in_the_backup_are_refused(office: Office, signer: Signer, put_back: Dump) -> None:
    older, *_ = lost_two_days(office, signer, put_back)
    statement = rows(older, select(Epoch.statement))[0].statement.replace('"v":1', '"v":2')
    behind_its_back(
        older, f"UPDATE epoch SET statement = '{statement}', leaf = '{leaf_hash(statement.encode()).hex()}'"
    )
    approve(older)
    with pytest.raises(Rewritten, match="epoch 1 was changed"):
        recovery.recover(again(older, signer), older.database)


def test_a_crash_after_the_signature_is_made_good_by_recovering_again(
    office: Office, signer: Signer, put_back: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, *_ = lost_two_days(office, signer, put_back)
    approve(older)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Signer, "write", crash)
        with pytest.raises(KeyboardInterrupt):
            recovery.recover(again(older, signer), older.database)
    after = again(older, signer)
    with pytest.raises(Rewritten, match="ends at epoch 1, but 4 were signed"):
        after.seal(older.database)
    older.later(minutes=1)
    assert recovery.recover(after, older.database).epoch == 5  # the approval has not been carried out yet
    older.start(contract_no="HT-9")
    assert again(older, after).seal(older.database) == 6


def test_a_signer_that_lost_its_state_takes_the_log_over_with_a_new_key_that_the_log_names(
    office: Office, signer: Signer, tmp_path: Path
) -> None:
    for number in range(3):
        office.start(contract_no=f"HT-{number}")
        signer.seal(office.database)
    with office.database.look("system") as work:
        fresh = Signer.of(work, tmp_path / "another")
    with pytest.raises(Rewritten, match="never signed here"):
        fresh.seal(office.database)
    assert approve(office) == 3
    with pytest.raises(Rewritten, match="not signed with this signer's key"):
        recovery.recover(fresh, office.database)
    done = recovery.recover(fresh, office.database, new_key=True)
    assert (done.epoch, done.back_to, done.lost) == (4, 3, {})
    (last,) = rows(office, select(Epoch.statement, Epoch.note).where(Epoch.number == 4))
    assert json.loads(last.statement)["keys"] == [fresh.key.published]
    assert has_signed(read_checkpoint(last.note), fresh.key.key)
    assert not has_signed(read_checkpoint(last.note), signer.key.key)
    office.start(contract_no="HT-9")
    assert again(office, fresh).seal(office.database) == 5


def test_a_signer_that_kept_its_key_takes_over_what_bears_its_signature_and_nothing_else(
    office: Office, signer: Signer
) -> None:
    case = office.start()
    signer.seal(office.database)
    office.start(contract_no="HT-2")
    signer.seal(office.database)
    for name in ("state.json", "leaves.bin", "epochs.jsonl"):
        (signer.state.folder / name).unlink()
    approve(office)
    good = rows(office, select(Epoch.note).where(Epoch.number == 2))[0].note
    behind_its_back(office, "UPDATE epoch SET note = 'x' WHERE number = 2")
    with pytest.raises(Rewritten, match="not signed with this signer's key"):
        recovery.recover(again(office, signer), office.database)
    behind_its_back(office, f"UPDATE epoch SET note = '{good}' WHERE number = 2")
    assert recovery.recover(again(office, signer), office.database).epoch == 3
    office.act("登记员", items.comment, case, "x")
    assert again(office, signer).seal(office.database) == 4


def test_a_backup_that_misses_only_the_last_epoch_is_no_crash(office: Office, signer: Signer, put_back: Dump) -> None:
    case = office.start()
    signer.seal(office.database)
    put = put_back(office)
    office.later(days=1)
    office.act("登记员", items.comment, case, "备份之后")
    signer.seal(office.database)
    older = put()
    with pytest.raises(Rewritten, match="went from"):
        again(older, signer).seal(older.database)
    assert len(rows(older, select(Epoch.number))) == 1  # what was lost is not written back as if it were there
    approve(older)
    done = recovery.recover(again(older, signer), older.database)
    assert (done.epoch, done.back_to, set(done.lost)) == (3, 1, {f"case/{case}"})


def test_what_cannot_be_read_at_all_halts_too(office: Office, signer: Signer) -> None:
    office.start()
    sealing = Sealing(office.database, signer)
    sealing.once()
    behind_its_back(office, "UPDATE epoch SET leaf = 'zz'")
    with pytest.raises(Rewritten, match="epoch 1 was changed"):
        sealing.seal()
    assert len(rows(office, select(Halt.id))) == 1
    behind_its_back(office, f"UPDATE epoch SET leaf = '{signer.state.leaves[0].hex()}'")
    sealing.seal()
    assert [row.lifted_at is None for row in rows(office, select(Halt.lifted_at))] == [False]


def test_one_folder_has_one_signer_at_work(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(WrongState, match="another signer is at work"), alone(tmp_path, 0.1):
        pass
    with alone(tmp_path, 0.1):
        pass


def test_only_two_people_of_the_right_roles_approve(office: Office, signer: Signer) -> None:
    for name, other in (("甲", "合规"), ("合规", "甲"), ("合规", "合规")):
        refusal = office.refused(name, recovery.approve, office.who[other], "x")
        assert isinstance(refusal, NotYours)
    assert office.bodies("sys/log") == []
    assert office.act("纪检", recovery.approve, office.who["合规"], "x") == 0


def test_a_state_from_before_every_epoch_was_kept_is_completed_from_the_database(
    office: Office, signer: Signer
) -> None:
    for number in range(2):
        office.start(contract_no=f"HT-{number}")
        signer.seal(office.database)
    folder = signer.state.folder
    said = json.loads((folder / "state.json").read_bytes())
    (folder / "state.json").write_text(json.dumps({key: said[key] for key in ("origin", "size", "last", "heads")}))
    (folder / "epochs.jsonl").unlink()
    after = again(office, signer)
    assert after.seal(office.database) is None
    kept = State.kept(folder)
    assert [each["statement"] for each in kept.signed()] == [
        row.statement for row in rows(office, select(Epoch.statement).order_by(Epoch.number))
    ]
    assert kept.heads == signer.state.heads


def test_the_commands_approve_recover_and_replace_a_key(
    office: Office, signer: Signer, put_back: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, _, moved, _ = lost_two_days(office, signer, put_back)
    older.close()
    monkeypatch.setenv("LIUHEN_DATABASE_URL", older.url)
    folder = ["--folder", str(signer.state.folder)]

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, list(arguments))

    refused = run("signer", *folder, "--recover")
    assert refused.exit_code != 0 and "trail recover" in refused.output
    approved = run("trail", "recover", "--by", "管理员", "--approved-by", "合规", "--reason", "恢复备份")
    assert approved.output == "1\n"
    done = run("signer", *folder, "--recover")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("4 (1)\n") and f"case/{moved}: " in done.output
    before = run("signer", *folder, "--key").output
    assert run("signer", *folder, "--rotate", "--retire").exit_code == 2
    assert run("signer", *folder, "--key").output == before
    assert run("signer", *folder, "--rotate").output != before
    assert run("signer", *folder, "--retire").output == run("signer", *folder, "--key").output
