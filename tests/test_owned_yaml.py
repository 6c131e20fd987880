"""The reader of owners' YAML guesses nothing, knows every line, and gives up quickly on hostile files."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.owned_yaml import List_, Mapping_, load, plain
from forms.words import Unfit


def refused(text: str) -> str:
    with pytest.raises(Unfit) as refusal:
        load(text, "a.yaml")
    (finding,) = refusal.value.findings
    assert finding.file == "a.yaml"
    assert finding.text.zh
    return f"{finding.line}: {finding.text.en}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02 09:00", "2026-03-02 09:00"),
        ("12:30", "12:30"),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-5", -5),
        ("3000000000", 3_000_000_000),
        ("3_000_000_000", 3_000_000_000),
        ("1_0", "1_0"),
        ("007", "007"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1e5", "1e5"),
        (".5", ".5"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("1.50", Decimal("1.50")),
        ("-0.5", Decimal("-0.5")),
        ("1.2.3", "1.2.3"),
        ("12110000400000101R", "12110000400000101R"),
        ("9999999999999999999", "9999999999999999999"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("''", ""),
        ("=today()", "=today()"),
        ("<<", "<<"),
    ],
)
def test_nothing_is_guessed(written: str, value: object) -> None:
    loaded = load(f"a: {written}\n", "a.yaml")["a"]
    assert loaded == value
    assert type(loaded) is type(value)
    assert str(loaded) == str(value)


def test_keys_are_always_texts() -> None:
    assert load("no: 1\n3: 2\ntrue: 3\n2026-03-02: 4\n", "a.yaml") == {"no": 1, "3": 2, "true": 3, "2026-03-02": 4}


def test_every_node_knows_its_line() -> None:
    found = load("id: a\nfields:\n  - code: x\n    kind: text\n  - {code: y}\nrules: []\n", "a.yaml")
    assert isinstance(found, Mapping_)
    assert found.line == 1
    assert found.lines == {"id": 1, "fields": 2, "rules": 6}
    fields = found["fields"]
    assert isinstance(fields, List_)
    assert fields.lines == [3, 5]
    assert fields[0].lines == {"code": 3, "kind": 4}
    assert fields[1].line == 5


def test_plain_values_carry_no_lines() -> None:
    found = plain(load("a: [1, {b: c}]", "a.yaml"))
    assert found == {"a": [1, {"b": "c"}]}
    assert type(found) is dict
    assert type(found["a"]) is list


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "3: the key a is given twice"),
        ("x: {a: 1, a: 1}", "1: the key a is given twice"),
        ("a: &x 1\nb: 2", "1: anchors"),
        ("a: 1\nb: *x", "2: anchors"),
        ("a: !!python/object/apply:os.system ['x']", "1: tags"),
        ("a: !!str 1", "1: tags"),
        ("a: !x 1", "1: tags"),
        ("? [a]\n: 1", "1: a key must be a text"),
        ("a: 1\n---\nb: 1", "2: the file may hold one document only"),
        ("a: [1", "this is not YAML"),
        ("a: b: c", "1: this is not YAML"),
        ("a:\n\t- 1", "2: this is not YAML"),
        ("a: \x00", "characters"),
        ("a: \ud800", "characters"),
        ("x" * 1_000_001, "may not exceed"),
    ],
)
def test_what_is_not_read_is_refused_with_its_line(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{" * 200_000,
        "- " * 200_000,
        "{a: " * 100_000,
        "? " * 100_000,
        "a: [" + "1," * 300_000 + "]",
        "[" * 30 + "]" * 30 + "\n" + "]" * 100_000,
        "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]",
        "'" + "x" * 500_000,
    ],
)
def test_a_hostile_file_is_refused_quickly(text: str) -> None:
    start = time.perf_counter()
    refused(text)
    assert time.perf_counter() - start < 60


def test_an_empty_file_is_nothing() -> None:
    assert load("", "a.yaml") is None
    assert load("# only a remark\n", "a.yaml") is None


@given(st.text(max_size=80) | st.text("ab:-[]{}&*!?|>'\"#, \n%@`0123.", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = load(text, "a.yaml")
    except Unfit:
        return
    assert known(found)


def known(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and known(member) for key, member in value.items())
    if isinstance(value, list):
        return all(known(member) for member in value)
    return value is None or isinstance(value, bool | int | str | Decimal)
