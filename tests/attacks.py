"""The attacks on the trail, by the codes that the docstrings of tests name, and how each ends: for auditors to look up.

``python -P -m tests.attacks`` lists them with the tests that carry them out. A docstring names the attacks of its test
first: ``Attacks T1, T4: …``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

TESTS = Path(__file__).parent

ATTACKS: Mapping[str, str] = {
    # On the tables, as an account of the application, as the owner, as a superuser; on SQLite from another program.
    "T1": "a row is changed: refused; with the fences down, found",
    "T2": "the last events are deleted: refused; found, and not signed",
    "T3": "an event in the middle is deleted: refused; found",
    "T4": "a table is emptied at once: refused; found, and not signed",
    "T5": "a row is replaced: INSERT OR REPLACE, ON CONFLICT, MERGE: refused",
    "T6": "a gap, a fork, a wrong hash: refused on PostgreSQL; a wrong hash on SQLite: found",
    "T7": "the head of a stream runs back: refused in the trail; in the case: found, and not signed",
    "T8": "the nine routes of the ORM to a change: refused",
    "T9": "the fences are taken down: impossible for the application; named by doctor, and what follows is not signed",
    "T10": "only a column is changed that repeats the body: found",
    "T11": "the body is stored in another writing: found",
    # On a bundle, by whoever hands it over.
    "B1": "an event is edited: found",
    "B2": "an event is edited and the chain computed anew: found",
    "B3": "the end is cut off: found",
    "B4": "an event in the middle is left out, with and without a new chain: found",
    "B5": "events are reordered, with and without a new chain: found",
    "B6": "an event is repeated: found",
    "B7": "events of another case or another log are put in: found",
    "B8": "an event is invented at the end: found if it is dated before the seal, else told as not sealed",
    "B9": "a document is exchanged, swapped, removed, added: found; a removed one is told as withheld",
    "B10": "another writing of the same: BOM, CRLF, U+2028, no last newline, floats, repeated keys, spaces: found",
    "B11": "signed with another key of the same name: found",
    "B12": "the root, the size or the epochs of the checkpoint are edited: found",
    "B13": "cosignatures are missing, too few, counted twice, or of another checkpoint: found",
    "B14": "a proof has more, fewer or other nodes, another direction, or an epoch that is not there: found",
    "B15": "an earlier epoch that must be shown is left out, or shown as if the case had not begun: found",
    "B16": "tricks with the archive: paths, repeated names, other cases of letters, links, bombs: found or unreadable",
    "B17": "the malleable twin of a signature, and two hundred changed bits: refused",
    "B18": "the list of files is signed as something else: found",
    "B19": "a time stamp of something else, or of an authority whose certificate had run out: refused",
    # On the server, by whoever runs it.
    "S1": "a case is rewritten consistently: not signed",
    "S2": "the end of a case is deleted and its head corrected: not signed",
    "S3": "the same with the stolen key and one or thirty false epochs: found by the earlier epochs in the bundle",
    "S4": "an old backup is restored: not signed; with the signer wiped too, MISSED unless somebody outside kept more",
    "S5": "two checkpoints of one size: no witness cosigns the second",
    "S6": "the clock goes back: found, not signed; forward: MISSED until it is set right; events out of order: found",
    "S7": "a stream vanishes: not signed",
    "S8": "a crash anywhere between the signature and the database: the same epoch is written, nothing forks",
    "S9": "eight writers at once, on one stream and on many: no gap, no fork, no deadlock",
    "S10": "personal values are erased by law: old and new bundles verify",
    "S11": "everything is rewritten with the stolen key: MISSED with nothing outside; found with one kept checkpoint",
}


def carried_out() -> Mapping[str, list[str]]:
    """The tests of each attack, as ``file::name``; an attack that is not listed is there too."""
    found: dict[str, list[str]] = {code: [] for code in ATTACKS}
    for path in sorted(TESTS.glob("test_*.py")):
        for name, codes in named_in(path.read_text("utf-8")):
            for code in codes:
                found.setdefault(code, []).append(f"{path.name}::{name}")
    return found


def named_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """The tests of a file that name attacks, with the codes."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            said = re.match(r"Attacks? ((?:[A-Z]\d+(?:, )?)+): ", ast.get_docstring(node) or "")
            if said:
                yield node.name, said[1].split(", ")


if __name__ == "__main__":
    for code, tests in carried_out().items():
        sys.stdout.write(f"{code:4} {ATTACKS[code]}\n" + "".join(f"       {each}\n" for each in tests))
