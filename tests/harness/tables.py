"""Writes small DMN files for tests, from lines such as ``< 10 | "a" -> 1``: a test shows only what it is about."""

from __future__ import annotations

from html import escape

from bpmn.dmn import read_tables
from bpmn.dmn_table import Table

SPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def text(tag: str, said: str, attributes: str = "") -> str:
    """An element with a text in it."""
    return f"<{tag}{attributes}><text>{escape(said)}</text></{tag}>"


def column(said: str) -> str:
    """An input such as ``amount_fen``, ``amount_fen : integer`` or ``mode : string in "a","b"``."""
    expression, _, rest = said.partition(" : ")
    kind, _, allowed = rest.partition(" in ")
    type_ref = f' typeRef="{kind}"' if kind else ""
    among = text("inputValues", allowed) if allowed else ""
    return f"<input>{text('inputExpression', expression, type_ref)}{among}</input>"


def result(said: str) -> str:
    """An output such as ``tier``, ``tier in "a","b"`` or ``tier in 1,2 else 1``."""
    rest, _, default = said.partition(" else ")
    name, _, allowed = rest.partition(" in ")
    inner = text("outputValues", allowed) if allowed else ""
    return f'<output name="{name}">{inner}{text("defaultOutputEntry", default) if default else ""}</output>'


def row(said: str) -> str:
    """A rule: conditions and results with | between them, and -> between the two."""
    conditions, _, results = said.rpartition("->")
    cells = [text("inputEntry", cell.strip()) for cell in conditions.split("|")]
    return f"<rule>{''.join(cells)}{''.join(text('outputEntry', cell.strip()) for cell in results.split('|'))}</rule>"


def decision(
    rules: str, inputs: str = "a", outputs: str = "r", hit: str = "", *, attributes: str = 'id="d"', inner: str = ""
) -> str:
    """One decision; ``inputs`` and ``outputs`` have ; between them, ``hit`` is a letter, or a policy and + < > #."""
    policy = f' hitPolicy="{escape(hit)}"' if hit else ""
    rows = "\n".join(row(line) for line in filter(None, map(str.strip, rules.splitlines())))
    columns = "".join(column(each.strip()) for each in inputs.split(";") if each.strip())
    results = "".join(result(each.strip()) for each in outputs.split(";"))
    drawn = f"<decisionTable{policy}>{columns}{results}\n{rows}\n</decisionTable>"
    return f"<decision {attributes}>{inner}{drawn}</decision>"


def requires(*keys: str) -> str:
    """That a decision requires others."""
    return "".join(
        f'<informationRequirement><requiredDecision href="#{key}"/></informationRequirement>' for key in keys
    )


def dmn(*decisions: str, space: str = SPACE) -> bytes:
    """A DMN file of these decisions."""
    inner = "\n".join(decisions)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns="{space}">\n{inner}\n</definitions>\n'.encode()


def table(rules: str, inputs: str = "a", outputs: str = "r", hit: str = "") -> Table:
    """The table of one decision."""
    return read_tables(dmn(decision(rules, inputs, outputs, hit)), "x.dmn")["d"]
