"""The annexes of an exported case: each shows what happened, on page and in tables, and no more than its view."""

from __future__ import annotations

import csv
import io
import json
from html import escape
from typing import Any

import pytest

from engine import evidence, inbox, items, migration, people
from engine.library import Library
from engine.paper import pdf_is_possible
from engine.scenario_file import read_scenario
from engine.scenarios import SetClock, Stage
from engine.trail.bundle import export
from engine.trail.material import View
from engine.trail.offline import verify
from engine.work import SYSTEM, Database
from tests.bundles import Files, unzipped
from tests.office import Office, package

pytest_plugins = ["tests.furnished"]

CONVERSION, REGISTRATION = "tiered_conversion_approval", "tech_contract_registration"


@pytest.fixture
def played(database_url: str) -> Any:
    """Plays a worked case to its end, and gives the database and the case's id."""
    opened: list[Database] = []

    def made(process: str, name: str) -> tuple[Database, str]:
        text = Library.standing().package(process).scenarios()[f"scenarios/{name}.yaml"].decode()
        scenario = read_scenario(text, name)
        stage = Stage(scenario, SetClock(scenario.now))
        stage.database = Database(database_url, stage.clock)
        opened.append(stage.database)
        stage.set()
        for course in scenario.before:
            stage.earlier[course.name] = stage.play(course) or ""
        case = stage.play(scenario.course)
        assert case is not None
        return stage.database, case

    yield made
    for database in opened:
        database.close()


def files_of(database: Database, case: str, **more: Any) -> Files:
    """The files of an export of this case."""
    return unzipped(export(database, case, SYSTEM, patience=0, **more).data)


def table(files: Files, name: str) -> list[dict[str, Any]]:
    """A table as a machine reads it, line by line."""
    found = json.loads(files["tables/tables.json"])["tables"][name]
    return [dict(zip((each["name"] for each in found["columns"]), row, strict=True)) for row in found["rows"]]


def lines(files: Files, name: str) -> list[list[str]]:
    """A table as a spreadsheet reads it, its heads first."""
    return list(csv.reader(io.StringIO(files[f"tables/{name}.csv"].decode("utf-8-sig"))))


def page(files: Files, language: str = "zh") -> str:
    """The report in one language."""
    return files[f"report/report.{language}.html"].decode()


def at(rows: list[dict[str, Any]], element: str) -> list[dict[str, Any]]:
    """The rows about one step."""
    return [row for row in rows if row["element"] == element]


# What each annex shows.


def test_a_meeting_is_told_with_attendance_quorum_votes_dissent_and_minutes(played: Any) -> None:
    database, case = played(CONVERSION, "p2-04")
    files = files_of(database, case)
    leaders, *_, party = (row for row in at(table(files, "decisions"), "tier_approve") if row["minutes"])
    assert (leaders["decision"], leaders["role"]) == ("同意", "校长（院长）办公会")
    assert leaders["dissent"] == "不同意见：反对 1 票，弃权 0 票" and "材料齐全" in leaders["opinion"]
    assert len(leaders["sha256"]) == 64 and f"attachments/{leaders['sha256']}" in files
    assert party["role"] == "党委常委会"
    meeting = table(files, "meetings")[0]
    assert [meeting[f"votes_{each}"] for each in ("for", "against", "abstain")] == [6, 1, 0]
    assert meeting["members_required"] == 9
    assert meeting["quorum"] == "6 人（应到的 2/3）" and "委员七" in meeting["attended"] and meeting["recused"] == "无"
    assert "不同意见：反对 1 票" in page(files) and "DISSENT: 1 against" in page(files, "en")
    assert "职工意见摘要" in table(files, "staff")[0]["opinion"]


def test_a_member_of_a_panel_who_differs_is_marked_and_everybody_is_counted(played: Any) -> None:
    database, case = played(REGISTRATION, "p4-panel")
    files = files_of(database, case)
    given = at(table(files, "decisions"), "expert_opinion")
    assert [(row["who"], row["decision"], bool(row["dissent"])) for row in given] == [
        ("专家一", "同意登记", False), ("专家二", "同意登记", False), ("专家三", "不同意登记", True),
    ]  # fmt: skip
    [panel] = at(table(files, "meetings"), "expert_opinion")
    assert panel["votes"] == "同意登记：2\n不同意登记：1"
    [refused] = table(files, "refused")
    assert (refused["who"], refused["element"], refused["code"]) == ("专家五", "expert_opinion", "role")


def test_a_publicity_is_told_with_its_objection_its_days_and_the_one_that_followed(played: Any) -> None:
    database, case = played(CONVERSION, "p2-objection-price")
    files = files_of(database, case)
    first, second = table(files, "publicities")
    assert (first["start"], first["end"], first["unit"]) == ("2026-03-02", "2026-03-17", "自然日")
    assert (first["objections"], second["objections"]) == (1, 0)
    assert "15 个自然日，其中工作日 11，跳过周末 4" in first["counted"] and first["calendar"] == "第 1 版"
    assert second["number"] in first["again"] and "修改后重新公示" in first["result"] and "无异议" in second["result"]
    assert first["content_hash"] != second["content_hash"] and "技术交易市场" in first["channels"]
    told = [(row["element"], row["content"]) for row in table(files, "objections")]
    assert [element for element, _ in told] == [
        "objection", "objection_acceptance", "objection_investigation", "objection_conclusion", "objection_reply",
    ]  # fmt: skip
    assert "价格明显偏低" in told[0][1] and "修改后重新公示" in told[3][1]
    [late] = [row for row in table(files, "deadlines") if row["element"] == "objection_reply"]
    assert late["overdue_days"] == 1 and "超期" in late["escalation"]
    assert "objection_reply" in [row["element"] for row in table(files, "escalations")]


def test_money_is_told_from_price_to_payment_in_whole_fen(played: Any) -> None:
    database, case = played(CONVERSION, "p2-01")
    files = files_of(database, case)
    told = {(row["element"], row["place"]): row["amount_fen"] for row in table(files, "money")}
    assert told["negotiate_price", "price_fen"] == told["sign_contract", "final_price_fen"] == 99_999_999
    assert told["calculate_net_income", "net_fen"] == 90_000_000
    [payout] = at(table(files, "distribution"), "divide_pool")
    assert (payout["person"], payout["share"], payout["amount_fen"]) == ("团队负责人甲", "100%", 63_000_000)
    heads, *rows = lines(files, "money")
    assert heads[5] == "金额（元）" and "900000.00" in [row[5] for row in rows]
    assert "900,000.00" in page(files)
    [refused] = [row for row in table(files, "refused") if "recusal" in row["code"]]
    assert refused["element"] == "sign_contract"
    assert any("转化金额" in row["label"] for row in table(files, "money"))
    cover = {row["item"]: row["content"] for row in table(files, "cover")}
    assert cover["金额"] == "999,999.99 元（99999999 分，玖拾玖万玖仟玖佰玖拾玖元玖角玖分）"
    assert cover["当事方"].startswith("北京某材料有限公司") and cover["参数版本"].startswith("shipped-default（")
    tier = next(row for row in table(files, "gateways") if row["element"] == "resolve_tier")
    assert "= 99999999（999,999.99 元）" in tier["values"]


def test_a_suspension_is_told_with_what_it_moved_and_how_each_deadline_is_counted(played: Any) -> None:
    database, case = played(REGISTRATION, "p4-suspended")
    files = files_of(database, case)
    [review] = [row for row in table(files, "deadlines") if row["element"] == "content_review"]
    assert (review["unit"], review["days_asked"], review["start"]) == ("工作日", 10, "2026-03-02")
    assert (review["due_first"], review["due"], review["how"]) == ("2026-03-16", "2026-04-01", "已办理")
    assert review["paused"] == "2026-03-04 10:00:00 至 2026-03-20 09:00:00 中止，期限顺延"
    [again] = [row for row in table(files, "deadlines") if row["element"] == "second_review"]
    assert (again["unit"], again["days_asked"]) == ("工作日", None)  # no counting leads to a day that was moved
    [stop] = table(files, "suspensions")
    assert (stop["cause"], stop["start"][:10], stop["end"][:10]) == ("正在诉讼或仲裁", "2026-03-04", "2026-03-20")
    assert "内容审查（认定）（按工作日）：2026-03-16 → 2026-04-01" in stop["moved"] and "起诉" in stop["reason"]


def test_a_timer_that_came_is_told_with_when_and_one_that_was_not_needed_is_not_pending(played: Any) -> None:
    database, case = played(CONVERSION, "p2-01")
    rows = table(files_of(database, case), "deadlines")
    [first, *_] = at(rows, "period_over")
    assert (first["how"], first["due"], first["actual"][:10]) == ("到期", "2026-03-17", "2026-03-18")
    assert {row["how"] for row in at(rows, "level_late")} == {"环节已完，不再到期"}


def test_a_review_is_told_with_the_negative_list_and_the_opinions_of_its_panel(played: Any) -> None:
    database, case = played("diligence_exemption_review", "p3-negative-list")
    files = files_of(database, case)
    [item] = table(files, "negative_list")
    assert item["item"].startswith("NL-13") and (item["severity"], item["hit"]) == ("轻微", "是")
    ready = {row["item"]: row["content"] for row in table(files, "readiness")}
    assert ready["负面清单"] == "核查 1 项，触犯 1 项"
    opinions = at(table(files, "decisions"), "panel_opinion")
    assert len(opinions) == 3 and all("民主决策" in row["opinion"] for row in opinions)
    assert len(at(table(files, "interests"), "panel_opinion")) == 3
    hidden = files_of(database, case, view=View(redacted=True))
    assert {row["item"]: row["content"] for row in table(hidden, "readiness")}["负面清单"] == "（不显示）"
    assert table(hidden, "negative_list") == [] and "无，或本视图不显示" in page(hidden)


def test_recusals_gaps_late_entries_and_documents_are_told(office: Office) -> None:
    case = office.start()
    office.act("合规", people.recuse, office.who["登记员"], "亲属在申请单位任职", case=case)
    step = next(body for body in office.bodies(case) if body["type"] == "task.completed")
    office.act("合规", evidence.add, case, step["seq"], [], "当时未扫描", ("=补充.pdf", b"%PDF-1.4\n%%EOF\n"))
    files = files_of(office.database, case)
    [aside] = table(files, "recusals")
    assert (aside["person"], aside["who"], aside["reason"]) == ("登记员", "合规", "亲属在申请单位任职")
    [late] = table(files, "late")
    assert late["reason"] == "当时未扫描" and late["element"] == step["process"]["element"]
    [document] = [row for row in table(files, "documents") if row["document"] == "=补充.pdf"]
    assert document["late"] == "补录" and document["size"] == 15
    names = [row[0] for row in lines(files, "documents")]
    assert "'=补充.pdf" in names and escape("=补充.pdf") in page(files)
    ready = {row["item"]: row["content"] for row in table(files, "readiness")}
    assert ready["轨迹完整性"].startswith("完好") and ready["负面清单"] == "本案未核查"


def test_the_cover_names_every_version_that_the_case_ran_under_and_overrides_are_told(office: Office) -> None:
    case = office.start()
    (new,) = office.deploy(package("permit", ("process.bpmn", 'name="归档"', 'name="存档"')))
    office.act("管理员", migration.migrate, case, new.id)
    files = files_of(office.database, case)
    cover = {row["item"]: row["content"] for row in table(files, "cover")}
    versions = cover["流程版本（案卷历经的全部版本）"].splitlines()
    assert [f"permit v{number} " in line for number, line in enumerate(versions, 1)] == [True, True]
    assert new.sha256 in versions[1] and new.sha256 not in versions[0]
    [moved] = table(files, "overrides")
    assert moved["who"] == "管理员" and "另一版本" in moved["action"]


# What tables are.


def test_the_tables_are_the_same_each_time_and_open_in_spreadsheets(office: Office) -> None:
    case = office.start()
    one = files_of(office.database, case)
    office.later(hours=1)
    two = files_of(office.database, case, purpose="审计")
    tables = [name for name in one if name.startswith("tables/")]
    assert len(tables) > 25 and all(one[name] == two[name] for name in tables)
    for name in tables:
        if name.endswith(".csv"):
            assert one[name].startswith(b"\xef\xbb\xbf") and one[name].count(b"\n") >= one[name].count(b"\r\n") > 0
    proof = {row["item"]: row["content"] for row in table(one, "proof")}
    hashes = [event["hash"] for event in office.look(inbox.events, case)]
    assert (proof["首条杂凑值"], proof["末条杂凑值"], proof["记录数"]) == (hashes[0], hashes[-1], str(len(hashes)))
    [first, *_] = table(one, "chronology")
    assert first["at"].endswith("+08:00") and first["hash"] == hashes[0] and first["prev_hash"] == "0" * 64


@pytest.mark.parametrize("redacted", [True, False])
def test_a_view_shows_names_answers_and_files_of_nobody_else_on_the_page_and_in_the_tables(
    office: Office, *, redacted: bool
) -> None:
    case = office.start()
    office.hire("欧阳登记", "registrar")
    office.do(case, "review", "欧阳登记")
    office.act("欧阳登记", items.attach, case, "审查意见.pdf", b"%PDF-1.4\n%%EOF\n")
    office.act("合规", people.recuse, office.who["路人"], "持有股份", case=case)
    words = ("欧阳登记", "审查意见.pdf", "持有股份")

    def shown(view: View) -> tuple[Files, str]:
        files = files_of(office.database, case, view=view)
        return files, "".join(data.decode() for name, data in files.items() if name.startswith(("tables/", "report/")))

    _, everything = shown(View())
    assert all(word in everything for word in words)
    files, part = shown(View(redacted=True) if redacted else View(person=office.who["甲"]))
    assert not any(word in part for word in words)
    acted = {row["who"] for row in table(files, "chronology")}
    assert ("甲" in acted) is not redacted and office.who["欧阳登记"] in acted
    assert {row["who"] for row in table(files, "answers")} == (set() if redacted else {"甲"})
    assert table(files, "money") == [] or not redacted
    assert all("（不显示）" in row["values"] for row in table(files, "gateways") if row["values"])


def test_what_is_derived_for_people_does_not_disturb_the_verifier(office: Office, tmp_path: Any) -> None:
    made = export(office.database, office.start(), SYSTEM, patience=0)
    (tmp_path / "x.zip").write_bytes(made.data)
    assert not any(each.broken for each in verify(tmp_path / "x.zip").findings)


def test_the_report_is_enclosed_as_pdf_where_that_is_asked_for_and_possible_and_has_the_same_bytes_for_the_same_page(
    office: Office,
) -> None:
    case = office.start()
    assert not any(name.endswith(".pdf") for name in files_of(office.database, case) if name.startswith("report/"))
    one = files_of(office.database, case, paper=True)
    two = files_of(office.database, case, paper=True)
    made = {name: data for name, data in one.items() if name.startswith("report/")}
    assert made == {name: data for name, data in two.items() if name.startswith("report/")}
    papers = {name for name, data in made.items() if data.startswith(b"%PDF")}
    assert papers == ({"report/report.zh.pdf", "report/report.en.pdf"} if pdf_is_possible() else set())


def test_the_page_needs_nothing_else_and_closes_what_it_opens(office: Office) -> None:
    for language in ("zh", "en"):
        text = page(files_of(office.database, office.start()), language)
        for word in ("<script", "src=", "href=", "url(", "@import"):
            assert word not in text
        assert text.count("<table>") == text.count("</table>") and text.count("<section") == text.count("</section>")
