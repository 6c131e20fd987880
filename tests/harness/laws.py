"""The laws of the house as functions: each reads one file and names what breaks it; test_laws.py brings the files."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

ROOMS = ("forms", "bpmn", "engine", "webui")  # floor by floor: each imports only what stands before it
LONGEST = 400  # lines of a file that is read in one sitting
# What stands alone is one file however long: an auditor copies it, reads it and runs it.
LONGEST_OF = {"engine/trail/offline.py": 700}

# Who may speak to which library; every other file asks them.
SPOKEN_TO_IN = {
    "SpiffWorkflow": ("engine/runtime/*",),
    "alembic": ("engine/*",),
    "click": ("engine/cli*.py", "webui/cli.py"),
    "flask": ("webui/*",),
    "flask_login": ("webui/*",),
    "jinja2": ("webui/*",),
    "psycopg": ("engine/*",),
    "sqlalchemy": ("engine/*",),
    "sqlite3": ("engine/*",),
    "waitress": ("webui/*",),
    "werkzeug": ("webui/*",),
    "xlsxwriter": ("engine/spreadsheets.py",),
}
# Values, diagrams and the running of a diagram know no database; what they begin or connect is something else.
NO_DATABASE = ("forms/*", "bpmn/*", "engine/runtime/*")
# Values know no outside world.
OUTSIDE = {"http", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "tempfile"}

READS_THE_CLOCK = {
    "engine/work.py": "hands `now` to everybody else",
    "engine/bench.py": "measures how long a step takes; nothing it stores depends on it",
    "engine/growth.py": "measures how long a step takes; nothing it stores depends on it",
    "engine/multi.py": "measures how long a step takes; nothing it stores depends on it",
    "engine/searching.py": "measures how long searching takes; its database of years ends now",
    "engine/trail/year.py": "measures how long verifying takes; nothing it stores depends on it",
}
OPENS_TRANSACTIONS = {
    "engine/work.py": "every act and every look of the product",
    "engine/schema.py": "lays the tables before there is anything to act on",
    "engine/grants.py": "tries what an account may, beside the schema's transaction",
    "engine/bench.py": "commits the least a database can do, to compare a step with it",
}
TRANSACTION = (".begin", ".begin_nested", ".commit", ".connect", ".raw_connection", ".rollback")
EVALUATES = {"forms/expressions.py": "compiles the one expression language from its allow-list"}

CLOCK_OF_DATETIME = {"now", "today", "utcnow"}
CLOCK_OF_SQL = re.compile(r"\bfunc\.(now|current_\w+|localtime\w*)\b|\bCURRENT_(TIMESTAMP|TIME|DATE)\b")
# The brackets keep this file from naming what it forbids.
PLACES = re.compile(
    r"(?<![\w./])/([r]oot|[h]ome|[U]sers)/\w|(?<![\w./])/[w]ork/(main|shared)|/[s]ite-packages/|/\.[p]yenv/|/[o]pt/\w"
    r"|[p]ypi\.(org|io)|python[h]osted|registry\.[n]pm|[n]pmjs|(deb|security)\.[d]ebian"
    r"|[i]ndex-url|[f]ind-links|[t]rusted-host"
)


@dataclass(frozen=True)
class Source:
    """One file of the checkout: its path from the top, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file as Python reads it."""
        return ast.parse(self.text, self.path)

    @property
    def room(self) -> str:
        """The folder at the top that holds it."""
        return self.path.partition("/")[0]

    def within(self, patterns: tuple[str, ...]) -> bool:
        """Whether the path fits one of the patterns; ``*`` reaches into folders."""
        return any(fnmatch(self.path, pattern) for pattern in patterns)

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of every import, in any form."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for name in node.names:
                    yield node.lineno, name.name
            elif isinstance(node, ast.ImportFrom):
                package = self.path.split("/")[: -node.level] if node.level else []
                yield node.lineno, ".".join([*package, *filter(None, [node.module])])
            elif isinstance(node, ast.Call) and _name(node.func) in {"__import__", "importlib.import_module"}:
                first = node.args[0] if node.args else None
                name_ = first.value if isinstance(first, ast.Constant) else "*"
                yield node.lineno, str(name_)

    def calls(self) -> Iterator[tuple[int, str, int]]:
        """Line, dotted name and number of arguments of whatever is called by name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, _name(node.func), len(node.args) + len(node.keywords)


Law = Callable[[Source], Iterator[tuple[int, str]]]


def imports_run_down(source: Source) -> Iterator[tuple[int, str]]:
    """A room imports only the floors below it, and no room imports the tests."""
    floor = ROOMS.index(source.room)
    for line, name in source.imports():
        target = name.partition(".")[0]
        if target == "tests":
            yield line, "the product imports its tests"
        if target == "*":
            yield line, "imports a module by a computed name"
        if target in ROOMS and ROOMS.index(target) > floor:
            yield line, f"{source.room} stands below {target} and may not import {name}"


def libraries_stay_in_their_room(source: Source) -> Iterator[tuple[int, str]]:
    """Each library is spoken to in one place, and ``forms`` speaks to nothing outside."""
    for line, name in source.imports():
        target = name.partition(".")[0]
        if target in SPOKEN_TO_IN and not source.within(SPOKEN_TO_IN[target]):
            yield line, f"{target} is spoken to only in {', '.join(SPOKEN_TO_IN[target])}"
        if target == "sqlalchemy" and source.within(NO_DATABASE):
            yield line, f"{source.path} may not know of a database"
        if source.room == "forms" and target in OUTSIDE:
            yield line, f"forms does no I/O, but imports {name}"


def only_the_clock_reads_the_clock(source: Source) -> Iterator[tuple[int, str]]:
    """The present instant is an argument; reading it twice would give two presents."""
    if source.path in READS_THE_CLOCK:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            owner, _, name = _name(node).rpartition(".")
            ends = owner.rpartition(".")[2]
            if (ends in {"datetime", "date"} and name in CLOCK_OF_DATETIME) or (ends == "time" and name != "sleep"):
                yield node.lineno, f"{owner}.{name} reads a clock"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield node.lineno, "imports from time"
    for number, text in enumerate(source.text.splitlines(), 1):
        if CLOCK_OF_SQL.search(text):
            yield number, "the database's clock is a clock too"


def nothing_is_evaluated(source: Source) -> Iterator[tuple[int, str]]:
    """Text of a user or a process owner is never run as Python."""
    for line, name, _ in source.calls():
        if name in {"eval", "exec", "compile", "builtins.eval", "builtins.exec"} and source.path not in EVALUATES:
            yield line, f"calls {name}"
        if name == "open" and source.room == "forms":
            yield line, "forms does no I/O, but opens a file"
    for line, name in source.imports():
        if name.partition(".")[0] in {"pickle", "marshal", "shelve", "dill"}:
            yield line, f"{name} runs what it reads"


def transactions_open_in_one_file(source: Source) -> Iterator[tuple[int, str]]:
    """Commit and rollback are nobody's business but the block's in engine/work.py."""
    if source.path in OPENS_TRANSACTIONS or source.within(NO_DATABASE):
        return
    for line, name, arguments in source.calls():
        # What takes arguments is a verb of the office that happens to be called so: cases.begin(work, …).
        bare = arguments == 0 and name.endswith(TRANSACTION)
        if bare or name in {"create_engine", "sqlalchemy.create_engine", "sqlite3.connect", "psycopg.connect"}:
            yield line, f"{name} stands only in {', '.join(OPENS_TRANSACTIONS)}"


def instants_have_a_zone(source: Source) -> Iterator[tuple[int, str]]:
    """No instant is left to be guessed, and no file excuses itself from the linter's rule on it."""
    for line, name, _ in source.calls():
        if name.endswith(("datetime.utcfromtimestamp", "datetime.utcnow")):
            yield line, f"{name} gives an instant without a zone"
    for number, text in enumerate(source.text.splitlines(), 1):
        if re.search(r"#\s*noqa:.*\bDTZ", text):
            yield number, "excuses itself from the rule on naive instants"


def opens_with_a_docstring(source: Source) -> Iterator[tuple[int, str]]:
    """The first thing a file says is what it knows."""
    if not ast.get_docstring(source.tree):
        yield 1, "has no docstring"


def fits_one_sitting(source: Source) -> Iterator[tuple[int, str]]:
    """A file can be read from top to bottom without getting up."""
    lines = source.text.count("\n")
    longest = LONGEST_OF.get(source.path, LONGEST)
    if lines > longest:
        yield longest + 1, f"has {lines} lines, more than {longest}"


def names_no_place(source: Source) -> Iterator[tuple[int, str]]:
    """The checkout works anywhere: no machine's folders, no package index by name."""
    for number, text in enumerate(source.text.splitlines(), 1):
        if found := PLACES.search(text):
            yield number, f"names a place of one machine or an index: {found.group()}"


OF_THE_ROOMS: tuple[Law, ...] = (
    imports_run_down,
    libraries_stay_in_their_room,
    only_the_clock_reads_the_clock,
    nothing_is_evaluated,
    transactions_open_in_one_file,
    instants_have_a_zone,
)


def vendor_findings(folder: Path) -> list[str]:
    """What differs between a folder of other people's files and its ``vendor.json``.

    The manifest maps each package to ``version``, ``licence`` (an SPDX expression) and ``files``: path in the folder to
    sha256. Each package keeps its licence text beside it, as one of these files.
    """
    manifest = folder / "vendor.json"
    if not manifest.exists():
        return [f"{folder.name} has no vendor.json"]
    packages: Mapping[str, Mapping[str, object]] = json.loads(manifest.read_text("utf-8"))
    listed: dict[str, str] = {}
    found = []
    for name, package in packages.items():
        files = package.get("files")
        if not isinstance(files, dict) or not package.get("version") or not package.get("licence"):
            found.append(f"{name} lacks version, licence or files")
            continue
        if not any("licen" in path.lower() for path in files):
            found.append(f"{name} comes without its licence text")
        listed |= files
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    del present["vendor.json"]
    found += [f"{path} is not listed" for path in sorted(present.keys() - listed.keys())]
    found += [f"{path} is listed but missing" for path in sorted(listed.keys() - present.keys())]
    for path in sorted(present.keys() & listed.keys()):
        if hashlib.sha256(present[path].read_bytes()).hexdigest() != listed[path]:
            found.append(f"{path} is not what was listed")
    return found


def _name(node: ast.AST) -> str:
    """`a.b.c` as written; a part that is no name is a question mark."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return "?"
