"""What nobody draws or writes by hand ends soon: with a sentence where it is wrong, and with a yes where it is not."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bpmn.lint import check_diagram
from bpmn.picture import draw
from bpmn.reader import read_diagram, read_drawing
from engine.bounded import judge
from engine.errors import Unusable
from engine.library import Library
from engine.packages import MOST_BYTES, Package, package_of_zip
from engine.runtime.builder import Model
from engine.templates import read_template
from forms.answer import check, fill
from forms.form import read_form
from forms.patterns import may_be_slow, read_pattern
from forms.words import Finding, Unfit
from tests.harness import heavy
from tests.harness.forms import WORLD as FORM_WORLD
from tests.harness.gate import WORLD
from tests.harness.models import model

SECONDS = 60


@contextmanager
def soon() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("name", heavy.SOUND)
def test_a_strange_but_sound_diagram_passes_is_drawn_and_can_be_built(name: str) -> None:
    data = heavy.SOUND[name]()
    with soon():
        diagram = read_diagram(data, "x.bpmn")
        assert [finding for finding in check_diagram(diagram, WORLD) if finding.severity == "error"] == []
        assert draw(diagram, {}, "zh", title="图").endswith("</svg>")
        Model("p", {"p": diagram})


@pytest.mark.parametrize(
    "make", [lambda: heavy.gateways("inclusiveGateway", 2_000), lambda: heavy.dense("inclusiveGateway", 97)]
)
def test_who_waits_for_whom_at_thousands_of_inclusive_joins_is_found_once_for_all(make: Callable[[], bytes]) -> None:
    process = Model("p", {"p": read_diagram(make(), "x.bpmn")}).processes["p"]
    with soon():
        found = {process.ways.along(name, "s") for name, node in process.nodes.items() if name.startswith("g")}
    assert found and 0 not in found


@pytest.mark.parametrize("name", heavy.REFUSED)
def test_a_monstrous_diagram_is_refused_with_sentences(name: str) -> None:
    code, make = heavy.REFUSED[name]
    data = make()
    with soon():
        findings = found(data)
    assert code in {finding.code for finding in findings}
    assert all(len(str(finding)) < 2_500 for finding in findings)


def found(data: bytes) -> list[Finding]:
    """What is wrong with a diagram; whatever can be drawn of it is drawn."""
    try:
        diagram = read_diagram(data, "x.bpmn")
        return check_diagram(diagram, WORLD)
    except Unfit as unfit:
        findings = unfit.findings
    try:
        diagram = read_drawing(data, "x.bpmn")
    except Unfit:
        return findings
    draw(diagram, {}, "zh", title="图")
    return findings


def test_the_confined_process_can_bear_them(deep: bool) -> None:
    names = (
        None
        if deep
        else {"4,000 elements", "everything to everything", "a condition of 4 MB", "names of 1,100 letters"}
    )
    makes = {**heavy.SOUND, **{name: make for name, (_, make) in heavy.REFUSED.items()}}
    packages = [Package(name, {"process.bpmn": make()}) for name, make in makes.items() if not names or name in names]
    answers = judge(packages, Library.standing().vocabulary().roles, {})
    assert not {"too-heavy", "not-judged"} & {finding.code for answer in answers for finding in answer.findings}
    assert all(answer.findings for answer in answers)


# What they say can do nothing: a canary that is read would sing in the answer, one that is called would leave a file.

PROLOGS = {
    "an entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file://{read}">]>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % a SYSTEM "file://{read}"> %a;]>',
    "a foreign DTD": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    "a stylesheet": '<?xml-stylesheet type="text/xsl" href="file://{read}"?>',
    "nothing": "",
}
CALLS = (
    "__import__('os').system('touch {made}')",
    "open('{made}', 'w')",
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen'][0]('touch {made}', shell=True)",
    'f\'{{__import__("os").system("touch {made}")}}\'',
    "(lambda: exec('import os'))()",
)
FORM = """id: decide
title: {{zh: 表}}
fields:
  - {{code: agreed, kind: integer, label: {{zh: 数}}, compute: "={call}"}}
  - {{code: b, kind: note, label: {{zh: 注}}, show: !!python/object/apply:os.system ["touch {made}"]}}
"""
DOCUMENT = 'id: d\ntitle: {{zh: 文}}\nname: n\nblocks:\n  - paragraph: "{{{call}}}"\n'
XINCLUDE = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{read}" parse="text"/>'


@pytest.mark.parametrize("prolog", PROLOGS)
def test_what_is_handed_in_runs_no_code_reads_no_file_and_reaches_nobody(prolog: str, tmp_path: Path) -> None:
    read, made = tmp_path / "read.txt", tmp_path / "made.txt"
    read.write_text("the canary sings")
    packages = []
    for number, template in enumerate(CALLS):
        call = template.format(made=made)
        escaped = call.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        body = (
            f'<startEvent id="s"/><scriptTask id="t"><script>x = {escaped}</script></scriptTask>'
            f'<userTask id="u" name="NAME" policy:form="decide" policy:role="=eval({escaped})" policy:due="{escaped}"/>'
            f'<endEvent id="e" policy:outcome="={escaped}"/>{XINCLUDE.format(read=read)}'
        )
        diagram = model(body, "s -> t\nt -> u\nu -> e", attributes=f'id="p{number}"').decode()
        head, rest = diagram.split("\n", 1)
        hostile = f"{head}\n{PROLOGS[prolog].format(read=read)}{rest}"
        hostile = hostile.replace("NAME", "&a;" if prolog == "an entity" else "")
        words = {"call": call.replace('"', "'"), "made": made}
        files = {
            "process.bpmn": hostile,
            "forms/decide.yaml": FORM.format(**words),
            "forms/documents/d.yaml": DOCUMENT.format(**words),
        }
        packages.append(Package(str(number), {path: text.encode() for path, text in files.items()}))
    for answer in judge(packages, WORLD.roles, {}):
        told = {finding.code for finding in answer.findings}
        assert not answer.ok and told
        assert not {"too-heavy", "not-judged"} & told  # it was not even tried
        assert "sings" not in answer.picture + " ".join(str(finding) for finding in answer.findings)
    assert [path.name for path in tmp_path.iterdir()] == ["read.txt"]


# Forms, templates of documents, patterns.

HEAD = "id: x\ntitle: {zh: 表}\nfields:\n"


def fields(*said: str) -> str:
    return HEAD + "".join(f"  - {{code: f{n}, label: {{zh: 数}}, {more}}}\n" for n, more in enumerate(said))


def chained(count: int) -> str:
    return fields(*(f"kind: integer, compute: '=f{n + 1} + 1'" for n in range(count - 1)), "kind: integer")


FORMS: dict[str, tuple[str, Callable[[], str]]] = {
    "9,000 fields": ("too-many-fields", lambda: fields(*["kind: integer"] * 9_000)),
    "9,000 fields in a row": ("too-many-fields", lambda: chained(9_000)),
    "a circle of 900 fields": ("circle", lambda: chained(900).replace("integer}", "integer, compute: =f0}")),
    "an expression of 900 KB": ("expression", lambda: fields(f"kind: integer, show_if: '{'1+' * 450_000}1'")),
    "a deep expression": ("expression", lambda: fields(f"kind: integer, show_if: '{'(' * 2_000}1{')' * 2_000}'")),
    "a pattern of 900 KB": ("pattern", lambda: fields(f"kind: text, pattern: '{'a|' * 450_000}'")),
    "a pattern that repeats groups": ("pattern", lambda: fields("kind: text, pattern: '(a*)*b'")),
    "a pattern of maybes": ("pattern", lambda: fields(f"kind: text, pattern: '{'a?' * 40}{'a' * 40}'")),
    "a pattern of short repeats": ("pattern", lambda: fields(f"kind: text, pattern: '{'a{0,19}' * 30}'")),
    "a pattern with a literal": (
        "pattern", lambda: fields(f"kind: text, pattern: '{'a?' * 40}{'a' * 40}', default: '{'a' * 40}'"),
    ),
    "brackets without end": ("yaml", lambda: "[" * 900_000),
    "braces without end": ("yaml", lambda: "{" * 900_000),
    "lists in lists": ("yaml", lambda: "- " * 450_000),
    "keys of keys": ("yaml", lambda: "? " * 450_000),
    "anchors of anchors": (
        "yaml", lambda: "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a]\n" for n in range(50))
    ),
    "an object": ("yaml", lambda: "id: !!python/object/apply:os.system [id]\n"),
    "400,000 values": ("yaml", lambda: f"[{'1,' * 400_000}]"),
    "2 MB": ("yaml", lambda: "#" * 2_000_000),
    "90,000 unknown keys": ("yaml", lambda: "".join(f"k{n}: 1\n" for n in range(90_000))),
    "30,000 unknown keys": ("unknown-attribute", lambda: "".join(f"k{n}: 1\n" for n in range(30_000))),
    "20,000 options": ("yaml", lambda: fields(
        f"kind: choice, options: [{', '.join(f'{{code: o{n}, zh: 甲}}' for n in range(20_000))}]")),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_monstrous_form_is_refused_with_sentences(name: str) -> None:
    code, make = FORMS[name]
    text = make()
    with soon(), pytest.raises(Unfit) as unfit:
        read_form(text, "x.yaml")
    assert code in {finding.code for finding in unfit.value.findings}
    assert all(len(str(finding)) < 2_500 for finding in unfit.value.findings)


def test_a_form_of_a_thousand_fields_each_computed_from_the_next_is_filled() -> None:
    with soon():
        form = read_form(chained(1_000), "x.yaml")
        answer = fill(form, {"f999": 1}, FORM_WORLD)
        assert check(form, answer, FORM_WORLD).values["f0"] == 1_000


def test_forms_extend_each_other_a_few_times_only() -> None:
    def bases(count: int) -> dict[str, str]:
        below = {n: f"extends: e{n + 1}\n" if n < count - 1 else "" for n in range(count)}
        return {f"e{n}": fields("kind: integer").replace("x", f"e{n}\n{below[n]}", 1) for n in range(count)}

    top = "id: x\nextends: e0\n"
    assert len(read_form(top, "x.yaml", bases(8)).fields) == 1
    with soon(), pytest.raises(Unfit) as unfit:
        read_form(top, "x.yaml", bases(480))
    assert "extends" in {finding.code for finding in unfit.value.findings}


@pytest.mark.parametrize(
    "said", ["a" * 900_000, "{{" * 400_000, "{a}" * 250_000, "{a}'" * 200_000, "{a" + "([" * 4_000]
)
def test_a_monstrous_template_of_a_document_is_read_or_refused_soon(said: str) -> None:
    text = f'id: x\ntitle: {{zh: 文}}\nname: n\nblocks:\n  - paragraph: "{said}"\n'
    with soon():
        try:
            read_template(text, "documents/x.yaml")
        except Unfit as unfit:
            refused = unfit.findings
        else:
            refused = []
    assert bool(refused) is ("([" in said)


@pytest.mark.parametrize(
    ("pattern", "slow"),
    [
        ("[0-9]{6}(省|市)?", False),
        ("1[3-9][0-9]{9}", False),
        (r"[^@\s]+@[^@\s]+", False),
        (r"\d+(\.\d{1,2})?", False),
        ("|".join(["北京", "上海"] * 20), False),
        (r"[*+?]{1,3}\*\?", False),
        (r"\(\d{3,4}\)?\d{7,8}(-\d{1,4})?", False),
        ("a?" * 26, True),
        ("(a|b|c)" * 20, True),
        ("a{0,19}" * 10, True),
        ("a*a*a*", True),
        ("a*?a+?a{2,}?", True),
        (r"(a)\1", True),
        ("(?=a)b", True),
        ("(a+)+", True),
    ],
)
def test_patterns_whose_matching_could_take_for_ever_are_told_from_others(pattern: str, slow: bool) -> None:
    assert may_be_slow(pattern, 500) is slow
    found = read_pattern(pattern)
    assert found is not None
    if not slow:
        with soon():
            for text in ("a" * 500, "0" * 500, "北" * 500, "*" * 500, "@" * 500):
                found.fullmatch(text)


# Archives.


def packed(*entries: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", how) as archive:
        for path, content in entries:
            archive.writestr(zipfile.ZipInfo(path), content, how)
    return data.getvalue()


def lying(size: int) -> bytes:
    """An archive whose one entry says, here and in its list, that it is so many bytes long."""
    data = bytearray(packed(("process.bpmn", b"\0" * 20_000_000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(signature) + offset, size)
    return bytes(data)


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "40 MB of nothing": lambda: packed(("process.bpmn", b"\0" * (MOST_BYTES + 1))),
    "a file that says it is short": lambda: lying(10),
    "a file that says it is long": lambda: lying(29_000_000),
    "a file that says it is endless": lambda: lying(0xFFFFFFF0),
    "20,000 files": lambda: packed(*((f"{n}.yaml", b"") for n in range(20_000))),
    "two files of one name": lambda: packed(("process.bpmn", b"1"), ("./process.bpmn", b"2")),
    "an archive of 12 MB": lambda: b"PK\x03\x04" + b"\0" * 12_000_000,
    "another packing": lambda: packed(("process.bpmn", b"x"), how=zipfile.ZIP_LZMA),
    "a way out": lambda: packed(("../process.bpmn", b"x")),
    "a way to the root": lambda: packed(("/etc/process.bpmn", b"x")),
    "a way on Windows": lambda: packed(("C:process.bpmn", b"x")),
    "a name with a line": lambda: packed(("a\nb.yaml", b"x")),
    "a long name": lambda: packed(("a" * 1_000 + ".yaml", b"x")),
    "no archive": lambda: b"PK",
}


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_archive_is_refused_with_a_sentence(name: str) -> None:
    data = ARCHIVES[name]()
    with soon(), pytest.raises(Unusable) as refusal:
        package_of_zip(data, "x.zip")
    assert "x.zip" in refusal.value.text.zh and "x.zip" in refusal.value.text.en


def test_an_archive_within_an_archive_stays_closed() -> None:
    inner = packed(("process.bpmn", b"\0" * 29_000_000))
    outer = packed(("process.bpmn", b"<x/>"), ("more.zip", inner), ("deep/er.bpmn.zip", inner))
    assert package_of_zip(outer, "x.zip").files == {"process.bpmn": b"<x/>"}


def test_a_folder_is_read_within_the_same_bounds(tmp_path: Path) -> None:
    library = Library(tmp_path, tmp_path / "forms")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "process.bpmn").write_bytes(b"<x/>")
    assert library.package("p").files == {"process.bpmn": b"<x/>"}
    for n in range(500):
        (tmp_path / "p" / f"{n}.yaml").touch()
    with pytest.raises(Unusable):
        library.package("p")
