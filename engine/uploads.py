"""What an uploaded file is, by its content and never by its name; and what it may be called."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass

from engine.errors import Unusable
from engine.paper import DOCX, PDF

MOST_BYTES = 20_000_000
LONGEST_NAME = 120
MOST_PARTS = 5_000
OFFICE = "application/vnd.openxmlformats-officedocument"

# Not shown, or able to reverse what is shown: control and format characters, line and paragraph separators.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MARKUP = re.compile(r"\s*<[!?a-zA-Z]")


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: its media type, the endings a name of it may have, and what it is called."""

    media: str
    endings: tuple[str, ...]
    zh: str
    en: str


PDF_FILE = FileKind(PDF, (".pdf",), "PDF 文件", "a PDF file")
PNG = FileKind("image/png", (".png",), "PNG 图片", "a PNG picture")
JPEG = FileKind("image/jpeg", (".jpg", ".jpeg"), "JPEG 图片", "a JPEG picture")
WORD = FileKind(DOCX, (".docx",), "Word 文档（docx）", "a Word document (docx)")
EXCEL = FileKind(f"{OFFICE}.spreadsheetml.sheet", (".xlsx",), "Excel 表格（xlsx）", "an Excel workbook (xlsx)")
SLIDES = FileKind(f"{OFFICE}.presentationml.presentation", (".pptx",), "幻灯片（pptx）", "a presentation (pptx)")
OFD = FileKind("application/ofd", (".ofd",), "OFD 版式文件", "an OFD file")
TEXT = FileKind("text/plain", (".txt", ".csv", ".md"), "文本（UTF-8）", "a text (UTF-8)")
TEXT_MEDIA = {".txt": "text/plain", ".csv": "text/csv", ".md": "text/markdown"}

ACCEPTED = (PDF_FILE, WORD, EXCEL, SLIDES, OFD, PNG, JPEG, TEXT)

# Recognised only to say what they are.
REFUSED = (
    (b"MZ", "Windows 程序", "a Windows program"),
    (b"\x7fELF", "Linux 程序", "a Linux program"),
    (b"#!", "脚本", "a script"),
    (b"\xd0\xcf\x11\xe0", "旧版 Office 文件（可能含宏）", "an Office file of the old kind, which may hold macros"),
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
    (b"GIF8", "GIF 图片", "a GIF picture"),
)
# The part that only a file of this kind has, by its path in the archive.
MAIN_PARTS = {"word/document.xml": WORD, "xl/workbook.xml": EXCEL, "ppt/presentation.xml": SLIDES, "OFD.xml": OFD}


def media_of(name: str, data: bytes) -> str:
    """The media type of an upload with this (clean) name. Unusable: too large, not accepted, or not what it says."""
    if len(data) > MOST_BYTES:
        size, most = f"{len(data) / 1e6:.1f}", f"{MOST_BYTES / 1e6:.0f}"
        raise Unusable(
            f"文件“{name}”有 {size} MB，最多 {most} MB；请压缩或拆分",
            f"the file {name!r} has {size} MB, but at most {most} MB are taken; make it smaller or split it",
        )
    if not data:
        raise Unusable(f"文件“{name}”是空的", f"the file {name!r} is empty")
    kind = kind_of(name, data)
    ending = ending_of(name)
    if ending not in kind.endings:
        raise Unusable(
            f"文件“{name}”的内容是{kind.zh}，与扩展名不符；请改用 {kind.endings[0]}",
            f"the content of {name!r} is {kind.en}, which its name does not say; it should end in {kind.endings[0]}",
        )
    return TEXT_MEDIA.get(ending, kind.media)


def kind_of(name: str, data: bytes) -> FileKind:
    """What this content is. Unusable, saying what it is, unless it is accepted."""
    if data.startswith(b"%PDF-"):
        return PDF_FILE
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"PK\x03\x04"):
        return _archive(name, data)
    for sign, zh, en in REFUSED:
        if data.startswith(sign):
            raise _refusal(name, zh, en)
    return _text(name, data)


def ending_of(name: str) -> str:
    """The ending of a name in small letters, with its dot; empty if it has none."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def clean_name(name: str) -> str:
    """A name without folders and without signs that are not seen. Unusable when nothing is left of it."""
    seen = "".join(sign for sign in unicodedata.normalize("NFC", name) if unicodedata.category(sign) not in UNSEEN)
    last = re.split(r"[/\\]", seen)[-1].strip(" .")
    if not last:
        raise Unusable("文件没有名称", "the file has no name")
    ending = ending_of(last)
    if len(last) > LONGEST_NAME:
        last = last[: LONGEST_NAME - len(ending)].rstrip(" .") + ending if len(ending) <= 10 else last[:LONGEST_NAME]
    return last


def _archive(name: str, data: bytes) -> FileKind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise _refusal(name, "损坏或不完整的压缩格式文件", "a damaged or incomplete archive") from error
    if len(parts) > MOST_PARTS or len(set(parts)) < len(parts):
        raise _refusal(name, "构造异常的压缩格式文件", "an archive of an odd make")
    if any(part.lower().endswith("vbaproject.bin") for part in parts):
        raise _refusal(name, "含宏的 Office 文件", "an Office file with macros")
    kinds = [kind for part, kind in MAIN_PARTS.items() if part in parts]
    if len(kinds) != 1 or (kinds[0] is not OFD and "[Content_Types].xml" not in parts):
        raise _refusal(name, "压缩包（请逐个上传其中的文件）", "an archive (upload the files in it one by one)")
    return kinds[0]


def _text(name: str, data: bytes) -> FileKind:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if ending_of(name) in TEXT.endings:
            raise _refusal(name, "不是 UTF-8 编码的文本", "no text in UTF-8") from error
        raise _refusal(name, "无法识别的文件", "a file of an unknown kind") from error
    if any(ord(sign) < 32 and sign not in "\t\r\n\f" for sign in text):
        raise _refusal(name, "无法识别的文件", "a file of an unknown kind")
    if MARKUP.match(text):
        raise _refusal(name, "网页、SVG 或其他标记文件", "a page of HTML, an SVG or other markup")
    return TEXT


def _refusal(name: str, zh: str, en: str) -> Unusable:
    endings = ", ".join(ending for kind in ACCEPTED for ending in kind.endings)
    return Unusable(
        f"文件“{name}”的内容是{zh}，不予接收。可用的格式：{endings}",
        f"the content of {name!r} is {en}, which is not taken. Taken are {endings}",
    )
