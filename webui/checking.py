"""Shows a form again: while it is filled in (live, or after a row was added), and after it was refused."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from engine.errors import Invalid, Refusal
from webui.page import new_key, said, show
from webui.paper import Paper
from webui.posted import Posted, added_row
from webui.refusals import status_of


def filled_so_far(paper: Paper, posted: Posted, template: str, **names: Any) -> Response:
    """The form as filled in so far. What is wrong with what was entered is said; what is still missing only at the end.

    The page's script asks for the fragment alone, and before sending the form (``_final``) for every problem there is.
    """
    problems = paper.all_problems(posted)
    final = "_final" in request.form
    if not final:
        problems = tuple(problem for problem in problems if was_entered(posted, problem.path))
    if table := added_row(paper.form):
        paper.add_row(posted.raw, table)
    sheet = paper.again(posted, problems)
    if request.headers.get("X-Fragment"):
        return show("_sheet.html", sheet=sheet, final=final, again=request.path)
    return show(template, sheet=sheet, key=new_key(), **names)


def was_entered(posted: Posted, path: str) -> bool:
    """Whether something was entered at a field, or inside it."""
    names = [name for name in posted.raw if name == path or name.startswith((f"{path}.", f"{path}["))]
    return any(text.strip() for name in names if not name.endswith(".unit") for text in posted.raw[name])


def refused_form(paper: Paper, posted: Posted, refusal: Refusal | None, template: str, **names: Any) -> Response:
    """The form after it was refused: every problem on top and at its field, and what was entered kept.

    Without a ``refusal``, the form could not even be read.
    """
    if refusal is None:
        sheet, status = paper.again(posted, paper.all_problems(posted)), 422
    elif isinstance(refusal, Invalid):
        sheet, status = paper.again(posted, refusal.problems), status_of(refusal)
    else:
        sheet, status = paper.again(posted, ()), status_of(refusal)
        sheet.problems.append((said(refusal.text), None))
    return show(template, status=status, sheet=sheet, final=True, key=new_key(), lost=posted.uploads, **names)
