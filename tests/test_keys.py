"""The gate knows which parameters there are, and which names a document can read where it is issued."""

from __future__ import annotations

import pytest

from bpmn.keys import keys_read
from engine import bounded
from engine.gate import check_package
from engine.library import Library
from engine.packages import Package
from forms.expressions import compile_expression

WORDS = Library.standing().vocabulary()
DRAWN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy">
<process id="p" name="出具" isExecutable="true" policy:series="CJ">
<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="ask"/>
<userTask id="ask" name="申请" policy:role="registrar" policy:assignee="applicant" policy:due="{due}"/>
<sequenceFlow id="f2" sourceRef="ask" targetRef="count"/>
<scriptTask id="count" name="计算"><script>limit = {script}</script></scriptTask>
<sequenceFlow id="f3" sourceRef="count" targetRef="issue"/>
<serviceTask id="issue" name="出具"><extensionElements><policy:operation name="document.issue" into="made">
<policy:with name="template" value="{template}"/></policy:operation></extensionElements></serviceTask>
<sequenceFlow id="f4" sourceRef="issue" targetRef="e"/>
<endEvent id="e" policy:outcome="done"/></process></definitions>"""
FORM = """id: ask
title: {{zh: 申请}}
fields: [{{code: subject, kind: text, label: {{zh: 题目}}, required: true, example: 样}}]
rules: [{{check: "len(subject) < {rule}", field: subject, zh: 太长}}]
"""
PAPER = """id: {id}
title: {{zh: 文书, en: Paper}}
name: 文书
blocks:
  - paragraph: "{text}"
  - rows: {{each: "=[subject]", as: one, columns: [{{heading: 甲, text: "{{one}}"}}]}}
"""
KEY = "params['consent_days']"


def package(
    *, due: str = "today", script: str = KEY, rule: str = KEY, text: str = "{subject}", template: str = "'paper'"
) -> Package:
    """A package that is sound as it stands."""
    return Package("p", {
        "process.bpmn": DRAWN.format(due=due, script=script, template=template).encode(),
        "forms/ask.yaml": FORM.format(rule=rule).encode(),
        "forms/documents/paper.yaml": PAPER.format(id="paper", text=text).encode(),
        "forms/documents/letter.yaml": PAPER.format(id="letter", text="{limit}").encode(),
    })  # fmt: skip


def findings(wrong: Package) -> list[tuple[str, str | None]]:
    """What the gate says, asked here and in its worker."""
    _, here = check_package(wrong, WORDS.roles, {}, WORDS.values, WORDS.facts)
    [there] = bounded.judge([wrong], WORDS.roles, {}, parameters=WORDS.values, facts=WORDS.facts)
    assert list(there.findings) == here
    return [(each.code, each.element) for each in here]


def test_a_sound_package_is_not_refused() -> None:
    assert findings(package()) == []
    assert findings(package(text="{params['consent_days']} {{braces}} {today|date} {case['number']}")) == []


@pytest.mark.parametrize(
    ("place", "element"),
    [
        ({"due": "add_days(today, params['gone'])"}, "ask"),
        ({"script": "params['gone']"}, "count"),
        ({"script": "get(params, 'gone', 3)"}, "count"),
        ({"rule": "params['gone']"}, "ask"),
        ({"text": "{params['gone']}"}, "issue"),
    ],
)
def test_a_key_that_no_parameter_has_is_refused_wherever_it_is_read(place: dict[str, str], element: str) -> None:
    assert findings(package(**place)) == [("unknown-parameter", element)]


def test_the_key_that_was_meant_is_named() -> None:
    _, [finding] = check_package(package(script="params['consent_day']"), WORDS.roles, {}, WORDS.values)
    assert "consent_days" in finding.text.zh and "consent_days" in finding.text.en


def test_where_it_is_not_known_which_parameters_there_are_none_is_refused() -> None:
    assert check_package(package(script="params['gone']"), WORDS.roles, {})[1] == []


def test_a_document_reads_only_what_is_brought_where_it_is_issued() -> None:
    assert findings(package(text="{subjct}")) == [("unbrought-name", "issue")]
    assert findings(package(text="{one}")) == [("unbrought-name", "issue")]


@pytest.mark.parametrize(
    ("template", "codes"),
    [
        ("'paper' if limit > 3 else 'letter'", []),
        ("'paper' if limit > 3 else 'gone'", ["no-template"]),
        ("'gone'", ["no-template"]),
        ("subject", []),
    ],
)
def test_a_template_may_be_chosen_when_a_case_runs(template: str, codes: list[str]) -> None:
    assert [code for code, _ in findings(package(template=template))] == codes


def test_keys_are_read_by_name_only() -> None:
    assert keys_read(compile_expression("params['a'] + get(params, 'b', 1)")) == {"a", "b"}
    assert keys_read(compile_expression("params[key] + get(other, 'b', 1) + case['number']")) == set()


def test_the_library_reads_no_parameter_that_there_is_not() -> None:
    library = Library.standing()
    answers = bounded.judge(
        [library.package(name) for name in library.processes()], WORDS.roles, {}, parameters=WORDS.values
    )
    assert [each for answer in answers for each in answer.findings if each.code == "unknown-parameter"] == []
