"""Questions about how Liuhen runs BPMN, each with a small model, what happens in it, and one line that answers.

``python -P -m tests.questions`` draws the pictures anew and writes the section of the README; a test compares both.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from bpmn.uncaught import thrown_out
from tests.drawing import Drawn, draw
from tests.playing import NOON, Play, incident
from tests.question import Question
from tests.questions_begun import BEGUN

HOME = Path(__file__).parents[1]
PICTURES = HOME / "bpmn" / "questions"
SECTION = re.compile(r"<!-- questions -->.*<!-- /questions -->", re.DOTALL)


def and_join(model: Drawn) -> None:
    play = Play(model)
    for first, second in (("legal", "finance"), ("finance", "legal")):
        play.do(first)
        assert play.open() == [second]
        play.do(second, gate="gate.split")
    assert play.open() == ["finance", "legal"]


def or_join(model: Drawn) -> None:
    play = Play(model, large=True, secret=True)
    assert play.open() == ["experts", "security"]
    play.do("experts")
    assert play.open() == ["security"]
    play.do("security")
    assert play.open() == ["decide"]
    only_one = Play(model, large=True, secret=False)
    only_one.do("experts")
    assert only_one.open() == ["decide"]


def first_condition(model: Drawn) -> None:
    assert Play(model, amount=5000).open() == ["head"]


def no_condition(model: Drawn) -> None:
    assert "no condition of gateway amount_gate holds" in incident(lambda: Play(model, amount=1))


def interrupted(model: Drawn) -> None:
    play = Play(model)
    play.fire("withdrawn")
    assert play.ended
    assert set(play.closed.values()) == {"cancelled"}


def reminded(model: Drawn) -> None:
    play = Play(model, due=date(2026, 3, 4))
    assert play.awaited("late").due == NOON.replace(hour=0) + timedelta(days=3)
    play.fire("late")
    assert play.open() == ["notice", "review"]
    assert Play(model, due=None).waits() == []


def earliest(model: Drawn) -> None:
    play = Play(model)
    assert play.waits() == ["asked", "expired"]
    play.fire("asked")
    assert play.waits() == []
    assert play.open() == ["reconsider"]


def branches(model: Drawn) -> None:
    play = Play(model)
    play.do("legal", legal_ok=True)
    play.do("finance", finance_ok=True)
    assert play.variables()["legal_ok"] is True
    assert play.variables()["finance_ok"] is True


def subprocess_end(model: Drawn) -> None:
    play = Play(model)
    play.do("one")
    assert play.open() == ["two"]
    play.do("two")
    assert play.open() == ["after"]


def votes(model: Drawn) -> None:
    play = Play(model, experts=["a", "b", "c"])
    assert play.open() == ["opinion"] * 3
    play.do("opinion", vote="for")
    play.do("opinion", vote="for")
    assert play.open() == ["conclusion"]
    assert list(play.closed.values()).count("cancelled") == 1


def uncaught(model: Drawn) -> None:
    assert [(element.id, code) for element, code in thrown_out(model.diagrams["p"])] == [("fault", "E1")]
    play = Play(model)
    play.do("check", gate="gate.above")
    assert play.ended
    play = Play(model)
    assert "is caught by no event" in incident(lambda: play.do("check", gate="gate.fault"))


def moved(model: Drawn) -> None:
    play = Play(draw("start s -> review\nuser review -> e\nend e"))
    play.host.now += timedelta(days=1)
    assert play.move(model).armed == ["late"]
    assert play.awaited("late").due == NOON + timedelta(days=4)
    play.host.now += timedelta(days=1)
    play.move(draw(next(each.lines for each in QUESTIONS if each.id == "moved")))
    assert play.awaited("late").due == NOON + timedelta(days=4)
    assert play.open() == ["review"]


QUESTIONS = (
    Question(
        "and-join",
        "并行汇聚网关何时放行？",
        "When does a joining parallel gateway fire?",
        "When each incoming flow has a token; it takes one of each, so in a second round it waits for both again.",
        """
        start s -> round
        xor round -> split
        and split -> legal finance
        user legal -> join
        user finance -> join
        and join -> gate
        xor gate -> round *e | round=gate == 'gate.split'
        end e
        """,
        and_join,
    ),
    Question(
        "or-join",
        "包容汇聚网关何时放行？",
        "When does a joining inclusive gateway fire?",
        "When no token elsewhere can still reach one of its empty inputs.",
        """
        start s -> split
        or split -> experts security | experts=large; security=secret
        user experts -> join
        user security -> join
        or join -> decide
        user decide -> e
        end e
        """,
        or_join,
    ),
    Question(
        "first-condition",
        "两个条件都成立时走哪一条？",
        "Two conditions of an exclusive gateway hold. Which flow is taken?",
        "The first in the order of the flows in the file, wherever the boxes stand on the canvas.",
        """
        start s -> amount_gate
        xor amount_gate -> head clerk | head=amount > 1000; clerk=amount > 100
        user head -> e
        user clerk -> e
        end e
        """,
        first_condition,
    ),
    Question(
        "no-condition",
        "没有一个条件成立，也没有默认流向？",
        "No condition holds and there is no default flow. What happens?",
        "An incident that names the gateway; what was submitted stands, and an administrator brings the case on.",
        """
        start s -> amount_gate
        xor amount_gate -> head clerk | head=amount > 1000; clerk=amount > 100
        user head -> e
        user clerk -> e
        end e
        """,
        no_condition,
    ),
    Question(
        "interrupted",
        "撤回时，打开的待办怎么办？",
        "A withdrawal interrupts a subprocess. What becomes of the open work items in it?",
        "They are cancelled, each told in the trail; nothing in the subprocess goes on.",
        """
        start s -> examination
        sub examination -> e {
            start es -> both
            and both -> legal finance
            user legal -> ee
            user finance -> ee
            end ee
        }
        message withdrawn on examination -> w
        end w
        end e
        """,
        interrupted,
    ),
    Question(
        "reminded",
        "期限到日终，定时何时触发？",
        "When does the timer of a deadline fire?",
        "At 24:00 of its last day, beside the work item, which stays open; a deadline of None arms no timer.",
        """
        start s -> review
        user review -> e
        timer late beside review -> notice | date=due
        user notice -> e
        end e
        """,
        reminded,
    ),
    Question(
        "earliest",
        "事件网关后面，哪一个事件算数？",
        "Which of the events behind an event gateway counts?",
        "The first that happens; the others are no longer waited for.",
        """
        start s -> wait
        events wait -> asked expired
        message asked -> reconsider
        timer expired -> e | duration=P30D
        user reconsider -> e
        end e
        """,
        earliest,
    ),
    Question(
        "branches",
        "并行的两个答复会互相覆盖吗？",
        "Can the answers of two parallel branches overwrite each other?",
        "No: variables live in the case, not in the tokens, and a join merges nothing.",
        """
        start s -> split
        and split -> legal finance
        user legal -> join
        user finance -> join
        and join -> decide
        user decide -> e
        end e
        """,
        branches,
    ),
    Question(
        "subprocess-end",
        "子流程何时结束？",
        "When does a subprocess end?",
        "When no token is left in it, not when the first one comes to an end event.",
        """
        start s -> box
        sub box -> after {
            start bs -> split
            and split -> one two
            user one -> be
            user two -> be
            end be
        }
        user after -> e
        end e
        """,
        subprocess_end,
    ),
    Question(
        "votes",
        "表决已够，其余的人还要表决吗？",
        "Enough votes are in. What about the others?",
        "The completion condition ends the activity and cancels the work items that are still open.",
        """
        start s -> opinion
        user opinion [each] -> conclusion | collection=experts; item=expert; until=nrOfCompletedInstances >= 2
        user conclusion -> e
        end e
        """,
        votes,
    ),
    Question(
        "uncaught",
        "没有人捕获的错误和升级，会怎样？",
        "What becomes of an error or an escalation that nobody catches?",
        "An escalation has no effect, and is told; an error would stop the case, so the gate refuses it, as here.",
        """
        start s -> review
        sub review -> e {
            start bs -> check
            user check -> gate
            xor gate -> above fault be
            throw above -> be | escalation=U1
            end fault | error=E1
            end be
        }
        end e
        """,
        uncaught,
    ),
    Question(
        "moved",
        "案卷办理中换了流程版本，新画的提醒还来得及吗？",
        "A case moves to this version while its review is open. Does the new reminder come?",
        "Yes: it stands as if it had waited here; the new reminder counts from the change, a timer that ran goes on.",
        """
        start s -> review
        user review -> e
        timer late beside review -> notice
        user notice -> e
        end e
        """,
        moved,
    ),
    *BEGUN,
)


def section() -> str:
    """The section of the README."""
    parts = ["<!-- questions -->", ""]
    for question in QUESTIONS:
        parts += [f"**{question.zh}** {question.en}", "", f"![{question.en}](bpmn/questions/{question.id}.svg)", ""]
        parts += [question.answer, ""]
    return "\n".join([*parts, "<!-- /questions -->"])


if __name__ == "__main__":
    for question in QUESTIONS:
        (PICTURES / f"{question.id}.svg").write_text(question.picture(), encoding="utf-8")
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    (HOME / "README.md").write_text(SECTION.sub(lambda _: section(), readme), encoding="utf-8")
