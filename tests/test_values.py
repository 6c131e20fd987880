"""Values become JSON and come back as they were; nothing else passes for a value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.values import FileRef, PersonRef, Value, canonical, check_keys, from_json, to_json

FILE = FileRef("f1", "合同.pdf", "ab" * 32, 12, "application/pdf")

atoms: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]), min_value=datetime(1900, 1, 1)),  # noqa: DTZ001
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.text(min_size=1).map(PersonRef),
    st.just(FILE),
)
keys = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
values: st.SearchStrategy[Value] = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@given(values)
def test_a_value_comes_back_as_it_was(value: Value) -> None:
    assert from_json(to_json(value)) == value
    assert from_json(canonical(value)) == value


@given(values)
def test_the_order_of_keys_does_not_change_the_canonical_text(value: Value) -> None:
    def reversed_keys(part: Value) -> Value:
        if isinstance(part, dict):
            return {key: reversed_keys(part[key]) for key in reversed(part)}
        return [reversed_keys(member) for member in part] if isinstance(part, list) else part

    assert canonical(reversed_keys(value)) == canonical(value)


def test_the_json_is_compact_and_keeps_chinese_and_order() -> None:
    value: Value = {"b": "北京", "a": [True, None, 3]}
    assert to_json(value) == '{"b":"北京","a":[true,null,3]}'
    assert canonical(value) == '{"a":[true,null,3],"b":"北京"}'


def test_dates_instants_decimals_persons_and_files_are_tagged() -> None:
    instant = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    assert to_json([date(2026, 3, 2), instant, Decimal("1.50"), PersonRef("p1")]) == (
        '[{"$date":"2026-03-02"},{"$instant":"2026-03-02T01:30:00Z"},{"$decimal":"1.50"},{"$person":"p1"}]'
    )
    assert json.loads(to_json(FILE))["$file"]["sha256"] == FILE.sha256


def test_a_decimal_keeps_its_zeros() -> None:
    assert str(from_json(to_json(Decimal("1.50")))) == "1.50"


@pytest.mark.parametrize(
    "foreign",
    [
        1.5,
        float("nan"),
        [1, [2.0]],
        {"a": {"b": 0.1}},
        {"$date": "2026-03-02"},
        {1: "a"},
        {None: 1},
        (1, 2),
        {"a": {1, 2}},
        b"bytes",
        Decimal("NaN"),
        Decimal("Infinity"),
        datetime(2026, 3, 2),  # noqa: DTZ001 - an instant without a zone is what is refused
        object(),
    ],
)
def test_what_is_no_value_is_not_written(foreign: Any) -> None:
    with pytest.raises(TypeError):
        to_json(foreign)
    with pytest.raises(TypeError):
        canonical(foreign)


@pytest.mark.parametrize(
    "text",
    [
        "1.5",
        "NaN",
        "[Infinity]",
        '{"$date":"02.03.2026"}',
        '{"$date":3}',
        '{"$unknown":"x"}',
        '{"$instant":"2026-03-02T01:30:00"}',
        '{"$decimal":"one"}',
        '{"$file":{"id":"f1"}}',
        '{"$file":"f1"}',
        "{",
        "[" * 100_000,
    ],
)
def test_what_is_no_value_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


def test_keys_of_records_cannot_pretend_to_be_tags() -> None:
    check_keys({"DEV-1": True, "parties": [{"name": "甲", "region_code": None}]})
    for key in ("$date", "", "1a", "_x", "名称", "a b", "a.b"):
        with pytest.raises(ValueError, match="must match"):
            check_keys([{"rows": {key: 1}}])
