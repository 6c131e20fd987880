"""No source and no value makes an expression do more than a bounded amount of work, or give anything but a value."""

from __future__ import annotations

import itertools
import time
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.expressions import ExpressionError, compile_expression
from forms.values import Value, to_json
from tests.harness.forms import NAMES


def outcome(source: str, names: dict[str, Value]) -> tuple[str, Any]:
    try:
        value = compile_expression(source).value(names, {})
        to_json(value)
    except ExpressionError as error:
        return "error", error.text
    return "value", value


@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "[" * 10_000,
        "not " * 10_000 + "yes",
        "-" * 3_900 + "1",
        "a" * 1_000_000,
        "1+" * 500_000 + "1",
        "1+" * 1_900 + "1",
        "a" + "[0]" * 1_000,
        "a" + ".b" * 1_500,
        " and ".join(["a"] * 790),
        "1 if a else " * 300 + "1",
        "'" * 3_999,
        "9" * 3_999,
        "len(" * 100 + "a" + ")" * 100,
        "{'a':" * 300 + "1" + "}" * 300,
        "a<" * 1_500 + "a",
        "[x for x in " * 60 + "rows" + "]" * 60,
    ],
)
def test_a_hostile_source_is_refused_quickly(source: str) -> None:
    start = time.perf_counter()
    kind, said = outcome(source, NAMES)
    assert time.perf_counter() - start < 60
    assert kind == "value" or len(said.en) < 400


BIG: Value = [{"n": number} for number in range(9_000)]


@pytest.mark.parametrize(
    "source",
    [
        "any(any(x['n'] + y['n'] < 0 for y in big) for x in big)",
        "sum(len([y for y in big]) for x in big)",
        "any(big == [x] for x in big)",
        "any(x in big for x in [[y] for y in big])",
        "len([[y for y in big] for x in big])",
        "any(hash_of(big) == '' for x in big)",
        "any(len(unique(big)) == 1 for x in big)",
        "any('a' in (text + 'b') for x in big)",
    ],
)
def test_work_is_bounded_however_large_the_values_are(source: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ExpressionError):
        compile_expression(source).value({"big": BIG, "text": "x" * 100_000}, {})
    assert time.perf_counter() - start < 60


def test_values_cannot_be_doubled_for_ever() -> None:
    names: dict[str, Value] = {"text": "x", "list": [1], "number": 2}
    for source in ("text + text", "list + list", "[list, list]", "number * number", "{'a': list, 'b': list}"):
        name = compile_expression(source).names
        (only,) = name
        scope = dict(names)

        def double(source: str = source, only: str = only, scope: dict[str, Value] = scope) -> None:
            for _ in range(60):
                scope[only] = compile_expression(source).value(scope, {})

        with pytest.raises(ExpressionError):
            double()
        assert len(to_json(scope[only])) < 2_000_000


def test_values_nested_too_deeply_are_refused() -> None:
    deep: Value = 1
    for _ in range(5_000):
        deep = [deep]
    for source in ("deep == deep", "hash_of(deep)", "[deep]", "deep in [deep]"):
        with pytest.raises(ExpressionError):
            compile_expression(source).value({"deep": deep}, {})


# -- whatever is written and whatever the names hold: a value or an ExpressionError ----------------

atoms = st.sampled_from(
    ["0", "1", "-3", "2.5", "1_000_000_000_000", "''", "'a'", "'北京'", "None", "True", "False", "nothing", *NAMES]
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from("+ - * // % < <= > >= == != in|not in|and|or".replace("|", " ").split())
    one = st.sampled_from(
        ["not {}", "-{}", "({} is None)", "len({})", "sum({})", "abs({})", "text({})", "decimal({})", "unique({})",
         "values({})", "year({})", "fen({})", "is_uscc({})", "hash_of({})", "date_of({})", "round_half_up({})",
         "[{}]", "{{'a': {}}}", "{}[0]", "{}['a']", "[x for x in {}]", "any(x == 1 for x in {})", "max({}, 1)"]
    )  # fmt: skip
    return st.one_of(
        st.builds(lambda a, sign, b: f"({a} {sign} {b})", inner, signs, inner),
        st.builds(lambda form, a: form.format(a), one, inner),
        st.builds(lambda a, b, c: f"({a} if {b} else {c})", inner, inner, inner),
        st.builds(lambda a, b: f"{a}[{b}]", inner, inner),
        st.builds(lambda a, b: f"ratio_bp({a}, {b})", inner, inner),
        st.builds(lambda a, b: f"share({a}, {b})", inner, inner),
        st.builds(lambda a, b: f"get({a}, 'a', {b})", inner, inner),
    )


@given(st.recursive(atoms, combined, max_leaves=12))
def test_any_expression_gives_a_value_or_a_sentence_and_the_same_twice(source: str) -> None:
    first = outcome(source, NAMES)
    assert first == outcome(source, NAMES)
    assert first[0] == "value" or (first[1].zh and first[1].en)


@given(st.text(max_size=60) | st.text("()[]{}'\"\\#:=.,_ax1+-*/<>! \nfornotinifelsdc", max_size=60))
def test_any_text_compiles_or_is_refused_with_a_sentence(source: str) -> None:
    assert outcome(source, NAMES)[0] in {"value", "error"}


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18))
def test_integers_reckon_as_python_does(one: int, two: int) -> None:
    names: dict[str, Value] = {"one": one, "two": two}
    assert outcome("one < two", names) == ("value", one < two)
    assert outcome("one - two", names)[1] == one - two or abs(one - two) > 10**18
    if two:
        assert outcome("one // two", names) == ("value", one // two)
        assert outcome("one % two", names) == ("value", one % two)
        assert outcome("decimal(one) // two * two + decimal(one) % two == one", names) == ("value", True)


NUMBERS = ("1", "0", "1.5", "1_000", "0x1f", "0b1", "0o7", "1e5", "1j", ".5", "1.")
WORDS = ("and", "or", "if", "else", "in", "is", "not", "for", "x", "_")


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_that_is_written_is_warned_of_on_the_console(number: str) -> None:
    shapes = ("{} x", "y if {} z", "[{} y in z]", "x{} y", "rows[0]+{} y", "(1,{} y)")
    for word, shape in itertools.product(WORDS, shapes):
        source = shape.format(number + word)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            outcome(source, {})
        assert not warned, source


@pytest.mark.parametrize(
    ("source", "column"), [("1and x", 2), ("x or 1.5if y else 2", 9), ("0xfor x in y", 4), ("x.5or y", 4)]
)
def test_a_number_that_runs_into_a_word_is_refused_in_a_sentence(source: str, column: int) -> None:
    kind, text = outcome(source, {"x": 1, "y": True})
    assert (kind, text.en) == ("error", f"column {column}: a number runs into what follows; put a space between")
    assert text.zh == f"第 {column} 列：数字和后面的字连在一起，请加空格"


def test_numbers_inside_texts_and_names_run_into_whatever_they_like() -> None:
    assert outcome("'1and 2x' + a1b", {"a1b": "3if"}) == ("value", "1and 2x3if")
