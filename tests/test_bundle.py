"""A bundle and the attacks on it: the stand-alone verifier finds every change, and misses what it must miss."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.trail import offline
from engine.trail.bundle import export
from engine.trail.notes import Signing, checkpoint_text, envelope
from engine.trail.offline import WITNESS_KEY, Unreadable, canonical, event_hash, leaf_hash, tree_root, verify
from engine.trail.signer import Signer
from tests.bundles import Exported, Files, unzipped, zipped
from tests.office import Office

pytest_plugins = ["tests.furnished", "tests.exporting"]


def test_an_exported_case_is_intact_by_itself(exported: Exported) -> None:
    assert exported.verified() == []


def test_the_program_in_the_bundle_verifies_it_alone_and_says_so(exported: Exported) -> None:
    (exported.folder / "case.zip").write_bytes(zipped(exported.files))
    (exported.folder / "verify.py").write_bytes(exported.files["verify/verify.py"])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(exported.folder / "verify.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)

    case, key = str(exported.folder / "case.zip"), ("--vkey", exported.key.published)
    good = run(case, *key)
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "完好")
    assert all(name in good.stdout for name in ("真实性", "完整性", "可用性", "安全性"))
    other = Signing(exported.key.key.name, Ed25519PrivateKey.generate())
    bad = run(case, "--vkey", other.published, "--lang", "en")
    assert (bad.returncode, bad.stdout.splitlines()[-1]) == (1, "BROKEN")
    assert run(str(exported.folder / "verify.py")).returncode == 2
    assert run(case, "--vkey", "nonsense").returncode == 2
    assert json.loads(run(case, *key, "--json").stdout)["intact"]


# Attacks by somebody without the log's key.


def edited(exported: Exported) -> list[dict[str, Any]]:
    events = exported.events
    events[1]["ts"] = events[0]["ts"]
    events[1]["actor"] = {"id": "somebody-else"}
    return events


def test_an_edited_event_breaks_the_chain(exported: Exported) -> None:
    """Attack B1: with the list of files made to fit, and without."""
    lines = exported.files["trail/events.jsonl"].split(b"\n")
    lines[1] = canonical(edited(exported)[1]).encode()
    files = {**exported.files, "trail/events.jsonl": b"\n".join(lines)}
    assert any("does not follow" in each for each in exported.verified(files))
    assert any("not the file that is listed" in each for each in exported.verified(files, relisted=False))


@pytest.mark.parametrize("how", ["edit", "truncate", "delete", "append", "reorder"])
def test_a_chain_that_was_made_to_fit_is_not_what_was_sealed(exported: Exported, how: str) -> None:
    """Attacks B2, B3, B4, B5, B8: every hash computed anew, and the list signed."""
    events = exported.events
    changed = {
        "edit": edited(exported),
        "truncate": events[:-1],
        "delete": events[:2] + events[3:],
        "append": [*events, {**events[-1], "id": "forged", "type": "case.closed"}],
        "reorder": [events[0], events[2], events[1], *events[3:]],
    }[how]
    found = exported.verified(exported.rechained(changed))
    if how == "append":  # it is no part of what was sealed: said, but what is before it is as it was
        path = exported.folder / "bundle.zip"
        assert any("not sealed yet" in each.en for each in verify(path, exported.key.key).findings)
    else:
        assert any("sealed: events up to" in each for each in found)


def test_a_repeated_event_is_found(exported: Exported) -> None:
    """Attack B6: with a chain made to fit."""
    events = exported.events
    found = exported.verified(exported.rechained([*events, events[-1]]))
    assert any("id is repeated" in each for each in found)


def test_events_of_another_case_are_found(exported: Exported) -> None:
    """Attack B7: all of them, or one."""
    events = [{**event, "stream": "case/another"} for event in exported.events]
    assert any("proof of epoch" in each for each in exported.verified(exported.rechained(events)))
    mixed = [*exported.events[:-1], {**exported.events[-1], "stream": "case/another"}]
    assert any("another stream" in each for each in exported.verified(exported.rechained(mixed)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.replace(b'":', b'": ', 1),
        lambda data: data.replace(b'"v":1', b'"v":1,"v":1', 1),
        lambda data: data.replace(b'"v":1', b'"v":1.0', 1),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data[:-1],
        lambda data: data.replace(b"\n", "\u2028".encode(), 1),
    ],
    ids=["spaces", "key twice", "float", "BOM", "CRLF", "no last newline", "U+2028"],
)
def test_events_in_another_writing_are_found(exported: Exported, spoil: Callable[[bytes], bytes]) -> None:
    """Attack B10: in the file."""
    assert exported.verified({**exported.files, "trail/events.jsonl": spoil(exported.files["trail/events.jsonl"])})


def test_files_that_are_changed_missing_or_added_are_found(exported: Exported) -> None:
    """Attack B9: answers and diagrams."""
    name = next(each for each in exported.files if each.startswith("answers/"))
    changed = {**exported.files, name: exported.files[name].replace(b'"answer":', b'"answer" :')}
    assert exported.verified(changed)
    package = next(each for each in exported.files if each.startswith("process/"))
    assert any("were changed" in each for each in exported.verified({**exported.files, package: b"x"}))
    without = {key: data for key, data in exported.files.items() if key != name}
    assert any("listed but missing" in each for each in exported.verified(without, relisted=False))
    added = {**exported.files, f"attachments/{hashlib.sha256(b'x').hexdigest()}": b"x"}
    assert any("not one the trail tells of" in each for each in exported.verified(added))
    assert any("not on the list" in each for each in exported.verified({**exported.files, "x": b""}, relisted=False))


def test_another_answer_under_the_same_commitment_is_found(exported: Exported) -> None:
    name = next(each for each in exported.files if each.startswith("answers/"))
    kept = json.loads(exported.files[name])
    changed = {**exported.files, name: canonical({**kept, "answer": "another"}).encode()}
    assert any("not the one that was given" in each for each in exported.verified(changed))


def test_logs_for_other_programs_tell_of_the_same_events(exported: Exported) -> None:
    for name in ("derived/log.xes", "derived/ocel.json"):
        events = exported.events
        changed = exported.files[name].replace(events[1]["id"].encode(), events[2]["id"].encode())
        assert any("other events" in each for each in exported.verified({**exported.files, name: changed}))


def test_a_list_signed_with_another_key_or_as_something_else_is_found(exported: Exported) -> None:
    """Attacks B11, B18: by another key of the same name; as another type."""
    other = Signing(exported.key.key.name, Ed25519PrivateKey.generate())
    manifest = exported.files["manifest.json"]
    forged = envelope(manifest, [other]).encode()
    assert exported.verified({**exported.files, "manifest.dsse.json": forged}, relisted=False)
    signed = json.loads(exported.files["manifest.dsse.json"])
    swapped = canonical({**signed, "payloadType": "text/plain"}).encode()
    assert exported.verified({**exported.files, "manifest.dsse.json": swapped}, relisted=False)


# Attacks on the checkpoint.


def test_an_edited_or_foreign_checkpoint_is_found(exported: Exported) -> None:
    """Attacks B11, B12: root, size, signature."""
    note = exported.files["trail/checkpoint.txt"].decode()
    text = note.split("\n\n")[0] + "\n"
    size, root = int(text.split("\n")[1]), text.split("\n")[2]
    other = Signing(exported.key.key.name, Ed25519PrivateKey.generate())
    for forged in (
        note.replace(root, base64.b64encode(bytes(32)).decode()),
        note.replace(f"\n{size}\n", f"\n{size + 1}\n"),
        f"{text}\n{other.line(text)}",
        text,
    ):
        assert exported.verified({**exported.files, "trail/checkpoint.txt": forged.encode()})


def test_witnesses_that_are_missing_or_sign_something_else_are_found(exported: Exported) -> None:
    """Attack B13: stripped, or of another checkpoint."""
    witness = Signing("审计处", Ed25519PrivateKey.generate(), WITNESS_KEY)
    note = exported.files["trail/checkpoint.txt"].decode()
    text = note.split("\n\n")[0] + "\n"
    asked: dict[str, Any] = {"witnesses": [witness.key], "quorum": 1}
    assert any("too few witnesses: 0 of 1" in each for each in exported.verified(**asked))
    signed = {**exported.files, "trail/checkpoint.txt": (note + witness.witness(text, 1)).encode()}
    assert exported.verified(signed, **asked) == []
    other = checkpoint_text(exported.key.key.name, 1, tree_root([]))
    replayed = {**exported.files, "trail/checkpoint.txt": (note + witness.witness(other, 1)).encode()}
    assert any("too few" in each for each in exported.verified(replayed, **asked))


def test_proofs_with_more_less_or_other_nodes_are_found(exported: Exported) -> None:
    """Attacks B14, B15: nodes and epochs."""
    proof = json.loads(exported.files["trail/proof.json"])
    nodes = proof["epochs"][0]["proof"]
    assert nodes
    for changed in (nodes[1:], [*nodes, [0, "00" * 32]], [[bit, "11" * 32] for bit, _ in nodes], [[300, nodes[0][1]]]):
        forged = {**proof, "epochs": [{**proof["epochs"][0], "proof": changed}, *proof["epochs"][1:]]}
        files = {**exported.files, "trail/proof.json": canonical(forged).encode()}
        assert any("proof of epoch" in each for each in exported.verified(files))
    fewer = {**proof, "epochs": proof["epochs"][:1]}
    files = {**exported.files, "trail/proof.json": canonical(fewer).encode()}
    assert any("is missing" in each for each in exported.verified(files))


def test_a_time_stamp_of_something_else_is_found(exported: Exported) -> None:
    """Attack B19: put in by hand."""
    assert any(
        "not a time stamp" in each for each in exported.verified({**exported.files, "trail/anchors/tsa.tsr": b"x"})
    )


def test_an_event_dated_before_the_epoch_it_cites_shows_that_a_clock_was_set_back(exported: Exported) -> None:
    """Attack S6: shown by what an event cites."""
    events = exported.events
    cited = next(event for event in events if "epoch" in event)
    at = events.index(cited)
    events[at] = {**cited, "ts": events[0]["ts"][:4] + "-01-01T00:00:00.000000Z"}
    assert any("a clock was set back" in each for each in exported.verified(exported.rechained(events)))


# Attacks by somebody who stole the key.


def rewritten(exported: Exported, epochs: int) -> Files:
    """The whole case rewritten, with the newest ``epochs`` forged to fit and signed with the stolen key."""
    files = exported.rechained(edited(exported))
    lines = files["trail/events.jsonl"].splitlines()
    heads = [event_hash(line) for line in lines]
    leaves = [
        exported.files["trail/epoch_leaves.bin"][i : i + 32]
        for i in range(0, len(exported.files["trail/epoch_leaves.bin"]), 32)
    ]
    proof = json.loads(files["trail/proof.json"])
    stream = json.loads(lines[0])["stream"]
    shown = sorted(proof["epochs"], key=lambda each: each["epoch"])
    first = len(leaves) - epochs + 1
    for each in shown:
        if each["epoch"] < first:
            continue
        seq = each["seq"]
        each["head"] = heads[seq - 1]
        root = offline.root_of_proof(stream, seq, each["head"], each["proof"])
        before = leaves[each["epoch"] - 2].hex() if each["epoch"] > 1 else offline.GENESIS
        statement = {**json.loads(each["statement"]), "map_root": root.hex(), "prev": before}
        each["statement"] = canonical(statement)
        leaves[each["epoch"] - 1] = leaf_hash(each["statement"].encode())
    text = checkpoint_text(exported.key.key.name, len(leaves), tree_root(leaves))
    return {
        **files,
        "trail/epoch_leaves.bin": b"".join(leaves),
        "trail/proof.json": canonical(proof).encode(),
        "trail/checkpoint.txt": f"{text}\n{exported.key.line(text)}".encode(),
    }


def test_a_forged_newest_epoch_contradicts_the_epochs_before_it(exported: Exported) -> None:
    """Attack S3: in the files of the bundle."""
    assert exported.verified(rewritten(exported, 1))


def test_a_checkpoint_that_somebody_kept_tells_of_any_rewriting(exported: Exported) -> None:
    kept = exported.files["trail/checkpoint.txt"].decode()
    assert exported.verified(known=[kept]) == []
    found = exported.verified(rewritten(exported, 1), known=[kept])
    assert any("history was rewritten" in each for each in found)


def test_a_checkpoint_newer_than_the_bundle_tells_of_a_rollback(exported: Exported) -> None:
    text = checkpoint_text(exported.key.key.name, 10_000, bytes(32))
    assert any("it contradicts" in each for each in exported.verified(known=[f"{text}\n{exported.key.line(text)}"]))


def test_a_total_rewriting_with_a_stolen_key_is_missed_unless_somebody_outside_kept_something(
    office: Office, tmp_path: Path
) -> None:
    """Attack S11: in the files of the bundle."""
    case = office.start()
    with office.database.look("system") as work:
        signer = Signer.of(work, tmp_path / "signer")
    assert signer.seal(office.database) == 1
    whole = Exported(unzipped(export(office.database, case, "system", patience=0).data), signer.key, tmp_path)
    assert len(whole.files["trail/epoch_leaves.bin"]) == 32
    forged, kept = rewritten(whole, 1), whole.files["trail/checkpoint.txt"].decode()
    assert whole.verified(forged) == []  # this is the limit of what a bundle proves by itself
    assert any("history was rewritten" in each for each in whole.verified(forged, known=[kept]))
    witness = Signing("审计处", Ed25519PrivateKey.generate(), WITNESS_KEY)
    assert any("too few witnesses" in each for each in whole.verified(forged, witnesses=[witness.key], quorum=1))


# Archives that are no bundles.


def test_tricks_with_names_in_the_archive_are_found(exported: Exported) -> None:
    """Attack B16: paths, letters, links."""
    for name in ("../x", "/etc/x", "a\\b", "C:x"):
        assert any("unsafe file name" in each for each in exported.verified({**exported.files, name: b""}))
    assert any("repeated" in each for each in exported.verified({**exported.files, "MANIFEST.json": b""}))
    link = zipfile.ZipInfo("report/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = exported.folder / "links.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in exported.files.items():
            archive.writestr(name, data)
        archive.writestr(link, "/etc/passwd")
    assert any(each.broken and "unsafe" in each.en for each in verify(path, exported.key.key).findings)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", zipped({"x": b""})])
def test_what_is_no_bundle_is_unreadable(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(Unreadable):
        verify(tmp_path / "x.zip")


def test_an_answer_or_a_private_value_that_no_event_tells_of_is_found(exported: Exported) -> None:
    for name in ("answers/0123.json", "private/0123.json", "policy/0123.txt"):
        files = {**exported.files, name: b'{"answer":{},"salt":""}'}
        assert f"{name} is not one the trail tells of" in exported.verified(files)
