"""Small forms for tests, a line for each field, and a small world to answer them and to evaluate expressions in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from forms.answer import Checked, World, check
from forms.form import Form, read_form
from forms.values import FileRef, PersonRef, Value

FILE = FileRef("f1", "合同.pdf", "ab" * 32, 12, "application/pdf")
WORLD = World(
    names={"today": date(2026, 3, 2), "limit": 5, "claimed_type": "tech_development", "nothing": None},
    functions={"today": lambda: date(2026, 3, 2)},
    people=lambda identity: identity in {"p1", "p2", "p3"},
)

# What the expressions of the tests read.
NAMES: dict[str, Value] = {
    "amount_fen": 3_000_000_000,
    "rate": Decimal("7.1"),
    "title": "技术开发合同",
    "empty": None,
    "yes": True,
    "no": False,
    "day": date(2026, 3, 2),
    "instant": datetime(2026, 3, 2, 1, tzinfo=UTC),
    "who": PersonRef("p1"),
    "file": FileRef("f1", "合同.pdf", "ab" * 32, 12, "application/pdf"),
    "rows": [{"role": "seller", "bp": 7000}, {"role": "buyer", "bp": 3000}],
    "criteria": {"DEV-1": True, "DEV-2": False},
    "today": date(2026, 3, 3),
}

OPTIONS = "options: [{code: a, zh: 甲}, {code: b, zh: 乙}]"

_FIELD = re.compile(r"\{(code: \w+, kind: \w+)")


def written(*fields: str, rest: str = "") -> str:
    """The YAML of a form with these fields (``code: a, kind: text, …``); columns too need no label."""
    lines = [_FIELD.sub(r"{label: {zh: 某栏, en: Some field}, \1", f"  - {{{field}}}") for field in fields]
    return "\n".join(["id: test", "title: {zh: 测试, en: Test}", "fields:", *lines, rest])


def form(*fields: str, rest: str = "") -> Form:
    """The form itself; ``rest`` are lines of rules and requirements."""
    return read_form(written(*fields, rest=rest), "test.yaml")


def checked(found: Form, world: World = WORLD, /, **answer: Any) -> Checked:
    return check(found, answer, world)


def paths(result: Checked) -> list[str]:
    for problem in result.problems:
        assert problem.text.zh
        assert problem.text.en
        assert problem.path.startswith(problem.code)
    return [problem.path for problem in result.problems]
