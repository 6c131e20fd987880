"""The pages of oversight: each number leads to its cases, searches are kept and exported, nobody else sees them."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine.trail import epochs, jobs
from tests.bundles import sealed
from tests.office import Office
from tests.overseen import play
from tests.web_reader import Reader, Seen, reader_of, words

if TYPE_CHECKING:
    from tests.office import NewOffice

pytest_plugins = ["tests.furnished", "tests.exporting"]

ADDRESSES = ("/oversight", "/oversight/cases", "/oversight/attempts")


@pytest.fixture
def watched(new_office: NewOffice) -> Office:
    """An office on SQLite with its cases."""
    office = new_office("sqlite")
    office.who |= {f"case {name}": case for name, case in play(office).items()}
    return office


def numbers(seen: Seen) -> list[str]:
    """The numbers of the cases that are listed."""
    return re.findall(r"(?:XK|QM)\S*\d", " ".join(words(each) for each in seen.tree.iter("td")))


def total(seen: Seen) -> int:
    """How many cases a page says were found."""
    return int(re.search(r"(?:共 |Cases: )(\d+)", seen.text)[1])  # type: ignore[index]


def figures(seen: Seen) -> dict[str, tuple[int, str]]:
    """The numbers of the dashboard by what they are of, each with where it leads."""
    found: dict[str, tuple[int, str]] = {}
    for item in seen.tree.iter("li"):
        if "figure" in item.get("class", "").split():
            number, _, name = words(item).partition(" ")
            [link] = [each.get("href", "") for each in item.iter("a")]
            found[name] = (int(number), link)
    return found


# Who sees it.


def test_only_overseers_find_the_pages(watched: Office) -> None:
    for name in ("合规", "管理员"):
        reader = reader_of(watched, name)
        assert reader.get("/inbox").links()["监督"] == "/oversight"
        for address in ADDRESSES:
            reader.get(address)
    reader = reader_of(watched, "登记员")
    assert "监督" not in reader.get("/inbox").links()
    for address in ADDRESSES:
        assert "只有合规、纪检人员和系统管理员" in reader.get(address, status=403).text
    key = {"_key": "0" * 32, "name": "看"}
    for address in ("/oversight/views", "/oversight/export"):
        reader.post(address, key, status=403)


# The dashboard.


def test_every_number_of_the_dashboard_leads_to_as_many_cases(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    found: dict[str, tuple[int, str]] = {}
    for address in ("/oversight", "/oversight?days=0", "/oversight?days=30"):
        found = figures(reader.get(address))
        assert len(found) == 13
        for name, (number, link) in found.items():
            if link != "/oversight/attempts":
                assert total(reader.get(link)) == number, (address, name)
    assert found["有事项已超期"][0] == 1 and found["操作被拒"][0] == 3
    assert found["未能立案的操作"] == (1, "/oversight/attempts")
    assert reader.get("/oversight?days=x").status == reader.get("/oversight?days=7").status == 200


def test_the_bars_and_the_table_of_processes_lead_to_their_cases_too(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    seen = reader.get("/oversight?days=0")
    bars = list(seen.tree.iter("{http://www.w3.org/2000/svg}a"))
    assert {each.get("aria-label") for each in bars} >= {"2026-03 超期：1 个案卷", "2026-03 缺项：2 个案卷"}
    for bar in bars:
        number = re.search(r"：(\d+)", str(bar.get("aria-label")))
        assert number and total(reader.get(str(bar.get("href")))) == int(number[1])
    [table] = list(seen.tree.iter("table"))
    links = list(table.iter("a"))
    assert links
    for link in links:
        assert total(reader.get(str(link.get("href")))) == int(words(link))


def test_refused_starts_are_told_in_words(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    seen = reader.get("/oversight/attempts")
    assert "市场办 提出申请（许可） 不是该事项的办理人" in seen.text
    reader.post("/language", {"language": "en"})
    assert "(Permit) is not a candidate for this work item" in reader.get("/oversight/attempts").text


# The search.


def test_a_search_says_what_it_is_for_and_each_condition_can_be_taken_out(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    asked = reader.get("/oversight/cases")
    assert total(asked) == 11
    found = reader.get(
        "/oversight/cases?person=双职&finding=refused&finding=four_eyes&least=100&since=2026-01-01&until=2026-12-31"
    )
    assert total(found) == 1 and "复核自己" in found.text and "900.00" in found.text
    terms = [words(each) for each in found.tree.iter("li") if each.find("span") is not None]
    assert terms == [
        "办理人（登录名或姓名）：双职 ×",
        "监督事项：操作被拒、不能复核自己而被拒 ×",
        "金额：100.00 元 – … ×",
        "立案：2026-01-01 – 2026-12-31 ×",
    ]
    without = [each.get("href", "") for each in found.tree.iter("a") if words(each) == "×"]
    assert total(reader.get(without[0])) == 1 and total(reader.get(without[1])) == 1
    assert found.fields("/oversight/cases")["person"] == "双职"
    assert found.fields("/oversight/cases").getlist("finding") == ["refused", "four_eyes"]
    marked = [words(each) for each in found.tree.iter("a") if "mark" in each.get("class", "").split()]
    assert marked == ["操作被拒", "不能复核自己而被拒"]


def test_the_form_sends_what_is_searched_for(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    seen = reader.get("/oversight/cases")
    [form] = [each for each in seen.tree.iter("form") if each.get("role") == "search"]
    offered = {each.get("name") for tag in ("input", "select") for each in form.iter(tag)}
    assert offered == {
        "words", "person", "role", "clause", "process", "state", "least", "most", "period", "since", "until",
        "finding", "sort",
    }  # fmt: skip
    lists = {each.get("id"): [one.get("value") for one in each] for each in form.iter("datalist")}
    assert "登记员" in lists["people"] and "002 §六" in lists["clauses"]


def test_what_cannot_be_understood_is_said_beside_the_form_as_it_was_filled_in(watched: Office) -> None:
    seen = reader_of(watched, "合规").get("/oversight/cases?least=viel&person=无此人&words=许", status=422)
    assert seen.problems() == ["没有“无此人”这个人“viel”：应填金额，例如 1,234.50"]
    kept = seen.fields("/oversight/cases")
    assert (kept["least"], kept["person"], kept["words"]) == ("viel", "无此人", "许")
    assert numbers(seen) == []


def test_a_long_list_comes_in_pages_that_keep_all_of_the_search(
    watched: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.oversight.PAGE", 2)
    reader = reader_of(watched, "合规")
    first = reader.get("/oversight/cases?finding=refused&finding=gap&sort=oldest")
    second = reader.get(first.links()["下一页"])
    third = reader.get(second.links()["下一页"])
    assert [total(each) for each in (first, second, third)] == [5, 5, 5]
    assert "第 3–4 个" in second.text
    assert len({*numbers(first), *numbers(second), *numbers(third)}) == 5
    assert "下一页" not in third.links()


def test_the_pages_are_said_in_english(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    reader.post("/language", {"language": "en"})
    for address in (*ADDRESSES, "/oversight/cases?finding=gap&least=1&period=acted&since=2026-01-01&state=open"):
        seen = reader.get(address)
        labels = [words(each) for tag in ("h1", "h2", "label", "th", "dt") for each in seen.tree.iter(tag)]
        assert [each for each in labels if re.search(r"[\u4e00-\u9fff]", each) and each != "合规"] == [], address


# Views and exports.


def test_a_view_is_saved_opened_and_removed(watched: Office) -> None:
    reader = reader_of(watched, "合规")
    found = reader.get("/oversight/cases?finding=refused&finding=gap&process=permit")
    kept = reader.submit(found, {"name": "许可：被拒或缺项"}, action="/oversight/views")
    link = kept.links()["许可：被拒或缺项"]
    assert total(reader.get(link)) == total(found) == 3
    assert "许可：被拒或缺项" in reader.get("/oversight/cases").links()
    assert "许可：被拒或缺项" not in reader_of(watched, "管理员").get("/oversight").links()
    gone = reader.submit(kept, action="/removal")
    assert "许可：被拒或缺项" not in gone.links()


def test_the_cases_of_a_whole_period_are_exported_beside_the_pages(office: Office, tmp_path: Path) -> None:
    play(office)
    reader = reader_of(office, "合规")
    found = reader.get("/oversight/cases?since=2026-03-01&until=2026-03-31")
    waiting = reader.submit(found, {"purpose": "三月检查", "view": "full"}, action="/oversight/export")
    assert "0 / 9" in waiting.text
    with sealed(office, tmp_path / "signer"):  # the play goes back and forth in time, which no signer lets pass
        assert jobs.run_one(office.database)
    address = waiting.response.request.path
    assert "已完成" in reader.get(address).text
    with zipfile.ZipFile(io.BytesIO(reader.cookies.get(f"{address}/file").data)) as archive:
        assert {name.removesuffix(".evidence.zip") for name in archive.namelist()} == set(numbers(found))
        assert len(archive.namelist()) == 9


def test_without_a_signer_only_the_first_case_of_an_export_waits_for_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[Any] = []
    answered = epochs.answered

    def counted(database: Any, identity: str, patience: float) -> Any:
        waited.append(patience)
        return answered(database, identity, 0)

    monkeypatch.setattr(epochs, "answered", counted)
    cases = [office.start(contract_no=f"HT-{number}") for number in range(3)]
    office.act("合规", jobs.ask, cases)
    assert jobs.run_one(office.database, patience=7)
    assert waited == [7, 7, 0, 0, 0, 0]


def test_none_and_too_many_cases_are_not_exported(watched: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = reader_of(watched, "合规")
    assert "请调整条件" in reader.get("/oversight/cases?words=无此案").text
    whole = reader.get("/oversight/cases")
    monkeypatch.setattr(jobs, "MOST_CASES", 5)
    assert "请调整条件" in reader.get("/oversight/cases").text
    reader.submit(whole, action="/oversight/export", status=422)


def test_what_a_form_carries_along_is_understood_or_refused(watched: Office) -> None:
    reader: Reader = reader_of(watched, "合规")
    bad = {"_key": "1" * 32, "least": "viel", "name": "看"}
    assert "viel" in reader.post("/oversight/export", bad, status=422).text
    assert "viel" in reader.post("/oversight/views", bad | {"_key": "2" * 32}, status=422).text
