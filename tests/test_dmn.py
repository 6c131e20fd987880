"""Reading DMN files, and what their tables decide under each hit policy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.dmn import MOST_CELLS, VERSIONS, read_tables
from bpmn.dmn_coverage import gaps_and_overlaps
from bpmn.dmn_table import Table, Undecided
from forms.expressions import ExpressionError
from forms.values import Value
from forms.words import Finding, Unfit
from tests.harness.tables import decision, dmn, requires, table


def refused(data: bytes) -> list[Finding]:
    """The findings for which a file is refused, each a sentence in both languages."""
    with pytest.raises(Unfit) as refusal:
        read_tables(data, "x.dmn")
    for finding in refusal.value.findings:
        assert finding.file == "x.dmn"
        assert "：" in finding.text.zh or "不" in finding.text.zh
        assert ":" in finding.text.en
    return refusal.value.findings


def codes(data: bytes) -> list[str]:
    return [finding.code for finding in refused(data)]


def decided(of: Table, **names: Value) -> Value:
    return of.decide(names, {}).value


def undecided(of: Table, **names: Value) -> str:
    """The English sentence of a table that gives no result."""
    with pytest.raises(Undecided) as error:
        of.decide(names, {})
    assert error.value.text.zh
    return error.value.text.en


# Hit policies.

STEPS = "< 3 -> 1\n< 5 -> 2\n[4..9] -> 3"


@pytest.mark.parametrize(
    ("hit", "expected"),
    [
        ("FIRST", {1: 1, 4: 2, 9: 3}),
        ("F", {1: 1}),
        ("RULE ORDER", {1: [1, 2], 4: [2, 3], 10: []}),
        ("R", {1: [1, 2]}),
        ("COLLECT", {1: [1, 2], 10: []}),
        ("C", {4: [2, 3]}),
        ("C+", {1: 3, 4: 5}),
        ("C<", {1: 1, 4: 2}),
        ("C>", {1: 2, 4: 3}),
        ("C#", {1: 2, 9: 1, 10: 0}),
        ('COLLECT" aggregation="SUM', {1: 3}),
        ('COLLECT" aggregation="MIN', {4: 2}),
        ('COLLECT" aggregation="MAX', {4: 3}),
        ('COLLECT" aggregation="COUNT', {10: 0}),
    ],
)
def test_a_hit_policy_says_which_results_count(hit: str, expected: Mapping[int, Value]) -> None:
    drawn = decision(STEPS, hit="POLICY").replace("POLICY", hit.replace("<", "&lt;"))
    of = read_tables(dmn(drawn), "x.dmn")["d"]
    assert {a: decided(of, a=a) for a in expected} == expected


def test_a_table_tells_which_rules_matched_and_what_its_inputs_were() -> None:
    made = table(STEPS, hit="R").decide({"a": 4}, {})
    assert (made.table, made.inputs, made.rules, made.value) == ("d", {"a": 4}, (2, 3), [2, 3])


def test_unique_is_the_policy_where_none_is_named_and_refuses_two_matches() -> None:
    for hit in ("", "UNIQUE", "U", "unique"):
        of = table("< 3 -> 1\n< 5 -> 2\n>= 5 -> 3", hit=hit)
        assert decided(of, a=4) == 2
        assert undecided(of, a=2) == "the decision table “d” (a = 2): the rules 1, 2 all match, but only one may"


def test_any_takes_the_same_result_from_several_rules_and_refuses_different_ones() -> None:
    of = table("< 3 -> [1, 2]\n< 5 -> [1, 1 + 1]\n< 9 -> [1]", hit="ANY")
    assert decided(of, a=6) == [1]
    assert undecided(of, a=4) == "the decision table “d” (a = 4): the rules 2, 3 all match, but their results differ"
    assert decided(table("< 3 -> 1\n< 5 -> 1.0", hit="A"), a=1) == 1


def test_priority_and_output_order_follow_the_allowed_values_of_the_output() -> None:
    rules = '< 9 -> "low"\n< 5 -> "high"\n< 7 -> "middle"\n< 2 -> "low"'
    outputs = 'r in "high","middle","low"'
    assert decided(table(rules, outputs=outputs, hit="PRIORITY"), a=6) == "middle"
    assert decided(table(rules, outputs=outputs, hit="P"), a=1) == "high"
    assert decided(table(rules, outputs=outputs, hit="OUTPUT ORDER"), a=1) == ["high", "middle", "low", "low"]
    two = table('- -> "b" | 1\n- -> "a" | 2\n- -> "a" | 1', outputs='x in "a","b"; y in 1,2', hit="P")
    assert two.decide({"a": 0}, {}).value == {"x": "a", "y": 1}


def test_several_outputs_give_a_record_and_lists_of_records() -> None:
    rules = '< 3 -> 1 | ["dept_head"]\n< 5 -> 2 | null'
    assert decided(table(rules, outputs="tier; chain", hit="F"), a=1) == {"tier": 1, "chain": ["dept_head"]}
    of = table(rules, outputs="tier; chain", hit="C")
    assert decided(of, a=1) == [{"tier": 1, "chain": ["dept_head"]}, {"tier": 2, "chain": None}]
    assert [each.shape for each in (of, table(STEPS), table(STEPS, hit="C"), table(STEPS, hit="C+"))] == [
        "resultList", "singleEntry", "collectEntries", "singleEntry",
    ]  # fmt: skip


def test_the_default_counts_where_no_rule_matches_and_is_told_as_no_rule() -> None:
    of = table("< 3 -> 1\n< 3 -> 5", outputs="r else 7 + 1", hit="C>")
    assert (decided(of, a=1), decided(of, a=3)) == (5, 8)
    assert of.decide({"a": 3}, {}).rules == ()
    assert decided(table("< 3 -> 1", outputs="r else 0"), a=3) == 0
    assert decided(table("< 3 -> 1", outputs="r else 0", hit="C"), a=3) == [0]


@pytest.mark.parametrize("hit", ["U", "A", "F", "P", "C+", "C<", "C>"])
def test_no_match_and_no_default_is_an_error_that_names_table_and_inputs(hit: str) -> None:
    of = table('< 3 | "a" -> 1', inputs="a; max(b, 2)", outputs="r in 1,2", hit=hit)
    said = "the decision table “d” (a = 5, max(b, 2) = 4): no rule matches and there is no default"
    assert undecided(of, a=5, b=4) == said


def test_an_empty_input_matches_only_what_speaks_of_it() -> None:
    assert "no rule matches" in undecided(table("< 3 -> 1\n>= 3 -> 2"), a=None)
    assert decided(table("< 3 -> 1\n>= 3 -> 2\nnull -> 0"), a=None) == 0


@pytest.mark.parametrize(
    ("inputs", "value", "said"),
    [
        ("a : integer", "5", "input a: it should be a whole number, but is a text"),
        ("a : integer in 1,2,3,4,5", 6, "input a: 6 is not allowed, only 1,2,3,4,5"),
        ("a : number", True, "input a: it should be a number, but is yes/no"),
        ("a : string", 5, "input a: it should be a text, but is an integer"),
        ("a : boolean", 5, "true or false"),
        ("a : date", 5, "a date"),
        ("b", 5, "input b: the variable b has not been given a value"),
        ("a", "x", "rule 1"),
    ],
)
def test_an_input_of_another_kind_is_an_error_and_no_mismatch(inputs: str, value: Value, said: str) -> None:
    rule = "- -> 1" if inputs != "a" else "5 -> 1"
    assert said in undecided(table(rule, inputs=inputs), a=value)


def test_what_a_rule_gives_must_be_allowed_and_must_have_a_value() -> None:
    of = table("< 3 -> a\n< 5 -> 1 // (a - 3)\n< 7 -> 1", outputs="r in 1,2", hit="F")
    assert decided(of, a=2) == 2
    assert "rule 1: 0 is not allowed, only 1,2" in undecided(of, a=0)
    assert "rule 2" in undecided(of, a=3)


# Files.


def test_several_decisions_of_a_file_are_found_by_id_and_else_by_name() -> None:
    tables = read_tables(
        dmn(
            decision("- -> 1", attributes='id="tier" name="档次"'),
            decision("- -> 2", attributes='name="下限"'),
            decision("- -> 3", attributes='id="x" name="Decision 1"'),
            decision("- -> 4", attributes='id="y" name="Decision 1"'),
        ),
        "x.dmn",
    )
    assert {name: decided(each, a=0) for name, each in tables.items()} == {
        "tier": 1, "档次": 1, "下限": 2, "x": 3, "y": 4,
    }  # fmt: skip


@pytest.mark.parametrize("space", sorted(VERSIONS))
def test_every_version_of_dmn_is_read(space: str) -> None:
    assert decided(read_tables(dmn(decision("- -> 1"), space=space), "x.dmn")["d"], a=0) == 1


def test_what_modelers_write_besides_is_no_obstacle() -> None:
    file = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="dish" name="DRD" exporter="dmn-js"
        xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/" xmlns:camunda="http://camunda.org/schema/1.0/dmn"
        expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/">
      <inputData id="in" name="Season"><variable name="Season"/></inputData>
      <itemDefinition name="t"><typeRef>string</typeRef></itemDefinition>
      <decision id="d" name="Dish" camunda:historyTimeToLive="5"><description>What to eat</description>
        <variable name="Dish" typeRef="string"/>
        <informationRequirement id="r"><requiredInput href="#in"/></informationRequirement>
        <decisionTable id="t" preferredOrientation="Rule-as-Row" outputLabel="Dish">
          <input id="i" label="Season" camunda:inputVariable="season"><inputExpression id="e" typeRef="feel:string">
            <text>season</text></inputExpression><inputValues><text>"Winter","Summer"</text></inputValues></input>
          <output id="o" label="Dish" name="dish" typeRef="string"/><annotation name="Why"/>
          <rule id="r1"><description>cold</description>
            <inputEntry id="c1" expressionLanguage="feel"><text>"Winter"</text></inputEntry>
            <outputEntry id="c2"><text>"Roastbeef"</text></outputEntry>
            <annotationEntry><text>why?</text></annotationEntry></rule>
          <rule><inputEntry><text></text></inputEntry><outputEntry><text>"Salad"</text></outputEntry></rule>
        </decisionTable></decision>
      <dmndi:DMNDI><dmndi:DMNDiagram/></dmndi:DMNDI></definitions>"""
    of = read_tables(file.encode(), "x.dmn")["Dish"]
    assert undecided(of, season="Winter").endswith("the rules 1, 2 all match, but only one may")
    assert decided(of, season="Summer") == "Salad"


def expressed(inner: str) -> bytes:
    return dmn(f'<decision id="d">{inner}</decision>')


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        *((expressed(f"<{name}/>"), ["unsupported", "no-table"]) for name in (
            "literalExpression", "context", "invocation", "relation", "list", "functionDefinition", "conditional",
            "filter", "for", "every", "some", "knowledgeRequirement",
        )),
        *((dmn(f"<{name}/>", decision("- -> 1")), ["unsupported"]) for name in (
            "businessKnowledgeModel", "decisionService", "import",
        )),
        (expressed(""), ["no-table"]),
        (dmn(), ["no-decision"]),
        (dmn(decision("- -> 1", attributes="")), ["bad-id"]),
        (dmn(decision("- -> 1"), decision("- -> 2")), ["duplicate-id"]),
        (dmn(decision("- -> 1", hit="C*")), ["hit-policy"]),
        (dmn(decision("- -> 1", hit="U+")), ["hit-policy"]),
        (dmn(decision("- -> 1", hit="PRIORITY")), ["priority"]),
        (dmn(decision("- -> 1 | 2", outputs="x; y", hit="C+")), ["aggregation"]),
        (dmn(decision("- -> 1", outputs="x else 1", hit="C#")), ["default"]),
        (dmn(decision("- -> 1 | 2", outputs="x; y else 1")), ["default"]),
        (dmn(decision("")), ["no-rules"]),
        (dmn(decision("- | - -> 1")), ["rule-width"]),
        (dmn(decision("- -> 1 | 2")), ["rule-width"]),
        (dmn(decision("- -> 1 | 2", outputs="x; x")), ["bad-name"]),
        (dmn(decision("- -> 1 | 2", outputs="x; ")), ["bad-name"]),
        (dmn(decision("- ->")), ["no-result"]),
        (dmn(decision("- -> -")), ["no-result"]),
        (dmn(decision("- -> 3", outputs="r in 1,2")), ["not-allowed"]),
        (dmn(decision("- -> 'a'", outputs="r in 1,2")), ["not-allowed"]),
        (dmn(decision("1; 2 -> 3")), ["cell"]),
        (dmn(decision("- -> lambda: 1")), ["cell"]),
        (dmn(decision("- -> 1", inputs="a.b")), ["cell"]),
        (dmn(decision("- -> 1", inputs="a : time")), ["type"]),
        (dmn(decision("- -> 1").replace("<text>a</text>", "")), ["no-input-expression"]),
        (dmn(decision("- -> 1").replace("<inputEntry>", '<inputEntry expressionLanguage="javascript">')),
         ["expression-language"]),
        (dmn(decision("- -> 1").replace("<outputEntry>", "<outputEntry><importedValues/>")), ["unsupported"]),
        (dmn(decision("- -> 1", inner=requires("gone"))), ["dangling-reference"]),
        (dmn(decision("- -> 1", inner=requires("d"))), ["circle"]),
        (dmn(decision("- -> 1", inner=requires("e")), decision("- -> 1", inner=requires("d"), attributes='id="e"')),
         ["circle", "circle"]),
        (dmn(decision("- -> 1", inner=requires("e", "f")), decision("- -> 1", attributes='id="e"'),
             decision("- -> 1", attributes='id="f"')), ["name-clash"]),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_by_name(data: bytes, expected: list[str]) -> None:
    assert codes(data) == expected


def test_all_findings_are_told_at_once_each_with_its_line() -> None:
    other = decision("- -> 1", "b c", attributes='id="e"')
    found = refused(dmn(decision("1; 2 -> 3\n- -> x y", inputs="a : time"), other))
    assert [(finding.line, finding.element, finding.code) for finding in found] == [
        (3, "d", "type"), (4, "d", "cell"), (5, "d", "cell"), (7, "e", "cell"),
    ]  # fmt: skip
    assert "规则 1“a” 的“1; 2”不可用" in found[1].text.zh


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"PK\x03\x04", "not-xml"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><definitions>&a;</definitions>', "doctype"),
        (b"<definitions/>", "wrong-root"),
        (b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "wrong-root"),
        (dmn(decision("- -> 1"))[:-30], "truncated"),
        (dmn("<decision>" * 300 + "</decision>" * 300), "too-deep"),
        (dmn(decision("- -> 1\n" * (MOST_CELLS // 2 + 1))), "too-many-elements"),
        (dmn("".join(decision("- -> 1", attributes=f'id="d{n}"') for n in range(101))), "too-many-elements"),
        (dmn(decision("- -> 1", attributes=f'id="{"x" * 3_000}"')), "bad-id"),
        (dmn(decision("- -> 1", inputs="(" * 3_000)), "cell"),
        (dmn(decision(f"{'not(' * 900} -> 1")), "cell"),
        (dmn(decision(f"{'1,' * 1_900}1 -> 1")), "cell"),
        (dmn(decision("- -> __import__('os').system('true')")), "cell"),
        (dmn(decision("- -> 9 ** 9 ** 9")), "cell"),
    ],
    ids=lambda value: value[:20].decode("latin-1") if isinstance(value, bytes) else None,
)  # fmt: skip
def test_hostile_files_are_refused_at_once(data: bytes, code: str) -> None:
    began = time.process_time()
    assert code in codes(data)
    assert time.process_time() - began < 60


TIERS = (Path(__file__).parent / "packages" / "tiered" / "approval_tier.dmn").read_bytes()


@given(st.integers(0, len(TIERS)), st.integers(0, 60), st.text(alphabet='<>"&;/[](). -?ad1', max_size=12))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(at: int, gone: int, instead: str) -> None:
    try:
        tables = read_tables(TIERS[:at] + instead.encode() + TIERS[at + gone :], "x.dmn")
    except Unfit:
        return
    for each in tables.values():
        assert gaps_and_overlaps(each, {"tier_thresholds_fen": [1, 2, 3]}) is not None
        with suppress(ExpressionError):
            each.decide({"a": 1}, {})


def test_decisions_that_require_each_other_along_many_ways_are_decided_once_each() -> None:
    layers = [decision("- -> a", outputs="", attributes=f'id="{key}0"') for key in "ab"]
    for n in range(1, 45):
        for key in "ab":
            inner, rule = requires(f"a{n - 1}", f"b{n - 1}"), f"- -> max(a{n - 1}, b{n - 1}) + 1"
            layers.append(decision(rule, outputs="", attributes=f'id="{key}{n}"', inner=inner))
    of = read_tables(dmn(*layers), "x.dmn")["a44"]
    made = of.decide({"a": 46}, {})
    assert (len(made.before), made.before[0].table, made.value) == (88, "a0", 90)


def test_a_required_decision_is_read_by_id_name_variable_and_output() -> None:
    first = decision("- -> 5", inputs="x", outputs="tier",
                     attributes='id="by_amount" name="byAmount"', inner='<variable name="amount_tier"/>')
    rule = "- -> [by_amount, byAmount, amount_tier, tier, a]"
    of = read_tables(dmn(decision(rule, inner=requires("by_amount")), first), "x.dmn")["d"]
    assert decided(of, a=1, x=0, tier=9) == [5, 5, 5, 5, 1]
    assert of.names == {"a", "x"}
