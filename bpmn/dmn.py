"""Reads a DMN file into decision tables: bytes in, ``Table`` by id out, or ``Unfit`` with every finding.

What a table means is for ``bpmn.dmn_table``; whether it is complete for ``bpmn.dmn_coverage``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bpmn import safe_xml
from bpmn.dmn_columns import Columns
from bpmn.dmn_table import HIT_POLICIES, Rule, Table
from bpmn.findings import Findings
from bpmn.nodes import MAX_ID, MAX_NAME
from bpmn.safe_xml import Node
from forms.compiler import NAME
from forms.words import Unfit

MOST_TABLES: Final = 100
MOST_CELLS: Final = 10_000

VERSIONS: Final = frozenset({
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/", "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
})
"""The namespaces of DMN 1.1 to 1.5."""

# What explains and does not decide.
_EXPLAINS: Final = frozenset({
    "description", "extensionElements", "inputData", "knowledgeSource", "textAnnotation", "association", "group",
    "elementCollection", "performanceIndicator", "organizationUnit", "itemDefinition", "question", "allowedAnswers",
    "variable", "authorityRequirement", "supportedObjective", "impactedPerformanceIndicator", "decisionMaker",
    "decisionOwner", "usingProcess", "usingTask", "annotation",
})
_HITS: Final[Mapping[str, str]] = {
    "": "U", "UNIQUE": "U", "ANY": "A", "FIRST": "F", "PRIORITY": "P", "RULE ORDER": "R", "OUTPUT ORDER": "O",
    "COLLECT": "C",
}
_AGGREGATIONS: Final[Mapping[str, str]] = {"": "", "SUM": "+", "MIN": "<", "MAX": ">", "COUNT": "#"}


def read_tables(data: bytes, file: str) -> Mapping[str, Table]:
    """The decision tables of a DMN file by what they are called by: the id, and the name where it is no other's.

    Raises ``Unfit`` with all findings.
    """
    findings = Findings(file)
    root = safe_xml.parse(data, findings)
    if root.namespace not in VERSIONS or root.name != "definitions":
        said = root.name[:60] if root.namespace == "" else f"{root.namespace[:80]} {root.name[:60]}"
        raise findings.stop("wrong-root", root.line,
                            f"根元素是 {said}，不是 DMN 1.1 至 1.5 的 definitions：请上传 .dmn 文件",
                            f"the root is {said}, not the definitions of DMN 1.1 to 1.5: upload a .dmn file")
    _refuse_others(root, frozenset({"decision"}), None, findings)
    decisions = _decisions(root, findings)
    tables: dict[str, Table] = {}
    for decision in _required_first(decisions, findings):
        table = decision.table(tables)
        if table is not None:
            tables[decision.key] = table
    if findings.found:
        raise Unfit(findings.in_order())
    return by_every_name(tables)


def by_every_name(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Tables by id, also by the name of each that shares it with no other."""
    names = [table.name for table in tables.values()]
    return {**{table.name: table for table in tables.values() if table.name and names.count(table.name) == 1}, **tables}


def _refuse_others(node: Node, read: frozenset[str], element: str | None, findings: Findings) -> None:
    """Refuse by name the parts of DMN that are neither read nor mere explanation."""
    for child in node.children:
        if child.namespace == node.namespace and child.name not in read | _EXPLAINS:
            findings.add("unsupported", child.line, element,
                         f"不支持 DMN 的 {child.name[:60]}：请改用决策表，计算可写进输入表达式或脚本任务",
                         f"{child.name[:60]} of DMN is not supported: use a decision table; what is calculated can "
                         "stand in an input expression or a script task")


def _decisions(root: Node, findings: Findings) -> dict[str, _Decision]:
    found: dict[str, _Decision] = {}
    nodes = root.all(root.namespace, "decision")
    cells = sum(1 for node in root.walk() if node.name in ("inputEntry", "outputEntry"))
    if len(nodes) > MOST_TABLES or cells > MOST_CELLS:
        raise findings.stop("too-many-elements", root.line,
                            f"文件有 {len(nodes)} 个决策、{cells} 格，最多 {MOST_TABLES} 个、{MOST_CELLS} 格："
                            "请拆成几个文件",
                            f"the file has {len(nodes)} decisions and {cells} cells, at most {MOST_TABLES} and "
                            f"{MOST_CELLS} are read: split it")
    for node in nodes:
        name = " ".join(node.get("name").split())
        key = node.get("id").strip() or name
        if not key or len(key) > MAX_ID or len(name) > MAX_NAME:
            findings.add("bad-id", node.line, key[:MAX_ID] or None,
                         f"决策需要不超过 {MAX_ID} 字的 id 或名称：请补上或缩短",
                         f"a decision needs an id or a name of at most {MAX_ID} characters: add or shorten it")
        elif key in found:
            findings.add("duplicate-id", node.line, key,
                         f"id 或名称与第 {found[key].node.line} 行的决策相同：请换一个",
                         f"the decision in line {found[key].node.line} has this id or name already: choose another one")
        else:
            found[key] = _Decision(key, name, node, root.get("expressionLanguage"), findings)
    if not nodes:
        findings.add("no-decision", root.line, None, "文件中没有决策（decision）：请画出决策表后再上传",
                     "the file has no decision: draw a decision table and upload it again")
    return found


def _required_first(decisions: Mapping[str, _Decision], findings: Findings) -> Iterator[_Decision]:
    """The decisions in an order in which each comes after those it requires; a circle is a finding."""
    for decision in decisions.values():
        decision.find_required(decisions)
    done: set[str] = set()
    while len(done) < len(decisions):
        ready = [each for each in decisions.values() if each.key not in done and done.issuperset(each.required)]
        if not ready:
            for each in decisions.values():
                if each.key not in done:
                    findings.add("circle", each.node.line, each.key,
                                 f"决策互相依赖成环：{'、'.join(each.required)}，请去掉其中一条依赖",
                                 f"these decisions require each other in a circle: {', '.join(each.required)}; remove "
                                 "one of the requirements")
            return
        yield from ready
        done.update(each.key for each in ready)


@dataclass
class _Decision:
    """One decision of the file while it is read."""

    key: str
    name: str
    node: Node
    language: str
    findings: Findings
    required: list[str] = field(default_factory=list)

    def find_required(self, decisions: Mapping[str, _Decision]) -> None:
        """Which decisions of this file it requires."""
        space = self.node.namespace
        for requirement in self.node.all(space, "informationRequirement"):
            for reference in requirement.all(space, "requiredDecision"):
                key = reference.get("href").strip().removeprefix("#")
                if key in decisions:
                    self.required.append(key)
                else:
                    self._add("dangling-reference", reference.line,
                              f"requiredDecision 指向的决策“{key[:80]}”不在此文件中：请改正，或把它放进来",
                              f"requiredDecision points to “{key[:80]}”, which is not in this file: correct it or put "
                              "that decision in")

    def table(self, tables: Mapping[str, Table]) -> Table | None:
        """Its table, or None where it has none; whatever is wrong with it is a finding."""
        space = self.node.namespace
        _refuse_others(self.node, frozenset({"decisionTable", "informationRequirement"}), self.key, self.findings)
        drawn = self.node.first(space, "decisionTable")
        if drawn is None:
            self._add("no-table", self.node.line, "此决策没有决策表：请画出决策表，或删去此决策",
                      "this decision has no decision table: draw one or remove the decision")
            return None
        _refuse_others(drawn, frozenset({"input", "output", "rule"}), self.key, self.findings)
        columns = Columns(drawn, self.key, self.language, self.findings)
        table = Table(
            id=self.key, name=self.name, file=self.findings.file, line=self.node.line, hit=self._hit(drawn),
            inputs=columns.inputs, outputs=columns.outputs, rules=tuple(self._rules(drawn, columns)),
            aliases=self._aliases(), requires=tuple(tables[key] for key in self.required if key in tables),
        )
        if not drawn.all(space, "rule") and not table.has_default:
            self._add("no-rules", table.line, "决策表没有规则：请至少写一条",
                      "the table has no rules: write at least one")
        self._check_whole(table)
        return table

    def _add(self, code: str, line: int, zh: str, en: str) -> None:
        self.findings.add(code, line, self.key, zh, en)

    def _aliases(self) -> tuple[str, ...]:
        variable = self.node.first(self.node.namespace, "variable")
        said = (variable.get("name") if variable else "", self.name, self.key)
        return tuple(dict.fromkeys(name for name in said if NAME.fullmatch(name)))

    def _hit(self, drawn: Node) -> str:
        policy, aggregation = drawn.get("hitPolicy").strip(), drawn.get("aggregation").strip()
        letters = _HITS.get(policy.upper(), policy.upper())
        hit = letters + _AGGREGATIONS.get(aggregation.upper(), aggregation)
        if hit in HIT_POLICIES:
            return hit
        self._add("hit-policy", drawn.line,
                  f"不支持命中策略 {policy[:40]} {aggregation[:40]}：可用 UNIQUE、ANY、FIRST、PRIORITY、RULE ORDER、"
                  "OUTPUT ORDER、COLLECT，只有 COLLECT 可配 SUM、MIN、MAX、COUNT",
                  f"the hit policy {policy[:40]} {aggregation[:40]} is not supported: there are UNIQUE, ANY, FIRST, "
                  "PRIORITY, RULE ORDER, OUTPUT ORDER and COLLECT, and only COLLECT goes with SUM, MIN, MAX or COUNT")
        return "U"

    def _rules(self, drawn: Node, columns: Columns) -> Iterator[Rule]:
        space = drawn.namespace
        for number, row in enumerate(drawn.all(space, "rule"), 1):
            cells, results = row.all(space, "inputEntry"), row.all(space, "outputEntry")
            width, depth = len(columns.inputs), len(columns.outputs)
            if (len(cells), len(results)) != (width, depth):
                self._add("rule-width", row.line,
                          f"规则 {number} 有 {len(cells)} 个条件、{len(results)} 个结果，而表有 {width} 个输入、"
                          f"{depth} 个输出：请在建模工具中补齐",
                          f"rule {number} has {len(cells)} conditions and {len(results)} results, but the table has "
                          f"{width} inputs and {depth} outputs: complete it in the modeler")
                continue
            where = (f"规则 {number}", f"rule {number}")
            yield Rule(
                number=number, line=row.line,
                cells=tuple(columns.cell(cell, place, where) for place, cell in enumerate(cells)),
                outputs=tuple(columns.result(cell, place, where) for place, cell in enumerate(results)),
            )

    def _check_whole(self, table: Table) -> None:
        """What no single cell can be blamed for."""
        if not table.outputs:
            return
        defaults = [output.default is not None for output in table.outputs]
        if any(defaults) and not all(defaults):
            self._add("default", table.line, "只有部分输出有默认结果：请全部写上，或都不写",
                      "only some of the outputs have a default: give one to each or to none")
        if table.hit == "C#" and any(defaults):
            self._add("default", table.line, "COLLECT COUNT 没有符合的规则时得 0：请删去默认结果",
                      "COLLECT with COUNT gives 0 where no rule matches: remove the default")
        if len(table.hit) == 2 and len(table.outputs) > 1:
            self._add("aggregation", table.line, "有多个输出时不能汇总（SUM、MIN、MAX、COUNT）：请拆成几张表",
                      "several outputs cannot be aggregated (SUM, MIN, MAX, COUNT): make several tables")
        if table.hit in ("P", "O") and not any(output.ranked for output in table.outputs):
            self._add("priority", table.line,
                      "PRIORITY 和 OUTPUT ORDER 需要按重要性列出输出的允许值：请写 outputValues",
                      "PRIORITY and OUTPUT ORDER need the allowed values of an output, the most important first: write "
                      "outputValues")
        offered = [name for each in table.requires for name in sorted(each.given)]
        for name in sorted({name for name in offered if offered.count(name) > 1}):
            self._add("name-clash", table.line, f"所依赖的几个决策都给出“{name}”：请给输出换一个名称",
                      f"several of the required decisions give “{name}”: rename one of their outputs")
