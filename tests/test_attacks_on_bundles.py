"""Attacks on a bundle that ``test_bundle`` leaves out: what an exporter, a messenger or a stranger may try with it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.trail import offline
from engine.trail.bundle import export
from engine.trail.notes import Signing
from engine.trail.offline import (
    GENESIS,
    WITNESS_KEY,
    Unreadable,
    canonical,
    chain,
    event_hash,
    has_signed,
    read_checkpoint,
    signed_by,
    verify,
)
from engine.trail.record import tell
from engine.trail.sealing import Sealing
from tests.bundles import Exported, Files, unzipped, zipped
from tests.office import Office

pytest_plugins = ["tests.furnished", "tests.exporting"]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def noted(whole: Exported, files: Files) -> list[str]:
    """What the verifier says besides, without calling the bundle broken."""
    whole.verified(files)
    return [each.en for each in verify(whole.folder / "bundle.zip", whole.key.key).findings if not each.broken]


# The events.


def without_a_new_chain(exported: Exported, lines: list[bytes]) -> list[str]:
    return exported.verified({**exported.files, "trail/events.jsonl": b"".join(line + b"\n" for line in lines)})


def test_events_left_out_reordered_or_repeated_as_they_are_break_the_chain(exported: Exported) -> None:
    """Attacks B3, B4, B5, B6: without computing anything anew."""
    lines = exported.files["trail/events.jsonl"].splitlines()
    for changed in (
        lines[:2] + lines[3:],
        [lines[0], lines[2], lines[1], *lines[3:]],
        [*lines, lines[-1]],
        [lines[0], lines[1], lines[1], *lines[2:]],
        lines[1:],
    ):
        assert any("does not follow the event before it" in each for each in without_a_new_chain(exported, changed))
    cut = without_a_new_chain(exported, lines[:-1])
    assert any("events up to" in each for each in cut)


def test_events_of_another_log_are_found(exported: Exported) -> None:
    """Attack B7: one event of another log, or all of them."""
    events = exported.events
    one = exported.verified(exported.rechained([*events[:-1], {**events[-1], "log": "liuhen/other"}]))
    assert any("another stream or another log" in each for each in one)
    every = exported.verified(exported.rechained([{**event, "log": "liuhen/other"} for event in events]))
    assert any("the checkpoint is of another log" in each for each in every)


def later(event: dict[str, Any], **period: float) -> str:
    """The moment of an event, moved."""
    moved = datetime.fromisoformat(event["ts"]) + timedelta(**period)
    return moved.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
def sealed_later(office: Office, sealing: Sealing, tmp_path: Path) -> Exported:
    """A case that was sealed an hour after its last event."""
    case = office.start()
    office.later(hours=1)
    with office.database.work("system") as work:  # something happens elsewhere, so there is an epoch of this moment
        tell(work, "sys/policy", "calendar.loaded", {})
    return Exported(unzipped(export(office.database, case, "system").data), sealing.signer.key, tmp_path)


def test_an_invented_event_is_found_by_its_date_or_told_as_not_sealed(sealed_later: Exported) -> None:
    """Attack B8: a forged approval; nobody without the key can put it into the seal."""
    events = sealed_later.events
    forged = {**events[-1], "id": "forged", "type": "task.completed"}
    before = sealed_later.rechained([*events, {**forged, "ts": later(events[-1], minutes=1)}])
    assert any("it was written afterwards" in each for each in sealed_later.verified(before))
    after = sealed_later.rechained([*events, {**forged, "ts": later(events[-1], hours=2)}])
    assert sealed_later.verified(after) == []
    assert "the last 1 events are not sealed yet" in noted(sealed_later, after)


def test_a_case_invented_from_its_beginning_is_not_passed_off_as_unsealed(exported: Exported) -> None:
    """Attacks B8, B15: all of it dated after the seal, which is said to be older than the case."""
    events = [{**event, "ts": later(exported.events[-1], days=1)} for event in exported.events]
    for event in events:
        event.pop("epoch", None)
    proof = json.loads(exported.files["trail/proof.json"])
    unknown = {**proof, "epochs": [{**each, "seq": 0, "head": "", "proof": []} for each in proof["epochs"]]}
    files = {**exported.rechained(events), "trail/proof.json": canonical(unknown).encode()}
    assert "none of the events is sealed" in exported.verified(files)


def test_a_bundle_stripped_of_what_was_signed_does_not_pass_for_whoever_brings_a_key(exported: Exported) -> None:
    """Attacks B11, B13: no checkpoint, no signature, nothing to contradict."""
    dropped = ("trail/", "answers/", "private/")
    files = {name: data for name, data in exported.files.items() if not name.startswith(dropped)}
    files["trail/events.jsonl"] = exported.rechained(exported.events[:2])["trail/events.jsonl"]
    del files["derived/log.xes"], files["derived/ocel.json"], files["manifest.dsse.json"]
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(files.items())
        if not name.startswith("manifest.")
    ]
    files["manifest.json"] = canonical(manifest).encode()
    said = exported.verified(files, relisted=False)
    assert [each.split(":")[0] for each in said] == ["the list is not signed", "there is no checkpoint"]
    alone = verify(exported.folder / "bundle.zip")  # without a key nothing is asked, and it is said
    assert [each.broken for each in alone.findings if "no checkpoint" in each.en] == [False]


WRITINGS: dict[str, Callable[[bytes], bytes]] = {
    "BOM": lambda line: b"\xef\xbb\xbf" + line,
    "CRLF": lambda line: line + b"\r",
    "spaces": lambda line: line.replace(b'":', b'": ', 1),
    "float": lambda line: line.replace(b'"v":1', b'"v":1.0'),
    "exponent": lambda line: line.replace(b'"v":1', b'"v":1e0'),
    "minus zero": lambda line: line.replace(b'"v":1', b'"v":-0'),
    "NaN": lambda line: line.replace(b'"v":1', b'"v":NaN'),
    "key twice": lambda line: line.replace(b'"v":1', b'"v":2,"v":1'),
    "order of keys": lambda line: b'{"v":1,' + line[1:].replace(b',"v":1', b""),
    "escaped": lambda line: line.replace(b'"id"', b'"\\u0069d"'),
    "UTF-16": lambda line: line.decode().encode("utf-16"),
    "no UTF-8": lambda line: line.replace(b'"v":1', b'"v":"\xff"'),
    "nested deeply": lambda line: b'{"v":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "empty": lambda line: b"",
}


@pytest.mark.parametrize("name", WRITINGS)
def test_an_event_in_another_writing_is_found_though_the_chain_fits(name: str) -> None:
    """Attack B10: every hash is computed over the other writing, so that only the writing is wrong."""
    head, lines = GENESIS, []
    for number in range(1, 4):
        body = {"v": 1, "id": str(number), "log": "l", "stream": "s", "seq": number, "prev": head, "ts": str(number)}
        line = canonical(body).encode()
        lines.append(WRITINGS[name](line) if number == 2 else line)
        assert number != 2 or lines[-1] != line
        head = event_hash(lines[-1])
    said: list[tuple[int | None, str]] = []
    chain(lines, lambda seq, zh, en: said.append((seq, en)))
    assert [(seq, en.partition(" (")[0]) for seq, en in said][:1] == [(2, "the body is not canonical JSON")]


def test_a_line_separator_inside_a_text_ends_no_line() -> None:
    """Attack B10: U+2028 and U+0085 are letters like others to JSON; only a line feed ends an event."""
    body = {"v": 1, "id": "1", "log": "l", "stream": "s", "seq": 1, "prev": GENESIS, "ts": "1", "x": "a\u2028b\u0085c"}
    said: list[object] = []
    assert len(chain(canonical(body).encode().split(b"\n"), lambda *found: said.append(found))) == 1
    assert said == []


def test_events_out_of_their_time_are_found(exported: Exported) -> None:
    """Attack S6: two events whose times were exchanged."""
    events = exported.events
    events[0], events[-1] = {**events[0], "ts": events[-1]["ts"]}, {**events[-1], "ts": events[0]["ts"]}
    assert any("earlier than the event before" in each for each in exported.verified(exported.rechained(events)))


# Documents.


@pytest.fixture
def with_documents(office: Office, sealing: Sealing, tmp_path: Path) -> Exported:
    """A case with two documents."""
    case = office.start(plan={"file": "方案.pdf", "data": PDF})
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    office.do(case, "apply", "甲", plan={"file": "新方案.pdf", "data": PDF + b"new"})
    made = export(office.database, case, "system")
    return Exported(unzipped(made.data), sealing.signer.key, tmp_path)


def test_documents_that_are_exchanged_swapped_removed_or_added_are_found(with_documents: Exported) -> None:
    """Attack B9: with the list of files made to fit and signed, by whoever can have it signed."""
    whole = with_documents
    one, other = (name for name in whole.files if name.startswith("attachments/"))
    exchanged = {**whole.files, one: PDF + b"forged"}
    assert any("not one the trail tells of" in each for each in whole.verified(exchanged))
    swapped = {**whole.files, one: whole.files[other], other: whole.files[one]}
    assert len([each for each in whole.verified(swapped) if "not one the trail tells of" in each]) == 2
    forged = hashlib.sha256(PDF + b"forged").hexdigest()
    assert any("not one the trail" in each for each in whole.verified({**whole.files, f"attachments/{forged}": PDF}))
    renamed = {name: data for name, data in whole.files.items() if name != one} | {
        f"attachments/{forged}": PDF + b"forged"
    }
    assert any("not one the trail" in each for each in whole.verified(renamed))
    removed = {name: data for name, data in whole.files.items() if name != one}
    assert any("listed but missing" in each for each in whole.verified(removed, relisted=False))
    assert whole.verified(removed) == []  # withholding is lawful, and counted
    assert "withheld or lawfully erased: 1" in noted(whole, removed)


# Checkpoints, proofs, signatures.


def test_a_quorum_counts_each_witness_once_and_only_those_that_were_named(exported: Exported) -> None:
    """Attack B13: one line twice, one witness named twice, strangers, another moment of signing."""
    one, other, stranger = (Signing(name, Ed25519PrivateKey.generate(), WITNESS_KEY) for name in "甲乙丙")
    note = exported.files["trail/checkpoint.txt"].decode()
    text = note.split("\n\n")[0] + "\n"

    def said(lines: str, *witnesses: Signing, quorum: int) -> list[str]:
        files = {**exported.files, "trail/checkpoint.txt": (note + lines).encode()}
        return exported.verified(files, witnesses=[each.key for each in witnesses], quorum=quorum)

    signed = one.witness(text, 1)
    assert said(signed + other.witness(text, 2), one, other, quorum=2) == []
    assert said(signed, one, other, quorum=1) == []
    assert said(signed, one, other, quorum=2) == ["too few witnesses: 1 of 2"]
    assert said(signed * 2, one, other, quorum=2) == ["too few witnesses: 1 of 2"]
    assert said(signed, one, one, quorum=2) == ["too few witnesses: 1 of 2"]
    assert said(signed + stranger.witness(text, 1), one, other, quorum=2) == ["too few witnesses: 1 of 2"]
    name, raw = signed.split()[1], base64.b64decode(signed.split()[2])
    moved = base64.b64encode(raw[:11] + b"\x02" + raw[12:]).decode()
    assert said(f"— {name} {moved}\n", one, quorum=1) == ["too few witnesses: 0 of 1"]


def changes(epoch: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """A proof that is not the one of this epoch, in every way there is."""
    nodes = epoch["proof"]
    bit, sibling = nodes[0]
    yield {**epoch, "proof": [[bit + 1 if bit < 255 else bit - 1, sibling], *nodes[1:]]}
    yield {**epoch, "proof": nodes[::-1] if len(nodes) > 1 else [[bit, sibling[::-1]]]}
    yield {**epoch, "proof": [[-1, sibling], *nodes[1:]]}
    yield {**epoch, "proof": [[str(bit), sibling], *nodes[1:]]}
    yield {**epoch, "proof": [[bit, sibling, sibling], *nodes[1:]]}
    yield {**epoch, "seq": epoch["seq"] - 1}
    yield {**epoch, "seq": -1}
    yield {**epoch, "head": "0" * 64}
    for number in (size + 1, size + 1000, 0, -1, str(epoch["epoch"]), None):
        yield {**epoch, "epoch": number}


def test_a_proof_of_something_else_or_of_an_epoch_that_is_not_there_is_found(exported: Exported) -> None:
    """Attack B14: another direction, another position, an epoch beyond the end of the log or before its beginning."""
    proof = json.loads(exported.files["trail/proof.json"])
    size = len(exported.files["trail/epoch_leaves.bin"]) // 32
    for changed in changes(proof["epochs"][0], size):
        forged = canonical({**proof, "epochs": [changed, *proof["epochs"][1:]]}).encode()
        said = exported.verified({**exported.files, "trail/proof.json": forged})
        assert any("proof of epoch" in each or "not the form" in each for each in said), changed


def test_no_earlier_epoch_may_be_left_out_or_shown_as_if_the_case_had_not_begun(exported: Exported) -> None:
    """Attack B15: each of the epochs that must be shown, by itself."""
    proof = json.loads(exported.files["trail/proof.json"])
    assert len(proof["epochs"]) > 2
    for at, epoch in enumerate(proof["epochs"]):
        others = proof["epochs"][:at] + proof["epochs"][at + 1 :]
        files = {**exported.files, "trail/proof.json": canonical({**proof, "epochs": others}).encode()}
        assert f"the proof of epoch {epoch['epoch']} is missing" in exported.verified(files)
        if json.loads(epoch["statement"])["time"] > exported.events[0]["ts"]:
            unknown = {**epoch, "seq": 0, "head": "", "proof": []}
            files["trail/proof.json"] = canonical({**proof, "epochs": [*others, unknown]}).encode()
            assert f"the proof of epoch {epoch['epoch']} does not hold" in exported.verified(files)


def test_leaves_of_the_log_that_are_left_out_added_or_changed_are_found(exported: Exported) -> None:
    """Attack B12: the hashes of the epochs, from which the root is computed."""
    leaves = exported.files["trail/epoch_leaves.bin"]
    assert len(leaves) > 64
    for changed in (leaves[:-32], leaves[32:], leaves + bytes(32), leaves[32:64] + leaves[:32] + leaves[64:], b"x"):
        said = exported.verified({**exported.files, "trail/epoch_leaves.bin": changed})
        assert "the root of the checkpoint is not that of its epochs" in said


def test_of_two_hundred_changed_bits_of_a_signed_checkpoint_none_is_accepted(exported: Exported) -> None:
    """Attack B17: in the text, in the signature and in the key; the library agrees each time."""
    point = read_checkpoint(exported.files["trail/checkpoint.txt"].decode())
    message, (_, _, signature) = point.text.encode(), point.signatures[0]
    public = exported.key.key.public
    assert has_signed(point, exported.key.key)
    chance = random.Random(17)
    for _ in range(200):
        parts = [bytearray(public), bytearray(message), bytearray(signature)]
        part = chance.choice(parts)
        part[chance.randrange(len(part))] ^= 1 << chance.randrange(8)
        key, text, signed = (bytes(each) for each in parts)
        assert not signed_by(key, text, signed)
        with pytest.raises((InvalidSignature, ValueError)):
            Ed25519PublicKey.from_public_bytes(key).verify(signed, text)


# The archive.


def test_names_that_differ_in_the_case_of_letters_or_are_repeated_are_found(exported: Exported) -> None:
    """Attack B16: two files of one name, of which a reader may open either."""
    for again in ("trail/events.jsonl", "TRAIL/Events.JSONL", "report/REPORT.zh.html"):
        target = io.BytesIO(zipped(exported.files))
        with zipfile.ZipFile(target, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr(again, exported.files["trail/events.jsonl"])
        (exported.folder / "twice.zip").write_bytes(target.getvalue())
        said = verify(exported.folder / "twice.zip", exported.key.key).findings
        assert any(each.broken and each.en == "a file name is repeated" for each in said)


def test_a_bomb_is_not_unpacked(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack B16: more bytes or files than a bundle may have, or fewer than are said."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**exported.files, "attachments/bomb": bytes(20_000_000)}.items():
            archive.writestr(name, data)
    path = exported.folder / "bomb.zip"
    path.write_bytes(packed.getvalue())
    assert len(packed.getvalue()) < 1_000_000

    def refused(limit: str, value: int, data: bytes) -> None:
        path.write_bytes(data)
        with monkeypatch.context() as patch:
            patch.setattr(offline, limit, value)
            patch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
            with pytest.raises(Unreadable, match="more than"):
                verify(path)

    refused("MOST_BYTES", 19_000_000, packed.getvalue())
    refused("MOST_FILES", len(exported.files), packed.getvalue())
    lying = packed.getvalue().replace((20_000_000).to_bytes(4, "little"), (20).to_bytes(4, "little"))
    assert lying != packed.getvalue()
    path.write_bytes(lying)
    with pytest.raises(Unreadable):
        verify(path)


def test_a_damaged_archive_is_broken_or_unreadable_and_never_stops_the_verifier(exported: Exported) -> None:
    """Attack B16: changed bytes anywhere in the packed file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in exported.files.items():
            archive.writestr(name, data)
    chance, path, ends = random.Random(16), exported.folder / "damaged.zip", set()
    for _ in range(150):
        spoilt = bytearray(packed.getvalue())
        for _ in range(chance.choice((1, 1, 20))):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        path.write_bytes(spoilt)
        try:
            found = verify(path)
        except Unreadable:
            ends.add("unreadable")
            continue
        broken = any(each.broken for each in found.findings)
        assert broken or found.files == exported.files  # bytes that hold nothing, such as a date, may differ
        ends.add("broken" if broken else "intact")
    assert "unreadable" in ends
