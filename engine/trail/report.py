"""The report of a bundle as people read it: one printable page that needs nothing else, the duty matrix first.

It says what the trail says and how far it is proved. It is never a legal conclusion.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from engine.errors import NotFound
from engine.facts import named
from engine.instant import INSTANT_FORMAT
from engine.library import Library
from engine.trail.duties import WORDS, Duty, Fact
from engine.trail.material import Material
from engine.trail.record import EVENT_KINDS, OVERRUN, SKIPPED
from engine.trail.words import Speaker
from engine.work import BEIJING
from forms.form import Form
from forms.money import yuan
from forms.saying import Shown, Teller
from forms.values import from_json
from forms.words import Language, Text

STYLE = """
body{font:14px/1.6 "Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;max-width:62rem;margin:2rem auto;
padding:0 1rem;color:#1a1a1a}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #999}
table{border-collapse:collapse;width:100%;margin:.6rem 0}th,td{border:1px solid #bbb;padding:.25rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f2f2f2}.status{font-weight:700;white-space:nowrap}
.hash{font-family:monospace;font-size:.8em;overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere}
.invalid{font-size:1.4rem;font-weight:700;color:#a00;border:3px solid #a00;padding:.5rem 1rem}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
"""
NEGATIVE_LIST = "F-RC-12"
DUTY: dict[str, Text] = {
    "democratic_decision": Text("民主决策", "Democratic decision"),
    "info_publicity": Text("信息公示", "Publicity"),
    "reasonable_care": Text("合理注意", "Reasonable care"),
    "supervision": Text("监督管理", "Supervision"),
}
STATUS = {
    "present": Text("有", "present"),
    "late": Text("补录", "late entry"),
    "missing": Text("缺", "missing"),
}
HEADS: dict[str, Text] = {
    "title": Text("勤勉尽责留痕报告", "Diligence trail"),
    "matrix": Text("一、四项义务对照表", "1. The four duties"),
    "chronology": Text("二、办理过程", "2. Chronology"),
    "gateways": Text("三、判断记录", "3. Decisions of gateways and tables"),
    "answers": Text("四、各环节意见、决定与表决", "4. Answers, decisions and votes"),
    "publicity": Text("五、公示与异议", "5. Publicity and objections"),
    "money": Text("六、金额", "6. Money"),
    "deadlines": Text("七、期限", "7. Deadlines"),
    "recusals": Text("八、负面清单、回避与被拒的操作", "8. Negative list, recusals and refused attempts"),
    "documents": Text("九、文件", "9. Documents"),
    "gaps": Text("十、缺失与补录", "10. Gaps and late entries"),
    "proof": Text("十一、完整性证明", "11. Proof of integrity"),
}
WORD: dict[str, Text] = {
    "duty": Text("义务", "Duty"), "status": Text("状态", "Status"), "fact": Text("事实", "Fact"),
    "step": Text("环节", "Step"), "who": Text("经办", "By"), "when": Text("时间", "When"),
    "document": Text("文件", "Document"), "what": Text("事项", "What"), "hash": Text("杂凑值", "Hash"),
    "expression": Text("条件", "Condition"), "values": Text("取值", "Values"), "way": Text("走向", "Way taken"),
    "due": Text("到期", "Due"), "field": Text("项目", "Field"), "amount": Text("金额（元）", "Amount (yuan)"),
    "size": Text("字节", "Bytes"), "reason": Text("说明", "Reason"), "none": Text("无", "None"),
    "number": Text("案卷编号", "Case"), "process": Text("流程版本", "Process version"),
    "parameters": Text("参数版本", "Parameter set"), "standing": Text("状态", "Standing"),
    "open": Text("办理中", "open"), "events": Text("记录数", "Events"),
    "withheld": Text("本视图不提供答复与附件。", "This view shows neither answers nor attachments."),
    "unsealed": Text("最后 {n} 条记录尚未封存，仅由数据库自身保护。",
                     "The last {n} events are not sealed yet; only the database protects them."),
    "unsigned": Text("没有封存进程：本报告只证明链条自身一致。",
                     "No signer is running: the chain is consistent in itself, and no more is proved."),
    "checkpoint": Text("以下检查点请另行保存；日后凭它可以发现历史被改写。",
                       "Keep this checkpoint elsewhere: it reveals later whether history was rewritten."),
    "erased": Text("已依法删除", "erased by law"),
    "invalid": Text("INVALID 无效：轨迹、答复或文件与当时的记录不符，本报告不能作为证明。",
                    "INVALID: events, answers or documents are not as they were recorded; this report proves nothing."),
    "notice": Text("本报告由记录自动生成，不是法律结论。本系统不存放涉密内容。",
                   "Made from the records; no legal conclusion. No secret content is kept in this system."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """Writes the parts of a report in one language."""

    material: Material
    language: Language
    speaker: Speaker
    teller: Teller

    def said(self, text: Text) -> str:
        """A text of ours, escaped."""
        return escape(text.said(self.language))

    def word(self, name: str) -> str:
        """A word of the report."""
        return self.said(WORD[name])

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """A table of escaped cells; the word for none where there are no rows."""
        lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        if not lines:
            return f"<p>{self.word('none')}</p>"
        head = "".join(f"<th>{self.word(each)}</th>" for each in heads)
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>"
            + "".join(f"<tr>{each}</tr>" for each in lines)
            + "</tbody></table>"
        )

    def step(self, body: dict[str, Any]) -> str:
        """The element of an event by its name."""
        about = body.get("process", {})
        name = self.speaker.element(about.get("called") or about.get("key", ""), about.get("element"))
        return self.said(name) if about.get("element") else ""

    def document(self, row: Mapping[str, Any]) -> str:
        """A document by its name, as far as this view gives it; of an encrypted one also where in the bundle it is."""
        if self.material.view.redacted:
            return ""
        beside = self.word("erased") if row["erased"] else row["enclosed"]
        return escape(row["name"]) + (f" ({beside})" if beside else "")

    def when(self, instant: datetime) -> str:
        """An instant in Beijing."""
        return f"{instant.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"

    def told(self, shown: Shown) -> str:
        """A value of an answer."""
        if shown.rows:
            heads = "".join(f"<th>{escape(each)}</th>" for each in shown.heads)
            rows = "".join(
                "<tr>" + "".join(f"<td>{self.told(cell)}</td>" for cell in row) + "</tr>" for row in shown.rows
            )
            return f"<table><tr>{heads}</tr>{rows}</table>"
        if shown.pairs:
            return "<br>".join(f"{escape(name)}: {self.told(each)}" for name, each in shown.pairs)
        return escape(shown.text) + "<br>".join(f"{escape(each.name)} {_hash(each.sha256)}" for each in shown.files)


def report(material: Material, language: Language) -> str:
    """The whole page."""
    material = material.as_read()
    speaker = Speaker(language, material.names, material.deployed, Library.standing().vocabulary())
    page = Page(material, language, speaker, Teller(language, material.names))
    parts = [
        ("matrix", _matrix(page)),
        ("chronology", _chronology(page)),
        ("gateways", _gateways(page)),
        ("answers", _answers(page)),
        ("publicity", _publicity(page)),
        ("money", _money(page)),
        ("deadlines", _deadlines(page)),
        ("recusals", _recusals(page)),
        ("documents", _documents(page)),
        ("gaps", _gaps(page)),
        ("proof", _proof(page)),
    ]
    body = "".join(f'<section id="{name}"><h2>{page.said(HEADS[name])}</h2>{text}</section>' for name, text in parts)
    title = f"{page.said(HEADS['title'])} · {escape(material.row['number'])}"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{_cover(page)}{body}</body></html>\n"
    )


def _cover(page: Page) -> str:
    row, deployed = page.material.row, page.material.deployed
    standing = page.said(page.speaker.outcome(row["outcome"])) if row["outcome"] else page.word("open")
    pairs = [
        ("number", f"{escape(row['number'])} {escape('' if page.material.view.redacted else row['title'])}"),
        ("process", f"{escape(deployed.diagram.process.name)} v{deployed.version} {_hash(deployed.sha256)}"),
        ("parameters", escape(row["parameters"])),
        ("standing", standing),
        ("events", str(len(page.material.events))),
    ]
    rows = "".join(f"<tr><th>{page.word(name)}</th><td>{text}</td></tr>" for name, text in pairs)
    withheld = f"<p>{page.word('withheld')}</p>" if page.material.view.redacted else ""
    mark = "" if page.material.intact else f'<p class="invalid" role="alert">{page.word("invalid")}</p>'
    return f"{mark}<table>{rows}</table><p>{page.word('notice')}</p>{withheld}"


def _matrix(page: Page) -> str:
    """One part for each duty, with its facts: whose, when, on which document."""
    return "".join(_duty(page, duty) for duty in page.material.duties)


def _duty(page: Page, duty: Duty) -> str:
    head = f'<h3>{page.said(DUTY[duty.duty])}：<span class="status">{page.said(WORDS[duty.status])}</span></h3>'
    return head + page.table(
        ("fact", "status", "step", "who", "when", "document"), (_fact(page, fact) for fact in duty.facts)
    )


def _fact(page: Page, fact: Fact) -> Sequence[str]:
    last = fact.last
    files = {each["id"]: each for each in page.material.documents}
    shown = [files[each] for each in last.documents if each in files]
    return (
        f"{escape(fact.fact)} {page.said(named(fact.fact))}",
        page.said(STATUS[fact.status]),
        page.said(page.speaker.element(last.process, last.element)),
        escape(page.speaker.person(last.person)),
        page.when(last.at),
        "<br>".join(
            f"{page.document(each)} {_hash(each['sha256'])}" for each in shown
        ),
    )


def _chronology(page: Page) -> str:
    rows = []
    for event in page.material.events:
        body = json.loads(event["body"])
        sentence = page.speaker.sentence({**event, **_columns(body)})
        basis = body["data"].get("basis")
        text = escape(sentence.text) + (f"<br><small>{escape(str(basis))}</small>" if basis else "")
        rows.append((str(event["seq"]), page.when(_instant(body)), text, _hash(event["hash"][:16])))
    return page.table(("number", "when", "what", "hash"), rows)


def _gateways(page: Page) -> str:
    """Every choice: the conditions that were tried and how each came out, on which values, and the way taken."""
    rows = []
    for body in page.material.bodies:
        data = body["data"]
        values = [f"{each['name']} = {each['value']}" for each in data.get("values", ())]
        if body["type"] == "gateway.taken":
            process = body["process"].get("called") or body["process"]["key"]
            tried = [f"{each['expression']} → {each['holds']}" for each in data["tried"]]
            ways = [page.speaker.flow(process, flow).said(page.language) for flow in data["taken"]]
        elif body["type"] == "decision.made":
            tried = [f"{data['table']} #{'、'.join(map(str, data['rules']))}"]
            ways = [f"{each['name']} = {each['value']}" for each in data["written"]]
        else:
            continue
        rows.append((page.step(body), *("<br>".join(map(escape, each)) for each in (tried, values, ways))))
    return page.table(("step", "expression", "values", "way"), rows)


def _answers(page: Page) -> str:
    if page.material.view.redacted:
        return f"<p>{page.word('withheld')}</p>"
    found = []
    for row in page.material.shown_answers():
        form, values = _form(page, row), from_json(row["answer"])
        name = page.said(page.speaker.element(row["process"], row["element"]))
        head = f"<h3>{name} · {escape(page.speaker.person(row['person']))} · {page.when(row['at'])}</h3>"
        if form is None or not isinstance(values, dict):
            found.append(head + f"<p>{escape(page.teller.plain(values))}</p>")
            continue
        pairs = page.teller.form(form, values)
        rows = "".join(f"<tr><th>{escape(label)}</th><td>{page.told(shown)}</td></tr>" for label, shown in pairs)
        found.append(f"{head}<table>{rows}</table>")
    return "".join(found) or f"<p>{page.word('none')}</p>"


def _form(page: Page, row: Mapping[str, Any]) -> Form | None:
    """The form an answer was given in; None for what no diagram draws, and what a later version no longer has."""
    try:
        return page.material.deployed.form(row["process"], row["element"])
    except (KeyError, NotFound):
        return None


def _publicity(page: Page) -> str:
    """Everything the steps with a tag of publicity left."""
    tags = {"publicity", "objection_handling", "reward_publicity"}
    return _sentences(page, (body for body in page.material.bodies if body["data"].get("tag") in tags))


def _money(page: Page) -> str:
    """Every amount that was answered."""
    rows = []
    for row in page.material.shown_answers():
        form, values = _form(page, row), from_json(row["answer"])
        if form is None or not isinstance(values, dict):
            continue
        for each in form.fields:
            amount = values.get(each.code)
            if each.kind == "money" and isinstance(amount, int):
                step = page.said(page.speaker.element(row["process"], row["element"]))
                rows.append((step, escape(each.label.said(page.language)), yuan(amount), page.when(row["at"])))
    return page.table(("step", "field", "amount", "when"), rows)


DATED = frozenset({"task.opened", "timer.armed", "timer.fired", OVERRUN})


def _deadlines(page: Page) -> str:
    """Every work item with a due day, and every timer: when it was due and what came of it."""
    rows = []
    for body in page.material.bodies:
        due = body["data"].get("due")
        if due and body["type"] in DATED:
            what = page.said(Text(*EVENT_KINDS[body["type"]]))
            rows.append((page.when(_instant(body)), page.step(body), what, escape(str(due))))
    return page.table(("when", "step", "what", "due"), rows)


def _recusals(page: Page) -> str:
    kinds = {"attempt.refused", "recusal.declared", SKIPPED, "variable.corrected", "case.migrated"}
    bodies = [
        body
        for body in page.material.bodies
        if body["type"] in kinds or NEGATIVE_LIST in (body["data"].get("facts") or ())
    ]
    return _sentences(page, bodies)


def _documents(page: Page) -> str:
    if page.material.view.redacted:
        rows = [("", str(each["size"]), _hash(each["sha256"]), "", "") for each in page.material.documents]
    else:
        rows = [
            (
                page.document(each),
                str(each["size"]),
                _hash(each["sha256"]),
                escape(page.speaker.person(each["uploaded_by"])),
                page.when(each["at"]) + (f" {page.said(STATUS['late'])}" if each["late"] else ""),
            )
            for each in page.material.documents
        ]
    return page.table(("document", "size", "hash", "who", "when"), rows)


def _gaps(page: Page) -> str:
    """What passed steps had to leave and is not there, and what was only entered afterwards."""
    facts = [fact for duty in page.material.duties for fact in duty.facts if fact.status != "present"]
    return page.table(("fact", "status", "step", "who", "when", "document"), (_fact(page, fact) for fact in facts))


def _proof(page: Page) -> str:
    material = page.material
    last = material.events[-1]["hash"] if material.events else ""
    text = f"<p>{page.word('events')}: {len(material.events)} · {_hash(last)}</p>"
    if material.proofs is None:
        return text + f"<p>{page.word('unsigned')}</p>"
    if material.unsealed:
        text += f"<p>{page.said(WORD['unsealed']).format(n=material.unsealed)}</p>"
    return text + f"<p>{page.word('checkpoint')}</p><pre>{escape(material.proofs.checkpoint)}</pre>"


def _sentences(page: Page, bodies: Iterable[dict[str, Any]]) -> str:
    rows = []
    for body in bodies:
        sentence = page.speaker.sentence({"body": json.dumps(body), **_columns(body)})
        rows.append((page.when(_instant(body)), escape(sentence.text)))
    return page.table(("when", "what"), rows)


def _columns(body: dict[str, Any]) -> dict[str, Any]:
    """The columns of an event that its sentence needs."""
    element = body.get("process", {}).get("element")
    return {"seq": body["seq"], "at": _instant(body), "kind": body["type"], "element": element}


def _instant(body: dict[str, Any]) -> datetime:
    return datetime.strptime(str(body["ts"]), INSTANT_FORMAT).replace(tzinfo=UTC)


def _hash(text: str) -> str:
    return f'<span class="hash">{escape(text)}</span>'
