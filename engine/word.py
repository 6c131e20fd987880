"""Templates of documents that owners edit in Word: a .docx whose text has the same slots as other templates.

A slot ``{expression|format}`` stands in any paragraph, table cell, header or footer and keeps the look of its first
letter. A paragraph that begins with ``{when condition}`` is left out unless the condition holds. A table row whose
first cell begins with ``{each name in list}`` stands once for every member of the list.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from engine.paper import Block, Grid, Line, Paper, clean, settled, to_docx
from engine.templates import DocumentTemplate, Phrase, Section, Slot, slot_of, spans
from forms.expressions import Expression, ExpressionError, compile_expression
from forms.words import Finding, Text

if TYPE_CHECKING:
    from engine.composing import Names, Writer

MOST_UNPACKED, MOST_PARTS = 20_000_000, 500
WHEN = re.compile(r"\s*\{when\s+")
EACH = re.compile(r"\s*\{each\s+([A-Za-z_][A-Za-z0-9_]*)\s+in\s+")

Parts = tuple[tuple[int, int, str | Slot], ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of one paragraph, in its slots and what is between them, by their places."""

    parts: Parts
    when: Expression | None = None
    each: tuple[str, Expression] | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A Word file that was read, with its passages by the text they stand for."""

    data: bytes = field(repr=False)
    passages: Mapping[str, Passage]

    def expressions(self) -> Iterator[tuple[Expression, frozenset[str]]]:
        """Every expression of it, with the names that its rows bring by themselves."""
        brought = frozenset(each.each[0] for each in self.passages.values() if each.each)
        for passage in self.passages.values():
            found = [part.expression for _, _, part in passage.parts if isinstance(part, Slot)]
            found += [each for each in (passage.when, passage.each[1] if passage.each else None) if each is not None]
            for expression in found:
                yield expression, brought


def read_word(data: bytes, file: str, labels: Mapping[str, Mapping[str, str]]) -> tuple[Word | None, list[Finding]]:
    """A Word template, and what is wrong with it: each finding names the paragraph by its number as its line."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise ValueError("it is larger than a template may be")  # noqa: TRY301 - said below like the others
        document = docx.Document(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001 - whatever is in a file that is no Word file
        zh, en = f"不是可读的 Word 文件（.docx）：{error}", f"this is not a readable Word file (.docx): {error}"
        return None, [Finding("no-word", file, 0, None, Text(zh, en))]
    passages, findings = {}, []
    for number, paragraph in enumerate(_paragraphs(document), 1):
        text = _text(paragraph)
        try:
            if "{" in text or "}" in text:
                passages[text] = _passage(text, labels)
        except ExpressionError as error:
            zh, en = (
                f"第 {number} 段“{text[:40]}”：{error.text.zh}",
                f"paragraph {number} {text[:40]!r}: {error.text.en}",
            )
            findings.append(Finding("expression", file, number, None, Text(zh, en)))
    return Word(data, passages), findings


def _passage(text: str, labels: Mapping[str, Mapping[str, str]]) -> Passage:
    when, each, start = None, None, 0
    for pattern in (EACH, WHEN):
        found = pattern.match(text, start)
        if found is None:
            continue
        begin, end, source = next(spans(text[start:]))
        assert isinstance(source, tuple)
        expression = compile_expression(text[found.end() : start + end - 1].strip())
        if pattern is EACH:
            each = (found[1], expression)
        else:
            when = expression
        start += end
        del begin
    parts: list[tuple[int, int, str | Slot]] = [(0, start, "")] if start else []
    for begin, end, part in spans(text[start:]):
        parts.append((begin + start, end + start, part if isinstance(part, str) else slot_of(part, labels)))
    return Passage(tuple(parts), when, each)


def write_word(word: Word, writer: Writer, at: datetime) -> bytes:
    """The document as Word has it, its slots filled. Incident where an expression has no value to be written.

    The same values at the same instant give the same bytes.
    """
    document = docx.Document(io.BytesIO(word.data))
    for root in _roots(document):
        for row in list(root.iter(qn("w:tr"))):
            _repeat(row, word, writer)
        for paragraph in list(root.iter(qn("w:p"))):
            _fill(paragraph, word, writer, writer.names)
    properties = document.core_properties
    properties.last_modified_by = ""
    properties.created = properties.modified = at.astimezone(UTC).replace(microsecond=0)
    target = io.BytesIO()
    document.save(target)
    return settled(target.getvalue())


def _repeat(row: Any, word: Word, writer: Writer) -> None:
    """A row for every member of a list stands in the place of the one that says so."""
    first = next(row.iter(qn("w:p")), None)
    passage = word.passages.get(_text(first)) if first is not None else None
    if passage is None or passage.each is None:
        return
    name, source = passage.each
    for member in writer.members(source):
        made = copy.deepcopy(row)
        row.addprevious(made)
        for paragraph in list(made.iter(qn("w:p"))):
            _fill(paragraph, word, writer, {**writer.names, name: member})
    row.getparent().remove(row)


def _fill(paragraph: Any, word: Word, writer: Writer, names: Names) -> None:
    passage = word.passages.get(_text(paragraph))
    if passage is None:
        return
    if passage.when is not None and not writer.holds(passage.when, names):
        _leave_out(paragraph)
        return
    said = [part if isinstance(part, str) else writer.said(part, names) for _, _, part in passage.parts]
    at = 0
    for node in list(paragraph.iter(qn("w:t"))):
        end = at + len(node.text or "")
        pieces = []
        for (start, stop, part), words in zip(passage.parts, said, strict=True):
            if isinstance(part, Slot) or stop - start != len(words):
                pieces.append(words if at <= start < end else "")
            else:
                pieces.append(words[max(0, at - start) : max(0, end - start)])
        _write(node, "".join(pieces))
        at = end


def _leave_out(paragraph: Any) -> None:
    """A cell needs a paragraph, so the only one in it is emptied instead of removed."""
    around = paragraph.getparent()
    if around.tag == qn("w:tc") and len(around.findall(qn("w:p"))) == 1:
        for run in paragraph.findall(qn("w:r")):
            paragraph.remove(run)
    else:
        around.remove(paragraph)


def _write(node: Any, text: str) -> None:
    """The text of a piece of a run; a new line is a line break of Word's."""
    first, *rest = clean(text).split("\n")
    node.text = first
    node.set(qn("xml:space"), "preserve")
    for line in reversed(rest):
        further = OxmlElement("w:t")
        further.text = line
        further.set(qn("xml:space"), "preserve")
        node.addnext(further)
        node.addnext(OxmlElement("w:br"))


def _text(paragraph: Any) -> str:
    return "".join(node.text or "" for node in paragraph.iter(qn("w:t")))


def _roots(document: Any) -> Iterator[Any]:
    """Where text stands: the body, headers and footers."""
    yield document.element.body
    seen = set()
    for section in document.sections:
        for part in (section.header, section.footer, section.first_page_header, section.first_page_footer):
            if not part.is_linked_to_previous and id(part.part) not in seen:
                seen.add(id(part.part))
                yield part._element  # noqa: SLF001 - the library has no public way to the text of a header


def _paragraphs(document: Any) -> Iterator[Any]:
    for root in _roots(document):
        yield from root.iter(qn("w:p"))


# From blocks to Word, once: what an owner then goes on editing.


def as_word(template: DocumentTemplate, now: datetime) -> bytes:
    """A template of blocks as a Word file that says the same."""
    blocks = [block for section in template.sections for block in _blocks(section)]
    return to_docx(Paper(template.title.zh, template.id, tuple(blocks)), now)


def _blocks(section: Section) -> Iterator[Block]:
    when = f"{{when {section.when.source}}}" if section.when else ""
    if section.kind == "rows":
        assert section.each is not None
        source = f"({section.each.source}) if ({section.when.source}) else []" if section.when else section.each.source
        first, *others = [_source(cell) for cell in section.lines[0]]
        yield Grid((section.headings, (f"{{each {section.name} in {source}}}{first}", *others)), headed=True)
    elif section.kind == "table":
        # A row that stands once or not at all.
        once = f"{{each once in [1] if ({section.when.source}) else []}}" if section.when else ""
        yield Grid(tuple((once + _source(row[0]), *map(_source, row[1:])) for row in section.lines))
    else:
        for (phrase,) in section.lines:
            yield Line(section.kind, when + _source(phrase))


def _source(phrase: Phrase) -> str:
    """A phrase as it is written, with its slots in braces."""
    said = []
    for part in phrase.parts:
        if isinstance(part, Slot):
            form = f"|{part.form}" + (f":{part.labels}" if part.labels else "") if part.form else ""
            said.append(f"{{{part.expression.source}{form}}}")
        else:
            said.append(part.replace("{", "{{").replace("}", "}}"))
    return "".join(said)
