"""Packages from folders, zips and single files; hostile zips; the library, its copy and its words."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import NotFound, Unusable
from engine.library import Library, package_at
from engine.packages import MOST_BYTES, MOST_FILES, Package, package_of_zip
from tests.office import PACKAGES, package

PERMIT = package("permit")


def zipped(files: dict[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()


# Where packages come from.


def test_a_folder_a_zip_and_a_file_hold_the_same_package(tmp_path: Path) -> None:
    (tmp_path / "permit.zip").write_bytes(zipped(dict(PERMIT.files)))
    (tmp_path / "folded.zip").write_bytes(zipped({f"permit/{path}": text for path, text in PERMIT.files.items()}))
    folder = PACKAGES / "permit"
    sources = [folder, folder / "process.bpmn", tmp_path / "permit.zip", tmp_path / "folded.zip"]
    assert {package_at(source).sha256 for source in sources} == {PERMIT.sha256}


def test_a_file_beside_its_forms_may_have_any_name(tmp_path: Path) -> None:
    for path, content in PERMIT.files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "process.bpmn").rename(tmp_path / "许可.bpmn")
    assert package_at(tmp_path / "许可.bpmn").sha256 == PERMIT.sha256


def test_other_files_and_what_systems_add_are_left_out() -> None:
    extra = {"README.txt": b"x", "__MACOSX/._process.bpmn": b"\0", ".git/x.yaml": b"x", "a/run.sh": b"x"}
    assert package_of_zip(zipped({**PERMIT.files, **extra}), "p.zip").sha256 == PERMIT.sha256


def test_the_hash_covers_every_file_that_runs_and_its_path() -> None:
    def of(files: dict[str, bytes]) -> str:
        return Package("p", files).sha256

    files = dict(PERMIT.files)
    renamed = {("forms/other.yaml" if path == "forms/hearing.yaml" else path): text for path, text in files.items()}
    changed = {**files, "forms/hearing.yaml": files["forms/hearing.yaml"] + b"\n"}
    assert len({of(files), of(renamed), of(changed)}) == 3
    assert of({**files, "scenarios/x.yaml": b"id: x"}) == of(files)
    assert list(Package("p", {**files, "scenarios/x.yaml": b"id: x"}).scenarios()) == ["scenarios/x.yaml"]


@pytest.mark.parametrize("name", ["nothing", "nothing.zip", "nothing.bpmn"])
def test_there_is_no_such_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unusable, match="no file or folder"):
        package_at(tmp_path / name)


# Hostile zips.


def lying(data: bytes, name: str, size: int) -> bytes:
    """The zip with another size announced for a file, in its directory and before it."""
    changed = bytearray(data)
    for sign, place, at in ((b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)):
        start = changed.find(sign)
        while start >= 0:
            if changed[start + at : start + at + len(name)] == name.encode():
                struct.pack_into("<I", changed, start + place, size)
            start = changed.find(sign, start + 4)
    return bytes(changed)


def encrypted(data: bytes) -> bytes:
    """The zip with every file marked as encrypted."""
    changed = bytearray(data)
    for sign, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = changed.find(sign)
        while start >= 0:
            changed[start + place] |= 1
            start = changed.find(sign, start + 4)
    return bytes(changed)


def damaged(data: bytes) -> bytes:
    """The zip with its first packed bytes overwritten."""
    start = data.find(b"PK\x03\x04") + 30 + len("process.bpmn")
    return data[:start] + b"\xff" * 40 + data[start + 40 :]


SMALL = {"process.bpmn": PERMIT.files["process.bpmn"]}
BOMB = {"process.bpmn": b"<a/>", "forms/bomb.yaml": b"\0" * (MOST_BYTES + 1)}
HOSTILE: dict[str, Callable[[], bytes]] = {
    "no zip": lambda: b"not a zip",
    "empty": lambda: b"",
    "cut short": lambda: zipped(SMALL)[:200],
    "a path upwards": lambda: zipped({**SMALL, "../../etc/cron.d/x.yaml": b"x"}),
    "a path upwards further down": lambda: zipped({**SMALL, "forms/../../x.yaml": b"x"}),
    "an absolute path": lambda: zipped({**SMALL, "/etc/x.yaml": b"x"}),
    "a path of Windows": lambda: zipped({**SMALL, "forms\\..\\..\\x.yaml": b"x"}),
    "a drive of Windows": lambda: zipped({**SMALL, "C:/x.yaml": b"x"}),
    "a path with a line break": lambda: zipped({**SMALL, "forms/a\nb.yaml": b"x"}),
    "an endless path": lambda: zipped({**SMALL, "forms/" + "a" * 5000 + ".yaml": b"x"}),
    "a bomb": lambda: zipped(BOMB),
    "a bomb that says it is small": lambda: lying(zipped(BOMB), "forms/bomb.yaml", 10),
    "a file that says it is larger": lambda: lying(zipped(SMALL), "process.bpmn", 20_000_000),
    "too many files": lambda: zipped({**SMALL, **{f"forms/{n}.yaml": b"x" for n in range(MOST_FILES)}}),
    "too large as it is": lambda: zipped({"process.bpmn": b"x" * 11_000_000}, packing=zipfile.ZIP_STORED),
    "encrypted": lambda: encrypted(zipped(SMALL)),
    "damaged": lambda: damaged(zipped(SMALL)),
    "another packing": lambda: zipped(SMALL, packing=zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(Unusable) as refusal:
        package_of_zip(HOSTILE[name](), "p.zip")
    assert "p.zip" in refusal.value.text.zh and "p.zip" in refusal.value.text.en


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_one_path_twice_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for content in (b"first", b"second"):
            archive.writestr("process.bpmn", content)
    with pytest.raises(Unusable, match="twice"):
        package_of_zip(target.getvalue(), "p.zip")


def test_a_link_in_a_zip_is_only_its_text() -> None:
    link = zipfile.ZipInfo("forms/x.yaml")
    link.external_attr = 0o120777 << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("process.bpmn", b"<a/>")
        archive.writestr(link, "/etc/passwd")
    assert package_of_zip(target.getvalue(), "p.zip").files["forms/x.yaml"] == b"/etc/passwd"


# The library.


def test_the_shipped_library_holds_processes_with_their_forms_and_the_shared_ones() -> None:
    library = Library.standing()
    assert {"tech_contract_registration", "register_account"} <= set(library.processes())
    files = library.package("tech_contract_registration").files
    assert {"process.bpmn", "forms/submit_contract.yaml", "forms/withdraw.yaml"} <= files.keys()
    with pytest.raises(NotFound, match="nothing_such"):
        library.package("nothing_such")


def test_a_copy_is_the_library_that_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, copy = Library.standing(), tmp_path / "copy"
    shipped.copy_to(copy)
    hashes = {name: shipped.package(name).sha256 for name in shipped.processes()}
    monkeypatch.setenv("LIUHEN_LIBRARY", str(copy))
    standing = Library.standing()
    assert {name: standing.package(name).sha256 for name in standing.processes()} == hashes
    assert standing.vocabulary().roles.keys() == shipped.vocabulary().roles.keys()
    form = copy / "forms" / "shared" / "withdraw.yaml"
    form.write_text(form.read_text().replace("撤回", "撤销"))
    assert standing.package("tech_contract_registration").sha256 != hashes["tech_contract_registration"]
    assert package_at(copy / "bpmn" / "register_account").files == standing.package("register_account").files
    with pytest.raises(Unusable, match="not empty"):
        shipped.copy_to(copy)


def test_a_library_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIUHEN_LIBRARY", str(tmp_path))
    with pytest.raises(Unusable, match="library copy"):
        Library.standing()


def test_every_word_of_the_library_has_both_languages() -> None:
    words = Library.standing().vocabulary()
    assert words.registers and words.parameters
    for text in (*words.roles.values(), *words.outcomes.values(), *(each.about for each in words.parameters.values())):
        assert text.zh and text.en
    for register in words.registers.values():
        assert register.zh and register.en and register.columns
