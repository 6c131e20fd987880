"""The questions: whose inbox holds what and in which order, who may see a case, and what is found by words."""

from __future__ import annotations

import pytest

from engine import cases, inbox, items, people
from engine.errors import NotFound
from tests.office import ANSWERS, Office

pytest_plugins = ["tests.furnished"]


def test_the_most_urgent_comes_first_and_says_whether_it_is_overdue_and_mine(office: Office) -> None:
    first = office.start()
    office.later(days=3)
    second = office.start(contract_no="HT-2")
    archive = office.start(contract_no="HT-3")
    office.do(archive, "review", "登记员二")
    office.do(archive, "second", "复核员")
    office.act("登记员", items.claim, office.item(second, "review"))
    office.later(days=5)  # the first is due on 9 March, the second on the 12th; an archive has no day
    rows = office.look(inbox.tasks_for, office.who["登记员"])
    assert [row["case"] for row in rows] == [first, second, archive]
    assert [(row["overdue"], row["mine"]) for row in rows] == [(True, False), (False, True), (False, False)]
    assert rows[0]["number"] == office.row(first)["number"]
    assert rows[0]["title"] == ANSWERS["apply"]["subject"]
    assert rows[0]["name_zh"] == "审查" and rows[0]["name_en"] == "Review"


def test_an_item_is_overdue_from_the_day_after_its_day(office: Office) -> None:
    case = office.start()
    office.later(days=7, hours=14)  # 9 March, 23:00
    [row] = office.look(inbox.tasks_for, office.who["登记员"])
    assert (str(row["due"]), row["overdue"]) == ("2026-03-09", False)
    office.later(hours=1)
    [row] = office.look(inbox.tasks_for, office.who["登记员"])
    assert row["overdue"]
    office.do(case, "review", "登记员")
    assert not inbox.overdue(office.look(lambda work: work), {**row, "closed_at": office.clock.instant})


def test_an_inbox_holds_what_one_may_take_up_and_nothing_else(office: Office) -> None:
    case = office.start()
    for name in ("甲", "乙", "复核员", "管理员", "路人", "专家一"):
        assert office.inbox(name) == []
    assert office.inbox("登记员") == office.inbox("双职") == ["review"]
    office.do(case, "review", "登记员", decision="return", reasons="补正")
    assert office.inbox("甲") == ["apply"]
    assert office.inbox("乙") == office.inbox("登记员") == []
    [row] = office.look(inbox.tasks_for, office.who["甲"])
    assert row["mine"]


def test_a_role_is_matched_whole(office: Office) -> None:
    office.hire("近似", "registra", "registrar2", "%registrar", "r_gistrar")
    office.start()
    assert office.inbox("近似") == []


def test_done_items_are_listed_newest_first(office: Office) -> None:
    case = office.start()
    office.later(minutes=1)
    office.do(case, "review", "双职")
    office.later(minutes=1)
    office.do(case, "second", "登记员")
    office.later(minutes=1)
    office.do(case, "archive", "双职")
    assert [row["element"] for row in office.look(inbox.done_by, office.who["双职"])] == ["archive", "review"]
    assert [row["element"] for row in office.look(inbox.done_by, office.who["甲"])] == ["apply"]
    withdrawn = office.start(contract_no="HT-2")
    office.act("甲", cases.withdraw, withdrawn, {"reason": "x"})
    assert len(office.look(inbox.done_by, office.who["甲"])) == 2  # both applications, and no cancelled item


def test_cases_are_found_by_status_process_applicant_and_words(office: Office) -> None:
    one = office.start(subject="50%_屋顶")
    office.later(minutes=1)
    other = office.start(subject="水泵", contract_no="HT-2", by="乙")
    office.later(minutes=1)
    watch = office.start("watch")
    office.act("甲", cases.withdraw, watch, {"reason": "x"})

    def found(**filters: object) -> list[str]:
        with office.database.look(office.who["管理员"]) as work:
            return [row["id"] for row in inbox.cases(work, **filters)]  # type: ignore[arg-type]

    assert found() == [watch, other, one]
    assert found(status="open") == [other, one]
    assert found(status="closed") == [watch]
    assert found(process="permit", applicant=office.who["乙"]) == [other]
    assert found(words="屋顶") == [one]
    assert found(words="%_") == [one]
    assert found(words="_泵") == []
    assert found(words=office.row(other)["number"]) == [other]
    assert found(limit=1) == [watch] and found(limit=1, after=2) == [one]
    assert office.look(inbox.counts) == {"open": 2, "closed": 1}


def test_a_case_is_found_by_its_id_and_its_number(office: Office) -> None:
    case = office.start()
    assert office.look(inbox.case, office.row(case)["number"])["id"] == case
    for question in (inbox.case, inbox.task):
        with pytest.raises(NotFound, match="nothing"):
            office.look(question, "nothing")


def test_who_takes_part_sees_a_case_and_who_oversees_sees_all(office: Office) -> None:
    case, other = office.start(), office.start(by="乙", contract_no="HT-2")
    large = office.start(amount_fen=200_000, contract_no="HT-3")
    office.do(large, "review", "登记员", hearers=[office.who["专家一"]])

    def seen(name: str) -> set[str]:
        with office.database.look(office.who[name]) as work:
            rows = {row["id"] for row in inbox.visible_cases(work)}
            assert rows == {row["id"] for row in inbox.cases(work) if inbox.may_see(work, row)}
            return rows

    assert seen("合规") == seen("管理员") == {case, other, large}
    assert seen("甲") == {case, large}
    assert seen("乙") == {other}
    assert seen("登记员") == seen("登记员二") == {case, other, large}
    assert seen("专家一") == {large}
    assert seen("专家二") == seen("路人") == seen("市场办") == set()
    office.do(large, "hearing", "专家一")
    assert seen("专家一") == {large}  # who has had a part in it keeps the sight of it


def test_what_a_case_shows_is_in_order(office: Office) -> None:
    case = office.start()
    for number in range(3):
        office.later(minutes=1)
        office.act("登记员", items.comment, case, f"第 {number} 句")
    assert [row["words"] for row in office.look(inbox.comments, case)] == ["第 0 句", "第 1 句", "第 2 句"]
    assert [row["seq"] for row in office.look(inbox.events, case)] == list(range(1, len(office.bodies(case)) + 1))
    assert [row["element"] for row in office.look(inbox.items_of, case)] == ["apply", "review"]
    assert [row["element"] for row in office.look(inbox.submissions, case)] == ["apply"]


def test_notices_reach_the_role_and_nobody_else(office: Office) -> None:
    office.start()
    office.later(days=10)
    office.act("登记员", items.comment, office.look(inbox.cases)[0]["id"], "来晚了")
    assert len(office.look(inbox.notices, office.who["负责人"])) == 1
    assert office.look(inbox.notices, office.who["登记员"]) == []


def test_an_item_of_a_principal_is_in_the_inbox_of_the_substitute(office: Office) -> None:
    case = office.start()
    office.act("登记员", items.claim, office.item(case, "review"))
    assert office.inbox("登记员二") == []
    today = office.clock().date()
    with office.database.work(office.who["管理员"]) as work:
        people.delegate(work, office.who["登记员"], office.who["登记员二"], "registrar", today, today, "休假")
    [row] = office.look(inbox.tasks_for, office.who["登记员二"])
    assert (row["element"], row["mine"]) == ("review", False)
