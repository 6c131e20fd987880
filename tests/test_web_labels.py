"""Every label that a page uses is there in both languages, and none is there that no page uses."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import webui
from engine import dashboard, errors, oversight, policies
from engine.attempts import TooMany
from engine.oversight import Wanted
from engine.trail.anchors import Unanchored
from engine.trail.duties import DUTIES
from engine.trail.record import EVENT_KINDS
from engine.trail.signer import Rewritten
from engine.trail.words import BARE, SAYINGS, _About, blanks_of
from forms.fields import KINDS
from webui import incidents
from webui import oversight as pages_of_oversight
from webui.labels import label, labels

ROOM = Path(webui.__file__).parent
TEXTS = [path.read_text("utf-8") for path in (*ROOM.glob("templates/*.html"), *ROOM.glob("*.py"))]

COMPUTED = {
    *(f"kind.{kind}" for kind in KINDS),
    *(f"weekday.{day}" for day in range(1, 8)),
    *(f"diagram.{mark}" for mark in ("done", "open", "overdue")),
    *(f"due.{unit}" for unit in ("working", "calendar")),
    *(f"findings.{severity}" for severity in ("error", "warning")),
    *(f"nav.{room}" for room in ("inbox", "processes", "cases", "registers", "publicities", "incidents", "oversight")),
    *(f"fields.{key}" for key in ("label", "kind", "required", "shown", "given")),
    *(f"inbox.tab_{key}" for key in ("open", "done", "notices", "substitutes")),
    "answers.skip", "answers.variable",
    *(f"incidents.kind_{kind}" for kind in incidents.KINDS),
    *(f"duties.{ask}{duty}" for ask in ("", "ask_") for duty in DUTIES),
    *(f"export.view.{view}" for view in ("full", "redacted", "own")),
    *(f"export.step.{step}" for step in ("waiting", "seal", "collect", "prove", "enclose", "report", "paper", "sign")),
    *(f"oversight.{key}" for key in ("title", "cases", "attempts", "proposals")),
    *(f"oversight.{key}" for key in (*dashboard.LOOKED_FOR, *oversight.STATES[:-1])),
    *(f"oversight.ask_{field}" for field in Wanted.__slots__),
    *(f"oversight.state_{state}" for state in oversight.STATES),
    *(f"oversight.period_{period}" for period in oversight.PERIODS),
    *(f"oversight.sort_{sort}" for sort in oversight.SORTS),
    *(f"oversight.group_{group}" for group, _ in pages_of_oversight.GROUPS),
    *(f"oversight.attempt_{key}" for key in ("when", "who", "what", "why")),
    *(f"policies.{key}" for key in ("code", "name", "kind", "version")),
    *(f"policies.kind.{kind}" for kind in policies.KINDS),
}
"""Labels whose keys are put together when a page is made."""


def refusals() -> Iterator[str]:
    codes = {str(each.__dict__["code"]) for each in (*errors.Refusal.__subclasses__(), Rewritten, TooMany, Unanchored)}
    for code in (codes | {"too_large", "not_found", "method", "http", "unusable", "broken"}) - {"refused"}:
        yield from (f"error.{code}", f"error.{code}_do")


def used() -> set[str]:
    found = {
        key
        for text in TEXTS
        for key in re.findall(r"""\b(?:t|label)\(\s*['"]([a-z_]+(?:\.[a-z_0-9]+)?)['"][,)]""", text)
    }
    return found | COMPUTED | set(refusals())


def test_every_label_that_is_used_is_there() -> None:
    assert sorted(used() - labels().keys()) == []


def test_every_label_that_is_there_is_used() -> None:
    assert sorted(labels().keys() - used()) == []


def test_every_label_is_said_in_both_languages_with_the_same_blanks() -> None:
    def blanks(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, text in labels().items():
        assert text.zh.strip() and text.en.strip(), key
        assert blanks(text.zh) == blanks(text.en), key
        assert re.search(r"[\u4e00-\u9fff]", text.en) is None, key


def test_a_label_that_is_missing_is_an_error() -> None:
    assert label("inbox.late", "en", n=2) == "2 overdue"
    with pytest.raises(KeyError):
        label("no.such", "zh")


def test_every_kind_of_event_of_a_case_has_a_saying_whose_blanks_can_be_filled() -> None:
    of_a_case = {
        kind for kind in EVENT_KINDS if kind.split(".")[0] in {"case", "task", "message", "document", "comment"}
    }
    assert of_a_case - SAYINGS.keys() == set()
    assert SAYINGS.keys() - EVENT_KINDS.keys() == set()
    for kind, saying in SAYINGS.items():
        assert blanks_of(saying) <= {*dir(_About), *BARE}, kind
