"""Collects what is wrong in one file, so that its owner is told everything at once."""

from __future__ import annotations

from typing import Literal

from forms.words import Finding, Text, Unfit


class Findings:
    """The findings of one file, in the order in which they were made."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Finding] = []

    def add(
        self, code: str, line: int, element: str | None, zh: str, en: str,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add one finding at a line and an element of this file."""
        self.found.append(Finding(code, self.file, line, element, Text(zh, en), severity))

    def stop(self, code: str, line: int, zh: str, en: str) -> Unfit:
        """The refusal to raise when reading cannot go on: what was found before, and this."""
        self.add(code, line, None, zh, en)
        return Unfit(self.found)

    def in_order(self) -> list[Finding]:
        """All findings by line, each told once."""
        return sorted(dict.fromkeys(self.found), key=lambda finding: finding.line)
