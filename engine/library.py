"""Packages as owners keep them: folders and zips of BPMN, forms and scenarios, and the words they share."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import bpmn
import forms
from engine.errors import NotFound, Unusable
from engine.registers import RegisterKind
from forms.owned_yaml import load
from forms.values import Value
from forms.words import Text

MOST_FILES, MOST_BYTES = 500, 30_000_000
KEPT = (".bpmn", ".yaml", ".dmn")


@dataclass(frozen=True, slots=True)
class Package:
    """What is deployed: the files of one process by their path (``process.bpmn``, ``forms/<id>.yaml``, …)."""

    origin: str
    files: Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """One hash over all that runs; scenarios are left out, so adding a worked case makes no new version."""
        whole = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            if not path.startswith("scenarios/"):
                whole.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return whole.hexdigest()

    def scenarios(self) -> Mapping[str, bytes]:
        """The worked cases beside the diagram."""
        return {path: content for path, content in sorted(self.files.items()) if path.startswith("scenarios/")}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A configurable value of domain.md Appendix A; ``origin`` says whether it is law or an illustrative default."""

    key: str
    value: Value
    unit: str
    origin: str
    about: Text


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words all processes share: roles, registers, outcomes, parameters."""

    roles: Mapping[str, Text]
    registers: Mapping[str, RegisterKind]
    outcomes: Mapping[str, Text]
    parameters: Mapping[str, Parameter]


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
                raise Unusable(
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
        files = _folder(self.bpmn / process)
        for folder in (self.forms / "shared", self.forms / process):
            files.update({f"forms/{path}": content for path, content in _folder(folder).items()})
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
                if path.is_file() and path.suffix in KEPT:
                    target = folder / name / path.relative_to(room)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(path.read_bytes())


def package_at(path: Path) -> Package:
    """A package from a folder, a zip, or a single .bpmn file beside its ``forms/``."""
    if path.is_dir():
        library = Library.standing()
        if path.resolve().parent == library.bpmn.resolve():
            return library.package(path.name)
        return Package(str(path), _folder(path))
    if not path.is_file():
        raise Unusable(f"没有“{path}”这个文件或文件夹", f"there is no file or folder {str(path)!r}")
    if path.suffix == ".zip":
        return package_of_zip(path.read_bytes(), path.name)
    files = {"process.bpmn": path.read_bytes()}
    files.update({f"forms/{name}": content for name, content in _folder(path.parent / "forms").items()})
    return Package(str(path), files)


def package_of_zip(data: bytes, name: str) -> Package:
    """A package from an uploaded zip; a path out of it, too many files or too many bytes are refused."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise Unusable(f"“{name}”不是可读的 zip 文件", f"{name!r} is not a readable zip file") from error
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Unusable(
            f"“{name}”过大：最多 {MOST_FILES} 个文件、{MOST_BYTES} 字节",
            f"{name!r} is too large: at most {MOST_FILES} files and {MOST_BYTES} bytes",
        )
    files: dict[str, bytes] = {}
    for entry in entries:
        path = Path(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise Unusable(
                f"“{name}”里的路径“{entry.filename}”不在包内",
                f"the path {entry.filename!r} in {name!r} leads out of it",
            )
        if path.suffix in KEPT:
            with archive.open(entry) as source:
                content = source.read(entry.file_size + 1)
            if len(content) != entry.file_size:
                raise Unusable(f"“{name}”中文件长度与目录不符", f"a file in {name!r} is longer than it says")
            files[path.as_posix()] = content
    roots = {path.split("/")[0] for path in files}
    if "process.bpmn" not in files and len(roots) == 1:
        files = {path.split("/", 1)[1]: content for path, content in files.items() if "/" in path}
    return Package(name, files)


def _folder(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in KEPT
    }


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
        )
        for row in _rows(folder / "registers.yaml")
    }
    parameters = {
        str(row["key"]): Parameter(str(row["key"]), row["value"], str(row["unit"]), str(row["origin"]), _text(row))
        for row in _rows(folder / "parameters.yaml")
    }
    return Vocabulary(roles, registers, outcomes, parameters)


def _rows(path: Path) -> list[Mapping[str, Value]]:
    loaded = load(path.read_text(encoding="utf-8"), path.name)
    assert isinstance(loaded, list)
    return [row for row in loaded if isinstance(row, dict)]


def _text(row: Mapping[str, Value]) -> Text:
    return Text(str(row["zh"]), str(row["en"]))


def _words(value: Value) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)
