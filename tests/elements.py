"""Writes the table of BPMN elements into the README: ``python -P -m tests.elements``, after what runs has changed."""

from __future__ import annotations

from pathlib import Path

from bpmn.elements import table

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- elements -->\n", "<!-- /elements -->"


def written(text: str) -> str:
    """The README with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table('en')}{END}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
