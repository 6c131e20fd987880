#!/usr/bin/env python3
"""Verifies an exported case file (案卷证据包) alone: the standard library, no network, no Liuhen.

Usage: verify.py BUNDLE.zip --vkey KEY [--witness KEY … --quorum N] [--known CHECKPOINT …] [--lang en] [--json]

It trusts only what you bring: this file, the log's key, and checkpoints or witness keys you kept. It ends with
0: intact, 1: broken, 2: unreadable. Warnings change no code.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

GENESIS = "0" * 64
EVENT = b"LIUHEN-EVENT-v1\n"
PAYLOAD = "application/vnd.liuhen.manifest+json"
LEAF, NODE, MAP_LEAF, MAP_NODE = b"\0", b"\1", b"\2", b"\3"
LOG_KEY, WITNESS_KEY = 1, 4
MOST_BYTES, MOST_FILES = 4 << 30, 20_000
SLACK = timedelta(minutes=10)  # clocks differ, and an act may take a while from its moment to its end
PROPERTIES = {"authentic": "真实性", "complete": "完整性", "usable": "可用性", "safe": "安全性"}


class Unreadable(Exception):
    """What should be verified cannot even be read."""


class Finding(NamedTuple):
    """What was found: about which of the four properties (四性), whether it breaks the bundle, and the sentence."""

    about: str
    broken: bool
    zh: str
    en: str


def sha(*parts: bytes) -> bytes:
    """SHA-256 over these parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def event_hash(body: bytes) -> str:
    """The hash of an event, hex."""
    return hashlib.sha256(EVENT + body).hexdigest()


def instant(text: str) -> datetime:
    """The moment an event or an epoch tells of itself."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


# Canonical JSON: sorted keys, no spaces, no floats.


def _no_float(text: str) -> Any:
    raise ValueError(f"{text} is not an integer")


_decode = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).decode
canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def strict(data: bytes) -> Any:
    """Read canonical JSON; ValueError for what two readers could read differently (repeated keys, floats, spaces)."""
    try:
        text = data.decode("utf-8")
        value = _decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if canonical(value) != text:
        raise ValueError("not canonical JSON")
    return value


# The log: a Merkle tree as in RFC 6962, section 2.1. Its leaves are the statements of the epochs.


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf of the log."""
    return sha(LEAF, data)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; that of none is the hash of nothing."""
    if not leaves:
        return sha()
    level = list(leaves)
    while len(level) > 1:  # an odd one out moves up as it is, which gives the tree of RFC 6962
        paired = [sha(NODE, level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0]


# The map of all streams: a crit-bit tree over SHA-256(stream); where a stream stands is fixed by its name alone.


def map_key(stream: str) -> bytes:
    """Where a stream stands in the map."""
    return sha(stream.encode())


def map_leaf(key: bytes, seq: int, head: str) -> bytes:
    """The leaf of a stream that has ``seq`` events and ends in ``head``."""
    return sha(MAP_LEAF, key, seq.to_bytes(8, "big"), bytes.fromhex(head))


def map_node(bit: int, left: bytes, right: bytes) -> bytes:
    """The node whose two sides differ first in this bit of their keys."""
    return sha(MAP_NODE, bit.to_bytes(2, "big"), left, right)


def bit_of(key: bytes, bit: int) -> int:
    """A bit of a key, the most significant one first."""
    return key[bit // 8] >> (7 - bit % 8) & 1


def root_of_proof(stream: str, seq: int, head: str, proof: Sequence[Sequence[Any]]) -> bytes:
    """The root of the map to which this proof leads: pairs of bit and sibling (hex), from the leaf upwards."""
    key = map_key(stream)
    found, below = map_leaf(key, seq, head), 256
    for bit, sibling in proof:
        if not isinstance(bit, int) or not 0 <= bit < below:
            raise ValueError("the bits of a proof must fall from leaf to root")
        below, other = bit, bytes.fromhex(sibling)
        found = map_node(bit, other, found) if bit_of(key, bit) else map_node(bit, found, other)
    return found


# Ed25519 (RFC 8032), only to verify. Slow, and that is enough for the few signatures of a bundle.

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_I = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]


def _add(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % _P, (one[1] + one[0]) * (two[1] + two[0]) % _P
    c, d = 2 * one[3] * two[3] * _D % _P, 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _add(total, point)
        point, factor = _add(point, point), factor >> 1
    return total


def _point(data: bytes) -> Point:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        raise ValueError("no point")
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _I % _P
    if (x * x - square) % _P or (x == 0 and sign):
        raise ValueError("no point")
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


_BASE = _point(bytes.fromhex("58" + "66" * 31))


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is the Ed25519 signature of the message; one with a malleable ``s`` is not."""
    try:
        key, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    if len(signature) != 64 or s >= _L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    left, right = _times(s, _BASE), _add(r, _times(challenge, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % _P or (left[1] * right[2] - right[1] * left[2]) % _P)


# Signed notes (C2SP): a text, an empty line, and signature lines. The text of a checkpoint is origin, size and root.


class Key(NamedTuple):
    """A published key: ``name+hash+base64(kind, public)``."""

    name: str
    number: bytes
    kind: int
    public: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        """The key in this text; ValueError if it is none."""
        name, number, data = text.strip().split("+", 2)
        raw = base64.b64decode(data, validate=True)
        key = cls(name, key_number(name, raw), raw[0], raw[1:])
        if key.number.hex() != number or len(key.public) != 32 or key.kind not in (LOG_KEY, WITNESS_KEY):
            raise ValueError(f"{text.strip()!r} is no key: expected name+hash+base64")
        return key


def key_number(name: str, raw: bytes) -> bytes:
    """The four bytes by which signature lines name a key."""
    return sha(name.encode(), b"\n", raw)[:4]


class Checkpoint(NamedTuple):
    """A checkpoint: the text that was signed, what it says, and its signature lines as name, key number, signature."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def read_checkpoint(note: str) -> Checkpoint:
    """A signed note as a checkpoint; ValueError if it is none."""
    text, _, lines = note.partition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    if not size.isascii() or not size.isdigit() or str(int(size)) != size:
        raise ValueError("the second line of a checkpoint is its size")
    signatures = []
    for line in lines.splitlines():
        found = re.fullmatch(r"— (\S+) (\S+)", line)
        if not found:
            raise ValueError("a signature line begins with a dash and a name")
        raw = base64.b64decode(found[2], validate=True)
        signatures.append((found[1], raw[:4], raw[4:]))
    return Checkpoint(text, origin, int(size), base64.b64decode(root, validate=True), tuple(signatures))


def has_signed(point: Checkpoint, key: Key) -> bool:
    """Whether a log's or a witness's key has signed this checkpoint."""
    for name, number, signature in point.signatures:
        if (name, number) != (key.name, key.number):
            continue
        if key.kind == LOG_KEY and signed_by(key.public, point.text.encode(), signature):
            return True
        if key.kind == WITNESS_KEY and signed_by(key.public, cosigned(point.text, signature[:8]), signature[8:]):
            return True
    return False


def cosigned(text: str, time: bytes) -> bytes:
    """What a witness signs (C2SP cosignature/v1); ``time`` is seconds since 1970 in eight bytes."""
    return f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n{text}".encode()


def pae(payload: bytes) -> bytes:
    """What is signed of a manifest (DSSE): its type is signed with it."""
    return f"DSSEv1 {len(PAYLOAD)} {PAYLOAD} {len(payload)} ".encode() + payload


# A chain of events.


class Told(NamedTuple):
    """One event as it was read."""

    seq: int
    hash: str
    body: Mapping[str, Any]


def chain(lines: Iterable[bytes], wrong: Callable[[int | None, str, str], None]) -> list[Told]:
    """The events of one stream, each checked against the one before it; ``wrong(seq, zh, en)`` hears what is not so."""
    events: list[Told] = []
    seen: set[str] = set()
    head, moment, log, stream = GENESIS, "", None, None
    for number, line in enumerate(lines, 1):
        try:
            body = strict(line)
            seq, said = body["seq"], (body["log"], body["stream"])
        except (ValueError, KeyError, TypeError) as error:
            wrong(number, f"正文不是规范的 JSON（{error}）", f"the body is not canonical JSON ({error})")
            head = event_hash(line)
            continue
        log, stream = (log, stream) if events else said
        if seq != number or body.get("prev") != head:
            wrong(
                number,
                "与上一条不相接：有记录被改动、删除、插入或调换",
                "it does not follow the event before it: events were changed, removed, inserted or reordered",
            )
        if said != (log, stream):
            wrong(number, "属于另一案卷或另一日志", "it belongs to another stream or another log")
        if body.get("id") in seen:
            wrong(number, "编号重复", "its id is repeated")
        if str(body.get("ts")) < moment:
            wrong(number, "时间早于上一条", "it is earlier than the event before it")
        seen.add(str(body.get("id")))
        head, moment = event_hash(line), str(body.get("ts"))
        events.append(Told(seq, head, body))
    return events


# A bundle.


class Bundle:
    """The files of a bundle and what was found about them."""

    def __init__(self, path: Path) -> None:
        """Read every file; ``Unreadable`` if that cannot be done."""
        self.findings: list[Finding] = []
        self.files: dict[str, bytes] = {}
        self.events: list[Told] = []
        self.point: Checkpoint | None = None
        self.manifest: Mapping[str, Any] = {}
        self.leaves: list[bytes] = []
        self.private: set[str] = set()
        self.asked = False
        try:
            with zipfile.ZipFile(path) as archive:
                listed = archive.infolist()
                if len(listed) > MOST_FILES or sum(each.file_size for each in listed) > MOST_BYTES:
                    raise Unreadable(f"more than {MOST_FILES} files or {MOST_BYTES} bytes")  # noqa: TRY301
                names = [each.filename for each in listed]
                odd = [name for name in names if re.search(r"\\|^/|^\w:|(^|/)\.\.?(/|$)|/$", name)]
                links = [each.filename for each in listed if each.external_attr >> 16 & 0o170000 == 0o120000]
                for name in {*odd, *links}:
                    self.broken("safe", f"文件名不安全：{name!r}", f"an unsafe file name: {name!r}")
                if len({name.casefold() for name in names}) != len(names):
                    self.broken("safe", "有重名的文件", "a file name is repeated")
                self.files = {each.filename: archive.read(each) for each in listed if each.filename not in links}
        except Exception as error:  # whatever a spoilt or hostile archive makes the library say
            raise Unreadable(str(error)) from error
        if "manifest.json" not in self.files or "trail/events.jsonl" not in self.files:
            raise Unreadable("there is no manifest.json or no trail/events.jsonl: this is no bundle")

    def broken(self, about: str, zh: str, en: str) -> None:
        """Something is not as it was recorded."""
        self.findings.append(Finding(about, True, zh, en))

    def forged(self, zh: str, en: str) -> None:
        """Something is not authentic."""
        self.broken("authentic", zh, en)

    def note(self, about: str, zh: str, en: str) -> None:
        """Something to know that breaks nothing."""
        self.findings.append(Finding(about, False, zh, en))

    def unproved(self, zh: str, en: str) -> None:
        """Nothing shows it: that breaks the bundle for whoever brought something of their own to prove it by."""
        self.findings.append(Finding("authentic", self.asked, zh, en))

    def read(self, name: str) -> Any:
        """A canonical JSON file of the bundle; None, and a finding, where it is none."""
        try:
            return strict(self.files[name])
        except KeyError:
            self.broken("complete", f"缺少 {name}", f"{name} is missing")
        except ValueError as error:
            self.broken("usable", f"{name} 不是规范的 JSON（{error}）", f"{name} is not canonical JSON ({error})")
        return None

    # Completeness: what the manifest lists is there and nothing else is.

    def check_manifest(self, key: Key | None) -> None:
        """Every file is listed with its size and hash, and the list is signed."""
        manifest = self.read("manifest.json")
        if not isinstance(manifest, dict):
            return
        self.manifest = manifest
        listed = {each["path"]: each for each in manifest.get("files", [])}
        found = self.files.keys() - {"manifest.json", "manifest.dsse.json"}
        for name in sorted(listed.keys() - found):
            self.broken("complete", f"清单所列的 {name} 不见了", f"{name} is listed but missing")
        for name in sorted(found - listed.keys()):
            self.broken("complete", f"{name} 不在清单上", f"{name} is not on the list")
        for name in sorted(found & listed.keys()):
            if hashlib.sha256(self.files[name]).hexdigest() != listed[name]["sha256"]:
                self.broken("complete", f"{name} 与清单不符", f"{name} is not the file that is listed")
        envelope = self.read("manifest.dsse.json") if "manifest.dsse.json" in self.files else None
        if envelope is None:
            say = self.note if key is None else self.broken  # whoever brings a key wants to see what it signed
            say("authentic", "清单没有签名", "the list is not signed")
        elif key is not None:
            payload = base64.b64decode(envelope["payload"])
            good = envelope.get("payloadType") == PAYLOAD and payload == self.files["manifest.json"]
            if not good or not any(
                signed_by(key.public, pae(payload), base64.b64decode(each["sig"])) for each in envelope["signatures"]
            ):
                self.forged("清单的签名不成立", "the signature of the list does not hold")

    # Authenticity: the chain, and the checkpoint that it is committed to.

    def check_chain(self) -> None:
        """The events follow one another without a gap."""
        data = self.files["trail/events.jsonl"]
        if not data.endswith(b"\n") or b"\r" in data or data.startswith(b"\xef\xbb\xbf"):
            self.broken(
                "usable", "events.jsonl 的行尾或编码被改动", "the line ends or encoding of events.jsonl were changed"
            )
        self.events = chain(
            data.split(b"\n")[:-1] if data.endswith(b"\n") else data.split(b"\n"),
            lambda seq, zh, en: self.forged(f"第 {seq} 条：{zh}", f"event {seq}: {en}"),
        )

    def check_checkpoint(self, key: Key | None, witnesses: Sequence[Key], quorum: int, known: Sequence[str]) -> None:
        """The log of epochs has the root that was signed, witnessed, and kept elsewhere."""
        try:
            self.point = point = read_checkpoint(self.files["trail/checkpoint.txt"].decode())
            flat = self.files["trail/epoch_leaves.bin"]
            self.leaves = leaves = [flat[i : i + 32] for i in range(0, len(flat), 32)]
        except KeyError:
            self.unproved("没有检查点：只证明链条自身一致", "there is no checkpoint: the chain is consistent, no more")
            return
        except ValueError as error:
            self.forged(f"检查点不可读（{error}）", f"the checkpoint cannot be read ({error})")
            return
        if point.size != len(leaves) or tree_root(leaves) != point.root:
            self.forged("检查点的根与各期不符", "the root of the checkpoint is not that of its epochs")
        if any(event.body["log"] != point.origin for event in self.events):
            self.forged("检查点属于另一日志", "the checkpoint is of another log")
        if key is None:
            self.note("authentic", "没有给出日志公钥：签名未核验", "no key was given: the signature was not verified")
        elif not has_signed(point, key):
            self.forged("检查点不是由所给公钥签署", "the checkpoint is not signed with the key you gave")
        count = sum(has_signed(point, each) for each in set(witnesses))
        if count < quorum:
            self.forged(f"见证不足：{count}/{quorum}", f"too few witnesses: {count} of {quorum}")
        for text in known:
            kept = read_checkpoint(text)
            if kept.origin != point.origin or kept.size > point.size or tree_root(leaves[: kept.size]) != kept.root:
                self.forged(
                    f"与所存的检查点（第 {kept.size} 期）矛盾：历史被改写",
                    f"it contradicts the checkpoint you kept (epoch {kept.size}): history was rewritten",
                )

    def check_proofs(self) -> None:
        """The newest epoch and the earlier ones that must be shown all commit to these very events."""
        if self.point is None or not self.leaves:
            return
        proof = self.read("trail/proof.json")
        if not isinstance(proof, dict) or not self.events:
            return
        newest = len(self.leaves)
        wanted = {newest} | {newest - 2**i for i in range(newest.bit_length()) if newest - 2**i > 0}
        shown = {each["epoch"] for each in proof["epochs"] if self._seals(each)}
        for number in sorted(wanted - shown):
            self.forged(f"缺少第 {number} 期的证明", f"the proof of epoch {number} is missing")
        cited = {leaf_hash(text.encode()).hex(): strict(text.encode()) for text in proof["cited"]}
        self._check_citations(cited)
        for said in cited.values():
            if back := said.get("recovered"):
                self.note(
                    "complete",
                    f"第 {said['epoch']} 期：经两人批准，恢复了第 {back['epoch']} 期的备份，丢失 {back['events']} 条",
                    f"epoch {said['epoch']}: two people let a backup of epoch {back['epoch']} be put back, "
                    f"{back['events']} events were lost",
                )
        for last in proof["epochs"]:
            if last["epoch"] == newest:
                self._check_rest(newest, self.events[last["seq"] :], strict(last["statement"].encode())["time"])

    def _check_rest(self, newest: int, rest: Sequence[Told], time: str) -> None:
        """What came after the newest epoch is not proved; what says it came before must be in it."""
        if rest and rest == self.events:
            self.unproved("没有一条记录被封存", "none of the events is sealed")
        elif rest:
            self.note("authentic", f"最后 {len(rest)} 条尚未封存", f"the last {len(rest)} events are not sealed yet")
        for event in rest:
            if instant(event.body["ts"]) + SLACK < instant(time):
                self.forged(
                    f"第 {event.seq} 条的时间早于第 {newest} 期，却不在其中：是事后补写的",
                    f"event {event.seq} is dated before epoch {newest} but is not in it: it was written afterwards",
                )

    def _check_citations(self, statements: Mapping[str, Mapping[str, Any]]) -> None:
        """An event cites the newest epoch its writer knew: it is in the log, and no younger than the event."""
        for event in self.events:
            epoch = event.body.get("epoch")
            if epoch is None:
                continue
            said = statements.get(epoch["hash"])
            if not 0 < epoch["n"] <= len(self.leaves) or self.leaves[epoch["n"] - 1].hex() != epoch["hash"] or not said:
                self.forged(
                    f"第 {event.seq} 条援引的期不在日志中", f"event {event.seq} cites an epoch that is not in the log"
                )
            elif str(event.body["ts"]) < said["time"]:
                self.forged(
                    f"第 {event.seq} 条的时间早于它援引的期：时钟被回拨",
                    f"event {event.seq} is dated before the epoch it cites: a clock was set back",
                )

    def _seals(self, each: Mapping[str, Any]) -> bool:
        """Whether the statement of an epoch is in the log, and what it commits to is the beginning of these events."""
        text, seq, number = each["statement"].encode(), each["seq"], each["epoch"]
        try:
            said = strict(text)
            before = self.leaves[number - 2].hex() if number > 1 else GENESIS
            good = said["epoch"] == number and leaf_hash(text) == self.leaves[number - 1] and said["prev"] == before
            if good and seq:
                root = root_of_proof(str(self.events[0].body["stream"]), seq, each["head"], each["proof"])
                good = root.hex() == said["map_root"]
                if good and (seq > len(self.events) or self.events[seq - 1].hash != each["head"]):
                    self.forged(
                        f"与第 {number} 期封存的不符：第 {seq} 条以前有改动或删减",
                        f"it is not what epoch {number} sealed: events up to {seq} were changed or removed",
                    )
            elif good and instant(said["time"]) > instant(self.events[0].body["ts"]) + SLACK:
                good = False  # the case had begun, so this epoch must show it
        except (ValueError, KeyError, IndexError, TypeError):
            good = False
        if not good:
            self.forged(f"第 {number} 期的证明不成立", f"the proof of epoch {number} does not hold")
        return bool(good)

    # Usability and the rest: what the events are committed to is here, or is said to be withheld.

    def check_contents(self) -> None:
        """Documents, answers, diagrams and texts are those the events tell of."""
        documents, private, answers, packages, texts = set(), {}, {}, set(), set()
        for event in self.events:
            data, process = event.body.get("data", {}), event.body.get("process", {})
            if "document" in data:
                documents.add(str(data["sha256"]))
                if "private" in data:
                    private[str(data["sha256"])] = data["private"]
            if "commitment" in data:
                answers[str(data["submission"])] = str(data["commitment"])
            packages |= {str(process["sha256"])} if "sha256" in process else set()
            texts |= {str(each["sha256"]) for each in data.get("policy", [])}
        hidden = {each for each, place in private.items() if self._file(place["ref"], place["commit"])}
        withheld = sum(each in hidden or f"attachments/{each}" not in self.files for each in documents)
        withheld += sum(self._answer(each, commitment) for each, commitment in answers.items())
        told = {"attachments": documents, "answers": answers, "policy": texts, "private": self.private}
        for name, data in sorted(self.files.items()):
            folder, _, rest = name.partition("/")
            named = rest.partition(".")[0]
            hashed = folder in ("attachments", "policy") and sha(data).hex() != named
            if hashed or named not in told.get(folder, (named,)):
                self.forged(f"{name} 不是轨迹所记的", f"{name} is not one the trail tells of")
        for each in packages:
            self._package(each)
        if missing := sum(f"policy/{each}.txt" not in self.files for each in texts):
            self.note("usable", f"未附政策文本 {missing} 份", f"{missing} policy texts are not enclosed")
        if withheld:
            self.note("usable", f"未提供或已依法删除：{withheld} 项", f"withheld or lawfully erased: {withheld}")

    def _answer(self, each: str, commitment: str) -> int:
        """Check an answer, and what personal values of it are released; gives how many are withheld."""
        zh, en = f"答复 {each} 不是当时的答复", f"the answer {each} is not the one that was given"
        kept = self._committed(f"answers/{each}.json", "answer", commitment, zh, en)
        return 1 if kept is None else sum(self._private(*pair) for pair in _sealed(kept))

    def _private(self, ref: str, commitment: str) -> int:
        self.private.add(ref)
        zh, en = f"个人信息 {ref} 不是当时的内容", f"the personal value {ref} is not the one that was given"
        return int(self._committed(f"private/{ref}.json", "value", commitment, zh, en) is None)

    def _committed(self, name: str, part: str, commitment: str, zh: str, en: str) -> Any:
        """What a file holds that the trail is committed to; None where it is withheld."""
        kept = self.read(name) if name in self.files else None
        if kept is None:
            return None
        if sha(bytes.fromhex(kept["salt"]), canonical(kept[part]).encode()).hex() != commitment:
            self.forged(zh, en)
        return kept[part]

    def _file(self, ref: str, commitment: str) -> int:
        """An encrypted document: its name and hash are those committed to, and what was encrypted has that hash."""
        said = None if self._private(ref, commitment) else self.read(f"private/{ref}.json")
        wanted = [said["value"]["sha256"]] if said else []
        beside = {name for name in self.files if name.startswith(f"private/{ref}.")} - {f"private/{ref}.json"}
        if [sha(self.files[name]).hex() for name in beside] != wanted:
            zh, en = f"加密附件 {ref} 不是当时的文件", f"the encrypted document {ref} is not the one that was given"
            self.forged(zh, en)
        return int(said is None)

    def _package(self, digest: str) -> None:
        """The diagram and forms of a version are those the events name."""
        whole, prefix = hashlib.sha256(), f"process/{digest}/"
        paths = sorted(name for name in self.files if name.startswith(prefix))
        for name in paths:
            whole.update(f"{name.removeprefix(prefix)}\0{sha(self.files[name]).hex()}\n".encode())
        if not paths:
            self.note(
                "usable", f"未附流程版本 {digest[:12]}", f"the version {digest[:12]} of the process is not enclosed"
            )
        elif whole.hexdigest() != digest:
            self.forged(f"流程版本 {digest[:12]} 的文件被改动", f"the files of version {digest[:12]} were changed")

    def check_derived(self) -> None:
        """The event logs for other programs tell of exactly these events, and stamps are of this checkpoint."""
        ids = [str(event.body["id"]) for event in self.events]
        if "derived/log.xes" in self.files:
            told = re.findall(rb'<id key="identity:id" value="([^"]*)"', self.files["derived/log.xes"])
            if [each.decode() for each in told] != ids:
                self.broken("usable", "log.xes 与轨迹不符", "log.xes tells of other events than the trail")
        if "derived/ocel.json" in self.files:
            ocel = self.read("derived/ocel.json")
            if not isinstance(ocel, dict) or [each.get("id") for each in ocel.get("events", [])] != ids:
                self.broken("usable", "ocel.json 与轨迹不符", "ocel.json tells of other events than the trail")
        for name in self.files:
            if name.endswith(".tsr") and self.point and sha(self.point.text.encode()) not in self.files[name]:
                self.forged(f"{name} 不是这一检查点的时间戳", f"{name} is not a time stamp of this checkpoint")


def _sealed(value: Any) -> Iterable[tuple[str, str]]:
    """The references of personal values inside an answer, with the commitments to them."""
    if isinstance(value, dict):
        if value.keys() == {"$private"}:
            yield value["$private"]["ref"], value["$private"]["commit"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _sealed(each)


def verify(
    path: Path, key: Key | None = None, witnesses: Sequence[Key] = (), quorum: int = 0, known: Sequence[str] = ()
) -> Bundle:
    """Everything that is wrong with a bundle, in its ``findings``; ``Unreadable`` if it is none."""
    bundle = Bundle(path)
    bundle.asked = bool(key or witnesses or known)
    checks: tuple[Callable[[], None], ...] = (
        lambda: bundle.check_manifest(key),
        bundle.check_chain,
        lambda: bundle.check_checkpoint(key, witnesses, quorum, known),
        bundle.check_proofs,
        bundle.check_contents,
        bundle.check_derived,
    )
    for check in checks:
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever comes of a form that nobody expects
            bundle.broken("usable", f"格式不对（{error!r}）", f"something has not the form it should have ({error!r})")
    return bundle


def tell(bundle: Bundle, language: str) -> None:
    """Print what was found, under the four properties."""
    for about, zh in PROPERTIES.items():
        found = [each for each in bundle.findings if each.about == about]
        good = not any(each.broken for each in found)
        print(f"{zh if language == 'zh' else about}: {'✓' if good else '✗'}")
        for each in found:
            print(f"  {'✗' if each.broken else '·'} {each.zh if language == 'zh' else each.en}")
    count, point = len(bundle.events), bundle.point
    if language == "zh":
        print(f"{count} 条记录" + (f"，检查点 {point.origin} 第 {point.size} 期" if point else ""))
    else:
        print(f"{count} events" + (f", checkpoint {point.origin} epoch {point.size}" if point else ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify a bundle from the command line; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--vkey", help="the log's public key, as published outside the bundle")
    parser.add_argument("--witness", action="append", default=[], help="a witness's public key")
    parser.add_argument("--quorum", type=int, help="how many witnesses must have signed (default: all given)")
    parser.add_argument("--known", action="append", default=[], type=Path, help="a checkpoint you kept")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        witnesses = [Key.read(each) for each in asked.witness]
        known = [each.read_text("utf-8") for each in asked.known]
        for text in known:
            read_checkpoint(text)
        quorum = len(witnesses) if asked.quorum is None else asked.quorum
        bundle = verify(asked.bundle, Key.read(asked.vkey) if asked.vkey else None, witnesses, quorum, known)
    except (Unreadable, ValueError, OSError) as error:
        print(f"不可读 unreadable: {error}", file=sys.stderr)
        return 2
    broken = any(each.broken for each in bundle.findings)
    if asked.json:
        findings = [each._asdict() for each in bundle.findings]
        said = {"intact": not broken, "events": len(bundle.events), "findings": findings}
        print(json.dumps(said, ensure_ascii=False))
    else:
        tell(bundle, asked.lang)
        print(("未通过" if broken else "完好") if asked.lang == "zh" else ("BROKEN" if broken else "intact"))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
