"""A package: the files of one process by their path, from a folder or a zip. What they say is for the gate.

What lies in a folder ``examples`` is there to be copied from, such as a second decision table: no part of the package.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.errors import Unusable, WrongUsage

MOST_FILES, MOST_BYTES = 500, 30_000_000
MOST_PACKED = 10_000_000
LONGEST_PATH = 300
KEPT = (".bpmn", ".yaml", ".dmn", ".docx")
ASIDE = "examples"

# What the libraries that unpack raise when an archive is not what it says; an encrypted one is a RuntimeError.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, ArithmeticError,
    LookupError,
)  # fmt: skip
# Other ways of packing let a small file claim gigabytes of working memory.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


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


def package_of_zip(data: bytes, name: str) -> Package:
    """A package from an uploaded zip. Unusable: no zip, a path that leads out of it, too many files, too many bytes.

    No more is unpacked than a package may hold, whatever the archive says of itself. Archives within it are not opened,
    and what an operating system adds (``__MACOSX``, names that begin with a dot) is left out.
    """
    if len(data) > MOST_PACKED:
        raise _too_large(name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = _unpacked(archive, name)
    except _BROKEN as error:
        raise WrongUsage(f"“{name}”不是可读的 zip 文件", f"{name!r} is not a readable zip file") from error
    roots = {path.split("/")[0] for path in files}
    if "process.bpmn" not in files and len(roots) == 1:
        files = {path.split("/", 1)[1]: content for path, content in files.items() if "/" in path}
    return Package(name, files)


def _unpacked(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _too_large(name)
    files: dict[str, bytes] = {}
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if not _lies_within(entry.filename):
            raise Unusable(
                f"“{name}”里的路径“{entry.filename[:LONGEST_PATH]}”不在包内，或不可用",
                f"the path {entry.filename[:LONGEST_PATH]!r} in {name!r} leads out of it or cannot be used",
            )
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if path.suffix not in KEPT or hidden or ASIDE in path.parts[:-1]:
            continue
        if path.as_posix() in files:
            raise Unusable(f"“{name}”里有两个“{path}”", f"{name!r} holds {str(path)!r} twice")
        if entry.compress_type not in _PACKINGS:
            raise Unusable(
                f"“{name}”的压缩方式不受支持：请用普通 zip（deflate）",
                f"{name!r} is packed in a way that is not read: use a plain zip",
            )
        with archive.open(entry) as source:
            # No more than was announced is unpacked; when that is not all, the checksum does not hold.
            content = source.read()
        if len(content) != entry.file_size:
            raise zipfile.BadZipFile(f"{path}: fewer bytes than announced")
        files[path.as_posix()] = content
    return files


def _lies_within(path: str) -> bool:
    posix = PurePosixPath(path)
    sound = len(path) <= LONGEST_PATH and path.isprintable() and "\\" not in path and ":" not in path
    return sound and not posix.is_absolute() and ".." not in posix.parts


def _too_large(name: str) -> Unusable:
    return Unusable(
        f"“{name}”过大：最多 {MOST_FILES} 个文件、{MOST_BYTES} 字节（压缩后 {MOST_PACKED} 字节）",
        f"{name!r} is too large: at most {MOST_FILES} files and {MOST_BYTES} bytes ({MOST_PACKED} packed)",
    )


def files_below(folder: Path) -> dict[str, bytes]:
    """The files of a package that lie in a folder, by their path from there. Unusable: too many files or bytes."""
    found: dict[str, bytes] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix in KEPT and path.is_file()):
        if ASIDE in path.relative_to(folder).parts[:-1]:
            continue
        found[path.relative_to(folder).as_posix()] = file_at(path)
        if len(found) > MOST_FILES or sum(map(len, found.values())) > MOST_BYTES:
            raise _too_large(str(folder))
    return found


def file_at(path: Path) -> bytes:
    """The content of one file. Unusable: it is larger than a whole package, or cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise WrongUsage(f"无法读取“{path}”：{error}", f"cannot read {str(path)!r}: {error}") from error
    if len(content) > MOST_BYTES:
        raise _too_large(str(path))
    return content
