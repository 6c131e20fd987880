"""Looks at a played case and says, in words, the first thing that is not as the worked case expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine import inbox
from engine.desk import Desk
from engine.trail.duties import duties_of, facts_of
from engine.trail.verify import verify
from engine.work import Work
from forms.values import canonical
from forms.words import Text

PASSED = (
    "task.completed", "step.passed", "decision.made", "process.called", "message.received", "timer.fired",
    "end.reached",
)  # fmt: skip


class Difference(Exception):
    """Something came out otherwise than the scenario says."""

    def __init__(self, zh: str, en: str, line: int = 0) -> None:
        super().__init__(f"{zh} / {en}")
        self.text, self.line = Text(zh, en), line


@dataclass(slots=True)
class Audience:
    """Looks at a case and says the first difference."""

    work: Work
    case: str
    line: int

    def compare(self, what: Mapping[str, Any]) -> None:
        """Compare each thing that is expected."""
        for key, value in what.items():
            getattr(self, f"_{key}")(value)

    def _differ(self, what: str, expected: Any, found: Any) -> None:
        raise Difference(
            f"{what}：应为 {expected}，实际为 {found}", f"{what}: expected {expected}, found {found}", self.line
        )

    def _outcome(self, expected: Any) -> None:
        row = inbox.case(self.work, self.case)
        found = row["outcome"] if row["status"] == "closed" else row["status"]
        if found != expected:
            self._differ("outcome", expected, f"{found} (open: {sorted(inbox.open_elements(self.work, self.case))})")

    def _linked(self, expected: Any) -> None:
        rows = inbox.linked(self.work, inbox.case(self.work, self.case))
        found = [str(row["process"]) for row in rows if row["parent"] == self.case]
        if found != list(expected or []):
            self._differ("linked", expected, found)

    def _open(self, expected: Any) -> None:
        found = sorted(inbox.open_elements(self.work, self.case))
        if found != sorted(expected or []):
            self._differ("open", sorted(expected or []), found)

    def _due(self, expected: Any) -> None:
        items = inbox.open_elements(self.work, self.case)
        for element, day in expected.items():
            due = items[element]["due"] if element in items else "not open"
            if str(due) != str(day):
                self._differ(f"due {element}", day, due)

    def _variables(self, expected: Any) -> None:
        desk = Desk.thawed(self.work, inbox.case(self.work, self.case))
        names = desk.instance.scopes.innermost(desk.given)
        for name, value in expected.items():
            found = names.get(name, "unset")
            if canonical(_plain(found)) != canonical(_plain(value)):
                self._differ(name, value, found)

    def _passed(self) -> list[str]:
        return [str(row["element"]) for row in inbox.events(self.work, self.case) if row["kind"] in PASSED]

    def _path(self, expected: Any) -> None:
        passed = iter(self._passed())
        for element in expected:
            if element not in passed:
                self._differ("path", expected, self._passed())

    def _never(self, expected: Any) -> None:
        seen = {
            str(row["element"]) for row in inbox.events(self.work, self.case) if row["kind"] in (*PASSED, "task.opened")
        }
        for element in expected:
            if element in seen:
                self._differ("never", expected, f"{element} was reached")

    def _trail(self, expected: Any) -> None:
        verdict = verify(self.work, self.case)
        found = "intact" if verdict.intact else "broken"
        if found != expected:
            self._differ("trail", expected, f"{found} {[str(flaw.text) for flaw in verdict.flaws]}")

    def _facts(self, expected: Any) -> None:
        found = facts_of(self.work, self.case)
        for fact in expected:
            if fact not in found:
                self._differ("facts", fact, sorted(found))

    def _duties(self, expected: Any) -> None:
        desk = Desk.thawed(self.work, inbox.case(self.work, self.case))
        said = desk.instance.scopes.innermost(desk.given).get("duties")  # a review decides them itself
        found = said if isinstance(said, dict) else duties_of(self.work, self.case)
        for duty, state in expected.items():
            if found.get(duty) != state:
                self._differ(f"duties {duty}", state, found.get(duty))


def _plain(value: Any) -> Any:
    """A value as YAML would write it: a date as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
