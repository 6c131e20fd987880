"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field

from forms.words import Text


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing in a stream that is not as it was written."""

    stream: str
    seq: int | None
    text: Text


@dataclass(slots=True)
class Verdict:
    """What a verification found; ``intact`` when there is no flaw. ``notes`` say what could not be looked at."""

    streams: int = 0
    events: int = 0
    documents: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether everything recomputed to what is stored."""
        return not self.flaws

    def flaw(self, stream: str, zh: str, en: str, seq: int | None = None) -> None:
        """Something in this stream is not as it was written."""
        self.flaws.append(Flaw(stream, seq, Text(zh, en)))

    def note(self, number: int, zh: str, en: str) -> None:
        """So many things cannot be compared, because they are older than what is told of them."""
        if number:
            self.notes.append(Text(f"{number} {zh}", f"{number} {en}"))
