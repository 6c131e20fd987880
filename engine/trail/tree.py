"""Builds the two Merkle trees of the trail and their proofs; ``offline`` checks them and has the hashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.trail.offline import NODE, bit_of, leaf_hash, map_key, map_leaf, map_node, sha, tree_root

Heads = Mapping[str, tuple[int, str]]
"""Where streams stand: the number of events and the hash of the last one, by stream."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the map: the first bit in which its two sides differ."""

    hash: bytes
    bit: int = 256
    left: _Node | None = None
    right: _Node | None = None


class StreamMap:
    """The crit-bit map over all streams at one moment: its root commits to where each of them stands."""

    def __init__(self, heads: Heads) -> None:
        """Build the whole map; ten thousand streams take some twenty milliseconds."""
        self.heads = heads
        leaves = sorted((map_key(stream), seq, head) for stream, (seq, head) in heads.items())
        self._keys = [key for key, _, _ in leaves]
        self._leaves = [_Node(map_leaf(*each)) for each in leaves]
        self._top = self._build(0, len(leaves)) if leaves else None

    @property
    def root(self) -> bytes:
        """The root; that of no stream at all is the hash of nothing."""
        return self._top.hash if self._top else sha()

    def proof(self, stream: str) -> list[tuple[int, str]]:
        """Pairs of bit and sibling (hex) from the stream's leaf up to the root. KeyError: there is no such stream."""
        if stream not in self.heads:
            raise KeyError(stream)
        key, node, found = map_key(stream), self._top, []
        while node and node.left and node.right:
            down, other = (node.right, node.left) if bit_of(key, node.bit) else (node.left, node.right)
            found.append((node.bit, other.hash.hex()))
            node = down
        return found[::-1]

    def _build(self, start: int, end: int) -> _Node:
        if end - start == 1:
            return self._leaves[start]
        first, last = self._keys[start], self._keys[end - 1]
        differing = int.from_bytes(first, "big") ^ int.from_bytes(last, "big")
        bit = 256 - differing.bit_length()
        low, high = start, end  # the keys are sorted, so those with this bit set are at the end
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if bit_of(self._keys[middle], bit) else (middle + 1, high)
        left, right = self._build(start, low), self._build(low, end)
        return _Node(map_node(bit, left.hash, right.hash), bit, left, right)


def consistency(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the log of the first ``old`` leaves is a beginning of this one (RFC 6962, section 2.1.2)."""
    if not 0 <= old <= len(leaves):
        raise ValueError(f"a log of {len(leaves)} leaves has no beginning of {old}")
    return _subproof(leaves, old, whole=True) if 0 < old < len(leaves) else []


def _subproof(leaves: Sequence[bytes], old: int, *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [tree_root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return [*_subproof(leaves[:split], old, whole=whole), tree_root(leaves[split:])]
    return [*_subproof(leaves[split:], old - split, whole=False), tree_root(leaves[:split])]


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the log of ``old`` leaves is a beginning of the one of ``size`` leaves."""
    if old > size:
        return False
    if old in (0, size):
        return not proof and (old == 0 or old_root == root)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    before = after = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            before, after = sha(NODE, each, before), sha(NODE, each, after)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            after = sha(NODE, after, each)
        first, last = first >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, root)


def move(heads: dict[str, tuple[int, str]], changed: Mapping[str, Any]) -> None:
    """Let streams stand where an epoch saw them; one that has no events any more is gone."""
    for stream, (seq, head) in changed.items():
        if seq:
            heads[stream] = (seq, head)
        else:
            heads.pop(stream, None)


def leaf_of(epoch: Mapping[str, Any]) -> bytes:
    """The leaf of an epoch in the log."""
    return leaf_hash(str(epoch["statement"]).encode())
