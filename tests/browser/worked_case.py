"""Plays a worked case on the pages: whom a step names signs in, opens the inbox, fills in the form and sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, expect

from engine import inbox, starting
from engine.desk import Desk
from engine.filling import filled
from engine.scenario_file import Step
from engine.scenario_starts import linked
from engine.scenarios import Stage
from engine.worker import let_arrive
from forms.browser import for_browser
from forms.fields import Field
from forms.form import Form
from forms.values import FileRef
from tests.browser.people import Sitter, pdf

START, SEND = "提交申请", "提交办理结果"
PASSES = 6
"""A field may be shown because of an answer further down: so often is looked again for what was not there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to enter: the name on the page, the field, and its texts, or the files to choose."""

    name: str
    field: Field
    texts: Sequence[str]
    files: Sequence[str] = ()


def entries(form: Form, answer: Mapping[str, Any]) -> list[Entry]:
    """All that has to be entered for an answer: not what the form computes, nor files that the case has already."""
    texts = for_browser(form, answer)
    found = []
    for name, each, value in _named(form.fields, answer):
        if each.kind in {"file", "files"}:
            listed = value if isinstance(value, list) else [value]
            files = [str(one["file"]) for one in listed if not isinstance(one, FileRef)]
            entry = Entry(name, each, (), files)
        else:
            said = texts[name]
            entry = Entry(name, each, [text for text in ([said] if isinstance(said, str) else said) if text])
        if entry.texts or entry.files:
            found.append(entry)
    return found


def _named(fields: Sequence[Field], answer: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Field, Any]]:
    for each in fields:
        value, name = answer.get(each.code), f"{prefix}{each.code}"
        if not each.holds_value or each.compute or value is None:
            continue
        if each.kind == "group":
            yield from _named(each.fields, value, f"{name}.")
        elif each.kind == "table":
            for place, row in enumerate(value):
                yield from _named(each.fields, row, f"{name}[{place}].")
        elif each.kind == "checklist":
            yield from ((f"{name}.{code}", each, one) for code, one in value.items())
        else:
            yield name, each, value


@dataclass(slots=True)
class WorkedCase:
    """A worked case before the pages. Its world (people, registers, clock) is set by ``stage``; ``case`` is its id."""

    sitter: Sitter
    stage: Stage
    case: str = ""

    # The steps of the worked case.

    def start(self) -> None:
        """The applicant finds the process and hands the first form in."""
        course = self.stage.scenario.course
        actor = self.sit_down(str(course.start["by"]))
        with self.stage.database.look(actor) as work:
            desk, item = starting.begin(work, course.process, rehearse=True)
            form = desk.deployed.form(item["process"], item["element"])
            answer, name = filled(desk, item, course.start["with"]), desk.deployed.diagram.process.name
        self.sitter.go("/processes")
        self.sitter.page.get_by_role("link", name=f"开始办理 {name}").click()
        self.enter(form, answer)
        self.sitter.send(START)
        self.case = self.sitter.page.url.rpartition("/")[2]

    def play(self, steps: Sequence[Step]) -> None:
        """These steps one after the other; signals that a step leads to arrive before the next."""
        for step in steps:
            case = linked(self.stage, self.case, str(step.rest["in"])) if "in" in step.rest else self.case
            match step.kind:
                case "do":
                    by = step.rest["by"]
                    for name in by if isinstance(by, list) else [by]:
                        self.do(str(step.what), str(name), step.rest.get("with") or {}, case)
                case "invalid":
                    self.refused(str(step.what), str(step.rest["by"]), step.rest["with"], step.rest["fields"])
                case _:
                    self.stage.act(case, step)
            let_arrive(self.stage.database)

    def do(self, element: str, name: str, given: Mapping[str, Any] | None = None, case: str = "") -> None:
        """Somebody takes a work item up from the inbox, fills it in and sends it."""
        self.take_up(element, name, given or {}, case or self.case)
        self.sitter.send(SEND)

    def refused(self, element: str, name: str, given: Mapping[str, Any], fields: Sequence[str]) -> None:
        """The form is not accepted, and says so beside these fields."""
        self.take_up(element, name, given, self.case)
        self.button(SEND).click()
        for code in fields:
            expect(self.sitter.page.locator(f'#problems a[href="#f-{code}"]').first).to_be_visible()

    def sit_down(self, name: str) -> str:
        """Sign in as somebody, unless that is who sits here already; gives their id."""
        here = self.sitter.page.locator(".who strong")
        if here.count() == 0 or here.inner_text() != name:
            self.sitter.sign_in(name)
        return self.stage.person(name)

    def take_up(self, element: str, name: str, given: Mapping[str, Any], case: str) -> None:
        """Open a work item from the inbox and fill its form in: as given, the rest by its examples."""
        actor = self.sit_down(name)
        task = self.stage.item(case, element, actor)
        assert task is not None and self.stage.is_open(task), f"{element} is not open, but {self.stage.open(case)}"
        with self.stage.database.look(actor) as work:
            item = inbox.task(work, task)
            desk = Desk.thawed(work, inbox.case(work, item["case"]))
            form = desk.deployed.form(item["process"], item["element"])
            answer, title = filled(desk, item, given), desk.deployed.element(item["process"], element).name
        self.sitter.go("/inbox")
        self.sitter.page.locator(f'a.strong[href$="/tasks/{task}"]').click()
        expect(self.sitter.page.get_by_role("heading", level=1)).to_have_text(title)
        self.enter(form, answer)

    def button(self, name: str) -> Locator:
        """A button below the form."""
        return self.sitter.page.locator("p.actions").get_by_role("button", name=name, exact=True)

    # The form.

    def enter(self, form: Form, answer: Mapping[str, Any]) -> None:
        """Fill the form in from top to bottom, as often as it shows more."""
        waiting = entries(form, answer)
        for _ in range(PASSES):
            for entry in waiting:
                self.make_rows(entry.name)
            later = [entry for entry in waiting if not self.give(entry)]
            if not later:
                return
            self.leave()
            self.boxes(later[0]).first.wait_for(state="attached")
            waiting = later
        raise AssertionError(f"the form never asks for {[entry.name for entry in waiting]}")

    def boxes(self, entry: Entry) -> Locator:
        """The inputs of an entry."""
        kind = '[type="file"]' if entry.files else ""
        return self.sitter.page.locator(f'#sheet [name="{entry.name}"]{kind}')

    def leave(self) -> None:
        """Leave the field one is in, so that the form hears of it."""
        self.sitter.page.evaluate("document.activeElement && document.activeElement.blur()")

    def make_rows(self, name: str) -> None:
        """Add rows to a table until there is the one in this name."""
        match = re.match(r"([A-Za-z]\w*)\[([0-9]+)\]\.", name)
        rows = self.sitter.page.locator(f"#f-{match[1]} tbody tr") if match else None
        if match is None or rows is None or self.sitter.page.locator(f"#f-{match[1]}").count() == 0:
            return
        while (before := rows.count()) <= int(match[2]):
            self.sitter.page.locator(f"#f-{match[1]} > button").click()
            expect(rows).to_have_count(before + 1)

    def give(self, entry: Entry) -> bool:
        """Enter one thing, unless it stands there; False if the form does not ask for it now."""
        boxes = self.boxes(entry)
        if boxes.count() == 0:
            return False
        first = boxes.first
        tag, sort = first.evaluate("element => [element.tagName, element.type]")
        if entry.files:
            first.focus()  # as for somebody who clicks on it: the field one is in stays when the form is laid out anew
            first.set_input_files([pdf(name) for name in entry.files])  # type: ignore[arg-type]
        elif sort in {"radio", "checkbox"}:
            for text in entry.texts:
                self.tick(self.sitter.page.locator(f'#sheet [name="{entry.name}"][value="{text}"]'))
        elif tag == "SELECT":
            first.select_option(entry.texts[0])
        elif entry.field.multiple:
            for place, text in enumerate(entry.texts):
                boxes.nth(place).fill(text)
                self.leave()  # then the form makes room for one more
                expect(boxes).to_have_count(max(place + 2, boxes.count()))
        elif first.input_value() != entry.texts[0]:
            first.fill(entry.texts[0])
        return True

    def tick(self, box: Locator) -> None:
        """Tick a box; one that stands under a heading that is folded up is unfolded first."""
        if not box.is_checked():
            folded = self.sitter.page.locator("details:not([open])").filter(has=box)
            if folded.count():
                folded.locator("summary").click()
            box.check()
