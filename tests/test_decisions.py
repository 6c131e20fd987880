"""Business rule tasks: what the gate says of them, how a package brings its tables, and what a case makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bpmn.dmn import read_tables
from bpmn.dmn_table import Table
from bpmn.lint import check_diagram
from bpmn.reader import read_diagram
from engine.gate import check_package
from engine.library import Library, Package, package_at
from engine.runtime.builder import Model
from forms.values import Value
from tests.drawing import Drawn
from tests.harness.gate import APPLY, END, START, WORLD
from tests.harness.models import model
from tests.harness.tables import decision, dmn, requires
from tests.office import PACKAGES
from tests.playing import Play, incident

STEPS = decision("< 10 -> 1\n>= 10 -> 2", "count : integer", attributes='id="tier" name="档次"')
ROLES = decision("- -> people('clark')", "count", attributes='id="roles"')
GONE = decision("exclusive -> 1", "gone", attributes='id="gone"', hit="C")
MANY = decision("- -> 1", "count", attributes='id="many"', hit="C")
TABLES = read_tables(dmn(STEPS, ROLES, GONE, MANY), "t.dmn")

NAMES = 'xmlns:flowable="http://flowable.org/bpmn" '


def gate(task: str, lines: str = "s -> apply\napply -> x\nx -> e", more: str = "") -> list[tuple[str, str | None]]:
    """What the gate says of a process with one business rule task (or what stands for it), by code and element."""
    data = model(START + APPLY + task + more + END, lines).replace(b"<definitions ", f"<definitions {NAMES}".encode())
    found = check_diagram(read_diagram(data, "test.bpmn"), replace(WORLD, tables=TABLES))
    for finding in found:
        assert finding.line > 0 and "：" in finding.text.zh and ": " in finding.text.en
    return [(finding.code, finding.element) for finding in found]


def rule(attributes: str, inner: str = "") -> str:
    return f'<businessRuleTask id="x" {attributes}>{inner}</businessRuleTask>'


def zeebe(attributes: str) -> str:
    return rule("", f"<extensionElements><zeebe:calledDecision {attributes}/></extensionElements>")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (rule('policy:decision="tier" policy:into="t"'), []),
        (rule('policy:decision="档次" policy:into="t"'), []),
        (rule('policy:into="t"'), ["unknown-decision"]),
        (rule('policy:decision="teir" policy:into="t"'), ["unknown-decision"]),
        (rule('policy:decision="=apply" policy:into="t"'), ["unknown-decision"]),
        (rule('policy:decision="tier"'), ["no-into"]),
        (rule('policy:decision="tier" policy:into="a b"'), ["bad-name"]),
        (rule('policy:decision="tier" policy:into="params"'), ["reserved-name"]),
        (rule('policy:decision="tier" policy:into="t" policy:inot="t"'), ["unknown-attribute"]),
        (rule('policy:decision="gone" policy:into="t"'), ["unbrought-name", "unbrought-name"]),
        (rule('policy:decision="roles" policy:into="t"'), ["unknown-role"]),
        (rule('camunda:decisionRef="tier" camunda:resultVariable="t"'), []),
        (rule('camunda:decisionRef="tier" camunda:resultVariable="t" camunda:mapDecisionResult="singleEntry"'), []),
        (rule('camunda:decisionRef="many" camunda:resultVariable="t" camunda:mapDecisionResult="collectEntries"'), []),
        (rule('camunda:decisionRef="tier" camunda:resultVariable="t" camunda:mapDecisionResult="resultList"'),
         ["decision-shape"]),
        (rule('camunda:decisionRef="tier" camunda:resultVariable="t" camunda:decisionRefBinding="deployment"'), []),
        (rule('camunda:decisionRef="tier" camunda:resultVariable="t" camunda:decisionRefVersion="2"'), ["unsupported"]),
        (rule('camunda:decisionRef="${which}" camunda:resultVariable="t"'), ["foreign-value", "unknown-decision"]),
        (rule('camunda:class="org.Rule"'), ["unsupported", "unknown-decision", "no-into"]),
        (zeebe('decisionId="tier" resultVariable="t"'), []),
        (zeebe('decisionId="tier" resultVariable="t" bindingType="deployment"'), []),
        (zeebe('decisionId="=which" resultVariable="t"'), ["foreign-value", "unknown-decision"]),
        (zeebe('decisionId="tier" resultVariable="t" retries="3"'), ["unsupported"]),
        (rule("", '<extensionElements><zeebe:taskDefinition type="x"/></extensionElements>'),
         ["unsupported", "unknown-decision", "no-into"]),
        (rule('flowable:rules="a" flowable:resultVariable="t"'), ["unsupported", "unknown-decision"]),
        ('<scriptTask id="x" camunda:resultVariable="t"><script>a = 1</script></scriptTask>', ["unsupported"]),
        ('<serviceTask id="x" flowable:type="dmn"/>', ["unsupported", "no-operation"]),
    ],
)  # fmt: skip
def test_a_business_rule_task_names_a_table_of_the_package_and_a_variable(task: str, expected: list[str]) -> None:
    assert sorted(gate(task)) == sorted((code, "x") for code in expected)


def test_the_variable_is_brought_and_in_a_loop_only_inside() -> None:
    lines = "s -> apply\napply -> x\nx -> g\ng -> e if t > 1\ng -> f"
    more = '<exclusiveGateway id="g" default="g_f"/><endEvent id="f" policy:outcome="n"/>'
    assert gate(rule('policy:decision="tier" policy:into="t"'), lines, more) == []
    assert gate(rule('policy:decision="tier" policy:into="u"'), lines, more) == [("unbrought-name", "g_e")]
    loop = '<multiInstanceLoopCharacteristics policy:collection="[1]" policy:output="ts" policy:result="t"/>'
    looped = rule('policy:decision="tier" policy:into="t"', loop)
    assert gate(looped, lines, more) == [("unbrought-name", "g_e")]
    assert gate(looped, lines.replace("t > 1", "sum(ts) > 1"), more) == []


# Packages.

FORM = b"""id: apply
title: {zh: a, en: a}
fields:
  - {code: count, kind: integer, label: {zh: n, en: n}, required: true, example: 1}
"""


def packaged(**tables: bytes) -> list[tuple[str, str, int, str | None]]:
    """What the gate says of a package with these .dmn files: code, file, line, element."""
    task = rule('policy:decision="tier" policy:into="t"')
    files = {"process.bpmn": model(START + APPLY + task + END, "s -> apply\napply -> x\nx -> e")}
    files |= {"forms/apply.yaml": FORM, **{f"{name}.dmn": data for name, data in tables.items()}}
    vocabulary = Library.standing().vocabulary()
    _, findings = check_package(Package("p", files), vocabulary.roles, {}, vocabulary.values)
    return [(each.code, each.file, each.line, each.element) for each in findings]


def test_a_package_brings_its_tables_in_dmn_files() -> None:
    assert packaged(t=dmn(STEPS)) == []
    assert packaged(folder=dmn(MANY), t=dmn(STEPS)) == []
    assert packaged() == [("unknown-decision", "process.bpmn", 5, "x")]


def test_a_table_that_cannot_be_read_is_named_with_its_file() -> None:
    found = packaged(t=dmn(STEPS.replace("&lt; 10", "1; 2")))
    assert ("cell", "t.dmn", 4, "tier") in found


def test_a_gap_is_refused_with_the_value_that_falls_between() -> None:
    gap = dmn(STEPS.replace("&gt;= 10", "&gt; 10"))
    assert packaged(t=gap) == [("table-gap", "t.dmn", 3, "tier")]
    limits = "params['tier_thresholds_fen']"
    of_parameters = decision(f"< {limits}[0] -> 1\n> {limits}[0] -> 2", "count : integer", attributes='id="tier"')
    assert packaged(t=dmn(of_parameters)) == [("table-gap", "t.dmn", 3, "tier")]
    gone = packaged(t=dmn(of_parameters.replace("tier_thresholds_fen", "gone")))
    assert {code for code, *_ in gone} == {"cell-value", "unknown-parameter"}


def test_a_diagram_alone_brings_the_tables_that_lie_beside_it() -> None:
    whole = package_at(PACKAGES / "tiered")
    alone = package_at(PACKAGES / "tiered" / "process.bpmn")
    assert "approval_tier.dmn" in alone.files
    assert alone.files == whole.files


def test_two_files_may_share_a_name_but_no_id() -> None:
    other = decision("- -> 1", "count", attributes='id="other" name="档次"')
    assert packaged(t=dmn(STEPS), u=dmn(other)) == []
    assert packaged(t=dmn(STEPS), u=dmn(STEPS)) == [("duplicate-decision", "u.dmn", 3, "tier")]


# Cases.


def drawn(tables: Mapping[str, Table], *, loop: str = "") -> Drawn:
    """A process that decides first and then waits at ``a``."""
    task = rule('name="定档" policy:decision="tier" policy:into="t"', loop)
    data = model(START + task + '<userTask id="a"/>' + END, "s -> x\nx -> a\na -> e")
    whole = Drawn("p", {"p": data})
    whole.model = Model("p", whole.diagrams, {"p": tables})
    return whole


def test_the_result_goes_into_the_variable_and_what_decided_is_told() -> None:
    play = Play(drawn(TABLES), count=10)
    assert play.variables() == {"count": 10, "t": 2}
    (made,) = [each for each in play.told if each.kind == "decision.made"]
    assert (made.element, made.process) == ("x", "p")
    assert made.about == {"table": "tier", "rules": [2], "values": {"count": 10}, "written": {"t": 2}}


def test_required_decisions_are_told_first() -> None:
    first = decision("< 5 -> 1", "count", "step else 7", attributes='id="first"')
    then = decision("- -> [first, step]", "first", attributes='id="tier"', inner=requires("first"))
    play = Play(drawn(read_tables(dmn(first, then), "t.dmn")), count=6)
    made = [each.about for each in play.told if each.kind == "decision.made"]
    assert made == [
        {"table": "first", "rules": [], "values": {"count": 6}, "written": {"t.first": 7}},
        {"table": "tier", "rules": [1], "values": {"first": 7}, "written": {"t": [7, 7]}},
    ]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("< 5 -> 1", "x could not decide: the decision table “tier” (count = 6): no rule matches"),
        ("< 9 -> 1\n< 8 -> 2", "the rules 1, 2 all match"),
        ('"six" -> 1', "rule 1: "),
        ("- -> 1 // (count - 6)", "the divisor is zero"),
    ],
)
def test_no_result_is_an_incident_that_names_element_table_and_values(rules: str, said: str) -> None:
    tables = read_tables(dmn(decision(rules, "count", attributes='id="tier"')), "t.dmn")
    told = incident(lambda: Play(drawn(tables), count=6))
    assert said in told and "count = 6" in told


def test_a_secret_table_names_no_value() -> None:
    of = read_tables(dmn(decision("< 5 -> 1", "count", attributes='id="tier"')), "t.dmn")
    told = incident(lambda: Play(drawn({"tier": replace(of["tier"], secret=True)}), count=6))
    assert "count = …" in told and "6" not in told


def test_each_member_of_a_loop_decides_for_itself() -> None:
    loop = (
        '<multiInstanceLoopCharacteristics policy:collection="counts" policy:item="count" policy:output="ts"'
        ' policy:result="t"/>'
    )
    values: dict[str, Value] = {"counts": [1, 10, 3]}
    play = Play(drawn(TABLES, loop=loop), values)
    assert play.variables() == {"counts": [1, 10, 3], "ts": [1, 2, 1]}
