"""Reads what lies inside one flow node: loop, call mapping, operations, script; and a flow's condition."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from bpmn import dialects
from bpmn.diagram import Loop, Operation, Other, Repeat
from bpmn.dialects import BPMN
from bpmn.findings import Findings
from bpmn.safe_xml import Node

_LOOP_PARTS = frozenset({
    "loopCardinality", "completionCondition", "loopDataInputRef", "inputDataItem", "loopDataOutputRef",
    "outputDataItem", "documentation", "extensionElements",
})
_LOOP_WORDS = frozenset({"collection", "item", "output", "result"})
# A script is lines of our own language, which reads like Python; other languages are refused by name.
_SCRIPTS = frozenset({"", "policy", "liuhen", "python", "text/x-python", "application/x-python"})


def text_of(node: Node | None) -> str:
    """The text of an element, stripped; comments are gone already, so none can cut it short."""
    return node.text.strip() if node else ""


def expression_of(node: Node | None) -> str:
    """The expression an element holds, without the marks that another engine puts around one of ours."""
    return dialects.unwrapped(text_of(node))


def loop(node: Node, key: str, findings: Findings) -> Loop:
    """The multi-instance marker of an activity."""
    own = dialects.own_attributes(node)
    found = {child.name: child for child in node.children}
    for word in ("loopCardinality", "completionCondition"):
        if word in found:
            check_expression(found[word], key, findings)

    def said(word: str) -> str | None:
        return expression_of(found[word]) if word in found else None

    def item(word: str) -> str | None:
        return found[word].get("name") or found[word].get("id") if word in found else None

    return Loop(
        sequential=node.flag("isSequential", default=False),
        collection=own.get("collection") or said("loopDataInputRef"),
        cardinality=said("loopCardinality"),
        item=own.get("item") or item("inputDataItem"),
        output=own.get("output") or said("loopDataOutputRef"),
        result=own.get("result") or item("outputDataItem"),
        until=said("completionCondition"),
        line=node.line,
    )


def loop_others(node: Node, key: str) -> Iterator[Other]:
    """What a multi-instance marker says that is not read here."""
    yield from dialects.foreign_words(node, key)
    yield from dialects.misspelt(node, key, _LOOP_WORDS)
    if node.get("behavior", "All") != "All":
        yield Other("behavior", key, node.line)
    for child in node.children:
        if child.namespace == BPMN and child.name not in _LOOP_PARTS:
            yield Other(child.name, key, child.line)


def repeat(node: Node, key: str, findings: Findings) -> Repeat:
    """The standard loop marker of an activity."""
    condition, most = node.first(BPMN, "loopCondition"), node.get("loopMaximum").strip()
    if condition:
        check_expression(condition, key, findings)
    if most and not (most.isdecimal() and len(most) <= 6):
        findings.add("loop", node.line, key, f"loopMaximum “{most[:40]}” 不是次数：请写一个整数",
                     f"loopMaximum “{most[:40]}” is no number of times: write an integer")
        most = ""
    before = node.flag("testBefore", default=False)
    return Repeat(expression_of(condition) or None, int(most) if most else None, node.line, before=before)


def repeat_others(node: Node, key: str) -> Iterator[Other]:
    """What a standard loop marker says that is not read here."""
    yield from dialects.foreign_words(node, key)
    yield from dialects.misspelt(node, key, frozenset())
    for child in node.children:
        if child.namespace == BPMN and child.name not in ("loopCondition", "documentation", "extensionElements"):
            yield Other(child.name, key, child.line)


def mapping(node: Node, direction: str, key: str, findings: Findings) -> dict[str, str]:
    """What a call activity passes ``in`` or takes ``out``, as name -> expression."""
    pairs: dict[str, str] = {}
    for name, expression, said in dialects.mapped(node, direction):
        if name and expression and name not in pairs:
            pairs[name] = expression
            continue
        zh = f"“{name}” 写了两次" if name in pairs else "需要一个名称和一个表达式"
        en = f"“{name}” is given twice" if name in pairs else "one name and one expression are needed"
        findings.add("call-mapping", said.line, key,
                     f'{direction} 不可用，{zh}：请写成 <policy:{direction} name="…" value="…"/>',
                     f'this {direction} cannot be used, {en}: write <policy:{direction} name="…" value="…"/>')
    return pairs


def operations(node: Node, key: str, findings: Findings) -> tuple[Operation, ...]:
    """The operations of a service task, in order."""
    read = []
    for operation in dialects.operations(node):
        parameters: dict[str, str] = {}
        for part in operation.children:
            name = part.get("name").strip()
            if part.name != "with" or not name or name in parameters:
                findings.add("operation", part.line, key,
                             '操作的参数写错或重复：请写成 <policy:with name="参数" value="表达式"/>，每个参数一次',
                             'this parameter is misspelt or given twice: write <policy:with name="…" value="…"/> once')
            parameters[name] = part.get("value").strip()
        into = operation.get("into").strip() or None
        read.append(Operation(operation.get("name").strip(), parameters, into, operation.line))
    return tuple(read)


def script(node: Node, key: str, findings: Findings) -> str | None:
    """The body of a script task, without the indentation of the file."""
    found = node.first(BPMN, "script")
    if found is None:
        return None
    language = node.get("scriptFormat").strip().lower()
    if language not in _SCRIPTS:
        findings.add("script-language", node.line, key,
                     f"脚本语言 {language} 不可用：请写成若干行“名称 = 表达式”，并删去 scriptFormat",
                     f"scripts in {language} do not run here: write lines of “name = expression”, remove scriptFormat")
        return None
    lines = found.text.splitlines()
    # The first line may stand behind the tag, without the indentation of the others.
    return (lines[0].strip() + "\n" + textwrap.dedent("\n".join(lines[1:]))).strip() if lines else ""


def check_expression(node: Node, element: str, findings: Findings) -> None:
    """A condition, timer or cardinality is text in our language and nothing else."""
    if node.children:
        findings.add("expression-markup", node.line, element,
                     f"{node.name} 中含有 XML 元素：请只写表达式，小于号写作 &lt;",
                     f"the {node.name} contains XML elements: write the expression only, with &lt; for less-than")
    if language := node.get("language"):
        findings.add("expression-language", node.line, element,
                     f"表达式语言 {language} 不可用：请用本系统的表达式并删去 language",
                     f"expressions in {language} do not run here: use ours and remove the attribute language")
