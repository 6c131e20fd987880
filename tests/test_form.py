"""A form file is read whole or refused with every fault, each at its line; nothing half-right becomes a form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forms.fields import KINDS
from forms.form import Form, convert_references, read_form
from forms.values import FileRef, PersonRef
from forms.words import Text, Unfit

LIBRARY = Path(__file__).resolve().parents[1] / "forms" / "library"

HEAD = "id: test\ntitle: {zh: 测试, en: Test}\nfields:\n"
OPTIONS = "options: [{code: a, zh: 甲, en: A}, {code: b, zh: 乙}]"
SIGNS = "options: [{code: '>=', zh: 不低于}, {code: '==', zh: 等于}, {code: '<', zh: 低于}]"


def form(*fields: str, rest: str = "") -> Form:
    return read_form(HEAD + "".join(f"  - {{{field}}}\n" for field in fields) + rest, "test.yaml")


def refusals(*fields: str, rest: str = "") -> list[tuple[str, int, str | None]]:
    with pytest.raises(Unfit) as refusal:
        form(*fields, rest=rest)
    for finding in refusal.value.findings:
        assert finding.file == "test.yaml"
        assert finding.text.zh
        assert finding.text.en
    return [(finding.code, finding.line, finding.element) for finding in refusal.value.findings]


def labelled(code: str, kind: str, more: str = "") -> str:
    return f"code: {code}, kind: {kind}, label: {{zh: {code}栏, en: {code}}}{', ' + more if more else ''}"


def test_an_option_may_be_a_comparison_but_a_question_of_a_checklist_may_not() -> None:
    signs = [option.code for option in form(labelled("a", "choice", SIGNS)).field("a").options]
    assert signs == [">=", "==", "<"]
    items = SIGNS.replace("options", "items")
    assert {code for code, _, _ in refusals(labelled("a", "checklist", items))} >= {"code"}
    assert refusals(labelled("a", "choice", "options: [{code: [x], zh: 甲}, {code: =, zh: 乙}]"))[0][0] == "code"


def test_a_form_is_read_as_it_is_written() -> None:
    found = read_form(
        """\
id: acceptance_check
title: {zh: 受理审查, en: Acceptance check}
basis: "002 §六 受理时间"
earlier: [submit_contract]
requires:
  - {check: "find('account', applicant) is not None", zh: 请先注册, en: Register first, see: register_account}
fields:
  - code: decision
    kind: choice
    label: {zh: 决定, en: Decision}
    help: {zh: 说明, en: Help}
    basis: "003 第二十二条"
    required: true
    options: [{code: accept, zh: 受理, en: Accept}, {code: return, zh: 退回}]
    example: accept
  - {code: accepted_on, kind: date, label: {zh: 受理日期}, default: "=today()", show_if: "decision == 'accept'"}
  - code: contact
    kind: group
    label: {zh: 联系人}
    fields: [{code: name, kind: text, label: {zh: 姓名}, personal: true}]
  - {code: earlier_opinion, kind: note, label: {zh: 此前意见}, show: "=content_review['opinion']"}
rules:
  - {check: "decision != 'accept' or materials_complete", field: decision, zh: 材料不齐, en: Incomplete}
""",
        "acceptance_check.yaml",
    )
    assert (found.id, found.title, found.basis) == (
        "acceptance_check",
        Text("受理审查", "Acceptance check"),
        "002 §六 受理时间",
    )
    assert found.earlier == ("submit_contract",)
    assert found.codes == ("decision", "accepted_on", "contact")
    decision = found.field("decision")
    assert decision.required
    assert [option.code for option in decision.options] == ["accept", "return"]
    assert decision.options[1].label == Text("退回", "")
    assert decision.help == Text("说明", "Help")
    assert (decision.basis, decision.line) == ("003 第二十二条", 8)
    assert found.requires[0].see == "register_account"
    assert found.rules[0].field == "decision"
    assert found.names_read == {"applicant", "content_review", "materials_complete"}
    assert found.private_codes == {"contact"}
    assert len(found.expressions) == 5
    with pytest.raises(KeyError):
        found.field("nothing")


def test_every_kind_can_be_read() -> None:
    more = {
        "choice": OPTIONS,
        "multi_choice": OPTIONS,
        "checklist": "items: [{code: DEV-1, zh: 一}]",
        "table": "fields: [{code: c, kind: text, label: {zh: 列}}]",
        "group": "fields: [{code: c, kind: text, label: {zh: 列}}]",
    }
    found = form(*[labelled(f"f_{kind}", kind, more.get(kind, "")) for kind in sorted(KINDS)])
    assert {each.kind for each in found.fields} == KINDS
    assert len(found.codes) == len(KINDS) - 1


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("code: a, kind: colour, label: {zh: 甲}", "unknown-kind"),
        ("code: a, label: {zh: 甲}", "unknown-kind"),
        ("code: 1a, kind: text, label: {zh: 甲}", "code"),
        ("code: a-b, kind: text, label: {zh: 甲}", "code"),
        ("code: _a, kind: text, label: {zh: 甲}", "code"),
        ("code: 甲, kind: text, label: {zh: 甲}", "code"),
        ("code: applicant, kind: text, label: {zh: 甲}", "code"),
        ("code: nrOfInstances, kind: text, label: {zh: 甲}", "code"),
        ("kind: text, label: {zh: 甲}", "code"),
        ("code: a, kind: text", "label"),
        ("code: a, kind: text, label: 甲", "text"),
        ("code: a, kind: text, label: {en: A}", "text"),
        ("code: a, kind: text, label: {zh: 甲, fr: A}", "text"),
        (labelled("a", "text", "requried: true"), "unknown-attribute"),
        (labelled("a", "text", OPTIONS), "unknown-attribute"),
        (labelled("a", "text", "min: 3"), "unknown-attribute"),
        (labelled("a", "note", "required: true"), "unknown-attribute"),
        (labelled("a", "long_text", "pattern: a"), "unknown-attribute"),
        (labelled("a", "text", "required: yes"), "type"),
        (labelled("a", "text", "required: 1"), "type"),
        (labelled("a", "text", "max_length: -1"), "type"),
        (labelled("a", "text", "max_length: 20001"), "type"),
        (labelled("a", "text", "basis: 3"), "type"),
        (labelled("a", "text", "show_if: true"), "type"),
        (labelled("a", "table", "fields: x"), "type"),
        (labelled("a", "table", "fields: [x]"), "type"),
        (labelled("a", "text", "show_if: 'b.c'"), "expression"),
        (labelled("a", "text", "show_if: 'b =='"), "expression"),
        (labelled("a", "text", "required_if: \"__import__('os')\""), "expression"),
        (labelled("a", "integer", "compute: '=1 / 2'"), "expression"),
        (labelled("a", "integer", "max: '=nobody(1)'"), "expression"),
        (labelled("a", "choice"), "options"),
        (labelled("a", "multi_choice", "options: []"), "options"),
        (labelled("a", "choice", "options: [{code: 1, zh: 甲}]"), "code"),
        (labelled("a", "choice", "options: [{code: x}]"), "text"),
        (labelled("a", "choice", "options: [{code: x, zh: 甲}, {code: x, zh: 乙}]"), "duplicate-code"),
        (labelled("a", "table"), "fields"),
        (labelled("a", "group", "fields: []"), "fields"),
        (labelled("a", "checklist"), "items"),
        (labelled("a", "checklist", "items_by: {field: b}"), "type"),
        (labelled("a", "checklist", "items_by: {field: b, lists: {x: [{code: X-1, zh: 甲}]}}"), "items"),
        (labelled("a", "table", "fields: [{code: t, kind: table, label: {zh: 甲}}]"), "nested-kind"),
        (labelled("a", "group", "fields: [{code: t, kind: note, label: {zh: 甲}}]"), "nested-kind"),
        (
            labelled(
                "a", "table", "fields: [{code: c, kind: text, label: {zh: 甲}}, {code: c, kind: text, label: {zh: 甲}}]"
            ),
            "duplicate-code",
        ),
        (labelled("a", "text", "min_length: 5, max_length: 4"), "limits"),
        (labelled("a", "texts", "min_items: 5, max_items: 4"), "limits"),
        (labelled("a", "text", "pattern: '['"), "pattern"),
        (labelled("a", "text", "pattern: '(a+)+b'"), "pattern"),
        (labelled("a", "text", "pattern: '(a|a)*b'"), "pattern"),
        (labelled("a", "text", "pattern: '.*.*.*x'"), "pattern"),
        (labelled("a", "text", "pattern: 'a{0,999}b{0,999}c{0,999}'"), "pattern"),
        (labelled("a", "text", "pattern: '[[a]'"), "pattern"),
        (labelled("a", "text", "pattern: a, max_length: 5000"), "field"),
        (labelled("a", "integer", "compute: '=1', required: true"), "field"),
        (labelled("a", "integer", "compute: '=1', default: 2"), "field"),
        (labelled("a", "integer", "compute: '=a + 1'"), "circle"),
        (labelled("a", "text", "show_if: 'a is None'"), "circle"),
        (labelled("a", "integer", "default: x"), "literal"),
        (labelled("a", "integer", "default: true"), "literal"),
        (labelled("a", "integer", "min: 2026-03-02"), "literal"),
        (labelled("a", "money", "example: 1.5"), "literal"),
        (labelled("a", "date", "default: 2026-02-30"), "literal"),
        (labelled("a", "choice", OPTIONS + ", default: c"), "literal"),
        (labelled("a", "yes_no", "default: yes"), "literal"),
        (labelled("a", "yes_no", "must: true, example: false"), "literal"),
        (labelled("a", "text", "max_length: 2, example: 甲乙丙"), "literal"),
        (labelled("a", "text", "pattern: '[0-9]{6}', example: 11010"), "literal"),
        (labelled("a", "texts", "example: [1]"), "literal"),
        (labelled("a", "file", "example: x.pdf"), "literal"),
        (labelled("a", "checklist", "items: [{code: X-1, zh: 甲}], example: {X-2: true}"), "literal"),
        (labelled("a", "checklist", "items: [{code: X-1, zh: 甲}], example: {X-1: ja}"), "literal"),
        (labelled("a", "table", "fields: [{code: c, kind: integer, label: {zh: 甲}}], example: [{c: x}]"), "literal"),
        (labelled("a", "table", "fields: [{code: c, kind: integer, label: {zh: 甲}}], example: [{d: 1}]"), "literal"),
        (labelled("a", "table", "fields: [{code: c, kind: integer, label: {zh: 甲}}], example: {c: 1}"), "literal"),
    ],
)
def test_a_faulty_field_is_refused_at_its_line(field: str, code: str) -> None:
    found = refusals(labelled("first", "text"), field)
    assert code in [each[0] for each in found]
    assert {each[1] for each in found} == {5}


@pytest.mark.parametrize(
    "field",
    [
        labelled("a", "date", "default: '=today()'"),
        labelled("a", "date", "default: 2026-03-02, min: 2026-01-01"),
        labelled("a", "decimal", "default: 1.5, min: 0.000001"),
        labelled("a", "file", "example: {file: 合同.pdf}"),
        labelled("a", "files", "example: [{file: \"=title + '.pdf'\"}]"),
        labelled("a", "persons", "example: \"=people('expert')\""),
        labelled("a", "text", "pattern: '[0-9]{6}(省|市)?'"),
        labelled("a", "checklist", "items: [{code: X-1, zh: 甲}], example: true"),
        labelled("a", "group", "fields: [{code: c, kind: date, label: {zh: 甲}}], default: {c: '=today()'}"),
    ],
)
def test_what_a_form_gives_itself_may_be_literal_or_expression(field: str) -> None:
    assert form(field).codes == ("a",)


def test_all_faults_are_told_at_once_in_the_order_of_the_lines() -> None:
    found = refusals(
        labelled("a", "colour"),
        labelled("b", "choice"),
        labelled("b", "text", "show_if: 'x.y'"),
        rest="rules:\n  - {check: 'b ==', field: b, zh: 甲}\n  - {check: b, field: nobody, zh: 甲}\nbogus: 1\n",
    )
    assert found == [
        ("unknown-kind", 4, "a"),
        ("options", 5, "b"),
        ("expression", 6, "b"),
        ("duplicate-code", 6, "b"),
        ("expression", 8, None),
        ("rule", 9, None),
        ("unknown-attribute", 10, None),
    ]


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("rules: [{field: a, zh: 甲}]", "rule"),
        ("rules: [{check: a, zh: 甲}]", "rule"),
        ("rules: [{check: a, field: a}]", "text"),
        ("rules: [{check: a, field: n, zh: 甲}]", "rule"),
        ("rules: {check: a}", "type"),
        ("requires: [{zh: 甲}]", "requires"),
        ("requires: [{check: 'a b', zh: 甲}]", "expression"),
        ("earlier: submit", "type"),
        ("earlier: [1]", "type"),
    ],
)
def test_a_faulty_rule_or_requirement_is_refused(rest: str, code: str) -> None:
    assert code in [each[0] for each in refusals(labelled("a", "yes_no"), labelled("n", "note"), rest=rest + "\n")]


@pytest.mark.parametrize(
    "text", ["", "[]", "text", "id: a", "id: a\ntitle: {zh: 甲}\nfields: []\n", "title: {zh: 甲}\nfields: []"]
)
def test_what_is_no_form_at_all_is_refused(text: str) -> None:
    with pytest.raises(Unfit) as refusal:
        read_form(text, "test.yaml")
    assert "form" in [finding.code for finding in refusal.value.findings]


def test_a_circle_through_several_fields_names_them_all() -> None:
    found = refusals(
        labelled("a", "integer", "compute: '=c + 1'"),
        labelled("b", "integer", "show_if: 'a > 1'"),
        labelled("c", "integer", "show_if: 'b is None'"),
        labelled("d", "integer", "compute: '=a'"),
    )
    assert [(code, element) for code, _, element in found] == [("circle", "a"), ("circle", "b"), ("circle", "c")]


def test_fields_are_evaluated_after_those_they_depend_on() -> None:
    found = form(
        labelled("a", "integer", "compute: '=b + 1'"),
        labelled("b", "integer", "show_if: 'c'"),
        labelled("c", "yes_no"),
    )
    assert [each.code for each in found.order] == ["c", "b", "a"]
    assert found.codes == ("a", "b", "c")


def test_the_names_of_columns_are_not_read_from_outside() -> None:
    column = (
        "fields: [{code: role, kind: text, label: {zh: 角色}}, "
        '{code: name, kind: text, label: {zh: 名称}, show_if: "role == kind and total > limit"}]'
    )
    assert form(labelled("total", "integer"), labelled("rows", "table", column)).names_read == {"kind", "limit"}


BASE = HEAD + f"  - {{{labelled('a', 'text')}}}\n  - {{{labelled('b', 'integer')}}}\n" + (
    "earlier: [first]\nrules:\n  - {check: b != 1, field: b, zh: 甲}\nrequires:\n  - {check: b != 1, zh: 乙}\n"
)  # fmt: skip


def extending(text: str, bases: dict[str, str] | None = None) -> Form:
    return read_form(text, "own.yaml", {"base": BASE} if bases is None else bases)


def test_a_form_that_extends_another_says_only_what_differs() -> None:
    found = extending(
        "id: own\ntitle: {zh: 自己的}\nextends: base\nfields:\n"
        f"  - {{{labelled('c', 'date')}}}\n  - {{{labelled('a', 'long_text')}}}\n"
        "rules:\n  - {check: a != 'x', field: a, zh: 丙}\n"
    )
    assert [(each.code, each.kind) for each in found.fields] == [("a", "long_text"), ("b", "integer"), ("c", "date")]
    assert [rule.text.zh for rule in found.rules] == ["甲", "丙"]
    assert (found.id, found.title.zh, found.earlier, len(found.requires)) == ("own", "自己的", ("first",), 1)


def test_what_an_extending_form_says_itself_counts() -> None:
    found = extending("id: own\ntitle: {zh: 自己的}\nextends: base\nearlier: []\nrequires: []\n")
    assert (found.earlier, found.requires, found.codes) == ((), (), ("a", "b"))


@pytest.mark.parametrize(
    ("bases", "file"),
    [
        ({}, "own.yaml"),
        ({"base": "id: base\ntitle: {zh: 甲}\nextends: base\nfields: []\n"}, "base.yaml"),
        (
            {
                "base": "id: base\ntitle: {zh: 甲}\nextends: other\n",
                "other": "id: other\ntitle: {zh: 甲}\nextends: base\n",
            },
            "other.yaml",
        ),
        ({"base": HEAD + "  - {code: a, kind: colour, label: {zh: 甲}}\n"}, "base.yaml"),
    ],
)  # fmt: skip
def test_a_base_that_cannot_be_read_is_refused_in_its_own_file(bases: dict[str, str], file: str) -> None:
    with pytest.raises(Unfit) as refusal:
        extending(f"id: own\ntitle: {{zh: 自己的}}\nextends: base\nfields:\n  - {{{labelled('z', 'text')}}}\n", bases)
    assert file in [finding.file for finding in refusal.value.findings]


def test_persons_and_files_are_converted_wherever_they_stand() -> None:
    columns = (
        "fields: [{code: who, kind: person, label: {zh: 人}}, {code: doc, kind: file, label: {zh: 文件}}, "
        "{code: note, kind: text, label: {zh: 注}}]"
    )
    found = form(
        labelled("who", "person"),
        labelled("experts", "persons"),
        labelled("doc", "file"),
        labelled("docs", "files"),
        labelled("name", "text"),
        labelled("group", "group", columns),
        labelled("rows", "table", columns),
    )
    kept = FileRef("f9", "old.pdf", "ab" * 32, 1, "application/pdf")
    seen: list[Any] = []

    def file(given: Any) -> Any:
        seen.append(given)
        return given if isinstance(given, FileRef) else FileRef("f1", given["file"], "ab" * 32, 1, "application/pdf")

    converted = convert_references(
        found,
        {
            "who": "甲",
            "experts": ["乙", PersonRef("p3")],
            "doc": {"file": "a.pdf"},
            "docs": [{"file": "b.pdf"}, kept],
            "name": "丙",
            "group": {"who": "丁", "doc": {"file": "c.pdf"}, "note": "戊", "strange": "己"},
            "rows": [{"who": "庚", "note": {"file": "d"}}, "bad row"],
            "unknown": {"file": "x"},
        },
        lambda name: PersonRef(f"id of {name}"),
        file,
    )
    assert converted["who"] == PersonRef("id of 甲")
    assert converted["experts"] == [PersonRef("id of 乙"), PersonRef("p3")]
    assert converted["doc"].name == "a.pdf"
    assert [each.name for each in converted["docs"]] == ["b.pdf", "old.pdf"]
    assert converted["name"] == "丙"
    assert converted["group"]["who"] == PersonRef("id of 丁")
    assert converted["group"]["doc"].name == "c.pdf"
    assert converted["group"]["strange"] == "己"
    assert converted["rows"] == [{"who": PersonRef("id of 庚"), "note": {"file": "d"}}, "bad row"]
    assert converted["unknown"] == {"file": "x"}
    assert len(seen) == 4


def shipped() -> dict[str, str]:
    texts = {path.stem: path.read_text("utf-8") for path in LIBRARY.rglob("*.yaml") if "documents" not in path.parts}
    assert texts
    return texts


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_form_can_be_read(name: str) -> None:
    texts = shipped()
    found = read_form(texts[name], f"{name}.yaml", texts)
    assert found.id == name
    assert found.title.en
