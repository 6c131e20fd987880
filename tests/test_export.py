"""Exporting a case: who may, what each view shows, that it is told, and that the same case gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from html import escape
from pathlib import Path

import pytest

from engine import cases
from engine.errors import NotYours
from engine.trail.bundle import export
from engine.trail.material import View
from engine.trail.offline import Key, verify
from engine.trail.sealing import Sealing
from tests.bundles import unzipped, zipped
from tests.office import Office
from tests.test_trail import behind_its_back

pytest_plugins = ["tests.furnished", "tests.exporting"]


# Views and who may export.


def test_only_overseers_export_whole_cases_and_everybody_their_own_part(office: Office, sealing: Sealing) -> None:
    case = office.start()
    who = office.who["甲"]
    with pytest.raises(NotYours, match="export your own part"):
        export(office.database, case, who)
    stranger = office.who["路人"]
    with pytest.raises(NotYours):
        export(office.database, case, stranger, view=View(person=stranger))
    own = unzipped(export(office.database, case, who, view=View(person=who)).data)
    assert json.loads(own["manifest.json"])["view"] == "person"
    assert any(name.startswith("answers/") for name in own)


def test_the_redacted_view_names_nobody_and_shows_no_answer(office: Office, sealing: Sealing, tmp_path: Path) -> None:
    case = office.start()
    files = unzipped(export(office.database, case, "system", view=View(redacted=True)).data)
    assert not any(name.startswith(("answers/", "attachments/")) for name in files)
    assert "甲" not in files["report/report.zh.html"].decode()
    (tmp_path / "x.zip").write_bytes(zipped(files))
    found = verify(tmp_path / "x.zip", sealing.signer.key.key)
    assert [each.en for each in found.findings if each.broken] == []
    assert any("withheld" in each.en for each in found.findings)


def test_an_export_is_told_in_the_trail_with_the_hash_of_its_list(office: Office, sealing: Sealing) -> None:
    case = office.start()
    files = unzipped(export(office.database, case, "system", purpose="审计").data)
    told = office.last("sys/export")
    assert told["type"] == "export.made"
    assert told["data"]["manifest"] == hashlib.sha256(files["manifest.json"]).hexdigest()
    assert told["data"]["purpose"] == "审计"


def test_the_same_case_gives_the_same_bytes_but_for_time_exporter_and_checkpoint(
    office: Office, sealing: Sealing
) -> None:
    case = office.start()
    one, two = (unzipped(export(office.database, case, "system").data) for _ in range(2))
    apart = {name for name in one if one[name] != two.get(name)}
    changing = {
        "manifest.json",
        "manifest.dsse.json",
        "trail/checkpoint.txt",
        "trail/epoch_leaves.bin",
        "trail/proof.json",
    }
    assert one.keys() == two.keys()
    assert apart <= changing | {"report/report.zh.html", "report/report.en.html"}
    for language in ("zh", "en"):
        pages = [made[f"report/report.{language}.html"].decode() for made in (one, two)]
        changing_parts = re.compile('<p class="made">.*?</p>|<pre class="hash">.*?</pre>', re.DOTALL)
        assert len({changing_parts.sub("", page) for page in pages}) == 1


def test_the_short_checkpoint_is_on_the_first_page_and_the_whole_one_in_the_proof(
    office: Office, sealing: Sealing
) -> None:
    files = unzipped(export(office.database, office.start(), "system", purpose="审计").data)
    note = files["trail/checkpoint.txt"].decode()
    page = files["report/report.zh.html"].decode()
    cover, _, rest = page.partition('<section id="matrix">')
    short = "\n".join(note.splitlines()[:3])
    assert f">{escape(short)}</pre>" in cover and "用途：审计" in cover and "用途" not in rest
    assert f">{escape(note.rstrip())}</pre>" in rest.partition('<section id="proof">')[2]


def test_without_a_signer_the_bundle_says_how_much_is_not_sealed(office: Office, tmp_path: Path) -> None:
    made = export(office.database, office.start(), "system", patience=0.0)
    assert made.unsealed > 0
    (tmp_path / "x.zip").write_bytes(made.data)
    found = verify(tmp_path / "x.zip")
    assert not any(each.broken for each in found.findings)
    assert any("no checkpoint" in each.en for each in found.findings)


def test_a_key_is_read_as_it_is_published(sealing: Sealing) -> None:
    assert Key.read(sealing.signer.key.published) == sealing.signer.key.key


def test_the_report_of_a_case_that_was_altered_is_marked_invalid(office: Office) -> None:
    case = office.start()
    sound = unzipped(export(office.database, case, "system", patience=0).data)
    assert "INVALID" not in sound["report/report.zh.html"].decode()
    behind_its_back(office, f"UPDATE event SET actor = 'somebody' WHERE stream = 'case/{case}' AND seq = 2")
    files = unzipped(export(office.database, case, "system", patience=0).data)
    assert "INVALID 无效" in files["report/report.zh.html"].decode()
    assert "INVALID: events" in files["report/report.en.html"].decode()


def test_the_report_tells_choices_with_their_conditions_deadlines_and_refused_attempts(office: Office) -> None:
    case = office.start()
    office.do(case, "review", "登记员")
    office.refused("登记员", cases.complete, office.item(case, "second"), {})
    page = unzipped(export(office.database, case, "system", patience=0).data)["report/report.zh.html"].decode()

    def part(name: str) -> str:
        return page.partition(f'<section id="{name}">')[2].partition("</section>")[0]

    [taken, *_] = [body for body in office.bodies(case) if body["type"] == "gateway.taken" and body["data"]["tried"]]
    for each in taken["data"]["tried"]:
        assert escape(f"{each['expression']} → {'成立' if each['holds'] else '不成立'}") in part("gateways")
    for each in taken["data"]["values"]:
        assert escape(f"{each['name']} = {each['value']}") in part("gateways")
    assert "复核" in part("gateways")
    due = next(
        body["data"]["due"] for body in office.bodies(case) if body["type"] == "task.opened" and body["data"]["due"]
    )
    assert due in part("deadlines")
    assert "被拒" in part("recusals")
    assert "登记员" in part("answers") and "3.00" in part("money")
