"""Writes small BPMN files for tests, so that a test shows only what it is about."""

from __future__ import annotations

import re
from html import escape

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:policy="urn:liuhen:policy" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
    'xmlns:di="http://www.omg.org/spec/DD/20100524/DI"'
)
_FLOW = re.compile(r"(\S+) -> (\S+?)(?: \[(.*)\])?(?: if (.+))?")


def flows(lines: str) -> str:
    """Sequence flows from lines such as ``gate -> pay [yes] if amount_fen > 3``; their ids are ``gate_pay``."""
    written = []
    for line in lines.strip().splitlines():
        if not (found := _FLOW.fullmatch(line.strip())):
            raise ValueError(line)
        source, target, name, condition = found.groups()
        inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
        label = f' name="{escape(name)}"' if name else ""
        written.append(
            f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"{label}>'
            f"{inner}</sequenceFlow>"
        )
    return "\n".join(written)


def model(body: str, lines: str = "", *, around: str = "", attributes: str = 'id="p" isExecutable="true"') -> bytes:
    """A BPMN file of one process; ``around`` stands beside the process (messages, collaboration, drawing)."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions {NAMESPACES} targetNamespace="urn:test">\n{around}\n'
        f"<process {attributes}>\n{body}\n{flows(lines) if lines else ''}\n</process>\n</definitions>\n"
    ).encode()
