"""The judge of answers: what is hidden, required and computed when, which rules hold, and where a refusal points."""

from __future__ import annotations

import time

import pytest

from forms.answer import check, drop_hidden, notes, unmet
from forms.expressions import ExpressionError
from tests.harness.forms import FILE, OPTIONS, WORLD, checked, form, paths

# -- shown, required, computed ---------------------------------------------------------------------

SECRET = form(
    "code: level, kind: choice, required: true, options: [{code: none, zh: 不涉密}, {code: secret, zh: 机密}]",
    "code: contract_file, kind: file, required: true, show_if: \"level == 'none'\"",
    "code: reason, kind: text, required_if: \"level == 'secret'\"",
)


def test_a_hidden_field_is_null_and_refused_when_answered() -> None:
    assert checked(SECRET, level="secret", reason="x").values["contract_file"] is None
    assert paths(checked(SECRET, level="secret", reason="x", contract_file=None)) == []
    result = checked(SECRET, level="secret", reason="x", contract_file=FILE)
    assert paths(result) == ["contract_file"]
    assert "does not apply here" in result.problems[0].text.en
    assert result.values["contract_file"] is None


def test_a_field_is_required_while_its_condition_holds() -> None:
    assert paths(checked(SECRET, level="secret")) == ["reason"]
    assert paths(checked(SECRET, level="none")) == ["contract_file"]
    assert paths(checked(SECRET, level="none", contract_file=FILE)) == []
    assert paths(checked(SECRET)) == ["level"]


def test_the_paths_that_are_shown_and_required_are_told() -> None:
    result = checked(SECRET, level="secret", reason="x")
    assert result.shown == {"level", "reason"}
    assert result.required == {"level", "reason"}


def test_an_unknown_field_is_refused_even_when_it_is_empty() -> None:
    assert paths(checked(SECRET, level="secret", reason="x", other=None)) == ["other"]
    assert paths(check(SECRET, {"level": "secret", "reason": "x", "../../etc/passwd": "1"}, WORLD)) == [
        "../../etc/passwd"
    ]
    long = check(SECRET, {"level": "secret", "reason": "x", "y" * 10_000 + "\ud800": "1"}, WORLD)
    assert len(long.problems[0].path) <= 60


def test_a_note_cannot_be_answered() -> None:
    found = form("code: a, kind: text", "code: n, kind: note, show: '=a'")
    assert paths(checked(found, a="x", n="x")) == ["n"]
    assert checked(found, a="x").values == {"a": "x"}


def test_notes_show_what_their_expressions_give() -> None:
    found = form(
        "code: a, kind: integer",
        "code: twice, kind: note, show: '=a * 2'",
        "code: hidden, kind: note, show: '=a', show_if: 'a > 5'",
        "code: broken, kind: note, show: '=missing'",
        "code: plain, kind: note",
    )
    assert notes(found, {"a": 3}, WORLD) == {"twice": 6, "plain": None}
    assert notes(found, {}, WORLD) == {"twice": None, "plain": None}


def test_a_computed_field_is_computed_and_cannot_be_given_another_value() -> None:
    found = form(
        "code: total, kind: money", "code: part, kind: money", "code: rest, kind: money, compute: '=total - part'"
    )
    assert checked(found, total=5, part=2).values["rest"] == 3
    assert paths(checked(found, total=5, part=2, rest=3)) == []
    assert paths(checked(found, total=5, part=2, rest=4)) == ["rest"]
    assert paths(checked(found, total=5, part=2, rest="x")) == ["rest"]
    assert checked(found, total=5, part=9).values["rest"] == -4
    assert checked(found, total=5).values["rest"] is None
    assert paths(checked(found, total=5)) == []
    assert paths(checked(found, total=5, part="x", rest=3)) == ["part"]


def test_fields_may_depend_on_later_ones() -> None:
    found = form(
        "code: sum, kind: integer, compute: '=a + b'",
        "code: extra, kind: text, show_if: 'sum > 10', required: true",
        "code: a, kind: integer",
        "code: b, kind: integer, max: '=a'",
    )
    result = checked(found, a=8, b=7)
    assert result.values == {"sum": 15, "extra": None, "a": 8, "b": 7}
    assert paths(result) == ["extra"]
    assert paths(checked(found, a=1, b=2)) == ["b"]


def test_what_a_hidden_field_held_is_seen_by_nobody() -> None:
    found = form(
        "code: on, kind: yes_no",
        "code: amount, kind: integer, show_if: 'on'",
        "code: big, kind: yes_no, compute: '=amount is not None'",
    )
    result = checked(found, on=False, amount=5)
    assert result.values["big"] is False
    assert paths(result) == ["amount"]


def test_the_form_s_own_codes_come_before_the_names_of_the_case() -> None:
    found = form(
        "code: limit, kind: integer",
        "code: a, kind: integer, max: '=limit'",
        "code: b, kind: text, required_if: 'limit is None'",
    )
    assert paths(checked(found, limit=1, a=2)) == ["a"]
    assert paths(checked(found, a=9)) == ["b"]


def test_a_condition_that_breaks_refuses_the_field_instead_of_hiding_the_fault() -> None:
    for broken in ("show_if: missing", "required_if: 'missing > 1'", "show_if: \"limit == 'a'\"", "show_if: limit"):
        assert paths(checked(form(f"code: a, kind: text, {broken}"))) == ["a"]
    for broken in ("compute: '=missing'", "compute: '=claimed_type'", "max: '=missing'", "max: '=claimed_type'"):
        given = {} if "compute" in broken else {"a": 1}
        assert paths(checked(form(f"code: a, kind: integer, {broken}"), **given)) == ["a"]


def test_a_condition_about_an_answer_still_empty_does_not_hold_yet() -> None:
    found = form(
        "code: n, kind: integer",
        "code: a, kind: text, show_if: 'n > 3', required: true",
        "code: b, kind: text, required_if: 'not n'",
    )
    result = checked(found)
    assert paths(result) == []
    assert result.shown == {"n", "b"}


# -- rules -----------------------------------------------------------------------------------------

RULED = form(
    "code: decision, kind: choice, required: true, options: [{code: accept, zh: 受理}, {code: return, zh: 退回}]",
    "code: complete, kind: yes_no",
    "code: count, kind: integer, min: 0",
    rest="rules:\n"
    "  - {check: \"decision != 'accept' or complete\", field: decision, zh: 材料不齐不得受理, en: Incomplete}\n"
    "  - {check: count < limit, field: count, zh: 过多, en: Too many}\n",
)


def test_a_rule_refuses_the_field_that_has_to_change_in_its_own_words() -> None:
    result = checked(RULED, decision="accept", complete=False, count=1)
    assert [(problem.path, problem.text.zh) for problem in result.problems] == [("decision", "材料不齐不得受理")]
    assert paths(checked(RULED, decision="return", complete=False, count=1)) == []
    assert paths(checked(RULED, decision="accept", complete=True, count=5)) == ["count"]


def test_a_rule_that_gives_nothing_does_not_hold() -> None:
    assert paths(checked(RULED, decision="accept", count=1)) == ["decision"]


def test_a_rule_waits_until_its_fields_are_sound() -> None:
    assert paths(checked(RULED, decision="accept", complete="x", count=-1)) == ["complete", "count"]
    assert paths(checked(RULED, complete=False, count=1)) == ["decision"]


def test_a_rule_that_cannot_be_judged_refuses() -> None:
    result = checked(RULED, decision="return")
    assert paths(result) == ["count"]
    assert "count < limit" in result.problems[0].text.en


def test_problems_come_in_the_order_of_the_fields() -> None:
    assert paths(checked(RULED, strange=1, complete=5, count=7)) == ["strange", "decision", "complete", "count"]


# -- checklists keyed by another field -------------------------------------------------------------

REVIEW = form(
    "code: determined_type, kind: choice, "
    "options: [{code: tech_development, zh: 开发}, {code: tech_service, zh: 服务}, {code: other, zh: 其他}]",
    "code: criteria, kind: checklist, required_if: \"proposal == 'register'\", "
    "items_by: {field: determined_type, lists: "
    "{tech_development: [{code: DEV-1, zh: 一}, {code: DEV-2, zh: 二}], tech_service: [{code: SVC-1, zh: 三}]}}",
    f"code: proposal, kind: choice, required: true, {OPTIONS.replace('code: a', 'code: register')}",
    rest="rules: [{check: \"proposal != 'register' or all(criteria)\", field: proposal, zh: 条件不符, en: No}]",
)


def test_a_checklist_asks_exactly_the_items_of_the_other_answer() -> None:
    good = {"DEV-1": True, "DEV-2": True}
    assert paths(checked(REVIEW, determined_type="tech_development", criteria=good, proposal="register")) == []
    assert paths(checked(REVIEW, determined_type="tech_service", criteria=good, proposal="register")) == ["criteria"]
    assert paths(
        checked(REVIEW, determined_type="tech_development", criteria={"DEV-1": True}, proposal="register")
    ) == ["criteria.DEV-2"]
    assert paths(
        checked(REVIEW, determined_type="tech_development", criteria={**good, "DEV-2": False}, proposal="register")
    ) == ["proposal"]
    assert paths(checked(REVIEW, determined_type="tech_development", proposal="register")) == ["criteria"]
    assert paths(checked(REVIEW, determined_type="other", criteria=good, proposal="b")) == ["criteria"]
    assert paths(checked(REVIEW, criteria={"DEV-1": True}, proposal="b")) == ["criteria"]
    assert paths(checked(REVIEW, determined_type="other", proposal="b")) == []


# -- groups and tables -----------------------------------------------------------------------------

PARTIES = form(
    "code: is_import, kind: yes_no",
    "code: parties, kind: table, required: true, min_items: 2, fields: ["
    "{code: country, kind: text, required: true}, "
    "{code: uscc, kind: text, required_if: \"country == 'CN'\"}, "
    "{code: customs_no, kind: text, show_if: 'is_import', required: true}, "
    "{code: bp, kind: ratio, max: '=top_bp'}, "
    "{code: half, kind: integer, compute: '=bp // 2'}]",
    "code: top_bp, kind: ratio",
    rest="rules: [{check: \"sum(p['bp'] or 0 for p in parties) <= 10000\", field: parties, zh: 合计超过, en: No}]",
)


def test_columns_see_their_own_row_first_and_then_the_form() -> None:
    result = checked(
        PARTIES,
        is_import=False,
        parties=[{"country": "CN", "bp": 4001}, {"country": "US", "bp": 10, "customs_no": "x"}],
        top_bp=4000,
    )
    assert sorted(paths(result)) == ["parties[0].bp", "parties[0].uscc", "parties[1].customs_no"]


def test_a_row_has_every_column_and_computes_its_own() -> None:
    result = checked(PARTIES, parties=[{"country": "US", "bp": 5}, {"country": "US"}])
    assert paths(result) == []
    assert result.values["parties"] == [
        {"country": "US", "uscc": None, "customs_no": None, "bp": 5, "half": 2},
        {"country": "US", "uscc": None, "customs_no": None, "bp": None, "half": None},
    ]
    assert "parties[0].uscc" in result.shown
    assert "parties[0].customs_no" not in result.shown


def test_a_table_needs_its_rows_and_a_rule_sees_them_all() -> None:
    assert paths(checked(PARTIES)) == ["parties"]
    assert paths(checked(PARTIES, parties=[])) == ["parties"]
    assert paths(checked(PARTIES, parties=[{"country": "US"}])) == ["parties"]
    both = [{"country": "US", "bp": 6000}, {"country": "US", "bp": 6000}]
    assert paths(checked(PARTIES, parties=both)) == ["parties"]


GROUPED = form(
    "code: kind, kind: choice, options: [{code: company, zh: 公司}, {code: person, zh: 个人}]",
    "code: recipient, kind: group, required_if: \"kind == 'company'\", fields: ["
    "{code: name, kind: text, required: true}, "
    "{code: country, kind: text}, "
    "{code: uscc, kind: text, show_if: \"country == 'CN' and kind == 'company'\"}]",
)


def test_a_group_of_blanks_is_empty() -> None:
    found = form("code: g, kind: group, fields: [{code: a, kind: text}, {code: b, kind: texts}]")
    assert checked(found, g={"a": " ", "b": []}).values["g"] is None
    assert checked(found, g={"a": " ", "b": ["x"]}).values["g"] == {"a": None, "b": ["x"]}


def test_an_empty_group_asks_nothing_of_its_parts_unless_it_is_required() -> None:
    assert checked(GROUPED).values["recipient"] is None
    assert paths(checked(GROUPED)) == []
    assert paths(checked(GROUPED, kind="company")) == ["recipient.name"]
    assert paths(checked(GROUPED, recipient={"country": "CN"})) == ["recipient.name"]
    assert checked(GROUPED).shown == {"kind", "recipient", "recipient.name", "recipient.country"}


def test_a_required_group_without_required_parts_must_hold_something() -> None:
    found = form("code: g, kind: group, required: true, fields: [{code: a, kind: text}]")
    assert paths(checked(found)) == ["g"]
    assert paths(checked(found, g={"a": "x"})) == []


def test_the_parts_of_a_group_are_shown_by_its_own_answers_and_the_form_s() -> None:
    given = {"name": "甲", "country": "CN", "uscc": "1"}
    assert paths(checked(GROUPED, kind="company", recipient=given)) == []
    assert paths(checked(GROUPED, kind="person", recipient=given)) == ["recipient.uscc"]


# -- the whole -------------------------------------------------------------------------------------


def test_what_must_hold_before_a_form_opens_is_told() -> None:
    found = form(
        "code: a, kind: text",
        rest="requires:\n"
        "  - {check: claimed_type is None, zh: 先注册, en: Register first, see: register_account}\n"
        "  - {check: limit > 1, zh: 甲}\n",
    )
    (demand,) = unmet(found, WORLD)
    assert (demand.text.en, demand.see) == ("Register first", "register_account")
    with pytest.raises(ExpressionError):
        unmet(form("code: a, kind: text", rest="requires: [{check: nothing > 1, zh: 甲}]\n"), WORLD)


def test_a_draft_drops_what_became_hidden_and_what_is_computed() -> None:
    draft = {"level": "secret", "contract_file": FILE, "reason": "x", "unknown": 1}
    assert drop_hidden(SECRET, draft, WORLD) == {"level": "secret", "reason": "x"}
    rows = [{"country": "US", "customs_no": "x", "half": 3}, "strange"]
    assert drop_hidden(PARTIES, {"parties": rows[:1], "is_import": False}, WORLD) == {
        "is_import": False,
        "parties": [{"country": "US"}],
    }
    assert drop_hidden(PARTIES, {"parties": rows}, WORLD) == {"parties": rows}
    group = {"name": "甲", "country": "CN", "uscc": "1"}
    assert drop_hidden(GROUPED, {"kind": "person", "recipient": group}, WORLD) == {
        "kind": "person",
        "recipient": {"name": "甲", "country": "CN"},
    }


def test_what_is_kept_of_a_draft_is_not_refused_for_being_hidden() -> None:
    draft = {"kind": "person", "recipient": {"name": "甲", "uscc": "1"}}
    assert checked(GROUPED, **draft).problems
    assert checked(GROUPED, **drop_hidden(GROUPED, draft, WORLD)).problems == ()


def test_many_faulty_rows_are_refused_quickly() -> None:
    columns = ", ".join(f"{{code: c{place}, kind: text, required: true}}" for place in range(12))
    found = form(f"code: rows, kind: table, fields: [{columns}]")
    start = time.perf_counter()
    assert len(checked(found, rows=[{} for _ in range(500)]).problems) == 6_000
    assert time.perf_counter() - start < 60
