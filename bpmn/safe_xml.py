"""Turns the bytes of an uploaded file into a tree of plain nodes, or says why they are none.

No entities, no DTD, no network; bounded size, depth and number of elements. The only file that speaks to lxml; what the
tree means is left to ``bpmn.reader``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from bpmn.findings import Findings
from forms.words import Unfit

MAX_BYTES = 5_000_000
MAX_DEPTH = 200
MAX_NODES = 250_000
MAX_ATTRIBUTES = 200
_CHUNK = 65_536

_MAGIC = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"%PDF": "PDF",
    b"PK\x03\x04": "ZIP / Office",
    b"\xd0\xcf\x11\xe0": "Office 97",
    b"\x1f\x8b": "gzip",
    b"\x7fELF": "ELF",
    b"MZ": "EXE",
}
# What diagrams are really saved in: modelers write UTF-8, older office tools GBK, some tools UTF-16 or Latin-1.
ENCODINGS = frozenset({"utf-8", "ascii", "utf-16", "gbk", "gb2312", "gb18030", "iso8859-1", "cp1252"})
# Where elements begin: "<" cannot stand in attribute values, so outside comments, CDATA and instructions it is a tag.
_BEGIN = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(<[^/!?])", re.DOTALL)
_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


@dataclass(slots=True)
class Node:
    """One XML element: ``attributes`` by (namespace, local name), ``text`` without that of its children."""

    namespace: str
    name: str
    line: int
    attributes: dict[tuple[str, str], str]
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """The value of an attribute without namespace."""
        return self.attributes.get(("", name), default)

    def flag(self, name: str, *, default: bool) -> bool:
        """The truth of an attribute, which XML writes in words or as 1 and 0; ``default`` where it says neither."""
        return {"true": True, "1": True, "false": False, "0": False}.get(self.get(name).strip().lower(), default)

    def all(self, namespace: str, name: str) -> list[Node]:
        """The children of this name, in order."""
        return [child for child in self.children if child.name == name and child.namespace == namespace]

    def first(self, namespace: str, name: str) -> Node | None:
        """The first child of this name, or None."""
        return next((child for child in self.children if child.name == name and child.namespace == namespace), None)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the file."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def parse(data: bytes, findings: Findings) -> Node:
    """The root of these bytes; raises ``Unfit`` with one sentence when they are not a sound, small XML file."""
    text = _decode(data, findings)
    _refuse_doctype(text, findings)
    # The declaration has done its work; its line breaks stay, so that lines are those of the file.
    if declaration := _DECLARATION.match(text):
        text = "\n" * declaration[0].count("\n") + text[declaration.end() :]
    return _tree(text, findings)


def _decode(data: bytes, findings: Findings) -> str:
    if not data.strip():
        raise findings.stop("empty-file", 0, "文件是空的：请从建模工具重新导出",
                            "the file is empty: export it again from the modeler")
    if len(data) > MAX_BYTES:
        raise findings.stop("too-large", 0,
                            f"文件有 {len(data)} 字节，最多 {MAX_BYTES} 字节：请去掉嵌入的图片，或把它拆开",
                            f"the file has {len(data)} bytes, at most {MAX_BYTES} are read: remove embedded pictures "
                            "or split it")
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise findings.stop("not-xml", 0, f"这是 {kind} 文件，不是 XML：请上传建模工具保存的 .bpmn 或 .dmn 文件",
                                f"this is a {kind} file, not XML: upload the .bpmn or .dmn file of the modeler")
    encoding = _encoding(data, findings)
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise findings.stop("encoding", line, f"第 {line} 行的字节不是声明的编码 {encoding}：请另存为 UTF-8",
                            f"the bytes in line {line} are not {encoding}, as declared: save it as UTF-8") from None
    if "\x00" in text or not text.lstrip().startswith("<"):
        raise findings.stop("not-xml", 1, "这不是 XML 文件（应以 < 开头）：请上传建模工具保存的 .bpmn 或 .dmn 文件",
                            "this is not an XML file (it should begin with <): upload the .bpmn or .dmn file of the "
                            "modeler")
    return text


def _encoding(data: bytes, findings: Findings) -> str:
    """The encoding by byte order mark, else as declared, else UTF-8."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    declared = _DECLARED.match(data[:400])
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        encoding = name
    # UTF-16 without a mark cannot carry a declaration that was readable here: the declaration lies.
    if encoding not in ENCODINGS or encoding == "utf-16":
        raise findings.stop("encoding", 1, f"不支持编码 {name}：请另存为 UTF-8",
                            f"the encoding {name} is not read here: save the file as UTF-8")
    return encoding


def _refuse_doctype(text: str, findings: Findings) -> None:
    """Refuse a DOCTYPE before any parser sees it; one can stand only in the prolog, among comments and instructions."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("<?", at):
            end = text.find("?>", at)
        elif text.startswith("<!--", at):
            end = text.find("-->", at)
        else:
            break
        if end < 0:
            return
        at = text.index(">", end) + 1
    if text[at : at + 9].upper() == "<!DOCTYPE":
        line = text.count("\n", 0, at) + 1
        raise findings.stop("doctype", line, "文件含有 DOCTYPE：此处不需要它，且可能夹带外部内容，请删去该声明",
                            "the file has a DOCTYPE: it needs none, which can smuggle in other content; remove it")


def _tree(text: str, findings: Findings) -> Node:
    data = text.encode("utf-8")
    parser = etree.XMLPullParser(
        events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        attribute_defaults=False, huge_tree=False, remove_comments=True, remove_pis=True, strip_cdata=True,
    )
    growing = _Growing(_lines(text), findings)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
            growing.take(parser.read_events())
        parser.close()
        growing.take(parser.read_events())
    except etree.XMLSyntaxError as error:
        raise _malformed(error, data, findings) from None
    return growing.root


def _lines(text: str) -> Iterator[int]:
    """The line in which each element begins. (The parser knows only where its tag ends, and not past line 65,535.)"""
    line, at = 1, 0
    for begin in _BEGIN.finditer(text):
        line += text.count("\n", at, begin.start())
        at = begin.start()
        if begin[1]:
            yield line


class _Growing:
    """The tree as far as it has been parsed; refuses to grow past the bounds."""

    def __init__(self, lines: Iterator[int], findings: Findings) -> None:
        self.lines = lines
        self.findings = findings
        self.root = Node("", "", 0, {})
        self.nodes = 0
        self.open: list[Node] = []

    def take(self, events: Any) -> None:
        for event, element in events:
            if event == "start":
                self._begin(element)
            else:
                node = self.open.pop()
                node.text = "".join((element.text or "", *(child.tail or "" for child in element)))
                # What is ours now need not stay in the parser's tree as well; the tail is still to come.
                element.clear(keep_tail=True)

    def _begin(self, element: Any) -> None:
        line = next(self.lines, 0)
        # Asked first: reading the attributes takes the parser a time that grows with the square of their number.
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise self.findings.stop("too-many-attributes", line,
                                     f"一个元素有 {len(element.attrib)} 个属性，最多 {MAX_ATTRIBUTES} 个：请删去多余的",
                                     f"one element has {len(element.attrib)} attributes, at most {MAX_ATTRIBUTES} are "
                                     "read: remove what is not needed")
        node = Node(*_named(element.tag), line,
                    {_named(name): str(value) for name, value in element.attrib.items()})
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.findings.stop("too-many-elements", node.line,
                                     f"文件的 XML 元素超过 {MAX_NODES} 个：请把流程拆成几个被调用的流程",
                                     f"the file has more than {MAX_NODES} XML elements: split the process")
        if len(self.open) >= MAX_DEPTH:
            raise _too_deep(node.line, self.findings)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)


def _named(tag: str) -> tuple[str, str]:
    """Namespace and local name of a tag or attribute as lxml writes it (``{namespace}local``)."""
    namespace, brace, local = tag.rpartition("}")
    return (namespace[1:], local) if brace else ("", tag)


def _too_deep(line: int, findings: Findings) -> Unfit:
    return findings.stop("too-deep", line, f"XML 嵌套超过 {MAX_DEPTH} 层：请上传建模工具保存的文件",
                         f"the XML is nested more than {MAX_DEPTH} levels deep: upload it as the modeler saved it")


def _malformed(error: Any, data: bytes, findings: Findings) -> Unfit:
    """What the XML parser objected to, as one of our sentences."""
    if not error.position[0]:
        # The incremental parser loses the place of some errors; the plain one knows it.
        try:
            etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        except etree.XMLSyntaxError as placed:
            error = placed
    line, column = error.position
    if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT and "depth" in error.msg:
        return _too_deep(line, findings)
    if error.code == etree.ErrorTypes.ERR_UNDECLARED_ENTITY:
        return findings.stop("entity", line, "文件使用了实体引用（&名称;）：请直接写出文字",
                             "the file uses an entity (&name;): write the text itself")
    if error.code == etree.ErrorTypes.ERR_TAG_NOT_FINISHED or not data.rstrip().endswith(b">"):
        return findings.stop("truncated", line, "文件中途结束，内容不完整：请重新导出后再上传",
                             "the file ends in the middle: export it again and upload the whole file")
    said = error.msg.partition(", line ")[0]
    return findings.stop("not-well-formed", line,
                         f"XML 在第 {line} 行第 {column} 列不合语法（{said}）：请重新导出",
                         f"the XML is broken at line {line}, column {column} ({said}): export it again")
