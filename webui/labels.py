"""The fixed words of the pages, in both languages, kept in ``labels.yaml``. What happened is for ``words``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from forms.owned_yaml import load
from forms.words import Language, Text

FILE = Path(__file__).parent / "labels.yaml"


@functools.cache
def labels() -> Mapping[str, Text]:
    """Every label by its key."""
    loaded = load(FILE.read_text(encoding="utf-8"), FILE.name)
    assert isinstance(loaded, dict)
    found: dict[str, Text] = {}
    for key, row in loaded.items():
        assert isinstance(row, dict)
        assert row.keys() == {"zh", "en"}, f"the label {key} needs zh and en, and nothing else"
        found[key] = Text(str(row["zh"]), str(row["en"]))
    return found


def label(key: str, language: Language, **values: object) -> str:
    """A label with its blanks filled. KeyError where there is none of this key."""
    text = labels()[key].said(language)
    return text.format(**values) if values else text
