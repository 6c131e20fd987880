"""One evaluation of an expression: the names and functions it sees, and the work it may do. How to act is compiled."""

from __future__ import annotations

from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from forms import operators as ops
from forms.functions import KINDS
from forms.operators import ExpressionError
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from forms.functions import Parameter
    from forms.values import Value

MOST_STEPS: Final = 500_000


class Run:
    """The names and functions an evaluation sees, and the steps it has left (shared with its inner scopes)."""

    __slots__ = ("functions", "names", "purse")

    def __init__(
        self, names: Mapping[str, Value], functions: Mapping[str, Callable[..., Value]], purse: list[int]
    ) -> None:
        self.names = names
        self.functions = functions
        self.purse = purse

    def spend(self, steps: int) -> None:
        """Pay for work; an expression that does too much of it is refused."""
        self.purse[0] -= steps
        if self.purse[0] < 0:
            raise ExpressionError(Text("计算量过大", "the expression needs too many steps"))

    def pay(self, values: Iterable[Value]) -> None:
        """Pay for work that grows with the size of these values."""
        for value in values:
            if isinstance(value, list | dict | str):
                self.spend(ops.weight(value))

    def argument(self, value: Any, parameter: Parameter) -> Any:
        """The value as a function takes it, paid for by its size; refused where it is of another kind."""
        kind = parameter.kind
        if kind == "members":
            if isinstance(value, GeneratorType):
                return value
            if isinstance(value, dict):
                value = list(value.values())
            if isinstance(value, list):
                self.spend(len(value))
                return value
        if kind == "value" or type(value) in KINDS[kind][0]:
            self.pay((value,))
            return value
        raise ops.mismatch(KINDS[kind][1], value)


class Scope(dict[str, Any]):
    """Names laid over outer ones: what is not found here is looked up outside."""

    __slots__ = ("outer",)

    def __init__(self, outer: Mapping[str, Value]) -> None:
        super().__init__()
        self.outer = outer

    def __missing__(self, name: str) -> Any:
        return self.outer[name]
