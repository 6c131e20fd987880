"""A question about how Liuhen runs BPMN: its answer, the model it is asked of, and the play that proves the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bpmn.picture import draw as picture
from tests.drawing import Drawn, draw
from tests.office import Office


@dataclass(frozen=True)
class Question:
    """A question, its one-line answer, the model it is asked of, and the play that proves the answer.

    ``staged`` proves it in an office, where an answer is about more than one case.
    """

    id: str
    zh: str
    en: str
    answer: str
    lines: str
    proof: Callable[[Drawn], None] | None = None
    staged: Callable[[Drawn, Office], None] | None = None

    @property
    def model(self) -> Drawn:
        """The model."""
        return draw(self.lines)

    def picture(self) -> str:
        """The model as SVG."""
        return picture(next(iter(self.model.diagrams.values())), {}, "en", title=self.en)
