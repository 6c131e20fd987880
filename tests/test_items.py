"""The verbs that leave a case where it is: claim, release, reassign, draft, comment, attach. Each with its event."""

from __future__ import annotations

from typing import Any

import pytest

from engine import cases, inbox, items
from engine.documents import read
from engine.errors import AlreadyDone, NotFound, NotYours, Refusal, Unusable
from forms.values import FileRef
from tests.office import ANSWERS, Office, attempt_told

pytest_plugins = ["tests.furnished"]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def case(office: Office) -> str:
    """A case that waits for its review."""
    return office.start()


@pytest.fixture
def task(office: Office, case: str) -> str:
    """Its review."""
    return office.item(case, "review")


def unchanged_but_for_the_attempt(office: Office, before: dict[str, Any]) -> bool:
    """Whether a refusal left nothing but its own event."""
    counts = before["counts"]
    return bool(office.state()["counts"] == counts | {"event": counts["event"] + 1})


# Claiming and releasing.


def test_a_claimed_item_is_in_one_inbox_only(office: Office, case: str, task: str) -> None:
    assert office.inbox("登记员") == office.inbox("登记员二") == ["review"]
    office.act("登记员", items.claim, task)
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员"]
    assert (office.inbox("登记员"), office.inbox("登记员二")) == (["review"], [])
    told = office.last(case)
    assert (told["type"], told["actor"]["id"]) == ("task.claimed", office.who["登记员"])
    assert told["process"]["element"] == "review"
    assert office.sound()


def test_what_another_has_claimed_is_neither_claimed_nor_completed(office: Office, case: str, task: str) -> None:
    office.act("登记员", items.claim, task)
    before = office.state()
    refusal = office.refused("登记员二", items.claim, task)
    assert isinstance(refusal, NotYours)
    assert attempt_told(office, case) == (office.who["登记员二"], "claim", ["role"])
    assert unchanged_but_for_the_attempt(office, before)
    assert isinstance(office.refused("登记员二", cases.complete, task, ANSWERS["review"]), NotYours)
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员"]
    office.do(case, "review", "登记员")


def test_claiming_what_one_holds_already_changes_nothing(office: Office, task: str) -> None:
    office.act("登记员", items.claim, task)
    before = office.state()
    office.act("登记员", items.claim, task)
    assert office.state() == before


def test_a_released_item_goes_back_to_all_with_its_draft(office: Office, case: str, task: str) -> None:
    office.act("登记员", items.claim, task)
    office.act("登记员", items.save_draft, task, {"decision": "return"})
    office.act("登记员", items.release, task)
    assert office.last(case)["type"] == "task.released"
    assert office.inbox("登记员二") == ["review"]
    assert items.draft_of(office.look(inbox.task, task)) == {"decision": "return"}
    refusal = office.refused("登记员", items.release, task)
    assert isinstance(refusal, NotYours)
    assert office.sound()


def test_only_the_holder_releases(office: Office, case: str, task: str) -> None:
    office.act("登记员", items.claim, task)
    for name in ("登记员二", "管理员", "路人"):
        assert isinstance(office.refused(name, items.release, task), NotYours)
        assert attempt_told(office, case) == (office.who[name], "release", ["role"])
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员"]


# Reassigning.


@pytest.mark.parametrize("by", ["登记员", "管理员"])
def test_the_holder_or_an_administrator_reassigns_and_says_why(office: Office, case: str, task: str, by: str) -> None:
    office.act("登记员", items.claim, task)
    office.act(by, items.reassign, task, office.who["登记员二"], "出差")
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员二"]
    assert (office.inbox("登记员"), office.inbox("登记员二")) == ([], ["review"])
    told = office.last(case)
    assert (told["type"], told["actor"]["id"]) == ("task.reassigned", office.who[by])
    assert told["data"]["to"] == office.who["登记员二"]
    assert "出差" not in str(told)
    [remark] = office.look(inbox.comments, case)
    assert (remark["words"], remark["id"]) == ("出差", told["data"]["submission"])
    office.do(case, "review", "登记员二")
    assert office.sound()


def test_whoever_neither_holds_nor_administrates_reassigns_nothing(office: Office, case: str, task: str) -> None:
    before = office.state()
    refusal = office.refused("登记员", items.reassign, task, office.who["登记员二"], "出差")
    assert isinstance(refusal, NotYours)
    assert attempt_told(office, case) == (office.who["登记员"], "reassign", ["role"])
    assert unchanged_but_for_the_attempt(office, before)


def test_an_item_is_not_reassigned_to_somebody_who_may_not_do_it(office: Office, case: str, task: str) -> None:
    office.act("登记员", items.claim, task)
    for name in ("复核员", "甲", "管理员"):
        refusal = office.refused("登记员", items.reassign, task, office.who[name], "出差")
        assert isinstance(refusal, NotYours)
        assert name in refusal.text.zh
    who, verb, reasons = attempt_told(office, case)
    assert (who, verb, reasons) == (office.who["登记员"], "reassign", ["role"])
    assert office.look(inbox.task, task)["claimed_by"] == office.who["登记员"]


def test_reassigning_needs_a_reason(office: Office, task: str) -> None:
    office.act("登记员", items.claim, task)
    before = office.state()
    assert isinstance(office.refused("登记员", items.reassign, task, office.who["登记员二"], " "), Unusable)
    assert office.state() == before


# Drafts.


def test_a_draft_is_kept_unchecked_and_gone_when_the_item_is_done(office: Office, case: str, task: str) -> None:
    before = office.state()["counts"]
    office.act("登记员", items.save_draft, task, {"decision": "return", "reasons": ""})
    assert items.draft_of(office.look(inbox.task, task)) == {"decision": "return", "reasons": ""}
    assert office.state()["counts"] == before  # a draft is no event: nobody has said anything yet
    assert office.kinds(case)[-1] != "task.completed"
    office.do(case, "review", "登记员")
    assert items.draft_of(office.look(inbox.task, task)) is None
    assert office.sound()


def test_a_stranger_keeps_no_draft(office: Office, case: str, task: str) -> None:
    refusal = office.refused("路人", items.save_draft, task, {"decision": "return"})
    assert isinstance(refusal, NotYours)
    assert attempt_told(office, case) == (office.who["路人"], "save_draft", ["role"])
    assert office.look(inbox.task, task)["draft"] is None


def test_a_draft_value_of_a_field_that_became_hidden_is_dropped(office: Office, case: str) -> None:
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    again = office.item(case, "apply")
    draft = {"secret_level": "none", "paper_no": "密-7", "subject": "新题", "unknown": 1}
    office.act("甲", items.save_draft, again, draft)
    kept = items.draft_of(office.look(inbox.task, again))
    assert kept == {"secret_level": "none", "subject": "新题"}
    office.act("甲", cases.complete, again, {**ANSWERS["apply"], **kept})
    assert "密-7" not in str([row["answer"] for row in office.look(inbox.submissions, case)])


def test_a_file_in_a_draft_is_kept_with_the_case_and_may_be_answered_with(office: Office, case: str) -> None:
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    again = office.item(case, "apply")
    office.act("甲", items.save_draft, again, {"secret_level": "none", "plan": {"file": "方案.pdf", "data": PDF}})
    kept = items.draft_of(office.look(inbox.task, again))
    assert kept is not None
    plan = kept["plan"]
    assert isinstance(plan, FileRef)
    assert office.last(case)["type"] == "document.attached"
    office.act("甲", cases.complete, again, {**ANSWERS["apply"], "plan": plan})
    assert [row["id"] for row in office.look(inbox.documents, case)] == [plan.id]
    assert office.sound()


def test_a_document_of_another_case_is_refused_as_a_reference(office: Office, case: str) -> None:
    other = office.start(plan={"file": "别案.pdf", "data": PDF})
    [document] = office.look(inbox.documents, other)
    stolen = FileRef(document["id"], document["name"], document["sha256"], document["size"], document["media"])
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    again = office.item(case, "apply")
    before = office.state()
    for reference in (stolen, FileRef("0" * 32, "x.pdf", "0" * 64, 1, "application/pdf")):
        refusal = office.refused("甲", cases.complete, again, {**ANSWERS["apply"], "plan": reference})
        assert isinstance(refusal, NotFound)
        assert reference.name in refusal.text.zh
    assert isinstance(office.refused("甲", items.save_draft, again, {"secret_level": "none", "plan": stolen}), NotFound)
    assert office.state() == before


# Remarks and documents.


def test_a_remark_is_kept_and_the_trail_holds_only_a_commitment_to_it(office: Office, case: str) -> None:
    office.act("登记员", items.comment, case, "  请补充图纸  ")
    [remark] = office.look(inbox.comments, case)
    assert (remark["words"], remark["person"]) == ("请补充图纸", office.who["登记员"])
    told = office.last(case)
    assert (told["type"], told["data"]["submission"]) == ("comment.added", remark["id"])
    assert "图纸" not in str(office.bodies(case))
    assert office.sound()


@pytest.mark.parametrize("name", ["路人", "乙", "复核员"])
def test_who_has_no_part_in_a_case_neither_remarks_nor_attaches(office: Office, case: str, name: str) -> None:
    before = office.state()
    assert isinstance(office.refused(name, items.comment, case, "我也说一句"), NotYours)
    assert attempt_told(office, case) == (office.who[name], "comment", ["role"])
    assert unchanged_but_for_the_attempt(office, before)
    assert isinstance(office.refused(name, items.attach, case, "a.pdf", PDF), NotYours)
    assert attempt_told(office, case) == (office.who[name], "attach", ["role"])


def test_an_empty_remark_and_one_on_no_case_are_refused(office: Office, case: str) -> None:
    before = office.state()
    assert isinstance(office.refused("登记员", items.comment, case, " \n"), Unusable)
    assert isinstance(office.refused("登记员", items.comment, "nothing", "x"), NotFound)
    assert office.state() == before


def test_a_document_is_attached_with_its_hash_in_the_trail(office: Office, case: str) -> None:
    kept = office.act("登记员", items.attach, case, "../图纸.pdf", PDF)
    told = office.last(case)
    row, content = office.look(read, kept)
    assert (told["type"], told["data"]) == ("document.attached", {"document": kept, "sha256": row.sha256})
    assert (row.name, row.uploaded_by, content) == ("图纸.pdf", office.who["登记员"], PDF)
    assert office.sound()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.pdf", b"MZ\x90\x00"), ("a.png", PDF), ("a.pdf", b""), ("", PDF), ("a.svg", b"<svg onload='x'/>")],
    ids=["a program", "another ending", "empty", "no name", "markup"],
)
def test_an_upload_that_is_not_what_it_says_changes_nothing(office: Office, case: str, name: str, data: bytes) -> None:
    before = office.state()
    refusal = office.refused("登记员", items.attach, case, name, data)
    assert isinstance(refusal, Unusable)
    assert office.state() == before
    upload = {"file": name, "data": data}
    refusal = office.refused("甲", cases.start, "permit", {**ANSWERS["apply"], "plan": upload})
    assert isinstance(refusal, Refusal)
    assert office.state() == before


# A second time.


def test_an_item_that_is_done_takes_no_further_act(office: Office, case: str, task: str) -> None:
    office.do(case, "review", "登记员")
    before = office.state()
    events = before["counts"]["event"]
    for number, (verb, arguments) in enumerate(
        [
            (items.claim, ()),
            (items.release, ()),
            (items.reassign, (office.who["登记员"], "出差")),
            (items.save_draft, ({"decision": "accept"},)),
        ],
        1,
    ):
        refusal = office.refused("登记员二", verb, task, *arguments)
        assert isinstance(refusal, AlreadyDone)
        assert "登记员" in refusal.text.zh
        assert attempt_told(office, case)[2] == ["done", "not_open"]
        assert office.state()["counts"] == before["counts"] | {"event": events + number}
    assert office.sound()


def test_remarks_and_documents_may_still_be_added_to_a_closed_case(office: Office, case: str) -> None:
    office.act("甲", cases.withdraw, case, {"reason": "不办了"})
    office.act("甲", items.comment, case, "原因见附件")
    office.act("甲", items.attach, case, "说明.pdf", PDF)
    assert office.kinds(case)[-2:] == ["comment.added", "document.attached"]
    assert office.row(case)["status"] == "closed"
    assert office.sound()
