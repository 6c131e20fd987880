"""A finished document as a page: DOCX, and PDF where WeasyPrint is installed. What stands on it is settled before."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


# Half characters and the two code points that are none.
UNWRITABLE = frozenset(map(chr, [*range(0xD800, 0xE000), 0xFFFE, 0xFFFF]))


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph; ``kind`` is heading, address, paragraph, sign or note."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; ``headed`` if its first line is a heading, otherwise its first column is."""

    rows: tuple[tuple[str, ...], ...]
    headed: bool = False


Block = Line | Grid


@dataclass(frozen=True, slots=True)
class Paper:
    """A document: its title, the name of its file without the ending, and its blocks from top to bottom."""

    title: str
    name: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """How a kind of paragraph looks: its style in the file, its font, points, and where it stands."""

    name: str
    font: str
    points: int
    alignment: Any
    bold: bool = False
    indent: bool = False


# 仿宋 for the text and 宋体 for headings, as official documents have them (GB/T 9704).
STYLES = {
    "heading": Style("Heading 1", "宋体", 22, WD_ALIGN_PARAGRAPH.CENTER, bold=True),
    "address": Style("Salutation", "仿宋", 14, WD_ALIGN_PARAGRAPH.LEFT),
    "paragraph": Style("Normal", "仿宋", 14, WD_ALIGN_PARAGRAPH.LEFT, indent=True),
    "sign": Style("Signature", "仿宋", 14, WD_ALIGN_PARAGRAPH.RIGHT),
    "note": Style("Caption", "仿宋", 10, WD_ALIGN_PARAGRAPH.LEFT),
    "cell": Style("Table Text", "仿宋", 12, WD_ALIGN_PARAGRAPH.LEFT),
}
KIND_OF_STYLE = {style.name: kind for kind, style in STYLES.items()}


def to_docx(paper: Paper, at: datetime) -> bytes:
    """The document as DOCX. The same paper at the same instant gives the same bytes."""
    blank, ids = _laid_out()
    document = docx.Document(io.BytesIO(blank))
    for block in paper.blocks:
        if isinstance(block, Grid):
            _add_grid(document, block, ids)
        else:
            paragraph = _styled(document.add_paragraph(), ids[block.kind])
            _write(paragraph, block.text, indent=STYLES[block.kind].indent)
    properties = document.core_properties
    properties.title, properties.author, properties.last_modified_by = clean(paper.title), "留痕 Liuhen", ""
    properties.created = properties.modified = at.astimezone(UTC).replace(microsecond=0)
    properties.comments, properties.language = "", "zh-CN"
    buffer = io.BytesIO()
    document.save(buffer)
    return settled(buffer.getvalue())


@lru_cache(maxsize=1)
def _laid_out() -> tuple[bytes, dict[str, str | None]]:
    """An empty document with our styles, and their ids by kind (None of the one that needs no naming); made once."""
    document = docx.Document()
    _lay_out(document)
    part: Any = document.part
    ids = {kind: part.get_style_id(style.name, WD_STYLE_TYPE.PARAGRAPH) for kind, style in STYLES.items()}
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue(), ids


def _styled(paragraph: Any, style: str | None) -> Any:
    """The paragraph in a style by its id: by its name all styles would be searched each time."""
    paragraph._p.style = style  # noqa: SLF001 - the public way looks for the name
    return paragraph


def _lay_out(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    for style in STYLES.values():
        known = [each.name for each in document.styles]
        made = document.styles[style.name] if style.name in known else document.styles.add_style(style.name, 1)
        made.font.name, made.font.size, made.font.bold = "Times New Roman", Pt(style.points), style.bold
        made.font.italic, made.font.color.rgb = False, RGBColor(0, 0, 0)
        fonts = made.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in [name for name in fonts.attrib if "heme" in name]:
            del fonts.attrib[theme]
        fonts.set(qn("w:eastAsia"), style.font)
        made.paragraph_format.alignment = style.alignment
        made.paragraph_format.space_after, made.paragraph_format.space_before = Pt(6), Pt(0)


def _add_grid(document: Any, grid: Grid, ids: Mapping[str, str | None]) -> None:
    table = document.add_table(rows=0, cols=len(grid.rows[0]), style="Table Grid")
    for number, row in enumerate(grid.rows):
        for place, (cell, words) in enumerate(zip(table.add_row().cells, row, strict=True)):
            paragraph = _styled(cell.paragraphs[0], ids["cell"])
            _write(paragraph, words)
            paragraph.runs[0].bold = number == 0 if grid.headed else place == 0
    if not grid.headed and len(grid.rows[0]) == 2:
        for row in table.rows:
            row.cells[0].width, row.cells[1].width = Cm(4.2), Cm(11.4)
    _styled(document.add_paragraph(), ids["note"])


def _write(paragraph: Any, text: str, *, indent: bool = False) -> None:
    paragraph.add_run(clean(text))
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(28)


def clean(text: str) -> str:
    """The text without the signs that XML cannot hold and no page can show; tabs and line breaks stay."""
    return "".join(sign for sign in text if sign in "\n\t" or (sign >= " " and sign not in UNWRITABLE))


def settled(data: bytes) -> bytes:
    """The same archive with one fixed time on all its files."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            target.writestr(entry, source.read(name))
    return made.getvalue()


# PDF

CSS = """
@page { size: A4; margin: 3.7cm 2.6cm 3.5cm 2.8cm }
body { font-family: "FangSong", "仿宋", "Noto Serif CJK SC", "Source Han Serif SC", "SimSun", serif; font-size: 14pt;
  line-height: 1.6 }
h1 { font-family: "SimSun", "宋体", "Noto Serif CJK SC", serif; font-size: 22pt; text-align: center }
p.paragraph { text-indent: 2em } p.sign { text-align: right } p.note { font-size: 10pt }
table { width: 100%; border-collapse: collapse; font-size: 12pt; margin: 1em 0 }
td, th { border: 0.5pt solid #000; padding: 3pt 6pt; text-align: left; vertical-align: top }
th { white-space: nowrap }
th:first-child:nth-last-child(2) { width: 28% } p { margin: 0.5em 0 }
p, td { overflow-wrap: anywhere; white-space: pre-wrap }
"""


def pdf_is_possible() -> bool:
    """Whether WeasyPrint (the optional extra ``pdf``) is installed, and the library of the system that it needs."""
    return _weasyprint() is not None


def to_pdf(data: bytes) -> bytes | None:
    """A DOCX that ``to_docx`` made, as PDF; None where that is not possible."""
    return printed(to_html(data)) if pdf_is_possible() else None


def printed(page: str) -> bytes | None:
    """An HTML page as PDF, the same bytes for the same page; None where that is not possible. It fetches nothing."""
    html = _weasyprint()
    if html is None:
        return None
    made: bytes = html(string=page, url_fetcher=_fetch_nothing).write_pdf()
    return made


@lru_cache(maxsize=1)
def _weasyprint() -> Any:
    try:
        from weasyprint import HTML
    except (ImportError, OSError):  # not installed; installed, but without Pango
        return None
    return HTML


def to_html(data: bytes) -> str:
    """The same page as HTML, for printing; every word of it is escaped."""
    document = docx.Document(io.BytesIO(data))
    title = escape(document.core_properties.title)
    body = "\n".join(_html_blocks(document))
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{CSS}</style></head><body>{body}</body></html>"
    )


def _html_blocks(document: Any) -> Iterator[str]:
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield "<table>" + "".join(_html_row(row) for row in block.rows) + "</table>"
        elif isinstance(block, Paragraph) and block.text:
            kind = KIND_OF_STYLE.get(block.style.name if block.style else "", "paragraph")
            text = escape(block.text)
            yield f"<h1>{text}</h1>" if kind == "heading" else f'<p class="{kind}">{text}</p>'


def _html_row(row: Any) -> str:
    cells = ((cell.text, any(run.bold for each in cell.paragraphs for run in each.runs)) for cell in row.cells)
    return (
        "<tr>"
        + "".join(f"<th>{escape(text)}</th>" if head else f"<td>{escape(text)}</td>" for text, head in cells)
        + "</tr>"
    )


def _fetch_nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"a document fetches nothing, but asks for {url}")
