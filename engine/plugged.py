"""Operations that installed packages add (entry points of the group ``liuhen.operations``), and what an operation is.

A package names its operations with a prefix of its own; none can take the place of a built-in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final

from bpmn.diagram import Element
from bpmn.surroundings import OperationSpec
from engine.errors import WrongUsage
from engine.gate import OPERATIONS as BUILT_IN
from forms.values import Value

if TYPE_CHECKING:
    from engine.desk import Desk

GROUP: Final = "liuhen.operations"
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_TAKEN: Final = frozenset({name.partition(".")[0] for name in BUILT_IN} | {"liuhen", "calendar"})


@dataclass(frozen=True, slots=True)
class Step:
    """Where an operation is done: the service task, the process it is in, and the names that can be read there."""

    element: Element
    process: str
    names: Mapping[str, Value]

    @property
    def id(self) -> str:
        """The id of the service task."""
        return self.element.id


Run = Callable[["Desk", Step, Mapping[str, Value]], Value]


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation needs and gives, and how it is done.

    ``run`` gets the case on the desk, the step and the evaluated parameters, inside the transaction of the step; what
    it cannot do it raises as an ``Incident`` with a sentence in Chinese and in English.
    """

    spec: OperationSpec
    run: Run


@cache
def operations() -> Mapping[str, Operation]:
    """The operations of all installed packages, by name.

    WrongUsage: one of them cannot be loaded, is no ``Operation``, or has a name that is not its own.
    """
    found: dict[str, Operation] = {}
    origins: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        if origins.setdefault(entry.name, entry.value) != entry.value:
            raise WrongUsage(
                f"操作 {entry.name} 由两个软件包提供（{origins[entry.name]}、{entry.value}）：请卸载其一",
                f"two packages bring the operation {entry.name} ({origins[entry.name]}, {entry.value}): remove one",
            )
        found[entry.name] = _loaded(entry, origin)
    return found


def specs() -> dict[str, OperationSpec]:
    """What the operations of installed packages need and give: as much as the gate must know of them."""
    return {name: each.spec for name, each in operations().items()}


def _loaded(entry: EntryPoint, origin: str) -> Operation:
    name = entry.name
    if not _NAME.fullmatch(name) or name.partition(".")[0] in _TAKEN:
        taken = ", ".join(sorted(_TAKEN))
        raise WrongUsage(
            f"软件包 {origin} 的操作不能叫“{name}”：须有自己的前缀，例如 acme.stamp，而 {taken} 已被占用",
            f"the package {origin} cannot call an operation {name!r}: it needs a prefix of its own, as in acme.stamp; "
            f"{taken} are taken",
        )
    try:
        loaded = entry.load()
    except Exception as error:
        raise WrongUsage(
            f"软件包 {origin} 的操作 {name} 无法载入（{type(error).__name__}：{error}）：请修复或卸载",
            f"the operation {name} of the package {origin} cannot be loaded ({type(error).__name__}: {error}): repair "
            "or remove it",
        ) from error
    if not isinstance(loaded, Operation):
        raise WrongUsage(
            f"软件包 {origin} 的 {entry.value} 不是 Operation：操作 {name} 无法使用",
            f"{entry.value} of the package {origin} is no Operation: {name} cannot be used",
        )
    return loaded
