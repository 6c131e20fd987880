"""Small processes for the tests of how cases begin: packages written in a few lines, with a form for every task."""

from __future__ import annotations

from collections.abc import Mapping

from engine.library import Package
from tests.harness.models import model

FIELD = "  - {{code: {code}, kind: {kind}, label: {{zh: {code}, en: {code}}}{more}}}"
AROUND = (
    '<message id="m_ask" name="ask"/><message id="m_other" name="other"/>'
    '<signal id="s_bell" name="bell"/><signal id="s_echo" name="echo"/>'
)
BELL, ECHO = (f'<signalEventDefinition signalRef="s_{name}"/>' for name in ("bell", "echo"))
ASK = '<messageEventDefinition messageRef="m_ask"/>'


def form(key: str, **fields: str) -> tuple[str, bytes]:
    """A form by its file; a field is ``kind`` and whatever more it says (``text, required: true``)."""
    lines = [f"id: {key}", f"title: {{zh: {key}, en: {key}}}", "fields:"]
    for code, said in fields.items():
        kind, _, more = said.partition(", ")
        lines.append(FIELD.format(code=code, kind=kind, more=f", {more}" if more else ""))
    return f"forms/{key}.yaml", "\n".join(lines).encode()


def process(
    key: str, body: str, lines: str, *forms: tuple[str, bytes], attributes: str = ""
) -> Package:
    """A package of one process."""
    said = f'id="{key}" name="{key}" isExecutable="true" policy:series="{key.upper()}" {attributes}'
    files: Mapping[str, bytes] = dict(forms)
    return Package(key, {"process.bpmn": model(body, lines, around=AROUND, attributes=said), **files})


def timer(said: str) -> str:
    """The definition of a timer: ``R/P1M`` is a cycle, ``P1D`` a duration, anything else a date."""
    form = "Cycle" if said.startswith("R") and "/" in said else "Duration" if said.startswith("P") else "Date"
    return f"<timerEventDefinition><time{form}>{said}</time{form}></timerEventDefinition>"


def condition(said: str) -> str:
    """The definition of a condition."""
    return f"<conditionalEventDefinition><condition>{said}</condition></conditionalEventDefinition>"


def operation(name: str, into: str = "", **parameters: str) -> str:
    """An operation of a service task."""
    given = "".join(f'<policy:with name="{key}" value="{value}"/>' for key, value in parameters.items())
    result = f' into="{into}"' if into else ""
    return f'<extensionElements><policy:operation name="{name}"{result}>{given}</policy:operation></extensionElements>'


LOOK = form("look", seen="yes_no")
TASK = '<userTask id="look" name="看一看" policy:name-en="Look" policy:role="registrar"/>'
END = '<endEvent id="e" policy:outcome="done"/>'


def started_by(definition: str, key: str = "begun", more: str = "", **words: str) -> Package:
    """A process of one task that begins when something comes; ``words`` are attributes of its start event."""
    said = "".join(f' policy:{name}="{value}"' for name, value in words.items())
    body = f'<startEvent id="s"{said}>{definition}</startEvent>{TASK}{more}{END}'
    return process(key, body, "s -> look\nlook -> e", LOOK)


def waits_for(definition: str, key: str = "waiting") -> Package:
    """A process that a person starts and that then waits for something."""
    body = f'<startEvent id="s"/>{TASK}<intermediateCatchEvent id="c">{definition}</intermediateCatchEvent>{END}'
    return process(key, body, "s -> look\nlook -> c\nc -> e", LOOK)


def throws(definition: str, key: str = "throwing") -> Package:
    """A process whose end throws something."""
    body = f'<startEvent id="s"/>{TASK}<endEvent id="e" policy:outcome="done">{definition}</endEvent>'
    return process(key, body, "s -> look\nlook -> e", LOOK)
