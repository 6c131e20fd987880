"""The README's questions about running BPMN: each answer is true, and each picture is that of the model asked about."""

from __future__ import annotations

import pytest

from tests.office import Office
from tests.question import Question
from tests.questions import HOME, PICTURES, QUESTIONS, section

pytest_plugins = ["tests.furnished"]


@pytest.mark.parametrize("question", [each for each in QUESTIONS if each.proof], ids=lambda question: question.id)
def test_the_answer_is_what_happens(question: Question) -> None:
    assert question.proof
    question.proof(question.model)


@pytest.mark.parametrize("question", [each for each in QUESTIONS if each.staged], ids=lambda question: question.id)
def test_the_answer_is_what_happens_in_an_office(question: Question, office: Office) -> None:
    assert question.staged
    question.staged(question.model, office)


def test_every_answer_is_proved() -> None:
    assert all(each.proof or each.staged for each in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_the_picture_shows_the_model(question: Question) -> None:
    drawn = (PICTURES / f"{question.id}.svg").read_text(encoding="utf-8")
    assert drawn == question.picture(), "draw it anew: python -P -m tests.questions"


def test_the_readme_holds_every_question() -> None:
    assert section() in (HOME / "README.md").read_text(encoding="utf-8"), "write it anew: python -P -m tests.questions"


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in PICTURES.glob("*.svg")} == {question.id for question in QUESTIONS}
