"""The file format of worked cases (scenarios): what an owner writes, read into plain values or refused by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.work import BEIJING
from forms.owned_yaml import load
from forms.words import Finding, Text, Unfit

TOP = frozenset({"id", "title", "basis", "process", "now", "people", "given", "start", "steps", "expect", "before"})
STEP_KINDS = (
    "do", "send", "signal", "wait", "expect", "refuse", "invalid", "suspend", "resume", "evidence",
)  # fmt: skip
EXPECTATIONS = frozenset({"linked", "outcome", "path", "never", "open", "due", "variables", "trail", "facts", "duties"})
REASONS = frozenset({"role", "recusal", "four_eyes", "done", "not_open", "state"})


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a worked case: its kind (``do``, ``wait`` …), what it names, and the rest of its keys."""

    kind: str
    what: Any
    rest: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Course:
    """A case to be played: the process, how it starts, its steps."""

    process: str
    start: Mapping[str, Any]
    steps: tuple[Step, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A worked case: the world, the cases before it, the case itself, and what is expected at the end."""

    file: str
    id: str
    title: str
    now: datetime
    people: Mapping[str, tuple[str, ...]]
    registers: Mapping[str, list[Mapping[str, Any]]]
    parameters: Mapping[str, Any]
    before: tuple[Course, ...]
    course: Course
    expect: Mapping[str, Any] = field(default_factory=dict)


def read_scenario(text: str, file: str) -> Scenario:
    """Read a scenario; what it should not say, or should and does not, is refused with its line."""
    whole = load(text, file)
    reading = _Reading(file)
    if not isinstance(whole, dict):
        reading.refuse(1, "文件应是一张“键: 值”的表", "the file should be a mapping")
        raise Unfit(reading.findings)
    reading.keys(whole, TOP, "scenario")
    for key in ("id", "process", "now", "start"):
        if key not in whole:
            reading.refuse(1, f"缺少 {key}", f"{key} is missing")
    course = reading.course(whole, whole)
    before = tuple(reading.course(each, each) for each in _list(whole.get("before")))
    given = whole.get("given") or {}
    reading.keys(given, {"registers", "parameters"}, "given")
    now = reading.instant(whole.get("now"), reading.line(whole, "now"))
    reading.expectation(whole.get("expect") or {}, reading.line(whole, "expect"))
    if reading.findings or now is None:
        raise Unfit(reading.findings)
    people = {str(role): tuple(map(str, _list(names))) for role, names in (whole.get("people") or {}).items()}
    return Scenario(
        file=file,
        id=str(whole["id"]),
        title=str(whole.get("title", "")),
        now=now,
        people=people,
        registers={str(name): _list(rows) for name, rows in (given.get("registers") or {}).items()},
        parameters=given.get("parameters") or {},
        before=before,
        course=course,
        expect=whole.get("expect") or {},
    )


def instant_of(value: Any) -> datetime | None:
    """``2026-03-02 09:00`` (or the day alone: 00:00) as Beijing reads it; None if it is neither."""
    for pattern in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(str(value), pattern).replace(tzinfo=BEIJING)
        except ValueError:
            continue
    return None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


class _Reading:
    """Collects all that is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def refuse(self, line: int, zh: str, en: str) -> None:
        self.findings.append(Finding("scenario", self.file, line, None, Text(zh, en)))

    @staticmethod
    def line(mapping: Any, key: str | None = None) -> int:
        """The line of a mapping or of one of its keys."""
        if key is not None:
            return int(getattr(mapping, "lines", {}).get(key, getattr(mapping, "line", 0)))
        return int(getattr(mapping, "line", 0))

    def keys(self, mapping: Any, allowed: frozenset[str] | set[str], what: str) -> None:
        if not isinstance(mapping, dict):
            self.refuse(self.line(mapping), f"{what} 应是一张“键: 值”的表", f"{what} should be a mapping")
            return
        for key in mapping.keys() - allowed:
            known = ", ".join(sorted(allowed))
            self.refuse(
                self.line(mapping, key), f"{what} 不认识“{key}”，可用：{known}", f"{what} knows {known}, not {key!r}"
            )

    def course(self, whole: Mapping[str, Any], at: Any) -> Course:
        start = whole.get("start") or {}
        self.keys(start, {"by", "with", "invalid", "message", "signal", "clock"}, "start")
        if isinstance(start, dict) and not {"by", "clock"} & start.keys():
            self.refuse(self.line(at, "start"), "start 缺少 by", "start does not say by whom")
        if isinstance(start, dict) and "invalid" in start and (whole.get("steps") or whole.get("expect")):
            zh, en = (
                "不被接受的开始（invalid）后面不能有 steps 或 expect",
                "a refused start has neither steps nor expect",
            )
            self.refuse(self.line(at, "start"), zh, en)
        steps = tuple(self.step(each) for each in _list(whole.get("steps")))
        return Course(str(whole.get("process", "")), start, steps, str(whole.get("as", "")))

    def step(self, each: Any) -> Step:
        line = self.line(each)
        kinds = [kind for kind in STEP_KINDS if isinstance(each, dict) and kind in each]
        if len(kinds) != 1:
            known = ", ".join(STEP_KINDS)
            self.refuse(line, f"每一步应恰好是 {known} 之一", f"a step is exactly one of {known}")
            return Step("expect", {}, {}, line)
        kind = kinds[0]
        allowed = {
            "do": {"do", "by", "with", "in"},
            "send": {"send", "by", "with", "in"},
            "signal": {"signal", "by"},
            "wait": {"wait"},
            "expect": {"expect", "in"},
            "refuse": {"refuse", "by", "because", "with", "in"},
            "invalid": {"invalid", "by", "with", "fields", "in"},
            "suspend": {"suspend", "by", "reason", "in"},
            "resume": {"resume", "by", "in"},
            "evidence": {"evidence", "by", "facts", "reason", "in"},
        }[kind]
        self.keys(each, allowed, kind)
        if kind not in ("wait", "expect") and "by" not in each:
            self.refuse(line, f"{kind} 缺少 by", f"{kind} does not say by whom")
        if kind == "refuse" and each.get("because") not in REASONS:
            known = ", ".join(sorted(REASONS))
            self.refuse(line, f"because 应是 {known} 之一", f"because is one of {known}")
        if kind == "wait":
            self.wait(each["wait"], line)
        if kind == "expect":
            self.expectation(each["expect"], line)
        return Step(kind, each[kind], each, line)

    def wait(self, what: Any, line: int) -> None:
        if isinstance(what, dict):
            self.keys(what, {"working_days", "days", "next_timer"}, "wait")
        elif instant_of(what) is None:
            self.refuse(line, f"wait 应是时刻或天数，实际为“{what}”", f"wait takes an instant or days, not {what!r}")

    def instant(self, value: Any, line: int) -> datetime | None:
        found = instant_of(value)
        if value is not None and found is None:
            self.refuse(
                line, f"“{value}”不是 2026-03-02 09:00 这样的时刻", f"{value!r} is not an instant like 2026-03-02 09:00"
            )
        return found

    def expectation(self, what: Any, line: int) -> None:
        self.keys(what, EXPECTATIONS, "expect")
