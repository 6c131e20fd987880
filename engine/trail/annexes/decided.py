"""The annex of decisions: who gave which opinion or vote and why, who differed, and how every meeting counted.

A step is a decision by its tag or by the facts it leaves: the annex knows no process by name. Counts, attendance and
recusals are read by the codes that forms of meetings share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.trail.annexes.account import Account, Answer
from engine.trail.annexes.sheets import Row, Sheet
from forms.fields import Field
from forms.functions import FUNCTIONS
from forms.values import files_in

TAGS = frozenset({"collective_decision", "expert_review", "second_review", "registration_decision"})
FACTS = frozenset({"F-DD-02", "F-DD-03", "F-DD-04", "F-DD-05", "F-RC-10"})
"""Notice, attendance, opinions and votes, minutes of a body; opinions of experts."""
STAFF = "F-DD-06"

VOTES = ("votes_for", "votes_against", "votes_abstain")
PRESENT, REQUIRED, RECUSED, DISSENT, COUNTED = (
    "members_present", "members_required", "members_recused", "dissent_opinions", "counted",
)  # fmt: skip
MINUTES = "minutes"
MEETING = ("meeting_name", "meeting_no", "meeting_on")
OF_MEETINGS = frozenset({*VOTES, PRESENT, REQUIRED, RECUSED, COUNTED, *MEETING})
INTEREST = "coi"
"""The field in which an expert says that they have an interest: then the opinion is not counted."""


def is_decision(answer: Answer) -> bool:
    """Whether an answer is an opinion, a vote or a decision."""
    return answer.form is not None and (answer.tag in TAGS or not FACTS.isdisjoint(answer.facts))


def deciding(answer: Answer) -> Field | None:
    """The field that says what was decided: the first choice, else the first yes or no."""
    for sort in ("choice", "yes_no"):
        found = next((each for each in answer.fields() if each.kind == sort and not each.must), None)
        if found:
            return found
    return None


def choice(account: Account, answer: Answer) -> str:
    """What was decided, in words; nothing where the step decides nothing."""
    field = deciding(answer) if is_decision(answer) else None
    return account.shown(field, answer.values[field.code]) if field else ""


def decisions(account: Account) -> Sheet:
    """Each opinion, vote and decision with its reasons, in order; what differs from the others is called a dissent."""
    against = _dissenting(account)
    rows = (_decision(account, each, against) for each in account.answers if is_decision(each))
    return Sheet.of("decisions", "at step +element who +role decision +dissent opinion minutes +sha256", rows)


def _decision(account: Account, answer: Answer, against: set[str]) -> Row:
    step, role, who, at = account.answered(answer)
    field = deciding(answer)
    filed = [each for each in answer.fields() if each.kind in ("file", "files") and MINUTES in each.code]
    minutes = [file for each in filed for file in files_in(answer.values[each.code])]
    besides = OF_MEETINGS | {each.code for each in filed} | ({field.code} if field else set())
    return (
        at, step, answer.row["element"], who, role, choice(account, answer), _dissent(account, answer, against),
        account.contents(answer, frozenset(besides)), account.joined([each.name for each in minutes]),
        account.joined([each.sha256 for each in minutes]),
    )  # fmt: skip


def _dissent(account: Account, answer: Answer, against: set[str]) -> str:
    """What is to be said of dissent: an opinion apart, votes against a meeting's decision, opinions told in it."""
    said = []
    if answer.row["id"] in against:
        said.append(account.word("dissent"))
    if answer.values.get(INTEREST) is True:
        said.append(account.word("not_counted"))
    votes = [answer.values.get(each) for each in VOTES]
    if any(isinstance(each, int) and each for each in votes[1:]) or answer.values.get(DISSENT):
        said.append(account.word("dissent_of_meeting", against=votes[1] or 0, abstain=votes[2] or 0))
    return account.joined(said)


def _rounds(account: Account) -> list[list[Answer]]:
    """The answers that several people gave to one thing that was put before all of them at once."""
    rounds: dict[tuple[str, str, int], list[Answer]] = {}
    for each in account.answers:
        token = int(each.body["data"].get("token") or 0) if each.body else 0
        if token in account.batches and is_decision(each) and deciding(each):
            batch = (each.row["process"], each.row["element"], account.batches[token])
            rounds.setdefault(batch, []).append(each)
    return [given for given in rounds.values() if len(given) > 1]


def _counted(account: Account, given: list[Answer]) -> Counter[str]:
    """How many said what; who has an interest is not counted."""
    return Counter(choice(account, each) for each in given if each.values.get(INTEREST) is not True)


def _dissenting(account: Account) -> set[str]:
    """The answers that differ from what most members of their panel said; where most is a tie, none."""
    found = set()
    for given in _rounds(account):
        most = _counted(account, given).most_common(2)
        if len(most) == 2 and most[0][1] > most[1][1]:
            counted = [each for each in given if each.values.get(INTEREST) is not True]
            found |= {each.row["id"] for each in counted if choice(account, each) != most[0][0]}
    return found


# How it was counted.


def meetings(account: Account) -> Sheet:
    """Each meeting, with attendance, quorum, recusals and votes; and each panel whose members answered one by one."""
    columns = (
        "at step +element meeting members_required attended +quorum recused votes_for votes_against votes_abstain "
        "votes result"
    )
    return Sheet.of("meetings", columns, [*_met(account), *_panels(account)])


def _met(account: Account) -> Iterator[Row]:
    for answer in account.answers:
        values = answer.values
        if not is_decision(answer) or all(values.get(code) is None for code in (*VOTES, PRESENT)):
            continue
        step, _, _, at = account.answered(answer)
        shown = {field.code: text for field, _, text in account.pairs(answer)}
        required = values.get(REQUIRED)
        meeting = account.joined([shown.get(each, "") for each in MEETING])
        recused, quorum = shown.get(RECUSED, account.word("none")), _quorum(account, required)
        yield (
            at, step, answer.row["element"], meeting, _whole(required), shown.get(PRESENT, ""), quorum, recused,
            *(_whole(values.get(each)) for each in VOTES), "", choice(account, answer),
        )  # fmt: skip


def _panels(account: Account) -> Iterator[Row]:
    """What several people said of one thing, each by themselves: how many said what."""
    for given in _rounds(account):
        aside = [account.answered(each)[2] for each in given if each.values.get(INTEREST) is True]
        step, _, _, at = account.answered(given[-1])
        people = account.joined([account.answered(each)[2] for each in given])
        counted = _counted(account, given).most_common()
        tally = account.joined([f"{what}{account.colon}{count}" for what, count in counted])
        recused = account.joined(aside) or account.word("none")
        yield at, step, given[0].row["element"], "", None, people, "", recused, None, None, None, tally, ""


def _quorum(account: Account, required: object) -> str:
    """How many members must be there, by the parameters of the case."""
    ratio, at_least = account.material.parameters.get("quorum_ratio"), FUNCTIONS["at_least"].run
    if not isinstance(required, int) or not isinstance(ratio, str) or at_least is None:
        return ""
    return account.word("quorum", n=at_least(required, ratio), ratio=ratio)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def staff(account: Account) -> Sheet:
    """How the staff was heard before the decision took effect."""
    rows: list[Row] = []
    for answer in account.answers:
        heard = {each.code for each in answer.fields() if STAFF in each.facts}
        if heard:
            step, role, who, at = account.answered(answer)
            besides = frozenset(each.code for each in answer.fields()) - heard
            rows.append((at, step, answer.row["element"], who, role, account.contents(answer, besides)))
    return Sheet.of("staff", "at step +element who +role opinion", rows)
