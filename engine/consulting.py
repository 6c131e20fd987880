"""The functions of the expression language that look beyond their case: into parameter sets and other cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from engine import adoption, compiling, parameter_sets
from engine.library import Library
from engine.parameters import ORIGINS
from forms.operators import ExpressionError
from forms.values import Value
from forms.words import Text

if TYPE_CHECKING:
    from engine.desk import Desk


def functions(desk: Desk) -> dict[str, Callable[..., Value]]:
    """These functions, bound to a case; what they say is what this act sees."""
    return {
        "unfit_parameter": unfit_parameter,
        "unfit_parameters": lambda rows: unfit_parameters(desk, rows),
        "case_of": lambda case: compiling.case_of(desk.work, case),
        "parameter_label": lambda key: parameter_label(desk, key),
    }


def unfit_parameter(key: Value, value: Value) -> Value:
    """Why a parameter may not have this value, in a sentence; None where it may."""
    wrong = adoption.unfit_one(key, value)
    return None if wrong is None else str(wrong)


def unfit_parameters(desk: Desk, rows: Iterable[Value]) -> Value:
    """Why these rows ``{key, value}`` cannot be adopted together, each in a sentence; [] where they can."""
    return [str(each) for each in adoption.unfit(desk.work, list(rows))]


def parameter_label(desk: Desk, key: str) -> Value:
    """What the value rests on that this case has for a parameter: 法律法规, 政策文件, 示例默认值 … or 本单位规定."""
    parameter = Library.standing().vocabulary().parameters.get(key)
    if parameter is None:
        raise ExpressionError(Text(f"没有参数“{key}”", f"there is no parameter {key!r}"))
    sets = {each.id: each for each in parameter_sets.all_sets(desk.work)}
    kept = sets.get(desk.row["parameters"])
    return (adoption.label(parameter, kept) if kept else ORIGINS[parameter.origin]).zh
