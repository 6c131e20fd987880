"""What a decision table leaves open and where it contradicts itself is found exactly, with a value that shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bpmn.dmn_coverage import MOST_FOUND, Coverage, coverage, gaps_and_overlaps
from bpmn.dmn_table import Table, Undecided
from forms.values import Value
from tests.harness.cells import Written, boolean_cells, number_cells, text_cells
from tests.harness.tables import table

PARAMETERS: dict[str, Value] = {"limits": [100, 500], "kind": "a", "whole": 10, "day": None}


def found(rules: str, inputs: str = "a : integer", outputs: str = "r", hit: str = "") -> Coverage:
    return coverage(table(rules, inputs, outputs, hit), PARAMETERS)


def gaps(rules: str, inputs: str = "a : integer", outputs: str = "r", hit: str = "") -> list[Mapping[str, Value]]:
    whole = found(rules, inputs, outputs, hit)
    assert whole.overlaps == []
    return [dict(gap.values) for gap in whole.gaps]


def overlaps(rules: str, inputs: str = "a : integer", hit: str = "") -> list[tuple[int, int, Mapping[str, Value]]]:
    whole = found(rules, inputs, hit=hit)
    assert whole.gaps == []
    return [(each.first.number, each.second.number, dict(each.example.values)) for each in whole.overlaps]


@pytest.mark.parametrize(
    ("rules", "inputs", "expected"),
    [
        ("< 100_000_000 -> 1\n> 100_000_000 -> 2", "a : integer", [100_000_000]),
        ("< 100_000_000 -> 1\n>= 100_000_000 -> 2", "a : integer", []),
        ("<= 10 -> 1\n>= 11 -> 2", "a : integer", []),
        ("<= 10 -> 1\n>= 11 -> 2", "a : number", [Decimal("10.5")]),
        ("<= 10 -> 1\n>= 11 -> 2", "a", [Decimal("10.5")]),
        ("<= 1.5 -> 1\n>= 1.75 -> 2", "a : number", [Decimal("1.625")]),
        ("< 1.5 -> 1\n> 1.5 -> 2", "a : integer", []),
        ("<= 10 -> 1\n>= 20 -> 2", "a : number", [11]),
        ("[0..10) -> 1\n[10..20] -> 2", "a : integer", [-1, 21]),
        ("[0..10) -> 1\n[10..20] -> 2", "a : integer in [0..20]", []),
        ("[0..10) -> 1\n[10..20] -> 2", "a : integer in >= 0", [21]),
        ("not(3, 5, [8..9]) -> 1", "a : integer", [3, 5, 8]),
        ("1 -> 1\n3 -> 3", "a : integer in 1,2,3", [2]),
        ('"a" -> 1\n"b" -> 2', "a : string", ["other"]),
        ('"a","other" -> 1\n"other2" -> 2', "a : string", ["other3"]),
        ('"a" -> 1\n"b" -> 2', 'a : string in "a","b","c"', ["c"]),
        ('"a" -> 1\nnot("a") -> 2', "a : string", []),
        ("true -> 1", "a : boolean", [False]),
        ("true -> 1\nfalse -> 2", "a", []),
        ("- -> 1", "a", []),
        ("< 5 -> 1\n>= 5 -> 2", "a", []),
        ("null -> 1\n>= 5 -> 2", "a", [4]),
        ("not(null) -> 1", "a", [None]),
        ("< 5 -> 1\nnot( < 5) -> 2\n not(null) -> 3", "a", None),
        ("< limit -> 1\n- -> 2", "a", None),
        ("< params['limits'][0] -> 1\n> params['limits'][0] -> 2", "a", [100]),
        ("< params['limits'][0] -> 1\n[params['limits'][0]..params['limits'][1]) -> 2\n>= params['limits'][1] -> 3",
         "a", []),
        ("params['kind'] -> 1\nnot(\"a\") -> 2", "a : string", []),
        ('< date("2026-03-01") -> 1\n> date("2026-03-01") -> 2', "a : date", ["2026-03-01"]),
        ('<= date("2026-02-28") -> 1\n>= date("2026-03-01") -> 2', "a : date", []),
        ('>= date("2026-03-01") -> 2', "a", ["2026-02-28"]),
    ],
)  # fmt: skip
def test_the_value_that_falls_between_is_named(rules: str, inputs: str, expected: list[Value] | None) -> None:
    if expected is None:
        assert not found(rules, inputs).sound
        return
    values = [gap["a"] for gap in gaps(rules, inputs)]
    assert [value.isoformat() if isinstance(value, date) else value for value in values] == expected


def test_gaps_of_several_inputs_are_boxes_and_name_only_what_matters() -> None:
    whole = found('< 10 | "a" | - -> 1\n>= 10 | - | true -> 2', 'a : integer; m : string in "a","b"; f : boolean')
    said = [gap.said.en for gap in whole.gaps]
    assert said == ['a = 9, m = "b"', "a = 10, f = false"]


def test_columns_that_look_at_the_same_are_one_input() -> None:
    assert gaps(">= 0 | < 10 -> 1\n>= 10 | - -> 2\n< 0 | < 10 -> 3", "a : integer; a : integer") == []
    assert gaps(">= 0 | < 10 -> 1\n> 10 | - -> 2\n< 0 | < 10 -> 3", "a : integer; a : integer") == [{"a": 10}]


@pytest.mark.parametrize(
    ("rules", "inputs", "expected"),
    [
        ("<= 10 -> 1\n>= 10 -> 2", "a : integer", [(1, 2, {"a": 10})]),
        ("< 11 -> 1\n> 9 -> 2\n10 -> 3", "a : integer", [(1, 2, {"a": 10}), (1, 3, {"a": 10}), (2, 3, {"a": 10})]),
        ("< 10 -> 1\n> 9 -> 2", "a : integer", []),
        ("< 10 -> 1\n> 9 -> 2", "a : number", [(1, 2, {"a": Decimal("9.5")})]),
        ('"a","b" -> 1\nnot("a") -> 2', "a : string", [(1, 2, {"a": "b"})]),
        ("- -> 1\n- -> 2", "a", [(1, 2, {"a": 0})]),
        ("- -> 1\nnull -> 2", "a : integer", [(1, 2, {"a": None})]),
        ("not( < 5) -> 1\n< 5 -> 2\nnull -> 3", "a : integer", []),
        ("not(5) -> 1\n5, null -> 2", "a : integer", [(1, 2, {"a": None})]),
        ("< params['whole'] -> 1\n>= 9 -> 2", "a : integer", [(1, 2, {"a": 9})]),
        ("< 5 | true -> 1\n>= 5 | - -> 2\n- | false -> 3", "a : integer; f : boolean", [(2, 3, {"a": 5, "f": False})]),
    ],
)
def test_rules_that_both_match_are_named_with_a_value(
    rules: str, inputs: str, expected: list[tuple[int, int, Mapping[str, Value]]]
) -> None:
    assert overlaps(rules, inputs) == expected
    for hit in ("F", "R", "C", "C+", "C#"):
        assert found(rules, inputs, hit=hit).overlaps == []


def test_under_any_only_different_results_contradict_each_other() -> None:
    assert overlaps("<= 10 -> 1\n>= 10 -> 2 - 1", hit="ANY") == []
    assert overlaps("<= 10 -> x\n>= 10 -> x", hit="ANY") == []
    assert overlaps("<= 10 -> 1\n>= 10 -> 2", hit="ANY") == [(1, 2, {"a": 10})]
    assert found("<= 10 -> x\n>= 10 -> 2", hit="ANY").unknown == ["2"]


@pytest.mark.parametrize("hit", ["C", "R", "C#"])
def test_lists_and_counts_have_no_gaps_nor_has_a_table_with_a_default(hit: str) -> None:
    assert gaps("< 5 -> 1", hit=hit) == []
    assert gaps("< 5 -> 1", outputs="r else 0") == []
    assert gaps("< 5 -> 1", hit="C>") == [{"a": 5}]


def test_what_is_known_only_later_is_not_taken_for_complete_nor_for_a_gap() -> None:
    for rules in ("< limit -> 1\n>= limit -> 2", "? > 5 -> 1\n- -> 2", '< "m" -> 1\n>= "m" -> 2', "< today() -> 1"):
        whole = found(rules, "a")
        assert (whole.gaps, whole.overlaps, whole.sound) == ([], [], False)
        assert whole.unknown
        [told] = gaps_and_overlaps(table(rules), PARAMETERS)
        assert (told.code, told.severity) == ("coverage-unknown", "warning")
    assert found("< limit -> 1\n- -> 2", hit="F").sound
    assert found("- | < limit -> 1", "a : integer; b", outputs="r else 0").sound
    assert found("< 5 | < limit -> 1\n>= 5 | - -> 2", "a : integer; b").unknown == ["limit"]


def test_cells_of_another_kind_and_missing_parameters_are_errors() -> None:
    for rules, inputs in (
        ('"a" -> 1', "a : integer"), ('"a" -> 1\n3 -> 2', "a"), ("3 -> 1", "a : boolean"),
        ("< params['gone'] -> 1", "a"), ("< null -> 1", "a"), ("params['limits'] -> 1", "a"),
    ):  # fmt: skip
        told = gaps_and_overlaps(table(rules, inputs), PARAMETERS)
        assert [each.code for each in told if each.severity == "error"] == ["cell-value"], rules


def test_rules_that_never_count_are_warned_of() -> None:
    assert [rule.number for rule in found("< 5 -> 1\n< 3 -> 2\n- -> 3\n9 -> 4", hit="F").unreached] == [2, 4]
    assert [rule.number for rule in found("[5..3] -> 1\n- -> 2").unreached] == [1]
    assert [rule.number for rule in found("7 -> 1\n- -> 2", "a : integer in 1,2").unreached] == [1]


def test_findings_name_file_line_table_rules_and_value_in_both_languages() -> None:
    gap, overlap = gaps_and_overlaps(table("< 100 -> 1\n[101..200] -> 2\n>= 200 -> 3", "a : integer"), {})
    assert (gap.code, gap.file, gap.line, gap.element) == ("table-gap", "x.dmn", 3, "d")
    assert "没有规则管到 a = 100：" in gap.text.zh and "no rule covers a = 100: " in gap.text.en
    assert (overlap.code, overlap.line) == ("table-overlap", 6)
    assert "规则 2 和 3 都管到 a = 200：" in overlap.text.zh


def test_a_large_table_is_judged_quickly_and_too_large_a_one_is_said_to_be() -> None:
    side = "\n".join(f"[{n}..{n + 1}) | [0..100) | [0..{n + 1}) -> {n}" for n in range(200))
    began = time.process_time()
    assert found(side, "a : number; b : number; c : number").gaps
    assert time.process_time() - began < 60
    began = time.process_time()
    lines = (" | ".join("-" if n % 12 != m else f"> {n}" for m in range(12)) + f" -> {n}" for n in range(600))
    whole = found("\n".join(lines), "; ".join(f"x{m} : number" for m in range(12)))
    assert whole.too_large or whole.gaps
    many = found("\n".join(f"{2 * n} -> 1" for n in range(MOST_FOUND + 5)))
    assert many.too_large
    told = gaps_and_overlaps(table("\n".join(f"{2 * n} -> 1" for n in range(MOST_FOUND + 5)), "a : integer"), {})
    assert [each.code for each in told][-2:] == ["table-more", "coverage-too-large"]
    assert time.process_time() - began < 60


# Against a slow evaluation.


@dataclass
class Slow:
    """A table as predicates: its rules, and the values of each column worth trying."""

    table: Table
    rules: Sequence[Sequence[Written]]
    values: Sequence[Sequence[Any]]

    def matching(self, values: Sequence[Any]) -> list[int]:
        """The numbers of the rules that match."""
        return [
            number
            for number, rule in enumerate(self.rules, 1)
            if all(cell.holds(value) is True for cell, value in zip(rule, values, strict=True))
        ]


COLUMNS = {
    "integer": number_cells(int), "number": number_cells(Decimal), "string": text_cells(), "boolean": boolean_cells(),
}  # fmt: skip


def worth_trying(kind: str, cells: Sequence[Written]) -> list[Any]:
    """A value in every region that cells can tell apart: theirs, some beside and between them; null if it is named."""
    ends = [end for cell in cells for end in cell.ends]
    null = [None] if None in ends else []
    named = sorted({end for end in ends if end is not None})
    if kind == "boolean":
        return [False, True]
    if kind == "string":
        return [*named, "elsewhere", *null]
    quarters = {Decimal(n) / 4 for n in range(-30, 60)}
    values = [int(value) if value == int(value) else value for value in sorted(quarters)]
    return [*(value for value in values if kind == "number" or isinstance(value, int)), *null]


@st.composite
def tables(draw: st.DrawFn, hits: str = "UAFPROC+<>#") -> Slow:
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=2))
    rules = draw(st.lists(st.tuples(*(COLUMNS[kind] for kind in kinds)), min_size=1, max_size=4))
    hit = draw(st.sampled_from(hits))
    lines = [f"{' | '.join(cell.text for cell in rule)} -> {number % 3}" for number, rule in enumerate(rules, 1)]
    inputs = "; ".join(f"x{place} : {kind}" for place, kind in enumerate(kinds))
    drawn = table("\n".join(lines), inputs, "r in 2,1,0", f"C{hit}" if hit in "+<>#" else hit)
    columns = [[rule[place] for rule in rules] for place in range(len(kinds))]
    return Slow(drawn, rules, [worth_trying(kind, cells) for kind, cells in zip(kinds, columns, strict=True)])


def slowly(hit: str, results: list[int]) -> Any:
    """What comes of the results of the matching rules, in the words of the standard; "none" where that is an error."""
    ranked = sorted(results, reverse=True)
    several = {"R": results, "C": results, "O": ranked, "C#": len(results)}
    if hit in several:
        return several[hit]
    if not results or (hit == "U" and len(results) > 1) or (hit == "A" and len(set(results)) > 1):
        return "none"
    single = {"C+": sum(results), "C<": min(results), "C>": max(results), "P": ranked[0]}
    return single.get(hit, results[0])


@given(tables(), st.data())
def test_a_table_decides_as_a_slow_evaluation_does(slow: Slow, data: st.DataObject) -> None:
    for _ in range(5):
        values = [data.draw(st.sampled_from([*column, None])) for column in slow.values]
        matching = slow.matching(values)
        expected = slowly(slow.table.hit, [number % 3 for number in matching])
        names = {f"x{place}": value for place, value in enumerate(values)}
        try:
            made = slow.table.decide(names, {})
        except Undecided:
            assert expected == "none"
            continue
        assert made.value == expected
        assert list(made.rules) == (matching[:1] if slow.table.hit == "F" else matching)


@given(tables("UAF"))
def test_gaps_and_overlaps_are_found_exactly_where_they_are(slow: Slow) -> None:
    whole = coverage(slow.table, {})
    assert whole.unknown == [] and whole.unlike == [] and not whole.too_large
    tried = [slow.matching(values) for values in product(*slow.values)]
    assert bool(whole.gaps) is ([] in tried)
    pairs = {pair for matching in tried for pair in combinations(matching, 2)}
    contradicting = {
        (one, two)
        for one, two in pairs
        if slow.table.hit == "U" or (slow.table.hit == "A" and one % 3 != two % 3)
    }
    assert {(each.first.number, each.second.number) for each in whole.overlaps} == contradicting
    for gap in whole.gaps:
        assert slow.matching(list(gap.values.values()) if len(gap.values) == len(slow.values) else []) == []
    for overlap in whole.overlaps:
        matching = slow.matching(list(overlap.example.values.values()))
        assert {overlap.first.number, overlap.second.number} <= set(matching)
    reached = {number for matching in tried for number in (matching[:1] if slow.table.hit == "F" else matching)}
    assert {rule.number for rule in whole.unreached} == set(range(1, len(slow.rules) + 1)) - reached


@given(tables("UAF"), st.data())
def test_a_table_that_is_sound_decides_whatever_it_is_given(slow: Slow, data: st.DataObject) -> None:
    assume(coverage(slow.table, {}).sound)
    values = [data.draw(st.sampled_from(column)) for column in slow.values]
    assert slow.table.decide({f"x{place}": value for place, value in enumerate(values)}, {}).rules


@given(tables("UAF"))
def test_an_example_of_a_gap_really_has_no_result(slow: Slow) -> None:
    for gap in coverage(slow.table, {}).gaps:
        with pytest.raises(Undecided, match="no rule matches"):
            slow.table.decide(gap.values, {})
