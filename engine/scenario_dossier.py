"""The steps of a worked case that no diagram draws: a suspension, its end, and late evidence."""

from __future__ import annotations

from engine import evidence, suspending
from engine.errors import NotFound
from engine.scenario_file import Step
from engine.work import Work


def beside(work: Work, case: str, step: Step) -> None:
    """Do one of them: ``suspend: CAUSE``, ``resume: WORDS``, ``evidence: ELEMENT`` with its ``facts``."""
    reason = str(step.rest.get("reason", step.what))
    if step.kind == "suspend":
        suspending.suspend(work, case, str(step.what), reason)
    elif step.kind == "resume":
        suspending.resume(work, case, reason)
    else:
        past = [each for each in evidence.steps(work, case) if each.element == step.what]
        if not past:
            raise NotFound(f"没有办过“{step.what}”", f"{step.what!r} was not passed")
        evidence.add(work, case, past[-1].seq, [str(each) for each in step.rest.get("facts") or ()], reason)
