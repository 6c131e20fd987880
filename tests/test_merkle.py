"""The log, the map, signatures and witnesses by themselves: as the standards say, and against independent libraries."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Unusable
from engine.trail.anchors import Outside, Unanchored, cosigned, witnesses_of
from engine.trail.notes import Signing, checkpoint_text, signing_key
from engine.trail.offline import (
    WITNESS_KEY,
    Key,
    has_signed,
    leaf_hash,
    read_checkpoint,
    root_of_proof,
    signed_by,
    strict,
    tree_root,
)
from engine.trail.tree import StreamMap, consistency, is_consistent
from engine.trail.witness import Witness, server

# The eight leaves of the test vectors that RFC 6962 logs share, and the roots of their beginnings.
LEAVES = [bytes.fromhex(each) for each in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    """So many leaf hashes."""
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_the_root_of_the_log_is_that_of_rfc_6962() -> None:
    hashes = [leaf_hash(each) for each in LEAVES]
    assert [tree_root(hashes[: size + 1]).hex() for size in range(8)] == ROOTS
    assert tree_root([]) == hashlib.sha256().digest()


@given(st.integers(0, 70), st.integers(0, 70))
@settings(max_examples=300, deadline=None)
def test_a_log_proves_each_of_its_beginnings_and_nothing_else(one: int, two: int) -> None:
    old, size = sorted((one, two))
    whole = leaves(size)
    proof = consistency(whole, old)
    assert is_consistent(old, tree_root(whole[:old]), size, tree_root(whole), proof)
    if old:
        forged = [*leaves(old - 1), leaf_hash(b"another")]
        assert not is_consistent(old, tree_root(forged), size, tree_root(whole), proof)
    assert not is_consistent(old, tree_root(whole[:old]), size, tree_root(whole), [*proof, leaf_hash(b"more")])


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12),
        st.tuples(st.integers(1, 2**40), st.binary(min_size=32, max_size=32)),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_map_proves_where_each_stream_stands_and_nowhere_else(streams: dict[str, tuple[int, bytes]]) -> None:
    heads = {name: (seq, head.hex()) for name, (seq, head) in streams.items()}
    tree = StreamMap(heads)
    for name, (seq, head) in heads.items():
        proof = tree.proof(name)
        assert root_of_proof(name, seq, head, proof) == tree.root
        assert root_of_proof(name, seq + 1, head, proof) != tree.root
        if len(proof) > 1:
            with pytest.raises(ValueError, match="must fall"):
                root_of_proof(name, seq, head, proof[::-1])
        if proof:
            assert root_of_proof(name, seq, head, proof[:-1]) != tree.root
    with pytest.raises(KeyError):
        tree.proof("\0 nobody")


def test_the_map_does_not_depend_on_the_order_in_which_streams_are_named() -> None:
    heads = {f"case/{number}": (number + 1, f"{number:064x}") for number in range(50)}
    assert StreamMap(heads).root == StreamMap(dict(reversed(heads.items()))).root


# Signatures.


@given(st.binary(max_size=200), st.integers(0, 511))
@settings(max_examples=25, deadline=None)
def test_a_signature_holds_as_the_library_says_and_with_no_bit_changed(message: bytes, bit: int) -> None:
    """Attack B17: any bit of any signature."""
    secret = Ed25519PrivateKey.generate()
    public = secret.public_key().public_bytes_raw()
    signature = secret.sign(message)
    assert signed_by(public, message, signature)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(changed), message)
    assert not signed_by(public, message, bytes(changed))
    assert not signed_by(public, message + b"x", signature)


def test_a_malleable_signature_is_refused() -> None:
    """Attack B17: the twin s+L."""
    order = 2**252 + 27742317777372353535851937790883648493
    secret = Ed25519PrivateKey.generate()
    signature = secret.sign(b"x")
    s = int.from_bytes(signature[32:], "little") + order
    other = signature[:32] + s.to_bytes(32, "little")
    assert not signed_by(secret.public_key().public_bytes_raw(), b"x", other)


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a": 1}', b'{"a":1.5}', b'{"a":NaN}', b"\xff"])
def test_json_that_two_readers_could_read_differently_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"canonical|integer|utf-8"):
        strict(data)


# Keys and notes.


def test_a_key_is_drawn_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    one = signing_key(tmp_path / "key.pem", "liuhen/x")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o400
    assert signing_key(tmp_path / "key.pem", "liuhen/x").published == one.published
    assert Key.read(one.published) == one.key


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("x")
    with pytest.raises(Unusable, match="cannot be read"):
        signing_key(tmp_path / "key.pem", "x")


def test_another_key_of_the_same_name_has_not_signed() -> None:
    """Attack B11: in its signature line too."""
    ours, theirs = (Signing("log", Ed25519PrivateKey.generate()) for _ in range(2))
    text = checkpoint_text("log", 1, tree_root(leaves(1)))
    point = read_checkpoint(f"{text}\n{theirs.line(text)}")
    assert has_signed(point, theirs.key)
    assert not has_signed(point, ours.key)


@pytest.mark.parametrize("text", ["", "a", "a+00000000+AAAA", "log+zz+!!"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Key.read(text)


# Witnesses.


@pytest.fixture
def log() -> Signing:
    return Signing("log", Ed25519PrivateKey.generate())


@pytest.fixture
def witness(log: Signing, tmp_path: Path) -> Iterator[Outside]:
    """A witness that watches the log, served on this machine."""
    key = Signing("审计处", Ed25519PrivateKey.generate(), WITNESS_KEY)
    serving = server(Witness(key, {"log": log.key}, tmp_path / "seen.json", lambda: 1_780_000_000), "127.0.0.1", 0)
    beside = threading.Thread(target=serving.serve_forever)
    beside.start()
    yield Outside(f"http://127.0.0.1:{serving.server_address[1]}", key.key)
    serving.shutdown()
    serving.server_close()
    beside.join()


def note(log: Signing, whole: list[bytes]) -> str:
    """The signed checkpoint of a log."""
    text = checkpoint_text("log", len(whole), tree_root(whole))
    return f"{text}\n{log.line(text)}"


def test_a_witness_cosigns_a_log_as_it_grows(log: Signing, witness: Outside) -> None:
    for size in (1, 2, 5, 5, 12):
        signed = note(log, leaves(size))
        line = cosigned(witness, signed, leaves(size))
        assert has_signed(read_checkpoint(signed + line), witness.key)


def test_a_witness_cosigns_no_fork_and_no_shorter_log(log: Signing, witness: Outside) -> None:
    """Attack S5: also a log that has shrunk."""
    cosigned(witness, note(log, leaves(5)), leaves(5))
    fork = [*leaves(4), leaf_hash(b"another")]
    with pytest.raises(Unanchored, match="not a continuation"):
        cosigned(witness, note(log, fork), fork)
    with pytest.raises(Unanchored, match="rollback suspected"):
        cosigned(witness, note(log, leaves(3)), leaves(3))


def test_a_witness_cosigns_no_log_it_does_not_watch_and_no_checkpoint_it_did_not_sign(
    log: Signing, witness: Outside
) -> None:
    other = Signing("log", Ed25519PrivateKey.generate())
    with pytest.raises(Unanchored, match="not signed"):
        cosigned(witness, note(other, leaves(1)), leaves(1))
    text = checkpoint_text("elsewhere", 1, tree_root(leaves(1)))
    with pytest.raises(Unanchored, match="unknown log"):
        cosigned(witness, f"{text}\n{log.line(text)}", leaves(1))


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"x", 400), (b"old x\n\nnote", 400), (b"old 0\n!!\n\nnote", 400), (b"old 0\n\nnote", 400), (b"x" * 100_000, 413)],
)
def test_a_witness_refuses_what_is_malformed(witness: Outside, body: bytes, status: int) -> None:
    with pytest.raises(HTTPError) as error:
        urlopen(Request(f"{witness.url}/add-checkpoint", body))
    error.value.close()
    assert error.value.code == status


def test_a_witness_remembers_what_it_cosigned(log: Signing, tmp_path: Path) -> None:
    key = Signing("w", Ed25519PrivateKey.generate(), WITNESS_KEY)

    def again() -> Witness:
        return Witness(key, {"log": log.key}, tmp_path / "seen.json", lambda: 0)

    again().cosign(f"old 0\n\n{note(log, leaves(3))}")
    assert again().seen == {"log": (3, tree_root(leaves(3)))}
    (tmp_path / "seen.json").write_text("x")
    with pytest.raises(Unusable, match="cannot be read"):
        again()


def test_a_witness_that_cannot_be_reached_is_said_so() -> None:
    nobody = witnesses_of(f"http://127.0.0.1:9 {Signing('w', Ed25519PrivateKey.generate(), WITNESS_KEY).published}")
    with pytest.raises(Unanchored, match="cannot be reached"):
        cosigned(nobody[0], note(Signing("log", Ed25519PrivateKey.generate()), leaves(1)), leaves(1))


def test_the_base64_of_a_checkpoint_is_that_of_its_root() -> None:
    point = read_checkpoint(f"log\n1\n{base64.b64encode(tree_root(leaves(1))).decode()}\n\n")
    assert (point.origin, point.size, point.root) == ("log", 1, tree_root(leaves(1)))
