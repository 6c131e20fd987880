"""Reads ``parameters.yaml``: what each configurable value is. An owner's copy may bind a value more, never less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.parameters import KINDS, ORIGINS, UNITS, NotFit, Parameter, as_written, judge_bounds
from forms.owned_yaml import List_, Mapping_, load, plain
from forms.reading import Reader
from forms.words import Unfit

_ATTRIBUTES = frozenset({
    "key", "kind", "value", "unit", "fixed", "floor", "not_below", "odd", "ascending", "note", "origin", "source",
    "zh", "en",
})  # fmt: skip
_CHOICES: Mapping[str, Mapping[str, Any]] = {"kind": KINDS, "unit": UNITS, "origin": ORIGINS}


def read_parameters(text: str, file: str, shipped: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """The parameters of a file, by key. Unfit with every finding.

    Where ``shipped`` has a parameter that does not merely rest on an illustrative default, its bounds stay.
    """
    reader, rows = Reader(file), load(text, file)
    found: dict[str, Parameter] = {}
    for row in rows if isinstance(rows, List_) else []:
        if isinstance(row, Mapping_) and isinstance(row.get("key"), str):
            found[row["key"]] = _parameter(reader, row)
        else:
            reader.complain("parameter", 1, None, "每个参数须有 key", "each parameter needs a key")
    lines = {str(row.get("key")): row.line for row in rows if isinstance(row, Mapping_)} if found else {}
    for key, parameter in found.items() if not reader.findings else ():
        _judge(reader, parameter, lines[key], found, shipped.get(key))
    if reader.findings:
        raise Unfit(sorted(reader.findings, key=lambda finding: finding.line))
    return found


def _parameter(reader: Reader, row: Mapping_) -> Parameter:
    key = str(row["key"])
    reader.unknown(row, _ATTRIBUTES, key)
    for word, choices in _CHOICES.items():
        if row.get(word) not in choices:
            known = ", ".join(choices)
            zh, en = f"{word} 应为其中之一：{known}", f"{word} is one of {known}"
            reader.complain("parameter", row.lines.get(word, row.line), key, zh, en)
    return Parameter(
        key=key,
        value=plain(row.get("value")),
        kind=str(row.get("kind")),
        unit=str(row.get("unit")),
        origin=str(row.get("origin")),
        source=reader.string(row, "source", key) or "",
        about=reader.words(row, key),
        fixed=reader.flag(row, "fixed", key),
        floor=plain(row.get("floor")),
        not_below=reader.string(row, "not_below", key),
        odd=reader.flag(row, "odd", key),
        ascending=reader.flag(row, "ascending", key),
        note=reader.text(row, "note", key),
    )


def _judge(
    reader: Reader, parameter: Parameter, line: int, found: Mapping[str, Parameter], shipped: Parameter | None
) -> None:
    """Complain where a value does not fit its own bounds, or bounds were loosened."""
    try:
        for value in (parameter.value, *([] if parameter.floor is None else [parameter.floor])):
            as_written(parameter, value)
        judge_bounds(parameter, parameter.value)
    except NotFit as wrong:
        reader.complain("parameter-value", line, parameter.key, wrong.text.zh, wrong.text.en)
        return
    if parameter.not_below is not None and parameter.not_below not in found:
        other = parameter.not_below
        zh, en = f"not_below 指向的 {other} 不存在", f"not_below names {other}, which is no parameter"
        reader.complain("parameter", line, parameter.key, zh, en)
    if shipped is not None and shipped.origin != "default" and loosened(parameter, shipped):
        why = shipped.source or ORIGINS[shipped.origin].zh
        reader.complain(
            "parameter-bound",
            line,
            parameter.key,
            f"依据{why}，界限为“{shipped.bound.zh or shipped.said(shipped.value).zh}”，流程库的副本不得放宽",
            f"by {why} the bound is “{shipped.bound.en or shipped.said(shipped.value).en}”: a copy of the library "
            "cannot loosen it",
        )


def loosened(parameter: Parameter, shipped: Parameter) -> bool:
    """Whether a parameter binds less than the shipped one, or says that it rests on something else."""
    if (parameter.kind, parameter.unit, parameter.origin) != (shipped.kind, shipped.unit, shipped.origin):
        return True
    if shipped.fixed:
        return not parameter.fixed or parameter.value != shipped.value
    if shipped.floor is None or parameter.fixed:
        return False
    try:
        judge_bounds(shipped, parameter.floor)
    except (NotFit, ValueError):
        return True
    return False
