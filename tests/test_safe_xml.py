"""Files that are no sound, small XML are refused at once, each kind with a sentence of its own."""

from __future__ import annotations

import struct
import time
import zlib

import pytest

from bpmn.reader import read_diagram
from tests.harness.models import NAMESPACES, model
from tests.harness.refused import only, refused

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'

SOUND = model(START + END, "s -> e")


def png() -> bytes:
    """A real picture of one pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


XXE = b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><definitions>&a;</definitions>'

BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty-file", 0),
        (b" \r\n\t", "empty-file", 0),
        (b"x" * 5_000_001, "too-large", 0),
        (png(), "not-xml", 0),
        (b"PK\x03\x04" + b"\0" * 60, "not-xml", 0),
        (b"%PDF-1.7", "not-xml", 0),
        (b"process: p\n", "not-xml", 1),
        ("流程".encode(), "not-xml", 1),
        (b"<a>\0</a>", "not-xml", 1),
        (XXE, "doctype", 2),
        (XXE.decode().encode("utf-16"), "doctype", 2),
        (BOMB, "doctype", 1),
        (b"<!-- x --><?y z?>\n<!DOCTYPE x><x/>", "doctype", 2),
        (b"<!doctype html><html></html>", "doctype", 1),
        (b"<a>\n&file;</a>", "entity", 2),
        (SOUND[:-60], "truncated", 6),
        (SOUND[:-40], "truncated", 6),
        (b"<a><b>", "truncated", 1),
        (b"<a>\n<b></a>", "not-well-formed", 2),
        (b"<a/><b/>", "not-well-formed", 1),
        (b'<a x="1" x="2"/>', "not-well-formed", 1),
        (b"<a>" * 100_000, "too-deep", 1),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "too-deep", 1),
        (b"<a " + b" ".join(b"a%d='1'" % n for n in range(300_000)) + b"/>", "too-many-attributes", 1),
        (b"<a>" + b"<!--" * 1_000_000, "truncated", 1),
        (b"<a>" + b"<b/>" * 300_000 + b"</a>", "too-many-elements", 1),
        ('<?xml version="1.0" encoding="UTF-8"?>\n<a>中</a>'.encode("gbk"), "encoding", 2),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "encoding", 1),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "encoding", 1),
        (b"\xff\xfe<\x00a", "encoding", 1),
        (b"<html><body/></html>", "wrong-root", 1),
        (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "wrong-root", 1),
        (b"<definitions/>", "wrong-root", 1),
        (f"<definitions {NAMESPACES}/>".encode(), "no-process", 1),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_files_that_are_no_diagram_are_refused_at_once(data: bytes, code: str, line: int) -> None:
    began = time.process_time()
    assert only(data) == (code, line)
    assert time.process_time() - began < 60


def test_every_kind_of_broken_file_has_its_own_sentence() -> None:
    files = [b"", png(), b"text", b"<a><b>", b"<a></b>", b"<html/>", XXE, b"<a>" * 300, b"<a>&b;</a>"]
    assert len({refused(data)[0].text.zh for data in files}) == len(files)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_the_encodings_that_files_are_saved_in_are_read(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = model('<startEvent id="s" name="开始"/>').decode().replace('encoding="UTF-8"', f'encoding="{declared}"')
    assert read_diagram(text.encode(encoding), "x").elements["s"].name == "开始"


@pytest.mark.parametrize("prefix", ["bpmn", "bpmn2", "semantic", "x"])
def test_any_prefix_is_understood(prefix: str) -> None:
    data = SOUND.replace(b"xmlns=", b"xmlns:" + prefix.encode() + b"=")
    for tag in (b"definitions", b"process", b"startEvent", b"endEvent", b"sequenceFlow", b"conditionExpression"):
        data = data.replace(b"<" + tag, b"<" + prefix.encode() + b":" + tag)
        data = data.replace(b"</" + tag, b"</" + prefix.encode() + b":" + tag)
    assert list(read_diagram(data, "x").elements) == ["s", "e"]


def test_deep_but_honest_nesting_is_read() -> None:
    body = START
    for depth in range(90):
        body = f'<subProcess id="sub{depth}">{body}</subProcess>'
    assert len(read_diagram(model(body), "x").elements) == 91


def test_too_many_elements_are_refused() -> None:
    tasks = "".join(f'<task id="t{n}"/>' for n in range(10_001))
    assert only(model(tasks))[0] == "too-many-elements"
    assert len(read_diagram(model(tasks.replace('<task id="t10000"/>', "")), "x").elements) == 10_000


def test_four_thousand_elements_with_their_drawing_are_read_quickly() -> None:
    tasks = "".join(f'<task id="t{n}"/>\n' for n in range(4_000))
    rows = "\n".join(f"t{n} -> t{n + 1}" for n in range(3_999))
    drawn = "".join(
        f'<bpmndi:BPMNShape bpmnElement="t{n}"><dc:Bounds x="{n}" y="0" width="100" height="80"/></bpmndi:BPMNShape>'
        for n in range(4_000)
    )
    data = model(
        tasks, rows, around=f"<bpmndi:BPMNDiagram><bpmndi:BPMNPlane>{drawn}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    )
    began = time.process_time()
    diagram = read_diagram(data, "x")
    assert time.process_time() - began < 60
    assert (len(diagram.elements), len(diagram.flows), len(diagram.shapes)) == (4_000, 3_999, 4_000)
