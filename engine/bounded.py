"""Asks the gate about packages in a process of its own, which can take little time and memory and reach nothing.

What an owner uploads is read there first; only what passed is read again where cases run. ``engine.confined`` is the
other side.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpmn.surroundings import ProcessSignature
from engine import plugged
from engine.confined import MEMORY, SECONDS
from engine.packages import Package
from forms.values import Value, to_json
from forms.words import Finding, Language, Text

if TYPE_CHECKING:
    from engine.library import Vocabulary

PATIENCE = 1.5
"""How much longer than its processor time a worker may take by the clock on the wall: others work as well."""
MOST_WORKERS = 2
MOST_REMEMBERED = 16
TOO_HEAVY, NOT_JUDGED = "too-heavy", "not-judged"
NO_START = "the worker did not start"
PROGRAM = ("-P", "-m", "engine.confined")

_log = logging.getLogger("liuhen")
_places = threading.BoundedSemaphore(MOST_WORKERS)
_remembered: OrderedDict[str, tuple[Judged, ...]] = OrderedDict()
_remembering = threading.Lock()


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate says of one package.

    ``process`` and ``signature`` are there when the diagram could be read; ``types`` are the BPMN types of the elements
    that findings name. ``picture`` is the drawing (SVG, the elements with findings marked) whenever one could be made,
    also of a diagram that is refused.
    """

    ok: bool
    findings: tuple[Finding, ...]
    process: str | None = None
    signature: ProcessSignature | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    picture: str = ""


def check_bounded(
    package: Package, vocabulary: Vocabulary, signatures: Mapping[str, ProcessSignature]
) -> tuple[bool, list[Finding]]:
    """Whether a package may be deployed, and all that is wrong with it; ``too-heavy`` when it exceeds a limit."""
    [judged] = judge(
        [package],
        vocabulary.roles,
        signatures,
        parameters=vocabulary.values,
        facts=vocabulary.facts,
        drafts=vocabulary.drafts,
    )
    return judged.ok, list(judged.findings)


def judge(
    packages: Sequence[Package],
    roles: Collection[str],
    signatures: Mapping[str, ProcessSignature],
    language: Language = "zh",
    parameters: Mapping[str, Value] | None = None,
    facts: Collection[str] | None = None,
    *,
    later: Mapping[str, Mapping[str, Value]] | None = None,
    drafts: Collection[str] = (),
) -> list[Judged]:
    """What the gate says of each of these packages, which may call each other and the processes of ``signatures``.

    The same question asked twice is answered from memory. Pictures are in ``language``; decision tables are judged with
    the values of ``parameters``, and with those adopted for ``later`` days; ``facts`` are the codes of the facts there
    are. Of operations that installed packages add, the worker is told what they need: none of their code runs there.
    """
    asked = {
        "parameters": None if parameters is None else to_json(dict(sorted(parameters.items()))),
        "later": {day: to_json(dict(sorted(values.items()))) for day, values in sorted((later or {}).items())},
        "operations": {
            name: {"required": sorted(each.required), "optional": sorted(each.optional), "gives": each.gives}
            for name, each in sorted(plugged.specs().items())
        },
        "roles": sorted(roles),
        "drafts": sorted(drafts),
        "facts": None if facts is None else sorted(facts),
        "signatures": {name: _plain(each) for name, each in sorted(signatures.items())},
        "language": language,
        "packages": [
            {"origin": each.origin, "files": [[path, len(content)] for path, content in sorted(each.files.items())]}
            for each in packages
        ],
    }
    contents = [content for each in packages for _, content in sorted(each.files.items())]
    whole = hashlib.sha256(json.dumps(asked).encode())
    for content in contents:
        whole.update(hashlib.sha256(content).digest())
    key = whole.hexdigest()
    with _remembering:
        if key in _remembered:
            _remembered.move_to_end(key)
            return list(_remembered[key])
    answered = _asked_until_done(asked, packages)
    if not any(finding.code in {TOO_HEAVY, NOT_JUDGED} for each in answered for finding in each.findings):
        with _remembering:
            _remembered[key] = tuple(answered)
            while len(_remembered) > MOST_REMEMBERED:
                _remembered.popitem(last=False)
    return answered


def _plain(signature: ProcessSignature) -> dict[str, list[str]]:
    return {each.name: sorted(getattr(signature, each.name)) for each in fields(signature)}


def _asked_until_done(asked: Mapping[str, Any], packages: Sequence[Package]) -> list[Judged]:
    """Ask a worker; a package that brought one down is refused, and the others are asked about again without it."""
    answers: dict[int, Judged] = {}
    refused: set[int] = set()
    while len(answers) < len(packages):
        asking = [number for number in range(len(packages)) if number not in refused]
        told = {**asked, "packages": [asked["packages"][number] for number in asking]}
        rows, end = _worker(told, [packages[number] for number in asking])
        at = 0
        for row in rows:
            at = row.get("at", at)
            if "findings" in row:
                answers[asking[at]] = _judged(row)
        blamed = [asking[at]] if end else [number for number in asking if number not in answers]
        answers |= {number: _refused(packages[number], end or "no answer") for number in blamed}
        refused.update(blamed)
    return [answers[number] for number in range(len(packages))]


def _worker(told: Mapping[str, Any], packages: Sequence[Package]) -> tuple[list[dict[str, Any]], str]:
    """What one worker said, line by line, and how it failed ("" when it did not)."""
    seconds = SECONDS * len(packages)
    # Nothing else of the environment: it holds passwords.
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment = {**kept, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "PYTHONUTF8": "1"}
    with _places, ExitStack() as stack:
        question, said, cry = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        question.write(json.dumps({**told, "seconds": seconds, "memory": MEMORY}).encode() + b"\n")
        for package in packages:
            for _, content in sorted(package.files.items()):
                question.write(content)
        question.seek(0)
        program = [sys.executable, *PROGRAM]
        process = subprocess.Popen(program, stdin=question, stdout=said, stderr=cry, env=environment)  # noqa: S603
        try:
            code = process.wait(seconds * PATIENCE)
            end = "" if code == 0 else "limit"
        except subprocess.TimeoutExpired:
            code, end = -1, "time"
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        # The last line may have been cut short.
        rows = [json.loads(line) for line in said.read().split(b"\n")[:-1]]
        if code:
            cry.seek(0)
            _log.warning("a worker of the gate ended with %s: %s", code, cry.read(2_000).decode("utf-8", "replace"))
    return rows, rows[-1].get("failed", end) if rows else end and NO_START


def _judged(row: Mapping[str, Any]) -> Judged:
    told = row["signature"]
    return Judged(
        ok=row["ok"],
        findings=tuple(
            Finding(
                each["id"], each["file"], each["line"], each["element"], Text(each["zh"], each["en"]), each["severity"]
            )
            for each in row["findings"]
        ),
        process=row["process"],
        signature=ProcessSignature(**{name: frozenset(words) for name, words in told.items()}) if told else None,
        types=row["types"],
        picture=row["picture"],
    )


def _refused(package: Package, end: str) -> Judged:
    """The refusal of a package that a worker could not bear, or (a defect of ours) stumbled over."""
    ends = {
        "time": (f"超过 {SECONDS} 秒", f"more than {SECONDS} seconds"),
        "memory": (f"超过 {MEMORY >> 20} MiB 内存", f"more than {MEMORY >> 20} MiB of memory"),
        "nesting": ("嵌套过深", "too deep a nesting"),
        "limit": ("超过时间或内存的限度", "more time or memory than there is"),
    }
    if end in ends:
        code, (zh, en) = TOO_HEAVY, ends[end]
        zh = f"检查这个包{zh}：请减少元素、字段或名称，或把流程拆开"
        en = f"to check this package takes {en}: have fewer elements, fields or names, or split the process"
    else:
        code = NOT_JUDGED
        zh = f"检查程序没有完成（{end}）：没有部署任何内容，请把这个包交给系统管理员"
        en = f"the check did not come to its end ({end}): nothing was deployed; hand this package to the administrator"
    return Judged(ok=False, findings=(Finding(code, package.origin, 0, None, Text(zh, en)),))
