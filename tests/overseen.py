"""Cases in an office for the tests of oversight: in each of them something else is to be found."""

from __future__ import annotations

from typing import Any

from engine import cases, evidence, items, oversight, suspending
from engine.oversight import Wanted
from engine.people import delegate, recuse
from engine.worker import run_due
from tests.office import MORNING, Office, package


def play(office: Office) -> dict[str, str]:
    """Cases by what is to be found in them; two of January, the others of March, when the office opens."""
    office.deploy(package("notice"), package("duty"))
    found: dict[str, str] = {}
    office.later(days=-45)
    found["finished"] = office.start(subject="一月办结", contract_no="HT-1", amount_fen=99_000)
    for element, by in (("review", "登记员"), ("second", "复核员"), ("archive", "登记员")):
        office.do(found["finished"], element, by)
    found["overdue"] = office.start(subject="一月未办", contract_no="HT-2", amount_fen=300)
    office.clock.instant = MORNING
    run_due(office.database)
    found["plain"] = office.start(subject="三月无事", contract_no="HT-3")
    found["refused"] = office.start(subject="有人越权", contract_no="HT-4")
    office.refused("路人", cases.complete, office.item(found["refused"], "review"), {"decision": "accept"})
    found["recusal"] = office.start(subject="应当回避", contract_no="HT-5")
    office.act("登记员二", recuse, office.who["登记员二"], "亲属", case=found["recusal"])
    office.refused("登记员二", cases.complete, office.item(found["recusal"], "review"), {"decision": "accept"})
    found["four_eyes"] = office.start(subject="复核自己", contract_no="HT-6", amount_fen=90_000)
    office.do(found["four_eyes"], "review", "双职")
    office.refused("双职", cases.complete, office.item(found["four_eyes"], "second"), {"agree": True})
    found["reassigned"] = office.start(subject="改派", contract_no="HT-7", amount_fen=5_000_000)
    office.act("管理员", items.reassign, office.item(found["reassigned"], "review"), office.who["登记员二"], "出差")
    found["gap"] = office.start("duty", subject="缺定价依据")
    office.do(found["gap"], "decide", "登记员", comparables=None)
    found["late"] = office.start("duty", subject="补录定价依据")
    office.do(found["late"], "decide", "登记员", comparables=None)
    step = next(each for each in office.look(evidence.steps, found["late"]) if each.element == "decide")
    office.act("登记员", evidence.add, found["late"], step.seq, ["F-RC-06"], "当时漏填")
    found["suspended"] = office.start(subject="中止", contract_no="HT-9")
    office.act("合规", suspending.suspend, found["suspended"], "litigation", "等待判决")
    found["substitute"] = office.start(subject="委托", contract_no="HT-8")
    office.act("登记员", items.claim, office.item(found["substitute"], "review"))
    day = office.clock.instant.date()
    office.act("登记员", delegate, office.who["登记员"], office.who["登记员二"], "registrar", day, day, "出差")
    office.do(found["substitute"], "review", "登记员二")
    office.refused("市场办", cases.start, "permit", {})
    return found


def names_of(office: Office, played: dict[str, str], **wanted: Any) -> set[str]:
    """The names of the cases that a search finds, by whoever oversees them."""
    called = {case: name for name, case in played.items()}
    with office.database.look(office.who["合规"]) as work:
        rows, total = oversight.found(work, Wanted(**wanted), limit=100)
        assert oversight.count(work, Wanted(**wanted)) == len(rows) == total
    return {called[row["id"]] for row in rows}
