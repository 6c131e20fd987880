"""Which names of a process may hold what is personal or secret, so that the trail never shows their values.

A field says so itself (``personal``, ``secret``). What a script, a call, a loop or another field computes from such a
field is private too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from bpmn.diagram import Element
from bpmn.dmn_table import Table
from bpmn.scopes import form_of
from engine.gate import Contents
from forms.expressions import Expression, compile_expression, compile_script
from forms.form import Form


def private_names(contents: Mapping[str, Contents]) -> frozenset[str]:
    """The private names of a process and of those it calls: codes of fields, and variables made from them."""
    private: set[str] = set()
    records: set[str] = set()
    written: list[tuple[str, Expression]] = []
    forms = [form for each in contents.values() for form in each.forms.values()]
    private.update(*(form.private_codes for form in forms))
    private.update([code for form in forms for code in _copied(form, private)])
    for each in contents.values():
        for element in each.diagram.elements.values():
            form = each.forms.get(form_of(element) or "")
            if form is not None and form.private_codes:
                records.update(filter(None, (element.id, element.loop.output if element.loop else None)))
            written += _written(element)
            written += _decided(element, each.tables)
    while made := {name for name, source in written if name not in private and reads_private(source, private, records)}:
        private |= made
    return frozenset(private)


def discreet(tables: Mapping[str, Table], private: Collection[str]) -> dict[str, Table]:
    """The tables; those that read a private name (or require one that does) name no values when they cannot decide."""
    found: dict[str, Table] = {}
    for name, table in tables.items():
        expressions = [expression for each in table.with_required() for expression in each.expressions()]
        found[name] = replace(table, secret=any(reads_private(expression, private) for expression in expressions))
    return found


def reads_private(expression: Expression, private: Collection[str], records: Collection[str] = ()) -> bool:
    """Whether an expression reads a private name, or the whole of a record that has a private part."""
    return any(name in private or key in private or (key is None and name in records) for name, key in expression.paths)


def _copied(form: Form, private: Collection[str]) -> Iterator[str]:
    """The fields of a form that open with, or compute, what a personal or secret field holds."""
    for each in form.fields:
        sources = [given for part in (each, *each.fields) for given in (part.default, part.compute) if given]
        if any(reads_private(one, private) for given in sources for one in given.expressions):
            yield each.code


def _written(element: Element) -> Iterator[tuple[str, Expression]]:
    """Every name that an element computes, with each expression that it is computed from."""
    for assignment in compile_script(element.script) if element.script else ():
        yield assignment.name, assignment.expression
    for name, source in _sources(element):
        if name and source:
            yield name, compile_expression(source)


def _decided(element: Element, tables: Mapping[str, Table]) -> Iterator[tuple[str, Expression]]:
    """The name that receives a decision, with each expression of the table and of those it requires."""
    if element.type == "businessRuleTask":
        for table in tables[element.policy["decision"]].with_required():
            yield from ((element.policy["into"], expression) for expression in table.expressions())


def _sources(element: Element) -> Iterable[tuple[str | None, str | None]]:
    yield from element.inputs.items()
    yield from element.outputs.items()
    for operation in element.operations:
        yield from ((operation.into, source) for source in operation.parameters.values())
    if element.loop:
        yield element.loop.item, element.loop.collection
        yield element.loop.output, element.loop.result
