"""The questions about how cases begin and who hears a signal, proved in an office: they are about many cases."""

from __future__ import annotations

from typing import Any

from engine import cases, inbox, starting
from engine.library import Package
from engine.worker import run_due
from tests.begun import form
from tests.drawing import Drawn
from tests.office import Office
from tests.question import Question


def deploy(office: Office, model: Drawn, **forms: str) -> None:
    """Deploy the model with a form of one yes or no for each of its tasks."""
    asked = dict(form(key, **{code: "yes_no"}) for key, code in forms.items())
    office.deploy(Package(model.main, {"process.bpmn": model.files[model.main], **asked}))


def all_of(office: Office, model: Drawn) -> list[dict[str, Any]]:
    """The cases of the model, oldest first."""

    def asked(work: Any) -> list[dict[str, Any]]:
        return sorted(inbox.cases(work, process=model.main), key=lambda row: str(row["number"]))

    found: list[dict[str, Any]] = office.look(asked)
    return found


def by_itself(model: Drawn, office: Office) -> None:
    deploy(office, model, review="seen")
    office.act("登记员", starting.by_message, "report", {})
    assert [row["applicant"] for row in all_of(office, model)] == [office.who["登记员"]]
    office.later(days=70)  # nobody looked meanwhile
    assert run_due(office.database) == 3  # two months, and the day on which the condition begins to hold
    begun = all_of(office, model)[1:]
    told = [office.bodies(row["id"])[0]["data"]["start"] for row in begun]
    assert sorted(told) == ["monthly", "monthly", "needed"]
    assert {row["applicant"] for row in begun} == {None}
    assert run_due(office.database) == 0
    first = begun[0]["id"]
    office.act("登记员二", cases.complete, office.item(first, "review"), {"seen": True})
    assert office.row(first)["applicant"] == office.who["登记员二"]


def who_hears(model: Drawn, office: Office) -> None:
    deploy(office, model, decide="ring_it", note="noted")
    waiting, ringing = (office.act("登记员", cases.start, "p", {"ring_it": ring}) for ring in (False, True))
    assert office.row(ringing)["status"] == "closed"
    assert office.row(waiting)["status"] == "open"
    assert run_due(office.database) == 2
    assert office.row(waiting)["status"] == "closed"
    [begun] = [row for row in all_of(office, model) if row["id"] not in (waiting, ringing)]
    assert list(office.items(begun["id"])) == ["note"]
    late = office.act("登记员", cases.start, "p", {"ring_it": False})
    assert run_due(office.database) == 0
    assert office.row(late)["status"] == "open"


BEGUN = (
    Question(
        "by-itself",
        "流程何时自动开始？",
        "When does a process start by itself?",
        "Each time one of its start events comes, once each, on the newest version: a cycle counts from the deployment "
        "and is made up for in order, a condition starts a case when it begins to hold. Nobody is the applicant until "
        "somebody completes the first work item; only a message has a sender, who is.",
        """
        timer monthly on process -> review | cycle=R/P1M
        cond needed on process -> review | when=today >= date('2026-04-20')
        message asked on process -> review | name=report; sender=registrar
        user review -> e | role=registrar
        end e | outcome=done
        """,
        staged=by_itself,
    ),
    Question(
        "who-hears",
        "信号谁能收到？",
        "Who hears a signal?",
        "Everything that waits for it when it is thrown: in its own case at once; in every other case, and at start "
        "events, when the clock comes by, each exactly once and in the order of the throws. What begins to wait later "
        "hears nothing.",
        """
        start s -> decide
        signal begun on process -> note | name=bell
        user decide -> what | role=registrar
        xor what -> ring *heard | ring=ring_it
        throw ring -> rung | signal=bell
        signal heard -> done | name=bell
        user note -> noted | role=registrar
        end rung | outcome=rung
        end done | outcome=heard
        end noted | outcome=noted
        """,
        staged=who_hears,
    ),
)
