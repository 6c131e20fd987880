"""Whatever is done to diagrams, tables, expressions, forms, archives: they are read, or refused in words, and soon."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bpmn.dmn import read_tables
from bpmn.dmn_coverage import gaps_and_overlaps
from bpmn.lint import check_diagram
from bpmn.picture import Marks, draw
from bpmn.reader import read_diagram, read_drawing
from bpmn.surroundings import OperationSpec, Surroundings
from engine.errors import Unusable
from engine.gate import OPERATIONS
from engine.library import Library
from engine.packages import package_of_zip
from engine.runtime.builder import Model
from engine.templates import read_template
from forms.answer import check, fill, initial
from forms.browser import for_browser
from forms.expressions import ExpressionError, compile_expression, compile_script
from forms.form import Form, read_form
from forms.values import to_json
from forms.words import Finding, Unfit
from tests.harness import fuzz, gate
from tests.harness.forms import NAMES, WORLD

CORPUS = Path(__file__).parent / "corpus"
SECONDS = 60

Made = TypeVar("Made")
Error = TypeVar("Error", bound=Exception)
randoms = st.randoms(use_true_random=False)
MANY = settings(max_examples=settings().max_examples * 4)


@contextmanager
def soon() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


def forms() -> dict[str, Form]:
    texts = [(path, text) for path, text in fuzz.form_files() if "/documents/" not in path]
    bases = {Path(path).stem: text for path, text in texts}
    return {Path(path).stem: read_form(text, path, bases) for path, text in texts}


class Everything(dict[str, Form]):
    """The shipped forms, and a form for whatever else is asked for."""

    def __contains__(self, key: object) -> bool:
        return bool(key)

    def __missing__(self, key: str) -> Form:
        return gate.form("some", "some_answer")

    def get(self, key: str, default: Form | None = None) -> Form | None:  # type: ignore[override]
        return self[key] if key else default


AROUND = Surroundings(
    Everything({**gate.WORLD.forms, **forms()}),
    gate.WORLD.roles | Library.standing().vocabulary().roles.keys(),
    {
        **OPERATIONS,
        "register.record": OperationSpec(
            frozenset(), frozenset({"register", "key", "value", "values", "supersede"}), gives=True
        ),
    },
    gate.WORLD.processes,
)


def sentences(findings: list[Finding], lines: int) -> None:
    for finding in findings:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", finding.code)
        assert finding.text.zh.strip() and finding.text.en.strip()
        assert 0 <= finding.line <= lines + 1
        assert len(str(finding)) < 4_000


def tried(act: Callable[[], Made], refusal: type[Error]) -> tuple[Made | None, Error | None]:
    """What it made, or how it was refused; nothing else may happen."""
    try:
        return act(), None
    except refusal as error:
        return None, error


def judged(data: bytes) -> None:
    """Read, judge and draw a diagram; what passes can be built, so that it could be deployed."""
    lines = data.count(b"\n") + data.count(b"\r") + 1
    with soon():
        diagram, unfit = tried(lambda: read_diagram(data, "x.bpmn"), Unfit)
        findings = check_diagram(diagram, AROUND) if diagram else unfit.findings if unfit else []
        assert diagram or findings
        sentences(findings, lines)
        if diagram and not findings:
            Model(diagram.process.id, {diagram.process.id: diagram})
        seen = diagram or tried(lambda: read_drawing(data, "x.bpmn"), Unfit)[0]
        if seen:
            marks: Marks = {finding.element or "": frozenset({"finding"}) for finding in findings}
            assert etree.fromstring(draw(seen, marks, "zh", title="图").encode()) is not None


@given(randoms)
@MANY
def test_a_damaged_diagram_is_refused_or_judged_and_drawn(random: Random) -> None:
    judged(fuzz.damaged_diagram(random))


def tabled(data: bytes) -> None:
    """Read the decision tables of a file and look for gaps and overlaps."""
    lines = data.count(b"\n") + data.count(b"\r") + 1
    with soon():
        tables, unfit = tried(lambda: read_tables(data, "x.dmn"), Unfit)
        sentences(unfit.findings if unfit else [], lines)
        for table in dict.fromkeys(tables.values()) if tables else ():
            sentences(gaps_and_overlaps(table, {"tier_thresholds_fen": [1, 5, 10]}), lines)


@given(randoms)
@MANY
def test_a_damaged_decision_table_is_refused_or_looked_through(random: Random) -> None:
    tabled(fuzz.damaged_table(random))


def evaluated(source: str) -> None:
    with soon():
        for act in (
            lambda: to_json(compile_expression(source).value(NAMES, {})),
            lambda: [each.expression.value(NAMES, {}) for each in compile_script(source)],
        ):
            _, error = tried(act, ExpressionError)
            assert error is None or (error.text.zh and error.text.en)


@given(randoms)
@MANY
def test_a_damaged_expression_has_a_value_or_a_sentence(random: Random) -> None:
    evaluated(fuzz.damaged_expression(random))


def filled(path: str, text: str) -> None:
    with soon():
        if "/documents/" in path:
            _, unfit = tried(lambda: read_template(text, path), Unfit)
            form = None
        else:
            bases = {Path(path).stem: text for path, text in fuzz.form_files()}
            form, unfit = tried(lambda: read_form(text, path, bases), Unfit)
        if unfit:
            assert unfit.findings
            sentences(unfit.findings, text.count("\n") + 2)
        if form:
            for answer in (initial(form, WORLD), fill(form, {}, WORLD)):
                check(form, answer, WORLD)
                for_browser(form, answer)


@given(randoms)
@MANY
def test_a_damaged_form_is_refused_or_can_be_filled(random: Random) -> None:
    filled(*fuzz.damaged_form(random))


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as found:
        found.writestr("p/process.bpmn", fuzz.SHIPPED.read_bytes()[:3_000])
        found.writestr("p/forms/a.yaml", "id: a")
        found.writestr("p/read me.txt", "text", zipfile.ZIP_STORED)
    return packed.getvalue()


def unpacked(data: bytes) -> None:
    with soon():
        package, error = tried(lambda: package_of_zip(data, "x.zip"), Unusable)
    assert error is None or (error.text.zh and error.text.en)
    assert package is None or all(".." not in path and not path.startswith("/") for path in package.files)


@given(randoms)
@MANY
def test_a_damaged_archive_is_unpacked_or_refused(random: Random) -> None:
    unpacked(fuzz.damaged_bytes(archive(), random))


@pytest.mark.parametrize("file", sorted(CORPUS.iterdir()), ids=lambda file: file.name)
def test_what_once_broke_the_gate_does_not_break_it_again(file: Path) -> None:
    match file.suffix:
        case ".bpmn":
            judged(file.read_bytes())
        case ".dmn":
            tabled(file.read_bytes())
        case ".yaml":
            filled(file.name, file.read_text("utf-8"))
        case ".zip":
            unpacked(file.read_bytes())
        case _:
            evaluated(file.read_text("utf-8"))
