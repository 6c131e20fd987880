"""Sentences in two languages, and what a checked file is told about itself. The lowest floor: everything may use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One thing said in Chinese (first) and in English (second)."""

    zh: str
    en: str

    def said(self, language: Language) -> str:
        """This text in one language; Chinese where the English is empty."""
        return self.en if language == "en" and self.en else self.zh

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}" if self.en else self.zh


LONGEST_SENTENCE = 1_000


def sentence(zh: str, en: str) -> Text:
    """A sentence that quotes from a file, cut where a hostile file would make it endless."""
    return Text(*(said if len(said) <= LONGEST_SENTENCE else said[:LONGEST_SENTENCE] + "…" for said in (zh, en)))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in a file an owner wrote: where, in a stable code, and what to do about it.

    ``line`` counts from 1; 0 means the file as a whole. ``element`` is the id of the BPMN element or the code of the
    form field concerned, where there is one. An ``error`` stops a deployment, a ``warning`` does not.
    """

    code: str
    file: str
    line: int
    element: str | None
    text: Text
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.element + ': ' if self.element else ''}{self.text} [{self.code}]"


class Unfit(Exception):
    """A file that an owner wrote cannot be used; ``findings`` say all that was found, each with its place."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings
