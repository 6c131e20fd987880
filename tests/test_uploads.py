"""An upload is what its content says: known kinds are taken, everything else is refused by name; names are cleaned."""

from __future__ import annotations

import io
import zipfile

import pytest

from engine.errors import Unusable
from engine.uploads import MOST_BYTES, clean_name, media_of

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def archive(*parts: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for part in parts:
            target.writestr(part, "x")
    return made.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")
PPTX = archive("[Content_Types].xml", "ppt/presentation.xml")


@pytest.mark.parametrize(
    ("name", "data", "media"),
    [
        ("合同.pdf", PDF, "application/pdf"),
        ("合同.PDF", PDF, "application/pdf"),
        ("章.png", PNG, "image/png"),
        ("章.jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 20, "image/jpeg"),
        ("合同.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("表.xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("讲.pptx", PPTX, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ("票.ofd", archive("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
        ("注.txt", "技术合同\r\n".encode(), "text/plain"),
        ("注.csv", b"\xef\xbb\xbfa,b\r\n1,2", "text/csv"),
        ("注.md", "# 题目\n<b>".encode(), "text/markdown"),
    ],
)
def test_what_is_accepted(name: str, data: bytes, media: str) -> None:
    assert media_of(name, data) == media


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("合同.pdf", PNG, "PNG"),
        ("合同.png", PDF, "PDF"),
        ("合同.pdf", b"just words", "text"),
        ("合同.docx", XLSX, "Excel"),
        ("合同.docx", PDF, "PDF"),
        ("合同", PDF, ".pdf"),
        (".pdf", PDF, ".pdf"),
        ("合同.exe", PDF, "PDF"),
        ("合同.pdf", b"MZ\x90\0", "Windows program"),
        ("合同.txt", b"MZ\x90\0", "Windows program"),
        ("合同.txt", b"#!/bin/sh\nrm -rf /", "script"),
        ("run", b"\x7fELF\x02", "Linux program"),
        ("合同.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old kind"),
        ("合同.html", b"<!doctype html><script>alert(1)</script>", "HTML"),
        ("合同.txt", b"  \n<html><script>alert(1)</script>", "HTML"),
        ("图.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "SVG"),
        ("图.md", b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG"),
        ("图.gif", b"GIF89a", "GIF"),
        ("包.zip", archive("合同.pdf"), "archive"),
        ("合同.docx", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        ("合同.docx", archive("word/document.xml"), "archive"),
        ("合同.docx", archive("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"), "archive"),
        ("合同.docx", DOCX[:-30], "damaged"),
        ("合同.docx", b"PK\x03\x04" + b"\0" * 50, "damaged"),
        ("合同.txt", "技术合同".encode("gbk"), "UTF-8"),
        ("合同.txt", b"a\0b", "unknown kind"),
        ("合同.bin", b"\x93\x94\x95", "unknown kind"),
        ("合同.pdf", b"", "empty"),
        ("合同.pdf", PDF + b"\0" * MOST_BYTES, "20 MB"),
    ],
)
def test_what_is_refused_and_why(name: str, data: bytes, said: str) -> None:
    with pytest.raises(Unusable) as refusal:
        media_of(name, data)
    assert said in refusal.value.text.en
    assert name in refusal.value.text.zh


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("合同.pdf", "合同.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\fakepath\\合同.pdf", "合同.pdf"),
        ("a\0b\r\n.pdf", "ab.pdf"),
        ("合同\u202efdp.exe", "合同fdp.exe"),
        (" 合同.pdf. ", "合同.pdf"),
        ("\U000323af𠮷.pdf", "\U000323af𠮷.pdf"),  # rare characters of names, newer than this Python's tables
        ("é.pdf", "é.pdf"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
        ("a." + "长" * 300, "a." + "长" * 118),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@pytest.mark.parametrize("name", ["", "  ", "../", "..", "\0", "a/"])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(Unusable):
        clean_name(name)
