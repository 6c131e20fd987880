"""Damages diagrams, tables, expressions and forms so that much of their structure stays and the damage gets far in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree

from bpmn import nodes
from bpmn.dialects import BPMN, ENGINES, POLICY
from bpmn.supported import WORDS
from forms import owned_yaml
from forms.functions import FUNCTIONS
from tests.harness.gate import whole_file
from tests.random_models import random_model

HOME = Path(__file__).resolve().parents[2]
SHIPPED = HOME / "bpmn" / "library" / "tech_contract_registration" / "process.bpmn"

TAGS = sorted(
    nodes._NODES
    | nodes._QUIET
    | {
        f"{kind}EventDefinition"
        for kind in ("timer", "message", "signal", "error", "escalation", "conditional", "link")
    }
    | {"timeDate", "timeDuration", "timeCycle", "conditionExpression", "loopCardinality", "completionCondition", "lane"}
    | {"dataObject", "standardLoopCharacteristics", "process", "participant", "flowNodeRef", "text", "message"}
)
_PLAIN = """id name sourceRef targetRef default attachedToRef cancelActivity triggeredByEvent calledElement messageRef
isSequential isExecutable isForCompensation scriptFormat bpmnElement x y width height isExpanded isHorizontal into value
isInterrupting signalRef"""
_OURS = {word for words in WORDS.values() for word in words} | {"collection", "item", "output", "result", "strange"}
_THEIRS = ("formKey", "assignee", "dueDate", "delegateExpression")
ATTRIBUTES = sorted(
    {*_PLAIN.split()}
    | {f"{{{POLICY}}}{word}" for word in _OURS}
    | {f"{{{engine}}}{word}" for engine in ENGINES for word in _THEIRS}
)
VALUES = (
    *[
        "",
        " ",
        "x",
        "true",
        "false",
        "0",
        "-1",
        "1e400",
        "nan",
        "P1D",
        "R/P1D",
        "P99999999Y",
        "2026-03-02",
        "=",
        "${x}",
    ],
    *["=applicant", "applicant", "1 +", "a" * 300, "字" * 1200, "'", "[" * 60, "{'a': 1}", "today", "today()", "None"],
    *["__import__('os').system('id')", "params['x']", "(lambda: 1)()", "p", "a,b，c", "\t\n", "\u2028", "loopCounter"],
    *[
        "find('a', 'b')['c']",
        "acted('x')",
        "1.5",
        "9" * 400,
        "not " * 30 + "x",
        "a.b",
        "f'{x}'",
        "<!-- -->",
        "&amp;",
        "#",
    ],
)


@cache
def diagrams() -> tuple[bytes, ...]:
    """What is damaged: the shipped process, one with everything, exports of other tools, and random ones."""
    exports = [path.read_bytes() for path in sorted((HOME / "tests" / "exports").glob("*.bpmn*"))]
    random = [_deployable(data) for seed in range(12) for data in random_model(seed).files.values()]
    return (SHIPPED.read_bytes(), whole_file(), *exports, *random)


def _deployable(data: bytes) -> bytes:
    """A model of the runtime's tests, with what the gate wants besides: people, forms, outcomes, names that exist."""
    root: Any = etree.fromstring(data)
    for task in root.iter("{*}userTask"):
        task.set(f"{{{POLICY}}}role", "clerk")
        task.set(f"{{{POLICY}}}form", "some")
    for end in root.iter("{*}endEvent"):
        end.set(f"{{{POLICY}}}outcome", "done")
    for event in root.iter("{*}boundaryEvent", "{*}intermediateCatchEvent"):
        event.set(f"{{{POLICY}}}sender", "clerk")
    for condition in root.iter("{*}conditionExpression"):
        condition.text = "some_answer == 1"
    return etree.tostring(root)


def damaged_diagram(random: Random) -> bytes:
    """A diagram with a few things about it changed: mostly in its structure, sometimes in its bytes."""
    data = random.choice(diagrams())
    if random.random() < 0.9:
        root = etree.fromstring(data)
        for _ in range(random.randint(1, 6)):
            random.choice(CHANGES)(root, random)
        data = etree.tostring(root)
    if random.random() < 0.2:
        data = damaged_bytes(data, random)
    return data


@cache
def tables() -> tuple[bytes, ...]:
    """The decision tables of the tests."""
    found = sorted((HOME / "tests").glob("*/**/*.dmn"))
    return tuple(path.read_bytes() for path in found if "corpus" not in path.parts)


def damaged_table(random: Random) -> bytes:
    """A file of decision tables with a few things about it changed."""
    data = random.choice(tables())
    if random.random() < 0.9:
        root = etree.fromstring(data)
        for _ in range(random.randint(1, 6)):
            random.choice(CHANGES)(root, random)
        data = etree.tostring(root)
    return damaged_bytes(data, random) if random.random() < 0.2 else data


def damaged_bytes(data: bytes, random: Random) -> bytes:
    """The bytes with a few of them changed, left out, doubled or moved."""
    found = bytearray(data)
    for _ in range(random.randint(1, 4)):
        if not found:
            break
        at, long = random.randrange(len(found)), random.randint(1, 40)
        match random.randrange(5):
            case 0:
                found[at] = random.randrange(256)
            case 1:
                del found[at : at + long]
            case 2:
                found[at:at] = found[at : at + long] * random.randint(1, 3)
            case 3:
                found[at:at] = random.choice(
                    [b"<", b">", b"&", b"\0", b"\xff\xfe", b"]]>", b"<!--", b"<?x?>", b"'", b"{"]
                )
            case _:
                found = found[: random.randrange(len(found) + 1)]
    return bytes(found)


def _any(root: Any, random: Random) -> Any:
    """Some element below the root, the parts of the process more often than those of the drawing."""
    found = [node for node in root.iter("{*}*") if node is not root]
    model = [node for node in found if node.tag.startswith(f"{{{BPMN}}}")]
    return random.choice(model if model and random.random() < 0.85 else found or [root])


def _remove(root: Any, random: Random) -> None:
    node = _any(root, random)
    if node is not root:
        node.getparent().remove(node)


def _rename(root: Any, random: Random) -> None:
    _any(root, random).tag = f"{{{BPMN}}}{random.choice(TAGS)}"


def _set(root: Any, random: Random) -> None:
    node, other = _any(root, random), _any(root, random)
    names = [*node.attrib, *other.attrib] if random.random() < 0.6 else ATTRIBUTES
    value = (
        random.choice(VALUES) if random.random() < 0.5 else other.get(random.choice(list(other.attrib) or ["id"]), "")
    )
    node.set(random.choice(names or ["id"]), value)


def _unset(root: Any, random: Random) -> None:
    node = _any(root, random)
    if node.attrib:
        del node.attrib[random.choice(list(node.attrib))]


def _say(root: Any, random: Random) -> None:
    node, other = _any(root, random), _any(root, random)
    node.text = random.choice([*VALUES, other.text])


def _copy(root: Any, random: Random) -> None:
    node, place = _any(root, random), _any(root, random)
    twin = deepcopy(node)
    if random.random() < 0.7:
        for each in twin.iter("{*}*"):
            if "id" in each.attrib:
                each.set("id", each.get("id") + "_2")
    place.append(twin)


def _move(root: Any, random: Random) -> None:
    node, place = _any(root, random), _any(root, random)
    if node is not root and place not in node.iter():
        place.insert(random.randint(0, len(place)), node)


def _wrap(root: Any, random: Random) -> None:
    node = _any(root, random)
    if node is not root:
        parent, at = node.getparent(), node.getparent().index(node)
        box = etree.Element(f"{{{BPMN}}}{random.choice(['subProcess', 'transaction', 'process', 'lane'])}")
        box.set("id", f"box{random.randrange(10)}")
        parent.insert(at, box)
        box.append(node)


def _add(root: Any, random: Random) -> None:
    node = etree.SubElement(_any(root, random), f"{{{BPMN}}}{random.choice(TAGS)}")
    node.set("id", f"new{random.randrange(100)}")
    _set(node, random)


CHANGES: tuple[Callable[[Any, Random], None], ...] = (
    _remove,
    _rename,
    _set,
    _set,
    _unset,
    _say,
    _copy,
    _move,
    _wrap,
    _add,
)

_WORD = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|'[^']*'|\"[^\"]*\"|\s+|.", re.DOTALL)
_SIGNS = r"""+ - * // % < <= > >= == != ( ) [ ] { } , : . = ; @ & | ^ ~ ' " # \\ not in is and or if else for None True
False lambda await yield := ** ... 1.5 1e9 0x1f 1j 10**9 '' '字' f'' b'' x rows today"""
WORDS_OF_EXPRESSIONS = ("\n", *_SIGNS.split(), *sorted(FUNCTIONS))


@cache
def expressions() -> tuple[str, ...]:
    """The expressions of the shipped process: its conditions, attributes and scripts."""
    root = etree.fromstring(SHIPPED.read_bytes())
    said = [str(node.text) for node in root.iter("{*}conditionExpression", "{*}script", "{*}timeDate") if node.text]
    said += [str(node.get("value")) for node in root.iter("{*}with", "{*}in", "{*}out") if node.get("value")]
    return tuple(dict.fromkeys(text.strip() for text in said))


def damaged_expression(random: Random) -> str:
    """An expression of the shipped process with a few of its words changed."""
    words = _WORD.findall(random.choice(expressions()))
    for _ in range(random.randint(1, 5)):
        at = random.randint(0, len(words))
        match random.randrange(5):
            case 0:
                words[at : at + 1] = [random.choice(WORDS_OF_EXPRESSIONS)]
            case 1:
                words[at:at] = [random.choice(WORDS_OF_EXPRESSIONS)]
            case 2:
                del words[at : at + random.randint(1, 3)]
            case 3:
                words[at:at] = words[at : at + random.randint(1, 12)] * random.randint(1, 4)
            case _:
                words[at:at] = _WORD.findall(random.choice(expressions()))
    return "".join(words)[:6_000]


@cache
def form_files() -> tuple[tuple[str, str], ...]:
    """The shipped forms and templates of documents, by their path."""
    root = HOME / "forms" / "library"
    return tuple((path.relative_to(root).as_posix(), path.read_text("utf-8")) for path in sorted(root.rglob("*.yaml")))


def damaged_form(random: Random) -> tuple[str, str]:
    """Path and text of a form or template with a few of its values changed; written as JSON, which is YAML."""
    path, text = random.choice(form_files())
    if random.random() < 0.15:
        return path, damaged_bytes(text.encode(), random).decode("utf-8", "replace")
    value = owned_yaml.plain(owned_yaml.load(text, path))
    for _ in range(random.randint(1, 5)):
        _change_value(value, random)
    return path, json.dumps(value, ensure_ascii=False, indent=1, default=str)


def _change_value(value: Any, random: Random) -> None:
    places = _places(value)
    holder, key = random.choice(places)
    other_holder, other_key = random.choice(places)
    strange: list[Any] = [None, True, 0, -1, 10**18, "", "x", [], {}, [[]], "=", "=1 +"]
    strange += [*(f"={word}" for word in VALUES), *VALUES]
    match random.randrange(5):
        case 0:
            del holder[key]
        case 1:
            holder[key] = random.choice(strange)
        case 2:
            holder[key] = deepcopy(other_holder[other_key])
        case 3 if isinstance(holder, dict):
            words = ("kind", "code", "compute", "show_if", "default", "fields", "options", "pattern", "min", "items_by")
            holder[random.choice(words)] = random.choice([deepcopy(other_holder[other_key]), *strange])
        case _:
            if isinstance(holder, list):
                holder.insert(key, deepcopy(holder[key]))


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found or [({"": value}, "")]
