"""Shows a form again: while it is filled in (live, or after a row was added) and after it was refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from engine.errors import Refusal
from forms.answer import Problem
from webui.page import new_key, said, show, t
from webui.paper import Paper
from webui.posted import Posted, added_row
from webui.refusals import status_of


def filled_so_far(paper: Paper, posted: Posted, template: str, **names: Any) -> Response:
    """The form as filled in so far. What is wrong with what was entered is said; what is still missing only at the end.

    The page's script asks for the fragment alone, before sending the form (``_final``) for every problem there is.
    """
    checked = paper.check(posted.answer)
    problems = paper.all_problems(posted, checked)
    final = "_final" in request.form
    if not final:
        problems = tuple(problem for problem in problems if was_entered(posted, problem.path))
    if table := added_row(paper.form):
        paper.add_row(posted.raw, table)
    sheet = paper.again(posted, problems)
    if request.headers.get("X-Fragment"):
        return show("_sheet.html", sheet=sheet, final=final)
    return show(template, sheet=sheet, key=new_key(), **names)


def was_entered(posted: Posted, path: str) -> bool:
    """Whether something was entered at a field, or inside it."""
    names = (name for name in posted.raw if name == path or name.startswith((f"{path}.", f"{path}[")))
    return any(text.strip() for name in names for text in posted.raw[name])


def refused_form(
    paper: Paper,
    posted: Posted,
    template: str,
    refusal: Refusal | None,
    problems: Sequence[Problem] | None,
    **names: Any,
) -> Response:
    """The form after it was refused: the sentence on top, every problem at its field, and what was entered kept."""
    sheet = paper.again(posted, problems if refusal is None or problems is not None else ())
    if refusal is not None and problems is None:
        sheet.problems.insert(0, (said(refusal.text), None))
    status = 422 if refusal is None or problems is not None else status_of(refusal)
    lost = posted.uploads
    return show(
        template, status=status, sheet=sheet, final=True, key=new_key(), lost=t("form.attach_again") if lost else "", **names
    )
