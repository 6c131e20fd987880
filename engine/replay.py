"""What came of a replay, for whoever shows it: version by version the steps, their alignment, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bpmn.alignment import Move
from bpmn.marking import Step


@dataclass(frozen=True, slots=True)
class Told:
    """A step as the trail tells it: the number of its event, and what the event says.

    One that two people skipped (``skipped``) lets the case go on as if it had been done, and deviates all the same.
    """

    seq: int
    step: Step
    data: Mapping[str, Any]
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Ruled:
    """A choice that the conditions of the diagram, with the values the trail has recorded there, make otherwise.

    ``expected`` are the choices they leave.
    """

    seq: int
    process: str
    element: str
    taken: tuple[str, ...]
    expected: tuple[tuple[str, ...], ...]


Why = Literal["skipped", "added", "missing"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """A step that only the trail has (``added``), only the diagram (``missing``), or that two people ``skipped``.

    ``seq`` is the event it was told by, or the last one before the place where it is missing.
    """

    why: Why
    step: Step
    seq: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of the part of a case that ran on one version; its ``moves`` are those of the whole alignment."""

    version: int
    told: tuple[Told, ...]
    moves: tuple[Move, ...]
    deviations: tuple[Deviation, ...]
    ruled: tuple[Ruled, ...]


@dataclass(frozen=True, slots=True)
class Conformance:
    """What came of a replay, version by version, oldest first.

    With ``cost`` None no answer was found within the bound; ``sound`` steps surely agree.
    """

    case: str
    number: str
    process: str
    cost: int | None
    sound: int
    states: int
    parts: tuple[Ran, ...]

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of all parts."""
        return tuple(part.version for part in self.parts)

    @property
    def told(self) -> tuple[Told, ...]:
        """The steps of all parts."""
        return tuple(each for part in self.parts for each in part.told)

    @property
    def moves(self) -> tuple[Move, ...]:
        """The whole alignment."""
        return tuple(each for part in self.parts for each in part.moves)

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """The deviations of all parts."""
        return tuple(each for part in self.parts for each in part.deviations)

    @property
    def ruled(self) -> tuple[Ruled, ...]:
        """The contradicted choices of all parts."""
        return tuple(each for part in self.parts for each in part.ruled)

    @property
    def conforms(self) -> bool:
        """Whether there is no deviation, neither of steps nor of choices."""
        return self.cost == 0 and not self.ruled
