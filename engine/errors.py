"""The engine's refusals: each is a sentence in two languages, mapped once by every door (web, command line)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forms.words import Text


class Refusal(Exception):
    """An ordinary "no": nothing was changed, and ``text`` says what was expected, what is, and what to do."""

    code = "refused"

    def __init__(self, zh: str, en: str, **about: Any) -> None:
        super().__init__(f"{zh} / {en}")
        self.text = Text(zh, en)
        self.about = about


class NotFound(Refusal):
    """There is no such thing."""

    code = "not_found"


class NotYours(Refusal):
    """This person may not do this; ``reasons`` are codes of ``access.REASONS``, all that apply."""

    code = "not_yours"

    def __init__(self, zh: str, en: str, reasons: Sequence[str], **about: Any) -> None:
        super().__init__(zh, en, **about)
        self.reasons = tuple(reasons)


class AlreadyDone(Refusal):
    """Somebody was quicker; ``by`` and ``at`` say who and when."""

    code = "already_done"

    def __init__(self, zh: str, en: str, reasons: Sequence[str], **about: Any) -> None:
        super().__init__(zh, en, **about)
        self.reasons = tuple(reasons)


class WrongState(Refusal):
    """The case is not at a point where this is possible."""

    code = "state"

    def __init__(self, zh: str, en: str, reasons: Sequence[str] = ("state",), **about: Any) -> None:
        super().__init__(zh, en, **about)
        self.reasons = tuple(reasons)


class Taken(Refusal):
    """A register already holds this key; the sentence names the case that wrote it."""

    code = "taken"


class Invalid(Refusal):
    """The form does not accept the answer; ``problems`` name the fields."""

    code = "invalid"

    def __init__(self, problems: Sequence[Any]) -> None:
        first = problems[0].text
        more = len(problems) - 1
        super().__init__(
            first.zh + (f"（另有 {more} 处）" if more else ""), first.en + (f" (and {more} more)" if more else "")
        )
        self.problems = tuple(problems)


class Unusable(Refusal):
    """What was handed in cannot be read or used at all (a file, a parameter)."""

    code = "unusable"


class WrongUsage(Unusable):
    """A file, an address or a setting that cannot be read at all: no refusal of what it says, for that is not known."""


class Incident(Refusal):
    """An automatic step could not be done: nothing was changed, and the cause names the element."""

    code = "incident"


class Contended(Exception):
    """This act and another one waited for each other, and this one gave way: nothing of it is kept.

    It is no refusal of anything, so that nobody answers it as one before the act was tried again.
    """

    text = Text(
        "另有人正在办理相关的事项，这次没有办成，也没有留下任何改动，请再试一次",
        "somebody else was doing something connected with this at the same time; nothing was changed, try again",
    )
