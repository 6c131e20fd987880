"""Files that cannot be read, as tests ask for them: the findings, each a sentence in both languages."""

from __future__ import annotations

import pytest

from bpmn.reader import read_diagram
from forms.words import Finding, Unfit


def refused(data: bytes) -> list[Finding]:
    """The findings for which a file is refused; each is a sentence in both languages."""
    with pytest.raises(Unfit) as refusal:
        read_diagram(data, "x.bpmn")
    for finding in refusal.value.findings:
        assert finding.file == "x.bpmn"
        assert finding.severity == "error"
        assert "：" in finding.text.zh or "不" in finding.text.zh
        assert ":" in finding.text.en
    return refusal.value.findings


def only(data: bytes) -> tuple[str, int]:
    """The code and line of the one finding for which a file is refused."""
    (finding,) = refused(data)
    return finding.code, finding.line
