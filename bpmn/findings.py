"""Collects what is wrong in one file, so that its owner is told everything at once; guesses what was meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Literal

from forms.words import Finding, Unfit, sentence

# Guessing compares texts; a hostile file with thousands of misspellings must not cost minutes.
_MOST_COMPARISONS = 100_000


class Findings:
    """The findings of one file, in the order in which they were made."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Finding] = []
        self._comparisons = 0

    def add(
        self, code: str, line: int, element: str | None, zh: str, en: str,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add one finding at a line and an element of this file."""
        self.found.append(Finding(code, self.file, line, element, sentence(zh, en), severity))

    def stop(self, code: str, line: int, zh: str, en: str) -> Unfit:
        """The refusal to raise when reading cannot go on: what was found before, and this."""
        self.add(code, line, None, zh, en)
        return Unfit(self.found)

    def meant(self, said: str, known: Collection[str]) -> tuple[str, str]:
        """The known word that was probably meant, as half a sentence in Chinese and English; "" if none is near."""
        self._comparisons += len(known)
        near = get_close_matches(said[:80], known, n=1) if self._comparisons <= _MOST_COMPARISONS else []
        return (f"，是否指 {near[0]}", f", did you mean {near[0]}") if near else ("", "")

    def in_order(self) -> list[Finding]:
        """All findings by line, each told once."""
        return sorted(dict.fromkeys(self.found), key=lambda finding: finding.line)
