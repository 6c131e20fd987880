"""People who sit before the pages in Chromium: they sign in, take up what waits for them, and fill in forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def pdf(name: str) -> dict[str, Any]:
    """A small document to upload."""
    return {"name": name, "mimeType": "application/pdf", "buffer": PDF + b"% " + name.encode() + b"\n"}


@dataclass(slots=True)
class Sitter:
    """One browser window; whoever sits before it can change."""

    page: Page
    base: str

    def go(self, path: str) -> None:
        """Go to a page by its address."""
        self.page.goto(self.base + path)

    def sign_in(self, name: str) -> None:
        """Be somebody else: sign out if need be, and click on a name."""
        if (
            self.page.url.startswith(self.base)
            and self.page.get_by_role("button", name=re.compile("^(退出|Sign out)$")).count()
        ):
            self.page.get_by_role("button", name=re.compile("^(退出|Sign out)$")).click()
        self.go("/sign-in")
        self.page.get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(self.page.locator(".who strong")).to_have_text(name)

    def take_up(self, title: str, item: str) -> None:
        """Open the work item of this name of the case of this title, from the inbox."""
        self.go("/inbox")
        row = (
            self.page.get_by_role("row")
            .filter(has_text=title)
            .filter(has=self.page.get_by_role("link", name=item, exact=True))
        )
        row.get_by_role("link", name=item, exact=True).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(item)

    def fill(self, answers: Mapping[str, Any]) -> None:
        """Fill in fields by their names, in this order; each is waited for until it is there."""
        for name, answer in answers.items():
            self._fill(name, answer)

    def _fill(self, name: str, answer: Any) -> None:
        boxes = self.page.locator(f'[name="{name}"]')
        first = boxes.first
        first.wait_for()
        kind = first.get_attribute("type") or ""
        if isinstance(answer, dict) or (isinstance(answer, list) and answer and isinstance(answer[0], dict)):
            first.focus()  # as for somebody who clicks on it: the field one is in stays when the form is laid out anew
            first.set_input_files(answer)  # type: ignore[arg-type]
        elif kind in {"radio", "checkbox"}:
            for one in answer if isinstance(answer, list) else [answer]:
                self.page.locator(f'[name="{name}"][value="{one}"]').check()
        elif first.evaluate("element => element.tagName") == "SELECT":
            first.select_option(str(answer))
        else:
            first.fill(str(answer))

    def row(self, table: str, number: int, answers: Mapping[str, Any]) -> None:
        """Fill in a row of a table, adding rows until it is there."""
        legend = f"#f-{table}"
        while self.page.locator(f"{legend} tbody tr").count() <= number:
            before = self.page.locator(f"{legend} tbody tr").count()
            self.page.locator(f"{legend} > button").click()
            expect(self.page.locator(f"{legend} tbody tr")).to_have_count(before + 1)
        self.fill({f"{table}[{number}].{code}": answer for code, answer in answers.items()})

    def send(self, button: str) -> None:
        """Send the form and arrive at the page of the case."""
        self.page.get_by_role("button", name=button, exact=True).and_(self.page.locator("p.actions button")).click()
        try:
            self.page.wait_for_url(re.compile(r"/cases/[0-9a-f]{32}$"))
        except Exception as error:
            raise AssertionError(f"the form was not accepted: {self.problems()}") from error

    def problems(self) -> list[str]:
        """What the page says is wrong."""
        return self.page.locator(".problems li").all_inner_texts()

    @property
    def latest(self) -> Locator:
        """The first line of the page of a case."""
        return self.page.locator(".latest")

    def fits(self) -> bool:
        """Whether the page is no wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
