"""The library as owners keep it: a package for each process, and the words that all processes share."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import bpmn
import forms
from engine.errors import NotFound, Unusable, WrongUsage
from engine.packages import KEPT, Package, file_at, files_below, package_of_zip
from engine.parameter_file import read_parameters
from engine.parameters import Parameter
from engine.registers import RegisterKind
from forms.owned_yaml import load
from forms.values import Value
from forms.words import Text

__all__ = ["Library", "Package", "Parameter", "Vocabulary", "package_at", "package_of_zip"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that steps leave, and the duty it shows (``general``: none by itself)."""

    code: str
    duty: str
    said: Text


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words all processes share: roles, registers, outcomes, parameters, facts, tags, which texts are drafts."""

    roles: Mapping[str, Text]
    registers: Mapping[str, RegisterKind]
    outcomes: Mapping[str, Text]
    parameters: Mapping[str, Parameter]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    drafts: frozenset[str] = frozenset()
    tags: Mapping[str, Text] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Value]:
        """The value of each parameter as shipped."""
        return {key: each.value for key, each in self.parameters.items()}


@dataclass(frozen=True, slots=True)
class Library:
    """Where processes and their words are kept: as shipped in two rooms, or as an owner's copy in one folder."""

    bpmn: Path
    forms: Path

    @classmethod
    def standing(cls) -> Library:
        """The owner's copy named by LIUHEN_LIBRARY, else the shipped library."""
        copy = os.environ.get("LIUHEN_LIBRARY")
        if copy:
            if not (Path(copy) / "bpmn").is_dir():
                raise WrongUsage(
                    f"LIUHEN_LIBRARY 指向的“{copy}”不是流程库：其中没有 bpmn 文件夹。请用 library copy 生成",
                    f"LIUHEN_LIBRARY names {copy!r}, which has no folder bpmn; make one with: library copy DIR",
                )
            return cls(Path(copy) / "bpmn", Path(copy) / "forms")
        return cls(Path(bpmn.__file__).parent / "library", Path(forms.__file__).parent / "library")

    def processes(self) -> list[str]:
        """The ids of the processes in the library."""
        return sorted(path.parent.name for path in self.bpmn.glob("*/process.bpmn"))

    def package(self, process: str) -> Package:
        """A process of the library, with its forms and the shared ones."""
        if process not in self.processes():
            raise NotFound(f"流程库里没有“{process}”", f"there is no process {process!r} in the library")
        files = files_below(self.bpmn / process)
        for folder in (self.forms / "shared", self.forms / process):
            files.update({f"forms/{path}": content for path, content in files_below(folder).items()})
        return Package(process, files)

    def vocabulary(self) -> Vocabulary:
        """The shared words, read once for each library."""
        return _vocabulary(self.bpmn)

    def copy_to(self, folder: Path) -> None:
        """Copy everything an owner may edit into an empty folder."""
        if folder.exists() and any(folder.iterdir()):
            raise Unusable(f"文件夹“{folder}”不是空的", f"the folder {str(folder)!r} is not empty")
        for name, room in (("bpmn", self.bpmn), ("forms", self.forms)):
            for path in sorted(room.rglob("*")):
                if path.is_file() and path.suffix in (*KEPT, ".json"):
                    target = folder / name / path.relative_to(room)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(path.read_bytes())


def package_at(path: Path) -> Package:
    """A package from a folder, a zip, or a single .bpmn file beside its .dmn files and its ``forms/``."""
    if path.is_dir():
        library = Library.standing()
        if path.resolve().parent == library.bpmn.resolve():
            return library.package(path.name)
        return Package(str(path), files_below(path))
    if not path.is_file():
        raise WrongUsage(f"没有“{path}”这个文件或文件夹", f"there is no file or folder {str(path)!r}")
    if path.suffix == ".zip":
        return package_of_zip(file_at(path), path.name)
    files = {"process.bpmn": file_at(path), **{each.name: file_at(each) for each in sorted(path.parent.glob("*.dmn"))}}
    files.update({f"forms/{name}": content for name, content in files_below(path.parent / "forms").items()})
    return Package(str(path), files)


@functools.lru_cache(maxsize=8)
def _vocabulary(folder: Path) -> Vocabulary:
    roles = {str(row["code"]): _text(row) for row in _rows(folder / "roles.yaml")}
    outcomes = {str(row["code"]): _text(row) for row in _rows(folder / "outcomes.yaml")}
    registers = {
        str(row["code"]): RegisterKind(
            code=str(row["code"]),
            zh=str(row["zh"]),
            en=str(row["en"]),
            key=_words(row["key"]),
            columns=_words(row["columns"]),
            labels=_labels(row["columns"]),
            values={code: _labels(each.get("values")) for code, each in _records(row["columns"])},
        )
        for row in _rows(folder / "registers.yaml")
    }
    shipped = Path(bpmn.__file__).parent / "library"
    standing = _vocabulary(shipped).parameters if folder != shipped else {}
    text = (folder / "parameters.yaml").read_text(encoding="utf-8")
    parameters = read_parameters(text, "parameters.yaml", standing)
    tags = {str(row["code"]): _text(row) for row in _own_or_shipped(folder, "tags.yaml")}
    return Vocabulary(roles, registers, outcomes, parameters, _facts(folder), _drafts(folder), tags)


def _drafts(folder: Path) -> frozenset[str]:
    """The policy texts of this library that are drafts."""
    path = folder / "policies.yaml"
    rows = _rows(path) if path.is_file() else []
    return frozenset(str(row["code"]) for row in rows if row["kind"] == "draft")


def _facts(folder: Path) -> dict[str, Fact]:
    rows = _own_or_shipped(folder, "facts.yaml")
    return {str(row["code"]): Fact(str(row["code"]), str(row["duty"]), _text(row)) for row in rows}


def _own_or_shipped(folder: Path, name: str) -> list[Mapping[str, Value]]:
    """The rows of a file of this library; those as shipped where a copy is older than the file is."""
    own, shipped = (each / name for each in (folder, Path(bpmn.__file__).parent / "library"))
    return _rows(own if own.is_file() else shipped)


def _rows(path: Path) -> list[Mapping[str, Value]]:
    loaded = load(path.read_text(encoding="utf-8"), path.name)
    assert isinstance(loaded, list)
    return [row for row in loaded if isinstance(row, dict)]


def _text(row: Mapping[str, Value]) -> Text:
    return Text(str(row["zh"]), str(row["en"]))


def _words(value: Value) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list | dict) else (str(value),)


def _labels(value: Value) -> dict[str, Text]:
    """What columns or codes are called, where that is written."""
    return {code: _text(words) for code, words in _records(value)}


def _records(value: Value) -> list[tuple[str, Mapping[str, Value]]]:
    named = value.items() if isinstance(value, dict) else ()
    return [(code, each) for code, each in named if isinstance(each, dict)]
